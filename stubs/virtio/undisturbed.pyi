# SPDX-License-Identifier: MIT
"""Chains whose return is awaited while nothing else runs: no scheduled function, no Ctrl-C."""

from .queue import Queue

class Undisturbed:
    """Such chains of `queue`. sleep() only in a `with virt.lock`."""

    queue: Queue
    def __init__(self, queue: Queue) -> None: ...
    def chain(self, *parts: tuple[int, int, bool]) -> int:
        """As Queue.chain(), with two parts or more. fit() changes the length of part number 1."""
    def fit(self, head: int, n: int) -> None:
        """Let part number 1 of a chain that is not submitted have n bytes, at most as at first."""
    def sleep(self, ms: int) -> int:
        """Sleep until a chain is back that was not reaped; false if none is after `ms` ms."""
