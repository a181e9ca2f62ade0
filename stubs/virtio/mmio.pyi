# SPDX-License-Identifier: MIT
"""The virtio-mmio transport: every access to a device's registers is here and in legacy."""

from collections.abc import Iterator
from typing import Final

ACKNOWLEDGE: Final = 1
DRIVER: Final = 2
DRIVER_OK: Final = 4
FEATURES_OK: Final = 8
NEEDS_RESET: Final = 64
FAILED: Final = 128
def slots() -> Iterator[tuple[int, int]]:
    """Yield (base address, interrupt source) of every virtio-mmio slot of the board."""
def identify(base: int) -> int:
    """Return the device id behind the register page at `base`; 0 if there is no device."""
def transport(base: int, irq: int) -> MMIO:
    """Return the transport for the device at `base`: MMIO, or LegacyMMIO if its Version is 1."""

class MMIO:
    """The registers of the device at `base`, whose interrupt is PLIC source `irq`."""

    base: int
    irq: int
    version: int
    device_id: int
    vendor_id: int
    notify_va: int
    interrupt_status_va: int
    interrupt_ack_va: int
    def __init__(self, base: int, irq: int) -> None: ...
    def status(self) -> int:
        """The device status byte (2.1)."""
    def add_status(self, bit: int) -> None:
        """Set a status bit; no bit is ever cleared but by reset()."""
    def reset(self) -> None:
        """Reset the device and wait until it says that it has (2.4.2). OSError(ETIMEDOUT)."""
    def features(self) -> int:
        """The 64 feature bits that the device offers."""
    def accept(self, features: int) -> bool:
        """Tell the device which features the driver uses; False if it refuses them (2.2.2)."""
    def queue_size_max(self, index: int) -> int:
        """Largest size of queue `index` that the device takes; 0 if it has no such queue."""
    def set_queue(self, index: int, size: int, desc: int, driver: int, device: int) -> None:
        """Give queue `index` its size and the device addresses of its three parts."""
    def config(self, offset: int, count: int) -> tuple[int, ...]:
        """Return `count` 32-bit fields of the configuration space from byte `offset`, as a tuple.
        """

