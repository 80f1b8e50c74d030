//! Recovery after a kill of any command that changes the worktree: it can be continued or undone, both exactly.
//!
//! A sample of all kills runs with the other tests; `UNDO_TEST_SWEEP=1` tries every kill with both recoveries.

use std::os::unix::fs::{PermissionsExt, symlink};

use super::{calls, first_state, has_strace, is_sweep, killed_at, second_state, selected};
use crate::env::TestEnv;
use crate::tree::{Tree, assert_same};

/// Families of calls that modify a worktree or a repository.
pub const FAMILIES: [&str; 9] = [
    "write,pwrite64,pwritev2",
    "rename,renameat,renameat2",
    "unlink,unlinkat,rmdir",
    "mkdir,mkdirat",
    "link,linkat",
    "symlink,symlinkat,mknodat",
    "fsync,fdatasync,syncfs",
    "chmod,fchmod,fchmodat,fchown,fchownat,utimensat,setxattr,fsetxattr,lsetxattr",
    "ftruncate,fallocate,copy_file_range,ioctl",
];

/// A worktree with unsaved changes, and the command to kill.
struct Scenario {
    env: TestEnv,
    arguments: Vec<String>,
    /// The original tree, and the branches.
    before: (Tree, String),
    /// The resulting tree, and the resulting commit of `main`.
    after: (Tree, &'static str),
    /// The command that reverts the finished command.
    back: &'static str,
}

const VERBS: [&str; 5] = ["checkout", "restore", "undo", "redo", "op restore"];

impl Scenario {
    fn new(verb: &str) -> Scenario {
        let env = TestEnv::new();
        first_state(&env);
        std::fs::hard_link(env.path().join("large"), env.path().join("folder-1/same")).unwrap();
        symlink("../large", env.path().join("folder-2/link")).unwrap();
        env.undo("commit --init -m one").ok();
        env.undo("tag one").ok();
        let one = Tree::read(&env.path());
        second_state(&env);
        std::fs::remove_file(env.path().join("folder-2/link")).unwrap();
        std::fs::set_permissions(env.path().join("folder-2"), std::fs::Permissions::from_mode(0o750)).unwrap();
        env.undo("commit -m two").ok();
        env.undo("tag two").ok();
        let two = Tree::read(&env.path());
        let newest = env.undo("op log -n 1 --json").ok().json()[0]["id"].as_str().unwrap().to_owned();
        let (line, after, back) = match verb {
            "checkout" => ("checkout one".to_owned(), (one, "one"), "undo"),
            "restore" => ("restore --from one .".to_owned(), (one, "two"), "undo"),
            "undo" => ("undo".to_owned(), (two, "two"), "redo"),
            "redo" => ("redo".to_owned(), (one, "one"), "undo"),
            _ => (format!("op restore {newest}"), (two, "two"), "undo"),
        };
        match verb {
            "undo" | "op restore" => drop(env.undo("checkout one").ok()),
            "redo" => {
                env.undo("checkout one").ok();
                env.undo("undo").ok();
            }
            _ => {}
        }
        env.write("unsaved", "unsaved");
        env.write("folder-1/file-4", "unsaved too");
        let before = (Tree::read(&env.path()), branches(&env));
        Scenario { env, arguments: line.split(' ').map(str::to_owned).collect(), before, after, back }
    }

    fn kill(&self, call: &str, n: usize) -> bool {
        let arguments: Vec<&str> = self.arguments.iter().map(String::as_str).collect();
        killed_at(&self.env, call, n, &arguments)
    }

    fn calls(&self, family: &str) -> Vec<(String, usize)> {
        let arguments: Vec<&str> = self.arguments.iter().map(String::as_str).collect();
        calls(&self.env, family, &arguments, 0)
    }

    fn assert_before(&self, what: &str) {
        println!("{what}");
        assert_same(&self.before.0, &Tree::read(&self.env.path()));
        assert_eq!(self.before.1, branches(&self.env), "{what}");
    }

