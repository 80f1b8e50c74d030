//! A model of pushing, collecting and reading at the same time: every interleaving of two
//! pushers and a collector, and of a pusher and two collectors, with a kill at every request.
//!
//! A step is one request to the storage, which is atomic. In every state, everything that a recorded commit needs must be in a
//! file that exists, and a reader who reads the log then must find it there.

use std::collections::{BTreeSet, HashSet};

type Object = u8;

/// A pack: its number is its name, which never returns.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
struct Pack {
    name: u8,
    objects: BTreeSet<Object>,
}

/// An entry of the log.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
struct Entry {
    added: Vec<Pack>,
    condemned: BTreeSet<u8>,
    /// What new commits need.
    needs: BTreeSet<Object>,
    /// Whether a day has passed since.
    is_old: bool,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
struct Storage {
    log: Vec<Entry>,
    files: BTreeSet<u8>,
    /// Name of the next pack.
    next: u8,
}

/// What a reader of the log knows.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
struct View {
    entries: usize,
    live: BTreeSet<Pack>,
    needs: BTreeSet<Object>,
}

impl Storage {
    /// Only the first commit, which was forgotten, needed object 0: its pack is garbage that pushers can still rely on.
    fn new() -> Storage {
        let pack = |name, objects: &[Object]| Pack { name, objects: objects.iter().copied().collect() };
        let first = Entry { added: vec![pack(0, &[0]), pack(1, &[1])], needs: BTreeSet::from([1]), ..Entry::default() };
        Storage { log: vec![first], files: BTreeSet::from([0, 1]), next: 2 }
    }

    fn read(&self) -> View {
        let mut view = View { entries: self.log.len(), ..View::default() };
        for entry in &self.log {
            view.live.extend(entry.added.iter().cloned());
            view.live.retain(|pack| !entry.condemned.contains(&pack.name));
            view.needs.extend(&entry.needs);
        }
        view
    }

    fn put(&mut self, objects: BTreeSet<Object>) -> Pack {
        let pack = Pack { name: self.next, objects };
        self.next += 1;
        self.files.insert(pack.name);
        pack
    }

    /// Creates the entry after those that a view has seen. `false` if there is one.
    fn append(&mut self, view: &View, entry: Entry) -> bool {
        let is_next = self.log.len() == view.entries;
        if is_next {
            self.log.push(entry);
        }
        is_next
    }

    /// What every state must satisfy.
    fn check(&self) -> Result<(), String> {
        let view = self.read();
        for object in &view.needs {
            let is_there = |pack: &&Pack| pack.objects.contains(object) && self.files.contains(&pack.name);
            if view.live.iter().find(is_there).is_none() {
                return Err(format!("object {object} is lost: {self:?}"));
            }
        }
        Ok(())
    }
}

/// A process between two requests.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
enum Process {
    /// Pushes a commit that needs object 0 and this one.
    PusherReads(Object),
    PusherSends(Object, View),
    PusherAppends(Object, View, Option<Pack>),
    CollectorReads,
    /// Writes the needed rest of these packs to a new one.
    CollectorRewrites(View, BTreeSet<u8>, BTreeSet<Object>),
    CollectorAppends(View, BTreeSet<u8>, Option<Pack>),
    CollectorRereads,
    CollectorDeletes(BTreeSet<u8>),
    Done,
}

/// A mistake to plant in a process, so that the model is known to find it.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Mistake {
    None,
    /// A refused pusher appends the same entry after the one that it has not read.
    KeepsPlan,
    /// A refused collector appends the same entry.
    CondemnsBlindly,
    /// A pusher relies on packs that were condemned.
    TrustsCondemned,
}

use Process::*;

