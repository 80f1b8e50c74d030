//! The tables `[target.NAME]`: where copies of the history go.

use toml_edit::{Item, TableLike};
#[cfg(feature = "targets")]
use toml_edit::{Table, Value};

use crate::amount::Amount;
use crate::error::{Error, ErrorKind, Result};

/// A target in the settings.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TargetSettings {
    /// Name of the target.
    pub name: String,
    /// Absolute path, `sftp://user@host/path` or `s3://bucket/prefix`.
    pub url: String,
    /// URL of a server that is compatible with S3.
    pub endpoint: Option<String>,
    /// Region of the bucket.
    pub region: Option<String>,
    /// Maximum number of requests at the same time.
    pub connections: Option<u64>,
    /// Maximum number of bytes a second to the target.
    pub limit_up: Option<u64>,
    /// Maximum number of bytes a second from the target.
    pub limit_down: Option<u64>,
}

/// Longest name of a target in bytes.
const LONGEST_NAME: usize = 60;

/// Maximum number of connections.
const MAX_CONNECTIONS: u64 = 64;

/// Fails with [`ErrorKind::Usage`] if a name cannot be that of a target.
pub fn check_name(name: &str) -> Result<()> {
    let is_valid = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_');
    // A name that could be an option, a revision or a setting would be ambiguous.
    let is_reserved = matches!(name, "max_age" | "password_command") || name.starts_with('-');
    if !name.is_empty() && name.len() <= LONGEST_NAME && name.chars().all(is_valid) && !is_reserved {
        return Ok(());
    }
    Err(Error::new(ErrorKind::Usage, format!("`{}` is not a valid name of a target", name.escape_debug()))
        .hint("use letters, digits, `-` and `_`, as in `nas`"))
}

impl TargetSettings {
    /// Reads a table.
    pub(super) fn read(name: &str, table: &dyn TableLike) -> Result<TargetSettings> {
        check_name(name)?;
        let mut settings = TargetSettings { name: name.to_owned(), ..TargetSettings::default() };
        for (key, item) in table.iter() {
            settings.put(key, item).ok_or_else(|| {
                let message = format!("`target.{name}.{}` is not a valid setting", key.escape_debug());
                Error::new(ErrorKind::Usage, message).hint(
                    "valid settings of a target: url, endpoint, region, connections (1 to 64), limit_up and limit_down \
                     (bytes a second, such as \"2M\")",
                )
            })?;
        }
        if settings.url.is_empty() {
            return Err(Error::new(ErrorKind::Usage, format!("`target.{name}` has no `url`")));
        }
        Ok(settings)
    }

    fn put(&mut self, key: &str, item: &Item) -> Option<()> {
        let text = || item.as_str().map(str::to_owned);
        let number = || item.as_integer().and_then(|number| u64::try_from(number).ok());
        match key {
            "url" => self.url = text()?,
            "endpoint" => self.endpoint = Some(text()?),
            "region" => self.region = Some(text()?),
            "connections" => {
                self.connections = Some(number().filter(|count| (1..=MAX_CONNECTIONS).contains(count))?);
            }
            "limit_up" => self.limit_up = Some(limit(item)?),
            "limit_down" => self.limit_down = Some(limit(item)?),
            _ => return None,
        }
        Some(())
    }

    /// The table for the file.
    #[cfg(feature = "targets")]
    pub(super) fn table(&self) -> Table {
        let mut table = Table::new();
        let mut put = |key: &str, value: Option<Value>| {
            if let Some(value) = value {
                table.insert(key, Item::Value(value));
            }
        };
        let number = |number: u64| Value::from(i64::try_from(number).unwrap_or(i64::MAX));
        put("url", Some(self.url.as_str().into()));
        put("endpoint", self.endpoint.as_deref().map(Value::from));
        put("region", self.region.as_deref().map(Value::from));
        put("connections", self.connections.map(number));
        put("limit_up", self.limit_up.map(number));
        put("limit_down", self.limit_down.map(number));
        table
    }
}

/// A number of bytes, as a number or as text such as `2M`.
fn limit(item: &Item) -> Option<u64> {
    let bytes = match item.as_str() {
        Some(text) => match Amount::parse(text)? {
            Amount::Bytes(bytes) => bytes,
            _ => return None,
        },
        None => u64::try_from(item.as_integer()?).ok()?,
    };
    (bytes > 0).then_some(bytes)
}
