//! Unreadable sectors: no command is killed by a signal, the damage is named, everything else stays usable.
//!
//! Uses a btrfs image and changes bytes behind the file system's back: reading them fails because of their checksum.

use std::collections::HashMap;
use std::fs::{self, File};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::env::{Output, TestEnv};
use crate::errors::damage::packs;
use crate::errors::noise;
use crate::safety::places::Mounted;
use crate::skip::skip;

/// Unit of btrfs checksums.
const BLOCK: usize = 4096;

/// Packs smaller than this hold one small commit.
const SMALL: usize = 64 << 10;

/// A worktree on an image.
struct Disk {
    // Dropped before the folder that contains the image.
    mounted: Option<Mounted>,
    env: TestEnv,
}

impl Disk {
    /// `None`, reported as skipped, if btrfs is not available.
    fn new() -> Option<Disk> {
        let env = TestEnv::new();
        File::create(env.root().join("image")).unwrap().set_len(150 << 20).unwrap();
        let made = Command::new("mkfs.btrfs").args(["-q", "-m", "single"]).arg(env.root().join("image")).output();
        let mut disk = Disk { mounted: None, env };
        if made.is_ok_and(|output| output.status.success()) {
            disk.mount();
        }
        if disk.mounted.is_none() {
            skip("btrfs is not available (needs root, a loop device, mkfs.btrfs and a kernel with btrfs)");
            return None;
        }
        Some(disk)
    }

    /// Mounts the image. Remounting drops the cached pages of the files.
    fn mount(&mut self) {
        self.unmount();
        let image = self.env.root().join("image");
        // Small files then have separate blocks.
        let options = ["-t", "btrfs", "-o", "loop,max_inline=0,noatime", image.to_str().unwrap()];
        self.mounted = Mounted::new(&options, &self.env.path());
    }

    fn unmount(&mut self) {
        if self.mounted.take().is_some() {
            wait_until_unused(&self.env.root().join("image"));
        }
    }

    /// Makes the block with this byte of a file unreadable while `look` runs.
    fn with_bad_block(&mut self, path: &Path, at: usize, look: impl FnOnce(&TestEnv)) {
        let content = fs::read(path).unwrap();
        let start = at / BLOCK * BLOCK;
        let mut block = content[start..content.len().min(start + BLOCK)].to_vec();
        block.resize(BLOCK, 0);
        self.unmount();
        let image = File::options().read(true).write(true).open(self.env.root().join("image")).unwrap();
        let places = find(&image, &block);
        assert!(!places.is_empty(), "{} has no block at {start} on the disk", path.display());
        let flip = || {
            for &place in &places {
                let mut byte = [0];
                image.read_exact_at(&mut byte, place).unwrap();
                image.write_all_at(&[byte[0] ^ 0x55], place).unwrap();
            }
        };
        flip();
        self.mount();
        let mut buffer = [0; 1];
        let read = File::open(path).unwrap().read_exact_at(&mut buffer, start as u64);
        assert_eq!(read.unwrap_err().raw_os_error(), Some(5), "{} can be read", path.display());
        look(&self.env);
        self.unmount();
        // A copy made by the commands is elsewhere.
        flip();
        self.mount();
    }
}

/// Waits for the end of a lazy unmount, when the last file is closed; the loop device goes with it.
pub fn wait_until_unused(image: &Path) {
    let is_used = || !Command::new("losetup").arg("-j").arg(image).output().unwrap().stdout.is_empty();
    while is_used() {
        std::thread::sleep(std::time::Duration::from_millis(10));
    }
}

/// Offsets of a block on the image. Blocks of replaced files may be among them.
pub fn find(image: &File, block: &[u8]) -> Vec<u64> {
    const PART: usize = 1 << 20;
    let length = image.metadata().unwrap().len();
    let mut part = vec![0; PART];
    let mut found = Vec::new();
    for start in (0..length).step_by(PART) {
        image.read_exact_at(&mut part, start).unwrap();
        let same = part.chunks(BLOCK).enumerate().filter(|(_, other)| *other == block);
        found.extend(same.map(|(n, _)| start + (n * BLOCK) as u64));
    }
    found
}

