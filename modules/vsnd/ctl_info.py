# SPDX-License-Identifier: MIT
"""CTL_INFO: what the device says about its control elements (VirtIO 1.3, 5.14.6.10.1).

The record has 92 bytes, without padding. Linux's C structure has 96, and so have the records
of devices that were made for it: its union stands behind 4 bytes of padding.
"""

from collections import namedtuple
from micropython import const
import struct
from . import protocol
from .info import query_info, records

_R_CTL_INFO = const(0x0300)

protocol.REQUESTS[_R_CTL_INFO] = "CTL_INFO"

_PACKED_BYTES = const(92)
_PADDED_BYTES = const(96)
_UNION_BYTES = const(24)  # at the end of both
_NAME = const(24)
_NAME_BYTES = const(44)
_CONTROLS_MAX = const(1024)  # a device that claims more is not believed
ITEMS_MAX = const(1024)  # likewise

# Types, by number: name, most members, struct code of a member of the value.
TYPES = (
    ("BOOLEAN", 128, "I"), ("INTEGER", 128, "I"), ("INTEGER64", 64, "Q"),
    ("ENUMERATED", 128, "I"), ("BYTES", 512, "B"), ("IEC958", 1, None),
)
_BOOLEAN = const(0)
_INTEGER = const(1)
_INTEGER64 = const(2)
_ENUMERATED = const(3)
_BYTES = const(4)

_ROLES = (None, "VOLUME", "MUTE", "GAIN")
_ACCESS = ("READ", "WRITE", "VOLATILE", "INACTIVE", "TLV_READ", "TLV_WRITE", "TLV_COMMAND")

Info = namedtuple(
    "Info",
    (
        "hda_fn_nid", "role", "direction", "type", "access", "count", "index", "name",
        "minimum", "maximum", "step", "format",
    ),
)


def text(raw):
    """A str of the ASCII in a field of bytes, up to the first NUL or the end."""
    end = raw.find(b"\0")
    return "".join(
        [chr(b) if 32 <= b < 127 else "?" for b in (raw if end < 0 else raw[:end])]
    )


def _numbers(row, at, codes):
    """Minimum, maximum and step of an integer element, None if they are none.

    The specification does not say whether they have a sign. ALSA's have: without one only
    if minimum were above maximum otherwise.
    """
    for signs in (codes, codes.upper()):
        minimum, maximum, step = struct.unpack_from(signs, row, at)
        if minimum <= maximum:
            return minimum, maximum, step
    return None


def _range(row, type, at):
    if type == _BOOLEAN:
        return 0, 1, 1
    if type == _INTEGER:
        return _numbers(row, at, "<iiI")
    if type == _INTEGER64:
        return _numbers(row, at, "<qqQ")
    if type == _ENUMERATED:
        items = struct.unpack_from("<I", row, at)[0]
        return (0, items - 1, 1) if 0 < items <= ITEMS_MAX else None
    return (0, 255, 1) if type == _BYTES else (None, None, None)


def parse(row):
    """Make an Info of a record of 92 or 96 bytes; None if it makes no sense.

    role: "VOLUME", "MUTE", "GAIN" or None; direction: 0 output, 1 input, None without a role;
    type: the specification's name; access: a tuple of names; count: members of the value;
    minimum, maximum, step: of each member, step 0 is variable; format: struct code of a member.
    """
    nid, role, type, access, count, index = struct.unpack_from("<IIIIII", row)
    if type >= len(TYPES):
        return None
    type_name, most, format = TYPES[type]
    limits = _range(row, type, len(row) - _UNION_BYTES)
    if not 0 < count <= most or limits is None:
        return None
    if limits[0] is not None and limits[0] < 0:
        format = format.lower()
    role_name = _ROLES[role >> 1] if role >> 1 < len(_ROLES) else None
    return Info(
        nid, role_name, role & 1 if role_name else None, type_name,
        tuple(protocol.named(access, _ACCESS)), count, index,
        text(row[_NAME : _NAME + _NAME_BYTES]), limits[0], limits[1], limits[2], format
    )


def _sensible(row, at):
    """Whether a record tells a range that is no accident if its union stands at byte `at`."""
    type = struct.unpack_from("<I", row, 8)[0]
    if type > _ENUMERATED:
        return False
    row += bytes(_PADDED_BYTES - len(row))
    # Some tell a range for BOOLEAN too.
    end = at + (24 if type == _INTEGER64 else 4 if type == _ENUMERATED else 12)
    if any(row[_PACKED_BYTES - _UNION_BYTES : at]) or any(row[end:]):
        return False
    limits = _range(row, type, at)
    if limits is None:
        return False
    minimum, maximum, step = limits
    if step and step & 0xFFFFFFFF == 0:
        return False  # 64 bits, read 4 bytes off
    return step <= max(maximum - minimum, 1)


def _cut(rows):
    """Whether records of 92 bytes are more probably the beginnings of padded ones."""
    packed, padded = [
        sum([_sensible(row, size - _UNION_BYTES) for row in rows])
        for size in (_PACKED_BYTES, _PADDED_BYTES)
    ]
    return padded > packed


def query(card, total):
    """Ask for `total` elements; return their records (a list of bytes) and the size of one.

    The size is the specification's 92, unless the device refuses that or cuts longer
    records short. No records if the device does not know CTL_INFO.
    """
    arguments = (_CONTROLS_MAX, "control elements")
    rows = records(card, _R_CTL_INFO, total, _PACKED_BYTES, *arguments)
    if not rows or _cut(rows):
        padded = records(card, _R_CTL_INFO, total, _PADDED_BYTES, *arguments)
        if padded:
            return padded, _PADDED_BYTES
    return rows, _PACKED_BYTES


def again(card, id, size):
    """Ask for one record, of the size that query() found out."""
    return card.request(query_info(_R_CTL_INFO, id, 1, size), size)
