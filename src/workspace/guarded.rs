//! Finds and records the directories that a guarded command of a shell may change.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use crate::environment::Environment;
use crate::error::{Error, ErrorKind, Result};
use crate::fs;
use crate::metadata::Kind;
use crate::object::Extras;
use crate::path::glob::{Glob, Slashes};
use crate::path::selection::is_pattern;
use crate::progress::Progress;
use crate::quote::one_line;
use crate::repo::layout::Layout;
use crate::repo::outside;
use crate::shell::{GuardedCommand, Operand, Shell};

use super::{AutomaticOptions, AutomaticOutcome, Deadline, Workspace};

/// Maximum number of entries of one directory that are searched for repositories.
const MOST_ENTRIES: usize = 10_000;

/// Maximum number of paths that the patterns of one command stand for.
const MOST_PATHS: usize = 10_000;

/// Longest text of a command in a commit, in bytes.
const LONGEST_COMMAND: usize = 1 << 10;

/// Longest text of a command in the message of a commit, in bytes.
const LONGEST_MESSAGE: usize = 100;

/// What guarded commands may change.
#[derive(Debug, Default)]
pub(crate) struct Threatened {
    /// The recorded directories, sorted.
    pub directories: Vec<PathBuf>,
    /// Stores that lie inside what the commands delete, sorted.
    pub deleted_stores: Vec<PathBuf>,
    /// Repositories that were found but cannot be used.
    pub problems: Vec<Error>,
}

/// Finds repositories: from the directory of the shell upwards, from those that the line enters, from the operands of the commands,
/// and one level below each operand.
pub(crate) fn find_threatened(
    commands: &[GuardedCommand],
    shell_directory: &Path,
    environment: &Environment,
) -> Threatened {
    let mut search = Search::default();
    if !commands.is_empty() {
        search.upwards(shell_directory);
    }
    for command in commands {
        let mut directory = shell_directory.to_owned();
        command.directories.iter().for_each(|entered| directory.push(OsStr::from_bytes(entered)));
        search.upwards(&directory);
        let mut paths = Vec::new();
        for base in [directory.as_path(), shell_directory] {
            command.operands.iter().for_each(|operand| expand(base, operand, &mut paths));
        }
        paths.sort_unstable();
        paths.dedup();
        for path in &paths {
            search.operand(path);
        }
        if command.deletes {
            search.deleted.append(&mut paths);
        }
    }
    search.finish(environment)
}

#[derive(Default)]
struct Search {
    /// Store by directory.
    found: BTreeMap<PathBuf, PathBuf>,
    /// Stores among the operands, which may belong to directories elsewhere.
    stores: Vec<PathBuf>,
    deleted: Vec<PathBuf>,
    searched: BTreeSet<PathBuf>,
    problems: Vec<Error>,
}

impl Search {
    /// Searches a directory, or the nearest existing one, and those above it.
    fn upwards(&mut self, directory: &Path) {
        if !self.searched.insert(directory.to_owned()) {
            return;
        }
        let layout = fs::canonicalize_existing(directory).and_then(|path| {
            let start = path.ancestors().find(|above| is_dir(above)).unwrap_or(Path::new("/"));
            Layout::discover(start)
        });
        match layout {
            Ok(layout) => self.add(layout),
            Err(error) if error.kind() == ErrorKind::NoRepository => {}
            Err(error) => self.problems.push(error),
        }
    }

    fn operand(&mut self, path: &Path) {
        // The operand may be a link, which leads elsewhere.
        path.parent().into_iter().for_each(|parent| self.upwards(parent));
        if !is_dir(path) {
            return;
        }
        self.upwards(path);
        self.note_store(path);
        let Ok(path) = fs::canonicalize(path) else { return };
        for name in fs::list(&path).unwrap_or_default().into_iter().take(MOST_ENTRIES) {
            let below = path.join(OsStr::from_bytes(&name));
            if !matches!(fs::stat(&below), Ok(Some(stat)) if stat.kind == Kind::Directory) {
                continue;
            }
            match Layout::at(&below) {
                Ok(Some(layout)) => self.add(layout),
                Ok(None) => self.note_store(&below),
                Err(error) => self.problems.push(error),
            }
        }
    }

    fn add(&mut self, layout: Layout) {
        self.found.insert(layout.worktree, layout.repository);
    }

