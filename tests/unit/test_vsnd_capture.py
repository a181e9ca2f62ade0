# SPDX-License-Identifier: MIT
"""modules/vsnd: an input from input() to close()."""

import errno

import pytest

from duplex import FEATURES, read, rest, sound, streams
from sim import IO_ERR, OK, RXQ
from vsnd_helpers import LIFE, refusal, stream

SIZES = (1, 47, 48, 49, 100, 3, 7, 1000, 5, 96, 144)


@pytest.fixture(params=["event_idx", "flags-indirect"])
def rig(request, rig_of):
    return rig_of(streams=streams(), features=FEATURES[request.param])


def mic_of(rig, **parameters):
    return rig.vsnd.open().input(**parameters)


# Life


@pytest.mark.parametrize("start", [0, 65530])
@pytest.mark.parametrize("periods", [2, 3, 4, 8, 16])
def test_the_whole_life(rig, start, periods):
    free = rig.dma.available()
    card = rig.vsnd.open()
    rig.wind(card, RXQ, start)
    mic = card.input(period=48, periods=periods)
    assert mic.state == "PREPARED"
    at = 0
    for frames in SIZES * 2:
        assert read(mic, frames) == sound(100_000)[at : at + 4 * frames]
        at += 4 * frames
    assert mic.state == "RUNNING"
    assert mic.xruns == 0
    mic.close()
    assert mic.state == "CLOSED"
    assert rig.sound.names() == ["PCM_INFO", *LIFE]
    assert rig.device.spurious == 0
    assert not stream(rig).missed
    # Another one.
    mic = card.input(channels=1, rate=8000, format=rig.vsnd.U8, period=80, periods=3)
    at = stream(rig).fed
    assert read(mic, 500) == sound(100_000)[at : at + 500]
    mic.close()
    card.close()
    assert rig.transport.status == 0
    assert rig.dma.available() == free
    assert rig.guards()


@pytest.mark.parametrize("channels, format, n", [(1, 4, 1), (2, 4, 2), (1, 5, 2), (2, 19, 8)])
def test_other_frames(rig, channels, format, n):
    mic = mic_of(rig, channels=channels, format=format, period=37, periods=5, rate=44100)
    assert mic.frame_bytes == n
    assert b"".join(read(mic, frames) for frames in (1, 36, 38, 100)) == sound(175 * n)
    mic.close()


def test_what_goes_over_the_wire(rig):
    mic = mic_of(rig, rate=44100, channels=1, period=441, periods=3)
    read(mic, 1)
    mic.close()
    assert [request.hex() for _, _, request in rig.sound.requests[1:]] == [
        "0101000000000000560a0000720300000000000001050600",
        "0201000000000000",
        "0401000000000000",
        "0501000000000000",
        "0301000000000000",
    ]


def test_all_buffers_are_there_before_it_starts(rig):
    seen = []
    rig.sound.script["START"].append(lambda request, room: seen.append(len(stream(rig).pending)))
    refusal(errno.ETIMEDOUT, read, mic_of(rig, periods=5), 1)
    assert seen == [5]


def test_read(rig):
    mic = mic_of(rig)
    assert mic.read(4 * 700) == sound(4 * 700)
    with pytest.raises(ValueError, match="no whole frames of 4"):
        mic.read(3)
    assert mic.read(0) == b""
    mic.drain()
    left = len(rest(mic))
    assert left % 4 == 0
    assert mic.read(400) == b""


