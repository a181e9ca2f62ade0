# SPDX-License-Identifier: MIT
"""modules/vsnd: messages, and the device from probe to close()."""

import errno
import struct

import pytest

import sim
from sim import BAD_MSG, IO_ERR, NOT_SUPP, StreamInfo
from vsnd_helpers import hexed, refusal


# Messages (golden vectors)


@pytest.mark.parametrize(
    ("name", "arguments", "wire"),
    [
        ("pcm_info", (0, 2), "00010000 00000000 02000000 20000000"),
        (
            "pcm_set_params", (1, 16384, 4096, 0, 2, 5, 48000),
            "01010000 01000000 00400000 00100000 00000000 02050700",
        ),
        (
            "pcm_set_params", (0, 7680, 1920, 1 << 4, 1, 19, 24000),
            "01010000 00000000 001e0000 80070000 10000000 01130f00",
        ),
        ("pcm_prepare", (0,), "02010000 00000000"),
        ("pcm_release", (0,), "03010000 00000000"),
        ("pcm_start", (0,), "04010000 00000000"),
        ("pcm_stop", (0,), "05010000 00000000"),
        ("pcm_xfer", (1,), "01000000"),
    ],
)
def test_messages(rig_of, name, arguments, wire):
    protocol = rig_of().vsnd.protocol
    assert getattr(protocol, name)(*arguments) == hexed(wire)


def test_pcm_info_record(rig_of):
    record = hexed("00000000 10000000 20000800 00000000 c0000000 00000000 00010200 00000000")
    fields = rig_of().vsnd.protocol.pcm_info_record(b"\xff" * 4 + record, 4)
    assert fields == (0, 1 << 4, 1 << 5 | 1 << 19, 1 << 6 | 1 << 7, 0, 1, 2)
    assert StreamInfo(0, *fields[1:]).record() == record


def test_names_of_formats_and_rates(rig_of):
    rig = rig_of()
    vsnd, protocol = rig.vsnd, rig.vsnd.protocol
    assert (vsnd.IMA_ADPCM, vsnd.S16, vsnd.FLOAT, vsnd.IEC958_SUBFRAME) == (0, 5, 19, 24)
    names = [f[0] for f in protocol.FORMATS]
    assert [getattr(vsnd, name) for name in names] == list(range(len(names)))
    assert protocol.RATES == sim.protocol.RATES
    bits = [f[1] for f in protocol.FORMATS]
    assert [b / 8 for b in bits] == list(sim.protocol.SAMPLE_BYTES)


def test_what_goes_over_the_wire(rig):
    rig.vsnd.open().output(rate=44100, channels=1, period=441, periods=3).close()
    assert [request for _, _, request in rig.sound.requests] == [
        hexed("00010000 00000000 01000000 20000000"),
        hexed("01010000 00000000 560a0000 72030000 00000000 01050600"),
        hexed("02010000 00000000"),
        hexed("03010000 00000000"),
    ]


# Probe


def test_open_twice_is_the_same_card(rig):
    assert rig.vsnd.open() is rig.vsnd.open() is rig.vsnd.open(rig.base)


def test_no_device(rig):
    rig.board.put(7)
    assert "start QEMU with -device" in refusal(errno.ENODEV, rig.vsnd.open)


def test_what_the_card_says(rig_of):
    streams = [StreamInfo(), StreamInfo(direction=1, channels_max=1), StreamInfo(direction=7)]
    card = rig_of(streams=streams).vsnd.open()
    text = repr(card).splitlines()
    assert len(text) == 4
    assert "3 streams" in text[0]
    assert text[1].startswith("  stream 0: output, 1..2 channels, S8 U8 S16 FLOAT, 5512 8000")
    assert text[2].startswith("  stream 1: input, 1..1 channels")
    assert "unusable" in text[3]


@pytest.mark.parametrize("count", [0, 1, 15, 16, 17, 40])
def test_queries_are_split(rig_of, count):
    rig = rig_of(streams=[StreamInfo(nid=i) for i in range(count)])
    card = rig.vsnd.open()
    assert [s.hda_fn_nid for s in card.streams] == list(range(count))
    assert len(rig.sound.names()) == (count + 15) // 16


def test_a_device_that_claims_too_many_streams(rig):
    rig.device.config = lambda: struct.pack("<III", 0, 0xFFFFFFFF, 0)
    free = rig.dma.available()
    assert "4294967295 streams" in refusal(errno.EIO, rig.vsnd.open)
    assert rig.dma.available() == free
    assert rig.transport.status == 0


def test_a_longer_configuration(rig):
    rig.device.config = lambda: struct.pack("<IIIII", 3, 1, 4, 5, 6)
    assert len(rig.vsnd.open().streams) == 1


@pytest.mark.parametrize("status", [BAD_MSG, NOT_SUPP, IO_ERR])
def test_a_probe_that_fails_leaves_nothing_behind(rig, status):
    free = rig.dma.available()
    rig.sound.script["PCM_INFO"].append(status)
    with pytest.raises(OSError, match="PCM_INFO"):
        rig.vsnd.open()
    assert rig.dma.available() == free
    assert rig.vsnd.open().streams


def test_unknown_formats_and_rates(rig_of):
    rig = rig_of(streams=[StreamInfo(formats=1 << 5 | 1 << 63, rates=1 << 7 | 1 << 40)])
    card = rig.vsnd.open()
    assert "S16 bit 63, 48000 bit 40 Hz" in repr(card)
    with pytest.raises(ValueError, match="no format"):
        card.output(format=24)


@pytest.mark.parametrize(
    "wrong",
    [
        {"rate": 96000}, {"rate": 1}, {"channels": 3}, {"channels": 0}, {"format": 11},
        {"format": -1}, {"format": 25}, {"period": 0}, {"periods": 1}, {"periods": 17},
        {"stream": 1},
    ],
)
def test_arguments(rig, wrong):
    card = rig.vsnd.open()
    free = rig.dma.available()
    with pytest.raises(ValueError):
        card.output(**wrong)
    assert rig.dma.available() == free
    assert rig.sound.names() == ["PCM_INFO"]


def test_no_output(rig_of):
    card = rig_of(streams=[StreamInfo(direction=1)]).vsnd.open()
    refusal(errno.ENODEV, card.output)
