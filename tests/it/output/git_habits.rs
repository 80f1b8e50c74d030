//! Options that users of git expect: messages from files, corrected messages, branches made by `checkout`.

use snapbox::str;

use crate::env::TestEnv;
use crate::tree::{Tree, assert_same};

/// A repository with the commits `one` and `two`.
fn two_commits() -> TestEnv {
    let env = TestEnv::initialised();
    env.write("a", "one");
    env.undo("commit -m one").ok();
    env.write("a", "two");
    env.undo("commit -m two").ok();
    env
}

fn subjects(env: &TestEnv) -> Vec<String> {
    let log = env.undo("log --json").ok().json();
    log.iter().filter_map(|one| Some(one["message"].as_str()?.to_owned())).collect()
}

#[test]
fn message_is_read_from_options_file_or_stdin() {
    let env = TestEnv::initialised();
    let message = |line: &str, stdin: &str| {
        env.write("a", format!("{line}{stdin}"));
        env.undo_with_stdin(line, stdin).ok();
        subjects(&env).remove(0)
    };
    assert_eq!(message("commit -m one -m 'two three'", ""), "one\n\ntwo three");
    assert_eq!(message("commit -F -", "from stdin\n\nbody\n\n"), "from stdin\n\nbody");
    env.write("../tmp/message", "from a file\n");
    assert_eq!(message("commit -F ../tmp/message", ""), "from a file");
    env.write("sub/message", "relative\n");
    assert_eq!(message("-C sub commit -F message", ""), "relative");
    env.undo("commit -F missing").shows(str![[r#"
---- stderr ----
error: no file `missing`
hint: give the message with -m
[exit 2]

"#]]);
    env.undo("commit -m a -F b").fails(2);
    env.undo_with_stdin("commit -F -", b"\xff").fails(2);
}

#[test]
fn author_of_a_commit_can_be_given() {
    let env = two_commits();
    env.write("a", "three");
    env.undo("commit -m three --author 'Ada L.'").ok();
    assert_eq!(env.undo("log -1 --json").ok().json()[0]["author"], "Ada L.");
}

#[test]
fn amend_replaces_only_the_message() {
    let env = two_commits();
    env.write("b", "unsaved");
    let before = Tree::read(&env.path());
    let old = env.undo("show @ --json").ok().json().remove(0);
    env.undo("commit --amend -m 'the second'").shows(str![[r#"
[ID] is now [ID]
---- stderr ----
hint: to undo: undo undo

"#]]);
    assert_same(&before, &Tree::read(&env.path()));
    let new = env.undo("show @ --json").ok().json().remove(0);
    assert_eq!(new["message"], "the second");
    for key in ["parents", "time", "author", "host", "files", "bytes", "added", "modified"] {
        assert_eq!(old[key], new[key], "{key}");
    }
    assert_eq!(subjects(&env), ["the second", "one"]);
    assert!(env.undo("status").ok().text().contains("added") && env.undo("diff @ @~").ok().text().contains("-two"));
    env.undo("undo").shows(str![[r#"
undid [ID]  commit: main [ID] → [ID], new message
main [ID]  the directory is unchanged
---- stderr ----
hint: to redo: undo redo
hint: to restore the directory as recorded then: undo checkout [ID]

"#]]);
    assert_eq!(env.undo("log -1 @ --json").ok().json()[0]["message"], "two");
    env.undo("redo").ok();
    assert_eq!(env.undo("log -1 @ --json").ok().json()[0]["message"], "the second");
    env.undo("verify").ok();
    env.undo("commit --amend --author Grace --json").ok();
    assert_eq!(env.undo("log -1 @ --json").ok().json()[0]["author"], "Grace");
}

#[test]
fn amend_is_refused_below_later_commits_and_without_message() {
    let env = two_commits();
    env.undo("commit --amend -m two").shows(str![[r#"
[ID] has this message already

"#]]);
    env.undo("commit --amend").shows(str![[r#"
---- stderr ----
error: `--amend` needs a new message or author
hint: undo commit --amend -m MSG
[exit 2]

"#]]);
    for empty in ["commit --amend -m ''", "commit --amend -F -"] {
        let output = env.undo_with_stdin(empty, "").fails(2);
        assert!(output.to_string().contains("the new message is empty"), "{output}");
    }
    env.undo("checkout @~").ok();
    env.undo("commit --amend -m x").shows(str![[r#"
---- stderr ----
error: later commits build on [ID], so its message cannot be replaced
hint: to label it: undo tag NAME [ID]
[exit 4]

"#]]);
    let empty = TestEnv::initialised();
    empty.undo("commit --amend -m x").fails(2);
}

#[test]
fn checkout_creates_a_branch_and_keeps_the_directory() {
    let env = two_commits();
    env.write("b", "unsaved");
    let before = Tree::read(&env.path());
    env.undo("checkout -b trial -n").shows(str![[r#"
the directory would stay unchanged

"#]]);
    assert_eq!(env.undo("branch --show-current").ok().text(), "main\n");
    env.undo("checkout -b trial").shows(str![[r#"
trial [ID]  the directory is unchanged
---- stderr ----
hint: to undo: undo undo

"#]]);
    assert_same(&before, &Tree::read(&env.path()));
    env.undo("branch --show-current").shows(str![[r#"
trial

"#]]);
    env.undo("branch --show-current --json").shows(str![[r#"
{"type":"current-branch","name":"trial","id":"[ID]"}

"#]]);
    env.undo("checkout -b trial").shows(str![[r#"
---- stderr ----
error: branch `trial` already exists
hint: to restore it: undo checkout trial
[exit 2]

"#]]);
    env.undo("checkout -b 'a b'").fails(2);
    env.undo("undo").ok();
    assert_eq!(env.undo("branch --show-current").ok().text(), "main\n");
    assert_same(&before, &Tree::read(&env.path()));
    // With a commit, unsaved changes are recorded first, as in every checkout.
    env.undo("checkout -b older @~").ok();
    assert_eq!((env.read("a"), env.path().join("b").exists()), (b"one".to_vec(), false));
    env.undo("undo").ok();
    assert_same(&before, &Tree::read(&env.path()));
    TestEnv::initialised().undo("checkout -b x").fails(2);
}

#[test]
fn branches_and_tags_can_be_moved() {
    let env = two_commits();
    env.undo("tag v1").ok();
    env.undo("tag v1 @~").shows(str![[r#"
---- stderr ----
error: tag `v1` already exists, at [ID]
hint: to move it: undo tag -f v1 [ID]
[exit 2]

"#]]);
    env.undo("tag -f v1 @~").shows(str![[r#"
moved tag v1 to [ID]
---- stderr ----
hint: to undo: undo tag -f v1 [ID]

"#]]);
    env.undo("tag -f new").shows(str![[r#"
created tag new at [ID]

"#]]);
    env.undo("branch trial").ok();
    env.undo("branch -f trial @~").ok();
    env.undo("branch -f main @~").shows(str![[r#"
---- stderr ----
error: `main` is the current branch
hint: to restore the directory to that commit: undo checkout [ID]
[exit 4]

"#]]);
    env.undo("branch -D trial").shows(str![[r#"
deleted branch trial at [ID]
---- stderr ----
hint: to restore it: undo branch trial [ID]

"#]]);
    assert_eq!(env.undo("log -1 v1 --json").ok().json()[0]["message"], "one");
    env.undo("undo 2").ok();
    env.undo("log -1 trial").ok();
}

#[test]
fn short_status_has_one_line_per_change() {
    let env = two_commits();
    env.write("d/old name", "some text that is long enough to be found again\n");
    env.write("gone", "x");
    env.undo("commit -m three").ok();
    env.shell("mv 'd/old name' d/new; rm gone; echo b > a; mkdir e; echo 1 > 'e/tab\tx'; echo 2 > e/2; chmod 600 a")
        .ok();
    env.undo("status --short").shows(str![[r#"
M a
R "d/old name" -> d/new
A e/
D gone

"#]]);
    env.undo("-C d status -s").shows(str![[r#"
M ../a
R "old name" -> new
A ../e/
D ../gone

"#]]);
    let raw = env.undo("status -sz").ok().stdout;
    assert_eq!(raw, b"M a\0R d/new\0d/old name\0A e/\0A e/2\0A e/tab\tx\0D gone\0");
    env.undo("status -s --no-renames d").shows(str![[r#"
A d/new
D "d/old name"

"#]]);
    env.undo("status -s --json d").shows(str![[r#"
{"type":"change","path":"d/new","status":"renamed","kind":"file","old_size":48,"size":48,"what":[],"renamed_from":{"path":"d/old name"},"similarity":100}
{"type":"summary","clean":false,"added":0,"modified":0,"deleted":0,"renamed":1,"retyped":0,"metadata":0,"ignored":0}

"#]]);
    env.undo("commit -q").ok();
    env.undo("status -s").shows(str![[r#"

"#]]);
    env.shell("for i in $(seq 40); do echo $i > many$i; done; undo commit -qm many; rm many*").ok();
    let alarmed = env.undo("status -s").ok();
    assert!(alarmed.text().lines().all(|line| line.starts_with("D many")), "{alarmed}");
    assert!(String::from_utf8_lossy(&alarmed.stderr).contains("deleted"), "{alarmed}");
}

#[test]
fn branches_and_tags_are_listed_by_pattern() {
    let env = two_commits();
    for line in ["tag v1.0 @~", "tag v1.1", "tag rc/v2", "branch feature/one"] {
        env.undo(line).ok();
    }
    env.undo("tag -l 'v1.*'").shows(str![[r#"
  v1.0                 [ID]  2026-01-05 08:01:00 (6 minutes ago)  one
  v1.1                 [ID]  2026-01-05 08:02:00 (5 minutes ago)  two

"#]]);
    // As in git, `*` matches `/`.
    env.undo("tag --list '*v[12]*' v1.0 --json").shows(str![[r#"
{"type":"ref","kind":"tag","name":"rc/v2","id":"[ID]","current":false,"time":"2026-01-05T08:02:00.000000000Z","message":"two"}
{"type":"ref","kind":"tag","name":"v1.0","id":"[ID]","current":false,"time":"2026-01-05T08:01:00.000000000Z","message":"one"}
{"type":"ref","kind":"tag","name":"v1.1","id":"[ID]","current":false,"time":"2026-01-05T08:02:00.000000000Z","message":"two"}
{"type":"summary","count":3}

"#]]);
    env.undo("tag -l nothing").ok().shows(str![[r#"

"#]]);
    env.undo("branch --list 'f*e'").shows(str![[r#"
  feature/one          [ID]  2026-01-05 08:02:00 (8 minutes ago)  two

"#]]);
    env.undo("branch -l").shows(str![[r#"
  feature/one          [ID]  2026-01-05 08:02:00 (9 minutes ago)  two
@ main                 [ID]  2026-01-05 08:02:00 (9 minutes ago)  two

"#]]);
    env.undo("tag -l '[a'").shows(str![[r#"
---- stderr ----
error: `[a` is not a valid pattern: `[` has no closing `]`; for a literal bracket write `/[`
[exit 2]

"#]]);
    env.undo("tag -l v1.0 -d v1.0").fails(2);
}

#[test]
fn null_ends_names_or_is_refused() {
    let env = two_commits();
    env.undo("tag v1").ok();
    env.undo("branch side").ok();
    let raw = |line: &str| env.undo(line).ok().stdout;
    assert_eq!(raw("tag -z"), b"v1\0");
    assert_eq!(raw("branch -z"), b"main\0side\0");
    assert_eq!(raw("branch -z --show-current"), b"main\0");
    assert_eq!(raw("config -z store.compression"), b"zstd:1\0");
    assert!(raw("config -z").ends_with(b"user.name\n\0worktree.cross_mounts\nfalse\0"));
    let long = String::from_utf8(raw("ls -l -z")).unwrap();
    assert!(long.starts_with("-rw") && long.ends_with("  a\0"), "{long}");
    env.undo("log -z").shows(str![[r#"
---- stderr ----
error: `-z` has no effect on this output
hint: undo log --json or --format FORMAT, or use -z with --name-only, --name-status or --numstat
[exit 2]

"#]]);
    env.undo("show -z --stat").shows(str![[r#"
---- stderr ----
error: `-z` has no effect on this output
hint: undo show --json, or use -z with --name-only, --name-status or --numstat
[exit 2]

"#]]);
    env.undo("op log -z").shows(str![[r#"
---- stderr ----
error: `-z` has no effect on this output
hint: undo op log --json
[exit 2]

"#]]);
    env.undo("log -z --name-only").ok();
    env.undo("show -z @:a").ok();
    env.undo("log -z --json").ok();
}

#[test]
fn an_amended_commit_with_another_name_stays_in_the_log() {
    let env = TestEnv::initialised();
    env.write("a", "1\n");
    env.undo("commit -m first").ok();
    env.undo("branch keep").ok();
    env.undo("commit --amend -m second").ok();
    env.undo("checkout keep").ok();
    let log = env.undo("log --oneline").ok().text();
    assert!(log.contains("(keep) first") && log.contains("(main) second"), "{log}");
    env.undo("commit --amend -m third").ok();
    let log = env.undo("log --oneline").ok().text();
    assert!(!log.contains("first") && log.contains("(keep) third"), "{log}");
}
