//! Damaged files of the store: losses are reported, and everything else stays usable.

use std::fs;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use snapbox::str;
use undo::environment::Environment;
use undo::id::BlobId;
use undo::internals::repo::Repository;
use undo::internals::snapshot::store_again;
use undo::internals::worktree::Worktree;
use undo::path::RepoPath;

use super::{ids, noise};
use crate::env::{Output, TestEnv};
use crate::tree::{Tree, assert_same};

/// Two generations in separate packs, tagged `one` and `two`; the worktree matches the second.
struct Generations {
    env: TestEnv,
    one: Tree,
    two: Tree,
    /// The packs, oldest first.
    packs: Vec<PathBuf>,
}

impl Generations {
    fn new() -> Generations {
        let env = TestEnv::initialised();
        env.write("kept", noise(1, 3000));
        env.write("notes.txt", "one\n");
        env.undo("commit -m one").ok();
        env.undo("tag one").ok();
        let (one, mut packs) = (Tree::read(&env.path()), packs(&env));
        env.write("notes.txt", "two\n");
        env.write("large", noise(2, 600_000));
        env.undo("commit -m two").ok();
        env.undo("tag two").ok();
        let newer: Vec<PathBuf> = self::packs(&env).into_iter().filter(|pack| !packs.contains(pack)).collect();
        packs.extend(newer);
        assert_eq!(packs.len(), 2, "not one pack per generation");
        Generations { two: Tree::read(&env.path()), env, one, packs }
    }

    /// Path of a repository file by its name, or of a pack by its age.
    fn file(&self, name: &str) -> PathBuf {
        match name {
            "older pack" => self.packs[0].clone(),
            "newer pack" => self.packs[1].clone(),
            name => self.env.path().join(".undo").join(name),
        }
    }
}

pub fn packs(env: &TestEnv) -> Vec<PathBuf> {
    let below = |folder: PathBuf| fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    below(env.path().join(".undo/packs")).flat_map(below).collect()
}

/// Kinds of damage.
pub const WAYS: [&str; 7] = ["first byte", "middle byte", "last byte", "cut", "emptied", "zeroed", "deleted"];

pub fn damage(file: &Path, way: &str) {
    let mut bytes = fs::read(file).unwrap();
    let length = bytes.len();
    match way {
        "first byte" => bytes[0] ^= 0x41,
        "middle byte" => bytes[length / 2] ^= 0x41,
        "last byte" => bytes[length - 1] ^= 0x41,
        "cut" => bytes.truncate(length / 2),
        "emptied" => bytes.clear(),
        "zeroed" => bytes.fill(0),
        _ => return fs::remove_file(file).unwrap(),
    }
    fs::write(file, bytes).unwrap();
}

/// Checks that a command succeeded, or reported damage that names the file.
#[track_caller]
fn assert_ok_or_reported(output: &Output, file: &Path, what: &str) {
    let text = output.to_string();
    assert!(output.code == 0 || output.code == 5, "{what}: {text}");
    let name = file.file_name().unwrap().to_str().unwrap();
    let is_named = String::from_utf8_lossy(&output.stderr).contains(name);
    assert!(output.code == 0 || is_named, "{what}: `{name}` is not named: {text}");
}

#[test]
fn damaged_pack_affects_only_its_own_objects() {
    for way in WAYS {
        let generations = Generations::new();
        let (env, pack) = (&generations.env, generations.file("newer pack"));
        damage(&pack, way);
        assert_eq!(env.undo("cat one:notes.txt").ok().text(), "one\n", "{way}");
        env.undo("ls -R one").ok();
        env.undo("export one ../copy").ok();
        assert_eq!(fs::read(env.root().join("copy/kept")).unwrap(), noise(1, 3000), "{way}");
        for line in ["status", "log", "show two", "cat two:large", "export two ../other", "diff one two"] {
            assert_ok_or_reported(&env.undo(line), &pack, &format!("{way}: {line}"));
        }
        let log = env.undo("log --oneline");
        assert!(log.text().contains("(one) one"), "{way}: {log}");
        // The state can be saved, left, and restored.
        env.undo("commit -m again").ok();
        let is_anew = ids(env).len() == 3;
        env.undo("tag here latest").ok();
        env.undo("checkout one").ok();
        assert_same(&generations.one, &Tree::read(&env.path()));
        let back = env.undo("checkout here");
        assert_ok_or_reported(&back, &pack, way);
        if is_anew {
            back.ok();
            assert_same(&generations.two, &Tree::read(&env.path()));
        }
    }
}

