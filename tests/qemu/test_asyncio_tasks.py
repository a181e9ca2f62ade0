# SPDX-License-Identifier: MIT
"""Several tasks: cancelled ones leave the stream usable, all get their turn, wfi sleeps."""

import numpy as np
import pytest
from feed import noise, told
from two_cards import PERIOD, RATE, frames, run, stereo


def play(board, program, data, **options):
    """Runs a program that finds `data`. Returns what it prints, a list of words, and the Recording
    of `card`.
    """
    program = "data = memoryview(open('/rom/data', 'rb').read())\n" + program
    result, recording = run(board, program, files={"data": data}, **options)
    return result.output.split(), recording


# Cancelled, and used again

ENDED = {
    "cancel": """
async def ended(coroutine):
    task = asyncio.create_task(coroutine)
    await asyncio.sleep_ms(253)
    task.cancel()
    try:
        await task
    except asyncio.CancelledError:
        return True
""",
    "wait_for": """
async def ended(coroutine):
    try:
        await asyncio.wait_for(coroutine, 0.253)
    except asyncio.TimeoutError:
        return True
""",
}
WRITTEN = {
    "awrite": "out.awrite(first)",
    "awrite without a copy": "out.awrite(first, copy=False)",
    "StreamWriter": "stream_out(first)",
}


@pytest.mark.parametrize("end", ENDED)
@pytest.mark.parametrize("how", WRITTEN)
def test_a_task_that_ends_while_it_plays(board, how, end):
    program = f"""{ENDED[end]}
first, second = data[:4 * 48000], data[4 * 48000:]

async def stream_out(buf):
    out.setblocking(False)
    writer = asyncio.StreamWriter(out)
    for at in range(0, len(buf), 4 * 4800):
        writer.write(buf[at : at + 4 * 4800])
        await writer.drain()

async def main():
    global out
    async with card.output() as out:
        print(await ended({WRITTEN[how]}))
        print(out.state, out.position() + out.delay())
        out.setblocking(True)
        await out.awrite(second)
        print(out.xruns)
asyncio.run(main())
"""
    data = noise(4 * (48000 + 4800))
    (*words, queued, xruns), recording = play(board, program, data)
    assert words == ["True", "RUNNING"]
    assert xruns == "0"
    # 253 ms were played at least, and no more was queued than the ring and QEMU take.
    assert 12144 <= int(queued) <= 12144 + 4 * PERIOD + 2048
    # A period may come back between position() and delay().
    first = recording.frames - 4800
    assert first - int(queued) in (0, PERIOD)
    wanted = frames(data[: 4 * first] + data[4 * 48000 :])
    assert recording.first_difference(wanted) is None


@pytest.mark.parametrize("end", ENDED)
def test_a_task_that_ends_while_the_stream_is_paused(board, end):
    program = f"""{ENDED[end]}
async def main():
    async with card.output() as out:
        await out.awrite(data)
        out.pause()
        held = out.position()
        print(await ended(out.awrite(data)))
        print(out.state, out.position() == held, out.delay())
        out.resume()
        await out.awrite(data)
asyncio.run(main())
"""
    data = noise(4 * 10 * PERIOD)
    words, recording = play(board, program, data)
    assert words == ["True", "PAUSED", "True", str(4 * PERIOD)]
    # As much of the second write is heard as there was room for when the stream was paused.
    second = recording.frames - 20 * PERIOD
    assert 0 <= second <= 4 * PERIOD
    assert recording.first_difference(stereo(data + data[: 4 * second] + data)) is None


@pytest.mark.parametrize("end", ENDED)
def test_a_drain_that_ends(board, end):
    # The stream still runs, and more may follow what was to be the end.
    program = f"""{ENDED[end]}
async def main():
    out = card.output(period=4800, periods=4)
    await out.awrite(data)
    print(await ended(out.adrain()))
    print(out.state)
    await out.awrite(data)
    await out.aclose()
    print(out.state, out.xruns)
asyncio.run(main())
"""
    data = noise(4 * 4 * 4800 - 4)  # a frame less than four periods
    words, recording = play(board, program, data)
    assert words == ["True", "RUNNING", "CLOSED", "0"]
    assert recording.first_difference(stereo(2 * (data + bytes(4)))) is None


@pytest.mark.parametrize("end", ENDED)
def test_a_close_that_ends_drops_the_rest(board, end):
    program = f"""{ENDED[end]}
async def main():
    out = card.output(period=4800, periods=10)
    await out.awrite(data)
    print(await ended(out.aclose()))
    print(out.state)
asyncio.run(main())
"""
    data = noise(4 * 48000)
    words, recording = play(board, program, data)
    assert words == ["True", "CLOSED"]
    assert abs(recording.frames - 253 * 48) <= PERIOD  # QEMU's timer ticks every 10 ms
    assert recording.first_difference(stereo(data)[: recording.frames]) is None


