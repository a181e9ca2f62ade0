# SPDX-License-Identifier: MIT
"""Metadata of control elements: type, length, value (VirtIO 1.3, 5.14.6.10.3), as ALSA uses it."""

from _typeshed import ReadableBuffer
from typing import Final, NamedTuple

CONTAINER: Final = 0
DB_SCALE: Final = 1
DB_LINEAR: Final = 2
DB_RANGE: Final = 3
DB_MINMAX: Final = 4
DB_MINMAX_MUTE: Final = 5
CHMAP_FIXED: Final = 257
CHMAP_VAR: Final = 258
CHMAP_PAIRED: Final = 259
HEADER_BYTES: Final = 8
VALUE_BYTES_MAX: Final = 65536

class Container(NamedTuple):
    items: tuple[_Item, ...]

class DbScale(NamedTuple):
    minimum: int
    step: int
    mute: bool

class DbLinear(NamedTuple):
    minimum: int
    maximum: int

class DbMinMax(NamedTuple):
    minimum: int
    maximum: int
    mute: bool

class DbRange(NamedTuple):
    ranges: tuple[tuple[int, int, _Item], ...]

class Channels(NamedTuple):
    kind: str
    positions: tuple[int, ...]

class Raw(NamedTuple):
    type: int
    value: bytes

_Scale = DbScale | DbLinear | DbMinMax | DbRange
_Item = _Scale | Container | Channels | Raw

def encode(type: int, value: ReadableBuffer) -> bytes:
    """The bytes of an item of any type, from its value (bytes); padded to a multiple of 4."""
def decode(data: ReadableBuffer) -> _Item:
    """Make an item of the TLV that `data` (bytes) begins with; what follows it is ignored.

    ValueError, saying why, for lengths that are no multiple of 4 or go beyond the data, for
    scales that are cut short or make no sense, and for more than 4 levels.
    """
def scale(item: _Item) -> _Scale | None:
    """The decibel scale that an item is, or the first one in a Container; None without one."""
def to_db(item: _Scale, raw: int, low: int, high: int) -> float:
    """Decibels (float) of a raw value on a scale whose raw values go from low to high.

    Silence is float("-inf"). ValueError if a DbRange has no range for the value.
    """
def to_raw(item: _Scale, db: float, low: int, high: int) -> int:
    """The raw value (int in low..high) that is nearest to `db` decibels, and not silence
    if there is another. ValueError if a DbRange has no ranges."""
