//! The JSON forms of ids, paths, times and words (`docs/json.md`).

use serde::ser::{Serialize, SerializeStruct, Serializer};

use crate::diff::Status;
use crate::id::{AttributesId, BlobId, CommitId, LinksId, ObjectId, OperationId, PackId, TreeId};
use crate::metadata::Kind;
use crate::object::commit::{Reason, Uncovered};
use crate::path::{RepoPath, RepoPathBuf};
use crate::serialize::PathReason;
use crate::time::Timestamp;

/// Serializes types as the string that a method returns.
macro_rules! serialize_as {
    ($method:ident: $($type:ty),+) => {$(
        impl Serialize for $type {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(&self.$method())
            }
        }
    )+};
}

serialize_as!(to_string: AttributesId, BlobId, CommitId, LinksId, ObjectId, OperationId, PackId, TreeId);
serialize_as!(to_rfc3339: Timestamp);
serialize_as!(word: Kind, Reason, Status);

/// Permission bits as four octal digits.
pub fn octal<S: Serializer>(mode: &u16, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(&format_args!("{mode:04o}"))
}

/// Bytes as standard base64 with padding.
pub fn base64<S: Serializer>(bytes: &[u8], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&to_base64(bytes))
}

/// A path that need not lie in the worktree.
#[derive(Clone, Debug)]
pub struct PathBytes(pub Vec<u8>);

impl Serialize for PathBytes {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serialize_path(&self.0, serializer)
    }
}

impl Serialize for RepoPath {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serialize_path(self.as_bytes(), serializer)
    }
}

impl Serialize for RepoPathBuf {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serialize_path(self.as_bytes(), serializer)
    }
}

/// `path`, and `path_bytes` where the path is not UTF-8.
fn serialize_path<S: Serializer>(bytes: &[u8], serializer: S) -> Result<S::Ok, S::Error> {
    let (path, exact) = lossy(bytes);
    let mut object = serializer.serialize_struct("path", 1 + usize::from(exact.is_some()))?;
    object.serialize_field("path", &path)?;
    if let Some(exact) = exact {
        object.serialize_field("path_bytes", &exact)?;
    }
    object.end()
}

/// Bytes as text, and in base64 where the text is not exact.
pub fn lossy(bytes: &[u8]) -> (String, Option<String>) {
    let text = String::from_utf8_lossy(bytes);
    let exact = (text.as_bytes() != bytes).then(|| to_base64(bytes));
    (text.into_owned(), exact)
}

impl Serialize for Uncovered {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        PathReason { path: &self.path, reason: self.reason.word() }.serialize(serializer)
    }
}

fn to_base64(bytes: &[u8]) -> String {
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::serialize::or_empty;

    #[derive(serde::Serialize)]
    #[serde(tag = "type", rename = "sample")]
    struct Sample {
        #[serde(flatten)]
        path: RepoPathBuf,
        list: Vec<u8>,
        #[serde(serialize_with = "or_empty")]
        id: Option<CommitId>,
    }

    #[test]
    fn records_have_their_type_first_and_path_bytes_only_where_needed() {
        let json = |bytes: &[u8]| {
            let path = RepoPathBuf::new(bytes.to_vec()).unwrap();
            serde_json::to_string(&Sample { path, list: Vec::new(), id: None }).unwrap()
        };
        assert_eq!(json(b"a/b"), r#"{"type":"sample","path":"a/b","list":[],"id":""}"#);
        assert_eq!(json(b"a\xff"), r#"{"type":"sample","path":"a�","path_bytes":"Yf8=","list":[],"id":""}"#);
    }

    #[test]
    fn base64_follows_rfc_4648() {
        for (bytes, text) in [("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("foob", "Zm9vYg==")] {
            assert_eq!(to_base64(bytes.as_bytes()), text);
        }
    }
}
