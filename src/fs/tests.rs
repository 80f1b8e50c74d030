//! Tests of the whole module, each in a separate directory.

use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
use std::path::Path;

use tempfile::TempDir;

use crate::environment::Durability;
use crate::error::ErrorKind;
use crate::fs::paths::is_mount_root;
use crate::fs::*;
use crate::metadata::Kind;
use crate::path::{RepoPath, RepoPathBuf};
use crate::time::Timestamp;

/// Any bytes but `/` and NUL, and the longest name.
const NAMES: [&[u8]; 7] = [b" ", b"-rf", b"a\nb", b"\x01\xfe\xff", b"...", "\u{e9}".as_bytes(), &[b'x'; 255]];

fn open_temp() -> (TempDir, Dir) {
    let temp = tempfile::tempdir().unwrap();
    let dir = Dir::open(temp.path()).unwrap();
    (temp, dir)
}

fn put(dir: &Dir, name: &[u8], bytes: &[u8]) {
    write_all(&dir.create_file(name).unwrap(), bytes).unwrap();
}

fn get(dir: &Dir, name: &[u8]) -> Vec<u8> {
    let (file, stat) = dir.open_file_stat(name).unwrap();
    let mut bytes = vec![0; stat.size as usize];
    read_exact_at(&file, &mut bytes, 0).unwrap();
    bytes
}

fn names(dir: &Dir) -> Vec<Vec<u8>> {
    dir.entries().unwrap().into_iter().map(|entry| entry.name).collect()
}

fn kind(dir: &Dir, name: &[u8]) -> Option<Kind> {
    dir.stat(name).unwrap().map(|stat| stat.kind)
}

#[test]
fn names_may_have_any_bytes() {
    let (_temp, dir) = open_temp();
    for name in NAMES {
        put(&dir, name, name);
    }
    let mut expected = NAMES.map(<[u8]>::to_vec);
    expected.sort();
    // Twice: a listing leaves no position behind.
    assert_eq!(names(&dir), expected);
    assert_eq!(names(&dir), expected);
    for name in NAMES {
        assert_eq!(get(&dir, name), name);
        dir.remove_file(name).unwrap();
        assert_eq!(dir.stat(name).unwrap(), None);
    }
    assert_eq!(names(&dir), [b""; 0]);
}

#[test]
fn large_directories_are_listed_completely() {
    let (_temp, dir) = open_temp();
    // More than one buffer of names.
    let mut expected: Vec<Vec<u8>> = (0..1_500).map(|n| format!("a name of forty letters or so, {n}").into()).collect();
    for name in &expected {
        dir.create_file(name).unwrap();
    }
    expected.sort();
    assert_eq!(names(&dir), expected);
}

#[test]
fn paths_are_not_valid_names() {
    let (temp, dir) = open_temp();
    std::fs::create_dir(temp.path().join("d")).unwrap();
    std::fs::write(temp.path().join("d/f"), b"").unwrap();
    for name in [&b"d/f"[..], b"..", b"", b"/", b"a\0b", b"../d"] {
        assert_eq!(dir.stat(name).unwrap_err().kind(), ErrorKind::Refused, "{name:?}");
        assert_eq!(dir.remove_file(name).unwrap_err().kind(), ErrorKind::Refused, "{name:?}");
        assert_eq!(dir.rename(b"d", &dir, name).unwrap_err().kind(), ErrorKind::Refused, "{name:?}");
    }
}

