//! The tables `[target.NAME]`: where copies of the history go.

use toml_edit::{Item, TableLike};
#[cfg(feature = "targets")]
use toml_edit::{Table, Value};

use crate::amount::Amount;
use crate::error::{Error, ErrorKind, Result};

use super::limits::{NONE, limit_text, parse_limit};

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
    /// Push in the background after each commit.
    pub is_automatic: bool,
}

/// A setting of a target.
#[derive(Clone, Copy, Debug)]
pub struct TargetSetting {
    /// Key in the table of the target.
    pub name: &'static str,
    /// Description of the valid values.
    pub values: &'static str,
    /// Description of the effect.
    pub about: &'static str,
    kind: Kind,
    /// Formats the value.
    get: fn(&TargetSettings) -> String,
    /// Whether the value differs from the default.
    is_set: fn(&TargetSettings) -> bool,
    /// Sets the value from text. `None` if the text is not valid.
    put: fn(&mut TargetSettings, &str) -> Option<()>,
}

/// Type of a value in the file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Text,
    Number,
    /// A number, or text with a unit.
    Size,
}

/// The key of the address, which every target has.
pub const URL: &str = "url";

/// All settings of a target.
pub const TARGET_SETTINGS: [TargetSetting; 7] = [
    TargetSetting {
        name: "auto",
        values: "none, commit",
        about: "push in the background after each commit, when no other has followed for 30 seconds",
        kind: Kind::Text,
        get: |target| if target.is_automatic { "commit" } else { NONE }.to_owned(),
        is_set: |target| target.is_automatic,
        put: |target, text| {
            target.is_automatic = match text {
                NONE => false,
                "commit" => true,
                _ => return None,
            };
            Some(())
        },
    },
    TargetSetting {
        name: "connections",
        values: "1 to 64",
        about: "maximum number of requests at the same time",
        kind: Kind::Number,
        get: |target| target.connections.unwrap_or(DEFAULT_CONNECTIONS).to_string(),
        is_set: |target| target.connections.is_some(),
        put: |target, text| {
            let count = text.parse().ok().filter(|count| (1..=MAX_CONNECTIONS).contains(count))?;
            target.connections = Some(count);
            Some(())
        },
    },
    TargetSetting {
        name: "endpoint",
        values: "the URL of a server that is compatible with S3",
        about: "server of an s3:// target; if empty, Amazon's",
        kind: Kind::Text,
        get: |target| target.endpoint.clone().unwrap_or_default(),
        is_set: |target| target.endpoint.is_some(),
        put: |target, text| put_text(&mut target.endpoint, text),
    },
    TargetSetting {
        name: "limit_down",
        values: "none, or bytes a second such as 2M",
        about: "maximum number of bytes a second from the target",
        kind: Kind::Size,
        get: |target| limit_text(target.limit_down.map(Amount::Bytes)),
        is_set: |target| target.limit_down.is_some(),
        put: |target, text| parse_limit(text, parse_bytes).map(|limit| target.limit_down = limit),
    },
    TargetSetting {
        name: "limit_up",
        values: "none, or bytes a second such as 2M",
        about: "maximum number of bytes a second to the target",
        kind: Kind::Size,
        get: |target| limit_text(target.limit_up.map(Amount::Bytes)),
        is_set: |target| target.limit_up.is_some(),
        put: |target, text| parse_limit(text, parse_bytes).map(|limit| target.limit_up = limit),
    },
    TargetSetting {
        name: "region",
        values: "the name of a region such as eu-central-1",
        about: "region of an s3:// target; if empty, that of the environment or the profile",
        kind: Kind::Text,
        get: |target| target.region.clone().unwrap_or_default(),
        is_set: |target| target.region.is_some(),
        put: |target, text| put_text(&mut target.region, text),
    },
    TargetSetting {
        name: URL,
        values: "a path, sftp://[USER@]HOST[:PORT]/PATH or s3://BUCKET[/PREFIX]",
        about: "where the target is",
        kind: Kind::Text,
        get: |target| target.url.clone(),
        is_set: |_| true,
        put: |target, text| (!text.is_empty()).then(|| text.clone_into(&mut target.url)),
    },
];

/// Longest name of a target in bytes.
const LONGEST_NAME: usize = 60;

/// Maximum number of connections.
const MAX_CONNECTIONS: u64 = 64;

/// Number of requests at the same time by default.
pub const DEFAULT_CONNECTIONS: u64 = 4;

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

/// The target of this name. [`ErrorKind::NotFound`] if there is none.
pub fn find_target<'t>(targets: &'t [TargetSettings], name: &str) -> Result<&'t TargetSettings> {
    targets.iter().find(|target| target.name == name).ok_or_else(|| {
        let error = Error::new(ErrorKind::NotFound, format!("no target `{}`", name.escape_debug()));
        error.hint(match targets {
            [] => "add one: undo target add NAME URL".to_owned(),
            _ => format!("targets: {}", target_names(targets)),
        })
    })
}

