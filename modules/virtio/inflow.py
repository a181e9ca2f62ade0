# SPDX-License-Identifier: MIT
"""The data path of a stream from the device: slots that come back full and are emptied."""

from machine import mem32
from micropython import const
import struct
import virt
from . import dma
from .cycle import Cycle

_STATUS_BYTES = const(8)
_UNTOUCHED = const(0xFFFFFFFF)

# Indexes of the counters, as in cycle: constants that the compiler knows.
_SUBMITTED = const(0)
_RETURNED = const(1)
_PARTIAL = const(2)
_WAIT_MS = const(4)
_ALONE = const(5)
_CONSUMED = const(6)
_ENDED = const(7)


class Inflow(Cycle):
    """A Cycle whose slots the device writes.

    readinto(buf) fills all of `buf` from the slots, gives each emptied one to the device again,
    and returns the number of bytes. It sleeps while there is nothing to read, or returns what was
    read so far, None for nothing, if the owner does not want to wait; once `ended` is set, when
    there is nothing more. `buf` must be a multiple of `grain` bytes. readinto(buf, start) begins
    at byte `start` of `buf` and returns up to where it filled it. readinto(buf, start, False)
    never sleeps, and does not ask the owner about it; due(n) tells whether it may be
    worth it.
    """

    inward = True

    def __init__(self, *arguments, **named):
        super().__init__(*arguments, **named)
        self._short = {}  # by slot: bytes in it, if it is not full
        self.missing = 0  # bytes by which slots came back too short
        self.counters.append(False)  # _ENDED
        self.empty = 0  # slots that came back with nothing in them, in a row
        self.readinto = _data_path(self)

    @property
    def ended(self):
        """Whether the device gets no slots back."""
        return self.counters[_ENDED]

    @ended.setter
    def ended(self, flag):
        self.counters[_ENDED] = flag

    def fill(self):
        """Give the device all the slots that it may own (5.14.6.8.2.2)."""
        with virt.lock:
            self.give(self.counters[_CONSUMED] + self.limit)

    def give(self, upto):
        """Hand all slots before number `upto` to the device. Only in a `with virt.lock`."""
        c = self.counters
        queue = self.queue
        if c[_ALONE]:
            dry = virt.load16(queue.used_va, 2) == c[_SUBMITTED] & 0xFFFF
        else:
            dry = not self.in_flight()
        if dry:
            self.owner.dry()
        for count in range(c[_SUBMITTED], upto):
            at = self.status_at + _STATUS_BYTES * (count % self.slots)
            virt.fill(dma.arena, at, 4, 0xFF)  # _UNTOUCHED
        n = upto - c[_SUBMITTED]
        if not c[_ALONE]:
            self.submit(upto)
        elif n:
            c[_SUBMITTED] = upto
            queue.kick(virt.store16(queue.avail_va, upto, 2), n)

    # After a reset of the device, which had some of the slots.

    def offer_again(self, slot):
        """The slot goes to the device once more, with whatever that has written to it."""
        virt.fill(dma.arena, self.status_at + _STATUS_BYTES * slot, 4, 0xFF)  # as in give()

    def lose(self, slot):
        """The slot comes back with nothing in it."""
        self._short[slot] = 0
        self.missing += self.slot_bytes

    def make_room(self):
        """Forget the oldest slot that nobody has read, and hand it to the device."""
        c = self.counters
        self.emptied(c[_CONSUMED] % self.slots)
        c[_PARTIAL] = 0
        c[_CONSUMED] += 1
        self.give(c[_CONSUMED] + self.limit)

    def ready(self):
        """Whether readinto() can go on: there is something to read, or something came back."""
        c = self.counters
        return c[_RETURNED] != c[_CONSUMED] or self.news() or c[_RETURNED] != c[_CONSUMED]

    def readiness(self):
        """Return due(n), as an Outflow does."""
        return self.due

    def due(self, n):
        """Whether readinto(buf, start, False) may be worth it for n bytes."""
        return self.ready()

    def full(self):
        """Slots that can be read, or rest to be."""
        c = self.counters
        self.reap()
        return c[_RETURNED] - c[_CONSUMED]

    def readable(self):
        """Bytes that can be read."""
        c = self.counters
        n = self.full() * self.slot_bytes - c[_PARTIAL]
        for slot in self._short:
            if (slot - c[_CONSUMED]) % self.slots < c[_RETURNED] - c[_CONSUMED]:
                n -= self.slot_bytes - self._short[slot]
        return n

    def length(self, slot):
        """Bytes in a slot that came back."""
        return self._short.get(slot, self.slot_bytes)

    def emptied(self, slot):
        """The slot may be written again."""
        self._short.pop(slot, None)

    def restart(self):
        """Also forget what was not read."""
        self._short.clear()
        self.ended = False
        self.counters[_CONSUMED] = self.counters[_RETURNED]
        super().restart()

    # A device that returns a slot early may leave the status where its descriptor says, or write
    # it directly behind what it recorded, as QEMU does (2.7.8.3 allows to believe only that): so
    # a slot goes out with a status that no device writes.

    def look(self, slot, length):
        n = length - _STATUS_BYTES
        status, latency = self._status(slot)
        if n < 0:
            self.error = "device wrote %d bytes, less than a status of 8" % length
            n = 0
        elif n < self.slot_bytes and status != self.ok:
            end = self.data_at + (slot + 1) * self.slot_bytes
            place = bytes(dma.arena[end - self.slot_bytes + n : end][:4])  # goes on at its own
            behind = struct.unpack("<I", place + struct.pack("<II", status, latency))[0]
            if behind == self.ok or status == _UNTOUCHED:
                status = behind
        if status != self.ok and not self.error:
            self.error = "device failed to record, status %#x" % status
        n -= n % self.grain
        if n < self.slot_bytes:
            self._short[slot] = n
            self.missing += self.slot_bytes - n
        self.empty = 0 if n else self.empty + 1
        if self.empty > 2 * self.slots and not self.error:
            self.error = "device returns buffers with nothing in them"


