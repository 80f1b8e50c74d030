//! Files that a program is using. They are not replaced or removed, because the program would keep the old file, and
//! what it writes there would be lost.
//!
//! A short plan is checked completely before anything changes. In a longer plan only two kinds of files are checked in
//! advance: files of a database, which are left together or not at all, and large files, which would be written in
//! vain. The exchange (`stage`) finds the rest: no other program knows the name of the file that was swapped out, so
//! the kernel's answer about its writers is final.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use serde::Serialize;

use crate::error::Result;
use crate::fs::{self, Dir, FileId, Process, Writers};
use crate::metadata::Kind;
use crate::path::set::{PathSet, Place};
use crate::path::{RepoPath, RepoPathBuf};
use crate::worktree::Worktree;
use crate::worktree::database::{CLUSTER_LOCKS, CLUSTER_MARKERS, database_of, files_of};
use crate::worktree::index::Builder;

use super::open_directories::OpenDirectories;
use super::plan::{Plan, Verdict};
use super::swap::WhenOpen;

/// Maximum number of replaced and removed files for which a plan is checked completely.
const SHORT_PLAN: usize = 256;
/// Files of this size or more, in bytes, are always checked.
const LARGE_FILE: u64 = 1 << 20;

/// A file that a program is using, or a database with such a file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct InUse {
    /// Path of the file; for a database, of its main file or directory.
    #[serde(flatten)]
    pub path: RepoPathBuf,
    /// The programs that are visible to this process.
    pub programs: Vec<Process>,
}

/// Files by device and inode, with their names.
type Files = Vec<(FileId, Vec<u8>)>;

/// Paths that a checkout leaves unchanged because they are in use.
#[derive(Debug, Default)]
pub(crate) struct InUsePaths {
    pub list: Vec<InUse>,
    paths: PathSet,
}

impl InUsePaths {
    /// Whether an action must be skipped.
    pub(super) fn concerns(&self, plan: &Plan, n: usize) -> bool {
        if self.paths.is_empty() {
            return false;
        }
        let empties = || match plan.verdict(n) {
            Verdict::Remove => true,
            Verdict::Replace => plan.kind(n) != Some(Kind::Directory),
            _ => false,
        };
        let is_linked = || plan.linked_to(n).is_some_and(|to| self.covers(&to));
        match self.paths.place(&plan.path(n)) {
            Place::Within => true,
            Place::Above => empties(),
            Place::Outside => is_linked(),
        }
    }

    /// Adds the paths that the exchange found to be in use.
    pub(crate) fn add(&mut self, root: &Dir, found: &BTreeSet<RepoPathBuf>) {
        let is_new = |path: &&RepoPathBuf| self.paths.place(path) == Place::Outside;
        self.list.extend(named(root, found.iter().filter(is_new)));
        self.list.sort_by(|a, b| a.path.cmp(&b.path));
    }

    /// Whether this path is left unchanged.
    pub(crate) fn covers(&self, path: &RepoPath) -> bool {
        self.paths.place(path) == Place::Within
    }
}

/// Selects the files of a plan that are checked in advance.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum CheckScope {
    /// Every file that the plan replaces or removes.
    Everything,
    /// Only files that must be known in advance.
    Ahead,
}

/// Decides what to do with files that the exchange finds open. Kernels know the writers of files on local file systems
/// only.
pub(crate) fn when_open(worktree: &Worktree, force: bool) -> Result<WhenOpen> {
    Ok(if force || worktree.root.file_system()?.clock_slack > 0 { WhenOpen::Replace } else { WhenOpen::Keep })
}

