//! The state after the last record: refs, packs, newest operation, unfinished checkout. A checkpoint is an encoded
//! state.

use std::collections::{BTreeMap, BTreeSet};

use super::directory::Directory;
use crate::codec::{Decoder, Encoder};
use crate::error::{Error, Result};
use crate::id::{CommitId, DirectoryId, MaskId, OperationId, PackId};
use crate::object::Operation;
use crate::object::fields::Field;
use crate::object::operation::{Forgotten, ForgottenCommits, HistoryEdit, Intent, View};
use crate::time::Timestamp;

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
    /// The latest time of a record.
    pub time: Timestamp,
    /// Packs with objects that no commit may refer to yet, and when these were added.
    pub young: BTreeMap<PackId, Timestamp>,
    /// The last sweep.
    pub sweep: Option<Sweep>,
    /// When automatic commits were thinned last.
    pub thinned: Option<Timestamp>,
    /// The selected directory, if it has its own branch, and the branch of the main directory.
    selected: Option<(DirectoryId, String)>,
}

/// Time in seconds for which objects that no commit refers to are kept.
pub const YOUNG: i64 = 24 * 3600;

/// A sweep: hides the objects that nothing needs any more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sweep {
    /// When it was recorded.
    pub time: Timestamp,
    /// Commits that were forgotten, and contents that were purged, at this time or before are gone.
    pub horizon: Timestamp,
    /// The hidden objects. `None` if there are none.
    pub mask: Option<MaskId>,
}

/// Flags (bit 0: has a mask), time, horizon and mask.
impl Field for Sweep {
    fn put(&self, encoder: &mut Encoder) {
        encoder.flags(&[self.mask.is_some()]).put(&self.time).put(&self.horizon).put_some(&self.mask);
    }

    fn take(decoder: &mut Decoder<'_>) -> Result<Sweep> {
        let [has_mask] = decoder.flags()?;
        Ok(Sweep { time: decoder.take()?, horizon: decoder.take()?, mask: decoder.take_if(has_mask)? })
    }
}

impl State {
    /// The state of a new repository: no refs; the current branch is `main`.
    pub fn new() -> State {
        State { view: View::new("main"), ..State::default() }
    }

    /// Applies an operation, which must follow the newest one.
    pub fn apply(&mut self, id: OperationId, operation: &Operation, ends_intent: bool) -> Result<()> {
        if operation.parent != self.operation {
            return Err(Error::damaged("operation that does not follow the one before it"));
        }
        self.time = self.time.max(operation.time);
        self.follow(operation);
        self.packs.extend(&operation.packs_added);
        self.operation = Some(id);
        if ends_intent {
            self.intent = None;
        }
        Ok(())
    }

    /// Applies an operation: changes refs, and the position of its directory.
    fn follow(&mut self, operation: &Operation) {
        let here = self.view.current.clone();
        self.view.apply(operation, self.time);
        let place = operation.directory;
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

    /// Adds and removes packs. Packs that replace none contain objects that no commit may refer to yet, and so may packs
    /// that replace such packs.
    pub fn replace_packs(&mut self, time: Timestamp, added: &[PackId], removed: &[PackId]) {
        self.time = self.time.max(time);
        self.packs.extend(added);
        let mut young = Some(self.time).filter(|_| removed.is_empty());
        for pack in removed {
            self.packs.remove(pack);
            young = young.max(self.young.remove(pack));
        }
        self.young.extend(young.into_iter().flat_map(|time| added.iter().map(move |&pack| (pack, time))));
    }

    /// Forgets commits without an operation.
    pub fn thin(&mut self, time: Timestamp, edit: &HistoryEdit) {
        self.time = self.time.max(time);
        self.view.edit_history(edit, self.time);
        self.thinned = Some(self.time);
    }

    /// Applies a sweep. `substitutes` are the swept commits that other commits still name.
    pub fn sweep(&mut self, sweep: Sweep, substitutes: &ForgottenCommits) {
        self.time = self.time.max(sweep.time);
        self.view.sweep(sweep.horizon, substitutes);
        self.young.retain(|_, added| added.seconds > sweep.time.seconds - YOUNG);
        self.sweep = Some(sweep);
    }

    /// A sweep that hides nothing more, and adds parents that are not in the repository.
    pub fn sweep_with(&self, absent: ForgottenCommits, time: Timestamp) -> (Sweep, ForgottenCommits) {
        let is_swept = |(_, forgotten): &(&CommitId, &Forgotten)| forgotten.time.is_none();
        let mut substitutes: ForgottenCommits =
            self.view.forgotten.iter().filter(is_swept).map(|(id, forgotten)| (*id, forgotten.clone())).collect();
        for (id, forgotten) in absent {
            substitutes.entry(id).or_insert(forgotten);
        }
        let before = Sweep { time, horizon: Timestamp { seconds: i64::MIN, nanoseconds: 0 }, mask: None };
        (Sweep { time, ..self.sweep.unwrap_or(before) }, substitutes)
    }

    /// The mask in force.
    pub fn mask(&self) -> Option<MaskId> {
        self.sweep.and_then(|sweep| sweep.mask)
    }

    /// Flags (bit 0: has an operation; bit 1: has an intent; bit 2: has directories; bit 3: has a sweep; bit 4: has the
    /// time of the last thinning), view, packs, operation, intent, directories, time, young packs, sweep, thinning.
    pub fn encode(&self) -> Vec<u8> {
        let mut view = self.view.clone();
        view.current = self.main_branch().to_owned();
        let mut encoder = Encoder::new();
        encoder.flags(&[
            self.operation.is_some(),
            self.intent.is_some(),
            !self.directories.is_empty(),
            self.sweep.is_some(),
            self.thinned.is_some(),
        ]);
        encoder.bytes(&view.encode()).put(&self.packs).put_some(&self.operation);
        encoder.put_some(&self.intent.as_ref().map(Intent::encode));
        if !self.directories.is_empty() {
            encoder.put(&self.directories);
        }
        encoder.put(&self.time).put(&self.young).put_some(&self.sweep).put_some(&self.thinned);
        encoder.finish()
    }

    /// Decodes a state.
    pub fn decode(bytes: &[u8]) -> Result<State> {
        let mut decoder = Decoder::new("journal checkpoint", bytes);
        let [has_operation, has_intent, has_directories, has_sweep, has_thinned] = decoder.flags()?;
        let state = State {
            view: View::decode(decoder.bytes()?)?,
            packs: decoder.take()?,
            operation: decoder.take_if(has_operation)?,
            intent: if has_intent { Some(Intent::decode(decoder.bytes()?)?) } else { None },
            directories: decoder.take_if(has_directories)?.unwrap_or_default(),
            time: decoder.take()?,
            young: decoder.take()?,
            sweep: decoder.take_if(has_sweep)?,
            thinned: decoder.take_if(has_thinned)?,
            selected: None,
        };
        if has_directories && state.directories.is_empty() {
            return Err(decoder.invalid("no directories"));
        }
        decoder.finish()?;
        Ok(state)
    }
}
