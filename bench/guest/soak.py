# SPDX-License-Identifier: MIT
# Plays noise, one period in each call, and tells how it went; soak.py gives the settings.
from time import ticks_diff, ticks_us
from settings import PERIOD, PERIODS, REPORT, TO_THE_END, TOTAL
import vsnd

FRAME = 4  # bytes, S16 stereo


def play(write, noise, at, periods):
    # From byte `at` of the noise, again and again; the longest time in one call, in us.
    n = PERIOD * FRAME
    end = len(noise)
    longest = 0
    for _ in range(periods):
        start = ticks_us()
        write(noise[at : at + n])
        longest = max(longest, ticks_diff(ticks_us(), start))
        at += n
        if at == end:
            at = 0
    return longest, at


with open("/rom/noise.raw", "rb") as file:
    noise = memoryview(file)
    out = vsnd.open().output(period=PERIOD, periods=PERIODS)
    left = TOTAL
    at = longest = 0
    while left:
        some = min(left, REPORT)
        late, at = play(out.write, noise, at, some)
        longest = max(longest, late)
        left -= some
        print("played", TOTAL - left, out.xruns, longest)
        if out.xruns and not TO_THE_END:
            break
    out.close()
