//! The processes that use a target, and what is checked afterwards.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use super::{DAY, Storage, content};
use crate::random::Random;
use crate::tree::{Tree, assert_same};

const PUSHERS: usize = 4;

/// What all processes share.
struct Soak<'s> {
    storage: &'s Storage,
    root: tempfile::TempDir,
    end: Instant,
    /// What each commit has, by the content of the file `stamp`.
    trees: Mutex<BTreeMap<String, Tree>>,
    /// Commits of acknowledged pushes, with their stamps, by pusher.
    acknowledged: Mutex<BTreeMap<usize, Vec<(String, String)>>>,
    counts: Counts,
}

#[derive(Debug, Default)]
struct Counts {
    pushes: AtomicUsize,
    collections: AtomicUsize,
    /// Files that were deleted.
    deleted: AtomicUsize,
    clones: AtomicUsize,
    verifications: AtomicUsize,
    kills: AtomicUsize,
    /// Commands that took longer than a day and found that a file had been deleted.
    late: AtomicUsize,
}

fn count(counter: &AtomicUsize) {
    counter.fetch_add(1, Ordering::Relaxed);
}

/// A machine that runs commands.
struct Process<'s> {
    soak: &'s Soak<'s>,
    name: String,
    random: Random,
}

/// Runs all processes, and then checks the target.
pub fn run(storage: &Storage) {
    let number = |name: &str| std::env::var(name).ok().and_then(|text| text.parse::<u64>().ok());
    let (seconds, seed) = (number("UNDO_TEST_SOAK").unwrap_or(10), number("UNDO_TEST_SEED").unwrap_or(1));
    println!("UNDO_TEST_SEED={seed}");
    let mut soak = Soak {
        storage,
        root: tempfile::tempdir().unwrap(),
        end: Instant::now(),
        trees: Mutex::default(),
        acknowledged: Mutex::default(),
        counts: Counts::default(),
    };
    let names =
        (0..PUSHERS).map(|n| format!("pusher-{n}")).chain(["collector".into(), "reader-0".into(), "reader-1".into()]);
    for name in names.clone() {
        soak.process(&name, 0).set_up();
    }
    soak.end = Instant::now() + Duration::from_secs(seconds);
    let soak = &soak;
    std::thread::scope(|scope| {
        for (n, name) in names.enumerate() {
            let mut process = soak.process(&name, seed * 8 + n as u64);
            scope.spawn(move || {
                for step in 0.. {
                    if Instant::now() > soak.end {
                        break;
                    }
                    match n {
                        0..PUSHERS => process.push(n, step),
                        PUSHERS => process.collect(),
                        _ => process.read(step),
                    }
                }
            });
        }
    });
    println!("{:?}", soak.counts);
    soak.check();
}

impl Soak<'_> {
    fn process(&self, name: &str, seed: u64) -> Process<'_> {
        Process { soak: self, name: name.to_owned(), random: Random::new(seed) }
    }

    fn directory(&self, name: &str) -> PathBuf {
        self.root.path().join(name)
    }

    /// Checks that a directory has what the commit with its stamp has.
    fn check_tree(&self, directory: &Path) {
        let stamp = std::fs::read_to_string(directory.join("stamp")).unwrap();
        let trees = self.trees.lock().unwrap();
        assert_same(&trees[&stamp], &Tree::read(directory));
    }

    fn check(&self) {
        let mut process = self.process("last", 0);
        process.set_up();
        process.ok(&process.directory(), &["verify", "--target", "t"]);
        let acknowledged = self.acknowledged.lock().unwrap();
        for (number, pushes) in &*acknowledged {
            let clone = process.clone_of(*number);
            process.ok(&clone, &["verify"]);
            let log = process.ok(&clone, &["log", "--format", "%H"]);
            for (id, _) in pushes {
                assert!(log.contains(id.as_str()), "pusher {number}: the target lacks {id}");
            }
            let (id, stamp) = pushes.last().unwrap();
            process.ok(&clone, &["checkout", id]);
            assert_eq!(&std::fs::read_to_string(clone.join("stamp")).unwrap(), stamp);
            self.check_tree(&clone);
        }
        drop(acknowledged);
        for n in 0..PUSHERS {
            let pusher = self.process(&format!("pusher-{n}"), n as u64);
            pusher.ok(&pusher.directory(), &["push", "-q"]);
        }
        process.ok(&process.directory(), &["verify", "--target", "t"]);
    }
}

