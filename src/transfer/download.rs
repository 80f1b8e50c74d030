//! Downloads objects: reads the frames that have them, several parts of packs at the same time.

use std::collections::BTreeSet;
use std::ops::Range;
use std::sync::Arc;

use crate::error::{Error, ErrorKind, Result};
use crate::id::ObjectId;
use crate::object::{ObjectKind, id_of};
use crate::parallel;
use crate::progress::Task;
use crate::store::FrameDecoder;
use crate::target::{Encoded, FileName, Frames, Pack, Record, Target, encoded_frame};

/// Maximum number of bytes of one request, unless a frame is longer.
const LONGEST: u64 = 8 << 20;

/// Frames are read with the bytes between them if those are fewer: a request costs as much time as these bytes.
const GAP: u64 = 256 << 10;

/// An object to download.
#[derive(Clone, Copy, Debug)]
pub struct Wanted {
    /// Kind of the object.
    pub kind: ObjectKind,
    /// Id of the object.
    pub id: ObjectId,
    /// Where the object is.
    pub record: Record,
    /// Whether the object is the whole content of a file that will be checked out.
    pub is_file: bool,
}

/// A part of a pack, with the objects to take from it.
struct Part<'w> {
    name: FileName,
    pack: Pack,
    range: Range<u64>,
    wanted: &'w [Wanted],
}

/// An object that cannot be downloaded.
pub fn missing(kind: ObjectKind, id: ObjectId) -> Error {
    Error::damaged(format!("the target does not have {} `{id}`", kind.word()))
}

/// Finds an object. [`ErrorKind::Damaged`] if the target does not have it.
pub fn find(target: &Target, kind: ObjectKind, id: ObjectId) -> Result<Wanted> {
    let record = target.find(target.keyring().name(kind, id))?.ok_or_else(|| missing(kind, id))?;
    Ok(Wanted { kind, id, record, is_file: false })
}

/// Downloads objects, in any order, and passes their verified bytes to `each`. `init` makes the state of one connection. `task`
/// counts the bytes of frames. Sorts `wanted`.
pub fn download<S, T: Send>(
    target: &Target,
    wanted: &mut [Wanted],
    connections: usize,
    task: &dyn Task,
    init: impl Fn() -> S + Sync,
    each: impl Fn(&mut S, &Wanted, &[u8]) -> Result<T> + Sync,
) -> Result<Vec<T>> {
    let frames = download_frames(target, wanted, connections, task, init, |state, frame| {
        frame.wanted.iter().map(|wanted| each(state, wanted, wanted.object_in(frame.raw)?)).collect::<Result<Vec<T>>>()
    })?;
    Ok(frames.into_iter().flatten().collect())
}

/// The objects to take from one frame.
pub struct WantedFrame<'f> {
    /// The objects.
    pub wanted: &'f [Wanted],
    /// The frame as it is in the target.
    pub encoded: Encoded<'f>,
    /// The decoded frame.
    pub raw: &'f [u8],
}

impl WantedFrame<'_> {
    /// Whether nothing else is in the frame.
    pub fn is_whole(&self) -> bool {
        let wanted: usize = self.wanted.iter().map(|wanted| wanted.record.object.length as usize).sum();
        wanted == self.raw.len()
    }
}

/// Like [`download`]; passes frames, whose objects `each` must verify.
pub fn download_frames<S, T: Send>(
    target: &Target,
    wanted: &mut [Wanted],
    connections: usize,
    task: &dyn Task,
    init: impl Fn() -> S + Sync,
    each: impl Fn(&mut S, &WantedFrame<'_>) -> Result<T> + Sync,
) -> Result<Vec<T>> {
    let parts = parts(target, wanted)?;
    let init = || (init(), FrameDecoder::default());
    let results = parallel::try_map_on(connections, parts.into_iter(), init, |(state, decoder), part| {
        read_part(target, &part, decoder, task, |frame| each(state, frame))
    })?;
    Ok(results.into_iter().flatten().collect())
}

/// Divides objects into parts of packs.
fn parts<'w>(target: &Target, wanted: &'w mut [Wanted]) -> Result<Vec<Part<'w>>> {
    wanted.sort_unstable_by_key(|wanted| (wanted.record.pack, wanted.record.frame, wanted.record.object.offset));
    let mut parts: Vec<Part<'w>> = Vec::new();
    let end_of = |wanted: &Wanted| u64::from(wanted.record.frame) + u64::from(wanted.record.length);
    for of_pack in wanted.chunk_by(|a, b| a.record.pack == b.record.pack) {
        let (name, pack) = target.pack(of_pack[0].record.pack)?;
        let mut first = 0;
        for n in 1..=of_pack.len() {
            let start = u64::from(of_pack[first].record.frame);
            let end = end_of(&of_pack[n - 1]);
            let continues = of_pack.get(n).is_some_and(|next| {
                let is_same = next.record.frame == of_pack[n - 1].record.frame;
                is_same || u64::from(next.record.frame) <= end + GAP && end_of(next) - start <= LONGEST
            });
            if !continues {
                parts.push(Part { name, pack, range: start..end, wanted: &of_pack[first..n] });
                first = n;
            }
        }
    }
    Ok(parts)
}

