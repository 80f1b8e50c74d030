//! Eight processes run random commands in one directory: no content is lost, and no command disturbs another.
//!
//! `UNDO_TEST_SECONDS=60` runs them for a minute; the seed is printed, and `UNDO_TEST_SEED=N` repeats one. Every few
//! seconds all of them pause while everything is verified. A failure keeps the whole directory, with a log of all
//! commands.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::fs;
use std::path::PathBuf;
use std::process::Command;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use undo::environment::Environment;
use undo::internals::history::objects::ObjectType;
use undo::internals::history::reachable::{ReachableObjects, walked};
use undo::internals::history::walk;
use undo::internals::repo::Repository;

use super::{SetOnDrop, ends_with, history, said, undo};
use crate::env::TestEnv;
use crate::random::Random;
use crate::tree::Tree;

/// Interval after which all pause and everything is verified.
const ROUND: Duration = Duration::from_secs(3);

/// A command of one process.
struct Event {
    began: Duration,
    ended: Duration,
    member: usize,
    what: String,
}

impl fmt::Display for Event {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Event { began, ended, member, what } = self;
        write!(f, "{:10.4} to {:10.4} s  {member}  {what}", began.as_secs_f64(), ended.as_secs_f64())
    }
}

/// Log of all processes, and their directory. Kept if the test fails.
struct Log {
    root: PathBuf,
    seed: u64,
    began: Instant,
    events: Mutex<Vec<Event>>,
    /// All contents written to the directory, and their paths.
    written: Mutex<BTreeMap<[u8; 32], String>>,
}

impl Log {
    fn new(env: &TestEnv, seed: u64) -> Log {
        let root = env.root().to_owned();
        Log { root, seed, began: Instant::now(), events: Mutex::default(), written: Mutex::default() }
    }

    fn note(&self, member: usize, began: Duration, what: String) {
        let event = Event { began, ended: self.began.elapsed(), member, what };
        self.events.lock().unwrap_or_else(PoisonError::into_inner).push(event);
    }

    /// Copies the directory, and prints the location.
    fn keep(&self) {
        let place = std::env::temp_dir().join(format!("undo-concurrency-{}-{}", self.seed, std::process::id()));
        let copied = Command::new("cp").arg("-a").arg(&self.root).arg(&place).status();
        let mut events = std::mem::take(&mut *self.events.lock().unwrap_or_else(PoisonError::into_inner));
        events.sort_by_key(|event| event.began);
        let log: String = events.iter().map(|event| format!("{event}\n")).collect();
        let written = fs::write(place.join("log"), log);
        println!("kept in {}, with a log of all commands: {copied:?}, {written:?}", place.display());
    }

    /// Checks that all written content is in the directory or in a commit.
    fn check(&self, env: &TestEnv) {
        ends_with(env, "verify", 0);
        let (recorded, live) = (recorded(env), live(env));
        let written = self.written.lock().unwrap();
        let lost: Vec<_> = written.iter().filter(|(id, _)| !recorded.contains(*id) && !live.contains(*id)).collect();
        let (count, all) = (lost.len(), written.len());
        assert!(lost.is_empty(), "seed {}: {count} of {all} files are lost: {lost:?}", self.seed);
        let left: Vec<PathBuf> = staged_files(env);
        assert!(left.is_empty(), "{left:?}");
    }
}

impl Drop for Log {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.keep();
        }
    }
}

/// State of one of the eight processes.
struct Worker<'c> {
    number: usize,
    random: Random,
    log: &'c Log,
    files: usize,
    /// Number of commands by exit status.
    ends: BTreeMap<(String, i32), usize>,
}

/// Accepted messages of refusals (4): another process interfered.
const REFUSALS: [&str; 3] = ["another command has changed this repository", "has changed", "no longer exists"];

