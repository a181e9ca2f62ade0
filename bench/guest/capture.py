# SPDX-License-Identifier: MIT
# readinto(), 100 periods in one call, and one period in each, and bytes of heap. What is heard
# should be sound.samples(), again and again. To compare takes so long that the ring gets full.
import gc
from time import ticks_cpu, ticks_diff
import sound
import vsnd


def read(parts, times):
    start = ticks_cpu()
    for _ in range(times):
        for part in parts:
            readinto(part)
    return ticks_diff(ticks_cpu(), start)


def measure(name, parts):
    read(parts, 1)
    xruns = mic.xruns
    print(name, read(parts, 3))
    return mic.xruns - xruns, heard != sound.samples()


def allocated(parts):
    gc.collect()
    gc.disable()
    read(parts, 1)
    before = gc.mem_alloc()
    read(parts, 3)
    return gc.mem_alloc() - before


heard = bytearray(sound.BYTES)
view = memoryview(heard)
periods = [view[at : at + 480 * 4] for at in range(0, len(heard), 480 * 4)]
mic = vsnd.open().input()
readinto = mic.readinto
xruns, wrong = measure("instructions", [heard])
xruns_single, wrong_single = measure("single_instructions", periods)
print("xruns", xruns + xruns_single)
print("wrong", wrong + wrong_single)
print("bytes", allocated(periods))
mic.close()
