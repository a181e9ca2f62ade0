# SPDX-License-Identifier: MIT
"""Jacks, channel maps and control elements over the whole stack, down to the registers."""

import errno

import pytest

import sim
from sim import (
    BAD_MSG, CTLS, EVENT_IDX, IO_ERR, NOT_SUPP, VERSION_1, ChmapInfo, Control, JackInfo, StreamInfo
)
from virtsnd.protocol import (
    BOOLEAN, BYTES, ENUMERATED, IEC958, INTEGER64, JACK_F_REMAP, READ, TLV_COMMAND, TLV_READ,
    TLV_WRITE, VOLATILE, WRITE,
)
from vsnd_helpers import hexed, refusal

RIGHTS = READ | WRITE | TLV_READ | TLV_WRITE | TLV_COMMAND
SCALE = hexed("01000000 08000000 90e8ffff 32000100")  # -60 dB in steps of 0.5 dB, and silence

JACKS = (
    JackInfo(nid=1, features=JACK_F_REMAP, defconf=0x0221401F, caps=0x1C, connected=False),
    JackInfo(),
)
CHMAPS = (ChmapInfo(), ChmapInfo(positions=("MONO",)), ChmapInfo(direction=1, positions=("FC",)))
CONTROLS = (
    Control(access=RIGHTS, role=2, max=120, value=(120, 0), tlv=SCALE),
    Control("Mic Switch", BOOLEAN, role=5, count=1, value=(1,)),
    Control("Delay", INTEGER64, count=1, min=-(1 << 63), max=(1 << 63) - 1, value=(-1,)),
    Control("Source", ENUMERATED, count=1, items=("Mic", "Line", "CD")),
    Control("Equalizer", BYTES, count=512, value=bytes(range(256)) * 2),
    Control("IEC958", IEC958, count=1),
    Control("Meter", access=READ | VOLATILE, count=1, min=-100, max=0),
)


@pytest.fixture(params=[92, 96])
def rig(request, rig_of):
    return rig_of(
        streams=[StreamInfo(), StreamInfo(direction=1)], jacks=JACKS, chmaps=CHMAPS,
        controls=CONTROLS, control_record=request.param,
    )


def test_what_the_card_says(rig):
    text = repr(rig.vsnd.open()).splitlines()
    assert "2 jacks, 2 streams, 3 channel maps, 7 controls" in text[0]
    assert [line.strip() for line in text[3:]] == [
        'jack 0: HP out, green 1/8", external front, not connected, association 1, sequence 15, '
        "can be remapped",
        'jack 1: line out, green 1/8", external rear, connected, association 1, sequence 0',
        "channel map 0: output, FL FR",
        "channel map 1: output, MONO",
        "channel map 2: input, FC",
        "control 0: 'Master Playback Volume', INTEGER 0..120, 2 values, output VOLUME, "
        "READ WRITE TLV_READ TLV_WRITE TLV_COMMAND",
        "control 1: 'Mic Switch', BOOLEAN, input MUTE, READ WRITE",
        "control 2: 'Delay', INTEGER64 -9223372036854775808..9223372036854775807, READ WRITE",
        "control 3: 'Source', ENUMERATED of 3 items, READ WRITE",
        "control 4: 'Equalizer', BYTES, 512 values, READ WRITE",
        "control 5: 'IEC958', IEC958, READ WRITE",
        "control 6: 'Meter', INTEGER -100..0, READ VOLATILE",
    ]


def test_order_of_the_queries(rig):
    rig.vsnd.open()
    names = rig.sound.names()
    assert names[:3] == ["PCM_INFO", "JACK_INFO", "CHMAP_INFO"]
    assert set(names[3:]) == {"CTL_INFO"}
    assert len(names[3:]) == (1 if rig.sound.control_record == 92 else 2)


def test_remap(rig):
    card = rig.vsnd.open()
    jack = card.jacks[0]
    jack.remap(4, 1)
    assert rig.sound.requests[-1][2] == hexed("02000000 00000000 04000000 01000000")
    assert rig.sound.jacks[0].defconf == 0x02214041
    assert (jack.association, jack.sequence) == (4, 1)
    jack.refresh()
    assert (jack.association, jack.sequence) == (4, 1)
    count = len(rig.sound.requests)
    refusal(errno.EPERM, card.jacks[1].remap, 1, 1)
    assert len(rig.sound.requests) == count
    rig.sound.script["JACK_REMAP"] += [IO_ERR]
    assert refusal(errno.EIO, jack.remap, 1, 1).startswith("JACK_REMAP: IO_ERR")
    assert (jack.association, jack.sequence) == (4, 1)


