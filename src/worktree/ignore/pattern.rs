//! Parses one gitignore pattern and matches it against paths, exactly as git does, even where that is surprising:
//! patterns and paths are bytes (`?` is one byte of an `é`), braces are literal, and an unclosed bracket matches
//! nothing.

/// A parsed line.
pub struct Pattern {
    /// Line number, from 1.
    pub line: u64,
    /// The line without the parts that git strips: a CR at its end, trailing spaces, and everything from a NUL on.
    pub text: Box<[u8]>,
    /// Whether this is a `!` pattern, which keeps the paths that it matches.
    pub is_negated: bool,
    /// Whether the pattern ends in `/` and therefore matches only directories.
    pub only_directories: bool,
    /// Whether the pattern has another `/`: it is then matched against the path relative to the directory of its file,
    /// not against the name.
    pub is_anchored: bool,
    tokens: Box<[Token]>,
    /// Byte pairs that occur in every text that the pattern matches.
    pairs: BytePairs,
}

/// A set of pairs of adjacent bytes, stored in few bits: it may contain more pairs than were added.
#[derive(Clone, Copy, Default)]
pub struct BytePairs(u64);

impl BytePairs {
    fn add(&mut self, first: u8, second: u8) {
        self.0 |= 1 << (first.wrapping_mul(31).wrapping_add(second) & 63);
    }

    /// The byte pairs of a text.
    pub fn of(text: &[u8]) -> BytePairs {
        let mut pairs = BytePairs::default();
        text.windows(2).for_each(|pair| pairs.add(pair[0], pair[1]));
        pairs
    }
}

/// One element of a pattern.
enum Token {
    Byte(u8),
    /// `?`: any byte except `/`.
    Any,
    /// `[…]`
    Set(Box<ByteSet>),
    /// `*`: any bytes except `/`.
    Star,
    /// `**` at the end: any bytes.
    Everything,
    /// `**/`: nothing, or any bytes that end in `/`.
    Directories,
}

/// Why a line matches nothing. git skips such lines silently.
#[derive(Debug, PartialEq, Eq)]
pub enum Invalid {
    /// A bare `!` or `/`.
    Empty,
    /// A `[` without a closing `]`.
    OpenBracket,
    /// `[[:name:]]` with an unknown class name.
    UnknownClass,
    /// A `\` at the end, which escapes nothing.
    TrailingBackslash,
}

impl Invalid {
    /// Describes the reason.
    pub fn describe(&self) -> &'static str {
        match self {
            Invalid::Empty => "the line has no pattern",
            Invalid::OpenBracket => "`[` has no closing `]`; for a literal bracket write `\\[`",
            Invalid::UnknownClass => "unknown character class in `[[:…:]]`",
            Invalid::TrailingBackslash => "`\\` at the end escapes nothing; for a literal backslash write `\\\\`",
        }
    }
}

impl Pattern {
    /// Parses a line of a rules file, given without its LF. `None` for comments and blank lines.
    pub fn parse(line: &[u8], number: u64) -> Option<Result<Pattern, Invalid>> {
        if line.starts_with(b"#") {
            return None;
        }
        let text = trim(line);
        let (is_negated, pattern) = match text.strip_prefix(b"!") {
            Some(pattern) => (true, pattern),
            None => (false, text),
        };
        let (only_directories, pattern) = match pattern.strip_suffix(b"/") {
            Some(pattern) => (true, pattern),
            None => (false, pattern),
        };
        if pattern.is_empty() {
            return if text.is_empty() { None } else { Some(Err(Invalid::Empty)) };
        }
        let is_anchored = pattern.contains(&b'/');
        let pattern = pattern.strip_prefix(b"/").unwrap_or(pattern);
        Some(tokens(pattern).map(|tokens| {
            let mut pairs = BytePairs::default();
            for pair in tokens.windows(2) {
                if let [Token::Byte(first), Token::Byte(second)] = pair {
                    pairs.add(*first, *second);
                }
            }
            Pattern { line: number, text: text.into(), is_negated, only_directories, is_anchored, tokens, pairs }
        }))
    }

    /// Whether a text with these byte pairs may match. Cheaper than [`Pattern::matches`].
    pub fn may_match(&self, pairs: BytePairs) -> bool {
        self.pairs.0 & !pairs.0 == 0
    }

    /// Literal prefix of every text that the pattern matches.
    pub fn literal_start(&self) -> Box<[u8]> {
        self.tokens.iter().map_while(Token::byte).collect()
    }

