# SPDX-License-Identifier: MIT
"""Without asyncio: setblocking(False) with partial counts, and select.poll."""

from feed import noise, run, told
from two_cards import frames

START = """
import select, time
data = memoryview(open("/rom/data", "rb"))
def since(start): return time.ticks_diff(time.ticks_us(), start) // 1000
"""


def play(board, program, data):
    """Runs a program that finds `data`. Returns the lines that it prints, and the Recording."""
    result = run(board, START + program, files={"data": data}, audio="wav", streams=1)
    return result.output.splitlines(), result.recording


def record(board, program, heard, **options):
    """Runs a program that hears these bytes. Returns what it told."""
    return told(run(board, START + program, heard, files={"data": b""}, **options))


# setblocking(False)


def test_write_takes_what_there_is_room_for(board):
    program = """
out = card.output()
out.setblocking(False)
start = time.ticks_us()
print(out.write(data[:400]), out.state, out.avail())
at = 400 + out.write(data[400:])  # fills it, which starts it
print(at, out.state, out.avail(), out.write(data[at:]))
time.sleep_ms(12)
room = out.avail()
n = out.write(data[at:])
print(room * 4 <= n, n % 1920, out.write(data[at:]))
at += n
while at < len(data):
    at += out.write(data[at : at + 777 * 4]) or 0
print(out.xruns)
out.close()
"""
    data = noise(4 * 20000)
    lines, recording = play(board, program, data)
    assert lines[:2] == ["400 PREPARED 1820", "7680 RUNNING 0 None"]
    assert lines[2:] == ["True 0 None", "0"]
    assert recording.first_difference(frames(data)) is None


def test_write_never_sleeps(board):
    program = """
out = card.output()
out.setblocking(False)
start = time.ticks_us()
n = out.write(data)
none = out.write(data)
print(n, none, time.ticks_diff(time.ticks_us(), start) < 7000)
out.setblocking(True)
start = time.ticks_us()
print(out.write(data), time.ticks_diff(time.ticks_us(), start) > 400000)
out.close()
"""
    data = noise(4 * 24000)
    lines, recording = play(board, program, data)
    assert lines == ["7680 None True", f"{len(data)} True"]
    assert recording.first_difference(frames(data[:7680] + data)) is None


def test_write_to_a_paused_stream(board):
    program = """
out = card.output()
out.setblocking(False)
n = out.write(data)
out.pause()
print(out.write(data[n:]), out.write(data[n:]))
time.sleep_ms(100)
print(out.write(data[n:]), out.state)
out.resume()
out.setblocking(True)
out.write(data[n:])
out.close()
"""
    data = noise(4 * 24000)
    lines, recording = play(board, program, data)
    assert lines == ["None None", "None PAUSED"]
    assert recording.first_difference(frames(data)) is None


def test_every_command_may_come_twice(board):
    program = """
out = card.output()
for part in range(0, len(data), 19200):
    out.write(data[part : part + 19200])
    for command in out.start, out.stop, out.pause, out.resume, out.start:
        command()
        command()
    print(out.state)
out.drain()
out.drain()
for _ in "12":
    out.write(data[:4])
    out.drop()
    out.drop()
out.close()
out.close()
print(out.state)
"""
    data = noise(10 * 19200)
    lines, recording = play(board, program, data)
    assert lines == 10 * ["RUNNING"] + ["CLOSED"]
    assert recording.first_difference(frames(data)) is None


def test_a_part_of_a_frame_is_refused_before_anything_is_taken(board):
    program = """
out = card.output()
out.setblocking(False)
try:
    out.write(data[:403])
except ValueError as e:
    print(e)
print(out.delay(), out.write(data[:400]))
out.close()
"""
    data = noise(800)
    lines, recording = play(board, program, data)
    assert lines == ["403 bytes are no whole frames of 4 bytes", "0 400"]
    assert recording.first_difference(frames(data[:400])) is None


