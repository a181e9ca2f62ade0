# SPDX-License-Identifier: MIT
"""The split virtqueue (VirtIO 1.3, 2.7).

    descriptor table   16 bytes each    written by the driver
    available ring     6 + 2 * size     written by the driver: heads for the device
    used ring          6 + 8 * size     written by the device: heads it is done with

A chain is laid out once, with chain(), and then submitted as often as wanted. While
it is submitted it is the device's, its head is in `busy`, and neither its descriptors
nor its buffers may be touched. reap() takes it back.

Scheduled functions may submit and reap too, in the middle of anything that jumps: what they
must not see half done happens in a `with virt.lock`, or has no jump in it.

What the device writes is not trusted: a used entry is copied, checked against the
private tables here, and only then believed. Anything wrong breaks the queue for good
(until the device is reset), and `fail` is told what it was.
"""

import errno
from machine import mem16, mem32
from micropython import const
import virt
from . import dma

_DESC_F_NEXT = const(1)
_DESC_F_WRITE = const(2)
_DESC_F_INDIRECT = const(4)
_USED_F_NO_NOTIFY = const(1)

INDIRECT_DESC = const(1 << 28)
EVENT_IDX = const(1 << 29)

_LEGACY_ALIGN = const(4096)  # of the used ring, and of the whole
_TABLE = const(4)  # descriptors of an indirect table


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
        self.event_idx = features & EVENT_IDX != 0
        # No chain may be longer than the queue has descriptors (2.7.5.3.1).
        self.indirect = size >= _TABLE and features & INDIRECT_DESC != 0
        self.fail = fail
        align = _LEGACY_ALIGN if transport.version == 1 else 16
        used = (18 * size + 6 + align - 1) & -align
        tables = (used + 6 + 8 * size + 15) & ~15
        n = tables + 16 * _TABLE * size if self.indirect else tables
        self._tables = tables
        self.notify_va = transport.notify_va
        self._next = 0  # avail.idx, free-running mod 65536
        self.taken = 0  # used.idx up to which entries were taken, likewise
        self._quiet = 0  # chains submitted since the last kick, or look whether one is wanted
        self.batch = 0  # interrupts wanted at one in batch + 1 returns, a power of two
        # The driver's own record of what it gave away: the descriptor table is not trusted.
        # By head: descriptor numbers, where in the region each part is described, bytes that the
        # device may write.
        self._chains = {}
        self._unused = 0  # descriptors from here on were never in a chain
        self._free = []  # descriptors that were
        self.busy = {}  # the chains that the device owns, by head: who is told when it is back
        self.written = {}  # by head: bytes that the device wrote, at its last return
        self.cycles = []  # see Cycle
        region = dma.alloc(n, align)
        try:
            self.region = region
            self.avail_va = region.va + 16 * size  # flags, idx, ring, used_event
            self.used_va = region.va + used  # flags, idx, ring, avail_event
            transport.set_queue(index, size, region.pa, region.pa + 16 * size, region.pa + used)
        except BaseException:  # the device does not use it before DRIVER_OK
            dma.free(region)
            raise

    def chain(self, *parts):
        """Lay out a chain of (pa, bytes, writable) parts and return its head.

        Parts that the device reads come first (2.7.4.2). OSError(ENOSPC) if descriptors run out.
        """
        return self.chains(1, (0,) * len(parts), *parts)[0]

    def chains(self, count, steps, *parts):
        """Lay out `count` chains that are alike, and return a list of their heads.

        Part number k lies steps[k] bytes further in every next chain. Otherwise as chain().
        """
        n = len(parts)
        indirect = self.indirect and 1 < n <= _TABLE
        taken = self._take(count if indirect else n * count)
        # A descriptor as two words: the address; length, flags, and the number of the next.
        words = []
        writable = 0
        k = 0
        for pa, rest, write in parts:
            if write:
                writable += rest
                rest |= _DESC_F_WRITE << 32
            k += 1
            if k < n:
                rest |= _DESC_F_NEXT << 32
                if indirect:
                    rest |= k << 48
            words += pa, rest
        moves = [(2 * k, steps[k]) for k in range(n) if steps[k]]
        store64 = virt.store64
        va = self.region.va
        pa = self.region.pa
        tables = self._tables
        chains = self._chains
        heads = []
        for i in range(count):
            if indirect:
                head = taken[i]
                owned = (head,)
                table = tables + 16 * _TABLE * head
                places = range(table, table + 16 * n, 16)
                store64(va + 16 * head, pa + table, 16 * n | _DESC_F_INDIRECT << 32)
                store64(va + table, *words)
            else:
                owned = taken[n * i : n * (i + 1)]
                head = owned[0]
                places = [16 * number for number in owned]
                for k in range(n):
                    rest = words[2 * k + 1] | (owned[k + 1] << 48 if k + 1 < n else 0)
                    store64(va + places[k], words[2 * k], rest)
            chains[head] = owned, places, writable
            heads.append(head)
            for k, step in moves:
                words[k] += step
        return heads

    def _take(self, n):
        with virt.lock:
            first = self._unused
            if n <= self.size - first:
                self._unused = first + n
                return range(first, first + n)
            more = n - len(self._free)
            if more <= self.size - first:
                numbers = self._free[:n]
                del self._free[:n]
                if more > 0:
                    self._unused = first + more
                    numbers += range(first, first + more)
                return numbers
        raise OSError(
            errno.ENOSPC,
            "queue %d has %d descriptors, and no %d of them free" % (self.index, self.size, n),
        )

    def pointer_va(self, head, part):
        """Where the 64-bit device address of a chain's part stands."""
        return self.region.va + self._chains[head][1][part]

    def repoint(self, head, part, pa):
        """Let part number `part` of a chain that is not submitted lie at another address."""
        virt.store64(self.pointer_va(head, part), pa)

    def resize(self, head, read, write):
        """Give a chain of two parts that is not submitted the lengths `read` and `write` bytes."""
        owned, places, _ = self._chains[head]
        va = self.region.va + 8
        mem32[va + places[0]] = read
        mem32[va + places[1]] = write
        self._chains[head] = owned, places, write

    def discard(self, head):
        """Give the descriptors of a chain back. It must not be submitted."""
        self._free.extend(self._chains.pop(head)[0])

    def submit(self, head, owner=None, kick=True):
        """Hand the chain to the device, and kick it if it wants to be (2.7.13).

        When the chain is back, owner.back(head, bytes that the device wrote) is called; without
        an owner the bytes are left in `written`.
        """
        idx = self._next
        self.busy[head] = owner
        virt.store16(self.avail_va, head, 4 + 2 * (idx & (self.size - 1)))
        self._next = idx = (idx + 1) & 0xFFFF
        virt.store16(self.avail_va, idx, 2)
        self._quiet += 1
        if kick:
            self.kick(idx - self._quiet, self._quiet)

    def kick(self, idx, n):
        """Kick the device if it wants that for the `n` chains submitted from `idx` on (2.7.13)."""
        if self.event_idx:
            wanted = (virt.load16(self.used_va, 4 + 8 * self.size) - idx) & 0xFFFF < n
        else:
            wanted = not virt.load16(self.used_va) & _USED_F_NO_NOTIFY
        if wanted:
            mem32[self.notify_va] = self.index
        self._quiet = 0

    def reap(self):
        """Take back every chain that the device has used, in whatever order."""
        self.reap = _reaper(self)
        self.reap()

    def post(self, region, n, owner):
        """Submit as many buffers of `n` bytes, for the device to write, as there are descriptors.

        They fill `region`; chain number i has the one at byte n * i. The queue must be new.
        """
        size = self.size
        va = self.region.va
        pa = region.pa
        record = (), (), n  # these chains are never discarded
        for _ in range(size):
            virt.store64(va, pa, n | _DESC_F_WRITE << 32)
            va += 16
            pa += n
        self._chains = dict.fromkeys(range(size), record)
        self.busy = dict.fromkeys(range(size), owner)
        self._unused = size
        self.begin_cycle(range(size))
        self._next = size
        virt.store16(self.avail_va, size, 2)
        self.kick(0, size)

    def wake_after(self, taken):
        """Ask for an interrupt one return, or up to `batch` more, after entry `taken`."""
        if self.event_idx:
            virt.store16(self.avail_va, taken | self.batch, 4 + 2 * self.size)

    # A Cycle that is alone on the queue takes the rings over and keeps both indexes by itself.

    def begin_cycle(self, heads):
        """Fill the available ring with `heads` over and over; return a count for both indexes."""
        ring_va = self.avail_va + 4
        n = 0
        for head in heads:
            mem16[ring_va + 2 * n] = head
            n += 1
        at = self.region.at + ring_va - self.region.va
        while n < self.size:
            virt.copy(dma.arena, at + 2 * n, dma.arena, at, 2 * n)
            n *= 2
        return self._next

    def catch_up(self, submitted, returned):
        """Let the indexes be what the Cycle made of them, modulo 65536. Nothing is busy."""
        self._quiet = submitted - returned  # for some of them a kick may be due
        self._next = submitted & 0xFFFF
        self.taken = returned & 0xFFFF
        self.busy.clear()

    def renew(self, transport):
        """Tell a device that was reset of the same queue, empty again. Its chains are kept.

        OSError(ENODEV) if the device has room for fewer descriptors now.
        """
        size = self.size
        limit = transport.queue_size_max(self.index)
        if limit < size:
            raise OSError(
                errno.ENODEV, "queue %d had %d descriptors and has %d" % (self.index, size, limit)
            )
        region = self.region
        driver, device = self.avail_va - region.va, self.used_va - region.va
        virt.fill(dma.arena, region.at + driver, device + 6 + 8 * size - driver, 0)
        self._next = self.taken = self._quiet = self.batch = 0
        self.busy.clear()
        self.written.clear()
        transport.set_queue(self.index, size, region.pa, region.pa + driver, region.pa + device)

    def free(self):
        """Return the rings to the arena. The device must have been reset."""
        dma.free(self.region)
        # Whoever still looks at the rings believes nothing that stands there.
        self.busy.clear()
        self.written.clear()


