"""Folders to measure with: the same bytes every time, as large as they are asked for."""
import os
import random
import sqlite3

KINDS = {
    "small": "text files of 0.2 to 8 KiB",
    "large": "a CSV table, random bytes and an SQLite database",
    "mixed": "text files, pictures of 1 MiB (random bytes), a table and a database",
}
WORDS = ("lorem ipsum dolor sit amet consetetur sadipscing elitr sed diam nonumy eirmod tempor invidunt ut labore et dolore "
         "magna aliquyam erat voluptua at vero eos accusam justo duo dolores ea rebum").split()


def make(kind, scale, folder):
    """Fills a new folder; gives how many files and bytes that are."""
    os.makedirs(folder)
    {"small": small, "large": large, "mixed": mixed}[kind](scale, folder)
    sizes = [os.path.getsize(os.path.join(at, name)) for at, _, names in os.walk(folder) for name in names]
    return {"files": len(sizes), "bytes": sum(sizes)}


def small(scale, folder):
    texts(folder, max(100, int(50_000 * scale)), random.Random(1))


def large(scale, folder):
    rng = random.Random(2)
    noise(os.path.join(folder, "noise.bin"), int(scale * (256 << 20)), rng)
    table(os.path.join(folder, "table.csv"), int(scale * (256 << 20)), rng)
    database(os.path.join(folder, "events.sqlite"), int(scale * 1_500_000), rng)


def mixed(scale, folder):
    rng = random.Random(3)
    texts(os.path.join(folder, "text"), max(100, int(20_000 * scale)), rng)
    os.makedirs(os.path.join(folder, "pictures"))
    for n in range(max(2, int(200 * scale))):
        noise(os.path.join(folder, "pictures", f"{n:04}.raw"), 1 << 20, rng)
    table(os.path.join(folder, "table.csv"), int(scale * (128 << 20)), rng)
    database(os.path.join(folder, "events.sqlite"), int(scale * 500_000), rng)


def texts(folder, count, rng):
    """100 files a folder; every tenth can be run."""
    prose = " ".join(rng.choice(WORDS) + str(rng.randrange(100)) for _ in range(400_000)).encode()
    for n in range(count):
        at = os.path.join(folder, f"{n // 1000:03}", f"{n // 100 % 10}")
        if n % 100 == 0:
            os.makedirs(at)
        start, length = rng.randrange(len(prose) - 8192), rng.randrange(200, 8192)
        with open(os.path.join(at, f"note-{n}.txt"), "wb") as file:
            file.write(b"note %d\n" % n + prose[start:start + length])
            os.fchmod(file.fileno(), 0o755 if n % 10 == 0 else 0o644)


def noise(path, length, rng):
    with open(path, "wb") as file:
        for start in range(0, length, 1 << 20):
            file.write(rng.randbytes(min(1 << 20, length - start)))


def table(path, length, rng):
    with open(path, "w", encoding="ascii") as file:
        n = 0
        while file.tell() < length:
            rows = []
            for n in range(n, n + 10_000):
                rows.append(f"{n},{rng.choice(WORDS)},{rng.random():.6f},{rng.randrange(1000)}\n")
            n += 1
            file.writelines(rows)


def database(path, rows, rng):
    with sqlite3.connect(path) as connection:
        connection.execute("create table event (id integer primary key, kind text, amount real, note text)")
        fill = ((n, rng.choice(WORDS), rng.random(), rng.choice(WORDS) * rng.randrange(1, 8)) for n in range(rows))
        connection.executemany("insert into event values (?, ?, ?, ?)", fill)
        connection.execute("create index by_kind on event (kind, amount)")
    connection.close()
