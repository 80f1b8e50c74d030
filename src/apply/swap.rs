//! Replaces or removes one entry so that nothing unsaved is lost: stages the new entry beside it, swaps the two names, and
//! checks the old entry before removing it.

use std::borrow::Cow;

use crate::error::Result;
use crate::fs::{self, Dir, Renamed, Stat, Writers};
use crate::metadata::Kind;
use crate::object::Objects;
use crate::worktree::index::Record;

use super::proof::{is_moved, is_proven, is_saved, is_untouched, still_saved};

/// An entry under a staged name. Dropping it before it is put in place removes it, or moves it back.
pub(super) struct Staged<'d> {
    directory: &'d Dir,
    pub name: Vec<u8>,
    is_directory: bool,
    is_ours: bool,
    /// Original directory and name of a moved entry. `None` for a new one.
    from: Option<(&'d Dir, &'d [u8])>,
}

/// The entry expected at the final name.
pub(super) enum Expected {
    Nothing,
    /// The saved entry with this record.
    Saved(Box<Record>, WhenOpen),
    /// A directory whose content has been removed.
    EmptyDirectory,
}

/// What to do with a file that another program has open for writing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum WhenOpen {
    /// Leave it at its name.
    Keep,
    /// Replace or remove it anyway; also used if the system cannot tell whether a file is open.
    Replace,
}

/// Result of putting an entry in place or taking one out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Swap {
    /// Done: the inode that is now in place, or was removed.
    Done(u64),
    /// Nothing done: the entry there is not the expected one.
    Changed,
    /// Nothing done: another program has the file open for writing.
    InUse,
}

impl Expected {
    /// Record of the entry to replace.
    pub(super) fn record(&self) -> Option<&Record> {
        match self {
            Expected::Saved(record, _) => Some(record),
            Expected::Nothing | Expected::EmptyDirectory => None,
        }
    }
}

impl<'d> Staged<'d> {
    /// Takes responsibility for a new entry, which must exist.
    pub(super) fn new(directory: &'d Dir, name: Vec<u8>, kind: Kind) -> Staged<'d> {
        Staged { directory, name, is_directory: kind == Kind::Directory, is_ours: true, from: None }
    }

    /// Moves a file with a single name to a staged name or, with `is_final`, to its final name. `None`, without a
    /// change, if it is not the saved file or cannot be moved there.
    pub(super) fn take(
        from: (&'d Dir, &'d [u8]),
        directory: &'d Dir,
        (name, is_final): (Vec<u8>, bool),
        record: &Record,
    ) -> Result<Option<Staged<'d>>> {
        let is_there = |there: Stat| is_untouched(record, &there) && there.links == 1;
        if !matches!(from.0.stat(from.1), Ok(Some(there)) if is_there(there)) {
            return Ok(None);
        }
        let is_taken = match is_final {
            true => matches!(from.0.rename_new(from.1, directory, &name), Ok(Renamed::Yes | Renamed::ByLink)),
            false => from.0.rename(from.1, directory, &name).is_ok(),
        };
        if !is_taken {
            return Ok(None);
        }
        let staged = Staged { directory, name, is_directory: false, is_ours: true, from: Some(from) };
        // The stat shows whether the file was written to before it was moved.
        let is_taken = match directory.stat(&staged.name)? {
            Some(there) if is_saved(record, &there) && there.links == 1 => {
                is_proven(directory, &staged.name, record, &there)?
            }
            _ => false,
        };
        Ok(is_taken.then_some(staged))
    }

    /// Undoes the staging: removes a new entry, moves another one back.
    fn unstage(&self) -> Result<bool> {
        match self.from {
            Some((directory, name)) => Ok(self.directory.rename_new(&self.name, directory, name)? != Renamed::No),
            None if self.is_directory => self.directory.remove_dir(&self.name),
            None => self.directory.remove_file(&self.name).map(|()| true),
        }
    }

