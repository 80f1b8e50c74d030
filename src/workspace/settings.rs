//! Reads and changes the settings of the repository and of the user.

use crate::environment::{Durability, Environment};
use crate::error::{Error, ErrorKind, Result};
use crate::fs;
use crate::repo::config::{self, Config, Document, KEYS, Key, SHARED, Source, key};
use crate::repo::sharing;

use super::Workspace;

/// A setting and its value.
#[derive(Clone, Debug)]
pub struct Setting {
    /// Table and name: `store.compression`.
    pub key: &'static str,
    /// What the setting does.
    pub about: &'static str,
    /// The value, set or default.
    pub value: String,
    /// Where the value comes from.
    pub source: Source,
}

impl Workspace {
    /// All settings.
    pub fn settings(&self) -> Result<Vec<Setting>> {
        KEYS.iter().map(|key| self.setting_of(key)).collect()
    }

    /// One setting. [`ErrorKind::Usage`] for an unknown setting.
    pub fn setting(&self, name: &str) -> Result<Setting> {
        self.setting_of(key(name)?)
    }

    /// Changes a setting of the repository. `None` restores the user's value or the default.
    pub fn set_setting(&mut self, name: &str, value: Option<&str>) -> Result<Setting> {
        let layout = &self.repository.layout;
        let mut document = Document::open(&layout.config(), Source::Repository)?;
        match value {
            Some(value) => document.set(name, value)?,
            None => drop(document.unset(name)?),
        }
        if name == SHARED {
            let is_shared = document.config()?.is_shared;
            sharing::set(layout, is_shared).map_err(|error| layout.not_permitted(error))?;
        }
        document.save(self.repository.environment.durability()).map_err(|error| layout.not_permitted(error))?;
        self.setting(name)
    }

    fn setting_of(&self, key: &Key) -> Result<Setting> {
        let loaded = config::load(&self.repository.layout.config(), self.repository.environment.user_settings());
        let source = loaded.source(key);
        setting(key, &loaded.config()?, source)
    }
}

fn setting(key: &Key, config: &Config, source: Source) -> Result<Setting> {
    Ok(Setting { key: key.name, about: key.about, value: config.get(key.name)?, source })
}

/// The settings of a user, which apply to all repositories that do not set another value.
pub struct UserSettings {
    document: Document,
    durability: Durability,
}

impl UserSettings {
    /// Reads the file. A missing file sets nothing. [`ErrorKind::NotFound`] if the user has no home directory.
    pub fn open(environment: &Environment) -> Result<UserSettings> {
        let path = environment.user_settings().ok_or_else(|| {
            Error::new(ErrorKind::NotFound, "the current user has no home directory for settings")
                .hint("name one: export HOME=DIR")
        })?;
        Ok(UserSettings { document: Document::open(path, Source::User)?, durability: environment.durability() })
    }

    /// All settings that a user can set for all repositories.
    pub fn settings(&self) -> Result<Vec<Setting>> {
        KEYS.iter().filter(|key| key.is_user_wide()).map(|key| self.setting_of(key)).collect()
    }

    /// One setting. [`ErrorKind::Usage`] if it does not exist or belongs to one repository.
    pub fn setting(&self, name: &str) -> Result<Setting> {
        self.setting_of(key(name)?)
    }

    /// Changes a setting, and creates the file and its directory if needed. `None` restores the default.
    pub fn set(&mut self, name: &str, value: Option<&str>) -> Result<Setting> {
        let is_changed = match value {
            Some(value) => self.document.set(name, value).map(|()| true)?,
            None => self.document.unset(name)?,
        };
        if is_changed {
            self.document.path().parent().map_or(Ok(()), fs::create_dir_private)?;
            self.document.save(self.durability)?;
        }
        self.setting(name)
    }

    fn setting_of(&self, key: &Key) -> Result<Setting> {
        key.check_file(Source::User)?;
        let config = self.document.config()?;
        let is_set = self.document.apply(&mut Config::default())?.keys.contains(&key.name);
        setting(key, &config, if is_set { Source::User } else { Source::Default })
    }
}
