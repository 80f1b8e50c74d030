//! A workspace that reads the history of a target instead of the repository's.

use std::path::Path;
use std::sync::{Arc, OnceLock};

use crate::environment::{Durability, Environment};
use crate::error::{Error, ErrorKind, Result};
use crate::fs::{Interrupts, ScratchDirectory};
use crate::id::{CommitId, ObjectId};
use crate::object::{ObjectKind, Objects};
use crate::progress::Progress;
use crate::repo::Repository;
use crate::repo::config::TargetSettings;
use crate::store::{Elsewhere, Store};
use crate::target::{Stream, StreamId, Target};
use crate::transfer::association::Association;
use crate::transfer::objects::RemoteObjects;
use crate::workspace::Workspace;

use super::address::absolute;
use super::{AskSecret, OpenTarget, remote};

/// The target whose history a workspace has.
pub(crate) struct RemoteHistory {
    pub(super) objects: Arc<RemoteObjects>,
    commits: Vec<CommitId>,
    /// The directory, and what the target had of it when it was opened.
    pub(super) stream: (StreamId, Stream),
    /// What was fetched at once.
    pub(super) fetched: Arc<OnceLock<Fetched>>,
    /// The directory of the workspace, if it is not in a repository.
    scratch: Option<ScratchDirectory>,
}

/// Objects that were fetched at once.
pub(super) struct Fetched {
    pub store: Store,
    /// The directory of the store.
    pub _folder: ScratchDirectory,
    /// A signal must not end the process before the directory is removed.
    pub _interrupts: Interrupts,
}

impl OpenTarget {
    /// Opens the target at a URL, whose path starts at `base`.
    pub fn at(
        settings: TargetSettings,
        base: &Path,
        ask: &mut AskSecret<'_>,
        environment: &Environment,
    ) -> Result<OpenTarget> {
        let settings = TargetSettings { url: absolute(&settings, base)?, ..settings };
        let target = Target::open(remote(&settings, base)?, None, ask, environment)?;
        Ok(OpenTarget { settings, target })
    }
}

impl Workspace {
    /// The name of the target whose settings have this URL.
    pub fn target_at(&self, url: &str) -> Option<&TargetSettings> {
        let settings = TargetSettings { url: url.to_owned(), ..TargetSettings::default() };
        let url = absolute(&settings, &self.directory).ok()?;
        self.targets().iter().find(|target| target.url == url)
    }

    /// The workspace with the history of a directory in a target: `from` names the directory as in [`OpenTarget::find_stream`]; without
    /// it, the directory of this repository, or the only one. Reads from the target what the repository lacks. Only for reading.
    pub fn with_target(self, target: OpenTarget, from: Option<&str>) -> Result<Workspace> {
        let stream = self.stream_in(&target, from)?;
        self.with_history(target, stream, None)
    }

    /// A workspace outside any repository, with the history of a directory in a target. Only for reading.
    pub fn of_target(target: OpenTarget, from: Option<&str>, environment: Environment) -> Result<Workspace> {
        let stream = target.find_stream(from)?;
        let scratch = ScratchDirectory::new()?;
        let directory = scratch.path().join("empty");
        let environment = environment.with_durability(Durability::NoSync);
        let repository = Repository::init(&directory, None, environment)?;
        Workspace::of(repository, directory)?.with_history(target, stream, Some(scratch))
    }

    /// The stream that `from` names. Without a name, that of this repository; if it has never pushed to the target, the only one.
    ///
    /// [`ErrorKind::Refused`] if a copy of this repository has pushed to its stream, and [`ErrorKind::NotFound`] if the target does not
    /// have its stream: another one must not pass for it.
    pub(super) fn stream_in(&self, target: &OpenTarget, from: Option<&str>) -> Result<StreamId> {
        let Some(association) = from.map_or_else(|| self.association(target), |_| Ok(None))? else {
            return target.find_stream(from);
        };
        let (id, name) = (association.stream, &target.settings.name);
        match target.state().streams.get(&id) {
            Some(stream) if association.has_pushed(stream) => Ok(id),
            Some(Stream { host, path, .. }) => {
                let path = String::from_utf8_lossy(path);
                let message = format!("in target `{name}`, `{host}:{path}` has continued the entry of this directory");
                Err(Error::new(ErrorKind::Refused, message).hint(format!(
                    "to get its commits: undo pull {name}; for a separate entry of this directory: undo push {name}"
                )))
            }
            None => {
                let message = format!("target `{name}` has no commits of this directory");
                Err(Error::new(ErrorKind::NotFound, message).hint(format!("undo push {name}")))
            }
        }
    }

