//! Objects that wait on disk until everything that they refer to is stored.

use std::fs::File;
use std::path::PathBuf;

use crate::codec::{Decoder, Encoder};
use crate::error::{Error, Result};
use crate::fs::{self, TempFile};
use crate::id::ObjectId;
use crate::object::ObjectKind;

/// Number of bytes in memory.
const BUFFER: usize = 1 << 20;

/// Objects in an unnamed file, in the order in which they were added.
pub struct Spool {
    /// The file is created next to this path.
    beside: PathBuf,
    file: Option<File>,
    /// Bytes in the file.
    written: u64,
    buffer: Vec<u8>,
}

/// kind u8 | id 32 | length u32
const HEAD: usize = 37;

impl Spool {
    /// Creates an empty spool, whose file is created next to a path if it is needed.
    pub fn new(beside: PathBuf) -> Spool {
        Spool { beside, file: None, written: 0, buffer: Vec::new() }
    }

    /// Adds an object.
    pub fn add(&mut self, kind: ObjectKind, id: ObjectId, bytes: &[u8]) -> Result<()> {
        let mut head = Encoder::new();
        head.u8(kind as u8).raw(&id.0).u32(bytes.len() as u32);
        self.buffer.extend_from_slice(head.as_slice());
        self.buffer.extend_from_slice(bytes);
        if self.buffer.len() < BUFFER {
            return Ok(());
        }
        let file = match &self.file {
            Some(file) => file,
            None => {
                let file = TempFile::beside(&self.beside)?.into_unnamed();
                self.file.insert(file.ok_or_else(|| Error::damaged("a new file was closed"))?)
            }
        };
        fs::write_all_at(file, &self.buffer, self.written)?;
        self.written += self.buffer.len() as u64;
        self.buffer.clear();
        Ok(())
    }

    /// Passes all objects to `each`, in the order in which they were added.
    pub fn replay(self, mut each: impl FnMut(ObjectKind, ObjectId, &[u8]) -> Result<()>) -> Result<()> {
        let invalid = || Error::damaged("invalid spool");
        let mut window = Window { bytes: Vec::new(), position: 0, end: self.written };
        if let Some(file) = &self.file {
            while window.position < window.end || !window.bytes.is_empty() {
                let used = decode(&window.bytes, &mut each)?;
                window.bytes.drain(..used);
                if !window.read(file)? {
                    break;
                }
            }
        }
        window.bytes.extend_from_slice(&self.buffer);
        let used = decode(&window.bytes, &mut each)?;
        if used == window.bytes.len() { Ok(()) } else { Err(invalid()) }
    }
}

/// The part of the file in memory.
struct Window {
    bytes: Vec<u8>,
    position: u64,
    end: u64,
}

impl Window {
    /// Reads more. Returns `false` at the end.
    fn read(&mut self, file: &File) -> Result<bool> {
        let length = (self.end - self.position).min(BUFFER as u64) as usize;
        let before = self.bytes.len();
        self.bytes.resize(before + length, 0);
        fs::read_exact_at(file, &mut self.bytes[before..], self.position)?;
        self.position += length as u64;
        Ok(length > 0)
    }
}

/// Passes the objects that are complete to `each`. Returns their length.
fn decode(bytes: &[u8], each: &mut impl FnMut(ObjectKind, ObjectId, &[u8]) -> Result<()>) -> Result<usize> {
    let mut used = 0;
    while let Some((head, body)) = bytes[used..].split_at_checked(HEAD) {
        let mut head = Decoder::new("spool", head);
        let kind = ObjectKind::from_byte(head.u8()?).ok_or_else(|| head.invalid("unknown kind"))?;
        let (id, length) = (ObjectId(head.array()?), head.u32()? as usize);
        let Some(object) = body.get(..length) else { break };
        each(kind, id, object)?;
        used += HEAD + length;
    }
    Ok(used)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn objects_come_back_in_order() {
        let directory = tempfile::tempdir().unwrap();
        let mut spool = Spool::new(directory.path().join("spool"));
        let object = |n: u32| vec![n as u8; (n as usize * 7919) % 300_000];
        for n in 0..100 {
            spool.add(ObjectKind::Tree, ObjectId([n as u8; 32]), &object(n)).unwrap();
        }
        let mut n = 0;
        spool
            .replay(|kind, id, bytes| {
                assert_eq!((kind, id, bytes), (ObjectKind::Tree, ObjectId([n as u8; 32]), &object(n)[..]));
                n += 1;
                Ok(())
            })
            .unwrap();
        assert_eq!(n, 100);
    }
}
