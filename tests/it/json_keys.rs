//! JSON without duplicate keys. Most parsers silently keep one of two equal keys.

use std::collections::HashSet;
use std::fs;

use serde::de::{Deserialize, Deserializer, Error, MapAccess, SeqAccess, Visitor};

use crate::env::TestEnv;

/// Accepts any value, and checks only its keys.
struct UniqueKeys;

impl<'de> Deserialize<'de> for UniqueKeys {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<UniqueKeys, D::Error> {
        deserializer.deserialize_any(UniqueKeys)
    }
}

impl<'de> Visitor<'de> for UniqueKeys {
    type Value = UniqueKeys;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("JSON")
    }

    fn visit_bool<E>(self, _: bool) -> Result<UniqueKeys, E> {
        Ok(UniqueKeys)
    }

    fn visit_i64<E>(self, _: i64) -> Result<UniqueKeys, E> {
        Ok(UniqueKeys)
    }

    fn visit_u64<E>(self, _: u64) -> Result<UniqueKeys, E> {
        Ok(UniqueKeys)
    }

    fn visit_f64<E>(self, _: f64) -> Result<UniqueKeys, E> {
        Ok(UniqueKeys)
    }

    fn visit_str<E>(self, _: &str) -> Result<UniqueKeys, E> {
        Ok(UniqueKeys)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<UniqueKeys, A::Error> {
        while items.next_element::<UniqueKeys>()?.is_some() {}
        Ok(UniqueKeys)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut items: A) -> Result<UniqueKeys, A::Error> {
        let mut keys = HashSet::new();
        while let Some((key, UniqueKeys)) = items.next_entry::<String, UniqueKeys>()? {
            if keys.contains(&key) {
                return Err(A::Error::custom(format!("`{key}` twice")));
            }
            keys.insert(key);
        }
        Ok(UniqueKeys)
    }
}

/// Parses the lines of an output that are objects, and returns their types.
#[track_caller]
pub fn check(output: &[u8]) -> Vec<String> {
    let text = String::from_utf8_lossy(output);
    let objects = text.lines().filter(|line| line.starts_with("{\"type\""));
    let word = |line: &str| {
        serde_json::from_str::<UniqueKeys>(line).unwrap_or_else(|error| panic!("{error}: {line}"));
        line.split('"').nth(3).unwrap().to_owned()
    };
    objects.map(word).collect()
}

#[test]
fn duplicate_keys_are_detected_at_any_depth() {
    check(br#"{"type":"a","b":[{"c":1},{"c":-1.5}],"d":{"c":true}}"#);
    for twice in [&br#"{"type":"a","type":0}"#[..], br#"{"type":"a","b":[{"c":1,"c":1}]}"#] {
        assert!(std::panic::catch_unwind(|| check(twice)).is_err());
    }
}

#[test]
fn json_objects_have_no_duplicate_keys() {
    let env = TestEnv::new();
    let mut types = HashSet::new();
    let mut run = |line: &str| {
        let output = env.undo(&format!("--json {line}"));
        for bytes in [&output.stdout, &output.stderr] {
            let found = check(bytes);
            assert_eq!(found.len(), String::from_utf8_lossy(bytes).lines().count(), "undo {line}\n{output}");
            types.extend(found);
        }
    };
    run("status");
    run("init");
    env.write("a", "one\n");
    env.write("folder/b", [0, 1, 2, 3]);
    fs::hard_link(env.path().join("a"), env.path().join("c")).unwrap();
    (0..40).for_each(|n| env.write(&format!("many/{n}.txt"), format!("the content of file {n}")));
    run("commit -m one");
    env.write("a", "two\n");
    fs::remove_file(env.path().join("folder/b")).unwrap();
    std::os::unix::fs::symlink("a", env.path().join("folder/b")).unwrap();
    std::os::unix::net::UnixListener::bind(env.path().join("socket")).unwrap();
    fs::remove_dir_all(env.path().join("many")).unwrap();
    for line in ["", "status", "status --metadata", "diff", "diff --stat", "commit -n", "commit -m two", "tag v1"] {
        run(line);
    }
    for line in ["branch side", "branch", "tag", "log", "log --stat", "log -p", "log --ops", "show", "ls", "op log"] {
        run(line);
    }
    env.write("a", "three\n");
    for line in ["checkout -n @~", "checkout @~", "undo -n", "undo", "redo", "op show latest", "restore --from @~ a"] {
        run(line);
    }
    run("run -- true");
    run("run --guard 'deleted<1' -- rm a");
    for line in ["verify", "config", "export @ ../out", "no-such-command", "show no-such-revision", "diff @~ @"] {
        run(line);
    }
    for line in ["rev-list @", "rev-parse @", "show-ref", "ls-files", "ls-tree @", "diff-tree @~ @", "write-tree"] {
        run(line);
    }
    for line in
        ["count-objects", "verify-pack", "check-ignore a", "hash-object a", "cat-file @", "cat-file @:", "cat-file @:a"]
    {
        run(line);
    }
    for word in ["home", "init", "commit", "change", "summary", "alarm", "ref", "operation", "checkout", "run", "error"]
    {
        assert!(types.contains(word), "no `{word}` in {types:?}");
    }
}
