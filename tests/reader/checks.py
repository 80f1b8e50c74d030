"""Checks that a reader may omit: cut points, totals, and the caches `catalog` and `index`."""

from itertools import accumulate, pairwise

from .blake3 import blake3
from .forms import *

def check_all(repository):
    kinds = {}
    for kind, id in repository.places:
        must(kind in range(1, 8), f"an object of kind {kind}")
        repository.object(kind, id)
        kinds[kind] = kinds.get(kind, 0) + 1
        if kind == LAYOUT:
            check_cuts(repository, id)
        elif kind == ATTRIBUTES:
            repository.attributes(id)
    for _, commit in repository.commits():
        check_commit(repository, commit)
    codecs = sorted({frame[3] for pack in repository.packs.values() for frame in pack.frames})
    # The index of a worktree with an external store has a longer name.
    caches = {"catalog": check_catalog, "index": check_index}
    found = {path.name: caches[path.name.split("-")[0]](repository, path) for path in cache_files(repository)}
    return {"kinds": {str(kind): kinds[kind] for kind in sorted(kinds)}, "codecs": codecs, "caches": found}


def cache_files(repository):
    names = (path for path in repository.folder.iterdir() if not path.name.endswith(".tmp"))
    return sorted(path for path in names if path.name == "catalog" or path.name.split("-")[0] == "index")


def check_cuts(repository, id):
    """Checks the cuts between zeros against the section "Chunks", except in very long runs, for speed."""
    runs = [[]]
    for length, chunk in repository.layout(id):
        runs[-1].append(chunk) if chunk else runs.append([])
    for run in runs:
        chunks = [repository.object(DATA, chunk) for chunk in run]
        data = b"".join(chunks)
        if len(data) <= 8 << 20:
            lengths = list(map(len, chunks))
            must(lengths == cut_blob(data, repository.format["target"]), f"blob {id.hex()} is cut at other places")


def cut_blob(data, target):
    table = [int.from_bytes(word, "little") for word in zip(*[iter(blake3(b"undo gear v1", length=2048))] * 8)]
    lengths, start, mask = [], 0, (1 << 64) - 1
    while len(data) - start > target:
        end, hash = start + target, 0
        for byte in data[end - 64 : end]:
            hash = (hash << 1) + table[byte] & mask
        last = min(start + 8 * target, len(data))
        while end < last:
            hash = (hash << 1) + table[data[end]] & mask
            end += 1
            if hash < (1 << 64) // target:
                break
        lengths.append(end - start)
        start = end
    return lengths + [len(data) - start] if start < len(data) else lengths


def check_commit(repository, commit):
    """Checks totals, and the sums recorded in directories."""
    entries = dict(repository.walk(commit))
    sums = {path: [0, 0] for path, entry in entries.items() if entry["kind"] == "directory"}
    totals = {"file": 0, "directory": -1}
    for path, entry in entries.items():
        kind = entry["kind"] if entry["kind"] in totals else "others"
        totals[kind] = totals.get(kind, 0) + 1
        names = path.split(b"/") if path else []
        for depth in range(len(names)):
            above = sums[b"/".join(names[:depth])]
            above[0] += 1
            above[1] += entry["size"] if kind == "file" else 0
    for path, (count, size) in sums.items():
        must((entries[path]["entries"], entries[path]["size"]) == (count, size), "a directory adds up to something else")
    must((commit["files"], commit["directories"]) == (totals["file"], totals["directory"]), "other totals")
    must((commit["others"], commit["bytes"]) == (totals.get("others", 0), sums[b""][1]), "other totals")
    for group in repository.links(commit["links"]):
        must(all(path in entries and entries[path] == entries[group[0]] for path in group), "a hard link of two files")


