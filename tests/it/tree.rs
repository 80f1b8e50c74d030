//! Reads a directory with all its properties, independently of the tested code, to compare two of them.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Debug;
use std::fs::File;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::FileExt;
use std::path::Path;

use rustix::fs::{AtFlags, Dir, Mode, OFlags, SeekFrom, Stat, openat, statat};

/// All entries of a directory; the directory itself has the empty path. `.undo` at its root is left out.
#[derive(Clone)]
pub struct Tree {
    /// Nodes by the bytes of their paths.
    pub nodes: BTreeMap<Vec<u8>, Node>,
}

/// A directory entry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Node {
    /// File type and permission bits, as in `st_mode`.
    pub mode: u32,
    pub uid: u32,
    pub gid: u32,
    /// Seconds and nanoseconds.
    pub mtime: (i64, u64),
    /// Size of files and symlinks; 0 for directories, whose size depends on the file system.
    pub size: u64,
    /// Device number of devices.
    pub rdev: u64,
    /// Hash of a file's bytes, independent of holes; `None` if unreadable.
    pub content: Option<blake3::Hash>,
    /// Target of a symlink.
    pub target: Vec<u8>,
    /// Start and end of the holes of a file.
    pub holes: Vec<(u64, u64)>,
    pub attributes: BTreeMap<Vec<u8>, Vec<u8>>,
    /// Other names of the same file in this directory.
    pub other_names: Vec<Vec<u8>>,
}

impl Tree {
    /// Reads a directory.
    pub fn read(path: &Path) -> Tree {
        let root = std::fs::canonicalize(path).unwrap();
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let directory = rustix::fs::open(&root, flags, Mode::empty()).unwrap();
        let mut walk = Walk { nodes: BTreeMap::new(), names: BTreeMap::new(), path: Vec::new() };
        let stat = rustix::fs::fstat(&directory).unwrap();
        walk.add(directory.as_fd(), b".", &stat);
        walk.directory(directory);
        for names in walk.names.values() {
            for name in names {
                let node = walk.nodes.get_mut(name).unwrap();
                node.other_names = names.iter().filter(|other| *other != name).cloned().collect();
            }
        }
        Tree { nodes: walk.nodes }
    }

    /// Returns the hashes of all file contents.
    pub fn contents(&self) -> BTreeSet<[u8; 32]> {
        self.nodes.values().filter_map(|node| node.content).map(|hash| *hash.as_bytes()).collect()
    }

    /// Returns the subtree at a path, without hard links elsewhere.
    pub fn below(&self, path: &Path) -> Tree {
        let path = path.as_os_str().as_bytes();
        let is_below = |name: &[u8]| name.strip_prefix(path).is_some_and(|rest| rest.is_empty() || rest[0] == b'/');
        let mut nodes = self.nodes.clone();
        nodes.retain(|name, _| is_below(name));
        nodes.values_mut().for_each(|node| node.other_names.retain(|name| is_below(name)));
        Tree { nodes }
    }

    /// Describes the differences from another tree; empty if they are equal.
    pub fn differences(&self, other: &Tree) -> Vec<String> {
        let mut lines = Vec::new();
        for (path, node) in &self.nodes {
            match other.nodes.get(path) {
                None => lines.push(format!("{}: only in the first", format_path(path))),
                Some(second) => {
                    lines.extend(node.differences(second).iter().map(|line| format!("{}: {line}", format_path(path))))
                }
            }
        }
        let added = other.nodes.keys().filter(|path| !self.nodes.contains_key(*path));
        lines.extend(added.map(|path| format!("{}: only in the second", format_path(path))));
        lines
    }
}

impl Node {
    fn differences(&self, other: &Node) -> Vec<String> {
        fn line(what: &str, old: &dyn Debug, new: &dyn Debug) -> Option<String> {
            let (old, new) = (format!("{old:?}"), format!("{new:?}"));
            (old != new).then(|| format!("{what} {old} ≠ {new}"))
        }
        let octal = |mode: u32| format!("{mode:o}");
        let names = |other_names: &[Vec<u8>]| other_names.iter().map(|path| format_path(path)).collect::<Vec<_>>();
        let lines = [
            line("mode", &octal(self.mode), &octal(other.mode)),
            line("owner", &(self.uid, self.gid), &(other.uid, other.gid)),
            line("mtime", &self.mtime, &other.mtime),
            line("size", &self.size, &other.size),
            line("device", &self.rdev, &other.rdev),
            line("content", &self.content, &other.content),
            line("target", &format_path(&self.target), &format_path(&other.target)),
            line("holes", &self.holes, &other.holes),
            line("attributes", &self.attributes, &other.attributes),
            line("other names", &names(&self.other_names), &names(&other.other_names)),
        ];
        lines.into_iter().flatten().collect()
    }
}

