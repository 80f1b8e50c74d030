//! Settings: `config.toml` of the user and of the repository as typed values. Reading data needs none of them.

mod document;
mod files;
mod keys;
mod limits;
#[cfg(feature = "targets")]
mod target_tables;
mod targets;

use std::time::Duration;

use crate::amount::Amount;
use crate::environment::Environment;
use crate::error::{Error, ErrorKind, Result};
use crate::keep_rule::KeepRule;
use crate::path::RepoPath;
use crate::path::glob::{Glob, Slashes};
use crate::shell::{self, Guards};
use crate::store::Compression;
use crate::time::age::Age;

pub use document::Document;
#[cfg(feature = "targets")]
pub use files::password_command;
pub use files::{Loaded, load, load_user};
pub use keys::{KEYS, Key, SHARED, key};
#[cfg(feature = "targets")]
pub use targets::{DEFAULT_CONNECTIONS, URL, check_name, target_names};
pub use targets::{TARGET_SETTINGS, TargetSetting, TargetSettings, find_target, target_setting};

/// The settings, with defaults filled in.
#[derive(Clone, Debug, PartialEq)]
pub struct Config {
    /// `agent.deadline`: how long a hook of an agent may take.
    pub agent_deadline: Duration,
    /// `agent.prompts`: whether the text of prompts is recorded.
    pub records_prompts: bool,
    /// `agent.strict`: whether a tool is blocked if the state before it could not be recorded.
    pub is_agent_strict: bool,
    /// `gc.auto`: collect garbage after a commit if much of the store is waste.
    pub is_gc_automatic: bool,
    /// `gc.grace`: how long forgotten commits and purged content can be taken back.
    pub grace: Age,
    /// `history.keep`: which automatic commits stay. Empty means all.
    pub keep: Vec<KeepRule>,
    /// `history.max_size`: size above which old commits are forgotten.
    pub max_size: Option<Amount>,
    /// `history.min_free`: free space below which old commits are forgotten.
    pub min_free: Option<Amount>,
    /// `shell.guard`: patterns of commands before which the shell hook records, separated by commas.
    pub guard: String,
    /// `shell.strict`: whether a guarded command is refused if the state before it could not be recorded.
    pub is_shell_strict: bool,
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
    /// `drill.max_age`: age after which the last drill is too old.
    pub drill_age: Option<Age>,
    /// `target.max_age`: age after which the last copy elsewhere is too old.
    pub target_age: Option<Age>,
    /// `target.password_command`: command that prints the password of a target. Empty: ask.
    pub password_command: String,
    /// Tables `[target.NAME]`: where copies go.
    pub targets: Vec<TargetSettings>,
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

impl Config {
    /// The patterns of `shell.guard`.
    pub fn guards(&self) -> Guards {
        Guards::parse(&self.guard).expect("a setting is valid")
    }
}

impl Default for Config {
    fn default() -> Config {
        Config {
            agent_deadline: Duration::from_secs(2),
            records_prompts: false,
            is_agent_strict: false,
            is_gc_automatic: true,
            grace: Age::parse("7d").expect("the default is valid"),
            keep: KeepRule::parse_list("within 7d, daily within 90d, weekly").expect("the default is valid"),
            max_size: None,
            min_free: None,
            guard: shell::DEFAULT.to_owned(),
            is_shell_strict: false,
            compression: Compression::Zstd(1),
            reflink: true,
            is_shared: false,
            cross_mounts: false,
            converters: Vec::new(),
            drill_age: None,
            target_age: Some(Age::parse("7d").expect("the default is valid")),
            password_command: String::new(),
            targets: Vec::new(),
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
            Error::new(ErrorKind::Usage, format!("invalid value `{}` for `{}`", text.escape_debug(), key.name))
                .hint(format!("valid values: {}", key.values))
        })
    }

    /// The author of commits: the configured name, or the login name.
    pub fn author_name(&self, environment: &Environment) -> String {
        if self.author.is_empty() { environment.author() } else { &self.author }.to_owned()
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
}
