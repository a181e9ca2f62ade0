# SPDX-License-Identifier: MIT
"""A SoundDevice that outlives what a driver does wrong: it says so, refuses, and goes on."""

import struct

from .device import WORKING, SoundDevice
from .protocol import BAD_MSG, CONTROLQ, EVENTQ
from .rules import Breach, rule


class GuardedDevice(SoundDevice):
    """SoundDevice(...) for a transport that is not in the driver's process.

    `breaches` has every Breach; on_breach(breach) is called for each. A request that broke a rule
    is answered BAD_MSG, samples IO_ERR. A queue whose ring is broken is dead until the device is
    reset: `dead` has its number, and on_dead(index) is called.
    """

    # The driver runs meanwhile, and its computer may let it wait before it kicks.
    WATCH_US = 500_000

    def __init__(self, *arguments, **options):
        self.breaches = []
        self.on_breach = lambda breach: None
        self.dead = set()
        self.on_dead = lambda index: None
        self.on_used = lambda index: None  # the driver wants to know of used buffers
        self.on_unable = lambda features: None  # it accepted what is offered and does not work
        super().__init__(*arguments, **options)

    def guard(self, call, *arguments):
        """call(*arguments); a Breach in it is written down."""
        try:
            return call(*arguments)
        except Breach as breach:
            self.breached(breach)

    def breached(self, breach):
        self.breaches.append(breach)
        self.trace.breach(breach)
        self.on_breach(breach)

    # The life of the device

    def reset(self):
        self.dead = set()
        super().reset()

    def up(self, features, rings):
        """DRIVER_OK: the features that the driver accepted, and its rings.

        rings: {index: (size, desc, avail, used)}, guest-physical addresses.
        """
        able = self.guard(self.accept, features)
        self.accepted = features
        if able is False:
            self.dead = set(rings)
            self.on_unable(features & ~WORKING)
            return
        for index, ring in rings.items():
            self._or_dead(index, self.add_queue, *ring)
        self.guard(self.start)

    def taken(self, index):
        """The index in the available ring of a queue up to which chains were taken."""
        return self.rings[index].taken if index in self.rings else 0

    # Queues

    def _or_dead(self, index, call, *arguments):
        if index not in self.dead:
            try:
                call(index, *arguments)
            except Breach as breach:
                self.breached(breach)
                self.dead.add(index)
                self.on_dead(index)

    def kick(self, index):
        self._or_dead(index, super().kick)

    def look(self, index):
        self._or_dead(index, super().look)

    def serve(self, index):
        self._or_dead(index, super().serve)

    def _push(self, index, chain, length):
        self._or_dead(index, super()._push, chain, length)

    def judge(self, kept, name, text):
        self.guard(rule, kept, name, text)

    def event(self, code, data, length=8):
        if self.live:
            return super().event(code, data, length)
        # What buffers there were may be the driver's again.
        self.events.lost += 1
        self.trace.event(code, data, ", lost: no driver")
        return False

    def interrupt(self, index):
        self.on_used(index)

    def handle(self, index, chain):
        try:
            super().handle(index, chain)
        except Breach as breach:
            self.breached(breach)
            if chain.head in self.rings[index].owned:
                self._refuse(index, chain)

    def _refuse(self, index, chain):
        if index == CONTROLQ:
            self.give_back(index, chain, chain.write(struct.pack("<I", BAD_MSG)))
        elif index == EVENTQ:
            self.give_back(index, chain, 0)
        else:
            self.sound.refuse(chain)
