//! Targets in storage that tests provide.

use std::path::Path;

use crate::environment::Environment;
use crate::error::Result;
use crate::id::CommitId;
use crate::progress::Silent;
use crate::remote::{Counts, Remote};
use crate::repo::config::TargetSettings;
use crate::target::Target;
use crate::transfer::association::Association;
use crate::workspace::Workspace;

use super::add::open_or_create;
use super::{AskSecret, CloneOptions, Cloned, NewTarget, OpenTarget};

impl OpenTarget {
    /// Opens a target, or creates it.
    pub fn add_in(
        remote: Remote,
        name: &str,
        ask: &mut AskSecret<'_>,
        new: NewTarget<'_>,
        environment: &Environment,
    ) -> Result<OpenTarget> {
        open_or_create(remote, ask, None, new, environment).map(|(target, ..)| named(name, target))
    }

    /// Clones the directory that the options name. The directory must be new or empty.
    pub fn clone_to(&mut self, directory: &Path, options: &CloneOptions, environment: Environment) -> Result<Cloned> {
        Workspace::clone_opened(self, directory, options, environment, &Silent)
    }

    /// All commits of the target.
    pub fn commits(&self) -> Vec<CommitId> {
        self.state().streams.values().flat_map(|stream| stream.commits.iter().copied()).collect()
    }

    /// Requests so far.
    pub fn counts(&self) -> Counts {
        self.target.remote().counts()
    }
}

impl Workspace {
    /// Like [`Workspace::open_target`].
    pub fn open_target_in(&self, remote: Remote, name: &str, ask: &mut AskSecret<'_>) -> Result<OpenTarget> {
        let known = Association::load(&self.repository, name)?.map(|association| association.target);
        Target::open(remote, known, ask, &self.repository.environment).map(|target| named(name, target))
    }
}

fn named(name: &str, target: Target) -> OpenTarget {
    let settings = TargetSettings { name: name.to_owned(), url: "/memory".to_owned(), ..TargetSettings::default() };
    OpenTarget { settings, target }
}
