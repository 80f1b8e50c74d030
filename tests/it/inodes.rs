//! One inode has one state: in the index, in commits, and after a checkout.

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use rustix::fs::XattrFlags;

use crate::env::TestEnv;
use crate::random::Random;
use crate::tree::{Tree, assert_same};
use crate::volumes::Volume;

/// `user:1234:rw-` beside the usual three, as `setfacl` would set it.
pub fn acl(permissions: u8) -> Vec<u8> {
    let entry = |tag: u16, id: u32, permissions: u8| {
        [&tag.to_le_bytes()[..], &u16::from(permissions).to_le_bytes(), &id.to_le_bytes()].concat()
    };
    let entries = [
        entry(0x01, u32::MAX, 6),
        entry(0x02, 1234, permissions),
        entry(0x04, u32::MAX, 4),
        entry(0x10, u32::MAX, 7),
        entry(0x20, u32::MAX, 4),
    ];
    [&2u32.to_le_bytes()[..], &entries.concat()].concat()
}

const NAMES: [&str; 5] = ["a", "b", "c", "d/a", "d/b"];

/// Whether the worktree matches the last commit.
fn is_clean(env: &TestEnv) -> bool {
    env.undo("diff -q --exit-code").code == 0
}

/// Changes a name, or the inode behind it.
fn edit(env: &TestEnv, random: &mut Random) -> String {
    let path = |name: &str| env.path().join(name);
    let there: Vec<&str> = NAMES.into_iter().filter(|name| path(name).symlink_metadata().is_ok()).collect();
    let free: Vec<&str> = NAMES.into_iter().filter(|name| !there.contains(name)).collect();
    let (name, value) = (random.of(&NAMES), random.below(1000));
    fs::create_dir_all(path("d")).unwrap();
    if there.is_empty() || !there.contains(&name) && random.below(3) == 0 {
        fs::write(path(name), format!("{value}")).unwrap();
        return format!("create {name}");
    }
    let target = path(random.of(&there));
    let key = format!("user.{}", random.of(&["k", "l"]));
    let what = match random.below(9) {
        0..3 if !free.is_empty() => {
            let to = random.of(&free);
            fs::hard_link(&target, path(to)).unwrap();
            format!("link to {to} ")
        }
        3 => fs::write(&target, format!("{value}")).map(|()| "write".to_owned()).unwrap(),
        4 => {
            use std::os::unix::fs::PermissionsExt;
            let mode = [0o600, 0o644, 0o640, 0o755][value % 4];
            fs::set_permissions(&target, fs::Permissions::from_mode(mode)).unwrap();
            format!("chmod {mode:o}")
        }
        5 => {
            rustix::fs::setxattr(&target, key.as_str(), value.to_string().as_bytes(), XattrFlags::empty()).unwrap();
            format!("set {key}")
        }
        6 => {
            let _ = rustix::fs::removexattr(&target, key.as_str());
            format!("remove {key}")
        }
        7 => {
            let acl = acl((value % 8) as u8);
            let set = rustix::fs::setxattr(&target, "system.posix_acl_access", &acl, XattrFlags::empty());
            format!("set the ACL {set:?}")
        }
        _ => fs::remove_file(&target).map(|()| "remove".to_owned()).unwrap(),
    };
    format!("{what} {}", target.strip_prefix(env.path()).unwrap().display())
}