/// A decoded frame.
pub struct Frame {
    /// First bytes of the name of its pack, and its offset there.
    pub key: (u64, u32),
    /// The decoded bytes.
    pub bytes: Arc<Vec<u8>>,
}

/// Downloads the frames of objects. Sorts `wanted`.
pub fn frames(target: &Target, wanted: &mut [Wanted], connections: usize, task: &dyn Task) -> Result<Vec<Frame>> {
    download_frames(
        target,
        wanted,
        connections,
        task,
        || (),
        |(), frame| {
            let Record { pack, frame: offset, .. } = frame.wanted[0].record;
            Ok(Frame { key: (pack, offset), bytes: Arc::new(frame.raw.to_vec()) })
        },
    )
}

/// Opens and decodes the frame of a record.
pub fn decode<'d>(
    target: &Target,
    frames: &Frames,
    record: &Record,
    decoder: &'d mut FrameDecoder,
) -> Result<&'d [u8]> {
    let plain = target.open_frame(frames, record)?;
    let frame = encoded_frame(&plain)?;
    decoder.decode(frame.codec, frame.raw, frame.bytes)
}

/// Downloads all frames of packs, each with one request.
pub fn whole_packs(target: &Target, packs: &BTreeSet<u64>, connections: usize) -> Result<Vec<Frame>> {
    let read = |decoder: &mut FrameDecoder, pack: u64| {
        let (name, pack) = target.pack(pack)?;
        let (frames, records) = target.read_table(name, pack)?;
        let of_frame = records.values().filter_map(|records| records.first());
        let decode = |record: &Record| {
            let bytes = decode(target, &frames, record, decoder)?.to_vec();
            Ok(Frame { key: (record.pack, record.frame), bytes: Arc::new(bytes) })
        };
        of_frame.map(decode).collect::<Result<Vec<Frame>>>()
    };
    Ok(parallel::try_map_on(connections, packs.iter().copied(), FrameDecoder::default, read)?
        .into_iter()
        .flatten()
        .collect())
}

/// Reads a part, and passes each frame on.
fn read_part<T>(
    target: &Target,
    part: &Part<'_>,
    decoder: &mut FrameDecoder,
    task: &dyn Task,
    mut each: impl FnMut(&WantedFrame<'_>) -> Result<T>,
) -> Result<Vec<T>> {
    let frames = target.read_frames(part.name, part.pack, part.range.clone())?;
    let mut results = Vec::new();
    for of_frame in part.wanted.chunk_by(|a, b| a.record.frame == b.record.frame) {
        let plain = target.open_frame(&frames, &of_frame[0].record)?;
        let encoded = encoded_frame(&plain)?;
        let decoded = decoder.decode(encoded.codec, encoded.raw, encoded.bytes);
        let raw = decoded.map_err(|error| {
            error.context(format_args!("pack `{}` of the target", part.name.pack_key(part.pack.is_meta)))
        })?;
        task.add(of_frame[0].record.length.into())?;
        results.push(each(&WantedFrame { wanted: of_frame, encoded, raw })?);
    }
    Ok(results)
}

impl Wanted {
    /// The verified bytes of the object in its decoded frame.
    pub fn object_in<'f>(&self, frame: &'f [u8]) -> Result<&'f [u8]> {
        let bytes = self.record.object.bytes_in(frame).ok_or_else(|| missing(self.kind, self.id))?;
        // A layout has the id of its blob, and is verified when the blob is read.
        if self.kind != ObjectKind::Layout && id_of(self.kind, bytes) != self.id {
            let (kind, id, pack) = (self.kind.word(), self.id, self.record.pack);
            let message = format!("{kind} `{id}` in pack `{pack:016x}…` of the target does not match its id");
            return Err(Error::new(ErrorKind::Damaged, message));
        }
        Ok(bytes)
    }
}
