//! Every command on a history with purged content, small and large.

use std::fs;

use snapbox::str;

use super::{SECRET, purge, read_in_python, secrets};
use crate::env::TestEnv;
use crate::errors::noise;

#[test]
fn purge_lists_what_else_has_the_content_and_what_shares_parts() {
    let env = secrets();
    let before = super::ids(&env);
    env.undo("purge -n secret dump").shows(str![[r#"
purge  dump  [ID]  10 B  in [ID]
purge  dump  [ID]  2.86 MiB  in [ID]
purge  secret  [ID]  11 B  in [ID]
purge  secret  [ID]  44 B  in [ID]
purge  copy/of  [ID]  44 B  in [ID]  (same content)
keep   shares  [ID]  2.86 MiB  in [ID]  (has some of the same data, which stays readable and on disk)
4 contents would be purged, 2.86 MiB

"#]]);
    env.undo("purge secret dump").shows(str![[r#"
purge  dump  [ID]  10 B  in [ID]
purge  dump  [ID]  2.86 MiB  in [ID]
purge  secret  [ID]  11 B  in [ID]
purge  secret  [ID]  44 B  in [ID]
purge  copy/of  [ID]  44 B  in [ID]  (same content)
keep   shares  [ID]  2.86 MiB  in [ID]  (has some of the same data, which stays readable and on disk)
4 contents purged, 2.86 MiB
---- stderr ----
hint: to undo, before any other operation: undo undo
hint: the bytes leave the disk with `undo gc` in 7 days; at once, for good: undo gc --now

"#]]);
    env.undo("purge secret").shows(str![[r#"
nothing to purge: purged before

"#]]);
    assert_eq!(super::ids(&env), before, "a purge has changed ids");
}

#[test]
fn purge_rejects_what_is_not_recorded() {
    let env = secrets();
    env.undo("purge nothing").shows(str![[r#"
---- stderr ----
error: no commit has a file at `nothing`
hint: to list recorded files: undo ls
[exit 2]

"#]]);
    env.undo("purge *.nothing").fails(2);
    env.undo("purge").fails(2);
    env.undo("purge :!secret").fails(2);
    env.undo("purge --blob 0123456789").fails(2);
    env.undo("purge --blob @").fails(2);
    env.write("empty", "");
    env.undo("commit -m empty").ok();
    env.undo("purge --blob @:empty").fails(2);
    // The current directory is where paths start; deleted paths count.
    fs::create_dir_all(env.path().join("copy")).unwrap();
    env.shell("cd copy && undo purge of").ok();
}

#[test]
fn purge_names_files_that_a_pattern_passes_over() {
    let env = TestEnv::initialised();
    for path in ["x.env", "a/x.env", "a/b/x.env", "a/y.env"] {
        env.write(path, format!("secret of {path}"));
    }
    std::os::unix::fs::symlink("x.env", env.path().join("link")).unwrap();
    env.undo("commit -m one").ok();
    // As in git, `*` matches `/`, and `**/` needs one.
    env.undo("purge -n **/x.env").shows(str![[r#"
purge  a/b/x.env  [ID]  19 B  in [ID]
purge  a/x.env  [ID]  17 B  in [ID]
2 contents would be purged, 36 B
---- stderr ----
warning: a pattern selects a file of the same name, but not this one, which stays
  x.env

"#]]);
    env.undo("purge -n *x.env").shows(str![[r#"
purge  a/b/x.env  [ID]  19 B  in [ID]
purge  a/x.env  [ID]  17 B  in [ID]
purge  x.env  [ID]  15 B  in [ID]
3 contents would be purged, 51 B

"#]]);
    env.undo("purge -n a/x.env").shows(str![[r#"
purge  a/x.env  [ID]  17 B  in [ID]
1 content would be purged, 17 B

"#]]);
    env.undo("purge link").shows(str![[r#"
---- stderr ----
error: `link` is a symbolic link; only the contents of files can be purged
[exit 2]

"#]]);
}

#[test]
fn purge_quotes_a_path_with_a_line_break() {
    let env = TestEnv::initialised();
    env.write("new\nline", "secret");
    env.undo("commit -m one").ok();
    env.shell("undo purge new*").ok();
    let shown = env.undo("op log -n 1").ok().text();
    assert!(shown.contains(r"purge: $'new\012line'"), "{shown}");
    let refused = env.shell("undo cat \"$(printf '@:new\\nline')\"").fails(1).to_string();
    assert!(refused.contains(r"the content of `$'") && refused.contains(r":new\012line'` was purged"), "{refused}");
}

#[test]
fn a_purged_file_that_is_named_is_not_recorded() {
    let env = secrets();
    env.undo("purge secret").ok();
    env.undo("commit").shows(str![[r#"
no changes since [ID]

"#]]);
    env.undo("commit secret").shows(str![[r#"
no changes since [ID]
---- stderr ----
warning: not recorded
  secret  its content was purged
[exit 3]

"#]]);
    env.write("other", "new");
    env.undo("commit -n secret other").fails(3);
    env.undo("commit other").ok();
}

#[test]
fn no_command_prints_purged_content() {
    let env = secrets();
    purge(&env);
    env.undo("cat one:secret").shows(str![[r#"
---- stderr ----
error: the content of `[ID]:secret` was purged
hint: other versions may exist: undo log -- secret
[exit 1]

"#]]);
    env.undo("cat one:dump").fails(1);
    env.undo("cat-file blob one:secret").fails(1);
    env.undo("cat-file -p one:secret").fails(1);
    env.undo("cat-file -s one:dump").shows(str![[r#"
3000000

"#]]);
    let listed = env.undo_with_stdin("cat-file --batch", "one:secret\none:other\n").ok().text();
    assert!(!listed.contains(SECRET) && listed.contains("purged"), "{listed}");
    env.undo("diff one two -p").shows(str![[r#"
# copy: deleted drwxr-xr-x directory, 1 entry
diff --git a/copy/of b/copy/of
deleted file mode 100644
Files a/copy/of and /dev/null differ
# the content was purged
diff --git a/dump b/dump
Files a/dump and b/dump differ
# the content was purged
diff --git a/other b/other
index e45c9c2..5ea2ed4 100644
--- a/other
+++ b/other
@@ -1,1 +1,1 @@
-other
+changed
diff --git a/secret b/secret
Files a/secret and b/secret differ
# the content was purged

"#]]);
    for line in [
        "diff one two",
        "diff one two --stat",
        "diff two one -p",
        "show one -p",
        "log -p",
        "diff one",
        "diff one two --json",
        "diff one two --numstat",
        "diff one two --word-diff",
        "diff one two -p --binary",
        "rev-list --all --objects",
        "ls -R one",
    ] {
        let text = env.undo(line).ok().text();
        assert!(!text.contains("Tr0ub4dor"), "{line}: {text}");
    }
    env.undo("verify").shows(str![[r#"
no damage found: 2 commits, 30 objects, 2 packs, 3.94 MiB read
2 contents purged, which is not damage

"#]]);
    assert!(read_in_python(&env, &["--check"]).is_none_or(|text| text.contains("checked")));
    assert!(read_in_python(&env, &["one"]).is_none_or(|text| text.contains("\"purged\": true")));
}

#[test]
fn checkout_restores_everything_else() {
    let env = secrets();
    purge(&env);
    env.undo("checkout one").shows(str![[r#"
main [ID] → [ID]  2 written, 0 deleted, 1 unchanged
---- stderr ----
warning: not restored, because the content was purged
  copy/of
  dump
  secret
hint: to undo: undo undo
[exit 3]

"#]]);
    // Files at the paths of purged content are left as they are.
    assert_eq!(env.read("secret"), b"not secret\n");
    assert_eq!(env.read("other"), b"other\n");
    assert!(!env.path().join("copy/of").exists());
    env.undo("checkout two").ok();
    assert_eq!(env.read("other"), b"changed\n");
    fs::remove_file(env.path().join("secret")).unwrap();
    fs::remove_file(env.path().join("dump")).unwrap();
    env.undo("checkout one").fails(3);
    env.undo("status").shows(str![[r#"
on main at [ID], 9 minutes ago  one
no changes

"#]]);
    env.undo("commit -m nothing").shows(str![[r#"
no changes since [ID]
---- stderr ----
hint: there is no new commit, so the message was dropped; to label this state: undo tag NAME

"#]]);
    env.undo("restore --from one secret other").fails(3);
    let out = env.root().join("out");
    env.undo(&format!("export one {}", out.display())).fails(3);
    assert!(out.join("other").exists() && !out.join("secret").exists() && out.join("shares").exists());
    env.undo(&format!("export one {}.tar", out.display())).fails(3);
    env.undo("checkout-tree ../tree one --json").shows(str![[r#"
{"type":"export","id":"[ID]","destination":"../tree","entries":3,"bytes":3000006,"inexact":[],"damaged":[],"purged":[{"path":"copy/of"},{"path":"dump"},{"path":"secret"}],"torn":[]}
---- stderr ----
{"type":"warning","message":"not exported, because the content was purged","paths":[{"path":"copy/of","reason":""},{"path":"dump","reason":""},{"path":"secret","reason":""}]}
[exit 3]

"#]]);
}

#[test]
fn file_with_purged_content_stays_and_is_not_recorded() {
    let env = TestEnv::initialised();
    env.write("secret", SECRET);
    env.write("dump", noise(1, 3_000_000));
    env.write("other", "other\n");
    env.undo("commit -m one").ok();
    env.undo("purge secret dump").ok();
    env.undo("status").shows(str![[r#"
on main at [ID], 2 minutes ago  one
no changes
---- stderr ----
warning: not recorded
  dump  its content was purged
  secret  its content was purged

"#]]);
    env.undo("commit -m same").ok();
    env.write("other", "changed\n");
    env.undo("commit -m two").shows(str![[r#"
main [ID]  0 added, 1 modified, 0 deleted  (8 B read, 8.00 KiB stored)
---- stderr ----
warning: not recorded
  dump  its content was purged
  secret  its content was purged
hint: to restore this state: undo checkout [ID]

"#]]);
    let commit = env.undo("show --json @").ok().text();
    assert!(commit.contains("\"reason\":\"purged\""), "{commit}");
    env.undo("diff @~ @").shows(str![[r#"
diff --git a/other b/other
index e45c9c2..5ea2ed4 100644
--- a/other
+++ b/other
@@ -1,1 +1,1 @@
-other
+changed

"#]]);
    // Neither a checkout nor an undo touches the files.
    env.undo("checkout @~").fails(3);
    env.undo("undo").ok();
    assert_eq!((env.read("secret"), env.read("dump").len()), (SECRET.into(), 3_000_000));
    // Under another name and after an edit.
    env.write("again", SECRET);
    env.write("secret", "new\n");
    env.undo("commit -m three").ok();
    assert_eq!(env.undo("cat @:secret").ok().stdout, b"new\n");
    env.undo("cat @:again").fails(2);
    // The only copy of the content is in the way.
    env.write("dump", "replaced\n");
    env.undo("commit -m four").ok();
    env.undo("tag four").ok();
    env.write("dump", noise(1, 3_000_000));
    env.undo("checkout -f four").fails(4);
    assert_eq!(env.read("dump").len(), 3_000_000);
}

#[test]
fn purged_content_cannot_be_added_by_a_program() {
    let env = secrets();
    let line = env.undo("ls-tree one").ok();
    purge(&env);
    env.undo_with_stdin("hash-object -w --stdin", SECRET).shows(str![[r#"
---- stderr ----
error: the content `[ID]` was purged
hint: purged content cannot be recorded again
[exit 4]

"#]]);
    env.undo_with_stdin("hash-object -w --stdin", noise(1, 3_000_000)).fails(4);
    env.undo_with_stdin("hash-object --stdin", SECRET).ok();
    env.undo_with_stdin("mktree", &line.stdout).fails(4);
    env.undo("commit-tree one -m again").ok();
}

#[test]
fn chunks_of_other_files_stay_readable() {
    let env = secrets();
    purge(&env);
    let content = [noise(1, 2_000_000), noise(2, 1_000_000)].concat();
    assert!(env.undo("cat one:shares").ok().stdout == content);
    fs::remove_file(env.path().join("shares")).unwrap();
    env.undo("restore shares").ok();
    assert!(env.read("shares") == content);
}
