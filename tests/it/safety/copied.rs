//! Directories that are copied, moved, linked or mounted together with the reference to their repository: a copy never
//! silently moves the original's branch.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::PathBuf;

use super::places::Mounted;
use crate::env::{Output, TestEnv};
use crate::tree::{Tree, assert_same};

const MAY_BE_A_COPY: &str = "and may be a copy of it";

/// Creates `data`, with an external store, at its first commit.
struct Scenario {
    env: TestEnv,
}

impl Scenario {
    fn new() -> Scenario {
        let scene = Scenario { env: TestEnv::new() };
        fs::create_dir(scene.path("data")).unwrap();
        scene.write("data/a", "one");
        scene.at("data", "init --store ../store").ok();
        scene.at("data", "commit -m one").ok();
        scene
    }

    fn path(&self, directory: &str) -> PathBuf {
        self.env.root().join(directory)
    }

    fn write(&self, path: &str, text: &str) {
        fs::write(self.path(path), text).unwrap();
    }

    fn at(&self, directory: &str, line: &str) -> Output {
        self.env.undo(&format!("-C ../{directory} {line}"))
    }

    fn shell(&self, script: &str) {
        let output = self.env.shell(&format!("cd {} && {script}", self.env.root().display()));
        assert_eq!(output.code, 0, "{output}");
    }

    /// Lists the names in a commit.
    fn listed(&self, directory: &str, rev: &str) -> String {
        self.at(directory, &format!("ls -R {rev}")).ok().text()
    }
}

/// Returns the hinted commands: first for a separate directory, then for a moved one.
fn remedies(refused: &Output) -> (String, String) {
    let report = String::from_utf8(refused.stderr.clone()).unwrap();
    let hint = report
        .lines()
        .find(|line| line.contains("for a copy with its own branch"))
        .unwrap_or_else(|| panic!("{report}"));
    let (_, hint) = hint.split_once("with its own branch: ").unwrap();
    let (branch, moved) = hint.split_once("; if the directory was moved: ").unwrap();
    (branch.to_owned(), moved.to_owned())
}

const WRITERS: [&str; 8] = [
    "commit -m copy",
    "checkout @",
    "restore --from @ a",
    "undo",
    "redo",
    "branch new",
    "tag new",
    "run -- touch made",
];

/// Every command that writes is refused in the copy; every other one warns.
fn assert_refused(scene: &Scenario, copy: &str) {
    let log = scene.at("data", "op log --json").ok().text();
    let before = Tree::read(&scene.path(copy));
    for line in WRITERS {
        let refused = scene.at(copy, line);
        let code = if line.starts_with("run") { 125 } else { 4 };
        assert!(refused.code == code || line == "redo" && refused.code == 2, "{line}: {refused}");
        assert!(refused.to_string().contains(MAY_BE_A_COPY), "{line}: {refused}");
    }
    assert_same(&before, &Tree::read(&scene.path(copy)));
    for line in ["status", "log", "diff", ""] {
        let report = scene.at(copy, line).ok().to_string();
        assert!(report.contains(MAY_BE_A_COPY), "{line}: {report}");
    }
    assert_eq!(scene.at("data", "op log --json").ok().text(), log);
}

#[test]
fn copied_directory_is_refused_until_it_has_a_branch() {
    let scene = Scenario::new();
    scene.shell("cp -a data data2");
    scene.write("data2/b", "copy");
    assert_refused(&scene, "data2");
    // The original is not affected.
    scene.write("data/c", "original");
    scene.at("data", "commit -m two").ok();
    let (branch, _) = remedies(&scene.at("data2", "commit"));
    assert_eq!(scene.env.shell(&branch).code, 0, "{branch}");
    scene.at("data2", "commit -m copy").ok();
    assert_eq!(scene.listed("data2", "@"), "a\nb\n");
    scene.at("data", "commit -m again").ok();
    assert_eq!(scene.listed("data", "@"), "a\nc\n");
    assert_eq!(scene.listed("data2", "main"), "a\nc\n");
    assert_eq!(scene.listed("data", "data2"), "a\nb\n");
}

