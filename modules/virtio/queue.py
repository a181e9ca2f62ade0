# SPDX-License-Identifier: MIT
"""The split virtqueue (VirtIO 1.3, 2.7).

    descriptor table   16 bytes each    written by the driver
    available ring     6 + 2 * size     written by the driver: heads for the device
    used ring          6 + 8 * size     written by the device: heads it is done with

A chain is laid out once, with chain(), and then submitted as often as wanted. While
it is submitted it is the device's: `busy[head]` is not 0, and neither its descriptors
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

    With `event_idx` VIRTIO_F_EVENT_IDX was negotiated: the device says at which index it
    wants to be kicked, and is told at which one to interrupt.
    """

    def __init__(self, transport, index, size, event_idx):
        self.index = index
        self.size = size
        self.event_idx = event_idx
        used = (18 * size + 6 + _ALIGN - 1) & ~(_ALIGN - 1)
        self._region = region = dma.alloc(used + 6 + 8 * size, _ALIGN)
        self._desc = region.va
        avail = region.va + 16 * size
        used += region.va
        self.notify_va = transport.notify_va
        self.avail_idx_va = avail + 2
        self.avail_ring_va = avail + 4
        self.used_event_va = avail + 4 + 2 * size
        self.used_flags_va = used
        self.used_idx_va = used + 2
        self.used_ring_va = used + 4
        self.used_ring_at = used + 4 - region.va + region.at  # in dma.arena
        self.avail_event_va = used + 4 + 8 * size
        self._next = 0  # avail.idx, free-running mod 65536
        self._last = 0  # used.idx up to which entries were taken, likewise
        self.busy = bytearray(size)  # by head: 1 while the device owns the chain
        self.written = [0] * size  # by head: bytes that the device wrote, at its last return
        self.error = None  # what the device did wrong, once it has
        # The driver's own record of what it gave away: the descriptor table is not trusted.
        self._free = list(range(size))
        self._parts = [None] * size  # by head: descriptor numbers
        self._writable = [0] * size  # by head: bytes that the device may write
        transport.set_queue(
            index, size, region.pa, region.pa + 16 * size, region.pa + used - region.va
        )

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
        for i, (pa, n, write) in enumerate(parts):
            desc = self._desc + 16 * numbers[i]
            flags = _DESC_F_WRITE if write else 0
            if i + 1 < len(parts):
                flags |= _DESC_F_NEXT
                mem16[desc + 14] = numbers[i + 1]
            mem16[desc + 12] = flags
        self._parts[head] = numbers
        for i, (pa, _, _) in enumerate(parts):
            self.repoint(head, i, pa)
        self.resize(head, *[n for _, n, _ in parts])
        return head

    def repoint(self, head, part, pa):
        """Let part number `part` of a chain that is not submitted lie at another address."""
        desc = self.pointer_va(head, part)
        mem32[desc] = pa & 0xFFFFFFFF
        mem32[desc + 4] = pa >> 32

    def pointer_va(self, head, part):
        """Where the 64-bit address of a part stands."""
        return self._desc + 16 * self._parts[head][part]

    def resize(self, head, *sizes):
        """Give the parts of a chain that is not submitted their lengths, in bytes."""
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
        """Hand the chain to the device and kick it if it wants to be (2.7.13)."""
        self.busy[head] = 1
        idx = self._next
        mem16[self.avail_ring_va + 2 * (idx & (self.size - 1))] = head
        self._next = (idx + 1) & 0xFFFF
        virt.store16(self.avail_idx_va, self._next)
        if self.event_idx:
            wanted = mem16[self.avail_event_va] == idx
        else:
            wanted = not mem16[self.used_flags_va] & _USED_F_NO_NOTIFY
        if wanted:
            mem32[self.notify_va] = self.index

    def reap(self):
        """Take back every chain that the device has used, in whatever order."""
        while self._last != virt.load16(self.used_idx_va) and not self.error:
            entry = virt.load64(self.used_ring_va + 8 * (self._last & (self.size - 1)))
            head = entry & 0xFFFFFFFF
            length = entry >> 32
            if head >= self.size or not self.busy[head]:
                self.error = "queue %d: device returned chain %d, which it does not own" % (
                    self.index,
                    head,
                )
            elif length > self._writable[head]:
                self.error = "queue %d: device wrote %d bytes to a chain that takes %d" % (
                    self.index,
                    length,
                    self._writable[head],
                )
            else:
                self.written[head] = length
                self.busy[head] = 0
                self._last = (self._last + 1) & 0xFFFF
                if self.event_idx:
                    # Before the loop looks again, so that nothing gets lost (2.7.7.1).
                    virt.store16(self.used_event_va, self._last)

    def busy_count(self):
        """Chains that the device owns."""
        return sum(self.busy)

    # A Cycle takes the rings over and keeps the two indexes by itself.

    def begin_cycle(self, heads):
        """Fill the available ring with `heads` over and over; return a count for both indexes."""
        for i in range(self.size):
            mem16[self.avail_ring_va + 2 * i] = heads[i % len(heads)]
        return self._next

    def end_cycle(self, heads, count):
        """Take the chains and the rings back; both indexes stand at `count` modulo 65536."""
        self._next = self._last = count & 0xFFFF
        for head in heads:
            self.discard(head)

    def free(self):
        """Return the rings to the arena. The device must have been reset."""
        dma.free(self._region)
