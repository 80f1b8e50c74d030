//! Addresses of targets, as users write them.

use std::fmt;
use std::path::{Path, PathBuf};

use crate::error::{Error, ErrorKind, Result};

/// Where a target is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Address {
    /// A directory of this machine.
    Directory(PathBuf),
    /// A directory of a server, reached with `ssh`.
    Sftp(SftpAddress),
    /// A bucket, or a prefix in it.
    S3(S3Address),
}

/// A directory on an SSH server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SftpAddress {
    /// User; `None` for the default of `ssh`.
    pub user: Option<String>,
    /// Name, address or alias in `~/.ssh/config`. Never starts with a hyphen.
    pub host: String,
    /// Port; `None` for the default of `ssh`.
    pub port: Option<u16>,
    /// Absolute, or relative to the home directory of the user.
    pub path: String,
    /// The program that connects: `ssh`.
    pub program: PathBuf,
}

/// A place in S3-compatible storage.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct S3Address {
    /// Name of the bucket.
    pub bucket: String,
    /// Prefix of all keys; empty, or without slashes at its ends.
    pub prefix: String,
    /// URL of the server; `None` for Amazon's.
    pub endpoint: Option<String>,
    /// Region; `None` for the one in the environment or the profile.
    pub region: Option<String>,
}

/// Hint of errors in addresses.
const FORMS: &str = "use a path, sftp://[USER@]HOST[:PORT]/PATH or s3://BUCKET[/PREFIX]";

impl Address {
    /// Parses a path, `sftp://[USER@]HOST[:PORT]/PATH` (`/~/PATH` is relative to the home directory) or `s3://BUCKET[/PREFIX]`.
    /// Relative paths are resolved against `directory`. [`ErrorKind::Usage`] if the address is invalid or has a password.
    pub fn parse(url: &str, endpoint: Option<&str>, region: Option<&str>, directory: &Path) -> Result<Address> {
        let address = match url.split_once("://") {
            Some(("s3", rest)) => return Ok(Address::S3(parse_s3(url, rest, endpoint, region)?)),
            Some(("sftp", rest)) => Address::Sftp(parse_sftp(url, rest)?),
            Some((scheme, _)) if scheme.bytes().all(|byte| byte.is_ascii_alphanumeric()) => {
                return Err(usage(format!("`{scheme}://` addresses are not supported: `{url}`")).hint(FORMS));
            }
            _ => Address::Directory(directory.join(parse_path(url)?)),
        };
        match (endpoint, region) {
            (None, None) => Ok(address),
            _ => Err(usage(format!("`{url}` is not in S3: an endpoint and a region are for s3:// addresses"))),
        }
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Address::Directory(path) => path.display().fmt(f),
            Address::Sftp(address) => address.fmt(f),
            Address::S3(address) => address.fmt(f),
        }
    }
}

impl fmt::Display for SftpAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("sftp://")?;
        if let Some(user) = &self.user {
            write!(f, "{user}@")?;
        }
        if self.host.contains(':') {
            write!(f, "[{}]", self.host)?;
        } else {
            f.write_str(&self.host)?;
        }
        if let Some(port) = self.port {
            write!(f, ":{port}")?;
        }
        match self.path.strip_prefix('/') {
            Some(path) => write!(f, "/{path}"),
            None => write!(f, "/~/{}", self.path),
        }
    }
}

impl S3Address {
    /// Host of the server, without brackets around an IPv6 address.
    pub fn host(&self) -> &str {
        let endpoint = self.endpoint.as_deref().unwrap_or("https://s3.amazonaws.com");
        let authority = endpoint.split_once("://").map_or(endpoint, |(_, rest)| rest);
        let authority = authority.split('/').next().unwrap_or_default();
        match authority.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
            Some((host, _)) => host,
            None => authority.split(':').next().unwrap_or_default(),
        }
    }
}

impl fmt::Display for S3Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "s3://{}", self.bucket)?;
        if self.prefix.is_empty() { Ok(()) } else { write!(f, "/{}", self.prefix) }
    }
}

fn usage(message: String) -> Error {
    Error::new(ErrorKind::Usage, message)
}

