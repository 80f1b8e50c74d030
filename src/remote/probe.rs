//! Finds out by a race whether a storage creates keys atomically.

use std::sync::Barrier;

use crate::error::{Error, ErrorKind, Result};
use crate::fs::random;
use crate::remote::{Created, Remote};

/// How a storage creates keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Creation {
    /// Exactly one of several writers creates a key. Several machines can write at the same time.
    Atomic,
    /// A second writer may replace a key. Only one machine may write.
    OneWriter,
}

/// What a storage can do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Probe {
    /// How it creates keys.
    pub creation: Creation,
    /// Protocol extensions that the server lacks: without `fsync@openssh.com` a power cut of the server may lose keys.
    pub missing_extensions: Vec<&'static str>,
}

/// Number of races.
const ROUNDS: u8 = 3;

/// Number of writers in a race.
const WRITERS: u8 = 4;

impl Remote {
    /// Creates keys below `probe/` from several threads at once, and deletes them if that is permitted. One race shows for certain
    /// that a storage ignores conditions, and probably that it checks them without atomicity.
    pub fn probe(&self) -> Result<Probe> {
        let missing_extensions = self.retry(|| self.backend.missing_extensions())?;
        // Without links, checking and renaming are two steps.
        let (mut keys, mut is_atomic) = (Vec::new(), !missing_extensions.contains(&"hardlink@openssh.com"));
        for _ in 0..ROUNDS {
            let key = format!("probe/{:032x}", u128::from_le_bytes(random()?));
            is_atomic &= self.is_won_once(&key)?;
            keys.push(key);
        }
        // Credentials for appending only may not delete; the files have a few bytes.
        match self.delete(&keys) {
            Err(error) if error.kind() != ErrorKind::Refused => return Err(error),
            _ => {}
        }
        Ok(Probe { creation: if is_atomic { Creation::Atomic } else { Creation::OneWriter }, missing_extensions })
    }

    /// Whether one writer of several, and no later one, creates the key.
    fn is_won_once(&self, key: &str) -> Result<bool> {
        let start = Barrier::new(WRITERS.into());
        let write = |writer: u8| {
            start.wait();
            self.create(key, &[writer])
        };
        let results: Vec<Result<Created>> = std::thread::scope(|scope| {
            let write = &write;
            let threads: Vec<_> = (0..WRITERS).map(|writer| scope.spawn(move || write(writer))).collect();
            threads.into_iter().map(|thread| thread.join().expect("a writer returns its error")).collect()
        });
        let mut winners = Vec::new();
        for (writer, result) in (0..WRITERS).zip(results) {
            if result? == Created::New {
                winners.push(writer);
            }
        }
        let is_kept = self.create(key, &[WRITERS])? == Created::Exists;
        let found = self.get(key)?.ok_or_else(|| vanished(key))?;
        Ok(is_kept && winners.len() == 1 && found == winners)
    }
}

fn vanished(key: &str) -> Error {
    Error::new(ErrorKind::Unreachable, format!("the storage lost `{key}` directly after creating it"))
}
