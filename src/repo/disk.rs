//! Measures the files of a repository other than its packs, and finds packs by name.

use std::path::Path;

use crate::error::{Error, ErrorKind, Result};
use crate::fs::{self, Dir, Stat};
use crate::id::{IdPrefix, PackId};
use crate::metadata::Kind;
use crate::repo::Repository;

/// Sizes of files other than the packs that the journal names.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Usage {
    /// Size of the journal in bytes.
    pub journal: u64,
    /// Number of files below `packs` that the journal does not name: not deleted yet, or from elsewhere.
    pub garbage: u64,
    /// Size of these files in bytes.
    pub garbage_bytes: u64,
}

impl Repository {
    /// Measures the files.
    pub fn usage(&self) -> Result<Usage> {
        let mut usage = Usage::default();
        each_file(&self.layout.journal(), &mut |_, bytes| usage.journal += bytes)?;
        let mut garbage = |name: &[u8], bytes| {
            let id = std::str::from_utf8(name).ok().and_then(PackId::parse);
            if id.is_none_or(|id| !self.state.packs.contains(&id)) {
                usage.garbage += 1;
                usage.garbage_bytes += bytes;
            }
        };
        each_file(&self.layout.packs(), &mut garbage)?;
        Ok(usage)
    }

    /// Finds a pack by its id, the first digits of its id, or the path of its file.
    pub fn find_pack(&self, text: &str, place: &Path) -> Result<PackId> {
        let name = place.file_name().and_then(|name| name.to_str()).and_then(PackId::parse);
        if let Some(id) = name.filter(|_| text.contains('/')) {
            let is_here = |path: &Path| fs::canonicalize(path).ok() == fs::canonicalize(&self.layout.pack(id)).ok();
            return if is_here(place) { Ok(id) } else { Err(no_pack(text)) };
        }
        let Some(prefix) = IdPrefix::parse(text) else { return Err(no_pack(text)) };
        let mut found = self.state.packs.iter().filter(|id| prefix.matches(&id.0));
        match (found.next(), found.next()) {
            (Some(id), None) => Ok(*id),
            (None, _) => Err(no_pack(text)),
            _ => {
                Err(Error::new(ErrorKind::Ambiguous, format!("`{text}` matches several packs")).hint("use more digits"))
            }
        }
    }
}

fn no_pack(text: &str) -> Error {
    Error::new(ErrorKind::NotFound, format!("no pack `{}` in this repository", text.escape_debug()))
        .hint("to list packs: undo verify-pack")
}

/// Receives the folder, name and stat of a file or folder.
type Visitor<'v> = dyn FnMut(&Dir, &[u8], &Stat) -> Result<()> + 'v;

/// Calls `visit` with the folder, name and stat of everything below a folder, folders before their content. Skips what is
/// deleted meanwhile.
pub(super) fn walk(folder: &Dir, visit: &mut Visitor<'_>) -> Result<()> {
    for entry in folder.entries()? {
        let Some(stat) = folder.stat(&entry.name)? else { continue };
        let mut visit_below = || {
            visit(folder, &entry.name, &stat)?;
            if stat.kind == Kind::Directory { walk(&folder.open_dir(&entry.name)?, visit) } else { Ok(()) }
        };
        match visit_below() {
            Err(error) if fs::is_gone(&error) => {}
            result => result?,
        }
    }
    Ok(())
}

/// Calls `report` with name and size of every file below a folder.
fn each_file(directory: &Path, report: &mut dyn FnMut(&[u8], u64)) -> Result<()> {
    let opened = match Dir::open(directory) {
        Err(error) if error.is_not_found() => return Ok(()),
        opened => opened?,
    };
    walk(&opened, &mut |_, name, stat| {
        if stat.kind != Kind::Directory {
            report(name, stat.size);
        }
        Ok(())
    })
}
