//! Machines that share a target in memory.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;

use tempfile::TempDir;
use undo::environment::{Durability, Environment};
use undo::error::Result;
use undo::id::CommitId;
use undo::internals::remote::{Fault, Memory, Options, Remote, Request};
use undo::progress::Silent;
use undo::workspace::targets::{
    CloneOptions, CollectTarget, CollectedTarget, KeyKind, NewTarget, OpenTarget, PullOptions, PullOutcome,
    PushOptions, PushOutcome, Secret, TargetSettings, VerifyTarget,
};
use undo::workspace::{CommitOptions, Workspace};

use crate::tree::{Tree, assert_same};

/// Decides what happens to a request.
pub type Before = Box<dyn Fn(&Request) -> Fault + Send + Sync>;

/// Name of the target in the settings.
const NAME: &str = "memory";

/// A machine with a home, and a directory that it pushes.
pub struct Machine {
    folder: TempDir,
    pub memory: Arc<Memory>,
    has_cache: bool,
}

/// The password of every target.
pub fn password() -> Secret {
    Secret { kind: KeyKind::Password, bytes: b"correct horse".to_vec() }
}

/// No faults.
pub fn healthy() -> Before {
    Box::new(|_| Fault::None)
}

impl Machine {
    /// A machine with an empty repository.
    pub fn new(memory: &Arc<Memory>) -> Machine {
        let machine = Machine { folder: tempfile::tempdir().unwrap(), memory: memory.clone(), has_cache: true };
        std::fs::create_dir(machine.work()).unwrap();
        Workspace::init(machine.work(), None, machine.environment()).unwrap();
        machine
    }

    /// A copy of the machine and of the target.
    pub fn copy(&self) -> Machine {
        let (folder, memory) = (tempfile::tempdir().unwrap(), self.memory.copy());
        let copy = Machine { folder, memory, has_cache: self.has_cache };
        let from = self.folder.path().join(".");
        let status = Command::new("cp").arg("-a").arg(from).arg(copy.folder.path()).status().unwrap();
        assert!(status.success());
        copy
    }

    /// The machine without a cache.
    pub fn without_cache(self) -> Machine {
        Machine { has_cache: false, ..self }
    }

    /// Another machine.
    pub fn stranger_without_keys(&self) -> Machine {
        Machine::new(&self.memory)
    }

    /// The machine after its storage was replaced by another one.
    pub fn with_memory(&self, memory: &Arc<Memory>) -> Machine {
        Machine { memory: memory.clone(), ..self.copy() }
    }

    /// Another machine that knows the keys of the target, and nothing else of it.
    pub fn stranger(&self) -> Machine {
        self.stranger_of(&self.memory)
    }

    /// Another machine that knows the keys of the target, with another storage.
    pub fn stranger_of(&self, memory: &Arc<Memory>) -> Machine {
        let machine = Machine::new(memory);
        let keys = |machine: &Machine| machine.folder.path().join("state/keys");
        std::fs::create_dir_all(keys(&machine)).unwrap();
        for entry in std::fs::read_dir(keys(self)).unwrap().map(Result::unwrap) {
            std::fs::copy(entry.path(), keys(&machine).join(entry.file_name())).unwrap();
        }
        machine
    }

    /// The directory that the machine pushes.
    pub fn work(&self) -> PathBuf {
        self.folder.path().join("work")
    }

    pub fn environment(&self) -> Environment {
        let folder = self.folder.path();
        Environment::from_process()
            .with_durability(Durability::NoSync)
            .with_user_settings(None)
            .with_state_directory(Some(folder.join("state")))
            .with_cache_directory(self.has_cache.then(|| folder.join("cache")))
    }

    pub fn workspace(&self) -> Workspace {
        Workspace::open(self.work(), self.environment()).unwrap()
    }

