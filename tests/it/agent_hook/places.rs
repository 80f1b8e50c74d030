//! Which directories an event records: those of the paths that the tool names, then that of the working directory.

use std::os::unix::fs::symlink;

use super::{bash, hook, message, payload, set, shop};
use crate::env::TestEnv;

/// Creates a second repository beside the worktree.
fn other(env: &TestEnv) -> std::path::PathBuf {
    let other = env.root().join("other");
    std::fs::create_dir(&other).unwrap();
    std::fs::write(other.join("plan.txt"), "one\n").unwrap();
    env.undo("-C ../other commit --init -m start").ok();
    other
}

/// Number of events in the worktree, and in the other directory.
fn events(env: &TestEnv) -> [usize; 2] {
    ["-C .", "-C ../other"].map(|place| {
        let listed = env.undo(&format!("{place} agent log --json")).ok().json();
        listed.iter().filter(|step| step["late"] == false).count()
    })
}

/// A payload of an edit.
fn edit(env: &TestEnv, tool: &str, path: &std::path::Path) -> String {
    serde_json::json!({
        "session_id": "s", "cwd": env.path(), "hook_event_name": "PreToolUse", "tool_name": tool,
        "tool_input": {"file_path": path}, "tool_use_id": "call-1",
    })
    .to_string()
}

#[test]
fn an_edit_records_the_directory_of_the_file() {
    let env = shop();
    let other = other(&env);
    hook(&env, "claude", edit(&env, "Edit", &other.join("plan.txt")));
    assert_eq!(events(&env), [0, 1]);
    hook(&env, "claude", edit(&env, "Write", &other.join("new/deep/file")));
    assert_eq!(events(&env), [0, 2]);
    hook(&env, "claude", edit(&env, "Write", "/tmp/elsewhere".as_ref()));
    assert_eq!(events(&env), [1, 2], "without a repository there, that of the working directory");
    hook(&env, "claude", edit(&env, "mcp__files__write", &other.join("plan.txt")));
    assert_eq!(events(&env), [2, 3], "such a tool may do more than it says");
}

#[test]
fn an_edit_through_a_link_records_both_directories() {
    let env = shop();
    symlink(other(&env).join("plan.txt"), env.path().join("etl/plan.txt")).unwrap();
    hook(&env, "claude", edit(&env, "Edit", &env.path().join("etl/plan.txt")));
    assert_eq!(events(&env), [1, 1]);
}

