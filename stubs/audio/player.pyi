# SPDX-License-Identifier: MIT
"""Play WAV files."""

from _typeshed import ReadableBuffer
from typing import IO, Protocol
import wave
from vsnd.playback import Output

class _Writer(Protocol):
    def write(self, buf: ReadableBuffer) -> object: ...

def open_output(rate: int, channels: int, format: int) -> Output:
    """Open the first output of the first sound card, with periods of about 10 ms.

    rate in Hz. ValueError if the card does not offer it, OSError(ENODEV) without a card.
    """
def play(
    source: str | ReadableBuffer | IO[bytes] | wave.Wave_read, out: _Writer | None = None
) -> None:
    """Play a WAV file and return when it has been heard.

    *source* is a file name, an open binary file, a bytes-like object that holds a whole WAV file,
    or a wave reader, which plays from where it stands; what was open stays open.

    Without *out* the first output of the first sound card is opened as the file wants it (rate,
    channels, format), drained and closed. An *out* that is given stays open, and is drained if it
    can (machine.I2S cannot: there the last buffer is still playing on return).

    Samples go out as they are. 8-bit PCM is U8, then S16, S24_3, S32, FLOAT, FLOAT64, A_LAW,
    MU_LAW; what lies in memory (ROMFS) is played from there, without a copy.

    wave.Error if the file cannot be read; ValueError if the output is not made for what is in it.
    """
