//! For unsupported calls, old kernels return ENOSYS and sandboxes EPERM. For each such call, commands use a fallback,
//! list what they could not do, or refuse before they write anything. Needs `strace`.

use std::fs;
use std::os::unix::fs::{MetadataExt, symlink};
use std::path::Path;

use crate::crash::has_strace;
use crate::env::TestEnv;
use crate::tree::{Tree, assert_same};

/// Expected outcome of a command whose call fails.
#[derive(Clone, Copy, PartialEq)]
enum Outcome {
    /// The command uses a fallback with the same result.
    Works,
    /// The affected paths are listed, with exit code 3; contents are correct.
    Listed,
    /// The command fails and changes nothing. A failed `init` leaves nothing behind.
    Refused,
}

use Outcome::{Listed, Refused, Works};

/// Calls that old kernels lack, or that sandboxes and file systems refuse.
const CALLS: [(&str, Outcome); 20] = [
    // Only advisory, or with fallbacks in the C library: all at once.
    ("connect,fadvise64,fcntl,getrandom,madvise,prlimit64,sched_getaffinity,socket", Works),
    ("clone3", Works),
    ("copy_file_range", Works),
    ("faccessat2", Works),
    ("fallocate", Works),
    ("flock", Works),
    ("fstatfs", Works),
    ("ioctl", Works),
    ("openat2", Works),
    ("preadv2", Works),
    ("pwritev2", Works),
    ("renameat2", Works),
    ("statx", Works),
    ("syncfs", Works),
    ("fchmod", Listed),
    ("fsetxattr", Listed),
    ("linkat", Listed),
    ("symlinkat", Listed),
    ("utimensat", Listed),
    ("fdatasync", Refused),
];

/// Calls that every Linux and every sandbox has.
const OLD_CALLS: &str = "access arch_prctl brk chdir clone close dup dup2 execve exit exit_group fchmodat fchown fchownat \
    fgetxattr flistxattr fstat fsync ftruncate futex getcwd getdents64 getegid geteuid getgid getpid gettid getuid kill \
    lgetxattr link llistxattr lremovexattr lseek lsetxattr lstat mkdir mkdirat mknodat mmap mprotect mremap msync munmap \
    newfstatat open openat pipe2 poll pread64 pwrite64 read readlink readlinkat rename renameat restart_syscall rmdir \
    rseq rt_sigaction rt_sigprocmask rt_sigreturn sched_yield set_robust_list set_tid_address sigaltstack socketpair stat \
    statfs symlink tgkill umask uname unlink unlinkat utimensat wait4 waitid write writev clock_nanosleep nanosleep";

/// The tested commands, with the expected state after each. All run after `init`.
const COMMANDS: [(&str, State); 4] =
    [("checkout -q @~", State::One), ("undo -q", State::Two), ("status", State::Two), ("verify", State::Two)];

#[derive(Clone, Copy, PartialEq)]
enum State {
    One,
    Two,
}

fn fill(root: &Path) {
    for (path, content) in [("text", "one"), ("d/e/deep", "deep"), ("gone/file", "gone"), ("moved", "this moves")] {
        fs::create_dir_all(root.join(path).parent().unwrap()).unwrap();
        fs::write(root.join(path), content).unwrap();
    }
    fs::write(root.join("large"), vec![7; 9 << 20]).unwrap();
    symlink("text", root.join("link")).unwrap();
    fs::hard_link(root.join("text"), root.join("d/second")).unwrap();
    let _ = rustix::fs::setxattr(root.join("text"), "user.key", b"value", rustix::fs::XattrFlags::empty());
}

fn change(root: &Path) {
    fs::write(root.join("text"), "two, which is longer").unwrap();
    fs::remove_file(root.join("d/second")).unwrap();
    fs::write(root.join("d/second"), "alone").unwrap();
    fs::remove_file(root.join("link")).unwrap();
    fs::write(root.join("link"), "a file").unwrap();
    fs::rename(root.join("moved"), root.join("d/moved")).unwrap();
    fs::remove_dir_all(root.join("gone")).unwrap();
    fs::create_dir_all(root.join("new/in")).unwrap();
    fs::write(root.join("new/in/file"), "new").unwrap();
    let large = fs::File::options().write(true).open(root.join("large")).unwrap();
    std::os::unix::fs::FileExt::write_all_at(&large, b"changed", 4 << 20).unwrap();
}

