//! Unusual file systems: bind mounts, overlays, and file systems without a size limit.

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::Path;

use snapbox::str;

use super::places::Mounted;
use crate::env::TestEnv;
use crate::skip::skip;
use crate::tree::Tree;

/// A bind mount has the device of the worktree.
#[test]
fn bind_mounts_are_not_covered() {
    let env = TestEnv::initialised();
    env.write("a", "1");
    env.write("file", "below");
    fs::create_dir(env.path().join("below")).unwrap();
    let other = env.root().join("other");
    fs::create_dir_all(other.join("d")).unwrap();
    fs::write(other.join("d/precious"), "precious").unwrap();
    fs::write(env.root().join("one"), "one of theirs").unwrap();
    env.undo("commit -m one").ok();
    let bind = |from: &Path, to: &str| Mounted::new(&["--bind", from.to_str().unwrap()], &env.path().join(to));
    let (Some(_folder), Some(_file)) = (bind(&other, "below"), bind(&env.root().join("one"), "file")) else {
        return skip("only root can mount");
    };
    env.write("a", "2");
    env.undo("commit -m two").fails(3);
    let commit = env.undo("show --json @").ok().json();
    let reason = |at: usize| (commit[0]["uncovered"][at]["path"].clone(), commit[0]["uncovered"][at]["reason"].clone());
    assert_eq!([reason(0), reason(1)], [("below".into(), "mount".into()), ("file".into(), "mount".into())]);
    assert_eq!(env.undo("cat @:below/d/precious").code, 2);
    for (way, a) in [("checkout @~", "1"), ("undo", "2"), ("checkout --force @~", "1"), ("undo", "2")] {
        env.undo(way).fails(if way == "undo" { 0 } else { 3 });
        assert_eq!(env.read("a"), a.as_bytes(), "{way}");
    }
    env.undo("restore --from @~ below").fails(3);
    assert_eq!(fs::read(other.join("d/precious")).unwrap(), b"precious");
    assert_eq!(fs::read(env.root().join("one")).unwrap(), b"one of theirs");
    // With `cross_mounts`, they are covered.
    env.undo("config worktree.cross_mounts true").ok();
    env.undo("commit -m three").ok();
    assert_eq!(env.undo("cat @:below/d/precious").ok().stdout, b"precious");
    assert_eq!(env.undo("cat @:file").ok().stdout, b"one of theirs");
}

/// A file of the lower layer with several names gets another inode when it is moved.
#[test]
fn overlay_hard_links_are_replaced_and_removed() {
    let env = TestEnv::new();
    let layers = env.root().join("layers");
    fs::create_dir(&layers).unwrap();
    let Some(_tmpfs) = Mounted::new(&["-t", "tmpfs", "-o", "size=16m", "tmpfs"], &layers) else {
        return skip("only root can mount a file system");
    };
    let folder = |name: &str| layers.join(name).display().to_string();
    ["lower", "upper", "work"].iter().for_each(|name| fs::create_dir(folder(name)).unwrap());
    let link = |old: &str, new: &str| fs::hard_link(env.path().join(old), env.path().join(new)).unwrap();
    {
        let _bound = Mounted::new(&["--bind", &folder("lower")], &env.path());
        env.undo("init -q").ok();
        env.write("a", "zero");
        env.undo("commit -m zero").ok();
        fs::remove_file(env.path().join("a")).unwrap();
        env.write("a", "one");
        link("a", "b");
        env.write("c", "two");
        link("c", "d");
        env.undo("commit -m one").ok();
    }
    let options = format!("lowerdir={},upperdir={},workdir={}", folder("lower"), folder("upper"), folder("work"));
    let Some(_overlay) = Mounted::new(&["-t", "overlay", "-o", &options, "overlay"], &env.path()) else {
        return skip("overlayfs is not available");
    };
    let mode = |bits| fs::set_permissions(env.path().join("a"), fs::Permissions::from_mode(bits)).unwrap();
    mode(0o600);
    env.undo("commit -m two").ok();
    env.undo("checkout @~").ok();
    assert_eq!(fs::metadata(env.path().join("b")).unwrap().nlink(), 2);
    env.write("d", "mine");
    env.undo("checkout @~").ok();
    assert_eq!((env.read("a"), fs::read_dir(env.path()).unwrap().count()), (b"zero".to_vec(), 2));
    env.undo("undo").ok();
    assert_eq!((env.read("b"), env.read("c"), env.read("d")), (b"one".to_vec(), b"two".to_vec(), b"mine".to_vec()));
}

