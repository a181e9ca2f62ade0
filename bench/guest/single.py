# SPDX-License-Identifier: MIT
# write() with copy, one period in each call, from the heap.
from time import ticks_cpu, ticks_diff
import vsnd


def play(write, samples, times):
    for _ in range(times):
        write(samples)


samples = bytes(480 * 4)
with vsnd.open().output() as out:
    play(out.write, samples, 100)
    start = ticks_cpu()
    play(out.write, samples, 300)
    spent = ticks_diff(ticks_cpu(), start)
    print("instructions", spent)
    print("xruns", out.xruns)
