# SPDX-License-Identifier: MIT
"""modules/vsnd: streams that do not block: setblocking(), irq(), ioctl(), and asyncio."""

import asyncio
import errno
import importlib
import sys
import types

import pytest

from duplex import EVT_XRUNS, FEATURES, MSG_POLLING, idle, read, sound, streams
from sim import IO_ERR, OK
from vsnd_helpers import pattern, refusal, stream

POLLIN, POLLOUT, POLLERR, POLLNVAL = 1, 4, 8, 32
POLL, CLOSE = 3, 4


@pytest.fixture(params=["event_idx", "flags-indirect"])
def rig(request, rig_of):
    return rig_of(streams=streams(2, 2, features=MSG_POLLING), features=FEATURES[request.param])


# Which streams share their queue with another: then every path is another one.
shared = pytest.mark.parametrize("shared", [False, True], ids=["alone", "shared"])


def both(rig, shared, **parameters):
    """An output and an input."""
    card = rig.vsnd.open()
    if shared:
        card.output(stream=1), card.input(stream=3)
    return card.output(features=0, **parameters), card.input(features=0, **parameters)


# setblocking(False)


@shared
@pytest.mark.parametrize("size", [1, 100, 480, 700, 1920, 5000])
def test_a_write_takes_what_fits(rig, shared, size):
    out, _ = both(rig, shared)
    out.setblocking(False)
    data = pattern(out, 20)
    at = 0
    while at < len(data):
        n = out.write(data[at : at + 4 * size])
        if n is None:
            assert out.state == "RUNNING"
            assert out.avail() < 480
            break
        assert n % 4 == 0
        at += n
    assert at == min(len(data), 4 * 1920)
    out.drop()
    out.close()


@shared
@pytest.mark.parametrize("size", [1, 100, 480, 700, 1920, 5000])
def test_all_is_written_in_the_end_and_nothing_twice(rig, shared, size):
    out, _ = both(rig, shared)
    out.setblocking(False)
    data = pattern(out, 20)
    at = nothing = 0
    while at < len(data):
        now = rig.clock.now
        n = out.write(data[at : at + 4 * size])
        assert out.state != "RUNNING" or rig.clock.now <= now + 100  # but for START
        at += n or 0
        nothing += n is None
        if n is None:
            rig.board._sleep(3000)
    assert nothing > 30
    assert out.xruns == 0
    out.close()
    assert stream(rig).played == data


@shared
@pytest.mark.parametrize("size", [1, 100, 480, 700, 1920, 5000])
def test_readinto_takes_what_is_there(rig, shared, size):
    _, mic = both(rig, shared)
    mic.setblocking(False)
    data = b""
    nothing = 0
    while len(data) < 40_000:
        buf = bytearray(b"\xee" * 4 * size)
        now = rig.clock.now
        n = mic.readinto(buf)
        assert mic.state != "RUNNING" or rig.clock.now <= now + 100
        if n is None:
            nothing += 1
            rig.board._sleep(3000)
        else:
            assert 0 < n <= len(buf) and buf[n:] == b"\xee" * (len(buf) - n)
            data += buf[:n]
    assert nothing > 20
    assert data == sound(len(data), 2)
    assert mic.xruns == 0
    mic.close()


def test_blocking_again(rig):
    out, mic = both(rig, False)
    for pcm in (out, mic):
        pcm.setblocking(False)
    assert out.write(pattern(out, 9)) == 4 * 1920
    assert mic.readinto(bytearray(4)) is None
    for pcm in (out, mic):
        pcm.setblocking(True)
    out.write(pattern(out, 9)[4 * 1920 :])
    assert read(mic, 700) == sound(2800, 2)
    mic.close()
    out.close()
    assert stream(rig).played == pattern(out, 9)


def test_paused(rig):
    out, mic = both(rig, False)
    for pcm in (out, mic):
        pcm.setblocking(False)
    assert out.write(pattern(out, 9)) == 4 * 1920
    assert mic.readinto(bytearray(4)) is None
    out.pause()
    mic.pause()
    n = mic.avail() * 4
    assert (mic.readinto(bytearray(4000)) or 0) == n
    assert out.write(bytes(4)) is None
    assert mic.readinto(bytearray(4)) is None
    mic.close()
    out.close()


