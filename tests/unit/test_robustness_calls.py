# SPDX-License-Identifier: MIT
"""Faults while other things are under way: each ends in a clear error or in none, and is over.

What a program sees that only plays or records is in test_robustness_faults.py, to the letter.
"""

import asyncio
import errno
import importlib
import types

import pytest

import sim
from robust import DATA, FEED, OPTIONS, Case, sound
from virtsnd import FAULTS

POLLIN, POLLOUT, POLLERR, POLLNVAL = 1, 4, 8, 32

# Some of each kind: rings, answers, samples, events, interrupts, the device itself.
OF_PLAYBACK = """
    used-idx-jumps used-id-repeated used-id-huge used-len-huge used-len-zero samples-refused
    samples-never-back samples-late no-answer-start no-answer-stop no-answer-release
    answer-status-unknown event-flood event-long config-flood interrupt-unknown latency-huge
    order needs-reset needs-reset-at-start needs-reset-at-stop gone descriptors-overwritten
""".split()
OF_CAPTURE = """
    used-idx-jumps-rx used-id-repeated-rx used-id-huge-rx used-len-huge-rx used-len-short-rx
    samples-never-back-rx recorded-too-much recorded-odd no-answer-start no-answer-stop
    needs-reset-rx
""".split()
ERRORS = (errno.EIO, errno.ETIMEDOUT, errno.EBUSY)


@pytest.fixture
def case():
    with Case() as case:
        yield case


def ends_well(case, name, program, nth=None):
    fault = FAULTS[name]
    error, data = case.run(fault.at(nth) if nth and fault.counted else fault, program)
    assert error is None or error.startswith(tuple(f"OSError: [Errno {n}] " for n in ERRORS))
    case.good()
    return error


@pytest.mark.parametrize("name", OF_PLAYBACK)
def test_without_blocking(case, name):
    def program(card):
        with card.output() as out:
            out.setblocking(False)
            at = tries = 0
            while at < len(DATA):
                ready = out.ioctl(3, POLLOUT)
                at += (out.write(DATA[at:]) or 0) if ready else 0
                tries += 1
                if tries > 3000:  # poll has no limit of its own
                    raise OSError(errno.ETIMEDOUT, "never ready")
                case.rig.board._sleep(1000)

    ends_well(case, name, program)


@pytest.mark.parametrize("name", OF_PLAYBACK)
def test_a_callback(case, name):
    def program(card):
        with card.output() as out:
            out.setblocking(False)
            at = [0]
            errors = []

            def feed(stream):
                try:
                    at[0] += stream.write(DATA[at[0] : at[0] + 1920]) or 0
                except OSError as error:
                    errors.append(error)
                    stream.irq(None)

            at[0] += out.write(DATA[: 4 * 1920])
            out.irq(feed)
            out.start()
            for _ in range(500):
                case.rig.board._sleep(1000)
            if errors:
                raise errors[0]

    ends_well(case, name, program)


@pytest.mark.parametrize("name", OF_PLAYBACK)
def test_drain(case, name):
    def program(card):
        out = card.output()
        out.write(DATA[: 3 * 1920 + 8])
        out.drain()
        out.write(DATA[: 3 * 1920])
        out.close()

    ends_well(case, name, program, nth=2)


@pytest.mark.parametrize("name", OF_PLAYBACK)
def test_pause_and_drop(case, name):
    def program(card):
        with card.output() as out:
            out.write(DATA[: 6 * 1920])
            out.pause()
            out.resume()
            out.drop()
            out.write(DATA[: 6 * 1920])

    ends_well(case, name, program, nth=1)


@pytest.mark.parametrize("name", OF_PLAYBACK)
def test_zero_copy_and_tokens(case, name):
    def program(card):
        with card.output() as out:
            out.write(DATA[: 6 * 1920], False)
            out.xfer(DATA[:1920])
            token = out.xfer_nb(DATA[:1920], False)
            out.xfer_ok(token)

    ends_well(case, name, program)


@pytest.mark.parametrize("name", dict.fromkeys(OF_PLAYBACK + OF_CAPTURE))
def test_playing_and_recording_at_once(case, name):
    def program(card):
        buf = bytearray(1920)
        with card.output() as out, card.input() as mic:
            for at in range(0, len(DATA), 1920):
                out.write(DATA[at : at + 1920])
                mic.readinto(buf)

    ends_well(case, name, program, nth=1 if "release" in name else 2)


