# SPDX-License-Identifier: MIT
"""A device that asks for a reset (DEVICE_NEEDS_RESET): the card goes on where it was."""

import errno

import pytest

from broken import Broken
from duplex import read, sound, streams
from sim import BAD_MSG, EVENT_IDX, INDIRECT_DESC, NEVER, TXQ, VERSION_1, MmioTransport
from virtsnd.mmio_legacy import LegacyMmioTransport
from vsnd_helpers import LIFE, pattern, refusal, stream

KINDS = {
    "event_idx": (MmioTransport, VERSION_1 | EVENT_IDX),
    "flags": (MmioTransport, VERSION_1),
    "indirect": (MmioTransport, VERSION_1 | EVENT_IDX | INDIRECT_DESC),
    "legacy": (LegacyMmioTransport, VERSION_1 | EVENT_IDX),
}


@pytest.fixture
def card_of(rig_of):
    def make(kind, outputs=1, inputs=1):
        transport, features = KINDS[kind]
        rig = rig_of(streams=streams(outputs, inputs), transport=transport, features=features)
        card = rig.vsnd.open()
        card.rig = rig
        card.broken = Broken(rig)
        card.free = rig.dma.available()
        return card

    return make


@pytest.fixture(params=["event_idx", "legacy"])
def card(request, card_of):
    return card_of(request.param)


@pytest.fixture(params=KINDS)
def every_card(request, card_of):
    return card_of(request.param)


def leaves_nothing(card):
    assert not card.device.error and card is card.rig.vsnd.open()
    assert card.rig.dma.available() == card.free
    assert card.rig.guards()


# Playing: no sample is lost, and none comes twice, for this device returns what it has played.


@pytest.mark.parametrize("us", [1, 12_345, 95_000])
@pytest.mark.parametrize("pieces", ["long", "short", "copy=False"])
def test_while_it_plays(every_card, us, pieces):
    card = every_card
    out = card.output()
    data = pattern(out, 0, 480 * 20 - 13)
    n = {"long": len(data), "short": 1000, "copy=False": 1920 * 9}[pieces]
    out.write(data[: 1920 * 4])
    out.start()
    card.broken.ask_in(us)
    begin = card.rig.clock.now
    for at in range(1920 * 4, len(data), n):
        out.write(data[at : at + n], pieces != "copy=False")
    position = out.position() + out.delay()
    assert (out.xruns, card.resets) == (1, 1)
    assert out.state == "RUNNING"
    assert position == len(data) // 4
    out.close()
    assert card.broken.heard() == data + bytes(13 * 4)
    assert card.rig.clock.now - begin < 300_000  # 200 ms of sound
    leaves_nothing(card)


@pytest.mark.parametrize("call", ["drain", "xfer", "xfer_ok"])
@pytest.mark.parametrize("us", [1, 10_001, 35_000])
def test_while_it_waits_for_the_end(card, call, us):
    out = card.output()
    data = pattern(out, 4)
    if call == "xfer_ok":
        tokens = [out.xfer_nb(data[at : at + 1920]) for at in range(0, len(data), 1920)]
        out.start()
    else:
        out.write(data)
    card.broken.ask_in(us)
    if call == "drain":
        out.drain()
    elif call == "xfer":
        data += pattern(out, 9)
        out.xfer(data[1920 * 4 :])
    else:
        for token in tokens:
            out.xfer_ok(token)
    card.rig.clock.run(100_000)
    assert card.resets == 1
    out.close()
    assert card.broken.heard() == data
    leaves_nothing(card)


def test_in_the_tail_of_a_drain(card):
    # All periods are back; what the device has in its own buffers is lost, and nobody can know.
    out = card.output()
    out.write(pattern(out, 4))
    card.broken.ask_in(60_000)
    out.drain()
    assert (card.resets, out.xruns, out.state) == (1, 1, "SETUP")
    assert card.broken.heard() == pattern(out, 4)
    out.close()
    leaves_nothing(card)