#[test]
fn stat_and_listing_report_every_kind() {
    let (temp, dir) = open_temp();
    put(&dir, b"file", b"12345");
    dir.make_dir(b"directory").unwrap();
    dir.make_symlink(b"link", b"nowhere/\xff").unwrap();
    dir.make_special(b"fifo", Kind::Fifo, 0).unwrap();
    dir.make_special(b"socket", Kind::Socket, 0).unwrap();
    for entry in dir.entries().unwrap() {
        let stat = dir.stat(&entry.name).unwrap().unwrap();
        assert!(entry.kind.is_none_or(|kind| kind == stat.kind), "{entry:?}");
        assert_eq!(entry.name.starts_with(stat.kind.word().as_bytes()), stat.kind != Kind::Symlink);
        let expected = std::fs::symlink_metadata(dir.path_of(&entry.name)).unwrap();
        assert_eq!((stat.inode, stat.device, stat.links), (expected.ino(), expected.dev(), expected.nlink()));
        assert_eq!((stat.size, stat.allocated), (expected.size(), expected.blocks() * 512));
        assert_eq!(u32::from(stat.metadata.mode), expected.mode() & 0o7777);
        assert_eq!((stat.metadata.uid, stat.metadata.gid), (expected.uid(), expected.gid()));
        assert_eq!((stat.ctime.seconds, i64::from(stat.ctime.nanoseconds)), (expected.ctime(), expected.ctime_nsec()));
    }
    assert_eq!(dir.read_link(b"link").unwrap(), b"nowhere/\xff");
    assert_eq!(dir.stat_self().unwrap().inode, std::fs::metadata(temp.path()).unwrap().ino());
    assert!(dir.make_special(b"x", Kind::File, 0).is_err());
    // A FIFO without a writer does not block.
    assert_eq!(dir.open_file_stat(b"fifo").unwrap().1.kind, Kind::Fifo);
}

#[test]
fn created_files_are_private() {
    let (temp, dir) = open_temp();
    put(&dir, b"file", b"");
    dir.make_dir(b"directory").unwrap();
    let mode = |name: &str| std::fs::metadata(temp.path().join(name)).unwrap().permissions().mode() & 0o7777;
    assert_eq!((mode("file"), mode("directory")), (UNFINISHED.into(), 0o700));
    create_dir_private(&temp.path().join("a/b")).unwrap();
    create_dir_private(&temp.path().join("a/b")).unwrap();
    create_new(&temp.path().join("a/journal")).unwrap();
    write_atomic(&temp.path().join("a/refs"), [b""], Durability::NoSync).unwrap();
    assert_eq!((mode("a"), mode("a/b"), mode("a/journal"), mode("a/refs")), (0o700, 0o700, 0o600, 0o600));
}

#[test]
fn paths_longer_than_path_max_work() {
    let (_temp, root) = open_temp();
    let mut path = RepoPathBuf::default();
    let mut dir = root.open_below(&path).unwrap();
    for depth in 0..40 {
        let name = [b'a' + depth % 26; 200];
        dir.make_dir(&name).unwrap();
        dir = dir.open_dir(&name).unwrap();
        path.push(&name);
    }
    assert!(path.as_bytes().len() > 4096 && dir.path().as_os_str().len() > 4096);
    put(&dir, b"file", b"deep");
    dir.make_symlink(b"link", b"file").unwrap();
    let found = root.open_below(&path).unwrap();
    assert_eq!(found.stat_self().unwrap(), dir.stat_self().unwrap());
    assert_eq!(get(&found, b"file"), b"deep");
    found.set_mode(b"file", 0o640).unwrap();
    found.set_mtime(b"link", Timestamp { seconds: 5, nanoseconds: 6 }, Atime::Omit).unwrap();
    found.xattrs(b"link").unwrap();
    if found.set_xattr(b"file", b"user.undo", b"1").is_ok() {
        assert_eq!(found.xattrs(b"file").unwrap(), [(b"user.undo".to_vec(), b"1".to_vec())]);
    }
    assert_eq!(found.rename_new(b"file", &root, b"up").unwrap(), Renamed::Yes);
    assert_eq!(get(&root, b"up"), b"deep");
}

