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
