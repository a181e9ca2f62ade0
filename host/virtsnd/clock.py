# SPDX-License-Identifier: MIT
"""Simulated time, in microseconds. It moves only when somebody sleeps."""

import heapq
import itertools


class Clock:
    def __init__(self):
        self.now = 0
        self._due = []
        self._numbers = itertools.count()

    def at(self, when, call):
        """Call at time `when`, or as soon as time moves if that is past. Return an event."""
        event = [max(when, self.now), next(self._numbers), call]
        heapq.heappush(self._due, event)
        return event

    def cancel(self, event):
        if event is not None:
            event[2] = None

    def step(self, deadline):
        """Move to the next event that is due by `deadline`, or to the deadline."""
        if self._due and self._due[0][0] <= deadline:
            when, _, call = heapq.heappop(self._due)
            self.now = when
            if call is not None:
                call()
        else:
            self.now = deadline

    def run(self, us):
        """Let `us` microseconds pass."""
        deadline = self.now + us
        while self.now < deadline or self._due and self._due[0][0] <= deadline:
            self.step(deadline)
