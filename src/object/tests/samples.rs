//! One small value of each object, for golden bytes and refusals.

use crate::id::{AttributesId, BlobId, CommitId, DirectoryId, LinksId, OperationId, PackId, TreeId};
use crate::metadata::Metadata;
use crate::object::commit::{Counts, Reason, Totals, Uncovered};
use crate::object::operation::{
    Forgotten, ForgottenCommit, HistoryEdit, NewCommit, Purged, PurgedBlob, RefEdit, RefName, Refs, UndoPosition, View,
};
use crate::object::{Attributes, Commit, Content, Entry, Extras, Intent, Links, Operation, Tree};
use crate::path::RepoPathBuf;
use crate::time::Timestamp;

pub fn path(text: &str) -> RepoPathBuf {
    RepoPathBuf::new(text.into()).unwrap()
}

pub fn time() -> Timestamp {
    Timestamp { seconds: 1_700_000_000, nanoseconds: 123_456_789 }
}

pub fn entry(name: &str, content: Content) -> Entry {
    let metadata = Metadata { mode: 0o644, uid: 1000, gid: 100, mtime: time() };
    Entry { name: name.into(), metadata, attributes: None, content }
}

pub fn tree() -> Tree {
    let file = entry("a", Content::File { blob: BlobId([1; 32]), size: 300 });
    let directory = entry("b", Content::Directory { tree: TreeId([2; 32]), entries: 3, size: 4 });
    let link = entry("c", Content::Symlink { target: b"a".to_vec() });
    let fifo = Entry { attributes: Some(AttributesId([3; 32])), ..entry("d", Content::Fifo) };
    let devices = [entry("e", Content::CharDevice { rdev: 259 }), entry("fé", Content::BlockDevice { rdev: 1 << 40 })];
    Tree { entries: [file, directory, link, fifo].into_iter().chain(devices).collect() }
}

pub fn attributes() -> Attributes {
    Attributes {
        xattrs: vec![(b"user.a".to_vec(), vec![]), (b"user.b".to_vec(), vec![0, 255])],
        holes: vec![(0, 4096), (8192, 1)],
    }
}

pub fn links() -> Links {
    Links { groups: vec![vec![path("a"), path("b/c")], vec![path("b"), path("b-c"), path("d")]] }
}

pub fn commit() -> Commit {
    let content = Content::Directory { tree: TreeId([2; 32]), entries: 3, size: 4 };
    Commit {
        root: Entry { metadata: Metadata { mode: 0o755, ..entry("", content.clone()).metadata }, ..entry("", content) },
        links: Some(LinksId([4; 32])),
        parents: vec![CommitId([6; 32]), CommitId([5; 32])],
        time: time(),
        offset: -3600,
        author: "ada".into(),
        host: "box".into(),
        message: "before".into(),
        automatic: true,
        totals: Totals { files: 1, directories: 2, others: 3, bytes: 400 },
        changes: Counts { added: 5, modified: 6, deleted: 7 },
        uncovered: vec![
            Uncovered { path: path("s"), reason: Reason::Socket },
            Uncovered { path: path("t"), reason: Reason::Unreadable },
        ],
        torn: vec![path("log")],
        extras: Extras::from_iter([("k".into(), vec![9])]),
    }
}

pub fn operation() -> Operation {
    Operation {
        parent: Some(OperationId([1; 32])),
        verb: "commit".into(),
        description: "main 05 → 06".into(),
        arguments: vec!["undo".into(), "commit".into()],
        time: time(),
        duration: 200,
        user: "ada".into(),
        host: "box".into(),
        edits: vec![
            RefEdit {
                name: RefName::Branch("main".into()),
                old: Some(CommitId([5; 32])),
                new: Some(CommitId([6; 32])),
            },
            RefEdit { name: RefName::Tag("v1".into()), old: None, new: Some(CommitId([6; 32])) },
        ],
        switched: Some(("old".into(), "main".into())),
        commits: vec![NewCommit { id: CommitId([6; 32]), parents: vec![CommitId([5; 32])] }],
        worktree: Some((Some(CommitId([5; 32])), CommitId([6; 32]))),
        packs_added: vec![PackId([7; 32])],
        bytes_read: 1000,
        bytes_stored: 100,
        is_joined: true,
        directory: Some(DirectoryId([3; 16])),
        undo_position: Some(UndoPosition { position: Some(OperationId([4; 32])), tip: None }),
        history: history_edit(),
        extras: Extras::from_iter([("exit".into(), vec![1])]),
    }
}

pub fn history_edit() -> HistoryEdit {
    HistoryEdit {
        forgets: vec![ForgottenCommit { id: CommitId([8; 32]), parents: vec![CommitId([9; 32])] }],
        recalls: vec![ForgottenCommit { id: CommitId([10; 32]), parents: Vec::new() }],
        heads_added: vec![CommitId([9; 32])],
        heads_removed: vec![CommitId([8; 32])],
        purges: vec![PurgedBlob { id: BlobId([11; 32]), size: 700 }],
        unpurges: vec![BlobId([12; 32])],
    }
}

pub fn view() -> View {
    let refs = Refs {
        current: "main".into(),
        branches: [("main".into(), CommitId([5; 32])), ("trial".into(), CommitId([6; 32]))].into(),
        tags: [("v1".into(), CommitId([5; 32]))].into(),
    };
    let forgotten = [
        (CommitId([7; 32]), Forgotten { parents: vec![CommitId([5; 32])], count: 300, time: None }),
        (CommitId([8; 32]), Forgotten { parents: Vec::new(), count: 1, time: Some(time()) }),
    ];
    let purged = [
        (BlobId([1; 32]), Purged { size: 700, time: None }),
        (BlobId([2; 32]), Purged { size: 2, time: Some(time()) }),
    ];
    View {
        refs,
        heads: [CommitId([5; 32]), CommitId([6; 32])].into(),
        forgotten: forgotten.into(),
        purged: purged.into(),
    }
}

pub fn intent() -> Intent {
    let (from, to) = (Some(CommitId([5; 32])), CommitId([6; 32]));
    let edits = vec![RefEdit { name: RefName::Branch("main".into()), old: from, new: Some(to) }];
    let (paths, switch) = (vec![path("a/b"), path("")], Some("trial".into()));
    Intent {
        token: 77,
        verb: "restore".into(),
        time: time(),
        from,
        to,
        paths,
        edits,
        switch,
        undo_position: Some(UndoPosition { position: None, tip: Some(OperationId([4; 32])) }),
        before: Some(OperationId([3; 32])),
        worktree: b"/data".to_vec(),
    }
}

/// Hex digits; a byte that repeats like those of our ids is written once: `05*32`.
pub fn hex(bytes: &[u8]) -> String {
    let run = |run: &[u8]| match run.len() {
        16.. => format!(" {:02x}*{} ", run[0], run.len()),
        _ => run.iter().map(|byte| format!("{byte:02x}")).collect(),
    };
    bytes.chunk_by(|a, b| a == b).map(run).collect::<String>().trim().to_owned()
}