    fn assert_after(&self, what: &str) {
        println!("{what}");
        assert_same(&self.after.0, &Tree::read(&self.env.path()));
        let id = |name: &str| self.env.undo(&format!("rev-parse {name}")).ok().text();
        assert_eq!(id("main"), id(self.after.1), "{what}");
    }

    /// Tries both recoveries, or one of them: each ends in an exact state, from which the other state can be reached.
    fn check_recoveries(&self, finishes: bool, what: &str) {
        let env = &self.env;
        let report = String::from_utf8(env.undo("status").ok().stderr).unwrap();
        if !report.contains("unfinished") {
            // The command has not started its changes, or is finished.
            if !Tree::read(&env.path()).differences(&self.before.0).is_empty() {
                return self.assert_after(what);
            }
            let arguments = self.arguments.join(" ");
            // The unsaved changes may be recorded by now, as the last operation.
            if !["undo", "redo"].contains(&arguments.as_str()) {
                env.undo(&arguments).ok();
                assert_same(&self.after.0, &Tree::read(&env.path()));
            }
            return;
        }
        assert_eq!(report.lines().filter(|line| line.contains("unfinished")).count(), 1, "{report}");
        let mix = Tree::read(&env.path());
        env.undo("commit -m mix").fails(4);
        assert_same(&mix, &Tree::read(&env.path()));
        if finishes {
            env.undo("checkout --continue").ok();
            self.assert_after(what);
            env.undo(self.back).ok();
            self.assert_before(what);
        } else {
            env.undo("undo").ok();
            self.assert_before(what);
        }
        assert!(!String::from_utf8_lossy(&env.undo("status").ok().stderr).contains("unfinished"));
        env.undo("commit -m after").ok();
        assert_same(&self.before.0, &Tree::read(&env.path()));
    }
}

fn branches(env: &TestEnv) -> String {
    env.undo("show-ref").ok().text() + &env.undo("symbolic-ref HEAD").text()
}

#[test]
fn killed_commands_can_be_continued_or_undone() {
    if !has_strace() {
        return;
    }
    let mut kills = 0;
    for (v, verb) in VERBS.into_iter().enumerate() {
        for (f, family) in FAMILIES.into_iter().enumerate() {
            for (call, n) in selected(Scenario::new(verb).calls(family), v * 7 + f * 5) {
                for finishes in [true, false].into_iter().filter(|it| is_sweep() || *it == ((v + f + n) % 2 == 0)) {
                    let scene = Scenario::new(verb);
                    kills += usize::from(scene.kill(&call, n));
                    let way = if finishes { "finished" } else { "taken back" };
                    scene.check_recoveries(finishes, &format!("{verb}, {call} {n}, {way}"));
                }
            }
        }
    }
    println!("{kills} kills");
}

/// The undo of an interrupted command can be interrupted, too.
#[test]
fn interrupted_undo_can_be_undone() {
    if !has_strace() {
        return;
    }
    let mut interrupted = 0;
    for n in 1..12 {
        let scene = Scenario::new("checkout");
        assert!(scene.kill("renameat2", 4));
        killed_at(&scene.env, "rename,renameat,renameat2,mkdirat,utimensat", n, &["undo"]);
        let report = String::from_utf8(scene.env.undo("status").ok().stderr).unwrap();
        if report.contains("unfinished") {
            interrupted += usize::from(report.contains("unfinished undo to"));
            scene.env.undo(if n % 2 == 0 { "checkout --continue" } else { "undo" }).ok();
        }
        // Continued or undone: both restore the state before the first command, unless that one was finished.
        match report.contains("unfinished checkout of") && n % 2 == 0 {
            true => scene.assert_after(&report),
            false => scene.assert_before(&report),
        }
    }
    assert!(interrupted > 1, "{interrupted}");
}

/// The most likely reaction is to repeat the command. `undo` then restores the state before the first try.
#[test]
fn undo_after_retried_checkout_restores_original_state() {
    if !has_strace() {
        return;
    }
    let scene = Scenario::new("checkout");
    assert!(scene.kill("renameat2", 4));
    scene.env.undo("checkout one").ok();
    scene.assert_after("again");
    scene.env.undo("undo").ok();
    assert_same(&scene.before.0, &Tree::read(&scene.env.path()));
}
