//! Hooks of coding agents: what `undo agent hook` records and answers.

mod amounts;
mod input;
mod kills;
mod log;
mod places;
mod prompts;
mod refusals;
mod together;

use std::io::Write;
use std::process::{Child, Command, Stdio};

use serde_json::Value;

use crate::env::TestEnv;
use crate::tree::{Tree, assert_same};

/// The payload of a file in `tests/fixtures/agents`, for the worktree.
pub fn payload(env: &TestEnv, name: &str) -> String {
    let path = format!("{}/tests/fixtures/agents/{name}.json", env!("CARGO_MANIFEST_DIR"));
    std::fs::read_to_string(path).unwrap().replace("DIR", env.path().to_str().unwrap())
}

/// A payload of a step that runs a command in the shell.
pub fn bash(env: &TestEnv, session: &str, command: &str) -> String {
    serde_json::json!({
        "session_id": session, "cwd": env.path(), "hook_event_name": "PreToolUse", "tool_name": "Bash",
        "tool_input": {"command": command}, "tool_use_id": "call-1",
    })
    .to_string()
}

/// Runs the hook, which must succeed, and returns its answer: one line of JSON.
#[track_caller]
pub fn hook(env: &TestEnv, agent: &str, payload: impl AsRef<[u8]>) -> Value {
    answer(&env.undo_with_stdin(&format!("agent hook {agent}"), payload).ok())
}

#[track_caller]
fn answer(output: &crate::env::Output) -> Value {
    let text = output.text();
    assert!(text.ends_with("}\n") && text.lines().count() == 1, "{output}");
    serde_json::from_str(&text).unwrap()
}

/// The line that the agent shows to the user; empty if there is none.
pub fn message(answer: &Value) -> &str {
    answer["systemMessage"].as_str().unwrap_or_default()
}

/// Starts the hook with an open pipe as its stdin, and writes the start of a payload.
fn start(env: &TestEnv, written: &[u8]) -> Child {
    let mut command: Command = env.command(env!("CARGO_BIN_EXE_undo"));
    command.args(["agent", "hook", "claude"]).stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut child = command.spawn().unwrap();
    child.stdin.as_mut().unwrap().write_all(written).unwrap();
    child
}

/// Creates a repository with a commit. Hooks have a minute, since the tests run on busy machines.
pub fn shop() -> TestEnv {
    let env = TestEnv::new();
    set(&env, "agent.deadline", "50s");
    for n in 0..30 {
        env.write(&format!("data/raw/{n}.csv"), format!("row {n}\n"));
    }
    env.write("etl/load.py", "raw = True\n");
    env.undo("commit --init -m start").ok();
    env
}

/// Sets a setting of the user.
pub fn set(env: &TestEnv, name: &str, value: &str) {
    env.undo(&format!("config --global {name} {value}")).ok();
}

#[test]
fn every_announced_step_can_be_undone() {
    let env = shop();
    env.write("etl/unsaved.py", "typed before the prompt\n");
    let at_prompt = Tree::read(&env.path());
    assert_eq!(hook(&env, "claude", payload(&env, "claude/UserPromptSubmit")), serde_json::json!({}));
    assert_eq!(hook(&env, "claude", payload(&env, "claude/PreToolUse-Edit")), serde_json::json!({}));
    env.write("etl/load.py", "raw = False\n");
    let before_rm = Tree::read(&env.path());
    hook(&env, "claude", payload(&env, "claude/PreToolUse-Bash"));
    env.shell("rm -rf data/raw").ok();
    let after_rm = Tree::read(&env.path());

    env.undo("checkout -q @{step}").ok();
    assert_same(&Tree::read(&env.path()), &before_rm);
    env.undo("checkout -q @{prompt}").ok();
    assert_same(&Tree::read(&env.path()), &at_prompt);
    env.undo("undo -q 2").ok();
    assert_same(&Tree::read(&env.path()), &after_rm);
}

#[test]
fn undo_goes_back_step_by_step() {
    let env = shop();
    let mut states = Vec::new();
    for n in 0..3 {
        hook(&env, "codex", payload(&env, "codex/PreToolUse-Bash"));
        states.push(Tree::read(&env.path()));
        env.write("etl/load.py", format!("step {n}\n"));
    }
    for state in states.iter().rev() {
        env.undo("undo -q").ok();
        assert_same(&Tree::read(&env.path()), state);
    }
}

