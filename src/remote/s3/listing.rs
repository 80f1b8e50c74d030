//! Listings of S3.

use serde::Deserialize;

use crate::error::{Error, ErrorKind};
use crate::remote::Listed;
use crate::remote::backend::{Attempt, Failure};
use crate::time::Timestamp;

/// A part of a listing.
pub(super) struct Page {
    pub keys: Vec<Listed>,
    /// Where the next page starts; `None` after the last one.
    pub next: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct ListBucketResult {
    #[serde(default)]
    contents: Vec<Content>,
    #[serde(default)]
    is_truncated: bool,
    next_continuation_token: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Content {
    key: String,
    size: u64,
    last_modified: String,
}

/// Parses an answer. Keys lose the prefix of the target.
pub(super) fn parse(body: &[u8], prefix: &str) -> Attempt<Page> {
    // The parser accepts any root, also one that does not end.
    let text = std::str::from_utf8(body).ok().filter(|text| text.trim_end().ends_with("</ListBucketResult>"));
    let result: Option<ListBucketResult> = text.and_then(|text| quick_xml::de::from_str(text).ok());
    // A damaged answer may be complete the next time.
    let result = result.ok_or_else(|| Failure::transient(invalid()))?;
    let mut keys = Vec::new();
    for Content { key, size, last_modified } in result.contents {
        let time: jiff::Timestamp = last_modified.parse().map_err(|_| Failure::transient(invalid()))?;
        if let Some(name) = key.strip_prefix(prefix) {
            keys.push(Listed { name: name.to_owned(), size, modified: Timestamp::from(time) });
        }
    }
    match (result.is_truncated, result.next_continuation_token) {
        (true, None) => Err(Failure::transient(invalid())),
        (true, next) => Ok(Page { keys, next }),
        (false, _) => Ok(Page { keys, next: None }),
    }
}

fn invalid() -> Error {
    Error::new(ErrorKind::Unreachable, "the storage has sent an invalid listing")
        .hint("check the endpoint of the target")
}

#[cfg(test)]
mod tests {
    use super::*;

    const START: &str =
        "<?xml version=\"1.0\"?><ListBucketResult xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"><Name>b</Name>";

    #[test]
    fn pages_are_parsed() {
        let body = format!(
            "{START}<IsTruncated>true</IsTruncated><Contents><Key>a/log/01</Key><Size>3</Size><ETag>\"x\"</ETag>\
             <LastModified>2026-11-30T03:44:00.250Z</LastModified></Contents><Contents><Key>b/log/02</Key><Size>3</Size>\
             <LastModified>2026-11-30T03:44:00Z</LastModified></Contents>\
             <NextContinuationToken>a&amp;b</NextContinuationToken></ListBucketResult>"
        );
        let page = parse(body.as_bytes(), "a/").unwrap();
        let modified = Timestamp { seconds: 1_796_010_240, nanoseconds: 250_000_000 };
        assert_eq!(page.keys, [Listed { name: "log/01".into(), size: 3, modified }]);
        assert_eq!(page.next.as_deref(), Some("a&b"));
        let empty = parse(format!("{START}<KeyCount>0</KeyCount></ListBucketResult>").as_bytes(), "a/").unwrap();
        assert!(empty.keys.is_empty() && empty.next.is_none());
    }

    #[test]
    fn incomplete_listings_are_refused() {
        let truncated = format!("{START}<IsTruncated>true</IsTruncated></ListBucketResult>");
        for body in [START, &truncated, "", "<html>hello</html>", &format!("{START}<Contents><Key>a</Key></Contents>")]
        {
            assert!(parse(body.as_bytes(), "").is_err(), "{body}");
        }
    }
}
