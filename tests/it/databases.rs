//! Database files are recorded and restored together with their journals. Every test uses the real `sqlite3`.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::process::Command;

use crate::crash::{has_strace, killed_at};
use crate::env::TestEnv;
use crate::skip::skip;

pub fn has_sqlite() -> bool {
    let found = Command::new("sqlite3").arg("--version").output().is_ok();
    if !found {
        skip("sqlite3 is not installed");
    }
    found
}

/// Runs SQL and closes the database.
fn sql(env: &TestEnv, database: &str, script: &str) -> String {
    let output = env.command("sqlite3").arg(env.path().join(database)).arg(script).output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success(), "{text}{}", String::from_utf8_lossy(&output.stderr));
    text
}

/// Runs SQL, and kills the process while the database is open.
fn crash(env: &TestEnv, database: &str, script: &str) {
    let mut command = env.command("sqlite3");
    command.arg(env.path().join(database)).args([script, ".shell kill -9 $PPID"]);
    assert!(!command.output().unwrap().status.success());
}

/// Adds rows to the write-ahead log, and crashes.
fn crash_with_wal(env: &TestEnv, database: &str, rows: u32) {
    crash(
        env,
        database,
        &format!(
            "pragma journal_mode=wal; pragma wal_autocheckpoint=0; create table if not exists t(x);
             insert into t select value from generate_series(1,{rows});"
        ),
    );
    assert!(exists(env, &format!("{database}-wal")));
}

/// Crashes in a transaction that has already written to the database file, so the rollback journal is needed.
fn crash_with_rollback_journal(env: &TestEnv, database: &str) {
    crash(env, database, "pragma cache_size=1; begin; update t set x = x + 100000;");
    assert!(exists(env, &format!("{database}-journal")));
}

/// Creates a database in rollback mode.
fn create(env: &TestEnv, database: &str, rows: u32) {
    let rows = format!("insert into t select value from generate_series(1,{rows})");
    sql(env, database, &format!("pragma journal_mode=delete; create table t(x); {rows}"));
}

fn exists(env: &TestEnv, path: &str) -> bool {
    env.path().join(path).exists()
}

/// Checks a copy of a database, because opening may change it, and counts its rows.
#[track_caller]
fn rows(env: &TestEnv, database: &str) -> u32 {
    let copy = env.root().join("copy");
    fs::create_dir_all(&copy).unwrap();
    for suffix in ["", "-wal", "-shm", "-journal"] {
        let (from, to) = (env.path().join(format!("{database}{suffix}")), copy.join(format!("db{suffix}")));
        let _ = fs::remove_file(&to);
        if from.exists() {
            fs::copy(from, to).unwrap();
        }
    }
    let checked = sql(env, "../copy/db", "pragma integrity_check; select count(*) from t where x <= 100000");
    let rows = checked.strip_prefix("ok\n").unwrap_or_else(|| panic!("{checked}"));
    rows.trim().parse().unwrap()
}

fn names(env: &TestEnv, folder: &str) -> Vec<String> {
    let mut names: Vec<String> = fs::read_dir(env.path().join(folder))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| !name.starts_with(".undo"))
        .collect();
    names.sort();
    names
}

fn paths(value: &serde_json::Value) -> Vec<&str> {
    value.as_array().unwrap().iter().map(|one| one["path"].as_str().unwrap()).collect()
}

#[test]
fn restore_includes_wal() {
    if !has_sqlite() {
        return;
    }
    let env = TestEnv::initialised();
    crash_with_wal(&env, "app.db", 100);
    env.undo("commit -m one").ok();
    sql(&env, "app.db", "delete from t where x > 10; vacuum; create table other(y)");
    env.undo("commit -m two").ok();
    crash_with_wal(&env, "app.db", 3000);
    let report = env.undo("restore --from @~ app.db --json").ok().json();
    assert_eq!(paths(&report[0]["journals"]), ["app.db-shm", "app.db-wal"]);
    assert_eq!(rows(&env, "app.db"), 100);
    env.undo("undo").ok();
    assert_eq!(rows(&env, "app.db"), 3010);
    env.undo("redo").ok();
    assert_eq!(rows(&env, "app.db"), 100);
    // SQLite may change all files in between.
    sql(&env, "app.db", "delete from t");
    env.undo("undo").ok();
    assert_eq!(rows(&env, "app.db"), 3010);
    // The same by the name of a journal.
    let report = env.undo("restore --from @~ app.db-wal --json").ok().json();
    assert_eq!(paths(&report[0]["journals"]), ["app.db", "app.db-shm"]);
    assert_eq!(rows(&env, "app.db"), 100);
}

/// The commit has no journal, and SQLite would apply the existing one to the restored database.
#[test]
fn restore_removes_later_rollback_journal() {
    if !has_sqlite() {
        return;
    }
    let env = TestEnv::initialised();
    fs::create_dir(env.path().join("sub")).unwrap();
    create(&env, "sub/app db", 20);
    env.undo("commit -m one").ok();
    sql(&env, "sub/app db", "insert into t select value from generate_series(1,5000)");
    crash_with_rollback_journal(&env, "sub/app db");
    env.undo("restore 'sub/app db'").ok();
    assert_eq!((names(&env, "sub"), rows(&env, "sub/app db")), (vec!["app db".to_owned()], 20));
    env.undo("undo").ok();
    assert_eq!(names(&env, "sub"), ["app db", "app db-journal"]);
    assert_eq!(rows(&env, "sub/app db"), 5020);
}

