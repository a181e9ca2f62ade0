# SPDX-License-Identifier: MIT
"""Streams that play: buffers from the tx queue, and what is heard of them (5.14.6.8.1)."""

from collections import deque

from .protocol import OK, TXQ
from .rules import rule
from .streams import Stream


class OutputStream(Stream):
    """A Stream that plays.

    `played` are the bytes of all periods that are done; `heard` those that have left the device's
    own buffer of `latency_bytes`, `heard_at` a (time, length of `heard`) for each time that it
    grew. `dropped` went back to the driver and was not played, `lost` was played and not heard.
    """

    QUEUE = TXQ

    def __init__(self, sound, id, info):
        super().__init__(sound, id, info)
        self.lost_at = info.lost_at
        self.ended = False  # a buffer shorter than a period came
        self.played = bytearray()
        self.dropped = bytearray()
        self.heard = bytearray()
        self.heard_at = []
        self.lost = bytearray()
        self._inside = deque()  # [time of its first sound, bytes] in the device's own buffer
        self._halted = None  # since when

    def take(self, chain, data):
        """A buffer came: header and samples."""
        n, period = len(data) - 4, self.period_bytes
        rule(n <= period, "S-14", f"tx: {n} bytes, a period has {period}")
        rule(not self.ended, "S-14", "tx: a buffer after one that was no full period")
        self.ended = n < period
        self.pending.append((chain, data))

    def prepare(self, request):
        super().prepare(request)
        self.ended = False

    def start(self, request):
        super().start(request)
        if self._halted is not None:
            for piece in self._inside:
                piece[0] += self.clock.now - self._halted
                self._listen_later(piece)
            self._halted = None

    def stop(self, request):
        super().stop(request)
        self._listen()
        if self._inside:
            start, data = self._inside[0]
            n = self.whole_frames(max(self.clock.now - start, 0))
            self._hear(data[:n])
            self._inside[0] = [start + self.us(n), data[n:]]
        self._halted = self.clock.now
        if self.lost_at == "STOP":
            self._lose()

    def release(self, request):
        super().release(request)
        self._lose()
        self._halted = None

    def returned(self, chain, data):
        self.dropped += data[4:]
        super().returned(chain, data)

    def period(self):
        """A period passes."""
        done = self.next()
        if done:
            chain, data, status, latency = done
            if status == OK:
                self.played += data[4:]
                self._delay(data[4:])
            self.give_back(chain, data, status, latency)

    # The device's own buffer

    def _delay(self, data):
        if self.latency_bytes == 0 and not self._inside:
            self._hear(data)
            return
        start = self.clock.now + self.us(self.latency_bytes) - self.us(len(data))
        piece = [start, data]
        self._inside.append(piece)
        self._listen_later(piece)

    def _listen_later(self, piece):
        self.clock.at(piece[0] + self.us(len(piece[1])), self._listen)

    def _listen(self):
        """Hear what is due by now. Half a microsecond is less than any frame lasts."""
        while self._inside and self._halted is None:
            start, data = self._inside[0]
            if start + self.us(len(data)) > self.clock.now + 0.5:
                break
            self._inside.popleft()
            self._hear(data)

    def _hear(self, data):
        if data:
            self.heard += data
            self.heard_at.append((self.clock.now, len(self.heard)))

    def _lose(self):
        for _, data in self._inside:
            self.lost += data
        self._inside.clear()

    def end(self):
        super().end()
        self._lose()
