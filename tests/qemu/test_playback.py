# SPDX-License-Identifier: MIT
"""What is written is what is heard: every frame, in order, once; and what the driver tells."""

import numpy as np
import pytest

RATE = 48000
PERIOD = 480

START = """
import vsnd
data = open('/rom/data', 'rb').read()
card = vsnd.open()
"""


def noise(frames, channels=2, seed=1):
    """Frames that no mistake leaves as they are: each differs from its neighbours."""
    generator = np.random.default_rng(seed)
    return generator.integers(-32768, 32768, (frames, channels), dtype="<i2")


def padded(frames, period=PERIOD):
    """Filled up with silence to whole periods, as drain() does."""
    return np.pad(frames, ((0, -len(frames) % period), (0, 0)))


def play(board, program, frames, **options):
    """Runs a program that finds the frames in `data`; it must end well. Returns its Result."""
    result = board.run(START + program, files={"data": frames.tobytes()}, **options)
    assert result.status == 0
    return result


def words(result):
    """The numbers and words that the program printed."""
    return [int(word) if word.isdigit() else word for word in result.output.split()]


@pytest.mark.parametrize("size", [1, 7, 479, 480, 481, 1000, 1920, 5000])
def test_writes_of_any_size(board, size):
    frames = noise(5000)
    program = f"""
with card.output() as out:
    for at in range(0, len(data), 4 * {size}):
        part = data[at:at + 4 * {size}]
        assert out.write(part) == len(part)
"""
    assert play(board, program, frames).recording.first_difference(padded(frames)) is None


@pytest.mark.every_board
def test_writes_of_growing_size(board):
    frames = noise(20000)
    program = """
view = memoryview(data)
at, size = 0, 1
with card.output() as out:
    while at < len(data):
        at += out.write(view[at:at + 4 * size])
        size += 13
"""
    assert play(board, program, frames).recording.first_difference(padded(frames)) is None


def test_anything_with_bytes_in_it_can_be_written(board):
    frames = noise(5 * 480)
    program = """
from array import array
n = 1920
parts = [data[i * n:i * n + n] for i in range(5)]
with card.output() as out:
    out.write(parts[0])
    out.write(bytearray(parts[1]))
    out.write(memoryview(parts[2]))
    out.write(array('h', parts[3]))
    out.write(memoryview(array('h', parts[4])))
"""
    assert play(board, program, frames).recording.first_difference(frames) is None


def test_a_buffer_may_be_changed_after_write(board):
    program = """
buf = bytearray(4 * 100)
with card.output() as out:
    for at in range(0, len(data), len(buf)):
        buf[:] = data[at:at + len(buf)]
        out.write(buf)
        for i in range(len(buf)):
            buf[i] = 0x55
"""
    frames = noise(3000)
    assert play(board, program, frames).recording.first_difference(padded(frames)) is None


@pytest.mark.parametrize(
    "where",
    ["data", "bytearray(data)", "memoryview(open('/rom/data', 'rb'))"],
    ids=["bytes", "bytearray", "ROM"],
)
@pytest.mark.parametrize("frames", [479, 480, 481, 9600, 10001])
@pytest.mark.every_board
def test_playing_without_a_copy(board, where, frames):
    frames = noise(frames)
    program = f"with card.output() as out: print(out.write({where}, copy=False))"
    result = play(board, program, frames)
    assert words(result) == [frames.nbytes]
    assert result.recording.first_difference(padded(frames)) is None


def test_copies_and_loans_in_turn(board):
    program = """
view = memoryview(data)
with card.output() as out:
    for at in range(0, len(data), 4 * 1440):
        out.write(view[at:at + 400])
        out.write(view[at + 400:at + 4 * 1340], copy=False)
        out.write(view[at + 4 * 1340:at + 4 * 1440])
"""
    frames = noise(1440 * 5)
    assert play(board, program, frames).recording.first_difference(frames) is None


def test_what_is_lent_survives_a_collection(board):
    # Nothing but the driver refers to it, and all memory that is free is written over.
    program = """
import gc
def lend(out):
    for at in range(0, len(data), 1920):
        out.write(bytes(data[at:at + 1920]), copy=False)
def spoil(depth):
    if depth:
        return spoil(depth - 1)
    gc.collect()
    junk = []
    try:
        while True: junk.append(b'\\x55' * 5000)
    except MemoryError:
        pass
    return len(junk)
with card.output(periods=16) as out:
    lend(out)
    print(spoil(20) * 5000 > 1000000)
"""
    frames = noise(15 * PERIOD)
    result = play(board, program, frames, memory="16M")
    assert result.output == "True\n"
    assert result.recording.first_difference(frames) is None


LENGTHS = [0, 1, 2, 3, 479, 480, 481, 959, 960, 961, 1023, 1024, 1025]
LENGTHS += [1439, 1440, 1441, 1919, 1920, 1921, 2400, 4799, 4800, 4801, 48000]


@pytest.mark.parametrize("length", LENGTHS)
def test_drain_hears_everything_out(board, length):
    # The program ends at once after drain(): what QEMU has not recorded then never will be.
    frames = noise(length)
    program = "import virt\nout = card.output()\nout.write(data)\nout.drain()\nvirt.exit(0)"
    assert play(board, program, frames).recording.first_difference(padded(frames)) is None


