//! The text of `config.toml`: read with the place of every value, so that a change leaves all other bytes, comments and
//! order as they are.

use std::ops::Range;
use std::path::{Path, PathBuf};

use toml::Value;
use toml::de::{DeTable, DeValue};

use crate::error::{Error, ErrorKind, Result};
use crate::fs;

use super::{Config, Key, Kind, key};

/// The file, read but not yet believed.
#[derive(Clone, Debug)]
pub struct Document {
    path: PathBuf,
    text: String,
}

/// One value that is set: its name, where its name and itself stand in the text, and itself as text.
struct Setting {
    name: String,
    place: Range<usize>,
    value: Range<usize>,
    text: String,
    kind: Option<Kind>,
}

impl Document {
    /// Reads the file; empty if it is not there.
    pub fn open(path: &Path) -> Result<Document> {
        let bytes = fs::read(path)?.unwrap_or_default();
        let text = String::from_utf8(bytes)
            .map_err(|_| Error::new(ErrorKind::Usage, format!("`{}` is not UTF-8", path.display())))?;
        Ok(Document { path: path.to_owned(), text })
    }

    /// The settings; [`ErrorKind::Usage`] for a key or a value that there is not.
    pub fn config(&self) -> Result<Config> {
        let mut config = Config::default();
        for setting in self.settings()? {
            let key = key(&setting.name).map_err(|error| self.located(error, setting.place.start))?;
            if setting.kind != Some(key.kind) {
                let wrong = Error::new(ErrorKind::Usage, format!("`{}` cannot be `{}`", key.name, setting.text))
                    .hint(format!("it can be: {}", quoted(key)));
                return Err(self.located(wrong, setting.value.start));
            }
            config.put(key, &setting.text).map_err(|error| self.located(error, setting.value.start))?;
        }
        Ok(config)
    }

    /// Whether a value is set, be it the default.
    pub fn is_set(&self, name: &str) -> Result<bool> {
        let key = key(name)?;
        Ok(self.settings()?.iter().any(|setting| setting.name == key.name))
    }

    /// Sets a value, where it stands or in its table.
    pub fn set(&mut self, name: &str, text: &str) -> Result<()> {
        let key = key(name)?;
        let mut wanted = self.config()?;
        wanted.put(key, text)?;
        let value = match key.kind {
            Kind::Bool => text.to_owned(),
            Kind::Text => Value::from(text).to_string(),
        };
        let place = self.settings()?.into_iter().find(|setting| setting.name == key.name);
        let attempts = match place {
            Some(setting) => vec![self.replaced(setting.value, &value)],
            None => self.inserted(key, &value),
        };
        self.take_first_that_means(&wanted, attempts, key)
    }

    /// Removes a value, so that the default counts again; `false` if it was not set.
    pub fn unset(&mut self, name: &str) -> Result<bool> {
        let key = key(name)?;
        let Some(setting) = self.settings()?.into_iter().find(|setting| setting.name == key.name) else {
            return Ok(false);
        };
        let mut wanted = self.config()?;
        wanted.put(key, key.default)?;
        let start = self.text[..setting.place.start].rfind('\n').map_or(0, |newline| newline + 1);
        let end = self.text[setting.value.end..].find('\n').map_or(self.text.len(), |n| setting.value.end + n + 1);
        let attempt = self.replaced(start..end, "");
        self.take_first_that_means(&wanted, vec![attempt], key)?;
        Ok(true)
    }

    /// Writes the file, if its settings are right.
    pub fn save(&self) -> Result<()> {
        self.config()?;
        fs::write_atomic(&self.path, [&self.text], true)
    }

    /// The text with a part replaced.
    fn replaced(&self, range: Range<usize>, with: &str) -> String {
        [&self.text[..range.start], with, &self.text[range.end..]].concat()
    }

