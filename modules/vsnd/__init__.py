# SPDX-License-Identifier: MIT
"""Sound through a virtio sound device (VirtIO 1.3, 5.14).

    import vsnd
    card = vsnd.open()
    print(card)
    with card.output(rate=48000, channels=2, format=vsnd.S16) as out:
        out.write(samples)

    protocol  the messages: codes, layouts, names
    card      the device: probe, control requests, what it can do
    pcm       streams: what one offers, and the life cycle
    playback, capture           what is played and recorded
    events    what the device tells by itself
    jacks, chmaps, controls     what else it may have
    info, ctl_info, tlv         how it is asked for those; records and decibels of controls
    aio       waiting in asyncio

Frames are the unit everywhere, except where a name ends in _bytes.
"""

from .card import Card, open
from .protocol import FORMATS

__version__ = "0.1.0"

# vsnd.S16 and its siblings: the numbers of the formats.
for _number, _format in enumerate(FORMATS):
    globals()[_format[0]] = _number
