# SPDX-License-Identifier: MIT
"""What the card hears from a file is what the program gets: every byte, in order, once.

The feed has no pace (virtboard/alsa.py): it is always there before the driver asks for more.
Recordings are raw unless it matters what the device was told: the file's bytes are the guest's.
"""

import base64
import hashlib

import numpy as np
import pytest
from feed import noise, run, told
from test_formats import FORMATS, RATES
from test_voices import NAMES, heard

# Playing to a file


@pytest.mark.parametrize("name", FORMATS)
def test_what_is_played_arrives_in_the_file(board, name):
    data = noise(48000)
    program = f"""
with card.output(16000, 2, vsnd.{name}, 250) as out:
    out.write(open("/rom/data", "rb").read())
"""
    result = run(board, program, files={"data": data}, raw=True)
    assert result.played == data


@pytest.mark.parametrize("period", [64, 441, 5000, 16000])
def test_what_is_played_in_other_periods(board, period):
    data = noise(48000)
    program = f"""
with card.output(8000, 1, vsnd.U8, {period}) as out:
    out.write(open("/rom/data", "rb").read())
"""
    result = run(board, program, files={"data": data}, raw=True)
    assert result.played == data + b"\x80" * (-len(data) % period)


def test_what_is_played_is_mixed_exactly_too(board):
    data = noise(48000)
    program = 'with card.output() as out: out.write(open("/rom/data", "rb").read())'
    assert run(board, program, files={"data": data}).played == data


# Capture


@pytest.mark.parametrize("channels", [1, 2])
@pytest.mark.parametrize("name", FORMATS)
def test_the_bytes_of_every_format(board, name, channels):
    feed = noise(20000)
    program = f"""
data = bytearray(20000)
with card.input(16000, {channels}, vsnd.{name}) as mic:
    assert mic.readinto(data) == len(data)
tell(data)
"""
    assert told(run(board, program, feed, raw=True)) == [feed]


@pytest.mark.parametrize("channels", [1, 2])
@pytest.mark.parametrize("name", FORMATS)
def test_the_format_that_the_device_was_told(board, name, channels):
    # QEMU converts from S16 stereo. Mono is the sum of both sides, so they are kept low.
    frames = np.random.default_rng(6).integers(-16384, 16384, (2000, 2), dtype="<i2")
    wanted = (frames if channels == 2 else frames.sum(axis=1)).astype(int)
    dtype = np.dtype(FORMATS[name][0])
    if dtype.kind == "f":
        wanted = wanted / 32768
    else:
        bits = 8 * dtype.itemsize
        wanted = wanted << bits - 16 if bits > 16 else wanted >> 16 - bits
        wanted += (1 << bits - 1) - 1 if dtype.kind == "u" else 0
    wanted = wanted.astype(dtype).tobytes()
    program = f"""
data = bytearray({len(wanted)})
with card.input(48000, {channels}, vsnd.{name}) as mic: mic.readinto(data)
tell(data)
"""
    assert told(run(board, program, frames.tobytes())) == [wanted]


@pytest.mark.parametrize("rate", RATES)
def test_the_rate_that_the_device_was_told(board, rate):
    # With another rate than that of its own end QEMU would interpolate.
    feed = noise(20000)
    program = f"""
data = bytearray(20000)
with card.input({rate}, 2) as mic: mic.readinto(data)
tell(data)
"""
    assert told(run(board, program, feed, rate=rate)) == [feed]


@pytest.mark.every_board
def test_a_long_ramp(board):
    # Every one of its frames is at one place only; three seconds are told as one sum.
    ramp = np.arange(3 * 48000, dtype="<i4")
    program = """
import hashlib
data = bytearray(4 * 4800)
sum = hashlib.sha256()
with card.input(48000, 1, vsnd.S32) as mic:
    for _ in range(30):
        mic.readinto(data)
        sum.update(data)
tell(sum.digest())
tell(data)
"""
    sums = [hashlib.sha256(ramp.tobytes()).digest(), ramp[-4800:].tobytes()]
    assert told(run(board, program, ramp.tobytes(), raw=True)) == sums


@pytest.mark.parametrize("name", NAMES[:3])
def test_a_voice(board, name):
    rate, frames = heard(name)
    voice = np.ascontiguousarray(frames[:, 0]).tobytes()
    program = f"""
data = bytearray({len(voice)})
with card.input({rate}, 1, periods=8) as mic: mic.readinto(data)
tell(data)
"""
    assert told(run(board, program, voice, raw=True)) == [voice]


# The device writes its status right behind the samples if the buffer is not as long as a period.
@pytest.mark.parametrize("periods", [2, 3, 16])
@pytest.mark.parametrize("period", [1, 3, 37, 64, 160, 441, 1024, 4096])
def test_other_periods(board, period, periods):
    feed = noise(9000)
    program = f"""
data = bytearray(9000)
with card.input(8000, 1, vsnd.S8, {period}, {periods}) as mic: mic.readinto(data)
tell(data)
"""
    assert told(run(board, program, feed, raw=True)) == [feed]


