#!/usr/bin/env python3
"""Drives a history of many automatic commits, which undo thins as they come, and records how costs develop.

usage: benches/long.py [--commits 100000] [--files 1000] [--minutes 15] [--points 50] [--sync] [--work DIR] [--json FILE]

Before each commit one word changes in each of three of fifty hot files. `undo run -- true` then records the changes automatically. The
clock advances by `--minutes` for each commit. With a given clock undo starts no collection in the background, so the driver runs
`undo gc --auto` once a week. After every 1/50 of the commits, a line has

  commits    number of commits made, and kept      disk    bytes on disk by `du`, without the reserve
  stats      by how much `undo stats` differs from `du`, in percent
  run        median and longest seconds of the automatic commits since the last line
  gc         longest seconds of a collection
  log, status, stats       seconds                 memory  peak memory of all of these in MiB

Ends with status 1 if `stats` and `du` ever differ by more than 10 %, or if the median of the last tenth of the lines is more than 1.5 times
that of the second tenth, for `run` or the memory.
"""
import argparse
import datetime
import json
import os
import random
import shutil
import statistics
import subprocess
import sys
import tempfile

import history
import peers

START = datetime.datetime(2020, 1, 1, tzinfo=datetime.timezone.utc)
TOLERANCE, GROWTH = 10, 1.5


def written(time):
    """RFC 3339."""
    return time.isoformat().replace("+00:00", "Z")


def line(place, count, since, commands):
    made, collected = since
    took = {name: place.run([peers.PROGRAM, *argv]) for name, argv in commands.items()}
    stats = json.loads(place.ask([peers.PROGRAM, "stats", "--json"]).splitlines()[-1])
    disk, reserve = peers.size_of(os.path.join(place.work, ".undo")), stats["disk"]["reserve"]
    found = {
        "commits": count,
        "kept": stats["commits"]["kept"],
        "forgotten": stats["commits"]["forgotten"],
        "disk": disk - reserve,
        "stats_differs": round(100 * abs(stats["disk"]["total"] - disk) / (disk - reserve), 2),
        "run": round(statistics.median(one[0] for one in made), 5),
        "longest": round(max(one[0] for one in made), 5),
        "gc": round(max((one[0] for one in collected), default=0), 5),
        "memory": round(max(one[2] for one in [*made, *collected, *took.values()]), 1),
    }
    return found | {name: round(one[0], 5) for name, one in took.items()}


def drive(chosen, base):
    shutil.rmtree(base, ignore_errors=True)
    place = peers.Place(base)
    os.makedirs(place.work)
    hot, rng = history.fill(place.work, f"{max(1, chosen.files // 1000)}x{min(chosen.files, 1000)}"), random.Random(8)
    sync = [] if chosen.sync else ["--no-sync"]
    place.environment["UNDO_TIME"] = written(START)
    place.run([peers.PROGRAM, "init"])
    place.run([peers.PROGRAM, "commit", "-q", "-m", "first"])
    lines, made, collected, every = [], [], [], max(1, chosen.commits // chosen.points)
    commands = {"log": ["log", "-n", "20"], "status": ["status"], "stats": ["stats"]}
    for n in range(1, chosen.commits + 1):
        history.edit(hot, rng)
        place.environment["UNDO_TIME"] = written(START + n * datetime.timedelta(minutes=chosen.minutes))
        made.append(place.run([peers.PROGRAM, *sync, "run", "-q", "--", "true"]))
        if n % (7 * 24 * 60 // chosen.minutes) == 0:
            collected.append(place.run([peers.PROGRAM, *sync, "gc", "--auto", "-q"]))
        if n % every == 0:
            lines.append(line(place, n, (made, collected), commands))
            print(lines[-1], flush=True)
            made, collected = [], []
    subprocess.run([peers.PROGRAM, "verify"], cwd=place.work, env=place.environment, stdout=subprocess.DEVNULL, check=True)
    shutil.rmtree(base)
    return lines


def problems(lines):
    found = [f"after {one['commits']} commits, stats and du differ by {one['stats_differs']} %"
             for one in lines if one["stats_differs"] > TOLERANCE]
    tenth = max(1, len(lines) // 10)
    for figure in ("run", "memory"):
        early, late = (statistics.median(one[figure] for one in part) for part in (lines[tenth:2 * tenth] or lines, lines[-tenth:]))
        if late > GROWTH * early:
            found.append(f"{figure} has grown from {early} to {late}")
    return found


def main():
    parser = argparse.ArgumentParser(description="Drives a history of many automatic commits.")
    parser.add_argument("--commits", type=int, default=100_000)
    parser.add_argument("--files", type=int, default=1000)
    parser.add_argument("--minutes", type=int, default=15)
    parser.add_argument("--points", type=int, default=50)
    parser.add_argument("--sync", action="store_true", help="flush each commit, as without this driver")
    parser.add_argument("--work")
    parser.add_argument("--json")
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="undo-long-", dir=chosen.work) as folder:
        lines = drive(chosen, os.path.join(folder, "place"))
    if chosen.json:
        with open(chosen.json, "w", encoding="ascii") as file:
            json.dump({"commits": chosen.commits, "files": chosen.files, "minutes": chosen.minutes, "lines": lines}, file, indent=1)
    found = problems(lines)
    print("\n".join(found) or "costs are flat")
    sys.exit(bool(found))


if __name__ == "__main__":
    main()
