//! Words of command lines.

/// A byte of a word.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Letter {
    pub byte: u8,
    /// Whether the byte is quoted, and so has no special meaning.
    pub is_quoted: bool,
}

/// A word of a command, without its quotes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Word {
    pub letters: Vec<Letter>,
    /// Whether the value depends on what only the shell knows.
    pub is_unknown: bool,
}

/// The words of a simple command, without redirections.
pub type Words = Vec<Word>;

impl Word {
    /// The text, with patterns as they were typed.
    pub fn text(&self) -> Vec<u8> {
        self.letters.iter().map(|letter| letter.byte).collect()
    }
}

pub(super) fn quoted(byte: u8) -> Letter {
    Letter { byte, is_quoted: true }
}

/// The last component of the path of a program, or the name in `=NAME`, which zsh replaces by the path.
pub(super) fn base_name(path: &[u8]) -> &[u8] {
    let name = path.rsplit(|&byte| byte == b'/').next().unwrap_or_default();
    name.strip_prefix(b"=").unwrap_or(name)
}

/// Whether a word is `NAME=VALUE`.
pub(super) fn is_assignment(word: &Word) -> bool {
    let text = word.text();
    let Some(length) = text.iter().position(|&byte| byte == b'=') else { return false };
    let name = &text[..length];
    !name.is_empty()
        && !name[0].is_ascii_digit()
        && name.iter().all(|byte| byte.is_ascii_alphanumeric() || *byte == b'_')
}
