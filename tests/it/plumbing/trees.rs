//! Trees and tables of hard links: `ls-tree`, `mktree`, `mklinks`.

use std::os::unix::fs::symlink;

use snapbox::str;

use super::{assert_refused, history, id, kept};
use crate::env::TestEnv;
use crate::kinds;

/// Creates a file whose name has every kind of byte that needs quotes, in a folder, and a link.
fn odd_names() -> TestEnv {
    use std::os::unix::ffi::OsStrExt;
    let env = TestEnv::initialised();
    let folder = env.path().join("odd");
    std::fs::create_dir(&folder).unwrap();
    for name in [&b"new\nline"[..], b"tab\there", b"a \"quoted\" \\", b"\xff\xfe", "\u{e9}".as_bytes(), b" "] {
        std::fs::write(folder.join(std::ffi::OsStr::from_bytes(name)), "x").unwrap();
    }
    symlink("to\n\"there\"", folder.join("a\tlink")).unwrap();
    env.undo("commit -m odd").ok();
    env
}

/// Removes the variable fields: owner and time.
fn names(env: &TestEnv, line: &str) -> String {
    env.undo(&format!("ls-tree --name-only {line}")).ok().text().lines().collect::<Vec<_>>().join(" ")
}

#[test]
fn ls_tree_matches_git() {
    let env = TestEnv::initialised();
    for path in ["a/b/deep", "a/b/deeper", "a/one", "b", "c/x", "a-b"] {
        env.write(path, path);
    }
    std::fs::create_dir(env.path().join("c/empty")).unwrap();
    env.undo("commit").ok();
    for (line, listed) in [
        ("@", "a a-b b c"),
        ("-r @", "a/b/deep a/b/deeper a/one a-b b c/x"),
        ("-r -t @", "a a/b a/b/deep a/b/deeper a/one a-b b c c/empty c/x"),
        ("-t @", "a a-b b c"),
        ("-d @", "a c"),
        ("-d -r @", "a a/b c c/empty"),
        ("@ a", "a"),
        ("@ a/", "a/b a/one"),
        ("-d @ a/", "a/b"),
        ("@ a a/", "a a/b a/one"),
        ("@ a/b/deep c/x", "a/b/deep c/x"),
        ("-t @ a/b/deep", "a a/b a/b/deep"),
        ("-r @ a", "a/b/deep a/b/deeper a/one"),
        ("-r @ a/b/", "a/b/deep a/b/deeper"),
        ("-r -t @ a/b/", "a a/b a/b/deep a/b/deeper"),
        ("-r @ b a/b", "a/b/deep a/b/deeper b"),
        ("@ nowhere a/b/nowhere b/ b/x", ""),
        ("@:a", "b one"),
        ("@:a b/", "b/deep b/deeper"),
        ("@:c/empty", ""),
    ] {
        assert_eq!(names(&env, line), listed, "{line}");
    }
    assert_eq!(names(&env, &id(&env, "@:a")), "b one");
    assert_eq!(names(&env, &id(&env, "@:a")[..10]), "b one");
}