/// Finds the files that a plan must leave unchanged. `index` is that of the worktree's scan.
pub(crate) fn find(root: &Dir, index: &Builder, plan: &Plan, scope: CheckScope) -> Result<InUsePaths> {
    let loses_content = |n: &usize| matches!(plan.verdict(*n), Verdict::Replace | Verdict::Link | Verdict::Remove);
    let count = plan.numbers().filter(loses_content).take(SHORT_PLAN + 1).count();
    if count == 0 {
        return Ok(InUsePaths::default());
    }
    let is_file = |path: &RepoPath| plan.record(index, path).is_some_and(|record| record.stat.kind == Kind::File);
    let units = Units { clusters: clusters(plan, &is_file), databases: databases(plan, &is_file) };
    let everything = scope == CheckScope::Everything || count <= SHORT_PLAN;
    let mut finder = Finder::new(root)?;
    for path in plan.numbers().filter(loses_content).map(|n| plan.path(n)) {
        let Some(record) = plan.record(index, &path).filter(|record| record.stat.kind == Kind::File) else { continue };
        let unit = units.of(&path);
        if everything || unit.is_some() || record.stat.size >= LARGE_FILE || finder.locked.contains(&record.stat.inode)
        {
            finder.check(&path, (record.stat.device, record.stat.inode), unit.unwrap_or(&path));
        }
    }
    // The file that is open need not be one that changes.
    for database in &units.databases {
        for path in files_of(database) {
            finder.check_path(&path, database);
        }
    }
    for cluster in &units.clusters {
        finder.check_cluster(cluster);
    }
    Ok(finder.finish(&units))
}

/// Finds the programs that use files which the exchange found to be in use.
fn named<'p>(root: &Dir, paths: impl Iterator<Item = &'p RepoPathBuf>) -> Vec<InUse> {
    let id = |path: &RepoPath| {
        let stat = root.stat_below(path).ok()??;
        Some((stat.device, stat.inode))
    };
    let found: Vec<(RepoPathBuf, Files)> =
        paths.map(|path| (path.clone(), id(path).map(|id| (id, name_of(path))).into_iter().collect())).collect();
    with_programs(found, BTreeMap::new())
}

/// Sets of files that are valid only together.
struct Units {
    /// Directories that are one database.
    clusters: Vec<RepoPathBuf>,
    /// Database files with journals.
    databases: BTreeSet<RepoPathBuf>,
}

impl Units {
    fn of<'u>(&'u self, path: &RepoPath) -> Option<&'u RepoPath> {
        let cluster = || self.clusters.iter().find(|cluster| path.is_within(cluster));
        let database = || self.databases.iter().find(|database| ***database == *path);
        let of_journal = || self.databases.get(&database_of(path)?);
        cluster().or_else(database).or_else(of_journal).map(|unit| &**unit)
    }
}

/// The topmost directories in the plan that are one database.
fn clusters(plan: &Plan, is_file: &dyn Fn(&RepoPath) -> bool) -> Vec<RepoPathBuf> {
    let mut found: Vec<RepoPathBuf> = Vec::new();
    for (directory, _) in plan.directories() {
        let is_known = found.last().is_some_and(|above| directory.is_within(above));
        if !is_known && CLUSTER_MARKERS.iter().any(|marker| is_file(&directory.join(marker))) {
            found.push(directory.to_owned());
        }
    }
    found
}

/// The database files in a plan that have journals.
fn databases(plan: &Plan, is_file: &dyn Fn(&RepoPath) -> bool) -> BTreeSet<RepoPathBuf> {
    let databases = plan.numbers().filter_map(|n| database_of(&plan.path(n)));
    databases.filter(|database| is_file(database)).collect()
}

/// Checks files one at a time.
struct Finder<'d> {
    directories: OpenDirectories<'d>,
    /// Whether the kernel knows about writers on this file system.
    is_local: bool,
    locked: HashSet<u64>,
    /// Files in use with their names, by the path to leave unchanged.
    found: BTreeMap<RepoPathBuf, Files>,
    /// Files that may be in use and that only `/proc` can decide.
    doubtful: Vec<(RepoPathBuf, FileId, Vec<u8>)>,
    /// Programs that are already known.
    programs: BTreeMap<RepoPathBuf, Vec<Process>>,
}