fn parse_path(path: &str) -> Result<&str> {
    if path.is_empty() {
        return Err(usage("the address of a target is empty".into()).hint(FORMS));
    }
    // The form of scp and rsync.
    let before_slash = path.split('/').next().unwrap_or_default();
    match before_slash.split_once(':') {
        Some((host, _)) if host.contains('@') => {
            let rest = &path[host.len() + 1..];
            let url = match rest.strip_prefix('/') {
                Some(rest) => format!("sftp://{host}/{rest}"),
                None => format!("sftp://{host}/~/{rest}"),
            };
            Err(usage(format!("`{path}` is not a supported address"))
                .hint(format!("for a directory on a server: {url}")))
        }
        _ => Ok(path),
    }
}

fn parse_sftp(url: &str, rest: &str) -> Result<SftpAddress> {
    let invalid = |why: &str| usage(format!("`{url}` is not a valid address: {why}")).hint(FORMS);
    let (authority, path) = rest.split_once('/').ok_or_else(|| invalid("it has no path"))?;
    let (user, host) = match authority.rsplit_once('@') {
        Some((user, _)) if user.contains(':') => {
            // Does not repeat the address: the message may end up in a log.
            return Err(
                usage("an address must not have a password".into()).hint("log in with a key: ssh-copy-id USER@HOST")
            );
        }
        Some((user, host)) => (Some(user), host),
        None => (None, authority),
    };
    let (host, port) = match host.strip_prefix('[').and_then(|host| host.split_once(']')) {
        Some((host, "")) => (host, None),
        Some((host, port)) => (host, Some(port.strip_prefix(':').ok_or_else(|| invalid("its host is not valid"))?)),
        None => host.split_once(':').map_or((host, None), |(host, port)| (host, Some(port))),
    };
    // `ssh` would take a word that starts with a hyphen for an option.
    let is_word = |word: &str| !word.is_empty() && !word.starts_with('-') && !word.contains(char::is_whitespace);
    if !is_word(host) {
        return Err(invalid("its host is not valid"));
    }
    if !user.is_none_or(is_word) {
        return Err(invalid("its user is not valid"));
    }
    let port = port.map(str::parse).transpose().map_err(|_| invalid("its port is not a number below 65536"))?;
    let path = match path.strip_prefix("~/") {
        Some(path) => path.trim_end_matches('/').to_owned(),
        None => format!("/{}", path.trim_end_matches('/')),
    };
    if path.is_empty() || path == "/" {
        return Err(invalid("it has no path"));
    }
    Ok(SftpAddress { user: user.map(str::to_owned), host: host.to_owned(), port, path, program: "ssh".into() })
}

fn parse_s3(url: &str, rest: &str, endpoint: Option<&str>, region: Option<&str>) -> Result<S3Address> {
    let invalid = |why: &str| usage(format!("`{url}` is not a valid address: {why}")).hint(FORMS);
    let (bucket, prefix) = rest.split_once('/').unwrap_or((rest, ""));
    if bucket.contains('@') {
        return Err(usage("an address must not have a key or a password".into())
            .hint("set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or select a profile with AWS_PROFILE"));
    }
    let is_bucket = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || matches!(byte, b'-' | b'.');
    if !(3..=63).contains(&bucket.len()) || !bucket.bytes().all(is_bucket) {
        return Err(invalid("a bucket has 3 to 63 lower-case letters, digits, hyphens and dots in its name"));
    }
    let prefix = prefix.trim_matches('/');
    let is_part = |part: &str| !matches!(part, "" | "." | "..") && part.bytes().all(is_in_prefix);
    if !prefix.is_empty() && !prefix.split('/').all(is_part) {
        return Err(invalid("a prefix has only letters, digits and the characters - _ . ~ /"));
    }
    let endpoint = endpoint.map(parse_endpoint).transpose()?;
    let region = region.map(str::to_owned);
    if region.as_deref().is_some_and(|region| !is_region(region)) {
        return Err(usage(format!("`{}` is not a valid region", region.unwrap_or_default())));
    }
    Ok(S3Address { bucket: bucket.to_owned(), prefix: prefix.to_owned(), endpoint, region })
}

/// Characters that every part of a URL may have.
fn is_in_prefix(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.' | b'~')
}

