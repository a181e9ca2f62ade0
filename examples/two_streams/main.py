# SPDX-License-Identifier: MIT
"""Two streams of one card at once, each in a task of its own. QEMU adds them up.

    make run-qemu ROM=examples/two_streams STREAMS=3
"""

import asyncio
import gc
from array import array
import vsnd


def triangle(cycle, peak):
    """0.1 s of a triangle wave that takes `cycle` frames: S16, stereo, 48 kHz, +-peak."""
    wave = array("h")
    for n in range(cycle):
        sample = 4 * peak * min(n, cycle - n) // cycle - peak
        wave.extend(array("h", (sample, sample)))
    return bytes(wave) * (4800 // cycle)  # little to look through for a garbage collection


async def play(card, wave, wait_ms):
    await asyncio.sleep_ms(wait_ms)
    async with card.output() as out:
        for _ in range(20):
            await out.awrite(wave)
        print("stream %d: %d underruns" % (out.stream.id, out.xruns))


async def main():
    card = vsnd.open()
    low, high = triangle(200, 9000), triangle(150, 7000)
    gc.collect()  # or that would come while they play, when opening the second takes its time too
    await asyncio.gather(play(card, low, 0), play(card, high, 500))


asyncio.run(main())
