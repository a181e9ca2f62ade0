# SPDX-License-Identifier: MIT
"""CTL_INFO: what the device says about its control elements (VirtIO 1.3, 5.14.6.10.1)."""

from typing import Final, NamedTuple
from .card import Card

ITEMS_MAX: Final = 1024
TYPES: tuple[tuple[str, int, str | None], ...]

class Info(NamedTuple):
    hda_fn_nid: int
    role: str | None
    direction: int | None
    type: str
    access: tuple[str, ...]
    count: int  # type: ignore[assignment]
    index: int  # type: ignore[assignment]
    name: str
    minimum: int
    maximum: int
    step: int
    format: str | None

def text(raw: bytes) -> str:
    """A str of the ASCII in a field of bytes, up to the first NUL or the end."""
def parse(row: bytes) -> Info | None:
    """Make an Info of a record of 92 or 96 bytes; None if it makes no sense.

    role: "VOLUME", "MUTE", "GAIN" or None; direction: 0 output, 1 input, None without a role;
    type: the specification's name; access: a tuple of names; count: members of the value;
    minimum, maximum, step: of each member, step 0 is variable; format: struct code of a member.
    """
def query(card: Card, total: int) -> tuple[list[bytes], int]:
    """Ask for `total` elements; return their records (a list of bytes) and the size of one.

    The size is the specification's 92, unless the device refuses that or cuts longer
    records short. No records if the device does not know CTL_INFO.
    """
def again(card: Card, id: int, size: int) -> bytes:
    """Ask for one record, of the size that query() found out."""
