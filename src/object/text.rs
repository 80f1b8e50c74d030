//! Objects as lines of text, every field exact: what `cat-file -p` prints (`docs/plumbing.md`, "cat-file").

use super::attributes::Attributes;
use super::commit::Commit;
use super::extras::Extras;
use super::layout::Piece;
use super::nodes::{Child, Item, Node};
use super::operation::Operation;
use super::tree;
use crate::id::{LENGTH, ObjectId};
use crate::metadata::Metadata;
use crate::object::Content;
use crate::path::RepoPathBuf;
use crate::quote::quote;

/// A line: its parts, one behind the other.
pub type Line = Vec<Part>;

/// A part of a line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Part {
    /// Text as it is.
    Text(String),
    /// A name without NUL: a word, or raw where NUL ends records.
    Name(Vec<u8>),
    /// Between names: a TAB, or NUL where NUL ends records.
    Gap,
    /// Behind the last of a list of names: nothing, or NUL where NUL ends records.
    Last,
}

use Part::{Gap, Last, Name, Text};

fn line(text: impl Into<String>) -> Line {
    vec![Text(text.into())]
}

/// Text that may hold anything, as a word whatever ends records.
fn word(key: &str, text: &str) -> Line {
    line(format!("{key} {}", quote(text.as_bytes())))
}

fn path(key: &str, path: &RepoPathBuf) -> Line {
    vec![Text(format!("{key} ")), Name(path.as_bytes().to_vec())]
}

fn extras(extras: &Extras) -> impl Iterator<Item = Line> {
    extras.iter().map(|(key, value)| line(format!("extra {}\t{}", quote(key.as_bytes()), quote(value))))
}

/// `node ID WEIGHT`, then what the caller adds of the first key.
fn nodes<T: Item>(children: &[Child<T::Id>], first: impl Fn(&[u8]) -> Line) -> Vec<Line> {
    let node = |child: &Child<T::Id>| {
        let head = Text(format!("node {} {}", T::object_id(child.node), child.count));
        std::iter::once(head).chain(first(&child.first)).collect()
    };
    children.iter().map(node).collect()
}

/// A directory's entries, or the nodes of a long one.
pub fn tree(node: &tree::Node) -> Vec<Line> {
    match node {
        Node::Leaf(entries) => {
            let line = |entry: &super::Entry| {
                let mut line = vec![Text(entry.line_head() + "\t"), Name(entry.name.clone())];
                if let Content::Symlink { target } = &entry.content {
                    line.extend([Gap, Name(target.clone())]);
                }
                line
            };
            entries.iter().map(line).collect()
        }
        Node::Inner(children) => nodes::<super::Entry>(children, |first| vec![Text("\t".into()), Name(first.to_vec())]),
    }
}

/// Groups of hard links, or the nodes of a long table.
pub fn links(node: &Node<Vec<RepoPathBuf>>) -> Vec<Line> {
    match node {
        Node::Leaf(groups) => {
            let line = |group: &Vec<RepoPathBuf>| {
                let mut line: Line = Vec::with_capacity(2 * group.len());
                for path in group {
                    line.extend([Name(path.as_bytes().to_vec()), Gap]);
                }
                line.pop();
                line.push(Last);
                line
            };
            groups.iter().map(line).collect()
        }
        // No TAB: a group has one.
        Node::Inner(children) => {
            nodes::<Vec<RepoPathBuf>>(children, |first| vec![Text(" ".into()), Name(first.to_vec()), Last])
        }
    }
}

/// Pieces of a large blob, or nodes that list more of them.
pub fn layout(node: &Node<Piece>) -> Vec<Line> {
    match node {
        Node::Leaf(pieces) => {
            let text = |piece: &Piece| match piece {
                Piece::Chunk { id, length } => line(format!("chunk {id} {length}")),
                Piece::Zeros { length } => line(format!("zeros {length}")),
            };
            pieces.iter().map(text).collect()
        }
        Node::Inner(children) => nodes::<Piece>(children, |first| {
            let first = <[u8; LENGTH]>::try_from(first).map(|id| ObjectId(id).to_string());
            line(format!(" {}", first.as_deref().unwrap_or("-")))
        }),
    }
}

