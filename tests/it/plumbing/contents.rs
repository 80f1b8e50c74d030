//! `cat-file`: contents of objects.

use std::ffi::OsStr;
use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::os::unix::ffi::OsStrExt;
use std::process::Stdio;

use snapbox::str;

use super::lists::packs;
use super::{everything, history};
use crate::env::TestEnv;
use crate::errors::noise;

fn line(env: &TestEnv, line: &str) -> String {
    env.undo(line).ok().text().trim_end_matches('\n').to_owned()
}

#[test]
fn cat_file_prints_type_size_and_bytes() {
    let env = everything();
    let commit = line(&env, "cat-file -p @");
    let field = |key: &str| {
        let found = commit.lines().find_map(|line| line.strip_prefix(&format!("{key} "))).unwrap();
        found.to_owned()
    };
    let root = line(&env, "cat-file -p @:");
    let attributes = root.lines().find(|line| line.ends_with("\tnamed")).unwrap().split([' ', '\t']).nth(5).unwrap();
    let operation = env.undo("op log --json").json()[0]["id"].as_str().unwrap().to_owned();
    for (name, is) in [
        ("@", "commit"),
        ("@:", "tree"),
        ("@:many", "tree"),
        (attributes, "attributes"),
        (&field("links"), "links"),
        ("@:large", "blob"),
        ("@:empty", "blob"),
        (&operation, "operation"),
    ] {
        assert_eq!(line(&env, &format!("cat-file -t {name}")), is);
        env.undo(&format!("cat-file -e {name}")).shows("");
        let bytes = env.undo(&format!("cat-file {is} {name}")).ok().stdout;
        assert_eq!(line(&env, &format!("cat-file -s {name}")), bytes.len().to_string(), "{name}");
        let id = line(&env, &format!("rev-parse {name}"));
        let hash = match is {
            "blob" => blake3::hash(&bytes),
            word => blake3::keyed_hash(&undo::internals::object::kind::key(word), &bytes),
        };
        assert_eq!(hash.to_hex().as_str(), id, "{name}");
    }
    assert_eq!(env.undo("cat-file blob @:large").stdout, env.read("large"));
    assert_eq!(env.undo("cat-file -p @:sparse").stdout, env.read("sparse"));
    assert_eq!(env.undo("cat-file -p @:empty").stdout, b"");
    assert_eq!(env.undo("cat-file -z -t @").stdout, b"commit\0");
    env.undo("cat-file -s --json @:named").shows(str![[r#"
{"type":"object","id":"[ID]","object_type":"blob","size":1}

"#]]);
}

#[test]
fn cat_file_p_prints_fields_as_lines() {
    let env = everything();
    env.undo("cat-file -p @").shows(str![[r#"
tree [ID]
root 040755 [..] -
links [ID]
author [..]
host [..]
time 1767600060.000000000 +00:00
totals 2006 1 0 9446093
changes 2007 0 0

everything

"#]]);
    let tree = env.undo("cat-file -p @:").ok().text();
    let ends: Vec<&str> = tree.lines().map(|line| line.split_once('\t').unwrap().1).collect();
    assert_eq!(ends, ["empty", "large", "many", "named", "one", "sparse", r#""two\t\n""#]);
    let raw = env.undo("cat-file -z -p @:").ok().stdout;
    assert!(raw.ends_with(b"\ttwo\t\n\0"));
    // A directory of several nodes: the object itself, and below it the entries.
    let many = line(&env, "cat-file -p @:many");
    let (mut sum, mut names) = (0, Vec::new());
    for node in many.lines() {
        let (head, first) = node.split_once('\t').unwrap();
        let [word, id, count] = head.split(' ').collect::<Vec<_>>()[..] else { panic!("{node}") };
        let below = line(&env, &format!("cat-file -p {id}"));
        assert!(
            word == "node"
                && below.lines().count().to_string() == count
                && below.lines().next().unwrap().ends_with(first)
        );
        sum += below.lines().count();
        names.extend(below.lines().map(|line| line.split_once('\t').unwrap().1.to_owned()));
    }
    assert_eq!(sum, 2000);
    assert_eq!(names, (0..2000).map(|n| format!("{n:04}")).collect::<Vec<_>>());
    let links =
        line(&env, "cat-file -p @").lines().find_map(|line| Some(line.strip_prefix("links ")?.to_owned())).unwrap();
    assert_eq!(line(&env, &format!("cat-file -p {links}")), "one\t\"two\\t\\n\"");
    assert_eq!(env.undo(&format!("cat-file -z -p {links}")).stdout, b"one\0two\t\n\0\0");
    let attributes = |name: &str| {
        let line = tree.lines().find(|line| line.ends_with(&format!("\t{name}"))).unwrap();
        line.split([' ', '\t']).nth(5).unwrap().to_owned()
    };
    let text = line(&env, &format!("cat-file -p {}", attributes("named")));
    assert_eq!(text, "xattr \"user.odd \\\"name\\\"\"\t\"\\000\\377\"\nxattr user.text\tplain");
    let holes = line(&env, &format!("cat-file -p {}", attributes("sparse")));
    assert!(holes.starts_with("hole 0 "), "{holes}");
}

#[test]
fn cat_file_p_prints_fields_as_json() {
    let env = everything();
    env.undo("cat-file --json -p @").shows(str![[r#"
{"type":"commit","id":"[ID]","parents":[],"forgotten":0,"branches":["main"],"tags":[],"current":true,"time":"2026-01-05T08:01:00.000000000Z","author":"[..]","host":"[..]","message":"everything","automatic":false,"added":2007,"modified":0,"deleted":0,"files":2006,"bytes":9446093,"uncovered":[],"torn":[],"suspicious":false,"alarms":[],"tree":"[ID]","links":"[ID]","mode":"0755","uid":[..],"gid":[..],"mtime":"[TIME]","attributes":"","offset":0,"directories":1,"others":0,"extras":[]}

"#]]);
    let one = |name: &str| env.undo(&format!("cat-file --json -p {name}")).ok().json().remove(0);
    let commit = one("@");
    let (tree, many) = (one("@:"), one("@:many"));
    assert_eq!((tree["type"].as_str(), tree["entries"].as_array().unwrap().len()), (Some("tree"), 7));
    assert_eq!(tree["entries"][3]["path"], "named");
    assert!(many["entries"].as_array().unwrap().is_empty() && many["nodes"].as_array().unwrap().len() > 2);
    let attributes = one(tree["entries"][3]["attributes"].as_str().unwrap());
    assert_eq!(attributes["xattrs"][0].to_string(), r#"{"name":"user.odd \"name\"","value":"AP8="}"#);
    let links = one(commit["links"].as_str().unwrap());
    assert_eq!(links["groups"].to_string(), r#"[[{"path":"one"},{"path":"two\t\n"}]]"#);
    let operation = env.undo("op log --json").json()[0]["id"].as_str().unwrap().to_owned();
    let operation = one(&operation);
    assert_eq!((&operation["type"], &operation["verb"]), (&"operation".into(), &"commit".into()));
    assert_eq!(operation["packs_added"].as_array().unwrap().len(), packs(&env).len());
}

#[test]
fn cat_file_p_prints_operations() {
    let env = history();
    let id = env.undo("op log --json").json()[0]["id"].as_str().unwrap().to_owned();
    env.undo(&format!("cat-file -p {id}")).shows(str![[r#"
parent [ID]
verb commit
description main [ID]: 1 modified
argument [UNDO]
argument commit
argument -m
argument third
time 1767600300.000000000
duration 0
user [..]
host [..]
ref [ID] [ID] refs/heads/main
commit [ID] [ID]
pack-added [ID]
bytes-read 6
bytes-stored [..]

"#]]);
}

#[test]
fn batch_answers_each_name() {
    let env = history();
    let blob = line(&env, "rev-parse @:notes.txt");
    let names = format!("@:notes.txt\n{blob} a path\nnonsense\n@:nowhere\n@:link\n\n{}\n0000\n@:", &blob[..12]);
    env.undo_with_stdin("cat-file --batch-check", &names).shows(str![[r#"
[ID] blob 6
[ID] blob 6
nonsense missing
@:nowhere missing
@:link missing
 missing
[ID] blob 6
0000 missing
[ID] tree 152

"#]]);
    env.undo_with_stdin("cat-file --batch", "@:notes.txt\nnonsense\n@:data/a.csv").shows(str![[r#"
[ID] blob 6
three

nonsense missing
[ID] blob 4
1,2


"#]]);
    env.undo_with_stdin("cat-file --batch-check --json", "@:notes.txt\nnonsense\n").shows(str![[r#"
{"type":"object","id":"[ID]","object_type":"blob","size":6}
{"type":"unresolved","name":"nonsense","reason":"missing"}

"#]]);
    let raw = env.undo_with_stdin("cat-file --batch -z", "@:notes.txt\0no\nne\0").ok().stdout;
    assert_eq!(raw, format!("{blob} blob 6\0three\n\0no\nne missing\0").into_bytes());
    assert_eq!(env.undo_with_stdin("cat-file --batch", "").ok().stdout, b"");
}

#[test]
fn batch_reports_ambiguous_names() {
    let env = everything();
    let ids = env.undo("rev-list --objects --all").ok().text();
    let mut short: Vec<&str> = ids.lines().map(|line| &line[..4]).collect();
    short.sort_unstable();
    let pair = short.windows(2).find(|pair| pair[0] == pair[1]).expect("some of 4,000 ids have the same prefix");
    let answer = env.undo_with_stdin("cat-file --batch-check", pair[0]).ok().text();
    assert_eq!(answer, format!("{} ambiguous\n", pair[0]));
}

#[test]
fn batch_reads_all_listed_objects() {
    let env = everything();
    let listed = env.undo("rev-list --objects --all").ok().stdout;
    let mut rest = &env.undo_with_stdin("cat-file --batch", &listed).ok().stdout[..];
    for record in listed.split(|&byte| byte == b'\n').filter(|record| !record.is_empty()) {
        let end = rest.iter().position(|&byte| byte == b'\n').unwrap();
        let header = std::str::from_utf8(&rest[..end]).unwrap().to_owned();
        let [id, is, size] = header.split(' ').collect::<Vec<_>>()[..] else { panic!("{header}") };
        let (bytes, after) = rest[end + 1..].split_at(size.parse().unwrap());
        assert!(record.starts_with(id.as_bytes()) && after.starts_with(b"\n"));
        if is == "blob" {
            assert_eq!(blake3::hash(bytes).to_hex().as_str(), id);
        }
        rest = &after[1..];
    }
    assert_eq!(rest, b"");
}

#[test]
fn cat_file_accepts_any_name_bytes() {
    let env = TestEnv::initialised();
    let name: &[u8] = b"not \xff utf-8";
    fs::write(env.path().join(OsStr::from_bytes(name)), "x").unwrap();
    env.undo("commit").ok();
    let answer = env.undo_with_stdin("cat-file --batch-check", [b"@:", name, b"\n@:\xfe\n"].concat()).ok().stdout;
    let id = blake3::hash(b"x").to_hex();
    assert_eq!(answer, [format!("{id} blob 1\n@:").as_bytes(), b"\xfe missing\n"].concat());
}

#[test]
fn batch_answers_without_buffering() {
    let env = history();
    let mut command = env.command(env!("CARGO_BIN_EXE_undo"));
    command.args(["cat-file", "--batch-check"]).stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut child = command.spawn().unwrap();
    let (mut to, mut from) = (child.stdin.take().unwrap(), BufReader::new(child.stdout.take().unwrap()));
    for name in ["@", "@:notes.txt", "none"] {
        writeln!(to, "{name}").unwrap();
        let mut answer = String::new();
        from.read_line(&mut answer).unwrap();
        assert!(answer.ends_with(if name == "none" { "missing\n" } else { "\n" }), "{answer}");
    }
    drop(to);
    assert_eq!(from.read_to_end(&mut Vec::new()).unwrap(), 0);
    assert!(child.wait().unwrap().success());
}

#[test]
fn cat_file_reports_missing_object_and_wrong_type() {
    let env = history();
    env.undo("cat-file -e nonsense").shows(str![[r#"
[exit 1]

"#]]);
    env.undo("cat-file -e 0000000000000000000000000000000000000000000000000000000000000000").shows(str![[r#"
[exit 1]

"#]]);
    env.undo("cat-file -t nonsense").fails(2);
    env.undo("cat-file tree @:notes.txt").shows(str![[r#"
---- stderr ----
error: `@:notes.txt` is a blob, not an object of type tree
hint: `undo cat-file -t OBJECT` prints the type of an object
[exit 2]

"#]]);
    env.undo("cat-file file @").shows(str![[r#"
---- stderr ----
error: `file` is not a type
hint: one of blob, tree, commit, attributes, links, layout-node, operation
[exit 2]

"#]]);
    env.undo("cat-file @").shows(str![[r#"
---- stderr ----
error: an object, and what to print of it, must be given
hint: undo cat-file -p @
[exit 2]

"#]]);
    env.undo("cat-file --batch @").fails(2);
    env.undo("cat-file -t -s @").fails(2);
    env.undo("cat-file -p").fails(2);
    env.undo("cat-file --batch --json").shows(str![[r#"
---- stderr ----
{"type":"error","code":"usage","message":"--batch prints bytes, which JSON cannot hold","hint":"undo cat-file --batch-check --json","exit":2,"paths":[]}
[exit 2]

"#]]);
}

#[test]
fn cat_file_of_damaged_object_exits_5() {
    let env = TestEnv::initialised();
    env.write("large", noise(2, 600_000));
    env.undo("commit").ok();
    let large = line(&env, "rev-parse @:large");
    for pack in packs(&env) {
        let mut bytes = fs::read(&pack).unwrap();
        bytes[300_000] ^= 1;
        fs::write(pack, bytes).unwrap();
    }
    for args in ["-p @:large", "blob @:large"] {
        let failed = env.undo(&format!("cat-file {args}")).fails(5);
        assert!(failed.stdout.is_empty(), "{args}");
    }
    let failed = env.undo_with_stdin("cat-file --batch", format!("{large}\n@\n")).fails(5);
    assert_eq!(failed.text(), format!("{large} blob 600000\n"));
    for pack in packs(&env) {
        fs::remove_file(pack).unwrap();
    }
    env.undo("cat-file -t @").fails(5);
    env.undo(&format!("cat-file -e {large}")).fails(1);
}
