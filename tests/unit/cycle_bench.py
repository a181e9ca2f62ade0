# SPDX-License-Identifier: MIT
"""A Cycle alone, on a device that is led by hand."""

import errno
import struct

OK = 0x8000
HEADER = b"\x07\0\0\0"
SLOT = 32
SIZE = 16


class Owner:
    """Writes down what the Cycle asks."""

    def __init__(self):
        self.asked = []
        self.running = False
        self.cycle = None

    def begin(self):
        self.asked.append("begin")

    def blocked(self, waited):
        self.check()
        if self.running:
            cycle = self.cycle
            if not cycle.device.wait(lambda: cycle.in_flight() < cycle.limit, not waited and 100):
                raise OSError(errno.ETIMEDOUT, "stalled")
            return
        self.asked.append("full")
        self.running = True
        self.cycle.running(100)

    def dry(self):
        self.asked.append("dry")

    def odd(self, n):
        raise ValueError(f"{n} bytes")

    def check(self):
        if self.cycle.device.error or self.cycle.error:
            raise OSError(errno.EIO, self.cycle.device.error or self.cycle.error)


class QueueBench:
    """Queue 0 of a device that takes what comes: `held`, chains that it owns, oldest first."""

    def __init__(self, rig, size=SIZE, start=0):
        self.rig = rig
        self.held = []
        rig.device.serve = self.serve
        self.dev = rig.virtio.Device(rig.mmio.MMIO(rig.base, 8), 0, (size,))
        self.queue = self.dev.queues[0]
        self.ring = rig.device.rings[0]
        self.queue._next = self.queue.taken = start
        self.ring.wind(start)
        self.free = rig.dma.available()

    def serve(self, index):
        while chain := self.ring.pop():
            self.ring.ask()
            self.take(chain)
            self.held.append(chain)

    def tell(self):
        """Interrupt the driver, if it wants to be."""
        if self.ring.interrupt_wanted():
            self.rig.device.notify()

    def soon(self, call, *arguments, us=1000, **named):
        self.rig.clock.at(self.rig.clock.now + us, lambda: call(*arguments, **named))

    def run(self, us=100):
        self.rig.clock.run(us)


class Bench(QueueBench):
    """One Outflow; slots come back when the device is told to give them back."""

    def __init__(self, rig, limit=4, start=0, grain=4):
        super().__init__(rig, start=start)
        self.data = bytearray()  # what all chains had
        self.owner = Owner()
        self.cycle = self.owner.cycle = rig.virtio.Outflow(
            self.dev, self.queue, HEADER, SLOT, grain, limit, OK, self.owner
        )
        self.write = self.cycle.write

    def take(self, chain):
        data = chain.read()
        assert data[:4] == HEADER
        self.data += data[4:]

    def back(self, n=1, at=0, status=OK, latency=0, length=8):
        """Give n chains back."""
        for _ in range(n):
            chain = self.held.pop(at)
            chain.write(struct.pack("<II", status, latency))
            self.ring.push(chain.head, length)
        self.tell()

    def pace(self):
        """From now on a slot comes back every millisecond."""

        def due():
            if self.held:
                self.back()
            self.soon(due)

        self.soon(due)


def pattern(n):
    return bytes((7 * i + i // 256) & 0xFF for i in range(n))
