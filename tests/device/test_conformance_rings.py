# SPDX-License-Identifier: MIT
"""Conformance in QEMU: features, and what a device finds in the queues (2.2, 2.7, 6)."""

from itertools import pairwise

import pytest
from virtsnd import CONTROLQ, EVENTQ, RXQ, TXQ, Control, JackInfo, StreamInfo
from virtsnd.protocol import (
    ACCESS_PLATFORM, ADMIN_VQ, CTLS, EVENT_IDX, INDIRECT_DESC, JACK_CONNECTED, MSG_POLLING,
    ORDER_PLATFORM, SR_IOV, VERSION_1,
)

from witness import INDIRECT, NEXT, RAM, WRITE

USED = CTLS | INDIRECT_DESC | EVENT_IDX | VERSION_1 | ORDER_PLATFORM

PLAY = """
import vsnd
data = open("/rom/data", "rb").read()
with vsnd.open().output() as out:
    out.write(data[:1920 * 6])
print(out.xruns >= 0)
"""


def plays(board, card, sound):
    """The board has played six periods, all bytes as they should be."""
    result = board.run(PLAY, {"data": sound}, device=card)
    assert (result.status, result.output) == (0, "True\n")
    assert card.streams[0].played == sound[: 1920 * 6]


# Features. QEMU keeps ACCESS_PLATFORM for itself: it refuses a driver that does not accept it.


@pytest.mark.rule("F-01")
def test_accepts_only_what_is_offered(seen):
    assert not seen.card.device.accepted & ~seen.offered


@pytest.mark.rule("F-04")
@pytest.mark.rule("F-06")
def test_accepts_only_what_it_knows(seen):
    assert seen.card.device.accepted == seen.offered & USED
    assert seen.witness.lives == 2


@pytest.mark.rule("F-07")
def test_accepts_version_1(seen):
    assert int(seen.said["features"][0]) & VERSION_1


@pytest.mark.rule("F-08")
def test_accepts_access_platform(seen):
    assert int(seen.said["features"][0]) & ACCESS_PLATFORM == seen.offered & ACCESS_PLATFORM


@pytest.mark.rule("F-11")
def test_accepts_order_platform(seen):
    assert seen.card.device.accepted & ORDER_PLATFORM == seen.offered & ORDER_PLATFORM


@pytest.mark.rule("F-13")
def test_never_accepts_sr_iov(seen):
    assert not int(seen.said["features"][0]) & SR_IOV


@pytest.mark.rule("F-14")
def test_never_accepts_admin_vq(seen):
    assert not int(seen.said["features"][0]) & ADMIN_VQ


@pytest.mark.rule("F-05")
def test_does_with_less(seen):
    # Without CTLS there are no controls, without the others it plays and records all the same.
    assert bool(seen.witness.requests("CTL_INFO")) == bool(seen.offered & CTLS)
    assert len(seen.card.lives[0][0].played) > 1920 * 7


@pytest.mark.rule("F-03")
@pytest.mark.rule("F-05")
@pytest.mark.rule("I-06")
def test_stops_without_version_1(board, sound_card):
    card = sound_card(features=EVENT_IDX)
    result = board.run("import vsnd; vsnd.open()", device=card)
    assert result.status == 1
    assert "EOPNOTSUPP: device at 0x10008000 does not offer VIRTIO_F_VERSION_1" in result.output
    assert not card.lives


# Rings


@pytest.mark.rule("F-09")
def test_hands_out_physical_addresses(seen):
    start, n = map(int, seen.said["arena"])
    arena = range(start, start + n)
    parts = [part for chain in seen.witness.chains for part in chain.parts]
    assert len(parts) > 200
    for pa, n, writable in parts:
        assert pa in RAM and pa + n - 1 in RAM
        assert not writable or pa in arena and pa + n - 1 in arena
    for rings in seen.witness.rings:
        ends = rings.desc + 16 * rings.size, rings.avail + 6 + 2 * rings.size
        assert {rings.desc, rings.avail, rings.used, *ends} <= set(arena)
        assert rings.used + 6 + 8 * rings.size in arena


@pytest.mark.rule("Q-01")
def test_aligns_the_rings(seen):
    assert [rings.queue for rings in seen.witness.rings] == [0, 1, 2, 3] * 2
    for rings in seen.witness.rings:
        assert (rings.desc % 16, rings.avail % 2, rings.used % 4) == (0, 0, 0)


