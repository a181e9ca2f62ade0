# SPDX-License-Identifier: MIT
"""Playback.

The life of a period: write() copies samples into a slot of a ring (virtio.Outflow); when
the slot is full its chain (header, data, status) goes to the device; the device returns
it once it has taken the samples; write() checks the status and fills the slot again. The
chains are laid out once, nothing is allocated per period.
"""

import errno
from micropython import const
from time import sleep_ms
from virt import nbytes
from virtio import Outflow
from .pcm import (
    ACTIVE, CLOSED, DRAINING, HALTED, PAUSED, PCM, POLLOUT, PREPARED, RUNNING, SETUP,
)
from .protocol import FORMATS

# A device may hold samples that it has already returned. One that reports
# latency_bytes says how many; for others, QEMU's figures: a mixing buffer of 1024
# frames, emptied by a timer of 10 ms, two ticks behind.
_TAIL_FRAMES = const(1024)
_TAIL_MS = const(25)
_STUCK = const("takes no samples: does QEMU's audiodev work?")


class Output(PCM):
    """Playback on one stream; made by Card.output().

    write() prepares and starts the stream by itself.
    """

    ready_flag = POLLOUT
    move = "write"

    def __init__(self, card, *parameters):
        super().__init__(card, *parameters, Outflow)
        self._batch = self.periods // 2  # wake write() once for every half of the ring
        self.write = self._ring.write  # the same as below, without a detour

    def _begin(self):
        self._ring.claim()
        self._dry_at = self._ring.submitted()  # nothing yet is no xrun
        self._origin = self._dry_at - self._ring.in_flight()  # or it was prepared twice

    def release(self):
        super().release()
        self._ring.restart()

    def write(self, buf, copy=True):
        """Queue all of `buf` (bytes-like, whole frames); return its length in bytes.

        Blocks while all periods are queued; after setblocking(False) it queues what it can, and
        returns how much that was, None if nothing. With copy=False whole periods are played from
        where they lie: `buf` must not change until they have been (drain()).

        ValueError for a part of a frame, OSError(ETIMEDOUT) if the device takes nothing,
        OSError(EIO) if it fails, OSError(EPERM) if the stream is closed.
        """
        return self._ring.write(buf, copy)

    async def awrite(self, buf, copy=True):
        """write() for asyncio: queue all of `buf` and let other tasks run meanwhile.

        A task that is cancelled here leaves the stream as it is, with a part of `buf` queued.
        """
        from .aio import transfer

        write = self._ring.write
        n = nbytes(buf)
        return await transfer(self, self._ring, lambda at: write(buf, copy, at, False), n, _STUCK)

    # What the ring asks of its owner.

    def begin(self):
        """Samples come, and the stream is not running."""
        if self._state is SETUP:
            self.prepare()
        self.only(self.move, (PREPARED, RUNNING, PAUSED))

    def blocked(self, waited):
        """All periods are queued, and more is to come: start, or wait."""
        if self._state is PREPARED:
            self.start()
            return False
        if not self._blocking:
            return True
        if self._state is PAUSED:
            raise OSError(
                errno.EAGAIN,
                "stream %d is PAUSED and all periods are queued: resume()" % self.stream.id,
            )
        self.only(self.move, (RUNNING,))  # a callback may have ended it
        self._more(_STUCK, waited)
        return False

    def ready(self):
        """Whether write() takes something at once, if it is only to raise an exception.

        As with a write() that finds all periods queued, playing begins.
        """
        if self._ring.ready():
            return self._state is not DRAINING
        try:
            if self._state is PREPARED:
                self.start()
        except OSError:
            return True  # write() will tell
        return False

    def ended(self):
        """Never: it can always be written."""
        return False

    # To the end

    def drain(self):
        """Return when everything that was written has been heard.

        A partial last period is padded with silence. Afterwards the stream is in state SETUP, and
        write() begins anew.
        """
        if self._state is SETUP:
            return
        if self._drain():
            try:
                self.until(0, "never returned what was queued", self._wait_ms)
                self.check()
                sleep_ms(self._tail_ms())
            except BaseException:
                self._undrain()
                raise
        self._drained()

    async def adrain(self):
        """drain() for asyncio: other tasks run meanwhile."""
        from asyncio import sleep_ms

        if self._state is SETUP:
            return
        if self._drain():
            try:
                period_ms = self.period * 1000 // self.rate + 1
                left = self._wait_ms
                while self._ring.in_flight() and left > 0:
                    await sleep_ms(period_ms)
                    left -= period_ms
                self.until(0, "never returned what was queued", 0)
                self.check()
                await sleep_ms(self._tail_ms())
            except BaseException:
                self._undrain()
                raise
        self._drained()

    def _drain(self):
        # Begin to drain; False if there is nothing to wait for.
        self._undisturbed("drain")
        self.only("drain", (PREPARED, RUNNING, PAUSED))
        ring = self._ring
        if ring.partial():
            self._pad(self.period_bytes - ring.partial())
        if ring.submitted() == self._origin:
            return False
        self.start()
        self._go(DRAINING)
        ring.rest(1)
        return True

    def _pad(self, n):
        # There is room in the slot: this never waits.
        sample = FORMATS[self.format][2]
        self._ring.write(bytes(n) if sample is None else sample * (n // len(sample)))

    def _tail_ms(self):
        # latency_bytes of the last period: what is still between it and the ear.
        return max(_TAIL_FRAMES, self.latency()) * 1000 // self.rate + _TAIL_MS

    # A callback may have ended the stream meanwhile.

    def _undrain(self):
        # Interrupted, or the device failed: it still runs.
        if self._state is DRAINING:
            self._go(RUNNING)

    def _drained(self):
        if self._state in ACTIVE:
            self.stop()
        if self._state in HALTED:
            self.release()

    def close(self):
        """Drain, unless drop() was called, and give the stream back. May be called again."""
        if self._state is not CLOSED:
            self._undisturbed("close")
            try:
                self.drain()
            except BaseException:
                self._give_up()
                raise
            self.abort()  # only gives it back

    async def aclose(self):
        """close() for asyncio. A task that is cancelled here has dropped what was left."""
        if self._state is not CLOSED:
            self._undisturbed("close")
            try:
                await self.adrain()
            except BaseException:
                self._give_up()
                raise
            self.abort()

    async def __aenter__(self):
        return self

    async def __aexit__(self, kind, value, traceback):
        if kind is None:
            await self.aclose()
        else:
            self._give_up()

    # One period at a time, with tokens

    def xfer_nb(self, buf, copy=True):
        """Queue one period (or less: the rest is silence) and return a token for xfer_ok().

        OSError(EAGAIN) if all periods are queued; ValueError for more than a period, or after a
        write() that left one partly filled; OSError(EPERM) if the stream is closed or drains.
        """
        self.only("xfer_nb", (SETUP, PREPARED, RUNNING, PAUSED))
        if self._state is SETUP:
            self.prepare()  # tokens begin anew
        ring = self._ring
        n = nbytes(buf)
        if not 0 < n <= self.period_bytes or ring.partial():
            raise ValueError(
                "a transfer of %d bytes after %d of a period: want 1..%d after 0"
                % (n, ring.partial(), self.period_bytes)
            )
        if ring.in_flight() == self.periods:
            raise OSError(
                errno.EAGAIN, "stream %d: all periods are queued: xfer_ok()" % self.stream.id
            )
        token = ring.submitted()
        ring.write(buf, copy)
        if n < self.period_bytes:
            self._pad(self.period_bytes - n)
        return token

    def xfer_ok(self, token):
        """Wait until the device has returned the period of that token, in whatever order.

        Playing begins, if it has not yet.

        ValueError if no such period was queued, OSError(ETIMEDOUT), OSError(EIO).
        """
        ring = self._ring
        if not isinstance(token, int) or not self._origin <= token < ring.submitted():
            raise ValueError("no transfer has the token %r" % (token,))
        if self._state is PREPARED:
            self.start()
        self.wait(lambda: ring.is_back(token), "transfer not done", self._wait_ms)
        self.check()

    def xfer(self, buf, copy=True):
        """Queue all of `buf`, its last period padded, and return when the device has taken it.

        It blocks after setblocking(False) too. Otherwise as write().
        """
        blocking = self._blocking
        self.setblocking(True)
        try:
            n = self.write(buf, copy)
        finally:
            self.setblocking(blocking)
        if self._ring.partial():
            self._pad(self.period_bytes - self._ring.partial())
        if self._state is PREPARED:
            self.start()
        self.until(0, "never returned what was queued", self._wait_ms)
        self.check()
        return n

    # Position and latency, in frames

    def avail(self):
        """Frames that write() takes without blocking."""
        return self.period * self.periods - self._queued()

    def _queued(self):
        return self._ring.in_flight() * self.period + self._ring.partial() // self.frame_bytes

    def delay(self):
        """Frames until what is written now is heard: queued, and in the device if it tells."""
        return self._queued() + (self.latency() if self._state in ACTIVE else 0)

    def position(self):
        """Frames taken by the device since prepare()."""
        ring = self._ring
        return (ring.submitted() - self._origin - ring.in_flight()) * self.period
