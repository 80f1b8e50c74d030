//! `undo update-ref`: sets and deletes refs, one or many at once.

use crate::commands::{Context, complete};
use crate::error::{Error, ErrorKind, Result};
use crate::object::operation::Verb;
use crate::plumbing::records;
use crate::plumbing::ref_commands::{self, Instruction, Instructions, Target, Value};
use crate::plumbing::ref_updates;
use crate::repo::NewOperation;
use crate::report::plumbing::{CurrentBranch, RefUpdate};

/// Set or delete a ref
///
/// With OLD, changes the ref only if it is at OLD; zeros or an empty OLD mean that the ref must not exist. Does not change
/// the directory. With --stdin, makes all changes or none, as one operation.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  undo update-ref refs/heads/trial @~3
  undo update-ref refs/heads/trial \"$new\" \"$old\"
  undo update-ref -d refs/tags/v1
  undo update-ref --stdin < changes")]
pub struct Args {
    /// `refs/heads/BRANCH`, `refs/tags/TAG`, or `@` for the current branch
    #[arg(value_name = "REF", required_unless_present = "stdin")]
    reference: Option<String>,
    /// New commit, and expected current commit; with -d, only the latter
    #[arg(value_names = ["NEW", "OLD"], num_args = 0..=2, add = complete::with(complete::revisions))]
    values: Vec<String>,
    /// Delete the ref
    #[arg(short, long)]
    delete: bool,
    /// Description of the operation
    #[arg(short = 'm', value_name = "REASON", allow_hyphen_values = true, value_parser = clap::builder::NonEmptyStringValueParser::new())]
    reason: Option<String>,
    /// Read `update`, `create`, `delete`, `verify` and `symref-update` from stdin, one per line
    #[arg(long, conflicts_with_all = ["reference", "values", "delete"])]
    stdin: bool,
}

pub fn run(context: &Context<'_>, args: &Args) -> Result<()> {
    let mut repository = context.repository()?;
    let instructions = match args.stdin {
        true => ref_commands::read(&mut records::stdin(context), context.ui.options().nul)?,
        false => given(args)?,
    };
    let mut transaction = repository.begin()?;
    let edits = ref_updates::resolve(transaction.repository(), &instructions)?;
    if edits.is_empty() {
        return Ok(());
    }
    let description = args.reason.clone().unwrap_or_else(|| edits.describe());
    let (refs, switch) = (edits.refs.clone(), edits.switch.clone());
    transaction.record(NewOperation {
        verb: Verb::UpdateRef,
        description,
        edits: refs,
        switch,
        ..NewOperation::default()
    })?;
    drop(transaction);
    edits.refs.iter().try_for_each(|edit| context.ui.show(&RefUpdate::from(edit)))?;
    edits.switch.iter().try_for_each(|branch| context.ui.show(&CurrentBranch::changed(branch)))
}

/// The instruction on the command line.
fn given(args: &Args) -> Result<Instructions> {
    let target = Target::parse(args.reference.as_deref().unwrap_or_default())?;
    let values: Vec<Value> = args.values.iter().map(|text| Value::new(text)).collect();
    let (new, old) = match (args.delete, values.as_slice()) {
        (true, []) => (Value::Nothing, None),
        (true, [old]) => (Value::Nothing, Some(old.clone())),
        (false, [new]) => (new.clone(), None),
        (false, [new, old]) => (new.clone(), Some(old.clone())),
        (true, _) => return Err(usage("-d takes a ref and at most one value", "undo update-ref -d REF [OLD]")),
        (false, _) => return Err(usage("a commit for the ref is required", "undo update-ref REF NEW [OLD]")),
    };
    Ok(vec![(None, Instruction::Set { target, new, old })])
}

fn usage(message: &str, hint: &str) -> Error {
    Error::new(ErrorKind::Usage, message).hint(hint)
}