def test_while_nobody_waits(card):
    out = card.output(periods=16)
    data = pattern(out, 16)
    out.write(data)
    out.start()
    card.broken.ask_in(51_000)
    card.rig.clock.run(51_000)
    card.rig.board._dispatch()  # any bytecode
    assert card.resets == 1
    card.rig.clock.run(60_000)
    assert out.position() == 480 * 11
    out.drain()
    assert card.broken.heard() == data
    out.close()
    leaves_nothing(card)


def test_paused(card):
    out = card.output()
    data = pattern(out, 12)
    out.write(data[: 1920 * 6])
    out.pause()
    card.broken.ask_in(10)
    card.rig.clock.run(100)
    card.rig.board._dispatch()
    assert (card.resets, out.xruns, out.state) == (1, 0, "PAUSED")
    out.resume()
    out.write(data[1920 * 6 :])
    out.close()
    assert card.broken.heard() == data
    leaves_nothing(card)


@pytest.mark.parametrize("state", ["SETUP", "PREPARED", "XRUN", "CLOSED"])
def test_with_nothing_queued(card, state):
    out = card.output()
    data = pattern(out, 6)
    if state == "SETUP":
        out.release()
    elif state == "XRUN":
        out.xfer(data[:1920])
        data = data[1920:]
    elif state == "CLOSED":
        out.close()
    assert out.state == state
    card.broken.ask()
    card.rig.board._dispatch()
    assert card.resets == 1 and out.state == state
    if state == "CLOSED":
        out = card.output()
    out.write(data)
    out.close()
    assert card.broken.heard() == data if state != "XRUN" else pattern(out, 6)
    leaves_nothing(card)


# Recording: what was in periods that were not full is lost, no more.


@pytest.mark.parametrize("us", [1, 9_999, 34_567])
def test_while_it_records(every_card, us):
    card = every_card
    mic = card.input()
    read(mic, 480)
    card.broken.ask_in(us)
    data = b"".join(read(mic, frames) for frames in (480, 100, 480 * 9, 1000))
    assert (mic.xruns, card.resets) == (1, 1)
    assert mic.position() >= 480 * 11 + 1100
    # The device begins again at the start of its sound with each life.
    again = data.rfind(sound(480 * 4, 1))
    assert data == sound(1920 + again, 1)[1920:] + sound(len(data) - again, 1)
    mic.close()
    leaves_nothing(card)


def test_what_was_recorded_can_be_read_at_the_end(card):
    mic = card.input()
    read(mic, 480)
    card.rig.clock.run(25_000)
    card.broken.ask()
    card.rig.board._dispatch()
    mic.drain()
    rest = mic.read(1920 * 8)
    assert rest == sound(480 * 12, 1)[1920 : 1920 + len(rest)] and len(rest) >= 1920 * 2
    mic.close()
    leaves_nothing(card)


# In the middle of a request


@pytest.mark.parametrize("name", LIFE)
def test_in_the_middle_of_a_command(card, name):
    out = None if name in ("SET_PARAMS", "PREPARE") else card.output()
    card.broken.ask_at(name)
    out = out or card.output()
    data = pattern(out, 9)
    out.write(data)
    if name in ("STOP", "RELEASE"):
        card.rig.clock.run(60_000)
    out.close()
    assert card.resets == 1
    assert card.broken.heard() == data
    leaves_nothing(card)


@pytest.mark.parametrize("name", ["STOP", "RELEASE"])
def test_in_the_middle_of_drop(card, name):
    out = card.output()
    data = pattern(out, 4)
    out.write(data)
    out.start()
    card.broken.ask_at(name)
    out.drop()
    assert (card.resets, out.state) == (1, "SETUP")
    out.write(data)
    out.close()
    assert card.broken.heard().endswith(data)
    leaves_nothing(card)


def test_in_the_middle_of_a_query(card):
    card.broken.ask_at("PCM_INFO")
    card.refresh()
    assert card.resets == 1 and len(card.streams) == 2
    leaves_nothing(card)


