//! Files that change while they are recorded: the commit reports them, and so does every command that restores them.

use std::fs::OpenOptions;
use std::os::unix::fs::FileExt;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::env::{Output, TestEnv};

/// Runs a command while files are written constantly.
fn while_written(env: &TestEnv, names: &[&str], line: &str) -> Output {
    let is_done = AtomicBool::new(false);
    let files: Vec<_> =
        names.iter().map(|name| OpenOptions::new().write(true).open(env.path().join(name)).unwrap()).collect();
    std::thread::scope(|scope| {
        scope.spawn(|| {
            let mut n = 0_u64;
            while !is_done.load(Ordering::Relaxed) {
                n += 1;
                files.iter().for_each(|file| file.write_all_at(&n.to_le_bytes(), 4096).unwrap());
            }
        });
        let output = env.undo(line);
        is_done.store(true, Ordering::Relaxed);
        output
    })
}

fn torn(value: &serde_json::Value) -> Vec<&str> {
    value["torn"].as_array().unwrap().iter().map(|one| one["path"].as_str().unwrap()).collect()
}

fn unstable() -> TestEnv {
    let env = TestEnv::initialised();
    env.write("d/busy", vec![1; 8 << 20]);
    env.write("calm", "1");
    let report = while_written(&env, &["d/busy"], "commit -m unstable --json").fails(3).json();
    assert_eq!(torn(&report[0]), ["d/busy"]);
    env.undo("tag unstable").ok();
    env.write("d/busy", "later");
    env.write("calm", "2");
    env.undo("commit -m stable").ok();
    env.undo("tag stable").ok();
    env
}

#[test]
fn restoring_unstable_file_is_reported() {
    let env = unstable();
    let text = env.undo("checkout unstable").fails(3).to_string();
    assert!(text.contains("changed while it was recorded: it may be a mix of two states\n  d/busy\n"), "{text}");
    // Nothing is restored, so nothing is reported.
    env.undo("checkout unstable").ok();
    env.undo("undo").ok();
    let report = env.undo("redo --json").fails(3).json();
    assert_eq!(torn(&report[0]), ["d/busy"]);
    env.undo("checkout stable").ok();
    for (line, names) in [("d", vec!["d/busy"]), ("d/busy", vec!["d/busy"]), ("calm", vec![])] {
        let report = env.undo(&format!("restore --from unstable {line} --json"));
        assert_eq!(
            (torn(&report.json()[0]), report.code),
            (names.clone(), if names.is_empty() { 0 } else { 3 }),
            "{line}"
        );
        env.undo("undo").ok();
    }
}

#[test]
fn exporting_unstable_file_is_reported() {
    let env = unstable();
    let report = env.undo("export unstable ../out --json").fails(3).json();
    assert_eq!(torn(&report[0]), ["d/busy"]);
    for line in
        ["export unstable ../out.tar", "export unstable -", "cat unstable:d/busy", "checkout-tree ../tree unstable"]
    {
        let output = env.undo(line).fails(3);
        let text = String::from_utf8(output.stderr).unwrap();
        assert!(text.contains("may be a mix of two states\n  d/busy\n"), "{line}: {text}");
    }
    for line in ["export stable ../other", "cat unstable:calm", "cat stable:d/busy"] {
        env.undo(line).ok();
    }
}

#[test]
fn commit_of_unstable_database_hints_at_consistent_copy() {
    let env = TestEnv::initialised();
    env.write("my app.db", vec![1; 4 << 20]);
    env.write("my app.db-wal", vec![1; 4 << 20]);
    env.write("pg/base/1/2", vec![1; 4 << 20]);
    env.write("pg/postmaster.pid", "1\n");
    let names = ["my app.db", "my app.db-wal", "pg/base/1/2"];
    let output = while_written(&env, &names, "commit").fails(3).to_string();
    let sqlite = "for a consistent copy of the database `my app.db`: sqlite3 'my app.db' \".backup 'my app.db.copy'\"";
    let sqlite = if output.contains(sqlite) { sqlite } else { r"sqlite3 'my app.db' '.backup '\''my app.db.copy'\'" };
    assert_eq!(output.matches(sqlite).count(), 1, "{output}");
    assert!(output.contains("PostgreSQL data in `pg` use `pg_basebackup` or `pg_dump`"), "{output}");
}
