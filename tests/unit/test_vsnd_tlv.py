# SPDX-License-Identifier: MIT
"""modules/vsnd/tlv.py: metadata of control elements, and decibels."""

import importlib
import math
import struct

import pytest

from fake_card import hexed

SILENCE = float("-inf")


@pytest.fixture
def tlv(rig_of):
    rig_of()
    return importlib.import_module("vsnd.tlv")


def words(type, *numbers):
    """A TLV of 32-bit numbers."""
    return struct.pack(f"<II{len(numbers)}i", type, 4 * len(numbers), *numbers)


def nested(type, *parts):
    data = b"".join(parts)
    return struct.pack("<II", type, len(data)) + data


def limits(low, high):
    return struct.pack("<ii", low, high)


# Bytes


def test_scale(tlv):
    # min -60.00 dB step 0.50 dB with mute (golden vector)
    item = tlv.decode(hexed("01000000 08000000 90e8ffff 32000100"))
    assert isinstance(item, tlv.DbScale)
    assert item == (-6000, 50, True)
    assert item.minimum == -6000
    item = tlv.decode(hexed("01000000 08000000 90e8ffff ffff0000"))
    assert item == (-6000, 65535, False)


@pytest.mark.parametrize(
    ("data", "kind", "fields"),
    [
        ("02000000 08000000 f0d8ffff 00000000", "DbLinear", (-10000, 0)),
        ("04000000 08000000 60f0ffff 58020000", "DbMinMax", (-4000, 600, False)),
        ("05000000 08000000 60f0ffff 58020000", "DbMinMax", (-4000, 600, True)),
        ("01010000 08000000 03000000 04000000", "Channels", ("FIXED", (3, 4))),
        ("02010000 04000000 02000000", "Channels", ("VAR", (2,))),
        ("03010000 0c000000 03000000 04000000 07000000", "Channels", ("PAIRED", (3, 4, 7))),
        ("00000000 00000000", "Container", ((),)),
        ("06000000 04000000 01020304", "Raw", (6, hexed("01020304"))),
        ("dec0ad0b 00000000", "Raw", (0x0BADC0DE, b"")),
    ],
)
def test_types(tlv, data, kind, fields):
    item = tlv.decode(hexed(data))
    assert isinstance(item, getattr(tlv, kind))
    assert item == fields


def test_container(tlv):
    data = nested(0, words(0x101, 3, 4), nested(0, words(1, -6000, 50)), words(7))
    assert tlv.decode(data) == (
        (("FIXED", (3, 4)), (((-6000, 50, False),),), (7, b"")),
    )


def test_range(tlv):
    data = nested(
        3,
        limits(0, 0), words(1, -9999999, 0x10000),
        limits(1, 10), words(1, -5000, 100),
        limits(11, 20), words(4, -4000, 0),
    )
    item = tlv.decode(data)
    assert isinstance(item, tlv.DbRange)
    assert item.ranges == (
        (0, 0, (-9999999, 0, True)), (1, 10, (-5000, 100, False)), (11, 20, (-4000, 0, False))
    )
    assert isinstance(item.ranges[2][2], tlv.DbMinMax)


def test_what_follows_is_ignored(tlv):
    assert tlv.decode(words(2, -100, 0) + b"\xff" * 5) == (-100, 0)


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b"", "within a header"),
        (hexed("01000000 000000"), "within a header"),
        (hexed("01000000 06000000 90e8ffff 3200"), "multiple of 4"),
        (hexed("01000000 08000000 90e8ffff"), "has 8 bytes, 4 came"),
        (hexed("07000000 fcffffff 90e8ffff"), "has 4294967292 bytes, 4 came"),
        (hexed("01000000 04000000 90e8ffff"), "has 4 bytes, must have 8"),
        (hexed("05000000 00000000"), "has 0 bytes, must have 8"),
        (nested(0, hexed("01000000")), "within a header"),
        (nested(0, hexed("01000000 0c000000 90e8ffff 32000100")), "has 12 bytes, 8 came"),
        (nested(3, hexed("00000000")), "within a header"),
        (nested(3, limits(0, 5)), "within a header"),
        (nested(3, limits(6, 5), words(1, 0, 1)), "range from 6 to 5"),
        (nested(0, nested(0, nested(0, nested(0, words(1, 0, 1))))), "more than 4 levels"),
        (words(2, 0, 0x7FFFFFFF), "up to 21474836 dB"),
    ],
)
def test_bad_metadata(tlv, data, why):
    with pytest.raises(ValueError, match=why):
        tlv.decode(data)


