# SPDX-License-Identifier: MIT
"""Chains that go round and round on a queue: the slots of one stream.

The data of all slots is one contiguous ring of bytes. Each slot is a chain that was
laid out once:

    header   the device reads it; the same for all slots
    data     `slot_bytes`; the device reads it (Outflow) or writes it (Inflow)
    status   8 bytes that the device writes

    driver's                the device's, oldest first
     |          |............................|
     v          v                            v
    [ slot 3 ][ slot 0 ][ slot 1 ][ slot 2 ]     counters grow for ever;
            returned                submitted    slot = counter % slots

A Cycle that is alone on its queue takes the rings over: the available ring was filled
once, entry i is for ever slot i modulo the number of slots, and handing slots to
the device is a store to avail.idx and a kick. When a second stream comes to the queue, each
goes on by submit() and reap() like any other chain; one that is alone again takes the
rings over when its slots are all back and it begins anew.

Scheduled functions may use the same queue, between any two steps of what is done here: what
they must not see half done happens in a `with virt.lock`.

The device may return slots in any order, and write what it wants into the used ring:
each entry is checked against what it owns.
"""

import errno
from machine import mem32
from micropython import const
import virt
from . import dma

STATUS_BYTES = const(8)

# Indexes of the counters.
SUBMITTED = const(0)  # slots handed to the device
RETURNED = const(1)  # slots that came back, all earlier ones included
PARTIAL = const(2)  # bytes in the slot that is being filled or emptied
BATCH = const(3)  # how many returns make an interrupt, minus 1
WAIT_MS = const(4)  # how long to wait for the device at a time; 0 if the stream is not running
ALONE = const(5)  # whether the rings are this Cycle's
CONSUMED = const(6)  # slots that were emptied (Inflow)


