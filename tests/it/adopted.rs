//! Large files on file systems that can share blocks: adopted by the first commit, cloned back, and verified.
//!
//! Uses images in loop devices; needs root.

use std::fs::{self, File};
use std::os::unix::fs::{FileExt, MetadataExt};
use std::path::PathBuf;
use std::process::Command;
use std::thread::sleep;
use std::time::Duration;

use crate::crash::has_strace;
use crate::env::TestEnv;
use crate::errors::noise;
use crate::format::{is_installed, read};
use crate::safety::places::Mounted;
use crate::skip::skip;
use crate::tree::{Tree, assert_same};

const MIB: usize = 1 << 20;

/// Large enough for adoption, and not a multiple of a block.
const LARGE: usize = 48 * MIB + 1234;

/// A repository on a separate file system.
struct Disk {
    kind: &'static str,
    // Dropped before the folder of the image.
    _mounted: Mounted,
    env: TestEnv,
}

impl Disk {
    /// Returns one disk of each kind that can be mounted here.
    fn each() -> Vec<Disk> {
        let homes: Vec<Disk> = ["xfs", "btrfs"].into_iter().filter_map(Disk::new).collect();
        for home in &homes {
            home.env.undo("init").ok();
        }
        homes
    }

    fn new(kind: &'static str) -> Option<Disk> {
        let env = TestEnv::new();
        let image = env.root().join("image");
        File::create(&image).unwrap().set_len(512 << 20).unwrap();
        let made = Command::new(format!("mkfs.{kind}")).arg("-q").arg(&image).output();
        let mounted = match made.is_ok_and(|output| output.status.success()) {
            true => Mounted::new(&["-t", kind, "-o", "loop", image.to_str().unwrap()], &env.path()),
            false => None,
        };
        if mounted.is_none() {
            skip(format_args!(
                "{kind} is not available (needs root, a loop device, mkfs.{kind} and a kernel with {kind})"
            ));
        }
        Some(Disk { kind, _mounted: mounted?, env })
    }

    /// Returns the bytes in use on the disk.
    fn used(&self) -> u64 {
        let file = File::open(self.env.path()).unwrap();
        rustix::fs::syncfs(&file).unwrap();
        let stat = rustix::fs::fstatvfs(&file).unwrap();
        (stat.f_blocks - stat.f_bfree) * stat.f_frsize
    }

    /// Commits, and returns the growth of the store that the commit reports.
    fn commit(&self) -> u64 {
        self.env.undo("commit -m one --json").ok().json()[0]["bytes_stored"].as_u64().unwrap()
    }

    /// Returns whether a clone of a file is being made into a pack.
    fn is_cloning(&self) -> bool {
        let files = fs::read_dir(self.env.path().join(".undo/tmp")).into_iter().flatten();
        files.flatten().any(|file| file.metadata().is_ok_and(|it| it.len() == LARGE as u64))
    }

    /// Lists the packs that start with these bytes.
    fn packs_of(&self, bytes: &[u8]) -> Vec<PathBuf> {
        let folders = fs::read_dir(self.env.path().join(".undo/packs")).unwrap();
        let files = folders.flat_map(|folder| fs::read_dir(folder.unwrap().path()).unwrap());
        let mut start = [0; 64];
        let is_adopted = |path: &PathBuf| {
            let read = File::open(path).unwrap().read_exact_at(&mut start, 0);
            read.is_ok() && start == bytes[..64]
        };
        files.map(|file| file.unwrap().path()).filter(is_adopted).collect()
    }
}

#[test]
fn first_commit_and_checkout_share_blocks() {
    for home in Disk::each() {
        let env = &home.env;
        let bytes = noise(1, LARGE);
        env.write("large", &bytes);
        let before = fs::metadata(env.path().join("large")).unwrap();
        let used = home.used();
        let stored = home.commit();
        let limit = LARGE as u64 / 100;
        assert!(stored < limit, "{stored} bytes stored");
        assert!(home.used() - used < limit, "{} bytes written", home.used() - used);
        let [pack] = &home.packs_of(&bytes)[..] else { panic!("the file was not adopted") };
        assert_eq!(fs::metadata(pack).unwrap().mode() & 0o777, 0o600);
        let after = fs::metadata(env.path().join("large")).unwrap();
        let times = |it: &fs::Metadata| (it.mtime_nsec(), it.ctime(), it.ctime_nsec(), it.ino());
        assert_eq!(times(&before), times(&after), "the file was touched");
        let tree = Tree::read(&env.path());
        env.undo("verify").ok();
        // Removed, replaced and restored: no block is written again.
        fs::remove_file(env.path().join("large")).unwrap();
        env.write("other", "other");
        env.undo("checkout @").ok();
        assert_same(&tree, &Tree::read(&env.path()));
        env.write("large", "small");
        env.undo("checkout @").ok();
        assert_same(&tree, &Tree::read(&env.path()));
        // Writing in place does not change the stored blocks.
        let live = File::options().write(true).open(env.path().join("large")).unwrap();
        live.write_all_at(b"changed", 10).unwrap();
        drop(live);
        env.undo("verify").ok();
        env.undo("checkout @").ok();
        assert_same(&tree, &Tree::read(&env.path()));
        assert!(home.used() - used < 2 * limit, "{} bytes written", home.used() - used);
        assert_eq!(env.undo("status --json").ok().json().last().unwrap()["clean"], true);
        env.undo("verify").ok();
        // With sharing off, the file is written.
        env.undo("config store.reflink false").ok();
        fs::remove_file(env.path().join("large")).unwrap();
        env.undo("checkout @").ok();
        assert_same(&tree, &Tree::read(&env.path()));
        assert!(home.used() - used > LARGE as u64 / 2);
    }
}

