//! Adds targets to the settings and removes them.

use crate::environment::Environment;
use crate::error::{Error, ErrorKind, Result};
use crate::remote::{Creation, Probe, Remote};
use crate::repo::config::{Document, Source, TargetSettings, check_name};
use crate::target::{Secret, Target};
use crate::transfer::association::Association;
use crate::workspace::Workspace;

use super::address::absolute;
use super::place::check_place;
use super::{AskSecret, OpenTarget, remote};

/// How to create the target if the URL has none.
pub struct NewTarget<'a> {
    /// Returns the secrets that will open it.
    pub secrets: &'a mut dyn FnMut() -> Result<Vec<Secret>>,
}

/// A target that was added.
pub struct AddedTarget {
    /// The target.
    pub target: OpenTarget,
    /// Whether the target was created, not found.
    pub is_new: bool,
    /// Protocol extensions that the server lacks: without `fsync@openssh.com`, a power cut of the server may lose what was pushed.
    pub missing_extensions: Vec<&'static str>,
}

impl Workspace {
    /// Adds a target to the settings of the repository. Creates it if the URL has none. A `given` secret must open one that exists, even if
    /// this machine has its keys.
    ///
    /// [`ErrorKind::Exists`] if the settings have a target of this name, and [`ErrorKind::Refused`] if the storage cannot hold a
    /// target safely, or if commits would record it.
    pub fn add_target(
        &mut self,
        settings: TargetSettings,
        ask: &mut AskSecret<'_>,
        given: Option<&Secret>,
        new: NewTarget<'_>,
    ) -> Result<AddedTarget> {
        check_name(&settings.name)?;
        if self.targets().iter().any(|target| target.name == settings.name) {
            return Err(Error::new(ErrorKind::Exists, format!("a target `{}` already exists", settings.name))
                .hint(format!("to forget it: undo target remove {}", settings.name)));
        }
        let settings = TargetSettings { url: absolute(&settings, &self.directory)?, ..settings };
        check_place(&self.repository, &settings, &self.directory)?;
        let storage = remote(&settings, &self.directory)?;
        let environment = &self.repository.environment;
        let (target, is_new, missing_extensions) = open_or_create(storage, ask, given, new, environment)?;
        let layout = &self.repository.layout;
        let mut document = Document::open(&layout.config(), Source::Repository)?;
        document.set_target(&settings)?;
        document.save(environment.durability()).map_err(|error| layout.not_permitted(error))?;
        self.repository.config.targets.push(settings.clone());
        Ok(AddedTarget { target: OpenTarget { settings, target }, is_new, missing_extensions })
    }

    /// Removes a target from the settings. The copies in it stay.
    pub fn remove_target(&mut self, name: &str) -> Result<TargetSettings> {
        let settings = self.target_settings(Some(name))?.clone();
        let layout = &self.repository.layout;
        let mut document = Document::open(&layout.config(), Source::Repository)?;
        if !document.unset_target(name)? {
            let hint = format!("to forget it in all repositories, remove the table `[target.{name}]` from that file");
            return Err(self.not_in_repository(name, hint));
        }
        document.save(self.repository.environment.durability()).map_err(|error| layout.not_permitted(error))?;
        Association::remove(&self.repository, name)?;
        self.repository.config.targets.retain(|target| target.name != name);
        Ok(settings)
    }
}

/// Checks that the storage creates each file once. Returns the extensions that its server lacks.
fn check_storage(storage: &Remote) -> Result<Vec<&'static str>> {
    let Probe { creation, missing_extensions } = storage.probe()?;
    if creation == Creation::Atomic {
        return Ok(missing_extensions);
    }
    let message = match missing_extensions.as_slice() {
        [] => "this storage lets a second writer replace a file, so a push could be lost".to_owned(),
        missing => format!("this server lacks {}, so a push could be lost", missing.join(" and ")),
    };
    Err(Error::new(ErrorKind::Refused, message).hint(
        "use storage that creates a file only if it does not exist: a disk, OpenSSH, or S3 with conditional writes",
    ))
}

/// Opens the target in storage, or creates it. Returns whether it was created, and then the extensions that the server lacks.
pub(super) fn open_or_create(
    storage: Remote,
    ask: &mut AskSecret<'_>,
    given: Option<&Secret>,
    new: NewTarget<'_>,
    environment: &Environment,
) -> Result<(Target, bool, Vec<&'static str>)> {
    if Target::exists(&storage)? {
        let target = Target::open(storage, None, ask, environment)?;
        given.map_or(Ok(()), |secret| target.check_secret(secret))?;
        return Ok((target, false, Vec::new()));
    }
    let missing_extensions = check_storage(&storage)?;
    Ok((Target::create(storage, &(new.secrets)()?, environment)?, true, missing_extensions))
}
