//! The `--format` of `log`: git's placeholders, such as `%h %an %ar %s`.

use std::io;

use crate::error::{Error, ErrorKind, Result};
use crate::id::CommitId;
use crate::report::commits::CommitRecord;
use crate::terminal::text::placeholders::{self, Piece};
use crate::terminal::{Page, Role};

/// A parsed format.
#[derive(Clone, Debug)]
pub struct LogFormat(Vec<Piece<Field>>);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Field {
    Id,
    ShortId,
    Parents,
    ShortParents,
    Author,
    Host,
    Date,
    IsoDate,
    Seconds,
    Age,
    Subject,
    Body,
    Message,
    Names,
    Decoration,
}

/// The placeholders. The committer of git is the author.
const FIELDS: [(&str, Field); 20] = [
    ("H", Field::Id),
    ("h", Field::ShortId),
    ("P", Field::Parents),
    ("p", Field::ShortParents),
    ("an", Field::Author),
    ("cn", Field::Author),
    ("ae", Field::Host),
    ("ad", Field::Date),
    ("cd", Field::Date),
    ("aI", Field::IsoDate),
    ("cI", Field::IsoDate),
    ("at", Field::Seconds),
    ("ct", Field::Seconds),
    ("ar", Field::Age),
    ("cr", Field::Age),
    ("s", Field::Subject),
    ("b", Field::Body),
    ("B", Field::Message),
    ("D", Field::Names),
    ("d", Field::Decoration),
];

impl LogFormat {
    /// Parses placeholders, `%n` (a new line), `%xNN` (a byte) and `%%`; everything else is text. `format:` and `tformat:` in
    /// front are accepted.
    pub fn parse(text: &str) -> Result<LogFormat> {
        let text = text.strip_prefix("format:").or(text.strip_prefix("tformat:")).unwrap_or(text);
        let pieces = placeholders::parse(text, &|after| {
            if let Some(after) = after.strip_prefix('n') {
                return Ok((Piece::Bytes(b"\n".to_vec()), after));
            }
            let field = FIELDS.iter().find_map(|(word, field)| Some((Piece::Field(*field), after.strip_prefix(word)?)));
            field.ok_or_else(|| unknown(after))
        });
        pieces.map(LogFormat)
    }

    /// Writes a commit, followed by a new line, or with `-z` by NUL.
    pub fn print(&self, commit: &CommitRecord, page: &mut Page<'_>) -> io::Result<()> {
        let pieces = self.0.iter().flat_map(|piece| match piece {
            Piece::Bytes(bytes) => bytes.clone(),
            Piece::Field(field) => field.text(commit, page).into_bytes(),
        });
        let bytes: Vec<u8> = pieces.collect();
        match page.is_raw() {
            true => page.raw(&bytes),
            false => page.content(Role::Path, &[&bytes[..], b"\n"].concat()),
        }
    }
}

impl Field {
    fn text(self, commit: &CommitRecord, page: &Page<'_>) -> String {
        let message = commit.message.trim_end();
        let (subject, body) = message.split_once('\n').unwrap_or((message, ""));
        let parents = |word: fn(&CommitId) -> String| commit.parents.iter().map(word).collect::<Vec<_>>().join(" ");
        match self {
            Field::Id => commit.id.to_string(),
            Field::ShortId => commit.id.short(),
            Field::Parents => parents(ToString::to_string),
            Field::ShortParents => parents(|id| id.short()),
            Field::Author => commit.author.clone(),
            Field::Host => format!("{}@{}", commit.author, commit.host),
            Field::Date => page.local_date(commit.time),
            Field::IsoDate => commit.time.to_rfc3339(),
            Field::Seconds => commit.time.seconds.to_string(),
            Field::Age => page.age_text(commit.time),
            Field::Subject => subject.to_owned(),
            Field::Body => body.trim_start_matches('\n').to_owned(),
            Field::Message => message.to_owned(),
            Field::Names => names(commit),
            Field::Decoration => match names(commit) {
                names if names.is_empty() => names,
                names => format!(" ({names})"),
            },
        }
    }
}

/// `@ -> main, v1`
fn names(commit: &CommitRecord) -> String {
    let names = commit.branches.iter().chain(&commit.tags).cloned().collect::<Vec<_>>().join(", ");
    match (commit.current, names.is_empty()) {
        (true, true) => "@".to_owned(),
        (true, false) => format!("@ -> {names}"),
        (false, _) => names,
    }
}

fn unknown(after: &str) -> Error {
    let start: String = after.chars().take(2).collect();
    let fields = FIELDS.map(|(word, _)| format!("%{word}")).join(" ");
    Error::new(ErrorKind::Usage, format!("unknown placeholder `%{}` in the format", start.escape_debug()))
        .hint(format!("placeholders are {fields}; `%n` is a new line, `%x09` a byte, `%%` a percent sign"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parse_splits_a_format_into_bytes_and_fields() {
        let pieces = |text: &str| LogFormat::parse(text).unwrap().0;
        let bytes = |text: &[u8]| Piece::Bytes(text.to_vec());
        assert_eq!(pieces("%h%x00%n"), [Piece::Field(Field::ShortId), bytes(b"\0\n")]);
        assert_eq!(pieces("format:50%% %an"), [bytes(b"50% "), Piece::Field(Field::Author)]);
        assert_eq!(pieces(""), []);
        for bad in ["%", "%q", "%a", "%x4", "%xz0", "%x+1", "%é"] {
            assert!(LogFormat::parse(bad).is_err(), "{bad}");
        }
    }
}
