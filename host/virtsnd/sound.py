# SPDX-License-Identifier: MIT
"""Sound as the device sees it: streams, requests, and what was played (5.14.6)."""

import struct
from collections import defaultdict, deque
from dataclasses import dataclass

from .rules import rule

OK, BAD_MSG, NOT_SUPP, IO_ERR = 0x8000, 0x8001, 0x8002, 0x8003

NAMES = {
    0x0100: "PCM_INFO",
    0x0101: "SET_PARAMS",
    0x0102: "PREPARE",
    0x0103: "RELEASE",
    0x0104: "START",
    0x0105: "STOP",
}

# Which request may follow which (5.14.6.6.1).
FOLLOWS = {
    None: ("SET_PARAMS",),
    "SET_PARAMS": ("SET_PARAMS", "PREPARE"),
    "PREPARE": ("SET_PARAMS", "PREPARE", "START", "RELEASE"),
    "START": ("STOP",),
    "STOP": ("START", "RELEASE"),
    "RELEASE": ("SET_PARAMS", "PREPARE"),
}

# Bytes per sample, by format; None is half a byte.
SAMPLE_BYTES = (None,) + (1,) * 4 + (2,) * 2 + (3,) * 6 + (4,) * 7 + (8, 1, 2, 4, 4)
RATES = (
    5512, 8000, 11025, 16000, 22050, 32000, 44100, 48000, 64000, 88200, 96000, 176400, 192000,
    384000, 12000, 24000,
)


def NEVER(request, room):
    """For Sound.script: the request is never answered."""
    return None


@dataclass
class StreamInfo:
    """What PCM_INFO tells about a stream: here S8, U8, S16, FLOAT and everything up to 48 kHz."""

    nid: int = 0
    features: int = 0
    formats: int = 1 << 3 | 1 << 4 | 1 << 5 | 1 << 19
    rates: int = 0xFF
    direction: int = 0
    channels_min: int = 1
    channels_max: int = 2

    def record(self):
        return struct.pack(
            "<IIQQBBB5x", self.nid, self.features, self.formats, self.rates,
            self.direction, self.channels_min, self.channels_max,
        )


class Stream:
    def __init__(self, info):
        self.info = info
        self.last = None  # the last request that succeeded
        self.period_bytes = 0
        self.period_us = 0
        self.ended = False  # a buffer shorter than a period came
        self.pending = deque()  # (chain, its bytes) in the order they came
        self.played = bytearray()
        self.dropped = bytearray()  # returned without having been played
        self.periods = 0  # buffers that were played
        self.xruns = 0
        self.tick = None  # the event of the clock