/// Extended attributes and holes.
pub fn attributes(attributes: &Attributes) -> Vec<Line> {
    let xattr = |(name, value): &(Vec<u8>, Vec<u8>)| {
        vec![Text("xattr ".into()), Name(name.clone()), Gap, Text(quote(value).into_owned())]
    };
    let hole = |(offset, length): &(u64, u64)| line(format!("hole {offset} {length}"));
    attributes.xattrs.iter().map(xattr).chain(attributes.holes.iter().map(hole)).collect()
}

/// A commit: a line for each field, an empty one, and the message.
pub fn commit(commit: &Commit) -> Vec<Line> {
    let Metadata { mode: _, uid, gid, mtime } = commit.root.metadata;
    let attributes = commit.root.attributes.map_or("-".to_owned(), |id| id.to_string());
    let mode = commit.root.full_mode();
    let mut lines = vec![
        line(format!("tree {}", commit.root.object_name())),
        line(format!("root {mode:06o} {uid}:{gid} {} {attributes}", mtime.to_decimal())),
    ];
    lines.extend(commit.links.map(|id| line(format!("links {id}"))));
    lines.extend(commit.parents.iter().map(|id| line(format!("parent {id}"))));
    lines.extend([word("author", &commit.author), word("host", &commit.host)]);
    lines.push(line(format!("time {} {}", commit.time.to_decimal(), zone(commit.offset))));
    if commit.automatic {
        lines.push(line("automatic"));
    }
    let (totals, changes) = (&commit.totals, &commit.changes);
    lines.push(line(format!("totals {} {} {} {}", totals.files, totals.directories, totals.others, totals.bytes)));
    lines.push(line(format!("changes {} {} {}", changes.added, changes.modified, changes.deleted)));
    let uncovered = commit.uncovered.iter().map(|one| path(&format!("uncovered {}", one.reason.word()), &one.path));
    lines.extend(uncovered);
    lines.extend(commit.torn.iter().map(|torn| path("torn", torn)));
    lines.extend(extras(&commit.extras));
    lines.extend([Vec::new(), line(commit.message.clone())]);
    lines
}

/// `+HH:MM`, and `:SS` where there are seconds.
fn zone(offset: i32) -> String {
    let (sign, seconds) = (if offset < 0 { '-' } else { '+' }, offset.unsigned_abs());
    let (hours, minutes) = (seconds / 3600, seconds / 60 % 60);
    match seconds % 60 {
        0 => format!("{sign}{hours:02}:{minutes:02}"),
        seconds => format!("{sign}{hours:02}:{minutes:02}:{seconds:02}"),
    }
}

