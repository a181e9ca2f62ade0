# SPDX-License-Identifier: MIT
"""Conformance in QEMU: what a device is told and asked about sound (5.14)."""

import struct

import pytest
from virtsnd import EVENTQ, RXQ, TXQ, StreamInfo
from virtsnd.protocol import CTLS, EVT_SHMEM_PERIODS, EVT_XRUNS

from session import FEED, OPENED, STREAMS
from witness import room, word

PERIOD = 1920  # bytes of the streams 0 and 1
LIFE = ["SET_PARAMS", "PREPARE", "START", "STOP", "RELEASE"]

# Names of formats and rates in OPENED, as they are on the wire (5.14.6.6.2).
FORMATS = {"U8": 4, "S16": 5}
RATES = {44100: 6, 48000: 7}


def refused(seen, rule, error, times):
    """So often the program tried to break the rule, and got the error each time."""
    assert seen.said[rule] == [error] * times


def unheard(seen, *names):
    """None of these requests came, of all that the device was asked."""
    assert len(seen.witness.requests()) > 50
    assert not seen.witness.requests(*names)


def params(seen):
    """(stream, buffer, period, features, channels, format, rate, padding) of all SET_PARAMS."""
    found = seen.witness.requests("SET_PARAMS")
    assert len(found) == 11
    return [struct.unpack("<4xIIIIBBBB", request) for _, request, _ in found]


# Events


@pytest.mark.rule("S-02")
def test_buffers_for_events_before_anything_else(seen):
    for life in (1, 2):
        chains = [chain for chain in seen.witness.chains if chain.life == life]
        assert [chain.queue for chain in chains[:8]] == [EVENTQ] * 8
    buffers = seen.witness.of(EVENTQ)
    assert {room(chain) for chain in buffers} == {8}
    # Each one that was used came back, but for those of the ends.
    assert seen.events > 50
    assert seen.events <= len(buffers) <= seen.events + 16


@pytest.mark.rule("S-03")
def test_buffers_for_events_are_writable(seen):
    assert {writable for c in seen.witness.of(EVENTQ) for *_, writable in c.parts} == {True}


@pytest.mark.rule("S-34")
def test_events_of_streams_are_selected_first(board, sound_card, sound):
    # Both streams have xruns, and are told of them; only the second one selected that.
    def setup(device):
        def tell():
            for stream in (0, 1):
                device.xrun(stream, force=True)
                device.period_elapsed(stream, force=True)

        device.clock.at(device.clock.now + 100_000, tell)

    offered = EVT_XRUNS | EVT_SHMEM_PERIODS
    card = sound_card(setup=setup, streams=[StreamInfo(features=offered) for _ in range(2)])
    result = board.run(
        """
        import vsnd
        card = vsnd.open()
        one = card.output(stream=0, features=0)
        two = card.output(stream=1)
        one.start(), two.start()
        event = card.events.wait(2000)
        while event:
            print(event.name, event.item.id)
            event = card.events.wait(50)
        one.abort(), two.abort()
        """,
        device=card,
    )
    assert result.status == 0
    assert set(result.output.splitlines()) == {"PCM_XRUN 1"}
    assert [stream.params.features for stream in card.streams] == [0, EVT_XRUNS]


# Queries


@pytest.mark.rule("S-04")
def test_queries_stay_within_the_totals(seen):
    totals = {"PCM_INFO": STREAMS, "JACK_INFO": 2, "CHMAP_INFO": 2}
    totals |= {"CTL_INFO": 2} if seen.offered & CTLS else {}
    asked = {name: [] for name in totals}
    for name, request, _ in seen.witness.requests(*totals):
        start, count, _ = struct.unpack("<4xIII", request)
        asked[name] += range(start, start + count)
    assert asked == {name: [*range(total)] * 2 for name, total in totals.items()}