class Sound:
    """The streams. `used(chain, bytes)` and `release()` of the device are called back.

    What a test may change: `script`, lists of answers by name of the request, each a status or
    a function of the request and the room for the answer; `status`, a function of the
    stream and the number of a period that gives status and latency_bytes; `pick`, which of the
    pending buffers is next; `flush`, in which order RELEASE returns buffers; `paced`, whether
    the clock plays or only tick().
    """

    def __init__(self, clock, infos, used):
        self.clock = clock
        self.infos = list(infos)
        self.used = used
        self.requests = []  # (time, name, bytes)
        self.script = defaultdict(list)
        self.status = lambda stream, number: (OK, 0)
        self.pick = lambda pending: 0
        self.flush = list
        self.paced = True
        self.streams = []
        self.reset()

    def reset(self):
        for stream in self.streams:
            self.clock.cancel(stream.tick)
        self.streams = [Stream(info) for info in self.infos]

    def names(self):
        """The names of all requests, in order."""
        return [name for _, name, _ in self.requests]

    # Control requests

    def control(self, request, room):
        """The answer to a request with so much room for it, None for never."""
        rule(len(request) >= 4, "5.14.6", "control request without a code")
        code = struct.unpack_from("<I", request)[0]
        rule(code in NAMES, "5.14.6", f"request {code:#x} is none, or not allowed here")
        name = NAMES[code]
        self.requests.append((self.clock.now, name, request))
        if name == "PCM_INFO":
            answer = self._check_info(request, room)
        else:
            sizes = (24, 4) if name == "SET_PARAMS" else (8, 4)
            sent = len(request), room
            rule(sent == sizes, "5.14.6", f"{name}: {sent} bytes, want {sizes}")
            id = struct.unpack_from("<I", request, 4)[0]
            rule(id < len(self.streams), "S-31", f"{name}: stream {id} of {len(self.streams)}")
            stream = self.streams[id]
            rule(name in FOLLOWS[stream.last], "S-30", f"{name} after {stream.last}")
            if name == "SET_PARAMS":
                self._check_params(stream, request)
            answer = struct.pack("<I", OK)
        if self.script[name]:
            other = self.script[name].pop(0)
            if callable(other):
                return other(request, room)
            if other != OK:
                return struct.pack("<I", other)
        if name != "PCM_INFO":
            stream.last = name
            getattr(self, "_" + name.lower())(stream, request)
        return answer

    def _check_info(self, request, room):
        rule(len(request) == 16, "5.14.6.1", f"PCM_INFO of {len(request)} bytes")
        _, start, count, size = struct.unpack("<IIII", request)
        total = len(self.streams)
        rule(0 < count and start + count <= total, "S-04", f"{start}+{count} of {total} streams")
        rule(room >= 4 + count * size, "S-05", f"{room} bytes for {count} records of {size}")
        infos = self.infos[start : start + count]
        return struct.pack("<I", OK) + b"".join(i.record().ljust(size, b"\0") for i in infos)

    def _check_params(self, stream, request):
        fields = struct.unpack("<IIIIIBBBB", request)
        _, _, buffer_bytes, period_bytes, features, channels, format, rate, padding = fields
        info = stream.info
        rule(
            period_bytes and buffer_bytes and buffer_bytes % period_bytes == 0,
            "S-06",
            f"buffer of {buffer_bytes} bytes, period of {period_bytes}",
        )
        known = format <= 24 and rate <= 15 and features <= 31
        rule(known, "S-07", f"format {format}, rate {rate}, features {features:#x}")
        rule(info.formats >> format & 1, "S-08", f"format {format}")
        rule(info.rates >> rate & 1, "S-08", f"rate {rate}")
        rule(not features & ~info.features, "S-08", f"features {features:#x}")
        rule(info.channels_min <= channels <= info.channels_max, "S-09", f"{channels} channels")
        rule(features & 3 != 3, "S-10", "both shared memories")
        rule(padding == 0, "S-11", f"padding {padding}")
        rule(features & 3 == 0, "S-13", "shared memory")
        frame = SAMPLE_BYTES[format] * channels
        rule(period_bytes % frame == 0, "5.14.6.6.3", f"{period_bytes} bytes of frames of {frame}")
        stream.period_bytes = period_bytes
        stream.period_us = period_bytes * 1_000_000 / (frame * RATES[rate])

    def _set_params(self, stream, request):
        pass

    def _prepare(self, stream, request):
        stream.ended = False

    def _start(self, stream, request):
        self._schedule(stream, self.clock.now + stream.period_us)

    def _stop(self, stream, request):
        self.clock.cancel(stream.tick)

    def _release(self, stream, request):
        order = self.flush(stream.pending)
        stream.pending = deque(item for item in stream.pending if item not in order)
        for chain, data in order:
            stream.dropped += data[4:]
            self._return(stream, chain, data, OK, 0)

    # Data

    def transmit(self, chain):
        """A buffer to play has come."""
        data = chain.read()
        rule(chain.room <= 8, "S-15", f"tx: {chain.room} bytes to write")
        rule(len(data) > 4, "S-36", f"tx: {len(data)} bytes, want a header and samples")
        rule(chain.room == 8, "S-36", f"tx: {chain.room} bytes for the status")
        id = struct.unpack_from("<I", data)[0]
        rule(id < len(self.streams), "S-31", f"tx: stream {id} of {len(self.streams)}")
        stream = self.streams[id]
        rule(stream.info.direction == 0, "S-31", f"tx: stream {id} is no output")
        # Nothing is said about a stopped stream but that buffers may stay: more may come.
        rule(stream.last in ("PREPARE", "START", "STOP"), "S-37", f"tx after {stream.last}")
        n = len(data) - 4
        period = stream.period_bytes
        rule(n <= period, "S-14", f"tx: {n} bytes, a period has {period}")
        rule(not stream.ended, "S-14", "tx: a buffer after one that was no full period")
        stream.ended = n < period
        stream.pending.append((chain, data))

    def _return(self, stream, chain, data, status, latency):
        rule(chain.read() == data, "I-08", f"chain {chain.head}: samples changed meanwhile")
        chain.write(struct.pack("<II", status, latency))
        self.used(chain, 8)

    def _schedule(self, stream, when):
        def due():
            self.play(stream)
            self._schedule(stream, when + stream.period_us)

        if self.paced:
            stream.tick = self.clock.at(when, due)

    def play(self, stream):
        """A period passes."""
        if not stream.pending:
            stream.xruns += 1
            return
        at = self.pick(stream.pending)
        if at is None:
            return
        chain, data = stream.pending[at]
        del stream.pending[at]
        status, latency = self.status(stream, stream.periods)
        stream.periods += 1
        if status == OK:
            stream.played += data[4:]
        self._return(stream, chain, data, status, latency)
