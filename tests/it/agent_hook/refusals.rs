//! What keeps a step from being recorded: the agent continues, and the user sees one line. With `agent.strict`, tools are blocked.

use std::fs;
use std::io::{BufRead, BufReader};
use std::os::unix::fs::PermissionsExt;
use std::process::Stdio;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::{bash, hook, message, payload, set, shop};
use crate::crash::{has_strace, killed_at};
use crate::env::TestEnv;
use crate::errors::full_disk::Disk;
use crate::errors::lock::LockHolder;
use crate::safety::places::Mounted;
use crate::skip::skip;
use crate::tree::{Tree, assert_same};

fn hold(env: &TestEnv) -> LockHolder {
    LockHolder::of(env, "pid 4242\\nsince 2026-01-05T08:00:00Z\\ncommand undo commit -m long\\n")
}

#[test]
fn a_held_lock_is_reported_before_the_deadline() {
    let env = shop();
    set(&env, "agent.deadline", "2s");
    let _holder = hold(&env);
    let began = Instant::now();
    let answer = hook(&env, "claude", payload(&env, "claude/PreToolUse-Bash"));
    assert!(began.elapsed() < Duration::from_secs(20), "{:?}", began.elapsed());
    let text = message(&answer);
    assert!(
        text.starts_with(&format!(
            "undo: `{}`: could not record within 2s; nothing was recorded",
            env.path().display()
        )),
        "{text}"
    );
    assert!(text.contains("`undo commit -m long` (process 4242)"), "{text}");
    assert!(text.contains("; changes made now cannot be undone"), "{text}");
    assert_eq!(answer.as_object().unwrap().len(), 1, "the tool is not blocked: {answer}");
}

#[test]
fn strict_mode_blocks_only_tools_and_only_by_an_answer() {
    let env = shop();
    set(&env, "agent.strict", "true");
    set(&env, "agent.deadline", "300ms");
    let holder = hold(&env);
    for (agent, name) in [("claude", "claude/PreToolUse-Edit"), ("codex", "codex/PreToolUse-apply_patch")] {
        let answer = hook(&env, agent, payload(&env, name));
        let decision = &answer["hookSpecificOutput"];
        assert_eq!(
            (&decision["hookEventName"], &decision["permissionDecision"]),
            (&json!("PreToolUse"), &json!("deny"))
        );
        let reason = decision["permissionDecisionReason"].as_str().unwrap();
        assert!(reason.contains("nothing was recorded") && reason == message(&answer), "{answer}");
        assert!(!reason.contains("cannot be undone"), "nothing happens now: {answer}");
    }
    for name in ["claude/UserPromptSubmit", "claude/Stop", "claude/SubagentStop"] {
        let answer = hook(&env, "claude", payload(&env, name));
        assert!(
            message(&answer).contains("nothing was recorded") && answer.get("hookSpecificOutput").is_none(),
            "{answer}"
        );
    }
    drop(holder);
    set(&env, "agent.deadline", "50s");
    assert_eq!(hook(&env, "claude", payload(&env, "claude/PreToolUse-Edit")), json!({}));
    let elsewhere = payload(&env, "claude/PreToolUse-Edit").replace(env.path().to_str().unwrap(), "/");
    assert_eq!(hook(&env, "claude", elsewhere), json!({}), "without a repository, nothing is blocked");
}

#[test]
fn a_repository_cannot_block_tools() {
    let env = shop();
    fs::write(env.path().join(".undo/config.toml"), "[agent]\nstrict = true\ndeadline = \"0s\"\nprompts = true\n")
        .unwrap();
    set(&env, "agent.deadline", "1s");
    let _holder = hold(&env);
    let answer = hook(&env, "claude", payload(&env, "claude/PreToolUse-Bash"));
    assert!(
        message(&answer).contains("nothing was recorded") && answer.get("hookSpecificOutput").is_none(),
        "{answer}"
    );
}

#[test]
fn a_search_that_does_not_end_says_what_may_be_missing() {
    let env = shop();
    set(&env, "agent.deadline", "1ms");
    // The directory needs no time: the run records it.
    let mut run = env.command(env!("CARGO_BIN_EXE_undo"));
    let run = run.args(["run", "-q", "--", "sh", "-c", "echo begun; cat"]).stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut run = run.spawn().unwrap();
    BufReader::new(run.stdout.as_mut().unwrap()).read_line(&mut String::new()).unwrap();
    let answer = hook(&env, "claude", payload(&env, "claude/PreToolUse-Bash"));
    run.wait().unwrap();
    assert_eq!(
        message(&answer),
        format!(
            "undo: the search for repositories from `{}` did not end within 1ms; other directories that this command \
             names may not be recorded; to allow more time: undo config --global agent.deadline 20s",
            env.path().display()
        )
    );
}

#[test]
fn a_deadline_that_has_passed_records_nothing() {
    let env = shop();
    set(&env, "agent.deadline", "1ms");
    let answer = hook(&env, "claude", payload(&env, "claude/PreToolUse-Bash"));
    assert!(message(&answer).contains("could not record within 1ms; nothing was recorded; changes made now cannot be undone; to record without a deadline: undo commit; to allow more time: undo config --global agent.deadline 20s"), "{answer}");
    assert_eq!(env.undo("agent log --json").ok().json().len(), 1);
}

