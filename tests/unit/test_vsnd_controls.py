# SPDX-License-Identifier: MIT
"""modules/vsnd/controls.py: values, metadata and decibels of control elements."""

import errno
import importlib
import struct
from array import array

import pytest

from fake_card import BAD_MSG, FakeCard, hexed
from vsnd_helpers import refusal

BOOLEAN, INTEGER, INTEGER64, ENUMERATED, BYTES, IEC958 = range(6)
READ, WRITE, VOLATILE, INACTIVE, TLV_READ, TLV_WRITE, TLV_COMMAND = (1 << n for n in range(7))
ALL = 0x7F
VALUE, INFO, TLV = 1, 2, 4
SILENCE = float("-inf")


def record(
    type=INTEGER, *numbers, name="PCM Playback Volume", role=0, access=ALL, count=1, index=0, nid=0
):
    """A record of 92 bytes. numbers: what its union holds."""
    name = name.encode() if isinstance(name, str) else name
    head = struct.pack("<6I44s", nid, role, type, access, count, index, name)
    size = 8 if type == INTEGER64 else 4
    union = b"".join((n % (1 << 8 * size)).to_bytes(size, "little") for n in numbers)
    return head + union.ljust(24, b"\0")


def items(*names):
    return b"".join(name.encode().ljust(64, b"\0") for name in names)


@pytest.fixture
def controls(rig_of):
    rig_of()
    return importlib.import_module("vsnd.controls")


@pytest.fixture
def one(controls):
    """Make a Control of a record, and the card that has sent nothing since."""

    def make(*arguments, **named):
        card = FakeCard(record(*arguments, **named))
        (control,) = controls.query(card, 1)
        card.forget()
        return control, card

    return make


def value(*parts):
    """The 512 bytes of a value that begins like this."""
    return b"".join(parts).ljust(512, b"\0")


# CTL_INFO


def test_query(controls):
    row = hexed(
        "05000000 02000000 01000000 13000000 02000000 00000000"
        "50434d20 506c6179 6261636b 20566f6c 756d6500 00000000 00000000 00000000 00000000"
        "00000000 00000000"
        "0a000000 64000000 05000000 00000000 00000000 00000000"
    )
    card = FakeCard(row)
    (control,) = controls.query(card, 1)
    assert card.sent == [hexed("00030000 00000000 01000000 5c000000")]
    assert card.rooms == [92]
    assert (control.id, control.hda_fn_nid) == (0, 5)
    assert (control.role, control.direction) == ("VOLUME", 0)
    assert (control.type, control.count, control.index) == ("INTEGER", 2, 0)
    assert control.access == ("READ", "WRITE", "TLV_READ")
    assert control.name == "PCM Playback Volume"
    assert (control.minimum, control.maximum, control.step) == (10, 100, 5)
    assert control.items == ()
    assert repr(control) == (
        "control 0: 'PCM Playback Volume', INTEGER 10..100 step 5, 2 values, output VOLUME, "
        "READ WRITE TLV_READ"
    )


@pytest.mark.parametrize(
    ("arguments", "named", "text"),
    [
        (
            (BOOLEAN,), {"role": 5, "name": "Mic", "access": 3},
            "control 0: 'Mic', BOOLEAN, input MUTE, READ WRITE",
        ),
        (
            (INTEGER64, -5, 5, 0), {"role": 6, "index": 2, "access": READ | VOLATILE},
            "control 0: 'PCM Playback Volume' 2, INTEGER64 -5..5, output GAIN, READ VOLATILE",
        ),
        (
            (ENUMERATED, 3), {"name": "In", "access": 0x80000000},
            "control 0: 'In', ENUMERATED of 3 items, bit 31",
        ),
        (
            (BYTES,), {"name": "EQ", "count": 512, "access": WRITE | INACTIVE | TLV_COMMAND},
            "control 0: 'EQ', BYTES, 512 values, WRITE INACTIVE TLV_COMMAND",
        ),
        ((IEC958,), {"name": "IEC", "access": 2}, "control 0: 'IEC', IEC958, WRITE"),
    ],
)
def test_repr(one, arguments, named, text):
    assert repr(one(*arguments, **named)[0]) == text


