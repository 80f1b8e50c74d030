//! Writers that are killed leave whole keys only.

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
    }
}

/// Kills writers after different times. Returns the number of keys, which are all whole.
fn kill_writers(address: &str, program: &Path, pauses: impl Iterator<Item = u64>, remote: &Remote) -> usize {
    for pause in pauses {
        let mut command = Command::new(std::env::current_exe().unwrap());
        command.args(["--exact", "remote::killed::writer", "--nocapture"]).env(ADDRESS, address).env(PROGRAM, program);
        let mut child = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
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
    let keys = kill_writers(path.to_str().unwrap(), Path::new("ssh"), (20..60).map(|n| n + n % 7), &remote);
    assert!(keys > 40, "only {keys} keys");
}

#[test]
fn a_killed_writer_leaves_whole_keys_over_sftp() {
    let Some(sshd) = Sshd::start("") else { return };
    let address = Address::Sftp(sshd.address("target"));
    let remote = sshd.remote("target");
    let pauses = (0..20).map(|n| 300 + 7 * n);
    let keys = kill_writers(&address.to_string(), &sshd.program(), pauses, &remote);
    assert!(keys > 20, "only {keys} keys");
}
