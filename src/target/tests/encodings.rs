//! Properties of the encodings: values come back, and damaged bytes neither panic nor open.

use std::collections::BTreeSet;

use proptest::collection::vec;
use proptest::prelude::*;

use super::super::entry::{Entry, Link, RecentEntry};
use super::super::index::IndexFile;
use super::super::pack::{self, Builder, Encoded};
use super::super::record::{FrameObject, RECORD, Record};
use super::super::state::State;
use super::*;
use crate::object::fields;
use crate::object::operation::View;
use crate::seal::{Keyring, ObjectName, Purpose, Slot};
use crate::target::NewPack;
use crate::time::Timestamp;

fn name() -> impl Strategy<Value = FileName> {
    any::<[u8; 32]>().prop_map(FileName)
}

fn link() -> impl Strategy<Value = Link> {
    (1..1_u64 << 40, name()).prop_map(|(number, hash)| Link { number, hash })
}

fn record() -> impl Strategy<Value = Record> {
    (any::<[u8; 16]>(), any::<u64>(), any::<[u32; 4]>()).prop_map(|(name, pack, [frame, length, offset, size])| {
        let object = FrameObject { name: ObjectName(name), offset, length: size };
        Record { pack, frame, length, object }
    })
}

fn index() -> impl Strategy<Value = IndexFile> {
    (name(), any::<u64>(), vec(any::<u64>(), 0..4), vec(any::<u8>(), 0..40))
        .prop_map(|(name, objects, pages, filter)| IndexFile { name, objects, pages, filter })
}

fn stream() -> impl Strategy<Value = StreamChange> {
    let ids = || vec(any::<[u8; 32]>().prop_map(CommitId), 0..4).prop_map(BTreeSet::from_iter);
    (".{0,9}", vec(any::<u8>(), 0..20), any::<u64>(), any::<[u8; 16]>(), ids(), ids()).prop_map(
        |(host, path, size, token, added, removed)| StreamChange {
            host,
            path,
            view: View::default(),
            size,
            token: Token(token),
            added,
            removed,
        },
    )
}

fn change() -> impl Strategy<Value = Change> {
    let pack = (name(), any::<u64>(), any::<bool>()).prop_map(|(name, size, is_meta)| NewPack { name, size, is_meta });
    let streams = vec((any::<[u8; 16]>().prop_map(DirectoryId), proptest::option::of(stream())), 0..3);
    let names = || vec(name(), 0..3);
    (
        vec(pack, 0..3),
        names(),
        vec(index(), 0..3),
        any::<[bool; 2]>(),
        vec(record(), 0..4),
        streams,
        proptest::option::of(names()),
        names(),
    )
        .prop_map(|(packs, condemned, indexes, [absorbs, rekeys], records, streams, slots, deleted)| Change {
            packs,
            condemned,
            indexes,
            absorbs,
            records,
            streams,
            slots,
            deleted,
            rekeys,
        })
}

fn writer() -> impl Strategy<Value = Writer> {
    (".{0,9}", ".{0,9}", any::<i32>(), 0..1_000_000_000_u32).prop_map(|(host, user, seconds, nanoseconds)| Writer {
        host,
        user,
        time: Timestamp { seconds: seconds.into(), nanoseconds },
    })
}

fn entry() -> impl Strategy<Value = Entry> {
    let recent = (link(), any::<u32>(), vec(any::<u8>(), 0..50));
    let recent = recent.prop_map(|(link, generation, bytes)| RecentEntry { link, generation, bytes });
    (proptest::option::of(link()), writer(), change(), vec(recent, 0..3))
        .prop_map(|(previous, writer, change, recent)| Entry { previous, writer, change, recent })
}

/// A state after these entries.
fn state() -> impl Strategy<Value = State> {
    vec((link(), 1..5_u32, entry()), 0..4).prop_map(|entries| {
        let mut state = State::default();
        entries.into_iter().for_each(|(link, generation, entry)| state.apply(link, generation, entry));
        state
    })
}

