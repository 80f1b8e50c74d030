//! Two texts: hunks of lines, and the words that differ in them. Texts are bytes; they need not be UTF-8.

use std::ops::Range;
use std::time::{Duration, Instant};

use similar::{ChangeTag, DiffOp, InlineChange, InlineChangeMode, InlineChangeOptions, TextDiff};

/// 16 MiB: a longer text is shown as ranges of bytes, as nobody reads it line by line.
const LONGEST: usize = 16 << 20;

/// More lines than this are not compared as lines.
const MOST_LINES: usize = 500_000;

/// Where a NUL is looked for, as git does.
const PROBE: usize = 8 << 10;

/// How long the search for the shortest difference may take; what comes after it is right, but longer.
const PATIENCE: Duration = Duration::from_secs(2);

/// How long all words together may be looked at; after that whole lines are shown.
const PATIENCE_FOR_WORDS: Duration = Duration::from_millis(500);

/// Lines replaced by one another are not compared word by word if there are more than this on a side.
const MOST_LINES_FOR_WORDS: usize = 200;

/// A run of lines that differ, with context around it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hunk {
    /// First line on the old side, from 1; if it has no line there, the line before (as `diff -u` counts).
    pub old_start: usize,
    /// Lines on the old side.
    pub old_lines: usize,
    /// First line on the new side.
    pub new_start: usize,
    /// Lines on the new side.
    pub new_lines: usize,
    /// Old lines before new ones where lines are replaced.
    pub lines: Vec<Line>,
}

/// One line of a hunk.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// Which side it is on.
    pub tag: Tag,
    /// Its bytes without the newline.
    pub text: Vec<u8>,
    /// Ranges of `text` that differ, where the rest of the line is much the same.
    pub emphasised: Vec<Range<usize>>,
    /// It is the last line, and no newline ends it.
    pub missing_newline: bool,
}

/// Which side a line is on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tag {
    /// Both.
    Context,
    /// The old one.
    Removed,
    /// The new one.
    Added,
}

/// How many lines differ, for `--stat`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LineCounts {
    /// Only on the new side.
    pub added: usize,
    /// Only on the old side.
    pub removed: usize,
}

impl LineCounts {
    /// Counts the lines of hunks.
    pub fn of(hunks: &[Hunk]) -> LineCounts {
        let count = |tag| hunks.iter().flat_map(|hunk| &hunk.lines).filter(|line| line.tag == tag).count();
        LineCounts { added: count(Tag::Added), removed: count(Tag::Removed) }
    }
}

/// Whether the bytes look like text: no NUL in the first 8 KiB.
pub fn is_text(bytes: &[u8]) -> bool {
    !bytes[..bytes.len().min(PROBE)].contains(&0)
}

/// The hunks between two texts with so many lines of context; `None` if one side is not text, or too long to be
/// compared as text (16 MiB or 500,000 lines).
///
/// A line ends with a newline; a carriage return is part of it.
pub fn diff(old: &[u8], new: &[u8], context: usize) -> Option<Vec<Hunk>> {
    let is_fit = |text: &[u8]| text.len() <= LONGEST && is_text(text);
    if !is_fit(old) || !is_fit(new) {
        return None;
    }
    let [old, new] = [old, new].map(|text| text.split_inclusive(|&byte| byte == b'\n').collect::<Vec<_>>());
    if old.len().max(new.len()) > MOST_LINES {
        return None;
    }
    let diff = TextDiff::configure().timeout(PATIENCE).diff_slices(&old, &new);
    let deadline = Instant::now() + PATIENCE_FOR_WORDS;
    // More context than there are lines is all of them, and must not overflow.
    let groups = diff.grouped_ops(context.min(MOST_LINES));
    Some(groups.iter().filter_map(|group| hunk(&diff, group, deadline)).collect())
}

/// One hunk of neighbouring operations; `None` if all of them are equal.
fn hunk(diff: &TextDiff<'_, '_, [u8]>, group: &[DiffOp], deadline: Instant) -> Option<Hunk> {
    let (first, last) = (group.first()?, group.last()?);
    if group.iter().all(|op| matches!(op, DiffOp::Equal { .. })) {
        return None;
    }
    let old = first.old_range().start..last.old_range().end;
    let new = first.new_range().start..last.new_range().end;
    let start = |range: &Range<usize>| if range.is_empty() { range.start } else { range.start + 1 };
    Some(Hunk {
        old_start: start(&old),
        old_lines: old.len(),
        new_start: start(&new),
        new_lines: new.len(),
        lines: group.iter().flat_map(|op| lines(diff, op, deadline)).collect(),
    })
}

fn lines(diff: &TextDiff<'_, '_, [u8]>, op: &DiffOp, deadline: Instant) -> Vec<Line> {
    let is_short = op.old_range().len().max(op.new_range().len()) <= MOST_LINES_FOR_WORDS;
    if is_short && matches!(op, DiffOp::Replace { .. }) && Instant::now() < deadline {
        let mut options = InlineChangeOptions::new();
        options.mode(InlineChangeMode::Words).semantic_cleanup(true);
        return diff.iter_inline_changes_with_options_deadline(op, options, Some(deadline)).map(line).collect();
    }
    diff.iter_changes(op).map(|change| line(change.into())).collect()
}

