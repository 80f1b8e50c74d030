//! Situations that destroyed data in other tools, with all restoring commands: checkout, undo, redo, op restore.

mod copied;
mod meanwhile;
mod mounts;
mod own_repository;
pub mod places;
mod spelling;
mod two_directories;

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::Path;
use std::process::Command;
use std::sync::atomic::{AtomicBool, Ordering};

use snapbox::str;

use crate::env::TestEnv;
use crate::skip::skip;
use crate::tree::{Tree, assert_same};

/// Undoes and redoes all operations, restores each of them, and calls `check` after each step.
fn visit_all_states(env: &TestEnv, check: &dyn Fn(&str)) {
    let ids = operations(env);
    let step = |line: &str| {
        let output = env.undo(line);
        assert!([0, 2, 3, 4].contains(&output.code), "undo {line}\n{output}");
        check(line);
    };
    (0..ids.len() - 1).for_each(|_| step("undo"));
    (0..ids.len() - 1).for_each(|_| step("redo"));
    ids.iter().for_each(|id| step(&format!("op restore {id}")));
    step("checkout latest");
}

fn operations(env: &TestEnv) -> Vec<String> {
    let all = env.undo("op log --json").ok().json();
    all.iter().filter_map(|line| line["id"].as_str()).map(str::to_owned).collect()
}

/// Returns whether a commit has this content at a path.
fn is_recorded(env: &TestEnv, path: &str, bytes: &[u8]) -> bool {
    let log = env.undo("log --json").ok().json();
    let mut ids = log.iter().filter_map(|line| line["id"].as_str());
    ids.any(|id| env.undo(&format!("cat {id}:{path}")).stdout == bytes)
}

fn precious(env: &TestEnv, path: &'static str) -> impl Fn(&str) {
    let path = env.path().join(path);
    move |what| assert_eq!(fs::read(&path).unwrap_or_default(), b"precious", "{} after {what}", path.display())
}

#[test]
fn undo_restores_metadata_of_uncovered_directory() {
    let env = TestEnv::initialised();
    env.write("cache/x", "x");
    env.write("cache/deep/y", "y");
    env.undo("commit -m one").ok();
    env.write(".undoignore", "cache/\n");
    env.undo("commit -m two").ok();
    env.write("cache/large", "never recorded");
    let cache = env.path().join("cache");
    fs::set_permissions(&cache, fs::Permissions::from_mode(0o700)).unwrap();
    let before = Tree::read(&env.path());
    env.undo("checkout @~").ok();
    assert_eq!(fs::metadata(&cache).unwrap().permissions().mode() & 0o777, 0o755);
    assert!(!is_recorded(&env, "cache/large", b"never recorded"));
    env.undo("undo").ok();
    assert_same(&before, &Tree::read(&env.path()));
}

#[test]
fn undo_restores_unrecorded_mtimes() {
    let env = TestEnv::initialised();
    env.write("a", "a");
    env.undo("commit -m one").ok();
    env.write("c", "c");
    env.undo("commit -m two").ok();
    let file = fs::File::options().write(true).open(env.path().join("a")).unwrap();
    file.set_modified(std::time::UNIX_EPOCH + std::time::Duration::from_nanos(978_307_200_123_456_789)).unwrap();
    let before = Tree::read(&env.path());
    env.undo("checkout @~").ok();
    env.undo("undo").ok();
    assert_same(&before, &Tree::read(&env.path()));
    // The mtime of a directory alone is not a user's change.
    let directory = fs::File::open(env.path()).unwrap();
    directory.set_modified(std::time::UNIX_EPOCH).unwrap();
    let output = env.undo("checkout @").ok();
    assert!(!String::from_utf8_lossy(&output.stderr).contains("unsaved"), "{output}");
}

