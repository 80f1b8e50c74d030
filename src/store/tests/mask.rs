//! A store under a mask answers like a store that never had the hidden objects.

use std::collections::BTreeSet;

use proptest::prelude::*;

use super::*;

/// Hides objects in all packs of a store.
fn mask_of(store: &Store, is_hidden: impl Fn(ObjectKind, ObjectId) -> bool) -> Mask {
    let mut mask = Mask::default();
    for pack in &store.packs {
        let table = pack.table().unwrap();
        let mut hidden = PackMask::new(table.len() as u32);
        let dead = (0..).zip(table.records()).filter(|(_, record)| is_hidden(record.kind, record.id));
        dead.for_each(|(n, record)| {
            hidden.hide(n);
            hidden.bytes += u64::from(record.length);
        });
        mask.insert(pack.id, hidden);
    }
    mask
}

pub(super) fn hide(store: &Store, objects: &[Object]) -> Mask {
    mask_of(store, |kind, id| objects.iter().any(|object| (object.0, object.1) == (kind, id)))
}

/// Compares everything that a store answers about these objects.
fn expect_equal(masked: &Store, rewritten: &Store, objects: &[Object]) {
    let mut readers = [masked.reader(), rewritten.reader()];
    let (sessions, blobs) = ([masked.session(), rewritten.session()], [masked, rewritten]);
    for (kind, id, _) in objects {
        let (kind, id) = (*kind, *id);
        let answers = [0, 1].map(|n| {
            let store = blobs[n];
            let read = readers[n].read(kind, id).ok().map(<[u8]>::to_vec);
            let object = store.object(kind, id).ok().map(|bytes| bytes.to_vec());
            let prefix = IdPrefix::parse(&id.to_string()[..4]).unwrap();
            let is_there = [
                store.contains(kind, id),
                store.knows(kind, id),
                store.locate(kind, id).is_some(),
                sessions[n].contains(kind, id),
                store.all_locations(kind, id).chain(store.quick_locations(kind, id)).next().is_some(),
                kind != ObjectKind::Data || store.can_read(id.into()),
            ];
            (read, object, is_there, store.find(kind, &prefix, 100), store.contains_blob(id.into()))
        });
        assert_eq!(answers[0], answers[1]);
    }
    let totals = |store: &Store| {
        let tally = store.tally().unwrap();
        ObjectKind::ALL.map(|kind| tally.of(kind))
    };
    assert_eq!(totals(masked), totals(rewritten));
    let listed = |store: &Store| -> BTreeSet<_> {
        let packs = store.packs();
        let objects = packs.iter().flat_map(|(id, _)| store.list_pack(*id).objects().unwrap().collect::<Vec<_>>());
        objects.map(|object| (object.kind, object.id)).collect()
    };
    assert_eq!(listed(masked), listed(rewritten));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    #[test]
    fn masked_store_equals_a_store_without_the_hidden_objects(
        lengths in prop::collection::vec((1usize..90_000, 0usize..8, any::<bool>()), 1..60),
        commits in 1usize..20,
        with_catalog in any::<bool>(),
        compression in prop::sample::select(vec![Compression::Stored, Compression::Zstd(1)]),
    ) {
        let mut fixture = Fixture::new(compression);
        let mut rewritten = Fixture::new(compression);
        let (mut objects, mut dead) = (Vec::new(), Vec::new());
        for (n, (length, kind, is_dead)) in lengths.into_iter().enumerate() {
            let kind = ObjectKind::ALL.get(kind).copied().filter(|kind| *kind != ObjectKind::Layout);
            let object = object(kind.unwrap_or(ObjectKind::Data), noise(n as u64, length.pow(2) / 90_000 + 8));
            objects.push(object.clone());
            if is_dead { dead.push(object) }
        }
        let live: Vec<Object> = objects.iter().filter(|object| !dead.contains(object)).cloned().collect();
        for part in objects.chunks(objects.len().div_ceil(commits)) {
            // Without the other packs, so that objects are in several of them.
            let packs = std::mem::take(&mut fixture.packs);
            fixture.put(&[part, &objects[..1]].concat());
            fixture.packs.extend(packs);
        }
        rewritten.put(&live);
        fixture.packs.sort();
        fixture.packs.dedup();
        if with_catalog { fixture.store().write_catalog().unwrap(); }
        let mask = hide(&fixture.store(), &dead);
        let masked = fixture.masked(Some(mask.clone()));
        expect_equal(&masked, &rewritten.store(), &objects);
        masked.packs().iter().for_each(|(id, _)| assert!(check(&masked, *id).is_empty()));
        assert!(masked.check_catalog().unwrap().wrong.is_empty());

        // Merging leaves the hidden objects out. What was hidden can be put again.
        if let Some(merged) = masked.merge(&fixture.packs).unwrap() {
            let all = std::mem::replace(&mut fixture.packs, vec![merged]);
            expect_equal(&fixture.masked(Some(mask.clone())), &rewritten.store(), &objects);
            let bytes = std::fs::read(fixture.pack_path(0)).unwrap();
            for (.., hidden) in &dead {
                assert!(!bytes.windows(hidden.len()).any(|window| window == hidden), "a hidden object was copied");
            }
            fixture.packs = all;
        }
        let session = masked.session();
        let mut writer = session.writer();
        for (kind, id, bytes) in &dead {
            assert!(writer.put(*kind, *id, bytes).unwrap());
        }
        writer.finish().unwrap();
        fixture.packs.extend(session.finish().unwrap().packs);
        expect_all(&fixture.masked(Some(mask)), &objects);
    }
}

#[test]
fn frames_with_only_hidden_objects_are_not_read() {
    let mut fixture = Fixture::new(Compression::Stored);
    let (first, second) = (data(noise(1, 100_000)), data(noise(2, 100_000)));
    fixture.put(&[first.clone(), second.clone()]);
    let mask = hide(&fixture.store(), std::slice::from_ref(&first));
    super::damage::change(&fixture.pack_path(0), |bytes| bytes[16..100_016].fill(0));
    assert_eq!(check(&fixture.store(), fixture.packs[0]).len(), 1);
    let masked = fixture.masked(Some(mask));
    assert!(check(&masked, fixture.packs[0]).is_empty());
    assert_eq!(objects_in(&masked, &fixture.packs), 1);
    expect_all(&masked, &[second]);
}

#[test]
fn mask_of_another_table_is_damage() {
    let mut fixture = Fixture::new(Compression::Stored);
    fixture.put(&[data("one"), data("two")]);
    let mut mask = Mask::default();
    let mut wrong = PackMask::new(3);
    wrong.hide(2);
    mask.insert(fixture.packs[0], wrong);
    let errors = check(&fixture.masked(Some(mask)), fixture.packs[0]);
    assert!(errors[0].to_string().contains("the mask does not fit it"), "{errors:?}");
}
