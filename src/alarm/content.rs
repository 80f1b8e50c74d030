//! Judges how the content of a file changed, from the first bytes of both versions.

use super::file_types::{self, TypeMatch};

/// Number of bytes to look at: enough to recognise every type and to test compression. 64 files take 1 MiB.
pub const HEAD: usize = 16 << 10;

/// Minimum size to test whether a file can be compressed.
const MIN_LENGTH: usize = 512;

/// Files that compress to this percentage or more count as incompressible. The store uses the same limit.
const INCOMPRESSIBLE: usize = 97;

/// How the content of a file changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ContentChange {
    /// An ordinary change.
    Ordinary,
    /// The file had the type of its name or was compressible, and now has no known type and is incompressible.
    Encrypted,
    /// The file had the type of its name and now has another one.
    Mistyped,
    /// A media file that still has the type of its name.
    Rewritten,
}

/// Compares the first bytes of a file before and after. The extension is in lower case. Reading the old bytes is expensive, so
/// `old` is only called if they decide; returns `None` if that fails.
pub(super) fn judge(extension: &[u8], old: impl FnOnce() -> Option<Vec<u8>>, new: &[u8]) -> Option<ContentChange> {
    let after = file_types::type_match(extension, new);
    let is_scrambled = after != TypeMatch::Matches && is_scrambled(new);
    let is_media = after == TypeMatch::Matches && file_types::is_media(extension);
    if !is_scrambled && !is_media && after != TypeMatch::Differs {
        return Some(ContentChange::Ordinary);
    }
    let old = old()?;
    let before = file_types::type_match(extension, &old);
    let was_something = before == TypeMatch::Matches || (before == TypeMatch::Unknown && !is_incompressible(&old));
    Some(match (before, after) {
        _ if is_scrambled && was_something => ContentChange::Encrypted,
        (TypeMatch::Matches, TypeMatch::Differs) => ContentChange::Mistyped,
        (TypeMatch::Matches, TypeMatch::Matches) if is_media => ContentChange::Rewritten,
        _ => ContentChange::Ordinary,
    })
}

/// Whether the bytes have no known type and are incompressible, as if encrypted.
pub(super) fn is_scrambled(head: &[u8]) -> bool {
    !file_types::is_known(head) && is_incompressible(head)
}

fn is_incompressible(head: &[u8]) -> bool {
    let Ok(packed) = zstd::bulk::compress(head, 1) else { return false };
    head.len() >= MIN_LENGTH && packed.len() * 100 >= head.len() * INCOMPRESSIBLE
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Judges with the old bytes available.
    fn judge(extension: &[u8], old: &[u8], new: &[u8]) -> ContentChange {
        super::judge(extension, || Some(old.to_vec()), new).unwrap()
    }

    #[test]
    fn does_not_read_the_old_bytes_of_ordinary_files() {
        let unread = |extension: &[u8], new: &[u8]| super::judge(extension, || panic!("the old bytes were read"), new);
        assert_eq!(unread(b"txt", &text(5000)), Some(ContentChange::Ordinary));
        assert_eq!(unread(b"", &text(5000)), Some(ContentChange::Ordinary));
        assert_eq!(unread(b"docx", &with(b"PK\x03\x04", random(900))), Some(ContentChange::Ordinary));
        // The change cannot be judged without the old bytes.
        assert_eq!(super::judge(b"png", || None, &random(5000)), None);
    }

    fn random(length: usize) -> Vec<u8> {
        let mut bytes = vec![0; length];
        blake3::Hasher::new().finalize_xof().fill(&mut bytes);
        bytes
    }

    fn text(length: usize) -> Vec<u8> {
        (0..).flat_map(|n: u32| format!("line {n} of it\n").into_bytes()).take(length).collect()
    }

    fn with(magic: &[u8], rest: Vec<u8>) -> Vec<u8> {
        [magic, &rest].concat()
    }

    const PNG: &[u8] = b"\x89PNG\r\n\x1a\n";

    #[test]
    fn random_bytes_look_encrypted() {
        for (extension, old) in [
            ("txt", text(5000)),
            ("doc", with(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", text(5000))),
            // Incompressible before, too, but a picture.
            ("png", with(PNG, random(5000))),
            ("", text(5000)),
            ("dat", vec![0; 5000]),
        ] {
            assert_eq!(judge(extension.as_bytes(), &old, &random(5000)), ContentChange::Encrypted, "{extension}");
            assert_eq!(judge(extension.as_bytes(), &old, &random(600)), ContentChange::Encrypted, "{extension}, short");
        }
    }

    #[test]
    fn files_that_lose_the_type_of_their_name_are_mistyped() {
        for (extension, old, new) in [
            ("png", with(PNG, random(900)), text(900)),
            ("png", with(PNG, random(900)), vec![0; 900]),
            ("txt", text(900), vec![0; 900]),
            ("csv", text(900), with(b"PK\x03\x04", random(900))),
            // Too short to test compression.
            ("txt", text(100), random(100)),
        ] {
            assert_eq!(judge(extension.as_bytes(), &old, &new), ContentChange::Mistyped, "{extension}");
        }
    }

    #[test]
    fn a_picture_that_stays_a_picture_is_rewritten() {
        assert_eq!(judge(b"png", &with(PNG, random(900)), &with(PNG, random(5000))), ContentChange::Rewritten);
    }

    #[test]
    fn recognises_ordinary_changes() {
        let floats: Vec<u8> = (1..3000u32).flat_map(|n| (1.0 / f64::from(n)).to_le_bytes()).collect();
        for (extension, old, new) in [
            ("csv", text(9000), text(5000)),
            ("docx", with(b"PK\x03\x04", random(900)), with(b"PK\x03\x04", random(5000))),
            // The extension is unknown, and the old content was random, too.
            ("key", random(900), random(5000)),
            ("dat", text(900), with(b"\x28\xb5\x2f\xfd", random(5000))),
            ("bin", text(900), floats),
            // The old content did not have the type either.
            ("png", text(900), random(5000)),
            ("txt", Vec::new(), Vec::new()),
        ] {
            assert_eq!(judge(extension.as_bytes(), &old, &new), ContentChange::Ordinary, "{extension}");
        }
    }
}
