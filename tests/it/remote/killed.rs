//! Writers that are killed leave whole keys only.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use undo::internals::remote::{Address, Options, Remote, SftpAddress};

use crate::servers::sshd::Sshd;

/// Environment variable with the address that a child process writes to.
const ADDRESS: &str = "UNDO_TEST_WRITE_TO";

/// Environment variable with the program that connects.
const PROGRAM: &str = "UNDO_TEST_SSH";

/// Length of each key.
const LENGTH: usize = 300_000;

fn content(key: &str) -> Vec<u8> {
    key.bytes().cycle().take(LENGTH).collect()
}

/// The child process: creates keys until it is killed. Does nothing in a normal run of the tests.
#[test]
fn writer() {
    let Some(address) = std::env::var(ADDRESS).ok() else { return };
    let address = match Address::parse(&address, None, None, Path::new("/")).unwrap() {
        Address::Sftp(address) => {
            Address::Sftp(SftpAddress { program: std::env::var_os(PROGRAM).unwrap().into(), ..address })
        }
        other => other,
    };
    let remote = Remote::new(address, Options::default());
    let first = u64::from(std::process::id()) << 32;
    for number in first.. {
        let key = format!("data/{number:x}");
        remote.create(&key, &content(&key)).unwrap();
        if number == first {
            println!("\n{FIRST}");
        }
    }
}

/// Line that a writer prints after its first key.
const FIRST: &str = "wrote the first key";

/// Kills writers at different times after their first key. Returns the number of keys, which are all whole.
fn kill_writers(address: &str, program: &Path, writers: u64, remote: &Remote) -> usize {
    for pause in (0..writers).map(|n| n * 3) {
        let mut command = Command::new(std::env::current_exe().unwrap());
        command.args(["--exact", "remote::killed::writer", "--nocapture"]).env(ADDRESS, address).env(PROGRAM, program);
        let mut child = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        assert!(lines.any(|line| line.unwrap() == FIRST), "a writer ended without a key");
        std::thread::sleep(Duration::from_millis(pause));
        child.kill().unwrap();
        child.wait().unwrap();
    }
    let listed = remote.list("data", None).unwrap();
    for key in &listed {
        assert!(remote.get(&key.name).unwrap().unwrap() == content(&key.name), "{key:?}");
    }
    listed.len()
}

#[test]
fn a_killed_writer_leaves_whole_keys_in_a_directory() {
    let temporary = tempfile::tempdir().unwrap();
    let path = temporary.path().join("target");
    let remote = Remote::new(Address::Directory(path.clone()), Options::default());
    let keys = kill_writers(path.to_str().unwrap(), Path::new("ssh"), 40, &remote);
    assert!(keys > 40, "only {keys} keys");
}

#[test]
fn a_killed_writer_leaves_whole_keys_over_sftp() {
    let Some(sshd) = Sshd::start("") else { return };
    let address = Address::Sftp(sshd.address("target"));
    let remote = sshd.remote("target");
    let keys = kill_writers(&address.to_string(), &sshd.program(), 20, &remote);
    assert!(keys > 20, "only {keys} keys");
}
