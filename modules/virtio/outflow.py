# SPDX-License-Identifier: MIT
"""The data path of a stream to the device: slots that are filled, sent and come back."""

from machine import mem32
from micropython import const
import struct
import virt
from . import dma
from .cycle import Cycle

_USED_F_NO_NOTIFY = const(1)
_STATUS_BYTES = const(8)

# Indexes of the counters, as in cycle: constants that the compiler knows.
_SUBMITTED = const(0)
_RETURNED = const(1)
_PARTIAL = const(2)
_BATCH = const(3)
_WAIT_MS = const(4)
_ALONE = const(5)


class Outflow(Cycle):
    """A Cycle whose slots the device reads.

    write(buf, copy=True) puts all of `buf` into the slots, hands each full one to the device, and
    returns the number of bytes. It sleeps while the device owns `limit` slots, or returns what was
    taken so far, None for nothing, if the owner does not want to wait. With copy=False the device
    reads whole slots from where they lie in `buf`. `buf` must be a multiple of `grain` bytes.
    write(buf, copy, start) begins at byte `start` of `buf` and returns up to where it was taken.
    write(buf, copy, start, False) never sleeps, and does not ask the owner about it. readiness()
    returns a function of n that tells whether that is worth it for n bytes: a slot is free, or as
    many came back as the device was to interrupt for, or as hold n bytes.
    """

    def __init__(self, *arguments, **named):
        super().__init__(*arguments, **named)
        self._lent = {}  # by slot: the object whose memory it plays instead of its own
        self.write = _data_path(self)
        self._due = None

    def ready(self):
        """Whether write() can go on: a slot is free, or something came back."""
        c = self.counters
        return self.news() or c[_SUBMITTED] - c[_RETURNED] < self.limit

    # No property: a class that has one is searched at each store to an attribute of its objects.
    def readiness(self):
        """Return due(n): whether write(buf, copy, start, False) is worth it for n bytes."""
        if not self._due:
            self._due = _readiness(self)
        return self._due

    def back(self, head, length):
        self.back = _way_back(self, super().back)
        self.back(head, length)

    def unlend(self, slot, n):
        """Let the n bytes from slot `slot` on, the driver's, play their own memory again."""
        while n > 0:
            if self._lent.pop(slot, None) is not None:
                self.queue.repoint(self.heads[slot], 1, self.data_pa + slot * self.slot_bytes)
            slot += 1
            n -= self.slot_bytes

    def restart(self):
        self.unlend(0, self.slots * self.slot_bytes)
        super().restart()


def _readiness(cycle):
    def due(
        left,
        c=cycle.counters,
        slot_bytes=cycle.slot_bytes,
        limit=cycle.limit,
        half=cycle.limit >> 1,
        early=cycle._early,
        load16=virt.load16,
        queue=cycle.queue,
        used_idx=cycle.queue.used_va + 2,
        lock=virt.lock,
        n=0,
        taken=0,
    ):
        with lock:
            taken = c[_RETURNED]
            n = limit + taken - c[_SUBMITTED]
            if not c[_ALONE]:
                if c[_WAIT_MS] and load16(used_idx) != queue.taken:
                    queue.reap()
                    n = limit + c[_RETURNED] - c[_SUBMITTED]
                return n >= half or n and n * slot_bytes >= left
            if n:
                return True
            taken += len(early)
            n = (load16(used_idx) - taken) & 0xFFFF
            # used_event is taken | c[_BATCH].
            return n > c[_BATCH] & ~taken or n and n * slot_bytes >= left

    return due


def _way_back(cycle, otherwise):
    # back(), for the usual: the oldest slot, with 8 bytes of status that say ok.
    def back(
        head,
        length,
        c=cycle.counters,
        slots={head: slot for slot, head in enumerate(cycle.heads)},
        mask=cycle.slots - 1,
        early=cycle._early,
        load32=virt.load32,
        status_va=cycle._status_va,
        ok=cycle.ok,
        otherwise=otherwise,
        slot=0,
        n=0,
    ):
        slot = slots[head]
        n = c[_RETURNED]
        if (
            slot == n & mask
            and length == _STATUS_BYTES
            and load32(status_va, slot * _STATUS_BYTES) == ok
            and not early
        ):
            c[_RETURNED] = n + 1
        else:
            otherwise(head, length)

    return back


