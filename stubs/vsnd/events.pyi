# SPDX-License-Identifier: MIT
"""What the device tells without being asked (5.14.6.3)."""

from collections.abc import Callable
from typing import Any, Final, NamedTuple, Self
from io import IOBase
from virtio.dma import Region
from virtio.queue import Queue
from .card import Card

class Event(NamedTuple):
    name: str
    item: Any  # Jack, Stream, Control or Card
    mask: int

VALUE: Final = 1
INFO: Final = 2
TLV: Final = 4

class Events(IOBase):
    """The events of a card: `card.events`.

    Handed out in one of three ways: irq(handler), wait(ms), or `async for event in card.events`.
    Up to 32 that nobody has fetched are kept, and `lost` counts older ones. What the driver itself
    keeps (Jack.connected, Output.xruns) is up to date in any case.
    """

    lost: int
    def __init__(self, card: Card, queue: Queue, region: Region) -> None: ...
    def renew(self, queue: Queue, region: Region) -> None:
        """The device was reset and has other buffers."""
    def back(self, head: int, length: int) -> None:
        """The device has used a buffer: note what it says and give the buffer back."""
    def take(self, code: int, data: int) -> None:
        """Note what an event says; ignore unknown ones, and those about nothing that exists."""
    def config_changed(self) -> None:
        """The configuration space has changed."""
    def put(self, event: Event) -> None:
        """Keep an event and see to it that it is handed out."""
    def hand_out(self) -> None:
        """Let the handler have what is kept, soon."""
    def irq(self, handler: Callable[[Event], object] | None) -> None:
        """Call handler(event) for each event, as a scheduled function; None: keep them again."""
    def wait(self, ms: int = 0) -> Event | None:
        """Return the next event; None if there is none within `ms` milliseconds."""
    def ioctl(self, request: int, flags: int) -> int:
        """MicroPython's stream protocol: events can be polled for reading."""
    def __aiter__(self) -> Self: ...
    async def __anext__(self) -> Event: ...

