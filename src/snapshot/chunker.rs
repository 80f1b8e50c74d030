//! Cuts a section of a large file into chunks: where it was cut before if that is still valid, otherwise by content.
//! The cuts do not depend on the number of workers.

use crate::chunk::{self, Params};
use crate::object::groups::GroupHash;
use crate::object::{ObjectKind, id_of};
use crate::parallel;
use crate::snapshot::rechunk::{CutPredictor, FilePiece, OldChunk, PieceKind};

/// Minimum number of bytes that one worker hashes: starting a thread takes as long as hashing some 100 KiB.
pub const LEAST: u64 = 512 << 10;

/// After this many new bytes in a row, the rest of the section is cut by content only.
const MOST_NEW: usize = 2 << 20;

/// How to cut a section.
pub struct SectionCutter<'c> {
    /// Chunk lengths.
    pub params: Params,
    /// The section ends at a hole or at the end of the file. Otherwise a chunk is final only if as many bytes follow its start
    /// as the longest chunk has.
    pub all: bool,
    /// Whether all workers cut.
    pub is_shared: bool,
    /// Hashes of the groups of the new content so far.
    pub groups: &'c [GroupHash],
}

impl SectionCutter<'_> {
    /// Returns the final pieces from the beginning of `bytes`.
    pub fn cut(&self, predictor: &mut CutPredictor, bytes: &[u8]) -> Vec<FilePiece> {
        let mut found = Vec::new();
        let (mut at, mut reach, mut new_bytes) = (0, 1, 0);
        while at < bytes.len() {
            if predictor.is_empty() || new_bytes >= MOST_NEW {
                let fresh = self.cut_fresh(&bytes[at..]);
                predictor.pass(length(&fresh) as u64);
                found.extend(fresh);
                return found;
            }
            let expected = predictor.expected(bytes.len() - at, reach);
            let count = self.prove(predictor, expected, &bytes[at..]);
            let is_all = count > 0 && count == expected.len();
            found.extend(
                expected[..count].iter().map(|old| FilePiece { length: old.length(), kind: PieceKind::Old(old.id) }),
            );
            at += expected[..count].iter().map(OldChunk::length).sum::<usize>();
            predictor.accept(count);
            if is_all {
                (reach, new_bytes) = (2 * reach, 0);
                continue;
            }
            if at == bytes.len() || !self.is_certain(bytes.len() - at) {
                break;
            }
            let next = predictor.search(&bytes[at..]);
            new_bytes = if matches!(next.kind, PieceKind::New(_)) { new_bytes + next.length } else { 0 };
            (at, reach) = (at + next.length, 1);
            found.push(next);
        }
        found
    }

    fn is_certain(&self, left: usize) -> bool {
        self.all || left >= self.params.maximum()
    }

    /// Number of expected chunks that `bytes` starts with.
    fn prove<'o>(&self, predictor: &CutPredictor, expected: &'o [OldChunk], bytes: &[u8]) -> usize {
        let free = expected.iter().take_while(|old| predictor.is_unchanged(old, self.groups)).count();
        let (passed, expected) = expected.split_at(free);
        let bytes = &bytes[passed.iter().map(OldChunk::length).sum()..];
        if !self.is_shared {
            return free + matching(expected, bytes);
        }
        let mut rest = bytes;
        let mut with_bytes = |olds: &'o [OldChunk]| {
            let (bytes, after) = rest.split_at(olds.iter().map(OldChunk::length).sum());
            rest = after;
            (olds, bytes)
        };
        let parts = parallel::split(expected, 2 * LEAST, |old| old.length() as u64);
        let parts: Vec<_> = parts.into_iter().map(&mut with_bytes).collect();
        let counts = parallel::map(parts.iter(), |(olds, bytes)| matching(olds, bytes));
        // Chunks behind one that has changed do not count.
        let whole = counts.iter().zip(&parts).take_while(|(count, (olds, _))| **count == olds.len()).count();
        free + counts.iter().take(whole + 1).sum::<usize>()
    }

    /// Cuts unknown bytes. A cut depends on nothing before the previous cut, so a thread that
    /// begins in the middle soon cuts where one that began in front does.
    fn cut_fresh(&self, bytes: &[u8]) -> Vec<FilePiece> {
        let most = if self.is_shared { parallel::workers() } else { 1 };
        let size = bytes.len().div_ceil(most.min(bytes.len() / (2 * self.params.maximum())).max(1)).max(1);
        let starts = (0..bytes.len()).step_by(size);
        let parts = parallel::map(starts.clone(), |start| self.cut_until(bytes, start, bytes.len().min(start + size)));
        let (mut cut, mut at) = (Vec::new(), 0);
        for (start, part) in starts.zip(parts) {
            let begin = |start: &mut usize, found: &FilePiece| Some(std::mem::replace(start, *start + found.length));
            let begins: Vec<usize> = part.iter().scan(start, begin).collect();
            let end = start + length(&part);
            while at < end {
                if let Ok(same) = begins.binary_search(&at) {
                    cut.extend(&part[same..]);
                    at = end;
                } else if let Some(next) = self.fresh(bytes, at) {
                    at += next.length;
                    cut.push(next);
                } else {
                    return cut;
                }
            }
        }
        cut.extend(self.cut_until(bytes, at, bytes.len()));
        cut
    }

    /// The pieces that start at or after `at` and before `end`.
    fn cut_until(&self, bytes: &[u8], mut at: usize, end: usize) -> Vec<FilePiece> {
        let mut found = Vec::new();
        while at < end
            && let Some(next) = self.fresh(bytes, at)
        {
            at += next.length;
            found.push(next);
        }
        found
    }

    /// The piece that starts at `at`, if it is final.
    fn fresh(&self, bytes: &[u8], at: usize) -> Option<FilePiece> {
        let rest = &bytes[at..];
        if rest.is_empty() || !self.is_certain(rest.len()) {
            return None;
        }
        let length = chunk::cut(rest, &self.params);
        let is_zeros = rest[..length].iter().all(|&byte| byte == 0);
        Some(FilePiece { length, kind: if is_zeros { PieceKind::Zeros } else { PieceKind::New(None) } })
    }
}

/// Number of these chunks that `bytes` starts with.
fn matching(expected: &[OldChunk], mut bytes: &[u8]) -> usize {
    let is_there = |old: &&OldChunk| {
        let (chunk, rest) = bytes.split_at(old.length());
        bytes = rest;
        id_of(ObjectKind::Data, chunk) == old.id.object_id()
    };
    expected.iter().take_while(is_there).count()
}

/// Number of bytes in these pieces.
pub fn length(found: &[FilePiece]) -> usize {
    found.iter().map(|found| found.length).sum()
}