@pytest.mark.parametrize("period, periods", [(64, 16), (100, 16), (441, 8), (512, 2), (4800, 2)])
@pytest.mark.parametrize("length", [1, 3000, 10007])
def test_other_periods(board, period, periods, length):
    frames = noise(length)
    program = f"with card.output(period={period}, periods={periods}) as out: out.write(data)"
    result = play(board, program, frames)
    assert result.recording.first_difference(padded(frames, period)) is None


def test_one_output_after_another(board):
    frames = noise(5 * 1000)
    program = """
for at in range(0, len(data), 4000):
    with card.output() as out:
        out.write(data[at:at + 4000])
"""
    wanted = np.concatenate([padded(part) for part in np.split(frames, 5)])
    assert play(board, program, frames).recording.first_difference(wanted) is None


def test_one_play_after_another_on_the_same_output(board):
    frames = noise(5 * 1000)
    program = """
out = card.output()
for at in range(0, len(data), 4000):
    out.write(data[at:at + 4000])
    out.drain()
    print(out.state, out.delay())
out.close()
"""
    result = play(board, program, frames)
    wanted = np.concatenate([padded(part) for part in np.split(frames, 5)])
    assert result.recording.first_difference(wanted) is None
    assert words(result) == ["SETUP", 0] * 5


def test_after_drop_the_next_play_is_whole(board):
    frames = noise(48000)
    program = """
import time
out = card.output()
out.write(data)
out.drop()
print(out.state, out.delay())
time.sleep_ms(100)
out.write(data)
out.close()
"""
    result = play(board, program, frames)
    assert words(result) == ["SETUP", 0]
    recorded = result.recording.samples
    first, last = recorded[:-48000], recorded[-48000:]
    assert (last == frames).all()
    # Of the first play there is a beginning: all of it but what was queued or in the device.
    assert 48000 - 4 * PERIOD - 1024 <= len(first) <= 48000
    assert (first == frames[: len(first)]).all()


def test_drop_is_at_once(board):
    program = """
import time
out = card.output(periods=16)
out.write(data)
before = time.ticks_ms()
out.drop()
out.close()
print(time.ticks_diff(time.ticks_ms(), before))
"""
    assert words(play(board, program, noise(16 * PERIOD + 1)))[0] < 30  # 160 were queued


def test_an_exception_in_a_with_block_does_not_wait(board):
    program = """
try:
    with card.output(periods=16) as out:
        out.write(data)
        1 / 0
except ZeroDivisionError:
    print(out.state)
with card.output() as out: pass
"""
    assert words(play(board, program, noise(16 * PERIOD + 1))) == ["CLOSED"]


def test_pausing_loses_nothing(board):
    frames = noise(48000)
    program = """
import time
out = card.output()
for at in range(0, len(data), 4 * 4800):
    out.write(data[at:at + 4 * 4800])
    before = out.state
    out.pause()
    held = out.position()
    time.sleep_ms(200)
    assert out.position() == held
    print(before, out.state)
    out.resume()
    assert out.state == 'RUNNING'
out.close()
"""
    result = play(board, program, frames)
    assert words(result) == ["RUNNING", "PAUSED"] * 10
    assert result.recording.first_difference(frames) is None


def test_pause_holds_the_sound(board):
    # While it is paused, time passes and nothing is taken; the rest needs the rest of the time.
    program = """
import time
out = card.output(periods=16)
out.write(data)
out.pause()
before = out.delay()
time.sleep_ms(500)
print(before == out.delay(), before > 0)
out.close()
"""
    frames = noise(17 * PERIOD)
    result = play(board, program, frames)
    assert words(result) == ["True", "True"]
    assert result.recording.first_difference(frames) is None


def test_mono_is_heard_on_both_sides(board):
    frames = noise(10000, channels=1)
    result = play(board, "with card.output(channels=1) as out: out.write(data)", frames)
    assert result.recording.first_difference(np.repeat(padded(frames), 2, axis=1)) is None


@pytest.mark.parametrize("rate", [5512, 8000, 11025, 16000, 22050, 32000, 44100, 64000, 96000])
def test_other_rates(board, rate):
    frames = noise(rate // 3)
    program = f"with card.output(rate={rate}, periods=16) as out: out.write(data)"
    result = play(board, program, frames, rate=rate)
    assert result.recording.rate == rate
    assert result.recording.first_difference(padded(frames)) is None


@pytest.mark.parametrize("channels", [1, 2])
@pytest.mark.parametrize("name", ["S8", "U8", "S16", "U16", "S32", "U32", "FLOAT"])
def test_the_bytes_of_every_format(board, name, channels):
    # Recorded raw, as the device gets them. QEMU wants whole groups of 4 bytes there.
    program = f"""
out = card.output(format=vsnd.{name}, channels={channels})
out.write(data)
out.drain()
"""
    frames = noise(9600)
    recorded = play(board, program, frames, raw=True).recording.samples.tobytes()
    data = frames.tobytes()
    assert recorded[: len(data)] == data
    assert len(recorded) - len(data) < PERIOD * 8


@pytest.mark.parametrize(
    "name, silence",
    [("S8", b"\0"), ("U8", b"\x80"), ("U16", b"\0\x80"), ("S32", bytes(4)), ("FLOAT", bytes(4))],
)
def test_silence_fills_up_a_period_of_every_format(board, name, silence):
    program = f"with card.output(format=vsnd.{name}) as out: out.write(data)"
    frames = noise(200)
    recorded = play(board, program, frames, raw=True).recording.samples.tobytes()
    sample_bytes = len(silence)
    rest = PERIOD * 2 * sample_bytes - frames.nbytes
    assert recorded == frames.tobytes() + silence * (rest // sample_bytes)
