//! The set of packs that a store is opened with, and the lookup of objects in it.

use std::collections::{BTreeSet, HashMap};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Mutex, OnceLock};

use super::cache::Cache;
use super::catalog::{self, Catalog};
use super::compress::Compression;
use super::elsewhere::Elsewhere;
use super::mask::Mask;
use super::pack::{FrameReader, Location, OTHERS_ARE_WHOLE, Pack, format};
use super::purged::PurgedBlobs;
use crate::chunk;
use crate::environment::Durability;
use crate::error::{Error, ErrorKind, Result};
use crate::fs;
use crate::id::{BlobId, IdPrefix, ObjectId, PackId};
use crate::object::{ObjectKind, Objects};

/// Options of a store.
#[derive(Clone, Debug)]
pub struct Options {
    /// Chunk sizes (from `format`).
    pub chunk: chunk::Params,
    /// Compression of new frames (from `config.toml`).
    pub compression: Compression,
    /// Whether the store may share the blocks of large files (from `config.toml`).
    pub reflink: bool,
    /// Durability of new packs.
    pub durability: Durability,
}

/// Objects by id, in a fixed set of packs. Threads can read at the same time without a lock.
pub struct Store {
    pub(super) directory: PathBuf,
    options: Options,
    pub(super) packs: Vec<Pack>,
    mask: Option<Mask>,
    pub(super) purged: PurgedBlobs,
    pub(super) catalog: Option<Catalog>,
    /// Packs that are not in the catalog, newest last.
    uncovered: Vec<u32>,
    pub(super) cache: Cache,
    /// Frame readers that no thread is using.
    pub(super) idle_readers: Mutex<Vec<FrameReader>>,
    pub(super) frames_decoded: AtomicU64,
    /// Whether each object is read before it counts as present.
    is_in_doubt: AtomicBool,
    pub(super) elsewhere: Option<Elsewhere>,
    reopen: Option<Reopen>,
    /// Opened when an object was not found.
    successor: OnceLock<Option<Box<Store>>>,
}

/// Opens the store with the packs that the journal names now; `None` if they are the same.
type Reopen = Box<dyn Fn() -> Option<Store> + Send + Sync>;

/// Whether this is the empty data object, which every store contains and none stores.
pub fn is_empty_data(kind: ObjectKind, id: ObjectId) -> bool {
    /// BLAKE3 of no bytes.
    const EMPTY: [u8; 32] = [
        0xaf, 0x13, 0x49, 0xb9, 0xf5, 0xf9, 0xa1, 0xa6, 0xa0, 0x40, 0x4d, 0xea, 0x36, 0xdc, 0xc9, 0x49, 0x9b, 0xcb,
        0x25, 0xc9, 0xad, 0xc1, 0x12, 0xb7, 0xcc, 0x9a, 0x93, 0xca, 0xe4, 0x1f, 0x32, 0x62,
    ];
    kind == ObjectKind::Data && id.0 == EMPTY
}

impl Store {
    /// Opens packs below `directory`, the repository folder with `packs/`, `catalog` and `tmp/`. The store does not
    /// contain what `mask` hides. A missing or damaged pack is not an error here: all other objects stay readable (see
    /// [`Store::damage`]).
    pub fn open(directory: &Path, packs: &[PackId], mask: Option<Mask>, options: Options) -> Result<Store> {
        let mut store = Store {
            directory: directory.to_owned(),
            options,
            packs: Vec::with_capacity(packs.len()),
            mask,
            purged: PurgedBlobs::default(),
            catalog: if packs.is_empty() { None } else { Catalog::open(directory) },
            uncovered: Vec::new(),
            cache: Cache::default(),
            idle_readers: Mutex::default(),
            frames_decoded: AtomicU64::new(0),
            is_in_doubt: AtomicBool::new(false),
            elsewhere: None,
            reopen: None,
            successor: OnceLock::new(),
        };
        store.include(packs);
        store.arrange();
        // The packs outside the catalog are small, so other processes may merge and delete them.
        store.uncovered.iter().for_each(|&n| store.packs[n as usize].hold());
        Ok(store)
    }

    /// Opens these packs like those of this store.
    pub fn with_packs(&self, packs: &[PackId]) -> Result<Store> {
        let mut store = Store::open(&self.directory, packs, self.mask.clone(), self.options.clone())?;
        store.purged = self.purged.clone();
        Ok(store)
    }

