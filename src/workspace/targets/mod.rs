//! Targets: encrypted copies of the history elsewhere.

mod add;
mod address;
mod ahead;
mod auto;
pub(in crate::workspace) mod cancel;
mod clone;
mod copies;
mod drill;
mod forget;
mod history;
#[cfg(feature = "internals")]
mod in_storage;
mod keys;
mod maintain;
mod place;
mod push;
mod redundancy;
mod repair;
mod restore;
pub(in crate::workspace) mod settings;
mod show;
#[cfg(test)]
mod tests;

use std::path::Path;

use crate::error::{Error, ErrorKind, Result};
use crate::remote::{Address, Options, Remote};
use crate::repo::config::{DEFAULT_CONNECTIONS, find_target, target_names};
use crate::target::{State, Target};
use crate::transfer::association::Association;

use super::Workspace;

pub use crate::repo::config::TargetSettings;
pub use crate::seal::KeyKind;
pub use add::{AddedTarget, NewTarget};
pub use auto::push_when_quiet;
pub use clone::{CloneOptions, Cloned};
pub use copies::{CommitCount, Copy};
pub use drill::{DrillOptions, DrillOutcome};
pub(crate) use history::RemoteHistory;
pub use keys::TargetKey;
pub use maintain::{CollectTarget, CollectedTarget, TargetVerification, VerifyTarget};
pub use push::{PullOptions, PullOutcome, PushLock, PushOptions, PushOutcome};
pub use redundancy::Redundancy;
pub use repair::RepairedTarget;
pub use show::{TargetDirectory, TargetStats, TargetSummary};

// Values in the signatures.
pub use crate::target::{FileName, Link, Part, Secret, Usage};
pub use crate::transfer::fetch::Totals as Fetched;
pub use crate::transfer::upload::Totals as Sent;

/// Returns the secret that opens a target.
pub type AskSecret<'a> = dyn FnMut() -> Result<Secret> + 'a;

/// An open target.
pub struct OpenTarget {
    settings: TargetSettings,
    target: Target,
}

impl OpenTarget {
    /// Its settings.
    pub fn settings(&self) -> &TargetSettings {
        &self.settings
    }

    /// Fails with [`ErrorKind::WrongKey`] unless the secret opens the target on a machine that does not have its keys.
    pub fn check_secret(&self, secret: &Secret) -> Result<()> {
        self.target.check_secret(secret)
    }

    /// Number of requests to the storage so far.
    pub fn requests(&self) -> u64 {
        self.target.remote().counts().requests()
    }

    /// The state of its log.
    pub(crate) fn state(&self) -> &State {
        self.target.state()
    }

    fn connections(&self) -> usize {
        connections(&self.settings)
    }
}

fn connections(settings: &TargetSettings) -> usize {
    settings.connections.unwrap_or(DEFAULT_CONNECTIONS) as usize
}

/// The storage of a target. Does no I/O.
fn remote(settings: &TargetSettings, directory: &Path) -> Result<Remote> {
    let address = Address::parse(&settings.url, settings.endpoint.as_deref(), settings.region.as_deref(), directory)?;
    let options =
        Options { connections: connections(settings), upload: settings.limit_up, download: settings.limit_down };
    Ok(Remote::new(address, options))
}

impl Workspace {
    /// The targets in the settings of the repository, in the order of the file.
    pub fn targets(&self) -> &[TargetSettings] {
        &self.repository.config.targets
    }

    /// The settings of a target. Without a name, of the only one. [`ErrorKind::NotFound`] if there is none, and
    /// [`ErrorKind::Usage`] if there are several.
    pub fn target_settings(&self, name: Option<&str>) -> Result<&TargetSettings> {
        let targets = self.targets();
        match (name, targets) {
            (None, [target]) => Ok(target),
            (_, []) => Err(Error::new(ErrorKind::NotFound, "this repository has no target")
                .hint("add one: undo target add NAME URL")),
            (None, _) => Err(Error::new(ErrorKind::Usage, "this repository has several targets: name one of them")
                .hint(format!("targets: {}", target_names(targets)))),
            (Some(name), _) => find_target(targets, name),
        }
    }

    /// Opens a target and reads its log.
    pub fn open_target(&self, name: Option<&str>, ask: &mut AskSecret<'_>) -> Result<OpenTarget> {
        let settings = self.target_settings(name)?.clone();
        let remote = remote(&settings, &self.directory)?;
        self.open_remote(settings, remote, ask)
    }

    fn open_remote(&self, settings: TargetSettings, remote: Remote, ask: &mut AskSecret<'_>) -> Result<OpenTarget> {
        let known = Association::load(&self.repository, &settings.name)?.map(|association| association.target);
        let target = Target::open(remote, known, ask, &self.repository.environment);
        let target = target.map_err(|error| error.context(format_args!("target `{}`", settings.name)))?;
        Ok(OpenTarget { settings, target })
    }
}