def test_errors_come_all_the_same(rig):
    rig.sound.status = lambda stream, number: (IO_ERR if number == 1 else OK, 0)
    out, mic = both(rig, False)
    for pcm in (out, mic):
        pcm.setblocking(False)
    out.write(pattern(out, 9))
    mic.readinto(bytearray(4))
    rig.board._sleep(30_000)
    assert out.ioctl(POLL, POLLOUT) & POLLOUT  # for the exception
    assert mic.ioctl(POLL, POLLIN) & POLLIN
    refusal(errno.EIO, out.write, pattern(out, 9))
    refusal(errno.EIO, mic.readinto, bytearray(9000))
    out.drop()
    mic.drop()
    rig.sound.status = lambda stream, number: (OK, 0)
    assert out.ioctl(POLL, POLLOUT) == POLLOUT
    assert out.write(pattern(out, 9)) == 4 * 1920
    out.close()
    mic.close()


# ioctl()


@shared
def test_poll(rig, shared):
    out, mic = both(rig, shared)
    for pcm in (out, mic):
        pcm.setblocking(False)
    assert out.ioctl(POLL, POLLOUT) == POLLOUT
    assert (out.ioctl(POLL, POLLIN), mic.ioctl(POLL, POLLOUT)) == (0, 0)
    out.write(pattern(out, 4))
    assert out.state == "PREPARED"
    assert out.ioctl(POLL, POLLOUT) == 0
    assert out.state == "RUNNING"  # or it would never be ready
    assert mic.ioctl(POLL, POLLIN) == 0
    assert mic.state == "RUNNING"
    rig.board._sleep(10_100)
    assert (out.ioctl(POLL, POLLOUT), mic.ioctl(POLL, POLLIN)) == (POLLOUT, POLLIN)
    assert (out.ioctl(POLL, POLLOUT | POLLIN), mic.ioctl(POLL, POLLERR)) == (POLLOUT, 0)
    assert out.write(pattern(out)) == 1920
    assert mic.readinto(bytearray(1920)) == 1920
    assert (out.ioctl(POLL, POLLOUT), mic.ioctl(POLL, POLLIN)) == (0, 0)
    mic.drain()
    assert mic.ioctl(POLL, POLLIN) == POLLIN  # for the end
    assert out.ioctl(99, 0) == mic.ioctl(99, 0) == -errno.EINVAL
    assert out.ioctl(CLOSE, 0) == mic.ioctl(CLOSE, 0) == 0
    assert out.state == mic.state == "CLOSED"
    assert out.ioctl(POLL, POLLOUT) == mic.ioctl(POLL, POLLIN) == POLLNVAL


@shared
def test_who_polls_is_woken(rig, shared):
    out, mic = both(rig, shared, periods=8)
    # An output that is full has time: it may be woken when half of it has been played.
    for pcm, flag, move, ms in ((out, POLLOUT, out.write, 41), (mic, POLLIN, mic.readinto, 11)):
        pcm.setblocking(False)
        pcm.start()
        move(bytearray(8 * 1920))
        for _ in range(40):
            at = rig.clock.now
            while not pcm.ioctl(POLL, flag):
                assert rig.board._wait(100), "nothing woke it"
            assert rig.clock.now - at < 1000 * ms
            assert move(bytearray(1920)) == 1920
        assert pcm.xruns == 0
        pcm.drop()


def test_poll_of_a_broken_device(rig):
    out, mic = both(rig, False)
    for _ in range(4):  # three are recovered from
        rig.transport.need_reset()
        rig.board._sleep(100)
    assert out.ioctl(POLL, POLLOUT) == POLLOUT | POLLERR
    assert mic.ioctl(POLL, POLLIN) == POLLIN | POLLERR
    refusal(errno.EIO, mic.readinto, bytearray(4))


# irq()


@shared
@pytest.mark.parametrize("periods", [1, 2])
def test_a_handler_that_feeds_an_output(rig, shared, periods):
    out, _ = both(rig, shared)
    out.setblocking(False)
    data = pattern(out, 40)
    at = [0]

    def feed(stream):
        assert stream is out
        part = data[at[0] : at[0] + periods * 1920]
        at[0] += (stream.write(part) or 0) if part else 0

    out.irq(feed)
    while out.write(data[at[0] : at[0] + 1920]):
        at[0] += 1920
    assert at[0] == 4 * 1920
    idle(rig, 500)
    assert at[0] == len(data)
    out.close()
    assert stream(rig).played == data


