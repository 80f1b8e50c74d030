//! Checks the rules of the code base by reading its source (`docs/architecture.md`).

mod dependencies;
mod documents;
mod hints;
mod source;
mod words;

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use source::{Reference, Source, read_all};

/// The top-level modules by layer, lowest first. A module uses only modules of lower layers.
const LAYERS: [&[&str]; 11] = [
    &[
        "amount",
        "codec",
        "coding_agent",
        "environment",
        "error",
        "id",
        "keep_rule",
        "message",
        "metadata",
        "number",
        "parallel",
        "path",
        "progress",
        "quote",
        "serialize",
        "time",
    ],
    &["fs", "remote"],
    &["agent", "chunk", "hook_settings", "object", "seal", "shell"],
    &["store", "target"],
    &["repo"],
    &["alarm", "diff", "history", "worktree"],
    &["apply"],
    &["checkout", "compare", "effect", "export", "maintain", "snapshot", "transfer"],
    &["workspace"],
    &["report", "terminal"],
    &["cli", "commands", "internals", "main", "plumbing"],
];

/// Uses allowed within a layer: (user, used). They must not form a cycle.
const EXCEPTIONS: [(&str, &str); 23] = [
    ("codec", "error"),
    ("codec", "time"),
    ("environment", "coding_agent"),
    ("environment", "time"),
    ("error", "message"),
    ("error", "path"),
    ("error", "quote"),
    ("keep_rule", "time"),
    ("message", "path"),
    ("message", "quote"),
    ("metadata", "time"),
    ("progress", "error"),
    ("serialize", "path"),
    ("remote", "fs"),
    ("agent", "object"),
    ("seal", "object"),
    ("diff", "history"),
    ("terminal", "report"),
    // Only for the type `SavedScan`.
    ("checkout", "snapshot"),
    ("cli", "commands"),
    ("cli", "plumbing"),
    ("plumbing", "commands"),
    ("internals", "commands"),
];

/// Modules that show values. They must not depend on how the values are computed.
const OUTPUT: [&str; 2] = ["report", "terminal"];

/// Modules that `OUTPUT` must not use.
const HIDDEN_FROM_OUTPUT: [&str; 11] =
    ["apply", "chunk", "checkout", "compare", "export", "fs", "maintain", "repo", "snapshot", "store", "worktree"];

/// Maximum number of lines in a file, not counting unit tests.
const LONGEST_FILE: usize = 500;

/// Module names that do not say what the module owns.
const VAGUE_NAMES: [&str; 9] = ["common", "helper", "helpers", "manager", "misc", "shared", "types", "util", "utils"];

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Reads the files in `src` that are not entirely tests.
fn sources() -> Vec<Source> {
    let mut sources = read_all(root(), "src");
    sources.retain(|source| !source.is_test_file());
    sources
}

#[track_caller]
fn assert_none(problems: Vec<String>) {
    assert!(problems.is_empty(), "\n{}\n", problems.join("\n"));
}

fn location(source: &Source, line: usize) -> String {
    format!("{}:{line}", source.path.display())
}

fn top_module(source: &Source) -> &str {
    source.module.first().map_or("lib", String::as_str)
}

fn layer(module: &str) -> Option<usize> {
    LAYERS.iter().position(|modules| modules.contains(&module))
}