@pytest.mark.parametrize("name", OF_CAPTURE)
def test_recording_in_all_ways(case, name):
    def program(card):
        buf = bytearray(3 * 1920)
        with card.input() as mic:
            mic.readinto(buf)
            mic.setblocking(False)
            for _ in range(50):
                mic.readinto(buf)
                mic.ioctl(3, POLLIN)
                case.rig.board._sleep(1000)
            mic.setblocking(True)
            mic.pause()
            mic.resume()
            mic.readinto(buf)
            mic.drain()
            while mic.readinto(buf):
                pass

    ends_well(case, name, program)


@pytest.mark.parametrize("name", OF_PLAYBACK)
def test_controls_and_events_while_it_plays(case, name):
    seen = []

    def changed(event):
        seen.append(event)
        if event.name == "CTL_NOTIFY":
            try:
                event.item.read()
            except OSError as error:
                seen.append(error)

    def program(card):
        card.events.irq(changed)
        with card.output() as out:
            for at in range(0, len(DATA), 1920):
                out.write(DATA[at : at + 1920])
                case.rig.device.control_changed(0)
                card.controls[0].write(at // 1920)
                case.rig.device.plug(0, at % 3840 == 0)

    ends_well(case, name, program)
    assert seen


# asyncio: tasks end by themselves if nothing comes any more


@types.coroutine
def turn():
    yield


@pytest.mark.parametrize("name", OF_PLAYBACK)
def test_asyncio(case, name, monkeypatch):
    rig = case.rig

    async def until(pcm, events):
        while not pcm.ioctl(3, events):
            await turn()

    async def sleep_ms(ms):
        end = rig.clock.now + ms * 1000
        while rig.clock.now < end:
            await turn()

    core = types.SimpleNamespace(_io_queue=types.SimpleNamespace(map={}))  # nobody waits by it
    monkeypatch.setattr(asyncio, "core", core, raising=False)
    monkeypatch.setattr(asyncio, "sleep_ms", sleep_ms, raising=False)
    aio = importlib.import_module("vsnd.aio")
    aio.readable = lambda pcm: until(pcm, POLLIN)
    aio.writable = lambda pcm: until(pcm, POLLOUT)

    async def play(card):
        async with card.output() as out:
            await out.awrite(DATA)

    async def record(card):
        buf = bytearray(len(DATA))
        async with card.input() as mic:
            await mic.areadinto(buf)
        assert name in ("order", "needs-reset") or buf == FEED[: len(buf)]

    def program(card):
        tasks = [play(card), record(card)]
        failure = None
        end = rig.clock.now + 6_000_000
        while tasks:
            assert rig.clock.now < end, "a task waits for ever"
            for task in list(tasks):
                try:
                    task.send(None)
                except StopIteration:
                    tasks.remove(task)
                except OSError as error:
                    tasks.remove(task)
                    failure = failure or error
            rig.board._wait(1)
        if failure:
            raise failure

    ends_well(case, name, program)


def test_two_cards_one_of_which_is_hostile():
    with Case() as case:
        board = case.rig.board
        other = sim.SoundDevice(board.clock, board.memory, **OPTIONS)
        page = sim.MmioTransport(other)
        base, source = board.put(3, page)
        page.raised = board.line(source)
        for name in ("used-idx-jumps", "no-answer-start", "needs-reset", "gone"):
            good = case.rig.vsnd.open(base)
            tune = sound(20 * 1920, 9)

            def program(card):
                with good.output() as steady, card.output() as out:
                    for at in range(0, len(tune), 1920):
                        steady.write(tune[at : at + 1920])
                        if at < len(DATA):
                            try:
                                out.write(DATA[at : at + 1920])
                            except OSError:
                                pass

            error, _ = case.run(FAULTS[name], program)
            assert (error is None) == (name == "needs-reset")  # which is recovered from
            case.card.reset()
            assert bytes(other.sound.streams[0].played).startswith(tune[: 16 * 1920])
            good.close()
            case.good()
