#!/usr/bin/env python3
"""Times undo and other tools side by side: the same work on the same data.

usage: benches/peers.py FOLDER [--tools undo,git,…] [--rounds N] [--work DIR] [--json FILE]

Each round of each tool has a fresh copy of the folder and does, in this order:

  first     makes a repository and records everything
  status    what has changed, when nothing has            (tools that have it)
  again     records again, when nothing has changed
  edit      records after a line was added to 1 % of the files, and 1 KiB put into the middle of each over 8 MiB
  diff      names of what differs between the first record and this one
  log       the list of records
  rollback  records what is there and brings back the first record, after 5 % of the files were deleted
  restat    status after that                             (tools that have it)
  full      writes the first record into an empty folder

The result is {tool: {"steps": {step: [wall seconds, CPU seconds, peak memory in MiB]}, "repo": bytes after `first`,
"edit": bytes that `edit` added, "exact": whether rollback and full brought back names, kinds, executable bits and bytes}},
each number the median of the rounds.
"""
import argparse
import hashlib
import json
import os
import random
import shutil
import statistics
import subprocess
import tempfile
import time

STEPS = ("first", "status", "again", "edit", "diff", "log", "rollback", "restat", "full")
REPOSITORIES = (".undo", ".git")
PROGRAM = os.environ.get("UNDO", os.path.join(os.path.dirname(__file__), "..", "target", "release", "undo"))
LARGE = 8 << 20


