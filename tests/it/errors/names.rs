//! Names of branches and tags.

use snapbox::{assert_data_eq, str};

use super::{each, history};

#[test]
fn ambiguous_names_are_refused() {
    let env = history();
    let names = ["'a b'", "a..b", "@", "latest", "a~1", "a^", "a:b", "''", "a/", "/a", "a//b", ".a", "a.lock", "-- -x"];
    for name in names {
        env.undo(&format!("tag {name}")).fails(2);
    }
    assert_data_eq!(
        each(&env, &names.map(|name| format!("branch {name}")).each_ref().map(String::as_str)),
        str![[r#"
$ undo branch 'a b'
---- stderr ----
error: `a b` is not a valid branch or tag name: it contains a space
hint: use letters, digits, `-`, `_`, `.` and `/`, as in `before-cleanup`
[exit 2]
$ undo branch a..b
---- stderr ----
error: `a..b` is not a valid branch or tag name: it contains `..`
hint: use letters, digits, `-`, `_`, `.` and `/`, as in `before-cleanup`
[exit 2]
$ undo branch @
---- stderr ----
error: `@` is not a valid branch or tag name: it always means a commit
hint: use letters, digits, `-`, `_`, `.` and `/`, as in `before-cleanup`
[exit 2]
$ undo branch latest
---- stderr ----
error: `latest` is not a valid branch or tag name: it always means a commit
hint: use letters, digits, `-`, `_`, `.` and `/`, as in `before-cleanup`
[exit 2]
$ undo branch a~1
---- stderr ----
error: `a~1` is not a valid branch or tag name: it contains `~`
hint: use letters, digits, `-`, `_`, `.` and `/`, as in `before-cleanup`
[exit 2]
$ undo branch a^
---- stderr ----
error: `a^` is not a valid branch or tag name: it contains `^`
hint: use letters, digits, `-`, `_`, `.` and `/`, as in `before-cleanup`
[exit 2]
$ undo branch a:b
---- stderr ----
error: `a:b` is not a valid branch or tag name: it contains `:`
hint: use letters, digits, `-`, `_`, `.` and `/`, as in `before-cleanup`
[exit 2]
$ undo branch ''
---- stderr ----
error: `` is not a valid branch or tag name: it is empty
hint: use letters, digits, `-`, `_`, `.` and `/`, as in `before-cleanup`
[exit 2]
$ undo branch a/
---- stderr ----
error: `a/` is not a valid branch or tag name: it ends in `/`
hint: use letters, digits, `-`, `_`, `.` and `/`, as in `before-cleanup`
[exit 2]
$ undo branch /a
---- stderr ----
error: `/a` is not a valid branch or tag name: it begins with `/`
hint: use letters, digits, `-`, `_`, `.` and `/`, as in `before-cleanup`
[exit 2]
$ undo branch a//b
---- stderr ----
error: `a//b` is not a valid branch or tag name: it contains `//`
hint: use letters, digits, `-`, `_`, `.` and `/`, as in `before-cleanup`
[exit 2]
$ undo branch .a
---- stderr ----
error: `.a` is not a valid branch or tag name: it begins with `.`
hint: use letters, digits, `-`, `_`, `.` and `/`, as in `before-cleanup`
[exit 2]
$ undo branch a.lock
---- stderr ----
error: `a.lock` is not a valid branch or tag name: it ends in `.lock`
hint: use letters, digits, `-`, `_`, `.` and `/`, as in `before-cleanup`
[exit 2]
$ undo branch -- -x
---- stderr ----
error: `-x` is not a valid branch or tag name: it begins with `-`
hint: use letters, digits, `-`, `_`, `.` and `/`, as in `before-cleanup`
[exit 2]

"#]]
    );
    env.undo(&format!("tag {}", "x".repeat(201))).shows(str![[r#"
---- stderr ----
error: `xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx` is not a valid branch or tag name: it is longer than 200 bytes
hint: use letters, digits, `-`, `_`, `.` and `/`, as in `before-cleanup`
[exit 2]

"#]]);
    env.undo("branch -m 'a\tb'").shows(str![[r#"
---- stderr ----
error: `a/tb` is not a valid branch or tag name: it contains `/t`
hint: use letters, digits, `-`, `_`, `.` and `/`, as in `before-cleanup`
[exit 2]

"#]]);
    env.undo("branch --list").shows(str![[r#"
@ main                 [ID]  2026-01-05 08:03:00 (32 minutes ago)  two

"#]]);
}

#[test]
fn existing_and_missing_names_are_errors() {
    let env = history();
    env.undo("branch trial").ok();
    env.undo("branch trial").shows(str![[r#"
---- stderr ----
error: branch `trial` already exists, at [ID]
hint: undo branch
[exit 2]

"#]]);
    env.undo("tag trial").shows(str![[r#"
---- stderr ----
error: a branch `trial` already exists
hint: branches and tags share one namespace; choose another name
[exit 2]

"#]]);
    env.undo("branch one").shows(str![[r#"
---- stderr ----
error: a tag `one` already exists
hint: branches and tags share one namespace; choose another name
[exit 2]

"#]]);
    env.undo("tag one").shows(str![[r#"
---- stderr ----
error: tag `one` already exists, at [ID]
hint: to move it: undo tag -f one [ID]
[exit 2]

"#]]);
    env.undo("branch -d none").shows(str![[r#"
---- stderr ----
error: no branch `none`
hint: undo branch
[exit 2]

"#]]);
    env.undo("branch -d main").shows(str![[r#"
---- stderr ----
error: `main` is the current branch
hint: switch to another branch first: undo checkout BRANCH
[exit 4]

"#]]);
    env.undo("branch -d trial none").shows(str![[r#"
---- stderr ----
error: no branch `none`
hint: undo branch
[exit 2]

"#]]);
    env.undo("branch -m none other").shows(str![[r#"
---- stderr ----
error: no branch `none`
hint: undo branch
[exit 2]

"#]]);
    env.undo("branch -m trial main").shows(str![[r#"
---- stderr ----
error: branch `main` already exists
[exit 2]

"#]]);
    env.undo("tag -d none").shows(str![[r#"
---- stderr ----
error: no tag `none`
hint: undo tag
[exit 2]

"#]]);
    env.undo("tag new nonsense").shows(str![[r#"
---- stderr ----
error: revision `nonsense` does not exist
hint: list commits with `undo log`, and names with `undo branch` and `undo tag`
[exit 2]

"#]]);
    env.undo("branch --list").shows(str![[r#"
@ main                 [ID]  2026-01-05 08:03:00 (14 minutes ago)  two
  trial                [ID]  2026-01-05 08:03:00 (14 minutes ago)  two

"#]]);
}

#[test]
fn hints_quote_names_for_the_shell() {
    let env = history();
    env.write("it's $here/file", "one");
    env.undo("commit -m odd").ok();
    let pasted = |script: &str| {
        let report = String::from_utf8(env.shell(script).stderr).unwrap();
        let command = report.trim_end().rsplit_once("hint: ").unwrap().1;
        let command = command.rsplit_once(": ").map_or(command, |(_, command)| command);
        env.shell(command).ok().text()
    };
    let odd = r#"undo branch "a;b\$c'd""#;
    assert!(pasted(odd).starts_with("a;b$c'd "));
    assert!(pasted(r#"undo branch -m main "it's""#).starts_with("renamed branch main"));
    env.undo("checkout main").ok();
    assert!(pasted(odd).contains("  a;b$c'd "));
    env.undo("tag t").ok();
    assert!(pasted(r#"undo tag -m t "t;'u""#).starts_with("renamed tag t "));
    assert_eq!(pasted(r#"undo cat "@:it's \$here""#), "it's $here/file\n");
}
