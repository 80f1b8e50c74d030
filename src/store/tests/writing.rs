//! Sessions: what they leave on disk, and what they do when something fails.

use super::*;

#[test]
fn concurrent_puts_store_each_object_once() {
    let mut fixture = Fixture::new(Compression::Zstd(1));
    let objects = mixture();
    let store = fixture.store();
    let session = store.session();
    let new: u64 = std::thread::scope(|scope| {
        let put_all = |turn: usize| {
            let (session, objects) = (&session, &objects);
            move || {
                let mut writer = session.writer();
                let turned = objects[turn..].iter().chain(&objects[..turn]);
                turned.filter(|(kind, id, bytes)| writer.put(*kind, *id, bytes).unwrap()).count() as u64
            }
        };
        let threads: Vec<_> = (0..4).map(|n| scope.spawn(put_all(n * 50))).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).sum()
    });
    let stored = session.finish().unwrap();
    assert_eq!((new, stored.objects), (objects.len() as u64 - 1, objects.len() as u64 - 1));
    fixture.packs = stored.packs;
    expect_all(&fixture.store(), &objects);
    assert_eq!(fixture.put(&objects), Stored::default(), "all already exists");
}

#[test]
fn small_session_of_many_writers_makes_one_pack() {
    let mut fixture = Fixture::new(Compression::Zstd(1));
    let store = fixture.store();
    let session = store.session();
    for n in 0..8 {
        let mut writer = session.writer();
        let (file, tree) = (data(noise(n, 100_000)), object(ObjectKind::Tree, text(n, 500)));
        assert!(writer.put(file.0, file.1, &file.2).unwrap() && writer.put(tree.0, tree.1, &tree.2).unwrap());
        assert!(session.contains(file.0, file.1) && !store.contains(file.0, file.1));
        writer.finish().unwrap();
    }
    let stored = session.finish().unwrap();
    assert_eq!((stored.packs.len(), stored.objects), (1, 16));
    fixture.packs = stored.packs;
    assert_eq!(fixture.store().packs(), [(fixture.packs[0], stored.bytes)]);
    assert_eq!(std::fs::metadata(fixture.pack_path(0)).unwrap().len(), stored.bytes);
    assert_eq!(fixture.names_in("tmp"), [""; 0]);
}

#[test]
fn large_session_separates_history_from_data() {
    let mut fixture = Fixture::new(Compression::Zstd(1));
    let files = (0..70).map(|n| data(noise(n, 1 << 20)));
    let trees = (100..105).map(|n| object(ObjectKind::Tree, noise(n, 100_000)));
    let objects: Vec<Object> = files.chain(trees).collect();
    let stored = fixture.put(&objects);
    assert_eq!(stored.packs.len(), 3, "a full one, the rest of the data, history");
    assert_eq!(fixture.names_in("tmp"), [""; 0]);
    expect_all(&fixture.store(), &objects);
}

#[test]
fn files_are_private() {
    use std::os::unix::fs::PermissionsExt;
    let mut fixture = Fixture::new(Compression::Zstd(1));
    fixture.put(&[data("secret")]);
    let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
    let pack = fixture.pack_path(0);
    assert_eq!((mode(&pack), mode(pack.parent().unwrap()), mode(&fixture.path().join("packs"))), (0o600, 0o700, 0o700));
}

#[test]
fn dropped_session_deletes_its_files() {
    let fixture = Fixture::new(Compression::Stored);
    let store = fixture.store();
    let session = store.session();
    let mut writer = session.writer();
    for n in 0..5 {
        let (kind, id, bytes) = data(noise(n, 1 << 20));
        writer.put(kind, id, &bytes).unwrap();
    }
    assert_eq!(fixture.names_in("tmp").len(), 1, "much data is not kept in memory");
    drop(writer);
    drop(session);
    assert_eq!((fixture.names_in("tmp"), fixture.names_in("packs")), (vec![], vec![]));
}

#[test]
fn failed_session_stores_nothing() {
    let fixture = Fixture::new(Compression::Stored);
    // A file occupies the folder for new packs.
    std::fs::write(fixture.path().join("tmp"), "").unwrap();
    let store = fixture.store();
    let session = store.session();
    let mut writer = session.writer();
    let (kind, id, bytes) = data(noise(1, 3_000_000));
    assert!(writer.put(kind, id, &bytes).is_err());
    std::fs::remove_file(fixture.path().join("tmp")).unwrap();
    let (kind, id, bytes) = data(noise(2, 100_000));
    let error = writer.put(kind, id, &bytes).unwrap_err();
    assert!(error.to_string().starts_with("nothing was stored: "), "{error}");
    assert!(writer.finish().is_err());
    assert!(session.finish().is_err());
    assert_eq!((fixture.names_in("tmp"), fixture.names_in("packs")), (vec![], vec![]));
}

#[test]
fn dropped_writer_hands_over_its_packs() {
    let mut fixture = Fixture::new(Compression::Zstd(1));
    let store = fixture.store();
    let session = store.session();
    let file = data("a few bytes");
    session.writer().put(file.0, file.1, &file.2).unwrap();
    fixture.packs = session.finish().unwrap().packs;
    expect_all(&fixture.store(), &[file]);
}

#[test]
fn incompressible_data_is_stored() {
    for compression in [Compression::Deflate(6), Compression::Zstd(1)] {
        let mut fixture = Fixture::new(compression);
        let stored = fixture.put(&[data(noise(1, 1 << 20)), data(noise(2, 10_000))]);
        let raw = (1 << 20) + 10_000;
        assert!(stored.bytes > raw && stored.bytes < raw + 400, "{} bytes", stored.bytes);
    }
}

#[test]
fn pack_encoding_is_golden() {
    let mut fixture = Fixture::new(Compression::Stored);
    fixture.put(&[data("hello\n"), object(ObjectKind::Tree, b"no tree, only bytes".to_vec())]);
    let bytes = std::fs::read(fixture.pack_path(0)).unwrap();
    let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    let expected: String = GOLDEN.concat();
    assert_eq!(hex, expected);
    assert!(expected.contains(&fixture.packs[0].to_string()));
}

/// Header, two frames, table (its head, two frames, two objects), footer.
const GOLDEN: [&str; 9] = [
    "756e646f7061636b01000000e03b6595",
    "68656c6c6f0a",
    "6e6f20747265652c206f6e6c79206279746573",
    "756e646f7461626c010000000200000002000000",
    "1000000000000000060000000600000000008e4c7c1b99dbfd50",
    "16000000000000001300000013000000000090670d2fed0f6651",
    "018e4c7c1b99dbfd50e7a95185fead5ee1448fa904a2fdd778eaf5f2dbfd629a99000000000000000006000000",
    "04d4cf35bba6125dcf61d3b7617873c5c87269e8a779f5725e35c66c4fab2cf1a7010000000000000013000000",
    "2900000000000000a200000000000000020000000200000019820b0042a6a8ba4e21593f6c48a6cafedee4510ba477e959afa249b8a8637e01000000000000008c89f7e6646a66ad756e646f2d656e64",
];