def test_plugging_in(rig):
    card = rig.vsnd.open()
    rig.device.plug(0, True)
    rig.device.plug(1, False)
    first, second = card.events.wait(100), card.events.wait(100)
    assert (first.name, first.item) == ("JACK_CONNECTED", card.jacks[0])
    assert (second.name, second.item) == ("JACK_DISCONNECTED", card.jacks[1])
    assert [jack.connected for jack in card.jacks] == [True, False]


def test_the_channel_map_of_a_stream(rig):
    card = rig.vsnd.open()
    with card.output(channels=2) as out:
        assert card.chmap(out).names == "FL FR"
    with card.output(channels=1) as out:
        assert card.chmap(out).names == "MONO"
    mic = card.input(channels=2)
    assert card.chmap(mic) is None
    mic.close()


def test_values(rig):
    card = rig.vsnd.open()
    elements = rig.sound.controls
    volume, switch, delay, source, equalizer, digital, meter = card.controls
    assert volume.read() == (120, 0)
    volume.write((7, 8))
    assert elements[0].value == (7, 8)
    assert switch.read() == (1,)
    switch.write(False)
    assert elements[1].value == (0,)
    assert delay.read() == (-1,)
    for number in (-(1 << 63), (1 << 63) - 1, (1 << 62) + 1):
        delay.write(number)
        assert elements[2].value == (number,)
        assert delay.read() == (number,)
    source.write("CD")
    assert elements[3].value == (2,)
    assert source.items[source.read()[0]] == "CD"
    assert equalizer.read() == bytes(range(256)) * 2
    equalizer.write(bytes(range(255, -1, -1)) * 2)
    assert elements[4].value == bytes(range(255, -1, -1)) * 2
    digital.write((b"\1" * 24, b"\2" * 147, b"\4" * 4))
    assert elements[5].value == b"\1" * 24 + b"\2" * 147 + b"\0" + b"\4" * 4
    assert digital.read() == (b"\1" * 24, b"\2" * 147, b"\4" * 4)
    assert meter.read() == (-100,)
    refusal(errno.EPERM, meter.write, 0)
    assert card.control("Meter") is meter
    with pytest.raises(ValueError, match="no control 'Speed' 0, but 'Master Playback Volume'"):
        card.control("Speed")


def test_decibels(rig):
    card = rig.vsnd.open()
    volume = card.control("Master Playback Volume")
    assert volume.db() == (0.0, float("-inf"))
    volume.set_db(-30)
    assert rig.sound.controls[0].value == (60, 60)
    volume.tlv_write(SCALE.replace(b"\x32", b"\x64"))
    assert rig.sound.controls[0].tlv[8:] == hexed("90e8ffff 64000100")
    assert volume.db() == (-30.0, -30.0)  # as before: nobody said that they have changed
    volume.refresh(4)
    assert volume.db() == (0.0, 0.0)


def test_long_metadata(rig):
    card = rig.vsnd.open()
    volume = card.controls[0]
    longest = hexed("07000000 00000100") + bytes(range(256)) * 256
    free = rig.dma.available()
    volume.tlv_write(longest)
    volume.tlv_command(longest)
    assert rig.sound.controls[0].tlv == longest
    assert rig.sound.controls[0].commands == [longest]
    assert volume.tlv() == (7, longest[8:])
    assert rig.dma.available() == free
    assert rig.guards()


def test_metadata_without_any(rig):
    rig.sound.controls[0].tlv = b""
    volume = rig.vsnd.open().controls[0]
    assert refusal(errno.EOPNOTSUPP, volume.tlv).startswith("CTL_TLV_READ: NOT_SUPP")


@pytest.mark.parametrize(
    ("status", "number"),
    [(BAD_MSG, errno.EINVAL), (NOT_SUPP, errno.EOPNOTSUPP), (IO_ERR, errno.EIO)],
)
def test_requests_that_fail(rig, status, number):
    control = rig.vsnd.open().controls[0]
    for name, call in (
        ("CTL_READ", control.read),
        ("CTL_WRITE", lambda: control.write(1)),
        ("CTL_TLV_READ", control.tlv),
        ("CTL_TLV_WRITE", lambda: control.tlv_write(SCALE)),
        ("CTL_TLV_COMMAND", lambda: control.tlv_command(SCALE)),
    ):
        rig.sound.script[name] += [status]
        assert refusal(number, call).startswith(name + ": ")


def test_many_items(rig):
    names = tuple(f"item {n}" for n in range(1024))
    rig.device.change(controls=[Control("Preset", ENUMERATED, count=1, items=names)])
    free = None
    preset = rig.vsnd.open().controls[0]
    free = rig.dma.available()
    preset.write("item 1023")
    assert rig.sound.controls[0].value == (1023,)
    assert preset.items == names
    assert rig.dma.available() == free


