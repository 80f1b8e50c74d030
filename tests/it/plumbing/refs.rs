//! `update-ref`, `symbolic-ref`, `show-ref`: branches and tags.

use std::fs;
use std::process::Stdio;

use snapbox::str;
use undo::environment::Environment;
use undo::internals::object::{Commit, Objects};
use undo::internals::repo::{Repository, Transaction};

use super::history;
use crate::env::TestEnv;

const ZEROS: &str = "0000000000000000000000000000000000000000000000000000000000000000";

/// Returns the size of the journal, which grows only with operations.
fn journal(env: &TestEnv) -> u64 {
    let files = fs::read_dir(env.path().join(".undo/journal")).unwrap();
    files.map(|file| file.unwrap().metadata().unwrap().len()).sum()
}

fn id(env: &TestEnv, name: &str) -> String {
    env.undo(&format!("rev-parse {name}")).text().trim_end().to_owned()
}

/// Lists the operations, newest first: verb and description.
fn operations(env: &TestEnv) -> Vec<String> {
    let repository = Repository::discover(&env.path(), Environment::from_process()).unwrap();
    let operations = repository.operations().map(Result::unwrap);
    operations.map(|(_, operation)| format!("{}: {}", operation.verb, operation.description)).collect()
}

/// Creates a chain of unreferenced commits.
fn line_of_commits(env: &TestEnv, parent: Option<&str>, messages: &[&str]) -> Vec<String> {
    let mut repository = Repository::discover(&env.path(), Environment::from_process()).unwrap();
    let at = repository.view().at().unwrap();
    let template = repository.store().commit(at).unwrap();
    let mut parents: Vec<_> = parent.map(|id| undo::id::CommitId::parse(id).unwrap()).into_iter().collect();
    let mut transaction = repository.begin().unwrap();
    let session = transaction.repository().store().session();
    let mut writer = session.writer();
    let mut made = Vec::new();
    for message in messages {
        let commit = Commit { message: (*message).into(), parents: parents.clone(), ..template.clone() };
        let id = Transaction::put_commit(&mut writer, &commit).unwrap();
        parents = vec![id];
        made.push(id.to_string());
    }
    writer.finish().unwrap();
    let stored = session.finish().unwrap();
    transaction.keep(&stored).unwrap();
    made
}

#[test]
fn update_ref_creates_moves_and_deletes() {
    let env = history();
    env.undo("update-ref refs/heads/trial @~1").shows(str![""]);
    assert_eq!(id(&env, "trial"), id(&env, "@~1"));
    env.undo("update-ref -m 'try the first one' refs/heads/trial v1 @~1").ok();
    assert_eq!(id(&env, "trial"), id(&env, "v1"));
    env.undo(&format!("update-ref refs/tags/v2 @ {ZEROS}")).ok();
    env.undo("update-ref refs/tags/v3 @ ''").ok();
    env.undo("update-ref @ @~1").ok();
    assert_eq!(id(&env, "main"), id(&env, "v2~1"));
    env.undo("status --json").ok();
    assert_eq!(env.read("notes.txt"), b"three\n");
    env.undo("update-ref -d refs/tags/v2").ok();
    env.undo("update-ref -d refs/heads/trial v1").ok();
    let (main, old, first) = (id(&env, "main"), id(&env, "v3"), id(&env, "v1"));
    assert_eq!(
        operations(&env)[..7],
        [
            "update-ref: delete branch trial".to_owned(),
            "update-ref: delete tag v2".to_owned(),
            format!("update-ref: branch main from {} to {}", &old[..8], &main[..8]),
            format!("update-ref: tag v3 at {}", &old[..8]),
            format!("update-ref: tag v2 at {}", &old[..8]),
            "update-ref: try the first one".to_owned(),
            format!("update-ref: branch trial at {}", &main[..8]),
        ]
    );
    assert_eq!(id(&env, "@~1"), first);
}

#[test]
fn update_ref_without_change_records_no_operation() {
    let env = history();
    let before = journal(&env);
    env.undo("update-ref refs/heads/side side").ok();
    env.undo("update-ref refs/heads/side @~1 @~1").ok();
    env.undo("update-ref -d refs/heads/nowhere").ok();
    env.undo("symbolic-ref @ refs/heads/main").ok();
    env.undo_with_stdin("update-ref --stdin", "").ok();
    env.undo_with_stdin(
        "update-ref --stdin",
        "verify refs/tags/v1 v1\nverify refs/tags/v2\nsymref-update @ refs/heads/main\n",
    )
    .ok();
    assert_eq!(journal(&env), before);
}

