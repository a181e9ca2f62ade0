# SPDX-License-Identifier: MIT
"""Sine tones."""

from array import array
from math import floor, pi, sin
from .player import open_output

_S16 = 5  # VirtIO's number, which vsnd uses

_FADE_MS = 5
# Rounds to the nearest; a half, which turns up at the peaks of a sine, rounds down everywhere,
# whatever the last bit of a platform's sin() is.
_ROUND = 0.49999


def tone(freq, ms, volume=0.5, out=None, rate=48000, channels=2):
    """Play a sine of *freq* Hz for *ms* milliseconds; return when it has been heard.

    *volume* is 0 to 1 of full scale. All channels carry the same, 16 bits signed.

    Without *out* the first output of the first sound card is opened with *rate* (Hz) and
    *channels*, drained and closed. An *out* that is given stays open, and is drained if it can;
    its own rate and channels count if it tells them (machine.I2S does not: pass them).

    The samples, exactly. There are N = round(ms * rate / 1000) frames, and frame n is

        s = floor(volume * 32767 * sin(2 * pi * (freq * n % rate) / rate) + 0.49999)

    except for the first and the last F = min(round(rate * 5 / 1000), N // 2) frames, where it
    fades in and out lest it click: s * min(n, N - 1 - n) // F, in whole numbers. A tone thus
    begins and ends with a sample 0.

    A whole number of Hz repeats after rate // gcd(rate, freq) frames, a second at most. That much
    is computed before the first sample is heard, and then repeated. Any other frequency does not
    repeat: up to a second is computed beforehand, a longer tone while it plays, which takes a
    processor that computes faster than *rate* frames a second.

    ValueError for a frequency that is not above 0 and below rate / 2, negative ms, a volume
    outside 0 to 1, or an output whose format is not S16. TypeError for what is no number.
    """
    for name, value in (("freq", freq), ("ms", ms), ("volume", volume)):
        if not isinstance(value, (int, float)):
            raise TypeError("%s is %r; it must be a number" % (name, value))
    rate = getattr(out, "rate", rate)
    channels = getattr(out, "channels", channels)
    if not 0 < freq < rate / 2:
        raise ValueError("freq is %s Hz; it must be above 0 and below %s" % (freq, rate / 2))
    if not 0 <= ms < float("inf"):
        raise ValueError("ms is %s; it must be 0 or more" % ms)
    if not 0 <= volume <= 1:
        raise ValueError("volume is %s; it must be 0 to 1" % volume)
    if getattr(out, "format", _S16) != _S16:
        raise ValueError("the output has format %s; a tone needs S16 (%d)" % (out.format, _S16))
    if out is None:
        with open_output(rate, channels, _S16) as out:
            return tone(freq, ms, volume, out)

    frames = round(ms * rate / 1000)
    fade = min(round(rate * _FADE_MS / 1000), frames // 2)
    end = frames - fade
    middle = end - fade
    size = max(rate // 50, 1)  # frames at a time: few writes, short pauses between them
    repeats = freq == int(freq)
    if repeats:
        freq = int(freq)
        cycle = rate // _gcd(rate, freq)
        size = -(-size // cycle) * cycle
    elif middle <= rate:
        size = middle
    size = max(min(size, middle), 1)

    # What can be is computed before the first write, so that nothing runs dry.
    amplitude = volume * 32767
    head = _sine(0, fade, freq, rate, amplitude)
    tail = _sine(end, fade, freq, rate, amplitude)
    for k in range(fade):
        head[k] = head[k] * k // fade
        tail[k] = tail[k] * (fade - 1 - k) // fade
    head = _spread(head, channels)
    tail = _spread(tail, channels)
    block = _spread(_sine(fade, size, freq, rate, amplitude), channels)

    write = out.write
    if fade:
        write(head)
    n = fade
    while n + size <= end:
        write(block)
        n += size
        if not repeats and n < end:
            block = _spread(_sine(n, size, freq, rate, amplitude), channels)
    if n < end:
        write(memoryview(block)[: (end - n) * 2 * channels])
    if fade:
        write(tail)
    if hasattr(out, "drain"):
        out.drain()


def _sine(n, count, freq, rate, amplitude):
    # The samples of one channel for count frames from frame n on, not faded.
    samples = array("h", bytes(2 * count))
    step = 2 * pi / rate
    for i in range(count):
        samples[i] = floor(amplitude * sin(step * (freq * (n + i) % rate)) + _ROUND)
    return samples


def _spread(samples, channels):
    # Frames as bytes, each with the same sample in every channel.
    if channels == 1:
        return bytes(samples)
    frames = array("h", bytes(2 * channels * len(samples)))
    for c in range(channels):
        i = c
        for sample in samples:
            frames[i] = sample
            i += channels
    return bytes(frames)


def _gcd(a, b):
    while b:
        a, b = b, a % b
    return a
