//! Renames, with and without edits: how commands show them, what they cost, and how they compare with git.

use std::collections::BTreeMap;
use std::fs;

use snapbox::str;

use crate::cost;
use crate::env::TestEnv;
use crate::random::Random;
use crate::skip::skip;

/// Four lines of a text.
const TEXT: &str = "the first line\nthe second line\nthe third line\nthe fourth line\n";

fn rename(env: &TestEnv, from: &str, to: &str) {
    let to = env.path().join(to);
    fs::create_dir_all(to.parent().unwrap()).unwrap();
    fs::rename(env.path().join(from), to).unwrap();
}

fn edited() -> TestEnv {
    let env = TestEnv::initialised();
    env.write("old.txt", TEXT);
    env.write("moved/a", "one\n");
    env.write("moved/below/b", "two\n");
    env.write("split/c", "three\n");
    env.write("split/d", "four\n");
    env.undo("commit -m first").ok();
    rename(&env, "moved", "away");
    rename(&env, "split/c", "joined/c");
    rename(&env, "old.txt", "new.txt");
    env.write("new.txt", TEXT.replace("second", "2nd"));
    env
}

#[test]
fn renames_with_edits_transcript() {
    let env = edited();
    env.undo("status").shows(str![[r#"
on main at [ID], 60 seconds ago  first
  renamed   moved → away/  (3 entries)
  added     joined/
  renamed   split/c → joined/c
  renamed   old.txt → new.txt  (74% similar)
7 changes: 1 added, 6 renamed

"#]]);
    env.undo("status --no-renames").shows(str![[r#"
on main at [ID], 2 minutes ago  first
  added     away/  (3 entries)
  added     joined/  (1 entry)
  deleted   moved/  (3 entries)
  added     new.txt
  deleted   old.txt
  deleted   split/c
13 changes: 7 added, 6 deleted

"#]]);
    env.undo("status --json").shows(str![[r#"
{"type":"change","path":"away","status":"renamed","kind":"directory","what":[],"renamed_from":{"path":"moved"},"similarity":100}
{"type":"change","path":"away/a","status":"renamed","kind":"file","old_size":4,"size":4,"what":[],"renamed_from":{"path":"moved/a"},"similarity":100}
{"type":"change","path":"away/below","status":"renamed","kind":"directory","what":[],"renamed_from":{"path":"moved/below"},"similarity":100}
{"type":"change","path":"away/below/b","status":"renamed","kind":"file","old_size":4,"size":4,"what":[],"renamed_from":{"path":"moved/below/b"},"similarity":100}
{"type":"change","path":"joined","status":"added","kind":"directory","what":[]}
{"type":"change","path":"joined/c","status":"renamed","kind":"file","old_size":6,"size":6,"what":[],"renamed_from":{"path":"split/c"},"similarity":100}
{"type":"change","path":"new.txt","status":"renamed","kind":"file","old_size":62,"size":59,"what":["content"],"renamed_from":{"path":"old.txt"},"similarity":74}
{"type":"summary","clean":false,"added":1,"modified":0,"deleted":0,"renamed":6,"retyped":0,"metadata":0,"ignored":0}

"#]]);
    env.undo("commit -m second").shows(str![[r#"
main [ID]  7 added, 0 modified, 6 deleted (6 renamed)  ([..] read, [..] stored)
---- stderr ----
hint: to restore this state: undo checkout [ID]

"#]]);
    env.undo("diff --name-status @~ @").shows(str![[r#"
R100	moved	away
R100	moved/a	away/a
R100	moved/below	away/below
R100	moved/below/b	away/below/b
A	joined
R100	split/c	joined/c
R074	old.txt	new.txt

"#]]);
    assert_eq!(env.undo("diff --name-status -z @~ @ -- new.txt old.txt").ok().text(), "R074\0old.txt\0new.txt\0");
    env.undo("diff -M 90% --name-status @~ @ -- new.txt old.txt").shows(str![[r#"
A	new.txt
D	old.txt

"#]]);
    env.undo("diff -M 200 @~ @").shows(str![[r#"
---- stderr ----
error: invalid value `200` for `--find-renames <N%>`: not a percentage from 1% to 100%
hint: undo help diff
[exit 2]

"#]]);
    env.undo("show -p -- @").shows(str![[r#"
commit [ID] (main)
parent [ID]
author [USER] on [HOST]
time   2026-01-05 08:05:00 (5 minutes ago)
holds  5 files, 78 B
change +7 ~0 -6, [..] stored

    second

diff --git a/moved/a b/away/a
similarity index 100%
rename from moved/a
rename to away/a
diff --git a/moved/below/b b/away/below/b
similarity index 100%
rename from moved/below/b
rename to away/below/b
# joined: added drwxr-xr-x directory, 1 entry
diff --git a/split/c b/joined/c
similarity index 100%
rename from split/c
rename to joined/c
diff --git a/old.txt b/new.txt
similarity index 74%
rename from old.txt
rename to new.txt
index 33a621d..5d2e8f1 100644
--- a/old.txt
+++ b/new.txt
@@ -1,4 +1,4 @@
 the first line
-the second line
+the 2nd line
 the third line
 the fourth line

"#]]);
    env.undo("diff --stat @~ @").shows(str![[r#"
 moved → away                  renamed
 moved/a → away/a              renamed
 moved/below → away/below      renamed
 moved/below/b → away/below/b  renamed
 joined                        added
 split/c → joined/c            renamed
 old.txt → new.txt             2  +-
7 changes: 1 added, 6 renamed; lines: +1 -1

"#]]);
}

#[test]
fn log_follow_continues_at_the_old_path() {
    let env = edited();
    env.undo("commit -m second").ok();
    env.write("new.txt", "something else\n");
    env.undo("commit -m third").ok();
    let subjects = |line: &str| -> Vec<String> {
        let commits = env.undo(line).ok().json();
        commits.iter().filter_map(|commit| Some(commit.get("message")?.as_str()?.to_owned())).collect()
    };
    assert_eq!(subjects("log --json -- new.txt"), ["third", "second"]);
    assert_eq!(subjects("log --json --follow -- new.txt"), ["third", "second", "first"]);
    assert_eq!(subjects("log --json --follow -n 2 -- new.txt"), ["third", "second"]);
    assert_eq!(subjects("log --json --follow -- away/below/b"), ["second", "first"]);
    assert_eq!(subjects("log --json --follow --no-renames -- new.txt"), ["third", "second"]);
    env.undo("log --follow --oneline --name-status -- new.txt").shows(str![[r#"
@ [ID] (main) third  +0 ~1 -0, [..] stored
M	new.txt

* [ID] second  +7 ~0 -6, [..] stored
R074	old.txt	new.txt

* [ID] first  +8 ~0 -0, [..] stored
A	old.txt

"#]]);
    env.undo("log --follow").shows(str![[r#"
---- stderr ----
error: `--follow` requires exactly one path
hint: undo log --follow -- PATH
[exit 2]

"#]]);
}

#[test]
fn too_many_files_are_not_compared() {
    let env = TestEnv::initialised();
    (0..1001).for_each(|n| env.write(&format!("old/{n}"), format!("{n}\n").repeat(20)));
    env.write("old/same", "the same\n");
    env.undo("commit -m one").ok();
    fs::rename(env.path().join("old/same"), env.path().join("same")).unwrap();
    fs::remove_dir_all(env.path().join("old")).unwrap();
    (0..1001).for_each(|n| env.write(&format!("new/x{n}"), format!("{n}\n").repeat(19)));
    let output = env.undo("status --json").ok();
    assert!(output.stderr.starts_with(br#"{"type":"warning","message":"too many files to find all renames"#));
    let summary = output.json().pop().unwrap();
    assert_eq!([&summary["renamed"], &summary["added"], &summary["deleted"]], [1, 1002, 1002]);
    // Two formats need one search.
    let output = env.undo("diff -p --stat").ok();
    let warnings = String::from_utf8(output.stderr).unwrap().matches("too many files").count();
    assert_eq!(warnings, 1);
}

/// Bytes and calls of all reads of `status`.
fn reads(env: &TestEnv, line: &[&str]) -> Option<Vec<(String, String)>> {
    let trace = cost::trace(env, cost::READS, line)?;
    let is_ours = |path: &str| path.starts_with(env.path().to_str().unwrap());
    Some(trace.into_iter().filter(|call| is_ours(&call.path)).map(|call| (call.name, call.path)).collect())
}

#[test]
fn exact_renames_and_additions_alone_cost_no_reads() {
    let env = edited();
    env.undo("commit -qm second").ok();
    env.write("added", "other\n");
    let same = |what: &str| {
        // The first run writes the index.
        env.undo("status").ok();
        let (Some(found), Some(plain)) = (reads(&env, &["status"]), reads(&env, &["status", "--no-renames"])) else {
            return;
        };
        assert_eq!(found, plain, "{what}");
    };
    same("only additions");
    rename(&env, "new.txt", "newer.txt");
    fs::remove_file(env.path().join("added")).unwrap();
    same("a rename without an edit");
    env.write("added", "x".repeat(10_000));
    fs::remove_file(env.path().join("split/d")).unwrap();
    same("sizes that differ too much");
}

/// Text of lines that no other file has.
fn unique_text(random: &mut Random, file: usize) -> String {
    (0..5 + random.below(40)).map(|line| format!("{file} {line} {}\n", "word ".repeat(random.below(20)))).collect()
}

/// Changes some lines.
fn edit(random: &mut Random, text: &str, file: usize) -> String {
    let share = random.below(10);
    let changed = |(n, line): (usize, &str)| match random.below(10) < share {
        true => format!("{file} other {n}\n"),
        false => format!("{line}\n"),
    };
    text.lines().enumerate().map(changed).collect()
}

#[test]
fn renames_are_those_of_git() {
    let env = TestEnv::initialised();
    if env.command("git").arg("--version").output().is_err() {
        return skip("git is not installed");
    }
    for (name, value) in [("GIT_AUTHOR_NAME", "a"), ("GIT_AUTHOR_EMAIL", "a"), ("GIT_COMMITTER_NAME", "a")] {
        env.set(name, value);
    }
    env.set("GIT_COMMITTER_EMAIL", "a");
    env.set("GIT_DIR", env.root().join("git"));
    env.set("GIT_WORK_TREE", env.path());
    let git = |line: &str| {
        let output = env.command("git").args(line.split(' ')).output().unwrap();
        assert!(output.status.success(), "git {line}\n{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    };
    git("init -q .");
    let mut found = 0;
    for round in 0..40 {
        let mut random = Random::new(round + 1);
        let mut files: BTreeMap<String, String> = BTreeMap::new();
        for file in 0..random.below(12) {
            let name = format!("{}/{}{}", random.of(&["a", "b"]), random.of(&["x", "y", "z"]), random.below(4));
            files.insert(name, unique_text(&mut random, file));
        }
        let write = |files: &BTreeMap<String, String>, message: &str| {
            for directory in ["a", "b", "c"] {
                let _ = fs::remove_dir_all(env.path().join(directory));
            }
            // Keeps directories from being renamed as a whole, which git does not report.
            ["a", "b", "c"].iter().for_each(|name| env.write(&format!("{name}/{name}"), name));
            files.iter().for_each(|(name, text)| env.write(name, text));
            env.undo(&format!("commit -qm {message}{round}")).ok();
            git("add -A --force -- a b c");
            git(&format!("commit -q --allow-empty -m {message}"));
        };
        write(&files, "old");
        for (file, name) in files.clone().into_keys().enumerate() {
            if random.below(3) > 0 {
                let text = files.remove(&name).unwrap();
                let text = if random.below(3) > 0 { edit(&mut random, &text, file) } else { text };
                files.insert(
                    format!("{}/{}{}", random.of(&["b", "c"]), random.of(&["x", "new"]), random.below(9)),
                    text,
                );
            }
        }
        write(&files, "new");
        let ours = env.undo("diff --name-status @~ @").ok().text();
        let theirs = git("diff -M --name-status HEAD~ HEAD");
        assert_eq!(ours.lines().collect::<Vec<_>>(), theirs.lines().collect::<Vec<_>>(), "round {round}");
        found += ours.lines().filter(|line| line.starts_with('R')).count();
    }
    assert!(found > 50, "only {found} renames");
}

#[test]
fn a_rename_is_no_deletion_for_a_guard() {
    let env = TestEnv::initialised();
    env.write("a", "a\n");
    env.write("b", "b\n");
    env.write("d/c", "c\n");
    env.undo("commit -m first").ok();
    let output =
        env.undo("run --guard 'deleted<1' --guard 'added<1' --guard 'changed<4' -- sh -c 'mv a z; mv d e'").ok();
    output.shows(str![[r#"
---- stderr ----
sh -c 'mv a z; mv d e': exit 0 after [DURATION]
[ID]  3 added, 0 modified, 3 deleted (3 renamed)  (6 B → 6 B)
hint: to undo: undo undo

"#]]);
    assert!(env.path().join("e/c").exists());
    for command in ["rm b", "mv b y; echo edited >>y", "mv b y; rm z", "cp b y; rm b z"] {
        let guarded = format!("run --guard 'deleted<1' -- sh -c '{command}'");
        env.undo(&guarded).fails(6);
        assert!(env.path().join("b").exists() && env.path().join("z").exists(), "{command}");
    }
}
