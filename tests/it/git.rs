//! A directory that is also a git worktree: git neither records nor removes the history.

use std::fs;

use crate::env::TestEnv;

/// A directory with both, and one commit in each. `None` if git is not installed.
fn git_and_undo(init: &str) -> Option<TestEnv> {
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

/// Runs all git commands that affect untracked files.
#[track_caller]
fn assert_git_ignores_history(env: &TestEnv) {
    let log = env.undo("log --json").ok().text();
    assert_eq!(git(env, "status --porcelain"), "");
    git(env, "add -A");
    assert_eq!(git(env, "ls-files"), "tracked\n");
    for line in ["clean -fdq", "clean -ffdq", "stash -q -u"] {
        env.write("unknown/file", "unknown");
        env.write("tracked", "changed");
        git(env, line);
        assert!(!env.path().join("unknown").exists(), "`git {line}` removed nothing");
        git(env, "checkout -q -- tracked");
        assert_eq!(env.undo("log --json").ok().text(), log, "{line}");
    }
    git(env, "stash drop -q");
    env.undo("verify").ok();
}

#[test]
fn git_ignores_the_repository_after_init() {
    let Some(env) = git_and_undo("init") else { return };
    assert_git_ignores_history(&env);
    // Also below the root of the git worktree.
    fs::create_dir(env.path().join("below")).unwrap();
    env.write("below/file", "one");
    env.undo("-C below commit --init -m one").ok();
    git(&env, "add -A");
    assert_eq!(git(&env, "ls-files"), "below/file\ntracked\n");
}

#[test]
fn next_write_restores_missing_gitignore() {
    let Some(env) = git_and_undo("init") else { return };
    let rules = env.path().join(".undo/.gitignore");
    for line in ["commit -m nothing", "tag new", "checkout @"] {
        fs::remove_file(&rules).unwrap();
        env.undo("status").ok();
        assert!(!rules.exists(), "`status` wrote the file");
        env.undo(line).ok();
        assert!(rules.exists(), "{line}");
    }
    assert_git_ignores_history(&env);
    // A file edited by the user stays.
    fs::write(&rules, "# mine\n*\n").unwrap();
    env.undo("commit -m nothing").ok();
    assert_eq!(fs::read(&rules).unwrap(), b"# mine\n*\n");
}

/// A file `.undo` cannot hold rules: with a store elsewhere, git may remove the file, but the history stays.
#[test]
fn external_store_survives_git_clean() {
    let env = TestEnv::new();
    if env.command("git").arg("--version").output().is_err() {
        return crate::skip::skip("git is not installed");
    }
    git(&env, "init -q .");
    env.write("file", "one");
    let report = String::from_utf8(env.undo("init --store ../store").ok().stderr).unwrap();
    let hint = report.lines().find_map(|line| line.split_once("keep git from removing `.undo`: ")).unwrap().1;
    assert_eq!(env.shell(hint).code, 0, "{hint}");
    env.undo("commit -m one").ok();
    assert_eq!(git(&env, "status --porcelain"), "?? file\n");
    git(&env, "clean -fdq");
    env.undo("checkout @").ok();
    assert_eq!(env.read("file"), b"one");
    // Without the exclusion, the store is attached again.
    fs::remove_file(env.path().join(".undo")).unwrap();
    env.undo("init --store ../store").ok();
    env.undo("log").ok();
}
