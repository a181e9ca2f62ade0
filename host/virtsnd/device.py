# SPDX-License-Identifier: MIT
"""The virtio sound device between its transport and its streams."""

import struct

from .ring import Ring
from .rules import rule
from .sound import Sound, StreamInfo

CONTROLQ, EVENTQ, TXQ, RXQ = range(4)

EVENT_IDX = 1 << 29
VERSION_1 = 1 << 32


class SoundDevice:
    """A device of type 25.

    The transport calls start(), reset(), add_queue(), kick(), and is called back:
    notify() when the driver wants to know of used buffers. Whatever takes time goes by `clock`.

    What a test may change, besides what Sound offers: `used`, a function of queue number, head
    and length that gives the used entries which are really written.
    """

    ID = 25
    VENDOR = 0x554D4551

    def __init__(self, clock, memory, streams=(StreamInfo(),), features=VERSION_1 | EVENT_IDX,
                 queue_max=(64, 64, 64, 64), kick_us=20, poison=True):
        self.clock = clock
        self.memory = memory
        self.features = features
        self.queue_max = list(queue_max)
        self.kick_us = kick_us
        self.poison = poison
        self.silent = False  # look at the queues every millisecond, and ask for no kicks
        self.refuse_features = False
        self.accepted = 0
        self.rings = {}
        self.live = False
        self.notify = lambda: None
        self.used = lambda index, head, length: [(head, length)]
        self.kicks = []  # queue numbers
        self.spurious = 0  # kicks that were not asked for
        self.sound = Sound(clock, streams, lambda chain, n: self.give_back(TXQ, chain, n))
        self._events = []

    def config(self):
        """The configuration space: jacks, streams, chmaps."""
        return struct.pack("<III", 0, len(self.sound.infos), 0)

    def reset(self):
        self.live = False
        self.rings = {}
        self.accepted = 0
        for event in self._events:
            self.clock.cancel(event)
        self._events = []
        self.sound.reset()

    def add_queue(self, index, size, desc, avail, used):
        event_idx = bool(self.accepted & EVENT_IDX)
        ring = Ring(self.memory, index, size, desc, avail, used, event_idx, self.poison)
        ring.silent = self.silent
        ring.ask()
        self.rings[index] = ring

    def start(self):
        """The driver has set DRIVER_OK."""
        self.live = True
        if self.silent:
            self._poll()

    def kick(self, index):
        rule(index in self.rings, "4.2.2", f"kick for queue {index}, which is not ready")
        self.kicks.append(index)
        self.spurious += not self.rings[index].kicked()
        served = self.clock.at(self.clock.now + self.kick_us, lambda: self.serve(index))
        self._events.append(served)

    def _poll(self):
        for index in self.rings:
            self.serve(index)
        self._events = [self.clock.at(self.clock.now + 1000, self._poll)]

    def serve(self, index):
        """Take what the driver has made available."""
        ring = self.rings[index]
        while (chain := ring.pop()) is not None:
            ring.ask()
            if index == CONTROLQ:
                answer = self.sound.control(chain.read(), chain.room)
                if answer is not None:
                    self.give_back(index, chain, chain.write(answer))
            elif index == TXQ:
                self.sound.transmit(chain)
            elif index == EVENTQ:
                rule(not chain.readable, "S-03", "eventq: a buffer to read")
                rule(chain.room >= 8, "S-02", f"eventq: a buffer of {chain.room} bytes")

    def give_back(self, index, chain, length):
        ring = self.rings[index]
        for head, n in self.used(index, chain.head, length):
            ring.push(head, n)
        if ring.interrupt_wanted():
            self.notify()

    def tick(self, periods=1, stream=0):
        """Let periods of a stream pass, whatever the clock says."""
        for _ in range(periods):
            self.serve(TXQ)
            self.sound.play(self.sound.streams[stream])