def test_four_levels(tlv):
    item = tlv.decode(nested(0, nested(0, nested(0, words(1, 0, 1)))))
    assert tlv.scale(item) == (0, 1, False)


def test_every_truncation_is_seen(tlv):
    data = nested(0, words(0x101, 3, 4), nested(3, limits(0, 9), words(1, -900, 100)))
    for n in range(len(data)):
        with pytest.raises(ValueError):
            tlv.decode(data[:n])


def test_encode(tlv):
    assert tlv.encode(tlv.DB_SCALE, hexed("90e8ffff 32000100")) == hexed(
        "01000000 08000000 90e8ffff 32000100"
    )
    assert tlv.encode(0x12345678, b"\1\2\3\4\5") == hexed("78563412 08000000 01020304 05000000")
    assert tlv.encode(7, b"") == hexed("07000000 00000000")


def test_which_item_is_the_scale(tlv):
    linear = words(2, -100, 0)
    assert tlv.scale(tlv.decode(nested(0, words(0x101, 3), linear, words(1, 0, 1)))) == (-100, 0)
    assert tlv.scale(tlv.decode(linear)) == (-100, 0)
    assert tlv.scale(tlv.decode(nested(0, words(0x101, 3)))) is None
    assert tlv.scale(tlv.decode(words(9))) is None
    assert tlv.scale(tlv.decode(nested(3))) is None
    assert tlv.scale(tlv.decode(nested(3, limits(0, 1), words(9)))) is None


# Decibels


def table(tlv, data, low, high):
    scale = tlv.scale(tlv.decode(data))
    return [tlv.to_db(scale, raw, low, high) for raw in range(low, high + 1)]


def back(tlv, data, low, high, decibels):
    scale = tlv.scale(tlv.decode(data))
    return [tlv.to_raw(scale, db, low, high) for db in decibels]


def test_steps(tlv):
    data = words(1, -6000, 50)
    assert table(tlv, data, 10, 14) == [-60.0, -59.5, -59.0, -58.5, -58.0]
    assert back(tlv, data, 10, 14, [-60, -59.5, -59.3, -59.2, -58, -20, -90]) == [
        10, 11, 11, 12, 14, 14, 10,
    ]


def test_steps_with_silence(tlv):
    data = words(1, -6000, 0x10000 | 50)
    assert table(tlv, data, 0, 3) == [SILENCE, -59.5, -59.0, -58.5]
    assert back(tlv, data, 0, 3, [-59.5, -60, -200]) == [1, 1, 1]
    assert table(tlv, data, 0, 0) == [SILENCE]
    assert back(tlv, data, 0, 0, [-60]) == [0]


def test_minimum_and_maximum(tlv):
    data = words(4, -4000, 600)
    assert table(tlv, data, -2, 2) == [-40.0, -28.5, -17.0, -5.5, 6.0]
    assert back(tlv, data, -2, 2, [-40, -34, -30, 0.2, 0.3, 6, 7]) == [-2, -1, -1, 1, 2, 2, 2]
    assert table(tlv, words(5, -4000, 600), 0, 2) == [SILENCE, -17.0, 6.0]
    assert back(tlv, words(5, -4000, 600), 0, 2, [-40, -17]) == [1, 1]
    assert table(tlv, data, 5, 5) == [-40.0]
    assert back(tlv, data, 5, 5, [0]) == [5]


