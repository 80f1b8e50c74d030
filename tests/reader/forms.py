"""Decodes objects, lists and records. Sections "Notation" to "Operations" of docs/format.md."""

from functools import lru_cache
from itertools import pairwise

from .blake3 import blake3, derived_key

DATA, LAYOUT, LAYOUT_NODE, TREE, ATTRIBUTES, LINKS, COMMIT = range(1, 8)
OPERATION, VIEW, INTENT = 0x10, 0x11, 0x12
WORDS = {LAYOUT_NODE: "layout node", TREE: "tree", ATTRIBUTES: "attributes", LINKS: "links", COMMIT: "commit"}
KINDS = {1: "file", 2: "directory", 3: "symlink", 4: "fifo", 5: "char-device", 6: "block-device"}
MOST_ITEMS = 128


class Damaged(Exception):
    pass


def must(holds, what):
    if not holds:
        raise Damaged(what)


@lru_cache(None)
def key_of(word):
    return derived_key("undo v1 " + word)


def check_id(what, id, data, word=None):
    must(blake3(data, key_of(word) if word else None) == id, f"{what} {id.hex()} has other bytes")


class Fields:
    """Reads the fields of some bytes in order."""

    def __init__(self, data, at=0):
        self.data, self.at = data, at

    def take(self, count):
        must(count <= len(self.data) - self.at, "bytes are missing")
        self.at += count
        return self.data[self.at - count : self.at]

    def number(self, size, signed=False):
        return int.from_bytes(self.take(size), "little", signed=signed)

    def u8(self):
        return self.number(1)

    def varint(self):
        value = 0
        for n in range(10):
            byte = self.u8()
            value |= (byte & 127) << 7 * n
            if byte < 128:
                must(value < 1 << 64 and (byte or not n), "a number in another form")
                return value
        raise Damaged("an overlong number")

    def bytes(self):
        return self.take(self.varint())

    def text(self):
        return self.bytes().decode()

    def path(self):
        path = self.bytes()
        must(not path or all(is_name(name) for name in path.split(b"/")), "a path that is none")
        return path

    def id(self):
        return self.take(32)

    def id_if(self, given):
        return self.id() if given else None

    def time(self):
        seconds, nanoseconds = self.number(8, signed=True), self.number(4)
        must(nanoseconds < 10**9, "a time that is none")
        return seconds, nanoseconds

    def list(self, item):
        return [item() for _ in range(self.varint())]

    def flags(self, count):
        byte = self.u8()
        must(byte >> count == 0, "an unknown flag")
        return [bool(byte >> n & 1) for n in range(count)]

    def extras(self):
        extras = self.list(lambda: (self.text(), self.bytes()))
        ascending([key.encode() for key, _ in extras], "extras")
        return extras

    def end(self):
        must(self.at == len(self.data), "bytes are left over")


def is_name(name):
    return name not in (b"", b".", b"..") and b"/" not in name and b"\0" not in name


def ascending(values, what):
    must(all(a < b for a, b in pairwise(values)), f"{what} are out of order")


def path_order(path):
    return path.split(b"/")


def header(data, kind):
    """The fields after the two bytes at the start of every object except data."""
    fields, _ = versioned_header(data, kind, 1)
    return fields


def versioned_header(data, kind, newest):
    """Like `header`, for an object with several versions; also returns the version."""
    fields = Fields(data)
    must(fields.u8() == kind, f"no object of kind {kind}")
    version = fields.u8()
    must(1 <= version <= newest, f"an unknown version of kind {kind}")
    return fields, version


# Lists: each item is (key, weight, value).


def take_node(fields, item):
    """A leaf as (0, items) or an inner node as (1, children)."""
    form = fields.u8()
    must(form in (0, 1), "an unknown form")
    child = lambda: (fields.bytes(), fields.id(), fields.varint())
    items = fields.list(child if form else lambda: item(fields))
    must(len(items) <= MOST_ITEMS and (not form or len(items) >= 2), "a node of the wrong length")
    must(not form or all(weight for _, _, weight in items), "an empty child")
    return form, items


