//! JSON as text: where each value is, and how the text is laid out. Edits keep everything else as it is.

use std::ops::Range;

use serde::Serialize;
use serde_json::ser::{PrettyFormatter, Serializer};

/// A value and its place in the text.
#[derive(Debug)]
pub struct Value {
    pub span: Range<usize>,
    pub kind: Kind,
}

#[derive(Debug)]
pub enum Kind {
    Object(Vec<Member>),
    Array(Vec<Value>),
    Scalar,
}

/// A member of an object.
#[derive(Debug)]
pub struct Member {
    pub key: String,
    /// From the key to the end of the value.
    pub span: Range<usize>,
    pub value: Value,
}

impl Value {
    /// Parses a text. Comments and commas at the end of lists are errors, with line and column.
    pub fn parse(text: &str) -> Result<Value, serde_json::Error> {
        // Checks the syntax, and that the depth is at most 128: the parser below need not.
        serde_json::from_str::<serde_json::Value>(text)?;
        Ok(Parser { text, at: 0 }.value())
    }

    /// The value of a key. Of equal keys, the last one counts, as in the agents.
    pub fn get(&self, key: &str) -> Option<&Value> {
        let Kind::Object(members) = &self.kind else { return None };
        members.iter().rev().find(|member| member.key == key).map(|member| &member.value)
    }

    /// The elements of an array; none for other values.
    pub fn elements(&self) -> &[Value] {
        if let Kind::Array(elements) = &self.kind { elements } else { &[] }
    }

    /// The text of a string.
    pub fn as_string(&self, text: &str) -> Option<String> {
        serde_json::from_str(&text[self.span.clone()]).ok()
    }

    /// The places of the members or elements.
    pub fn children(&self) -> Vec<Range<usize>> {
        match &self.kind {
            Kind::Object(members) => members.iter().map(|member| member.span.clone()).collect(),
            Kind::Array(elements) => elements.iter().map(|element| element.span.clone()).collect(),
            Kind::Scalar => Vec::new(),
        }
    }
}

/// Finds the values of a valid text.
struct Parser<'t> {
    text: &'t str,
    at: usize,
}

impl Parser<'_> {
    fn value(&mut self) -> Value {
        self.skip_space();
        let start = self.at;
        let kind = match self.peek() {
            b'{' => Kind::Object(self.list(b'}', Parser::member)),
            b'[' => Kind::Array(self.list(b']', Parser::value)),
            b'"' => {
                self.skip_string();
                Kind::Scalar
            }
            _ => {
                let is_end = |letter: char| letter.is_ascii_whitespace() || matches!(letter, ',' | ']' | '}');
                self.at += self.text[self.at..].find(is_end).unwrap_or(self.text.len() - self.at);
                Kind::Scalar
            }
        };
        Value { span: start..self.at, kind }
    }

    fn list<T>(&mut self, end: u8, item: impl Fn(&mut Self) -> T) -> Vec<T> {
        let mut items = Vec::new();
        self.at += 1;
        self.skip_space();
        while self.peek() != end {
            items.push(item(self));
            self.skip_space();
            if self.peek() == b',' {
                self.at += 1;
                self.skip_space();
            }
        }
        self.at += 1;
        items
    }

    fn member(&mut self) -> Member {
        let start = self.at;
        self.skip_string();
        let key = serde_json::from_str(&self.text[start..self.at]).unwrap_or_default();
        self.skip_space();
        // The colon.
        self.at += 1;
        let value = self.value();
        Member { key, span: start..self.at, value }
    }

    fn skip_string(&mut self) {
        self.at += 1;
        while self.peek() != b'"' {
            self.at += if self.peek() == b'\\' { 2 } else { 1 };
        }
        self.at += 1;
    }

    fn skip_space(&mut self) {
        while matches!(self.peek(), b' ' | b'\t' | b'\r' | b'\n') {
            self.at += 1;
        }
    }

    /// The byte at the position; 0 at the end.
    fn peek(&self) -> u8 {
        self.text.as_bytes().get(self.at).copied().unwrap_or(0)
    }
}

