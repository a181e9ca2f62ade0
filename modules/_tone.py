# SPDX-License-Identifier: MIT
"""What the board does at power-on when it has no main.py: print the card, play the tone."""

import vsnd
import _tone_data

_card = vsnd.open()
print(_card)
with _card.output(rate=_tone_data.RATE, channels=2, format=vsnd.S16) as _out:
    _out.write(_tone_data.DATA, copy=False)
