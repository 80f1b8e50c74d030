//! Formats and parses entries as lines of text, for `ls-tree` and `mktree` (`docs/plumbing.md`, "Entry lines").

use super::entry::{Content, Entry};
use crate::error::{Error, ErrorKind, Result};
use crate::id::{AttributesId, BlobId, TreeId};
use crate::metadata::{Kind, Metadata};
use crate::path::is_name;
use crate::quote::unquote;
use crate::time::Timestamp;

/// For each kind: its bits in `st_mode`, and the word for its object.
const KINDS: [(Kind, u32, &str); 6] = [
    (Kind::File, 0o100_000, "blob"),
    (Kind::Directory, 0o040_000, "tree"),
    (Kind::Symlink, 0o120_000, "symlink"),
    (Kind::Fifo, 0o010_000, "fifo"),
    (Kind::CharDevice, 0o020_000, "char-device"),
    (Kind::BlockDevice, 0o060_000, "block-device"),
];

impl Entry {
    /// Kind and permission bits as in `st_mode`.
    pub fn full_mode(&self) -> u32 {
        let bits = KINDS.iter().find(|(kind, ..)| *kind == self.kind()).map_or(0, |(_, bits, _)| *bits);
        bits | u32::from(self.metadata.mode)
    }

    /// The word for the object: `blob`, `tree`, `symlink`, `fifo`, `char-device`, `block-device`.
    pub fn object_word(&self) -> &'static str {
        KINDS.iter().find(|(kind, ..)| *kind == self.kind()).map_or("", |(.., word)| word)
    }

    /// The id of the blob or tree; `MAJOR:MINOR` of a device; otherwise `-`.
    pub fn object_name(&self) -> String {
        match self.content {
            Content::File { blob, .. } => blob.to_string(),
            Content::Directory { tree, .. } => tree.to_string(),
            Content::CharDevice { rdev } | Content::BlockDevice { rdev } => {
                let (major, minor) = device_numbers(rdev);
                format!("{major}:{minor}")
            }
            Content::Symlink { .. } | Content::Fifo => "-".to_owned(),
        }
    }

    /// The line without names: mode, type, object, owner, mtime, attributes.
    pub fn line_head(&self) -> String {
        self.line(&self.object_name())
    }

    /// Like [`Entry::line_head`], with a size after the object.
    pub fn long_line_head(&self, size: &str) -> String {
        self.line(&format!("{} {size}", self.object_name()))
    }

    fn line(&self, object: &str) -> String {
        let Metadata { uid, gid, mtime, .. } = self.metadata;
        let attributes = self.attributes.map_or("-".to_owned(), |id| id.to_string());
        let (mode, word) = (self.full_mode(), self.object_word());
        format!("{mode:06o} {word} {object} {uid}:{gid} {} {attributes}", mtime.to_decimal())
    }
}

/// Parses a line with quoted names. Sizes and totals, which a line does not contain, are 0.
pub fn parse(line: &[u8]) -> Result<Entry> {
    let mut parts = line.splitn(3, |&byte| byte == b'\t');
    let head = parts.next().unwrap_or_default();
    let name = parts.next().ok_or_else(|| malformed("the TAB and the name are missing"))?;
    let name = unquote(name).ok_or_else(|| malformed("the quoted name is malformed"))?;
    let target = parts.next().map(|word| unquote(word).ok_or_else(|| malformed("the quoted target is malformed")));
    build(head, &name, target.transpose()?.as_deref())
}

/// Parses a record with raw names. Calls `target` for the next record if the entry is a symlink.
pub fn parse_raw<'t>(record: &[u8], target: impl FnOnce() -> Option<&'t [u8]>) -> Result<Entry> {
    let tab =
        record.iter().position(|&byte| byte == b'\t').ok_or_else(|| malformed("the TAB and the name are missing"))?;
    let (head, name) = (&record[..tab], &record[tab + 1..]);
    let is_symlink = head.split(|&byte| byte == b' ').nth(1) == Some(b"symlink");
    build(head, name, if is_symlink { target() } else { None })
}

