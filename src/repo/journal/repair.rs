//! Makes a damaged journal usable again (decision 72): keeps every intact record of the newest segment, and the damaged file under
//! another name.

use std::collections::HashMap;
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use super::frame::{self, Frame};
use super::record::Record;
use super::segment;
use super::state::State;
use super::{Loaded, load, load_from};
use crate::environment::Durability;
use crate::error::{Error, ErrorKind, Result};
use crate::fs::{self, Dir};
use crate::id::OperationId;
use crate::object::Operation;

/// A journal that was damaged and can be written again.
#[derive(Debug)]
pub struct RepairedJournal {
    /// The damage.
    pub damage: Error,
    /// The damaged segment under its new name. `None` if nothing was written.
    pub kept: Option<PathBuf>,
    /// Whether no record is missing.
    pub is_complete: bool,
}

/// Replaces a damaged newest segment by one with its intact records. `None` if it is not damaged. Atomic, and durable on return. The
/// caller holds the lock.
pub fn repair(directory: &Path, durability: Durability) -> Result<Option<RepairedJournal>> {
    let Some(Plan { damage, path, bytes, rebuilt, is_complete }) = plan(directory)? else { return Ok(None) };
    let kept = Some(keep(directory, &path, &bytes)?);
    fs::sync_dir(directory, durability)?;
    fs::write_atomic(&path, [&rebuilt], durability)?;
    Ok(Some(RepairedJournal { damage, kept, is_complete }))
}

/// Like [`repair`], but writes nothing, and needs no lock.
pub fn preview(directory: &Path) -> Result<Option<RepairedJournal>> {
    let plan = plan(directory)?;
    Ok(plan.map(|Plan { damage, is_complete, .. }| RepairedJournal { damage, kept: None, is_complete }))
}

/// What to do with a damaged segment.
struct Plan {
    damage: Error,
    path: PathBuf,
    /// Its bytes, as many as are readable.
    bytes: Vec<u8>,
    /// What replaces them.
    rebuilt: Vec<u8>,
    is_complete: bool,
}

fn plan(directory: &Path) -> Result<Option<Plan>> {
    let damage = match load(directory) {
        Ok(Loaded { damage: None, .. }) => return Ok(None),
        Ok(Loaded { damage: Some(damage), .. }) => damage,
        Err(error) if error.kind() == ErrorKind::Damaged => error,
        Err(error) => return Err(error),
    };
    let numbers = segment::numbers(directory)?;
    let Some((&number, older)) = numbers.split_last() else { return Err(damage) };
    let path = segment::path(directory, number);
    let Some((bytes, unreadable)) = fs::read_prefix(&path)? else { return Err(damage) };
    let before = match load_from(directory, older.iter().rev().copied()) {
        Ok(loaded) => (loaded.state, loaded.damage.is_none()),
        // A new repository begins with this state.
        Err(error) if error.kind() == ErrorKind::Damaged => (State::new(), number == 1),
        Err(error) => return Err(error),
    };
    let own = if segment::is_other(&bytes, number) { &[] } else { &bytes[..] };
    let Rebuilt { bytes: rebuilt, is_complete } = rebuild(number, own, before)?;
    let is_complete = is_complete && unreadable.is_none() && own.len() == bytes.len();
    Ok(Some(Plan { damage, path, bytes, rebuilt, is_complete }))
}

/// Gives a damaged segment a second name, which no reader looks at, and returns it. A repeated repair gives it no third one.
fn keep(directory: &Path, path: &Path, bytes: &[u8]) -> Result<PathBuf> {
    let name = path.file_name().map_or(&[][..], OsStr::as_bytes);
    for n in 1_u64.. {
        let ending = if n == 1 { ".damaged".to_owned() } else { format!(".damaged-{n}") };
        let kept = [name, ending.as_bytes()].concat();
        let to = directory.join(OsStr::from_bytes(&kept));
        match fs::read_prefix(&to)? {
            Some((existing, _)) if existing == bytes => return Ok(to),
            Some(_) => continue,
            None => {}
        }
        let folder = Dir::open(directory)?;
        if folder.hard_link(name, &folder, &kept).is_err() {
            fs::write_atomic(&to, [bytes], Durability::Synced)?;
        }
        return Ok(to);
    }
    unreachable!("some name is unused")
}

