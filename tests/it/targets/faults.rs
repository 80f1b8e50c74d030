//! Faults at each request of each operation. An operation succeeds or fails with the right kind of error; nothing that was
//! acknowledged is lost; and the next run completes.
//!
//! A sample of the requests runs with the other tests; `UNDO_TEST_SWEEP=1` tries every request with every fault.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use undo::error::{ErrorKind, Result};
use undo::internals::remote::{Fault, Kind, Memory};
use undo::progress::Silent;
use undo::workspace::PurgeSelection;
use undo::workspace::targets::{KeyKind, Secret};

use super::copies::noise;
use super::machine::{Before, Machine, healthy};
use crate::tree::{Tree, assert_same};

const FAULTS: [Fault; 7] = [
    Fault::LoseRequest,
    Fault::LoseAnswer,
    Fault::Double,
    Fault::Refuse,
    Fault::Unreachable,
    Fault::Stop,
    Fault::StopAfter,
];

/// One of this number of cases is tried.
const SAMPLE: u64 = 11;

/// An operation, and what follows it.
struct Operation<'o> {
    /// The machine before the operation.
    before: Machine,
    run: &'o dyn Fn(&Machine, Before) -> Result<()>,
    /// Runs the operation again, without faults, and checks that it is complete.
    finish: &'o dyn Fn(&Machine),
}

impl Operation<'_> {
    /// Tries faults at each request. Returns the number of requests without faults.
    fn check(&self) -> u64 {
        let sweep = std::env::var_os("UNDO_TEST_SWEEP").is_some();
        let count = Arc::new(AtomicU64::new(0));
        let machine = self.before.copy();
        let counter = count.clone();
        (self.run)(
            &machine,
            Box::new(move |request| {
                counter.fetch_max(request.number, Ordering::SeqCst);
                Fault::None
            }),
        )
        .unwrap();
        (self.finish)(&machine);
        let requests = count.load(Ordering::SeqCst);
        let cases = (1..=requests).flat_map(|number| FAULTS.map(|fault| (number, fault)));
        // Eleven and the seven faults have no common factor, so the cases meet every fault.
        for (case, (number, fault)) in (0..).zip(cases) {
            if sweep || case % SAMPLE == 0 {
                self.check_fault(number, fault);
            }
        }
        requests
    }

    fn check_fault(&self, number: u64, fault: Fault) {
        println!("{fault:?} at request {number}");
        let machine = self.before.copy();
        let acknowledged = self.before.kept();
        let met = Arc::new(AtomicBool::new(false));
        let meets = met.clone();
        let result = (self.run)(
            &machine,
            Box::new(move |request| {
                let is_met = request.number == number;
                meets.fetch_or(is_met, Ordering::SeqCst);
                if is_met { fault } else { Fault::None }
            }),
        );
        let expected = match fault {
            Fault::Refuse => Some(ErrorKind::Refused),
            Fault::Unreachable => Some(ErrorKind::Unreachable),
            Fault::Stop | Fault::StopAfter => Some(ErrorKind::Interrupted),
            _ => None,
        };
        if let Err(error) = result {
            assert_eq!(Some(error.kind()), expected, "{error}");
        }
        if !acknowledged.is_empty() {
            // A rekey that failed after its entry has changed the password.
            machine.assert_has_with(&acknowledged, second("new"));
        }
        (self.finish)(&machine);
    }
}

/// A machine with two commits: small files, a large one, and links.
fn with_commits(memory: &Arc<Memory>) -> Machine {
    let machine = Machine::new(memory);
    machine.write("notes.txt", "first\n");
    machine.write("data/large.bin", noise(7, 1_200_000));
    std::fs::hard_link(machine.work().join("notes.txt"), machine.work().join("data/linked.txt")).unwrap();
    std::os::unix::fs::symlink("large.bin", machine.work().join("data/link")).unwrap();
    machine.commit();
    machine.write("notes.txt", "second\n");
    machine.commit();
    machine
}