/// Bytes with a changed bit, or cut; never the same ones.
fn damage(bytes: &[u8], at: prop::sample::Index, is_cut: bool) -> Vec<u8> {
    let at = at.index(bytes.len());
    let mut damaged = bytes.to_vec();
    match is_cut {
        true => damaged.truncate(at),
        false => damaged[at] ^= 1 << (at % 8),
    }
    damaged
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn entries_come_back(entry in entry(), at in any::<prop::sample::Index>(), is_cut in any::<bool>()) {
        let bytes = entry.encode();
        prop_assert_eq!(&Entry::decode(&[&bytes[..], &[0; 100]].concat()).unwrap(), &entry);
        // Accepted or not: only authentic bytes are decoded. Nothing panics.
        let _ = Entry::decode(&damage(&bytes, at, is_cut));
    }

    #[test]
    fn states_come_back(state in state(), at in any::<prop::sample::Index>(), is_cut in any::<bool>()) {
        let bytes = state.encode();
        prop_assert_eq!(&State::decode(&[&bytes[..], &[0; 100]].concat()).unwrap(), &state);
        let _ = State::decode(&damage(&bytes, at, is_cut));
    }

    #[test]
    fn damaged_values_do_not_open(
        bytes in vec(any::<u8>(), 0..2000),
        at in any::<prop::sample::Index>(),
        is_cut in any::<bool>(),
        number in 1..9_u64,
    ) {
        let keyring = Keyring::create().unwrap().with_new_generation().unwrap();
        for purpose in [Purpose::Log, Purpose::Fold, Purpose::Index, Purpose::Table, Purpose::Frame] {
            let place = number.to_le_bytes();
            let sealed = keyring.seal(purpose, &place, &bytes).unwrap();
            prop_assert_eq!(&keyring.open(purpose, &place, &sealed).unwrap(), &bytes);
            let opened = keyring.open(purpose, &place, &damage(&sealed, at, is_cut));
            prop_assert_eq!(opened.unwrap_err().kind(), ErrorKind::Damaged);
            let opened = keyring.open(purpose, &(number + 1).to_le_bytes(), &sealed);
            prop_assert_eq!(opened.unwrap_err().kind(), ErrorKind::Damaged);
        }
    }

    #[test]
    fn indexes_come_back(records in vec(record(), 1..100), at in any::<prop::sample::Index>(), is_cut in any::<bool>()) {
        let keyring = Keyring::create().unwrap();
        let mut records = records;
        let (file, bytes) = IndexFile::build(&keyring, &mut records).unwrap();
        prop_assert_eq!(file.size(), bytes.len() as u64);
        let page = file.open_page(&keyring, 0, &bytes).unwrap();
        prop_assert_eq!(&page.records().unwrap(), &records);
        for record in &records {
            prop_assert!(file.may_have(record.object.name));
            prop_assert_eq!(page.find(record.object.name), Some(*record));
        }
        prop_assert!(file.open_page(&keyring, 0, &damage(&bytes, at, is_cut)).is_err());
        prop_assert_eq!(&fields::decode::<IndexFile>("index", &fields::encode(&file)).unwrap(), &file);
        let _ = fields::decode::<IndexFile>("index", &damage(&fields::encode(&file), at, is_cut));
    }

    #[test]
    fn records_come_back(record in record()) {
        let bytes = fields::encode(&record);
        prop_assert_eq!(bytes.len(), RECORD);
        prop_assert_eq!(fields::decode::<Record>("record", &bytes).unwrap(), record);
    }

    #[test]
    fn packs_come_back(
        frames in vec(vec(any::<u8>(), 1..500), 1..5),
        at in any::<prop::sample::Index>(),
        is_cut in any::<bool>(),
    ) {
        let keyring = Keyring::create().unwrap();
        let mut builder = Builder::new(&keyring);
        for (n, bytes) in frames.iter().enumerate() {
            let object = FrameObject { name: ObjectName([n as u8; 16]), offset: 0, length: bytes.len() as u32 };
            builder.push(&Encoded { codec: 0, raw: bytes.len() as u32, bytes }, vec![object]).unwrap();
        }
        let sealed = builder.seal().unwrap();
        let table = pack::open_table(&keyring, &sealed.bytes).unwrap();
        prop_assert_eq!(pack::records(sealed.name, &table), sealed.records);
        let damaged = damage(&sealed.bytes, at, is_cut);
        prop_assert_ne!(FileName::of(&damaged), sealed.name);
        // Frames and padding are not part of the table.
        if let Ok(found) = pack::open_table(&keyring, &damaged) {
            prop_assert_eq!(found, table);
        }
    }
}

#[test]
fn damaged_slots_do_not_decode_to_others_of_the_same_name() {
    let keyring = Keyring::create().unwrap();
    let slot = Slot::wrap(&keyring, KeyKind::Password, b"secret", [5; 32]).unwrap();
    let bytes = slot.encode();
    assert_eq!(Slot::decode(&bytes).unwrap(), slot);
    for at in 0..bytes.len() {
        assert!(Slot::decode(&bytes[..at]).is_err(), "cut at {at}");
        let mut changed = bytes.clone();
        changed[at] ^= 1;
        assert!(Slot::decode(&changed).is_ok_and(|decoded| decoded != slot) || Slot::decode(&changed).is_err());
    }
}
