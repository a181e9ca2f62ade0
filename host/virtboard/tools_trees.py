# SPDX-License-Identifier: MIT
"""Unpacked trees, whole or known not to be: each has a stamp, written last, with its files."""

import contextlib
import hashlib
import json
import os
import re
import shutil
import tarfile
from pathlib import PurePosixPath

from virtboard.apt import Damaged
from virtboard.files import shown

STAMP = ".stamp"
LAYOUT = 1  # counts up when what is unpacked changes, so that older trees are replaced


def write_stamp(tree, **facts):
    """Record in an unpacked tree what it is and which files it has."""
    files = {
        str(path.relative_to(tree)): path.stat().st_size > 0
        for path in sorted(tree.rglob("*"))
        if path.is_file()
    }
    (tree / STAMP).write_text(json.dumps({**facts, "layout": LAYOUT, "files": files}))


def read_stamp(tree):
    """The facts of a whole tree.

    None if it is absent, half unpacked, of an older layout, or has lost or emptied a file.
    """
    try:
        stamp = json.loads((tree / STAMP).read_text())
        files = stamp["files"].items()
        whole = all(os.stat(tree / name).st_size or not filled for name, filled in files)
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None
    return stamp if whole and stamp.get("layout") == LAYOUT else None


def add_facts(tree, **facts):
    """Add to the facts of a whole tree."""
    stamp = json.loads((tree / STAMP).read_text())
    (tree / STAMP).write_text(json.dumps({**stamp, **facts}))


def swap(new, tree, scratch):
    """Put an unpacked tree in its place; what was there goes.

    `scratch` is a free path on the same disk.
    """
    tree.parent.mkdir(parents=True, exist_ok=True)
    shutil.rmtree(scratch, ignore_errors=True)
    with contextlib.suppress(FileNotFoundError):
        os.replace(tree, scratch)
    os.replace(new, tree)
    shutil.rmtree(scratch, ignore_errors=True)


def verify(path, sha256):
    """Raises Damaged unless the file has this SHA-256."""
    found = hashlib.sha256(path.read_bytes()).hexdigest()
    if found != sha256:
        raise Damaged(f"{path.name} has the SHA-256 {found}; it should be {sha256}")


def harmless(archive):
    """The members of a tarball. Damaged if one would lie, or lead, out of the folder.

    tarfile's own filter does the same, where Python has one.
    """
    links = set()
    for member in archive:
        name = PurePosixPath(member.name)
        ends = [name]
        if member.issym():
            ends.append(name.parent / member.linkname)
        elif member.islnk():
            ends.append(PurePosixPath(member.linkname))
        elif not member.isfile() and not member.isdir():
            raise Damaged(f"{shown(member.name)} is neither a file, a folder nor a link")
        for end in map(PurePosixPath, map(os.path.normpath, ends)):
            if end.is_absolute() or end.parts[:1] == ("..",):
                raise Damaged(f"{shown(member.name)} leads out of the folder")
        if not links.isdisjoint([name, *name.parents]):
            raise Damaged(f"{shown(member.name)} is behind a link")
        if member.issym():
            if member.linkname != os.path.normpath(member.linkname):
                raise Damaged(f"{shown(member.name)} may lead through another link")
            links.add(name)
        yield member


def unpack_source(tarballs, folder, scratch):
    """Unpack a source's tarballs: orig.tar becomes `folder`, orig-NAME.tar the folder NAME in it.

    Raises Damaged for a tarball that cannot be read.
    """
    for tarball in sorted(tarballs, key=lambda path: ".orig-" in path.name):
        component = re.search(r"\.orig(?:-([\w-]+))?\.tar", tarball.name).group(1)
        place = folder / component if component else folder
        shutil.rmtree(scratch, ignore_errors=True)
        scratch.mkdir(parents=True)
        try:
            with tarfile.open(tarball) as archive:
                safe = {"filter": "data"} if hasattr(tarfile, "data_filter") else {}
                archive.extractall(scratch, harmless(archive), **safe)
        except (OSError, Damaged):
            raise  # the disk's trouble, not the tarball's; or said already
        except Exception as problem:
            why = str(problem).partition("\n")[0]
            raise Damaged(f"{tarball.name} could not be unpacked ({shown(why)})") from None
        top = list(scratch.iterdir())
        shutil.rmtree(place, ignore_errors=True)
        os.replace(top[0] if len(top) == 1 and top[0].is_dir() else scratch, place)
