//! A tar stream (POSIX pax) of a whole target: sorted by path, and the same bytes for the same commit.
//!
//! What the old header has no room for (long names, nanoseconds, large numbers, extended attributes) is in pax records.
//! Holes become zeros.

use std::io::{self, Write};
use std::path::Path;

use tar::{Builder, EntryType, Header};

use crate::apply::Action;
use crate::error::{Error, Result};
use crate::history::entry_at;
use crate::message::Message;
use crate::object::entry_line::device_numbers;
use crate::object::{Content, Entry};
use crate::path::RepoPath;

use super::{Export, Exported};

/// How the stream is compressed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Compression {
    /// Not at all.
    #[default]
    None,
    /// As `gzip` does.
    Gzip,
    /// As `zstd` does.
    Zstd,
}

/// The unit that a tar stream is made of, in bytes.
const BLOCK: u64 = 512;
/// The largest number that seven octal digits can say.
const SEVEN_DIGITS: u64 = 0o7777777;
/// The largest number that eleven octal digits can say.
const ELEVEN_DIGITS: u64 = 0o77777777777;
/// Bytes of a name in the old header.
const NAME: usize = 100;

impl Export<'_> {
    /// Writes everything to a tar stream.
    pub(super) fn write_archive(&self, writer: &mut dyn Write, compression: Compression) -> Result<Exported> {
        let flush = |writer: &mut dyn Write| writer.flush();
        let (exported, flushed) = match compression {
            Compression::None => {
                let (exported, writer) = self.write_entries(writer)?;
                (exported, flush(writer))
            }
            Compression::Gzip => {
                let encoder = flate2::write::GzEncoder::new(writer, flate2::Compression::default());
                let (exported, encoder) = self.write_entries(encoder)?;
                (exported, encoder.finish().and_then(flush))
            }
            Compression::Zstd => {
                let encoder = zstd::Encoder::new(writer, zstd::DEFAULT_COMPRESSION_LEVEL).map_err(failed)?;
                let (exported, encoder) = self.write_entries(encoder)?;
                (exported, encoder.finish().and_then(flush))
            }
        };
        flushed.map_err(failed)?;
        Ok(exported)
    }

    fn write_entries<W: Write>(&self, writer: W) -> Result<(Exported, W)> {
        let mut archive = Archive { export: self, builder: Builder::new(writer) };
        let mut exported = Exported::default();
        self.each_part(&mut |plan| {
            exported.count(plan);
            plan.actions().try_for_each(|action| archive.action(&action))
        })?;
        Ok((exported, archive.builder.into_inner().map_err(failed)?))
    }
}

fn failed(cause: io::Error) -> Error {
    Error::io("write", Path::new("the archive"), cause)
}

struct Archive<'a, W: Write> {
    export: &'a Export<'a>,
    builder: Builder<W>,
}

