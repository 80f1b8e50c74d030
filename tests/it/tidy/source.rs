//! Reads Rust files as text: code without comments, strings and tests, and the paths in it.

use std::path::{Path, PathBuf};

/// A source file.
pub struct Source {
    /// Relative to the project root.
    pub path: PathBuf,
    pub text: String,
    /// `text` with comments, strings and tests replaced by spaces. Line numbers are the same.
    pub code: String,
    /// Number of lines that are not tests.
    pub length: usize,
    /// Module path: `["diff", "trees"]` for `src/diff/trees.rs`, `["diff"]` for `src/diff/mod.rs`.
    pub module: Vec<String>,
}

/// A path in code. `use crate::a::{b, c::d}` contains two.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reference {
    /// Path segments. The first one is `crate`, `super`, `std` and so on.
    pub names: Vec<String>,
    /// Line number, starting at 1.
    pub line: usize,
    /// True for a `pub use`.
    pub is_exported: bool,
}

/// Reads all Rust files below a folder, sorted by path.
pub fn read_all(root: &Path, folder: &str) -> Vec<Source> {
    let mut folders = vec![root.join(folder)];
    let mut sources = Vec::new();
    while let Some(at) = folders.pop() {
        for entry in std::fs::read_dir(&at).unwrap().map(Result::unwrap) {
            let path = entry.path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let text = std::fs::read_to_string(&path).unwrap();
                let inside = path.strip_prefix(root).unwrap();
                let module = inside.strip_prefix(folder).unwrap();
                sources.push(Source::new(inside, module, text));
            }
        }
    }
    sources.sort_by(|a, b| a.path.cmp(&b.path));
    sources
}

impl Source {
    pub fn new(path: &Path, module: &Path, text: String) -> Source {
        let mut module: Vec<String> =
            module.with_extension("").iter().map(|name| name.to_str().unwrap().to_owned()).collect();
        if module.last().is_some_and(|name| name == "mod") || module == ["lib"] {
            module.pop();
        }
        let (code, tests) = without_tests(&blanked(&text));
        let length = text.lines().count() - tests;
        Source { path: path.to_owned(), text, code, length, module }
    }

    /// Returns whether the whole file is tests: `tests.rs`, or a file below a folder of that name.
    pub fn is_test_file(&self) -> bool {
        self.module.iter().any(|name| name == "tests")
    }

    /// Lists the lines of code that contain a word, such as `unsafe` or `print!`.
    pub fn lines_with(&self, word: &str) -> Vec<usize> {
        let has_word = |line: &str| {
            line.match_indices(word).any(|(at, _)| {
                let before = line[..at].chars().next_back();
                let after = line[at + word.len()..].chars().next();
                !before.is_some_and(is_in_word) && !after.is_some_and(is_in_word)
            })
        };
        self.code.lines().enumerate().filter(|(_, line)| has_word(line)).map(|(number, _)| number + 1).collect()
    }

    /// Lists all paths that start with a name.
    pub fn references(&self, first: &str) -> Vec<Reference> {
        let mut found = Vec::new();
        for (at, _) in self.code.match_indices(&format!("{first}::")) {
            let before = self.code[..at].trim_end();
            if self.code[..at].ends_with(is_in_word) || before.ends_with("::") {
                continue;
            }
            let line = self.code[..at].matches('\n').count() + 1;
            let is_exported = before.ends_with("pub use") || before.ends_with("pub(crate) use");
            let mut paths = Paths { rest: &self.code[at..], found: Vec::new() };
            paths.path(&mut Vec::new());
            found.extend(paths.found.into_iter().map(|names| Reference { names, line, is_exported }));
        }
        found
    }
}

fn is_in_word(letter: char) -> bool {
    letter.is_alphanumeric() || letter == '_'
}

/// Parses `a::b::{c, d::e as f}` at the start of `rest`.
struct Paths<'s> {
    rest: &'s str,
    found: Vec<Vec<String>>,
}

impl Paths<'_> {
    fn path(&mut self, names: &mut Vec<String>) {
        let depth = names.len();
        loop {
            self.skip_space();
            if self.take("{") {
                self.group(names);
                break;
            }
            let length = self.rest.find(|letter| !is_in_word(letter) && letter != '*').unwrap_or(self.rest.len());
            let (name, rest) = self.rest.split_at(length);
            if !name.is_empty() {
                names.push(name.to_owned());
            }
            self.rest = rest;
            self.skip_space();
            if name.is_empty() || !self.take("::") {
                self.found.push(names.clone());
                break;
            }
        }
        names.truncate(depth);
    }

    fn group(&mut self, names: &mut Vec<String>) {
        loop {
            self.skip_space();
            if self.rest.is_empty() || self.take("}") {
                return;
            }
            self.path(names);
            // Skips `as name`.
            let end = self.rest.find([',', '}']).unwrap_or(self.rest.len());
            self.rest = &self.rest[end..];
            self.take(",");
        }
    }

    fn skip_space(&mut self) {
        self.rest = self.rest.trim_start();
    }

    fn take(&mut self, text: &str) -> bool {
        let Some(rest) = self.rest.strip_prefix(text) else { return false };
        self.rest = rest;
        true
    }
}

