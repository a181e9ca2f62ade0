# SPDX-License-Identifier: MIT
"""A card whose device asks for a reset (DEVICE_NEEDS_RESET, 2.1.2): see docs/recovery.md."""

from .card import Card

def asked(card: Card) -> None:
    """The device has asked for a reset: do it, or leave it to the request that is under way."""
def mend(card: Card) -> None:
    """Recover the card if its device has asked for a reset. OSError(EIO) if it is of no use."""
def once_more(
    card: Card,
    answer: bytes | None,
    failure: OSError | None,
    message: bytes,
    response_bytes: int,
) -> bytes:
    """After a request in the middle of which something happened: return the answer to it."""
def forget(card: Card) -> None:
    """Let the device drop all buffers of streams that could not be ended. Then it can be reset."""
def purge(card: Card) -> None:
    """As forget(), for a device that had another life of which nothing is known. It is as new."""
