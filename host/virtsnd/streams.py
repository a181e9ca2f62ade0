# SPDX-License-Identifier: MIT
"""PCM streams: what they can, their parameters and their life cycle (5.14.6.6)."""

import struct
from collections import deque, namedtuple
from dataclasses import dataclass
from functools import partial
from typing import Callable

from .items import Items, sized
from .protocol import (
    FORMATS, MSG_POLLING, OK, OUTPUT, PCM_FEATURES, RATES, SAMPLE_BYTES, SHMEM_GUEST,
    SHMEM_HOST,
)
from .rules import rule

# Which request may follow which (5.14.6.6.1).
FOLLOWS = {
    None: ("SET_PARAMS",),
    "SET_PARAMS": ("SET_PARAMS", "PREPARE"),
    "PREPARE": ("SET_PARAMS", "PREPARE", "START", "RELEASE"),
    "START": ("STOP",),
    "STOP": ("START", "RELEASE"),
    "RELEASE": ("SET_PARAMS", "PREPARE"),
}
COMMANDS = ("SET_PARAMS", "PREPARE", "RELEASE", "START", "STOP")
# After these buffers may come. Nothing is said about a stopped stream but that they may stay.
PREPARED = ("PREPARE", "START", "STOP")

Params = namedtuple("Params", "buffer_bytes period_bytes features channels format rate")


@dataclass
class StreamInfo:
    """What PCM_INFO tells about a stream: here S8, U8, S16, FLOAT and everything up to 48 kHz.

    The rest says how the stream behaves:

    speed: how much faster than the rate it runs
    latency_bytes: what the device holds between a period that is done and its last sound; it is
        also what the statuses report
    lost_at: "RELEASE" or "STOP", which of them throws away what was not heard yet. After a STOP
        that does not, START goes on with it.
    feed: what an input records, bytes-like or a function of n that returns n bytes; then silence
    partial_at: "STOP" or "RELEASE", which of them returns a buffer that is only partly full
    status_at: "end" or "data", whether the status of such a buffer lies at the buffer's end, where
        its descriptor is, or right behind the data
    """

    nid: int = 0
    features: int = 0
    formats: int = 1 << 3 | 1 << 4 | 1 << 5 | 1 << 19
    rates: int = 0xFF
    direction: int = OUTPUT
    channels_min: int = 1
    channels_max: int = 2
    speed: float = 1
    latency_bytes: int = 0
    lost_at: str = "RELEASE"
    feed: bytes | Callable = b""
    partial_at: str = "STOP"
    status_at: str = "end"

    def record(self):
        return struct.pack(
            "<IIQQBBB5x", self.nid, self.features, self.formats, self.rates,
            self.direction, self.channels_min, self.channels_max,
        )


