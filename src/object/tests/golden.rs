//! Golden bytes and ids: what is written today must be read for ever, so these never change.

use std::fmt::Debug;

use super::samples;
use crate::error::Result;
use crate::id::{BlobId, ChunkId};
use crate::object::layout::Piece;
use crate::object::{Layout, ObjectKind, id_of, keyed};

type Put<'a, Id> = &'a mut dyn FnMut(Id, Vec<u8>) -> Result<()>;

/// The bytes of the one node that a save puts.
fn node<Id: PartialEq + Debug>(save: impl FnOnce(Put<'_, Id>) -> Result<Id>) -> String {
    let mut nodes = Vec::new();
    let id = save(&mut |id, bytes| {
        nodes.push((id, bytes));
        Ok(())
    });
    assert_eq!((nodes.len(), &nodes[0].0), (1, &id.unwrap()));
    samples::hex(&nodes[0].1)
}

#[test]
fn equal_bytes_have_different_ids_per_kind() {
    let of = |kind| id_of(kind, b"abc").to_string();
    assert_eq!(of(ObjectKind::Data), "6437b3ac38465133ffb63b75273a8db548c558465d79db03fd359c6cd5bd9d85", "as b3sum");
    assert_eq!(of(ObjectKind::LayoutNode), "aebe9ef838a55e678f61b23361161011daa2db078a920f63f18445ac6d4af99d");
    assert_eq!(of(ObjectKind::Tree), "8e83a4d6432a80c7b6ac2ae592e394481a724b5446862c553586e0e80e52e7bd");
    assert_eq!(of(ObjectKind::Attributes), "7070c4673979896ae39ad5be087a031ce9592032bfbcbdfbe8b21e8cc7ab6a9b");
    assert_eq!(of(ObjectKind::Links), "08f7c962105e545d088c3e570705097dfe6fe2e018913ed66bbf6e7af9307432");
    assert_eq!(of(ObjectKind::Commit), "fb9bbc22ddedfaace9225428713d55be59f5dbf01fcd2dce2216bf1dd78364d9");
    assert_eq!(
        samples::operation().id().to_string(),
        "2864904c326a76d2a340cda35a71b00bc1507e3d8808435b80073b9c25588926"
    );
    let piecewise = keyed("tree").update(b"a").update(b"bc").finalize();
    assert_eq!(of(ObjectKind::Tree), piecewise.to_hex().as_str());
}

#[test]
fn tree_encoding_is_golden() {
    let bytes = node(|put| samples::tree().save(put));
    assert_eq!(
        bytes,
        "04010006010161a401e8076400f153650000000015cd5b07 01*32 ac02\
         020162a401e8076400f153650000000015cd5b07 02*32 0304\
         030163a401e8076400f153650000000015cd5b070161\
         0c0164a401e8076400f153650000000015cd5b07 03*32 \
         050165a401e8076400f153650000000015cd5b078302\
         060366c3a9a401e8076400f153650000000015cd5b07808080808020"
    );
}

#[test]
fn attributes_encoding_is_golden() {
    assert_eq!(
        samples::hex(&samples::attributes().encode()),
        "05010206757365722e610006757365722e620200ff02008020804001"
    );
}

#[test]
fn links_encoding_is_golden() {
    let bytes = node(|put| samples::links().save(put));
    assert_eq!(bytes, "0601000202016103622f6303016203622d630164");
}

#[test]
fn layout_encoding_is_golden() {
    let mut layout = Layout::default();
    layout.push(Piece::Chunk { id: ChunkId([1; 32]), length: 300 });
    layout.push(Piece::Zeros { length: 4000 });
    layout.push(Piece::Zeros { length: 96 });
    layout.push(Piece::Zeros { length: 0 });
    let bytes = layout.save(BlobId([2; 32]), |_, _| unreachable!("a short layout is one object")).unwrap();
    assert_eq!(samples::hex(&bytes), "0201 02*32 ac22000201ac02 01*32 028020");
}

#[test]
fn commit_encoding_is_golden() {
    assert_eq!(
        samples::hex(&samples::commit().encode()),
        "\
        0701030200ed01e8076400f153650000000015cd5b07 02*32 03 04*33 02 06*32  05*32 00f153650000000015cd5b07\
        f0f1ffff0361646103626f78066265666f726501020390030506070202017301017401036c6f6701016b0109"
    );
    assert_eq!(samples::commit().id().to_string(), "1b5b969f570d94ac7a50100de49294a3e29ef1781d4d5ff1b71f3daae9e3126e");
}

#[test]
fn operation_encoding_is_golden() {
    assert_eq!(
        samples::hex(&samples::operation().encode()),
        "\
        1001ff 01*32 06636f6d6d69740e6d61696e20303520e286922030360204756e646f06636f6d6d697400f15365000000001\
        5cd5b07c8010361646103626f780206046d61696e 05*32  06*32 05027631 06*32 036f6c64046d61696e01 06*32 01 \
        05*64  06*32 01 07*32 e80764 03*16 01 04*32 01 08*32 01 09*32 01 0a*32 0001 09*32 01 08*32 01 0b*32 bc0501 0c*32 \
        0104657869740101"
    );
}

#[test]
fn view_encoding_is_golden() {
    assert_eq!(
        samples::hex(&samples::view().encode()),
        "\
        1101046d61696e02046d61696e 05*33 747269616c 06*32 01027631 05*32 02 05*32  06*32 02 07*32 0001 05*32 ac02 \
        08*32 01000100f153650000000015cd5b0702 01*32 00bc05 02*32 010200f153650000000015cd5b07"
    );
}

#[test]
fn intent_encoding_is_golden() {
    assert_eq!(
        samples::hex(&samples::intent().encode()),
        "\
        12010f4d0000000000000007726573746f726500f153650000000015cd5b07 05*32  06*32 0203612f62000106046d61696e \
        05*32  06*32 05747269616c02 04*32  03*32 052f64617461"
    );
}
