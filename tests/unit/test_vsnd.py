# SPDX-License-Identifier: MIT
"""modules/vsnd: a stream from output() to close()."""

import errno

import pytest

from sim import OK, TXQ, StreamInfo
from vsnd_helpers import LIFE, pattern, play, refusal, stream


# Life


@pytest.mark.parametrize("start", [0, 65530])
@pytest.mark.parametrize("periods", [2, 3, 4, 8, 16])
@pytest.mark.parametrize("sizes", [(48 * 37,), (1, 47, 48, 49, 100, 3, 7, 1000, 5)])
def test_the_whole_life(rig, start, periods, sizes):
    free = rig.dma.available()
    card = rig.vsnd.open()
    rig.wind(card, TXQ, start)
    data, out = play(rig, card, sizes, period=48, periods=periods)
    out.drain()
    assert out.state == "SETUP"
    played = bytes(stream(rig).played)
    assert played[: len(data)] == data
    assert played[len(data) :] == bytes(-len(data) % out.period_bytes)
    assert rig.sound.names() == ["PCM_INFO", *LIFE]
    assert out.xruns == 0
    # A second time, without PCM_SET_PARAMS.
    assert out.write(data) == len(data)
    out.close()
    assert bytes(stream(rig).played) == 2 * played
    assert not stream(rig).dropped
    assert rig.sound.names() == ["PCM_INFO", *LIFE, *LIFE[1:]]
    assert out.state == "CLOSED"
    assert rig.device.spurious == 0
    # Another Output.
    data, out = play(rig, card, (500,), channels=1, rate=8000, format=rig.vsnd.U8, period=80)
    out.close()
    assert bytes(stream(rig).played)[2 * len(played) :] == data + b"\x80" * 60
    card.close()
    assert rig.transport.status == 0
    assert rig.dma.available() == free
    assert rig.guards()


def test_shorter_than_a_period(rig):
    with rig.vsnd.open().output() as out:
        out.write(pattern(out, 0, 3))
    assert bytes(stream(rig).played) == pattern(out, 0, 3) + bytes(477 * 4)
    assert rig.sound.names() == ["PCM_INFO", *LIFE]


def test_nothing_written(rig):
    with rig.vsnd.open().output() as out:
        out.write(b"")
        out.drain()
    assert rig.sound.names() == ["PCM_INFO", "SET_PARAMS", "PREPARE", "RELEASE"]


def test_a_device_that_polls(rig):
    rig.device.silent = True
    data, out = play(rig, rig.vsnd.open(), (480 * 20,))
    out.close()
    assert bytes(stream(rig).played) == data
    assert not rig.device.kicks


@pytest.mark.parametrize("slow_us", [0, 900, 200_000])
def test_slow_answers(rig, slow_us):
    rig.device.kick_us = slow_us
    data, out = play(rig, rig.vsnd.open(), (480 * 9 + 7,))
    out.close()
    assert bytes(stream(rig).played)[: len(data)] == data


def test_zero_copy(rig):
    out = rig.vsnd.open().output()
    data = pattern(out, 7, 100)
    assert out.write(data, copy=False) == len(data)
    out.write(data[:400], copy=False)
    assert out.write(data, False) == len(data)
    out.drain()
    expected = data + data[:400] + data
    assert bytes(stream(rig).played)[: len(expected)] == expected
    assert not out._ring._lent
    out.close()


def test_drop(rig):
    out = rig.vsnd.open().output()
    data = pattern(out, 8, 9)
    out.write(data)
    out.drop()
    assert out.state == "SETUP"
    s = stream(rig)
    assert bytes(s.played + s.dropped) == pattern(out, 8)
    assert len(s.dropped) >= 2 * out.period_bytes
    assert rig.sound.names()[1:] == LIFE
    # What was left of the last period is forgotten.
    del s.played[:]
    out.write(data)
    out.drain()
    assert bytes(s.played)[: len(data)] == data
    out.drop()
    out.close()
    assert out.state == "CLOSED"


def test_drop_before_start(rig):
    out = rig.vsnd.open().output()
    out.write(pattern(out, 3))
    out.drop()
    assert rig.sound.names()[1:] == ["SET_PARAMS", "PREPARE", "RELEASE"]
    assert bytes(stream(rig).dropped) == pattern(out, 3)
    out.close()


@pytest.mark.parametrize("order", [(0, 1, 2), (2, 1, 0), (2, 0, 1), (1, 0, 2)])
def test_release_returns_buffers_in_any_order(rig, order):
    rig.sound.flush = lambda pending: [pending[i] for i in order if i < len(pending)]
    out = rig.vsnd.open().output()
    for _ in range(3):
        out.write(pattern(out, 3))
        out.drop()
    out.write(pattern(out, 9))
    out.close()
    assert bytes(stream(rig).played) == pattern(out, 9)


def test_pause_and_resume(rig):
    out = rig.vsnd.open().output()
    data = pattern(out, 10)
    out.write(data)
    out.pause()
    assert out.state == "PAUSED"
    out.pause()
    heard = len(stream(rig).played)
    rig.clock.run(500_000)
    assert len(stream(rig).played) == heard
    out.resume()
    out.resume()
    assert out.state == "RUNNING"
    out.write(data)
    out.drain()
    assert bytes(stream(rig).played) == data * 2
    assert rig.sound.names()[1:] == [*LIFE[:3], "STOP", "START", "STOP", "RELEASE"]


