"""BLAKE3 in plain Python: hash, keyed hash, key derivation and extended output.

Many chunks are hashed at once: a number holds a word of each, 64 bits apart, so that sums have room to overflow into.
"""

from functools import lru_cache
from struct import pack, unpack

WORD = 0xFFFFFFFF
IV = (0x6A09E667, 0xBB67AE85, 0x3C6EF372, 0xA54FF53A, 0x510E527F, 0x9B05688C, 0x1F83D9AB, 0x5BE0CD19)
PERMUTATION = (2, 6, 3, 10, 7, 0, 4, 13, 1, 11, 12, 5, 9, 14, 15, 8)
COLUMNS = ((0, 4, 8, 12), (1, 5, 9, 13), (2, 6, 10, 14), (3, 7, 11, 15))
DIAGONALS = ((0, 5, 10, 15), (1, 6, 11, 12), (2, 7, 8, 13), (3, 4, 9, 14))
CHUNK, AT_ONCE = 1024, 1024
CHUNK_START, CHUNK_END, PARENT, ROOT, KEYED, CONTEXT, MATERIAL = 1, 2, 4, 8, 16, 32, 64


@lru_cache(None)
def ones(count):
    """A one in each of `count` lanes."""
    return ((1 << 64 * count) - 1) // ((1 << 64) - 1)


def joined(values):
    return int.from_bytes(pack(f"<{len(values)}Q", *values), "little")


def compress(count, chaining, words, counters, length, flags):
    """The 16 words after seven rounds over one block of 64 bytes, in `count` lanes."""
    one = ones(count)
    mask = one * WORD
    counter = joined(counters)
    v = [*chaining, *(iv * one for iv in IV[:4]), counter & mask, counter >> 32 & mask, length * one, flags * one]
    for _ in range(7):
        for n, (a, b, c, d) in enumerate(COLUMNS + DIAGONALS):
            va, vb, vc, vd = v[a], v[b], v[c], v[d]
            va = va + vb + words[2 * n] & mask
            vd ^= va
            vd = (vd >> 16 | vd << 16) & mask
            vc = vc + vd & mask
            vb ^= vc
            vb = (vb >> 12 | vb << 20) & mask
            va = va + vb + words[2 * n + 1] & mask
            vd ^= va
            vd = (vd >> 8 | vd << 24) & mask
            vc = vc + vd & mask
            vb ^= vc
            v[a], v[b], v[c], v[d] = va, (vb >> 7 | vb << 25) & mask, vc, vd
        words = [words[n] for n in PERMUTATION]
    return [x ^ y for x, y in zip(v[:8], v[8:])] + [x ^ y for x, y in zip(v[8:], chaining)]


def lanes(count, values):
    return [unpack(f"<{count}Q", value.to_bytes(8 * count, "little")) for value in values[:8]]


def whole_chunks(data, first, key, flags):
    """Chaining values as 8 lists, one word of every chunk each. All chunks are complete, and none is the root."""
    count = len(data) // CHUNK
    words, one = unpack(f"<{count * 256}I", data), ones(count)
    chaining, counters = [word * one for word in key], range(first, first + count)
    for block in range(16):
        bounds = (CHUNK_START if block == 0 else 0) | (CHUNK_END if block == 15 else 0)
        block = [joined(words[16 * block + word :: 256]) for word in range(16)]
        chaining = compress(count, chaining, block, counters, 64, flags | bounds)[:8]
    return lanes(count, chaining)


def last_chunk(data, counter, key, flags):
    """Arguments of the last compression of a chunk, after the preceding ones."""
    chaining, start = key, CHUNK_START
    for at in range(0, len(data) - 64, 64):
        words = unpack("<16I", data[at : at + 64])
        chaining = compress(1, chaining, words, [counter], 64, flags | start)[:8]
        start = 0
    rest = data[(len(data) - 1) // 64 * 64 :] if data else b""
    return chaining, unpack("<16I", rest.ljust(64, b"\0")), [counter], len(rest), flags | start | CHUNK_END


def root(data, key, flags):
    """Arguments of the compression at the root."""
    count = max(1, (len(data) + CHUNK - 1) // CHUNK)
    last = last_chunk(data[(count - 1) * CHUNK :], count - 1, key, flags)
    if count == 1:
        return last
    values = [[] for _ in range(8)]
    for first in range(0, count - 1, AT_ONCE):
        part = data[first * CHUNK : min(first + AT_ONCE, count - 1) * CHUNK]
        for all, more in zip(values, whole_chunks(part, first, key, flags)):
            all.extend(more)
    for all, word in zip(values, compress(1, *last)):
        all.append(word)
    return parent_at_root(values, count, key, flags)


def parent_at_root(values, count, key, flags):
    """Arguments of the compression at the root, from 8 lists with one word of every subtree each."""
    # Pairs neighbours, level by level; a subtree without a neighbour moves up unchanged.
    while count > 2:
        pairs = count // 2
        words = [joined(all[side : 2 * pairs : 2]) for side in (0, 1) for all in values]
        chaining = [word * ones(pairs) for word in key]
        parents = lanes(pairs, compress(pairs, chaining, words, [0] * pairs, 64, flags | PARENT))
        values = [[*parent, *all[2 * pairs :]] for parent, all in zip(parents, values)]
        count -= pairs
    return key, [all[side] for side in (0, 1) for all in values], [0], 64, flags | PARENT


def root_of(values):
    """The hash from the chaining values, 32 bytes each, of subtrees of one size (the last may be smaller)."""
    columns = [list(column) for column in zip(*(unpack("<8I", value) for value in values))]
    chaining, words, _, size, flags = parent_at_root(columns, len(values), IV, 0)
    return pack("<8I", *compress(1, chaining, words, [0], size, flags | ROOT)[:8])


def output(data, key, flags, length):
    chaining, words, _, size, flags = root(data, key, flags)
    blocks = (compress(1, chaining, words, [n], size, flags | ROOT) for n in range((length + 63) // 64))
    return b"".join(pack("<16I", *words) for words in blocks)[:length]


def blake3(data, key=None, length=32):
    """The hash of bytes, keyed if a key of 32 bytes is given."""
    return output(bytes(data), unpack("<8I", key) if key else IV, KEYED if key else 0, length)


def derived_key(context, material=b""):
    """The key derived from a context and key material."""
    key = unpack("<8I", output(context.encode(), IV, CONTEXT, 32))
    return output(material, key, MATERIAL, 32)
