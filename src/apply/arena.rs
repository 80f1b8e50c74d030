//! Stores many short byte strings in few allocations. Strings can only be added, and are freed together.

/// Sizes of the first and of the largest chunk, in bytes.
const FIRST: usize = 4 << 10;
const LONGEST: usize = 1 << 20;

/// Size of the length that precedes each string, in bytes.
const PREFIX: usize = 4;

/// Byte strings in chunks. Chunks never move, so adding a string copies only that string.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Arena {
    chunks: Vec<Vec<u8>>,
}

/// Position of a string in its arena.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Position {
    chunk: u32,
    offset: u32,
}

impl Arena {
    /// Adds a string.
    pub(super) fn add(&mut self, bytes: &[u8]) -> Position {
        let needed = PREFIX + bytes.len();
        let has_room = |chunk: &Vec<u8>| chunk.capacity() - chunk.len() >= needed;
        if !self.chunks.last().is_some_and(has_room) {
            let doubled = self.chunks.last().map_or(FIRST, |last| 2 * last.capacity());
            self.chunks.push(Vec::with_capacity(doubled.min(LONGEST).max(needed)));
        }
        let at = self.chunks.len() - 1;
        let chunk = &mut self.chunks[at];
        let position = Position { chunk: at as u32, offset: chunk.len() as u32 };
        chunk.extend_from_slice(&(bytes.len() as u32).to_le_bytes());
        chunk.extend_from_slice(bytes);
        position
    }

    /// The string at a position returned by [`Arena::add`].
    pub(super) fn get(&self, at: Position) -> &[u8] {
        let rest = &self.chunks[at.chunk as usize][at.offset as usize..];
        let (length, rest) = rest.split_first_chunk::<PREFIX>().expect("written before each string");
        &rest[..u32::from_le_bytes(*length) as usize]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arena_stores_strings_of_every_length() {
        let mut arena = Arena::default();
        let text = |n: usize| vec![n as u8; [0, 1, 100, 5000, LONGEST + 1][n % 5]];
        let positions: Vec<Position> = (0..200).map(|n| arena.add(&text(n))).collect();
        for (n, position) in positions.into_iter().enumerate() {
            assert_eq!(arena.get(position), text(n));
        }
    }
}