/// Random edits, commits and checkouts. A commit holds the state of the worktree, including which names belong to one
/// file; a checkout restores exactly that; and after either, status is clean.
#[test]
fn random_hard_link_histories_are_exact() {
    for (seed, kind) in [(1, "plain"), (2, "plain"), (3, "overlay"), (4, "overlay-tmpfs")] {
        let Some(Volume { env, .. }) = Volume::new(kind) else { continue };
        let mut random = Random::new(seed);
        let mut commits: Vec<(String, Tree)> = Vec::new();
        let mut done = Vec::new();
        env.undo("init").ok();
        for _ in 0..14 {
            for _ in 0..=random.below(3) {
                done.push(edit(&env, &mut random));
            }
            if random.below(4) == 0 {
                let name = random.of(&NAMES);
                // 2: the path is neither in the worktree nor recorded.
                let code = env.undo(&format!("commit -m some {name}")).code;
                assert!([0, 2].contains(&code), "{done:?}");
                done.push(format!("commit {name}: {code}"));
            }
            let committed = env.undo("commit -m all --json").ok().json();
            let is_new = committed.iter().any(|value| value["created"] == true);
            let id = env.undo("rev-parse @").ok().text().trim().to_owned();
            let tree = Tree::read(&env.path());
            done.push(format!("commit {}", &id[..8]));
            assert!(is_clean(&env), "{kind} {seed}: after a commit: {done:#?}\n{}", env.undo("diff"));
            // A changed time alone is not recorded.
            if is_new {
                let out: PathBuf = env.root().join("out");
                let _ = fs::remove_dir_all(&out);
                env.undo(&format!("export @ '{}'", out.display())).ok();
                assert_same(&tree, &Tree::read(&out));
                commits.push((id, tree));
            }
            if random.below(2) == 0 && !commits.is_empty() {
                let (id, tree) = &commits[random.below(commits.len())];
                done.push(format!("checkout {}", &id[..8]));
                let output = env.undo(&format!("checkout {id}"));
                assert_eq!(output.code, 0, "{kind} {seed}: {done:#?}\n{output}");
                assert_same(tree, &Tree::read(&env.path()));
                assert!(is_clean(&env), "{kind} {seed}: after a checkout: {done:#?}\n{}", env.undo("diff"));
            }
        }
    }
}

/// A checkout restores an attribute through one name, and the index must update the records of the other names.
#[test]
fn checkout_sets_attributes_of_all_hard_links() {
    let env = TestEnv::new();
    env.write("a", "x");
    fs::hard_link(env.path().join("a"), env.path().join("b")).unwrap();
    fs::hard_link(env.path().join("a"), env.path().join("c")).unwrap();
    let set = |key: &str| rustix::fs::setxattr(env.path().join("a"), key, b"v", XattrFlags::empty());
    if set("user.k").is_err() {
        return crate::skip::skip("this file system does not support extended attributes");
    }
    env.undo("commit --init -m one").ok();
    let one = Tree::read(&env.path());
    rustix::fs::removexattr(env.path().join("a"), "user.k").unwrap();
    env.undo("commit -m two").ok();
    env.undo("checkout @~").ok();
    assert_same(&one, &Tree::read(&env.path()));
    assert!(is_clean(&env), "{}", env.undo("status"));
    // Without a change nothing is recorded; with a change, all names keep the attribute.
    env.write("a", "y");
    env.undo("commit -m three").ok();
    let three = Tree::read(&env.path());
    env.undo("checkout @~").ok();
    env.undo("undo").ok();
    assert_same(&three, &Tree::read(&env.path()));
    assert!(is_clean(&env), "{}", env.undo("status"));
}

/// A program constantly changes a file with many names. No commit has the file in two states.
#[test]
fn hard_links_changing_during_commit_have_one_state() {
    let env = TestEnv::new();
    for folder in 0..40 {
        env.write(&format!("d{folder:02}/other"), vec![b'o'; 50_000]);
        let name = env.path().join(format!("d{folder:02}/name"));
        match folder {
            0 => fs::write(name, "x").unwrap(),
            _ => fs::hard_link(env.path().join("d00/name"), name).unwrap(),
        }
    }
    env.undo("init").ok();
    let file = env.path().join("d00/name");
    for round in 0..4 {
        let script = format!(
            "i=0; while [ ! -e '{0}/stop' ]; do i=$((i+1)); chmod $((600 + i % 2 * 44)) '{1}'; done",
            env.root().display(),
            file.display()
        );
        let mut changes = Command::new("sh").args(["-c", &script]).spawn().unwrap();
        let output = env.undo("commit -m during");
        fs::write(env.root().join("stop"), "").unwrap();
        changes.wait().unwrap();
        fs::remove_file(env.root().join("stop")).unwrap();
        assert!([0, 3].contains(&output.code), "{output}");
        let out = env.root().join(format!("out{round}"));
        env.undo(&format!("export @ '{}'", out.display())).ok();
        let inode = |folder: usize| {
            use std::os::unix::fs::MetadataExt;
            fs::metadata(out.join(format!("d{folder:02}/name"))).unwrap().ino()
        };
        assert!((0..40).all(|folder| inode(folder) == inode(0)), "round {round}: names of one file became two files");
    }
    env.undo("commit -m after").ok();
    assert!(is_clean(&env));
}