    /// The stream of this repository, unless a copy of it has pushed there.
    pub(super) fn own_stream(&self, target: &OpenTarget) -> Result<Option<StreamId>> {
        let stream = |association: &Association| target.state().streams.get(&association.stream);
        let is_own =
            |association: &Association| stream(association).is_some_and(|stream| association.has_pushed(stream));
        Ok(self.association(target)?.filter(is_own).map(|association| association.stream))
    }

    /// What the repository remembers of an open target.
    pub(super) fn association(&self, target: &OpenTarget) -> Result<Option<Association>> {
        let association = match target.settings.name.as_str() {
            // Opened by its address.
            "" => None,
            name => Association::load(&self.repository, name)?,
        };
        Ok(association.filter(|association| association.target == target.target.identity()))
    }

    fn with_history(
        self,
        target: OpenTarget,
        stream: StreamId,
        scratch: Option<ScratchDirectory>,
    ) -> Result<Workspace> {
        let (connections, id) = (target.connections(), stream);
        let stream = target.target.stream(id)?.clone();
        let objects = Arc::new(RemoteObjects::new(target.target, connections));
        let (source, fetched) = (objects.clone(), Arc::new(OnceLock::<Fetched>::new()));
        let before = fetched.clone();
        let fetch = move |kind, ids: &[ObjectId]| match before.get() {
            Some(Fetched { store, .. }) if store.contains_here(kind, ids[0]) => store.object(kind, ids[0]).map(Some),
            _ => source.object(kind, ids),
        };
        let commits: Vec<CommitId> = stream.commits.iter().copied().collect();
        let elsewhere = Elsewhere { commits: commits.clone(), fetch: Box::new(fetch) };
        let mut view = stream.view.clone();
        // Here, they cannot be recalled.
        view.forgotten.values_mut().for_each(|forgotten| forgotten.time = None);
        let repository = self.repository.with_view(view, elsewhere);
        let stream = (id, stream);
        let remote_history = Some(RemoteHistory { objects, commits, stream, fetched, scratch });
        Ok(Workspace { repository, remote_history, ..self })
    }

    /// Number of requests to the target whose history the workspace has.
    #[cfg(any(test, feature = "internals"))]
    pub fn requests(&self) -> crate::remote::Counts {
        self.remote_history.as_ref().map(|history| history.objects.counts()).unwrap_or_default()
    }

    /// [`ErrorKind::Usage`] outside any repository.
    pub(in crate::workspace) fn check_has_directory(&self) -> Result<()> {
        match self.remote_history.as_ref().is_some_and(|history| history.scratch.is_some()) {
            true => {
                Err(Error::new(ErrorKind::Usage, "cannot compare a target with the directory: it has no repository")
                    .hint("compare two commits of the target: undo diff A B --target URL"))
            }
            false => Ok(()),
        }
    }

    /// Reads all commits from the target together, before a walk that reads them one after the other.
    pub fn read_history_ahead(&self, progress: &dyn Progress) -> Result<()> {
        let Some(history) = &self.remote_history else { return Ok(()) };
        let store = self.repository.store();
        let absent = history.commits.iter().map(|id| id.object_id());
        let absent: Vec<_> = absent.filter(|id| store.locate(ObjectKind::Commit, *id).is_none()).collect();
        history.objects.keep(ObjectKind::Commit, &absent, progress)
    }
}
