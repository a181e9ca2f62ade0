# SPDX-License-Identifier: MIT
"""A queue whose chains go round and round: the data path of one stream.

The data of all slots is one contiguous ring of bytes. Each slot is a chain that was
laid out once, and the available ring was filled once: entry i is for ever slot i modulo
the number of slots. Handing periods to the device is then a copy, a store to
avail.idx and a kick; nothing is allocated.

    fill          filled, submitted      returned
     |  ............................     |
     v  : the device's, oldest first :   v
    [ slot 0 ][ slot 1 ][ slot 2 ][ slot 3 ]     counters grow for ever;
                                                 slot = counter % slots

The device may write what it wants into the used ring: each entry must be exactly the
one that is expected next, or at least a slot that the device does own.
"""

import errno
from machine import mem16, mem32
from micropython import const
import struct
import virt
from . import dma

_USED_F_NO_NOTIFY = const(1)
_STATUS_BYTES = const(8)

# Indexes of the counters.
_SUBMITTED = const(0)  # slots handed to the device
_RETURNED = const(1)  # slots that came back, all earlier ones included
_PARTIAL = const(2)  # bytes in the slot that is being filled
_BATCH = const(3)  # how many returns make an interrupt, minus 1
_WAIT_MS = const(4)  # how long to wait for the device at a time; 0 if it takes no slots


