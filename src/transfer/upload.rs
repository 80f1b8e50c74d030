//! Sends objects: collects frames in packs and uploads several packs at the same time.
//!
//! Long uploads are recorded in steps. An interrupted one continues after the last step, because the target then has these objects.

use std::ops::AddAssign;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crate::error::{Error, ErrorKind, Result};
use crate::parallel;
use crate::progress::Task;
use crate::store::{ObjectSet, OutgoingFrame, OutgoingObject, Store};
use crate::target::{Change, Encoded, FrameObject, NewPack, PackBuilder, Record, Target, Uploader};

/// A step is recorded after this number of packs: 2 GiB.
const STEP_PACKS: usize = 64;

/// A step is recorded after this number of objects: their records take 40 MiB of memory.
const STEP_RECORDS: usize = 1 << 20;

/// A step is recorded after this time, so that an interruption costs little on a slow line.
const STEP_TIME: Duration = Duration::from_secs(30);

/// Maximum number of records in an entry of the log: 64 KiB.
const INLINE: usize = 1600;

/// Maximum number of records in all entries of the log since the last one that absorbs them: 640 KiB. Later entries repeat them.
const INLINE_TOGETHER: usize = 16 << 10;

/// Maximum size of a pack that has both the content of files and anything else: all that a small push sends. Readers read packs of
/// metadata whole up to this size, because a request costs as much time as these bytes.
pub const SMALL_PACK: usize = 128 << 10;

/// Packs that were uploaded and are not recorded yet.
#[derive(Default)]
pub struct Uploaded {
    packs: Vec<NewPack>,
    /// Where their objects are.
    records: Vec<Record>,
}

/// What an upload has sent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Totals {
    /// Number of objects.
    pub objects: u64,
    /// Number of bytes.
    pub bytes: u64,
    /// Number of packs.
    pub packs: u64,
}

impl Uploaded {
    /// Adds a pack and its records.
    pub fn add(&mut self, pack: NewPack, records: Vec<Record>) {
        self.packs.push(pack);
        self.records.extend(records);
    }

    /// Adds the records of packs that the target has.
    pub fn add_records(&mut self, records: Vec<Record>) {
        self.records.extend(records);
    }

    /// The packs, and where their objects are.
    pub fn into_parts(self) -> (Vec<NewPack>, Vec<Record>) {
        (self.packs, self.records)
    }

    /// Packs with the records of their objects.
    pub fn new(packs: Vec<(NewPack, Vec<Record>)>) -> Uploaded {
        let (packs, records): (Vec<_>, Vec<_>) = packs.into_iter().unzip();
        Uploaded { packs, records: records.into_iter().flatten().collect() }
    }

    /// Whether a step should be recorded.
    fn is_long(&self, since: Instant) -> bool {
        let is_late = !self.packs.is_empty() && since.elapsed() >= STEP_TIME;
        self.packs.len() >= STEP_PACKS || self.records.len() >= STEP_RECORDS || is_late
    }

    /// The change that records the packs. Uploads an index file if they have many objects.
    pub fn into_change(self, target: &Target) -> Result<Change> {
        let Uploaded { packs, mut records } = self;
        if records.len() <= INLINE && records.len() + target.state().records.len() <= INLINE_TOGETHER {
            return Ok(Change { packs, records, ..Change::default() });
        }
        let indexes = vec![target.put_index(&mut records)?];
        Ok(Change { packs, indexes, ..Change::default() })
    }

    /// What the packs have.
    pub fn totals(&self) -> Totals {
        let bytes = self.packs.iter().map(|pack| pack.size).sum();
        Totals { objects: self.records.len() as u64, bytes, packs: self.packs.len() as u64 }
    }
}

impl AddAssign for Totals {
    fn add_assign(&mut self, other: Totals) {
        self.objects += other.objects;
        self.bytes += other.bytes;
        self.packs += other.packs;
    }
}

/// Uploads objects of a store, over several connections. Records all steps but the last, which it returns. `task` counts the
/// bytes of frames. If it fails or is cancelled, what was uploaded so far is recorded.
pub fn upload(
    store: &Store,
    selected: &ObjectSet,
    target: &mut Target,
    connections: usize,
    task: &dyn Task,
) -> Result<(Uploaded, Totals)> {
    let uploader = target.uploader();
    let done = Mutex::new(Done::default());
    let mut totals = Totals::default();
    let sent = std::thread::scope(|scope| {
        let (send, receive) = sync_channel(0);
        let receive = Arc::new(Mutex::new(receive));
        for _ in 0..connections.max(1) {
            let (uploader, done, receive) = (&uploader, &done, receive.clone());
            parallel::start(scope, move || send_packs(uploader, &receive, done));
        }
        drop(receive);
        let mut packer = Packer::new(&uploader, send, target.state().number());
        let mut last_step = Instant::now();
        store.each_frame(selected, &mut |frame| {
            task.add(frame.bytes.len() as u64)?;
            packer.add(&frame)?;
            if lock(&done).uploaded.is_long(last_step) {
                totals += record_step(target, &done)?;
                packer.known = target.state().number();
                last_step = Instant::now();
            }
            lock(&done).failure.take().map_or(Ok(()), Err)
        })?;
        packer.finish()
    });
    let done = done.into_inner().unwrap_or_else(PoisonError::into_inner);
    match done.failure.map_or(sent, Err) {
        Ok(()) => {
            totals += done.uploaded.totals();
            Ok((done.uploaded, totals))
        }
        Err(error) => {
            // The error matters more than a step that could not be recorded.
            let _ = record(target, done.uploaded, done.since);
            Err(error)
        }
    }
}

