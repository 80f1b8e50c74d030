//! Answers of a server, and what its errors mean.

use serde::Deserialize;

use crate::error::{Error, ErrorKind};
use crate::remote::S3Address;
use crate::remote::backend::Failure;

/// A complete answer.
pub(super) struct Answer {
    pub status: u16,
    pub body: Vec<u8>,
    /// Region of the bucket, if the server tells it.
    pub region: Option<String>,
}

/// What a request does, for messages.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Action {
    Create,
    Read,
    List,
    Delete,
}

/// The body of an error.
#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct Explanation {
    code: String,
    message: String,
    region: Option<String>,
}

impl Action {
    fn verb(self) -> &'static str {
        match self {
            Action::Create => "create",
            Action::Read => "read",
            Action::List => "list",
            Action::Delete => "delete",
        }
    }

    fn permission(self) -> &'static str {
        match self {
            Action::Create => "s3:PutObject",
            Action::Read => "s3:GetObject",
            Action::List => "s3:ListBucket",
            Action::Delete => "s3:DeleteObject",
        }
    }
}

impl Answer {
    fn explanation(&self) -> Explanation {
        std::str::from_utf8(&self.body).ok().and_then(|text| quick_xml::de::from_str(text).ok()).unwrap_or_default()
    }

    /// Whether an answer with status 404 is about the key, and not about the bucket or a wrong address.
    pub fn is_missing_key(&self) -> bool {
        matches!(self.explanation().code.as_str(), "NoSuchKey" | "NotFound")
    }

    /// The meaning of an answer with an error.
    pub fn into_failure(self, action: Action, key: &str, address: &S3Address) -> Failure {
        let Explanation { code, message, region } = self.explanation();
        let words = match (message.as_str(), code.as_str()) {
            ("", "") => format!("HTTP status {}", self.status),
            ("", code) => code.to_owned(),
            (message, "") => message.to_owned(),
            (message, code) => format!("{} ({code})", message.trim_end_matches('.')),
        };
        let is_transient = matches!(self.status, 408 | 409 | 425 | 429 | 500 | 502 | 503 | 504)
            || matches!(code.as_str(), "RequestTimeout" | "SlowDown" | "BadDigest" | "IncompleteBody");
        let kind = kind(self.status, &code, action);
        let error = Error::new(kind, format!("cannot {} `{key}` in {}: {words}", action.verb(), shown(address)));
        let region = self.region.or(region);
        let error = match hint(self.status, &code, action, address, region.as_deref()) {
            Some(hint) => error.hint(hint),
            None => error,
        };
        Failure { error, is_transient }
    }
}

/// The address and the endpoint, for messages.
pub(super) fn shown(address: &S3Address) -> String {
    let at = address.endpoint.as_ref().map(|endpoint| format!(" at `{endpoint}`")).unwrap_or_default();
    format!("`{address}`{at}")
}

/// Codes of servers without space for a key.
const FULL: [&str; 4] = ["XMinioStorageFull", "QuotaExceeded", "InsufficientStorage", "EntityTooLarge"];

/// Codes that concern the credentials and not a policy.
const NO_ENTRY: [&str; 8] = [
    "InvalidAccessKeyId",
    "SignatureDoesNotMatch",
    "InvalidClientTokenId",
    "InvalidToken",
    "ExpiredToken",
    "TokenRefreshRequired",
    "RequestTimeTooSkewed",
    "InvalidSecurity",
];

fn kind(status: u16, code: &str, action: Action) -> ErrorKind {
    match status {
        507 => ErrorKind::NoSpace,
        _ if FULL.contains(&code) => ErrorKind::NoSpace,
        403 if !NO_ENTRY.contains(&code) && matches!(action, Action::Create | Action::Delete) => ErrorKind::Refused,
        _ => ErrorKind::Unreachable,
    }
}

