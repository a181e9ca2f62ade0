# SPDX-License-Identifier: MIT
"""Two buffers and their tokens: one is filled while the device plays the other.

44.1 kHz, U8, stereo, in periods of 4410 bytes (50 ms); the device's buffer has 8820. Plays every
*.raw file of this folder, or without one a chord of three seconds.

    make run-qemu ROM=examples/thesis_demo RATE=44100
"""

import io
import os
import vsnd

PERIOD_BYTES = 4410


def triangle(n, cycle):
    """Sample n, U8, of a triangle wave that takes `cycle` frames: 68 to 188 and back."""
    return 68 + 240 * min(n % cycle, -n % cycle) // cycle


def chord():
    """A second of 441 Hz on the left side and 294 Hz on the right one."""
    cycle = bytearray(2 * 300)
    for n in range(300):
        cycle[2 * n] = triangle(n, 100)
        cycle[2 * n + 1] = triangle(n, 150)
    return bytes(cycle) * 147


def play(out, source):
    """Plays all that source.readinto() gives."""
    buffers = [bytearray(PERIOD_BYTES), bytearray(PERIOD_BYTES)]
    tokens = [None, None]
    turn = 0
    while True:
        if tokens[turn] is not None:
            out.xfer_ok(tokens[turn])  # the device needs this buffer no more
        n = source.readinto(buffers[turn])
        if not n:
            break
        tokens[turn] = out.xfer_nb(memoryview(buffers[turn])[:n], copy=False)
        turn = 1 - turn


names = sorted([name for name in os.listdir("/rom") if name.endswith(".raw")])
sources = [open("/rom/" + name, "rb") for name in names] or [io.BytesIO(chord() * 3)]

# This sends PCM_SET_PARAMS and PCM_PREPARE; start() sends PCM_START.
out = vsnd.open().output(
    rate=44100, channels=2, format=vsnd.U8, period=PERIOD_BYTES // 2, periods=2
)
out.start()
for source in sources:
    play(out, source)
out.drain()  # all has been heard: PCM_STOP, PCM_RELEASE
print("%d frames, %d underruns" % (out.position(), out.xruns))
out.close()