@pytest.mark.rule("Q-16")
def test_zeroes_used_flags(seen):
    # The second time the rings lie where others were.
    first, second = seen.witness.rings[:4], seen.witness.rings[4:]
    assert {rings.used for rings in first} & {rings.used for rings in second}
    assert {rings.used_flags for rings in seen.witness.rings} == {0}


@pytest.mark.rule("Q-02")
def test_readable_descriptors_come_first(seen):
    shapes = set()
    for chain in seen.witness.chains:
        flags = [flags for *_, flags, _ in chain.descriptors if not flags & INDIRECT]
        shapes.add("".join("W" if flag & WRITE else "R" for flag in flags))
    assert shapes == {"RW", "W", "RRW", "RWW"}  # control, event, tx, rx


@pytest.mark.rule("Q-03")
def test_three_descriptors_are_the_most(seen):
    assert {len(chain.parts) for chain in seen.witness.chains} == {1, 2, 3}
    assert all(n for chain in seen.witness.chains for _, n, _ in chain.parts)


@pytest.mark.rule("Q-04")
def test_chains_have_no_loops(seen):
    for chain in seen.witness.chains:
        flags = [flags for *_, flags, _ in chain.descriptors if not flags & INDIRECT]
        assert len(flags) == len(chain.parts)
        assert [flag & NEXT for flag in flags] == [NEXT] * (len(flags) - 1) + [0]
        assert sum(n for _, n, _ in chain.parts) < 1 << 20


@pytest.mark.rule("Q-06")
def test_indirect_only_if_negotiated(seen):
    tables = [d for chain in seen.witness.chains for d in chain.descriptors if d[3] & INDIRECT]
    assert bool(tables) == bool(seen.offered & INDIRECT_DESC)


@pytest.mark.rule("Q-07")
def test_no_table_in_a_table(seen):
    inside = [d for c in seen.witness.chains for d in c.descriptors if d[0] == "indirect"]
    assert bool(inside) == bool(seen.offered & INDIRECT_DESC)
    assert {flags for _, _, _, flags, _ in inside} <= {NEXT, NEXT | WRITE, WRITE}


@pytest.mark.rule("Q-08")
def test_chains_are_shorter_than_the_queue(seen):
    sizes = {rings.queue: rings.size for rings in seen.witness.rings}
    for chain in seen.witness.chains:
        assert len(chain.parts) <= sizes[chain.queue]
        table = [n for where, _, n, flags, _ in chain.descriptors if flags & INDIRECT]
        assert table in ([], [16 * len(chain.parts)])


@pytest.mark.rule("Q-09")
def test_a_table_stands_alone(seen):
    for chain in seen.witness.chains:
        if seen.offered & INDIRECT_DESC and len(chain.parts) > 1:
            (where, _, _, flags, _), *entries = chain.descriptors
            assert (where, flags) == ("ring", INDIRECT)
            assert {entry[0] for entry in entries} == {"indirect"}
        else:
            assert {descriptor[0] for descriptor in chain.descriptors} == {"ring"}


@pytest.mark.rule("Q-11")
def test_the_available_index_only_grows(seen):
    for life in (1, 2):
        for queue in range(4):
            chains = [c for c in seen.witness.of(queue) if c.life == life]
            for taken, chain in enumerate(chains, 1):
                assert taken <= chain.idx <= len(chains)
            assert all(a.idx <= b.idx for a, b in pairwise(chains))
    assert len(seen.witness.of(EVENTQ)) > 16  # round and round


@pytest.mark.rule("Q-12")
@pytest.mark.rule("Q-13")
def test_the_available_rings_flags(seen):
    allowed = {0} if seen.offered & EVENT_IDX else {0, 1}
    assert {chain.flags for chain in seen.witness.chains} <= allowed


@pytest.mark.rule("I-08")
def test_what_the_device_has_stays_as_it_is(seen, sound):
    # The device compares descriptors and samples when it gives them back; all were heard.
    first, second = seen.card.lives
    with_silence = sound[: 1920 * 7 + 400] + bytes(1520)
    assert first[0].played == with_silence + sound[: 1920 * 8] * 2
    assert first[1].played == sound[: 1920 * 8]
    assert second[1].played == sound[: 1920 * 5]


@pytest.mark.rule("Q-14")
def test_interrupts_for_nothing_do_no_harm(seen):
    assert seen.alarms > 50
    assert seen.said["errors"] == ["None"]


# Kicks


