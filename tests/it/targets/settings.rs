//! Settings of targets.

use std::fs;

use snapbox::str;

use super::copies::with_history;
use crate::env::TestEnv;

fn config(env: &TestEnv) -> String {
    fs::read_to_string(env.path().join(".undo/config.toml")).unwrap()
}

#[test]
fn config_shows_and_changes_the_settings_of_a_target() {
    let env = with_history();
    env.undo("target add disk ../disk").ok();
    env.undo("config target.disk.connections").ok().shows(str![[r#"
4

"#]]);
    env.undo("config target.disk.connections 8").ok().shows(str![[r#"
target.disk.connections = 8 (repository)
    maximum number of requests at the same time

"#]]);
    env.undo("config target.disk.limit_up 2M").ok().shows(str![[r#"
target.disk.limit_up = 2M (repository)
    maximum number of bytes a second to the target

"#]]);
    env.undo("config target.disk.limit_up --json").ok().shows(str![[r#"
{"type":"setting","key":"target.disk.limit_up","value":"2M","default":false,"source":"repository"}

"#]]);
    assert!(config(&env).contains("\nconnections = 8\nlimit_up = \"2M\"\n"), "{}", config(&env));
    let listed = env.undo("config").ok().text();
    let of_target: Vec<&str> = listed.lines().filter(|line| line.starts_with("target.disk.")).collect();
    assert_eq!(of_target.len(), 7, "{listed}");
    assert!(of_target.contains(&"target.disk.connections = 8 (repository)"), "{listed}");
    assert!(of_target.contains(&"target.disk.limit_down = none (default)"), "{listed}");
    env.undo("config --unset target.disk.limit_up").ok().shows(str![[r#"
target.disk.limit_up = none (default)
    maximum number of bytes a second to the target

"#]]);
    env.undo("config --unset target.disk.connections").ok();
    env.undo("push").ok();
}

#[test]
fn wrong_settings_of_targets_are_refused() {
    let env = with_history();
    env.undo("config target.nas.connections").shows(str![[r#"
---- stderr ----
error: no target `nas`
hint: add one: undo target add NAME URL
[exit 2]

"#]]);
    env.undo("target add disk ../disk").ok();
    let before = config(&env);
    env.undo("config target.nas.connections 8").shows(str![[r#"
---- stderr ----
error: no target `nas`
hint: targets: disk
[exit 2]

"#]]);
    env.undo("config target.disk.conections 8").shows(str![[r#"
---- stderr ----
error: no setting `target.disk.conections`
hint: valid settings of a target: auto, connections, endpoint, limit_down, limit_up, region, url
[exit 2]

"#]]);
    env.undo("config target.disk").shows(str![[r#"
---- stderr ----
error: no setting `target.disk`
hint: valid settings of a target: target.NAME.KEY; KEY is one of auto, connections, endpoint, limit_down, limit_up, region, url
[exit 2]

"#]]);
    env.undo("config target.disk.connections 65").shows(str![[r#"
---- stderr ----
error: invalid value `65` for `target.disk.connections`
hint: valid values: 1 to 64
[exit 2]

"#]]);
    env.undo("config target.disk.limit_up fast").shows(str![[r#"
---- stderr ----
error: invalid value `fast` for `target.disk.limit_up`
hint: valid values: none, or bytes a second such as 2M
[exit 2]

"#]]);
    env.undo("config target.disk.auto always").shows(str![[r#"
---- stderr ----
error: invalid value `always` for `target.disk.auto`
hint: valid values: none, commit
[exit 2]

"#]]);
    env.undo("config target.disk.region eu-central-1").shows(str![[r#"
---- stderr ----
error: `[ROOT]/disk` is not in S3: an endpoint and a region are for s3:// addresses
[exit 2]

"#]]);
    env.undo("config --unset target.disk.url").shows(str![[r#"
---- stderr ----
error: `target.disk.url` is required
hint: to forget the target: undo target remove disk
[exit 2]

"#]]);
    env.undo("config target.disk.url ../nowhere").shows(str![[r#"
---- stderr ----
error: no target found at [ROOT]/nowhere
hint: move the target there first
[exit 2]

"#]]);
    assert_eq!(config(&env), before);
    // An invalid file.
    env.write(".undo/config.toml", before.clone() + "connections = 100\n");
    env.undo("config target.disk.limit_up 2M").shows(str![[r#"
---- stderr ----
warning: a setting of the repository is ignored: `[ROOT]/work/.undo/config.toml` line 1: invalid value `100` for `target.disk.connections`
error: `[ROOT]/work/.undo/config.toml` line 1: invalid value `100` for `target.disk.connections`
hint: valid values: 1 to 64
[exit 2]

"#]]);
}

#[test]
fn a_moved_target_goes_on_with_what_was_pushed() {
    let env = with_history();
    env.undo("target add disk ../disk").ok();
    env.undo("push").ok();
    env.undo("target add other ../other").ok();
    env.undo("config target.disk.url ../other").shows(str![[r#"
---- stderr ----
error: another target than `disk` is at [ROOT]/other
hint: to use both, add it: undo target add NAME URL
[exit 4]

"#]]);
    fs::rename(env.root().join("disk"), env.root().join("moved")).unwrap();
    env.undo("config target.disk.url ../moved").ok().shows(str![[r#"
target.disk.url = [ROOT]/moved (repository)
    where the target is

"#]]);
    env.undo("status").ok().shows(str![[r#"
on main at [ID], 6 minutes ago  second
last copy elsewhere: 4 minutes ago on disk, up to date; the whole history was never pushed to other
no changes

"#]]);
    env.write("new", "new");
    env.undo("commit -m third").ok();
    env.undo("push disk").ok();
    env.undo("target show disk --json").ok();
    assert_eq!(env.undo("target show disk --json").ok().json().len(), 2, "one directory, and the summary");
}

#[test]
fn targets_of_the_users_settings_say_where_they_are() {
    let env = with_history();
    env.undo("target add disk ../disk").ok();
    let path = env.root().join("home/.config/undo/config.toml");
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::rename(env.path().join(".undo/config.toml"), &path).unwrap();
    env.undo("push").ok();
    env.undo("target remove disk").shows(str![[r#"
---- stderr ----
error: target `disk` is in the user's settings, `[ROOT]/home/.config/undo/config.toml`, not in those of this repository
hint: to forget it in all repositories, remove the table `[target.disk]` from that file
[exit 2]

"#]]);
    env.undo("config target.disk.connections 8").shows(str![[r#"
---- stderr ----
error: target `disk` is in the user's settings, `[ROOT]/home/.config/undo/config.toml`, not in those of this repository
hint: to set it: undo config --global target.disk.connections VALUE
[exit 2]

"#]]);
    env.undo("config --global target.disk.connections 8").ok().shows(str![[r#"
target.disk.connections = 8 (user)
    maximum number of requests at the same time

"#]]);
    env.undo("config target.disk.connections --json").ok().shows(str![[r#"
{"type":"setting","key":"target.disk.connections","value":"8","default":false,"source":"user"}

"#]]);
    env.undo("config --global target.disk.url /elsewhere").shows(str![[r#"
---- stderr ----
error: the URL of a target in the user's settings cannot be changed by a command
hint: edit the file: [ROOT]/home/.config/undo/config.toml
[exit 2]

"#]]);
    env.undo("config --global target.nas.connections 8").shows(str![[r#"
---- stderr ----
error: no target `nas`
hint: targets: disk
[exit 2]

"#]]);
    assert!(env.undo("config --global").ok().text().contains("target.disk.connections = 8 (user)\n"));
    env.undo("push").ok();
    env.undo("target remove nothing").shows(str![[r#"
---- stderr ----
error: no target `nothing`
hint: targets: disk
[exit 2]

"#]]);
}

#[test]
fn addresses_are_stored_without_dots() {
    let env = with_history();
    fs::create_dir_all(env.root().join("disks/one")).unwrap();
    std::os::unix::fs::symlink("../disks/one", env.path().join("link")).unwrap();
    env.undo("target add plain ./data/../../plain").ok().to_string();
    env.undo("target add linked link/../copies").ok();
    assert!(env.root().join("plain/target").exists() && env.root().join("disks/copies/target").exists());
    let urls: Vec<String> = env.undo("target list --json").ok().json()[..2]
        .iter()
        .map(|target| target["url"].as_str().unwrap().to_owned())
        .collect();
    let expected = ["plain", "disks/copies"].map(|path| env.root().join(path).to_str().unwrap().to_owned());
    assert_eq!(urls, expected);
    // It no longer matters what is on the way that was typed.
    fs::remove_file(env.path().join("link")).unwrap();
    env.undo("push linked").ok();
}
