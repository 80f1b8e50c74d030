//! `undo symbolic-ref`: prints or changes the current branch.

use crate::commands::Context;
use crate::error::Result;
use crate::object::operation::Verb;
use crate::plumbing::ref_commands::{Instruction, check_symbolic};
use crate::plumbing::ref_updates;
use crate::repo::NewOperation;
use crate::report::plumbing::CurrentBranch;

/// Print or change the current branch
///
/// Does not change the directory. The branch need not have a commit yet.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  undo symbolic-ref --short @
  undo symbolic-ref @ refs/heads/trial")]
pub struct Args {
    /// `@`
    #[arg(value_name = "REF")]
    symbolic: String,
    /// New current branch, as `refs/heads/BRANCH`
    #[arg(value_name = "TARGET")]
    target: Option<String>,
    /// Print the name without `refs/heads/`
    #[arg(long, conflicts_with = "target")]
    short: bool,
}

pub fn run(context: &Context<'_>, args: &Args) -> Result<()> {
    let mut repository = context.repository()?;
    let Some(target) = &args.target else {
        check_symbolic(&args.symbolic)?;
        context.ui.show(&CurrentBranch::shown(&repository.view().current, args.short))?;
        return Ok(());
    };
    let instruction = Instruction::switch(&args.symbolic, target)?;
    let mut transaction = repository.begin()?;
    let edits = ref_updates::resolve(transaction.repository(), &vec![(None, instruction)])?;
    let Some(branch) = &edits.switch else { return Ok(()) };
    let (description, switch) = (edits.describe(), edits.switch.clone());
    transaction.record(NewOperation { verb: Verb::SymbolicRef, description, switch, ..NewOperation::default() })?;
    context.ui.show(&CurrentBranch::changed(branch))
}
