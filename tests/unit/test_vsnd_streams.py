# SPDX-License-Identifier: MIT
"""modules/vsnd: several streams of a card at once, and several cards."""

import errno
import itertools
import random

import pytest

import sim
from duplex import EVT_PERIODS, EVT_XRUNS, FEATURES, MSG_POLLING, read, sound, streams
from sim import RXQ, TXQ, StreamInfo
from vsnd_helpers import refusal, stream

PERIODS = (48, 100, 37, 160)


@pytest.fixture(params=FEATURES)
def rig(request, rig_of):
    return rig_of(streams=streams(4, 4, features=MSG_POLLING), features=FEATURES[request.param])


def indirect(rig):
    return bool(rig.device.features & sim.INDIRECT_DESC)


def check(rig, out, written):
    """Everything that was written was played, then silence to the end of the last period."""
    played = bytes(stream(rig, out.stream.id).played)
    assert played == written + bytes(-len(written) % out.period_bytes)


@pytest.mark.parametrize("start", [0, 65500])
@pytest.mark.parametrize("polling", [(), (0, 5), range(8)], ids=["kicks", "some poll", "all poll"])
def test_four_outputs_and_four_inputs_at_once(rig, start, polling):
    card = rig.vsnd.open()
    free = rig.dma.available()
    rig.wind(card, TXQ, start)
    rig.wind(card, RXQ, start)
    periods = 4 if indirect(rig) else 3  # descriptors for four such streams
    order = random.Random(7)
    outs, mics = [], []
    for i, period in enumerate(PERIODS):
        features = MSG_POLLING if i in polling else 0
        outs.append(card.output(period=period, periods=periods + i % 2 * indirect(rig),
                                features=features))
        features = MSG_POLLING if i + 4 in polling else 0
        mics.append(card.input(period=period, periods=periods, features=features))
    written = [b""] * 4
    got = [b""] * 4
    for _ in range(40):
        for i in order.sample(range(4), 4):
            n = order.choice((1, 7, 48, 100))
            data = sound(400_000, i)[len(written[i]) : len(written[i]) + 4 * n]
            assert outs[i].write(data) == len(data)
            written[i] += data
        for i in order.sample(range(4), 4):
            got[i] += read(mics[i], order.choice((1, 7, 48, 100)))
    for i in range(4):
        outs[i].drain()
        check(rig, outs[i], written[i])
        recorded = bytes(stream(rig, 4 + i).recorded)
        assert got[i] == recorded[: len(got[i])]
        mics[i].close()
        outs[i].close()
    assert rig.dma.available() == free
    assert rig.guards()


