# SPDX-License-Identifier: MIT
"""The split virtqueue (VirtIO 1.3, 2.7)."""

from collections.abc import Callable, Sequence
from typing import Final
from .cycle import Cycle
from .dma import Region
from .mmio import MMIO

INDIRECT_DESC: Final = 268435456
EVENT_IDX: Final = 536870912

_Part = tuple[int, int, bool]

class Queue:
    """Queue `index` of the device behind `transport`, with `size` descriptors (a power of two)."""

    index: int
    size: int
    event_idx: bool
    indirect: bool
    fail: Callable[[str], object]
    region: Region
    avail_va: int
    used_va: int
    notify_va: int
    taken: int
    batch: int
    busy: dict[int, object]
    written: dict[int, int]
    cycles: list[Cycle]
    def __init__(
        self,
        transport: MMIO,
        index: int,
        size: int,
        features: int,
        fail: Callable[[str], object],
    ) -> None: ...
    def chain(self, *parts: _Part) -> int:
        """Lay out a chain of (pa, bytes, writable) parts and return its head."""
    def chains(self, count: int, steps: Sequence[int], *parts: _Part) -> list[int]:
        """Lay out `count` chains that are alike, and return a list of their heads."""
    def pointer_va(self, head: int, part: int) -> int:
        """Where the 64-bit device address of a chain's part stands."""
    def repoint(self, head: int, part: int, pa: int) -> None:
        """Let part number `part` of a chain that is not submitted lie at another address."""
    def resize(self, head: int, read: int, write: int) -> None:
        """Give a chain of two parts that is not submitted the lengths `read` and `write` bytes."""
    def discard(self, head: int) -> None:
        """Give the descriptors of a chain back. It must not be submitted."""
    def submit(self, head: int, owner: object = None, kick: bool = True) -> None:
        """Hand the chain to the device, and kick it if it wants to be (2.7.13)."""
    def kick(self, idx: int, n: int) -> None:
        """Kick the device if it wants that for the `n` chains submitted from `idx` on (2.7.13)."""
    def reap(self) -> None:
        """Take back every chain that the device has used, in whatever order."""
    def post(self, region: Region, n: int, owner: object) -> None:
        """Submit as many buffers of `n` bytes, for the device to write, as there are descriptors.
        """
    def wake_after(self, taken: int) -> None:
        """Ask for an interrupt one return, or up to `batch` more, after entry `taken`."""
    def begin_cycle(self, heads: Sequence[int]) -> int:
        """Fill the available ring with `heads` over and over; return a count for both indexes."""
    def catch_up(self, submitted: int, returned: int) -> None:
        """Let the indexes be what the Cycle made of them, modulo 65536. Nothing is busy."""
    def renew(self, transport: MMIO) -> None:
        """Tell a device that was reset of the same queue, empty again. Its chains are kept.

        OSError(ENODEV) if the device has room for fewer descriptors now.
        """
    def free(self) -> None:
        """Return the rings to the arena. The device must have been reset."""