/// Runs read-only commands; none may end by a signal or a panic. Returns the output of each.
fn look(env: &TestEnv, what: &str, lines: &[&str]) -> HashMap<String, Output> {
    let run = |line: &&str| {
        let output = env.undo(line);
        assert!([0, 3, 5].contains(&output.code), "{what}: undo {line}\n{output}");
        ((*line).to_owned(), output)
    };
    lines.iter().map(run).collect()
}

/// Four commits with separate packs: enough files for a catalog first, then one more file each.
fn history(disk: &Disk) -> Vec<PathBuf> {
    let env = &disk.env;
    env.undo("init").ok();
    for n in 0..8200 {
        env.write(&format!("many/{}/file-{n}", n % 90), n.to_string());
    }
    env.undo("commit -m many").ok();
    env.undo("tag many").ok();
    let mut known = packs(env);
    let mut made = Vec::new();
    for (n, name) in ["one", "two", "three"].into_iter().enumerate() {
        env.write(name, noise(n as u64, 20_000));
        env.undo(&format!("commit -m {name}")).ok();
        env.undo(&format!("tag {name}")).ok();
        let new: Vec<PathBuf> = packs(env).into_iter().filter(|pack| !known.contains(pack)).collect();
        assert_eq!(new.len(), 1);
        known.extend(new.clone());
        made.extend(new);
    }
    // Old enough for the index to be trusted.
    std::thread::sleep(std::time::Duration::from_millis(30));
    env.undo("commit").ok();
    made
}

const LOOKS: [&str; 7] = [
    "status --json",
    "log --json",
    "log -n 1 --json -- many/7",
    "cat many:many/7/file-7",
    "diff one two",
    "ls -R many",
    "op log --json",
];

#[test]
fn unreadable_caches_only_cost_time() {
    let Some(mut disk) = Disk::new() else { return };
    history(&disk);
    let (index, catalog) = (disk.env.path().join(".undo/index"), disk.env.path().join(".undo/catalog"));
    let length = |path: &PathBuf| fs::metadata(path).unwrap().len() as usize;
    let right: HashMap<String, Output> = look(&disk.env, "whole", &LOOKS);
    for (path, at) in [
        (&index, 0),
        (&index, length(&index) / 2),
        (&index, length(&index) - 1),
        (&catalog, 0),
        (&catalog, length(&catalog) / 4),
        (&catalog, length(&catalog) - 1),
    ] {
        let what = format!("{} at {at}", path.display());
        disk.with_bad_block(path, at, |env| {
            for (line, output) in look(env, &what, &LOOKS) {
                assert_eq!((output.code, &output.stdout), (0, &right[&line].stdout), "{what}: undo {line}\n{output}");
                let is_reported = String::from_utf8_lossy(&output.stderr).contains("the index cannot be used");
                assert_eq!(
                    is_reported,
                    path == &index && at == 0 && line == "status --json",
                    "{what}: undo {line}\n{output}"
                );
            }
        });
    }
    // Commands that write create them again.
    disk.with_bad_block(&index, 0, |env| {
        env.write("four", "four");
        env.undo("commit -m four").ok();
        assert!(env.undo("status").ok().stderr.is_empty());
        env.undo("checkout three").ok();
    });
    disk.with_bad_block(&catalog, length(&catalog) / 2, |env| {
        env.write("five", "five");
        env.undo("commit -m five").ok();
        env.undo("checkout one").ok();
        env.undo("undo").ok();
        assert_eq!(env.read("five"), b"five");
        env.undo("verify").ok();
    });
}

