//! Compresses and decodes frames. Every compressed frame is decoded and compared before it is used.

use flate2::{Compress, Decompress, FlushCompress, FlushDecompress, Status};
use zstd::bulk::{Compressor, Decompressor};
use zstd::zstd_safe::CParameter;

use crate::error::{Error, ErrorKind, Result};

/// Compression of new frames.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Compression {
    /// No compression.
    Stored,
    /// Deflate at this level (1 to 9), by flate2.
    Deflate(u32),
    /// Zstandard at this level (1 to 19).
    Zstd(i32),
}

/// Compression of one frame. The number is the byte in tables and in the catalog.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum Codec {
    /// Uncompressed.
    Stored = 0,
    /// A raw deflate stream, without a zlib header.
    Deflate = 1,
    /// One Zstandard frame.
    Zstd = 2,
}

impl Codec {
    /// Returns the codec with this number.
    pub fn from_byte(byte: u8) -> Result<Codec> {
        match byte {
            0 => Ok(Codec::Stored),
            1 => Ok(Codec::Deflate),
            2 => Ok(Codec::Zstd),
            _ => Err(Error::new(ErrorKind::Unsupported, format!("codec {byte} is not known to this program"))),
        }
    }
}

/// Whether compression saves too little: less than 1/32 is not worth the time to decode.
fn saves_too_little(packed: usize, raw: usize) -> bool {
    packed > raw - raw / 32
}

/// Number of bytes that the probe before deflate compresses. Deflate needs about 8 s/GiB to detect incompressible data,
/// Zstandard almost none.
const PROBE: usize = 64 << 10;

/// A compressed frame.
#[derive(Debug)]
pub struct Encoded<'a> {
    /// The codec that was used.
    pub codec: Codec,
    /// Compression level.
    pub level: u8,
    /// Bytes for the file.
    pub bytes: &'a [u8],
}

/// Compresses frames. One per thread.
pub struct Encoder {
    compression: Compression,
    zstd: Option<Compressor<'static>>,
    deflate: Option<Compress>,
    decoder: Decoder,
    packed: Vec<u8>,
    decoded: Vec<u8>,
}

impl Encoder {
    /// Creates an encoder for this compression.
    pub fn new(compression: Compression) -> Encoder {
        let (packed, decoded) = (Vec::new(), Vec::new());
        Encoder { compression, zstd: None, deflate: None, decoder: Decoder::default(), packed, decoded }
    }

    /// Compresses one frame, or returns it unchanged if that would save too little.
    pub fn encode<'a>(&'a mut self, raw: &'a [u8]) -> Result<Encoded<'a>> {
        let compression = self.compression;
        let (codec, level) = match compression {
            Compression::Zstd(level) if self.fits_zstd(raw, level)? => (Codec::Zstd, level as u8),
            Compression::Deflate(level) if self.fits_deflate(raw, level)? => (Codec::Deflate, level as u8),
            _ => return Ok(Encoded { codec: Codec::Stored, level: 0, bytes: raw }),
        };
        self.decoder.decode(codec, &self.packed, raw.len(), &mut self.decoded)?;
        if self.decoded != raw {
            let message = "a compressed frame does not decode to what it was made from";
            return Err(Error::new(ErrorKind::Internal, message).hint("check the memory of this machine"));
        }
        Ok(Encoded { codec, level, bytes: &self.packed })
    }

    fn fits_zstd(&mut self, raw: &[u8], level: i32) -> Result<bool> {
        let compressor = match &mut self.zstd {
            Some(compressor) => compressor,
            none => none.insert(compressor(level)?),
        };
        self.packed.clear();
        self.packed.reserve(zstd::zstd_safe::compress_bound(raw.len()));
        compressor.compress_to_buffer(raw, &mut self.packed).map_err(failed)?;
        Ok(!saves_too_little(self.packed.len(), raw.len()))
    }

    fn fits_deflate(&mut self, raw: &[u8], level: u32) -> Result<bool> {
        if !self.fits_zstd(&raw[..raw.len().min(PROBE)], 1)? {
            return Ok(false);
        }
        let deflate = self.deflate.get_or_insert_with(|| Compress::new(flate2::Compression::new(level), false));
        deflate.reset();
        self.packed.clear();
        self.packed.reserve(raw.len());
        let status = deflate.compress_vec(raw, &mut self.packed, FlushCompress::Finish).map_err(failed)?;
        // The output buffer is too small, so nothing would be saved.
        Ok(status == Status::StreamEnd && !saves_too_little(self.packed.len(), raw.len()))
    }
}

fn compressor(level: i32) -> Result<Compressor<'static>> {
    let mut compressor = Compressor::new(level).map_err(failed)?;
    if level == 1 {
        // For short frames zstd chooses a 16 KiB table. A 128 KiB table stores a tenth less in the same time.
        compressor.set_parameter(CParameter::HashLog(15)).map_err(failed)?;
        compressor.set_parameter(CParameter::MinMatch(6)).map_err(failed)?;
    }
    Ok(compressor)
}

