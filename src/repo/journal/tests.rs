//! The journal as a whole: what is appended is read back, a cut is the old state, a flipped byte is never a wrong one.

use std::path::Path;

use super::*;
use crate::environment::Durability;
use crate::id::{CommitId, DirectoryId, MaskId, PackId};
use crate::object::operation::{Intent, NewCommit, RefEdit, RefName};
use crate::object::tests::samples;
use crate::time::Timestamp;

/// A folder with a journal in it, and what it leads to.
struct Journal {
    directory: tempfile::TempDir,
    state: State,
    end: End,
}

impl Journal {
    fn new() -> Journal {
        let directory = tempfile::tempdir().unwrap();
        let state = State::new();
        let end = create(directory.path(), 1, &state, Durability::Synced).unwrap();
        Journal { directory, state, end }
    }

    fn path(&self) -> &Path {
        self.directory.path()
    }

    fn append(&mut self, record: Record) {
        let mut writer = Writer::open(self.path(), self.end, Durability::Synced).unwrap();
        writer.roll_if_long(&self.state).unwrap();
        self.end = writer.append(std::slice::from_ref(&record), || false).unwrap();
        record.apply(&mut self.state).unwrap();
    }

    fn commit(&mut self, number: u64, size: usize) {
        let record = commit(&self.state, number, size);
        self.append(record);
    }

    fn newest(&self) -> PathBuf {
        segment::path(self.path(), self.end.segment)
    }

    fn verbs(&self) -> Vec<String> {
        let operations = Operations::new(self.path(), self.end, self.state.operation);
        operations.map(|operation| operation.unwrap().1.verb.to_string()).collect()
    }
}

fn id(number: u64) -> [u8; 32] {
    *blake3::hash(&number.to_le_bytes()).as_bytes()
}

/// An operation like that of a commit, its description `size` bytes long.
fn commit(state: &State, number: u64, size: usize) -> Record {
    let (new, old) = (CommitId(id(number)), state.view.at());
    let operation = Operation {
        parent: state.operation,
        verb: format!("commit {number}").as_str().into(),
        description: "d".repeat(size),
        time: Timestamp { seconds: 1_700_000_000, nanoseconds: 5 },
        edits: vec![RefEdit { name: RefName::Branch("main".into()), old, new: Some(new) }],
        commits: vec![NewCommit { id: new, parents: old.into_iter().collect() }],
        packs_added: vec![PackId(id(number + 1_000_000))],
        ..Operation::default()
    };
    Record::Operation { id: operation.id(), operation, ends_intent: false }
}

fn intent() -> Intent {
    let time = Timestamp { seconds: 7, nanoseconds: 0 };
    Intent {
        token: 9,
        verb: "checkout".into(),
        time,
        from: None,
        to: CommitId([3; 32]),
        paths: Vec::new(),
        edits: Vec::new(),
        switch: None,
        undo_position: None,
        before: None,
        worktree: b"/data".to_vec(),
    }
}

#[test]
fn appended_records_are_read_back() {
    let mut journal = Journal::new();
    journal.commit(1, 3);
    journal.append(Record::Intent(intent()));
    journal.append(Record::Packs {
        time: intent().time,
        added: vec![PackId([8; 32])],
        removed: vec![PackId(id(1_000_001))],
    });
    let loaded = load(journal.path()).unwrap();
    assert_eq!((&loaded.state, loaded.end), (&journal.state, journal.end));
    assert_eq!(loaded.state.intent, Some(intent()));
    assert_eq!(loaded.state.packs.iter().collect::<Vec<_>>(), [&PackId([8; 32])]);
    journal.append(Record::IntentEnd(8));
    assert!(load(journal.path()).unwrap().state.intent.is_some(), "another token");
    journal.append(Record::IntentEnd(9));
    assert_eq!(load(journal.path()).unwrap().state.intent, None);
    journal.commit(2, 3);
    let loaded = load(journal.path()).unwrap();
    assert_eq!(loaded.state.view.at(), Some(CommitId(id(2))));
    assert_eq!(loaded.state.view.heads.len(), 1);
    assert!(loaded.damage.is_none());
    assert_eq!(journal.verbs(), ["commit 2", "commit 1"]);
}

