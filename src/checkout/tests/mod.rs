//! Tests checkouts of real directories: a worktree and a store, without a journal.

mod kinds;
mod memory;
mod plans;
mod renames;
mod safety;
mod whole;

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{FileTypeExt, MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};

use super::execution::{change_worktree, flush_and_refresh};
use super::{Plan, Target, plan};
use crate::apply::in_use::InUsePaths;
use crate::apply::outcome::ApplyOutcome;
use crate::apply::staging::StagingArea;
use crate::apply::swap::WhenOpen;
use crate::chunk;
use crate::environment::Durability;
use crate::error::Result;
use crate::id::{BlobId, CommitId, ObjectId};
use crate::object::layout::Piece;
use crate::object::{Layout, ObjectKind, id_of};
use crate::path::RepoPathBuf;
use crate::progress::Silent;
use crate::store::{Compression, Options, Session, Store, Writer};
use crate::worktree::content::{Reading, Step};
use crate::worktree::scan::{self, Scan};
use crate::worktree::sink::Sink;
use crate::worktree::{HashSink, Index, Worktree};

/// A worktree and a store beside it.
pub struct Fixture {
    pub folder: tempfile::TempDir,
    pub store: Store,
}

/// What happened to a worktree.
pub struct Applied {
    pub plan: Plan,
    pub outcome: ApplyOutcome,
    pub scan: Scan,
}

impl Fixture {
    pub fn new() -> Fixture {
        let folder = tempfile::tempdir().unwrap();
        for name in ["tree", "tree/.undo", "tree/.undo/tmp", "store", "store/packs", "store/tmp"] {
            fs::create_dir(folder.path().join(name)).unwrap();
        }
        let options = Options {
            chunk: chunk::Params::default(),
            compression: Compression::Zstd(1),
            reflink: true,
            durability: Durability::Synced,
        };
        let store = Store::open(&folder.path().join("store"), &[], None, options).unwrap();
        Fixture { folder, store }
    }

    pub fn root(&self) -> PathBuf {
        self.folder.path().join("tree")
    }

    /// A path in the worktree.
    pub fn at(&self, path: &str) -> PathBuf {
        self.root().join(path)
    }

    pub fn worktree(&self) -> Worktree {
        Worktree::open(self.root(), false).unwrap()
    }

    /// Records the worktree: what it is now as a target, and the scan.
    pub fn record(&mut self) -> (Target, Scan) {
        self.record_despite(&[])
    }

    pub fn record_despite(&mut self, paths: &[&str]) -> (Target, Scan) {
        let worktree = self.worktree();
        let session = self.store.session();
        let despite_rules = paths.iter().map(|text| path(text)).collect();
        let options = scan::Options { despite_rules, ..scan::Options::default() };
        let sinks = || StoringSink { session: &session, writer: session.writer() };
        let scan = scan::scan(&worktree, &self.store, &Index::empty(), &options, &sinks, &Silent).unwrap();
        let stored = session.finish().unwrap();
        self.store.add_packs(&stored.packs).unwrap();
        let target = Target {
            commit: CommitId([7; 32]),
            root: scan.root.clone(),
            links: scan.links,
            uncovered: scan.uncovered.clone(),
            objects: scan.objects.clone(),
            unstable: Vec::new(),
            journals: Vec::new(),
            other_names: Vec::new(),
            halfway: Vec::new(),
        };
        (target, scan)
    }

    /// Reads the worktree without storing anything.
    pub fn scan(&self, index: &Index) -> Scan {
        let sinks = HashSink::new;
        scan::scan(&self.worktree(), &self.store, index, &scan::Options::default(), &sinks, &Silent).unwrap()
    }

    /// Records the worktree and makes it the target.
    pub fn check_out(&mut self, target: &Target) -> Applied {
        let (_, scan) = self.record();
        self.check_out_scan(scan, target, |_| {}).unwrap()
    }

    /// The same from a scan that was made before, with something done between plan and apply.
    pub fn check_out_scan(&self, mut scan: Scan, target: &Target, between: impl FnOnce(&Plan)) -> Result<Applied> {
        let worktree = self.worktree();
        let plan = plan(&self.store, &worktree, &scan, target)?;
        plan.update_index(&mut scan.index);
        super::check_conflicts(&plan, false)?;
        between(&plan);
        let mut outcome = ApplyOutcome::default();
        let staging = StagingArea::new(&worktree.root, Some(0xab));
        let how = (&plan, &InUsePaths::default(), WhenOpen::Keep, None, None);
        change_worktree(staging, &self.store, (&scan, target), how, &mut outcome, &Silent)?;
        flush_and_refresh(&worktree, &plan, &mut scan.index, &mut outcome, false)?;
        Ok(Applied { plan, outcome, scan })
    }

    /// The index that a checkout leaves, as the next command sees it.
    pub fn index(&self, done: &Applied) -> Index {
        let file = self.folder.path().join("index");
        done.scan.index.write(&file).unwrap();
        Index::open(&file)
    }

    /// Describes every entry of the worktree except the repository.
    pub fn describe_tree(&self) -> BTreeMap<String, String> {
        describe_tree(&self.root())
    }
}

