//! Tests the bytes of pack files.

use super::*;

fn table() -> (Vec<u8>, u64) {
    let frame = |offset, raw| Frame { offset, stored: 10, raw, codec: Codec::Zstd, level: 1, checksum: [7; 8] };
    let record = |id, frame_number, offset| {
        let (kind, id) = (ObjectKind::Tree, ObjectId([id; LENGTH]));
        Record { kind, id, frame_number, offset, length: 20 }
    };
    let frames = [frame(16, 60), frame(26, 20)];
    (encode_table(PackType::Plain, &frames, &mut [record(9, 1, 0), record(4, 0, 0), record(5, 0, 40)]), 36)
}

#[test]
fn pack_table_is_sorted_and_searchable() {
    let (bytes, end) = table();
    let table = Table::of(&bytes).unwrap();
    table.check(end).unwrap();
    assert_eq!(table.records().map(|record| record.id.0[0]).collect::<Vec<_>>(), [4, 5, 9]);
    for (n, record) in table.records().enumerate() {
        assert_eq!(table.find(record.kind, record.id), Some(n));
        assert_eq!(table.find(ObjectKind::Commit, record.id), None);
    }
    assert_eq!(table.find(ObjectKind::Tree, ObjectId([6; LENGTH])), None);
}

#[test]
fn forged_tables_are_rejected_or_harmless() {
    let (good, end) = table();
    let mut accepted = 0;
    for at in 0..good.len() {
        assert!(Table::of(&good[..at]).is_err(), "cut at {at}");
        for value in [0, 1, 0x7f, 0xff, good[at].wrapping_add(1)] {
            let mut bytes = good.clone();
            bytes[at] = value;
            let Ok(table) = Table::of(&bytes) else { continue };
            if table.check(end).is_err() {
                continue;
            }
            accepted += 1;
            for record in table.records() {
                let raw = table.frame(record.frame_number).raw;
                assert!(raw <= LONGEST && record.offset + record.length <= raw);
            }
        }
    }
    assert!(accepted > 0, "checksums, levels and ids may be anything");
    assert!(Table::of(&good).unwrap().check(end + 1).is_err());
}

#[test]
fn reflink_pack_encoding_is_golden() {
    let frame = |offset| Frame { offset, stored: 10, raw: 10, codec: Codec::Stored, level: 0, checksum: [7; 8] };
    let record = Record { kind: ObjectKind::Data, id: ObjectId([4; LENGTH]), frame_number: 1, offset: 0, length: 10 };
    let check = |pack_type, frames: &[Frame], record| {
        let bytes = encode_table(pack_type, frames, &mut [record]);
        Table::of(&bytes).unwrap().check(20 + frames[0].offset)
    };
    check(PackType::Reflinked, &[frame(0), frame(10)], record).unwrap();
    check(PackType::Plain, &[frame(16), frame(26)], record).unwrap();
    check(PackType::Plain, &[frame(0), frame(10)], record).unwrap_err();
    check(PackType::Reflinked, &[frame(16), frame(26)], record).unwrap_err();
    check(PackType::Reflinked, &[frame(0), frame(10)], Record { kind: ObjectKind::Tree, ..record }).unwrap_err();
    check(PackType::Reflinked, &[frame(0), Frame { codec: Codec::Zstd, ..frame(10) }], record).unwrap_err();
    check(PackType::Reflinked, &[frame(0), Frame { raw: 11, ..frame(10) }], record).unwrap_err();
}

#[test]
fn footer_round_trips_and_truncation_fails() {
    let (table, start) = table();
    let footer = Footer { table: start, length: table.len() as u64, id: id_of_table(&table) };
    let file = [&vec![0; start as usize][..], &table, &footer.encode(2, 3)].concat();
    let decode = |file: &[u8]| Footer::decode(file, file.len() as u64);
    assert_eq!(decode(&file).unwrap(), footer);
    assert_eq!(Footer::decode(&file[file.len() - FOOTER..], file.len() as u64).unwrap(), footer);
    for end in 0..file.len() {
        assert!(decode(&file[..end]).is_err(), "cut at {end}");
    }
    assert!(decode(&[&file[..], &[0]].concat()).is_err());
    assert!(decode(&[&[0][..], &file].concat()).is_err());
}