/// Its content is saved and removed, and not exposed by the earlier mode.
#[test]
fn closed_directory_is_saved_before_its_mode_changes() {
    if !rustix::process::geteuid().is_root() {
        return crate::skip::skip("only root can inspect closed directories");
    }
    let env = TestEnv::new();
    env.undo_as_user("init").ok();
    env.write("a", "1");
    let private = env.path().join("p");
    fs::create_dir(&private).unwrap();
    env.undo_as_user("commit -m one").ok();
    let one = Tree::read(&env.path());
    env.write("a", "2");
    env.write("p/key", "secret");
    fs::set_permissions(&private, fs::Permissions::from_mode(0o0)).unwrap();
    env.undo_as_user("commit -m two").fails(3);
    let two = Tree::read(&env.path());
    env.undo_as_user("checkout @~").ok();
    assert_same(&one, &Tree::read(&env.path()));
    env.undo_as_user("undo").ok();
    assert_same(&two, &Tree::read(&env.path()));
}

#[test]
fn unsaved_ignore_rule_protects_files() {
    let env = TestEnv::initialised();
    env.write("a", "1");
    env.undo("commit -m one").ok();
    env.write("a", "2");
    env.undo("commit -m two").ok();
    env.write(".undoignore", "big.iso\n");
    env.write("big.iso", "precious");
    env.undo("checkout @~").ok();
    precious(&env, "big.iso")("checkout");
    assert!(!env.path().join(".undoignore").exists());
    // No rule ignores the file here, so it is recorded like any other.
    env.undo("undo").ok();
    assert_eq!(env.read(".undoignore"), b"big.iso\n");
    visit_all_states(&env, &precious(&env, "big.iso"));
}

#[test]
fn later_ignore_rule_protects_files() {
    let env = TestEnv::initialised();
    env.write("a", "1");
    env.write("data/big", "old");
    env.undo("commit -m one").ok();
    env.write(".undoignore", "/data/\n");
    env.undo("commit -m 'rule added'").ok();
    env.write("data/big", "precious");
    // The older commit has other content at that path.
    env.undo("checkout @~").fails(4);
    precious(&env, "data/big")("checkout");
    env.undo("undo").ok();
    precious(&env, "data/big")("undo");
    env.undo("redo").ok();
    env.write("a", "2");
    env.undo("commit -m two").ok();
    visit_all_states(&env, &precious(&env, "data/big"));
}

#[test]
fn checkout_keeps_ignored_files_in_removed_folder() {
    let env = TestEnv::initialised();
    env.write(".undoignore", "cache/\n");
    env.undo("commit -m one").ok();
    env.write("work/cache/deep/file", "precious");
    env.write("work/file", "recorded");
    env.undo("commit -m two").ok();
    let report = env.undo("checkout @~ --json").fails(3).json();
    assert_eq!(report[0]["kept"], serde_json::json!([{"path": "work"}]));
    assert!(!env.path().join("work/file").exists());
    visit_all_states(&env, &precious(&env, "work/cache/deep/file"));
    // Even if a file had replaced the folder.
    fs::rename(env.path().join("work"), env.path().join("elsewhere")).unwrap();
    env.write("work", "a file");
    env.undo("commit -m three").ok();
    fs::remove_file(env.path().join("work")).unwrap();
    fs::rename(env.path().join("elsewhere"), env.path().join("work")).unwrap();
    env.undo("commit -m four").ok();
    env.undo("checkout @~").fails(4);
    visit_all_states(&env, &precious(&env, "work/cache/deep/file"));
}

#[test]
fn undo_across_rule_change_keeps_files_ignored_on_either_side() {
    let env = TestEnv::initialised();
    env.write(".undoignore", "*.log\n");
    env.write("a", "1");
    env.undo("commit -m one").ok();
    env.write(".undoignore", "*.tmp\n");
    env.write("a", "2");
    env.undo("commit -m two").ok();
    env.undo("checkout @~").ok();
    env.write("x.log", "precious");
    env.write("y.tmp", "precious");
    // `y.tmp` is recorded here, and ignored there.
    env.undo("undo").ok();
    precious(&env, "x.log")("undo");
    precious(&env, "y.tmp")("undo");
    env.undo("redo").ok();
    precious(&env, "x.log")("redo");
    // A state that covers the path without the file existed too; then the file is in a commit.
    visit_all_states(&env, &|what| {
        for path in ["x.log", "y.tmp"] {
            let is_there = fs::read(env.path().join(path)).is_ok_and(|bytes| bytes == b"precious");
            assert!(is_there || is_recorded(&env, path, b"precious"), "{path} after {what}");
        }
    });
}