/// An operation: a line for each field.
pub fn operation(operation: &Operation) -> Vec<Line> {
    let id = |id: Option<String>| id.unwrap_or_else(|| "-".to_owned());
    let mut lines: Vec<Line> = operation.parent.iter().map(|id| line(format!("parent {id}"))).collect();
    lines.extend([word("verb", operation.verb.as_str()), word("description", &operation.description)]);
    lines.extend(operation.arguments.iter().map(|argument| word("argument", argument)));
    lines.push(line(format!("time {}", operation.time.to_decimal())));
    lines.push(line(format!("duration {}", operation.duration)));
    lines.extend([word("user", &operation.user), word("host", &operation.host)]);
    for edit in &operation.edits {
        let (old, new) = (id(edit.old.map(|id| id.to_string())), id(edit.new.map(|id| id.to_string())));
        lines.push(word(&format!("ref {old} {new}"), &edit.name.to_string()));
    }
    if let Some((before, after)) = &operation.switched {
        lines.extend([word("branch-before", before), word("branch-after", after)]);
    }
    for made in &operation.commits {
        let parents: String = made.parents.iter().map(|id| format!(" {id}")).collect();
        lines.push(line(format!("commit {}{parents}", made.id)));
    }
    if let Some((from, to)) = &operation.worktree {
        lines.push(line(format!("worktree {} {to}", id(from.map(|id| id.to_string())))));
    }
    lines.extend(operation.packs_added.iter().map(|id| line(format!("pack-added {id}"))));
    lines.extend(operation.packs_removed.iter().map(|id| line(format!("pack-removed {id}"))));
    lines.push(line(format!("bytes-read {}", operation.bytes_read)));
    lines.push(line(format!("bytes-stored {}", operation.bytes_stored)));
    lines.extend(extras(&operation.extras));
    lines
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::id::{AttributesId, BlobId, ChunkId, CommitId, LinksId, OperationId, PackId, TreeId};
    use crate::object::Entry;
    use crate::object::commit::{Counts, Reason, Totals, Uncovered};
    use crate::object::operation::{NewCommit, RefEdit, RefName};
    use crate::time::Timestamp;

    /// The lines as they are read by people, ids shortened.
    fn shown(lines: &[Line]) -> String {
        let part = |part: &Part| match part {
            Text(text) => text.clone(),
            Name(name) => quote(name).into_owned(),
            Gap => "\t".to_owned(),
            Last => String::new(),
        };
        let text: String = lines.iter().map(|line| line.iter().map(part).collect::<String>() + "\n").collect();
        [1u8, 2, 3, 4]
            .iter()
            .fold(text, |text, byte| text.replace(&format!("{byte:02x}").repeat(32), &format!("ID{byte}")))
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
    fn a_commit_has_a_line_for_each_field() {
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
        assert_eq!(shown(&commit(&made)), expected);
    }

    #[test]
    fn zones_have_seconds_where_they_need_them() {
        for (offset, text) in [(0, "+00:00"), (19_800, "+05:30"), (-34, "-00:00:34"), (93_599, "+25:59:59")] {
            assert_eq!(zone(offset), text);
        }
    }

    #[test]
    fn a_tree_has_entry_lines_that_can_be_read_again() {
        let file = entry(b"a\tb", Content::File { blob: BlobId([1; 32]), size: 0 });
        let link = entry(b"link", Content::Symlink { target: b"to\n".to_vec() });
        let text = shown(&tree(&Node::Leaf(vec![file.clone(), link.clone()])));
        let whole = |line: &str| line.replace("ID1", &"01".repeat(32)).replace("ID2", &"02".repeat(32));
        let read: Vec<Entry> =
            text.lines().map(|line| crate::object::entry_line::parse(whole(line).as_bytes()).unwrap()).collect();
        assert_eq!(read, [file, link]);
    }

    #[test]
    fn inner_nodes_list_what_is_below_them() {
        fn below<Id: From<ObjectId>>(first: &[u8]) -> Vec<Child<Id>> {
            vec![Child { first: first.to_vec(), node: ObjectId([1; 32]).into(), count: 70 }]
        }
        assert_eq!(shown(&tree(&Node::Inner(below(b"a\n")))), "node ID1 70\t\"a\\n\"\n");
        assert_eq!(shown(&links(&Node::Inner(below(b"a/b")))), "node ID1 70 a/b\n");
        assert_eq!(shown(&layout(&Node::Inner(below(&[2; 32])))), "node ID1 70 ID2\n");
        assert_eq!(shown(&layout(&Node::Inner(below(b"")))), "node ID1 70 -\n");
    }

    #[test]
    fn links_pieces_and_attributes_have_a_line_each() {
        let group = vec![path_of(b"a"), path_of(b"b/\t")];
        assert_eq!(shown(&links(&Node::Leaf(vec![group]))), "a\t\"b/\\t\"\n");
        let pieces = vec![Piece::Chunk { id: ChunkId([1; 32]), length: 5 }, Piece::Zeros { length: 1 << 40 }];
        assert_eq!(shown(&layout(&Node::Leaf(pieces))), "chunk ID1 5\nzeros 1099511627776\n");
        let both = Attributes { xattrs: vec![(b"user.x y".to_vec(), b"\xffz".to_vec())], holes: vec![(0, 4096)] };
        assert_eq!(shown(&attributes(&both)), "xattr user.x y\t\"\\377z\"\nhole 0 4096\n");
    }

    #[test]
    fn an_operation_has_a_line_for_each_field() {
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
            packs_removed: vec![PackId([4; 32])],
            bytes_read: 1,
            bytes_stored: 2,
            extras: Extras::from_iter([("k".into(), b"v".to_vec())]),
            ..Operation::default()
        };
        let expected = "parent ID1\nverb commit\ndescription a b\nargument undo\nargument \"x\\ny\"\n\
            time 0.000000000\nduration 0\nuser \nhost \nref - ID2 refs/heads/main\nbranch-before main\nbranch-after side\n\
            commit ID2 ID3\nworktree - ID2\npack-added ID3\npack-removed ID4\nbytes-read 1\nbytes-stored 2\nextra k\tv\n";
        assert_eq!(shown(&operation(&done)), expected);
    }
}
