//! The hook in bash.

use super::terminal::Terminal;
use crate::crash::has_strace;

#[test]
fn bash_records_before_guarded_commands() {
    let Some(mut bash) = Terminal::start("bash", "", "alias zap='rm -rf'", "") else { return };
    bash.records("rm -rf data", "rm -rf data");
    bash.records("zap data", "rm -rf data");
    bash.records("cd /; cd \"$OLDPWD\" && \\rm -r data", "\\rm -r data");
    bash.records("ls | cat | env rm -r data", "env rm -r data");
    bash.records("echo data | xargs rm -r", "xargs rm -r");
    bash.records("for name in data; do\nrm -r $name\ndone", "rm -r $name");
    bash.records("for n in 1 2 3; do rm -rf data; done", "rm -rf data");
    bash.records("!rm -rf", "rm -rf data -rf");
    bash.records("rm \\\n-r data", "rm -r data");
    bash.line("rm -rf ../work/data; cd ..; rm -rf none");
    assert_eq!(bash.calls(), ["rm -rf ../work/data", "rm -rf none"]);
}

#[test]
fn bash_passes_variables_that_are_not_exported_and_dotglob() {
    let Some(mut bash) = Terminal::start("bash", "shell.strict true", "", "") else { return };
    bash.line("cd ..; x=work; declare -n w=x; readonly y=data; z=(a b)");
    bash.records("rm -rf $w/${y}", "rm -rf $w/${y}");
    assert_eq!(bash.output("echo \"$(env | grep -c -e ^x= -e ^y=) $x $y ${z[1]}\""), "0 work data b\n");
    bash.line("mkdir -p work/data; touch work/data/old");
    bash.refuses("rm -rf $unset/data; touch after");
    bash.refuses("v='work/data none'; rm -rf $v; touch after");
    bash.refuses("rm -rf work/{,.}* ; touch after");
    bash.line("cd work; shopt -s dotglob");
    bash.refuses("rm -rf *; touch after");
    assert!(bash.has("work/.undo/format"));
}

#[test]
fn bash_records_each_directory_that_a_loop_names() {
    let Some(mut bash) = Terminal::start("bash", "", "", "") else { return };
    bash.line("mkdir ../other; undo -C ../other init -q; touch ../other/file; export é=x; big=$(seq 50000)");
    bash.calls();
    bash.line("cd ..; for d in $PWD/work/data $PWD/other/none $PWD/other/file $PWD/other/file2; do rm -rf $d; done");
    assert_eq!(bash.calls().len(), 2, "the last two lie in a directory that was recorded");
    bash.line("rm -rf 'a$é' $big other/none");
    assert_eq!(bash.calls(), ["rm -rf 'a$é' $big other/none"]);
}

#[test]
fn bash_starts_no_process_for_ordinary_lines() {
    let Some(bash) = Terminal::start_traced("bash") else { return };
    bash.ordinary_lines_start_no_process(&[
        "echo rm data",
        "x=1; [[ $x == 1 ]] && cd . || false",
        "for i in 1 2 3; do x=$i; done",
        "case a in b) ;; *) : ;; esac",
        "f() { :; }; f",
    ]);
}

#[test]
fn bash_keeps_status_last_argument_and_options() {
    let Some(mut bash) = Terminal::start("bash", "", "", "") else { return };
    for options in [":", "set -eu"] {
        bash.line(options);
        bash.line("false || rm -rf \"s$?\"");
        assert_eq!(bash.calls(), ["rm -rf \"s$?\""]);
        assert_eq!(bash.output("true a b\necho \"$_\""), "b\n", "after {options}");
        assert_eq!(bash.output("false || echo \"$?\""), "1\n", "after {options}");
        assert!(!bash.output("shopt extdebug || :").contains("on"));
        bash.line("(exit 3) || true");
    }
    bash.line("set +eu; (exit 3)");
    bash.line("set -eu");
    bash.records("rm -rf data", "rm -rf data");
}

#[test]
fn bash_keeps_an_existing_trap_and_prompt_command() {
    let before = "PROMPT_COMMAND='status=$?; mv none none 2>/dev/null'\n\
                  trap 'trapped=\"$? $_ $BASH_COMMAND\"; : other' DEBUG";
    let Some(mut bash) = Terminal::start("bash", "", before, "") else { return };
    bash.records("rm -rf data", "rm -rf data");
    let output = bash.output("false\ntrue a; echo \"$status $trapped\"");
    assert!(output.starts_with("1 0 a echo \"$status $trapped\" "), "{output}");
    assert_eq!(bash.calls(), Vec::<String>::new(), "PROMPT_COMMAND is not looked at");
}

