//! Runs the `console` blocks of README.md and docs/tutorial.md, each document in one shell and one directory.
//!
//! A line that starts with `$ ` is a command; the lines after it are its expected output. Ids, sizes, times and spacing
//! vary between machines, so they are normalized. A line `...` matches any number of lines.

use std::fmt::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};

#[test]
fn readme_examples_run() {
    run("README.md");
}

#[test]
fn tutorial_examples_run() {
    run("docs/tutorial.md");
}

/// A command and its documented output.
struct Step {
    line: usize,
    command: String,
    shown: Vec<String>,
}

fn run(document: &str) {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let text = std::fs::read_to_string(root.join(document)).expect("the document exists");
    let steps = steps(&text);
    assert!(steps.len() > 3, "{document}: no console blocks found");
    let temporary = tempfile::tempdir().expect("a temporary directory");
    let home = temporary.path().canonicalize().expect("the directory exists");
    let shown = type_into_shell(&steps, &home);
    let mut wrong = String::new();
    for (step, shown) in steps.iter().zip(&shown) {
        let shown: Vec<String> = shown.lines().map(str::to_owned).collect();
        if !matches(&step.shown, &shown) {
            let _ = write!(
                wrong,
                "\n{document}:{}: $ {}\n--- written\n{}\n--- shown\n{}\n",
                step.line,
                step.command,
                step.shown.join("\n"),
                shown.join("\n")
            );
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
}

fn steps(text: &str) -> Vec<Step> {
    let (mut steps, mut inside) = (Vec::<Step>::new(), false);
    for (n, line) in text.lines().enumerate() {
        match (inside, line) {
            (false, "```console") => inside = true,
            (true, "```") => inside = false,
            (true, _) => match line.strip_prefix("$ ") {
                Some(command) => steps.push(Step { line: n + 1, command: command.to_owned(), shown: Vec::new() }),
                None => steps.last_mut().expect("a console block begins with `$ `").shown.push(line.to_owned()),
            },
            _ => {}
        }
    }
    for step in &mut steps {
        while step.shown.last().is_some_and(|line| line.trim().is_empty()) {
            step.shown.pop();
        }
    }
    steps
}

/// Returns the output of each step on both streams.
fn type_into_shell(steps: &[Step], home: &Path) -> Vec<String> {
    const END: &str = "\u{1}end of step";
    let mut script = String::from("exec 2>&1\n");
    for step in steps {
        let _ = write!(script, "{}\nprintf '\\n%s\\n' '{END}'\n", step.command);
    }
    let binary = Path::new(env!("CARGO_BIN_EXE_undo")).parent().expect("the binary is in a directory");
    let output = Command::new("bash")
        .args(["--noprofile", "--norc", "-c", &script])
        .current_dir(home)
        .env_clear()
        .env("PATH", format!("{}:/usr/local/bin:/usr/bin:/bin", binary.display()))
        .env("HOME", home)
        .env("USER", "ann")
        .env("LC_ALL", "C.UTF-8")
        .env("TZ", "UTC")
        .stdin(Stdio::null())
        .output()
        .expect("bash is installed");
    let text = String::from_utf8_lossy(&output.stdout).replace(&home.display().to_string(), "[ROOT]");
    let text = text.replace(&format!("  {}\n", undo::internals::fs::user_name()), "  ann\n");
    let shown: Vec<String> = text.split(&format!("\n{END}\n")).map(|part| part.trim_end().to_owned()).collect();
    assert!(shown.len() > steps.len(), "the shell stopped early:\n{text}");
    shown
}

/// Returns whether the output matches the document; `...` matches any number of lines.
fn matches(written: &[String], shown: &[String]) -> bool {
    match written.split_first() {
        None => shown.is_empty(),
        Some((first, rest)) if first.trim() == "..." => (0..=shown.len()).any(|skip| matches(rest, &shown[skip..])),
        Some((first, rest)) => {
            shown.split_first().is_some_and(|(line, others)| normal(first) == normal(line) && matches(rest, others))
        }
    }
}

/// Replaces the parts of a line that vary between runs.
fn normal(line: &str) -> String {
    // On a busy machine, a step may be some seconds old.
    let line = match line.split_once(" seconds ago") {
        Some((before, after)) => {
            format!("{}just now{after}", before.trim_end_matches(|letter: char| letter.is_ascii_digit()))
        }
        None => line.to_owned(),
    };
    let mut words: Vec<String> = Vec::new();
    for word in line.split_whitespace() {
        let bare = word.trim_matches(|c: char| !c.is_alphanumeric());
        // The name of a store ends with digits: `shop-5f0c2a11`.
        let bare = bare.rsplit_once('-').map_or(bare, |(_, end)| if end.len() == 8 { end } else { bare });
        let is_id = (bare.len() == 8 || bare.len() == 64) && bare.bytes().all(|b| b.is_ascii_hexdigit());
        let is_unit = matches!(bare, "B" | "KiB" | "MiB" | "GiB" | "ms" | "s");
        let is_time =
            bare.len() >= 8 && bare.chars().all(|c| c.is_ascii_digit() || matches!(c, '-' | ':' | '.' | 'T' | 'Z'));
        if is_unit
            && let Some(last) = words.last_mut()
            && last.chars().any(|c| c.is_ascii_digit())
        {
            *last = word.replace(bare, "[SIZE]");
        } else if is_id {
            words.push(word.replace(bare, "[ID]"));
        } else if is_time {
            words.push(word.replace(bare, "[TIME]"));
        } else {
            words.push(word.to_owned());
        }
    }
    words.join(" ")
}
