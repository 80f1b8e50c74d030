//! Tests with settings of many shapes.

use std::path::Path;

use proptest::prelude::*;
use serde_json::ser::{PrettyFormatter, Serializer};
use serde_json::{Value, json};

use super::*;

const PROGRAM: &str = "/usr/local/bin/undo";

fn set() -> HookSet {
    HookSet::new(CodingAgent::Claude, Path::new(PROGRAM)).unwrap()
}

#[track_caller]
fn added(text: &str) -> String {
    let new = add(text, &set()).unwrap();
    let found = find(&new, CodingAgent::Claude).unwrap();
    let events: Vec<&str> = found.iter().map(|hook| hook.event.as_str()).collect();
    assert_eq!(found.len(), 3, "{events:?} in {new}");
    assert!(found.iter().all(|hook| hook.is_current(CodingAgent::Claude) && hook.program == Path::new(PROGRAM)));
    assert_eq!(add(&new, &set()).unwrap(), new);
    new
}

#[test]
fn new_settings_have_the_documented_form() {
    let text = r#"{
  "hooks": {
    "UserPromptSubmit": [
      {
        "hooks": [
          {
            "type": "command",
            "command": "/usr/local/bin/undo agent hook claude || :",
            "timeout": 60
          }
        ]
      }
    ],
    "PreToolUse": [
      {
        "matcher": "^(Bash|PowerShell|Edit|MultiEdit|Write|NotebookEdit|mcp__.*)$",
        "hooks": [
          {
            "type": "command",
            "command": "/usr/local/bin/undo agent hook claude || :",
            "timeout": 60
          }
        ]
      }
    ],
    "Stop": [
      {
        "hooks": [
          {
            "type": "command",
            "command": "/usr/local/bin/undo agent hook claude || :",
            "timeout": 60
          }
        ]
      }
    ]
  }
}
"#;
    assert_eq!(added(""), text);
    assert_eq!(set().to_json(), text);
}

#[test]
fn matchers_match_whole_names() {
    let matcher = |agent| hooks(agent)[1].matcher.unwrap();
    for agent in CodingAgent::ALL {
        let expression = regex_lite::Regex::new(matcher(agent)).unwrap();
        assert!(["Bash", "mcp__files__write"].iter().all(|tool| expression.is_match(tool)));
        assert!(!["BashOutput", "Read", "TodoWrite", "my_mcp__x"].iter().any(|tool| expression.is_match(tool)));
    }
}

