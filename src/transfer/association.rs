//! What a repository remembers of a target: its stream there, and what it has pushed.

use std::path::PathBuf;

use crate::error::Result;
use crate::fs;
use crate::id::{CommitId, DirectoryId};
use crate::object::fields::{self, fields};
use crate::repo::Repository;
use crate::target::{FileName, Stream, StreamId, Token};
use crate::time::Timestamp;

/// What a repository remembers of a target.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Association {
    /// Hash of the file `target`.
    pub target: FileName,
    /// The stream of the repository.
    pub stream: StreamId,
    /// Token of the last push. A copy of the repository, which pushes to the same stream, leaves another one.
    pub token: Option<Token>,
    /// Token of a push that has not been acknowledged.
    pub pending: Option<Token>,
    /// Time of the last push after which the target had the whole history, also of one that had nothing to do.
    pub pushed: Option<Timestamp>,
    /// Heads of the repository at that time, and what was pulled from the target since.
    pub heads: Vec<CommitId>,
    /// Time of the last drill that succeeded.
    pub drilled: Option<Timestamp>,
}

fields!(Association: target, stream, token, pending, pushed, heads, drilled);

impl Association {
    /// A new stream in a target.
    pub fn create(target: FileName) -> Result<Association> {
        let stream = fs::random().map(DirectoryId)?;
        let (heads, token, pending) = (Vec::new(), None, None);
        Ok(Association { target, stream, token, pending, pushed: None, heads, drilled: None })
    }

    /// Whether this repository made the last push to its stream. If not, a copy of the repository has pushed to it.
    pub fn has_pushed(&self, stream: &Stream) -> bool {
        [self.token, self.pending].contains(&Some(stream.token))
    }

    /// Reads the association with the target of a name; `None` if there was no push. A damaged file counts as missing: the next
    /// push begins a new stream.
    pub fn load(repository: &Repository, name: &str) -> Result<Option<Association>> {
        Ok(fs::read(&path(repository, name))?.and_then(|bytes| fields::decode("association", &bytes).ok()))
    }

    /// Writes the association. Durable on return.
    pub fn save(&self, repository: &Repository, name: &str) -> Result<()> {
        fs::create_dir_private(&repository.layout.targets())?;
        fs::write_atomic(&path(repository, name), [fields::encode(self)], repository.environment.durability())
    }

    /// Removes the association.
    pub fn remove(repository: &Repository, name: &str) -> Result<()> {
        fs::remove_file(&path(repository, name))
    }
}

fn path(repository: &Repository, name: &str) -> PathBuf {
    repository.layout.targets().join(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn associations_come_back() {
        let mut association = Association::create(FileName([7; 32])).unwrap();
        association.pending = Some(Token([1; 16]));
        association.heads = vec![CommitId([3; 32]); 2];
        association.drilled = Some(Timestamp { seconds: -5, nanoseconds: 999_999_999 });
        let bytes = fields::encode(&association);
        assert_eq!(fields::decode::<Association>("association", &bytes).unwrap(), association);
        for at in 0..bytes.len() {
            assert!(fields::decode::<Association>("association", &bytes[..at]).is_err(), "cut at {at}");
            let mut changed = bytes.clone();
            changed[at] ^= 1;
            assert!(
                fields::decode::<Association>("association", &changed).is_ok_and(|other| other != association)
                    || fields::decode::<Association>("association", &changed).is_err()
            );
        }
    }
}
