//! Names of stores in the user's state directory: `NAME-XXXXXXXX`.

use std::os::unix::ffi::OsStrExt;
use std::path::Path;

/// Number of hex digits at the end of a name.
const DIGITS: usize = 8;

/// Longest part that comes from the name of the directory, in bytes.
const LONGEST: usize = 64;

/// The name of a store for a directory. Another attempt gives another name.
pub fn store_name(worktree: &Path, attempt: u32) -> String {
    let name = worktree.file_name().map(|name| name.to_string_lossy()).unwrap_or_default();
    let is_plain = |letter: char| letter.is_ascii_alphanumeric() || "._-".contains(letter);
    let plain: String = name.chars().map(|letter| if is_plain(letter) { letter } else { '-' }).collect();
    let plain = plain.trim_start_matches(['.', '-']);
    let plain = if plain.is_empty() { "directory" } else { &plain[..plain.len().min(LONGEST)] };
    let hash = blake3::hash(&[worktree.as_os_str().as_bytes(), b"\0", &attempt.to_le_bytes()].concat());
    format!("{plain}-{}", &hash.to_hex()[..DIGITS])
}

/// Whether a name has the form of a store's name. The state directory has other files too.
pub fn is_store_name(name: &[u8]) -> bool {
    let Some((head, digits)) = name.split_last_chunk::<DIGITS>() else { return false };
    let is_digit = |byte: &u8| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
    head.len() > 1 && head.ends_with(b"-") && digits.iter().all(is_digit)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_plain_and_recognized() {
        for (path, start) in [
            ("/home/ann/shop", "shop-"),
            ("/srv/größe der\ndaten", "gr--e-der-daten-"),
            ("/a/..hidden", "hidden-"),
            ("/a/---", "directory-"),
            ("/", "directory-"),
        ] {
            let name = store_name(Path::new(path), 0);
            assert!(name.starts_with(start) && name.len() == start.len() + DIGITS, "{name}");
            assert!(is_store_name(name.as_bytes()));
            assert_ne!(name, store_name(Path::new(path), 1));
        }
        assert_eq!(store_name(Path::new(&format!("/{}", "x".repeat(200))), 0).len(), LONGEST + 1 + DIGITS);
        for name in ["keys", "targets", "-0123abcd", "shop-0123ABCD", "shop-0123abc", "shop0123abcd"] {
            assert!(!is_store_name(name.as_bytes()), "{name}");
        }
    }
}