@pytest.mark.rule("S-05")
def test_queries_have_room_for_the_answer(seen):
    sizes = {"PCM_INFO": 32, "JACK_INFO": 24, "CHMAP_INFO": 24, "CTL_INFO": 92}
    queries = seen.witness.requests(*sizes)
    assert len(queries) >= 8
    for name, request, n in queries:
        count, size = struct.unpack("<8xII", request)
        assert size >= sizes[name]
        assert n >= 4 + count * size


# SET_PARAMS


@pytest.mark.rule("S-06")
def test_buffers_are_whole_periods(seen):
    first = params(seen)[: len(OPENED)]
    frames = [{"U8": 1, "S16": 2}[f] * channels for _, channels, f, _, _ in OPENED]
    assert [(buffer, period) for _, buffer, period, *_ in first] == [
        (each[3] * each[4] * frame, each[3] * frame) for each, frame in zip(OPENED, frames)
    ]


@pytest.mark.rule("S-07")
def test_values_that_nobody_defined(seen):
    # The device offers some of them.
    refused(seen, "S-07", "ValueError", 4)
    for _, _, _, features, _, format, rate, _ in params(seen):
        assert (features < 1 << 5, format < 25, rate < 16) == (True,) * 3


@pytest.mark.rule("S-08")
def test_values_that_the_stream_has_not(seen):
    refused(seen, "S-08", "ValueError", 3)
    first = params(seen)[: len(OPENED)]
    assert [(each[5], each[6]) for each in first] == [
        (FORMATS[format], RATES[rate]) for rate, _, format, *_ in OPENED
    ]
    assert {each[3] for each in params(seen) if each[0] == 0} == {EVT_XRUNS}
    assert {each[3] for each in params(seen) if each[0] != 0} == {0}


@pytest.mark.rule("S-09")
def test_channels_that_the_stream_has_not(seen):
    refused(seen, "S-09", "ValueError", 3)
    assert [each[4] for each in params(seen)][: len(OPENED)] == [each[1] for each in OPENED]


@pytest.mark.rule("S-10")
def test_both_kinds_of_shared_memory(seen):
    refused(seen, "S-10", "ValueError", 1)


@pytest.mark.rule("S-11")
def test_padding(seen):
    assert {each[7] for each in params(seen)} == {0}


@pytest.mark.rule("S-13")
def test_no_shared_memory(seen):
    # The device offers both kinds.
    refused(seen, "S-13", "ValueError", 2)
    assert not any(each[3] & 3 for each in params(seen))


@pytest.mark.rule("S-12")
def test_samples_go_through_the_queues(seen):
    played = [len(stream.played) for life in seen.card.lives for stream in life[:2]]
    assert sum(played) == 37 * PERIOD
    assert len(seen.witness.of(TXQ)) == 37 + 3  # three were dropped


# Data


@pytest.mark.rule("S-14")
def test_periods_to_play_are_whole(seen):
    # The last one too: it is padded.
    assert {len(chain.read) for chain in seen.witness.of(TXQ)} == {4 + PERIOD}


@pytest.mark.rule("S-15")
def test_samples_to_play_are_readable(seen):
    for chain in seen.witness.of(TXQ):
        writable = [n for _, n, write in chain.parts if write]
        assert writable == [8]


@pytest.mark.rule("S-16")
def test_an_input_is_filled_before_it_starts(seen):
    story = seen.witness.story(2)
    assert story[: story.index("START")] == [*LIFE[:2], *[(4, 480 + 8)] * 4]


@pytest.mark.rule("S-17")
def test_samples_to_record_are_writable(seen):
    for chain in seen.witness.of(RXQ):
        assert [n for _, n, write in chain.parts if not write] == [4]


