//! Creates directories with entries of every kind, and damages them.

use std::ffi::OsStr;
use std::fs::{self, File, Permissions};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;
use std::process::Command;

use rustix::fs::{AtFlags, CWD, FileType, Mode, Timespec, Timestamps, XattrFlags};

/// Kinds of entries, each created under the name `x`.
pub const KINDS: [&str; 11] = [
    "absent",
    "file",
    "empty-file",
    "executable",
    "empty-folder",
    "full-folder",
    "link-to-file",
    "link-to-folder",
    "dangling-link",
    "hard-linked-pair",
    "fifo",
];

/// Creates one of [`KINDS`] in a folder.
pub fn make(kind: &str, place: &Path) {
    let x = place.join("x");
    match kind {
        "absent" => {}
        "file" => fs::write(&x, "a file\n").unwrap(),
        "empty-file" => fs::write(&x, "").unwrap(),
        "executable" => {
            fs::write(&x, "#!/bin/sh\n").unwrap();
            set_mode(&x, 0o755);
        }
        "empty-folder" => fs::create_dir(&x).unwrap(),
        "full-folder" => {
            fs::create_dir_all(x.join("deep/er")).unwrap();
            fs::write(x.join("deep/er/file"), "deep").unwrap();
            fs::write(x.join("beside"), "beside").unwrap();
            symlink("beside", x.join("link")).unwrap();
        }
        "link-to-file" => {
            fs::write(place.join("target"), "target").unwrap();
            symlink("target", &x).unwrap();
        }
        "link-to-folder" => {
            fs::create_dir(place.join("folder")).unwrap();
            fs::write(place.join("folder/inside"), "inside").unwrap();
            symlink("folder", &x).unwrap();
        }
        "dangling-link" => symlink("/nowhere/at/all", &x).unwrap(),
        "hard-linked-pair" => {
            fs::write(&x, "two names").unwrap();
            fs::hard_link(&x, place.join("y")).unwrap();
        }
        "fifo" => rustix::fs::mknodat(CWD, &x, FileType::Fifo, Mode::from_raw_mode(0o640), 0).unwrap(),
        other => panic!("no kind `{other}`"),
    }
}

/// Fills a folder with everything that is restored exactly, except what the file system or the user cannot create.
pub fn everything(root: &Path) {
    let is_root = rustix::process::geteuid().is_root();
    for kind in KINDS {
        let place = root.join("kinds").join(kind);
        fs::create_dir_all(&place).unwrap();
        make(kind, &place);
    }
    modes(&root.join("modes"));
    names(&root.join("names"));
    deep(&root.join("deep"));
    sparse(&root.join("sparse"));
    attributes(&root.join("attributes"), is_root);
    fs::create_dir_all(root.join("links/a/b")).unwrap();
    fs::write(root.join("links/a/one"), "linked").unwrap();
    fs::hard_link(root.join("links/a/one"), root.join("links/a/b/two")).unwrap();
    fs::hard_link(root.join("links/a/one"), root.join("kinds/three")).unwrap();
    large(&root.join("large"));
    if is_root {
        owners(&root.join("owners"));
        devices(&root.join("devices"));
    }
    times(&root.join("times"));
    fs::create_dir_all(root.join("read-only/inner")).unwrap();
    fs::write(root.join("read-only/inner/file"), "kept").unwrap();
    set_mode(&root.join("read-only/inner"), 0o555);
    set_mode(&root.join("read-only"), 0o555);
}

fn set_mode(path: &Path, mode: u32) {
    fs::set_permissions(path, Permissions::from_mode(mode)).unwrap();
}

fn modes(root: &Path) {
    fs::create_dir(root).unwrap();
    for mode in [0o000, 0o400, 0o600, 0o644, 0o755, 0o777, 0o4755, 0o2755, 0o6711, 0o1644] {
        let path = root.join(format!("file-{mode:o}"));
        fs::write(&path, "x").unwrap();
        set_mode(&path, mode);
    }
    for mode in [0o700, 0o755, 0o1777, 0o2775] {
        let path = root.join(format!("folder-{mode:o}"));
        fs::create_dir(&path).unwrap();
        set_mode(&path, mode);
    }
}

