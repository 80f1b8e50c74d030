//! Entries that do not count, and entries that stop a reader.

use super::*;
use crate::target::state::{Pack, State};
use crate::target::{Link, NewPack};

/// A target with entries 1 to 4, and its states after each.
fn target() -> (Arc<Memory>, Target, Vec<State>) {
    let memory = Memory::new();
    let mut target = Machine::new(&memory).create("password");
    let mut states = vec![target.state().clone()];
    for n in 1..=3 {
        push(&mut target, n).unwrap();
        states.push(target.state().clone());
    }
    (memory, target, states)
}

/// Appends entry 5 as a writer does that takes this entry for the last one.
fn append_after(target: &Target, state: &State, previous: Option<Link>) -> Link {
    let mut state = State { last: previous, tail: 4, ..state.clone() };
    let change = Change { slots: Some(Vec::new()), ..Change::default() };
    target.log().append(&mut state, &Writer::default(), change).unwrap().unwrap()
}

fn open(memory: &Arc<Memory>) -> Result<Target> {
    Machine::new(memory).open(Some("password"), |_| Fault::None)
}

#[test]
fn an_entry_whose_writer_has_not_read_the_last_one_does_not_count() {
    for n in 0..3 {
        let (memory, target, states) = target();
        append_after(&target, &states[n], states[n].last);
        let mut read = open(&memory).unwrap();
        assert_eq!((read.state().number(), read.state().tail, read.state().slots.len()), (4, 5, 1), "after {n}");
        push(&mut read, 9).unwrap();
        assert_eq!(read.state().number(), 6);
        assert_eq!(pushed(&open(&memory).unwrap()), [1, 2, 3, 9]);
    }
}

#[test]
fn an_entry_without_a_previous_one_does_not_count() {
    let (memory, target, states) = target();
    append_after(&target, &states[3], None);
    assert_eq!(open(&memory).unwrap().state().number(), 4);
}

#[test]
fn an_entry_that_follows_another_log_stops_the_reader() {
    for n in 0..4 {
        let (memory, target, states) = target();
        let other = Link { hash: FileName::of(b"another entry"), ..states[n].last.unwrap() };
        append_after(&target, &states[n], Some(other));
        assert_eq!(open(&memory).err().unwrap().kind(), ErrorKind::Damaged, "after {n}");
    }
    let (memory, target, states) = target();
    append_after(&target, &states[3], Some(Link { number: 7, hash: FileName::of(b"missing") }));
    assert_eq!(open(&memory).err().unwrap().kind(), ErrorKind::Damaged);
}

#[test]
fn a_link_is_before_the_last_one_if_the_entries_lead_to_it() {
    let (memory, target, states) = target();
    let last = states[3].last.unwrap();
    // Entry 5 is void, and so entry 6 leads to entry 4.
    append_after(&target, &states[1], states[1].last);
    push(&mut open(&memory).unwrap(), 9).unwrap();
    let newest = open(&memory).unwrap().state().last.unwrap();
    let log = target.log();
    for state in &states {
        assert!(log.is_before(state.last, newest).unwrap());
    }
    assert!(log.is_before(None, last).unwrap());
    assert!(!log.is_before(Some(last), last).unwrap(), "the last one itself");
    assert!(!log.is_before(Some(newest), last).unwrap(), "a newer one");
    let void = Link { number: 5, hash: FileName::of(&memory.bytes("log/0000000000000005").unwrap()) };
    assert!(!log.is_before(Some(void), newest).unwrap(), "an entry that does not count");
}

fn pack(first: u8, last: u8) -> NewPack {
    let mut name = FileName([first; 32]);
    name.0[31] = last;
    NewPack { name, size: 1, is_meta: false }
}

#[test]
fn packs_with_similar_names_are_never_in_use_together() {
    let (memory, mut target, states) = target();
    let change = |packs: &[NewPack], condemned: &[NewPack]| Change {
        packs: packs.to_vec(),
        condemned: condemned.iter().map(|pack| pack.name).collect(),
        ..Change::default()
    };
    let append = |target: &mut Target, change: Change| target.append(|_| Ok(Some(change.clone())));
    assert!(append(&mut target, change(&[pack(7, 1), pack(7, 2)], &[])).is_err());
    assert_eq!(open(&memory).unwrap().state().number(), 4, "nothing was written");
    append(&mut target, change(&[pack(7, 1), pack(8, 1)], &[])).unwrap();
    append(&mut target, change(&[pack(7, 1)], &[])).unwrap();
    assert!(append(&mut target, change(&[pack(7, 2)], &[])).is_err());
    append(&mut target, change(&[pack(7, 2)], &[pack(7, 1)])).unwrap();
    let read = open(&memory).unwrap();
    assert_eq!(read.state().packs.keys().copied().collect::<Vec<_>>(), [pack(7, 2).name, pack(8, 1).name]);
    // A writer that does not know better.
    let mut blind = State { packs: Default::default(), ..read.state().clone() };
    read.log().append(&mut blind, &Writer::default(), change(&[pack(8, 2)], &[])).unwrap().unwrap();
    let error = open(&memory).err().unwrap();
    assert_eq!(error.kind(), ErrorKind::Damaged, "{error}");
    let both = [pack(8, 1), pack(8, 2)].map(|pack| (pack.name, Pack { size: 1, is_meta: false, added: 1 }));
    let state = State { packs: both.into(), ..states[3].clone() };
    assert_eq!(State::decode(&state.encode()).unwrap_err().kind(), ErrorKind::Damaged, "nor does a fold have them");
}
