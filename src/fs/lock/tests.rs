//! Locks that are held, waited for, removed and replaced.

use super::*;

const SHORT: Duration = Duration::from_millis(30);

fn running(command: &str) -> Environment {
    Environment::from_process().with_arguments(command.split(' '))
}

#[test]
fn locking_fails_while_another_holder_exists() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("lock");
    let first = FileLock::acquire(&path, &running("undo commit -m \"a\nb\""), LockWait::For(Duration::ZERO)).unwrap();
    let error = FileLock::acquire(&path, &running("undo log"), LockWait::For(SHORT)).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Locked);
    let start = format!("`undo commit -m \"a b\"` (process {}) has held the lock", std::process::id());
    assert!(error.to_string().starts_with(&start), "{error}");
    assert_eq!(Holder::of(&path).unwrap().pid, std::process::id());
    drop(first);
    assert_eq!(Holder::of(&path), None);
    FileLock::acquire(&path, &running("undo log"), LockWait::For(Duration::ZERO)).unwrap();
    assert!(path.exists());
}

#[test]
fn removed_and_replaced_lock_files_are_detected() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("lock");
    let first = FileLock::acquire(&path, &running("undo commit"), LockWait::For(Duration::ZERO)).unwrap();
    first.check().unwrap();
    std::fs::remove_file(&path).unwrap();
    let error = first.check().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Locked);
    assert!(error.to_string().ends_with("was removed while this command was running"), "{error}");
    let second = FileLock::acquire(&path, &running("undo tag a"), LockWait::For(Duration::ZERO)).unwrap();
    second.check().unwrap();
    let error = first.check().unwrap_err();
    assert!(error.to_string().starts_with("`undo tag a` (process "), "{error}");
    // Another machine that does not see this lock wrote its text into the same file.
    let other = Holder { pid: 1, command: "undo gc".into(), since: Timestamp::default() };
    std::fs::write(&path, other.to_text()).unwrap();
    assert_eq!(second.check().unwrap_err().kind(), ErrorKind::Locked);
}

#[test]
fn a_replaced_lock_file_is_locked_again() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("lock");
    let first = FileLock::acquire(&path, &running("undo commit"), LockWait::For(Duration::ZERO)).unwrap();
    std::thread::scope(|scope| {
        let second =
            scope.spawn(|| FileLock::acquire(&path, &running("undo tag"), LockWait::For(Duration::from_secs(10))));
        std::thread::sleep(SHORT);
        std::fs::remove_file(&path).unwrap();
        drop(first);
        second.join().unwrap().unwrap().check().unwrap();
    });
}

#[test]
fn waiting_ends_when_the_lock_is_free() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("lock");
    let first = FileLock::acquire(&path, &running("undo gc"), LockWait::For(Duration::ZERO)).unwrap();
    std::thread::scope(|scope| {
        let second =
            scope.spawn(|| FileLock::acquire(&path, &running("undo log"), LockWait::For(Duration::from_secs(10))));
        std::thread::sleep(SHORT);
        drop(first);
        second.join().unwrap().unwrap();
    });
}

#[test]
fn how_long_a_lock_is_held_is_reported_in_few_words() {
    let at = |seconds| Timestamp { seconds, nanoseconds: 0 };
    let texts = [-1, 0, 119, 120, 7199, 7200, 200_000].map(|seconds| age(at(1000), at(1000 + seconds)));
    assert_eq!(texts, ["", " for 0 s", " for 119 s", " for 2 min", " for 119 min", " for 2 h", " for 2 days"]);
}

#[test]
fn invalid_lock_files_are_ignored() {
    let since = Timestamp { seconds: 1_700_000_000, nanoseconds: 5 };
    let holder = Holder { pid: 7, command: "undo commit".into(), since };
    assert_eq!(Holder::parse(&holder.to_text()), Some(holder));
    for text in ["", "pid", "pid x\nsince never", "pid 1\ncommand a", "since 2026-01-01T00:00:00Z", "\0\n\u{fffd}"] {
        assert_eq!(Holder::parse(text), None, "{text:?}");
    }
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("lock");
    std::fs::write(&path, [0xff; 9_000]).unwrap();
    let file = File::open(&path).unwrap();
    file.lock().unwrap();
    let error = FileLock::acquire(&path, &running("undo log"), LockWait::For(Duration::ZERO)).unwrap_err();
    assert!(error.to_string().starts_with("another process holds the lock"), "{error}");
}
