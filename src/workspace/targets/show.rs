//! What an open target has.

use crate::error::Result;
use crate::target::Usage;
use crate::time::Timestamp;

use super::OpenTarget;

/// A directory in a target.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TargetDirectory {
    /// Id of the directory in the target.
    pub id: String,
    /// Host of the directory.
    pub host: String,
    /// Path of the directory on the host.
    pub path: String,
    /// Number of commits.
    pub commits: u64,
    /// Size of the files of its current commit in bytes.
    pub size: u64,
    /// User who pushed last.
    pub user: String,
    /// Time of the last push.
    pub time: Timestamp,
    /// Number of the entry of the last push.
    pub entry: u64,
}

/// Totals of a target.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TargetSummary {
    /// Number of directories.
    pub directories: u64,
    /// Number of packs in use.
    pub packs: u64,
    /// Size of these packs in bytes.
    pub bytes: u64,
    /// Number of keys that open the target.
    pub keys: u64,
    /// Hash of the last entry.
    pub hash: String,
}

/// What a target takes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TargetStats {
    /// The files in its storage.
    pub usage: Usage,
    /// Number of objects, copies included.
    pub objects: u64,
    /// Number of commits of all directories.
    pub commits: u64,
    /// Number of directories.
    pub directories: u64,
}

impl OpenTarget {
    /// What the target takes. Lists its files.
    pub fn stats(&self) -> Result<TargetStats> {
        let state = self.state();
        Ok(TargetStats {
            usage: self.target.usage()?,
            objects: state.indexes.iter().map(|index| index.objects).sum::<u64>() + state.records.len() as u64,
            commits: state.streams.values().map(|stream| stream.commits.len() as u64).sum(),
            directories: state.streams.len() as u64,
        })
    }

    /// Number of the newest entry of the log.
    pub fn number(&self) -> u64 {
        self.state().number()
    }

    /// The directories in the target.
    pub fn directories(&self) -> Vec<TargetDirectory> {
        let streams = self.state().streams.iter();
        streams
            .map(|(id, stream)| TargetDirectory {
                id: id.to_string(),
                host: stream.host.clone(),
                path: String::from_utf8_lossy(&stream.path).into_owned(),
                commits: stream.commits.len() as u64,
                size: stream.size,
                user: stream.writer.user.clone(),
                time: stream.writer.time,
                entry: stream.link.number,
            })
            .collect()
    }

    /// Totals of the target.
    pub fn summary(&self) -> TargetSummary {
        let state = self.state();
        TargetSummary {
            directories: state.streams.len() as u64,
            packs: state.packs.len() as u64,
            bytes: state.size(),
            keys: state.slots.len() as u64,
            hash: state.last.map(|link| link.hash.to_string()).unwrap_or_default(),
        }
    }
}
