//! Completion of values from the repository at hand. Never fails and never prints: what cannot be read offers nothing.

mod line;

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::{OsStrExt, OsStringExt};

use clap::Subcommand;
use clap_complete::CompletionCandidate;
use clap_complete::engine::{PathCompleter, ValueCompleter};

use crate::commands;
use crate::environment::Environment;
use crate::error::Result;
use crate::history;
use crate::history::timeline::Timeline;
use crate::id::CommitId;
use crate::object::Objects;
use crate::path::RepoPath;
use crate::repo::Repository;
use crate::repo::config::KEYS;
use crate::terminal::{human, sanitize};

/// Recent commits that are offered.
const RECENT: usize = 20;

/// Names offered from one directory.
const NAMES: usize = 1000;

/// A value with a word about it.
pub fn candidate(value: impl Into<OsString>, help: String) -> CompletionCandidate {
    CompletionCandidate::new(value).help((!help.is_empty()).then(|| help.into()))
}

fn open() -> Result<Repository> {
    Repository::discover(&line::directory()?, Environment::from_process())
}

/// Those that begin as what is typed.
pub fn keep(current: &OsStr, offered: Vec<CompletionCandidate>) -> Vec<CompletionCandidate> {
    let begins = |one: &CompletionCandidate| one.get_value().as_bytes().starts_with(current.as_bytes());
    offered.into_iter().filter(begins).collect()
}

fn describe(repository: &Repository, id: CommitId) -> String {
    let Ok(commit) = repository.store().commit(id) else { return String::new() };
    let subject = commit.message.lines().next().unwrap_or_default();
    format!("{}  {}", human::age(commit.time, &repository.environment), sanitize::name(subject.as_bytes()))
}

/// Branches.
pub fn branches(current: &OsStr) -> Vec<CompletionCandidate> {
    let Ok(repository) = open() else { return Vec::new() };
    let refs = &repository.view().branches;
    keep(current, refs.iter().map(|(name, &id)| candidate(name, describe(&repository, id))).collect())
}

/// Tags.
pub fn tags(current: &OsStr) -> Vec<CompletionCandidate> {
    let Ok(repository) = open() else { return Vec::new() };
    let refs = &repository.view().tags;
    keep(current, refs.iter().map(|(name, &id)| candidate(name, describe(&repository, id))).collect())
}

/// Branches, tags, recent commits, and the words that stand for a commit; after `..` the second of a range.
pub fn revisions(current: &OsStr) -> Vec<CompletionCandidate> {
    let bytes = current.as_bytes();
    let Some(dots) = bytes.windows(2).rposition(|two| two == b"..") else { return one_revision(current) };
    let (first, second) = bytes.split_at(dots + 2);
    let whole = |one: CompletionCandidate| one.add_prefix(OsStr::from_bytes(first));
    one_revision(OsStr::from_bytes(second)).into_iter().map(whole).collect()
}

fn one_revision(current: &OsStr) -> Vec<CompletionCandidate> {
    let mut offered = branches(current);
    offered.extend(tags(current));
    let words = [("@", "the current commit"), ("latest", "the newest commit"), ("-", "where you were before")];
    let words = words.iter().map(|&(word, help)| candidate(word, help.to_owned())).collect();
    offered.extend(keep(current, words));
    offered.extend(keep(current, recent().unwrap_or_default()));
    offered
}

/// Revisions, and after `--` recorded paths: of commands that take both.
pub fn revisions_or_paths(current: &OsStr) -> Vec<CompletionCandidate> {
    if line::words().iter().any(|word| word == "--") { recorded_paths(current) } else { revisions(current) }
}

/// The newest commits by their short ids, found in the operations that made them.
fn recent() -> Result<Vec<CompletionCandidate>> {
    let repository = open()?;
    let mut offered = Vec::new();
    for operation in repository.operations().take(10 * RECENT) {
        for commit in operation?.1.commits {
            offered.push(candidate(commit.id.short(), describe(&repository, commit.id)));
        }
        if offered.len() >= RECENT {
            break;
        }
    }
    Ok(offered)
}

/// `REV`, or after a colon what the commit holds, a directory at a time.
pub fn revision_paths(current: &OsStr) -> Vec<CompletionCandidate> {
    let bytes = current.as_bytes();
    let Some(colon) = bytes.iter().position(|&b| b == b':') else { return revisions(current) };
    let (revision, path) = (&bytes[..colon], &bytes[colon + 1..]);
    let Ok(revision) = std::str::from_utf8(revision) else { return Vec::new() };
    names(revision, path, &bytes[..=colon]).unwrap_or_default()
}

