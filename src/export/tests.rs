//! Exports are exact: a directory by looking at it, an archive by what the system's tar makes of it.

use std::fs;
use std::io::Write;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::process::{Command, Stdio};

use super::{Compression, Destination, Export, Source, export};
use crate::apply::apply;
use crate::apply::context::ApplyContext;
use crate::apply::outcome::ApplyOutcome;
use crate::apply::plan::Plan;
use crate::apply::staging::StagingArea;
use crate::checkout::tests::{Fixture, describe_tree, may_only_grow, set};
use crate::error::ErrorKind;
use crate::fs::Dir;
use crate::metadata::Kind;
use crate::object::Objects;
use crate::progress::{Progress, Silent, Unit};
use crate::worktree::Overlay;
use crate::worktree::index::Builder;

fn fixture() -> Fixture {
    let fixture = Fixture::new();
    let long = "long/".repeat(30);
    fs::create_dir_all(fixture.at(&format!("d/{long}"))).unwrap();
    fs::write(fixture.at(&format!("d/{long}file")), "deep").unwrap();
    fs::write(fixture.at("d/a"), "shared").unwrap();
    fs::hard_link(fixture.at("d/a"), fixture.at("d/b")).unwrap();
    fs::hard_link(fixture.at("d/a"), fixture.at("z")).unwrap();
    symlink("d/a", fixture.at("link")).unwrap();
    symlink("x".repeat(150), fixture.at("far")).unwrap();
    Dir::open(&fixture.root()).unwrap().make_special(b"fifo", Kind::Fifo, 0).unwrap();
    fs::write(fixture.at("large"), vec![7; 3 << 20]).unwrap();
    set(&fixture.at("d/a"), 0o640, 1_000_000_000);
    set(&fixture.at("link"), 0, 5);
    set(&fixture.at("d"), 0o555, 6);
    set(&fixture.root(), 0o750, 7);
    fixture
}

#[test]
fn export_to_directory_is_exact() {
    let mut fixture = fixture();
    let (target, _) = fixture.record();
    let to = fixture.folder.path().join("new/export");
    let exported = export(&fixture.store, &target, Destination::Directory(&to), &Silent).unwrap();
    assert_eq!(describe_tree(&to), fixture.describe_tree());
    assert_eq!((exported.entries as usize, exported.inexact.len()), (fixture.describe_tree().len() - 1, 0));
    let error = export(&fixture.store, &target, Destination::Directory(&to), &Silent).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Refused);
}

#[test]
fn export_copies_file_if_hard_link_fails_in_later_part() {
    let mut fixture = Fixture::new();
    for name in ["a", "b", "c", "d", "e", "f", "z"] {
        fs::write(fixture.at(name), name).unwrap();
    }
    fs::remove_file(fixture.at("z")).unwrap();
    fs::hard_link(fixture.at("a"), fixture.at("z")).unwrap();
    let (target, _) = fixture.record();
    // As the parts before have left it, but for the name that a link could be made to.
    let to = fixture.folder.path().join("export");
    fs::create_dir(&to).unwrap();
    let root = Dir::open(&to).unwrap();
    let saved = Builder::default();
    let objects = &Overlay { below: &fixture.store, objects: &target.objects };
    let links = objects.links(target.links.unwrap()).unwrap();
    let mut outcome = ApplyOutcome::default();
    let (store, source, task) = (&fixture.store, Source::from(&target), Silent.start("", Unit::Bytes, None));
    let parts = Export { store, objects, source: &source, links: links.clone(), task: &*task };
    let each = &mut |plan: &Plan| {
        let staging = StagingArea::new(&root, None);
        let unstable = Default::default();
        let context = ApplyContext {
            staging,
            store,
            objects,
            target: &target.root,
            saved: &saved,
            is_stat_doubtful: false,
            unstable,
            left: &Default::default(),
            when_open: crate::apply::swap::WhenOpen::Replace,
            plan,
            fetched: None,
            renames: crate::apply::renames::RenamePlan::default(),
            limits: None,
            task: &*task,
            progress: &Silent,
        };
        apply(&context, &mut outcome)?;
        outcome.keep_placed(plan, &links.groups.iter().flatten().map(|path| &**path).collect());
        if let Ok(file) = fs::File::open(to.join("a")) {
            may_only_grow(&file, true);
        }
        Ok(())
    };
    parts.each_part(each).unwrap();
    may_only_grow(&fs::File::open(to.join("a")).unwrap(), false);
    assert_eq!(fs::read(to.join("z")).unwrap(), b"a");
}

#[test]
fn archive_is_exact_and_reproducible() {
    let mut fixture = fixture();
    let (target, _) = fixture.record();
    let archive = |compression| {
        let mut bytes = Vec::new();
        export(&fixture.store, &target, Destination::Tar(&mut bytes, compression), &Silent).unwrap();
        bytes
    };
    let plain = archive(Compression::None);
    assert_eq!(plain, archive(Compression::None));
    let mut unpacked = Vec::new();
    std::io::copy(&mut flate2::read::GzDecoder::new(&archive(Compression::Gzip)[..]), &mut unpacked).unwrap();
    assert!(unpacked == plain);
    assert!(zstd::decode_all(&archive(Compression::Zstd)[..]).unwrap() == plain);
    let to = fixture.folder.path().join("unpacked");
    fs::create_dir(&to).unwrap();
    if unpack(&plain, &to) {
        assert_eq!(describe_tree(&to), fixture.describe_tree());
    }
}

#[test]
fn archive_keeps_xattrs_of_every_name() {
    let mut fixture = Fixture::new();
    fs::write(fixture.at("file"), "x").unwrap();
    let root = Dir::open(&fixture.root()).unwrap();
    for key in [&b"user.a=b"[..], b"user.c%3Dd", b"user.e\xff", b"user.plain"] {
        root.set_xattr(b"file", key, b"a=\x00\n").unwrap();
    }
    let (target, _) = fixture.record();
    let mut archive = Vec::new();
    export(&fixture.store, &target, Destination::Tar(&mut archive, Compression::None), &Silent).unwrap();
    let to = fixture.folder.path().join("unpacked");
    fs::create_dir(&to).unwrap();
    if unpack(&archive, &to) {
        let there = Dir::open(&to).unwrap().xattrs(b"file").unwrap();
        assert_eq!(there, root.xattrs(b"file").unwrap());
    }
}

/// Whether there is a tar to ask.
fn unpack(archive: &[u8], to: &Path) -> bool {
    let started = Command::new("tar").args(["--xattrs", "-xpf", "-", "-C"]).arg(to).stdin(Stdio::piped()).spawn();
    let Ok(mut tar) = started else { return false };
    tar.stdin.take().unwrap().write_all(archive).unwrap();
    assert!(tar.wait().unwrap().success());
    true
}
