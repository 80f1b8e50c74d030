//! What each kind of storage implements: requests without retries.

use std::ops::Range;
use std::time::Duration;

use crate::error::{Error, ErrorKind};
use crate::fs::Interrupts;
use crate::remote::meter::PIECE;
use crate::remote::{Created, Listed};

/// Result of one attempt at a request.
pub(super) type Attempt<T> = Result<T, Failure>;

/// A failed attempt.
#[derive(Debug)]
pub(super) struct Failure {
    /// The error to return after the last attempt.
    pub error: Error,
    /// Whether another attempt may succeed.
    pub is_transient: bool,
}

impl Failure {
    /// A failure that another attempt may not have.
    pub fn transient(error: Error) -> Failure {
        Failure { error, is_transient: true }
    }
}

/// Errors of the file system and of arguments are final.
impl From<Error> for Failure {
    fn from(error: Error) -> Failure {
        Failure { error, is_transient: false }
    }
}

/// What an interrupted upload leaves.
const SENT_STAYS: &str = "what was sent stays in the target";

/// The bytes of a new key.
#[derive(Clone, Copy)]
pub(super) struct Body<'b> {
    /// The bytes.
    pub bytes: &'b [u8],
    /// Whether a signal that [`Interrupts`] has noted stops the request.
    pub stops: bool,
}

impl<'b> Body<'b> {
    /// No bytes.
    pub const EMPTY: Body<'static> = Body { bytes: &[], stops: false };

    /// The bytes in pieces, until a signal stops the request.
    pub fn pieces(self) -> impl Iterator<Item = Result<&'b [u8], Error>> {
        self.bytes.chunks(PIECE).map(move |piece| self.check().map(|()| piece))
    }

    /// Fails if a signal stops the request.
    pub fn check(self) -> Result<(), Error> {
        if self.stops { Interrupts::check(SENT_STAYS) } else { Ok(()) }
    }
}

/// A kind of storage. An implementation counts its requests with the [`super::meter::Meter`] and obeys its limits.
pub(super) trait Backend: Send + Sync {
    /// Creates a key, atomically and durably; [`Created::Exists`] if it exists, whatever its bytes. A failure does not tell
    /// whether the key was created.
    fn create(&self, key: &str, body: Body<'_>) -> Attempt<Created>;

    /// Reads a key, or exactly this range of it; `None` if it does not exist.
    fn read(&self, key: &str, range: Option<Range<u64>>) -> Attempt<Option<Vec<u8>>>;

    /// Lists the keys below a folder. May list other names as well, in any order.
    fn list(&self, folder: &str, after: Option<&str>) -> Attempt<Vec<Listed>>;

    /// Deletes a key, if it exists.
    fn delete(&self, key: &str) -> Attempt<()>;

    /// Names of protocol extensions that the server lacks, of those that are needed for atomic and durable keys.
    fn missing_extensions(&self) -> Attempt<Vec<&'static str>> {
        Ok(Vec::new())
    }
}

/// Age after which nothing writes to a temporary file any more.
pub(super) const STALE: Duration = Duration::from_secs(24 * 3600);

/// Largest key that is read into memory: far more than a target has, and less than would end the process.
const LARGEST: u64 = 1 << 30;

/// Fails with [`ErrorKind::Damaged`] before a read of more bytes than any key has.
pub(super) fn check_size(key: &str, size: u64) -> Result<(), Error> {
    if size <= LARGEST {
        return Ok(());
    }
    Err(Error::damaged(format!("`{key}` is too large: the storage reports {size} bytes")))
}

/// Checks that a read of this range returned all of it.
pub(super) fn check_length(key: &str, bytes: &[u8], range: Option<&Range<u64>>) -> Attempt<()> {
    match range {
        Some(range) if bytes.len() as u64 != range.end - range.start => Err(too_short(key, range).into()),
        _ => Ok(()),
    }
}

/// Error for a directory in the place of a key.
pub(super) fn is_directory(key: &str) -> Error {
    Error::damaged(format!("`{key}` of the target is a directory, not a file"))
        .hint("remove this directory from the storage")
}

/// Error for a key that ends before the end of a range.
pub(super) fn too_short(key: &str, range: &Range<u64>) -> Error {
    Error::new(
        ErrorKind::Damaged,
        format!("`{key}` is too short: it has no bytes {} to {}", range.start, range.end - 1),
    )
}
