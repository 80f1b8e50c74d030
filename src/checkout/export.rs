//! Export: a commit written into a new directory or a tar stream; no repository changes, and none is needed to read it.

use std::collections::HashSet;
use std::io::Write;
use std::path::Path;

use crate::error::{Error, ErrorKind, Result};
use crate::fs::{self, AtomicFile, Dir};
use crate::metadata::Kind;
use crate::object::{Links, Objects};
use crate::path::{RepoPath, RepoPathBuf};
use crate::progress::{Progress, Task, Unit};
use crate::repo::Repository;
use crate::store::Store;
use crate::worktree::Overlay;
use crate::worktree::index::Builder;

use super::apply;
use super::context::ApplyContext;
use super::export_plan;
use super::in_use::Left;
use super::limits::Limits;
use super::outcome::ApplyOutcome;
use super::refresh_index;
use super::renames::RenamePlan;
use super::staging::StagingArea;
use super::swap::WhenOpen;
use super::tar;
use super::target::Target;

pub use super::tar::Compression;
pub use super::target::Source;

/// Where to.
pub enum Destination<'d> {
    /// A directory, made if it is not there. It must be empty.
    Directory(&'d Path),
    /// A tar stream (POSIX pax), written from beginning to end.
    Tar(&'d mut dyn Write, Compression),
}

/// What was written.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Exported {
    /// Entries, without the root.
    pub entries: u64,
    /// Bytes of files.
    pub bytes: u64,
    /// What could not be made exact, with the reason.
    pub inexact: Vec<(RepoPathBuf, String)>,
    /// What the store has lost, with the reason: not there.
    pub damaged: Vec<(RepoPathBuf, String)>,
    /// Files that kept changing while they were recorded and may be a mix of two states.
    pub torn: Vec<RepoPathBuf>,
}

/// Writes everything: there is nothing to be compared with.
///
/// [`ErrorKind::Refused`] if the directory is not empty. Any other failure leaves it empty.
pub fn export(
    store: &Store,
    source: impl Into<Source>,
    destination: Destination<'_>,
    progress: &dyn Progress,
) -> Result<Exported> {
    let source = source.into();
    let objects = Overlay { below: store, objects: &source.objects };
    let links = source.links.map_or(Ok(Links::default()), |id| objects.links(id))?;
    let task = progress.start("exporting", Unit::Bytes, Some(source.root.size()));
    let mut exported = match destination {
        Destination::Tar(writer, compression) => {
            let (entries, bytes) = tar::write(store, &objects, (&source, &links), (writer, compression), &*task)?;
            Exported { entries, bytes, ..Exported::default() }
        }
        Destination::Directory(path) => fill(store, &objects, (&source, &links), path, &*task)?,
    };
    exported.torn.clone_from(&source.torn);
    Ok(exported)
}

/// Writes all into an empty directory, which is made when it is known what comes first.
fn fill(
    store: &Store,
    objects: &dyn Objects,
    (source, links): (&Source, &Links),
    path: &Path,
    task: &dyn Task,
) -> Result<Exported> {
    let mut exported = Exported::default();
    let mut tally = ApplyOutcome::default();
    // Of all that is in place only what later parts may link to.
    let linked: HashSet<&RepoPath> = links.groups.iter().flatten().map(|path| &**path).collect();
    let saved = Builder::default();
    let (mut root, left) = (None, Left::default());
    let mut parts = 0;
    let written = export_plan::plans(objects, source, links, &mut |plan| {
        parts += 1;
        let (entries, bytes) = plan.amounts();
        (exported.entries, exported.bytes) = (exported.entries + entries, exported.bytes + bytes);
        let root = match &root {
            Some(root) => root,
            None => root.insert(empty_directory(path)?),
        };
        let (site, torn) = (StagingArea::new(root, None), HashSet::new());
        let work = ApplyContext {
            site,
            store,
            objects,
            target: &source.root,
            saved: &saved,
            is_stat_doubtful: false,
            torn,
            left: &left,
            when_open: WhenOpen::Replace,
            plan,
            moved: RenamePlan::default(),
            limits: source.limits,
            task,
        };
        apply::apply(&work, &mut tally)?;
        let told = refresh_index::told(root, plan, &tally)?;
        tally.inexact.extend(told);
        tally.keep_placed(plan, &linked);
        Ok(())
    });
    if let (Err(_), Some(root)) = (&written, &root) {
        remove_written(objects, (source, links), root, parts);
    }
    written?;
    if root.is_none() {
        empty_directory(path)?;
    }
    let taken = |path: RepoPathBuf| (path, "something else has this name".to_owned());
    tally.inexact.extend(tally.changed.into_iter().map(taken));
    (exported.inexact, exported.damaged) = (tally.inexact.into_iter().collect(), tally.damaged.into_iter().collect());
    Ok(exported)
}