    /// Moves the staged entry, which has this inode, to `name`, unless the entry there is not the expected one.
    pub(super) fn put(mut self, inode: u64, name: &[u8], expected: &Expected, objects: &dyn Objects) -> Result<Swap> {
        if self.name == name {
            self.is_ours = false;
            return Ok(Swap::Done(inode));
        }
        let there = match expected {
            Expected::Nothing => None,
            _ => self.directory.stat(name)?,
        };
        let saved = match (expected, &there) {
            // No entry (any more), so nothing can be lost.
            (_, None) => return self.put_new(inode, name),
            (Expected::Nothing, Some(_)) => return Ok(Swap::Changed),
            (Expected::Saved(record, when_open), Some(there)) => {
                let saved = still_saved((self.directory, name), record, there, objects)?;
                let Some(saved) = saved else { return Ok(Swap::Changed) };
                Some((saved, *when_open))
            }
            (Expected::EmptyDirectory, Some(there)) if there.kind == Kind::Directory => None,
            (Expected::EmptyDirectory, Some(_)) => return Ok(Swap::Changed),
        };
        if !self.directory.exchange(&self.name, self.directory, name)? {
            return self.put_over(inode, name, saved);
        }
        // The staged name now holds the old entry.
        self.is_ours = false;
        let taken = match saved {
            Some((record, when_open)) => take_away(self.directory, &self.name, &record, when_open)?,
            None => remove_dir(self.directory, &self.name)?,
        };
        if !matches!(taken, Swap::Done(_)) {
            self.directory.exchange(&self.name, self.directory, name)?;
            // If another program has put a third entry there meanwhile, the staged name now holds that, and it stays.
            self.is_ours = self.directory.stat(&self.name)?.is_some_and(|there| there.inode == inode);
            return Ok(taken);
        }
        Ok(Swap::Done(inode))
    }

    fn put_new(mut self, inode: u64, name: &[u8]) -> Result<Swap> {
        let renamed = self.directory.rename_new(&self.name, self.directory, name)?;
        self.is_ours = renamed == Renamed::No;
        match renamed {
            Renamed::No => Ok(Swap::Changed),
            Renamed::Yes => Ok(Swap::Done(inode)),
            // On file systems with inode numbers per name, the file now has another number.
            Renamed::ByLink => Ok(self.directory.stat(name)?.map_or(Swap::Changed, |there| Swap::Done(there.inode))),
        }
    }

    /// Fallback for file systems that cannot swap names: first takes out the existing entry, a saved file or an empty
    /// directory.
    fn put_over(self, inode: u64, name: &[u8], saved: Option<(Cow<'_, Record>, WhenOpen)>) -> Result<Swap> {
        let taken = match saved {
            Some((record, when_open)) => {
                let aside = [&self.name[..], b"-old"].concat();
                move_out(self.directory, name, &aside, (&record, when_open))?
            }
            None => remove_dir(self.directory, name)?,
        };
        if matches!(taken, Swap::Done(_)) { self.put_new(inode, name) } else { Ok(taken) }
    }
}

impl Drop for Staged<'_> {
    fn drop(&mut self) {
        if self.is_ours {
            // On failure, the next command finds the staged name by its token.
            let _ = self.unstage();
        }
    }
}

/// Removes the saved entry at `name` through the name `aside`, unless it does not match the record.
pub(super) fn take_out(
    (directory, name): (&Dir, &[u8]),
    aside: &[u8],
    (record, when_open): (&Record, WhenOpen),
    objects: &dyn Objects,
) -> Result<Swap> {
    let Some(there) = directory.stat(name)? else { return Ok(Swap::Done(record.stat.inode)) };
    let saved = still_saved((directory, name), record, &there, objects)?;
    let Some(record) = saved else { return Ok(Swap::Changed) };
    move_out(directory, name, aside, (&record, when_open))
}

/// Moves a file to a staged name and removes it there. Moves it back if it does not match the record or is in use.
fn move_out(directory: &Dir, name: &[u8], aside: &[u8], (record, when_open): (&Record, WhenOpen)) -> Result<Swap> {
    directory.rename(name, directory, aside)?;
    let taken = take_away(directory, aside, record, when_open)?;
    if !matches!(taken, Swap::Done(_)) {
        directory.rename_new(aside, directory, name)?;
    }
    Ok(taken)
}

/// Removes a file that was moved to a staged name, if it still is the saved one and no program can write to it any
/// more: no program has it open or knows this name.
fn take_away(directory: &Dir, name: &[u8], record: &Record, when_open: WhenOpen) -> Result<Swap> {
    // Checked before the stat, so that the stat shows everything that was written.
    let is_open = when_open == WhenOpen::Keep && record.stat.kind == Kind::File && is_open_for_writing(directory, name);
    let Some(there) = directory.stat(name)? else { return Ok(Swap::Done(record.stat.inode)) };
    if !is_moved(directory, name, record, &there)? {
        return Ok(Swap::Changed);
    }
    if is_open {
        return Ok(Swap::InUse);
    }
    directory.remove_file(name).map(|()| Swap::Done(there.inode))
}

/// Removes an empty directory.
fn remove_dir(directory: &Dir, name: &[u8]) -> Result<Swap> {
    Ok(if directory.remove_dir(name)? { Swap::Done(0) } else { Swap::Changed })
}

