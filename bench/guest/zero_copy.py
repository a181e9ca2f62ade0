# SPDX-License-Identifier: MIT
# write(copy=False), 100 periods in one call, from the mapped file, and bytes of heap.
import gc
from time import ticks_cpu, ticks_diff
import sound
import vsnd


def measure(write):
    start = ticks_cpu()
    write(samples, False)
    write(samples, False)
    write(samples, False)
    return ticks_diff(ticks_cpu(), start)


def allocated(write):
    gc.collect()
    gc.disable()
    before = gc.mem_alloc()
    measure(write)
    return gc.mem_alloc() - before


samples = sound.samples()
with vsnd.open().output() as out:
    out.write(samples, False)
    print("instructions", measure(out.write))
    print("xruns", out.xruns)
    print("bytes", allocated(out.write))
