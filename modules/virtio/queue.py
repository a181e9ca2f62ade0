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
_USED_F_NO_NOTIFY = const(1)

_ALIGN = const(4096)


class Queue:
    """Queue `index` of the device behind `transport`, with `size` descriptors (a power of two).

    The three parts lie in one block as legacy devices want it (2.7.2); modern ones do not mind.

    With `event_idx` VIRTIO_F_EVENT_IDX was negotiated: the device says at which index it
    wants to be kicked, and is told at which one to interrupt.
    """

    def __init__(self, transport, index, size, event_idx, fail):
        self.index = index
        self.size = size
        self.event_idx = event_idx
        self.fail = fail
        used = (18 * size + 6 + _ALIGN - 1) & ~(_ALIGN - 1)
        self.region = region = dma.alloc(used + 6 + 8 * size, _ALIGN)
        self.avail_va = region.va + 16 * size  # flags, idx, ring, used_event
        self.used_va = region.va + used  # flags, idx, ring, avail_event
        self.notify_va = transport.notify_va
        self._next = 0  # avail.idx, free-running mod 65536
        self._last = 0  # used.idx up to which entries were taken, likewise
        # The driver's own record of what it gave away: the descriptor table is not trusted.
        self._chains = {}  # by head: [descriptor numbers], bytes the device may write
        self._unused = 0  # descriptors from here on were never in a chain
        self._free = []  # descriptors that were
        self.busy = {}  # by head: nothing; the chains that the device owns
        self.taken = False  # by a Cycle
        self.written = {}  # by head: bytes that the device wrote, at its last return
        transport.set_queue(index, size, region.pa, region.pa + 16 * size, region.pa + used)

    def chain(self, *parts):
        """Lay out a chain of (pa, bytes, writable) parts and return its head.

        Parts that the device reads come first (2.7.4.2). OSError(ENOSPC) if descriptors run out.
        """
        numbers = self._take(len(parts))
        writable = 0
        i = 0
        last = len(parts) - 1
        for pa, n, write in parts:
            flags = _DESC_F_NEXT if i < last else 0
            if write:
                flags |= _DESC_F_WRITE
                writable += n
            at = self.region.at + 16 * numbers[i]
            i += 1
            struct.pack_into("<QIHH", dma.arena, at, pa, n, flags, numbers[i] if i <= last else 0)
        self._chains[numbers[0]] = numbers, writable
        return numbers[0]

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
        return self.region.va + 16 * self._chains[head][0][part]

    def repoint(self, head, part, pa):
        """Let part number `part` of a chain that is not submitted lie at another address."""
        va = self.pointer_va(head, part)
        mem32[va] = pa & 0xFFFFFFFF
        mem32[va + 4] = pa >> 32

    def resize(self, head, read, write):
        """Give a chain of two parts that is not submitted the lengths `read` and `write` bytes."""
        numbers = self._chains[head][0]
        va = self.region.va + 8
        mem32[va + 16 * numbers[0]] = read
        mem32[va + 16 * numbers[1]] = write
        self._chains[head] = numbers, write

    def discard(self, head):
        """Give the descriptors of a chain back. It must not be submitted."""
        self._free.extend(self._chains.pop(head)[0])

    def submit(self, head):
        """Hand the chain to the device and kick it if it wants to be (2.7.13)."""
        self.busy[head] = None
        idx = self._next
        mem16[self.avail_va + 4 + 2 * (idx & (self.size - 1))] = head
        self._next = (idx + 1) & 0xFFFF
        virt.store16(self.avail_va + 2, self._next)
        if self.event_idx:
            wanted = mem16[self.used_va + 4 + 8 * self.size] == idx
        else:
            wanted = not mem16[self.used_va] & _USED_F_NO_NOTIFY
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
            limit = self._chains[head][1]
            if length > limit:
                self.fail(
                    "queue %d: device wrote %d bytes to a chain that takes %d"
                    % (self.index, length, limit)
                )
                return
            self.written[head] = length
            del self.busy[head]
            self._last = (self._last + 1) & 0xFFFF
            if self.event_idx:
                # used_event, before the loop looks again: nothing gets lost (2.7.7.1).
                virt.store16(self.avail_va + 4 + 2 * self.size, self._last)

    # A Cycle takes the rings over and keeps the two indexes by itself.

    def begin_cycle(self, heads):
        """Fill the available ring with `heads` over and over; return a count for both indexes."""
        ring = struct.pack("<%dH" % len(heads), *heads) * (self.size // len(heads))
        self.region.store(ring, self.avail_va + 4 - self.region.va)
        self.taken = True
        return self._next

    def end_cycle(self, heads, count):
        """Take the chains and the rings back; both indexes stand at `count` modulo 65536."""
        self._next = self._last = count & 0xFFFF
        self.taken = False
        for head in heads:
            self.discard(head)

    def free(self):
        """Return the rings to the arena. The device must have been reset."""
        dma.free(self.region)
