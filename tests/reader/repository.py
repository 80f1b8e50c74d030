"""Reads files: journal, packs and frames, and objects by id. Sections "Files", "Journal", "Packs" and "Frames" of docs/format.md."""

from functools import lru_cache
from pathlib import Path

from .blake3 import blake3
from .forms import *
from .objects import Objects, decode_frame


class Journal:
    """The state of the newest segment, and the operations of all segments."""

    def __init__(self, folder):
        self.operations = []
        files = sorted((int(path.name), path) for path in folder.iterdir() if not path.name.endswith(".tmp"))
        must(files, "there is no journal")
        for number, path in files:
            self.newest = self.intent = self.view = None
            self.packs, self.directories = set(), {}
            for kind, payload in records(path.read_bytes(), number):
                self.apply(kind, payload)
            must(self.view is not None, f"journal {number} has no checkpoint")

    def apply(self, kind, payload):
        fields = Fields(payload)
        must((kind == 1) == (self.view is None), "a checkpoint is the first record, and only that")
        if kind == 1:
            has_operation, has_intent, has_directories, has_sweep, has_thinned = fields.flags(5)
            self.view, packs = take_view(fields.bytes()), fields.list(fields.id)
            ascending(packs, "packs")
            self.packs, self.newest = set(packs), fields.id_if(has_operation)
            self.intent = take_intent(fields.bytes()) if has_intent else None
            directories = fields.list(lambda: take_directory(fields)) if has_directories else []
            must(directories or not has_directories, "directories announced but not there")
            ascending([id for id, _ in directories], "directories")
            self.directories = dict(directories)
            self.time, self.young = fields.time(), take_map(fields, Fields.time)
            must(set(self.young) <= self.packs, "a young pack that is none")
            self.sweep = take_sweep(fields) if has_sweep else None
            if has_thinned:
                fields.time()
        elif kind == 2:
            ends = fields.u8()
            operation = take_operation(fields.take(len(payload) - 1))
            must(ends < 2 and operation["parent"] == self.newest, "an operation that does not follow the one before")
            self.intent = None if ends else self.intent
            self.follow(operation)
        elif kind == 3:
            self.intent = take_intent(fields.take(len(payload)))
        elif kind == 4:
            token = fields.number(8)
            self.intent = None if self.intent and self.intent["token"] == token else self.intent
        elif kind == 5:
            self.time = max(self.time, fields.time())
            self.packs = (self.packs | set(fields.list(fields.id))) - set(fields.list(fields.id))
        elif kind == 6:
            id, directory = take_directory(fields)
            self.directories[id] = directory
        elif kind == 7:
            self.sweep = take_sweep(fields)
            self.time = max(self.time, self.sweep["time"])
            is_later = lambda time: time is not None and time > self.sweep["horizon"]
            forgotten, purged = self.view["forgotten"], self.view["purged"]
            forgotten = {id: entry for id, entry in forgotten.items() if is_later(entry["time"])}
            self.view["forgotten"] = forgotten | take_map(fields, take_forgotten)
            for blob in purged.values():
                blob["time"] = blob["time"] if is_later(blob["time"]) else None
        elif kind == 8:
            self.time = max(self.time, fields.time())
            self.edit_history(take_history_edit(fields))
        else:
            raise Damaged(f"a record of kind {kind}")
        fields.end()

    def edit_history(self, edit):
        forgotten, purged = self.view["forgotten"], self.view["purged"]
        for id, parents in edit["forgets"]:
            forgotten[id] = {"parents": parents, "count": 1, "time": self.time}
        for id, _ in edit["recalls"]:
            forgotten.pop(id, None)
        self.view["heads"] = sorted(set(self.view["heads"]) - set(edit["heads removed"]) | set(edit["heads added"]))
        purged.update({id: {"size": size, "time": self.time} for id, size in edit["purges"]})
        for id in edit["unpurges"]:
            purged.pop(id, None)

    def follow(self, operation):
        self.time = max(self.time, operation["time"])
        for edit in operation["edits"]:
            refs = self.view["tags" if edit["tag"] else "branches"]
            must(refs.get(edit["name"]) == edit["old"], f"`{edit['name']}` was another commit")
            refs.pop(edit["name"], None)
            if edit["new"]:
                refs[edit["name"]] = edit["new"]
        if operation["switched"]:
            place, key = self.view, "current"
            if operation["directory"]:
                place, key = self.directories[operation["directory"]], "branch"
            must(operation["switched"][0] == place[key], "another branch was current")
            place[key] = operation["switched"][1]
        heads = set(self.view["heads"])
        for id, parents in operation["commits"]:
            heads = heads - set(parents) | {id}
        self.view["heads"] = sorted(heads)
        if operation["history"]:
            self.edit_history(operation["history"])
        self.packs |= set(operation["added"])
        self.newest = operation["id"]
        self.operations.append(operation)


