//! Reads and edits `config.toml`. Edits keep the comments, the order and the spacing of the file.

use std::ops::Range;
use std::path::{Path, PathBuf};

use toml_edit::{Document as Toml, Item, Table, TableLike, Value};

use crate::environment::Durability;
use crate::error::{Error, ErrorKind, Result};
use crate::fs;
use crate::metadata::Kind as FileKind;

use super::keys::Kind;
use super::{Config, Converter, KEYS, Key, Source, TargetSettings, key};

/// The table of commands that convert files to text. Its keys are patterns.
const CONVERTERS: &str = "diff";

/// The table of targets, each of which is a table.
const TARGETS: &str = "target.";

/// The text of a settings file. Reading the settings from it checks them.
#[derive(Clone, Debug)]
pub struct Document {
    path: PathBuf,
    /// Whose file it is.
    source: Source,
    pub(super) text: String,
}

/// What a file sets.
#[derive(Default)]
pub struct Applied {
    /// Names of the settings with a valid value.
    pub keys: Vec<&'static str>,
    /// Targets with a valid table.
    pub targets: Vec<TargetSettings>,
    /// Unknown keys and invalid values.
    pub problems: Vec<Error>,
    /// Settings of a repository that only the user's file may have. They have no effect.
    pub ignored: Vec<Error>,
}

/// A value in the file.
struct Setting<'t> {
    /// Table and key, such as `store.compression`. For an unknown table: its name.
    name: String,
    key_span: Range<usize>,
    item: &'t Item,
}

impl Document {
    /// Reads the file. A missing file is an empty document.
    pub fn open(path: &Path, source: Source) -> Result<Document> {
        let bytes = fs::read(path)?.unwrap_or_default();
        let text = String::from_utf8(bytes)
            .map_err(|_| Error::new(ErrorKind::Usage, format!("`{}` is not UTF-8", path.display())))?;
        Ok(Document { path: path.to_owned(), source, text })
    }

    /// The settings of this file alone. Fails with [`ErrorKind::Usage`] on an unknown key or an invalid value.
    pub fn config(&self) -> Result<Config> {
        let mut config = Config::default();
        match self.apply(&mut config)?.problems.into_iter().next() {
            Some(problem) => Err(problem),
            None => Ok(config),
        }
    }

    /// Writes the valid values of the file into `config`. Fails if the file is not TOML.
    pub fn apply(&self, config: &mut Config) -> Result<Applied> {
        let mut applied = Applied::default();
        for setting in settings(&self.parse()?) {
            if let Some(pattern) = setting.name.strip_prefix(CONVERTERS).and_then(|rest| rest.strip_prefix('.')) {
                match self.converter(pattern, &setting) {
                    Ok(converter) => config.converters.push(converter),
                    Err(problem) => applied.problems.push(problem),
                }
                continue;
            }
            if let Some(name) = setting.name.strip_prefix(TARGETS)
                && let Some(table) = setting.item.as_table_like()
            {
                match TargetSettings::read(name, table) {
                    Ok(target) => {
                        config.targets.retain(|other| other.name != target.name);
                        config.targets.push(target.clone());
                        applied.targets.push(target);
                    }
                    Err(problem) => applied.problems.push(self.at(problem, setting.key_span.start)),
                }
                continue;
            }
            if let Some(ignored) = self.user_only(&setting) {
                applied.ignored.push(ignored);
                continue;
            }
            match self.apply_setting(setting, config) {
                Ok(key) => applied.keys.push(key.name),
                Err(problem) => applied.problems.push(problem),
            }
        }
        Ok(applied)
    }

    /// A command that converts files. Only the user's file may name programs: with a repository that was copied from elsewhere,
    /// `undo diff` must not run programs of its author.
    fn converter(&self, pattern: &str, setting: &Setting<'_>) -> Result<Converter> {
        if self.source != Source::User {
            let message = "`[diff]` names programs and is read only from the user's settings";
            let error = Error::new(ErrorKind::Usage, message)
                .hint("move the table into `~/.config/undo/config.toml` if you trust its commands");
            return Err(self.at(error, setting.key_span.start));
        }
        let command = setting.item.as_str().ok_or_else(|| {
            let message = format!("`{}` is not text in quotes", setting.name.escape_debug());
            Error::new(ErrorKind::Usage, message).hint("a command, such as: \"*.pdf\" = \"pdftotext - -\"")
        });
        let converter = command.and_then(|command| Converter::new(pattern, command));
        converter.map_err(|error| self.at(error, setting.key_span.start))
    }

