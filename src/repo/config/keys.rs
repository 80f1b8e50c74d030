//! The settings: their names, valid values and defaults.

use std::time::Duration;

use crate::amount::Amount;
use crate::error::{Error, ErrorKind, Result};
use crate::keep_rule::{KeepRule, Limit};
use crate::shell::Guards;
use crate::store::Compression;
use crate::time::age::Age;
use crate::time::{duration_text, parse_deadline};

use super::limits::{limit_text, parse_limit};
use super::{Config, Source, targets};

/// A setting.
#[derive(Clone, Copy, Debug)]
pub struct Key {
    /// Table and key: `store.compression`.
    pub name: &'static str,
    /// Description of the valid values.
    pub values: &'static str,
    /// Description of the effect.
    pub about: &'static str,
    /// Files that may set it. A setting that names a program must not be in the repository's file, which another user
    /// may have written.
    files: &'static [Source],
    /// Type of the value in the file.
    pub(super) kind: Kind,
    /// Formats the value.
    pub(super) get: fn(&Config) -> String,
    /// Sets the value from text. `None` if the text is not valid.
    pub(super) put: fn(&mut Config, &str) -> Option<()>,
}

impl Key {
    /// Table and name in the file.
    pub(super) fn path(&self) -> (&'static str, &'static str) {
        self.name.split_once('.').expect("every key is in a table")
    }

    /// Whether the user's file may set it.
    pub fn is_user_wide(&self) -> bool {
        self.files.contains(&Source::User)
    }

    /// [`ErrorKind::Usage`] if this file must not set it.
    pub fn check_file(&self, file: Source) -> Result<()> {
        if self.files.contains(&file) {
            return Ok(());
        }
        let (message, command) = match file {
            Source::User => ("belongs to one repository and cannot be set user-wide", "undo config"),
            _ => ("can only be set in the user's settings", "undo config --global"),
        };
        Err(Error::new(ErrorKind::Usage, format!("`{}` {message}", self.name))
            .hint(format!("to set it: {command} {} VALUE", self.name)))
    }
}

/// Type of a TOML value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Bool,
    Text,
}

const ANYWHERE: &[Source] = &[Source::User, Source::Repository];

/// For settings on which the content of commits or the modes of files depend: they must not differ between users of one
/// repository.
const ONE_REPOSITORY: &[Source] = &[Source::Repository];

/// For settings that name a program, or that decide what hooks do: a repository may have been copied from elsewhere.
const USER: &[Source] = &[Source::User];

/// Agents end a hook after 60 seconds, and then run the tool without an answer.
const LONGEST_HOOK: Duration = Duration::from_secs(50);

/// The setting that determines the modes of the repository's files.
pub const SHARED: &str = "store.shared";

