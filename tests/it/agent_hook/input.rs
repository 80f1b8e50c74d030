//! Input that is not a payload, or one of another version: the directory is recorded all the same, and the agent continues.

use std::io::{Read, Write};
use std::time::{Duration, Instant};

use super::{hook, message, payload, set, shop, start};
use crate::tree::{Tree, assert_same};

#[test]
fn unreadable_input_is_reported_and_the_directory_is_recorded() {
    let half = |text: String| text[..text.len() * 2 / 3].to_owned();
    let template = shop();
    for (input, problem) in [
        (String::new(), "it is empty"),
        ("no JSON\n".to_owned(), "it is not valid JSON"),
        ("[1, 2]".to_owned(), "it is not a JSON object"),
        ("{\"hook_event_name\": \"PreToolUse\", \"cwd\" ".to_owned(), "it is truncated"),
        (half(payload(&template, "claude/PreToolUse-Bash")), "it is truncated"),
        (half(payload(&template, "codex/PreToolUse-apply_patch")), "it is truncated"),
    ] {
        let env = shop();
        env.write("etl/load.py", "unsaved\n");
        let before = Tree::read(&env.path());
        let answer =
            hook(&env, "claude", input.replace(template.path().to_str().unwrap(), env.path().to_str().unwrap()));
        assert_eq!(
            message(&answer),
            format!("undo: cannot read the hook's input: {problem}; the directory was recorded anyway")
        );
        env.shell("rm -rf etl data").ok();
        let event = env.undo("agent log --json").ok().json().swap_remove(0);
        env.undo(&format!("checkout -q {}", event["id"].as_str().unwrap())).ok();
        assert_same(&Tree::read(&env.path()), &before);
    }
}

#[test]
fn unknown_events_and_fields_are_no_error() {
    let env = shop();
    env.write("etl/load.py", "unsaved\n");
    let nothing = serde_json::json!({});
    for input in ["{}", r#"{"hook_event_name":"Notification"}"#, r#"{"hook_event_name":7,"session_id":[]}"#] {
        assert_eq!(hook(&env, "claude", input), nothing);
    }
    assert_eq!(env.undo("agent log --json").ok().json().len(), 1, "only the summary");
    let newer = r#"{"protocol":{"version":9},"hook_event_name":"pre_tool_use","session_id":"s","tool_name":"Teleport",
        "tool_input":{"to":["x",{"y":null}],"path":null},"tool_use_id":3,"cwd":null}"#;
    assert_eq!(hook(&env, "codex", newer), nothing);
    let steps = env.undo("agent log --json").ok().json();
    assert_eq!((&steps[0]["tool"], &steps[0]["agent"]), (&"Teleport".into(), &"codex".into()));
}

#[test]
fn the_answer_does_not_wait_for_the_end_of_the_input() {
    let env = shop();
    let began = Instant::now();
    let mut child = start(&env, payload(&env, "claude/PreToolUse-Bash").as_bytes());
    let mut answer = String::new();
    child.stdout.take().unwrap().read_to_string(&mut answer).unwrap();
    assert_eq!((answer.as_str(), child.wait().unwrap().code()), ("{}\n", Some(0)));
    assert!(began.elapsed() < Duration::from_secs(25), "{:?}", began.elapsed());
}

#[test]
fn input_that_never_ends_is_given_up_and_the_directory_is_recorded() {
    let env = shop();
    env.write("etl/load.py", "unsaved\n");
    let before = Tree::read(&env.path());
    set(&env, "agent.deadline", "8s");
    let written = payload(&env, "claude/PreToolUse-Bash");
    let mut child = start(&env, &written.as_bytes()[..written.len() - 20]);
    let mut answer = String::new();
    child.stdout.take().unwrap().read_to_string(&mut answer).unwrap();
    assert_eq!(
        (answer.as_str(), child.wait().unwrap().code()),
        (
            "{\"systemMessage\":\"undo: cannot read the hook's input: it did not arrive in time; the directory was recorded anyway\"}\n",
            Some(0)
        )
    );
    env.shell("rm -rf etl data").ok();
    env.undo("checkout -q @{step}").ok();
    assert_same(&Tree::read(&env.path()), &before);
}

#[test]
fn input_that_streams_without_end_is_given_up() {
    let env = shop();
    set(&env, "agent.deadline", "2s");
    let script = "(printf '{\"prompt\":\"'; while printf %65536s; do :; done 2>/dev/null) | undo agent hook claude";
    let output = env.shell(script).ok();
    assert!(output.text().contains("it did not arrive in time"), "{output}");
}

#[test]
fn a_huge_payload_is_recorded() {
    let env = shop();
    let content = "print(\\\"row\\\")\\n".repeat(50 << 20 >> 4);
    let text = payload(&env, "claude/PreToolUse-Write").replace("print(\\\"report\\\")\\n", &content);
    assert!(text.len() > 40 << 20);
    assert_eq!(hook(&env, "claude", text), serde_json::json!({}));
    let step = env.undo("agent log --json").ok().json().swap_remove(0);
    assert_eq!((&step["tool"], &step["command"]), (&"Write".into(), &"etl/new/report.py".into()));
}

#[test]
fn a_closed_answer_is_no_error() {
    let env = shop();
    let mut child = start(&env, b"");
    drop(child.stdout.take());
    child.stdin.take().unwrap().write_all(payload(&env, "claude/Stop").as_bytes()).unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(0));
}