def test_while_a_card_is_opened(card):
    card.close()
    card.broken.ask_at("PCM_INFO")
    again = card.rig.vsnd.open()
    assert again.resets == 1 and len(again.streams) == 2
    again.output().close()


def test_an_interrupt_that_never_comes(card):
    card.rig.transport.interrupt = lambda bits: None
    card.broken.ask_at("START")
    out = card.output()
    out.write(pattern(out, 4))
    begin = card.rig.clock.now
    del card.rig.transport.interrupt
    card.rig.transport.need_reset = lambda: setattr(
        card.rig.transport, "status", card.rig.transport.status | 64
    )
    out.start()
    assert card.resets == 1
    assert 1_000_000 < card.rig.clock.now - begin < 1_100_000
    out.close()
    assert card.broken.heard() == pattern(out, 4)


@pytest.mark.parametrize("name", ["PREPARE", "START"])
def test_a_request_that_breaks_the_device_each_time(card, name):
    # It is made twice, and fails; the card lives on.
    out = None
    if name == "START":
        out = card.output()
        out.write(pattern(out, 2))
    card.broken.ask_at(name)
    card.broken.ask_at(name)
    call = out.start if out else card.output
    text = "PCM_%s: the device asked for a reset, twice" % name
    assert text in refusal(errno.EIO, call)
    assert card.resets == 2
    out = out or card.output()
    out.drop()
    out.write(pattern(out, 2))
    out.close()
    assert card.broken.heard() == pattern(out, 2)
    leaves_nothing(card)


def test_a_start_without_an_answer_after_which_all_was_recorded(card):
    mic = card.input()
    device = stream(card.rig, 1)

    def started(request, room):
        device.last = "START"
        device.start(request)
        card.rig.transport.status |= 64
        return None

    card.rig.sound.script["START"].append(started)
    assert read(mic, 480 * 5)[: 480 * 4 * 3] == sound(480 * 4 * 4, 1)[480 * 4 :]
    assert card.resets == 1 and card.rig.sound.names().count("START") == 2
    mic.close()
    leaves_nothing(card)


# Not blocking


def test_not_blocking(card):
    out, mic = card.output(), card.input()
    out.setblocking(False)
    mic.setblocking(False)
    data = pattern(out, 20)
    card.broken.ask_in(52_345)
    at, heard = 0, b""
    limit = card.rig.clock.now + 1_000_000
    while at < len(data) or len(heard) < 1920 * 10:
        at += out.write(data[at : at + 3000]) or 0
        buf = bytearray(1920)
        heard += buf[: mic.readinto(buf) or 0]
        card.rig.board._sleep(3000)
        assert card.rig.clock.now < limit
    out.setblocking(True)
    out.close()
    mic.close()
    assert card.broken.heard() == data
    leaves_nothing(card)


@pytest.mark.parametrize("blocks", [False, True])
def test_callbacks(card, blocks):
    # While one that blocks waits, nothing else runs but the interrupt's handler.
    out = card.output()
    data = pattern(out, 30)
    at = 7680
    n = 1920 * 9 if blocks else 1920

    def more(out):
        nonlocal at
        if at < len(data):
            out.setblocking(blocks)
            at += out.write(data[at : at + n]) or 0

    out.write(data[:at])
    out.irq(more)
    out.start()
    card.broken.ask_in(98_765)
    card.rig.board._sleep(600_000)
    assert card.resets == 1
    out.irq(None)
    out.close()
    assert card.broken.heard() == data
    leaves_nothing(card)


# Several streams


@pytest.mark.parametrize("polling", [0, 1 << 2])
def test_several_streams(card_of, polling):
    card = card_of("event_idx", 2, 2)
    for each in card.streams:
        each.features = card.rig.sound.infos[each.id].features = 1 << 2
    outs = [card.output(stream=id, period=480 + 48 * id, features=polling) for id in (0, 1)]
    mics = [card.input(stream=id, period=480, features=polling) for id in (2, 3)]
    data = [pattern(outs[0], 12), pattern(outs[1], 12)[::-1]]
    read(mics[0], 480), read(mics[1], 480)
    card.broken.ask_in(50_000)
    n = 1920
    for at in range(0, len(data[0]), n):
        for each in (0, 1):
            outs[each].write(data[each][at : at + n])
        read(mics[0], 300)
    read(mics[1], 480 * 5)
    outs[1].write(data[1][len(data[0]) :])
    for each in outs + mics:
        assert each.xruns >= 1
        each.close()
    assert card.resets == 1
    assert card.broken.heard(0) == data[0]
    assert card.broken.heard(1) == data[1] + bytes(-len(data[1]) % (528 * 4))
    leaves_nothing(card)


