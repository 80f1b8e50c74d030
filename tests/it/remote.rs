//! Storage of targets on real servers.

mod credentials;
mod directory;
mod killed;
mod s3;
mod sftp;

use undo::error::ErrorKind;
use undo::internals::remote::{Created, Creation, Listed, Options, Remote};

/// The keys of a listing.
fn names(listed: &[Listed]) -> Vec<&str> {
    listed.iter().map(|key| key.name.as_str()).collect()
}

/// What every storage does.
fn check_remote(remote: &Remote) {
    assert_eq!(remote.get("log/01").unwrap(), None);
    assert_eq!(remote.list("log", None).unwrap(), []);
    assert_eq!(remote.create("log/01", b"one").unwrap(), Created::New);
    assert_eq!(remote.create("log/01", b"two").unwrap(), Created::Exists);
    assert_eq!(remote.create("log/01", b"one").unwrap(), Created::New, "own bytes");
    assert_eq!(remote.get("log/01").unwrap().unwrap(), b"one");
    let large: Vec<u8> = (0..3_000_000_u32).map(|n| (n.wrapping_mul(n) >> 8) as u8).collect();
    remote.put("data/3f/3fa4", &large).unwrap();
    remote.put("data/3f/3fa4", &large).unwrap();
    assert!(remote.get("data/3f/3fa4").unwrap().unwrap() == large);
    for range in [0..1, 5..9, 1_000_000..2_500_000, 2_999_999..3_000_000] {
        let found = remote.get_range("data/3f/3fa4", range.clone()).unwrap().unwrap();
        assert!(found == large[range.start as usize..range.end as usize], "{range:?}");
    }
    assert_eq!(remote.get_range("data/3f/none", 2..5).unwrap(), None);
    for range in [2_999_999..3_000_001, 3_000_000..3_000_001, 4_000_000..5_000_000] {
        assert_eq!(remote.get_range("data/3f/3fa4", range).unwrap_err().kind(), ErrorKind::Damaged);
    }
    remote.put("data/40/4000", b"").unwrap();
    assert_eq!(remote.get("data/40/4000").unwrap().unwrap(), b"");
    let listed = remote.list("data", None).unwrap();
    assert_eq!(names(&listed), ["data/3f/3fa4", "data/40/4000"]);
    assert_eq!(listed[0].size, 3_000_000);
    assert!((listed[0].modified.seconds - now()).abs() < 60, "{:?}", listed[0].modified);
    assert_eq!(names(&remote.list("data/3f", None).unwrap()), ["data/3f/3fa4"]);
    assert_eq!(names(&remote.list("data", Some("data/3f/3fa4")).unwrap()), ["data/40/4000"]);
    remote.delete(&["data/3f/3fa4".into(), "data/3f/none".into(), "data/40/4000".into()]).unwrap();
    assert_eq!(remote.list("data", None).unwrap(), []);
    assert_eq!(names(&remote.list("log", None).unwrap()), ["log/01"]);
    let probe = remote.probe().unwrap();
    assert_eq!((probe.creation, probe.missing_extensions), (Creation::Atomic, vec![]));
    assert_eq!(remote.list("probe", None).unwrap(), []);
}

/// A directory in the place of a key is damage, not a failure of the storage: nothing is retried, and a repair continues.
fn check_directories_are_no_keys(remote: &Remote) {
    remote.put("data/3f/3fa4", b"x").unwrap();
    for error in [remote.get("data/3f").unwrap_err(), remote.get_range("data/3f", 0..1).unwrap_err()] {
        assert_eq!(error.kind(), ErrorKind::Damaged);
        assert_eq!(error.to_string(), "`data/3f` of the target is a directory, not a file");
    }
    assert_eq!(remote.counts().retries, 0);
}

fn now() -> i64 {
    let now = std::time::SystemTime::now().duration_since(std::time::SystemTime::UNIX_EPOCH).unwrap();
    now.as_secs().cast_signed()
}

/// Two writers race for each of these keys: exactly one of them wins, and its bytes are kept.
fn check_races(one: &Remote, other: &Remote, races: u32) {
    let start = std::sync::Barrier::new(2);
    for number in 0..races {
        let key = format!("log/{number:016x}");
        let write = |remote: &Remote, bytes: &[u8]| {
            start.wait();
            remote.create(&key, bytes).unwrap()
        };
        let results = std::thread::scope(|scope| {
            let other = scope.spawn(|| write(other, b"other"));
            (write(one, b"one"), other.join().unwrap())
        });
        let winner: &[u8] = match results {
            (Created::New, Created::Exists) => b"one",
            (Created::Exists, Created::New) => b"other",
            _ => panic!("{key}: {results:?}"),
        };
        assert_eq!(one.get(&key).unwrap().unwrap(), winner);
    }
}

/// Lists more keys than S3 returns at once.
fn check_long_list(remote: &Remote) {
    let keys: Vec<String> = (0..1_205).map(|number| format!("log/{number:016x}")).collect();
    std::thread::scope(|scope| {
        for part in keys.chunks(160) {
            scope.spawn(move || part.iter().for_each(|key| remote.put(key, b"x").unwrap()));
        }
    });
    assert_eq!(names(&remote.list("log", None).unwrap()), keys);
    let after = remote.list("log", Some(&keys[1_100])).unwrap();
    assert_eq!(names(&after), &keys[1_101..]);
    remote.delete(&keys).unwrap();
    assert_eq!(remote.list("log", None).unwrap(), []);
}

/// Sends and receives half a megabyte at two megabytes a second. The limits are lower bounds, so a slow machine does not matter.
fn check_limits(remote: &Remote) {
    let start = std::time::Instant::now();
    remote.put("data/01", &[7; 500_000]).unwrap();
    let sent = start.elapsed();
    assert_eq!(remote.get("data/01").unwrap().unwrap().len(), 500_000);
    let received = start.elapsed() - sent;
    for elapsed in [sent, received] {
        assert!(elapsed.as_millis() >= 140, "{elapsed:?}");
    }
    let counts = remote.counts();
    assert!((500_000..501_000).contains(&counts.uploaded), "{counts:?}");
    assert!((500_000..501_000).contains(&counts.downloaded), "{counts:?}");
}

/// Limits for [`check_limits`].
fn limited() -> Options {
    Options { upload: Some(2_000_000), download: Some(2_000_000), ..Options::default() }
}
