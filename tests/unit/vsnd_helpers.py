# SPDX-License-Identifier: MIT
"""What the tests of modules/vsnd share."""

import functools

import pytest

LIFE = ["SET_PARAMS", "PREPARE", "START", "STOP", "RELEASE"]


def hexed(text):
    return bytes.fromhex(text)


def pattern(out, periods=1, extra=0):
    """So many periods, and `extra` frames."""
    return _pattern(periods * out.period_bytes + extra * out.frame_bytes)


@functools.cache
def _pattern(n):
    return bytes((7 * i + i // 251) & 0xFF for i in range(n))


def stream(rig, id=0):
    return rig.sound.streams[id]


def refusal(error, call, *arguments, **named):
    """The message of the OSError(error) that the call raises."""
    with pytest.raises(OSError) as caught:
        call(*arguments, **named)
    assert caught.value.errno == error, caught.value
    return caught.value.strerror


def play(rig, card, sizes, **parameters):
    """Write so many frames at a time; return the bytes and the Output."""
    out = card.output(**parameters)
    assert out.state == "PREPARED"
    data = pattern(out, 0, sum(sizes))
    at = 0
    for frames in sizes:
        n = frames * out.frame_bytes
        assert out.write(data[at : at + n]) == n
        at += n
    return data, out
