# SPDX-License-Identifier: MIT
"""The data path of a stream from the device: slots that come back full and are emptied."""

from collections.abc import Callable
from typing import Any
from .cycle import Cycle

class Inflow(Cycle):
    """A Cycle whose slots the device writes."""

    missing: int
    empty: int
    readinto: Callable[..., int | None]
    inward: bool
    def __init__(self, *arguments: Any, **named: Any) -> None: ...
    @property
    def ended(self) -> bool:
        """Whether the device gets no slots back."""
    @ended.setter
    def ended(self, flag: bool) -> None: ...
    def fill(self) -> None:
        """Give the device all the slots that it may own (5.14.6.8.2.2)."""
    def give(self, upto: int) -> None:
        """Hand all slots before number `upto` to the device. Only in a `with virt.lock`."""
    def offer_again(self, slot: int) -> None:
        """The slot goes to the device once more, with whatever that has written to it."""
    def lose(self, slot: int) -> None:
        """The slot comes back with nothing in it."""
    def make_room(self) -> None:
        """Forget the oldest slot that nobody has read, and hand it to the device."""
    def ready(self) -> bool:
        """Whether readinto() can go on: there is something to read, or something came back."""
    def readiness(self) -> Callable[[int], object]:
        """Return due(n), as an Outflow does."""
    def due(self, n: int) -> object:
        """Whether readinto(buf, start, False) may be worth it for n bytes."""
    def full(self) -> int:
        """Slots that can be read, or rest to be."""
    def readable(self) -> int:
        """Bytes that can be read."""
    def length(self, slot: int) -> int:
        """Bytes in a slot that came back."""
    def emptied(self, slot: int) -> None:
        """The slot may be written again."""
    def restart(self) -> None:
        """Also forget what was not read."""
    def look(self, slot: int, length: int) -> None: ...

