//! The paths that the operands of a command stand for, with patterns expanded.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use crate::error::Result;
use crate::fs::{Dir, DirEntry};
use crate::metadata::Kind;
use crate::path::glob::{Glob, Slashes};
use crate::path::selection::is_pattern;
use crate::progress::deadline::Deadline;
use crate::shell::Operand;

/// A path that an operand stands for. It need not exist.
#[derive(Clone, Debug)]
pub(super) struct OperandPath {
    pub path: PathBuf,
    /// Kind of the entry itself, if a listing of its directory says so.
    pub kind: Option<Kind>,
}

/// The paths that operands stand for, once each, sorted. `dotfiles`: patterns match names that begin with a dot, too.
pub(super) fn expand_all(
    bases: &[PathBuf],
    operands: &[Operand],
    dotfiles: bool,
    deadline: Deadline,
) -> Result<Vec<OperandPath>> {
    let mut paths = Vec::new();
    for base in bases {
        for operand in operands {
            paths.extend(expand(base, operand, dotfiles, deadline)?);
        }
    }
    paths.sort_unstable_by(|a, b| a.path.cmp(&b.path));
    paths.dedup_by(|a, b| a.path == b.path);
    Ok(paths)
}

fn expand(base: &Path, operand: &Operand, dotfiles: bool, deadline: Deadline) -> Result<Vec<OperandPath>> {
    let pattern = match operand {
        Operand::Path(path) => {
            return Ok(vec![OperandPath { path: base.join(OsStr::from_bytes(path)), kind: None }]);
        }
        Operand::Pattern(pattern) => pattern,
        Operand::Beginning(_) | Operand::Unknown => return Ok(Vec::new()),
    };
    let start = if pattern.starts_with(b"/") { Path::new("/") } else { base };
    let mut matching = vec![OperandPath { path: start.to_owned(), kind: Some(Kind::Directory) }];
    for component in pattern.split(|&byte| byte == b'/').filter(|component| !component.is_empty()) {
        let mut below = Vec::new();
        for path in matching {
            deadline.check()?;
            if matches!(path.kind, None | Some(Kind::Directory | Kind::Symlink)) {
                below.extend(entries_matching(&path.path, component, dotfiles));
            }
        }
        matching = below;
    }
    if pattern.ends_with(b"/") {
        // Programs then follow a link.
        matching.iter_mut().for_each(|one| one.path.push(""));
    }
    Ok(matching)
}

/// The directory in which everything lies that an operand may stand for, if the operand says only where its path begins.
pub(super) fn beginning(base: &Path, operand: &Operand) -> Option<PathBuf> {
    let (Operand::Pattern(text) | Operand::Beginning(text)) = operand else { return None };
    let components = text.split_inclusive(|&byte| byte == b'/').take_while(|component| component.ends_with(b"/"));
    let literal: Vec<u8> = components.take_while(|component| !is_pattern(component)).flatten().copied().collect();
    Some(base.join(OsStr::from_bytes(&literal)))
}

/// The entries of a directory that match one component of a pattern. As in shells, names that begin with a dot match only a pattern
/// that does so, too, unless `dotfiles` is set.
fn entries_matching(directory: &Path, component: &[u8], dotfiles: bool) -> Vec<OperandPath> {
    let below = |name: &[u8], kind| OperandPath { path: directory.join(OsStr::from_bytes(name)), kind };
    let glob = is_pattern(component).then(|| Glob::parse(component, Slashes::Separate).ok()).flatten();
    let Some(glob) = glob else { return vec![below(component, None)] };
    let is_shown = |name: &[u8]| dotfiles || !name.starts_with(b".") || component.starts_with(b".");
    let entries = entries(directory).into_iter().filter(|entry| is_shown(&entry.name) && glob.matches(&entry.name));
    entries.map(|entry| below(&entry.name, entry.kind)).collect()
}

/// The entries of a directory. Empty if it cannot be listed: then nothing below it is known.
pub(super) fn entries(directory: &Path) -> Vec<DirEntry> {
    Dir::open(directory).and_then(|directory| directory.entries()).unwrap_or_default()
}