fn is_region(region: &str) -> bool {
    !region.is_empty() && region.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
}

fn parse_endpoint(endpoint: &str) -> Result<String> {
    let host = endpoint.strip_prefix("https://").or_else(|| endpoint.strip_prefix("http://"));
    let is_in_url = |byte: u8| is_in_prefix(byte) || matches!(byte, b':' | b'[' | b']' | b'/');
    match host.map(|host| host.trim_end_matches('/')) {
        Some(host) if !host.is_empty() && host.bytes().all(is_in_url) => Ok(endpoint.trim_end_matches('/').to_owned()),
        _ => Err(usage(format!("`{endpoint}` is not a valid endpoint"))
            .hint("use the URL of the server: https://HOST or https://HOST:PORT")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(url: &str) -> Result<Address> {
        Address::parse(url, None, None, Path::new("/work"))
    }

    #[test]
    fn addresses_are_parsed_and_displayed() {
        for (url, displayed) in [
            ("copies", "/work/copies"),
            ("/media/disk/copies", "/media/disk/copies"),
            ("../x:y", "/work/../x:y"),
            ("sftp://nas/srv/copies/", "sftp://nas/srv/copies"),
            ("sftp://me@nas:2222/srv", "sftp://me@nas:2222/srv"),
            ("sftp://me@[::1]:2222/srv", "sftp://me@[::1]:2222/srv"),
            ("sftp://nas/~/copies", "sftp://nas/~/copies"),
            ("s3://bucket", "s3://bucket"),
            ("s3://my.bucket/a/b/", "s3://my.bucket/a/b"),
        ] {
            assert_eq!(parse(url).unwrap().to_string(), displayed);
        }
        let Address::Sftp(address) = parse("sftp://nas/~/copies").unwrap() else { panic!() };
        assert_eq!(address.path, "copies");
        let s3 = Address::parse("s3://bucket", Some("http://[::1]:8333/"), Some("eu-1"), Path::new("/")).unwrap();
        let Address::S3(s3) = s3 else { panic!() };
        assert_eq!((s3.endpoint.as_deref(), s3.region.as_deref()), (Some("http://[::1]:8333"), Some("eu-1")));
    }

    #[test]
    fn invalid_addresses_are_usage_errors() {
        for url in [
            "",
            "http://host/path",
            "me@nas:copies",
            "me@nas:/srv",
            "sftp://nas",
            "sftp://nas/",
            "sftp://-oProxyCommand=x/path",
            "sftp://-l@nas/path",
            "sftp://nas:70000/path",
            "sftp:///path",
            "s3://",
            "s3://Bucket",
            "s3://bucket/a//b",
            "s3://bucket/../b",
            "s3://bucket/a?b",
            "s3://key:secret@bucket",
        ] {
            assert_eq!(parse(url).unwrap_err().kind(), ErrorKind::Usage, "{url}");
        }
        let error = Address::parse("/disk", None, Some("eu-1"), Path::new("/")).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Usage);
        for endpoint in ["nas:8333", "ftp://nas", "https://", "https://user@nas", "https://nas/?x"] {
            let error = Address::parse("s3://bucket", Some(endpoint), None, Path::new("/")).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Usage, "{endpoint}");
        }
    }

    #[test]
    fn a_password_is_refused_without_repeating_it() {
        let error = parse("sftp://me:secret@nas/srv").unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Usage);
        assert!(!format!("{error:?}").contains("secret"));
        let hint = parse("me@nas:copies/x").unwrap_err().hint_text().unwrap();
        assert_eq!(hint, "for a directory on a server: sftp://me@nas/~/copies/x");
    }

    #[test]
    fn the_host_is_that_of_the_endpoint() {
        for (endpoint, host) in [
            ("https://s3.example.com", "s3.example.com"),
            ("http://localhost:8333/", "localhost"),
            ("http://[::1]:8333", "::1"),
            ("https://10.0.0.7/path", "10.0.0.7"),
        ] {
            let (bucket, prefix) = ("bucket".to_owned(), String::new());
            let address = S3Address { bucket, prefix, endpoint: Some(endpoint.to_owned()), region: None };
            assert_eq!(address.host(), host);
        }
    }
}
