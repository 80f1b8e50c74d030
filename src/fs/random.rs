//! Random bytes from the system.

use crate::error::{Error, ErrorKind, Result};

/// Fills an array with bytes of the system's cryptographic random source.
pub fn random<const N: usize>() -> Result<[u8; N]> {
    let mut bytes = [0; N];
    let failed = |cause| Error::new(ErrorKind::Io, "the system provides no random bytes").with_source(cause);
    getrandom::fill(&mut bytes).map_err(failed)?;
    Ok(bytes)
}
