# SPDX-License-Identifier: MIT
# How long a garbage collection takes: right after boot, and with 1 MB in use.
import gc
from time import ticks_cpu, ticks_diff, ticks_us


def measure(name):
    gc.collect()
    begin, start = ticks_us(), ticks_cpu()
    gc.collect()
    spent, time = ticks_diff(ticks_cpu(), start), ticks_diff(ticks_us(), begin)
    print(name + "_instructions", spent)
    print(name + "_us", time)


measure("idle")
blocks = [bytearray(1024) for _ in range(1024)]
measure("megabyte")
