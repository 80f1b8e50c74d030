#!/usr/bin/env python3
"""Reads a target of `undo` in a folder. Follows docs/targets.md and docs/format.md, to show that they are sufficient.

    read_target.py TARGET                   the directories in it, and their commits
    read_target.py TARGET COMMIT            a commit and every path that it holds
    read_target.py TARGET COMMIT FOLDER     creates FOLDER with the files of a commit
    read_target.py TARGET --check           reads and checks every pack, index, fold, commit and tree

COMMIT is an id or the beginning of one, the id of a directory, or `latest` if there is only one. The password or the recovery
words are in the environment variable UNDO_PASSWORD. Needs the Python packages `cryptography` (44 or newer) and `mnemonic`, and the
program `zstd`. Exit status 5: damage, 12: wrong password.
"""

import os
import sys

from read_repository import rfc3339, say, show_commit, show_paths
from reader.forms import Damaged
from reader.target import Target, WrongKey


def show_all(target):
    state = target.state
    say("target", entry=state.last[0], hash=state.last[1], packs=sorted(state.packs), indexes=len(state.indexes))
    for id, stream in state.streams.items():
        host, user, time = stream["writer"]
        values = {"id": id, "host": stream["host"], "path": stream["path"], "size": stream["size"]}
        say("directory", **values, **stream["view"], user=user, written_by=host, time=rfc3339(time))
        for id, commit in target.commits_of(stream):
            show_commit(id, commit)


def extract(target, stream, commit, folder):
    """Creates a folder with the files of a commit. Owners are set if root runs this, holes are zeros, purged files are left out."""
    root, dated = os.fsencode(folder), []
    os.mkdir(root, 0o700)
    first_of = {path: paths[0] for paths in target.links(commit["links"]) for path in paths[1:]}
    for path, entry in target.walk(commit):
        place = os.path.join(root, path) if path else root
        if path in first_of:
            os.link(os.path.join(root, first_of[path]), place)
            continue
        kind = entry["kind"]
        if kind == "directory" and path:
            os.mkdir(place, 0o700)
        elif kind == "symlink":
            os.symlink(entry["target"], place)
        elif kind == "fifo":
            os.mkfifo(place)
        elif kind == "file" and entry["blob"] in stream["view"]["purged"]:
            continue
        elif kind == "file":
            with open(place, "xb") as file:
                file.writelines(target.content(entry["blob"]))
        elif kind != "directory":
            print(f"skipped: {path!r} is a device", file=sys.stderr)
            continue
        dated.append((place, entry))
    for place, entry in reversed(dated):
        apply_metadata(target, place, entry)


def apply_metadata(target, place, entry):
    attributes, _ = target.attributes(entry["attributes"])
    if os.geteuid() == 0:
        os.chown(place, entry["uid"], entry["gid"], follow_symlinks=False)
    for name, value in attributes:
        os.setxattr(place, name, value, follow_symlinks=False)
    if entry["kind"] != "symlink":
        os.chmod(place, entry["mode"])
    seconds, nanoseconds = entry["mtime"]
    time = seconds * 10**9 + nanoseconds
    os.utime(place, ns=(time, time), follow_symlinks=False)


def check(target):
    """Reads everything. Returns counts."""
    counts = {"packs": len(target.state.packs), "objects": sum(map(target.check_pack, target.state.packs))}
    counts["folds"], commits, files = target.read_folds(), set(), set()
    for stream in target.state.streams.values():
        for id, commit in target.commits_of(stream):
            commits.add(id)
            for _, entry in target.walk(commit):
                target.attributes(entry["attributes"])
                blob = entry.get("blob")
                if blob and blob not in files and blob not in stream["view"]["purged"]:
                    files.add(blob)
                    for _ in target.content(blob):
                        pass
    return counts | {"commits": len(commits), "contents": len(files)}


def main(arguments):
    if len(arguments) not in (1, 2, 3) or "UNDO_PASSWORD" not in os.environ:
        print(__doc__, file=sys.stderr)
        return 2
    try:
        target = Target(arguments[0], os.environ["UNDO_PASSWORD"])
        if len(arguments) == 1:
            show_all(target)
        elif arguments[1] == "--check":
            say("checked", **check(target))
        else:
            stream, id = target.resolve(arguments[1])
            commit = target.commit(id)
            show_commit(id, commit)
            if len(arguments) == 3:
                extract(target, stream, commit, arguments[2])
            else:
                target.purged = stream["view"]["purged"]
                show_paths(target, commit)
    except (Damaged, UnicodeDecodeError, ValueError, FileNotFoundError) as error:
        print(f"damaged: {error}", file=sys.stderr)
        return 5
    except WrongKey as error:
        print(error, file=sys.stderr)
        return 12
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