/// Accepted messages of failures (2): a name does not exist any more, or exists by now.
const FAILURES: [&str; 7] = [
    "nothing to",
    "already exists",
    "nothing was checked out before",
    "no branch",
    "no tag",
    "does not exist",
    "is neither ",
];

impl Worker<'_> {
    /// Creates a file under a unique name, by a rename, so that only a bug can lose it.
    fn write(&mut self) {
        self.files += 1;
        let (number, files, root, began) = (self.number, self.files, &self.log.root, self.log.began.elapsed());
        let length = if self.random.below(12) == 0 { 1_200_000 } else { self.random.below(5000) };
        let line = format!("file {files} of {number}\n");
        let text = line.repeat(1 + length / line.len());
        let staged = root.join(format!("tmp/{number}"));
        fs::write(&staged, &text).unwrap();
        let folder = root.join("work").join(self.random.of(&["a", "b", "a/deep", "."]));
        let place = folder.join(format!("file-{number}-{files}"));
        // Another process may remove the folder.
        let is_placed = fs::create_dir_all(&folder).is_ok() && fs::rename(&staged, &place).is_ok();
        let hash = blake3::hash(text.as_bytes());
        if is_placed {
            let what = format!("{} by {number} at {:.4} s", place.display(), began.as_secs_f64());
            self.log.written.lock().unwrap().insert(*hash.as_bytes(), what);
        }
        let word = if is_placed { "put" } else { "could not put" };
        self.log.note(number, began, format!("{word} {} there, {hash}", place.display()));
    }

    fn line(&mut self) -> String {
        let (number, files) = (self.number, self.files);
        let revision = self.random.of(&["@", "@~", "@~2", "latest", "-", "one", "two", "main", "side"]);
        let name = format!("{}-{number}", self.random.of(&["x", "y"]));
        match self.random.below(22) {
            0..4 => format!("commit -m {number}-{files}"),
            4 => format!("commit -m some {}", self.random.of(&["a", "b"])),
            5..8 => format!("checkout {revision}"),
            8 => format!("restore --from {revision} {}", self.random.of(&["a", "b", "folder"])),
            9 | 10 => "undo".to_owned(),
            11 => "redo".to_owned(),
            12 => format!("tag t{name}"),
            13 => format!("tag -d t{name}"),
            14 => format!("branch {name}"),
            15 => format!("branch -d {name}"),
            16 => format!("update-ref refs/tags/u-{number} {revision}"),
            17 => "op log".to_owned(),
            18 => "diff --stat".to_owned(),
            19 => format!("log -n 5 {revision}"),
            20 => "status".to_owned(),
            _ => "verify".to_owned(),
        }
    }

    fn step(&mut self) {
        if self.random.below(3) > 0 {
            self.write();
        }
        let (line, began) = (self.line(), self.log.began.elapsed());
        let output = undo(&self.log.root, &line).output().unwrap();
        let (code, text) = (output.status.code().unwrap_or(-1), said(&output));
        let word = line.split(' ').next().unwrap_or_default();
        let report = if ["diff", "log", "op", "status"].contains(&word) { "" } else { text.trim() };
        self.log.note(self.number, began, format!("undo {line}: {code} {}", report.replace('\n', " | ")));
        let is_expected = match code {
            0 | 11 => true,
            // The file changed while it was read.
            3 => ["checkout", "undo", "redo", "restore"].contains(&word),
            4 => REFUSALS.iter().any(|part| text.contains(part)),
            2 => FAILURES.iter().any(|part| text.contains(part)),
            _ => false,
        };
        assert!(is_expected, "undo {line} ended with {code}: {text}");
        *self.ends.entry((word.to_owned(), code)).or_default() += 1;
    }
}

/// Returns the ids of all file contents in the directory.
fn live(env: &TestEnv) -> BTreeSet<[u8; 32]> {
    let tree = Tree::read(&env.path());
    let files = tree.nodes.iter().filter(|(_, node)| node.content.is_some());
    files.map(|(path, _)| *blake3::hash(&env.read(&String::from_utf8_lossy(path))).as_bytes()).collect()
}