    /// Texts with a new line for the key: in its table, in a table at the end, or with a full name at the top.
    fn inserted(&self, key: &Key, value: &str) -> Vec<String> {
        let (table, name) = key.name.split_once('.').expect("every key stands in a table");
        let mut texts = Vec::new();
        let mut end = 0;
        for line in self.text.split_inclusive('\n') {
            end += line.len();
            if line.trim_start().starts_with(&format!("[{table}]")) {
                let newline = if line.ends_with('\n') { "" } else { "\n" };
                texts.push(self.replaced(end..end, &format!("{newline}{name} = {value}\n")));
            }
        }
        let gap = match self.text.as_str() {
            "" => "",
            text if text.ends_with('\n') => "\n",
            _ => "\n\n",
        };
        texts.push(format!("{}{gap}[{table}]\n{name} = {value}\n", self.text));
        texts.push(format!("{} = {value}\n{}", key.name, self.text));
        texts
    }

    /// TOML has many ways to write a thing: what counts is that the new text means what was wanted, and nothing else.
    fn take_first_that_means(&mut self, wanted: &Config, attempts: Vec<String>, key: &Key) -> Result<()> {
        for text in attempts {
            let attempt = Document { path: self.path.clone(), text };
            if attempt.config().is_ok_and(|config| config == *wanted) {
                *self = attempt;
                return Ok(());
            }
        }
        let message =
            format!("`{}` is written in a way that cannot be changed by itself: `{}`", self.path.display(), key.name);
        Err(Error::new(ErrorKind::Usage, message).hint("change it with a text editor"))
    }

    /// Every value in the text, tables opened.
    fn settings(&self) -> Result<Vec<Setting>> {
        let table = DeTable::parse(&self.text).map_err(|error| {
            let message = error.message().trim_end_matches('.').to_owned();
            let invalid = Error::new(ErrorKind::Usage, format!("not TOML: {message}"));
            self.located(invalid, error.span().map_or(0, |span| span.start)).hint("correct it with a text editor")
        })?;
        let mut settings = Vec::new();
        collect(table.get_ref(), "", &self.text, &mut settings);
        settings.sort_by_key(|setting| setting.place.start);
        Ok(settings)
    }

    /// An error with the file and the line.
    fn located(&self, error: Error, at: usize) -> Error {
        let line = 1 + self.text.bytes().take(at).filter(|&byte| byte == b'\n').count();
        error.context(format!("`{}` line {line}", self.path.display()))
    }
}

fn quoted(key: &Key) -> String {
    match key.kind {
        Kind::Bool => key.values.to_owned(),
        Kind::Text => format!("{}, in quotes", key.values),
    }
}

