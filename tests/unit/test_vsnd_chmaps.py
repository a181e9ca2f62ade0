# SPDX-License-Identifier: MIT
"""modules/vsnd/chmaps.py: records, names of positions, and which map is a stream's."""

import errno
import importlib
from types import SimpleNamespace

import pytest

from fake_card import BAD_MSG, IO_ERR, NOT_SUPP, FakeCard, hexed
from vsnd_helpers import refusal

STEREO = hexed("00000000 00020304") + bytes(16)  # nid 0, output, FL FR (golden vector)


def row(nid=0, direction=0, positions=(3, 4), channels=None):
    count = len(positions) if channels is None else channels
    head = bytes([nid, 0, 0, 0, direction, count])
    return head + bytes(positions).ljust(18, b"\0")


@pytest.fixture
def chmaps(rig_of):
    rig_of()
    return importlib.import_module("vsnd.chmaps")


def test_query(chmaps):
    assert row() == STEREO
    card = FakeCard(STEREO)
    (chmap,) = chmaps.query(card, 1)
    assert card.sent == [hexed("00020000 00000000 01000000 18000000")]
    assert card.rooms == [24]
    assert (chmap.id, chmap.hda_fn_nid, chmap.direction) == (0, 0, 0)
    assert chmap.positions == (3, 4)
    assert chmap.names == "FL FR"
    assert repr(chmap) == "channel map 0: output, FL FR"


def test_a_map_of_an_input(chmaps):
    chmap = chmaps.query(FakeCard(row(nid=7, direction=1, positions=(2,))), 1)[0]
    assert chmap.hda_fn_nid == 7
    assert repr(chmap) == "channel map 0: input, MONO"


def test_names_of_all_positions(chmaps):
    first, second, third = chmaps.query(
        FakeCard(row(positions=range(18)) + row(positions=range(18, 36)) + row(positions=(36,))),
        3,
    )
    assert first.names == (
        "NONE NA MONO FL FR RL RR FC LFE SL SR RC FLC FRC RLC RRC FLW FRW"
    )
    assert second.names == (
        "FLH FCH FRH TC TFL TFR TFC TRL TRR TRC TFLC TFRC TSL TSR LLFE RLFE BC BLC"
    )
    assert third.names == "BRC"


def test_unknown_positions_are_kept(chmaps):
    (chmap,) = chmaps.query(FakeCard(row(positions=(3, 37, 255))), 1)
    assert chmap.positions == (3, 37, 255)
    assert chmap.names == "FL position 37 position 255"


def test_bad_records_are_dropped(chmaps):
    rows = (
        row(positions=(2,)), row(direction=2), row(channels=19), row(channels=255),
        row(positions=range(3, 21)),
    )
    found = chmaps.query(FakeCard(b"".join(rows)), 5)
    assert [chmap.id for chmap in found] == [0, 4]
    assert found[1].positions == tuple(range(3, 21))


def test_queries_are_split(chmaps):
    rows = [row(nid=n) for n in range(20)]
    card = FakeCard(b"".join(rows[:16]), b"".join(rows[16:]))
    assert [chmap.hda_fn_nid for chmap in chmaps.query(card, 20)] == list(range(20))
    assert card.sent == [
        hexed("00020000 00000000 10000000 18000000"),
        hexed("00020000 10000000 04000000 18000000"),
    ]


def test_a_device_that_only_claims_maps(chmaps):
    assert chmaps.query(FakeCard(BAD_MSG), 2) == ()
    assert chmaps.query(FakeCard(NOT_SUPP), 2) == ()
    refusal(errno.EIO, chmaps.query, FakeCard(IO_ERR), 2)


def test_too_many_maps(chmaps):
    card = FakeCard()
    message = refusal(errno.EIO, chmaps.query, card, 0xFFFFFFFF)
    assert message == "device claims 4294967295 channel maps: no more than 256 are believed"
    assert card.sent == []


def test_the_map_of_a_stream(chmaps):
    rows = (
        row(nid=1), row(direction=1), row(positions=(2,)), row(), row(positions=(4, 3)),
        row(nid=1, direction=1, positions=(7,)),
    )
    found = chmaps.query(FakeCard(b"".join(rows)), 6)

    def pick(nid, direction, channels):
        stream = SimpleNamespace(hda_fn_nid=nid, direction=direction)
        chmap = chmaps.for_stream(found, stream, channels)
        return chmap and chmap.id

    assert pick(1, 0, 2) == 0
    assert pick(0, 1, 2) == 1
    assert pick(0, 0, 1) == 2
    assert pick(0, 0, 2) == 3
    assert pick(1, 1, 1) == 5
    assert pick(0, 0, 6) is None
    assert pick(2, 0, 2) is None


def test_name_of_the_request(chmaps):
    protocol = importlib.import_module("vsnd.protocol")
    assert protocol.request_name(hexed("00020000")) == "CHMAP_INFO"
