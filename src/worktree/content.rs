//! Reads the content of a file once, from beginning to end. Holes are reported, not read.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use crate::error::{Error, Result};
use crate::fs::{self, ReadAhead, Stat};
use crate::id::BlobId;
use crate::object::groups;
use crate::parallel;
use crate::progress::Task;

/// A file being read.
pub struct Reading<'f> {
    source: Source<'f>,
    /// Size when the file was opened. The file may change while it is read.
    expected: u64,
    is_shared: bool,
    ahead: ReadAhead,
    /// Offsets and lengths, ascending.
    holes: &'f [(u64, u64)],
    last: Option<BlobId>,
    prefix: Option<BlobId>,
    stored_prefix: Option<(BlobId, u64)>,
    pub(super) position: u64,
    has_ended: bool,
    read: u64,
    failed: bool,
    task: &'f dyn Task,
}

/// All workers work on a file of this size or more.
const SHARED: u64 = 32 << 20;

/// Minimum number of bytes that one worker reads.
const LEAST_READ: usize = 1 << 20;

/// Where bytes are read from.
enum Source<'f> {
    /// A file, read at any offset.
    File(&'f File),
    /// A copy of the file.
    Copy(File),
    /// A pipe or other stream, and its name for messages.
    Stream(&'f mut dyn Read, &'f str),
}

impl Source<'_> {
    fn file(&self) -> Option<&File> {
        match self {
            Source::File(file) => Some(file),
            Source::Copy(file) => Some(file),
            Source::Stream(..) => None,
        }
    }
}

/// The next part of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// The buffer has this many bytes. It may not be full if a long hole follows.
    Data(usize),
    /// A long hole of this many bytes.
    Hole(u64),
    /// The end of the file.
    End,
}

impl<'f> Reading<'f> {
    /// Reads a file of size `expected`, with these holes (offset and length).
    pub fn new(file: &'f File, expected: u64, holes: &'f [(u64, u64)], task: &'f dyn Task) -> Reading<'f> {
        Reading { is_shared: expected >= SHARED, holes, ..Reading::of(Source::File(file), expected, task) }
    }

    /// Reads a pipe or other stream; `name` is for messages.
    pub fn stream(stream: &'f mut dyn Read, name: &'f str, task: &'f dyn Task) -> Reading<'f> {
        Reading::of(Source::Stream(stream, name), 0, task)
    }

    fn of(source: Source<'f>, expected: u64, task: &'f dyn Task) -> Reading<'f> {
        Reading {
            source,
            expected,
            is_shared: false,
            ahead: ReadAhead::default(),
            holes: &[],
            last: None,
            prefix: None,
            stored_prefix: None,
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

    /// Sets the content of the beginning of the file, which an earlier reading stored before it was interrupted.
    pub fn with_prefix(self, prefix: Option<BlobId>) -> Reading<'f> {
        Reading { prefix, ..self }
    }

    /// The file, unless it is a copy or stream, or has holes.
    pub fn plain_file(&self) -> Option<&'f File> {
        match self.source {
            Source::File(file) if self.holes.is_empty() => Some(file),
            _ => None,
        }
    }

    /// The file or copy; `None` for a stream.
    pub fn file(&self) -> Option<&File> {
        self.source.file()
    }

    /// Continues with a copy of the file, from its beginning.
    pub fn switch_to_copy(&mut self, copy: File) {
        self.source = Source::Copy(copy);
        (self.position, self.has_ended, self.ahead) = (0, false, ReadAhead::default());
        self.read_ahead();
    }

    fn read_ahead(&mut self) {
        // Reading ahead in a hole would fill memory with zeros.
        let end = self.holes.first().map_or(self.expected, |(start, _)| *start);
        if let Some(file) = self.source.file().filter(|_| self.is_shared) {
            self.ahead.advance(file, self.position, end);
        }
    }

    /// The last recorded content, if known. The file may differ from it.
    pub fn last(&self) -> Option<BlobId> {
        self.last
    }

    /// The known content of the beginning of the file.
    pub fn prefix(&self) -> Option<BlobId> {
        self.prefix
    }

    /// Sets what the sink has stored before it was interrupted: content and length of the beginning of the file.
    pub fn set_stored_prefix(&mut self, blob: BlobId, length: u64) {
        self.stored_prefix = Some((blob, length));
    }

    /// What the sink has stored before it was interrupted.
    pub fn stored_prefix(&self) -> Option<(BlobId, u64)> {
        self.stored_prefix
    }

    /// Continues at an offset, without reading what is before it.
    pub fn skip_to(&mut self, offset: u64) -> Result<()> {
        let passed = self.holes.partition_point(|(start, length)| start + length <= offset);
        (self.position, self.holes) = (offset, &self.holes[passed..]);
        self.task.add(offset)?;
        self.read_ahead();
        Ok(())
    }

    /// The expected size.
    pub fn expected(&self) -> u64 {
        self.expected
    }

    /// Whether all workers work on the file.
    pub fn is_shared(&self) -> bool {
        self.is_shared
    }

    /// Current offset; at the end, the size of the file.
    pub fn position(&self) -> u64 {
        self.position
    }

    /// Number of bytes read, without holes.
    pub fn bytes_read(&self) -> u64 {
        self.read
    }

    /// Whether reading the file has failed.
    pub fn failed(&self) -> bool {
        self.failed
    }

    /// Reads until the buffer (which must not be empty) is full, the file ends, or a hole of at least `long` bytes begins.
    /// Shorter holes become zeros in the buffer.
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
                        self.skip(left);
                        self.check_length()?;
                        return Ok(Step::Hole(left));
                    }
                    let zeros = rest.len().min(usize::try_from(left).unwrap_or(usize::MAX));
                    rest[..zeros].fill(0);
                    filled += zeros;
                    self.skip(zeros as u64);
                }
                _ => {
                    let until = hole.map_or(u64::MAX, |(start, _)| start - self.position);
                    let wanted = rest.len().min(usize::try_from(until).unwrap_or(usize::MAX));
                    // The file may have become shorter since its holes were found.
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
        let read = match &mut self.source {
            Source::File(file) => from_file(file),
            Source::Copy(file) => from_file(file),
            Source::Stream(stream, name) => {
                fill(*stream, buffer).map_err(|cause| Error::io("read", Path::new(name), cause))
            }
        };
        let (length, has_ended) = read.inspect_err(|_| self.failed = true)?;
        self.has_ended = has_ended;
        self.read += length as u64;
        self.position += length as u64;
        self.task.add(length as u64)?;
        self.check_length()?;
        self.read_ahead();
        Ok(length)
    }

    /// Fails if the file is longer than any blob may be.
    fn check_length(&mut self) -> Result<()> {
        if self.position <= groups::LONGEST {
            return Ok(());
        }
        self.failed = true;
        Err(match &self.source {
            Source::Stream(_, name) => Error::io("read", Path::new(name), io::ErrorKind::FileTooLarge.into()),
            Source::File(file) => fs::too_long(file),
            Source::Copy(file) => fs::too_long(file),
        })
    }

    /// Skips bytes of the first hole.
    fn skip(&mut self, length: u64) {
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

/// Reads until the buffer is full or the stream ends. Returns the number of bytes, and whether the stream has ended.
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

/// A file up to this size has no holes if it has enough blocks: file systems preallocate little for small files.
const SHORT: u64 = 4096;

/// Finds the holes of a file with this stat (offset and length). The number of blocks alone does not show whether there are any,
/// because file systems preallocate blocks behind the end of a growing file.
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
