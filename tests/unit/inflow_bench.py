# SPDX-License-Identifier: MIT
"""An Inflow alone, on a device that is led by hand."""

import struct

from cycle_bench import HEADER, OK, SIZE, SLOT, Owner, pattern


class InOwner(Owner):
    """As the owner of an Outflow, but what starts is that empty slots are given."""

    def begin(self):
        super().begin()
        self.running = True
        self.cycle.fill()
        self.cycle.running(100)


class InBench:
    """One Inflow on queue 0; the device takes what comes and records when told to.

    `sound` is what it records: every byte follows from how many there were before.
    """

    def __init__(self, rig, limit=4, start=0, grain=4, slot=SLOT):
        self.rig = rig
        self.slot = slot
        self.held = []  # chains that the device owns, oldest first
        self.sound = pattern(100_000)
        self.at = 0  # bytes of it that were recorded
        rig.device.serve = self.serve
        self.dev = rig.virtio.Device(rig.mmio.MMIO(rig.base, 8), 0, (SIZE,))
        self.queue = self.dev.queues[0]
        self.ring = rig.device.rings[0]
        self.queue._next = self.queue.taken = start
        self.ring.wind(start)
        self.free = rig.dma.available()
        self.owner = InOwner()
        self.cycle = self.owner.cycle = self.another(limit, grain)
        self.readinto = self.cycle.readinto

    def another(self, limit=4, grain=4):
        from virtio.inflow import Inflow

        return Inflow(self.dev, self.queue, HEADER, self.slot, grain, limit, OK, self.owner)

    def serve(self, index):
        while chain := self.ring.pop():
            self.ring.ask()
            assert chain.read() == HEADER
            assert [n for _, n in chain.writable] == [self.slot, 8]
            self.held.append(chain)

    def back(self, count=1, at=0, n=None, status=OK, latency=0, status_at=None, length=None):
        """Give `count` chains back with n bytes each (None: full), and a status at that byte."""
        for _ in range(count):
            chain = self.held.pop(at)
            n = self.slot if n is None else n
            chain.write(self.sound[self.at : self.at + n])
            self.at += n
            chain.write(
                struct.pack("<II", status, latency), self.slot if status_at is None else status_at
            )
            self.ring.push(chain.head, n + 8 if length is None else length)
        if self.ring.interrupt_wanted():
            self.rig.device.notify()

    def soon(self, call, *arguments, us=1000, **named):
        self.rig.clock.at(self.rig.clock.now + us, lambda: call(*arguments, **named))

    def pace(self, count=1):
        """From now on so many slots come back every millisecond."""

        def due():
            self.back(min(count, len(self.held)))
            self.soon(due)

        self.soon(due)

    def read(self, n):
        """n bytes by readinto(); all of them must come."""
        buf = bytearray(b"\xee" * n)
        assert self.readinto(buf) == n
        return bytes(buf)

    def run(self, us=100):
        self.rig.clock.run(us)
