//! Limits of the process and of its surroundings: a clear error, and the same command gets it done without them.

use std::os::fd::OwnedFd;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use rustix::fs::{AtFlags, Mode, OFlags};

use super::noise;
use crate::env::TestEnv;
use crate::skip::skip;
use crate::tree::{Tree, assert_same};

/// Many directories with a file each, tagged `one`; all of it changed, tagged `two`.
fn many_directories() -> TestEnv {
    let env = TestEnv::initialised();
    for state in ["one", "two"] {
        for n in 0..150 {
            env.write(&format!("d{}/e{}/f{n}", n % 50, n % 3), format!("{state} {n}"));
        }
        env.undo(&format!("commit -m {state}")).ok();
        env.undo(&format!("tag {state}")).ok();
    }
    env
}

#[test]
fn few_open_files_are_enough() {
    for limit in [32, 20] {
        let env = many_directories();
        let two = Tree::read(&env.path());
        let script =
            format!("ulimit -n {limit}; undo checkout one && undo status && undo log -n 1 && undo checkout two");
        env.shell(&script).ok();
        assert_same(&two, &Tree::read(&env.path()));
        std::fs::remove_dir_all(env.path().join("d1")).unwrap();
        std::fs::remove_dir_all(env.path().join("d2")).unwrap();
        env.shell(&format!("ulimit -n {limit}; undo commit -m three && undo checkout two && undo verify")).ok();
        assert_same(&two, &Tree::read(&env.path()));
    }
}

#[test]
fn a_umask_without_the_owners_rights_makes_a_usable_repository() {
    let env = TestEnv::new();
    env.write("d/file", "one");
    env.undo_as_user("--version").ok();
    let script = "umask 0777; undo commit --init -m one && undo log && undo run -- sh -c 'umask' && undo checkout @";
    let program = env.root().join("undo");
    let program = if program.exists() { program } else { env!("CARGO_BIN_EXE_undo").into() };
    let mut command = env.command("bash");
    command.env("PATH", format!("{}:/usr/bin:/bin", program.parent().unwrap().display())).args(["-c", script]);
    if rustix::process::geteuid().is_root() {
        std::os::unix::process::CommandExt::uid(&mut command, 65534);
    }
    let output = command.output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{text}{}", String::from_utf8_lossy(&output.stderr));
    // What `run` starts has the umask that the user set.
    assert!(text.contains("0777"), "{text}");
    let mode = |path: &str| std::fs::metadata(env.path().join(path)).unwrap().permissions().mode() & 0o7777;
    assert_eq!((mode(".undo"), mode(".undo/journal/00000001")), (0o700, 0o600));
}

#[test]
fn a_file_size_limit_is_an_error_and_what_it_stopped_can_be_finished() {
    let env = TestEnv::initialised();
    env.write("large", noise(1, 1 << 20));
    let failed = env.shell("ulimit -f 200; undo commit -m one").fails(74);
    assert!(failed.to_string().contains("file too large"), "{failed}");
    env.undo("log").ok();
    env.undo("commit -m one").ok();
    let one = Tree::read(&env.path());
    std::fs::remove_file(env.path().join("large")).unwrap();
    env.write("small", "small");
    env.undo("commit -m two").ok();
    let failed = env.shell("ulimit -f 200; undo checkout @~1");
    assert!([3, 74].contains(&failed.code), "{failed}");
    assert!(failed.to_string().contains("file too large"), "{failed}");
    if failed.code == 74 {
        env.undo("checkout --continue").ok();
    } else {
        env.undo("checkout @").ok();
    }
    assert_same(&one, &Tree::read(&env.path()));
    env.undo("verify").ok();
}

#[test]
fn without_proc_the_error_says_what_is_missing() {
    let env = TestEnv::initialised();
    env.write("file", "one");
    env.undo("commit -m one").ok();
    env.write("file", "two");
    env.write("new/file", "two");
    let before = Tree::read(&env.path());
    let script =
        "unshare -m sh -c 'mount -t tmpfs none /proc || exit 99; exec \"$0\" commit -m two' \"$(command -v undo)\"";
    let failed = env.shell(script);
    if failed.to_string().contains("unshare") || failed.code == 99 {
        return skip("mounts cannot be changed here (needs root)");
    }
    if failed.code != 0 {
        let failed = failed.fails(74);
        assert!(failed.to_string().contains("`/proc/self/fd` does not exist"), "{failed}");
        assert!(failed.to_string().contains("hint: mount it: mount -t proc proc /proc"), "{failed}");
    }
    env.undo("commit -m two").ok();
    assert_same(&before, &Tree::read(&env.path()));
}

/// Their path is longer than a system call takes.
const LEVELS: usize = 1600;

/// The innermost of many directories in each other, which are made or must exist. Nothing can name it by a path.
fn innermost(top: &Path, makes: bool) -> OwnedFd {
    let flags = OFlags::DIRECTORY | OFlags::CLOEXEC;
    let mut directory = rustix::fs::open(top, flags, Mode::empty()).unwrap();
    for _ in 0..LEVELS {
        if makes {
            rustix::fs::mkdirat(&directory, "dd", Mode::RWXU).unwrap();
        }
        directory = rustix::fs::openat(&directory, "dd", flags, Mode::empty()).unwrap();
    }
    directory
}

#[test]
fn a_path_longer_than_a_call_takes_costs_a_few_calls_a_directory() {
    let env = TestEnv::initialised();
    let create = OFlags::CREATE | OFlags::WRONLY | OFlags::CLOEXEC;
    let leaf = rustix::fs::openat(innermost(&env.path(), true), "leaf", create, Mode::RUSR).unwrap();
    rustix::io::write(leaf, b"leaf").unwrap();
    env.undo("commit -m one").ok();
    rustix::fs::unlinkat(innermost(&env.path(), false), "leaf", AtFlags::empty()).unwrap();
    if let Some(trace) = crate::cost::trace(&env, "openat,openat2", &["checkout", "@"]) {
        assert!(trace.len() < 12 * LEVELS, "{} calls", trace.len());
    }
    let read = || {
        let flags = OFlags::RDONLY | OFlags::CLOEXEC;
        let leaf = rustix::fs::openat(innermost(&env.path(), false), "leaf", flags, Mode::empty()).unwrap();
        let mut bytes = [0; 10];
        let length = rustix::io::read(leaf, &mut bytes).unwrap();
        bytes[..length].to_vec()
    };
    assert_eq!(read(), b"leaf");
    env.shell("rm -rf dd && undo checkout @").ok();
    assert_eq!(read(), b"leaf");
    env.shell("rm -rf dd").ok();
}
