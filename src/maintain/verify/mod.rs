//! Verifies a repository. Takes no lock, and writes nothing but the cache of what was checked.
//!
//! Three passes: the journal; every pack that the journal names, byte by byte; and every object that commits refer to. Damage
//! is reported when it is found, and the pass continues. Memory holds a bit for each object.

mod checked;
pub(super) mod packs;
pub(super) mod reachable;
mod totals;
pub mod worktree;

use std::collections::HashSet;

use packs::BrokenObjects;
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
    /// What is damaged: `journal`, `mask`, `pack`, `catalog`, or the type of an object.
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

/// What to verify.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub enum Extent {
    /// Every byte of every pack, and every object that commits refer to.
    #[default]
    Whole,
    /// Journal and pack tables, and whether all objects that commits refer to are present. Reads no content of files.
    Quick,
    /// The same, and this share of the packs (0 to 1), those first that were checked longest ago.
    Part(f64),
}

/// When to stop. Called before each frame and object.
#[derive(Clone, Copy, Default)]
pub struct Deadline<'d>(pub Option<&'d (dyn Fn() -> bool + Sync)>);

impl Deadline<'_> {
    fn is_over(self) -> bool {
        self.0.is_some_and(|is_over| is_over())
    }
}

/// Totals of a verification, with the field names of `docs/json.md`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct Outcome {
    /// What was verified.
    #[serde(serialize_with = "word_of")]
    pub extent: Extent,
    /// Packs that the journal names.
    pub packs: u64,
    /// Objects in these packs.
    pub objects: u64,
    /// Size of these packs in bytes.
    pub bytes: u64,
    /// Commits of all lines of history, and those that can be recalled.
    pub commits: u64,
    /// Number of reports of damage.
    pub damaged: u64,
    /// Number of purged contents, which do not count as damage.
    pub purged: u64,
    /// Commits that only packs have which the journal does not name. A killed command leaves them, or a journal that was cut off.
    pub unnamed_commits: u64,
    /// Bytes of packs that were read.
    pub read: u64,
    /// Their share of all packs in percent, rounded down.
    pub percent: u64,
    /// Bytes of packs that no verification of a part has read yet.
    pub never_read: u64,
    /// Whether all of the history was followed before the deadline.
    pub followed: bool,
    /// Whether the next verification of a part knows what this one read.
    #[serde(skip)]
    pub is_remembered: bool,
}

impl Outcome {
    /// Whether the deadline has ended a verification of a part before it read anything.
    pub fn has_read_nothing(&self) -> bool {
        matches!(self.extent, Extent::Part(_)) && self.bytes > 0 && self.read == 0
    }
}

fn word_of<S: serde::Serializer>(extent: &Extent, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(extent.word())
}

impl Extent {
    /// The word in JSON.
    pub fn word(self) -> &'static str {
        match self {
            Extent::Whole => "whole",
            Extent::Quick => "quick",
            Extent::Part(_) => "part",
        }
    }
}

impl Damage {
    pub(super) fn new(what: &'static str, error: Error) -> Damage {
        Damage { what, error, id: None, pack: None, commit: None, paths: Vec::new() }
    }
}

/// Passes on findings and counts the damage.
pub(super) struct Reporter<'t> {
    pub report: &'t mut dyn FnMut(Finding) -> Result<()>,
    pub damaged: u64,
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
    verify_extent(repository, (Extent::Whole, Deadline::default()), report, progress)
}

/// Verifies a repository to an extent, until the deadline. With a deadline, history is followed first.
pub fn verify_extent(
    repository: &Repository,
    (extent, deadline): (Extent, Deadline<'_>),
    report: &mut dyn FnMut(Finding) -> Result<()>,
    progress: &dyn Progress,
) -> Result<Outcome> {
    let mut reporter = Reporter { report, damaged: 0 };
    let (packs, purged) = (repository.state().packs.len() as u64, repository.view().purged.len() as u64);
    let mut outcome = Outcome { extent, packs, purged, ..Outcome::default() };
    let mut damage = Vec::new();
    journal::check(&repository.layout.journal(), &mut |_, error| damage.push(error))?;
    damage.into_iter().try_for_each(|error| reporter.damage(Damage::new("journal", error)))?;
    if let Some(error) = repository.mask_damage()? {
        reporter.damage(Damage::new("mask", error))?;
    }
    let follow = |broken: &BrokenObjects, reporter: &mut Reporter<'_>, outcome: &mut Outcome| {
        check_catalog(repository.store(), reporter)?;
        let options = reachable::Options { hashes_large: extent == Extent::Whole, deadline };
        (outcome.commits, outcome.followed) = reachable::check(repository, broken, options, reporter, progress)?;
        Ok::<_, Error>(())
    };
    if extent == Extent::Whole {
        let (contents, broken) = packs::check(repository, &mut reporter, progress)?;
        (outcome.objects, outcome.bytes) = (contents.objects, contents.bytes);
        (outcome.read, outcome.percent) = (contents.bytes, 100);
        follow(&broken, &mut reporter, &mut outcome)?;
    } else {
        let (contents, readable) = packs::check_structure(repository, &mut reporter, progress)?;
        (outcome.objects, outcome.bytes) = (contents.objects, contents.bytes);
        let follows_first = deadline.0.is_some();
        if follows_first {
            follow(&BrokenObjects::new(), &mut reporter, &mut outcome)?;
        }
        let mut broken = BrokenObjects::new();
        if let Extent::Part(share) = extent {
            let part = (share, deadline);
            broken = packs::check_part(repository, &readable, part, (&mut reporter, &mut outcome), progress)?;
        }
        if !follows_first {
            follow(&broken, &mut reporter, &mut outcome)?;
        }
    }
    outcome.unnamed_commits =
        repository.unnamed_commits()?.into_values().flatten().collect::<HashSet<_>>().len() as u64;
    for file in unneeded_files(&repository.layout, &repository.state().packs) {
        (reporter.report)(Finding::UnneededFile(file))?;
    }
    Ok(Outcome { damaged: reporter.damaged, ..outcome })
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
