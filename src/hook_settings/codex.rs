//! What Codex records about hooks in its `config.toml`: which ones it trusts, and whether it runs any.

use std::path::Path;

use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use toml_edit::{Document, TableLike};

use super::{FoundHook, Trust};

/// The file `config.toml` of Codex.
pub struct CodexSettings(Document<String>);

impl CodexSettings {
    /// Parses the text of the file; `None` if it is not TOML.
    pub fn parse(text: &str) -> Option<CodexSettings> {
        Document::parse(text.to_owned()).ok().map(CodexSettings)
    }

    /// Whether the file turns all hooks off.
    pub fn disables_hooks(&self) -> bool {
        let features = self.0.get("features").and_then(|features| features.as_table_like());
        let is_off = |key| features.and_then(|features| features.get(key)?.as_bool()) == Some(false);
        is_off("hooks") || is_off("codex_hooks")
    }

    /// Whether the file turns off all hooks that an administrator has not installed. This counts only in `requirements.toml`.
    pub fn allows_only_managed_hooks(&self) -> bool {
        self.0.get("allow_managed_hooks_only").and_then(|value| value.as_bool()) == Some(true)
    }

    /// Whether Codex runs a hook of the file at `hooks`.
    pub fn trust(&self, hooks: &Path, hook: &FoundHook) -> Trust {
        let (group, handler) = hook.place;
        let key = format!("{}:{}:{group}:{handler}", hooks.display(), label(&hook.event));
        let states = self.0.get("hooks").and_then(|hooks| hooks.as_table_like()?.get("state")?.as_table_like());
        let Some(state) = states.and_then(|states| states.get(&key)?.as_table_like()) else {
            return Trust::Untrusted;
        };
        let trusted = |state: &dyn TableLike| state.get("trusted_hash")?.as_str().map(str::to_owned);
        match trusted(state) {
            _ if state.get("enabled").and_then(|value| value.as_bool()) == Some(false) => Trust::Disabled,
            Some(hash) if hash == hash_of(hook) => Trust::Trusted,
            // Either the hook has changed since, or Codex computes the hash in a new way.
            Some(_) => Trust::Unknown,
            None => Trust::Untrusted,
        }
    }
}

/// The event as Codex names it in the keys of `hooks.state`: `pre_tool_use`.
fn label(event: &str) -> String {
    let mut label = String::new();
    for letter in event.chars() {
        if letter.is_ascii_uppercase() && !label.is_empty() {
            label.push('_');
        }
        label.push(letter.to_ascii_lowercase());
    }
    label
}

/// The hash of a hook: SHA-256 of its definition as JSON with sorted keys.
fn hash_of(hook: &FoundHook) -> String {
    let handler = json!({ "type": "command", "command": hook.command, "timeout": hook.timeout, "async": false });
    let mut identity = json!({ "event_name": label(&hook.event), "hooks": [handler] });
    if let Some(matcher) = &hook.matcher {
        identity["matcher"] = Value::from(matcher.as_str());
    }
    // The map of `serde_json` sorts its keys.
    let digest = Sha256::digest(identity.to_string());
    let digits: String = digest.iter().map(|byte| format!("{byte:02x}")).collect();
    format!("sha256:{digits}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::coding_agent::CodingAgent;
    use crate::hook_settings::{HookSet, add, find};

    fn found() -> Vec<FoundHook> {
        let set = HookSet::new(CodingAgent::Codex, Path::new("/usr/bin/undo")).unwrap();
        find(&add("", &set).unwrap(), CodingAgent::Codex).unwrap()
    }

    fn trust(text: &str) -> Trust {
        let tool = found().into_iter().find(|hook| hook.event == "PreToolUse").unwrap();
        CodexSettings::parse(text).unwrap().trust(Path::new("/home/ann/.codex/hooks.json"), &tool)
    }

    #[test]
    fn trust_is_read_from_the_state_of_the_hook() {
        const KEY: &str = "[hooks.state.\"/home/ann/.codex/hooks.json:pre_tool_use:0:0\"]\n";
        let hash = hash_of(&found()[1]);
        assert_eq!(trust(""), Trust::Untrusted);
        assert_eq!(trust(&format!("{KEY}trusted_hash = \"{hash}\"\n")), Trust::Trusted);
        assert_eq!(trust(&format!("{KEY}trusted_hash = \"{hash}\"\nenabled = false\n")), Trust::Disabled);
        assert_eq!(trust(&format!("{KEY}trusted_hash = \"sha256:00\"\n")), Trust::Unknown);
        assert_eq!(trust(&format!("{KEY}enabled = true\n")), Trust::Untrusted);
        let other = KEY.replace("use:0", "use:1");
        assert_eq!(trust(&format!("{other}trusted_hash = \"{hash}\"\n")), Trust::Untrusted);
    }

    #[test]
    fn hash_covers_the_definition() {
        // Computed with `sha256sum` from the definition with sorted keys.
        let hashes: Vec<String> = found().iter().map(hash_of).collect();
        assert_eq!(hashes[2], "sha256:79eb70b6be7068bb2467248aa487a50e8d7cd7707664ec0656dac7b3456bfb66");
        assert_eq!(hashes[1], "sha256:31295e517db9034f0163545eef73cc9028efd460224184df79671bf12ac8139f");
    }

    #[test]
    fn hooks_can_be_off() {
        let is_off = |text: &str| CodexSettings::parse(text).unwrap().disables_hooks();
        assert!(is_off("[features]\nhooks = false\n") && is_off("features = { codex_hooks = false }\n"));
        let managed = CodexSettings::parse("allow_managed_hooks_only = true\n").unwrap();
        assert!(managed.allows_only_managed_hooks() && !managed.disables_hooks());
        assert!(!is_off("[features]\nhooks = true\nother = false\n") && !is_off(""));
        assert!(CodexSettings::parse("[").is_none());
    }
}
