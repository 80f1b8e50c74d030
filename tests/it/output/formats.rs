//! Formats of changes: `--stat` and its relatives, words, recorded entries.

use snapbox::str;

use crate::env::TestEnv;
use crate::output::history;

#[test]
fn formats_of_changed_content_transcript() {
    let env = history();
    env.undo("diff --numstat @~2 @~").shows(str![[r#"
-	-	data/table.bin
0	0	old.txt => new.txt
1	1	notes.txt

"#]]);
    assert_eq!(
        env.undo("diff --numstat -z @~2 @~").ok().text(),
        "-\t-\tdata/table.bin\x000\t0\t\0old.txt\0new.txt\x001\t1\tnotes.txt\0"
    );
    env.undo("diff --numstat --json @~2 @~").shows(str![[r#"
{"type":"change","path":"data/table.bin","status":"modified","kind":"file","old_size":256,"size":256,"what":["content"],"ranges":1,"bytes_changed":4}
{"type":"change","path":"new.txt","status":"renamed","kind":"file","old_size":24,"size":24,"what":[],"renamed_from":{"path":"old.txt"},"similarity":100}
{"type":"change","path":"notes.txt","status":"modified","kind":"file","old_size":14,"size":25,"what":["content"],"lines_added":1,"lines_removed":1}
{"type":"summary","clean":false,"added":0,"modified":2,"deleted":0,"renamed":1,"retyped":0,"metadata":0,"ignored":0}

"#]]);
    env.undo("diff --shortstat @~2 @~").shows(str![[r#"
3 changes: 2 modified, 1 renamed; lines: +1 -1

"#]]);
    env.undo("diff --shortstat --json @~2 @~").shows(str![[r#"
{"type":"summary","clean":false,"added":0,"modified":2,"deleted":0,"renamed":1,"retyped":0,"metadata":0,"ignored":0}

"#]]);
    env.undo("diff -p --stat @~2 @~ -- notes.txt").shows(str![[r#"
 notes.txt  2  +-
1 change: 1 modified; lines: +1 -1

diff --git a/notes.txt b/notes.txt
index 4cb29ea..50b3bd2 100644
--- a/notes.txt
+++ b/notes.txt
@@ -1,3 +1,3 @@
 one
-two
+two and a half
 three

"#]]);
    env.undo("diff --word-diff @~2 @~ -- notes.txt").shows(str![[r#"
diff --git a/notes.txt b/notes.txt
index 4cb29ea..50b3bd2 100644
--- a/notes.txt
+++ b/notes.txt
@@ -1,3 +1,3 @@
one
two{+ and a half+}
three

"#]]);
    env.write("notes.txt", "one\n  two and a  half\nthree\r\n");
    env.undo("diff -w").shows(str![[r#"

"#]]);
    env.undo("diff -w --stat").shows(str![[r#"
 notes.txt  0
1 change: 1 modified; lines: +0 -0

"#]]);
    env.undo("diff --numstat --patch").shows(str![[r#"
---- stderr ----
error: the argument `--numstat` cannot be used with `--patch`
hint: undo help diff
[exit 2]

"#]]);
}

#[test]
fn recorded_entries_are_compared() {
    let env = history();
    env.undo("diff @~2:notes.txt @~:notes.txt").shows(str![[r#"
diff --git a/notes.txt b/notes.txt
index 4cb29ea..50b3bd2 100644
--- a/notes.txt
+++ b/notes.txt
@@ -1,3 +1,3 @@
 one
-two
+two and a half
 three

"#]]);
    env.undo("diff --name-status @~2:old.txt @~2:notes.txt").shows(str![[r#"
R000	old.txt	notes.txt

"#]]);
    env.undo("diff @~2:old.txt @~2:notes.txt").shows(str![[r#"
diff --git a/old.txt b/notes.txt
similarity index 0%
rename from old.txt
rename to notes.txt
index 36020f6..4cb29ea 100644
--- a/old.txt
+++ b/notes.txt
@@ -1,1 +1,3 @@
-the same in both places
+one
+two
+three

"#]]);
    env.undo("diff @~2:old.txt @~2:old.txt").shows(str![""]);
    env.undo("diff -q --exit-code @~2:data @~:data").fails(1);
    env.undo("diff --name-status @~2:data @~:data").shows(str![[r#"
M	table.bin

"#]]);
    env.undo("diff @~2:data @~:notes.txt").shows(str![[r#"
---- stderr ----
error: `data` is a directory and `notes.txt` is not
[exit 2]

"#]]);
}

#[test]
fn stat_counts_differing_bytes_and_fits_the_width() {
    let env = TestEnv::initialised();
    let noise = |seed: u64, length: usize| {
        let mut bytes = vec![0; length];
        blake3::Hasher::new().update(&seed.to_le_bytes()).finalize_xof().fill(&mut bytes);
        bytes
    };
    let old = noise(1, 100_000);
    let long = format!("{}/{}表.csv", "directory-".repeat(9), "name-".repeat(12));
    let rows = |last: &str| (0..300).map(|row| format!("{row}\n")).collect::<String>() + last;
    env.write("grown", &old);
    env.write("sorted", &old);
    env.write("scattered", vec![0; 50_000]);
    env.write(&long, rows(""));
    env.undo("commit -m one").ok();
    env.write("grown", [&old[..5000], b"four", &old[5000..]].concat());
    env.write("sorted", noise(2, 100_000));
    env.write("scattered", (0..50_000).map(|n| u8::from(n % 40 == 0)).collect::<Vec<_>>());
    env.write(&long, rows("last\n").replace("7", "seven"));
    env.undo("diff --stat").shows(str![[r#"
 directory-direc…name-name-表.csv  115  ++++++-----
 grown                             97.7 KiB (+4 B), 4 B differ in one place
 scattered                         48.8 KiB, differs in more than 1,000 places
 sorted                            97.7 KiB, 97.7 KiB differ in one place
4 changes: 4 modified; lines: +58 -57

"#]]);
    env.set("COLUMNS", "60");
    let narrow = env.undo("diff --stat").ok().text();
    assert!(narrow.lines().all(|line| line.chars().count() <= 60), "{narrow}");
    env.undo("diff --stat").shows(str![[r#"
 direc…表.csv  115  ++++++-----
 grown         97.7 KiB (+4 B), 4 B differ in one place
 scattered     48.8 KiB, differs in more than 1,000 places
 sorted        97.7 KiB, 97.7 KiB differ in one place
4 changes: 4 modified; lines: +58 -57

"#]]);
    env.undo("diff --stat --json grown scattered").shows(str![[r#"
{"type":"change","path":"grown","status":"modified","kind":"file","old_size":100000,"size":100004,"what":["content"],"ranges":1,"bytes_changed":4}
{"type":"change","path":"scattered","status":"modified","kind":"file","old_size":50000,"size":50000,"what":["content"],"ranges":1000,"bytes_changed":1000,"more_ranges":true}
{"type":"summary","clean":false,"added":0,"modified":2,"deleted":0,"renamed":0,"retyped":0,"metadata":0,"ignored":0}

"#]]);
}

#[test]
fn converted_files_are_compared_as_text() {
    let env = TestEnv::initialised();
    env.write("data/a.packed", "\0one\0two\0");
    env.write("other", "\0one\0");
    env.undo("commit -m one").ok();
    env.write("data/a.packed", "\0one\x002\0");
    env.write("other", "\0two\0");
    let config = |text: &str| env.write("../home/.config/undo/config.toml", text);
    config("[diff]\n\"*.packed\" = \"tr '\\\\000' '\\\\n'\"\n");
    env.undo("diff").shows(str![[r#"
diff --git a/data/a.packed b/data/a.packed
index 8183461..6ec6622 100644
--- a/data/a.packed
+++ b/data/a.packed
@@ -1,3 +1,3 @@
 
 one
-two
+2
diff --git a/other b/other
index d0525bd..6de643b 100644
Binary files a/other and b/other differ
# bytes 0x1..0x4 → 0x1..0x4  (3 B)

"#]]);
    assert!(env.undo("diff --binary").ok().text().contains("GIT binary patch"));
    assert!(!env.undo("config").ok().text().contains("diff."));
    config("[diff]\n\"data/*\" = \"exit 3\"\n");
    env.undo("diff data").shows(str![[r#"
---- stderr ----
error: `exit 3` cannot convert `data/a.packed`: exit status 3
hint: to compare without converting: undo diff --binary
[exit 2]

"#]]);
    config("[diff]\n\"[\" = \"cat\"\n");
    env.undo("diff data").shows(str![[r#"
diff --git a/data/a.packed b/data/a.packed
index 8183461..6ec6622 100644
Binary files a/data/a.packed and b/data/a.packed differ
# bytes 0x5..0x8 → 0x5..0x6  (3 B → 1 B, -2 B)
---- stderr ----
warning: a user-wide setting is ignored: `[ROOT]/home/.config/undo/config.toml` line 2: `diff.[` is not a pattern: `[` has no closing `]`; for a literal bracket write `/[`

"#]]);
}

#[test]
fn a_repository_cannot_name_programs() {
    let env = TestEnv::initialised();
    env.write("a", "\0one");
    env.undo("commit -m one").ok();
    env.write("a", "\0two");
    env.write(".undo/config.toml", "[diff]\n\"*\" = \"touch ran; cat\"\n");
    for line in ["diff -p", "diff --word-diff", "status", "log -p", "show -p"] {
        env.undo(line).ok();
    }
    env.undo("status").shows(str![[r#"
on main at [ID], 6 minutes ago  one
  modified  a
1 change: 1 modified
---- stderr ----
warning: a setting of the repository is ignored: `[ROOT]/work/.undo/config.toml` line 2: `[diff]` names programs and is read only from the user's settings

"#]]);
    env.undo("commit").ok();
    assert!(!env.path().join("ran").exists());
}

#[test]
fn tool_gets_both_versions_of_each_file() {
    let env = history();
    env.write("notes.txt", "one\ntwo\n");
    env.write("added file", "new\n");
    std::fs::remove_file(env.path().join("new.txt")).unwrap();
    let tool = "for file; do basename \"$file\"; cat \"$file\"; done; f() { echo; }; f";
    env.undo(&format!("diff --tool '{tool}'")).shows(str![[r#"
null
added file
new

new.txt
the same in both places
null

notes.txt
one
two and a half
three
notes.txt
one
two


"#]]);
    env.undo("diff --tool 'diff -u --label old --label new' -- notes.txt").shows(str![[r#"
--- old
+++ new
@@ -1,3 +1,2 @@
 one
-two and a half
-three
+two

"#]]);
    env.undo("diff --tool no-such-program").fails(2);
    assert_eq!(std::fs::read_dir(env.root().join("tmp")).unwrap().count(), 0);
    env.undo("diff --tool true --stat").fails(2);
}