    /// Reads objects that cannot be read from another store: `reopen` opens it with the packs that are in use then, once.
    pub fn or_reopened(mut self, reopen: impl Fn() -> Option<Store> + Send + Sync + 'static) -> Store {
        self.reopen = Some(Box::new(reopen));
        self
    }

    /// The store with the packs that have replaced those of this one; `None` if they have not changed.
    pub(super) fn successor(&self) -> Option<&Store> {
        let open = || self.reopen.as_ref().and_then(|reopen| reopen()).map(Box::new);
        self.successor.get_or_init(open).as_deref()
    }

    /// Adds packs that were written since the store was opened. Rewrites the catalog if that pays.
    pub fn add_packs(&mut self, packs: &[PackId]) -> Result<()> {
        self.include(packs);
        self.arrange();
        self.renew_catalog();
        Ok(())
    }

    /// Directory for files under construction.
    pub fn scratch(&self) -> PathBuf {
        self.directory.join("tmp")
    }

    /// Folder of the repository.
    pub(super) fn directory(&self) -> &Path {
        &self.directory
    }

    /// The mask that the store was opened with.
    pub fn mask(&self) -> Option<&Mask> {
        self.mask.as_ref()
    }

    /// Whether the mask hides objects of a pack with this id. A new pack needs another id: equal tables have equal ids.
    pub(super) fn is_masked(&self, id: PackId) -> bool {
        self.mask.as_ref().is_some_and(|mask| mask.of(id).is_some())
    }

    /// The options that the store was opened with.
    pub fn options(&self) -> &Options {
        &self.options
    }

    /// The packs with their sizes in bytes; 0 for a pack that cannot be opened.
    pub fn packs(&self) -> Vec<(PackId, u64)> {
        let mut known = HashMap::new();
        if let Some(catalog) = &self.catalog {
            known.extend(catalog.covered().map(|(covered, _)| (covered.id, covered.size)));
        }
        let size = |pack: &Pack| known.get(&pack.id).copied().or_else(|| pack.size().ok()).unwrap_or(0);
        self.packs.iter().map(|pack| (pack.id, size(pack))).collect()
    }

    /// One error for each pack that is missing or cannot be opened.
    pub fn damage(&self) -> Vec<Error> {
        self.packs.iter().filter_map(|pack| pack.table().err()).collect()
    }

    /// Number of frames decoded since the store was opened.
    #[cfg(any(test, feature = "internals"))]
    pub fn frames_decoded(&self) -> u64 {
        self.frames_decoded.load(Ordering::Relaxed)
    }

    /// From now on, only objects that can be read count as present, so that damaged ones are stored again.
    pub fn require_verification(&self) {
        self.is_in_doubt.store(true, Ordering::Relaxed);
    }

    /// Whether damaged objects are stored again.
    pub fn is_in_doubt(&self) -> bool {
        self.is_in_doubt.load(Ordering::Relaxed)
    }

    /// Whether the store contains an object, in a pack that can be opened.
    pub fn contains(&self, kind: ObjectKind, id: ObjectId) -> bool {
        self.contains_here(kind, id) || self.exists_elsewhere(kind, id)
    }

    /// Like [`Store::contains`], but does not count what the store reads from elsewhere.
    pub fn contains_here(&self, kind: ObjectKind, id: ObjectId) -> bool {
        is_empty_data(kind, id) || self.locate(kind, id).is_some() && self.is_readable(kind, id)
    }

    /// Like [`Store::contains`], but faster. With a damaged catalog it may return `false` for an object that the store
    /// contains.
    pub fn knows(&self, kind: ObjectKind, id: ObjectId) -> bool {
        let is_held = || self.quick_locations(kind, id).any(|location| self.pack(&location).check_footer().is_ok());
        is_empty_data(kind, id) || is_held() && self.is_readable(kind, id)
    }

    fn is_readable(&self, kind: ObjectKind, id: ObjectId) -> bool {
        !self.is_in_doubt() || self.object(kind, id).is_ok()
    }

    /// Whether the store contains a blob, whole or in chunks.
    pub fn contains_blob(&self, id: BlobId) -> bool {
        self.contains(ObjectKind::Data, id.object_id()) || self.contains(ObjectKind::Layout, id.object_id())
    }