class Cycle:
    """Slots of `slot_bytes` for the device to read; `limit` of them are its at most.

    Each chain is `header` (bytes, the same for all), the slot's data, and 8 bytes of status
    that the device writes: `ok` in the first four if all went well. Nobody else may use the
    queue.

    write(buf, copy=True) puts all of `buf` into the slots, hands each full one to the
    device, and returns the number of bytes. It sleeps while the device owns `limit` slots.
    With copy=False the device reads whole slots from where they lie in `buf`. `buf` must be a
    multiple of `grain` bytes.

    The owner is asked for what is not the queue's business: owner.begin() if the device takes no
    slots (see running()), owner.blocked(ms) if it owns `limit` slots, to wait ms milliseconds
    longer, owner.dry() if data comes while it owns none, owner.odd(n) if n bytes are no multiple
    of the grain, owner.check() if something came back that was not as it should be.
    """

    def __init__(self, device, queue, header, slot_bytes, grain, limit, ok, owner):
        slots = 2
        while slots < limit:
            slots *= 2
        if queue.taken or queue.busy:
            raise OSError(
                errno.EBUSY, "queue %d carries another stream: close() that first" % queue.index
            )
        if 3 * slots > queue.size:
            raise OSError(
                errno.ENOSPC,
                "%d slots do not fit queue %d of %d" % (slots, queue.index, queue.size),
            )
        self.device = device
        self.queue = queue
        self.slots = slots
        self.slot_bytes = slot_bytes
        self.limit = limit
        data = (virt.nbytes(header) + 63) & ~63
        status = (data + slots * slot_bytes + 63) & ~63
        self._region = region = dma.alloc(status + slots * _STATUS_BYTES, 64)
        region.store(header)
        self.data_at = region.at + data
        self.data_pa = region.pa + data
        self._status_at = region.at + status
        self._status_va = region.va + status
        self._ok = ok
        self._heads = [
            queue.chain(
                (region.pa, virt.nbytes(header), False),
                (self.data_pa + slot_bytes * i, slot_bytes, False),
                (region.pa + status + _STATUS_BYTES * i, _STATUS_BYTES, True),
            )
            for i in range(slots)
        ]
        first = queue.begin_cycle(self._heads)  # where the queue's two indexes stand
        self.counters = [first, first, 0, 0, 0]
        self._early = []  # slots that came back before an older one did
        self._lent = {}  # by slot: the object whose memory it plays instead of its own
        self.error = None
        self.write = _data_path(self, grain, owner)
        self.rest(1)

    def rest(self, n):
        """Ask for an interrupt only when `n` more slots, or fewer, have come back."""
        c = self.counters
        queue = self.queue
        c[_BATCH] = n - 1
        if queue.event_idx:
            used_event_va = queue.avail_va + 4 + 2 * queue.size
            virt.store16(used_event_va, c[_RETURNED] + len(self._early) | n - 1)

    def running(self, wait_ms):
        """Tell how long write() may wait for the device at a time; 0: it takes no slots now."""
        self.counters[_WAIT_MS] = wait_ms

    def submitted(self):
        """Slots submitted since some time before this Cycle began."""
        return self.counters[_SUBMITTED]

    def in_flight(self):
        """Slots that the device owns."""
        c = self.counters
        self.reap()
        return c[_SUBMITTED] - c[_RETURNED]

    def partial(self):
        """Bytes in the slot that is being filled."""
        return self.counters[_PARTIAL]

    def latency(self):
        """Second word of the status of the slot that was submitted last, once it is back."""
        return self._status((self.counters[_SUBMITTED] - 1) % self.slots)[1]

    def unlend(self, slot):
        """Let a slot that is the driver's play its own memory again."""
        if self._lent.pop(slot, None) is not None:
            self.queue.repoint(self._heads[slot], 1, self.data_pa + slot * self.slot_bytes)

    def restart(self):
        """Forget errors, a slot that was filled only in part, and every object that was lent.

        The device must own no slot.
        """
        c = self.counters
        c[_PARTIAL] = 0
        self.error = None
        for slot in range(self.slots):
            self.unlend(slot)

    def close(self):
        """Give chains and memory back; what the device may still own, only once it is reset."""
        if not self.in_flight() and not self.device.error:
            c = self.counters
            self.queue.end_cycle(self._heads, c[_SUBMITTED])
            dma.free(self._region)
        else:
            self.device.orphans.append(self._region)

    def _status(self, slot):
        va = self._status_va + _STATUS_BYTES * slot
        return mem32[va], mem32[va + 4]

    def reap(self):
        """Take back what the device has returned, in any order, whatever the status.

        A status other than `ok` is kept in `error`; an entry that cannot be breaks the queue.
        """
        c = self.counters
        queue = self.queue
        while True:
            taken = c[_RETURNED] + len(self._early)
            pending = (virt.load16(queue.used_va + 2) - taken) & 0xFFFF
            if not pending:
                return
            if pending > c[_SUBMITTED] - taken:
                queue.fail("queue %d: device returned more chains than it has" % queue.index)
                return
            entry = virt.load64(queue.used_va + 4 + 8 * (taken % queue.size))
            head = entry & 0xFFFFFFFF
            for count in range(c[_RETURNED], c[_SUBMITTED]):
                slot = count % self.slots
                if self._heads[slot] == head and count not in self._early:
                    break
            else:
                queue.fail(
                    "queue %d: device returned chain %d, which is not its" % (queue.index, head)
                )
                return
            if entry >> 32 != _STATUS_BYTES:
                self.error = "device wrote %d bytes of status, not 8" % (entry >> 32)
            elif self._status(slot)[0] != self._ok:
                self.error = "device refused data with status %#x" % self._status(slot)[0]
            self._early.append(count)
            while c[_RETURNED] in self._early:
                self._early.remove(c[_RETURNED])
                c[_RETURNED] += 1
            if queue.event_idx:
                # Before the loop looks again, so that nothing gets lost (2.7.7.1).
                virt.store16(queue.avail_va + 4 + 2 * queue.size, taken + 1 | c[_BATCH])


