//! Commands that read the history of a target: `log`, `ls`, `cat`, `diff` with `--target`.

use std::fs;

use undo::environment::{Durability, Environment};
use undo::path::RepoPath;
use undo::progress::Silent;
use undo::workspace::targets::{KeyKind, OpenTarget, PushOptions, Secret, TargetSettings};
use undo::workspace::{CommitOptions, Workspace};

use super::copies::{files, with_history};
use crate::env::TestEnv;
use crate::tree::{Tree, assert_same};

/// A repository with a target that has two commits more.
fn pushed() -> TestEnv {
    let env = with_history();
    env.undo("target add disk ../target").ok();
    env.undo("tag first @~1").ok();
    env.undo("push").ok();
    env
}

/// The target from another machine: no repository, no key.
fn on_another_machine(env: &TestEnv) {
    env.set("HOME", env.root().join("other"));
    fs::remove_dir_all(env.path()).unwrap();
    fs::create_dir(env.path()).unwrap();
}

#[test]
fn a_machine_without_a_repository_reads_a_target() {
    let env = pushed();
    let expected: Vec<(&str, Vec<u8>)> = vec![
        ("log --format '%H%d %s'", env.undo("log --format '%H%d %s'").ok().stdout),
        ("log --format %h -p -n 1", env.undo("log --format %h -p -n 1").ok().stdout),
        ("ls -R -l", env.undo("ls -R -l").ok().stdout),
        ("ls first:data", env.undo("ls first:data").ok().stdout),
        ("cat @:data/values.csv", env.undo("cat @:data/values.csv").ok().stdout),
        ("cat @:data/large.bin", env.undo("cat @:data/large.bin").ok().stdout),
        ("cat data/values.csv", env.undo("cat data/values.csv").ok().stdout),
        ("diff first main", env.undo("diff first main").ok().stdout),
        ("diff first..@ --stat", env.undo("diff first..@ --stat").ok().stdout),
    ];
    let id = env.undo("rev-parse @~1").ok().text();
    on_another_machine(&env);
    for (line, expected) in expected {
        let read = env.undo(&format!("{line} --target ../target")).ok();
        assert!(read.stdout == expected, "{line}\n{read}");
    }
    let by_prefix = env.undo(&format!("ls {} --target ../target", &id[..10])).ok().text();
    assert!(by_prefix.contains("notes.txt"), "{by_prefix}");
    assert_eq!(fs::read_dir(env.path()).unwrap().count(), 0, "nothing is written here");
    assert_eq!(fs::read_dir(env.root().join("tmp")).unwrap().count(), 0, "nothing stays in the temporary folder");
    assert_eq!(env.undo("diff first --target ../target").code, 2);
    assert_eq!(env.undo("log --target disk").code, 10, "a name needs a repository");
    assert_eq!(env.undo("cat first~5:x --target ../target").code, 2);
    let past = env.undo("ls '@{1 hour ago}' --target ../target").fails(2).stderr;
    assert!(String::from_utf8(past).unwrap().contains("only commits"), "branches of the past have no names");
}

#[test]
fn a_repository_reads_what_only_the_target_has() {
    let env = pushed();
    let first = env.undo("cat first:data/values.csv").ok().stdout;
    let id = env.undo("rev-parse first").ok().text();
    env.undo("tag -d first").ok();
    env.undo("forget @~1").ok();
    env.undo("gc --now").ok();
    env.write("local", "");
    env.undo("commit -m local").ok();
    assert_ne!(env.undo(&format!("cat {}:data/values.csv", id.trim())).code, 0, "the commit is gone here");
    let before = files(&env.path().join(".undo"));
    for revision in [id.trim(), "first", "@~1"] {
        assert!(env.undo(&format!("cat {revision}:data/values.csv --target disk")).ok().stdout == first);
    }
    let log = env.undo("log --target disk").ok().text();
    assert!(log.contains("first-message") && !log.contains("local"), "{log}");
    env.write("notes.txt", "changed here\n");
    let diff = env.undo("diff first --target disk").ok().text();
    assert!(diff.contains("+changed here") && diff.contains("+4,5,6"), "{diff}");
    env.write("notes.txt", "a first line that is easy to find\n");
    assert!(files(&env.path().join(".undo")) == before, "nothing is written to the repository");
}

#[test]
fn a_target_with_several_directories_needs_a_choice() {
    let env = pushed();
    fs::create_dir(env.root().join("second")).unwrap();
    env.undo("-C ../second init").ok();
    fs::write(env.root().join("second/file"), "x").unwrap();
    env.undo("-C ../second commit").ok();
    env.undo("-C ../second target add disk ../target").ok();
    env.undo("-C ../second push").ok();
    let second = env.root().join("second").display().to_string();
    assert_eq!(env.undo("ls --target disk").ok().stdout, env.undo("ls").ok().stdout, "its own directory");
    assert_eq!(env.undo(&format!("ls --target disk --from {second}")).ok().text(), "file\n");
    assert_eq!(env.undo(&format!("cat --target ../target --from {second} @:file")).ok().text(), "x");
    on_another_machine(&env);
    assert_eq!(env.undo("ls --target ../target").code, 2);
    assert_eq!(env.undo(&format!("ls --target ../target --from {second}")).ok().text(), "file\n");
}