impl Process<'_> {
    fn directory(&self) -> PathBuf {
        self.soak.directory(&self.name)
    }

    fn set_up(&mut self) {
        let directory = self.directory();
        std::fs::create_dir(&directory).unwrap();
        self.ok(&directory, &["init"]);
        let (url, options) = (self.soak.storage.url.clone(), self.soak.storage.options.clone());
        let mut arguments = vec!["target", "add", "t", &url];
        arguments.extend(options.iter().map(String::as_str));
        self.ok(&directory, &arguments);
    }

    fn command(&self, directory: &Path, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_undo"));
        command.current_dir(directory).args(arguments).stdin(Stdio::null()).env_clear();
        command.env("HOME", self.soak.directory(&format!("home-{}", self.name)));
        command.env("UNDO_PASSWORD", "correct horse").envs(self.soak.storage.variables.iter().map(|(k, v)| (k, v)));
        command
    }

    /// Runs a command that must succeed, and returns its output.
    #[track_caller]
    fn ok(&self, directory: &Path, arguments: &[&str]) -> String {
        let output = self.command(directory, arguments).output().unwrap();
        let text = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{}: undo {arguments:?}: {} {text}", self.name, output.status);
        String::from_utf8(output.stdout).unwrap()
    }

    /// Runs a command, and may kill it. Returns its output if it succeeded.
    #[track_caller]
    fn try_run(&mut self, directory: &Path, arguments: &[&str]) -> Option<Vec<u8>> {
        let begun = Instant::now();
        let mut command = self.command(directory, arguments);
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        if self.random.below(3) == 0 {
            let limit = self.random.below(11);
            std::thread::sleep(Duration::from_millis(self.random.below(2 << limit) as u64));
            child.kill().unwrap();
        }
        let output = child.wait_with_output().unwrap();
        let text = String::from_utf8_lossy(&output.stderr);
        match output.status.code() {
            Some(0) => Some(output.stdout),
            None => {
                count(&self.soak.counts.kills);
                None
            }
            // A reader may find that a file was deleted a day after it read the log.
            Some(5) if begun.elapsed().as_secs() + 1 >= DAY && text.contains("missing") => {
                count(&self.soak.counts.late);
                None
            }
            Some(code) => {
                panic!("{}: undo {arguments:?} ended with {code} after {:?}: {text}", self.name, begun.elapsed())
            }
        }
    }

    /// Commits a change and pushes.
    fn push(&mut self, number: usize, step: usize) {
        let directory = self.directory();
        let stamp = format!("{number} {step}");
        std::fs::write(directory.join("stamp"), &stamp).unwrap();
        for _ in 0..3 {
            let folder = directory.join(format!("folder-{}", self.random.below(5)));
            std::fs::create_dir_all(&folder).unwrap();
            let file = folder.join(format!("file-{}", self.random.below(5)));
            std::fs::write(file, content(self.random.below(1 << 20))).unwrap();
        }
        self.ok(&directory, &["commit", "-q"]);
        let id = self.ok(&directory, &["rev-parse", "@"]).trim().to_owned();
        self.soak.trees.lock().unwrap().insert(stamp.clone(), Tree::read(&directory));
        if self.try_run(&directory, &["push", "-q"]).is_some() {
            count(&self.soak.counts.pushes);
            self.soak.acknowledged.lock().unwrap().entry(number).or_default().push((id, stamp));
        }
    }

    fn collect(&mut self) {
        self.soak.storage.age();
        if let Some(output) = self.try_run(&self.directory(), &["gc", "--target", "t", "--json"]) {
            let record: serde_json::Value =
                serde_json::from_slice(output.split(|byte| *byte == b'\n').next().unwrap()).unwrap();
            let deleted = record["deleted"].as_u64().unwrap() as usize;
            self.soak.counts.deleted.fetch_add(deleted, Ordering::Relaxed);
            count(&self.soak.counts.collections);
        }
        std::thread::sleep(Duration::from_millis(300));
    }

    fn read(&mut self, step: usize) {
        if step % 3 == 2 {
            let is_verified = self.try_run(&self.directory(), &["verify", "--target", "t"]).is_some();
            self.soak.counts.verifications.fetch_add(is_verified.into(), Ordering::Relaxed);
            return;
        }
        let number = self.random.below(PUSHERS);
        if !self.soak.acknowledged.lock().unwrap().contains_key(&number) {
            std::thread::sleep(Duration::from_millis(50));
            return;
        }
        let (directory, arguments) = self.clone_arguments(number);
        let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
        if self.try_run(self.soak.root.path(), &arguments).is_some() {
            self.soak.check_tree(&directory);
            self.ok(&directory, &["verify"]);
            count(&self.soak.counts.clones);
        }
        let _ = std::fs::remove_dir_all(&directory);
    }

    /// A new directory, and the arguments that clone the directory of a pusher there.
    fn clone_arguments(&self, number: usize) -> (PathBuf, Vec<String>) {
        let directory = self.soak.directory(&format!("clone-{}-{number}", self.name));
        let from = self.soak.directory(&format!("pusher-{number}")).to_str().unwrap().to_owned();
        let url = self.soak.storage.url.clone();
        let mut arguments = vec!["clone".into(), url, directory.to_str().unwrap().into(), "--from".into(), from];
        arguments.extend(self.soak.storage.options.iter().cloned());
        (directory, arguments)
    }

    fn clone_of(&self, number: usize) -> PathBuf {
        let (directory, arguments) = self.clone_arguments(number);
        self.ok(self.soak.root.path(), &arguments.iter().map(String::as_str).collect::<Vec<_>>());
        directory
    }
}
