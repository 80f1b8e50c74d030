//! `verify --worktree` compares the directory with a commit by content.

use std::fs;
use std::process::Command;

use snapbox::str;

use super::*;
use crate::media;
use crate::safety::places::Mounted;

/// Makes the index name another content for a file in the root directory, with the same stat: as if the medium had changed
/// the file.
fn change_silently(env: &TestEnv, blob: &str, to: [u8; 32]) {
    let path = env.path().join(".undo/index");
    let mut index = fs::read(&path).unwrap();
    let number = |index: &[u8], at: usize| u64::from_le_bytes(index[at..at + 8].try_into().unwrap()) as usize;
    let id: Vec<u8> = (0..32).map(|n| u8::from_str_radix(&blob[2 * n..][..2], 16).unwrap()).collect();
    // The first row of the table is that of the root directory.
    let row = 80;
    let (start, length) = (number(&index, row + 16), number(&index, row + 24));
    let at = index[start..start + length].windows(32).position(|window| window == id).unwrap();
    index[start + at..][..32].copy_from_slice(&to);
    let records = u64::from(u32::from_le_bytes(index[row + 12..][..4].try_into().unwrap()));
    let mut hasher = blake3::Hasher::new();
    for part in [&[][..], &records.to_le_bytes(), &index[start..start + length]] {
        hasher.update(&(part.len() as u64).to_le_bytes()).update(part);
    }
    index[row + 32..][..16].copy_from_slice(&hasher.finalize().as_bytes()[..16]);
    fs::write(path, index).unwrap();
}

/// Three files that are older than the index can doubt.
fn create_directory() -> TestEnv {
    let env = TestEnv::initialised();
    for name in ["a", "b", "c"] {
        env.write(name, format!("{name}\n"));
    }
    std::thread::sleep(std::time::Duration::from_millis(20));
    env.undo("commit -m one").ok();
    env
}

