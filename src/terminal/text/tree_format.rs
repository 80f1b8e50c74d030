//! The lines of `ls-tree`, in the standard form or in a custom `--format` (`docs/plumbing.md`, "ls-tree").

use std::io;

use serde::{Serialize, Serializer};

use crate::error::{Error, ErrorKind, Result};
use crate::object::{Content, Entry};
use crate::path::RepoPath;
use crate::quote::quote;
use crate::report::entries::FullEntry;
use crate::terminal::text::placeholders::{self, Piece};
use crate::terminal::{Page, Print};

/// The text form of an entry.
pub enum Form {
    /// Entry line.
    Line,
    /// Entry line with the size after the object.
    Long,
    /// Path only.
    Name,
    /// Custom format.
    Format(Format),
}

/// A parsed `--format`: text and fields of an entry.
pub struct Format(Vec<Piece<Field>>);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Field {
    Mode,
    Type,
    Name,
    Size,
    Path,
    Owner,
    Mtime,
    Attributes,
    Target,
}

const FIELDS: [(&str, Field); 9] = [
    ("objectmode", Field::Mode),
    ("objecttype", Field::Type),
    ("objectname", Field::Name),
    ("objectsize", Field::Size),
    ("path", Field::Path),
    ("owner", Field::Owner),
    ("mtime", Field::Mtime),
    ("attributes", Field::Attributes),
    ("target", Field::Target),
];

impl Format {
    /// Parses `%(FIELD)`, `%xNN` (a byte) and `%%`; everything else is text.
    pub fn parse(text: &str) -> Result<Format> {
        let pieces = placeholders::parse(text, &|after| {
            if after.starts_with('x') {
                return Err(bad("two hex digits are wanted behind `%x`"));
            }
            let Some(after) = after.strip_prefix('(') else { return Err(bad("`%` alone")) };
            let (name, after) = after.split_once(')').ok_or_else(|| bad("a `)` is missing"))?;
            let field = FIELDS.iter().find(|(word, _)| *word == name).map(|(_, field)| *field);
            Ok((Piece::Field(field.ok_or_else(|| bad(&format!("no field `{}`", name.escape_debug())))?), after))
        });
        pieces.map(Format)
    }
}

fn bad(why: &str) -> Error {
    let fields = FIELDS.map(|(name, _)| format!("%({name})")).join(" ");
    Error::new(ErrorKind::Usage, format!("malformed format: {why}"))
        .hint(format!("fields are {fields}; `%x00` is a byte, `%%` a percent sign"))
}

/// An entry of a tree.
pub struct TreeLine<'l> {
    /// Path in the tree.
    pub path: &'l RepoPath,
    /// The entry.
    pub entry: &'l Entry,
    /// Text form.
    pub form: &'l Form,
}

impl Serialize for TreeLine<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        #[derive(Serialize)]
        #[serde(tag = "type", rename = "entry")]
        struct Record {
            #[serde(flatten)]
            entry: FullEntry,
        }
        Record { entry: FullEntry::new(self.path, self.entry) }.serialize(serializer)
    }
}

impl TreeLine<'_> {
    fn target(&self) -> Option<&[u8]> {
        match &self.entry.content {
            Content::Symlink { target } => Some(target),
            _ => None,
        }
    }

    fn size(&self) -> String {
        self.entry.blob().map_or("-".to_owned(), |_| self.entry.size().to_string())
    }

    fn field(&self, field: Field, is_raw: bool) -> Vec<u8> {
        let metadata = &self.entry.metadata;
        let name = |bytes: &[u8]| if is_raw { bytes.to_vec() } else { quote(bytes).into_owned().into_bytes() };
        let text = match field {
            Field::Path => return name(self.path.as_bytes()),
            Field::Target => return self.target().map(name).unwrap_or_default(),
            Field::Mode => format!("{:06o}", self.entry.full_mode()),
            Field::Type => self.entry.object_word().to_owned(),
            Field::Name => self.entry.object_name(),
            Field::Size => self.size(),
            Field::Owner => format!("{}:{}", metadata.uid, metadata.gid),
            Field::Mtime => metadata.mtime.to_decimal(),
            Field::Attributes => self.entry.attributes.map_or("-".to_owned(), |id| id.to_string()),
        };
        text.into_bytes()
    }
}

impl Print for TreeLine<'_> {
    fn print(&self, page: &mut Page<'_>) -> io::Result<()> {
        let names: Vec<&[u8]> = [Some(self.path.as_bytes()), self.target()].into_iter().flatten().collect();
        match self.form {
            Form::Line => page.entry(self.entry.line_head(), &names),
            Form::Long => page.entry(self.entry.long_line_head(&self.size()), &names),
            Form::Name => {
                page.name(self.path.as_bytes())?;
                page.raw(b"")
            }
            Form::Format(Format(pieces)) => {
                let is_raw = page.is_raw();
                let bytes = pieces.iter().flat_map(|piece| match piece {
                    Piece::Bytes(bytes) => bytes.clone(),
                    Piece::Field(field) => self.field(*field, is_raw),
                });
                page.raw(&bytes.collect::<Vec<u8>>())
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parse_splits_a_format_into_bytes_and_fields() {
        let pieces = |text: &str| Format::parse(text).unwrap().0;
        let bytes = |text: &[u8]| Piece::Bytes(text.to_vec());
        assert_eq!(pieces("%(path)%x00%x0A"), [Piece::Field(Field::Path), bytes(b"\0\n")]);
        assert_eq!(pieces("50%% é%(mtime)"), [bytes("50% é".as_bytes()), Piece::Field(Field::Mtime)]);
        assert_eq!(pieces(""), []);
    }

    #[test]
    fn parse_rejects_malformed_formats() {
        for (text, what) in [
            ("%(path", "a `)` is missing"),
            ("%(nonsense)", "no field `nonsense`"),
            ("%()", "no field ``"),
            ("%", "`%` alone"),
            ("a%b", "`%` alone"),
            ("%x0", "two hex digits"),
            ("%x+1", "two hex digits"),
            ("%xé", "two hex digits"),
        ] {
            let error = Format::parse(text).err().unwrap().to_string();
            assert!(error.contains(what), "{text}: {error}");
        }
    }
}
