//! The paths of a repository's files, and how to find a repository from a directory.
//!
//! `.undo` at the root of the worktree is the repository folder, or a small file with the path of a folder elsewhere:
//!
//! ```text
//! undo store 1
//! id = <the id in the store's `format`>
//! directory = <which of the store's directories this is, in hex>
//! path = <absolute path, up to the last byte of the file, which is a newline>
//! ```

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use crate::environment::Durability;
use crate::error::{Error, ErrorKind, Result};
use crate::fs;
use crate::id::{DirectoryId, PackId};
use crate::metadata::Kind;
use crate::path::{REPOSITORY, RepoPathBuf};
use crate::quote::shell_path;
use crate::repo::format::Format;
use crate::repo::staged_markers::remove_staged_markers;
use crate::repo::store_name::is_store_name;

/// The paths of a worktree and of its repository.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Layout {
    /// The user's directory.
    pub worktree: PathBuf,
    /// The repository folder: `.undo`, or the folder whose path is in the file `.undo`.
    pub repository: PathBuf,
    /// How the directory is connected to the repository.
    pub attachment: Attachment,
    /// The directory of the worktree from which it was found. Relative paths in revisions start there.
    pub start: RepoPathBuf,
}

/// How a directory is connected to its repository.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Attachment {
    /// `.undo` is the repository folder, and moves with the directory.
    Own,
    /// `.undo` is a symbolic link to the repository folder, or a mount of it: other directories may use it too.
    Linked,
    /// `.undo` is a file with the path of the repository folder and the id of this directory.
    Store(Option<DirectoryId>),
}

