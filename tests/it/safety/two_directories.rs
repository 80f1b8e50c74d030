//! Two directories with one store: an unfinished checkout in one is ended there, and never in the other.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use snapbox::str;

use crate::crash::{has_strace, killed_at, stopped};
use crate::env::{Output, TestEnv};
use crate::tree::{Tree, assert_same};

/// Creates a directory whose name needs shell quotes, and a second one. Both are at the second commit.
struct Scenario {
    env: TestEnv,
    one: Tree,
    two: Tree,
}

const FIRST: &str = "the first";

impl Scenario {
    fn new() -> Scenario {
        let scene = Scenario::alone();
        fs::create_dir(scene.env.root().join("second")).unwrap();
        scene.second("init --store ../store --branch second").ok();
        scene.second("checkout latest").ok();
        assert_same(&scene.two, &scene.tree("second"));
        scene
    }

    fn alone() -> Scenario {
        let env = TestEnv::new();
        let first = env.root().join(FIRST);
        let undo = |line: &str| env.undo(&format!("-C \"../{FIRST}\" {line}")).ok();
        fs::create_dir_all(first.join("folder")).unwrap();
        undo("init --store ../store");
        for n in 0..6 {
            fs::write(first.join(format!("folder/{n}")), format!("one {n}")).unwrap();
        }
        undo("commit -m one");
        undo("tag one");
        let one = Tree::read(&first);
        for n in 2..6 {
            fs::write(first.join(format!("folder/{n}")), format!("the second of {n}")).unwrap();
        }
        fs::remove_file(first.join("folder/0")).unwrap();
        undo("commit -m two");
        undo("tag two");
        let two = Tree::read(&first);
        Scenario { env, one, two }
    }

    fn path(&self, directory: &str) -> PathBuf {
        self.env.root().join(directory)
    }

    fn tree(&self, directory: &str) -> Tree {
        Tree::read(&self.path(directory))
    }

    fn at(&self, directory: &str, line: &str) -> Output {
        self.env.undo(&format!("-C \"../{directory}\" {line}"))
    }

    fn second(&self, line: &str) -> Output {
        self.at("second", line)
    }

    /// Kills a checkout of `one` in a directory half-way.
    fn interrupt(&self, directory: &str) {
        let directory = format!("../{directory}");
        assert!(killed_at(&self.env, "renameat2", 3, &["-C", &directory, "checkout", "one"]));
        let there = Tree::read(&self.env.path().join(&directory));
        assert!(
            !there.differences(&self.one).is_empty() && !there.differences(&self.two).is_empty(),
            "the checkout is not half done"
        );
    }
}

/// Returns the hinted command of a refusal.
fn hinted(refused: &Output) -> String {
    let report = String::from_utf8(refused.stderr.clone()).unwrap();
    let hint = report.lines().find(|line| line.starts_with("hint: ")).unwrap_or_else(|| panic!("no hint: {report}"));
    hint.split_once("undo ").unwrap().1.to_owned()
}

#[test]
fn unfinished_checkout_is_not_ended_in_other_directory() {
    if !has_strace() {
        return;
    }
    let scene = Scenario::new();
    scene.second("branch passing").ok();
    scene.second("undo").ok();
    scene.interrupt(FIRST);
    let half = scene.tree(FIRST);
    let lines = [
        "commit -m second",
        "commit --force -m second",
        "checkout one",
        "checkout latest",
        "checkout --continue",
        "checkout --continue -n",
        "restore --from one .",
        "undo",
        "undo -n",
        "redo",
        "branch other",
        "run -- true",
    ];
    fs::write(scene.path("second/more"), "more").unwrap();
    let second = scene.tree("second");
    for line in lines {
        let refused = scene.second(line);
        assert_eq!(refused.code, if line.starts_with("run") { 125 } else { 4 }, "{line}\n{refused}");
        assert_eq!(hinted(&refused), format!("-C '{}' checkout --continue", scene.path(FIRST).display()));
        assert_same(&half, &scene.tree(FIRST));
        assert_same(&second, &scene.tree("second"));
    }
    let hint = hinted(&scene.second("commit"));
    assert_eq!(scene.env.shell(&format!("undo {hint}")).code, 0);
    assert_same(&scene.one, &scene.tree(FIRST));
    assert_same(&second, &scene.tree("second"));
    scene.second("commit -m more").ok();
}