def test_readinto_takes_what_there_is(board):
    program = """
mic = card.input()
mic.setblocking(False)
parts = bytearray()
buf = bytearray(5000 * 4)
tell("%s %s" % (mic.readinto(buf), mic.state))
whole = True
while len(parts) < 80000:
    n = mic.readinto(buf)
    if n:
        parts += buf[:n]
        whole = whole and n % 1920 == 0
    time.sleep_ms(3)
tell(parts)
tell(str(whole))
time.sleep_ms(20)
tell(mic.read(400))
mic.close()
"""
    heard = noise(200000)
    first, parts, whole, more = record(board, program, heard)
    assert (first, whole) == (b"None RUNNING", b"True")
    assert len(parts) >= 80000
    assert heard.startswith(parts + more)
    assert len(more) == 400


# select.poll


def test_poll_an_output(board):
    program = """
out = card.output()
poller = select.poll()
poller.register(out, select.POLLOUT)
def poll(ms):
    start = time.ticks_us()
    flags = [flags for stream, flags in poller.poll(ms)]
    return flags, since(start)

print("empty", poll(1000))
at = 0
for _ in range(4):
    at += out.write(data[at : at + 1920])
print("full", out.state)
flags, ms = poll(1000)
print("begun", flags, 10 < ms < 30, out.state)
while poll(0)[0]:
    at += out.write(data[at : at + 1920])
print("soon", poll(2)[0])
out.pause()
flags, ms = poll(300)
print("paused", flags, 300 <= ms < 302)
out.resume()
while at < len(data):
    flags, ms = poll(1000)
    assert flags == [select.POLLOUT] and ms < 30
    at += out.write(data[at : at + 1920])
print(out.xruns)
out.drain()
print("drained", poll(1000))
out.close()
print("closed", poll(1000))
"""
    data = noise(1920 * 50)
    lines, recording = play(board, program, data)
    assert lines == [
        "empty ([4], 0)",
        "full PREPARED",
        "begun [4] True RUNNING",
        "soon []",
        "paused [] True",
        "0",
        "drained ([4], 0)",
        "closed ([32], 0)",
    ]
    assert recording.first_difference(frames(data)) is None


def test_poll_an_input(board):
    program = """
mic = card.input()
poller = select.poll()
poller.register(mic, select.POLLIN)
print(poller.poll(0), mic.state)  # recording begins
start = time.ticks_us()
(stream, flags), = poller.poll(1000)
print(stream is mic, flags, 5 < since(start) < 40)
buf = bytearray(1920)
for _ in range(100):
    assert len(poller.poll(30)) == 1
    assert mic.readinto(buf) == 1920
print(980 < since(start) < 1020, mic.xruns)
mic.pause()
mic.setblocking(False)
while poller.poll(0):
    mic.readinto(buf)
start = time.ticks_us()
print(poller.poll(200), 200 <= since(start) < 202, mic.state)
mic.resume()
print(len(poller.poll(1000)))
mic.drain()
while mic.readinto(buf):
    pass
print(len(poller.poll(1000)), mic.readinto(buf))  # ready, to tell the end
mic.close()
(stream, flags), = poller.poll(1000)
print(flags)
"""
    result = run(board, START + program, files={"data": b""}, audio="none")
    assert result.output.splitlines() == [
        "[] RUNNING",
        "True 1 True",
        "True 0",
        "[] True PAUSED",
        "1",
        "1 0",
        "32",
    ]


def test_poll_both(board):
    program = """
out, mic = card.output(), card.input()
poller = select.poll()
poller.register(out, select.POLLOUT)
poller.register(mic, select.POLLIN)
for stream in out, mic:
    stream.setblocking(False)
written = read = 0
buf = bytearray(len(data))
view = memoryview(buf)
while written < len(data) or read < len(data):
    for stream, flags in poller.ipoll(1000):
        if flags == select.POLLOUT:
            written += stream.write(data[written : written + 3000]) or 0
            if written == len(data):
                poller.unregister(out)
        else:
            assert flags == select.POLLIN
            read += stream.readinto(view[read : read + 5000]) or 0
out.close()
mic.close()
tell(buf)
"""
    data, heard = noise(100000), noise(100000, 9)
    result = run(board, START + program, heard, files={"data": data})
    assert told(result) == [heard]
    assert result.played[: len(data)] == data
    assert not any(result.played[len(data) :])
