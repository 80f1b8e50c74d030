//! After `gc --now`, no byte sequence of purged content is left in the repository, in any compression.

use std::fs;
use std::path::Path;
use std::process::Command;

use super::{SECRET, ids, purge, read_in_python, secrets};
use crate::env::TestEnv;
use crate::errors::noise;
use crate::skip::skip;

/// Searches all files of a repository, and all decoded frames of all pack files, for bytes in hex. Prints where they are.
const SEARCH: &str = r"
import sys
from pathlib import Path
sys.path.insert(0, sys.argv[1])
from reader.repository import Pack
root, needles = Path(sys.argv[2]), [bytes.fromhex(hex) for hex in sys.argv[3:]]
for path in filter(Path.is_file, root.rglob('*')):
    parts = [path.read_bytes()]
    if path.parent.parent.name == 'packs' and len(path.name) == 64:
        pack = Pack(path, bytes.fromhex(path.name))
        parts += [pack.frame(n) for n in range(len(pack.frames))]
    for needle in needles:
        if any(needle in part for part in parts):
            print(path.relative_to(root), needle[:8].hex())
";

/// Whether the repository has any of these byte sequences. `None` without Python.
fn has_bytes(env: &TestEnv, needles: &[&[u8]]) -> Option<bool> {
    let hex = |bytes: &&[u8]| bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
    let tests = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests");
    let mut python = Command::new("python3");
    python.args(["-c", SEARCH]).arg(tests).arg(env.path().join(".undo")).args(needles.iter().map(hex));
    let Ok(output) = python.output() else {
        skip("python3 is not installed");
        return None;
    };
    assert!(output.status.success(), "{output:?}");
    Some(!output.stdout.is_empty())
}

#[test]
fn no_purged_byte_is_left_after_gc() {
    let env = secrets();
    let dump = noise(1, 3_000_000);
    // Only the part before this is in another file, too.
    let alone = &dump[2_900_000..2_900_032];
    let needles: [&[u8]; 2] = [SECRET.as_bytes(), alone];
    let Some(is_found) = has_bytes(&env, &needles) else { return };
    assert!(is_found, "the search does not find what is recorded");
    let before = ids(&env);
    purge(&env);
    env.undo("gc --now").ok();
    assert_eq!(has_bytes(&env, &needles), Some(false));
    assert_eq!(has_bytes(&env, &[&SECRET.as_bytes()[11..30], &dump[2_999_960..]]), Some(false));
    assert_eq!(ids(&env), before);
    env.undo("verify").ok();
    assert!(read_in_python(&env, &["--check"]).is_some());
    // Everything else is as before.
    env.undo("cat one:secret").fails(1);
    env.undo("cat one:dump").fails(1);
    assert!(env.undo("cat one:shares").ok().stdout == [noise(1, 2_000_000), noise(2, 1_000_000)].concat());
    env.undo("diff one two -p").ok();
    env.undo("checkout one").fails(3);
    env.undo("status").ok();
    env.undo("checkout two").ok();
    assert_eq!(env.undo("cat two:secret").ok().stdout, b"not secret\n");
    // Neither `undo` nor the directory brings the content back.
    env.undo("undo 2").ok();
    env.undo("redo 2").ok();
    env.write("secret", SECRET);
    env.write("dump", &dump);
    env.undo("commit -m again").ok();
    env.undo_with_stdin("hash-object -w --stdin", SECRET).fails(4);
    env.undo_with_stdin("hash-object -w --stdin", &dump).fails(4);
    env.undo("cat one:secret").fails(1);
    assert_eq!(has_bytes(&env, &needles), Some(false));
    assert_eq!((env.read("secret"), env.read("dump").len()), (SECRET.into(), 3_000_000));
    fs::remove_file(env.path().join("secret")).unwrap();
    env.undo("restore --from one secret").fails(3);
    env.undo("purge dump").ok();
}

#[test]
fn purge_is_final_after_gc() {
    let env = secrets();
    env.undo("purge --blob one:secret").ok();
    env.undo("gc --now").ok();
    let shown = env.undo("undo").ok();
    assert!(shown.text().contains("still purged"), "{shown}");
    env.undo("cat one:secret").fails(1);
    env.undo("verify").ok();
}