/// Every command that restores saves ignored journals, and changes them with their database file.
#[test]
fn checkout_removes_ignored_journals() {
    if !has_sqlite() {
        return;
    }
    for rules in ["*-wal\n*-shm\n*-journal\n", "*.db-*\n"] {
        let env = TestEnv::initialised();
        env.write(".undoignore", rules);
        env.write("other-wal", "no database");
        create(&env, "roll.db", 20);
        sql(&env, "log.db", "pragma journal_mode=wal; create table t(x); insert into t values(1)");
        env.undo("commit -m one").ok();
        sql(&env, "roll.db", "insert into t select value from generate_series(1,5000)");
        sql(&env, "log.db", "insert into t select value from generate_series(1,50); vacuum");
        env.undo("commit -m two").ok();
        crash_with_rollback_journal(&env, "roll.db");
        crash_with_wal(&env, "log.db", 1000);
        let planned = env.undo("checkout @~ -n --json").ok().json();
        let planned: Vec<&str> = planned.iter().filter_map(|line| line["path"].as_str()).collect();
        assert_eq!(planned, ["log.db", "log.db-shm", "log.db-wal", "roll.db", "roll.db-journal"]);
        let report = env.undo("checkout @~ --json").ok().json();
        assert_eq!(paths(&report[0]["journals"]), ["log.db-shm", "log.db-wal", "roll.db-journal"]);
        assert_eq!(names(&env, "."), ["log.db", "other-wal", "roll.db"]);
        assert_eq!((rows(&env, "log.db"), rows(&env, "roll.db")), (1, 20));
        let back = || {
            assert_eq!((rows(&env, "log.db"), rows(&env, "roll.db")), (1051, 5020));
            assert!(exists(&env, "roll.db-journal") && exists(&env, "log.db-wal"));
        };
        env.undo("undo").ok();
        back();
        env.undo("redo").ok();
        assert_eq!((rows(&env, "log.db"), rows(&env, "roll.db")), (1, 20));
        assert_eq!(names(&env, "."), ["log.db", "other-wal", "roll.db"]);
        let first = env.undo("op log --json").ok().json();
        let first = first.iter().find(|line| line["verb"] == "checkout").unwrap()["id"].as_str().unwrap().to_owned();
        env.undo("undo").ok();
        env.undo(&format!("op restore {first}")).ok();
        assert_eq!((rows(&env, "log.db"), rows(&env, "roll.db")), (1, 20));
        env.undo("undo").ok();
        back();
        // A journal is not touched if its database is not.
        env.write("note", "1");
        env.undo("commit -m three note").ok();
        env.undo("restore --from @~ note").ok();
        back();
        env.undo("verify").ok();
    }
}

/// Only one of the two commits has the rules.
#[test]
fn ignore_rules_do_not_separate_database_and_journal() {
    if !has_sqlite() {
        return;
    }
    let env = TestEnv::initialised();
    crash_with_wal(&env, "app.db", 100);
    env.undo("commit -m recorded").ok();
    sql(&env, "app.db", "delete from t; vacuum");
    env.write(".undoignore", "*-wal\n*-shm\n");
    env.undo("commit -m ignored").ok();
    env.undo("tag ignored").ok();
    sql(&env, "app.db", "insert into t values(1)");
    crash_with_wal(&env, "app.db", 7);
    // Check out the commit with the journal, and then the one without.
    env.undo("checkout @~").ok();
    assert_eq!(rows(&env, "app.db"), 100);
    env.undo("checkout latest").ok();
    assert_eq!((rows(&env, "app.db"), exists(&env, "app.db-wal")), (8, true), "the saved commit has the journal");
    env.undo("checkout ignored").ok();
    assert_eq!((rows(&env, "app.db"), exists(&env, "app.db-wal")), (0, false));
}

#[test]
fn journals_follow_a_renamed_directory() {
    if !has_sqlite() {
        return;
    }
    let env = TestEnv::initialised();
    env.write(".undoignore", "*-wal\n*-shm\n");
    fs::create_dir(env.path().join("old")).unwrap();
    sql(&env, "old/app.db", "pragma journal_mode=wal; create table t(x); insert into t values(1)");
    env.undo("commit -m one").ok();
    crash_with_wal(&env, "old/app.db", 1000);
    fs::rename(env.path().join("old"), env.path().join("new")).unwrap();
    env.undo("checkout @").ok();
    assert_eq!((names(&env, "."), names(&env, "old")), (vec!["old".to_owned()], vec!["app.db".to_owned()]));
    assert_eq!(rows(&env, "old/app.db"), 1);
    env.undo("undo").ok();
    assert_eq!((names(&env, "."), rows(&env, "new/app.db")), (vec!["new".to_owned()], 1001));
}