@pytest.mark.parametrize(
    ("role", "meaning"),
    [
        (0, (None, None)), (1, (None, None)),
        (2, ("VOLUME", 0)), (3, ("VOLUME", 1)),
        (4, ("MUTE", 0)), (5, ("MUTE", 1)),
        (6, ("GAIN", 0)), (7, ("GAIN", 1)),
        (8, (None, None)), (0xFFFFFFFF, (None, None)),
    ],
)
def test_roles(one, role, meaning):
    control, _ = one(INTEGER, 0, 1, 1, role=role)
    assert (control.role, control.direction) == meaning


@pytest.mark.parametrize(
    ("row", "limits"),
    [
        (record(INTEGER, 0, 0xFFFFFFFF, 1), (0, 0xFFFFFFFF, 1)),
        (record(INTEGER, 0, 0x7FFFFFFF, 0), (0, 0x7FFFFFFF, 0)),
        (record(INTEGER, -6000, 0, 50), (-6000, 0, 50)),
        (record(INTEGER, -9, -3, 3), (-9, -3, 3)),
        (record(INTEGER, 7, 7, 0), (7, 7, 0)),
        (record(INTEGER, -(1 << 31), (1 << 31) - 1, 1), (-(1 << 31), (1 << 31) - 1, 1)),
        (record(INTEGER64, 0, (1 << 64) - 1, 1), (0, (1 << 64) - 1, 1)),
        (record(INTEGER64, -(1 << 63), (1 << 63) - 1, 1), (-(1 << 63), (1 << 63) - 1, 1)),
        (record(BOOLEAN), (0, 1, 1)),
        (record(ENUMERATED, 4), (0, 3, 1)),
        (record(BYTES), (0, 255, 1)),
    ],
)
def test_limits(controls, row, limits):
    (control,) = controls.query(FakeCard(row), 1)
    assert (control.minimum, control.maximum, control.step) == limits


def test_bad_records_are_dropped(controls):
    good = (
        record(BOOLEAN, count=128), record(INTEGER, 0, 1, 1, count=128),
        record(INTEGER64, 0, 1, 1, count=64), record(ENUMERATED, 1024, count=128),
        record(BYTES, count=512), record(IEC958, count=1),
    )
    bad = (
        record(6), record(BOOLEAN, count=0), record(BOOLEAN, count=129),
        record(INTEGER, 0, 1, 1, count=129), record(INTEGER64, 0, 1, 1, count=65),
        record(ENUMERATED, 2, count=129), record(BYTES, count=513), record(IEC958, count=2),
        record(INTEGER, 5, 4, 1), record(INTEGER64, 5, 4, 1), record(ENUMERATED, 0),
        record(ENUMERATED, 1025), record(BYTES, count=0xFFFFFFFF), record(0xFFFFFFFF),
    )
    rows = bad[:7] + good[:3] + bad[7:] + good[3:]
    card = FakeCard(b"".join(rows[:16]), b"".join(rows[16:]))
    found = controls.query(card, 20)
    assert [c.id for c in found] == [7, 8, 9, 17, 18, 19]
    assert [c.count for c in found] == [128, 128, 64, 128, 512, 1]
    assert card.sent == [
        hexed("00030000 00000000 10000000 5c000000"),
        hexed("00030000 10000000 04000000 5c000000"),
    ]


def test_names_without_an_end(controls):
    row = record(name=b"Master\xff\n" + b"x" * 36)
    (control,) = controls.query(FakeCard(row), 1)
    assert control.name == "Master??" + "x" * 36


def test_names_end_at_the_first_nul(one):
    assert one(name=b"Line\0garbage")[0].name == "Line"


def test_a_device_that_only_claims_controls(controls):
    card = FakeCard(BAD_MSG, BAD_MSG)
    assert controls.query(card, 3) == ()
    assert controls.query(FakeCard(), 0) == ()


def test_too_many_controls(controls):
    card = FakeCard()
    message = refusal(errno.EIO, controls.query, card, 1025)
    assert message == "device claims 1025 control elements: no more than 1024 are believed"
    assert card.sent == []


