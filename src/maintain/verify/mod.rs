//! Verifying: all of a repository is read and compared with what it should be. Nothing is written, and no lock is taken.
//!
//! Three looks: at the journal; at every pack that it names, byte by byte; and at all that commits lead to. What is wrong
//! is told as it is found, and the look goes on. The objects that commits lead to are remembered by their ids alone.

mod contents;
mod packs;
mod reachable;
mod totals;

use crate::error::{Error, ErrorKind, Result};
use crate::id::{CommitId, ObjectId, PackId};
use crate::path::RepoPathBuf;
use crate::progress::Progress;
use crate::repo::{Repository, Superfluous, journal, superfluous};
use crate::store::Store;

/// What is told while it goes on.
#[derive(Debug)]
pub enum Finding {
    /// Something is not as it was written.
    Damage(Box<Damage>),
    /// Nobody needs this; it does no harm.
    Superfluous(Superfluous),
}

/// Something that is missing, or not as it was written.
#[derive(Debug)]
pub struct Damage {
    /// What it concerns: `journal`, `pack`, `catalog`, or the word of an object's type.
    pub what: &'static str,
    /// Why it is damage.
    pub error: Error,
    /// The object.
    pub id: Option<ObjectId>,
    /// The pack that it lies in.
    pub pack: Option<PackId>,
    /// The newest commit that leads to it.
    pub commit: Option<CommitId>,
    /// Where in that commit.
    pub paths: Vec<RepoPathBuf>,
}

/// What was read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Outcome {
    /// Packs that the journal names.
    pub packs: u64,
    /// Objects in them.
    pub objects: u64,
    /// Their bytes on disk.
    pub bytes: u64,
    /// Commits of all lines of history.
    pub commits: u64,
    /// Damage that was told.
    pub damaged: u64,
}

impl Damage {
    fn new(what: &'static str, error: Error) -> Damage {
        Damage { what, error, id: None, pack: None, commit: None, paths: Vec::new() }
    }
}

/// Where findings go, and how many there were.
struct Told<'t> {
    tell: &'t mut dyn FnMut(Finding) -> Result<()>,
    damaged: u64,
}

impl Told<'_> {
    fn damage(&mut self, damage: Damage) -> Result<()> {
        self.damaged += 1;
        (self.tell)(Finding::Damage(Box::new(damage)))
    }
}

/// Reads everything. Each finding is given to `tell`, whose failure ends it.
pub fn verify(
    repository: &Repository,
    tell: &mut dyn FnMut(Finding) -> Result<()>,
    progress: &dyn Progress,
) -> Result<Outcome> {
    let mut told = Told { tell, damaged: 0 };
    let mut damage = Vec::new();
    journal::check(&repository.layout.journal(), &mut |error| damage.push(error))?;
    damage.into_iter().try_for_each(|error| told.damage(Damage::new("journal", error)))?;
    let (contents, broken) = packs::check(repository, &mut told, progress)?;
    catalog(repository.store(), &mut told)?;
    let commits = reachable::check(repository, &broken, &mut told, progress)?;
    for file in superfluous(&repository.layout, &repository.state().packs) {
        (told.tell)(Finding::Superfluous(file))?;
    }
    let packs = repository.state().packs.len() as u64;
    Ok(Outcome { packs, objects: contents.objects, bytes: contents.bytes, commits, damaged: told.damaged })
}

/// A catalog that is not believed is as good as none; one that is believed and wrong hides objects.
fn catalog(store: &Store, told: &mut Told<'_>) -> Result<()> {
    let check = store.check_catalog()?;
    for error in check.wrong {
        told.damage(Damage::new("catalog", error.hint("remove the file `catalog`: it is made anew")))?;
    }
    match check.unsound {
        Some((path, bytes)) => (told.tell)(Finding::Superfluous(Superfluous { what: "unsound catalog", path, bytes })),
        None => Ok(()),
    }
}

/// Whether a failure is of what was read, and not of who reads.
fn is_damage(error: &Error) -> bool {
    matches!(error.kind(), ErrorKind::Damaged | ErrorKind::Io | ErrorKind::Unsupported)
}
