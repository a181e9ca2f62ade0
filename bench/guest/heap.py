# SPDX-License-Identifier: MIT
# Bytes of heap that 300 periods allocate, the collector being off.
import gc
import vsnd


def play(write, samples, times):
    for _ in range(times):
        write(samples)


def measure(write, samples):
    play(write, samples, 10)
    gc.collect()
    gc.disable()
    before = gc.mem_alloc()
    play(write, samples, 300)
    after = gc.mem_alloc()
    gc.enable()
    return after - before


samples = bytes(480 * 4)
with vsnd.open().output() as out:
    print("bytes", measure(out.write, samples))