fn line(change: InlineChange<'_, [u8]>) -> Line {
    let tag = match change.tag() {
        ChangeTag::Equal => Tag::Context,
        ChangeTag::Delete => Tag::Removed,
        ChangeTag::Insert => Tag::Added,
    };
    let mut text = Vec::new();
    let mut emphasised = Vec::new();
    for &(is_emphasised, part) in change.values() {
        let start = text.len();
        text.extend_from_slice(part);
        if is_emphasised {
            emphasised.push(start..text.len());
        }
    }
    let missing_newline = text.pop_if(|byte| *byte == b'\n').is_none();
    for range in &mut emphasised {
        range.end = range.end.min(text.len());
    }
    // The newline is no common word: a line that differs as a whole has nothing to point at.
    emphasised.retain(|range| !range.is_empty() && *range != (0..text.len()));
    Line { tag, text, emphasised, missing_newline }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// As `diff -u` prints it, words that differ in brackets.
    fn shown(old: &str, new: &str, context: usize) -> String {
        let mut out = String::new();
        for hunk in diff(old.as_bytes(), new.as_bytes(), context).unwrap() {
            let Hunk { old_start, old_lines, new_start, new_lines, lines } = hunk;
            out += &format!("@@ -{old_start},{old_lines} +{new_start},{new_lines} @@\n");
            for line in lines {
                let mut text = String::from_utf8(line.text).unwrap();
                for range in line.emphasised.iter().rev() {
                    text.insert(range.end, ']');
                    text.insert(range.start, '[');
                }
                let sign = match line.tag {
                    Tag::Context => ' ',
                    Tag::Removed => '-',
                    Tag::Added => '+',
                };
                out += &format!("{sign}{text}{}\n", if line.missing_newline { "\\" } else { "" });
            }
        }
        out
    }

    #[test]
    fn hunks_are_counted_as_diff_u_counts() {
        assert_eq!(shown("a\nb\nc\nd\n", "a\nb\nx\nd\n", 1), "@@ -2,3 +2,3 @@\n b\n-c\n+x\n d\n");
        assert_eq!(shown("a\nb\n", "a\nx\nb\n", 0), "@@ -1,0 +2,1 @@\n+x\n");
        assert_eq!(shown("", "a\n", 3), "@@ -0,0 +1,1 @@\n+a\n");
        assert_eq!(shown("a\n", "", usize::MAX), "@@ -1,1 +0,0 @@\n-a\n");
        assert_eq!(shown("a\n", "a\n", 3), "");
    }

    #[test]
    fn distant_changes_are_hunks_of_their_own() {
        let lines = |changed: &str| format!("{changed}\n1\n2\n3\n4\n5\n6\n7\n8\n{changed}\n");
        let text = shown(&lines("old"), &lines("new"), 3);
        assert_eq!(text.matches("@@ -").count(), 2, "{text}");
        assert_eq!(shown(&lines("old"), &lines("new"), 4).matches("@@ -").count(), 1);
    }

    #[test]
    fn a_missing_newline_is_a_difference() {
        assert_eq!(shown("a\nb", "a\nb\n", 0), "@@ -2,1 +2,1 @@\n-b\\\n+b\n");
        assert_eq!(shown("a\nb", "x\nb", 1), "@@ -1,2 +1,2 @@\n-a\n+x\n b\\\n");
    }

    #[test]
    fn words_that_differ_are_marked() {
        assert_eq!(
            shown("let one = first value;\n", "let one = other value;\n", 0),
            "@@ -1,1 +1,1 @@\n-let one = [first] value;\n+let one = [other] value;\n"
        );
    }

    #[test]
    fn what_is_binary_or_too_long_is_not_compared_as_text() {
        assert!(is_text(b"\xff\xfe not UTF-8") && !is_text(b"a\0b"));
        assert_eq!(diff(b"a\0", b"b", 3), None);
        assert_eq!(diff(&vec![b'a'; LONGEST + 1], b"b", 3), None);
        assert_eq!(diff(b"a", &vec![b'\n'; MOST_LINES + 1], 3), None);
        assert!(diff(b"\xff\r\n", b"\xfe\r\n", 3).is_some());
    }

    /// Puts hunks on the old text, as `patch` does.
    fn patched(old: &[u8], hunks: &[Hunk]) -> Vec<u8> {
        let lines: Vec<_> = old.split_inclusive(|&byte| byte == b'\n').collect();
        let (mut new, mut at) = (Vec::new(), 0);
        for hunk in hunks {
            let start = if hunk.old_lines == 0 { hunk.old_start } else { hunk.old_start - 1 };
            new.extend(lines[at..start].concat());
            assert_eq!(
                new.iter().filter(|&&byte| byte == b'\n').count() + 1,
                hunk.new_start + usize::from(hunk.new_lines == 0)
            );
            for line in hunk.lines.iter().filter(|line| line.tag != Tag::Removed) {
                new.extend_from_slice(&line.text);
                new.extend((!line.missing_newline).then_some(b'\n'));
            }
            at = start + hunk.old_lines;
        }
        new.extend(lines[at..].concat());
        new
    }

    proptest! {
        #[test]
        fn hunks_put_on_the_old_text_give_the_new(
            old in proptest::collection::vec("[ab\r\u{ff}]{0,2}", 0..20),
            new in proptest::collection::vec("[ab\r\u{ff}]{0,2}", 0..20),
            context in 0usize..4,
        ) {
            let (old, new) = (old.join("\n").into_bytes(), new.join("\n").into_bytes());
            let hunks = diff(&old, &new, context).unwrap();
            prop_assert_eq!(patched(&old, &hunks), new.clone());
            prop_assert_eq!(hunks.is_empty(), old == new);
            let counts = LineCounts::of(&hunks);
            let count = |text: &[u8]| text.split_inclusive(|&byte| byte == b'\n').count();
            prop_assert_eq!(count(&old) + counts.added, count(&new) + counts.removed);
        }
    }
}
