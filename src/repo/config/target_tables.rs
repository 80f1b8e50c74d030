//! Edits the tables of targets in `config.toml`.

use toml_edit::{Document as Toml, Item, Table, TableLike};

use crate::error::{Error, ErrorKind, Result};

use super::document::{Document, put_value, without_lines};
use super::{TargetSetting, TargetSettings};

/// The table of the tables.
const TARGETS: &str = "target";

impl Document {
    /// Adds a target, or replaces the one of its name.
    pub fn set_target(&mut self, target: &TargetSettings) -> Result<()> {
        let mut toml = self.parse()?.into_mut();
        let mut table = Table::new();
        table.set_implicit(true);
        let targets = toml.entry(TARGETS).or_insert(Item::Table(table));
        let table = targets.as_table_like_mut();
        let Some(table) = table else { return Err(Error::new(ErrorKind::Usage, "`target` is not a table")) };
        table.insert(&target.name, Item::Table(target.table()));
        self.text = toml.to_string();
        Ok(())
    }

    /// Removes a target. Returns whether there was one.
    pub fn unset_target(&mut self, name: &str) -> Result<bool> {
        let mut toml = self.parse()?.into_mut();
        let targets = toml.get_mut(TARGETS).and_then(Item::as_table_like_mut);
        let is_removed = targets.is_some_and(|targets| targets.remove(name).is_some());
        self.text = toml.to_string();
        Ok(is_removed)
    }

    /// The target of this name in this file alone.
    pub fn target(&self, name: &str) -> Result<Option<TargetSettings>> {
        Ok(self.config()?.targets.into_iter().find(|target| target.name == name))
    }

    /// Sets a value of a target that the file has.
    pub fn set_of_target(&mut self, target: &str, setting: &TargetSetting, text: &str) -> Result<()> {
        let mut settings = self.target(target)?.expect("the caller has found the target");
        setting.put(&mut settings, text)?;
        let mut toml = self.parse()?.into_mut();
        let table = toml[TARGETS][target].as_table_like_mut().expect("only a table can be a target");
        put_value(table, setting.name, setting.value(text));
        self.text = toml.to_string();
        Ok(())
    }

    /// Removes a value of a target, which restores the default. Returns `false` if it was not set.
    pub fn unset_of_target(&mut self, target: &str, setting: &TargetSetting) -> Result<bool> {
        let toml = self.parse()?;
        let Some(table) = table(&toml, target) else { return Ok(false) };
        let (Some(key), Some(item)) = (table.key(setting.name), table.get(setting.name)) else { return Ok(false) };
        let is_inline = toml[TARGETS].is_inline_table() || toml[TARGETS][target].is_inline_table();
        match (key.span(), item.span()) {
            (Some(key), Some(value)) if !is_inline => self.text = without_lines(&self.text, key.start..value.end),
            _ => {
                let mut toml = self.parse()?.into_mut();
                toml[TARGETS][target].as_table_like_mut().and_then(|table| table.remove(setting.name));
                self.text = toml.to_string();
            }
        }
        Ok(true)
    }
}

fn table<'t>(toml: &'t Toml<&str>, target: &str) -> Option<&'t dyn TableLike> {
    toml.get(TARGETS)?.as_table_like()?.get(target)?.as_table_like()
}

#[cfg(test)]
mod tests {
    use super::super::{Source, target_setting};
    use super::*;
    use crate::environment::Durability;
    use crate::error::Result;

    fn document(text: &str) -> (tempfile::TempDir, Document) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("config.toml");
        std::fs::write(&path, text).unwrap();
        (folder, Document::open(&path, Source::Repository).unwrap())
    }

    fn set(document: &mut Document, name: &str, text: &str) -> Result<()> {
        let (target, setting) = target_setting(name)?.unwrap();
        document.set_of_target(target, setting, text)
    }

    fn unset(document: &mut Document, name: &str) -> bool {
        let (target, setting) = target_setting(name).unwrap().unwrap();
        document.unset_of_target(target, setting).unwrap()
    }

    #[test]
    fn values_are_set_in_their_place() {
        let text =
            "# mine\n[target.nas] # there\nurl = '/nas' # place\n# slow\nlimit_up = 1000\n\n[user]\nname = 'a'\n";
        let (_folder, mut document) = document(text);
        set(&mut document, "target.nas.limit_up", "2M").unwrap();
        set(&mut document, "target.nas.connections", "8").unwrap();
        let expected = "# mine\n[target.nas] # there\nurl = '/nas' # place\n# slow\nlimit_up = \"2M\"\nconnections = 8\n\n\
                        [user]\nname = 'a'\n";
        assert_eq!(document.text, expected);
        let target = document.target("nas").unwrap().unwrap();
        assert_eq!((target.limit_up, target.connections), (Some(2 << 20), Some(8)));
        assert!(unset(&mut document, "target.nas.limit_up") && !unset(&mut document, "target.nas.limit_up"));
        assert_eq!(document.text, expected.replace("limit_up = \"2M\"\n", ""));
        document.save(Durability::NoSync).unwrap();
    }

    #[test]
    fn every_form_of_a_table_can_be_edited() {
        for text in [
            "target = { nas = { url = '/nas', limit_up = 5 } }\n",
            "[target]\nnas = { url = '/nas', limit_up = 5 }\n",
            "target.nas.url = '/nas'\ntarget.nas.limit_up = 5\n",
            "[target]\nmax_age = 'none'\nnas.url = '/nas'\nnas.limit_up = 5\n",
        ] {
            let (_folder, mut document) = document(text);
            set(&mut document, "target.nas.auto", "commit").unwrap();
            assert!(unset(&mut document, "target.nas.limit_up"), "{text}");
            let target = document.target("nas").unwrap().unwrap();
            let expected = TargetSettings { url: "/nas".into(), is_automatic: true, ..TargetSettings::default() };
            assert_eq!(target, TargetSettings { name: "nas".into(), ..expected }, "{text}");
        }
    }

    #[test]
    fn every_value_that_is_shown_can_be_set() {
        let (_folder, mut document) = document("[target.nas]\nurl = 's3://bucket'\n");
        for (key, valid, invalid) in [
            ("auto", &["commit", "none"][..], &["push", ""][..]),
            ("connections", &["1", "64"], &["0", "65", "-1", "many"]),
            ("limit_up", &["2M", "1000", "none"], &["0", "10%", "fast"]),
            ("limit_down", &["5K"], &["-5"]),
            ("endpoint", &["http://localhost:1"], &[""]),
            ("region", &["eu-central-1"], &["", "a\nb"]),
            ("url", &["/elsewhere"], &[""]),
        ] {
            let name = format!("target.nas.{key}");
            let (_, setting) = target_setting(&name).unwrap().unwrap();
            for text in valid {
                set(&mut document, &name, text).unwrap();
                assert_eq!(document.target("nas").unwrap().unwrap().get(setting), *text);
            }
            for text in invalid {
                let error = set(&mut document, &name, text).unwrap_err();
                assert!(error.to_string().ends_with(&format!("` for `{name}`")), "{error}");
            }
        }
        assert_eq!(target_setting("target.max_age").unwrap().map(|(name, _)| name), None);
        assert!(target_setting("target.nas.colour").is_err() && target_setting("target.a.b.url").is_err());
    }
}
