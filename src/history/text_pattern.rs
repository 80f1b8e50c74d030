//! Regular expressions for the text of commits.

use regex_lite::{Regex, RegexBuilder};

use crate::error::{Error, ErrorKind, Result};

/// A regular expression that ignores case. `^` and `$` match at every line.
pub struct TextPattern(Regex);

impl TextPattern {
    /// Parses a regular expression. [`ErrorKind::Usage`] if it is not valid.
    pub fn parse(text: &str) -> Result<TextPattern> {
        let regex = RegexBuilder::new(&to_lowercase(text)).multi_line(true).build();
        regex.map(TextPattern).map_err(|error| {
            let message = format!("`{}` is not a valid regular expression: {error}", text.escape_debug());
            Error::new(ErrorKind::Usage, message).hint(format!("to find this text: '{}'", regex_lite::escape(text)))
        })
    }

    /// Whether the expression matches a part of the text.
    pub fn matches(&self, text: &str) -> bool {
        self.0.is_match(&text.to_lowercase())
    }
}

/// Lower case, except after a `\`, where case has a meaning. The crate ignores the case of ASCII letters only.
fn to_lowercase(pattern: &str) -> String {
    let mut lower = String::with_capacity(pattern.len());
    let mut letters = pattern.chars();
    while let Some(letter) = letters.next() {
        if letter == '\\' {
            lower.push(letter);
            lower.extend(letters.next());
        } else {
            lower.extend(letter.to_lowercase());
        }
    }
    lower
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn matches_lines_and_ignores_case() {
        for (pattern, text, is_match) in [
            ("FIX", "a fixed bug", true),
            ("^second", "first\nSecond line", true),
            ("bug$", "a Bug\nmore", true),
            ("ÄRGER", "Großer Ärger", true),
            (r"issue \d+", "Issue 12", true),
            (r"\S\W\S", "a b", true),
            (r"\D", "12", false),
            ("a|b", "xbx", true),
            ("c++", "ccc", true),
            ("", "anything", true),
        ] {
            let found = TextPattern::parse(pattern).map(|pattern| pattern.matches(text));
            assert_eq!(found.ok(), Some(is_match), "{pattern}");
        }
    }

    #[test]
    fn invalid_expressions_are_reported() {
        for pattern in ["(", "[a", "*", r"\"] {
            assert_eq!(TextPattern::parse(pattern).err().unwrap().kind(), ErrorKind::Usage, "{pattern}");
        }
    }
}