@shared
def test_a_handler_that_takes_from_an_input(rig, shared):
    _, mic = both(rig, shared)
    mic.setblocking(False)
    got = []

    def take(stream):
        while data := stream.read(800):
            got.append(data)

    mic.irq(take)
    idle(rig, 30)
    assert not got and mic.state == "PREPARED"  # it does not begin by itself
    mic.start()
    idle(rig, 300)
    data = b"".join(got)
    assert len(data) > 10_000
    assert data == sound(len(data), 2)
    mic.irq(None)
    n = len(got)
    idle(rig, 100)
    assert len(got) == n
    mic.close()


@pytest.mark.parametrize("end", ["drop", "drain", "pause", "close"])
def test_a_handler_does_not_wake_the_dead(rig, end):
    out, mic = both(rig, False)
    calls = []
    out.setblocking(False)
    mic.setblocking(False)
    out.irq(lambda stream: calls.append(out.write(bytes(1920))))
    mic.irq(lambda stream: calls.append(mic.read(1920)))
    out.write(pattern(out, 4))
    out.start()
    mic.start()
    idle(rig, 35)
    assert len(calls) >= 4
    getattr(out, end)()
    getattr(mic, end)()
    states, names = (out.state, mic.state), list(rig.sound.names())
    idle(rig, 20)
    calls.clear()
    for _ in range(20):
        rig.transport.interrupt(1)
        idle(rig, 5)
    assert (out.state, mic.state) == states
    assert rig.sound.names() == names


def test_a_handler_while_the_program_writes_to_another_stream(rig):
    card = rig.vsnd.open()
    music, beeps = card.output(features=0), card.output(features=0, period=100)
    mic = card.input(features=0)
    heard = []
    beeps.setblocking(False)
    mic.setblocking(False)
    beep = sound(400_000, 9)
    at = [0]

    def feed(stream):
        at[0] += stream.write(beep[at[0] : at[0] + 400]) or 0

    beeps.irq(feed)
    mic.irq(lambda stream: heard.append(stream.read(4000) or b""))
    beeps.write(beep[:1600])
    at[0] = 1600
    beeps.start()
    mic.start()
    music.write(pattern(music, 60))
    music.close()
    beeps.irq(None)
    beeps.drain()
    assert stream(rig, 0).played == pattern(music, 60)
    assert bytes(stream(rig, 1).played) == beep[: at[0]].ljust(len(stream(rig, 1).played), b"\0")
    assert at[0] > 100_000
    data = b"".join(heard)
    assert len(data) > 100_000
    assert data == sound(len(data), 2)
    assert (music.xruns, beeps.xruns, mic.xruns) == (0, 0, 0)
    beeps.close()
    mic.close()


# asyncio, with an event loop that is just large enough


@pytest.fixture
def tasks(rig, monkeypatch):
    """Run coroutines in turns until they are done; the board sleeps when all of them do."""

    @types.coroutine
    def turn():
        yield

    async def until(ready):
        while not ready():
            await turn()

    async def sleep_ms(ms):
        end = rig.clock.now + ms * 1000
        await until(lambda: rig.clock.now >= end)

    core = types.SimpleNamespace(_io_queue=types.SimpleNamespace(map={}))  # nobody waits by it
    monkeypatch.setattr(asyncio, "core", core, raising=False)
    aio = importlib.import_module("vsnd.aio")
    aio.readable = lambda pcm: until(lambda: pcm.ioctl(POLL, POLLIN))
    aio.writable = lambda pcm: until(lambda: pcm.ioctl(POLL, POLLOUT))
    monkeypatch.setattr(asyncio, "sleep_ms", sleep_ms, raising=False)

    def run(*coroutines, cancel=None):
        """cancel: ms after which the first one is."""
        results = [None] * len(coroutines)
        left = dict(enumerate(coroutines))
        end = rig.clock.now + 1000 * cancel if cancel else None
        while left:
            if end and rig.clock.now >= end and 0 in left:
                left.pop(0).close()
            for i, coroutine in list(left.items()):
                try:
                    coroutine.send(None)
                except StopIteration as stop:
                    results[i] = stop.value
                    del left[i]
            rig.board._wait(1)
        return results

    return run