    /// Writes a file of the directory.
    pub fn write(&self, path: &str, bytes: impl AsRef<[u8]>) {
        let path = self.work().join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, bytes).unwrap();
    }

    pub fn commit(&self) -> CommitId {
        let mut workspace = self.workspace();
        workspace.commit(&CommitOptions::default(), &Silent).unwrap();
        workspace.view().at().unwrap()
    }

    /// All commits of the directory.
    pub fn commits(&self) -> Vec<CommitId> {
        let workspace = self.workspace();
        let walk = workspace.log(undo::workspace::WalkOptions::default()).unwrap();
        walk.map(|item| item.unwrap().id).collect()
    }

    fn remote(&self, before: Before) -> Remote {
        Remote::in_memory(&self.memory, Options::default(), before)
    }

    /// Opens the target, or creates it.
    pub fn add(&self, before: Before) -> Result<OpenTarget> {
        let new = NewTarget { secrets: &mut || Ok(vec![password()]) };
        OpenTarget::add_in(self.remote(before), NAME, &mut || Ok(password()), new, &self.environment())
    }

    /// Opens the target.
    pub fn open(&self, before: Before) -> Result<OpenTarget> {
        self.open_with(before, password())
    }

    /// Opens the target with a secret, if the machine does not have its keys.
    pub fn open_with(&self, before: Before, secret: Secret) -> Result<OpenTarget> {
        let mut secret = Some(secret);
        self.workspace().open_target_in(self.remote(before), NAME, &mut || Ok(secret.take().unwrap()))
    }

    pub fn push(&self, before: Before) -> Result<PushOutcome> {
        self.workspace().push(&mut self.open(before)?, &PushOptions::default(), &Silent)
    }

    /// Pulls the commits of all other directories.
    pub fn pull(&self, before: Before) -> Result<PullOutcome> {
        self.workspace().pull(&mut self.open(before)?, &PullOptions::default(), &Silent)
    }

    pub fn collect(&self, before: Before) -> Result<CollectedTarget> {
        let mut target = self.open(before)?;
        self.workspace().collect_target(&mut target, &CollectTarget::default(), &Silent)
    }

    /// Clones the only directory of the target.
    pub fn clone_to(&self, directory: &Path, before: Before) -> Result<()> {
        let settings = TargetSettings { name: NAME.into(), url: "/memory".into(), ..TargetSettings::default() };
        let options = CloneOptions { settings, ..CloneOptions::default() };
        self.open(before)?.clone_to(directory, &options, self.environment()).map(drop)
    }

    /// What is damaged in the target.
    pub fn damage(&self) -> Result<Vec<String>> {
        self.damage_with(password())
    }

    fn damage_with(&self, secret: Secret) -> Result<Vec<String>> {
        let options = VerifyTarget { sample: 1.0 };
        let mut target = self.open_with(healthy(), secret)?;
        let verified = self.workspace().verify_target(&mut target, &options, &Silent)?;
        Ok(verified.damage.iter().map(ToString::to_string).collect())
    }

    /// All commits of the target; none if the machine has no keys.
    pub fn kept(&self) -> Vec<CommitId> {
        match self.folder.path().join("state/keys").exists() {
            true => self.stranger().open(healthy()).unwrap().commits(),
            false => Vec::new(),
        }
    }

    /// Checks that nothing in the repository is damaged.
    #[track_caller]
    pub fn assert_repository_is_undamaged(&self) {
        let mut found = 0;
        let outcome = self.workspace().verify(
            &mut |_| {
                found += 1;
                Ok(())
            },
            &Silent,
        );
        outcome.unwrap();
        assert_eq!(found, 0);
    }

    /// Checks that the target is undamaged and has these commits.
    #[track_caller]
    pub fn assert_has(&self, commits: &[CommitId]) {
        self.assert_has_with(commits, password());
    }

    /// Like [`Machine::assert_has`]. The secret opens the target if the keys of this machine do not.
    #[track_caller]
    pub fn assert_has_with(&self, commits: &[CommitId], secret: Secret) {
        let stranger = self.stranger();
        let again = Secret { kind: secret.kind, bytes: secret.bytes.clone() };
        assert_eq!(stranger.damage_with(again).unwrap(), [""; 0]);
        let kept = stranger.open_with(healthy(), secret).unwrap().commits();
        let lost: Vec<_> = commits.iter().filter(|id| !kept.contains(id)).collect();
        assert!(lost.is_empty(), "the target lacks {lost:?}");
    }

    /// Checks that a clone on another machine is exact.
    #[track_caller]
    pub fn assert_clone_is_exact(&self) {
        let stranger = self.stranger();
        let directory = stranger.folder.path().join("clone");
        stranger.clone_to(&directory, healthy()).unwrap();
        assert_same(&Tree::read(&self.work()), &Tree::read(&directory));
    }
}
