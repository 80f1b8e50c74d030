//! Parses the input of `mktree` and `mklinks`: entries and groups of hard links. Errors name the line.

use std::cell::OnceCell;
use std::collections::HashSet;

use crate::error::{Error, ErrorKind, Result};
use crate::object::{Entry, Links, entry_line};
use crate::path::RepoPathBuf;
use crate::plumbing::records::Place;
use crate::quote::unquote;

/// Reads and counts records.
pub struct Lines<'r> {
    records: &'r mut dyn Iterator<Item = Result<Vec<u8>>>,
    /// Whether records are NUL-terminated, with unquoted names.
    is_raw: bool,
    number: u64,
}

/// The entries of a tree, and their places in the input.
pub type TreeLines = Vec<(Place, Entry)>;

impl<'r> Lines<'r> {
    /// Reads lines, or with `is_raw` NUL-terminated records.
    pub fn new(records: &'r mut dyn Iterator<Item = Result<Vec<u8>>>, is_raw: bool) -> Lines<'r> {
        Lines { records, is_raw, number: 0 }
    }

    fn next(&mut self) -> Result<Option<Vec<u8>>> {
        let record = self.records.next().transpose()?;
        self.number += u64::from(record.is_some());
        Ok(record)
    }

    fn place(&self) -> Place {
        Place::new(self.is_raw, self.number)
    }

    /// Reads all entries.
    pub fn tree(&mut self) -> Result<TreeLines> {
        let mut entries = Vec::new();
        while let Some(record) = self.next()? {
            entries.push(self.entry(&record)?);
        }
        Ok(entries)
    }

    /// Reads the entries up to an empty record; `None` at the end.
    pub fn next_tree(&mut self) -> Result<Option<TreeLines>> {
        let mut entries = Vec::new();
        while let Some(record) = self.next()? {
            if record.is_empty() {
                return Ok(Some(entries));
            }
            entries.push(self.entry(&record)?);
        }
        Ok(Some(entries).filter(|entries| !entries.is_empty()))
    }

    fn entry(&mut self, record: &[u8]) -> Result<(Place, Entry)> {
        let place = self.place();
        if !self.is_raw {
            return entry_line::parse(record).map(|entry| (place, entry)).map_err(|error| error.context(place));
        }
        let (target, failure) = (OnceCell::new(), OnceCell::new());
        let entry = entry_line::parse_raw(record, || match self.next() {
            Ok(record) => record.map(|record| &**target.get_or_init(|| record)),
            Err(error) => {
                let _ = failure.set(error);
                None
            }
        });
        match failure.into_inner() {
            Some(failure) => Err(failure),
            None => entry.map(|entry| (place, entry)).map_err(|error| error.context(place)),
        }
    }

    /// Reads all groups: one per line, or with `is_raw` terminated by an empty name.
    pub fn groups(&mut self) -> Result<Links> {
        let mut groups = Groups::default();
        while let Some(record) = self.next()? {
            let place = self.place();
            let names =
                if self.is_raw { self.raw_names(record)? } else { words(&record).map_err(|it| it.context(place))? };
            groups.add(&names).map_err(|error| error.context(place))?;
        }
        groups.groups.sort();
        Ok(Links { groups: groups.groups })
    }

    fn raw_names(&mut self, first: Vec<u8>) -> Result<Vec<Vec<u8>>> {
        let mut names = Vec::new();
        let mut next = Some(first);
        while let Some(name) = next.filter(|name| !name.is_empty()) {
            names.push(name);
            next = self.next()?;
        }
        Ok(names)
    }
}

fn words(line: &[u8]) -> Result<Vec<Vec<u8>>> {
    let word = |word: &[u8]| unquote(word).map(|name| name.into_owned());
    let words: Option<_> = line.split(|&byte| byte == b'\t').map(word).collect();
    words.ok_or_else(|| malformed("a quoted name is malformed"))
}

/// Collects the groups of a table of hard links.
#[derive(Default)]
struct Groups {
    groups: Vec<Vec<RepoPathBuf>>,
    seen: HashSet<RepoPathBuf>,
}

impl Groups {
    /// Adds the names of one file. [`ErrorKind::Usage`] for fewer than two names, invalid paths or duplicates.
    fn add(&mut self, names: &[impl AsRef<[u8]>]) -> Result<()> {
        let mut group = Vec::with_capacity(names.len());
        for name in names {
            let shown = String::from_utf8_lossy(name.as_ref()).into_owned();
            let path = RepoPathBuf::new(name.as_ref().to_vec()).filter(|path| !path.is_root());
            let path = path.ok_or_else(|| malformed(&format!("`{}` is not a valid path", shown.escape_debug())))?;
            if !self.seen.insert(path.clone()) {
                return Err(malformed(&format!("`{}` already exists", shown.escape_debug())));
            }
            group.push(path);
        }
        if group.len() < 2 {
            return Err(malformed("a file with hard links has two names or more"));
        }
        group.sort();
        self.groups.push(group);
        Ok(())
    }
}

fn malformed(why: &str) -> Error {
    Error::new(ErrorKind::Usage, format!("malformed group: {why}"))
        .hint("a line has the names of one file, with a TAB between them")
}
