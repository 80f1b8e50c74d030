//! Automatic commits: what hooks, agents and cron jobs record beside the branch.

use std::fs;

use snapbox::str;

use crate::env::TestEnv;

#[test]
fn an_automatic_commit_leaves_everything_else_as_it_is() {
    let env = TestEnv::new();
    env.undo("init").ok();
    env.write("a", "1");
    env.undo("commit -m first").ok();
    env.write("a", "2");
    let before = [env.undo("status --json").text(), env.undo("branch --json").text(), env.undo("diff").text()];
    env.undo("commit --auto -m 'before: make'").ok();
    let after = [env.undo("status --json").text(), env.undo("branch --json").text(), env.undo("diff").text()];
    assert_eq!(before, after);
    assert_eq!(env.undo("commit -m second --json").json()[0]["created"], true, "its message is not dropped");
    assert_eq!(env.undo("log --json @~1 -n 1").json()[0]["message"], "first");
}

#[test]
fn settings_of_hooks_in_the_file_of_a_repository_are_ignored_with_a_warning() {
    let env = TestEnv::new();
    env.undo("init").ok();
    fs::write(env.path().join(".undo/config.toml"), "[shell]\nguard = \"\"\n[user]\nname = \"Ann\"\n").unwrap();
    env.undo("config shell.strict true").shows(str![[r#"
---- stderr ----
warning: `[ROOT]/work/.undo/config.toml` line 2: a setting of the repository is ignored: `shell.guard` can be set only user-wide
error: `shell.strict` can be set only user-wide
hint: to set it: undo config --global shell.strict VALUE
[exit 2]

"#]]);
    env.write("a", "1");
    env.undo("commit").shows(str![[r#"
main [ID]  1 added, 0 modified, 0 deleted  (1 B read, 12.0 KiB stored)
---- stderr ----
warning: `[ROOT]/work/.undo/config.toml` line 2: a setting of the repository is ignored: `shell.guard` can be set only user-wide
hint: to restore this state: undo checkout [ID]

"#]]);
    assert_eq!(env.undo("log --json").json()[0]["author"], "Ann", "the other settings are in force");
}
