//! What `branch` and `tag` share: names of commits are listed, made, renamed and deleted in the same way.

use std::collections::BTreeMap;

use crate::commands::Context;
use crate::error::{Error, ErrorKind, Exit, Result};
use crate::history::reflog::no_commit;
use crate::id::CommitId;
use crate::object::Objects;
use crate::object::operation::{RefEdit, RefName, View};
use crate::quote::shell_word;
use crate::repo::{NewOperation, Repository};
use crate::report::End;
use crate::report::refs::{RefChanged, RefRecord};

/// Which of the two.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sort {
    Branch,
    Tag,
}

impl Sort {
    fn word(self) -> &'static str {
        match self {
            Sort::Branch => "branch",
            Sort::Tag => "tag",
        }
    }

    fn name(self, name: &str) -> RefName {
        match self {
            Sort::Branch => RefName::Branch(name.to_owned()),
            Sort::Tag => RefName::Tag(name.to_owned()),
        }
    }

    fn refs(self, view: &View) -> &BTreeMap<String, CommitId> {
        match self {
            Sort::Branch => &view.branches,
            Sort::Tag => &view.tags,
        }
    }

    fn find(self, view: &View, name: &str) -> Result<CommitId> {
        let word = self.word();
        let missing = || Error::new(ErrorKind::NotFound, format!("no {word} `{name}`")).hint(format!("undo {word}"));
        view.get(&self.name(name)).ok_or_else(missing)
    }
}

/// Lists all.
pub fn list(context: &Context<'_>, sort: Sort) -> Result<Exit> {
    let repository = context.repository()?;
    let view = repository.view();
    let refs = sort.refs(view);
    for (name, &id) in refs {
        let is_current = sort == Sort::Branch && *name == view.current;
        let commit = repository.store().commit(id)?;
        let (name, time, message) = (name.clone(), commit.time, commit.message);
        context.ui.show(&RefRecord { kind: sort.word(), name, id, current: is_current, time, message })?;
    }
    context.ui.show(&End { count: refs.len() as u64 })?;
    Ok(Exit::DONE)
}

/// Makes one at a commit, by default `@`.
pub fn create(context: &Context<'_>, sort: Sort, name: &str, revision: Option<&str>) -> Result<Exit> {
    let mut repository = context.repository()?;
    let id = crate::history::resolve(&repository, revision.unwrap_or("@"))?;
    let word = sort.word();
    if let Ok(old) = sort.find(repository.view(), name) {
        let hint = format!("delete it first: undo {word} -d {}", shell_word(name.as_bytes()));
        return Err(
            Error::new(ErrorKind::Exists, format!("{word} `{name}` is there already, at {}", old.short())).hint(hint)
        );
    }
    let edits = vec![RefEdit { name: sort.name(name), old: None, new: Some(id) }];
    record(&mut repository, sort, format!("{word} {name} at {}", id.short()), edits, None)?;
    context.ui.outcome(&RefChanged { kind: word, action: "created", name: name.to_owned(), id })?;
    if sort == Sort::Branch {
        context.ui.hint(format_args!("switch to it: undo checkout {}", shell_word(name.as_bytes())));
    }
    Ok(Exit::DONE)
}

/// Deletes some; the commits stay.
pub fn delete(context: &Context<'_>, sort: Sort, names: &[String]) -> Result<Exit> {
    let mut repository = context.repository()?;
    let view = repository.view();
    if let Some(name) = names.iter().find(|name| sort == Sort::Branch && **name == view.current) {
        return Err(Error::new(ErrorKind::Refused, format!("`{name}` is the current branch"))
            .hint("switch to another one first: undo checkout BRANCH"));
    }
    let found: Vec<(String, CommitId)> =
        names.iter().map(|name| sort.find(view, name).map(|id| (name.clone(), id))).collect::<Result<_>>()?;
    let edits = found.iter().map(|(name, id)| RefEdit { name: sort.name(name), old: Some(*id), new: None }).collect();
    record(&mut repository, sort, format!("delete {} {}", sort.word(), names.join(" ")), edits, None)?;
    for (name, id) in &found {
        context.ui.outcome(&RefChanged { kind: sort.word(), action: "deleted", name: name.clone(), id: *id })?;
        context.ui.hint(format_args!(
            "take it back: undo {} {} {}",
            sort.word(),
            shell_word(name.as_bytes()),
            id.short()
        ));
    }
    Ok(Exit::DONE)
}

/// Gives one another name.
pub fn rename(context: &Context<'_>, sort: Sort, old: Option<&str>, new: &str) -> Result<Exit> {
    let mut repository = context.repository()?;
    let view = repository.view();
    let old = old.unwrap_or(&view.current).to_owned();
    if sort == Sort::Branch && old == view.current && view.at().is_none() {
        return Err(no_commit(view));
    }
    let id = sort.find(view, &old)?;
    if sort.find(view, new).is_ok() {
        return Err(Error::new(ErrorKind::Exists, format!("{} `{new}` is there already", sort.word())));
    }
    let switch = (sort == Sort::Branch && view.current == old).then(|| new.to_owned());
    let edits = vec![
        RefEdit { name: sort.name(&old), old: Some(id), new: None },
        RefEdit { name: sort.name(new), old: None, new: Some(id) },
    ];
    record(&mut repository, sort, format!("rename {} {old} to {new}", sort.word()), edits, switch)?;
    context.ui.outcome(&RefChanged { kind: sort.word(), action: "renamed", name: new.to_owned(), id })?;
    let (old, new) = (shell_word(old.as_bytes()), shell_word(new.as_bytes()));
    context.ui.hint(format_args!("take it back: undo {} -m {new} {old}", sort.word()));
    Ok(Exit::DONE)
}

fn record(
    repository: &mut Repository,
    sort: Sort,
    description: String,
    edits: Vec<RefEdit>,
    switch: Option<String>,
) -> Result<()> {
    let verb = sort.word().into();
    repository.begin()?.record(NewOperation { verb, description, edits, switch, ..NewOperation::default() })?;
    Ok(())
}
