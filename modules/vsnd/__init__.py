# SPDX-License-Identifier: MIT
"""Sound through a virtio sound device (VirtIO 1.3, 5.14).

    import vsnd
    card = vsnd.open()
    print(card)
    with card.output(rate=48000, channels=2, format=vsnd.S16) as out:
        out.write(samples)

    protocol  the messages: codes, layouts, names
    card      the device: probe, control requests, what it can do
    stream    what a stream offers
    pcm       a stream in use, and its life cycle
    playback, capture           what is played and recorded
    events    what the device tells by itself
    jacks, chmaps, controls     what else it may have
    info, ctl_info, tlv         how it is asked for those; records and decibels of controls
    aio       waiting in asyncio
    recovery  a device that asks for a reset

Frames are the unit everywhere, except where a name ends in _bytes.
"""

from .card import Card, open
from .protocol import FORMATS

__version__ = "0.1.0"

# The numbers of the formats (5.14.6.6.2).
(
    IMA_ADPCM, MU_LAW, A_LAW, S8, U8, S16, U16, S18_3, U18_3, S20_3, U20_3, S24_3, U24_3, S20, U20,
    S24, U24, S32, U32, FLOAT, FLOAT64, DSD_U8, DSD_U16, DSD_U32, IEC958_SUBFRAME,
) = range(len(FORMATS))
