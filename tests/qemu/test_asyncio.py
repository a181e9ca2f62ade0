# SPDX-License-Identifier: MIT
"""Streams in asyncio: while one plays or records, the others run and the processor sleeps."""

import hashlib

import numpy as np
import pytest
from feed import noise, told
from two_cards import PERIOD, RATE, frames, run


def play(board, program, data, **options):
    """Runs a program that finds `data`. Returns what it prints, and the recording of `card`."""
    program = "data = memoryview(open('/rom/data', 'rb').read())\n" + program
    result, recording = run(board, program, files={"data": data}, **options)
    return result.output, recording


THREE_TASKS = """
import hashlib
SECONDS = 30
data = memoryview(open("/rom/data", "rb").read())

async def play(out):
    writer = asyncio.StreamWriter(out)
    for i in range(SECONDS * 10):
        part = i % 10 * 19200
        writer.write(data[part : part + 19200])  # 100 ms
        await writer.drain()
    await out.adrain()

async def record(mic, digest):
    reader = asyncio.StreamReader(mic)
    buf = bytearray(19200)
    left = SECONDS * 192000
    while left:
        n = await reader.readinto(memoryview(buf)[: min(left, len(buf))])
        digest.update(memoryview(buf)[:n])
        left -= n

async def compute():
    primes = 0
    n = 2
    while playing:
        for _ in range(20):
            primes += all(n % k for k in range(2, int(n ** 0.5) + 1))
            n += 1
        await asyncio.sleep_ms(1)
    return n

async def main():
    global playing
    playing = True
    out = card.output(period=480, periods=16)
    mic = ear.input(period=480, periods=16)
    out.setblocking(False)
    mic.setblocking(False)
    digest = hashlib.sha256()
    task = asyncio.create_task(compute())
    await asyncio.gather(play(out), record(mic, digest))
    playing = False
    n = await task
    print(digest.digest().hex())
    print(out.xruns, out.position(), n > 10000)
    mic.close()
    out.close()

asyncio.run(main())
"""


def test_play_record_and_compute_for_half_a_minute(board):
    heard = noise(30 * RATE * 4)
    data = noise(RATE * 4, 8)
    result, recording = run(board, THREE_TASKS, heard, files={"data": data})
    digest, figures = result.output.split("\n", 1)
    assert digest == hashlib.sha256(heard).hexdigest()
    assert figures.split() == ["0", str(30 * RATE), "True"]
    assert recording.first_difference(frames(30 * data)) is None


# The methods with an a


@pytest.mark.parametrize("copy", [True, False])
@pytest.mark.parametrize("size", [100, 479, 481, 1920, 5000, 12007])
def test_awrite_of_any_size(board, size, copy):
    program = f"""
async def main():
    async with card.output() as out:
        for at in range(0, len(data), 4 * {size}):
            part = data[at : at + 4 * {size}]
            assert await out.awrite(part, copy={copy}) == len(part)
        xruns = out.xruns
    print(out.state, xruns)
asyncio.run(main())
"""
    data = noise(4 * 12007)
    output, recording = play(board, program, data)
    assert output == "CLOSED 0\n"
    assert recording.first_difference(frames(data)) is None


@pytest.mark.parametrize("size", [1, 479, 481, 1920, 5000, 20000])
def test_areadinto_of_any_size(board, size):
    program = f"""
async def main():
    data = bytearray(80000)
    view = memoryview(data)
    async with ear.input() as mic:
        for at in range(0, 80000, 4 * {size}):
            part = view[at : at + 4 * {size}]
            assert await mic.areadinto(part) == len(part)
    assert mic.state == "CLOSED"
    tell(data)
asyncio.run(main())
"""
    heard = noise(80000)
    result, _ = run(board, program, heard)
    assert told(result) == [heard]


def test_both_directions_twice_the_same(board):
    program = """
async def play():
    async with card.output() as out:
        await out.awrite(data)

async def record():
    view = memoryview(heard)
    async with ear.input() as mic:
        for at in range(0, len(heard), 4000):
            await mic.areadinto(view[at : at + 4000])
            times.append(time.ticks_us())

heard = bytearray(100000)
times = []
async def main():
    await asyncio.gather(play(), record())
    tell(heard)
    tell(str(times))
asyncio.run(main())
"""
    data, heard = noise(40000), noise(100000, 9)
    program = "data = open('/rom/data', 'rb').read()\n" + program
    first, second = (run(board, program, heard, files={"data": data}) for _ in "12")
    assert told(first[0])[0] == heard
    assert first[1].first_difference(frames(data)) is None
    assert first[0].output == second[0].output
    assert first[1].path.read_bytes() == second[1].path.read_bytes()


@pytest.mark.parametrize("length", [1, 479, 480, 481, 1025, 1920, 4801])
def test_adrain_means_heard(board, length):
    # The program ends at once after adrain(): what QEMU has not recorded then never will be.
    program = """
import virt
async def main():
    out = card.output()
    await out.awrite(data)
    await out.adrain()
    print(out.state)
    virt.exit(0)
asyncio.run(main())
"""
    data = noise(4 * length)
    output, recording = play(board, program, data)
    assert output == "SETUP\n"
    assert recording.first_difference(frames(data)) is None


def test_who_writes_while_another_task_drains_is_told(board):
    program = """
async def drain(out):
    await asyncio.sleep_ms(103)
    await out.adrain()

async def main():
    out = card.output()
    done = await asyncio.gather(out.awrite(data), drain(out), return_exceptions=True)
    print(done[0], done[1])
    await out.awrite(data[:400])
    await out.aclose()
asyncio.run(main())
"""
    data = noise(4 * RATE)
    output, recording = play(board, program, data)
    assert output == (
        "[Errno 1] EPERM: write in state DRAINING: allowed in PREPARED RUNNING PAUSED None\n"
    )
    first = recording.frames - PERIOD
    assert 103 * 48 < first < 103 * 48 + 4 * PERIOD + 1024
    assert recording.first_difference(frames(data[: 4 * first] + data[:400])) is None


def test_others_run_while_it_drains(board):
    program = """
async def count():
    global n
    n = 0
    while True:
        n += 1
        await asyncio.sleep_ms(1)

async def main():
    async with card.output(period=4800, periods=2) as out:
        await out.awrite(data)
        counter = asyncio.create_task(count())
        await out.adrain()
        print(n > 100)  # in 200 ms
        await out.awrite(data)
    counter.cancel()
    print(n > 200)
asyncio.run(main())
"""
    data = noise(2 * 4800 * 4)
    output, recording = play(board, program, data)
    assert output == "True\nTrue\n"
    assert recording.first_difference(frames(2 * data)) is None


def test_an_exception_in_async_with_does_not_wait(board):
    program = """
async def main():
    try:
        async with card.output(periods=16) as out:
            await out.awrite(data)
            1 / 0
    except ZeroDivisionError:
        print(out.state)
    try:
        async with ear.input() as mic:
            await mic.areadinto(bytearray(400))
            1 / 0
    except ZeroDivisionError:
        print(mic.state)
    async with card.output() as out:
        await out.awrite(data)
asyncio.run(main())
"""
    data = noise(17 * PERIOD * 4)
    output, recording = play(board, program, data)
    assert output == "CLOSED\nCLOSED\n"
    first, second = np.split(recording.samples, [len(recording.samples) - 17 * PERIOD])
    assert (second == frames(data)).all()
    assert len(first) < 8 * PERIOD
    assert (first == frames(data)[: len(first)]).all()
