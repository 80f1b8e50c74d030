//! Completes values from the current repository. Never fails and never prints; an unreadable repository completes nothing.

mod line;
pub mod protocol;

use std::collections::BTreeSet;
use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::{OsStrExt, OsStringExt};

use clap::Subcommand;
use clap_complete::CompletionCandidate;
use clap_complete::engine::{ArgValueCompleter, PathCompleter, ValueCompleter};

use crate::agent::EventKind;
use crate::commands;
use crate::environment::Environment;
use crate::error::Result;
use crate::fs;
use crate::history;
use crate::history::agent_events;
use crate::history::automatic::Event;
use crate::history::revision::parse_path;
use crate::history::timeline::Timeline;
use crate::id::CommitId;
use crate::object::Objects;
use crate::repo::Repository;
use crate::repo::config::{KEYS, TARGET_SETTINGS, TargetSetting};
use crate::terminal::{human, sanitize};
use crate::worktree::paths::has_magic;

/// Maximum number of recent commits to suggest.
const RECENT: usize = 20;

/// Maximum number of names to suggest from one directory.
const NAMES: usize = 1000;

/// Completes the values of an argument.
pub fn with(values: fn(&OsStr) -> Vec<CompletionCandidate>) -> ArgValueCompleter {
    ArgValueCompleter::new(values)
}

/// A value and its description.
pub fn candidate(value: impl Into<OsString>, help: String) -> CompletionCandidate {
    CompletionCandidate::new(value).help((!help.is_empty()).then(|| help.into()))
}

fn open() -> Result<Repository> {
    Repository::discover(&line::directory()?, Environment::from_process())
}