#[test]
fn links_are_not_followed() {
    let (temp, dir) = open_temp();
    for name in ["a/b", "outside/b"] {
        std::fs::create_dir_all(temp.path().join(name)).unwrap();
    }
    std::fs::write(temp.path().join("outside/secret"), b"secret").unwrap();
    let path = RepoPath::new(b"a/b").unwrap();
    dir.open_below(path).unwrap();
    let handle = dir.open_dir(b"a").unwrap();
    dir.rename(b"a", &dir, b"moved").unwrap();
    symlink("outside", temp.path().join("a")).unwrap();
    // An open handle stays on the directory that it was opened on.
    assert_eq!(names(&handle), [b"b"]);
    assert!(dir.open_below(path).is_err() && dir.walk_below(path).is_err() && dir.open_dir(b"a").is_err());
    symlink("outside/secret", temp.path().join("file")).unwrap();
    assert!(dir.open_file(b"file").is_err() && dir.create_file(b"file").is_err());
    assert!(dir.clock(b"file").is_err() && dir.set_mode(b"file", 0o777).is_err());
    dir.set_mtime(b"file", Timestamp { seconds: 1, nanoseconds: 1 }, Atime::Omit).unwrap();
    let secret = std::fs::metadata(temp.path().join("outside/secret")).unwrap();
    assert!(secret.permissions().mode() & 0o111 == 0 && secret.mtime() != 1 && secret.size() == 6);
    // A root that a user names may be a link.
    assert_eq!(names(&Dir::open(&temp.path().join("a")).unwrap()), [&b"b"[..], b"secret"]);
}

#[test]
fn open_below_equals_a_walk_by_components() {
    let (temp, dir) = open_temp();
    std::fs::create_dir_all(temp.path().join("a/b/c")).unwrap();
    let path = RepoPath::new(b"a/b/c").unwrap();
    let (at_once, by_name) = (dir.open_below(path).unwrap(), dir.walk_below(path).unwrap());
    assert_eq!(at_once.stat_self().unwrap(), by_name.stat_self().unwrap());
    assert_eq!((at_once.path(), by_name.path()), (&*temp.path().join("a/b/c"), &*temp.path().join("a/b/c")));
    let error = dir.open_below(RepoPath::new(b"a/x/c").unwrap()).unwrap_err();
    assert!(error.is_not_found() && error.to_string().contains("a/x`"), "{error}");
}

#[test]
fn mode_time_and_owner_are_set_exactly() {
    let (_temp, dir) = open_temp();
    put(&dir, b"file", b"");
    dir.make_dir(b"directory").unwrap();
    dir.make_symlink(b"link", b"file").unwrap();
    for name in [&b"file"[..], b"directory"] {
        // Without a bit for anybody, and with all twelve.
        for mode in [0, 0o600, 0o1755, 0o2711, 0o4755, 0o7777, 0o700] {
            dir.set_mode(name, mode).unwrap();
            assert_eq!(dir.stat(name).unwrap().unwrap().metadata.mode, mode);
        }
    }
    let times = [(-1, 999_999_999), (-2_000_000_000, 1), (0, 0), (1, 1), (4_294_967_296 + 7, 123_456_789)];
    for (seconds, nanoseconds) in times {
        let mtime = Timestamp { seconds, nanoseconds };
        for name in [&b"file"[..], b"directory", b"link", b"."] {
            dir.set_mtime(name, mtime, Atime::Rewrite).unwrap();
            assert_eq!(dir.stat(name).unwrap().unwrap().metadata.mtime, mtime);
        }
        let file = dir.open_file(b"file").unwrap();
        set_file_mtime(&file, mtime, Atime::Rewrite).unwrap();
        assert_eq!(stat_file(&file).unwrap(), dir.stat(b"file").unwrap().unwrap());
    }
    let before = dir.stat(b"link").unwrap().unwrap().metadata;
    dir.set_owner(b"link", before.uid, before.gid).unwrap();
    assert!(dir.set_owner(b"link", u32::MAX, before.gid).is_err());
    if effective_uid() == 0 {
        dir.set_owner(b"link", 12, 34).unwrap();
        let owner = |name| dir.stat(name).unwrap().map(|stat| (stat.metadata.uid, stat.metadata.gid)).unwrap();
        assert_eq!((owner(b"link"), owner(b"file")), ((12, 34), (before.uid, before.gid)));
        set_file_owner(&dir.open_file(b"file").unwrap(), 56, 78).unwrap();
        assert_eq!(owner(b"file"), (56, 78));
    }
    set_file_mode(&dir.open_file(b"file").unwrap(), 0o4711).unwrap();
    assert_eq!(dir.stat(b"file").unwrap().unwrap().metadata.mode, 0o4711);
}

