# SPDX-License-Identifier: MIT
"""Disks: the virtio block device (VirtIO 1.3, 5.2) as a block device of MicroPython.

The board calls mount("/disk") when it starts with such a device; disk is the driver.
"""

import errno
import os
import struct
import sys
import vfs
from .disk import Disk, open

_MAGIC = b"littlefs"
_NONE = "neither FAT nor littlefs 2 on the disk, or damaged"


def mount(path):
    """Mount the board's first disk at `path`, chdir() there, and add its lib to sys.path.

    A disk on which nothing was ever written gets a FAT file system. Otherwise FAT or littlefs 2
    has to be on it: OSError(ENODEV) if not. A disk that is read-only is mounted so.
    Returns the vblk.Disk.
    """
    disk = open()
    try:
        first = bytearray(1024)
        disk.readblocks(0, first, 0)
        if first[8:16] == _MAGIC:
            # The superblock, behind its name: version, size of a block, number of them.
            size = struct.unpack("<I", first[24:28])[0]
            if not size or size % disk.block_size:
                raise OSError(errno.ENODEV, _NONE)
            if size != disk.block_size:
                disk.close()
                disk = open(block_size=size)
        elif not any(first) and not disk.readonly:
            vfs.VfsFat.mkfs(disk)
        try:
            vfs.mount(disk, path, readonly=disk.readonly)
        except OSError as e:
            if e.errno != errno.ENODEV:
                raise
            raise OSError(errno.ENODEV, _NONE)
    except BaseException:
        disk.close()
        raise
    os.chdir(path)
    sys.path.append(path + "/lib")
    return disk
