#!/usr/bin/env python3
"""Measures undo beside other tools and writes what comes out: docs/performance/, and the figures in docs/performance.md and
README.md, which stand between `<!-- figures NAME -->` and `<!-- end -->`.

The whole thing, about an hour, as root on a machine that does nothing else:

    pip install matplotlib && cargo build --release --locked && python3 benches/report.py

A try in a few minutes: add `--scale 0.02 --rounds 1`. `--copies` measures copies in an S3 server instead, and needs SeaweedFS: the
path of its program `weed` in UNDO_TEST_WEED, where tests/run installs it; `--steps` measures the steps of agents. `--render` writes everything again from docs/performance/data.json,
`--check` only looks whether all figures are those of that file; a test does so. `--peers KIND=FILE` takes one side-by-side
measurement (the JSON of benches/peers.py) from a file.
"""
import argparse
import contextlib
import datetime
import hashlib
import json
import os
import platform
import re
import shutil
import subprocess
import sys
import tempfile

import copies
import corpus
import peers
import steps

ROOT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..")
FOLDER = os.path.join(ROOT, "docs", "performance")
DATA, COPIES, STEPS = (os.path.join(FOLDER, f"{name}.json") for name in ("data", "copies", "steps"))
TOLD = [os.path.join(ROOT, "docs", "performance.md"), os.path.join(ROOT, "README.md")]
MEMORY = "/dev/shm"
MAIN = "mixed"
GROWTH = {"commits": ("The next small record", "records so far"), "files": ("Status, nothing changed", "files in the folder"),
          "size": ("4 KiB of one file changed", "size of the file in MiB")}
STEP_NAMES = {"first": "first record", "status": "status", "again": "record again, nothing changed", "edit": "record after 1 % changed",
              "diff": "diff", "log": "log", "rollback": "roll back", "restat": "status after that", "full": "into an empty folder"}
#: Name → what lies between the tools and the server, in milliseconds and Mbit/s, and the folders that are copied.
LINES = {"on this machine": (0, 0, tuple(corpus.KINDS)), "with fifty ms for each request": (50, 0, (MAIN,)),
         "over a line of one gigabit": (0, 1000, ("large",))}
STEP_FIGURES = {"step20k": "a step, nothing changed, 20,000 files", "step1m": "a step, nothing changed, 1,000,000 files",
                "back": "taking back a step that changed 1,000 of 20,000 files",
                "grown": "100 steps of three edits beside a database of 5 GB: growth", "kept": "what remains after a garbage collection"}
COPY_STEPS = {"first": "first copy", "nothing": "again, nothing changed", "small": "one small file changed", "edit": "1 % changed",
              "restore": "back on another machine", "flush": "back, until it is on disk"}


@contextlib.contextmanager
def place_to_work(gibibytes):
    """An ext4 file system on an image in memory, and what to call it; without root, a temporary folder."""
    with tempfile.TemporaryDirectory(prefix="undo-bench-") as folder:
        if os.geteuid() != 0:
            kind = subprocess.check_output(["stat", "-f", "-c", "%T", folder], text=True).strip()
            yield folder, f"{kind} in {tempfile.gettempdir()}"
            return
        room = os.statvfs(MEMORY)
        if room.f_bavail * room.f_frsize < gibibytes << 30:
            sys.exit(f"{MEMORY} has no room for an image of {gibibytes} GiB; free some, or give a smaller one by --image")
        with tempfile.NamedTemporaryFile(dir=MEMORY, prefix="undo-bench-") as image:
            # A disk is there before it is written to: else who flushes waits for memory, and who does not is ahead.
            os.posix_fallocate(image.fileno(), 0, gibibytes << 30)
            options = "nodiscard,lazy_itable_init=0,lazy_journal_init=0"
            subprocess.run(["mkfs.ext4", "-q", "-F", "-i", "8192", "-E", options, image.name], check=True)
            subprocess.run(["mount", "-o", "loop", image.name, folder], check=True)
            try:
                yield folder, "ext4 on an image in memory"
            finally:
                subprocess.run(["umount", folder], check=True)