/// What the connections have uploaded.
#[derive(Default)]
struct Done {
    uploaded: Uploaded,
    /// Number of the newest entry that was known before the first of these packs was uploaded.
    since: u64,
    /// The first error of a connection.
    failure: Option<Error>,
}

impl Done {
    fn add(&mut self, pack: NewPack, records: Vec<Record>, known: u64) {
        let is_first = self.uploaded.packs.is_empty();
        self.since = if is_first { known } else { self.since.min(known) };
        self.uploaded.add(pack, records);
    }

    fn take(&mut self) -> (Uploaded, u64) {
        (std::mem::take(&mut self.uploaded), self.since)
    }
}

/// A pack to upload, whether it has anything but the content of files, and the number of the newest entry that is known.
type Job<'k> = (PackBuilder<'k>, bool, u64);

/// Uploads packs until there are no more.
fn send_packs(uploader: &Uploader, jobs: &Mutex<Receiver<Job<'_>>>, done: &Mutex<Done>) {
    loop {
        let job = lock(jobs).recv();
        let Ok((pack, is_meta, known)) = job else { return };
        match uploader.put_pack(pack, is_meta) {
            Ok((pack, records)) => lock(done).add(pack, records, known),
            Err(error) => {
                lock(done).failure.get_or_insert(error);
                return;
            }
        }
    }
}

/// Records what was uploaded so far.
fn record_step(target: &mut Target, done: &Mutex<Done>) -> Result<Totals> {
    let (uploaded, since) = lock(done).take();
    let totals = uploaded.totals();
    record(target, uploaded, since)?;
    Ok(totals)
}

/// Appends an entry that adds the packs, if there are any. `since` is the number of an entry that was known before the first of them
/// was uploaded. If something was removed from the target after it, the packs are not recorded: a collector may have condemned and
/// deleted them, because no entry named them. Then the next push sends their objects again.
pub fn record(target: &mut Target, uploaded: Uploaded, since: u64) -> Result<()> {
    let change = uploaded.into_change(target)?;
    if !change.is_empty() {
        target.append(|target| Ok((target.state().last_removal <= since).then(|| change.clone())))?;
    }
    Ok(())
}

/// Collects frames in packs.
struct Packer<'k> {
    uploader: &'k Uploader,
    send: SyncSender<Job<'k>>,
    /// Number of the newest entry that is known.
    known: u64,
    data: PackBuilder<'k>,
    meta: PackBuilder<'k>,
}

impl<'k> Packer<'k> {
    fn new(uploader: &'k Uploader, send: SyncSender<Job<'k>>, known: u64) -> Packer<'k> {
        let pack = || uploader.new_pack();
        Packer { uploader, send, known, data: pack(), meta: pack() }
    }

    fn add(&mut self, frame: &OutgoingFrame<'_>) -> Result<()> {
        let pack = if frame.is_data { &mut self.data } else { &mut self.meta };
        if pack.is_full_for(frame.bytes.len(), frame.is_data) {
            let full = std::mem::replace(pack, self.uploader.new_pack());
            self.pass(full, !frame.is_data)?;
        }
        let keyring = self.uploader.keyring();
        let name = |object: &OutgoingObject| FrameObject {
            name: keyring.name(object.kind, object.id),
            offset: object.offset,
            length: object.length,
        };
        let objects = frame.objects.iter().map(name).collect();
        let encoded = Encoded { codec: frame.codec, raw: frame.raw, bytes: frame.bytes };
        if frame.is_data { &mut self.data } else { &mut self.meta }.push(&encoded, objects)
    }

    fn finish(mut self) -> Result<()> {
        let [mut data, meta] =
            [&mut self.data, &mut self.meta].map(|pack| std::mem::replace(pack, self.uploader.new_pack()));
        if !data.is_empty() && !meta.is_empty() && data.size() + meta.size() <= SMALL_PACK {
            data.append(meta);
            return self.pass(data, true);
        }
        self.pass(data, false)?;
        self.pass(meta, true)
    }

    /// Passes a pack to the next free connection.
    fn pass(&self, pack: PackBuilder<'k>, is_meta: bool) -> Result<()> {
        if pack.is_empty() {
            return Ok(());
        }
        // All connections have failed; the error of the first one is returned instead of this one.
        self.send
            .send((pack, is_meta, self.known))
            .map_err(|_| Error::new(ErrorKind::Internal, "no connection is left"))
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
