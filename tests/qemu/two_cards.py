# SPDX-License-Identifier: MIT
"""A board with two cards: `ear` hears and plays files without a pace, `card` plays at its pace."""

import feed
import numpy as np
from virtboard.recording import Recording, finish_header

RATE, PERIOD = 48000, 480
START = "import asyncio, time\near, card = card, vsnd.open(0x10007000)\n"


def stereo(data):
    """Frames of S16 stereo from bytes."""
    return np.frombuffer(data, "<i2").reshape(-1, 2)


def frames(data):
    """The same, filled up with silence to whole periods as drain() does."""
    array = stereo(data)
    return np.pad(array, ((0, -len(array) % PERIOD), (0, 0)))


def run(board, program, heard=b"", **options):
    """Runs a program; `ear` hears the bytes `heard`. The program must end well.

    Returns its Result, with the bytes that `ear` played as `played`, and the Recording of `card`.
    """
    wav = board.folder / f"card{board.runs}.wav"
    audio = f"wav,id=card,path={wav},out.frequency={RATE}"
    extra = ["-audiodev", audio, "-device", "virtio-sound-device,audiodev=card,streams=1"]
    options = {"extra": extra, "timeout": 100} | options
    result = feed.run(board, START + program, heard, **options)
    finish_header(wav)
    return result, Recording(wav)