@pytest.mark.parametrize("end", ENDED)
def test_a_task_that_ends_while_it_records(board, end):
    # What it had read is in its buffer; the next gets what follows.
    program = f"""{ENDED[end]}
async def main():
    data = bytearray(4 * 480000)
    rest = bytearray(4 * 4800)
    async with ear.input() as mic:
        assert await ended(mic.areadinto(data))
        assert await mic.areadinto(rest) == len(rest)
    tell(data.rstrip(b"\\0"))
    tell(rest)
asyncio.run(main())
"""
    heard = noise(4 * 480000).replace(b"\0", b"\1")  # so that the end of what was read is seen
    result, _ = run(board, program, heard)
    first, second = told(result)
    assert len(first) > 4 * PERIOD
    assert heard.startswith(first + second)


def test_a_reader_that_ends_loses_nothing(board):
    program = """
async def main():
    data = bytearray(4 * 4800)
    mic = ear.input()
    mic.setblocking(False)
    reader = asyncio.StreamReader(mic)
    mic.start()
    mic.pause()
    for _ in range(3):
        try:
            await asyncio.wait_for_ms(reader.readinto(data), 20)
        except asyncio.TimeoutError:
            tell("late")
        assert data == bytes(len(data))
    mic.resume()
    tell(await reader.readexactly(len(data)))
asyncio.run(main())
"""
    heard = noise(4 * 4800)
    result, _ = run(board, program, heard)
    assert told(result) == 3 * [b"late"] + [heard]


# Everybody's turn

ROM = "data = memoryview(open('/rom/data', 'rb'))\n"  # read where it lies: nothing to collect

# paced() runs a coroutine while a task wants its turn every millisecond. It prints how many turns
# that got, and the longest time between two of them in us.
PACE = """
from array import array
gaps = array("i", range(4000))

async def tick():
    global turns
    turns = 0
    last = time.ticks_us()
    while True:
        await asyncio.sleep_ms(1)
        now = time.ticks_us()
        gaps[turns] = time.ticks_diff(now, last)
        last = now
        turns += 1

async def paced(coroutine):
    ticker = asyncio.create_task(tick())
    await coroutine
    ticker.cancel()
    print(turns, max(gaps[1:turns]))  # without the first, when everything begins
"""


@pytest.mark.parametrize("periods", [4, 8, 16])
def test_a_task_that_wants_a_turn_every_millisecond(board, periods):
    program = f"""{ROM}{PACE}
async def main():
    async with card.output(periods={periods}) as out:
        await out.awrite(data[:40000])
        await paced(out.awrite(data[40000:]))
        print(out.xruns)
asyncio.run(main())
"""
    data = noise(4 * RATE)
    result, recording = run(board, program, files={"data": data})
    turns, longest, xruns = map(int, result.output.split())
    assert xruns == 0
    assert recording.first_difference(stereo(data)) is None
    # A turn of its own and a look at the stream take 0.7 ms of this processor's time.
    assert turns > 350
    assert longest < 4000


def test_a_task_that_wants_a_turn_while_another_records(board):
    program = f"""import asyncio, time, vsnd
{PACE}
async def main():
    async with vsnd.open().input() as mic:
        await mic.areadinto(bytearray(4))
        data = bytearray(4 * 48000)
        start = time.ticks_ms()
        await paced(mic.areadinto(data))
        print(time.ticks_diff(time.ticks_ms(), start), mic.xruns)
asyncio.run(main())
"""
    result = board.run(program, audio="none", streams=2)  # silence, at the card's pace
    assert result.status == 0
    turns, longest, ms, xruns = map(int, result.output.split())
    assert xruns == 0
    assert 980 <= ms <= 1020
    assert turns > 350
    assert longest < 4000


def test_the_processor_sleeps(board):
    # ticks_cpu() counts instructions: 31 of them are a microsecond, if it does not sleep.
    program = f"""{ROM}
def spent(since): return time.ticks_diff(time.ticks_cpu(), since)

async def main():
    since, end = time.ticks_cpu(), time.ticks_add(time.ticks_ms(), 100)
    while time.ticks_diff(end, time.ticks_ms()) > 0:
        pass
    print(spent(since))
    async with card.output(periods=PERIODS) as out:
        await out.awrite(data[:40000])
        since = time.ticks_cpu()
        await out.awrite(data[40000:])
        print(spent(since))
        since = time.ticks_cpu()
        await out.adrain()
        print(spent(since))
asyncio.run(main())
"""
    second = 31_250_000
    for periods, part in ((4, 0.16), (16, 0.06)):
        data = noise(4 * RATE + 40000)
        code = program.replace("PERIODS", str(periods))
        result, recording = run(board, code, files={"data": data})
        awake, playing, draining = map(int, result.output.split())
        print(periods, awake, playing, draining)
        assert recording.first_difference(frames(data)) is None
        assert awake > 0.09 * second
        assert playing < part * second
        assert draining < 0.05 * second


