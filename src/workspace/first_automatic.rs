//! Limits that protect from automatic commits of directories that are recorded by mistake: the first one needs a decision of the
//! user in the root, a home directory or the root of a mount, and above a size.
//!
//! The decision is asked for once. A manual commit allows automatic ones.

use std::cmp::Reverse;
use std::time::{Duration, Instant};

use crate::environment::Durability;
use crate::error::{Error, ErrorKind, Result};
use crate::fs::{self, WideRoot};
use crate::number::{Size, plural};
use crate::progress::Progress;
use crate::quote::{is_hidden, shell_word};
use crate::repo::Repository;
use crate::worktree::Worktree;
use crate::worktree::count::{Counted, CountedEntry, FileTotals, count};

/// Maximum number and size of the files that the first automatic commit records without a decision of the user.
const LIMIT: FileTotals = FileTotals { files: 200_000, bytes: 2 << 30 };

/// How long files are counted above a limit, to find the largest entries. A hook has 2 s for everything.
const PATIENCE: Duration = Duration::from_millis(500);

/// Number of entries at the root that are named.
const NAMED: usize = 5;

/// Begins the marker of a directory that needs a decision. The rest identifies the rules that were in force.
const ASKED: &str = "asked ";

/// Marker of a directory within the limits.
const SMALL: &str = "small\n";

/// [`ErrorKind::Refused`] if the directory needs a decision of the user. Returns `false` if the user was asked before.
pub(super) fn check(repository: &Repository, worktree: &Worktree, progress: &dyn Progress) -> Result<bool> {
    if has_commits(repository) {
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

/// Whether the user was asked for a decision, which is still missing.
pub(super) fn is_undecided(repository: &Repository) -> Result<bool> {
    if has_commits(repository) {
        return Ok(false);
    }
    let marker = fs::read(&repository.layout.first_automatic())?;
    Ok(marker.is_some_and(|marker| marker.starts_with(ASKED.as_bytes())))
}

/// A manual commit, or an earlier automatic one, allows automatic ones.
fn has_commits(repository: &Repository) -> bool {
    repository.view().at().is_some() || !repository.view().heads.is_empty()
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
    Ok(Some(Error::new(ErrorKind::Refused, message).hint("to allow it, record the directory once: undo commit")))
}

fn refuse_size(repository: &Repository, worktree: &Worktree, progress: &dyn Progress) -> Result<Option<Error>> {
    let began = Instant::now();
    let is_beyond = |all: FileTotals| all.files > LIMIT.files || all.bytes > LIMIT.bytes;
    let is_enough = |all| is_beyond(all) && began.elapsed() > PATIENCE;
    let (counted, result) = count(worktree, repository.store(), &is_enough, progress);
    if !is_beyond(counted.all) {
        return result.map(|()| None);
    }
    // Decided, even if the rest could not be counted, for example within the deadline.
    let (at_least, so_far) = if result.is_ok() { ("", "") } else { ("at least ", " so far") };
    let largest = largest_entries(&counted);
    let described: Vec<String> =
        largest.iter().map(|(name, entry)| format!("{} ({})", shell_word(name), describe_entry(entry))).collect();
    let message = format!(
        "the first automatic commit would record {at_least}{} ({}), more than {} or {}{}",
        plural(counted.all.files, "file"),
        Size(counted.all.bytes),
        plural(LIMIT.files, "file"),
        Size(LIMIT.bytes),
        if described.is_empty() {
            String::new()
        } else {
            format!("; the largest entries{so_far}: {}", described.join(", "))
        },
    );
    let slash = |entry: &CountedEntry| if entry.is_directory { "/" } else { "" };
    let line = |(name, entry): &(&[u8], &CountedEntry)| Some(format!("`/{}{}`", pattern(name)?, slash(entry)));
    let lines: Vec<String> = largest.iter().filter_map(line).collect();
    let allow = "to allow it, record the directory once: undo commit";
    let hint = match lines.is_empty() {
        true => allow.to_owned(),
        false => format!("to leave some out, add lines to `.undoignore`: {}; {allow}", lines.join(", ")),
    };
    Ok(Some(Error::new(ErrorKind::Refused, message).hint(hint)))
}

/// `1,204 files, 3.00 GiB`, or the size of a file.
fn describe_entry(entry: &CountedEntry) -> String {
    let size = Size(entry.totals.bytes);
    if entry.is_directory { format!("{}, {size}", plural(entry.totals.files, "file")) } else { size.to_string() }
}

/// The largest entries at the root, largest first.
fn largest_entries(counted: &Counted) -> Vec<(&[u8], &CountedEntry)> {
    let mut entries: Vec<_> = counted.entries.iter().map(|(name, entry)| (name.as_slice(), entry)).collect();
    entries.sort_by_key(|(_, entry)| Reverse((entry.totals.bytes, entry.totals.files)));
    entries.truncate(NAMED);
    entries
}

/// The pattern of a rule that matches only this name. `None` for names that are not one visible line.
fn pattern(name: &[u8]) -> Option<String> {
    let name = std::str::from_utf8(name).ok().filter(|name| !name.contains(is_hidden))?;
    let escaped = |letter: char| "*?[\\ ".contains(letter).then_some('\\').into_iter().chain([letter]);
    Some(name.chars().flat_map(escaped).collect())
}