/// How a text is laid out.
struct Layout {
    line_end: &'static str,
    /// Indentation of one level.
    unit: String,
    /// Whether new lists are written on one line.
    is_compact: bool,
}

impl Layout {
    fn of(text: &str, root: &Value) -> Layout {
        let line_end = if text.contains("\r\n") { "\r\n" } else { "\n" };
        let children = root.children();
        let unit = children.first().and_then(|first| indentation(text, first.start)).filter(|unit| !unit.is_empty());
        let is_compact = !children.is_empty() && !text[root.span.clone()].contains('\n');
        Layout { line_end, unit: unit.unwrap_or("  ").to_owned(), is_compact }
    }

    /// Writes a value over several lines. The first line already has this indentation.
    fn write(&self, value: &impl Serialize, indentation: &str) -> String {
        let mut text = Vec::new();
        let formatter = PrettyFormatter::with_indent(self.unit.as_bytes());
        let written = value.serialize(&mut Serializer::with_formatter(&mut text, formatter));
        written.expect("a value in memory can be written");
        // A string has no line end, only its escape.
        String::from_utf8_lossy(&text).replace('\n', &format!("{}{indentation}", self.line_end))
    }
}

/// Adds a member (with a key) or an element (without one) at the end of an object or array.
pub fn append(text: &str, root: &Value, list: &Value, key: Option<&str>, value: &impl Serialize) -> String {
    let layout = Layout::of(text, root);
    let one_line = || {
        let value = serde_json::to_string(value).expect("a value in memory can be written");
        let gap = if text.contains("\": ") { " " } else { "" };
        key.map_or_else(|| value.clone(), |key| format!("{}:{gap}{value}", quoted(key)))
    };
    let lines = |indentation: &str| {
        let value = layout.write(value, indentation);
        key.map_or_else(|| value.clone(), |key| format!("{}: {value}", quoted(key)))
    };
    if let Some(last) = list.children().pop() {
        let new = match indentation(text, last.start) {
            Some(indentation) => format!(",{}{indentation}{}", layout.line_end, lines(indentation)),
            None if text[list.span.clone()].contains(", ") => format!(", {}", one_line()),
            None => format!(",{}", one_line()),
        };
        return [&text[..last.end], &new, &text[last.end..]].concat();
    }
    let Range { start, end } = list.span;
    let inside = if layout.is_compact {
        one_line()
    } else {
        let outer = indentation(text, start).unwrap_or_else(|| line_indentation(text, start));
        let inner = format!("{outer}{}", layout.unit);
        format!("{0}{inner}{1}{0}{outer}", layout.line_end, lines(&inner))
    };
    [&text[..start + 1], &inside, &text[end - 1..]].concat()
}

/// Removes a member or an element. An object or array without others becomes `{}` or `[]`.
pub fn cut(text: &str, list: &Value, index: usize) -> String {
    let children = list.children();
    let removed = match index {
        0 if children.len() == 1 => list.span.start + 1..list.span.end - 1,
        0 => children[0].start..children[1].start,
        _ => children[index - 1].end..children[index].end,
    };
    [&text[..removed.start], &text[removed.end..]].concat()
}

fn quoted(key: &str) -> String {
    serde_json::Value::from(key).to_string()
}

/// The text before a position on its line, if it is only white space and there is a line before it.
fn indentation(text: &str, at: usize) -> Option<&str> {
    let line = &text[text[..at].rfind('\n')? + 1..at];
    line.trim_start_matches([' ', '\t']).is_empty().then_some(line)
}

/// The white space at the start of the line of a position.
fn line_indentation(text: &str, at: usize) -> &str {
    let line = &text[text[..at].rfind('\n').map_or(0, |end| end + 1)..at];
    &line[..line.len() - line.trim_start_matches([' ', '\t']).len()]
}
