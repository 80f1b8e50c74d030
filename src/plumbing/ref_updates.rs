//! Checks instructions of `update-ref` against the current refs, and converts them into changes.

use std::collections::BTreeSet;

use crate::error::{Error, ErrorKind, Result};
use crate::history::objects;
use crate::id::CommitId;
use crate::number::plural;
use crate::object::operation::{RefEdit, RefName, View};
use crate::plumbing::ref_commands::{Instruction, Instructions, Target, Value};
use crate::repo::Repository;

/// The changes of a set of instructions.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Edits {
    /// Changed refs. Deletions come first, to free their names.
    pub refs: Vec<RefEdit>,
    /// New current branch, if it changes.
    pub switch: Option<String>,
}

impl Edits {
    /// Whether nothing changes.
    pub fn is_empty(&self) -> bool {
        self.refs.is_empty() && self.switch.is_none()
    }

    /// Describes the changes, for the list of operations.
    pub fn describe(&self) -> String {
        let refs = match self.refs.as_slice() {
            [] => None,
            [edit] => Some(edit_in_words(edit)),
            several => Some(plural(several.len() as u64, "ref")),
        };
        let switch = self.switch.as_ref().map(|branch| format!("switch to {branch}"));
        refs.into_iter().chain(switch).collect::<Vec<_>>().join(", ")
    }
}

fn edit_in_words(edit: &RefEdit) -> String {
    let (word, name) = (edit.name.word(), edit.name.short());
    match (edit.old, edit.new) {
        (Some(old), Some(new)) => format!("{word} {name} from {} to {}", old.short(), new.short()),
        (_, Some(new)) => format!("{word} {name} at {}", new.short()),
        _ => format!("delete {word} {name}"),
    }
}

/// Converts instructions into changes. [`ErrorKind::Refused`] if a ref is not at its expected value, or the current branch
/// would be deleted.
pub fn resolve(repository: &Repository, instructions: &Instructions) -> Result<Edits> {
    let view = repository.view();
    let mut edits = Edits::default();
    let mut seen = BTreeSet::new();
    for (place, instruction) in instructions {
        let add_place = |error: Error| match place {
            Some(place) => error.context(place.to_string()),
            None => error,
        };
        edits.add(repository, instruction, &mut seen).map_err(add_place)?;
    }
    let current = RefName::Branch(edits.switch.as_ref().unwrap_or(&view.current).clone());
    if edits.refs.iter().any(|edit| edit.new.is_none() && edit.name == current) {
        return Err(Error::new(ErrorKind::Refused, format!("`{current}` is the current branch"))
            .hint("switch to another branch first: undo symbolic-ref @ refs/heads/NAME"));
    }
    edits.refs.sort_by_key(|edit| edit.new.is_some());
    edits.switch = edits.switch.filter(|branch| *branch != view.current);
    Ok(edits)
}

impl Edits {
    /// Adds the change of an instruction.
    fn add(
        &mut self,
        repository: &Repository,
        instruction: &Instruction,
        seen: &mut BTreeSet<Option<RefName>>,
    ) -> Result<()> {
        let view = repository.view();
        let mut once = |name: Option<RefName>| {
            let shown = name.as_ref().map_or("@".to_owned(), RefName::to_string);
            let twice = || Error::new(ErrorKind::Usage, format!("`{shown}` is given twice")).hint("name each ref once");
            if seen.insert(name) { Ok(()) } else { Err(twice()) }
        };
        match instruction {
            Instruction::Set { target, new, old } => {
                let name = name(view, target);
                once(Some(name.clone()))?;
                let found = view.get(&name);
                old.as_ref().map_or(Ok(()), |old| expect(repository, &name, old))?;
                let new = match new {
                    Value::Nothing => None,
                    Value::Revision(text) => Some(objects::commit(repository, text)?),
                };
                if found != new {
                    self.refs.push(RefEdit { name, old: found, new });
                }
                Ok(())
            }
            Instruction::Verify { target, old } => {
                let name = name(view, target);
                once(Some(name.clone()))?;
                expect(repository, &name, old)
            }
            Instruction::Switch { branch } => {
                once(None)?;
                self.switch = Some(branch.clone());
                Ok(())
            }
        }
    }
}

fn name(view: &View, target: &Target) -> RefName {
    match target {
        Target::Current => RefName::Branch(view.current.clone()),
        Target::Ref(name) => name.clone(),
    }
}

/// Fails unless the ref is at the expected value.
fn expect(repository: &Repository, name: &RefName, expected: &Value) -> Result<()> {
    let expected = match expected {
        Value::Nothing => None,
        // The expected id need not exist in this repository.
        Value::Revision(text) => match CommitId::parse(text) {
            Some(id) => Some(id),
            None => Some(objects::commit(repository, text)?),
        },
    };
    let found = repository.view().get(name);
    let message = match (found, expected) {
        _ if found == expected => return Ok(()),
        (Some(found), Some(expected)) => format!("`{name}` is at {found}, not at {expected}"),
        (Some(found), None) => format!("`{name}` already exists, at {found}"),
        (None, _) => format!("`{name}` is not there"),
    };
    Err(Error::new(ErrorKind::Refused, message)
        .hint("see what has happened with `undo log`, then give the current value"))
}
