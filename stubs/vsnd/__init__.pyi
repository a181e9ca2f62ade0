# SPDX-License-Identifier: MIT
"""Sound through a virtio sound device (VirtIO 1.3, 5.14)."""

from typing import Final

from .card import Card as Card, open as open
from .protocol import FORMATS as FORMATS

IMA_ADPCM: Final = 0
MU_LAW: Final = 1
A_LAW: Final = 2
S8: Final = 3
U8: Final = 4
S16: Final = 5
U16: Final = 6
S18_3: Final = 7
U18_3: Final = 8
S20_3: Final = 9
U20_3: Final = 10
S24_3: Final = 11
U24_3: Final = 12
S20: Final = 13
U20: Final = 14
S24: Final = 15
U24: Final = 16
S32: Final = 17
U32: Final = 18
FLOAT: Final = 19
FLOAT64: Final = 20
DSD_U8: Final = 21
DSD_U16: Final = 22
DSD_U32: Final = 23
IEC958_SUBFRAME: Final = 24
