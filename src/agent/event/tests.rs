//! Tests of events: kinds, messages, paths and extras of documented payloads.

use super::*;

macro_rules! fixture {
    ($name:literal) => {
        include_str!(concat!("../../../tests/fixtures/agents/", $name, ".json"))
    };
}

fn event(agent: &str, text: &str) -> HookEvent {
    HookEvent::new(agent, Payload::read(text.replace("DIR", "/work/shop").as_bytes()), Path::new("/hook")).unwrap()
}

fn message(event: &HookEvent) -> String {
    event.message(Path::new("/work/shop"))
}

fn field(extras: &Extras, key: &str) -> String {
    String::from_utf8(extras.get(key).unwrap_or_default().to_vec()).unwrap()
}

#[test]
fn messages_name_the_event() {
    for (agent, text, kind, expected) in [
        ("claude", fixture!("claude/UserPromptSubmit"), EventKind::Prompt, "before prompt"),
        ("claude", fixture!("claude/PreToolUse-Bash"), EventKind::Step, "before Bash: rm -rf data/raw && ./reload.sh"),
        ("claude", fixture!("claude/PreToolUse-Edit"), EventKind::Step, "before Edit: etl/load.py"),
        ("claude", fixture!("claude/PreToolUse-Write"), EventKind::Step, "before Write: etl/new/report.py"),
        ("claude", fixture!("claude/PreToolUse-mcp"), EventKind::Step, "before mcp__filesystem__move_file"),
        ("claude", fixture!("claude/SubagentStop"), EventKind::Stop, "stop of a subagent"),
        ("claude", fixture!("claude/Stop"), EventKind::Stop, "stop"),
        ("codex", fixture!("codex/UserPromptSubmit"), EventKind::Prompt, "before prompt"),
        ("codex", fixture!("codex/PreToolUse-Bash"), EventKind::Step, "before Bash: git checkout -- ."),
        (
            "codex",
            fixture!("codex/PreToolUse-apply_patch"),
            EventKind::Step,
            "before apply_patch: etl/load.py and 1 more",
        ),
        ("codex", fixture!("codex/PreToolUse-mcp"), EventKind::Step, "before mcp__database__execute"),
        ("codex", fixture!("codex/Stop"), EventKind::Stop, "stop"),
    ] {
        let event = event(agent, text);
        assert_eq!((event.kind, message(&event).as_str()), (kind, expected));
    }
}

