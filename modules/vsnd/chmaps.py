# SPDX-License-Identifier: MIT
"""Channel maps: which channel of a frame is which loudspeaker (VirtIO 1.3, 5.14.6.9)."""

from micropython import const
import struct
from . import protocol
from .info import records

_R_CHMAP_INFO = const(0x0200)

REQUESTS = {_R_CHMAP_INFO: "CHMAP_INFO"}
protocol.REQUESTS.update(REQUESTS)

_INFO_BYTES = const(24)
_CHMAPS_MAX = const(256)  # a device that claims more is not believed
_CHANNELS_MAX = const(18)

# Channel positions, by number.
POSITIONS = (
    "NONE", "NA", "MONO", "FL", "FR", "RL", "RR", "FC", "LFE", "SL", "SR", "RC", "FLC", "FRC",
    "RLC", "RRC", "FLW", "FRW", "FLH", "FCH", "FRH", "TC", "TFL", "TFR", "TFC", "TRL", "TRR",
    "TRC", "TFLC", "TFRC", "TSL", "TSR", "LLFE", "RLFE", "BC", "BLC", "BRC",
)


class Chmap:
    """What the device says about channel map `id`.

    It applies to the streams with the same hda_fn_nid and direction (0 output, 1 input) that
    have as many channels. positions: a tuple of numbers, one for each channel of a frame.
    """

    def __init__(self, id, nid, direction, positions):
        self.id = id
        self.hda_fn_nid = nid
        self.direction = direction
        self.positions = positions

    @property
    def names(self):
        """The specification's names of the positions, as in "FL FR"."""
        return " ".join(
            [POSITIONS[p] if p < len(POSITIONS) else "position %d" % p for p in self.positions]
        )

    def __repr__(self):
        return "channel map %d: %s, %s" % (
            self.id, ("output", "input")[self.direction], self.names
        )


def query(card, total):
    """Ask for `total` channel maps; return a tuple of Chmap, without those that make no sense.

    Empty if the device does not know CHMAP_INFO. OSError as card.request(), and EIO if the
    device claims more than 256 maps.
    """
    found = []
    rows = records(card, _R_CHMAP_INFO, total, _INFO_BYTES, _CHMAPS_MAX, "channel maps")
    for id, row in enumerate(rows):
        nid, direction, channels = struct.unpack_from("<IBB", row)
        if direction <= protocol.INPUT and 0 < channels <= _CHANNELS_MAX:
            found.append(Chmap(id, nid, direction, tuple(row[6 : 6 + channels])))
    return tuple(found)


def for_stream(chmaps, stream, channels):
    """The first of `chmaps` that applies to a Stream record with so many channels, or None."""
    for chmap in chmaps:
        if (
            chmap.hda_fn_nid == stream.hda_fn_nid
            and chmap.direction == stream.direction
            and len(chmap.positions) == channels
        ):
            return chmap
    return None
