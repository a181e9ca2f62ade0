# SPDX-License-Identifier: MIT
"""modules/vsnd: a sound device from open() to close()."""

import errno
import struct

import pytest

import sim
from sim import BAD_MSG, CONTROLQ, IO_ERR, NEVER, NOT_SUPP, OK, TXQ, StreamInfo

LIFE = ["SET_PARAMS", "PREPARE", "START", "STOP", "RELEASE"]


def hexed(text):
    return bytes.fromhex(text)


def pattern(out, periods=1, extra=0):
    """So many periods, and `extra` frames."""
    n = periods * out.period_bytes + extra * out.frame_bytes
    return bytes((7 * i + i // 251) & 0xFF for i in range(n))


def stream(rig, id=0):
    return rig.sound.streams[id]


def refusal(error, call, *arguments, **named):
    """The message of the OSError(error) that the call raises."""
    with pytest.raises(OSError) as caught:
        call(*arguments, **named)
    assert caught.value.errno == error, caught.value
    return caught.value.strerror


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
    assert protocol.RATES == sim.sound.RATES
    bits = [f[1] for f in protocol.FORMATS]
    assert [b / 8 for b in bits] == [n or 0.5 for n in sim.sound.SAMPLE_BYTES]


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
        {"format": -1}, {"format": "S16"}, {"period": 0}, {"periods": 1}, {"periods": 17},
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


# Life


def play(rig, card, sizes, **parameters):
    """Write so many frames at a time; return the bytes and the Output."""
    out = card.output(**parameters)
    assert out.state == "PREPARED"
    data = pattern(out, 0, sum(sizes))
    at = 0
    for frames in sizes:
        n = frames * out.frame_bytes
        assert out.write(data[at : at + n]) == n
        at += n
    return data, out


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
    for name in ("set_params", "prepare", "start", "release"):
        assert "RUNNING" in refusal(errno.EPERM, getattr(out, name))
    out.stop()
    for name in ("set_params", "prepare", "stop"):
        assert "PAUSED" in refusal(errno.EPERM, getattr(out, name))
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
    # Both would need the one queue.
    refusal(errno.EBUSY, card.output)
    refusal(errno.EBUSY, card.output, stream=0)
    assert rig.dma.available() == free
    out.close()
    card.output(stream=1).close()
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
    frames = min(latency // 4, 4 * 4800)
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


# A device that refuses


@pytest.mark.parametrize(
    ("status", "error", "text"),
    [
        (BAD_MSG, errno.EINVAL, "BAD_MSG"),
        (NOT_SUPP, errno.EOPNOTSUPP, "NOT_SUPP"),
        (IO_ERR, errno.EIO, "IO_ERR"),
        (0x8004, errno.EIO, "unknown status 0x8004"),
        (0, errno.EIO, "unknown status 0x0"),
    ],
)
@pytest.mark.parametrize("name", ["SET_PARAMS", "PREPARE"])
def test_a_refused_output_leaves_nothing_behind(rig, name, status, error, text):
    card = rig.vsnd.open()
    free = rig.dma.available()
    rig.sound.script[name].append(status)
    assert text in refusal(error, card.output)
    assert rig.dma.available() == free
    data, out = play(rig, card, (480 * 6,))
    out.close()
    assert bytes(stream(rig).played) == data


def test_a_refused_start(rig):
    rig.sound.script["START"].append(IO_ERR)
    out = rig.vsnd.open().output()
    assert "PCM_START" in refusal(errno.EIO, out.write, pattern(out, 5))
    assert out.state == "PREPARED"
    out.drop()
    assert bytes(stream(rig).dropped) == pattern(out, 4)
    out.close()


@pytest.mark.parametrize(
    "answer",
    [b"", hexed("0080"), hexed("008000"), hexed("00800000"), hexed("00800000") + bytes(31)],
)
def test_answers_to_pcm_info_that_are_too_short(rig, answer):
    rig.sound.script["PCM_INFO"].append(lambda request, room: answer)
    assert "bytes answered" in refusal(errno.EIO, rig.vsnd.open)


@pytest.mark.parametrize("status", [BAD_MSG, IO_ERR])
@pytest.mark.parametrize("number", [0, 2, 5])
def test_refused_samples(rig, status, number):
    card = rig.vsnd.open()
    free = rig.dma.available()
    out = card.output()
    rig.sound.status = lambda stream, n: (status if n == number else OK, 0)
    assert "status 0x%x" % status in refusal(errno.EIO, out.write, pattern(out, 20))
    assert out.state == "RUNNING"
    with pytest.raises(OSError):
        out.close()
    assert out.state == "CLOSED"
    assert rig.sound.names()[-2:] == ["STOP", "RELEASE"]
    assert rig.dma.available() == free
    refusal(errno.EPERM, out.write, pattern(out, 1))
    data, out = play(rig, card, (480 * 6,))
    out.close()


def test_refused_samples_at_the_end(rig):
    card = rig.vsnd.open()
    out = card.output()
    rig.sound.status = lambda stream, n: (IO_ERR if n == 3 else OK, 0)
    out.write(pattern(out, 4))
    refusal(errno.EIO, out.drain)
    with pytest.raises(OSError):
        out.close()
    assert rig.sound.names()[-2:] == ["STOP", "RELEASE"]
    card.output().close()


def test_with_closes_whatever_happens(rig):
    card = rig.vsnd.open()
    rig.sound.status = lambda stream, n: (IO_ERR, 0)
    with pytest.raises(OSError):
        with card.output() as out:
            out.write(pattern(out, 20))
    assert out.state == "CLOSED"
    card.output().close()


def test_an_error_is_over_after_drop(rig):
    out = rig.vsnd.open().output()
    rig.sound.status = lambda stream, n: (IO_ERR if n == 2 else OK, 0)
    refusal(errno.EIO, out.write, pattern(out, 20))
    out.drop()
    del stream(rig).played[:]
    out.write(pattern(out, 6))
    out.drain()
    assert bytes(stream(rig).played) == pattern(out, 6)


# A device that does not answer


@pytest.mark.parametrize("name", ["PCM_INFO", *LIFE[:2]])
def test_no_answer(rig, name):
    free = rig.dma.available()
    rig.sound.script[name].append(NEVER)
    with pytest.raises(OSError, match="no answer in 1000 ms") as caught:
        rig.vsnd.open().output()
    assert caught.value.errno == errno.ETIMEDOUT
    assert 1_000_000 <= rig.clock.now < 1_100_000
    if name != "PCM_INFO":
        assert "never answered" in refusal(errno.EBUSY, rig.vsnd.open().output)
        rig.vsnd.open().close()
    assert rig.dma.available() == free
    rig.vsnd.open().output().close()


def test_an_answer_that_came_late(rig):
    card = rig.vsnd.open()
    rig.sound.script["SET_PARAMS"].append(NEVER)
    refusal(errno.ETIMEDOUT, card.output)
    ring = rig.device.rings[CONTROLQ]
    (chain,) = ring.owned.values()
    rig.device.give_back(CONTROLQ, chain, chain.write(struct.pack("<I", OK)))
    card.output().close()


def test_samples_that_are_never_taken(rig):
    rig.sound.paced = False
    out = rig.vsnd.open().output()
    assert "takes no samples" in refusal(errno.ETIMEDOUT, out.write, pattern(out, 6))
    assert 1_000_000 < rig.clock.now < 3_000_000
    rig.sound.paced = True
    out.drop()
    out.write(pattern(out, 6))
    out.close()


def test_samples_that_are_taken_and_never_returned(rig):
    rig.sound.pick = lambda pending: None
    out = rig.vsnd.open().output()
    refusal(errno.ETIMEDOUT, out.write, pattern(out, 6))
    with pytest.raises(OSError):
        out.drain()
    out.drop()
    assert len(stream(rig).dropped) == 4 * out.period_bytes
    out.close()


def test_release_that_returns_no_buffers(rig):
    free = rig.dma.available()
    card = rig.vsnd.open()
    out = card.output()
    rig.sound.flush = lambda pending: []
    out.write(pattern(out, 8))
    assert "no buffers back" in refusal(errno.ETIMEDOUT, out.drop)
    assert rig.clock.now < 3_000_000
    out.close()
    # What the device has it keeps, until its reset.
    refusal(errno.EBUSY, card.output)
    card.close()
    assert rig.dma.available() == free
    assert rig.guards()


def test_release_that_returns_buffers_late(rig):
    out = rig.vsnd.open().output()
    late = []
    rig.sound.flush = lambda pending: late.extend(pending) or []
    out.write(pattern(out, 8))

    def due():
        stream(rig).pending.clear()
        for chain, data in late:
            rig.sound._return(stream(rig), chain, data, OK, 0)

    rig.clock.at(rig.clock.now + 300_000, due)
    out.drop()
    assert rig.clock.now >= 300_000
    rig.sound.flush = list
    out.write(pattern(out, 8))
    out.close()


# A device that is wrong


def wrong_used(rig, entries, number=5):
    """The used entry of a tx chain becomes `entries(head, length)`."""
    count = iter(range(1000))

    def used(index, head, length):
        if index == TXQ and next(count) == number:
            return entries(head, length)
        return [(head, length)]

    rig.device.used = used


@pytest.mark.parametrize(
    "entries",
    [
        pytest.param(lambda head, n: [(head + 1, n)], id="wrong"),
        pytest.param(lambda head, n: [(head, n), (head, n)], id="repeated"),
        pytest.param(lambda head, n: [(64, n)], id="out of range"),
        pytest.param(lambda head, n: [(0xFFFFFFFF, n)], id="far out of range"),
        pytest.param(lambda head, n: [(head, 9)], id="too long"),
        pytest.param(lambda head, n: [(head, 0)], id="nothing written"),
        pytest.param(lambda head, n: [(head, n)] * 200, id="used.idx jumps"),
    ],
)
def test_wrong_used_entries(rig, entries):
    free = rig.dma.available()
    card = rig.vsnd.open()
    out = card.output()
    wrong_used(rig, entries)
    refusal(errno.EIO, out.write, pattern(out, 30))
    with pytest.raises(OSError):
        out.close()
    assert out.state == "CLOSED"
    rig.device.used = lambda index, head, length: [(head, length)]
    card = rig.vsnd.open()
    data, out = play(rig, card, (480 * 6,))
    out.close()
    assert bytes(stream(rig).played)[-len(data) :] == data
    card.close()
    assert rig.dma.available() == free
    assert rig.guards()


@pytest.mark.parametrize("length", [5, 0x1000, 0xFFFFFFFF])
def test_answers_that_are_too_long(rig, length):
    card = rig.vsnd.open()
    rig.device.used = lambda index, head, n: [(head, length)]
    assert "wrote %d bytes to a chain that takes 4" % length in refusal(errno.EIO, card.output)
    rig.device.used = lambda index, head, n: [(head, n)]
    assert rig.vsnd.open() is not card
    rig.vsnd.open().output().close()


def test_needs_reset_while_playing(rig):
    card = rig.vsnd.open()
    out = card.output()
    out.write(pattern(out, 6))
    rig.transport.need_reset()
    rig.sound.pick = lambda pending: None
    assert "needs a reset" in refusal(errno.EIO, out.write, pattern(out, 20))
    with pytest.raises(OSError):
        out.close()
    assert rig.vsnd.open() is not card
    rig.sound.pick = lambda pending: 0
    rig.vsnd.open().output().close()


def test_open_again_with_a_stream_still_open(rig):
    free = rig.dma.available()
    card = rig.vsnd.open()
    out = card.output()
    out.write(pattern(out, 6))
    rig.transport.need_reset()
    rig.clock.run(1000)
    refusal(errno.EIO, card.device.wait, lambda: False, 10)
    again = rig.vsnd.open()
    again.close()
    assert rig.dma.available() == free


def test_a_closed_stream_of_a_broken_device_takes_nothing(rig):
    card = rig.vsnd.open()
    out = card.output()
    out.write(pattern(out, 6))
    rig.transport.need_reset()
    refusal(errno.EIO, card.device.wait, lambda: False, 10)
    with pytest.raises(OSError):
        out.close()
    rig.vsnd.open()
    before = bytes(rig.board.arena)
    refusal(errno.EPERM, out.write, b"\xee" * out.period_bytes)
    assert bytes(rig.board.arena) == before


def test_close_a_card_twice(rig):
    free = rig.dma.available()
    card = rig.vsnd.open()
    card.close()
    card.close()
    assert rig.dma.available() == free


def test_interrupts_for_nothing(rig):
    out = rig.vsnd.open().output()

    def again():
        rig.transport.interrupt(1)
        rig.clock.at(rig.clock.now + 777, again)

    again()
    data = pattern(out, 30)
    out.write(data)
    out.close()
    assert bytes(stream(rig).played) == data


# What the simulated device itself notices


@pytest.mark.parametrize(
    ("rule", "sent", "room"),
    [
        ("S-04", (0x100, 0, 2, 32), 68),
        ("S-04", (0x100, 0xFFFFFFFF, 2, 32), 68),
        ("S-05", (0x100, 0, 1, 32), 35),
        ("S-30", (0x104, 0), 4),
        ("S-30", (0x103, 0), 4),
        ("S-31", (0x102, 1), 4),
        ("S-06", (0x101, 0, 1000, 300, 0, 0x00070502), 4),
        ("S-06", (0x101, 0, 0, 0, 0, 0x00070502), 4),
        ("S-07", (0x101, 0, 800, 400, 0, 0x00101902), 4),
        ("S-08", (0x101, 0, 800, 400, 16, 0x00070502), 4),
        ("S-08", (0x101, 0, 800, 400, 0, 0x00070602), 4),
        ("S-08", (0x101, 0, 800, 400, 0, 0x00080502), 4),
        ("S-09", (0x101, 0, 800, 400, 0, 0x00070503), 4),
        ("S-11", (0x101, 0, 800, 400, 0, 0x01070502), 4),
    ],
)
def test_the_device_is_strict(rig_of, rule, sent, room):
    rig = rig_of()
    rig.breach(rule, rig.sound.control, struct.pack(f"<{len(sent)}I", *sent), room)


def test_the_device_is_strict_about_shared_memory(rig_of):
    rig = rig_of(streams=[StreamInfo(features=3)])
    for rule, features in (("S-10", 3), ("S-13", 1)):
        message = struct.pack("<6I", 0x101, 0, 800, 400, features, 0x00070502)
        rig.breach(rule, rig.sound.control, message, 4)


def test_the_device_is_strict_about_samples(rig):
    card = rig.vsnd.open()
    out = card.output(period=48)
    ring = rig.device.rings[TXQ]
    region = rig.dma.alloc(1024)
    region.store(bytes(4))

    def sent(*parts):
        chain = sim.ring.Chain(rig.board.memory, 0)
        for n, writable in parts:
            (chain.writable if writable else chain.readable).append((region.pa, n))
        return chain

    rig.breach("S-36", rig.sound.transmit, sent((4, False), (8, True)))
    rig.breach("S-36", rig.sound.transmit, sent((4, False), (192, False), (4, True)))
    rig.breach("S-15", rig.sound.transmit, sent((4, False), (192, True), (8, True)))
    rig.breach("S-14", rig.sound.transmit, sent((4, False), (193, False), (8, True)))
    rig.sound.transmit(sent((4, False), (100, False), (8, True)))
    rig.breach("S-14", rig.sound.transmit, sent((4, False), (192, False), (8, True)))
    rig.sound.streams[0].pending.clear()
    out.release()
    rig.breach("S-37", rig.sound.transmit, sent((4, False), (192, False), (8, True)))
    region.store(b"\1")
    rig.breach("S-31", rig.sound.transmit, sent((4, False), (192, False), (8, True)))
    assert not ring.owned
