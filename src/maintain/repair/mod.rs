//! Repairs a repository: adds what can be recovered, and lists what is still lost (decision 52).
//!
//! Recovered objects go into new packs, and one operation names them. The journal stops naming a damaged pack only when
//! everything that commits need of it can be read from another pack.

mod commits;
mod copies;
mod sources;
mod worktree;

use std::collections::{BTreeMap, HashSet};

use crate::error::{Error, ErrorKind, Result};
use crate::fs;
use crate::history::objects::ObjectType;
use crate::id::{BlobId, CommitId, ObjectId, OperationId, PackId};
use crate::number::plural;
use crate::object::operation::{HistoryEdit, Verb};
use crate::object::{ObjectKind, Objects};
use crate::path::RepoPathBuf;
use crate::progress::Progress;
use crate::repo::journal::RepairedJournal;
use crate::repo::{NewOperation, Repository, Transaction, heads, journal};
use crate::store::{Store, Stored};
use crate::worktree::Index;

pub use sources::Sources;

use super::gc;
use super::verify::packs::{self, BrokenObjects};
use super::verify::{Damage, Deadline, Finding, Reporter, reachable};

/// What a repair found and did.
#[derive(Debug, Default)]
pub struct Outcome {
    /// Damage that is repaired.
    pub recovered: Vec<Damage>,
    /// Number of objects read from damaged packs.
    pub salvaged: u64,
    /// Number of objects copied from other packs and repositories.
    pub copied: u64,
    /// Number of objects recovered from the worktree.
    pub from_worktree: u64,
    /// Bytes added to the store.
    pub bytes_stored: u64,
    /// Damaged packs that were replaced.
    pub replaced: Vec<PackId>,
    /// Damage that is left.
    pub lost: Vec<Damage>,
    /// Restored commits of packs that the journal did not name.
    pub commits: Vec<CommitId>,
    /// Whether the mask was determined again.
    pub mask: bool,
    /// Whether the catalog was written again.
    pub catalog: bool,
    /// Whether the damaged index was removed.
    pub index: bool,
    /// The operation, if objects or packs changed.
    pub operation: Option<OperationId>,
}

/// The damage of a journal that was repaired, and what is lost of it.
pub fn journal_damage(repaired: RepairedJournal) -> (Damage, Option<Damage>) {
    let RepairedJournal { damage, kept, is_complete } = repaired;
    let kept = kept.map_or_else(String::new, |kept| format!("; the damaged file is kept as `{}`", kept.display()));
    let message = format!("operations may be missing{kept}");
    let lost = (!is_complete).then(|| Damage::new("journal", Error::damaged(message)));
    (Damage::new("journal", damage), lost)
}

/// Damage of a repository.
struct Examination {
    /// Damage of the journal and of packs.
    files: Vec<Damage>,
    /// Objects that commits need and that cannot be read.
    lost: Vec<Damage>,
    broken: BrokenObjects,
    /// The damaged packs; whether their tables are intact, so that their other objects can be read.
    packs: BTreeMap<PackId, bool>,
    /// Whether the catalog is damaged.
    catalog: bool,
}

/// Tells which objects can be read.
struct Present<'p> {
    store: &'p Store,
    broken: &'p BrokenObjects,
}

impl Present<'_> {
    fn has(&self, kind: ObjectKind, id: ObjectId) -> bool {
        self.store.contains(kind, id) && (!self.broken.contains_key(&(kind, id)) || self.store.object(kind, id).is_ok())
    }
}

/// Repairs what can be repaired.
pub fn repair(transaction: &mut Transaction<'_>, sources: &Sources<'_>, progress: &dyn Progress) -> Result<Outcome> {
    let examined = examine(transaction.repository(), progress)?;
    let mut repair = Repair {
        transaction,
        sources,
        progress,
        scanned: None,
        stored: Stored::default(),
        outcome: Outcome::default(),
    };
    repair.run(examined)?;
    Ok(repair.outcome)
}

