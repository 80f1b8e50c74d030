//! Verifies a repository. Writes nothing and takes no lock.
//!
//! Three passes: the journal; every pack that the journal names, byte by byte; and every object that commits refer to. Damage
//! is reported when it is found, and the pass continues. Only the ids of the objects are kept in memory.

mod packs;
mod reachable;
mod totals;

use serde::Serialize;

use crate::error::{Error, ErrorKind, Result};
use crate::id::{CommitId, ObjectId, PackId};
use crate::path::RepoPathBuf;
use crate::progress::Progress;
use crate::repo::{Repository, UnneededFile, journal, unneeded_files};
use crate::store::Store;

/// Reported during verification.
#[derive(Debug)]
pub enum Finding {
    /// Missing or changed data.
    Damage(Box<Damage>),
    /// A file that is not needed and does no harm.
    UnneededFile(UnneededFile),
}

/// Missing or changed data.
#[derive(Debug)]
pub struct Damage {
    /// What is damaged: `journal`, `pack`, `catalog`, or the type of an object.
    pub what: &'static str,
    /// What is wrong.
    pub error: Error,
    /// The damaged object.
    pub id: Option<ObjectId>,
    /// The pack that contains it.
    pub pack: Option<PackId>,
    /// The newest commit that refers to it.
    pub commit: Option<CommitId>,
    /// Paths in that commit.
    pub paths: Vec<RepoPathBuf>,
}

/// Totals of a verification, with the field names of `docs/json.md`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Outcome {
    /// Packs that the journal names.
    pub packs: u64,
    /// Objects in these packs.
    pub objects: u64,
    /// Size of these packs in bytes.
    pub bytes: u64,
    /// Commits of all lines of history.
    pub commits: u64,
    /// Number of reports of damage.
    pub damaged: u64,
}

impl Damage {
    fn new(what: &'static str, error: Error) -> Damage {
        Damage { what, error, id: None, pack: None, commit: None, paths: Vec::new() }
    }
}

/// Passes on findings and counts the damage.
struct Reporter<'t> {
    report: &'t mut dyn FnMut(Finding) -> Result<()>,
    damaged: u64,
}

impl Reporter<'_> {
    fn damage(&mut self, damage: Damage) -> Result<()> {
        self.damaged += 1;
        (self.report)(Finding::Damage(Box::new(damage)))
    }
}

/// Verifies the whole repository. An error of `report` ends the verification.
pub fn verify(
    repository: &Repository,
    report: &mut dyn FnMut(Finding) -> Result<()>,
    progress: &dyn Progress,
) -> Result<Outcome> {
    let mut reporter = Reporter { report, damaged: 0 };
    let mut damage = Vec::new();
    journal::check(&repository.layout.journal(), &mut |error| damage.push(error))?;
    damage.into_iter().try_for_each(|error| reporter.damage(Damage::new("journal", error)))?;
    let (contents, broken) = packs::check(repository, &mut reporter, progress)?;
    check_catalog(repository.store(), &mut reporter)?;
    let commits = reachable::check(repository, &broken, &mut reporter, progress)?;
    for file in unneeded_files(&repository.layout, &repository.state().packs) {
        (reporter.report)(Finding::UnneededFile(file))?;
    }
    let packs = repository.state().packs.len() as u64;
    Ok(Outcome { packs, objects: contents.objects, bytes: contents.bytes, commits, damaged: reporter.damaged })
}

/// Checks the catalog. A rejected catalog costs only time; an accepted one with errors hides objects.
fn check_catalog(store: &Store, reporter: &mut Reporter<'_>) -> Result<()> {
    let check = store.check_catalog()?;
    for error in check.wrong {
        reporter
            .damage(Damage::new("catalog", error.hint("remove the file `catalog`; it is written again when needed")))?;
    }
    match check.unsound {
        Some((path, bytes)) => {
            (reporter.report)(Finding::UnneededFile(UnneededFile { what: "unsound catalog", path, bytes }))
        }
        None => Ok(()),
    }
}

/// Whether an error is caused by the data and not by the reader.
fn is_damage(error: &Error) -> bool {
    matches!(error.kind(), ErrorKind::Damaged | ErrorKind::Io | ErrorKind::Unsupported)
}