/// Paths of the commit that the line names, or of the current one, and of the live directory, a directory at a time, from the root of the worktree's view of the current directory.
pub fn recorded_paths(current: &OsStr) -> Vec<CompletionCandidate> {
    let mut offered = live_paths(current);
    let recorded = prefix().and_then(|prefix| {
        let path = [prefix.as_slice(), current.as_bytes()].concat();
        let repository = open()?;
        let Some(commit) = line::source(&repository).or(repository.view().at()) else { return Ok(Vec::new()) };
        let mut found = names_in(&repository, commit, &path, b"")?;
        for one in &mut found {
            let value = one.get_value().as_bytes()[prefix.len()..].to_vec();
            *one = candidate(OsString::from_vec(value), String::new());
        }
        Ok(found)
    });
    for one in recorded.unwrap_or_default() {
        if !offered.iter().any(|other| other.get_value() == one.get_value()) {
            offered.push(one);
        }
    }
    offered
}

/// The current directory below the root of the worktree, with a slash at its end.
fn prefix() -> Result<Vec<u8>> {
    let repository = open()?;
    let directory = line::directory()?;
    let below = directory.strip_prefix(&repository.layout.worktree).unwrap_or("".as_ref());
    let mut bytes = below.as_os_str().as_bytes().to_vec();
    if !bytes.is_empty() {
        bytes.push(b'/');
    }
    Ok(bytes)
}

/// Names in the directory that a beginning of a path points into, each with `before` in front.
fn names(revision: &str, path: &[u8], before: &[u8]) -> Result<Vec<CompletionCandidate>> {
    let repository = open()?;
    let id = history::resolve(&repository, if revision.is_empty() { "@" } else { revision })?;
    names_in(&repository, id, path, before)
}

fn names_in(repository: &Repository, id: CommitId, path: &[u8], before: &[u8]) -> Result<Vec<CompletionCandidate>> {
    let root = repository.store().commit(id)?.root;
    let slash = path.iter().rposition(|&b| b == b'/').map_or(0, |at| at + 1);
    let directory = RepoPath::new(path[..slash].strip_suffix(b"/").unwrap_or_default());
    let found =
        directory.map(|directory| history::entry_at(repository.store(), &root, directory)).transpose()?.flatten();
    let Some(tree) = found.and_then(|entry| entry.tree()) else { return Ok(Vec::new()) };
    let mut offered = Vec::new();
    for entry in repository.store().tree(tree)?.entries {
        let is_plain = sanitize::name(&entry.name).as_bytes() == entry.name;
        if is_plain && entry.name.starts_with(&path[slash..]) && offered.len() < NAMES {
            let end: &[u8] = if entry.tree().is_some() { b"/" } else { b"" };
            let value = [before, &path[..slash], &entry.name, end].concat();
            offered.push(candidate(OsString::from_vec(value), entry.kind().word().to_owned()));
        }
    }
    Ok(offered)
}

/// Paths in the live directory.
pub fn live_paths(current: &OsStr) -> Vec<CompletionCandidate> {
    line::directory()
        .map_or_else(|_| Vec::new(), |directory| PathCompleter::any().current_dir(directory).complete(current))
}

/// Recent operations.
pub fn operations(current: &OsStr) -> Vec<CompletionCandidate> {
    let Ok(repository) = open() else { return Vec::new() };
    let mut timeline = Timeline::open(&repository);
    let recent = (0..RECENT).map_while(|index| {
        let action = timeline.action(index).ok()??;
        Some(candidate(action.id.short(), sanitize::name(action.last.describe().as_bytes())))
    });
    keep(current, recent.collect())
}

/// Settings.
pub fn settings(current: &OsStr) -> Vec<CompletionCandidate> {
    keep(current, KEYS.iter().map(|key| candidate(key.name, key.about.to_owned())).collect())
}

/// Whether the word at hand is the first after this one.
pub fn follows(word: &str) -> bool {
    line::words().last().is_some_and(|last| last == word)
}

/// Commands, and below a command its own.
pub fn commands_of(current: &OsStr) -> Vec<CompletionCandidate> {
    let mut root = commands::Command::augment_subcommands(clap::Command::new("undo").disable_help_subcommand(true));
    root.build();
    let words: Vec<_> = line::words().into_iter().filter_map(|word| word.into_string().ok()).collect();
    let named = words.iter().position(|word| word == "help" || word == "man");
    let named = named.map_or(&[][..], |at| &words[at + 1..]);
    let Some(command) = commands::find(&mut root, named) else { return Vec::new() };
    let told =
        |one: &clap::Command| candidate(one.get_name(), one.get_about().map(ToString::to_string).unwrap_or_default());
    keep(current, command.get_subcommands().filter(|one| !one.is_hide_set()).map(told).collect())
}
