//! Patterns and exclusions in path arguments, compared with git's pathspecs, and in every command that takes paths.

use std::collections::BTreeSet;
use std::ffi::{OsStr, OsString};
use std::fs;
use std::io::Write;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::PathBuf;
use std::process::Stdio;

use snapbox::str;
use undo::internals::worktree::paths::select;
use undo::path::{RepoPath, RepoPathBuf};

use crate::env::TestEnv;
use crate::random::Random;

/// Parts of random names and patterns.
const NAMES: [&str; 8] = ["a", "b", "ab", "a.c", "b.c", "a b", "é", "[x]"];
const PIECES: [&str; 14] =
    ["*", "?", "a", "b", ".c", "/", "**", "[ab]", "[!a]", "**/", "/**", "a/", "\\*", "[[:alpha:]]"];

fn repo_path(text: &str) -> RepoPathBuf {
    RepoPathBuf::new(text.as_bytes().to_vec()).unwrap()
}

fn random_paths(random: &mut Random) -> BTreeSet<String> {
    let mut paths: BTreeSet<String> = BTreeSet::new();
    for _ in 0..random.below(12) + 3 {
        let names: Vec<&str> = (0..random.below(3) + 1).map(|_| NAMES[random.below(NAMES.len())]).collect();
        let path = names.join("/");
        let is_free =
            |other: &String| !other.starts_with(&format!("{path}/")) && !path.starts_with(&format!("{other}/"));
        if paths.iter().all(is_free) {
            paths.insert(path);
        }
    }
    paths
}

fn random_pattern(random: &mut Random) -> String {
    let magic = ["", "", "", "", ":(glob)", ":/", ":(top,glob)"][random.below(7)];
    let pieces: String = (0..random.below(4) + 1).map(|_| PIECES[random.below(PIECES.len())]).collect();
    // A leading `/` is an absolute path, and undo ignores one at the end.
    format!("{magic}{}", pieces.trim_matches('/'))
}

/// The paths that git selects in an index with these paths.
fn git_selects(env: &TestEnv, paths: &BTreeSet<String>, pattern: &str) -> BTreeSet<String> {
    let index = env.root().join("index");
    let _ = fs::remove_file(&index);
    let mut update = env.command("git");
    update.env("GIT_INDEX_FILE", &index).args(["update-index", "-z", "--index-info"]).stdin(Stdio::piped());
    let mut child = update.spawn().unwrap();
    let lines: String =
        paths.iter().map(|path| format!("100644 e69de29bb2d1d6434b8b29ae775ad8c2e48c5391 0\t{path}\0")).collect();
    child.stdin.take().unwrap().write_all(lines.as_bytes()).unwrap();
    assert!(child.wait().unwrap().success());
    let mut list = env.command("git");
    let output = list.env("GIT_INDEX_FILE", &index).args(["ls-files", "-z", "--", pattern]).output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    text.split_terminator('\0').map(str::to_owned).collect()
}

/// What git selects if a pattern that matches a directory selects everything in it: for each depth, git sees the names of
/// that depth as files.
fn expected(env: &TestEnv, paths: &BTreeSet<String>, pattern: &str) -> BTreeSet<String> {
    let mut selected = BTreeSet::new();
    for depth in 1..=3 {
        let prefix = |path: &String| path.split('/').take(depth).collect::<Vec<_>>().join("/");
        let deep = || paths.iter().filter(|path| path.split('/').count() >= depth);
        let found = git_selects(env, &deep().map(prefix).collect(), pattern);
        selected.extend(deep().filter(|path| found.contains(&prefix(path))).cloned());
    }
    selected
}

