//! Cutting a stretch of a large file into pieces: where it was cut before if that is still so, else where its content says.
//! Two threads come to the same cuts as one.

use crate::chunk::{self, Params};
use crate::join::join;
use crate::object::groups::Value;
use crate::object::{ObjectKind, id_of};
use crate::snapshot::rechunk::{Found, Guide, Old, Sort};

/// Work on fewer bytes than this is not shared: starting a thread takes as long as hashing some 100 KiB.
pub const SHARED: usize = 1 << 20;

/// So many bytes in a row were not in the last content: then it is another one from here on, as far as this stretch shows.
const STRANGE: usize = 2 << 20;

/// ScanOptions a stretch is cut.
pub struct Cutting<'c> {
    /// ScanOptions long chunks are.
    pub params: Params,
    /// The bytes are all there is before a hole or the end. If not, the last chunk is only certain if as many bytes as the
    /// longest has are there.
    pub all: bool,
    /// By two threads.
    pub is_shared: bool,
    /// What the groups of the new content hash to, as far as it is known.
    pub groups: &'c [Value],
}

impl Cutting<'_> {
    /// The pieces from the beginning of `bytes`, as far as they are certain.
    pub fn cut(&self, guide: &mut Guide, bytes: &[u8]) -> Vec<Found> {
        let mut found = Vec::new();
        let (mut at, mut reach, mut strange) = (0, 1, 0);
        while at < bytes.len() {
            if guide.is_empty() || strange >= STRANGE {
                let fresh = self.cut_fresh(&bytes[at..]);
                guide.pass(length(&fresh) as u64);
                found.extend(fresh);
                return found;
            }
            let expected = guide.expected(bytes.len() - at, reach);
            let count = self.prove(guide, expected, &bytes[at..]);
            let is_all = count > 0 && count == expected.len();
            found.extend(expected[..count].iter().map(|old| Found { length: old.length(), sort: Sort::Old(old.id) }));
            at += expected[..count].iter().map(Old::length).sum::<usize>();
            guide.accept(count);
            if is_all {
                (reach, strange) = (2 * reach, 0);
                continue;
            }
            if at == bytes.len() || !self.is_certain(bytes.len() - at) {
                break;
            }
            let next = guide.search(&bytes[at..]);
            strange = if matches!(next.sort, Sort::New(_)) { strange + next.length } else { 0 };
            (at, reach) = (at + next.length, 1);
            found.push(next);
        }
        found
    }

    fn is_certain(&self, left: usize) -> bool {
        self.all || left >= self.params.maximum()
    }

    /// ScanOptions many of the expected chunks are there, one after the other from the beginning of `bytes`.
    fn prove(&self, guide: &Guide, expected: &[Old], bytes: &[u8]) -> usize {
        let free = expected.iter().take_while(|old| guide.is_unchanged(old, self.groups)).count();
        let (passed, expected) = expected.split_at(free);
        let bytes = &bytes[passed.iter().map(Old::length).sum()..];
        let hashed = expected.iter().map(Old::length).sum::<usize>();
        if !self.is_shared || hashed < 2 * SHARED {
            return free + matching(expected, bytes);
        }
        let (mine, theirs) = expected.split_at(expected.len() / 2);
        let (my_bytes, their_bytes) = bytes.split_at(mine.iter().map(Old::length).sum());
        let (first, second) = join(|| matching(mine, my_bytes), || matching(theirs, their_bytes));
        free + if first == mine.len() { first + second } else { first }
    }

    /// The pieces of bytes of which nothing is known. A cut depends on nothing before the one in front of it, so whoever
    /// begins in the middle soon cuts where one that began in front does.
    fn cut_fresh(&self, bytes: &[u8]) -> Vec<Found> {
        let middle = bytes.len() / 2;
        if !self.is_shared || middle < 2 * self.params.maximum() {
            return self.cut_until(bytes, 0, bytes.len());
        }
        let (mut mine, theirs) =
            join(|| self.cut_until(bytes, 0, middle), || self.cut_until(bytes, middle, bytes.len()));
        let begin = |start: &mut usize, found: &Found| Some(std::mem::replace(start, *start + found.length));
        let starts: Vec<usize> = theirs.iter().scan(middle, begin).collect();
        let mut at = length(&mine);
        loop {
            if let Ok(same) = starts.binary_search(&at) {
                mine.extend(&theirs[same..]);
                return mine;
            }
            let Some(next) = self.fresh(bytes, at) else { return mine };
            at += next.length;
            mine.push(next);
        }
    }

    /// The pieces that begin from `at` on and before `end`.
    fn cut_until(&self, bytes: &[u8], mut at: usize, end: usize) -> Vec<Found> {
        let mut found = Vec::new();
        while at < end
            && let Some(next) = self.fresh(bytes, at)
        {
            at += next.length;
            found.push(next);
        }
        found
    }

    /// The piece that begins at `at`, if it is certain.
    fn fresh(&self, bytes: &[u8], at: usize) -> Option<Found> {
        let rest = &bytes[at..];
        if rest.is_empty() || !self.is_certain(rest.len()) {
            return None;
        }
        let length = chunk::cut(rest, &self.params);
        let is_zeros = rest[..length].iter().all(|&byte| byte == 0);
        Some(Found { length, sort: if is_zeros { Sort::Zeros } else { Sort::New(None) } })
    }
}

/// ScanOptions many of these chunks are there, one after the other.
fn matching(expected: &[Old], mut bytes: &[u8]) -> usize {
    let is_there = |old: &&Old| {
        let (chunk, rest) = bytes.split_at(old.length());
        bytes = rest;
        id_of(ObjectKind::Data, chunk) == old.id.object_id()
    };
    expected.iter().take_while(is_there).count()
}

/// Bytes of pieces.
pub fn length(found: &[Found]) -> usize {
    found.iter().map(|found| found.length).sum()
}
