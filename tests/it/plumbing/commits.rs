//! `write-tree`, `commit-tree`, `checkout-tree`: trees from the worktree, commits of trees, directories from trees.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use snapbox::str;

use super::{history, id, kept};
use crate::env::TestEnv;
use crate::kinds;
use crate::tree::{Tree, assert_same};

/// Creates entries of all kinds, with hard links in several folders.
fn everything() -> TestEnv {
    let env = TestEnv::initialised();
    kinds::everything(&env.path());
    env
}

fn shown(env: &TestEnv, id: &str) -> serde_json::Value {
    env.undo(&format!("log --json -n 1 {}", id.trim_end())).ok().json().remove(0)
}

#[test]
fn commit_tree_matches_commit() {
    let env = everything();
    env.set("UNDO_TIME", "2026-01-05T12:00:00.5Z");
    let by_hand = env.shell("undo commit-tree $(undo write-tree) -m 'one day'").ok().text();
    assert_eq!(env.undo("log --json").ok().json().len(), 1);
    let committed = env.undo("commit --json -m 'one day'").ok().json();
    assert_eq!(committed[0]["id"], by_hand.trim_end());
    kinds::wreck(&env.path());
    env.set("UNDO_TIME", "2026-01-05T13:00:00Z");
    let by_hand = env.shell("undo commit-tree $(undo write-tree) -p @ -m wrecked").ok().text();
    assert_eq!(id(&env, "@"), committed[0]["id"].as_str().unwrap());
    let committed = env.undo("commit --json -m wrecked").ok().json();
    assert_eq!(committed[0]["id"], by_hand.trim_end());
    assert_eq!(committed[0]["bytes_read"], 0);
    // After the clock went back, no commit is older than its parent.
    env.write("more", "more");
    env.set("UNDO_TIME", "2026-01-05T12:59:00Z");
    let by_hand = env.shell("undo commit-tree $(undo write-tree) -p @ -m back").ok().text();
    assert_eq!(env.undo("commit --json -m back").ok().json()[0]["id"], by_hand.trim_end());
}

