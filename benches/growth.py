"""How costs grow: each curve is {tool: [[x, wall seconds], …]}, each time the median of a few runs."""
import os
import random
import shutil
import statistics
import time

import corpus
import peers

COMMITS = [10, 30, 100, 300, 1000, 3000, 10_000]
FILES = [1000, 10_000, 100_000, 300_000, 1_000_000]
SIZES = [4, 16, 64, 256, 1024, 2048]
RUNS = 5
#: A tool's curve ends where it would take more seconds than this to come to the next point.
PATIENCE = 120


def up_to(points, scale):
    """The points that fit the scale, and never fewer than two."""
    return [x for n, x in enumerate(points) if n < 2 or x <= points[-1] * scale]


def curve(tool, points, base, prepare, measure):
    """One place for all points of a tool, each with more in it than the one before."""
    shutil.rmtree(base, ignore_errors=True)
    place = peers.Place(base)
    os.makedirs(place.work)
    with_tool, found, start = peers.TOOLS[tool](place), [], time.monotonic()
    for x in points:
        if found and (time.monotonic() - start) * x / found[-1][0] > PATIENCE:
            break
        prepare(with_tool, place, x)
        peers.settle(place)
        found.append([x, round(statistics.median(measure(with_tool, place, n) for n in range(RUNS)), 5)])
    shutil.rmtree(base)
    print(f"  {tool}: {found}", flush=True)
    return found


def line_added(place, n):
    with open(os.path.join(place.work, "changing"), "a", encoding="ascii") as file:
        file.write(f"line {n}\n")


def by_commits(tools, scale, base):
    """The next small record, by how many there are already: one file of a thousand has a line more each time."""
    def prepare(tool, place, commits):
        if not os.path.exists(tool.repository):
            corpus.texts(os.path.join(place.work, "text"), 1000, random.Random(5))
            line_added(place, 0)
            tool.make()
            tool.made_by_growth = 0
        while tool.made_by_growth < commits - RUNS:
            record(tool, place, 0)

    def record(tool, place, _):
        tool.made_by_growth += 1
        line_added(place, tool.made_by_growth)
        return tool.record()[0]

    return {tool: curve(tool, up_to(COMMITS, scale), base, prepare, record) for tool in tools}


def by_files(tools, scale, base):
    """The status of a folder in which nothing has changed, by how many files it has."""
    def prepare(tool, place, files):
        folder = os.path.join(place.work, f"with-{files}")
        have = len(peers.files_in(place.work))
        for n in range(files - have):
            at = os.path.join(folder, str(n // 1000), str(n // 100 % 10))
            if n % 100 == 0:
                os.makedirs(at)
            with open(os.path.join(at, f"file-{n}"), "w", encoding="ascii") as file:
                file.write(f"{files} {n}")
        if not os.path.exists(tool.repository):
            tool.make()
        peers.settle(place)
        tool.record()

    tools = [tool for tool in tools if hasattr(peers.TOOLS[tool], "status")]
    return {tool: curve(tool, up_to(FILES, scale), base, prepare, lambda tool, *_: tool.status()[0]) for tool in tools}


def by_size(tools, scale, base):
    """A record after 4 KiB in the middle of one file have changed, by the size of that file; and b3sum of it, which only
    reads and hashes. A repository for each size: some tools store the whole file each time."""
    def prepare(tool, place, size):
        corpus.noise(path(place), size << 20, random.Random(size))
        if tool:
            shutil.rmtree(tool.repository, ignore_errors=True)
            tool.make()
            tool.record()

    def path(place):
        return os.path.join(place.work, "file")

    def record(tool, place, n):
        with open(path(place), "r+b") as file:
            file.seek(os.path.getsize(path(place)) // 2 + (n << 13))
            file.write(random.Random(n).randbytes(4096))
        return tool.record()[0]

    points = up_to(SIZES, scale)
    found = {tool: curve(tool, points, base, prepare, record) for tool in tools}
    if shutil.which("b3sum"):
        found["b3sum"] = hashed(points, base, prepare, path)
    return found


def hashed(points, base, prepare, path):
    shutil.rmtree(base, ignore_errors=True)
    place, found = peers.Place(base), []
    os.makedirs(place.work)
    for size in points:
        prepare(None, place, size)
        found.append([size, round(statistics.median(place.run(["b3sum", path(place)])[0] for _ in range(RUNS)), 5)])
    shutil.rmtree(base)
    return found
