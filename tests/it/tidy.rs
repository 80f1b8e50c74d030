//! The rules of the house, checked by reading its files (`docs/architecture.md`).

mod source;

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::process::Command;

use crate::skip::skip;
use source::{Reference, Source, read_all};

/// A room uses only rooms on lower floors.
const FLOORS: [&[&str]; 10] = [
    &["codec", "error", "id", "join", "metadata", "number", "path", "progress", "quote", "time"],
    &["environment", "fs"],
    &["chunk", "object"],
    &["store"],
    &["repo"],
    &["alarm", "diff", "history", "worktree"],
    &["checkout", "compare", "effect", "maintain", "snapshot"],
    &["workspace"],
    &["ui"],
    &["cli", "commands", "main"],
];

/// What a room may use on its own floor: from, to. Never in a circle.
const DOORS: [(&str, &str); 9] = [
    ("codec", "error"),
    ("codec", "time"),
    ("environment", "fs"),
    ("error", "path"),
    ("error", "quote"),
    ("metadata", "time"),
    ("cli", "commands"),
    ("main", "cli"),
    ("main", "commands"),
];

/// `ui` shows values; how they come about is not its business.
const HIDDEN_FROM_UI: [&str; 9] =
    ["chunk", "checkout", "compare", "fs", "maintain", "repo", "snapshot", "store", "worktree"];

/// Lines of a file without its tests.
const LONGEST_FILE: usize = 500;

/// Names that say nothing.
const EMPTY_NAMES: [&str; 9] = ["common", "helper", "helpers", "manager", "misc", "shared", "types", "util", "utils"];

/// Packages in `Cargo.lock`. Raise it on purpose only, with the reason in the commit.
const MOST_PACKAGES: usize = 132;

/// Licences that put no condition on who uses `undo`.
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

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The files of `src` that are not tests as a whole.
fn sources() -> Vec<Source> {
    let mut sources = read_all(root(), "src");
    sources.retain(|source| !source.is_test());
    sources
}

#[track_caller]
fn none(problems: Vec<String>) {
    assert!(problems.is_empty(), "\n{}\n", problems.join("\n"));
}

fn at(source: &Source, line: usize) -> String {
    format!("{}:{line}", source.path.display())
}

fn room(source: &Source) -> &str {
    source.module.first().map_or("lib", String::as_str)
}

fn floor(room: &str) -> Option<usize> {
    FLOORS.iter().position(|rooms| rooms.contains(&room))
}

/// The modules of the crate that a file names. `super` is counted from the file.
fn uses(source: &Source) -> Vec<Reference> {
    let own = if room(source) == "main" { "undo" } else { "crate" };
    let mut found = source.references(own);
    found.iter_mut().for_each(|reference| drop(reference.names.remove(0)));
    for mut reference in source.references("super") {
        let ups = reference.names.iter().take_while(|name| *name == "super").count();
        let above = source.module[..source.module.len().saturating_sub(ups)].to_vec();
        reference.names.splice(..ups, above);
        found.push(reference);
    }
    found
}

#[test]
fn a_room_uses_only_lower_floors() {
    let mut problems = Vec::new();
    for source in sources() {
        let from = room(&source);
        if from == "lib" {
            continue;
        }
        let Some(own) = floor(from) else {
            problems.push(format!(
                "{}: room `{from}` is on no floor; add it to FLOORS in tests/it/tidy.rs",
                at(&source, 1)
            ));
            continue;
        };
        for reference in uses(&source) {
            let Some(to) = reference.names.first().map(String::as_str) else { continue };
            if to == from || DOORS.contains(&(from, to)) || floor(to).is_none_or(|floor| floor < own) {
                continue;
            }
            let place = at(&source, reference.line);
            let what = format!("{place}: `{from}` may not use `{to}`, which is not on a lower floor");
            problems.push(format!("{what}; move what both need down, or put the two together in a higher room"));
        }
    }
    none(problems);
}

#[test]
fn doors_on_one_floor_lead_in_no_circle() {
    let edges = DOORS.iter().map(|(from, to)| (*from, *to)).collect();
    assert_eq!(circle(&edges), None);
    for (from, to) in DOORS {
        assert_eq!(floor(from), floor(to), "`{from}` to `{to}` needs no door");
    }
}

#[test]
fn ui_knows_nothing_of_how_things_are_kept() {
    let mut problems = Vec::new();
    for source in sources().iter().filter(|source| room(source) == "ui") {
        for Reference { names, line, .. } in uses(source) {
            if HIDDEN_FROM_UI.contains(&names[0].as_str()) {
                let place = at(source, line);
                problems.push(format!("{place}: `ui` may not use `{}`; hand it the values that it shows", names[0]));
            }
        }
    }
    none(problems);
}

