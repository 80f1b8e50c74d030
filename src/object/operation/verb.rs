//! The command that an operation records.

use std::fmt;

use crate::codec::{Decoder, Encoder};
use crate::error::Result;
use crate::object::fields::Field;

/// The command that an operation records. The journal holds its text, so operations of newer versions can still be read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[allow(missing_docs, reason = "each variant is the command of that name")]
pub enum Verb {
    Init,
    #[default]
    Commit,
    Checkout,
    Restore,
    Undo,
    Redo,
    OpRestore,
    Run,
    Branch,
    Tag,
    SymbolicRef,
    UpdateRef,
    Forget,
    Recall,
    Purge,
    Repair,
    Pull,
    AutomaticCommit,
    Revive,
    /// A verb of another version.
    Other(String),
}

/// The verbs of this version, with their text in the journal and in JSON.
const KNOWN: [(Verb, &str); 19] = [
    (Verb::Init, "init"),
    (Verb::Commit, "commit"),
    (Verb::Checkout, "checkout"),
    (Verb::Restore, "restore"),
    (Verb::Undo, "undo"),
    (Verb::Redo, "redo"),
    (Verb::OpRestore, "op restore"),
    (Verb::Run, "run"),
    (Verb::Branch, "branch"),
    (Verb::Tag, "tag"),
    (Verb::SymbolicRef, "symbolic-ref"),
    (Verb::UpdateRef, "update-ref"),
    (Verb::Forget, "forget"),
    (Verb::Recall, "recall"),
    (Verb::Purge, "purge"),
    (Verb::Repair, "repair"),
    (Verb::Pull, "pull"),
    (Verb::AutomaticCommit, "automatic commit"),
    (Verb::Revive, "revive"),
];

impl Verb {
    /// The text in the journal and in JSON.
    pub fn as_str(&self) -> &str {
        match self {
            Verb::Other(text) => text,
            known => KNOWN.iter().find(|(verb, _)| verb == known).map_or("", |(_, text)| text),
        }
    }
}

impl From<&str> for Verb {
    fn from(text: &str) -> Verb {
        let known = KNOWN.into_iter().find(|(_, known)| *known == text);
        known.map_or_else(|| Verb::Other(text.to_owned()), |(verb, _)| verb)
    }
}

impl Field for Verb {
    fn put(&self, encoder: &mut Encoder) {
        encoder.bytes(self.as_str().as_bytes());
    }

    fn take(decoder: &mut Decoder<'_>) -> Result<Verb> {
        Ok(decoder.text()?.as_str().into())
    }
}

impl fmt::Display for Verb {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn verb_text_round_trips() {
        for (verb, text) in KNOWN {
            assert_eq!((Verb::from(text), verb.as_str()), (verb.clone(), text));
        }
        assert_eq!(Verb::from("merge"), Verb::Other("merge".to_owned()));
    }
}
