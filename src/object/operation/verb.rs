//! The command that an operation records.

use std::fmt;

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
    /// A verb of another version.
    Other(String),
}

const KNOWN: [Verb; 12] = [
    Verb::Init,
    Verb::Commit,
    Verb::Checkout,
    Verb::Restore,
    Verb::Undo,
    Verb::Redo,
    Verb::OpRestore,
    Verb::Run,
    Verb::Branch,
    Verb::Tag,
    Verb::SymbolicRef,
    Verb::UpdateRef,
];

impl Verb {
    /// The text in the journal and in JSON.
    pub fn as_str(&self) -> &str {
        match self {
            Verb::Init => "init",
            Verb::Commit => "commit",
            Verb::Checkout => "checkout",
            Verb::Restore => "restore",
            Verb::Undo => "undo",
            Verb::Redo => "redo",
            Verb::OpRestore => "op restore",
            Verb::Run => "run",
            Verb::Branch => "branch",
            Verb::Tag => "tag",
            Verb::SymbolicRef => "symbolic-ref",
            Verb::UpdateRef => "update-ref",
            Verb::Other(text) => text,
        }
    }
}

impl From<&str> for Verb {
    fn from(text: &str) -> Verb {
        KNOWN.into_iter().find(|verb| verb.as_str() == text).unwrap_or_else(|| Verb::Other(text.to_owned()))
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
        for verb in KNOWN {
            assert_eq!(Verb::from(verb.as_str()), verb);
        }
        assert_eq!(Verb::from("merge"), Verb::Other("merge".to_owned()));
    }
}