def test_with(rig):
    with mic_of(rig) as mic:
        read(mic, 10)
    assert mic.state == "CLOSED"
    with pytest.raises(ZeroDivisionError), rig.vsnd.open().input() as mic:
        read(mic, 1 // 0)
    assert mic.state == "CLOSED"


@pytest.mark.parametrize("slow_us", [0, 900, 200_000])
def test_slow_answers(rig, slow_us):
    rig.device.kick_us = slow_us
    mic = mic_of(rig, period=4800)
    assert read(mic, 20_000) == stream(rig).recorded[:80_000]
    mic.close()


def test_a_device_that_polls(rig):
    rig.device.silent = True
    mic = mic_of(rig)
    assert read(mic, 5000) == sound(20_000)
    mic.close()
    assert not rig.device.kicks


# Short buffers at the end


@pytest.mark.parametrize("partial_at", ["STOP", "RELEASE"])
@pytest.mark.parametrize("status_at", ["end", "data"])
@pytest.mark.parametrize("frames", [0, 1, 100, 478, 479, 480, 481, 1000, 1439])
def test_drain_leaves_what_was_recorded(rig, partial_at, status_at, frames):
    mic = mic_of(rig)
    s = stream(rig)
    s.partial_at, s.status_at = partial_at, status_at
    mic.start()
    since = rig.clock.now
    rig.clock.run(frames * 1_000_000 / 48000 + 5)
    mic.drain()
    assert mic.state == "SETUP"
    recorded = bytes(s.recorded)
    # The answer takes 20 µs, or one frame.
    assert 4 * frames - 4 <= len(recorded) <= 4 * frames + 4 * ((rig.clock.now - since) // 20)
    assert mic.avail() == mic.position() == len(recorded) // 4
    assert rest(mic, 111) == recorded == sound(len(recorded))
    assert (mic.avail(), mic.position()) == (0, len(recorded) // 4)
    assert mic.readinto(bytearray(4)) == 0
    # It can go on.
    mic.drop()
    at = s.fed
    assert read(mic, 700) == sound(100_000)[at : at + 2800]
    mic.close()


@pytest.mark.parametrize("status_at", ["end", "data"])
@pytest.mark.parametrize("frames", [1, 240, 478, 479])
def test_pause_and_resume_lose_nothing(rig, status_at, frames):
    mic = mic_of(rig, period=480)
    s = stream(rig)
    s.status_at = status_at
    data = read(mic, 700)
    for _ in range(6):
        rig.clock.run(frames * 1_000_000 / 48000)
        mic.pause()
        assert mic.state == "PAUSED"
        fed = s.fed
        rig.clock.run(100_000)
        assert s.fed == fed
        mic.resume()
        mic.resume()
        assert mic.state == "RUNNING"
        data += read(mic, 600)
    assert data == sound(len(data))
    assert not s.missed
    mic.close()


def test_what_is_there_can_be_read_while_paused(rig):
    mic = mic_of(rig)
    mic.start()
    rig.clock.run(25_000)
    mic.pause()
    n = mic.avail()
    assert n == len(stream(rig).recorded) // 4 > 1000
    assert read(mic, n) == sound(4 * n)
    assert "all was read: resume()" in refusal(errno.EAGAIN, read, mic, 1)
    mic.resume()
    assert read(mic, 1000) == sound(100_000)[4 * n : 4 * n + 4000]


def test_release_in_any_order(rig):
    rig.sound.flush = lambda pending: list(pending)[::-1]
    mic = mic_of(rig)
    for _ in range(3):
        read(mic, 100)
        mic.drain()
        rest(mic)
        mic.prepare()
    rig.sound.flush = list
    at = stream(rig).fed
    assert read(mic, 2000) == sound(100_000)[at : at + 8000]
    mic.close()


@pytest.mark.parametrize("order", ["last", "second"])
def test_buffers_are_filled_in_another_order(rig, order):
    # Each buffer is good; what they are worth together only the device knows.
    rig.sound.pick = lambda pending: {"last": len(pending) - 1, "second": len(pending) > 1}[order]
    mic = mic_of(rig, periods=8)
    parts = {sound(100_000)[at : at + 1920] for at in range(0, 100_000, 1920)}
    got = [read(mic, 480) for _ in range(20)]
    assert set(got) <= parts
    assert len(set(got)) == 20
    mic.close()


# Time


def test_frames_in_and_out(rig):
    mic = mic_of(rig)
    assert (mic.avail(), mic.delay(), mic.position()) == (0, 0, 0)
    mic.start()
    assert (mic.avail(), mic.delay(), mic.position()) == (0, 0, 0)
    rig.clock.run(25_000)
    assert (mic.avail(), mic.delay(), mic.position()) == (960, 960, 960)
    read(mic, 17)
    assert (mic.avail(), mic.delay(), mic.position()) == (943, 943, 960)
    read(mic, 943)
    assert (mic.avail(), mic.delay(), mic.position()) == (0, 0, 960)
    mic.drop()
    assert (mic.avail(), mic.delay(), mic.position()) == (0, 0, len(stream(rig).recorded) // 4)
    mic.prepare()
    assert (mic.avail(), mic.delay(), mic.position()) == (0, 0, 0)
    read(mic, 480)
    assert mic.position() == 480


@pytest.mark.parametrize("latency", [0, 4, 480, 76800, 0xFFFFFFFF])
def test_latency(rig, latency):
    rig.sound.status = lambda stream, number: (OK, latency)
    mic = mic_of(rig)
    assert read(mic, 480 * 6) == sound(480 * 24)
    assert mic.delay() == mic.avail() + min(latency // 4, 48000)
    mic.pause()
    assert mic.delay() == mic.avail()
    mic.resume()
    mic.drop()
    mic.start() if mic.state == "PREPARED" else mic.prepare()
    mic.start()
    assert mic.delay() == 0  # of this recording nothing is known yet


def test_readinto_takes_as_long_as_the_sound(rig):
    mic = mic_of(rig)
    read(mic, 1)
    at = rig.clock.now
    read(mic, 48000)
    assert 990_000 < rig.clock.now - at < 1_011_000


def test_interrupts_for_every_half(rig):
    seen = []
    raise_it = rig.device.notify
    rig.device.notify = lambda: (seen.append(1), raise_it())
    mic = mic_of(rig, periods=8)
    seen.clear()
    read(mic, 480 * 40)
    assert len(seen) < (16 if mic._ring.queue.event_idx else 50)
    mic.close()


# Overruns


def test_an_overrun_is_counted_once(rig):
    mic = mic_of(rig)
    read(mic, 480)
    assert (mic.state, mic.xruns) == ("RUNNING", 0)
    rig.clock.run(200_000)
    assert (mic.state, mic.xruns, mic.xruns) == ("XRUN", 1, 1)
    read(mic, 480)
    assert (mic.state, mic.xruns) == ("RUNNING", 1)
    read(mic, 480 * 9)
    rig.clock.run(200_000)
    read(mic, 480 * 9)  # nobody looked
    assert mic.xruns == 2
    assert stream(rig).xruns > 2
    mic.close()


@pytest.mark.parametrize("look", ["avail", "position", "delay"])
@pytest.mark.parametrize("size", [1, 480, 1920])
def test_an_overrun_that_begins_after_a_look(rig, look, size):
    mic = mic_of(rig)
    read(mic, 480)
    rig.clock.run(25_000)
    getattr(mic, look)()
    rig.clock.run(200_000)
    read(mic, size)
    read(mic, 1920)
    assert mic.xruns == 1


def test_after_an_overrun_the_sound_goes_on(rig):
    mic = mic_of(rig)
    mic.start()
    rig.clock.run(105_000)
    data = read(mic, 4000)
    s = stream(rig)
    assert data == s.recorded[: len(data)]
    assert data[:7680] == sound(7680)
    assert data[7680:] == sound(100_000)[10 * 1920 :][: len(data) - 7680]
    assert s.missed == sound(100_000)[7680 : 10 * 1920]
    assert mic.xruns == 1


# A device that refuses or does not answer


@pytest.mark.parametrize("name", ["SET_PARAMS", "PREPARE"])
def test_a_refused_input_leaves_nothing_behind(rig, name):
    card = rig.vsnd.open()
    free = rig.dma.available()
    rig.sound.script[name].append(IO_ERR)
    assert "IO_ERR" in refusal(errno.EIO, card.input)
    assert rig.dma.available() == free
    mic = card.input()
    assert read(mic, 2000) == sound(8000)


def test_a_refused_start(rig):
    rig.sound.script["START"] += [IO_ERR, IO_ERR]
    mic = mic_of(rig)
    for _ in range(2):
        assert "PCM_START" in refusal(errno.EIO, read, mic, 1)
        assert mic.state == "PREPARED"
    assert read(mic, 1000) == sound(4000)
    mic.close()


def test_a_refused_start_then_prepare_again(rig):
    rig.sound.script["START"].append(IO_ERR)
    mic = mic_of(rig)
    refusal(errno.EIO, read, mic, 1)
    mic.prepare()
    assert read(mic, 1000) == sound(4000)
    mic.close()
    assert len(stream(rig).recorded) >= 4000


@pytest.mark.parametrize("number", [0, 2, 5])
def test_a_recording_that_fails(rig, number):
    card = rig.vsnd.open()
    free = rig.dma.available()
    mic = card.input()
    rig.sound.status = lambda stream, n: (IO_ERR if n == number else OK, 0)
    assert "status 0x8003" in refusal(errno.EIO, read, mic, 480 * 20)
    mic.drop()
    rig.sound.status = lambda stream, n: (OK, 0)
    at = stream(rig).fed
    assert read(mic, 500) == sound(100_000)[at : at + 2000]
    mic.close()
    assert rig.dma.available() == free


def test_nothing_is_recorded(rig):
    rig.sound.paced = False
    mic = mic_of(rig)
    assert "gives no samples" in refusal(errno.ETIMEDOUT, read, mic, 1)
    assert 1_000_000 < rig.clock.now < 2_500_000
    rig.sound.paced = True
    mic.drop()
    at = stream(rig).fed
    assert read(mic, 500) == sound(100_000)[at : at + 2000]
    mic.close()


def test_release_that_returns_no_buffers(rig):
    free = rig.dma.available()
    card = rig.vsnd.open()
    mic = card.input()
    read(mic, 1)
    rig.sound.flush = lambda pending: []
    assert "no buffers back" in refusal(errno.ETIMEDOUT, mic.drop)
    assert rig.clock.now < 3_000_000
    mic.close()
    lost = free - rig.dma.available()
    rig.sound.flush = list
    mic = card.input()
    read(mic, 1)
    mic.close()
    assert free - rig.dma.available() == lost > 4 * 1920
    card.close()
    assert rig.dma.available() == free
    assert rig.guards()