def machine(file_system):
    def field(path, name):
        with open(path, encoding="utf-8") as file:
            return next(line.split(":", 1)[1].strip() for line in file if line.startswith(name))
    memory = int(field("/proc/meminfo", "MemTotal").split()[0]) >> 20
    return {"processor": field("/proc/cpuinfo", "model name"), "cores": os.cpu_count(), "memory": f"{memory} GiB",
            "kernel": platform.release(), "file system": file_system, "date": datetime.date.today().isoformat()}


def measure(chosen):
    import growth
    versions = {tool: peers.version_of(tool) for tool in peers.TOOLS}
    tools = [tool for tool in chosen.tools.split(",") if versions.get(tool)]
    data = {"scale": chosen.scale, "rounds": chosen.rounds, "versions": {tool: versions[tool] for tool in tools},
            "skipped": [tool for tool in peers.TOOLS if tool not in tools], "folders": {}, "peers": {}, "growth": {}}
    given = dict(pair.split("=", 1) for pair in chosen.peers)
    with place_to_work(chosen.image) as (work, file_system):
        data["machine"] = machine(file_system)
        for kind in corpus.KINDS:
            print(f"{kind}: {corpus.KINDS[kind]}", flush=True)
            folder, place = os.path.join(work, kind), os.path.join(work, "place")
            data["folders"][kind] = corpus.make(kind, chosen.scale, folder)
            if kind in given:
                with open(given[kind], encoding="utf-8") as file:
                    data["peers"][kind] = json.load(file)
            else:
                data["peers"][kind] = peers.compare(folder, tools, chosen.rounds, place)
            shutil.rmtree(folder)
            keep(data)
        curves = {"commits": growth.by_commits, "files": growth.by_files, "size": growth.by_size}
        for name, curve in curves.items():
            print(GROWTH[name][0], flush=True)
            data["growth"][name] = curve([tool for tool in tools if tool != "cp"], chosen.scale, os.path.join(work, "place"))
            keep(data)


def measure_copies(chosen):
    tools = [tool for tool in copies.TOOLS if peers.version_of(tool)]
    data = {"scale": chosen.scale, "rounds": chosen.rounds, "versions": {tool: peers.version_of(tool) for tool in tools}, "lines": {}}
    with place_to_work(chosen.image) as (work, file_system):
        data["machine"] = machine(file_system)
        for kind in corpus.KINDS:
            folder = os.path.join(work, kind)
            files = corpus.make(kind, chosen.scale, folder)
            for line, (latency, rate, kinds) in LINES.items():
                if kind in kinds:
                    print(f"{kind} {line}", flush=True)
                    how = argparse.Namespace(weed=os.environ["UNDO_TEST_WEED"], tools=",".join(tools), rounds=chosen.rounds, latency=latency,
                                             rate=rate, work=os.path.join(work, "place"))
                    data["lines"].setdefault(line, {})[kind] = files | {"tools": copies.compare(folder, how)}
                    keep(data, COPIES)
            shutil.rmtree(folder)


def measure_steps(chosen):
    data = {"scale": chosen.scale, "rounds": chosen.rounds, "versions": {tool: peers.version_of(tool) for tool in steps.TOOLS}}
    with place_to_work(chosen.image) as (work, file_system):
        data["machine"] = machine(file_system)
        data["figures"] = steps.measure(chosen.scale, chosen.rounds, work)
    keep(data, STEPS)


def keep(data, path=DATA):
    """Also of a run that is not done yet: what was measured in an hour must not be lost."""
    os.makedirs(FOLDER, exist_ok=True)
    with open(path, "w", encoding="utf-8") as file:
        json.dump(data, file, indent=1)
        file.write("\n")


def seconds(value):
    return f"{value:.1f} s" if value >= 10 else f"{value:.2f} s" if value >= 1 else f"{value * 1000:.0f} ms" if value >= 0.01 else f"{value * 1000:.1f} ms"


