//! Alarms and notes as sentences.

use std::fmt;

use crate::alarm::Kind;
use crate::number::Count;
use crate::report::alarms::{AlarmRecord, NoteRecord};

/// `812 of 1,204 files were deleted, such as photos/a.jpg, photos/b.jpg`
impl fmt::Display for AlarmRecord {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let about = if self.estimated { "about " } else { "" };
        write!(f, "{about}{} of {} files ", Count(self.count), Count(self.of))?;
        match self.kind {
            Kind::Deleted => f.write_str("were deleted")?,
            Kind::Truncated => f.write_str("were emptied")?,
            Kind::Encrypted => f.write_str("now look encrypted")?,
            Kind::RenamedSuffix => write!(f, "became `*{}` and now look encrypted", self.suffix)?,
            Kind::Type => f.write_str("are no longer of the type that their names say")?,
        }
        let paths: Vec<_> = self.paths.iter().map(|path| path.display()).collect();
        if paths.is_empty() { Ok(()) } else { write!(f, ", such as {}", paths.join(", ")) }
    }
}

/// `142 media files were rewritten; their types still fit their names`
impl fmt::Display for NoteRecord {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let what = if self.kind == "rewritten" { "media files" } else { "files" };
        write!(f, "{} {what} were {}; their types still fit their names", Count(self.count), self.kind)
    }
}