/// Finds out what a repair would do, and writes nothing. Damage below lost directories is not known yet.
pub fn preview(repository: &Repository, sources: &Sources<'_>, progress: &dyn Progress) -> Result<Outcome> {
    let mut examined = examine(repository, progress)?;
    let mut outcome = Outcome { catalog: examined.catalog, ..Outcome::default() };
    let mut recovered: HashSet<(ObjectKind, ObjectId)> = HashSet::new();
    for (&pack, &is_readable) in &examined.packs {
        if !is_readable {
            repository.store().salvage(pack, &mut |kind, id, _| {
                outcome.salvaged += u64::from(recovered.insert((kind, id)));
                Ok(())
            })?;
        }
    }
    let present = Present { store: repository.store(), broken: &examined.broken };
    let lost = examined.lost.iter().filter_map(object_of);
    let is_salvaged =
        |object_type: ObjectType, id| object_type.kinds().iter().any(|&kind| recovered.contains(&(kind, id)));
    let lost: Vec<_> = lost.filter(|&(object_type, id)| !is_salvaged(object_type, id)).collect();
    let mut copied = HashSet::new();
    let known = (&present, repository.view());
    copies::copy(&sources.copies, known, lost.into_iter(), &mut |kind, id, _| Ok(copied.insert((kind, id))))?;
    outcome.copied = copied.len() as u64;
    recovered.extend(copied);
    if !examined.lost.is_empty() {
        let intact = open_intact(repository, &examined, &Stored::default())?;
        let source = worktree::Source::scan(repository, sources.worktree, &intact, true, progress)?;
        let mut found = HashSet::new();
        let store = repository.store();
        let files = source.recover(store, &examined.lost, &mut |kind, id, _| Ok(found.insert((kind, id))))?;
        found.extend(files.iter().map(|(_, blob)| (ObjectKind::Data, blob.object_id())));
        outcome.from_worktree = found.iter().filter(|object| !recovered.contains(object)).count() as u64;
        recovered.extend(found);
    }
    for damage in examined.lost {
        let is_recovered = object_of(&damage)
            .is_some_and(|(object_type, id)| object_type.kinds().iter().any(|&kind| recovered.contains(&(kind, id))));
        if is_recovered { outcome.recovered.push(damage) } else { outcome.lost.push(damage) }
    }
    let lost: HashSet<ObjectId> = outcome.lost.iter().filter_map(|damage| damage.id).collect();
    let needed = examined.broken.iter().filter(|((_, id), _)| lost.contains(id)).map(|(_, pack)| *pack);
    let needed: HashSet<PackId> = needed.collect();
    // [`Repository::repair_journal`] has reported it.
    let newest = journal::load(&repository.layout.journal())?.damage.map(|damage| damage.to_string());
    examined.files.retain(|damage| damage.what != "journal" || Some(damage.error.to_string()) != newest);
    let is_left = |damage: &Damage| match damage.pack {
        Some(pack) if examined.packs[&pack] => needed.contains(&pack),
        Some(_) => !lost.is_empty(),
        None => damage.what == "journal" || damage.what == "mask" && !lost.is_empty(),
    };
    let (left, repaired): (Vec<_>, Vec<_>) = examined.files.into_iter().partition(is_left);
    outcome.lost.extend(left);
    outcome.recovered.extend(repaired);
    outcome.mask = outcome.recovered.iter().any(|damage| damage.what == "mask");
    outcome.index = index_is_damaged(repository);
    outcome.commits = commits::complete(repository, &present)?;
    Ok(outcome)
}

