//! The bytes of a file while it is read once, from beginning to end; holes are told, not read.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use crate::error::{Error, Result};
use crate::fs::{self, ReadAhead, Stat};
use crate::id::{BlobId, ObjectId};
use crate::object::groups::{self, GROUP};
use crate::object::{Groups, ObjectKind};
use crate::parallel;
use crate::progress::Task;

/// A file being read.
pub struct Reading<'f> {
    from: Origin<'f>,
    /// What its size was when it was opened; it may be another one at the end.
    expected: u64,
    is_shared: bool,
    ahead: ReadAhead,
    /// Offset and length, ascending.
    holes: &'f [(u64, u64)],
    last: Option<BlobId>,
    position: u64,
    has_ended: bool,
    read: u64,
    failed: bool,
    task: &'f dyn Task,
}

/// All workers work on a file of this size or more.
const SHARED: u64 = 32 << 20;

/// Minimum number of bytes that one worker reads.
const LEAST_READ: usize = 1 << 20;

/// Where the bytes come from.
enum Origin<'f> {
    /// A file that can be read anywhere.
    File(&'f File),
    /// The same, of a copy of the file.
    Copy(File),
    /// What can be read only once, and its name for messages.
    Stream(&'f mut dyn Read, &'f str),
}

impl Origin<'_> {
    fn file(&self) -> Option<&File> {
        match self {
            Origin::File(file) => Some(file),
            Origin::Copy(file) => Some(file),
            Origin::Stream(..) => None,
        }
    }
}

/// What comes next in a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// So many bytes were put into the buffer, which may not be full: a long hole follows.
    Data(usize),
    /// A long hole, of so many zeros.
    Hole(u64),
    /// The end.
    End,
}

impl<'f> Reading<'f> {
    /// The file from its beginning. `expected` is its size, `holes` are its holes as offset and length.
    pub fn new(file: &'f File, expected: u64, holes: &'f [(u64, u64)], task: &'f dyn Task) -> Reading<'f> {
        Reading { is_shared: expected >= SHARED, holes, ..Reading::of(Origin::File(file), expected, task) }
    }

    /// A pipe, or anything else that comes as it comes; `name` is for messages.
    pub fn stream(stream: &'f mut dyn Read, name: &'f str, task: &'f dyn Task) -> Reading<'f> {
        Reading::of(Origin::Stream(stream, name), 0, task)
    }

    fn of(from: Origin<'f>, expected: u64, task: &'f dyn Task) -> Reading<'f> {
        Reading {
            from,
            expected,
            is_shared: false,
            ahead: ReadAhead::default(),
            holes: &[],
            last: None,
            position: 0,
            has_ended: false,
            read: 0,
            failed: false,
            task,
        }
    }

    /// Sets the content that the file had when it was last read.
    pub fn with_last(self, last: Option<BlobId>) -> Reading<'f> {
        Reading { last, ..self }
    }