@pytest.mark.parametrize("polling", [0, MSG_POLLING])
def test_tasks_on_all_streams(rig, tasks, polling):
    card = rig.vsnd.open()
    outs = [card.output(features=polling), card.output(features=polling, period=100, periods=8)]
    mics = [card.input(features=polling), card.input(features=polling, period=100, periods=8)]
    data = [sound(480 * 4 * 20, 5), sound(100 * 4 * 77, 6)]
    bufs = [bytearray(40_000), bytearray(20_000)]

    async def play(out, data):
        async with out:
            for at in range(0, len(data), 3000):
                await out.awrite(data[at : at + 3000])
        return out.xruns

    async def record(mic, buf):
        async with mic:
            for at in range(0, len(buf), 2000):
                assert await mic.areadinto(memoryview(buf)[at : at + 2000]) == 2000
            return mic.xruns

    results = tasks(*map(play, outs, data), *map(record, mics, bufs))
    assert results == [0, 0, 0, 0]
    for i in range(2):
        assert stream(rig, i).played.rstrip(b"\0") == data[i].rstrip(b"\0")
        assert bufs[i] == sound(len(bufs[i]), 2 + i)


@pytest.mark.parametrize("ms", [1, 25, 40, 79])
@pytest.mark.parametrize("call", ["awrite", "adrain", "aclose"])
def test_a_task_that_is_cancelled(rig, tasks, call, ms):
    out, _ = both(rig, False)
    data = pattern(out, 8)

    async def play():
        await out.awrite(data * (10 if call == "awrite" else 1))
        await getattr(out, call)() if call != "awrite" else None

    tasks(play(), cancel=ms)
    if call == "aclose" and ms > 40:
        assert out.state == "CLOSED"
        return
    assert out.state in ("RUNNING", "XRUN", "PREPARED")
    out.drop()
    del stream(rig).played[:]
    tasks(out.awrite(data))
    tasks(out.adrain())
    assert stream(rig).played == data
    out.close()


@pytest.mark.parametrize("call", ["drop", "abort"])
def test_a_task_that_ends_what_another_drains(rig, tasks, call):
    out, _ = both(rig, False)
    out.write(pattern(out, 4))

    async def end():
        await asyncio.sleep_ms(15)
        getattr(out, call)()

    tasks(out.adrain(), end())
    assert out.state == {"drop": "SETUP", "abort": "CLOSED"}[call]
    out.close()


def test_areadinto_to_the_end(rig, tasks):
    _, mic = both(rig, False)
    buf = bytearray(100_000)

    async def end():
        await asyncio.sleep_ms(100)
        mic.drain()

    n, _ = tasks(mic.areadinto(buf), end())
    assert buf[:n] == sound(n, 2) == stream(rig, 2).recorded
    assert tasks(mic.areadinto(buf)) == [0]


def test_an_xrun_in_a_task(rig, tasks):
    rig.sound.infos[0].features = 0
    out, _ = both(rig, False)

    async def play():
        await out.awrite(pattern(out, 6))
        await asyncio.sleep_ms(200)
        await out.awrite(pattern(out, 6))
        await out.adrain()

    tasks(play())
    assert out.xruns == 1
    assert stream(rig).played == pattern(out, 6) * 2
    assert EVT_XRUNS & out.features == 0


@shared
def test_a_task_is_woken_once(rig, tasks, shared, monkeypatch):
    out, mic = both(rig, shared)
    aio = sys.modules["vsnd.aio"]
    waits = []

    def counted(wait):
        return lambda pcm: waits.append(pcm) or wait(pcm)

    monkeypatch.setattr(aio, "writable", counted(aio.writable))
    monkeypatch.setattr(aio, "readable", counted(aio.readable))
    buf = bytearray(30 * mic.period_bytes)
    tasks(out.awrite(pattern(out, 40)), mic.areadinto(buf))
    assert sorted(map(id, waits)) == sorted([id(out), id(mic)])
    tasks(out.adrain())
    assert stream(rig).played == pattern(out, 40)
    assert buf == sound(len(buf), 2)
    assert out.xruns == 0


@shared
@pytest.mark.parametrize(
    "end, why",
    [
        (lambda out: out.abort(), "write in state CLOSED"),
        (lambda out: out.card.device.fail("broken"), "broken"),
        (lambda out: setattr(out._ring, "error", "refused"), "refused"),
    ],
    ids=["closed", "device", "stream"],
)
def test_what_ends_a_stream_ends_the_task_that_writes(rig, tasks, shared, end, why):
    out, _ = both(rig, shared)

    async def later():
        await asyncio.sleep_ms(25)
        end(out)

    with pytest.raises(OSError, match=why):
        tasks(out.awrite(pattern(out, 40)), later())
