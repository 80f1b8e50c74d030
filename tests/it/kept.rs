//! Random histories of which parts are forgotten, recalled, purged and collected, compared with plain copies. After every
//! step the log is as expected, every commit in it is exact, and nothing that was collected can be read.
//!
//! `UNDO_TEST_SEED=N` repeats one history, `UNDO_TEST_ROUNDS=N` runs more of them.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::fs;
use std::path::PathBuf;
use std::process::Stdio;
use std::thread::sleep;
use std::time::Duration;

use crate::env::{Output, TestEnv};
use crate::random::Random;
use crate::tree::{Node, Tree, assert_same};

/// Time for which forgotten commits can be recalled, in hours.
const GRACE: u64 = 7 * 24;

/// Steps that must have had an effect in some history; otherwise the test proves nothing.
const STEPS: [&str; 14] = [
    "commit",
    "commit elsewhere",
    "checkout",
    "forget",
    "recall",
    "undo",
    "redo",
    "purge",
    "unpurge",
    "gc",
    "gc --now",
    "gc with a reader",
    "killed gc",
    "nothing collected",
];

/// What a commit recorded.
struct Recorded {
    tree: Tree,
    /// Paths that were left out because their content had been purged. A checkout leaves these paths alone.
    left_out: BTreeSet<Vec<u8>>,
    /// When it was forgotten, in hours; `None` if it is in the log.
    forgotten: Option<u64>,
}

struct Model {
    env: TestEnv,
    random: Random,
    seed: u64,
    /// Hours since the start.
    clock: u64,
    /// Commits that exist.
    commits: BTreeMap<String, Recorded>,
    /// Contents that no command may find.
    gone: HashSet<blake3::Hash>,
    purged: HashSet<blake3::Hash>,
    done: BTreeSet<&'static str>,
    story: Vec<String>,
}

impl Drop for Model {
    fn drop(&mut self) {
        if std::thread::panicking() {
            println!("UNDO_TEST_SEED={}\n{}", self.seed, self.story.join("\n"));
        }
    }
}

impl Model {
    fn new(seed: u64) -> Model {
        let env = TestEnv::new();
        fs::create_dir(env.root().join("other")).unwrap();
        let store = env.root().join("store");
        let mut model = Model {
            env,
            random: Random::new(seed),
            seed,
            clock: 0,
            commits: BTreeMap::new(),
            gone: HashSet::new(),
            purged: HashSet::new(),
            done: BTreeSet::new(),
            story: Vec::new(),
        };
        model.undo(&format!("init --store {}", store.display())).ok();
        model.undo("config gc.auto false").ok();
        model.undo("config history.keep all").ok();
        model.edit("work");
        model.commit("work", "commit");
        model.undo(&format!("-C ../other init --store {} --branch other", store.display())).ok();
        model
    }

    fn undo(&mut self, line: &str) -> Output {
        // Records of one hour are in order.
        let (day, hour) = (self.clock / 24, self.clock % 24);
        let (month, day) = (1 + day / 28, 1 + day % 28);
        self.env.set("UNDO_TIME", format!("{}-{:02}-{day:02}T{hour:02}:00:00Z", 2026 + month / 12, 1 + month % 12));
        let output = self.env.undo(line);
        self.story.push(format!("undo {line}: {}, at hour {}", output.code, self.clock));
        output
    }

    fn folder(&self, name: &str) -> PathBuf {
        self.env.root().join(name)
    }

    fn edit(&mut self, folder: &str) {
        for _ in 0..=self.random.below(3) {
            let (directory, name) = (self.random.of(&["a", "b"]), self.random.of(&["x", "y", "z"]));
            let path = self.folder(folder).join(directory).join(name);
            match self.random.below(4) {
                0 => drop(fs::remove_file(path)),
                _ => {
                    fs::create_dir_all(path.parent().unwrap()).unwrap();
                    fs::write(path, self.random.bytes()).unwrap();
                }
            }
        }
    }

    /// Whether the directory was attached to a history, and no file was ever in it. Edits leave directories there.
    fn is_unfilled(&self, folder: &str) -> bool {
        folder == "other"
            && fs::read_dir(self.folder(folder)).unwrap().all(|entry| entry.unwrap().file_name() == ".undo")
    }