#[test]
fn update_ref_refuses_stale_old_value() {
    let env = history();
    let before = journal(&env);
    env.undo("update-ref refs/heads/side v1 @").shows(str![[r#"
---- stderr ----
error: `refs/heads/side` is at [ID], not at [ID]
hint: see what has happened with `undo log`, then give the current value
[exit 4]

"#]]);
    let report = String::from_utf8(env.undo("update-ref refs/heads/side v1 @").stderr).unwrap();
    assert!(report.contains(&format!("is at {}, not at {}", id(&env, "side"), id(&env, "@"))), "{report}");
    env.undo(&format!("update-ref refs/heads/side v1 {ZEROS}")).shows(str![[r#"
---- stderr ----
error: `refs/heads/side` already exists, at [ID]
hint: see what has happened with `undo log`, then give the current value
[exit 4]

"#]]);
    env.undo("update-ref refs/heads/other v1 @").shows(str![[r#"
---- stderr ----
error: `refs/heads/other` is not there
hint: see what has happened with `undo log`, then give the current value
[exit 4]

"#]]);
    // An id that the repository never had does not match the ref either.
    env.undo(&format!("update-ref refs/heads/side v1 {}", "ab".repeat(32))).fails(4);
    env.undo("update-ref -d refs/heads/side @").fails(4);
    env.undo("update-ref -d refs/heads/main").shows(str![[r#"
---- stderr ----
error: `refs/heads/main` is the current branch
hint: switch to another branch first: undo symbolic-ref @ refs/heads/NAME
[exit 4]

"#]]);
    env.undo(&format!("update-ref @ {ZEROS}")).fails(4);
    assert_eq!(journal(&env), before);
}

#[test]
fn update_ref_applies_nothing_on_bad_input() {
    let env = history();
    let before = journal(&env);
    env.undo("update-ref main @").shows(str![[r#"
---- stderr ----
error: `main` is not a full ref name
hint: a branch is `refs/heads/main`, a tag `refs/tags/main`
[exit 2]

"#]]);
    env.undo("update-ref refs/notes/x @").shows(str![[r#"
---- stderr ----
error: `refs/notes/x` is not a full ref name
hint: branches are refs/heads/NAME, tags are refs/tags/NAME
[exit 2]

"#]]);
    env.undo("update-ref refs/heads/a..b @").shows(str![[r#"
---- stderr ----
error: `a..b` is not a valid branch or tag name: it contains `..`
hint: use letters, digits, `-`, `_`, `.` and `/`, as in `before-cleanup`
[exit 2]

"#]]);
    env.undo("update-ref refs/heads/v1 @").shows(str![[r#"
---- stderr ----
error: a tag `v1` already exists
hint: branches and tags share one namespace; choose another name
[exit 2]

"#]]);
    let tree = id(&env, "@:");
    env.undo(&format!("update-ref refs/heads/x {tree}")).shows(str![[r#"
---- stderr ----
error: `[ID]` is a tree, not a commit
hint: `undo cat-file -t OBJECT` prints the type of an object
[exit 2]

"#]]);
    env.undo(&format!("update-ref refs/heads/x {}", "ab".repeat(32))).shows(str![[r#"
---- stderr ----
error: no object `[ID]` in this repository
hint: list all reachable objects with `undo rev-list --objects --all`
[exit 2]

"#]]);
    env.undo("update-ref refs/heads/x nonsense").shows(str![[r#"
---- stderr ----
error: revision `nonsense` does not exist
hint: list commits with `undo log`, and names with `undo branch` and `undo tag`
[exit 2]

"#]]);
    env.undo("update-ref refs/heads/x").shows(str![[r#"
---- stderr ----
error: a commit for the ref is required
hint: undo update-ref REF NEW [OLD]
[exit 2]

"#]]);
    for line in ["update-ref", "update-ref -d refs/heads/x a b", "update-ref --stdin -d", "update-ref -m '' @ v1"] {
        env.undo(line).fails(2);
    }
    env.undo_with_stdin("update-ref --stdin", "update refs/heads/a @\n\n").shows(str![[r#"
---- stderr ----
error: line 2: malformed instruction: `` is not a valid instruction
hint: docs/plumbing.md has the grammar of `undo update-ref --stdin`
[exit 2]

"#]]);
    env.undo_with_stdin("update-ref --stdin", "update @ v1\nverify refs/heads/main\n").shows(str![[r#"
---- stderr ----
error: line 2: `refs/heads/main` is given twice
hint: name each ref once
[exit 2]

"#]]);
    env.undo_with_stdin("update-ref --stdin -z", b"create refs/heads/a\0@\0create refs/heads/\xff\0@\0").shows(str![[
        r#"
---- stderr ----
error: instruction 2: malformed instruction: it is not UTF-8
hint: docs/plumbing.md has the grammar of `undo update-ref --stdin`
[exit 2]

"#
    ]]);
    env.undo_with_stdin("update-ref --stdin --json", "create refs/heads/a\n").shows(str![[r#"
---- stderr ----
{"type":"error","code":"usage","message":"line 1: malformed instruction: `create` requires a commit","hint":"docs/plumbing.md has the grammar of `undo update-ref --stdin`","exit":2,"paths":[]}
[exit 2]

"#]]);
    assert_eq!(journal(&env), before);
}

#[test]
fn update_ref_stdin_is_atomic() {
    let env = history();
    let mut lines: String = (0..100).map(|n| format!("create refs/heads/b{n} @~{}\n", n % 3)).collect();
    let (before, known) = (journal(&env), operations(&env).len());
    for bad in ["update refs/heads/side v1 @\n", "update refs/heads/x nonsense\n", "create refs/tags/b1 @\n", "what\n"]
    {
        let output = env.undo_with_stdin("update-ref --stdin", lines.clone() + bad);
        assert!([2, 4].contains(&output.code), "{output}");
        assert_eq!((journal(&env), env.undo("branch --list --json").json().len()), (before, 3), "{bad}");
    }
    lines += "delete refs/heads/side @~1\nsymref-update @ refs/heads/b7\ndelete refs/heads/main\n";
    let output = env.undo_with_stdin("update-ref --stdin --json", &lines);
    assert_eq!(output.json().len(), 103, "{output}");
    assert_eq!(operations(&env).len(), known + 1);
    assert_eq!(operations(&env)[0], "update-ref: 102 refs, switch to b7");
    assert_eq!(env.undo("symbolic-ref @").text(), "refs/heads/b7\n");
    assert_eq!(id(&env, "b99"), id(&env, "b0"));
}

#[test]
fn update_ref_can_reuse_a_deleted_name() {
    let env = history();
    let output =
        env.undo_with_stdin("update-ref --stdin -z --json", b"create refs/heads/v1\0v1\0delete refs/tags/v1\0\0");
    output.shows(str![[r#"
{"type":"ref-changed","kind":"tag","action":"deleted","name":"v1","ref":"refs/tags/v1","id":"[ID]","old":"[ID]"}
{"type":"ref-changed","kind":"branch","action":"created","name":"v1","ref":"refs/heads/v1","id":"[ID]","old":""}

"#]]);
    assert_eq!(id(&env, "v1"), id(&env, "@~2"));
}

#[test]
fn concurrent_update_refs_have_one_winner() {
    let env = history();
    let seen = id(&env, "side");
    for round in 0..5 {
        let (from, to) = if round % 2 == 0 { (seen.clone(), id(&env, "@")) } else { (id(&env, "@"), seen.clone()) };
        let start = || {
            let mut command = env.command(env!("CARGO_BIN_EXE_undo"));
            command.args(["update-ref", "refs/heads/side", &to, &from]).stderr(Stdio::piped()).spawn().unwrap()
        };
        let (first, second) = (start(), start());
        let mut codes = [first, second].map(|child| child.wait_with_output().unwrap().status.code().unwrap());
        codes.sort_unstable();
        assert_eq!(codes, [0, 4]);
        assert_eq!(id(&env, "side"), to);
    }
}

#[test]
fn update_ref_adds_commits_and_ancestors_to_log() {
    let env = history();
    let made = line_of_commits(&env, Some(&id(&env, "@")), &["one", "two", "three"]);
    let log = |env: &TestEnv| -> Vec<String> {
        let lines = env.undo("log --json").json();
        lines.iter().filter_map(|line| line["message"].as_str().map(str::to_owned)).collect()
    };
    assert_eq!(log(&env), ["third", "second", "first"]);
    env.undo(&format!("update-ref refs/heads/main {}", made[2])).ok();
    assert_eq!(log(&env), ["three", "two", "one", "third", "second", "first"]);
    assert_eq!(id(&env, "latest"), made[2]);
    // Other commands that create refs do the same.
    let apart = line_of_commits(&env, None, &["apart"]);
    env.undo(&format!("tag apart {}", apart[0])).ok();
    assert!(log(&env).contains(&"apart".to_owned()));
    env.undo("status").ok();
    env.undo("checkout @~3").ok();
    assert_eq!(id(&env, "@~0"), id(&env, &format!("{}~3", made[2])));
}

#[test]
fn symbolic_ref_prints_and_switches_branch() {
    let env = history();
    env.undo("symbolic-ref @").shows(str![[r#"
refs/heads/main

"#]]);
    env.undo("symbolic-ref --short @").shows(str![[r#"
main

"#]]);
    env.undo("symbolic-ref @ --json").shows(str![[r#"
{"type":"symbolic-ref","ref":"@","target":"refs/heads/main"}

"#]]);
    env.undo("symbolic-ref @ refs/heads/side").shows(str![""]);
    assert_eq!(id(&env, "@"), id(&env, "side"));
    assert_eq!(operations(&env)[0], "symbolic-ref: switch to side");
    env.undo("symbolic-ref @ refs/heads/unborn --json").shows(str![[r#"
{"type":"symbolic-ref","ref":"@","target":"refs/heads/unborn"}

"#]]);
    env.undo("symbolic-ref --short @").shows(str![[r#"
unborn

"#]]);
    env.undo("update-ref @ side").ok();
    assert_eq!(id(&env, "unborn"), id(&env, "side"));
    env.undo("symbolic-ref HEAD").shows(str![[r#"
---- stderr ----
error: `HEAD` is not a symbolic ref
hint: the only one is `@`, the current branch
[exit 2]

"#]]);
    env.undo("symbolic-ref @ side").fails(2);
    env.undo("symbolic-ref @ refs/tags/v1").shows(str![[r#"
---- stderr ----
error: `v1` is a tag, but `@` must be a branch
hint: create a branch there first: undo update-ref refs/heads/NAME v1
[exit 2]

"#]]);
}

#[test]
fn show_ref_matches_whole_name_parts() {
    let env = history();
    env.undo("branch old/side v1").ok();
    env.undo("branch inside v1").ok();
    env.undo("show-ref").shows(str![[r#"
[ID] refs/heads/inside
[ID] refs/heads/main
[ID] refs/heads/old/side
[ID] refs/heads/side
[ID] refs/tags/v1

"#]]);
    assert!(env.undo("show-ref main").text().starts_with(&format!("{} ", id(&env, "@"))));
    env.undo("show-ref side v1 --head").shows(str![[r#"
[ID] @
[ID] refs/heads/old/side
[ID] refs/heads/side
[ID] refs/tags/v1

"#]]);
    env.undo("show-ref --tags").shows(str![[r#"
[ID] refs/tags/v1

"#]]);
    env.undo("show-ref --heads heads/side main/").shows(str![[r#"
[ID] refs/heads/side

"#]]);
    env.undo("show-ref nothing").shows(str![[r#"
[exit 1]

"#]]);
    env.undo("show-ref --verify refs/heads/main refs/tags/v1 @").shows(str![[r#"
[ID] refs/heads/main
[ID] refs/tags/v1
[ID] @

"#]]);
    env.undo("show-ref --verify refs/heads/main refs/heads/mine").shows(str![[r#"
---- stderr ----
error: no ref `refs/heads/mine`
hint: undo show-ref
[exit 2]

"#]]);
    env.undo("show-ref --verify main").shows(str![[r#"
---- stderr ----
error: `main` is not a full ref name
hint: a branch is `refs/heads/main`, a tag `refs/tags/main`
[exit 2]

"#]]);
    env.undo("show-ref --verify").fails(2);
    env.undo("show-ref --head --json main").shows(str![[r#"
{"type":"ref","kind":"branch","name":"main","ref":"@","id":"[ID]","current":true}
{"type":"ref","kind":"branch","name":"main","ref":"refs/heads/main","id":"[ID]","current":true}
{"type":"summary","count":2}

"#]]);
    let records = env.undo("show-ref -z --tags").text();
    assert_eq!(records, format!("{} refs/tags/v1\0", id(&env, "v1")));
    TestEnv::initialised().undo("show-ref --head").fails(1);
}