def whole_list(node, read, levels=16):
    """All items at and below a node, as one list. `read` returns the node with an id."""
    sizes, keys = {}, {}

    def below(node, levels):
        form, items = node
        must(levels, "too many levels")
        height, found = 0, items
        if form:
            found, heights = [], set()
            for first, id, weight in items:
                inner = read(id)
                must(inner[1] and inner[1][0][0] == first, "a node does not begin as its parent says")
                part, height = below(inner, levels - 1)
                must(sum(item[1] for item in part) == weight, "a node has another weight than its parent says")
                found += part
                heights.add(height)
            must(len(heights) == 1, "leaves at different depths")
            height = heights.pop() + 1
        sizes.setdefault(height, []).append(len(items))
        keys.setdefault(height, []).extend(item[0] for item in items)
        return found, height

    found, top = below(node, levels)
    must(not top or len(found) > MOST_ITEMS, "a short list in several nodes")
    for level in range(top):
        must(sizes[level] == cut(level, keys[level]), f"a list is cut at other places, level {level}")
    must(sizes[top] == [len(keys[top])], "a root of several nodes")
    return found


def cut(level, keys):
    """The number of items in each node of a level of more than 128 items."""
    sizes, size = [], 0
    for key in keys:
        size += 1
        head = int.from_bytes(blake3(key, key_of(f"nodes {level}"))[:8], "little") if size >= 32 else None
        if head is not None and head < (2**64 - 1) // 32 or size == MOST_ITEMS:
            sizes.append(size)
            size = 0
    return sizes + [size] if size else sizes


def take_entry(fields):
    tag = fields.u8()
    kind, entry = tag & 7, {}
    must(kind in KINDS and tag < 16, "an unknown kind of entry")
    entry["kind"], name = KINDS[kind], fields.bytes()
    entry["mode"], entry["uid"], entry["gid"] = fields.number(2), fields.varint(), fields.varint()
    must(entry["mode"] < 1 << 12 and max(entry["uid"], entry["gid"]) < 1 << 32, "mode or owner too large")
    entry["mtime"] = fields.time()
    if kind == 1:
        entry["blob"], entry["size"] = fields.id(), fields.varint()
    elif kind == 2:
        entry["tree"], entry["entries"], entry["size"] = fields.id(), fields.varint(), fields.varint()
    elif kind == 3:
        entry["target"] = fields.bytes()
    elif kind in (5, 6):
        entry["rdev"] = fields.varint()
    entry["attributes"] = fields.id_if(tag & 8)
    return name, 1, entry


def take_tree_node(data):
    fields = header(data, TREE)
    node = take_node(fields, take_entry)
    fields.end()
    must(node[0] or all(is_name(name) for name, _, _ in node[1]), "a name that is none")
    return node


def take_piece(fields):
    form, length = fields.u8(), fields.varint()
    must(form in (1, 2) and length and (form == 2 or length <= 32 << 20), "a piece that is none")
    id = fields.id_if(form == 1)
    return id or b"", length, id


def take_layout_node(data):
    fields = header(data, LAYOUT_NODE)
    node = take_node(fields, take_piece)
    fields.end()
    return node


def take_group(fields):
    paths = fields.list(fields.path)
    must(len(paths) >= 2, "a hard link with one name")
    ascending(map(path_order, paths), "paths of a hard link")
    return paths[0], 1, paths


def take_links_node(data):
    fields = header(data, LINKS)
    node = take_node(fields, take_group)
    fields.end()
    return node


def take_commit(data):
    fields = header(data, COMMIT)
    automatic, linked = fields.flags(2)
    name, _, root = take_entry(fields)
    must(name == b"" and "tree" in root, "the root is not a directory with an empty name")
    commit = {"automatic": automatic, "root": root, "links": fields.id_if(linked)}
    commit["parents"] = fields.list(fields.id)
    must(len(set(commit["parents"])) == len(commit["parents"]), "a parent is named twice")
    commit["time"], commit["offset"] = fields.time(), fields.number(4, signed=True)
    must(abs(commit["offset"]) <= 93_599, "an impossible time zone")
    commit["author"], commit["host"], commit["message"] = fields.text(), fields.text(), fields.text()
    for name in ("files", "directories", "others", "bytes", "added", "modified", "deleted"):
        commit[name] = fields.varint()
    commit["uncovered"] = fields.list(lambda: (fields.u8(), fields.path()))
    must(all(reason in (1, 2, 3, 4, 5, 6) for reason, _ in commit["uncovered"]), "an unknown reason")
    ascending([path_order(path) for _, path in commit["uncovered"]], "uncovered paths")
    commit["torn"] = fields.list(fields.path)
    ascending(map(path_order, commit["torn"]), "torn paths")
    commit["extras"] = fields.extras()
    fields.end()
    return commit


def take_attributes(data):
    fields = header(data, ATTRIBUTES)
    xattrs = fields.list(lambda: (fields.bytes(), fields.bytes()))
    ascending([name for name, _ in xattrs], "extended attributes")
    must(all(name and b"\0" not in name for name, _ in xattrs), "a name of an attribute that is none")
    holes = fields.list(lambda: (fields.varint(), fields.varint()))
    must(all(length for _, length in holes) and (xattrs or holes), "nothing in attributes")
    must(all(a + length < b for (a, length), (b, _) in pairwise(holes)), "holes that touch")
    fields.end()
    return xattrs, holes


