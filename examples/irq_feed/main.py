# SPDX-License-Identifier: MIT
"""Plays from a callback while the program does something else, as one does with machine.I2S.

    make run-qemu ROM=examples/irq_feed
"""

from array import array
import time
import vsnd


def sawtooth():
    """Two seconds of S16, stereo, at 48 kHz: 160 Hz on the left side, 120 Hz on the right one."""
    cycle = array("h")
    for n in range(1200):
        cycle.extend(array("h", (40 * (n % 300) - 6000, 30 * (n % 400) - 6000)))
    return memoryview(bytes(cycle) * 80)


def feed(out):
    """Writes as much as there is room for. Called when the device has taken something."""
    global at
    while at < len(sound):
        n = out.write(sound[at:])
        if n is None:
            return
        at += n


sound = sawtooth()
at = 0
out = vsnd.open().output()
out.setblocking(False)
out.irq(feed)
feed(out)  # until nothing goes in any more, which starts it

while at < len(sound):
    print("%d %%" % (100 * at // len(sound)))
    time.sleep_ms(250)

out.irq(None)
out.drain()
out.close()