/// Returns the ids of all file contents reachable from commits.
fn recorded(env: &TestEnv) -> BTreeSet<[u8; 32]> {
    let repository = Repository::discover(&env.path(), Environment::from_process()).unwrap();
    let commits = walked(&repository, walk::WalkOptions::default()).unwrap();
    let objects =
        ReachableObjects::new(repository.store(), commits).map(|found| found.expect("all objects are readable"));
    objects.filter(|object| object.object_type == ObjectType::Blob).map(|object| object.id.0).collect()
}

#[test]
fn eight_concurrent_processes_lose_nothing() {
    let number = |name: &str| std::env::var(name).ok().and_then(|text| text.parse::<u64>().ok());
    let seconds = number("UNDO_TEST_SECONDS").unwrap_or(6);
    let seed = number("UNDO_TEST_SEED").unwrap_or(1);
    println!("UNDO_TEST_SEED={seed}");
    let env = history();
    ends_with(&env, "branch side", 0);
    let log = Log::new(&env, seed);
    let mut members: Vec<Worker<'_>> = (0..8)
        .map(|number| {
            let random = Random::new(seed * 8 + number as u64);
            Worker { number, random, log: &log, files: 0, ends: BTreeMap::new() }
        })
        .collect();
    while log.began.elapsed() < Duration::from_secs(seconds) {
        let end = Instant::now() + ROUND;
        let is_over = &AtomicBool::new(false);
        std::thread::scope(|scope| {
            for member in &mut members {
                scope.spawn(move || {
                    // Stops the others even if this one panics, so that the kept directory has the state of the
                    // failure.
                    let _end = SetOnDrop(is_over);
                    while Instant::now() < end && !is_over.load(Ordering::Relaxed) {
                        member.step();
                    }
                });
            }
        });
        log.check(&env);
    }
    let mut ends: BTreeMap<(String, i32), usize> = BTreeMap::new();
    members.into_iter().flat_map(|member| member.ends).for_each(|(end, count)| *ends.entry(end).or_default() += count);
    println!("{} files, {} commands: {ends:?}", log.written.lock().unwrap().len(), ends.values().sum::<usize>());
    // Finally, the state can be recorded, and a checkout there and back works.
    ends_with(&env, "commit -m last", 0);
    let (last, id) = (Tree::read(&env.path()), ends_with(&env, "rev-parse @", 0));
    ends_with(&env, "checkout one", 0);
    ends_with(&env, &format!("checkout {}", id.trim()), 0);
    crate::tree::assert_same(&last, &Tree::read(&env.path()));
}

/// Lists staged files in the directory.
fn staged_files(env: &TestEnv) -> Vec<PathBuf> {
    let tree = Tree::read(&env.path());
    let names = tree.nodes.keys().map(|path| String::from_utf8_lossy(path).into_owned());
    names.filter(|path| path.contains(".undo-")).map(PathBuf::from).collect()
}

/// A failure must be reproducible.
#[test]
fn failed_run_keeps_directory_and_log() {
    let env = history();
    let seed = u64::from(std::process::id()) << 8;
    let failed = std::thread::spawn(move || {
        let log = Log::new(&env, seed);
        log.note(3, log.began.elapsed(), "undo status: 0".to_owned());
        log.written.lock().unwrap().insert([7; 32], "somewhere".to_owned());
        log.check(&env);
    });
    assert!(failed.join().unwrap_err().downcast::<String>().unwrap().contains("1 of 1 files are lost"));
    let place = std::env::temp_dir().join(format!("undo-concurrency-{seed}-{}", std::process::id()));
    let log = fs::read_to_string(place.join("log")).unwrap();
    assert!(log.contains("3  undo status: 0") && place.join("work/.undo/journal").exists(), "{log}");
    fs::remove_dir_all(place).unwrap();
}
