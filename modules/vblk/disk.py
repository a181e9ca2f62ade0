# SPDX-License-Identifier: MIT
"""The driver: one request at a time, through one buffer in the arena (VirtIO 1.3, 5.2).

A file system calls it in the middle of its own work, which would be left half done if Ctrl-C or a
scheduled function came in between: both may come at any jump. So readblocks(), writeblocks() and
ioctl() have no jump outside of a `with virt.lock`. They allocate nothing either (on 32 bits in the
first GiB of a disk): the collector closes forgotten files, and then the heap is locked.
"""

import errno
from machine import mem8
from micropython import const
from time import ticks_ms, ticks_diff
import virt
from virtio import dma, mmio
from virtio.device import Device, find
from virtio.undisturbed import Undisturbed

_ID = const(2)

_SIZE_MAX = const(1 << 1)
_RO = const(1 << 5)
_BLK_SIZE = const(1 << 6)
_FLUSH = const(1 << 9)

# Bytes of the configuration space (5.2.4).
_CAPACITY = const(0)
_SIZE_MAX_AT = const(8)
_BLK_SIZE_AT = const(20)

_T_IN = const(0)
_T_OUT = const(1)
_T_FLUSH = const(4)

_S_OK = const(0)
_S_UNSUPP = const(2)
_S_NONE = const(0xFF)  # no device writes that
_FAILURES = {_S_UNSUPP: "not supported", _S_NONE: "no status"}
_DOING = {_T_IN: "reading", _T_OUT: "writing", _T_FLUSH: "flushing"}

_SECTOR = const(512)  # the unit of capacity and of requests, whatever blk_size is

# The region: the header of a request, its status, its data.
_STATUS_AT = const(16)
_DATA_AT = const(512)
_DATA_MAX = const(16384)

_QUEUE_SIZE = const(8)  # descriptors: chains of 3, 3 and 2

_LIMIT_MS = const(10_000)  # for the answer to a request
_LOOK_MS = const(100)  # how often its status is looked at meanwhile

_SYNC = const(3)  # commands of ioctl()
_BLOCK_COUNT = const(4)
_BLOCK_SIZE = const(5)
_BLOCK_ERASE = const(6)


def open(base=None, block_size=None):
    """Return the Disk whose register page is at address `base`, or the first one.

    OSError(ENODEV) if there is none. block_size and other errors as Disk().
    """
    if base is None:
        transport = find(_ID)
        if transport is None:
            raise OSError(errno.ENODEV, "no virtio block device: start QEMU with one, DISK=FILE")
        return Disk(transport, block_size)
    for at, irq in mmio.slots():
        if at == base:
            transport = mmio.transport(at, irq)
            if transport.device_id == _ID:
                return Disk(transport, block_size)
    raise OSError(errno.ENODEV, "no virtio block device at %#x" % base)


