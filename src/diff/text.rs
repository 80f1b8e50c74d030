//! Compares two texts line by line and word by word. Texts are bytes and need not be UTF-8.

use std::ops::Range;
use std::time::{Duration, Instant};

use similar::{ChangeTag, DiffOp, InlineChange, InlineChangeMode, InlineChangeOptions, TextDiff};

/// 16 MiB: a longer text is compared as binary.
const MAX_LENGTH: usize = 16 << 20;

/// A text with more lines is compared as binary.
const MAX_LINES: usize = 500_000;

/// Length of the part that is searched for a NUL, as in git.
const PROBE: usize = 8 << 10;

/// Time limit of the search for the shortest difference. After it, the result is correct but longer.
const TIME_LIMIT: Duration = Duration::from_secs(2);

/// Time limit of all comparisons by word. After it, only whole lines are compared.
const TIME_LIMIT_FOR_WORDS: Duration = Duration::from_millis(500);

/// Maximum number of replaced lines on a side that are compared by word.
const MAX_LINES_FOR_WORDS: usize = 200;

/// A run of differing lines with context.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hunk {
    /// First line on the old side, counted from 1. Without lines there, the line before, as in `diff -u`.
    pub old_start: usize,
    /// Number of lines on the old side.
    pub old_lines: usize,
    /// First line on the new side, counted like `old_start`.
    pub new_start: usize,
    /// Number of lines on the new side.
    pub new_lines: usize,
    /// The lines. Removed lines come before the lines that replace them.
    pub lines: Vec<Line>,
}

/// A line of a hunk.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// The sides that have the line.
    pub tag: Tag,
    /// The bytes without the newline.
    pub text: Vec<u8>,
    /// Differing ranges of `text`, if the rest of the line is similar.
    pub emphasised: Vec<Range<usize>>,
    /// Whether the line lacks a newline at the end of the text.
    pub missing_newline: bool,
}

/// The sides that have a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tag {
    /// Both sides.
    Context,
    /// The old side.
    Removed,
    /// The new side.
    Added,
}

/// Numbers of differing lines, for `--stat`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LineCounts {
    /// Lines on the new side only.
    pub added: usize,
    /// Lines on the old side only.
    pub removed: usize,
}

impl LineCounts {
    /// Counts the lines of hunks.
    pub fn of(hunks: &[Hunk]) -> LineCounts {
        let count = |tag| hunks.iter().flat_map(|hunk| &hunk.lines).filter(|line| line.tag == tag).count();
        LineCounts { added: count(Tag::Added), removed: count(Tag::Removed) }
    }
}

/// Whether the bytes look like text: they have no NUL in the first 8 KiB.
pub fn is_text(bytes: &[u8]) -> bool {
    !bytes[..bytes.len().min(PROBE)].contains(&0)
}

/// The hunks between two texts with this many lines of context. `None` if a side is not text or too long to be compared as
/// text (16 MiB or 500,000 lines).
///
/// Lines end with a newline; a carriage return is part of the line.
pub fn diff(old: &[u8], new: &[u8], context: usize) -> Option<Vec<Hunk>> {
    let is_fit = |text: &[u8]| text.len() <= MAX_LENGTH && is_text(text);
    if !is_fit(old) || !is_fit(new) {
        return None;
    }
    let [old, new] = [old, new].map(|text| text.split_inclusive(|&byte| byte == b'\n').collect::<Vec<_>>());
    if old.len().max(new.len()) > MAX_LINES {
        return None;
    }
    let diff = TextDiff::configure().timeout(TIME_LIMIT).diff_slices(&old, &new);
    let deadline = Instant::now() + TIME_LIMIT_FOR_WORDS;
    // Limits the context to avoid an overflow.
    let groups = diff.grouped_ops(context.min(MAX_LINES));
    Some(groups.iter().filter_map(|group| hunk(&diff, group, deadline)).collect())
}

/// The hunk of neighbouring operations; `None` if all lines are equal.
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
    let is_short = op.old_range().len().max(op.new_range().len()) <= MAX_LINES_FOR_WORDS;
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
    // A line that differs as a whole is not emphasised, even if the newline is the same.
    emphasised.retain(|range| !range.is_empty() && *range != (0..text.len()));
    Line { tag, text, emphasised, missing_newline }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Prints the hunks like `diff -u`, with differing words in brackets.
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
    fn numbers_lines_like_diff_u() {
        assert_eq!(shown("a\nb\nc\nd\n", "a\nb\nx\nd\n", 1), "@@ -2,3 +2,3 @@\n b\n-c\n+x\n d\n");
        assert_eq!(shown("a\nb\n", "a\nx\nb\n", 0), "@@ -1,0 +2,1 @@\n+x\n");
        assert_eq!(shown("", "a\n", 3), "@@ -0,0 +1,1 @@\n+a\n");
        assert_eq!(shown("a\n", "", usize::MAX), "@@ -1,1 +0,0 @@\n-a\n");
        assert_eq!(shown("a\n", "a\n", 3), "");
    }

    #[test]
    fn separates_distant_changes_into_hunks() {
        let lines = |changed: &str| format!("{changed}\n1\n2\n3\n4\n5\n6\n7\n8\n{changed}\n");
        let text = shown(&lines("old"), &lines("new"), 3);
        assert_eq!(text.matches("@@ -").count(), 2, "{text}");
        assert_eq!(shown(&lines("old"), &lines("new"), 4).matches("@@ -").count(), 1);
    }

    #[test]
    fn reports_a_missing_newline() {
        assert_eq!(shown("a\nb", "a\nb\n", 0), "@@ -2,1 +2,1 @@\n-b\\\n+b\n");
        assert_eq!(shown("a\nb", "x\nb", 1), "@@ -1,2 +1,2 @@\n-a\n+x\n b\\\n");
    }

    #[test]
    fn marks_differing_words() {
        assert_eq!(
            shown("let one = first value;\n", "let one = other value;\n", 0),
            "@@ -1,1 +1,1 @@\n-let one = [first] value;\n+let one = [other] value;\n"
        );
    }

    #[test]
    fn does_not_compare_binary_or_long_contents_as_text() {
        assert!(is_text(b"\xff\xfe not UTF-8") && !is_text(b"a\0b"));
        assert_eq!(diff(b"a\0", b"b", 3), None);
        assert_eq!(diff(&vec![b'a'; MAX_LENGTH + 1], b"b", 3), None);
        assert_eq!(diff(b"a", &vec![b'\n'; MAX_LINES + 1], 3), None);
        assert!(diff(b"\xff\r\n", b"\xfe\r\n", 3).is_some());
    }

    /// Applies hunks to the old text, like `patch`.
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
        fn applying_hunks_to_the_old_text_gives_the_new(
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
