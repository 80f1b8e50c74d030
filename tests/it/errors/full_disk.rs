//! Rollbacks on a full disk, on small file systems mounted for each test.

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use snapbox::str;

use super::noise;
use crate::env::TestEnv;
use crate::safety::places::Mounted;
use crate::skip::skip;
use crate::tree::{Tree, assert_same};

const MIB: u64 = 1 << 20;

/// A worktree on a separate file system.
pub struct Disk {
    // Dropped first: unmounted before its mount point is removed.
    _mounted: Mounted,
    pub env: TestEnv,
}

impl Disk {
    /// A tmpfs of 64 MiB.
    pub fn tmpfs() -> Option<Disk> {
        let env = TestEnv::new();
        let mounted = Mounted::new(&["-t", "tmpfs", "-o", "size=64m,mode=0755", "tmpfs"], &env.path());
        Disk::new(env, mounted)
    }

    /// An ext4 of 300 MiB.
    fn ext4() -> Option<Disk> {
        let env = TestEnv::new();
        let image = env.root().join("image");
        fs::File::create(&image).unwrap().set_len(300 * MIB).unwrap();
        let made = Command::new("mkfs.ext4").args(["-q", "-F"]).arg(&image).status().is_ok_and(|made| made.success());
        let mounted = if made { Mounted::new(&["-o", "loop", image.to_str().unwrap()], &env.path()) } else { None };
        if mounted.is_some() {
            fs::remove_dir(env.path().join("lost+found")).unwrap();
        }
        Disk::new(env, mounted)
    }

    fn new(env: TestEnv, mounted: Option<Mounted>) -> Option<Disk> {
        match mounted {
            Some(mounted) => Some(Disk { _mounted: mounted, env }),
            None => {
                skip("no small file system can be mounted");
                None
            }
        }
    }

    fn ballast(&self) -> PathBuf {
        self.env.path().join(".undo/ballast")
    }

    /// Leaves this much space, by creating a file that is in no commit.
    ///
    /// Exact only if nothing was deleted before: a process that another test is starting may hold a deleted file open for a
    /// moment, and its space returns later.
    pub fn leave(&self, bytes: u64) {
        let stat = rustix::fs::statfs(self.env.path().as_path()).unwrap();
        let free = stat.f_bfree * u64::try_from(stat.f_bsize).unwrap();
        let file = fs::File::create(self.ballast()).unwrap();
        rustix::fs::fallocate(&file, rustix::fs::FallocateFlags::empty(), 0, free - bytes).unwrap();
    }

    pub fn free(&self) {
        fs::remove_file(self.ballast()).unwrap();
    }
}

/// Creates and records files and folders.
fn recorded(disk: &Disk) -> Tree {
    let env = &disk.env;
    env.undo("init -q").ok();
    env.write("large", noise(1, 12 * 1024 * 1024));
    env.write("notes", "one\n");
    for n in 0..20 {
        env.write(&format!("folder-{}/{n}", n % 3), noise(n, 900));
    }
    env.undo("commit -m one").ok();
    Tree::read(&env.path())
}

#[test]
fn rollback_works_after_run_filled_disk() {
    for disk in [Disk::tmpfs(), Disk::ext4()] {
        let Some(disk) = disk else { continue };
        let before = recorded(&disk);
        disk.leave(16 * MIB);
        let script = "rm -r large folder-1; mkdir new; echo x >new/x; echo two >>notes; cat /dev/zero >zero";
        for option in ["--rollback", "--on-fail rollback"] {
            let output = disk.env.undo(&format!("run {option} -- sh -c '{script}'")).fails(1);
            assert!(output.to_string().contains("rolled back: "), "{output}");
            assert_same(&before, &Tree::read(&disk.env.path()));
            disk.env.undo("status").ok();
        }
        disk.env.undo("verify").ok();
        disk.free();
        disk.env.undo("redo").ok();
        assert!(disk.env.path().join("zero").exists() && !disk.env.path().join("large").exists());
    }
}