def test_linear(tlv):
    # 0 dB is amplitude 1, -20 dB is 0.1: in nine steps the amplitude grows by 0.1.
    data = words(2, -2000, 0)
    wanted = [20 * math.log10(n / 10) for n in range(1, 11)]
    got = table(tlv, data, 0, 9)
    assert got == pytest.approx(wanted, abs=1e-9)
    assert (got[0], got[9]) == (-20.0, 0.0)
    assert back(tlv, data, 0, 9, wanted) == list(range(10))
    assert back(tlv, data, 0, 9, [-6.02, -30, 3]) == [4, 0, 9]


def test_linear_from_silence(tlv):
    data = words(2, -9999999, 600)
    top = 10 ** (6 / 20)
    assert table(tlv, data, 0, 2) == [
        SILENCE, pytest.approx(20 * math.log10(top / 2)), pytest.approx(6.0),
    ]
    assert back(tlv, data, 0, 2, [6, 0, -100]) == [2, 1, 1]


def test_ranges(tlv):
    data = nested(
        3,
        limits(0, 0), words(1, -9999999, 0x10000),
        limits(1, 3), words(1, -5000, 1000),
        limits(4, 8), words(4, -2000, 0),
    )
    assert table(tlv, data, 0, 8) == [
        SILENCE, -50.0, -40.0, -30.0, -20.0, -15.0, -10.0, -5.0, 0.0,
    ]
    assert back(tlv, data, 0, 8, [-60, -50, -46, -44, -26, -24, -12, -5, 0, 9]) == [
        1, 1, 1, 2, 3, 4, 6, 7, 8, 8,
    ]
    scale = tlv.decode(data)
    with pytest.raises(ValueError, match="no range for 9"):
        tlv.to_db(scale, 9, 0, 9)


def test_a_scale_without_a_slope(tlv):
    assert table(tlv, words(1, -300, 0), 0, 1) == [-3.0, -3.0]
    assert back(tlv, words(1, -300, 0), 0, 1, [-3, 0]) == [0, 0]
    assert back(tlv, words(4, 0, -300), 0, 1, [-3, 0]) == [0, 0]
    assert back(tlv, words(2, -300, -300), 0, 1, [-3]) == [0]


def test_values_beyond_the_scale(tlv):
    scale = tlv.decode(words(1, -300, 100))
    assert tlv.to_db(scale, -7, 0, 3) == -3.0
    assert tlv.to_db(scale, 99, 0, 3) == 0.0


def test_a_range_that_no_float_can_tell(tlv):
    """A part that goes to 21 million dB does not spoil its neighbour."""
    data = nested(
        3, limits(0, 1), words(2, -100, 0), limits(2, 3), words(4, 0, 0x7FFFFFFF)
    )
    assert back(tlv, data, 0, 3, [0x7FFFFFFF / 100]) == [3]


def test_garbage(tlv):
    """Whatever the bytes are: an item or a ValueError, and a scale can be used."""
    good = nested(
        0, words(0x101, 3, 4),
        nested(
            3, limits(0, 0), words(1, -9999999, 0x10000), limits(1, 9), words(1, -900, 100),
            limits(10, 19), words(2, -900, 0), limits(20, 29), words(5, 0, 600),
        ),
    )
    seed = 1
    scales = 0
    for _ in range(3000):
        data = bytearray(good)
        for _ in range(3):
            seed = seed * 1103515245 + 12345 & 0x7FFFFFFF
            data[(seed >> 16) % len(data)] = seed >> 8 & 0xFF
        try:
            scale = tlv.scale(tlv.decode(bytes(data)))
        except ValueError:
            continue
        for raw in range(0, 30) if scale else ():
            try:
                db = tlv.to_db(scale, raw, 0, 29)
            except ValueError as error:
                assert "has no range" in str(error)
                continue
            scales += 1
            if db != SILENCE:
                assert isinstance(tlv.to_raw(scale, db, 0, 29), int)
    assert scales > 1000
