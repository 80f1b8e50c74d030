//! `hash-object`: ids of contents.

use std::fs::{self, File};
use std::os::unix::fs::{FileExt, PermissionsExt};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, SystemTime};

use snapbox::str;

use super::{history, kept};
use crate::env::TestEnv;
use crate::errors::noise;

fn b3sum(bytes: &[u8]) -> String {
    format!("{}\n", blake3::hash(bytes).to_hex())
}

#[test]
fn hash_object_matches_b3sum_without_repository() {
    let env = TestEnv::new();
    let bytes = noise(1, 40 << 20);
    for size in [0, 1, 1 << 10, (1 << 20) - 1, 1 << 20, (1 << 20) + 1, 3 << 20, 40 << 20] {
        env.write("file", &bytes[..size]);
        assert_eq!(env.undo("hash-object file").ok().text(), b3sum(&bytes[..size]), "{size}");
        assert_eq!(
            env.undo_with_stdin("hash-object --stdin", &bytes[..size]).ok().text(),
            b3sum(&bytes[..size]),
            "{size}"
        );
    }
    env.undo("hash-object -w file").shows(str![[r#"
---- stderr ----
error: no repository in `[ROOT]/work` or above it
hint: create one here with `undo init`
[exit 10]

"#]]);
    assert!(!env.path().join(".undo").exists());
}

#[test]
fn hash_object_w_stores_what_commit_stores() {
    let env = TestEnv::initialised();
    let bytes = noise(2, 40 << 20);
    for (name, size) in [("empty", 0), ("small", 100), ("whole", 1 << 20), ("cut", (1 << 20) + 1), ("large", 40 << 20)]
    {
        env.write(name, &bytes[..size]);
    }
    let sparse = File::create(env.path().join("sparse")).unwrap();
    sparse.set_len(20 << 20).unwrap();
    sparse.write_all_at(&bytes[..100_000], 10 << 20).unwrap();
    let names = ["empty", "small", "whole", "cut", "large", "sparse"];
    let contents: Vec<Vec<u8>> = names.iter().map(|name| env.read(name)).collect();
    let ids: String = contents.iter().map(|content| b3sum(content)).collect();
    assert_eq!(env.undo(&format!("hash-object -w {}", names.join(" "))).ok().text(), ids);
    let (packs, ..) = kept(&env);
    assert_eq!(env.undo(&format!("hash-object -w {}", names.join(" "))).ok().text(), ids);
    assert_eq!(kept(&env).0, packs);
    let committed = env.undo("commit --json").ok().json();
    assert!(committed[0]["bytes_stored"].as_u64().unwrap() < 10_000, "{}", committed[0]);
    for (name, content) in names.iter().zip(&contents) {
        assert_eq!(&env.undo(&format!("cat @:{name}")).ok().stdout, content, "{name}");
    }
}

#[test]
fn hash_object_stores_streams_like_files() {
    let env = TestEnv::initialised();
    let bytes = noise(3, 9 << 20);
    env.write("file", &bytes);
    let id = env.shell("cat file | undo hash-object -w --stdin").ok().text();
    assert_eq!(id, b3sum(&bytes));
    let (packs, ..) = kept(&env);
    assert_eq!(env.undo("hash-object -w file").ok().text(), id);
    assert_eq!(kept(&env).0, packs);
    let both =
        env.shell("printf x | undo hash-object --stdin file; undo hash-object <(printf x) /dev/null").ok().text();
    assert_eq!(both, format!("{}{id}{}{}", b3sum(b"x"), b3sum(b"x"), b3sum(b"")));
}

#[test]
fn hash_object_reads_quoted_or_raw_names() {
    let env = TestEnv::initialised();
    env.write("sub/a b", "1");
    env.write("new\nline", "2");
    std::os::unix::fs::symlink("sub/a b", env.path().join("link")).unwrap();
    let ids = format!("{}{}{}", b3sum(b"1"), b3sum(b"2"), b3sum(b"1"));
    assert_eq!(env.undo_with_stdin("hash-object --stdin-paths", "sub/a b\n\"new\\nline\"\nlink").ok().text(), ids);
    let raw = env.undo_with_stdin("hash-object -z --stdin-paths", "sub/a b\0new\nline\0link\0").ok().text();
    assert_eq!(raw, ids.replace('\n', "\0"));
    assert_eq!(
        env.undo_with_stdin("-C sub hash-object --stdin-paths", "a b\n../link\n").ok().text().lines().count(),
        2
    );
    env.undo("--json hash-object link").shows(str![[r#"
{"type":"object","id":"[ID]","excluded":false}

"#]]);
}

#[test]
fn hash_object_stores_nothing_on_failure() {
    let env = history();
    env.write("new", "new content");
    env.write("secret", "x");
    fs::set_permissions(env.path().join("secret"), fs::Permissions::from_mode(0o000)).unwrap();
    let before = kept(&env);
    for (line, fed, code, words) in [
        ("hash-object -w new data", "", 2, "/data` is a directory, not a file"),
        ("hash-object -w new nowhere", "", 74, "nowhere`: no such file or directory"),
        ("hash-object -w", "", 2, "no file given"),
        ("hash-object --stdin-paths new", "", 2, "cannot be used with"),
        ("hash-object -w --stdin-paths", "new\nnowhere\n", 74, "line 2: cannot open"),
        ("hash-object -w --stdin-paths", "new\ndata\n", 2, "line 2: "),
        ("hash-object -w --stdin-paths", "new\n\n", 2, "line 2: an empty path"),
        ("hash-object -w --stdin-paths", "new\n\"x\n", 2, "line 2: the quoted path is malformed"),
        ("hash-object -w -z --stdin-paths", "new\0\0", 2, "record 2: an empty path"),
    ] {
        let output = env.undo_with_stdin(line, fed).fails(code);
        assert!(String::from_utf8_lossy(&output.stderr).contains(words), "{output}");
    }
    let output = env.undo_as_user("hash-object -w new secret").fails(77);
    assert!(String::from_utf8_lossy(&output.stderr).contains("secret`: permission denied"), "{output}");
    assert_eq!(kept(&env), before);
}

#[test]
fn hash_object_refuses_changing_file() {
    let env = TestEnv::initialised();
    env.write("busy", noise(4, 20 << 20));
    let before = kept(&env);
    let is_done = AtomicBool::new(false);
    let path = env.path().join("busy");
    std::thread::scope(|scope| {
        scope.spawn(|| {
            let file = File::open(&path).unwrap();
            for n in 0.. {
                file.set_modified(SystemTime::UNIX_EPOCH + Duration::from_secs(n)).unwrap();
                if is_done.load(Ordering::Relaxed) {
                    break;
                }
            }
        });
        let output = env.undo("hash-object -w busy");
        is_done.store(true, Ordering::Relaxed);
        output.shows(str![[r#"
---- stderr ----
error: `[ROOT]/work/busy` changed while it was read
hint: run the command again when no program writes to the file
[exit 4]

"#]]);
    });
    assert_eq!(kept(&env), before);
}
