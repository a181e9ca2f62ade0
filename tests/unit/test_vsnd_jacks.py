# SPDX-License-Identifier: MIT
"""modules/vsnd/jacks.py: records, words of the HDA specification, JACK_REMAP."""

import errno
import importlib

import pytest

from fake_card import BAD_MSG, IO_ERR, NOT_SUPP, FakeCard, hexed
from vsnd_helpers import refusal

# nid 1, REMAP, defconf 0x0221401f, caps 0x1c, connected (golden vector)
HEADPHONES = hexed("01000000 01000000 1f402102 1c000000 01000000 00000000")
# nid 0, no features, defconf 0x92170110: fixed, internal front, speaker, other analog, unknown
# colour, no presence detect, association 1, sequence 0; caps 0x00010010: output, EAPD
SPEAKER = hexed("00000000 00000000 10011792 10000100 00000000 00000000")


@pytest.fixture
def jacks(rig_of):
    rig_of()
    return importlib.import_module("vsnd.jacks")


def info(start, count):
    return hexed("01000000") + bytes([start, 0, 0, 0, count, 0, 0, 0]) + hexed("18000000")


def test_query(jacks):
    card = FakeCard(HEADPHONES)
    (jack,) = jacks.query(card, 1)
    assert card.sent == [hexed("01000000 00000000 01000000 18000000")]
    assert card.rooms == [24]
    assert (jack.id, jack.hda_fn_nid, jack.features) == (0, 1, 1)
    assert (jack.hda_reg_defconf, jack.hda_reg_caps) == (0x0221401F, 0x1C)
    assert jack.connected is True
    assert jack.can_remap is True
    assert (jack.association, jack.sequence) == (1, 15)
    assert (jack.connectivity, jack.location) == ("jack", "external front")
    assert (jack.default_device, jack.connection_type, jack.colour) == ("HP out", '1/8"', "green")
    assert jack.capabilities == ("presence detect", "headphone drive", "output")
    assert repr(jack) == (
        'jack 0: HP out, green 1/8", external front, connected, association 1, sequence 15, '
        "can be remapped"
    )


def test_a_jack_that_is_none(jacks):
    _, jack = jacks.query(FakeCard(HEADPHONES + SPEAKER), 2)
    assert jack.id == 1
    assert jack.connected is False
    assert jack.can_remap is False
    assert jack.capabilities == ("output", "EAPD")
    assert repr(jack) == (
        "jack 1: speaker, other analog, internal front, connectivity fixed, not connected, "
        "association 1, sequence 0"
    )


# The tables of the HDA specification, field by field.
DEVICES = (
    "line out|speaker|HP out|CD|SPDIF out|digital other out|modem line|modem handset|line in|AUX|"
    "mic in|telephony|SPDIF in|digital other in|reserved 14|other"
)
CONNECTIONS = (
    'unknown|1/8"|1/4"|ATAPI|RCA|optical|other digital|other analog|DIN|XLR|RJ-11|combination|'
    "reserved 12|reserved 13|reserved 14|other"
)
COLOURS = (
    "unknown|black|grey|blue|green|red|orange|yellow|purple|pink|reserved 10|reserved 11|"
    "reserved 12|reserved 13|white|other"
)


@pytest.mark.parametrize(
    ("shift", "name", "words"),
    [
        (30, "connectivity", "jack|none|fixed|both"),
        (20, "default_device", DEVICES),
        (16, "connection_type", CONNECTIONS),
        (12, "colour", COLOURS),
        (28, "location", "external|internal|separate chassis|other"),
        (
            24, "location",
            "external|external rear|external front|external left|external right|external top|"
            "external bottom|external special 7|external special 8",
        ),
    ],
)
def test_words(jacks, shift, name, words):
    words = words.split("|")
    rows = [
        bytes(8) + (number << shift).to_bytes(4, "little") + bytes(12)
        for number in range(len(words))
    ]
    chunks = [b"".join(rows)]
    assert [getattr(j, name) for j in jacks.query(FakeCard(*chunks), len(rows))] == words