#[test]
fn write_tree_moves_no_ref() {
    let env = history();
    env.write("new", "new");
    let log = env.undo("log --ops --json").text();
    let tree = env.undo("write-tree").ok().text();
    assert_eq!(env.undo("log --ops --json").text(), log);
    let after = kept(&env);
    assert_eq!(env.undo("write-tree").ok().text(), tree);
    assert_eq!(kept(&env), after);
    env.undo("write-tree --json").shows(str![[r#"
{"type":"tree","id":"[ID]","links":"","uncovered":[],"torn":[]}

"#]]);
    assert_eq!(env.undo("write-tree -z").ok().text(), tree.replace('\n', "\0"));
    assert_eq!(env.undo("commit --json").ok().json()[0]["bytes_read"], 0);
    assert_eq!(id(&env, "@:"), tree.trim_end());
    fs::hard_link(env.path().join("new"), env.path().join("newer")).unwrap();
    let written = env.undo("write-tree").ok().text();
    let json = env.undo("write-tree --json").ok().json().remove(0);
    assert_eq!(written, format!("{} {}\n", json["id"].as_str().unwrap(), json["links"].as_str().unwrap()));
    assert_eq!(env.undo("status --json").ok().json().len(), 3);
}

#[test]
fn write_tree_prefix_includes_links() {
    let env = everything();
    env.write("links/a/alone", "alone");
    fs::hard_link(env.path().join("links/a/alone"), env.path().join("links/other")).unwrap();
    let written = env.undo("write-tree --prefix links/a").ok().text();
    let (tree, links) = written.trim_end().split_once(' ').unwrap();
    let expected = env.undo_with_stdin("mklinks", "b/two\tone\n").ok().text();
    assert_eq!(links, expected.trim_end());
    assert_eq!(env.undo("-C links write-tree --prefix a/").ok().text(), written);
    assert_eq!(env.undo("-C links/a write-tree --prefix .").ok().text(), written);
    let kinds = env.undo("write-tree --prefix kinds/file").ok().text();
    assert_eq!(env.undo("commit --json").ok().json()[0]["created"], true);
    assert_eq!((id(&env, "@:links/a").as_str(), id(&env, "@:kinds/file")), (tree, kinds.trim_end().to_owned()));
    assert_eq!(env.undo("commit --json").ok().json()[0]["bytes_read"], 0);
    env.undo(&format!("checkout-tree ../out {written}")).ok();
    let (live, mut made) = (Tree::read(&env.path().join("links/a")), Tree::read(&env.root().join("out")));
    made.nodes.insert(Vec::new(), live.nodes[&b""[..]].clone());
    assert_same(&live, &made);
}

#[test]
fn write_tree_refuses_unrecorded_prefix() {
    let env = history();
    env.write(".undoignore", "ignored\n");
    env.write("ignored/x", "x");
    env.undo("commit").ok();
    let before = kept(&env);
    for (line, words) in [
        ("write-tree --prefix nowhere", "`nowhere` is not in the worktree"),
        ("write-tree --prefix notes.txt", "`notes.txt` is a file, not a directory"),
        ("write-tree --prefix link", "`link` is a symlink, not a directory"),
        ("write-tree --prefix ignored", "`ignored` is ignored by the rules"),
        ("write-tree --prefix ..", "is outside the worktree"),
        ("write-tree --prefix .undo", "belongs to the repository"),
    ] {
        let output = env.undo(line).fails(2);
        assert!(String::from_utf8_lossy(&output.stderr).contains(words), "{output}");
    }
    assert_eq!(kept(&env), before);
}

#[test]
fn write_tree_lists_uncovered_paths() {
    let env = history();
    env.write("secret/x", "x");
    fs::set_permissions(env.path().join("secret"), fs::Permissions::from_mode(0o000)).unwrap();
    let _socket = std::os::unix::net::UnixListener::bind(env.path().join("socket")).unwrap();
    env.undo_as_user("write-tree").shows(str![[r#"
[ID]
---- stderr ----
warning: not covered because it cannot be read
  secret  cannot be read
warning: not recorded
  socket  a socket
[exit 3]

"#]]);
    env.undo_as_user("write-tree --json").fails(3).shows(str![[r#"
{"type":"tree","id":"[ID]","links":"","uncovered":[{"path":"secret","reason":"unreadable"},{"path":"socket","reason":"socket"}],"torn":[]}
---- stderr ----
{"type":"warning","message":"not covered because it cannot be read","paths":[{"path":"secret","reason":"unreadable"}]}
{"type":"warning","message":"not recorded","paths":[{"path":"socket","reason":"socket"}]}
[exit 3]

"#]]);
    env.undo_as_user("write-tree --prefix secret").fails(3);
}

#[test]
fn commit_tree_uses_given_message_author_and_date() {
    let env = history();
    let commit = |line: &str| shown(&env, &env.undo(&format!("commit-tree {line}")).ok().text());
    let one =
        commit("@: -p @ -p v1 -m 'first line' -m 'second paragraph' --author Ada --date 2027-02-03T04:05:06.5+01:30");
    assert_eq!(one["message"], "first line\n\nsecond paragraph");
    assert_eq!((&one["author"], &one["time"]), (&"Ada".into(), &"2027-02-03T02:35:06.500000000Z".into()));
    assert_eq!(one["parents"], serde_json::json!([id(&env, "@"), id(&env, "v1")]));
    assert_eq!((&one["added"], &one["modified"], &one["deleted"]), (&0.into(), &0.into(), &0.into()));
    assert_eq!(commit("v1: -p @ -m x --date '1800000000.25 -05:00'")["time"], "2027-01-15T08:00:00.250000000Z");
    let first = commit("v1: -m x --date -1.5");
    assert_eq!((&first["time"], &first["added"]), (&"1969-12-31T23:59:58.500000000Z".into(), &4.into()));
    assert_eq!((&first["files"], &first["bytes"], &first["parents"]), (&2.into(), &8.into(), &serde_json::json!([])));
    let fed = |line: &str| shown(&env, &env.undo_with_stdin(line, "from stdin\n\nand on\n\n").ok().text());
    assert_eq!(fed("commit-tree @:")["message"], "from stdin\n\nand on");
    assert_eq!(fed("commit-tree @: -F -")["message"], "from stdin\n\nand on");
    env.write("message", "from a file\n");
    assert_eq!(fed("commit-tree @: -F message")["message"], "from a file");
    assert_eq!(fed("commit-tree @: -m ''")["message"], "");
    env.undo("--json commit-tree @: -m x").shows(str![[r#"
{"type":"object","id":"[ID]","excluded":false}

"#]]);
    assert_eq!(env.undo("log --json").json().len(), 4);
}

#[test]
fn commit_tree_of_commit_keeps_root_and_links() {
    let env = everything();
    let _socket = std::os::unix::net::UnixListener::bind(env.path().join("socket")).unwrap();
    env.undo("commit -q -m one").ok();
    kinds::wreck(&env.path());
    fs::set_permissions(env.path(), fs::Permissions::from_mode(0o700)).unwrap();
    env.undo("commit -q -m two").ok();
    let again = env.undo("commit-tree @~1 -p @ -m again").ok().text();
    let (old, new) = (shown(&env, "@~1"), shown(&env, &again));
    assert_eq!((&old["files"], &old["bytes"], &old["uncovered"]), (&new["files"], &new["bytes"], &new["uncovered"]));
    assert_ne!(new["uncovered"], serde_json::json!([]));
    env.undo(&format!("diff --exit-code @~1 {again}")).ok();
    env.undo(&format!("checkout-tree ../one {again}")).ok();
    env.undo("export @~1 ../exported").ok();
    assert_same(&Tree::read(&env.root().join("exported")), &Tree::read(&env.root().join("one")));
}

#[test]
fn commit_tree_rejects_invalid_input() {
    let env = history();
    env.write("same", "x");
    fs::hard_link(env.path().join("same"), env.path().join("other")).unwrap();
    env.undo("commit -q").ok();
    let blob = id(&env, "@:notes.txt");
    let line = |name: &str| format!("100644 blob {blob} 0:0 5.0 -\t{name}\n");
    let with_repository = env.undo_with_stdin("mktree", line(".undo")).ok().text();
    let links = |groups: &str| env.undo_with_stdin("mklinks", groups).ok().text().trim_end().to_owned();
    let (absent, folder, different) = (links("same\tnowhere\n"), links("data\tsame\n"), links("notes.txt\tsame\n"));
    let tree = id(&env, "@:");
    env.write("latin", b"\xe9t\xe9");
    let before = kept(&env);
    for (line, words) in [
        (format!("commit-tree {} -m x", with_repository.trim_end()), "the tree has a `.undo`"),
        (format!("commit-tree @: {absent} -m x"), "the hard links do not match the tree: `nowhere` does not exist"),
        (format!("commit-tree @: {folder} -m x"), "`data` is a directory"),
        (format!("commit-tree @ {different} -m x"), "`same` differs from `notes.txt`"),
        (format!("commit-tree @: {blob} -m x"), "is a blob, not a table of hard links"),
        ("commit-tree @: @ -m x".into(), "`@` is a commit, not a table of hard links"),
        (format!("commit-tree @: {} -m x", "0".repeat(64)), "no object `0000"),
        (format!("commit-tree {blob} -m x"), "is a blob, not a tree or a commit"),
        ("commit-tree nowhere -m x".into(), "revision `nowhere` does not exist"),
        (format!("commit-tree @: -p {tree} -m x"), "is a tree, not a commit"),
        (format!("commit-tree @: -p {blob} -m x"), "is a blob, not a commit"),
        (format!("commit-tree @: -p {} -m x", "0".repeat(64)), "0000"),
        ("commit-tree @: -p @ -p main -m x".into(), "is named twice"),
        ("commit-tree @: -p @ -m x --date 1000000000".into(), "is before its first parent"),
        ("commit-tree @: -m x --date yesterday".into(), "`yesterday` is not a valid exact time"),
        ("commit-tree @: -m x --date 2026-01-05".into(), "is not a valid exact time"),
        ("commit-tree @: -m x --date 1+26:00".into(), "is not a valid exact time"),
        ("commit-tree @: -m x --author ''".into(), "--author"),
        ("commit-tree @: -m x -F latin".into(), "cannot be used with"),
        ("commit-tree @: -F latin".into(), "the message in `latin` is not UTF-8"),
        ("commit-tree @: -F missing".into(), "no file `missing`"),
    ] {
        let output = env.undo(&line).fails(2);
        assert!(String::from_utf8_lossy(&output.stderr).contains(words), "{line}\n{output}");
        assert!(output.stdout.is_empty(), "{line}");
    }
    env.undo_with_stdin("commit-tree @:", b"\xff").fails(2);
    env.undo("commit-tree @:same -m x").fails(2);
    assert_eq!(kept(&env), before);
}

#[test]
fn checkout_tree_writes_a_directory() {
    let env = everything();
    let written = env.undo("write-tree").ok().text();
    env.undo(&format!("checkout-tree ../written {written}")).shows(str![""]);
    env.undo("commit -q").ok();
    env.undo("checkout-tree ../committed @").ok();
    let live = Tree::read(&env.path());
    assert_same(&live, &Tree::read(&env.root().join("committed")));
    // A tree does not record the directory's metadata.
    let mut made = Tree::read(&env.root().join("written"));
    made.nodes.insert(Vec::new(), live.nodes[&b""[..]].clone());
    assert_same(&live, &made);
    let kept_mode = env.root().join("kept");
    fs::create_dir(&kept_mode).unwrap();
    fs::set_permissions(&kept_mode, fs::Permissions::from_mode(0o710)).unwrap();
    env.undo(&format!("checkout-tree ../kept {}", id(&env, "@:modes"))).ok();
    assert_eq!(fs::metadata(&kept_mode).unwrap().permissions().mode() & 0o7777, 0o710);
    env.undo("checkout-tree ../entry @:read-only").ok();
    assert_eq!(fs::metadata(env.root().join("entry")).unwrap().permissions().mode() & 0o7777, 0o555);
    let json = env.undo("--json checkout-tree ../inner @:links").ok().json().remove(0);
    let expected = serde_json::json!({"type": "export", "id": id(&env, "@:links"), "destination": "../inner",
        "entries": 4, "bytes": 12, "inexact": [], "damaged": [], "purged": [], "torn": []});
    assert_eq!(json, expected);
    env.undo("--json checkout-tree inside @:links/a").ok();
    assert!(env.path().join("inside/b/two").exists());
}

#[test]
fn checkout_tree_refuses_non_empty_directory() {
    let env = history();
    let blob = id(&env, "@:notes.txt");
    let tree = env.undo_with_stdin("mktree", format!("100644 blob {blob} 0:0 5.0 -\t.undo\n")).ok().text();
    let links = env.undo_with_stdin("mklinks", "notes.txt\tlink\n").ok().text();
    for (line, code, words) in [
        ("checkout-tree . @".to_owned(), 4, "is not empty"),
        ("checkout-tree notes.txt @".to_owned(), 4, "already exists and is not a directory"),
        ("checkout-tree .undo/out @".to_owned(), 4, "is in the repository"),
        (format!("checkout-tree ../out {blob}"), 2, "is a blob, not a tree or a commit"),
        (format!("checkout-tree ../out @ {blob}"), 2, "not a table of hard links"),
        (format!("checkout-tree ../out @ {links}"), 2, "`notes.txt` differs from `link`"),
        (format!("checkout-tree ../out {tree}"), 4, "has `.undo` in it"),
    ] {
        let output = env.undo(&line).fails(code);
        assert!(String::from_utf8_lossy(&output.stderr).contains(words), "{line}\n{output}");
        assert!(!env.root().join("out").exists(), "{line}");
    }
    assert_eq!(env.undo("status --json").ok().json().len(), 1);
}
