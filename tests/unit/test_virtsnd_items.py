# SPDX-License-Identifier: MIT
"""host/virtsnd: jacks, channel maps and control elements, seen by a driver of bytes."""

import struct

import pytest

from raw_driver import Driver
from virtsnd import (
    BAD_MSG, CTLS, NOT_SUPP, VERSION_1, ChmapInfo, Control, JackInfo, StreamInfo, breaches, tlv,
)
from virtsnd.protocol import (
    BOOLEAN, BYTES, ENUMERATED, IEC958, INTEGER64, READ, TLV_COMMAND, TLV_READ, TLV_WRITE, WRITE,
    role,
)

ALL = VERSION_1 | CTLS
ITEMS = (
    Control(min=-20, max=20, step=5, count=2, role=role("VOLUME"), value=(-20, 15)),
    Control("Switch", BOOLEAN, count=1),
    Control("Long", INTEGER64, min=-(1 << 40), max=1 << 40, count=1, value=(-1,)),
    Control("Source", ENUMERATED, count=2, items=("Mic", "Line in"), value=(1, 0)),
    Control("Blob", BYTES, count=5, value=b"hello"),
    Control("IEC958 Default", IEC958, count=1, value=bytes(range(176))),
)


@pytest.fixture
def driver_of():
    """Make a Driver whose device is live: driver_of(jacks=..., features=...)."""
    yield lambda **options: Driver(**options).up()
    assert not breaches


def hexed(text):
    return bytes.fromhex(text)


# Jacks


def test_jack_info(driver_of):
    jacks = JackInfo(), JackInfo(1, 1, 0x0221401F, 0x1C, True)
    driver = driver_of(jacks=jacks)
    assert [driver.config(at) for at in (0, 4, 8)] == [2, 1, 0]
    assert driver.ask((0x001, 1, 1, 24), 28) == hexed(
        "01000000 01000000 1f402102 1c000000 01000000 00000000"
    )
    both = driver.ask((0x001, 0, 2, 24), 52)
    assert both[24:] == driver.ask((0x001, 1, 1, 24), 28)
    assert both[:24] == hexed("00000000 00000000 10400101 14000000 01000000 00000000")
    # A driver of a later version wants longer records.
    assert driver.ask((0x001, 1, 1, 40), 44) == both[24:] + bytes(16)


def test_jack_remap(driver_of):
    jacks = JackInfo(), JackInfo(features=1, defconf=0xAABBCC12)
    driver = driver_of(jacks=jacks)
    driver.ask((0x002, 1, 4, 9))
    assert driver.ask((0x001, 1, 1, 24), 28)[8:12] == hexed("49ccbbaa")
    driver.refused(BAD_MSG, (0x002, 1, 16, 0))
    driver.refused(BAD_MSG, (0x002, 1, 0, 16))
    assert driver.device.sound.jacks[1].defconf == 0xAABBCC49
    assert jacks[1].defconf == 0xAABBCC12
    driver.breach("S-33", driver.request, (0x002, 0, 4, 9))


# Channel maps


def test_chmap_info(driver_of):
    maps = ChmapInfo(), ChmapInfo(7, 1, ("FL", 4, "BRC")), ChmapInfo(positions=(3,) * 18)
    driver = driver_of(chmaps=maps)
    assert driver.config(8) == 3
    records = driver.ask((0x200, 0, 3, 24), 76)
    assert records[:24] == hexed("00000000 0002 0304") + bytes(16)
    assert records[24:48] == hexed("07000000 0103 030424") + bytes(15)
    assert records[48:] == hexed("00000000 0012") + b"\3" * 18


# Control elements: records


def test_controls_are_seen_with_ctls_only(driver_of):
    driver = driver_of(controls=ITEMS)
    assert len(driver.device.config()) == 12
    driver = driver_of(controls=ITEMS, features=ALL)
    assert driver.device.config() == struct.pack("<4I", 0, 1, 0, 6)
    assert driver.config(12) == 6


HEAD = (
    "00000000 02000000 01000000 03000000 02000000 00000000"
    + b"Master Playback Volume".ljust(44, b"\0").hex()
)


