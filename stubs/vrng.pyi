# SPDX-License-Identifier: MIT
"""Random numbers from the host through virtio-rng (VirtIO 1.3, 5.4 Entropy Device)."""

from typing import Self
from virtio.device import Device
from virtio.mmio import MMIO

def open() -> Rng:
    """Return the machine's entropy device, a Rng. OSError(ENODEV) if it has none."""

class Rng(Device):
    """An entropy device. `with` closes it."""

    def __init__(self, transport: MMIO) -> None: ...
    def read(self, n: int) -> bytes:
        """Return `n` random bytes. OSError(ETIMEDOUT) if the host has none within 5 s."""
    def close(self) -> None:
        """Reset the device and return its memory."""
    def __enter__(self) -> Self: ...
    def __exit__(self, *_: object) -> None: ...

def seed() -> bytes:
    """Return 32 bytes from the host for os.urandom(), or none if the machine has no device."""
