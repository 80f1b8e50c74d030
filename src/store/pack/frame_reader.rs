//! Reads frames from pack files and decodes them.

use super::{Frame, Pack, ReadWindow};
use crate::error::Result;
use crate::store::compress::Decoder;

/// Reads and decodes frames. For one thread.
#[derive(Default)]
pub struct FrameReader {
    /// Bytes of the pack file that were read last.
    window: ReadWindow,
    decoder: Decoder,
    decoded: Vec<u8>,
}

impl FrameReader {
    /// The bytes of a frame in the file. `checksum` is the beginning of their BLAKE3 hash; if it is empty, they are not
    /// verified.
    pub fn encoded(&mut self, pack: &Pack, frame: &Frame, checksum: &[u8]) -> Result<&[u8]> {
        self.window.frame(pack, frame.offset, frame.stored, checksum)
    }

    /// Decodes a frame, verified like [`FrameReader::encoded`].
    pub fn read(&mut self, pack: &Pack, frame: &Frame, checksum: &[u8]) -> Result<&[u8]> {
        let encoded = self.window.frame(pack, frame.offset, frame.stored, checksum)?;
        let result = self.decoder.decode(frame.codec, encoded, frame.raw as usize, &mut self.decoded);
        result.map_err(|error| pack.damaged(error)).map(|()| &*self.decoded)
    }

    /// The frame decoded last.
    pub fn decoded(&self) -> &[u8] {
        &self.decoded
    }

    /// Takes the frame decoded last. Keeps only the decoder.
    pub fn take_decoded(&mut self) -> Vec<u8> {
        self.window = ReadWindow::default();
        std::mem::take(&mut self.decoded)
    }
}
