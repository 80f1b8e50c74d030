//! The hook in zsh.

use super::terminal::Terminal;
use crate::crash::has_strace;

#[test]
fn zsh_records_before_guarded_lines() {
    let Some(mut zsh) = Terminal::start("zsh", "", "alias zap='rm -rf'", "") else { return };
    zsh.records("rm -rf data", "rm -rf data");
    zsh.records("zap data", "rm -rf data");
    zsh.records("cd / && cd - && \\rm -r data", "cd / && cd - && \\rm -r data");
    zsh.records("ls | cat | env rm -r data", "ls | cat | env rm -r data");
    zsh.records("for name in data; do\nrm -r $name\ndone", "for name in data\ndo\n\trm -r $name\ndone");
    zsh.records("(rm -r data)", "(\n\trm -r data\n)");
    zsh.records("rm -rf data", "rm -rf data");
    zsh.records("!rm -rf", "rm -rf data -rf");
}

#[test]
fn zsh_passes_variables_that_are_not_exported_and_glob_dots() {
    let Some(mut zsh) = Terminal::start("zsh", "shell.strict true", "", "") else { return };
    zsh.line("cd ..; x=work; typeset -r y=data; z=(a b)");
    zsh.records("rm -rf $x/${y}", "rm -rf $x/${y}");
    assert_eq!(zsh.output("echo \"$(env | grep -c -e ^x= -e ^y=) $x $y $z[2]\""), "0 work data b\n");
    zsh.line("mkdir -p work/data; touch work/data/old");
    zsh.refuses("rm -rf $unset/data; touch after");
    zsh.refuses("x=none; rm -rf $x; touch after");
    zsh.line("cd work; setopt glob_dots");
    zsh.refuses("rm -rf *; touch after");
    assert!(zsh.has("work/.undo/format"));
}

#[test]
fn zsh_starts_no_process_for_ordinary_lines() {
    let Some(zsh) = Terminal::start_traced("zsh") else { return };
    zsh.ordinary_lines_start_no_process(&[
        "echo rm data",
        "x=1; [[ $x == 1 ]] && cd . || false",
        "for i in 1 2 3; do x=$i; done",
        "f() { :; }; f",
    ]);
}

#[test]
fn zsh_keeps_status_last_argument_and_options() {
    let Some(mut zsh) = Terminal::start("zsh", "", "", "") else { return };
    for options in [":", "set -eu", "setopt sh_word_split ksh_arrays no_unset err_return"] {
        zsh.line(options);
        assert_eq!(zsh.output("true a b\necho \"$_\""), "b\n", "after {options}");
        assert_eq!(zsh.output("false || echo \"$?\""), "1\n", "after {options}");
        zsh.records("rm -rf data", "rm -rf data");
    }
}

#[test]
fn zsh_traces_the_commands_of_the_user() {
    let Some(mut zsh) = Terminal::start("zsh", "", "", "") else { return };
    zsh.line("set -x");
    zsh.records("rm -rf data", "rm -rf data");
    zsh.line("set +x");
    let screen = zsh.screen();
    let is_command = |line: &str| line.contains("zsh:") && line.ends_with("> rm -rf data");
    assert!(screen.lines().any(is_command), "{screen}");
    let traced = screen.lines().filter(|line| line.starts_with('+') && line.contains("__undo_")).count();
    assert!(traced <= 40, "{screen}");
}

#[test]
fn zsh_interrupt_skips_the_recording() {
    let Some(zsh) = Terminal::start("zsh", "", "", "") else { return };
    zsh.interrupt_skips_the_recording();
}

#[test]
fn zsh_refuses_lines_in_strict_mode() {
    let traps = ["", "set -eu", "trap 'echo interrupt' INT", "trap 'debugged=1' DEBUG", "setopt local_traps"];
    for before in traps {
        let after = "precmd() { prompted=1 }";
        let Some(mut zsh) = Terminal::start("zsh", "shell.strict true", before, after) else { return };
        zsh.line("cd ..");
        zsh.refuses("rm -rf work && echo ran >after; echo ran >after");
        zsh.refuses("while rm -rf work; do echo ran >after; done");
        assert_eq!(zsh.output("echo $prompted"), "1\n");
        zsh.line("UNDO_GUARD=off rm -rf work");
        assert!(!zsh.has("work"));
    }
}

#[test]
fn zsh_refuses_lines_that_are_recorded_incompletely() {
    if !has_strace() {
        return;
    }
    let Some(mut zsh) = Terminal::start("zsh", "shell.strict true", "", "") else { return };
    zsh.make_a_file_unreadable();
    zsh.refuses("rm -rf data; echo ran >after");
    assert!(zsh.screen().contains("not covered because it cannot be read"), "{}", zsh.screen());
    // No commit follows, since nothing is new.
    zsh.refuses("rm -rf data; echo ran >after");
    zsh.line("UNDO_GUARD=off rm -rf data");
    assert!(!zsh.has("work/data"));
}
