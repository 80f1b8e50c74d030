//! Files in use are not replaced: by a logger, an application with an open SQLite database, a running PostgreSQL.

mod postgres;

use std::fs::{self, OpenOptions};
use std::io::{BufRead, BufReader, Write};
use std::os::unix::fs::MetadataExt;
use std::process::{Child, ChildStdin, ChildStdout, Stdio};

use crate::concurrency::StoppedCommand;
use crate::databases::has_sqlite;
use crate::env::TestEnv;
use crate::skip::skip;

/// A program that executes lines sent to it, and answers each. Killed on drop.
struct Program {
    child: Child,
    stdin: ChildStdin,
    stdout: BufReader<ChildStdout>,
}

impl Program {
    fn start(env: &TestEnv, program: &str, arguments: &[&str]) -> Program {
        let mut command = env.command(program);
        let mut child = command.args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let (stdin, stdout) = (child.stdin.take().unwrap(), BufReader::new(child.stdout.take().unwrap()));
        Program { child, stdin, stdout }
    }

    /// Starts a logger, which keeps a file open and appends each line sent to it.
    fn logger(env: &TestEnv, file: &str) -> Program {
        let script = format!("exec 3>>'{file}'; echo ready; while read line; do echo \"$line\" >&3; echo done; done");
        let mut logger = Program::start(env, "bash", &["-c", &script]);
        assert_eq!(logger.answer(), "ready");
        logger
    }

    fn send(&mut self, line: &str) -> String {
        writeln!(self.stdin, "{line}").unwrap();
        self.answer()
    }

