# SPDX-License-Identifier: MIT
"""The board's disk: an image, made on first use, or a folder of this computer."""

import os
from pathlib import Path

from virtboard import VirtboardError
from virtboard.files import tree

IMAGE_BYTES = 64 << 20  # of a new image; it is sparse, and the board makes a FAT file system on it
SECTOR = 512
FOLDER_BYTES = 504 << 20  # what QEMU's vvfat can show, about


def prepare(disk):
    """Makes the image if there is none. VirtboardError if `disk` cannot be the board's disk."""
    if not str(disk):
        raise VirtboardError("DISK= is empty: name an image or a folder, or leave DISK= out")
    disk = Path(disk)
    if disk.is_dir():
        try:
            size = size_of(tree(disk, "/disk"))
        except OSError as error:
            raise VirtboardError(f"cannot read {error.filename}: {error.strerror}") from None
        if size > FOLDER_BYTES:
            raise VirtboardError(f"DISK={disk} has {size >> 20} MiB: QEMU shows a folder of 504")
        return
    if disk.exists() and not disk.is_file():
        raise VirtboardError(f"DISK={disk} is neither an image nor a folder")
    try:
        if not disk.exists() or disk.stat().st_size == 0:
            with open(disk, "ab") as image:
                image.truncate(IMAGE_BYTES)
    except OSError as error:
        raise VirtboardError(f"cannot make the disk image {disk}: {error.strerror}") from None
    if disk.stat().st_size < SECTOR:
        raise VirtboardError(f"DISK={disk} is no disk image: it has less than {SECTOR} bytes")


def size_of(entries):
    """The bytes of all files in a files.tree()."""
    each = entries.values()
    return sum(size_of(e) if isinstance(e, dict) else e.stat().st_size for e in each)


def options(disk):
    """QEMU's options for it. A folder, and an image that may not be written, are read-only."""
    name = str(disk).replace(",", ",,")
    if Path(disk).is_dir():
        node = f"driver=vvfat,node-name=disk,read-only=on,dir={name}"
    else:
        read_only = "off" if os.access(disk, os.W_OK) else "on"
        node = f"driver=file,node-name=disk,read-only={read_only},filename={name}"
    # Or QEMU would stop the machine when this computer's disk is full, and say nothing.
    return ["-blockdev", node, "-device", "virtio-blk-device,drive=disk,werror=report"]
