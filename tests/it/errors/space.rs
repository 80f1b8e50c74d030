//! Full disks: exit 13, no partial changes, and everything works again once there is space.
//!
//! Uses a small file system mounted as root, and `strace` to make calls fail.

use std::fs;
use std::io::Write;
use std::path::PathBuf;
use std::process::Command;

use snapbox::str;

use super::{ids, noise};
use crate::env::TestEnv;
use crate::skip::skip;
use crate::tree::{Tree, assert_same};

/// A worktree on a small file system, unmounted before its folder is removed.
struct SmallDisk {
    mount: PathBuf,
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("--lazy").arg(&self.mount).status();
    }
}

impl SmallDisk {
    fn new(env: &TestEnv) -> Option<SmallDisk> {
        let mount = env.path();
        let options = ["-t", "tmpfs", "-o", "size=40m,mode=0755", "tmpfs"];
        let mounted = rustix::process::geteuid().is_root()
            && Command::new("mount").args(options).arg(&mount).output().is_ok_and(|output| output.status.success());
        if !mounted {
            skip("only root can mount a small file system");
            return None;
        }
        Some(SmallDisk { mount })
    }

    /// Fills the disk with an unrelated file.
    fn fill(&self) {
        let mut file = fs::File::create(self.mount.join(".undo/filler")).unwrap();
        let block = vec![7; 4096];
        while file.write_all(&block).is_ok() {}
    }

    /// Leaves this number of bytes free.
    fn leave(&self, bytes: u64) {
        let stat = rustix::fs::statfs(&self.mount).unwrap();
        let free = stat.f_bfree * u64::try_from(stat.f_bsize).unwrap();
        let block = vec![7; 4096];
        let mut file = fs::File::create(self.mount.join(".undo/filler")).unwrap();
        (0..(free - bytes) / 4096).for_each(|_| file.write_all(&block).unwrap());
    }

    fn free(&self) {
        fs::remove_file(self.mount.join(".undo/filler")).unwrap();
    }
}

/// Creates two entirely different commits, the first one tagged `one`.
fn two_states(env: &TestEnv) -> (Tree, Tree) {
    env.undo("init -q").ok();
    env.write("large", noise(1, 2_000_000));
    for n in 0..20 {
        env.write(&format!("old-{}/file-{n}", n % 3), noise(n, 900));
    }
    env.undo("commit -m one").ok();
    env.undo("tag one").ok();
    let one = Tree::read(&env.path());
    for n in 0..3 {
        fs::remove_dir_all(env.path().join(format!("old-{n}"))).unwrap();
    }
    env.write("large", "small now");
    env.write("new/deep/file", noise(5, 900));
    env.undo("commit -m two").ok();
    env.undo("tag two").ok();
    (one, Tree::read(&env.path()))
}

