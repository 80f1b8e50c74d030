//! Reads and changes the settings of the repository.

use crate::error::Result;
use crate::repo::config::{Document, KEYS, Key, SHARED, key};
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
    /// Whether the default applies.
    pub is_default: bool,
}

impl Workspace {
    /// All settings.
    pub fn settings(&self) -> Result<Vec<Setting>> {
        let document = self.config_file()?;
        KEYS.iter().map(|key| setting(&document, key)).collect()
    }

    /// One setting. [`ErrorKind::Usage`](crate::error::ErrorKind::Usage) if there is no such setting.
    pub fn setting(&self, name: &str) -> Result<Setting> {
        setting(&self.config_file()?, key(name)?)
    }

    /// Changes a setting. `None` restores the default.
    pub fn set_setting(&mut self, name: &str, value: Option<&str>) -> Result<Setting> {
        let mut document = self.config_file()?;
        match value {
            Some(value) => document.set(name, value)?,
            None => drop(document.unset(name)?),
        }
        let (key, layout) = (key(name)?, &self.repository.layout);
        if key.name == SHARED {
            let is_shared = document.config()?.is_shared;
            sharing::set(layout, is_shared).map_err(|error| layout.not_permitted(error))?;
        }
        document.save(self.repository.environment.durability()).map_err(|error| layout.not_permitted(error))?;
        setting(&document, key)
    }

    fn config_file(&self) -> Result<Document> {
        Document::open(&self.repository.layout.config())
    }
}

fn setting(document: &Document, key: &Key) -> Result<Setting> {
    let value = document.config()?.get(key.name)?;
    Ok(Setting { key: key.name, about: key.about, value, is_default: !document.is_set(key.name)? })
}