/// Checks the journal, all packs, the catalog, and all objects that commits refer to.
fn examine(repository: &Repository, progress: &dyn Progress) -> Result<Examination> {
    let mut files = Vec::new();
    journal::check(&repository.layout.journal(), &mut |_, error| files.push(Damage::new("journal", error)))?;
    files.extend(repository.mask_damage()?.map(|error| Damage::new("mask", error)));
    let (broken, found) = collect(|reporter| packs::check(repository, reporter, progress).map(|(_, broken)| broken))?;
    let is_readable = |pack| repository.store().list_pack(pack).objects().is_ok();
    let packs = found.iter().filter_map(|damage| damage.pack).map(|pack| (pack, is_readable(pack))).collect();
    files.extend(found);
    let check = repository.store().check_catalog()?;
    let catalog = check.unsound.is_some() || !check.wrong.is_empty();
    files.extend(check.wrong.into_iter().map(|error| Damage::new("catalog", error)));
    let lost = find_lost(repository, &broken, progress)?;
    Ok(Examination { files, lost, broken, packs, catalog })
}

/// The objects that commits need and that cannot be read.
fn find_lost(repository: &Repository, broken: &BrokenObjects, progress: &dyn Progress) -> Result<Vec<Damage>> {
    let options = reachable::Options { hashes_large: false, deadline: Deadline::default() };
    let ((), lost) = collect(|reporter| reachable::check(repository, broken, options, reporter, progress).map(drop))?;
    Ok(lost)
}

