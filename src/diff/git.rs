//! Git's modes, content ids and encoding of binary files, for patches that git applies.

use std::fmt;
use std::io::Write;

use flate2::Compression;
use flate2::write::ZlibEncoder;

use crate::object::{Content, Entry};

/// The kinds of files that git records.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GitMode {
    /// A file that its owner cannot execute.
    File,
    /// A file that its owner can execute.
    Executable,
    /// A symbolic link. Its content is the target.
    Symlink,
}

impl GitMode {
    /// The mode of an entry. `None` for directories and special files, which git does not record.
    pub fn of(entry: &Entry) -> Option<GitMode> {
        match entry.content {
            Content::File { .. } if entry.metadata.mode & 0o100 != 0 => Some(GitMode::Executable),
            Content::File { .. } => Some(GitMode::File),
            Content::Symlink { .. } => Some(GitMode::Symlink),
            _ => None,
        }
    }

    /// The mode as git writes it.
    pub fn octal(self) -> &'static str {
        match self {
            GitMode::File => "100644",
            GitMode::Executable => "100755",
            GitMode::Symlink => "120000",
        }
    }
}

/// The id that git gives to a content.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct GitId([u8; 20]);

impl GitId {
    /// The id that stands for no file.
    pub const NONE: GitId = GitId([0; 20]);

    /// The id of a content.
    pub fn of(bytes: &[u8]) -> GitId {
        let mut hash = sha1_smol::Sha1::from(format!("blob {}\0", bytes.len()));
        hash.update(bytes);
        GitId(hash.digest().bytes())
    }
}

impl fmt::Display for GitId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

/// A compressed content in a binary patch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Literal {
    /// Size of the content in bytes.
    pub size: usize,
    /// The content as a zlib stream.
    zlib: Vec<u8>,
}

impl Literal {
    /// Compresses a content.
    pub fn new(bytes: &[u8]) -> Literal {
        let mut encoder = ZlibEncoder::new(Vec::new(), Compression::default());
        // Writing to memory cannot fail.
        let written = encoder.write_all(bytes).and_then(|()| encoder.finish());
        Literal { size: bytes.len(), zlib: written.unwrap_or_default() }
    }

    /// The lines of the content in a patch.
    pub fn lines(&self) -> impl Iterator<Item = String> {
        self.zlib.chunks(BYTES_PER_LINE).map(line)
    }
}

const BYTES_PER_LINE: usize = 52;

const DIGITS: &[u8; 85] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz!#$%&()*+-;<=>?@^_`{|}~";

/// A line of a binary patch: a letter for the number of bytes, and the bytes in base 85.
fn line(bytes: &[u8]) -> String {
    let count = bytes.len() as u8;
    let mut line = String::from(char::from(if count <= 26 { b'A' + count - 1 } else { b'a' + count - 27 }));
    for group in bytes.chunks(4) {
        let mut value = group.iter().chain(&[0; 4]).take(4).fold(0, |value, &byte| value << 8 | u32::from(byte));
        let mut digits = [0; 5];
        for digit in digits.iter_mut().rev() {
            *digit = DIGITS[value as usize % DIGITS.len()];
            value /= DIGITS.len() as u32;
        }
        line.extend(digits.map(char::from));
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_those_of_git_hash_object() {
        assert_eq!(GitId::of(b"").to_string(), "e69de29bb2d1d6434b8b29ae775ad8c2e48c5391");
        assert_eq!(GitId::of(b"hello\n").to_string(), "ce013625030ba8dba906f756967f9e9ca394464a");
    }

    #[test]
    fn lines_are_in_base_85_of_git() {
        assert_eq!(line(b"\0\0\0\0"), "D00000");
        assert_eq!(line(b"\xff\xff\xff\xff\x01"), "E|NsC00RR91");
        assert_eq!(line(&[0; 52]), format!("z{}", "0".repeat(65)));
    }
}