    /// The directory without purged contents, which are not recorded.
    fn read(&self, folder: &str) -> Tree {
        self.without_purged(&Tree::read(&self.folder(folder)))
    }

    fn left_out(&self, folder: &str) -> BTreeSet<Vec<u8>> {
        let nodes = Tree::read(&self.folder(folder)).nodes;
        let is_purged = |node: &Node| node.content.is_some_and(|content| self.purged.contains(&content));
        nodes.into_iter().filter(|(_, node)| is_purged(node)).map(|(path, _)| path).collect()
    }

    fn without_purged(&self, tree: &Tree) -> Tree {
        let mut tree = tree.clone();
        tree.nodes.retain(|_, node| node.content.is_none_or(|content| !self.purged.contains(&content)));
        tree
    }

    fn commit(&mut self, folder: &str, step: &'static str) {
        let (tree, left_out) = (self.read(folder), self.left_out(folder));
        let before = self.log();
        let output = self.undo(&format!("-C ../{folder} commit -m {step:?}"));
        if self.is_unfilled(folder) {
            // A commit would delete everything that the branch begins with.
            assert_eq!(output.code, 4, "{output}");
            self.done.insert("unfilled");
            return;
        }
        assert!(matches!(output.code, 0 | 3), "{output}");
        self.took(&before, &tree, &left_out, step);
    }

    /// Notes the commits that are new in the log. Only one of them can be of a changed directory.
    fn took(&mut self, before: &BTreeSet<String>, tree: &Tree, left_out: &BTreeSet<Vec<u8>>, step: &'static str) {
        for id in self.log().difference(before) {
            self.done.insert(step);
            for content in tree.nodes.values().filter_map(|node| node.content) {
                self.gone.remove(&content);
            }
            match self.commits.get_mut(id) {
                // A commit of the same content was forgotten, and is found again.
                Some(recorded) => recorded.forgotten = None,
                None => {
                    let recorded = Recorded { tree: tree.clone(), left_out: left_out.clone(), forgotten: None };
                    self.commits.insert(id.clone(), recorded);
                }
            }
        }
    }

    fn log(&mut self) -> BTreeSet<String> {
        let lines = self.env.undo("log --json").ok().json();
        lines.iter().filter_map(|line| Some(line.get("id")?.as_str()?.to_owned())).collect()
    }

    fn kept(&self) -> Vec<String> {
        self.commits.iter().filter(|(_, it)| it.forgotten.is_none()).map(|(id, _)| id.clone()).collect()
    }

    fn forgotten(&self) -> Vec<String> {
        self.commits.iter().filter(|(_, it)| it.forgotten.is_some()).map(|(id, _)| id.clone()).collect()
    }

    fn one_of(&mut self, ids: &[String]) -> Option<String> {
        (!ids.is_empty()).then(|| ids[self.random.below(ids.len())].clone())
    }

    fn checkout(&mut self) {
        let kept = self.kept();
        let Some(id) = self.one_of(&kept) else { return };
        let (before, tree, left_out) = (self.log(), self.read("work"), self.left_out("work"));
        let output = self.undo(&format!("checkout {id}"));
        // An unsaved change is recorded first.
        self.took(&before, &tree, &left_out, "saved");
        if matches!(output.code, 0 | 3) {
            self.done.insert("checkout");
            let recorded = &self.commits[&id];
            let mut found = self.read("work");
            // What is at a path whose content was purged stays there.
            let is_purged = |path: &Vec<u8>| {
                let content = recorded.tree.nodes.get(path).and_then(|node| node.content);
                recorded.left_out.contains(path) || content.is_some_and(|content| self.purged.contains(&content))
            };
            let staying = self.left_out("work");
            // So does a directory that contains it.
            let is_kept_for_it = |path: &Vec<u8>| {
                let contains = |below: &Vec<u8>| below.starts_with(&[path, b"/".as_slice()].concat());
                !recorded.tree.nodes.contains_key(path) && staying.iter().any(contains)
            };
            found.nodes.retain(|path, _| !is_purged(path) && !is_kept_for_it(path));
            assert_same(&found, &self.without_purged(&recorded.tree));
        }
    }

