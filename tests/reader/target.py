"""Reads a target in a folder: keys, log, packs and indexes. Follows docs/targets.md."""

from functools import lru_cache
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.argon2 import Argon2id

from .blake3 import blake3, derived_key
from .forms import *
from .objects import Objects, decode_frame

PASSWORD, RECOVERY = 1, 2
PAGE, RECORD, OVERHEAD, HEADER = 4096, 40, 44, 52
ZEROS = bytes(12)


class WrongKey(Exception):
    pass


def number(value):
    return value.to_bytes(8, "little")


def padded(length):
    unit = 1 << max(10, max(length, 1).bit_length() - 6)
    return -(-length // unit) * unit


class Keyring:
    """Opens sealed values and names objects."""

    def __init__(self, data):
        fields = Fields(data)
        self.names = fields.take(32)
        self.generations = dict(fields.list(lambda: (fields.varint(), fields.take(32))))
        fields.end()
        ascending(self.generations, "generations")
        self.keys = {}

    def open(self, purpose, place, sealed):
        must(len(sealed) >= OVERHEAD, "a sealed value is too short")
        generation = int.from_bytes(sealed[:4], "little")
        must(generation in self.generations, "a sealed value of an unknown generation")
        if (generation, purpose) not in self.keys:
            key = derived_key("undo target v1 " + purpose, self.generations[generation])
            self.keys[generation, purpose] = key
        key = blake3(sealed[4:28], self.keys[generation, purpose])
        try:
            return AESGCM(key).decrypt(ZEROS, sealed[28:], place)
        except InvalidTag:
            raise Damaged(f"a sealed {purpose} is not authentic") from None

    def name(self, kind, id):
        return blake3(bytes([kind]) + id, self.names)[:16]


def take_identity(data):
    lines = data.decode().splitlines()
    must(lines[:1] == ["undo target 1"], "a version that this program does not know")
    values = {key.strip(): value.strip() for key, value in (line.split("=", 1) for line in lines[1:])}
    must(values["cipher"] == "aes-256-gcm" and not values["features"], "an unknown cipher or feature")


def secret_of(text):
    """The kind and the bytes of a password or of recovery words."""
    from mnemonic import Mnemonic

    words = Mnemonic("english")
    normal = " ".join(text.lower().split())
    if words.check(normal):
        return RECOVERY, bytes(words.to_entropy(normal))
    return PASSWORD, text.encode()


def open_slot(data, target, secret):
    """The keyring in a slot; None if the secret does not open it."""
    fields = Fields(data)
    must(fields.take(8) == b"undo-key" and fields.u8() == 1, "no key slot")
    kind, bound = fields.u8(), fields.take(32)
    memory, passes, salt = fields.number(4), fields.number(4), fields.take(32)
    head = data[: fields.at]
    commitment, wrapped = fields.take(32), fields.bytes()
    fields.end()
    must(memory <= 1 << 20 and passes <= 32, "a key slot demands too much")
    if kind != secret[0] or bound != target:
        return None
    key = Argon2id(salt=salt, length=32, iterations=passes, lanes=1, memory_cost=memory).derive(secret[1])
    if derived_key("undo target v1 slot commitment", key) != commitment:
        return None
    return Keyring(AESGCM(derived_key("undo target v1 slot", key)).decrypt(ZEROS, wrapped, head))


# Parts of entries and states.


def optional(fields, take):
    (present,) = fields.flags(1)
    return take() if present else None


def take_link(fields):
    return fields.varint(), fields.id()


def take_pack(fields):
    (is_meta,) = fields.flags(1)
    return is_meta, fields.varint()


def take_index(fields):
    index = {"name": fields.id(), "objects": fields.varint(), "pages": fields.list(fields.varint)}
    index["filter"] = fields.bytes()
    must(len(index["pages"]) == -(-index["objects"] // PAGE), "an index with another number of pages")
    must(len(index["filter"]) in (0, index["objects"]), "a filter of another length")
    return index


def take_record(fields):
    name, pack, numbers = fields.take(16), fields.take(8), [fields.number(4) for _ in range(4)]
    return name, pack, *numbers


def take_stream(fields):
    stream = {"host": fields.text(), "path": fields.bytes(), "view": take_view(fields.bytes())}
    return stream | {"size": fields.varint(), "token": fields.take(16)}


def take_ids(fields):
    ids = fields.list(fields.id)
    ascending(ids, "commits")
    return ids


def take_change(fields):
    stream = take_stream(fields)
    return stream | {"added": take_ids(fields), "removed": take_ids(fields)}


def take_entry_of_log(data):
    fields = Fields(data)
    must((fields.u8(), fields.u8()) == (0x20, 1), "no entry of a log")
    entry = {"previous": optional(fields, lambda: take_link(fields))}
    entry["writer"] = fields.text(), fields.text(), fields.time()
    entry["packs"] = fields.list(lambda: (take_pack(fields), fields.id()))
    entry["condemned"] = fields.list(fields.id)
    entry["indexes"] = fields.list(lambda: take_index(fields))
    (entry["absorbs"],) = fields.flags(1)
    entry["records"] = fields.list(lambda: take_record(fields))
    change = lambda: (fields.take(16), optional(fields, lambda: take_change(fields)))
    entry["streams"] = fields.list(change)
    entry["slots"] = optional(fields, lambda: fields.list(fields.id))
    entry["deleted"] = fields.list(fields.id)
    (entry["rekeys"],) = fields.flags(1)
    before_recent = data[: fields.at]
    entry["recent"] = fields.list(lambda: take_recent(fields))
    must(len(data) == padded(fields.at) and not any(data[fields.at :]), "other padding of an entry")
    # A later entry repeats this one without the entries that it repeats.
    return entry, before_recent + b"\0"


def take_recent(fields):
    return take_link(fields), fields.varint(), fields.bytes()


class State:
    """The state after an entry."""

    def __init__(self):
        self.last = None
        self.tail = self.last_removal = self.absorbed = self.generation = self.rekeyed = 0
        self.streams, self.packs, self.condemned = {}, {}, {}
        self.indexes, self.records, self.slots, self.recent = [], [], {}, []

    def apply(self, link, generation, entry, alone):
        number = link[0]
        self.last = link
        self.generation = generation
        if entry["rekeys"]:
            self.generation, self.rekeyed = generation + 1, number
        self.recent.append((link, generation, alone))
        for (is_meta, size), name in entry["packs"]:
            self.condemned.pop(name, None)
            self.packs[name] = is_meta, size, number
        for name in entry["condemned"]:
            self.condemned[name] = number, self.packs.pop(name, None)
            self.indexes = [index for index in self.indexes if index["name"] != name]
        removes = any(change is None or change["removed"] for _, change in entry["streams"])
        if entry["condemned"] or removes:
            self.last_removal = number
        if entry["absorbs"]:
            self.records, self.recent, self.absorbed = [], [], number
        self.indexes += entry["indexes"]
        self.records += entry["records"]
        for id, change in entry["streams"]:
            before = self.streams.pop(id, {"commits": []})
            if change is not None:
                commits = set(before["commits"]) - set(change.pop("removed")) | set(change.pop("added"))
                self.streams[id] = change | {"commits": sorted(commits), "link": link, "writer": entry["writer"]}
        if entry["slots"] is not None:
            self.slots = {name: self.slots.get(name, entry["writer"]) for name in entry["slots"]}
        for name in entry["deleted"]:
            self.condemned.pop(name, None)
        must(len({name[:8] for name in self.packs}) == len(self.packs), "two packs with similar names")


def take_state(data):
    fields, state = Fields(data), State()
    must((fields.u8(), fields.u8()) == (0x21, 1), "no state")
    state.last, state.tail = optional(fields, lambda: take_link(fields)), fields.varint()

    def stream():
        id, stream = fields.take(16), take_stream(fields)
        stream |= {"commits": take_ids(fields), "link": take_link(fields)}
        return id, stream | {"writer": (fields.text(), fields.text(), fields.time())}

    pack = lambda: (*take_pack(fields), fields.varint())
    maps = [fields.list(stream), fields.list(lambda: (fields.id(), pack()))]
    maps.append(fields.list(lambda: (fields.id(), (fields.varint(), optional(fields, pack)))))
    for one in maps:
        ascending([id for id, _ in one], "a map of a state")
    state.streams, state.packs, state.condemned = map(dict, maps)
    state.indexes = fields.list(lambda: take_index(fields))
    state.records = fields.list(lambda: take_record(fields))
    writer = lambda: (fields.text(), fields.text(), fields.time())
    slots = fields.list(lambda: (fields.id(), writer()))
    ascending([name for name, _ in slots], "a map of a state")
    state.slots = dict(slots)
    state.generation, state.rekeyed = fields.varint(), fields.varint()
    state.last_removal, state.absorbed = fields.varint(), fields.varint()
    state.recent = fields.list(lambda: take_recent(fields))
    must(len(data) == padded(fields.at) and not any(data[fields.at :]), "other padding of a fold")
    return state


class Target(Objects):
    """A target that a password or recovery words open."""

    def __init__(self, folder, secret):
        self.folder, self.proven, self.purged = Path(folder), set(), {}
        identity = (self.folder / "target").read_bytes()
        take_identity(identity)
        self.id = blake3(identity)
        self.open(secret_of(secret))
        self.records = {}
        for index in self.state.indexes:
            for record in self.read_index(index):
                self.add_record(record)
        for record in self.state.records:
            self.add_record(record)

    def open(self, secret):
        for path in sorted((self.folder / "keys").iterdir()):
            data = path.read_bytes()
            if path.name != blake3(data).hex():
                continue
            self.keyring = open_slot(data, self.id, secret)
            if self.keyring:
                self.state = self.read_log()
                if bytes.fromhex(path.name) in self.state.slots:
                    return
        raise WrongKey("no key slot in force opens with this password")

    def read_log(self, state=None):
        state = state or State()
        chain = [None, state.last]
        numbers = sorted(int(path.name, 16) for path in (self.folder / "log").iterdir() if is_log_name(path.name))
        for n in numbers:
            if n <= state.tail:
                continue
            data = (self.folder / f"log/{n:016x}").read_bytes()
            try:
                entry, alone = take_entry_of_log(self.keyring.open("log", self.id + number(n), data))
            except Damaged:
                must(n > 1, "the first entry of the log is not authentic")
                state.tail = n if n == state.tail + 1 else state.tail
                continue
            state.tail = n
            generation = int.from_bytes(data[:4], "little")
            if state.last and generation < state.generation:
                continue
            must(not state.last or generation == state.generation, "the entry that announced new keys is missing")
            if entry["previous"] == state.last:
                state.apply((n, blake3(data)), generation, entry, alone)
                chain.append(state.last)
                if state.generation not in self.keyring.generations:
                    raise WrongKey("the target has newer keys")
            else:
                must(entry["previous"] in chain, f"an entry before entry {n} of the log is missing")
        return state

    def read_folds(self):
        """Every fold, each of which must say the same as the entries."""
        count = 0
        for path in sorted((self.folder / "fold").glob("*")):
            n, name = path.name.split("-")
            data = path.read_bytes()
            must(blake3(data).hex() == name, f"fold {path.name} is damaged")
            state = take_state(self.keyring.open("fold", self.id + number(int(n, 16)), data))
            must(state.last[0] == int(n, 16), "a fold of another entry")
            must(vars(self.read_log(state)) == vars(self.state), f"fold {path.name} says something else")
            count += 1
        return count

    def read_index(self, index):
        data = (self.folder / "index" / index["name"].hex()).read_bytes()
        must(blake3(data) == index["name"], f"index {index['name'].hex()} is damaged")
        records, file = [], Fields(data)
        for page, first in enumerate(index["pages"]):
            count = min(PAGE, index["objects"] - page * PAGE)
            fields = Fields(self.keyring.open("index", number(page), file.take(count * RECORD + OVERHEAD)))
            of_page = [take_record(fields) for _ in range(count)]
            fields.end()
            must(int.from_bytes(of_page[0][0][:8], "big") == first, "a page of an index begins with another name")
            records += of_page
        file.end()
        ascending([record[0] for record in records], "records of an index")
        for record in records:
            must(not index["filter"] or may_have(index["filter"], record[0]), "a filter lacks a name")
        return records

    def add_record(self, record):
        name, prefix, *place = record
        packs = [pack for pack in self.state.packs if pack[:8] == prefix]
        if packs:
            self.records[name] = packs[0], *place

    def read_pack(self, name):
        is_meta, size, _ = self.state.packs[name]
        path = self.folder / ("meta" if is_meta else "data") / name.hex()[:2] / name.hex()
        must(path.exists(), f"pack {name.hex()} is missing")
        data = path.read_bytes()
        must(len(data) == size, f"pack {name.hex()} has another length")
        return data

    @lru_cache(32)
    def frame(self, name, offset, length):
        data = self.read_pack(name)[offset : offset + length]
        fields = Fields(self.keyring.open("frame", b"", data))
        codec, raw = fields.u8(), fields.number(4)
        return decode_frame(codec, raw, fields.data[5:], f"a frame of pack {name.hex()}")

    def stored(self, kind, id):
        record = self.records.get(self.keyring.name(kind, id))
        if record is None:
            return None
        pack, frame, length, offset, size = record
        data = self.frame(pack, frame, length)
        must(offset + size <= len(data), "an object lies outside its frame")
        return data[offset : offset + size]

    def check_pack(self, name):
        """Reads all frames of a pack. Returns the number of objects."""
        data = self.read_pack(name)
        must(blake3(data) == name, f"pack {name.hex()} is damaged")
        header = Fields(self.keyring.open("header", b"", data[:HEADER]))
        start, length = header.number(4), header.number(4)
        header.end()
        must(padded(start + length) == len(data), "other padding of a pack")
        fields = Fields(self.keyring.open("table", b"", data[start : start + length]))
        of_frame = lambda: (fields.take(16), fields.varint(), fields.varint())
        frames = fields.list(lambda: (fields.varint(), fields.varint(), fields.list(of_frame)))
        fields.end()
        at, count = HEADER, 0
        for offset, size, objects in frames:
            must(offset == at, "a frame is out of place")
            at += size
            raw = len(self.frame(name, offset, size))
            must(all(start + length <= raw for _, start, length in objects), "an object lies outside its frame")
            count += len(objects)
        must(at == start, "the table is out of place")
        return count

    def commits_of(self, stream):
        commits = {id: self.commit(id) for id in stream["commits"]}
        return sorted(commits.items(), key=lambda item: item[1]["time"], reverse=True)

    def resolve(self, text):
        """The stream and the id of a commit: its id or the beginning of it, `latest`, or `STREAM` for that of a directory."""
        matches = []
        for id, stream in self.state.streams.items():
            view = stream["view"]
            newest = view["branches"].get(view["current"]) or (view["heads"] or [None])[-1]
            if newest and (text == "latest" or id.hex() == text):
                matches.append((stream, newest))
            matches += [(stream, commit) for commit in stream["commits"] if commit.hex().startswith(text)]
        must(len({commit for _, commit in matches}) == 1, f"{len(matches)} commits are named `{text}`")
        return matches[0]


def is_log_name(name):
    return len(name) == 16 and all(digit in "0123456789abcdef" for digit in name)


def may_have(filter, name):
    a, b = int.from_bytes(name[:8], "big"), int.from_bytes(name[8:], "big")
    bits = [(a + k * b) % 2**64 % (8 * len(filter)) for k in range(5)]
    return all(filter[bit // 8] >> bit % 8 & 1 for bit in bits)
