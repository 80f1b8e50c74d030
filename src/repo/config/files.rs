//! Combines the settings of the user and of the repository.

use std::path::Path;

use crate::error::Error;

use super::document::Applied;
use super::{Config, Document, Key, Source};

/// The settings in force, and the problems of the files.
pub struct Loaded {
    /// The settings, without invalid ones.
    pub config: Config,
    user: Applied,
    /// What the repository's file sets.
    repository: Applied,
    /// Whether the repository's file can be read.
    is_readable: bool,
}

/// Reads the settings of the user, and above them those of the repository. A missing file sets nothing, and neither does an invalid
/// setting. What a setting of the repository should say is then unknown, so nothing is forgotten or collected without being asked
/// for (decision 73).
pub fn load(repository: &Path, user: Option<&Path>) -> Loaded {
    let mut config = Config::default();
    let user = user.map_or_else(Applied::default, |path| apply_user_file(path, &mut config));
    let applied = Document::open(repository, Source::Repository).and_then(|document| document.apply(&mut config));
    let is_readable = applied.is_ok();
    let repository = applied.unwrap_or_else(|problem| Applied { problems: vec![problem], ..Applied::default() });
    if !repository.problems.is_empty() {
        config.keep = Vec::new();
        config.is_gc_automatic = false;
    }
    Loaded { config, user, repository, is_readable }
}

/// Reads the settings of the user alone. Returns the problems of the file, whose other settings are in force.
pub fn load_user(user: Option<&Path>) -> (Config, Vec<Error>) {
    let mut config = Config::default();
    let applied = user.map_or_else(Applied::default, |path| apply_user_file(path, &mut config));
    (config, applied.problems)
}

fn apply_user_file(path: &Path, config: &mut Config) -> Applied {
    match Document::open(path, Source::User).and_then(|document| document.apply(config)) {
        Ok(applied) => {
            let ignored = |problem: Error| problem.context("a user-wide setting is ignored");
            Applied { problems: applied.problems.into_iter().map(ignored).collect(), ..applied }
        }
        Err(error) => {
            let problems = vec![error.context("the user-wide settings are ignored")];
            Applied { problems, ..Applied::default() }
        }
    }
}

impl Loaded {
    /// Whether all settings of the repository are in force.
    pub fn is_valid(&self) -> bool {
        self.repository.problems.is_empty()
    }

    /// The settings in force, and why others are not. This stops no command.
    pub fn with_problems(self) -> (Config, Vec<Error>) {
        let what = match self.is_readable {
            true => "a setting of the repository is ignored",
            false => "the repository's settings are ignored",
        };
        let invalid = self.repository.problems.into_iter().map(|problem| problem.context(what));
        (self.config, self.user.problems.into_iter().chain(invalid).chain(self.repository.ignored).collect())
    }

    /// Which file has the target of this name in force. `None` if none has.
    pub fn source_of_target(&self, name: &str) -> Option<Source> {
        let has = |applied: &Applied| applied.targets.iter().any(|target| target.name == name);
        match has(&self.repository) {
            true => Some(Source::Repository),
            false => has(&self.user).then_some(Source::User),
        }
    }

    /// Where the value of a setting comes from.
    pub fn source(&self, key: &Key) -> Source {
        let is_in = |applied: &Applied| applied.keys.contains(&key.name);
        if is_in(&self.repository) {
            Source::Repository
        } else if is_in(&self.user) {
            Source::User
        } else {
            Source::Default
        }
    }
}

/// The command that prints the password of a target, from the user's settings. It names a program, so no repository sets it.
#[cfg(feature = "targets")]
pub fn password_command(user: Option<&Path>) -> Option<String> {
    let (config, _) = load_user(Some(user?));
    Some(config.password_command).filter(|command| !command.is_empty())
}
