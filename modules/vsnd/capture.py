# SPDX-License-Identifier: MIT
"""Capture.

The life of a period: all slots of a ring (virtio.Inflow) are the device's before it starts;
it returns one when it is full; readinto() copies the samples out and gives the slot
back. The chains are laid out once, nothing is allocated per period.
"""

import errno
from micropython import const
from virt import nbytes
from virtio.inflow import Inflow
from .pcm import ACTIVE, HALTED, PAUSED, PCM, POLLIN, PREPARED, RUNNING, SETUP

_STUCK = const("gives no samples: does QEMU's audiodev record?")


class Input(PCM):
    """Capture on one stream; made by Card.input().

    readinto() prepares and starts the stream by itself.
    """

    ready_flag = POLLIN
    move = "readinto"

    def __init__(self, card, *parameters):
        super().__init__(card, *parameters, Inflow)
        self.readinto = self._ring.readinto  # the same as below, without a detour

    def _begin(self):
        ring = self._ring
        if not ring.in_flight():  # or it was prepared twice
            ring.restart()
            ring.claim()
            ring.missing = 0
            self._origin = ring.submitted()
        self._dry_at = -1

    def start(self):
        if self._state is PREPARED:
            self._ring.fill()
        self._ring.empty = 0
        super().start()

    def release(self):
        super().release()
        self._ring.ended = True

    def readinto(self, buf):
        """Fill `buf` (writable, whole frames) with samples; return its length in bytes.

        Blocks until it is full; after setblocking(False) it takes what is there, and returns how
        much that was, None if nothing. After drain() it returns what is left, 0 in the end.

        ValueError for a part of a frame, OSError(ETIMEDOUT) if the device gives nothing,
        OSError(EIO) if it fails, OSError(EPERM) if the stream is closed.
        """
        return self._ring.readinto(buf)

    def read(self, n):
        """readinto() a new buffer of n bytes; return what came, as bytes, or None."""
        if not isinstance(n, int) or n < 0:
            raise ValueError("n is %r bytes, must be an int, 0 or more" % (n,))
        buf = bytearray(n)
        n = self._ring.readinto(buf)
        return None if n is None else bytes(memoryview(buf)[:n])

    async def areadinto(self, buf):
        """readinto() for asyncio: fill all of `buf` and let other tasks run meanwhile.

        A task that is cancelled here leaves the stream as it is, less a part that is in `buf`.
        """
        from .aio import transfer

        readinto = self._ring.readinto
        n = nbytes(buf)
        return await transfer(self, self._ring, lambda at: readinto(buf, at, False), n, _STUCK)

    # What the ring asks of its owner.

    def begin(self):
        """Samples are wanted, and the stream is not running."""
        if self._state is SETUP and not self._ring.ended:
            self.prepare()
        if self._state is PREPARED:
            self.start()
        self.only(self.move, (SETUP, RUNNING, PAUSED))

    def blocked(self, waited):
        """There is nothing to read, and more is wanted: wait."""
        if not self._blocking:
            return True
        if self._state is PAUSED:
            raise OSError(
                errno.EAGAIN, "stream %d is PAUSED and all was read: resume()" % self.stream.id
            )
        self.only(self.move, (RUNNING,))  # a callback may have ended it
        self._more(_STUCK, waited)
        return False

    def ready(self):
        """Whether readinto() gets something at once, if it is only the end, or an exception.

        As with a readinto(), recording begins.
        """
        if self._ring.ended:
            return True
        try:
            if self._state in (SETUP, PREPARED):
                self.begin()
        except OSError:
            return True  # readinto() will tell
        return self._ring.ready()

    def ended(self):
        """Whether nothing is recorded any more, and all was read."""
        return self._ring.ended and not self._ring.full()

    # To the end

    def drop(self):
        super().drop()
        if not self._ring.in_flight():
            self._ring.restart()

    def drain(self):
        """Stop recording; what is recorded can still be read. Afterwards the state is SETUP.

        To record again: prepare(), or drop(), which forgets what was not read.
        """
        self.only("drain", (SETUP, PREPARED, RUNNING, PAUSED))
        if self._state in ACTIVE:
            self.stop()
        if self._state in HALTED:
            self.release()

    def close(self):
        """Stop recording and give the stream back. May be called again."""
        self.abort()

    async def __aenter__(self):
        return self

    async def __aexit__(self, kind, value, traceback):
        self.__exit__(kind, value, traceback)

    # Position and latency, in frames

    def avail(self):
        """Frames that readinto() gets without blocking."""
        return self._ring.readable() // self.frame_bytes

    def delay(self):
        """Frames recorded and not yet read, with those still in the device, if it tells."""
        return self.avail() + (self.latency() if self._state in ACTIVE else 0)

    def position(self):
        """Frames that the device has recorded since prepare()."""
        ring = self._ring
        n = (ring.returned() - self._origin) * self.period_bytes - ring.missing
        return n // self.frame_bytes
