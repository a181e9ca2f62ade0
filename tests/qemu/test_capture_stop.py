# SPDX-License-Identifier: MIT
"""A capture that is stopped, and goes on: nothing is lost but what was given up."""

import pytest
from feed import noise, pieces, run, told


@pytest.mark.parametrize("frames", [10, 100, 160, 1000])
def test_captures_in_a_row(board, frames):
    # The file goes on where the device stopped reading: between two captures the driver loses what
    # its own buffers held at most, and what is captured is whole each time.
    feed = noise(100000)
    program = f"""
for _ in range(5):
    data = bytearray(2 * {frames})
    with card.input(16000, 1, period=160) as mic: mic.readinto(data)
    tell(data)
"""
    parts = told(run(board, program, feed, raw=True))
    places = pieces(feed, parts)
    assert len(places) == 5 and places[0] == 0
    for one, next in zip(places, places[1:]):
        assert next <= one + 2 * (frames + 160 * 5)


# Five of QEMU's ticks fill a period of 4800 frames here.
IN_PARTS = {"audio_options": "in.buffer-length=20000"}


def test_a_capture_that_is_closed_within_a_period(board):
    # The device gives the last buffer back with less in it than a period, and its status where
    # that ends.
    feed = noise(400000)
    program = """
import time
for _ in range(3):
    data = bytearray(4 * 4800)
    with card.input(48000, 2, period=4800, periods=2) as mic:
        mic.readinto(data)
        time.sleep_ms(25)
    tell(data)
"""
    parts = told(run(board, program, feed, **IN_PARTS))
    places = pieces(feed, parts)
    assert len(places) == 3 and places[0] == 0
    assert all(next - one > 4 * 4800 for one, next in zip(places, places[1:]))


@pytest.mark.parametrize("wait_ms, periods", [(5, 2), (10, 2.2), (25, 2.4), (40, 2.8), (65, 3)])
def test_what_was_recorded_before_a_drain_can_be_read(board, wait_ms, periods):
    # One frame more is read than a period has, so that the device gets only one of its two buffers
    # back, and fills it in the meantime: not at all, in part, or wholly.
    feed = noise(400000)
    program = f"""
import time
mic = card.input(48000, 2, period=4800, periods=2)
data = bytearray(4 * 4801)
for _ in range(2):
    mic.readinto(data)
    time.sleep_ms({wait_ms})
    mic.drain()
    rest = bytearray(4 * mic.avail())
    assert mic.position() == 4801 + mic.avail()
    assert mic.readinto(rest) == len(rest)
    tell(data + rest)
    assert mic.readinto(data) == mic.avail() == 0
    mic.prepare()
mic.close()
"""
    parts = told(run(board, program, feed, **IN_PARTS))
    assert pieces(feed, parts)[0] == 0
    assert [len(part) / (4 * 4800) for part in parts] == [periods] * 2


def test_pausing_loses_nothing(board):
    feed = noise(20000)
    program = """
import time
data = bytearray(20000)
view = memoryview(data)
mic = card.input(16000, 1, period=160)
for at in range(0, len(data), 2000):
    mic.readinto(view[at:at + 2000])
    mic.pause()
    assert mic.state == "PAUSED"
    time.sleep_ms(50)
    mic.resume()
mic.close()
tell(data)
"""
    assert told(run(board, program, feed, raw=True)) == [feed]


def test_after_drop_the_next_capture_is_whole(board):
    feed = noise(100000)
    program = """
mic = card.input(16000, 1, period=160)
data = bytearray(2 * 1000)
for _ in range(5):
    mic.readinto(data)
    tell(data)
    mic.drop()
    assert mic.state == "SETUP"
mic.close()
"""
    places = pieces(feed, told(run(board, program, feed, raw=True)))
    assert len(places) == 5 and places[0] == 0
