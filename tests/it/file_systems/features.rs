//! Detects the features of a file system with plain system calls, and creates a tree that uses all of them.

use std::ffi::OsStr;
use std::fs::{self, File};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{FileExt, MetadataExt, PermissionsExt, lchown, symlink};
use std::path::Path;

use rustix::fs::{AtFlags, CWD, FileType, Mode, RenameFlags, SeekFrom, Timespec, Timestamps, XattrFlags};

/// Columns of the table in docs/metadata.md, except the name.
#[derive(Debug)]
pub struct Features {
    pub modes: bool,
    pub owners: bool,
    /// Precision of modification times, in nanoseconds.
    pub precision: u64,
    pub symlinks: bool,
    /// Whether a symbolic link has a separate time.
    pub link_times: bool,
    pub hard_links: bool,
    /// Whether the kernel caches the old link count for a while, as it does if each name has a separate inode in
    /// memory.
    pub has_late_links: bool,
    pub fifos: bool,
    pub devices: bool,
    pub xattrs: bool,
    pub acls: bool,
    pub holes: bool,
    /// Whether names are arbitrary bytes and case-sensitive.
    pub any_name: bool,
    /// Whether two names can be exchanged atomically.
    pub exchange: bool,
}

const ACL: &str = "system.posix_acl_access";

/// An ACL: `u::rw-,u:1:r--,g::r--,m::r--,o::---`.
fn acl() -> Vec<u8> {
    let entry = |tag: u16, rights: u16, id: u32| {
        [&tag.to_le_bytes()[..], &rights.to_le_bytes()[..], &id.to_le_bytes()[..]].concat()
    };
    let none = u32::MAX;
    let entries = [entry(1, 6, none), entry(2, 4, 1), entry(4, 4, none), entry(16, 4, none), entry(32, 0, none)];
    [&2u32.to_le_bytes()[..], &entries.concat()[..]].concat()
}

impl Features {
    /// Tests each feature in a folder, and empties the folder afterwards.
    pub fn of(root: &Path) -> Features {
        let place = root.join("probe");
        fs::create_dir(&place).unwrap();
        let file = place.join("file");
        fs::write(&file, "probe").unwrap();
        fs::write(place.join("other"), "other").unwrap();
        let kept = |result: std::io::Result<()>, is_kept: &dyn Fn() -> bool| result.is_ok() && is_kept();
        let stat = || fs::symlink_metadata(&file).unwrap();
        let set_mode = |mode| fs::set_permissions(&file, fs::Permissions::from_mode(mode));
        let modes = [0o640, 0o4751].iter().all(|&mode| kept(set_mode(mode), &|| stat().mode() & 0o7777 == mode));
        let special = |name: &str, kind| {
            let made = rustix::fs::mknodat(CWD, place.join(name), kind, Mode::from_raw_mode(0o600), 0x103);
            made.is_ok() && fs::symlink_metadata(place.join(name)).is_ok_and(|it| !it.is_file())
        };
        let is_linked = fs::hard_link(&file, place.join("second")).is_ok();
        let has_late_links = is_linked && stat().nlink() != 2;
        if has_late_links {
            std::thread::sleep(super::CACHED);
        }
        let hard_links = is_linked && stat().nlink() == 2;
        let odd = place.join(OsStr::from_bytes(b"\xff\xfe: *?"));
        let features = Features {
            owners: kept(lchown(&file, Some(1), Some(2)), &|| (stat().uid(), stat().gid()) == (1, 2)),
            precision: precision(&file),
            symlinks: symlink("nothing", place.join("link")).is_ok(),
            link_times: try_set_time(&place.join("link"), 1_500_000_000, 0).is_ok(),
            hard_links,
            has_late_links,
            fifos: special("fifo", FileType::Fifo),
            devices: special("device", FileType::CharacterDevice),
            xattrs: has_xattr(&file, "user.key", b"value"),
            acls: has_xattr(&file, ACL, &acl()),
            holes: has_holes(&place.join("sparse")),
            any_name: fs::write(&odd, "").is_ok() && !place.join("FILE").exists(),
            exchange: exchange(&place.join("other"), &file),
            modes,
        };
        fs::remove_dir_all(&place).unwrap();
        features
    }