/// A repository whose first commit of a large file is gone: `large` has other first 30 % since then.
fn partly_hidden(home: &Disk) -> Tree {
    let env = &home.env;
    env.write("large", noise(1, LARGE));
    env.undo("commit -m one").ok();
    let live = File::options().write(true).open(env.path().join("large")).unwrap();
    live.write_all_at(&noise(2, LARGE * 3 / 10), 0).unwrap();
    env.undo("commit -m two").ok();
    env.undo("forget @~").ok();
    Tree::read(&env.path())
}

#[test]
fn gc_frees_hidden_parts_and_keeps_blocks_shared() {
    for home in Disk::each() {
        let env = &home.env;
        let tree = partly_hidden(&home);
        let used = home.used();
        // A process that reads the repository as it was may need the blocks.
        let reader = File::open(env.path().join(".undo/format")).unwrap();
        reader.lock_shared().unwrap();
        env.undo("gc --now").ok();
        drop(reader);
        let [pack] = &home.packs_of(&noise(1, LARGE))[..] else { panic!("the blocks were freed") };
        assert!(fs::metadata(pack).unwrap().blocks() * 512 >= LARGE as u64);
        let freed = env.undo("gc --now --json").ok().json()[0]["freed"].as_u64().unwrap();
        assert!(freed > LARGE as u64 / 4, "{freed} bytes freed");
        // Btrfs frees blocks only when nothing uses the extent that they are part of.
        let least = if home.kind == "xfs" { LARGE as u64 / 4 } else { 0 };
        // XFS frees the blocks of deleted files a little later.
        let is_freed = || home.used() + least < used + MIB as u64;
        let has_freed = (0..100).any(|_| {
            is_freed() || {
                sleep(Duration::from_millis(100));
                false
            }
        });
        assert!(has_freed, "{} bytes used, {used} before", home.used());
        assert_eq!(env.undo("gc").ok().stdout, b"nothing to remove\n");
        assert_eq!(env.undo("stats --json").ok().json()[0]["garbage"]["hidden"]["bytes"].as_u64().unwrap() >> 20, 0);
        env.undo("verify").ok();
        fs::remove_file(env.path().join("large")).unwrap();
        env.undo("checkout @").ok();
        assert_same(&tree, &Tree::read(&env.path()));
    }
}

#[test]
fn freed_parts_can_be_recorded_again_and_survive_a_lost_mask() {
    for home in Disk::each() {
        let env = &home.env;
        partly_hidden(&home);
        env.undo("gc --now").ok();
        // The content that is gone from the first pack comes back.
        env.write("large", noise(1, LARGE));
        env.undo("commit -m three").ok();
        let tree = Tree::read(&env.path());
        let masks = fs::read_dir(env.path().join(".undo/masks")).unwrap().map(|mask| mask.unwrap().path());
        masks.for_each(|mask| fs::write(mask, "damaged").unwrap());
        env.undo("repair").ok();
        env.undo("verify").ok();
        fs::remove_file(env.path().join("large")).unwrap();
        env.undo("checkout @").ok();
        assert_same(&tree, &Tree::read(&env.path()));
        env.undo("gc --now").ok();
        env.undo("verify").ok();
    }
}

#[test]
fn later_versions_store_only_changes() {
    for home in Disk::each() {
        let env = &home.env;
        let first = noise(1, LARGE);
        let mut trees = Vec::new();
        let mut stored = |name: &'static str, path: &str, bytes: &[u8]| {
            env.write(path, bytes);
            let stored = home.commit();
            env.undo(&format!("tag {name}")).ok();
            trees.push((name, Tree::read(&env.path())));
            stored
        };
        stored("first", "large", &first);
        let second = [&first[..20 * MIB], &noise(2, 100_000), &first[20 * MIB..]].concat();
        assert!(stored("second", "large", &second) < 3 * MIB as u64);
        // A renamed file has no index record before it is read.
        assert!(stored("copy", "copy", &second[..second.len() - 5]) < 3 * MIB as u64);
        assert_eq!(home.packs_of(&first).len(), 1);
        // A rewritten file and a new one are adopted. Of two equal files, one is.
        let third = noise(3, LARGE);
        env.write("twin", &third);
        assert!(stored("third", "large", &third) < MIB as u64);
        assert_eq!(home.packs_of(&third).len(), 1);
        for (name, tree) in trees.iter().chain(trees.iter().rev()) {
            env.undo(&format!("checkout {name}")).ok();
            assert_same(tree, &Tree::read(&env.path()));
        }
        env.undo("verify").ok();
    }
}

