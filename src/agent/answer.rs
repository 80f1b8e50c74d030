//! The answer of a hook: JSON that the agent reads from stdout.

use serde::Serialize;

use crate::quote::is_hidden;

/// The answer to an event. The default lets the agent continue and shows nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Answer {
    /// A line that the agent shows to the user.
    #[serde(skip_serializing_if = "Option::is_none")]
    system_message: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    hook_specific_output: Option<Decision>,
}

/// A decision about the tool that the agent announced. Agents reject answers with fields that they do not know.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
struct Decision {
    hook_event_name: &'static str,
    permission_decision: &'static str,
    permission_decision_reason: String,
}

impl Answer {
    /// Lets the agent continue. Shows the messages to the user, on one line.
    pub fn with_messages(messages: &[String]) -> Answer {
        let line = one_line(messages);
        Answer { system_message: line, hook_specific_output: None }
    }

    /// Like [`Answer::with_messages`], and blocks the announced tool. There must be a message.
    pub fn denying_tool(messages: &[String]) -> Answer {
        let line = one_line(messages);
        let decision = Decision {
            hook_event_name: "PreToolUse",
            permission_decision: "deny",
            permission_decision_reason: line.clone().unwrap_or_default(),
        };
        Answer { system_message: line, hook_specific_output: Some(decision) }
    }
}

/// Messages on one line, without characters that a terminal would interpret.
fn one_line(messages: &[String]) -> Option<String> {
    let line: String =
        messages.join(" · ").chars().map(|letter| if is_hidden(letter) { ' ' } else { letter }).collect();
    (!line.is_empty()).then(|| format!("undo: {line}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn json(answer: &Answer) -> String {
        serde_json::to_string(answer).unwrap()
    }

    #[test]
    fn an_answer_without_messages_is_an_empty_object() {
        assert_eq!(json(&Answer::default()), "{}");
        assert_eq!(json(&Answer::with_messages(&[])), "{}");
    }

    #[test]
    fn messages_are_shown_on_one_line() {
        let messages = ["not recorded: no\nspace".to_owned(), "\x1b[2Jsecond".to_owned()];
        assert_eq!(
            json(&Answer::with_messages(&messages)),
            r#"{"systemMessage":"undo: not recorded: no space ·  [2Jsecond"}"#
        );
    }

    #[test]
    fn a_denied_tool_has_a_reason() {
        assert_eq!(
            json(&Answer::denying_tool(&["not recorded: no space".to_owned()])),
            r#"{"systemMessage":"undo: not recorded: no space","hookSpecificOutput":{"hookEventName":"PreToolUse","permissionDecision":"deny","permissionDecisionReason":"undo: not recorded: no space"}}"#
        );
    }
}
