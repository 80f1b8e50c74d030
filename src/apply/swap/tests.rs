//! Puts entries in place and takes them out, with other programs interfering.

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

fn is_done(result: &StepResult) -> bool {
    matches!(result, StepResult::Placed(..) | StepResult::Removed)
}

fn record(directory: &Dir, name: &[u8]) -> Expected {
    let stat = directory.stat(name).unwrap().unwrap();
    let content = Content::File { blob: hash(directory, name).unwrap(), size: stat.size };
    let record = Record { name: name.to_vec(), stat, content, attributes: None, racy: false, is_prefix: false };
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
    assert!(is_done(&staged(&directory, b"stage").put_over(1, b"file", saved(&expected)).unwrap()));
    assert_eq!(std::fs::read(folder.path().join("file")).unwrap(), b"new");
    // What was changed in between stays.
    let expected = record(&directory, b"file");
    write("mine");
    assert_eq!(staged(&directory, b"stage").put_over(1, b"file", saved(&expected)).unwrap(), StepResult::Changed);
    assert_eq!(std::fs::read(folder.path().join("file")).unwrap(), b"mine");
    directory.make_dir(b"d").unwrap();
    assert!(is_done(&staged(&directory, b"stage").put_over(1, b"d", None).unwrap()));
    assert_eq!(names(&directory), ["d", "file"]);
    assert_eq!(directory.stat(b"d").unwrap().unwrap().kind, Kind::File);
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
        assert_eq!(is_done(&taken), is_gone, "{links} {content}");
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
        let is_gone = is_done(&taken);
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
    assert_eq!((taken, names(&directory)), (StepResult::InUse, vec!["file".to_owned()]));
    let inode = directory.stat(b"file").unwrap().unwrap().inode;
    assert_eq!((put(), read()), (StepResult::InUse, b"old".to_vec()));
    assert_eq!(directory.stat(b"file").unwrap().unwrap().inode, inode);
    drop(writer);
    let _ = directory.remove_file(b"stage");
    assert_eq!((put(), read()), (StepResult::placed(1), b"new".to_vec()));
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
            let is_gone = is_done(&take_away(&directory, b"file", &record, WhenOpen::Replace).unwrap());
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
    assert_eq!(put(&Expected::Nothing), StepResult::Changed);
    std::fs::write(folder.path().join("taken/in"), "").unwrap();
    assert_eq!(put(&Expected::EmptyDirectory), StepResult::Changed);
    assert_eq!(names(&directory), ["taken"]);
    assert_eq!(directory.stat(b"taken").unwrap().unwrap().kind, Kind::Directory);
}
