# SPDX-License-Identifier: MIT
"""xfer(), xfer_nb() and xfer_ok(): one period at a time, each with a token."""

import pytest
from feed import noise, run
from test_nonblocking import START, play
from two_cards import frames, stereo

REFUSED = """
def refused(error, call, *arguments):
    try:
        print("no refusal", call(*arguments))
    except error as e:
        print(e)
"""


@pytest.mark.parametrize("periods", [2, 3, 4, 16])
@pytest.mark.parametrize("copy", [True, False])
def test_one_ahead(board, periods, copy):
    # All periods but one are always queued, and the one that comes back is filled again.
    program = f"""
out = card.output(periods={periods})
out.start()
tokens = []
for at in range(0, len(data), 1920):
    if len(tokens) == {periods}:
        out.xfer_ok(tokens.pop(0))
    tokens.append(out.xfer_nb(data[at : at + 1920], copy={copy}))
for token in tokens:
    out.xfer_ok(token)
print(out.delay(), out.position(), len(set(tokens)))
out.close()
"""
    data = noise(50 * 1920 - 400)  # the last one is padded
    lines, recording = play(board, program, data)
    assert lines == [f"0 {50 * 480} {periods}"]
    assert recording.first_difference(frames(data)) is None


def test_a_buffer_may_be_changed_once_its_token_is_ok(board):
    program = """
out = card.output(periods=2)
buffers = [bytearray(1920), bytearray(1920)]
tokens = [None, None]
for i in range(len(data) // 1920):
    buf = buffers[i & 1]
    if tokens[i & 1] is not None:
        out.xfer_ok(tokens[i & 1])
    buf[:] = data[i * 1920 : i * 1920 + 1920]
    tokens[i & 1] = out.xfer_nb(buf, copy=False)
out.close()
"""
    data = noise(50 * 1920)
    _, recording = play(board, program, data)
    assert recording.first_difference(frames(data)) is None


def test_ok_means_taken_by_the_device(board):
    program = """
out = card.output(period=4800)
start = time.ticks_us()
tokens = [out.xfer_nb(data[:19200]) for _ in range(4)]
print(since(start) < 20, out.state, out.position(), out.delay())
for token in (tokens[1], tokens[0], tokens[3], tokens[3], tokens[2]):
    out.xfer_ok(token)
    print(out.position() // 4800, out.state)
print(since(start) > 250)
out.close()
"""
    data = noise(19200)
    lines, recording = play(board, program, data)
    assert lines == [
        "True PREPARED 0 19200",
        "2 RUNNING",
        "2 RUNNING",
        "4 XRUN",
        "4 XRUN",
        "4 XRUN",
        "True",
    ]
    assert recording.first_difference(frames(4 * data)) is None


def test_transfers_that_are_refused(board):
    program = f"""{REFUSED}
out = card.output()
first = out.xfer_nb(data[:1920])
for size in (0, 1924, 3):
    refused(ValueError, out.xfer_nb, data[:size])
for token in (first - 1, first + 1):
    refused(ValueError, out.xfer_ok, token)
for at in (1920, 3840, 5760):
    last = out.xfer_nb(data[at : at + 1920])
refused(OSError, out.xfer_nb, data[:1920])
print(out.delay(), out.state)
out.xfer_ok(last)
out.write(data[:400])
refused(ValueError, out.xfer_nb, data[:1920])
out.drain()
refused(ValueError, out.xfer_ok, last + 2)
out.xfer_ok(last)
out.write(data[:1920])
refused(ValueError, out.xfer_ok, last)
out.drop()
out.close()
refused(OSError, out.xfer_nb, data[:1920])
refused(OSError, out.xfer, data[:1920])
"""
    data = noise(4 * 1920)
    lines, recording = play(board, program, data)
    assert lines == [
        "a transfer of 0 bytes after 0 of a period: want 1..1920 after 0",
        "a transfer of 1924 bytes after 0 of a period: want 1..1920 after 0",
        "3 bytes are no whole frames of 4 bytes",
        "no transfer has the token -1",
        "no transfer has the token 1",
        "[Errno 11] EAGAIN: stream 0: all periods are queued: xfer_ok()",
        "1920 PREPARED",
        "a transfer of 1920 bytes after 400 of a period: want 1..1920 after 0",
        "no transfer has the token 5",
        "no transfer has the token 3",
        "[Errno 1] EPERM: xfer_nb in state CLOSED: allowed in SETUP PREPARED RUNNING PAUSED",
        "[Errno 1] EPERM: write in state CLOSED: allowed in PREPARED RUNNING PAUSED",
    ]
    assert recording.first_difference(frames(data + data[:400])) is None


