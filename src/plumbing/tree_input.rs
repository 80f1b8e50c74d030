//! What `mktree` and `mklinks` read: entries and groups of hard links, record by record, each error with its place.

use std::cell::OnceCell;
use std::collections::HashSet;

use crate::error::{Error, ErrorKind, Result};
use crate::object::{Entry, Links, entry_line};
use crate::path::RepoPathBuf;
use crate::quote::unquote;

/// Records, and how many came so far.
pub struct Lines<'r> {
    records: &'r mut dyn Iterator<Item = Result<Vec<u8>>>,
    /// Records are ended by NUL, and names in them are raw.
    is_raw: bool,
    number: u64,
}

/// Where an entry or a group was read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    is_raw: bool,
    number: u64,
}

impl Place {
    /// The failure of what stands here.
    pub fn failed(self, error: Error) -> Error {
        error.context(format_args!("{} {}", if self.is_raw { "record" } else { "line" }, self.number))
    }
}

/// The entries of a tree, as they were read.
pub type TreeLines = Vec<(Place, Entry)>;

impl<'r> Lines<'r> {
    /// Lines, or records that NUL ended.
    pub fn new(records: &'r mut dyn Iterator<Item = Result<Vec<u8>>>, is_raw: bool) -> Lines<'r> {
        Lines { records, is_raw, number: 0 }
    }

    fn next(&mut self) -> Result<Option<Vec<u8>>> {
        let record = self.records.next().transpose()?;
        self.number += u64::from(record.is_some());
        Ok(record)
    }

    fn place(&self) -> Place {
        Place { is_raw: self.is_raw, number: self.number }
    }

    /// All entries up to the end.
    pub fn tree(&mut self) -> Result<TreeLines> {
        let mut entries = Vec::new();
        while let Some(record) = self.next()? {
            entries.push(self.entry(&record)?);
        }
        Ok(entries)
    }

    /// The entries up to an empty record or the end; `None` if nothing is left.
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
            return entry_line::parse(record).map(|entry| (place, entry)).map_err(|error| place.failed(error));
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
            None => entry.map(|entry| (place, entry)).map_err(|error| place.failed(error)),
        }
    }

    /// All groups up to the end: a line each, or names up to an empty one.
    pub fn groups(&mut self) -> Result<Links> {
        let mut groups = Groups::default();
        while let Some(record) = self.next()? {
            let place = self.place();
            let names =
                if self.is_raw { self.raw_names(record)? } else { words(&record).map_err(|it| place.failed(it))? };
            groups.add(&names).map_err(|error| place.failed(error))?;
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

/// The groups of a table of hard links, in any order.
#[derive(Default)]
struct Groups {
    groups: Vec<Vec<RepoPathBuf>>,
    seen: HashSet<RepoPathBuf>,
}

impl Groups {
    /// Adds the names of one file. [`ErrorKind::Usage`] if they are fewer than two, are no paths, or one is there already.
    fn add(&mut self, names: &[impl AsRef<[u8]>]) -> Result<()> {
        let mut group = Vec::with_capacity(names.len());
        for name in names {
            let shown = String::from_utf8_lossy(name.as_ref()).into_owned();
            let path = RepoPathBuf::new(name.as_ref().to_vec()).filter(|path| !path.is_root());
            let path = path.ok_or_else(|| malformed(&format!("`{}` is no path", shown.escape_debug())))?;
            if !self.seen.insert(path.clone()) {
                return Err(malformed(&format!("`{}` is there already", shown.escape_debug())));
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