/// Lists the modules of the crate that a file names. `super` is resolved relative to the file.
fn uses(source: &Source) -> Vec<Reference> {
    let own = if top_module(source) == "main" { "undo" } else { "crate" };
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
fn modules_use_only_lower_layers() {
    let mut problems = Vec::new();
    for source in sources() {
        let from = top_module(&source);
        if from == "lib" {
            continue;
        }
        let Some(own) = layer(from) else {
            problems.push(format!(
                "{}: module `{from}` has no layer; add it to LAYERS in tests/it/tidy.rs",
                location(&source, 1)
            ));
            continue;
        };
        for reference in uses(&source) {
            let Some(to) = reference.names.first().map(String::as_str) else { continue };
            if to == from || EXCEPTIONS.contains(&(from, to)) || layer(to).is_none_or(|layer| layer < own) {
                continue;
            }
            let place = location(&source, reference.line);
            problems.push(format!(
                "{place}: `{from}` must not use `{to}`, which is not in a lower layer; \
                 move the shared code down, or the caller up"
            ));
        }
    }
    assert_none(problems);
}

#[test]
fn exceptions_are_acyclic() {
    let edges = EXCEPTIONS.iter().map(|(from, to)| (*from, *to)).collect();
    assert_eq!(cycle(&edges), None);
    for (from, to) in EXCEPTIONS {
        assert_eq!(layer(from), layer(to), "`{from}` to `{to}` is not within a layer; remove the exception");
    }
}

#[test]
fn output_modules_do_not_depend_on_storage() {
    let mut problems = Vec::new();
    for source in sources().iter().filter(|source| OUTPUT.contains(&top_module(source))) {
        for Reference { names, line, .. } in uses(source) {
            // Signals must know the pager, and only `fs` has their handlers.
            let is_pager = names[0] == "fs" && names.get(1).is_some_and(|name| name.starts_with("Awaited"));
            if HIDDEN_FROM_OUTPUT.contains(&names[0].as_str()) && !is_pager {
                let (place, module) = (location(source, line), top_module(source));
                problems.push(format!("{place}: `{module}` must not use `{}`; pass it the values to show", names[0]));
            }
        }
    }
    assert_none(problems);
}

/// Finds a cycle among these edges. The first name of the cycle is repeated at its end.
fn cycle<'a>(edges: &BTreeSet<(&'a str, &'a str)>) -> Option<Vec<&'a str>> {
    fn visit<'a>(
        at: &'a str,
        edges: &BTreeSet<(&'a str, &'a str)>,
        path: &mut Vec<&'a str>,
        done: &mut BTreeSet<&'a str>,
    ) -> Option<Vec<&'a str>> {
        if let Some(start) = path.iter().position(|name| *name == at) {
            return Some([&path[start..], &[at]].concat());
        }
        if !done.insert(at) {
            return None;
        }
        path.push(at);
        let found = edges.iter().filter(|edge| edge.0 == at).find_map(|edge| visit(edge.1, edges, path, done));
        path.pop();
        found
    }
    let mut done = BTreeSet::new();
    edges.iter().find_map(|edge| visit(edge.0, edges, &mut Vec::new(), &mut done))
}

#[test]
fn cycle_is_detected() {
    assert_eq!(cycle(&[("a", "b"), ("a", "c"), ("b", "c")].into()), None);
    assert_eq!(cycle(&[("a", "b"), ("b", "c"), ("c", "b")].into()), Some(vec!["b", "c", "b"]));
}

/// Finds the file that defines the item at this path: the deepest module that is a file, after resolving `pub use`.
fn definition<'s>(sources: &'s [Source], names: &[String]) -> Option<&'s Source> {
    let mut names = names.to_vec();
    // Each iteration resolves one `pub use`. The limit is arbitrary; a cycle would not compile.
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

/// Lists the `pub use child::Name` paths of a file, where `child` is one of its modules.
fn local_exports(file: &Source) -> Vec<Reference> {
    let declared = file.code.lines().filter_map(|line| line.trim().strip_suffix(';')?.split_once("mod "));
    declared.flat_map(|(_, child)| file.references(child)).collect()
}

#[test]
fn files_in_a_module_are_acyclic() {
    let sources = sources();
    let is_above = |a: &Source, b: &Source| b.module.starts_with(&a.module);
    let mut graphs: BTreeMap<&str, BTreeSet<(&str, &str)>> = BTreeMap::new();
    for source in sources.iter().filter(|source| !source.module.is_empty()) {
        // A re-export is not a use: the users of the name are resolved to its definition.
        for reference in uses(source).iter().filter(|reference| !reference.is_exported) {
            let Some(target) = definition(&sources, &reference.names) else { continue };
            // A parent module declares its children and owns the types that they share.
            if top_module(target) == top_module(source) && !is_above(source, target) && !is_above(target, source) {
                let edge = (source.path.to_str().unwrap(), target.path.to_str().unwrap());
                graphs.entry(top_module(source)).or_default().insert(edge);
            }
        }
    }
    let cycles = graphs.values().filter_map(cycle);
    assert_none(
        cycles
            .map(|path| format!("{}: dependency cycle; move the shared code into a separate file", path.join(" → ")))
            .collect(),
    );
}

#[test]
fn files_are_short_and_state_their_purpose() {
    let mut problems = Vec::new();
    for source in read_all(root(), "src").iter().chain(&read_all(root(), "tests/it")) {
        let place = location(source, 1);
        if !source.text.starts_with("//! ") {
            problems.push(format!("{place}: start the file with a `//!` line that says what it owns"));
        }
        if source.length > LONGEST_FILE && !source.is_test_file() {
            problems.push(format!(
                "{place}: {} lines without tests, more than {LONGEST_FILE}; split the file",
                source.length
            ));
        }
        if let Some(name) = source.module.iter().find(|name| VAGUE_NAMES.contains(&name.as_str())) {
            problems.push(format!("{place}: `{name}` is vague; name the module after what it owns"));
        }
    }
    assert_none(problems);
}

