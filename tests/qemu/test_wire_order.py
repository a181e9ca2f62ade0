# SPDX-License-Identifier: MIT
"""What the device is asked, and in which order: as Linux asks it, seen in QEMU's own trace.

QEMU accepts any order and any repetition, so that only a look at the wire tells.
"""

import re

import pytest

# A line of the trace, and the word for it here. In lower case: what may follow itself, and then
# counts as one.
TRACE = [
    (r"virtio_snd_handle_code ctrl code msg .* == VIRTIO_SND_R_(?:PCM_(?!INFO))?(\w+)", r"\1"),
    (r"virtio_snd_handle_tx_xfer .*", "tx"),
    (r"virtio_snd_handle_rx_xfer .*", "rx"),
    (r"virtio_set_status vdev \S+ val 0", "reset"),
]
NONE = {"audio": "none", "streams": 2}
OPEN = "PCM_INFO SET_PARAMS PREPARE"  # what comes before the first sample

START = """
import vsnd
card = vsnd.open()
period = bytes(480 * 4)
"""


def wire(board, program, **options):
    """The words for all from the first request on."""
    trace = ["-trace", "virtio_snd_*", "-trace", "virtio_set_status"]
    result = board.run(START + program, extra=trace, **options)
    assert result.status == 0
    words = []
    for line in result.errors.splitlines():
        for pattern, word in TRACE:
            match = re.fullmatch(pattern, line)
            if match and not (word.islower() and words[-1:] == [word]):
                words.append(match.expand(word))
    return " ".join(words[words.index("PCM_INFO") :])


def test_a_short_play(board):
    program = "with card.output() as out: out.write(period)"
    assert wire(board, program) == f"{OPEN} tx START STOP RELEASE"


def test_a_long_play(board):
    program = """
with card.output() as out:
    for _ in range(20): out.write(period)
"""
    assert wire(board, program) == f"{OPEN} tx START tx STOP RELEASE"


def test_a_play_in_one_piece(board):
    # The ring is full when the stream starts, as Linux' start threshold has it.
    program = "with card.output() as out: out.write(20 * period)"
    assert wire(board, program) == f"{OPEN} tx START tx STOP RELEASE"


def test_no_play(board):
    assert wire(board, "with card.output(): pass") == f"{OPEN} RELEASE"


def test_pause_and_resume(board):
    program = """
with card.output() as out:
    for _ in range(3):
        out.write(5 * period)
        out.pause()
        out.pause()
        out.resume()
        out.resume()
"""
    once = "tx STOP START"
    assert wire(board, program) == f"{OPEN} tx START {once} {once} {once} STOP RELEASE"


def test_drain_of_a_paused_stream(board):
    program = """
with card.output() as out:
    out.write(5 * period)
    out.pause()
"""
    assert wire(board, program) == f"{OPEN} tx START tx STOP START STOP RELEASE"


def test_drain_and_play_again(board):
    program = """
with card.output() as out:
    for _ in range(3):
        out.write(period)
        out.drain()
"""
    again = "PREPARE tx START STOP RELEASE"
    assert wire(board, program) == f"PCM_INFO SET_PARAMS {again} {again} {again}"


def test_open_and_play_again(board):
    program = """
for rate in (48000, 8000):
    with card.output(rate) as out: out.write(period)
"""
    again = "SET_PARAMS PREPARE tx START STOP RELEASE"
    assert wire(board, program) == f"PCM_INFO {again} {again}"


def test_drop_while_playing(board):
    program = """
out = card.output()
out.write(5 * period)
out.drop()
out.drop()
out.write(period)
out.drop()
out.close()
"""
    assert wire(board, program) == f"{OPEN} tx START tx STOP RELEASE PREPARE tx RELEASE"


def test_drop_of_a_paused_stream(board):
    program = """
out = card.output()
out.write(5 * period)
out.pause()
out.drop()
out.close()
"""
    assert wire(board, program) == f"{OPEN} tx START tx STOP RELEASE"


def test_an_exception_while_playing(board):
    program = """
try:
    with card.output() as out:
        out.write(5 * period)
        1 / 0
except ZeroDivisionError:
    pass
"""
    assert wire(board, program) == f"{OPEN} tx START tx STOP RELEASE"


def test_the_card_is_closed_while_playing(board):
    # As before a soft reboot. QEMU would play after the reset what was not given back before.
    program = """
out = card.output()
out.write(5 * period)
card.close()
vsnd.open()
"""
    assert wire(board, program) == f"{OPEN} tx START tx STOP RELEASE reset PCM_INFO"


def test_a_capture(board):
    # Every buffer is queued before the stream starts, as Linux does it.
    program = "with card.input() as mic: mic.readinto(bytearray(320 * 10))"
    order = wire(board, program, **NONE)
    assert order == f"{OPEN} rx START rx STOP RELEASE"


def test_no_capture(board):
    program = "with card.input() as mic: pass"
    assert wire(board, program, **NONE) == f"{OPEN} RELEASE"


def test_pause_and_drain_of_a_capture(board):
    program = """
with card.input() as mic:
    mic.readinto(bytearray(1920))
    mic.pause()
    mic.resume()
    mic.drain()
    mic.prepare()
    mic.readinto(bytearray(1920))
"""
    order = wire(board, program, **NONE)
    assert order == f"{OPEN} rx START rx STOP START STOP RELEASE PREPARE rx START rx STOP RELEASE"


@pytest.mark.parametrize(
    "legal, illegal, order",
    [
        ("release", "start stop release", "RELEASE"),
        ("", "stop", "RELEASE"),
        ("start", "set_params prepare start release", "START STOP RELEASE"),
        ("start stop", "set_params prepare stop", "START STOP RELEASE"),
        ("close", "set_params prepare start stop release", "RELEASE"),
    ],
)
def test_what_is_refused_is_not_asked(board, legal, illegal, order):
    program = f"""
out = card.output()
for name in {legal.split()}:
    getattr(out, name)()
for name in {illegal.split()}:
    try:
        getattr(out, name)()
        print(name)
    except OSError as e:
        assert name in e.args[1] and out.state in e.args[1]
out.drop()
out.close()
"""
    assert wire(board, program) == f"{OPEN} {order}"
