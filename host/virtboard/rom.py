# SPDX-License-Identifier: MIT
"""Packs a folder of this computer into the ROMFS image that the guest sees as /rom."""

from pathlib import Path

from mpremote.romfs import VfsRomWriter

from virtboard import VirtboardError
from virtboard.files import read_file, refused, tree
from virtboard.romfs import FLASH_BYTES

LEFT_OUT = ("__pycache__", ".git")


def pack(folder):
    """The image (bytes) of a folder and all in it, but for `__pycache__` and `.git`.

    Sources stay sources. Names are sorted, so the same files always give the same image.
    VirtboardError if the folder cannot be read, is too large, or holds a name that cannot work or
    something that files.tree() refuses.
    """
    if not str(folder):
        raise VirtboardError("ROM= is empty: name a folder, or leave ROM= out")
    folder = Path(folder)
    if not folder.is_dir():
        wrong = "is not a folder" if folder.exists() else "does not exist"
        raise VirtboardError(f"ROM={folder} {wrong}: name the folder that holds main.py")
    writer = VfsRomWriter()
    try:
        add(writer, tree(folder, "/rom", LEFT_OUT), FLASH_BYTES)
    except OSError as error:
        raise VirtboardError(f"cannot read {error.filename}: {error.strerror}") from None
    image = writer.finalise()
    if len(image) > FLASH_BYTES:
        raise too_large(folder)
    return image


def add(writer, entries, room):
    """Adds what a folder has (files.tree()), with room for so many bytes. Returns what is left."""
    for name, entry in entries.items():
        if not name.isascii():
            raise refused(name, "/rom", "its name must be ASCII")
        if isinstance(entry, dict):
            writer.opendir(name)
            room = add(writer, entry, room)
            writer.closedir()
            continue
        if entry.stat().st_size > room:
            raise too_large(entry)
        data = read_file(entry, FLASH_BYTES)
        room -= len(data)
        writer.mkfile(name, data)
    return room


def too_large(path):
    limit = f"{FLASH_BYTES >> 20} MiB"
    return VirtboardError(f"ROM= is larger than the {limit} of flash, {path} no longer fits")


def write_image(folder, image):
    """Packs a folder into the file `image`. Returns its size in bytes."""
    data = pack(folder)
    try:
        return Path(image).write_bytes(data)
    except OSError as error:
        raise VirtboardError(f"cannot write {image}: {error.strerror}") from None