def test_ctl_info_of_92_bytes(driver_of):
    driver = driver_of(controls=ITEMS, features=ALL)
    records = driver.ask((0x300, 0, 6, 92), 4 + 6 * 92)
    assert records[:92] == hexed(HEAD + "ecffffff 14000000 05000000") + bytes(12)
    integer64 = records[2 * 92 : 3 * 92]
    assert integer64[68:] == hexed("00000000 00ffffff 00000000 00010000") + bytes(8)
    enumerated = records[3 * 92 : 4 * 92]
    assert enumerated[8:12] == hexed("03000000")
    assert enumerated[68:] == hexed("02000000") + bytes(20)
    assert records[4 * 92 + 16 : 4 * 92 + 20] == hexed("05000000")


def test_ctl_info_of_96_bytes(driver_of):
    driver = driver_of(controls=ITEMS, features=ALL, control_record=96)
    records = driver.ask((0x300, 0, 6, 96), 4 + 6 * 96)
    assert records[:96] == hexed(HEAD + "00000000 ecffffff 14000000 05000000") + bytes(12)
    assert records[2 * 96 + 72 : 3 * 96] == hexed("00000000 00ffffff 00000000 00010000") + bytes(8)


def test_a_packed_device_that_keeps_its_stride(driver_of):
    driver = driver_of(controls=ITEMS, features=ALL)
    driver.device.sound.stride = lambda name, size: 92 if name == "CTL_INFO" else size
    assert len(driver.ask((0x300, 0, 2, 96), 4 + 2 * 96)) == 2 * 92


def test_records_with_bad_contents(driver_of):
    driver = driver_of(controls=(Control(b"x" * 50, 9),), features=ALL)
    assert driver.ask((0x300, 0, 1, 92), 96)[8:68] == (
        hexed("09000000 03000000 02000000 00000000") + b"x" * 44
    )
    driver.device.sound.tamper = lambda name, id, record: name.encode() + record[8:]
    assert driver.ask((0x300, 0, 1, 92), 96)[:12] == b"CTL_INFO" + hexed("09000000")


def test_enum_items(driver_of):
    driver = driver_of(controls=ITEMS, features=ALL)
    assert driver.ask((0x301, 3), 4 + 128) == b"Mic".ljust(64, b"\0") + b"Line in".ljust(64, b"\0")
    driver.breach("5.14.6.10.1", driver.request, (0x301, 2), 132)
    driver.breach("5.14.6.10.1", driver.request, (0x301, 3), 131)


# Values


@pytest.mark.parametrize(
    ("id", "value"),
    [
        (0, "ecffffff 0f000000"),
        (1, "00000000"),
        (2, "ffffffff ffffffff"),
        (3, "01000000 00000000"),
        (4, b"hello".hex()),
        (5, bytes(range(176)).hex()),
    ],
)
def test_ctl_read(driver_of, id, value):
    driver = driver_of(controls=ITEMS, features=ALL)
    assert driver.ask((0x302, id), 516) == hexed(value).ljust(512, b"\0")


@pytest.mark.parametrize(
    ("id", "good", "value", "bad"),
    [
        (0, "0a000000 f6ffffff", (10, -10), ("15000000 00000000", "0b000000 00000000")),
        (0, "14000000 ecffffff", (20, -20), ("00000000 e7ffffff", "19000000 00000000")),
        (1, "01000000", (1,), ("02000000", "ffffffff")),
        (2, "00000000 00ffffff", (-(1 << 40),), ("00000000 ff000080", "00000000 01010000")),
        (3, "00000000 01000000", (0, 1), ("02000000 00000000", "00000000 ffffffff")),
        (4, b"12345".hex(), b"12345", ()),
        (5, bytes(range(1, 177)).hex(), bytes(range(1, 177)), ()),
    ],
)
def test_ctl_write(driver_of, id, good, value, bad):
    driver = driver_of(controls=ITEMS, features=ALL)
    control = driver.device.sound.controls[id]
    before = control.value
    head = struct.pack("<II", 0x303, id)
    for wrong in bad:
        driver.refused(BAD_MSG, head + hexed(wrong).ljust(512, b"\0"))
        assert control.value == before
    # What follows the last member means nothing.
    driver.ask(head + hexed(good).ljust(512, b"\xff"))
    assert control.value == value
    assert driver.ask((0x302, id), 516) == hexed(good).ljust(512, b"\0")


