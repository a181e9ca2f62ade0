# SPDX-License-Identifier: MIT
"""The event queue: the driver's empty buffers, and what the device tells in them (5.14.6.7)."""

import struct
from collections import deque

from .protocol import EVENTQ
from .rules import rule


class Events:
    """hold: keep events until a buffer comes; else those without one are `lost`, a count.

    wanted: SET_PARAMS is a breach while the driver never had a buffer here.
    """

    def __init__(self, device):
        self.device = device
        self.hold = False
        self.wanted = True
        self.lost = 0
        self._came = False  # a buffer, since the reset
        self._buffers = deque()
        self._held = deque()

    def reset(self):
        self._buffers.clear()
        self._held.clear()
        self._came = False

    def take(self, chain):
        """A buffer came."""
        rule(not chain.readable, "S-03", "event queue: a buffer to read")
        rule(chain.room >= 8, "S-02", f"event queue: a buffer of {chain.room} bytes")
        self._came = True
        self._buffers.append(chain)
        if self._held:
            self._send(*self._held.popleft())

    def check(self):
        """The driver begins to use streams: by now it should listen."""
        if self.wanted and self.device.live:
            self.device.serve(EVENTQ)
            rule(self._came, "S-02", "SET_PARAMS, and never a buffer for events")

    def put(self, data, length):
        """Send bytes, and say that `length` were written. Return whether there was a buffer."""
        if self.device.live:
            self.device.serve(EVENTQ)
        if self._buffers:
            self._send(data, length)
            return True
        if self.hold:
            self._held.append((data, length))
        else:
            self.lost += 1
        return False

    def _send(self, data, length):
        chain = self._buffers.popleft()
        chain.write(data)
        self.device.give_back(EVENTQ, chain, length)


def event(code, data):
    return struct.pack("<II", code, data)

