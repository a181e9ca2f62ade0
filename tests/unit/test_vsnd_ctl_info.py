# SPDX-License-Identifier: MIT
"""modules/vsnd/ctl_info.py: which of two layouts the records of CTL_INFO have."""

import errno
import importlib
import struct

import pytest

from fake_card import BAD_MSG, IO_ERR, FakeCard, hexed
from vsnd_helpers import refusal

BOOLEAN, INTEGER, INTEGER64, ENUMERATED, BYTES, IEC958 = range(6)


def record(type, *numbers, padded=False):
    """A record of 92 bytes, or of 96 as Linux's C structure has them."""
    head = struct.pack("<6I44s", 0, 2, type, 0x7F, 1, 0, b"Master Playback Volume")
    size = 8 if type == INTEGER64 else 4
    union = b"".join((n % (1 << 8 * size)).to_bytes(size, "little") for n in numbers)
    return head + bytes(4 * padded) + union.ljust(24, b"\0")


class Device(FakeCard):
    """Answers CTL_INFO. `stride(size)` is the size of the records that it sends if asked for
    `size`, None if it refuses that."""

    def __init__(self, rows, stride):
        super().__init__()
        self.rows = rows
        self.stride = stride

    def request(self, message, response_bytes=0, at_least=None):
        _, start, count, size = struct.unpack("<IIII", message)
        stride = self.stride(size)
        rows = self.rows[start : start + count]
        if stride is None:
            self.answers = [BAD_MSG]
        else:
            self.answers = [b"".join(row[:stride].ljust(stride, b"\0") for row in rows)]
        return super().request(message, response_bytes, at_least)


def exact(own):
    return lambda size: own if size == own else None


def follows(size):
    return size


RANGES = (
    (INTEGER, 0, 100, 1),
    (INTEGER, 0, 100, 0),
    (INTEGER, 0, 1, 1),
    (INTEGER, 5, 100, 5),
    (INTEGER, 0, 65535, 1),
    (INTEGER, -6000, 0, 50),
    (INTEGER, 0, 0xFFFFFFFF, 1),
    (INTEGER, -(1 << 31), (1 << 31) - 1, 1),
    (INTEGER64, 0, 1000, 1),
    (INTEGER64, -5, 5, 1),
    (INTEGER64, 0, 1 << 40, 1 << 8),
    (ENUMERATED, 2),
    (ENUMERATED, 1024),
)


def limits_of(type, *numbers):
    return (0, numbers[0] - 1, 1) if type == ENUMERATED else numbers


@pytest.fixture
def controls(rig_of):
    rig_of()
    return importlib.import_module("vsnd.controls")


def asked(card):
    """Start, count and size of all queries."""
    return [struct.unpack_from("<III", sent, 4) for sent in card.sent]


def found(controls, card):
    return [(c.minimum, c.maximum, c.step) for c in controls.query(card, len(card.rows))]


@pytest.mark.parametrize("stride", [exact(92), follows], ids=["exact", "follows"])
@pytest.mark.parametrize("numbers", RANGES)
def test_packed(controls, stride, numbers):
    card = Device([record(*numbers)], stride)
    assert found(controls, card) == [limits_of(*numbers)]
    assert asked(card) == [(0, 1, 92)]


@pytest.mark.parametrize("stride", [exact(96), follows], ids=["exact", "follows"])
@pytest.mark.parametrize("numbers", RANGES)
def test_padded(controls, stride, numbers):
    card = Device([record(*numbers, padded=True)], stride)
    assert found(controls, card) == [limits_of(*numbers)]
    assert asked(card) == [(0, 1, 92), (0, 1, 96)]


@pytest.mark.parametrize("numbers", [(0, 1 << 62, 0), (-(1 << 63), (1 << 63) - 1, 0)])
def test_numbers_that_make_sense_both_ways(controls, numbers):
    """They could be half as wide and padded. The specification's layout is believed."""
    card = Device([record(INTEGER64, *numbers)], follows)
    assert found(controls, card) == [numbers]


@pytest.mark.parametrize("padded", [False, True])
def test_the_majority_decides(controls, padded):
    # Alone, the first one could be either.
    numbers = [(INTEGER64, 0, 1 << 62, 0)] + list(RANGES) * 2
    card = Device([record(*each, padded=padded) for each in numbers], follows)
    assert found(controls, card) == [limits_of(*each) for each in numbers]
    sizes = [92, 96] if padded else [92]
    assert asked(card) == [
        each for size in sizes for each in ((0, 16, size), (16, 11, size))
    ]


@pytest.mark.parametrize("type", [BOOLEAN, BYTES, IEC958])
def test_records_without_a_range(controls, type):
    card = Device([record(type), record(type)], follows)
    assert len(controls.query(card, 2)) == 2
    assert asked(card) == [(0, 2, 92)]


def test_a_boolean_with_a_range(controls):
    """StratoVirt tells 0, 1, 1 for its switch."""
    card = Device([record(BOOLEAN, 0, 1, 1, padded=True)], follows)
    assert found(controls, card) == [(0, 1, 1)]
    assert asked(card) == [(0, 1, 92), (0, 1, 96)]


def test_a_range_of_one(controls):
    """0, 0, 1 could be padding and 0, 1."""
    card = Device([record(INTEGER, 0, 0, 1)], follows)
    assert found(controls, card) == [(0, 0, 1)]
    assert asked(card) == [(0, 1, 92)]


def test_a_step_that_is_too_large(controls):
    """1, 2, 9 makes no sense, but 1 is no padding either."""
    card = Device([record(INTEGER, 1, 2, 9)], follows)
    assert found(controls, card) == [(1, 2, 9)]
    assert asked(card) == [(0, 1, 92)]


def test_a_device_that_has_no_longer_records(controls):
    """They look cut, but there is nothing longer: what came is taken as it is."""
    card = Device([record(INTEGER, 0, 100, 1, padded=True)], exact(92))
    assert found(controls, card) == [(0, 0, 100)]


def test_a_device_that_fails(controls):
    refusal(errno.EIO, controls.query, FakeCard(IO_ERR), 1)
    refusal(errno.EIO, controls.query, FakeCard(bytes(91)), 1)
    refusal(errno.EIO, controls.query, FakeCard(BAD_MSG, IO_ERR), 1)


def test_one_record_again(controls):
    rows = [record(INTEGER, 0, n, 1, padded=True) for n in (5, 6, 7)]
    card = Device(rows, exact(96))
    control = controls.query(card, 3)[1]
    card.rows[1] = record(INTEGER, 2, 9, 1, padded=True)
    card.sent.clear()
    control.refresh(2)
    assert (control.minimum, control.maximum) == (2, 9)
    assert card.sent == [hexed("00030000 01000000 01000000 60000000")]
