//! `repair` recovers what can be recovered, says what is lost, and removes nothing that can be read.

mod journal;

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use serde_json::Value;
use snapbox::str;
use undo::environment::Environment;
use undo::progress::Silent;
use undo::workspace::{Finding, RepairOptions, RepairOutcome, Workspace};

use crate::crash::recovery::FAMILIES;
use crate::crash::{calls, has_strace, killed_at, selected};
use crate::env::{Output, TestEnv};
use crate::errors::damage::{WAYS, damage, packs};
use crate::errors::noise;
use crate::tree::{Tree, assert_same};
use crate::verify::files;

/// Two commits with their trees: a large file of which the second one changes a chunk, a deleted file, hard links, a
/// directory that stays, and a message for each. The worktree matches the second one.
fn create_repository() -> (TestEnv, Vec<(&'static str, Tree)>) {
    let env = TestEnv::initialised();
    for n in 0..6 {
        env.write(&format!("folder/{n}"), format!("{n}\n").repeat(100));
    }
    env.write("large", noise(1, 1_500_000));
    env.write("deleted", noise(2, 90_000));
    fs::hard_link(env.path().join("deleted"), env.path().join("linked")).unwrap();
    env.undo("commit -m one").ok();
    env.undo("tag one").ok();
    let one = Tree::read(&env.path());
    fs::remove_file(env.path().join("deleted")).unwrap();
    fs::remove_file(env.path().join("linked")).unwrap();
    env.write("large", [noise(1, 1_000_000), noise(3, 500_000)].concat());
    env.write("folder/3", "changed\n");
    env.undo("commit -m two").ok();
    env.undo("tag two").ok();
    let trees = vec![("one", one), ("two", Tree::read(&env.path()))];
    (env, trees)
}

/// Replaces the repository by a copy.
fn restore_repository(env: &TestEnv, copy: &PathBuf) {
    let repository = env.path().join(".undo");
    fs::remove_dir_all(&repository).unwrap();
    assert!(Command::new("cp").arg("-a").arg(copy).arg(&repository).status().unwrap().success());
}

/// Copies a repository to `copy` beside the worktree.
fn copy_repository(env: &TestEnv) -> PathBuf {
    let to = env.root().join("copy");
    let copied = Command::new("cp").arg("-a").arg(env.path().join(".undo")).arg(&to).status().unwrap();
    assert!(copied.success());
    to
}

/// Checks that `verify` agrees with `repair`, and that a second repair changes nothing. Returns the summary.
#[track_caller]
fn assert_consistent(env: &TestEnv, repaired: &Output, what: &str) -> Value {
    assert!([0, 5].contains(&repaired.code), "{what}: {repaired}");
    let summary = repaired.json().pop().unwrap();
    let verified = env.undo("verify --json");
    assert_eq!(verified.code, repaired.code, "{what}: {repaired}{verified}");
    let operations = env.undo("op log --json").ok().json().len();
    let again = env.undo("repair --json");
    assert_eq!(again.code, repaired.code, "{what}: {again}");
    let second = again.json().pop().unwrap();
    assert_eq!((&second["id"], &second["salvaged"]), (&"".into(), &0.into()), "{what}: {repaired}{again}");
    assert_eq!(env.undo("op log --json").ok().json().len(), operations, "{what}");
    summary
}

/// Checks that a commit is exported exactly; with `is_partial`, it may be reported as damaged.
#[track_caller]
fn assert_exported(env: &TestEnv, tag: &str, tree: &Tree, is_partial: bool, what: &str) {
    let to = env.root().join("export");
    let exported = env.undo(&format!("export {tag} {}", to.display()));
    println!("{what}: {exported}");
    match exported.code {
        0 => assert_same(tree, &Tree::read(&to)),
        code => assert!(is_partial && [3, 5].contains(&code), "{what}: {exported}"),
    }
    let _ = fs::remove_dir_all(to);
}

#[test]
fn repair_of_an_intact_repository_changes_nothing() {
    let (env, _) = create_repository();
    let before = Tree::read(&env.path());
    env.undo("repair").ok().shows(str![[r#"
no damage found: nothing to repair

"#]]);
    env.undo("repair -n").ok().shows(str![[r#"
no damage found: nothing to repair

"#]]);
    env.undo("repair --json").ok().shows(str![[r#"
{"type":"summary","id":"","salvaged":0,"copied":0,"from_worktree":0,"bytes_stored":0,"packs_replaced":0,"commits":0,"journal":false,"mask":false,"catalog":false,"index":false,"damaged":0,"clean":true}

"#]]);
    assert_same(&before, &Tree::read(&env.path()));
    env.undo("repair --from nowhere").fails(10);
}

#[test]
fn damage_of_any_file_is_repaired_or_reported() {
    let (env, trees) = create_repository();
    let repository = env.path().join(".undo");
    let saved = copy_repository(&env);
    for file in files(&env) {
        for way in WAYS {
            let is_part = |name| file.starts_with(repository.join(name));
            if !["packs", "journal", "index"].into_iter().any(is_part) {
                continue;
            }
            damage(&file, way);
            let what = format!("{}: {way}", file.display());
            if file.starts_with(repository.join("journal")) {
                assert!([0, 5].contains(&env.undo("repair").code), "{what}");
                if way != "deleted" {
                    env.undo("commit -m more").ok();
                    env.undo("verify").ok();
                }
            } else {
                let repaired = env.undo("repair --json");
                assert_consistent(&env, &repaired, &what);
                for (tag, tree) in &trees {
                    assert_exported(&env, tag, tree, repaired.code == 5, &what);
                }
                if repaired.code == 5 {
                    let again = env.undo(&format!("repair --json --from {}", saved.display()));
                    assert_eq!(again.code, 0, "{what}: {again}");
                    assert_consistent(&env, &again, &what);
                    trees.iter().for_each(|(tag, tree)| assert_exported(&env, tag, tree, false, &what));
                }
            }
            restore_repository(&env, &saved);
        }
    }
}

/// Repairs in this process.
fn repair(env: &TestEnv, from: &[PathBuf]) -> RepairOutcome {
    let mut workspace = Workspace::open(env.path(), Environment::from_process()).unwrap();
    workspace.repair(&RepairOptions { from: from.to_vec(), dry_run: false }, &Silent).unwrap()
}

/// The damage that `verify` finds.
fn verified(env: &TestEnv) -> Vec<String> {
    let workspace = Workspace::open(env.path(), Environment::from_process()).unwrap();
    let mut found = Vec::new();
    let mut each = |finding| {
        if let Finding::Damage(damage) = finding {
            found.push(format!("{}: {}", damage.what, damage.error));
        }
        Ok(())
    };
    workspace.verify(&mut each, &Silent).unwrap();
    found
}

#[test]
fn any_damaged_byte_of_a_pack_is_repaired_or_reported_exactly() {
    let (env, trees) = create_repository();
    let saved = copy_repository(&env);
    // So that nothing comes from the worktree.
    for name in ["large", "folder/1", "folder/3"] {
        env.write(name, "something else");
    }
    let (mut clean, mut partial) = (0, 0);
    for pack in packs(&env) {
        let good = fs::read(&pack).unwrap();
        // Every byte of the table and of small packs, a sample of the frames.
        let table = good.windows(8).position(|window| window == b"undotabl").unwrap();
        let step = |at: &usize| {
            at.is_multiple_of(if *at < table { 170_021 } else { 29 }) || good.len() < 2000 && at.is_multiple_of(41)
        };
        for at in (0..good.len()).filter(step) {
            let mut bad = good.clone();
            bad[at] ^= 0x20;
            fs::write(&pack, &bad).unwrap();
            let what = format!("byte {at} of {} in {}, table at {table}", good.len(), pack.display());
            let outcome = repair(&env, &[]);
            assert_eq!(outcome.lost.is_empty(), verified(&env).is_empty(), "{what}: {outcome:?}");
            if outcome.lost.is_empty() {
                clean += 1;
            } else {
                partial += 1;
                let lost: Vec<_> = outcome.lost.iter().map(|damage| (damage.what, damage.error.to_string())).collect();
                assert!(at < table, "{what}: damage of the table must lose nothing: {lost:?}");
                let outcome = repair(&env, std::slice::from_ref(&saved));
                assert!(outcome.lost.is_empty(), "{what}: {outcome:?}");
                assert_eq!(verified(&env), Vec::<String>::new(), "{what}");
            }
            restore_repository(&env, &saved);
        }
    }
    println!("{clean} repaired, {partial} partly");
    assert!(clean > 30 && partial > 5);
    trees.iter().for_each(|(tag, tree)| assert_exported(&env, tag, tree, false, "at the end"));
}

#[test]
fn repair_says_what_it_recovers_from_where_and_what_is_lost() {
    let (env, trees) = create_repository();
    let saved = copy_repository(&env);
    let pack = packs(&env).into_iter().max_by_key(|pack| fs::metadata(pack).unwrap().len()).unwrap();
    damage(&pack, "deleted");
    env.undo("repair -n").shows(str![[r#"
recovered folder/0 in [ID]: blob `[ID]`: data `[ID]` is missing: pack `[ROOT]/work/.undo/packs/[..]/[ID]` is missing
recovered folder/1 in [ID]: blob `[ID]`: data `[ID]` is missing: pack `[ROOT]/work/.undo/packs/[..]/[ID]` is missing
recovered folder/2 in [ID]: blob `[ID]`: data `[ID]` is missing: pack `[ROOT]/work/.undo/packs/[..]/[ID]` is missing
recovered folder/4 in [ID]: blob `[ID]`: data `[ID]` is missing: pack `[ROOT]/work/.undo/packs/[..]/[ID]` is missing
recovered folder/5 in [ID]: blob `[ID]`: data `[ID]` is missing: pack `[ROOT]/work/.undo/packs/[..]/[ID]` is missing
recovered large in [ID]: blob `[ID]`: data `[ID]` is missing: pack `[ROOT]/work/.undo/packs/[..]/[ID]` is missing
recovered large in [ID]: blob `[ID]`: data `[ID]` is missing: pack `[ROOT]/work/.undo/packs/[..]/[ID]` is missing
recovered large in [ID]: blob `[ID]`: data `[ID]` is missing: pack `[ROOT]/work/.undo/packs/[..]/[ID]` is missing
damaged commit [ID]: commit `[ID]` is missing: pack `[ROOT]/work/.undo/packs/[..]/[ID]` is missing
damaged pack: pack `[ROOT]/work/.undo/packs/[..]/[ID]` is missing
8 objects would be recovered: 8 from the directory
2 problems left
---- stderr ----
hint: everything not listed is intact; if there is a copy of this repository: undo repair --from DIR
[exit 5]

"#]]);
    env.undo("repair").shows(str![[r#"
recovered folder/0 in [ID]: blob `[ID]`: data `[ID]` is missing: pack `[ROOT]/work/.undo/packs/[..]/[ID]` is missing
recovered folder/1 in [ID]: blob `[ID]`: data `[ID]` is missing: pack `[ROOT]/work/.undo/packs/[..]/[ID]` is missing
recovered folder/2 in [ID]: blob `[ID]`: data `[ID]` is missing: pack `[ROOT]/work/.undo/packs/[..]/[ID]` is missing
recovered folder/4 in [ID]: blob `[ID]`: data `[ID]` is missing: pack `[ROOT]/work/.undo/packs/[..]/[ID]` is missing
recovered folder/5 in [ID]: blob `[ID]`: data `[ID]` is missing: pack `[ROOT]/work/.undo/packs/[..]/[ID]` is missing
recovered large in [ID]: blob `[ID]`: data `[ID]` is missing: pack `[ROOT]/work/.undo/packs/[..]/[ID]` is missing
recovered large in [ID]: blob `[ID]`: data `[ID]` is missing: pack `[ROOT]/work/.undo/packs/[..]/[ID]` is missing
recovered large in [ID]: blob `[ID]`: data `[ID]` is missing: pack `[ROOT]/work/.undo/packs/[..]/[ID]` is missing
damaged pack: pack `[ROOT]/work/.undo/packs/[..]/[ID]` is missing
damaged commit [ID]: commit `[ID]` is missing: pack `[ROOT]/work/.undo/packs/[..]/[ID]` is missing
8 objects recovered: 8 from the directory
2 problems left
---- stderr ----
hint: everything not listed is intact; if there is a copy of this repository: undo repair --from DIR
[exit 5]

"#]]);
    env.undo("op log -n 1").ok().shows(str![[r#"
@ [ID]  2026-01-05 08:06:00 (60 seconds ago)  repair: recovered 8 objects; 2 problems left

"#]]);
    env.undo("repair").shows(str![[r#"
damaged pack: pack `[ROOT]/work/.undo/packs/[..]/[ID]` is missing
damaged commit [ID]: commit `[ID]` is missing: pack `[ROOT]/work/.undo/packs/[..]/[ID]` is missing
2 problems left
---- stderr ----
hint: everything not listed is intact; if there is a copy of this repository: undo repair --from DIR
[exit 5]

"#]]);
    env.undo("repair --json --from ../copy").ok().shows(str![[r#"
{"type":"recovered","what":"commit","message":"commit `[ID]` is missing: pack `[ROOT]/work/.undo/packs/[..]/[ID]` is missing","id":"[ID]","pack":"","file":"","commit":"[ID]","paths":[]}
{"type":"recovered","what":"pack","message":"pack `[ROOT]/work/.undo/packs/[..]/[ID]` is missing","id":"","pack":"[ID]","file":"[ROOT]/work/.undo/packs/[..]/[ID]","commit":"","paths":[]}
{"type":"summary","id":"[ID]","salvaged":0,"copied":10,"from_worktree":0,"bytes_stored":[..],"packs_replaced":1,"commits":0,"journal":false,"mask":false,"catalog":false,"index":false,"damaged":0,"clean":true}

"#]]);
    env.undo("verify").ok();
    trees.iter().for_each(|(tag, tree)| assert_exported(&env, tag, tree, false, "with a copy"));
    // Like any operation, a repair can be undone; what it added stays.
    restore_repository(&env, &saved);
    damage(&packs(&env)[0], "first byte");
    env.undo("repair").ok();
    env.undo("undo").ok().shows(str![[r#"
undid [ID]  repair: recovered [..] objects
main [ID]  the directory is unchanged
---- stderr ----
hint: to redo: undo redo

"#]]);
    env.undo("verify").ok();
}

#[test]
fn only_lost_content_of_the_worktree_is_stored() {
    let (env, _) = create_repository();
    let objects = || env.undo("verify --json").json().pop().unwrap()["objects"].clone();
    env.write("unsaved", noise(7, 70_000));
    env.write("folder/new", noise(8, 70_000));
    let before = objects();
    let pack = packs(&env).into_iter().max_by_key(|pack| fs::metadata(pack).unwrap().len()).unwrap();
    damage(&pack, "middle byte");
    let summary = env.undo("repair --json").ok().json().pop().unwrap();
    assert_eq!((&summary["from_worktree"], &summary["copied"]), (&1.into(), &0.into()), "{summary}");
    assert_eq!(objects(), before);
}

#[test]
fn repair_killed_at_any_call_can_be_repeated() {
    if !has_strace() {
        return;
    }
    let (env, trees) = create_repository();
    let saved = copy_repository(&env);
    let newest = packs(&env).into_iter().min_by_key(|pack| fs::metadata(pack).unwrap().len()).unwrap();
    let largest = packs(&env).into_iter().max_by_key(|pack| fs::metadata(pack).unwrap().len()).unwrap();
    let break_it = |salt: usize| {
        restore_repository(&env, &saved);
        let _ = fs::remove_file(env.path().join(".undo/index"));
        damage(&largest, ["middle byte", "last byte", "first byte"][salt % 3]);
        damage(&newest, ["last byte", "middle byte", "deleted"][salt % 3]);
    };
    let mut kills = 0;
    for (n, family) in FAMILIES.iter().enumerate() {
        break_it(n);
        let calls = calls(&env, family, &["repair"], if n % 3 == 2 { 5 } else { 0 });
        for (call, at) in selected(calls, n) {
            break_it(n);
            kills += usize::from(killed_at(&env, &call, at, &["repair"]));
            let what = format!("killed at {call} {at}");
            let repaired = env.undo("repair --json");
            assert!([0, 5].contains(&repaired.code), "{what}: {repaired}");
            assert_eq!(env.undo("verify").code, repaired.code, "{what}: {repaired}");
            let again = env.undo("repair --json --from ../copy");
            assert_eq!(again.code, 0, "{what}: {again}");
            env.undo("verify").ok();
            trees.iter().for_each(|(tag, tree)| assert_exported(&env, tag, tree, false, &what));
            env.undo("commit -m more").ok();
        }
    }
    assert!(kills > 5, "{kills}");
}

#[test]
fn damaged_mask_is_determined_again() {
    let (env, trees) = create_repository();
    env.write("forgotten", noise(9, 200_000));
    env.undo("commit -m three").ok();
    let forgotten = env.undo("log -n 1 --json").ok().json()[0]["id"].as_str().unwrap().to_owned();
    fs::remove_file(env.path().join("forgotten")).unwrap();
    env.undo("commit -m four").ok();
    env.undo("forget @~").ok();
    // Little is dead, so no pack is rewritten.
    env.undo("gc --now").ok();
    let masks = || fs::read_dir(env.path().join(".undo/masks")).unwrap().map(|entry| entry.unwrap().path());
    let mask = masks().next().expect("the sweep writes a mask");
    let saved = copy_repository(&env);
    assert_ne!(env.undo(&format!("cat {forgotten}:forgotten")).code, 0);
    for way in WAYS {
        damage(&mask, way);
        for line in ["verify --json", "verify --quick --json"] {
            let lines = env.undo(line).fails(5).json();
            let [found, summary] = lines.as_slice() else { panic!("{way}: {line}: {lines:?}") };
            assert_eq!((&found["type"], &found["what"]), (&"damage".into(), &"mask".into()), "{way}: {line}");
            assert_eq!((&summary["damaged"], &summary["clean"]), (&1.into(), &false.into()), "{way}: {line}");
        }
        assert!(env.undo("verify").fails(5).text().contains("1 problem found"), "{way}");
        env.undo("repair -n").ok().shows(str![[r#"
recovered mask: [..]
mask: would be determined again
nothing is lost
---- stderr ----
warning: mask `[..]

"#]]);
        env.undo("verify").fails(5);
        env.write("more", way);
        env.undo("commit -m refused").fails(5);
        let summary = env.undo("repair --json").ok().json().pop().unwrap();
        assert_eq!(summary["mask"], true, "{way}: {summary}");
        env.undo("verify").ok();
        assert_ne!(env.undo(&format!("cat {forgotten}:forgotten")).code, 0, "{way}: collected content can be read");
        env.undo("commit -m more").ok();
        trees.iter().for_each(|(tag, tree)| assert_exported(&env, tag, tree, false, way));
        restore_repository(&env, &saved);
        fs::remove_file(env.path().join("more")).unwrap();
    }
}

#[test]
fn purged_content_is_not_stored_again() {
    let (env, _) = create_repository();
    env.write("secret", noise(50, 30_000));
    env.undo("commit -m three").ok();
    env.undo("purge secret").ok();
    env.undo("gc --now").ok();
    let pack = packs(&env).into_iter().max_by_key(|pack| fs::metadata(pack).unwrap().len()).unwrap();
    damage(&pack, "middle byte");
    env.undo("repair").ok();
    let secret = &noise(50, 30_000)[..64];
    let is_secret = |pack: PathBuf| fs::read(pack).unwrap().windows(64).any(|window| window == secret);
    assert!(!packs(&env).into_iter().any(is_secret));
}
