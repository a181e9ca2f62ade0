# SPDX-License-Identifier: MIT
"""Fades a volume in and out, in decibels, on a card that has controls.

QEMU's own card has none. The strict device (docs/device.md) has, here in another terminal:

    PYTHONPATH=host .venv/bin/python -m virtsnd /tmp/snd
    make run-qemu ROM=examples/controls_mixer DEVICE=/tmp/snd
"""

import time
import vsnd

card = vsnd.open()
for control in card.controls:
    print(control)

for volume in card.controls:
    if volume.role == "VOLUME" and volume.direction == 0:
        before = volume.read()
        print("%s: %s, in dB %s" % (volume.name, before, volume.db()))
        for db in (float("-inf"), -40, -30, -20, -10, -20, -30):
            volume.set_db(db)
            print("%s dB: %s, in dB %s" % (db, volume.read(), volume.db()))
            time.sleep_ms(100)
        volume.write(before)
