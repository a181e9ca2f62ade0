# SPDX-License-Identifier: MIT
"""Plays what the microphone hears, for ten seconds, 40 ms later.

    make run-qemu ROM=examples/loopback STREAMS=2 AUDIO=pa
"""

import vsnd

SECONDS = 10

card = vsnd.open()
with card.input() as mic, card.output(periods=8) as out:
    buf = bytearray(mic.period_bytes)
    for _ in range(4):
        out.write(buf)  # silence, so that a period that comes late is no underrun
    for _ in range(SECONDS * mic.rate // mic.period):
        mic.readinto(buf)
        out.write(buf)