#[test]
fn reading_keeps_the_access_time() {
    let (temp, dir) = open_temp();
    put(&dir, b"file", b"x");
    let atime = || std::fs::metadata(temp.path().join("file")).unwrap().atime();
    let file = dir.open_file(b"file").unwrap();
    let old = rustix::fs::Timespec { tv_sec: 1, tv_nsec: 0 };
    rustix::fs::futimens(&file, &rustix::fs::Timestamps { last_access: old, last_modification: old }).unwrap();
    assert_eq!(get(&dir, b"file"), b"x");
    dir.set_mtime(b"file", Timestamp { seconds: 9, nanoseconds: 9 }, Atime::Omit).unwrap();
    assert_eq!(atime(), 1);
}

#[test]
fn extended_attributes_of_any_size_are_sorted() {
    let (_temp, dir) = open_temp();
    put(&dir, b"file", b"");
    dir.make_dir(b"directory").unwrap();
    if dir.set_xattr(b"file", b"user.b", b"").is_err() {
        return;
    }
    let large = vec![7; 2_000];
    for name in [&b"file"[..], b"directory", b"."] {
        dir.set_xattr(name, b"user.b", b"").unwrap();
        dir.set_xattr(name, b"user.a", &large).unwrap();
        let expected = [(b"user.a".to_vec(), large.clone()), (b"user.b".to_vec(), Vec::new())];
        assert_eq!(dir.xattrs(name).unwrap(), expected);
        dir.remove_xattr(name, b"user.a").unwrap();
        assert_eq!(dir.xattrs(name).unwrap(), expected[1..]);
    }
    let file = dir.open_file(b"file").unwrap();
    // A list of names that is longer than the first buffer.
    let keys: Vec<Vec<u8>> = (0..12).map(|n| format!("user.{n:02}{}", "k".repeat(100)).into()).collect();
    for key in &keys {
        set_file_xattr(&file, key, b"v").unwrap();
    }
    let expected: Vec<Vec<u8>> = keys.into_iter().chain([b"user.b".to_vec()]).collect();
    let found: Vec<Vec<u8>> = file_xattrs(&file).unwrap().into_iter().map(|(key, _)| key).collect();
    assert_eq!(found, expected);
    assert_eq!(file_xattrs(&file).unwrap(), dir.xattrs(b"file").unwrap());
    assert!(dir.xattrs(b"nothing").unwrap_err().is_not_found());
}

#[test]
fn links_have_their_own_extended_attributes() {
    let (_temp, dir) = open_temp();
    put(&dir, b"file", b"");
    dir.make_symlink(b"link", b"file").unwrap();
    assert_eq!(dir.xattrs(b"link").unwrap(), []);
    // Links have no `user.*`, and `trusted.*` needs root.
    if dir.set_xattr(b"link", b"trusted.undo", b"\0\xff").is_err() {
        return;
    }
    assert_eq!(dir.xattrs(b"link").unwrap(), [(b"trusted.undo".to_vec(), b"\0\xff".to_vec())]);
    assert_eq!(dir.xattrs(b"file").unwrap(), []);
}

#[test]
fn rename_new_does_not_replace() {
    let (_temp, dir) = open_temp();
    put(&dir, b"a", b"A");
    put(&dir, b"b", b"B");
    dir.make_dir(b"d").unwrap();
    dir.make_dir(b"e").unwrap();
    for rename_new in [Dir::rename_new, Dir::rename_new_by_link] {
        for (from, to) in [(b"a", b"b"), (b"d", b"e"), (b"a", b"e"), (b"d", b"b")] {
            assert_eq!(rename_new(&dir, from, &dir, to).unwrap(), Renamed::No);
        }
        assert_eq!((get(&dir, b"a"), get(&dir, b"b")), (b"A".to_vec(), b"B".to_vec()));
        for (from, to) in [(b"a", b"x"), (b"d", b"y")] {
            assert_ne!(rename_new(&dir, from, &dir, to).unwrap(), Renamed::No);
            assert_eq!((kind(&dir, from).is_some(), kind(&dir, to).is_some()), (false, true));
            dir.rename(to, &dir, from).unwrap();
        }
        assert!(rename_new(&dir, b"nothing", &dir, b"z").is_err());
    }
    dir.rename(b"a", &dir, b"b").unwrap();
    assert_eq!(get(&dir, b"b"), b"A");
}