def test_capabilities(jacks):
    row = bytes(12) + b"\xff" * 4 + bytes(8)
    (jack,) = jacks.query(FakeCard(row), 1)
    assert len(jack.capabilities) == 32
    assert jack.capabilities[:10] == (
        "impedance sense", "trigger required", "presence detect", "headphone drive", "output",
        "input", "balanced", "HDMI", "VRef Hi-Z", "VRef 50%",
    )
    assert jack.capabilities[10:17] == (
        "VRef ground", "bit 11", "VRef 80%", "VRef 100%", "bit 14", "bit 15", "EAPD",
    )
    assert (jack.capabilities[24], jack.capabilities[27]) == ("DisplayPort", "HBR")


def test_queries_are_split(jacks):
    rows = [bytes([n]) + HEADPHONES[1:] for n in range(40)]
    card = FakeCard(b"".join(rows[:16]), b"".join(rows[16:32]), b"".join(rows[32:]))
    found = jacks.query(card, 40)
    assert [j.hda_fn_nid for j in found] == [j.id for j in found] == list(range(40))
    assert card.sent == [info(0, 16), info(16, 16), info(32, 8)]
    assert card.rooms == [384, 384, 192]


def test_no_jacks(jacks):
    card = FakeCard()
    assert jacks.query(card, 0) == ()


@pytest.mark.parametrize("status", [BAD_MSG, NOT_SUPP])
def test_a_device_that_only_claims_jacks(jacks, status):
    assert jacks.query(FakeCard(status), 2) == ()
    assert jacks.query(FakeCard(HEADPHONES * 16, status), 17) == ()


def test_a_device_that_fails(jacks):
    refusal(errno.EIO, jacks.query, FakeCard(IO_ERR), 1)
    refusal(errno.EIO, jacks.query, FakeCard(HEADPHONES[:23]), 1)


def test_too_many_jacks(jacks):
    card = FakeCard()
    message = refusal(errno.EIO, jacks.query, card, 257)
    assert message == "device claims 257 jacks: no more than 256 are believed"
    assert card.sent == []
    card = FakeCard(*[HEADPHONES * 16] * 16)
    assert len(jacks.query(card, 256)) == 256


def test_remap(jacks):
    card = FakeCard(HEADPHONES * 3)
    jack = jacks.query(card, 3)[2]
    card.forget(b"")
    jack.remap(4, 1)
    assert card.sent == [hexed("02000000 02000000 04000000 01000000")]
    assert card.rooms == [0]
    assert jack.hda_reg_defconf == 0x02214041
    assert (jack.association, jack.sequence) == (4, 1)


def test_a_remap_that_the_device_refuses(jacks):
    card = FakeCard(HEADPHONES)
    (jack,) = jacks.query(card, 1)
    card.forget(NOT_SUPP)
    refusal(errno.EOPNOTSUPP, jack.remap, 4, 1)
    assert (jack.association, jack.sequence) == (1, 15)


def test_a_jack_that_cannot_be_remapped(jacks):
    card = FakeCard(SPEAKER)
    (jack,) = jacks.query(card, 1)
    card.forget()
    assert "VIRTIO_SND_JACK_F_REMAP" in refusal(errno.EPERM, jack.remap, 4, 1)
    assert card.sent == []


@pytest.mark.parametrize("numbers", [(16, 0), (0, 16), (-1, 0), (0, -1), (1.0, 0), ("1", 0)])
def test_numbers_of_remap(jacks, numbers):
    card = FakeCard(HEADPHONES)
    (jack,) = jacks.query(card, 1)
    card.forget()
    with pytest.raises(ValueError, match="must be 0..15"):
        jack.remap(*numbers)
    assert card.sent == []


def test_refresh(jacks):
    card = FakeCard(HEADPHONES * 2)
    jack = jacks.query(card, 2)[1]
    card.forget(SPEAKER)
    jack.refresh()
    assert card.sent == [info(1, 1)]
    assert (jack.id, jack.default_device, jack.connected) == (1, "speaker", False)


def test_names_of_requests(jacks):
    protocol = importlib.import_module("vsnd.protocol")
    assert protocol.request_name(info(0, 1)) == "JACK_INFO"
    assert protocol.request_name(jacks.jack_remap(0, 0, 0)) == "JACK_REMAP"