/// The rules in the worktree decide which files of a folder stay, recorded or not.
#[test]
fn restore_of_paths_works_with_unsaved_rules() {
    let env = TestEnv::initialised();
    env.write("d/file", "1");
    env.undo("commit -m one").ok();
    env.write(".undoignore", "cache\n");
    env.write("d/cache", "precious");
    env.write("d/new", "2");
    env.undo("restore d").ok();
    precious(&env, "d/cache")("restore");
    assert!(!env.path().join("d/new").exists());
}

#[test]
fn checkout_keeps_unreadable_files() {
    let env = TestEnv::new();
    env.undo_as_user("init").ok();
    env.write("a", "1");
    env.undo_as_user("commit -m one").ok();
    env.write("d/secret", "precious");
    env.write("d/file", "2");
    env.write("closed/inside", "precious");
    let modes = |mode| {
        fs::set_permissions(env.path().join("d/secret"), fs::Permissions::from_mode(mode)).unwrap();
        fs::set_permissions(env.path().join("closed"), fs::Permissions::from_mode(mode | mode >> 2 & 0o111)).unwrap();
    };
    modes(0);
    env.undo_as_user("commit -m two").fails(3);
    assert!([0, 3].contains(&env.undo_as_user("checkout @~").code));
    let check = |what: &str| {
        modes(0o700);
        precious(&env, "d/secret")(what);
        precious(&env, "closed/inside")(what);
        modes(0);
    };
    check("checkout");
    for line in ["undo", "undo", "undo", "redo", "redo", "redo", "op restore @", "checkout latest", "checkout @~"] {
        assert!([0, 2, 3].contains(&env.undo_as_user(line).code), "{line}");
        check(line);
    }
    modes(0o700);
}

