# SPDX-License-Identifier: MIT
"""modules/vsnd: events, and requests while they come."""

import errno

import pytest

from duplex import EVT_PERIODS, EVT_XRUNS, MSG_POLLING, equipped, idle, kept, read
from sim import EVENTQ
from vsnd_helpers import pattern, refusal, stream

@pytest.fixture(params=["event_idx", "flags-indirect"])
def rig(request, rig_of):
    return equipped(rig_of, request.param)


def buffers(rig):
    """How many event buffers the device has; all that there are must be there."""
    rig.device.serve(EVENTQ)
    assert len(rig.device.rings[EVENTQ].owned) == 8
    return 8


# What they say


def test_the_buffers_are_there_when_the_driver_comes_up(rig):
    rig.device.events.wanted = True
    rig.vsnd.open().output()
    assert buffers(rig) == 8


def test_all_of_them(rig):
    card = rig.vsnd.open()
    out, mic = card.output(features=EVT_PERIODS), card.input()
    mic.start()
    device = rig.device
    assert device.plug(1) and device.plug(0, False)
    assert device.xrun(1)
    assert device.period_elapsed(0)
    assert device.control_changed(1, 5)
    assert kept(card) == [
        ("JACK_CONNECTED", 1, 0), ("JACK_DISCONNECTED", 0, 0), ("PCM_XRUN", 1, 0),
        ("PCM_PERIOD_ELAPSED", 0, 0), ("CTL_NOTIFY", 1, 5),
    ]
    assert [jack.connected for jack in card.jacks] == [False, True]
    assert (out.xruns, mic.xruns) == (0, 1)
    assert buffers(rig) and not device.lost_events
    out.close()
    mic.close()


@pytest.mark.parametrize("code", [0, 0x0FFF, 0x1002, 0x1102, 0x1201, 0x8000, 0xFFFFFFFF])
def test_unknown_ones_are_ignored(rig, code):
    card = rig.vsnd.open()
    for data in (0, 1, 0xFFFFFFFF):
        rig.device.event(code, data)
    assert kept(card) == []
    assert buffers(rig)


@pytest.mark.parametrize(
    ("code", "data"),
    [
        (0x1000, 2), (0x1001, 0xFFFFFFFF), (0x1100, 2), (0x1101, 0xFFFFFFFF),
        (0x1200, 2), (0x1200, 0xFFFF), (0x1200, 1 << 16 | 2),
    ],
)
def test_those_about_nothing_that_there_is(rig, code, data):
    card = rig.vsnd.open()
    out = card.output()
    rig.device.event(code, data)
    assert kept(card) == []
    assert out.xruns == 0
    assert buffers(rig)


@pytest.mark.parametrize("length", [0, 4, 7])
def test_those_that_are_too_short(rig, length):
    card = rig.vsnd.open()
    rig.device.event(0x1001, 0, length)
    assert kept(card) == []
    assert card.jacks[0].connected
    assert buffers(rig)


def test_one_that_is_too_long_breaks_the_queue(rig):
    card = rig.vsnd.open()
    rig.device.event(0x1001, 0, 9)
    assert card.events.wait() is None
    assert "wrote 9 bytes to a chain that takes 8" in refusal(errno.EIO, card.output)


@pytest.mark.parametrize("features", [0, MSG_POLLING, EVT_XRUNS, EVT_PERIODS])
def test_those_that_nobody_asked_for(rig, features):
    card = rig.vsnd.open()
    out = card.output(features=features)
    out.start()
    rig.device.xrun(0, force=True)
    rig.device.period_elapsed(0, force=True)
    names = {EVT_XRUNS: ["PCM_XRUN"], EVT_PERIODS: ["PCM_PERIOD_ELAPSED"]}
    assert [name for name, _, _ in kept(card)] == names.get(features, [])
    assert out.xruns == (features == EVT_XRUNS)
    out.close()
    rig.device.xrun(0, force=True)
    assert kept(card) == []