@pytest.mark.parametrize("pick", ["last", "middle"])
def test_completions_in_any_order(rig, pick):
    rig.sound.pick = lambda pending: {"last": len(pending) - 1, "middle": len(pending) // 2}[pick]
    card = rig.vsnd.open()
    outs = [card.output(period=48, periods=3), card.output(period=37, periods=3)]
    data = sound(48 * 37 * 4, 3)
    for at in range(0, len(data), 400):
        for out in outs:
            out.write(data[at : at + 400])
    for out in outs:
        out.drain()
        s = stream(rig, out.stream.id)
        n = out.period_bytes
        pieces = [bytes(s.played[at : at + n]) for at in range(0, len(s.played), n)]
        wanted = [data[at : at + n] for at in range(0, len(data), n)]
        assert sorted(pieces) == sorted(wanted)
        assert out.position() == len(data) // 4
        out.close()


@pytest.mark.parametrize("close", list(itertools.permutations(range(3))))
def test_closed_in_any_order(rig, close):
    card = rig.vsnd.open()
    free = rig.dma.available()
    outs = [card.output(period=48) for _ in range(3)]
    written = [b""] * 3
    for gone in (None, *close):
        if gone is not None:
            outs[gone].close()
            check(rig, outs[gone], written[gone])
        for i, out in enumerate(outs):
            if out.state != "CLOSED":
                data = sound(400_000, i)[len(written[i]) :][: 4 * 48 * 7]
                out.write(data)
                written[i] += data
    assert rig.dma.available() == free


def alone(rig, pcm):
    return pcm._ring.counters[rig.virtio.cycle.ALONE]


@pytest.mark.parametrize("direction", ["output", "input"])
def test_the_fast_way_again_once_it_is_alone(rig, direction):
    card = rig.vsnd.open()
    first = getattr(card, direction)(period=48, features=0)
    assert alone(rig, first)
    second = getattr(card, direction)(period=48, features=0)
    assert not alone(rig, first) and not alone(rig, second)
    second.close()
    assert not alone(rig, first)
    first.drop()
    first.prepare()
    assert alone(rig, first)
    calls = []
    queue = first._ring.queue
    submit = queue.submit
    queue.submit = lambda *arguments: (calls.append(1), submit(*arguments))
    if direction == "output":
        data = sound(48 * 4 * 30)
        first.write(data)
        first.close()
        check(rig, first, data)
    else:
        at = stream(rig, 4).fed
        assert read(first, 48 * 30) == sound(400_000, 4)[at : at + 48 * 30 * 4]
        first.close()
    assert not calls


def test_polling_streams_are_never_kicked(rig):
    card = rig.vsnd.open()
    out, mic = card.output(), card.input()
    assert out.features == mic.features == MSG_POLLING
    kicks = rig.device.kicks
    data = sound(480 * 4 * 9)
    out.write(data)
    assert read(mic, 3000) == sound(12_000, 4)
    out.close()
    mic.close()
    check(rig, out, data)
    assert TXQ not in kicks and RXQ not in kicks


def callback(rig, us, call):
    def due():
        rig.board._schedule(lambda _: call(), None)
        rig.board._interrupted = True

    rig.clock.at(rig.clock.now + us, due)


@pytest.mark.parametrize("us", [3000, 10_500, 14_000, 33_000])
@pytest.mark.parametrize("polls", [False, True])
def test_a_second_output_opened_by_a_callback_while_the_first_writes(rig, us, polls):
    card = rig.vsnd.open()
    free = rig.dma.available()
    first = card.output(features=0)
    beep = sound(100 * 4 * 6, 2)

    def play():
        with card.output(period=100, features=MSG_POLLING * polls) as out:
            out.write(beep)

    callback(rig, us, play)
    data = sound(480 * 4 * 30)
    first.write(data)
    first.close()
    check(rig, first, data)
    assert stream(rig, 1).played == beep
    assert rig.dma.available() == free


@pytest.mark.parametrize("us", [3000, 10_500, 14_000, 33_000])
def test_a_second_input_opened_by_a_callback_while_the_first_reads(rig, us):
    card = rig.vsnd.open()
    first = card.input(features=0)
    heard = []

    def record():
        with card.input(period=100, features=0) as mic:
            heard.append(read(mic, 700))

    callback(rig, us, record)
    assert read(first, 480 * 10) == stream(rig, 4).recorded[: 480 * 40]
    assert heard == [sound(2800, 5)]
    first.close()


def test_one_has_an_xrun_and_the_others_do_not(rig):
    card = rig.vsnd.open()
    a, b, mic = card.output(period=100), card.output(period=100), card.input(period=100)
    for _ in range(20):
        b.write(bytes(400))
        read(mic, 100)
        if len(stream(rig, 0).played) < 1200:
            a.write(bytes(400))
    assert (a.state, b.state) == ("XRUN", "RUNNING")
    assert (a.xruns, b.xruns, mic.xruns) == (1, 0, 0)
    rig.clock.run(100_000)
    read(mic, 100)
    assert mic.xruns == 1  # counted also if the queue is shared
    for pcm in (a, b, mic):
        pcm.close()


def test_overruns_of_inputs_that_share(rig):
    card = rig.vsnd.open()
    mics = [card.input(period=100), card.input(period=100)]
    for mic in mics:
        read(mic, 100)
    rig.clock.run(100_000)
    for mic in mics:
        read(mic, 1)
        assert mic.xruns == 1
        read(mic, 799)
        assert mic.xruns == 1


# Which stream, with what


def test_the_first_free_stream_that_offers_it(rig_of):
    infos = [
        StreamInfo(channels_max=1), StreamInfo(rates=1 << 7), StreamInfo(features=EVT_XRUNS),
        StreamInfo(direction=1, features=EVT_PERIODS), StreamInfo(direction=1, channels_min=2),
    ]
    card = rig_of(streams=infos).vsnd.open()
    assert card.output(channels=2, rate=8000).stream.id == 2
    assert card.output(channels=2).stream.id == 1
    with pytest.raises(ValueError, match="stream 0 has no 2 channels, but 1..1"):
        card.output(channels=2)
    assert card.output(channels=1).stream.id == 0
    assert "no free output stream" in refusal(errno.EBUSY, card.output)
    assert card.input(features=EVT_PERIODS, channels=1).stream.id == 3
    with pytest.raises(ValueError, match="stream 3 is no output"):
        card.output(stream=3)
    with pytest.raises(ValueError, match="stream 9: the card has 0..4"):
        card.input(stream=9)


@pytest.mark.parametrize(
    ("offered", "wanted", "selected"),
    [
        (0, None, 0), (MSG_POLLING, None, MSG_POLLING), (31, None, MSG_POLLING | EVT_XRUNS),
        (31, 0, 0), (31, EVT_PERIODS, EVT_PERIODS), (EVT_XRUNS, EVT_XRUNS, EVT_XRUNS),
    ],
)
def test_features(rig_of, offered, wanted, selected):
    rig = rig_of(streams=streams(1, 1, features=offered))
    card = rig.vsnd.open()
    for pcm in (card.output(features=wanted), card.input(features=wanted)):
        assert pcm.features == selected
        assert stream(rig, pcm.stream.id).params.features == selected
        pcm.close()


@pytest.mark.parametrize(
    ("offered", "wanted", "text"),
    [
        (0, MSG_POLLING, "cannot do MSG_POLLING, but nothing of the kind"),
        (MSG_POLLING, EVT_XRUNS | MSG_POLLING, "cannot do EVT_XRUNS, but MSG_POLLING"),
        (3, 1, "cannot do SHMEM_HOST, but nothing of the kind"),
        (3, 3, "cannot do SHMEM_HOST SHMEM_GUEST, but nothing"),
        (31, 32, "cannot do bit 5, but MSG_POLLING EVT_SHMEM_PERIODS EVT_XRUNS"),
    ],
)
def test_features_that_are_not_offered(rig_of, offered, wanted, text):
    rig = rig_of(streams=streams(1, 1, features=offered))
    card = rig.vsnd.open()
    for make in (card.output, card.input):
        with pytest.raises(ValueError, match=text):
            make(features=wanted)
    assert rig.sound.names() == ["PCM_INFO"]


def test_more_periods_than_a_queue_has_room_for(rig):
    card = rig.vsnd.open()
    outs = [card.output(periods=16, period=10)]
    free = rig.dma.available()
    if indirect(rig):
        outs += [card.output(periods=16, period=10) for _ in range(3)]
    else:
        text = refusal(errno.ENOSPC, card.output, periods=16, period=10)
        assert "queue 2 has 64 descriptors, and no " in text
        assert rig.dma.available() == free
        outs.append(card.output(periods=4, period=10))
    for i, out in enumerate(outs):
        out.write(sound(4000, i))
    for i, out in enumerate(outs):
        out.drain()
        check(rig, out, sound(4000, i))


# Several cards


def second_card(rig, slot=3, **options):
    """Another sound device on the board of a rig."""
    device = sim.SoundDevice(rig.clock, rig.board.memory, **options)
    transport = sim.MmioTransport(device)
    base, source = rig.board.put(slot, transport)
    transport.raised = rig.board.line(source)
    return device, base


def test_two_cards(rig):
    other, base = second_card(rig, streams=streams(1, 1))
    first = rig.vsnd.open()
    second = rig.vsnd.open(base)
    assert rig.vsnd.open() is first is rig.vsnd.open(rig.base)
    assert rig.vsnd.open(base) is second is not first
    a, b = first.output(), second.output(period=100, periods=2)
    mic = second.input()
    data = sound(480 * 4 * 12, 1)
    for at in range(0, len(data), 4000):
        b.write(data[at : at + 4000])
        a.write(data[at : at + 4000])
    assert read(mic, 1000) == other.sound.streams[1].recorded[:4000]
    a.close()
    b.close()
    check(rig, a, data)
    assert other.sound.streams[0].played[: len(data)] == data
    free = rig.dma.available()
    first.close()
    assert read(mic, 500) == other.sound.streams[1].recorded[4000:6000]
    assert rig.vsnd.open(base) is second
    again = rig.vsnd.open()
    assert again is not first
    assert rig.dma.available() == free
    again.output().close()
    rig.board.soft_reset()
    assert other.transport.status == rig.transport.status == 0
    assert rig.guards()


def test_a_broken_card_leaves_the_other_alone(rig):
    other, base = second_card(rig, streams=streams(1, 1))
    first, second = rig.vsnd.open(), rig.vsnd.open(base)
    out = first.output()
    out.write(sound(480 * 4 * 6))
    for _ in range(3):  # these are recovered from
        other.transport.need_reset()
        second.device.wait(lambda: False, 10)
    other.transport.need_reset()
    refusal(errno.EIO, second.device.wait, lambda: False, 10)
    assert rig.vsnd.open(base) is not second
    assert rig.vsnd.open() is first
    out.close()
    check(rig, out, sound(480 * 4 * 6))
    rig.vsnd.open(base).output().close()