class Disk(Device):
    """The block device behind `transport`, for vfs.mount() and the file systems' mkfs().

    block_size: bytes, a multiple of the device's own, which it is by default. littlefs wants the
    one that it was made with.

    Attributes: sectors, its capacity in units of 512 bytes; readonly.

    ValueError for another block_size; OSError as virtio.Device, and EIO for a device that says
    nonsense about its size.
    """

    def __init__(self, transport, block_size=None):
        self.region = dma.alloc(_DATA_AT + _DATA_MAX)
        try:
            super().__init__(transport, _SIZE_MAX | _RO | _BLK_SIZE | _FLUSH, (_QUEUE_SIZE,))
        except BaseException:
            dma.free(self.region)
            raise
        self.orphans.append(self.region)
        self.readonly = self.features & _RO != 0
        self._flushes = self.features & _FLUSH != 0 and not self.readonly
        try:
            self._configure(block_size)
            self._lay_out()
        except BaseException:
            self.close()
            raise

    def _lay_out(self):
        pa = self.region.pa
        header = (pa, _STATUS_AT, False)
        status = (pa + _STATUS_AT, 1, True)
        self._chains = chains = Undisturbed(self.queues[0])
        self._in = chains.chain(header, (pa + _DATA_AT, _DATA_MAX, True), status)
        self._out = chains.chain(header, (pa + _DATA_AT, _DATA_MAX, False), status)
        self._flush = chains.chain(header, status)
        self._status_va = self.region.va + _STATUS_AT  # on 32 bits an object: made once

    def _configure(self, block_size):
        config = self.transport.config
        low, high = config(_CAPACITY, 2)
        self.sectors = high << 32 | low
        unit = config(_BLK_SIZE_AT, 1)[0] if self.features & _BLK_SIZE else _SECTOR
        # A block's size must be a power of two that the buffer can hold.
        if not _SECTOR <= unit <= _DATA_MAX or unit & (unit - 1):
            raise OSError(errno.EIO, "disk: its blk_size is %d, not 512 to 16384" % unit)
        self._most = _DATA_MAX
        if self.features & _SIZE_MAX:
            size_max = config(_SIZE_MAX_AT, 1)[0]
            self._most = min(size_max, _DATA_MAX) & -unit
            if self._most == 0:
                raise OSError(errno.EIO, "disk: its size_max is %d, less than a block" % size_max)
        self._unit = unit
        if block_size is None:
            block_size = unit
        if block_size <= 0 or block_size % unit:
            raise ValueError("block_size %d is not a multiple of %d" % (block_size, unit))
        self.block_size = block_size
        # FAT and littlefs count blocks with 32 bits.
        self.blocks = min(self.sectors * _SECTOR // block_size, 0xFFFFFFFF)

    def __repr__(self):
        return "<Disk at %#x: %d blocks of %d bytes%s>" % (
            self.transport.base,
            self.blocks,
            self.block_size,
            ", read-only" if self.readonly else "",
        )

    # MicroPython's block device, both forms: without an offset whole blocks, with one any bytes.

    def readblocks(self, block, buf, offset=0):
        """Fill buf from byte `offset` of a block on. OSError(EIO), OSError(ETIMEDOUT)."""
        with virt.lock:
            at = self._range(block, buf, offset)
            n = virt.nbytes(buf)
            done = 0
            while done < n:
                skip = (at + done) % self._unit
                step = min(n - done, self._most - skip)
                self._read(at + done - skip, skip + step)
                virt.copy(buf, done, dma.arena, self.region.at + _DATA_AT + skip, step)
                done += step
        return 0

    def writeblocks(self, block, buf, offset=0):
        """Write buf from byte `offset` of a block on.

        OSError(EROFS) if the disk is read-only, OSError(EIO), OSError(ETIMEDOUT).
        """
        with virt.lock:
            if self.readonly:
                raise OSError(errno.EROFS, "disk is read-only")
            at = self._range(block, buf, offset)
            n = virt.nbytes(buf)
            done = 0
            while done < n:
                skip = (at + done) % self._unit
                step = min(n - done, self._most - skip)
                rest = -(skip + step) % self._unit
                if skip or rest:  # what lies around it in its first or last block is kept
                    self._read(at + done - skip, skip + step + rest)
                virt.copy(dma.arena, self.region.at + _DATA_AT + skip, buf, done, step)
                size = skip + step + rest
                self._chains.fit(self._out, size)
                self._request(_T_OUT, self._out, at + done - skip, 1)
                done += step
        return 0

    def ioctl(self, command, argument):
        """MicroPython's commands: 3 sync, 4 count of blocks, 5 their size, 6 erase (nothing).

        sync lets all that was written survive the end of QEMU, and of its host. OSError as
        writeblocks().
        """
        with virt.lock:
            if command == _SYNC:
                self.sync()
            elif command == _BLOCK_COUNT:
                return self.blocks
            elif command == _BLOCK_SIZE:
                return self.block_size
        return 0

    def sync(self):
        """Return when all that was written is where it survives (5.2.6.2). OSError(EIO)."""
        if self._flushes:
            with virt.lock:
                self._request(_T_FLUSH, self._flush, 0, 1)

    def _range(self, block, buf, offset):
        # The first byte on the disk. 5.2.6.1: no request goes beyond the capacity.
        at = block * self.block_size + offset
        if block < 0 or offset < 0 or at + virt.nbytes(buf) > self.sectors * _SECTOR:
            n = virt.nbytes(buf)
            raise OSError(errno.EIO, "disk: %d bytes at block %d do not lie on it" % (n, block))
        return at

    def _read(self, at, n):
        n += -n % self._unit
        self._chains.fit(self._in, n)
        self._request(_T_IN, self._in, at, n + 1)

    def _request(self, kind, head, at, length):
        # Make the request for byte `at`; the device has to write `length` bytes, the status last.
        queue = self.queues[0] if self.queues else None
        self.check()
        queue.reap()
        if queue.busy:  # a MemoryError came in between
            self.fail("disk: it still has a request")
        self.check()
        virt.store64(self.region.va, kind, at // _SECTOR)
        mem8[self._status_va] = _S_NONE
        queue.submit(head)
        self._await()
        queue.reap()  # it is the only chain that the device has
        self.check()
        status = mem8[self._status_va]
        if status != _S_OK:
            why = _FAILURES.get(status, "I/O error")
            raise OSError(
                errno.EIO, "disk: %s sector %d: %s" % (_DOING[kind], at // _SECTOR, why)
            )
        if queue.written[head] != length:
            raise OSError(
                errno.EIO,
                "disk: sector %d: %d bytes came, not %d"
                % (at // _SECTOR, queue.written[head], length),
            )

    def _await(self):
        start = ticks_ms()
        while not self._chains.sleep(_LOOK_MS):
            if self.transport.status() & mmio.NEEDS_RESET:
                self.fail("device at %#x needs a reset" % self.transport.base)
                self.check()
            if ticks_diff(ticks_ms(), start) > _LIMIT_MS:
                self.fail("disk: no answer in %d s" % (_LIMIT_MS // 1000))
                raise OSError(errno.ETIMEDOUT, self.error)