#[test]
fn long_journal_is_opened_at_its_newest_segment() {
    let mut journal = Journal::new();
    for number in 1..=8 {
        journal.commit(number, 100_000);
    }
    assert_eq!(segment::numbers(journal.path()).unwrap(), [1, 2, 3]);
    assert_eq!(journal.verbs(), (1..=8).rev().map(|number| format!("commit {number}")).collect::<Vec<_>>());
    std::fs::remove_file(segment::path(journal.path(), 1)).unwrap();
    let loaded = load(journal.path()).unwrap();
    assert_eq!((loaded.state, loaded.damage.is_none()), (journal.state.clone(), true));
    assert_eq!(journal.verbs().len(), 5, "the operations that are still there");
}

#[test]
fn damaged_checkpoint_falls_back_to_previous_segment() {
    let mut journal = Journal::new();
    for number in 1..=3 {
        journal.commit(number, 100_000);
    }
    let before = journal.state.clone();
    journal.commit(4, 10);
    assert_eq!(journal.end.segment, 2);
    let bytes = std::fs::read(journal.newest()).unwrap();
    for at in [0, 9, 15, 22, 30, 60] {
        let mut flipped = bytes.clone();
        flipped[at] ^= 1;
        std::fs::write(journal.newest(), flipped).unwrap();
        let loaded = load(journal.path()).unwrap();
        let is_header = at < 24;
        let expected = if is_header { (&journal.state, 2) } else { (&before, 1) };
        assert_eq!((&loaded.state, loaded.end.segment), expected, "flipped {at}");
        assert_eq!(loaded.damage.unwrap().kind(), ErrorKind::Damaged);
    }
}

#[test]
fn truncated_last_record_is_ignored() {
    let mut journal = Journal::new();
    journal.commit(1, 10);
    let (old, start) = (journal.state.clone(), journal.end.length as usize);
    journal.commit(2, 700);
    let bytes = std::fs::read(journal.newest()).unwrap();
    for end in start..bytes.len() {
        for zeros in [0, 5, 4096] {
            std::fs::write(journal.newest(), [&bytes[..end], &vec![0; zeros * usize::from(end == start)]].concat())
                .unwrap();
            let loaded = load(journal.path()).unwrap();
            assert_eq!((&loaded.state, loaded.end.length as usize), (&old, start), "cut at {end}");
            assert!(loaded.damage.is_none(), "cut at {end}");
        }
    }
    (journal.state, journal.end) = (old, load(journal.path()).unwrap().end);
    journal.commit(3, 1);
    assert_eq!(journal.verbs(), ["commit 3", "commit 1"]);
    assert_eq!(std::fs::metadata(journal.newest()).unwrap().len(), journal.end.length);
}

#[test]
fn flipped_bytes_yield_an_earlier_state_and_damage() {
    let mut journal = Journal::new();
    let mut states = vec![journal.state.clone()];
    for number in 1..=3 {
        journal.commit(number, 20);
        states.push(journal.state.clone());
    }
    let bytes = std::fs::read(journal.newest()).unwrap();
    for at in 0..bytes.len() {
        for mask in [0x01, 0x80, 0xff] {
            let mut flipped = bytes.clone();
            flipped[at] ^= mask;
            std::fs::write(journal.newest(), flipped).unwrap();
            match load(journal.path()) {
                Ok(loaded) => {
                    let text = loaded.damage.unwrap().to_string();
                    assert!(text.contains("00000001` is damaged at byte"), "{text}");
                    let known = if at < 24 { &states[3..] } else { &states[..3] };
                    assert!(known.contains(&loaded.state), "flipped {at}");
                }
                Err(error) => assert_eq!(error.kind(), ErrorKind::Damaged, "flipped {at}"),
            }
        }
    }
}

#[test]
fn damaged_old_segment_ends_operations_with_an_error() {
    let mut journal = Journal::new();
    for number in 1..=5 {
        journal.commit(number, 100_000);
    }
    let path = segment::path(journal.path(), 1);
    let mut bytes = std::fs::read(&path).unwrap();
    bytes[150_000] ^= 1;
    std::fs::write(&path, bytes).unwrap();
    assert!(load(journal.path()).unwrap().damage.is_none());
    let found: Vec<_> = Operations::new(journal.path(), journal.end, journal.state.operation).collect();
    assert_eq!(found.iter().filter(|one| one.is_ok()).count(), 2);
    assert_eq!(found.last().unwrap().as_ref().unwrap_err().kind(), ErrorKind::Damaged);
}

