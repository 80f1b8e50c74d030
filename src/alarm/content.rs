//! What happened to one file whose content was replaced, told by the first bytes of both.

use super::file_types::{self, Fit};

/// First bytes that are looked at: enough for every type and to tell whether a file can be compressed, and 64 files cost a
/// mebibyte.
pub const HEAD: usize = 16 << 10;

/// Below this size nothing can be said about whether a file can be compressed.
const SHORTEST: usize = 512;

/// What compression leaves, in per cent, of what cannot be compressed: the store keeps such as it is, too.
const INCOMPRESSIBLE: usize = 97;

/// What became of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    /// Nothing that needs to be said.
    Ordinary,
    /// It had the type of its name and is now of none, or could be compressed: now it cannot, and is of no type.
    Encrypted,
    /// It had the type of its name and is now of another one.
    Mistyped,
    /// A picture, sound or film that still is what its name says.
    Rewritten,
}

/// Compares the first bytes of a file of this extension (in small letters) before and after. What was before has to be
/// unpacked, so it is only asked for where it decides; `None` if it is not to be had then.
pub fn fate(extension: &[u8], old: impl FnOnce() -> Option<Vec<u8>>, new: &[u8]) -> Option<Fate> {
    let after = file_types::fit(extension, new);
    let is_scrambled = after != Fit::Fits && is_scrambled(new);
    let is_media = after == Fit::Fits && file_types::is_media(extension);
    if !is_scrambled && !is_media && after != Fit::Misfits {
        return Some(Fate::Ordinary);
    }
    let old = old()?;
    let before = file_types::fit(extension, &old);
    let was_something = before == Fit::Fits || (before == Fit::Unknown && !is_incompressible(&old));
    Some(match (before, after) {
        _ if is_scrambled && was_something => Fate::Encrypted,
        (Fit::Fits, Fit::Misfits) => Fate::Mistyped,
        (Fit::Fits, Fit::Fits) if is_media => Fate::Rewritten,
        _ => Fate::Ordinary,
    })
}

/// Whether bytes are of no known type and cannot be compressed: encrypted, or as good as.
pub fn is_scrambled(head: &[u8]) -> bool {
    !file_types::is_known(head) && is_incompressible(head)
}

fn is_incompressible(head: &[u8]) -> bool {
    let Ok(packed) = zstd::bulk::compress(head, 1) else { return false };
    head.len() >= SHORTEST && packed.len() * 100 >= head.len() * INCOMPRESSIBLE
}

#[cfg(test)]
mod tests {
    use super::*;

    /// With all that there was.
    fn fate(extension: &[u8], old: &[u8], new: &[u8]) -> Fate {
        super::fate(extension, || Some(old.to_vec()), new).unwrap()
    }

    #[test]
    fn what_is_ordinary_now_is_not_compared_with_what_was() {
        let unread = |extension: &[u8], new: &[u8]| super::fate(extension, || panic!("it was read"), new);
        assert_eq!(unread(b"txt", &text(5000)), Some(Fate::Ordinary));
        assert_eq!(unread(b"", &text(5000)), Some(Fate::Ordinary));
        assert_eq!(unread(b"docx", &with(b"PK\x03\x04", random(900))), Some(Fate::Ordinary));
        // And what cannot be read says nothing.
        assert_eq!(super::fate(b"png", || None, &random(5000)), None);
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
    fn what_became_random_looks_encrypted() {
        for (extension, old) in [
            ("txt", text(5000)),
            ("doc", with(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", text(5000))),
            // Could not be compressed before either, but was a picture.
            ("png", with(PNG, random(5000))),
            ("", text(5000)),
            ("dat", vec![0; 5000]),
        ] {
            assert_eq!(fate(extension.as_bytes(), &old, &random(5000)), Fate::Encrypted, "{extension}");
            assert_eq!(fate(extension.as_bytes(), &old, &random(600)), Fate::Encrypted, "{extension}, short");
        }
    }

    #[test]
    fn what_no_longer_fits_its_name_is_mistyped() {
        for (extension, old, new) in [
            ("png", with(PNG, random(900)), text(900)),
            ("png", with(PNG, random(900)), vec![0; 900]),
            ("txt", text(900), vec![0; 900]),
            ("csv", text(900), with(b"PK\x03\x04", random(900))),
            // Too short to say more.
            ("txt", text(100), random(100)),
        ] {
            assert_eq!(fate(extension.as_bytes(), &old, &new), Fate::Mistyped, "{extension}");
        }
    }

    #[test]
    fn a_picture_that_is_still_one_was_rewritten() {
        assert_eq!(fate(b"png", &with(PNG, random(900)), &with(PNG, random(5000))), Fate::Rewritten);
    }

    #[test]
    fn ordinary_work_is_ordinary() {
        let floats: Vec<u8> = (1..3000u32).flat_map(|n| (1.0 / f64::from(n)).to_le_bytes()).collect();
        for (extension, old, new) in [
            ("csv", text(9000), text(5000)),
            ("docx", with(b"PK\x03\x04", random(900)), with(b"PK\x03\x04", random(5000))),
            // Nothing is known of the name, and it was like that before.
            ("key", random(900), random(5000)),
            ("dat", text(900), with(b"\x28\xb5\x2f\xfd", random(5000))),
            ("bin", text(900), floats),
            // It did not fit before.
            ("png", text(900), random(5000)),
            ("txt", Vec::new(), Vec::new()),
        ] {
            assert_eq!(fate(extension.as_bytes(), &old, &new), Fate::Ordinary, "{extension}");
        }
    }
}
