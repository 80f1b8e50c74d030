//! The hook in fish.

use std::thread::sleep;
use std::time::Duration;

use super::terminal::Terminal;
use crate::crash::has_strace;

#[test]
fn fish_records_before_guarded_lines() {
    let Some(mut fish) = Terminal::start("fish", "", "alias zap='rm -rf'", "") else { return };
    fish.records("rm -rf data", "rm -rf data");
    fish.records("zap data", "zap data --alias=zap=rm -rf");
    fish.records("cd /; cd -; and rm -r data", "cd /; cd -; and rm -r data");
    fish.records("ls | cat | command rm -r data", "ls | cat | command rm -r data");
    fish.records("for name in data\nrm -r $name\nend", "for name in data\nrm -r $name\nend");
    fish.records("begin; rm -r data; end", "begin; rm -r data; end");
    fish.line("cd ..; set x work");
    fish.records("rm -r $x/data", "rm -r $x/data");
}

#[test]
fn fish_starts_no_process_for_ordinary_lines() {
    let Some(fish) = Terminal::start_traced("fish") else { return };
    fish.ordinary_lines_start_no_process(&[
        "echo rm data",
        "set x 1; test $x = 1; and cd .; or false",
        "for i in 1 2 3; set x $i; end",
        "function f; true; end; f",
    ]);
}

#[test]
fn fish_keeps_the_status() {
    let Some(mut fish) = Terminal::start("fish", "", "", "") else { return };
    assert_eq!(fish.output("rm -rf none; false\necho $status"), "1\n");
}

#[test]
fn fish_interrupt_skips_the_recording() {
    let Some(fish) = Terminal::start("fish", "", "", "") else { return };
    fish.interrupt_skips_the_recording();
}

#[test]
fn fish_refuses_lines_in_strict_mode() {
    let Some(mut fish) = Terminal::start("fish", "shell.strict true", "", "") else { return };
    fish.line("cd ..");
    fish.refuses("rm -rf work; echo ran >after");
    assert!(fish.screen().contains("\nwarning: this command deletes the history"), "{}", fish.screen());
    fish.refuses("while rm -rf work; echo ran >after; end");
    fish.line("echo one\necho two");
    fish.line("env UNDO_GUARD=off rm -rf work");
    assert!(!fish.has("work"));
}

#[test]
fn fish_refuses_lines_that_are_recalled_or_completed() {
    let Some(mut fish) = Terminal::start("fish", "shell.strict true", "", "") else { return };
    fish.line("cd ..; ln -s work work-link; mkdir other-a other-b");
    fish.line("set -x directory none");
    fish.line("rm -rf $directory");
    fish.line("set -x directory work");
    fish.refuses_after("", &["Up"; 4]);
    fish.refuses_after("rm -rf $dir", &["C-r"]);
    // Lists both names, and chooses one.
    fish.refuses_after("rm -rf wor", &["Tab"]);
    fish.refuses_after("rm -rf wor", &["Tab", "Tab"]);
    fish.refuses_after("rm -rf wor", &["Tab", "Tab", "Tab"]);
    // The messages remain on the screen if the line takes many lines.
    fish.refuses(&format!("function fish_prompt; echo; echo -n '> '; end; rm -rf work {}", "long/ ".repeat(200)));
    fish.calls();
    fish.keys("rm -rf oth");
    // The first Enter chooses, the second one runs the line.
    for key in ["Tab", "Tab", "Enter", "Enter"] {
        fish.press(key);
        sleep(Duration::from_millis(300));
    }
    fish.finish();
    assert_eq!(fish.calls(), ["rm -rf other-a/"; 2]);
    assert!(!fish.has("other-a") && fish.has("other-b"));
}

#[test]
fn fish_refuses_lines_that_are_recorded_incompletely() {
    if !has_strace() {
        return;
    }
    let Some(mut fish) = Terminal::start("fish", "shell.strict true", "", "") else { return };
    fish.make_a_file_unreadable();
    fish.refuses("rm -rf data; echo ran >after");
    assert!(fish.screen().contains("not covered because it cannot be read"), "{}", fish.screen());
    // No commit follows, since nothing is new.
    fish.refuses("rm -rf data; echo ran >after");
    fish.line("env UNDO_GUARD=off rm -rf data");
    assert!(!fish.has("work/data"));
}
