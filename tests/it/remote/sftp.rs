//! Storage over SFTP: OpenSSH's sshd.

use std::time::Duration;

use undo::error::ErrorKind;
use undo::internals::remote::{Address, Created, Creation, Options, Remote, SftpAddress};

use super::{check_directories_are_no_keys, check_limits, check_long_list, check_races, check_remote, limited, names};

use crate::safety::places::Mounted;
use crate::servers::free_ports;
use crate::servers::sshd::Sshd;

#[test]
fn sftp_stores_keys() {
    let Some(sshd) = Sshd::start("") else { return };
    check_remote(&sshd.remote("some/target"));
    check_directories_are_no_keys(&sshd.remote("some/target"));
    assert_eq!(std::fs::read_dir(sshd.path("some/target/tmp")).unwrap().count(), 0, "temporary files remain");
}

#[test]
fn one_of_two_racing_creates_wins() {
    let Some(sshd) = Sshd::start("") else { return };
    check_races(&sshd.remote("target"), &sshd.remote("target"), 100);
}

#[test]
fn listings_have_more_than_1000_keys() {
    let Some(sshd) = Sshd::start("") else { return };
    check_long_list(&sshd.remote("target"));
}

#[test]
fn limits_are_kept() {
    let Some(sshd) = Sshd::start("") else { return };
    check_limits(&Remote::new(Address::Sftp(sshd.address("target")), limited()));
}

#[test]
fn missing_extensions_are_reported() {
    let Some(sshd) = Sshd::start("-P hardlink,fsync") else { return };
    let remote = sshd.remote("target");
    assert_eq!(remote.create("log/01", b"one").unwrap(), Created::New);
    assert_eq!(remote.create("log/01", b"two").unwrap(), Created::Exists);
    assert_eq!(remote.get("log/01").unwrap().unwrap(), b"one");
    assert_eq!(remote.probe().unwrap().missing_extensions, ["hardlink@openssh.com", "fsync@openssh.com"]);
    assert_eq!(remote.probe().unwrap().creation, Creation::OneWriter);
}

#[test]
fn a_lost_connection_is_replaced() {
    let Some(sshd) = Sshd::start("") else { return };
    let remote = sshd.remote("target");
    for number in 0..5 {
        assert_eq!(remote.create(&format!("log/{number:02}"), b"one").unwrap(), Created::New);
        sshd.drop_connections();
    }
    assert_eq!(remote.list("log", None).unwrap().len(), 5);
    // While requests are running.
    let large = vec![7; 1 << 20];
    std::thread::scope(|scope| {
        for thread in 0..4 {
            let (remote, large) = (&remote, &large);
            scope.spawn(move || (0..10).for_each(|n| remote.put(&format!("data/{thread}-{n}"), large).unwrap()));
        }
        for _ in 0..3 {
            std::thread::sleep(Duration::from_millis(60));
            sshd.drop_connections();
        }
    });
    let listed = remote.list("data", None).unwrap();
    assert!(listed.len() == 40 && listed.iter().all(|key| key.size == 1 << 20), "{listed:?}");
    assert!(remote.counts().retries > 0);
}

#[test]
fn a_server_that_forbids_requests_refuses_them() {
    let Some(sshd) = Sshd::start("-P remove") else { return };
    let remote = sshd.remote("target");
    assert_eq!(remote.create("log/01", b"one").unwrap(), Created::New);
    let error = remote.delete(&["log/01".into()]).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Refused, "{error:?}");
    assert_eq!(remote.probe().unwrap().creation, Creation::Atomic);

    let Some(sshd) = Sshd::start("-R") else { return };
    let error = sshd.remote("target").create("log/01", b"one").unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Refused, "{error:?}");
}

#[test]
fn a_full_disk_is_reported() {
    let Some(sshd) = Sshd::start("") else { return };
    let path = sshd.path("full");
    std::fs::create_dir(&path).unwrap();
    let Some(_disk) = Mounted::new(&["-t", "tmpfs", "-o", "size=1m", "tmpfs"], &path) else { return };
    let remote = sshd.remote("full/target");
    remote.put("data/01", &[7; 300_000]).unwrap();
    let error = remote.put("data/02", &[7; 2_000_000]).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NoSpace, "{error:?}");
    assert_eq!(remote.list("data", None).unwrap().len(), 1);
    assert_eq!(remote.counts().retries, 0);
    remote.put("data/03", &[7; 300_000]).unwrap();
}

#[test]
fn a_target_has_many_folders() {
    let Some(sshd) = Sshd::start("") else { return };
    let remote = sshd.remote("target");
    let keys: Vec<String> = (0..256).map(|number| format!("data/{number:02x}/{number:064x}")).collect();
    keys.iter().for_each(|key| remote.put(key, b"x").unwrap());
    assert_eq!(names(&remote.list("data", None).unwrap()), keys);
}

#[test]
fn errors_have_the_words_of_the_server_and_a_hint() {
    let fails = |address: SftpAddress, words: &str, hint: &str| {
        let remote = Remote::new(Address::Sftp(address), Options::default());
        let error = remote.get("log/01").unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Unreachable);
        assert!(error.to_string().contains(words), "{words}: {error:?}");
        assert!(error.hint_text().unwrap().contains(hint), "{hint}: {error:?}");
    };
    let Some(sshd) = Sshd::start("") else { return };
    sshd.use_unknown_key();
    fails(sshd.address("target"), "Permission denied (publickey)", "ssh-copy-id -p ");
    sshd.expect_host_key(None);
    fails(sshd.address("target"), "Host key verification failed", "to check and accept the host key: ssh -p ");
    sshd.expect_host_key(Some("other_key.pub"));
    fails(sshd.address("target"), "IDENTIFICATION HAS CHANGED", "ssh-keygen -R '[127.0.0.1]:");
    let [port] = free_ports();
    let refused = SftpAddress { port: Some(port), ..sshd.address("target") };
    fails(refused, "Connection refused", "check the host and port");
    let unknown = SftpAddress { host: "no-such-host.invalid".into(), ..sshd.address("target") };
    fails(unknown, "Could not resolve hostname", "getent hosts no-such-host.invalid");
    let missing = SftpAddress { program: "/nonexistent/ssh".into(), ..sshd.address("target") };
    fails(missing, "cannot run `/nonexistent/ssh`", "install the client of OpenSSH");
}
