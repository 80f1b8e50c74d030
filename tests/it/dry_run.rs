//! A dry run gives the messages and the exit status of the command, and writes nothing. The only exception are directories
//! that their owner has closed, whose content a dry run cannot see (`closed`).

use std::fs::{self, File};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use crate::crash::stopped;
use crate::env::{Output, TestEnv};
use crate::safety::places::Mounted;
use crate::skip::skip;
use crate::tree::{Tree, assert_same};

/// Every command with a dry run, without `-n`.
const COMMANDS: [&str; 11] = [
    "checkout @~",
    "checkout @",
    "checkout --force @~",
    "checkout --continue",
    "restore --from @~ file",
    "restore file",
    "undo",
    "redo",
    "op restore",
    "commit",
    "commit --strict file",
];

/// Runs `undo` as one user or another.
type Run = fn(&TestEnv, &str) -> Output;

/// A worktree with two commits.
fn recorded(run: Run) -> TestEnv {
    let env = TestEnv::new();
    run(&env, "init").ok();
    env.write("file", "one");
    env.write("gone", "only in one");
    env.write("below/file", "one");
    run(&env, "commit -m one").ok();
    run(&env, "tag one").ok();
    env.write("file", "second");
    env.write("new", "only in two");
    env.write("below/file", "second");
    fs::remove_file(env.path().join("gone")).unwrap();
    run(&env, "commit -m two").ok();
    env
}

/// Adds the id of an operation where a command needs one.
fn complete(env: &TestEnv, line: &str) -> String {
    if line != "op restore" {
        return line.to_owned();
    }
    let operations = env.undo("op log --json").ok().json();
    format!("op restore {}", operations[2]["id"].as_str().unwrap())
}

/// Warnings and errors, without hints, which name the next command.
fn messages(output: &Output) -> Vec<String> {
    let text = String::from_utf8_lossy(&output.stderr).into_owned();
    text.lines().filter(|line| !line.starts_with("hint: ")).map(str::to_owned).collect()
}

/// The files of the repository, without the one by which a scan reads the clock of the file system.
fn repository(env: &TestEnv) -> Vec<Tree> {
    let names = fs::read_dir(env.path().join(".undo")).unwrap().map(|entry| entry.unwrap().path());
    let mut paths: Vec<_> = names.filter(|path| path.is_dir() && !path.ends_with("tmp")).collect();
    paths.sort();
    paths.iter().map(|path| Tree::read(path)).collect()
}

/// Compares each command with its dry run. `prepare` makes the situation; what it returns is kept until the command ends.
#[track_caller]
fn compare<T>(situation: &str, prepare: impl Fn(&TestEnv) -> Option<T>) {
    compare_as(|env, line| env.undo(line), situation, prepare);
}

#[track_caller]
fn compare_as<T>(run: Run, situation: &str, prepare: impl Fn(&TestEnv) -> Option<T>) {
    for line in COMMANDS {
        let env = recorded(run);
        if line == "redo" {
            run(&env, "undo").ok();
        }
        let line = complete(&env, line);
        let Some(_kept) = prepare(&env) else { return };
        let (worktree, files) = (Tree::read(&env.path()), repository(&env));
        let dry = run(&env, &format!("{line} -n"));
        assert_same(&worktree, &Tree::read(&env.path()));
        files.iter().zip(&repository(&env)).for_each(|(before, after)| assert_same(before, after));
        let real = run(&env, &line);
        let (dry, real) = ((dry.code, messages(&dry)), (real.code, messages(&real)));
        assert_eq!(dry, real, "{situation}: {line}");
    }
}

/// All files below a directory.
fn packs(directory: &Path) -> Vec<PathBuf> {
    let paths = fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().path());
    paths.flat_map(|path| if path.is_dir() { packs(&path) } else { vec![path] }).collect()
}

#[test]
fn dry_run_matches_clean_worktree() {
    compare("clean", |_| Some(()));
}

#[test]
fn dry_run_matches_unsaved_changes() {
    compare("unsaved changes", |env| {
        env.write("file", "unsaved");
        env.write("more", "unsaved");
        Some(())
    });
}

#[test]
fn dry_run_matches_ignored_obstacle() {
    compare("ignored obstacle", |env| {
        env.write(".undoignore", "gone\n[\n");
        env.write("gone", "precious");
        Some(())
    });
}

#[test]
fn dry_run_matches_unreadable_file() {
    compare_as(
        |env, line| env.undo_as_user(line),
        "unreadable file",
        |env| {
            fs::set_permissions(env.path().join("below/file"), fs::Permissions::from_mode(0o000)).unwrap();
            Some(())
        },
    );
}

#[test]
fn dry_run_matches_file_in_use() {
    compare("file in use", |env| Some(File::options().append(true).open(env.path().join("below/file")).unwrap()));
}

#[test]
fn dry_run_matches_mounted_directory() {
    compare("mounted directory", |env| {
        let mounted = Mounted::new(&["-t", "tmpfs", "tmpfs"], &env.path().join("below"));
        if mounted.is_none() {
            skip("only root can mount a file system");
        }
        mounted
    });
}

#[test]
fn dry_run_matches_unfinished_checkout() {
    compare("unfinished checkout", |env| {
        stopped(&env.path());
        Some(())
    });
}

#[test]
fn dry_run_matches_damaged_pack() {
    compare("damaged pack", |env| {
        for path in packs(&env.path().join(".undo/packs")) {
            let mut bytes = fs::read(&path).unwrap();
            // In the first frame, behind the magic.
            bytes[20] ^= 0xff;
            fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
            fs::write(&path, bytes).unwrap();
        }
        Some(())
    });
}
