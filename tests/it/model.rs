//! Random histories against plain copies: edits of all kinds, and all that records, goes back, goes forward, runs other
//! programs or is killed in the middle. After every step every content that was in the directory when a command began is
//! still there or in a commit, whether rules ignore it or not; and each commit brings back the tree that it recorded.
//!
//! The seed of a failure is printed, with the steps up to it. `UNDO_TEST_SEED=N` runs one again, `UNDO_TEST_ROUNDS=N` runs
//! more of them. `UNDO_TEST_STEPS=N` makes each of them longer.

mod edits;
mod program;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::env::{Output, TestEnv};
use crate::random::Random;
use crate::tree::{Tree, assert_same};
use edits::EDITS;

/// Seeds that once led to a loss, for ever.
const REGRESSIONS: [u64; 0] = [];

/// What must have ended well, or died, in one of the histories at least: a model that never comes to it proves nothing.
const COMMANDS: [&str; 23] = [
    "commit",
    "commit PATH",
    "checkout",
    "checkout --force",
    "restore",
    "restore --force",
    "undo",
    "undo --force",
    "redo",
    "redo --force",
    "op restore",
    "op restore --force",
    "branch",
    "branch -d",
    "tag",
    "tag -d",
    "kept run",
    "run taken back",
    "guarded run",
    "failed run taken back",
    "run with its parent killed",
    "saved by force",
    "refused",
];

struct Model {
    env: TestEnv,
    random: Random,
    commits: Vec<(String, Tree)>,
    /// Every content that was in the directory when a command began, by what `b3sum` prints. What rules ignore is left
    /// alone, or saved first where `--force` says so.
    met: BTreeSet<String>,
    /// The contents of all commits that were looked into.
    recorded: BTreeMap<String, BTreeSet<String>>,
    has_strace: bool,
    seed: u64,
    /// Which edits and commands had their way.
    done: BTreeSet<String>,
    /// What was done, for who looks into a failure.
    story: Vec<String>,
}

impl Drop for Model {
    fn drop(&mut self) {
        if std::thread::panicking() {
            let last = &self.story[self.story.len().saturating_sub(60)..];
            let (seed, count, log) = (self.seed, self.story.len(), self.env.undo("op log -n 20"));
            println!("UNDO_TEST_SEED={seed}, after {count} commands:\n{}\n{log}", last.join("\n"));
        }
    }
}

impl Model {
    fn new(seed: u64, has_strace: bool) -> Model {
        Model {
            env: TestEnv::initialised(),
            random: Random::new(seed),
            commits: Vec::new(),
            met: BTreeSet::new(),
            recorded: BTreeMap::new(),
            has_strace,
            seed,
            done: BTreeSet::new(),
            story: Vec::new(),
        }
    }

    /// One of a few paths, so that kinds meet each other.
    fn path(&mut self) -> PathBuf {
        let names = ["a", "b", "c", "d.x"];
        let mut path = self.env.path();
        for _ in 0..=self.random.below(3) {
            path.push(names[self.random.below(names.len())]);
        }
        path
    }

    /// The same, as a command is given it.
    fn relative(&mut self) -> PathBuf {
        let path = self.path();
        path.strip_prefix(self.env.path()).unwrap().to_owned()
    }

    /// Contents in the directory now: all of them, and those that are covered.
    fn contents(&self) -> (BTreeSet<String>, BTreeSet<String>) {
        let mut files = Vec::new();
        list(&self.env.path(), &mut files);
        // What a killed command was writing is its own.
        files.retain(|(path, _)| !path.contains(".undo-"));
        let names: Vec<&str> = files.iter().map(|(path, _)| path.as_str()).collect();
        let ignored = self.ignored(&names);
        let all = files.iter().map(|(_, hash)| hash.clone()).collect();
        let covered = files.iter().filter(|(path, _)| !ignored.contains(path)).map(|(_, hash)| hash.clone()).collect();
        (all, covered)
    }