/// Removes what the first parts of an export have written, if possible, so that the export can be repeated.
fn remove_written(objects: &dyn Objects, (source, links): (&Source, &Links), root: &Dir, mut parts: usize) {
    let mut directories = Vec::new();
    let _ = export_plan::plans(objects, source, links, &mut |plan| {
        for action in plan.actions() {
            let (path, entry) = (action.path(), action.entry());
            if entry.is_some_and(|entry| entry.kind() == Kind::Directory) {
                directories.push(path.to_owned());
            } else if let (Some(parent), Some(name)) = (path.parent(), path.name()) {
                let _ = root.open_below(parent).and_then(|parent| parent.remove_file(name));
            }
        }
        parts -= 1;
        if parts > 0 { Ok(()) } else { Err(Error::new(ErrorKind::Internal, "this was the last part")) }
    });
    for path in directories.iter().rev() {
        if let (Some(parent), Some(name)) = (path.parent(), path.name()) {
            let _ = root.open_below(parent).and_then(|parent| parent.remove_dir(name));
        }
    }
}

/// The same to a path: to a tar file that is not there yet if its name says so, else to a directory. Not into the
/// repository. A tar file has its name when it is whole, and after a failure it is not there.
pub fn export_to(
    repository: &Repository,
    target: &Target,
    path: &Path,
    trust_owner: bool,
    progress: &dyn Progress,
) -> Result<Exported> {
    let Some(compression) = compression(path) else {
        check_archive_kind(path)?;
        return export_to_directory(repository, target, path, trust_owner, progress);
    };
    check_not_repository(repository, path)?;
    if fs::exists(path)? {
        return Err(taken(path));
    }
    let archive = AtomicFile::create(path)?;
    let to = Destination::Tar(&mut archive.file(), compression);
    let exported = export(repository.store(), target, to, progress)?;
    if archive.publish(repository.environment.durability())? { Ok(exported) } else { Err(taken(path)) }
}

fn taken(path: &Path) -> Error {
    let message = format!("`{}` already exists", path.display());
    Error::new(ErrorKind::Refused, message).hint("name a new file")
}

/// The same to a directory, whatever its name is.
pub fn export_to_directory(
    repository: &Repository,
    source: impl Into<Source>,
    path: &Path,
    trust_owner: bool,
    progress: &dyn Progress,
) -> Result<Exported> {
    check_not_repository(repository, path)?;
    let limits = Limits::of(&repository.layout, trust_owner);
    let source = Source { limits, ..source.into() };
    export(repository.store(), source, Destination::Directory(path), progress)
}

fn check_not_repository(repository: &Repository, path: &Path) -> Result<()> {
    let real = path.ancestors().find_map(|above| fs::canonicalize(above).ok());
    if real.is_some_and(|real| real.starts_with(&repository.layout.repository)) {
        let message = format!("`{}` is in the repository", path.display());
        return Err(Error::new(ErrorKind::Refused, message).hint("choose a place outside of `.undo`"));
    }
    Ok(())
}

/// Of a tar file, by the ending of its name.
fn compression(path: &Path) -> Option<Compression> {
    let name = path.to_string_lossy();
    match () {
        () if name.ends_with(".tar") => Some(Compression::None),
        () if name.ends_with(".tar.gz") || name.ends_with(".tgz") => Some(Compression::Gzip),
        () if name.ends_with(".tar.zst") => Some(Compression::Zstd),
        () => None,
    }
}

/// A directory of such a name is not what is wanted.
fn check_archive_kind(path: &Path) -> Result<()> {
    let name = path.to_string_lossy();
    let is_other = [".zip", ".7z", ".rar", ".tbz", ".txz"].iter().any(|ending| name.ends_with(ending))
        || name.rsplit_once('.').is_some_and(|(stem, _)| stem.ends_with(".tar"));
    if !is_other || fs::exists(path)? {
        return Ok(());
    }
    let message = format!("`{}` has an unsupported archive type", path.display());
    Err(Error::new(ErrorKind::Usage, message)
        .hint("name a `.tar`, `.tar.gz` or `.tar.zst`, or create the directory first"))
}

fn empty_directory(path: &Path) -> Result<Dir> {
    let refused = |what: &str| {
        let message = format!("`{}` {what}", path.display());
        Err(Error::new(ErrorKind::Refused, message).hint("name a new directory"))
    };
    if fs::stat(path)?.is_some_and(|stat| !matches!(stat.kind, Kind::Directory | Kind::Symlink)) {
        return refused("already exists and is not a directory");
    }
    fs::create_dir_all(path)?;
    let root = Dir::open(path)?;
    if root.entries()?.is_empty() { Ok(root) } else { refused("is not empty") }
}