#[test]
fn lost_commit_is_skipped_and_next_commit_records_everything() {
    let generations = Generations::new();
    let env = &generations.env;
    damage(&generations.file("newer pack"), "deleted");
    env.undo("status").shows(str![[r#"
---- stderr ----
error: commit `[ID]` is missing: pack `[ROOT]/work/.undo/packs/[..]/[ID]` is missing
hint: `undo commit` records the whole directory again; `undo log` lists what can be read
[exit 5]

"#]]);
    env.undo("log --oneline").shows(str![[r#"
* [ID] (one) one  +2 ~0 -0, [..] stored
---- stderr ----
warning: skipped: commit `[ID]` is missing: pack `[ROOT]/work/.undo/packs/[..]/[ID]` is missing
[exit 5]

"#]]);
    env.undo("log one..two --json").shows(str![[r#"
{"type":"summary","count":0}
---- stderr ----
{"type":"warning","message":"skipped: commit `[ID]` is missing: pack `[ROOT]/work/.undo/packs/[..]/[ID]` is missing","paths":[]}
[exit 5]

"#]]);
    env.undo("cat two:notes.txt").shows(str![[r#"
---- stderr ----
error: commit `[ID]` is missing: pack `[ROOT]/work/.undo/packs/[..]/[ID]` is missing
hint: what does not need it is still readable: see `undo log`
[exit 5]

"#]]);
    env.undo("commit kept").shows(str![[r#"
---- stderr ----
error: commit `[ID]` is missing: pack `[ROOT]/work/.undo/packs/[..]/[ID]` is missing
hint: what does not need it is still readable: see `undo log`
[exit 5]

"#]]);
    env.undo("checkout one").shows(str![[r#"
main [ID] → [ID]  1 written, 1 deleted, 1 unchanged
unsaved changes are saved in [ID]
---- stderr ----
warning: commit `[ID]` is missing: pack `[ROOT]/work/.undo/packs/[..]/[ID]` is missing; the whole directory was recorded again
hint: to undo: undo undo

"#]]);
    assert_same(&generations.one, &Tree::read(&env.path()));
    env.undo("log --oneline").shows(str![[r#"
* [ID] before checkout [ID]  +3 ~0 -0, [..] stored (automatic)
│ @ [ID] (main, one) one  +2 ~0 -0, [..] stored
---- stderr ----
warning: skipped: commit `[ID]` is missing: pack `[ROOT]/work/.undo/packs/[..]/[ID]` is missing
[exit 5]

"#]]);
    env.undo("checkout -").shows(str![[r#"
main [ID] → [ID]  2 written, 0 deleted, 1 unchanged
---- stderr ----
hint: to undo: undo undo

"#]]);
    assert_same(&generations.two, &Tree::read(&env.path()));
    env.undo("checkout two").shows(str![[r#"
---- stderr ----
error: commit `[ID]` is missing: pack `[ROOT]/work/.undo/packs/[..]/[ID]` is missing
hint: what does not need it is still readable: see `undo log`
[exit 5]

"#]]);
}

#[test]
fn damaged_file_is_listed_and_others_are_restored() {
    let generations = Generations::new();
    let env = &generations.env;
    env.undo("checkout one").ok();
    // Most of the pack is that file.
    damage(&generations.file("newer pack"), "middle byte");
    env.undo("cat two:large").shows(str![[r#"
---- stderr ----
error: pack `[ROOT]/work/.undo/packs/[..]/[ID]` is damaged: data `[ID]` does not match its id
hint: what does not need it is still readable: see `undo log`
[exit 5]

"#]]);
    env.undo("export two ../copy").shows(str![[r#"
[ID] → ../copy  3 entries, 589 KiB
---- stderr ----
warning: damaged in the repository, and not exported
  large  pack `[ROOT]/work/.undo/packs/[..]/[ID]` is damaged: data `[ID]` does not match its id
[exit 5]

"#]]);
    env.undo("export two ../copy.tar").shows(str![[r#"
---- stderr ----
error: pack `[ROOT]/work/.undo/packs/[..]/[ID]` is damaged: data `[ID]` does not match its id
hint: what does not need it is still readable: see `undo log`
[exit 5]

"#]]);
    env.undo("checkout two").shows(str![[r#"
main [ID] → [ID]  1 written, 0 deleted, 1 unchanged
---- stderr ----
warning: damaged in the repository and left unchanged
  large  pack `[ROOT]/work/.undo/packs/[..]/[ID]` is damaged: data `[ID]` does not match its id
hint: to undo: undo undo
[exit 5]

"#]]);
    assert_eq!((env.read("notes.txt"), env.path().join("large").exists()), (b"two\n".to_vec(), false));
    env.undo("status").shows(str![[r#"
on main at [ID], 7 minutes ago  two
  deleted   large
1 change: 1 deleted

"#]]);
    env.undo("restore --from two large --json").shows(str![[r#"
{"type":"checkout","from":"[ID]","to":"[ID]","saved":"[ID]","branch":"main","written":0,"deleted":0,"unchanged":2,"inexact":[],"damaged":[{"path":"large","reason":"pack `[ROOT]/work/.undo/packs/[..]/[ID]` is damaged: data `[ID]` does not match its id"}],"purged":[],"changed":[],"in_use":[],"aside":"","uncovered":[],"kept":[],"torn":[],"journals":[],"left_journals":[],"other_names":[]}
---- stderr ----
{"type":"warning","message":"damaged in the repository and left unchanged","paths":[{"path":"large","reason":"pack `[ROOT]/work/.undo/packs/[..]/[ID]` is damaged: data `[ID]` does not match its id"}]}
[exit 5]

"#]]);
    env.undo("checkout one").ok();
    assert_same(&generations.one, &Tree::read(&env.path()));
}

#[test]
fn last_good_copy_is_saved_again_before_removal() {
    for way in ["middle byte", "cut", "zeroed", "deleted"] {
        for lose in ["checkout one", "restore --from one notes.txt large", "undo undo"] {
            let generations = Generations::new();
            let env = &generations.env;
            if lose == "undo undo" {
                env.undo("checkout one").ok();
                env.undo("checkout two").ok();
            }
            // Most of the pack is the large file. Of a pack that is cut nothing can be read, not even the commit.
            damage(&generations.file("newer pack"), way);
            let gone = env.undo(lose.trim_start_matches("undo ")).ok();
            let said = String::from_utf8_lossy(&gone.stderr).into_owned();
            assert!(!env.path().join("large").exists(), "{way}: {lose}: {gone}");
            assert!(said.contains("saved again") || said.contains("recorded again"), "{way}: {lose}: {said}");
            let kept = ids(env).iter().any(|id| env.undo(&format!("cat {id}:large")).stdout == noise(2, 600_000));
            assert!(kept, "{way}: {lose}: the content of the folder is lost");
        }
    }
}

#[test]
fn changed_file_with_old_mtime_is_not_the_lost_copy() {
    let generations = Generations::new();
    let env = &generations.env;
    damage(&generations.file("newer pack"), "middle byte");
    // With the recorded stat, so that it counts as unchanged.
    let large = env.path().join("large");
    let before = fs::metadata(&large).unwrap();
    let file = fs::File::options().write(true).open(&large).unwrap();
    file.write_all_at(b"rotten", 300_000).unwrap();
    file.set_modified(before.modified().unwrap()).unwrap();
    drop(file);
    let rotten = fs::read(&large).unwrap();
    env.undo("checkout one").ok();
    let kept = ids(env).iter().any(|id| env.undo(&format!("cat {id}:large")).stdout == rotten);
    assert!(kept, "the ctime did not reveal the change");
}

#[test]
fn only_unchanged_files_are_saved_again() {
    let generations = Generations::new();
    let mut repository = Repository::discover(&generations.env.path(), Environment::from_process()).unwrap();
    let worktree = Worktree::open(generations.env.path(), false).unwrap();
    let blob = |bytes: &[u8]| BlobId(*blake3::hash(bytes).as_bytes());
    let path = |name: &str| RepoPath::new(name.as_bytes()).unwrap().to_owned();
    let files = [
        (path("large"), blob(&noise(2, 600_000))),
        (path("notes.txt"), blob(b"something else")),
        (path("gone"), blob(b"")),
    ];
    let mut transaction = repository.begin().unwrap();
    assert_eq!(store_again(&mut transaction, &worktree, &files).unwrap(), [path("notes.txt"), path("gone")]);
}

#[test]
fn damaged_journal_is_read_up_to_damage_and_not_written() {
    for way in WAYS {
        let generations = Generations::new();
        let (env, journal) = (&generations.env, generations.file("journal/00000001"));
        // The damage is in the middle, behind the tag `one`.
        for n in 0..4 {
            env.undo(&format!("tag later-{n}")).ok();
        }
        damage(&journal, way);
        let before = Tree::read(&env.path());
        if matches!(way, "emptied" | "zeroed" | "deleted") {
            let name = if way == "deleted" { "journal" } else { "00000001" };
            for line in ["log", "cat one:notes.txt", "commit", "checkout one"] {
                let output = env.undo(line).fails(5);
                assert!(String::from_utf8_lossy(&output.stderr).contains(name), "{way}: {output}");
            }
            env.undo("init").fails(2);
        } else {
            assert_eq!(env.undo("cat one:notes.txt").ok().text(), "one\n", "{way}");
            env.undo("export one ../copy").ok();
            // The truncated record reads as a torn write.
            if way != "cut" {
                env.undo("commit").fails(5);
                env.undo("checkout one").fails(5);
            }
        }
        assert_same(&before, &Tree::read(&env.path()));
    }
}

#[test]
fn journal_damage_error_names_working_commands() {
    let generations = Generations::new();
    let env = &generations.env;
    let journal = generations.file("journal/00000001");
    let good = fs::read(&journal).unwrap();
    damage(&journal, "last byte");
    env.undo("log --oneline").shows(str![[r#"
@ [ID] (main) two  +1 ~1 -0, [..] stored
* [ID] (one) one  +2 ~0 -0, [..] stored
---- stderr ----
warning: the newest history may be missing: `[ROOT]/work/.undo/journal/[ID]` is damaged at byte [..]: wrong checksum

"#]]);
    env.undo("commit").shows(str![[r#"
---- stderr ----
warning: the newest history may be missing: `[ROOT]/work/.undo/journal/[ID]` is damaged at byte [..]: wrong checksum
error: the newest history may be missing: `[ROOT]/work/.undo/journal/[ID]` is damaged at byte [..]: wrong checksum
hint: reading still works; to keep every intact record and write again: undo repair
[exit 5]

"#]]);
    env.undo("status --json").shows(str![[r#"
{"type":"summary","clean":true,"added":0,"modified":0,"deleted":0,"renamed":0,"retyped":0,"metadata":0,"ignored":0}
---- stderr ----
{"type":"warning","message":"the newest history may be missing: `[ROOT]/work/.undo/journal/[ID]` is damaged at byte [..]: wrong checksum","paths":[]}

"#]]);
    fs::write(&journal, &good).unwrap();
    damage(&journal, "zeroed");
    env.undo("log").shows(str![[r#"
---- stderr ----
error: `[ROOT]/work/.undo/journal/[ID]` is damaged at byte 0: no journal header
hint: to restore the commits of all packs: undo repair
[exit 5]

"#]]);
    damage(&journal, "deleted");
    env.undo("commit --json").shows(str![[r#"
---- stderr ----
{"type":"error","code":"damaged","message":"no journal in `[ROOT]/work/.undo/journal`","hint":"copy that folder from a backup of this repository","exit":5,"paths":[]}
[exit 5]

"#]]);
}

#[test]
fn damaged_caches_and_settings_are_harmless() {
    for name in ["index", "catalog", "config.toml", "reserve", "lock"] {
        for way in WAYS {
            let generations = Generations::new();
            let (env, file) = (&generations.env, generations.file(name));
            if name == "catalog" {
                many_packs(env);
            }
            if fs::metadata(&file).is_ok_and(|metadata| metadata.len() > 0) {
                damage(&file, way);
            } else {
                fs::write(&file, noise(9, 5000)).unwrap();
            }
            let what = format!("{name}: {way}");
            assert_eq!(env.undo("cat one:notes.txt").ok().text(), "one\n", "{what}");
            env.undo("status").ok();
            env.undo("log").ok();
            env.undo("checkout one").ok();
            assert_same(&generations.one, &Tree::read(&env.path()));
            env.undo("checkout two").ok();
            assert_same(&generations.two, &Tree::read(&env.path()));
            env.write("notes.txt", "three\n");
            env.undo("commit -m three").ok();
            assert_eq!(env.undo("cat @:notes.txt").ok().text(), "three\n", "{what}");
        }
    }
}

/// A catalog is written once there are enough packs.
fn many_packs(env: &TestEnv) {
    let catalog = env.path().join(".undo/catalog");
    for n in 0..60 {
        if catalog.exists() {
            return;
        }
        env.write("notes.txt", format!("{n}\n"));
        env.undo("commit").ok();
    }
    env.undo("checkout two").ok();
}