    /// Which of these the rules leave out, by the rules of this test, not by those of the program.
    fn ignored(&self, names: &[&str]) -> BTreeSet<String> {
        let rule = fs::read_to_string(self.env.path().join(".undoignore")).unwrap_or_default();
        let is_ignored = |path: &&&str| {
            let mut above = String::new();
            path.split('/').any(|name| {
                above = if above.is_empty() { name.to_owned() } else { format!("{above}/{name}") };
                match rule.trim() {
                    "c" => name == "c",
                    "/a/b" => above == "a/b",
                    "*.x" => name.ends_with(".x"),
                    _ => false,
                }
            })
        };
        names.iter().filter(is_ignored).map(|path| (*path).to_owned()).collect()
    }

    /// Contents of all commits; those that are known are not looked into again.
    fn in_commits(&mut self) -> BTreeSet<String> {
        let log = self.env.undo("log --json").ok().json();
        for id in log.iter().filter_map(|line| line["id"].as_str()) {
            if !self.recorded.contains_key(id) {
                let listed = self.env.undo(&format!("ls -R --json {id}")).ok().json();
                let blobs = listed.iter().filter_map(|line| line["id"].as_str());
                self.recorded.insert(id.to_owned(), blobs.map(str::to_owned).collect());
            }
        }
        self.recorded.values().flatten().cloned().collect()
    }

    /// A command; what it finds must not be lost by it. It may refuse (4), find nothing to do (2), or leave something (3).
    fn run(&mut self, line: &str) -> Output {
        let (all, covered) = self.contents();
        self.met.extend(all.iter().cloned());
        let output = self.env.undo(line);
        self.story.push(format!("undo {line}: {}", output.code));
        self.done.extend((output.code == 0).then(|| form(line)));
        self.done.extend((output.code == 4).then(|| "refused".to_owned()));
        assert!([0, 2, 3, 4].contains(&output.code), "undo {line}\n{output}");
        self.check(line);
        if line.contains("--force") && output.code == 0 {
            let (after, _) = self.contents();
            let is_replaced = all.difference(&covered).any(|hash| !after.contains(hash));
            self.done.extend(is_replaced.then(|| "saved by force".to_owned()));
        }
        output
    }

    fn check(&mut self, what: &str) {
        let (all, _) = self.contents();
        let missing: Vec<String> = self.met.difference(&all).cloned().collect();
        if missing.iter().any(|hash| !self.recorded.values().any(|known| known.contains(hash))) {
            let recorded = self.in_commits();
            let lost: Vec<_> = missing.iter().filter(|hash| !recorded.contains(*hash)).collect();
            assert!(lost.is_empty(), "lost by `{what}`: {lost:?}");
        }
        let mut files = Vec::new();
        list(&self.env.path(), &mut files);
        let staged = files.iter().find(|(path, _)| path.contains(".undo-"));
        assert!(staged.is_none() || what.contains("killed"), "left by `{what}`: {staged:?}");
    }

    /// A command that is killed somewhere, and one of the ways out.
    fn kill(&mut self, line: &str) {
        let (all, _) = self.contents();
        self.met.extend(all);
        let before = (Tree::read(&self.env.path()), self.env.undo("show-ref").text());
        let family = ["write,pwrite64,pwritev2", "rename,renameat2", "unlinkat", "fsync,fdatasync", "fchmod,utimensat"];
        let (family, n) = (family[self.random.below(5)], 1 + self.random.below(12));
        let arguments: Vec<&str> = line.split(' ').collect();
        let is_killed = crate::crash::killed_at(&self.env, family, n, &arguments);
        self.story.push(format!("undo {line}: {family} {n}, killed: {is_killed}"));
        self.done.extend(is_killed.then(|| "killed".to_owned()));
        self.check(&format!("{line}, killed"));
        if !String::from_utf8_lossy(&self.env.undo("status").stderr).contains("did not end") {
            return;
        }
        if self.random.below(2) == 0 {
            let output = self.run("checkout --continue");
            assert!([0, 3].contains(&output.code), "{output}");
            return;
        }
        let output = self.run("undo");
        assert!([0, 3].contains(&output.code), "{output}");
        if output.code == 0 {
            assert_eq!(self.differences(&before.0), Vec::<String>::new(), "{line} {family} {n}\n{output}");
            assert_eq!(before.1, self.env.undo("show-ref").text(), "{line} {family} {n}");
        }
    }

