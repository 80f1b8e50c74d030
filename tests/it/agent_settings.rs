//! The settings of coding agents: installing and removing hooks, and whether they run.

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
use std::path::PathBuf;

use snapbox::str;

use crate::agent_hook::payload;
use crate::env::TestEnv;

const CLAUDE: &str = ".claude/settings.json";
const CODEX: &str = ".codex/hooks.json";

fn home(env: &TestEnv, path: &str) -> PathBuf {
    env.root().join("home").join(path)
}

fn write(env: &TestEnv, path: &str, text: &str) {
    let path = home(env, path);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, text).unwrap();
}

fn read(env: &TestEnv, path: &str) -> String {
    fs::read_to_string(home(env, path)).unwrap()
}

/// The command of the hooks that run the tested program.
fn command(agent: &str) -> String {
    format!("{} agent hook {agent} || :", env!("CARGO_BIN_EXE_undo"))
}

#[test]
fn install_and_uninstall_transcript() {
    let env = TestEnv::initialised();
    let before = "{\n  \"model\": \"opus\",\n  \"n\": 1.50\n}\n";
    write(&env, CLAUDE, before);
    env.undo("agent install claude -n").shows(str![[r#"
--- [ROOT]/home/.claude/settings.json
+++ [ROOT]/home/.claude/settings.json
@@ -1,4 +1,40 @@
 {
   "model": "opus",
-  "n": 1.50
+  "n": 1.50,
+  "hooks": {
+    "UserPromptSubmit": [
+      {
+        "hooks": [
+          {
+            "type": "command",
+            "command": "[UNDO] agent hook claude || :",
+            "timeout": 60
+          }
+        ]
+      }
+    ],
+    "PreToolUse": [
+      {
+        "matcher": "^(Bash|PowerShell|Edit|MultiEdit|Write|NotebookEdit|mcp__.*)$",
+        "hooks": [
+          {
+            "type": "command",
+            "command": "[UNDO] agent hook claude || :",
+            "timeout": 60
+          }
+        ]
+      }
+    ],
+    "Stop": [
+      {
+        "hooks": [
+          {
+            "type": "command",
+            "command": "[UNDO] agent hook claude || :",
+            "timeout": 60
+          }
+        ]
+      }
+    ]
+  }
 }

"#]]);
    assert_eq!(read(&env, CLAUDE), before);
    env.undo("agent install claude").shows(str![[r#"
added 3 hooks to [ROOT]/home/.claude/settings.json
the previous settings are saved in [ROOT]/home/.claude/settings.json.undo
---- stderr ----
hint: to see whether the hooks run: undo agent status

"#]]);
    let installed = read(&env, CLAUDE);
    assert_eq!(installed.matches(&command("claude")).count(), 3);
    let inode = fs::metadata(home(&env, CLAUDE)).unwrap().ino();
    env.undo("agent install claude").shows(str![[r#"
[ROOT]/home/.claude/settings.json already has the hooks for Claude Code
---- stderr ----
hint: to see whether the hooks run: undo agent status

"#]]);
    assert_eq!(fs::metadata(home(&env, CLAUDE)).unwrap().ino(), inode, "the file is not written again");
    env.undo("agent status").shows(str![[r#"
Claude Code  installed in [ROOT]/home/.claude/settings.json
  runs        [UNDO]
  trust       unknown: Claude Code has not been started yet
  last event  none in this directory
Codex CLI  not installed

"#]]);
    env.undo("agent uninstall claude").shows(str![[r#"
removed 3 hooks from [ROOT]/home/.claude/settings.json

"#]]);
    assert_eq!(read(&env, CLAUDE), before);
    assert!(!home(&env, ".claude/settings.json.undo").exists());
    env.undo("agent uninstall claude").shows(str![[r#"
[ROOT]/home/.claude/settings.json has no undo hooks

"#]]);
    env.undo("agent install aider").fails(2);
}

#[test]
fn install_and_status_as_json() {
    let env = TestEnv::new();
    let lines = env.undo("agent install codex --json").ok().json();
    assert_eq!(lines[0]["type"], "agent-settings");
    assert_eq!(
        (&lines[0]["action"], &lines[0]["hooks"], &lines[0]["dry_run"]),
        (&"added".into(), &3.into(), &false.into())
    );
    assert_eq!(lines[0]["path"], home(&env, CODEX).to_str().unwrap());
    assert!(lines[0]["diff"].as_str().unwrap().starts_with("--- /dev/null\n+++ /"));
    assert_eq!(lines[0].get("copy"), None);
    let lines = env.undo("agent status --json").ok().json();
    assert_eq!((&lines[0]["agent"], &lines[0]["state"]), (&"claude".into(), &"not-installed".into()));
    assert_eq!((&lines[1]["agent"], &lines[1]["state"]), (&"codex".into(), &"installed".into()));
    let program = serde_json::json!({"path": env!("CARGO_BIN_EXE_undo"), "exists": true});
    assert_eq!((&lines[0]["programs"], lines[0].get("trust")), (&serde_json::json!([]), None));
    assert_eq!((&lines[1]["programs"], &lines[1]["trust"]), (&serde_json::json!([program]), &"untrusted".into()));
    assert_eq!((&lines[1]["disabled_by"], &lines[2]["count"]), (&serde_json::json!([]), &2.into()));
    env.undo("agent uninstall codex -n --json").ok();
    assert!(home(&env, CODEX).exists());
    env.undo("agent uninstall codex").ok();
    assert!(!home(&env, CODEX).exists(), "a file that `install` created is removed");
}

#[test]
fn settings_with_comments_are_not_edited() {
    let env = TestEnv::initialised();
    for text in
        ["{\n  // why\n  \"model\": \"opus\"\n}\n", "{\n  \"model\": \"opus\",\n}\n", "{", "[]", "{\"hooks\": []}"]
    {
        write(&env, CLAUDE, text);
        let output = env.undo("agent install claude").fails(4);
        let printed: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
        assert_eq!(printed["hooks"]["Stop"][0]["hooks"][0]["command"], command("claude"));
        assert_eq!(read(&env, CLAUDE), text);
        let lines = env.undo("agent install claude --json").fails(4).json();
        assert_eq!(lines[0]["type"], "agent-settings-to-add");
        assert_eq!(lines[0]["settings"], printed);
        assert!(!home(&env, ".claude/settings.json.undo").exists());
    }
    write(&env, CLAUDE, "{\n  // why\n}\n");
    env.undo("agent uninstall claude").shows(str![[r#"
---- stderr ----
error: cannot use `[ROOT]/home/.claude/settings.json`: it has comments or is not valid JSON: key must be a string at line 2 column 3
hint: remove the hooks that run `undo agent hook claude` with a text editor
[exit 4]

"#]]);
    env.undo("agent status").shows(str![[r#"
Claude Code  unknown: [ROOT]/home/.claude/settings.json cannot be read
Codex CLI  not installed
---- stderr ----
warning: cannot use `[ROOT]/home/.claude/settings.json`: it has comments or is not valid JSON: key must be a string at line 2 column 3

"#]]);
    fs::write(home(&env, CLAUDE), b"{\"a\": \"\xff\"}").unwrap();
    env.undo("agent install claude").fails(4);
}

#[test]
fn a_link_stays_a_link_and_modes_are_kept() {
    let env = TestEnv::initialised();
    let dotfiles = env.root().join("dotfiles");
    fs::create_dir(&dotfiles).unwrap();
    let file = dotfiles.join("claude.json");
    fs::write(&file, "{\n  \"model\": \"opus\"\n}\n").unwrap();
    fs::set_permissions(&file, fs::Permissions::from_mode(0o640)).unwrap();
    fs::create_dir(home(&env, ".claude")).unwrap();
    symlink("../../dotfiles/claude.json", home(&env, CLAUDE)).unwrap();
    env.undo("agent install claude").ok();
    let mode = |path: &PathBuf| fs::symlink_metadata(path).unwrap().permissions().mode() & 0o7777;
    assert!(fs::symlink_metadata(home(&env, CLAUDE)).unwrap().is_symlink());
    assert!(fs::read_to_string(&file).unwrap().contains("agent hook claude"));
    assert_eq!((mode(&file), mode(&home(&env, ".claude/settings.json.undo"))), (0o640, 0o640));
    assert_eq!(fs::read_dir(&dotfiles).unwrap().count(), 1, "nothing else is written into the folder of the target");
    env.undo("agent uninstall claude").ok();
    assert_eq!(fs::read_to_string(&file).unwrap(), "{\n  \"model\": \"opus\"\n}\n");
    assert!(fs::symlink_metadata(home(&env, CLAUDE)).unwrap().is_symlink());
    assert_eq!(mode(&file), 0o640);
    // New settings are private.
    env.undo("agent install codex").ok();
    assert_eq!(mode(&home(&env, CODEX)), 0o600);
    fs::remove_file(&file).unwrap();
    let error = env.undo("agent install claude").fails(4).to_string();
    assert!(error.contains("settings.json`: it is a link to a file that does not exist"), "{error}");
    let states: Vec<_> = env.undo("agent status --json").ok().json().iter().map(|it| it["state"].clone()).collect();
    assert_eq!(states[..2], ["unreadable", "installed"]);
    fs::remove_file(home(&env, CLAUDE)).unwrap();
    fs::create_dir(home(&env, CLAUDE)).unwrap();
    assert!(env.undo("agent install claude").fails(4).to_string().contains("not a regular file but a directory"));
}

#[test]
fn uninstall_keeps_what_changed_meanwhile() {
    let env = TestEnv::initialised();
    for before in ["", "{}", "{ }\n", "{\n}\n", "{\"hooks\":{}}", "{\n  \"hooks\": {\n    \"Stop\": []\n  }\n}\n"] {
        write(&env, CLAUDE, before);
        env.undo("agent install claude").ok();
        assert_ne!(read(&env, CLAUDE), before);
        env.undo("agent uninstall claude").ok();
        assert_eq!(read(&env, CLAUDE), before);
    }
    write(&env, CLAUDE, "{\n  \"model\": \"opus\"\n}\n");
    env.undo("agent install claude").ok();
    let edited = read(&env, CLAUDE).replace("opus", "sonnet");
    write(&env, CLAUDE, &edited);
    env.undo("agent uninstall claude").shows(str![[r#"
removed 3 hooks from [ROOT]/home/.claude/settings.json
the previous settings are saved in [ROOT]/home/.claude/settings.json.undo

"#]]);
    assert_eq!(read(&env, CLAUDE), "{\n  \"model\": \"sonnet\"\n}\n");
    assert_eq!(read(&env, ".claude/settings.json.undo"), edited);
}

#[test]
fn a_program_that_moved_is_replaced() {
    let env = TestEnv::initialised();
    write(&env, CLAUDE, "{\n  \"model\": \"opus\"\n}\n");
    env.undo("agent install claude").ok();
    let moved = read(&env, CLAUDE).replace(env!("CARGO_BIN_EXE_undo"), "/old place/undo");
    write(&env, CLAUDE, &moved.replace("/old place/undo", "'/old place/undo'"));
    env.undo("agent status").shows(str![[r#"
Claude Code  installed in [ROOT]/home/.claude/settings.json
  runs        /old place/undo  (does not exist)
  trust       unknown: Claude Code has not been started yet
  last event  none in this directory
Codex CLI  not installed
---- stderr ----
warning: hooks of Claude Code run `/old place/undo`, which does not exist: no step is recorded
hint: to make the hooks run this program: undo agent install claude

"#]]);
    env.undo("agent install claude").ok();
    assert_eq!(read(&env, CLAUDE).matches(&command("claude")).count(), 3);
    assert_eq!(read(&env, ".claude/settings.json.undo"), "{\n  \"model\": \"opus\"\n}\n", "the copy has no hooks");
    let partly = read(&env, CLAUDE).replace("\"timeout\": 60", "\"timeout\": 5");
    write(&env, CLAUDE, &partly);
    env.undo("agent status").shows(str![[r#"
Claude Code  some hooks in [ROOT]/home/.claude/settings.json are missing or have changed
  runs        [UNDO]
  trust       unknown: Claude Code has not been started yet
  last event  none in this directory
Codex CLI  not installed
---- stderr ----
hint: to repair the hooks: undo agent install claude

"#]]);
    env.undo("agent install claude").ok();
    env.undo("agent uninstall claude").ok();
    assert_eq!(read(&env, CLAUDE).matches("agent hook").count(), 0, "repaired hooks are removed, too");
}

#[test]
fn each_program_of_the_hooks_is_checked() {
    let env = TestEnv::initialised();
    env.undo("agent install claude").ok();
    let settings = read(&env, CLAUDE);
    let (before, after) = settings.split_once("PreToolUse").unwrap();
    let step_is_old = after.replacen(env!("CARGO_BIN_EXE_undo"), "/old/undo", 1);
    write(&env, CLAUDE, &format!("{before}PreToolUse{step_is_old}"));
    env.undo("agent status").shows(str![[r#"
Claude Code  installed in [ROOT]/home/.claude/settings.json
  runs        [UNDO]
  runs        /old/undo  (does not exist)
  trust       unknown: Claude Code has not been started yet
  last event  none in this directory
Codex CLI  not installed
---- stderr ----
warning: hooks of Claude Code run `/old/undo`, which does not exist: their events are not recorded
hint: to make the hooks run this program: undo agent install claude

"#]]);
    // A name alone is looked up like that of a command.
    write(&env, CLAUDE, &settings.replace(env!("CARGO_BIN_EXE_undo"), "undo"));
    let programs = || env.undo("agent status --json").ok().json()[0]["programs"].clone();
    env.set("PATH", "/usr/bin:/bin");
    assert_eq!(programs(), serde_json::json!([{"path": "undo", "exists": false}]));
    let folder = PathBuf::from(env!("CARGO_BIN_EXE_undo")).parent().unwrap().display().to_string();
    env.set("PATH", format!("{folder}:/usr/bin:/bin"));
    assert_eq!(programs(), serde_json::json!([{"path": "undo", "exists": true}]));
}

#[test]
fn only_an_administrator_can_turn_off_the_hooks_of_others() {
    let env = TestEnv::initialised();
    write(&env, CLAUDE, "{\"allowManagedHooksOnly\": true}\n");
    write(&env, ".codex/config.toml", "allow_managed_hooks_only = true\n");
    let disabled_by = || {
        let lines = env.undo("agent status --json").ok().json();
        [lines[0]["disabled_by"].clone(), lines[1]["disabled_by"].clone()]
    };
    assert_eq!(disabled_by(), [serde_json::json!([]), serde_json::json!([])]);
    write(&env, CLAUDE, "{\"disableAllHooks\": true}\n");
    assert_eq!(disabled_by()[0].as_array().unwrap().len(), 1);
    let installed = env.undo("agent install claude").ok().to_string();
    assert!(installed.contains("/.claude/settings.json` turns off the hooks of Claude Code"), "{installed}");
}

#[test]
fn hooks_name_the_program_as_it_was_called() {
    let env = TestEnv::initialised();
    let folder = env.root().join("bin dir");
    fs::create_dir(&folder).unwrap();
    symlink(env!("CARGO_BIN_EXE_undo"), folder.join("undo")).unwrap();
    env.set("PATH", format!("{}:/usr/bin:/bin", folder.display()));
    let output = env.command("undo").args(["agent", "install", "claude"]).output().unwrap();
    assert!(output.status.success(), "{output:?}");
    let link = format!("'{}' agent hook claude || :", folder.join("undo").display());
    assert_eq!(read(&env, CLAUDE).matches(&link).count(), 3, "{}", read(&env, CLAUDE));
}

#[test]
fn the_installed_command_never_fails() {
    let env = TestEnv::initialised();
    env.undo("agent install claude").ok();
    let settings: serde_json::Value = serde_json::from_str(&read(&env, CLAUDE)).unwrap();
    let line = settings["hooks"]["Stop"][0]["hooks"][0]["command"].as_str().unwrap().to_owned();
    let event = env.root().join("event.json");
    fs::write(&event, payload(&env, "claude/Stop")).unwrap();
    for (line, answer) in [(line.clone(), "{}\n"), (line.replace("/undo agent", "/missing agent"), "")] {
        for shell in ["sh", "bash"] {
            let mut command = env.command(shell);
            let output = command.args(["-c", &line]).stdin(fs::File::open(&event).unwrap()).output().unwrap();
            assert_eq!((output.status.code(), output.stdout.as_slice()), (Some(0), answer.as_bytes()), "{output:?}");
        }
    }
}

#[test]
fn status_shows_trust_of_codex() {
    let env = TestEnv::initialised();
    env.undo("agent install codex").shows(str![[r#"
added 3 hooks to [ROOT]/home/.codex/hooks.json
---- stderr ----
hint: Codex runs the hooks only after you trust them: start codex and type /hooks

"#]]);
    let trust = |config: &str| {
        write(&env, ".codex/config.toml", config);
        env.undo("agent status --json").ok().json()[1]["trust"].clone()
    };
    assert_eq!(trust("model = \"x\"\n"), "untrusted");
    let path = home(&env, CODEX).display().to_string();
    let state = |hash: &str| {
        let events = ["user_prompt_submit", "pre_tool_use", "stop"];
        events.map(|event| format!("[hooks.state.\"{path}:{event}:0:0\"]\ntrusted_hash = \"{hash}\"\n")).concat()
    };
    assert_eq!(trust(&state("sha256:0")), "unknown");
    assert_eq!(trust(&state("sha256:0").replacen("trusted_hash", "enabled = false\ntrusted_hash", 1)), "disabled");
    assert_eq!(trust("[features]\nhooks = false\n"), "untrusted");
    env.undo("agent status").shows(str![[r#"
Claude Code  not installed
Codex CLI  installed in [ROOT]/home/.codex/hooks.json
  runs        [UNDO]
  trust       the hooks are not trusted yet: to review them, start codex and type /hooks
  last event  none in this directory
---- stderr ----
warning: `[ROOT]/home/.codex/config.toml` turns off the hooks of Codex CLI: no step is recorded

"#]]);
}

#[test]
fn status_shows_trust_of_claude() {
    let env = TestEnv::initialised();
    env.undo("agent install claude").ok();
    let trust = |path: &str, is_accepted: bool| {
        let state = format!("{{\"projects\": {{\"{path}\": {{\"hasTrustDialogAccepted\": {is_accepted}}}}}}}");
        write(&env, ".claude.json", &state);
        env.undo("agent status --json").ok().json()[0]["trust"].clone()
    };
    let work = env.path().display().to_string();
    assert_eq!(trust(&work, true), "trusted");
    assert_eq!(trust(&work, false), "untrusted");
    assert_eq!(trust(&env.root().display().to_string(), true), "trusted");
    assert_eq!(trust("/elsewhere", true), "untrusted");
    env.write(".claude/settings.local.json", "{\"disableAllHooks\": true}");
    env.undo("agent status").shows(str![[r#"
Claude Code  installed in [ROOT]/home/.claude/settings.json
  runs        [UNDO]
  trust       this directory is not trusted yet: Claude Code asks when it starts here
  last event  none in this directory
Codex CLI  not installed
---- stderr ----
warning: `[ROOT]/work/.claude/settings.local.json` turns off the hooks of Claude Code: no step is recorded

"#]]);
    env.set("CLAUDE_CONFIG_DIR", env.root().join("other"));
    assert_eq!(env.undo("agent status --json").ok().json()[0]["state"], "not-installed");
    env.undo("agent install claude").ok();
    assert!(env.root().join("other/settings.json").exists());
}

/// Commands of `undo help agent`, without the descriptions.
fn documented_commands(page: &str) -> Vec<String> {
    let commands = page.lines().filter(|line| line.starts_with("  undo "));
    commands.map(|line| line.trim().split("  ").next().unwrap().to_owned()).collect()
}

#[test]
fn commands_of_the_page_for_agents_work() {
    let env = TestEnv::initialised();
    env.write("PATH", "1");
    env.undo("commit -m start").ok();
    env.undo_with_stdin("agent hook claude", payload(&env, "claude/UserPromptSubmit")).ok();
    env.write("PATH", "2");
    env.undo_with_stdin("agent hook claude", payload(&env, "claude/PreToolUse-Bash")).ok();
    env.write("PATH", "3");
    let page = env.undo("help agent").ok();
    assert!(page.text().starts_with("# undo\n"));
    assert!(page.text().lines().all(|line| line.chars().count() <= 96));
    let commands = documented_commands(&page.text());
    assert!(commands.len() > 10, "{commands:?}");
    for command in commands {
        let arguments = command.strip_prefix("undo ").unwrap().replace("CMD", "true");
        env.undo(&arguments).ok();
    }
}

#[test]
fn status_shows_the_last_event() {
    let env = TestEnv::initialised();
    env.undo("agent install claude").ok();
    env.undo_with_stdin("agent hook claude", payload(&env, "claude/UserPromptSubmit")).ok();
    env.undo_with_stdin("agent hook codex", payload(&env, "codex/Stop")).ok();
    env.undo_with_stdin("agent hook claude", payload(&env, "claude/PreToolUse-Bash")).ok();
    env.undo("agent status").shows(str![[r#"
Claude Code  installed in [ROOT]/home/.claude/settings.json
  runs        [UNDO]
  trust       trusted: hooks have run in this directory
  last event  step (Bash), 60 seconds ago, session [ID]
Codex CLI  not installed
  last event  stop, 2 minutes ago, session [ID]

"#]]);
    let lines = env.undo("agent status --json").ok().json();
    assert_eq!((&lines[0]["last_event"]["event"], &lines[0]["last_event"]["tool"]), (&"step".into(), &"Bash".into()));
    assert_eq!(lines[1]["last_event"]["event"], "stop");
    assert!(lines[0]["last_event"]["session"].is_string() && lines[0]["last_event"]["time"].is_string());
}
