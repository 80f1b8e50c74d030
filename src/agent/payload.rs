//! Reads the payload of a hook: one JSON object on stdin.
//!
//! Agents add fields and events between versions, so unknown fields, missing fields and values of other types are accepted.
//! Fields read before an error are kept.

use std::fmt;
use std::io::BufRead;

use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};

use super::shortened::Shortened;
use crate::error::reason;
use crate::quote::shell_word;

/// Maximum number of paths that are read.
const MOST_PATHS: usize = 64;

/// Maximum number of bytes of a list of strings that are read, such as of the words of a command.
const LONGEST_LIST: usize = 1 << 20;

/// Keys of a tool's input that hold paths, in all tools of the agents and in common servers of tools.
const PATH_KEYS: [&str; 10] =
    ["file_path", "notebook_path", "path", "paths", "source", "destination", "directory", "workdir", "cwd", "uri"];

/// The fields of a payload that are used. Fields that are missing or of another type are `None`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Payload {
    /// Name of the event: `PreToolUse`.
    pub event: Option<String>,
    /// Session of the agent.
    pub session: Option<String>,
    /// The prompt that the agent works on.
    pub turn: Option<String>,
    /// Subagent in which the event happened.
    pub subagent: Option<String>,
    /// Working directory of the agent.
    pub directory: Option<String>,
    /// Text of the prompt.
    pub prompt: Option<String>,
    /// Tool that runs next.
    pub tool: Option<String>,
    /// Id of the call of the tool.
    pub call: Option<String>,
    /// Command that the tool runs. For `apply_patch`: the patch.
    pub command: Option<String>,
    /// Directory in which the tool runs the command, relative to the working directory of the agent.
    pub command_directory: Option<String>,
    /// Other paths in the tool's input.
    pub paths: Vec<String>,
    /// Why the payload could not be read to its end.
    pub problem: Option<String>,
}

impl Payload {
    /// Reads a payload, up to the end of the object.
    pub fn read(input: impl BufRead) -> Payload {
        let mut payload = Payload::default();
        let mut json = serde_json::Deserializer::from_reader(Shortened::new(input));
        // Bytes after the object are not waited for: an agent may keep the pipe open.
        let result = json.deserialize_any(Fields(&mut payload));
        payload.problem = result.err().map(describe);
        payload
    }
}

/// Why the input is not a payload.
fn describe(error: serde_json::Error) -> String {
    match error.classify() {
        serde_json::error::Category::Io if error.io_error_kind() == Some(std::io::ErrorKind::TimedOut) => {
            "it did not arrive in time".to_owned()
        }
        serde_json::error::Category::Io => reason(&std::io::Error::from(error)),
        serde_json::error::Category::Eof if error.line() <= 1 && error.column() == 0 => "it is empty".to_owned(),
        serde_json::error::Category::Eof => "it is truncated".to_owned(),
        serde_json::error::Category::Syntax => "it is not valid JSON".to_owned(),
        serde_json::error::Category::Data => "it is not a JSON object".to_owned(),
    }
}

/// Methods of a visitor that skip numbers, booleans and `null`.
macro_rules! skip_scalars {
    () => {
        skip_scalars!(visit_bool: bool, visit_i64: i64, visit_u64: u64, visit_f64: f64);

        fn visit_unit<E>(self) -> Result<Self::Value, E> {
            Ok(Self::Value::default())
        }
    };
    ($($method:ident: $type:ty),+) => {
        $(fn $method<E>(self, _: $type) -> Result<Self::Value, E> {
            Ok(Self::Value::default())
        })+
    };
}

/// The fields of the object.
struct Fields<'p>(&'p mut Payload);

impl<'de> Visitor<'de> for Fields<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let payload = self.0;
        while let Some(key) = map.next_key::<String>()? {
            let field = match key.as_str() {
                "hook_event_name" => &mut payload.event,
                "session_id" => &mut payload.session,
                "prompt_id" | "turn_id" => &mut payload.turn,
                "agent_id" => &mut payload.subagent,
                "cwd" => &mut payload.directory,
                "prompt" => &mut payload.prompt,
                "tool_name" => &mut payload.tool,
                "tool_use_id" => &mut payload.call,
                "tool_input" => {
                    map.next_value_seed(ToolInput(payload))?;
                    continue;
                }
                _ => {
                    map.next_value::<IgnoredAny>()?;
                    continue;
                }
            };
            *field = map.next_value_seed(Text)?.filter(|text| !text.is_empty());
        }
        Ok(())
    }
}