def times(ratio):
    return f"{ratio:.0f}" if ratio >= 10 else f"{ratio:.1f}" if ratio >= 1 else f"{ratio:.2f}"


def table(head, rows):
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines).replace("| --- ", "|---").replace("---| ", "---|").replace("--- |", "---|")


def wall(tools, tool, step):
    taken = tools[tool]["steps"].get(step)
    return taken and taken[0]


def ratios(data):
    """(how many times as long as undo, kind, step, tool, seconds, seconds of undo) for all that can be compared."""
    for kind, tools in data["peers"].items():
        for tool in tools:
            for step in peers.STEPS:
                own, other = wall(tools, "undo", step), wall(tools, tool, step)
                if tool != "undo" and own and other:
                    yield other / own, kind, step, tool, other, own


def how(data):
    rows = [[name, str(value)] for name, value in data["machine"].items()]
    rows += [["versions", ", ".join(f"{tool} {version}" for tool, version in data["versions"].items())]]
    rows += [["not installed, so not measured", ", ".join(data["skipped"]) or "none"]]
    rows += [["rounds", str(data["rounds"])], ["scale of the folders", f"{data['scale']:g}"]]
    return table(["what", "value"], rows)


def about(data, kind):
    folder = data["folders"][kind]
    return f"{folder['files']:,} files, {folder['bytes'] / 2**20:,.0f} MiB"


def side_by_side(data, kind):
    tools = data["peers"][kind]

    def cell(tool, step):
        value, own = wall(tools, tool, step), wall(tools, "undo", step)
        if value is None:
            return "–"
        return f"**{seconds(value)}**" if tool == "undo" else f"{seconds(value)} ×{times(value / own)}" if own else seconds(value)
    rows = [[STEP_NAMES[step], *(cell(tool, step) for tool in tools)] for step in peers.STEPS]
    for name, step in [("CPU, first record", "first"), ("CPU, roll back", "rollback")]:
        rows.append([name, *(seconds(tools[tool]["steps"][step][1]) for tool in tools)])
    rows.append(["peak memory, first record", *(f"{tools[tool]['steps']['first'][2]:.0f} MiB" for tool in tools)])
    rows.append(["repository after it", *(f"{tools[tool]['repo'] / 2**20:.1f} MiB" for tool in tools)])
    rows.append(["grown by 1 % changed", *(f"{tools[tool]['edit'] / 2**20:.2f} MiB" for tool in tools)])
    rows.append(["all came back", *("yes" if tools[tool]["exact"] else "no" for tool in tools)])
    return f"{about(data, kind)}: {corpus.KINDS[kind]}.\n\n" + table([kind, *tools], rows)


def behind(data):
    slower = sorted(found for found in ratios(data) if found[0] < 1)
    if not slower:
        return "In this run no tool was faster than undo in any step that both have."
    rows = [[kind, STEP_NAMES[step], tool, seconds(other), seconds(own), f"×{times(ratio)}"] for ratio, kind, step, tool, other, own in slower]
    return table(["folder", "step", "tool", "its time", "undo", "ratio"], rows)


def grown(data, name):
    found = data["growth"][name]
    points = sorted({x for curve in found.values() for x, _ in curve})
    rows = [[f"{x:,}", *(seconds(dict(map(tuple, curve))[x]) if x in dict(map(tuple, curve)) else "–" for curve in found.values())] for x in points]
    return table([GROWTH[name][1], *found], rows)


def fast(data):
    """For the README: three steps of one folder, with the tools that people know best."""
    tools = data["peers"][MAIN]
    known = [tool for tool in ("git", "restic", "borg") if tool in tools]
    lines = [f"A folder of {about(data, MAIN)}, undo {data['versions']['undo']}:", ""]
    for step, words in [("first", "the first commit"), ("edit", "a commit after 1 % of the files changed"), ("rollback", "rolling back")]:
        own = wall(tools, "undo", step)
        others = ", ".join(f"{tool} {times(wall(tools, tool, step) / own)} times" for tool in known)
        lines.append(f"* {words}: {seconds(own)}; {others} as long")
    return "\n".join(lines)