#[test]
fn unfinished_checkout_is_undone_in_its_directory() {
    if !has_strace() {
        return;
    }
    let scene = Scenario::new();
    scene.interrupt("second");
    assert_eq!(scene.at(FIRST, "undo").code, 4);
    scene.second("undo").ok();
    assert_same(&scene.two, &scene.tree("second"));
    assert_same(&scene.two, &scene.tree(FIRST));
    scene.at(FIRST, "checkout one").ok();
    assert_same(&scene.one, &scene.tree(FIRST));
}

#[test]
fn moved_directory_ends_its_unfinished_checkout() {
    if !has_strace() {
        return;
    }
    let scene = Scenario::new();
    scene.interrupt(FIRST);
    fs::rename(scene.path(FIRST), scene.path("moved")).unwrap();
    scene.at("moved", "checkout --continue").ok();
    assert_same(&scene.one, &scene.tree("moved"));
    // A link at the original path leads to the moved directory.
    scene.at("moved", "checkout two").ok();
    scene.interrupt("moved");
    fs::rename(scene.path("moved"), scene.path("again")).unwrap();
    symlink("again", scene.path("moved")).unwrap();
    assert_eq!(scene.second("undo").code, 4);
    scene.at("again", "undo").ok();
    assert_same(&scene.two, &scene.tree("again"));
}

#[test]
fn unfinished_checkout_of_missing_directory_is_ended_anywhere() {
    if !has_strace() {
        return;
    }
    let gone: [&dyn Fn(&Path); 4] = [
        &|first| fs::remove_dir_all(first).unwrap(),
        &|first| fs::remove_file(first.join(".undo")).unwrap(),
        &|first| fs::write(first.join(".undo"), "garbled").unwrap(),
        &|first| {
            fs::remove_dir_all(first).unwrap();
            fs::write(first, "a file now").unwrap();
        },
    ];
    for (n, remove) in gone.into_iter().enumerate() {
        let scene = Scenario::new();
        scene.interrupt(FIRST);
        remove(&scene.path(FIRST));
        let ending = ["checkout --continue", "undo"][n % 2];
        scene.second(ending).ok();
        assert_same([&scene.one, &scene.two][n % 2], &scene.tree("second"));
    }
}

#[test]
fn unfinished_checkout_of_a_missing_directory_is_ended_anywhere() {
    let scene = Scenario::new();
    stopped(&scene.path(FIRST));
    fs::rename(scene.path(FIRST), scene.path("gone")).unwrap();
    scene.second("checkout --continue").ok();
    assert_same(&scene.one, &scene.tree("second"));
}

/// The same holds if `.undo` is a link to that of the other directory.
#[test]
fn unfinished_checkout_is_not_ended_through_link_to_repository() {
    if !has_strace() {
        return;
    }
    let scene = Scenario::alone();
    fs::create_dir(scene.path("second")).unwrap();
    symlink(scene.path("store"), scene.path("second/.undo")).unwrap();
    scene.second("init --branch second").ok();
    scene.second("checkout latest").ok();
    assert_same(&scene.two, &scene.tree("second"));
    for (here, there) in [(FIRST, "second"), ("second", FIRST)] {
        scene.interrupt(here);
        assert_eq!(scene.at(there, "checkout --continue").code, 4);
        scene.at(here, "undo").ok();
        assert_same(&scene.two, &scene.tree(here));
        assert_same(&scene.two, &scene.tree(there));
    }
}