    /// Position of an object. `None` for the empty blob.
    pub fn locate(&self, kind: ObjectKind, id: ObjectId) -> Option<Location> {
        let readable = |location: &Location| self.pack(location).check_footer().is_ok();
        let quick = self.quick_locations(kind, id).find(readable);
        quick.or_else(|| {
            let is_sound = self.catalog.as_ref().is_none_or(|catalog| catalog.is_sound(&id.0));
            if is_sound { None } else { self.all_locations(kind, id).find(readable) }
        })
    }

    /// Ids of objects of a kind that match a prefix, sorted, at most `limit`.
    pub fn find(&self, kind: ObjectKind, prefix: &IdPrefix, limit: usize) -> Vec<ObjectId> {
        if kind == ObjectKind::Commit
            && let Some(found) = self.find_elsewhere(prefix, limit)
        {
            return found;
        }
        let mut found = BTreeSet::new();
        if let Some(catalog) = &self.catalog {
            let matches = catalog.matching(kind, prefix).filter(|(_, location)| self.is_visible(location));
            take_distinct(matches.map(|(id, _)| id), limit, &mut found);
        }
        let search = |pack: &Pack, found: &mut BTreeSet<ObjectId>| {
            let Ok(table) = pack.table() else { return };
            let start = table.lower_bound(&format::key_of(kind, &prefix.first()));
            let records = (start..table.len()).map(|n| (n as u32, table.record(n)));
            let matches = records.take_while(|(_, record)| record.kind == kind && prefix.matches(&record.id.0));
            let visible = matches.filter(|(n, _)| !pack.is_hidden(*n));
            take_distinct(visible.map(|(_, record)| record.id), limit, found);
        };
        self.uncovered.iter().for_each(|&n| search(&self.packs[n as usize], &mut found));
        if self.catalog.as_ref().is_some_and(|catalog| !catalog.is_sound(&prefix.first())) {
            self.packs.iter().for_each(|pack| search(pack, &mut found));
        }
        let is_unreadable = |&n: &u32| self.packs[n as usize].table().is_err();
        if self.uncovered.iter().any(is_unreadable)
            && let Some(successor) = self.successor()
        {
            found.extend(successor.find(kind, prefix, limit));
        }
        found.into_iter().take(limit).collect()
    }

    pub(super) fn pack(&self, location: &Location) -> &Pack {
        &self.packs[location.pack as usize]
    }

    /// Whether the catalog does not cover a pack.
    pub(super) fn is_uncovered(&self, pack: usize) -> bool {
        self.uncovered.binary_search(&(pack as u32)).is_ok()
    }

    fn is_visible(&self, location: &Location) -> bool {
        !self.pack(location).is_hidden(location.record)
    }

    /// Whether a pack with this id is in the set.
    pub(super) fn has_pack(&self, id: PackId) -> bool {
        self.packs.iter().any(|pack| pack.id == id)
    }

    /// The pack with this id, which is in the set.
    pub(super) fn pack_named(&self, id: PackId) -> Result<&Pack> {
        let found = self.packs.iter().find(|pack| pack.id == id);
        found.ok_or_else(|| Error::new(ErrorKind::Internal, format!("pack `{id}` is not in the store")))
    }

    /// A pack file, opened again on first use, whether or not it is in the set.
    pub(super) fn pack_file(&self, id: PackId) -> Pack {
        Pack::new(&self.directory, id, self.mask.as_ref().and_then(|mask| mask.of(id)))
    }

