//! Compares documents with the source: commands have a heading, and documented functions exist.

use std::collections::BTreeSet;

use super::{assert_none, location, root, sources, top_module};

#[test]
fn commands_are_documented() {
    let manual = std::fs::read_to_string(root().join("docs/commands.md")).unwrap();
    let headings: Vec<&str> = manual.lines().filter(|line| line.starts_with('#')).collect();
    let is_documented = |name: &str| {
        let mut words =
            headings.iter().flat_map(|line| line.split(|letter: char| !letter.is_alphanumeric() && letter != '-'));
        words.any(|word| word == name)
    };
    let mut problems = Vec::new();
    for source in sources()
        .iter()
        .filter(|source| ["commands", "plumbing"].contains(&top_module(source)) && source.code.contains("struct Args"))
    {
        let name = source.module.last().unwrap().trim_end_matches('_').replace('_', "-");
        if !is_documented(&name) {
            problems.push(format!(
                "{}: command `{name}` has no heading in docs/commands.md; regenerate the file",
                location(source, 1)
            ));
        }
    }
    assert_none(problems);
}

/// Checks the tables in `docs/architecture.md` that list functions with their files.
#[test]
fn documented_paths_exist() {
    const MOST_FILES: usize = 25;
    let document = std::fs::read_to_string(root().join("docs/architecture.md")).unwrap();
    let mut problems = Vec::new();
    for table in document.split("<!-- path ").skip(1) {
        let rows: Vec<Vec<&str>> = table
            .split("<!-- end -->")
            .next()
            .unwrap()
            .lines()
            .filter(|line| line.starts_with("| `"))
            .map(|line| {
                line.splitn(4, '|').skip(1).take(2).flat_map(|cell| cell.split('`').skip(1).step_by(2)).collect()
            })
            .collect();
        let files: BTreeSet<&str> = rows.iter().filter_map(|row| row.last().copied()).collect();
        if rows.is_empty() || files.len() > MOST_FILES {
            problems.push(format!("docs/architecture.md: {} files in a path, at most {MOST_FILES}", files.len()));
        }
        for row in rows {
            let (file, functions) = row.split_last().unwrap();
            let code = std::fs::read_to_string(root().join("src").join(file)).unwrap_or_default();
            let missing = functions
                .iter()
                .filter(|name| !code.contains(&format!("fn {name}(")) && !code.contains(&format!("fn {name}<")));
            problems.extend(missing.map(|name| format!("docs/architecture.md: `src/{file}` has no function `{name}`")));
        }
    }
    assert_none(problems);
}
