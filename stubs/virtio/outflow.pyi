# SPDX-License-Identifier: MIT
"""The data path of a stream to the device: slots that are filled, sent and come back."""

from collections.abc import Callable
from typing import Any
from .cycle import Cycle

class Outflow(Cycle):
    """A Cycle whose slots the device reads."""

    write: Callable[..., int | None]
    def __init__(self, *arguments: Any, **named: Any) -> None: ...
    def ready(self) -> bool:
        """Whether write() can go on: a slot is free, or something came back."""
    def readiness(self) -> Callable[[int], object]:
        """Return due(n): whether write(buf, copy, start, False) is worth it for n bytes."""
    def back(self, head: int, length: int) -> None: ...
    def unlend(self, slot: int, n: int) -> None:
        """Let the n bytes from slot `slot` on, the driver's, play their own memory again."""
    def restart(self) -> None: ...

