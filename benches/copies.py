#!/usr/bin/env python3
"""Times copies elsewhere: undo, restic and rustic with the same S3 server, on the same data.

usage: benches/copies.py FOLDER --weed PROGRAM [--tools undo,restic,rustic] [--rounds N] [--latency MS] [--rate MBIT] [--work DIR] [--json FILE]

The server is SeaweedFS on this machine, new for each round of each tool. Each round has a fresh copy of the folder and does, in this
order:

  first     copies everything                           (undo: `commit` and `push`; the others: `backup`)
  nothing   the same, when nothing has changed
  small     the same, after a line was added to one file
  edit      the same, after a line was added to 1 % of the files, and 1 KiB put into the middle of each over 8 MiB
  restore   gets the newest state back on a machine that has only the URL and the password (undo: `clone`, all of the history)
  flush     waits until the restored files are on disk (`sync -f`; undo has waited already)

`--latency` adds milliseconds to each request, half of them before it and half of them before its answer; `--rate` limits the line in
each direction, in Mbit/s. Both stand between the tool and the server as a process of their own.

The result is {tool: {"steps": {step: [wall seconds, CPU seconds, peak memory in MiB, requests, bytes sent, bytes received]}, "exact":
whether restore brought back names, executable bits and bytes, "server": [seconds up, seconds down, seconds back]}}, each number the
median of the rounds. Requests are those that the server has counted, bytes are those of the line, counted with `--latency` or `--rate`
only. `server` is only for undo, and measured without it: how long curl takes to put as many random bytes into the server, and to read
them, in files of 32 MiB, four at a time; and how long it takes to read them into files while `cp -a` copies the folder, until both are
on disk. Without compression, encryption and hashes, that is the least work that leaves the history and the folder on a machine.
"""
import argparse
import asyncio
import json
import multiprocessing
import os
import re
import shutil
import socket
import statistics
import subprocess
import tempfile
import time
import urllib.request

import peers
from peers import PROGRAM, Place, edit, empty, files_in, settle, state, together

STEPS = ("first", "nothing", "small", "edit", "restore", "flush")
KEY, SECRET, BUCKET = "benchkey", "benchsecret", "bench"
#: Size of a pack of undo in bytes.
PACK = 32 << 20


def free_ports(count):
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [one.getsockname()[1] for one in sockets]
    for one in sockets:
        one.close()
    return ports


class Server:
    """SeaweedFS with an empty bucket."""

    def __init__(self, program, folder):
        os.makedirs(folder)
        configuration = os.path.join(folder, "s3.json")
        with open(configuration, "w", encoding="ascii") as file:
            json.dump({"identities": [{"name": "bench", "credentials": [{"accessKey": KEY, "secretKey": SECRET}],
                                       "actions": ["Admin", "Read", "Write", "List"]}]}, file)
        ports = free_ports(9)
        argv = [program, "-logtostderr=true", "server", "-ip=127.0.0.1", "-ip.bind=127.0.0.1", "-s3", "-s3.autoCreateBucket",
                "-master.volumeSizeLimitMB=512", "-volume.max=100", "-s3.port.iceberg=0", "-s3.port.lance=0",
                f"-dir={folder}", f"-s3.config={configuration}", f"-metricsPort={ports[8]}"]
        for number, name in enumerate(["master", "volume", "filer", "s3"]):
            argv += [f"-{name}.port={ports[2 * number]}", f"-{name}.port.grpc={ports[2 * number + 1]}"]
        self.port, self.metrics = ports[6], f"http://127.0.0.1:{ports[8]}/metrics"
        with open(os.path.join(folder, "log"), "wb") as log:
            self.process = subprocess.Popen(argv, stdout=log, stderr=log)
        self.wait(folder)

    def wait(self, folder):
        """Until a file can be written."""
        place = Place(os.path.join(folder, "probe"))
        os.makedirs(place.work)
        place.environment |= credentials()
        for _ in range(120):
            time.sleep(0.5)
            made = subprocess.run(["restic", "-q", "-r", f"s3:http://127.0.0.1:{self.port}/{BUCKET}/probe", "--no-cache", "init"],
                                  env=place.environment, capture_output=True, check=False)
            if made.returncode == 0:
                return
        raise SystemExit("SeaweedFS does not start: " + made.stderr.decode())

    def requests(self):
        """The number of requests so far."""
        with urllib.request.urlopen(self.metrics) as answer:
            text = answer.read().decode()
        return sum(int(float(line.split()[-1])) for line in text.splitlines() if line.startswith("SeaweedFS_s3_request_total"))

    def stop(self):
        self.process.kill()
        self.process.wait()


