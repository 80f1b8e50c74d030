//! `verify` detects all damage, continues after it, and changes nothing.

mod part;
mod worktree;

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use serde_json::Value;
use snapbox::str;
use undo::environment::Environment;
use undo::id::{BlobId, ChunkId, CommitId};
use undo::internals::maintain::verify::{Finding, verify};
use undo::internals::object::layout::Piece;
use undo::internals::object::operation::{RefEdit, RefName};
use undo::internals::object::{Commit, Content, Layout, ObjectKind, Objects, Tree as Directory, id_of};
use undo::internals::repo::{NewOperation, Repository, Transaction};
use undo::internals::store::Writer;
use undo::progress::Silent;

use crate::env::TestEnv;
use crate::errors::damage::{WAYS, damage};
use crate::errors::noise;
use crate::fixtures::{FIXTURES, unpacked};
use crate::skip::skip;
use crate::tree::{Tree, assert_same};

/// Creates objects of every kind (a sparse file, a large one, hard links, a long directory, attributes), three journal
/// segments, and a catalog.
pub fn create_repository() -> (TestEnv, Vec<(&'static str, Tree)>) {
    let env = TestEnv::initialised();
    env.write("small", "small\n");
    env.write("empty", "");
    env.write("large", noise(1, 1_500_000));
    let sparse = File::create(env.path().join("sparse")).unwrap();
    sparse.set_len(6 << 20).unwrap();
    sparse.write_all_at(&noise(2, 5000), 3 << 20).unwrap();
    fs::hard_link(env.path().join("small"), env.path().join("again")).unwrap();
    for n in 0..1500 {
        env.write(&format!("long/{n:05}"), n.to_string());
    }
    env.write("long/deep/er/file", "deep\n");
    env.undo("commit -m one").ok();
    env.undo("tag one").ok();
    let mut trees = vec![("one", Tree::read(&env.path()))];
    // The operation records the arguments of the command.
    for n in 0..6 {
        env.undo(&format!("commit -m {}{n} --init", "m".repeat(100_000))).ok();
        env.write("changing", n.to_string());
    }
    fs::remove_dir_all(env.path().join("long/deep")).unwrap();
    env.write("large", [noise(1, 1_000_000), noise(3, 500_000)].concat());
    env.undo("commit -m two").ok();
    env.undo("tag two").ok();
    trees.push(("two", Tree::read(&env.path())));
    assert!(env.path().join(".undo/journal/00000002").exists(), "the history has only one segment");
    (env, trees)
}

/// Lists all files of the repository.
pub fn files(env: &TestEnv) -> Vec<PathBuf> {
    fn below(folder: &Path, found: &mut Vec<PathBuf>) {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() { below(&path, found) } else { found.push(path) }
        }
    }
    let mut found = Vec::new();
    below(&env.path().join(".undo"), &mut found);
    found.sort();
    found
}

/// Returns the findings of `verify`.
fn listed(env: &TestEnv) -> Vec<Value> {
    let output = env.undo("verify --json");
    let mut lines = output.json();
    let summary = lines.pop().expect("a summary");
    lines.retain(|line| line["type"] == "damage");
    assert_eq!(summary["damaged"], lines.len());
    assert_eq!(summary["clean"], lines.is_empty());
    assert_eq!(output.code, if lines.is_empty() { 0 } else { 5 }, "{output}");
    lines
}

#[test]
fn fixtures_and_all_entry_kinds_are_clean() {
    for name in FIXTURES {
        let env = unpacked(name);
        assert_eq!(listed(&env), Vec::<Value>::new(), "{name}");
    }
    let (env, _) = create_repository();
    assert_eq!(listed(&env), Vec::<Value>::new());
    env.undo("checkout one").ok();
    assert_eq!(listed(&env), Vec::<Value>::new());
    assert_eq!(listed(&TestEnv::initialised()), Vec::<Value>::new());
}