def environment(home):
    """Nothing of the user's settings; no password to ask for; git does not tidy up behind our back."""
    kept = {name: os.environ[name] for name in ("PATH", "LANG") if name in os.environ}
    who = {f"GIT_{role}_{what}": f"bench@{what}" for role in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")}
    git = {"GIT_CONFIG_NOSYSTEM": "1", "GIT_CONFIG_COUNT": "2", "GIT_CONFIG_KEY_0": "gc.auto", "GIT_CONFIG_VALUE_0": "0",
           "GIT_CONFIG_KEY_1": "maintenance.auto", "GIT_CONFIG_VALUE_1": "false"}
    yes = {f"BORG_{what}_ACCESS_IS_OK": "yes" for what in ("UNKNOWN_UNENCRYPTED_REPO", "RELOCATED_REPO")}
    return kept | who | git | yes | {"HOME": home, "RESTIC_PASSWORD": "x", "RUSTIC_PASSWORD": "x"}


class Place:
    """The folder that a tool records, and where it keeps its records."""

    def __init__(self, base):
        self.base = base
        self.work, self.store, self.full = (os.path.join(base, name) for name in ("work", "store", "full"))
        self.environment = environment(os.path.join(base, "home"))
        os.makedirs(self.environment["HOME"])

    def run(self, argv, cwd=None, fine=(0,)):
        """One process: wall seconds, CPU seconds, peak memory in MiB."""
        note = os.path.join(self.base, "memory")
        measured = ["/usr/bin/time", "-q", "-o", note, "-f", "%M"] if os.path.exists("/usr/bin/time") else []
        with open(os.path.join(self.base, "errors"), "w+b") as errors:
            start = time.perf_counter()
            process = subprocess.Popen(measured + argv, cwd=cwd or self.work, env=self.environment, stdin=subprocess.DEVNULL,
                                       stdout=subprocess.DEVNULL, stderr=errors)
            _, status, usage = os.wait4(process.pid, 0)
            wall = time.perf_counter() - start
            process.returncode = os.waitstatus_to_exitcode(status)
            if process.returncode not in fine:
                errors.seek(0)
                raise SystemExit(f"{argv} ended with {process.returncode}\n{errors.read().decode()[-2000:]}")
        peak = 0
        if measured:
            with open(note, encoding="ascii") as file:
                peak = int(file.read().split()[-1]) / 1024
        return wall, usage.ru_utime + usage.ru_stime, peak

    def ask(self, argv):
        return subprocess.check_output(argv, cwd=self.work, env=self.environment)


def together(*runs):
    return sum(run[0] for run in runs), sum(run[1] for run in runs), max(run[2] for run in runs)


class Undo:
    """Rolls back in place, and records what is unsaved by itself."""
    argv, version = [PROGRAM], "--version"

    def __init__(self, place):
        self.place = place
        self.repository = os.path.join(place.work, ".undo")

    def make(self):
        return self.place.run([PROGRAM, "init"])

    def record(self):
        return self.place.run([PROGRAM, "commit", "-m", "a record"])

    def status(self):
        return self.place.run([PROGRAM, "status"])

    def records(self):
        lines = [json.loads(line) for line in self.place.ask([PROGRAM, "log", "--json"]).splitlines()]
        return [line["id"] for line in reversed(lines) if line["type"] == "commit"]

    def diff(self, old, new):
        return self.place.run([PROGRAM, "diff", "--name-status", old, new])

    def log(self):
        return self.place.run([PROGRAM, "log"])

    def rollback(self, record):
        return self.place.run([PROGRAM, "checkout", record])

    def write(self, record):
        return self.place.run([PROGRAM, "export", record, self.place.full])


class Git:
    """A record is `add -A` and `commit`."""
    argv, version = ["git"], "--version"

    def __init__(self, place):
        self.place = place
        self.repository = os.path.join(place.work, ".git")

    def make(self):
        return self.place.run(["git", "init", "-q"])

    def record(self):
        added = self.place.run(["git", "add", "-A"])
        return together(added, self.place.run(["git", "commit", "-q", "--allow-empty", "-m", "a record"]))

    def status(self):
        return self.place.run(["git", "status", "--porcelain"])

    def records(self):
        return self.place.ask(["git", "rev-list", "--reverse", "HEAD"]).decode().split()

    def diff(self, old, new):
        return self.place.run(["git", "diff", "--name-status", old, new])

    def log(self):
        return self.place.run(["git", "log", "--oneline"])

    def rollback(self, record):
        return together(self.record(), self.place.run(["git", "checkout", "-q", record]))

    def write(self, record):
        return self.place.run(["git", "worktree", "add", "-q", self.place.full, record])


class Restic:
    """Restores in place; what was added later stays."""
    argv, version = ["restic"], "version"
    quiet, into = ["-q"], ["--target"]

    def __init__(self, place):
        self.place, self.repository = place, place.store

    def call(self, *argv):
        return [*self.argv, *self.quiet, "-r", self.repository, "--cache-dir", self.repository + ".cache", *argv]

    def make(self):
        return self.place.run(self.call("init"))

    def record(self):
        return self.place.run(self.call("backup", "."))

    def records(self):
        found = []

        def gather(value):
            if isinstance(value, dict) and "tree" in value and "id" in value:
                found.append((value["time"], value["id"]))
            elif isinstance(value, (dict, list)):
                for inner in value.values() if isinstance(value, dict) else value:
                    gather(inner)

        gather(json.loads(self.place.ask(self.call("snapshots", "--json"))))
        return [name for _, name in sorted(found)]

    def diff(self, old, new):
        return self.place.run(self.call("diff", old, new))

    def log(self):
        return self.place.run(self.call("snapshots"))

    def restore(self, record, folder, *more):
        return self.place.run(self.call("restore", *more, record, *self.into, folder), fine=(0, 1))

    def rollback(self, record):
        return together(self.record(), self.restore(record, self.place.work))

    def write(self, record):
        return self.restore(record, self.place.full)


class Rustic(Restic):
    """As restic, whose repositories it shares; deletes what was added later."""
    argv, version = ["rustic"], "--version"
    quiet, into = ["--no-progress", "--log-level", "warn"], []

    def rollback(self, record):
        return together(self.record(), self.restore(record, self.place.work, "--delete"))


class Borg:
    """Cannot restore in place: writes everything into the emptied folder."""
    argv, version = ["borg"], "--version"

    def __init__(self, place):
        self.place, self.repository, self.made = place, place.store, []

    def make(self):
        return self.place.run(["borg", "init", "-e", "none", self.repository])

    def record(self):
        self.made.append(f"record-{len(self.made)}")
        return self.place.run(["borg", "create", f"{self.repository}::{self.made[-1]}", "."])

    def records(self):
        return self.made

    def diff(self, old, new):
        return self.place.run(["borg", "diff", f"{self.repository}::{old}", new])

    def log(self):
        return self.place.run(["borg", "list", self.repository])

    def rollback(self, record):
        saved = self.record()
        empty(self.place.work)
        return together(saved, self.place.run(["borg", "extract", f"{self.repository}::{record}"]))

    def write(self, record):
        return self.place.run(["borg", "extract", f"{self.repository}::{record}"], self.place.full)


class Copy:
    """A whole copy for each record, flushed: what a careful person without tools does. Saves nothing before it rolls back."""
    argv, version = ["cp"], "--version"

    def __init__(self, place):
        self.place, self.repository, self.made = place, place.store, []

    def make(self):
        os.makedirs(self.repository)
        return 0.0, 0.0, 0.0

    def record(self):
        self.made.append(os.path.join(self.repository, str(len(self.made))))
        copied = self.place.run(["cp", "-a", "--reflink=auto", ".", self.made[-1]])
        return together(copied, self.place.run(["sync", "-f", self.repository]))

    def records(self):
        return self.made

    def rollback(self, record):
        empty(self.place.work)
        return self.place.run(["cp", "-a", record + "/.", self.place.work])

    def write(self, record):
        return self.place.run(["cp", "-a", record + "/.", self.place.full])


TOOLS = {"undo": Undo, "git": Git, "restic": Restic, "rustic": Rustic, "borg": Borg, "cp": Copy}


def version_of(tool):
    """The version of a tool, or nothing where it is not installed."""
    program = TOOLS[tool].argv[0]
    if not shutil.which(program):
        return None
    said = subprocess.run([program, TOOLS[tool].version], capture_output=True, text=True, check=True).stdout
    return next((word for word in said.split() if word[:1].isdigit()), said.strip())


def empty(folder):
    shutil.rmtree(folder)
    os.makedirs(folder)


def files_in(folder):
    found = []
    for at, below, names in os.walk(folder):
        below[:] = sorted(name for name in below if name not in REPOSITORIES)
        found += [os.path.join(at, name) for name in sorted(names) if name not in REPOSITORIES]
    return found


def edit(folder):
    files = files_in(folder)
    for path in random.Random(11).sample(files, -(-len(files) // 100)):
        with open(path, "ab") as file:
            file.write(b"a line more\n")
    for path in files:
        if (size := os.path.getsize(path)) > LARGE:
            with open(path, "r+b") as file:
                file.seek(size // 2)
                rest = file.read()
                file.seek(size // 2)
                file.write(random.Random(size).randbytes(1024) + rest)


def damage(folder):
    files = files_in(folder)
    for path in random.Random(12).sample(files, -(-len(files) // 20)):
        os.unlink(path)


def state(folder):
    """What every tool here promises to bring back."""
    found = {}
    for path in files_in(folder):
        with open(path, "rb") as file:
            found[os.path.relpath(path, folder)] = (os.stat(path).st_mode & 0o111, hashlib.file_digest(file, "sha1").digest())
    return found


def size_of(folder):
    return int(subprocess.check_output(["du", "-s", "-B1", folder]).split()[0])


def settle(place):
    """Everything on disk, and older than what tools hold to be racy."""
    subprocess.check_call(["sync", "-f", place.base])
    time.sleep(1.1)


def one_round(tool, folder, base):
    shutil.rmtree(base, ignore_errors=True)
    place = Place(base)
    subprocess.check_call(["cp", "-a", folder, place.work])
    settle(place)
    before = state(place.work)
    with_tool = TOOLS[tool](place)
    took = {"first": together(with_tool.make(), with_tool.record())}
    repository = size_of(with_tool.repository)
    if hasattr(with_tool, "status"):
        took["status"] = with_tool.status()
    took["again"] = with_tool.record()
    edit(place.work)
    settle(place)
    size = size_of(with_tool.repository)
    took["edit"] = with_tool.record()
    grown = size_of(with_tool.repository) - size
    records = with_tool.records()
    if hasattr(with_tool, "diff"):
        took["diff"] = with_tool.diff(records[0], records[-1])
        took["log"] = with_tool.log()
    damage(place.work)
    took["rollback"] = with_tool.rollback(records[0])
    exact = state(place.work) == before
    if hasattr(with_tool, "status"):
        took["restat"] = with_tool.status()
    if tool not in ("undo", "git"):
        os.makedirs(place.full)
    took["full"] = with_tool.write(records[0])
    exact = exact and state(place.full) == before
    shutil.rmtree(base)
    return took, repository, grown, exact


def compare(folder, tools, rounds, work):
    """The tools in turn, round by round."""
    made = {tool: [] for tool in tools}
    for number in range(rounds):
        for tool in tools:
            made[tool].append(one_round(tool, os.path.abspath(folder), os.path.join(work, f"{tool}-{number}")))
            print(f"  round {number + 1} of {tool}", flush=True)
    return {tool: summary(of_tool) for tool, of_tool in made.items()}


def summary(made):
    middle = statistics.median
    steps = {step: [round(middle(one[0][step][k] for one in made), 5) for k in range(3)] for step in STEPS if step in made[0][0]}
    repository, grown = (int(middle(one[k] for one in made)) for k in (1, 2))
    return {"steps": steps, "repo": repository, "edit": grown, "exact": all(one[3] for one in made)}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder")
    parser.add_argument("--tools", default=",".join(TOOLS))
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--work", default=os.path.join(tempfile.gettempdir(), "undo-peers"))
    parser.add_argument("--json")
    chosen = parser.parse_args()
    tools = [tool for tool in chosen.tools.split(",") if version_of(tool)]
    result = compare(chosen.folder, tools, chosen.rounds, chosen.work)
    for tool, of_tool in result.items():
        cells = "  ".join(f"{step} {taken[0]:.3f} s" for step, taken in of_tool["steps"].items())
        print(f"{tool:7} {cells}  {of_tool['repo'] / 2**20:.1f} MiB  {'exact' if of_tool['exact'] else 'NOT EXACT'}")
    if chosen.json:
        with open(chosen.json, "w", encoding="ascii") as file:
            json.dump(result, file, indent=1)


if __name__ == "__main__":
    main()