class Cycle:
    """Slots of `slot_bytes`, of which the device owns `limit` at most; see Outflow and Inflow.

    `header` (bytes) precedes the data, and `ok` in the first four bytes of the status says that
    all went well. With kick=False the device polls and is never kicked.

    The owner is asked for what is not the queue's business: owner.begin() if the stream is not
    running (see running()); owner.blocked(waited) if the device owns `limit` slots and returns
    none: to wait, or only look again if the caller has waited as long as running() said, and
    return False, or to return True if the caller does not want to wait; owner.dry() if data comes,
    or is fetched, while the device owns no slot; owner.odd(n) if n bytes are no multiple of
    `grain`; owner.check() if something came back that was not as it
    should be.
    """

    inward = False  # whether the device writes the data

    def __init__(self, device, queue, header, slot_bytes, grain, limit, ok, owner, kick=True):
        slots = 2
        while slots < limit:
            slots *= 2
        if slots > queue.size:
            raise OSError(
                errno.ENOSPC,
                "%d slots do not fit queue %d of %d" % (slots, queue.index, queue.size),
            )
        self.device = device
        self.queue = queue
        self.slots = slots
        self.slot_bytes = slot_bytes
        self.limit = limit
        self.grain = grain
        self.owner = owner
        self.kick = kick
        self.ok = ok
        data = (virt.nbytes(header) + 63) & ~63
        status = (data + slots * slot_bytes + 63) & ~63
        region = dma.alloc(status + slots * STATUS_BYTES, 64)
        device.orphans.append(region)  # until _free(), or the device's reset
        self._region = region
        region.store(header)
        self.data_at = region.at + data
        self.data_pa = region.pa + data
        self.status_at = region.at + status
        self._status_va = region.va + status
        try:
            self.heads = queue.chains(
                slots,
                (0, slot_bytes, STATUS_BYTES),
                (region.pa, virt.nbytes(header), False),
                (self.data_pa, slot_bytes, self.inward),
                (region.pa + status, STATUS_BYTES, True),
            )
        except OSError:  # no descriptors left
            device.release(region)
            raise
        self.counters = [0] * 7
        self._early = []  # slots that came back before an older one did
        self.error = None
        with virt.lock:
            for other in queue.cycles:
                other._share()
            queue.cycles.append(self)
            self.claim()

    def _free(self):
        for head in self.heads:
            self.queue.discard(head)
        self.device.release(self._region)

    def claim(self):
        """Take the rings over if no other stream uses them. The device must own no slot."""
        queue = self.queue
        c = self.counters
        with virt.lock:
            if not c[ALONE] and queue.cycles == [self] and not queue.busy and self.kick:
                c[SUBMITTED] = c[RETURNED] = c[CONSUMED] = queue.begin_cycle(self.heads)
                c[ALONE] = True
                self.rest(1)

    def _catch_up(self):
        # Let the queue know what it would if each slot had been submitted to it.
        c = self.counters
        queue = self.queue
        queue.catch_up(c[SUBMITTED], c[RETURNED] + len(self._early))
        for count in range(c[RETURNED], c[SUBMITTED]):
            if count not in self._early:
                queue.busy[self.heads[count % self.slots]] = self

    def _share(self):
        c = self.counters
        if c[ALONE]:
            self.rest(1)
            self._catch_up()
            c[ALONE] = False
            self.queue.reap()

    def rest(self, n):
        """Ask for an interrupt only when `n` more slots, or fewer, have come back.

        n is a power of two. While the queue is shared there is one for every slot.
        """
        c = self.counters
        with virt.lock:
            if c[ALONE]:
                c[BATCH] = self.queue.batch = n - 1
                self.queue.wake_after(c[RETURNED] + len(self._early))

    def running(self, wait_ms):
        """Tell how long to wait for the device at a time; 0: it takes or gives nothing now.

        Below 0: do not wait, but ask the owner at once.
        """
        self.counters[WAIT_MS] = wait_ms

    def submitted(self):
        """Slots submitted since some time before this Cycle began."""
        return self.counters[SUBMITTED]

    def returned(self):
        """Slots returned, all earlier ones included, since the same time."""
        self.reap()
        return self.counters[RETURNED]

    def in_flight(self):
        """Slots that the device owns, and those that came back before an older one did."""
        c = self.counters
        self.reap()
        return c[SUBMITTED] - c[RETURNED]

    def news(self):
        """Whether slots came back that nobody has looked at yet; if not, the next will interrupt.

        For who polls: it is cheap. Not so while the queue is shared: then it is reap(), and False.
        """
        c = self.counters
        with virt.lock:
            if not c[ALONE]:
                self.reap()
                return False
            taken = c[RETURNED] + len(self._early)
            used_va = self.queue.used_va
            if virt.load16(used_va, 2) == taken & 0xFFFF:
                self.queue.wake_after(taken)
            return virt.load16(used_va, 2) != taken & 0xFFFF

    def is_back(self, count):
        """Whether the slot that was submitted as number `count` has come back."""
        self.reap()
        return count < self.counters[RETURNED] or count in self._early

    def partial(self):
        """Bytes in the slot that is being filled, or taken from the one that is being emptied."""
        return self.counters[PARTIAL]

    def latency(self):
        """Second word of the status of the newest slot that is back with all earlier ones."""
        return self._status((self.counters[RETURNED] - 1) % self.slots)[1]

    def submit(self, upto):
        """Hand all slots before number `upto` to the device, by the queue, as it does itself.

        Only in a `with virt.lock`.
        """
        self.submit = _submission(self)
        self.submit(upto)

    def restart(self):
        """Forget errors and a slot that was filled or emptied only in part.

        The device must own no slot.
        """
        self.counters[PARTIAL] = 0
        self.error = None

    def close(self):
        """Give chains and memory back; what the device may still own, only once it is reset."""
        idle = not self.in_flight() and not self.device.error
        with virt.lock:
            self._share()
            self.queue.cycles.remove(self)
        if idle:
            self._free()

    def _status(self, slot):
        at = STATUS_BYTES * slot
        return virt.load32(self._status_va, at), virt.load32(self._status_va, at + 4)

    def reap(self):
        """Take back what the device has returned, in any order, whatever the status.

        A status other than `ok` is kept in `error`; an entry that cannot be breaks the queue.
        """
        c = self.counters
        queue = self.queue
        with virt.lock:
            if c[ALONE]:
                taken = c[RETURNED] + len(self._early)
                if virt.load16(queue.used_va, 2) == taken & 0xFFFF:
                    return
                self._catch_up()
            elif self not in queue.cycles:
                return  # closed; the queue may be another's alone
            queue.reap()

    def back(self, head, length):
        """The queue has reaped one of the slots; the device wrote so many bytes."""
        c = self.counters
        slot = self.heads.index(head)
        count = c[RETURNED] + (slot - c[RETURNED]) % self.slots
        self.look(slot, length)
        if count == c[RETURNED]:
            c[RETURNED] += 1
            while c[RETURNED] in self._early:
                self._early.remove(c[RETURNED])
                c[RETURNED] += 1
        else:
            self._early.append(count)

    def look(self, slot, length):
        """Judge a slot that came back."""
        if length != STATUS_BYTES:
            self.error = "device wrote %d bytes of status, not 8" % length
        elif self._status(slot)[0] != self.ok:
            self.error = "device refused data with status %#x" % self._status(slot)[0]


# submit() of one Cycle, a function whose names come in through default arguments: see outflow.
def _submission(cycle):
    queue = cycle.queue

    def submit(
        upto,
        n=0,
        idx=0,
        head=0,
        given=0,
        c=cycle.counters,
        heads=cycle.heads,
        slot_mask=cycle.slots - 1,
        queue=queue,
        busy=queue.busy,
        owner=cycle,
        store16=virt.store16,
        avail_va=queue.avail_va,
        mask=queue.size - 1,
        avail_idx=queue.avail_va + 2,
        at_once=cycle.kick and queue.event_idx,
        pass16=virt.pass16,
        avail_event=queue.used_va + 4 + 8 * queue.size,
        m32=mem32,
        notify=queue.notify_va,
        index=queue.index,
        kick=cycle.kick,
    ):
        n = c[SUBMITTED]
        idx = queue._next
        given = upto - n
        if not given:
            return
        while n < upto:
            head = heads[n & slot_mask]
            n += 1
            busy[head] = owner
            store16(avail_va, head, 4 + 2 * (idx & mask))
            idx = (idx + 1) & 0xFFFF
        c[SUBMITTED] = n
        queue._next = idx
        if at_once and not queue._quiet:
            if pass16(avail_idx, idx, avail_event):
                m32[notify] = index
        else:
            store16(avail_idx, idx)
            queue._quiet += given
            if kick:
                queue.kick(idx - queue._quiet, queue._quiet)

    return submit
