# SPDX-License-Identifier: MIT
"""The driver: one request at a time, through one buffer in the arena (VirtIO 1.3, 5.2)."""

from _typeshed import ReadableBuffer, WriteableBuffer
from virtio.device import Device
from virtio.dma import Region
from virtio.mmio import MMIO

def open(base: int | None = None, block_size: int | None = None) -> Disk:
    """Return the Disk whose register page is at address `base`, or the first one.

    OSError(ENODEV) if there is none. block_size and other errors as Disk().
    """

class Disk(Device):
    """The block device behind `transport`, for vfs.mount() and the file systems' mkfs().

    block_size: bytes, a multiple of the device's own, which it is by default. littlefs wants the
    one that it was made with.

    Attributes: sectors, its capacity in units of 512 bytes; readonly.

    ValueError for another block_size; OSError as virtio.Device, and EIO for a device that says
    nonsense about its size.
    """

    region: Region
    readonly: bool
    sectors: int
    blocks: int
    block_size: int
    def __init__(self, transport: MMIO, block_size: int | None = None) -> None: ...
    def readblocks(self, block: int, buf: WriteableBuffer, offset: int = 0) -> int:
        """Fill buf from byte `offset` of a block on. OSError(EIO), OSError(ETIMEDOUT)."""
    def writeblocks(self, block: int, buf: ReadableBuffer, offset: int = 0) -> int:
        """Write buf from byte `offset` of a block on.

        OSError(EROFS) if the disk is read-only, OSError(EIO), OSError(ETIMEDOUT).
        """
    def ioctl(self, command: int, argument: int) -> int:
        """MicroPython's commands: 3 sync, 4 count of blocks, 5 their size, 6 erase (nothing).

        sync lets all that was written survive the end of QEMU, and of its host. OSError as
        writeblocks().
        """
    def sync(self) -> None:
        """Return when all that was written is where it survives (5.2.6.2). OSError(EIO)."""
