"""Reads objects by id, wherever they are stored, and checks them. Sections "Objects" and "Frames" of docs/format.md."""

import subprocess
import zlib
from functools import lru_cache
from itertools import pairwise

from .blake3 import blake3, root_of
from .forms import *

EMPTY = blake3(b"")
# Size of a group of a large blob.
GROUP = 4 << 20
# Maximum size of a chunked blob that is hashed to verify its id. Each chunk is verified by its id anyway.
LARGEST_PROVEN = 16 << 20


def decode_frame(codec, raw, data, what):
    """The objects of a frame, from its stored bytes."""
    if codec == 1:
        stream = zlib.decompressobj(-15)
        data = stream.decompress(data)
        must(stream.eof and not stream.unused_data, "a deflate stream does not end where the frame ends")
    elif codec == 2:
        data = subprocess.run(["zstd", "-dcq"], input=data, stdout=subprocess.PIPE, check=True).stdout
    must(codec in (0, 1, 2) and len(data) == raw, f"{what} has another length")
    return data


class Objects:
    """Objects by kind and id. A subclass has `stored`, which returns their bytes or None, and the set `proven`."""

    def find(self, kind, id):
        if (kind, id) == (DATA, EMPTY):
            return b""
        data = self.stored(kind, id)
        if data is not None and kind != LAYOUT and (kind, id) not in self.proven:
            check_id(WORDS.get(kind, "data"), id, data, WORDS.get(kind))
            self.proven.add((kind, id))
        return data

    def object(self, kind, id):
        data = self.find(kind, id)
        must(data is not None, f"object {id.hex()} of kind {kind} is missing")
        return data

    def commit(self, id):
        return take_commit(self.object(COMMIT, id))

    @lru_cache(256)
    def tree(self, id):
        read = lambda id: take_tree_node(self.object(TREE, id))
        entries = whole_list(read(id), read)
        ascending([name for name, _, _ in entries], "entries")
        return [(name, entry) for name, _, entry in entries]

    def layout(self, id):
        """Pieces of a large blob: length, and id of the chunk or None for zeros."""
        fields, version = versioned_header(self.object(LAYOUT, id), LAYOUT, 2)
        must(fields.id() == id, "a layout of another blob")
        size, node = fields.varint(), take_node(fields, take_piece)
        if version == 2:
            must(size > GROUP, "groups of a blob of one group")
            values = [fields.id() for _ in range(-(-size // GROUP))]
            must(root_of(values) == id, "groups of another blob")
        fields.end()
        pieces = whole_list(node, lambda id: take_layout_node(self.object(LAYOUT_NODE, id)))
        must(sum(length for _, length, _ in pieces) == size, "a layout has another size")
        must(all(a or b for (_, _, a), (_, _, b) in pairwise(pieces)), "zeros that touch")
        return [(length, chunk) for _, length, chunk in pieces]

    def content(self, id):
        """The bytes of a blob, in pieces."""
        whole = self.find(DATA, id)
        if whole is not None:
            yield whole
            return
        pieces = self.layout(id)
        is_proven = id in self.proven or sum(length for length, _ in pieces) > LARGEST_PROVEN
        parts = []
        for length, chunk in pieces:
            chunks = [self.object(DATA, chunk)] if chunk else zeros(length)
            must(not chunk or len(chunks[0]) == length, "a chunk of another length")
            for data in chunks:
                if not is_proven:
                    parts.append(data)
                yield data
        if not is_proven:
            check_id("blob", id, b"".join(parts))
            self.proven.add(id)

    def attributes(self, id):
        return take_attributes(self.object(ATTRIBUTES, id)) if id else ([], [])

    def links(self, id):
        if id is None:
            return []
        read = lambda id: take_links_node(self.object(LINKS, id))
        groups = [paths for _, _, paths in whole_list(read(id), read)]
        ascending([path_order(paths[0]) for paths in groups], "hard links")
        paths = [path for group in groups for path in group]
        must(len(set(paths)) == len(paths), "a path in two hard links")
        return groups

    def walk(self, commit):
        """Every path and its entry, a directory before its content."""
        below = [(b"", commit["root"])]
        while below:
            path, entry = below.pop()
            yield path, entry
            if entry["kind"] == "directory":
                inner = [(path + b"/" + name if path else name, entry) for name, entry in self.tree(entry["tree"])]
                below += reversed(inner)


def zeros(length):
    while length:
        part = min(length, 1 << 20)
        yield bytes(part)
        length -= part
