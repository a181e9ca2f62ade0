# SPDX-License-Identifier: MIT
"""Jacks (5.14.6.4): what is plugged in, and JACK_REMAP."""

import struct
from dataclasses import dataclass

from .items import Items, Refused, sized, word
from .protocol import BAD_MSG, JACK_F_REMAP
from .rules import rule


@dataclass
class JackInfo:
    """What JACK_INFO tells about a jack: here a green line-out at the rear, plugged in."""

    nid: int = 0
    features: int = 0
    defconf: int = 0x01014010
    caps: int = 0x14
    connected: bool = True

    def record(self):
        return struct.pack(
            "<IIIIB7x", self.nid, self.features, self.defconf, self.caps, self.connected
        )

    def remap(self, association, sequence):
        """Put both into the lowest byte of defconf, four bits each."""
        self.defconf = self.defconf & ~0xFF | association << 4 | sequence


class Jacks(Items):
    WHAT = "jack"
    INFO = "JACK_INFO"
    TOTAL = 0
    RECORD_BYTES = 24

    def __init__(self, sound, items):
        super().__init__(sound, items)
        self.handlers["JACK_REMAP"] = self._remap

    def _remap(self, request, room):
        sized("JACK_REMAP", request, room, 16, 4, "5.14.6.4.2")
        jack = self.at(request)
        rule(jack.features & JACK_F_REMAP, "S-33", "JACK_REMAP of a jack without REMAP")
        association, sequence = word(request, 8), word(request, 12)

        def remap():
            if association > 15 or sequence > 15:
                raise Refused(BAD_MSG)
            jack.remap(association, sequence)

        return remap