def test_three_tasks_on_two_cards(board):
    program = """
async def play(card, data):
    async with card.output(period=480, periods=8) as out:
        for at in range(0, len(data), 10000):
            await out.awrite(data[at : at + 10000])

async def record():
    async with ear.input() as mic:
        await mic.areadinto(heard)

first, second = data[:100000], data[100000:]
heard = bytearray(50000)
async def main():
    await asyncio.gather(play(card, first), play(ear, second), record())
    tell(heard)
asyncio.run(main())
"""
    data, heard = noise(250000), noise(50000, 9)
    result, recording = run(board, ROM + program, heard, files={"data": data})
    assert recording.first_difference(frames(data[:100000])) is None
    assert result.played[:150000] == data[100000:]
    assert not any(result.played[150000:])
    assert told(result) == [heard]


@pytest.mark.parametrize("late", [0, 37])
def test_two_streams_of_one_card(board, late):
    # QEMU adds them up. One has the high byte of each sample, the other one the low byte.
    program = f"""
import asyncio, vsnd
card = vsnd.open()
async def play(name, wait):
    data = memoryview(open(name, "rb"))
    await asyncio.sleep_ms(wait)
    async with card.output() as out:
        for at in range(0, len(data), 7000):
            await out.awrite(data[at : at + 7000])
        print(out.stream.id, out.xruns)
async def main():
    await asyncio.gather(play("/rom/high", 0), play("/rom/low", {late}))
asyncio.run(main())
"""
    generator = np.random.default_rng(12)
    high = generator.integers(-128, 128, (40 * PERIOD, 2), dtype="<i2")
    low = generator.integers(0, 256, (30 * PERIOD, 2), dtype="<i2")
    files = {"high": (256 * high).tobytes(), "low": low.tobytes()}
    result = board.run(program, files=files, streams=4)
    assert (result.status, sorted(result.output.split("\n"))) == (0, ["", "0 0", "1 0"])
    samples = result.recording.samples
    starts = []
    for recorded, wanted in ((samples >> 8, high), (samples & 255, low)):
        start = int(recorded.any(axis=1).argmax())
        starts.append(start)
        assert (recorded[start : start + len(wanted)] == wanted).all()
        assert not recorded[:start].any()
        assert not recorded[start + len(wanted) :].any()
    assert starts[0] == 0
    assert 0 <= starts[1] - 48 * late < 4 * PERIOD  # one fills its ring after the other


def test_a_second_task_on_the_same_stream(board):
    program = """
async def main():
    out, mic = card.output(), vsnd.open().input()
    long = asyncio.create_task(out.awrite(data))
    heard = asyncio.create_task(mic.areadinto(bytearray(19200)))
    await asyncio.sleep_ms(30)  # a period is free by then, and another one recorded
    for second in (out.awrite(data[:1920]), mic.areadinto(bytearray(4))):
        try:
            await second
        except OSError as e:
            print(e)
    print(await long, await heard)
    await out.aclose()
    mic.close()
asyncio.run(main())
"""
    data = noise(40 * 1920)
    result, recording = run(board, ROM + program, files={"data": data})
    out, mic, counts = result.output.splitlines()
    assert out.startswith("[Errno 16] EBUSY: another task waits for <Output stream 0: RUNNING")
    assert mic.startswith("[Errno 16] EBUSY: another task waits for <Input stream 1: RUNNING")
    assert counts == f"{len(data)} 19200"
    assert recording.first_difference(stereo(data)) is None


def test_an_exception_in_one_task_ends_nobody_else(board):
    program = """
async def fail():
    await asyncio.sleep_ms(50)
    1 / 0

async def play():
    async with card.output() as out:
        await out.awrite(data)

async def main():
    done = await asyncio.gather(play(), fail(), return_exceptions=True)
    print(done[0], type(done[1]).__name__)
asyncio.run(main())
"""
    data = noise(40000)
    words, recording = play(board, program, data)
    assert words == ["None", "ZeroDivisionError"]
    assert recording.first_difference(frames(data)) is None
