# SPDX-License-Identifier: MIT
# write() with copy, one period in each call, to all outputs of the card in turn, and bytes of
# heap. Each output plays samples of its own. They are started together, once all rings are full:
# else the first would wait for room, and have nothing left when the last one has started.
import gc
from time import ticks_cpu, ticks_diff
import sound
import vsnd


def play(turns, times):
    start = ticks_cpu()
    for _ in range(times):
        for write, period in turns:
            write(period)
    return ticks_diff(ticks_cpu(), start)


def allocated(turns):
    gc.collect()
    gc.disable()
    before = gc.mem_alloc()
    play(turns, 3)
    return gc.mem_alloc() - before


card = vsnd.open()
outs = [card.output() for stream in card.streams if stream.direction == 0]
turns = []
for at in range(0, sound.BYTES, 480 * 4):
    for n, out in enumerate(outs):
        turns.append((out.write, sound.samples(n)[at : at + 480 * 4]))
full = len(outs) * outs[0].periods
play(turns[:full], 1)
for out in outs:
    out.start()
play(turns[full:], 1)
print("instructions", play(turns, 3))
print("xruns", sum(out.xruns for out in outs))
print("bytes", allocated(turns))
for out in outs:
    out.drain()