    /// Cells of its row in the table.
    pub fn row(&self) -> Vec<String> {
        let word = |is_kept: bool| if is_kept { "yes" } else { "no" }.to_owned();
        let precision = match self.precision {
            nanoseconds if nanoseconds >= 1_000_000_000 => format!("{} s", nanoseconds / 1_000_000_000),
            nanoseconds if nanoseconds >= 1_000 => format!("{} µs", nanoseconds / 1_000),
            nanoseconds => format!("{nanoseconds} ns"),
        };
        let symlinks = match (self.symlinks, self.link_times) {
            (true, false) => "without times".to_owned(),
            (is_kept, _) => word(is_kept),
        };
        let Features { hard_links, fifos, devices, xattrs, acls, holes, any_name, exchange, .. } = *self;
        let rest = [hard_links, fifos, devices, xattrs, acls, holes, any_name, exchange];
        let first = [word(self.modes), word(self.owners), precision, symlinks];
        first.into_iter().chain(rest.map(word)).collect()
    }

    /// Fills an empty folder with everything that the file system supports.
    pub fn fill(&self, root: &Path) {
        let write = |path: &str, bytes: &[u8]| {
            let path = root.join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, bytes).unwrap();
        };
        for path in ["text", "same", "moved", "becomes-a-folder", "becomes-a-file/inside", "gone/too/x", "d/e/deep"] {
            write(path, format!("this is {path}").as_bytes());
        }
        write("empty", b"");
        write("large", &(0..700_000u32).flat_map(|n| (n.wrapping_mul(n) >> 3).to_le_bytes()).collect::<Vec<u8>>());
        let at = |path: &str| root.join(path);
        if self.modes {
            for (path, mode) in [("text", 0o4751), ("same", 0o600), ("d", 0o750)] {
                fs::set_permissions(at(path), fs::Permissions::from_mode(mode)).unwrap();
            }
        }
        if self.owners {
            lchown(at("same"), Some(1), Some(2)).unwrap();
        }
        if self.symlinks {
            symlink("text", at("link")).unwrap();
            symlink("nothing/at/all", at("d/dangling")).unwrap();
        }
        if self.hard_links {
            fs::hard_link(at("moved"), at("d/second")).unwrap();
            fs::hard_link(at("text"), at("linked")).unwrap();
        }
        let special = |path: &str, kind, device| {
            rustix::fs::mknodat(CWD, at(path), kind, Mode::from_raw_mode(0o640), device).unwrap();
        };
        if self.fifos {
            special("fifo", FileType::Fifo, 0);
        }
        if self.devices {
            special("device", FileType::CharacterDevice, 0x103);
        }
        if self.xattrs {
            for path in ["same", "d"] {
                rustix::fs::setxattr(at(path), "user.key", b"value", XattrFlags::empty()).unwrap();
            }
        }
        if self.acls {
            rustix::fs::setxattr(at("d/e/deep"), ACL, &acl(), XattrFlags::empty()).unwrap();
        }
        if self.holes {
            assert!(has_holes(&at("sparse")));
        }
        if self.any_name {
            fs::write(root.join(OsStr::from_bytes(b"\xff\xfe: *?")), "odd").unwrap();
        }
        self.set_times(root);
    }

    /// Changes the files of [`Features::fill`]: content, kinds, names, modes, links and attributes.
    pub fn change(&self, root: &Path) {
        let at = |path: &str| root.join(path);
        fs::write(at("text"), "another text, which is longer").unwrap();
        fs::rename(at("moved"), at("d/moved-away")).unwrap();
        fs::remove_file(at("becomes-a-folder")).unwrap();
        fs::create_dir(at("becomes-a-folder")).unwrap();
        fs::write(at("becomes-a-folder/new"), "new").unwrap();
        fs::remove_dir_all(at("becomes-a-file")).unwrap();
        fs::write(at("becomes-a-file"), "a file").unwrap();
        fs::remove_dir_all(at("gone")).unwrap();
        File::options().write(true).open(at("large")).unwrap().write_all_at(b"changed", 1_234_567).unwrap();
        fs::write(at("new"), "new").unwrap();
        if self.modes {
            fs::set_permissions(at("d"), fs::Permissions::from_mode(0o700)).unwrap();
            fs::set_permissions(at("empty"), fs::Permissions::from_mode(0o444)).unwrap();
        }
        if self.symlinks {
            fs::remove_file(at("link")).unwrap();
            symlink("elsewhere", at("link")).unwrap();
        }
        if self.hard_links {
            fs::remove_file(at("linked")).unwrap();
            fs::write(at("linked"), "alone").unwrap();
        }
        if self.fifos {
            fs::remove_file(at("fifo")).unwrap();
            fs::write(at("fifo"), "a file").unwrap();
        }
        if self.xattrs {
            rustix::fs::setxattr(at("d"), "user.key", b"other", XattrFlags::empty()).unwrap();
        }
        self.set_times(root);
    }

    /// Sets times that the file system can store, different for different contents.
    fn set_times(&self, path: &Path) {
        let stat = fs::symlink_metadata(path).unwrap();
        if stat.is_dir() {
            let entries = fs::read_dir(path).unwrap().map(|entry| entry.unwrap().path());
            entries.filter(|path| !path.ends_with(".undo")).for_each(|path| self.set_times(&path));
        }
        if stat.is_symlink() && !self.link_times {
            return;
        }
        let content = if stat.is_file() { fs::read(path).unwrap() } else { Vec::new() };
        let hash = blake3::hash(&content).as_bytes()[..2].iter().fold(0, |sum, byte| sum << 8 | i64::from(*byte));
        let seconds = 1_500_000_000 + 2 * hash;
        set_time(path, seconds, 123_456_789 / self.precision * self.precision);
    }
}