impl<W: Write> Archive<'_, W> {
    fn action(&mut self, action: &Action) -> Result<()> {
        match action {
            Action::Create(path, entry) | Action::Replace(path, entry) | Action::Touch(path, entry) => {
                self.entry(path, entry)
            }
            Action::Link(path, to) => match entry_at(self.export.objects, &self.export.source.root, to)? {
                Some(entry) => self.head(path, &entry, EntryType::Link, to.as_bytes(), 0),
                None => Ok(()),
            },
            Action::Remove(_) => Ok(()),
        }
    }

    fn entry(&mut self, path: &RepoPath, entry: &Entry) -> Result<()> {
        match &entry.content {
            Content::File { blob, size } => {
                self.head(path, entry, EntryType::Regular, b"", *size)?;
                let length = self.export.store.copy_blob(*blob, self.builder.get_mut())?;
                if length != *size {
                    return Err(Error::damaged(Message::path(path) + format!(" has {length} bytes instead of {size}")));
                }
                let padding = [0; BLOCK as usize];
                let rest = length.next_multiple_of(BLOCK) - length;
                self.builder.get_mut().write_all(&padding[..rest as usize]).map_err(failed)?;
                self.export.task.add(length)
            }
            Content::Directory { .. } => self.head(path, entry, EntryType::Directory, b"", 0),
            Content::Symlink { target } => self.head(path, entry, EntryType::Symlink, target, 0),
            Content::Fifo => self.head(path, entry, EntryType::Fifo, b"", 0),
            Content::CharDevice { .. } => self.head(path, entry, EntryType::Char, b"", 0),
            Content::BlockDevice { .. } => self.head(path, entry, EntryType::Block, b"", 0),
        }
    }

    /// The pax records, if any are needed, and the header.
    fn head(&mut self, path: &RepoPath, entry: &Entry, kind: EntryType, link: &[u8], size: u64) -> Result<()> {
        let mut name = if path.is_root() { b".".to_vec() } else { path.as_bytes().to_vec() };
        if kind == EntryType::Directory {
            name.push(b'/');
        }
        let records = self.records(entry, &name, link, size)?;
        if !records.is_empty() {
            let mut header = Header::new_ustar();
            header.set_size(records.len() as u64);
            header.set_entry_type(EntryType::XHeader);
            header.set_cksum();
            self.builder.append(&header, &records[..]).map_err(failed)?;
        }
        let header = header(entry, kind, &name, link, size).map_err(failed)?;
        self.builder.get_mut().write_all(header.as_bytes()).map_err(failed)
    }

    /// What the header cannot say: the pax records.
    fn records(&self, entry: &Entry, name: &[u8], link: &[u8], size: u64) -> Result<Vec<u8>> {
        let metadata = &entry.metadata;
        let mut records = Vec::new();
        let mut add = |key: &str, value: Vec<u8>, is_needed: bool| {
            if is_needed {
                put_record(&mut records, key.as_bytes(), &value);
            }
        };
        let number = |number: u64| number.to_string().into_bytes();
        add("path", name.to_vec(), name.len() > NAME);
        add("linkpath", link.to_vec(), link.len() > NAME);
        add("size", number(size), size > ELEVEN_DIGITS);
        add("uid", number(metadata.uid.into()), u64::from(metadata.uid) > SEVEN_DIGITS);
        add("gid", number(metadata.gid.into()), u64::from(metadata.gid) > SEVEN_DIGITS);
        let mtime = metadata.mtime;
        let is_plain = mtime.nanoseconds == 0 && u64::try_from(mtime.seconds).is_ok_and(|it| it <= ELEVEN_DIGITS);
        add("mtime", mtime.to_decimal().into_bytes(), !is_plain);
        if let Some(id) = entry.attributes {
            for (key, value) in self.export.objects.attributes(id)?.xattrs {
                put_record(&mut records, &xattr_key(&key), &value);
            }
        }
        Ok(records)
    }
}

/// `LENGTH KEY=VALUE`, where the length counts its own digits.
fn put_record(records: &mut Vec<u8>, key: &[u8], value: &[u8]) {
    let rest = key.len() + value.len() + b" =\n".len();
    let mut length = rest;
    while rest + length.to_string().len() != length {
        length = rest + length.to_string().len();
    }
    records.extend_from_slice(format!("{length} ").as_bytes());
    records.extend_from_slice(&[key, b"=", value, b"\n"].concat());
}

/// The key of an attribute. A key ends at the first `=`; GNU tar writes that of a name, and `%`, in this way
/// (`xattr_encode_keyword` in its `src/xheader.c`), and reads it again.
fn xattr_key(name: &[u8]) -> Vec<u8> {
    let mut key = b"SCHILY.xattr.".to_vec();
    for byte in name {
        match byte {
            b'=' => key.extend_from_slice(b"%3D"),
            b'%' => key.extend_from_slice(b"%25"),
            byte => key.push(*byte),
        }
    }
    key
}

fn header(entry: &Entry, kind: EntryType, name: &[u8], link: &[u8], size: u64) -> io::Result<Header> {
    let metadata = &entry.metadata;
    let mut header = Header::new_ustar();
    header.set_entry_type(kind);
    let fields = header.as_old_mut();
    for (field, bytes) in [(&mut fields.name, name), (&mut fields.linkname, link)] {
        let length = bytes.len().min(NAME);
        field[..length].copy_from_slice(&bytes[..length]);
    }
    header.set_size(size.min(ELEVEN_DIGITS));
    header.set_mode(metadata.mode.into());
    header.set_uid(u64::from(metadata.uid).min(SEVEN_DIGITS));
    header.set_gid(u64::from(metadata.gid).min(SEVEN_DIGITS));
    header.set_mtime(u64::try_from(metadata.mtime.seconds).unwrap_or(0).min(ELEVEN_DIGITS));
    if let Content::CharDevice { rdev } | Content::BlockDevice { rdev } = entry.content {
        let (major, minor) = device_numbers(rdev);
        header.set_device_major(major)?;
        header.set_device_minor(minor)?;
    }
    header.set_cksum();
    Ok(header)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pax_record_length_counts_its_own_digits() {
        for (value, record) in [(2, 9), (3, 11), (91, 99), (92, 101)] {
            let mut records = Vec::new();
            put_record(&mut records, b"key", &vec![b'x'; value]);
            let text = String::from_utf8(records).unwrap();
            assert_eq!((text.len(), text.split(' ').next().unwrap().parse()), (record, Ok(record)), "{text}");
        }
        assert_eq!(xattr_key(b"user.a=b%\xff"), b"SCHILY.xattr.user.a%3Db%25\xff");
    }
}
