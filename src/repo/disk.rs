//! Walks the files of a repository, and finds packs by name.

use std::path::Path;

use crate::error::{Error, ErrorKind, Result};
use crate::fs::{self, Dir, Stat};
use crate::id::{IdPrefix, PackId};
use crate::metadata::Kind;
use crate::repo::Repository;

impl Repository {
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
pub type Visitor<'v> = dyn FnMut(&Dir, &[u8], &Stat) -> Result<()> + 'v;

/// Calls `visit` with the folder, name and stat of everything below a folder, folders before their content. Skips what is
/// deleted meanwhile.
pub fn walk(folder: &Dir, visit: &mut Visitor<'_>) -> Result<()> {
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
