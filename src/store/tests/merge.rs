//! Merging packs, taking packs in and out of the set, and when the catalog is written.

use super::*;
use crate::store::tally::Tally;

/// Sixteen small packs of three objects each, one of which is in all of them.
fn many_packs() -> (Fixture, Vec<Object>) {
    let mut fixture = Fixture::new(Compression::Zstd(1));
    let mut objects = vec![data("in all of them")];
    for n in 0..16 {
        // Each session knows no other pack, so that the same object is put again.
        let packs = std::mem::take(&mut fixture.packs);
        let new = vec![data(text(n, 3000)), object(ObjectKind::Tree, text(n, 200))];
        fixture.put(&[new.clone(), vec![data("in all of them")]].concat());
        fixture.packs.splice(0..0, packs);
        objects.extend(new);
    }
    (fixture, objects)
}

#[test]
fn merging_small_packs_keeps_all_objects() {
    let (mut fixture, objects) = many_packs();
    let mut store = fixture.store();
    let candidates = store.merge_candidates();
    assert_eq!(candidates.len(), 16);
    let sizes: Vec<u64> =
        candidates.iter().map(|id| store.packs().iter().find(|pack| pack.0 == *id).unwrap().1).collect();
    assert!(sizes.is_sorted());
    let merged = store.merge(&candidates).unwrap().unwrap();
    assert!(!fixture.packs.contains(&merged));
    assert!(check(&store, merged).is_empty());
    assert_eq!(objects_in(&store, &fixture.packs), 48);

    store.add_packs(&[merged]).unwrap();
    fixture.leave(vec![merged]);
    assert_eq!(objects_in(&store, &fixture.packs), 33, "no object twice");
    assert_eq!(fixture.store().merge_candidates(), []);
    expect_all(&fixture.store(), &objects);
    let store = fixture.store();
    objects.iter().for_each(|(kind, id, _)| assert!(store.object(*kind, *id).is_ok()));
    // The frames of sixteen commits are merged into one frame of data and one of history.
    assert_eq!(store.frames_decoded(), 2);
    let files: Vec<String> =
        fixture.names_in("packs").iter().flat_map(|folder| fixture.names_in(&format!("packs/{folder}"))).collect();
    assert_eq!(files, [merged.to_string()]);
}

#[test]
fn few_or_large_packs_are_not_merged() {
    let (mut fixture, _) = many_packs();
    fixture.packs.pop();
    assert_eq!(fixture.store().merge_candidates(), []);
}

#[test]
fn merged_pack_differs_from_its_inputs() {
    let mut fixture = Fixture::new(Compression::Zstd(1));
    let (first, second) = (data(text(1, 500)), data(text(2, 500)));
    fixture.put(&[first.clone(), second.clone()]);
    let packs = std::mem::take(&mut fixture.packs);
    fixture.put(std::slice::from_ref(&first));
    fixture.packs.splice(0..0, packs);
    let merged = fixture.store().merge(&fixture.packs).unwrap().unwrap();
    assert!(!fixture.packs.contains(&merged));
    fixture.leave(vec![merged]);
    expect_all(&fixture.store(), &[first, second]);
    assert!(check(&fixture.store(), merged).is_empty());
}

#[test]
fn merge_rejects_damaged_frames() {
    let (fixture, _) = many_packs();
    super::damage::change(&fixture.pack_path(3), |bytes| bytes[20] ^= 1);
    let error = fixture.store().merge(&fixture.packs).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Damaged);
    assert!(error.to_string().contains(&fixture.packs[3].to_string()), "{error}");
    assert_eq!(fixture.names_in("tmp"), [""; 0]);
}

#[test]
fn catalog_is_written_only_for_many_objects() {
    let mut fixture = Fixture::new(Compression::Zstd(1));
    let objects: Vec<Object> = (0..9000).map(|n| data(format!("{n}"))).collect();
    let catalog = fixture.path().join("catalog");
    let mut store = fixture.store();
    store.add_packs(&fixture.put(&objects[..100]).packs).unwrap();
    assert!(!catalog.exists());
    store.add_packs(&fixture.put(&objects[100..8500]).packs).unwrap();
    let first = std::fs::read(&catalog).unwrap();
    store.add_packs(&fixture.put(&objects[8500..]).packs).unwrap();
    assert_eq!(std::fs::read(&catalog).unwrap(), first, "a few new ones do not pay");
    expect_all(&store, &objects);
    expect_all(&fixture.store(), &objects);
    assert_eq!(fixture.names_in("tmp"), [""; 0]);
}

#[test]
fn catalog_of_another_pack_set_is_used_partially() {
    let (fixture, objects) = many_packs();
    fixture.store().write_catalog().unwrap();
    let mut part = Fixture { packs: fixture.packs[4..8].to_vec(), ..fixture };
    expect_all(&part.store(), &[&objects[..1], &objects[9..17]].concat());
    for (kind, id, _) in objects[1..9].iter().chain(&objects[17..]) {
        assert!(!part.store().contains(*kind, *id));
        assert!(part.store().object(*kind, *id).is_err());
    }
    let more = data("not in the catalog");
    part.put(std::slice::from_ref(&more));
    expect_all(&part.store(), &[more]);
}

#[test]
fn tally_counts_duplicate_objects_once() {
    let (fixture, _) = many_packs();
    let tally = fixture.store().tally().unwrap();
    assert_eq!((tally.of(ObjectKind::Data), tally.of(ObjectKind::Tree), tally.of(ObjectKind::Links)), (17, 16, 0));
    assert_eq!((tally.objects(), tally.duplicates), (33, 15));
    assert_eq!(Fixture::new(Compression::Stored).store().tally().unwrap(), Tally::default());
}

#[test]
fn listing_yields_all_objects() {
    let (fixture, objects) = many_packs();
    let store = fixture.store();
    let listed = |id| store.list_pack(id).objects().unwrap().map(|one| (one.kind, one.id)).collect::<Vec<_>>();
    let mut all: Vec<_> = fixture.packs.iter().flat_map(|id| listed(*id)).collect();
    all.sort_unstable();
    all.dedup();
    let mut expected: Vec<_> = objects.iter().map(|(kind, id, _)| (*kind, *id)).collect();
    expected.sort_unstable();
    assert_eq!(all, expected);
}
