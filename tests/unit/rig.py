# SPDX-License-Identifier: MIT
"""A simulated machine with a sound device, and the frozen modules on it; see sim/."""

from contextlib import ExitStack, contextmanager

import pytest

import sim


class Rig:
    """A simulated board with one sound device, and the frozen modules on it."""

    def __init__(self, slot=7, transport=sim.MmioTransport, **options):
        self.board = sim.Board()
        self.clock = self.board.clock
        self.device = sim.SoundDevice(self.clock, self.board.memory, **options)
        self.sound = self.device.sound
        self.transport = transport(self.device)
        self.base, source = self.board.put(slot, self.transport)
        self.transport.raised = self.board.line(source)

    def load(self):
        self.virtio = self.board.load("virtio")
        self.dma = self.virtio.dma
        self.mmio = self.virtio.mmio
        self.vsnd = self.board.load("vsnd")
        self.regions = []
        alloc = self.dma.alloc

        def recorded(*arguments):
            region = alloc(*arguments)
            self.regions.append(region)
            return region

        self.dma.alloc = recorded
        return self

    def wind(self, card, queue, count):
        """Let the indexes of a queue stand at `count` on both sides."""
        card.device.queues[queue]._next = card.device.queues[queue].taken = count
        self.device.rings[queue].wind(count)

    def guards(self):
        """The arena outside all regions that ever were is as it was at power-on."""
        arena = bytearray(self.board.arena)
        untouched = bytes([0xA5]) * len(arena)
        for region in self.regions:
            arena[region.at : region.at + region.size] = untouched[: region.size]
        return arena == untouched

    def breach(self, name, call, *arguments):
        """The call must break the rule `name`; it is forgiven."""
        with pytest.raises(sim.Breach, match=f"^{name}: "):
            call(*arguments)
        sim.breaches.clear()


@contextmanager
def loaded(kind):
    """A function that makes a Rig of that kind, once, with these options; no rule is broken."""
    sim.breaches.clear()
    with ExitStack() as stack:

        def make(**options):
            rig = kind(**options)
            stack.enter_context(rig.board.installed())
            return rig.load()

        yield make
    assert not sim.breaches
