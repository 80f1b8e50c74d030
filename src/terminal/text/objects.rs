//! Objects as lines of text with every field: what `cat-file -p` prints (`docs/plumbing.md`, "cat-file").

use std::fmt::Display;
use std::io;

use crate::id::{LENGTH, ObjectId};
use crate::metadata::Metadata;
use crate::object::layout::Piece;
use crate::object::nodes::{Child, Item, Node};
use crate::object::operation::UndoPosition;
use crate::object::{Attributes, Commit, Content, Entry, Extras, Operation, tree};
use crate::path::RepoPathBuf;
use crate::quote::quote;
use crate::report::objects::{AttributesFields, CommitFields, LayoutFields, LinksFields, OperationFields, TreeFields};
use crate::terminal::{Page, Print, Role};

macro_rules! print_object {
    ($($record:ty: $print:ident($field:ident)),+) => {$(
        impl Print for $record {
            fn print(&self, page: &mut Page<'_>) -> io::Result<()> {
                $print(page, &self.$field)
            }
        }
    )+};
}

print_object! {
    TreeFields: print_tree(node), LinksFields: print_links(node), LayoutFields: print_layout(node),
    AttributesFields: print_attributes(attributes), CommitFields: print_commit(commit),
    OperationFields: print_operation(operation)
}

fn line(page: &mut Page<'_>, text: impl Display) -> io::Result<()> {
    page.entry(text, &[])
}

/// A key and arbitrary text, quoted even with `-z`.
fn word(page: &mut Page<'_>, key: impl Display, text: &str) -> io::Result<()> {
    line(page, format_args!("{key} {}", quote(text.as_bytes())))
}

fn path(page: &mut Page<'_>, key: impl Display, path: &RepoPathBuf) -> io::Result<()> {
    page.text(format_args!("{key} "))?;
    page.name_record(path.as_bytes())
}

fn extras(page: &mut Page<'_>, extras: &Extras) -> io::Result<()> {
    extras
        .iter()
        .try_for_each(|(key, value)| line(page, format_args!("extra {}\t{}", quote(key.as_bytes()), quote(value))))
}

