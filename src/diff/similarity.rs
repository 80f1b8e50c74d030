//! Estimates how much of a content is in another one, as git does.

use std::hash::{DefaultHasher, Hash, Hasher};

use crate::object::layout::Piece;

/// Length of the parts of lines that are compared.
const LONGEST_PART: usize = 64;

/// What a content consists of: the hash of each different line or chunk, and how many bytes it makes up. Sorted by hash.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Fingerprint(Vec<(u64, u64)>);

impl Fingerprint {
    /// The lines of a content. Lines are cut every 64 bytes. As in git, a carriage return before a newline is ignored in
    /// texts.
    pub fn of_lines(bytes: &[u8], is_text: bool) -> Fingerprint {
        let mut parts = Vec::new();
        for line in bytes.split_inclusive(|&byte| byte == b'\n') {
            match line.strip_suffix(b"\r\n").filter(|_| is_text) {
                Some(start) => add_parts(&[start, b"\n"].concat(), &mut parts),
                None => add_parts(line, &mut parts),
            }
        }
        Fingerprint::of(parts)
    }

    /// The chunks of a content.
    pub fn of_pieces(pieces: &[Piece]) -> Fingerprint {
        let hash = |piece: &Piece| match piece {
            Piece::Chunk { id, .. } => hash(&id.0),
            Piece::Zeros { .. } => 0,
        };
        Fingerprint::of(pieces.iter().map(|piece| (hash(piece), piece.length())).collect())
    }

    fn of(mut parts: Vec<(u64, u64)>) -> Fingerprint {
        parts.sort_unstable();
        parts.dedup_by(|next, previous| {
            let is_same = next.0 == previous.0;
            previous.1 += if is_same { next.1 } else { 0 };
            is_same
        });
        Fingerprint(parts)
    }

    /// Number of bytes that both contents have.
    pub fn shared(&self, other: &Fingerprint) -> u64 {
        let (mut shared, mut others) = (0, other.0.iter().peekable());
        for (hash, bytes) in &self.0 {
            while others.next_if(|(other, _)| other < hash).is_some() {}
            if let Some((_, found)) = others.next_if(|(other, _)| other == hash) {
                shared += bytes.min(found);
            }
        }
        shared
    }
}

fn add_parts(line: &[u8], parts: &mut Vec<(u64, u64)>) {
    parts.extend(line.chunks(LONGEST_PART).map(|part| (hash(part), part.len() as u64)));
}

fn hash(bytes: &[u8]) -> u64 {
    // Two runs of one program agree, because the keys of this hasher are constant.
    let mut hasher = DefaultHasher::new();
    bytes.hash(&mut hasher);
    hasher.finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shared(a: &[u8], b: &[u8]) -> u64 {
        Fingerprint::of_lines(a, true).shared(&Fingerprint::of_lines(b, true))
    }

    #[test]
    fn counts_bytes_of_equal_lines_in_any_order() {
        assert_eq!(shared(b"one\ntwo\nthree\n", b"three\none\n"), 10);
        assert_eq!(shared(b"a\na\na\n", b"a\n"), 2);
        assert_eq!(shared(b"a\r\nb\n", b"a\nb\r\n"), 4);
        assert_eq!(shared(b"", b"a"), 0);
        assert_eq!(shared(&[7; 200], &[7; 150]), 128);
    }
}