#[test]
fn old_segments_are_removed_from_the_oldest_on() {
    let now = Timestamp { seconds: 1_000_000_000, ..Timestamp::default() };
    let young = now.seconds - KEPT;
    // Ages and sizes of the segments, oldest first, and how many of them are removed.
    let mib = 1 << 20;
    let cases: [(&[(i64, u64)], u64); 5] = [
        (&[(young - 1, mib), (young - 1, mib), (young, mib)], 0),
        (&[(young - 1, mib), (young - 1, mib), (young - 1, KEPT_BYTES)], 2),
        (&[(young - 1, mib), (young - 1, mib), (young - 1, KEPT_BYTES - 1)], 1),
        (&[(young - 1, mib), (young, mib), (young, KEPT_BYTES)], 1),
        // A copy may have given the oldest one a new time. Without the second one there would be a gap.
        (&[(young, mib), (young - 1, mib), (young, KEPT_BYTES)], 0),
    ];
    for (segments, removed) in cases {
        let directory = tempfile::tempdir().unwrap();
        for (number, (seconds, size)) in (1..).zip(segments) {
            let file = std::fs::File::create(segment::path(directory.path(), number)).unwrap();
            file.set_len(*size).unwrap();
            file.set_modified(std::time::UNIX_EPOCH + std::time::Duration::from_secs(*seconds as u64)).unwrap();
        }
        assert_eq!(remove_old_segments(directory.path(), now, Durability::NoSync).unwrap(), removed, "{segments:?}");
        let left: Vec<u64> = (removed + 1..=segments.len() as u64).collect();
        assert_eq!(segment::numbers(directory.path()).unwrap(), left);
    }
}

#[test]
fn failed_writer_stops_and_frees_space_only_when_full() {
    let mut journal = Journal::new();
    journal.commit(1, 1);
    let record = commit(&journal.state, 2, 1);
    // A file that is open for nothing but reading fails every write.
    let file = std::fs::File::open(journal.newest()).unwrap();
    let mut writer = Writer::onto(file, journal.path(), journal.end);
    assert!(writer.append(std::slice::from_ref(&record), || unreachable!("the disk is not full")).is_err());
    let error = writer.append(std::slice::from_ref(&record), || false).unwrap_err();
    assert!(error.to_string().contains("after a failure"), "{error}");
    assert_eq!(load(journal.path()).unwrap().state, journal.state);
    let full = std::fs::File::options().write(true).open("/dev/full").unwrap();
    let mut asked = 0;
    let mut writer = Writer::onto(full, journal.path(), journal.end);
    let error = writer.append(std::slice::from_ref(&record), || {
        asked += 1;
        false
    });
    assert_eq!((error.unwrap_err().kind(), asked), (ErrorKind::NoSpace, 1));
}

#[test]
fn operation_with_wrong_parent_is_damage() {
    let mut journal = Journal::new();
    journal.commit(1, 1);
    let stray = commit(&State::new(), 2, 1);
    let mut bytes = std::fs::read(journal.newest()).unwrap();
    bytes.extend(stray.encode());
    std::fs::write(journal.newest(), bytes).unwrap();
    let loaded = load(journal.path()).unwrap();
    assert_eq!(loaded.state, journal.state);
    assert!(loaded.damage.unwrap().to_string().contains("does not follow"));
}

#[test]
fn missing_and_newer_journals_are_rejected() {
    let directory = tempfile::tempdir().unwrap();
    assert_eq!(load(directory.path()).unwrap_err().kind(), ErrorKind::Damaged);
    std::fs::write(directory.path().join("00000002.77-0.tmp"), "staged").unwrap();
    assert_eq!(load(directory.path()).unwrap_err().kind(), ErrorKind::Damaged);
    let mut bytes = segment::encode(1, &State::new());
    bytes.extend(frame::encode(99, b"?"));
    std::fs::write(segment::path(directory.path(), 1), bytes).unwrap();
    assert_eq!(load(directory.path()).unwrap_err().kind(), ErrorKind::Unsupported);
}

#[test]
fn new_journal_encoding_is_golden() {
    let bytes = segment::encode(1, &State::new());
    let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    assert_eq!(hex, GOLDEN);
}

const GOLDEN: &str = "756e646f6a726e6c01000000010000000000000000612954\
    75726563011c000000d7caeff1000c1101046d61696e000000000000000000000000000000000000004529dc9188851c901d9edbbfbca26ae8";

