# SPDX-License-Identifier: MIT
# write() with copy, half a second a call, at RATE, with CHANNELS and PERIOD frames. QEMU's card
# says that it has two channels at the most, and takes more all the same.
from time import ticks_cpu, ticks_diff
from constants import CHANNELS, PERIOD, RATE
import vsnd

samples = memoryview(open("/rom/samples", "rb"))
card = vsnd.open()
card.streams[0].channels_max = CHANNELS
with card.output(RATE, CHANNELS, period=PERIOD) as out:
    write = out.write
    write(samples)
    start = ticks_cpu()
    write(samples)
    write(samples)
    print("instructions", ticks_diff(ticks_cpu(), start))
    print("xruns", out.xruns)