@pytest.mark.rule("Q-17")
@pytest.mark.rule("Q-19")
def test_kicks_wherever_nonsense_stands(seen):
    # Without EVENT_IDX avail_event is far away, with EVENT_IDX used.flags says: no kicks. Every
    # request waits for its answer, and so has a kick of its own, unless the device has already
    # seen it, which is the more often the busier the host.
    total = len(seen.witness.requests())
    assert total // 8 < seen.card.device.kicks.count(CONTROLQ) <= total


@pytest.mark.rule("Q-18")
@pytest.mark.rule("Q-20")
@pytest.mark.parametrize("features", [VERSION_1, VERSION_1 | EVENT_IDX], ids=["flags", "event"])
@pytest.mark.parametrize("silent", [False, True], ids=["kicks", "no_kicks"])
def test_kicks_as_the_device_wants_them(board, sound_card, sound, features, silent):
    def setup(device):
        device.silent = silent

    card = sound_card(features=features, setup=setup)
    plays(board, card, sound)
    if silent:
        assert card.device.kicks == []
    else:
        assert {CONTROLQ, TXQ} <= set(card.device.kicks)


@pytest.mark.rule("S-35")
@pytest.mark.parametrize("features", [VERSION_1, VERSION_1 | EVENT_IDX], ids=["flags", "event"])
def test_no_kicks_for_streams_that_are_polled(board, sound_card, sound, features):
    feed = bytes(range(1, 97))
    streams = [StreamInfo(features=MSG_POLLING, direction=d, feed=feed) for d in (0, 1)]
    card = sound_card(features=features, streams=streams)
    result = board.run(
        PLAY + "mic = vsnd.open().input(period=240)\nprint(mic.read(96).hex())\nmic.close()",
        {"data": sound},
        device=card,
    )
    assert (result.status, result.output) == (0, f"True\n{feed.hex()}\n")
    assert card.streams[0].played == sound[: 1920 * 6]
    assert [stream.params.features for stream in card.streams] == [MSG_POLLING] * 2
    assert not {TXQ, RXQ} & set(card.device.kicks)


@pytest.mark.rule("S-35")
def test_kicks_for_the_stream_beside_one_that_is_polled(board, sound_card, sound):
    card = sound_card(streams=[StreamInfo(features=MSG_POLLING), StreamInfo()])
    result = board.run(
        """
        import vsnd
        data = open("/rom/data", "rb").read()
        card = vsnd.open()
        with card.output(stream=0) as one, card.output(stream=1) as two:
            for at in range(0, 1920 * 6, 1920):
                one.write(data[at:at + 1920])
                two.write(data[-1920 - at:][:1920])
        """,
        {"data": sound},
        device=card,
    )
    assert result.status == 0
    assert card.streams[0].played == sound[: 1920 * 6]
    assert card.streams[1].played == b"".join(
        sound[-1920 - at :][:1920] for at in range(0, 1920 * 6, 1920)
    )
    assert TXQ in card.device.kicks


# What the device writes


@pytest.mark.rule("Q-15")
def test_believes_only_the_bytes_that_were_written(board, sound_card):
    # All bytes are there, but the device says that it wrote fewer: half of an answer, of a
    # value, of an event, and of a period that is recorded.
    short = {"PCM_INFO": 20, "CTL_READ": 6}

    def setup(device):
        def used(index, head, n):
            if index == CONTROLQ:
                return [(head, short.pop(device.sound.requests[-1][1], n))]
            return [(head, {EVENTQ: 4, RXQ: 8 + 48}[index])]

        device.used = used
        device.events.hold = True
        device.clock.at(device.clock.now + 1000, lambda: device.event(JACK_CONNECTED, 0))

    card = sound_card(
        setup=setup, streams=[StreamInfo(direction=1, feed=bytes(range(192)))],
        controls=[Control(count=1, max=10)], jacks=[JackInfo(connected=False)],
    )
    result = board.run(
        """
        import vsnd
        def failure(call, *arguments):
            try:
                print(call(*arguments))
            except OSError as e:
                print(e)
        failure(vsnd.open)
        card = vsnd.open()
        failure(card.controls[0].read)
        mic = card.input(channels=1, period=48, periods=2)
        print(mic.read(96).hex())
        mic.close()
        print(card.events.wait(), card.jacks[0].connected)
        """,
        device=card,
    )
    assert result.status == 0
    assert result.output.splitlines() == [
        "[Errno 5] EIO: PCM_INFO: 20 bytes answered, 36 wanted",
        "[Errno 5] EIO: CTL_READ: 6 bytes answered, 8 wanted",
        (bytes(range(48)) + bytes(range(96, 144))).hex(),
        "None False",
    ]
    assert any("JACK_CONNECTED jack 0" in line for line in card.trace)
