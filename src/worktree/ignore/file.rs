//! Reads the rules file of a directory.

use std::io::Read;

use crate::error::{Error, Result};
use crate::fs::{Dir, is_of_one_entry};
use crate::metadata::Kind;

use super::{FILE, LONGEST};

/// Rules file of a directory.
pub enum RulesFile {
    /// The directory has no rules file.
    Absent,
    /// A regular file with this content.
    Content(Vec<u8>),
    /// Not a regular file, or not readable, for this reason.
    Unusable(String),
}

/// Reads the rules file of an open directory. Does not follow a symbolic link, as git does not.
pub fn read_file(directory: &Dir) -> Result<RulesFile> {
    match read(directory) {
        Err(error) if error.is_not_found() => Ok(RulesFile::Absent),
        Err(error) if is_of_one_entry(&error) => Ok(RulesFile::Unusable(format!("cannot be read: {}", error.reason()))),
        file => file,
    }
}

fn read(directory: &Dir) -> Result<RulesFile> {
    let Some(stat) = directory.stat(FILE)? else { return Ok(RulesFile::Absent) };
    match stat.kind {
        Kind::File => {}
        Kind::Symlink => return Ok(RulesFile::Unusable("a symbolic link, which is not followed".to_owned())),
        kind => return Ok(RulesFile::Unusable(format!("not a file: {}", kind.word()))),
    }
    let mut content = Vec::new();
    if stat.size <= LONGEST {
        let mut file = directory.open_file(FILE)?.take(LONGEST + 1);
        file.read_to_end(&mut content)
            .map_err(|error| Error::io("read", &directory.path().join(".undoignore"), error))?;
    }
    if stat.size.max(content.len() as u64) > LONGEST {
        return Ok(RulesFile::Unusable("larger than 4 MiB".to_owned()));
    }
    Ok(RulesFile::Content(content))
}
