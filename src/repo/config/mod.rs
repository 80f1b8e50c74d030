//! Settings: `config.toml` of the user and of the repository as typed values. Reading data needs none of them.

mod document;
mod files;

use crate::environment::Environment;
use crate::error::{Error, ErrorKind, Result};
use crate::path::RepoPath;
use crate::path::glob::{Glob, Slashes};
use crate::store::Compression;

pub use document::Document;
pub use files::load;

/// The settings, with defaults filled in.
#[derive(Clone, Debug, PartialEq)]
pub struct Config {
    /// `store.compression`: `stored`, `deflate:1..9`, `zstd:1..19`.
    pub compression: Compression,
    /// `store.reflink`: share the blocks of large files if the file system can.
    pub reflink: bool,
    /// `store.shared`: whether the group of the directory can use the repository.
    pub is_shared: bool,
    /// `worktree.cross_mounts`: record file systems mounted below the worktree.
    pub cross_mounts: bool,
    /// Table `diff`: commands that convert files to text, by pattern of their paths.
    pub converters: Vec<Converter>,
    /// `user.name`: author of commits. Empty means the login name.
    pub author: String,
}

/// Where the value of a setting comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Source {
    /// No file sets the value.
    Default,
    /// The user's file, for all repositories.
    User,
    /// The repository's file, which takes precedence.
    Repository,
}

impl Source {
    /// `default`, `user` or `repository`.
    pub fn word(self) -> &'static str {
        match self {
            Source::Default => "default",
            Source::User => "user",
            Source::Repository => "repository",
        }
    }
}

/// A command that converts files to text, to compare them: `"*.pdf" = "pdftotext - -"`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Converter {
    /// Pattern of the files.
    glob: Glob,
    /// Whether the pattern has a `/`: it is then matched against paths, otherwise against names.
    is_anchored: bool,
    /// Command of the shell that reads a file from stdin and prints text.
    pub command: String,
}

impl Converter {
    /// [`ErrorKind::Usage`] for an invalid pattern.
    fn new(pattern: &str, command: &str) -> Result<Converter> {
        let glob = Glob::parse(pattern.as_bytes(), Slashes::Separate).map_err(|invalid| {
            let message = format!("`diff.{}` is not a pattern: {}", pattern.escape_debug(), invalid.describe());
            Error::new(ErrorKind::Usage, message)
        })?;
        Ok(Converter { glob, is_anchored: pattern.contains('/'), command: command.to_owned() })
    }

    /// Whether the command converts the file at a path.
    pub fn matches(&self, path: &RepoPath) -> bool {
        let text = if self.is_anchored { Some(path.as_bytes()) } else { path.name() };
        text.is_some_and(|text| self.glob.matches(text))
    }
}

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
    kind: Kind,
    /// Formats the value.
    get: fn(&Config) -> String,
    /// Sets the value from text. `None` if the text is not valid.
    put: fn(&mut Config, &str) -> Option<()>,
}

impl Key {
    /// Table and name in the file.
    fn path(&self) -> (&'static str, &'static str) {
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
            _ => ("can be set only user-wide", "undo config --global"),
        };
        Err(Error::new(ErrorKind::Usage, format!("`{}` {message}", self.name))
            .hint(format!("to set it: {command} {} VALUE", self.name)))
    }
}

/// Type of a TOML value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Bool,
    Text,
}

const ANYWHERE: &[Source] = &[Source::User, Source::Repository];

/// For settings on which the content of commits or the modes of files depend: they must not differ between users of one
/// repository.
const ONE_REPOSITORY: &[Source] = &[Source::Repository];

/// The setting that determines the modes of the repository's files.
pub const SHARED: &str = "store.shared";

/// All settings.
pub const KEYS: [Key; 5] = [
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

impl Default for Config {
    fn default() -> Config {
        Config {
            compression: Compression::Zstd(1),
            reflink: true,
            is_shared: false,
            cross_mounts: false,
            converters: Vec::new(),
            author: String::new(),
        }
    }
}

impl Config {
    /// The value of a setting as text.
    pub fn get(&self, name: &str) -> Result<String> {
        Ok((key(name)?.get)(self))
    }

    /// Sets a value from text.
    fn put(&mut self, key: &Key, text: &str) -> Result<()> {
        (key.put)(self, text).ok_or_else(|| {
            Error::new(ErrorKind::Usage, format!("`{}` cannot be `{}`", key.name, text.escape_debug()))
                .hint(format!("valid values: {}", key.values))
        })
    }

    /// The author of commits: the configured name, or the login name.
    pub fn author_name(&self, environment: &Environment) -> String {
        if self.author.is_empty() { environment.author() } else { &self.author }.to_owned()
    }
}

/// The setting with this name. [`ErrorKind::Usage`] lists all settings if there is none.
pub fn key(name: &str) -> Result<&'static Key> {
    KEYS.iter().find(|key| key.name == name).ok_or_else(|| {
        let known = KEYS.map(|key| key.name).join(", ");
        Error::new(ErrorKind::Usage, format!("no setting `{}`", name.escape_debug()))
            .hint(format!("valid settings: {known}"))
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_defaults_listed_are_those_in_force_and_every_listed_key_works() {
        for key in KEYS {
            let mut config = Config::default();
            config.put(&key, &Config::default().get(key.name).unwrap()).unwrap();
            assert_eq!(config, Config::default(), "{}", key.name);
        }
        assert!(KEYS.is_sorted_by_key(|key| key.name));
        assert!(!Config::default().author_name(&Environment::from_process()).is_empty());
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
