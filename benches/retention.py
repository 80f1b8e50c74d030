#!/usr/bin/env python3
"""Measures what removing most of a history costs: undo beside other tools.

usage: benches/retention.py [--files N] [--records N] [--kept N] [--changed PERCENT] [--hot PERCENT] [--words N]
                           [--tools undo,git,…] [--beside] [--work DIR] [--json FILE]

A folder of 100,000 text files is recorded 1,000 times. Before each record 1 % of the files change, drawn from a hot tenth. Then all
records but the last 100 go, so that about 90 % of what is stored is dead. The options choose other numbers.
`--beside` records one changed file again and again while the tool works, and notes the longest time that a record took; a tool that
refuses to record meanwhile is asked again until it does.

The result is {tool: figures}. Steps are [wall seconds, peak anonymous memory of all processes in MiB]:

  forget     removes the records from the history
  sweep      finds out what nothing needs      (undo: and hides it; restic, rustic: a dry run; git: lists what is needed)
  compact    frees the space                   (restic, rustic: all of `prune`; git: all of `gc`; borg: `compact`)

Sizes are bytes on disk, without undo's reserve: `before`, and `after`. `alone` and `beside` are seconds that a record took, the median
before anything is removed, and the longest while the tool works; `fails` says that a record is refused for good (`git gc --prune=now`
deletes objects of a commit that is being made).
"""
import argparse
import json
import os
import random
import shutil
import statistics
import subprocess
import tempfile
import threading
import time

import corpus
import peers

#: `changed` and `hot` are percent of the files. A file has at most `words` words, and at least an eighth of them.
NUMBERS = {"files": 100_000, "records": 1000, "kept": 100, "changed": 1, "hot": 10, "words": 400}
#: Seconds between two looks at the memory of a process.
INTERVAL = 0.01
#: Seconds between two records beside a tool, and for how long they are made.
PAUSE, LIMIT = 0.2, 120
#: Seconds for which a record may be refused, also after the tool has ended.
PATIENCE = 10


def descendants(pid):
    found = [pid]
    for at in found:
        try:
            for task in os.listdir(f"/proc/{at}/task"):
                with open(f"/proc/{at}/task/{task}/children", encoding="ascii") as file:
                    found += [int(child) for child in file.read().split()]
        except OSError:
            pass
    return found


def anonymous(pid):
    """Anonymous memory of a process and its descendants in bytes."""
    total = 0
    for at in descendants(pid):
        try:
            with open(f"/proc/{at}/status", encoding="ascii", errors="replace") as file:
                total += sum(int(line.split()[1]) << 10 for line in file if line.startswith("RssAnon"))
        except OSError:
            pass
    return total


def measured(place, argv, fine=(0,)):
    """Wall seconds, and peak anonymous memory in MiB."""
    with open(os.path.join(place.base, "errors"), "w+b") as errors:
        start, peak = time.perf_counter(), 0
        process = subprocess.Popen(argv, cwd=place.work, env=place.environment, stdin=subprocess.DEVNULL,
                                   stdout=subprocess.DEVNULL, stderr=errors)
        while True:
            peak = max(peak, anonymous(process.pid))
            try:
                process.wait(INTERVAL)
                break
            except subprocess.TimeoutExpired:
                pass
        wall = time.perf_counter() - start
        if process.returncode not in fine:
            errors.seek(0)
            raise SystemExit(f"{argv} ended with {process.returncode}\n{errors.read().decode()[-2000:]}")
    return [round(wall, 4), round(peak / 2**20, 1)]


class Undo(peers.Undo):
    def forget(self, kept):
        return [[peers.PROGRAM, "forget", "--keep-last", str(kept)]]

    def sweep(self):
        return [[peers.PROGRAM, "gc", "--now", "--max-repack", "0"]]

    def compact(self):
        return [[peers.PROGRAM, "gc", "--now"]]

    def commit(self):
        return [peers.PROGRAM, "commit", "-q", "-m", "beside"]

    def fill(self):
        """The records whose time is not measured need not be durable."""
        return self.place.run([peers.PROGRAM, "--no-sync", "commit", "-q", "-m", "a record"])


class Git(peers.Git):
    def forget(self, kept):
        shallow = os.path.join(self.repository, "shallow")
        return [["sh", "-c", f"git rev-parse HEAD~{kept - 1} > {shallow} && git reflog expire --expire=now --all"]]

    def sweep(self):
        return [["git", "rev-list", "--objects", "--all", "--quiet"]]

    def compact(self):
        return [["git", "gc", "-q", "--prune=now"]]

    def commit(self):
        return ["sh", "-c", "git add -A && git commit -q -m beside"]


class Restic(peers.Restic):
    def forget(self, kept):
        return [self.call("forget", "--group-by", "", "--keep-last", str(kept))]

    def sweep(self):
        return [self.call("prune", "--dry-run")]

    def compact(self):
        return [self.call("prune")]

    def commit(self):
        return self.call("backup", ".")