#[test]
fn exchange_swaps_a_file_and_a_directory() {
    let (_temp, dir) = open_temp();
    put(&dir, b"a", b"A");
    dir.make_dir(b"d").unwrap();
    put(&dir.open_dir(b"d").unwrap(), b"inside", b"I");
    if !dir.exchange(b"a", &dir, b"d").unwrap() {
        return;
    }
    assert_eq!(get(&dir, b"d"), b"A");
    assert_eq!(get(&dir.open_dir(b"a").unwrap(), b"inside"), b"I");
    assert!(dir.exchange(b"a", &dir, b"nothing").unwrap_err().is_not_found());
    assert!(!dir.remove_dir(b"a").unwrap());
    dir.open_dir(b"a").unwrap().remove_file(b"inside").unwrap();
    assert!(dir.remove_dir(b"a").unwrap());
}

#[test]
fn hard_links_do_not_follow_links() {
    let (_temp, dir) = open_temp();
    put(&dir, b"file", b"");
    dir.make_symlink(b"link", b"file").unwrap();
    dir.hard_link(b"file", &dir, b"second").unwrap();
    dir.hard_link(b"link", &dir, b"second link").unwrap();
    let stat = |name: &[u8]| dir.stat(name).unwrap().unwrap();
    assert_eq!((stat(b"file"), stat(b"file").links), (stat(b"second"), 2));
    assert_eq!((stat(b"link"), stat(b"second link").kind), (stat(b"second link"), Kind::Symlink));
    assert!(dir.hard_link(b"file", &dir, b"link").unwrap_err().already_exists());
}

#[test]
fn the_file_system_clock_is_not_behind_earlier_writes() {
    let (_temp, dir) = open_temp();
    for n in 0..50 {
        let name = format!("file {n}");
        put(&dir, name.as_bytes(), b"x");
        let written = dir.stat(name.as_bytes()).unwrap().unwrap();
        let now = dir.clock(b"clock").unwrap();
        assert!(written.metadata.mtime <= now && written.ctime <= now, "{written:?} {now:?}");
    }
    assert_eq!(dir.stat(b"clock").unwrap().unwrap().size, 0);
    assert!([0, 2_000_000_000].contains(&dir.file_system().unwrap().clock_slack));
    let proc = Dir::open(Path::new("/proc")).unwrap();
    assert_eq!(proc.file_system().unwrap().clock_slack, 2_000_000_000);
}

#[test]
fn holes_are_found() {
    let (_temp, dir) = open_temp();
    const BLOCK: u64 = 64 << 10;
    let file = dir.create_file(b"sparse").unwrap();
    assert_eq!(data_ranges(&file, 0).unwrap(), []);
    set_len(&file, 10 * BLOCK).unwrap();
    write_all_at(&file, &[1; BLOCK as usize], 2 * BLOCK).unwrap();
    write_all_at(&file, &[1; BLOCK as usize], 7 * BLOCK).unwrap();
    let ranges = data_ranges(&file, 10 * BLOCK).unwrap();
    if dir.stat(b"sparse").unwrap().unwrap().allocated < 10 * BLOCK {
        assert_eq!(ranges, [(2 * BLOCK, BLOCK), (7 * BLOCK, BLOCK)]);
        assert_eq!(data_ranges(&file, 7 * BLOCK + 5).unwrap(), [(2 * BLOCK, BLOCK), (7 * BLOCK, 5)]);
    } else {
        assert_eq!(ranges, [(0, 10 * BLOCK)]);
    }
    assert_eq!(has_hole(&file, 10 * BLOCK).unwrap(), ranges.len() > 1);
    // A hole at once.
    let empty = dir.create_file(b"hole").unwrap();
    set_len(&empty, BLOCK).unwrap();
    assert!([vec![], vec![(0, BLOCK)]].contains(&data_ranges(&empty, BLOCK).unwrap()));
}

