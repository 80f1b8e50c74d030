//! Writes objects of packs to new packs: sealed frames as they are if everything in them is needed, others and short ones decoded
//! and put together.

use crate::error::{Error, ErrorKind, Result};
use crate::object::{ObjectKind, id_of};
use crate::store::{Compression, FrameDecoder, FrameEncoder};
use crate::target::{Encoded, FileName, FrameObject, Frames, Pack, PackBuilder, Record, Target, Uploader, by_frame};

use super::download::decode;
use super::upload::Uploaded;

/// Packs are written once and read seldom, so they are compressed better than by a commit.
const COMPRESSION: Compression = Compression::Zstd(6);

/// Size of a new frame. As in the store: metadata is read in small parts.
fn frame_size(is_meta: bool) -> usize {
    if is_meta { 64 << 10 } else { 256 << 10 }
}

/// New packs.
pub struct Repacker<'t> {
    target: &'t Target,
    uploader: &'t Uploader,
    encoder: FrameEncoder,
    decoder: FrameDecoder,
    data: NewPacks<'t>,
    meta: NewPacks<'t>,
    uploaded: Uploaded,
}

/// The pack and the frame that are being filled.
struct NewPacks<'t> {
    pack: PackBuilder<'t>,
    raw: Vec<u8>,
    objects: Vec<FrameObject>,
}

impl<'t> Repacker<'t> {
    /// Creates packs in a target.
    pub fn new(target: &'t Target, uploader: &'t Uploader) -> Repacker<'t> {
        let packs = || NewPacks { pack: uploader.new_pack(), raw: Vec::new(), objects: Vec::new() };
        let (encoder, decoder) = (FrameEncoder::new(COMPRESSION), FrameDecoder::default());
        Repacker { target, uploader, encoder, decoder, data: packs(), meta: packs(), uploaded: Uploaded::default() }
    }

    /// Adds the objects of a pack that `is_needed`; if that fails, the pack must stay in use. Fails with
    /// [`crate::error::ErrorKind::Damaged`] if the pack is damaged.
    pub fn add_pack(&mut self, name: FileName, pack: Pack, is_needed: impl Fn(&Record) -> Result<bool>) -> Result<()> {
        let (frames, tables) = self.target.read_table(name, pack)?;
        for records in tables.values() {
            let mut needed = Vec::with_capacity(records.len());
            for record in records {
                if is_needed(record)? {
                    needed.push(*record);
                }
            }
            let Some(first) = needed.first() else { continue };
            let is_whole = needed.len() == records.len();
            let is_copied = is_whole && first.length as usize >= frame_size(pack.is_meta) / 4;
            let (mut decoded, mut is_meta) = (Vec::new(), pack.is_meta);
            if !is_copied || pack.is_meta {
                decoded.extend_from_slice(decode(self.target, &frames, first, &mut self.decoder)?);
                is_meta &= !self.is_content(first.object, object_in(&decoded, first.object)?);
            }
            if is_copied {
                let sealed = frames.sealed(first)?;
                let objects = needed.iter().map(|record| record.object).collect();
                self.make_room(is_meta, sealed.len())?;
                self.packs(is_meta).pack.push_sealed(sealed, objects);
                continue;
            }
            for Record { object, .. } in needed {
                self.add_object(is_meta, object, object_in(&decoded, object)?)?;
            }
        }
        Ok(())
    }

    /// Whether an object is the content of a file: the pack of a small push has everything, and is divided here.
    fn is_content(&self, object: FrameObject, bytes: &[u8]) -> bool {
        let id = id_of(ObjectKind::Data, bytes);
        self.target.keyring().name(ObjectKind::Data, id) == object.name
    }

    /// Adds the objects of a damaged pack that can still be read. `records` are those of the pack. Returns the number of objects.
    pub fn salvage(&mut self, is_meta: bool, frames: &Frames, records: Vec<Record>) -> Result<u64> {
        let mut count = 0;
        for of_frame in by_frame(records).into_values() {
            let decoded = match decode(self.target, frames, &of_frame[0], &mut self.decoder) {
                Err(error) if error.kind() == ErrorKind::Damaged => continue,
                decoded => decoded?.to_vec(),
            };
            for Record { object, .. } in of_frame {
                let bytes = object_in(&decoded, object)?;
                self.add_object(is_meta && !self.is_content(object, bytes), object, bytes)?;
                count += 1;
            }
        }
        Ok(count)
    }

    /// Uploads the last packs. Returns everything that was uploaded.
    pub fn finish(mut self) -> Result<Uploaded> {
        for is_meta in [false, true] {
            self.write_frame(is_meta)?;
            self.upload(is_meta)?;
        }
        Ok(self.uploaded)
    }

    fn packs(&mut self, is_meta: bool) -> &mut NewPacks<'t> {
        if is_meta { &mut self.meta } else { &mut self.data }
    }

    fn add_object(&mut self, is_meta: bool, object: FrameObject, bytes: &[u8]) -> Result<()> {
        if self.packs(is_meta).raw.len() + bytes.len() > frame_size(is_meta) {
            self.write_frame(is_meta)?;
        }
        let packs = self.packs(is_meta);
        packs.objects.push(FrameObject { offset: packs.raw.len() as u32, ..object });
        packs.raw.extend_from_slice(bytes);
        Ok(())
    }

    fn write_frame(&mut self, is_meta: bool) -> Result<()> {
        let packs = self.packs(is_meta);
        if packs.objects.is_empty() {
            return Ok(());
        }
        let (raw, objects) = (std::mem::take(&mut packs.raw), std::mem::take(&mut packs.objects));
        self.make_room(is_meta, raw.len())?;
        let (codec, bytes) = self.encoder.encode(&raw)?;
        let packs = if is_meta { &mut self.meta } else { &mut self.data };
        packs.pack.push(&Encoded { codec, raw: raw.len() as u32, bytes }, objects)
    }

    /// Uploads the pack if a frame of this length does not fit.
    fn make_room(&mut self, is_meta: bool, length: usize) -> Result<()> {
        if self.packs(is_meta).pack.is_full_for(length, !is_meta) { self.upload(is_meta) } else { Ok(()) }
    }

    fn upload(&mut self, is_meta: bool) -> Result<()> {
        let new = self.uploader.new_pack();
        let pack = std::mem::replace(&mut self.packs(is_meta).pack, new);
        if !pack.is_empty() {
            let (pack, records) = self.uploader.put_pack(pack, is_meta)?;
            self.uploaded.add(pack, records);
        }
        Ok(())
    }
}

fn object_in(frame: &[u8], object: FrameObject) -> Result<&[u8]> {
    object.bytes_in(frame).ok_or_else(|| Error::damaged("an object lies outside its frame"))
}