    /// The file, if it is one that has no holes.
    pub fn plain_file(&self) -> Option<&'f File> {
        match self.from {
            Origin::File(file) if self.holes.is_empty() => Some(file),
            _ => None,
        }
    }

    /// What is read, if it is a file.
    pub fn file(&self) -> Option<&File> {
        self.from.file()
    }

    /// Reads a copy in place of the file, from its beginning.
    pub fn turn_to(&mut self, copy: File) {
        self.from = Origin::Copy(copy);
        (self.position, self.has_ended, self.ahead) = (0, false, ReadAhead::default());
        self.ask_ahead();
    }

    fn ask_ahead(&mut self) {
        // What is asked for in a hole would be zeros in memory.
        let end = self.holes.first().map_or(self.expected, |(start, _)| *start);
        if let Some(file) = self.from.file().filter(|_| self.is_shared) {
            self.ahead.reach(file, self.position, end);
        }
    }

    /// What it held when it was last read, if that is known. It says what to look for, and proves nothing.
    pub fn last(&self) -> Option<BlobId> {
        self.last
    }

    /// The size it is expected to have.
    pub fn expected(&self) -> u64 {
        self.expected
    }

    /// Whether all workers work on the file.
    pub fn is_shared(&self) -> bool {
        self.is_shared
    }

    /// How far it has been read: its size when the end was met.
    pub fn position(&self) -> u64 {
        self.position
    }

    /// Bytes that were really read.
    pub fn bytes_read(&self) -> u64 {
        self.read
    }

    /// Whether the last failure was the file's own, not that of who takes its bytes.
    pub fn failed(&self) -> bool {
        self.failed
    }

    /// Reads on until the buffer (which is not empty) is full, the file ends, or a hole of `long` bytes or more comes.
    /// Shorter holes are zeros in the buffer.
    pub fn next(&mut self, buffer: &mut [u8], long: u64) -> Result<Step> {
        let mut filled = 0;
        while filled < buffer.len() && !self.has_ended {
            let hole = self.holes.first().copied();
            let rest = &mut buffer[filled..];
            match hole {
                Some((start, length)) if start <= self.position => {
                    let left = start + length - self.position;
                    if length >= long {
                        if filled > 0 {
                            break;
                        }
                        self.pass(left);
                        self.check_length()?;
                        return Ok(Step::Hole(left));
                    }
                    let zeros = rest.len().min(usize::try_from(left).unwrap_or(usize::MAX));
                    rest[..zeros].fill(0);
                    filled += zeros;
                    self.pass(zeros as u64);
                }
                _ => {
                    let until = hole.map_or(u64::MAX, |(start, _)| start - self.position);
                    let wanted = rest.len().min(usize::try_from(until).unwrap_or(usize::MAX));
                    // If it ends here, that is the end, even if it was longer when its holes were looked for.
                    filled += self.read(&mut rest[..wanted])?;
                }
            }
        }
        Ok(if filled == 0 { Step::End } else { Step::Data(filled) })
    }

    fn read(&mut self, buffer: &mut [u8]) -> Result<usize> {
        let mut from_file = |file: &File| match self.is_shared {
            true => read_shared(file, buffer, self.position, self.expected),
            false => fs::read_to_end_at(file, buffer, self.position, self.expected),
        };
        let read = match &mut self.from {
            Origin::File(file) => from_file(file),
            Origin::Copy(file) => from_file(file),
            Origin::Stream(stream, name) => {
                fill(*stream, buffer).map_err(|cause| Error::io("read", Path::new(name), cause))
            }
        };
        let (length, has_ended) = read.inspect_err(|_| self.failed = true)?;
        self.has_ended = has_ended;
        self.read += length as u64;
        self.position += length as u64;
        self.task.add(length as u64)?;
        self.check_length()?;
        self.ask_ahead();
        Ok(length)
    }

    /// Fails once more was read than a blob may have.
    fn check_length(&mut self) -> Result<()> {
        if self.position <= groups::LONGEST {
            return Ok(());
        }
        self.failed = true;
        Err(match &self.from {
            Origin::Stream(_, name) => Error::io("read", Path::new(name), io::ErrorKind::FileTooLarge.into()),
            Origin::File(file) => fs::too_long(file),
            Origin::Copy(file) => fs::too_long(file),
        })
    }

    /// Steps over bytes of the first hole.
    fn pass(&mut self, length: u64) {
        self.position += length;
        let hole = self.holes[0];
        if hole.0 + hole.1 <= self.position {
            self.holes = &self.holes[1..];
        }
    }
}

