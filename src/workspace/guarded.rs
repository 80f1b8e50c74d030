//! Finds and records the directories that a guarded command of a shell may change.

mod mounts;
mod operand_paths;

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use crate::environment::Environment;
use crate::error::{Error, ErrorKind, Result};
use crate::fs;
use crate::metadata::Kind;
use crate::object::Extras;
use crate::progress::Progress;
use crate::quote::{one_line, visible};
use crate::repo::layout::Layout;
use crate::repo::outside::{self, is_store};
use crate::shell::{Certainty, GuardedCommand, Operand, Shell};

use super::missing::missing_directories;
use super::{AutomaticOptions, AutomaticOutcome, Deadline, Workspace};
pub(crate) use mounts::mounts_among;
use operand_paths::{OperandPath, beginning, entries, expand_all};

/// Longest text of a command in a commit, in bytes.
const LONGEST_COMMAND: usize = 1 << 10;

/// Longest text of a command in the message of a commit, in bytes.
const LONGEST_MESSAGE: usize = 100;

/// What guarded commands may change.
#[derive(Debug, Default)]
pub(crate) struct Threatened {
    /// The recorded directories, sorted.
    pub directories: Vec<PathBuf>,
    /// An error for each store that the commands delete, or in which they delete something, sorted by path.
    pub deleted_stores: Vec<Error>,
    /// Directories that have lost their `.undo`, so that their histories are not used.
    pub unattached: Vec<(PathBuf, Error)>,
    /// Directories whose repositories cannot be used, or were not found in time.
    pub problems: Vec<(PathBuf, Error)>,
    /// The paths that the commands name.
    pub named: Vec<PathBuf>,
    /// Whether the commands name paths that only the shell knows.
    pub has_unknown_paths: bool,
}

/// Finds repositories: from the directory of the shell upwards, from those in which the commands may run, from the operands of the
/// commands, and one level below each operand. `dotfiles`: patterns match names that begin with a dot, too.
pub(crate) fn find_threatened(
    commands: &[GuardedCommand],
    shell_directory: &Path,
    dotfiles: bool,
    deadline: Deadline,
    environment: &Environment,
) -> Threatened {
    if commands.is_empty() {
        return Threatened::default();
    }
    let mut search = Search { dotfiles, ..Search::new(deadline) };
    for command in commands {
        if search.command(command, shell_directory).is_err() {
            let error = deadline.passed_searching(shell_directory);
            search.problems.push((shell_directory.to_owned(), error));
            break;
        }
    }
    search.finish(environment)
}

/// The repository of the directory that contains a path, which need not exist.
pub(super) fn layout_above(path: &Path) -> Result<Option<Layout>> {
    let path = fs::canonicalize_existing(path)?;
    Layout::find(path.ancestors().find(|above| is_dir(above)).unwrap_or(Path::new("/")))
}

struct Search {
    deadline: Deadline,
    dotfiles: bool,
    /// Store by directory.
    found: BTreeMap<PathBuf, PathBuf>,
    /// Stores among the operands, which may belong to directories elsewhere.
    stores: Vec<PathBuf>,
    deleted: Vec<PathBuf>,
    /// Directories that were searched upwards.
    searched: BTreeSet<PathBuf>,
    /// Paths without links, by directory.
    canonical: BTreeMap<PathBuf, Option<PathBuf>>,
    /// Paths of directories without a repository, without links.
    unrecorded: BTreeSet<PathBuf>,
    problems: Vec<(PathBuf, Error)>,
    named: Vec<PathBuf>,
    has_unknown_paths: bool,
}

impl Search {
    fn new(deadline: Deadline) -> Search {
        Search {
            deadline,
            dotfiles: false,
            found: BTreeMap::new(),
            stores: Vec::new(),
            deleted: Vec::new(),
            searched: BTreeSet::new(),
            canonical: BTreeMap::new(),
            unrecorded: BTreeSet::new(),
            problems: Vec::new(),
            named: Vec::new(),
            has_unknown_paths: false,
        }
    }

