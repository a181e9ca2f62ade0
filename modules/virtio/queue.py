# SPDX-License-Identifier: MIT
"""The split virtqueue (VirtIO 1.3, 2.7).

    descriptor table   16 bytes each    written by the driver
    available ring     6 + 2 * size     written by the driver: heads for the device
    used ring          6 + 8 * size     written by the device: heads it is done with

A chain is laid out once, with chain(), and then submitted as often as wanted. While
it is submitted it is the device's, its head is in `busy`, and neither its descriptors
nor its buffers may be touched. reap() takes it back.

What the device writes is not trusted: a used entry is copied, checked against the
private tables here, and only then believed. Anything wrong breaks the queue for good
(until the device is reset), and `fail` is told what it was.
"""

import errno
from machine import mem16, mem32
from micropython import const
import struct
import virt
from . import dma

_DESC_F_NEXT = const(1)
_DESC_F_WRITE = const(2)
_DESC_F_INDIRECT = const(4)
_USED_F_NO_NOTIFY = const(1)

INDIRECT_DESC = const(1 << 28)
EVENT_IDX = const(1 << 29)

_ALIGN = const(4096)
_TABLE = const(4)  # descriptors of an indirect table
_IN_ORDER = range(_TABLE)


class Queue:
    """Queue `index` of the device behind `transport`, with `size` descriptors (a power of two).

    The three parts lie in one block as legacy devices want it (2.7.2); modern ones do not mind.

    Of the negotiated `features` two matter here. With EVENT_IDX the device says at which index
    it wants to be kicked, and is told at which one to interrupt. With INDIRECT_DESC a chain
    takes one descriptor, which points to a small table of its own behind the rings.
    """

    def __init__(self, transport, index, size, features, fail):
        self.index = index
        self.size = size
        self.event_idx = bool(features & EVENT_IDX)
        self.indirect = bool(features & INDIRECT_DESC)
        self.fail = fail
        used = (18 * size + 6 + _ALIGN - 1) & ~(_ALIGN - 1)
        tables = (used + 6 + 8 * size + 15) & ~15
        n = tables + 16 * _TABLE * size if self.indirect else tables
        self.region = region = dma.alloc(n, _ALIGN)
        self.avail_va = region.va + 16 * size  # flags, idx, ring, used_event
        self.used_va = region.va + used  # flags, idx, ring, avail_event
        self._tables = tables
        self.notify_va = transport.notify_va
        self._next = 0  # avail.idx, free-running mod 65536
        self._last = 0  # used.idx up to which entries were taken, likewise
        self._quiet = 0  # chains submitted since the last kick, or look whether one is wanted
        self.batch = 0  # interrupts wanted at one in batch + 1 returns, a power of two
        # The driver's own record of what it gave away: the descriptor table is not trusted.
        self._chains = {}  # by head: descriptor numbers, bytes the device may write
        self._unused = 0  # descriptors from here on were never in a chain
        self._free = []  # descriptors that were
        self.busy = {}  # the chains that the device owns, by head: who is told when it is back
        self.written = {}  # by head: bytes that the device wrote, at its last return
        self.cycles = []  # see Cycle
        try:
            transport.set_queue(index, size, region.pa, region.pa + 16 * size, region.pa + used)
        except OSError:
            dma.free(region)  # the device was not told of it
            raise

    def chain(self, *parts):
        """Lay out a chain of (pa, bytes, writable) parts and return its head.

        Parts that the device reads come first (2.7.4.2). OSError(ENOSPC) if descriptors run out.
        """
        n = len(parts)
        pack = struct.pack_into
        arena = dma.arena
        region = self.region
        at = region.at
        va = region.va
        if self.indirect and 1 < n <= _TABLE:
            owned = self._take(1)
            head = owned[0]
            table = self._tables + 16 * _TABLE * head
            pack(
                "<QIHH", arena, at + 16 * head, region.pa + table, 16 * n, _DESC_F_INDIRECT, 0
            )
            at += table
            va += table
            numbers = _IN_ORDER
        else:
            owned = numbers = self._take(n)
            head = owned[0]
        vas = []
        writable = 0
        i = 0
        for pa, size, write in parts:
            offset = 16 * numbers[i]
            i += 1
            flags = 0
            if write:
                flags = _DESC_F_WRITE
                writable += size
            if i < n:
                pack("<QIHH", arena, at + offset, pa, size, flags | _DESC_F_NEXT, numbers[i])
            else:
                pack("<QIHH", arena, at + offset, pa, size, flags, 0)
            vas.append(va + offset)
        self._chains[head] = owned, vas, writable
        return head

    def _take(self, n):
        if n <= self.size - self._unused:
            self._unused += n
            return range(self._unused - n, self._unused)
        if n > len(self._free):
            raise OSError(
                errno.ENOSPC, "queue %d: all %d descriptors are in use" % (self.index, self.size)
            )
        numbers = self._free[:n]
        del self._free[:n]
        return numbers

    def pointer_va(self, head, part):
        """Where the 64-bit device address of a chain's part stands."""
        return self._chains[head][1][part]

    def repoint(self, head, part, pa):
        """Let part number `part` of a chain that is not submitted lie at another address."""
        va = self.pointer_va(head, part)
        mem32[va] = pa & 0xFFFFFFFF
        mem32[va + 4] = pa >> 32

    def resize(self, head, read, write):
        """Give a chain of two parts that is not submitted the lengths `read` and `write` bytes."""
        owned, (read_va, write_va), _ = self._chains[head]
        mem32[read_va + 8] = read
        mem32[write_va + 8] = write
        self._chains[head] = owned, (read_va, write_va), write

    def discard(self, head):
        """Give the descriptors of a chain back. It must not be submitted."""
        self._free.extend(self._chains.pop(head)[0])

    def submit(self, head, owner=None, kick=True):
        """Hand the chain to the device, and kick it if it wants to be (2.7.13).

        When the chain is back, owner.back(head, bytes that the device wrote) is called; without
        an owner the bytes are left in `written`.
        """
        self.busy[head] = owner
        idx = self._next
        mem16[self.avail_va + 4 + 2 * (idx & (self.size - 1))] = head
        self._next = (idx + 1) & 0xFFFF
        virt.store16(self.avail_va + 2, self._next)
        self._quiet += 1
        if kick:
            self.kick(self._next - self._quiet, self._quiet)

    def kick(self, idx, n):
        """Kick the device if it wants that for the `n` chains submitted from `idx` on (2.7.13)."""
        if self.event_idx:
            wanted = (mem16[self.used_va + 4 + 8 * self.size] - idx) & 0xFFFF < n
        else:
            wanted = not mem16[self.used_va] & _USED_F_NO_NOTIFY
        self._quiet = 0
        if wanted:
            mem32[self.notify_va] = self.index

    def reap(self):
        """Take back every chain that the device has used, in whatever order."""
        while self._last != virt.load16(self.used_va + 2):
            entry = virt.load64(self.used_va + 4 + 8 * (self._last & (self.size - 1)))
            head = entry & 0xFFFFFFFF
            length = entry >> 32
            if head not in self.busy:
                self.fail(
                    "queue %d: device returned chain %d, which is not its" % (self.index, head)
                )
                return
            limit = self._chains[head][2]
            if length > limit:
                self.fail(
                    "queue %d: device wrote %d bytes to a chain that takes %d"
                    % (self.index, length, limit)
                )
                return
            owner = self.busy.pop(head)
            self._last = (self._last + 1) & 0xFFFF
            self.wake_after(self._last)  # before the loop looks again: nothing gets lost (2.7.7.1)
            if owner is None:
                self.written[head] = length
            else:
                owner.back(head, length)

    def post(self, region, n, owner):
        """Submit as many buffers of `n` bytes, for the device to write, as there are descriptors.

        They fill `region`; chain number i has the one at byte n * i. The queue must be new.
        """
        size = self.size
        pack = struct.pack_into
        at = self.region.at
        pa = region.pa
        record = (), (), n  # these chains are never discarded
        for i in range(size):
            pack("<QIHH", dma.arena, at, pa, n, _DESC_F_WRITE, 0)
            at += 16
            pa += n
            self._chains[i] = record
            self.busy[i] = owner
        self._unused = size
        self.begin_cycle(range(size))
        self._next = size
        virt.store16(self.avail_va + 2, size)
        self.kick(0, size)

    def wake_after(self, taken):
        """Ask for an interrupt one return, or up to `batch` more, after entry `taken`."""
        if self.event_idx:
            virt.store16(self.avail_va + 4 + 2 * self.size, taken | self.batch)

    # A Cycle that is alone on the queue takes the rings over and keeps both indexes by itself.

    def begin_cycle(self, heads):
        """Fill the available ring with `heads` over and over; return a count for both indexes."""
        ring = struct.pack("<%dH" % len(heads), *heads) * (self.size // len(heads))
        self.region.store(ring, self.avail_va + 4 - self.region.va)
        return self._next

    def catch_up(self, submitted, returned):
        """Let the indexes be what the Cycle made of them, modulo 65536. Nothing is busy."""
        self._next = submitted & 0xFFFF
        self._last = returned & 0xFFFF
        self.busy.clear()

    def free(self):
        """Return the rings to the arena. The device must have been reset."""
        dma.free(self.region)
        self.busy.clear()  # whoever still looks at the rings believes nothing that stands there