/// The input of a tool: an object, or the command alone.
struct ToolInput<'p>(&'p mut Payload);

impl<'de> DeserializeSeed<'de> for ToolInput<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for ToolInput<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the input of a tool")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        while let Some(key) = map.next_key::<String>()? {
            match key.as_str() {
                "command" => self.0.command = map.next_value_seed(Text)?,
                "workdir" | "cwd" => {
                    let directory = map.next_value_seed(Text)?.map(path_of_uri).filter(|path| !path.is_empty());
                    self.0.command_directory = directory.or(self.0.command_directory.take());
                }
                key if PATH_KEYS.contains(&key) => map.next_value_seed(Paths(&mut self.0.paths))?,
                _ => map.next_value_seed(NestedPaths(&mut self.0.paths))?,
            }
        }
        Ok(())
    }

    fn visit_str<E>(self, command: &str) -> Result<(), E> {
        self.0.command = Some(command.to_owned());
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, list: A) -> Result<(), A::Error> {
        NestedPaths(&mut self.0.paths).visit_seq(list)
    }

    skip_scalars!();
}

/// The paths in a value that has objects with the keys of paths: `{"edits":[{"path":"a"}]}`. Other strings are skipped.
struct NestedPaths<'p>(&'p mut Vec<String>);

impl<'de> DeserializeSeed<'de> for NestedPaths<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for NestedPaths<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any value")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        while let Some(key) = map.next_key::<String>()? {
            match PATH_KEYS.contains(&key.as_str()) {
                true => map.next_value_seed(Paths(self.0))?,
                false => map.next_value_seed(NestedPaths(self.0))?,
            }
        }
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<(), A::Error> {
        while list.next_element_seed(NestedPaths(self.0))?.is_some() {}
        Ok(())
    }

    fn visit_str<E>(self, _: &str) -> Result<(), E> {
        Ok(())
    }

    skip_scalars!();
}

/// One path, or a list of paths.
struct Paths<'p>(&'p mut Vec<String>);

impl<'de> DeserializeSeed<'de> for Paths<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        let found = deserializer.deserialize_any(Strings)?;
        let room = MOST_PATHS.saturating_sub(self.0.len());
        self.0.extend(found.into_iter().map(path_of_uri).filter(|path| !path.is_empty()).take(room));
        Ok(())
    }
}

/// The path of a URI such as `file:///a%20b`. Other texts are returned unchanged.
fn path_of_uri(text: String) -> String {
    let Some(rest) = text.strip_prefix("file://") else { return text };
    // The host comes first.
    let Some(path) = rest.find('/').map(|slash| &rest.as_bytes()[slash..]) else { return text };
    let mut decoded = Vec::with_capacity(path.len());
    let mut at = 0;
    while at < path.len() {
        let digit = |n: usize| path.get(at + n).and_then(|&byte| char::from(byte).to_digit(16));
        match (path[at], digit(1), digit(2)) {
            (b'%', Some(high), Some(low)) => {
                decoded.push((16 * high + low) as u8);
                at += 3;
            }
            (byte, ..) => {
                decoded.push(byte);
                at += 1;
            }
        }
    }
    String::from_utf8(decoded).unwrap_or(text)
}

/// A string; a list of strings is a command line of these words. `None` for any other value.
struct Text;

impl<'de> DeserializeSeed<'de> for Text {
    type Value = Option<String>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Option<String>, D::Error> {
        Ok(match &deserializer.deserialize_any(Strings)?[..] {
            [] => None,
            [text] => Some(text.clone()),
            words => Some(words.iter().map(|word| shell_word(word.as_bytes())).collect::<Vec<_>>().join(" ")),
        })
    }
}

/// A string, or the strings of a list. Other values are skipped.
struct Strings;

impl<'de> DeserializeSeed<'de> for Strings {
    type Value = Vec<String>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Vec<String>, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Strings {
    type Value = Vec<String>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any value")
    }

    fn visit_str<E>(self, text: &str) -> Result<Vec<String>, E> {
        Ok(vec![text.to_owned()])
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Vec<String>, A::Error> {
        let mut found = Vec::new();
        let mut room = LONGEST_LIST;
        while let Some(more) = list.next_element_seed(Strings)? {
            for text in more {
                if text.len() < room {
                    room -= text.len() + 1;
                    found.push(text);
                }
            }
        }
        Ok(found)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Vec<String>, A::Error> {
        while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(Vec::new())
    }

    skip_scalars!();
}

#[cfg(test)]
mod tests;
