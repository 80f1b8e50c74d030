//! Views: the values of all refs at one point, and how an operation changes them. Journal checkpoints contain views.

use std::collections::{BTreeMap, BTreeSet};

use super::action::{Operation, RefName};
use crate::codec::{Decoder, Encoder};
use crate::error::Result;
use crate::id::CommitId;
use crate::object::fields;

/// The first byte of a view.
const KIND: u8 = 0x11;

/// The values of all refs at one point.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct View {
    /// The current branch, which may have no commit yet.
    pub current: String,
    /// Branches, which follow new commits.
    pub branches: BTreeMap<String, CommitId>,
    /// Tags.
    pub tags: BTreeMap<String, CommitId>,
    /// All heads: commits without a child, on a branch or not.
    pub heads: BTreeSet<CommitId>,
}

impl View {
    /// The commit of the current branch. `None` before its first commit.
    pub fn at(&self) -> Option<CommitId> {
        self.branches.get(&self.current).copied()
    }

    /// The commit of a ref.
    pub fn get(&self, name: &RefName) -> Option<CommitId> {
        match name {
            RefName::Branch(name) => self.branches.get(name).copied(),
            RefName::Tag(name) => self.tags.get(name).copied(),
        }
    }

    /// Applies an operation.
    pub fn apply(&mut self, operation: &Operation) {
        for edit in &operation.edits {
            let (names, name) = match &edit.name {
                RefName::Branch(name) => (&mut self.branches, name),
                RefName::Tag(name) => (&mut self.tags, name),
            };
            match edit.new {
                Some(commit) => names.insert(name.clone(), commit),
                None => names.remove(name),
            };
        }
        if let Some((_, current)) = &operation.switched {
            self.current.clone_from(current);
        }
        for commit in &operation.commits {
            for parent in &commit.parents {
                self.heads.remove(parent);
            }
            self.heads.insert(commit.id);
        }
    }

    /// Encodes the view.
    pub fn encode(&self) -> Vec<u8> {
        let mut encoder = fields::begin(KIND);
        encoder.bytes(self.current.as_bytes());
        put_names(&mut encoder, &self.branches);
        put_names(&mut encoder, &self.tags);
        fields::put_ids(&mut encoder, self.heads.iter().map(|id| id.object_id()).collect::<Vec<_>>().into_iter());
        encoder.finish()
    }

    /// Decodes a view.
    pub fn decode(bytes: &[u8]) -> Result<View> {
        let mut decoder = fields::expect("view", KIND, bytes)?;
        let current = decoder.text()?;
        let (branches, tags) = (take_names(&mut decoder)?, take_names(&mut decoder)?);
        let heads = fields::take_ids(&mut decoder)?;
        fields::ascending(&decoder, &heads, |id| id)?;
        decoder.finish()?;
        Ok(View { current, branches, tags, heads: heads.into_iter().collect() })
    }
}

fn put_names(encoder: &mut Encoder, names: &BTreeMap<String, CommitId>) {
    encoder.varint(names.len() as u64);
    for (name, id) in names {
        encoder.bytes(name.as_bytes()).raw(&id.0);
    }
}

fn take_names(decoder: &mut Decoder<'_>) -> Result<BTreeMap<String, CommitId>> {
    let names = fields::take_list(decoder, 33, |d| Ok((d.text()?, fields::take_id(d)?)))?;
    fields::ascending(decoder, &names, |(name, _)| name.as_str())?;
    Ok(names.into_iter().collect())
}
