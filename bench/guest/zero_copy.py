# SPDX-License-Identifier: MIT
# write(copy=False), 100 periods in one call, from the firmware image.
from time import ticks_cpu, ticks_diff
import vsnd
import _tone_data

samples = memoryview(_tone_data.DATA)[: 100 * 480 * 4]
with vsnd.open().output() as out:
    write = out.write
    write(samples, False)
    start = ticks_cpu()
    write(samples, False)
    write(samples, False)
    write(samples, False)
    spent = ticks_diff(ticks_cpu(), start)
    print("instructions", spent)
    print("xruns", out.xruns)