@pytest.mark.parametrize("wrong", [8, 64, 0x10000, 0xFFFFFFFF])
def test_a_wrong_used_entry_breaks_the_queue(rig, wrong):
    card = rig.vsnd.open()
    rig.device.used = lambda index, head, n: [(head + wrong & 0xFFFFFFFF, n)]
    rig.device.plug(0)
    card.events.wait()
    assert "not its" in refusal(errno.EIO, card.output)


# How they are handed out


def test_wait_sleeps_until_one_comes(rig):
    card = rig.vsnd.open()
    rig.clock.at(rig.clock.now + 70_000, lambda: rig.device.plug(1))
    at = rig.clock.now
    assert card.events.wait(1000).item is card.jacks[1]
    assert 70_000 <= rig.clock.now - at < 71_000
    assert card.events.wait(200) is None
    assert 270_000 <= rig.clock.now - at < 272_000


def test_a_handler(rig):
    card = rig.vsnd.open()
    rig.device.plug(1)
    rig.clock.run(10)
    seen = []
    card.events.irq(lambda event: seen.append((event.name, rig.board._locked)))
    rig.device.control_changed(0)
    rig.board._sleep(1000)
    assert seen == [("JACK_CONNECTED", True), ("CTL_NOTIFY", True)]
    card.events.irq(None)
    rig.device.plug(0)
    assert [name for name, _, _ in kept(card)] == ["JACK_CONNECTED"]
    assert len(seen) == 2


def test_poll(rig):
    card = rig.vsnd.open()
    assert card.events.ioctl(3, 1) == 0
    rig.device.plug(1)
    rig.board._sleep(10)
    assert (card.events.ioctl(3, 1), card.events.ioctl(3, 4), card.events.ioctl(4, 0)) == (1, 0, 0)


