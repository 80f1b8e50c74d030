//! Pushes to targets and pulls from them.

use std::collections::BTreeSet;

use crate::environment::LockWait;
use crate::error::{Error, ErrorKind, Result};
use crate::fs::{self, FileLock, Interrupts};
use crate::id::CommitId;
use crate::progress::Progress;
use crate::repo::Repository;
use crate::target::StreamId;
use crate::transfer::{pull, push};
use crate::workspace::Workspace;

use super::OpenTarget;
use super::cancel::CancelledBySignals;

pub use crate::transfer::pull::Outcome as PullOutcome;
pub use crate::transfer::push::Outcome as PushOutcome;

/// What to push.
#[derive(Clone, Debug, Default)]
pub struct PushOptions {
    /// Commits to push. `None` means all of the history.
    pub commits: Option<Vec<CommitId>>,
}

/// What to pull.
#[derive(Clone, Debug, Default)]
pub struct PullOptions {
    /// The directory whose commits to pull. `None` means all directories of the target that this repository does not push to.
    pub stream: Option<StreamId>,
}

/// The right to push to a target from a repository, until it is dropped.
pub struct PushLock(#[expect(dead_code, reason = "held until it is dropped")] FileLock);

impl Workspace {
    /// Takes the right to push to a target from this repository, until it is dropped, and reads the journal again. To be held from before
    /// the target is opened: two pushes at the same time would look like those of a repository and its copy.
    pub fn begin_push(&mut self, name: &str) -> Result<PushLock> {
        let lock = self.lock_association(name, self.repository.environment.lock_wait())?;
        self.repository.reload()?;
        Ok(PushLock(lock))
    }

    /// Takes the right to change what the repository remembers of a target.
    pub(super) fn lock_association(&self, name: &str, wait: LockWait) -> Result<FileLock> {
        let Repository { layout, environment, .. } = &self.repository;
        fs::create_dir_private(&layout.targets())?;
        FileLock::acquire(&layout.targets().join(format!("{name}.lock")), environment, wait)
    }

    /// Copies commits to a target. What was sent stays if the push fails, is cancelled, or is interrupted by a signal: the next one
    /// continues there.
    pub fn push(&self, target: &mut OpenTarget, options: &PushOptions, progress: &dyn Progress) -> Result<PushOutcome> {
        let (name, connections) = (target.settings.name.clone(), target.connections());
        let options = push::Options { name: &name, commits: options.commits.as_deref(), connections };
        let (_interrupts, progress) =
            (Interrupts::watch(), &CancelledBySignals { progress, left: "what was sent stays in the target" });
        push::push(&self.repository, &mut target.target, &options, progress)
    }

    /// Adds commits of other directories to the history. Changes no file of the worktree.
    pub fn pull(
        &mut self,
        target: &mut OpenTarget,
        options: &PullOptions,
        progress: &dyn Progress,
    ) -> Result<PullOutcome> {
        let own = self.own_stream(target)?;
        let streams = match options.stream {
            Some(stream) => vec![stream],
            None => target.state().streams.keys().copied().filter(|id| Some(*id) != own).collect(),
        };
        let connections = target.connections();
        let options = pull::Options { streams: streams.clone(), keeps_names: false, connections, files: None };
        let outcome = pull::pull(&mut self.repository, &mut target.target, &options, progress)?;
        self.note_pulled(target, &streams)?;
        Ok(outcome)
    }

    /// Remembers that the target has what was pulled from it.
    fn note_pulled(&self, target: &OpenTarget, streams: &[StreamId]) -> Result<()> {
        if self.association(target)?.is_none_or(|association| association.pushed.is_none()) {
            return Ok(());
        }
        let name = &target.settings.name;
        // Another process may be pushing.
        let _lock = self.lock_association(name, LockWait::Forever)?;
        let Some(mut association) = self.association(target)? else { return Ok(()) };
        let mut heads: BTreeSet<CommitId> = association.heads.iter().copied().collect();
        let streams = streams.iter().filter_map(|id| target.state().streams.get(id));
        heads.extend(streams.flat_map(|stream| stream.view.heads.iter()));
        if heads.len() == association.heads.len() {
            return Ok(());
        }
        association.heads = heads.into_iter().collect();
        association.save(&self.repository, name)
    }
}

impl OpenTarget {
    /// The stream of a directory: named by an id or its prefix, a path, or `host:path`. Without a name, the only one.
    ///
    /// [`ErrorKind::Usage`] if several match, or if a name is missing; [`ErrorKind::NotFound`] if none does.
    pub fn find_stream(&self, name: Option<&str>) -> Result<StreamId> {
        let streams = &self.state().streams;
        let matches = |id: &StreamId| {
            let stream = &streams[id];
            let path = String::from_utf8_lossy(&stream.path);
            name.is_none_or(|name| {
                let is_id = name.len() >= 4 && id.to_string().starts_with(name);
                is_id || path == name || format!("{}:{path}", stream.host) == name
            })
        };
        let found: Vec<StreamId> = streams.keys().copied().filter(matches).collect();
        let list = |ids: &[StreamId]| {
            let line = |id: &StreamId| {
                let stream = &streams[id];
                format!("{}:{} ({})", stream.host, String::from_utf8_lossy(&stream.path), &id.to_string()[..8])
            };
            ids.iter().map(line).collect::<Vec<_>>().join(", ")
        };
        let all: Vec<StreamId> = streams.keys().copied().collect();
        match (found.as_slice(), name) {
            ([stream], _) => Ok(*stream),
            ([], None) => Err(Error::new(ErrorKind::NotFound, "the target has no commits yet")),
            ([], Some(name)) => {
                Err(Error::new(ErrorKind::NotFound, format!("the target has no directory `{}`", name.escape_debug()))
                    .hint(format!("directories: {}", list(&all))))
            }
            (several, None) => {
                Err(Error::new(ErrorKind::Usage, "the target has several directories: choose one with --from")
                    .hint(format!("directories: {}", list(several))))
            }
            (several, Some(name)) => {
                Err(Error::new(ErrorKind::Ambiguous, format!("`{}` matches several directories", name.escape_debug()))
                    .hint(format!("directories: {}", list(several))))
            }
        }
    }
}