/// Runs `undo` with a failing call; returns its exit code and stderr.
fn run_without(env: &TestEnv, call: &str, errno: &str, line: &str) -> (i32, String) {
    let mut strace = env.command("strace");
    strace.args(["-f", "--seccomp-bpf", "-qq", "-o", "/dev/null", "-e", &format!("trace={call}")]);
    strace.args(["-e", &format!("inject={call}:error={errno}"), env!("CARGO_BIN_EXE_undo")]).args(line.split(' '));
    let output = strace.output().unwrap();
    (output.status.code().unwrap_or(-1), String::from_utf8_lossy(&output.stderr).into_owned())
}

fn without(errno: &str) {
    if !has_strace() {
        return;
    }
    for (call, outcome) in CALLS {
        let what = format!("{call} {errno}");
        let env = TestEnv::new();
        fill(&env.path());
        let (code, text) = run_without(&env, call, errno, "commit --init -qm one");
        if outcome == Refused {
            assert!(code != 0 && code != 70 && !env.path().join(".undo").exists(), "{what}: {code} {text}");
            env.undo("init -q").ok();
            let (code, text) = run_without(&env, call, errno, "commit -qm one");
            assert!(code != 0 && code != 70, "{what}: {code} {text}");
            env.undo("commit -qm one").ok();
        } else {
            assert_eq!(code, 0, "{what}: {text}");
            assert_eq!(text.contains("has no locks"), call == "flock", "{what}: {text}");
        }
        let one = Tree::read(&env.path());
        change(&env.path());
        env.undo("commit -qm two").ok();
        let two = Tree::read(&env.path());
        for (line, state) in COMMANDS {
            let (code, text) = run_without(&env, call, errno, line);
            let expected = if state == State::One && outcome != Refused { &one } else { &two };
            let found = Tree::read(&env.path());
            let is_changing = !matches!(line, "status" | "verify");
            match outcome {
                Listed if is_changing => {
                    assert!(matches!(code, 0 | 3), "{what}, {line}: {code} {text}");
                    let names = |tree: &Tree| {
                        tree.nodes.iter().map(|(name, it)| (name.clone(), it.content)).collect::<Vec<_>>()
                    };
                    if call != "symlinkat" {
                        assert_eq!(names(expected), names(&found), "{what}, {line}");
                    }
                    assert!(code == 0 || text.contains("not restored exactly"), "{what}, {line}: {text}");
                }
                Refused if is_changing => {
                    assert!(code != 0 && code != 70, "{what}, {line}: {code} {text}");
                    assert_same(&two, &found);
                }
                _ => {
                    assert_eq!(code, 0, "{what}, {line}: {text}");
                    if outcome == Works {
                        assert_same(expected, &found);
                    }
                }
            }
        }
        let status = env.undo("status");
        assert!(!status.to_string().contains("unfinished"), "{what}: {status}");
    }
}

#[test]
fn commands_handle_missing_system_calls() {
    without("ENOSYS");
}

#[test]
fn commands_handle_forbidden_system_calls() {
    without("EPERM");
}

/// `ulimit -u`, `pids.max`: one thread does all the work.
#[test]
fn commands_work_without_threads() {
    if !has_strace() {
        return;
    }
    let env = TestEnv::new();
    for n in 0..400 {
        env.write(&format!("folder-{}/file-{n}", n % 20), format!("content {n}"));
    }
    // More than one pack, and files that two threads would share.
    for name in ["a", "b", "c"] {
        env.write(name, crate::errors::noise(name.as_bytes()[0].into(), 34 << 20));
    }
    let run = |line: &str| {
        let (code, text) = run_without(&env, "clone3", "EAGAIN", line);
        assert_eq!(code, 0, "{line}: {text}");
    };
    run("commit --init -qm one");
    let one = Tree::read(&env.path());
    env.shell("rm -r folder-1? a && echo other >> b").ok();
    run("commit -qm two");
    run("checkout -q @~");
    assert_same(&one, &Tree::read(&env.path()));
    run("status");
    run("verify");
}

