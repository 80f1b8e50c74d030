//! Commands on targets in memory, whose requests can be counted and changed.

mod deleted;
mod forget;
mod replaced;
mod requests;

use std::path::PathBuf;
use std::sync::Arc;

use super::*;
use crate::environment::{Durability, Environment};
use crate::fs;
use crate::progress::Silent;
use crate::remote::{Counts, Fault, Memory, Request};
use crate::workspace::CommitOptions;

/// A machine with one directory.
struct Machine {
    home: tempfile::TempDir,
    memory: Arc<Memory>,
    has_cache: bool,
}

const NAME: &str = "memory";

impl Machine {
    fn new(memory: &Arc<Memory>) -> Machine {
        Machine { home: tempfile::tempdir().unwrap(), memory: memory.clone(), has_cache: true }
    }

    fn without_cache(memory: &Arc<Memory>) -> Machine {
        Machine { has_cache: false, ..Machine::new(memory) }
    }

    fn environment(&self) -> Environment {
        let folder = |name| self.home.path().join(name);
        Environment::from_process()
            .with_durability(Durability::NoSync)
            .with_state_directory(Some(folder("state")))
            .with_cache_directory(self.has_cache.then(|| folder("cache")))
    }

    fn directory(&self) -> PathBuf {
        self.home.path().join("data")
    }

    fn workspace(&self) -> Workspace {
        let directory = self.directory();
        match directory.join(".undo").exists() {
            true => Workspace::open(directory, self.environment()).unwrap(),
            false => Workspace::init(directory, None, self.environment()).unwrap(),
        }
    }

    /// Creates the target.
    fn create(&self) {
        let remote = Remote::in_memory(&self.memory, Options::default(), |_| Fault::None);
        Target::create(remote, &[secret()], &self.environment()).unwrap();
    }

    /// Writes a file, and commits the directory.
    fn commit(&self, name: &str, content: &[u8]) {
        let mut workspace = self.workspace();
        fs::write_private(&self.directory().join(name), content).unwrap();
        workspace.commit(&CommitOptions::default(), &Silent).unwrap();
    }

    /// Opens the target as commands do.
    fn open(&self, before: impl Fn(&Request) -> Fault + Send + Sync + 'static) -> Result<(Workspace, OpenTarget)> {
        let workspace = self.workspace();
        let remote = Remote::in_memory(&self.memory, Options::default(), before);
        let settings = TargetSettings { name: NAME.to_owned(), ..TargetSettings::default() };
        let target = workspace.open_remote(settings, remote, &mut || Ok(secret()))?;
        Ok((workspace, target))
    }

    /// Pushes all commits. Returns what was pushed, and the number of requests.
    fn push(&self) -> Result<(PushOutcome, Counts)> {
        let (workspace, mut target) = self.open(|_| Fault::None)?;
        let outcome = workspace.push(&mut target, &PushOptions::default(), &Silent)?;
        Ok((outcome, target.target.remote().counts()))
    }
}

fn secret() -> Secret {
    Secret { kind: KeyKind::Password, bytes: b"password".to_vec() }
}
