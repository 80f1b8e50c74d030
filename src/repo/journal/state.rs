//! The state after the last record: refs, packs, newest operation, unfinished checkout. A checkpoint is an encoded
//! state.

use std::collections::{BTreeMap, BTreeSet};

use super::directory::Directory;
use crate::codec::{Decoder, Encoder};
use crate::error::{Error, Result};
use crate::id::{DirectoryId, LENGTH, OperationId, PackId};
use crate::object::operation::{Intent, View};
use crate::object::{Operation, fields};

/// The state of a repository, except for the content of its packs.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct State {
    /// All refs. The current branch is that of the selected directory.
    pub view: View,
    /// All packs of the repository.
    pub packs: BTreeSet<PackId>,
    /// The newest operation.
    pub operation: Option<OperationId>,
    /// The unfinished checkout.
    pub intent: Option<Intent>,
    /// Known directories that use the repository.
    pub directories: BTreeMap<DirectoryId, Directory>,
    /// The selected directory, if it has its own branch, and the branch of the main directory.
    selected: Option<(DirectoryId, String)>,
}

impl State {
    /// The state of a new repository: no refs; the current branch is `main`.
    pub fn new() -> State {
        State { view: View { current: "main".to_owned(), ..View::default() }, ..State::default() }
    }

    /// Applies an operation, which must follow the newest one.
    pub fn apply(&mut self, id: OperationId, operation: &Operation, ends_intent: bool) -> Result<()> {
        if operation.parent != self.operation {
            return Err(Error::damaged("operation that does not follow the one before it"));
        }
        self.follow(operation);
        self.replace_packs(&operation.packs_added, &operation.packs_removed);
        self.operation = Some(id);
        if ends_intent {
            self.intent = None;
        }
        Ok(())
    }

    /// Applies an operation: changes refs, and the position of its directory.
    fn follow(&mut self, operation: &Operation) {
        let here = self.view.current.clone();
        self.view.apply(operation);
        let place = operation.directory();
        let is_here = place == self.directory();
        let now = if is_here { self.view.current.clone() } else { std::mem::replace(&mut self.view.current, here) };
        if operation.switched.is_none() {
            return;
        }
        if let Some(id) = place {
            if let Some(directory) = self.directories.get_mut(&id) {
                directory.branch = Some(now);
            }
        } else if let Some((_, main)) = &mut self.selected {
            *main = now;
        }
    }

    /// The selected directory; `None` for the main one.
    pub fn directory(&self) -> Option<DirectoryId> {
        self.selected.as_ref().map(|(id, _)| *id)
    }

    /// Selects a directory: its branch becomes the current one. A directory without its own branch is the main one.
    pub fn select_directory(&mut self, directory: Option<DirectoryId>) {
        if let Some((_, main)) = self.selected.take() {
            self.view.current = main;
        }
        let Some(id) = directory else { return };
        if let Some(branch) = self.directories.get(&id).and_then(|directory| directory.branch.clone()) {
            self.selected = Some((id, std::mem::replace(&mut self.view.current, branch)));
        }
    }

    /// Current branch of the main directory.
    pub fn main_branch(&self) -> &str {
        self.selected.as_ref().map_or(&self.view.current, |(_, main)| main)
    }

    /// Adds or replaces a directory.
    pub fn put_directory(&mut self, id: DirectoryId, directory: Directory) {
        let here = self.directory();
        self.directories.insert(id, directory);
        self.select_directory(here);
    }

    /// Adds and removes packs.
    pub fn replace_packs(&mut self, added: &[PackId], removed: &[PackId]) {
        self.packs.extend(added);
        for pack in removed {
            self.packs.remove(pack);
        }
    }

    /// Flags (bit 0: has an operation; bit 1: has an intent; bit 2: has directories), view, packs, operation, intent,
    /// directories.
    pub fn encode(&self) -> Vec<u8> {
        let mut encoder = Encoder::new();
        let flags = [self.operation.is_some(), self.intent.is_some(), !self.directories.is_empty()];
        fields::put_flags(&mut encoder, &flags);
        let view = View { current: self.main_branch().to_owned(), ..self.view.clone() };
        encoder.bytes(&view.encode());
        fields::put_ids(&mut encoder, self.packs.iter().map(|id| id.object_id()));
        if let Some(operation) = self.operation {
            encoder.raw(&operation.0);
        }
        if let Some(intent) = &self.intent {
            encoder.bytes(&intent.encode());
        }
        if !self.directories.is_empty() {
            encoder.varint(self.directories.len() as u64);
            self.directories.iter().for_each(|(id, directory)| directory.put(*id, &mut encoder));
        }
        encoder.finish()
    }

    /// Decodes a state.
    pub fn decode(bytes: &[u8]) -> Result<State> {
        let mut decoder = Decoder::new("journal checkpoint", bytes);
        let [has_operation, has_intent, has_directories] = fields::take_flags(&mut decoder)?;
        let view = View::decode(decoder.bytes()?)?;
        let packs = fields::take_ids(&mut decoder)?;
        fields::ascending(&decoder, &packs, |id: &PackId| id)?;
        let operation = fields::take_id_if(&mut decoder, has_operation)?;
        let intent = if has_intent { Some(Intent::decode(decoder.bytes()?)?) } else { None };
        let directories = if has_directories { take_directories(&mut decoder)? } else { BTreeMap::new() };
        decoder.finish()?;
        Ok(State { view, packs: packs.into_iter().collect(), operation, intent, directories, selected: None })
    }
}

/// A nonzero count, then the directories in ascending order of their ids.
fn take_directories(decoder: &mut Decoder<'_>) -> Result<BTreeMap<DirectoryId, Directory>> {
    let list = fields::take_list(decoder, LENGTH, Directory::take)?;
    fields::ascending(decoder, &list, |(id, _)| id)?;
    if list.is_empty() { Err(decoder.invalid("no directories")) } else { Ok(list.into_iter().collect()) }
}
