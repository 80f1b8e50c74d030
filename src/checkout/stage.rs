//! One name at a time, put in place or taken out so that nothing unsaved is lost: made beside the target, swapped with
//! it, and what was swapped out is looked at before it goes.

use std::borrow::Cow;

use crate::error::Result;
use crate::fs::{self, Dir, Stat};
use crate::id::BlobId;
use crate::metadata::Kind;
use crate::object::Content;
use crate::worktree::index::Record;

/// Something under a name of our own. When it is dropped and was not put in place, it is removed, or goes back where it was.
pub(super) struct Staged<'d> {
    directory: &'d Dir,
    /// Its name.
    pub name: Vec<u8>,
    is_directory: bool,
    is_ours: bool,
    /// Where it was: what is made is from nowhere.
    from: Option<(&'d Dir, &'d [u8])>,
}

/// What should stand at the name that something is put at.
pub(super) enum Expected {
    /// Nothing.
    Nothing,
    /// What this record says, which is saved.
    Saved(Box<Record>),
    /// A directory that is empty by now.
    EmptyDirectory,
}

impl Expected {
    /// What is known of the file that is to be replaced.
    pub(super) fn record(&self) -> Option<&Record> {
        match self {
            Expected::Saved(record) => Some(record),
            Expected::Nothing | Expected::EmptyDirectory => None,
        }
    }
}

impl<'d> Staged<'d> {
    /// To be called once it is made.
    pub(super) fn new(directory: &'d Dir, name: Vec<u8>, kind: Kind) -> Staged<'d> {
        Staged { directory, name, is_directory: kind == Kind::Directory, is_ours: true, from: None }
    }

    /// Takes a file of one name away from where it is. `None`, and nothing done, if it is not what was saved, or cannot be
    /// moved there.
    pub(super) fn take(
        from: (&'d Dir, &'d [u8]),
        directory: &'d Dir,
        name: Vec<u8>,
        record: &Record,
    ) -> Result<Option<Staged<'d>>> {
        let is_there = |there: Stat| is_untouched(record, &there) && there.links == 1;
        let can_go = matches!(from.0.stat(from.1), Ok(Some(there)) if is_there(there));
        if !can_go || !from.0.rename_new(from.1, directory, &name).unwrap_or(false) {
            return Ok(None);
        }
        let staged = Staged { directory, name, is_directory: false, is_ours: true, from: Some(from) };
        // What was written to it until then shows.
        let is_taken = match directory.stat(&staged.name)? {
            Some(there) if is_saved(record, &there) && there.links == 1 => {
                is_proven(directory, &staged.name, record, &there)?
            }
            _ => false,
        };
        Ok(is_taken.then_some(staged))
    }

    /// Takes it away again: to where it was, if it was somewhere.
    fn withdraw(&self) -> Result<bool> {
        match self.from {
            Some((directory, name)) => self.directory.rename_new(&self.name, directory, name),
            None if self.is_directory => self.directory.remove_dir(&self.name),
            None => self.directory.remove_file(&self.name).map(|()| true),
        }
    }

    /// Puts it, which has this inode, at `name`; `false`, and nothing done, if something else stands there than expected.
    pub(super) fn put(mut self, inode: u64, name: &[u8], expected: &Expected) -> Result<bool> {
        if self.name == name {
            self.is_ours = false;
            return Ok(true);
        }
        let there = match expected {
            Expected::Nothing => None,
            _ => self.directory.stat(name)?,
        };
        let is_expected = match (expected, &there) {
            // Where nothing is (any more) there is nothing to lose.
            (_, None) => return self.put_new(name),
            (Expected::Nothing, Some(_)) => false,
            (Expected::Saved(record), Some(there)) => is_untouched(record, there),
            (Expected::EmptyDirectory, Some(there)) => there.kind == Kind::Directory,
        };
        if !is_expected {
            return Ok(false);
        }
        if !self.directory.exchange(&self.name, self.directory, name)? {
            return self.put_over(name, expected);
        }
        // From here on our name holds what was there.
        self.is_ours = false;
        let is_gone = match expected {
            Expected::EmptyDirectory => self.directory.remove_dir(&self.name)?,
            Expected::Saved(record) => take_away(self.directory, &self.name, record)?,
            Expected::Nothing => false,
        };
        if !is_gone {
            self.directory.exchange(&self.name, self.directory, name)?;
            // If somebody has put yet another thing there in between, our name has that now, and it stays.
            self.is_ours = self.directory.stat(&self.name)?.is_some_and(|there| there.inode == inode);
        }
        Ok(is_gone)
    }