fn names(root: &Path) {
    fs::create_dir(root).unwrap();
    let every_byte: Vec<u8> = (1..=255).filter(|&b| b != b'/').collect();
    let odd: [&[u8]; 14] = [
        b"new\nline",
        b"-rf",
        b"%s%n",
        b" ",
        b"trailing ",
        b"\xff\xfe",
        "e\u{301}".as_bytes(),
        "\u{e9}".as_bytes(),
        "\u{1f642}".as_bytes(),
        b"CON",
        b"a:b*?",
        b"\x1b[31mred",
        &every_byte[..127],
        &[b'n'; 255],
    ];
    for name in odd {
        fs::write(root.join(OsStr::from_bytes(name)), name).unwrap();
    }
    fs::create_dir(root.join("x.undo")).unwrap();
    fs::write(root.join(".undo-not-staged"), "mine").unwrap();
}

/// Creates a path of more than 4,096 bytes, component by component.
fn deep(root: &Path) {
    fs::create_dir(root).unwrap();
    let mut folder = rustix::fs::open(root, rustix::fs::OFlags::DIRECTORY, Mode::empty()).unwrap();
    let name = "d".repeat(250);
    for _ in 0..18 {
        rustix::fs::mkdirat(&folder, &name, Mode::from_raw_mode(0o755)).unwrap();
        folder = rustix::fs::openat(&folder, &name, rustix::fs::OFlags::DIRECTORY, Mode::empty()).unwrap();
    }
    let flags = rustix::fs::OFlags::CREATE | rustix::fs::OFlags::WRONLY;
    let file = rustix::fs::openat(&folder, "bottom", flags, Mode::from_raw_mode(0o644)).unwrap();
    rustix::io::write(&file, b"deep down").unwrap();
}

fn sparse(root: &Path) {
    use std::os::unix::fs::FileExt;
    fs::create_dir(root).unwrap();
    let image = File::create(root.join("image")).unwrap();
    image.set_len(64 << 20).unwrap();
    for island in [0u64, 10 << 20, (40 << 20) + 4096] {
        image.write_all_at(&[island as u8 | 1; 8192], island).unwrap();
    }
    File::create(root.join("only-hole")).unwrap().set_len(3 << 20).unwrap();
    fs::write(root.join("zeros-without-holes"), vec![0; 3 << 20]).unwrap();
    let tail = File::create(root.join("hole-at-end")).unwrap();
    tail.write_all_at(b"head", 0).unwrap();
    tail.set_len(100_001).unwrap();
}

fn attributes(root: &Path, is_root: bool) {
    fs::create_dir(root).unwrap();
    fs::write(root.join("file"), "x").unwrap();
    fs::create_dir(root.join("folder")).unwrap();
    symlink("file", root.join("link")).unwrap();
    let set = |path: &str, name: &str, value: &[u8]| {
        // File systems may refuse attributes; those are not tested.
        let _ = rustix::fs::lsetxattr(root.join(path), name, value, XattrFlags::empty());
    };
    for path in ["file", "folder"] {
        set(path, "user.empty", b"");
        set(path, "user.%odd name", b"\x00\xff");
    }
    fs::write(root.join("huge"), "x").unwrap();
    set("huge", "user.large", &[b'v'; 64 << 10]);
    set("file", "user.medium", &[b'm'; 2000]);
    if is_root {
        set("link", "trusted.on-a-link", b"yes");
        fs::write(root.join("capable"), "x").unwrap();
        let capabilities = [1, 0, 0, 2, 0, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];
        set("capable", "security.capability", &capabilities);
    }
    for (path, rule) in [("file", "u:65534:rw,g:65534:r"), ("folder", "u:65534:rwx,d:u:65534:rx,d:g:65534:---")] {
        let _ = Command::new("setfacl").args(["-m", rule]).arg(root.join(path)).output();
    }
}

fn large(root: &Path) {
    fs::create_dir(root).unwrap();
    let mut random = vec![0; 5 << 20];
    blake3::Hasher::new().update(b"large").finalize_xof().fill(&mut random);
    fs::write(root.join("random"), &random).unwrap();
    let text: String = (0..200_000).map(|n| format!("row {n}, {}\n", n * 7919 % 1000)).collect();
    fs::write(root.join("table.csv"), text).unwrap();
    fs::write(root.join("exactly-one-mebibyte"), &random[..1 << 20]).unwrap();
    fs::write(root.join("one-more"), &random[..(1 << 20) + 1]).unwrap();
}

