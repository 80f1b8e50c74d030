//! Reads and changes the settings of the repository and of the user.

use crate::environment::{Durability, Environment};
use crate::error::{Error, ErrorKind, Result};
use crate::fs;
use crate::repo::config::{
    self, Config, Document, KEYS, Key, SHARED, Source, TARGET_SETTINGS, TargetSetting, TargetSettings, find_target,
    key, target_setting,
};
use crate::repo::sharing;
use crate::shell::Guards;

use super::Workspace;
#[cfg(feature = "targets")]
use super::targets;

/// The settings of the shell hook, from the user's file.
#[derive(Debug)]
pub(crate) struct ShellSettings {
    /// `shell.guard`.
    pub guards: Guards,
    /// `shell.strict`.
    pub is_strict: bool,
    /// Why settings of the file are ignored.
    pub problems: Vec<Error>,
}

impl ShellSettings {
    /// Reads the settings.
    pub(crate) fn load(environment: &Environment) -> ShellSettings {
        let (config, problems) = config::load_user(environment.user_settings());
        ShellSettings { guards: config.guards(), is_strict: config.is_shell_strict, problems }
    }
}

/// A setting and its value.
#[derive(Clone, Debug)]
pub struct Setting {
    /// Table and name: `store.compression`, or `target.nas.connections`.
    pub key: String,
    /// What the setting does.
    pub about: &'static str,
    /// The value, set or default.
    pub value: String,
    /// Where the value comes from.
    pub source: Source,
}

impl Workspace {
    /// All settings, also those of the targets.
    pub fn settings(&self) -> Result<Vec<Setting>> {
        let mut settings = KEYS.iter().map(|key| self.setting_of(key)).collect::<Result<Vec<_>>>()?;
        let loaded = self.load_settings();
        for target in &loaded.config.targets {
            let source = loaded.source_of_target(&target.name);
            settings.extend(TARGET_SETTINGS.iter().map(|setting| of_target(target, setting, source)));
        }
        Ok(settings)
    }

    /// One setting. [`ErrorKind::Usage`] for an unknown setting.
    pub fn setting(&self, name: &str) -> Result<Setting> {
        let Some((target, setting)) = target_setting(name)? else { return self.setting_of(key(name)?) };
        let loaded = self.load_settings();
        let source = loaded.source_of_target(target);
        Ok(of_target(find_target(&loaded.config.targets, target)?, setting, source))
    }

    /// Changes a setting of the repository. `None` restores the user's value or the default.
    pub fn set_setting(&mut self, name: &str, value: Option<&str>) -> Result<Setting> {
        Document::open(&self.repository.layout.config(), Source::Repository)?.check_editable()?;
        if let Some((target, setting)) = target_setting(name)? {
            self.set_target_setting(target, setting, value)?;
            return self.setting(name);
        }
        let layout = &self.repository.layout;
        let mut document = Document::open(&layout.config(), Source::Repository)?;
        match value {
            Some(value) => document.set(name, value)?,
            None => drop(document.unset(name)?),
        }
        if name == SHARED {
            let mut config = Config::default();
            document.apply(&mut config)?;
            let is_shared = config.is_shared;
            sharing::set(layout, is_shared).map_err(|error| layout.not_permitted(error))?;
        }
        document.save(self.repository.environment.durability()).map_err(|error| layout.not_permitted(error))?;
        self.setting(name)
    }

    fn setting_of(&self, key: &Key) -> Result<Setting> {
        let loaded = self.load_settings();
        let source = loaded.source(key);
        setting(key, &loaded.config, source)
    }

    fn load_settings(&self) -> config::Loaded {
        config::load(&self.repository.layout.config(), self.repository.environment.user_settings())
    }

    #[cfg(not(feature = "targets"))]
    fn set_target_setting(&mut self, _: &str, _: &TargetSetting, _: Option<&str>) -> Result<()> {
        Err(no_targets())
    }
}

fn setting(key: &Key, config: &Config, source: Source) -> Result<Setting> {
    Ok(Setting { key: key.name.to_owned(), about: key.about, value: config.get(key.name)?, source })
}

/// A setting of a target whose table is in the file `source`.
fn of_target(target: &TargetSettings, setting: &TargetSetting, source: Option<Source>) -> Setting {
    let source = source.filter(|_| target.has(setting)).unwrap_or(Source::Default);
    let key = format!("target.{}.{}", target.name, setting.name);
    Setting { key, about: setting.about, value: target.get(setting), source }
}

#[cfg(not(feature = "targets"))]
fn no_targets() -> Error {
    Error::new(ErrorKind::Unsupported, "this build of undo has no targets")
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
            Error::new(ErrorKind::NotFound, "cannot find the user's settings: no home directory is known")
                .hint("set HOME: export HOME=DIR")
        })?;
        Ok(UserSettings { document: Document::open(path, Source::User)?, durability: environment.durability() })
    }

    /// All settings that a user can set for all repositories, also those of the targets in the file.
    pub fn settings(&self) -> Result<Vec<Setting>> {
        let keys = KEYS.iter().filter(|key| key.is_user_wide());
        let mut settings = keys.map(|key| self.setting_of(key)).collect::<Result<Vec<_>>>()?;
        for target in &self.document.config()?.targets {
            settings.extend(TARGET_SETTINGS.iter().map(|setting| of_target(target, setting, Some(Source::User))));
        }
        Ok(settings)
    }

    /// One setting. [`ErrorKind::Usage`] if it does not exist or belongs to one repository.
    pub fn setting(&self, name: &str) -> Result<Setting> {
        let Some((target, setting)) = target_setting(name)? else { return self.setting_of(key(name)?) };
        let targets = self.document.config()?.targets;
        Ok(of_target(find_target(&targets, target)?, setting, Some(Source::User)))
    }

    /// Changes a setting, and creates the file and its directory if needed. `None` restores the default.
    pub fn set(&mut self, name: &str, value: Option<&str>) -> Result<Setting> {
        let is_changed = match (target_setting(name)?, value) {
            (Some((target, setting)), value) => self.set_target_setting(target, setting, value)?,
            (None, Some(value)) => self.document.set(name, value).map(|()| true)?,
            (None, None) => self.document.unset(name)?,
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

    /// Changes a setting of a target in the user's file. Returns whether the file changes.
    #[cfg(feature = "targets")]
    fn set_target_setting(&mut self, target: &str, setting: &TargetSetting, value: Option<&str>) -> Result<bool> {
        find_target(&self.document.config()?.targets, target)?;
        targets::settings::check_user_change(setting, self.document.path())?;
        targets::settings::change(&mut self.document, target, setting, value)
    }

    #[cfg(not(feature = "targets"))]
    fn set_target_setting(&mut self, _: &str, _: &TargetSetting, _: Option<&str>) -> Result<bool> {
        Err(no_targets())
    }
}
