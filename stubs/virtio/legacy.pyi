# SPDX-License-Identifier: MIT
"""The legacy interface of virtio-mmio, Version 1: what differs from Version 2 (VirtIO 1.3, 4.2.4).
"""

from .mmio import MMIO

class LegacyMMIO(MMIO):
    """As MMIO, for a device whose Version is 1. Such a device cannot offer VERSION_1."""

    def reset(self) -> None:
        """Reset the device and tell it the page size. OSError(ETIMEDOUT)."""
    def features(self) -> int:
        """The feature bits that the device offers: 32 of them."""
    def accept(self, features: int) -> bool:
        """Tell the device which features the driver uses. True: it has no way to refuse."""
    def queue_size_max(self, index: int) -> int:
        """Largest size of queue `index` that the device takes; 0 if it has no such queue."""
    def set_queue(self, index: int, size: int, desc: int, driver: int, device: int) -> None:
        """Give queue `index` its size and the address of its first part; 2.7.2 says where the
        other two are. OSError(ENOMEM) if the number of the page has more than 32 bits."""
    def config(self, offset: int, count: int) -> tuple[int, ...]:
        """Return `count` 32-bit fields of the configuration space from byte `offset`, as a tuple.
        """