def test_without_the_feature(controls):
    card = FakeCard(features=~1)
    assert "VIRTIO_SND_F_CTLS" in refusal(errno.EOPNOTSUPP, controls.query, card, 1)
    assert card.sent == []


def test_find(controls):
    rows = (record(name="A"), record(name="B"), record(name="A", index=1))
    found = controls.query(FakeCard(b"".join(rows)), 3)
    assert controls.find(found, "A").id == 0
    assert controls.find(found, "A", 1).id == 2
    with pytest.raises(ValueError, match="no control 'C' 0, but 'A', 'B', 'A' 1$"):
        controls.find(found, "C")
    with pytest.raises(ValueError, match="no control 'B' 1, but"):
        controls.find(found, "B", 1)
    with pytest.raises(ValueError, match="but none at all"):
        controls.find((), "B")


# CTL_READ


@pytest.mark.parametrize(
    ("arguments", "answer", "wanted"),
    [
        ((BOOLEAN,), value(hexed("01000000")), (1,)),
        ((INTEGER, 0, 100, 1), value(hexed("2a000000")), (42,)),
        ((INTEGER, 0, 0xFFFFFFFF, 1), value(hexed("feffffff")), (0xFFFFFFFE,)),
        ((INTEGER, -100, 0, 1), value(hexed("9cffffff")), (-100,)),
        ((INTEGER64, 0, (1 << 64) - 1, 1), value(b"\xfe" + b"\xff" * 7), ((1 << 64) - 2,)),
        ((INTEGER64, 0, 1 << 62, 1), value(hexed("01000000 00000040")), ((1 << 62) + 1,)),
        ((INTEGER64, -(1 << 63), 0, 1), value(bytes(7) + b"\x80"), (-(1 << 63),)),
        ((ENUMERATED, 3), value(hexed("02000000")), (2,)),
        ((BYTES,), value(b"\xa5\x5a"), b"\xa5"),
    ],
)
def test_read(one, arguments, answer, wanted):
    control, card = one(*arguments)
    card.forget(answer)
    got = control.read()
    assert got == wanted
    assert type(got) is type(wanted)
    assert card.sent == [hexed("02030000 00000000")]
    assert card.rooms == [512]


@pytest.mark.parametrize(
    ("type", "count", "wanted"),
    [
        (INTEGER, 128, tuple(range(128))),
        (INTEGER64, 64, tuple(2 * n | 2 * n + 1 << 32 for n in range(64))),
        (BYTES, 512, b"".join(bytes([n, 0, 0, 0]) for n in range(128))),
    ],
)
def test_read_many(one, type, count, wanted):
    control, card = one(type, 0, 1 << 31, 1, count=count)
    card.forget(struct.pack("<128I", *range(128)))
    assert control.read() == wanted


def test_a_short_value(one):
    control, card = one(INTEGER, 0, 100, 1, count=2)
    card.forget(hexed("01000000 02000000"), hexed("01000000 020000"))
    assert control.read() == (1, 2)
    refusal(errno.EIO, control.read)


def test_an_item_that_is_none(one):
    control, card = one(ENUMERATED, 3, count=2)
    card.forget(value(hexed("00000000 03000000")))
    assert "item 3: there are 0..2" in refusal(errno.EIO, control.read)


def test_read_iec958(one, controls):
    control, card = one(IEC958)
    card.forget(value(b"\1" * 24, b"\2" * 147, b"\3", b"\4" * 4, b"\5" * 9))
    got = control.read()
    assert isinstance(got, controls.IEC958)
    assert (got.status, got.subcode, got.dig_subframe) == (b"\1" * 24, b"\2" * 147, b"\4" * 4)


def test_id_of_the_request(controls):
    # CTL_READ control 2 (golden vector)
    card = FakeCard(record() * 3)
    control = controls.query(card, 3)[2]
    card.forget(value())
    control.read()
    assert card.sent == [hexed("02030000 02000000")]


# CTL_WRITE