fn failed(cause: impl std::error::Error + Send + Sync + 'static) -> Error {
    Error::new(ErrorKind::Internal, "cannot compress").with_source(cause)
}

/// Decodes frames. One per thread.
#[derive(Default)]
pub struct Decoder {
    zstd: Option<Decompressor<'static>>,
    inflate: Option<Decompress>,
}

impl Decoder {
    /// Decodes a frame of `raw` bytes into `to`, replacing its content. Fails with [`ErrorKind::Damaged`] if the frame
    /// is invalid.
    pub fn decode(&mut self, codec: Codec, stored: &[u8], raw: usize, to: &mut Vec<u8>) -> Result<()> {
        to.clear();
        // One extra byte detects frames that decode to more than `raw` bytes.
        to.reserve(raw + 1);
        let whole = match codec {
            Codec::Stored => {
                to.extend_from_slice(stored);
                true
            }
            Codec::Deflate => self.inflate(stored, to),
            Codec::Zstd => self.expand(stored, to)?,
        };
        if whole && to.len() == raw { Ok(()) } else { Err(Error::damaged("a frame does not decode")) }
    }

    fn inflate(&mut self, stored: &[u8], to: &mut Vec<u8>) -> bool {
        let inflate = self.inflate.get_or_insert_with(|| Decompress::new(false));
        inflate.reset(false);
        let status = inflate.decompress_vec(stored, to, FlushDecompress::Finish);
        matches!(status, Ok(Status::StreamEnd)) && inflate.total_in() == stored.len() as u64
    }

    fn expand(&mut self, stored: &[u8], to: &mut Vec<u8>) -> Result<bool> {
        let decompressor = match &mut self.zstd {
            Some(decompressor) => decompressor,
            none => none.insert(Decompressor::new().map_err(failed)?),
        };
        Ok(decompressor.decompress_to_buffer(stored, to).is_ok())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn noise(length: usize) -> Vec<u8> {
        let mut bytes = vec![0; length];
        blake3::Hasher::new().finalize_xof().fill(&mut bytes);
        bytes
    }

    #[test]
    fn poor_compression_is_discarded() {
        for compression in [Compression::Stored, Compression::Deflate(1), Compression::Deflate(6), Compression::Zstd(1)]
        {
            let mut encoder = Encoder::new(compression);
            let raw = noise(100_000);
            let encoded = encoder.encode(&raw).unwrap();
            assert_eq!((encoded.codec, encoded.bytes.len()), (Codec::Stored, raw.len()), "{compression:?}");
            // Compressible only behind the probe: left as it is, never longer.
            let raw = [noise(PROBE), vec![7; PROBE]].concat();
            assert!(encoder.encode(&raw).unwrap().bytes.len() <= raw.len());
        }
    }

    #[test]
    fn damaged_frames_never_decode_to_another_length() {
        let raw: Vec<u8> = (0..5000u32).flat_map(|n| (n * n / 7).to_le_bytes()).collect();
        for compression in [Compression::Deflate(6), Compression::Zstd(3)] {
            let mut encoder = Encoder::new(compression);
            let encoded = encoder.encode(&raw).unwrap();
            let (codec, stored) = (encoded.codec, encoded.bytes.to_vec());
            let (mut decoder, mut out) = (Decoder::default(), Vec::new());
            decoder.decode(codec, &stored, raw.len(), &mut out).unwrap();
            assert!(decoder.decode(codec, &stored, raw.len() - 1, &mut out).is_err());
            assert!(decoder.decode(codec, &stored, raw.len() + 1, &mut out).is_err());
            assert!(decoder.decode(codec, &[&stored[..], &[0]].concat(), raw.len(), &mut out).is_err());
            for at in (0..stored.len()).step_by(37) {
                assert!(decoder.decode(codec, &stored[..at], raw.len(), &mut out).is_err(), "cut at {at}");
                let mut bent = stored.clone();
                bent[at] ^= 0x10;
                let _ = decoder.decode(codec, &bent, raw.len(), &mut out);
            }
        }
    }

    proptest! {
        #[test]
        fn codecs_round_trip(
            bytes in proptest::collection::vec(any::<u8>(), 0..3000), times in 1usize..40, level in 1u32..=9
        ) {
            let raw = bytes.repeat(times);
            for compression in [Compression::Stored, Compression::Deflate(level), Compression::Zstd(level as i32)] {
                let mut encoder = Encoder::new(compression);
                let encoded = encoder.encode(&raw).unwrap();
                let mut out = Vec::new();
                Decoder::default().decode(encoded.codec, encoded.bytes, raw.len(), &mut out).unwrap();
                prop_assert_eq!(&out, &raw);
            }
        }
    }
}
