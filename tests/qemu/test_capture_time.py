# SPDX-License-Identifier: MIT
"""Capture in time. QEMU's driver `none` hears silence, as fast as a microphone would."""

import numpy as np
import pytest
from feed import run


@pytest.mark.parametrize("rate, period", [(48000, 480), (16000, 160), (8000, 400), (44100, 441)])
def test_capture_takes_the_time_that_it_lasts(board, rate, period):
    program = f"""
import time
data = bytearray({period} * 2)
with card.input({rate}, 1, vsnd.S16, {period}) as mic:
    mic.readinto(data)
    start = time.ticks_us()
    for _ in range(100):
        mic.readinto(data)
        print(time.ticks_diff(time.ticks_us(), start), mic.position())
    print(any(data), mic.xruns)
"""
    words = run(board, program, audio="none", rate=rate).output.split()
    assert words[-2:] == ["False", "0"]
    times, positions = np.array(words[:-2], int).reshape(-1, 2).T
    count = np.arange(1, 101)
    due = count * period / rate * 1e6
    # A period comes with the first of QEMU's ticks, one each 10 ms, at which it is complete.
    assert (times > due - 11000).all() and (times < due + 11000).all()
    assert (positions >= (count + 1) * period).all()
    assert (positions <= (count + 2) * period).all()


def test_silence_stays_silent_where_it_was_stopped_within_a_period(board):
    # Nothing but samples is heard, and not the status that stands behind the last of them.
    program = """
import time
data = bytearray(4 * 9600)
mic = card.input(48000, 2, period=4800, periods=2)
for wait_ms in (5, 25, 55, 95):
    mic.readinto(memoryview(data)[:4 * 4800])
    time.sleep_ms(wait_ms)
    mic.drain()
    print(mic.readinto(data), any(data))
    mic.drop()
mic.close()
"""
    words = run(board, program, audio="none", rate=48000).output.split()
    assert words[1::2] == ["False"] * 4
    sizes = np.array(words[::2], int)
    assert (sizes % 4 == 0).all() and (np.diff(sizes) > 0).all()
    late = sizes / 4 / 48 - [5, 25, 55, 95]  # ms
    assert (abs(late) <= 20).all()


def test_recording_that_nobody_reads_is_an_xrun(board):
    program = """
import time
data = bytearray(4 * 480)
with card.input(48000, 2) as mic:
    for _ in range(3):
        mic.readinto(data)
        print(mic.xruns, mic.state)
        time.sleep_ms(200)
        print(mic.xruns, mic.state, mic.avail())
        for _ in range(20):
            mic.readinto(data)
"""
    words = run(board, program, audio="none", rate=48000).output.split()
    rounds = [[f"{n}", "RUNNING", f"{n + 1}", "XRUN", "1920"] for n in range(3)]
    assert words == sum(rounds, [])


def test_only_what_is_there(board):
    program = """
import time
data = bytearray(4 * 4800)
with card.input(48000, 2) as mic:
    mic.setblocking(False)
    start = time.ticks_us()
    print(mic.readinto(data))
    for _ in range(10):
        time.sleep_ms(20)
        print(mic.readinto(data), time.ticks_diff(time.ticks_us(), start))
    print(mic.xruns, any(data))
"""
    words = run(board, program, audio="none", rate=48000).output.split()
    assert words[0] == "None"
    assert words[-2:] == ["0", "False"]
    sizes, times = np.array(words[1:-2], int).reshape(-1, 2).T
    assert (sizes % 1920 == 0).all() and (sizes > 0).all()
    # One of QEMU's ticks late, and part of a period and of a tick not there yet.
    missing = times * 48 / 1000 - sizes.cumsum() / 4
    assert (missing >= 0).all() and (missing < 3 * 480).all()


def test_a_card_without_an_input(board):
    program = """
import errno
try:
    card.input()
except OSError as e:
    print(e.errno == errno.ENODEV, e)
"""
    output = run(board, program, audio="wav", streams=1).output
    assert output.startswith("True ") and "input" in output


def test_an_input_that_never_hears_anything(board):
    # QEMU's driver `wav` has none: every request is answered with OK, and no sample comes.
    program = """
import errno, time
start = time.ticks_ms()
with card.input(16000, 1, period=160) as mic:
    try:
        mic.readinto(bytearray(2))
    except OSError as e:
        print(e.errno == errno.ETIMEDOUT, time.ticks_diff(time.ticks_ms(), start) < 3000)
"""
    assert run(board, program, audio="wav").output == "True True\n"