/// A machine that has pushed two commits.
fn pushed() -> Machine {
    let machine = with_commits(&Memory::new());
    machine.add(healthy()).unwrap();
    machine.push(healthy()).unwrap();
    machine
}

fn finish_push(machine: &Machine) {
    machine.push(healthy()).unwrap();
    machine.assert_has(&machine.commits());
    machine.assert_clone_is_exact();
}

fn push(machine: &Machine, before: Before) -> Result<()> {
    machine.push(before)?;
    machine.assert_has(&machine.commits());
    Ok(())
}

fn second(secret: &str) -> Secret {
    Secret { kind: KeyKind::Password, bytes: secret.into() }
}

#[test]
fn adding_a_target_survives_faults() {
    let add = |machine: &Machine, before: Before| machine.add(before).map(drop);
    let finish = |machine: &Machine| {
        machine.add(healthy()).unwrap();
        finish_push(machine);
    };
    Operation { before: with_commits(&Memory::new()), run: &add, finish: &finish }.check();
}

#[test]
fn a_first_push_survives_faults() {
    let before = with_commits(&Memory::new());
    before.add(healthy()).unwrap();
    Operation { before, run: &push, finish: &finish_push }.check();
}

#[test]
fn a_second_push_survives_faults() {
    let before = pushed();
    before.write("notes.txt", "third\n");
    before.write("data/new", "new\n");
    before.commit();
    Operation { before, run: &push, finish: &finish_push }.check();
}

#[test]
fn a_push_with_maintenance_survives_faults() {
    let before = pushed();
    // An index file, in addition to the records in the log.
    (0..1_700).for_each(|number| before.write(&format!("many/{number}"), format!("{number}")));
    before.commit();
    before.push(healthy()).unwrap();
    std::fs::remove_dir_all(before.work().join("many")).unwrap();
    for number in 0..60 {
        before.write("notes.txt", format!("{number}\n"));
        before.commit();
        before.push(healthy()).unwrap();
    }
    before.write("notes.txt", "last\n");
    before.commit();
    // Without the cache, maintenance reads indexes from the storage.
    let before = before.without_cache();
    Operation { before, run: &push, finish: &finish_push }.check();
}

#[test]
fn a_pull_survives_faults() {
    let other = pushed();
    let before = Machine::new(&other.memory);
    before.write("own", "own\n");
    before.commit();
    before.push(healthy()).unwrap();
    let pull = |machine: &Machine, before: Before| machine.pull(before).map(drop);
    let expected = Tree::read(&before.work());
    let finish = |machine: &Machine| {
        machine.pull(healthy()).unwrap();
        let commits = machine.commits();
        assert!(other.commits().iter().all(|id| commits.contains(id)));
        assert_same(&expected, &Tree::read(&machine.work()));
        machine.assert_repository_is_undamaged();
    };
    Operation { before, run: &pull, finish: &finish }.check();
}

#[test]
fn a_clone_survives_faults() {
    let original = pushed();
    let expected = Tree::read(&original.work());
    let directory = |machine: &Machine| machine.work().join("clone");
    let clone = |machine: &Machine, before: Before| machine.clone_to(&directory(machine), before);
    let finish = |machine: &Machine| {
        let directory = directory(machine);
        if !directory.join("notes.txt").exists() {
            machine.clone_to(&directory, healthy()).unwrap();
        }
        assert_same(&expected, &Tree::read(&directory));
    };
    Operation { before: original.stranger(), run: &clone, finish: &finish }.check();
}