    /// [`ErrorKind::NotInTime`] at the deadline.
    fn command(&mut self, command: &GuardedCommand, shell_directory: &Path) -> Result<()> {
        let mut bases: Vec<PathBuf> = command.directories.iter().map(|entered| shell_directory.join(entered)).collect();
        self.upwards(shell_directory);
        bases.iter().for_each(|base| self.upwards(base));
        if command.certainty == Certainty::IfEntered && bases.last().is_some_and(|entered| is_dir(entered)) {
            bases.drain(..bases.len() - 1);
        }
        for operand in &command.operands {
            let beginnings: Vec<PathBuf> = bases.iter().filter_map(|base| beginning(base, operand)).collect();
            for path in &beginnings {
                self.upwards(path);
                if matches!(operand, Operand::Beginning(_)) {
                    self.one_level_below(path)?;
                }
            }
            let is_unknown = match operand {
                Operand::Unknown => true,
                // What is below is in the repository, if there is one.
                Operand::Beginning(_) => !beginnings.iter().all(|path| matches!(layout_above(path), Ok(Some(_)))),
                Operand::Path(_) | Operand::Pattern(_) => false,
            };
            self.has_unknown_paths |= command.has_only_paths && is_unknown;
        }
        let paths = expand_all(&bases, &command.operands, self.dotfiles, self.deadline)?;
        if command.deletes {
            self.deleted.extend(paths.iter().map(|operand| operand.path.clone()));
        }
        self.named.extend(paths.iter().map(|operand| operand.path.clone()));
        paths.iter().try_for_each(|operand| self.operand(operand))
    }

    /// Searches a directory, or the nearest existing one, and those above it.
    fn upwards(&mut self, directory: &Path) {
        if !self.searched.insert(directory.to_owned()) {
            return;
        }
        match layout_above(directory) {
            Ok(Some(layout)) => self.add(layout),
            Ok(None) => self.unrecorded.extend(fs::canonicalize_existing(directory)),
            Err(error) => self.problems.push((directory.to_owned(), error)),
        }
    }

    fn operand(&mut self, operand: &OperandPath) -> Result<()> {
        self.deadline.check()?;
        // The operand may be a link, which leads elsewhere.
        operand.path.parent().into_iter().for_each(|parent| self.upwards(parent));
        let directory = match operand.kind {
            // Those above it are searched from its parent.
            Some(Kind::Directory) => self.canonical_entry(&operand.path),
            None | Some(Kind::Symlink) if is_dir(&operand.path) => {
                self.upwards(&operand.path);
                fs::canonicalize(&operand.path).ok()
            }
            _ => None,
        };
        let Some(directory) = directory else { return Ok(()) };
        self.directory(&directory);
        self.one_level_below(&directory)
    }

    fn one_level_below(&mut self, directory: &Path) -> Result<()> {
        for entry in entries(directory) {
            self.deadline.check()?;
            let below = directory.join(OsStr::from_bytes(&entry.name));
            let kind = entry.kind.or_else(|| Some(fs::stat(&below).ok()??.kind));
            if kind == Some(Kind::Directory) {
                self.directory(&below);
            }
        }
        Ok(())
    }

    /// Adds the repository or the store in a directory, whose path has no links.
    fn directory(&mut self, path: &Path) {
        match Layout::at(path) {
            Ok(Some(layout)) => self.add(layout),
            Ok(None) if is_store(path) => self.stores.push(path.to_owned()),
            Ok(None) => _ = self.unrecorded.insert(path.to_owned()),
            Err(error) => self.problems.push((path.to_owned(), error)),
        }
    }

    fn add(&mut self, layout: Layout) {
        self.found.insert(layout.worktree, layout.repository);
    }

    /// The path of the entry itself: links above it are followed, but the entry only if its path ends with a slash.
    fn canonical_entry(&mut self, path: &Path) -> Option<PathBuf> {
        if path.as_os_str().as_bytes().ends_with(b"/") {
            return fs::canonicalize(path).ok();
        }
        match (path.parent(), path.file_name()) {
            (Some(parent), Some(name)) => {
                if !self.canonical.contains_key(parent) {
                    self.canonical.insert(parent.to_owned(), fs::canonicalize(parent).ok());
                }
                Some(self.canonical[parent].as_ref()?.join(name))
            }
            // `/`, or a path that ends in `..`.
            _ => fs::canonicalize(path).ok(),
        }
    }

