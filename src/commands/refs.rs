//! Lists, creates, renames and deletes branches and tags, for `branch` and `tag`.

use crate::commands::Context;
use crate::error::{Error, ErrorKind, Result};
use crate::object::Commit;
use crate::path::glob::{Glob, Slashes};
use crate::quote::shell_word;
use crate::report::End;
use crate::report::refs::{CurrentBranch, RefChanged, RefRecord};
use crate::workspace::RefKind;

/// Lists branches or tags whose names match one of the patterns, or all if there are none. As in git, `*` matches `/` too.
pub fn list(context: &Context<'_>, kind: RefKind, patterns: &[String]) -> Result<()> {
    let workspace = context.workspace()?;
    let globs = patterns.iter().map(|pattern| parse(pattern)).collect::<Result<Vec<_>>>()?;
    let is_listed = |name: &str| globs.is_empty() || globs.iter().any(|glob| glob.matches(name.as_bytes()));
    let view = workspace.view();
    let mut count = 0;
    for (name, &id) in kind.refs(view).iter().filter(|(name, _)| is_listed(name)) {
        let is_current = kind == RefKind::Branch && *name == view.current;
        let Commit { time, message, .. } = workspace.read_commit(id)?;
        let (kind, name) = (kind.word(), name.clone());
        context.ui.show(&RefRecord { kind, name, id, current: is_current, time, message })?;
        count += 1;
    }
    context.ui.show(&End { count })
}

fn parse(pattern: &str) -> Result<Glob> {
    Glob::parse(pattern.as_bytes(), Slashes::Ordinary).map_err(|invalid| {
        let reason = invalid.describe();
        Error::new(ErrorKind::Usage, format!("`{}` is not a valid pattern: {reason}", pattern.escape_debug()))
    })
}

/// Prints the name of the current branch, which may have no commit yet.
pub fn show_current(context: &Context<'_>) -> Result<()> {
    let workspace = context.workspace()?;
    let view = workspace.view();
    context.ui.show(&CurrentBranch { name: view.current.clone(), id: view.at() })
}

/// Creates a branch or tag at a commit, by default `@`. With `force`, moves an existing one.
pub fn create(context: &Context<'_>, kind: RefKind, name: &str, revision: Option<&str>, force: bool) -> Result<()> {
    let mut workspace = context.workspace()?;
    let id = workspace.resolve(revision.unwrap_or("@"))?;
    let old = workspace.create_ref(kind, name, id, force)?;
    let action = if old.is_some() { "moved" } else { "created" };
    context.ui.outcome(&RefChanged { kind: kind.word(), action, name: name.to_owned(), id })?;
    let word = shell_word(name.as_bytes());
    match old {
        Some(old) => context.ui.hint(format_args!("to undo: undo {} -f {word} {}", kind.word(), old.short())),
        None if kind == RefKind::Branch => context.ui.hint(format_args!("to switch to it: undo checkout {word}")),
        None => {}
    }
    Ok(())
}

/// Deletes branches or tags. The commits stay. With `force`, also branches of directories that are not there now.
pub fn delete(context: &Context<'_>, kind: RefKind, names: &[String], force: bool) -> Result<()> {
    let commits = context.workspace()?.delete_refs(kind, names, force)?;
    for (name, id) in names.iter().zip(commits) {
        context.ui.outcome(&RefChanged { kind: kind.word(), action: "deleted", name: name.to_owned(), id })?;
        let (word, name, id) = (kind.word(), shell_word(name.as_bytes()), id.short());
        context.ui.hint(format_args!("to restore it: undo {word} {name} {id}"));
    }
    Ok(())
}

/// Renames a branch or tag, by default the current branch.
pub fn rename(context: &Context<'_>, kind: RefKind, old: Option<&str>, new: &str) -> Result<()> {
    let mut workspace = context.workspace()?;
    let old = old.unwrap_or(&workspace.view().current).to_owned();
    let id = workspace.rename_ref(kind, &old, new)?;
    context.ui.outcome(&RefChanged { kind: kind.word(), action: "renamed", name: new.to_owned(), id })?;
    let (old, new) = (shell_word(old.as_bytes()), shell_word(new.as_bytes()));
    context.ui.hint(format_args!("to undo: undo {} -m {new} {old}", kind.word()));
    Ok(())
}
