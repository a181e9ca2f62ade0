# SPDX-License-Identifier: MIT
"""One program that does all that a driver can do, on devices with different features.

The conformance tests read what the device saw of it; what the driver refused is in `said`.
"""

from collections import defaultdict
from contextlib import contextmanager

from virtboard.card import Card
from virtboard.pytest_plugin import Board
from virtsnd import ChmapInfo, Control, JackInfo, StreamInfo
from virtsnd.protocol import (
    CTLS, EVENT_IDX, EVT_XRUNS, INDIRECT_DESC, INPUT, JACK_F_REMAP, READ, SHMEM_GUEST,
    SHMEM_HOST, TLV_COMMAND, TLV_READ, TLV_WRITE, VERSION_1, WRITE,
)

from witness import Witness

FEATURES = {
    "nothing": VERSION_1,
    "event_idx": VERSION_1 | CTLS | EVENT_IDX,
    "indirect": VERSION_1 | CTLS | INDIRECT_DESC,
    "everything": (1 << 64) - 1,
}

S16, U8, UNDEFINED = 1 << 5, 1 << 4, 1 << 30
FEED = bytes(range(1, 251)) * 20000  # for longer than a busy host may take
EVENT_US = 3000  # between two jack events, and interrupts for nothing
STREAMS = 18  # two queries

# What it offers beyond the specification, or must not be selected, is there to be left alone.
OPTIONS = {
    "jacks": (JackInfo(features=JACK_F_REMAP), JackInfo()),
    "streams": (
        StreamInfo(
            formats=S16 | U8 | UNDEFINED, rates=1 << 6 | 1 << 7 | 1 << 40,
            features=SHMEM_HOST | SHMEM_GUEST | EVT_XRUNS | 1 << 5,
        ),
        StreamInfo(),
        StreamInfo(direction=INPUT, feed=FEED),
        *[StreamInfo(nid=id) for id in range(3, STREAMS)],
    ),
    "chmaps": (ChmapInfo(), ChmapInfo(direction=INPUT)),
    "controls": (
        Control(
            "Free", count=1, max=10, access=READ | WRITE | TLV_READ | TLV_WRITE | TLV_COMMAND
        ),
        Control("Closed", count=1, max=10, access=0),
    ),
    "descriptors_max": 3,
}

# rate, channels, format, period and periods of streams that are only opened.
OPENED = ((48000, 2, "S16", 480, 4), (44100, 1, "S16", 441, 3), (48000, 1, "U8", 1, 2),
          (44100, 2, "U8", 1000, 16))