/// Restores one of two names of a file several times, after a change of the other one or of both. The first run decides what becomes of
/// the other name, and lists it if it changes.
#[test]
fn restoring_one_hard_link_twice_is_idempotent() {
    use std::fs::{FileTimes, OpenOptions};
    use std::time::{Duration, SystemTime};

    let set_time = |path: PathBuf, seconds| {
        let time = SystemTime::UNIX_EPOCH + Duration::from_secs(seconds);
        OpenOptions::new().write(true).open(path).unwrap().set_times(FileTimes::new().set_modified(time)).unwrap();
    };
    let set_mode = |path: PathBuf, bits| {
        use std::os::unix::fs::PermissionsExt;
        fs::set_permissions(path, fs::Permissions::from_mode(bits)).unwrap();
    };
    // What happens to the worktree; the names that another one changes with; whether `a` is a name of `b` again.
    type Change<'c> = &'c dyn Fn(&TestEnv);
    let at = |env: &TestEnv, name: &str| env.path().join(name);
    let changes: [(&str, Change<'_>, &[&str], bool); 7] = [
        ("content", &|env| env.write("a", "other"), &[], false),
        ("mode", &|env| set_mode(at(env, "a"), 0o600), &[], false),
        ("time", &|env| set_time(at(env, "a"), 2_000), &["b", "c"], true),
        ("removed", &|env| fs::remove_file(at(env, "a")).unwrap(), &[], true),
        (
            "removed, and another time",
            &|env| {
                fs::remove_file(at(env, "a")).unwrap();
                set_time(at(env, "b"), 2_000);
            },
            &["b", "c"],
            true,
        ),
        (
            "a separate file with another time",
            &|env| {
                fs::remove_file(at(env, "a")).unwrap();
                env.write("a", "content");
                set_time(at(env, "a"), 3_000);
                set_time(at(env, "b"), 2_000);
            },
            &["b", "c"],
            true,
        ),
        (
            "ignored",
            &|env| {
                env.write(".undoignore", "b\nc\n");
                set_time(at(env, "a"), 2_000);
            },
            &[],
            false,
        ),
    ];
    for (what, change, expected, is_linked) in changes {
        let env = TestEnv::new();
        env.write("a", "content");
        set_time(at(&env, "a"), 1_000);
        ["b", "c"].iter().for_each(|name| fs::hard_link(at(&env, "a"), at(&env, name)).unwrap());
        env.undo("commit --init -m one").ok();
        let id = env.undo("rev-parse @").ok().text().trim().to_owned();
        let one = Tree::read(&env.path());
        change(&env);
        env.undo("commit -m two").ok();
        let line = format!("restore --from {id} --json a");
        let restored = env.undo(&line).ok().json();
        let others = restored.last().unwrap()["other_names"].as_array().unwrap().clone();
        let others: Vec<&str> = others.iter().filter_map(|name| name["path"].as_str()).collect();
        assert_eq!(others, expected, "{what}");
        let first = Tree::read(&env.path());
        let node = |tree: &Tree| tree.nodes[&b"a"[..]].clone();
        let (found, wanted) = (node(&first), node(&one));
        assert_eq!((found.mtime, found.mode, found.content), (wanted.mtime, wanted.mode, wanted.content), "{what}");
        assert_eq!(found.other_names.len(), if is_linked { 2 } else { 0 }, "{what}");
        for _ in 0..2 {
            let again = env.undo(&line).ok().json();
            assert_eq!(again.last().unwrap()["written"], 0, "{what}");
            assert_eq!(again.last().unwrap()["other_names"].as_array().unwrap().len(), 0, "{what}");
            assert_same(&first, &Tree::read(&env.path()));
        }
    }
}
