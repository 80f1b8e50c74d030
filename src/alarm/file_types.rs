//! Types by their first bytes, and whether what a file holds is what its name says.

/// Bytes that a file of a type has at an offset, and the extensions that promise them. Several lines for one extension: any
/// of them will do.
struct Magic {
    offset: usize,
    bytes: &'static [u8],
    extensions: &'static str,
}

const fn at(offset: usize, bytes: &'static [u8], extensions: &'static str) -> Magic {
    Magic { offset, bytes, extensions }
}

/// Extensions are words between spaces.
const TABLE: &[Magic] = &[
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
    // Archives, and what is one inside.
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

/// Extensions of text, words between spaces.
const TEXTS: &str = "txt md rst csv tsv json jsonl ndjson xml html htm css js mjs jsx tsx ts py r jl rs c h cc cpp hpp cs java \
                     kt go rb pl php lua sh bash zsh fish sql yml yaml toml ini cfg conf log tex bib svg srt vtt ipynb";

/// Extensions of pictures, sound and films that programs write anew: words between spaces.
const MEDIA: &str = "png jpg jpeg jpe jfif gif webp tif tiff heic heif avif mp4 m4a m4v mov 3gp wav avi flac ogg oga ogv opus \
                     mp3 mkv webm";

/// Extensions of tables that are converted into one another: words between spaces.
const TABLES: &str = "csv tsv json jsonl ndjson parquet arrow feather npy npz h5 hdf5 nc";

/// The same for documents.
const DOCUMENTS: &str = "doc docx odt rtf pdf xls xlsx ods ppt pptx odp md tex txt rst html htm";

/// Endings of compressed files.
const COMPRESSED: &str = "gz bz2 xz zst lz4 zip 7z rar";

/// Shorter runs of bytes are found in anything.
const TELLING: usize = 3;

/// Whether what a file holds is what its name says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fit {
    /// The name promises nothing that is known here.
    Unknown,
    /// It is.
    Fits,
    /// It is not.
    Misfits,
}

/// How the first bytes of a file fit its extension, which is in small letters.
pub fn fit(extension: &[u8], head: &[u8]) -> Fit {
    let verdict = |fits| if fits { Fit::Fits } else { Fit::Misfits };
    if is_word(TEXTS, extension) {
        return verdict(is_text(head));
    }
    let mut promised = TABLE.iter().filter(|magic| is_word(magic.extensions, extension)).peekable();
    match promised.peek() {
        None => Fit::Unknown,
        Some(_) => verdict(promised.any(|magic| magic.is_in(head))),
    }
}

/// Whether the first bytes are those of any type that is known here.
pub fn is_known(head: &[u8]) -> bool {
    TABLE.iter().any(|magic| magic.bytes.len() >= TELLING && magic.is_in(head))
}

/// Whether an extension is one of pictures, sound or films.
pub fn is_media(extension: &[u8]) -> bool {
    is_word(MEDIA, extension)
}

/// Whether an extension is one of compressed files.
pub fn is_compressed(extension: &[u8]) -> bool {
    is_word(COMPRESSED, extension)
}

/// What stands for an extension and all that files of it are converted to.
pub fn family(extension: &[u8]) -> &[u8] {
    let words = [MEDIA, TABLES, DOCUMENTS, COMPRESSED].into_iter().find(|words| is_word(words, extension));
    words.map_or(extension, |words| words.split(' ').next().unwrap_or_default().as_bytes())
}

/// Whether it could be text: without control characters, or with the mark of UTF-16.
pub fn is_text(head: &[u8]) -> bool {
    let is_control = |byte: &u8| *byte < 32 && !b"\t\n\x0b\x0c\r\x1b\x08".contains(byte);
    head.starts_with(b"\xff\xfe") || head.starts_with(b"\xfe\xff") || !head.iter().any(is_control)
}

impl Magic {
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
    fn first_bytes_fit_names() {
        for (extension, head, expected) in [
            ("png", &b"\x89PNG\r\n\x1a\n\0\0"[..], Fit::Fits),
            ("png", b"\xff\xd8\xff\xe0", Fit::Misfits),
            ("docx", b"PK\x03\x04....", Fit::Fits),
            ("webp", b"RIFF\x10\0\0\0WEBPVP8 ", Fit::Fits),
            ("webp", b"RIFF", Fit::Misfits),
            ("txt", b"a\tline\n", Fit::Fits),
            ("txt", b"caf\xe9\n", Fit::Fits),
            ("csv", b"\xff\xfea\0,\0b\0", Fit::Fits),
            ("csv", b"a,b\0", Fit::Misfits),
            ("dat", b"\0\x01", Fit::Unknown),
            ("", b"", Fit::Unknown),
        ] {
            assert_eq!(fit(extension.as_bytes(), head), expected, "{extension} {head:?}");
        }
        let mut tar = vec![0; 512];
        tar[257..262].copy_from_slice(b"ustar");
        assert_eq!(fit(b"tar", &tar), Fit::Fits);
    }

    #[test]
    fn two_bytes_that_anything_may_begin_with_make_no_type_known() {
        assert!(is_known(b"PK\x03\x04") && is_known(b"\x1f\x8b\x08\0"));
        assert!(!is_known(b"\xff\xfb\x90") && !is_known(b"MZ") && !is_known(b""));
    }

    #[test]
    fn what_is_converted_into_one_another_is_one_family() {
        assert_eq!(family(b"wav"), family(b"flac"));
        assert_eq!(family(b"csv"), family(b"parquet"));
        assert!(family(b"docx") == family(b"pdf") && family(b"docx") != family(b"csv"));
        assert_eq!((family(b"rs"), family(b"")), (&b"rs"[..], &b""[..]));
    }

    #[test]
    fn every_medium_and_every_compressed_type_is_in_the_table() {
        for extension in MEDIA.split_ascii_whitespace().chain(COMPRESSED.split_ascii_whitespace()) {
            assert_eq!(fit(extension.as_bytes(), b"\x01"), Fit::Misfits, "{extension}");
        }
    }
}