    fn known(&mut self) -> Option<(String, Tree)> {
        let count = self.commits.len();
        (count > 0).then(|| self.commits[self.random.below(count)].clone())
    }

    /// Now and then: what is in the way is to be saved and replaced.
    fn force(&mut self) -> &'static str {
        if self.random.below(3) == 0 { " --force" } else { "" }
    }

    fn step(&mut self) {
        let force = self.force();
        match self.random.below(24) {
            0..=2 => {
                let commit = &self.run("commit -m step --json").json()[0];
                // Times alone are no change: what is here may have other times than the commit.
                if commit["created"] == true && self.ignores_nothing() {
                    let id = commit["id"].as_str().expect("a commit has an id").to_owned();
                    self.commits.push((id, Tree::read(&self.env.path())));
                }
            }
            3 => {
                let Some((id, tree)) = self.known() else { return };
                let output = self.run(&format!("checkout {id}{force}"));
                if output.code == 0 && !self.has_more_than(&tree) {
                    assert_same(&tree, &Tree::read(&self.env.path()));
                }
            }
            4 => {
                let Some((id, tree)) = self.known() else { return };
                let relative = self.relative();
                let is_whole = self.ignores_nothing();
                let output = self.run(&format!("restore{force} --from {id} {}", relative.display()));
                if output.code == 0 && is_whole {
                    assert_same(&tree.below(&relative), &Tree::read(&self.env.path()).below(&relative));
                }
            }
            5 | 6 => self.there_and_back("undo", "redo"),
            7 => {
                let steps = 1 + self.random.below(3);
                self.run(&format!("undo{force} {steps}"));
            }
            8 => {
                let steps = 1 + self.random.below(3);
                self.run(&format!("redo{force} {steps}"));
            }
            9 => {
                let all = self.env.undo("op log --json").json();
                let ids: Vec<&str> = all.iter().filter_map(|line| line["id"].as_str()).collect();
                if !ids.is_empty() {
                    let id = ids[self.random.below(ids.len())].to_owned();
                    self.run(&format!("op restore{force} {id}"));
                }
            }
            10 => {
                let line =
                    ["branch one", "branch two", "tag three", "branch -d one", "tag -d three"][self.random.below(5)];
                self.run(line);
            }
            11 => {
                let name = ["one", "two", "three", "main", "-"][self.random.below(5)];
                self.run(&format!("checkout{force} {name}"));
            }
            12 => {
                let path = self.relative();
                self.run(&format!("commit -m some {}", path.display()));
            }
            13 if self.has_strace => {
                let Some((id, _)) = self.known() else { return };
                let line = match self.random.below(6) {
                    0 => "undo".to_owned(),
                    1 => "redo".to_owned(),
                    2 => "restore .".to_owned(),
                    3 => "commit -m killed".to_owned(),
                    4 => format!("checkout --force {id}"),
                    _ => format!("checkout {id}"),
                };
                self.kill(&line);
            }
            14..=16 => self.run_program(),
            _ => {
                let (before, _) = self.contents();
                (0..=self.random.below(6)).for_each(|_| self.edit());
                self.story.push("edits".to_owned());
                // What an edit makes away with, and no command has recorded, is not the program's to keep.
                let (after, _) = self.contents();
                let recorded = self.in_commits();
                self.met.retain(|hash| !before.contains(hash) || after.contains(hash) || recorded.contains(hash));
            }
        }
    }

    /// A step and the step against it: all is as it was.
    fn there_and_back(&mut self, there: &str, back: &str) {
        let (tree, refs) = (Tree::read(&self.env.path()), self.env.undo("show-ref").text());
        let (went, came) = (self.run(there).code, self.run(back).code);
        if (went, came) == (0, 0) {
            assert_eq!(self.differences(&tree), Vec::<String>::new(), "{there}, {back}");
            assert_eq!(refs, self.env.undo("show-ref").text(), "{there}, {back}");
        }
    }

    /// What is not as it was. A time alone is no change that would be recorded; what rules left out was not recorded at all.
    fn differences(&self, before: &Tree) -> Vec<String> {
        if !self.ignores_nothing() {
            return Vec::new();
        }
        let mut differences = before.differences(&Tree::read(&self.env.path()));
        differences.retain(|line| !line.contains(": mtime "));
        differences
    }

    fn ignores_nothing(&self) -> bool {
        let rule = fs::read_to_string(self.env.path().join(".undoignore")).unwrap_or_default();
        rule.trim().is_empty()
    }

    /// What is ignored by what was left stays, and is more than the commit has.
    fn has_more_than(&self, tree: &Tree) -> bool {
        Tree::read(&self.env.path()).nodes.keys().any(|path| !tree.nodes.contains_key(path))
    }
}

