//! Older states and other targets that take the place of a target.

use super::*;

/// Puts an old state of the storage back.
fn roll_back(memory: &Memory, old: &Memory) {
    memory.content().into_keys().for_each(|key| memory.remove(&key));
    old.content().iter().for_each(|(key, bytes)| memory.set(key, bytes));
}

/// A target in which a machine has seen entry 4, after the storage was put back to entry 2 and another machine has appended
/// entries up to this number. Returns the first machine.
fn refilled(first: Machine, number: u64) -> Machine {
    let memory = &first.memory;
    let mut target = first.create("password");
    push(&mut target, 1).unwrap();
    let old = memory.copy();
    push(&mut target, 2).unwrap();
    push(&mut target, 3).unwrap();
    roll_back(memory, &old);
    let mut other = Machine::new(memory).open(Some("password"), |_| Fault::None).unwrap();
    for n in 3..=number {
        push(&mut other, 100 + n as u8).unwrap();
    }
    first
}

fn machines() -> [Machine; 2] {
    [Machine::new(&Memory::new()), Machine::with_cache(&Memory::new())]
}

#[test]
fn an_older_state_is_refused() {
    for machine in machines() {
        for number in 2..=3 {
            let machine = refilled(machine.another(), number);
            for _ in 0..2 {
                let error = machine.open(None, |_| Fault::None).err().unwrap();
                assert_eq!(error.kind(), ErrorKind::Damaged, "entry {number}: {error}");
            }
        }
    }
}

#[test]
fn a_refilled_older_state_is_refused_whatever_its_number() {
    for machine in machines() {
        for number in [4, 5, 8, 70] {
            let machine = refilled(machine.another(), number);
            for _ in 0..2 {
                let error = machine.open(None, |_| Fault::None).err().unwrap();
                assert_eq!(error.kind(), ErrorKind::Damaged, "entry {number}: {error}");
                let hint = error.hint_text().unwrap();
                assert!(hint.contains("an older state of the target may have been restored"), "{hint}");
            }
            let other = Machine::new(&machine.memory).open(Some("password"), |_| Fault::None).unwrap();
            assert_eq!(other.state().number(), number, "the other machine does not stop");
        }
    }
}

#[test]
fn a_fold_of_a_refilled_state_is_refused() {
    for machine in machines() {
        let machine = refilled(machine.another(), 80);
        let other = Machine::new(&machine.memory).open(Some("password"), |_| Fault::None).unwrap();
        other.write_fold().unwrap();
        let error = machine.open(None, |_| Fault::None).err().unwrap();
        assert_eq!(error.kind(), ErrorKind::Damaged, "{error}");
    }
}

#[test]
fn a_refilled_state_is_refused_when_an_entry_is_appended() {
    for machine in machines() {
        let mut target = machine.create("password");
        push(&mut target, 1).unwrap();
        let old = machine.memory.copy();
        push(&mut target, 2).unwrap();
        let memory = machine.memory.clone();
        let refill = before_append(move || {
            roll_back(&memory, &old);
            let mut other = Machine::new(&memory).open(Some("password"), |_| Fault::None).unwrap();
            (3..=4).for_each(|n| push(&mut other, n).unwrap());
        });
        let mut target = machine.open(None, refill).unwrap();
        assert_eq!(push(&mut target, 9).unwrap_err().kind(), ErrorKind::Damaged);
    }
}

#[test]
fn rereading_refuses_a_refilled_state() {
    for machine in machines() {
        let mut target = machine.create("password");
        push(&mut target, 1).unwrap();
        let old = machine.memory.copy();
        push(&mut target, 2).unwrap();
        for number in [3, 5] {
            roll_back(&machine.memory, &old);
            let mut other = Machine::new(&machine.memory).open(Some("password"), |_| Fault::None).unwrap();
            (3..=number).for_each(|n| push(&mut other, n).unwrap());
            assert_eq!(target.reread().unwrap_err().kind(), ErrorKind::Damaged, "entry {number}");
        }
    }
}

#[test]
fn the_newest_entry_is_compared_with_one_request_if_nothing_is_new() {
    let machine = Machine::with_cache(&Memory::new());
    let mut target = machine.create("password");
    push(&mut target, 1).unwrap();
    let known = target.identity();
    let counts = |target: &Target| {
        let Counts { creates, reads, lists, .. } = target.remote().counts();
        (creates, reads, lists)
    };
    let mut target = machine.open_known(Some(known), None, |_| Fault::None).unwrap();
    assert_eq!(counts(&target), (0, 1, 1), "the log, and its last entry");
    push(&mut target, 2).unwrap();
    assert_eq!(counts(&target), (1, 1, 1));
    // The next entry names the one before.
    let other = Machine::with_cache(&machine.memory);
    let mut pusher = other.open(Some("password"), |_| Fault::None).unwrap();
    push(&mut pusher, 3).unwrap();
    let target = machine.open_known(Some(known), None, |_| Fault::None).unwrap();
    assert_eq!((pushed(&target), counts(&target)), (vec![1, 2, 3], (0, 1, 1)));
}

#[test]
fn a_damaged_answer_is_asked_for_again() {
    let machine = Machine::with_cache(&Memory::new());
    push(&mut machine.create("password"), 1).unwrap();
    let (memory, whole) = (machine.memory.clone(), machine.memory.bytes("log/0000000000000002").unwrap());
    let reads = std::sync::atomic::AtomicU64::new(0);
    let damage = move |request: &Request| {
        if request.key == "log/0000000000000002" {
            let is_first = reads.fetch_add(1, std::sync::atomic::Ordering::Relaxed) == 0;
            memory.set(&request.key, if is_first { b"damaged" } else { &whole });
        }
        Fault::None
    };
    assert_eq!(machine.open(None, damage).unwrap().state().number(), 2);
}

#[test]
fn another_target_at_the_same_place_is_noticed() {
    for machine in machines() {
        let mut target = machine.create("password");
        let known = target.identity();
        (1..=3).for_each(|n| push(&mut target, n).unwrap());
        for entries in [0, 2, 3, 6] {
            let other = Machine::new(&Memory::new());
            let mut target = other.create("other");
            (0..entries).for_each(|n| push(&mut target, 10 + n).unwrap());
            roll_back(&machine.memory, &other.memory);
            let found = machine.open_known(Some(known), None, |_| Fault::None);
            assert_eq!(found.err().unwrap().kind(), ErrorKind::WrongKey, "its password is asked for");
            let found = machine.open_known(Some(known), Some("other"), |_| Fault::None).unwrap();
            assert_ne!(found.identity(), known);
            assert_eq!(found.state().number(), u64::from(entries) + 1);
        }
    }
}

#[test]
fn a_missing_target_is_not_found() {
    for machine in machines() {
        let mut target = machine.create("password");
        push(&mut target, 1).unwrap();
        let known = target.identity();
        roll_back(&machine.memory, &Memory::new());
        let error = machine.open_known(Some(known), None, |_| Fault::None).err().unwrap();
        assert_eq!(error.kind(), ErrorKind::NotFound);
    }
}
