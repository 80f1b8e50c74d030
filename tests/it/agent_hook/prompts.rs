//! Prompts that were not recorded themselves: `@{prompt}` is the state before the first event during them.

use std::fs;

use serde_json::{Value, json};
use snapbox::str;

use super::{hook, message, set, shop};
use crate::env::TestEnv;
use crate::errors::lock::LockHolder;
use crate::tree::{Tree, assert_same};

/// An event during a prompt. `turn` is the field in which the agent names the prompt, and its value.
fn event(env: &TestEnv, name: &str, (field, value): (&str, &str)) -> String {
    let mut payload = json!({ "session_id": "s", "cwd": env.path(), "hook_event_name": name });
    payload[field] = value.into();
    if name == "PreToolUse" {
        payload["tool_name"] = "Bash".into();
        payload["tool_input"] = json!({ "command": "make" });
    }
    payload.to_string()
}

/// Announces a prompt while another command holds the lock.
#[track_caller]
fn fail_to_record(env: &TestEnv, agent: &str, turn: (&str, &str)) {
    let holder = LockHolder::of(env, "pid 4242\\nsince 2026-01-05T08:00:00Z\\ncommand undo commit -m long\\n");
    set(env, "agent.deadline", "300ms");
    let answer = hook(env, agent, event(env, "UserPromptSubmit", turn));
    assert!(message(&answer).contains("nothing was recorded"), "{answer}");
    set(env, "agent.deadline", "50s");
    drop(holder);
}

fn steps(env: &TestEnv) -> Vec<Value> {
    let mut steps = env.undo("agent log --json").ok().json();
    steps.pop();
    steps
}

#[test]
fn a_prompt_that_was_not_recorded_begins_with_its_first_step() {
    for (agent, field) in [("claude", "prompt_id"), ("codex", "turn_id")] {
        let env = shop();
        let (first, second) = ((field, "first"), (field, "second"));
        let before_first = Tree::read(&env.path());
        hook(&env, agent, event(&env, "UserPromptSubmit", first));
        hook(&env, agent, event(&env, "PreToolUse", first));
        env.write("etl/load.py", "of the first prompt\n");
        hook(&env, agent, event(&env, "Stop", first));
        env.write("etl/user.py", "of the user\n");
        let before_second = Tree::read(&env.path());
        fail_to_record(&env, agent, second);
        hook(&env, agent, event(&env, "PreToolUse", second));
        env.write("etl/load.py", "of the second prompt\n");
        hook(&env, agent, event(&env, "PreToolUse", second));
        fs::remove_file(env.path().join("etl/user.py")).unwrap();

        let steps = steps(&env);
        let shown: Vec<_> =
            steps.iter().map(|step| (step["event"].as_str().unwrap(), step["prompt"].as_u64())).collect();
        let (prompt, step, stop) = ("prompt", "step", "stop");
        let expected = [(prompt, 1), (step, 1), (step, 1), (prompt, 2), (stop, 2), (step, 2)];
        assert_eq!(shown, expected.map(|(event, prompt)| (event, Some(prompt))));
        let late: Vec<bool> = steps.iter().map(|step| step["late"].as_bool().unwrap()).collect();
        assert_eq!(late, [true, false, false, false, false, false]);
        assert_eq!(steps[0]["id"], steps[2]["id"], "the state before the first step");
        assert_eq!((&steps[0]["modified"], &steps[0]["deleted"]), (&json!(1), &json!(1)), "{steps:?}");
        assert_eq!((&steps[0].get("tool"), &steps[3]["modified"]), (&None, &json!(1)));

        env.undo("checkout -q @{prompt}").ok();
        assert_same(&Tree::read(&env.path()), &before_second);
        env.undo("checkout -q '@{prompt 2}'").ok();
        assert_same(&Tree::read(&env.path()), &before_first);
        assert!(env.undo("show '@{prompt 3}'").fails(2).to_string().contains("only 2 agent prompts are recorded"));
    }
}

#[test]
fn a_late_prompt_is_marked_in_the_list() {
    let env = shop();
    fail_to_record(&env, "claude", ("prompt_id", "1"));
    hook(&env, "claude", event(&env, "PreToolUse", ("prompt_id", "1")));
    env.write("etl/load.py", "raw = False\n");
    env.undo("agent log").shows(str![[r#"
claude s  1 prompt, 1 step
  @{prompt}    [ID]  +0 ~1 -0     2026-01-05 08:05:00 (60 seconds ago)  (late)
    [ID]  +0 ~1 -0     Bash   make
---- stderr ----
hint: to see what changed since the last prompt: undo diff --stat @{prompt}
note: (late) marks a prompt whose own event was not recorded; it starts at its first recorded event

"#]]);
}