#[test]
fn entry_lines_are_complete() {
    let env = odd_names();
    let clock = std::time::UNIX_EPOCH + std::time::Duration::new(1_000_000_000, 5);
    let path = env.path().join("file");
    std::fs::write(&path, "twelve bytes").unwrap();
    std::fs::File::open(&path).unwrap().set_modified(clock).unwrap();
    env.undo("commit").ok();
    let blob = blake3::hash(b"twelve bytes").to_hex();
    let owner = env.undo("ls-tree --format %(owner) @ file").text();
    let owner = owner.trim_end();
    let line = |options: &str| env.undo(&format!("ls-tree {options} @ file")).ok().text();
    assert_eq!(line(""), format!("100644 blob {blob} {owner} 1000000000.000000005 -\tfile\n"));
    assert_eq!(line("-z"), format!("100644 blob {blob} {owner} 1000000000.000000005 -\tfile\0"));
    assert_eq!(line("-l"), format!("100644 blob {blob} 12 {owner} 1000000000.000000005 -\tfile\n"));
    assert_eq!(
        line("--format '%(objectmode) %(objecttype)%x3a%(objectsize) %% %(mtime)%(attributes)[%(target)]'"),
        "100644 blob:12 % 1000000000.000000005-[]\n"
    );
    let words = env.undo("ls-tree --format '%(objectsize) %(path) %(target)' @:odd").ok().text();
    let expected = [
        r"1   ",
        r#"- "a\tlink" "to\n\"there\"""#,
        r#"1 "a \"quoted\" \\" "#,
        r#"1 "new\nline" "#,
        r#"1 "tab\there" "#,
        "1 é ",
        r#"1 "\377\376" "#,
    ];
    assert_eq!(words.lines().collect::<Vec<_>>(), expected);
    let raw = env.undo("ls-tree -z --format '%(path)>%(target)' @:odd").ok().stdout;
    assert_eq!(raw, b" >\0a\tlink>to\n\"there\"\0a \"quoted\" \\>\0new\nline>\0tab\there>\0\xc3\xa9>\0\xff\xfe>\0");
    assert_eq!(env.undo("ls-tree --format %(objectsize) @ odd").text(), "-\n");
}

#[test]
fn json_entries_have_attributes_and_exact_names() {
    let env = odd_names();
    env.write("named", "x");
    let flags = rustix::fs::XattrFlags::empty();
    rustix::fs::setxattr(env.path().join("named"), "user.a", b"b", flags).unwrap();
    env.undo("commit").ok();
    let lines = env.undo("ls-tree --json -r @").ok().json();
    let attributes = env.undo("ls-tree --format %(attributes) @ named").text();
    let named = lines.iter().find(|line| line["path"] == "named").unwrap();
    assert_eq!(named["attributes"], attributes.trim_end());
    assert_eq!((&named["type"], &named["kind"], &named["size"]), (&"entry".into(), &"file".into(), &1.into()));
    let exact: Vec<_> = lines.iter().filter_map(|line| line["path_bytes"].as_str()).collect();
    assert_eq!(exact, ["b2RkL//+"]);
    assert!(lines.iter().any(|line| line["path"] == "odd/a\tlink" && line["target"]["path"] == "to\n\"there\""));
    assert_eq!(lines.last().unwrap(), &serde_json::json!({"type": "summary", "entries": 8, "bytes": 7}));
}