/// Everything in a directory: kind, mode, time, owner, content and which names are one inode.
pub fn describe_tree(root: &Path) -> BTreeMap<String, String> {
    let mut described = BTreeMap::new();
    let mut inodes: BTreeMap<u64, String> = BTreeMap::new();
    let mut waiting = vec![root.to_owned()];
    while let Some(path) = waiting.pop() {
        let stat = fs::symlink_metadata(&path).unwrap();
        let name = path.strip_prefix(root).unwrap().to_string_lossy().into_owned();
        let kind = stat.file_type();
        let mut line =
            format!("{:o} {}:{} {}.{:09}", stat.mode(), stat.uid(), stat.gid(), stat.mtime(), stat.mtime_nsec());
        if kind.is_dir() {
            waiting.extend(fs::read_dir(&path).unwrap().map(|entry| entry.unwrap().path()));
            waiting.retain(|path| path.file_name().unwrap() != ".undo");
        } else if kind.is_symlink() {
            line += &format!(" -> {}", fs::read_link(&path).unwrap().display());
        } else if kind.is_file() {
            line += &format!(" {}", blake3::hash(&fs::read(&path).unwrap()).to_hex());
        } else if kind.is_fifo() {
            line += " fifo";
        }
        described.insert(name.clone(), line);
        if !kind.is_dir() && stat.nlink() > 1 {
            inodes.entry(stat.ino()).and_modify(|first| *first = first.clone().min(name.clone())).or_insert(name);
        }
    }
    // The first name of each inode that has several.
    let names: Vec<String> = described.keys().cloned().collect();
    for name in names {
        let stat = fs::symlink_metadata(root.join(&name)).unwrap();
        if let Some(first) = inodes.get(&stat.ino()).filter(|_| !stat.is_dir()) {
            described.get_mut(&name).unwrap().push_str(&format!(" is {first}"));
        }
    }
    described
}

pub fn path(text: &str) -> RepoPathBuf {
    RepoPathBuf::new(text.as_bytes().to_vec()).unwrap()
}

/// Sets mode, and a time that tells of it.
pub fn set(path: &Path, mode: u32, seconds: i64) {
    let stat = fs::symlink_metadata(path).unwrap();
    if !stat.is_symlink() {
        fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
    }
    let (parent, name) = (path.parent().unwrap(), path.file_name().unwrap());
    let time = crate::time::Timestamp { seconds, nanoseconds: 123_456_789 };
    crate::fs::Dir::open(parent).unwrap().set_mtime(name.as_bytes(), time, crate::fs::Atime::Omit).unwrap();
}

/// A sink that stores: small files whole, large ones in chunks of a fixed length.
struct StoringSink<'s> {
    session: &'s Session<'s>,
    writer: Writer<'s>,
}

/// Long enough that a file of a few MiB has many of them.
const CHUNK: usize = 256 << 10;

impl Sink for StoringSink<'_> {
    const STORES: bool = true;

    fn read(&mut self, reading: &mut Reading<'_>) -> Result<BlobId> {
        let mut pieces = Vec::new();
        let mut hasher = blake3::Hasher::new();
        let mut buffer = vec![0; CHUNK];
        loop {
            match reading.next(&mut buffer, 64 << 10)? {
                Step::Data(length) => {
                    hasher.update(&buffer[..length]);
                    let id = id_of(ObjectKind::Data, &buffer[..length]);
                    self.writer.put(ObjectKind::Data, id, &buffer[..length])?;
                    pieces.push(Piece::Chunk { id: id.into(), length: length as u32 });
                }
                Step::Hole(length) => {
                    hasher.update(&vec![0; length as usize]);
                    pieces.push(Piece::Zeros { length });
                }
                Step::End => break,
            }
        }
        let blob = BlobId(*hasher.finalize().as_bytes());
        if pieces.len() > 1 || matches!(pieces.first(), Some(Piece::Zeros { .. })) {
            let mut nodes = Vec::new();
            let root = Layout { pieces, ..Layout::default() }.save(blob, |id, bytes| {
                nodes.push((id, bytes));
                Ok(())
            })?;
            for (id, bytes) in nodes {
                self.writer.put(ObjectKind::LayoutNode, id.object_id(), &bytes)?;
            }
            self.writer.put(ObjectKind::Layout, blob.object_id(), &root)?;
        }
        Ok(blob)
    }

    fn object(&mut self, kind: ObjectKind, id: ObjectId, bytes: Vec<u8>) -> Result<Option<Vec<u8>>> {
        if !self.session.contains(kind, id) {
            self.writer.put(kind, id, &bytes)?;
        }
        Ok(None)
    }

    fn finish(self) -> Result<()> {
        self.writer.finish()
    }
}

/// Lets a file only grow, after which it gets no further names; `false` where that cannot be.
pub fn may_only_grow(file: &fs::File, only: bool) -> bool {
    use rustix::fs::{IFlags, ioctl_getflags, ioctl_setflags};
    let flags = ioctl_getflags(file).unwrap_or(IFlags::empty());
    let wanted = if only { flags | IFlags::APPEND } else { flags - IFlags::APPEND };
    ioctl_setflags(file, wanted).is_ok()
}
