//! Checks the number and the licences of the dependencies.

use std::process::Command;

use super::{assert_none, root};
use crate::skip::skip;

/// Maximum number of packages in `Cargo.lock`. Raise it deliberately, with the reason in `docs/decisions/`.
const MOST_PACKAGES: usize = 244;

/// Licences that impose no conditions on users of `undo`.
const LICENCES: [&str; 13] = [
    "0BSD",
    "Apache-2.0",
    "Apache-2.0 WITH LLVM-exception",
    "BSD-2-Clause",
    "BSD-3-Clause",
    "BSL-1.0",
    "CC0-1.0",
    "ISC",
    "MIT",
    "MIT-0",
    "Unicode-3.0",
    "Unlicense",
    "Zlib",
];

#[test]
fn dependency_count_is_within_limit() {
    let lock = std::fs::read_to_string(root().join("Cargo.lock")).unwrap();
    let count = lock.matches("[[package]]").count();
    assert!(
        count <= MOST_PACKAGES,
        "Cargo.lock has {count} packages, more than {MOST_PACKAGES}; remove one, or raise the limit deliberately"
    );
}

#[test]
fn dependencies_have_permissive_licences() {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let arguments =
        ["metadata", "--offline", "--locked", "--format-version=1", "--filter-platform=x86_64-unknown-linux-gnu"];
    let output = Command::new(cargo).args(arguments).current_dir(root()).output().unwrap();
    if !output.status.success() {
        // A source package may not have all dependencies available offline.
        skip(format_args!("{}", String::from_utf8_lossy(&output.stderr)));
        return;
    }
    let metadata: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    let mut problems = Vec::new();
    for package in metadata["packages"].as_array().unwrap() {
        let (name, licence) = (package["name"].as_str().unwrap(), package["license"].as_str().unwrap_or("none"));
        if !is_permissive(licence) {
            problems.push(format!(
                "Cargo.lock: `{name}` has the licence `{licence}`, which LICENCES does not list; use another package"
            ));
        }
    }
    assert_none(problems);
}

/// Returns whether one alternative of an SPDX expression consists only of licences in `LICENCES`.
fn is_permissive(expression: &str) -> bool {
    let mut depth = 0;
    let is_outside = |letter: char, depth: &mut i32| {
        *depth += i32::from(letter == '(') - i32::from(letter == ')');
        *depth == 0
    };
    let outer: String =
        expression.chars().map(|letter| if is_outside(letter, &mut depth) { letter } else { '_' }).collect();
    let split = |word: &str| -> Vec<&str> {
        let cuts: Vec<usize> = outer.match_indices(word).map(|(at, _)| at).collect();
        let starts = std::iter::once(0).chain(cuts.iter().map(|cut| cut + word.len()));
        let ends = cuts.iter().copied().chain([expression.len()]);
        starts.zip(ends).map(|(start, end)| expression[start..end].trim()).collect()
    };
    for (word, is_any) in [(" OR ", true), ("/", true), (" AND ", false)] {
        let parts = split(word);
        if parts.len() > 1 {
            return if is_any { parts.into_iter().any(is_permissive) } else { parts.into_iter().all(is_permissive) };
        }
    }
    match expression.strip_prefix('(').and_then(|inner| inner.strip_suffix(')')) {
        Some(inner) => is_permissive(inner),
        None => LICENCES.contains(&expression),
    }
}

#[test]
fn licence_expressions_are_parsed() {
    for good in ["MIT", "MIT/Apache-2.0", "(MIT OR GPL-3.0) AND Unicode-3.0", "Apache-2.0 WITH LLVM-exception OR MIT"] {
        assert!(is_permissive(good), "{good}");
    }
    for bad in ["none", "GPL-3.0", "MIT AND GPL-3.0", "(MIT AND GPL-3.0) OR LGPL-2.1", "(MIT OR ISC) AND AGPL-3.0"] {
        assert!(!is_permissive(bad), "{bad}");
    }
}
