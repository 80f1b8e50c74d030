//! Runs of commands that call `undo`: their commits are separate operations, and the run is reported as usual.

use super::{create_repository, run_object, verbs};
use crate::env::TestEnv;
use crate::tree::{Tree, assert_same};

/// Runs a script with `undo` on its path.
fn run(env: &TestEnv, options: &str, script: &str) -> crate::env::Output {
    env.shell(&format!("undo run {options} -- sh -c '{script}'"))
}

#[test]
fn commits_of_the_command_are_separate_operations() {
    let env = create_repository();
    let before = Tree::read(&env.path());
    let script = "echo 1 > a; undo commit -q -m inside; undo tag mark -q; undo status -q; echo 2 > b";
    let run = run_object(&run(&env, "--json", script).ok());
    assert_eq!((&run["added"], &run["modified"]), (&2.into(), &0.into()));
    assert_eq!(verbs(&env), ["run", "tag", "commit", "run", "commit"]);
    let after = Tree::read(&env.path());
    env.undo("undo").ok();
    assert_same(&before, &Tree::read(&env.path()));
    env.undo("redo").ok();
    assert_same(&after, &Tree::read(&env.path()));
    assert_eq!(env.undo("cat mark:a").ok().text(), "1\n");
}

#[test]
fn run_of_command_that_commits_can_be_undone() {
    let env = create_repository();
    let before = Tree::read(&env.path());
    let run = run_object(&run(&env, "--json", "echo 1 > a; undo commit -q -m inside").ok());
    assert_eq!((&run["added"], &run["after"]), (&1.into(), &env.undo("log -n 1 --json").ok().json()[0]["id"]));
    assert_eq!(verbs(&env), ["run", "commit", "run", "commit"]);
    env.undo("undo").ok();
    assert_same(&before, &Tree::read(&env.path()));
}

#[test]
fn rollback_reverts_refs() {
    let env = create_repository();
    let (before, refs) = (Tree::read(&env.path()), env.undo("branch").ok().text());
    let script = "echo 1 > a; undo commit -q -m inside; undo branch side -q; undo checkout side -q; undo undo -q; \
                  undo checkout @~ -q; echo 2 > b";
    run(&env, "--rollback", script).ok();
    assert_same(&before, &Tree::read(&env.path()));
    let names = |text: &str| text.lines().map(|line| line.split("  ").next().unwrap().to_owned()).collect::<Vec<_>>();
    assert_eq!(names(&env.undo("branch").ok().text()), names(&refs));
    // All of these commits are kept.
    let commits = env.undo("log --json").ok().json();
    let holds = |path: &str, is_it: &dyn Fn(&serde_json::Value) -> bool| {
        let commit = commits.iter().find(|commit| is_it(commit)).unwrap();
        env.undo(&format!("cat {}:{path}", commit["id"].as_str().unwrap())).ok().text()
    };
    assert_eq!(holds("a", &|commit| commit["message"] == "inside"), "1\n");
    assert_eq!(holds("b", &|commit| commit["run"].is_object()), "2\n");
}

#[test]
fn undo_after_rollback_of_undos_can_be_redone() {
    let env = create_repository();
    env.undo("commit -m second").ok();
    env.write("notes.txt", "two\n");
    env.undo("commit -m third").ok();
    let state = || (env.undo("show-ref").ok().text(), Tree::read(&env.path()));
    let before = state();
    let output = run(&env, "--rollback", "undo undo -q; echo 1 > a").ok().to_string();
    assert_eq!(state().0, before.0);
    // The rolled back commits continue another state than the current one.
    assert!(output.ends_with("hint: to restore the changes: undo op restore [ID]\n"), "{output}");
    env.undo("redo").fails(2);
    env.undo("undo").ok();
    env.undo("redo").ok();
    assert_eq!(state().0, before.0);
    assert_same(&before.1, &state().1);
    let ran = &env.undo("op log --json").ok().json()[3];
    assert_eq!(ran["verb"], "run");
    env.undo(&format!("op restore {}", &ran["id"].as_str().unwrap()[..8])).ok();
    assert_eq!(env.read("a"), b"1\n");
}

#[test]
fn run_of_checkout_and_back_changes_nothing() {
    let env = create_repository();
    env.undo("commit -q -m second").ok();
    let output = run(&env, "", "undo checkout @~ -q; undo undo -q").ok();
    assert!(String::from_utf8_lossy(&output.stderr).contains("nothing changed, nothing recorded"), "{output}");
    assert_eq!(verbs(&env), ["undo", "checkout", "commit", "commit"]);
}

#[test]
fn run_inside_a_run_only_runs_its_command() {
    let env = create_repository();
    let before = Tree::read(&env.path());
    let output = run(&env, "", "undo run -- sh -c \"touch ran; exit 3\"").fails(3);
    let text = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(text.contains("note: the outer `undo run` records the changes of this command"), "{text}");
    assert_eq!(verbs(&env), ["run", "commit"]);
    env.undo("undo").ok();
    assert_same(&before, &Tree::read(&env.path()));
    for option in ["--rollback", "--on-fail rollback", "--guard deleted=0"] {
        let output =
            run(&env, "", &format!("undo run {option} -- touch ran")).fails(if option.contains('=') { 2 } else { 125 });
        assert!(!env.path().join("ran").exists(), "{output}");
    }
    let output = run(&env, "", "undo run --guard \"deleted<1\" -- touch ran").fails(125);
    let text = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(text.contains("hint: give these options to the outer `undo run`"), "{text}");
}

#[test]
fn run_beside_a_run_is_refused() {
    let env = create_repository();
    let output = run(&env, "", "env -u UNDO_RUN undo run -- touch ran").fails(11);
    let text = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(text.contains("error: `undo run -- sh -c env -u UNDO_RUN undo run -- touch ran` (process "), "{text}");
    assert!(text.contains("hint: one `undo run` at a time"), "{text}");
    assert!(!env.path().join("ran").exists());
}

#[test]
fn edit_after_undo_is_saved_before_next_run() {
    let env = create_repository();
    env.undo("commit -q -m second").ok();
    env.undo("checkout @~ -q").ok();
    env.undo("undo -q").ok();
    env.write("notes.txt", "edited\n");
    env.undo("run -q -- sh -c 'echo scribble > notes.txt'").ok();
    env.undo("undo -q").ok();
    assert_eq!(env.read("notes.txt"), b"edited\n");
}

#[test]
fn run_reports_removed_repository() {
    let env = create_repository();
    let output = env.undo("run -- rm -r .undo").fails(125);
    let text = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(text.starts_with("error: after `rm -r .undo`: "), "{text}");
}