#[test]
fn steps_that_run_only_undo_do_not_count() {
    let env = shop();
    let step = |command: &str| {
        hook(&env, "claude", bash(&env, "s", command));
        env.shell(command).ok().text()
    };
    step("undo status");
    let error = env.undo("show @{step}").fails(2).to_string();
    assert!(
        error.contains("no agent step is recorded in this directory; steps that run only `undo` do not count"),
        "{error}"
    );
    step("sed -i s/True/False/ etl/load.py");
    step("echo new >etl/new");
    let differences = step("undo diff @{step}");
    assert!(differences.contains("etl/new") && !differences.contains("load.py"), "{differences}");
    let differences = step("cd etl && undo diff --stat '@{step 2}' 2>&1 | head -20");
    assert!(differences.contains("load.py"), "{differences}");
    step("undo restore -q --from '@{step 2}' etl/load.py");
    assert_eq!(std::fs::read_to_string(env.path().join("etl/load.py")).unwrap(), "raw = True\n");
    step("undo restore -q --from @{step} etl/load.py");
    assert_eq!(std::fs::read_to_string(env.path().join("etl/load.py")).unwrap(), "raw = False\n");
    let listed = env.undo("agent log --json").ok().json();
    assert_eq!(listed.iter().filter(|step| step["tool"] == "Bash").count(), 7, "they are listed");
}

#[test]
fn documented_payloads_of_all_agents_are_recorded() {
    let env = shop();
    for (agent, name) in [
        ("claude", "claude/UserPromptSubmit"),
        ("claude", "claude/PreToolUse-Bash"),
        ("claude", "claude/PreToolUse-Edit"),
        ("claude", "claude/PreToolUse-Write"),
        ("claude", "claude/PreToolUse-NotebookEdit"),
        ("claude", "claude/PreToolUse-mcp"),
        ("claude", "claude/PreToolUse-subagent"),
        ("claude", "claude/SubagentStop"),
        ("claude", "claude/Stop"),
        ("claude", "claude/SessionStart"),
        ("codex", "codex/UserPromptSubmit"),
        ("codex", "codex/PreToolUse-Bash"),
        ("codex", "codex/PreToolUse-apply_patch"),
        ("codex", "codex/PreToolUse-mcp"),
        ("codex", "codex/PreToolUse-first-version"),
        ("codex", "codex/SubagentStop"),
        ("codex", "codex/Stop"),
        ("codex", "codex/SessionStart"),
    ] {
        assert_eq!(hook(&env, agent, payload(&env, name)), serde_json::json!({}), "{name}");
    }
    let mut recorded = env.undo("agent log --json").ok().json();
    let summary = recorded.pop().unwrap();
    let counts = ["sessions", "prompts", "steps"].map(|key| summary[key].as_u64().unwrap());
    assert_eq!(counts, [2, 2, 10]);
    assert_eq!(recorded.iter().filter(|step| step["event"] == "stop").count(), 4);
    let tools: Vec<&str> = recorded.iter().filter_map(|step| step["tool"].as_str()).collect();
    assert!(tools.contains(&"apply_patch") && tools.contains(&"mcp__filesystem__move_file"), "{tools:?}");
}

#[test]
fn revisions_of_events_that_were_not_recorded_do_not_exist() {
    let env = shop();
    let error = |revision: &str| env.undo(&format!("show {revision}")).fails(2).to_string();
    assert!(error("@{prompt}").contains("no agent prompt is recorded in this directory"));
    hook(&env, "claude", payload(&env, "claude/UserPromptSubmit"));
    env.undo("show @{prompt}").ok();
    env.undo("show main@{prompt}").fails(2);
    for malformed in ["'@{prompt 0}'", "'@{step x}'"] {
        assert!(error(malformed).contains("hint: valid forms: `@{prompt}`, `@{prompt 3}`, `@{step}`"), "{malformed}");
    }
    assert!(error("'@{prompt 2}'").contains("only 1 agent prompt is recorded in this directory"));
    assert!(error("@{step}").contains("hint: to list them: undo agent log"));
    env.write("new", "1");
    hook(&env, "claude", payload(&env, "claude/UserPromptSubmit"));
    let ids =
        ["@{prompt}", "'@{prompt 2}'", "@{prompt}~", "@"].map(|it| env.undo(&format!("rev-parse {it}")).ok().text());
    assert!(ids[0] != ids[1] && ids[1] == ids[2] && ids[2] == ids[3], "{ids:?}");
}
