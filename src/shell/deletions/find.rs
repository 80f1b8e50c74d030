//! What `find` deletes.

use super::super::word::{Letter, Word, base_name, quoted};
use super::{joined, names_repository};
use crate::path::glob::{Glob, Slashes};

/// Options that run a program.
const RUNNING: [&[u8]; 4] = [b"-exec", b"-execdir", b"-ok", b"-okdir"];

/// Programs that delete.
const DELETING: [&[u8]; 4] = [b"rm", b"rmdir", b"shred", b"unlink"];

/// Programs that change nothing.
const READING: [&[u8]; 14] = [
    b"basename",
    b"cat",
    b"du",
    b"echo",
    b"file",
    b"grep",
    b"head",
    b"ls",
    b"md5sum",
    b"printf",
    b"sha256sum",
    b"stat",
    b"tail",
    b"wc",
];

/// Paths of a history, and of entries in it.
const PATHS: [&[u8]; 6] =
    [b".undo", b".undo/format", b".undo/journal", b".undo/journal/00000001", b".undo/packs", b".undo/packs/c8"];

/// Tests whose value is a pattern of whole paths.
const PATH_TESTS: [&[u8]; 4] = [b"-path", b"-ipath", b"-wholename", b"-iwholename"];

/// Whether all programs that `find` runs are known to change nothing.
pub(in crate::shell) fn only_reads(arguments: &[Word]) -> bool {
    let mut programs = programs(arguments).peekable();
    programs.peek().is_some()
        && !arguments.iter().any(|word| word.text() == b"-delete")
        && programs.all(|program| READING.contains(&base_name(&program)))
}

/// The programs that `find` runs.
fn programs(arguments: &[Word]) -> impl Iterator<Item = Vec<u8>> {
    arguments.windows(2).filter(|pair| RUNNING.contains(&&pair[0].text()[..])).map(|pair| pair[1].text())
}

/// The directories in which `find` deletes everything. `None` if it deletes nothing, or if its tests match no history, such as
/// `-name '*.pyc'`. Tests of age and size may match some of its files.
pub(super) fn deleted(arguments: &[Word]) -> Option<Vec<Word>> {
    let (starts, expression) = parts(arguments);
    let tests =
        Tests { is_recursive: runs_recursive_rm(expression), paths: starts.iter().flat_map(paths_below).collect() };
    (!keeps_history(expression) && tests.permit_deletion(expression)).then_some(starts)
}

/// What `find -name PATTERN -exec rm -r` deletes in the directories where it starts. It may delete more below them.
pub(in crate::shell) fn deleted_by_name(arguments: &[Word]) -> Vec<Word> {
    let (starts, expression) = parts(arguments);
    if !runs_recursive_rm(expression) || keeps_history(expression) {
        return Vec::new();
    }
    let pairs = expression.windows(2).filter(|pair| pair[0].text() == b"-name");
    let pattern = |pair: &[Word]| {
        let letters = pair[1].text().into_iter().map(|byte| Letter { byte, is_quoted: false }).collect();
        Word { letters, unknown_from: pair[1].unknown_from }
    };
    let patterns: Vec<Word> = pairs.map(pattern).collect();
    starts.iter().flat_map(|start| patterns.iter().map(|pattern| joined(start, pattern))).collect()
}

/// Where `find` starts, and its expression.
fn parts(arguments: &[Word]) -> (Vec<Word>, &[Word]) {
    let is_option = |word: &&Word| matches!(&word.text()[..], b"-H" | b"-L" | b"-P");
    let options = arguments.iter().take_while(is_option).count();
    let is_start = |word: &&Word| !matches!(word.text().first(), Some(b'-' | b'(' | b'!'));
    let begin = options + arguments[options..].iter().take_while(is_start).count();
    let starts = match &arguments[options..begin] {
        [] => vec![Word::known(vec![quoted(b'.')])],
        starts => starts.to_vec(),
    };
    (starts, &arguments[begin..])
}

/// Paths of a history in a directory, as `find` prints them.
fn paths_below(start: &Word) -> [Vec<u8>; 6] {
    let start = start.text();
    let slash = if start.ends_with(b"/") { &b""[..] } else { b"/" };
    PATHS.map(|path| [&start, slash, path].concat())
}

