# SPDX-License-Identifier: MIT
"""The split virtqueue (VirtIO 1.3, 2.7).

    descriptor table   16 bytes each    written by the driver
    available ring     6 + 2 * size     written by the driver: heads for the device
    used ring          6 + 8 * size     written by the device: heads it is done with

A chain is laid out once, with chain(), and then submitted as often as wanted. While
it is submitted it is the device's: `busy[head]` is 1, and neither its descriptors
nor its buffers may be touched. reap() takes it back.

What the device writes is not trusted: a used entry is copied, checked against the
private tables here, and only then believed. Anything wrong breaks the queue for good
(until the device is reset): `error` says what it was.
"""

from errno import ENOSPC
from machine import mem16, mem32
from micropython import const
import virt
from . import dma

_DESC_F_NEXT = const(1)
_DESC_F_WRITE = const(2)
_USED_F_NO_NOTIFY = const(1)

_ALIGN = const(4096)


class Queue:
    """Queue `index` of the device behind `transport`, with `size` descriptors (a power of two).

    The three parts lie in one block as legacy devices want it (2.7.2); modern ones do not mind.
    """

    def __init__(self, transport, index, size):
        self.index = index
        self.size = size
        used = (18 * size + 6 + _ALIGN - 1) & ~(_ALIGN - 1)
        self._region = region = dma.alloc(used + 6 + 8 * size, _ALIGN)
        self._desc = region.va
        self._avail_idx = region.va + 16 * size + 2
        self._avail_ring = region.va + 16 * size + 4
        self._used_flags = region.va + used
        self.used_idx_va = region.va + used + 2
        self._used_ring = region.va + used + 4
        self._mask = size - 1
        self._notify = transport.notify_va
        self._next = 0  # avail.idx, free-running mod 65536
        self.last = 0  # used.idx up to which entries were taken, likewise
        self.busy = bytearray(size)  # by head: 1 while the device owns the chain
        self.lengths = [0] * size  # by head: used.len of its last return, bytes
        self.error = None  # what the device did wrong, once it has
        # The driver's own record of what it gave away: the descriptor table is not trusted.
        self._free = list(range(size))
        self._parts = [None] * size  # by head: descriptor numbers
        self._writable = [0] * size  # by head: bytes that the device may write
        transport.set_queue(index, size, region.pa, region.pa + 16 * size, region.pa + used)

    def chain(self, *parts):
        """Lay out a chain of (pa, bytes, writable) parts and return its head.

        Parts that the device reads come first (2.7.4.2). OSError(ENOSPC) if descriptors run out.
        """
        if len(parts) > len(self._free):
            raise OSError(
                ENOSPC,
                "queue %d: %d descriptors wanted, %d of %d free"
                % (self.index, len(parts), len(self._free), self.size),
            )
        numbers = [self._free.pop(0) for _ in parts]
        head = numbers[0]
        writable = 0
        for i, (pa, n, write) in enumerate(parts):
            desc = self._desc + 16 * numbers[i]
            flags = _DESC_F_WRITE if write else 0
            if i + 1 < len(parts):
                flags |= _DESC_F_NEXT
                mem16[desc + 14] = numbers[i + 1]
            mem32[desc] = pa & 0xFFFFFFFF
            mem32[desc + 4] = pa >> 32
            mem32[desc + 8] = n
            mem16[desc + 12] = flags
            if write:
                writable += n
        self._parts[head] = numbers
        self._writable[head] = writable
        return head

    def repoint(self, head, part, pa):
        """Let part number `part` of a chain that is not submitted lie at another address."""
        desc = self._desc + 16 * self._parts[head][part]
        mem32[desc] = pa & 0xFFFFFFFF
        mem32[desc + 4] = pa >> 32

    def resize(self, head, *sizes):
        """Give the parts of a chain that is not submitted other lengths, in bytes."""
        writable = 0
        for number, n in zip(self._parts[head], sizes):
            desc = self._desc + 16 * number
            mem32[desc + 8] = n
            if mem16[desc + 12] & _DESC_F_WRITE:
                writable += n
        self._writable[head] = writable

    def discard(self, head):
        """Give the descriptors of a chain back. It must not be submitted."""
        self._free.extend(self._parts[head])
        self._parts[head] = None

    def submit(self, head):
        """Hand the chain to the device and kick it unless it asked not to be (2.7.13)."""
        self.busy[head] = 1
        idx = self._next
        mem16[self._avail_ring + 2 * (idx & self._mask)] = head
        self._next = idx = (idx + 1) & 0xFFFF
        virt.fence()  # the entry before the index
        mem16[self._avail_idx] = idx
        virt.fence()  # the index before the question whether to kick
        if not mem16[self._used_flags] & _USED_F_NO_NOTIFY:
            mem32[self._notify] = self.index

    def reap(self):
        """Take back every chain that the device has used; return how many there were."""
        count = 0
        last = self.last
        while last != mem16[self.used_idx_va]:
            virt.fence()  # the index before the entry
            entry = self._used_ring + 8 * (last & self._mask)
            head = mem32[entry]
            length = mem32[entry + 4]
            if head >= self.size or not self.busy[head]:
                self.error = "queue %d: device returned %d, which it does not own" % (
                    self.index,
                    head,
                )
                break
            if length > self._writable[head]:
                self.error = "queue %d: device claims %d bytes written to a chain of %d" % (
                    self.index,
                    length,
                    self._writable[head],
                )
                break
            self.lengths[head] = length
            self.busy[head] = 0
            last = (last + 1) & 0xFFFF
            count += 1
        self.last = last
        return count

    def free(self):
        """Return the rings to the arena. The device must have been reset."""
        dma.free(self._region)