/// One circle among these edges, from a name back to itself.
fn circle<'a>(edges: &BTreeSet<(&'a str, &'a str)>) -> Option<Vec<&'a str>> {
    fn visit<'a>(
        at: &'a str,
        edges: &BTreeSet<(&'a str, &'a str)>,
        way: &mut Vec<&'a str>,
        done: &mut BTreeSet<&'a str>,
    ) -> Option<Vec<&'a str>> {
        if let Some(start) = way.iter().position(|name| *name == at) {
            return Some([&way[start..], &[at]].concat());
        }
        if !done.insert(at) {
            return None;
        }
        way.push(at);
        let found = edges.iter().filter(|edge| edge.0 == at).find_map(|edge| visit(edge.1, edges, way, done));
        way.pop();
        found
    }
    let mut done = BTreeSet::new();
    edges.iter().find_map(|edge| visit(edge.0, edges, &mut Vec::new(), &mut done))
}

#[test]
fn a_circle_is_found() {
    assert_eq!(circle(&[("a", "b"), ("a", "c"), ("b", "c")].into()), None);
    assert_eq!(circle(&[("a", "b"), ("b", "c"), ("c", "b")].into()), Some(vec!["b", "c", "b"]));
}

/// The file that defines what these names lead to: the deepest module that is a file, after `pub use`.
fn definition<'s>(sources: &'s [Source], names: &[String]) -> Option<&'s Source> {
    let mut names = names.to_vec();
    // Each round follows one `pub use`; a circle of them would not compile.
    for _ in 0..10 {
        let depth =
            (1..=names.len()).rev().find(|&depth| sources.iter().any(|source| source.module == names[..depth]))?;
        let file = sources.iter().find(|source| source.module == names[..depth])?;
        let Some(wanted) = names.get(depth) else { return Some(file) };
        let exported =
            ["crate", "self", "super"].iter().flat_map(|first| file.references(first)).chain(local_exports(file));
        let Some(target) =
            exported.filter(|reference| reference.is_exported).find(|reference| reference.names.last() == Some(wanted))
        else {
            return Some(file);
        };
        names = match target.names[0].as_str() {
            "crate" => target.names[1..].to_vec(),
            "super" => [&file.module[..file.module.len() - 1], &target.names[1..]].concat(),
            "self" => [&file.module[..], &target.names[1..]].concat(),
            _ => [&file.module[..], &target.names[..]].concat(),
        };
    }
    None
}

/// `pub use child::Name` of a file: paths that begin with one of its modules.
fn local_exports(file: &Source) -> Vec<Reference> {
    let declared = file.code.lines().filter_map(|line| line.trim().strip_suffix(';')?.split_once("mod "));
    declared.flat_map(|(_, child)| file.references(child)).collect()
}

#[test]
fn files_of_a_room_use_each_other_in_no_circle() {
    let sources = sources();
    let is_above = |a: &Source, b: &Source| b.module.starts_with(&a.module);
    let mut rooms: BTreeMap<&str, BTreeSet<(&str, &str)>> = BTreeMap::new();
    for source in sources.iter().filter(|source| !source.module.is_empty()) {
        // To pass a name on is not to use it: who uses it leads to where it is defined.
        for reference in uses(source).iter().filter(|reference| !reference.is_exported) {
            let Some(target) = definition(&sources, &reference.names) else { continue };
            // A parent declares its children and holds the words that they share.
            if room(target) == room(source) && !is_above(source, target) && !is_above(target, source) {
                let edge = (source.path.to_str().unwrap(), target.path.to_str().unwrap());
                rooms.entry(room(source)).or_default().insert(edge);
            }
        }
    }
    let circles = rooms.values().filter_map(circle);
    none(
        circles
            .map(|way| format!("{}: a circle; move what they share into a file of its own", way.join(" → ")))
            .collect(),
    );
}

#[test]
fn files_are_short_and_say_what_they_own() {
    let mut problems = Vec::new();
    for source in read_all(root(), "src").iter().chain(&read_all(root(), "tests/it")) {
        let place = at(source, 1);
        if !source.text.starts_with("//! ") {
            problems.push(format!("{place}: open the file with a `//!` line that says what it owns"));
        }
        if source.length > LONGEST_FILE && !source.is_test() {
            problems
                .push(format!("{place}: {} lines without tests; split it, {LONGEST_FILE} is the end", source.length));
        }
        if let Some(name) = source.module.iter().find(|name| EMPTY_NAMES.contains(&name.as_str())) {
            problems.push(format!("{place}: `{name}` says nothing; name it after what it owns"));
        }
    }
    none(problems);
}

