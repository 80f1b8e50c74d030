//! Exports a commit into a new directory or a tar stream. Changes no repository.

use std::collections::HashMap;
use std::io::Write;
use std::path::Path;
use std::sync::Arc;

use serde::Serialize;

use crate::apply::plan::Plan;
use crate::apply::privileges::Limits;
use crate::apply::target::{NOT_RECORDED, Target};
use crate::diff::{self, Spliced};
use crate::error::{Error, ErrorKind, Result};
use crate::fs::{self, AtomicFile};
use crate::history::{entry_at, recorded};
use crate::id::{CommitId, LinksId, ObjectId};
use crate::message::Message;
use crate::metadata::Kind;
use crate::object::commit::unread;
use crate::object::{Content, Entry, Links, ObjectKind, Objects, Tree};
use crate::path::{RepoPath, RepoPathBuf};
use crate::progress::{Progress, Task, Unit};
use crate::quote::shell_word;
use crate::repo::Repository;
use crate::serialize::reasons;
use crate::store::Store;
use crate::worktree::Overlay;

mod directory;
mod plan;
mod tar;

pub use tar::Compression;

/// Destination of an export.
pub enum Destination<'d> {
    /// A directory, created if it does not exist. It must be empty.
    Directory(&'d Path),
    /// A tar stream (POSIX pax), written from beginning to end.
    Tar(&'d mut dyn Write, Compression),
}

/// The directory tree that an export writes, and its hard links.
pub struct Source {
    /// The directory.
    pub root: Entry,
    /// Hard links.
    pub links: Option<LinksId>,
    /// Trees and links that the store does not hold.
    pub objects: HashMap<(ObjectKind, ObjectId), Arc<[u8]>>,
    /// Files that kept changing while they were recorded: their content may be a mix of two states.
    pub unstable: Vec<RepoPathBuf>,
    /// Paths that could not be read when they were to be recorded.
    pub unread: Vec<RepoPathBuf>,
    /// Whether `root` says more of the directory than what is in it. If not, it stays as it is made, or as it was.
    pub is_root_known: bool,
    /// Limits on what root restores from a repository of another user.
    pub limits: Option<Limits>,
}

impl From<&Target> for Source {
    fn from(target: &Target) -> Source {
        let (root, objects, unstable) = (target.root.clone(), target.objects.clone(), target.unstable.clone());
        let unread = unread(&target.uncovered).cloned().collect();
        Source { root, links: target.links, objects, unstable, unread, is_root_known: true, limits: None }
    }
}

impl Source {
    /// A directory of a commit, or only some paths in it. [`ErrorKind::Usage`] if it is not a directory.
    pub fn directory(store: &Store, commit: CommitId, path: &RepoPath, only: Option<&[RepoPathBuf]>) -> Result<Source> {
        let target = Target::commit(store, commit)?;
        let target = only.map_or(Ok(target.clone()), |paths| selected(store, target, paths))?;
        let below = |paths: &mut dyn Iterator<Item = &RepoPathBuf>| {
            paths.filter_map(|one| one.below(path).map(ToOwned::to_owned)).collect()
        };
        let (unread, unstable) = (below(&mut unread(&target.uncovered)), below(&mut target.unstable.iter()));
        let Target { root, links, objects: mut made, .. } = target;
        let objects = Overlay { below: store, objects: &made };
        let all = recorded(store, commit, path)?;
        let entry = if only.is_some() { entry_at(&objects, &root, path)? } else { Some(all) };
        let entry = entry.ok_or_else(|| {
            let message = Message::path(path) + " contains none of the selected paths";
            Error::new(ErrorKind::NotFound, message)
                .hint("paths are relative to the current directory, or begin with `:/`")
        })?;
        if entry.kind() != Kind::Directory {
            let place = [commit.short().as_bytes(), b":", path.as_bytes()].concat();
            let message = Message::path(path) + format!(" is a {}, not a directory", entry.kind().word());
            return Err(Error::new(ErrorKind::Usage, message).hint(format!("undo cat {} > FILE", shell_word(&place))));
        }
        let links = links.map(|id| objects.links(id)).transpose()?;
        let links = match links {
            Some(links) => Some(links.below(path).save(|id, bytes| {
                made.insert((ObjectKind::Links, id.object_id()), bytes.into());
                Ok(())
            })?),
            None => None,
        };
        Ok(Source {
            root: Entry { name: Vec::new(), ..entry },
            links,
            objects: made,
            unstable,
            unread,
            is_root_known: true,
            limits: None,
        })
    }
}

/// The part of a commit at these paths, with the directories above them.
fn selected(store: &Store, target: Target, paths: &[RepoPathBuf]) -> Result<Target> {
    let mut made: HashMap<(ObjectKind, ObjectId), Arc<[u8]>> = HashMap::new();
    let tree = Tree { entries: Vec::new() }.save(|id, bytes| {
        made.insert((ObjectKind::Tree, id.object_id()), bytes.into());
        Ok(())
    })?;
    let nothing = Entry { content: Content::Directory { tree, entries: 0, size: 0 }, ..target.root.clone() };
    let empty = made.clone();
    let objects = Overlay { below: store, objects: &empty };
    let Spliced { root, links, .. } =
        diff::splice(&objects, (&nothing, None), (&target.root, target.links), paths, &mut |kind, id, bytes| {
            made.insert((kind, id), bytes.into());
            Ok(())
        })?;
    let is_selected = |path: &RepoPathBuf| paths.iter().any(|selected| path.is_within(selected));
    let unstable = target.unstable.iter().filter(|path| is_selected(path)).cloned().collect();
    let uncovered = target.uncovered.iter().filter(|one| is_selected(&one.path)).cloned().collect();
    Ok(Target { root, links, unstable, uncovered, objects: made, ..target })
}

/// Outcome of an export, with the field names of `docs/json.md`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Exported {
    /// Entries, without the root.
    pub entries: u64,
    /// Bytes of files.
    pub bytes: u64,
    /// Paths that are not exact, with reasons.
    #[serde(serialize_with = "reasons")]
    pub inexact: Vec<(RepoPathBuf, String)>,
    /// Paths whose content the store has lost, with reasons. They do not exist in the export.
    #[serde(serialize_with = "reasons")]
    pub damaged: Vec<(RepoPathBuf, String)>,
    /// Files whose content was purged. They do not exist in the export.
    pub purged: Vec<RepoPathBuf>,
    /// Files that kept changing while they were recorded and may be a mix of two states.
    #[serde(rename = "torn")]
    pub unstable: Vec<RepoPathBuf>,
}

