# SPDX-License-Identifier: MIT
"""Plays, records and computes at the same time: three tasks.

For three seconds it plays a triangle wave, tells how loud the microphone is, and looks for primes.

    make run-qemu ROM=examples/asyncio_duplex STREAMS=2 AUDIO=pa

With AUDIO=none nothing is heard, and silence recorded.
"""

import asyncio
from array import array
import vsnd

SECONDS = 3
RATE = 48000
TENTH = RATE // 10


def triangle():
    """A tenth of a second of a triangle wave: S16, stereo, 480 Hz, from -6000 to 6000."""
    cycle = array("h")
    for n in range(100):
        sample = 240 * min(n, 100 - n) - 6000
        cycle.extend(array("h", (sample, sample)))
    return bytes(cycle) * 48


async def play(card):
    wave = triangle()
    async with card.output(RATE, 2, vsnd.S16) as out:
        for _ in range(SECONDS * 10):
            await out.awrite(wave)
        print("underruns:", out.xruns)


async def record(card):
    buf = array("h", bytes(2 * TENTH))
    async with card.input(RATE, 1, vsnd.S16) as mic:
        for n in range(SECONDS * 10):
            await mic.areadinto(buf)
            print("%.1f s: peak %d" % (n / 10, max(max(buf), -min(buf))))


async def look_for_primes(found):
    n = 2
    while True:
        if all(n % prime for prime in found):
            found.append(n)
        n += 1
        await asyncio.sleep_ms(0)  # to the others


async def main():
    card = vsnd.open()
    primes = []
    looking = asyncio.create_task(look_for_primes(primes))
    await asyncio.gather(play(card), record(card))
    looking.cancel()
    print("primes up to %d: %d" % (primes[-1], len(primes)))


asyncio.run(main())