    fn put_new(mut self, name: &[u8]) -> Result<bool> {
        let is_put = self.directory.rename_new(&self.name, self.directory, name)?;
        self.is_ours = !is_put;
        Ok(is_put)
    }

    /// Where names cannot be swapped: what is there is taken out first.
    fn put_over(self, name: &[u8], expected: &Expected) -> Result<bool> {
        let aside = [&self.name[..], b"-old"].concat();
        let is_out = match expected {
            Expected::EmptyDirectory => self.directory.remove_dir(name)?,
            Expected::Saved(record) => take_out(self.directory, name, aside, record)?,
            Expected::Nothing => false,
        };
        if is_out { self.put_new(name) } else { Ok(false) }
    }
}

impl Drop for Staged<'_> {
    fn drop(&mut self) {
        if self.is_ours {
            // A leftover does no harm: the next command finds it by its token.
            let _ = self.withdraw();
        }
    }
}

/// Removes what stands at `name` and is saved, by way of the name `aside`; `false`, and nothing done, if it is not what
/// the record says.
pub(super) fn take_out(directory: &Dir, name: &[u8], aside: Vec<u8>, record: &Record) -> Result<bool> {
    let Some(there) = directory.stat(name)? else { return Ok(true) };
    if !is_untouched(record, &there) || !directory.rename_new(name, directory, &aside)? {
        return Ok(false);
    }
    if take_away(directory, &aside, record)? {
        return Ok(true);
    }
    directory.rename_new(&aside, directory, name)?;
    Ok(false)
}

/// Removes what was moved under a name of our own, if it still is what is saved.
fn take_away(directory: &Dir, name: &[u8], record: &Record) -> Result<bool> {
    let Some(there) = directory.stat(name)? else { return Ok(true) };
    // Overlayfs copies a file of its lower layer when it is moved; if it has other names there, the copy is another inode.
    let mut record = Cow::Borrowed(record);
    if record.stat.inode != there.inode && record.stat.links > 1 && there.links == 1 {
        let known = record.to_mut();
        (known.stat.inode, known.racy) = (there.inode, true);
    }
    if !is_saved(&record, &there) || !is_proven(directory, name, &record, &there)? {
        return Ok(false);
    }
    directory.remove_file(name).map(|()| true)
}

/// Whether what has this stat, which is that of the record, has its content too. Where the stat may hide a change the content is
/// read; what is written meanwhile shows in another look.
pub(super) fn is_proven(directory: &Dir, name: &[u8], record: &Record, there: &Stat) -> Result<bool> {
    Ok(!record.racy
        || has_content(directory, name, &record.content)?
            && directory.stat(name)?.is_some_and(|again| again.is_same(there)))
}

/// Whether a stat is of what was recorded, before anything was done to it: then its ctime counts too, as it shows a change
/// that set the old time again. A file that has or had several names is the exception: what is done to one is done to all.
pub(super) fn is_untouched(record: &Record, there: &Stat) -> bool {
    is_saved(record, there) && (record.stat.links != 1 || there.links != 1 || record.stat.ctime == there.ctime)
}

/// Whether a stat is of what was recorded. Its ctime does not count: moving it and changing its names set that. Nor does its
/// device: a file system that is mounted again may have another number.
pub(super) fn is_saved(record: &Record, there: &Stat) -> bool {
    let known = &record.stat;
    known.kind == there.kind
        && known.metadata == there.metadata
        && (known.size == there.size || known.kind == Kind::Directory)
        && known.inode == there.inode
        && known.rdev == there.rdev
}

/// Whether what stands at a name has this content: reads it.
pub(super) fn has_content(directory: &Dir, name: &[u8], content: &Content) -> Result<bool> {
    match content {
        Content::File { blob, .. } => Ok(hash(directory, name)? == *blob),
        Content::Symlink { target } => Ok(directory.read_link(name)? == *target),
        _ => Ok(true),
    }
}

