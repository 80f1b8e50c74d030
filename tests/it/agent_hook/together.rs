//! Two agents at once in one directory.

use std::process::Stdio;

use serde_json::json;

use super::{bash, hook, payload, shop};

#[test]
fn agents_that_announce_steps_at_the_same_time_are_all_recorded() {
    let env = shop();
    let mut running = Vec::new();
    for n in 0..12 {
        let file = env.root().join(format!("payload-{n}"));
        std::fs::write(&file, bash(&env, ["a", "b"][n % 2], &format!("make {n}"))).unwrap();
        env.write(&format!("etl/{n}"), format!("{n}"));
        let mut command = env.command(env!("CARGO_BIN_EXE_undo"));
        command.args(["agent", "hook", ["claude", "codex"][n % 2]]);
        command.stdin(std::fs::File::open(file).unwrap()).stdout(Stdio::piped()).stderr(Stdio::piped());
        running.push(command.spawn().unwrap());
    }
    for child in running {
        let output = child.wait_with_output().unwrap();
        assert_eq!((output.status.code(), output.stdout.as_slice()), (Some(0), &b"{}\n"[..]), "{output:?}");
    }
    let mut commands: Vec<String> = Vec::new();
    for step in env.undo("agent log --json").ok().json() {
        commands.extend(step["command"].as_str().map(str::to_owned));
    }
    commands.sort();
    let mut expected: Vec<String> = (0..12).map(|n| format!("make {n}")).collect();
    expected.sort();
    assert_eq!(commands, expected);
    env.undo("verify").ok();
}

#[test]
fn steps_of_agents_that_work_at_the_same_time_are_marked() {
    let env = shop();
    hook(&env, "claude", bash(&env, "a", "sleep 10"));
    env.write("etl/1", "of a or b");
    hook(&env, "codex", bash(&env, "b", "make"));
    env.write("etl/2", "of a or b");
    hook(&env, "claude", bash(&env, "a", "make more"));
    env.write("etl/3", "of a or b");
    hook(&env, "codex", payload(&env, "codex/Stop").replace("019b2c1e-7d10-7c33-8a11-0a1b2c3d4e5f", "b"));
    let steps = env.undo("agent log --json").ok().json();
    let mixed = |command: &str| steps.iter().find(|step| step["command"] == command).unwrap()["mixed"].clone();
    assert_eq!([mixed("sleep 10"), mixed("make"), mixed("make more")], [json!(true), json!(true), json!(false)]);
    assert!(env.undo("agent log").ok().to_string().contains(
        "note: (mixed) marks steps during which another agent or subagent worked here; the changes may be theirs\n"
    ));
}
