//! Reading a target whose files are condemned and deleted meanwhile.

use std::sync::atomic::{AtomicBool, Ordering};

use super::*;
use crate::error::ErrorKind;
use crate::path::RepoPath;
use crate::workspace::PurgeSelection;

const DAY: u64 = 24 * 3600;

/// A machine that has pushed files, content to purge among them, so that a folder of the target has files.
fn pushed(folder: &str) -> Arc<Machine> {
    let machine = Machine::new(&Memory::new());
    machine.create();
    fs::create_dir_all(&machine.directory()).unwrap();
    // More objects than an entry of the log has place for.
    let files = if folder == "index/" { 1_700 } else { 200 };
    for n in 0..files {
        fs::write_private(&machine.directory().join(format!("file-{n}")), format!("content {n}\n").as_bytes()).unwrap();
    }
    // A small push sends one pack, in `meta/`.
    let mut secret = vec![0; if folder == "meta/" { 1_000 } else { 200_000 }];
    blake3::Hasher::new().finalize_xof().fill(&mut secret);
    machine.commit("secret", &secret);
    machine.push().unwrap();
    assert!(machine.memory.content().keys().any(|key| key.starts_with(folder)));
    Arc::new(machine)
}

impl Machine {
    /// Condemns all packs and indexes of the target and deletes them, after their content was written to new ones.
    fn rewrite(&self) {
        let mut workspace = self.workspace();
        let blobs = workspace.find_blobs(&["@:secret".to_owned()]).unwrap();
        workspace.purge(&PurgeSelection::Blobs(blobs), &Silent).unwrap();
        self.push().unwrap();
        self.collect();
        self.memory.advance(DAY + 1);
        self.collect();
    }

    fn collect(&self) {
        let (workspace, mut target) = self.open(|_| Fault::None).unwrap();
        workspace.collect_target(&mut target, &CollectTarget::default(), &Silent).unwrap();
    }
}

/// Opens the target from a machine that has nothing. Before it reads the first file in `folder`, that and all others are replaced.
fn open_while_rewritten(machine: &Arc<Machine>, folder: &'static str) -> (Machine, OpenTarget) {
    let other = Machine::without_cache(&machine.memory);
    let (machine, is_done) = (machine.clone(), AtomicBool::new(false));
    let (_, target) = other
        .open(move |request| {
            if request.key.starts_with(folder) && !is_done.swap(true, Ordering::SeqCst) {
                machine.rewrite();
                assert!(machine.memory.bytes(&request.key).is_none(), "`{}` was not deleted", request.key);
            }
            Fault::None
        })
        .unwrap();
    (other, target)
}

#[test]
fn a_reader_finds_what_was_deleted_in_its_new_place() {
    for folder in ["meta/", "data/", "index/"] {
        let machine = pushed(folder);
        let (other, target) = open_while_rewritten(&machine, folder);
        let workspace = Workspace::of_target(target, None, other.environment()).unwrap();
        let commit = workspace.resolve("@").unwrap();
        let mut read = Vec::new();
        let path = RepoPath::new(b"file-123").unwrap();
        workspace.read_file(commit, path, &mut read).unwrap();
        assert_eq!(read, b"content 123\n", "{folder}");
    }
}

#[test]
fn a_pull_finds_what_was_deleted_in_its_new_place() {
    for folder in ["meta/", "data/", "index/"] {
        let machine = pushed(folder);
        let (other, mut target) = open_while_rewritten(&machine, folder);
        let mut workspace = other.workspace();
        let outcome = workspace.pull(&mut target, &PullOptions::default(), &Silent).unwrap();
        assert_eq!(outcome.commits, 1, "{folder}");
        let verified = workspace.verify(&mut |_| Ok(()), &Silent).unwrap();
        assert_eq!(verified.damaged, 0, "{folder}");
    }
}

#[test]
fn a_push_plans_again_if_an_index_was_deleted() {
    let folder = "index/";
    let machine = pushed(folder);
    let (other, mut target) = open_while_rewritten(&machine, folder);
    other.commit("file-5", b"content 5\n");
    let outcome = other.workspace().push(&mut target, &PushOptions::default(), &Silent).unwrap();
    assert_eq!(outcome.commits, 1);
    let (workspace, mut target) = machine.open(|_| Fault::None).unwrap();
    let verified = workspace.verify_target(&mut target, &VerifyTarget { sample: 1.0 }, &Silent).unwrap();
    assert!(verified.damage.is_empty(), "{:?}", verified.damage);
}

#[test]
fn verification_does_not_report_what_was_deleted_meanwhile() {
    for folder in ["meta/", "data/"] {
        let machine = pushed(folder);
        let (other, mut target) = open_while_rewritten(&machine, folder);
        let workspace = other.workspace();
        let verified = workspace.verify_target(&mut target, &VerifyTarget { sample: 1.0 }, &Silent).unwrap();
        assert!(verified.damage.is_empty(), "{folder} {:?}", verified.damage);
    }
}

fn open_elsewhere(machine: &Machine) -> (Machine, OpenTarget) {
    let other = Machine::without_cache(&machine.memory);
    let (_, target) = other.open(|_| Fault::None).unwrap();
    (other, target)
}

#[test]
fn a_pack_that_is_really_missing_is_reported() {
    let machine = pushed("data/");
    let lost: Vec<String> = machine
        .memory
        .content()
        .into_keys()
        .filter(|key| key.starts_with("meta/") || key.starts_with("data/"))
        .collect();
    let (other, target) = open_elsewhere(&machine);
    lost.iter().for_each(|key| machine.memory.remove(key));
    let workspace = Workspace::of_target(target, None, other.environment()).unwrap();
    let error = workspace.read_commit(workspace.resolve("@").unwrap()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Damaged);
    assert!(lost.iter().any(|key| error.to_string().contains(key)), "{error}");
    let (other, mut target) = open_elsewhere(&machine);
    let error = other.workspace().pull(&mut target, &PullOptions::default(), &Silent).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Damaged);
    assert!(lost.iter().any(|key| error.to_string().contains(key)), "{error}");
}