/// The id of a file's content: reads it.
pub(super) fn hash(directory: &Dir, name: &[u8]) -> Result<BlobId> {
    let file = directory.open_file(name)?;
    let mut hasher = blake3::Hasher::new();
    let mut buffer = vec![0; 1 << 20];
    loop {
        let length = fs::read_next(&file, &mut buffer)?;
        hasher.update(&buffer[..length]);
        if length < buffer.len() {
            return Ok(BlobId(*hasher.finalize().as_bytes()));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::object::Content;

    fn record(directory: &Dir, name: &[u8]) -> Expected {
        let stat = directory.stat(name).unwrap().unwrap();
        let content = Content::File { blob: hash(directory, name).unwrap(), size: stat.size };
        Expected::Saved(Box::new(Record { name: name.to_vec(), stat, content, attributes: None, racy: false }))
    }

    fn staged<'d>(directory: &'d Dir, name: &[u8]) -> Staged<'d> {
        fs::write_all(&directory.create_file(name).unwrap(), b"new").unwrap();
        Staged::new(directory, name.to_vec(), Kind::File)
    }

    fn names(directory: &Dir) -> Vec<String> {
        let entries = directory.entries().unwrap();
        entries.into_iter().map(|entry| String::from_utf8(entry.name).unwrap()).collect()
    }

    #[test]
    fn where_names_cannot_be_swapped_what_is_there_is_taken_out_first() {
        let folder = tempfile::tempdir().unwrap();
        let directory = Dir::open(folder.path()).unwrap();
        let write = |text: &str| std::fs::write(folder.path().join("file"), text).unwrap();
        write("old");
        let expected = record(&directory, b"file");
        assert!(staged(&directory, b"stage").put_over(b"file", &expected).unwrap());
        assert_eq!(std::fs::read(folder.path().join("file")).unwrap(), b"new");
        // What was changed in between stays.
        let expected = record(&directory, b"file");
        write("mine");
        assert!(!staged(&directory, b"stage").put_over(b"file", &expected).unwrap());
        assert_eq!(std::fs::read(folder.path().join("file")).unwrap(), b"mine");
        directory.make_dir(b"room").unwrap();
        assert!(staged(&directory, b"stage").put_over(b"room", &Expected::EmptyDirectory).unwrap());
        assert_eq!(names(&directory), ["file", "room"]);
        assert_eq!(directory.stat(b"room").unwrap().unwrap().kind, Kind::File);
    }

    /// Overlayfs gives it another inode when it is moved.
    #[test]
    fn of_a_file_with_several_names_a_copy_is_taken_away_too() {
        let folder = tempfile::tempdir().unwrap();
        let directory = Dir::open(folder.path()).unwrap();
        for (links, content, is_gone) in [(2, "old", true), (2, "new", false), (1, "old", false)] {
            std::fs::write(folder.path().join("file"), "old").unwrap();
            let Expected::Saved(mut record) = record(&directory, b"file") else { unreachable!() };
            (record.stat.links, record.stat.inode) = (links, record.stat.inode + 1);
            std::fs::write(folder.path().join("file"), content).unwrap();
            record.stat.metadata = directory.stat(b"file").unwrap().unwrap().metadata;
            assert_eq!(take_away(&directory, b"file", &record).unwrap(), is_gone, "{links} {content}");
        }
    }

    /// A change behind the reader, of as many bytes: only the stat tells of it.
    #[test]
    fn what_is_written_to_while_it_is_read_is_not_taken_away() {
        let folder = tempfile::tempdir().unwrap();
        let directory = Dir::open(folder.path()).unwrap();
        loop {
            let file = std::fs::File::create(folder.path().join("file")).unwrap();
            file.set_len(512 << 20).unwrap();
            let Expected::Saved(mut record) = record(&directory, b"file") else { unreachable!() };
            record.racy = true;
            let (begun, is_over) = (std::time::Instant::now(), std::sync::atomic::AtomicBool::new(false));
            let (is_gone, came_late) = std::thread::scope(|scope| {
                let writer = scope.spawn(|| {
                    std::thread::sleep(std::time::Duration::from_millis(30));
                    fs::write_all_at(&file, b"mine", 0).unwrap();
                    is_over.load(std::sync::atomic::Ordering::SeqCst)
                });
                let is_gone = take_away(&directory, b"file", &record).unwrap();
                is_over.store(true, std::sync::atomic::Ordering::SeqCst);
                (is_gone, writer.join().unwrap())
            });
            assert!(!is_gone || came_late, "after {:?}", begun.elapsed());
            if !is_gone {
                break;
            }
        }
    }

    #[test]
    fn what_is_not_put_in_place_is_removed() {
        let folder = tempfile::tempdir().unwrap();
        let directory = Dir::open(folder.path()).unwrap();
        directory.make_dir(b"taken").unwrap();
        drop(staged(&directory, b"stage"));
        let put = |expected: &Expected| {
            let staged = staged(&directory, b"stage");
            let inode = directory.stat(b"stage").unwrap().unwrap().inode;
            staged.put(inode, b"taken", expected).unwrap()
        };
        assert!(!put(&Expected::Nothing));
        std::fs::write(folder.path().join("taken/in"), "").unwrap();
        assert!(!put(&Expected::EmptyDirectory));
        assert_eq!(names(&directory), ["taken"]);
        assert_eq!(directory.stat(b"taken").unwrap().unwrap().kind, Kind::Directory);
    }
}