def test_unsigned_integers(driver_of):
    driver = driver_of(controls=(Control(max=0xFFFFFFFF, count=1),), features=ALL)
    driver.ask(struct.pack("<III", 0x303, 0, 0xFFFFFFFE).ljust(520, b"\0"))
    assert driver.device.sound.controls[0].value == (0xFFFFFFFE,)


def test_an_echo(driver_of):
    driver = driver_of(controls=ITEMS, features=ALL)
    driver.listen(2)
    write = struct.pack("<III", 0x303, 1, 1).ljust(520, b"\0")
    driver.ask(write)
    assert driver.events() == []
    driver.device.echo_writes = True
    driver.ask(write)
    assert driver.events() == [hexed("00120000 0100 0100")]


# Metadata


SCALE = hexed("01000000 08000000 90e8ffff 32000100")
META = Control(access=TLV_READ | TLV_WRITE | TLV_COMMAND, tlv=SCALE)


def test_tlv(driver_of):
    assert tlv(1, -6000, 0x10032) == SCALE
    driver = driver_of(controls=(META,), features=ALL)
    assert driver.ask((0x304, 0), 4 + 64) == SCALE
    assert driver.ask((0x304, 0), 4 + 10) == SCALE[:10]
    assert driver.ask((0x304, 0), 4) == b""
    assert driver.device.sound.control(struct.pack("<II", 0x304, 0), 7)[4:] == SCALE[:3]
    other = tlv(0x105, 1, 2, 3)
    driver.ask(struct.pack("<II", 0x305, 0) + other)
    assert driver.ask((0x304, 0), 4 + 64) == other
    driver.ask(struct.pack("<II", 0x306, 0) + tlv(7))
    assert driver.device.sound.controls[0].commands == [tlv(7)]
    assert driver.ask((0x304, 0), 4 + 64) == other


def test_no_metadata(driver_of):
    driver = driver_of(controls=(Control(access=TLV_READ),), features=ALL)
    driver.refused(NOT_SUPP, (0x304, 0), 68)


def test_a_value_of_65536_bytes(driver_of):
    driver = driver_of(controls=(META,), features=ALL)
    value = bytes(range(256)) * 256
    driver.ask(struct.pack("<IIII", 0x305, 0, 9, len(value)) + value)
    assert driver.ask((0x304, 0), 4 + 8 + len(value))[8:] == value
    message = struct.pack("<IIII", 0x305, 0, 9, len(value) + 4) + value + bytes(4)
    driver.breach("S-23", driver.request, message)


# The driver's rules

ALL_ACCESS = READ | WRITE | TLV_READ | TLV_WRITE | TLV_COMMAND
ACCESS = (Control(access=0), Control(access=ALL_ACCESS))
TLV = (0, 4, 0)


@pytest.mark.parametrize(
    ("rule", "message", "room"),
    [
        ("S-04", (0x001, 0, 2, 24), 52),
        ("S-04", (0x001, 2, 0, 24), 4),
        ("S-04", (0x001, 0xFFFFFFFF, 1, 24), 28),
        ("S-04", (0x200, 1, 1, 24), 28),
        ("S-04", (0x300, 1, 2, 92), 188),
        ("S-05", (0x001, 0, 1, 24), 27),
        ("S-05", (0x200, 0, 1, 24), 4),
        ("S-05", (0x300, 0, 2, 92), 187),
        ("S-05", (0x100, 0, 1, 0x40000000), 36),
        ("5.14.6.1", (0x001, 0, 1, 23), 28),
        ("5.14.6.1", (0x300, 0, 1, 91), 96),
        ("5.14.6.1", (0x200, 0, 1), 28),
        ("S-18", (0x302, 0), 516),
        ("S-19", (0x303, 0, *(0,) * 128), 4),
        ("S-20", (0x304, 0), 64),
        ("S-21", (0x305, 0, *TLV), 4),
        ("S-22", (0x306, 0, *TLV), 4),
        ("S-31", (0x002, 1, 0, 0), 4),
        ("S-31", (0x302, 2), 516),
        ("S-31", (0x301, 0xFFFFFFFF), 516),
        ("5.14.6.4.2", (0x002, 0, 0), 4),
        ("5.14.6.10.2", (0x302, 1), 515),
        ("5.14.6.10.2", (0x303, 1, 0), 4),
        ("5.14.6.10.3", (0x305, 1, 0, 4), 4),
        ("5.14.6.10.3", (0x305, 1, 0, 8, 0), 4),
        ("5.14.6.10.3", (0x306, 1, 0, 4, 0), 8),
        ("5.14.6.10.1", (0x301,), 132),
        ("5.14.6.10.1", (0x301, 1, 0), 132),
        ("5.14.6.10.3", (0x304,), 64),
        ("5.14.6.10.3", (0x304, 1, 0), 64),
        ("5.14.6.10.3", (0x304, 1), 3),
        ("5.14.6.10.3", (0x305, 1, 0), 4),
        ("5.14.6.10.3", (0x306,), 4),
        ("5.14.6", (0x003, 0), 4),
        ("5.14.6", (0x307, 0), 4),
        ("5.14.6", (0x1000, 0), 4),
        ("5.14.6", b"\1\1", 4),
    ],
)
def test_rules(driver_of, rule, message, room):
    options = dict(jacks=(JackInfo(),), chmaps=(ChmapInfo(),), controls=ACCESS, features=ALL)
    driver = driver_of(**options)
    driver.breach(rule, driver.request, message, room)
    # The device goes on.
    assert driver.ask((0x100, 0, 1, 32), 36) == StreamInfo().record()