class Stream:
    """A stream from one reset of the device to the next.

    `last` is the last request that succeeded, None at first; `params` what SET_PARAMS said.
    `pending` has (chain, bytes to read) of the buffers that the device holds, as they came.
    `periods` counts buffers that were done, `xruns` periods in which there was none.
    """

    QUEUE = None

    def __init__(self, sound, id, info):
        self.sound = sound
        self.device = sound.device
        self.clock = sound.device.clock
        self.id = id
        self.info = info
        self.speed = info.speed
        self.latency_bytes = info.latency_bytes
        self.last = None
        self.params = None
        self.period_bytes = 0
        self.period_us = 0
        self.pending = deque()
        self.periods = 0
        self.xruns = 0
        self.tick = None  # the event of the clock
        self._dry = False  # since the last period

    def record(self):
        return self.info.record()

    @property
    def frame_bytes(self):
        """0.5 for IMA_ADPCM of one channel."""
        return SAMPLE_BYTES[self.params.format] * self.params.channels

    def us(self, n):
        """The microseconds that n bytes last."""
        return n * self.period_us / self.period_bytes / self.speed

    def whole_frames(self, us):
        """The bytes of the frames that are over after so many microseconds."""
        frames = int(us * self.speed * RATES[self.params.rate] / 1_000_000 + 1e-6)
        return int(frames * self.frame_bytes)

    def selected(self, feature):
        return bool(self.params and self.params.features & feature)

    def polled(self):
        """Whether the driver sends no kicks for this stream."""
        return self.last in PREPARED and self.selected(MSG_POLLING)

    # Requests. check_...() raises Breach, the others carry it out.

    def check_set_params(self, request):
        fields = struct.unpack("<IIIIIBBBB", request)
        _, _, buffer_bytes, period_bytes, features, channels, format, rate, padding = fields
        info = self.info
        rule(
            period_bytes and buffer_bytes and buffer_bytes % period_bytes == 0,
            "S-06",
            f"buffer of {buffer_bytes} bytes, period of {period_bytes}",
        )
        known = format < len(FORMATS) and rate < len(RATES) and features < 1 << len(PCM_FEATURES)
        rule(known, "S-07", f"format {format}, rate {rate}, features {features:#x}")
        rule(info.formats >> format & 1, "S-08", f"format {format}")
        rule(info.rates >> rate & 1, "S-08", f"rate {rate}")
        rule(not features & ~info.features, "S-08", f"features {features:#x}")
        rule(info.channels_min <= channels <= info.channels_max, "S-09", f"{channels} channels")
        shared = features & (SHMEM_HOST | SHMEM_GUEST)
        rule(shared != SHMEM_HOST | SHMEM_GUEST, "S-10", "both shared memories")
        rule(padding == 0, "S-11", f"padding {padding}")
        rule(not shared, "S-13", "shared memory")
        frame = SAMPLE_BYTES[format] * channels
        whole = period_bytes % frame == 0
        rule(whole, "5.14.6.6.3", f"{period_bytes} bytes of frames of {frame}")

    def set_params(self, request):
        self.params = Params(*struct.unpack("<8xIIIBBBx", request))
        self.period_bytes = self.params.period_bytes
        bytes_per_second = self.frame_bytes * RATES[self.params.rate]
        self.period_us = self.period_bytes * 1_000_000 / bytes_per_second

    def prepare(self, request):
        self._dry = False

    def start(self, request):
        self.schedule(self.clock.now + self.us(self.period_bytes))

    def stop(self, request):
        self.clock.cancel(self.tick)

    def release(self, request):
        """Return every buffer: RELEASE is answered only then (5.14.6.6.5.1)."""
        for item in self.sound.flush(self.pending):
            self.pending.remove(item)
            self.returned(*item)

    def returned(self, chain, data):
        """Give back a buffer that was not used."""
        self.give_back(chain, data, OK, 0)

    # Periods

    def schedule(self, when):
        """A period is over at `when`, and from then on every period_us."""

        def due():
            self.schedule(when + self.us(self.period_bytes))
            with self.device.traced():
                if self.selected(MSG_POLLING):
                    self.device.serve(self.QUEUE)
                self.period()

        if self.sound.paced:
            self.tick = self.clock.at(when, due)

    def next(self):
        """The (chain, bytes, status, latency_bytes) that is done now; None if there is none."""
        if not self.pending:
            self.xruns += 1
            if not self._dry:
                self._dry = True
                self.device.trace.xrun(self)
                self.device.xrun(self.id)
            return None
        at = self.sound.pick(self.pending)
        if at is None:
            return None
        self._dry = False
        chain, data = self.pending[at]
        del self.pending[at]
        status, latency = self.sound.status(self, self.periods)
        self.periods += 1
        return chain, data, status, latency

    def give_back(self, chain, data, status, latency, at=0, length=8):
        """Write the status at a byte of what the driver lets us write, and return the chain."""
        same = chain.read() == data
        self.device.judge(same, "I-08", f"chain {chain.head}: samples changed meanwhile")
        chain.write(struct.pack("<II", status, latency), at)
        self.device.trace.done(self, status, latency, length)
        self.sound.used(chain, length)

    def end(self):
        """The device was reset, or has this stream no more."""
        self.clock.cancel(self.tick)
        self.pending.clear()


class Streams(Items):
    WHAT = "stream"
    INFO = "PCM_INFO"
    TOTAL = 1
    RECORD_BYTES = 32

    def __init__(self, sound, items):
        super().__init__(sound, items)
        for name in COMMANDS:
            self.handlers[name] = partial(self._command, name)

    def _command(self, name, request, room):
        sized(name, request, room, 24 if name == "SET_PARAMS" else 8, 4)
        stream = self.at(request)
        # Buffers that came before the request count, also if the device did not look yet.
        self.sound.device.serve(stream.QUEUE)
        rule(name in FOLLOWS[stream.last], "S-30", f"{name} after {stream.last}")
        if name == "SET_PARAMS":
            self.sound.device.events.check()
        method = name.lower()
        getattr(stream, "check_" + method, lambda request: None)(request)

        def carry_out():
            stream.last = name
            getattr(stream, method)(request)

        return carry_out

    def polled(self, queue):
        """Whether all streams of a queue that may have buffers selected MSG_POLLING."""
        users = [s for s in self if s.QUEUE == queue and s.last in PREPARED]
        return bool(users) and all(s.polled() for s in users)