/// Linking a file of a lower layer, and setting its metadata, copies it up under that name only.
#[test]
fn overlay_hard_links_are_one_inode_after_checkout() {
    let env = TestEnv::new();
    let layers = env.root().join("layers");
    fs::create_dir(&layers).unwrap();
    let Some(_tmpfs) = Mounted::new(&["-t", "tmpfs", "-o", "size=16m", "tmpfs"], &layers) else {
        return skip("only root can mount a file system");
    };
    let at = |name: &str| env.path().join(name);
    // States of two names of a file: current, and target.
    let changes: [(&str, &dyn Fn()); 4] = [
        ("a new name", &|| fs::remove_file(at("d/c")).unwrap()),
        ("two new names", &|| ["d/c", "e"].iter().for_each(|name| fs::remove_file(at(name)).unwrap())),
        ("another mode", &|| fs::set_permissions(at("a"), fs::Permissions::from_mode(0o600)).unwrap()),
        ("both", &|| {
            fs::remove_file(at("a")).unwrap();
            fs::set_permissions(at("b"), fs::Permissions::from_mode(0o600)).unwrap();
        }),
    ];
    for (n, (what, change)) in changes.into_iter().enumerate() {
        let folder = |name: &str| layers.join(format!("{n}/{name}"));
        ["lower", "upper", "work"].iter().for_each(|name| fs::create_dir_all(folder(name)).unwrap());
        let (one, two);
        {
            let _bound = Mounted::new(&["--bind", folder("lower").to_str().unwrap()], &env.path());
            env.undo("init -q").ok();
            env.write("a", "one");
            fs::create_dir(at("d")).unwrap();
            ["b", "d/c", "e"].iter().for_each(|name| fs::hard_link(at("a"), at(name)).unwrap());
            env.undo("commit -m one").ok();
            one = Tree::read(&env.path());
            change();
            env.undo("commit -m two").ok();
            two = Tree::read(&env.path());
        }
        let (lower, upper, work) = (folder("lower"), folder("upper"), folder("work"));
        let options =
            format!("lowerdir={},upperdir={},workdir={},index=off", lower.display(), upper.display(), work.display());
        let Some(_overlay) = Mounted::new(&["-t", "overlay", "-o", &options, "overlay"], &env.path()) else {
            return skip("overlayfs is not available");
        };
        let restores = |line: &str, tree: &Tree| {
            let output = env.undo(line).ok();
            let differences = Tree::read(&env.path()).differences(tree);
            assert!(differences.is_empty(), "{what}: {line}: {differences:#?}\n{output}");
            assert!(env.undo("status").ok().text().contains("no changes"), "{what}: {line}");
        };
        restores("checkout @~", &one);
        restores("undo", &two);
        restores("checkout @~", &one);
    }
}

/// Some file systems have no size limit.
#[test]
fn oversized_file_is_not_covered_and_listed() {
    let env = TestEnv::new();
    let Some(_mounted) = Mounted::new(&["-t", "tmpfs", "-o", "size=16m", "tmpfs"], &env.path()) else {
        return skip("only root can mount a file system");
    };
    env.undo("init -q").ok();
    env.write("a", "1");
    env.undo("commit -m one").ok();
    for (name, length) in [("longest", i64::MAX as u64), ("longest-too", i64::MAX as u64), ("sparse", 1000 << 40)] {
        fs::File::create(env.path().join(name)).unwrap().set_len(length).unwrap();
    }
    env.undo("status").shows(str![[r#"
on main at [ID], 60 seconds ago  one
no changes
---- stderr ----
warning: not covered because they cannot be read
  longest  longer than 16 TiB
  longest-too  longer than 16 TiB
  sparse  longer than 16 TiB
[exit 3]

"#]]);
    env.write("a", "2");
    env.undo("commit -m two").fails(3);
    let commit = env.undo("show --json @").ok().json();
    assert_eq!(
        (&commit[0]["uncovered"][2]["path"], &commit[0]["uncovered"][2]["reason"]),
        (&"sparse".into(), &"too-long".into())
    );
    env.undo("checkout @~").ok();
    assert_eq!((env.read("a"), env.path().join("sparse").exists()), (b"1".to_vec(), true));
    env.undo("hash-object sparse").shows(str![[r#"
---- stderr ----
error: cannot read `[ROOT]/work/sparse`: file too large
[exit 74]

"#]]);
}
