//! Glob patterns as git matches them, byte by byte: `?` is one byte of an `é`, braces are literal, and an unclosed bracket is an
//! error.

/// A parsed pattern.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Glob {
    tokens: Box<[Token]>,
}

/// Whether wildcards match a `/`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Slashes {
    /// Only `**` does: ignore rules, and `:(glob)` paths.
    Separate,
    /// All wildcards do: path arguments.
    Ordinary,
}

/// One element of a pattern.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Token {
    Byte(u8),
    /// `?`: any byte, but `/` only if it is ordinary.
    Any(Slashes),
    /// `[…]`
    Set(Box<ByteSet>),
    /// `*`: any bytes except `/`.
    Star,
    /// `**` at the end, or `*` if `/` is ordinary: any bytes.
    Everything,
    /// `**/`: nothing, or any bytes that end in `/`.
    Directories,
}

/// Why a pattern matches nothing. git ignores such patterns silently.
#[derive(Debug, PartialEq, Eq)]
pub enum Invalid {
    /// A pattern without a name, such as a bare `!` or `/`.
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

impl Glob {
    /// Parses a pattern.
    pub fn parse(pattern: &[u8], slashes: Slashes) -> Result<Glob, Invalid> {
        tokens(pattern, slashes).map(|tokens| Glob { tokens })
    }

    /// Pairs of bytes that are adjacent in every text that the pattern matches.
    pub fn byte_pairs(&self) -> impl Iterator<Item = (u8, u8)> {
        self.tokens.windows(2).filter_map(|pair| Some((pair[0].byte()?, pair[1].byte()?)))
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
            Token::Any(slashes) => byte != b'/' || *slashes == Slashes::Ordinary,
            Token::Set(set) => set.contains(byte),
            Token::Star | Token::Everything | Token::Directories => false,
        }
    }
}

fn tokens(pattern: &[u8], slashes: Slashes) -> Result<Box<[Token]>, Invalid> {
    // git compares the bytes before the first of these separately, and treats the rest as a new pattern. A `**` there
    // is at the start of a pattern although no `/` precedes it: `/a**/b` matches `ab` and `a/x/b`.
    let first_special = pattern.iter().position(|byte| b"*?[\\".contains(byte));
    let mut tokens = Vec::with_capacity(pattern.len());
    let mut at = 0;
    while let Some(&byte) = pattern.get(at) {
        match byte {
            b'?' => {
                tokens.push(Token::Any(slashes));
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
                if slashes == Slashes::Ordinary {
                    tokens.push(Token::Everything);
                } else if crosses && rest.starts_with(b"/") {
                    tokens.push(Token::Directories);
                    at += 1;
                } else if crosses && (rest.is_empty() || rest.starts_with(b"\\/")) {
                    tokens.push(Token::Everything);
                } else {
                    tokens.push(Token::Star);
                }
            }
            b'[' => {
                let (set, length) = ByteSet::parse(&pattern[at..], slashes)?;
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

/// The set of bytes that a `[…]` matches. Contains `/` only if it is ordinary.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct ByteSet([u64; 4]);

impl ByteSet {
    fn contains(&self, byte: u8) -> bool {
        self.0[usize::from(byte >> 6)] & (1 << (byte & 63)) != 0
    }

    fn add(&mut self, byte: u8) {
        self.0[usize::from(byte >> 6)] |= 1 << (byte & 63);
    }

    /// Parses a bracket expression at the start of `text`. Returns the set, and the length including the `]`.
    fn parse(text: &[u8], slashes: Slashes) -> Result<(ByteSet, usize), Invalid> {
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
        if slashes == Slashes::Separate {
            set.0[usize::from(b'/' >> 6)] &= !(1 << (b'/' & 63));
        }
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
