# SPDX-License-Identifier: MIT
"""What the device says about a PCM stream: its direction, formats, rates and channels."""

from . import protocol
from .protocol import FORMATS, RATES


class Stream:
    """What the device says about stream `id` (5.14.6.6.2), read once at probe.

    direction 0 is output, 1 is input; formats, rates and features are bit masks.
    """

    def __init__(self, id, nid, features, formats, rates, direction, channels_min, channels_max):
        self.id = id
        self.hda_fn_nid = nid
        self.features = features
        self.formats = formats
        self.rates = rates
        self.direction = direction
        self.channels_min = channels_min
        self.channels_max = channels_max

    def usable(self):
        """Whether what the device says makes sense, and something of it is known here."""
        return (
            self.direction < 2
            and 0 < self.channels_min <= self.channels_max
            and self.formats & (1 << len(FORMATS)) - 1
            and self.rates & (1 << len(RATES)) - 1
        )

    def __repr__(self):
        return "stream %d: %s, %d..%d channels, %s, %s Hz%s" % (
            self.id,
            ("output", "input")[self.direction] if self.usable() else "unusable",
            self.channels_min,
            self.channels_max,
            " ".join(protocol.named(self.formats, [f[0] for f in FORMATS])),
            " ".join(str(r) for r in protocol.named(self.rates, RATES)),
            "".join(", " + f for f in protocol.named(self.features, protocol.PCM_FEATURES)),
        )

    def check(self, rate, channels, format, features):
        """ValueError, saying what there is, unless the stream offers all of it."""
        if rate not in RATES or not self.rates >> RATES.index(rate) & 1:
            raise ValueError(
                "stream %d has no rate %s Hz, but %s"
                % (self.id, rate, " ".join(str(r) for r in protocol.named(self.rates, RATES)))
            )
        known = 0 <= format < len(FORMATS)
        if not known or not self.formats >> format & 1:
            raise ValueError(
                "stream %d has no format %s, but %s"
                % (
                    self.id,
                    FORMATS[format][0] if known else format,
                    " ".join(protocol.named(self.formats, [f[0] for f in FORMATS])),
                )
            )
        if not self.channels_min <= channels <= self.channels_max:
            raise ValueError(
                "stream %d has no %d channels, but %d..%d"
                % (self.id, channels, self.channels_min, self.channels_max)
            )
        allowed = self.features & protocol.PCM_SELECTABLE
        if features & ~allowed:
            names = protocol.named(features & ~allowed, protocol.PCM_FEATURES) or [hex(features)]
            has = protocol.named(allowed, protocol.PCM_FEATURES)
            raise ValueError(
                "stream %d cannot do %s, but %s"
                % (self.id, " ".join(names), " ".join(has) or "nothing of the kind")
            )