# reap() of one queue, a function whose names come in through default arguments: see outflow.
def _reaper(queue):
    def reap(
        queue=queue,
        lock=virt.lock,
        load16=virt.load16,
        load32=virt.load32,
        used_idx=queue.used_va + 2,
        used_ring=queue.used_va + 4,
        mask=queue.size - 1,
        event_idx=queue.event_idx,
        store16=virt.store16,
        used_event=queue.avail_va + 4 + 2 * queue.size,
        taken=0,
        n=0,
        at=0,
        head=0,
        length=0,
        busy=None,
        chains=None,
        owner=None,
    ):
        with lock:
            taken = queue.taken
            busy = queue.busy
            chains = queue._chains
            while True:
                n = (load16(used_idx) - taken) & 0xFFFF
                if not n:
                    return
                if n > len(busy):
                    queue.fail(
                        "queue %d: device returned more chains than it has: %d of %d"
                        % (queue.index, n, len(busy))
                    )
                    return
                while n:
                    at = (taken & mask) << 3
                    head = load32(used_ring, at)
                    length = load32(used_ring, at + 4)
                    owner = busy.pop(head, queue)
                    if owner is queue:
                        queue.fail(
                            "queue %d: device returned chain %d, which is not its"
                            % (queue.index, head)
                        )
                        return
                    if length > chains[head][2]:
                        busy[head] = owner
                        queue.fail(
                            "queue %d: device wrote %d bytes to a chain that takes %d"
                            % (queue.index, length, chains[head][2])
                        )
                        return
                    queue.taken = taken = (taken + 1) & 0xFFFF
                    if owner is None:
                        queue.written[head] = length
                    else:
                        owner.back(head, length)
                    n -= 1
                # As wake_after(). Before the loop looks again: nothing gets lost (2.7.7.1).
                if event_idx:
                    store16(used_event, taken | queue.batch)

    return reap