    /// Forgets or recalls a commit, and maybe takes that back, and that again.
    fn forget_or_recall(&mut self, step: &'static str) {
        let ids = if step == "forget" { self.kept() } else { self.forgotten() };
        let Some(id) = self.one_of(&ids) else { return };
        let output = self.undo(&format!("{step} {id}"));
        if output.code == 4 {
            return;
        }
        assert_eq!(output.code, 0, "{output}");
        self.done.insert(step);
        let (old, new) = match step {
            "forget" => (None, Some(self.clock)),
            _ => (self.commits[&id].forgotten, None),
        };
        self.set(&id, new);
        if self.random.below(3) == 0 {
            self.undo("undo").ok();
            // Forgetting again starts another grace period.
            self.set(&id, old.map(|_| self.clock));
            self.done.insert("undo");
            self.check_log();
            if self.random.below(2) == 0 {
                self.undo("redo").ok();
                self.set(&id, new.map(|_| self.clock));
                self.done.insert("redo");
            }
        }
    }

    fn set(&mut self, id: &str, forgotten: Option<u64>) {
        self.commits.get_mut(id).unwrap().forgotten = forgotten;
    }

    fn purge(&mut self) {
        let path = format!("{}/{}", self.random.of(&["a", "b"]), self.random.of(&["x", "y", "z"]));
        let output = self.undo(&format!("purge {path}"));
        if output.code != 0 {
            return;
        }
        let of_path = |it: &Recorded| it.tree.nodes.get(path.as_bytes()).filter(|node| node.size > 0)?.content;
        let new: HashSet<blake3::Hash> =
            self.commits.values().filter_map(of_path).filter(|content| !self.purged.contains(content)).collect();
        self.purged.extend(&new);
        self.done.insert("purge");
        // If all was purged before, nothing is recorded, and `undo` would take back another operation.
        if !new.is_empty() && self.random.below(3) == 0 {
            self.undo("undo").ok();
            self.purged.retain(|content| !new.contains(content));
            self.done.insert("unpurge");
        }
    }

    /// Removes from the model what was forgotten at `horizon` or before.
    fn collect(&mut self, horizon: u64, step: &'static str) {
        let is_gone = |it: &Recorded| it.forgotten.is_some_and(|at| at <= horizon);
        let (gone, kept): (BTreeMap<_, _>, _) =
            std::mem::take(&mut self.commits).into_iter().partition(|(_, recorded)| is_gone(recorded));
        self.commits = kept;
        self.done.insert(if gone.is_empty() { "nothing collected" } else { step });
        // Empty content is not stored, and can always be read.
        let content = |node: &Node| node.content.filter(|_| node.size > 0);
        let contents = |commits: &BTreeMap<String, Recorded>| -> HashSet<blake3::Hash> {
            commits.values().flat_map(|it| it.tree.nodes.values().filter_map(content)).collect()
        };
        self.gone.extend(contents(&gone).difference(&contents(&self.commits)));
        for id in gone.keys() {
            assert_ne!(self.env.undo(&format!("cat-file commit {id}")).code, 0, "{id} is still there");
        }
    }

    fn gc(&mut self) {
        // Commits rarely stay forgotten for this long otherwise: `gc --now` takes them first.
        self.clock += self.random.below(2) as u64 * GRACE;
        self.undo("gc").ok();
        if let Some(horizon) = self.clock.checked_sub(GRACE) {
            self.collect(horizon, "gc");
        }
    }

    fn gc_now(&mut self) {
        self.undo("gc --now").ok();
        self.collect(self.clock, "gc --now");
    }

    /// Collects while another process reads a commit.
    fn gc_with_reader(&mut self) {
        let kept = self.kept();
        let Some(id) = self.one_of(&kept) else { return };
        let out = self.env.root().join("read");
        let mut reader = self.env.command(env!("CARGO_BIN_EXE_undo"));
        let mut reader = reader.args(["export", "-q", &id]).arg(&out).stderr(Stdio::null()).spawn().unwrap();
        sleep(Duration::from_micros(self.random.below(20_000) as u64));
        self.undo("gc --now").ok();
        let code = reader.wait().unwrap().code();
        assert!(matches!(code, Some(0 | 3)), "{code:?}");
        assert_same(&Tree::read(&out), &self.without_purged(&self.commits[&id].tree));
        fs::remove_dir_all(out).unwrap();
        self.collect(self.clock, "gc with a reader");
    }

