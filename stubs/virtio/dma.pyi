# SPDX-License-Identifier: MIT
"""The DMA arena: one static block outside the Python heap."""

from _typeshed import ReadableBuffer
from collections.abc import Callable

arena: memoryview

class Region:
    """`size` bytes of the arena at index `at`, processor address `va`, device address `pa`."""

    at: int
    size: int
    va: int
    pa: int
    def __init__(self, at: int, size: int) -> None: ...
    def store(self, buf: ReadableBuffer, offset: int = 0) -> None:
        """Copy the bytes-like `buf` into the region, `offset` bytes from its start."""
    def load(self, n: int | None = None, offset: int = 0) -> bytes:
        """Return a private copy of n bytes (default: all): what a device wrote is read once."""

def alloc(size: int, align: int = 16) -> Region:
    """Return a zeroed Region of `size` bytes whose pa is a multiple of `align` (a power of two).
    """
def free(region: Region) -> None:
    """Return a region that no device can reach any more."""

point: Callable[[int, ReadableBuffer, int], None]

def available() -> int:
    """Bytes of the arena that are not in use."""