#[test]
fn ordinary_changes_are_listed_and_are_not_damage() {
    let env = create_directory();
    env.undo("verify --worktree").ok().shows(str![[r#"
no damage found: 3 files, 6 B read

"#]]);
    env.write("a", "other\n");
    fs::remove_file(env.path().join("b")).unwrap();
    env.write("new", "new\n");
    env.undo("verify --worktree").ok().shows(str![[r#"
  modified  a
  deleted   b
  added     new
no damage found: 3 files, 12 B read; 3 changes since [ID]

"#]]);
    env.undo("verify --worktree @ --json").ok().shows(str![[r#"
{"type":"change","path":"a","status":"modified","kind":"file","old_size":2,"size":6,"what":["content"]}
{"type":"change","path":"b","status":"deleted","kind":"file","old_size":2,"what":[]}
{"type":"change","path":"new","status":"added","kind":"file","size":4,"what":[]}
{"type":"summary","commit":"[ID]","files":3,"bytes_read":12,"changed":3,"damaged":0,"clean":true}

"#]]);
    env.undo("commit -m two").ok();
    env.undo("verify --worktree @~").ok().shows(str![[r#"
  modified  a
  deleted   b
  added     new
no damage found: 3 files, 12 B read; 3 changes since [ID]

"#]]);
    env.undo("verify --worktree nowhere").fails(2);
    env.undo("verify --worktree --quick").fails(2);
}

#[test]
fn content_that_changed_without_a_trace_is_damage() {
    let env = create_directory();
    let listed = env.undo("ls --json").ok().json();
    let blob = listed.iter().find(|line| line["path"] == "b").unwrap()["id"].as_str().unwrap().to_owned();
    let old: [u8; 32] = *blake3::hash(b"B\n").as_bytes();
    change_silently(&env, &blob, old);
    let index = fs::read(env.path().join(".undo/index")).unwrap();
    env.write("a", "other\n");
    let before = Tree::read(&env.path());
    env.undo("verify --worktree").shows(str![[r#"
damaged b in [ID]: its content changed, but size and times did not: the disk or the memory may be failing
  modified  a
3 files, 10 B read; 1 change since [ID]; 1 file damaged
---- stderr ----
hint: to print the recorded content: undo cat [ID]:b
[exit 5]

"#]]);
    // Now every command reads the file.
    env.undo("verify --worktree").ok();
    fs::write(env.path().join(".undo/index"), index).unwrap();
    env.undo("verify --worktree --json").shows(str![[r#"
{"type":"damage","what":"worktree","message":"its content changed, but size and times did not: the disk or the memory may be failing","id":"","pack":"","file":"","commit":"[ID]","paths":[{"path":"b"}]}
{"type":"change","path":"a","status":"modified","kind":"file","old_size":2,"size":6,"what":["content"]}
{"type":"summary","commit":"[ID]","files":3,"bytes_read":10,"changed":1,"damaged":1,"clean":false}
[exit 5]

"#]]);
    assert_same(&before, &Tree::read(&env.path()));
    // A touched file is read again, as after a write.
    let touched = env.path().join("b");
    fs::write(&touched, fs::read(&touched).unwrap()).unwrap();
    env.undo("verify --worktree").ok();
}

#[test]
fn files_that_the_disk_changed_are_restored() {
    let env = TestEnv::new();
    let image = env.root().join("image");
    File::create(&image).unwrap().set_len(64 << 20).unwrap();
    let made = Command::new("mkfs.ext4").args(["-q", "-b", "4096"]).arg(&image).output();
    let mount = || Mounted::new(&["-o", "loop,noatime", image.to_str().unwrap()], &env.path());
    let mut mounted = if made.is_ok_and(|output| output.status.success()) { mount() } else { None };
    if mounted.is_none() {
        skip("ext4 is not available (needs root, a loop device and mkfs.ext4)");
        return;
    }
    let files = ["file", "folder/deep/file"].map(|path| (path, path.repeat(2000)));
    files.iter().for_each(|(path, content)| env.write(path, content));
    env.undo("commit --init -m one").ok();
    for command in ["restore file folder/deep/file", "restore -f .", "checkout -f @"] {
        std::thread::sleep(std::time::Duration::from_millis(20));
        // The index now proves everything.
        env.undo("commit").ok();
        mounted.take();
        media::wait_until_unused(&image);
        let disk = File::options().read(true).write(true).open(&image).unwrap();
        for (path, content) in &files {
            let places = media::find(&disk, &content.as_bytes()[..4096]);
            assert!(!places.is_empty(), "{path} is not on the disk");
            places.iter().for_each(|place| disk.write_all_at(b"X", place + 7).unwrap());
        }
        drop(disk);
        mounted = mount();
        let is_changed =
            |(path, content): &(&str, String)| fs::read(env.path().join(path)).unwrap() != content.as_bytes();
        assert!(files.iter().all(is_changed), "{command}");
        assert!(env.undo("status").ok().text().contains("no changes"), "{command}");
        assert!(env.undo("verify --worktree").fails(5).text().contains("2 files damaged"), "{command}");
        env.undo(command).ok();
        assert!(!files.iter().any(is_changed), "{command}");
        env.undo("verify --worktree").ok();
    }
    drop(mounted);
}

#[test]
fn an_index_that_cannot_be_changed_is_reported() {
    let env = create_directory();
    let listed = env.undo("ls --json").ok().json();
    let blob = listed.iter().find(|line| line["path"] == "b").unwrap()["id"].as_str().unwrap().to_owned();
    change_silently(&env, &blob, *blake3::hash(b"B\n").as_bytes());
    let place = env.path();
    let Some(_mounted) = Mounted::new(&["--bind", &place.to_string_lossy()], &place) else {
        skip("nothing can be mounted here (needs root)");
        return;
    };
    let remounted = Command::new("mount").args(["-o", "remount,ro,bind"]).arg(&place).status();
    assert!(remounted.unwrap().success());
    env.undo("verify --worktree").shows(str![[r#"
damaged b in [ID]: its content changed, but size and times did not: the disk or the memory may be failing
3 files, 6 B read; 1 file damaged
---- stderr ----
warning: the index still says that these files are unchanged: cannot open `[ROOT]/work/.undo/lock`: read-only file system
hint: without an index, all files are read: rm [ROOT]/work/.undo/index
hint: to print the recorded content: undo cat [ID]:b
[exit 5]

"#]]);
}
