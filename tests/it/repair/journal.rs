//! `repair` makes a damaged journal usable again, and restores commits that a shortened journal no longer names.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use snapbox::str;

use super::{assert_exported, copy_repository, create_repository, restore_repository};
use crate::crash::recovery::FAMILIES;
use crate::crash::{calls, has_strace, killed_at, selected};
use crate::env::TestEnv;
use crate::errors::damage::packs;
use crate::tree::Tree;

fn journal(env: &TestEnv) -> PathBuf {
    env.path().join(".undo/journal/00000001")
}

/// Three commits of one file.
fn three_commits() -> TestEnv {
    let env = TestEnv::initialised();
    for n in 1..4 {
        env.write("f", format!("{n}\n"));
        env.undo(&format!("commit -m c{n}")).ok();
    }
    env
}

/// Checks that the repository can be written, and that it has these commits.
#[track_caller]
fn assert_usable(env: &TestEnv, messages: &[&str], what: &str) {
    let verified = env.undo("verify");
    assert_eq!(verified.code, 0, "{what}: {verified}");
    let log = env.undo("log --format=%s");
    assert_eq!(log.code, 0, "{what}: {log}");
    let text = log.text();
    for message in messages {
        assert_eq!(text.lines().filter(|line| line == message).count(), 1, "{what}: {message}: {log}");
    }
    env.write("new", what);
    env.undo("commit -m new").ok();
    env.undo("op log").ok();
    let oldest = env.undo("log --format=%H").ok().text().lines().last().unwrap().to_owned();
    env.undo(&format!("checkout {oldest}")).ok();
    env.undo("undo").ok();
    assert_eq!(fs::read_to_string(env.path().join("new")).unwrap(), what);
    env.undo("verify").ok();
}