/// A call that is in neither list is new and needs a row in `CALLS`, which says what happens without it.
#[test]
fn system_calls_are_listed() {
    if !has_strace() || cfg!(not(target_arch = "x86_64")) {
        return;
    }
    let env = TestEnv::new();
    fill(&env.path());
    let count = |line: &str| {
        let mut strace = env.command("strace");
        let counts = env.root().join("counts");
        strace.args(["-f", "-c", "-U", "name,calls", "-o"]).arg(&counts).arg(env!("CARGO_BIN_EXE_undo"));
        assert!(strace.args(line.split(' ')).output().unwrap().status.success(), "{line}");
        fs::read_to_string(counts).unwrap()
    };
    let mut found = count("commit --init -qm one");
    change(&env.path());
    for line in ["commit -qm two", "checkout -q @~", "undo -q", "status", "diff", "log", "verify", "run -q -- true"] {
        found += &count(line);
    }
    found += &count(&format!("export -q @ {}", env.root().join("out").display()));
    found += &count(&format!("export -q @ {}.tar", env.root().join("out").display()));
    let counts = found.lines().filter_map(|line| line.split_once(' '));
    let called = counts.filter(|(_, count)| count.trim().parse::<u64>().is_ok()).map(|(name, _)| name);
    let is_known = |name: &&str| {
        CALLS.iter().any(|(calls, _)| calls.split(',').any(|it| it == *name))
            || OLD_CALLS.split(' ').any(|it| it == *name)
    };
    let mut unknown: Vec<&str> = called.filter(|name| *name != "total" && !is_known(name)).collect();
    unknown.sort_unstable();
    unknown.dedup();
    assert_eq!(unknown, [""; 0], "unlisted calls: add them to `CALLS`");
}

/// New directories, a new store and the files in both are removed; existing files stay.
#[test]
fn failed_init_removes_created_files() {
    if !has_strace() {
        return;
    }
    let env = TestEnv::new();
    let before = Tree::read(env.root());
    for line in ["init", "init new/inner", "init --store ../store/inner", "init new/inner --store ../store/inner"] {
        for (call, errno) in [("fdatasync", "EIO"), ("fsync", "EIO"), ("rename", "ENOSPC"), ("flock", "EIO")] {
            let (code, text) = run_without(&env, call, errno, line);
            assert!(code != 0 && code != 70, "{line}, {call}: {code} {text}");
            let names = |tree: &Tree| tree.nodes.keys().cloned().collect::<Vec<_>>();
            assert_eq!(names(&before), names(&Tree::read(env.root())), "{line}, {call}");
            assert!(!env.path().join(".undo").exists(), "{line}, {call}");
        }
    }
    env.undo("init --store ../store/inner").ok();
    env.undo("commit -m one").ok();
}

/// A lock file represents the lock if the file system has no locks.
#[test]
fn lock_file_is_exclusive_and_taken_over_from_dead_process() {
    if !has_strace() {
        return;
    }
    let env = TestEnv::initialised();
    env.write("file", "one");
    let held = env.path().join(".undo/lock.held");
    let commit = |message: &str| run_without(&env, "flock", "ENOLCK", &format!("commit -qm {message}"));
    assert_eq!(commit("one").0, 0);
    assert!(!held.exists());
    // Killed while it holds the lock, at the first flush.
    env.write("file", "two");
    let mut strace = env.command("strace");
    strace.args(["-f", "-qq", "-o", "/dev/null", "-e", "inject=flock:error=ENOLCK"]);
    strace.args(["-e", "inject=fdatasync:signal=KILL", env!("CARGO_BIN_EXE_undo"), "commit", "-qm", "two"]);
    assert!(!strace.output().unwrap().status.success());
    assert_eq!(fs::metadata(&held).unwrap().mode() & 0o777, 0o600);
    let text = fs::read_to_string(&held).unwrap();
    assert!(text.starts_with("pid ") && text.contains("\nhost "), "{text}");
    assert_eq!(commit("two").0, 0);
    assert!(!held.exists());
    // For another machine it is not known whether the process still runs.
    fs::write(&held, text.replace("\nhost ", "\nhost other-")).unwrap();
    env.write("file", "three");
    let (code, text) = commit("three");
    assert_eq!(code, 11, "{text}");
    assert!(text.contains("undo commit -qm two") && text.contains("remove the lock: rm "), "{text}");
    fs::remove_file(&held).unwrap();
    assert_eq!(commit("three").0, 0);
    env.undo("verify").ok();
}