/// A segment with the intact records of a damaged one.
struct Rebuilt {
    bytes: Vec<u8>,
    /// Whether no record is missing.
    is_complete: bool,
}

/// Collects the intact records of a segment. `before` is the state of the preceding segment, and whether it is the latest.
fn rebuild(number: u64, bytes: &[u8], before: (State, bool)) -> Result<Rebuilt> {
    let mut at = segment::HEADER;
    let checkpoint = match bytes.get(at..).map(|_| frame::read(bytes, at)) {
        Some(Frame::Record { kind, payload, end }) => match Record::decode(kind, payload) {
            Ok(Record::Checkpoint(state)) => Some((state, end)),
            Err(error) if error.kind() == ErrorKind::Unsupported => return Err(error),
            _ => None,
        },
        _ => None,
    };
    // The first unreadable bytes are then the checkpoint, which `before` replaces.
    let mut is_checkpoint = checkpoint.is_none();
    let mut has_records = checkpoint.is_some();
    let (mut state, mut is_complete) = match checkpoint {
        Some((state, end)) => {
            at = end;
            (state, true)
        }
        None => before,
    };
    let mut rebuilt = segment::encode(number, &state);
    let mut ids = HashMap::new();
    while let Some(rest) = bytes.get(at..).filter(|rest| !rest.is_empty()) {
        match frame::read(bytes, at) {
            Frame::Record { kind, payload, end } => {
                (at, has_records) = (end, true);
                match Record::decode(kind, payload) {
                    Ok(record) => {
                        let fitted = fit(record, &state, &mut ids);
                        is_complete &= fitted.is_unchanged;
                        match fitted.record.apply(&mut state) {
                            Ok(()) => rebuilt.extend(fitted.record.encode()),
                            Err(_) => is_complete = false,
                        }
                    }
                    Err(error) if error.kind() == ErrorKind::Unsupported => return Err(error),
                    Err(_) => is_complete = false,
                }
            }
            read => {
                let next = next_record(rest);
                is_complete &= is_checkpoint || read == Frame::Torn && next.is_none();
                at = next.map_or(bytes.len(), |next| at + next);
            }
        }
        is_checkpoint = false;
    }
    Ok(Rebuilt { bytes: rebuilt, is_complete: is_complete && has_records })
}

/// Offset of the next record that is intact, behind the first byte.
fn next_record(rest: &[u8]) -> Option<usize> {
    let starts = rest.windows(frame::MAGIC.len()).enumerate().skip(1).filter(|(_, window)| window == frame::MAGIC);
    starts.map(|(at, _)| at).find(|&at| matches!(frame::read(rest, at), Frame::Record { .. }))
}

/// A record that follows the state.
struct Fitted {
    record: Record,
    is_unchanged: bool,
}

/// Makes an operation follow the newest one, although operations between them are lost. Its id changes: `ids` has the new ids of all
/// operations by their former ones. Positions of undo and redo that name a lost operation are dropped.
fn fit(record: Record, state: &State, ids: &mut HashMap<OperationId, OperationId>) -> Fitted {
    let Record::Operation { id, operation, ends_intent } = record else {
        return Fitted { record, is_unchanged: true };
    };
    if operation.parent == state.operation {
        ids.insert(id, id);
        return Fitted { record: Record::Operation { id, operation, ends_intent }, is_unchanged: true };
    }
    let follows_lost = operation.parent.is_none_or(|parent| !ids.contains_key(&parent));
    let position = operation.undo_position.and_then(|mut position| {
        for id in [&mut position.position, &mut position.tip].into_iter().flatten() {
            *id = *ids.get(id)?;
        }
        Some(position)
    });
    let operation = Operation { parent: state.operation, undo_position: position, ..operation };
    let new_id = operation.id();
    ids.insert(id, new_id);
    Fitted { record: Record::Operation { id: new_id, operation, ends_intent }, is_unchanged: !follows_lost }
}
