//! Targets in memory, used by several machines.

mod encodings;
mod garbage;
mod keys;
mod log;
mod replaced;

use std::sync::{Arc, Mutex};

use super::entry::{Change, Writer};
use super::{FileName, Secret, StreamChange, Target, Token};
use crate::environment::Environment;
use crate::error::{Error, ErrorKind, Result};
use crate::id::{CommitId, DirectoryId};
use crate::remote::{Counts, Fault, Kind, Memory, Options, Remote, Request};
use crate::seal::KeyKind;

/// A machine with its own keyring, which changes its own stream.
struct Machine {
    home: tempfile::TempDir,
    memory: Arc<Memory>,
    has_cache: bool,
}

impl Machine {
    fn new(memory: &Arc<Memory>) -> Machine {
        Machine { home: tempfile::tempdir().unwrap(), memory: memory.clone(), has_cache: false }
    }

    /// A machine that caches the state of the target.
    fn with_cache(memory: &Arc<Memory>) -> Machine {
        Machine { has_cache: true, ..Machine::new(memory) }
    }

    /// A machine of the same kind, with an empty storage.
    fn another(&self) -> Machine {
        Machine { has_cache: self.has_cache, ..Machine::new(&Memory::new()) }
    }

    fn environment(&self) -> Environment {
        let home = self.home.path().to_owned();
        let cache = self.has_cache.then(|| home.join("cache"));
        Environment::from_process().with_state_directory(Some(home.join("state"))).with_cache_directory(cache)
    }

    fn create(&self, password: &str) -> Target {
        let remote = Remote::in_memory(&self.memory, Options::default(), |_| Fault::None);
        Target::create(remote, &[secret(password)], &self.environment()).unwrap()
    }

    fn open(
        &self,
        password: Option<&str>,
        before: impl Fn(&Request) -> Fault + Send + Sync + 'static,
    ) -> Result<Target> {
        self.open_known(None, password, before)
    }

    /// Opens the target that a repository remembers.
    fn open_known(
        &self,
        known: Option<FileName>,
        password: Option<&str>,
        before: impl Fn(&Request) -> Fault + Send + Sync + 'static,
    ) -> Result<Target> {
        let remote = Remote::in_memory(&self.memory, Options::default(), before);
        let no_password = || Error::new(ErrorKind::WrongKey, "no password was given");
        Target::open(remote, known, &mut || password.map(secret).ok_or_else(no_password), &self.environment())
    }
}

fn secret(password: &str) -> Secret {
    Secret { kind: KeyKind::Password, bytes: password.into() }
}

/// Records a change of the stream with this number.
fn push(target: &mut Target, number: u8) -> Result<()> {
    let stream = StreamChange {
        host: String::new(),
        path: Vec::new(),
        view: Default::default(),
        size: 0,
        token: Token([number; 16]),
        added: [CommitId([number; 32])].into(),
        removed: Default::default(),
    };
    let change = Change { streams: vec![(DirectoryId([0; 16]), Some(stream))], ..Change::default() };
    target.append(|_| Ok(Some(change.clone()))).map(drop)
}

fn pushed(target: &Target) -> Vec<u8> {
    let commits = target.state().streams.values().flat_map(|stream| stream.commits.iter());
    commits.map(|commit| commit.0[0]).collect()
}

fn is_append(request: &Request) -> bool {
    request.kind == Kind::Create && request.key.starts_with("log/")
}

/// Runs a closure once, before the first entry is appended.
fn before_append(run: impl FnOnce() + Send + 'static) -> impl Fn(&Request) -> Fault + Send + Sync + 'static {
    let run = Mutex::new(Some(run));
    move |request| {
        if is_append(request)
            && let Some(run) = run.lock().unwrap().take()
        {
            run();
        }
        Fault::None
    }
}