# What cannot be recovered: one exception, which says why, and card.reset() helps


def features_gone(card):
    card.rig.device.features &= ~EVENT_IDX
    return "it had features"


def stream_gone(card):
    # The first two are only to have old buffers forgotten.
    card.rig.sound.script["SET_PARAMS"] += 3 * [BAD_MSG]
    return "PCM_SET_PARAMS: BAD_MSG"


def no_reset(card):
    card.rig.transport.force["Status"] = lambda value: value or 4
    return "Status is not 0 after reset"


def no_answer(card):
    card.rig.sound.script["PREPARE"].append(NEVER)
    return "PCM_PREPARE: no answer"


def again_meanwhile(card):
    card.broken.ask_at("SET_PARAMS")
    return "asks for a reset again"


def smaller_queues(card):
    card.rig.device.queue_max[TXQ] = 4
    return "queue 2 had 64 descriptors and has 4"


def nonsense_before(card):
    ring = card.rig.device.rings[TXQ]
    ask = card.broken.ask

    def and_write():
        ring.push(60, 8)
        ask()

    card.broken.ask = and_write
    return "not its"


@pytest.mark.parametrize(
    "fault",
    [features_gone, stream_gone, no_reset, no_answer, again_meanwhile, smaller_queues,
     nonsense_before],
)
@pytest.mark.parametrize("call", ["write", "drain"])
def test_what_cannot_be_recovered(card, fault, call):
    out = card.output()
    out.write(pattern(out, 5))
    text = fault(card)
    card.broken.ask_in(5000)
    begin = card.rig.clock.now
    arguments = (bytes(1920 * 50),) if call == "write" else ()
    said = refusal(errno.EIO, getattr(out, call), *arguments)
    assert "needs a reset, and cannot be recovered: " in said and text in said
    assert "\n" not in said
    assert card.rig.clock.now - begin < 3_200_000
    assert card.resets == 0
    card.rig.transport.force.clear()
    card.rig.device.features |= EVENT_IDX
    card.rig.device.queue_max[TXQ] = 64
    card.reset()
    assert out.state == "CLOSED"
    out = card.output()
    del stream(card.rig).played[:]
    out.write(pattern(out, 6))
    out.close()
    assert bytes(stream(card.rig).played) == pattern(out, 6)
    leaves_nothing(card)


def test_again_and_again(card):
    out = card.output()

    def ever():
        card.broken.ask()
        card.rig.clock.at(card.rig.clock.now + 30_000, ever)

    card.rig.clock.at(card.rig.clock.now + 30_000, ever)
    begin = card.rig.clock.now
    assert "it asked more than 3 times in 10 s" in refusal(errno.EIO, out.write, bytes(1920 * 99))
    assert card.rig.clock.now - begin < 3_000_000
    assert (card.resets, out.xruns) == (3, 3)


def test_again_after_a_while(card):
    out = card.output()
    for count in range(5):
        out.write(bytes(1920 * 5))
        card.broken.ask()
        card.rig.board._sleep(4_000_000)
        assert not card.device.error
    assert card.resets == 5


def test_it_is_told(card):
    seen = []
    card.events.irq(lambda event: seen.append((event.name, event.item)))
    card.broken.ask()
    card.rig.board._sleep(10_000)
    assert seen == [("DEVICE_NEEDS_RESET", card)]
    for _ in range(20):
        assert card.rig.device.event(0x1234, 0)
        card.rig.board._sleep(1000)
    assert card.rig.device.lost_events == 0
