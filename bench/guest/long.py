# SPDX-License-Identifier: MIT
# write() with copy, 100 periods in one call, from the heap: from the start on, and once more after
# the program took its time. It then goes on with another slot of the ring first.
from time import sleep_ms, ticks_cpu, ticks_diff
import vsnd


def measure(write):
    start = ticks_cpu()
    write(samples)
    write(samples)
    write(samples)
    return ticks_diff(ticks_cpu(), start)


samples = bytes(100 * 480 * 4)
with vsnd.open().output() as out:
    out.write(samples)
    print("instructions", measure(out.write))
    while out.delay() != 3 * 480:
        sleep_ms(1)
    out.write(samples)
    print("later_instructions", measure(out.write))
    print("xruns", out.xruns)
