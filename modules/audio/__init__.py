# SPDX-License-Identifier: MIT
"""Play tones and WAV files, on the sound card or on anything with a write(buf).

    import audio
    audio.tone(440, 500)            # Hz, ms
    audio.play("/rom/voice.wav")

    player    WAV files, and how the default output is opened
    tones     sine tones
"""

from .player import play
from .tones import tone
