//! `undo check-ignore`: prints ignored paths and the deciding rules.

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use crate::commands::Context;
use crate::error::{Error, ErrorKind, Exit, Result};
use crate::plumbing::records;
use crate::report::End;
use crate::report::plumbing::Ignored;
use crate::worktree::Worktree;
use crate::worktree::ignore::WorktreeRules;
use crate::worktree::paths::Place;

/// Print ignored paths
///
/// With -v, prints the deciding rule first, even if it does not ignore the path. Exits with status 1 if no path is ignored.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  undo check-ignore build/out.o
  undo check-ignore -v -n *
  find . -print0 | undo check-ignore --stdin -z")]
pub struct Args {
    /// Paths to check; they need not exist
    #[arg(value_name = "PATH", required_unless_present = "stdin", value_hint = clap::ValueHint::AnyPath)]
    paths: Vec<OsString>,
    /// With -v, also print paths that no rule matches
    #[arg(short = 'n', long)]
    non_matching: bool,
    /// Read paths from stdin, one per line
    #[arg(long, conflicts_with = "paths")]
    stdin: bool,
}

pub fn run(context: &Context<'_>, args: &Args) -> Result<Exit> {
    let is_verbose = context.ui.options().verbose;
    if args.non_matching && !is_verbose {
        return Err(Error::new(ErrorKind::Usage, "-n requires -v").hint("add -v"));
    }
    let repository = context.repository()?;
    let worktree = Worktree::of(&repository)?;
    let place = Place::new(&repository.layout.worktree, &context.cwd)?;
    let mut rules = WorktreeRules::new(&worktree.root);
    let (mut shown, mut ignored) = (0, false);
    let given = args.paths.iter().map(|path| Ok(path.as_bytes().to_vec()));
    let paths: Box<dyn Iterator<Item = Result<Vec<u8>>>> =
        if args.stdin { Box::new(records::paths(context).map(|path| Ok(path?.1))) } else { Box::new(given) };
    for typed in paths {
        let typed = typed?;
        let path = Path::new(OsStr::from_bytes(&typed));
        context.place(path)?;
        let rule = rules.rule(&place.resolve(path)?, typed.ends_with(b"/"))?;
        let is_ignored = rule.as_ref().is_some_and(|rule| rule.ignores);
        ignored |= is_ignored;
        if is_ignored || is_verbose && (rule.is_some() || args.non_matching) {
            shown += 1;
            let rule = rule.as_ref().map(|rule| (&*rule.file, rule.line, &*rule.pattern));
            context.ui.show(&Ignored::new(typed.clone(), rule, is_ignored, is_verbose))?;
        }
    }
    context.warn_about_rules(&rules.ignore_warnings);
    context.ui.show(&End { count: shown })?;
    Ok(if ignored { Exit::SUCCESS } else { Exit::NO })
}