/// Runs a check and collects the damage that it reports.
fn collect<T>(check: impl FnOnce(&mut Reporter<'_>) -> Result<T>) -> Result<(T, Vec<Damage>)> {
    let mut found = Vec::new();
    let mut report = |finding| {
        if let Finding::Damage(damage) = finding {
            found.push(*damage);
        }
        Ok(())
    };
    let value = check(&mut Reporter { report: &mut report, damaged: 0 })?;
    Ok((value, found))
}

/// Whether the index exists and is not intact. Without it, the next command reads all files.
fn index_is_damaged(repository: &Repository) -> bool {
    let path = repository.layout.index();
    let is_intact = |index: &Index| {
        let readable = index.directories().filter(|(_, directory)| directory.is_readable());
        index.failure().is_none() && index.count() > 0 && readable.count() == index.count()
    };
    fs::exists(&path).unwrap_or(false) && !is_intact(&Index::open(&path))
}

/// Type and id of a damaged object.
fn object_of(damage: &Damage) -> Option<(ObjectType, ObjectId)> {
    let object_type = ObjectType::ALL.into_iter().find(|object_type| object_type.word() == damage.what)?;
    Some((object_type, damage.id?))
}

/// Opens the packs without damage, and new ones.
fn open_intact(repository: &Repository, examined: &Examination, stored: &Stored) -> Result<Store> {
    let is_intact = |pack: &&PackId| !examined.packs.contains_key(*pack);
    let packs: Vec<PackId> = repository.state().packs.iter().filter(is_intact).chain(&stored.packs).copied().collect();
    repository.store().with_packs(&packs)
}

/// A repair under way.
struct Repair<'r, 't> {
    transaction: &'r mut Transaction<'t>,
    sources: &'r Sources<'r>,
    progress: &'r dyn Progress,
    /// The worktree, and whether all of its files were read.
    scanned: Option<(worktree::Source<'r>, bool)>,
    /// New packs.
    stored: Stored,
    outcome: Outcome,
}

impl Repair<'_, '_> {
    fn run(&mut self, examined: Examination) -> Result<()> {
        let unreadable = examined.packs.iter().filter(|(_, is_readable)| !**is_readable).map(|(pack, _)| *pack);
        self.salvage(&examined, &unreadable.collect::<Vec<_>>())?;
        let mut lost = find_lost(self.transaction.repository(), &examined.broken, self.progress)?;
        while !lost.is_empty() && self.recover(&examined, &lost)? {
            lost = find_lost(self.transaction.repository(), &examined.broken, self.progress)?;
        }
        self.restore_commits(&examined)?;
        let replaced = self.replaceable(&examined, &lost);
        let readable: Vec<PackId> = replaced.iter().copied().filter(|pack| examined.packs[pack]).collect();
        self.salvage(&examined, &readable)?;
        let left: HashSet<_> = lost.iter().filter_map(object_of).collect();
        let is_recovered = |damage: &Damage| object_of(damage).is_some_and(|object| !left.contains(&object));
        self.outcome.recovered = examined.lost.into_iter().filter(is_recovered).collect();
        for damage in examined.files {
            let is_repaired = damage.what == "catalog" || damage.pack.is_some_and(|pack| replaced.contains(&pack));
            if is_repaired { self.outcome.recovered.push(damage) } else { self.outcome.lost.push(damage) }
        }
        self.outcome.lost.extend(lost);
        self.record(replaced)?;
        self.restore_mask()?;
        if examined.catalog {
            self.transaction.replace_catalog()?;
            self.outcome.catalog = true;
        }
        let repository = self.transaction.repository();
        if index_is_damaged(repository) {
            fs::remove_file(&repository.layout.index())?;
            self.outcome.index = true;
        }
        Ok(())
    }

    /// Determines again which objects the last sweep has hidden. This is only possible if nothing is lost.
    fn restore_mask(&mut self) -> Result<()> {
        if self.transaction.repository().mask_damage()?.is_none() {
            return Ok(());
        }
        match gc::restore_mask(self.transaction, self.progress) {
            Err(error) if error.kind() == ErrorKind::Damaged => Ok(()),
            Err(error) => Err(error),
            Ok(()) => {
                self.outcome.mask = true;
                let restored = self.outcome.lost.extract_if(.., |damage| damage.what == "mask");
                self.outcome.recovered.extend(restored);
                Ok(())
            }
        }
    }

    /// Copies everything that can be read of these packs into new ones.
    fn salvage(&mut self, examined: &Examination, packs: &[PackId]) -> Result<()> {
        if packs.is_empty() {
            return Ok(());
        }
        let repository = self.transaction.repository();
        let intact = open_intact(repository, examined, &self.stored)?;
        let session = intact.session();
        let mut writer = session.writer();
        for &pack in packs {
            repository.store().salvage(pack, &mut |kind, id, bytes| writer.put(kind, id, bytes).map(drop))?;
        }
        writer.finish()?;
        let stored = session.finish()?;
        self.outcome.salvaged += stored.objects;
        self.include(stored)
    }

    /// Fetches lost objects. Returns whether any was found.
    fn recover(&mut self, examined: &Examination, lost: &[Damage]) -> Result<bool> {
        let repository = self.transaction.repository();
        let intact = open_intact(repository, examined, &self.stored)?;
        // A lost chunk must be stored although a layout says that the store has its blob.
        intact.require_verification();
        let session = intact.session();
        let present = Present { store: repository.store(), broken: &examined.broken };
        let mut writer = session.writer();
        let mut put = |kind, id, bytes: &[u8]| writer.put(kind, id, bytes);
        let mut copied = 0;
        let known = (&present, repository.view());
        copies::copy(&self.sources.copies, known, lost.iter().filter_map(object_of), &mut |kind, id, bytes| {
            put(kind, id, bytes).inspect(|is_new| copied += u64::from(*is_new))
        })?;
        let reads_all = lost.iter().any(|damage| damage.what != ObjectType::Blob.word());
        let source = match self.scanned.take().filter(|(_, has_read_all)| *has_read_all || !reads_all) {
            Some((source, _)) => source,
            None => worktree::Source::scan(repository, self.sources.worktree, &intact, reads_all, self.progress)?,
        };
        let files = source.recover(repository.store(), lost, &mut put)?;
        self.scanned = Some((source, reads_all));
        let is_missing = |(_, blob): &&(RepoPathBuf, BlobId)| !session.contains(ObjectKind::Data, blob.object_id());
        let files: Vec<_> = files.iter().filter(is_missing).cloned().collect();
        writer.finish()?;
        (self.sources.store_files)(&intact, &session, self.sources.worktree, &files)?;
        let stored = session.finish()?;
        self.outcome.copied += copied;
        self.outcome.from_worktree += stored.objects - copied;
        let has_found = stored.objects > 0;
        self.include(stored)?;
        Ok(has_found)
    }

    /// Restores commits of packs that the journal does not name, outside the branches.
    fn restore_commits(&mut self, examined: &Examination) -> Result<()> {
        let repository = self.transaction.repository();
        let present = Present { store: repository.store(), broken: &examined.broken };
        let commits = commits::complete(repository, &present)?;
        if commits.is_empty() {
            return Ok(());
        }
        let intact = open_intact(repository, examined, &self.stored)?;
        let session = intact.session();
        let mut writer = session.writer();
        commits::copy(repository, &present, &commits, &mut |kind, id, bytes| writer.put(kind, id, bytes))?;
        writer.finish()?;
        let stored = session.finish()?;
        self.outcome.commits = commits;
        self.include(stored)
    }

    fn include(&mut self, stored: Stored) -> Result<()> {
        self.stored.bytes += stored.bytes;
        self.stored.objects += stored.objects;
        self.stored.packs.extend(stored.packs);
        self.transaction.include(&self.stored.packs)
    }

    /// The damaged packs of which nothing is lost: other packs have their broken objects, or no commit needs them.
    fn replaceable(&self, examined: &Examination, lost: &[Damage]) -> Vec<PackId> {
        let store = self.transaction.repository().store();
        let ids: HashSet<ObjectId> = lost.iter().filter_map(|damage| damage.id).collect();
        // What a lost directory or commit needs is not known.
        let is_all_known = lost.iter().all(|damage| damage.what == ObjectType::Blob.word());
        let mut needed: HashSet<PackId> = HashSet::new();
        for (&(kind, id), &pack) in &examined.broken {
            if (!is_all_known || ids.contains(&id)) && store.object(kind, id).is_err() {
                needed.insert(pack);
            }
        }
        let is_replaceable = |(pack, is_readable): (&PackId, &bool)| {
            let is_replaceable = if *is_readable { !needed.contains(pack) } else { lost.is_empty() };
            is_replaceable.then_some(*pack)
        };
        examined.packs.iter().filter_map(is_replaceable).collect()
    }

    /// Records the operation.
    fn record(&mut self, replaced: Vec<PackId>) -> Result<()> {
        self.outcome.bytes_stored = self.stored.bytes;
        // A pack with the same objects and frames has the same id, so the new file has replaced the damaged one.
        let removed: Vec<PackId> = replaced.iter().copied().filter(|pack| !self.stored.packs.contains(pack)).collect();
        self.outcome.replaced.clone_from(&replaced);
        if !self.stored.packs.is_empty() {
            let left = match self.outcome.lost.len() as u64 {
                0 => String::new(),
                left => format!("; {} left", plural(left, "problem")),
            };
            let description = match self.outcome.commits.len() as u64 {
                0 => format!("recovered {}{left}", plural(self.stored.objects, "object")),
                commits => format!("restored {}{left}", plural(commits, "commit")),
            };
            let stored = std::mem::take(&mut self.stored);
            let commits = self.outcome.commits.clone();
            let repository = self.transaction.repository();
            let heads_removed = match commits.is_empty() {
                true => Vec::new(),
                false => heads::continued_among(repository.store(), repository.view(), &commits)?.into_iter().collect(),
            };
            let history = HistoryEdit { heads_removed, ..HistoryEdit::default() };
            let new_operation =
                NewOperation { verb: Verb::Repair, description, stored, commits, history, ..NewOperation::default() };
            self.outcome.operation = Some(self.transaction.record(new_operation)?);
        }
        let is_named = |pack: &PackId| self.transaction.repository().state().packs.contains(pack);
        let removed: Vec<PackId> = removed.into_iter().filter(is_named).collect();
        if removed.is_empty() { Ok(()) } else { self.transaction.swap_packs(Vec::new(), removed) }
    }
}
