# SPDX-License-Identifier: MIT
# write() with copy, 100 periods in one call, from the heap: from the start on, once more after the
# program took its time (it then goes on with another slot of the ring first), bytes of heap, and
# once from an odd address.
import gc
from time import sleep_ms, ticks_cpu, ticks_diff
import sound
import vsnd


def measure(write):
    start = ticks_cpu()
    write(samples)
    write(samples)
    write(samples)
    return ticks_diff(ticks_cpu(), start)


def allocated(write):
    gc.collect()
    gc.disable()
    before = gc.mem_alloc()
    measure(write)
    return gc.mem_alloc() - before


samples = bytes(sound.samples())
unaligned = memoryview(b"\0" + samples)[1:]
with vsnd.open().output() as out:
    out.write(samples)
    print("instructions", measure(out.write))
    while out.delay() != 3 * 480:
        sleep_ms(1)
    out.write(samples)
    print("later_instructions", measure(out.write))
    print("bytes", allocated(out.write))
    samples = unaligned
    out.write(samples)
    print("unaligned_instructions", measure(out.write))
    print("xruns", out.xruns)