/// `node ID WEIGHT`, then the first key of each node below.
fn nodes<T: Item>(
    page: &mut Page<'_>,
    children: &[Child<T::Id>],
    first: impl Fn(&mut Page<'_>, &[u8]) -> io::Result<()>,
) -> io::Result<()> {
    children.iter().try_for_each(|child| {
        let node: ObjectId = child.node.into();
        page.text(format_args!("node {node} {}", child.count))?;
        first(page, &child.first)
    })
}

fn print_tree(page: &mut Page<'_>, node: &tree::Node) -> io::Result<()> {
    match node {
        Node::Leaf(entries) => entries.iter().try_for_each(|entry| match &entry.content {
            Content::Symlink { target } => page.entry(entry.line_head(), &[&entry.name, target]),
            _ => page.entry(entry.line_head(), &[&entry.name]),
        }),
        Node::Inner(children) => nodes::<Entry>(page, children, |page, first| page.entry("", &[first])),
    }
}

fn print_links(page: &mut Page<'_>, node: &Node<Vec<RepoPathBuf>>) -> io::Result<()> {
    match node {
        Node::Leaf(groups) => groups.iter().try_for_each(|group| {
            for (n, path) in group.iter().enumerate() {
                if n > 0 {
                    page.separator()?;
                }
                page.name(path.as_bytes())?;
            }
            page.end_list()
        }),
        // Separated by a space, since a TAB marks a group.
        Node::Inner(children) => nodes::<Vec<RepoPathBuf>>(page, children, |page, first| {
            page.text(" ")?;
            page.name(first)?;
            page.end_list()
        }),
    }
}

fn print_layout(page: &mut Page<'_>, node: &Node<Piece>) -> io::Result<()> {
    match node {
        Node::Leaf(pieces) => pieces.iter().try_for_each(|piece| match piece {
            Piece::Chunk { id, length } => line(page, format_args!("chunk {id} {length}")),
            Piece::Zeros { length } => line(page, format_args!("zeros {length}")),
        }),
        Node::Inner(children) => nodes::<Piece>(page, children, |page, first| {
            let first = <[u8; LENGTH]>::try_from(first).map(|id| ObjectId(id).to_string());
            line(page, format_args!(" {}", first.as_deref().unwrap_or("-")))
        }),
    }
}

fn print_attributes(page: &mut Page<'_>, attributes: &Attributes) -> io::Result<()> {
    for (name, value) in &attributes.xattrs {
        page.text("xattr ")?;
        page.name(name)?;
        page.separator()?;
        line(page, quote(value))?;
    }
    attributes.holes.iter().try_for_each(|(offset, length)| line(page, format_args!("hole {offset} {length}")))
}

/// A line for each field, an empty one, and the message.
fn print_commit(page: &mut Page<'_>, commit: &Commit) -> io::Result<()> {
    let Metadata { mode: _, uid, gid, mtime } = commit.root.metadata;
    let attributes = or_dash(commit.root.attributes);
    let (mode, mtime) = (commit.root.full_mode(), mtime.to_decimal());
    line(page, format_args!("tree {}", commit.root.object_name()))?;
    line(page, format_args!("root {mode:06o} {uid}:{gid} {mtime} {attributes}"))?;
    commit.links.iter().try_for_each(|id| line(page, format_args!("links {id}")))?;
    commit.parents.iter().try_for_each(|id| line(page, format_args!("parent {id}")))?;
    word(page, "author", &commit.author)?;
    word(page, "host", &commit.host)?;
    line(page, format_args!("time {} {}", commit.time.to_decimal(), zone(commit.offset)))?;
    if commit.automatic {
        line(page, "automatic")?;
    }
    let (totals, changes) = (&commit.totals, &commit.changes);
    line(page, format_args!("totals {} {} {} {}", totals.files, totals.directories, totals.others, totals.bytes))?;
    line(page, format_args!("changes {} {} {}", changes.added, changes.modified, changes.deleted))?;
    for one in &commit.uncovered {
        path(page, format_args!("uncovered {}", one.reason.word()), &one.path)?;
    }
    commit.torn.iter().try_for_each(|torn| path(page, "torn", torn))?;
    extras(page, &commit.extras)?;
    line(page, "")?;
    page.content(Role::Path, commit.message.as_bytes())?;
    page.end()
}

/// `+HH:MM`, or `+HH:MM:SS` where there are seconds.
fn zone(offset: i32) -> String {
    let (sign, seconds) = (if offset < 0 { '-' } else { '+' }, offset.unsigned_abs());
    let (hours, minutes) = (seconds / 3600, seconds / 60 % 60);
    match seconds % 60 {
        0 => format!("{sign}{hours:02}:{minutes:02}"),
        seconds => format!("{sign}{hours:02}:{minutes:02}:{seconds:02}"),
    }
}

fn or_dash(id: Option<impl Display>) -> String {
    id.map_or_else(|| "-".to_owned(), |id| id.to_string())
}

/// A line for each field.
fn print_operation(page: &mut Page<'_>, operation: &Operation) -> io::Result<()> {
    operation.parent.iter().try_for_each(|id| line(page, format_args!("parent {id}")))?;
    word(page, "verb", operation.verb.as_str())?;
    word(page, "description", &operation.description)?;
    operation.arguments.iter().try_for_each(|argument| word(page, "argument", argument))?;
    line(page, format_args!("time {}", operation.time.to_decimal()))?;
    line(page, format_args!("duration {}", operation.duration))?;
    word(page, "user", &operation.user)?;
    word(page, "host", &operation.host)?;
    for edit in &operation.edits {
        word(page, format_args!("ref {} {}", or_dash(edit.old), or_dash(edit.new)), &edit.name.to_string())?;
    }
    if let Some((before, after)) = &operation.switched {
        word(page, "branch-before", before)?;
        word(page, "branch-after", after)?;
    }
    for made in &operation.commits {
        let parents: String = made.parents.iter().map(|id| format!(" {id}")).collect();
        line(page, format_args!("commit {}{parents}", made.id))?;
    }
    if let Some((from, to)) = operation.worktree {
        line(page, format_args!("worktree {} {to}", or_dash(from)))?;
    }
    operation.packs_added.iter().try_for_each(|id| line(page, format_args!("pack-added {id}")))?;
    line(page, format_args!("bytes-read {}", operation.bytes_read))?;
    line(page, format_args!("bytes-stored {}", operation.bytes_stored))?;
    if operation.is_joined {
        line(page, format_args!("joined"))?;
    }
    operation.directory.iter().try_for_each(|id| line(page, format_args!("directory {id}")))?;
    if let Some(UndoPosition { position, tip }) = operation.undo_position {
        line(page, format_args!("undo-position {} {}", or_dash(position), or_dash(tip)))?;
    }
    let history = &operation.history;
    history.forgets.iter().try_for_each(|commit| line(page, format_args!("forgotten {}", commit.id)))?;
    history.recalls.iter().try_for_each(|commit| line(page, format_args!("recalled {}", commit.id)))?;
    history.purges.iter().try_for_each(|blob| line(page, format_args!("purged {}", blob.id)))?;
    history.unpurges.iter().try_for_each(|id| line(page, format_args!("unpurged {id}")))?;
    extras(page, &operation.extras)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::environment::Environment;
    use crate::id::{AttributesId, BlobId, ChunkId, CommitId, LinksId, OperationId, PackId, TreeId};
    use crate::object::Entry;
    use crate::object::commit::{Counts, Reason, Totals, Uncovered};
    use crate::object::operation::{NewCommit, RefEdit, RefName};
    use crate::path::RepoPath;
    use crate::terminal::{Palette, Place};
    use crate::time::Timestamp;

    /// The text, with ids abbreviated.
    fn shown(print: impl FnOnce(&mut Page<'_>) -> io::Result<()>) -> String {
        let mut bytes = Vec::new();
        let environment = Environment::from_process();
        let place = Place { environment: &environment, directory: RepoPath::root() };
        let mut page = Page::new(&mut bytes, Palette::new(false), false, false, false, place);
        print(&mut page).unwrap();
        [1u8, 2, 3, 4].iter().fold(String::from_utf8(bytes).unwrap(), |text, byte| {
            text.replace(&format!("{byte:02x}").repeat(32), &format!("ID{byte}"))
        })
    }

    fn path_of(bytes: &[u8]) -> RepoPathBuf {
        RepoPathBuf::new(bytes.to_vec()).unwrap()
    }

    fn entry(name: &[u8], content: Content) -> Entry {
        let mtime = Timestamp { seconds: -1, nanoseconds: 999_999_999 };
        let metadata = Metadata { mode: 0o755, uid: 7, gid: 8, mtime };
        Entry { name: name.to_vec(), metadata, attributes: Some(AttributesId([2; 32])), content }
    }

    #[test]
    fn commits_have_a_line_for_each_field() {
        let made = Commit {
            root: entry(b"", Content::Directory { tree: TreeId([1; 32]), entries: 6, size: 9 }),
            links: Some(LinksId([3; 32])),
            parents: vec![CommitId([4; 32]), CommitId([1; 32])],
            time: Timestamp { seconds: 5, nanoseconds: 6 },
            offset: -5400,
            author: "Ada L.".into(),
            host: "two\nlines".into(),
            message: "subject\n\nbody".into(),
            automatic: true,
            totals: Totals { files: 1, directories: 2, others: 3, bytes: 9 },
            changes: Counts { added: 4, modified: 5, deleted: 6 },
            uncovered: vec![Uncovered { path: path_of(b"a b/\xff"), reason: Reason::Socket }],
            torn: vec![path_of(b"t")],
            extras: Extras::from_iter([("k".into(), b"\0v".to_vec())]),
        };
        let expected = "tree ID1\nroot 040755 7:8 -0.000000001 ID2\nlinks ID3\nparent ID4\nparent ID1\n\
            author Ada L.\nhost \"two\\nlines\"\ntime 5.000000006 -01:30\nautomatic\ntotals 1 2 3 9\nchanges 4 5 6\n\
            uncovered socket \"a b/\\377\"\ntorn t\nextra k\t\"\\000v\"\n\nsubject\n\nbody\n";
        assert_eq!(shown(|page| print_commit(page, &made)), expected);
    }

    #[test]
    fn zones_have_seconds_only_where_needed() {
        for (offset, text) in [(0, "+00:00"), (19_800, "+05:30"), (-34, "-00:00:34"), (93_599, "+25:59:59")] {
            assert_eq!(zone(offset), text);
        }
    }

    #[test]
    fn printed_entry_lines_parse_back() {
        let file = entry(b"a\tb", Content::File { blob: BlobId([1; 32]), size: 0 });
        let link = entry(b"link", Content::Symlink { target: b"to\n".to_vec() });
        let text = shown(|page| print_tree(page, &Node::Leaf(vec![file.clone(), link.clone()])));
        let whole = |line: &str| line.replace("ID1", &"01".repeat(32)).replace("ID2", &"02".repeat(32));
        let read: Vec<Entry> =
            text.lines().map(|line| crate::object::entry_line::parse(whole(line).as_bytes()).unwrap()).collect();
        assert_eq!(read, [file, link]);
    }

    #[test]
    fn inner_nodes_list_their_children() {
        fn below<Id: From<ObjectId>>(first: &[u8]) -> Vec<Child<Id>> {
            vec![Child { first: first.to_vec(), node: ObjectId([1; 32]).into(), count: 70 }]
        }
        assert_eq!(shown(|page| print_tree(page, &Node::Inner(below(b"a\n")))), "node ID1 70\t\"a\\n\"\n");
        assert_eq!(shown(|page| print_links(page, &Node::Inner(below(b"a/b")))), "node ID1 70 a/b\n");
        assert_eq!(shown(|page| print_layout(page, &Node::Inner(below(&[2; 32])))), "node ID1 70 ID2\n");
        assert_eq!(shown(|page| print_layout(page, &Node::Inner(below(b"")))), "node ID1 70 -\n");
    }

    #[test]
    fn links_pieces_and_attributes_have_a_line_each() {
        let group = vec![path_of(b"a"), path_of(b"b/\t")];
        assert_eq!(shown(|page| print_links(page, &Node::Leaf(vec![group]))), "a\t\"b/\\t\"\n");
        let pieces = vec![Piece::Chunk { id: ChunkId([1; 32]), length: 5 }, Piece::Zeros { length: 1 << 40 }];
        assert_eq!(shown(|page| print_layout(page, &Node::Leaf(pieces))), "chunk ID1 5\nzeros 1099511627776\n");
        let both = Attributes { xattrs: vec![(b"user.x y".to_vec(), b"\xffz".to_vec())], holes: vec![(0, 4096)] };
        assert_eq!(shown(|page| print_attributes(page, &both)), "xattr user.x y\t\"\\377z\"\nhole 0 4096\n");
    }

    #[test]
    fn operations_have_a_line_for_each_field() {
        let name = RefName::Branch("main".into());
        let done = Operation {
            parent: Some(OperationId([1; 32])),
            verb: "commit".into(),
            description: "a b".into(),
            arguments: vec!["undo".into(), "x\ny".into()],
            edits: vec![RefEdit { name, old: None, new: Some(CommitId([2; 32])) }],
            switched: Some(("main".into(), "side".into())),
            commits: vec![NewCommit { id: CommitId([2; 32]), parents: vec![CommitId([3; 32])] }],
            worktree: Some((None, CommitId([2; 32]))),
            packs_added: vec![PackId([3; 32])],
            bytes_read: 1,
            bytes_stored: 2,
            extras: Extras::from_iter([("k".into(), b"v".to_vec())]),
            ..Operation::default()
        };
        let expected = "parent ID1\nverb commit\ndescription a b\nargument undo\nargument \"x\\ny\"\n\
            time 0.000000000\nduration 0\nuser \nhost \nref - ID2 refs/heads/main\nbranch-before main\nbranch-after side\n\
            commit ID2 ID3\nworktree - ID2\npack-added ID3\nbytes-read 1\nbytes-stored 2\nextra k\tv\n";
        assert_eq!(shown(|page| print_operation(page, &done)), expected);
    }
}