fn build(head: &[u8], name: &[u8], target: Option<&[u8]>) -> Result<Entry> {
    if !is_name(name) {
        return Err(malformed(&format!("`{}` is not a valid name", name.escape_ascii())));
    }
    let text = std::str::from_utf8(head).map_err(|_| malformed("it is not UTF-8 before the TAB"))?;
    let fields: Vec<&str> = text.split(' ').collect();
    let [mode, word, object, owner, mtime, attributes] = fields[..] else {
        return Err(malformed(&format!("expected 6 fields before the TAB, found {}", fields.len())));
    };
    let (kind, mode) = parse_mode(mode, word)?;
    let (uid, gid) = parse_pair(owner).ok_or_else(|| bad_field("owner", owner))?;
    let mtime = Timestamp::parse_decimal(mtime).ok_or_else(|| bad_field("mtime", mtime))?;
    let content = parse_content(kind, object, target)?;
    let attributes = match attributes {
        "-" => None,
        id => Some(AttributesId::parse(id).ok_or_else(|| bad_field("attributes", id))?),
    };
    Ok(Entry { name: name.to_owned(), metadata: Metadata { mode, uid, gid, mtime }, attributes, content })
}

fn parse_mode(mode: &str, word: &str) -> Result<(Kind, u16)> {
    let is_octal = mode.len() == 6 && mode.bytes().all(|digit| matches!(digit, b'0'..=b'7'));
    let bits = u32::from_str_radix(mode, 8).ok().filter(|_| is_octal).ok_or_else(|| bad_field("mode", mode))?;
    let (kind, _, expected) = *KINDS
        .iter()
        .find(|(_, kind, _)| bits & !0o7777 == *kind)
        .ok_or_else(|| malformed(&format!("mode `{mode}` has an unknown kind")))?;
    if word != expected {
        return Err(malformed(&format!("mode `{mode}` belongs to a {expected}, not to a {word}")));
    }
    Ok((kind, (bits & 0o7777) as u16))
}

fn parse_content(kind: Kind, object: &str, target: Option<&[u8]>) -> Result<Content> {
    let wrong = || bad_field("object", object);
    if target.is_some() && kind != Kind::Symlink {
        return Err(malformed("only a symlink has a target"));
    }
    let device = || parse_pair(object).map(|(major, minor)| device(major, minor)).ok_or_else(wrong);
    match (kind, object) {
        (Kind::File, id) => Ok(Content::File { blob: BlobId::parse(id).ok_or_else(wrong)?, size: 0 }),
        (Kind::Directory, id) => {
            Ok(Content::Directory { tree: TreeId::parse(id).ok_or_else(wrong)?, entries: 0, size: 0 })
        }
        (Kind::Symlink, "-") => match target {
            Some(target) if !target.is_empty() && !target.contains(&0) => {
                Ok(Content::Symlink { target: target.to_owned() })
            }
            _ => Err(malformed("the target of the symlink is missing")),
        },
        (Kind::Fifo, "-") => Ok(Content::Fifo),
        (Kind::CharDevice, _) => Ok(Content::CharDevice { rdev: device()? }),
        (Kind::BlockDevice, _) => Ok(Content::BlockDevice { rdev: device()? }),
        _ => Err(wrong()),
    }
}

/// Parses two numbers separated by a colon.
fn parse_pair(text: &str) -> Option<(u32, u32)> {
    let number = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit()).then(|| text.parse().ok())?;
    let (first, second) = text.split_once(':')?;
    Some((number(first)?, number(second)?))
}

/// Splits `st_rdev` into major and minor number, as Linux does.
pub fn device_numbers(rdev: u64) -> (u32, u32) {
    let major = (rdev >> 32 & 0xffff_f000) | (rdev >> 8 & 0xfff);
    let minor = (rdev >> 12 & 0xffff_ff00) | (rdev & 0xff);
    (major as u32, minor as u32)
}

/// Combines major and minor number into `st_rdev`.
fn device(major: u32, minor: u32) -> u64 {
    let (major, minor) = (u64::from(major), u64::from(minor));
    (major & 0xffff_f000) << 32 | (major & 0xfff) << 8 | (minor & 0xffff_ff00) << 12 | (minor & 0xff)
}

