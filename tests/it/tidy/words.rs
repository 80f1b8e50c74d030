//! Checks the wording of source, tests and documents: words that make a sentence hard to read must not return.

use std::path::{Path, PathBuf};

use super::{assert_none, root};

/// Words and phrases to avoid, with replacements. `*` stands for any word.
const WORDS: [(&str, &str); 31] = [
    ("so many", "the number of …"),
    ("is no *", "`is not a …`"),
    ("are no *", "`are not …`"),
    ("was no *", "`was not a …`"),
    ("told", "`reported`, `listed`, `shown`"),
    ("anew", "`again`"),
    ("whoever", "the noun"),
    ("nobody", "`no one`, `no process`, or the noun"),
    ("somebody", "`another program`, `another user`"),
    ("goes on", "`continues`"),
    ("besides", "`also`, `in addition`"),
    ("what is there", "the noun"),
    ("takes its place", "`replaces it`"),
    ("in the meantime", "`meanwhile`, `since then`"),
    ("by itself", "`alone`, `separately`, `automatically`"),
    ("the same but", "`the same except`"),
    ("as far as", "`if`, `where`, `to the extent that`"),
    ("has to be", "`must be`"),
    ("is to be", "`must be`, `will be`"),
    ("of its own", "`separate`"),
    ("of their own", "`separate`"),
    ("// there is", "the subject of the sentence"),
    ("// there are", "the subject of the sentence"),
    ("/// none yet", "`Creates an empty …`"),
    ("undressed", "`metadata_conflicts`"),
    ("newcomer", "`AtomicFile`"),
    ("in doubt", "`unverified`"),
    ("upstairs", "`a higher layer`"),
    ("this room", "`this module`"),
    ("lower floor", "`lower layer`"),
    ("the house", "`the code base`"),
];

/// Words that are not a pattern of `WORDS` although they match: `is no longer`.
const ALLOWED: [&str; 2] = ["longer", "more"];

/// Uses that mean something else: a word, and the file. `nobody` is the name of a user.
const OTHER_MEANINGS: [(&str, &str); 5] = [
    ("nobody", "tests/it/closed.rs"),
    ("nobody", "tests/it/env.rs"),
    ("nobody", "tests/it/kinds.rs"),
    ("nobody", "tests/it/outside/places.rs"),
    ("nobody", "tests/it/owners/root.rs"),
];

/// Files and folders that are not checked yet.
const PENDING: [&str; 0] = [];

/// Files with text that people read.
const CHECKED: [&str; 6] = ["src", "tests", "docs", "examples", "completions", "README.md"];

/// The list of words is not checked against itself.
const THIS_FILE: &str = "tests/it/tidy/words.rs";

/// A use of a phrase.
#[derive(Debug, PartialEq, Eq)]
struct Finding {
    line: usize,
    phrase: &'static str,
    instead: &'static str,
}

/// Lists the phrases of `WORDS` in a text.
fn scan(text: &str) -> Vec<Finding> {
    let lines = text.lines().map(str::to_lowercase).enumerate();
    let findings = |(number, line): (usize, String)| -> Vec<Finding> {
        let used = WORDS.iter().filter(|(phrase, _)| contains(&line, phrase));
        used.map(|&(phrase, instead)| Finding { line: number + 1, phrase, instead }).collect()
    };
    lines.flat_map(findings).collect()
}

/// Returns whether a lower-case line contains a phrase as whole words. Identifiers are one word.
fn contains(line: &str, phrase: &str) -> bool {
    let (text, is_open) = phrase.strip_suffix('*').map_or((phrase, false), |text| (text, true));
    line.match_indices(text).any(|(at, _)| {
        let rest = &line[at + text.len()..];
        let next: String = rest.chars().take_while(|letter| is_in_word(*letter)).collect();
        let ends = match is_open {
            // "There is no space" is plain, "that is no directory" is not.
            true => !next.is_empty() && !ALLOWED.contains(&next.as_str()) && !line[..at].ends_with("there "),
            false => next.is_empty(),
        };
        ends && !line[..at].ends_with(is_in_word)
    })
}

fn is_in_word(letter: char) -> bool {
    letter.is_alphanumeric() || letter == '_'
}

/// Lists the text files at and below a path, relative to the project root.
fn files(path: &Path) -> Vec<PathBuf> {
    let full = root().join(path);
    if !full.is_dir() {
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        let ending = name.rsplit_once('.').map(|(_, ending)| ending);
        let is_text = ["rs", "md", "py", "sh", "bash", "fish", "elv", "ps1"].iter().any(|text| ending == Some(text));
        let is_checked = full.exists() && (is_text || name == "_undo") && path != Path::new(THIS_FILE);
        return if is_checked { vec![path.to_owned()] } else { Vec::new() };
    }
    let entries = std::fs::read_dir(&full).unwrap().map(|entry| path.join(entry.unwrap().file_name()));
    entries.flat_map(|entry| files(&entry)).collect()
}

#[test]
fn text_uses_plain_words() {
    let mut problems = Vec::new();
    let checked = CHECKED.iter().flat_map(|path| files(Path::new(path)));
    for path in checked.filter(|path| !PENDING.iter().any(|pending| path.starts_with(pending))) {
        let text = std::fs::read_to_string(root().join(&path)).unwrap();
        for Finding { line, phrase, instead } in scan(&text) {
            if !OTHER_MEANINGS.iter().any(|(word, file)| *word == phrase && path == Path::new(file)) {
                problems.push(format!("{}:{line}: `{phrase}`; write {instead}", path.display()));
            }
        }
    }
    problems.sort();
    assert_none(problems);
}

#[test]
fn scan_finds_phrases() {
    let phrases = |text: &str| scan(text).iter().map(|found| (found.line, found.phrase)).collect::<Vec<_>>();
    assert_eq!(
        phrases("/// Whoever reads this is told.\nIt is no pattern."),
        [(1, "told"), (1, "whoever"), (2, "is no *")]
    );
    assert_eq!(phrases("/// There is one.\nThen there is another."), [(1, "// there is")]);
    assert_eq!(phrases("It is no longer used, as there is no space, nobody_knows and retold say."), []);
}