def copied(data, line):
    tables = []
    for kind, found in data["lines"][line].items():
        tools = found["tools"]

        def taken(tool, step):
            wall, _, _, requests, *_ = tools[tool]["steps"][step]
            before = taken(tool, "restore") if step == "flush" else (0, 0)
            return wall + before[0], requests + before[1]

        def cell(tool, step):
            wall, requests = taken(tool, step)
            ratio = "" if tool == "undo" else f" ×{times(wall / taken('undo', step)[0])}"
            shown = f"**{seconds(wall)}**" if tool == "undo" else seconds(wall)
            return f"{shown}{ratio}, {requests:.0f}"
        rows = [[name, *(cell(tool, step) for tool in tools)] for step, name in COPY_STEPS.items()]
        for name, step in [("CPU, first copy", "first"), ("CPU, back", "restore")]:
            rows.append([name, *(seconds(of_tool["steps"][step][1]) for of_tool in tools.values())])
        rows.append(["peak memory", *(f"{max(of_step[2] for of_step in of_tool['steps'].values()):.0f} MiB" for of_tool in tools.values())])
        rows.append(["all came back", *("yes" if of_tool["exact"] else "no" for of_tool in tools.values())])
        up, down, back = (seconds(value) for value in tools["undo"]["server"])
        tables.append(f"{kind}: {found['files']:,} files, {found['bytes'] / 2**20:,.0f} MiB. `curl` alone needs {up} to put as many random "
                      f"bytes as undo stores into the server, and {down} to read them. Reading them into files while `cp -a` copies the "
                      f"folder, until both are on disk, takes {back}.\n\n" + table([kind, *tools], rows))
    return "\n\n".join(tables)


def busy(data):
    """How much of a limited line the first copy and the way back use."""
    rows = []
    for line, kinds in data["lines"].items():
        rate = LINES[line][1] * 1e6 / 8
        for kind, found in kinds.items():
            for tool, of_tool in found["tools"].items():
                (wall, *_, sent, _), (back, *_, received) = of_tool["steps"]["first"], of_tool["steps"]["restore"]
                if rate:
                    rows.append([kind, tool, f"{sent / 2**20:,.0f} MiB", f"{sent / wall / rate:.0%}", f"{received / back / rate:.0%}"])
    return table(["folder", "tool", "sent by the first copy", "of the line used", "of the line used on the way back"], rows)


def conditions(data):
    about_it = data["machine"] | {"versions": ", ".join(f"{tool} {version}" for tool, version in data["versions"].items()),
                                  "rounds": data["rounds"], "scale of the folders": f"{data['scale']:g}"}
    return table(["what", "value"], [[name, str(value)] for name, value in about_it.items()])


def step_blocks():
    data = read(STEPS)
    if not data:
        return {}
    rows = []
    for figure, name in STEP_FIGURES.items():
        found = [data["figures"][figure].get(tool) for tool in data["versions"]]
        show = (lambda value: f"{value / 1e6:.2f} MB") if figure in ("grown", "kept") else seconds
        rows.append([name, *("–" if value is None else show(value) for value in found)])
    return {"steps how": conditions(data), "steps": table(["step", *data["versions"]], rows)}


def copy_blocks():
    data = read(COPIES)
    if not data:
        return {}
    made = {"copies how": conditions(data)}
    made |= {f"copies {line}": copied(data, line) for line in data["lines"]}
    return made | {"copies busy": busy(data)}


def blocks(data):
    others = copy_blocks() | step_blocks()
    if not data:
        return others
    made = {"how": how(data), "behind": behind(data), "fast": fast(data)}
    made |= {f"folder {kind}": side_by_side(data, kind) for kind in data["peers"]}
    return made | {f"growth {name}": grown(data, name) for name in data["growth"]} | others