@pytest.mark.parametrize(
    ("arguments", "count", "given", "wanted"),
    [
        ((BOOLEAN,), 1, True, "01000000"),
        ((BOOLEAN,), 2, (True, 0), "01000000 00000000"),
        ((INTEGER, 0, 100, 1), 2, 42, "2a000000 2a000000"),
        ((INTEGER, 0, 100, 1), 2, [1, 100], "01000000 64000000"),
        ((INTEGER, -100, 0, 10), 1, -30, "e2ffffff"),
        ((INTEGER, 5, 100, 10), 1, 95, "5f000000"),
        ((INTEGER, 0, 0xFFFFFFFF, 1), 1, 0xFFFFFFFF, "ffffffff"),
        ((INTEGER64, 0, (1 << 64) - 1, 1), 1, (1 << 64) - 1, "ffffffff ffffffff"),
        ((INTEGER64, -(1 << 63), 0, 1), 1, -(1 << 63), "00000000 00000080"),
        ((INTEGER64, 0, 1 << 62, 0), 1, (1 << 61) + 3, "03000000 00000020"),
        ((ENUMERATED, 3), 2, 2, "02000000 02000000"),
        ((BYTES,), 3, b"\1\2\3", "010203"),
        ((BYTES,), 3, (7, 8, 255), "0708ff"),
        ((BYTES,), 3, 9, "090909"),
    ],
)
def test_write(one, arguments, count, given, wanted):
    control, card = one(*arguments, count=count)
    card.forget(b"")
    control.write(given)
    assert card.sent == [hexed("03030000 00000000") + value(hexed(wanted))]
    assert card.rooms == [0]


def test_write_many(one):
    control, card = one(BYTES, count=512)
    card.forget(b"")
    control.write(bytes(range(256)) * 2)
    assert card.sent == [hexed("03030000 00000000") + bytes(range(256)) * 2]


def test_write_items_by_name(one):
    control, card = one(ENUMERATED, 3, count=2)
    card.forget(items("Mic", "Line", "CD"), b"", b"")
    control.write("Line")
    control.write(["CD", 0])
    assert card.sent == [
        hexed("01030000 00000000"),
        hexed("03030000 00000000") + value(hexed("01000000 01000000")),
        hexed("03030000 00000000") + value(hexed("02000000 00000000")),
    ]
    assert card.rooms[0] == 192
    with pytest.raises(ValueError, match="'Phono', must be 0..2 or one of 'Mic' 'Line' 'CD'"):
        control.write("Phono")
    assert len(card.sent) == 3


def test_write_iec958(one, controls):
    control, card = one(IEC958)
    card.forget(b"", b"")
    wanted = hexed("03030000 00000000") + value(b"\1" * 24, b"\2" * 147, b"\0", b"\4" * 4)
    control.write(controls.IEC958(b"\1" * 24, b"\2" * 147, b"\4" * 4))
    control.write((b"\1" * 24, b"\2" * 147, b"\4" * 4))
    assert card.sent == [wanted, wanted]
    for wrong in (b"\1" * 176, (b"\1" * 24,), (b"", b"", b""), 5):
        with pytest.raises(ValueError, match="must be an IEC958 of 24, 147 and 4 bytes"):
            control.write(wrong)


@pytest.mark.parametrize(
    ("arguments", "given", "message"),
    [
        ((BOOLEAN,), 2, "value is 2, must be 0..1"),
        ((INTEGER, 10, 100, 5), 9, "value is 9, must be 10..100 in steps of 5"),
        ((INTEGER, 10, 100, 5), 101, "value is 101, must be 10..100 in steps of 5"),
        ((INTEGER, 10, 100, 5), 11, "value is 11, must be 10..100 in steps of 5"),
        ((BOOLEAN,), -1, "value is -1, must be 0..1"),
        ((INTEGER, -100, 0, 0), 1, "value is 1, must be -100..0$"),
        ((INTEGER, -100, 0, 0), -101, "value is -101, must be -100..0$"),
        ((INTEGER64, 0, 1 << 63, 1), (1 << 63) + 1, "must be 0..9223372036854775808$"),
        ((INTEGER, 0, 9, 1), 1.5, "value is 1.5, must be 0..9"),
        ((INTEGER, 0, 9, 1), "loud", "value is 'loud', must be 0..9"),
        ((INTEGER, 0, 9, 1), (1, 2), "2 values, must be one or 1"),
        ((INTEGER, 0, 9, 1), (), "0 values, must be one or 1"),
        ((ENUMERATED, 3), 3, "value is 3, must be 0..2"),
        ((BYTES,), 256, "value is 256, must be 0..255"),
        ((BYTES,), b"\1\2", "2 values, must be one or 1"),
    ],
)
def test_values_that_are_refused(one, arguments, given, message):
    control, card = one(*arguments, name="X")
    with pytest.raises(ValueError, match="control 0 'X': .*" + message):
        control.write(given)
    assert card.sent == []


