//! Damage of every part of every file is repaired or reported with the file name; wrong bytes are never returned.

use super::*;

/// Changes a file.
pub fn change(path: &Path, edit: impl FnOnce(&mut Vec<u8>)) {
    let mut bytes = std::fs::read(path).unwrap();
    edit(&mut bytes);
    std::fs::write(path, bytes).unwrap();
}

/// Two packs, of which the first is going to be damaged, and what is in them.
fn two_packs(compression: Compression) -> (Fixture, Vec<Object>, Vec<Object>) {
    let mut fixture = Fixture::new(compression);
    let trees = (0..5).map(|n| object(ObjectKind::Tree, text(n, 300)));
    let first: Vec<Object> = (0..5).map(|n| data(text(n, 400))).chain(trees).chain([data(noise(1, 70_000))]).collect();
    let second = vec![data("in the other pack"), object(ObjectKind::Commit, b"a commit".to_vec())];
    fixture.put(&first);
    fixture.put(&second);
    assert_eq!(fixture.packs.len(), 2);
    (fixture, first, second)
}

/// Each object of the first pack is right or the failure names the pack; the other pack is as it was.
#[track_caller]
fn right_or_told(fixture: &Fixture, first: &[Object], second: &[Object], what: &str) {
    let store = fixture.store();
    let path = fixture.pack_path(0).display().to_string();
    let mut reader = store.reader();
    for (kind, id, bytes) in first {
        for result in
            [store.object(*kind, *id).map(|bytes| bytes.to_vec()), reader.read(*kind, *id).map(<[u8]>::to_vec)]
        {
            match result {
                Ok(read) => assert!(&read == bytes, "{what}: wrong bytes"),
                Err(error) => {
                    assert_eq!(error.kind(), ErrorKind::Damaged, "{what}: {error}");
                    assert!(error.to_string().contains(&path), "{what}: {error}");
                }
            }
        }
    }
    expect_all(&store, second);
    let errors = check(&store, fixture.packs[0]);
    assert!(!errors.is_empty(), "{what}");
    for error in errors {
        assert!(error.kind() == ErrorKind::Damaged && error.to_string().contains(&path), "{what}: {error}");
    }
    assert!(check(&store, fixture.packs[1]).is_empty(), "{what}");
}

#[test]
fn damage_errors_name_the_pack() {
    for (compression, with_catalog) in [
        (Compression::Zstd(1), false),
        (Compression::Zstd(1), true),
        (Compression::Deflate(6), false),
        (Compression::Stored, true),
    ] {
        let (fixture, first, second) = two_packs(compression);
        if with_catalog {
            fixture.store().write_catalog().unwrap();
        }
        let path = fixture.pack_path(0);
        let good = std::fs::read(&path).unwrap();
        let table = good.len() - 80 - 20 - 3 * 26 - first.len() * 45;
        let part = |name: &str, from: usize, to: usize| (name.to_owned(), from, to);
        let parts = [
            part("header", 0, 16),
            part("frames", 16, table),
            part("table", table, good.len() - 80),
            part("footer", good.len() - 80, good.len()),
        ];
        for (name, from, to) in parts {
            let step = ((to - from) / 16).max(1);
            for at in (from..to).step_by(step) {
                for bit in [1, 0x80] {
                    change(&path, |bytes| bytes[at] ^= bit);
                    right_or_told(&fixture, &first, &second, &format!("{name}, byte {at} flipped"));
                    std::fs::write(&path, &good).unwrap();
                }
            }
            for at in [from, (from + to) / 2, to - 1] {
                change(&path, |bytes| bytes.truncate(at));
                right_or_told(&fixture, &first, &second, &format!("{name}, cut at {at}"));
            }
            std::fs::write(&path, &good).unwrap();
            change(&path, |bytes| bytes[from..to].fill(0));
            right_or_told(&fixture, &first, &second, &format!("{name} zeroed"));
            std::fs::write(&path, &good).unwrap();
        }
        change(&path, |bytes| bytes.push(0));
        right_or_told(&fixture, &first, &second, "one byte more");
        std::fs::remove_file(&path).unwrap();
        right_or_told(&fixture, &first, &second, "deleted");
        std::fs::copy(fixture.pack_path(1), &path).unwrap();
        right_or_told(&fixture, &first, &second, "another pack in its place");
    }
}

#[test]
fn damaged_catalog_loses_no_object() {
    let (fixture, first, second) = two_packs(Compression::Zstd(1));
    fixture.store().write_catalog().unwrap();
    let path = fixture.path().join("catalog");
    let good = std::fs::read(&path).unwrap();
    let objects = [first, second].concat();
    let entries = 16 + objects.len() * 72;
    let all_is_there = || {
        let store = fixture.store();
        for (kind, id, bytes) in &objects {
            assert_eq!(&store.object(*kind, *id).unwrap()[..], bytes);
            assert_eq!(store.locate(*kind, *id).unwrap().length as usize, bytes.len());
            let prefix = IdPrefix::parse(&id.to_string()[..8]).unwrap();
            assert_eq!(store.find(*kind, &prefix, 2), [*id]);
            assert!(!store.contains(*kind, ObjectId([0x5a; 32])));
        }
    };
    all_is_there();
    let tail = entries..entries + 96;
    let trailer = good.len() - 64..good.len();
    for at in (0..entries).chain(tail).chain(trailer).step_by(5) {
        change(&path, |bytes| bytes[at] ^= 0x11);
        all_is_there();
        std::fs::write(&path, &good).unwrap();
    }
    for (from, to) in
        [(0, 16), (16, entries), (entries, good.len() - 64), (good.len() - 64, good.len()), (0, good.len())]
    {
        for byte in [0, 0xff] {
            change(&path, |bytes| bytes[from..to].fill(byte));
            all_is_there();
            std::fs::write(&path, &good).unwrap();
        }
        change(&path, |bytes| bytes.truncate(from));
        all_is_there();
        std::fs::write(&path, &good).unwrap();
    }
}