fn hint(status: u16, code: &str, action: Action, address: &S3Address, region: Option<&str>) -> Option<String> {
    let bucket = &address.bucket;
    let server = address.endpoint.as_ref().map(|url| format!(" --endpoint-url {url}")).unwrap_or_default();
    Some(match (code, status) {
        ("NoSuchBucket", _) => format!("to create the bucket: aws s3 mb s3://{bucket}{server}"),
        ("RequestTimeTooSkewed", _) => "set the clock of this machine: timedatectl set-ntp true".into(),
        ("ExpiredToken" | "TokenRefreshRequired", _) => "to log in again: aws sso login".into(),
        ("InvalidAccessKeyId" | "SignatureDoesNotMatch" | "InvalidClientTokenId" | "InvalidToken", _) => {
            "to see which credentials are used: aws configure list".into()
        }
        (_, 301 | 307 | 400) if region.is_some() => {
            format!("the bucket is in another region: --region {}", region.unwrap_or_default())
        }
        (_, 403) => format!("the credentials need the permission {} for s3://{bucket}", action.permission()),
        (_, 404) => "check the endpoint: it does not answer like S3".into(),
        (_, 507) => "free some space on the server, then run the command again".into(),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn failure(status: u16, code: &str, action: Action) -> Failure {
        let body =
            format!("<?xml version=\"1.0\"?><Error><Code>{code}</Code><Message>What happened.</Message></Error>");
        let address = S3Address { bucket: "data".into(), prefix: "a".into(), endpoint: None, region: None };
        Answer { status, body: body.into_bytes(), region: None }.into_failure(action, "log/01", &address)
    }

    #[test]
    fn errors_have_a_kind_and_the_words_of_the_server() {
        for (status, code, action, kind, is_transient) in [
            (403, "AccessDenied", Action::Create, ErrorKind::Refused, false),
            (403, "AccessDenied", Action::Delete, ErrorKind::Refused, false),
            (403, "AccessDenied", Action::Read, ErrorKind::Unreachable, false),
            (403, "SignatureDoesNotMatch", Action::Create, ErrorKind::Unreachable, false),
            (403, "RequestTimeTooSkewed", Action::List, ErrorKind::Unreachable, false),
            (404, "NoSuchBucket", Action::Create, ErrorKind::Unreachable, false),
            (409, "ConditionalRequestConflict", Action::Create, ErrorKind::Unreachable, true),
            (503, "SlowDown", Action::Create, ErrorKind::Unreachable, true),
            (500, "InternalError", Action::Read, ErrorKind::Unreachable, true),
            (507, "XMinioStorageFull", Action::Create, ErrorKind::NoSpace, false),
        ] {
            let failure = failure(status, code, action);
            assert_eq!((failure.error.kind(), failure.is_transient), (kind, is_transient), "{code}");
            let message = failure.error.to_string();
            assert!(message.ends_with(&format!("`log/01` in `s3://data/a`: What happened ({code})")), "{message}");
        }
    }

    #[test]
    fn hints_lead_to_the_next_step() {
        let hint = |status, code| failure(status, code, Action::Delete).error.hint_text();
        assert_eq!(hint(404, "NoSuchBucket").unwrap(), "to create the bucket: aws s3 mb s3://data");
        assert!(hint(403, "RequestTimeTooSkewed").unwrap().contains("clock"));
        assert!(hint(403, "AccessDenied").unwrap().contains("s3:DeleteObject"));
        assert_eq!(hint(500, "InternalError"), None);
    }

    #[test]
    fn a_wrong_region_is_named() {
        let body = b"<Error><Code>PermanentRedirect</Code><Message>Use another endpoint.</Message></Error>".to_vec();
        let address = S3Address { bucket: "data".into(), prefix: String::new(), endpoint: None, region: None };
        let answer = Answer { status: 301, body, region: Some("eu-west-1".into()) };
        let error = answer.into_failure(Action::List, "log", &address).error;
        assert_eq!(error.hint_text().unwrap(), "the bucket is in another region: --region eu-west-1");
    }

    #[test]
    fn answers_without_an_explanation_are_not_missing_keys() {
        let answer = |body: &str| Answer { status: 404, body: body.into(), region: None };
        assert!(!answer("<html>404</html>").is_missing_key());
        assert!(!answer("<Error><Code>NoSuchBucket</Code></Error>").is_missing_key());
        assert!(answer("<Error><Code>NoSuchKey</Code></Error>").is_missing_key());
    }
}