def test_control_events(rig):
    card = rig.vsnd.open()
    volume = card.controls[0]
    volume.db()
    rig.sound.controls[0].max = 60
    rig.sound.controls[0].tlv = SCALE.replace(b"\x32", b"\x64")
    rig.sound.controls[0].value = (30, 60)
    rig.device.control_changed(0, 7)
    count = len(rig.sound.requests)
    event = card.events.wait(100)
    assert (event.name, event.item, event.mask) == ("CTL_NOTIFY", volume, 7)
    assert len(rig.sound.requests) == count
    assert volume.maximum == 60
    assert volume.db() == (-30.0, 0.0)


def test_events_of_controls_behind_a_dropped_one(rig):
    """Ids stay what they are."""
    good = CONTROLS[0].record(rig.sound.control_record)
    rig.sound.tamper = lambda name, id, record: (
        good[:8] + b"\x09" + good[9:] if (name, id) == ("CTL_INFO", 1) else record
    )
    card = rig.vsnd.open()
    assert [control.id for control in card.controls] == [0, 2, 3, 4, 5, 6]
    rig.device.control_changed(2, 1)
    assert card.events.wait(100).item.name == "Delay"
    rig.device.control_changed(1, 1, force=True)
    assert card.events.wait(100) is None
    card.control("Source").write("Line")
    assert rig.sound.controls[3].value == (1,)


# Devices that say less than they claim, or more than is true


def test_a_device_without_the_feature(rig_of):
    rig = rig_of(controls=CONTROLS, features=VERSION_1 | EVENT_IDX)
    card = rig.vsnd.open()
    assert card.controls == ()
    assert rig.sound.names() == ["PCM_INFO"]


@pytest.mark.parametrize("status", [BAD_MSG, NOT_SUPP])
def test_a_device_that_only_claims(rig, status):
    for name in ("JACK_INFO", "CHMAP_INFO", "CTL_INFO"):
        rig.sound.script[name] += [status] * 2
    card = rig.vsnd.open()
    assert (card.jacks, card.chmaps, card.controls) == ((), (), ())
    card.output().close()


def test_a_device_that_wants_96_bytes(rig_of):
    """As StratoVirt: it refuses every other size."""
    rig = rig_of(controls=CONTROLS[2:3], control_record=96)
    rig.sound.script["CTL_INFO"] += [BAD_MSG]
    card = rig.vsnd.open()
    assert card.controls[0].minimum == -(1 << 63)
    assert [request[12] for _, name, request in rig.sound.requests if name == "CTL_INFO"] == [
        92, 96,
    ]


@pytest.mark.parametrize(
    ("which", "name", "most"),
    [(0, "jacks", 256), (2, "channel maps", 256), (3, "control elements", 1024)],
)
def test_a_device_that_claims_too_many(rig_of, which, name, most):
    rig = rig_of(features=VERSION_1 | CTLS)
    totals = [0, 1, 0, 0]
    totals[which] = 0xFFFFFFFF
    rig.device.config = lambda: b"".join(n.to_bytes(4, "little") for n in totals)
    message = refusal(errno.EIO, rig.vsnd.open)
    assert message == f"device claims 4294967295 {name}: no more than {most} are believed"


def test_a_short_answer(rig):
    rig.sound.script["CTL_INFO"] += [lambda request, room: hexed("00800000") + bytes(91)]
    assert "CTL_INFO: 95 bytes answered" in refusal(errno.EIO, rig.vsnd.open)


def test_garbage(rig_of):
    """Whatever is in the records, the card opens, and what it lists can be printed."""
    rig = rig_of(jacks=JACKS, chmaps=CHMAPS, controls=CONTROLS)
    seed = 1
    kept = 0
    for _ in range(60):
        noise = bytearray()
        while len(noise) < 256:
            seed = seed * 1103515245 + 12345 & 0x7FFFFFFF
            noise.append(seed >> 16 & 0xFF)

        def tamper(name, id, record, noise=bytes(noise)):
            if name == "PCM_INFO":
                return record
            cut = noise[id] % len(record)  # what lies before it is left as it was
            return record[:cut] + noise[id + 1 :][: len(record) - cut]

        rig.sound.tamper = tamper
        card = rig.vsnd.open()
        assert len(card.jacks) == 2
        kept += len(card.controls) + len(card.chmaps)
        lines = 2 + 2 + len(card.chmaps) + len(card.controls)
        lines += len(card.chmaps) + len(card.controls) < 3 + 7  # it says that some are missing
        assert len(repr(card).splitlines()) == lines
        card.close()
    assert 60 < kept < 60 * 10
    assert not sim.breaches