fn owners(root: &Path) {
    fs::create_dir(root).unwrap();
    for (name, uid, gid) in [("user", 1000, 1000), ("nobody", 65534, 65534), ("large", 4_000_000_000, 3_999_999_999)] {
        fs::write(root.join(name), "x").unwrap();
        std::os::unix::fs::lchown(root.join(name), Some(uid), Some(gid)).unwrap();
        symlink("x", root.join(format!("{name}-link"))).unwrap();
        std::os::unix::fs::lchown(root.join(format!("{name}-link")), Some(uid), Some(gid)).unwrap();
    }
    set_mode(&root.join("user"), 0o6755);
}

fn devices(root: &Path) {
    fs::create_dir(root).unwrap();
    let make = |name: &str, kind, major, minor| {
        let device = rustix::fs::makedev(major, minor);
        let _ = rustix::fs::mknodat(CWD, root.join(name), kind, Mode::from_raw_mode(0o660), device);
    };
    make("null", FileType::CharacterDevice, 1, 3);
    make("loop", FileType::BlockDevice, 7, 300);
}

/// Sets the time last, because creating entries changes it.
fn times(root: &Path) {
    fs::create_dir(root).unwrap();
    for (name, seconds, nanoseconds) in [
        ("epoch", 0, 0),
        ("before", -1_000_000_000, 1),
        ("2107", 4_323_000_000, 999_999_999),
        ("2262", 9_223_372_000, 5),
    ] {
        let time = Timespec { tv_sec: seconds, tv_nsec: nanoseconds };
        let times = Timestamps { last_access: time, last_modification: time };
        let set = |path: &Path| rustix::fs::utimensat(CWD, path, &times, AtFlags::SYMLINK_NOFOLLOW).unwrap();
        fs::write(root.join(name), "x").unwrap();
        symlink("x", root.join(format!("{name}-link"))).unwrap();
        fs::create_dir(root.join(format!("{name}-folder"))).unwrap();
        fs::write(root.join(format!("{name}-folder/inside")), "x").unwrap();
        for suffix in ["", "-link", "-folder"] {
            set(&root.join(format!("{name}{suffix}")));
        }
    }
}

/// Changes, removes and replaces many of the entries of [`everything`], and adds others.
pub fn wreck(root: &Path) {
    for locked in ["read-only", "read-only/inner"] {
        set_mode(&root.join(locked), 0o755);
    }
    fs::remove_dir_all(root.join("read-only")).unwrap();
    fs::write(root.join("read-only"), "a file now").unwrap();
    fs::remove_dir_all(root.join("kinds/full-folder")).unwrap();
    for entry in fs::read_dir(root.join("modes")).unwrap() {
        let path = entry.unwrap().path();
        set_mode(&path, 0o700);
    }
    fs::remove_file(root.join("links/a/b/two")).unwrap();
    fs::write(root.join("links/a/b/two"), "parted").unwrap();
    fs::write(root.join("links/a/one"), "all names of it").unwrap();
    fs::rename(root.join("names"), root.join("renamed")).unwrap();
    fs::remove_dir_all(root.join("deep")).unwrap();
    fs::write(root.join("sparse/only-hole"), vec![0; 3 << 20]).unwrap();
    fs::write(root.join("sparse/image"), "short").unwrap();
    let mut table = fs::read(root.join("large/table.csv")).unwrap();
    table.splice(1000..1000, *b"one row more\n");
    fs::write(root.join("large/table.csv"), table).unwrap();
    fs::remove_file(root.join("large/random")).unwrap();
    for attribute in ["user.empty", "user.medium", "system.posix_acl_access"] {
        let _ = rustix::fs::lremovexattr(root.join("attributes/file"), attribute);
    }
    let _ = rustix::fs::lsetxattr(root.join("attributes/folder"), "user.new", b"new", XattrFlags::empty());
    fs::write(root.join("times/epoch"), "x").unwrap();
    fs::create_dir_all(root.join("new/deep/folder")).unwrap();
    fs::write(root.join("new/deep/folder/file"), "new").unwrap();
    set_mode(root, 0o750);
}
