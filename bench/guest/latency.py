# SPDX-License-Identifier: MIT
# How long from write() to the place of its first sample in the recording. The recording's time
# begins with START. First with an empty ring, where write() is followed by START; then with one
# that silence keeps full. The host finds the samples in the recording.
from time import ticks_diff, ticks_us
import sound
import vsnd

SILENCE = bytes(4 * 480 * 4)
with vsnd.open().output() as out:
    begin = ticks_us()
    out.write(sound.samples()[: 4 * 480 * 4])
    out.start()
    start = ticks_us()
    print("first_us", ticks_diff(start, begin))
    for _ in range(10):
        out.write(SILENCE)
    print("write_us", ticks_diff(ticks_us(), start))
    out.write(sound.samples())
    print("xruns", out.xruns)