#[test]
fn patterns_match_as_in_git() {
    let env = TestEnv::new();
    assert!(env.command("git").args(["init", "-q", "."]).status().unwrap().success());
    let mut random = Random::new(51);
    let (mut compared, mut selected) = (0, 0);
    for _ in 0..40 {
        let paths = random_paths(&mut random);
        for _ in 0..10 {
            let (included, excluded) = (random_pattern(&mut random), random_pattern(&mut random));
            let excluded = excluded.trim_start_matches(|letter| ":(topglb,)/".contains(letter));
            let has_exclusion = !excluded.is_empty() && random.below(3) == 0;
            let mut arguments = vec![PathBuf::from(&included)];
            arguments.extend(has_exclusion.then(|| PathBuf::from(format!(":!{excluded}"))));
            // git skips patterns that are not valid; undo reports them.
            let Ok(selection) = select(&env.path(), &env.path(), &arguments, &|_| false) else { continue };
            let ours: BTreeSet<String> =
                paths.iter().filter(|path| selection.selects(&repo_path(path))).cloned().collect();
            let mut theirs = expected(&env, &paths, &included);
            if has_exclusion {
                let without = expected(&env, &paths, excluded);
                theirs.retain(|path| !without.contains(path));
            }
            assert_eq!(ours, theirs, "{arguments:?} of {paths:?}");
            compared += 1;
            selected += usize::from(!ours.is_empty());
        }
    }
    assert!(compared > 300 && selected > 100, "{compared} {selected}");
}

#[test]
fn patterns_are_relative_to_the_current_directory() {
    let env = TestEnv::new();
    env.write("sub/deep/x", "");
    let selects = |directory: &str, arguments: &[&str], path: &str| {
        let arguments: Vec<PathBuf> = arguments.iter().map(PathBuf::from).collect();
        let is_path = |path: &RepoPath| path.as_bytes() == b"sub/[1]";
        select(&env.path(), &env.path().join(directory), &arguments, &is_path).unwrap().selects(&repo_path(path))
    };
    for (argument, path, is_selected) in [
        ("*.c", "sub/a.c", true),
        ("*.c", "sub/deep/a.c", true),
        ("*.c", "a.c", false),
        ("../*.c", "a.c", true),
        ("deep/../*.c", "sub/a.c", true),
        (":/*.c", "a.c", true),
        (":(top)*.c", "other/a.c", true),
        (":(glob)*.c", "sub/deep/a.c", false),
        (":(glob)**/*.c", "sub/deep/a.c", true),
        (":(literal)*.c", "sub/a.c", false),
        (":(literal)*.c", "sub/*.c", true),
        ("[1]", "sub/[1]", true),
        ("[1]", "sub/1", false),
        ("[12]", "sub/1", true),
        ("de*", "sub/deep/x", true),
        (":!*.c", "a.c", true),
        (":!*.c", "sub/a.c", false),
        (":^/a.c", "sub/a.c", true),
        (":/!sub", "sub/a.c", false),
        ("./:x", "sub/:x", true),
        (":/", "x", true),
    ] {
        assert_eq!(selects("sub", &[argument], path), is_selected, "{argument} {path}");
    }
    for invalid in [":(icase)x", ":(top", "[a", "a\\", ":!", "", ":/..", "../../*", "*/../x"] {
        assert!(select(&env.path(), &env.path().join("sub"), &[invalid.into()], &|_| false).is_err(), "{invalid}");
    }
}

/// Two commits, and changes since then.
fn worktree() -> TestEnv {
    let env = TestEnv::initialised();
    for path in ["a.csv", "a.txt", "data/b.csv", "data/b.txt", "data/raw/c.csv", "*star"] {
        env.write(path, "first\n");
    }
    env.undo("commit -m first").ok();
    env.write("data/raw/c.csv", "second\n");
    fs::remove_file(env.path().join("data/b.txt")).unwrap();
    env.undo("commit -m second").ok();
    for path in ["a.csv", "a.txt", "data/b.csv", "data/raw/new.csv", "*star"] {
        env.write(path, "third\n");
    }
    env
}

