//! Combines the settings of the user and of the repository.

use std::path::Path;

use crate::error::{Error, Result};

use super::document::Applied;
use super::{Config, Document, Key, Source};

/// The settings in force, and the problems of the files.
pub struct Loaded {
    /// The settings, without those of an invalid file of the repository.
    pub config: Config,
    user: Applied,
    /// What the repository's file sets, or why none of its settings is in force.
    repository: Result<Applied>,
}

/// Reads the settings of the user, and above them those of the repository. A missing file sets nothing.
pub fn load(repository: &Path, user: Option<&Path>) -> Loaded {
    let mut of_user = Config::default();
    let user = user.map_or_else(Applied::default, |path| apply_user_file(path, &mut of_user));
    let mut config = of_user.clone();
    let applied = Document::open(repository, Source::Repository).and_then(|document| document.apply(&mut config));
    let repository = applied.and_then(|mut applied| match applied.problems.is_empty() {
        true => Ok(applied),
        false => Err(applied.problems.swap_remove(0)),
    });
    let config = if repository.is_ok() { config } else { of_user };
    Loaded { config, user, repository }
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
    /// The settings. Fails if the repository's file is not valid.
    pub fn config(self) -> Result<Config> {
        self.repository.map(|_| self.config)
    }

    /// The settings without those of an invalid file, the problem of the repository's file, and the problems that stop no
    /// command: those of the user's file, and settings that a repository must not have.
    pub fn usable_config(self) -> (Config, Option<Error>, Vec<Error>) {
        let mut harmless = self.user.problems;
        let problem = match self.repository {
            Ok(applied) => {
                harmless.extend(applied.ignored);
                None
            }
            Err(problem) => Some(problem),
        };
        (self.config, problem, harmless)
    }

    /// Which file has the target of this name in force. `None` if none has.
    pub fn source_of_target(&self, name: &str) -> Option<Source> {
        let has = |applied: &Applied| applied.targets.iter().any(|target| target.name == name);
        match &self.repository {
            Ok(repository) if has(repository) => Some(Source::Repository),
            _ => has(&self.user).then_some(Source::User),
        }
    }

    /// Where the value of a setting comes from.
    pub fn source(&self, key: &Key) -> Source {
        let is_in = |applied: &Applied| applied.keys.contains(&key.name);
        match &self.repository {
            Ok(repository) if is_in(repository) => Source::Repository,
            _ if is_in(&self.user) => Source::User,
            _ => Source::Default,
        }
    }
}

/// The command that prints the password of a target, from the user's settings. It names a program, so no repository sets it.
#[cfg(feature = "targets")]
pub fn password_command(user: Option<&Path>) -> Option<String> {
    let (config, _) = load_user(Some(user?));
    Some(config.password_command).filter(|command| !command.is_empty())
}
