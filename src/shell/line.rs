//! Splits a command line into simple commands and their words. One lenient grammar for bash, zsh and fish: what it cannot
//! know, such as the output of a command, becomes an unknown word.

/// Looks up the value of a variable.
pub type Variables<'v> = &'v dyn Fn(&str) -> Option<Vec<u8>>;

/// A byte of a word.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Letter {
    pub byte: u8,
    /// Whether the byte is quoted, and so has no special meaning.
    pub is_quoted: bool,
}

/// A word of a command, without its quotes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Word {
    pub letters: Vec<Letter>,
    /// Whether the value depends on what only the shell knows.
    pub is_unknown: bool,
}

impl Word {
    /// The text, with patterns as they were typed.
    pub fn text(&self) -> Vec<u8> {
        self.letters.iter().map(|letter| letter.byte).collect()
    }
}

/// The words of a simple command, without redirections.
pub type Words = Vec<Word>;

/// Nesting of substitutions beyond which a line is not understood.
const DEEPEST: usize = 20;

/// The operators of redirections. Those that begin with another one precede it.
const REDIRECTIONS: [&[u8]; 19] = [
    b"&>>|", b"&>>", b"&>|", b"&>", b"<<<", b"<<-", b"<<", b"<>", b"<&", b"<", b">>&|", b">>&", b">>|", b">>", b">&|",
    b">&", b">|", b">?", b">",
];

/// The simple commands of a line in the order of their text, those of substitutions before the command that has them.
pub fn split(line: &[u8], variables: Variables<'_>) -> Vec<Words> {
    split_at_depth(line, variables, 0)
}

fn split_at_depth(line: &[u8], variables: Variables<'_>, depth: usize) -> Vec<Words> {
    let mut parser = Parser { line, at: 0, commands: Vec::new(), variables, depth, documents: Vec::new() };
    while parser.at < line.len() {
        parser.list();
        // An unmatched closing parenthesis, as in `case`.
        parser.at += 1;
    }
    parser.commands
}

