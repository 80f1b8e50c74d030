//! Removes commits of a directory from a target. Nothing is deleted: their space comes free when garbage is collected.
//!
//! The view of the directory keeps the names of the commits, so that a later push does not send them again.

use std::collections::BTreeSet;

use crate::error::{Error, ErrorKind, Result};
use crate::id::CommitId;
use crate::object::operation::View;
use crate::repo::Repository;
use crate::target::{Change, Link, Stream, StreamChange, StreamId, Target};

use super::commits::view_without;

/// The change that removes these commits from a stream, which the repository shows.
///
/// [`ErrorKind::Refused`] for a commit that a branch or a tag names.
pub fn removal(repository: &Repository, stream: &Stream, commits: &BTreeSet<CommitId>) -> Result<StreamChange> {
    let removed: BTreeSet<CommitId> = stream.commits.intersection(commits).copied().collect();
    let view: View = view_without(repository, &stream.view, &stream.commits, &removed)?;
    Ok(StreamChange {
        host: stream.host.clone(),
        path: stream.path.clone(),
        view,
        size: stream.size,
        // The directory continues to push to this stream.
        token: stream.token,
        added: BTreeSet::new(),
        removed,
    })
}

/// Records the change of a stream; `None` removes it. The change must be made from the stream as it was after the entry `seen`.
///
/// [`ErrorKind::Refused`] if the stream has changed since.
pub fn record(
    target: &mut Target,
    stream: StreamId,
    seen: Link,
    change: Option<&StreamChange>,
) -> Result<Option<Link>> {
    target.append(|target| {
        if target.stream(stream)?.link != seen {
            return Err(Error::new(ErrorKind::Refused, "the directory was pushed while its commits were compared")
                .hint("run the command again"));
        }
        Ok(Some(Change { streams: vec![(stream, change.cloned())], ..Change::default() }))
    })
}