def filled(text, made):
    def block(found):
        lines = [f"<!-- figures {found[1]} -->", made.get(found[1]), "<!-- end -->"]
        return "\n".join(line for line in lines if line is not None)
    return re.sub(r"<!-- figures ([a-z ]+) -->\n.*?<!-- end -->", block, text, flags=re.DOTALL)


def charts_of(data):
    """File name → what draws it."""
    def drawn_bars(kind):
        def draw(path, stamp):
            import charts
            charts.bars(data["peers"][kind], f"{kind}: {about(data, kind)}", path, stamp)
        return draw

    def drawn_curves(name):
        def draw(path, stamp):
            import charts
            charts.curves(data["growth"][name], *GROWTH[name], path, stamp)
        return draw
    made = {chart_name(kind): drawn_bars(kind) for kind in data.get("peers", ())}
    return made | {f"growth-{name}.svg": drawn_curves(name) for name in data.get("growth", ())}


def chart_name(kind):
    return "peers.svg" if kind == MAIN else f"peers-{kind}.svg"


def read(path):
    """What was measured. Nothing, where nothing has been measured."""
    if not os.path.exists(path):
        return {}
    with open(path, encoding="utf-8") as file:
        return json.load(file)


def load():
    """What was measured, and a mark of it. Nothing, where nothing has been measured."""
    if not os.path.exists(DATA):
        return {}, ""
    with open(DATA, "rb") as file:
        text = file.read()
    return json.loads(text), hashlib.sha256(text).hexdigest()


def render():
    data, stamp = load()
    for path in TOLD:
        with open(path, encoding="utf-8") as file:
            text = file.read()
        with open(path, "w", encoding="utf-8") as file:
            file.write(filled(text, blocks(data)))
    for name, draw in charts_of(data).items():
        if not is_drawn(name, stamp):
            draw(os.path.join(FOLDER, name), stamp)


def is_drawn(name, stamp):
    path = os.path.join(FOLDER, name)
    if not os.path.exists(path):
        return False
    with open(path, encoding="utf-8") as file:
        return f"figures {stamp}" in file.read()


def check():
    """What does not agree with the data; nothing is written."""
    data, stamp = load()
    made, wrong, used = blocks(data), [], set()
    for path in TOLD:
        with open(path, encoding="utf-8") as file:
            text = file.read()
        used |= set(re.findall(r"<!-- figures ([a-z ]+) -->", text))
        if filled(text, made) != text:
            wrong.append(f"{os.path.relpath(path, ROOT)}: figures that are not those of docs/performance/data.json")
    wrong += [f"docs/performance.md: no place for the figures `{name}`" for name in sorted(set(made) - used)]
    names = [chart_name(kind) for kind in data.get("peers", ())] + [f"growth-{name}.svg" for name in data.get("growth", ())]
    return wrong + [f"docs/performance/{name}: drawn from other figures" for name in names if not is_drawn(name, stamp)]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--scale", type=float, default=1.0)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--tools", default=",".join(peers.TOOLS))
    parser.add_argument("--image", type=int, default=8, help="GiB of the file system in memory")
    parser.add_argument("--peers", action="append", default=[], metavar="KIND=FILE")
    parser.add_argument("--copies", action="store_true")
    parser.add_argument("--steps", action="store_true")
    parser.add_argument("--render", action="store_true")
    parser.add_argument("--check", action="store_true")
    chosen = parser.parse_args()
    if chosen.check:
        wrong = check()
        sys.exit("\n".join(wrong + ["run `python3 benches/report.py --render`"]) if wrong else 0)
    if chosen.copies:
        measure_copies(chosen)
    elif chosen.steps:
        measure_steps(chosen)
    elif not chosen.render:
        import charts  # noqa: F401  before an hour of measuring, not after it
        measure(chosen)
    render()


if __name__ == "__main__":
    main()
