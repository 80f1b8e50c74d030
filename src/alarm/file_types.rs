//! Recognises file types by their first bytes, and compares them with file names.

/// Bytes at an offset that identify a type, and the extensions of the type. An extension may have several signatures.
struct Signature {
    offset: usize,
    bytes: &'static [u8],
    extensions: &'static str,
}

const fn at(offset: usize, bytes: &'static [u8], extensions: &'static str) -> Signature {
    Signature { offset, bytes, extensions }
}

/// Extensions are separated by spaces.
const TABLE: &[Signature] = &[
    // Pictures.
    at(0, b"\x89PNG\r\n\x1a\n", "png"),
    at(0, b"\xff\xd8\xff", "jpg jpeg jpe jfif"),
    at(0, b"GIF8", "gif"),
    at(8, b"WEBP", "webp"),
    at(0, b"II*\0", "tif tiff dng nef cr2 arw"),
    at(0, b"MM\0*", "tif tiff dng nef"),
    at(0, b"II+\0", "tif tiff"),
    at(0, b"8BPS", "psd"),
    at(4, b"ftyp", "heic heif avif mp4 m4a m4v mov 3gp cr3"),
    // Sound and films.
    at(4, b"moov", "mov"),
    at(4, b"mdat", "mov"),
    at(4, b"wide", "mov"),
    at(8, b"WAVE", "wav"),
    at(8, b"AVI ", "avi"),
    at(0, b"fLaC", "flac"),
    at(0, b"OggS", "ogg oga ogv opus"),
    at(0, b"ID3", "mp3"),
    at(0, b"\xff\xfb", "mp3"),
    at(0, b"\xff\xf3", "mp3"),
    at(0, b"\xff\xf2", "mp3"),
    at(0, b"\xff\xfa", "mp3"),
    at(0, b"\x1a\x45\xdf\xa3", "mkv webm"),
    // Documents.
    at(0, b"%PDF-", "pdf ai"),
    at(0, b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "doc xls ppt msg"),
    at(0, b"{\\rtf", "rtf"),
    at(0, b"%!PS", "ps eps ai"),
    // Archives, and formats based on them.
    at(0, b"PK\x03\x04", "zip jar docx xlsx pptx odt ods odp epub npz apk whl"),
    at(0, b"PK\x05\x06", "zip jar npz"),
    at(0, b"\x1f\x8b\x08", "gz tgz"),
    at(0, b"BZh", "bz2 tbz2"),
    at(0, b"\xfd7zXZ\0", "xz txz"),
    at(0, b"\x28\xb5\x2f\xfd", "zst tzst"),
    at(0, b"\x04\x22\x4d\x18", "lz4"),
    at(0, b"7z\xbc\xaf\x27\x1c", "7z"),
    at(0, b"Rar!\x1a\x07", "rar"),
    at(257, b"ustar", "tar"),
    // Data and programs.
    at(0, b"SQLite format 3\0", "sqlite sqlite3"),
    at(0, b"PAR1", "parquet"),
    at(0, b"\x89HDF\r\n\x1a\n", "h5 hdf5 nc"),
    at(0, b"CDF\x01", "nc"),
    at(0, b"CDF\x02", "nc"),
    at(0, b"\x93NUMPY", "npy"),
    at(0, b"ARROW1", "arrow feather"),
    at(128, b"DICM", "dcm"),
    at(0, b"\x7fELF", "so"),
    at(0, b"MZ", "exe dll"),
    at(0, b"\0asm", "wasm"),
];

/// Extensions of text files.
const TEXTS: &str = "txt md rst csv tsv json jsonl ndjson xml html htm css js mjs jsx tsx ts py r jl rs c h cc cpp hpp cs java \
                     kt go rb pl php lua sh bash zsh fish sql yml yaml toml ini cfg conf log tex bib svg srt vtt ipynb";

/// Extensions of pictures, sound and films, which programs often rewrite.
const MEDIA: &str = "png jpg jpeg jpe jfif gif webp tif tiff heic heif avif mp4 m4a m4v mov 3gp wav avi flac ogg oga ogv opus \
                     mp3 mkv webm";

/// Extensions of tables, which are often converted into one another.
const TABLES: &str = "csv tsv json jsonl ndjson parquet arrow feather npy npz h5 hdf5 nc";

/// Extensions of documents, which are often converted into one another.
const DOCUMENTS: &str = "doc docx odt rtf pdf xls xlsx ods ppt pptx odp md tex txt rst html htm";

/// Extensions of compressed files.
const COMPRESSED: &str = "gz bz2 xz zst lz4 zip 7z rar";

/// Shorter signatures are too common to prove a type.
const MIN_SIGNATURE: usize = 3;

