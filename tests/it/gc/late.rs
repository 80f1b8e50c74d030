//! Content of a commit that was not in time: the next try uses it; otherwise `gc` removes it after a day.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use undo::environment::Environment;
use undo::error::{Error, ErrorKind, Result};
use undo::progress::{Progress, Task, Unit};
use undo::time::Timestamp;
use undo::workspace::{CommitOptions, Workspace};

use super::{is_on_disk, noise};
use crate::env::TestEnv;

const FILES: u64 = 10;
const SIZE: u64 = 200_000;

/// The time is over after this many bytes.
#[derive(Clone)]
struct TimeFor(Arc<AtomicU64>);

impl Progress for TimeFor {
    fn start(&self, _: &'static str, unit: Unit, _: Option<u64>) -> Arc<dyn Task> {
        Arc::new(TimeFor(if unit == Unit::Bytes { self.0.clone() } else { Arc::new(AtomicU64::new(u64::MAX)) }))
    }
}

impl Task for TimeFor {
    fn add(&self, units: u64) -> Result<()> {
        let take = |left: u64| left.checked_sub(units);
        let taken = self.0.fetch_update(Ordering::Relaxed, Ordering::Relaxed, take);
        taken.map(drop).map_err(|_| Error::new(ErrorKind::NotInTime, "the time is over"))
    }

    fn set_total(&self, _: u64) {}
}

/// A repository in which a commit at noon of 4 January stored about half of the files before its time was over.
fn late() -> TestEnv {
    let env = TestEnv::initialised();
    for n in 0..FILES {
        env.write(&format!("file-{n}"), noise(n, SIZE as usize));
    }
    // Younger files are read again.
    std::thread::sleep(std::time::Duration::from_millis(50));
    let noon = Timestamp { seconds: 1_767_528_000, nanoseconds: 0 };
    let mut workspace = Workspace::open(env.path(), Environment::from_process().with_clock(move || noon)).unwrap();
    let error = workspace.commit(&CommitOptions::default(), &TimeFor(Arc::new(AtomicU64::new(FILES * SIZE / 2))));
    assert_eq!(error.unwrap_err().kind(), ErrorKind::NotInTime);
    assert!(env.undo("log --all --json").ok().json().len() == 1, "nothing is recorded");
    env
}

fn stored(env: &TestEnv) -> usize {
    (0..FILES).filter(|n| is_on_disk(&env.path().join(".undo/packs"), &noise(*n, SIZE as usize))).count()
}

#[test]
fn the_next_try_in_time_uses_the_content() {
    let env = late();
    let before = stored(&env);
    assert!(before >= 2, "{before} files");
    let commit = &env.undo("commit --json").ok().json()[0];
    let saved = before as u64 * SIZE;
    for key in ["bytes_read", "bytes_stored"] {
        let bytes = commit[key].as_u64().unwrap();
        assert!(bytes <= FILES * SIZE - saved + 10_000, "{bytes} {key}, {saved} were saved");
    }
    env.undo("verify").ok();
}

#[test]
fn without_another_try_the_content_goes_after_a_day() {
    let env = late();
    let before = stored(&env);
    env.set("UNDO_TIME", "2026-01-05T11:30:00Z");
    env.undo("gc").ok();
    assert_eq!(stored(&env), before);
    env.set("UNDO_TIME", "2026-01-05T12:30:00Z");
    env.undo("gc").ok();
    assert_eq!(stored(&env), 0);
    // The index knows files whose content is gone.
    env.undo("commit -m all").ok();
    assert_eq!(stored(&env), FILES as usize);
    env.undo("verify").ok();
}
