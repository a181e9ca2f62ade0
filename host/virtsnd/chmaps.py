# SPDX-License-Identifier: MIT
"""Channel maps (5.14.6.9)."""

import struct
from dataclasses import dataclass

from .items import Items
from .protocol import CHMAP_MAX_SIZE, OUTPUT, POSITIONS


@dataclass
class ChmapInfo:
    """What CHMAP_INFO tells about a channel map. Positions are names of POSITIONS, or numbers."""

    nid: int = 0
    direction: int = OUTPUT
    positions: tuple = ("FL", "FR")

    def record(self):
        numbers = [POSITIONS.index(p) if isinstance(p, str) else p for p in self.positions]
        room = bytes(numbers[:CHMAP_MAX_SIZE]).ljust(CHMAP_MAX_SIZE, b"\0")
        return struct.pack("<IBB", self.nid, self.direction, len(numbers)) + room


class Chmaps(Items):
    WHAT = "channel map"
    INFO = "CHMAP_INFO"
    TOTAL = 2
    RECORD_BYTES = 24