def check_catalog(repository, path):
    data = path.read_bytes()
    trailer = Fields(data[-64:])
    entries, packs, version, zero = (trailer.number(size) for size in (8, 4, 2, 2))
    must((version, zero, trailer.number(8)) == (1, 0, len(data)), "the trailer of the catalog")
    checksum, magic = trailer.take(32), trailer.take(8)
    must(magic == b"undo-cat" and data[:16] == b"undo-cat" + b"\1" + bytes(7), "not a catalog")
    at = 16 + 72 * entries
    listed = Fields(data[at : at + 48 * packs])
    must(blake3(listed.data + data[-64:-40]) == checksum, "the catalog has another checksum")
    listed = [(listed.id(), listed.number(8), listed.number(8)) for _ in range(packs)]
    fanout = Fields(data[at + 48 * packs : -64])
    fanout = [fanout.number(4) for _ in range(1 << 16)]
    must(at + 48 * packs + (1 << 18) + 64 == len(data), "the catalog has another length")
    seen, counts = [], [0] * (1 << 16)
    for n in range(entries):
        entry = data[16 + 72 * n : 88 + 72 * n]
        must(blake3(entry[:68])[:4] == entry[68:], "an entry of the catalog has another checksum")
        fields = Fields(entry)
        id, kind, codec, offset, pack = fields.id(), fields.u8(), fields.u8(), fields.number(6), fields.number(4)
        record, stored, raw, start, length = (fields.number(4) for _ in range(5))
        seen.append((id, kind, listed[pack][0]))
        counts[int.from_bytes(id[:2], "big")] += 1
        if listed[pack][0] in repository.packs:
            pack = repository.packs[listed[pack][0]]
            key, frame, *place = pack.objects[record]
            frame = pack.frames[frame]
            must(key == (kind, id), "catalog and table differ")
            must((frame[:4], place) == ((offset, stored, raw, codec), [start, length]), "catalog and table differ")
            must(frame[5][:4] == fields.take(4), "catalog and table differ")
    must(all(a < b for a, b in pairwise(seen)), "entries of the catalog are out of order")
    must(fanout == list(accumulate(counts)), "the fanout of the catalog is wrong")
    return entries


def prefixed(*parts):
    return blake3(b"".join(len(part).to_bytes(8, "little") + part for part in parts))[:16]


def check_index(repository, path):
    """Checks the checksums, and each directory with a known tree against that tree."""
    data = path.read_bytes()
    head = Fields(data)
    must((head.take(8), head.number(4), head.number(4)) == (b"undoindx", 3, 0), "not an index")
    directories, length, _, _, zero = head.number(8), head.number(8), head.take(16), head.time(), head.number(4)
    must((length, zero) == (len(data), 0) and head.take(16) == prefixed(data[:64]), "the header of the index")
    paths, records = [], 0
    for _ in range(directories):
        start, length, count, block, size = (head.number(bytes) for bytes in (8, 4, 4, 8, 8))
        path, block = data[start : start + length], data[block : block + size]
        must(head.take(16) == prefixed(path, count.to_bytes(8, "little"), block), "a directory of the index")
        paths.append(path_order(path) if path else [])
        records += count
        check_block(repository, path, count, Fields(block))
    must(all(a < b for a, b in pairwise(paths)), "directories of the index are out of order")
    return records


def check_block(repository, path, count, block):
    known, tree, _, _, _ = block.u8(), block.id(), block.number(8), block.number(8), block.number(8)
    records = [block.take(100) for _ in range(count)]
    start, found = block.at, []
    for record in records:
        fields = Fields(record)
        end, length, mode, kind, flags, zero = (fields.number(size) for size in (4, 2, 2, 1, 1, 2))
        must(zero == 0 and flags < 16, "a record of the index")
        entry = {"kind": KINDS[kind], "mode": mode, "uid": fields.number(4), "gid": fields.number(4)}
        entry["mtime"], _ = fields.time(), fields.time()
        size, _, _, content = fields.number(8), fields.number(8), fields.number(8), fields.id()
        rest = Fields(block.data[block.at : start + end])
        block.at = start + end
        name, entry["attributes"] = rest.take(length), rest.id_if(flags & 2)
        numbers = (rest.varint(), rest.varint(), rest.varint()) if flags & 4 else (1, None, 0)
        if kind == 1:
            entry["blob"], entry["size"] = content, rest.varint() if flags & 8 else size
        elif kind == 2:
            entry["tree"], entry["entries"], entry["size"] = content, rest.varint(), rest.varint()
        elif kind == 3:
            entry["target"] = rest.take(len(rest.data) - rest.at)
        elif kind in (5, 6):
            entry["rdev"] = numbers[2]
        rest.end()
        found.append((name, entry))
    block.end()
    must(path or not found or found[0][0] == b"", "the root of the index is not the first record")
    found = found if path else found[1:]
    must(not known or found == repository.tree(tree), "index and tree differ")
