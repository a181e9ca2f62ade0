# SPDX-License-Identifier: MIT
"""Item information requests: what JACK_INFO, CHMAP_INFO and CTL_INFO have in common
(VirtIO 1.3, 5.14.6.1)."""

from .card import Card

def query_info(code: int, start_id: int, count: int, size: int) -> bytes:
    """Ask for the records of `count` items from `start_id` on, `size` bytes each."""
def records(
    card: Card, code: int, total: int, size: int, most: int, what: str
) -> list[bytes]:
    """Return a list of the records (bytes) of items 0..total-1, asked for 16 at a time.

    It is empty if the device does not know the request (BAD_MSG or NOT_SUPP): a card works
    without these items. OSError(EIO) if the device claims more than `most` of them.
    """