/// Defines methods that return the paths of files.
macro_rules! files {
    ($all:ident, $folder:ident: $($(#[$doc:meta])* $name:ident = $file:literal,)+) => {
        impl Layout {
            /// The methods for the files of this folder.
            pub(super) const $all: &[fn(&Layout) -> PathBuf] = &[$(Layout::$name),+];
        }
        files! { $folder: $($(#[$doc])* $name = $file,)+ }
    };
    ($folder:ident: $($(#[$doc:meta])* $name:ident = $file:literal,)+) => {
        impl Layout {
            $($(#[$doc])*
            #[allow(dead_code, reason = "a small build does not use all of them")]
            pub fn $name(&self) -> PathBuf {
                self.$folder($file)
            })+
        }
    };
}

files! { in_repository:
    /// Version, features and chunk parameters.
    format = "format",
    /// The settings.
    config = "config.toml",
    /// The folder of packs.
    packs = "packs",
    /// The folder of masks.
    masks = "masks",
    /// A cache: where objects are in the packs.
    catalog = "catalog",
    /// The folder of journal segments.
    journal = "journal",
    /// Staged files of the repository. The holder of the lock may delete them.
    tmp = "tmp",
    /// Lock of the writer.
    lock = "lock",
    /// Files that a clone writes while it fetches their content.
    fetched = "fetched.tmp",
    /// New packs of a garbage collection, which the holder of its lock may delete.
    gc = "gc",
    /// Lock that allows one garbage collection at a time.
    gc_lock = "gc.lock",
    /// Space that is released when the disk is full.
    reserve = "reserve",
    /// Marks a repository with data that was not flushed.
    unsynced = "unsynced",
    /// Folder of what is known of targets, and of locks of pushes.
    targets = "targets",
    /// Lock that allows one process that waits to push automatically.
    automatic_push_lock = "push.lock",
    /// A cache: when `verify` checked which packs.
    checked = "checked",
    /// Keeps git from recording, stashing or removing the repository.
    git_ignore = ".gitignore",
}

files! { OF_WORKTREE, of_worktree:
    /// The index.
    index = "index",
    /// Lock that allows one `undo run` at a time in a worktree.
    run_lock = "run",
    /// Whether the directory is small enough for a first automatic commit.
    first_automatic = "first-automatic",
    /// Marks unrecorded changes of a command.
    unrecorded_run = "unrecorded-run",
    /// Records the modes of directories that a checkout has made accessible.
    opened_directories = "opened-directories",
}

impl Attachment {
    /// The directory id in the file `.undo`.
    pub fn directory(self) -> Option<DirectoryId> {
        match self {
            Attachment::Store(directory) => directory,
            Attachment::Own | Attachment::Linked => None,
        }
    }
}

impl Layout {
    /// The layout of a worktree and its repository, used from the root of the worktree.
    pub fn new(worktree: &Path, repository: &Path, attachment: Attachment) -> Layout {
        let start = RepoPathBuf::default();
        Layout { worktree: worktree.to_owned(), repository: repository.to_owned(), attachment, start }
    }

    /// The layout of the first directory that contains `.undo`, from `start` upwards. [`ErrorKind::NoRepository`] if none does.
    pub fn discover(start: &Path) -> Result<Layout> {
        let start = fs::canonicalize(start)?;
        Layout::find(&start)?.ok_or_else(|| {
            Error::new(ErrorKind::NoRepository, format!("no repository in `{}` or above it", start.display()))
                .hint("create one here with `undo init`")
        })
    }

    /// Like [`Layout::discover`], but `None` if no directory contains `.undo`. A `.undo` that cannot be used remains an error.
    pub fn find(start: &Path) -> Result<Option<Layout>> {
        let begin = fs::canonicalize(start)?;
        for directory in begin.ancestors() {
            if let Some(layout) = Layout::at(directory)? {
                let start = begin.strip_prefix(directory).unwrap_or(Path::new(""));
                let start = RepoPathBuf::new(start.as_os_str().as_bytes().to_vec()).unwrap_or_default();
                return Ok(Some(Layout { start, ..layout }));
            }
        }
        Ok(None)
    }

    /// The layout of a directory. `None` if the directory does not contain `.undo`.
    pub fn at(directory: &Path) -> Result<Option<Layout>> {
        let marker = marker(directory);
        let Some(stat) = fs::stat(&marker)? else { return Ok(None) };
        let kind = if stat.kind == Kind::Symlink { fs::target_kind(&marker)? } else { Some(stat.kind) };
        let (repository, attachment) = match kind {
            Some(Kind::File) => {
                let link = StoreLink::read(&marker)?;
                let attachment = Attachment::Store(link.directory);
                (link.follow(&marker)?, attachment)
            }
            Some(Kind::Directory) if stat.kind == Kind::Directory && !stat.is_mounted => (marker, Attachment::Own),
            Some(Kind::Directory) => (marker, Attachment::Linked),
            kind => return Err(no_repository(&marker, kind)),
        };
        Ok(Some(Layout::new(directory, &repository, attachment)))
    }

    /// Ids and paths of all pack files, named by the journal or not.
    pub fn pack_files(&self) -> Result<Vec<(PackId, PathBuf)>> {
        let mut found = Vec::new();
        for folder in fs::list(&self.packs())? {
            let folder = self.packs().join(OsStr::from_bytes(&folder));
            let file = |name: &Vec<u8>| {
                let name = std::str::from_utf8(name).ok()?;
                Some((PackId::parse(name)?, folder.join(name)))
            };
            found.extend(fs::list(&folder).unwrap_or_default().iter().filter_map(file));
        }
        Ok(found)
    }
    /// A pack file, in a folder named after the first byte of its id.
    pub fn pack(&self, id: PackId) -> PathBuf {
        let name = id.to_string();
        self.packs().join(&name[..2]).join(name)
    }
    fn in_repository(&self, name: &str) -> PathBuf {
        self.repository.join(name)
    }

    /// A file for this worktree. Several worktrees may share a store elsewhere.
    fn of_worktree(&self, name: &str) -> PathBuf {
        if !self.is_elsewhere() {
            return self.repository.join(name);
        }
        let hash = blake3::hash(self.worktree.as_os_str().as_bytes());
        self.repository.join(format!("{name}-{}", &hash.to_hex()[..8]))
    }
    /// `.undo` at the root of the worktree.
    pub fn marker(&self) -> PathBuf {
        marker(&self.worktree)
    }
    /// Writes the file `.undo` of a directory with a store elsewhere, which has this id.
    pub fn write_marker(&self, store: String, durability: Durability) -> Result<()> {
        remove_staged_markers(&self.worktree)?;
        let link = StoreLink { id: store, directory: self.attachment.directory(), path: self.repository.clone() };
        fs::write_atomic(&self.marker(), [link.encode()], durability)
    }
    /// Whether the store is outside the worktree.
    pub fn is_elsewhere(&self) -> bool {
        self.repository != self.marker()
    }
    /// Whether the store has the name of one in a user's state directory.
    pub fn is_outside(&self) -> bool {
        let name = self.repository.file_name().unwrap_or_default();
        matches!(self.attachment, Attachment::Store(_)) && is_store_name(name.as_bytes())
    }
    /// Path of the repository folder, if `.undo` leads to another place in the worktree itself: deleting that part of
    /// the worktree would delete the history.
    pub fn inside_worktree(&self) -> Option<PathBuf> {
        if self.attachment == Attachment::Own {
            return None;
        }
        let folder = fs::canonicalize(&self.repository).ok()?;
        let is_inside = folder != self.marker() && fs::lies_in(&folder, &self.worktree).ok()?;
        is_inside.then_some(folder)
    }
}

/// The error for a path that is neither a repository nor names one; `None` means a dangling link.
fn no_repository(marker: &Path, kind: Option<Kind>) -> Error {
    let remove = format!("rm {}", shell_path(marker));
    let path = marker.display();
    match kind {
        Some(kind) => {
            let message = format!("`{path}` is a {}, neither a repository nor a file that names one", kind.word());
            Error::new(ErrorKind::NoRepository, message).hint(format!("remove it: {remove}"))
        }
        None => Error::new(ErrorKind::NoRepository, format!("`{path}` is a dangling link"))
            .hint(format!("mount the disk that it leads to, or remove the link: {remove}")),
    }
}

/// `.undo` in a directory.
pub fn marker(directory: &Path) -> PathBuf {
    directory.join(OsStr::from_bytes(REPOSITORY))
}

/// Content of a file `.undo`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoreLink {
    /// The id in the `format` of the store, in hex.
    pub id: String,
    /// Id of the directory in the store; `None` if attached by an older version.
    pub directory: Option<DirectoryId>,
    /// Path of the store.
    pub path: PathBuf,
}

/// Longer than any valid path.
const LONGEST_LINK: usize = 8 << 10;

impl StoreLink {
    /// Encodes the file.
    pub fn encode(&self) -> Vec<u8> {
        let directory = self.directory.map(|id| format!("directory = {id}\n")).unwrap_or_default();
        let head = format!("undo store 1\nid = {}\n{directory}path = ", self.id);
        [head.as_bytes(), self.path.as_os_str().as_bytes(), b"\n"].concat()
    }

    /// Reads the file `.undo`.
    pub fn read(marker: &Path) -> Result<StoreLink> {
        let bytes = fs::read(marker)?.unwrap_or_default();
        StoreLink::parse(&bytes).map_err(|error| {
            let detach = || "remove that file, then attach the store again: undo init --store DIR".to_owned();
            let hint = error.hint_text().unwrap_or_else(detach);
            error.context(format!("`{}`", marker.display())).hint(hint)
        })
    }

    fn parse(bytes: &[u8]) -> Result<StoreLink> {
        let garbled = || Error::damaged("neither a repository nor the path of one");
        if bytes.len() > LONGEST_LINK {
            return Err(garbled());
        }
        let rest = bytes.strip_prefix(b"undo store ").ok_or_else(garbled)?;
        let Some(rest) = rest.strip_prefix(b"1\n") else {
            return Err(Error::new(ErrorKind::Unsupported, "written by a newer version of undo").hint("update undo"));
        };
        let rest = rest.strip_prefix(b"id = ").ok_or_else(garbled)?;
        let (id, rest) = rest.split_at_checked(32).ok_or_else(garbled)?;
        let (directory, rest) = match rest.strip_prefix(b"\ndirectory = ") {
            Some(rest) => {
                let (id, rest) = rest.split_at_checked(32).ok_or_else(garbled)?;
                let id = std::str::from_utf8(id).ok().and_then(DirectoryId::parse).ok_or_else(garbled)?;
                (Some(id), rest)
            }
            None => (None, rest),
        };
        let path = rest.strip_prefix(b"\npath = ").and_then(|rest| rest.strip_suffix(b"\n")).ok_or_else(garbled)?;
        let id = String::from_utf8(id.to_vec()).map_err(|_| garbled())?;
        if !path.starts_with(b"/") {
            return Err(garbled());
        }
        Ok(StoreLink { id, directory, path: Path::new(OsStr::from_bytes(path)).to_owned() })
    }

    /// The path of the store. Fails if the store does not exist; creates nothing.
    fn follow(self, marker: &Path) -> Result<PathBuf> {
        let format = self.path.join("format");
        let (store, shown) = (self.path.display(), marker.display());
        let message = if !fs::exists(&format)? {
            format!("the store `{store}` that `{shown}` names does not exist")
        } else if Format::open(&format)?.id_text() != self.id {
            format!("`{store}` is not the store that `{shown}` names, but another one")
        } else {
            return Ok(self.path);
        };
        Err(Error::new(ErrorKind::NoRepository, message).hint(format!(
            "mount its disk, or if the store was moved, update the path in that file; if it is lost, remove that file: rm {}",
            shell_path(marker)
        )))
    }
}

#[cfg(test)]
mod tests;