class Line(multiprocessing.Process):
    """Passes connections on to a server, late and at a limited rate."""

    def __init__(self, server, latency, rate):
        super().__init__(daemon=True)
        self.server, self.delay, self.rate = server, latency / 2000, rate * 1e6 / 8
        [self.port] = free_ports(1)
        self.sent, self.received = multiprocessing.Value("q", 0), multiprocessing.Value("q", 0)

    def run(self):
        asyncio.run(self.serve())

    async def serve(self):
        self.free = {self.sent: 0.0, self.received: 0.0}
        listener = await asyncio.start_server(self.accept, "127.0.0.1", self.port, limit=1 << 20)
        async with listener:
            await listener.serve_forever()

    async def accept(self, reader, writer):
        there, back = await asyncio.open_connection("127.0.0.1", self.server, limit=1 << 20)
        await asyncio.gather(self.carry(reader, back, self.sent), self.carry(there, writer, self.received))

    async def carry(self, reader, writer, count):
        """Chunks wait in a queue, so that what follows is not held up."""
        queue = asyncio.Queue(256)

        async def deliver():
            while (late := await queue.get()) is not None:
                due, chunk = late
                await asyncio.sleep(max(0, due - time.monotonic()))
                writer.write(chunk)
                await writer.drain()
            writer.close()

        delivery = asyncio.create_task(deliver())
        try:
            while chunk := await reader.read(1 << 18):
                count.value += len(chunk)
                now = time.monotonic()
                if self.rate:
                    now = self.free[count] = max(now, self.free[count]) + len(chunk) / self.rate
                await queue.put((now + self.delay, chunk))
        except ConnectionError:
            pass
        await queue.put(None)
        try:
            await delivery
        except ConnectionError:
            pass


def credentials():
    return {"AWS_ACCESS_KEY_ID": KEY, "AWS_SECRET_ACCESS_KEY": SECRET, "AWS_REGION": "us-east-1", "UNDO_PASSWORD": "x"}


class Undo:
    def __init__(self, place, endpoint):
        self.place, self.endpoint = place, endpoint

    def url(self):
        return [f"s3://{BUCKET}/undo", "--endpoint", self.endpoint]

    def make(self):
        self.place.run([PROGRAM, "init"])
        self.place.run([PROGRAM, "target", "add", "elsewhere", *self.url()])

    def copy(self):
        return together(self.place.run([PROGRAM, "commit", "-m", "a record"], fine=(0, 1)), self.place.run([PROGRAM, "push"]))

    def restore(self):
        os.rmdir(self.place.full)
        return self.place.run([PROGRAM, "clone", *self.url(), self.place.full], cwd=self.place.base)


    def stored(self):
        """Bytes in the target."""
        lines = self.place.ask([PROGRAM, "target", "show", "--json"]).splitlines()
        return json.loads(lines[-1])["bytes"]


class Restic:
    def __init__(self, place, endpoint):
        self.place, self.endpoint = place, endpoint

    def call(self, *argv):
        return ["restic", "-q", "-r", f"s3:{self.endpoint}/{BUCKET}/restic", *argv]

    def make(self):
        self.place.run(self.call("init"))

    def copy(self):
        return self.place.run(self.call("backup", "."))

    def restore(self):
        return self.place.run(self.call("restore", "latest", "--target", self.place.full))


class Rustic(Restic):
    def call(self, *argv):
        profile = os.path.join(self.place.base, "rustic")
        options = {"bucket": BUCKET, "root": "rustic", "endpoint": self.endpoint, "region": "us-east-1", "access_key_id": KEY,
                   "secret_access_key": SECRET}
        with open(profile + ".toml", "w", encoding="ascii") as file:
            file.write('[repository]\nrepository = "opendal:s3"\npassword = "x"\n[repository.options]\n')
            file.writelines(f'{name} = "{value}"\n' for name, value in options.items())
        return ["rustic", "-P", profile, "--no-progress", "--log-level", "warn", *argv]

    def restore(self):
        return self.place.run(self.call("restore", "latest", self.place.full))


TOOLS = {"undo": Undo, "restic": Restic, "rustic": Rustic}


def add_a_line(folder):
    """To one small file."""
    path = min(files_in(folder), key=os.path.getsize)
    with open(path, "ab") as file:
        file.write(b"a line more\n")