fn collect(table: &DeTable<'_>, above: &str, text: &str, settings: &mut Vec<Setting>) {
    for (name, value) in table {
        let full = if above.is_empty() { name.get_ref().to_string() } else { format!("{above}.{}", name.get_ref()) };
        // An unknown table is told as a whole, an empty one that is known means nothing.
        let is_known = above.is_empty() && super::KEYS.iter().any(|key| key.name.starts_with(&format!("{full}.")));
        let (shown, kind) = match value.get_ref() {
            DeValue::Table(below) if is_known => {
                collect(below, &full, text, settings);
                continue;
            }
            DeValue::String(value) => (value.to_string(), Some(Kind::Text)),
            DeValue::Boolean(value) => (value.to_string(), Some(Kind::Bool)),
            _ => (text[value.span()].to_owned(), None),
        };
        settings.push(Setting { name: full, place: name.span(), value: value.span(), text: shown, kind });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::Compression;

    fn document(text: &str) -> Document {
        Document { path: "config.toml".into(), text: text.into() }
    }

    #[test]
    fn an_unknown_key_or_value_is_named_with_its_line_and_what_there_is() {
        for (text, message, hint) in [
            ("[store]\ncompresion = 'x'\n", "`config.toml` line 2: no setting `store.compresion`", "there are: store."),
            ("[stor]\na = 1\n", "`config.toml` line 1: no setting `stor`", "there are: store."),
            ("store = 1", "`config.toml` line 1: no setting `store`", "there are: store."),
            ("[store]\n\ncompression = 'lz4'", "line 3: `store.compression` cannot be `lz4`", "it can be: stored"),
            ("worktree.cross_mounts = 'yes'", "`worktree.cross_mounts` cannot be `yes`", "it can be: true, false"),
            ("user.name = 5", "`user.name` cannot be `5`", "it can be: text, in quotes"),
            ("[store\n", "`config.toml` line 1: not TOML:", "correct it"),
        ] {
            let error = document(text).config().unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Usage);
            assert!(error.to_string().contains(message), "{error}");
            assert!(error.hint_text().unwrap().starts_with(hint), "{error:?}");
        }
    }

    #[test]
    fn every_way_to_write_a_table_is_read() {
        let expected = Config {
            compression: Compression::Deflate(6),
            cross_mounts: true,
            author: "Ada L".into(),
            ..Config::default()
        };
        for text in [
            "store.compression = 'deflate:6'\nworktree.cross_mounts = true\nuser.name = \"Ada\\u0020L\"",
            "[user]\nname = '''Ada L'''\n[store]\ncompression = \"deflate:6\"\n[worktree]\ncross_mounts = true",
            "store = { compression = 'deflate:6' }\nuser = { name = 'Ada L' }\nworktree = { cross_mounts = true }",
        ] {
            assert_eq!(document(text).config().unwrap(), expected, "{text}");
        }
        assert_eq!(document("").config().unwrap(), Config::default());
        assert_eq!(document("# only this\n[store]\n").config().unwrap(), Config::default());
    }

    #[test]
    fn changing_a_value_keeps_comments_and_order() {
        let text = "# mine\n[worktree]\ncross_mounts = false # no\n\n[user]   # me\n# end";
        let mut document = document(text);
        document.set("worktree.cross_mounts", "true").unwrap();
        document.set("user.name", "A \"B\" # C").unwrap();
        document.set("store.compression", "zstd:3").unwrap();
        let expected = "# mine\n[worktree]\ncross_mounts = true # no\n\n[user]   # me\nname = 'A \"B\" # C'\n# end\n\n\
                        [store]\ncompression = \"zstd:3\"\n";
        assert_eq!(document.text, expected);
        assert!(document.unset("worktree.cross_mounts").unwrap() && !document.unset("worktree.cross_mounts").unwrap());
        assert!(document.is_set("user.name").unwrap() && !document.is_set("worktree.cross_mounts").unwrap());
        assert!(document.text.starts_with("# mine\n[worktree]\n\n[user]"), "{}", document.text);
        assert_eq!(document.config().unwrap().get("user.name").unwrap(), "A \"B\" # C");
    }

    #[test]
    fn values_are_set_in_inline_tables_and_beside_dotted_names_too() {
        let mut inline = document("store = { compression = 'stored' } # x\n");
        inline.set("store.compression", "zstd:2").unwrap();
        assert_eq!(inline.text, "store = { compression = \"zstd:2\" } # x\n");
        let mut dotted = document("user.name = 'a'\n");
        dotted.set("worktree.cross_mounts", "true").unwrap();
        assert_eq!(dotted.text, "user.name = 'a'\n\n[worktree]\ncross_mounts = true\n");
        dotted.unset("user.name").unwrap();
        dotted.set("user.name", "b").unwrap();
        assert_eq!(dotted.config().unwrap().author, "b");
        for bad in ["zstd:99", "", "\"stored\""] {
            assert_eq!(inline.set("store.compression", bad).unwrap_err().kind(), ErrorKind::Usage);
        }
        assert_eq!(inline.set("store.colour", "red").unwrap_err().kind(), ErrorKind::Usage);
    }

    #[test]
    fn what_cannot_be_changed_safely_is_left_to_the_user() {
        let mut text = document("user = { name = 'a' }\nstore = {}\n");
        assert!(text.set("store.compression", "zstd:2").is_err());
        assert!(document("store = { compression = 'zstd:2' }\n").unset("store.compression").unwrap());
        assert_eq!(text.text, "user = { name = 'a' }\nstore = {}\n");
    }

    #[test]
    fn only_a_right_document_is_saved() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("config.toml");
        let mut document = Document::open(&path).unwrap();
        document.set("user.name", "Ada").unwrap();
        document.save().unwrap();
        assert_eq!(Config::open(&path).unwrap().author, "Ada");
        let wrong = Document { text: "a = 1".into(), ..document };
        assert!(wrong.save().is_err());
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "[user]\nname = \"Ada\"\n");
    }
}