    /// Literal suffix of every text that the pattern matches, in reverse.
    pub fn literal_end_reversed(&self) -> Box<[u8]> {
        self.tokens.iter().rev().map_while(Token::byte).collect()
    }

    /// Whether the pattern matches all of `text`, which is a path if the pattern is anchored and a name otherwise.
    /// Takes at most the product of both lengths, times the number of `/` in the path if the pattern has `**`.
    pub fn matches(&self, text: &[u8]) -> bool {
        // Backtracking points: the token after a wildcard, and the next byte that the wildcard takes. Only the last
        // wildcard needs one, because it can take everything that an earlier one could. For `*` this holds only up to
        // the next `/`, so the last wildcard that crosses `/` has a separate one.
        let (mut star, mut deep) = (None, None);
        let (mut token, mut at) = (0, 0);
        loop {
            match self.tokens.get(token) {
                None if at == text.len() => return true,
                Some(Token::Star) => {
                    token += 1;
                    star = Some((token, at));
                    continue;
                }
                Some(wildcard @ (Token::Everything | Token::Directories)) => {
                    token += 1;
                    deep = Some((token, at, matches!(wildcard, Token::Directories)));
                    star = None;
                    continue;
                }
                Some(single) if text.get(at).is_some_and(|&byte| single.takes(byte)) => {
                    token += 1;
                    at += 1;
                    continue;
                }
                _ => {}
            }
            if let Some((next, from)) = star
                && text.get(from).is_some_and(|&byte| byte != b'/')
            {
                (token, at) = (next, from + 1);
                star = Some((token, at));
                continue;
            }
            let Some((next, from, is_directories)) = deep else { return false };
            let rest = text.get(from..).unwrap_or_default();
            let taken = if is_directories {
                rest.iter().position(|&byte| byte == b'/')
            } else {
                (!rest.is_empty()).then_some(0)
            };
            let Some(taken) = taken else { return false };
            (token, at) = (next, from + taken + 1);
            deep = Some((token, at, is_directories));
            star = None;
        }
    }
}

impl Token {
    fn byte(&self) -> Option<u8> {
        if let Token::Byte(byte) = self { Some(*byte) } else { None }
    }

    /// Whether this token matches a single byte, and matches this one.
    fn takes(&self, byte: u8) -> bool {
        match self {
            Token::Byte(expected) => *expected == byte,
            Token::Any => byte != b'/',
            Token::Set(set) => set.contains(byte),
            Token::Star | Token::Everything | Token::Directories => false,
        }
    }
}

/// Strips the parts of a line that git ignores.
fn trim(line: &[u8]) -> &[u8] {
    let line = line.strip_suffix(b"\r").unwrap_or(line);
    let line = line.split(|&byte| byte == 0).next().unwrap_or_default();
    // Strip trailing spaces up to an escaped one. A `\` at the very end keeps all of them.
    let mut end = 0;
    let mut at = 0;
    while at < line.len() {
        match line[at] {
            b' ' => {}
            b'\\' => {
                at += 1;
                end = at + 1;
            }
            _ => end = at + 1,
        }
        at += 1;
    }
    &line[..end.min(line.len())]
}

fn tokens(pattern: &[u8]) -> Result<Box<[Token]>, Invalid> {
    // git compares the bytes before the first of these separately, and treats the rest as a new pattern. A `**` there
    // is at the start of a pattern although no `/` precedes it: `/a**/b` matches `ab` and `a/x/b`.
    let first_special = pattern.iter().position(|byte| b"*?[\\".contains(byte));
    let mut tokens = Vec::with_capacity(pattern.len());
    let mut at = 0;
    while let Some(&byte) = pattern.get(at) {
        match byte {
            b'?' => {
                tokens.push(Token::Any);
                at += 1;
            }
            b'\\' => {
                tokens.push(Token::Byte(*pattern.get(at + 1).ok_or(Invalid::TrailingBackslash)?));
                at += 2;
            }
            b'*' => {
                let start = at;
                at += pattern[start..].iter().take_while(|&&byte| byte == b'*').count();
                let rest = &pattern[at..];
                let is_free = first_special == Some(start) || pattern[..start].ends_with(b"/");
                let crosses = at - start > 1 && is_free;
                if crosses && rest.starts_with(b"/") {
                    tokens.push(Token::Directories);
                    at += 1;
                } else if crosses && (rest.is_empty() || rest.starts_with(b"\\/")) {
                    tokens.push(Token::Everything);
                } else {
                    tokens.push(Token::Star);
                }
            }
            b'[' => {
                let (set, length) = ByteSet::parse(&pattern[at..])?;
                tokens.push(Token::Set(Box::new(set)));
                at += length;
            }
            _ => {
                tokens.push(Token::Byte(byte));
                at += 1;
            }
        }
    }
    Ok(tokens.into())
}

