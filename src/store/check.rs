//! Checking a pack from the first byte to the last, for `verify`.

use super::compress::Decoder;
use super::merge::read_checked_frame;
use super::pack::{Pack, Record, format};
use super::set::Store;
use crate::error::Result;
use crate::id::PackId;
use crate::object::{ObjectKind, id_of};

impl Store {
    /// Reads a pack anew and checks all of it: header, footer, table, each frame and the id of each object.
    /// [`crate::error::ErrorKind::Damaged`] with the first thing that is wrong; the message names the file.
    pub fn check_pack(&self, id: PackId) -> Result<()> {
        // Not the one that is open: that may be a file which is no longer there.
        let pack = Pack::new(&self.directory, id);
        let table = pack.table()?;
        if !pack.bytes()?.starts_with(&format::encode_header()) {
            return Err(pack.damaged("invalid header"));
        }
        let mut records: Vec<Record> = table.records().collect();
        records.sort_unstable_by_key(|record| record.frame);
        let (mut decoder, mut stored, mut raw) = (Decoder::default(), Vec::new(), Vec::new());
        let mut rest = &records[..];
        for n in 0..table.frame_count() {
            let frame = table.frame(n);
            read_checked_frame(&pack, &frame, &mut stored)?;
            decoder.decode(frame.codec, &stored, frame.raw as usize, &mut raw).map_err(|error| pack.damaged(error))?;
            let (these, others) = rest.split_at(rest.partition_point(|record| record.frame == n));
            these.iter().try_for_each(|record| check_object(&pack, record, &raw))?;
            rest = others;
        }
        Ok(())
    }
}

/// A layout is proven with its blob, not here.
fn check_object(pack: &Pack, record: &Record, raw: &[u8]) -> Result<()> {
    let bytes = &raw[record.offset as usize..][..record.length as usize];
    if record.kind == ObjectKind::Layout || id_of(record.kind, bytes) == record.id {
        return Ok(());
    }
    Err(pack.damaged(format_args!("{} `{}` is not what it was", record.kind.word(), record.id)))
}
