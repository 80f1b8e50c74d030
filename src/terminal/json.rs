//! Reports: values with two faces. What programs see is fixed by `docs/json.md`; what people see may change.

use std::fmt::Display;
use std::io;

use serde::{Serialize, Serializer};

use crate::error::Error;
use crate::path::{RepoPath, RepoPathBuf};
use crate::terminal::Page;

/// A value to show: JSON by its fields, text by `human`.
pub trait Report: Serialize {
    /// The `"type"` in JSON.
    const TYPE: &'static str;

    /// Writes it for people.
    fn human(&self, page: &mut Page<'_>) -> io::Result<()>;
}

/// A report with its type in front.
#[derive(Serialize)]
pub(super) struct Typed<'a, R: Serialize> {
    #[serde(rename = "type")]
    name: &'static str,
    #[serde(flatten)]
    report: &'a R,
}

impl<'a, R: Report> Typed<'a, R> {
    pub(super) fn new(report: &'a R) -> Self {
        Typed { name: R::TYPE, report }
    }
}

/// A path in JSON: text, and the exact bytes in base64 where it is not UTF-8. Flattened into the object that has it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct JsonPath {
    /// The path; U+FFFD stands for bytes that are not UTF-8.
    pub path: String,
    /// The bytes, where `path` is not exact.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub path_bytes: Option<String>,
}

impl From<&[u8]> for JsonPath {
    fn from(bytes: &[u8]) -> JsonPath {
        let path = String::from_utf8_lossy(bytes);
        let path_bytes = (path.as_bytes() != bytes).then(|| base64(bytes));
        JsonPath { path: path.into_owned(), path_bytes }
    }
}

impl From<&RepoPath> for JsonPath {
    fn from(path: &RepoPath) -> JsonPath {
        path.as_bytes().into()
    }
}

/// Paths in JSON.
pub fn json_paths<P: AsRef<RepoPath>>(paths: impl IntoIterator<Item = P>) -> Vec<JsonPath> {
    paths.into_iter().map(|path| JsonPath::from(path.as_ref())).collect()
}

/// A path in JSON, and what is the matter with it.
#[derive(Clone, Debug, Serialize)]
pub struct JsonReason {
    #[serde(flatten)]
    path: JsonPath,
    reason: String,
}

/// Paths in JSON, each with what is the matter with it.
pub fn json_reasons(list: &[(RepoPathBuf, String)]) -> Vec<JsonReason> {
    list.iter().map(|(path, reason)| JsonReason { path: (&**path).into(), reason: reason.clone() }).collect()
}

/// What is the matter with a path: in JSON the word, for people the words.
#[derive(Clone, Copy, Debug)]
pub struct Why<'a> {
    /// One word of a fixed list, where there is one.
    pub word: &'a str,
    /// As people read it.
    pub words: &'a str,
}

impl<'a> From<&'a str> for Why<'a> {
    fn from(words: &'a str) -> Why<'a> {
        Why { word: words, words }
    }
}

impl Serialize for Why<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.word)
    }
}

/// An id in JSON: in full, and empty where there is none.
pub fn json_id(id: Option<impl Display>) -> String {
    id.map(|id| id.to_string()).unwrap_or_default()
}

/// Base64 with padding (RFC 4648, section 4).
pub fn base64(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for group in bytes.chunks(3) {
        let mut bits = 0;
        for n in 0..3 {
            bits = bits << 8 | u32::from(group.get(n).copied().unwrap_or(0));
        }
        for n in 0..4 {
            let digit = DIGITS[(bits >> (18 - 6 * n) & 63) as usize];
            text.push(if n <= group.len() { char::from(digit) } else { '=' });
        }
    }
    text
}

/// The end of a list: how many there were. People see that themselves.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct End {
    /// How many.
    pub count: u64,
}

impl Report for End {
    const TYPE: &'static str = "summary";

    fn human(&self, _: &mut Page<'_>) -> io::Result<()> {
        Ok(())
    }
}

/// A failure in JSON, on stderr.
#[derive(Serialize)]
pub(super) struct Failure<'a> {
    r#type: &'static str,
    code: &'static str,
    message: String,
    hint: &'a str,
    exit: u8,
    paths: Vec<JsonPath>,
}

impl<'a> Failure<'a> {
    pub(super) fn new(error: &'a Error) -> Failure<'a> {
        Failure {
            r#type: "error",
            code: error.kind().code(),
            message: error.to_string(),
            hint: error.hint_text().unwrap_or_default(),
            exit: error.exit().0,
            paths: json_paths(error.path_list()),
        }
    }
}

/// A warning in JSON, on stderr.
#[derive(Serialize)]
pub(super) struct Warned<'a> {
    r#type: &'static str,
    message: &'a str,
    paths: Vec<WarnedPath<'a>>,
}

#[derive(Serialize)]
struct WarnedPath<'a> {
    #[serde(flatten)]
    path: JsonPath,
    reason: Why<'a>,
}

impl<'a> Warned<'a> {
    pub(super) fn new(message: &'a str) -> Warned<'a> {
        Warned { r#type: "warning", message, paths: Vec::new() }
    }

    pub(super) fn about(message: &'a str, paths: &[(&RepoPath, Why<'a>)]) -> Warned<'a> {
        let paths = paths.iter().map(|&(path, reason)| WarnedPath { path: path.into(), reason }).collect();
        Warned { paths, ..Warned::new(message) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::ErrorKind;

    #[derive(Serialize)]
    struct Sample {
        #[serde(flatten)]
        path: JsonPath,
        list: Vec<u8>,
    }

    impl Report for Sample {
        const TYPE: &'static str = "sample";
        fn human(&self, _: &mut Page<'_>) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn an_object_has_its_type_first_and_exact_bytes_only_where_needed() {
        let json = |bytes: &[u8]| {
            let sample = Sample { path: RepoPath::new(bytes).unwrap().into(), list: Vec::new() };
            serde_json::to_string(&Typed::new(&sample)).unwrap()
        };
        assert_eq!(json(b"a/b"), r#"{"type":"sample","path":"a/b","list":[]}"#);
        assert_eq!(json(b"a\xff"), r#"{"type":"sample","path":"a�","path_bytes":"Yf8=","list":[]}"#);
    }

    #[test]
    fn base64_is_the_standard_one() {
        for (bytes, text) in [("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("foob", "Zm9vYg==")] {
            assert_eq!(base64(bytes.as_bytes()), text);
        }
    }

    #[test]
    fn a_failure_is_one_object() {
        let error = Error::new(ErrorKind::Refused, "no").paths(vec![RepoPathBuf::new(b"x".to_vec()).unwrap()]);
        assert_eq!(
            serde_json::to_string(&Failure::new(&error)).unwrap(),
            r#"{"type":"error","code":"refused","message":"no","hint":"","exit":4,"paths":[{"path":"x"}]}"#
        );
    }
}