PROGRAM = f"""
import errno, uctypes, virt, vsnd

def refused(rule, call, *arguments, **named):
    try:
        call(*arguments, **named)
        print(rule, "done")
    except ValueError:
        print(rule, "ValueError")
    except OSError as e:
        print(rule, errno.errorcode[e.errno])

def illegal(pcm, *names):
    for name in names:
        refused("S-30", getattr(pcm, name))

data = open("/rom/data", "rb").read()
arena = virt.arena()
print("arena", uctypes.addressof(arena), len(arena))
card = vsnd.open()
print("features", card.device.features)

# Controls
if card.controls:
    free, closed = card.controls
    free.write(7)
    print("read", free.read()[0])
    tlv = bytes([7, 0, 0, 0, 4, 0, 0, 0, 1, 2, 3, 4])
    free.tlv_write(tlv)
    free.tlv_command(tlv)
    print("tlv", free.tlv_read() == tlv)
    refused("S-18", closed.read)
    refused("S-19", closed.write, 1)
    refused("S-20", closed.tlv_read)
    refused("S-21", closed.tlv_write, tlv)
    refused("S-22", closed.tlv_command, tlv)
    long = bytes([7, 0, 0, 0, 4, 0, 1, 0]) + bytes(65540)
    refused("S-23", free.tlv_write, long)
    refused("S-23", free.tlv_command, long)
    refused("S-23", free.tlv_read, 65545)
    del long
else:
    refused("S-32", card.control, "Free")

# Jacks
card.jacks[0].remap(3, 2)
refused("S-33", card.jacks[1].remap, 3, 2)

# Parameters
for wrong in ({{"format": 30}}, {{"format": 25}}, {{"rate": 12345}}, {{"features": 32}}):
    refused("S-07", card.output, **wrong)
for wrong in ({{"format": vsnd.FLOAT}}, {{"rate": 8000}}, {{"features": 4}}):
    refused("S-08", card.output, stream=0, **wrong)
for channels in (0, 3, 258):
    refused("S-09", card.output, stream=0, channels=channels)
refused("S-10", card.output, stream=0, features=3)
refused("S-13", card.output, stream=0, features=1)
refused("S-13", card.output, stream=0, features=2)
refused("S-31", card.output, stream={STREAMS})
refused("S-31", card.input, stream=-1)
for rate, channels, format, period, periods in {OPENED}:
    card.output(rate, channels, getattr(vsnd, format), period, periods, stream=0).close()

# The life cycle, with a last period that is not full
out = card.output(stream=0)
illegal(out, "stop")
out.write(data[:1920 * 3])
illegal(out, "set_params")
out.write(data[1920 * 3:1920 * 7 + 400])
illegal(out, "set_params", "prepare", "release")
out.pause()
illegal(out, "set_params", "prepare")
out.resume()
out.drain()
illegal(out, "start", "stop", "release")
out.close()
illegal(out, "set_params", "prepare", "start", "stop", "release")

# From where it lies; two at once; dropped
with card.output(stream=0) as out:
    out.write(data[:1920 * 8], False)
with card.output(stream=0) as one, card.output(stream=1) as two:
    for at in range(0, 1920 * 8, 1920):
        one.write(data[at:at + 1920])
        two.write(data[at:at + 1920])
out = card.output(stream=0)
out.write(data[:1920 * 3])
out.drop()
out.close()

# Recorded, with a last period that is not full
mic = card.input(stream=2, channels=1, period=240, periods=4)
illegal(mic, "stop")
buf = bytearray(480 * 5 + 100)
mic.readinto(buf)
illegal(mic, "set_params", "prepare", "release")
mic.drain()
print("recorded", buf.hex() + (mic.read(480 * 4) or b"").hex())
illegal(mic, "start", "stop", "release")
mic.close()

# Once more, where the rings lay before
card.close()
card = vsnd.open()
with card.output(stream=1) as out:
    out.write(data[:1920 * 5])
print("errors", card.device.error)
"""


class Session:
    """`name` of FEATURES; the card; what its witness saw; `said` has the words of each line that
    the program printed, by the first one. `alarms` times the device sent an event, and
    four interrupts for nothing."""

    def __init__(self, name, folder):
        self.name = name
        self.offered = FEATURES[name]
        self.witness = Witness()
        self.said = defaultdict(list)
        self.alarms = 0
        self.card = Card(
            folder / "card", self._set_up, features=self.offered, queue_max=[64] * 4, **OPTIONS
        )

    def _set_up(self, device):
        self.witness.watch(device)

        def tell():
            self.alarms += 1
            device.plug(1, self.alarms % 2)
            for queue in range(4):
                device.interrupt(queue)
            device.clock.at(device.clock.now + EVENT_US, tell)

        device.clock.at(device.clock.now + EVENT_US, tell)

    def run(self, firmware, folder, data):
        result = Board(firmware, folder).run(PROGRAM, {"data": data}, device=self.card)
        assert result.status == 0, result.output
        for line in result.output.splitlines():
            first, *rest = line.split()
            self.said[first] += rest

    @property
    def events(self):
        """How many events found a buffer."""
        return sum("event <" in line and "lost" not in line for line in self.card.trace)

    @property
    def broken(self):
        """The names of the rules that the device saw broken."""
        return {breach.name for breach in self.card.breaches}


@contextmanager
def played(name, firmware, folder, data):
    """The Session of that name, when its board has ended."""
    session = Session(name, folder)
    try:
        session.run(firmware, folder, data)
        yield session
    finally:
        session.card.close()
