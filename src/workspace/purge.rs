//! Purges content: no command reads it any more, and its bytes go after a grace period.

use crate::error::{Error, ErrorKind, Result};
use crate::history::bytes::blob_size;
use crate::history::objects::{self, ObjectType};
use crate::history::timeline::Timeline;
use crate::id::{BlobId, OperationId};
use crate::maintain::purge::{self, FoundContent, Selected};
use crate::number;
use crate::object::operation::{HistoryEdit, Verb};
use crate::progress::Progress;
use crate::quote::visible;
use crate::repo::{NewOperation, Repository};

use super::Workspace;

impl Workspace {
    /// The blobs that these ids, prefixes of ids, or names like `REV:path` mean. [`ErrorKind::Usage`] for an object that is
    /// not a blob, and for the empty blob.
    pub fn find_blobs(&self, names: &[String]) -> Result<Vec<BlobId>> {
        let find = |name: &String| {
            let found = objects::find(&self.repository, name)?;
            if found.object_type != ObjectType::Blob {
                return Err(objects::wrong_type(name, found.object_type.word(), "a blob"));
            }
            let blob = found.id.into();
            if blob_size(self.repository.store(), blob)? == Some(0) {
                let message = format!("`{}` is empty content, which cannot be purged", name.escape_debug());
                return Err(Error::new(ErrorKind::Usage, message).hint("to leave commits out: undo forget REV"));
            }
            Ok(blob)
        };
        names.iter().map(find).collect()
    }

    /// Finds what [`Workspace::purge`] would purge. Changes nothing.
    pub fn preview_purge(&self, selected: &Selected, progress: &dyn Progress) -> Result<FoundContent> {
        purge::find(&self.repository, selected, progress)
    }

    /// Purges content: from now on no command reads it, and no commit records it again. `undo gc` removes its bytes after the
    /// grace period. Commits keep their ids, and the names and sizes of the files. [`ErrorKind::NotFound`] if a path or pattern
    /// selects no recorded file.
    pub fn purge(&mut self, selected: &Selected, progress: &dyn Progress) -> Result<FoundContent> {
        let seen = self.repository.operation();
        let found = purge::find(&self.repository, selected, progress)?;
        let mut transaction = self.repository.begin()?;
        // Another command may have recorded more since.
        let found = match transaction.repository().operation() == seen {
            true => found,
            false => purge::find(transaction.repository(), selected, progress)?,
        };
        if !found.blobs.is_empty() {
            let history = HistoryEdit { purges: found.blobs.clone(), ..HistoryEdit::default() };
            let description = description(&found);
            transaction.record(NewOperation { verb: Verb::Purge, description, history, ..Default::default() })?;
        }
        Ok(found)
    }
}

/// The operation's description: the first path, or the first id, and how many more.
fn description(found: &FoundContent) -> String {
    match (found.selected.as_slice(), found.blobs.as_slice()) {
        ([first, ..], _) => format!("{}{}", visible(first.path.as_bytes()), number::and_more(found.selected.len())),
        (_, [first, ..]) => format!("{}{}", first.id.short(), number::and_more(found.blobs.len())),
        _ => String::new(),
    }
}

/// The purge that the next undo takes back: that of the newest operation, or the one that the newest operation has redone.
/// `None` after a sweep has hidden its bytes.
pub(super) fn revertible(repository: &Repository, timeline: &mut Timeline) -> Result<Option<OperationId>> {
    if repository.unfinished().is_some() {
        return Ok(None);
    }
    let Some(newest) = timeline.action(0)? else { return Ok(None) };
    let (id, is_redo) = (newest.id, newest.last.verb == Verb::Redo);
    let Some(position) = timeline.position()?.filter(|position| is_redo || *position == id) else { return Ok(None) };
    let Some(action) = timeline.action_at(position)?.filter(|action| action.is_purge()) else { return Ok(None) };
    let purged = &repository.view().purged;
    let is_there =
        action.last.history.purges.iter().all(|blob| purged.get(&blob.id).is_none_or(|purged| purged.time.is_some()));
    Ok(is_there.then_some(position))
}