/// Like [`fs::read_to_end_at`], on all workers.
fn read_shared(file: &File, buffer: &mut [u8], position: u64, expected: u64) -> Result<(usize, bool)> {
    let part = buffer.len().div_ceil(parallel::workers()).max(LEAST_READ);
    let reads = parallel::map(buffer.chunks_mut(part).enumerate(), |(number, bytes)| {
        let start = position + (number * part) as u64;
        Ok((bytes.len(), fs::read_to_end_at(file, bytes, start, expected)?))
    });
    let mut filled = 0;
    for read in reads {
        let (wanted, (length, has_ended)) = read?;
        filled += length;
        // If a part ends early, the file was truncated.
        if has_ended || length < wanted {
            return Ok((filled, true));
        }
    }
    Ok((filled, false))
}

/// Reads until the buffer is full or the stream ends; how many bytes, and whether it has ended.
fn fill(stream: &mut dyn Read, buffer: &mut [u8]) -> io::Result<(usize, bool)> {
    let mut filled = 0;
    while filled < buffer.len() {
        match stream.read(&mut buffer[filled..]) {
            Ok(0) => return Ok((filled, true)),
            Ok(length) => filled += length,
            Err(cause) if cause.kind() == io::ErrorKind::Interrupted => {}
            Err(cause) => return Err(cause),
        }
    }
    Ok((filled, false))
}

/// A file of no more bytes than this has no holes if it has as many blocks: file systems reserve few of them ahead.
const SHORT: u64 = 4096;

/// The holes of a file of this stat, as offset and length: what is between its data. Blocks tell little: there may be some
/// behind the end, which a file system has reserved for a file that grows.
pub fn holes(file: &File, stat: &Stat) -> Result<Vec<(u64, u64)>> {
    let mut holes = Vec::new();
    if stat.allocated >= stat.size && (stat.size <= SHORT || !fs::has_hole(file, stat.size)?) {
        return Ok(holes);
    }
    let mut end = 0;
    for (start, length) in fs::data_ranges(file, stat.size)? {
        if start > end {
            holes.push((end, start - end));
        }
        end = start + length;
    }
    if end < stat.size {
        holes.push((end, stat.size - end));
    }
    Ok(holes)
}

/// What is done with what a scan reads: hashed only, or stored too. One a thread.
pub trait Sink {
    /// Whether what it is not given must be in the store already.
    const STORES: bool;

    /// Reads a file to its end and gives its id.
    fn read(&mut self, reading: &mut Reading<'_>) -> Result<BlobId>;

    /// Offers an object that the store does not hold; what is given back stays in the scan's memory.
    fn object(&mut self, kind: ObjectKind, id: ObjectId, bytes: Vec<u8>) -> Result<Option<Vec<u8>>>;

    /// The thread has no more for it.
    fn finish(self) -> Result<()>;
}

/// Only hashes: for `status` and `diff`.
pub struct HashSink {
    buffer: Vec<u8>,
}

impl HashSink {
    /// Bytes read at once, of a file that two threads work on, and of another one.
    const LONG: usize = 4 * GROUP;
    const SHORT: usize = 256 << 10;

    /// One for a thread.
    pub fn new() -> HashSink {
        HashSink { buffer: vec![0; HashSink::SHORT] }
    }
}

impl Default for HashSink {
    fn default() -> HashSink {
        HashSink::new()
    }
}

impl Sink for HashSink {
    const STORES: bool = false;

    fn read(&mut self, reading: &mut Reading<'_>) -> Result<BlobId> {
        if reading.is_shared() && self.buffer.len() < HashSink::LONG {
            self.buffer = vec![0; HashSink::LONG];
        }
        let mut groups = Groups::new(reading.is_shared());
        loop {
            match reading.next(&mut self.buffer, HashSink::SHORT as u64)? {
                Step::Data(length) => groups.update(&self.buffer[..length]),
                Step::Hole(length) => groups.update_zeros(length, &|_| None),
                Step::End => return Ok(groups.finish().0),
            }
        }
    }

    fn object(&mut self, _: ObjectKind, _: ObjectId, bytes: Vec<u8>) -> Result<Option<Vec<u8>>> {
        Ok(Some(bytes))
    }

    fn finish(self) -> Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::io::{Seek, SeekFrom, Write};

