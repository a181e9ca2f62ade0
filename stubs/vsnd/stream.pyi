# SPDX-License-Identifier: MIT
"""What the device says about a PCM stream: its direction, formats, rates and channels."""

class Stream:
    """What the device says about stream `id` (5.14.6.6.2), read once at probe.

    direction 0 is output, 1 is input; formats, rates and features are bit masks.
    """

    id: int
    hda_fn_nid: int
    features: int
    formats: int
    rates: int
    direction: int
    channels_min: int
    channels_max: int
    def __init__(
        self,
        id: int,
        nid: int,
        features: int,
        formats: int,
        rates: int,
        direction: int,
        channels_min: int,
        channels_max: int,
    ) -> None: ...
    def usable(self) -> object:
        """Whether what the device says makes sense, and something of it is known here."""
    def check(self, rate: int, channels: int, format: object, features: int) -> None:
        """ValueError, saying what there is, unless the stream offers all of it."""