/// The commit has an entry at a path that is now unreadable.
#[test]
fn checkout_does_not_replace_unreadable_files() {
    let env = TestEnv::new();
    env.undo_as_user("init").ok();
    env.write("a", "recorded");
    env.write("b", "1");
    env.undo_as_user("commit -m one").ok();
    env.write("a", "precious");
    env.write("b", "2");
    fs::set_permissions(env.path().join("a"), fs::Permissions::from_mode(0o000)).unwrap();
    let before = Tree::read(&env.path());
    env.undo_as_user("checkout @").shows(str![[r#"
---- stderr ----
error: `a` would be replaced, but no commit has this content
hint: move it away, or use `--force` to save it first
[exit 4]

"#]]);
    env.undo_as_user("checkout --force @").shows(str![[r#"
---- stderr ----
error: `a` would be replaced, but no commit has this content
hint: it cannot be saved: make it readable, or move it away
[exit 4]

"#]]);
    env.undo_as_user("restore a").fails(4);
    assert_same(&before, &Tree::read(&env.path()));
    assert_eq!((env.read("a"), env.read("b")), (b"precious".to_vec(), b"2".to_vec()));
    fs::set_permissions(env.path().join("a"), fs::Permissions::from_mode(0o600)).unwrap();
}

/// Files are limited to 64 KiB, so the automatic commit fails.
#[test]
fn checkout_does_not_replace_unrecordable_entries() {
    let env = TestEnv::initialised();
    env.write("large", "small");
    env.undo("commit -m one").ok();
    let mut noise = vec![0; 1 << 20];
    blake3::Hasher::new().finalize_xof().fill(&mut noise);
    env.write("large", &noise);
    let before = Tree::read(&env.path());
    for line in ["checkout @", "restore large", "undo"] {
        let output = env.shell(&format!("ulimit -f 64; trap '' XFSZ; undo {line}"));
        if line == "undo" {
            // Undoing a commit does not change the directory.
            continue;
        }
        assert!([13, 74].contains(&output.code), "{line}\n{output}");
        assert_same(&before, &Tree::read(&env.path()));
    }
    env.undo("redo").ok();
    env.undo("checkout @").ok();
    assert_eq!(env.read("large"), b"small");
    env.undo("undo").ok();
    assert_same(&before, &Tree::read(&env.path()));
}

fn git(env: &TestEnv, arguments: &[&str]) -> String {
    let mut command = env.command("git");
    command.args(["-C", "nested", "-c", "user.name=A", "-c", "user.email=a@b", "-c", "init.defaultBranch=main"]);
    let output = command.args(arguments).output().unwrap();
    assert!(output.status.success(), "git {arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn nested_git_repository_works_after_checkout() {
    if Command::new("git").arg("--version").output().is_err() {
        return skip("git is not installed");
    }
    let env = TestEnv::initialised();
    env.write("nested/file", "one");
    git(&env, &["init", "-q"]);
    git(&env, &["add", "."]);
    git(&env, &["commit", "-qm", "one"]);
    env.write("nested/file", "two");
    git(&env, &["commit", "-qam", "two"]);
    assert_eq!(git(&env, &["status", "--porcelain"]), "");
    let before = Tree::read(&env.path());
    env.undo("commit -m one").ok();
    assert_same(&before, &Tree::read(&env.path()));
    git(&env, &["checkout", "-q", "HEAD~"]);
    fs::remove_dir_all(env.path().join("nested/.git/refs")).unwrap();
    env.write("nested/file", "broken");
    env.undo("checkout @").ok();
    assert_same(&before, &Tree::read(&env.path()));
    assert_eq!(git(&env, &["status", "--porcelain"]), "");
    assert_eq!(git(&env, &["log", "--format=%s"]), "two\none\n");
    env.undo("undo").ok();
    assert_eq!(env.read("nested/file"), b"broken");
    env.undo("redo").ok();
    git(&env, &["fsck", "--strict"]);
    assert_eq!(git(&env, &["status", "--porcelain"]), "");
}

#[test]
fn checkout_does_not_write_through_outside_hard_link() {
    let env = TestEnv::initialised();
    let outside = env.root().join("outside");
    env.write("file", "old");
    env.undo("commit -m one").ok();
    fs::write(&outside, "precious").unwrap();
    fs::remove_file(env.path().join("file")).unwrap();
    fs::hard_link(&outside, env.path().join("file")).unwrap();
    fs::set_permissions(&outside, fs::Permissions::from_mode(0o640)).unwrap();
    let stat = |path: &Path| fs::metadata(path).map(|it| (it.mode(), it.mtime(), it.mtime_nsec())).unwrap();
    let before = stat(&outside);
    env.undo("checkout @").ok();
    visit_all_states(&env, &|what| {
        assert_eq!((fs::read(&outside).unwrap(), stat(&outside)), (b"precious".to_vec(), before), "{what}");
    });
}

/// A program replaces its file during checkouts: every state is in the worktree or recorded.
#[test]
fn checkout_keeps_data_of_concurrent_writer() {
    let env = TestEnv::initialised();
    env.write("file", "start");
    for n in 0..30 {
        env.write(&format!("d/{n}"), "one");
    }
    env.undo("commit -m one").ok();
    env.undo("tag one").ok();
    for n in 0..30 {
        env.write(&format!("d/{n}"), "two");
    }
    env.undo("commit -m two").ok();
    env.undo("tag two").ok();
    let (is_over, path, new) = (AtomicBool::new(false), env.path().join("file"), env.root().join("new"));
    let last = std::thread::scope(|scope| {
        let (is_over, path, new) = (&is_over, &path, &new);
        let writer = scope.spawn(move || {
            let mut n = 0u64;
            while !is_over.load(Ordering::Relaxed) {
                n += 1;
                let text = format!("{n:012}");
                match n % 3 {
                    // Writes in place, and replaces the file.
                    0 => fs::write(path, text).unwrap(),
                    _ => {
                        fs::write(new, text).unwrap();
                        fs::rename(new, path).unwrap();
                    }
                }
            }
            n
        });
        for n in 0..30 {
            let line = ["checkout one", "checkout two", "undo", "restore file", "redo"][n % 5];
            let output = env.undo(line);
            assert!([0, 3].contains(&output.code) || line == "redo", "undo {line}\n{output}");
        }
        is_over.store(true, Ordering::Relaxed);
        writer.join().unwrap()
    });
    // The last content is in the file, or was recorded before it was replaced.
    let text = format!("{last:012}");
    let is_there = fs::read_to_string(&path).is_ok_and(|found| found == text);
    assert!(
        is_there || is_recorded(&env, "file", text.as_bytes()),
        "{text} is lost; the file contains {:?}",
        fs::read_to_string(&path)
    );
    let left = Tree::read(&env.path());
    assert!(!left.nodes.keys().any(|name| name.windows(6).any(|part| part == b".undo-")), "staged files are left");
}

/// An ignored file that already has the content of the target.
#[test]
fn undo_restores_metadata_of_ignored_file() {
    let env = TestEnv::initialised();
    env.write("kept/cache", "recorded");
    env.undo("commit -m one").ok();
    env.write(".undoignore", "kept/\n");
    fs::remove_dir_all(env.path().join("kept")).unwrap();
    env.undo("commit -m two").ok();
    env.write("kept/cache", "recorded");
    env.write("kept/other", "unowned");
    fs::set_permissions(env.path().join("kept/cache"), fs::Permissions::from_mode(0o640)).unwrap();
    let old = fs::File::options().write(true).open(env.path().join("kept/cache")).unwrap();
    old.set_modified(std::time::UNIX_EPOCH + std::time::Duration::from_secs(1_000_000_000)).unwrap();
    let before = Tree::read(&env.path());
    env.undo("checkout @~ -n").ok();
    assert_same(&before, &Tree::read(&env.path()));
    env.undo("checkout @~").shows(str![[r#"
main [ID] → [ID]  1 written, 1 deleted, 1 unchanged
unsaved changes are saved in [ID]
---- stderr ----
hint: to undo: undo undo

"#]]);
    assert_eq!(env.undo("status -z kept/cache --metadata").ok().text(), "");
    let one = Tree::read(&env.path());
    env.undo("undo").ok();
    assert_same(&before, &Tree::read(&env.path()));
    env.undo("redo").ok();
    assert_same(&one, &Tree::read(&env.path()));
    // The file is recorded once.
    let commits = env.undo("log --json").ok().json().len();
    env.undo("undo").ok();
    env.undo("redo").ok();
    assert_eq!(env.undo("log --json").ok().json().len(), commits);
}

#[test]
fn ignore_rules_from_unfinished_checkout_allow_continue_and_undo() {
    if !crate::crash::has_strace() {
        return;
    }
    for way_out in ["checkout --continue", "undo"] {
        let mut n = 1;
        loop {
            let env = TestEnv::initialised();
            env.write("data.x", "recorded without rules");
            env.undo("commit -m plain").ok();
            let plain = Tree::read(&env.path());
            env.write("data.x", "saved by force");
            env.write(".undoignore", "*.x\n");
            let ruled = Tree::read(&env.path());
            env.undo("checkout @ --force").ok();
            let forced = env.undo("rev-parse latest").ok().text();
            if !crate::crash::killed_at(&env, "renameat2", n, &["checkout", forced.trim()]) {
                break;
            }
            env.undo(way_out).ok();
            let expected = if way_out == "undo" { &plain } else { &ruled };
            assert_same(expected, &Tree::read(&env.path()));
            n += 1;
        }
        assert!(n > 2, "no command was killed");
    }
}
