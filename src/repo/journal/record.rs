//! The records of the journal.

use super::directory::Directory;
use super::frame;
use super::state::{State, Sweep};
use crate::codec::{Decoder, Encoder};
use crate::error::{Error, ErrorKind, Result};
use crate::id::{DirectoryId, OperationId, PackId};
use crate::object::Operation;
use crate::object::operation::{ForgottenCommits, HistoryEdit, Intent};
use crate::time::Timestamp;

/// A record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Record {
    /// The state at the start of a segment: the first record of every segment, and only there.
    Checkpoint(State),
    /// An action of a user, or a part of one.
    Operation {
        /// Id of the operation.
        id: OperationId,
        /// The operation.
        operation: Operation,
        /// Whether the operation ends the unfinished checkout.
        ends_intent: bool,
    },
    /// Start of a checkout.
    Intent(Intent),
    /// End of the checkout with this token, which has changed nothing.
    IntentEnd(u64),
    /// Packs were merged, or objects were added that no ref leads to yet. Not an operation.
    Packs {
        /// When the packs were written.
        time: Timestamp,
        /// New packs.
        added: Vec<PackId>,
        /// Packs whose objects are in the new ones.
        removed: Vec<PackId>,
    },
    /// A directory uses the repository, or has moved. Not an operation.
    Directory(DirectoryId, Directory),
    /// Objects were hidden, and the forgotten commits that are still named. Not an operation.
    Sweep(Sweep, ForgottenCommits),
    /// Automatic commits were forgotten. Not an operation.
    Thin(Timestamp, HistoryEdit),
}

#[cfg(test)]
thread_local! {
    /// Number of operations that this thread has decoded.
    pub static DECODED: std::cell::Cell<usize> = const { std::cell::Cell::new(0) };
}

const CHECKPOINT: u8 = 1;
/// Kind of an operation record.
pub const OPERATION: u8 = 2;
const INTENT: u8 = 3;
const INTENT_END: u8 = 4;
pub const PACKS: u8 = 5;
const DIRECTORY: u8 = 6;
const SWEEP: u8 = 7;
const THIN: u8 = 8;

impl Record {
    /// Encodes the record with its frame.
    pub fn encode(&self) -> Vec<u8> {
        let mut payload = Encoder::new();
        let (kind, _) = match self {
            Record::Checkpoint(state) => (CHECKPOINT, payload.raw(&state.encode())),
            Record::Operation { operation, ends_intent, .. } => {
                (OPERATION, payload.flags(&[*ends_intent]).raw(&operation.encode()))
            }
            Record::Intent(intent) => (INTENT, payload.raw(&intent.encode())),
            Record::IntentEnd(token) => (INTENT_END, payload.u64(*token)),
            Record::Packs { time, added, removed } => (PACKS, payload.put(time).put(added).put(removed)),
            Record::Directory(id, directory) => (DIRECTORY, payload.put(id).put(directory)),
            Record::Sweep(sweep, substitutes) => (SWEEP, payload.put(sweep).put(substitutes)),
            Record::Thin(time, edit) => (THIN, payload.put(time).put(edit)),
        };
        frame::encode(kind, payload.as_slice())
    }

    /// Decodes the payload of a record of this kind.
    pub fn decode(kind: u8, payload: &[u8]) -> Result<Record> {
        let mut decoder = Decoder::new("journal record", payload);
        let record = match kind {
            CHECKPOINT => return Ok(Record::Checkpoint(State::decode(payload)?)),
            OPERATION => {
                #[cfg(test)]
                DECODED.set(DECODED.get() + 1);
                let [ends_intent] = decoder.flags()?;
                let bytes = &payload[1..];
                // An operation has exactly one encoding, so the id is the hash of these bytes.
                let (id, operation) = (Operation::id_of(bytes), Operation::decode(bytes)?);
                return Ok(Record::Operation { id, operation, ends_intent });
            }
            INTENT => return Ok(Record::Intent(Intent::decode(payload)?)),
            INTENT_END => Record::IntentEnd(decoder.u64()?),
            PACKS => Record::Packs { time: decoder.take()?, added: decoder.take()?, removed: decoder.take()? },
            DIRECTORY => Record::Directory(decoder.take()?, decoder.take()?),
            SWEEP => Record::Sweep(decoder.take()?, decoder.take()?),
            THIN => Record::Thin(decoder.take()?, decoder.take()?),
            unknown => {
                let message = format!("journal record of kind {unknown}, written by a newer version of undo");
                return Err(Error::new(ErrorKind::Unsupported, message).hint("update undo, then run the command again"));
            }
        };
        decoder.finish()?;
        Ok(record)
    }

    /// Applies the record to a state.
    pub fn apply(&self, state: &mut State) -> Result<()> {
        match self {
            Record::Checkpoint(_) => return Err(Error::damaged("checkpoint that does not begin its segment")),
            Record::Operation { id, operation, ends_intent } => state.apply(*id, operation, *ends_intent)?,
            Record::Intent(intent) => state.intent = Some(intent.clone()),
            Record::IntentEnd(token) => {
                if state.intent.as_ref().is_some_and(|intent| intent.token == *token) {
                    state.intent = None;
                }
            }
            Record::Packs { time, added, removed } => state.replace_packs(*time, added, removed),
            Record::Directory(id, directory) => state.put_directory(*id, directory.clone()),
            Record::Sweep(sweep, substitutes) => state.sweep(*sweep, substitutes),
            Record::Thin(time, edit) => state.thin(*time, edit),
        }
        Ok(())
    }
}
