#!/usr/bin/env python3
"""Reads a repository of `undo`. Written from docs/format.md alone, to prove that the document is sufficient.

    read_repository.py REPOSITORY           the state, the operations and the commits
    read_repository.py REPOSITORY COMMIT    a commit (id, branch or tag) and every path that it holds
    read_repository.py REPOSITORY --check   reads and checks every object, list, index and catalog

REPOSITORY is `.undo`. One JSON object a line. Bytes that are not UTF-8 come as `*_hex`. Only the standard library is
used, so zstd frames need the program `zstd`. Exit status 5: damage.
"""

import hashlib
import json
import sys
from datetime import datetime, timedelta, timezone

from reader.checks import check_all
from reader.forms import Damaged, must
from reader.repository import Repository


def shown(values):
    """Converts values without a JSON form: ids to hex, bytes that are not UTF-8 to hex under another key."""
    out = {}
    for key, value in values.items():
        if key in ("name", "path", "target") and isinstance(value, bytes):
            try:
                out[key] = value.decode()
            except UnicodeDecodeError:
                out[key + "_hex"] = value.hex()
        elif value is not None:
            out[key.hex() if isinstance(key, bytes) else key] = plain(value)
    return out


def plain(value):
    if isinstance(value, bytes):
        return value.hex()
    if isinstance(value, dict):
        return shown(value)
    return [plain(one) for one in value] if isinstance(value, (list, tuple, set)) else value


def say(type, **values):
    print(json.dumps({"type": type} | shown(values)))


def rfc3339(time):
    seconds, nanoseconds = time
    return f"{datetime.fromtimestamp(0, timezone.utc) + timedelta(seconds=seconds):%Y-%m-%dT%H:%M:%S}.{nanoseconds:09}Z"


def show_log(repository):
    journal = repository.journal
    say("state", **journal.view, packs=sorted(journal.packs), operation=journal.newest, intent=journal.intent)
    for operation in journal.operations:
        say("operation", **operation | {"time": rfc3339(operation["time"])})
    for id, commit in repository.commits():
        show_commit(id, commit)


def show_commit(id, commit):
    uncovered = [{"reason": reason, "path": path} for reason, path in commit["uncovered"]]
    torn = [{"path": path} for path in commit["torn"]]
    say("commit", id=id, **commit | {"time": rfc3339(commit["time"]), "uncovered": uncovered, "torn": torn})


def show_paths(repository, commit):
    groups = repository.links(commit["links"])
    numbers = {path: number for number, paths in enumerate(groups) for path in paths}
    for path, entry in repository.walk(commit):
        attributes, holes = repository.attributes(entry["attributes"])
        values = {"path": path} | entry | {"links": numbers.get(path), "holes": holes}
        values["attributes"] = [{"name": name, "value": value} for name, value in attributes]
        if entry["kind"] == "file" and entry["blob"] in repository.purged:
            values["purged"] = True
        elif entry["kind"] == "file":
            size, hash = 0, hashlib.sha256()
            for part in repository.content(entry["blob"]):
                size += len(part)
                hash.update(part)
            must(size == entry["size"], "a file of another size")
            values["sha256"] = hash.hexdigest()
        say("entry", **values)


def main(arguments):
    if len(arguments) not in (1, 2):
        print(__doc__, file=sys.stderr)
        return 2
    try:
        repository = Repository(arguments[0])
        if len(arguments) == 1:
            show_log(repository)
        elif arguments[1] == "--check":
            say("checked", **check_all(repository))
        else:
            id = repository.resolve(arguments[1])
            commit = repository.commit(id)
            show_commit(id, commit)
            show_paths(repository, commit)
    except (Damaged, UnicodeDecodeError, ValueError) as error:
        print(f"damaged: {error}", file=sys.stderr)
        return 5
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