/// Each directory undoes its own operations, and moves only its own branch.
#[test]
fn directories_have_separate_positions() {
    let scene = Scenario::new();
    scene.shell("cp -a data data2");
    scene.at("data2", "init --branch other").ok();
    scene.write("data2/b", "copy");
    scene.at("data2", "commit -m b").ok();
    scene.write("data/c", "original");
    scene.at("data", "commit -m c").ok();
    scene.write("data2/b", "again");
    scene.at("data2", "commit -m bb").ok();
    let (data, copy) = (Tree::read(&scene.path("data")), Tree::read(&scene.path("data2")));
    // The last operation was done in `data2`.
    scene.at("data", "undo").ok();
    assert_eq!(scene.listed("data", "@"), "a\n");
    assert_eq!(scene.listed("data2", "@"), "a\nb\n");
    scene.at("data", "redo").ok();
    scene.at("data2", "checkout @~").ok();
    scene.at("data2", "undo").ok();
    scene.at("data2", "undo 2").ok();
    scene.at("data2", "redo 2").ok();
    scene.at("data2", "undo 9").fails(2);
    assert_eq!(scene.at("data2", "log --json").ok().json()[0]["message"], "bb");
    assert_same(&data, &Tree::read(&scene.path("data")));
    assert_same(&copy, &Tree::read(&scene.path("data2")));
    // A branch can be current in one directory only.
    for line in ["checkout main", "branch -d main", "update-ref refs/heads/main other"] {
        let refused = scene.at("data2", line);
        assert!(refused.code == 4 && refused.to_string().contains("is current in"), "{line}: {refused}");
        assert_same(&copy, &Tree::read(&scene.path("data2")));
        assert!(!scene.at("data2", "status").ok().to_string().contains("unfinished"), "{line}");
    }
    scene.at("data2", "branch third").ok();
    scene.at("data2", "checkout third").ok();
    scene.at("data", "checkout other").ok();
    scene.at("data", "checkout third").fails(4);
    scene.at("data", "checkout -").ok();
    assert_eq!(scene.at("data2", "branch --json").ok().json().iter().filter(|it| it["current"] == true).count(), 1);
    scene.at("data2", "verify").ok();
}

#[test]
fn positions_survive_new_journal_segments() {
    let scene = Scenario::new();
    scene.shell("cp -a data data2");
    scene.at("data2", "init --branch other").ok();
    // Long enough for the journal to start a new segment.
    for n in 0..40 {
        for directory in ["data", "data2"] {
            scene.write(&format!("{directory}/a"), &format!("{directory} {n} {}", "x".repeat(40)));
            scene.at(directory, &format!("commit -q -m {}", "m".repeat(4000))).ok();
        }
    }
    assert!(fs::read_dir(scene.path("store/journal")).unwrap().count() > 1, "only one segment");
    for (directory, branch) in [("data", "main"), ("data2", "other")] {
        let report = scene.at(directory, "status").ok().text();
        assert!(report.starts_with(&format!("on {branch} ")) && report.contains("no changes"), "{report}");
        let log = scene.at(directory, &format!("log --json {branch}")).ok().json();
        assert_eq!(log.len(), 41 + 1, "{directory}");
    }
    scene.at("data", "verify").ok();
}

#[test]
fn copy_replacing_original_is_reported() {
    let scene = Scenario::new();
    scene.shell("cp -a data data2");
    scene.write("data2/b", "new");
    let (_, moved) = remedies(&scene.at("data2", "commit"));
    assert_eq!(scene.env.shell(&moved).code, 0, "{moved}");
    scene.at("data2", "commit -m two").ok();
    assert_eq!(scene.listed("data2", "main"), "a\nb\n");
    // Now the old directory is the copy.
    let refused = scene.at("data", "commit").fails(4);
    assert!(refused.to_string().contains(MAY_BE_A_COPY));
    scene.shell("rm -rf data");
    scene.at("data2", "undo").ok();
}

#[test]
fn moved_or_recreated_directory_is_recognized() {
    let scene = Scenario::new();
    let steps = [
        "mv data moved",
        "mv moved data",
        "cp -a data copy && rm -rf data && mv copy data",
        "rm -rf data && mkdir data && undo init data --store store && undo -C data checkout latest",
    ];
    for (n, step) in steps.into_iter().enumerate() {
        scene.shell(step);
        let directory = if n == 0 { "moved" } else { "data" };
        scene.write(&format!("{directory}/a"), &format!("{n}"));
        let report = scene.at(directory, "commit -m more").ok().to_string();
        assert!(!report.contains(MAY_BE_A_COPY), "{step}: {report}");
    }
    assert_eq!(scene.at("data", "log --json").ok().json().len(), 5 + 1);
    // A link to the directory is not a copy.
    symlink("data", scene.path("link")).unwrap();
    scene.at("link", "commit -m link").ok();
}