    /// Positions of an object according to the catalog and to the packs outside it.
    pub(super) fn quick_locations(&self, kind: ObjectKind, id: ObjectId) -> impl Iterator<Item = Location> + '_ {
        let cataloged = self.catalog.iter().flat_map(move |catalog| catalog.find(kind, id));
        let cataloged = cataloged.filter(|location| self.is_visible(location));
        cataloged.chain(self.uncovered.iter().filter_map(move |&n| self.location_in(n, kind, id)))
    }

    /// Positions of an object according to the tables of all packs: slow, but independent of a damaged catalog.
    pub(super) fn all_locations(&self, kind: ObjectKind, id: ObjectId) -> impl Iterator<Item = Location> + '_ {
        let packs = if self.catalog.is_some() { 0..self.packs.len() as u32 } else { 0..0 };
        packs.filter_map(move |n| self.location_in(n, kind, id))
    }

    fn location_in(&self, n: u32, kind: ObjectKind, id: ObjectId) -> Option<Location> {
        let pack = &self.packs[n as usize];
        let table = pack.table().ok()?;
        let record = table.find(kind, id)?;
        (!pack.is_hidden(record as u32)).then(|| Location::new(n, &table, record))
    }

    /// The error for an object that was not found. Names a damaged pack, which may have held the object.
    pub(super) fn missing(&self, kind: ObjectKind, id: ObjectId) -> Error {
        let message = format!("{} `{id}` is missing", kind.word());
        match self.damage().into_iter().next() {
            Some(cause) => cause.context(message),
            None => Error::damaged(message).hint(OTHERS_ARE_WHOLE),
        }
    }

    /// Adds packs that are not in the set. Opens packs again that could not be read.
    fn include(&mut self, packs: &[PackId]) {
        let mut numbers: HashMap<PackId, usize> = self.packs.iter().enumerate().map(|(n, pack)| (pack.id, n)).collect();
        for &id in packs {
            let pack = self.pack_file(id);
            match numbers.get(&id) {
                Some(&n) if self.packs[n].check_footer().is_err() => self.packs[n] = pack,
                Some(_) => {}
                None => {
                    numbers.insert(id, self.packs.len());
                    self.packs.push(pack);
                }
            }
        }
    }

    /// Determines which packs the catalog covers. The tables of the others are read when they are searched.
    fn arrange(&mut self) {
        let numbers: HashMap<PackId, u32> = (0..).zip(&self.packs).map(|(n, pack)| (pack.id, n)).collect();
        let mut is_covered = vec![false; self.packs.len()];
        if let Some(catalog) = &mut self.catalog {
            catalog.number(|id| numbers.get(&id).copied());
            catalog.covered().filter_map(|(_, number)| number).for_each(|n| is_covered[n as usize] = true);
        }
        self.uncovered = (0..).zip(is_covered).filter(|(_, is_covered)| !is_covered).map(|(n, _)| n).collect();
        self.cache.clear();
    }

    /// Rewrites the catalog if that pays. On failure the tables of the packs are used instead.
    pub fn renew_catalog(&mut self) {
        if self.is_catalog_worthwhile() && self.write_catalog().is_ok() {
            self.catalog = Catalog::open(&self.directory);
            self.arrange();
        }
    }

    /// Removes a damaged catalog, and writes it again if that pays.
    pub fn replace_catalog(&mut self) -> Result<()> {
        self.catalog = None;
        fs::remove_file(&catalog::path_in(&self.directory))?;
        self.arrange();
        self.renew_catalog();
        Ok(())
    }

    /// Writes the catalog of all packs that can be read.
    pub(crate) fn write_catalog(&self) -> Result<()> {
        let readable: Vec<&Pack> = self.packs.iter().filter(|pack| pack.table().is_ok()).collect();
        catalog::build(&self.directory, &readable)
    }

    fn is_catalog_worthwhile(&self) -> bool {
        let tables = || self.uncovered.iter().filter_map(|&n| self.packs[n as usize].table().ok());
        let (packs, uncovered) = (tables().count() as u64, tables().map(|table| table.len() as u64).sum::<u64>());
        let (mut live, mut dead) = (0, 0);
        for (covered, number) in self.catalog.iter().flat_map(Catalog::covered) {
            if number.is_some() { live += covered.objects } else { dead += covered.objects }
        }
        // Reading so few tables takes less time than the catalog saves.
        if packs <= MANY_PACKS && live + uncovered < MANY_OBJECTS {
            return false;
        }
        // Rewriting costs time for all objects, so it pays only if enough of them are new or gone.
        if live + dead > LARGE_CATALOG {
            return uncovered + dead > live / 4;
        }
        uncovered + dead > live / 4 || (packs > MANY_PACKS && uncovered > live / 64) || packs > 4 * MANY_PACKS
    }
}

/// Maximum number of packs that are searched one by one without a catalog.
const MANY_PACKS: u64 = 16;

/// Maximum number of objects whose tables are read at every start.
const MANY_OBJECTS: u64 = 8192;

/// Number of objects above which a catalog, then of 75 MB, is rewritten only if a quarter of the objects is new or gone. So a
/// commit never rewrites it for a few objects.
const LARGE_CATALOG: u64 = 1 << 20;

/// Adds the first `limit` distinct ids of a sorted list.
fn take_distinct(ids: impl Iterator<Item = ObjectId>, limit: usize, found: &mut BTreeSet<ObjectId>) {
    let mut last = None;
    let distinct = ids.filter(|&id| last.replace(id) != Some(id));
    found.extend(distinct.take(limit));
}