#[test]
fn only_ui_prints_and_only_fs_touches_the_system() {
    let mut problems = Vec::new();
    for source in sources() {
        let room = room(&source);
        for word in ["print!", "println!", "eprint!", "eprintln!", "dbg!"] {
            let lines = if room == "ui" && word != "dbg!" { Vec::new() } else { source.lines_with(word) };
            problems.extend(
                lines
                    .iter()
                    .map(|line| format!("{}: `{word}`; return a value and let `ui` show it", at(&source, *line))),
            );
        }
        if room == "fs" {
            continue;
        }
        let lines = source.lines_with("unsafe");
        problems.extend(
            lines.iter().map(|line| format!("{}: `unsafe` outside `src/fs`; make it safe there", at(&source, *line))),
        );
        let named = ["std", "rustix", "File"].iter().flat_map(|first| source.references(first));
        for reference in named.filter(|reference| touches_files(&reference.names)) {
            let (place, names) = (at(&source, reference.line), reference.names.join("::"));
            problems
                .push(format!("{place}: `{names}` outside `src/fs`; call `crate::fs`, and add there what is missing"));
        }
    }
    none(problems);
}

/// Whether a path leads to the file system. The type `File` alone does not.
fn touches_files(names: &[String]) -> bool {
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    match names[..] {
        ["std", "fs", "File"] => false,
        ["std", "fs", ..] | ["std", "os", "unix" | "linux", "fs", ..] => true,
        ["File", "open" | "create" | "create_new" | "options"] => true,
        _ => names[0] == "rustix",
    }
}

#[test]
fn every_command_is_documented() {
    let manual = std::fs::read_to_string(root().join("docs/commands.md")).unwrap();
    let headings: Vec<&str> = manual.lines().filter(|line| line.starts_with('#')).collect();
    let is_documented = |name: &str| {
        let mut words =
            headings.iter().flat_map(|line| line.split(|letter: char| !letter.is_alphanumeric() && letter != '-'));
        words.any(|word| word == name)
    };
    let mut problems = Vec::new();
    for source in sources().iter().filter(|source| room(source) == "commands" && source.code.contains("struct Args")) {
        let name = source.module.last().unwrap().trim_end_matches('_').replace('_', "-");
        if !is_documented(&name) {
            problems.push(format!("{}: command `{name}` has no heading in docs/commands.md; add one", at(source, 1)));
        }
    }
    none(problems);
}

#[test]
fn every_test_file_is_run() {
    let sources = read_all(root(), "tests/it");
    let mut problems = Vec::new();
    for source in sources.iter().filter(|source| source.module != ["main"]) {
        let (name, above) = source.module.split_last().unwrap();
        let above = if above.is_empty() { &["main".to_owned()] } else { above };
        let parent = sources.iter().find(|source| source.module == above);
        if !parent.is_some_and(|parent| parent.code.contains(&format!("mod {name};"))) {
            problems.push(format!("{}: never run; add `mod {name};` to `{}`", at(source, 1), above.join("/")));
        }
    }
    none(problems);
}

#[test]
fn the_budget_of_dependencies_is_kept() {
    let lock = std::fs::read_to_string(root().join("Cargo.lock")).unwrap();
    let count = lock.matches("[[package]]").count();
    assert!(
        count <= MOST_PACKAGES,
        "Cargo.lock: {count} packages, {MOST_PACKAGES} allowed; do without, or raise it on purpose"
    );
}

#[test]
fn every_dependency_has_a_permissive_licence() {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let arguments =
        ["metadata", "--offline", "--locked", "--format-version=1", "--filter-platform=x86_64-unknown-linux-gnu"];
    let output = Command::new(cargo).args(arguments).current_dir(root()).output().unwrap();
    if !output.status.success() {
        // A packaged source need not have all dependencies at hand.
        skip(format_args!("{}", String::from_utf8_lossy(&output.stderr)));
        return;
    }
    let metadata: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    let mut problems = Vec::new();
    for package in metadata["packages"].as_array().unwrap() {
        let (name, licence) = (package["name"].as_str().unwrap(), package["license"].as_str().unwrap_or("none"));
        if !is_permissive(licence) {
            problems.push(format!("Cargo.lock: `{name}` has the licence `{licence}`; look for another one"));
        }
    }
    none(problems);
}

/// Whether one of the alternatives of an SPDX expression has only licences of the list.
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
fn licence_expressions_are_understood() {
    for good in ["MIT", "MIT/Apache-2.0", "(MIT OR GPL-3.0) AND Unicode-3.0", "Apache-2.0 WITH LLVM-exception OR MIT"] {
        assert!(is_permissive(good), "{good}");
    }
    for bad in ["none", "GPL-3.0", "MIT AND GPL-3.0", "(MIT AND GPL-3.0) OR LGPL-2.1", "(MIT OR ISC) AND AGPL-3.0"] {
        assert!(!is_permissive(bad), "{bad}");
    }
}
