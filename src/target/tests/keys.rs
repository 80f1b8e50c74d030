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
    let rekey = before_append(move || target.rekey(&[secret("new")]).unwrap());
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
    let rekey = before_append(move || target.rekey(&[secret("first")]).unwrap());
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
