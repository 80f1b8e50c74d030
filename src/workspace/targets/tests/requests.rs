//! Requests of pushes, counted.

use super::*;

/// Requests that create, read and list keys.
fn requests(counts: Counts) -> (u64, u64, u64) {
    assert_eq!(counts.requests(), counts.creates + counts.reads + counts.lists);
    (counts.creates, counts.reads, counts.lists)
}

/// A machine that has pushed some files.
fn pushed() -> Machine {
    let machine = Machine::new(&Memory::new());
    machine.create();
    for n in 0..50 {
        fs::create_dir_all(&machine.directory()).unwrap();
        fs::write_private(&machine.directory().join(format!("file-{n}")), format!("content {n}\n").as_bytes()).unwrap();
    }
    machine.commit("first", b"1");
    machine.push().unwrap();
    machine
}

#[test]
fn a_push_with_nothing_new_sends_2_requests() {
    let machine = pushed();
    for _ in 0..2 {
        let (outcome, counts) = machine.push().unwrap();
        assert_eq!((outcome.commits, requests(counts)), (0, (0, 1, 1)));
    }
}

#[test]
fn a_small_push_sends_4_requests() {
    let machine = pushed();
    for n in 0..10u8 {
        machine.commit("file", &[n; 10_000]);
        let (outcome, counts) = machine.push().unwrap();
        assert_eq!((outcome.commits, requests(counts)), (1, (2, 1, 1)), "push {n}");
    }
}

#[test]
fn a_small_push_after_that_of_another_machine_sends_4_requests() {
    let machine = pushed();
    let other = Machine::new(&machine.memory);
    for n in 0..6u8 {
        other.commit("file", &[n; 100]);
        other.push().unwrap();
        machine.commit("file", &[n; 200]);
        let (outcome, counts) = machine.push().unwrap();
        assert_eq!((outcome.commits, requests(counts)), (1, (2, 1, 1)), "push {n}");
    }
}

#[test]
fn a_push_of_a_thousand_small_files_needs_no_index() {
    let machine = pushed();
    for n in 0..1_000 {
        fs::write_private(&machine.directory().join(format!("new-{n}")), format!("new {n}\n").as_bytes()).unwrap();
    }
    machine.commit("file", b"new");
    let (outcome, counts) = machine.push().unwrap();
    assert!(outcome.sent.objects > 1_000);
    assert_eq!(requests(counts), (2, 1, 1));
    assert!(!machine.memory.content().keys().any(|key| key.starts_with("index/")));
}

#[test]
fn a_large_push_sends_packs_of_content_and_of_metadata() {
    let machine = pushed();
    let mut noise = vec![0; 1 << 20];
    blake3::Hasher::new().finalize_xof().fill(&mut noise);
    machine.commit("file", &noise);
    assert_eq!(requests(machine.push().unwrap().1), (3, 1, 1));
    let packs = |folder: &str| machine.memory.content().keys().filter(|key| key.starts_with(folder)).count();
    assert_eq!((packs("data/"), packs("meta/")), (1, 2), "one pack of the first push has both");
}

#[test]
fn maintenance_divides_the_packs_of_small_pushes() {
    let machine = pushed();
    for n in 0..64u8 {
        machine.commit("file", &[n; 300]);
        machine.push().unwrap();
    }
    let (workspace, mut target) = machine.open(|_| Fault::None).unwrap();
    let packs = |is_meta| target.state().packs.values().filter(|pack| pack.is_meta == is_meta).count();
    assert!(packs(false) == 1 && packs(true) < 5, "{} {}", packs(false), packs(true));
    let verified = workspace.verify_target(&mut target, &VerifyTarget { sample: 1.0 }, &Silent).unwrap();
    assert!(verified.damage.is_empty(), "{:?}", verified.damage);
}

#[test]
fn the_first_push_of_a_day_reads_the_file_that_identifies_the_target() {
    let machine = pushed();
    let workspace = machine.workspace();
    let age = |seconds: i64| {
        let mut association = Association::load(&workspace.repository, NAME).unwrap().unwrap();
        association.pushed.as_mut().unwrap().seconds -= seconds;
        association.save(&workspace.repository, NAME).unwrap();
    };
    for (day, is_missing) in [(1u8, false), (2, true)] {
        age(24 * 3600 + 10);
        let (outcome, counts) = machine.push().unwrap();
        assert_eq!((outcome.lacks_identity, requests(counts)), (false, (0, 1, 1)), "nothing new");
        age(24 * 3600 + 10);
        if is_missing {
            machine.memory.remove("target");
        }
        machine.commit("file", &[day; 100]);
        let (outcome, counts) = machine.push().unwrap();
        assert_eq!((outcome.lacks_identity, requests(counts)), (is_missing, (2, 2 + u64::from(is_missing), 1)));
        age(23 * 3600);
        machine.commit("file", &[10 + day; 100]);
        assert_eq!(requests(machine.push().unwrap().1), (2, 1, 1));
    }
}