    /// The warning about a setting that must not be in the file of a repository, which may have been copied from elsewhere.
    fn user_only(&self, setting: &Setting<'_>) -> Option<Error> {
        if self.source != Source::Repository {
            return None;
        }
        let error = key(&setting.name).ok()?.check_file(self.source).err()?;
        Some(self.at(error.context("a setting of the repository is ignored"), setting.key_span.start))
    }

    fn apply_setting(&self, setting: Setting<'_>, config: &mut Config) -> Result<&'static Key> {
        let key = key(&setting.name).and_then(|key| key.check_file(self.source).map(|()| key));
        let key = key.map_err(|error| self.at(error, setting.key_span.start))?;
        let value_span = setting.item.span().unwrap_or(setting.key_span);
        let value = match key.kind {
            Kind::Text => setting.item.as_str().map(str::to_owned),
            Kind::Bool => setting.item.as_bool().map(|value| value.to_string()),
        };
        let set = match value {
            Some(value) => config.put(key, &value),
            None => Err(wrong_type(key, setting.item.as_str().unwrap_or(&self.text[value_span.clone()]))),
        };
        set.map(|()| key).map_err(|error| self.at(error, value_span.start))
    }

    /// Path of the file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Sets a value, in the place where the file has it or at the end of its table.
    pub fn set(&mut self, name: &str, text: &str) -> Result<()> {
        let key = key(name)?;
        key.check_file(self.source)?;
        let mut config = Config::default();
        self.apply(&mut config)?;
        config.put(key, text)?;
        let value = match key.kind {
            Kind::Bool => Value::from(text == "true"),
            Kind::Text => Value::from(text),
        };
        let (table, name) = key.path();
        let mut toml = self.parse()?.into_mut();
        if !toml.contains_key(table) {
            // A comment at the end of the file stays above the new table.
            let mut added = Table::new();
            let trailing = toml.trailing().as_str().unwrap_or_default().to_owned();
            if !trailing.is_empty() {
                let newline = if trailing.ends_with('\n') { "\n" } else { "\n\n" };
                added.decor_mut().set_prefix(trailing + newline);
                toml.set_trailing("");
            }
            toml.insert(table, Item::Table(added));
        }
        let Some(table) = toml[table].as_table_like_mut() else { return self.config().map(drop) };
        put_value(table, name, value);
        self.text = toml.to_string();
        Ok(())
    }

    /// Removes a value, which restores the default. Returns `false` if it was not set.
    pub fn unset(&mut self, name: &str) -> Result<bool> {
        let key = key(name)?;
        let toml = self.parse()?;
        let Some(setting) = settings(&toml).into_iter().find(|setting| setting.name == key.name) else {
            return Ok(false);
        };
        let (table, name) = key.path();
        if toml[table].is_inline_table() {
            let mut toml = self.parse()?.into_mut();
            toml[table].as_table_like_mut().and_then(|table| table.remove(name));
            self.text = toml.to_string();
        } else {
            let end = setting.item.span().map_or(setting.key_span.end, |span| span.end);
            self.text = without_lines(&self.text, setting.key_span.start..end);
        }
        Ok(true)
    }

    /// Fails unless the file is TOML.
    pub fn check_editable(&self) -> Result<()> {
        self.parse().map(drop).map_err(|_| {
            let message = format!("`{}` is not TOML, so its settings cannot be changed", self.path.display());
            Error::new(ErrorKind::Usage, message).hint("correct the file with a text editor")
        })
    }

    /// Writes the file, unless it has more invalid settings than before. A link to a file stays a link.
    pub fn save(&self, durability: Durability) -> Result<()> {
        let problems = |document: &Document| document.apply(&mut Config::default()).map(|applied| applied.problems);
        let before = problems(&Document::open(&self.path, self.source)?).map_or(0, |problems| problems.len());
        let mut now = problems(self)?;
        if now.len() > before {
            return Err(now.swap_remove(0));
        }
        let is_link = fs::stat(&self.path)?.is_some_and(|stat| stat.kind == FileKind::Symlink);
        let target = if is_link { fs::canonicalize(&self.path)? } else { self.path.clone() };
        fs::write_atomic(&target, [&self.text], durability)
    }

    pub(super) fn parse(&self) -> Result<Toml<&str>> {
        Toml::parse(self.text.as_str()).map_err(|error| {
            let message = error.message().trim_end_matches('.');
            let invalid = Error::new(ErrorKind::Usage, format!("not TOML: {message}"));
            self.at(invalid, error.span().map_or(0, |span| span.start)).hint("correct it with a text editor")
        })
    }

    /// Adds the file and the line to an error.
    fn at(&self, error: Error, offset: usize) -> Error {
        let line = 1 + self.text.bytes().take(offset).filter(|&byte| byte == b'\n').count();
        error.context(format!("`{}` line {line}", self.path.display()))
    }
}

/// Sets a value in a table. An old value keeps its place and its comment.
pub(super) fn put_value(table: &mut dyn TableLike, name: &str, mut value: Value) {
    match table.get_mut(name).and_then(Item::as_value_mut) {
        Some(old) => {
            *value.decor_mut() = old.decor().clone();
            *old = value;
        }
        None => {
            table.insert(name, Item::Value(value));
        }
    }
}

/// A text without the lines of a value. Removing a value from its table would also remove the comments above it, which may belong
/// to the whole file.
pub(super) fn without_lines(text: &str, value: Range<usize>) -> String {
    let start = text[..value.start].rfind('\n').map_or(0, |newline| newline + 1);
    let end = text[value.end..].find('\n').map_or(text.len(), |newline| value.end + newline + 1);
    [&text[..start], &text[end..]].concat()
}

fn wrong_type(key: &Key, found: &str) -> Error {
    let values = match key.kind {
        Kind::Bool => key.values.to_owned(),
        Kind::Text => format!("{}, in quotes", key.values),
    };
    Error::new(ErrorKind::Usage, format!("invalid value `{found}` for `{}`", key.name))
        .hint(format!("valid values: {values}"))
}

/// All values, in the order of the file. An unknown table counts as one value; an empty known table as none.
fn settings<'t>(toml: &'t Toml<&str>) -> Vec<Setting<'t>> {
    let setting = |name: String, key: Option<&toml_edit::Key>, item| {
        let key_span = key.and_then(|key| key.span()).unwrap_or_default();
        Setting { name, key_span, item }
    };
    let mut settings = Vec::new();
    for (table, item) in toml.iter() {
        let is_known = table == CONVERTERS || KEYS.iter().any(|key| key.path().0 == table);
        match item.as_table_like().filter(|_| is_known) {
            Some(below) => {
                let named = |(name, value)| setting(format!("{table}.{name}"), below.key(name), value);
                settings.extend(below.iter().map(named));
            }
            None => settings.push(setting(table.to_owned(), toml.key(table), item)),
        }
    }
    settings.sort_by_key(|setting| setting.key_span.start);
    settings
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::Compression;

    fn document(text: &str) -> Document {
        Document { path: "config.toml".into(), source: Source::Repository, text: text.into() }
    }

    #[test]
    fn config_errors_name_line_key_and_valid_values() {
        for (text, message, hint) in [
            (
                "[store]\ncompresion = 'x'\n",
                "`config.toml` line 2: no setting `store.compresion`",
                "valid settings: agent.",
            ),
            ("[stor]\na = 1\n", "`config.toml` line 1: no setting `stor`", "valid settings: agent."),
            ("store = 1", "`config.toml` line 1: no setting `store`", "valid settings: agent."),
            (
                "[store]\n\ncompression = 'lz4'",
                "line 3: invalid value `lz4` for `store.compression`",
                "valid values: stored",
            ),
            (
                "worktree.cross_mounts = 'yes'",
                "invalid value `yes` for `worktree.cross_mounts`",
                "valid values: true, false",
            ),
            ("user.name = 5", "invalid value `5` for `user.name`", "valid values: text, in quotes"),
            ("[store\n", "`config.toml` line 1: not TOML:", "correct it"),
            (
                "[target.nas]\nurl = '/nas'\nautomatic = 'commit'",
                "`config.toml` line 1: no setting `target.nas.automatic`",
                "valid settings of a target: auto, connections,",
            ),
            (
                "[target.nas]\nurl = '/nas'\nconnections = '4'",
                "`config.toml` line 1: invalid value `4` for `target.nas.connections`",
                "valid values: 1 to 64, without quotes",
            ),
            ("[diff]\n'*.x' = 'rm x'", "line 2: `[diff]` names programs", "move the table"),
        ] {
            let error = document(text).config().unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Usage);
            assert!(error.to_string().contains(message), "{error}");
            assert!(error.hint_text().unwrap().starts_with(hint), "{error:?}");
        }
    }

    #[test]
    fn only_the_users_file_names_programs() {
        let text = "[diff]\n'*.x' = 'cat'\n'*.y' = 1\n";
        let mut config = Config::default();
        assert_eq!(document(text).apply(&mut config).unwrap().problems.len(), 2);
        assert_eq!(config.converters, []);
        let user = Document { source: Source::User, ..document(text) };
        let problems = user.apply(&mut config).unwrap().problems;
        assert_eq!(config.converters.len(), 1);
        assert!(problems[0].to_string().contains("line 3: `diff.*.y` is not text"), "{problems:?}");
    }

    #[test]
    fn settings_of_one_repository_are_rejected_in_the_users_file() {
        let text = "store.shared = 'group'\nuser.name = 'Ada'\nworktree.cross_mounts = true\n";
        let user = Document { source: Source::User, ..document(text) };
        let mut config = Config::default();
        let applied = user.apply(&mut config).unwrap();
        let problems: Vec<_> = applied.problems.iter().map(ToString::to_string).collect();
        let reason = "belongs to one repository and cannot be set user-wide";
        let expected = [(1, "store.shared"), (3, "worktree.cross_mounts")];
        assert_eq!(problems, expected.map(|(line, key)| format!("`config.toml` line {line}: `{key}` {reason}")));
        assert_eq!(config, Config { author: "Ada".into(), ..Config::default() });
        assert!(document("").set("store.shared", "group").is_ok());
        let error = Document { source: Source::User, ..document("") }.set("store.shared", "group").unwrap_err();
        assert_eq!(error.hint_text().unwrap(), "to set it: undo config store.shared VALUE");
    }

    #[test]
    fn config_reads_every_table_syntax() {
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
    fn set_and_unset_keep_comments_and_order() {
        let text = "# mine\n[worktree]\ncross_mounts = false # no\n\n[user]   # me\n# end";
        let mut document = document(text);
        document.set("worktree.cross_mounts", "true").unwrap();
        document.set("user.name", "A \"B\" # C").unwrap();
        document.set("store.compression", "zstd:3").unwrap();
        let expected = "# mine\n[worktree]\ncross_mounts = true # no\n\n[user]   # me\nname = 'A \"B\" # C'\n# end\n\n\
                        [store]\ncompression = \"zstd:3\"\n";
        assert_eq!(document.text, expected);
        assert!(document.unset("worktree.cross_mounts").unwrap() && !document.unset("worktree.cross_mounts").unwrap());
        let applied = document.apply(&mut Config::default()).unwrap();
        assert_eq!(applied.keys, ["user.name", "store.compression"]);
        assert!(document.text.starts_with("# mine\n[worktree]\n\n[user]"), "{}", document.text);
        assert_eq!(document.config().unwrap().get("user.name").unwrap(), "A \"B\" # C");
    }

    #[test]
    fn set_handles_inline_tables_and_dotted_keys() {
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
    fn set_and_unset_edit_empty_and_single_line_tables() {
        let mut text = document("user = { name = 'a' }\nstore = {}\n");
        text.set("store.compression", "zstd:2").unwrap();
        assert_eq!(text.text, "user = { name = 'a' }\nstore = { compression = \"zstd:2\" }\n");
        assert!(text.unset("store.compression").unwrap());
        assert_eq!(text.config().unwrap(), Config { author: "a".into(), ..Config::default() });
        let mut wrong = document("store = 1\n");
        assert!(wrong.set("store.compression", "zstd:2").is_err() && wrong.unset("store.compression").is_ok());
        assert_eq!(wrong.text, "store = 1\n");
    }

    #[test]
    fn save_rejects_invalid_settings() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("config.toml");
        let mut document = Document::open(&path, Source::Repository).unwrap();
        document.set("user.name", "Ada").unwrap();
        document.save(Durability::Synced).unwrap();
        assert_eq!(Document::open(&path, Source::Repository).unwrap().config().unwrap().author, "Ada");
        let wrong = Document { text: "a = 1".into(), ..document };
        assert!(wrong.save(Durability::Synced).is_err());
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "[user]\nname = \"Ada\"\n");
    }
}