@pytest.mark.parametrize("count", [31, 32, 33, 1000])
def test_a_flood(rig, count):
    card = rig.vsnd.open()
    rig.device.events.hold = True
    card.events.lost
    for i in range(count):
        rig.device.plug(0, i % 2 == 0)
    idle(rig, 5)
    assert rig.device.rings[EVENTQ].idx == min(count, 32 + 8)  # 8 of them wait
    idle(rig, 100)
    assert rig.device.rings[EVENTQ].idx == min(count, 11 * 40)
    idle(rig, count // 2)
    assert card.events.lost == max(count - 32, 0)
    assert len(kept(card)) == min(count, 32)
    assert card.jacks[0].connected == (count % 2 == 1)
    assert buffers(rig) and not rig.device.lost_events


def test_a_flood_leaves_room_for_other_scheduled_functions(rig):
    card = rig.vsnd.open()
    seen = []
    card.events.irq(seen.append)
    rig.device.events.hold = True
    for _ in range(20):
        rig.device.plug(0)
    room = []
    schedule = rig.board._schedule
    card.events.__class__.put.__globals__["schedule"] = lambda *arguments: (
        schedule(*arguments), room.append(len(rig.board._scheduled))
    )
    idle(rig, 2)
    assert len(seen) == 20
    assert max(room) == 1


def test_a_handler_that_fails_does_not_keep_the_others(rig):
    card = rig.vsnd.open()
    seen = []

    def handler(event):
        seen.append(event.item.id)
        if len(seen) == 1:
            raise ZeroDivisionError

    for jack in (0, 1, 1):
        rig.device.plug(jack)
    rig.board._sleep(10)
    card.events.irq(handler)
    with pytest.raises(ZeroDivisionError):  # the board prints it and goes on
        rig.board._sleep(10)
    rig.board._locked = False
    rig.board._sleep(10)
    assert seen == [0, 1, 1]


def test_a_handler_for_whom_there_was_no_room(rig):
    card = rig.vsnd.open()
    seen = []
    card.events.irq(seen.append)
    for _ in range(8):
        rig.board._schedule(lambda _: None, None)
    rig.device.plug(0)
    rig.board._locked = True
    rig.board._dispatch()
    rig.board._locked = False
    rig.board._sleep(10)
    rig.device.plug(1)
    rig.board._sleep(10)
    assert [event.item.id for event in seen] == [0, 1]


# Requests and events


def test_a_handler_that_makes_requests_while_the_program_does(rig):
    card = rig.vsnd.open()
    values = []
    card.events.irq(lambda event: values.append(event.item.read()))
    out = card.output()
    rig.device.kick_us = 5000
    for i in range(5):
        rig.device.sound.controls[0].value = (i, i + 1)
        rig.clock.at(rig.clock.now + 1000, lambda: rig.device.control_changed(0))
        out.set_params()
        rig.board._sleep(100)
        out.prepare()
    rig.board._sleep(20_000)
    assert values == [(i, i + 1) for i in range(5)]
    assert rig.sound.names().count("SET_PARAMS") == 6
    out.close()


def test_a_handler_that_makes_requests_while_a_write_sleeps(rig):
    card = rig.vsnd.open()
    out = card.output()
    values = []
    card.events.irq(lambda event: values.append(card.controls[0].read()))
    for us in range(5_000, 100_000, 7_000):
        rig.clock.at(us, lambda: rig.device.control_changed(0))
    out.write(pattern(out, 20))
    out.close()
    assert values == [(0, 0)] * 14
    assert stream(rig).played == pattern(out, 20)


def test_a_request_within_another(rig):
    card = rig.vsnd.open()
    card.controls[0].write((7, 9))
    out = card.output()
    free = rig.dma.available()
    told = []
    rig.clock.at(rig.clock.now + 5, lambda: rig.board._schedule(
        lambda _: told.append((card.controls[0].read(), out.state)), None
    ))
    rig.device.kick_us = 1000
    out.prepare()
    assert told == [((7, 9), "PREPARED")]
    assert rig.dma.available() == free
    out.close()


def test_a_command_in_the_middle_of_another_of_the_same_stream(rig):
    card = rig.vsnd.open()
    out = card.output()
    out.write(pattern(out, 2))
    told = []
    rig.clock.at(rig.clock.now + 5, lambda: rig.board._schedule(
        lambda _: told.append(refusal(errno.EBUSY, out.close)), None
    ))
    rig.device.kick_us = 1000
    out.start()
    assert told == ["stream 0: close in the middle of start"]
    out.close()
    assert stream(rig).played == pattern(out, 2)


# Xruns, counted by the driver and by the device


@pytest.mark.parametrize("features", [0, EVT_XRUNS, MSG_POLLING, MSG_POLLING | EVT_XRUNS])
def test_no_xrun_is_counted_twice(rig, features):
    card = rig.vsnd.open()
    out, mic = card.output(features=features), card.input(features=features)
    for count in range(1, 4):
        out.write(pattern(out, 6))
        read(mic, 480)
        assert (out.xruns, mic.xruns) == (count - 1, count - 1)
        rig.board._sleep(200_000)
        for _ in range(2):
            assert (out.state, mic.state) == ("XRUN", "XRUN")
            assert (out.xruns, mic.xruns) == (count, count)
            assert out.avail() == mic.avail() == 1920
    out.write(pattern(out, 6))
    read(mic, 1920)
    rig.board._sleep(1000)
    assert (out.state, mic.state) == ("RUNNING", "RUNNING")
    mic.close()
    out.close()
    assert (out.xruns, mic.xruns) == (3, 3)


def test_the_end_of_a_drain_is_no_xrun(rig):
    card = rig.vsnd.open()
    out = card.output(features=EVT_XRUNS)
    for _ in range(3):
        out.write(pattern(out, 6))
        out.drain()
    assert out.xruns == 0
    assert stream(rig).played == pattern(out, 6) * 3
    out.close()


def test_started_with_nothing_written_is_no_xrun_yet(rig):
    out = rig.vsnd.open().output(features=0)
    out.start()
    assert (out.state, out.xruns) == ("RUNNING", 0)
    out.write(pattern(out, 6))
    assert (out.state, out.xruns) == ("RUNNING", 0)
    out.close()