#[test]
fn strict_mode_blocks_a_command_if_an_operand_is_not_recorded() {
    let env = shop();
    fs::create_dir(env.root().join("broken")).unwrap();
    fs::write(env.root().join("broken/.undo"), "no store").unwrap();
    set(&env, "agent.strict", "true");
    let answer = hook(&env, "claude", bash(&env, "s", "rm -r ../broken"));
    assert_eq!(answer["hookSpecificOutput"]["permissionDecision"], "deny", "{answer}");
    assert!(message(&answer).contains("/broken` was not recorded: "), "{answer}");
    assert_eq!(env.undo("agent log --json").ok().json().len(), 2, "the working directory is recorded");
}

#[test]
fn files_that_cannot_be_read_are_reported_and_block_tools_in_strict_mode() {
    let env = shop();
    env.write("data/key", "key\n");
    env.write("etl/load.py", "unsaved\n");
    fs::set_permissions(env.path().join("data/key"), fs::Permissions::from_mode(0o000)).unwrap();
    let step = || {
        let payload = payload(&env, "claude/PreToolUse-Bash");
        super::answer(&env.undo_as_user_with_stdin("agent hook claude", payload).ok())
    };
    let work = env.path();
    let problem = format!("undo: `{}`: data/key cannot be read, so changes there cannot be undone; ", work.display());
    let answer = step();
    assert_eq!(answer, json!({"systemMessage": problem.clone() + "to leave a path out, add it to `.undoignore`"}));
    assert_eq!(step(), json!({}), "once");
    set(&env, "agent.strict", "true");
    let answer = step();
    assert_eq!(answer["hookSpecificOutput"]["permissionDecision"], "deny", "{answer}");
    let remedy = "ask the user to correct this, or to add the path to `.undoignore`";
    assert_eq!(message(&answer), problem + remedy);
    env.write(".undoignore", "/data/key\n");
    assert_eq!(step(), json!({}));
}

#[test]
fn problems_of_the_settings_are_reported() {
    let env = shop();
    let settings = env.root().join("home/.config/undo/config.toml");
    fs::create_dir_all(settings.parent().unwrap()).unwrap();
    fs::write(settings, "[agent]\nstrict = maybe\n").unwrap();
    let answer = hook(&env, "claude", payload(&env, "claude/UserPromptSubmit"));
    assert!(message(&answer).contains("the user-wide settings are ignored"), "{answer}");
    assert_eq!(env.undo("agent log --json").ok().json().len(), 2, "the event is recorded");
}

#[test]
fn a_full_disk_is_reported_and_nothing_is_lost() {
    let Some(disk) = Disk::tmpfs() else { return };
    let env = &disk.env;
    set(env, "agent.deadline", "50s");
    env.undo("init -q").ok();
    env.write("notes", "one\n");
    env.undo("commit -m one").ok();
    env.write("large", crate::errors::noise(1, 12 << 20));
    let before = Tree::read(&env.path());
    disk.leave(2 << 20);
    let answer = hook(env, "claude", payload(env, "claude/PreToolUse-Bash"));
    let text = message(&answer);
    assert!(text.contains("was not recorded: cannot write") && text.contains("no space left on device"), "{answer}");
    assert_same(&Tree::read(&env.path()), &before);
    env.undo("verify").ok();
    disk.free();
    assert_eq!(hook(env, "claude", payload(env, "claude/PreToolUse-Bash")), json!({}));
    env.shell("rm large").ok();
    env.undo("checkout -q @{step}").ok();
    assert_same(&Tree::read(&env.path()), &before);
}

#[test]
fn a_read_only_repository_is_reported() {
    let env = shop();
    env.shell("chmod -R go+rX . && chmod 755 .undo").ok();
    let Some(output) = env.undo_as_other_user("agent hook claude") else { return };
    let text = output.ok().text();
    assert!(text.contains("was not recorded") && text.contains("permission denied"), "{text}");
}

#[test]
fn a_damaged_repository_is_reported() {
    let env = shop();
    fs::write(env.path().join(".undo/format"), "undo repository 99\n").unwrap();
    let answer = hook(&env, "claude", payload(&env, "claude/PreToolUse-Bash"));
    assert!(message(&answer).contains("was not recorded: "), "{answer}");
}

#[test]
fn inside_undo_run_the_run_records() {
    let env = shop();
    fs::write(env.root().join("payload"), payload(&env, "claude/PreToolUse-Bash")).unwrap();
    let output = env.shell("undo run -q -- sh -c 'undo agent hook claude <../payload; rm -r data'").ok();
    assert_eq!(output.text(), "{}\n");
    assert_eq!(env.undo("agent log --json").ok().json().len(), 1);
    env.undo("undo -q").ok();
    assert!(env.path().join("data/raw/7.csv").exists());
    // Said once for each prompt. In strict mode, each step must be recorded.
    fs::write(env.root().join("prompt"), payload(&env, "claude/UserPromptSubmit")).unwrap();
    let output = env.shell("undo run -q -- undo agent hook claude <../prompt").ok();
    assert!(output.text().contains("is not recorded: `undo run` is running in this directory"), "{output}");
    env.undo("config --global agent.strict true").ok();
    assert_eq!(env.shell("undo run -q -- undo agent hook claude <../payload").ok().text(), "{}\n");
    let output = env.shell("undo run -q -- env -u UNDO_RUN undo agent hook claude <../payload").ok();
    assert!(output.text().contains("\"permissionDecision\":\"deny\""), "{output}");
}

