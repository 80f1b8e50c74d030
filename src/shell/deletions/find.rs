//! What `find` deletes.

use super::super::word::{Word, base_name, quoted};
use super::names_repository;
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

/// The directory of a history, and what is in it.
const NAMES: [&[u8]; 4] = [b".undo", b"format", b"journal", b"packs"];

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
    let is_option = |word: &&Word| matches!(&word.text()[..], b"-H" | b"-L" | b"-P");
    let options = arguments.iter().take_while(is_option).count();
    let is_start = |word: &&Word| !matches!(word.text().first(), Some(b'-' | b'(' | b'!'));
    let begin = options + arguments[options..].iter().take_while(is_start).count();
    let (starts, expression) = (&arguments[options..begin], &arguments[begin..]);
    (!keeps_history(expression) && deletes_history(expression)).then(|| match starts {
        [] => vec![Word { letters: vec![quoted(b'.')], is_unknown: false }],
        starts => starts.to_vec(),
    })
}

/// Whether an expression seems to leave out `.undo` by its path.
fn keeps_history(expression: &[Word]) -> bool {
    let has = |wanted: &[&[u8]]| expression.iter().any(|word| wanted.contains(&&word.text()[..]));
    let is_named = |tests: &[&[u8]]| {
        let mut pairs = expression.windows(2);
        pairs.any(|pair| tests.contains(&&pair[0].text()[..]) && names_repository(pair[1].text().trim_ascii_end()))
    };
    let is_path = is_named(&[b"-path", b"-ipath", b"-wholename", b"-iwholename", b"-regex", b"-iregex"]);
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

/// Whether an action deletes, and the tests before it can match a history.
fn deletes_history(expression: &[Word]) -> bool {
    let runs_rm = programs(expression).any(|program| base_name(&program) == b"rm");
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
                Some(value) => restricts_by_value(test, value, is_negated, runs_rm),
                None => false,
            },
        };
        is_negated = false;
        groups.last_mut().expect("one is open").restricts |= restricts;
    }
    false
}

/// Whether a test with a value matches no history.
fn restricts_by_value(test: &[u8], value: &Word, is_negated: bool, runs_rm: bool) -> bool {
    let text = value.text();
    let is_pattern =
        |name: &[u8]| Glob::parse(name, Slashes::Separate).is_ok_and(|glob| NAMES.iter().any(|one| glob.matches(one)));
    match test {
        // `-delete` removes only empty directories.
        b"-type" | b"-xtype" => {
            text.contains(&b'f') == is_negated && (is_negated || !(text.contains(&b'd') && runs_rm))
        }
        b"-maxdepth" => text == b"0" || (text == b"1" && !runs_rm),
        _ if is_negated => false,
        b"-name" => value.is_unknown || !is_pattern(&text),
        b"-iname" => value.is_unknown || !is_pattern(&text.to_ascii_lowercase()),
        b"-path" | b"-ipath" | b"-wholename" | b"-iwholename" | b"-regex" | b"-iregex" => !names_repository(&text),
        b"-lname" | b"-ilname" | b"-samefile" | b"-inum" => true,
        _ => false,
    }
}
