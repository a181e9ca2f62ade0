# SPDX-License-Identifier: MIT
"""Capture."""

from _typeshed import WriteableBuffer
from typing import Any, Self
from .card import Card
from .pcm import PCM

class Input(PCM):
    """Capture on one stream; made by Card.input().

    readinto() prepares and starts the stream by itself.
    """

    ready_flag: int
    move: str
    def __init__(self, card: Card, *parameters: Any) -> None: ...
    def start(self) -> None: ...
    def release(self) -> None: ...
    def readinto(self, buf: WriteableBuffer) -> int | None:
        """Fill `buf` (writable, whole frames) with samples; return its length in bytes.

        Blocks until it is full; after setblocking(False) it takes what is there, and returns how
        much that was, None if nothing. After drain() it returns what is left, 0 in the end.

        ValueError for a part of a frame, OSError(ETIMEDOUT) if the device gives nothing,
        OSError(EIO) if it fails, OSError(EPERM) if the stream is closed.
        """
    def read(self, n: int) -> bytes | None:
        """readinto() a new buffer of n bytes; return what came, as bytes, or None."""
    async def areadinto(self, buf: WriteableBuffer) -> int:
        """readinto() for asyncio: fill all of `buf` and let other tasks run meanwhile.

        A task that is cancelled here leaves the stream as it is, less a part that is in `buf`.
        """
    def begin(self) -> None:
        """Samples are wanted, and the stream is not running."""
    def blocked(self, waited: object) -> bool:
        """There is nothing to read, and more is wanted: wait."""
    def ready(self) -> bool:
        """Whether readinto() gets something at once, if it is only the end, or an exception.

        As with a readinto(), recording begins.
        """
    def drop(self) -> None: ...
    def ended(self) -> bool:
        """Whether nothing is recorded any more, and all was read."""
    def drain(self) -> None:
        """Stop recording; what is recorded can still be read. Afterwards the state is SETUP.

        To record again: prepare(), or drop(), which forgets what was not read.
        """
    def close(self) -> None:
        """Stop recording and give the stream back. May be called again."""
    async def __aenter__(self) -> Self: ...
    async def __aexit__(self, kind: object, value: object, traceback: object) -> None: ...
    def avail(self) -> int:
        """Frames that readinto() gets without blocking."""
    def delay(self) -> int:
        """Frames recorded and not yet read, with those still in the device, if it tells."""
    def position(self) -> int:
        """Frames that the device has recorded since prepare()."""