#[test]
fn only_terminal_prints() {
    let mut problems = Vec::new();
    for source in sources() {
        for word in ["print!", "println!", "eprint!", "eprintln!", "stdout", "stderr", "dbg!"] {
            let may_print = match top_module(&source) {
                "terminal" => word != "dbg!",
                "remote" => {
                    ["stdout", "stderr"].contains(&word) && source.lines_with(&format!("io::{word}")).is_empty()
                }
                _ => false,
            };
            let lines = if may_print { Vec::new() } else { source.lines_with(word) };
            problems.extend(lines.iter().map(|line| {
                format!("{}: `{word}` outside `src/terminal`; return a value instead", location(&source, *line))
            }));
        }
    }
    assert_none(problems);
}

#[test]
fn only_main_exits() {
    let mut problems = Vec::new();
    for source in sources().iter().filter(|source| top_module(source) != "main") {
        for word in ["process::exit", "process::abort"] {
            problems.extend(source.lines_with(word).iter().map(|line| {
                format!("{}: `{word}` outside `src/main.rs`; return an error instead", location(source, *line))
            }));
        }
    }
    assert_none(problems);
}

#[test]
fn only_snapshot_makes_saved_scans() {
    let mut problems = Vec::new();
    for source in sources().iter().filter(|source| top_module(source) == "checkout") {
        let others = uses(source).into_iter().filter(|reference| {
            reference.names[0] == "snapshot" && reference.names.last().is_none_or(|name| name != "SavedScan")
        });
        problems.extend(others.map(|reference| {
            format!("{}: `checkout` may use only `SavedScan` of `snapshot`", location(source, reference.line))
        }));
    }
    for source in sources().iter().filter(|source| top_module(source) != "snapshot") {
        problems.extend(constructions(&source.code, "SavedScan").into_iter().map(|line| {
            format!("{}: only `snapshot` may construct a `SavedScan`; take one as an argument", location(source, line))
        }));
    }
    assert_none(problems);
}

/// Lists the lines with a struct expression (or pattern) of this type: `Type { … }`.
fn constructions(code: &str, name: &str) -> Vec<usize> {
    let pattern = format!("{name} {{");
    let is_construction = |line: &str| {
        line.match_indices(&pattern).any(|(at, _)| {
            let before = line[..at].trim_end();
            let is_other = ["struct", "impl", "for", "->"].iter().any(|word| before.ends_with(word));
            !is_other && !line[..at].ends_with(char::is_alphanumeric)
        })
    };
    code.lines().enumerate().filter(|(_, line)| is_construction(line)).map(|(number, _)| number + 1).collect()
}

#[test]
fn constructions_are_found() {
    let code =
        "struct A {\nimpl A {\nimpl X for A {\nfn f() -> A {\nlet a = A { b };\nSome(A {\nlet A { b } = a;\nAA {";
    assert_eq!(constructions(code, "A"), [5, 6, 7]);
}

#[test]
fn only_fs_accesses_the_system() {
    let mut problems = Vec::new();
    for source in sources().iter().filter(|source| top_module(source) != "fs") {
        problems.extend(
            source
                .lines_with("unsafe")
                .iter()
                .map(|line| format!("{}: `unsafe` outside `src/fs`; wrap it there", location(source, *line))),
        );
        let named = ["std", "rustix", "File"].iter().flat_map(|first| source.references(first));
        for reference in named.filter(|reference| accesses_files(&reference.names)) {
            let (place, names) = (location(source, reference.line), reference.names.join("::"));
            problems
                .push(format!("{place}: `{names}` outside `src/fs`; call `crate::fs`, and add there what it lacks"));
        }
    }
    assert_none(problems);
}

/// Returns whether a path gives access to the file system. The type `File` alone does not.
fn accesses_files(names: &[String]) -> bool {
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    match names[..] {
        ["std", "fs", "File"] => false,
        ["std", "fs", ..] | ["std", "os", "unix" | "linux", "fs", ..] => true,
        ["File", "open" | "create" | "create_new" | "options"] => true,
        _ => names[0] == "rustix",
    }
}

#[test]
fn test_files_are_declared() {
    let sources = read_all(root(), "tests/it");
    let mut problems = Vec::new();
    for source in sources.iter().filter(|source| source.module != ["main"]) {
        let (name, above) = source.module.split_last().unwrap();
        let above = if above.is_empty() { &["main".to_owned()] } else { above };
        let parent = sources.iter().find(|source| source.module == above);
        if !parent.is_some_and(|parent| parent.code.contains(&format!("mod {name};"))) {
            problems.push(format!(
                "{}: the file is never compiled; add `mod {name};` to `{}`",
                location(source, 1),
                above.join("/")
            ));
        }
    }
    assert_none(problems);
}