@pytest.mark.parametrize(
    ("rule", "bit", "message", "room"),
    [
        ("S-18", READ, (0x302, 0), 516),
        ("S-19", WRITE, (0x303, 0, *(0,) * 128), 4),
        ("S-20", TLV_READ, (0x304, 0), 64),
        ("S-21", TLV_WRITE, (0x305, 0, *TLV), 4),
        ("S-22", TLV_COMMAND, (0x306, 0, *TLV), 4),
    ],
)
def test_every_access_bit_is_for_one_request(driver_of, rule, bit, message, room):
    rest = Control(access=ALL_ACCESS & ~bit, tlv=SCALE)
    driver_of(controls=(Control(access=bit, tlv=SCALE),), features=ALL).ask(message, room)
    driver = driver_of(controls=(rest,), features=ALL)
    driver.breach(rule, driver.request, message, room)


@pytest.mark.parametrize("code", range(0x300, 0x307))
def test_ctl_requests_without_ctls(driver_of, code):
    driver = Driver(controls=ACCESS, features=ALL)
    driver.accepted = VERSION_1
    driver.up()
    driver.breach("S-32", driver.request, (code, 0), 516)


def test_an_empty_query_is_no_breach(driver_of):
    assert driver_of().ask((0x001, 0, 0, 24), 4) == b""


# A configuration that says more, or changes


def test_a_device_that_claims_more_than_it_has(driver_of):
    driver = driver_of(jacks=(JackInfo(),))
    driver.device.config = lambda: struct.pack("<III", 3, 0xFFFFFFFF, 0)
    driver.refused(BAD_MSG, (0x001, 0, 3, 24), 76)
    driver.refused(BAD_MSG, (0x001, 1, 1, 24), 28)
    driver.refused(BAD_MSG, (0x102, 77), 4)
    assert len(driver.ask((0x001, 0, 1, 24), 28)) == 24
    driver.breach("S-04", driver.request, (0x001, 0, 4, 24), 100)


def test_items_come_and_go(driver_of):
    driver = driver_of(jacks=(JackInfo(), JackInfo(nid=5)), controls=ITEMS, features=ALL)
    generation = driver.get("ConfigGeneration")
    assert driver.page.interrupt_status == 0
    driver.device.change(jacks=(JackInfo(nid=9),), controls=ITEMS[:2], chmaps=(ChmapInfo(),) * 3)
    assert driver.get("ConfigGeneration") == generation + 1
    assert driver.get("InterruptStatus") == 2
    driver.put("InterruptACK", 2)
    assert [driver.config(at) for at in (0, 4, 8, 12)] == [1, 1, 3, 2]
    assert driver.ask((0x001, 0, 1, 24), 28)[:4] == hexed("09000000")
    # A driver that does not know yet breaks no rule.
    driver.refused(BAD_MSG, (0x001, 0, 2, 24), 52)
    driver.breach("S-04", driver.request, (0x001, 0, 3, 24), 76)
    driver.up()
    driver.breach("S-04", driver.request, (0x001, 0, 2, 24), 52)