#[test]
fn verify_reports_what_it_read() {
    let env = TestEnv::initialised();
    env.write("notes.txt", "one\n");
    env.undo("commit -m one").ok();
    env.undo("verify").shows(str![[r#"
no damage found: 1 commit, 3 objects, 1 pack, [..] B read

"#]]);
    env.undo("verify --json").shows(str![[r#"
{"type":"summary","extent":"whole","packs":1,"objects":3,"bytes":[..],"commits":1,"damaged":0,"purged":0,"unnamed_commits":0,"read":[..],"percent":100,"never_read":0,"followed":true,"clean":true}

"#]]);
    TestEnv::new().undo("verify").fails(10);
}

#[test]
fn damage_lists_affected_paths() {
    let env = TestEnv::initialised();
    env.write("kept", noise(1, 100_000));
    env.undo("commit -m one").ok();
    let first: BTreeSet<PathBuf> = files(&env).into_iter().collect();
    env.write("folder/lost", noise(2, 100_000));
    env.write("folder/large", noise(3, 2_000_000));
    env.undo("commit -m two").ok();
    env.write("kept", "changed");
    env.undo("commit -m three").ok();
    let pack = files(&env).into_iter().find(|file| {
        file.starts_with(env.path().join(".undo/packs"))
            && !first.contains(file)
            && fs::metadata(file).unwrap().len() > 1_000_000
    });
    damage(&pack.unwrap(), "middle byte");
    env.undo("verify").shows(str![[r#"
damaged pack: pack `[ROOT]/work/.undo/packs/[..]/[ID]` is damaged: wrong checksum of the frame at byte [..]
damaged folder/large in [ID]: pack `[ROOT]/work/.undo/packs/[..]/[ID]` is damaged: data `[ID]` does not match its id
3 commits, 16 objects, 3 packs, 2.10 MiB read; 2 problems found
---- stderr ----
hint: everything not listed is intact; to recover what can be recovered: undo repair
[exit 5]

"#]]);
    let lines = listed(&env);
    assert_eq!(lines[1]["paths"][0]["path"], "folder/large");
    let log = env.undo("log --json").ok().json();
    assert_eq!(lines[1]["commit"], log[0]["id"], "not the newest commit that contains the file");
    assert_eq!((&lines[0]["what"], &lines[1]["what"]), (&"pack".into(), &"blob".into()));
}

#[test]
fn missing_pack_lists_lost_objects() {
    let env = TestEnv::initialised();
    env.write("kept", "kept");
    env.undo("commit -m one").ok();
    let first: BTreeSet<PathBuf> = files(&env).into_iter().collect();
    env.write("lost", "lost");
    env.undo("commit -m two").ok();
    let packs = env.path().join(".undo/packs");
    let pack = files(&env).into_iter().find(|file| file.starts_with(&packs) && !first.contains(file)).unwrap();
    fs::remove_file(pack).unwrap();
    env.undo("verify").shows(str![[r#"
damaged pack: pack `[ROOT]/work/.undo/packs/[..]/[ID]` is missing
damaged commit [ID]: commit `[ID]` is missing: pack `[ROOT]/work/.undo/packs/[..]/[ID]` is missing
1 commit, 3 objects, 2 packs, 486 B read; 2 problems found
---- stderr ----
hint: everything not listed is intact; to recover what can be recovered: undo repair
[exit 5]

"#]]);
}

/// Returns whether damage of a file is harmless: caches, settings, staging, and informational text.
const HARMLESS: [&str; 7] = [".gitignore", "index", "catalog", "config.toml", "reserve", "lock", "clock"];

#[test]
fn damage_of_any_file_is_detected_or_harmless() {
    let (env, trees) = create_repository();
    let repository = env.path().join(".undo");
    let newest = fs::read_dir(repository.join("journal")).unwrap().map(|entry| entry.unwrap().path()).max().unwrap();
    let oldest = repository.join("journal/00000001");
    for file in files(&env) {
        let good = fs::read(&file).unwrap();
        let name = file.file_name().unwrap().to_str().unwrap();
        for way in WAYS {
            if good.is_empty() {
                continue;
            }
            damage(&file, way);
            let output = env.undo("verify");
            let what = format!("{}: {way}: {output}", file.display());
            let is_harmless = HARMLESS.contains(&name)
                // Indistinguishable from a torn write or a shortened history.
                || file == newest && matches!(way, "cut" | "deleted")
                || file == oldest && way == "deleted";
            assert!(output.code == if is_harmless { 0 } else { 5 }, "{what}");
            if output.code == 5 && name != "format" {
                let text = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
                assert!(text.contains(name), "{what}");
            } else if output.code == 0 && file != newest && way == "middle byte" {
                for (tag, tree) in &trees {
                    let to = env.root().join("copy");
                    env.undo(&format!("export {tag} {}", to.display())).ok();
                    assert_same(tree, &Tree::read(&to));
                    fs::remove_dir_all(to).unwrap();
                }
            }
            fs::write(&file, &good).unwrap();
        }
    }
    assert_eq!(listed(&env), Vec::<Value>::new(), "the repository is not clean");
}

/// Returns the findings of the library.
fn found(env: &TestEnv) -> undo::error::Result<(Vec<String>, Vec<String>)> {
    let repository = Repository::discover(&env.path(), Environment::from_process())?;
    let (mut damage, mut superfluous) = (Vec::new(), Vec::new());
    let outcome = verify(
        &repository,
        &mut |finding| {
            match finding {
                Finding::Damage(it) => damage.push(format!("{}: {}", it.what, it.error)),
                Finding::UnneededFile(file) => superfluous.push(format!("{}: {}", file.what, file.path.display())),
            }
            Ok(())
        },
        &Silent,
    )?;
    assert_eq!(outcome.damaged, damage.len() as u64);
    Ok((damage, superfluous))
}

#[test]
fn flipped_bytes_in_packs_and_journal_are_detected() {
    let env = TestEnv::initialised();
    env.write("notes.txt", "one\n");
    env.write("noise", noise(5, 400));
    fs::hard_link(env.path().join("noise"), env.path().join("other")).unwrap();
    env.undo("commit -m one").ok();
    env.write("notes.txt", "two\n");
    env.undo("commit -m two").ok();
    for file in files(&env)
        .iter()
        .filter(|file| file.components().any(|part| ["packs", "journal"].contains(&part.as_os_str().to_str().unwrap())))
    {
        let good = fs::read(file).unwrap();
        for at in 0..good.len() {
            let mut bad = good.clone();
            bad[at] ^= 1 << (at % 8);
            fs::write(file, &bad).unwrap();
            // An unreadable journal cannot be opened.
            let is_found =
                found(&env).map_or_else(|error| error.kind().exit().0 == 5, |(damage, _)| !damage.is_empty());
            assert!(is_found, "byte {at} of {}", file.display());
        }
        fs::write(file, &good).unwrap();
    }
    assert_eq!(found(&env).unwrap().0, Vec::<String>::new());
}

#[test]
fn superfluous_files_are_reported_but_not_damage() {
    let env = TestEnv::initialised();
    env.write("notes.txt", "one\n");
    env.undo("commit -m one").ok();
    let repository = env.path().join(".undo");
    let pack = repository.join("packs/ab").join("ab".repeat(32));
    fs::create_dir_all(pack.parent().unwrap()).unwrap();
    for file in
        [pack, repository.join("tmp/pack-1-1"), repository.join("journal/00000002.tmp"), repository.join("index.tmp")]
    {
        fs::write(file, "left").unwrap();
    }
    fs::write(repository.join("catalog"), noise(1, 5000)).unwrap();
    env.undo("verify").ok().shows(str![[r#"
no damage found: 1 commit, 3 objects, 1 pack, [..] B read

"#]]);
    env.undo("verify -v").ok().shows(str![[r#"
unneeded: [ROOT]/work/.undo/catalog  unsound catalog, 4.88 KiB
unneeded: [ROOT]/work/.undo/packs/ab/[ID]  pack that the journal does not name, 4 B
unneeded: [ROOT]/work/.undo/tmp/pack-1-1  staged file, 4 B
unneeded: [ROOT]/work/.undo/journal/[..].tmp  staged file, 4 B
unneeded: [ROOT]/work/.undo/index.tmp  staged file, 4 B
no damage found: 1 commit, 3 objects, 1 pack, [..] B read

"#]]);
}

/// Applies `edit` to the newest commit, and makes the result the newest commit.
fn forge(env: &TestEnv, edit: impl FnOnce(&Repository, &mut Commit, &mut Writer<'_>)) {
    let mut repository = Repository::discover(&env.path(), Environment::from_process()).unwrap();
    let mut transaction = repository.begin().unwrap();
    let at = transaction.repository().view().at().unwrap();
    let (id, stored): (CommitId, _) = {
        let repository = transaction.repository();
        let mut commit = repository.store().commit(at).unwrap();
        commit.parents = vec![at];
        let session = repository.store().session();
        let mut writer = session.writer();
        edit(repository, &mut commit, &mut writer);
        let id = Transaction::put_commit(&mut writer, &commit).unwrap();
        writer.finish().unwrap();
        (id, session.finish().unwrap())
    };
    let edits = vec![RefEdit { name: RefName::Branch("main".into()), old: Some(at), new: Some(id) }];
    let new_operation =
        NewOperation { verb: "forge".into(), edits, commits: vec![id], stored, ..NewOperation::default() };
    transaction.record(new_operation).unwrap();
}

/// Stores the root tree with one entry changed.
fn with_root(repository: &Repository, commit: &mut Commit, writer: &mut Writer<'_>, edit: impl FnOnce(&mut Directory)) {
    let mut tree = repository.store().tree(commit.root.tree().unwrap()).unwrap();
    edit(&mut tree);
    let id = tree.save(|id, bytes| writer.put(ObjectKind::Tree, id.object_id(), &bytes).map(drop)).unwrap();
    let Content::Directory { tree, .. } = &mut commit.root.content else { panic!("the root is not a directory") };
    *tree = id;
}

fn content<'t>(tree: &'t mut Directory, name: &str) -> &'t mut Content {
    &mut tree.entries.iter_mut().find(|entry| entry.name == name.as_bytes()).unwrap().content
}

#[track_caller]
fn assert_single_finding(env: &TestEnv, part: &str) {
    let (damage, _) = found(env).unwrap();
    assert!(damage.len() == 1 && damage[0].contains(part), "{damage:?}");
}

fn small() -> TestEnv {
    let env = TestEnv::initialised();
    env.write("file", "one\n");
    env.write("folder/in", "in it");
    env.undo("commit -m one").ok();
    env
}

#[test]
fn wrong_counts_with_valid_checksums_are_detected() {
    let env = small();
    forge(&env, |_, commit, _| commit.totals.files += 1);
    assert_single_finding(&env, "commit: the totals of the commit differ from those of its tree");

    let env = small();
    forge(&env, |_, commit, _| {
        let Content::Directory { entries, .. } = &mut commit.root.content else {
            panic!("the root is not a directory")
        };
        *entries += 1;
    });
    assert_single_finding(&env, "has 3 entries of 9 bytes, but its entry states 4 of 9");

    let env = small();
    forge(&env, |repository, commit, writer| {
        with_root(repository, commit, writer, |tree| {
            let Content::File { size, .. } = content(tree, "file") else { panic!("expected a file") };
            *size += 1;
        });
    });
    assert_single_finding(&env, "has 4 bytes, but its entry states 5");

    let env = small();
    forge(&env, |repository, commit, writer| {
        with_root(repository, commit, writer, |tree| {
            let Content::Directory { size, .. } = content(tree, "folder") else { panic!("expected a folder") };
            *size -= 1;
        });
    });
    assert_single_finding(&env, "has 1 entries of 5 bytes, but its entry states 1 of 4");
}

#[test]
fn missing_objects_and_wrong_blobs_are_detected() {
    let env = small();
    forge(&env, |repository, commit, writer| {
        with_root(repository, commit, writer, |tree| {
            let Content::File { blob, .. } = content(tree, "file") else { panic!("expected a file") };
            *blob = BlobId([7; 32]);
        });
    });
    assert_single_finding(&env, "is missing");

    let env = small();
    let (one, two) = (noise(1, 3000), noise(2, 3000));
    let piece = |bytes: &[u8]| Piece::Chunk { id: ChunkId(id_of(ObjectKind::Data, bytes).0), length: 3000 };
    let right = BlobId(*blake3::hash(&[one.clone(), two.clone()].concat()).as_bytes());
    forge(&env, |repository, commit, writer| {
        for bytes in [&one, &two] {
            writer.put(ObjectKind::Data, id_of(ObjectKind::Data, bytes), bytes).unwrap();
        }
        let layout = Layout { pieces: vec![piece(&two), piece(&one)], ..Layout::default() };
        let root = layout.save(right, |_, _| unreachable!("it is short")).unwrap();
        writer.put(ObjectKind::Layout, right.object_id(), &root).unwrap();
        with_root(repository, commit, writer, |tree| {
            *content(tree, "file") = Content::File { blob: right, size: 6000 };
        });
        let Content::Directory { size, .. } = &mut commit.root.content else { panic!("the root is not a directory") };
        *size = 6005;
        commit.totals.bytes = 6005;
    });
    assert_single_finding(&env, "does not match its id");
}

#[test]
fn verify_writes_nothing() {
    let (env, _) = create_repository();
    let before = Tree::read(&env.path().join(".undo"));
    env.undo("verify").ok();
    assert_same(&before, &Tree::read(&env.path().join(".undo")));
    if std::process::Command::new("strace").arg("-V").output().is_err() {
        skip("strace is not installed");
        return;
    }
    let log = env.root().join("trace");
    let calls = "openat,open,creat,write,pwrite64,pwritev2,writev,ftruncate,truncate,unlink,unlinkat,rename,renameat,renameat2,\
                 mkdir,mkdirat,fchmod,fchmodat,fchown,fchownat,utimensat,setxattr,fsetxattr,link,linkat,symlinkat,\
                 fallocate,flock,fsync,fdatasync";
    let mut strace = env.command("strace");
    strace.args(["-f", "-y", "-qq", "-e", &format!("trace={calls}"), "-o"]).arg(&log);
    assert!(strace.arg(env!("CARGO_BIN_EXE_undo")).args(["verify", "-v"]).output().unwrap().status.success());
    let text = fs::read_to_string(&log).unwrap();
    let is_on_repository = |line: &&str| line.contains(env.path().to_str().unwrap());
    // The end of a call that another thread interrupted adds no information. Readers hold a shared lock.
    let is_reading = |line: &str| {
        line.contains(" resumed>") || line.contains("LOCK_SH") || line.contains("O_RDONLY") && !line.contains("O_CREAT")
    };
    let written: Vec<&str> = text.lines().filter(is_on_repository).filter(|line| !is_reading(line)).collect();
    assert!(text.lines().filter(is_on_repository).count() > 10, "{text}");
    assert_eq!(written, Vec::<&str>::new());
}
