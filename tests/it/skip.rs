//! Reports skipped tests. libtest hides the output of passing tests, so skips are also written to a file, which
//! `tests/run` counts.

use std::fmt::Display;
use std::fs::OpenOptions;
use std::io::Write;

/// Environment variable that names the file of skips, one per line: the test, a tab, the reason.
const FILE: &str = "UNDO_TEST_SKIPS";

/// Reports that this test, or a part of it, cannot run here. The caller returns, or continues with the rest.
pub fn skip(reason: impl Display) {
    let thread = std::thread::current();
    let test = thread.name().filter(|name| *name != "main").unwrap_or("a test");
    println!("skipped: {reason}");
    let Some(path) = std::env::var_os(FILE) else { return };
    let mut file = OpenOptions::new().create(true).append(true).open(path).unwrap();
    // One write, so that lines of parallel tests do not mix.
    file.write_all(format!("{test}\t{reason}\n").as_bytes()).unwrap();
}
