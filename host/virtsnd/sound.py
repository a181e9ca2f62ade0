# SPDX-License-Identifier: MIT
"""Sound as the device sees it: its items, and what the driver says about them (5.14.6)."""

import struct
from collections import defaultdict
from dataclasses import replace

from .capture import InputStream
from .chmaps import Chmaps
from .controls import Controls
from .items import Refused, word
from .jacks import Jacks
from .playback import OutputStream
from .protocol import DIRECTIONS, INPUT, IO_ERR, OK, OUTPUT, REQUESTS
from .rules import rule
from .streams import PREPARED, Streams


def NEVER(request, room):
    """For Sound.script: the request is never answered."""
    return None


class Sound:
    """The jacks, streams, channel maps and control elements of a device.

    What a script may change:

    script: lists of answers by name of the request, each a status, or a function of the request
        and the room for the answer that returns the answer's bytes, None for no answer, or
        NotImplemented to have it answered as ever
    status: a function of the stream and the number of a period that gives status and latency_bytes
    pick: a function of the pending buffers: the index of the one that is done; None for none
    flush: a function of the pending buffers: those that RELEASE returns, in their order
    paced: whether the clock plays, or only tick()
    tamper: a function of the name of an INFO request, the number of an item and its record that
        gives the record that is really told
    stride: a function of the name of an INFO request and the size of a record that the driver
        wants: how far apart the records are
    control_record: 92, or 96 for CTL_INFO records whose union is aligned
    """

    def __init__(self, device, jacks, streams, chmaps, controls, control_record):
        self.device = device
        self.used = lambda chain, n: device.give_back(chain.queue, chain, n)
        self.requests = []  # (time, name, bytes)
        self.script = defaultdict(list)
        self.status = lambda stream, number: (OK, stream.latency_bytes)
        self.pick = lambda pending: 0
        self.flush = list
        self.paced = True
        self.tamper = lambda name, id, record: record
        self.stride = lambda name, size: size
        self.control_record = control_record
        self.infos = []
        self.streams = Streams(self, ())
        self.change(jacks, streams, chmaps, controls)

    def change(self, jacks=None, streams=None, chmaps=None, controls=None):
        """Have other items. A stream that stays the same goes on."""
        # Copies: a driver's JACK_REMAP and CTL_WRITE are for this device only.
        if jacks is not None:
            self.jacks = Jacks(self, map(replace, jacks))
        if chmaps is not None:
            self.chmaps = Chmaps(self, map(replace, chmaps))
        if controls is not None:
            self.controls = Controls(self, (replace(c, commands=[]) for c in controls))
        if streams is not None:
            self._change_streams(list(streams))
        self._find_handlers()

    def _change_streams(self, infos):
        old, self.infos = self.streams, infos
        same = [stream.info == info for stream, info in zip(old, infos)]
        self.streams = Streams(self, (
            old[id] if id < len(same) and same[id] else self._stream(id)
            for id in range(len(infos))
        ))
        for stream in old:
            if stream not in self.streams:
                for chain, data in stream.pending:
                    stream.give_back(chain, data, IO_ERR, 0)
                stream.end()

    def _stream(self, id):
        info = self.infos[id]
        kind = InputStream if info.direction == INPUT else OutputStream
        return kind(self, id, info)

    def _find_handlers(self):
        self.handlers = {}
        for items in (self.jacks, self.streams, self.chmaps, self.controls):
            self.handlers.update(items.handlers)

    def reset(self):
        for stream in self.streams:
            stream.end()
        self.streams = Streams(self, (self._stream(id) for id in range(len(self.infos))))
        self._find_handlers()

    def names(self):
        """The names of all requests, in order."""
        return [name for _, name, _ in self.requests]

    # Control requests

    def control(self, request, room):
        """The answer to a request with so much room for it, None for never."""
        rule(len(request) >= 4, "5.14.6", "control request without a code")
        code = word(request, 0)
        rule(code in REQUESTS, "5.14.6", f"request {code:#x} is none")
        name = REQUESTS[code]
        self.requests.append((self.device.clock.now, name, request))
        self.device.trace.request(name, request)
        answer = self._answer(name, request, room)
        self.device.trace.answer(name, answer)
        return answer

    def _answer(self, name, request, room):
        try:
            carry_out = self.handlers[name](request, room)
            if self.script[name]:
                other = self.script[name].pop(0)
                if callable(other):
                    answer = other(request, room)
                    if answer is not NotImplemented:
                        return answer
                elif other != OK:
                    raise Refused(other)
            return struct.pack("<I", OK) + (carry_out() or b"")
        except Refused as refusal:
            return struct.pack("<I", refusal.status)

    # Data

    def transmit(self, chain):
        """A buffer to play has come."""
        data = chain.read()
        rule(chain.room <= 8, "S-15", f"tx: {chain.room} bytes to write")
        rule(len(data) > 4, "S-36", f"tx: {len(data)} bytes, want a header and samples")
        rule(chain.room == 8, "S-36", f"tx: {chain.room} bytes for the status")
        self._take(chain, data, "tx", OUTPUT)

    def receive(self, chain):
        """An empty buffer has come."""
        data = chain.read()
        rule(len(data) <= 4, "S-17", f"rx: {len(data)} bytes to read")
        rule(len(data) == 4, "S-36", f"rx: a header of {len(data)} bytes")
        rule(chain.room > 8, "S-36", f"rx: {chain.room} bytes, want samples and the status")
        self._take(chain, data, "rx", INPUT)

    def _take(self, chain, data, queue, direction):
        id, total = word(data, 0), self.streams.total()
        rule(id < total, "S-31", f"{queue}: stream {id} of {total}")
        if id >= len(self.streams):
            self.refuse(chain)
            return
        stream = self.streams[id]
        fits = stream.info.direction == direction
        rule(fits, "S-31", f"{queue}: stream {id} is no {DIRECTIONS[direction]}")
        rule(stream.last in PREPARED, "S-37", f"{queue} after {stream.last}")
        stream.take(chain, data)
        self.device.trace.data(stream, data)

    def refuse(self, chain):
        """Give a buffer back with IO_ERR, where its status belongs."""
        chain.write(struct.pack("<II", IO_ERR, 0), max(chain.room - 8, 0))
        self.used(chain, min(chain.room, 8))

    def play(self, stream):
        """A period passes."""
        stream.period()
