# SPDX-License-Identifier: MIT
"""Chains that go round and round on a queue: the slots of one stream."""

from _typeshed import ReadableBuffer
from typing import Final
from .device import Device
from .queue import Queue

STATUS_BYTES: Final = 8
SUBMITTED: Final = 0
RETURNED: Final = 1
PARTIAL: Final = 2
BATCH: Final = 3
WAIT_MS: Final = 4
ALONE: Final = 5
CONSUMED: Final = 6

class Cycle:
    """Slots of `slot_bytes`, of which the device owns `limit` at most; see Outflow and Inflow."""

    device: Device
    queue: Queue
    slots: int
    slot_bytes: int
    limit: int
    grain: int
    owner: object
    kick: bool
    ok: int
    data_at: int
    data_pa: int
    status_at: int
    heads: list[int]
    counters: list[int]
    error: str | None
    inward: bool
    def __init__(
        self,
        device: Device,
        queue: Queue,
        header: ReadableBuffer,
        slot_bytes: int,
        grain: int,
        limit: int,
        ok: int,
        owner: object,
        kick: bool = True,
    ) -> None: ...
    def claim(self) -> None:
        """Take the rings over if no other stream uses them. The device must own no slot."""
    def rest(self, n: int) -> None:
        """Ask for an interrupt only when `n` more slots, or fewer, have come back."""
    def running(self, wait_ms: int) -> None:
        """Tell how long to wait for the device at a time; 0: it takes or gives nothing now."""
    def submitted(self) -> int:
        """Slots submitted since some time before this Cycle began."""
    def returned(self) -> int:
        """Slots returned, all earlier ones included, since the same time."""
    def in_flight(self) -> int:
        """Slots that the device owns, and those that came back before an older one did."""
    def news(self) -> bool:
        """Whether slots came back that nobody has looked at yet; if not, the next will interrupt.
        """
    def is_back(self, count: int) -> bool:
        """Whether the slot that was submitted as number `count` has come back."""
    def partial(self) -> int:
        """Bytes in the slot that is being filled, or taken from the one that is being emptied."""
    def latency(self) -> int:
        """Second word of the status of the newest slot that is back with all earlier ones."""
    def submit(self, upto: int) -> None:
        """Hand all slots before number `upto` to the device, by the queue, as it does itself.

        Only in a `with virt.lock`.
        """
    def restart(self) -> None:
        """Forget errors and a slot that was filled or emptied only in part."""
    def close(self) -> None:
        """Give chains and memory back; what the device may still own, only once it is reset."""
    def reap(self) -> None:
        """Take back what the device has returned, in any order, whatever the status."""
    def back(self, head: int, length: int) -> None:
        """The queue has reaped one of the slots; the device wrote so many bytes."""
    def look(self, slot: int, length: int) -> None:
        """Judge a slot that came back."""