impl Exported {
    /// The outcome for a directory of the worktree, with paths from the root of the worktree.
    pub fn of_directory(self, directory: &RepoPath) -> Exported {
        let reasons = |list: Vec<(RepoPathBuf, String)>| {
            list.into_iter().map(|(path, reason)| (directory.join_path(&path), reason)).collect()
        };
        let paths = |paths: &[RepoPathBuf]| paths.iter().map(|path| directory.join_path(path)).collect();
        let (purged, unstable) = (paths(&self.purged), paths(&self.unstable));
        Exported { inexact: reasons(self.inexact), damaged: reasons(self.damaged), purged, unstable, ..self }
    }

    fn count(&mut self, part: &Plan) {
        let (entries, bytes) = part.amounts();
        (self.entries, self.bytes) = (self.entries + entries, self.bytes + bytes);
        self.purged.extend_from_slice(&part.purged);
    }
}

/// An export in progress.
struct Export<'e> {
    store: &'e Store,
    /// The objects of the store and of the source.
    objects: &'e dyn Objects,
    source: &'e Source,
    /// Hard links of the source.
    links: Links,
    task: &'e dyn Task,
}

/// Writes everything to an empty destination.
///
/// [`ErrorKind::Refused`] if the directory is not empty. Any other failure leaves it empty.
pub fn export(
    store: &Store,
    source: impl Into<Source>,
    destination: Destination<'_>,
    progress: &dyn Progress,
) -> Result<Exported> {
    let source = source.into();
    let objects = &Overlay { below: store, objects: &source.objects };
    let links = source.links.map_or(Ok(Links::default()), |id| objects.links(id))?;
    let task = progress.start("exporting", Unit::Bytes, Some(source.root.size()));
    let export = Export { store, objects, source: &source, links, task: &*task };
    let exported = match destination {
        Destination::Tar(writer, compression) => export.write_archive(writer, compression)?,
        Destination::Directory(path) => export.write_directory(path)?,
    };
    let unread = source.unread.iter().map(|path| (path.clone(), NOT_RECORDED.to_owned()));
    let inexact = exported.inexact.into_iter().chain(unread).collect();
    Ok(Exported { inexact, unstable: source.unstable.clone(), ..exported })
}

/// Exports to a path outside the repository: to a new tar file if its name ends like one, otherwise to a directory. A tar
/// file gets its name when it is complete.
pub fn export_to(
    repository: &Repository,
    source: Source,
    path: &Path,
    trust_owner: bool,
    progress: &dyn Progress,
) -> Result<Exported> {
    let Some(compression) = compression(path) else {
        check_archive_kind(path)?;
        return export_to_directory(repository, source, path, trust_owner, progress);
    };
    check_not_repository(repository, path)?;
    if fs::exists(path)? {
        return Err(taken(path));
    }
    let archive = AtomicFile::create(path)?;
    let to = Destination::Tar(&mut archive.file(), compression);
    let exported = export(repository.store(), source, to, progress)?;
    if archive.publish(repository.environment.durability())? { Ok(exported) } else { Err(taken(path)) }
}

fn taken(path: &Path) -> Error {
    let message = format!("`{}` already exists", path.display());
    Error::new(ErrorKind::Refused, message).hint("name a new file")
}

/// Exports to a directory of any name.
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
        return Err(Error::new(ErrorKind::Refused, message).hint("choose a place outside `.undo`"));
    }
    Ok(())
}

/// Compression of a tar file, by the end of its name.
fn compression(path: &Path) -> Option<Compression> {
    let name = path.to_string_lossy();
    match () {
        () if name.ends_with(".tar") => Some(Compression::None),
        () if name.ends_with(".tar.gz") || name.ends_with(".tgz") => Some(Compression::Gzip),
        () if name.ends_with(".tar.zst") => Some(Compression::Zstd),
        () => None,
    }
}

/// Rejects names of archives that cannot be written, unless a directory of that name exists.
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

#[cfg(test)]
mod tests;