# What runs for every period of sound. A call costs as much as ten lines, so it is one
# function; the names come in through default arguments, which are copied when the
# function is entered, because a local variable costs a tenth of an attribute or a global (and a
# closure over more than a few would allocate). The first sixteen locals are the cheapest.
def _data_path(cycle):
    queue = cycle.queue
    owner = cycle.owner
    slots = cycle.slots
    size = queue.size
    half = cycle.limit >> 1
    used_ring_at = queue.region.at + queue.used_va - queue.region.va + 4
    data_at = cycle.data_at
    data_end = data_at + slots * cycle.slot_bytes
    entries = []
    for head in cycle.heads:
        entries += head, _STATUS_BYTES
    # For the first slot of each half of the ring: where its data is, where its entry in `entries`,
    # where its status, the slot, and the same for the other half.
    turns = [None] * slots
    for i in 0, half:
        turns[i] = [
            data_at + i * cycle.slot_bytes,
            8 * i,
            cycle.status_at + _STATUS_BYTES * i,
            i,
        ]
    turns[0].append(turns[half])
    turns[half].append(turns[0])

    def write(
        buf,
        copy=True,
        start=0,
        wait=True,
        left=0,
        n=0,
        slot=0,
        submitted=0,
        full=0,
        part=0,
        c=cycle.counters,
        arena=dma.arena,
        store16=virt.store16,
        equal=virt.equal,
        half=half,
        half_bytes=half * cycle.slot_bytes,
        turn=None,
        at=0,
        given=0,
        batch=0,
        first=0,
        alone=0,
        ms=0,
        wait16=virt.wait16,
        used_idx=queue.used_va + 2,
        entry_ats=list(range(used_ring_at, used_ring_at + 8 * size, 8)),
        entry_mask=size - 1,
        entries=struct.pack("<" + "II" * slots, *entries),
        half_status=half * _STATUS_BYTES,
        statuses=struct.pack("<II", cycle.ok, 0) * slots,
        blit=virt.copy,
        slot_bytes=cycle.slot_bytes,
        mask=slots - 1,
        load16=virt.load16,
        ats=list(range(data_at, data_end, cycle.slot_bytes)),
        data_end=data_end,
        avail_idx=queue.avail_va + 2,
        event_idx=queue.event_idx,
        pass16=virt.pass16,
        avail_event=queue.used_va + 4 + 8 * size,
        used_flags=queue.used_va,
        m32=mem32,
        notify=queue.notify_va,
        index=queue.index,
        lent=cycle._lent,
        pointers=[queue.pointer_va(head, 1) for head in cycle.heads],
        point=dma.point,
        limit=cycle.limit,
        slots=slots,
        status_at=cycle.status_at,
        used_event=queue.avail_va + 4 + 2 * size,
        nbytes=virt.nbytes,
        grain=cycle.grain,
        lock=virt.lock,
        even=queue.event_idx and slots == cycle.limit,
        turns=turns,
        cycle=cycle,
        queue=queue,
        owner=owner,
    ):
        left = nbytes(buf) - start
        if left % grain:
            owner.odd(left)
        if not c[_WAIT_MS]:
            owner.begin()
        while True:
            # Whoever runs while this one sleeps may write, too.
            with lock:
                alone = c[_ALONE]
                submitted = c[_SUBMITTED]
                part = c[_PARTIAL]
                ms = c[_WAIT_MS] if wait else -1
                if not alone:
                    # Slots of others come back on the same queue, too.
                    if not c[_WAIT_MS]:
                        cycle.reap()
                    elif load16(used_idx) != queue.taken:
                        queue.reap()
                    if submitted == c[_RETURNED]:
                        owner.dry()
                elif load16(used_idx) == submitted & 0xFFFF:
                    owner.dry()
                full = c[_RETURNED] + limit
                while left:
                    if submitted == full:
                        # The device owns all slots, as far as is known.
                        if not alone:
                            # Whose slot is back shows when all of them are taken back. If none
                            # was this stream's for a while, the owner is asked.
                            n = first = 1
                            while ms and n and first < slots:
                                n = wait16(used_idx, queue.taken, ms)
                                first += 1
                                if n and c[_WAIT_MS] and not c[_ALONE]:
                                    queue.reap()
                                    if c[_RETURNED] != full - limit:
                                        break
                            full = c[_RETURNED] + limit
                            if c[_SUBMITTED] != submitted or submitted == full or c[_ALONE]:
                                break
                            if c[_RETURNED] == submitted:
                                owner.dry()
                            part = c[_PARTIAL]
                            continue
                        slot = full - limit
                        turn = left >= half_bytes and even and not part and turns[slot & mask]
                        if not turn or copy and lent:
                            n = wait16(used_idx, slot, ms)
                        else:
                            # The usual, in few steps: half of them come back in order, and are
                            # filled anew. Anything else goes on below.
                            batch = c[_BATCH]
                            first = submitted
                            if not copy:
                                for n in range(slots):
                                    if n not in lent:
                                        lent[n] = buf
                            try:
                                while left >= half_bytes:
                                    n = wait16(used_idx, slot, ms)
                                    if n != half:
                                        break
                                    at, full, part, given, turn = turn
                                    if not equal(
                                        arena,
                                        entry_ats[slot & entry_mask],
                                        entries,
                                        full,
                                        half_status,
                                        part,
                                        statuses,
                                        0,
                                        half_status,
                                    ):
                                        break
                                    slot += half
                                    c[_RETURNED] = slot
                                    store16(used_event, slot | batch)
                                    if copy:
                                        blit(arena, at, buf, start, half_bytes)
                                    else:
                                        point(pointers, given, half, buf, start, slot_bytes)
                                    start += half_bytes
                                    left -= half_bytes
                                    submitted += half
                                    c[_SUBMITTED] = submitted
                                    if pass16(avail_idx, submitted, avail_event):
                                        m32[notify] = index
                                else:
                                    n = -1
                            finally:
                                if not copy and c[_SUBMITTED] >= submitted:
                                    # What the device has yet to read is kept. Not if a callback
                                    # has begun anew.
                                    for full in range(max(first, c[_RETURNED]), submitted):
                                        lent[full & mask] = buf
                            part = 0
                            full = submitted
                            if n < 0:
                                continue
                        if n > 0xFFFF and c[_ALONE] and c[_SUBMITTED] == submitted:
                            n &= 0xFFFF  # whatever ran has not touched this stream
                        if not 0 < n <= limit:
                            break
                        if n == limit:
                            owner.dry()
                        # The usual: the oldest n slots in their order, each with 8 bytes of
                        # status that say ok and no latency. Anything else goes the long way.
                        full = entry_ats[slot & entry_mask]
                        slot &= mask
                        if slot + n > slots:
                            n = slots - slot
                        slot *= 8
                        at = 8 * n  # bytes
                        if not equal(
                            arena, full, entries, slot, at, status_at + slot, statuses, slot, at
                        ):
                            break
                        full = submitted + n
                        c[_RETURNED] = n = full - limit
                        if event_idx:
                            # The next to sleep looks at used.idx first: nothing gets lost
                            # (2.7.7.1). The bits set, instead of a sum, keep wake-ups at
                            # even parts of the ring.
                            store16(used_event, n | c[_BATCH])
                    given = submitted
                    while left and submitted != full:
                        slot = submitted & mask
                        if left == slot_bytes and copy and not part and not lent:
                            blit(arena, ats[slot], buf, start, slot_bytes)
                            start += slot_bytes
                            left = 0
                            submitted += 1
                        elif copy or part or left < slot_bytes:
                            # All the free slots that lie one after the other, if there is as much.
                            n = (full - submitted) * slot_bytes - part
                            at = ats[slot] + part
                            if at + n > data_end:
                                n = data_end - at
                            if n > left:
                                n = left
                            if not copy and n > slot_bytes - part:
                                n = slot_bytes - part
                            if lent:
                                cycle.unlend(slot, part + n)
                            blit(arena, at, buf, start, n)
                            start += n
                            left -= n
                            n += part
                            if part:
                                c[_PARTIAL] = 0
                            submitted += n // slot_bytes
                            part = n % slot_bytes
                            if part:
                                c[_PARTIAL] = part
                        else:
                            lent[slot] = buf
                            point(pointers, slot, 1, buf, start, 0)
                            start += slot_bytes
                            left -= slot_bytes
                            submitted += 1
                    if not alone:
                        cycle.submit(submitted)
                    elif submitted != given:
                        # Hand over what is filled, and kick the device if it wants to be (2.7.13).
                        c[_SUBMITTED] = submitted
                        if event_idx:
                            if pass16(avail_idx, submitted, avail_event):
                                m32[notify] = index
                        else:
                            store16(avail_idx, submitted)
                            if not load16(used_flags) & _USED_F_NO_NOTIFY:
                                m32[notify] = index
                else:
                    return start
                if not wait and not n:
                    return start or None
                n = ms and not n  # it has waited, and for nothing
                full = cycle.in_flight()
                owner.check()
            if full == limit and (not wait or owner.blocked(n)):
                return start or None

    return write