    /// Kills `gc --now` at a random moment: everything that was forgotten is hidden, or nothing is.
    fn killed_gc(&mut self) {
        let mut command = self.env.command(env!("CARGO_BIN_EXE_undo"));
        let mut child = command.args(["gc", "--now"]).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        sleep(Duration::from_micros(self.random.below(400_000) as u64));
        let _ = child.kill();
        child.wait().unwrap();
        let forgotten = self.forgotten();
        let is_there = |id: &&String| self.env.undo(&format!("cat-file commit {id}")).code == 0;
        let left = forgotten.iter().filter(is_there).count();
        self.story.push(format!("killed gc: {left} of {} forgotten commits are left", forgotten.len()));
        assert!(left == 0 || left == forgotten.len());
        if left == 0 {
            self.collect(self.clock, "killed gc");
        }
    }

    fn check_log(&mut self) {
        let expected: BTreeSet<String> = self.kept().into_iter().collect();
        assert_eq!(self.log(), expected);
    }

    fn check(&mut self) {
        self.check_log();
        let verified = self.env.undo("verify");
        assert_eq!(verified.code, 0, "{verified}");
        let kept = self.kept();
        for _ in 0..2 {
            let id = &kept[self.random.below(kept.len())];
            self.check_commit(id);
        }
        for content in &self.gone {
            assert_ne!(self.env.undo(&format!("cat-file blob {content}")).code, 0, "{content} is still there");
        }
        for content in &self.purged {
            assert_ne!(self.env.undo(&format!("cat-file blob {content}")).code, 0, "{content} can be read");
        }
    }

    fn check_commit(&self, id: &str) {
        let out = self.env.root().join("out");
        let output = self.env.undo(&format!("export {id} {}", out.display()));
        assert!(matches!(output.code, 0 | 3), "{output}");
        assert_same(&Tree::read(&out), &self.without_purged(&self.commits[id].tree));
        fs::remove_dir_all(out).unwrap();
    }

    fn step(&mut self) {
        self.clock += [0, 1, 5, 100, 200][self.random.below(5)];
        match self.random.below(20) {
            0..=5 => {
                self.edit("work");
                self.commit("work", "commit");
            }
            6..=7 => {
                self.edit("other");
                self.commit("other", "commit elsewhere");
            }
            8 => self.edit("work"),
            9 => self.checkout(),
            10..=12 => self.forget_or_recall("forget"),
            13 => self.forget_or_recall("recall"),
            14 => self.purge(),
            15..=16 => self.gc(),
            17 => self.gc_now(),
            18 => self.gc_with_reader(),
            _ => self.killed_gc(),
        }
    }
}

fn number(name: &str, default: u64) -> u64 {
    std::env::var(name).map_or(default, |text| text.parse().unwrap())
}

#[test]
fn random_histories_keep_what_they_should_and_nothing_else() {
    let mut done = BTreeSet::new();
    let (first, rounds) = match std::env::var("UNDO_TEST_SEED") {
        Ok(_) => (number("UNDO_TEST_SEED", 0), 1),
        Err(_) => (1, number("UNDO_TEST_ROUNDS", 6)),
    };
    let missing = |done: &BTreeSet<&str>| STEPS.into_iter().filter(|step| !done.contains(step)).collect::<Vec<_>>();
    for seed in first..first + 5 * rounds {
        // When a process is killed differs from run to run, and with it what happens later.
        if seed >= first + rounds && (rounds < 6 || missing(&done).is_empty()) {
            break;
        }
        let mut model = Model::new(seed);
        for _ in 0..number("UNDO_TEST_STEPS", 40) {
            model.step();
            model.check();
        }
        for id in model.kept() {
            model.check_commit(&id);
        }
        done.extend(std::mem::take(&mut model.done));
    }
    assert!(rounds < 6 || missing(&done).is_empty(), "never happened: {:?}", missing(&done));
}
