//! Limits of the process and its environment: the error is clear, and the same command succeeds without the limit.

use std::os::fd::OwnedFd;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use rustix::fs::{AtFlags, Mode, OFlags};

use super::noise;
use crate::env::TestEnv;
use crate::skip::skip;
use crate::tree::{Tree, assert_same};

/// Many directories with one file each, tagged `one`; all of them changed, tagged `two`.
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
fn commands_work_with_few_open_files() {
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
fn umask_0777_does_not_affect_repository() {
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
    // A program started by `run` has the user's umask.
    assert!(text.contains("0777"), "{text}");
    let mode = |path: &str| std::fs::metadata(env.path().join(path)).unwrap().permissions().mode() & 0o7777;
    assert_eq!((mode(".undo"), mode(".undo/journal/00000001")), (0o700, 0o600));
}

#[test]
fn checkout_stopped_by_file_size_limit_can_be_continued() {
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
fn error_without_proc_names_the_cause() {
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

/// Enough directories for a path longer than `PATH_MAX`.
const LEVELS: usize = 1600;

/// Opens the innermost of many nested directories, which are created or must exist. No single path can name it.
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
fn path_beyond_path_max_costs_few_calls_per_directory() {
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
