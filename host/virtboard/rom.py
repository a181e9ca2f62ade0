# SPDX-License-Identifier: MIT
"""Packs a folder of this computer into the ROMFS image that the guest sees as /rom."""

from pathlib import Path

from mpremote.romfs import VfsRomWriter

from virtboard import VirtboardError

FLASH_BYTES = 32 << 20  # what the machine `virt` has for it
LEFT_OUT = ("__pycache__", ".git")


def pack(folder):
    """The image (bytes) of a folder and all in it, but for `__pycache__` and `.git`.

    Sources stay sources. Names are sorted, so the same files always give the same image.
    VirtboardError if the folder cannot be read, is too large or holds a name that cannot work.
    """
    if not str(folder):
        raise VirtboardError("ROM= is empty: name a folder, or leave ROM= out")
    folder = Path(folder)
    if not folder.is_dir():
        wrong = "is not a folder" if folder.exists() else "does not exist"
        raise VirtboardError(f"ROM={folder} {wrong}: name the folder that holds main.py")
    writer = VfsRomWriter()
    try:
        add_folder(writer, folder, (folder.resolve(),), FLASH_BYTES)
    except OSError as error:
        raise VirtboardError(f"cannot read {error.filename}: {error.strerror}") from None
    image = writer.finalise()
    if len(image) > FLASH_BYTES:
        raise too_large(folder)
    return image


def add_folder(writer, folder, parents, room):
    """Adds all in a folder, `parents` (itself included) being open. Returns the bytes left."""
    for path in sorted(folder.iterdir(), key=lambda path: path.name):
        if path.name in LEFT_OUT:
            continue
        if not path.name.isascii():
            raise VirtboardError(f"{str(path)!r} cannot go into /rom: its name must be ASCII")
        if path.is_dir():
            if path.resolve() in parents:
                raise VirtboardError(f"{path} cannot go into /rom: it links to a folder around it")
            writer.opendir(path.name)
            room = add_folder(writer, path, (*parents, path.resolve()), room)
            writer.closedir()
        elif path.is_file():
            room -= path.stat().st_size
            if room < 0:
                raise too_large(path)
            writer.mkfile(path.name, path.read_bytes())
        else:
            raise VirtboardError(f"{path} cannot go into /rom: it is neither a file nor a folder")
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
