//! `undo agent log`: sessions, prompts, steps, and what each changed.

use snapbox::str;

use super::{bash, hook, payload, set, shop};
use crate::env::TestEnv;
use crate::skip::skip;

/// A prompt with three steps of two agents, and an accident.
fn session() -> TestEnv {
    let env = shop();
    hook(&env, "claude", payload(&env, "claude/UserPromptSubmit"));
    hook(&env, "claude", payload(&env, "claude/PreToolUse-Edit"));
    env.write("etl/load.py", "raw = False\n");
    hook(&env, "claude", payload(&env, "claude/PreToolUse-Bash"));
    env.shell("rm -rf data/raw").ok();
    hook(&env, "claude", payload(&env, "claude/Stop"));
    hook(&env, "codex", payload(&env, "codex/UserPromptSubmit"));
    hook(&env, "codex", payload(&env, "codex/PreToolUse-apply_patch"));
    env.write("etl/check.py", "check()\n");
    env
}

#[test]
fn steps_are_listed_by_session_and_prompt() {
    let env = session();
    env.undo("agent log").shows(str![[r#"
codex [ID]  1 prompt, 1 step
  @{prompt}    [ID]  +1 ~0 -0     2026-01-05 08:07:00 (2 minutes ago)
    [ID]  +1 ~0 -0     apply_patch  etl/load.py and 1 more

claude [ID]  1 prompt, 2 steps
  @{prompt 2}  [ID]  +0 ~1 -31    2026-01-05 08:02:00 (7 minutes ago)
    [ID]  +0 ~0 -31    Bash   rm -rf data/raw && ./reload.sh  (deleted: 30 of 31)
    [ID]  +0 ~1 -0     Edit   etl/load.py
---- stderr ----
hint: to see what changed since the last prompt: undo diff --stat @{prompt}

"#]]);
}

#[test]
fn steps_have_a_json_form() {
    let env = session();
    env.undo("agent log --json").shows(str![[r#"
{"type":"step","id":"[ID]","operation":"[ID]","time":"2026-01-05T08:07:00.000000000Z","agent":"codex","session":"[ID]-7d10-7c33-8a11-0a1b2c3d4e5f","event":"prompt","prompt":1,"added":1,"modified":0,"deleted":0,"late":false,"mixed":false,"alarms":[]}
{"type":"step","id":"[ID]","operation":"[ID]","time":"2026-01-05T08:08:00.000000000Z","agent":"codex","session":"[ID]-7d10-7c33-8a11-0a1b2c3d4e5f","event":"step","prompt":1,"tool":"apply_patch","call":"call_9f3","command":"etl/load.py and 1 more","added":1,"modified":0,"deleted":0,"late":false,"mixed":false,"alarms":[]}
{"type":"step","id":"[ID]","operation":"[ID]","time":"2026-01-05T08:02:00.000000000Z","agent":"claude","session":"[ID]-4f0e-4a52-9f0e-6f6a6f1a2b3c","event":"prompt","prompt":2,"added":0,"modified":1,"deleted":31,"late":false,"mixed":false,"alarms":[]}
{"type":"step","id":"[ID]","operation":"[ID]","time":"2026-01-05T08:06:00.000000000Z","agent":"claude","session":"[ID]-4f0e-4a52-9f0e-6f6a6f1a2b3c","event":"stop","prompt":2,"added":0,"modified":0,"deleted":0,"late":false,"mixed":false,"alarms":[]}
{"type":"step","id":"[ID]","operation":"[ID]","time":"2026-01-05T08:04:00.000000000Z","agent":"claude","session":"[ID]-4f0e-4a52-9f0e-6f6a6f1a2b3c","event":"step","prompt":2,"tool":"Bash","call":"toolu_01ABC123def456GHI789jkl0","command":"rm -rf data/raw && ./reload.sh","added":0,"modified":0,"deleted":31,"late":false,"mixed":false,"alarms":[{"kind":"deleted","count":30,"of":31}]}
{"type":"step","id":"[ID]","operation":"[ID]","time":"2026-01-05T08:03:00.000000000Z","agent":"claude","session":"[ID]-4f0e-4a52-9f0e-6f6a6f1a2b3c","event":"step","prompt":2,"tool":"Edit","call":"toolu_01EDIT123def456GHI789jkl","command":"etl/load.py","added":0,"modified":1,"deleted":0,"late":false,"mixed":false,"alarms":[]}
{"type":"summary","sessions":2,"prompts":2,"steps":3}

"#]]);
}

#[test]
fn the_number_of_sessions_can_be_limited() {
    let env = session();
    let steps = env.undo("agent log -n 1 --json").ok().json();
    assert_eq!((steps.len(), &steps[0]["agent"]), (3, &"codex".into()));
    assert_eq!(steps[2]["sessions"], 1);
}

#[test]
fn without_events_the_next_command_is_named() {
    let env = shop();
    env.undo("agent log").shows(str![[r#"
---- stderr ----
no agent event is recorded in this directory
hint: to record before each step of an agent: undo agent install claude

"#]]);
}

#[test]
fn a_session_without_steps_names_no_step() {
    let env = shop();
    hook(&env, "claude", payload(&env, "claude/Stop"));
    env.undo("agent log").shows(str![[r#"
claude [ID]  no steps

"#]]);
    env.undo("agent log -n 0").shows(str![[r#"

"#]]);
}

#[test]
fn changes_of_the_newest_step_are_those_of_the_directory() {
    let env = shop();
    hook(&env, "claude", bash(&env, "s", "make"));
    env.write("new", "1");
    let added = || env.undo("agent log --json").ok().json()[0]["added"].clone();
    assert_eq!(added(), 1);
    env.undo("checkout -q @{step}").ok();
    assert_eq!(added(), 1, "what a checkout takes away is recorded");
    assert!(!env.path().join("new").exists());
    env.write("later", "of the user");
    env.write("later-2", "of the user");
    assert_eq!(added(), 1);
}

#[test]
fn a_step_ends_with_a_manual_commit_of_the_directory() {
    let env = shop();
    let added = || env.undo("agent log --json").ok().json()[0]["added"].clone();
    hook(&env, "claude", bash(&env, "s", "make"));
    env.write("of-agent", "1");
    env.write("also-of-agent", "1");
    env.undo("commit -m part of-agent").ok();
    env.undo("commit --amend -m 'the same part'").ok();
    assert_eq!(added(), 2, "neither commit is a state of the directory");
    env.undo("commit -m all").ok();
    env.write("of-user", "1");
    assert_eq!(added(), 2);
    hook(&env, "claude", bash(&env, "s", "make"));
    let steps = env.undo("agent log --json").ok().json();
    assert_eq!((&steps[0]["added"], &steps[1]["added"]), (&0.into(), &2.into()));
}

#[test]
fn the_text_of_prompts_is_listed_if_it_was_asked_for() {
    let env = shop();
    hook(&env, "claude", payload(&env, "claude/UserPromptSubmit"));
    assert!(!env.undo("agent log").ok().text().contains("Remove the raw data"));
    set(&env, "agent.prompts", "true");
    hook(&env, "claude", payload(&env, "claude/UserPromptSubmit"));
    assert!(env.undo("agent log").ok().text().contains("Remove the raw data"));
}

#[test]
fn control_characters_in_commands_are_not_printed() {
    let env = shop();
    hook(&env, "claude", bash(&env, "s\u{1b}[2J", "echo \u{1b}]0;title\u{7} \u{202e}"));
    let text = env.undo("agent log").ok().text();
    assert!(!text.contains(['\u{1b}', '\u{7}', '\u{202e}']), "{text:?}");
}

#[test]
fn alarms_about_changes_before_the_first_step_belong_to_the_prompt() {
    let env = shop();
    hook(&env, "claude", payload(&env, "claude/UserPromptSubmit"));
    env.shell("rm -rf data/raw").ok();
    hook(&env, "claude", payload(&env, "claude/PreToolUse-Edit"));
    env.write("etl/load.py", "raw = False\n");
    hook(&env, "claude", payload(&env, "claude/Stop"));
    let steps = env.undo("agent log --json").ok().json();
    let alarms = |event: &str| steps.iter().find(|step| step["event"] == event).unwrap()["alarms"].clone();
    assert_eq!(alarms("prompt"), serde_json::json!([{ "kind": "deleted", "count": 30, "of": 31 }]));
    assert_eq!(alarms("step"), serde_json::json!([]));
}

#[test]
fn prompts_are_shown_from_their_first_line_with_text() {
    let env = shop();
    set(&env, "agent.prompts", "true");
    let prompt = payload(&env, "claude/UserPromptSubmit").replace("Remove", "\\n\\n  Tidy up:\\n- remove");
    hook(&env, "claude", prompt);
    let text = env.undo("agent log").ok().text();
    assert!(text.ends_with("\n    > Tidy up:…\n"), "{text}");
}

#[test]
fn only_states_that_are_gone_are_marked_as_forgotten() {
    let env = shop();
    for round in 0..2 {
        hook(&env, "claude", payload(&env, "claude/UserPromptSubmit"));
        hook(&env, "claude", bash(&env, "s", "make"));
        env.write("made", format!("{round}"));
        hook(&env, "claude", payload(&env, "claude/Stop"));
    }
    env.undo("forget --only-automatic --keep-last 1").ok();
    env.undo("gc --now").ok();
    let text = env.undo("agent log").ok().text();
    let current = env.undo("rev-parse --short @").ok().text();
    let lines: Vec<&str> = text.lines().filter(|line| line.contains(current.trim_end())).collect();
    assert!(!lines.is_empty() && lines.iter().all(|line| line.contains("(unknown)")), "{text}");
    assert!(text.contains("(forgotten)"), "{text}");
}

#[test]
fn on_a_terminal_commands_are_cut_to_its_width() {
    let env = shop();
    let command = format!("rm -rf data/raw && ./reload.sh {}", "--option ".repeat(30));
    hook(&env, "claude", bash(&env, "s", &command));
    env.shell("rm -rf data/raw").ok();
    hook(&env, "claude", bash(&env, "s", "ls"));
    let list = |columns: usize| {
        let line = format!("stty rows 40 cols {columns}; undo --no-pager agent log 2>/dev/null");
        let output = env.shell(&format!("command -v script >/dev/null || exit 99; script -qec '{line}' /dev/null"));
        (output.code != 99).then(|| output.ok().text().replace('\r', ""))
    };
    let widths = [80, 120].map(|columns| (columns, list(columns)));
    for (columns, text) in widths {
        let Some(text) = text else { return skip("script is not installed") };
        let longest = text.lines().map(|line| without_colors(line).chars().count()).max().unwrap();
        assert_eq!(longest, columns, "{text}");
        assert!(text.contains("rm -rf") && text.contains("(deleted: 30 of 31)"), "{text}");
    }
    assert!(env.undo("agent log").ok().text().contains(command[..150].trim_end()), "not cut without a terminal");
}

/// A line without the escape sequences that begin and end colors.
fn without_colors(line: &str) -> String {
    line.split('\u{1b}')
        .enumerate()
        .map(|(n, text)| if n == 0 { text } else { text.split_once('m').unwrap().1 })
        .collect()
}
