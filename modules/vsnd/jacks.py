# SPDX-License-Identifier: MIT
"""Jacks: what they are, whether something is plugged in, and remapping (VirtIO 1.3, 5.14.6.4).

What a jack is stands in two registers of the High Definition Audio specification: the
configuration default (HDA 7.3.3.31) and the pin capabilities (HDA 7.3.4.9).
"""

import errno
from micropython import const
import struct
from . import protocol
from .info import query_info, records

_R_JACK_INFO = const(0x0001)
_R_JACK_REMAP = const(0x0002)

REQUESTS = {_R_JACK_INFO: "JACK_INFO", _R_JACK_REMAP: "JACK_REMAP"}
protocol.REQUESTS.update(REQUESTS)

_INFO_BYTES = const(24)
_JACKS_MAX = const(256)  # a device that claims more is not believed
_F_REMAP = const(1)

# HDA's words, by number; None is reserved.
_CONNECTIVITIES = ("jack", "none", "fixed", "both")
_CHASSIS = ("external", "internal", "separate chassis", "other")
_SIDES = ("", "rear", "front", "left", "right", "top", "bottom")
_DEVICES = (
    "line out", "speaker", "HP out", "CD", "SPDIF out", "digital other out", "modem line",
    "modem handset", "line in", "AUX", "mic in", "telephony", "SPDIF in", "digital other in",
    None, "other",
)
_CONNECTIONS = (
    "unknown", '1/8"', '1/4"', "ATAPI", "RCA", "optical", "other digital", "other analog", "DIN",
    "XLR", "RJ-11", "combination", None, None, None, "other",
)
_COLOURS = (
    "unknown", "black", "grey", "blue", "green", "red", "orange", "yellow", "purple", "pink",
    None, None, None, None, "white", "other",
)
_CAPABILITIES = {
    0: "impedance sense", 1: "trigger required", 2: "presence detect", 3: "headphone drive",
    4: "output", 5: "input", 6: "balanced", 7: "HDMI", 8: "VRef Hi-Z", 9: "VRef 50%",
    10: "VRef ground", 12: "VRef 80%", 13: "VRef 100%", 16: "EAPD", 24: "DisplayPort", 27: "HBR",
}


def jack_remap(jack_id, association, sequence):
    """Change what a jack belongs to, and its place there; 0..15 both."""
    return struct.pack("<IIII", _R_JACK_REMAP, jack_id, association, sequence)


class Jack:
    """What the device says about jack `id`; `connected` (bool) follows its events.

    features, hda_reg_defconf and hda_reg_caps are the numbers of the record. The properties say
    the same in words of the HDA specification.
    """

    def __init__(self, card, id, row):
        self._card = card
        self.id = id
        self._load(row)

    def _load(self, row):
        (
            self.hda_fn_nid, self.features, self.hda_reg_defconf, self.hda_reg_caps, connected
        ) = struct.unpack_from("<IIIIB", row)
        self.connected = connected != 0

    def refresh(self):
        """Ask the device for the record again. OSError as card.request()."""
        self._load(
            self._card.request(query_info(_R_JACK_INFO, self.id, 1, _INFO_BYTES), _INFO_BYTES)
        )

    def _word(self, shift, words):
        number = self.hda_reg_defconf >> shift & 15
        return words[number] or "reserved %d" % number

    @property
    def connectivity(self):
        """One of "jack", "none", "fixed", "both"."""
        return _CONNECTIVITIES[self.hda_reg_defconf >> 30]

    @property
    def location(self):
        """As in "external front"."""
        side = self.hda_reg_defconf >> 24 & 15
        word = _SIDES[side] if side < len(_SIDES) else "special %d" % side
        return (_CHASSIS[self.hda_reg_defconf >> 28 & 3] + " " + word).strip()

    @property
    def default_device(self):
        """As in "line out", "speaker", "HP out", "mic in"."""
        return self._word(20, _DEVICES)

    @property
    def connection_type(self):
        """As in '1/8"', "RCA", "optical"."""
        return self._word(16, _CONNECTIONS)

    @property
    def colour(self):
        """As in "green"."""
        return self._word(12, _COLOURS)

    @property
    def association(self):
        """Jacks with the same number belong together. 0..15."""
        return self.hda_reg_defconf >> 4 & 15

    @property
    def sequence(self):
        """The place within the association. 0..15."""
        return self.hda_reg_defconf & 15

    @property
    def capabilities(self):
        """A tuple of words, as in ("presence detect", "output")."""
        return tuple(
            [
                _CAPABILITIES.get(bit, "bit %d" % bit)
                for bit in range(32)
                if self.hda_reg_caps >> bit & 1
            ]
        )

    @property
    def can_remap(self):
        """Whether the device offers remap()."""
        return self.features & _F_REMAP != 0

    def remap(self, association, sequence):
        """JACK_REMAP: change association and sequence, 0..15 both (5.14.6.4.2).

        OSError(EPERM) if the jack cannot be remapped and ValueError for other numbers, before
        anything is sent; OSError as card.request(). The properties follow; refresh() asks the
        device what it made of it.
        """
        if not self.can_remap:
            raise OSError(
                errno.EPERM,
                "jack %d cannot be remapped: the device does not offer VIRTIO_SND_JACK_F_REMAP"
                % self.id,
            )
        for name, number in (("association", association), ("sequence", sequence)):
            if not isinstance(number, int) or not 0 <= number <= 15:
                raise ValueError("jack %d: %s is %s, must be 0..15" % (self.id, name, number))
        self._card.request(jack_remap(self.id, association, sequence))
        self.hda_reg_defconf = self.hda_reg_defconf & ~0xFF | association << 4 | sequence

    def __repr__(self):
        plug = [w for w in (self.colour, self.connection_type) if w not in ("unknown", "other")]
        parts = (
            self.default_device,
            " ".join(plug),
            self.location,
            "" if self.connectivity == "jack" else "connectivity " + self.connectivity,
            "connected" if self.connected else "not connected",
            "association %d, sequence %d" % (self.association, self.sequence),
            "can be remapped" if self.can_remap else "",
        )
        return "jack %d: %s" % (self.id, ", ".join([part for part in parts if part]))


def query(card, total):
    """Ask for `total` jacks; return a tuple of Jack.

    Empty if the device does not know JACK_INFO. OSError as card.request(), and EIO if the
    device claims more than 256 jacks.
    """
    rows = records(card, _R_JACK_INFO, total, _INFO_BYTES, _JACKS_MAX, "jacks")
    return tuple([Jack(card, id, row) for id, row in enumerate(rows)])
