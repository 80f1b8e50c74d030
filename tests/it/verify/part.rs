//! `verify --quick`, `--sample` and `--max-time` check a part, and remember which.

use std::fs;

use serde_json::Value;
use snapbox::str;
use undo::internals::maintain::verify::{Deadline, Extent, verify_extent};

use super::*;

/// Four packs with incompressible files, some in several frames.
fn create_packs() -> TestEnv {
    let env = TestEnv::initialised();
    for n in 0..4 {
        for file in 0..8 {
            env.write(&format!("{n}/{file}"), noise(n * 10 + file, 70_000 + file as usize * 1000));
        }
        env.undo("commit -m more").ok();
    }
    env
}

fn packs(env: &TestEnv) -> Vec<PathBuf> {
    files(env).into_iter().filter(|file| file.starts_with(env.path().join(".undo/packs"))).collect()
}

fn summary(env: &TestEnv, line: &str) -> Value {
    env.undo(&format!("verify {line} --json")).json().pop().unwrap()
}

#[test]
fn quick_verification_finds_missing_objects_but_reads_no_content() {
    let env = create_packs();
    env.undo("verify --quick").ok().shows(str![[r#"
no damage found: 4 commits, 44 objects, 4 packs; packs not read

"#]]);
    let pack = packs(&env).into_iter().max_by_key(|pack| fs::metadata(pack).unwrap().len()).unwrap();
    let good = fs::read(&pack).unwrap();
    damage(&pack, "middle byte");
    env.undo("verify --quick").ok();
    env.undo("verify").fails(5);
    fs::write(&pack, &good).unwrap();
    for way in ["first byte", "last byte", "cut", "emptied", "zeroed", "deleted"] {
        damage(&pack, way);
        env.undo("verify --quick").fails(5);
        fs::write(&pack, &good).unwrap();
    }
    // The last table entry, which is metadata of the pack.
    let mut bad = good.clone();
    let at = bad.len() - 100;
    bad[at] ^= 1;
    fs::write(&pack, &bad).unwrap();
    env.undo("verify --quick").fails(5);
    fs::write(&pack, &good).unwrap();
    env.undo("verify --quick").ok();
    assert!(!env.path().join(".undo/checked").exists());
    env.undo("verify --quick --sample 5%").fails(2);
}

#[test]
fn twenty_samples_of_a_twentieth_read_everything() {
    let env = create_packs();
    let (mut read, mut last) = (0, u64::MAX);
    for run in 1..=20 {
        let summary = summary(&env, "--sample 5%");
        assert_eq!((&summary["clean"], &summary["extent"]), (&true.into(), &"part".into()));
        let (this, never) = (summary["read"].as_u64().unwrap(), summary["never_read"].as_u64().unwrap());
        assert!(this >= 1 && never < last, "run {run}: {summary}");
        // One frame for each pack that is read may exceed the share.
        assert!(summary["percent"].as_u64().unwrap() <= 12, "run {run}: {summary}");
        read += this;
        last = never;
        if never == 0 {
            break;
        }
    }
    assert_eq!(last, 0, "bytes were never read");
    let all: u64 = packs(&env).iter().map(|pack| fs::metadata(pack).unwrap().len()).sum();
    assert!(read > all * 9 / 10, "{read} of {all} bytes");
}

#[test]
fn samples_find_damage_within_one_round_and_report_it_again() {
    for n in 0..4 {
        let env = create_packs();
        let pack = packs(&env)[n].clone();
        let good = fs::read(&pack).unwrap();
        damage(&pack, "middle byte");
        let found = (0..20).position(|_| env.undo("verify --sample 5%").code == 5);
        assert!(found.is_some(), "{}", pack.display());
        env.undo("verify --sample 5%").fails(5);
        fs::write(&pack, good).unwrap();
        env.undo("verify --sample 5%").ok();
    }
}

#[test]
fn packs_read_longest_ago_are_read_first() {
    let env = create_packs();
    env.undo("verify --sample 100%").ok().shows(str![[r#"
no damage found: 4 commits, 44 objects, 4 packs; 100 % of the stored bytes read ([..]), all of them at least once

"#]]);
    env.write("new", noise(99, 70_000));
    env.undo("commit -m new").ok();
    let never = summary(&env, "--quick");
    assert_eq!((&never["read"], &never["percent"]), (&0.into(), &0.into()));
    // The new pack comes first, although its id may be the last one.
    assert_eq!(summary(&env, "--sample 5%")["never_read"], 0);
    // A damaged or missing memory only means that everything counts as never read.
    fs::write(env.path().join(".undo/checked"), "x").unwrap();
    assert!(summary(&env, "--sample 5%")["never_read"].as_u64().unwrap() > 1_000_000);
    fs::remove_file(env.path().join(".undo/checked")).unwrap();
    env.undo("verify --sample 0%").fails(2);
    env.undo("verify --sample 101%").fails(2);
    env.undo("verify --sample some").fails(2);
}

#[test]
fn deadline_stops_between_frames_and_next_run_continues() {
    let env = create_packs();
    let repository = Repository::discover(&env.path(), Environment::from_process()).unwrap();
    // Counts the questions: the objects of history come first, then the frames.
    let run = |most: usize| {
        let asked = std::sync::atomic::AtomicUsize::new(0);
        let is_over = || asked.fetch_add(1, std::sync::atomic::Ordering::Relaxed) >= most;
        let options = (Extent::Part(1.0), Deadline(Some(&is_over)));
        verify_extent(&repository, options, &mut |finding| panic!("{finding:?}"), &Silent).unwrap()
    };
    let nothing = run(0);
    assert_eq!((nothing.read, nothing.percent, nothing.followed), (0, 0, false));
    let objects = 45;
    let mut never = nothing.never_read;
    let mut runs = 0;
    while never > 0 {
        let outcome = run(objects + 3);
        assert!(outcome.followed && outcome.read > 0 && outcome.never_read < never, "{outcome:?}");
        never = outcome.never_read;
        runs += 1;
    }
    assert!(runs > 5, "{runs}");
    let env = create_packs();
    env.undo("verify --max-time 0s").fails(3).shows(str![[r#"
nothing was read in that time: 0 commits, 44 objects, 4 packs; 0 % of the stored bytes read (0 B), 2.25 MiB not yet
the time was too short to check that all objects exist
---- stderr ----
hint: give more time: undo verify --max-time 10m
[exit 3]

"#]]);
    assert_eq!(summary(&env, "--max-time 1h")["percent"], 100);
    env.undo("verify --max-time soon").fails(2);
}

#[test]
fn verification_without_time_says_that_it_read_nothing() {
    let env = create_packs();
    env.undo("verify --max-time 0s").shows(str![[r#"
nothing was read in that time: [..] commits, [..]; 0 % of the stored bytes read (0 B), [..] not yet
the time was too short to check that all objects exist
---- stderr ----
hint: give more time: undo verify --max-time 10m
[exit 3]

"#]]);
    env.undo("verify --max-time 10m").ok();
    env.undo("verify --max-time 0s").fails(3);
}
