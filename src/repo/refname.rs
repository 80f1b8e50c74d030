//! Valid names of branches and tags: a name must not be readable as another revision, an option or a path outside the
//! repository. Parses full names of refs.

use crate::error::{Error, ErrorKind, Result};
use crate::object::operation::{BRANCHES, RefName, TAGS};

/// Maximum length in bytes.
const LONGEST: usize = 200;

/// Characters with a meaning in revisions or shell patterns.
const MARKS: [char; 7] = ['~', '^', ':', '?', '*', '[', '\\'];

/// Fails with [`ErrorKind::Usage`] and the reason if a name is not valid.
pub fn check(name: &str) -> Result<()> {
    match fault(name) {
        Some(reason) => {
            let shown: String = name.chars().take(LONGEST).collect();
            Err(Error::new(
                ErrorKind::Usage,
                format!("`{}` is not a valid branch or tag name: {reason}", shown.escape_debug()),
            )
            .hint("use letters, digits, `-`, `_`, `.` and `/`, as in `before-cleanup`"))
        }
        None => Ok(()),
    }
}

/// Parses a full name: `refs/heads/NAME` or `refs/tags/NAME`. Fails with [`ErrorKind::Usage`] if it is not valid.
pub fn parse(text: &str) -> Result<RefName> {
    let name = match (text.strip_prefix(BRANCHES), text.strip_prefix(TAGS)) {
        (Some(name), _) => RefName::Branch(name.to_owned()),
        (_, Some(name)) => RefName::Tag(name.to_owned()),
        _ => {
            let shown: String = text.chars().take(LONGEST).collect();
            let message = format!("`{}` is not a full ref name", shown.escape_debug());
            let hint = match text.starts_with("refs/") || check(text).is_err() {
                true => format!("branches are {BRANCHES}NAME, tags are {TAGS}NAME"),
                false => format!("a branch is `{BRANCHES}{text}`, a tag `{TAGS}{text}`"),
            };
            return Err(Error::new(ErrorKind::Usage, message).hint(hint));
        }
    };
    check(name.short())?;
    Ok(name)
}

fn fault(name: &str) -> Option<String> {
    let fixed = |reason: &str| Some(reason.to_owned());
    if name.is_empty() {
        return fixed("it is empty");
    }
    if name.len() > LONGEST {
        return Some(format!("it is longer than {LONGEST} bytes"));
    }
    if matches!(name, "@" | "HEAD" | "latest") {
        return fixed("it always means a commit");
    }
    if let Some(bad) = name.chars().find(|&c| c.is_control() || c.is_whitespace() || MARKS.contains(&c)) {
        return Some(match bad {
            ' ' => "it contains a space".to_owned(),
            bad => format!("it contains `{}`", bad.escape_debug()),
        });
    }
    if let Some(bad) = ["@{", "..", "//"].into_iter().find(|bad| name.contains(bad)) {
        return Some(format!("it contains `{bad}`"));
    }
    if name.starts_with(['-', '.', '/']) {
        return Some(format!("it begins with `{}`", &name[..1]));
    }
    if let Some(bad) = ["/", ".lock"].into_iter().find(|bad| name.ends_with(bad)) {
        return Some(format!("it ends in `{bad}`"));
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn full_ref_names_round_trip() {
        for (text, name) in [
            ("refs/heads/main", RefName::Branch("main".into())),
            ("refs/tags/a/b", RefName::Tag("a/b".into())),
            ("refs/heads/refs/tags/x", RefName::Branch("refs/tags/x".into())),
        ] {
            assert_eq!(parse(text).unwrap(), name);
            assert_eq!(name.to_string(), text);
        }
    }

    #[test]
    fn invalid_full_names_hint_at_the_valid_ones() {
        for (text, hint) in [
            ("main", "a branch is `refs/heads/main`, a tag `refs/tags/main`"),
            ("refs/notes/x", "branches are refs/heads/NAME, tags are refs/tags/NAME"),
            ("@", "branches are refs/heads/NAME, tags are refs/tags/NAME"),
            ("", "branches are refs/heads/NAME, tags are refs/tags/NAME"),
        ] {
            assert_eq!(parse(text).unwrap_err().hint_text().as_deref(), Some(hint), "{text}");
        }
        for text in ["refs/heads/", "refs/heads/a..b", "refs/tags/@", "refs/heads/a b"] {
            assert_eq!(parse(text).unwrap_err().kind(), ErrorKind::Usage, "{text}");
        }
    }

    #[test]
    fn check_accepts_names_of_any_language() {
        let longest = "x".repeat(LONGEST);
        for name in ["main", "a", "feature/x-1_2.3", "zażółć", "2026-01-05", "v1.0", "a@b", "beef", "latest2", &longest]
        {
            check(name).unwrap();
        }
    }

    #[test]
    fn check_rejects_ambiguous_names_with_the_reason() {
        let long = "x".repeat(LONGEST + 1);
        for (name, reason) in [
            ("", "it is empty"),
            (&*long, "it is longer than 200 bytes"),
            ("@", "it always means a commit"),
            ("latest", "it always means a commit"),
            ("-", "it begins with `-`"),
            ("-f", "it begins with `-`"),
            (".hidden", "it begins with `.`"),
            ("/a", "it begins with `/`"),
            ("a b", "it contains a space"),
            ("a\u{a0}b", "it contains"),
            ("a\nb", "it contains `\\n`"),
            ("a~1", "it contains `~`"),
            ("a^", "it contains `^`"),
            ("a:b", "it contains `:`"),
            ("a*", "it contains `*`"),
            ("a@{1", "it contains `@{`"),
            ("a..b", "it contains `..`"),
            ("a//b", "it contains `//`"),
            ("a/", "it ends in `/`"),
            ("a.lock", "it ends in `.lock`"),
        ] {
            let error = check(name).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Usage);
            assert!(error.to_string().contains(reason), "{name:?}: {error}");
        }
    }
}
