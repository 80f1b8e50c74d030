//! Differences of texts that are too large for memory.

use std::fs::File;
use std::io::{BufWriter, Write};

use snapbox::str;

use crate::cost;
use crate::env::TestEnv;

const LINES: usize = 1_000_000;

/// Writes a table of about 40 MB, with another value in one line.
fn write_table(env: &TestEnv, changed: Option<usize>) {
    let mut file = BufWriter::new(File::create(env.path().join("table.csv")).unwrap());
    for n in 0..LINES {
        let value = if changed == Some(n) { 7 } else { n * 7919 % 1_000_003 };
        writeln!(file, "{n},{value},some text in the row").unwrap();
    }
    file.flush().unwrap();
}

fn two_tables() -> TestEnv {
    let env = TestEnv::initialised();
    write_table(&env, None);
    env.undo("commit -qm one").ok();
    write_table(&env, Some(600_000));
    env.undo("commit -qm two").ok();
    env.undo("tag -q two").ok();
    env
}

#[test]
fn edited_line_of_a_large_text_is_a_hunk() {
    let env = two_tables();
    env.undo("diff -U 1 @~ @").shows(str![[r#"
diff --git a/table.csv b/table.csv
--- a/table.csv
+++ b/table.csv
@@ -600000,3 +600000,3 @@
 599999,377828,some text in the row
-600000,385747,some text in the row
+600000,7,some text in the row
 600001,393666,some text in the row

"#]]);
    env.undo("diff --stat @~ @").shows(str![[r#"
 table.csv  2  +-
1 change: 1 modified; lines: +1 -1

"#]]);
    // The live file has no chunk list yet.
    write_table(&env, None);
    let live = env.undo("diff -U 1").ok().text();
    assert!(live.contains("@@ -600000,3 +600000,3 @@"), "{live}");
    let patch = env.undo("diff -U 1 @~ @").ok().stdout;
    std::fs::write(env.root().join("patch"), patch).unwrap();
    env.undo("checkout -q @~").ok();
    env.shell("git apply --unsafe-paths ../patch || patch -p1 -s < ../patch").ok();
    env.undo("diff -q --exit-code two").ok();
}

#[test]
fn only_what_differs_is_read() {
    let env = two_tables();
    let Some(trace) = cost::trace(&env, cost::READS, &["diff", "--name-status", "@~", "@"]) else { return };
    let bytes = |trace: &[cost::Call]| -> i64 {
        trace.iter().filter(|call| call.path.contains("/pack")).map(|call| call.result.max(0)).sum()
    };
    let names = bytes(&trace);
    let Some(trace) = cost::trace(&env, cost::READS, &["diff", "--stat", "@~", "@"]) else { return };
    let all = bytes(&trace) - names;
    assert!(all > 0 && all < 20 << 20, "{all} bytes of packs");
}