/// The set of bytes that a `[…]` matches. Never contains `/`.
#[derive(Default)]
struct ByteSet([u64; 4]);

impl ByteSet {
    fn contains(&self, byte: u8) -> bool {
        self.0[usize::from(byte >> 6)] & (1 << (byte & 63)) != 0
    }

    fn add(&mut self, byte: u8) {
        self.0[usize::from(byte >> 6)] |= 1 << (byte & 63);
    }

    /// Parses a bracket expression at the start of `text`. Returns the set, and the length including the `]`.
    fn parse(text: &[u8]) -> Result<(ByteSet, usize), Invalid> {
        let mut set = ByteSet::default();
        let mut at = 1;
        let is_negated = matches!(text.get(at), Some(b'!' | b'^'));
        if is_negated {
            at += 1;
        }
        let byte_at = |at: usize| text.get(at).copied().ok_or(Invalid::OpenBracket);
        let escaped_at = |at: usize| match byte_at(at)? {
            b'\\' => Ok((byte_at(at + 1)?, at + 2)),
            byte => Ok((byte, at + 1)),
        };
        // Lower bound of a range that may follow.
        let mut before = None;
        let first = at;
        loop {
            match (byte_at(at)?, before) {
                // A `]` in first position is literal.
                (b']', _) if at > first => break,
                (b'-', Some(low)) if text.get(at + 1).is_some_and(|&next| next != b']') => {
                    let (high, next) = escaped_at(at + 1)?;
                    (low..=high).for_each(|byte| set.add(byte));
                    before = None;
                    at = next;
                }
                _ => match parse_class(&text[at..])? {
                    Some((is_member, length)) => {
                        (0..=u8::MAX).filter(is_member).for_each(|byte| set.add(byte));
                        before = None;
                        at += length;
                    }
                    None => {
                        let (byte, next) = escaped_at(at)?;
                        set.add(byte);
                        before = Some(byte);
                        at = next;
                    }
                },
            }
        }
        if is_negated {
            set.0.iter_mut().for_each(|bits| *bits = !*bits);
        }
        set.0[usize::from(b'/' >> 6)] &= !(1 << (b'/' & 63));
        Ok((set, at + 1))
    }
}

/// Tells the members of a class from other bytes.
type ClassTest = fn(&u8) -> bool;

/// Parses a class such as `[:digit:]` at the start of `text`. Returns its test, and the length including the brackets.
/// Returns `None` if `text` does not start with a class; then a `[` is literal.
fn parse_class(text: &[u8]) -> Result<Option<(ClassTest, usize)>, Invalid> {
    let Some(inner) = text.strip_prefix(b"[:") else { return Ok(None) };
    let length = inner.iter().position(|&byte| byte == b']').ok_or(Invalid::OpenBracket)?;
    let Some(name) = inner[..length].strip_suffix(b":") else { return Ok(None) };
    let is_member = class(name).ok_or(Invalid::UnknownClass)?;
    Ok(Some((is_member, 2 + length + 1)))
}

/// The test for a POSIX class in git's locale: ASCII, where only TAB, LF, CR and space are white space.
fn class(name: &[u8]) -> Option<ClassTest> {
    Some(match name {
        b"alnum" => u8::is_ascii_alphanumeric,
        b"alpha" => u8::is_ascii_alphabetic,
        b"blank" => |byte| matches!(byte, b' ' | b'\t'),
        b"cntrl" => u8::is_ascii_control,
        b"digit" => u8::is_ascii_digit,
        b"graph" => u8::is_ascii_graphic,
        b"lower" => u8::is_ascii_lowercase,
        b"print" => |byte| matches!(byte, b' '..=b'~'),
        b"punct" => u8::is_ascii_punctuation,
        b"space" => |byte| matches!(byte, b' ' | b'\t' | b'\n' | b'\r'),
        b"upper" => u8::is_ascii_uppercase,
        b"xdigit" => u8::is_ascii_hexdigit,
        _ => return None,
    })
}