/// Whether a file has the type of its extension.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum TypeMatch {
    /// The extension is not known.
    Unknown,
    /// The file has the type.
    Matches,
    /// The file has another type.
    Differs,
}

/// Compares the first bytes of a file with its extension, which is in lower case.
pub(super) fn type_match(extension: &[u8], head: &[u8]) -> TypeMatch {
    let verdict = |matches| if matches { TypeMatch::Matches } else { TypeMatch::Differs };
    if is_word(TEXTS, extension) {
        return verdict(is_text(head));
    }
    let mut signatures = TABLE.iter().filter(|signature| is_word(signature.extensions, extension)).peekable();
    match signatures.peek() {
        None => TypeMatch::Unknown,
        Some(_) => verdict(signatures.any(|signature| signature.is_in(head))),
    }
}

/// Whether the first bytes identify any type of the table.
pub(super) fn is_known(head: &[u8]) -> bool {
    TABLE.iter().any(|signature| signature.bytes.len() >= MIN_SIGNATURE && signature.is_in(head))
}

/// Whether this is an extension of pictures, sound or films.
pub(super) fn is_media(extension: &[u8]) -> bool {
    is_word(MEDIA, extension)
}

/// Whether this is an extension of compressed files.
pub(super) fn is_compressed(extension: &[u8]) -> bool {
    is_word(COMPRESSED, extension)
}

/// A representative of all extensions that files with this extension are often converted to.
pub(super) fn family(extension: &[u8]) -> &[u8] {
    let words = [MEDIA, TABLES, DOCUMENTS, COMPRESSED].into_iter().find(|words| is_word(words, extension));
    words.map_or(extension, |words| words.split(' ').next().unwrap_or_default().as_bytes())
}

/// Whether the bytes may be text: no control characters, or a UTF-16 byte order mark.
fn is_text(head: &[u8]) -> bool {
    let is_control = |byte: &u8| *byte < 32 && !b"\t\n\x0b\x0c\r\x1b\x08".contains(byte);
    head.starts_with(b"\xff\xfe") || head.starts_with(b"\xfe\xff") || !head.iter().any(is_control)
}

impl Signature {
    fn is_in(&self, head: &[u8]) -> bool {
        head.get(self.offset..).is_some_and(|rest| rest.starts_with(self.bytes))
    }
}

fn is_word(words: &str, word: &[u8]) -> bool {
    words.split_ascii_whitespace().any(|known| known.as_bytes() == word)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn compares_first_bytes_with_extensions() {
        for (extension, head, expected) in [
            ("png", &b"\x89PNG\r\n\x1a\n\0\0"[..], TypeMatch::Matches),
            ("png", b"\xff\xd8\xff\xe0", TypeMatch::Differs),
            ("docx", b"PK\x03\x04....", TypeMatch::Matches),
            ("webp", b"RIFF\x10\0\0\0WEBPVP8 ", TypeMatch::Matches),
            ("webp", b"RIFF", TypeMatch::Differs),
            ("txt", b"a\tline\n", TypeMatch::Matches),
            ("txt", b"caf\xe9\n", TypeMatch::Matches),
            ("csv", b"\xff\xfea\0,\0b\0", TypeMatch::Matches),
            ("csv", b"a,b\0", TypeMatch::Differs),
            ("dat", b"\0\x01", TypeMatch::Unknown),
            ("", b"", TypeMatch::Unknown),
        ] {
            assert_eq!(type_match(extension.as_bytes(), head), expected, "{extension} {head:?}");
        }
        let mut tar = vec![0; 512];
        tar[257..262].copy_from_slice(b"ustar");
        assert_eq!(type_match(b"tar", &tar), TypeMatch::Matches);
    }

    #[test]
    fn short_signatures_do_not_prove_a_type() {
        assert!(is_known(b"PK\x03\x04") && is_known(b"\x1f\x8b\x08\0"));
        assert!(!is_known(b"\xff\xfb\x90") && !is_known(b"MZ") && !is_known(b""));
    }

    #[test]
    fn formats_converted_into_one_another_are_one_family() {
        assert_eq!(family(b"wav"), family(b"flac"));
        assert_eq!(family(b"csv"), family(b"parquet"));
        assert!(family(b"docx") == family(b"pdf") && family(b"docx") != family(b"csv"));
        assert_eq!((family(b"rs"), family(b"")), (&b"rs"[..], &b""[..]));
    }

    #[test]
    fn the_table_has_every_media_and_compressed_type() {
        for extension in MEDIA.split_ascii_whitespace().chain(COMPRESSED.split_ascii_whitespace()) {
            assert_eq!(type_match(extension.as_bytes(), b"\x01"), TypeMatch::Differs, "{extension}");
        }
    }
}