def take_edit(fields):
    is_tag, had, has = fields.flags(3)
    return {"tag": is_tag, "name": fields.text(), "old": fields.id_if(had), "new": fields.id_if(has)}


def take_history_edit(fields):
    commit = lambda: (fields.id(), fields.list(fields.id))
    purge = lambda: (fields.id(), fields.varint())
    forms = {"forgets": commit, "recalls": commit, "heads added": fields.id, "heads removed": fields.id}
    edit = {name: fields.list(form) for name, form in (forms | {"purges": purge, "unpurges": fields.id}).items()}
    return edit


def take_forgotten(fields):
    (has_time,) = fields.flags(1)
    forgotten = {"parents": fields.list(fields.id), "count": fields.varint()}
    must(forgotten["count"] > 0, "a forgotten commit without a count")
    forgotten["time"] = fields.time() if has_time else None
    return forgotten


def take_purged(fields):
    (has_time,) = fields.flags(1)
    return {"size": fields.varint(), "time": fields.time() if has_time else None}


def take_map(fields, take):
    items = fields.list(lambda: (fields.id(), take(fields)))
    ascending([id for id, _ in items], "a map")
    return dict(items)


def take_sweep(fields):
    (has_mask,) = fields.flags(1)
    return {"time": fields.time(), "horizon": fields.time(), "mask": fields.id_if(has_mask)}


def take_operation(data):
    fields = header(data, OPERATION)
    has_parent, switched, worktree, has_from, joined, has_directory, has_position, has_history = fields.flags(8)
    operation = {"id": blake3(data, key_of("operation")), "parent": fields.id_if(has_parent)}
    operation["verb"], operation["description"] = fields.text(), fields.text()
    operation["arguments"] = fields.list(fields.text)
    operation["time"], operation["duration"] = fields.time(), fields.varint()
    operation["user"], operation["host"] = fields.text(), fields.text()
    operation["edits"] = fields.list(lambda: take_edit(fields))
    operation["switched"] = (fields.text(), fields.text()) if switched else None
    operation["commits"] = fields.list(lambda: (fields.id(), fields.list(fields.id)))
    must(worktree or not has_from, "a worktree's commit before, but none after")
    operation["from"], operation["to"] = fields.id_if(has_from), fields.id_if(worktree)
    operation["added"] = fields.list(fields.id)
    operation["read"], operation["stored"] = fields.varint(), fields.varint()
    operation["directory"] = fields.take(16) if has_directory else None
    if has_position:
        for given in fields.flags(2):
            fields.id_if(given)
    operation["joined"], operation["history"] = joined, take_history_edit(fields) if has_history else None
    must(not has_history or any(operation["history"].values()), "a change of the history that changes nothing")
    fields.extras()
    fields.end()
    return operation


def take_view(data):
    fields = header(data, VIEW)
    view = {"current": fields.text()}
    for name in ("branches", "tags"):
        refs = fields.list(lambda: (fields.text(), fields.id()))
        ascending([name.encode() for name, _ in refs], name)
        view[name] = dict(refs)
    view["heads"] = fields.list(fields.id)
    ascending(view["heads"], "heads")
    view["forgotten"], view["purged"] = take_map(fields, take_forgotten), take_map(fields, take_purged)
    fields.end()
    return view


def take_directory(fields):
    id, (has_branch,) = fields.take(16), fields.flags(1)
    directory = {"path": fields.bytes(), "device": fields.varint(), "inode": fields.varint(), "uid": fields.varint()}
    must(directory["path"].startswith(b"/"), "a directory without an absolute path")
    directory["host"], directory["branch"] = fields.text(), fields.text() if has_branch else None
    return id, directory


def take_intent(data):
    fields = header(data, INTENT)
    has_from, switches, has_position, has_before = fields.flags(4)
    intent = {"token": fields.number(8), "verb": fields.text(), "time": fields.time()}
    intent["from"], intent["to"] = fields.id_if(has_from), fields.id()
    intent["paths"], intent["edits"] = fields.list(fields.path), fields.list(lambda: take_edit(fields))
    intent["switch"] = fields.text() if switches else None
    if has_position:
        for given in fields.flags(2):
            fields.id_if(given)
    intent["before"], intent["worktree"] = fields.id_if(has_before), fields.bytes()
    must(intent["worktree"].startswith(b"/"), "an intent without an absolute path")
    fields.end()
    return intent