def test_full_while_paused(rig):
    out = rig.vsnd.open().output()
    out.write(pattern(out, 6))
    out.pause()
    assert "resume()" in refusal(errno.EAGAIN, out.write, pattern(out, 5))
    out.close()


def test_drain_of_a_paused_stream_plays_the_rest(rig):
    out = rig.vsnd.open().output()
    out.write(pattern(out, 6, 11))
    out.pause()
    out.close()
    data = pattern(out, 6, 11)
    assert bytes(stream(rig).played)[: len(data)] == data


def test_the_commands_by_hand(rig):
    out = rig.vsnd.open().output()
    out.set_params()
    out.prepare()
    out.write(pattern(out, 2))
    out.start()
    for name in ("set_params", "prepare", "release"):
        assert f"{name} in state RUNNING" in refusal(errno.EPERM, getattr(out, name))
    out.start()  # does nothing
    out.stop()
    for name in ("set_params", "prepare"):
        assert f"{name} in state PAUSED" in refusal(errno.EPERM, getattr(out, name))
    out.stop()
    assert rig.sound.names()[1:] == ["SET_PARAMS", "PREPARE"] + LIFE[:4]
    out.release()
    for name in ("start", "stop", "release"):
        assert "SETUP" in refusal(errno.EPERM, getattr(out, name))
    out.close()
    for name in ("set_params", "prepare", "start", "stop", "release", "drain"):
        assert "CLOSED" in refusal(errno.EPERM, getattr(out, name))
    assert "CLOSED" in refusal(errno.EPERM, out.write, bytes(4))


def test_started_and_nothing_written(rig):
    out = rig.vsnd.open().output()
    out.start()
    out.close()
    assert rig.sound.names()[1:] == LIFE


def test_frames_in_and_out(rig):
    out = rig.vsnd.open().output()
    assert (out.avail(), out.delay(), out.position()) == (1920, 0, 0)
    out.write(pattern(out, 2, 17))
    assert (out.avail(), out.delay(), out.position()) == (1920 - 977, 977, 0)
    out.start()
    rig.clock.run(15_000)
    assert (out.avail(), out.delay(), out.position()) == (1920 - 497, 497, 480)
    out.write(pattern(out, 1))
    out.drain()
    assert out.position() == 4 * 480
    out.prepare()
    assert out.position() == 0


def test_an_underrun_is_counted_once(rig):
    out = rig.vsnd.open().output()
    out.write(pattern(out, 4))
    out.start()
    rig.clock.run(200_000)
    out.write(pattern(out, 2))
    out.drain()
    assert out.xruns == 1


def test_an_underrun_before_a_long_write_is_counted_once(rig):
    out = rig.vsnd.open().output()
    out.write(pattern(out, 8))
    rig.clock.run(200_000)
    out.write(pattern(out, 8))
    assert out.xruns == 1


def test_busy(rig_of):
    rig = rig_of(streams=[StreamInfo(), StreamInfo()])
    card = rig.vsnd.open()
    out = card.output()
    out.write(pattern(out, 2))
    free = rig.dma.available()
    refusal(errno.EBUSY, card.output, stream=0)
    assert rig.dma.available() == free
    other = card.output()
    assert other.stream.id == 1
    refusal(errno.EBUSY, card.output)
    out.close()
    other.close()
    assert bytes(stream(rig).played) == pattern(out, 2)


def test_a_soft_reset_while_playing(rig):
    out = rig.vsnd.open().output()
    out.write(pattern(out, 9))
    rig.board.soft_reset()
    assert rig.sound.names()[1:] == LIFE
    assert rig.transport.status == 0
    assert rig.dma.available() >= len(rig.dma.arena) - 1024


# Time


@pytest.mark.parametrize("latency", [0, 480, 1920, 7680, 38400, 76800, 0xFFFFFFFF])
def test_drain_means_heard(rig, latency):
    """A device that says how much it still holds gets the time to play it."""
    rig.sound.status = lambda stream, number: (OK, latency)
    last = []
    give_back = rig.sound.used
    rig.sound.used = lambda chain, n: (last.append(rig.clock.now), give_back(chain, n))
    data, out = play(rig, rig.vsnd.open(), (4800 * 7,), period=4800)
    out.drain()
    assert bytes(stream(rig).played) == data
    stopped = next(when for when, name, _ in rig.sound.requests if name == "STOP")
    frames = min(latency // 4, 48000)  # a second is the most that is believed
    assert frames / 48 <= (stopped - last[-1]) / 1000 <= max(1024, frames) / 48 + 40


@pytest.mark.parametrize("periods", [1, 2, 3, 4, 9, 10, 11, 12])
def test_drain_wakes_for_the_last_period(rig, periods):
    data, out = play(rig, rig.vsnd.open(), (480 * periods,))
    out.drain()
    assert rig.clock.now < 10_000 * periods + 100_000


def test_interrupts_for_every_half(rig):
    seen = []
    raise_it = rig.device.notify
    rig.device.notify = lambda: (seen.append(1), raise_it())
    data, out = play(rig, rig.vsnd.open(), (480 * 40,))
    wanted = 25 if out._ring.queue.event_idx else 50
    assert len(seen) < wanted
    out.close()
