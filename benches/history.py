#!/usr/bin/env python3
"""Measures what history costs: the size of a repository while commits change little, beside other tools.

usage: benches/history.py [--commits N] [--layouts 20x1000,200x100,1x20000] [--tools undo,git,…] [--work DIR] [--json FILE]

A layout DxF has D directories of F text files of 0.3 to 7 KB. Each commit changes one word in each of three of fifty hot files.
The result is {layout: {tool: figures}}. Sizes are bytes that the commits added, by the blocks on disk, without undo's reserve:

  stored     undo: what the commits say that they have stored
  kept       after the last commit
  collected  after `gc`                        (tools that have it)
  curve      [commits, kept] while it grows
  most       undo: the largest ratio, after any commit, of the repository to the part of it that the journal names
"""
import argparse
import json
import os
import random
import shutil
import subprocess
import tempfile

import corpus
import peers

LAYOUTS = ("20x1000", "200x100", "1x20000")
TOOLS = ("undo", "git", "restic", "rustic", "borg")
HOT, EDITS = 50, 3
#: Points of a curve.
POINTS = 20


def fill(folder, layout):
    """Writes the files; returns the paths of the hot ones."""
    directories, files = map(int, layout.split("x"))
    rng = random.Random(7)
    for directory in range(directories):
        at = os.path.join(folder, f"directory-{directory:03}")
        os.makedirs(at)
        for n in range(files):
            with open(os.path.join(at, f"file-{n:05}.txt"), "w", encoding="ascii") as file:
                file.write(text(rng, rng.randrange(300, 7000)))
    paths = peers.files_in(folder)
    return rng.sample(paths, HOT)


def text(rng, length):
    words, size = [], 0
    while size < length:
        words.append(word(rng))
        size += len(words[-1]) + 1
    return " ".join(words)


def word(rng):
    return rng.choice(corpus.WORDS) + str(rng.randrange(100))


def edit(hot, rng):
    for path in rng.sample(hot, EDITS):
        with open(path, encoding="ascii") as file:
            words = file.read().split(" ")
        words[rng.randrange(len(words))] = word(rng)
        with open(path, "w", encoding="ascii") as file:
            file.write(" ".join(words))


class Undo(peers.Undo):
    """Knows what a commit has stored, and what part of the repository the journal names."""
    stored, most = 0, 0

    def record(self):
        said = self.place.ask([peers.PROGRAM, "commit", "-m", "a record", "--json"])
        self.stored = json.loads(said.splitlines()[-1])["bytes_stored"]

    def size(self):
        return peers.size_of(self.repository) - peers.size_of(os.path.join(self.repository, "reserve"))

    def watch(self):
        """Notes the ratio of the repository to the part of it that is in use."""
        counts = json.loads(self.place.ask([peers.PROGRAM, "count-objects", "--json"]).splitlines()[-1])
        size = self.size()
        self.most = max(self.most, size / (size - counts["size_garbage"]))

    def collect(self):
        subprocess.run([peers.PROGRAM, "gc", "--now", "-q"], cwd=self.place.work, env=self.place.environment, check=True)

    @classmethod
    def collects(cls):
        return subprocess.run([peers.PROGRAM, "gc", "--help"], capture_output=True, check=False).returncode == 0


class Git(peers.Git):
    def collect(self):
        self.place.run(["git", "gc", "-q", "--prune=now"])


class Restic(peers.Restic):
    def collect(self):
        self.place.run(self.call("prune"))


class Rustic(peers.Rustic):
    def collect(self):
        self.place.run(self.call("prune", "--instant-delete", "--keep-delete=0s"))


class Borg(peers.Borg):
    def collect(self):
        self.place.run(["borg", "compact", self.repository])


KINDS = {"undo": Undo, "git": Git, "restic": Restic, "rustic": Rustic, "borg": Borg}


def measure(tool, layout, commits, base):
    shutil.rmtree(base, ignore_errors=True)
    place = peers.Place(base)
    os.makedirs(place.work)
    hot, rng = fill(place.work, layout), random.Random(8)
    peers.settle(place)
    with_tool = KINDS[tool](place)
    is_own = tool == "undo"
    size = with_tool.size if is_own else lambda: peers.size_of(with_tool.repository)
    with_tool.make()
    with_tool.record()
    collects = not is_own or Undo.collects()
    if collects:
        with_tool.collect()
    first, stored, curve = size(), 0, []
    for n in range(1, commits + 1):
        edit(hot, rng)
        with_tool.record()
        if is_own:
            stored += with_tool.stored
            with_tool.watch()
        if n % max(1, commits // POINTS) == 0:
            curve.append([n, size() - first])
    found = {"first": first, "kept": size() - first, "curve": curve}
    if is_own:
        found |= {"stored": stored, "most": with_tool.most}
    if collects:
        with_tool.collect()
        found["collected"] = size() - first
    shutil.rmtree(base)
    return found


def compare(layouts, tools, commits, base):
    found = {}
    for layout in layouts:
        found[layout] = {}
        for tool in tools:
            figures = found[layout][tool] = measure(tool, layout, commits, base)
            each = {name: round(figures[name] / commits) for name in ("stored", "kept", "collected") if name in figures}
            most = f", at most {figures['most']:.2f} of what is in use" if "most" in figures else ""
            print(f"{layout} {tool}: first {figures['first']}, a commit {each}{most}", flush=True)
    return found


def main():
    parser = argparse.ArgumentParser(description="Measures what history costs.")
    parser.add_argument("--commits", type=int, default=300)
    parser.add_argument("--layouts", default=",".join(LAYOUTS))
    parser.add_argument("--tools", default=",".join(TOOLS))
    parser.add_argument("--work")
    parser.add_argument("--json")
    chosen = parser.parse_args()
    tools = [tool for tool in chosen.tools.split(",") if tool == "undo" or peers.version_of(tool)]
    with tempfile.TemporaryDirectory(prefix="undo-history-", dir=chosen.work) as folder:
        found = compare(chosen.layouts.split(","), tools, chosen.commits, os.path.join(folder, "place"))
    if chosen.json:
        with open(chosen.json, "w", encoding="utf-8") as file:
            json.dump({"commits": chosen.commits, "layouts": found}, file, indent=1)


if __name__ == "__main__":
    main()