/// Whether a program has a file open for writing or mapped for shared writing. `false` if the system cannot tell.
fn is_open_for_writing(directory: &Dir, name: &[u8]) -> bool {
    directory.open_file(name).is_ok_and(|file| fs::writers_of(&file) == Writers::Some)
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;
    use std::sync::Arc;

    use super::*;
    use crate::apply::proof::hash;
    use crate::error::Error;
    use crate::fs;
    use crate::id::ObjectId;
    use crate::object::{Attributes, Content, ObjectKind};

    /// Objects in memory.
    #[derive(Default)]
    struct Memory(HashMap<ObjectId, Arc<[u8]>>);

    impl Objects for Memory {
        fn object(&self, _: ObjectKind, id: ObjectId) -> Result<Arc<[u8]>> {
            self.0.get(&id).cloned().ok_or_else(|| Error::damaged("it is missing"))
        }
    }

    fn saved(expected: &Expected) -> Option<(Cow<'_, Record>, WhenOpen)> {
        expected.record().map(|record| (Cow::Borrowed(record), WhenOpen::Keep))
    }

    fn is_done(swap: Swap) -> bool {
        matches!(swap, Swap::Done(_))
    }

    fn record(directory: &Dir, name: &[u8]) -> Expected {
        let stat = directory.stat(name).unwrap().unwrap();
        let content = Content::File { blob: hash(directory, name).unwrap(), size: stat.size };
        let record = Record { name: name.to_vec(), stat, content, attributes: None, racy: false };
        Expected::Saved(Box::new(record), WhenOpen::Keep)
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
    fn swap_falls_back_to_moving_old_entry_away() {
        let folder = tempfile::tempdir().unwrap();
        let directory = Dir::open(folder.path()).unwrap();
        let write = |text: &str| std::fs::write(folder.path().join("file"), text).unwrap();
        write("old");
        let expected = record(&directory, b"file");
        assert!(is_done(staged(&directory, b"stage").put_over(1, b"file", saved(&expected)).unwrap()));
        assert_eq!(std::fs::read(folder.path().join("file")).unwrap(), b"new");
        // What was changed in between stays.
        let expected = record(&directory, b"file");
        write("mine");
        assert_eq!(staged(&directory, b"stage").put_over(1, b"file", saved(&expected)).unwrap(), Swap::Changed);
        assert_eq!(std::fs::read(folder.path().join("file")).unwrap(), b"mine");
        directory.make_dir(b"room").unwrap();
        assert!(is_done(staged(&directory, b"stage").put_over(1, b"room", None).unwrap()));
        assert_eq!(names(&directory), ["file", "room"]);
        assert_eq!(directory.stat(b"room").unwrap().unwrap().kind, Kind::File);
    }

    /// On FUSE and overlayfs, a file may have another inode number after it was moved.
    #[test]
    fn take_out_compares_content_if_inode_differs() {
        let folder = tempfile::tempdir().unwrap();
        let directory = Dir::open(folder.path()).unwrap();
        for (links, content, is_gone) in [(2, "old", true), (2, "new", false), (1, "old", true), (1, "new", false)] {
            std::fs::write(folder.path().join("file"), "old").unwrap();
            let Expected::Saved(mut record, _) = record(&directory, b"file") else { unreachable!() };
            (record.stat.links, record.stat.inode) = (links, record.stat.inode + 1);
            std::fs::write(folder.path().join("file"), content).unwrap();
            record.stat.metadata = directory.stat(b"file").unwrap().unwrap().metadata;
            let taken = take_away(&directory, b"file", &record, WhenOpen::Keep).unwrap();
            assert_eq!(is_done(taken), is_gone, "{links} {content}");
        }
    }

    /// Different inode numbers and change times are not a change if content and attributes are as saved.
    #[test]
    fn take_out_compares_content_and_xattrs() {
        let folder = tempfile::tempdir().unwrap();
        let directory = Dir::open(folder.path()).unwrap();
        let attributes = Attributes { xattrs: vec![(b"user.k".to_vec(), b"v".to_vec())], ..Attributes::default() };
        let memory = Memory(HashMap::from([(attributes.id().object_id(), Arc::from(attributes.encode()))]));
        let remove = |change: fn(&mut Record), has_attributes: bool| {
            std::fs::write(folder.path().join("file"), "old").unwrap();
            if has_attributes && directory.set_xattr(b"file", b"user.k", b"v").is_err() {
                return None;
            }
            let Expected::Saved(mut record, _) = record(&directory, b"file") else { unreachable!() };
            change(&mut record);
            let taken = take_out((&directory, b"file"), b"aside", (&record, WhenOpen::Keep), &memory).unwrap();
            let is_gone = is_done(taken);
            assert_ne!(is_gone, folder.path().join("file").exists());
            assert_eq!(names(&directory).len(), usize::from(!is_gone));
            Some(is_gone)
        };
        assert_eq!(remove(|_| {}, false), Some(true));
        assert_eq!(remove(|record| record.stat.ctime.seconds -= 1, false), Some(true));
        assert_eq!(remove(|record| record.stat.inode += 1, false), Some(true));
        let other_content = |record: &mut Record| {
            record.stat.inode += 1;
            record.content = Content::File { blob: crate::id::BlobId([1; 32]), size: 3 };
        };
        assert_eq!(remove(other_content, false), Some(false));
        assert_eq!(remove(|record| record.stat.metadata.mtime.seconds -= 1, false), Some(false));
        // An attribute that was not recorded, and one that was.
        if let Some(is_gone) = remove(|record| record.stat.ctime.seconds -= 1, true) {
            assert!(!is_gone);
            let recorded = |record: &mut Record| {
                record.stat.ctime.seconds -= 1;
                let xattrs = vec![(b"user.k".to_vec(), b"v".to_vec())];
                record.attributes = Some(Attributes { xattrs, ..Attributes::default() }.id());
            };
            assert_eq!(remove(recorded, true), Some(true));
        }
    }

    #[test]
    fn swap_keeps_file_open_for_writing() {
        let folder = tempfile::tempdir().unwrap();
        let directory = Dir::open(folder.path()).unwrap();
        let read = || std::fs::read(folder.path().join("file")).unwrap();
        std::fs::write(folder.path().join("file"), "old").unwrap();
        let writer = std::fs::OpenOptions::new().append(true).open(folder.path().join("file")).unwrap();
        if !is_open_for_writing(&directory, b"file") {
            // This file system has no leases.
            return;
        }
        let memory = Memory::default();
        let put = || {
            let expected = record(&directory, b"file");
            let staged = staged(&directory, b"stage");
            staged.put(1, b"file", &expected, &memory).unwrap()
        };
        let Expected::Saved(known, _) = record(&directory, b"file") else { unreachable!() };
        let taken = take_out((&directory, b"file"), b"aside", (&known, WhenOpen::Keep), &memory).unwrap();
        assert_eq!((taken, names(&directory)), (Swap::InUse, vec!["file".to_owned()]));
        let inode = directory.stat(b"file").unwrap().unwrap().inode;
        assert_eq!((put(), read()), (Swap::InUse, b"old".to_vec()));
        assert_eq!(directory.stat(b"file").unwrap().unwrap().inode, inode);
        drop(writer);
        let _ = directory.remove_file(b"stage");
        assert_eq!((put(), read()), (Swap::Done(1), b"new".to_vec()));
    }

    /// A change behind the reader, of as many bytes: only the stat tells of it.
    #[test]
    fn take_out_keeps_file_changed_while_read() {
        let folder = tempfile::tempdir().unwrap();
        let directory = Dir::open(folder.path()).unwrap();
        loop {
            let file = std::fs::File::create(folder.path().join("file")).unwrap();
            file.set_len(512 << 20).unwrap();
            let Expected::Saved(mut record, _) = record(&directory, b"file") else { unreachable!() };
            record.racy = true;
            let (begun, is_over) = (std::time::Instant::now(), std::sync::atomic::AtomicBool::new(false));
            let (is_gone, came_late) = std::thread::scope(|scope| {
                let writer = scope.spawn(|| {
                    std::thread::sleep(std::time::Duration::from_millis(30));
                    fs::write_all_at(&file, b"mine", 0).unwrap();
                    is_over.load(std::sync::atomic::Ordering::SeqCst)
                });
                let is_gone = is_done(take_away(&directory, b"file", &record, WhenOpen::Replace).unwrap());
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
    fn dropping_staged_entry_removes_it() {
        let folder = tempfile::tempdir().unwrap();
        let directory = Dir::open(folder.path()).unwrap();
        directory.make_dir(b"taken").unwrap();
        drop(staged(&directory, b"stage"));
        let put = |expected: &Expected| {
            let staged = staged(&directory, b"stage");
            let inode = directory.stat(b"stage").unwrap().unwrap().inode;
            staged.put(inode, b"taken", expected, &Memory::default()).unwrap()
        };
        assert_eq!(put(&Expected::Nothing), Swap::Changed);
        std::fs::write(folder.path().join("taken/in"), "").unwrap();
        assert_eq!(put(&Expected::EmptyDirectory), Swap::Changed);
        assert_eq!(names(&directory), ["taken"]);
        assert_eq!(directory.stat(b"taken").unwrap().unwrap().kind, Kind::Directory);
    }
}