def _data_path(cycle):
    # As that of outflow: one function, its names in default arguments.
    queue = cycle.queue
    owner = cycle.owner
    slots = cycle.slots
    size = queue.size
    slot_bytes = cycle.slot_bytes
    half = cycle.limit >> 1
    used_ring_at = queue.region.at + queue.used_va - queue.region.va + 4
    turns = [None] * slots  # as there
    for i in 0, half:
        turns[i] = [
            cycle.data_at + i * slot_bytes,
            8 * i,
            cycle.status_at + _STATUS_BYTES * i,
        ]
    turns[0].append(turns[half])
    turns[half].append(turns[0])

    def readinto(
        buf,
        start=0,
        wait=True,
        left=0,
        n=0,
        slot=0,
        consumed=0,
        returned=0,
        submitted=0,
        partial=0,
        c=cycle.counters,
        arena=dma.arena,
        blit=virt.copy,
        half=half,
        half_bytes=half * slot_bytes,
        turn=None,
        at=0,
        waited=False,
        alone=False,
        ms=0,
        half_status=half * _STATUS_BYTES,
        slot_bytes=slot_bytes,
        mask=slots - 1,
        limit=cycle.limit,
        ats=[cycle.data_at + slot_bytes * i for i in range(slots)],
        status_ats=[cycle.status_at + _STATUS_BYTES * i for i in range(slots)],
        short=cycle._short,
        event_idx=queue.event_idx,
        load16=virt.load16,
        store16=virt.store16,
        pass16=virt.pass16,
        used_event=queue.avail_va + 4 + 2 * size,
        used_idx=queue.used_va + 2,
        used_flags=queue.used_va,
        avail_idx=queue.avail_va + 2,
        avail_event=queue.used_va + 4 + 8 * size,
        m32=mem32,
        notify=queue.notify_va,
        index=queue.index,
        wait16=virt.wait16,
        equal=virt.equal,
        entry_ats=list(range(used_ring_at, used_ring_at + 8 * size, 8)),
        entries=b"".join(
            struct.pack("<II", head, slot_bytes + _STATUS_BYTES) for head in cycle.heads
        ),
        entry_mask=size - 1,
        slots=slots,
        statuses=struct.pack("<II", cycle.ok, 0) * slots,
        untouched=struct.pack("<II", _UNTOUCHED, 0) * slots,
        nbytes=virt.nbytes,
        grain=cycle.grain,
        lock=virt.lock,
        cycle=cycle,
        owner=owner,
        even=queue.event_idx and slots == cycle.limit,
        turns=turns,
    ):
        left = nbytes(buf) - start
        if left % grain:
            owner.odd(left)
        if not c[_WAIT_MS]:
            owner.begin()
        while True:
            # Whoever runs while this one sleeps may read, too.
            with lock:
                alone = c[_ALONE]
                ms = c[_WAIT_MS] if wait else -1
                consumed = c[_CONSUMED]
                returned = c[_RETURNED]
                partial = c[_PARTIAL]
                while True:
                    if left and consumed != returned:
                        while left and consumed != returned:
                            slot = consumed & mask
                            n = (cycle.length(slot) if short else slot_bytes) - partial
                            if n > left:
                                n = left
                                blit(buf, start, arena, ats[slot] + partial, n)
                                partial += n
                            else:
                                blit(buf, start, arena, ats[slot] + partial, n)
                                partial = 0
                                consumed += 1
                                if short:
                                    cycle.emptied(slot)
                            start += n
                            left -= n
                        c[_PARTIAL] = partial
                        c[_CONSUMED] = consumed
                    n = consumed + limit
                    submitted = c[_SUBMITTED]
                    if submitted != n and not c[_ENDED]:
                        # Give back what is emptied, as give() does.
                        if alone and event_idx:
                            if load16(used_idx) == submitted & 0xFFFF:
                                owner.dry()
                            while submitted != n:
                                blit(arena, status_ats[submitted & mask], untouched, 0, 4)
                                submitted += 1
                            c[_SUBMITTED] = n
                            if pass16(avail_idx, n, avail_event):
                                m32[notify] = index
                        else:
                            cycle.give(n)
                            submitted = n
                    if not left or c[_ENDED] and not cycle.full():
                        return start
                    # Look for more, and sleep until enough has come, half a ring at most.
                    n = 0
                    if alone:
                        turn = left >= half_bytes and even and turns[returned & mask]
                        if turn and not c[_ENDED]:
                            # The usual, in few steps: half of the slots come back full, in order,
                            # and are given back. Anything else goes on below.
                            while left >= half_bytes:
                                store16(used_event, returned + half - 1)
                                n = wait16(used_idx, returned, ms)
                                if n != half:
                                    break
                                at, slot, waited, turn = turn
                                if not equal(
                                    arena,
                                    entry_ats[returned & entry_mask],
                                    entries,
                                    slot,
                                    half_status,
                                    waited,
                                    statuses,
                                    0,
                                    half_status,
                                ):
                                    break
                                blit(buf, start, arena, at, half_bytes)
                                start += half_bytes
                                left -= half_bytes
                                blit(arena, waited, untouched, 0, half_status)
                                returned += half
                                c[_RETURNED] = c[_CONSUMED] = returned
                                if load16(used_idx) == submitted & 0xFFFF:
                                    owner.dry()
                                submitted += half
                                c[_SUBMITTED] = submitted
                                if pass16(avail_idx, submitted, avail_event):
                                    m32[notify] = index
                            else:
                                n = -1
                            consumed = returned
                            if n < 0:
                                continue
                        else:
                            if event_idx:
                                n = (left + slot_bytes - 1) // slot_bytes
                                if n > half:
                                    n = half
                                store16(used_event, returned + n - 1)
                            n = wait16(used_idx, returned, ms)
                        if n > 0xFFFF and c[_ALONE] and c[_RETURNED] == returned:
                            n &= 0xFFFF  # whatever ran has read no more than what was there
                            consumed = c[_CONSUMED]
                            partial = c[_PARTIAL]
                        if 0 < n <= limit:
                            slot = returned & mask
                            if slot + n > slots:
                                n = slots - slot
                            at = 8 * n  # bytes
                            if equal(
                                arena,
                                entry_ats[returned & entry_mask],
                                entries,
                                8 * slot,
                                at,
                                status_ats[slot],
                                statuses,
                                0,
                                at,
                            ):
                                returned += n
                                c[_RETURNED] = returned
                                continue
                    if not wait and alone and not n:
                        return start or None
                    waited = c[_ALONE] and ms and not n
                    slot = cycle.full()
                    owner.check()
                    if not slot:
                        if n:
                            cycle.rest(1)  # only later slots are back: the next one is to wake
                        break
                    alone = c[_ALONE]
                    consumed = c[_CONSUMED]
                    returned = c[_RETURNED]
                    partial = c[_PARTIAL]
            if not wait or owner.blocked(waited):
                return start or None

    return readinto
