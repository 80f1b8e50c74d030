//! Storage that returns wrong bytes. What is read is exact, or refused with the name of the damaged file.
//!
//! Some kinds of damage of each file are tried with the other tests; `UNDO_TEST_SWEEP=1` tries all.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use undo::error::{Error, ErrorKind};
use undo::internals::remote::Memory;

use super::copies::noise;
use super::machine::{Machine, healthy};
use crate::tree::{Tree, assert_same};

/// A machine that has pushed small files and a large one, with an index file, a fold and two generations of keys.
fn pushed() -> Machine {
    let machine = Machine::new(&Memory::new());
    machine.write("notes.txt", "first\n");
    machine.write("large.bin", noise(7, 1_200_000));
    (0..520).for_each(|number| machine.write(&format!("many/{number}"), format!("{number}")));
    machine.commit();
    machine.add(healthy()).unwrap();
    machine.push(healthy()).unwrap();
    machine.open(healthy()).unwrap().rekey(&[super::machine::password()]).unwrap();
    for number in 0..3 {
        machine.write("notes.txt", format!("{number}\n"));
        machine.commit();
        machine.push(healthy()).unwrap();
    }
    machine
}

/// What a machine without a cache gets from a target.
struct Read {
    clone: Result<Tree, Error>,
    damage: Result<Vec<String>, Error>,
}

fn read(machine: &Machine, content: &BTreeMap<String, Vec<u8>>) -> Read {
    let memory = Memory::new();
    content.iter().for_each(|(key, bytes)| memory.set(key, bytes));
    let stranger = machine.stranger_of(&memory);
    let directory = stranger.work().join("clone");
    let clone = stranger.clone_to(&directory, healthy()).map(|()| Tree::read(&directory));
    Read { clone, damage: stranger.damage() }
}

/// The folder of a key.
fn folder(key: &str) -> &str {
    key.split('/').next().unwrap()
}

/// The damage of a file: cut, a bit changed, another file of the same kind, removed.
fn damaged(content: &BTreeMap<String, Vec<u8>>, key: &str) -> Vec<(&'static str, BTreeMap<String, Vec<u8>>)> {
    let bytes = &content[key];
    let with = |bytes: Option<Vec<u8>>| {
        let mut changed = content.clone();
        changed.remove(key);
        changed.extend(bytes.map(|bytes| (key.to_owned(), bytes)));
        changed
    };
    let mut flipped = bytes.clone();
    let middle = bytes.len() / 2;
    flipped[middle] ^= 1;
    let mut cases = vec![
        ("cut", with(Some(bytes[..bytes.len() / 2].to_vec()))),
        ("empty", with(Some(Vec::new()))),
        ("flipped", with(Some(flipped))),
        ("removed", with(None)),
    ];
    let another = content.iter().find(|(other, _)| folder(other) == folder(key) && *other != key);
    cases.extend(another.map(|(_, bytes)| ("replaced", with(Some(bytes.clone())))));
    cases
}

#[test]
fn every_damaged_file_is_found_or_does_not_matter() {
    let machine = pushed();
    let expected = Tree::read(&machine.work());
    let content = machine.memory.content();
    let newest = content.keys().filter(|key| folder(key) == "log").max().unwrap().clone();
    let sweep = std::env::var_os("UNDO_TEST_SWEEP").is_some();
    for (n, key) in content.keys().enumerate() {
        // Each file is removed or replaced, and cut, emptied or changed.
        let is_tried = |case: usize| sweep || case == n % 3 || case == 3 + n % 2;
        for (what, changed) in
            damaged(&content, key).into_iter().enumerate().filter_map(|(case, one)| is_tried(case).then_some(one))
        {
            println!("{key} {what}");
            let Read { clone, damage } = read(&machine, &changed);
            match clone {
                // Without the newest entry, this is the state before it: a stranger cannot know that there was another one.
                Ok(_) if *key == newest => {}
                Ok(clone) => assert_same(&expected, &clone),
                Err(error) => assert_names(&error, key),
            }
            let is_found = damage.as_ref().is_ok_and(|damage| damage.iter().any(|line| has_name(line, key)));
            match folder(key) {
                // What is left is a valid log.
                "log" if *key == newest && matches!(what, "removed") => {}
                // A fold says what the entries say.
                "fold" => assert_eq!(damage.unwrap(), [""; 0]),
                _ => {
                    let is_named = damage.as_ref().is_err_and(|error| names(error, key));
                    assert!(is_found || is_named, "{key} {what}: {damage:?}");
                }
            }
            // A machine that has seen the newest entry notices that it is not there.
            if *key == newest {
                let seen = machine.with_memory(&memory_of(&changed));
                assert_eq!(seen.open(healthy()).err().unwrap().kind(), ErrorKind::Damaged, "{what}");
            }
        }
    }
}

fn memory_of(content: &BTreeMap<String, Vec<u8>>) -> Arc<Memory> {
    let memory = Memory::new();
    content.iter().for_each(|(key, bytes)| memory.set(key, bytes));
    memory
}

fn names(error: &Error, key: &str) -> bool {
    has_name(&format!("{error} {}", error.hint_text().unwrap_or_default()), key)
}

fn has_name(text: &str, key: &str) -> bool {
    // Packs are named by the first digits of their names.
    let name = key.rsplit('/').next().filter(|name| name.len() == 64).map(|name| &name[..16]);
    let number = key.strip_prefix("log/").map(|name| u64::from_str_radix(name, 16).unwrap());
    text.contains(key)
        || name.is_some_and(|name| text.contains(name))
        || number.is_some_and(|number| text.contains(&format!("entry {number} ")))
}

#[track_caller]
fn assert_names(error: &Error, key: &str) {
    assert!(matches!(error.kind(), ErrorKind::Damaged | ErrorKind::WrongKey), "{key}: {error}");
    assert!(names(error, key), "{key}: {error}");
}

#[test]
fn an_old_state_is_refused_by_machines_that_have_seen_a_newer_one() {
    let machine = pushed();
    let old = machine.memory.copy();
    machine.write("notes.txt", "newest\n");
    machine.commit();
    machine.push(healthy()).unwrap();
    let before = machine.with_memory(&old);
    for machine in [before.copy(), before.copy().without_cache()] {
        assert_eq!(machine.open(healthy()).err().unwrap().kind(), ErrorKind::Damaged);
        assert_eq!(machine.push(healthy()).unwrap_err().kind(), ErrorKind::Damaged);
        assert_eq!(machine.collect(healthy()).unwrap_err().kind(), ErrorKind::Damaged);
    }
    assert_eq!(old.content(), before.memory.content(), "nothing is written");
    // A machine that has not seen it clones the old state exactly.
    let directory = before.work().join("clone");
    before.stranger().clone_to(&directory, healthy()).unwrap();
    assert_eq!(std::fs::read(directory.join("notes.txt")).unwrap(), b"2\n");
    assert!(Path::new(&directory).join("large.bin").exists());
}
