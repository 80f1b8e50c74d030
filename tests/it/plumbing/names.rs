//! `rev-parse`: names of objects.

use snapbox::str;

use super::history;

#[test]
fn rev_parse_resolves_all_name_forms() {
    let env = history();
    let id = |name: &str| env.undo(&format!("rev-parse {name}")).text();
    assert_eq!(id("@:notes.txt").trim_end(), blake3::hash(b"three\n").to_hex().as_str());
    assert_eq!(id("@~2"), id("v1"));
    assert_eq!(id("side"), id("main~1"));
    assert_eq!(id("@:"), id("@^{tree}"));
    assert_ne!(id("@:"), id("@"));
    for name in ["@", "@:", "@:data", "@:data/a.csv"] {
        let whole = id(name);
        assert_eq!(id(whole.trim_end()), whole);
        assert_eq!(id(&whole[..12]), whole);
        assert_eq!(id(&format!("--short {name}")).trim_end(), &whole[..8]);
        assert_eq!(id(&format!("--short=12 --verify {name}")).trim_end(), &whole[..12]);
    }
    assert_eq!(id("v1..@"), format!("{}^{}", id("@"), id("v1")));
    assert_eq!(id("--all"), format!("{}{}{}", id("main"), id("side"), id("v1")));
    assert_eq!(id("--show-toplevel").trim_end(), env.path().canonicalize().unwrap().to_str().unwrap());
}

#[test]
fn ref_name_wins_over_id_prefix() {
    let env = history();
    let tree = env.undo("rev-parse @:").text();
    env.undo(&format!("branch {} v1", &tree[..6])).ok();
    assert_eq!(env.undo(&format!("rev-parse {}", &tree[..6])).text(), env.undo("rev-parse v1").text());
    assert_eq!(env.undo(&format!("rev-parse {}", &tree[..7])).text(), tree);
}

#[test]
fn rev_parse_reports_unknown_names() {
    let env = history();
    env.undo("rev-parse nonsense").shows(str![[r#"
---- stderr ----
error: revision `nonsense` does not exist
hint: list commits with `undo log`, and names with `undo branch` and `undo tag`
[exit 2]

"#]]);
    env.undo("rev-parse @:nowhere").shows(str![[r#"
---- stderr ----
error: `nowhere` does not exist in commit [ID]
hint: undo ls [ID]
[exit 2]

"#]]);
    env.undo("rev-parse @:link").shows(str![[r#"
---- stderr ----
error: `@:link` is a symlink, which has no object
hint: to see its entry: undo ls-tree
[exit 2]

"#]]);
    env.undo("rev-parse @:notes.txt^{tree}").shows(str![[r#"
---- stderr ----
error: `@:notes.txt` is a blob, not a tree or a commit
hint: `undo cat-file -t OBJECT` prints the type of an object
[exit 2]

"#]]);
    env.undo("rev-parse --verify v1..@").shows(str![[r#"
---- stderr ----
error: `v1..@` is a range, not a single commit
hint: leave out --verify
[exit 2]

"#]]);
    env.undo("rev-parse --verify").shows(str![[r#"
---- stderr ----
error: --verify needs exactly one name, not 0
hint: undo rev-parse --verify @
[exit 2]

"#]]);
    env.undo("rev-parse 0000000000000000000000000000000000000000000000000000000000000000").shows(str![[r#"
---- stderr ----
error: no object `[ID]` in this repository
hint: list all reachable objects with `undo rev-list --objects --all`
[exit 2]

"#]]);
    env.undo("--json rev-parse v1..@ @:data").shows(str![[r#"
{"type":"object","id":"[ID]","excluded":false}
{"type":"object","id":"[ID]","excluded":true}
{"type":"object","id":"[ID]","excluded":false}

"#]]);
}
