# SPDX-License-Identifier: MIT
"""The device that `python -m virtsnd` is without a script, with one of everything.

It is a script itself: OPTIONS are arguments of SoundDevice, setup(device) is called before each
start of the device by a driver.
"""

import math
import struct

from . import ChmapInfo, Control, JackInfo, StreamInfo, tlv
from .protocol import (
    BOOLEAN, BYTES, CTLS, ENUMERATED, EVENT_IDX, EVT_XRUNS, IEC958, INDIRECT_DESC, INPUT,
    INTEGER64, JACK_F_REMAP, MSG_POLLING, OUTPUT, READ, TLV_COMMAND, TLV_READ, TLV_WRITE,
    VERSION_1, WRITE, role,
)

S16, S32, FLOAT = 1 << 5, 1 << 17, 1 << 19
ALL = (1 << 25) - 1  # formats
ALL_RATES = (1 << 16) - 1
DB_SCALE = 1  # metadata: the lowest value in 1/100 dB, then a step; bit 16: the lowest is silence
LINE_OUT, MICROPHONE = 0x01014010, 0x01A19020  # green at the rear; pink at the rear
OUTPUT_NODE, INPUT_NODE = 2, 3
PERIOD_BYTES = 480 * 4  # ten milliseconds of 48 kHz, S16, stereo

# One second at 48 kHz, S16, mono: 440 Hz.
TONE = b"".join(
    struct.pack("<h", round(12000 * math.sin(2 * math.pi * 440 * n / 48000))) for n in range(48000)
)


def feed_of(data):
    """A feed that plays `data` over and over."""
    at = 0

    def feed(n):
        nonlocal at
        piece = (data * (n // len(data) + 2))[at : at + n]
        at = (at + n) % len(data)
        return piece

    return feed


def loopback(source):
    """A feed that is what an output stream let be heard."""
    at = 0

    def feed(n):
        nonlocal at
        piece = bytes(source.heard[at : at + n])
        at += len(piece)
        return piece

    return feed


def setup(device):
    """Stream 2 records a tone, stream 3 what stream 0 plays."""
    streams = device.sound.streams
    streams[2].feed = feed_of(TONE)
    streams[3].feed = loopback(streams[0])


OPTIONS = dict(
    features=VERSION_1 | EVENT_IDX | INDIRECT_DESC | CTLS,
    streams=(
        StreamInfo(
            nid=OUTPUT_NODE, direction=OUTPUT, formats=ALL, rates=ALL_RATES, channels_max=8,
            features=MSG_POLLING | EVT_XRUNS, latency_bytes=2 * PERIOD_BYTES,
        ),
        StreamInfo(nid=OUTPUT_NODE, direction=OUTPUT, latency_bytes=PERIOD_BYTES),
        StreamInfo(
            nid=INPUT_NODE, direction=INPUT, formats=S16, rates=1 << 7, channels_max=1,
            features=EVT_XRUNS,
        ),
        StreamInfo(nid=INPUT_NODE, direction=INPUT, formats=S16 | S32 | FLOAT, rates=ALL_RATES),
    ),
    jacks=(
        JackInfo(nid=OUTPUT_NODE, features=JACK_F_REMAP, defconf=LINE_OUT),
        JackInfo(nid=INPUT_NODE, defconf=MICROPHONE, caps=0x24, connected=False),
    ),
    chmaps=(
        ChmapInfo(nid=OUTPUT_NODE, direction=OUTPUT, positions=("FL", "FR")),
        ChmapInfo(
            nid=OUTPUT_NODE, direction=OUTPUT,
            positions=("FL", "FR", "FC", "LFE", "RL", "RR", "SL", "SR"),
        ),
    ),
    controls=(
        Control(
            "Master Playback Volume", role=role("VOLUME", OUTPUT), nid=OUTPUT_NODE, max=87,
            value=(80, 80), access=READ | WRITE | TLV_READ,
            tlv=tlv(DB_SCALE, -6525, 75 | 1 << 16),
        ),
        Control(
            "Master Playback Switch", BOOLEAN, role("MUTE", OUTPUT), nid=OUTPUT_NODE, count=2,
            value=(1, 1),
        ),
        Control(
            "Mic Boost", role=role("GAIN", INPUT), nid=INPUT_NODE, count=1, min=-10, max=20,
            step=5, value=(0,), access=READ | WRITE | TLV_READ | TLV_WRITE,
            tlv=tlv(DB_SCALE, -1000, 100),
        ),
        Control(
            "Capture Source", ENUMERATED, nid=INPUT_NODE, count=1,
            items=("Mic", "Line", "Loopback"),
        ),
        Control(
            "Playback Delay in ns", INTEGER64, nid=OUTPUT_NODE, count=2, max=10**12, step=1000,
        ),
        Control(
            "Equalizer", BYTES, nid=OUTPUT_NODE, count=16, access=READ | WRITE | TLV_COMMAND,
        ),
        Control("IEC958 Playback Default", IEC958, nid=OUTPUT_NODE, count=1),
    ),
)
