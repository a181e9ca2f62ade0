# SPDX-License-Identifier: MIT
"""What others made: files and folders that may be anything, text that may hold anything."""

import os
import stat
from pathlib import Path

from virtboard import VirtboardError

ENTRIES_MAX = 20_000  # files and folders in a folder; links can make many of few
DEPTH_MAX = 32  # of them inside each other


def read_file(path, limit):
    """The bytes of a file, `limit` of them at most.

    VirtboardError if it is larger, or a device, a FIFO, a socket or a folder, which might be read
    for ever. OSError if it cannot be opened.
    """
    # Without O_NONBLOCK it would wait here for somebody to write to a FIFO.
    with open(os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC), "rb") as file:
        status = os.fstat(file.fileno())
        if not stat.S_ISREG(status.st_mode):
            raise VirtboardError(f"{path} is not a file that can be read to its end")
        if status.st_size > limit:
            size = f"{status.st_size / 2**20:.1f} MiB"
            raise VirtboardError(f"{path} has {size}, {limit >> 20} MiB are the most")
        return file.read(status.st_size)


def tree(folder, where, left_out=()):
    """All in a folder, by name: the Path of a file, or the same again of a folder.

    A link is what it leads to, wherever that is. VirtboardError, saying that it cannot go into
    `where`, for what is neither file nor folder, for circles, and for more than ENTRIES_MAX or
    deeper than DEPTH_MAX. OSError if it cannot be read. Names in `left_out` are.
    """
    left = ENTRIES_MAX

    def look(folder, parents):
        nonlocal left
        found = {}
        for path in sorted(folder.iterdir(), key=lambda path: path.name):
            if path.name in left_out:
                continue
            left -= 1
            if left < 0 or len(parents) > DEPTH_MAX:
                limits = f"{ENTRIES_MAX} entries, {DEPTH_MAX - 1} folders in each other"
                raise refused(path, where, f"{limits} are the most")
            if path.is_dir():
                if path.resolve() in parents:
                    raise refused(path, where, "it links to a folder around it")
                found[path.name] = look(path, (*parents, path.resolve()))
            elif path.is_file():
                found[path.name] = path
            else:
                raise refused(path, where, "it is neither a file nor a folder")
        return found

    return look(Path(folder), (Path(folder).resolve(),))


def refused(path, where, why):
    return VirtboardError(f"{shown(str(path))} cannot go into {where}: {why}")


def shown(text, width=200):
    """The beginning of a line from elsewhere, for a message: what is no character is escaped."""
    line = "".join(c if c.isprintable() else ascii(c)[1:-1] for c in text[:width])
    return line + ("..." if len(text) > width else "")