@pytest.mark.rule("S-36")
def test_header_samples_and_status(seen, sound):
    for chain in seen.witness.of(TXQ):
        assert [n for _, n, _ in chain.parts] == [4, PERIOD, 8]
        assert chain.read[4:1924] in sound or chain.read.endswith(bytes(1520))
    for chain in seen.witness.of(RXQ):
        assert [n for _, n, _ in chain.parts] == [4, 480, 8]
    recorded = bytes.fromhex(seen.said["recorded"][0])
    assert len(recorded) >= 480 * 5 + 100
    assert recorded == seen.card.lives[0][2].recorded
    # On a busy host the driver may come too late for a period: others follow, each whole.
    for at in range(0, len(recorded), 480):
        assert recorded[at : at + 480] in FEED[:750]


@pytest.mark.rule("S-31")
def test_ids_are_those_of_streams_that_there_are(seen):
    refused(seen, "S-31", "ValueError", 2)
    requests = [word(request, 4) for _, request, _ in seen.witness.requests(*LIFE)]
    assert set(requests) == {0, 1, 2}
    assert {word(chain.read) for chain in seen.witness.of(TXQ)} == {0, 1}
    assert {word(chain.read) for chain in seen.witness.of(RXQ)} == {2}


# The life cycle

OPEN = ["SET_PARAMS", "PREPARE", "RELEASE"]


@pytest.mark.rule("S-30")
def test_commands_as_the_life_cycle_allows(seen):
    refused(seen, "S-30", "EPERM", 22)
    commands = [[c for c in seen.witness.story(id) if isinstance(c, str)] for id in range(3)]
    paused = ["SET_PARAMS", "PREPARE", "START", "STOP", "START", "STOP", "RELEASE"]
    assert commands == [OPEN * len(OPENED) + paused + LIFE * 2 + OPEN, LIFE * 2, LIFE]


@pytest.mark.rule("S-37")
def test_samples_only_while_it_is_prepared(seen):
    for id in (0, 1, 2):
        last = None
        for what in seen.witness.story(id):
            assert isinstance(what, str) or last in ("PREPARE", "START", "STOP")
            last = what if isinstance(what, str) else last


# Jacks and controls


@pytest.mark.rule("S-33")
def test_remap_of_a_jack_that_has_it_not(seen):
    refused(seen, "S-33", "EPERM", 1)
    assert [r for _, r, _ in seen.witness.requests("JACK_REMAP")] == [
        struct.pack("<IIII", 2, 0, 3, 2)
    ]


@pytest.mark.rule("S-32")
def test_controls_only_with_ctls(seen):
    if seen.offered & CTLS:
        assert len(seen.witness.requests("CTL_INFO")) == 2
    else:
        refused(seen, "S-32", "ValueError", 1)
        assert not [name for name, _, _ in seen.witness.requests() if name.startswith("CTL")]


@pytest.mark.parametrize(
    "name",
    [
        pytest.param("CTL_READ", marks=pytest.mark.rule("S-18")),
        pytest.param("CTL_WRITE", marks=pytest.mark.rule("S-19")),
        pytest.param("CTL_TLV_READ", marks=pytest.mark.rule("S-20")),
        pytest.param("CTL_TLV_WRITE", marks=pytest.mark.rule("S-21")),
        pytest.param("CTL_TLV_COMMAND", marks=pytest.mark.rule("S-22")),
    ],
)
def test_requests_that_a_control_does_not_allow(seen, request, name):
    # Control 0 allows all, control 1 nothing.
    (mark,) = request.node.iter_markers("rule")
    allowed = bool(seen.offered & CTLS)
    refused(seen, mark.args[0], "EPERM", allowed)
    assert [word(r, 4) for _, r, _ in seen.witness.requests(name)] == [0] * allowed


@pytest.mark.rule("S-23")
def test_metadata_that_are_too_long(seen):
    allowed = bool(seen.offered & CTLS)
    refused(seen, "S-23", "ValueError", 3 * allowed)
    sent = seen.witness.requests("CTL_TLV_WRITE", "CTL_TLV_COMMAND")
    assert [len(request) for _, request, _ in sent] == [8 + 8 + 4] * 2 * allowed
