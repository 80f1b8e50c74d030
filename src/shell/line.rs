//! Splits a command line into simple commands and their words. One lenient grammar for bash, zsh and fish, which differ only in
//! quotes and arithmetic: what it cannot know, such as the output of a command, becomes an unknown word.

mod quotes;

use super::shells::Shell;
use super::word::{Word, Words, is_assignment};

/// Looks up the value of a variable.
pub type Variables<'v> = &'v dyn Fn(&str) -> Option<Vec<u8>>;

/// An element of a line.
#[derive(Clone, Debug)]
pub enum Part {
    /// A simple command.
    Command(Words, Connector),
    /// The beginning of a subshell or substitution.
    Open,
    /// Its end.
    Close,
}

/// What stands between a command and the previous one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Connector {
    /// `&&`
    And,
    /// `||`
    Or,
    /// `|`
    Pipe,
    /// `&`
    Background,
    /// `;`, the end of a line, or nothing.
    Sequence,
}

/// Commands and keywords that set the variables that follow them.
const SETTING: [&[u8]; 11] = [
    b"declare",
    b"export",
    b"for",
    b"foreach",
    b"local",
    b"read",
    b"readonly",
    b"select",
    b"set",
    b"typeset",
    b"printf",
];

/// Nesting of substitutions beyond which a line is not understood.
const DEEPEST: usize = 20;

/// The operators of redirections. Those that begin with another one precede it.
const REDIRECTIONS: [&[u8]; 19] = [
    b"&>>|", b"&>>", b"&>|", b"&>", b"<<<", b"<<-", b"<<", b"<>", b"<&", b"<", b">>&|", b">>&", b">>|", b">>", b">&|",
    b">&", b">|", b">?", b">",
];

/// Keywords that a group in parentheses may follow, and a command after it: `for f (a b) rm $f` in zsh, `for ((;;))`.
const BEFORE_GROUP: [&[u8]; 7] = [b"elif", b"for", b"foreach", b"if", b"select", b"until", b"while"];

/// The parts of a line in the order of their text, substitutions before the command that has them.
pub fn split(line: &[u8], shell: Shell, variables: Variables<'_>) -> Vec<Part> {
    read(line, shell, variables, 0)
}

/// The simple commands of a line.
pub fn commands(line: &[u8], shell: Shell, variables: Variables<'_>) -> Vec<Words> {
    let parts = split(line, shell, variables).into_iter();
    parts.filter_map(|part| if let Part::Command(words, _) = part { Some(words) } else { None }).collect()
}

fn read(line: &[u8], shell: Shell, variables: Variables<'_>, depth: usize) -> Vec<Part> {
    let mut parser = Parser {
        line,
        at: 0,
        parts: Vec::new(),
        connector: Connector::Sequence,
        shell,
        variables,
        depth,
        documents: Vec::new(),
        has_documents: shell != Shell::Fish,
        assigned: Vec::new(),
    };
    while parser.at < line.len() {
        parser.list();
        // An unmatched closing parenthesis, as in `case`.
        parser.at += 1;
        parser.connector = Connector::Sequence;
    }
    parser.parts
}

struct Parser<'l> {
    line: &'l [u8],
    at: usize,
    parts: Vec<Part>,
    /// What stands before the next command.
    connector: Connector,
    shell: Shell,
    variables: Variables<'l>,
    depth: usize,
    /// Ends of here-documents whose text begins after the next newline.
    documents: Vec<Vec<u8>>,
    /// Whether `<<` begins a here-document.
    has_documents: bool,
    /// Variables that the line has set.
    assigned: Vec<Vec<u8>>,
}

