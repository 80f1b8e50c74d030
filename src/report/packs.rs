//! Packs for programs: how many objects there are, and what is in each pack (`docs/plumbing.md`).

use std::io;

use serde::Serialize;

use crate::object::ObjectKind;
use crate::quote::quote;
use crate::report::Report;
use crate::terminal::Page;

/// How many objects a repository has, and what they take.
#[derive(Debug, Default, Serialize)]
#[expect(missing_docs, reason = "docs/plumbing.md has these fields under the same names")]
pub struct ObjectCount {
    pub objects: u64,
    pub data: u64,
    pub layouts: u64,
    pub layout_nodes: u64,
    pub trees: u64,
    pub attributes: u64,
    pub links: u64,
    pub commits: u64,
    pub duplicates: u64,
    pub packs: u64,
    pub size_pack: u64,
    pub journal: u64,
    pub garbage: u64,
    pub size_garbage: u64,
}

impl Report for ObjectCount {
    const TYPE: &'static str = "object-count";

    fn human(&self, page: &mut Page<'_>) -> io::Result<()> {
        if !page.is_verbose() {
            let kibibytes = self.size_pack.div_ceil(1024);
            return page.entry(format_args!("{} objects, {kibibytes} kibibytes", self.objects), &[]);
        }
        for (key, value) in [
            ("objects", self.objects),
            ("data", self.data),
            ("layouts", self.layouts),
            ("layout-nodes", self.layout_nodes),
            ("trees", self.trees),
            ("attributes", self.attributes),
            ("links", self.links),
            ("commits", self.commits),
            ("duplicates", self.duplicates),
            ("packs", self.packs),
            ("size-pack", self.size_pack),
            ("journal", self.journal),
            ("garbage", self.garbage),
            ("size-garbage", self.size_garbage),
        ] {
            page.entry(format_args!("{key}: {value}"), &[])?;
        }
        Ok(())
    }
}

/// An object in a pack.
#[derive(Serialize)]
pub struct PackedObject {
    id: String,
    kind: String,
    size: u32,
    frame: u64,
    offset: u32,
}

impl PackedObject {
    /// One of so many bytes, and where it is.
    pub fn new(id: String, kind: ObjectKind, size: u32, frame: u64, offset: u32) -> PackedObject {
        PackedObject { id, kind: kind.word().replace(' ', "-"), size, frame, offset }
    }
}

impl Report for PackedObject {
    const TYPE: &'static str = "packed-object";

    fn human(&self, page: &mut Page<'_>) -> io::Result<()> {
        let PackedObject { id, kind, size, frame, offset } = self;
        page.entry(format_args!("{id} {kind} {size} {frame} {offset}"), &[])
    }
}

/// A pack that was checked.
#[derive(Debug, Default, Serialize)]
pub struct PackVerdict {
    /// Its id.
    pub id: String,
    /// Whether all of it is what was written.
    pub ok: bool,
    /// What is wrong.
    pub reason: String,
    /// Objects.
    pub objects: u64,
    /// Frames as they are, deflated, and compressed by Zstandard.
    pub frames: [u64; 3],
    /// Bytes of all frames when decoded.
    pub raw: u64,
    /// Bytes of all frames in the file.
    pub stored: u64,
}

impl Report for PackVerdict {
    const TYPE: &'static str = "pack";

    fn human(&self, page: &mut Page<'_>) -> io::Result<()> {
        let PackVerdict { id, objects, raw, stored, frames: [plain, deflate, zstd], .. } = self;
        if !self.ok {
            return page.entry(format_args!("{id}: {}", quote(self.reason.as_bytes())), &[]);
        }
        if page.is_verbose() {
            let frames = plain + deflate + zstd;
            let codecs = format_args!("stored={plain} deflate={deflate} zstd={zstd}");
            page.entry(format_args!("objects={objects} frames={frames} {codecs} raw={raw} packed={stored}"), &[])?;
        }
        page.entry(format_args!("{id}: ok"), &[])
    }
}

/// How many packs were checked.
#[derive(Debug, Default, Serialize)]
pub struct PacksChecked {
    /// Packs.
    pub packs: u64,
    /// Of these damaged.
    pub damaged: u64,
}

impl Report for PacksChecked {
    const TYPE: &'static str = "summary";

    fn human(&self, _: &mut Page<'_>) -> io::Result<()> {
        Ok(())
    }
}
