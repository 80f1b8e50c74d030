//! Encodes and decodes fields of the on-disk formats, with bounds checks.
//!
//! Numbers are little-endian; `varint` is LEB128 of at most 10 bytes in its shortest form. A decoder never panics, and
//! never allocates more memory than the given bytes can fill.

use crate::error::{Error, Result};
use crate::time::Timestamp;

/// Defines methods that encode and decode integers of a fixed length.
macro_rules! integers {
    ($($(#[$doc:meta])* $name:ident),+) => {
        impl Encoder {
            $($(#[$doc])*
            pub fn $name(&mut self, value: $name) -> &mut Encoder {
                self.raw(&value.to_le_bytes())
            })+
        }

        impl Decoder<'_> {
            $($(#[$doc])*
            pub fn $name(&mut self) -> Result<$name> {
                self.array().map($name::from_le_bytes)
            })+
        }
    };
}

integers!(
    /// One byte.
    u8,
    /// Two bytes.
    u16,
    /// Four bytes.
    u32,
    /// Eight bytes.
    u64,
    /// Eight bytes, two's complement.
    i64
);

/// Appends fields to a buffer.
#[derive(Debug, Default)]
pub struct Encoder {
    bytes: Vec<u8>,
}

impl Encoder {
    /// Creates an empty encoder.
    pub fn new() -> Encoder {
        Encoder::default()
    }

    /// Bytes without a length.
    pub fn raw(&mut self, bytes: &[u8]) -> &mut Encoder {
        self.bytes.extend_from_slice(bytes);
        self
    }

    /// One to ten bytes, seven bits each, low bits first.
    pub fn varint(&mut self, mut value: u64) -> &mut Encoder {
        while value >= 0x80 {
            self.bytes.push(value as u8 | 0x80);
            value >>= 7;
        }
        self.u8(value as u8)
    }

    /// A varint length, then the bytes.
    pub fn bytes(&mut self, bytes: &[u8]) -> &mut Encoder {
        self.varint(bytes.len() as u64).raw(bytes)
    }

    /// Seconds as i64, nanoseconds as u32.
    pub fn time(&mut self, time: Timestamp) -> &mut Encoder {
        self.i64(time.seconds).u32(time.nanoseconds)
    }

    /// Number of bytes written.
    pub fn position(&self) -> usize {
        self.bytes.len()
    }

    /// The bytes written so far.
    pub fn as_slice(&self) -> &[u8] {
        &self.bytes
    }

    /// Returns the buffer.
    pub fn finish(self) -> Vec<u8> {
        self.bytes
    }
}

/// Takes fields from bytes. Every method fails with [`crate::error::ErrorKind::Damaged`] at the end of the bytes.
pub struct Decoder<'a> {
    /// Name of the format, for messages.
    what: &'static str,
    bytes: &'a [u8],
    position: usize,
}

impl<'a> Decoder<'a> {
    /// Decodes `bytes`; `what` is the name of the format in messages ("tree", "pack footer").
    pub fn new(what: &'static str, bytes: &'a [u8]) -> Decoder<'a> {
        Decoder { what, bytes, position: 0 }
    }

    /// Builds an error with the current position.
    pub fn invalid(&self, why: &str) -> Error {
        Error::damaged(format!("invalid {}: {why} at byte {}", self.what, self.position))
    }

    /// The next `length` bytes.
    pub fn raw(&mut self, length: usize) -> Result<&'a [u8]> {
        let end = self.position.checked_add(length).filter(|&end| end <= self.bytes.len());
        let Some(end) = end else { return Err(self.invalid("truncated")) };
        let taken = &self.bytes[self.position..end];
        self.position = end;
        Ok(taken)
    }

    /// The next `N` bytes.
    pub fn array<const N: usize>(&mut self) -> Result<[u8; N]> {
        let taken = self.raw(N)?;
        Ok(taken.try_into().expect("raw(N) gives N bytes"))
    }

    /// A LEB128 number. Rejects encodings longer than needed, so that equal values have equal bytes.
    pub fn varint(&mut self) -> Result<u64> {
        let mut value = 0u64;
        for shift in (0..70).step_by(7) {
            let byte = self.u8()?;
            let bits = u64::from(byte & 0x7f);
            if shift == 63 && bits > 1 {
                return Err(self.invalid("number too large"));
            }
            value |= bits << shift;
            if byte & 0x80 == 0 {
                return if byte == 0 && shift > 0 {
                    Err(self.invalid("number not in its shortest form"))
                } else {
                    Ok(value)
                };
            }
        }
        Err(self.invalid("number too long"))
    }

    /// A varint that counts bytes, or fields of at least one byte each. Rejects counts that exceed the remaining bytes.
    pub fn count(&mut self) -> Result<usize> {
        match usize::try_from(self.varint()?) {
            Ok(count) if count <= self.remaining() => Ok(count),
            _ => Err(self.invalid("count larger than what follows")),
        }
    }

    /// A varint length, then as many bytes.
    pub fn bytes(&mut self) -> Result<&'a [u8]> {
        let length = self.count()?;
        self.raw(length)
    }

    /// UTF-8 text with its length.
    pub fn text(&mut self) -> Result<String> {
        let bytes = self.bytes()?;
        String::from_utf8(bytes.to_vec()).map_err(|_| self.invalid("text that is not UTF-8"))
    }

    /// Seconds as i64, nanoseconds as u32 below 1,000,000,000.
    pub fn time(&mut self) -> Result<Timestamp> {
        let (seconds, nanoseconds) = (self.i64()?, self.u32()?);
        if nanoseconds >= 1_000_000_000 {
            return Err(self.invalid("time with too many nanoseconds"));
        }
        Ok(Timestamp { seconds, nanoseconds })
    }

    /// Number of bytes taken.
    pub fn position(&self) -> usize {
        self.position
    }

    /// Number of bytes left.
    pub fn remaining(&self) -> usize {
        self.bytes.len() - self.position
    }

    /// Fails if bytes are left.
    pub fn finish(self) -> Result<()> {
        if self.remaining() > 0 { Err(self.invalid("unexpected trailing bytes")) } else { Ok(()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_round_trip_and_truncation_fails() {
        let time = Timestamp { seconds: -5, nanoseconds: 7 };
        let mut encoder = Encoder::new();
        encoder.u8(1).u16(2).u32(3).u64(4).varint(u64::MAX).varint(0).bytes(b"xyz").time(time);
        let bytes = encoder.finish();
        let read = |bytes: &[u8]| -> Result<()> {
            let mut decoder = Decoder::new("test", bytes);
            assert_eq!((decoder.u8()?, decoder.u16()?, decoder.u32()?, decoder.u64()?), (1, 2, 3, 4));
            assert_eq!((decoder.varint()?, decoder.varint()?), (u64::MAX, 0));
            assert_eq!((decoder.bytes()?, decoder.time()?), (&b"xyz"[..], time));
            decoder.finish()
        };
        read(&bytes).unwrap();
        for end in 0..bytes.len() {
            assert!(read(&bytes[..end]).is_err(), "cut at {end}");
        }
        assert!(read(&[&bytes[..], &[0]].concat()).is_err());
    }

    #[test]
    fn varints_have_one_encoding() {
        assert!(Decoder::new("test", &[0x80, 0x00]).varint().is_err());
        assert!(Decoder::new("test", &[0xff; 11]).varint().is_err());
        assert!(Decoder::new("test", &[0xff, 0xff, 0xff, 0xff, 0x0f]).count().is_err());
    }
}
