# SPDX-License-Identifier: MIT
# awrite() of 100 periods a call, one task to each output of the card, and bytes of heap. Each
# output plays samples of its own.
import asyncio
import gc
from time import ticks_cpu, ticks_diff
import sound
import vsnd


async def play(out, samples, times):
    for _ in range(times):
        await out.awrite(samples)


async def measure(outs, times):
    tasks = [play(out, sound.samples(n), times) for n, out in enumerate(outs)]
    start = ticks_cpu()
    await asyncio.gather(*tasks)
    return ticks_diff(ticks_cpu(), start)


async def allocated(outs):
    gc.collect()
    gc.disable()
    before = gc.mem_alloc()
    await measure(outs, 3)
    return gc.mem_alloc() - before


async def main():
    card = vsnd.open()
    outs = [card.output() for stream in card.streams if stream.direction == 0]
    await measure(outs, 1)
    print("instructions", await measure(outs, 3))
    print("xruns", sum(out.xruns for out in outs))
    print("bytes", await allocated(outs))
    for out in outs:
        await out.adrain()


asyncio.run(main())