/// Checks that two trees are equal, and lists the differences.
#[track_caller]
pub fn assert_same(first: &Tree, second: &Tree) {
    let mut lines = first.differences(second);
    let count = lines.len();
    lines.truncate(40);
    assert!(lines.is_empty(), "{count} differences between first and second:\n  {}\n", lines.join("\n  "));
}

/// Formats a path: the root as `.`, odd bytes escaped, very long paths shortened.
fn format_path(path: &[u8]) -> String {
    match path {
        [] => ".".to_owned(),
        [start @ .., _] if path.len() > 300 => {
            format!("{}…{}", start[..100].escape_ascii(), path[path.len() - 100..].escape_ascii())
        }
        _ => path.escape_ascii().to_string(),
    }
}

struct Walk {
    nodes: BTreeMap<Vec<u8>, Node>,
    /// Names of files with several names, by device and inode.
    names: BTreeMap<(u64, u64), Vec<Vec<u8>>>,
    path: Vec<u8>,
}

impl Walk {
    /// Reads a directory recursively, and returns it. Keeps one directory open at a time and uses no paths, so there is
    /// no limit on depth.
    fn directory(&mut self, directory: OwnedFd) -> OwnedFd {
        let mut names: Vec<Vec<u8>> = Dir::read_from(&directory)
            .unwrap()
            .map(|entry| entry.unwrap().file_name().to_bytes().to_vec())
            .filter(|name| name != b"." && name != b".." && !(self.path.is_empty() && name == b".undo"))
            .collect();
        names.sort();
        let mut directory = directory;
        for name in names {
            let stat = statat(&directory, &*name, AtFlags::SYMLINK_NOFOLLOW).unwrap();
            let length = self.path.len();
            if length > 0 {
                self.path.push(b'/');
            }
            self.path.extend_from_slice(&name);
            self.add(directory.as_fd(), &name, &stat);
            if kind(&stat) == rustix::fs::FileType::Directory {
                let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
                if let Ok(below) = openat(&directory, &*name, flags, Mode::empty()) {
                    drop(directory);
                    let below = self.directory(below);
                    directory = openat(&below, "..", flags, Mode::empty()).unwrap();
                }
            }
            self.path.truncate(length);
        }
        directory
    }

    fn add(&mut self, directory: BorrowedFd<'_>, name: &[u8], stat: &Stat) {
        use rustix::fs::FileType;
        let kind = kind(stat);
        let mut node = Node {
            mode: stat.st_mode,
            uid: stat.st_uid,
            gid: stat.st_gid,
            mtime: (stat.st_mtime, stat.st_mtime_nsec),
            size: if kind == FileType::Directory { 0 } else { stat.st_size as u64 },
            rdev: if matches!(kind, FileType::CharacterDevice | FileType::BlockDevice) { stat.st_rdev } else { 0 },
            content: None,
            target: Vec::new(),
            holes: Vec::new(),
            attributes: attributes(directory, name),
            other_names: Vec::new(),
        };
        match kind {
            FileType::RegularFile => {
                let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
                if let Ok(file) = openat(directory, name, flags, Mode::empty()) {
                    (node.content, node.holes) = read(&File::from(file), node.size);
                }
            }
            FileType::Symlink => {
                node.target = rustix::fs::readlinkat(directory, name, Vec::new()).unwrap().into_bytes();
            }
            _ => {}
        }
        if kind != FileType::Directory && stat.st_nlink > 1 {
            self.names.entry((stat.st_dev, stat.st_ino)).or_default().push(self.path.clone());
        }
        self.nodes.insert(self.path.clone(), node);
    }
}

fn kind(stat: &Stat) -> rustix::fs::FileType {
    rustix::fs::FileType::from_raw_mode(stat.st_mode)
}

/// Reads all extended attributes, through a path in /proc, as no call takes a directory and a name.
fn attributes(directory: BorrowedFd<'_>, name: &[u8]) -> BTreeMap<Vec<u8>, Vec<u8>> {
    let mut path = format!("/proc/self/fd/{}/", directory.as_raw_fd()).into_bytes();
    path.extend_from_slice(name);
    let mut list = vec![0; 64 << 10];
    let Ok(length) = rustix::fs::llistxattr(&*path, &mut list[..]) else { return BTreeMap::new() };
    let names = list[..length].split(|&byte| byte == 0).filter(|name| !name.is_empty());
    names
        .map(|name| {
            let mut value = vec![0; 64 << 10];
            let length = rustix::fs::lgetxattr(&*path, name, &mut value[..]).unwrap();
            value.truncate(length);
            (name.to_vec(), value)
        })
        .collect()
}

