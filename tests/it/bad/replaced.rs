//! Files of the repository in whose place something else is: nothing hangs, and what is only a cache is no obstacle.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use super::history;
use crate::env::{Output, TestEnv};

/// Runs a command that must come to an end soon.
fn soon(env: &TestEnv, line: &str) -> Output {
    env.shell(&format!("timeout 20 undo {line} </dev/null"))
}

/// Puts something else in place of a file of the repository.
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
fn an_index_that_cannot_be_used_is_no_obstacle() {
    for by in ["fifo", "folder", "full folder"] {
        let env = history();
        replace(&env, "index", by);
        env.write("notes.txt", "three");
        let warning = "all files were read, since the index cannot be used";
        let status = soon(&env, "status").ok();
        assert!(status.to_string().contains(warning) && status.text().contains("notes.txt"), "{status}");
        assert!(soon(&env, "commit -m three").ok().to_string().contains(warning));
        soon(&env, "checkout one").ok();
        assert_eq!(env.read("notes.txt"), b"one\n");
        soon(&env, "diff two").ok();
        soon(&env, "ls-files").ok();
        soon(&env, "verify").ok();
        // A FIFO was replaced by the commit; a folder is left alone.
        let is_told = soon(&env, "status").ok().to_string().contains(warning);
        assert_eq!(is_told, by != "fifo", "{by}");
    }
}

#[test]
fn an_index_without_permissions_is_read_as_empty_and_replaced() {
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
fn no_command_waits_for_a_fifo_in_place_of_a_repository_file() {
    for name in ["journal/00000001", "format", "config.toml", "catalog", "lock", "reserve", "run", "unsynced"] {
        for by in ["fifo", "folder"] {
            let env = history();
            replace(&env, name, by);
            env.write("notes.txt", "three");
            for line in
                ["status", "log", "cat one:notes.txt", "commit -m three", "checkout one", "verify", "run -- true"]
            {
                let output = soon(&env, line);
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
fn a_link_to_nothing_in_place_of_a_repository_is_named() {
    let env = TestEnv::new();
    env.write("file", "one");
    let link = env.path().join(".undo");
    std::os::unix::fs::symlink("/nowhere/store", &link).unwrap();
    for line in ["status", "log", "commit -m one", "init", "commit --init -m one"] {
        let output = env.undo(line).fails(10);
        let text = output.to_string();
        assert!(text.contains("/work/.undo` is a link to something that does not exist"), "undo {line}\n{output}");
        assert!(text.contains("remove the link: rm [ROOT]/work/.undo"), "undo {line}\n{output}");
    }
    fs::remove_file(&link).unwrap();
    env.shell("mkfifo .undo").ok();
    assert!(env.undo("status").fails(10).to_string().contains("but a fifo"));
    fs::remove_file(&link).unwrap();
    // A link to a repository, and one to a file that names a store, are as good as what they lead to.
    env.undo("init").ok();
    fs::rename(&link, env.root().join("moved")).unwrap();
    std::os::unix::fs::symlink(env.root().join("moved"), &link).unwrap();
    env.undo("commit -m one").ok();
}
