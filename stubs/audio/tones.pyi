# SPDX-License-Identifier: MIT
"""Sine tones."""

from .player import _Writer

def tone(
    freq: float,
    ms: float,
    volume: float = 0.5,
    out: _Writer | None = None,
    rate: int = 48000,
    channels: int = 2,
) -> None:
    """Play a sine of *freq* Hz for *ms* milliseconds; return when it has been heard.

    *volume* is 0 to 1 of full scale. All channels carry the same, 16 bits signed.

    Without *out* the first output of the first sound card is opened with *rate* (Hz) and
    *channels*, drained and closed. An *out* that is given stays open, and is drained if it can;
    its own rate and channels count if it tells them (machine.I2S does not: pass them).
    """