fn set_time(path: &Path, seconds: i64, nanoseconds: u64) {
    try_set_time(path, seconds, nanoseconds).unwrap();
}

fn try_set_time(path: &Path, seconds: i64, nanoseconds: u64) -> rustix::io::Result<()> {
    let time = Timespec { tv_sec: seconds, tv_nsec: nanoseconds as _ };
    let times = Timestamps { last_access: time, last_modification: time };
    rustix::fs::utimensat(CWD, path, &times, AtFlags::SYMLINK_NOFOLLOW)
}

/// Precision of the time after a rename: encfs then truncates times to seconds.
fn precision(file: &Path) -> u64 {
    set_time(file, 1_500_000_001, 123_456_789);
    let moved = file.with_file_name("moved");
    fs::rename(file, &moved).unwrap();
    fs::rename(&moved, file).unwrap();
    let stat = fs::symlink_metadata(file).unwrap();
    let total = 1_500_000_001_123_456_789u64;
    let found = stat.mtime() as u64 * 1_000_000_000 + stat.mtime_nsec() as u64;
    let steps = [1, 100, 1_000, 1_000_000, 10_000_000, 1_000_000_000, 2_000_000_000];
    *steps.iter().find(|&&step| total / step * step == found).expect("times have some precision")
}

fn has_xattr(file: &Path, key: &str, value: &[u8]) -> bool {
    let mut found = [0; 256];
    rustix::fs::setxattr(file, key, value, XattrFlags::empty()).is_ok()
        && rustix::fs::getxattr(file, key, &mut found[..]).is_ok_and(|length| found[..length] == *value)
}

/// Creates a file with a hole, and checks that the hole is reported.
fn has_holes(path: &Path) -> bool {
    let file = File::create(path).unwrap();
    file.write_all_at(&[1; 4096], 8 << 20).unwrap();
    file.sync_all().unwrap();
    rustix::fs::seek(File::open(path).unwrap(), SeekFrom::Data(0)).is_ok_and(|start| start > 0)
}

fn exchange(one: &Path, other: &Path) -> bool {
    rustix::fs::renameat_with(CWD, one, CWD, other, RenameFlags::EXCHANGE).is_ok()
}