#[test]
fn commit_on_full_disk_changes_nothing_and_can_be_repeated() {
    let env = TestEnv::new();
    let Some(small) = SmallDisk::new(&env) else { return };
    let (one, _) = two_states(&env);
    // More than the reserve.
    env.write("large", noise(8, 9_000_000));
    let unsaved = Tree::read(&env.path());
    small.fill();
    env.undo("commit -m three").shows(str![[r#"
---- stderr ----
error: [..]cannot write `[ROOT]/work/.undo/tmp/pack.[..].tmp`: no space left on device
hint: free some space on this file system, then run the command again
[exit 13]

"#]]);
    env.undo("commit -m three --json").shows(str![[r#"
---- stderr ----
{"type":"error","code":"no-space","message":"[..]cannot write `[ROOT]/work/.undo/tmp/pack.[..].tmp`: no space left on device","hint":"free some space on this file system, then run the command again","exit":13,"paths":[]}
[exit 13]

"#]]);
    env.undo("log --oneline").shows(str![[r#"
@ [ID] (main, two) two  +3 ~1 -23, [..] stored (suspicious)
* [ID] (one) one  +24 ~0 -0, [..] stored

"#]]);
    // A checkout would have to record the unsaved changes.
    env.undo("checkout one").shows(str![[r#"
---- stderr ----
error: [..]cannot write `[ROOT]/work/.undo/tmp/pack.[..].tmp`: no space left on device
hint: free some space on this file system, then run the command again
[exit 13]

"#]]);
    small.free();
    assert_same(&unsaved, &Tree::read(&env.path()));
    assert_eq!(ids(&env).len(), 2);
    let left: Vec<_> =
        fs::read_dir(env.path().join(".undo/tmp")).unwrap().map(|file| file.unwrap().file_name()).collect();
    assert!(left.iter().all(|name| name == "clock"), "{left:?}");
    env.undo("commit -m three").ok();
    env.undo("checkout one").ok();
    assert_same(&one, &Tree::read(&env.path()));
    env.undo("checkout -").ok();
    assert_same(&unsaved, &Tree::read(&env.path()));
}

#[test]
fn checkout_out_of_space_can_be_continued_or_undone() {
    for finishes in [true, false] {
        let env = TestEnv::new();
        let Some(small) = SmallDisk::new(&env) else { return };
        let (one, two) = two_states(&env);
        small.fill();
        let output = env.undo("checkout one").fails(13);
        if finishes {
            output.shows(str![[r#"
---- stderr ----
error: the checkout is not finished: `[..]`: cannot write `[ROOT]/work/[..]/.undo-[..]`: no space left on device
hint: once the cause is gone, `undo checkout --continue` finishes it, and `undo undo` takes it back
[exit 13]

"#]]);
        }
        // Each file has its old or its new content.
        let large = env.read("large");
        assert!(large == b"small now" || large == noise(1, 2_000_000));
        let status = env.undo("status").ok();
        if finishes {
            status.shows(str![[r#"
on main at [ID], 3 minutes ago  two
...
---- stderr ----
warning: an unfinished checkout of [ID] has left the directory half old, half new; finish it with `undo checkout --continue`, or undo it with `undo undo`

"#]]);
        }
        small.free();
        if finishes {
            env.undo("checkout --continue").ok();
            assert_same(&one, &Tree::read(&env.path()));
        }
        env.undo("checkout two").ok();
        assert_same(&two, &Tree::read(&env.path()));
        env.undo("status").ok();
        env.undo("checkout one").ok();
        assert_same(&one, &Tree::read(&env.path()));
    }
}

#[test]
fn checkout_that_cannot_fit_is_refused() {
    let env = TestEnv::new();
    let Some(small) = SmallDisk::new(&env) else { return };
    env.undo("init -q").ok();
    env.write("large", noise(1, 5_000_000));
    // Mostly holes: the file fits although its size does not.
    fs::File::create(env.path().join("sparse")).unwrap().set_len(40_000_000).unwrap();
    env.undo("commit -m one").ok();
    env.undo("tag one").ok();
    let one = Tree::read(&env.path());
    fs::remove_file(env.path().join("large")).unwrap();
    fs::remove_file(env.path().join("sparse")).unwrap();
    env.undo("commit -m two").ok();
    env.write("unsaved", "not recorded");
    let unsaved = Tree::read(&env.path());
    small.leave(3 << 20);
    let operations = env.undo("op log --json").ok().json().len();
    env.undo("checkout one").shows(str![[r#"
---- stderr ----
error: not enough space: this needs 5 MiB, and the file system of `[ROOT]/work` has 3 MiB free
hint: nothing was changed: free some space there, then run the command again
[exit 13]

"#]]);
    env.undo("restore --from one large --json").shows(str![[r#"
---- stderr ----
{"type":"error","code":"no-space","message":"not enough space: this needs 5 MiB, and the file system of `[ROOT]/work` has 3 MiB free","hint":"nothing was changed: free some space there, then run the command again","exit":13,"paths":[]}
[exit 13]

"#]]);
    env.undo("checkout one --force").fails(13);
    assert_same(&unsaved, &Tree::read(&env.path()));
    assert_eq!(env.undo("op log --json").ok().json().len(), operations);
    env.undo("restore --from one sparse").ok();
    small.free();
    env.undo("checkout one").ok();
    assert_same(&one, &Tree::read(&env.path()));
}

#[test]
fn checkout_reusing_freed_space_is_allowed() {
    let env = TestEnv::new();
    let Some(small) = SmallDisk::new(&env) else { return };
    env.undo("init -q").ok();
    let names = ["a", "b"];
    names.iter().for_each(|name| env.write(name, noise(1, 2_200_000)));
    env.undo("commit -m one").ok();
    let one = Tree::read(&env.path());
    names.iter().for_each(|name| env.write(name, vec![2; 2_200_000]));
    env.undo("commit -m two").ok();
    // Space for one of them at a time.
    small.leave(3 << 20);
    env.undo("checkout @~").ok();
    assert_same(&one, &Tree::read(&env.path()));
}

#[test]
fn renamed_files_need_no_space() {
    let env = TestEnv::new();
    let Some(small) = SmallDisk::new(&env) else { return };
    env.undo("init -q").ok();
    env.write("large", noise(1, 11_000_000));
    env.undo("commit -m one").ok();
    let one = Tree::read(&env.path());
    fs::rename(env.path().join("large"), env.path().join("moved")).unwrap();
    std::thread::sleep(std::time::Duration::from_millis(20));
    env.undo("commit -m two").ok();
    small.leave(2 << 20);
    env.undo("checkout @~").ok();
    assert_same(&one, &Tree::read(&env.path()));
}

#[test]
fn small_records_use_the_reserve_on_full_disk() {
    let env = TestEnv::new();
    let Some(small) = SmallDisk::new(&env) else { return };
    let (_, two) = two_states(&env);
    small.fill();
    env.undo("tag full").ok();
    assert_eq!(env.undo("log --oneline").ok().text().lines().count(), 2);
    small.free();
    assert_same(&two, &Tree::read(&env.path()));
}

/// Calls that a full disk makes fail.
const FAMILIES: [&str; 4] = [
    "write,pwrite64,pwritev2,fallocate,ftruncate,copy_file_range",
    "mkdir,mkdirat,symlinkat,linkat",
    "rename,renameat,renameat2",
    "fsync,fdatasync,syncfs",
];

/// Runs `undo` with all calls of a family failing from the `n`-th on; returns its exit status, or `None` without
/// strace.
fn run_full(env: &TestEnv, family: &str, n: usize, arguments: &[&str]) -> Option<i32> {
    let mut strace = env.command("strace");
    strace.args(["-f", "-qq", "-o", "/dev/null", "-e", &format!("trace={family}")]);
    strace.args(["-e", &format!("inject={family}:error=ENOSPC:when={n}+")]);
    let output = strace.arg(env!("CARGO_BIN_EXE_undo")).args(arguments).output().ok()?;
    let code = output.status.code();
    assert!(code.is_some_and(|code| code != 70 && code != 101), "{family} {n}: {output:?}");
    code
}

/// Returns the next N to try.
fn next_n(n: usize) -> usize {
    if std::env::var_os("UNDO_TEST_SWEEP").is_some() { n + 1 } else { n + 1 + n }
}

#[test]
fn commit_failing_for_space_at_any_call_can_be_repeated() {
    for family in FAMILIES {
        let mut n = 1;
        loop {
            let env = TestEnv::new();
            let (_, two) = two_states(&env);
            env.write("large", noise(8, 1_500_000));
            let three = Tree::read(&env.path());
            let Some(code) = run_full(&env, family, n, &["-q", "commit", "-m", "three"]) else {
                skip("strace is not installed");
                return;
            };
            assert!(code == 0 || code == 13, "{family} {n}: exit {code}");
            assert_same(&three, &Tree::read(&env.path()));
            let made = ids(&env).len();
            assert!(made == 2 || made == 3, "{family} {n}: {made} commits");
            assert!(code != 0 || made == 3, "{family} {n}: acknowledged but missing");
            env.undo("commit -m again").ok();
            env.undo("checkout two").ok();
            assert_same(&two, &Tree::read(&env.path()));
            env.undo("checkout latest").ok();
            assert_same(&three, &Tree::read(&env.path()));
            if code == 0 && n > 40 {
                break;
            }
            n = next_n(n);
        }
    }
}

#[test]
fn checkout_failing_for_space_at_any_call_can_be_repeated() {
    for family in FAMILIES {
        let mut n = 1;
        loop {
            let env = TestEnv::new();
            let (one, two) = two_states(&env);
            let Some(code) = run_full(&env, family, n, &["-q", "checkout", "one"]) else {
                skip("strace is not installed");
                return;
            };
            assert!(code == 0 || code == 13, "{family} {n}: exit {code}");
            if code != 0 && n % 2 == 0 {
                env.undo("checkout two").ok();
                assert_same(&two, &Tree::read(&env.path()));
            }
            env.undo("checkout one").ok();
            assert_same(&one, &Tree::read(&env.path()));
            if code == 0 && n > 40 {
                break;
            }
            n = next_n(n);
        }
    }
}
