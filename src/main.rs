//! Runs the command line, or answers a shell that completes a command line.

use std::process::ExitCode;

use clap_complete::env::CompleteEnv;
use undo::binary::{SHELLS, VARIABLE, bug, command, run};

/// As `EX_SOFTWARE` in `sysexits.h`.
const BUG: i32 = 70;

fn main() -> ExitCode {
    let completes = std::env::var_os(VARIABLE).is_some_and(|shell| !shell.is_empty());
    std::panic::set_hook(Box::new(move |panic| end_by_bug(completes, panic)));
    if completes {
        // A shell shows error messages in the middle of the command line, so failures offer nothing.
        let _ = CompleteEnv::with_factory(command).var(VARIABLE).shells(SHELLS).try_complete(std::env::args_os(), None);
        return ExitCode::SUCCESS;
    }
    ExitCode::from(run(std::env::args_os()).0)
}

#[allow(clippy::exit, reason = "the release profile would abort, with a signal instead of a status")]
fn end_by_bug(completes: bool, panic: &std::panic::PanicHookInfo<'_>) {
    if completes {
        std::process::exit(0);
    }
    bug(panic);
    std::process::exit(BUG);
}