#[test]
fn objects_of_the_repository_are_not_fetched() {
    let env = pushed();
    let data = env.root().join("target/data");
    fs::rename(&data, env.root().join("moved")).unwrap();
    env.undo("cat @:data/large.bin --target disk").ok();
    env.undo("diff first @ --target disk").ok();
    on_another_machine(&env);
    assert_eq!(env.undo("cat @:data/large.bin --target ../target").code, 5, "the content is gone");
}

/// `UNDO_TEST_PUSHES=5000` pushes more often.
#[test]
fn one_small_file_costs_few_requests() {
    let pushes = std::env::var("UNDO_TEST_PUSHES").map_or(200, |text| text.parse().unwrap());
    let env = TestEnv::initialised();
    env.set("UNDO_PASSWORD", "correct horse");
    for n in 0..5_000 {
        env.write(&format!("{}/{}/file-{n}", n / 1000, n / 50 % 20), format!("the content of file {n}\n"));
    }
    env.undo("commit").ok();
    env.undo("target add disk ../target").ok();
    let folders = |name: &str| {
        let folder = env.root().join(name);
        let environment = Environment::from_process().with_durability(Durability::NoSync);
        environment.with_state_directory(Some(folder.join("state"))).with_cache_directory(Some(folder.join("cache")))
    };
    let mut ask = || Ok(Secret { kind: KeyKind::Password, bytes: b"correct horse".to_vec() });
    let mut workspace = Workspace::open(env.path(), folders("this")).unwrap();
    let mut target = workspace.open_target(None, &mut ask).unwrap();
    for n in 0..pushes {
        env.write(&format!("{}/{}/file-{}", n % 5, n % 20, n * 7 % 5_000), format!("changed in commit {n}\n"));
        workspace.commit(&CommitOptions::default(), &Silent).unwrap();
        workspace.push(&mut target, &PushOptions::default(), &Silent).unwrap();
    }
    let url = env.root().join("target").display().to_string();
    let settings = TargetSettings { url, ..TargetSettings::default() };
    let target = OpenTarget::at(settings, env.root(), &mut ask, &folders("other")).unwrap();
    let workspace = Workspace::of_target(target, None, folders("other")).unwrap();
    let opened = workspace.requests();
    let commit = workspace.resolve("@").unwrap();
    let path = RepoPath::new(b"2/13/file-2677").unwrap();
    let mut bytes = Vec::new();
    workspace.read_file(commit, path, &mut bytes).unwrap();
    assert_eq!(bytes, env.read("2/13/file-2677"));
    let read = workspace.requests();
    println!("{pushes} pushes; opening: {opened:?}; then one file: {read:?}");
    assert!(read.requests() - opened.requests() <= 10, "{opened:?} {read:?}");
    assert!(read.downloaded - opened.downloaded <= 1 << 20, "{opened:?} {read:?}");
    assert!(
        read.requests() <= 20 && read.downloaded <= 2 << 20,
        "with everything that opening the target costs: {read:?}"
    );
    // A neighbour needs little more than the same frames.
    let path = RepoPath::new(b"2/13/file-2678").unwrap();
    workspace.read_file(commit, path, &mut Vec::new()).unwrap();
    assert!(workspace.requests().requests() <= read.requests() + 1, "{:?}", workspace.requests());
}

#[test]
fn a_target_is_exported() {
    let env = pushed();
    let recorded = Tree::read(&env.path());
    env.undo("export @ ../whole --target disk").ok();
    assert_same(&recorded, &Tree::read(&env.root().join("whole")));
    let expected = env.undo("export first:data -").ok().stdout;
    let id = env.undo("rev-parse first").ok().text();
    env.undo("tag -d first").ok();
    env.undo("forget @~1").ok();
    env.undo("gc --now").ok();
    let id = id.trim();
    assert!(env.undo(&format!("export {id}:data - --target disk")).ok().stdout == expected);
    on_another_machine(&env);
    assert!(env.undo("export first:data - --target ../target").ok().stdout == expected);
    env.undo("export @ ../again --target ../target").ok();
    assert_same(&recorded, &Tree::read(&env.root().join("again")));
    env.undo("export @ ../some '*.csv' --target ../target").ok();
    assert_eq!(fs::read_dir(env.root().join("some/data")).unwrap().count(), 1);
    let left: Vec<_> = fs::read_dir(env.root()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert!(!left.iter().any(|name| name.to_string_lossy().starts_with(".undo")), "{left:?}");
}
