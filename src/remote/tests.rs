//! Tests of what all kinds of storage have in common, with those that need no server.

use super::*;

fn directory() -> (tempfile::TempDir, Remote) {
    let directory = tempfile::tempdir().unwrap();
    let root = directory.path().join("a/target");
    let remote = Remote::new(Address::Directory(root), Options::default());
    (directory, remote)
}

fn memory(before: impl Fn(&Request) -> Fault + Send + Sync + 'static) -> (Arc<Memory>, Remote) {
    let memory = Memory::new();
    let remote = Remote::in_memory(&memory, Options::default(), before);
    (memory, remote)
}

fn on_request(number: u64, fault: Fault) -> impl Fn(&Request) -> Fault + Send + Sync + 'static {
    move |request| if request.number == number { fault } else { Fault::None }
}

fn names(listed: &[Listed]) -> Vec<&str> {
    listed.iter().map(|key| key.name.as_str()).collect()
}

fn check_remote(remote: &Remote) {
    assert_eq!(remote.get("log/01").unwrap(), None);
    assert_eq!(remote.list("log", None).unwrap(), []);
    assert_eq!(remote.create("log/01", b"one").unwrap(), Created::New);
    assert_eq!(remote.create("log/01", b"two").unwrap(), Created::Exists);
    assert_eq!(remote.create("log/01", b"one").unwrap(), Created::New, "own bytes");
    assert_eq!(remote.get("log/01").unwrap().unwrap(), b"one");
    remote.put("data/3f/3fa4", b"0123456789").unwrap();
    remote.put("data/3f/3fa4", b"0123456789").unwrap();
    assert_eq!(remote.get_range("data/3f/3fa4", 2..5).unwrap().unwrap(), b"234");
    assert_eq!(remote.get_range("data/3f/none", 2..5).unwrap(), None);
    for range in [8..11, 10..11, 20..30] {
        assert_eq!(remote.get_range("data/3f/3fa4", range).unwrap_err().kind(), ErrorKind::Damaged);
    }
    remote.put("data/40/4000", b"").unwrap();
    assert_eq!(remote.get("data/40/4000").unwrap().unwrap(), b"");
    let listed = remote.list("data", None).unwrap();
    assert_eq!(names(&listed), ["data/3f/3fa4", "data/40/4000"]);
    assert_eq!(listed[0].size, 10);
    assert_eq!(names(&remote.list("data/3f", None).unwrap()), ["data/3f/3fa4"]);
    assert_eq!(names(&remote.list("data", Some("data/3f/3fa4")).unwrap()), ["data/40/4000"]);
    remote.delete(&["data/3f/3fa4".into(), "data/3f/none".into(), "data/40/4000".into()]).unwrap();
    assert_eq!(remote.list("data", None).unwrap(), []);
    assert_eq!(remote.probe().unwrap(), Probe { creation: Creation::Atomic, missing_extensions: vec![] });
    assert_eq!(remote.list("probe", None).unwrap(), []);
}

#[test]
fn a_directory_stores_keys() {
    let (_directory, remote) = directory();
    check_remote(&remote);
}

#[test]
fn memory_stores_keys() {
    check_remote(&memory(|_| Fault::None).1);
}

#[test]
fn invalid_keys_are_refused() {
    let (_directory, remote) = directory();
    for key in ["", "/", "log/", "/log", "log//1", "log/..", "a.tmp", "LOG"] {
        assert_eq!(remote.create(key, b"").unwrap_err().kind(), ErrorKind::Internal, "{key}");
        assert_eq!(remote.list(key, None).unwrap_err().kind(), ErrorKind::Internal, "{key}");
    }
}

#[test]
fn create_ends_right_if_requests_or_answers_are_lost_or_doubled() {
    for (fault, requests) in [(Fault::LoseRequest, 2), (Fault::LoseAnswer, 3), (Fault::Double, 2)] {
        let (memory, remote) = memory(on_request(1, fault));
        assert_eq!(remote.create("log/01", b"one").unwrap(), Created::New, "{fault:?}");
        assert_eq!((memory.bytes("log/01").unwrap().as_slice(), remote.counts().requests()), (&b"one"[..], requests));
    }
    // Another writer is first.
    for fault in [Fault::LoseRequest, Fault::LoseAnswer, Fault::Double] {
        let (memory, remote) = memory(on_request(1, fault));
        memory.set("log/01", b"two");
        assert_eq!(remote.create("log/01", b"one").unwrap(), Created::Exists, "{fault:?}");
        assert_eq!(memory.bytes("log/01").unwrap(), b"two");
    }
}

#[test]
fn refused_requests_are_not_retried() {
    for (fault, kind) in [(Fault::Refuse, ErrorKind::Refused), (Fault::Unreachable, ErrorKind::Unreachable)] {
        let (memory, remote) = memory(on_request(1, fault));
        assert_eq!(remote.create("log/01", b"one").unwrap_err().kind(), kind);
        assert_eq!((remote.counts().requests(), memory.content().len()), (1, 0));
    }
}

#[test]
fn retries_end() {
    let (_, remote) = memory(|_| Fault::LoseRequest);
    assert_eq!(remote.get("log/01").unwrap_err().kind(), ErrorKind::Unreachable);
    assert_eq!(remote.counts(), Counts { reads: 8, retries: 7, ..Counts::default() });
}

#[test]
fn a_stopped_process_sends_nothing_more() {
    let (memory, remote) = memory(on_request(2, Fault::StopAfter));
    remote.put("data/01", b"1").unwrap();
    for key in ["data/02", "data/03"] {
        assert_eq!(remote.put(key, b"2").unwrap_err().kind(), ErrorKind::Interrupted);
    }
    assert_eq!(memory.content().len(), 2);
}

#[test]
fn a_storage_without_conditions_has_one_writer() {
    let remote = Remote::in_memory(&Memory::without_conditions(), Options::default(), |_| Fault::None);
    assert_eq!(remote.probe().unwrap().creation, Creation::OneWriter);
}

#[test]
fn temporary_files_are_not_listed_and_stale_ones_are_removed() {
    let (directory, remote) = directory();
    let log = directory.path().join("a/target/log");
    std::fs::create_dir_all(&log).unwrap();
    let (young, old) = (log.join("01.9-1.tmp"), log.join("02.9-1.tmp"));
    std::fs::write(&young, "x").unwrap();
    std::fs::write(&old, "x").unwrap();
    let two_days_ago = std::time::SystemTime::now() - Duration::from_secs(2 * 24 * 3600);
    std::fs::File::options().write(true).open(&old).unwrap().set_modified(two_days_ago).unwrap();
    assert_eq!(remote.list("log", None).unwrap(), []);
    remote.put("log/03", b"3").unwrap();
    assert_eq!(names(&remote.list("log", None).unwrap()), ["log/03"]);
    assert!(young.exists() && !old.exists());
}
