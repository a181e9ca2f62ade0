# SPDX-License-Identifier: MIT
"""Prints what the device tells by itself: jacks, underruns, controls, a new configuration.

QEMU's own card never does. The strict device (docs/device.md) does, here in another terminal:

    PYTHONPATH=host .venv/bin/python -m virtsnd /tmp/snd
    make run-qemu ROM=examples/events DEVICE=/tmp/snd
"""

import asyncio
import vsnd

SECONDS = 5


async def tell(events):
    async for event in events:
        print("%s: %r" % (event.name, event.item))
        if event.name == "CTL_NOTIFY":
            print("  value:", event.item.read())


async def main():
    card = vsnd.open()
    print(card)
    telling = asyncio.create_task(tell(card.events))
    async with card.output() as out:
        await out.awrite(bytes(10 * out.period_bytes))
        await asyncio.sleep(SECONDS)  # nothing more comes: an underrun
    telling.cancel()
    print("events that nobody fetched:", card.events.lost)


asyncio.run(main())
