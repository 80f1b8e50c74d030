//! Settings of the user, below those of the repository.

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};

use snapbox::str;

use crate::env::TestEnv;

const FILE: &str = "home/.config/undo/config.toml";

fn write(env: &TestEnv, text: &str) {
    let path = env.root().join(FILE);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, text).unwrap();
}

fn read(env: &TestEnv) -> String {
    fs::read_to_string(env.root().join(FILE)).unwrap()
}

#[test]
fn global_settings_need_no_repository() {
    let env = TestEnv::new();
    env.undo("config user.name").shows(str![[r#"
---- stderr ----
error: no repository in `[ROOT]/work` or above it
hint: for the settings of all repositories: undo config --global
[exit 10]

"#]]);
    env.undo("config --global").shows(str![[r#"
agent.deadline = [DURATION] (default)
    how long a hook of an agent may take to record the directory
agent.prompts = false (default)
    also record the text of the prompts that an agent announces
agent.strict = false (default)
    block a tool of an agent if the directory could not be recorded before it
drill.max_age = none (default)
    age after which `undo status` warns that a target had no successful drill
gc.auto = true (default)
    collect garbage in the background after a commit if a quarter of the store is waste
gc.grace = 7d (default)
    how long forgotten commits and purged content can be taken back
history.keep = within 7d, daily within 90d, weekly (default)
    automatic commits to keep; the others are forgotten
history.max_size = none (default)
    size of the repository above which `undo gc` forgets old commits, automatic ones first
history.min_free = none (default)
    free space below which `undo gc` forgets old commits, automatic ones first
shell.guard = default (default)
    commands before which the shell hook records the directory
shell.strict = false (default)
    refuse a guarded command if the directory could not be recorded before it
store.compression = zstd:1 (default)
    compression of new content; stored content does not change
store.reflink = true (default)
    share disk blocks between large files and the store instead of copying, if the file system supports it
target.max_age = 7d (default)
    age after which `undo status` warns about a copy that lacks commits
target.password_command = (default)
    command that prints the password of the target $UNDO_TARGET; if empty, undo asks for the password
user.name = (default)
    author of commits; if empty, the login name

"#]]);
    env.undo("config --global user.name 'Ada L.'").shows(str![[r#"
user.name = Ada L. (user)
    author of commits; if empty, the login name

"#]]);
    assert_eq!(read(&env), "[user]\nname = \"Ada L.\"\n");
    let mode = |path: &str| fs::metadata(env.root().join(path)).unwrap().permissions().mode() & 0o777;
    assert_eq!((mode(FILE), mode("home/.config/undo")), (0o600, 0o700));
    env.undo("config --global user.name").shows(str![[r#"
Ada L.

"#]]);
    env.undo("config --global --json user.name").shows(str![[r#"
{"type":"setting","key":"user.name","value":"Ada L.","default":false,"source":"user"}

"#]]);
    env.undo("config --global --unset user.name --json").shows(str![[r#"
{"type":"setting","key":"user.name","value":"","default":true,"source":"default"}

"#]]);
    assert_eq!(read(&env), "[user]\n");
}

#[test]
fn removing_an_unset_setting_creates_no_file() {
    let env = TestEnv::new();
    env.undo("config --global --unset user.name").ok();
    assert!(!env.root().join("home/.config").exists());
}

#[test]
fn repository_settings_override_those_of_the_user() {
    let env = TestEnv::initialised();
    write(&env, "# mine\n[user]\nname = \"Ada\" # me\n[store]\ncompression = \"zstd:3\"\n");
    env.write("a", "1");
    env.undo("commit -m one").ok();
    assert_eq!(env.undo("show --json").json()[0]["author"], "Ada");
    env.undo("config user.name Grace").ok();
    env.write("a", "2");
    env.undo("commit -m two").ok();
    assert_eq!(env.undo("show --json").json()[0]["author"], "Grace");
    env.undo("config").shows(str![[r#"
agent.deadline = [DURATION] (default)
    how long a hook of an agent may take to record the directory
agent.prompts = false (default)
    also record the text of the prompts that an agent announces
agent.strict = false (default)
    block a tool of an agent if the directory could not be recorded before it
drill.max_age = none (default)
    age after which `undo status` warns that a target had no successful drill
gc.auto = true (default)
    collect garbage in the background after a commit if a quarter of the store is waste
gc.grace = 7d (default)
    how long forgotten commits and purged content can be taken back
history.keep = within 7d, daily within 90d, weekly (default)
    automatic commits to keep; the others are forgotten
history.max_size = none (default)
    size of the repository above which `undo gc` forgets old commits, automatic ones first
history.min_free = none (default)
    free space below which `undo gc` forgets old commits, automatic ones first
shell.guard = default (default)
    commands before which the shell hook records the directory
shell.strict = false (default)
    refuse a guarded command if the directory could not be recorded before it
store.compression = zstd:3 (user)
    compression of new content; stored content does not change
store.reflink = true (default)
    share disk blocks between large files and the store instead of copying, if the file system supports it
store.shared = owner (default)
    who can use the repository: its owner only, or also the members of the directory's group
target.max_age = 7d (default)
    age after which `undo status` warns about a copy that lacks commits
target.password_command = (default)
    command that prints the password of the target $UNDO_TARGET; if empty, undo asks for the password
user.name = Grace (repository)
    author of commits; if empty, the login name
worktree.cross_mounts = false (default)
    also record file systems and bind mounts inside the worktree

"#]]);
    env.undo("config --unset user.name").shows(str![[r#"
user.name = Ada (user)
    author of commits; if empty, the login name

"#]]);
    env.undo("config --global user.name 'Ada L.'").ok();
    assert_eq!(read(&env), "# mine\n[user]\nname = \"Ada L.\" # me\n[store]\ncompression = \"zstd:3\"\n");
    assert_eq!(env.undo("config user.name").text(), "Ada L.\n");
}

#[test]
fn settings_of_one_repository_are_not_user_wide() {
    let env = TestEnv::initialised();
    env.undo("config --global store.shared group").shows(str![[r#"
---- stderr ----
error: `store.shared` belongs to one repository and cannot be set user-wide
hint: to set it: undo config store.shared VALUE
[exit 2]

"#]]);
    env.undo("config --global worktree.cross_mounts").fails(2);
    env.undo("config --global user.nam x").fails(2);
    assert!(!env.root().join("home/.config").exists());
}

#[test]
fn invalid_user_settings_are_reported_and_stop_no_command() {
    let env = TestEnv::initialised();
    env.write("a", "1");
    write(&env, "[user]\nname = 'Ada'\nnam = 'x'\n[store]\nshared = 'group'\n");
    env.undo("status").shows(str![[r#"
on main, no commits yet
  added     a
1 change: 1 added
---- stderr ----
warning: a user-wide setting is ignored: `[ROOT]/home/.config/undo/config.toml` line 3: no setting `user.nam`
warning: a user-wide setting is ignored: `[ROOT]/home/.config/undo/config.toml` line 5: `store.shared` belongs to one repository and cannot be set user-wide

"#]]);
    env.undo("commit -qm one").ok();
    assert_eq!(env.undo("show --json").json()[0]["author"], "Ada");
    assert_eq!(env.undo("config store.shared").text(), "owner\n");
    env.undo("config --global user.name Grace").shows(str![[r#"
---- stderr ----
error: `[ROOT]/home/.config/undo/config.toml` line 3: no setting `user.nam`
hint: valid settings: agent.deadline, agent.prompts, agent.strict, drill.max_age, gc.auto, gc.grace, history.keep, history.max_size, history.min_free, shell.guard, shell.strict, store.compression, store.reflink, store.shared, target.max_age, target.password_command, user.name, worktree.cross_mounts
[exit 2]

"#]]);
    write(&env, "[user\n");
    env.undo("tag --json").shows(str![[r#"
{"type":"summary","count":0}
---- stderr ----
{"type":"warning","message":"the user-wide settings are ignored: `[ROOT]/home/.config/undo/config.toml` line 1: not TOML: unclosed table, expected `]`","paths":[]}

"#]]);
    write(&env, "");
    fs::remove_file(env.root().join(FILE)).unwrap();
    fs::create_dir(env.root().join(FILE)).unwrap();
    env.undo("status").shows(str![[r#"
on main at [ID], 5 minutes ago  one
no changes
---- stderr ----
warning: the user-wide settings are ignored: `[ROOT]/home/.config/undo/config.toml` is not a regular file but a directory

"#]]);
    env.undo("run -- true").ok();
}

#[test]
fn xdg_config_home_names_the_folder() {
    let env = TestEnv::new();
    env.set("XDG_CONFIG_HOME", env.root().join("tmp/settings"));
    env.undo("config --global user.name Ada").ok();
    assert!(env.root().join("tmp/settings/undo/config.toml").exists() && !env.root().join("home/.config").exists());
    // The specification of these variables requires absolute paths.
    env.set("XDG_CONFIG_HOME", "settings");
    env.undo("config --global user.name Grace").ok();
    assert!(read(&env).contains("Grace") && !env.path().join("settings").exists());
}

#[test]
fn a_linked_settings_file_stays_a_link() {
    let env = TestEnv::new();
    write(&env, "");
    let kept = env.root().join("home/dotfiles.toml");
    fs::rename(env.root().join(FILE), &kept).unwrap();
    symlink(&kept, env.root().join(FILE)).unwrap();
    env.undo("config --global user.name Ada").ok();
    assert!(env.root().join(FILE).is_symlink());
    assert_eq!(fs::read_to_string(kept).unwrap(), "[user]\nname = \"Ada\"\n");
}