#[test]
fn repair_ends_the_journal_behind_garbage() {
    let env = three_commits();
    let path = journal(&env);
    let damaged = [fs::read(&path).unwrap(), b"garbage".to_vec()].concat();
    fs::write(&path, &damaged).unwrap();
    env.undo("commit").shows(str![[r#"
---- stderr ----
warning: the newest history may be missing: `[ROOT]/work/.undo/journal/[ID]` is damaged at byte [..]: no record
error: the newest history may be missing: `[ROOT]/work/.undo/journal/[ID]` is damaged at byte [..]: no record
hint: reading still works; to keep every intact record and write again: undo repair
[exit 5]

"#]]);
    env.undo("repair -n").shows(str![[r#"
recovered journal: `[ROOT]/work/.undo/journal/[ID]` is damaged at byte [..]: no record
damaged journal: operations may be missing
journal: would be made writable again
1 problem left
---- stderr ----
warning: the newest history may be missing: `[ROOT]/work/.undo/journal/[ID]` is damaged at byte [..]: no record
hint: everything not listed is intact; if there is a copy of this repository: undo repair --from DIR
[exit 5]

"#]]);
    assert_eq!(fs::read(&path).unwrap(), damaged);
    env.undo("repair").shows(str![[r#"
recovered journal: `[ROOT]/work/.undo/journal/[ID]` is damaged at byte [..]: no record
damaged journal: operations may be missing; the damaged file is kept as `[ROOT]/work/.undo/journal/[ID].damaged`
journal: made writable again
1 problem left
---- stderr ----
hint: everything not listed is intact; if there is a copy of this repository: undo repair --from DIR
[exit 5]

"#]]);
    assert_eq!(fs::read(path.with_extension("damaged")).unwrap(), damaged);
    env.undo("repair").ok().shows(str![[r#"
no damage found: nothing to repair

"#]]);
    assert_usable(&env, &["c1", "c2", "c3"], "garbage");
}

/// Offsets at which records of a segment start.
fn records(bytes: &[u8]) -> Vec<usize> {
    bytes.windows(4).enumerate().filter(|(_, window)| window == b"urec").map(|(at, _)| at).collect()
}

/// Offsets at which operations of a segment start.
fn operations(bytes: &[u8]) -> Vec<usize> {
    records(bytes).into_iter().filter(|at| bytes[at + 4] == 2).collect()
}

#[test]
fn any_damaged_byte_of_a_journal_can_be_repaired() {
    let env = three_commits();
    let saved = copy_repository(&env);
    let good = fs::read(journal(&env)).unwrap();
    let starts = records(&good);
    assert_eq!(operations(&good).len(), 3);
    for (n, start) in starts.iter().enumerate() {
        let end = starts.get(n + 1).copied().unwrap_or(good.len());
        for at in [*start, start + 6, start + 14, (start + end) / 2, end - 1] {
            restore_repository(&env, &saved);
            let mut bytes = good.clone();
            bytes[at] ^= 0x40;
            fs::write(journal(&env), &bytes).unwrap();
            let what = format!("record {n}, byte {at}");
            let repaired = env.undo("repair");
            // A new repository has the state of the first checkpoint.
            assert_eq!(repaired.code, if n == 0 { 0 } else { 5 }, "{what}: {repaired}");
            // Packs have the commits of a lost record.
            assert_usable(&env, &["c1", "c2", "c3"], &what);
            let main = env.undo("log --format=%s main").ok().text();
            assert!(n + 1 == starts.len() || main.contains("c3"), "{what}: {main}");
        }
    }
    for at in [0, 9, 15, 22] {
        restore_repository(&env, &saved);
        let mut bytes = good.clone();
        bytes[at] ^= 0x40;
        fs::write(journal(&env), &bytes).unwrap();
        assert!([0, 5].contains(&env.undo("repair").code), "{at}");
        assert_usable(&env, &["c1", "c2", "c3"], &format!("header, byte {at}"));
    }
}

#[test]
fn operations_behind_a_lost_one_stay() {
    let env = three_commits();
    env.undo("tag kept").ok();
    env.undo("undo").ok();
    env.undo("redo").ok();
    let mut bytes = fs::read(journal(&env)).unwrap();
    // The second commit.
    let at = operations(&bytes)[1] + 30;
    bytes[at] ^= 1;
    fs::write(journal(&env), &bytes).unwrap();
    env.undo("repair").fails(5);
    assert_eq!(env.undo("log --format=%s kept").ok().text().lines().next(), Some("c3"));
    let operations = env.undo("op log").ok();
    // Two commits, a tag, its removal and its return, and the repair.
    assert_eq!(operations.text().lines().count(), 6, "{operations}");
    assert_usable(&env, &["c1", "c2", "c3"], "lost operation");
}

#[test]
fn repair_of_an_emptied_journal_restores_all_commits() {
    for content in [Vec::new(), vec![0; 700], b"garbage".to_vec()] {
        let env = three_commits();
        fs::write(journal(&env), &content).unwrap();
        env.undo("log").fails(5);
        env.undo("repair").fails(5);
        assert_usable(&env, &["c1", "c2", "c3"], &format!("{} bytes", content.len()));
    }
}

#[test]
fn second_damage_keeps_both_files() {
    let env = three_commits();
    for n in 0..2 {
        let damaged = [fs::read(journal(&env)).unwrap(), format!("garbage {n}").into_bytes()].concat();
        fs::write(journal(&env), damaged).unwrap();
        env.undo("repair").fails(5);
        env.undo(&format!("tag v{n}")).ok();
    }
    let kept =
        |name: &str| String::from_utf8_lossy(&fs::read(journal(&env).with_file_name(name)).unwrap()).into_owned();
    assert!(kept("00000001.damaged").ends_with("garbage 0"));
    assert!(kept("00000001.damaged-2").ends_with("garbage 1"));
}

fn truncate(path: &Path, length: u64) {
    fs::File::options().write(true).open(path).unwrap().set_len(length).unwrap();
}

#[test]
fn commits_of_a_truncated_journal_are_reported_kept_and_restored() {
    let env = three_commits();
    truncate(&journal(&env), 100);
    env.undo("verify").ok().shows(str![[r#"
no damage found: 0 commits, 0 objects, 0 packs, 0 B read
3 commits in packs that the journal does not name: a killed command left them, or the journal was cut off
---- stderr ----
hint: to restore these commits, outside the branches: undo repair

"#]]);
    let stats = env.undo("stats").ok().text();
    assert!(stats.contains("3 files, 3 of them with commits that the journal does not name"), "{stats}");
    // For a week, garbage collection deletes none of them.
    let before = packs(&env);
    let set_age = |days: u64| {
        let time = SystemTime::now() - Duration::from_secs(days * 24 * 3600 + 60);
        before.iter().for_each(|pack| fs::File::open(pack).unwrap().set_modified(time).unwrap());
    };
    set_age(6);
    env.undo("gc").ok();
    assert_eq!(packs(&env), before);
    let saved = copy_repository(&env);
    set_age(7);
    env.undo("gc").ok();
    assert_eq!(packs(&env), Vec::<PathBuf>::new());
    restore_repository(&env, &saved);
    env.undo("repair -n").ok().shows(str![[r#"
3 commits would be restored
nothing is lost

"#]]);
    env.undo("repair").ok().shows(str![[r#"
3 commits restored
nothing is lost
---- stderr ----
hint: the restored commits are in no branch; to see them: undo log

"#]]);
    assert_usable(&env, &["c1", "c2", "c3"], "truncated");
}

#[test]
fn incomplete_commits_are_not_restored() {
    let env = three_commits();
    let first = env.undo("log --format=%H -n 1 @~2").ok().text();
    truncate(&journal(&env), 100);
    // The pack of the second commit is gone, so that the third one lacks its parent.
    let mut by_time = packs(&env);
    by_time.sort_by_key(|pack| fs::metadata(pack).unwrap().modified().unwrap());
    fs::remove_file(&by_time[1]).unwrap();
    env.undo("repair").ok();
    assert_eq!(env.undo("log --format=%H").ok().text(), first);
    env.undo("verify").ok();
}

#[test]
fn journal_repair_killed_at_any_call_can_be_repeated() {
    if !has_strace() {
        return;
    }
    let (env, trees) = create_repository();
    let saved = copy_repository(&env);
    let break_it = |salt: usize| {
        restore_repository(&env, &saved);
        let mut bytes = fs::read(journal(&env)).unwrap();
        match salt % 2 {
            0 => bytes.extend_from_slice(b"garbage"),
            _ => {
                let at = operations(&bytes)[0] + 40;
                bytes[at] ^= 1;
            }
        }
        fs::write(journal(&env), bytes).unwrap();
    };
    let mut kills = 0;
    for (n, family) in FAMILIES.iter().enumerate() {
        break_it(n);
        let calls = calls(&env, family, &["repair"], 5);
        for (call, at) in selected(calls, n) {
            break_it(n);
            let damaged = fs::read(journal(&env)).unwrap();
            kills += usize::from(killed_at(&env, &call, at, &["repair"]));
            let what = format!("killed at {call} {at}");
            let repaired = env.undo("repair");
            assert!([0, 5].contains(&repaired.code), "{what}: {repaired}");
            assert_eq!(fs::read(journal(&env).with_extension("damaged")).unwrap(), damaged, "{what}");
            assert!(!journal(&env).with_extension("damaged-2").exists(), "{what}");
            trees.iter().for_each(|(tag, tree)| assert_exported(&env, tag, tree, false, &what));
            let before = Tree::read(&env.path());
            env.undo("verify").ok();
            crate::tree::assert_same(&before, &Tree::read(&env.path()));
            env.undo("commit -m more").ok();
        }
    }
    assert!(kills > 5, "{kills}");
}