/// The whole folder is ignored, but recorded in the target commit: the journal in it must be looked up.
#[test]
fn journal_in_ignored_folder_is_found() {
    if !has_sqlite() {
        return;
    }
    let env = TestEnv::initialised();
    fs::create_dir(env.path().join("cache")).unwrap();
    create(&env, "cache/app.db", 10);
    env.undo("commit -m one").ok();
    env.write(".undoignore", "cache/\n");
    env.undo("commit -m two").ok();
    sql(&env, "cache/app.db", "insert into t select value from generate_series(1,5000)");
    crash_with_rollback_journal(&env, "cache/app.db");
    env.undo("checkout @~").fails(4);
    assert_eq!(rows(&env, "cache/app.db"), 5010);
    env.undo("checkout --force @~").ok();
    assert_eq!((names(&env, "cache"), rows(&env, "cache/app.db")), (vec!["app.db".to_owned()], 10));
    env.undo("undo").ok();
    assert_eq!(rows(&env, "cache/app.db"), 5010);
}

#[test]
fn unsavable_journal_is_refused() {
    if !has_sqlite() {
        return;
    }
    let env = TestEnv::initialised();
    create(&env, "app.db", 10);
    env.undo("commit -m one").ok();
    sql(&env, "app.db", "insert into t select value from generate_series(1,5000)");
    crash_with_rollback_journal(&env, "app.db");
    let journal = env.path().join("app.db-journal");
    fs::set_permissions(&journal, fs::Permissions::from_mode(0o0)).unwrap();
    for line in ["checkout @", "checkout --force @", "restore app.db", "restore --force app.db"] {
        let output = env.undo_as_user(line).fails(4);
        assert!(output.to_string().contains("app.db-journal"), "{output}");
    }
    fs::set_permissions(&journal, fs::Permissions::from_mode(0o600)).unwrap();
    assert_eq!(rows(&env, "app.db"), 5010);
}

/// The database file is ignored and stays unchanged, so its recorded journal must stay too.
#[test]
fn journals_of_ignored_database_are_kept() {
    if !has_sqlite() {
        return;
    }
    let env = TestEnv::initialised();
    env.write(".undoignore", "*.db\n");
    crash_with_wal(&env, "app.db", 100);
    env.undo("commit -m one").ok();
    sql(&env, "app.db", "vacuum");
    crash_with_wal(&env, "app.db", 5);
    let report = env.undo("checkout @ --json").fails(3).json();
    assert!(paths(&report[0]["left_journals"]).contains(&"app.db-wal"));
    assert_eq!(rows(&env, "app.db"), 105);
}

#[test]
fn commit_of_database_includes_journal() {
    if !has_sqlite() {
        return;
    }
    let env = TestEnv::initialised();
    crash_with_wal(&env, "app.db", 100);
    env.write("other", "1");
    env.undo("commit -m one").ok();
    sql(&env, "app.db", "delete from t where x > 10; vacuum");
    crash_with_wal(&env, "app.db", 1);
    env.write("other", "2");
    let report = env.undo("commit -m two app.db --json").ok().json();
    assert_eq!(paths(&report[0]["journals"]), ["app.db-shm", "app.db-wal"]);
    assert_eq!(env.undo("cat @:other").ok().stdout, b"1");
    // Only journals that exist and are not ignored are included.
    sql(&env, "app.db", "pragma journal_mode=delete");
    env.write(".undoignore", "*-journal\n");
    crash_with_rollback_journal(&env, "app.db");
    env.undo("commit -m three app.db --json").ok();
    let listed = env.undo("ls @").ok().text();
    assert_eq!(listed, "app.db\nother\n");
    env.undo("checkout @~").ok();
    assert_eq!(rows(&env, "app.db"), 11);
}

/// The journal is ignored, so only the difference between the two commits shows that it must be removed when the
/// checkout is continued.
#[test]
fn killed_checkout_of_database_can_be_continued_or_undone() {
    if !has_sqlite() || !has_strace() {
        return;
    }
    let mut interrupted = 0;
    for (call, n) in [("renameat2", 1), ("renameat", 1), ("unlinkat", 2), ("unlinkat", 3)] {
        for (way, count) in [("checkout --continue", 20), ("undo", 5020)] {
            let env = TestEnv::initialised();
            env.write(".undoignore", "*-journal\n");
            create(&env, "app.db", 20);
            env.undo("commit -m one").ok();
            sql(&env, "app.db", "insert into t select value from generate_series(1,5000)");
            env.undo("commit -m two").ok();
            crash_with_rollback_journal(&env, "app.db");
            let was_killed = killed_at(&env, call, n, &["checkout", "@~"]);
            if !was_killed || !env.undo("status").to_string().contains("unfinished") {
                continue;
            }
            interrupted += 1;
            env.undo(way).ok();
            assert_eq!(rows(&env, "app.db"), count, "{call} {n} {way}");
            assert_eq!(exists(&env, "app.db-journal"), count == 5020, "{call} {n} {way}");
        }
    }
    assert!(interrupted >= 6, "{interrupted}");
}