impl<'d> Finder<'d> {
    fn new(root: &'d Dir) -> Result<Finder<'d>> {
        let is_local = root.file_system()?.clock_slack == 0;
        Ok(Finder {
            directories: OpenDirectories::new(root),
            is_local,
            locked: fs::locked_inodes(),
            found: BTreeMap::new(),
            doubtful: Vec::new(),
            programs: BTreeMap::new(),
        })
    }

    /// Checks a file. If the file is in use, `unit` is left unchanged.
    fn check(&mut self, path: &RepoPath, id: FileId, unit: &RepoPath) {
        let (is_locked, is_local) = (self.locked.contains(&id.1), self.is_local);
        let Some(directory) = self.directories.parent(path) else { return };
        let Ok(file) = directory.open_file(path.name().unwrap_or(b".")) else { return };
        if is_local && fs::writers_of(&file) == Writers::Some || is_locked && fs::is_locked(&file) {
            self.found.entry(unit.to_owned()).or_default().push((id, name_of(path)));
        } else if !is_local {
            self.doubtful.push((unit.to_owned(), id, name_of(path)));
        }
    }

    /// Like [`Finder::check`], for a file without a record.
    fn check_path(&mut self, path: &RepoPath, unit: &RepoPath) {
        let Some(stat) = self.directories.stat(path).filter(|stat| stat.kind == Kind::File) else { return };
        self.check(path, (stat.device, stat.inode), unit);
    }

    /// Checks the files that show whether the server of a cluster is running.
    fn check_cluster(&mut self, cluster: &RepoPath) {
        for name in CLUSTER_LOCKS.iter().chain(&CLUSTER_MARKERS) {
            self.check_path(&cluster.join(name), cluster);
        }
        let directory = self.directories.root.open_below(cluster);
        let Ok(Some(server)) = directory.map(|directory| postgres_server(&directory)) else { return };
        self.found.entry(cluster.to_owned()).or_default();
        self.programs.entry(cluster.to_owned()).or_default().push(server);
    }

    fn finish(mut self, units: &Units) -> InUsePaths {
        let doubtful: Vec<(FileId, &[u8])> = self.doubtful.iter().map(|(_, id, name)| (*id, &**name)).collect();
        let users = if doubtful.is_empty() { Default::default() } else { fs::users_of(&doubtful) };
        for (unit, id, name) in self.doubtful.into_iter().filter(|(_, id, _)| users.contains_key(id)) {
            self.found.entry(unit).or_default().push((id, name));
        }
        let expand = |path: &RepoPathBuf| -> Vec<RepoPathBuf> {
            if units.databases.contains(path) { files_of(path).collect() } else { vec![path.clone()] }
        };
        let paths = PathSet::topmost(self.found.keys().flat_map(expand).collect());
        InUsePaths { list: with_programs(self.found.into_iter().collect(), self.programs), paths }
    }
}

/// The running server that `postmaster.pid` in a directory names.
fn postgres_server(directory: &Dir) -> Option<Process> {
    let file = directory.open_file(b"postmaster.pid").ok()?;
    let mut text = [0; 64];
    let length = fs::read_next(&file, &mut text).ok()?;
    let pid: u32 = std::str::from_utf8(&text[..length]).ok()?.lines().next()?.trim().parse().ok()?;
    let name = fs::program_of(pid).filter(|name| name.starts_with("postgres") || name.starts_with("postmaster"))?;
    Some(Process { pid, name })
}

fn name_of(path: &RepoPath) -> Vec<u8> {
    path.name().unwrap_or_default().to_vec()
}

fn with_programs(found: Vec<(RepoPathBuf, Files)>, mut known: BTreeMap<RepoPathBuf, Vec<Process>>) -> Vec<InUse> {
    let files: Vec<(FileId, &[u8])> =
        found.iter().flat_map(|(_, files)| files.iter().map(|(id, name)| (*id, &**name))).collect();
    let users = if files.is_empty() { Default::default() } else { fs::users_of(&files) };
    let in_use = |(path, files): (RepoPathBuf, Files)| {
        let mut programs = known.remove(&path).unwrap_or_default();
        programs.extend(files.iter().filter_map(|(id, _)| users.get(id)).flatten().cloned());
        programs.sort();
        programs.dedup();
        InUse { path, programs }
    };
    found.into_iter().map(in_use).collect()
}