# What runs for every period of sound. A call costs as much as ten lines, so it is one
# function; the names come in through default arguments, which are copied when the
# function is entered, because a local variable costs a tenth of an attribute or a global (and a
# closure over more than a few would allocate). The first sixteen locals are the cheapest.
def _data_path(cycle, grain, owner):
    queue = cycle.queue
    slots = cycle.slots
    size = queue.size
    heads = cycle._heads
    used_ring_at = queue.region.at + queue.used_va - queue.region.va + 4

    def write(
        buf,
        copy=True,
        start=0,
        left=0,
        n=0,
        slot=0,
        submitted=0,
        full=0,
        c=cycle.counters,
        slot_bytes=cycle.slot_bytes,
        room=0,
        mask=slots - 1,
        ends=[cycle.data_at + cycle.slot_bytes * (i + 1) for i in range(slots)],
        arena=dma.arena,
        load16=virt.load16,
        store16=virt.store16,
        blit=virt.copy,
        avail_idx=queue.avail_va + 2,
        event_idx=queue.event_idx,
        m16=mem16,
        suppress=queue.used_va + (4 + 8 * size if queue.event_idx else 0),  # avail_event or flags
        m32=mem32,
        notify=queue.notify_va,
        index=queue.index,
        lent=cycle._lent,
        pointers=[queue.pointer_va(head, 1) for head in heads],
        pa=0,
        limit=cycle.limit,
        used_idx=queue.used_va + 2,
        equal=virt.equal,
        entry_ats=list(range(used_ring_at, used_ring_at + 8 * size, 8)),
        entries=b"".join(struct.pack("<II", head, _STATUS_BYTES) for head in heads),
        entry_mask=size - 1,
        status_at=cycle._status_at,
        statuses=struct.pack("<II", cycle._ok, 0) * slots,
        used_event=queue.avail_va + 4 + 2 * size,
        wait16=virt.wait16,
        nbytes=virt.nbytes,
        grain=grain,
    ):
        left = nbytes(buf)
        if left % grain:
            owner.odd(left)
        if not c[_WAIT_MS]:
            owner.begin()
        if not copy:
            pa = dma.pa_of(buf)
            copy = pa >> 32 != cycle.data_pa >> 32  # only the low word is patched below
        submitted = c[_SUBMITTED]
        if load16(used_idx) == submitted & 0xFFFF:
            owner.dry()
        full = c[_RETURNED] + limit
        room = slot_bytes - c[_PARTIAL]
        while True:
            if submitted == full or not left:
                n = submitted - c[_SUBMITTED]
                if n:
                    # Hand over what is filled, and kick the device if it wants to be (2.7.13).
                    c[_SUBMITTED] = submitted
                    slot = store16(avail_idx, submitted)
                    if (
                        (m16[suppress] - slot) & 0xFFFF < n
                        if event_idx
                        else not m16[suppress] & _USED_F_NO_NOTIFY
                    ):
                        m32[notify] = index
                if not left:
                    return start
                # The device owns all slots, as far as is known. Look again, and sleep if so.
                slot = submitted - limit
                n = (wait16(used_idx, slot, c[_WAIT_MS]) - slot) & 0xFFFF
                if not n:
                    owner.blocked(0)
                    continue
                if n >= limit:
                    if n > limit:
                        cycle.reap()  # which will not have it
                        owner.check()
                        continue
                    owner.dry()
                # The usual: the oldest n slots in their order, each with 8 bytes of status that
                # say ok and no latency. Anything else goes the long way.
                full = slot & entry_mask
                slot &= mask
                if slot + n > slots:
                    n = slots - slot
                slot *= 8
                if not equal(arena, entry_ats[full], entries, slot, 8 * n) or not equal(
                    arena, status_at + slot, statuses, slot, 8 * n
                ):
                    cycle.reap()
                    owner.check()
                    full = c[_RETURNED] + limit
                    if submitted == full:
                        owner.blocked(c[_WAIT_MS])  # later slots are back, the oldest is not
                    continue
                c[_RETURNED] = n = submitted - limit + n
                full = n + limit
                if event_idx:
                    # The next to sleep looks at used.idx first: nothing gets lost (2.7.7.1). The
                    # bits set, instead of a sum, keep wake-ups at even parts of the ring.
                    store16(used_event, n | c[_BATCH])
            slot = submitted & mask
            n = room if room < left else left
            if copy or n < slot_bytes:
                if lent:
                    cycle.unlend(slot)
                blit(arena, ends[slot] - room, buf, start, n)
            else:
                lent[slot] = buf
                m32[pointers[slot]] = pa + start
            start += n
            left -= n
            if n < room:
                c[_PARTIAL] = slot_bytes - room + n
            else:
                submitted += 1
                if room < slot_bytes:
                    c[_PARTIAL] = 0
                    room = slot_bytes

    return write