#[test]
fn unreadable_pack_is_reported_and_others_are_usable() {
    let Some(mut disk) = Disk::new() else { return };
    let made = history(&disk);
    let pack = made[1].clone();
    let size = fs::metadata(&pack).unwrap().len() as usize;
    assert!(size < SMALL);
    let table = size - 80 - 400;
    // The last block has the footer and most likely the table; the first one has the content.
    for (part, at) in [("footer", size - 1), ("table", table), ("body", 0)] {
        disk.with_bad_block(&pack, at, |env| {
            look(env, part, &LOOKS);
            let name = pack.file_name().unwrap().to_str().unwrap();
            let is_named =
                |output: &Output| output.to_string().contains(&name[..8]) || output.to_string().contains("packs/");
            let verified = env.undo("verify").fails(5);
            assert!(is_named(&verified), "{part}\n{verified}");
            let lost = env.undo("cat three:two");
            assert!(lost.code == 5 && is_named(&lost) && lost.stdout.is_empty(), "{part}: {}", lost.code);
            for (commit, file, n) in [("three", "one", 0), ("three", "three", 2), ("one", "one", 0)] {
                // The newest tree is not in the lost pack.
                let output = env.undo(&format!("cat {commit}:{file}")).ok();
                assert!(output.stdout == noise(n, 20_000), "{part}: {commit}:{file}");
            }
            if part != "body" {
                return;
            }
            // The content is still in the worktree, so it is stored again, and nothing is missing then.
            env.write("later", "later");
            let output = env.undo("commit -m later");
            assert!([0, 3].contains(&output.code), "{output}");
            env.undo("checkout many").ok();
            env.undo("undo").ok();
            assert!(env.read("two") == noise(1, 20_000));
        });
    }
}

#[test]
fn unreadable_journal_is_read_up_to_damage() {
    let Some(mut disk) = Disk::new() else { return };
    let env = &disk.env;
    env.undo("init").ok();
    for n in 0..45 {
        env.write("file", n.to_string());
        env.undo(&format!("commit -m number-{n}")).ok();
    }
    let journal = env.path().join(".undo/journal/00000001");
    let length = fs::metadata(&journal).unwrap().len() as usize;
    assert!(length > 3 * BLOCK, "{length}");
    disk.with_bad_block(&journal, length - 1, |env| {
        let log = env.undo("log").ok();
        assert!(log.to_string().contains("/.undo/journal/") && log.text().contains("number-3"), "{log}");
        assert!(!log.text().contains("number-44"), "{log}");
        let refused = env.undo("commit -m more").fails(5);
        assert!(refused.to_string().contains("/.undo/journal/"), "{refused}");
        assert_eq!(env.undo("cat @:file").ok().stdout.len(), 2);
        assert!(env.undo("verify").fails(5).to_string().contains("/.undo/journal/"));
    });
    disk.with_bad_block(&journal, 0, |env| {
        for line in ["log", "status", "commit -m more", "verify"] {
            let output = env.undo(line).fails(5);
            assert!(output.to_string().contains("/.undo/journal/"), "{line}\n{output}");
        }
    });
    assert!(disk.env.undo("log").ok().text().contains("number-44"));
}

#[test]
fn unreadable_worktree_file_is_listed_and_others_are_recorded() {
    let Some(mut disk) = Disk::new() else { return };
    for (name, length, at) in [("small", 5000, 4097), ("large", 20 << 20, 15 << 20)] {
        let env = &disk.env;
        env.write(name, noise(9, length));
        env.write("beside", name);
        let path = env.path().join(name);
        rustix::fs::syncfs(File::open(env.path()).unwrap()).unwrap();
        disk.with_bad_block(&path, at, |env| {
            let output = env.undo(&format!("commit --init -m {name}"));
            let output = if output.code == 2 { env.undo(&format!("commit -m {name}")) } else { output }.fails(3);
            assert!(output.to_string().contains(name), "{output}");
            assert_eq!(env.undo("cat @:beside").ok().text(), name);
            env.undo("verify").ok();
            // No checkout removes the file.
            env.write("beside", "changed");
            look(env, name, &["checkout @"]);
            assert!(path.exists());
        });
        fs::remove_file(disk.env.path().join(name)).unwrap();
    }
}
