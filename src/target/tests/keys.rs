//! Keys that are replaced while others write.

use super::*;

#[test]
fn a_push_that_is_faster_than_rekey_counts() {
    let memory = Memory::new();
    let [first, second] = [(); 2].map(|()| Machine::new(&memory));
    first.create("old");
    let mut other = second.open(Some("old"), |_| Fault::None).unwrap();
    let mut target = first.open(None, before_append(move || push(&mut other, 1).unwrap())).unwrap();
    target.rekey(&[secret("new")]).unwrap();
    assert_eq!((pushed(&target), target.state().number(), target.state().generation), (vec![1], 3, 2));
    let third = Machine::new(&memory);
    assert_eq!(pushed(&third.open(Some("new"), |_| Fault::None).unwrap()), [1]);
}

#[test]
fn a_push_that_is_slower_than_rekey_is_repeated_with_the_new_password() {
    let memory = Memory::new();
    let [first, second] = [(); 2].map(|()| Machine::new(&memory));
    let mut target = first.create("old");
    second.open(Some("old"), |_| Fault::None).unwrap();
    let rekey = before_append(move || assert!(target.rekey(&[secret("new")]).unwrap()));
    let mut other = second.open(None, rekey).unwrap();
    let error = push(&mut other, 1).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::WrongKey);
    assert_eq!(error.hint_text().unwrap(), "to enter the new password: undo target show NAME");
    assert_eq!(second.open(None, |_| Fault::None).err().unwrap().kind(), ErrorKind::WrongKey);
    assert_eq!(second.open(Some("old"), |_| Fault::None).err().unwrap().kind(), ErrorKind::WrongKey);
    push(&mut second.open(Some("new"), |_| Fault::None).unwrap(), 1).unwrap();
    assert_eq!(pushed(&first.open(None, |_| Fault::None).unwrap()), [1]);
    assert_eq!(pushed(&second.open(None, |_| Fault::None).unwrap()), [1]);
}

#[test]
fn of_two_rekeys_the_first_one_counts() {
    let memory = Memory::new();
    let [first, second] = [(); 2].map(|()| Machine::new(&memory));
    let mut target = first.create("old");
    second.open(Some("old"), |_| Fault::None).unwrap();
    let rekey = before_append(move || assert!(target.rekey(&[secret("first")]).unwrap()));
    let mut other = second.open(None, rekey).unwrap();
    assert_eq!(other.rekey(&[secret("second")]).unwrap_err().kind(), ErrorKind::WrongKey);
    assert_eq!(second.open(Some("second"), |_| Fault::None).err().unwrap().kind(), ErrorKind::WrongKey);
    assert_eq!(second.open(Some("first"), |_| Fault::None).unwrap().state().generation, 2);
}

#[test]
fn replaced_keys_sign_no_entries() {
    let memory = Memory::new();
    let [first, second] = [(); 2].map(|()| Machine::new(&memory));
    let mut target = first.create("old");
    let thief = second.open(Some("old"), |_| Fault::None).unwrap();
    target.rekey(&[secret("new")]).unwrap();
    // The hash of the last entry and its number can be seen without keys.
    let mut state = target.state().clone();
    let change = Change { slots: Some(Vec::new()), ..Change::default() };
    thief.log().append(&mut state, &Writer::default(), change).unwrap().unwrap();
    let mut read = first.open(None, |_| Fault::None).unwrap();
    assert_eq!((read.state().number(), read.state().tail, read.state().slots.len()), (2, 3, 1));
    push(&mut read, 1).unwrap();
    assert_eq!(pushed(&Machine::new(&memory).open(Some("new"), |_| Fault::None).unwrap()), [1]);
}

