//! Checks every record of every segment, and that each segment continues the one before it, for `verify`.

use std::path::Path;

use super::Loaded;
use super::segment::{self, Segment};
use super::state::State;
use crate::error::{Error, ErrorKind, Result};

/// Reads all segments, oldest first. Calls `damage` with the number of the segment for each error and continues.
///
/// A journal may begin with any segment, because old ones may have been deleted. An incomplete record at the end of the
/// newest segment was never acknowledged, so it is not damage.
pub fn check(directory: &Path, damage: &mut dyn FnMut(u64, Error)) -> Result<()> {
    // Number and final state of the previous segment, if it could be read.
    let mut before: Option<(u64, Option<State>)> = None;
    for number in segment::numbers(directory)? {
        let path = |number| segment::path(directory, number).display().to_string();
        let mut report = |message: String| damage(number, Error::damaged(message).hint(segment::FROM_BACKUP));
        let previous = before.take();
        let follows = previous.as_ref().is_none_or(|(last, _)| last + 1 == number);
        if !follows {
            report(format!("`{}` is missing", path(number - 1)));
        }
        let state = match replay(directory, number) {
            Ok((checkpoint, Loaded { state, damage: found, .. })) => {
                let expected = previous.and_then(|(_, state)| state).filter(|_| follows);
                if expected.is_some_and(|state| state != checkpoint) {
                    report(format!("`{}` does not begin where `{}` ends", path(number), path(number - 1)));
                }
                let is_whole = found.is_none();
                found.into_iter().for_each(|error| damage(number, error));
                is_whole.then_some(state)
            }
            Err(error) if error.kind() == ErrorKind::Damaged => {
                damage(number, error);
                None
            }
            Err(error) => return Err(error),
        };
        before = Some((number, state));
    }
    Ok(())
}

/// The checkpoint of a segment, and its replay.
fn replay(directory: &Path, number: u64) -> Result<(State, Loaded)> {
    let path = segment::path(directory, number);
    let gone = || Error::damaged(format!("`{}` is missing", path.display())).hint(segment::FROM_BACKUP);
    let segment = Segment::read(directory, number)?.ok_or_else(gone)?;
    Ok((segment.begins_with()?, segment.replay()?))
}
