//! Lines with their changed words marked: `[-old-]{+new+}`, as in `git diff --word-diff`.

use std::io;

use crate::diff::text::{Line, Tag, words};
use crate::terminal::{Page, Role};

/// Prints the lines of a hunk. Words of removed lines are compared with those of the lines that replace them.
pub fn print(page: &mut Page<'_>, lines: &[Line]) -> io::Result<()> {
    for run in lines.chunk_by(|a, b| (a.tag == Tag::Context) == (b.tag == Tag::Context)) {
        let text = |tag| {
            run.iter().filter(|line| line.tag == tag).flat_map(|line| [&line.text[..], b"\n"]).collect::<Vec<_>>()
        };
        let words = match run[0].tag {
            Tag::Context => vec![(Tag::Context, text(Tag::Context).concat())],
            _ => words(&text(Tag::Removed).concat(), &text(Tag::Added).concat()),
        };
        words.iter().try_for_each(|(tag, text)| print_words(page, *tag, text))?;
    }
    Ok(())
}

/// Prints words in marks that do not extend over the ends of lines.
fn print_words(page: &mut Page<'_>, tag: Tag, text: &[u8]) -> io::Result<()> {
    let (role, [start, end]) = match tag {
        Tag::Context => (Role::Path, ["", ""]),
        Tag::Removed => (Role::Removed, ["[-", "-]"]),
        Tag::Added => (Role::Added, ["{+", "+}"]),
    };
    for (n, part) in text.split(|&byte| byte == b'\n').enumerate() {
        if n > 0 {
            page.line("")?;
        }
        if !part.is_empty() {
            page.text(page.paint(role, start))?;
            page.content(role, part)?;
            page.text(page.paint(role, end))?;
        }
    }
    Ok(())
}