    fn answer(&mut self) -> String {
        let mut line = String::new();
        self.stdout.read_line(&mut line).unwrap();
        line.trim_end().to_owned()
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn two_commits(env: &TestEnv) {
    env.write("app.log", "one\n");
    env.write("other", "1");
    env.undo("commit -m one").ok();
    env.write("app.log", "one\ntwo\n");
    env.write("other", "2");
    env.undo("commit -m two").ok();
}

#[test]
fn log_file_in_use_is_not_replaced() {
    let env = TestEnv::initialised();
    two_commits(&env);
    let mut logger = Program::logger(&env, "app.log");
    let pid = logger.child.id();
    logger.send("three");
    let planned = env.undo("checkout @~ -n --json").fails(3).json();
    let summary = planned.last().unwrap();
    assert_eq!(
        (&summary["in_use"][0]["path"], &summary["in_use"][0]["programs"][0]["pid"]),
        (&"app.log".into(), &pid.into())
    );
    let output = env.undo("checkout @~").fails(3);
    let text = String::from_utf8(output.stderr).unwrap();
    assert!(text.contains(&format!("  app.log  bash (process {pid})\n")), "{text}");
    assert!(text.contains("in use and left unchanged") && text.contains(" app.log (or now, with --force)"), "{text}");
    assert_eq!((env.read("app.log"), env.read("other")), (b"one\ntwo\nthree\n".to_vec(), b"1".to_vec()));
    logger.send("four");
    assert_eq!(env.read("app.log"), b"one\ntwo\nthree\nfour\n");
    // The command in the hint works.
    let hint = text.split("undo restore").nth(1).unwrap().split(" (or").next().unwrap().to_owned();
    env.undo(&format!("restore{hint}")).fails(3);
    drop(logger);
    env.undo(&format!("restore{hint}")).ok();
    assert_eq!(env.read("app.log"), b"one\n");
    env.undo("undo").ok();
    assert_eq!(env.read("app.log"), b"one\ntwo\nthree\nfour\n");
    env.undo("verify").ok();
}

#[test]
fn file_in_use_is_not_removed_retyped_or_moved() {
    let env = TestEnv::initialised();
    env.write("d", "a file");
    env.write("old-name", "moved");
    env.undo("commit -m one").ok();
    fs::remove_file(env.path().join("d")).unwrap();
    env.write("d/deep/app.log", "log\n");
    fs::rename(env.path().join("old-name"), env.path().join("new-name")).unwrap();
    env.write("gone", "x");
    env.undo("commit -m two").ok();
    let mut logger = Program::logger(&env, "d/deep/app.log");
    let _mover = Program::logger(&env, "new-name");
    let report = env.undo("checkout @~ --json").fails(3).json();
    let in_use: Vec<&str> =
        report[0]["in_use"].as_array().unwrap().iter().map(|one| one["path"].as_str().unwrap()).collect();
    assert_eq!(in_use, ["d/deep/app.log", "new-name"]);
    assert_eq!(report[0]["changed"].as_array().unwrap().len(), 0, "{report:?}");
    logger.send("more");
    assert_eq!((env.read("d/deep/app.log"), env.read("new-name")), (b"log\nmore\n".to_vec(), b"moved".to_vec()));
    assert_eq!((env.read("old-name"), env.path().join("gone").exists()), (b"moved".to_vec(), false));
    drop(logger);
    env.undo("checkout --force @").ok();
    assert_eq!(env.read("d"), b"a file");
}

#[test]
fn force_replaces_files_in_use() {
    let env = TestEnv::initialised();
    two_commits(&env);
    let mut logger = Program::logger(&env, "app.log");
    for (line, content) in [("checkout --force @~", "one\n"), ("undo --force", "one\ntwo\n"), ("redo -f", "one\n")] {
        env.undo(line).ok();
        assert_eq!(env.read("app.log"), content.as_bytes(), "{line}");
    }
    logger.send("to the file that it had");
    assert_eq!(env.read("app.log"), b"one\n");
}

/// A long plan is not checked completely in advance; the exchange detects open files.
#[test]
fn exchange_detects_one_file_in_use_among_many() {
    let env = TestEnv::initialised();
    for state in ["one", "two"] {
        (0..400).for_each(|n| env.write(&format!("many/{n}"), format!("{state} {n}")));
        env.undo(&format!("commit -m {state}")).ok();
    }
    fs::write(env.path().join("many/new"), "new").unwrap();
    let mut loggers = [Program::logger(&env, "many/7"), Program::logger(&env, "many/new")];
    let inode = fs::metadata(env.path().join("many/7")).unwrap().ino();
    let report = env.undo("checkout @~ --json").fails(3).json();
    let in_use: Vec<&str> =
        report[0]["in_use"].as_array().unwrap().iter().map(|one| one["path"].as_str().unwrap()).collect();
    assert_eq!(in_use, ["many/7", "many/new"]);
    assert_eq!(report[0]["in_use"][0]["programs"][0]["name"], "bash");
    loggers.iter_mut().for_each(|logger| drop(logger.send(" more")));
    assert_eq!((env.read("many/7"), env.read("many/new")), (b"two 7more\n".to_vec(), b"newmore\n".to_vec()));
    assert_eq!(
        (env.read("many/8"), fs::metadata(env.path().join("many/7")).unwrap().ino()),
        (b"one 8".to_vec(), inode)
    );
    assert_eq!(fs::read_dir(env.path().join("many")).unwrap().count(), 401, "files are left behind");
}

/// The file was opened after the plan was checked.
#[test]
fn file_opened_during_checkout_is_put_back() {
    let env = TestEnv::initialised();
    two_commits(&env);
    let Some(held) = StoppedCommand::at(&env, "renameat2", "checkout @~ --json") else { return };
    let staged = fs::read_dir(env.path()).unwrap().map(|entry| entry.unwrap().path());
    let old = staged.into_iter().find(|path| path.to_string_lossy().contains("/.undo-")).unwrap();
    let is_log = fs::read(&old).unwrap() == b"one\ntwo\n";
    let mut writer = OpenOptions::new().append(true).open(old).unwrap();
    let output = held.resume();
    assert_eq!(output.status.code(), Some(3), "{output:?}");
    writer.write_all(b"more").unwrap();
    let read = if is_log { env.read("app.log") } else { env.read("other") };
    assert!(read.ends_with(b"more"), "{read:?}");
}

/// A lock file that is open only for reading is in use because of its lock.
#[test]
fn locked_file_is_not_replaced() {
    let env = TestEnv::initialised();
    env.write("app.lock", "one");
    env.undo("commit -m one").ok();
    env.write("app.lock", "two");
    env.undo("commit -m two").ok();
    let script = "exec 3<app.lock; flock 3; echo ready; read line";
    let mut holder = Program::start(&env, "bash", &["-c", script]);
    assert_eq!(holder.answer(), "ready");
    let report = env.undo("checkout @~ --json").fails(3).json();
    assert_eq!((&report[0]["in_use"][0]["path"], env.read("app.lock")), (&"app.lock".into(), b"two".to_vec()));
    drop(holder);
    env.undo("checkout @").ok();
    assert_eq!(env.read("app.lock"), b"one");
}

/// Readers do not prevent a replacement.
#[test]
fn file_open_for_reading_is_replaced() {
    let env = TestEnv::initialised();
    two_commits(&env);
    let _reader = fs::File::open(env.path().join("app.log")).unwrap();
    env.undo("checkout @~").ok();
    assert_eq!(env.read("app.log"), b"one\n");
}

/// A database in use is left with all its journals, including those that the application does not have open.
#[test]
fn open_database_is_left_whole() {
    if !has_sqlite() {
        return;
    }
    for mode in ["wal", "delete"] {
        let env = TestEnv::initialised();
        let create = format!("pragma journal_mode={mode}; create table t(x); insert into t values(1)");
        assert!(env.command("sqlite3").args(["app.db", &create]).status().unwrap().success());
        env.write("other", "1");
        env.write("app.db-journal", "");
        env.undo("commit -m one").ok();
        fs::remove_file(env.path().join("app.db-journal")).unwrap();
        let mut application = Program::start(&env, "sqlite3", &["app.db"]);
        assert_eq!(application.send("insert into t values(2); select count(*) from t;"), "2");
        env.write("other", "2");
        // In WAL mode, its journals are recorded too.
        env.undo("commit -m two").ok();
        assert_eq!(application.send("insert into t values(3); select count(*) from t;"), "3");
        let report = env.undo("checkout @~ --json").fails(3).json();
        let in_use = report[0]["in_use"].as_array().unwrap();
        let (path, name) = (&in_use[0]["path"], &in_use[0]["programs"][0]["name"]);
        assert_eq!((in_use.len(), path, name), (1, &"app.db".into(), &"sqlite3".into()), "{mode}: {report:?}");
        assert_eq!((env.read("other"), env.path().join("app.db-journal").exists()), (b"1".to_vec(), false));
        assert_eq!(application.send("insert into t values(4); select count(*) from t;"), "4");
        assert_eq!(application.send("pragma integrity_check;"), "ok");
        drop(application);
        env.undo("checkout @").ok();
        let count = env.command("sqlite3").args(["app.db", "pragma integrity_check; select count(*) from t"]).output();
        assert_eq!(String::from_utf8_lossy(&count.unwrap().stdout), "ok\n1\n", "{mode}");
    }
}

/// Files to which a background process of the command still writes.
#[test]
fn rollback_keeps_files_still_being_written() {
    let env = TestEnv::initialised();
    env.write("app.log", "one\n");
    env.write("other", "1");
    env.undo("commit -m one").ok();
    let script = "echo 2 >other; (exec >>app.log; echo two; sleep 5) 2>/dev/null & sleep 0.2";
    let output = env.undo(&format!("run --rollback -- bash -c '{script}'"));
    if output.code == 0 {
        return skip("the background process had ended");
    }
    let output = output.fails(3);
    assert!(output.to_string().contains("in use and left unchanged"), "{output}");
    assert_eq!((env.read("app.log"), env.read("other")), (b"one\ntwo\n".to_vec(), b"1".to_vec()));
}