#[test]
fn a_command_records_the_working_directory_of_the_agent() {
    let env = shop();
    let other = other(&env);
    let text = bash(&env, "s", "make").replace(env.path().to_str().unwrap(), other.to_str().unwrap());
    hook(&env, "claude", text);
    assert_eq!(events(&env), [0, 1]);
    let below = bash(&env, "s", "make").replace("/work\"", "/work/data/raw\"");
    hook(&env, "claude", below);
    assert_eq!(events(&env), [1, 1]);
    hook(&env, "claude", r#"{"hook_event_name":"PreToolUse","tool_name":"Bash"}"#);
    assert_eq!(events(&env), [2, 1], "without a directory, that of the hook");
}

#[test]
fn without_a_repository_the_hook_is_silent() {
    let env = TestEnv::new();
    for name in ["claude/UserPromptSubmit", "claude/PreToolUse-Bash", "claude/PreToolUse-Edit", "claude/Stop"] {
        assert_eq!(hook(&env, "claude", payload(&env, name)), serde_json::json!({}));
    }
    assert_eq!(hook(&env, "claude", "no JSON"), serde_json::json!({}));
    assert!(!env.path().join(".undo").exists());
}

#[test]
fn a_removed_folder_is_recorded_by_the_directory_above() {
    let env = shop();
    let step = bash(&env, "s", "make").replace("/work\"", "/work/data/raw\"");
    env.shell("rm -rf data").ok();
    assert!(message(&hook(&env, "claude", step)).contains("30 of 31 files were deleted"));
    let step = env.undo("agent log --json").ok().json().swap_remove(0);
    let recorded = env.undo(&format!("ls {} --json", step["id"].as_str().unwrap())).ok().text();
    assert!(recorded.contains("\"etl\"") && !recorded.contains("\"data\""), "{recorded}");
}

#[test]
fn a_removed_directory_is_found_among_the_known_ones() {
    let env = TestEnv::new();
    env.write("a", "1");
    env.undo("init --outside").ok();
    env.undo("commit -m start").ok();
    let stop = payload(&env, "claude/Stop");
    let output = env.shell(&format!(
        "cat > ../payload <<'END'\n{stop}\nEND\nrm -rf ../work; undo agent hook claude < ../payload; mkdir ../work"
    ));
    let answer: serde_json::Value = serde_json::from_str(&output.ok().text()).unwrap();
    let text = message(&answer);
    let work = env.path();
    let work = work.display();
    assert!(
        text.starts_with(&format!("undo: `{work}` was not recorded: the directory was removed; its history is in `")),
        "{text}"
    );
    assert!(text.ends_with(&format!("; to revive it: undo revive {work}")), "{text}");
    let answer = hook(&env, "claude", payload(&env, "claude/UserPromptSubmit"));
    let text = message(&answer);
    assert!(text.contains("it has no `.undo`, but `"), "the new directory has no history: {text}");
    assert!(text.ends_with(&format!("to continue that history: undo stores adopt {work}")), "{text}");
}

#[test]
fn a_directory_that_exists_again_was_not_removed() {
    let env = TestEnv::new();
    set(&env, "agent.strict", "true");
    env.write("a", "1");
    env.undo("init --outside").ok();
    env.undo("commit -m start").ok();
    let missing = bash(&env, "s", "make").replace("/work\"", "/work/sub\"");
    env.shell("rm -rf ../work/.undo").ok();
    let answer = hook(&env, "claude", &missing);
    assert_eq!(answer["hookSpecificOutput"]["permissionDecision"], "deny", "{answer}");
    env.undo("init").ok();
    assert_eq!(hook(&env, "claude", &missing), serde_json::json!({}));
    env.undo("show @{step}").ok();
}

#[test]
fn an_event_in_a_directory_that_lost_its_marker_names_the_history() {
    let env = TestEnv::new();
    env.write("sub/a", "1");
    env.undo("init --outside").ok();
    let prompt = payload(&env, "claude/UserPromptSubmit");
    env.shell("mv .undo ..").ok();
    assert_eq!(hook(&env, "claude", &prompt), serde_json::json!({}), "without commits");
    env.shell("mv ../.undo . && undo commit -qm start && rm .undo && mkdir ../else").ok();
    let (work, other) = (env.path(), env.root().join("else"));
    let elsewhere = |text: String| text.replace("/work\"", "/else\"");
    for event in [
        prompt.clone(),
        prompt.replace("/work\"", "/work/sub\""),
        bash(&env, "s", "make"),
        payload(&env, "claude/Stop"),
        elsewhere(bash(&env, "s", "cd ../work && make")),
        elsewhere(bash(&env, "s", "rm -rf ../work/sub")),
        elsewhere(bash(&env, "s", "rm -rf ../work/")),
        edit(&env, "Edit", &work.join("sub/a"))
            .replace(&*format!("\"cwd\":\"{}\"", work.display()), &format!("\"cwd\":\"{}\"", other.display())),
    ] {
        let answer = hook(&env, "claude", &event);
        let (text, work) = (message(&answer), work.display());
        assert!(
            text.starts_with(&format!("undo: `{work}` was not recorded: it has no `.undo`, but `")),
            "{event}: {text}"
        );
        assert!(text.ends_with(&format!("to continue that history: undo stores adopt {work}")), "{text}");
    }
    env.undo("stores adopt").ok();
    assert_eq!(hook(&env, "claude", &prompt), serde_json::json!({}));
}

#[test]
fn a_marker_whose_store_is_gone_is_reported() {
    let env = TestEnv::new();
    env.write("a", "1");
    env.undo("init --outside").ok();
    env.undo("commit -m start").ok();
    env.shell("mv ~/.local/state/undo ../elsewhere").ok();
    let step = bash(&env, "s", "rm -rf a");
    let answer = hook(&env, "claude", &step);
    let (work, text) = (env.path().display().to_string(), message(&answer));
    assert!(text.contains(&format!("that `{work}/.undo` names does not exist")), "{text}");
    set(&env, "agent.strict", "true");
    let answer = hook(&env, "claude", &step);
    assert_eq!(answer["hookSpecificOutput"]["permissionDecision"], "deny", "{answer}");
}

#[test]
fn a_destructive_command_records_the_directories_of_its_operands() {
    for (number, (agent, name)) in
        [("claude", "claude/PreToolUse-Bash"), ("codex", "codex/PreToolUse-Bash")].into_iter().enumerate()
    {
        for command in ["rm -rf ../other/plan.txt", "cd /; mv $HOME/../other/plan.txt x", "sh -c 'rm -r ../oth*/*'"] {
            let env = shop();
            other(&env);
            std::fs::write(env.root().join("other/plan.txt"), "two\n").unwrap();
            let typed = ["rm -rf data/raw && ./reload.sh", "git checkout -- ."][number];
            let step = payload(&env, name).replace(typed, command);
            assert_eq!(hook(&env, agent, step), serde_json::json!({}), "{command}");
            env.undo("show @{step}").ok();
            let before = env.undo("-C ../other cat @{step}:plan.txt").ok().text();
            assert_eq!(before, "two\n", "{command}");
        }
    }
    let env = shop();
    other(&env);
    hook(&env, "claude", bash(&env, "s", "ls ../other; cat ../other/plan.txt"));
    assert_eq!(events(&env), [1, 0], "other commands record the working directory");
}

#[test]
fn a_command_may_be_a_list_of_words() {
    let env = shop();
    other(&env);
    let step = bash(&env, "s", "X").replace(r#""X""#, r#"["bash","-lc","cd ../other && rm -r *"]"#);
    hook(&env, "codex", step);
    assert_eq!(events(&env), [1, 1]);
}

#[test]
fn a_history_that_a_command_deletes_is_named() {
    let env = shop();
    other(&env);
    let from_parent = |command| {
        let step = bash(&env, "s", command);
        hook(&env, "claude", step.replace("/work\"", "\""))
    };
    let root = env.root().display();
    for command in ["rm -rf other", "cd other && rm -rf ../oth*"] {
        let text = format!("undo: this command deletes the history in {root}/other/.undo, with every commit in it");
        assert_eq!(from_parent(command), serde_json::json!({"systemMessage": text}), "{command}");
    }
    assert_eq!(events(&env), [0, 2], "the command may fail half-way");
    assert_eq!(from_parent("rm -rf other/plan.txt"), serde_json::json!({}));
    super::set(&env, "agent.strict", "true");
    let answer = from_parent("rm -rf other");
    assert_eq!(answer["hookSpecificOutput"]["permissionDecision"], "deny", "{answer}");
    assert_eq!(from_parent("rm -rf other/plan.txt"), serde_json::json!({}));
}

#[test]
fn a_command_with_its_own_directory_runs_there() {
    let env = shop();
    let other = other(&env);
    super::set(&env, "agent.strict", "true");
    let step = |command: &str, directory: &str| {
        let input = format!(r#"{{"workdir":"{directory}","command""#);
        bash(&env, "s", command).replace(r#"{"command""#, &input)
    };
    let work = env.path();
    let answer = hook(&env, "codex", step("rm -rf .undo", other.to_str().unwrap()));
    let text = format!("this command deletes the history in {}/.undo", other.display());
    assert!(message(&answer).contains(&text) && !message(&answer).contains(work.to_str().unwrap()), "{answer}");
    assert_eq!(events(&env), [1, 1]);
    for (command, directory) in [("cat < plan.txt", "../other"), ("cd other && make", "..")] {
        assert_eq!(hook(&env, "codex", step(command, directory)), serde_json::json!({}), "{command}");
    }
    assert_eq!(events(&env), [3, 3]);
}

#[test]
fn all_words_of_a_command_are_read() {
    let env = shop();
    other(&env);
    super::set(&env, "agent.strict", "true");
    let words: Vec<String> = (0..100).map(|n| format!("x{n}")).collect();
    let command =
        serde_json::json!([&["rm".to_owned(), "-rf".to_owned()][..], &words, &["../other".to_owned()]].concat());
    let answer = hook(&env, "codex", bash(&env, "s", "X").replace(r#""X""#, &command.to_string()));
    assert!(message(&answer).contains("/other/.undo, with every commit in it"), "{answer}");
}

#[test]
fn guards_of_the_user_apply_to_agents() {
    let env = shop();
    other(&env);
    super::set(&env, "shell.guard", "'default, make clean'");
    hook(&env, "claude", bash(&env, "s", "make -C ../other clean"));
    assert_eq!(events(&env), [1, 1]);
}

#[test]
fn directories_that_a_command_enters_are_recorded() {
    let env = shop();
    other(&env);
    hook(&env, "claude", bash(&env, "s", "cd ../other && make clean"));
    assert_eq!(events(&env), [1, 1]);
    hook(&env, "claude", bash(&env, "s", "(cd data && make); (cd ../other && make)"));
    assert_eq!(events(&env), [2, 2]);
    hook(&env, "claude", bash(&env, "s", "cd / && make clean; cd ../none"));
    assert_eq!(events(&env), [3, 2]);
}

#[test]
fn nested_paths_and_uris_of_a_tool_are_found() {
    let env = shop();
    let other = other(&env);
    let uri = format!("file://{}/plan%2etxt", other.display());
    for (number, input) in
        [serde_json::json!({"edits": [{"path": "../other/plan.txt"}]}), serde_json::json!({"target": {"uri": uri}})]
            .into_iter()
            .enumerate()
    {
        let step = serde_json::json!({
            "session_id": "s", "cwd": env.path(), "hook_event_name": "PreToolUse", "tool_name": "mcp__x__edit",
            "tool_input": input,
        });
        hook(&env, "claude", step.to_string());
        assert_eq!(events(&env), [number + 1, number + 1], "{step}");
    }
}

#[test]
fn a_directory_whose_path_is_not_utf_8_is_found() {
    let env = TestEnv::new();
    super::set(&env, "agent.deadline", "50s");
    let announced = env.root().join("sh\u{fffd}p");
    let step = |file: &str| {
        serde_json::json!({
            "session_id": "s", "cwd": announced, "hook_event_name": "PreToolUse", "tool_name": "Edit",
            "tool_input": {"file_path": announced.join(file)},
        })
    };
    std::fs::write(env.root().join("payload"), step("a").to_string()).unwrap();
    env.shell("mkdir ../$'sh\\xffp' && cd ../$'sh\\xffp' && echo 1 >a && undo commit -q --init -m start").ok();
    let output = env.shell("cd ../$'sh\\xffp' && undo agent hook claude <../payload && undo agent log").ok().text();
    assert!(output.starts_with("{}\n") && output.contains("Edit   a"), "{output}");
}