/// The storage and the process after its next request.
fn step(storage: &Storage, process: &Process, mistake: Mistake) -> (Storage, Process) {
    let mut storage = storage.clone();
    let next = match process.clone() {
        PusherReads(object) => PusherSends(object, storage.read()),
        PusherSends(object, view) => {
            let known: BTreeSet<Object> = match mistake == Mistake::TrustsCondemned {
                true => {
                    storage.log.iter().flat_map(|entry| &entry.added).flat_map(|pack| pack.objects.clone()).collect()
                }
                false => view.live.iter().flat_map(|pack| pack.objects.clone()).collect(),
            };
            let missing: BTreeSet<Object> = BTreeSet::from([0, object]).difference(&known).copied().collect();
            let pack = (!missing.is_empty()).then(|| storage.put(missing));
            PusherAppends(object, view, pack)
        }
        PusherAppends(object, view, pack) => {
            let entry =
                Entry { added: pack.iter().cloned().collect(), needs: BTreeSet::from([0, object]), ..Entry::default() };
            match storage.append(&view, entry) {
                true => Done,
                false if mistake == Mistake::KeepsPlan => {
                    PusherAppends(object, View { entries: storage.log.len(), ..view }, pack)
                }
                false => PusherReads(object),
            }
        }
        CollectorReads => {
            let view = storage.read();
            let is_waste = |pack: &&Pack| !pack.objects.is_subset(&view.needs);
            let waste: Vec<&Pack> = view.live.iter().filter(is_waste).collect();
            let rest = waste.iter().flat_map(|pack| &pack.objects).filter(|object| view.needs.contains(object));
            let rest = rest.copied().collect();
            let known: BTreeSet<u8> = storage.log.iter().flat_map(|entry| &entry.added).map(|pack| pack.name).collect();
            let orphans = storage.files.difference(&known).copied();
            let condemned = waste.iter().map(|pack| pack.name).chain(orphans).collect();
            CollectorRewrites(view, condemned, rest)
        }
        CollectorRewrites(view, condemned, rest) => {
            let pack = (!rest.is_empty()).then(|| storage.put(rest));
            CollectorAppends(view, condemned, pack)
        }
        CollectorAppends(view, condemned, pack) => {
            let entry =
                Entry { added: pack.iter().cloned().collect(), condemned: condemned.clone(), ..Entry::default() };
            match storage.append(&view, entry) {
                true => CollectorRereads,
                false if mistake == Mistake::CondemnsBlindly => {
                    CollectorAppends(View { entries: storage.log.len(), ..view }, condemned, pack)
                }
                false => CollectorReads,
            }
        }
        CollectorRereads => {
            let old = storage.log.iter().filter(|entry| entry.is_old);
            CollectorDeletes(old.flat_map(|entry| entry.condemned.clone()).collect())
        }
        CollectorDeletes(names) => {
            storage.files.retain(|name| !names.contains(name));
            Done
        }
        Done => Done,
    };
    (storage, next)
}

/// Visits every state that these processes can reach. Returns their number, or what is wrong with one.
fn explore(processes: Vec<Process>, mistake: Mistake) -> Result<usize, String> {
    let first = (Storage::new(), processes);
    let mut seen = HashSet::from([first.clone()]);
    let mut pending = vec![first];
    while let Some((storage, processes)) = pending.pop() {
        storage.check()?;
        let mut visit = |state: (Storage, Vec<Process>)| {
            if seen.insert(state.clone()) {
                pending.push(state);
            }
        };
        for (n, process) in processes.iter().enumerate() {
            let (after, next) = step(&storage, process, mistake);
            let mut others = processes.clone();
            others[n] = next;
            visit((after, others));
            // A killed process does nothing more.
            let mut others = processes.clone();
            others[n] = Done;
            visit((storage.clone(), others));
        }
        // A day passes.
        let mut later = storage.clone();
        later.log.iter_mut().for_each(|entry| entry.is_old = true);
        visit((later, processes));
    }
    Ok(seen.len())
}

#[test]
fn no_interleaving_loses_anything() {
    for (processes, expected) in [
        (vec![PusherReads(2), PusherReads(3), CollectorReads], 3000),
        (vec![PusherReads(2), CollectorReads, CollectorReads], 3000),
    ] {
        let states = explore(processes, Mistake::None).unwrap();
        assert!(states > expected, "{states}");
    }
}

#[test]
fn the_model_finds_mistakes() {
    for mistake in [Mistake::KeepsPlan, Mistake::CondemnsBlindly, Mistake::TrustsCondemned] {
        let processes = vec![PusherReads(2), CollectorReads, CollectorReads];
        assert!(explore(processes, mistake).is_err());
    }
}
