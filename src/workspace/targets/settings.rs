//! Changes the settings of targets.

use std::path::Path;

use crate::error::{Error, ErrorKind, Result};
use crate::repo::config::{Config, Document, Source, TargetSetting, TargetSettings, URL, find_target};
use crate::target::Target;
use crate::transfer::association::Association;
use crate::workspace::Workspace;

use super::address::absolute;
use super::place::check_place;
use super::remote;

impl Workspace {
    /// Changes a setting of a target. `None` restores the default.
    pub(in crate::workspace) fn set_target_setting(
        &mut self,
        name: &str,
        setting: &TargetSetting,
        value: Option<&str>,
    ) -> Result<()> {
        let layout = &self.repository.layout;
        let mut document = Document::open(&layout.config(), Source::Repository)?;
        let Some(old) = document.target(name)? else {
            let hint = format!("to set it: undo config --global target.{name}.{} VALUE", setting.name);
            return Err(self.not_in_repository(name, hint));
        };
        let moved = match value {
            Some(url) if setting.name == URL => Some(self.moved(&TargetSettings { url: url.to_owned(), ..old })?),
            _ => None,
        };
        change(&mut document, name, setting, moved.as_deref().or(value))?;
        document.save(self.repository.environment.durability()).map_err(|error| layout.not_permitted(error))?;
        let mut config = Config::default();
        document.apply(&mut config)?;
        self.repository.config.targets = config.targets;
        Ok(())
    }

    /// The new address of a target that was moved: what was pushed there must be there.
    fn moved(&self, settings: &TargetSettings) -> Result<String> {
        let url = absolute(settings, &self.directory)?;
        let moved = TargetSettings { url: url.clone(), ..settings.clone() };
        check_place(&self.repository, &moved, &self.directory)?;
        let storage = remote(&moved, &self.directory)?;
        let Some(identity) = Target::find_identity(&storage)? else {
            let message = format!("no target found at {url}");
            return Err(Error::new(ErrorKind::NotFound, message).hint("move the target there first"));
        };
        match Association::load(&self.repository, &settings.name)? {
            Some(association) if association.target != identity => {
                let message = format!("another target than `{}` is at {url}", settings.name);
                Err(Error::new(ErrorKind::Refused, message).hint("to use both, add it: undo target add NAME URL"))
            }
            _ => Ok(url),
        }
    }

    /// The error for a target that the repository's settings do not have. `hint` is for a target of the user's settings.
    pub(super) fn not_in_repository(&self, name: &str, hint: String) -> Error {
        let path = match find_target(self.targets(), name) {
            Ok(_) => self.repository.environment.user_settings().unwrap_or(Path::new("config.toml")),
            Err(error) => return error,
        };
        let message =
            format!("target `{name}` is in the user's settings, `{}`, not in those of this repository", path.display());
        Error::new(ErrorKind::NotFound, message).hint(hint)
    }
}

/// The user's settings cannot move a target: only a repository knows what it has pushed there.
pub(in crate::workspace) fn check_user_change(setting: &TargetSetting, path: &Path) -> Result<()> {
    if setting.name != URL {
        return Ok(());
    }
    Err(Error::new(ErrorKind::Usage, "the URL of a target in the user's settings cannot be changed by a command")
        .hint(format!("edit the file: {}", path.display())))
}

/// Changes a setting of a target that a file has. Returns whether the file changes.
pub(in crate::workspace) fn change(
    document: &mut Document,
    name: &str,
    setting: &TargetSetting,
    value: Option<&str>,
) -> Result<bool> {
    let is_changed = match value {
        None if setting.name == URL => {
            return Err(Error::new(ErrorKind::Usage, format!("`target.{name}.url` is required"))
                .hint(format!("to forget the target: undo target remove {name}")));
        }
        None => document.unset_of_target(name, setting)?,
        Some(value) => document.set_of_target(name, setting, value).map(|()| true)?,
    };
    // An endpoint and a region are for S3 only.
    if let Some(settings) = document.target(name)? {
        remote(&settings, Path::new("/"))?;
    }
    Ok(is_changed)
}