/// Files below a directory: path and hash. `.undo` at the top is left out.
fn list(directory: &Path, files: &mut Vec<(String, String)>) {
    let mut waiting = vec![directory.to_owned()];
    while let Some(at) = waiting.pop() {
        for entry in fs::read_dir(&at).unwrap().map(Result::unwrap) {
            let (path, kind) = (entry.path(), entry.file_type().unwrap());
            if path == directory.join(".undo") {
                continue;
            }
            if kind.is_dir() {
                waiting.push(path);
            } else if kind.is_file() {
                let name = path.strip_prefix(directory).unwrap().to_str().unwrap().to_owned();
                files.push((name, blake3::hash(&fs::read(&path).unwrap()).to_hex().to_string()));
            }
        }
    }
}

/// A command line without what it is about: "commit PATH", "undo --force".
fn form(line: &str) -> String {
    let mut words = line.split(' ');
    let mut form = words.next().unwrap_or_default().to_owned();
    for word in words {
        match word {
            "restore" | "-d" | "--force" => form.push_str(&format!(" {word}")),
            "some" => form.push_str(" PATH"),
            _ => {}
        }
    }
    form
}

/// One history: what was done in it.
fn play(seed: u64, steps: u64, has_strace: bool) -> BTreeSet<String> {
    let mut model = Model::new(seed, has_strace);
    (0..steps).for_each(|_| model.step());
    model.run("commit -m last");
    for (id, tree) in model.commits.clone() {
        let output = model.run(&format!("checkout --force {id}"));
        if output.code == 0 && !model.has_more_than(&tree) {
            assert_same(&tree, &Tree::read(&model.env.path()));
        }
    }
    std::mem::take(&mut model.done)
}

#[test]
fn random_histories_lose_nothing() {
    let number = |name: &str| std::env::var(name).ok().and_then(|text| text.parse::<u64>().ok());
    let rounds = number("UNDO_TEST_ROUNDS").unwrap_or(18);
    let steps = number("UNDO_TEST_STEPS").unwrap_or(120);
    let seeds: Vec<u64> = match number("UNDO_TEST_SEED") {
        Some(seed) => vec![seed],
        None => REGRESSIONS.into_iter().chain((0..rounds).map(|round| round * 7919 + 1)).collect(),
    };
    let (next, has_strace, done) = (AtomicUsize::new(0), crate::crash::has_strace(), Mutex::new(BTreeSet::new()));
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                while let Some(seed) = seeds.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let its = play(*seed, steps, has_strace);
                    done.lock().unwrap().extend(its);
                }
            });
        }
    });
    let done = done.into_inner().unwrap();
    let can_fail = |edit: &&str| ["chown", "xattr"].contains(edit) && !rustix::process::geteuid().is_root();
    let killed = ["killed", "killed run"].into_iter().filter(|_| has_strace);
    let all = EDITS.into_iter().filter(|edit| !can_fail(edit)).chain(COMMANDS).chain(killed);
    let never: BTreeSet<&str> = all.filter(|what| !done.contains(*what)).collect();
    assert!(never.is_empty() || seeds.len() < 10, "never done: {never:?}");
}
