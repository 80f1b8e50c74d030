//! What a branch or a tag may be called: nothing that could be read as another revision, an option or a path trick.

use crate::error::{Error, ErrorKind, Result};

/// Bytes in a name at most.
const LONGEST: usize = 200;

/// Characters that mean something in revisions and in shells' patterns.
const MARKS: [char; 7] = ['~', '^', ':', '?', '*', '[', '\\'];

/// Fails with [`ErrorKind::Usage`] and the reason if no branch or tag may be called so.
pub fn check(name: &str) -> Result<()> {
    match fault(name) {
        Some(reason) => {
            let shown: String = name.chars().take(LONGEST).collect();
            Err(Error::new(
                ErrorKind::Usage,
                format!("`{}` is no name for a branch or a tag: {reason}", shown.escape_debug()),
            )
            .hint("use letters, digits, `-`, `_`, `.` and `/`, as in `before-cleanup`"))
        }
        None => Ok(()),
    }
}

fn fault(name: &str) -> Option<String> {
    let fixed = |reason: &str| Some(reason.to_owned());
    if name.is_empty() {
        return fixed("it is empty");
    }
    if name.len() > LONGEST {
        return Some(format!("it is longer than {LONGEST} bytes"));
    }
    if matches!(name, "@" | "latest") {
        return fixed("it always means a commit");
    }
    if let Some(bad) = name.chars().find(|&c| c.is_control() || c.is_whitespace() || MARKS.contains(&c)) {
        return Some(format!("it contains `{}`", bad.escape_debug()));
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
    fn ordinary_names_of_any_language_are_fine() {
        let longest = "x".repeat(LONGEST);
        for name in ["main", "a", "feature/x-1_2.3", "zażółć", "2026-01-05", "v1.0", "a@b", "beef", "latest2", &longest]
        {
            check(name).unwrap();
        }
    }

    #[test]
    fn what_could_be_read_as_something_else_is_refused_with_the_reason() {
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
            ("a b", "it contains ` `"),
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