def records(data, number):
    """Kind and payload of each complete record of a segment; the bytes after them are torn or damaged."""
    fields = Fields(data)
    must(fields.take(8) == b"undojrnl" and fields.number(4) == 1 and fields.number(8) == number, "no journal segment")
    must(fields.take(4) == blake3(data[:20])[:4], "the header of a journal segment is damaged")
    while fields.at < len(data):
        at, rest = fields.at, data[fields.at :]
        head = len(rest) >= 13 and rest[:4] == b"urec" and rest[9:13] == blake3(rest[:9])[:4]
        length = int.from_bytes(rest[5:9], "little") if head else 0
        if head and len(rest) >= 13 + length + 16:
            payload = rest[13 : 13 + length]
            if blake3(payload)[:16] == rest[13 + length : 29 + length]:
                fields.take(29 + length)
                yield rest[4], payload
                continue
        must(is_torn(data, at, head, length), f"journal {number} is damaged at byte {at}")
        return


def is_torn(data, at, head, length):
    rest = data[at:]
    if head:
        end = at + 29 + length
        if len(data) <= end:
            sectors = [data[max(at, n) : n + 512] for n in range(at // 512 * 512, end, 512)]
            return len(data) < end or any(len(sector) >= 16 and not any(sector) for sector in sectors)
        return False
    if len(rest) < 13 and b"urec".startswith(rest[:4]):
        return True
    first = rest[: 512 - at % 512]
    return not any(rest) or 0 < len(first) < 13 and b"urec".startswith(first[:4]) and not any(rest[len(first) :])


class Pack:
    """The object locations of a pack file."""

    def __init__(self, path, id):
        self.data, self.name = path.read_bytes(), id.hex()
        must(len(self.data) >= 96, f"pack {self.name} is too short")
        footer = self.data[-80:]
        must(footer[72:] == b"undo-end" and footer[64:72] == blake3(footer[:64])[:8], "the footer of a pack")
        fields = Fields(footer[:64])
        start, length, frames, objects = fields.number(8), fields.number(8), fields.number(4), fields.number(4)
        must((fields.id(), fields.number(2), fields.number(6)) == (id, 1, 0), "the footer of a pack")
        must(start + length + 80 == len(self.data), "table and footer do not end the pack")
        table = self.data[start : start + length]
        check_id("pack", id, table, "pack")
        self.read_table(Fields(table), start, frames, objects)

    def check_header(self):
        head = Fields(self.data[:16])
        must((head.take(8), head.number(2), head.u8(), head.u8()) == (b"undopack", 1, 0, 0), "the header of a pack")
        must(head.take(4) == blake3(self.data[:12])[:4], "the header of a pack has another checksum")

    def read_table(self, fields, start, frames, objects):
        must((fields.take(8), fields.number(2)) == (b"undotabl", 1), "a table")
        is_adopted, zero = fields.u8(), fields.u8()
        must(is_adopted in (0, 1) and zero == 0, "a pack of another kind")
        if not is_adopted:
            self.check_header()
        must((fields.number(4), fields.number(4)) == (frames, objects), "table and footer differ")
        number = fields.number
        self.frames = [(number(8), number(4), number(4), number(1), number(1), fields.take(8)) for _ in range(frames)]
        self.objects = [((number(1), fields.id()), number(4), number(4), number(4)) for _ in range(objects)]
        fields.end()
        at = 0 if is_adopted else 16
        for offset, stored, raw, codec, _, _ in self.frames:
            must(offset == at and max(stored, raw) <= 1 << 28, "a frame is out of place")
            must(not is_adopted or (stored, codec) == (raw, 0), "a frame of an adopted pack is encoded")
            at += stored
        must(at == start, "the table is out of place")
        ascending([bytes([kind]) + id for (kind, id), _, _, _ in self.objects], "objects of a pack")
        for (kind, id), frame, offset, length in self.objects:
            must(not is_adopted or kind == DATA, "an adopted pack has more than data")
            must(frame < frames and offset + length <= self.frames[frame][2], f"object {id.hex()} is out of place")

    @lru_cache(32)
    def frame(self, number):
        offset, stored, raw, codec, _, checksum = self.frames[number]
        data = self.data[offset : offset + stored]
        must(blake3(data)[:8] == checksum, f"frame {number} of pack {self.name} is damaged")
        return decode_frame(codec, raw, data, f"frame {number} of pack {self.name}")


class Repository(Objects):
    def __init__(self, folder):
        self.folder = follow_pointer(Path(folder))
        self.format = take_format(self.folder)
        self.journal = Journal(self.folder / "journal")
        self.packs, self.places, self.proven = {}, {}, set()
        self.purged = self.journal.view["purged"]
        hidden = self.read_mask()
        for id in sorted(self.journal.packs):
            pack = Pack(self.folder / "packs" / id.hex()[:2] / id.hex(), id)
            self.packs[id] = pack
            bits = hidden.get(id)
            must(bits is None or len(bits) == -(-len(pack.objects) // 8), "a mask of another pack")
            for n, (key, frame, offset, length) in enumerate(pack.objects):
                if not (bits and bits[n // 8] >> n % 8 & 1):
                    self.places[key] = pack, frame, offset, length

    def read_mask(self):
        """The bits of hidden objects of each pack that has any."""
        id = self.journal.sweep and self.journal.sweep["mask"]
        if not id:
            return {}
        data = (self.folder / "masks" / id.hex()).read_bytes()
        check_id("mask", id, data, "mask")
        fields = Fields(data)
        must((fields.take(8), fields.number(2), fields.number(2)) == (b"undomask", 1, 0), "no mask")
        packs = []
        for _ in range(fields.number(4)):
            pack, records, _, _ = fields.id(), fields.number(4), fields.number(8), fields.flags(1)
            bits = fields.take(-(-records // 8))
            must(any(bits) and int.from_bytes(bits, "little") >> records == 0, "wrong bits of a mask")
            packs.append((pack, bits))
        fields.end()
        ascending([pack for pack, _ in packs], "packs of a mask")
        return dict(packs)

    def stored(self, kind, id):
        if (kind, id) not in self.places:
            return None
        pack, frame, offset, length = self.places[kind, id]
        return pack.frame(frame)[offset : offset + length]

    def commits(self):
        found, below = {}, list(self.journal.view["heads"])
        while below:
            id = below.pop()
            if id not in found and id not in self.journal.view["forgotten"]:
                found[id] = self.commit(id)
                below += found[id]["parents"]
            below += self.journal.view["forgotten"].get(id, {"parents": []})["parents"]
        return sorted(found.items(), key=lambda item: item[1]["time"], reverse=True)

    def resolve(self, text):
        view = self.journal.view
        named = view["branches"].get(text) or view["tags"].get(text)
        if named:
            return named
        matches = [id for kind, id in self.places if kind == COMMIT and id.hex().startswith(text)]
        must(len(matches) == 1, f"{len(matches)} commits begin with `{text}`")
        return matches[0]


def follow_pointer(path):
    """The folder, or the external store named by a file."""
    if path.is_dir():
        return path
    first, id, place = path.read_bytes().split(b"\n", 2)
    if place.startswith(b"directory = "):
        directory, place = place.split(b"\n", 1)
        must(len(bytes.fromhex(directory[12:].decode())) == 16, "the file names no directory")
    must(first == b"undo store 1" and id[:5] == b"id = " and place[:7] == b"path = ", "the file names no store")
    folder = Path(place[7:].removesuffix(b"\n").decode(errors="surrogateescape"))
    must(take_format(folder)["id"] == id[5:].decode(), "the store has another id")
    return folder


def take_format(folder):
    lines = (folder / "format").read_text().splitlines()
    must(lines[:1] == ["undo format 1"], "a version that this program does not know")
    values = dict(line.split(":", 1) for line in lines[1:])
    must(set(values) == {"read", "write", "chunk", "id"} and not values["read"].split(), "an unknown feature")
    numbers = dict(word.split("=") for word in values["chunk"].split())
    return {"id": values["id"].strip(), "whole": int(numbers["whole"]), "target": int(numbers["target"])}