#[test]
fn undo_reverts_run_that_filled_disk() {
    let Some(disk) = Disk::tmpfs() else { return };
    let before = recorded(&disk);
    disk.leave(16 * MIB);
    disk.env.undo("run -- sh -c 'rm large; cat /dev/zero >zero'").fails(1);
    disk.env.undo("undo").ok();
    assert_same(&before, &Tree::read(&disk.env.path()));
}

#[test]
fn unrecordable_changes_are_reported_with_a_hint() {
    let Some(disk) = Disk::tmpfs() else { return };
    let env = &disk.env;
    recorded(&disk);
    env.write("notes", "two\n");
    env.undo("commit -m two").ok();
    let before = Tree::read(&env.path());
    disk.leave(4 * MIB);
    let filled = "run --rollback -- sh -c 'rm large; cat /dev/urandom >random; exit 7'";
    let output = env.undo(filled).fails(125);
    output.shows(str![[r#"
---- stderr ----
cat: write error: No space left on device
error: after `sh -c 'rm large; cat /dev/urandom >random; exit 7'`: its changes are NOT recorded, but are still in the directory: [..]cannot write `[ROOT]/work/.undo/tmp/pack.[..].tmp`: no space left on device
hint: free some space, then restore the state before it: undo checkout [ID]
[exit 125]

"#]]);
    let filled = Tree::read(&env.path());
    for line in ["undo", "undo -n", "undo 2"] {
        env.undo(line).shows(str![[r#"
---- stderr ----
error: the changes of the last `undo run` are not recorded, so `undo undo` cannot undo them
hint: to restore the state before that run: undo checkout [ID]
[exit 4]

"#]]);
    }
    env.undo("checkout @").fails(13);
    assert_same(&filled, &Tree::read(&env.path()));
    disk.free();
    env.undo("checkout @").ok();
    assert_same(&before, &Tree::read(&env.path()));
    env.undo("undo").ok();
    assert_same(&filled, &Tree::read(&env.path()));
}

#[test]
fn undo_works_after_unrecorded_changes_are_gone() {
    let Some(disk) = Disk::tmpfs() else { return };
    let env = &disk.env;
    recorded(&disk);
    env.write("notes", "two\n");
    env.undo("commit -m two").ok();
    env.undo("checkout @~").ok();
    // More than the reserve can hold.
    disk.leave(12 * MIB);
    let mode = fs::metadata(env.path()).unwrap().permissions();
    env.undo("run -- sh -c 'chmod 711 .; cat /dev/urandom >random'").fails(125);
    env.undo("undo").fails(4);
    fs::remove_file(env.path().join("random")).unwrap();
    // The mode of the directory is still that of the run.
    env.undo("undo").fails(4);
    fs::set_permissions(env.path(), mode).unwrap();
    env.undo("undo").ok();
    assert_eq!(env.read("notes"), b"two\n");
}

#[test]
fn recorded_run_without_space_for_rollback_shows_hint() {
    let Some(disk) = Disk::tmpfs() else { return };
    let env = &disk.env;
    let before = recorded(&disk);
    let ballast = "dd if=/dev/zero of=.undo/ballast bs=1M status=none";
    env.undo(&format!("run --rollback -- sh -c 'rm large; {ballast}'")).shows(str![[r#"
---- stderr ----
dd: error writing '.undo/ballast': No space left on device
sh -c 'rm large; dd if=/dev/zero of=.undo/ballast bs=1M status=none': exit 1 after [DURATION]
[ID]  0 added, 0 modified, 1 deleted  (12.0 MiB → 17.6 KiB)
  deleted  large  (12.0 MiB)
error: after `sh -c 'rm large; dd if=/dev/zero of=.undo/ballast bs=1M status=none'`: its changes are recorded but not undone: not enough space: this needs 12 MiB, and the file system of `[ROOT]/work` has [..] MiB free
hint: free some space, then undo the changes: undo undo
[exit 125]

"#]]);
    disk.free();
    env.undo("undo").ok();
    assert_same(&before, &Tree::read(&env.path()));
}

#[test]
fn removals_free_space_for_new_files() {
    let Some(disk) = Disk::tmpfs() else { return };
    let env = &disk.env;
    env.undo("init -q").ok();
    let sizes = [("shrinks", 6, 1), ("grows", 1, 6), ("goes", 8, 0), ("comes", 0, 8)];
    let write = |size: fn(&(&str, usize, usize)) -> usize| {
        for (seed, state) in sizes.iter().enumerate() {
            match size(state) {
                0 => drop(fs::remove_file(env.path().join(state.0))),
                size => env.write(state.0, noise((seed + 10 * size) as u64, size << 20)),
            }
        }
    };
    write(|state| state.1);
    env.undo("commit -m one").ok();
    let one = Tree::read(&env.path());
    write(|state| state.2);
    env.undo("commit -m two").ok();
    let two = Tree::read(&env.path());
    disk.leave(3 * MIB);
    env.undo("checkout @~").ok();
    assert_same(&one, &Tree::read(&env.path()));
    env.undo("undo").ok();
    assert_same(&two, &Tree::read(&env.path()));
}

#[test]
fn failed_export_on_full_disk_can_be_repeated() {
    for place in ["elsewhere/new", "elsewhere/empty"] {
        let Some(disk) = Disk::tmpfs() else { return };
        let env = &disk.env;
        let before = recorded(&disk);
        fs::create_dir_all(env.path().join("elsewhere/empty")).unwrap();
        disk.leave(5 * MIB);
        let line = format!("export @ {place}");
        env.undo(&line).shows(str![[r#"
---- stderr ----
error: `large`: cannot [..]: no space left on device
hint: free some space on this file system, then run the command again
[exit 13]

"#]]);
        assert_eq!(fs::read_dir(env.path().join(place)).unwrap().count(), 0);
        disk.free();
        env.undo(&line).ok();
        assert_same(&before, &Tree::read(&env.path().join(place)));
    }
}

/// Nothing is free, and the reserve is used up: commands that read work, and history can be made smaller.
#[test]
fn history_frees_space_on_full_disk() {
    for disk in [Disk::tmpfs(), Disk::ext4()] {
        let Some(disk) = disk else { continue };
        let env = &disk.env;
        env.undo("init -q").ok();
        env.write("notes", "one\n");
        env.undo("commit -m one").ok();
        let small = Tree::read(&env.path());
        for n in 0..3 {
            env.write("large", noise(n, 6 * 1024 * 1024));
            env.undo(&format!("commit -m {n}")).ok();
        }
        let large = Tree::read(&env.path());
        disk.leave(16 * MIB);
        let mut rest = fs::File::create(env.path().join(".undo/rest")).unwrap();
        while std::io::Write::write_all(&mut rest, &[1; 4096]).is_ok() {}
        drop(rest);
        for command in ["log", "diff @~ @", "cat @~3:notes", "verify", "stats", "status"] {
            env.undo(command).ok();
        }
        env.undo("checkout @~3").ok();
        assert_same(&small, &Tree::read(&env.path()));
        env.undo("undo").ok();
        assert_same(&large, &Tree::read(&env.path()));
        let used = || {
            let stat = rustix::fs::statfs(env.path().as_path()).unwrap();
            (stat.f_blocks - stat.f_bfree) * u64::try_from(stat.f_bsize).unwrap()
        };
        let before = used();
        env.undo("forget @~ @~2").ok();
        env.undo("gc --now").ok();
        assert!(before - used() >= 11 * MIB, "{} freed", before - used());
        env.undo("verify").ok();
        assert_same(&large, &Tree::read(&env.path()));
        env.undo("checkout @~").ok();
        assert_same(&small, &Tree::read(&env.path()));
    }
}
