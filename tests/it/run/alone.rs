//! One run at a time in a worktree; other commands go on beside it.

use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};

use super::begun;

#[test]
fn a_second_run_ends_at_once_and_names_the_first() {
    let env = begun();
    let mut command: Command = env.command(env!("CARGO_BIN_EXE_undo"));
    command.args(["run", "--", "sh", "-c", "echo begun; read -r line; echo 1 > first"]);
    let mut first = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
    let mut line = String::new();
    BufReader::new(first.stdout.take().unwrap()).read_line(&mut line).unwrap();
    let output = env.undo("run --json -- touch second").fails(11);
    let text = String::from_utf8_lossy(&output.stderr).into_owned();
    let holder = format!("`undo run -- sh -c echo begun; read -r line; echo 1 > first` (process {})", first.id());
    assert!(text.contains(&holder) && text.contains("\"code\":\"locked\""), "{text}");
    // Who does not run a command goes on.
    env.write("beside", "written beside it");
    env.undo("commit -m beside").ok();
    env.undo("checkout -n @~").ok();
    drop(first.stdin.take());
    assert_eq!(first.wait().unwrap().code(), Some(0));
    env.undo("run -- touch second").ok();
    // What was recorded beside it stands in between: it has an action of its own.
    assert_eq!(super::verbs(&env), ["run", "run", "commit", "run", "commit"]);
    assert_eq!(env.undo("cat @:first").ok().text(), "1\n");
    assert_eq!(env.undo("cat @:beside").ok().text(), "written beside it");
}

#[test]
fn worktrees_of_one_store_have_a_run_each() {
    let env = begun();
    env.shell(
        "mkdir ../one ../two && undo -C ../one init -q --store ../store && undo -C ../two init -q --store ../store && \
         undo -C ../one run -q -- undo -C ../two run -q -- touch here && test -e ../two/here && \
         ! undo -C ../one run -q -- undo -C ../one run -q -- touch here",
    )
    .ok();
}

#[test]
fn a_run_that_is_killed_leaves_nothing_in_the_way() {
    let env = begun();
    // The child dies with its parent's terminal in practice; here it ends by itself.
    env.shell("undo run -- sh -c 'echo half > half; kill -9 $PPID'").fails(137);
    assert_eq!(super::verbs(&env), ["run", "commit"], "what was unsaved before it was recorded");
    env.undo("run -- true").ok();
    assert_eq!(env.read("half"), b"half\n");
    env.undo("checkout @~ -q").ok();
    env.undo("status").ok();
}
