# SPDX-License-Identifier: MIT
# write() with copy, one period a call, with a garbage collection after the 100th of 200 periods,
# and LIVE bytearrays of 1 KB in use. Of all periods, the one that cost most, and the longest time
# from one to the next. COLLECT is False for the same without a collection.
import gc
from time import ticks_cpu, ticks_diff, ticks_us
from constants import COLLECT, LIVE
import sound
import vsnd

live = [bytearray(1024) for _ in range(LIVE)]


def nothing():
    pass


def play(write, first, last, pause):
    worst = gap = 0
    before, before_us = ticks_cpu(), ticks_us()
    for n in range(first, last):
        write(periods[n])
        now, now_us = ticks_cpu(), ticks_us()
        worst = max(worst, ticks_diff(now, before))
        gap = max(gap, ticks_diff(now_us, before_us))
        before, before_us = now, now_us
        if n == 149:
            pause()
    return worst, gap


def took(pause):
    start, start_us = ticks_cpu(), ticks_us()
    pause()
    return ticks_diff(ticks_cpu(), start), ticks_diff(ticks_us(), start_us)


periods = [sound.samples()[at : at + 480 * 4] for at in range(0, sound.BYTES, 480 * 4)] * 3
with vsnd.open().output() as out:
    gc.collect()
    print("collection %d\ncollection_us %d" % took(gc.collect))
    play(out.write, 0, 50, nothing)
    print("worst %d\ngap_us %d" % play(out.write, 50, 250, gc.collect if COLLECT else nothing))
    print("xruns", out.xruns)
    play(out.write, 250, 300, nothing)
