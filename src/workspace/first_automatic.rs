//! Limits that protect from automatic commits of directories that are recorded by mistake: the first one needs a decision of the
//! user in the root, a home directory or the root of a mount, and above a size.
//!
//! The decision is asked for once. A commit by hand permits automatic ones.

use crate::environment::Durability;
use crate::error::{Error, ErrorKind, Result};
use crate::fs::{self, WideRoot};
use crate::number::{Count, Size, plural};
use crate::object::{Content, Objects};
use crate::progress::Progress;
use crate::quote::shell_word;
use crate::repo::Repository;
use crate::worktree::scan::{self, Scan};
use crate::worktree::sink::CountSink;
use crate::worktree::{Index, Overlay, Worktree};

/// Maximum number and size of the files that the first automatic commit records without a decision of the user.
const FILES: u64 = 200_000;
const BYTES: u64 = 2 << 30;

/// Number of folders that are named.
const FOLDERS: usize = 5;

/// Begins the marker of a directory that needs a decision. The rest identifies the rules that were in force.
const ASKED: &str = "asked ";

/// Marker of a directory within the limits.
const SMALL: &str = "small\n";

/// [`ErrorKind::Refused`] if the directory needs a decision of the user. Returns `false` if the user was asked before.
pub(super) fn check(repository: &Repository, worktree: &Worktree, progress: &dyn Progress) -> Result<bool> {
    if repository.view().at().is_some() || !repository.view().heads.is_empty() {
        return Ok(true);
    }
    let path = repository.layout.first_automatic();
    let asked = format!("{ASKED}{}\n", rules_state(worktree)?);
    let marker = fs::read(&path)?.unwrap_or_default();
    if marker == asked.as_bytes() || marker == SMALL.as_bytes() {
        return Ok(marker == SMALL.as_bytes());
    }
    let refusal = match refuse_place(worktree)? {
        Some(refusal) => Some(refusal),
        None => refuse_size(repository, worktree, progress)?,
    };
    let marker = if refusal.is_some() { &asked } else { SMALL };
    // Without the marker, the user is asked again.
    let _ = fs::write_atomic(&path, [marker], Durability::NoSync);
    refusal.map_or(Ok(true), Err)
}

/// Changes when the rules at the root change.
fn rules_state(worktree: &Worktree) -> Result<String> {
    let stat = worktree.root.stat(b".undoignore")?;
    Ok(stat.map_or_else(|| "no rules".to_owned(), |stat| stat.ctime.to_decimal()))
}

fn refuse_place(worktree: &Worktree) -> Result<Option<Error>> {
    let place = match fs::wide_root(&worktree.path)? {
        Some(WideRoot::System) => "the root directory",
        Some(WideRoot::Home) => "a home directory",
        Some(WideRoot::FileSystem) => "the root of a file system",
        None => return Ok(None),
    };
    let message = format!("`{}` is {place}, which is not recorded automatically", worktree.path.display());
    Ok(Some(Error::new(ErrorKind::Refused, message).hint("to permit it, record it once by hand: undo commit")))
}

fn refuse_size(repository: &Repository, worktree: &Worktree, progress: &dyn Progress) -> Result<Option<Error>> {
    let (index, options) = (Index::empty(), scan::Options::default());
    let scan = scan::scan(worktree, repository.store(), &index, &options, &|| CountSink, progress)?;
    if scan.totals.files <= FILES && scan.totals.bytes <= BYTES {
        return Ok(None);
    }
    let folders = largest_folders(repository, &scan)?;
    let described = folders.iter().map(|(name, entries, bytes)| {
        format!("{} ({}, {})", shell_word(name), plural(*entries, "entry"), Size(*bytes))
    });
    let described: Vec<String> = described.collect();
    let message = format!(
        "the first automatic commit would record {} files with {}, more than {} files or {}; the largest folders are {}",
        Count(scan.totals.files),
        Size(scan.totals.bytes),
        Count(FILES),
        Size(BYTES),
        described.join(", "),
    );
    let lines = folders.iter().map(|(name, ..)| format!("/{}/", String::from_utf8_lossy(name)));
    let hint = format!(
        "to leave folders out, add lines to `.undoignore`: {}; to permit it, record it once by hand: undo commit",
        lines.collect::<Vec<_>>().join(" "),
    );
    Ok(Some(Error::new(ErrorKind::Refused, message).hint(hint)))
}

/// Names of the largest folders at the root, with the number of entries and bytes in them.
fn largest_folders(repository: &Repository, scan: &Scan) -> Result<Vec<(Vec<u8>, u64, u64)>> {
    let objects = Overlay { below: repository.store(), objects: &scan.objects };
    let Some(tree) = scan.root.tree() else { return Ok(Vec::new()) };
    let mut folders: Vec<(Vec<u8>, u64, u64)> = Vec::new();
    for entry in objects.tree(tree)?.entries {
        if let Content::Directory { entries, size, .. } = entry.content {
            folders.push((entry.name, entries, size));
        }
    }
    folders.sort_by_key(|(_, entries, size)| std::cmp::Reverse((*size, *entries)));
    folders.truncate(FOLDERS);
    Ok(folders)
}
