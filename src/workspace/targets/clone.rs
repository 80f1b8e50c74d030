//! Clones a directory from a target.

use std::path::Path;

use crate::apply::fetched_files::FetchedFiles;
use crate::environment::Environment;
use crate::error::{Error, ErrorKind, Result};
use crate::fs;
use crate::path::REPOSITORY;
use crate::progress::Progress;
use crate::quote::shell_path;
use crate::repo::Repository;
use crate::repo::config::{Document, Source, TargetSettings};
use crate::repo::layout::{Attachment, Layout, marker};
use crate::transfer::association::Association;
use crate::transfer::pull;
use crate::workspace::{CheckoutMode, CheckoutOutcome, Workspace};

use super::{AskSecret, OpenTarget, Secret};

/// What to clone.
#[derive(Default)]
pub struct CloneOptions {
    /// Where the target is; its name names the target in the new repository.
    pub settings: TargetSettings,
    /// The directory to clone: a path, `host:path` or an id. `None` if the target has only one.
    pub from: Option<String>,
    /// What must open the target, even if this machine has its keys. `None`: only asked for without them.
    pub secret: Option<Secret>,
    /// As root, also restore owners, set-id bits, capabilities and devices recorded by another user.
    pub trust_owner: bool,
}

/// A cloned directory.
pub struct Cloned {
    /// The workspace of the directory.
    pub workspace: Workspace,
    /// What was pulled.
    pub pulled: pull::Outcome,
    /// The checkout of the current commit. `None` if the directory has no commits.
    pub checkout: Option<CheckoutOutcome>,
    /// Number and hash of the newest entry of the log: a fresh clone cannot see that an older state of the target was
    /// restored, so people can compare it with what another machine shows.
    pub entry: Option<(u64, String)>,
    /// The last file of the log if it is not authentic: the newest entry may be damaged, so that newer commits are missing.
    pub void: Option<u64>,
}

impl Workspace {
    /// Creates a directory with the history and the files of one in a target. The path of a target starts at `base`. The directory
    /// must be new or empty, or an unfinished clone, which is continued.
    pub fn clone_from(
        base: &Path,
        directory: &Path,
        options: &CloneOptions,
        ask: &mut AskSecret<'_>,
        environment: Environment,
        progress: &dyn Progress,
    ) -> Result<Cloned> {
        let names = fs::list(directory)?;
        if !(names.is_empty() || names == [REPOSITORY.to_vec()]) {
            let message = format!("`{}` is not empty", directory.display());
            return Err(Error::new(ErrorKind::Refused, message).hint("name a new or an empty directory"));
        }
        let mut is_asked = false;
        let mut noted = || {
            is_asked = true;
            ask()
        };
        let mut target = OpenTarget::at(options.settings.clone(), base, &mut noted, &environment)?;
        if let Some(secret) = options.secret.as_ref().filter(|_| !is_asked) {
            target.check_secret(secret)?;
        }
        Workspace::clone_opened(&mut target, directory, options, environment, progress)
    }

    /// Like [`Workspace::clone_from`], from an open target. The caller has checked the directory.
    pub(super) fn clone_opened(
        target: &mut OpenTarget,
        directory: &Path,
        options: &CloneOptions,
        environment: Environment,
        progress: &dyn Progress,
    ) -> Result<Cloned> {
        let stream = target.find_stream(options.from.as_deref())?;
        fs::create_dir_all(directory)?;
        // The repository of an interrupted clone may be incomplete.
        let has_repository = fs::exists(&Layout::new(directory, &marker(directory), Attachment::Own).format())?;
        let mut repository = match has_repository {
            true => Repository::discover(directory, environment.clone())?,
            false => Repository::init(directory, None, environment.clone())?,
        };
        if repository.view().at().is_some() {
            let message = format!("`{}` already has a repository", directory.display());
            return Err(Error::new(ErrorKind::Refused, message)
                .hint(format!("to get its files back: undo -C {} checkout @", shell_path(directory))));
        }
        let mut document = Document::open(&repository.layout.config(), Source::Repository)?;
        document.set_target(target.settings())?;
        document.save(environment.durability())?;
        let at = target.state().streams[&stream].view.at();
        let files = match at {
            Some(at) => FetchedFiles::create(&repository.layout.fetched(), directory, at)?,
            None => None,
        };
        let (connections, files_to_fetch) = (target.connections(), files.as_ref());
        let pull = pull::Options { streams: vec![stream], keeps_names: true, connections, files: files_to_fetch };
        let pulled = pull::pull(&mut repository, &mut target.target, &pull, progress)?;
        // The clone continues the stream of the directory. If that still exists, the second one to push gets a new stream.
        let association = Association {
            stream,
            token: Some(target.state().streams[&stream].token),
            heads: repository.view().heads.iter().copied().collect(),
            pushed: Some(environment.now()),
            ..Association::create(target.target.identity())?
        };
        association.save(&repository, &options.settings.name)?;
        let stream = &target.state().streams[&stream];
        let entry = target.state().last.map(|link| (link.number, link.hash.to_string()));
        let mut workspace = Workspace::open(directory, environment)?;
        let mode = CheckoutMode { trust_owner: options.trust_owner, ..CheckoutMode::default() };
        let checkout = match stream.view.at() {
            Some(at) => {
                let prepared = workspace.prepare_checkout(&at.to_string(), mode, progress)?;
                Some(prepared.with_fetched(files).apply(progress)?)
            }
            None => None,
        };
        let void = target.state().void_end().next_back();
        Ok(Cloned { workspace, pulled, checkout, entry, void })
    }
}