#[test]
fn records_round_trip_and_truncation_fails() {
    let mut state = State::new();
    let first = commit(&state, 1, 3);
    first.apply(&mut state).unwrap();
    state.intent = Some(intent());
    state.view.tags.insert("v1".into(), CommitId([4; 32]));
    let packs = Record::Packs {
        time: intent().time,
        added: vec![PackId([1; 32])],
        removed: vec![PackId([2; 32]), PackId([3; 32])],
    };
    let known = [(1, None), (2, Some("other"))].map(|(n, branch)| (DirectoryId([n; 16]), directory(branch)));
    let mut seen = state.clone();
    seen.directories = known.clone().into();
    let sweep = Sweep { time: intent().time, horizon: intent().time, mask: Some(MaskId([6; 32])) };
    seen.young.insert(PackId([5; 32]), intent().time);
    (seen.time, seen.sweep, seen.thinned) = (intent().time, Some(sweep), Some(intent().time));
    let [_, (id, other)] = known;
    let place = Record::Directory(id, other);
    let all = [
        Record::Checkpoint(state),
        Record::Checkpoint(seen),
        first,
        Record::Intent(intent()),
        Record::IntentEnd(5),
        packs,
        place,
        Record::Sweep(sweep, samples::view().forgotten),
        Record::Thin(intent().time, samples::history_edit()),
    ];
    for record in all {
        let bytes = record.encode();
        let frame::Frame::Record { kind, payload, .. } = frame::read(&bytes, 0) else { panic!("a whole record") };
        assert_eq!(Record::decode(kind, payload).unwrap(), record);
        for end in 0..payload.len() {
            assert!(Record::decode(kind, &payload[..end]).is_err(), "{record:?} cut at {end}");
        }
        assert!(Record::decode(kind, &[payload, &[0]].concat()).is_err());
    }
}

#[test]
fn writer_without_lock_never_overwrites_records() {
    let mut journal = Journal::new();
    journal.commit(1, 1);
    let record = commit(&journal.state, 2, 1);
    let records = std::slice::from_ref(&record);
    let mut late = Writer::open(journal.path(), journal.end, Durability::Synced).unwrap();
    let mut opened_later = journal.end;
    journal.commit(3, 500);
    let refused = |writer: &mut Writer, journal: &Journal| {
        let error = writer.append(records, || unreachable!("nothing is written")).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Locked);
        let loaded = load(journal.path()).unwrap();
        assert_eq!((&loaded.state, loaded.end, loaded.damage.is_none()), (&journal.state, journal.end, true));
    };
    refused(&mut late, &journal);
    refused(&mut Writer::open(journal.path(), opened_later, Durability::Synced).unwrap(), &journal);
    // A new segment counts too, whatever the state of the old one.
    opened_later = journal.end;
    journal.end =
        super::writer::create(journal.path(), journal.end.segment + 1, &journal.state, Durability::Synced).unwrap();
    refused(&mut Writer::open(journal.path(), opened_later, Durability::Synced).unwrap(), &journal);
}

fn directory(branch: Option<&str>) -> Directory {
    let branch = branch.map(str::to_owned);
    Directory { path: b"/data/\xff".to_vec(), device: 1 << 40, inode: 7, uid: 1000, host: "host".to_owned(), branch }
}

#[test]
fn directories_have_their_own_branches() {
    let [main, other] = [1, 2].map(|n| DirectoryId([n; 16]));
    let mut state = State::new();
    state.put_directory(main, directory(None));
    state.put_directory(other, directory(Some("other")));
    let switch = |from: &str, to: &str, parent, place| Operation {
        parent,
        switched: Some((from.to_owned(), to.to_owned())),
        directory: place,
        ..Operation::default()
    };
    let mut switched = |from: &str, to: &str, place, seen_from: Option<DirectoryId>| {
        state.select_directory(seen_from);
        let operation = switch(from, to, state.operation, place);
        state.apply(operation.id(), &operation, false).unwrap();
        let decoded = State::decode(&state.encode()).unwrap();
        [None, Some(main), Some(other)].map(|place| {
            let mut seen = decoded.clone();
            seen.select_directory(place);
            state.select_directory(place);
            assert_eq!(seen.view, state.view);
            seen.view.refs.current
        })
    };
    assert_eq!(switched("main", "a", None, None), ["a", "a", "other"]);
    assert_eq!(switched("other", "b", Some(other), None), ["a", "a", "b"]);
    assert_eq!(switched("b", "c", Some(other), Some(other)), ["a", "a", "c"]);
    assert_eq!(switched("a", "d", None, Some(other)), ["d", "d", "c"]);
}
