//! Repository files replaced by something else: no command blocks, and a replaced cache does not stop a command.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use super::history;
use crate::env::{Output, TestEnv};

/// Runs a command that must end soon.
fn run_with_timeout(env: &TestEnv, line: &str) -> Output {
    env.shell(&format!("timeout 20 undo {line} </dev/null"))
}

/// Replaces a repository file by something else.
fn replace(env: &TestEnv, name: &str, by: &str) {
    let path = env.path().join(".undo").join(name);
    match by {
        "folder" | "full folder" => {
            let _ = fs::remove_file(&path);
            fs::create_dir(&path).unwrap();
            if by == "full folder" {
                fs::write(path.join("file"), "").unwrap();
            }
        }
        by => {
            let script = format!("rm -f '{0}' && mkfifo '{0}'", path.display());
            assert_eq!(by, "fifo");
            env.shell(&script).ok();
        }
    }
}

#[test]
fn commands_work_with_unusable_index() {
    for by in ["fifo", "folder", "full folder"] {
        let env = history();
        replace(&env, "index", by);
        env.write("notes.txt", "three");
        let warning = "the index cannot be used, so all files were read";
        let status = run_with_timeout(&env, "status").ok();
        assert!(status.to_string().contains(warning) && status.text().contains("notes.txt"), "{status}");
        assert!(run_with_timeout(&env, "commit -m three").ok().to_string().contains(warning));
        run_with_timeout(&env, "checkout one").ok();
        assert_eq!(env.read("notes.txt"), b"one\n");
        run_with_timeout(&env, "diff two").ok();
        run_with_timeout(&env, "ls-files").ok();
        run_with_timeout(&env, "verify").ok();
        // The commit replaces a FIFO, but not a folder.
        let is_told = run_with_timeout(&env, "status").ok().to_string().contains(warning);
        assert_eq!(is_told, by != "fifo", "{by}");
    }
}

#[test]
fn index_without_permissions_is_replaced() {
    let env = history();
    env.undo_as_user("status").ok();
    fs::set_permissions(env.path().join(".undo/index"), fs::Permissions::from_mode(0o000)).unwrap();
    env.write("notes.txt", "three");
    let status = env.undo_as_user("status").ok();
    assert!(status.to_string().contains("the index cannot be used"), "{status}");
    env.undo_as_user("commit -m three").ok();
    let status = env.undo_as_user("status").ok();
    assert!(status.stderr.is_empty(), "{status}");
}

#[test]
fn commands_do_not_block_on_fifo_in_repository() {
    for name in ["journal/00000001", "format", "config.toml", "catalog", "lock", "reserve", "run", "unsynced"] {
        for by in ["fifo", "folder"] {
            let env = history();
            replace(&env, name, by);
            env.write("notes.txt", "three");
            for line in
                ["status", "log", "cat one:notes.txt", "commit -m three", "checkout one", "verify", "run -- true"]
            {
                let output = run_with_timeout(&env, line);
                assert!(output.code != 124 && output.code < 126, "{name}, {by}: undo {line}\n{output}");
                let is_needed = ["journal/00000001", "format"].contains(&name);
                if is_needed {
                    assert!(output.code == 5 || line == "run -- true", "{name}, {by}: undo {line}\n{output}");
                } else if ["status", "log", "cat one:notes.txt"].contains(&line) {
                    assert_eq!(output.code, 0, "{name}, {by}: undo {line}\n{output}");
                }
            }
        }
    }
}

#[test]
fn dangling_repository_link_is_reported() {
    let env = TestEnv::new();
    env.write("file", "one");
    let link = env.path().join(".undo");
    std::os::unix::fs::symlink("/nowhere/store", &link).unwrap();
    for line in ["status", "log", "commit -m one", "init", "commit --init -m one"] {
        let output = env.undo(line).fails(10);
        let text = output.to_string();
        assert!(text.contains("/work/.undo` is a dangling link"), "undo {line}\n{output}");
        assert!(text.contains("remove the link: rm [ROOT]/work/.undo"), "undo {line}\n{output}");
    }
    fs::remove_file(&link).unwrap();
    env.shell("mkfifo .undo").ok();
    assert!(env.undo("status").fails(10).to_string().contains("is a fifo, neither"));
    fs::remove_file(&link).unwrap();
    // Links to a repository or to a file that names a store work like their targets.
    env.undo("init").ok();
    fs::rename(&link, env.root().join("moved")).unwrap();
    std::os::unix::fs::symlink(env.root().join("moved"), &link).unwrap();
    env.undo("commit -m one").ok();
}