#[test]
fn uncached_writes_are_read_back() {
    let (_temp, dir) = open_temp();
    let file = dir.create_file(b"file").unwrap();
    let bytes: Vec<u8> = (0..700_001_u32).map(|n| (n.wrapping_mul(n) >> 7) as u8).collect();
    write_all_uncached_at(&file, &bytes[..300_000], 777).unwrap();
    write_all_uncached_at(&file, &bytes[300_000..], 300_777).unwrap();
    write_all_uncached_at(&file, b"", 5).unwrap();
    let mut found = vec![1; bytes.len()];
    read_exact_uncached_at(&file, &mut found, 777).unwrap();
    assert!(found == bytes);
    read_exact_uncached_at(&file, &mut found[..777], 0).unwrap();
    assert!(found[..777] == [0; 777]);
    let error = read_exact_uncached_at(&file, &mut found, 778).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Damaged, "{error}");
}

#[test]
fn reflinks_are_exact_or_write_nothing() {
    let (_temp, dir) = open_temp();
    let bytes: Vec<u8> = (0..700_000_u32).map(|n| (n.wrapping_mul(n) >> 7) as u8).collect();
    put(&dir, b"from", &bytes);
    let from = dir.open_file(b"from").unwrap();
    let to = dir.create_file(b"to").unwrap();
    preallocate(&to, bytes.len() as u64).unwrap();
    assert_eq!(stat_file(&to).unwrap().size, 0);
    let clone = dir.create_file(b"clone").unwrap();
    if reflink(&from, &clone).unwrap() {
        assert_eq!(get(&dir, b"clone"), bytes);
    } else {
        assert_eq!(get(&dir, b"clone"), b"");
    }
}

#[test]
fn reads_beyond_the_end_are_short_or_fail() {
    let (_temp, dir) = open_temp();
    put(&dir, b"f", b"0123456789");
    let file = dir.open_file(b"f").unwrap();
    let mut buffer = [0; 4];
    assert_eq!((read_at(&file, &mut buffer, 8).unwrap(), &buffer[..2]), (2, &b"89"[..]));
    assert_eq!(read_at(&file, &mut buffer, 100).unwrap(), 0);
    let error = read_exact_at(&file, &mut buffer, 8).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Damaged);
    assert!(error.to_string().ends_with("/f` ends before byte 12"), "{error}");
    let error = write_all(&file, b"x").unwrap_err();
    assert!(error.to_string().contains("cannot write `/") && error.to_string().contains("/f`"), "{error}");
    let mut all = [0; 20];
    assert_eq!(read_next(&file, &mut all).unwrap(), 10);
}

#[test]
fn atomic_writes_leave_no_temporary_file() {
    let (temp, dir) = open_temp();
    let path = temp.path().join("config");
    for (bytes, durability) in
        [(&b"one"[..], Durability::Synced), (b"", Durability::NoSync), (b"three", Durability::Synced)]
    {
        write_atomic(&path, [bytes], durability).unwrap();
        assert_eq!(read(&path).unwrap().unwrap(), bytes);
    }
    assert_eq!(names(&dir), [b"config"]);
    // A directory is in the way of the rename.
    dir.make_dir(b"taken").unwrap();
    assert!(write_atomic(&temp.path().join("taken"), [b"x"], Durability::Synced).is_err());
    assert_eq!(names(&dir), [&b"config"[..], b"taken"]);
    assert!(write_atomic(&temp.path().join("missing/x"), [b"x"], Durability::Synced).unwrap_err().is_not_found());
}

#[test]
fn atomic_files_never_replace_a_file() {
    let (temp, dir) = open_temp();
    let (path, taken) = (temp.path().join("archive"), temp.path().join("taken"));
    let ways: [fn(&Path) -> crate::error::Result<AtomicFile>; 2] =
        [AtomicFile::create, AtomicFile::with_temporary_name];
    for way in ways {
        let created = way(&path).unwrap();
        write_all(created.file(), b"whole").unwrap();
        assert!(!exists(&path).unwrap());
        assert!(created.publish(Durability::Synced).unwrap());
        assert_eq!(read(&path).unwrap().unwrap(), b"whole");
        remove_file(&path).unwrap();

        let created = way(&taken).unwrap();
        put(&dir, b"taken", b"another program's");
        assert!(!created.publish(Durability::Synced).unwrap());
        assert_eq!(read(&taken).unwrap().unwrap(), b"another program's");
        remove_file(&taken).unwrap();

        drop(way(&path).unwrap());
        assert!(names(&dir).is_empty());
    }
    assert!(AtomicFile::create(&temp.path().join("missing/x")).is_err_and(|error| error.is_not_found()));
}

