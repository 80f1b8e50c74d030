//! A directory that is a worktree of git's too: git neither records nor removes the history.

use std::fs;

use crate::env::TestEnv;

/// Both, with something recorded. `None` where git is not installed.
fn both(init: &str) -> Option<TestEnv> {
    let env = TestEnv::new();
    if env.command("git").arg("--version").output().is_err() {
        crate::skip::skip("git is not installed");
        return None;
    }
    for (name, value) in [("GIT_AUTHOR_NAME", "a"), ("GIT_AUTHOR_EMAIL", "a"), ("GIT_COMMITTER_NAME", "a")] {
        env.set(name, value);
    }
    env.set("GIT_COMMITTER_EMAIL", "a");
    env.set("GIT_CONFIG_GLOBAL", "/dev/null");
    git(&env, "init -q .");
    env.write("tracked", "one");
    git(&env, "add tracked");
    git(&env, "commit -qm one");
    env.undo(init).ok();
    env.undo("commit -m one").ok();
    Some(env)
}

#[track_caller]
fn git(env: &TestEnv, line: &str) -> String {
    let output = env.command("git").args(line.split(' ')).output().unwrap();
    assert!(output.status.success(), "git {line}\n{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

/// All that git does to what it does not know.
#[track_caller]
fn git_leaves_the_history_alone(env: &TestEnv) {
    let log = env.undo("log --json").ok().text();
    assert_eq!(git(env, "status --porcelain"), "");
    git(env, "add -A");
    assert_eq!(git(env, "ls-files"), "tracked\n");
    for line in ["clean -fdq", "clean -ffdq", "stash -q -u"] {
        env.write("unknown/file", "unknown");
        env.write("tracked", "changed");
        git(env, line);
        assert!(!env.path().join("unknown").exists(), "{line} did nothing");
        git(env, "checkout -q -- tracked");
        assert_eq!(env.undo("log --json").ok().text(), log, "{line}");
    }
    git(env, "stash drop -q");
    env.undo("verify").ok();
}

#[test]
fn git_leaves_the_history_alone_from_the_beginning() {
    let Some(env) = both("init") else { return };
    git_leaves_the_history_alone(&env);
    // Below the root of git's worktree too.
    fs::create_dir(env.path().join("below")).unwrap();
    env.write("below/file", "one");
    env.undo("-C below commit --init -m one").ok();
    git(&env, "add -A");
    assert_eq!(git(&env, "ls-files"), "below/file\ntracked\n");
}

#[test]
fn a_repository_without_the_file_gets_it_from_the_next_command_that_writes() {
    let Some(env) = both("init") else { return };
    let rules = env.path().join(".undo/.gitignore");
    for line in ["commit -m nothing", "tag new", "checkout @"] {
        fs::remove_file(&rules).unwrap();
        env.undo("status").ok();
        assert!(!rules.exists(), "`status` wrote");
        env.undo(line).ok();
        assert!(rules.exists(), "{line}");
    }
    git_leaves_the_history_alone(&env);
    // What somebody has made of it stays.
    fs::write(&rules, "# mine\n*\n").unwrap();
    env.undo("commit -m nothing").ok();
    assert_eq!(fs::read(&rules).unwrap(), b"# mine\n*\n");
}

/// A file cannot hold rules: with a store elsewhere git may remove `.undo`, and the history stays.
#[test]
fn a_store_elsewhere_survives_git_and_init_says_how_to_exclude_the_file() {
    let env = TestEnv::new();
    if env.command("git").arg("--version").output().is_err() {
        return crate::skip::skip("git is not installed");
    }
    git(&env, "init -q .");
    env.write("file", "one");
    let told = String::from_utf8(env.undo("init --store ../store").ok().stderr).unwrap();
    let hint = told.lines().find_map(|line| line.split_once("keep git from removing `.undo`: ")).unwrap().1;
    assert_eq!(env.shell(hint).code, 0, "{hint}");
    env.undo("commit -m one").ok();
    assert_eq!(git(&env, "status --porcelain"), "?? file\n");
    git(&env, "clean -fdq");
    env.undo("checkout @").ok();
    assert_eq!(env.read("file"), b"one");
    // Without the exclusion it is attached to again.
    fs::remove_file(env.path().join(".undo")).unwrap();
    env.undo("init --store ../store").ok();
    env.undo("log").ok();
}