struct Parser<'l> {
    line: &'l [u8],
    at: usize,
    commands: Vec<Words>,
    variables: Variables<'l>,
    depth: usize,
    /// Ends of here-documents whose text begins after the next newline.
    documents: Vec<Vec<u8>>,
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
        while let Some(byte) = self.peek() {
            match byte {
                b')' => break,
                b' ' | b'\t' | b'\r' => self.at += 1,
                b'\\' if self.starts(b"\\\n") => self.at += 2,
                b'\n' => {
                    self.at += 1;
                    self.end_command(&mut words);
                    self.skip_documents();
                }
                b';' | b'|' => {
                    self.at += 1;
                    self.end_command(&mut words);
                }
                b'&' if self.starts(b"&>") => self.redirection(),
                b'&' => {
                    self.at += 1;
                    self.end_command(&mut words);
                }
                b'#' => self.at = self.line_end(),
                b'<' | b'>' if !self.starts(b"<(") && !self.starts(b">(") => self.redirection(),
                // The name of a function is not a command.
                b'(' if self.starts(b"()") => {
                    self.at += 2;
                    words.clear();
                }
                b'(' if words.is_empty() => self.nested(1),
                _ => {
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
            self.commands.push(std::mem::take(words));
        }
    }

    fn line_end(&self) -> usize {
        let rest = &self.line[self.at..];
        self.at + rest.iter().position(|&byte| byte == b'\n').unwrap_or(rest.len())
    }

    /// Skips the operator and the file of a redirection.
    fn redirection(&mut self) {
        let is_document = self.starts(b"<<") && !self.starts(b"<<<");
        self.at += REDIRECTIONS.iter().find(|operator| self.starts(operator)).map_or(1, |operator| operator.len());
        while matches!(self.peek(), Some(b' ' | b'\t')) {
            self.at += 1;
        }
        let file = self.word();
        if is_document {
            self.documents.push(file.text());
        }
    }

    /// Skips the text of here-documents.
    fn skip_documents(&mut self) {
        for end in std::mem::take(&mut self.documents) {
            while self.at < self.line.len() {
                let line = &self.line[self.at..self.line_end()];
                self.at = (self.line_end() + 1).min(self.line.len());
                if line.trim_ascii() == end {
                    break;
                }
            }
        }
    }

    /// Reads the commands of a substitution or subshell, whose opening is `length` bytes long.
    fn nested(&mut self, length: usize) {
        self.at += length;
        self.depth += 1;
        if self.depth <= DEEPEST {
            self.list();
        } else {
            self.at = self.line.len();
        }
        self.depth -= 1;
        self.at = (self.at + 1).min(self.line.len());
    }

    fn word(&mut self) -> Word {
        let mut word = Word::default();
        while let Some(byte) = self.peek() {
            match byte {
                b' ' | b'\t' | b'\r' | b'\n' | b';' | b'&' | b'|' | b')' => break,
                b'<' | b'>' if !self.starts(b"<(") && !self.starts(b">(") => break,
                b'<' | b'>' => self.substitution(2, &mut word),
                b'(' if self.starts(b"()") => break,
                b'(' => self.substitution(1, &mut word),
                b'\\' => {
                    let escaped = self.line.get(self.at + 1).copied();
                    self.at = (self.at + 2).min(self.line.len());
                    word.letters.extend(escaped.filter(|&byte| byte != b'\n').map(quoted));
                }
                b'\'' => self.single_quoted(&mut word),
                b'"' => self.double_quoted(&mut word),
                b'$' if self.starts(b"$'") => self.ansi_quoted(&mut word),
                b'$' => self.dollar(&mut word, false),
                b'`' => self.backquoted(&mut word),
                _ => {
                    word.letters.push(Letter { byte, is_quoted: false });
                    self.at += 1;
                }
            }
        }
        word
    }

    fn substitution(&mut self, length: usize, word: &mut Word) {
        word.is_unknown = true;
        self.nested(length);
    }

    fn single_quoted(&mut self, word: &mut Word) {
        self.at += 1;
        let rest = &self.line[self.at..];
        let length = rest.iter().position(|&byte| byte == b'\'').unwrap_or(rest.len());
        word.letters.extend(rest[..length].iter().copied().map(quoted));
        self.at = (self.at + length + 1).min(self.line.len());
    }

    fn double_quoted(&mut self, word: &mut Word) {
        self.at += 1;
        while let Some(byte) = self.peek() {
            match byte {
                b'"' => {
                    self.at += 1;
                    return;
                }
                b'\\' => {
                    match self.line.get(self.at + 1).copied() {
                        Some(b'\n') => {}
                        Some(byte @ (b'"' | b'\\' | b'$' | b'`')) => word.letters.push(quoted(byte)),
                        other => word.letters.extend([Some(b'\\'), other].into_iter().flatten().map(quoted)),
                    }
                    self.at = (self.at + 2).min(self.line.len());
                }
                b'$' => self.dollar(word, true),
                b'`' => self.backquoted(word),
                _ => {
                    word.letters.push(quoted(byte));
                    self.at += 1;
                }
            }
        }
    }

    /// `$'…'`: the escapes for quotes and common control characters; others make the word unknown.
    fn ansi_quoted(&mut self, word: &mut Word) {
        self.at += 2;
        while let Some(byte) = self.peek() {
            self.at += 1;
            match byte {
                b'\'' => return,
                b'\\' => {
                    let escaped = self.peek();
                    self.at = (self.at + 1).min(self.line.len());
                    match escaped {
                        Some(byte @ (b'\\' | b'\'' | b'"')) => word.letters.push(quoted(byte)),
                        Some(b'n') => word.letters.push(quoted(b'\n')),
                        Some(b't') => word.letters.push(quoted(b'\t')),
                        _ => word.is_unknown = true,
                    }
                }
                _ => word.letters.push(quoted(byte)),
            }
        }
    }

    /// Reads `$(…)`, `$NAME` or `${NAME}`. Other expansions make the word unknown.
    fn dollar(&mut self, word: &mut Word, is_quoted: bool) {
        if self.starts(b"$(") {
            return self.substitution(2, word);
        }
        self.at += 1;
        let is_braced = self.peek() == Some(b'{');
        self.at += usize::from(is_braced);
        let rest = &self.line[self.at..];
        let length = rest.iter().position(|byte| !byte.is_ascii_alphanumeric() && *byte != b'_').unwrap_or(rest.len());
        let name = String::from_utf8_lossy(&rest[..length]);
        self.at += length;
        let is_plain = !is_braced || self.peek() == Some(b'}');
        if is_braced {
            let rest = &self.line[self.at..];
            let end = rest.iter().position(|&byte| byte == b'}').map_or(rest.len(), |end| end + 1);
            self.at += end;
        } else if length == 0 {
            if matches!(self.peek(), None | Some(b' ' | b'"' | b'/' | b'\t' | b'\n')) {
                word.letters.push(Letter { byte: b'$', is_quoted });
                return;
            }
            // `$?`, `$@` and the like.
            self.at += usize::from(matches!(self.peek(), Some(b'?' | b'@' | b'*' | b'#' | b'!' | b'$' | b'-')));
        }
        match (self.variables)(&name).filter(|_| is_plain && length > 0) {
            Some(value) => word.letters.extend(value.into_iter().map(quoted)),
            None => word.is_unknown = true,
        }
    }

    fn backquoted(&mut self, word: &mut Word) {
        self.at += 1;
        let rest = &self.line[self.at..];
        let length = rest.iter().position(|&byte| byte == b'`').unwrap_or(rest.len());
        if self.depth < DEEPEST {
            self.commands.extend(split_at_depth(&rest[..length], self.variables, self.depth + 1));
        }
        self.at = (self.at + length + 1).min(self.line.len());
        word.is_unknown = true;
    }
}

