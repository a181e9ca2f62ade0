# SPDX-License-Identifier: MIT
"""Callbacks by irq() that play and record, while the program does something else."""

import pytest
from feed import noise, run, told
from test_nonblocking import START, play, record
from two_cards import RATE, frames

FEED = """
at = calls = 0
def feed(out):
    global at, calls
    calls += 1
    n = 1
    while n and at < len(data):
        n = out.write(data[at : at + PIECE]) or 0
        at += n
"""


@pytest.mark.parametrize("piece", [400, 1920, 10000])
def test_a_callback_that_plays(board, piece):
    program = f"""{FEED}
out = card.output()
out.setblocking(False)
out.irq(feed)
feed(out)
turns = 0
while at < len(data):
    turns += 1
    time.sleep_ms(1)
print(turns > 400, calls <= 101, out.xruns)
out.close()
called = calls
time.sleep_ms(50)
print(calls == called)
"""
    data = noise(4 * RATE)
    lines, recording = play(board, program.replace("PIECE", str(piece)), data)
    assert lines == ["True True 0", "True"]
    assert recording.first_difference(frames(data)) is None


def test_a_callback_that_writes_less_than_there_is_room_for(board):
    # It is called again all the same, at the next interrupt, although that means underruns.
    program = """
at = 0
def feed(out):
    global at
    at += out.write(data[at : at + 1920]) or 0
out = card.output(periods=8)
out.setblocking(False)
out.irq(feed)
while out.state != "RUNNING":
    feed(out)
start = time.ticks_us()
while at < 40 * 1920:
    assert since(start) < 2000
    time.sleep_ms(1)
out.close()
print(at)
"""
    data = noise(40 * 1920)
    lines, recording = play(board, program, data)
    assert lines == [str(len(data))]
    assert recording.first_difference(frames(data)) is None


def test_a_callback_that_records(board):
    program = """
parts = []
def take(mic):
    part = mic.read(4 * 700)
    if part:
        parts.append(part)
mic = card.input()
mic.setblocking(False)
mic.irq(take)
mic.start()
while sum(map(len, parts)) < 200000:
    time.sleep_ms(1)
mic.irq(None)
n = len(parts)
time.sleep_ms(50)
assert n == len(parts)
mic.close()
for part in parts: tell(part)
"""
    heard = noise(400000)
    parts = record(board, program, heard)
    assert heard.startswith(b"".join(parts))
    assert 200000 <= sum(map(len, parts)) < 250000


def test_a_loop_of_callbacks(board):
    # The microphone's gives what it hears to the output, whose own finds nothing to do.
    program = """
total = called = 0
buf = bytearray(4 * 4000)
def go_on(mic):
    global total
    n = mic.readinto(buf)
    if n:
        assert out.write(memoryview(buf)[:n]) == n
        total += n
def count(out):
    global called
    called += 1
out, mic = card.output(period=4800, periods=16), card.input()
for stream in out, mic:
    stream.setblocking(False)
out.irq(count)
mic.irq(go_on)
mic.start()
while total < 100000:
    time.sleep_ms(1)
mic.close()
out.close()
tell(str(total))
tell(str(called > 0))
"""
    heard = noise(200000)
    result = run(board, START + program, heard, files={"data": b""})
    total, called = told(result)
    assert called == b"True"
    assert result.played[: int(total)] == heard[: int(total)]
    assert not any(result.played[int(total) :])


def test_a_callback_that_raises_is_told_and_called_again(board):
    program = f"""{FEED}
def fail(out):
    feed(out)
    if calls in (5, 7):
        raise ValueError("on purpose")
out = card.output()
out.setblocking(False)
out.irq(fail)
feed(out)
while at < len(data):
    time.sleep_ms(1)
out.close()
print(out.xruns, calls > 8)
"""
    data = noise(4 * RATE)
    lines, recording = play(board, program.replace("PIECE", "1920"), data)
    assert lines.count("ValueError: on purpose") == 2
    assert sum("in fail" in line for line in lines) == 2
    assert lines[-1] == "0 True"
    assert recording.first_difference(frames(data)) is None


def test_a_callback_that_ends_another_stream(board):
    # Both are due after the same interrupt, but when its turn comes the other one has ended.
    program = """
states = set()
out, mic = card.output(periods=8), card.input()
mic.irq(lambda mic: out.drop())
out.irq(lambda out: states.add(out.state))
out.write(bytes(1920 * 7))
out.start()
time.sleep_ms(30)
print(out.state, out.avail() > 0)
mic.start()
time.sleep_ms(50)
print(states, out.state)
mic.close()
"""
    result = run(board, START + program, files={"data": b""}, audio="none")
    assert result.output.splitlines() == ["RUNNING True", "{'RUNNING'} SETUP"]


def test_when_no_callback_is_called(board):
    program = """
out = card.output(periods=8)
calls = []
out.irq(lambda out: calls.append(out.state))
out.write(data[:4000])
time.sleep_ms(50)
print("not started", calls)
out.write(data)
print("plays", set(calls))
out.pause()
calls.clear()
time.sleep_ms(50)
print("paused", calls)
out.resume()
out.drain()
print("drained", "DRAINING" in calls)
calls.clear()
out.write(data)
out.drop()
calls.clear()
time.sleep_ms(50)
print("dropped", calls)
out.irq(None)
out.write(data)
print("none", calls)
out.irq(calls.append)
out.close()
calls.clear()
with card.output() as other:
    other.write(data)
print("closed", calls)
"""
    data = noise(4 * 24000)
    lines, _ = play(board, program, data)
    assert lines == [
        "not started []",
        "plays {'RUNNING'}",
        "paused []",
        "drained False",
        "dropped []",
        "none []",
        "closed []",
    ]
