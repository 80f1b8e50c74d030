//! `stats`: what the repository takes on disk, and growth over time.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::time::UNIX_EPOCH;

use snapbox::str;

use crate::env::TestEnv;
use crate::output::history;

/// Allocated bytes of a folder and everything in it, as `du` counts them.
fn allocated(path: &Path) -> u64 {
    let metadata = fs::symlink_metadata(path).unwrap();
    let below = |entry: std::io::Result<fs::DirEntry>| allocated(&entry.unwrap().path());
    let content: u64 = if metadata.is_dir() { fs::read_dir(path).unwrap().map(below).sum() } else { 0 };
    metadata.blocks() * 512 + content
}

#[test]
fn stats_transcript() {
    let env = history();
    env.undo("stats").shows(str![[r#"
8.[..] MiB on disk: [ROOT]/work/.undo
  packs [..]  3 packs, 13 objects
  index [..]
  journal [..]
  reserve  8.00 MiB  released when the disk is full
  other [..]  folders, settings, locks
3 commits
648 B in all commits, 575 B without repetitions (1.1 : 1); [..] compressed to [..] ([..] : 1)

"#]]);
    env.undo("stats --json").shows(str![[r#"
{"type":"stats","disk":{"total":[..],"packs":[..],"catalog":0,"index":[..],"journal":[..],"masks":0,"reserve":8388608,"staged":0,"unneeded":0,"other":[..]},"packs":3,"objects":13,"content_of_commits":648,"content":575,"raw":[..],"stored":[..],"deduplication":1.13,"compression":[..],"commits":{"kept":3,"automatic":0,"forgotten":0,"swept":0,"unreadable":0},"garbage":{"hidden":{"objects":0,"bytes":0,"purged_packs":0,"purged_bytes":0},"unneeded":{"files":0,"bytes":0},"forgotten":{"count":0,"bytes":0},"purged":{"count":0,"bytes":0}},"repository":"[ROOT]/work/.undo"}

"#]]);
    env.undo("stats --growth").shows(str![[r#"
2026-01-05  [..]  3 commits  ████████████████████████████████████████

"#]]);
    env.undo("stats --growth month --json").shows(str![[r#"
{"type":"growth","period":"month","start":"[TIME]","bytes":[..],"commits":3}
{"type":"summary","count":1}

"#]]);
    env.set("LANG", "C");
    env.undo("stats --growth week").shows(str![[r#"
2026-01-05  [..]  3 commits  ########################################

"#]]);
    let empty = TestEnv::initialised();
    empty.undo("stats").shows(str![[r#"
8.[..] MiB on disk: [ROOT]/work/.undo
  journal [..]
  reserve  8.00 MiB  released when the disk is full
  other [..]  folders, settings, locks
0 commits

"#]]);
    empty.undo("stats --growth").shows(str![[r#"
---- stderr ----
no commits

"#]]);
}

/// Bytes that do not compress.
fn noise(seed: u8) -> Vec<u8> {
    let mut bytes = vec![0; 10_000];
    blake3::Hasher::new_keyed(&[seed; 32]).finalize_xof().fill(&mut bytes);
    bytes
}

/// Four commits: `a/x` and `b/x` with the same content and time, then two changes of `a/x`, then a copy of it.
fn with_copies() -> TestEnv {
    let env = TestEnv::initialised();
    env.write("top", "text");
    env.write("a/x", noise(1));
    env.write("b/x", noise(1));
    // With the same time, `a` and `b` are the same tree.
    for path in ["a/x", "b/x"] {
        fs::File::open(env.path().join(path)).unwrap().set_modified(UNIX_EPOCH).unwrap();
    }
    env.undo("commit -m one").ok();
    for (seed, message) in [(2, "two"), (3, "three")] {
        env.write("a/x", noise(seed));
        env.undo(&format!("commit -m {message}")).ok();
    }
    env.write("c/x", noise(3));
    env.undo("commit -m copy").ok();
    env
}

#[test]
fn commits_have_the_bytes_that_neighbours_lack() {
    let env = with_copies();
    let costs = env.undo("stats --commits --json").ok().json();
    let of = |n: usize, key: &str| costs[n][key].as_u64().unwrap();
    assert_eq!((costs.len(), &costs[4]["count"]), (5, &4.into()));
    assert_eq!(costs[0]["message"], "copy");
    // Commit objects and trees are a few hundred bytes.
    for (n, own, shared) in [(0, 0, 20_000), (1, 0, 20_000), (2, 10_000, 10_000), (3, 0, 10_000)] {
        assert!((own..own + 1_500).contains(&of(n, "own")), "{n}: {costs:?}");
        assert!((shared..shared + 1_500).contains(&of(n, "shared")), "{n}: {costs:?}");
    }
    assert_eq!(env.undo("stats --commits 2 --json").ok().json(), [&costs[..2], &[end(2)]].concat());
    env.undo("stats --commits 1").shows(str![[r#"
[ID]  2026-01-05 08:04:00 [..] own   19.6 KiB shared  copy

"#]]);
}

fn end(count: u64) -> serde_json::Value {
    serde_json::json!({ "type": "summary", "count": count })
}

#[test]
fn paths_have_bytes_alone_and_shared() {
    let env = with_copies();
    let costs = env.undo("stats --paths --json").ok().json();
    let of = |path: &str, key: &str| {
        costs.iter().find(|cost| cost["path"] == path).unwrap_or_else(|| panic!("{path}: {costs:?}"))[key]
            .as_u64()
            .unwrap()
    };
    // `c/x` is the last version of `a/x`, and `b/x` the first one.
    for (path, alone, shared) in [("a", 10_000, 20_000), ("b", 0, 10_000), ("c", 0, 10_000), ("", 0, 0)] {
        assert!((alone..alone + 1_500).contains(&of(path, "alone")), "{path}: {costs:?}");
        assert!((shared..shared + 1_500).contains(&of(path, "shared")), "{path}: {costs:?}");
    }
    assert_eq!((&costs[0]["path"], &costs[4]), (&"a".into(), &end(4)));
    env.undo("stats --paths").shows(str![[r#"
 9.[..] KiB alone   19.6 KiB shared  a
[..] B alone        0 B shared  .
[..] B alone   9.7[..] KiB shared  c
      0 B alone   9.8[..] KiB shared  b

"#]]);
    env.write("a/below/y", noise(4));
    env.undo("commit").ok();
    let deeper = env.undo("stats --paths --depth 2 --json").ok().json();
    let paths: Vec<&str> = deeper.iter().filter_map(|cost| cost["path"].as_str()).collect();
    assert_eq!(paths.len(), 5, "{paths:?}");
    assert!(paths.contains(&"a/below") && paths.contains(&"a"), "{paths:?}");
    env.undo("stats --depth 2").fails(2);
    env.undo("stats --paths --growth").fails(2);
}

#[test]
fn commit_reports_the_growth_on_disk() {
    let env = TestEnv::initialised();
    // An old pack that the first merge deletes.
    let replaced = env.path().join(".undo/packs/ab").join("ab".repeat(32));
    env.write(&format!(".undo/packs/ab/{}", "ab".repeat(32)), vec![7; 1 << 20]);
    fs::File::options().write(true).open(replaced).unwrap().set_modified(UNIX_EPOCH).unwrap();
    let (mut before, mut merges, mut packs) = (allocated(&env.path().join(".undo")), 0, 0);
    let mut has_shrunk = false;
    for n in 0..40 {
        env.write(&format!("folder-{}/text-{n}", n % 7), format!("{n}").repeat(100 << (n % 7)));
        let commit = env.undo("commit --json").ok().json().remove(0);
        let after = allocated(&env.path().join(".undo"));
        assert_eq!(commit["disk_growth"].as_i64().unwrap(), after as i64 - before as i64, "{n}: {commit}");
        has_shrunk |= after < before;
        before = after;
        let now = env.undo("count-objects --json").ok().json().remove(0)["packs"].as_u64().unwrap();
        merges += usize::from(now < packs);
        packs = now;
    }
    assert!(merges > 0 && has_shrunk);
}

#[test]
fn parts_add_up_to_the_allocated_bytes() {
    let env = TestEnv::initialised();
    for n in 0..20 {
        env.write(&format!("folder-{n}/text"), format!("{n}").repeat(3000));
        env.undo("commit").ok();
    }
    fs::write(env.path().join(".undo/packs/stray"), vec![7; 10_000]).unwrap();
    fs::write(env.path().join(".undo/tmp/staged"), vec![7; 10_000]).unwrap();
    let stats = env.undo("stats --json").ok().json().remove(0);
    let parts: u64 = stats["disk"].as_object().unwrap().values().map(|bytes| bytes.as_u64().unwrap()).sum();
    let total = stats["disk"]["total"].as_u64().unwrap();
    assert_eq!(parts, 2 * total, "{stats}");
    assert_eq!(total, allocated(&env.path().join(".undo")), "{stats}");
    for part in ["packs", "index", "journal", "reserve", "unneeded", "staged", "other"] {
        assert!(stats["disk"][part].as_u64().unwrap() > 0, "{part}: {stats}");
    }
    assert_eq!(stats["commits"]["kept"], 20);
}

#[test]
fn replaced_files_are_deleted_at_a_time_or_by_the_next_command() {
    let env = history();
    let stray = env.path().join(".undo/packs/stray");
    fs::write(&stray, vec![7; 10_000]).unwrap();
    let later = env.undo("stats").ok().text();
    assert!(later.contains("1 file, deleted after 20"), "{later}");
    fs::File::options().write(true).open(stray).unwrap().set_modified(UNIX_EPOCH).unwrap();
    let now = env.undo("stats").ok().text();
    assert!(now.contains("1 file, deleted by the next command that writes\n"), "{now}");
}