#[test]
fn collecting_survives_faults() {
    let machine = pushed();
    let secret = noise(3, 200_000);
    machine.write("secret.bin", &secret);
    machine.commit();
    machine.push(healthy()).unwrap();
    std::fs::remove_file(machine.work().join("secret.bin")).unwrap();
    machine.commit();
    let mut workspace = machine.workspace();
    let blobs = workspace.find_blobs(&[blake3::hash(&secret).to_string()]).unwrap();
    workspace.purge(&PurgeSelection::Blobs(blobs), &Silent).unwrap();
    machine.push(healthy()).unwrap();
    // Left by an interrupted push.
    let orphan = blake3::hash(b"orphan").to_string();
    machine.memory.set(&format!("data/{}/{orphan}", &orphan[..2]), b"orphan");
    machine.memory.advance(2 * 24 * 3600);
    let collect = |machine: &Machine, before: Before| machine.collect(before).map(drop);
    let finish = |machine: &Machine| {
        machine.collect(healthy()).unwrap();
        machine.assert_has(&machine.commits());
        machine.assert_clone_is_exact();
    };
    let condemning = machine.copy();
    let outcome = machine.collect(healthy()).unwrap();
    assert!(outcome.orphans == 1 && outcome.rewritten + outcome.dead > 0, "{outcome:?}");
    Operation { before: condemning, run: &collect, finish: &finish }.check();
    machine.memory.advance(2 * 24 * 3600);
    let deleting = machine.copy();
    assert!(machine.collect(healthy()).unwrap().deleted > 1);
    Operation { before: deleting, run: &collect, finish: &finish }.check();
}

#[test]
fn changing_keys_survives_faults() {
    let add = |machine: &Machine, before: Before| machine.open(before)?.add_key(&second("second")).map(drop);
    let finish_add = |machine: &Machine| {
        machine.open(healthy()).unwrap().add_key(&second("third")).unwrap();
        machine.stranger_without_keys().open_with(healthy(), second("third")).unwrap();
    };
    let before = pushed();
    Operation { before: before.copy(), run: &add, finish: &finish_add }.check();
    let key = before.open(healthy()).unwrap().add_key(&second("second")).unwrap().id;
    let remove = |machine: &Machine, before: Before| machine.open(before)?.remove_key(&key).map(drop);
    let finish_remove = |machine: &Machine| {
        // Not found if the first run has removed the key.
        if let Err(error) = machine.open(healthy()).unwrap().remove_key(&key) {
            assert_eq!(error.kind(), ErrorKind::NotFound);
        }
        let opened = machine.stranger_without_keys().open_with(healthy(), second("second"));
        assert_eq!(opened.err().unwrap().kind(), ErrorKind::WrongKey);
    };
    Operation { before, run: &remove, finish: &finish_remove }.check();
}

#[test]
fn rekeying_survives_faults() {
    let before = pushed();
    // More packs than one slice has.
    for number in 0..9 {
        before.write("notes.txt", format!("{number}\n"));
        before.commit();
        before.push(healthy()).unwrap();
    }
    let rekey = |machine: &Machine, before: Before| {
        let mut target = machine.open(before)?;
        target.rekey(&[second("new")])?;
        target.rewrite_old_packs(&Silent).map(drop)
    };
    let finish = |machine: &Machine| {
        let mut target = machine.open_with(healthy(), second("new")).unwrap();
        if target.generation() == 1 {
            target.rekey(&[second("new")]).unwrap();
        }
        target.rewrite_old_packs(&Silent).unwrap();
        assert_eq!(target.rewrite_old_packs(&Silent).unwrap().packs, 0);
        machine.assert_has(&machine.commits());
        machine.assert_clone_is_exact();
    };
    Operation { before, run: &rekey, finish: &finish }.check();
}

#[test]
fn a_push_that_sleeps_for_days_does_not_record_deleted_packs() {
    let machine = with_commits(&Memory::new());
    machine.add(healthy()).unwrap();
    let collector = machine.stranger();
    let collect = move || {
        for _ in 0..2 {
            collector.memory.advance(2 * 24 * 3600);
            collector.collect(healthy()).unwrap();
        }
    };
    let collect = Mutex::new(Some(collect));
    let result = machine.push(Box::new(move |request| {
        let is_new = request.kind == Kind::Create;
        if is_new
            && request.key.starts_with("log/")
            && let Some(collect) = collect.lock().unwrap().take()
        {
            collect();
        }
        // The pack with content has been sent, and is recorded for the next push.
        if is_new && request.key.starts_with("meta/") { Fault::Unreachable } else { Fault::None }
    }));
    assert_eq!(result.unwrap_err().kind(), ErrorKind::Unreachable);
    finish_push(&machine);
}