#[test]
fn layout_is_kept() {
    assert!(added("{\n  \"a\": 1\n}").ends_with("\n    ]\n  }\n}"));
    assert!(added("{\n\t\"a\": 1\n}\n").contains("\n\t\t\"Stop\": [\n\t\t\t{\n"));
    assert!(
        added("{\r\n    \"a\": 1\r\n}\r\n").contains("\r\n    \"hooks\": {\r\n        \"UserPromptSubmit\": [\r\n")
    );
    assert!(added(r#"{"a":1}"#).starts_with(r#"{"a":1,"hooks":{"UserPromptSubmit":[{"hooks":[{"type":"command","#));
    assert!(added(r#"{"a": 1, "b": 2}"#).starts_with(r#"{"a": 1, "b": 2, "hooks": {"UserPromptSubmit": [{"hooks""#));
    assert!(!added(r#"{"a":1}"#).contains('\n'));
    // What is written oddly stays as it is: numbers, escapes, equal keys, spaces.
    let odd = "{ \"n\" : 1.50e+3,\n\"u\":\"\\u00e9\\/\", \"u\":[1 ,2,\t3] }  \n\n";
    assert!(added(odd).starts_with(odd.trim_end().strip_suffix(" }").unwrap()));
    assert_eq!(remove(&added(odd), CodingAgent::Claude).unwrap(), odd);
}

#[test]
fn other_hooks_stay_in_place() {
    let other = r#"{
  "hooks": {
    "PreToolUse": [
      { "matcher": "Bash", "hooks": [{ "type": "command", "command": "lint" }] }
    ],
    "SessionStart": []
  },
  "model": "opus"
}
"#;
    let new = added(other);
    let found = find(&new, CodingAgent::Claude).unwrap();
    assert_eq!(found.iter().find(|hook| hook.event == "PreToolUse").unwrap().place, (1, 0));
    assert_eq!(remove(&new, CodingAgent::Claude).unwrap(), other);
}

#[test]
fn hooks_that_differ_are_replaced() {
    let old = added("{\n  \"model\": \"opus\"\n}\n");
    let moved = HookSet::new(CodingAgent::Claude, Path::new("/opt/my tools/it's/undo")).unwrap();
    let new = add(&old, &moved).unwrap();
    assert!(new.contains(r#""'/opt/my tools/it'\\''s/undo' agent hook claude || :""#), "{new}");
    assert_eq!(find(&new, CodingAgent::Claude).unwrap()[0].program, Path::new("/opt/my tools/it's/undo"));
    assert_eq!(add(&new, &set()).unwrap(), old);
    let edited = old.replace("mcp__.*", "mcp__files.*").replacen("\"timeout\": 60", "\"timeout\": 5", 1);
    assert!(added(&edited).matches("\"matcher\"").count() == 1 && !added(&edited).contains("files"));
    let other_event = old.replace("\"Stop\"", "\"SessionEnd\"");
    assert!(!added(&other_event).contains("SessionEnd"));
}

#[test]
fn hooks_of_another_agent_are_not_ours() {
    let claude = added("");
    assert_eq!(find(&claude, CodingAgent::Codex).unwrap(), []);
    for command in [
        "undo agent log",
        "cd /x && undo agent hook claude || :",
        "undo agent hook claude extra",
        "'x agent hook claude",
    ] {
        assert_eq!(program_of(command, CodingAgent::Claude), None, "{command}");
    }
    for command in ["undo agent hook claude", "'undo' agent hook claude || :", " undo agent hook claude || : "] {
        assert_eq!(program_of(command, CodingAgent::Claude), Some("undo".into()), "{command}");
    }
}

#[test]
fn a_handler_beside_ours_stays() {
    let beside = "\"hooks\":[{\"type\": \"command\", \"command\": \"lint\"}, {";
    let both = added("{\"x\": 1}").replace("\"hooks\":[{", beside);
    let kept = remove(&both, CodingAgent::Claude).unwrap();
    assert_eq!(kept.matches("lint").count(), 3);
    assert_eq!(find(&kept, CodingAgent::Claude).unwrap(), []);
    assert_eq!(added(&both).matches("lint").count(), 3);
}

#[test]
fn unusual_settings_are_not_edited() {
    let reason = |text: &str| add(text, &set()).unwrap_err().to_string();
    for text in ["{ // why\n}", "{\"a\": 1,}", "{\"a\": [1,]}", "{", "/* */ {}", "\u{feff}{}", "{'a': 1}", "nul"] {
        assert!(reason(text).starts_with("it has comments or is not valid JSON: "), "{text}");
        assert!(find(text, CodingAgent::Claude).is_err());
    }
    assert_eq!(reason("[]"), "it is not a JSON object");
    assert_eq!(reason("{\"hooks\": []}"), "`hooks` does not have the documented form");
    assert_eq!(reason("{\"hooks\": {\"Stop\": {}}}"), "`hooks.Stop` does not have the documented form");
    assert!(reason(&format!("{{\"a\": {}{}}}", "[".repeat(200), "]".repeat(200))).contains("recursion limit"));
}

#[test]
fn of_equal_keys_the_last_one_counts() {
    let text = "{\"hooks\": {\"Stop\": [1]}, \"hooks\": {\"Stop\": [2], \"Stop\": [3]}}";
    let new = added(text);
    assert!(new.starts_with("{\"hooks\": {\"Stop\": [1]}, \"hooks\": {\"Stop\": [2], \"Stop\": [3,"), "{new}");
    assert_eq!(remove(&new, CodingAgent::Claude).unwrap(), text);
}

#[test]
fn programs_without_a_text_path_are_refused() {
    use std::os::unix::ffi::OsStrExt;
    for path in [&b"/opt/\xff/undo"[..], b"/opt/\n/undo", b"/opt/\x1b/undo"] {
        assert!(HookSet::new(CodingAgent::Codex, Path::new(std::ffi::OsStr::from_bytes(path))).is_err());
    }
}

/// Any value, of a limited depth.
fn values() -> impl Strategy<Value = Value> {
    let scalars = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        any::<String>().prop_map(Value::from),
        "[{}\\[\\],:\"\\\\/ ]{0,9}".prop_map(Value::from),
    ];
    scalars.prop_recursive(4, 40, 5, |inner| {
        let members = prop::collection::vec((keys(), inner.clone()), 0..5);
        prop_oneof![
            prop::collection::vec(inner, 0..5).prop_map(Value::from),
            members.prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    })
}

fn keys() -> impl Strategy<Value = String> {
    prop_oneof!["[a-z]{1,3}", any::<String>(), Just("hook".to_owned()), Just("permissions".to_owned())]
}

/// The value of `hooks`: events with lists, some of which have groups with handlers.
fn events() -> impl Strategy<Value = Value> {
    let handlers = prop_oneof![values(), Just(json!({ "type": "command", "command": "lint", "timeout": 3 }))];
    let group = prop_oneof![
        values(),
        prop::collection::vec(handlers, 0..3).prop_map(|handlers| json!({ "matcher": "Edit", "hooks": handlers })),
    ];
    let events = prop::sample::select(vec!["PreToolUse", "Stop", "UserPromptSubmit", "SessionStart", "Other"]);
    let members = prop::collection::vec((events, prop::collection::vec(group, 0..3)), 0..4);
    members.prop_map(|members| {
        Value::Object(members.into_iter().map(|(event, groups)| (event.to_owned(), groups.into())).collect())
    })
}

fn settings() -> impl Strategy<Value = Value> {
    let members = prop::collection::vec((keys(), values()), 0..4);
    (members, prop::option::of(events())).prop_map(|(members, events)| {
        let mut object: serde_json::Map<String, Value> = members.into_iter().collect();
        object.extend(events.map(|events| ("hooks".to_owned(), events)));
        Value::Object(object)
    })
}

/// The text of a value in a random layout.
fn write(value: &Value, indentation: Option<&str>, crlf: bool, end: &str) -> String {
    let Some(indentation) = indentation else { return value.to_string() + end };
    let mut text = Vec::new();
    let formatter = PrettyFormatter::with_indent(indentation.as_bytes());
    serde::Serialize::serialize(value, &mut Serializer::with_formatter(&mut text, formatter)).unwrap();
    let text = String::from_utf8(text).unwrap() + end;
    if crlf { text.replace('\n', "\r\n") } else { text }
}

/// Removes the hooks of `undo`, and lists that are empty.
fn without_ours(mut value: Value) -> Value {
    let Some(events) = value.get_mut("hooks").and_then(Value::as_object_mut) else { return value };
    events.retain(|_, groups| {
        let groups = groups.as_array_mut().unwrap();
        groups.retain(|group| group["hooks"][0]["command"] != set().command.as_str());
        !groups.is_empty()
    });
    if events.is_empty() {
        value.as_object_mut().unwrap().remove("hooks");
    }
    value
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn adding_and_removing_keeps_all_other_settings(
        value in settings(),
        indentation in prop::option::of(prop::sample::select(vec!["", " ", "  ", "    ", "\t"])),
        crlf: bool,
        end in prop::sample::select(vec!["", "\n", "\n\n", "  "]),
    ) {
        let text = write(&value, indentation, crlf, end);
        let new = added(&text);
        let parsed: Value = serde_json::from_str(&new).unwrap();
        prop_assert_eq!(without_ours(parsed), without_ours(serde_json::from_str(&text).unwrap()));
        let back = remove(&new, CodingAgent::Claude).unwrap();
        let hooks = value.get("hooks").and_then(Value::as_object);
        let has_empty_list = value.as_object().unwrap().is_empty()
            || hooks.is_some_and(|events| events.is_empty() || events.values().any(|groups| groups == &json!([])));
        match has_empty_list {
            true => prop_assert_eq!(
                without_ours(serde_json::from_str(&back).unwrap()),
                without_ours(serde_json::from_str(&text).unwrap())
            ),
            false => prop_assert_eq!(back, text),
        }
    }

    #[test]
    fn any_text_is_edited_or_refused(text in "[{}\\[\\]:,\"\\\\a1 \n/]{0,40}") {
        if let Ok(new) = add(&text, &set()) {
            serde_json::from_str::<Value>(&new).unwrap();
        }
        let _ = remove(&text, CodingAgent::Claude);
    }

    #[test]
    fn quoted_programs_are_read_back(program in "/[^\\p{C}\u{2028}\u{2029}]{1,30}") {
        if let Ok(set) = HookSet::new(CodingAgent::Codex, Path::new(&program)) {
            prop_assert_eq!(program_of(&set.command, CodingAgent::Codex), Some(program.into()));
        }
    }
}
