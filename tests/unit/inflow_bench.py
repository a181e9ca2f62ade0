# SPDX-License-Identifier: MIT
"""An Inflow alone, on a device that is led by hand."""

import struct

from cycle_bench import HEADER, OK, SLOT, Owner, QueueBench, pattern


class InOwner(Owner):
    """As the owner of an Outflow, but what starts is that empty slots are given."""

    def begin(self):
        super().begin()
        self.running = True
        self.cycle.fill()
        self.cycle.running(100)


class InBench(QueueBench):
    """One Inflow; the device records when told to.

    `sound` is what it records: every byte follows from how many there were before.
    """

    def __init__(self, rig, limit=4, start=0, grain=4, slot=SLOT):
        super().__init__(rig, start=start)
        self.slot = slot
        self.sound = pattern(100_000)
        self.at = 0  # bytes of it that were recorded
        self.owner = InOwner()
        self.cycle = self.owner.cycle = self.another(limit, grain)
        self.readinto = self.cycle.readinto

    def another(self, limit=4, grain=4):
        from virtio.inflow import Inflow

        return Inflow(self.dev, self.queue, HEADER, self.slot, grain, limit, OK, self.owner)

    def take(self, chain):
        assert chain.read() == HEADER
        assert [n for _, n in chain.writable] == [self.slot, 8]

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
        self.tell()

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
