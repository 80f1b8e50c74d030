//! Files that anyone who can write to the storage can add. None of them stops a machine.

use super::*;

/// An entry of the log that claims to be sealed with keys of this generation.
fn claims(generation: u32) -> Vec<u8> {
    [&generation.to_le_bytes()[..], &[7; 2000]].concat()
}

/// Runs a machine that knows the target, and one that does not.
fn assert_has(memory: &Arc<Memory>, machine: &Machine, expected: &[u8]) {
    assert_eq!(pushed(&machine.open(None, |_| Fault::None).unwrap()), expected);
    assert_eq!(pushed(&Machine::new(memory).open(Some("password"), |_| Fault::None).unwrap()), expected);
}

#[test]
fn garbage_in_the_log_is_void() {
    let memory = Memory::new();
    let machine = Machine::with_cache(&memory);
    let mut target = machine.create("password");
    push(&mut target, 1).unwrap();
    for (number, garbage) in [(3, claims(2)), (4, claims(1)), (5, Vec::new()), (6, claims(500)), (7, claims(u32::MAX))]
    {
        memory.set(&format!("log/{number:016x}"), &garbage);
    }
    // Far beyond the end.
    (0..100).for_each(|n| memory.set(&format!("log/{:016x}", 0x1000 + 4 * n), &claims(2)));
    assert_has(&memory, &machine, &[1]);
    let mut target = machine.open(None, |_| Fault::None).unwrap();
    let before = target.remote().counts().requests();
    push(&mut target, 2).unwrap();
    assert_eq!((target.state().number(), target.state().tail), (8, 8));
    assert!(before < 70, "{before} requests");
    assert_has(&memory, &machine, &[1, 2]);
}

#[test]
fn garbage_in_other_folders_is_ignored() {
    let memory = Memory::new();
    let machine = Machine::new(&memory);
    let mut target = machine.create("password");
    push(&mut target, 1).unwrap();
    let name = |bytes: &[u8]| FileName::of(bytes);
    let slot = memory.content().into_iter().find(|(key, _)| key.starts_with("keys/")).unwrap().1;
    // No memory, no passes, much memory, no salt, and more bytes than a slot has.
    let changed = |at: usize, bytes: &[u8]| {
        let mut slot = slot.clone();
        slot[at..at + bytes.len()].copy_from_slice(bytes);
        slot
    };
    let long = [&slot[..], &[0; 100_000]].concat();
    for bytes in
        [changed(42, &[0; 4]), changed(46, &[0; 4]), changed(42, &[255; 4]), slot[..50].to_vec(), long, Vec::new()]
    {
        memory.set(&format!("keys/{}", name(&bytes)), &bytes);
    }
    memory.set(&format!("keys/{}", name(b"other")), b"not what the name says");
    for folder in ["index", "fold", "data/00", "meta/00", "clock", "other"] {
        memory.set(&format!("{folder}/{}", name(b"garbage")), b"garbage");
    }
    let fold = claims(1);
    for number in [1_u64, 2, 3, u64::MAX] {
        memory.set(&format!("fold/{number:016x}-{}", name(&fold)), &fold);
        memory.set(&format!("fold/{number:016x}-{}", name(b"other")), b"other bytes");
    }
    assert_has(&memory, &machine, &[1]);
    let wrong = Machine::new(&memory).open(Some("wrong"), |_| Fault::None).err().unwrap();
    assert_eq!(wrong.kind(), ErrorKind::WrongKey);
}

#[test]
fn a_listing_that_lacks_an_entry_is_repeated() {
    let memory = Memory::new();
    let machine = Machine::with_cache(&memory);
    let mut target = machine.create("password");
    let mut other = Machine::new(&memory).open(Some("password"), |_| Fault::None).unwrap();
    (1..=3).for_each(|n| push(&mut other, n).unwrap());
    // The directory was read while entry 3 was created, and entry 4 appeared later.
    let (key, hidden) = ("log/0000000000000003", Mutex::new(None));
    let lists = memory.clone();
    let before = move |request: &Request| {
        let mut hidden = hidden.lock().unwrap();
        match (&*hidden, request.kind == Kind::List && request.key == "log") {
            (None, true) => {
                *hidden = lists.bytes(key);
                lists.remove(key);
            }
            (Some(bytes), _) => lists.set(key, bytes),
            _ => {}
        }
        Fault::None
    };
    assert_eq!(pushed(&machine.open(None, before).unwrap()), [1, 2, 3]);
    push(&mut target, 4).unwrap();
}

#[test]
fn missing_and_damaged_files_are_named() {
    let memory = Memory::new();
    let machine = Machine::new(&memory);
    let mut target = machine.create("password");
    push(&mut target, 1).unwrap();
    let refused = |key: &str, bytes: Option<&[u8]>| {
        let copy = memory.copy();
        copy.remove(key);
        if let Some(bytes) = bytes {
            copy.set(key, bytes);
        }
        let error = Machine::new(&copy).open(Some("password"), |_| Fault::None).err().unwrap();
        (error.kind(), format!("{error} {}", error.hint_text().unwrap_or_default()))
    };
    let slot = memory.content().into_keys().find(|key| key.starts_with("keys/")).unwrap();
    let other = Machine::new(&Memory::new());
    other.create("password");
    let identity = other.memory.bytes("target").unwrap();
    for (key, bytes, kind) in [
        ("target", None, ErrorKind::Damaged),
        ("target", Some(&identity[..]), ErrorKind::Damaged),
        ("target", Some(&identity[..5]), ErrorKind::Damaged),
        (slot.as_str(), Some(b"x"), ErrorKind::Damaged),
        ("log/0000000000000001", Some(b"x"), ErrorKind::WrongKey),
    ] {
        let (found, text) = refused(key, bytes);
        assert_eq!(found, kind, "{text}");
        assert!(text.contains(&format!("`{key}`")), "{text}");
    }
    memory.remove("target");
    let remote = Remote::in_memory(&memory, Options::default(), |_| Fault::None);
    assert_eq!(Target::exists(&remote).unwrap_err().kind(), ErrorKind::Damaged, "no target is created in its place");
}