def test_a_transfer_in_a_paused_stream(board):
    program = f"""{REFUSED}
out = card.output(period=4800)
tokens = [out.xfer_nb(data) for _ in range(3)]
out.xfer_ok(tokens[0])
out.pause()
tokens.append(out.xfer_nb(data))
start = time.ticks_us()
refused(OSError, out.xfer_ok, tokens[3])
print(1400 <= since(start) < 1500)  # four periods and a second
out.resume()
out.xfer_ok(tokens[3])
print(out.position(), out.delay())
out.close()
"""
    data = noise(4800 * 4)
    lines, recording = play(board, program, data)
    assert lines == [
        "[Errno 110] ETIMEDOUT: stream 0, PAUSED, transfer not done",
        "True",
        "19200 0",
    ]
    assert recording.first_difference(frames(4 * data)) is None


def test_tokens_after_a_drop(board):
    program = """
out = card.output(period=4800)
old = [out.xfer_nb(data) for _ in range(4)]
out.xfer_ok(old[0])
out.drop()
for token in old:
    out.xfer_ok(token)  # they are back, though not played
new = [out.xfer_nb(data) for _ in range(3)]
out.xfer_ok(new[2])
print(out.position())
out.close()
"""
    data = noise(4800 * 4)
    lines, recording = play(board, program, data)
    assert lines == ["14400"]
    first = recording.frames - 14400
    assert 0 < first <= 4800 + 1024  # QEMU has begun with the second
    assert recording.first_difference(stereo((2 * data)[: 4 * first] + 3 * data)) is None


def test_tokens_of_a_stream_that_gets_the_queue_for_itself(board):
    # It counts anew then.
    program = """
first, second = card.output(), card.output()
first.xfer(data)
second.xfer(data)
second.close()
first.drain()
first.xfer_ok(first.xfer_nb(data))
first.close()
print(first.position())
"""
    data = noise(1920)
    result = run(board, START + program, files={"data": data}, audio="wav", streams=3)
    assert result.output == "480\n"


@pytest.mark.parametrize("blocking", [True, False])
@pytest.mark.parametrize("length", [1, 480, 481, 1920, 1921, 20000])
def test_xfer_of_any_length(board, length, blocking):
    program = f"""
out = card.output()
out.setblocking({blocking})
for part in (data, data[:4]):
    print(out.xfer(part), out.delay(), out.position())
out.close()
"""
    data = noise(4 * length)
    lines, recording = play(board, program, data)
    padded = (length + 479) // 480 * 480
    assert lines == [f"{4 * length} 0 {padded}", f"4 0 {padded + 480}"]
    wanted = frames(data).tobytes() + frames(data[:4]).tobytes()
    assert recording.first_difference(frames(wanted)) is None


@pytest.mark.parametrize(
    "name, silence", [("U8", b"\x80"), ("S16", b"\0"), ("U16", b"\0\x80"), ("FLOAT", b"\0")]
)
def test_the_rest_of_a_period_is_silence_of_its_format(board, name, silence):
    program = f"""
out = card.output(format=vsnd.{name})
out.xfer_ok(out.xfer_nb(data))
out.xfer(data)
out.close()
"""
    data = noise(400)
    files = {"data": data}
    result = run(board, START + program, files=files, audio="wav", streams=1, raw=True)
    recorded = result.recording.samples.tobytes()
    period = 480 * 2 * {"U8": 1, "FLOAT": 4}.get(name, 2)
    assert recorded == 2 * (data + silence * ((period - 400) // len(silence)))