#[test]
fn a_mount_that_a_tool_may_change_is_reported() {
    let env = shop();
    fs::create_dir(env.path().join("disk")).unwrap();
    let Some(_mounted) = Mounted::new(&["-t", "tmpfs", "tmpfs"], &env.path().join("disk")) else {
        return skip("only root can mount a file system");
    };
    env.write("disk/file", "1");
    let mut step: Value = serde_json::from_str(&payload(&env, "claude/PreToolUse-Bash")).unwrap();
    step["tool_input"]["command"] = "rm -rf disk/*".into();
    let answer = hook(&env, "claude", step.to_string());
    assert!(message(&answer).contains("disk is a mount and was not recorded"), "{answer}");
    env.undo("config --global agent.strict true").ok();
    let answer = hook(&env, "claude", step.to_string());
    assert_eq!(answer["hookSpecificOutput"]["permissionDecision"], "deny");
    step["tool_input"]["command"] = "rm -rf data".into();
    assert_eq!(hook(&env, "claude", step.to_string()), json!({}));
}

#[test]
fn an_unfinished_checkout_is_reported() {
    if !has_strace() {
        return;
    }
    let env = shop();
    let first = Tree::read(&env.path());
    env.shell("rm -r data && echo two >etl/load.py && echo new >etl/new").ok();
    env.undo("commit -qm two").ok();
    assert!(killed_at(&env, "renameat2", 2, &["checkout", "-q", "@~"]));
    env.undo("checkout --continue -n").ok();
    let answer = hook(&env, "claude", payload(&env, "claude/PreToolUse-Bash"));
    let text = message(&answer);
    assert!(
        text.contains("was not recorded: an unfinished checkout of ")
            && text.ends_with("; finish it with `undo checkout --continue`, or undo it with `undo undo`"),
        "{text}"
    );
    env.undo("checkout --continue -q").ok();
    assert_same(&Tree::read(&env.path()), &first);
    assert_eq!(hook(&env, "claude", payload(&env, "claude/PreToolUse-Bash")), json!({}));
}

#[test]
fn an_accident_is_reported_with_the_next_event() {
    let env = TestEnv::new();
    set(&env, "agent.deadline", "50s");
    for n in 0..300 {
        env.write(&format!("data/{n}.csv"), format!("row {n}\n"));
    }
    env.undo("commit --init -m start").ok();
    hook(&env, "claude", bash(&env, "s", "rm -rf data"));
    env.shell("rm -rf data/1* data/2*").ok();
    let answer = hook(&env, "claude", payload(&env, "claude/Stop"));
    assert!(message(&answer).contains(" of 300 files were deleted, such as `data/1"), "{answer}");
    assert!(message(&answer).ends_with("; to see which step changed them: undo agent log"), "{answer}");
    assert_eq!(hook(&env, "claude", payload(&env, "claude/UserPromptSubmit")), json!({}), "once");
}

#[test]
fn a_home_directory_is_asked_for_once_and_strict_mode_has_a_reason_each_time() {
    let env = TestEnv::new();
    set(&env, "agent.deadline", "50s");
    let home = env.root().join("home");
    env.undo("-C ../home init -q").ok();
    let step = payload(&env, "claude/PreToolUse-Bash").replace(env.path().to_str().unwrap(), home.to_str().unwrap());
    let answer = hook(&env, "claude", &step);
    assert!(message(&answer).contains("is a home directory, which is not recorded automatically"), "{answer}");
    assert_eq!(hook(&env, "claude", &step), json!({}), "once");
    set(&env, "agent.strict", "true");
    let answer = hook(&env, "claude", &step);
    assert_eq!(answer["hookSpecificOutput"]["permissionDecision"], "deny");
    assert_eq!(
        message(&answer),
        format!(
            "undo: `{}` was not recorded: automatic commits of this directory are off until you allow them; \
             to allow them, record the directory once: undo commit",
            home.display()
        )
    );
    let status = || env.undo("-C ../home agent status").ok().to_string();
    let waits = "warning: automatic commits of this directory are off until you allow them\n\
                 hint: to allow them, record the directory once: undo commit\n";
    assert!(status().contains(waits), "{}", status());
    env.undo("-C ../home commit -qm decided").ok();
    assert!(!status().contains("are off until"), "{}", status());
    assert_eq!(hook(&env, "claude", &step), json!({}));
    assert_eq!(env.undo("-C ../home agent log --json").ok().json().len(), 3, "its prompt, the step and the summary");
}
