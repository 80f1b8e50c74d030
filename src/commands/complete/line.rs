//! The line that is completed: what stands on it before the word at hand.

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt;
use std::path::PathBuf;

use crate::error::Result;
use crate::fs;
use crate::history;
use crate::id::CommitId;
use crate::repo::Repository;

/// The words before the one that is completed, without the program: they follow a `--` of the shell's script.
pub(super) fn words() -> Vec<OsString> {
    let mut words: Vec<OsString> = std::env::args_os().skip_while(|word| word != "--").skip(2).collect();
    words.pop();
    words
}

/// Where the command would run: the current directory, or what the line names with `-C`.
pub(super) fn directory() -> Result<PathBuf> {
    let current = fs::current_dir()?;
    let words = words();
    let mut options = words.iter().enumerate().take_while(|(_, word)| *word != "--");
    let named = options.find_map(|(at, word)| match word.as_bytes().strip_prefix(b"-C")? {
        b"" => words.get(at + 1).map(OsString::as_os_str),
        attached => Some(OsStr::from_bytes(attached)),
    });
    // Names are compared with the worktree's, which has no links in it.
    match named {
        Some(named) => fs::canonicalize(&current.join(named)),
        None => Ok(current),
    }
}

/// The commit that the line names for its paths: with `--from`, or before `--`.
pub(super) fn source(repository: &Repository) -> Option<CommitId> {
    let words: Vec<String> = words().into_iter().filter_map(|word| word.into_string().ok()).collect();
    let named = |(at, word): (usize, &String)| match word.strip_prefix("--from") {
        Some("") => words.get(at + 1).cloned(),
        rest => rest.and_then(|rest| rest.strip_prefix('=')).map(str::to_owned),
    };
    if let Some(named) = words.iter().enumerate().find_map(named) {
        return history::resolve(repository, &named).ok();
    }
    let end = words.iter().position(|word| word == "--")?;
    words.get(1..end)?.iter().rev().find_map(|word| history::resolve(repository, word).ok())
}
