//! The `format` file: version, features and chunk parameters. Rejects unknown versions and features.
//!
//! ```text
//! undo format 1
//! read: <features that a reader must know, separated by spaces>
//! write: <features that a writer must know>
//! chunk: whole=1048576 target=131072
//! id: <16 random bytes in hex>
//! ```

use std::path::Path;

use crate::chunk::Params;
use crate::error::{Error, ErrorKind, Result};
use crate::fs;

/// The version of repositories that this program creates and reads.
const VERSION: &str = "1";

/// First line of repositories that were created before version 1 was final.
const UNRELEASED: &str = "undo 1";

/// Features beyond version 1 that this program can read and write.
const KNOWN: [&str; 0] = [];

/// Hint for a damaged file, which never changes.
const FROM_BACKUP: &str = "copy that file from any backup of this repository, however old: the file never changes";

/// Content of the `format` file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Format {
    /// Chunk parameters.
    pub chunk: Params,
    /// Random id of the repository.
    pub id: [u8; 16],
    /// Features that a writer must know.
    write: Vec<String>,
}

impl Format {
    /// The format of a new repository.
    pub fn new() -> Result<Format> {
        Ok(Format { chunk: Params::default(), id: fs::random()?, write: Vec::new() })
    }

    /// Reads the file. [`ErrorKind::Unsupported`] for a newer format, [`ErrorKind::Damaged`] if it is missing or
    /// invalid.
    pub fn open(path: &Path) -> Result<Format> {
        let Some(bytes) = fs::read(path)? else {
            return Err(Error::damaged(format!("`{}` is missing", path.display())).hint(FROM_BACKUP));
        };
        Format::parse(&bytes).map_err(|error| {
            let hint = error.hint_text().unwrap_or_else(|| FROM_BACKUP.to_owned());
            error.context(format!("`{}`", path.display())).hint(hint)
        })
    }

    /// The text of the file.
    pub fn to_text(&self) -> String {
        let Params { whole, target } = self.chunk;
        let write: String = self.write.iter().map(|feature| format!(" {feature}")).collect();
        format!(
            "undo format {VERSION}\nread:\nwrite:{write}\nchunk: whole={whole} target={target}\nid: {}\n",
            self.id_text()
        )
    }

    /// The repository's id in hex.
    pub fn id_text(&self) -> String {
        self.id.iter().map(|byte| format!("{byte:02x}")).collect()
    }

    fn parse(bytes: &[u8]) -> Result<Format> {
        let garbled = |what: &str| Error::damaged(format!("invalid repository format: {what}"));
        let text = std::str::from_utf8(bytes).map_err(|_| garbled("not UTF-8"))?;
        let mut lines = text.lines();
        let first = lines.next().unwrap_or_default();
        if first == UNRELEASED {
            return Err(unreleased());
        }
        let Some(version) = first.strip_prefix("undo format ") else { return Err(garbled("no version")) };
        if version != VERSION {
            let number = version.parse::<u32>().map_err(|_| garbled("no version"))?;
            return Err(newer(format!("format {number}")));
        }
        let (mut read, mut write, mut chunk, mut id) = (None, None, None, None);
        for line in lines {
            let (key, value) = line.split_once(':').ok_or_else(|| garbled("a line without a key"))?;
            let field = match key {
                "read" => &mut read,
                "write" => &mut write,
                "chunk" => &mut chunk,
                "id" => &mut id,
                _ => return Err(newer(format!("`{key}`"))),
            };
            if field.replace(value.trim()).is_some() {
                return Err(garbled("a line that is given twice"));
            }
        }
        let (Some(read), Some(write), Some(chunk), Some(id)) = (read, write, chunk, id) else {
            return Err(garbled("truncated"));
        };
        if let Some(unknown) = read.split_whitespace().find(|feature| !KNOWN.contains(feature)) {
            return Err(newer(format!("feature `{unknown}`")));
        }
        let chunk = parse_chunk(chunk).ok_or_else(|| garbled("impossible chunk parameters"))?;
        let id = parse_id(id).ok_or_else(|| garbled("no id"))?;
        Ok(Format { chunk, id, write: write.split_whitespace().map(str::to_owned).collect() })
    }

