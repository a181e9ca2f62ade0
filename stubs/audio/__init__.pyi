# SPDX-License-Identifier: MIT
"""Play tones and WAV files, on the sound card or on anything with a write(buf)."""

from .player import play as play
from .tones import tone as tone
