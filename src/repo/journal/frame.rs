//! Frames a record in a segment: a checked header, the payload, a checksum. Distinguishes torn writes from damage.
//!
//! ```text
//! magic "urec" | kind u8 | length u32 | check 4 bytes | payload | checksum 16 bytes
//! ```
//! `check` begins the BLAKE3 hash of the nine bytes before it, `checksum` that of the payload.

/// First bytes of a record.
pub const MAGIC: &[u8; 4] = b"urec";

/// Size of the header in bytes.
pub const HEADER: usize = 13;

/// Size of the checksum in bytes.
pub const CHECKSUM: usize = 16;

/// Unit of a disk write: after a torn write, each sector is either written or not.
const SECTOR: usize = 512;

/// Shorter runs of zeros may be part of the data.
const TELLING_ZEROS: usize = 16;

/// Encodes a record.
pub fn encode(kind: u8, payload: &[u8]) -> Vec<u8> {
    let length = u32::try_from(payload.len()).expect("a record is far smaller than 4 GiB");
    let mut bytes = Vec::with_capacity(HEADER + payload.len() + CHECKSUM);
    bytes.extend_from_slice(MAGIC);
    bytes.push(kind);
    bytes.extend_from_slice(&length.to_le_bytes());
    let check = blake3::hash(&bytes);
    bytes.extend_from_slice(&check.as_bytes()[..4]);
    bytes.extend_from_slice(payload);
    bytes.extend_from_slice(&blake3::hash(payload).as_bytes()[..CHECKSUM]);
    bytes
}

/// The bytes at a position of a segment.
#[derive(Debug, PartialEq, Eq)]
pub enum Frame<'a> {
    /// A complete record.
    Record {
        /// Kind of the record.
        kind: u8,
        /// Content of the record.
        payload: &'a [u8],
        /// Offset of the next record.
        end: usize,
    },
    /// The end of the segment.
    End,
    /// An incomplete record, which was never acknowledged.
    Torn,
    /// Bytes that no writer has written.
    Damaged(&'static str),
}

/// Reads the record at offset `at`.
pub fn read(segment: &[u8], at: usize) -> Frame<'_> {
    let rest = &segment[at..];
    if rest.is_empty() {
        return Frame::End;
    }
    if rest.iter().all(|&byte| byte == 0) {
        return Frame::Torn;
    }
    let Some((header, body)) = rest.split_at_checked(HEADER) else {
        return if rest.starts_with(&MAGIC[..rest.len().min(4)]) { Frame::Torn } else { Frame::Damaged("no record") };
    };
    if !header.starts_with(MAGIC) || blake3::hash(&header[..9]).as_bytes()[..4] != header[9..] {
        // A header across two sectors, of which only the first reached the disk.
        let first = SECTOR - at % SECTOR;
        let has_magic = rest.starts_with(&MAGIC[..first.min(4)]);
        let is_torn = first < HEADER && has_magic && rest[first..].iter().all(|&byte| byte == 0);
        return if is_torn { Frame::Torn } else { Frame::Damaged("no record") };
    }
    let length = u32::from_le_bytes(header[5..9].try_into().expect("four bytes")) as usize;
    let Some((payload, checksum)) = body.split_at_checked(length) else { return Frame::Torn };
    let Some(checksum) = checksum.get(..CHECKSUM) else { return Frame::Torn };
    let end = at + HEADER + length + CHECKSUM;
    if blake3::hash(payload).as_bytes()[..CHECKSUM] == *checksum {
        return Frame::Record { kind: header[4], payload, end };
    }
    if end == segment.len() && has_unwritten_part(segment, at) {
        return Frame::Torn;
    }
    Frame::Damaged("wrong checksum")
}

/// Whether a sector of the last record looks as if it had never been written.
fn has_unwritten_part(segment: &[u8], at: usize) -> bool {
    let mut start = at;
    while start < segment.len() {
        let end = segment.len().min((start / SECTOR + 1) * SECTOR);
        if end - start >= TELLING_ZEROS && segment[start..end].iter().all(|&byte| byte == 0) {
            return true;
        }
        start = end;
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn record_encoding_is_golden() {
        let bytes = encode(3, b"abc");
        let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(hex, GOLDEN);
        assert_eq!(read(&bytes, 0), Frame::Record { kind: 3, payload: b"abc", end: bytes.len() });
        assert_eq!(read(&bytes, bytes.len()), Frame::End);
    }

    const GOLDEN: &str = "7572656303030000002d0b79f16162636437b3ac38465133ffb63b75273a8db5";

    #[test]
    fn truncation_is_torn_and_flipped_bytes_are_damage() {
        let bytes = encode(2, &[7; 1500]);
        for end in 1..bytes.len() {
            assert_eq!(read(&bytes[..end], 0), Frame::Torn, "cut at {end}");
        }
        assert_eq!(read(&[0; 700], 0), Frame::Torn);
        for at in 0..bytes.len() {
            let mut flipped = bytes.clone();
            flipped[at] ^= 0x40;
            assert!(matches!(read(&flipped, 0), Frame::Damaged(_)), "flipped {at}");
        }
    }

    #[test]
    fn unwritten_sectors_are_torn_only_at_the_end() {
        let mut bytes = vec![1; 100];
        bytes.extend(encode(2, &[7; 1500]));
        for (start, end) in [(512, 1024), (1024, 1536), (1536, bytes.len())] {
            let mut torn = bytes.clone();
            torn[start..end].fill(0);
            assert_eq!(read(&torn, 100), Frame::Torn, "{start}");
            torn.extend(encode(2, b"later"));
            assert_eq!(read(&torn, 100), Frame::Damaged("wrong checksum"), "{start}");
        }
        let mut header = vec![1; 506];
        header.extend(encode(2, &[7; 1500]));
        header[512..].fill(0);
        assert_eq!(read(&header, 506), Frame::Torn);
    }
}