#[test]
fn file_written_during_adoption_is_stored_consistently() {
    if !has_strace() {
        return;
    }
    for home in Disk::each() {
        let env = &home.env;
        let mut bytes = noise(1, LARGE);
        env.write("large", &bytes);
        // Only a file that did not change recently is read directly; otherwise its clone is.
        sleep(Duration::from_secs(4));
        let mut strace = env.command("strace");
        strace.args(["-f", "-qq", "-o", "/dev/null", "-e", "trace=pread64", "-e", "inject=pread64:delay_enter=20000"]);
        let mut commit = strace.arg(env!("CARGO_BIN_EXE_undo")).args(["commit", "-q"]).spawn().unwrap();
        while !home.is_cloning() {
            sleep(Duration::from_millis(1));
            assert!(commit.try_wait().unwrap().is_none(), "the commit ended before the clone");
        }
        // Its stat is taken by now, and its end has not been read.
        sleep(Duration::from_millis(50));
        bytes[LARGE - 10..].fill(7);
        let live = File::options().write(true).open(env.path().join("large")).unwrap();
        live.write_all_at(&bytes[LARGE - 10..], LARGE as u64 - 10).unwrap();
        assert!(commit.try_wait().unwrap().is_none(), "the commit ended before it read everything");
        assert!(commit.wait().unwrap().success());
        assert_eq!(home.packs_of(&bytes).len(), 1);
        env.undo("verify").ok();
        assert_eq!(env.undo("status --json").ok().json().last().unwrap()["clean"], true);
        fs::remove_file(env.path().join("large")).unwrap();
        env.undo("checkout @").ok();
        assert!(env.read("large") == bytes);
    }
}

#[test]
fn damage_in_adopted_pack_is_detected() {
    for home in Disk::each() {
        let env = &home.env;
        let bytes = noise(1, LARGE);
        env.write("large", &bytes);
        home.commit();
        let tree = Tree::read(&env.path());
        let pack = home.packs_of(&bytes).remove(0);
        let flip = |at: u64| {
            let file = File::options().read(true).write(true).open(&pack).unwrap();
            let mut byte = [0];
            file.read_exact_at(&mut byte, at).unwrap();
            file.write_all_at(&[byte[0] ^ 1], at).unwrap();
        };
        for at in [0, LARGE as u64 / 2, LARGE as u64 - 1] {
            flip(at);
            assert_same(&tree, &Tree::read(&env.path()));
            env.undo("verify").fails(5);
            fs::remove_file(env.path().join("large")).unwrap();
            assert_ne!(env.undo("checkout @").code, 0);
            let there = fs::read(env.path().join("large"));
            assert!(there.is_err() || there.is_ok_and(|there| there == bytes), "the restored file has wrong bytes");
            flip(at);
            env.undo("checkout @").ok();
            assert!(env.read("large") == bytes);
        }
        env.undo("verify").ok();
    }
}

#[test]
fn small_and_compressible_files_are_copied() {
    for home in Disk::each() {
        let env = &home.env;
        let noisy = noise(1, 20 * MIB);
        env.write("short", &noisy[..15 * MIB]);
        env.write("text", noisy.iter().flat_map(|byte| format!("{byte} ").into_bytes()).collect::<Vec<u8>>());
        let sparse = File::create(env.path().join("sparse")).unwrap();
        sparse.set_len(40 << 20).unwrap();
        sparse.write_all_at(&noisy[1..], 0).unwrap();
        drop(sparse);
        assert!(home.commit() > 35 * MIB as u64);
        for start in [&noisy[..], &noisy[1..], &env.read("text")] {
            assert!(home.packs_of(start).is_empty());
        }
        env.undo("config store.reflink false").ok();
        env.write("large", noise(7, 20 * MIB));
        assert!(home.commit() > 20 * MIB as u64);
        env.undo("verify").ok();
    }
}

#[test]
fn python_reader_reads_adopted_packs() {
    if !is_installed("python3") {
        return;
    }
    for home in Disk::each() {
        home.env.write("large", noise(1, 16 * MIB + 1));
        home.commit();
        assert_eq!(home.packs_of(&home.env.read("large")).len(), 1);
        let lines = read(&home.env.path().join(".undo"), &["--check"]);
        assert!(lines["checked"][0]["codecs"].as_array().unwrap().contains(&0.into()));
    }
}
