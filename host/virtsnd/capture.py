# SPDX-License-Identifier: MIT
"""Streams that record: empty buffers from the rx queue, and what fills them (5.14.6.8.2)."""

from .protocol import OK, RXQ, silence
from .rules import rule
from .streams import Stream


class InputStream(Stream):
    """A Stream that records `feed`.

    `recorded` are the bytes that the driver got, `missed` those for which there was no buffer.
    """

    QUEUE = RXQ

    def __init__(self, sound, id, info):
        super().__init__(sound, id, info)
        self.partial_at = info.partial_at
        self.status_at = info.status_at
        self.feed = info.feed
        self.fed = 0  # bytes of the feed that are over
        self.recorded = bytearray()
        self.missed = bytearray()
        self._part = b""  # of the period that has begun
        self._since = 0  # when it began

    def take(self, chain, data):
        """An empty buffer came."""
        n = chain.room - 8
        rule(n == self.period_bytes, "S-16", f"rx: {n} bytes, a period has {self.period_bytes}")
        self.pending.append((chain, data))

    def check_start(self, request):
        rule(self.pending, "S-16", "START of an input with no buffer queued")

    def prepare(self, request):
        super().prepare(request)
        self._part = b""

    def start(self, request):
        self._since = self.clock.now - self.us(len(self._part))
        self.schedule(self._since + self.us(self.period_bytes))

    def stop(self, request):
        super().stop(request)
        n = self.whole_frames(self.clock.now - self._since)
        self._part += self._next_bytes(min(n, self.period_bytes) - len(self._part))
        if self.partial_at == "STOP" and self._part and self.pending:
            self.returned(*self.pending.popleft())

    def release(self, request):
        super().release(request)
        self.missed += self._part
        self._part = b""

    def returned(self, chain, data):
        part, self._part = self._part, b""
        self._fill(chain, data, part, OK, 0)

    def period(self):
        """A period passes."""
        samples = self._part + self._next_bytes(self.period_bytes - len(self._part))
        self._part = b""
        self._since = self.clock.now
        done = self.next()
        if done is None:
            self.missed += samples
            return
        chain, data, status, latency = done
        if status != OK:
            self.missed += samples
            samples = b""
        self._fill(chain, data, samples, status, latency)

    def _fill(self, chain, data, samples, status, latency):
        chain.write(samples)
        self.recorded += samples
        at = len(samples) if self.status_at == "data" else chain.room - 8
        self.give_back(chain, data, status, latency, at, len(samples) + 8)

    def _next_bytes(self, n):
        if callable(self.feed):
            data = bytes(self.feed(n))[:n]
        else:
            data = bytes(memoryview(self.feed).cast("B")[self.fed : self.fed + n])
        self.fed += n
        return data + silence(self.params.format, n - len(data))