impl Parser<'_> {
    fn peek(&self) -> Option<u8> {
        self.line.get(self.at).copied()
    }

    fn starts(&self, text: &[u8]) -> bool {
        self.line[self.at.min(self.line.len())..].starts_with(text)
    }

    /// Reads commands up to the parenthesis that closes this list, or to the end.
    fn list(&mut self) {
        let mut words = Words::new();
        // Whether nothing follows the connector.
        let mut is_empty = true;
        while let Some(byte) = self.peek() {
            match byte {
                b')' => break,
                b' ' | b'\t' | b'\r' => self.at += 1,
                b'\\' if self.starts(b"\\\n") => self.at += 2,
                b'&' if self.starts(b"&>") => self.redirection(),
                b'\n' | b';' | b'|' | b'&' => {
                    let (connector, length) = match byte {
                        b'&' if self.starts(b"&&") => (Connector::And, 2),
                        b'|' if self.starts(b"||") => (Connector::Or, 2),
                        b'|' if self.starts(b"|&") => (Connector::Pipe, 2),
                        b'|' => (Connector::Pipe, 1),
                        b'&' => (Connector::Background, 1),
                        _ => (Connector::Sequence, 1),
                    };
                    self.at += length;
                    self.end_command(&mut words);
                    // A command may continue in the line after `&&`.
                    if byte != b'\n' || !is_empty {
                        self.connector = connector;
                        is_empty = true;
                    }
                    if byte == b'\n' {
                        self.skip_documents();
                    }
                }
                b'#' => self.at = self.line_end(),
                b'<' | b'>' if !self.starts(b"<(") && !self.starts(b">(") => self.redirection(),
                // The name of a function is not a command.
                b'(' if self.starts(b"()") => {
                    self.at += 2;
                    words.clear();
                }
                b'(' if words.is_empty() || may_precede_group(&words) => {
                    is_empty = false;
                    self.end_command(&mut words);
                    match self.arithmetic_end(2).filter(|_| self.starts(b"((")) {
                        Some(end) => self.arithmetic(2, end, 2),
                        None => self.nested(1),
                    }
                }
                _ => {
                    is_empty = false;
                    let word = self.word();
                    let is_descriptor =
                        !word.letters.is_empty() && word.letters.iter().all(|one| one.byte.is_ascii_digit());
                    if !(is_descriptor && matches!(self.peek(), Some(b'<' | b'>'))) {
                        words.push(word);
                    }
                }
            }
        }
        self.end_command(&mut words);
    }

    fn end_command(&mut self, words: &mut Words) {
        if !words.is_empty() {
            self.note_assigned(words);
            self.parts.push(Part::Command(std::mem::take(words), self.connector));
        }
    }

    /// Notes the variables that a command sets: their values are known only when it has run.
    fn note_assigned(&mut self, words: &[Word]) {
        let name = |word: &Word| word.text().split(|&byte| byte == b'=').next().unwrap_or_default().to_vec();
        let assignments = words.iter().take_while(|word| is_assignment(word)).map(name);
        self.assigned.extend(assignments);
        let text = |at: usize| words.get(at).map(Word::text).unwrap_or_default();
        let keyword = (0..2).find(|&at| SETTING.contains(&&text(at)[..]));
        self.assigned.extend(keyword.into_iter().flat_map(|at| &words[at + 1..]).map(name));
    }

    fn line_end(&self) -> usize {
        let rest = &self.line[self.at..];
        self.at + rest.iter().position(|&byte| byte == b'\n').unwrap_or(rest.len())
    }

    /// Skips the operator and the file of a redirection.
    fn redirection(&mut self) {
        let is_document = self.has_documents && self.starts(b"<<") && !self.starts(b"<<<");
        self.at += REDIRECTIONS.iter().find(|operator| self.starts(operator)).map_or(1, |operator| operator.len());
        while matches!(self.peek(), Some(b' ' | b'\t')) {
            self.at += 1;
        }
        let file = self.word();
        if is_document {
            self.documents.push(file.text());
        }
    }

    /// Skips the text of here-documents. One that does not end is more likely a `<<` with another meaning.
    fn skip_documents(&mut self) {
        for end in std::mem::take(&mut self.documents) {
            let begin = self.at;
            let mut is_found = false;
            while self.at < self.line.len() && !is_found {
                let line = &self.line[self.at..self.line_end()];
                is_found = line.trim_ascii() == end;
                self.at = (self.line_end() + 1).min(self.line.len());
            }
            if !is_found {
                self.at = begin;
                self.has_documents = false;
                return;
            }
        }
    }

    /// Reads the commands of a substitution or subshell, whose opening is `length` bytes long.
    fn nested(&mut self, length: usize) {
        let connector = self.connector;
        self.at += length;
        self.depth += 1;
        self.parts.push(Part::Open);
        if self.depth <= DEEPEST {
            self.list();
        } else {
            self.at = self.line.len();
        }
        self.parts.push(Part::Close);
        self.depth -= 1;
        self.at = (self.at + 1).min(self.line.len());
        self.connector = connector;
    }

    /// The end of the arithmetic whose opening, of this length, stands here: where `))`, or `]` after `$[`, begins. `None` if it is
    /// none, such as two subshells.
    fn arithmetic_end(&self, length: usize) -> Option<usize> {
        let is_bracketed = self.starts(b"$[");
        let (open, close) = if is_bracketed { (b'[', b']') } else { (b'(', b')') };
        let mut depth = 0_usize;
        let begin = self.at + length;
        for (at, &byte) in self.line.iter().enumerate().skip(begin).filter(|_| self.shell != Shell::Fish) {
            if byte == open {
                depth += 1;
            } else if byte == close && depth > 0 {
                depth -= 1;
            } else if byte == close {
                return (is_bracketed || self.line.get(at + 1) == Some(&close)).then_some(at);
            }
        }
        None
    }

    /// Skips arithmetic, except the commands of its substitutions.
    fn arithmetic(&mut self, opening: usize, end: usize, closing: usize) {
        self.at += opening;
        let mut skipped = Word::default();
        while self.at < end {
            match self.line[self.at] {
                b'$' => self.dollar(&mut skipped, true),
                b'`' => self.backquoted(&mut skipped),
                _ => self.at += 1,
            }
        }
        self.at = self.at.max(end + closing).min(self.line.len());
    }
}

/// Whether a group in parentheses may follow these words, and a command after it.
fn may_precede_group(words: &[Word]) -> bool {
    let text = |at: usize| words.get(at).map(Word::text).unwrap_or_default();
    BEFORE_GROUP.contains(&&text(0)[..]) || (words.len() == 3 && text(0) == b"case" && text(2) == b"in")
}

#[cfg(test)]
mod tests;