fn quoted(byte: u8) -> Letter {
    Letter { byte, is_quoted: true }
}

/// The last component of the path of a program, or the name in `=NAME`, which zsh replaces by the path.
pub(super) fn base_name(path: &[u8]) -> &[u8] {
    let name = path.rsplit(|&byte| byte == b'/').next().unwrap_or_default();
    name.strip_prefix(b"=").unwrap_or(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(line: &str) -> Vec<String> {
        let variables = |name: &str| (name == "HOME").then(|| b"/home/ann".to_vec());
        let word = |word: &Word| match word.is_unknown {
            true => "?".to_owned(),
            false => format!("[{}]", String::from_utf8_lossy(&word.text())),
        };
        split(line.as_bytes(), &variables).iter().map(|words| words.iter().map(word).collect()).collect()
    }

    #[test]
    fn words_lose_their_quotes() {
        for (line, expected) in [
            ("rm -r a", "[rm][-r][a]"),
            (r#"rm 'a b' "c d" e\ f"#, "[rm][a b][c d][e f]"),
            (r#"\rm "a\"b\x" '' x"y"'z'"#, r#"[rm][a"b\x][][xyz]"#),
            (r"rm $'a\nb\'c'", "[rm][a\nb'c]"),
            ("rm $HOME/x \"${HOME}/y\" '$HOME'", "[rm][/home/ann/x][/home/ann/y][$HOME]"),
            ("rm $OTHER ${HOME:-x} $? `ls", "[ls]|[rm]????"),
            ("rm a # rm b", "[rm][a]"),
            ("rm a#b", "[rm][a#b]"),
            ("cost $ 5$", "[cost][$][5$]"),
            ("rm \\\n a", "[rm][a]"),
            ("rm \"a", "[rm][a]"),
            ("rm a\\", "[rm][a]"),
        ] {
            assert_eq!(shown(line).join("|"), expected, "{line}");
        }
    }

    #[test]
    fn commands_are_separated() {
        for (line, expected) in [
            ("a; b & c && d || e | f |& g", "[a]|[b]|[c]|[d]|[e]|[f]|[g]"),
            ("a\nb", "[a]|[b]"),
            ("(cd x && rm y); z", "[cd][x]|[rm][y]|[z]"),
            ("a $(b c) d", "[b][c]|[a]?[d]"),
            ("a \"$(b \"c\")\" d", "[b][c]|[a]?[d]"),
            ("a (b) c", "[b]|[a]?[c]"),
            ("a `b c` d", "[b][c]|[a]?[d]"),
            ("diff <(a) >(b)", "[a]|[b]|[diff]??"),
            ("f() { rm x; }", "[{][rm][x]|[}]"),
            ("case x in a) rm b;; esac", "[case][x][in][a]|[rm][b]|[esac]"),
            (")", ""),
        ] {
            assert_eq!(shown(line).join("|"), expected, "{line}");
        }
    }

    #[test]
    fn redirections_and_documents_are_left_out() {
        for (line, expected) in [
            ("a >b 2>&1 <c d", "[a][d]"),
            ("a &>b c >>d 3<>e f", "[a][c][f]"),
            ("a 2 >b", "[a][2]"),
            ("a <<'END' b\nrm x\nEND\nc", "[a][b]|[c]"),
            ("a <<-END\nrm x\n\tEND\nc", "[a]|[c]"),
            ("a <<<text b", "[a][b]"),
            ("a >", "[a]"),
            ("a > ; b", "[a]|[b]"),
            ("a 2>&- b", "[a][b]"),
            ("a 2>&-|b", "[a]|[b]"),
            ("a <&-;b", "[a]|[b]"),
            ("a >-b c", "[a][c]"),
            ("a >|b &>>c >>|d e", "[a][e]"),
            ("a >&2|b", "[a]|[b]"),
            ("a 2> >(b) c", "[b]|[a][c]"),
        ] {
            assert_eq!(shown(line).join("|"), expected, "{line}");
        }
    }

    #[test]
    fn every_text_is_split() {
        let letters = b"a '\"\\$`(){}<>&|;#\n-*";
        let mut state = 1_u64;
        for _ in 0..20_000 {
            let line: Vec<u8> = (0..state % 12)
                .map(|_| {
                    state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                    letters[(state >> 33) as usize % letters.len()]
                })
                .collect();
            state = state.wrapping_add(0x9e37_79b9);
            split(&line, &|_| None);
        }
        split("$(".repeat(100_000).as_bytes(), &|_| None);
        split("(".repeat(100_000).as_bytes(), &|_| None);
    }
}