#[test]
fn objects_of_lost_packs_can_be_stored_again() {
    for with_catalog in [false, true] {
        let (mut fixture, first, second) = two_packs(Compression::Zstd(1));
        if with_catalog {
            fixture.store().write_catalog().unwrap();
        }
        std::fs::remove_file(fixture.pack_path(0)).unwrap();
        let store = fixture.store();
        assert!(first.iter().all(|(kind, id, _)| !store.contains(*kind, *id) && store.locate(*kind, *id).is_none()));
        let [error] = &store.damage()[..] else { panic!("one pack is lost") };
        assert!(error.to_string().contains(&fixture.packs[0].to_string()), "{error}");
        drop(store);
        assert_eq!(fixture.put(&first).objects, first.len() as u64);
        expect_all(&fixture.store(), &[first, second].concat());
    }
}

#[test]
fn missing_object_error_names_kind_and_id() {
    let (fixture, ..) = two_packs(Compression::Zstd(1));
    let id = ObjectId([7; 32]);
    let error = fixture.store().object(ObjectKind::Tree, id).unwrap_err();
    assert_eq!((error.kind(), error.to_string()), (ErrorKind::Damaged, format!("tree `{id}` is missing")));
    let error = fixture.store().layout(BlobId(id.0)).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Damaged);
}

#[test]
fn damaged_object_is_read_from_another_pack() {
    let mut fixture = Fixture::new(Compression::Zstd(1));
    let file = data(text(1, 100_000));
    fixture.put(std::slice::from_ref(&file));
    let first = std::mem::take(&mut fixture.packs);
    fixture.put(&[file.clone(), data("more")]);
    fixture.packs.splice(0..0, first);
    for with_catalog in [false, true] {
        if with_catalog {
            fixture.store().write_catalog().unwrap();
        }
        let good = std::fs::read(fixture.pack_path(0)).unwrap();
        change(&fixture.pack_path(0), |bytes| bytes[30] ^= 1);
        expect_all(&fixture.store(), std::slice::from_ref(&file));
        std::fs::write(fixture.pack_path(0), good).unwrap();
    }
}

#[test]
fn check_finds_wrong_catalog_entries() {
    let (fixture, _, _) = two_packs(Compression::Zstd(1));
    let check = || fixture.store().check_catalog().unwrap();
    assert!(check().unsound.is_none() && check().wrong.is_empty(), "there is none");
    fixture.store().write_catalog().unwrap();
    assert!(check().unsound.is_none() && check().wrong.is_empty());
    let path = fixture.path().join("catalog");
    let good = std::fs::read(&path).unwrap();
    // An entry with a wrong checksum is not believed; a whole one that lies is.
    let first = 16..16 + 72;
    change(&path, |bytes| bytes[first.start + 60] ^= 1);
    assert!(check().unsound.is_some() && check().wrong.is_empty());
    change(&path, |bytes| {
        let sum = blake3::hash(&bytes[first.start..first.end - 4]);
        bytes[first.end - 4..first.end].copy_from_slice(&sum.as_bytes()[..4]);
    });
    assert!(check().unsound.is_none() && check().wrong.len() == 1);
    std::fs::write(&path, &good[..good.len() - 1]).unwrap();
    assert!(check().unsound.is_some() && check().wrong.is_empty());
}

/// Changes a byte of a chunk wherever it is.
fn spoil(fixture: &Fixture, chunk: &[u8]) {
    for n in 0..fixture.packs.len() {
        change(&fixture.pack_path(n), |bytes| {
            if let Some(at) = bytes.windows(16).position(|window| *window == chunk[..16]) {
                bytes[at] ^= 1;
            }
        });
    }
}

#[test]
fn unreadable_checks_only_removed_chunks() {
    let mut fixture = Fixture::new(Compression::Zstd(1));
    let (old, _) = put_blob(&mut fixture, &[(Some(1), 100_000), (Some(2), 100_000)]);
    let (new, _) = put_blob(&mut fixture, &[(Some(1), 100_000), (Some(3), 100_000)]);
    let lost = |fixture: &Fixture, coming| fixture.store().unreadable(1, &|_| Some(Outgoing { blob: old, coming }));
    assert!(lost(&fixture, None).is_empty());
    spoil(&fixture, &noise(1, 100_000));
    assert_eq!((lost(&fixture, Some(new)), lost(&fixture, None)), (vec![], vec![0]));
    spoil(&fixture, &noise(2, 100_000));
    assert_eq!(lost(&fixture, Some(new)), [0]);
}
