//! Kills `undo run`: neither the state before nor the changes of the command are lost, and an interrupted rollback can
//! be continued or undone exactly.
//!
//! A sample of all kills runs with the other tests; `UNDO_TEST_SWEEP=1` tries every kill with both recoveries.

use std::os::unix::fs::symlink;

use super::recovery::FAMILIES;
use super::{calls, first_state, has_strace, is_sweep, killed_at, selected};
use crate::env::TestEnv;
use crate::tree::{Tree, assert_same};

/// The command makes every kind of change. All times are set, so that its result is deterministic.
const SCRIPT: &str = "rm -r folder-0 folder-1/same folder-2/link; echo changed > folder-1/file-1; echo over > unsaved; mkdir -p new/deep; \
    echo new > new/deep/file; ln new/deep/file folder-2/name; ln -s large link; chmod 0750 folder-1; \
    head -c 1048600 /dev/zero > large; mv folder-2/file-2 moved; \
    find . -path ./.undo -prune -o -exec touch -h -d 2025-03-01T12:00:00Z {} +; touch ../ran";

/// Options, exit status of the command, and exit status of the run.
const RUNS: [(&[&str], i32, i32); 4] =
    [(&[], 0, 0), (&["--rollback"], 0, 0), (&["--on-fail", "rollback"], 3, 3), (&["--guard", "deleted<2"], 0, 6)];

/// A worktree with unsaved changes, and the run to kill.
struct Scenario {
    env: TestEnv,
    arguments: Vec<String>,
    before: Tree,
}

impl Scenario {
    fn new(options: &[&str], exit: i32) -> Scenario {
        let env = TestEnv::new();
        first_state(&env);
        std::fs::hard_link(env.path().join("large"), env.path().join("folder-1/same")).unwrap();
        symlink("../large", env.path().join("folder-2/link")).unwrap();
        env.undo("commit --init -m one").ok();
        env.write("unsaved", "unsaved");
        env.write("folder-1/file-4", "unsaved too");
        let before = Tree::read(&env.path());
        let command = format!("{SCRIPT}; exit {exit}");
        let arguments = [&["run", "-q"], options, &["--", "sh", "-c", &command]].concat();
        Scenario { env, arguments: arguments.into_iter().map(str::to_owned).collect(), before }
    }

    fn arguments(&self) -> Vec<&str> {
        self.arguments.iter().map(String::as_str).collect()
    }

    /// Returns whether the command has finished.
    fn has_run(&self) -> bool {
        self.env.root().join("ran").exists()
    }

    fn is_open(&self) -> bool {
        String::from_utf8_lossy(&self.env.undo("status").ok().stderr).contains("unfinished")
    }

    /// If the rollback is unfinished, tries both recoveries, or one of them; then both states are in commits. Returns
    /// whether it was unfinished.
    fn check_recoveries(&self, after: &Tree, finishes: bool) -> bool {
        let env = &self.env;
        env.undo("verify").ok();
        let is_open = self.is_open();
        if is_open {
            assert!(self.has_run(), "there was no rollback");
            env.undo("run -- touch ../other").fails(125);
            assert!(!env.root().join("other").exists());
            let (way, there, back, back_there) = match finishes {
                true => ("checkout --continue", &self.before, "redo", after),
                false => ("undo", after, "undo", &self.before),
            };
            env.undo(way).ok();
            assert_same(there, &Tree::read(&env.path()));
            assert!(!self.is_open());
            env.undo(back).ok();
            assert_same(back_there, &Tree::read(&env.path()));
        } else {
            let now = Tree::read(&env.path());
            assert_same(if self.has_run() && now.differences(after).is_empty() { after } else { &self.before }, &now);
        }
        env.undo("run -- true").ok();
        let recorded = self.recorded();
        let is_recorded = |tree: &Tree| recorded.iter().any(|it| it.differences(tree).is_empty());
        assert!(is_recorded(&self.before), "no commit has the state before the command");
        assert!(!self.has_run() || is_recorded(after), "no commit has the changes of the command");
        env.undo("verify").ok();
        is_open
    }

    /// Returns the contents reachable from the commits in the log.
    fn recorded(&self) -> Vec<Tree> {
        let log = self.env.undo("log --json").ok().json();
        let tree = |id: &str| {
            self.env.undo(&format!("checkout {id}")).ok();
            Tree::read(&self.env.path())
        };
        log.iter().filter_map(|line| line["id"].as_str()).map(tree).collect()
    }
}

/// Returns the worktree after the command.
fn next_n(exit: i32) -> Tree {
    let scene = Scenario::new(&[], exit);
    assert_eq!(scene.env.shell(&format!("{SCRIPT}; exit {exit}")).code, exit);
    Tree::read(&scene.env.path())
}

#[test]
fn run_killed_at_any_call_loses_nothing() {
    if !has_strace() {
        return;
    }
    let (mut kills, mut open) = (0, 0);
    for (r, (options, exit, ends)) in RUNS.into_iter().enumerate() {
        let after = next_n(exit);
        for (f, family) in FAMILIES.into_iter().enumerate() {
            let scene = Scenario::new(options, exit);
            let calls = calls(&scene.env, family, &scene.arguments(), ends);
            assert!(scene.has_run());
            let wanted = if ends == 0 && options.is_empty() { &after } else { &scene.before };
            assert_same(wanted, &Tree::read(&scene.env.path()));
            for (call, n) in selected(calls, r * 7 + f * 5) {
                for finishes in [true, false].into_iter().filter(|it| is_sweep() || *it == ((r + f + n) % 2 == 0)) {
                    println!("run {options:?}, {call} {n}, finishes: {finishes}");
                    let scene = Scenario::new(options, exit);
                    kills += usize::from(killed_at(&scene.env, &call, n, &scene.arguments()));
                    open += usize::from(scene.check_recoveries(&after, finishes));
                }
            }
        }
    }
    println!("{kills} kills, {open} of them while it was taken back");
    assert!(open > 0);
}