class Rustic(peers.Rustic):
    def forget(self, kept):
        return [self.call("forget", "--group-by", "", "--keep-last", str(kept))]

    def sweep(self):
        return [self.call("prune", "--dry-run")]

    def compact(self):
        return [self.call("prune", "--instant-delete", "--keep-delete=0s")]

    def commit(self):
        return self.call("backup", ".")


class Borg(peers.Borg):
    def forget(self, kept):
        return [["borg", "prune", "--keep-last", str(kept), self.repository]]

    def sweep(self):
        return []

    def compact(self):
        return [["borg", "compact", self.repository]]

    def commit(self):
        return ["borg", "create", f"{self.repository}::beside-{time.monotonic_ns()}", "."]


KINDS = {"undo": Undo, "git": Git, "restic": Restic, "rustic": Rustic, "borg": Borg}


def make_files(folder, shape, rng):
    paths = [os.path.join(folder, f"{n // 1000:03}", f"file-{n:06}.txt") for n in range(shape.files)]
    for n, path in enumerate(paths):
        if n % 1000 == 0:
            os.makedirs(os.path.dirname(path))
        write(path, shape, rng)
    return paths


def write(path, shape, rng):
    with open(path, "w", encoding="ascii") as file:
        file.write(" ".join(rng.choices(corpus.WORDS, k=rng.randint(shape.words // 8, shape.words))) + f" {rng.random()}\n")


def change(path):
    with open(path, "a", encoding="ascii") as file:
        file.write(f"{time.monotonic_ns()}\n")


class Beside:
    """Records one changed file again and again, in a separate thread."""

    def __init__(self, tool, place, path):
        self.tool, self.place, self.path = tool, place, path
        self.longest, self.fails, self.ends = 0, False, threading.Event()
        self.thread = threading.Thread(target=self.repeat, daemon=True)

    def once(self):
        change(self.path)
        start = time.perf_counter()
        while subprocess.run(self.tool.commit(), cwd=self.place.work, env=self.place.environment, stdin=subprocess.DEVNULL,
                             capture_output=True, check=False).returncode:
            if self.ends.is_set() and time.perf_counter() - start > PATIENCE:
                self.fails = True
                break
            time.sleep(0.05)
        return time.perf_counter() - start

    def repeat(self):
        start = time.monotonic()
        # A collector may go on while there are new records.
        while not self.ends.wait(PAUSE) and time.monotonic() - start < LIMIT:
            self.longest = max(self.longest, self.once())

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.ends.set()
        self.thread.join()


def build(tool, place, shape):
    """Makes the history; returns the paths of the files."""
    rng = random.Random(9)
    paths = make_files(place.work, shape, rng)
    hot = rng.sample(paths, shape.files * shape.hot // 100)
    peers.settle(place)
    tool.make()
    record = getattr(tool, "fill", tool.record)
    record()
    for _ in range(shape.records - 1):
        for path in rng.sample(hot, shape.files * shape.changed // 100):
            write(path, shape, rng)
        record()
    return paths


def measure(name, shape, base):
    shutil.rmtree(base, ignore_errors=True)
    place = peers.Place(base)
    os.makedirs(place.work)
    tool = KINDS[name](place)
    paths = build(tool, place, shape)
    peers.settle(place)
    size = lambda: peers.size_of(tool.repository) - reserve(tool)
    found = {"before": size()}
    neighbour = Beside(tool, place, paths[0]) if shape.beside else None
    if neighbour:
        found["alone"] = round(statistics.median(neighbour.once() for _ in range(5)), 4)
        neighbour.__enter__()
    for step, commands in (("forget", tool.forget(shape.kept)), ("sweep", tool.sweep()), ("compact", tool.compact())):
        made = [measured(place, argv) for argv in commands]
        if made:
            found[step] = [round(sum(one[0] for one in made), 4), max(one[1] for one in made)]
    if neighbour:
        neighbour.__exit__()
        found |= {"beside": round(neighbour.longest, 4), "fails": neighbour.fails}
    found["after"] = size()
    shutil.rmtree(base)
    return found


def reserve(tool):
    path = os.path.join(tool.repository, "reserve")
    return peers.size_of(path) if isinstance(tool, Undo) and os.path.exists(path) else 0


def main():
    parser = argparse.ArgumentParser(description="Measures what removing most of a history costs.")
    for name, default in NUMBERS.items():
        parser.add_argument(f"--{name}", type=int, default=default)
    parser.add_argument("--tools", default=",".join(KINDS))
    parser.add_argument("--beside", action="store_true")
    parser.add_argument("--work")
    parser.add_argument("--json")
    chosen = parser.parse_args()
    found = {}
    with tempfile.TemporaryDirectory(prefix="undo-retention-", dir=chosen.work) as folder:
        for tool in chosen.tools.split(","):
            if tool != "undo" and not peers.version_of(tool):
                continue
            figures = found[tool] = measure(tool, chosen, os.path.join(folder, "place"))
            print(f"{tool}: {figures}", flush=True)
    if chosen.json:
        with open(chosen.json, "w", encoding="ascii") as file:
            json.dump({name: getattr(chosen, name) for name in NUMBERS} | {"tools": found}, file, indent=1)


if __name__ == "__main__":
    main()
