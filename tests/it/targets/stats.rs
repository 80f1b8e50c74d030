//! `stats --target`: what a target takes.

use std::fs;
use std::path::Path;

use snapbox::str;

use super::copies::{files, with_history};

#[test]
fn stats_of_a_target_transcript() {
    let env = with_history();
    env.undo("target add disk ../target").ok();
    env.undo("push").ok();
    env.undo("stats --target disk").shows(str![[r#"
[ID]  [..]:[ROOT]/work  2 commits, files 9.06 MiB, pushed [..] by [..]
9.[..] MiB in disk: [ROOT]/target
  content   9.[..] MiB  1 pack
  metadata  [..] KiB  1 pack, [..] objects
  log       [..] KiB  2 entries
  keys      394 B     2 files
2 commits of 1 directory; what nothing needs: undo gc --target disk -n

"#]]);
}

#[test]
fn the_parts_of_a_target_add_up() {
    let env = with_history();
    env.undo("target add disk ../target").ok();
    env.undo("push").ok();
    let orphan = env.root().join("target/meta/ab").join("ab".repeat(32));
    fs::create_dir_all(orphan.parent().unwrap()).unwrap();
    fs::write(&orphan, "orphan").unwrap();
    let forgotten = env.undo("forget --target disk @~1").ok();
    assert!(forgotten.text().contains("1 commit forgotten"));
    env.undo("purge data/large.bin").ok();
    env.undo("push").ok();
    env.undo("gc --target disk").ok();
    let record = env.undo("stats --target disk --json").ok().json().pop().unwrap();
    let target = env.root().join("target");
    let size = |folder: &Path| files(folder).iter().map(|(_, bytes)| bytes.len() as u64).sum::<u64>();
    let parts = ["data", "meta", "index", "log", "fold", "keys"].map(|folder| target.join(folder));
    let all: u64 = parts.iter().filter(|folder| folder.exists()).map(|folder| size(folder)).sum();
    assert_eq!(record["total"], all, "{record}");
    let bytes = |part: &str| record[part]["bytes"].as_u64().unwrap();
    let names = ["data", "meta", "indexes", "log", "folds", "keys", "condemned", "unnamed"];
    assert_eq!(names.map(bytes).iter().sum::<u64>(), all, "{record}");
    assert_eq!((bytes("unnamed"), &record["unnamed"]["files"]), (6, &1.into()));
    assert!(bytes("condemned") > 9 << 20, "{record}");
    assert_eq!(
        (&record["log"]["files"], &record["commits"], &record["directories"]),
        (&5.into(), &1.into(), &1.into())
    );
}

#[test]
fn searches_need_the_repository() {
    let env = with_history();
    env.undo("target add disk ../target").ok();
    for option in ["--commits", "--paths", "--growth"] {
        assert_eq!(env.undo(&format!("stats --target disk {option}")).code, 2, "{option}");
    }
}
