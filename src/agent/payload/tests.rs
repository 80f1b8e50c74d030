//! Tests of payloads: documented ones, ones of other versions, and input that is not one.

use std::io::{self, BufReader, Read};

use super::*;

macro_rules! fixture {
    ($name:literal) => {
        include_str!(concat!("../../../tests/fixtures/agents/", $name, ".json"))
    };
}

fn read(text: &str) -> Payload {
    Payload::read(text.as_bytes())
}

fn some(text: &str) -> Option<String> {
    Some(text.to_owned())
}

#[test]
fn documented_payloads_are_read() {
    let payload = read(fixture!("claude/PreToolUse-Bash"));
    let expected = Payload {
        event: some("PreToolUse"),
        session: some("8c35adc1-4f0e-4a52-9f0e-6f6a6f1a2b3c"),
        turn: some("5d1f0a2e-0b7e-4d62-9d0c-1f2a3b4c5d6e"),
        directory: some("DIR"),
        tool: some("Bash"),
        call: some("toolu_01ABC123def456GHI789jkl0"),
        command: some("rm -rf data/raw && ./reload.sh"),
        ..Payload::default()
    };
    assert_eq!(payload, expected);
    let payload = read(fixture!("claude/PreToolUse-subagent"));
    assert_eq!((payload.subagent, payload.problem), (some("agent_5b7c"), None));
    let payload = read(r#"{"hook_event_name": "Stop", "session_id": "s", "agent_id": ""}"#);
    assert_eq!((payload.subagent, payload.session), (None, some("s")), "an empty id is none");
    assert_eq!(read(fixture!("claude/PreToolUse-mcp")).paths, ["DIR/a.csv", "DIR/b.csv"]);
    assert_eq!(read(fixture!("claude/PreToolUse-NotebookEdit")).paths, ["DIR/plots.ipynb"]);
    let payload = read(fixture!("codex/UserPromptSubmit"));
    assert_eq!(payload.turn, some("turn-7"));
    assert_eq!((payload.event, payload.prompt), (some("UserPromptSubmit"), some("Rename the columns")));
    let payload = read(fixture!("codex/PreToolUse-apply_patch"));
    assert!(payload.command.is_some_and(|patch| patch.starts_with("*** Begin Patch\n")), "JSON escapes are decoded");
    assert_eq!(read(fixture!("codex/PreToolUse-first-version")).command, some("make clean"));
}

#[test]
fn unknown_fields_and_other_types_are_accepted() {
    let payload = read(
        r#"{"v":9,"new":[[{"a":[1]}],null],"hook_event_name":"PreToolUse","session_id":12,"cwd":null,"agent_id":{},
            "tool_name":"Bash","tool_input":{"command":["sh","-c","git clean"],"path":7,"paths":["a",["b"],{}],"e":1.5},"x":true}"#,
    );
    let expected = Payload {
        event: some("PreToolUse"),
        tool: some("Bash"),
        command: some("sh -c 'git clean'"),
        paths: vec!["a".to_owned(), "b".to_owned()],
        ..Payload::default()
    };
    assert_eq!(payload, expected);
    for (input, command) in
        [("\"ls -l\"", some("ls -l")), ("null", None), ("[1,\"a\"]", None), ("-3", None), ("true", None)]
    {
        let payload = read(&format!(r#"{{"tool_input":{input},"tool_name":"x"}}"#));
        assert_eq!((payload.command, payload.tool, payload.problem), (command, some("x"), None), "{input}");
    }
}

#[test]
fn what_precedes_an_error_stays() {
    let text = fixture!("claude/PreToolUse-Bash");
    let payload = read(&text[..text.len() / 2]);
    assert_eq!((payload.event, payload.problem), (None, some("it is truncated")));
    assert!(payload.session.is_some() && payload.directory.is_some());
    for (text, problem) in [
        ("", "it is empty"),
        ("hello", "it is not valid JSON"),
        ("[1]", "it is not a JSON object"),
        ("{\"session_id\" \"a\"}", "it is not valid JSON"),
        (r#"{"cwd":"\ud800"}"#, "it is not valid JSON"),
        ("\0\u{1}", "it is not valid JSON"),
    ] {
        assert_eq!(read(text).problem, some(problem), "{text:?}");
    }
    let deep = "[".repeat(200_000);
    assert!(read(&format!(r#"{{"session_id":"s","tool_input":{{"path":{deep}"#)).problem.is_some());
    assert!(read(&format!(r#"{{"session_id":"s","unknown":{deep}"#)).problem.is_some());
}

#[test]
fn any_half_of_a_payload_is_read_without_a_panic() {
    let text = fixture!("codex/PreToolUse-apply_patch").trim_end();
    for length in 0..text.len() {
        assert!(read(&text[..length]).problem.is_some(), "{length}");
    }
    assert_eq!(read(text).problem, None);
}

/// JSON with a string of this many bytes, generated while it is read. Fails at its end instead of ending.
struct Generated {
    before: &'static [u8],
    content: usize,
    after: &'static [u8],
}

impl Read for Generated {
    fn read(&mut self, to: &mut [u8]) -> io::Result<usize> {
        for part in [&mut self.before, &mut self.after] {
            if !part.is_empty() {
                return part.read(to);
            }
            if self.content > 0 {
                let length = self.content.min(to.len());
                to[..length].fill(b'x');
                self.content -= length;
                return Ok(length);
            }
        }
        Err(io::Error::from(io::ErrorKind::TimedOut))
    }
}

#[test]
fn the_payload_ends_with_its_object() {
    let input = Generated { before: br#"{"tool_input":{"content":""#, content: 1 << 20, after: br#""},"cwd":"d"}"# };
    let payload = Payload::read(BufReader::new(input));
    assert_eq!((payload.directory, payload.problem), (some("d"), None));
    let endless = Generated { before: br#"{"cwd":"d","#, content: 0, after: b"" };
    let payload = Payload::read(BufReader::new(endless));
    assert_eq!((payload.directory, payload.problem), (some("d"), some("it did not arrive in time")));
}

#[test]
fn kept_strings_are_bounded() {
    let input = Generated { before: br#"{"prompt":""#, content: 2 << 20, after: br#"","cwd":"d"}"# };
    let payload = Payload::read(BufReader::new(input));
    assert_eq!(payload.prompt.map(|prompt| prompt.len()), Some(64 << 10));
    let paths = format!(r#"{{"tool_input":{{"paths":[{}"a"]}}}}"#, r#""a","#.repeat(1000));
    assert_eq!(read(&paths).paths.len(), MOST_PATHS);
    let words =
        |count: usize| read(&format!(r#"{{"tool_input":{{"command":[{}"b"]}}}}"#, r#""a","#.repeat(count))).command;
    assert!(words(1000).is_some_and(|command| command.ends_with(" a b")), "all words of a command");
    assert!(words(LONGEST_LIST).is_some_and(|command| command.len() < LONGEST_LIST));
}

#[test]
fn errors_of_the_system_are_described_without_their_number() {
    struct Failing;
    impl std::io::Read for Failing {
        fn read(&mut self, _: &mut [u8]) -> std::io::Result<usize> {
            Err(std::io::Error::from_raw_os_error(21))
        }
    }
    let payload = Payload::read(std::io::BufReader::new(Failing));
    assert_eq!(payload.problem, some("is a directory"));
}

#[test]
fn paths_are_found_in_nested_objects_and_uris() {
    let paths = |input: &str| read(&format!(r#"{{"tool_input":{input}}}"#)).paths;
    assert_eq!(
        paths(r#"{"edits":[{"path":"a","text":"b"},{"to":{"file_path":"c"}},["d"]],"path":"e"}"#),
        ["a", "c", "e"]
    );
    assert_eq!(paths(r#"[{"path":"a"},"b"]"#), ["a"]);
    assert_eq!(
        paths(
            r#"{"uri":"file:///a%20b/%C3%a9","path":"file://host/c%","paths":["file:","file:///%ff","https://x/y"]}"#
        ),
        ["/a b/é", "/c%", "file:", "file:///%ff", "https://x/y"]
    );
}