#[test]
fn full_copy_has_separate_history() {
    let env = TestEnv::initialised();
    env.write("a", "one");
    env.undo("commit -m one").ok();
    assert_eq!(env.shell("cp -a . ../data2").code, 0);
    for (directory, text) in [("work", "two"), ("data2", "other")] {
        fs::write(env.root().join(directory).join("a"), text).unwrap();
        let report = env.undo(&format!("-C ../{directory} commit -m {text}")).ok().to_string();
        assert!(!report.contains(MAY_BE_A_COPY), "{report}");
    }
    assert_eq!(env.undo("log --json").ok().json()[0]["message"], "two");
    assert_eq!(env.undo("-C ../data2 log --json").ok().json()[0]["message"], "other");
}

/// `.undo` belongs to another directory: linked or mounted.
#[test]
fn link_to_repository_of_other_directory_is_detected() {
    let env = TestEnv::new();
    let scene = Scenario { env };
    fs::create_dir(scene.path("data")).unwrap();
    scene.write("data/a", "one");
    scene.at("data", "commit --init -m one").ok();
    scene.shell("mkdir data2 && cp data/a data2/a");
    symlink("../data/.undo", scene.path("data2/.undo")).unwrap();
    assert_refused(&scene, "data2");
    scene.at("data2", "init --branch other").ok();
    scene.write("data2/a", "two");
    scene.at("data2", "commit -m two").ok();
    scene.write("data/a", "three");
    scene.at("data", "commit -m three").ok();
    scene.at("data2", "undo").ok();
    assert_eq!(scene.at("data", "cat @:a").ok().text(), "three");
    scene.at("data2", "checkout main").fails(4);
}

#[test]
fn repository_mounted_in_second_directory_is_detected() {
    let env = TestEnv::new();
    let scene = Scenario { env };
    fs::create_dir(scene.path("data")).unwrap();
    scene.write("data/a", "one");
    scene.at("data", "commit --init -m one").ok();
    scene.shell("mkdir -p data2/.undo && cp data/a data2/a");
    let source = scene.path("data/.undo");
    let Some(_mounted) = Mounted::new(&["--bind", source.to_str().unwrap()], &scene.path("data2/.undo")) else {
        return crate::skip::skip("only root can mount a directory");
    };
    assert_refused(&scene, "data2");
    scene.at("data2", "init --moved").ok();
    scene.at("data2", "commit -m two").ok();
    scene.write("data/a", "three");
    scene.at("data", "commit -m three").fails(4);
    scene.at("data", "init --branch data").ok();
    scene.at("data", "commit -m three").ok();
}

/// One directory at two paths.
#[test]
fn directory_mounted_elsewhere_is_the_same() {
    let scene = Scenario::new();
    fs::create_dir(scene.path("seen")).unwrap();
    let Some(_mounted) = Mounted::new(&["--bind", scene.path("data").to_str().unwrap()], &scene.path("seen")) else {
        return crate::skip::skip("only root can mount a directory");
    };
    for (n, directory) in ["seen", "data", "seen"].into_iter().enumerate() {
        scene.write("data/a", &format!("{n}"));
        scene.at(directory, "commit -m more").ok();
    }
    scene.at("data", "undo").ok();
}

#[test]
fn attaching_second_directory_requires_a_branch() {
    let scene = Scenario::new();
    fs::create_dir(scene.path("second")).unwrap();
    let refused = scene.at("second", "init --store ../store").fails(4);
    assert!(!scene.path("second/.undo").exists());
    let (branch, _) = remedies(&refused);
    assert_eq!(scene.env.shell(&branch).code, 0, "{branch}");
    scene.at("second", "checkout latest").ok();
    scene.write("second/a", "two");
    scene.at("second", "commit -m two").ok();
    assert_eq!(scene.at("data", "cat @:a").ok().text(), "one");
    // Wrong answers.
    scene.at("data", "init --branch third").fails(2);
    scene.at("data", "init --moved").ok();
    fs::create_dir(scene.path("third")).unwrap();
    scene.at("third", "init --store ../store --branch main").fails(4);
    assert!(!scene.path("third/.undo").exists());
    scene.at("third", "init --store ../store --branch a..b").fails(2);
    scene.at("third", "init --branch third").fails(2);
}

/// The file `.undo` was written before directories had ids: the first directory that writes becomes the main one.
#[test]
fn link_files_without_id_get_one() {
    let scene = Scenario::new();
    let marker = scene.path("data/.undo");
    let text = fs::read_to_string(&marker).unwrap();
    let without: String =
        text.lines().filter(|line| !line.starts_with("directory")).map(|line| format!("{line}\n")).collect();
    assert_ne!(text, without);
    fs::write(&marker, &without).unwrap();
    scene.shell("cp -a data data2");
    scene.write("data/a", "two");
    scene.at("data", "commit -m two").ok();
    assert_eq!(fs::read_to_string(&marker).unwrap(), text);
    scene.at("data2", "commit").fails(4);
}