    /// Fails with [`ErrorKind::Unsupported`] if the repository uses a feature that this program cannot write.
    pub fn check_writable(&self) -> Result<()> {
        match self.write.iter().find(|feature| !KNOWN.contains(&feature.as_str())) {
            Some(unknown) => Err(newer(format!("feature `{unknown}`, which this version can read, but not write"))),
            None => Ok(()),
        }
    }
}

fn unreleased() -> Error {
    let message = "repository of a development version, from before format 1 was final; this version cannot read it";
    Error::new(ErrorKind::Unsupported, message)
        .hint("to start a new history: rename the folder `.undo`, then run `undo init`")
}

fn newer(what: String) -> Error {
    Error::new(ErrorKind::Unsupported, format!("repository written by a newer version of undo: {what}"))
        .hint("update undo, then run the command again")
}

fn parse_chunk(text: &str) -> Option<Params> {
    let (whole, target) = text.strip_prefix("whole=")?.split_once(" target=")?;
    let params = Params { whole: whole.parse().ok()?, target: target.parse().ok()? };
    params.validate().ok().map(|()| params)
}

fn parse_id(text: &str) -> Option<[u8; 16]> {
    if text.len() != 32 || !text.bytes().all(|digit| digit.is_ascii_hexdigit()) {
        return None;
    }
    u128::from_str_radix(text, 16).ok().map(u128::to_be_bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str =
        "undo format 1\nread:\nwrite:\nchunk: whole=1048576 target=131072\nid: 000102030405060708090a0b0c0d0e0f\n";

    #[test]
    fn format_text_is_golden() {
        let format = Format { chunk: Params::default(), id: std::array::from_fn(|n| n as u8), write: Vec::new() };
        assert_eq!(format.to_text(), TEXT);
        assert_eq!(Format::parse(TEXT.as_bytes()).unwrap(), format);
        assert_ne!(Format::new().unwrap().id, Format::new().unwrap().id);
    }

    #[test]
    fn unreleased_formats_are_rejected() {
        let error = Format::parse(TEXT.replace("undo format 1", "undo 1").as_bytes()).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Unsupported);
        assert!(error.to_string().contains("development version"), "{error}");
    }

    #[test]
    fn truncated_or_invalid_format_is_damage() {
        for end in 0..TEXT.len() - 1 {
            assert_eq!(Format::parse(&TEXT.as_bytes()[..end]).unwrap_err().kind(), ErrorKind::Damaged, "cut at {end}");
        }
        for (from, to) in [
            ("undo format 1", "Undo format 1"),
            ("target=131072", "target=1"),
            ("whole=1048576", "whole=-1"),
            ("whole=1048576", "whole=99999999999"),
            ("0f\n", "0g\n"),
            ("write:", "write"),
            ("read:", "read:\nread:"),
        ] {
            let error = Format::parse(TEXT.replace(from, to).as_bytes()).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Damaged, "{to}");
        }
    }

    #[test]
    fn newer_formats_are_rejected() {
        for (from, to) in [("undo format 1", "undo format 2"), ("read:", "read: sealed"), ("id:", "keys: 7\nid:")] {
            let error = Format::parse(TEXT.replace(from, to).as_bytes()).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Unsupported, "{to}");
            assert!(error.to_string().contains("written by a newer version of undo"), "{error}");
        }
        let format = Format::parse(TEXT.replace("write:", "write: quick").as_bytes()).unwrap();
        assert_eq!(format.check_writable().unwrap_err().kind(), ErrorKind::Unsupported);
        assert_eq!(Format::parse(format.to_text().as_bytes()).unwrap(), format);
        Format::parse(TEXT.as_bytes()).unwrap().check_writable().unwrap();
    }
}