    use super::*;
    use crate::progress::Silent;

    fn file_with(pieces: &[(u64, &[u8])], length: u64) -> File {
        let mut file = tempfile::tempfile().unwrap();
        for (offset, bytes) in pieces {
            file.seek(SeekFrom::Start(*offset)).unwrap();
            file.write_all(bytes).unwrap();
        }
        file.set_len(length).unwrap();
        file
    }

    #[test]
    fn long_holes_are_told_and_short_ones_are_zeros() {
        let file = file_with(&[(0, b"abc"), (10, b"xyz")], 1000);
        let mut reading = Reading::new(&file, 1000, &[(3, 7), (13, 987)], &Silent);
        let mut buffer = [1; 64];
        assert_eq!(reading.next(&mut buffer, 100).unwrap(), Step::Data(13));
        assert_eq!(&buffer[..13], b"abc\0\0\0\0\0\0\0xyz");
        assert_eq!(reading.next(&mut buffer, 100).unwrap(), Step::Hole(987));
        assert_eq!(reading.next(&mut buffer, 100).unwrap(), Step::End);
        assert_eq!((reading.position(), reading.bytes_read()), (1000, 6));
    }

    /// Before anything is made of it: a list of its groups alone would take all memory.
    #[test]
    fn what_is_longer_than_any_blob_cannot_be_read() {
        let file = file_with(&[(0, b"abc")], 3);
        let mut reading = Reading::new(&file, 1 << 60, &[(3, 1 << 60)], &Silent);
        let mut buffer = [1; 64];
        assert_eq!(reading.next(&mut buffer, 100).unwrap(), Step::Data(3));
        assert_eq!(reading.next(&mut buffer, 100).unwrap_err().io_cause().unwrap().raw_os_error(), Some(27));
        assert!(reading.failed());
        let mut stream = io::repeat(0);
        let mut reading = Reading::stream(&mut stream, "stdin", &Silent);
        reading.position = groups::LONGEST - 64;
        assert_eq!(reading.next(&mut buffer, 100).unwrap(), Step::Data(64));
        let error = reading.next(&mut buffer, 100).unwrap_err();
        assert_eq!(error.to_string(), "cannot read `stdin`: file too large");
    }

    #[test]
    fn a_file_that_lost_its_end_ends_where_it_ends() {
        let file = file_with(&[(0, b"abc")], 3);
        let mut reading = Reading::new(&file, 1000, &[(500, 500)], &Silent);
        let mut buffer = [0; 64];
        assert_eq!(reading.next(&mut buffer, 100).unwrap(), Step::Data(3));
        assert_eq!(reading.next(&mut buffer, 100).unwrap(), Step::End);
    }

    #[test]
    fn a_stream_that_comes_in_pieces_is_read_to_its_end() {
        let mut stream = b"ab".chain(&b"cde"[..]).chain(&b""[..]);
        let mut reading = Reading::stream(&mut stream, "stdin", &Silent);
        let mut buffer = [0; 4];
        assert_eq!(reading.next(&mut buffer, 100).unwrap(), Step::Data(4));
        assert_eq!(&buffer, b"abcd");
        assert_eq!(reading.next(&mut buffer, 100).unwrap(), Step::Data(1));
        assert_eq!(reading.next(&mut buffer, 100).unwrap(), Step::End);
        assert_eq!(reading.position(), 5);
    }

    #[test]
    fn holes_or_not_the_hash_is_that_of_all_bytes() {
        let file = file_with(&[(0, b"abc"), (2_000_000, b"end")], 3_000_000);
        let holes = [(3, 1_999_997), (2_000_003, 999_997)];
        let with = HashSink::new().read(&mut Reading::new(&file, 3_000_000, &holes, &Silent)).unwrap();
        let without = HashSink::new().read(&mut Reading::new(&file, 3_000_000, &[], &Silent)).unwrap();
        assert_eq!(with, without);
    }
}
