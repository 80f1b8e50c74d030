//! Forgotten commits after `gc`: the gap stays, and nothing brings them back.

use snapbox::str;

use super::{commits, id, log};

#[test]
fn undo_passes_over_a_forget_whose_commits_no_longer_exist() {
    let env = commits(&["one", "two", "three", "four"]);
    let two = id(&env, "two");
    env.undo("tag v1").ok();
    env.undo("forget @~ @~2").ok();
    env.undo("gc --now").ok();
    assert_eq!(log(&env, ""), ["four -2", "one"]);
    assert_eq!(log(&env, "@~..@"), ["four -2"]);
    env.undo("recall").shows(str![[r#"
---- stderr ----
no forgotten commits

"#]]);
    env.undo(&format!("recall {}", &two[..8])).fails(2);
    env.undo("undo").shows(str![[r#"
undid [ID]  tag: tag v1 at [ID]
passed over [ID]  forget: 2 commits  (the commits no longer exist)
main [ID]  the directory is unchanged
---- stderr ----
hint: to redo: undo redo

"#]]);
    assert_eq!(env.undo("tag").ok().text(), "");
    env.undo("redo").shows(str![[r#"
redid [ID]  tag: tag v1 at [ID]
2 forgotten commits can no longer be recalled
main [ID]  the directory is unchanged
---- stderr ----
hint: to undo: undo undo

"#]]);
    assert_eq!(log(&env, ""), ["four -2", "one"]);
    env.undo("verify").ok();
}

#[test]
fn undo_needs_no_commit_that_no_longer_exists() {
    let env = commits(&["one", "two"]);
    env.undo("forget @~").ok();
    env.undo("gc --now").ok();
    env.undo("undo").shows(str![[r#"
---- stderr ----
error: that state needs commit [ID], which was forgotten and no longer exists
hint: to list operations: undo op log
[exit 2]

"#]]);
    assert_eq!(log(&env, ""), ["two -1"]);
    env.write("file", "three");
    env.undo("commit -m three").ok();
    assert_eq!(log(&env, ""), ["three", "two -1"]);
}

#[test]
fn a_forget_that_is_partly_gone_is_undone_as_far_as_possible() {
    let env = commits(&["one", "two", "three", "four"]);
    let two = id(&env, "two");
    env.undo("forget @~2").ok();
    env.undo("gc --now").ok();
    env.undo("forget @~").ok();
    env.undo("undo").ok();
    assert_eq!(log(&env, ""), ["four", "three -1", "one"]);
    env.undo(&format!("show {two}")).shows(str![[r#"
---- stderr ----
error: commit [ID] was forgotten and no longer exists
hint: to list forgotten commits that can be recalled: undo recall
[exit 2]

"#]]);
}

#[test]
fn undo_passes_over_states_that_no_longer_exist() {
    let env = commits(&["one", "two", "three", "four", "five", "six"]);
    env.undo("forget @~2 @~3").ok();
    env.undo("gc --now").ok();
    env.undo("undo").ok();
    assert_eq!(log(&env, "@"), ["five -2", "two", "one"]);
    env.undo("undo").shows(str![[r#"
undid [ID]  commit: main [ID]: 1 modified
undid [ID]  commit: main [ID]: 1 modified
undid [ID]  commit: main [ID]: 1 modified
passed over 2 states with commits that no longer exist
2 forgotten commits can no longer be recalled
main [ID]  the directory is unchanged
---- stderr ----
hint: to redo: undo redo
hint: to restore the directory as recorded then: undo checkout [ID]

"#]]);
    assert_eq!(log(&env, "@"), ["two", "one"]);
    env.undo("undo").ok();
    assert_eq!(log(&env, "@"), ["one"]);
    env.undo("redo").ok();
    env.undo("redo").ok();
    assert_eq!(log(&env, "@"), ["five -2", "two", "one"]);
    env.undo("undo 2").ok();
    assert_eq!(log(&env, "@"), ["one"]);
    env.undo("redo 3").ok();
    assert_eq!(log(&env, "@"), ["six", "five -2", "two", "one"]);
    env.undo("undo 3").ok();
    assert_eq!(log(&env, "@"), ["one"]);
    env.undo("verify").ok();
}

#[test]
fn names_of_earlier_states_say_that_the_commit_no_longer_exists() {
    let env = commits(&["one", "two", "three"]);
    env.undo("checkout @~").ok();
    env.undo("checkout @~").ok();
    env.undo("checkout latest").ok();
    env.undo("forget latest~2").ok();
    env.undo("gc --now").ok();
    env.undo("checkout -").shows(str![[r#"
---- stderr ----
error: commit [ID] was forgotten and no longer exists
hint: to list forgotten commits that can be recalled: undo recall
[exit 2]

"#]]);
    env.undo("show '@{2026-01-05 08:01:30}'").fails(2);
    env.undo("diff -").fails(2);
    env.undo("log -").fails(2);
}

#[test]
fn steps_bring_no_removed_commit_back() {
    let env = commits(&["one", "two", "three"]);
    let two = id(&env, "two");
    for line in ["forget @~", &format!("recall {two}"), "undo", "gc --now", "redo", "undo", "redo"] {
        drop(env.undo(line));
        env.undo("verify").ok();
    }
    assert_eq!(log(&env, ""), ["three -1", "one"]);
    env.undo("gc").ok();
}

#[test]
fn removed_commit_that_is_made_again_is_in_the_history() {
    let env = commits(&["one", "two", "three"]);
    let commit = |parent: &str| {
        let line = format!("commit-tree -p {parent} --date 2026-02-01T00:00:00Z -m again @^{{tree}}");
        env.undo(&line).ok().text().trim().to_owned()
    };
    let again = commit("@");
    env.undo(&format!("update-ref refs/heads/other {again}")).ok();
    let child = commit(&again);
    env.undo(&format!("update-ref refs/heads/other {child}")).ok();
    env.undo(&format!("forget {again}")).ok();
    env.undo("gc --now").ok();
    assert_eq!(commit("@"), again);
    env.undo(&format!("update-ref refs/heads/third {again}")).ok();
    assert!(log(&env, "").contains(&"again".to_owned()), "{:?}", log(&env, ""));
    env.undo("branch -d third").ok();
    assert_eq!(log(&env, "").iter().filter(|line| *line == "again").count(), 2, "{:?}", log(&env, ""));
    env.undo("verify").ok();
}
