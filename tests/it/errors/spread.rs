//! SmallDisk damage with limited effects: one byte of a chunk, the journal, the catalog, or one of many packs.

use std::fs;
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::time::{Duration, SystemTime};

use super::damage::packs;
use super::{ids, noise};
use crate::env::TestEnv;
use crate::tree::{Tree, assert_same};

/// Changes the byte after these bytes, in the file that contains them.
fn flip_byte_after(files: &[impl AsRef<Path>], needle: &[u8], behind: usize) {
    let at = |path: &Path| fs::read(path).unwrap().windows(needle.len()).position(|bytes| bytes == needle);
    let (path, at) = files.iter().find_map(|path| Some((path.as_ref(), at(path.as_ref())?))).unwrap();
    let file = fs::File::options().read(true).write(true).open(path).unwrap();
    let mut byte = [0];
    file.read_exact_at(&mut byte, (at + behind) as u64).unwrap();
    file.write_all_at(&[byte[0] ^ 1], (at + behind) as u64).unwrap();
}

/// Chunks end at holes, in the copy that is saved again as in the lost one.
#[test]
fn last_good_copy_of_sparse_file_is_saved_again() {
    let env = TestEnv::initialised();
    env.write("other", "one");
    env.undo("commit -m one").ok();
    env.undo("tag one").ok();
    let file = fs::File::create(env.path().join("sparse")).unwrap();
    file.set_len(3 << 20).unwrap();
    let data = noise(3, 300_000);
    file.write_all_at(&data, 0).unwrap();
    file.write_all_at(&noise(4, 300_000), 2 << 20).unwrap();
    drop(file);
    env.undo("commit -m two").ok();
    let content = env.read("sparse");
    flip_byte_after(&packs(&env), &data[290_000..290_040], 41);
    let gone = env.undo("checkout one").ok();
    assert!(String::from_utf8_lossy(&gone.stderr).contains("saved again"), "{gone}");
    assert!(!env.path().join("sparse").exists());
    let kept = ids(&env).iter().any(|id| env.undo(&format!("cat {id}:sparse")).stdout == content);
    assert!(kept, "the content of the folder is lost");
    env.undo("verify").fails(5);
}

/// The state before the journal's damage names packs that were merged and removed since.
#[test]
fn objects_behind_journal_damage_are_found_in_packs() {
    let env = TestEnv::initialised();
    for n in 0..40 {
        env.write("file", format!("{n}\n"));
        env.undo(&format!("commit -m {n}")).ok();
        if n == 4 {
            env.undo("tag early").ok();
        }
    }
    let long_ago = SystemTime::now() - Duration::from_secs(7200);
    let before = packs(&env);
    before.iter().for_each(|pack| fs::File::open(pack).unwrap().set_modified(long_ago).unwrap());
    for n in 0..16 {
        env.write("file", format!("again {n}\n"));
        env.undo("commit").ok();
    }
    assert!(before.iter().any(|pack| !pack.exists()), "no pack was removed");
    let journal = env.path().join(".undo/journal/00000001");
    let middle = fs::metadata(&journal).unwrap().len() as usize / 2;
    flip_byte_after(&[&journal], &fs::read(&journal).unwrap()[..64], middle);
    assert_eq!(env.undo("cat early:file").ok().text(), "4\n");
    env.undo("cat @:file").ok();
    env.undo("export early ../early").ok();
    env.undo("commit").fails(5);
}

#[test]
fn wrong_catalog_entry_does_not_stop_checkout() {
    let env = TestEnv::initialised();
    for n in 0..8300 {
        env.write(&format!("{}/{n}", n % 90), format!("{n}"));
    }
    env.undo("commit -m one").ok();
    let one = Tree::read(&env.path());
    let id = env.undo("rev-parse @").ok().text();
    let catalog = env.path().join(".undo/catalog");
    env.write("file", "two");
    env.undo("commit -m two").ok();
    let bytes: Vec<u8> = (0..32).map(|n| u8::from_str_radix(&id[2 * n..2 * n + 2], 16).unwrap()).collect();
    flip_byte_after(&[&catalog], &bytes, 34);
    env.undo(&format!("checkout {id}", id = id.trim())).ok();
    assert_same(&one, &Tree::read(&env.path()));
    env.undo("verify").ok();
}

#[test]
fn compaction_skips_damaged_pack() {
    let env = TestEnv::initialised();
    env.write("file", noise(1, 3000));
    env.undo("commit -m one").ok();
    flip_byte_after(&packs(&env), &noise(1, 3000)[2000..2020], 20);
    for n in 0..40 {
        env.write("file", format!("{n}\n"));
        env.undo("commit").ok();
    }
    let named = env.undo("count-objects --json").ok().json()[0]["packs"].as_u64().unwrap();
    assert!(named < 20, "{named} packs");
    env.undo("verify").fails(5);
}

#[test]
fn commit_in_missing_pack_is_reported_as_damage() {
    let env = TestEnv::new();
    env.write("a", "1");
    env.undo("commit --init -m one").ok();
    let id = env.undo("rev-parse @").ok().text().trim().to_owned();
    let pack = env.shell("find .undo/packs -type f").ok().text().trim().to_owned();
    std::fs::rename(env.path().join(&pack), env.root().join("pack")).unwrap();
    let output = env.undo(&format!("checkout {id}")).fails(5);
    assert!(String::from_utf8_lossy(&output.stderr).contains("is missing"), "{output}");
}