/// The names of targets, separated by commas.
pub fn target_names(targets: &[TargetSettings]) -> String {
    targets.iter().map(|target| target.name.as_str()).collect::<Vec<_>>().join(", ")
}

/// Splits `target.NAME.KEY`. `None` for the name of another setting; [`ErrorKind::Usage`] for an unknown key.
pub fn target_setting(name: &str) -> Result<Option<(&str, &'static TargetSetting)>> {
    let Some((target, key)) = name.strip_prefix("target.").and_then(|rest| rest.split_once('.')) else {
        return Ok(None);
    };
    match TARGET_SETTINGS.iter().find(|setting| setting.name == key) {
        Some(setting) => Ok(Some((target, setting))),
        None => Err(Error::new(ErrorKind::Usage, format!("no setting `{}`", name.escape_debug()))
            .hint(format!("valid settings of a target: {}", setting_names()))),
    }
}

/// The names of all settings of a target.
pub(super) fn setting_names() -> String {
    TARGET_SETTINGS.map(|setting| setting.name).join(", ")
}

impl TargetSetting {
    /// Sets a value from text.
    pub fn put(&self, target: &mut TargetSettings, text: &str) -> Result<()> {
        let name = target.name.clone();
        (self.put)(target, text).ok_or_else(|| self.invalid(&name, text))
    }

    /// The value for the file. The text must be valid.
    #[cfg(feature = "targets")]
    pub(super) fn value(&self, text: &str) -> Value {
        match (self.kind, text.parse::<i64>()) {
            (Kind::Number | Kind::Size, Ok(number)) => Value::from(number),
            _ => Value::from(text),
        }
    }

    fn put_item(&self, target: &mut TargetSettings, item: &Item) -> Result<()> {
        let text = || item.as_str().map(str::to_owned);
        let number = || item.as_integer().map(|number| number.to_string());
        let found = match self.kind {
            Kind::Text => text(),
            Kind::Number => number(),
            Kind::Size => text().or_else(number),
        };
        match found {
            Some(found) => self.put(target, &found),
            None => {
                let (text, quotes) = (item.to_string(), if self.kind == Kind::Number { "without" } else { "in" });
                let text = item.as_str().unwrap_or(text.trim());
                Err(self.invalid(&target.name, text).hint(format!("valid values: {}, {quotes} quotes", self.values)))
            }
        }
    }

    fn invalid(&self, target: &str, text: &str) -> Error {
        let message = format!("invalid value `{}` for `target.{target}.{}`", text.escape_debug(), self.name);
        Error::new(ErrorKind::Usage, message).hint(format!("valid values: {}", self.values))
    }
}

impl TargetSettings {
    /// Reads a table.
    pub(super) fn read(name: &str, table: &dyn TableLike) -> Result<TargetSettings> {
        check_name(name)?;
        let mut settings = TargetSettings { name: name.to_owned(), ..TargetSettings::default() };
        for (key, item) in table.iter() {
            let full = format!("target.{name}.{key}");
            let (_, setting) = target_setting(&full)?.expect("the name has two dots");
            setting.put_item(&mut settings, item)?;
        }
        if settings.url.is_empty() {
            return Err(Error::new(ErrorKind::Usage, format!("`target.{name}` has no `url`")));
        }
        Ok(settings)
    }

    /// Whether the value of a setting differs from the default.
    pub(crate) fn has(&self, setting: &TargetSetting) -> bool {
        (setting.is_set)(self)
    }

    /// The value of a setting as text.
    pub(crate) fn get(&self, setting: &TargetSetting) -> String {
        (setting.get)(self)
    }

    /// The table for the file.
    #[cfg(feature = "targets")]
    pub(super) fn table(&self) -> Table {
        let mut table = Table::new();
        let mut settings = TARGET_SETTINGS;
        settings.sort_by_key(|setting| setting.name != URL);
        for setting in settings.iter().filter(|setting| self.has(setting)) {
            table.insert(setting.name, Item::Value(setting.value(&self.get(setting))));
        }
        table
    }
}

fn put_text(value: &mut Option<String>, text: &str) -> Option<()> {
    let is_valid = !text.is_empty() && !text.chars().any(char::is_control);
    is_valid.then(|| *value = Some(text.to_owned()))
}

/// A number of bytes, also with a unit such as `2M`.
fn parse_bytes(text: &str) -> Option<u64> {
    match Amount::parse(text) {
        Some(Amount::Bytes(bytes)) if bytes > 0 => Some(bytes),
        _ => None,
    }
}
