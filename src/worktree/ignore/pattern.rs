//! Parses one gitignore pattern and matches it against paths, exactly as git does, even where that is surprising.

use crate::path::glob::{Glob, Invalid, Slashes};

/// A parsed line.
pub struct Pattern {
    /// Line number, from 1.
    pub line: u64,
    /// The line without the parts that git strips: a CR at its end, trailing spaces, and everything from a NUL on.
    pub text: Box<[u8]>,
    /// Whether this is a `!` pattern, which keeps the paths that it matches.
    pub is_negated: bool,
    /// Whether the pattern ends in `/` and therefore matches only directories.
    pub only_directories: bool,
    /// Whether the pattern has another `/`: it is then matched against the path relative to the directory of its file,
    /// not against the name.
    pub is_anchored: bool,
    glob: Glob,
    /// Byte pairs that occur in every text that the pattern matches.
    pairs: BytePairs,
}

/// A set of pairs of adjacent bytes, stored in few bits: it may contain more pairs than were added.
#[derive(Clone, Copy, Default)]
pub struct BytePairs(u64);

impl BytePairs {
    fn add(&mut self, first: u8, second: u8) {
        self.0 |= 1 << (first.wrapping_mul(31).wrapping_add(second) & 63);
    }

    /// The byte pairs of a text.
    pub fn of(text: &[u8]) -> BytePairs {
        let mut pairs = BytePairs::default();
        text.windows(2).for_each(|pair| pairs.add(pair[0], pair[1]));
        pairs
    }
}

impl Pattern {
    /// Parses a line of a rules file, given without its LF. `None` for comments and blank lines.
    pub fn parse(line: &[u8], number: u64) -> Option<Result<Pattern, Invalid>> {
        if line.starts_with(b"#") {
            return None;
        }
        let text = trim(line);
        let (is_negated, pattern) = match text.strip_prefix(b"!") {
            Some(pattern) => (true, pattern),
            None => (false, text),
        };
        let (only_directories, pattern) = match pattern.strip_suffix(b"/") {
            Some(pattern) => (true, pattern),
            None => (false, pattern),
        };
        if pattern.is_empty() {
            return if text.is_empty() { None } else { Some(Err(Invalid::Empty)) };
        }
        let is_anchored = pattern.contains(&b'/');
        let pattern = pattern.strip_prefix(b"/").unwrap_or(pattern);
        Some(Glob::parse(pattern, Slashes::Separate).map(|glob| {
            let mut pairs = BytePairs::default();
            glob.byte_pairs().for_each(|(first, second)| pairs.add(first, second));
            Pattern { line: number, text: text.into(), is_negated, only_directories, is_anchored, glob, pairs }
        }))
    }

    /// Whether a text with these byte pairs may match. Cheaper than [`Pattern::matches`].
    pub fn may_match(&self, pairs: BytePairs) -> bool {
        self.pairs.0 & !pairs.0 == 0
    }

    /// The pattern without its line.
    pub fn glob(&self) -> &Glob {
        &self.glob
    }

    /// Whether the pattern matches all of `text`, which is a path if the pattern is anchored and a name otherwise.
    pub fn matches(&self, text: &[u8]) -> bool {
        self.glob.matches(text)
    }
}

/// Strips the parts of a line that git ignores.
fn trim(line: &[u8]) -> &[u8] {
    let line = line.strip_suffix(b"\r").unwrap_or(line);
    let line = line.split(|&byte| byte == 0).next().unwrap_or_default();
    // Strip trailing spaces up to an escaped one. A `\` at the very end keeps all of them.
    let mut end = 0;
    let mut at = 0;
    while at < line.len() {
        match line[at] {
            b' ' => {}
            b'\\' => {
                at += 1;
                end = at + 1;
            }
            _ => end = at + 1,
        }
        at += 1;
    }
    &line[..end.min(line.len())]
}