#[test]
fn events_that_need_no_commit_are_not_recorded() {
    let none = |text: &str| HookEvent::new("claude", Payload::read(text.as_bytes()), Path::new("/")).is_none();
    assert!(none(fixture!("claude/SessionStart")) && none(fixture!("codex/SessionStart")));
    assert!(none(r#"{"hook_event_name":"Notification","cwd":"/"}"#) && none("{}"));
    assert!(!none(r#"{"hook_event_name":"pre_tool_use"}"#) && !none(r#"{"hook_event_name":"user-prompt-submit"}"#));
}

#[test]
fn an_unreadable_payload_is_an_event_of_its_own() {
    let event = event("claude", "no JSON");
    assert_eq!((event.kind, message(&event).as_str()), (EventKind::Unreadable, "before an unreadable event"));
    assert_eq!(event.directory.as_os_str(), "/hook");
    let half = r#"{"hook_event_name":"PreToolUse","tool_name":"Bash","cwd":"/shop","tool_input":{"command":"rm"#;
    let event = self::event("claude", half);
    assert_eq!((event.kind, message(&event).as_str()), (EventKind::Step, "before Bash"));
    assert_eq!(event.directory, Path::new("/shop"));
}

#[test]
fn paths_start_in_the_directory_of_the_agent() {
    let patch = event("codex", fixture!("codex/PreToolUse-apply_patch"));
    let paths = ["/work/shop/etl/load.py", "/work/shop/etl/check.py"].map(PathBuf::from);
    assert_eq!(patch.paths, paths);
    assert!(!patch.edits_only_paths(), "the end of a long patch is not read");
    let edit = event("claude", fixture!("claude/PreToolUse-Edit"));
    assert!(edit.edits_only_paths() && edit.paths == paths[..1]);
    assert!(!event("claude", fixture!("claude/PreToolUse-Bash")).edits_only_paths());
}

#[test]
fn a_command_runs_in_its_own_directory() {
    let step = |input: &str| {
        let text = r#"{"hook_event_name":"PreToolUse","tool_name":"Bash","cwd":"/a","tool_input":INPUT}"#;
        event("codex", &text.replace("INPUT", input)).command_directory
    };
    for (input, expected) in [
        (r#"{"command":"ls"}"#, "/a"),
        (r#"{"command":"ls","workdir":"/b"}"#, "/b"),
        (r#"{"cwd":"b","command":"ls"}"#, "/a/b"),
        (r#"{"workdir":"file:///b%20c","cwd":null}"#, "/b c"),
        (r#"{"workdir":""}"#, "/a"),
    ] {
        assert_eq!(step(input), Path::new(expected), "{input}");
    }
}

#[test]
fn extras_describe_the_event() {
    let step = event("claude", fixture!("claude/PreToolUse-Edit"));
    let extras = step.extras(Path::new("/work/shop"), false);
    let expected = [
        (keys::CALL, "toolu_01EDIT123def456GHI789jkl"),
        (keys::COMMAND, "etl/load.py"),
        (keys::EVENT, "step"),
        (keys::NAME, "claude"),
        (keys::SESSION, "8c35adc1-4f0e-4a52-9f0e-6f6a6f1a2b3c"),
        (keys::TOOL, "Edit"),
    ];
    let found: Vec<_> = extras.iter().map(|(key, value)| (key, std::str::from_utf8(value).unwrap())).collect();
    assert_eq!(found, expected);
    let elsewhere = step.extras(Path::new("/work/other"), false);
    assert_eq!(field(&elsewhere, keys::COMMAND), "/work/shop/etl/load.py");
}

#[test]
fn the_text_of_a_prompt_is_recorded_only_on_request() {
    let prompt = event("claude", fixture!("claude/UserPromptSubmit"));
    let extras = |with_prompt| prompt.extras(Path::new("/"), with_prompt);
    assert_eq!(extras(false).get(keys::PROMPT), None);
    assert!(field(&extras(true), keys::PROMPT).starts_with("Remove the raw data"));
}

#[test]
fn long_commands_are_cut() {
    let text = format!(
        r#"{{"hook_event_name":"PreToolUse","tool_name":"Bash","tool_input":{{"command":"{}"}}}}"#,
        "é".repeat(3000)
    );
    let event = event("claude", &text);
    assert_eq!(field(&event.extras(Path::new("/"), false), keys::COMMAND), "é".repeat(512));
    assert_eq!(message(&event), format!("before Bash: {}…", "é".repeat(50)));
    let lines = self::event("claude", &text.replace("é", "\\na"));
    assert_eq!(message(&lines), "before Bash: a…");
}

#[test]
fn the_directory_of_the_hook_replaces_one_that_is_not_exact() {
    let text = r#"{"hook_event_name":"PreToolUse","tool_name":"Edit","cwd":"/r/\ufffd","tool_input":{"workdir":"d","paths":["/r/\ufffd/a","b","/c"]}}"#;
    let announced = event("claude", text);
    assert!(announced.has_inexact_directory() && !event("claude", fixture!("claude/Stop")).has_inexact_directory());
    let event = announced.in_directory(Path::new("/hook"));
    assert_eq!(
        (event.directory.as_path(), event.command_directory.as_path()),
        (Path::new("/hook"), Path::new("/hook/d"))
    );
    assert_eq!(event.paths, ["/hook/a", "/hook/b", "/c"].map(PathBuf::from));
}