def server_alone(place, endpoint, count):
    """Seconds in which curl sends bytes to the server, and reads them."""
    urls = [f"{endpoint}/{BUCKET}/alone/{number}" for number in range(-(-count // PACK))]
    file = os.path.join(place.base, "pack")
    with open(file, "wb") as pack:
        pack.write(os.urandom(min(count, PACK)))
    fixed = ["curl", "--silent", "--fail", "--aws-sigv4", "aws:amz:us-east-1:s3", "--user", f"{KEY}:{SECRET}", "--parallel",
             "--parallel-max", "4", "--header", "x-amz-content-sha256: UNSIGNED-PAYLOAD"]
    up = [part for url in urls for part in ("--upload-file", file, url)]
    down = [part for url in urls for part in ("--output", "/dev/null", url)]
    taken = [place.run(fixed + up)[0], place.run(fixed + down)[0]]
    alone = os.path.join(place.base, "alone")
    os.makedirs(alone)
    kept = [part for number, url in enumerate(urls) for part in ("--output", os.path.join(alone, str(number)), url)]
    settle(place)
    script = 'cp -a "$0" "$1" & "${@:2}" && wait $! && sync -f "$1"'
    return [*taken, place.run(["bash", "-c", script, place.work, os.path.join(alone, "folder"), *fixed, *kept])[0]]


def one_round(tool, folder, base, chosen):
    shutil.rmtree(base, ignore_errors=True)
    place = Place(base)
    place.environment |= credentials()
    subprocess.check_call(["cp", "-a", folder, place.work])
    server = Server(chosen.weed, os.path.join(base, "server"))
    line, port = None, server.port
    if chosen.latency or chosen.rate:
        line = Line(port, chosen.latency, chosen.rate)
        line.start()
        port = line.port
    with_tool = TOOLS[tool](place, f"http://127.0.0.1:{port}")
    with_tool.make()
    took = {}

    def step(name, run):
        requests, sent, received = server.requests(), line and line.sent.value, line and line.received.value
        wall, cpu, peak = run()
        took[name] = [wall, cpu, peak, server.requests() - requests, line.sent.value - sent if line else 0,
                      line.received.value - received if line else 0]

    try:
        settle(place)
        step("first", with_tool.copy)
        step("nothing", with_tool.copy)
        add_a_line(place.work)
        settle(place)
        step("small", with_tool.copy)
        edit(place.work)
        settle(place)
        step("edit", with_tool.copy)
        os.makedirs(place.full)
        empty(place.environment["HOME"])
        step("restore", with_tool.restore)
        step("flush", lambda: place.run(["sync", "-f", place.full]))
        exact = state(place.full) == state(place.work)
        if tool == "undo":
            took["server"] = server_alone(place, f"http://127.0.0.1:{port}", with_tool.stored())
    finally:
        if line:
            line.kill()
        server.stop()
    shutil.rmtree(base)
    return took, exact


def compare(folder, chosen):
    """The tools in turn, round by round."""
    made = {tool: [] for tool in chosen.tools.split(",")}
    for number in range(chosen.rounds):
        for tool in made:
            made[tool].append(one_round(tool, os.path.abspath(folder), os.path.join(chosen.work, f"{tool}-{number}"), chosen))
            print(f"  round {number + 1} of {tool}", flush=True)
    return {tool: summary(of_tool) for tool, of_tool in made.items()}


def summary(made):
    middle = statistics.median
    steps = {step: [round(middle(one[0][step][k] for one in made), 5) for k in range(6)] for step in STEPS}
    alone = [one[0]["server"] for one in made if "server" in one[0]]
    server = {"server": [round(middle(one[k] for one in alone), 5) for k in range(3)]} if alone else {}
    return {"steps": steps, "exact": all(one[1] for one in made)} | server


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder")
    parser.add_argument("--weed", default=os.environ.get("UNDO_TEST_WEED", "weed"))
    parser.add_argument("--tools", default=",".join(TOOLS))
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--latency", type=float, default=0)
    parser.add_argument("--rate", type=float, default=0)
    parser.add_argument("--work", default=os.path.join(tempfile.gettempdir(), "undo-copies"))
    parser.add_argument("--json")
    chosen = parser.parse_args()
    result = compare(chosen.folder, chosen)
    for tool, of_tool in result.items():
        for step, (wall, cpu, peak, requests, sent, received) in of_tool["steps"].items():
            print(f"{tool:7} {step:8} {wall:8.3f} s  CPU {cpu:7.2f} s  {peak:5.0f} MiB  {requests:6.0f} requests  "
                  f"{sent / 2**20:8.2f} MiB up  {received / 2**20:8.2f} MiB down")
        print(f"{tool:7} {'exact' if of_tool['exact'] else 'NOT EXACT'}")
    if chosen.json:
        with open(chosen.json, "w", encoding="ascii") as file:
            json.dump(result, file, indent=1)


if __name__ == "__main__":
    main()
