# SPDX-License-Identifier: MIT
"""Playback."""

from _typeshed import ReadableBuffer
from typing import Any, Self
from .card import Card
from .pcm import PCM

class Output(PCM):
    """Playback on one stream; made by Card.output().

    write() prepares and starts the stream by itself.
    """

    ready_flag: int
    move: str
    def __init__(self, card: Card, *parameters: Any) -> None: ...
    def release(self) -> None: ...
    def write(self, buf: ReadableBuffer, copy: bool = True) -> int | None:
        """Queue all of `buf` (bytes-like, whole frames); return its length in bytes.

        Blocks while all periods are queued; after setblocking(False) it queues what it can, and
        returns how much that was, None if nothing. With copy=False whole periods are played from
        where they lie: `buf` must not change until they have been (drain()).

        ValueError for a part of a frame, OSError(ETIMEDOUT) if the device takes nothing,
        OSError(EIO) if it fails, OSError(EPERM) if the stream is closed.
        """
    async def awrite(self, buf: ReadableBuffer, copy: bool = True) -> int:
        """write() for asyncio: queue all of `buf` and let other tasks run meanwhile.

        A task that is cancelled here leaves the stream as it is, with a part of `buf` queued.
        """
    def begin(self) -> None:
        """Samples come, and the stream is not running."""
    def blocked(self, waited: object) -> bool:
        """All periods are queued, and more is to come: start, or wait."""
    def ready(self) -> bool:
        """Whether write() takes something at once, if it is only to raise an exception.

        As with a write() that finds all periods queued, playing begins.
        """
    def ended(self) -> bool:
        """Never: it can always be written."""
    def drain(self) -> None:
        """Return when everything that was written has been heard.

        A partial last period is padded with silence. Afterwards the stream is in state SETUP, and
        write() begins anew.
        """
    async def adrain(self) -> None:
        """drain() for asyncio: other tasks run meanwhile."""
    def close(self) -> None:
        """Drain, unless drop() was called, and give the stream back. May be called again."""
    async def aclose(self) -> None:
        """close() for asyncio. A task that is cancelled here has dropped what was left."""
    async def __aenter__(self) -> Self: ...
    async def __aexit__(self, kind: object, value: object, traceback: object) -> None: ...
    def xfer_nb(self, buf: ReadableBuffer, copy: bool = True) -> int:
        """Queue one period (or less: the rest is silence) and return a token for xfer_ok().

        OSError(EAGAIN) if all periods are queued; ValueError for more than a period, or after a
        write() that left one partly filled; OSError(EPERM) if the stream is closed or drains.
        """
    def xfer_ok(self, token: int) -> None:
        """Wait until the device has returned the period of that token, in whatever order.

        Playing begins, if it has not yet.

        ValueError if no such period was queued, OSError(ETIMEDOUT), OSError(EIO).
        """
    def xfer(self, buf: ReadableBuffer, copy: bool = True) -> int:
        """Queue all of `buf`, its last period padded, and return when the device has taken it.

        It blocks after setblocking(False) too. Otherwise as write().
        """
    def avail(self) -> int:
        """Frames that write() takes without blocking."""
    def delay(self) -> int:
        """Frames until what is written now is heard: queued, and in the device if it tells."""
    def position(self) -> int:
        """Frames taken by the device since prepare()."""

