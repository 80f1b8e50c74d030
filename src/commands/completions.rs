//! `undo completions`: prints the completion script of a shell.

use clap::ValueEnum;
use clap_complete::env::{Elvish, EnvCompleter, Powershell};

use crate::commands::Context;
use crate::error::Result;

/// The environment variable through which the script requests completions. Its value is the name of the shell.
pub const VARIABLE: &str = "UNDO_COMPLETE";

/// Print a shell completion script
///
/// The script also completes revisions, recorded paths and settings of the current repository.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  source <(undo completions bash)                                 in ~/.bashrc
  source <(undo completions zsh)                                  in ~/.zshrc, after compinit
  undo completions fish > ~/.config/fish/completions/undo.fish
  undo completions powershell | Out-String | Invoke-Expression    in $PROFILE
  eval (undo completions elvish | slurp)                          in rc.elv")]
pub struct Args {
    /// Shell to complete in
    #[arg(value_name = "SHELL")]
    shell: Shell,
}

/// Supported shells.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Shell {
    Bash,
    Zsh,
    Fish,
    Powershell,
    Elvish,
}

/// Prints the script.
pub fn run(context: &Context<'_>, args: &Args) -> Result<()> {
    context.ui.bytes(&script(args.shell))
}

/// The script of a shell.
pub fn script(shell: Shell) -> Vec<u8> {
    let completer: &dyn EnvCompleter = match shell {
        // The scripts of clap_complete split words at colons, and leave quotes and backslashes in the words.
        Shell::Bash => return include_bytes!("complete.bash").to_vec(),
        Shell::Zsh => return include_bytes!("complete.zsh").to_vec(),
        Shell::Fish => return include_bytes!("complete.fish").to_vec(),
        Shell::Powershell => &Powershell,
        Shell::Elvish => &Elvish,
    };
    let mut text = Vec::new();
    completer.write_registration(VARIABLE, "undo", "undo", "undo", &mut text).expect("writing to memory does not fail");
    text
}
