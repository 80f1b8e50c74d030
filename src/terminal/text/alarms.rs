//! Alarms and notes as sentences.

use std::fmt;

use crate::alarm::Kind;
use crate::message::Message;
use crate::number::Count;
use crate::report::alarms::{AlarmRecord, NoteRecord};

/// ``812 of 1,204 files were deleted, such as `photos/a.jpg`, `photos/b.jpg` ``
pub fn describe_alarm(alarm: &AlarmRecord) -> Message {
    let about = if alarm.estimated { "about " } else { "" };
    let event = match alarm.kind {
        Kind::Deleted => "were deleted".to_owned(),
        Kind::Truncated => "were emptied".to_owned(),
        Kind::Encrypted => "now look encrypted".to_owned(),
        Kind::RenamedSuffix => format!("became `*{}` and now look encrypted", alarm.suffix),
        Kind::Type => "are no longer of the type that their names say".to_owned(),
    };
    let message = Message::from(format!("{about}{} of {} files {event}", Count(alarm.count), Count(alarm.of)));
    let add = |message: Message, (n, path): (usize, _)| message + if n == 0 { ", such as " } else { ", " } + path;
    alarm.paths.iter().map(|path| Message::path(path)).enumerate().fold(message, add)
}

/// `142 media files were rewritten; their types still fit their names`
impl fmt::Display for NoteRecord {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let what = if self.kind == "rewritten" { "media files" } else { "files" };
        write!(f, "{} {what} were {}; their types still fit their names", Count(self.count), self.kind)
    }
}