#[test]
fn unfinished_checkout_in_other_directory_is_reported() {
    if !has_strace() {
        return;
    }
    let scene = Scenario::new();
    scene.interrupt(FIRST);
    scene.second("").shows(str![[r#"
on second at [ID], 5 minutes ago  two
clean

  undo -C '[ROOT]/the first' checkout --continue  finish the interrupted operation
  undo -C '[ROOT]/the first' undo [..] undo it
  undo status                                              show changes
---- stderr ----
warning: the checkout of [ID] in `[ROOT]/the first`, which has the same repository, is unfinished; finish it with `undo -C '[ROOT]/the first' checkout --continue`, or undo it with `undo -C '[ROOT]/the first' undo`

"#]]);
    scene.second("--json").shows(str![[r#"
{"type":"home","repository":true,"branch":"second","id":"[ID]","clean":true,"changes":0,"next":["undo -C '[ROOT]/the first' checkout --continue","undo -C '[ROOT]/the first' undo","undo status"]}
---- stderr ----
{"type":"warning","message":"the checkout of [ID] in `[ROOT]/the first`, which has the same repository, is unfinished; finish it with `undo -C '[ROOT]/the first' checkout --continue`, or undo it with `undo -C '[ROOT]/the first' undo`","paths":[]}

"#]]);
    scene.second("status").shows(str![[r#"
on second at [ID], 7 minutes ago  two
no changes
---- stderr ----
warning: the checkout of [ID] in `[ROOT]/the first`, which has the same repository, is unfinished; finish it with `undo -C '[ROOT]/the first' checkout --continue`, or undo it with `undo -C '[ROOT]/the first' undo`

"#]]);
    scene.second("status --json").shows(str![[r#"
{"type":"summary","clean":true,"added":0,"modified":0,"deleted":0,"renamed":0,"retyped":0,"metadata":0,"ignored":0}
---- stderr ----
{"type":"warning","message":"the checkout of [ID] in `[ROOT]/the first`, which has the same repository, is unfinished; finish it with `undo -C '[ROOT]/the first' checkout --continue`, or undo it with `undo -C '[ROOT]/the first' undo`","paths":[]}

"#]]);
    scene.second("ls").shows(str![[r#"
folder/
---- stderr ----
warning: the checkout of [ID] in `[ROOT]/the first`, which has the same repository, is unfinished; finish it with `undo -C '[ROOT]/the first' checkout --continue`, or undo it with `undo -C '[ROOT]/the first' undo`

"#]]);
    scene.second("commit").shows(str![[r#"
---- stderr ----
error: the checkout of [ID] in `[ROOT]/the first`, which has the same repository, is unfinished
hint: finish it first: undo -C '[ROOT]/the first' checkout --continue
[exit 4]

"#]]);
    scene.second("checkout two").shows(str![[r#"
---- stderr ----
warning: the checkout of [ID] in `[ROOT]/the first`, which has the same repository, is unfinished; finish it with `undo -C '[ROOT]/the first' checkout --continue`, or undo it with `undo -C '[ROOT]/the first' undo`
error: the checkout of [ID] in `[ROOT]/the first`, which has the same repository, is unfinished
hint: finish it first: undo -C '[ROOT]/the first' checkout --continue
[exit 4]

"#]]);
    scene.second("checkout --continue --json").shows(str![[r#"
---- stderr ----
{"type":"error","code":"refused","message":"the checkout of [ID] in `[ROOT]/the first`, which has the same repository, is unfinished","hint":"finish it first: undo -C '[ROOT]/the first' checkout --continue","exit":4,"paths":[]}
[exit 4]

"#]]);
    scene.at(FIRST, "status").shows(str![[r#"
on main at [ID], 13 minutes ago  two
  added     folder/0
  modified  folder/2
2 changes: 1 added, 1 modified
---- stderr ----
warning: an unfinished checkout of [ID] has left the directory half old, half new; finish it with `undo checkout --continue`, or undo it with `undo undo`

"#]]);
    fs::create_dir(scene.path("third")).unwrap();
    scene.at("third", "init --store ../store --branch third").shows(str![[r#"
---- stderr ----
error: the checkout of [ID] in `[ROOT]/the first`, which has the same repository, is unfinished
hint: finish it first: undo -C '[ROOT]/the first' checkout --continue
[exit 4]

"#]]);
    assert!(!scene.path("third/.undo").exists());
    fs::remove_dir_all(scene.path(FIRST)).unwrap();
    fs::create_dir(scene.path("fourth")).unwrap();
    scene.at("fourth", "init --store ../store").shows(str![[r#"
attached to the repository [ROOT]/store
---- stderr ----
warning: an unfinished checkout of [ID] has left the directory half old, half new; finish it with `undo checkout --continue`, or undo it with `undo undo`

"#]]);
    scene.at("fourth", "checkout --continue").ok();
    assert_same(&scene.one, &scene.tree("fourth"));
}

/// A disk that is not mounted must not lose the branch of its directory.
#[test]
fn branch_of_a_directory_that_is_not_there_is_deleted_only_by_force() {
    let scene = Scenario::new();
    scene.second("commit -m second").ok();
    assert_eq!(scene.at(FIRST, "branch -d second").code, 4);
    assert_eq!(scene.at(FIRST, "branch -D second").code, 4);
    fs::rename(scene.path("second"), scene.path("elsewhere")).unwrap();
    scene.at(FIRST, "branch -d second").shows(str![[r#"
---- stderr ----
error: the branch `second` is current in `[ROOT]/second`, which does not exist now
hint: mount its disk, or delete the branch if the directory is gone: undo branch -D second
[exit 4]

"#]]);
    fs::rename(scene.path("elsewhere"), scene.path("second")).unwrap();
    scene.second("status").ok();
    fs::remove_dir_all(scene.path("second")).unwrap();
    scene.at(FIRST, "branch -D second").ok();
}
