//! Random histories, compared with plain copies: edits of all kinds and all commands that record, restore, run programs
//! or are killed. After every step, every content that existed when a command started still exists in the directory or
//! in a commit, ignored or not; and each commit restores the recorded tree.
//!
//! A failure prints its seed and its steps. `UNDO_TEST_SEED=N` repeats one history, `UNDO_TEST_ROUNDS=N` runs more of
//! them, and `UNDO_TEST_STEPS=N` makes them longer.

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

/// Seeds that once caused a loss.
const REGRESSIONS: [u64; 0] = [];

/// Commands that must have succeeded, or been killed, in at least one history; otherwise the test proves nothing.
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
    "run rolled back",
    "guarded run",
    "failed run rolled back",
    "run with its parent killed",
    "saved by force",
    "refused",
];

struct Model {
    env: TestEnv,
    random: Random,
    commits: Vec<(String, Tree)>,
    /// Hashes of all contents that existed when a command started. Ignored files are kept, or saved first with
    /// `--force`.
    met: BTreeSet<String>,
    /// Contents of all commits read so far.
    recorded: BTreeMap<String, BTreeSet<String>>,
    has_strace: bool,
    seed: u64,
    /// Edits and commands that had an effect.
    done: BTreeSet<String>,
    /// Log of all steps, printed on failure.
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

    /// Returns one of a few paths, so that kinds replace each other.
    fn path(&mut self) -> PathBuf {
        let names = ["a", "b", "c", "d.x"];
        let mut path = self.env.path();
        for _ in 0..=self.random.below(3) {
            path.push(names[self.random.below(names.len())]);
        }
        path
    }

    /// Returns such a path quoted for a command line.
    fn relative(&mut self) -> PathBuf {
        let path = self.path();
        path.strip_prefix(self.env.path()).unwrap().to_owned()
    }

    /// Returns the current contents of the directory: all of them, and the covered ones.
    fn contents(&self) -> (BTreeSet<String>, BTreeSet<String>) {
        let mut files = Vec::new();
        list(&self.env.path(), &mut files);
        // Ignores the staged files of killed commands.
        files.retain(|(path, _)| !path.contains(".undo-"));
        let names: Vec<&str> = files.iter().map(|(path, _)| path.as_str()).collect();
        let ignored = self.ignored(&names);
        let all = files.iter().map(|(_, hash)| hash.clone()).collect();
        let covered = files.iter().filter(|(path, _)| !ignored.contains(path)).map(|(_, hash)| hash.clone()).collect();
        (all, covered)
    }

    /// Returns which paths are ignored, by rules computed independently of the program.
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

    /// Returns the contents of all commits; known commits are not read again.
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

    /// Runs a command, which must not lose any content. It may refuse (4), find nothing to do (2), or be incomplete
    /// (3).
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
        assert!(staged.is_none() || what.contains("killed"), "staged file left by `{what}`: {staged:?}");
    }

    /// Kills a command at a random call, and then continues or undoes it.
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
        if !String::from_utf8_lossy(&self.env.undo("status").stderr).contains("unfinished") {
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

    /// Returns `--force` now and then.
    fn force(&mut self) -> &'static str {
        if self.random.below(3) == 0 { " --force" } else { "" }
    }

    fn step(&mut self) {
        let force = self.force();
        match self.random.below(24) {
            0..=2 => {
                let commit = &self.run("commit -m step --json").json()[0];
                // Times alone are not a change, so they may differ from the commit.
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
            5 | 6 => self.undo_and_redo("undo", "redo"),
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
                // The program need not keep unrecorded content that an edit removes.
                let (after, _) = self.contents();
                let recorded = self.in_commits();
                self.met.retain(|hash| !before.contains(hash) || after.contains(hash) || recorded.contains(hash));
            }
        }
    }

    /// Runs `undo` and `redo`, which must restore the same state.
    fn undo_and_redo(&mut self, there: &str, back: &str) {
        let (tree, refs) = (Tree::read(&self.env.path()), self.env.undo("show-ref").text());
        let (went, came) = (self.run(there).code, self.run(back).code);
        if (went, came) == (0, 0) {
            assert_eq!(self.differences(&tree), Vec::<String>::new(), "{there}, {back}");
            assert_eq!(refs, self.env.undo("show-ref").text(), "{there}, {back}");
        }
    }

    /// Lists the differences, except times alone, which would not be recorded, and ignored paths.
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

    /// Ignored files of the previous state stay, in addition to those of the commit.
    fn has_more_than(&self, tree: &Tree) -> bool {
        Tree::read(&self.env.path()).nodes.keys().any(|path| !tree.nodes.contains_key(path))
    }
}

/// Returns path and hash of all files below a directory, without `.undo`.
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

/// Reduces a command line to its form: "commit PATH", "undo --force".
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

/// Runs one history, and returns its steps.
fn run_history(seed: u64, steps: u64, has_strace: bool) -> BTreeSet<String> {
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
                    let its = run_history(*seed, steps, has_strace);
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
    assert!(never.is_empty() || seeds.len() < 10, "never executed: {never:?}");
}