    fn finish(mut self, environment: &Environment) -> Threatened {
        let deleted = std::mem::take(&mut self.deleted);
        let deleted: BTreeSet<PathBuf> = deleted.iter().filter_map(|path| self.canonical_entry(path)).collect();
        let mut stores = self.stores;
        stores.extend(self.found.values().cloned());
        let state = environment.state_directory().and_then(|path| fs::canonicalize_existing(path).ok());
        let concerns_state =
            |path: &PathBuf| state.as_ref().is_some_and(|state| state.starts_with(path) || path.starts_with(state));
        if deleted.iter().any(concerns_state) {
            stores.extend(outside::stores(environment).unwrap_or_default());
        }
        let mut stores: BTreeSet<PathBuf> = stores.iter().filter_map(|path| fs::canonicalize(path).ok()).collect();
        let parents: BTreeSet<&Path> = deleted.iter().filter_map(|path| path.parent()).collect();
        let entered = parents.iter().filter_map(|parent| parent.ancestors().find(|above| is_store(above)));
        stores.extend(entered.map(Path::to_owned));
        let is_deleted = |store: &Path| store.ancestors().any(|above| deleted.contains(above));
        let deletion = |store: &PathBuf| {
            let is_damaged = || parents.iter().any(|parent| parent.starts_with(store));
            let part = if is_deleted(store) { "" } else { is_damaged().then_some("files of ")? };
            Some(deletes_history(store, part))
        };
        let is_recorded = |path: &Path| path.ancestors().any(|above| self.found.contains_key(above));
        // Reading all stores takes time.
        self.unrecorded.retain(|path| !is_recorded(path));
        let missing = missing_directories(&self.unrecorded, environment).into_iter();
        let unattached = missing.filter(|missing| !missing.is_removed);
        let unattached = unattached.map(|missing| (missing.path.clone(), missing.error())).collect();
        let mut problems = self.problems;
        problems.sort_by_cached_key(|(_, error)| error.to_string());
        problems.dedup_by_key(|(_, error)| error.to_string());
        Threatened {
            directories: self.found.into_keys().collect(),
            deleted_stores: stores.iter().filter_map(deletion).collect(),
            unattached,
            problems,
            named: self.named,
            has_unknown_paths: self.has_unknown_paths,
        }
    }
}

fn deletes_history(store: &Path, part: &str) -> Error {
    let shown = visible(store.as_os_str().as_bytes());
    let loss = if part.is_empty() { ", with every commit in it" } else { "" };
    Error::new(ErrorKind::Refused, format!("this command deletes {part}the history in {shown}{loss}"))
}

/// Records a directory as it is before this command line.
pub(crate) fn record_before(
    directory: &Path,
    shell: Shell,
    line: &[u8],
    deadline: Deadline,
    environment: &Environment,
    progress: &dyn Progress,
) -> Result<(Workspace, AutomaticOutcome)> {
    let mut extras = Extras::default();
    extras.set("shell.name", shell.name());
    let line = String::from_utf8_lossy(line);
    extras.set("shell.command", &line[..line.floor_char_boundary(LONGEST_COMMAND)]);
    let message = format!("before: {}", one_line(&joined(&line), LONGEST_MESSAGE));
    let options = AutomaticOptions { message, extras, deadline: Some(deadline) };
    let mut workspace = Workspace::open(directory, environment.clone())?;
    let outcome = workspace.commit_automatically(&options, progress)?;
    Ok((workspace, outcome))
}

/// The lines of a command, joined as in a shell.
fn joined(line: &str) -> String {
    let line = line.replace("\\\n", "");
    line.lines().map(str::trim).filter(|line| !line.is_empty()).collect::<Vec<_>>().join("; ")
}

fn is_dir(path: &Path) -> bool {
    matches!(fs::target_kind(path), Ok(Some(Kind::Directory)))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::shell::{Guards, guarded_commands};

    #[test]
    fn a_search_that_is_not_in_time_is_a_problem() {
        let directory = Path::new("/none");
        let search = |line: &[u8], limit| {
            let commands = guarded_commands(line, Shell::Bash, &Guards::parse("default").unwrap(), &[], &|_| None);
            find_threatened(&commands, directory, false, Deadline::after(limit), &Environment::from_process())
        };
        for line in [&b"rm -r a"[..], b"rm -r *"] {
            let threatened = search(line, Duration::ZERO);
            let problems: Vec<_> =
                threatened.problems.iter().map(|(path, error)| (path.as_path(), error.kind())).collect();
            assert_eq!(problems, [(directory, ErrorKind::NotInTime)]);
            assert!(search(line, Duration::from_secs(3600)).problems.is_empty());
        }
        assert!(search(b"ls", Duration::ZERO).problems.is_empty());
    }

    #[test]
    fn lines_of_a_command_are_joined() {
        assert_eq!(joined("(\n\trm -r data\n)\n"), "(; rm -r data; )");
        assert_eq!(joined("rm -r \\\ndata"), "rm -r data");
    }
}
