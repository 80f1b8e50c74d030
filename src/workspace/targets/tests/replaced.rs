//! Commands on a target that was put back to an older state, and filled again by another machine.

use super::*;
use crate::error::ErrorKind;

/// A machine that has pushed, and the storage after the first push.
fn pushed(machine: Machine) -> (Machine, Arc<Memory>) {
    machine.create();
    machine.commit("file", b"1");
    machine.push().unwrap();
    let old = machine.memory.copy();
    machine.commit("file", b"2");
    machine.push().unwrap();
    (machine, old)
}

fn put_back(memory: &Memory, old: &Memory) {
    memory.content().into_keys().for_each(|key| memory.remove(&key));
    old.content().iter().for_each(|(key, bytes)| memory.set(key, bytes));
}

#[test]
fn no_command_works_on_a_refilled_target() {
    for machine in [Machine::new(&Memory::new()), Machine::without_cache(&Memory::new())] {
        let (machine, old) = pushed(machine);
        let other = Machine::new(&machine.memory);
        for pushes in [1, 2, 5] {
            put_back(&machine.memory, &old);
            for n in 0..pushes {
                let other = if pushes == 1 { &other } else { &Machine::new(&machine.memory) };
                other.commit("other", &[n]);
                other.push().unwrap();
            }
            let before = machine.memory.content();
            // Every command opens the target: push, pull, gc, verify.
            for _ in 0..2 {
                assert_eq!(machine.open(|_| Fault::None).err().unwrap().kind(), ErrorKind::Damaged, "{pushes}");
            }
            assert_eq!(machine.memory.content(), before, "nothing was written");
            Machine::new(&machine.memory).open(|_| Fault::None).unwrap();
        }
    }
}

#[test]
fn a_command_on_an_open_target_notices_that_it_was_refilled() {
    let (machine, old) = pushed(Machine::new(&Memory::new()));
    for pushes in [1, 2] {
        machine.commit("file", &[pushes]);
        let whole = machine.memory.copy();
        let open = || machine.open(|_| Fault::None).unwrap();
        let (first, second, third) = (open(), open(), open());
        put_back(&machine.memory, &old);
        for n in 0..pushes {
            let other = Machine::new(&machine.memory);
            other.commit("other", &[n]);
            other.push().unwrap();
        }
        let before = machine.memory.content();
        let (workspace, mut target) = first;
        let collected = workspace.collect_target(&mut target, &CollectTarget::default(), &Silent);
        assert_eq!(collected.unwrap_err().kind(), ErrorKind::Damaged);
        let (workspace, mut target) = second;
        let verified = workspace.verify_target(&mut target, &VerifyTarget { sample: 0.0 }, &Silent);
        assert_eq!(verified.unwrap_err().kind(), ErrorKind::Damaged);
        assert_eq!(machine.memory.content(), before, "nothing was written");
        if pushes > 1 {
            let (workspace, mut target) = third;
            let pushed = workspace.push(&mut target, &PushOptions::default(), &Silent);
            assert_eq!(pushed.unwrap_err().kind(), ErrorKind::Damaged);
        }
        put_back(&machine.memory, &whole);
    }
}

#[test]
fn another_target_at_the_same_place_gets_everything() {
    let (machine, _) = pushed(Machine::new(&Memory::new()));
    let other = Machine::new(&Memory::new());
    other.create();
    put_back(&machine.memory, &other.memory);
    let (outcome, _) = machine.push().unwrap();
    assert_eq!(outcome.commits, 2, "a new stream of the new target");
    let (_, target) = machine.open(|_| Fault::None).unwrap();
    assert_eq!(target.state().streams.len(), 1);
}