fn malformed(why: &str) -> Error {
    Error::new(ErrorKind::Usage, format!("malformed entry: {why}"))
        .hint("`undo ls-tree REV` prints such lines; docs/plumbing.md has their grammar")
}

fn bad_field(name: &str, value: &str) -> Error {
    malformed(&format!("invalid {name} `{}`", value.escape_debug()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::quote::quote;

    const ID: &str = "6437b3ac38465133ffb63b75273a8db548c558465d79db03fd359c6cd5bd9d85";

    #[test]
    fn entry_lines_round_trip() {
        for line in [
            format!("100644 blob {ID} 0:4294967295 1767571200.000000001 -\ta.txt"),
            format!("104755 blob {ID} 1000:100 -0.000000001 {ID}\t\"tab\\there\""),
            format!("041777 tree {ID} 0:0 0.000000000 -\tfolder"),
            "120777 symlink - 0:0 5.000000000 -\tlink\t../some where".to_owned(),
            "010600 fifo - 0:0 5.000000000 -\tpipe".to_owned(),
            "020620 char-device 4294967295:4294967295 0:5 5.000000000 -\ttty".to_owned(),
            "060660 block-device 259:3 0:6 5.000000000 -\tdisk".to_owned(),
        ] {
            let entry = parse(line.as_bytes()).unwrap();
            let target = match &entry.content {
                Content::Symlink { target } => format!("\t{}", quote(target)),
                _ => String::new(),
            };
            assert_eq!(format!("{}\t{}{target}", entry.line_head(), quote(&entry.name)), line);
        }
    }

    #[test]
    fn raw_entry_lines_accept_any_valid_name() {
        let entry = parse_raw(b"120777 symlink - 0:0 5.0 -\t\"\t\n\xff", || Some(b"to\t\n")).unwrap();
        assert_eq!(entry.name, b"\"\t\n\xff");
        assert_eq!(entry.content, Content::Symlink { target: b"to\t\n".to_vec() });
    }

    #[test]
    fn device_numbers_round_trip() {
        for (major, minor) in [(0, 0), (8, 1), (259, 1_048_575), (u32::MAX, u32::MAX)] {
            assert_eq!(device_numbers(device(major, minor)), (major, minor));
        }
        assert_eq!(device(8, 1), 0x801);
    }

    #[test]
    fn malformed_entry_lines_are_explained() {
        for (line, what) in [
            (format!("100644 blob {ID}\ta"), "expected 6 fields before the TAB, found 3"),
            (format!("100644 blob {ID} 0:0 5.0 - a"), "the TAB and the name are missing"),
            (format!("100644 blob {ID} 0:0 5.0 -\t.."), "`..` is not a valid name"),
            (format!("100644 blob {ID} 0:0 5.0 -\ta/b"), "`a/b` is not a valid name"),
            (format!("100644 blob {ID} 0:0 5.0 -\t\"a"), "the quoted name is malformed"),
            (format!("100644 tree {ID} 0:0 5.0 -\ta"), "mode `100644` belongs to a blob, not to a tree"),
            (format!("140644 blob {ID} 0:0 5.0 -\ta"), "mode `140644` has an unknown kind"),
            (format!("100844 blob {ID} 0:0 5.0 -\ta"), "invalid mode `100844`"),
            (format!("100644 blob {} 0:0 5.0 -\ta", &ID[1..]), "invalid object"),
            (format!("100644 blob {ID} 0 5.0 -\ta"), "invalid owner `0`"),
            (format!("100644 blob {ID} 0:+1 5.0 -\ta"), "invalid owner `0:+1`"),
            (format!("100644 blob {ID} 0:0 now -\ta"), "invalid mtime `now`"),
            (format!("100644 blob {ID} 0:0 5.0 x\ta"), "invalid attributes `x`"),
            (format!("100644 blob {ID} 0:0 5.0 -\ta\tb"), "only a symlink has a target"),
            ("120777 symlink - 0:0 5.0 -\ta".to_owned(), "the target of the symlink is missing"),
            ("010644 fifo x 0:0 5.0 -\ta".to_owned(), "invalid object `x`"),
        ] {
            let message = parse(line.as_bytes()).unwrap_err().to_string();
            assert!(message.contains(what), "{message}: {what}");
        }
    }
}