/// The subjects that `log` lists.
fn subjects(env: &TestEnv, arguments: &str) -> Vec<String> {
    let listed = env.undo(&format!("log --json {arguments}")).ok().json();
    let message = |commit: &serde_json::Value| Some(commit.get("message")?.as_str()?.to_owned());
    listed.iter().filter_map(message).collect()
}

#[test]
fn every_command_takes_patterns() {
    let env = worktree();
    env.undo("status '*.csv'").shows(str![[r#"
on main at [ID], 60 seconds ago  second
  modified  a.csv
  modified  data/b.csv
  added     data/raw/new.csv
3 changes: 1 added, 2 modified

"#]]);
    env.undo("status ':!*.csv' ':!\\*star'").shows(str![[r#"
on main at [ID], 2 minutes ago  second
  modified  a.txt
1 change: 1 modified

"#]]);
    env.undo("-C data status '*.csv'").shows(str![[r#"
on main at [ID], 3 minutes ago  second
  modified  b.csv
  added     raw/new.csv
2 changes: 1 added, 1 modified

"#]]);
    env.undo("status '*.cvs' gone").shows(str![[r#"
on main at [ID], 4 minutes ago  second
no changes
---- stderr ----
warning: nothing to compare
  gone  on neither side
warning: no path matches `*.cvs`

"#]]);
    env.undo("status --json '*.cvs'").shows(str![[r#"
{"type":"summary","clean":true,"added":0,"modified":0,"deleted":0,"renamed":0,"retyped":0,"metadata":0,"ignored":0}
---- stderr ----
{"type":"warning","message":"no path matches `*.cvs`","paths":[]}

"#]]);
    env.undo("diff --name-only '*.csv' ':!data/raw'").shows(str![[r#"
a.csv
data/b.csv

"#]]);
    env.undo("diff --name-only @~ @ -- '*.txt'").shows(str![[r#"
data/b.txt

"#]]);
    env.undo("diff --name-only '*star'").shows(str![[r#"
*star

"#]]);
    assert_eq!(subjects(&env, "'*.txt'"), ["second", "first"]);
    assert_eq!(subjects(&env, "-- 'data/*.csv' ':!data/b*'"), ["second", "first"]);
    assert_eq!(subjects(&env, "-- ':(glob)data/*.csv'"), ["first"]);
    assert_eq!(subjects(&env, "-- '*.x'"), [""; 0]);
    env.undo("ls '*.csv'").shows(str![[r#"
a.csv
data/b.csv
data/raw/c.csv

"#]]);
    env.undo("ls '@~:data/*.txt'").shows(str![[r#"
data/b.txt

"#]]);
    env.undo("ls -R 'da*'").shows(str![[r#"
data/
data/b.csv
data/raw/
data/raw/c.csv

"#]]);
    env.undo("ls '*.x'").shows(str![[r#"
---- stderr ----
error: no path matches `*.x`
hint: to list paths: undo ls -R
[exit 2]

"#]]);
    env.undo("ls '@:[a'").shows(str![[r#"
---- stderr ----
error: `@:[a` is not a valid pattern: `[` has no closing `]`; for a literal bracket write `/[`
hint: undo help paths
[exit 2]

"#]]);
    env.undo("restore -n '*.csv'").shows(str![[r#"
  replace  a.csv
  replace  data/b.csv
  remove   data/raw/new.csv
3 changes, 5 unchanged; unsaved changes would be recorded first

"#]]);
    env.undo("restore '*.csv' ':!data/raw'").ok();
    assert_eq!((env.read("a.csv"), env.read("data/raw/new.csv")), (b"first\n".to_vec(), b"third\n".to_vec()));
    assert_eq!((env.read("data/b.csv"), env.read("a.txt")), (b"first\n".to_vec(), b"third\n".to_vec()));
    env.undo("restore --from @~ 'data/*.txt'").ok();
    assert_eq!(env.read("data/b.txt"), b"first\n");
    env.undo("restore '*.x'").shows(str![[r#"
---- stderr ----
error: no path matches `*.x`
hint: to list paths: undo ls -R
[exit 2]

"#]]);
    env.undo("restore '*.txt' ':!:/'").shows(str![[r#"
---- stderr ----
error: `/` is outside the worktree `[ROOT]/work`
hint: to use another worktree: undo -C DIR …
[exit 2]

"#]]);
    env.undo("commit -n 'data/*.csv'").shows(str![[r#"
would record 1 change: 1 added  (0 B read)

"#]]);
    env.undo("commit 'data/*.csv' -m csv").ok();
    env.undo("diff --name-status @~ @").shows(str![[r#"
A	data/raw/new.csv

"#]]);
    env.undo("checkout @ -- '[*]star'").ok();
    assert_eq!(env.read("*star"), b"first\n");
    env.undo("commit ':(icase)x'").shows(str![[r#"
---- stderr ----
error: `:(icase)x` has a word other than `top`, `exclude`, `literal` and `glob`
hint: undo help paths
[exit 2]

"#]]);
    env.undo("commit '[a'").shows(str![[r#"
---- stderr ----
error: `[a` is not a valid pattern: `[` has no closing `]`; for a literal bracket write `/[`
hint: undo help paths
[exit 2]

"#]]);
}

#[test]
fn deleted_paths_need_no_separator() {
    let env = worktree();
    assert_eq!(subjects(&env, "data/b.txt"), ["second", "first"]);
    env.undo("diff data/b.txt").shows(str![[r#"
---- stderr ----
warning: nothing to compare
  data/b.txt  on neither side

"#]]);
    env.undo("diff --name-status @~ @ data/b.txt").shows(str![[r#"
D	data/b.txt

"#]]);
    env.undo("ls data/b.txt").shows(str![[r#"
data/b.txt
---- stderr ----
the current commit does not have it; the last one that does is [ID]

"#]]);
    env.undo("cat data/b.txt").shows(str![[r#"
first
---- stderr ----
the current commit does not have it; the last one that does is [ID]

"#]]);
    env.undo("show data/b.txt").shows(str![[r#"
first
---- stderr ----
the current commit does not have it; the last one that does is [ID]

"#]]);
    env.undo("cat @:data/b.txt").shows(str![[r#"
---- stderr ----
error: `data/b.txt` does not exist in commit [ID]
hint: it was last in [ID]: undo cat [ID]:data/b.txt
[exit 2]

"#]]);
    env.undo("-C data ls @:./b.txt").shows(str![[r#"
---- stderr ----
error: `b.txt` does not exist in commit [ID]
hint: it was last in [ID]: undo ls [ID]:data/b.txt
[exit 2]

"#]]);
    env.undo("restore data/b.txt").shows(str![[r#"
---- stderr ----
error: `data/b.txt` is neither in commit [ID] nor here
hint: it was last in [ID]: undo restore --from [ID] data/b.txt
[exit 2]

"#]]);
    env.undo("-C data restore b.txt --json").shows(str![[r#"
---- stderr ----
{"type":"error","code":"not-found","message":"`data/b.txt` is neither in commit [ID] nor here","hint":"it was last in [ID]: undo restore --from [ID] data/b.txt","exit":2,"paths":[{"path":"data/b.txt"}]}
[exit 2]

"#]]);
    env.undo("restore --from @~ data/b.txt").ok();
    assert_eq!(env.read("data/b.txt"), b"first\n");
    env.undo("diff typo").shows(str![[r#"
---- stderr ----
error: `typo` is neither a revision nor a path
hint: to list commits: undo log; to list paths: undo ls -R
[exit 2]

"#]]);
    env.undo("log typo").shows(str![[r#"
---- stderr ----
error: `typo` is neither a revision nor a path
hint: to list commits: undo log; to list paths: undo ls -R
[exit 2]

"#]]);
    env.undo("log mian").shows(str![[r#"
---- stderr ----
error: `mian` is neither a revision nor a path
hint: did you mean `main`?
[exit 2]

"#]]);
    env.undo("log typo~2").shows(str![[r#"
---- stderr ----
error: revision `typo` does not exist
hint: list commits with `undo log`, and names with `undo branch` and `undo tag`
[exit 2]

"#]]);
    env.undo("log @~99").shows(str![[r#"
---- stderr ----
error: revision `@~99` does not exist: history does not go back that far
hint: list commits with `undo log`
[exit 2]

"#]]);
    env.undo("cat typo").shows(str![[r#"
---- stderr ----
error: revision `typo` does not exist
hint: list commits with `undo log`, and names with `undo branch` and `undo tag`
[exit 2]

"#]]);
    env.undo("log --grep nothing").shows(str![[r#"
---- stderr ----
no commits match

"#]]);
    env.undo("export data ../out").ok();
    assert!(env.root().join("out/b.csv").exists());
}

#[test]
fn names_that_are_not_utf_8_are_accepted() {
    let env = TestEnv::initialised();
    let name = OsStr::from_bytes(b"odd\xff");
    fs::write(env.path().join(name), "1\n").unwrap();
    env.undo("commit -m odd").ok();
    fs::write(env.path().join(name), "2\n").unwrap();
    let revision = |prefix: &str| OsString::from_vec([prefix.as_bytes(), name.as_bytes()].concat());
    let path = name.to_owned();
    for (command, argument) in [
        ("status", path.clone()),
        ("diff", path.clone()),
        ("log", path.clone()),
        ("show", path.clone()),
        ("show", revision("@:")),
        ("cat", revision("@:./")),
        ("ls", path.clone()),
        ("ls", revision(":/")),
        ("commit", path.clone()),
        ("restore", path.clone()),
        ("log", OsString::from_vec(b"od*\xff".to_vec())),
        ("ls", OsString::from_vec(b"@:?dd\xff".to_vec())),
    ] {
        let output = env.command(env!("CARGO_BIN_EXE_undo")).arg(command).arg(&argument).output().unwrap();
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success() && !stderr.contains("warning"), "{command} {argument:?}: {stderr}");
        assert!(!output.stdout.is_empty(), "{command} {argument:?}");
    }
    // bash reads the printed name back.
    env.shell(r#"test "$(eval printf %s "$(undo ls)")" = $'odd\xff' && eval undo log --oneline -- "$(undo ls)""#).ok();
    let output = env.command(env!("CARGO_BIN_EXE_undo")).arg("log").arg(OsStr::from_bytes(b"no\xfe")).output().unwrap();
    assert_eq!(output.status.code(), Some(0));
}

#[test]
fn a_name_with_wildcards_means_that_path_in_every_commit() {
    let env = TestEnv::initialised();
    for path in ["*", "[b]", "a", "b"] {
        env.write(path, "first\n");
    }
    env.undo("commit -m first").ok();
    for path in ["*", "[b]"] {
        fs::remove_file(env.path().join(path)).unwrap();
    }
    env.undo("commit -m second").ok();
    for path in ["a", "b"] {
        env.write(path, "second\n");
    }
    for command in ["restore --from @~1 '*'", "checkout @~1 -- '*'"] {
        env.undo(command).ok();
        assert_eq!([env.read("*"), env.read("a"), env.read("b")], ["first\n", "second\n", "second\n"].map(Vec::from));
        env.undo("undo").ok();
    }
    env.undo("restore --from @~1 '[b]'").ok();
    assert_eq!([env.read("[b]"), env.read("b")], ["first\n", "second\n"].map(Vec::from));
    fs::remove_file(env.path().join("[b]")).unwrap();
    env.undo("export -q @~1 ../exported '*'").ok();
    let exported = env.root().join("exported");
    assert!(exported.join("*").exists() && !exported.join("a").exists());
    env.undo("diff --name-only @~1 -- '*'").shows(str![[r#"
*

"#]]);
}