/// Whether `find` runs `rm -r`.
fn runs_recursive_rm(expression: &[Word]) -> bool {
    let is_run = |pair: &[Word]| RUNNING.contains(&&pair[0].text()[..]) && base_name(&pair[1].text()) == b"rm";
    let Some(at) = expression.windows(2).position(is_run) else { return false };
    let is_recursive = |option: &[u8]| {
        let letters = option.strip_prefix(b"-").filter(|letters| !letters.starts_with(b"-"));
        letters.is_some_and(|letters| letters.contains(&b'r') || letters.contains(&b'R')) || option.starts_with(b"--r")
    };
    let arguments = expression[at + 2..].iter().map(Word::text);
    arguments.take_while(|word| !matches!(&word[..], b";" | b"+")).any(|word| is_recursive(&word))
}

/// Whether an expression seems to leave out `.undo` by its path.
fn keeps_history(expression: &[Word]) -> bool {
    let has = |wanted: &[&[u8]]| expression.iter().any(|word| wanted.contains(&&word.text()[..]));
    let is_named = |tests: &[&[u8]]| {
        let mut pairs = expression.windows(2);
        pairs.any(|pair| tests.contains(&&pair[0].text()[..]) && names_repository(pair[1].text().trim_ascii_end()))
    };
    let is_path = is_named(&PATH_TESTS) || is_named(&[b"-regex", b"-iregex"]);
    has(&[b"-prune"]) && (is_path || is_named(&[b"-name"])) || has(&[b"!", b"-not"]) && is_path
}

/// Tests between two parentheses.
#[derive(Default)]
struct Group {
    /// Whether the tests since the last `-o` match no history.
    restricts: bool,
    /// Whether those before it can match one.
    has_other: bool,
}

/// What decides whether tests match a history.
struct Tests {
    /// Whether `find` runs `rm -r`, which deletes directories that are not empty.
    is_recursive: bool,
    /// Paths of a history.
    paths: Vec<Vec<u8>>,
}

impl Tests {
    /// Whether an action deletes, and the tests before it can match a history.
    fn permit_deletion(&self, expression: &[Word]) -> bool {
        let mut groups = vec![Group::default()];
        let mut is_negated = false;
        let mut words = expression.iter();
        while let Some(word) = words.next() {
            let text = word.text();
            let restricts = match &text[..] {
                b"!" | b"-not" => {
                    is_negated = !is_negated;
                    continue;
                }
                b"(" => {
                    groups.push(Group::default());
                    continue;
                }
                b")" if groups.len() > 1 => groups.pop().is_some_and(|group| group.restricts && !group.has_other),
                b"-o" | b"-or" | b"," => {
                    let group = groups.last_mut().expect("one is open");
                    group.has_other |= !group.restricts;
                    group.restricts = false;
                    false
                }
                b"-delete" if !groups.iter().any(|group| group.restricts) => return true,
                option if RUNNING.contains(&option) => {
                    let deletes = words.next().is_some_and(|program| DELETING.contains(&base_name(&program.text())));
                    if deletes && !groups.iter().any(|group| group.restricts) {
                        return true;
                    }
                    words.by_ref().find(|word| matches!(&word.text()[..], b";" | b"+"));
                    false
                }
                b"-empty" => true,
                test => match words.as_slice().first() {
                    Some(value) => self.restricts(test, value, is_negated),
                    None => false,
                },
            };
            is_negated = false;
            groups.last_mut().expect("one is open").restricts |= restricts;
        }
        false
    }

    /// Whether a test with a value matches no history.
    fn restricts(&self, test: &[u8], value: &Word, is_negated: bool) -> bool {
        let text = value.text();
        match test {
            // Without `rm -r`, only empty directories are deleted.
            b"-type" | b"-xtype" => {
                text.contains(&b'f') == is_negated && (is_negated || !(text.contains(&b'd') && self.is_recursive))
            }
            b"-maxdepth" => text == b"0" || (text == b"1" && !self.is_recursive),
            // The directory itself remains if what is in it does.
            _ if PATH_TESTS.contains(&test) && is_negated => {
                self.paths.iter().filter(|path| !path.ends_with(b".undo")).all(|path| matches(&text, path))
            }
            _ if is_negated => false,
            b"-name" | b"-iname" => {
                value.is_unknown() || !self.paths.iter().any(|path| matches(&text, base_name(path)))
            }
            _ if PATH_TESTS.contains(&test) => !self.paths.iter().any(|path| matches(&text, path)),
            b"-regex" | b"-iregex" => !names_repository(&text),
            b"-lname" | b"-ilname" | b"-samefile" | b"-inum" => true,
            _ => false,
        }
    }
}

/// Whether a pattern matches a text, in any case.
fn matches(pattern: &[u8], text: &[u8]) -> bool {
    let glob = Glob::parse(&pattern.to_ascii_lowercase(), Slashes::Ordinary);
    glob.is_ok_and(|glob| glob.matches(&text.to_ascii_lowercase()))
}
