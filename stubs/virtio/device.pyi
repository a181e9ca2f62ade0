# SPDX-License-Identifier: MIT
"""A virtio device from reset to reset: handshake, queues, interrupts (VirtIO 1.3, 3.1)."""

from collections.abc import Callable, Sequence
from typing import Final
from .dma import Region
from .mmio import MMIO
from .queue import Queue

VERSION_1: Final = 4294967296
def find(device_id: int) -> MMIO | None:
    """Return the transport of the first device with this id (5), None if there is none."""

class Device:
    """The device behind `transport`, with its features negotiated and its queues set up."""

    transport: MMIO
    error: str | None
    listeners: tuple[Callable[[], object], ...]
    queues: tuple[Queue, ...]
    orphans: list[Region]
    features: int
    def __init__(
        self,
        transport: MMIO,
        supported: int,
        queues: Sequence[int],
        watched: int | None = None,
    ) -> None: ...
    def needs_reset(self) -> None:
        """The device has met an error and wants to be reset (2.1.2). Drivers may override this."""
    def config_changed(self) -> None:
        """The configuration space has changed. Drivers that use it again override this."""
    def listen(self, listener: Callable[[], object], on: bool = True) -> None:
        """Call listener() soon after every interrupt of the device, or no longer."""
    def fail(self, why: str) -> None:
        """From now on the device is not to be used, until it is reset."""
    def check(self) -> None:
        """OSError(EIO) if the device has broken the rules or asked for a reset."""
    def wait(self, done: Callable[[], object], ms: int) -> bool:
        """Sleep until done() is true; False if it is not after `ms` milliseconds."""
    def release(self, region: Region) -> None:
        """Give one of `orphans` back to the arena: the device has returned it."""
    def returned(self, queue: Queue, head: int, ms: int) -> bool:
        """Sleep until the device has returned a chain; False after `ms` ms."""
    def request(self, queue: Queue, head: int, ms: int) -> bool:
        """Submit a chain and sleep until the device has returned it; False after `ms` ms."""
    def quiet(self) -> None:
        """Stop whatever the device does on its own. Drivers that start something override it."""
    def close(self) -> None:
        """Reset the device and return its rings to the arena."""

