# SPDX-License-Identifier: MIT
"""Channel maps: which channel of a frame is which loudspeaker (VirtIO 1.3, 5.14.6.9)."""

from collections.abc import Sequence
from .card import Card
from .stream import Stream

REQUESTS: dict[int, str]
POSITIONS: tuple[str, ...]

class Chmap:
    """What the device says about channel map `id`.

    It applies to the streams with the same hda_fn_nid and direction (0 output, 1 input) that
    have as many channels. positions: a tuple of numbers, one for each channel of a frame.
    """

    id: int
    hda_fn_nid: int
    direction: int
    positions: tuple[int, ...]
    def __init__(self, id: int, nid: int, direction: int, positions: tuple[int, ...]) -> None: ...
    @property
    def names(self) -> str:
        """The specification's names of the positions, as in "FL FR"."""

def query(card: Card, total: int) -> tuple[Chmap, ...]:
    """Ask for `total` channel maps; return a tuple of Chmap, without those that make no sense.

    Empty if the device does not know CHMAP_INFO. OSError as card.request(), and EIO if the
    device claims more than 256 maps.
    """
def for_stream(chmaps: Sequence[Chmap], stream: Stream, channels: int) -> Chmap | None:
    """The first of `chmaps` that applies to a Stream record with so many channels, or None."""