#[test]
fn missing_files_are_none_where_possible() {
    let (temp, dir) = open_temp();
    put(&dir, b"file", b"");
    for name in ["nothing", "nothing/below", "file/below"] {
        let path = temp.path().join(name);
        assert_eq!((read(&path).unwrap(), stat(&path).unwrap()), (None, None));
        assert!(list(&path).unwrap().is_empty() && !exists(&path).unwrap() && read(&path).unwrap().is_none());
        remove_file(&path).unwrap();
        remove_dir_all(&path).unwrap();
        assert!(open(&path).is_err() && open_to_write(&path).is_err());
    }
    symlink("nothing", temp.path().join("link")).unwrap();
    assert!(exists(&temp.path().join("link")).unwrap());
    assert!(create_new(&temp.path().join("link")).unwrap_err().already_exists());
}

#[test]
fn repository_files_must_be_regular() {
    let (temp, dir) = open_temp();
    dir.make_special(b"fifo", Kind::Fifo, 0).unwrap();
    dir.make_dir(b"folder").unwrap();
    for (name, kind) in [("fifo", "fifo"), ("folder", "directory")] {
        let path = temp.path().join(name);
        for error in [read(&path).map(drop).unwrap_err(), read_prefix(&path).map(drop).unwrap_err()] {
            assert_eq!(error.kind(), ErrorKind::Damaged, "{error}");
            let end = format!("/{name}` is not a regular file but a {kind}");
            assert!(error.to_string().ends_with(&end), "{error}");
        }
        assert!(BlockFile::open(&path, 16, 1).is_err());
        let opened = open(&path).and_then(|file| read_exact_at(&file, &mut [0], 0));
        assert_eq!(opened.unwrap_err().kind(), ErrorKind::Damaged);
    }
    put(&dir, b"file", b"content");
    assert_eq!(read(&temp.path().join("file")).unwrap().unwrap(), b"content");
}

#[test]
fn roots_of_mounts_are_detected() {
    let temp = tempfile::tempdir().unwrap();
    // In a chroot, `/` need not be a mount.
    let mounts = std::fs::read_to_string("/proc/self/mountinfo").unwrap();
    let is_listed = |path: &str| mounts.lines().any(|line| line.split(' ').nth(4) == Some(path));
    for path in ["/", "/proc", "/dev", "/usr"] {
        assert_eq!(is_mount_root(Path::new(path)).unwrap(), is_listed(path), "{path}");
    }
    assert!(!is_mount_root(temp.path()).unwrap());
    assert!(is_mount_root(&temp.path().join("nothing")).unwrap_err().is_not_found());
    assert!(canonicalize(&temp.path().join("./x/..")).unwrap_err().is_not_found());
    assert!(current_dir().unwrap().is_absolute());
}

#[test]
fn directories_of_more_than_one_project_are_wide() {
    let temp = tempfile::tempdir().unwrap();
    assert_eq!(wide_root(Path::new("/")).unwrap(), Some(WideRoot::System));
    assert_eq!(wide_root(temp.path()).unwrap(), None);
}

#[test]
fn same_directories_are_detected() {
    let root = tempfile::tempdir().unwrap();
    let path = |name: &str| root.path().join(name);
    std::fs::create_dir(path("one")).unwrap();
    std::fs::create_dir(path("two")).unwrap();
    symlink("one", path("link")).unwrap();
    assert!(is_same_dir(&path("one"), &path("link")).unwrap());
    assert!(is_same_dir(&path("one"), &path("two/../one")).unwrap());
    assert!(!is_same_dir(&path("one"), &path("two")).unwrap());
    assert!(is_same_dir(&path("one"), &path("three")).unwrap_err().is_not_found());
}
