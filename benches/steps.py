#!/usr/bin/env python3
"""Times the steps of a coding agent: what a hook costs before each tool, what a hundred steps take, and how fast one is taken back.

usage: benches/steps.py [--scale F] [--rounds N] [--work DIR] [--json FILE]

git does the same with a repository beside the folder, as several agents do to offer a way back: `git add -A` and `git write-tree` before
each step, `git read-tree --reset -u` to go back.

  nothing   a step of an agent in a folder of 20,000 and of 1,000,000 small files, when nothing has changed (git only the first: it
            would write a million files)
  back      takes back a step that changed 1,000 of 20,000 files
  growth    100 steps of three edits of small files each, beside a database of 5 GB that does not change: bytes by which the repository
            has grown, and what remains of them after a garbage collection (only undo)

The result is {figure: {tool: value}}: seconds, the median of the rounds, or bytes. `--scale` multiplies numbers of files and the database.
"""
import argparse
import json
import os
import random
import shutil
import statistics


from peers import PROGRAM, Place, settle

NOTHING = {"step20k": 20_000, "step1m": 1_000_000}
DATABASE = 5 << 30


def make_files(folder, count):
    """Small files in folders of 100."""
    for number in range(count):
        parent = os.path.join(folder, f"d{number // 10_000}", f"s{number // 100}")
        if number % 100 == 0:
            os.makedirs(parent)
        with open(os.path.join(parent, f"f{number}"), "w", encoding="ascii") as file:
            file.write(f"file {number}\n" * 3)


def edit(folder, numbers, text):
    for number in numbers:
        with open(os.path.join(folder, f"d{number // 10_000}", f"s{number // 100}", f"f{number}"), "a", encoding="ascii") as file:
            file.write(text)


class Undo:
    def __init__(self, place):
        self.place = place
        place.run([PROGRAM, "init"])
        place.run([PROGRAM, "commit", "-q"], fine=(0, 1))

    def step(self):
        """Seconds of the hook before a tool."""
        payload = os.path.join(self.place.base, "payload")
        with open(payload, "w", encoding="ascii") as file:
            json.dump({"session_id": "bench", "hook_event_name": "PreToolUse", "cwd": self.place.work, "tool_name": "Bash",
                       "tool_input": {"command": "make"}, "tool_use_id": f"call-{random.random()}"}, file)
        return self.place.run(["sh", "-c", f'exec "$0" agent hook claude < "{payload}"', PROGRAM])[0]

    def back(self):
        return self.place.run([PROGRAM, "undo", "-q"])[0]

    def size(self):
        return allocated(os.path.join(self.place.work, ".undo"))

    def collect(self):
        self.place.run([PROGRAM, "gc", "--now", "-q"])


class Git:
    def __init__(self, place):
        self.place = place
        place.environment |= {"GIT_DIR": place.store, "GIT_WORK_TREE": place.work}
        place.run(["git", "init", "-q"])
        self.trees = []
        self.step()

    def step(self):
        add = self.place.run(["git", "add", "-A"])[0]
        write = self.place.run(["git", "write-tree"])[0]
        self.trees.append(self.place.ask(["git", "write-tree"]).decode().strip())
        return add + write

    def back(self):
        return self.place.run(["git", "read-tree", "--reset", "-u", self.trees[-2]])[0]


TOOLS = {"undo": Undo, "git": Git}


def allocated(folder):
    paths = (os.path.join(parent, name) for parent, _, names in os.walk(folder) for name in names)
    return sum(os.lstat(path).st_blocks * 512 for path in paths)


def begin(tool, base, fill):
    shutil.rmtree(base, ignore_errors=True)
    place = Place(base)
    os.makedirs(place.work)
    fill(place.work)
    settle(place)
    return place, TOOLS[tool](place)


def nothing(tool, base, count, rounds):
    place, with_tool = begin(tool, base, lambda folder: make_files(folder, count))
    settle(place)
    with_tool.step()
    return statistics.median(with_tool.step() for _ in range(max(3, rounds)))


def back(tool, base, count, rounds):
    place, with_tool = begin(tool, base, lambda folder: make_files(folder, count))
    taken = []
    for number in range(rounds):
        with_tool.step()
        edit(place.work, range(0, count, 20), f"round {number}\n")
        settle(place)
        with_tool.step()
        taken.append(with_tool.back())
    return statistics.median(taken)


def growth(base, size):
    def fill(folder):
        make_files(folder, 1000)
        with open(os.path.join(folder, "database"), "wb") as file:
            for _ in range(size >> 20):
                file.write(os.urandom(1 << 20))
    place, with_tool = begin("undo", base, fill)
    # The first step writes caches of the existing files.
    with_tool.step()
    edit(place.work, [0], "first\n")
    with_tool.step()
    with_tool.collect()
    before, choose = with_tool.size(), random.Random(1)
    for number in range(100):
        with_tool.step()
        edit(place.work, choose.sample(range(1000), 3), f"step {number}\n")
    with_tool.step()
    grown = with_tool.size() - before
    with_tool.collect()
    return grown, max(0, with_tool.size() - before)


def measure(scale, rounds, work):
    """All figures of the tools that are there."""
    made = {figure: {} for figure in [*NOTHING, "back", "grown", "kept"]}
    for tool in TOOLS:
        base = os.path.join(work, f"steps-{tool}")
        for figure, count in NOTHING.items():
            if tool == "git" and figure == "step1m":
                continue
            made[figure][tool] = round(nothing(tool, base, int(count * scale), rounds), 5)
        made["back"][tool] = round(back(tool, base, int(20_000 * scale), rounds), 5)
        if tool == "undo":
            made["grown"][tool], made["kept"][tool] = growth(base, int(DATABASE * scale))
        shutil.rmtree(base)
        print(f"  steps with {tool}: { {figure: by_tool.get(tool) for figure, by_tool in made.items()} }", flush=True)
    return made


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--scale", type=float, default=1.0)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--work", default="/tmp/undo-steps")
    parser.add_argument("--json", metavar="FILE")
    chosen = parser.parse_args()
    made = measure(chosen.scale, chosen.rounds, chosen.work)
    for figure, by_tool in made.items():
        print(figure, by_tool)
    if chosen.json:
        with open(chosen.json, "w", encoding="utf-8") as file:
            json.dump(made, file, indent=1)


if __name__ == "__main__":
    main()