#[test]
fn bash_returns_to_a_trap_that_another_program_replaced() {
    let after = "PROMPT_COMMAND+=('mv none none 2>/dev/null')\ntrap 'trapped=$BASH_COMMAND' DEBUG";
    let Some(mut bash) = Terminal::start("bash", "", "PROMPT_COMMAND=('status=$?')", after) else { return };
    bash.records("rm -rf data", "rm -rf data");
    assert!(bash.output("echo \"$trapped\"").starts_with("echo \"$trapped\""));
    bash.line("trap 'again=$BASH_COMMAND' DEBUG");
    bash.records("rm -rf data", "rm -rf data");
    assert!(bash.output("echo \"$again\"").starts_with("echo \"$again\""));
}

/// As starship does.
#[test]
fn bash_keeps_a_trap_and_prompt_commands_that_run_in_functions() {
    let after = "prompt_commands=$PROMPT_COMMAND\nat_prompt() { eval \"$prompt_commands\"; }\nPROMPT_COMMAND=at_prompt\n\
                 before_command() { __undo_debug; trapped=$BASH_COMMAND; }\ntrap before_command DEBUG";
    let Some(mut bash) = Terminal::start("bash", "", "", after) else { return };
    bash.records("rm -rf data", "rm -rf data");
    bash.records("rm -rf data", "rm -rf data");
    assert!(bash.output("echo \"$trapped\"").starts_with("echo \"$trapped\""));
}

#[test]
fn bash_traces_the_commands_of_the_user() {
    let Some(mut bash) = Terminal::start("bash", "", "", "") else { return };
    bash.line("set -x");
    bash.records("rm -rf data", "rm -rf data");
    bash.line("set +x");
    let screen = bash.screen();
    assert!(screen.contains("+ rm -rf data\n"), "{screen}");
    let own = screen.lines().filter(|line| line.starts_with('+') && line.contains("__undo_")).count();
    let all = screen.lines().filter(|line| line.starts_with('+')).count();
    assert!(own <= 30 && all <= 60, "{screen}");
}

#[test]
fn bash_survives_an_interrupted_prompt_command() {
    let before = "PROMPT_COMMAND='if [[ -e sleep ]]; then rm -f sleep; echo asleep; sleep 100; fi'";
    let Some(mut bash) = Terminal::start("bash", "", before, "") else { return };
    bash.keys("echo >sleep");
    bash.press("Enter");
    bash.wait_for("asleep\n");
    bash.press("C-c");
    bash.records("rm -rf data", "rm -rf data");
}

#[test]
fn bash_is_silent_in_completions() {
    let after = "complete_it() { COMPREPLY=(one); mv none none 2>/dev/null; }; complete -F complete_it it\nset -T";
    let Some(mut bash) = Terminal::start("bash", "", "", after) else { return };
    bash.keys("echo it; it o\t");
    bash.line("");
    assert_eq!(bash.calls(), Vec::<String>::new());
}

#[test]
fn bash_interrupt_skips_the_recording() {
    let Some(bash) = Terminal::start("bash", "", "", "") else { return };
    bash.interrupt_skips_the_recording();
}

#[test]
fn bash_refuses_commands_in_strict_mode() {
    for before in ["", "set -eu", "trap 'echo interrupt' INT"] {
        let Some(mut bash) = Terminal::start("bash", "shell.strict true", before, "") else { return };
        bash.line("cd ..");
        bash.refuses("rm -rf work && echo ran >after; echo ran >after");
        bash.refuses("while rm -rf work; do echo ran >after; done");
        bash.refuses("echo | rm -rf work | cat; echo ran >after");
        bash.line("shopt extdebug || echo ran >after");
        assert!(bash.has("after"), "the shell is as before");
        bash.line("UNDO_GUARD=off rm -rf work");
        assert!(!bash.has("work"));
    }
}

#[test]
fn bash_refuses_commands_that_are_recorded_incompletely() {
    if !has_strace() {
        return;
    }
    let Some(mut bash) = Terminal::start("bash", "shell.strict true", "", "") else { return };
    bash.make_a_file_unreadable();
    bash.refuses("rm -rf data; echo ran >after");
    assert!(bash.screen().contains("not covered because it cannot be read"), "{}", bash.screen());
    // No commit follows, since nothing is new.
    bash.refuses("rm -rf data; echo ran >after");
    bash.line("UNDO_GUARD=off rm -rf data");
    assert!(!bash.has("work/data"));
}