/// Returns content hash and holes. Only blocks that are not all zeros are hashed, each with its offset.
fn read(file: &File, size: u64) -> (Option<blake3::Hash>, Vec<(u64, u64)>) {
    const BLOCK: u64 = 4096;
    let mut hasher = blake3::Hasher::new();
    let mut holes = Vec::new();
    let mut block = [0; BLOCK as usize];
    let mut at = 0;
    while at < size {
        let data = rustix::fs::seek(file, SeekFrom::Data(at)).unwrap_or(size).min(size);
        if data > at {
            holes.push((at, data));
        }
        let end = rustix::fs::seek(file, SeekFrom::Hole(data)).unwrap_or(size).min(size);
        let mut offset = data / BLOCK * BLOCK;
        while offset < end {
            let length = BLOCK.min(size - offset) as usize;
            file.read_exact_at(&mut block[..length], offset).unwrap();
            if block[..length].iter().any(|&byte| byte != 0) {
                hasher.update(&offset.to_le_bytes()).update(&block[..length]);
            }
            offset += BLOCK;
        }
        at = end.max(data);
    }
    (Some(hasher.finalize()), holes)
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::{PermissionsExt, symlink};

    use super::*;

    fn create_entries(path: &Path) {
        fs::create_dir_all(path.join("d/e")).unwrap();
        fs::create_dir(path.join(".undo")).unwrap();
        fs::write(path.join("d/f"), "text").unwrap();
        fs::hard_link(path.join("d/f"), path.join("g")).unwrap();
        symlink("d/f", path.join("l")).unwrap();
        let sparse = File::create(path.join("s")).unwrap();
        sparse.set_len(10 << 20).unwrap();
        sparse.write_all_at(b"in the middle", 5 << 20).unwrap();
        let _ = rustix::fs::setxattr(path.join("d"), "user.name", b"value", rustix::fs::XattrFlags::empty());
    }

    /// Returns the differences caused by a change, one line each, without times.
    fn changes(what: &dyn Fn(&Path)) -> Vec<String> {
        let temp = tempfile::tempdir().unwrap();
        create_entries(temp.path());
        let before = Tree::read(temp.path());
        assert_same(&before, &Tree::read(temp.path()));
        what(temp.path());
        let mut lines = before.differences(&Tree::read(temp.path()));
        lines.retain(|line| !line.contains("mtime"));
        lines
    }

    #[test]
    fn tree_differences_are_listed() {
        let lines = |what: &dyn Fn(&Path)| changes(what).join("\n");
        assert_eq!(lines(&|path| fs::write(path.join(".undo/x"), "").unwrap()), "");
        assert!(lines(&|path| fs::write(path.join("d/f"), "tExt").unwrap()).starts_with("d/f: content Some("));
        assert!(
            lines(&|path| fs::set_permissions(path.join("d"), fs::Permissions::from_mode(0o1700)).unwrap())
                .ends_with("≠ \"41700\"")
        );
        assert_eq!(
            lines(&|path| fs::rename(path.join("l"), path.join("m")).unwrap()),
            "l: only in the first\nm: only in the second"
        );
        let unlinked = lines(&|path| {
            fs::remove_file(path.join("g")).unwrap();
            fs::write(path.join("g"), "text").unwrap();
        });
        assert_eq!(unlinked, "d/f: other names [\"g\"] ≠ []\ng: other names [\"d/f\"] ≠ []");
        let filled = changes(&|path| {
            let file = fs::OpenOptions::new().write(true).open(path.join("s")).unwrap();
            file.write_all_at(&[0; 4096], 1 << 20).unwrap();
        });
        assert!(filled.iter().all(|line| line.starts_with("s: holes")), "{filled:?}");
        let touched = tempfile::tempdir().unwrap();
        create_entries(touched.path());
        let before = Tree::read(touched.path());
        File::open(touched.path().join("l")).unwrap().set_modified(std::time::UNIX_EPOCH).unwrap();
        let lines = before.differences(&Tree::read(touched.path()));
        assert!(lines.len() == 2 && lines[0].starts_with("d/f: mtime"), "{lines:?}");
    }

    #[test]
    fn directories_deeper_than_path_max_are_read() {
        let temp = tempfile::tempdir().unwrap();
        let flags = OFlags::RDONLY | OFlags::DIRECTORY;
        let name = "d".repeat(200);
        let mut at = rustix::fs::open(temp.path(), flags, Mode::empty()).unwrap();
        for _ in 0..30 {
            rustix::fs::mkdirat(&at, &*name, Mode::RWXU).unwrap();
            at = openat(&at, &*name, flags, Mode::empty()).unwrap();
        }
        let tree = Tree::read(temp.path());
        assert_eq!(tree.nodes.len(), 31);
        assert_eq!(tree.nodes.keys().map(Vec::len).max(), Some(30 * 201 - 1));
    }
}
