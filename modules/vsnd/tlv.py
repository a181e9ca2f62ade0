# SPDX-License-Identifier: MIT
"""Metadata of control elements: type, length, value (VirtIO 1.3, 5.14.6.10.3), as ALSA uses it.

decode() makes an item of bytes: a Container, a decibel scale (DbScale, DbLinear, DbRange,
DbMinMax), Channels or Raw. to_db() and to_raw() convert between a control's raw values and
decibels. Items hold hundredths of a decibel, as the wire does; the functions speak decibels.
"""

from collections import namedtuple
import math
from micropython import const
import struct

CONTAINER = const(0)
DB_SCALE = const(1)
DB_LINEAR = const(2)
DB_RANGE = const(3)
DB_MINMAX = const(4)
DB_MINMAX_MUTE = const(5)
CHMAP_FIXED = const(0x101)
CHMAP_VAR = const(0x102)
CHMAP_PAIRED = const(0x103)

HEADER_BYTES = const(8)
VALUE_BYTES_MAX = const(65536)  # what a driver may submit (5.14.6.10.3.2)
_DEPTH_MAX = const(4)
_GAIN_MUTE = const(-9999999)  # ALSA's hundredths of a decibel that mean silence
_GAIN_MAX = const(100000)  # above 1000 dB is no gain, and a float ends somewhere

Container = namedtuple("Container", ("items",))
DbScale = namedtuple("DbScale", ("minimum", "step", "mute"))
DbLinear = namedtuple("DbLinear", ("minimum", "maximum"))
DbMinMax = namedtuple("DbMinMax", ("minimum", "maximum", "mute"))
DbRange = namedtuple("DbRange", ("ranges",))  # tuples of lowest and highest raw value, scale
Channels = namedtuple("Channels", ("kind", "positions"))  # "FIXED", "VAR" or "PAIRED"
Raw = namedtuple("Raw", ("type", "value"))

_SCALES = (DbScale, DbLinear, DbMinMax, DbRange)
_KINDS = {CHMAP_FIXED: "FIXED", CHMAP_VAR: "VAR", CHMAP_PAIRED: "PAIRED"}


def encode(type, value):
    """The bytes of an item of any type, from its value (bytes); padded to a multiple of 4."""
    value = bytes(value) + bytes(-len(value) & 3)
    return struct.pack("<II", type, len(value)) + value


def decode(data):
    """Make an item of the TLV that `data` (bytes) begins with; what follows it is ignored.

    ValueError, saying why, for lengths that are no multiple of 4 or go beyond the data, for
    scales that are cut short or make no sense, and for more than 4 levels.
    """
    return _item(data, 0, 1)[0]


def _item(data, at, depth):
    """The item at byte `at`, and where the next one begins."""
    if depth > _DEPTH_MAX:
        raise ValueError("TLV has more than %d levels" % _DEPTH_MAX)
    left = len(data) - at - HEADER_BYTES
    if left < 0:
        raise ValueError("TLV ends within a header")
    type, length = struct.unpack_from("<II", data, at)
    if length & 3:
        raise ValueError("TLV of type %#x has %d bytes: must be a multiple of 4" % (type, length))
    if length > left:
        raise ValueError("TLV of type %#x has %d bytes, %d came" % (type, length, left))
    at += HEADER_BYTES
    return _value(type, data[at : at + length], depth), at + length


def _value(type, value, depth):
    if type == CONTAINER:
        return Container(_parts(value, 0, depth))
    if type == DB_RANGE:
        return DbRange(_parts(value, 8, depth))
    if type in _KINDS:
        return Channels(_KINDS[type], struct.unpack("<%dI" % (len(value) // 4), value))
    if not DB_SCALE <= type <= DB_MINMAX_MUTE:
        return Raw(type, bytes(value))
    if len(value) < 8:
        raise ValueError("TLV of type %#x has %d bytes, must have 8" % (type, len(value)))
    first, second = struct.unpack_from("<ii", value)
    if type == DB_SCALE:
        return DbScale(first, second & 0xFFFF, second & 0x10000 != 0)
    if type == DB_LINEAR:
        if max(first, second) > _GAIN_MAX:
            raise ValueError("DB_LINEAR up to %d dB" % (max(first, second) // 100))
        return DbLinear(first, second)
    return DbMinMax(first, second, type == DB_MINMAX_MUTE)


def _parts(value, prefix, depth):
    """The items in a value; of a DB_RANGE each stands behind its two limits."""
    parts = []
    at = 0
    while at < len(value):
        part, end = _item(value, at + prefix, depth + 1)
        if prefix:
            first, last = struct.unpack_from("<ii", value, at)
            if first > last:
                raise ValueError("DB_RANGE has a range from %d to %d" % (first, last))
            part = first, last, part
        parts.append(part)
        at = end
    return tuple(parts)


def scale(item):
    """The decibel scale that an item is, or the first one in a Container; None without one."""
    if isinstance(item, DbRange):
        return item if item.ranges and all([scale(p[2]) for p in item.ranges]) else None
    if isinstance(item, _SCALES):
        return item
    if isinstance(item, Container):
        for part in item.items:
            found = scale(part)
            if found:
                return found
    return None


def _gains(item):
    """The amplitudes at the ends of a DbLinear: 1.0 is 0 dB, 0.0 is silence."""
    return 10 ** (item.minimum / 2000), 10 ** (item.maximum / 2000)


def to_db(item, raw, low, high):
    """Decibels (float) of a raw value on a scale whose raw values go from low to high.

    Silence is float("-inf"). ValueError if a DbRange has no range for the value.
    """
    if isinstance(item, DbRange):
        for first, last, part in item.ranges:
            if first <= raw <= last:
                return to_db(part, raw, first, last)
        raise ValueError("the DB_RANGE has no range for %d" % raw)
    at, full = min(max(raw, low), high) - low, high - low
    if isinstance(item, DbScale):
        hundredths = item.minimum + item.step * at
    elif isinstance(item, DbMinMax) or at in (0, full):
        hundredths = item.minimum + (item.maximum - item.minimum) * at / max(full, 1)
    else:
        bottom, top = _gains(item)
        gain = bottom + (top - bottom) * at / full
        hundredths = 2000 * math.log10(gain) if gain > 0 else _GAIN_MUTE
    silent = at == 0 and not isinstance(item, DbLinear) and item.mute
    return float("-inf") if silent or hundredths <= _GAIN_MUTE else hundredths / 100


def to_raw(item, db, low, high):
    """The raw value (int in low..high) that is nearest to `db` decibels, and not silence
    if there is another. ValueError if a DbRange has no ranges."""
    if isinstance(item, DbRange):
        raws = [to_raw(part, db, first, last) for first, last, part in item.ranges]
        return min(raws, key=lambda raw: abs(to_db(item, raw, low, high) - db))
    if isinstance(item, DbLinear):
        bottom, top = _gains(item)
        at, full = 10 ** (min(db * 100, _GAIN_MAX) / 2000) - bottom, top - bottom
    elif isinstance(item, DbScale):
        at, full = db * 100 - item.minimum, item.step * (high - low)
    else:
        at, full = db * 100 - item.minimum, item.maximum - item.minimum
    raw = low + round(at * (high - low) / full) if full > 0 else low
    raw = min(max(raw, low), high)
    if raw == low < high and to_db(item, low, low, high) == float("-inf"):
        raw += 1
    return raw
