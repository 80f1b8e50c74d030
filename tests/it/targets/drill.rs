//! Drills: proof that a target can be restored.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::process::Stdio;
use std::time::Duration;

use super::copies::{files, noise, with_history};
use crate::env::TestEnv;

fn pushed() -> TestEnv {
    let env = with_history();
    env.undo("target add disk ../target").ok();
    env.undo("push").ok();
    env
}

#[test]
fn a_drill_restores_everything_and_leaves_nothing() {
    let env = pushed();
    env.undo("drill").ok().shows(snapbox::str![[r#"
restored [ID] from disk: 4 files, 9.06 MiB in [DURATION]
every restored file is as recorded

"#]]);
    let remembered = fs::read(env.path().join(".undo/targets/disk")).unwrap();
    let record = env.undo("drill --json").ok().json().remove(0);
    let now = fs::read(env.path().join(".undo/targets/disk")).unwrap();
    assert!(now != remembered, "the time of the last drill is kept");
    env.undo("drill --run false").fails(1);
    assert!(fs::read(env.path().join(".undo/targets/disk")).unwrap() == now, "a drill that failed does not count");
    assert_eq!(record["type"], "drill");
    assert_eq!((&record["local"], &record["success"], &record["files"]), (&true.into(), &true.into(), &4.into()));
    assert_eq!(record["bytes"], record["bytes_total"]);
    assert_eq!(record["differences"], serde_json::json!([]));
    assert_eq!(fs::read_dir(env.root().join("tmp")).unwrap().count(), 0);
}

#[test]
fn a_drill_reads_nothing_of_the_repository() {
    let env = pushed();
    for (path, bytes) in files(&env.path().join(".undo/packs")) {
        fs::write(&path, vec![0; bytes.len()]).unwrap();
    }
    env.undo("drill --sample 100%").ok();
}

#[test]
fn a_sample_restores_some_files() {
    let env = pushed();
    for n in 0..100 {
        env.write(&format!("many/{n}"), format!("{n}"));
    }
    env.write(".undoignore", "many\n");
    env.write(".gitignore", "data\n");
    env.undo("commit").ok();
    env.undo("push").ok();
    env.undo("drill").ok();
    let record = env.undo("drill --sample 5% --json").ok().json().remove(0);
    let (files, total) = (record["files"].as_u64().unwrap(), record["files_total"].as_u64().unwrap());
    assert!(files == total.div_ceil(20), "{record}");
    assert!(record["milliseconds_estimated"].is_u64());
    assert_eq!(env.undo("drill --sample 0%").code, 2);
}

#[test]
fn a_command_checks_the_restored_files() {
    let env = pushed();
    env.undo("drill --run 'grep -q 4,5,6 data/values.csv && echo checked' --report report.json").ok();
    let report: serde_json::Value = serde_json::from_slice(&env.read("report.json")).unwrap();
    assert_eq!((&report["exit"], &report["success"]), (&0.into(), &true.into()));
    env.undo("drill --run 'exit 7'").fails(1).shows(snapbox::str![[r#"
restored [ID] from disk: 4 files, 9.06 MiB in [DURATION]
the command ended with status 7
every restored file is as recorded
[exit 1]

"#]]);
}

#[test]
fn damage_is_found() {
    let env = pushed();
    let (path, mut bytes) = files(&env.root().join("target/data")).into_iter().max_by_key(|(_, b)| b.len()).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    fs::write(path, bytes).unwrap();
    env.undo("drill").fails(5);
    assert_eq!(fs::read_dir(env.root().join("tmp")).unwrap().count(), 0);
}

#[test]
fn lost_objects_come_from_a_target() {
    let env = pushed();
    for (path, _) in files(&env.path().join(".undo/packs")) {
        fs::remove_file(path).unwrap();
    }
    fs::remove_file(env.path().join("data/large.bin")).unwrap();
    env.undo("verify").fails(5);
    env.undo("repair -n --from disk").ok();
    env.undo("verify").fails(5);
    env.undo("repair --from disk").ok();
    env.undo("verify").ok();
    env.undo("checkout @").ok();
    assert_eq!(env.read("data/large.bin").len(), 9 << 20);
}

#[test]
fn a_directory_is_preferred_to_a_target_of_its_name() {
    let env = pushed();
    env.undo("repair --from nothing").fails(10);
    fs::create_dir(env.path().join("disk")).unwrap();
    let refused = env.undo("repair --from disk").fails(10);
    let text = String::from_utf8(refused.stderr).unwrap();
    assert!(text.contains("directory disk, not in the target"), "{text}");
}

#[test]
fn restored_directories_without_access_are_removed() {
    let env = pushed();
    fs::create_dir(env.path().join("closed")).unwrap();
    env.write("closed/file", "x");
    fs::set_permissions(env.path().join("closed"), fs::Permissions::from_mode(0o500)).unwrap();
    env.undo_as_user("commit").ok();
    env.undo_as_user("push").ok();
    env.undo_as_user("drill").ok();
    assert_eq!(fs::read_dir(env.root().join("tmp")).unwrap().count(), 0);
    fs::set_permissions(env.path().join("closed"), fs::Permissions::from_mode(0o700)).unwrap();
}

#[test]
fn an_interrupted_drill_leaves_nothing() {
    let env = pushed();
    for n in 0..20 {
        env.write(&format!("noise-{n}"), noise(n, 2 << 20));
    }
    env.undo("commit").ok();
    env.undo("push").ok();
    let config = env.path().join(".undo/config.toml");
    fs::write(&config, fs::read_to_string(&config).unwrap() + "limit_down = \"2M\"\n").unwrap();
    let mut child = env.command(env!("CARGO_BIN_EXE_undo")).args(["drill"]).stderr(Stdio::piped()).spawn().unwrap();
    let tmp = env.root().join("tmp");
    while !fs::read_dir(&tmp).unwrap().any(|entry| entry.unwrap().path().join("store/tmp").exists()) {
        assert!(child.try_wait().unwrap().is_none(), "the drill has ended");
        std::thread::sleep(Duration::from_millis(10));
    }
    rustix::process::kill_process(rustix::process::Pid::from_child(&child), rustix::process::Signal::TERM).unwrap();
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(143));
    let message = String::from_utf8(output.stderr).unwrap();
    assert!(message.contains("error: interrupted: the restored files were removed"), "{message}");
    assert_eq!(fs::read_dir(&tmp).unwrap().count(), 0);
}

#[test]
fn purged_files_are_named_by_the_purge_and_by_drills() {
    let env = pushed();
    let purged = env.undo("purge data/values.csv").ok().to_string();
    assert!(
        purged.contains("hint: to remove it from target disk: undo push disk && undo gc --target disk"),
        "{purged}"
    );
    env.undo("push").ok();
    for sample in ["", " --sample 50%"] {
        let drilled = env.undo(&format!("drill{sample}")).ok().to_string();
        assert!(drilled.contains("not restored, because the content was purged"), "{drilled}");
        assert!(drilled.contains("data/values.csv"), "{drilled}");
        let record = env.undo(&format!("drill{sample} --json")).ok().json().remove(0);
        assert_eq!(record["purged"], serde_json::json!([{ "path": "data/values.csv" }]), "{record}");
    }
    env.undo("gc --target disk").ok();
    // The hint appears only if there is a copy elsewhere.
    env.undo("target remove disk").ok();
    assert!(!env.undo("purge notes.txt").ok().to_string().contains("target"));
}