#[test]
fn ls_tree_rejects_non_trees() {
    let env = history();
    env.undo("ls-tree @:notes.txt").shows(str![[r#"
---- stderr ----
error: `@:notes.txt` is a blob, not a tree or a commit
hint: `undo cat-file -t OBJECT` prints the type of an object
[exit 2]

"#]]);
    let blob = id(&env, "@:notes.txt");
    for (line, words) in [
        (format!("ls-tree {blob}"), "is a blob, not a tree or a commit"),
        (format!("ls-tree {}", &blob[..9]), "is a blob, not a tree or a commit"),
        ("ls-tree nonsense".into(), "revision `nonsense` does not exist"),
        (format!("ls-tree {}", "0".repeat(64)), "no object"),
        ("ls-tree @:nowhere".into(), "`nowhere` does not exist in commit"),
        ("ls-tree @ /data".into(), "`/data` is not a valid path in a tree"),
        ("ls-tree @ ../data".into(), "`../data` is not a valid path in a tree"),
        ("ls-tree @ ''".into(), "`` is not a valid path in a tree"),
        ("ls-tree @ /".into(), "`/` is not a valid path in a tree"),
        ("ls-tree --format '%(nonsense)' @".into(), "malformed format: no field `nonsense`"),
        ("ls-tree --format '%(path' @".into(), "malformed format: a `)` is missing"),
        ("ls-tree --format 100% @".into(), "malformed format: `%` alone"),
        ("ls-tree --json --format %x0 @".into(), "malformed format: two hex digits"),
        ("ls-tree -l --name-only @".into(), "cannot be used with"),
    ] {
        let output = env.undo(&line).fails(2);
        assert!(String::from_utf8_lossy(&output.stderr).contains(words), "{output}");
        assert!(output.stdout.is_empty());
    }
}

/// Lists all trees of a commit.
fn all_trees(env: &TestEnv) -> Vec<String> {
    let below = env.undo("ls-tree -r -d --format %(objectname) @").ok().text();
    std::iter::once(id(env, "@:")).chain(below.lines().map(str::to_owned)).collect()
}

#[test]
fn mktree_reads_ls_tree_output() {
    let env = TestEnv::initialised();
    kinds::everything(&env.path());
    env.undo("commit -q").ok();
    let trees = all_trees(&env);
    assert!(trees.len() > 40, "{}", trees.len());
    let before = kept(&env);
    for (options, end) in [("", b'\n'), (" -z", b'\0')] {
        let mut batch = Vec::new();
        for tree in &trees {
            batch.extend(env.undo(&format!("ls-tree{options} {tree}")).ok().stdout);
            batch.push(end);
        }
        let made = env.undo_with_stdin(&format!("mktree --batch{options}"), &batch).ok().text();
        assert_eq!(made.split_terminator(char::from(end)).collect::<Vec<_>>(), trees);
        let root = env.undo(&format!("ls-tree{options} @")).ok().stdout;
        assert_eq!(
            env.undo_with_stdin(&format!("mktree{options}"), root).ok().text().trim_end_matches(['\n', '\0']),
            trees[0]
        );
    }
    assert_eq!(kept(&env), before);
}

#[test]
fn mktree_nodes_do_not_depend_on_line_order() {
    let env = TestEnv::initialised();
    (0..3000).for_each(|n| env.write(&format!("many/{n:04}"), format!("{n}")));
    env.undo("commit").ok();
    let many = id(&env, "@:many");
    let lines = env.undo("ls-tree @:many").ok().text();
    let mut lines: Vec<&str> = lines.lines().collect();
    assert_eq!(lines.len(), 3000);
    lines.sort_by_key(|line| *blake3::hash(line.as_bytes()).as_bytes());
    assert_eq!(env.undo_with_stdin("mktree", lines.join("\n")).ok().text().trim_end(), many);
    let less = env.undo_with_stdin("mktree", lines[1..].join("\n")).ok().text();
    assert_eq!(env.undo(&format!("ls-tree {}", less.trim_end())).ok().text().lines().count(), 2999);
    let root = env.undo_with_stdin("mktree", format!("040755 tree {} 0:0 5 -\tmany\n", less.trim_end())).ok().text();
    let listed = env.undo(&format!("ls-tree --json {}", root.trim_end())).ok().json();
    let size: usize =
        lines[1..].iter().map(|line| line.rsplit('\t').next().unwrap().trim_start_matches('0').len().max(1)).sum();
    assert_eq!(listed[0]["size"], size);
}

#[test]
fn mktree_batch_can_use_its_own_trees() {
    let env = TestEnv::initialised();
    env.write("f", "hello");
    let blob = env.undo("hash-object -w f").ok().text();
    let line = |kind: &str, id: &str, name: &str| format!("{kind} {} 0:0 5.25 -\t{name}\n", id.trim_end());
    let inner = env.undo_with_stdin("mktree", line("100644 blob", &blob, "f")).ok().text();
    let middle = format!("{}{}", line("040700 tree", &inner, "inner"), line("100600 blob", &blob, "g"));
    let expected = env.undo_with_stdin("mktree", &middle).ok().text();
    let env = TestEnv::initialised();
    env.write("f", "hello");
    env.undo("hash-object -w f").ok();
    let batch = format!("{}\n{middle}\n\n", line("100644 blob", &blob, "f"));
    let empty = env.undo_with_stdin("mktree", "").ok().text();
    assert_eq!(env.undo_with_stdin("mktree --batch", batch).ok().text(), format!("{inner}{expected}{empty}"));
    assert_eq!(env.undo_with_stdin("mktree --batch", "").ok().text(), "");
    env.undo(&format!("ls-tree -r -l {}", expected.trim_end())).shows(str![[r#"
100600 blob [ID] 5 0:0 5.250000000 -	g
100644 blob [ID] 5 0:0 5.250000000 -	inner/f

"#]]);
    let listed = env.undo(&format!("ls-tree --json {}", expected.trim_end())).ok().json();
    assert_eq!(listed[1]["size"], 5);
    env.undo_with_stdin("mktree --json", line("100644 blob", &blob, "f")).shows(str![[r#"
{"type":"object","id":"[ID]","excluded":false}

"#]]);
}

#[test]
fn objects_can_be_stored_while_mktree_waits() {
    let env = TestEnv::initialised();
    env.write("f", "hello");
    let made = env.shell(
        r#"{ id=$(undo hash-object -w f); printf '100644 blob %s 0:0 5 -\tf\n' "$id"; } | undo mktree &&
           { sleep 0.2; undo hash-object -w .undo/format >&2; printf 'a\tb\n'; } | undo mklinks"#,
    );
    assert_eq!(made.ok().text().lines().count(), 2);
}

#[test]
fn mktree_errors_name_the_line() {
    let env = history();
    let good = env.undo("ls-tree @").text();
    let (blob, tree) = (id(&env, "@:notes.txt"), id(&env, "@:"));
    let zeros = "0".repeat(64);
    let second = |line: &str| format!("{good}{line}\n");
    let inputs = [
        ("nonsense".to_owned(), "line 4: malformed entry: the TAB and the name are missing"),
        (format!("100644 blob {blob} 0:0 5.0 -\t"), "`` is not a valid name"),
        (format!("100644 blob {blob} 0:0 5.0 -\ta/b"), "`a/b` is not a valid name"),
        (format!("100644 blob {blob} 0:0 5.0 -\t.."), "`..` is not a valid name"),
        (format!("100644 blob {blob} 0:0 5.0 -\t."), "`.` is not a valid name"),
        (format!("100644 blob {blob} 0:0 5.0 -\t\"a\\000\""), "is not a valid name"),
        (format!("100644 blob {blob} 0:0 5.0 -\t\"a"), "the quoted name is malformed"),
        (format!("100644 blob {zeros} 0:0 5.0 -\ta"), "line 4: no blob `0000"),
        (format!("040755 tree {zeros} 0:0 5.0 -\ta"), "line 4: no tree `0000"),
        (format!("100644 blob {tree} 0:0 5.0 -\ta"), "line 4: no blob `"),
        (format!("040755 tree {blob} 0:0 5.0 -\ta"), "line 4: no tree `"),
        (format!("100644 blob {blob} 0:0 5.0 {zeros}\ta"), "line 4: no attributes `0000"),
        (format!("100644 blob {blob} 0:0 5.0 {blob}\ta"), "line 4: no attributes `"),
        (format!("100644 tree {tree} 0:0 5.0 -\ta"), "mode `100644` belongs to a blob, not to a tree"),
        (format!("100644 blob {} 0:0 5.0 -\ta", &blob[..8]), "invalid object"),
        (format!("100644 blob {blob} 6 0:0 5.0 -\ta"), "expected 6 fields before the TAB, found 7"),
        (format!("100644 blob {blob} 0:0 5.0 -\tnotes.txt"), "line 4: entry `notes.txt` already exists"),
        ("120777 symlink - 0:0 5.0 -\ta".to_owned(), "the target of the symlink is missing"),
        (String::new(), "line 4: malformed entry: the TAB and the name are missing"),
    ];
    let fed: Vec<(String, &str)> = inputs.iter().map(|(line, words)| (second(line), *words)).collect();
    let fed: Vec<(&str, &str)> = fed.iter().map(|(line, words)| (line.as_str(), *words)).collect();
    assert_refused(&env, "mktree", &fed);
    let raw = format!("120777 symlink - 0:0 5.0 -\ta\0b\0100644 blob {zeros} 0:0 5.0 -\tb\0");
    assert_refused(
        &env,
        "mktree -z",
        &[(&raw, "record 3: no blob `"), ("120777 symlink - 0:0 5.0 -\ta\0", "record 1: ")],
    );
    // The first tree of the batch was already printed; it is not kept either.
    let new = format!("100600 blob {blob} 9:9 5.0 -\tnew\n");
    let before = kept(&env);
    let output = env.undo_with_stdin("mktree --batch", format!("{new}\n{new}nonsense\n")).fails(2);
    assert!(String::from_utf8_lossy(&output.stderr).contains("line 4: malformed entry"), "{output}");
    assert_eq!(kept(&env), before);
    env.undo(&format!("ls-tree {}", output.text().trim_end())).fails(2);
}

#[test]
fn holes_require_matching_content() {
    let env = TestEnv::initialised();
    std::fs::File::create(env.path().join("sparse")).unwrap().set_len(3 << 20).unwrap();
    env.write("short", "x");
    env.undo("commit").ok();
    let line = env.undo("ls-tree @ sparse").text();
    let (long, short) = (id(&env, "@:sparse"), id(&env, "@:short"));
    env.undo_with_stdin("mktree", &line).ok();
    assert_refused(&env, "mktree", &[(&line.replace(&long, &short), "have holes that are not in the content")]);
}

#[test]
fn mklinks_matches_commit_links() {
    let env = TestEnv::initialised();
    env.write("a/one", "x");
    env.write("b", "y");
    let link = |from: &str, to: &str| std::fs::hard_link(env.path().join(from), env.path().join(to)).unwrap();
    link("a/one", "two\twords");
    link("a/one", "new\nline");
    link("b", "c");
    let written = env.undo("write-tree").ok().text();
    let links = written.split_whitespace().nth(1).unwrap();
    let made = |line: &str, fed: &str| env.undo_with_stdin(line, fed).ok().text();
    assert_eq!(made("mklinks", "c\tb\n\"new\\nline\"\ta/one\t\"two\\twords\"\n").trim_end(), links);
    assert_eq!(made("mklinks", "\"two\\twords\"\ta/one\t\"new\\nline\"\nb\tc").trim_end(), links);
    assert_eq!(made("mklinks -z", "c\0b\0\0new\nline\0a/one\0two\twords\0\0"), format!("{links}\0"));
    assert_eq!(made("mklinks -z", "c\0b\0\0new\nline\0a/one\0two\twords\0"), format!("{links}\0"));
    assert_eq!(made("mklinks", ""), "");
    assert_eq!(
        made("--json mklinks", "b\tc\n"),
        format!("{{\"type\":\"object\",\"id\":\"{}\",\"excluded\":false}}\n", made("mklinks", "c\tb").trim_end())
    );
    let many: String = (0..3000).rev().map(|n| format!("x/{n}\ty/{n}\n")).collect();
    assert_eq!(
        made("mklinks", &many),
        made("mklinks", &many.lines().rev().map(|line| format!("{line}\n")).collect::<String>())
    );
}

#[test]
fn mklinks_errors_name_the_line() {
    let env = history();
    assert_refused(
        &env,
        "mklinks",
        &[
            ("a\tb\nc\n", "line 2: malformed group: a file with hard links has two names or more"),
            ("a\tb\nc\tb\n", "line 2: malformed group: `b` already exists"),
            ("a\ta\n", "line 1: malformed group: `a` already exists"),
            ("a\t/b\n", "line 1: malformed group: `/b` is not a valid path"),
            ("a\t../b\n", "`../b` is not a valid path"),
            ("a\tb//c\n", "`b//c` is not a valid path"),
            ("a\t\n", "`` is not a valid path"),
            ("\n", "line 1: malformed group"),
            ("a\t\"b\n", "a quoted name is malformed"),
        ],
    );
    assert_refused(
        &env,
        "mklinks -z",
        &[
            ("a\0b\0\0c\0\0", "record 4: malformed group: a file with"),
            ("\0", "record 1: malformed group: a file with"),
            ("a\0b\0\0a\0c\0\0", "record 4: malformed group: `a` already exists"),
        ],
    );
}
