//! Compares two texts line by line and word by word. Texts are bytes and need not be UTF-8.

use std::ops::Range;
use std::time::{Duration, Instant};

use similar::{Algorithm, ChangeTag, DiffOp, InlineChange, InlineChangeMode, InlineChangeOptions, TextDiff};

use super::binary;

/// 16 MiB: a text is not compared by line if more than this lies between the first and the last difference.
const MAX_LENGTH: usize = 16 << 20;

/// The same limit for the number of lines.
const MAX_LINES: usize = 500_000;

/// Length of the part that is searched for a NUL, as in git.
const PROBE: usize = 8 << 10;

/// Time limit of the search for the shortest difference. After it, the result is correct but longer.
pub(super) const TIME_LIMIT: Duration = Duration::from_secs(2);

/// Time limit of all comparisons by word. After it, only whole lines are compared.
const TIME_LIMIT_FOR_WORDS: Duration = Duration::from_millis(500);

/// Maximum number of replaced lines on a side that are compared by word.
const MAX_LINES_FOR_WORDS: usize = 200;

/// How to compare texts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TextOptions {
    /// Number of equal lines around each change.
    pub context: usize,
    /// Whether lines that differ only in spaces, tabs and line ends count as equal.
    pub ignore_space: bool,
}

impl TextOptions {
    /// Compares lines exactly.
    pub const fn exact(context: usize) -> TextOptions {
        TextOptions { context, ignore_space: false }
    }
}

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
    /// Whether the line numbers are estimated, because counting would read too much of a large file.
    pub is_estimated: bool,
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

impl Tag {
    fn of(tag: ChangeTag) -> Tag {
        match tag {
            ChangeTag::Equal => Tag::Context,
            ChangeTag::Delete => Tag::Removed,
            ChangeTag::Insert => Tag::Added,
        }
    }
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

/// The hunks between two texts with this many lines of context. `None` if a side is not text or too much differs: 16 MiB or
/// 500,000 lines lie between the first and the last difference.
///
/// Lines end with a newline; a carriage return is part of the line.
pub fn diff(old: &[u8], new: &[u8], options: TextOptions) -> Option<Vec<Hunk>> {
    if !is_text(old) || !is_text(new) {
        return None;
    }
    let (start, old_middle, new_middle) = middle(old, new, options.context);
    if old_middle.len().max(new_middle.len()) > MAX_LENGTH {
        return None;
    }
    let before = old[..start].iter().filter(|&&byte| byte == b'\n').count();
    let mut hunks = hunks(old_middle, new_middle, options, Instant::now() + TIME_LIMIT)?;
    for hunk in &mut hunks {
        (hunk.old_start, hunk.new_start) = (hunk.old_start + before, hunk.new_start + before);
    }
    Some(hunks)
}

/// The lines that differ, with more than this many equal lines around them, and the offset where they start.
fn middle<'b>(old: &'b [u8], new: &'b [u8], context: usize) -> (usize, &'b [u8], &'b [u8]) {
    let prefix = binary::prefix(old, new);
    let suffix = binary::suffix(&old[prefix..], &new[prefix..]);
    let is_newline = |byte: &u8| *byte == b'\n';
    let newlines_before = old[..prefix].iter().enumerate().rev().filter(|(_, byte)| is_newline(byte));
    let start = newlines_before.map(|(at, _)| at + 1).nth(context).unwrap_or(0);
    let equal_end = &old[old.len() - suffix..];
    let newlines_after = equal_end.iter().enumerate().filter(|(_, byte)| is_newline(byte));
    let end = newlines_after.map(|(at, _)| suffix - at - 1).nth(context).unwrap_or(0);
    (start, &old[start..old.len() - end], &new[start..new.len() - end])
}

