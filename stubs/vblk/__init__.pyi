# SPDX-License-Identifier: MIT
"""Disks: the virtio block device (VirtIO 1.3, 5.2) as a block device of MicroPython."""

from .disk import Disk as Disk, open as open

def mount(path: str) -> Disk:
    """Mount the board's first disk at `path`, chdir() there, and add its lib to sys.path.

    A disk on which nothing was ever written gets a FAT file system. Otherwise FAT or littlefs 2
    has to be on it: OSError(ENODEV) if not. A disk that is read-only is mounted so.
    Returns the vblk.Disk.
    """
