//! Builds the record of a thinning, which follows the operation that it is written with.

use crate::error::Result;
use crate::object::operation::{ForgottenCommit, HistoryEdit};
use crate::repo::effective::retain_effective;
use crate::repo::heads;
use crate::repo::journal::{Record, State};
use crate::store::Store;
use crate::time::Timestamp;

/// Forgets the commits that no ref names after the operation. `state` is the state before it.
pub fn record(
    store: &Store,
    state: &State,
    operation: &Record,
    forgets: Vec<ForgottenCommit>,
    time: Timestamp,
) -> Result<Record> {
    let mut edit = HistoryEdit { forgets, ..HistoryEdit::default() };
    if !edit.forgets.is_empty() {
        let mut after = state.clone();
        operation.apply(&mut after)?;
        retain_effective(&mut edit, &after.view, &after.view.refs);
        heads::complete(store, &after.view, &mut edit)?;
    }
    Ok(Record::Thin(time, edit))
}
