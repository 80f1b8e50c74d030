//! Classifies system errors.

use rustix::io::Errno;

use crate::error::Error;

/// Whether a name no longer exists, or it or a parent directory has become another kind of file.
pub fn is_gone(error: &Error) -> bool {
    is_one_of(error, &[Errno::NOENT, Errno::NOTDIR, Errno::LOOP])
}

/// Whether a failure to read concerns only this entry, so that reading others makes sense. This is the default, because
/// file systems fail with many errors, such as `ENOTCONN` of a FUSE mount whose server has died, or `EBADMSG` of a
/// wrong checksum. The exceptions are failures of this process or of the whole system.
pub fn is_of_one_entry(error: &Error) -> bool {
    const OF_THE_SYSTEM: [Errno; 8] =
        [Errno::INTR, Errno::BADF, Errno::NOMEM, Errno::FAULT, Errno::NFILE, Errno::MFILE, Errno::NOSPC, Errno::DQUOT];
    let errno = error.io_cause().and_then(Errno::from_io_error);
    errno.is_some_and(|errno| !OF_THE_SYSTEM.contains(&errno))
}

/// Whether a failure to open or read an entry means that it is not of the expected kind: `ENOTDIR`, `ELOOP` of a
/// symlink, `ENXIO` of a socket, `EINVAL` of `readlink` on anything but a symlink.
pub fn is_other_kind(error: &Error) -> bool {
    is_one_of(error, &[Errno::NXIO, Errno::NOTDIR, Errno::INVAL, Errno::LOOP])
}

/// A failure to read a repository file: [`crate::error::ErrorKind::Damaged`] if the device or the file system cannot
/// return its bytes, or if something else is in its place. The system's error is not kept as the cause, because it
/// would be mistaken for one of a file in the worktree.
pub(super) fn of_repository(error: Error) -> Error {
    const OF_THE_MEDIUM: [Errno; 9] = [
        Errno::IO,
        Errno::NXIO,
        Errno::ISDIR,
        Errno::SPIPE,
        Errno::NODATA,
        Errno::BADMSG,
        Errno::ILSEQ,
        Errno::UCLEAN,
        Errno::REMOTEIO,
    ];
    if is_one_of(&error, &OF_THE_MEDIUM) { Error::damaged(error.to_string()) } else { error }
}

/// Whether a failure to write concerns all entries: a broken or read-only disk, no memory, too many open files.
pub fn is_of_all_entries(error: &Error) -> bool {
    is_one_of(error, &[Errno::IO, Errno::NOMEM, Errno::NFILE, Errno::MFILE, Errno::ROFS])
}

/// Whether a hard link is impossible on this file system, or to this file.
pub fn is_no_link_possible(error: &Error) -> bool {
    is_one_of(error, &[Errno::PERM, Errno::XDEV, Errno::MLINK, Errno::NOSYS, Errno::OPNOTSUPP])
}

/// Whether a rename failed because the two names are on different file systems, or on different disks of one.
pub fn is_other_file_system(error: &Error) -> bool {
    is_one_of(error, &[Errno::XDEV])
}

fn is_one_of(error: &Error, list: &[Errno]) -> bool {
    let errno = error.io_cause().and_then(Errno::from_io_error);
    errno.is_some_and(|errno| list.contains(&errno))
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    #[test]
    fn error_numbers_are_classified() {
        let numbers_of = |question: fn(&Error) -> bool| -> Vec<i32> {
            let failed = |number| Error::io("read", Path::new("x"), std::io::Error::from_raw_os_error(number));
            (1..134).filter(|&number| question(&failed(number))).collect()
        };
        assert_eq!(numbers_of(is_gone), [2, 20, 40]);
        let of_the_system: Vec<i32> = (1..134).filter(|number| !numbers_of(is_of_one_entry).contains(number)).collect();
        assert_eq!(of_the_system, [4, 9, 12, 14, 23, 24, 28, 122]);
        assert_eq!(numbers_of(is_other_kind), [6, 20, 22, 40]);
        assert_eq!(numbers_of(is_of_all_entries), [5, 12, 23, 24, 30]);
        assert_eq!(numbers_of(is_no_link_possible), [1, 18, 31, 38, 95]);
        let damages = |error: &Error| {
            let cause = error.io_cause().and_then(std::io::Error::raw_os_error).unwrap_or_default();
            let again = Error::io("read", Path::new("x"), std::io::Error::from_raw_os_error(cause));
            of_repository(again).kind() == crate::error::ErrorKind::Damaged
        };
        assert_eq!(numbers_of(damages), [5, 6, 21, 29, 61, 74, 84, 117, 121]);
        assert!(!is_gone(&Error::damaged("not a system error")));
    }
}
