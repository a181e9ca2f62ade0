# SPDX-License-Identifier: MIT
"""The embedded tone: a rising C major chord, S16 stereo, 48 kHz.

The formula, for frame n of note k (frequency f, N frames, all integers):

    envelope = min(1, n / FADE, (N - 1 - n) / FADE)
    left     = floor(AMPLITUDE * envelope * sin(2 pi f n / RATE) + 1/2)
    right    = floor(AMPLITUDE * envelope * sin(2 pi (f * 3 // 2) n / RATE) + 1/2)

The right channel sounds a fifth higher, so that exchanged or doubled channels
are noticed. Run as ``python -m virtboard.tone FILE`` it writes the Python module
that the firmware freezes.
"""

import math
import struct
import sys

RATE = 48000  # Hz
AMPLITUDE = 12000  # of 32767
FADE = 240  # frames, 5 ms
NOTES = ((262, 9600), (330, 9600), (392, 9600), (524, 19300))  # (Hz, frames)


def frames():
    """Yield (left, right) for every frame of the tone."""
    for frequency, length in NOTES:
        for n in range(length):
            envelope = min(1.0, n / FADE, (length - 1 - n) / FADE)
            yield tuple(
                math.floor(AMPLITUDE * envelope * math.sin(2 * math.pi * f * n / RATE) + 0.5)
                for f in (frequency, frequency * 3 // 2)
            )


def main(path):
    """Write the module `_tone_data` to path: RATE (Hz) and DATA (S16 stereo bytes)."""
    data = b"".join(struct.pack("<hh", *frame) for frame in frames())
    with open(path, "w", encoding="ascii") as f:
        f.write(f"RATE = {RATE}\nDATA = {data!r}\n")


if __name__ == "__main__":
    main(sys.argv[1])