/// All settings.
pub const KEYS: [Key; 18] = [
    Key {
        name: "agent.deadline",
        values: "a duration of at most 50s, such as 2s or 500ms",
        about: "how long a hook of an agent may take to record the directory",
        files: USER,
        kind: Kind::Text,
        get: |config| duration_text(config.agent_deadline),
        put: |config, text| {
            let deadline = parse_deadline(text).filter(|deadline| *deadline <= LONGEST_HOOK);
            deadline.map(|deadline| config.agent_deadline = deadline)
        },
    },
    Key {
        name: "agent.prompts",
        values: "true, false",
        about: "also record the text of the prompts that an agent announces",
        files: USER,
        kind: Kind::Bool,
        get: |config| config.records_prompts.to_string(),
        put: |config, text| text.parse().ok().map(|value| config.records_prompts = value),
    },
    Key {
        name: "agent.strict",
        values: "true, false",
        about: "block a tool of an agent if the directory could not be recorded before it",
        files: USER,
        kind: Kind::Bool,
        get: |config| config.is_agent_strict.to_string(),
        put: |config, text| text.parse().ok().map(|value| config.is_agent_strict = value),
    },
    Key {
        name: "drill.max_age",
        values: "none, or an age such as 30d",
        about: "age after which `undo status` warns that a target had no successful drill",
        files: ANYWHERE,
        kind: Kind::Text,
        get: |config| limit_text(config.drill_age),
        put: |config, text| parse_limit(text, Age::parse).map(|age| config.drill_age = age),
    },
    Key {
        name: "gc.auto",
        values: "true, false",
        about: "collect garbage in the background after a commit if a quarter of the store is waste",
        files: ANYWHERE,
        kind: Kind::Bool,
        get: |config| config.is_gc_automatic.to_string(),
        put: |config, text| text.parse().ok().map(|value| config.is_gc_automatic = value),
    },
    Key {
        name: "gc.grace",
        values: "an age such as 7d, 12h or 4w",
        about: "how long forgotten commits and purged content can be taken back",
        files: ANYWHERE,
        kind: Kind::Text,
        get: |config| config.grace.to_string(),
        put: |config, text| Age::parse(text).map(|grace| config.grace = grace),
    },
    Key {
        name: "history.keep",
        values: "all, or rules such as: within 7d, daily within 90d, weekly",
        about: "automatic commits to keep; the others are forgotten",
        files: ANYWHERE,
        kind: Kind::Text,
        get: |config| keep_text(&config.keep),
        put: |config, text| parse_keep(text).map(|rules| config.keep = rules),
    },
    Key {
        name: "history.max_size",
        values: "none, a size such as 20G, or a percentage of the file system",
        about: "size of the repository above which `undo gc` forgets old commits, automatic ones first",
        files: ANYWHERE,
        kind: Kind::Text,
        get: |config| limit_text(config.max_size),
        put: |config, text| parse_limit(text, Amount::parse).map(|amount| config.max_size = amount),
    },
    Key {
        name: "history.min_free",
        values: "none, a size such as 20G, or a percentage of the file system",
        about: "free space below which `undo gc` forgets old commits, automatic ones first",
        files: ANYWHERE,
        kind: Kind::Text,
        get: |config| limit_text(config.min_free),
        put: |config, text| parse_limit(text, Amount::parse).map(|amount| config.min_free = amount),
    },
    Key {
        name: "shell.guard",
        values: "commands such as rm -r, separated by commas; default stands for those of docs/shell.md",
        about: "commands before which the shell hook records the directory",
        files: USER,
        kind: Kind::Text,
        get: |config| config.guard.clone(),
        put: |config, text| Guards::parse(text).map(|_| text.clone_into(&mut config.guard)),
    },
    Key {
        name: "shell.strict",
        values: "true, false",
        about: "refuse a guarded command if the directory could not be recorded before it",
        files: USER,
        kind: Kind::Bool,
        get: |config| config.is_shell_strict.to_string(),
        put: |config, text| text.parse().ok().map(|value| config.is_shell_strict = value),
    },
    Key {
        name: "store.compression",
        values: "stored, deflate:1 to deflate:9, zstd:1 to zstd:19",
        about: "compression of new content; stored content does not change",
        files: ANYWHERE,
        kind: Kind::Text,
        get: |config| compression_text(config.compression),
        put: |config, text| parse_compression(text).map(|value| config.compression = value),
    },
    Key {
        name: "store.reflink",
        values: "true, false",
        about: "share disk blocks between large files and the store instead of copying, if the file system supports it",
        files: ANYWHERE,
        kind: Kind::Bool,
        get: |config| config.reflink.to_string(),
        put: |config, text| text.parse().ok().map(|value| config.reflink = value),
    },
    Key {
        name: SHARED,
        values: "owner, group",
        about: "who can use the repository: its owner only, or also the members of the directory's group",
        files: ONE_REPOSITORY,
        kind: Kind::Text,
        get: |config| if config.is_shared { "group" } else { "owner" }.to_owned(),
        put: |config, text| {
            config.is_shared = match text {
                "owner" => false,
                "group" => true,
                _ => return None,
            };
            Some(())
        },
    },
    Key {
        name: "target.max_age",
        values: "none, or an age such as 7d",
        about: "age after which `undo status` warns about a copy that lacks commits",
        files: ANYWHERE,
        kind: Kind::Text,
        get: |config| limit_text(config.target_age),
        put: |config, text| parse_limit(text, Age::parse).map(|age| config.target_age = age),
    },
    Key {
        name: "target.password_command",
        values: "a command of the shell",
        about: "command that prints the password of the target $UNDO_TARGET; if empty, undo asks for the password",
        files: USER,
        kind: Kind::Text,
        get: |config| config.password_command.clone(),
        put: |config, text| (!text.contains('\n')).then(|| text.clone_into(&mut config.password_command)),
    },
    Key {
        name: "user.name",
        values: "text",
        about: "author of commits; if empty, the login name",
        files: ANYWHERE,
        kind: Kind::Text,
        get: |config| config.author.clone(),
        put: |config, text| (!text.chars().any(char::is_control)).then(|| text.clone_into(&mut config.author)),
    },
    Key {
        name: "worktree.cross_mounts",
        values: "true, false",
        about: "also record file systems and bind mounts inside the worktree",
        files: ONE_REPOSITORY,
        kind: Kind::Bool,
        get: |config| config.cross_mounts.to_string(),
        put: |config, text| text.parse().ok().map(|value| config.cross_mounts = value),
    },
];