# Access rights (S-18 to S-22)


@pytest.mark.parametrize(
    ("right", "call"),
    [
        ("READ", lambda c: c.read()),
        ("READ", lambda c: c.db()),
        ("WRITE", lambda c: c.write(0)),
        ("WRITE", lambda c: c.write("nonsense")),
        ("WRITE", lambda c: c.set_db(0)),
        ("TLV_READ", lambda c: c.tlv_read()),
        ("TLV_READ", lambda c: c.tlv_read(0)),
        ("TLV_READ", lambda c: c.tlv()),
        ("TLV_READ", lambda c: c.db()),
        ("TLV_READ", lambda c: c.set_db(0)),
        ("TLV_WRITE", lambda c: c.tlv_write(bytes(8))),
        ("TLV_WRITE", lambda c: c.tlv_write(b"nonsense")),
        ("TLV_COMMAND", lambda c: c.tlv_command(bytes(8))),
    ],
)
def test_access(one, right, call):
    bit = 1 << ("READ", "WRITE", "", "", "TLV_READ", "TLV_WRITE", "TLV_COMMAND").index(right)
    control, card = one(INTEGER, 0, 100, 1, access=ALL & ~bit)
    message = refusal(errno.EPERM, call, control)
    assert f"does not allow {right}, but " in message
    assert right not in message.split("but ")[1].split()
    assert card.sent == []


def test_no_access_at_all(one):
    control, _ = one(INTEGER, 0, 100, 1, access=0, name="X")
    assert refusal(errno.EPERM, control.read) == "control 0 'X' does not allow READ, but nothing"


# Metadata


SCALE = hexed("01000000 08000000 90e8ffff 32000100")  # -60 dB, 0.5 dB, silence (golden vector)


def test_tlv_read(one):
    control, card = one()
    card.forget(SCALE, SCALE[:9], b"")
    assert control.tlv_read() == SCALE
    assert control.tlv_read(9) == SCALE[:9]
    assert control.tlv_read(65544) == b""
    assert card.sent == [hexed("04030000 00000000")] * 3
    assert card.rooms == [512, 9, 65544]
    for n in (0, -1, 65545):
        with pytest.raises(ValueError, match="must be 1..65544"):
            control.tlv_read(n)
    assert len(card.sent) == 3


def test_tlv(one):
    control, card = one()
    card.forget(SCALE)
    item = control.tlv()
    assert (item.minimum, item.step, item.mute) == (-6000, 50, True)


def test_long_metadata_are_read_twice(one):
    control, card = one()
    data = hexed("07000000 fc030000") + bytes(range(252)) * 4 + bytes(12)
    card.forget(data[:512], data)
    assert control.tlv() == (7, data[8:])
    assert card.rooms == [512, 1028]


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b"", "within a header"),
        (hexed("07000000 04000000 00"), "has 4 bytes, 1 came"),
        (hexed("07000000 04000100") + bytes(504), "has 65540 bytes, 504 came"),
        (hexed("07000000 ffffffff") + bytes(504), "multiple of 4"),
    ],
)
def test_bad_metadata(one, data, why):
    control, card = one(name="X")
    card.forget(data, data)
    message = refusal(errno.EIO, control.tlv)
    assert message.startswith("control 0 'X': TLV ")
    assert why in message