/// The password that opens the target, of these.
fn opening(memory: &Arc<Memory>, passwords: &[&'static str]) -> Vec<&'static str> {
    let opens = |password: &&&str| Machine::new(memory).open(Some(password), |_| Fault::None).is_ok();
    passwords.iter().filter(opens).copied().collect()
}

#[test]
fn two_machines_that_remove_a_key_leave_one() {
    for is_same in [false, true] {
        let memory = Memory::new();
        let [first, second] = [(); 2].map(|()| Machine::new(&memory));
        let mut target = first.create("one");
        let two = target.add_key(&secret("two")).unwrap().name.to_string();
        let one = target.state().slots.keys().map(|name| name.to_string()).find(|name| *name != two).unwrap();
        second.open(Some("two"), |_| Fault::None).unwrap();
        let removed = if is_same { two.clone() } else { one };
        let remove = before_append(move || drop(target.remove_key(&removed).unwrap()));
        let mut other = second.open(None, remove).unwrap();
        let error = other.remove_key(&two).unwrap_err();
        assert_eq!(error.kind(), if is_same { ErrorKind::NotFound } else { ErrorKind::Refused });
        assert_eq!(other.state().slots.len(), 1);
        assert_eq!(opening(&memory, &["one", "two"]), [if is_same { "one" } else { "two" }]);
    }
}

#[test]
fn a_key_stays_if_no_other_one_can_be_read() {
    let memory = Memory::new();
    let mut target = Machine::new(&memory).create("one");
    let one = *target.state().slots.keys().next().unwrap();
    let two = target.add_key(&secret("two")).unwrap().name;
    memory.set(&two.slot_key(), b"damaged");
    assert_eq!(target.remove_key(&one.to_string()).unwrap_err().kind(), ErrorKind::Refused);
    memory.remove(&two.slot_key());
    assert_eq!(target.remove_key(&one.to_string()).unwrap_err().kind(), ErrorKind::Refused);
    assert_eq!(opening(&memory, &["one", "two"]), ["one"]);
    target.remove_key(&two.to_string()).unwrap();
    assert_eq!(opening(&memory, &["one", "two"]), ["one"]);
}

#[test]
fn folds_with_replaced_keys_are_ignored() {
    let memory = Memory::new();
    let [first, second] = [(); 2].map(|()| Machine::new(&memory));
    let mut target = first.create("old");
    push(&mut target, 1).unwrap();
    let thief = second.open(Some("old"), |_| Fault::None).unwrap();
    target.rekey(&[secret("new")]).unwrap();
    push(&mut target, 2).unwrap();
    // A state with other commits, in place of the newest one.
    let mut forged = target.state().clone();
    forged.streams.clear();
    thief.log().write_fold(&forged).unwrap();
    assert_eq!(pushed(&Machine::new(&memory).open(Some("new"), |_| Fault::None).unwrap()), [1, 2]);
    // Rekeying has written a fold, so that nothing reads the entries before it.
    let reads = Arc::new(Mutex::new(Vec::new()));
    let read = reads.clone();
    let third = Machine::new(&memory);
    third
        .open(Some("new"), move |request| {
            read.lock().unwrap().push(request.key.clone());
            Fault::None
        })
        .unwrap();
    let read = reads.lock().unwrap();
    assert!(read.contains(&"log/0000000000000004".to_owned()) && !read.contains(&"log/0000000000000001".to_owned()));
}

#[test]
fn files_of_removed_keys_that_stay_are_reported() {
    let memory = Memory::new();
    let first = Machine::new(&memory);
    first.create("old");
    let refuse = |request: &Request| if request.kind == Kind::Delete { Fault::Refuse } else { Fault::None };
    let mut target = first.open(None, refuse).unwrap();
    let key = target.add_key(&secret("second")).unwrap();
    let (removed, is_deleted) = target.remove_key(&key.name.to_string()[..8]).unwrap();
    assert_eq!((removed.name, is_deleted), (key.name, false));
    assert!(!target.rekey(&[secret("new")]).unwrap());
    for password in ["old", "second"] {
        let error = Machine::new(&memory).open(Some(password), |_| Fault::None).err().unwrap();
        assert_eq!(error.kind(), ErrorKind::WrongKey);
    }
    assert!(first.open(None, |_| Fault::None).unwrap().rekey(&[secret("newer")]).unwrap());
}
