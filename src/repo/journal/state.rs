//! The state that the journal leads to: refs, packs, the newest operation, and a checkout that did not end.
//! A checkpoint is a state in bytes.

use std::collections::BTreeSet;

use crate::codec::{Decoder, Encoder};
use crate::error::{Error, Result};
use crate::id::{LENGTH, OperationId, PackId};
use crate::object::Operation;
use crate::object::operation::{Intent, View};

/// All that a repository is at one point, besides the content of its packs.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct State {
    /// What all refs are.
    pub view: View,
    /// The packs that count.
    pub packs: BTreeSet<PackId>,
    /// The newest operation.
    pub operation: Option<OperationId>,
    /// A checkout that began and did not end.
    pub intent: Option<Intent>,
}

impl State {
    /// That of a new repository: nothing, on the branch `main`.
    pub fn new() -> State {
        State { view: View { current: "main".to_owned(), ..View::default() }, ..State::default() }
    }

    /// The state after an operation, which must follow the newest one.
    pub fn apply(&mut self, id: OperationId, operation: &Operation, ends_intent: bool) -> Result<()> {
        if operation.parent != self.operation {
            return Err(Error::damaged("operation that does not follow the one before it"));
        }
        self.view.apply(operation);
        self.replace_packs(&operation.packs_added, &operation.packs_removed);
        self.operation = Some(id);
        if ends_intent {
            self.intent = None;
        }
        Ok(())
    }

    /// Packs that came and went.
    pub fn replace_packs(&mut self, added: &[PackId], removed: &[PackId]) {
        self.packs.extend(added);
        for pack in removed {
            self.packs.remove(pack);
        }
    }

    /// Bit 0: an operation is there; bit 1: an intent is there. Then the view, the packs, the operation, the intent.
    pub fn encode(&self) -> Vec<u8> {
        let mut encoder = Encoder::new();
        encoder.u8(u8::from(self.operation.is_some()) | u8::from(self.intent.is_some()) << 1);
        encoder.bytes(&self.view.encode());
        put_packs(&mut encoder, self.packs.iter());
        if let Some(operation) = self.operation {
            encoder.raw(&operation.0);
        }
        if let Some(intent) = &self.intent {
            encoder.bytes(&intent.encode());
        }
        encoder.finish()
    }

    /// From bytes.
    pub fn decode(bytes: &[u8]) -> Result<State> {
        let mut decoder = Decoder::new("journal checkpoint", bytes);
        let flags = decoder.u8()?;
        if flags > 3 {
            return Err(decoder.invalid("unknown flags"));
        }
        let view = View::decode(decoder.bytes()?)?;
        let packs = take_packs(&mut decoder)?;
        if !packs.is_sorted_by(|a, b| a < b) {
            return Err(decoder.invalid("packs not in order"));
        }
        let operation = if flags & 1 == 1 { Some(OperationId(decoder.array()?)) } else { None };
        let intent = if flags & 2 == 2 { Some(Intent::decode(decoder.bytes()?)?) } else { None };
        decoder.finish()?;
        Ok(State { view, packs: packs.into_iter().collect(), operation, intent })
    }
}

/// A count, then the ids.
pub fn put_packs<'a>(encoder: &mut Encoder, packs: impl ExactSizeIterator<Item = &'a PackId>) {
    encoder.varint(packs.len() as u64);
    for pack in packs {
        encoder.raw(&pack.0);
    }
}

/// A count, then the ids.
pub fn take_packs(decoder: &mut Decoder<'_>) -> Result<Vec<PackId>> {
    let count = decoder.count(LENGTH)?;
    (0..count).map(|_| decoder.array().map(PackId)).collect()
}
