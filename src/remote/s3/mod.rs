//! A target in S3-compatible storage.
//!
//! Creating a key is a PUT with `If-None-Match: *`: the server answers 412 if the key exists, and 409 if another request is creating
//! it at this moment. Deleting is one request per key, which every server supports and none charges for.

mod answer;
mod credentials;
mod http_client;
mod listing;
mod tls;

use std::ops::Range;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use http::Method;

use crate::remote::backend::{Attempt, Backend, Body, check_length, too_short};
use crate::remote::meter::{Kind, Meter};
use crate::remote::{Created, Listed, S3Address, lock};

use answer::{Action, Answer};
use http_client::Client;

pub(super) struct S3 {
    address: S3Address,
    /// Id and secret of a key; `None` to find credentials.
    key: Option<(String, String)>,
    meter: Arc<Meter>,
    /// Made by the first request.
    client: Mutex<Option<Arc<Client>>>,
    /// Whether the server rejects conditions as not implemented. Then the last of several writers of a key wins.
    has_no_conditions: AtomicBool,
}

impl S3 {
    pub fn new(address: &S3Address, key: Option<(String, String)>, meter: Arc<Meter>) -> S3 {
        let (client, has_no_conditions) = (Mutex::default(), AtomicBool::new(false));
        S3 { address: address.clone(), key, meter, client, has_no_conditions }
    }

    fn client(&self) -> Attempt<Arc<Client>> {
        let mut client = lock(&self.client);
        if let Some(client) = &*client {
            return Ok(client.clone());
        }
        let new = Arc::new(Client::connect(&self.address, self.key.as_ref(), self.meter.clone())?);
        *client = Some(new.clone());
        Ok(new)
    }

    /// The prefix of all keys, with a slash at its end if there is one.
    fn prefix(&self) -> String {
        if self.address.prefix.is_empty() { String::new() } else { format!("{}/", self.address.prefix) }
    }

    fn key_path(&self, key: &str) -> String {
        format!("/{}{key}", self.prefix())
    }

    fn send(&self, method: Method, path: &str, headers: &[(&'static str, &str)], body: Body<'_>) -> Attempt<Answer> {
        self.client()?.send(method, path, headers, body)
    }

    fn put(&self, key: &str, body: Body<'_>, is_conditional: bool) -> Attempt<Answer> {
        let checksum = checksum(body.bytes);
        // A bucket with object lock demands a checksum.
        let headers = [("x-amz-checksum-crc32", checksum.as_str()), ("if-none-match", "*")];
        let headers = if is_conditional { &headers[..] } else { &headers[..1] };
        self.send(Method::PUT, &self.key_path(key), headers, body)
    }

    fn list_page(&self, folder: &str, after: Option<&str>, token: Option<&str>) -> Attempt<listing::Page> {
        let prefix = self.prefix();
        let mut query = format!("?list-type=2&prefix={}", encode(&format!("{prefix}{folder}/")));
        if let Some(token) = token {
            // A token continues the listing, and ignores where it started.
            query = format!("?continuation-token={}&{}", encode(token), &query[1..]);
        } else if let Some(after) = after {
            query += &format!("&start-after={}", encode(&format!("{prefix}{after}")));
        }
        let answer = self.send(Method::GET, &query, &[], Body::EMPTY)?;
        match answer.status {
            200 => Ok(listing::parse(&answer.body, &prefix)?),
            _ => Err(answer.into_failure(Action::List, folder, &self.address)),
        }
    }
}

impl Backend for S3 {
    fn create(&self, key: &str, body: Body<'_>) -> Attempt<Created> {
        let _running = self.meter.start(Kind::Create);
        let mut is_conditional = !self.has_no_conditions.load(Ordering::Relaxed);
        let mut answer = self.put(key, body, is_conditional)?;
        if is_conditional && answer.status == 501 {
            self.has_no_conditions.store(true, Ordering::Relaxed);
            is_conditional = false;
            answer = self.put(key, body, is_conditional)?;
        }
        match answer.status {
            200 | 201 | 204 => Ok(Created::New),
            412 if is_conditional => Ok(Created::Exists),
            _ => Err(answer.into_failure(Action::Create, key, &self.address)),
        }
    }

    fn read(&self, key: &str, range: Option<Range<u64>>) -> Attempt<Option<Vec<u8>>> {
        let _running = self.meter.start(Kind::Read);
        let wanted = range.as_ref().map(|range| format!("bytes={}-{}", range.start, range.end - 1));
        let headers: Vec<_> = wanted.iter().map(|wanted| ("range", wanted.as_str())).collect();
        let answer = self.send(Method::GET, &self.key_path(key), &headers, Body::EMPTY)?;
        let mut bytes = match (answer.status, &range) {
            (200 | 206, _) => answer.body,
            (404, _) if answer.is_missing_key() => return Ok(None),
            (416, Some(range)) => return Err(too_short(key, range).into()),
            _ => return Err(answer.into_failure(Action::Read, key, &self.address)),
        };
        if let (200, Some(range)) = (answer.status, &range) {
            // The server does not know ranges, and has sent the whole key.
            let end = bytes.len().min(usize::try_from(range.end).unwrap_or(usize::MAX));
            bytes = bytes[end.min(usize::try_from(range.start).unwrap_or(usize::MAX))..end].to_owned();
        }
        check_length(key, &bytes, range.as_ref())?;
        Ok(Some(bytes))
    }

    fn list(&self, folder: &str, after: Option<&str>) -> Attempt<Vec<Listed>> {
        let (mut keys, mut token) = (Vec::new(), None);
        loop {
            let _running = self.meter.start(Kind::List);
            let page = self.list_page(folder, after, token.as_deref())?;
            keys.extend(page.keys);
            match page.next {
                Some(next) => token = Some(next),
                None => return Ok(keys),
            }
        }
    }

    fn delete(&self, key: &str) -> Attempt<()> {
        let _running = self.meter.start(Kind::Delete);
        let answer = self.send(Method::DELETE, &self.key_path(key), &[], Body::EMPTY)?;
        match answer.status {
            200 | 204 => Ok(()),
            404 if answer.is_missing_key() => Ok(()),
            _ => Err(answer.into_failure(Action::Delete, key, &self.address)),
        }
    }
}

/// The CRC-32 of some bytes in base64, as S3 expects it.
fn checksum(bytes: &[u8]) -> String {
    let mut crc = flate2::Crc::new();
    crc.update(bytes);
    base64(crc.sum())
}

/// Four bytes in base64.
fn base64(word: u32) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let bits = u64::from(word) << 4;
    let digits = (0..6).rev().map(|place| char::from(DIGITS[(bits >> (6 * place) & 63) as usize]));
    digits.chain(['=', '=']).collect()
}

/// Percent-encodes a value of a query.
fn encode(value: &str) -> String {
    let mut encoded = String::new();
    for byte in value.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => encoded.push(byte.into()),
            _ => encoded += &format!("%{byte:02X}"),
        }
    }
    encoded
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn checksums_are_as_the_specification_shows() {
        assert_eq!(checksum(b"123456789"), "y/Q5Jg==");
        assert_eq!(checksum(b""), "AAAAAA==");
    }

    #[test]
    fn values_are_percent_encoded() {
        assert_eq!(encode("a/b c~1+="), "a%2Fb%20c~1%2B%3D");
    }
}
