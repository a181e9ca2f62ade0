# SPDX-License-Identifier: MIT
"""A device that asked for a reset, with the rings, chains and memory that it had (2.1.2)."""

from collections.abc import Iterable
from .cycle import Cycle
from .device import Device

def renew(device: Device) -> None:
    """Reset `device` and bring it up as it was: the same features, queues, chains; all empty."""
def collect(device: Device, indexes: Iterable[int]) -> None:
    """Take back what a device that was reset had returned on these queues of streams."""
def again(cycle: Cycle) -> None:
    """Hand the device all slots that it had: they are played, or recorded to, from the start."""
def take_back(cycle: Cycle) -> None:
    """All slots come back: not played, or with nothing in them."""