    fn note_store(&mut self, path: &Path) {
        if is_store(path) {
            self.stores.push(path.to_owned());
        }
    }

    fn finish(self, environment: &Environment) -> Threatened {
        let mut stores = self.stores;
        stores.extend(self.found.values().cloned());
        let deleted: Vec<PathBuf> = self.deleted.iter().filter_map(|path| entry(path)).collect();
        let state = environment.state_directory().and_then(|path| fs::canonicalize_existing(path).ok());
        let concerns_state =
            |path: &PathBuf| state.as_ref().is_some_and(|state| state.starts_with(path) || path.starts_with(state));
        if deleted.iter().any(concerns_state) {
            stores.extend(outside::stores(environment).unwrap_or_default());
        }
        let mut deleted_stores: Vec<PathBuf> = stores.iter().filter_map(|path| fs::canonicalize(path).ok()).collect();
        deleted_stores.retain(|store| deleted.iter().any(|path| store.starts_with(path)));
        deleted_stores.sort_unstable();
        deleted_stores.dedup();
        let mut problems = self.problems;
        problems.sort_by_cached_key(Error::to_string);
        problems.dedup_by_key(|error| error.to_string());
        Threatened { directories: self.found.into_keys().collect(), deleted_stores, problems }
    }
}

/// Records a directory as it is before this command line.
pub(crate) fn record_before(
    directory: &Path,
    shell: Shell,
    line: &[u8],
    deadline: Deadline,
    environment: &Environment,
    progress: &dyn Progress,
) -> Result<AutomaticOutcome> {
    let mut extras = Extras::default();
    extras.set("shell.name", shell.name());
    let line = String::from_utf8_lossy(line);
    extras.set("shell.command", &line[..line.floor_char_boundary(LONGEST_COMMAND)]);
    let message = format!("before: {}", one_line(&line, LONGEST_MESSAGE));
    let options = AutomaticOptions { message, extras, deadline: Some(deadline) };
    Workspace::open(directory, environment.clone())?.commit_automatically(&options, progress)
}

fn is_dir(path: &Path) -> bool {
    matches!(fs::target_kind(path), Ok(Some(Kind::Directory)))
}

/// Whether a directory is a store without the directory that it records.
fn is_store(path: &Path) -> bool {
    ["format", "journal", "packs"].iter().all(|name| fs::exists(&path.join(name)).unwrap_or(false))
}

/// The path of the entry itself: links above it are followed, but not the entry.
fn entry(path: &Path) -> Option<PathBuf> {
    match (path.parent(), path.file_name()) {
        (Some(parent), Some(name)) => Some(fs::canonicalize(parent).ok()?.join(name)),
        // `/`, or a path that ends in `..`.
        _ => fs::canonicalize(path).ok(),
    }
}

/// Adds the paths that an operand stands for.
fn expand(base: &Path, operand: &Operand, paths: &mut Vec<PathBuf>) {
    let whole = base.join(OsStr::from_bytes(&operand.path));
    if !operand.is_pattern {
        paths.push(whole);
        return;
    }
    let start = if operand.path.starts_with(b"/") { PathBuf::from("/") } else { base.to_owned() };
    let mut matching = vec![start];
    for component in operand.path.split(|&byte| byte == b'/').filter(|component| !component.is_empty()) {
        let below = |directory: &PathBuf| entries_matching(directory, component);
        matching = matching.iter().flat_map(below).take(MOST_PATHS).collect();
    }
    paths.extend(matching);
}

/// The entries of a directory that match one component of a pattern. As in shells, hidden ones match only a pattern with a dot.
fn entries_matching(directory: &Path, component: &[u8]) -> Vec<PathBuf> {
    let glob = is_pattern(component).then(|| Glob::parse(component, Slashes::Separate).ok()).flatten();
    let Some(glob) = glob else { return vec![directory.join(OsStr::from_bytes(component))] };
    let is_shown = |name: &Vec<u8>| !name.starts_with(b".") || component.starts_with(b".");
    let names = fs::list(directory).unwrap_or_default().into_iter();
    let names = names.filter(|name| is_shown(name) && glob.matches(name)).take(MOST_ENTRIES);
    names.map(|name| directory.join(OsStr::from_bytes(&name))).collect()
}