/// The hunks between two texts. Searches for the shortest ones until the deadline. `None` if the texts have too many lines.
pub(super) fn hunks(old: &[u8], new: &[u8], options: TextOptions, deadline: Instant) -> Option<Vec<Hunk>> {
    let [old, new] = [old, new].map(|text| text.split_inclusive(|&byte| byte == b'\n').collect::<Vec<_>>());
    if old.len().max(new.len()) > MAX_LINES {
        return None;
    }
    // Limits the context to avoid an overflow.
    let context = options.context.min(MAX_LINES);
    if options.ignore_space {
        let [old_keys, new_keys] =
            [&old, &new].map(|lines| lines.iter().map(|line| without_space(line)).collect::<Vec<_>>());
        let ops = similar::capture_diff_slices_deadline(Algorithm::Myers, &old_keys, &new_keys, Some(deadline));
        let line =
            |op: &DiffOp| -> Vec<Line> { op.iter_changes(&old, &new).map(|change| line(change.into())).collect() };
        return Some(similar::group_diff_ops(ops, context).iter().filter_map(|group| hunk(group, line)).collect());
    }
    let diff = TextDiff::configure().deadline(deadline).diff_slices(&old, &new);
    let deadline = Instant::now() + TIME_LIMIT_FOR_WORDS;
    Some(diff.grouped_ops(context).iter().filter_map(|group| hunk(group, |op| lines(&diff, op, deadline))).collect())
}

/// The words of two texts, in order, each with the sides that have it. Neighbouring words of the same sides are joined.
pub fn words(old: &[u8], new: &[u8]) -> Vec<(Tag, Vec<u8>)> {
    let diff = TextDiff::configure().timeout(TIME_LIMIT_FOR_WORDS).diff_words(old, new);
    let mut words: Vec<(Tag, Vec<u8>)> = Vec::new();
    for change in diff.iter_all_changes() {
        let tag = Tag::of(change.tag());
        match words.last_mut().filter(|(last, _)| *last == tag) {
            Some((_, text)) => text.extend_from_slice(change.value()),
            None => words.push((tag, change.value().to_vec())),
        }
    }
    words
}

/// What remains of a line if space does not count.
fn without_space(line: &[u8]) -> Vec<u8> {
    line.iter().copied().filter(|byte| !matches!(byte, b' ' | b'\t' | b'\r' | b'\n')).collect()
}

/// The hunk of neighbouring operations; `None` if all lines are equal.
fn hunk(group: &[DiffOp], lines: impl Fn(&DiffOp) -> Vec<Line>) -> Option<Hunk> {
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
        lines: group.iter().flat_map(lines).collect(),
        is_estimated: false,
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
    let tag = Tag::of(change.tag());
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
        for hunk in diff(old.as_bytes(), new.as_bytes(), TextOptions::exact(context)).unwrap() {
            let Hunk { old_start, old_lines, new_start, new_lines, lines, .. } = hunk;
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
    fn length_does_not_matter_where_lines_are_equal() {
        let [old, new] = ["one", "two"].map(|changed| {
            let [before, after] = [300_000, 299_999].map(|count| "equal\n".repeat(count));
            format!("{before}{changed}\n{after}")
        });
        assert_eq!(shown(&old, &new, 1), "@@ -300000,3 +300000,3 @@\n equal\n-one\n+two\n equal\n");
        let [old, new] = ["a", "b"].map(|end| "x\n".repeat(MAX_LENGTH / 2 + 1) + end);
        assert!(shown(&old, &new, 0).ends_with("@@\n-a\\\n+b\\\n"));
    }

    #[test]
    fn space_can_be_ignored() {
        let hunks = |old: &str, new: &str| {
            diff(old.as_bytes(), new.as_bytes(), TextOptions { context: 0, ignore_space: true }).unwrap()
        };
        assert_eq!(hunks("a b\nc\n", "\ta  b\r\n c\n"), []);
        let found = hunks("a b\nc\n", "ab\nd e\n");
        assert_eq!((found.len(), found[0].old_start, found[0].lines.len()), (1, 2, 2));
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
        assert_eq!(diff(b"a\0", b"b", TextOptions::exact(3)), None);
        assert_eq!(diff(&vec![b'a'; MAX_LENGTH + 1], b"b", TextOptions::exact(3)), None);
        assert_eq!(diff(b"a", &vec![b'\n'; MAX_LINES + 1], TextOptions::exact(3)), None);
        assert!(diff(b"\xff\r\n", b"\xfe\r\n", TextOptions::exact(3)).is_some());
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
            let hunks = diff(&old, &new, TextOptions::exact(context)).unwrap();
            prop_assert_eq!(patched(&old, &hunks), new.clone());
            prop_assert_eq!(hunks.is_empty(), old == new);
            let counts = LineCounts::of(&hunks);
            let count = |text: &[u8]| text.split_inclusive(|&byte| byte == b'\n').count();
            prop_assert_eq!(count(&old) + counts.added, count(&new) + counts.removed);
        }
    }
}
