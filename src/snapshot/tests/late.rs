//! Commits that are not in time: the next try continues.

use std::fs::{self, File};
use std::os::unix::fs::FileExt;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};

use super::record::Fixture;
use crate::error::{Error, ErrorKind, Result};
use crate::progress::{Progress, Task, Unit};
use crate::snapshot::{Options, Outcome, take};

/// Counts what is read, and is not in time after some calls.
struct Budget {
    calls: Arc<AtomicI64>,
    read: Arc<AtomicU64>,
}

struct BudgetTask(Option<(Arc<AtomicI64>, Arc<AtomicU64>)>);

impl Progress for Budget {
    fn start(&self, _: &'static str, unit: Unit, _: Option<u64>) -> Arc<dyn Task> {
        Arc::new(BudgetTask((unit == Unit::Bytes).then(|| (self.calls.clone(), self.read.clone()))))
    }
}

impl Task for BudgetTask {
    fn add(&self, units: u64) -> Result<()> {
        let Some((calls, read)) = &self.0 else { return Ok(()) };
        read.fetch_add(units, Ordering::Relaxed);
        match calls.fetch_sub(1, Ordering::Relaxed) > 0 {
            true => Ok(()),
            false => Err(Error::new(ErrorKind::NotInTime, "the time is over")),
        }
    }

    fn set_total(&self, _: u64) {}
}

/// Tries to commit within this many reads. Returns the number of bytes read or known, and the outcome if it was in time.
fn attempt(fixture: &mut Fixture, calls: i64) -> (u64, Option<Outcome>) {
    let budget = Budget { calls: Arc::new(AtomicI64::new(calls)), read: Arc::default() };
    let worktree = fixture.worktree();
    let result = take(&mut fixture.repository.begin().unwrap(), &worktree, &Options::default(), &budget);
    let read = budget.read.load(Ordering::Relaxed);
    match result {
        Ok((outcome, _)) => (read, Some(outcome)),
        Err(error) => {
            assert_eq!(error.kind(), ErrorKind::NotInTime);
            assert_eq!((fixture.repository.view().heads.len(), fixture.repository.operation()), (0, None));
            (read, None)
        }
    }
}

/// Tries until the commit is in time. Returns the number of bytes read or known in all tries, their number, and the outcome.
fn attempts(fixture: &mut Fixture, calls: i64) -> (u64, u64, Outcome) {
    let mut read = 0;
    for tries in 1..20 {
        let (more, outcome) = attempt(fixture, calls);
        read += more;
        if let Some(outcome) = outcome {
            return (read, tries, outcome);
        }
    }
    panic!("not in time in 20 tries");
}

/// Younger files are read again.
fn age() {
    std::thread::sleep(std::time::Duration::from_millis(50));
}

fn noise(length: u64) -> Vec<u8> {
    let mut bytes = vec![0; length as usize];
    blake3::Hasher::new().finalize_xof().fill(&mut bytes);
    bytes
}

#[test]
fn files_that_were_read_are_not_read_again() {
    const FILES: u64 = 40;
    const SIZE: u64 = 50_000;
    let mut fixture = Fixture::new();
    let bytes = noise(FILES * SIZE);
    for (n, bytes) in bytes.chunks(SIZE as usize).enumerate() {
        fixture.write(&format!("flat/file-{n}"), bytes);
    }
    age();
    let (read, tries, outcome) = attempts(&mut fixture, 10);
    assert!(tries >= 4, "{tries}");
    // Each try reads the files again that it was reading at its end.
    assert!(read <= FILES * SIZE + tries * 8 * SIZE, "{read} bytes in {tries} tries");
    assert_eq!(outcome.totals.files, FILES);
    assert_eq!(fixture.content("flat/file-7").unwrap(), bytes[7 * SIZE as usize..][..SIZE as usize]);
}

/// A directory with a file that takes ten reads, and a small one, of which the first three have been made.
fn with_long_file(bytes: &[u8]) -> Fixture {
    let mut fixture = Fixture::new();
    fixture.write("d/long", bytes);
    fixture.write("d/short", b"short");
    age();
    assert!(attempt(&mut fixture, 3).1.is_none());
    fixture
}

const LONG: u64 = 160 << 20;

#[test]
fn a_long_file_is_read_on_where_the_last_try_ended() {
    let bytes = noise(LONG);
    let mut fixture = with_long_file(&bytes);
    let (_, tries, outcome) = attempts(&mut fixture, 4);
    assert!((3..6).contains(&tries), "{tries} tries");
    assert!(outcome.bytes_read < LONG / 2, "{} bytes in the last try", outcome.bytes_read);
    assert!(fixture.content("d/long").unwrap() == bytes);
    assert_eq!(fixture.content("d/short").unwrap(), b"short");
}

#[test]
fn a_long_file_that_was_changed_between_two_tries_is_read_from_its_beginning() {
    let mut bytes = noise(LONG);
    let mut fixture = with_long_file(&bytes);
    let path = fixture.at("d/long");
    let before = fs::metadata(&path).unwrap().modified().unwrap();
    let file = File::options().write(true).open(&path).unwrap();
    file.write_all_at(b"changed", 1_000_000).unwrap();
    file.set_modified(before).unwrap();
    drop(file);
    bytes[1_000_000..1_000_007].copy_from_slice(b"changed");
    age();
    let (_, _, outcome) = attempts(&mut fixture, 100);
    assert!(outcome.bytes_read >= LONG);
    assert!(fixture.content("d/long").unwrap() == bytes);
}

#[test]
fn a_long_file_that_was_replaced_between_two_tries_is_read_from_its_beginning() {
    let mut fixture = with_long_file(&noise(LONG));
    let other = vec![7; LONG as usize];
    fixture.write("other", &other);
    fs::rename(fixture.at("other"), fixture.at("d/long")).unwrap();
    attempts(&mut fixture, 100);
    assert!(fixture.content("d/long").unwrap() == other);
}
