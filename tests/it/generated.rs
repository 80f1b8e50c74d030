//! Generated files: completion scripts and command reference (by the program), figures (by a script). `UPDATE=1 cargo
//! test generated` regenerates the former.

use std::fmt::Write;
use std::path::Path;
use std::process::Command;

use clap::Arg;

use crate::skip::skip;

/// Compares a file with its expected content, or writes it.
fn check(path: &str, made: &str) {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join(path);
    if std::env::var_os("UPDATE").is_some() {
        std::fs::create_dir_all(file.parent().unwrap()).unwrap();
        return std::fs::write(file, made).unwrap();
    }
    let kept = std::fs::read_to_string(&file).unwrap_or_default();
    assert!(kept == made, "{path} is out of date: run `UPDATE=1 cargo test generated`");
}

fn printed(arguments: &[&str]) -> String {
    let output = Command::new(env!("CARGO_BIN_EXE_undo")).args(arguments).output().unwrap();
    assert!(output.status.success(), "{arguments:?}: {output:?}");
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn completion_files_are_current() {
    let files = [
        ("bash", "undo.bash"),
        ("zsh", "_undo"),
        ("fish", "undo.fish"),
        ("powershell", "undo.ps1"),
        ("elvish", "undo.elv"),
    ];
    for (shell, file) in files {
        check(&format!("completions/{file}"), &printed(&["completions", shell]));
    }
}

#[test]
fn completion_offers_commands_and_never_fails() {
    let complete = |words: &[&str], directory: &str| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_undo"));
        command.env("UNDO_COMPLETE", "bytes");
        let output = command.current_dir(directory).arg("--").args(words).output().unwrap();
        assert!(output.status.success() && output.stderr.is_empty(), "{words:?}: {output:?}");
        String::from_utf8(output.stdout).unwrap()
    };
    assert!(complete(&["undo", "comm"], "/").split('\0').any(|value| value == "commit"));
    assert_eq!(complete(&["undo", "cat", "nonsense:"], "/"), "");
    assert_eq!(complete(&["undo", "branch", "-d", "x"], "/"), "");
}

#[test]
fn commands_md_is_current() {
    check("docs/commands.md", &manual());
}

#[test]
fn all_commands_have_man_pages() {
    for command in undo::binary::command().get_subcommands() {
        let page = printed(&["man", command.get_name()]);
        assert!(page.contains(&format!(".TH undo-{} 1", command.get_name())), "{page}");
    }
    assert!(printed(&["man"]).contains(".TH undo 1"));
}

#[test]
fn figures_match_measurements() {
    let mut script = Command::new("python3");
    script.args(["-B", "benches/report.py", "--check"]).current_dir(env!("CARGO_MANIFEST_DIR"));
    let Ok(output) = script.output() else {
        skip("python3 is not installed");
        return;
    };
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

fn manual() -> String {
    let mut root = undo::binary::command();
    root.build();
    let mut text = String::from(
        "# Commands\n\nMade from the program by a test; do not edit. `undo help COMMAND` says the same.\n\n\
         ## Global options\n\nThey stand before or after the command.\n\n",
    );
    table(&mut text, root.get_arguments());
    for command in root.get_subcommands().filter(|command| !command.is_hide_set()) {
        section(&mut text, command, "##");
    }
    text.push_str("\n## Plumbing\n\nFor scripts: what these print stays as it is. [`plumbing.md`](plumbing.md) has the grammar.\n");
    for command in undo::internals::commands::help::plumbing(&root) {
        section(&mut text, command, "###");
    }
    text.replace("\n\n\n", "\n\n")
}

fn section(text: &mut String, command: &clap::Command, level: &str) {
    let mut command = command.clone();
    let name = command.get_bin_name().unwrap_or(command.get_name()).to_owned();
    let about = command.get_long_about().or(command.get_about()).map(ToString::to_string).unwrap_or_default();
    let usage = command.render_usage().to_string();
    let usage = usage.trim_start_matches("Usage:").trim();
    write!(text, "\n{level} {name}\n\n{about}\n\n```text\n{usage}\n```\n\n").unwrap();
    let aliases: Vec<String> = command.get_visible_aliases().map(|alias| format!("`{alias}`")).collect();
    if !aliases.is_empty() {
        write!(text, "Also: {}\n\n", aliases.join(", ")).unwrap();
    }
    table(text, command.get_arguments().filter(|argument| !argument.is_global_set()));
    if let Some(examples) = command.get_after_help() {
        write!(text, "```text\n{}\n```\n", examples.to_string().trim_end()).unwrap();
    }
    for below in command.get_subcommands().filter(|below| !below.is_hide_set() && below.get_name() != "help") {
        section(text, below, "###");
    }
}

fn table<'a>(text: &mut String, arguments: impl Iterator<Item = &'a Arg>) {
    let rows: Vec<String> = arguments.filter(|argument| !argument.is_hide_set()).map(row).collect();
    if !rows.is_empty() {
        write!(text, "| argument | what it does |\n|---|---|\n{}\n", rows.concat()).unwrap();
    }
}

fn row(argument: &Arg) -> String {
    let values = argument.get_value_names().unwrap_or_default();
    let takes_value = argument.get_num_args().is_some_and(|range| range.takes_values());
    let value = if takes_value { values.join(" ") } else { String::new() };
    let mut names = Vec::new();
    names.extend(argument.get_short().map(|short| format!("-{short}")));
    names.extend(argument.get_long().map(|long| format!("--{long}")));
    let name = match names.is_empty() {
        true => value,
        false if argument.is_require_equals_set() => format!("{}[={value}]", names.join(", ")),
        false => format!("{} {value}", names.join(", ")).trim_end().to_owned(),
    };
    let help = argument.get_help().map(ToString::to_string).unwrap_or_default().replace('|', "\\|");
    let mut help = help.replace('\n', " ");
    let possible: Vec<String> = match argument.is_hide_possible_values_set() || !takes_value {
        true => Vec::new(),
        false => argument.get_possible_values().iter().map(|value| value.get_name().to_owned()).collect(),
    };
    if !possible.is_empty() {
        write!(help, " ({})", possible.join(", ")).unwrap();
    }
    format!("| `{name}` | {help} |\n")
}
