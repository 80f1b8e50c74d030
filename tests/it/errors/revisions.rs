//! Revisions that name no commit, or several.

use std::collections::HashMap;

use snapbox::{assert_data_eq, str};
use undo::environment::Environment;
use undo::internals::object::{ObjectKind, Objects, id_of};
use undo::internals::repo::{NewOperation, Repository, Transaction};

use super::{each, history};
use crate::env::TestEnv;

#[test]
fn commands_without_repository_show_how_to_create_one() {
    let env = TestEnv::new();
    for line in
        ["status", "log", "show", "diff", "ls", "branch", "tag v", "config", "cat @:x", "restore x", "checkout @"]
    {
        env.undo(line).fails(10);
    }
    assert_data_eq!(
        each(&env, &["commit", "log", "checkout @"]),
        str![[r#"
$ undo commit
---- stderr ----
error: no repository in `[ROOT]/work` or above it
hint: create one here with `undo init`
[exit 10]
$ undo log
---- stderr ----
error: no repository in `[ROOT]/work` or above it
hint: create one here with `undo init`
[exit 10]
$ undo checkout @
---- stderr ----
error: no repository in `[ROOT]/work` or above it
hint: create one here with `undo init`
[exit 10]

"#]]
    );
    env.undo("commit --json").shows(str![[r#"
---- stderr ----
{"type":"error","code":"no-repository","message":"no repository in `[ROOT]/work` or above it","hint":"create one here with `undo init`","exit":10,"paths":[]}
[exit 10]

"#]]);
}

#[test]
fn revision_before_first_commit_is_an_error() {
    let env = TestEnv::initialised();
    env.undo("show").shows(str![[r#"
---- stderr ----
error: there are no commits yet
hint: create one with `undo commit`
[exit 2]

"#]]);
    env.undo("checkout latest").shows(str![[r#"
---- stderr ----
error: there are no commits yet
hint: create one with `undo commit`
[exit 2]

"#]]);
    env.undo("checkout -").shows(str![[r#"
---- stderr ----
error: nothing was checked out before, so `-` names no commit
hint: list commits with `undo log`
[exit 2]

"#]]);
    env.undo("restore x").shows(str![[r#"
---- stderr ----
error: there are no commits yet
hint: create one with `undo commit`
[exit 2]

"#]]);
    env.undo("branch trial").shows(str![[r#"
---- stderr ----
error: there are no commits yet
hint: create one with `undo commit`
[exit 2]

"#]]);
    env.undo("branch -m trial").shows(str![[r#"
---- stderr ----
error: there are no commits yet
hint: create one with `undo commit`
[exit 2]

"#]]);
    env.undo("cat @:x").shows(str![[r#"
---- stderr ----
error: there are no commits yet
hint: create one with `undo commit`
[exit 2]

"#]]);
    env.undo("show '@{1 hour ago}'").shows(str![[r#"
---- stderr ----
error: there are no commits yet
hint: create one with `undo commit`
[exit 2]

"#]]);
    env.undo("show abcd").shows(str![[r#"
---- stderr ----
error: there are no commits yet
hint: create one with `undo commit`
[exit 2]

"#]]);
}

#[test]
fn unknown_revision_suggests_similar_names() {
    let env = history();
    env.undo("branch release-1.0").ok();
    env.undo("show nonsense").shows(str![[r#"
---- stderr ----
error: revision `nonsense` does not exist
hint: list commits with `undo log`, and names with `undo branch` and `undo tag`
[exit 2]

"#]]);
    env.undo("show mian").shows(str![[r#"
---- stderr ----
error: revision `mian` does not exist
hint: did you mean `main`?
[exit 2]

"#]]);
    env.undo("show rel").shows(str![[r#"
---- stderr ----
error: revision `rel` does not exist
hint: did you mean `release-1.0`?
[exit 2]

"#]]);
    env.undo("diff one twoo").shows(str![[r#"
---- stderr ----
error: `twoo` is neither a revision nor a path
hint: did you mean `two`?
[exit 2]

"#]]);
    env.undo("show 0123456789abcdef").shows(str![[r#"
---- stderr ----
error: revision `0123456789abcdef` does not exist
hint: list commits with `undo log`, and names with `undo branch` and `undo tag`
[exit 2]

"#]]);
    env.undo("show @~9").shows(str![[r#"
---- stderr ----
error: revision `@~9` does not exist: history does not go back that far
hint: list commits with `undo log`
[exit 2]

"#]]);
    env.undo("show nonsense --json").shows(str![[r#"
---- stderr ----
{"type":"error","code":"not-found","message":"revision `nonsense` does not exist","hint":"list commits with `undo log`, and names with `undo branch` and `undo tag`","exit":2,"paths":[]}
[exit 2]

"#]]);
}

#[test]
fn invalid_revision_error_states_the_reason() {
    let env = history();
    env.undo("show ''").shows(str![[r#"
---- stderr ----
error: `` is not a valid revision: it names nothing
hint: see how to name commits with `undo help revisions`
[exit 2]

"#]]);
    env.undo("show @~x").shows(str![[r#"
---- stderr ----
error: `@~x` is not a valid revision: only `~` and `^` can follow
hint: see how to name commits with `undo help revisions`
[exit 2]

"#]]);
    env.undo("show @{yesterday").shows(str![[r#"
---- stderr ----
error: `@{yesterday` is not a valid revision: a `}` is missing
hint: see how to name commits with `undo help revisions`
[exit 2]

"#]]);
    env.undo("show '@{whenever}'").shows(str![[r#"
---- stderr ----
error: `whenever` is not a valid date or time
hint: valid forms include `10 minutes ago`, `yesterday 9am`, `last monday`, `14:00`, `2026-01-05` or `2026-01-05 14:00`
[exit 2]

"#]]);
    env.undo("show '@{2020-01-01}'").shows(str![[r#"
---- stderr ----
error: no history at [TIME]: the history begins at 2026-01-05 08:01:00
hint: to list operations: undo op log
[exit 2]

"#]]);
    env.undo("show @~99999999999999999999").shows(str![[r#"
---- stderr ----
error: `@~99999999999999999999` is not a valid revision: the number is too large
hint: see how to name commits with `undo help revisions`
[exit 2]

"#]]);
    env.undo("checkout one..two").shows(str![[r#"
---- stderr ----
error: `one..two` is a range, not a single commit
hint: `undo log` and `undo diff` take ranges
[exit 2]

"#]]);
    env.undo("checkout @:notes.txt").shows(str![[r#"
---- stderr ----
error: `@:notes.txt` names a path in a commit, not a commit
hint: name the commit alone: `@`
[exit 2]

"#]]);
    env.undo("checkout :notes.txt").shows(str![[r#"
---- stderr ----
error: `:notes.txt` names a path in a commit, not a commit
hint: name the commit alone: `@`
[exit 2]

"#]]);
    env.undo("checkout .").shows(str![[r#"
---- stderr ----
error: revision `.` does not exist
hint: to name a path: undo restore .
[exit 2]

"#]]);
    env.undo("log --since whenever").shows(str![[r#"
---- stderr ----
error: `whenever` is not a valid date or time
hint: valid forms include `10 minutes ago`, `yesterday 9am`, `last monday`, `14:00`, `2026-01-05` or `2026-01-05 14:00`
[exit 2]

"#]]);
}

#[test]
fn ambiguous_revision_lists_commits() {
    let env = history();
    let prefix = commits_with_same_prefix(&env);
    env.undo(&format!("show {prefix}")).shows(str![[r#"
---- stderr ----
error: `[..]` is ambiguous: it matches 2 commits
  [ID]  2026-01-05 08:03:00  twin [..]
  [ID]  2026-01-05 08:03:00  twin [..]
hint: use more digits
[exit 2]

"#]]);
    env.undo(&format!("checkout {prefix} --json")).shows(str![[r#"
---- stderr ----
{"type":"error","code":"ambiguous","message":"`[..]` is ambiguous: it matches 2 commits/n  [ID]  2026-01-05 08:03:00  twin [..]/n  [ID]  2026-01-05 08:03:00  twin [..]","hint":"use more digits","exit":2,"paths":[]}
[exit 2]

"#]]);
}

/// Adds two commits whose ids start with the same four digits, and returns the digits.
fn commits_with_same_prefix(env: &TestEnv) -> String {
    let mut repository = Repository::discover(&env.path(), Environment::from_process()).unwrap();
    let at = repository.view().at().unwrap();
    let mut commit = repository.store().commit(at).unwrap();
    commit.parents = vec![at];
    let mut known = HashMap::new();
    let (prefix, other) = (0..)
        .find_map(|n| {
            commit.message = format!("twin {n}");
            let id = id_of(ObjectKind::Commit, &commit.encode()).to_string();
            known.insert(id[..4].to_owned(), n).map(|other: i32| (id[..4].to_owned(), other))
        })
        .unwrap();
    let mut transaction = repository.begin().unwrap();
    let other = undo::internals::object::Commit { message: format!("twin {other}"), ..commit.clone() };
    let session = transaction.repository().store().session();
    let mut writer = session.writer();
    let commits = [&commit, &other].map(|commit| Transaction::put_commit(&mut writer, commit).unwrap()).to_vec();
    writer.finish().unwrap();
    let stored = session.finish().unwrap();
    transaction.record(NewOperation { verb: "test".into(), commits, stored, ..NewOperation::default() }).unwrap();
    prefix
}