/// The setting with this name. [`ErrorKind::Usage`] lists all settings if there is none.
pub fn key(name: &str) -> Result<&'static Key> {
    KEYS.iter().find(|key| key.name == name).ok_or_else(|| {
        let known = KEYS.map(|key| key.name).join(", ");
        Error::new(ErrorKind::Usage, format!("no setting `{}`", name.escape_debug())).hint(match name {
            _ if name.starts_with("target.") => {
                format!("valid settings of a target: target.NAME.KEY; KEY is one of {}", targets::setting_names())
            }
            _ => format!("valid settings: {known}"),
        })
    })
}

fn compression_text(compression: Compression) -> String {
    match compression {
        Compression::Stored => "stored".to_owned(),
        Compression::Deflate(level) => format!("deflate:{level}"),
        Compression::Zstd(level) => format!("zstd:{level}"),
    }
}

fn parse_compression(text: &str) -> Option<Compression> {
    if text == "stored" {
        return Some(Compression::Stored);
    }
    let (method, level) = text.split_once(':')?;
    let level: u8 = level.parse().ok()?;
    match (method, level) {
        ("deflate", 1..=9) => Some(Compression::Deflate(level.into())),
        ("zstd", 1..=19) => Some(Compression::Zstd(level.into())),
        _ => None,
    }
}

/// The setting that keeps everything.
const ALL: &str = "all";

fn keep_text(rules: &[KeepRule]) -> String {
    match rules {
        [] => ALL.to_owned(),
        rules => rules.iter().map(KeepRule::to_string).collect::<Vec<_>>().join(", "),
    }
}

/// Rules with a count are not valid: a commit would go because others were made, so each commit would have to be read again.
fn parse_keep(text: &str) -> Option<Vec<KeepRule>> {
    if text == ALL {
        return Some(Vec::new());
    }
    KeepRule::parse_list(text).filter(|rules| !rules.iter().any(|rule| matches!(rule.limit, Limit::Count(_))))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kept_commits_and_limits_are_rules_and_amounts() {
        let mut config = Config::default();
        let mut round_trip = |name: &str, text: &str| {
            let put = (key(name).unwrap().put)(&mut config, text);
            put.map(|()| config.get(name).unwrap())
        };
        for (text, shown) in
            [("all", "all"), ("within 7d,weekly", "within 7d, weekly"), ("hourly within 1d", "hourly within 1d")]
        {
            assert_eq!(round_trip("history.keep", text).as_deref(), Some(shown));
        }
        for bad in ["", "none", "last 7", "daily 7", "within 7d, daily 3", "all, weekly", "7d"] {
            assert_eq!(round_trip("history.keep", bad), None, "{bad}");
        }
        for name in ["history.max_size", "history.min_free"] {
            for (text, shown) in [("none", "none"), ("20GiB", "20G"), ("10%", "10%")] {
                assert_eq!(round_trip(name, text).as_deref(), Some(shown));
            }
            assert_eq!(round_trip(name, "all"), None);
        }
    }

    #[test]
    fn compression_has_a_method_and_a_level_in_its_range() {
        for (text, compression) in [
            ("stored", Compression::Stored),
            ("deflate:6", Compression::Deflate(6)),
            ("zstd:19", Compression::Zstd(19)),
        ] {
            assert_eq!(parse_compression(text), Some(compression));
            let config = Config { compression, ..Config::default() };
            assert_eq!(config.get("store.compression").unwrap(), text);
        }
        for bad in ["", "zstd", "zstd:0", "zstd:20", "deflate:10", "lz4:1", "zstd:-1", "stored:1"] {
            assert_eq!(parse_compression(bad), None, "{bad}");
        }
    }
}