@pytest.mark.parametrize(
    ("call", "code"), [("tlv_write", "05030000"), ("tlv_command", "06030000")]
)
def test_tlv_write_and_command(one, call, code):
    control, card = one()
    card.forget(b"", b"")
    getattr(control, call)(SCALE)
    longest = hexed("07000000 00000100") + bytes(65536)
    getattr(control, call)(longest)
    assert card.sent == [hexed(code + "00000000") + SCALE, hexed(code + "00000000") + longest]
    assert card.rooms == [0, 0]
    for wrong, why in (
        (hexed("07000000 04000100") + bytes(65540), "65540 bytes, must be at most 65536"),
        (SCALE[:-1], "no TLV"),
        (SCALE + b"\0", "no TLV"),
        (SCALE[:7], "no TLV"),
        (SCALE[:4], "no TLV"),
        (b"", "no TLV"),
        (hexed("07000000 04000000") + bytes(8), "no TLV"),
        (hexed("07000000 06000000") + bytes(6), "no TLV"),
        (array("I", (7, 0, 0, 0, 0, 0, 0, 0)), "32 bytes are no TLV"),
    ):
        with pytest.raises(ValueError, match=why):
            getattr(control, call)(wrong)
    assert len(card.sent) == 2


# Decibels


def test_db(one):
    control, card = one(INTEGER, 0, 120, 1, count=2)
    card.forget(SCALE, value(hexed("00000000 78000000")), value(hexed("01000000 77000000")))
    assert control.db() == (SILENCE, 0.0)
    assert control.db() == (-59.5, -0.5)  # the scale is known by now
    assert [sent[:2] for sent in card.sent] == [b"\4\3", b"\2\3", b"\2\3"]


@pytest.mark.parametrize(
    ("given", "wanted"),
    [
        (0, "78000000 78000000"),
        (-10, "64000000 64000000"),
        (-10.3, "63000000 63000000"),
        (-59.5, "01000000 01000000"),
        (0.004, "78000000 78000000"),
        (SILENCE, "00000000 00000000"),
        ((-30, SILENCE), "3c000000 00000000"),
    ],
)
def test_set_db(one, given, wanted):
    control, card = one(INTEGER, 0, 120, 1, count=2)
    card.forget(SCALE, b"")
    control.set_db(given)
    assert card.sent[1] == hexed("03030000 00000000") + value(hexed(wanted))


@pytest.mark.parametrize("given", [1, 0.02, -60, -59.52, 1e9, -1e9, float("inf"), float("nan")])
def test_decibels_off_the_scale(one, given):
    control, card = one(INTEGER, 0, 120, 1, name="X")
    card.forget(SCALE)
    with pytest.raises(ValueError, match="off its scale of -59.50..0.00 dB, or -inf"):
        control.set_db(given)
    assert [sent[:2] for sent in card.sent] == [b"\4\3"]


def test_silence_off_the_scale(one):
    control, card = one(INTEGER, 0, 120, 1)
    card.forget(hexed("01000000 08000000 90e8ffff 32000000"))
    with pytest.raises(ValueError, match=r"off its scale of -60.00..0.00 dB$"):
        control.set_db(SILENCE)


def test_decibels_for_some_members(one):
    control, card = one(INTEGER, 0, 120, 1, count=2)
    card.forget(SCALE)
    with pytest.raises(ValueError, match="1 values, must be one or 2"):
        control.set_db([-10])


@pytest.mark.parametrize(
    ("db", "raw"),
    [
        (-60, 0), (-58.8, 0), (-58.6, 5), (-57.5, 5), (-56.3, 5), (-56.2, 10), (-12.5, 95),
        (-11, 95),
    ],
)
def test_decibels_between_steps(one, db, raw):
    # Steps of 5 are steps of 2.5 dB: 0, 5, ... 95. The maximum is none of them.
    control, card = one(INTEGER, 0, 98, 5)
    card.forget(hexed("01000000 08000000 90e8ffff 32000000"), b"")
    control.set_db(db)
    assert card.sent[1] == hexed("03030000 00000000") + value(bytes([raw]))


def test_silence_is_not_the_nearest_step(one):
    control, card = one(INTEGER, 0, 100, 10)
    card.forget(SCALE, b"")
    control.set_db(-55)  # the lowest step that is heard, 10
    assert card.sent[1] == hexed("03030000 00000000") + value(b"\x0a")


def test_silence_is_not_within_the_tolerance(one):
    control, card = one(INTEGER, 0, 1000000, 10)
    card.forget(hexed("05000000 08000000 18fcffff 00000000"), b"")  # -10 dB to 0 dB
    control.set_db(-10.004)
    assert card.sent[1] == hexed("03030000 00000000") + value(b"\x0a")