/// Keeps the values that start with the current word.
pub fn keep(current: &OsStr, found: Vec<CompletionCandidate>) -> Vec<CompletionCandidate> {
    let begins = |one: &CompletionCandidate| one.get_value().as_bytes().starts_with(current.as_bytes());
    found.into_iter().filter(begins).collect()
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

/// Branches, tags, recent commits, prompts and steps of agents, and special names; after `..`, the second revision of a range.
pub fn revisions(current: &OsStr) -> Vec<CompletionCandidate> {
    let bytes = current.as_bytes();
    let Some(dots) = bytes.windows(2).rposition(|two| two == b"..") else { return one_revision(current) };
    let (first, second) = bytes.split_at(dots + 2);
    let whole = |one: CompletionCandidate| one.add_prefix(OsStr::from_bytes(first));
    one_revision(OsStr::from_bytes(second)).into_iter().map(whole).collect()
}

fn one_revision(current: &OsStr) -> Vec<CompletionCandidate> {
    let mut found = branches(current);
    found.extend(tags(current));
    let words = [("@", "the current commit"), ("latest", "the newest commit"), ("-", "the previous current commit")];
    let words = words.iter().map(|&(word, help)| candidate(word, help.to_owned())).collect();
    found.extend(keep(current, words));
    found.extend(keep(current, prompts_and_steps().unwrap_or_default()));
    found.extend(keep(current, recent().unwrap_or_default()));
    found
}

/// `@{prompt}` and `@{step}`, if the newest operations have such events of agents.
fn prompts_and_steps() -> Result<Vec<CompletionCandidate>> {
    let repository = open()?;
    let mut found = Vec::new();
    for operation in repository.operations().take(10 * RECENT) {
        let (id, operation) = operation?;
        let event = Event::of(id, &operation).filter(|_| repository.is_own(&operation));
        let event = event.filter(|event| !agent_events::runs_only_undo(event));
        let kind = event.and_then(|event| agent_events::kind(&event.extras));
        let Some(kind @ (EventKind::Prompt | EventKind::Step)) = kind else { continue };
        if !found.iter().any(|(known, _)| *known == kind) {
            let age = human::age(operation.time, &repository.environment);
            let help = format!("before the last {} of an agent, {age}", kind.word());
            found.push((kind, candidate(format!("@{{{}}}", kind.word()), help)));
        }
    }
    Ok(found.into_iter().map(|(_, candidate)| candidate).collect())
}

/// Forgotten commits that can be recalled.
pub fn forgotten(current: &OsStr) -> Vec<CompletionCandidate> {
    let Ok(repository) = open() else { return Vec::new() };
    let forgotten = repository.view().forgotten.iter().filter(|(_, forgotten)| forgotten.time.is_some());
    let mut newest_first: Vec<_> = forgotten.map(|(id, forgotten)| (forgotten.time, *id)).collect();
    newest_first.sort_by(|a, b| b.cmp(a));
    let described = |(_, id): (_, CommitId)| candidate(id.short(), describe(&repository, id));
    keep(current, newest_first.into_iter().take(NAMES).map(described).collect())
}

/// Revisions and recorded paths of revisions, and recorded paths after `--`.
pub fn revisions_or_paths(current: &OsStr) -> Vec<CompletionCandidate> {
    if line::words().iter().any(|word| word == "--") { recorded_paths(current) } else { revision_paths(current) }
}

/// Abbreviated ids of the newest commits, from the newest operations.
fn recent() -> Result<Vec<CompletionCandidate>> {
    let repository = open()?;
    let mut found = Vec::new();
    for operation in repository.operations().take(10 * RECENT) {
        for commit in operation?.1.commits {
            found.push(candidate(commit.id.short(), describe(&repository, commit.id)));
        }
        if found.len() >= RECENT {
            break;
        }
    }
    Ok(found)
}

/// `REV`, or after a colon the paths of the commit, one directory at a time.
pub fn revision_paths(current: &OsStr) -> Vec<CompletionCandidate> {
    let bytes = current.as_bytes();
    let Some(colon) = bytes.iter().position(|&b| b == b':') else { return revisions(current) };
    let (revision, path) = (&bytes[..colon], &bytes[colon + 1..]);
    let Ok(revision) = std::str::from_utf8(revision) else { return Vec::new() };
    names(revision, path, &bytes[..=colon]).unwrap_or_default()
}

/// Paths of the commit on the command line (by default the current one) and of the live directory, one directory at a time,
/// relative to the current directory.
pub fn recorded_paths(current: &OsStr) -> Vec<CompletionCandidate> {
    let mut found = live_paths(current);
    // `:/f` starts at the root, and other paths in the current directory.
    let (before, path) = match current.as_bytes().strip_prefix(b":/") {
        Some(path) => (&b":/"[..], path.to_vec()),
        None => (&b""[..], [b"./", current.as_bytes()].concat()),
    };
    let recorded = open().and_then(|repository| {
        let Some(commit) = line::source(&repository).or(repository.view().at()) else { return Ok(Vec::new()) };
        names_in(&repository, commit, &path, before)
    });
    let as_typed = |one: CompletionCandidate| {
        let value = one.get_value().as_bytes();
        let value = if before.is_empty() { value[b"./".len()..].to_vec() } else { value.to_vec() };
        let typed = candidate(OsString::from_vec(value), String::new());
        if before.is_empty() { as_path(typed) } else { typed }
    };
    for one in recorded.unwrap_or_default().into_iter().map(as_typed) {
        if !found.iter().any(|other| other.get_value() == one.get_value()) {
            found.push(one);
        }
    }
    found
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
    let directory = parse_path(path[..slash].strip_suffix(b"/").unwrap_or_default(), &repository.layout.start);
    let found =
        directory.map(|directory| history::entry_at(repository.store(), &root, &directory)).transpose()?.flatten();
    let Some(tree) = found.and_then(|entry| entry.tree()) else { return Ok(Vec::new()) };
    let mut found = Vec::new();
    for entry in repository.store().tree(tree)?.entries {
        if entry.name.starts_with(&path[slash..]) && found.len() < NAMES {
            let end: &[u8] = if entry.tree().is_some() { b"/" } else { b"" };
            let value = [before, &path[..slash], &entry.name, end].concat();
            found.push(candidate(OsString::from_vec(value), entry.kind().word().to_owned()));
        }
    }
    Ok(found)
}

/// Paths in the live directory.
pub fn live_paths(current: &OsStr) -> Vec<CompletionCandidate> {
    let Ok(directory) = line::directory() else { return Vec::new() };
    let found = PathCompleter::any().current_dir(directory).complete(current).into_iter();
    found.filter(|path| path.get_value() != ".").map(as_path).collect()
}

/// Writes `./` before a path that would be taken for an option, for a pattern or, since fish does not quote it, for a home directory.
fn as_path(path: CompletionCandidate) -> CompletionCandidate {
    let name = path.get_value().as_bytes();
    let is_special = matches!(name, [b'-' | b'~', ..]) || has_magic(name);
    if is_special { path.add_prefix("./") } else { path }
}

/// The words of another program's command line: for the first one programs and paths, then paths.
pub fn programs_or_paths(current: &OsStr) -> Vec<CompletionCandidate> {
    let mut found = live_paths(current);
    if line::is_first_of_run() && !current.as_bytes().contains(&b'/') {
        let folders = std::env::var_os("PATH").unwrap_or_default();
        let listed = std::env::split_paths(&folders).filter_map(|folder| fs::list(&folder).ok()).flatten();
        let programs: BTreeSet<OsString> = listed
            .filter(|name| !current.is_empty() && name.starts_with(current.as_bytes()))
            .map(OsString::from_vec)
            .collect();
        found.extend(programs.into_iter().map(|name| candidate(name, String::new())));
    }
    found
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

/// Targets of the repository.
#[cfg(feature = "targets")]
pub fn targets(current: &OsStr) -> Vec<CompletionCandidate> {
    let Ok(repository) = open() else { return Vec::new() };
    let targets = &repository.config.targets;
    keep(current, targets.iter().map(|target| candidate(&target.name, target.url.clone())).collect())
}

/// Settings; after `--global` those that a user can set for all repositories.
pub fn settings(current: &OsStr) -> Vec<CompletionCandidate> {
    let is_user_wide = line::words().iter().any(|word| word == "--global");
    let keys = KEYS.iter().filter(|key| !is_user_wide || key.is_user_wide());
    let mut found: Vec<_> = keys.map(|key| candidate(key.name, key.about.to_owned())).collect();
    for target in open().iter().flat_map(|repository| &repository.config.targets) {
        let named = |setting: &TargetSetting| format!("target.{}.{}", target.name, setting.name);
        found.extend(TARGET_SETTINGS.iter().map(|setting| candidate(named(setting), setting.about.to_owned())));
    }
    keep(current, found)
}

/// Whether the current word directly follows this one.
pub fn follows(word: &str) -> bool {
    line::words().last().is_some_and(|last| last == word)
}

/// Commands, or the subcommands of a command.
pub fn commands_of(current: &OsStr) -> Vec<CompletionCandidate> {
    let mut root = commands::Command::augment_subcommands(clap::Command::new("undo").disable_help_subcommand(true));
    #[cfg(feature = "targets")]
    {
        root = commands::targets::Command::augment_subcommands(root);
    }
    root.build();
    let words: Vec<_> = line::words().into_iter().filter_map(|word| word.into_string().ok()).collect();
    let named = words.iter().position(|word| word == "help" || word == "man");
    let named = named.map_or(&[][..], |at| &words[at + 1..]);
    let Some(command) = commands::find(&mut root, named) else { return Vec::new() };
    let described =
        |one: &clap::Command| candidate(one.get_name(), one.get_about().map(ToString::to_string).unwrap_or_default());
    keep(current, command.get_subcommands().filter(|one| !one.is_hide_set()).map(described).collect())
}
