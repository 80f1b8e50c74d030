//! Position and tip of `undo` and `redo`.

use crate::codec::{Decoder, Encoder};
use crate::error::Result;
use crate::id::OperationId;
use crate::object::fields::Field;

/// The position and the tip that a step leads to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UndoPosition {
    /// The action whose state is restored. `None` means the state before the first action.
    pub position: Option<OperationId>,
    /// The newest action that `redo` can reach.
    pub tip: Option<OperationId>,
}

/// Flags (bit 0: has a position; bit 1: has a tip), position and tip.
impl Field for UndoPosition {
    fn put(&self, encoder: &mut Encoder) {
        encoder.flags(&[self.position.is_some(), self.tip.is_some()]);
        encoder.put_some(&self.position).put_some(&self.tip);
    }

    fn take(decoder: &mut Decoder<'_>) -> Result<UndoPosition> {
        let [position, tip] = decoder.flags()?;
        Ok(UndoPosition { position: decoder.take_if(position)?, tip: decoder.take_if(tip)? })
    }
}
