# SPDX-License-Identifier: MIT
"""What the board does at power-on when it has no main.py: play the tone, print the card."""

import vsnd
import _tone_data

_card = vsnd.open()
with _card.output(rate=_tone_data.RATE, channels=2, format=vsnd.S16) as _out:
    # Queue what fits and start; then there is time to print while it plays.
    _data = memoryview(_tone_data.DATA)
    _n = _out.periods * _out.period_bytes
    _out.write(_data[:_n], copy=False)
    _out.start()
    print(_card)
    _out.write(_data[_n:], copy=False)
