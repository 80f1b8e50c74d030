//! Costs of the search for repositories, counted.

use std::fs;

use super::repository;
use crate::cost::{Call, trace};

const STATS: &str = "statx,newfstatat,readlink,readlinkat,open,openat,openat2";

/// The calls of a search from the directory `many`, which is in no repository.
fn search(env: &crate::env::TestEnv, calls: &str, line: &str) -> Option<Vec<Call>> {
    let many = env.root().join("many");
    trace(env, calls, &["-C", many.to_str().unwrap(), "shell-hook", "bash", "--before", line])
}

#[test]
fn files_among_the_operands_are_not_examined() {
    let env = repository();
    let many = env.root().join("many");
    fs::create_dir(&many).unwrap();
    for n in 0..2000 {
        fs::write(many.join(format!("file-{n}")), "").unwrap();
    }
    for line in ["rm -rf *", "rm -rf ../many", "rm -rf file-*"] {
        let Some(calls) = search(&env, STATS, line) else { return };
        assert!(calls.len() < 200, "{line}: {} calls", calls.len());
    }
}

#[test]
fn a_directory_among_the_operands_takes_few_calls() {
    const DIRECTORIES: usize = 500;
    let env = repository();
    for n in 0..DIRECTORIES {
        fs::create_dir_all(env.root().join(format!("many/directory-{n}"))).unwrap();
    }
    for (line, most) in [("rm -rf *", 3), ("rm -rf ../many", 2)] {
        let Some(calls) = search(&env, STATS, line) else { return };
        assert!(calls.len() < most * DIRECTORIES + 200, "{line}: {} calls", calls.len());
    }
}

#[test]
fn a_pattern_is_expanded_once() {
    let env = repository();
    let many = env.root().join("many");
    fs::create_dir(&many).unwrap();
    let Some(calls) = search(&env, "getdents64", "rm -rf x*") else { return };
    let listings = calls.iter().filter(|call| call.path == many.to_str().unwrap()).count();
    // The entries, and the end.
    assert_eq!(listings, 2, "{calls:?}");
}
