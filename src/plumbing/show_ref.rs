//! `undo show-ref`: prints branches and tags with their commits.

use crate::commands::Context;
use crate::error::{Error, ErrorKind, Exit, Result};
use crate::object::operation::{RefName, View};
use crate::plumbing::ref_commands::Target;
use crate::report::End;
use crate::report::plumbing::Ref;

/// Print branches and tags with their commits
///
/// Exits with status 1 if there are none.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  undo show-ref --heads
  undo show-ref main               refs/heads/main, refs/heads/old/main, …
  undo show-ref --verify refs/tags/v1")]
pub struct Args {
    /// Names to match, complete or their last parts; with --verify, full names
    #[arg(value_name = "REF", required_if_eq("verify", "true"))]
    names: Vec<String>,
    /// Print branches; tags only with --tags
    #[arg(long)]
    heads: bool,
    /// Print tags; branches only with --heads
    #[arg(long)]
    tags: bool,
    /// First print the current commit, as `@`
    #[arg(long)]
    head: bool,
    /// Fail unless all given refs exist
    #[arg(long, conflicts_with_all = ["heads", "tags", "head"])]
    verify: bool,
}

pub fn run(context: &Context<'_>, args: &Args) -> Result<Exit> {
    let repository = context.repository()?;
    let view = repository.view();
    let refs = if args.verify { verified(view, &args.names)? } else { chosen(view, args) };
    refs.iter().try_for_each(|found| context.ui.show(found))?;
    context.ui.show(&End { count: refs.len() as u64 })?;
    Ok(if refs.is_empty() { Exit::NO } else { Exit::SUCCESS })
}

/// The refs with these full names.
fn verified(view: &View, names: &[String]) -> Result<Vec<Ref>> {
    let found = |text: &String| {
        let found = match Target::parse(text)? {
            Target::Current => view.at().map(|id| Ref::at(&view.current, id)),
            Target::Ref(name) => view.get(&name).map(|id| Ref::new(&name, id, is_current(view, &name))),
        };
        found.ok_or_else(|| Error::new(ErrorKind::NotFound, format!("no ref `{text}`")).hint("undo show-ref"))
    };
    names.iter().map(found).collect()
}

/// The matching refs, sorted by full name.
fn chosen(view: &View, args: &Args) -> Vec<Ref> {
    let all = args.heads == args.tags;
    let branches = view.branches.iter().filter(|_| all || args.heads);
    let tags = view.tags.iter().filter(|_| all || args.tags);
    let branches = branches.map(|(name, id)| (RefName::Branch(name.clone()), *id));
    let tags = tags.map(|(name, id)| (RefName::Tag(name.clone()), *id));
    let matching = branches.chain(tags).filter(|(name, _)| {
        let full = name.to_string();
        args.names.is_empty() || args.names.iter().any(|part| ends_in(&full, part))
    });
    let at = view.at().filter(|_| args.head).map(|id| Ref::at(&view.current, id));
    at.into_iter().chain(matching.map(|(name, id)| Ref::new(&name, id, is_current(view, &name)))).collect()
}

/// Whether a name ends with these complete parts.
fn ends_in(full: &str, part: &str) -> bool {
    full.strip_suffix(part).is_some_and(|rest| rest.is_empty() || rest.ends_with('/'))
}

fn is_current(view: &View, name: &RefName) -> bool {
    *name == RefName::Branch(view.current.clone())
}
