# SPDX-License-Identifier: MIT
"""Cards with inputs and several streams, for test_vsnd_*.py."""

import functools

import sim
from sim import Control, JackInfo, StreamInfo

MSG_POLLING, EVT_PERIODS, EVT_XRUNS = 4, 8, 16

# What a device may offer, in every combination that matters to rings.
FEATURES = {
    "event_idx": sim.VERSION_1 | sim.EVENT_IDX,
    "flags": sim.VERSION_1,
    "event_idx-indirect": sim.VERSION_1 | sim.EVENT_IDX | sim.INDIRECT_DESC,
    "flags-indirect": sim.VERSION_1 | sim.INDIRECT_DESC,
}


@functools.lru_cache
def sound(n, number=0):
    """n bytes that tell one stream from another, and each place from those around it."""
    return bytes((41 * number + 7 * i + i // 251) & 0xFF for i in range(n))


def streams(outputs=0, inputs=1, **info):
    """StreamInfos: outputs first; each input records sound(), by its own number."""
    feeds = [sound(400_000, number) for number in range(outputs, outputs + inputs)]
    return [StreamInfo(**info) for _ in range(outputs)] + [
        StreamInfo(**{"direction": 1, "feed": feed, **info}) for feed in feeds
    ]


def read(mic, frames):
    """So many frames by one readinto(); all of them must come."""
    buf = bytearray(b"\xee" * (frames * mic.frame_bytes))
    assert mic.readinto(buf) == len(buf)
    return bytes(buf)


def rest(mic, size=1000):
    """All that can be read of a stream that has ended."""
    data = b""
    buf = bytearray(size * mic.frame_bytes)
    while n := mic.readinto(buf):
        data += buf[:n]
    return data


# Events

JACKS = (JackInfo(), JackInfo(connected=False))
CONTROLS = (Control(), Control(name="Mute", type=sim.protocol.BOOLEAN, count=1, max=1))


def equipped(rig_of, bits):
    """A Rig with an output, an input, jacks and controls; its streams offer what they can."""
    offered = MSG_POLLING | EVT_PERIODS | EVT_XRUNS
    return rig_of(
        streams=streams(1, 1, features=offered), jacks=JACKS, controls=CONTROLS,
        features=FEATURES[bits] | sim.CTLS,
    )


def kept(card):
    """All events that were not handed out: names, numbers of the items, masks."""
    found = []
    while event := card.events.wait():
        found.append((event.name, getattr(event.item, "id", None), event.mask))
    return found


def idle(rig, ms):
    """The program sleeps; what is due runs."""
    for _ in range(10 * ms):
        rig.board._sleep(100)
