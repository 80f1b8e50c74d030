//! The command line being completed, up to the current word.

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt;
use std::path::PathBuf;

use crate::error::Result;
use crate::fs;
use crate::history;
use crate::id::CommitId;
use crate::repo::Repository;

/// The words before the current one, without the program. They follow a `--` that the shell script adds.
pub(super) fn words() -> Vec<OsString> {
    let mut words: Vec<OsString> = std::env::args_os().skip_while(|word| word != "--").skip(2).collect();
    words.pop();
    words
}

/// The directory of the command: the current one, changed by each `-C`.
pub(super) fn directory() -> Result<PathBuf> {
    let current = fs::current_dir()?;
    let words = words();
    let options = words.iter().enumerate().take_while(|(_, word)| *word != "--");
    let named = options.filter_map(|(at, word)| match word.as_bytes().strip_prefix(b"-C")? {
        b"" => words.get(at + 1).map(OsString::as_os_str),
        attached => Some(OsStr::from_bytes(attached)),
    });
    // The path of the worktree, which is compared with this one, has no symbolic links.
    named.map(PathBuf::from).try_fold(current, |directory, named| fs::canonicalize(&directory.join(named)))
}

/// The commit that paths refer to: that of `--from`, or the last one before `--`.
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

/// Whether the current word is the program of `run`: no word since `run` is one, and options are not looked at.
pub(super) fn is_first_of_run() -> bool {
    let words = words();
    let after = words.iter().position(|word| word == "run").map_or(words.len(), |at| at + 1);
    match words[after..].iter().position(|word| word == "--") {
        Some(escape) => after + escape + 1 == words.len(),
        None => words.last().is_some_and(|word| word == "run"),
    }
}