/// Replaces comments, strings and character literals by spaces. Line numbers do not change.
fn blanked(text: &str) -> String {
    let letters: Vec<char> = text.chars().collect();
    let mut code = String::with_capacity(text.len());
    let mut at = 0;
    while at < letters.len() {
        let end = literal_end(&letters, at);
        match end {
            Some(end) => {
                code.extend(letters[at..end].iter().map(|&letter| if letter == '\n' { '\n' } else { ' ' }));
                at = end;
            }
            None => {
                code.push(letters[at]);
                at += 1;
            }
        }
    }
    code
}

/// Returns the end of the comment, string or character literal that starts at `at`.
fn literal_end(letters: &[char], at: usize) -> Option<usize> {
    let starts = |text: &str| text.chars().enumerate().all(|(n, letter)| letters.get(at + n) == Some(&letter));
    let until = |from: usize, text: &str| {
        let text: Vec<char> = text.chars().collect();
        let found = letters[from..].windows(text.len()).position(|window| window == text);
        found.map_or(letters.len(), |found| from + found + text.len())
    };
    if starts("//") {
        let newline = letters[at..].iter().position(|&letter| letter == '\n');
        return Some(newline.map_or(letters.len(), |newline| at + newline));
    }
    if starts("/*") {
        return Some(until(at + 2, "*/"));
    }
    if starts("r\"") || starts("r#") {
        let in_word = at > 0 && is_in_word(letters[at - 1]) && letters[at - 1] != 'b';
        let hashes = letters[at + 1..].iter().take_while(|&&letter| letter == '#').count();
        let is_string = !in_word && letters.get(at + 1 + hashes) == Some(&'"');
        return is_string.then(|| until(at + 2 + hashes, &format!("\"{}", "#".repeat(hashes))));
    }
    if starts("\"") {
        let mut end = at + 1;
        while end < letters.len() && letters[end] != '"' {
            end += if letters[end] == '\\' { 2 } else { 1 };
        }
        return Some((end + 1).min(letters.len()));
    }
    if starts("'\\") {
        return Some(until(at + 3, "'"));
    }
    // `'a'` is a character, `'a` a lifetime.
    (starts("'") && letters.get(at + 2) == Some(&'\'')).then_some(at + 3)
}

/// Replaces every item after `#[cfg(test)]` by empty lines. Returns the number of those lines too.
fn without_tests(code: &str) -> (String, usize) {
    const MARK: &str = "#[cfg(test)]";
    let mut rest = code;
    let mut kept = String::with_capacity(code.len());
    let mut lines = 0;
    while let Some(start) = rest.find(MARK) {
        kept.push_str(&rest[..start]);
        let end = start + item_end(&rest[start..]);
        let count = rest[start..end].matches('\n').count();
        kept.push_str(&"\n".repeat(count));
        lines += count + 1;
        rest = &rest[end..];
    }
    kept.push_str(rest);
    (kept, lines)
}

/// Returns the end of an item: its semicolon, or the brace that closes its first block.
fn item_end(code: &str) -> usize {
    let mut depth = 0;
    for (at, letter) in code.char_indices() {
        match letter {
            ';' if depth == 0 => return at + 1,
            '{' => depth += 1,
            '}' if depth == 1 => return at + 1,
            '}' => depth -= 1,
            _ => {}
        }
    }
    code.len()
}

fn source(text: &str) -> Source {
    Source::new(Path::new("src/a/b.rs"), Path::new("a/b.rs"), text.to_owned())
}

#[test]
fn comments_strings_and_tests_are_removed() {
    let text =
        "a // b\n/* c\n*/ \"d \\\" e\" 'f' '\\'' r#\"g \" \"# 'h: i\n#[cfg(test)]\nmod tests {\n fn j() {}\n}\nk";
    let code = source(text).code;
    assert_eq!(code.split_whitespace().collect::<Vec<_>>(), ["a", "'h:", "i", "k"]);
    assert_eq!(code.lines().count(), text.lines().count());
    assert_eq!(source(text).length, text.lines().count() - 4);
    assert_eq!(source("#[cfg(test)]\nmod tests;\nuse b;").code.trim(), "use b;");
}

#[test]
fn references_include_groups_and_expressions() {
    let names = |text: &str| -> Vec<String> {
        source(text).references("crate").into_iter().map(|reference| reference.names[1..].join("::")).collect()
    };
    assert_eq!(
        names("use crate::a::{self, b as x, c::{d, e}, f::*};"),
        ["a::self", "a::b", "a::c::d", "a::c::e", "a::f::*"]
    );
    assert_eq!(names("let x: crate::a::B<u8> = crate::c(crate::d::E);"), ["a::B", "c", "d::E"]);
    assert_eq!(names("mycrate::a; $crate::b"), ["b"]);
    assert!(source("pub use crate::a;").references("crate")[0].is_exported);
}