def test_every_value_of_a_wide_scale(one):
    # 64 bits: -96 dB to 0 dB, the ends must be exact.
    low, high = -(1 << 63), (1 << 63) - 1
    control, card = one(INTEGER64, low, high, 1)
    card.forget(hexed("04000000 08000000 80daffff 00000000"), b"", b"")
    control.set_db(-96)
    control.set_db(0)
    assert card.sent[1][8:16] == low.to_bytes(8, "little", signed=True)
    assert card.sent[2][8:16] == high.to_bytes(8, "little", signed=True)


@pytest.mark.parametrize(
    ("arguments", "metadata"),
    [
        ((INTEGER, 0, 100, 1), hexed("01010000 04000000 03000000")),
        ((BOOLEAN,), None),
        ((BYTES,), None),
    ],
)
def test_no_scale(one, arguments, metadata):
    control, card = one(*arguments, name="X")
    card.forget(*[metadata] * 2 if metadata else [])
    for call in (control.db, lambda: control.set_db(0)):
        message = refusal(errno.EOPNOTSUPP, call)
        assert message == "control 0 'X' has no scale of decibels: use read()"


def test_a_value_without_a_range(one):
    control, card = one(INTEGER, 0, 9, 1)
    card.forget(hexed("03000000 18000000 00000000 05000000") + SCALE, value(b"\7"))
    assert "no range for 7" in refusal(errno.EIO, control.db)


# Events


def test_refresh_of_information(controls):
    card = FakeCard(record(INTEGER, 0, 100, 1) * 2)
    control = controls.query(card, 2)[1]
    card.forget()
    control.refresh(INFO)
    assert card.sent == []  # an event handler may call it
    card.forget(record(INTEGER, 0, 7, 1, name="New"))
    assert control.maximum == 7
    assert control.name == "New"
    assert card.sent == [hexed("00030000 01000000 01000000 5c000000")]
    with pytest.raises(ValueError, match="control 1 'New': value is 8, must be 0..7"):
        control.write(8)


def test_refresh_of_information_that_became_nonsense(one, controls):
    control, card = one()
    control.refresh(INFO)
    card.forget(record(9), record(INTEGER, 0, 3, 1))
    assert "makes no sense" in refusal(errno.EIO, lambda: control.maximum)
    assert control.maximum == 3


def test_refresh_of_items(one, controls):
    control, card = one(ENUMERATED, 2)
    card.forget(items("a", "b"))
    assert control.items == control.items == ("a", "b")
    control.refresh(VALUE | TLV)
    assert control.items == ("a", "b")
    control.refresh(INFO)
    card.forget(record(ENUMERATED, 3), items("c", "d", "e"))
    assert control.items == ("c", "d", "e")


def test_refresh_of_metadata(one, controls):
    control, card = one(INTEGER, 0, 120, 1)
    card.forget(SCALE, value(b"\1"), value(b"\2"), SCALE.replace(b"\x32", b"\x64"), value(b"\2"))
    assert control.db() == (-59.5,)
    control.refresh(VALUE)
    assert control.db() == (-59.0,)
    control.refresh(TLV)
    assert control.db() == (-58.0,)


def test_unknown_attributes(one):
    control, _ = one()
    for name in ("loudness", "_loudness"):
        with pytest.raises(AttributeError, match="loudness"):
            getattr(control, name)


def test_names_of_items(one):
    control, card = one(ENUMERATED, 2)
    card.forget(b"x" * 64 + b"Line\0y".ljust(64, b"\0"))
    assert control.items == ("x" * 64, "Line")
    assert card.sent == [hexed("01030000 00000000")]
    assert card.rooms == [128]


def test_names_of_requests(controls):
    protocol = importlib.import_module("vsnd.protocol")
    names = [protocol.request_name(hexed("%02x030000" % n)) for n in range(7)]
    assert names == [
        "CTL_INFO", "CTL_ENUM_ITEMS", "CTL_READ", "CTL_WRITE", "CTL_TLV_READ", "CTL_TLV_WRITE",
        "CTL_TLV_COMMAND",
    ]