@pytest.mark.parametrize("size", [1, 7, 159, 160, 161, 320, 639, 640, 641, 2000, 5000])
def test_reads_of_any_size(board, size):
    feed = noise(10000)
    program = f"""
data = bytearray(10000)
view = memoryview(data)
with card.input(16000, 1, period=160) as mic:
    for at in range(0, len(data), 2 * {size}):
        part = view[at:at + 2 * {size}]
        assert mic.readinto(part) == len(part)
tell(data)
"""
    assert told(run(board, program, feed, raw=True)) == [feed]


def test_reads_of_growing_size(board):
    feed = noise(60000)
    program = """
data = bytearray(60000)
view = memoryview(data)
at, size = 0, 1
with card.input(16000, 1, period=160) as mic:
    while at < len(data):
        at += mic.readinto(view[at:at + 2 * size])
        size += 13
tell(data)
"""
    assert told(run(board, program, feed, raw=True)) == [feed]


def test_anything_that_can_be_written_to_can_be_read_into(board):
    feed = noise(4 * 1000)
    program = """
from array import array
with card.input(16000, 1, period=160) as mic:
    for buf in (
        bytearray(1000),
        memoryview(bytearray(1000)),
        array("h", bytes(1000)),
        memoryview(array("h", bytes(1000))),
    ):
        print(mic.readinto(buf), end=" ")
        tell(buf)
"""
    words = run(board, program, feed, raw=True).output.split()
    assert words[::2] == ["1000"] * 4
    assert b"".join(map(base64.b64decode, words[1::2])) == feed


def test_what_cannot_be_read_into(board):
    feed = noise(1000)
    program = """
data = bytearray(1000)
with card.input(16000, 2, period=160) as mic:
    assert mic.readinto(bytearray()) == 0
    for wrong in (bytearray(1002), bytes(1000), "text", None):
        try:
            mic.readinto(wrong)
            print(wrong)
        except (TypeError, ValueError):
            pass
    mic.readinto(data)
tell(data)
"""
    assert told(run(board, program, feed, raw=True)) == [feed]


def test_nothing_beside_the_buffer_is_touched(board):
    feed = noise(10000)
    program = """
data = bytearray(b"\x55" * 2004)
view = memoryview(data)[2:-2]
with card.input(16000, 1, period=160) as mic:
    for _ in range(5):
        mic.readinto(view)
        tell(data)
"""
    parts = [b"UU" + feed[at : at + 2000] + b"UU" for at in range(0, 10000, 2000)]
    assert told(run(board, program, feed, raw=True)) == parts


def test_a_slow_reader_loses_nothing(board):
    # As long as the driver has no free buffer, QEMU leaves the rest in the file.
    feed = noise(20000)
    program = """
import time
data = bytearray(20000)
view = memoryview(data)
with card.input(16000, 1, period=160) as mic:
    for at in range(0, len(data), 2000):
        mic.readinto(view[at:at + 2000])
        time.sleep_ms(100)
tell(data)
"""
    assert told(run(board, program, feed, raw=True)) == [feed]


@pytest.mark.every_board
def test_what_is_heard_is_played(board):
    feed = noise(40000)
    program = """
buf = bytearray(4 * 700)
with card.input(16000, 2) as mic, card.output(16000, 2, period=500) as out:
    for _ in range(len(buf), 40001, len(buf)):
        mic.readinto(buf)
        out.write(buf)
"""
    result = run(board, program, feed, raw=True)
    whole = 40000 // 2800 * 2800
    assert result.played[:whole] == feed[:whole]
    assert result.played[whole:] == bytes(-whole % 2000)


def test_playing_and_capturing_at_different_formats(board):
    feed, data = noise(20000, seed=8), noise(20000, seed=9)
    program = """
heard = bytearray(20000)
data = memoryview(open("/rom/data", "rb").read())
view = memoryview(heard)
with card.output(44100, 2, vsnd.S32, 250) as out, card.input(8000, 1, vsnd.U8, 80) as mic:
    for at in range(0, 20000, 400):
        out.write(data[at:at + 400])
        mic.readinto(view[at:at + 400])
tell(heard)
"""
    result = run(board, program, feed, files={"data": data}, raw=True)
    assert told(result) == [feed]
    assert result.played == data


def test_a_lost_frame_would_be_noticed(board):
    feed = noise(2000)
    program = """
data = bytearray(2000)
view = memoryview(data)
with card.input(16000, 1, period=160) as mic:
    mic.readinto(view[:1000])
    mic.readinto(view[1000:1002])
    mic.readinto(view[1000:])
tell(data)
"""
    parts = told(run(board, program, feed, raw=True))
    assert parts[0][:1000] == feed[:1000]
    assert parts[0][1000:] != feed[1000:]
