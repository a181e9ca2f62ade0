# SPDX-License-Identifier: MIT
"""A simulated virtio block device that judges its driver (VirtIO 1.3, 5.2)."""

import struct
from contextlib import nullcontext

from virtsnd.protocol import ACCESS_PLATFORM, EVENT_IDX, INDIRECT_DESC, ORDER_PLATFORM, VERSION_1
from virtsnd.ring import Ring
from virtsnd.rules import rule

SIZE_MAX, RO, BLK_SIZE, FLUSH = 1 << 1, 1 << 5, 1 << 6, 1 << 9
IN, OUT, FLUSH_CACHE = 0, 1, 4
OK, IOERR, UNSUPP = 0, 1, 2

KNOWN = (
    SIZE_MAX | RO | BLK_SIZE | FLUSH | INDIRECT_DESC | EVENT_IDX | VERSION_1 | ACCESS_PLATFORM
    | ORDER_PLATFORM
)


class BlockDevice:
    """A device of type 2, of so many sectors of 512 bytes; `data` is what is on them.

    flushed: what was on them at the last flush. requests: of each (type, sector, bytes).

    What a script may change:

    status: a function of type and sector that gives the status
    writes: of head and used length: the used entries that are really written
    put: of a chain and the bytes of an answer: the bytes that are written
    us: how long a request takes; None: for ever
    """

    ID = 2
    VENDOR = 0x554D4551

    def __init__(self, clock, memory, sectors=64, features=BLK_SIZE | FLUSH, blk_size=512,
                 size_max=0, queue_max=128):
        self.clock = clock
        self.memory = memory
        self.sectors = sectors
        self.features = features | VERSION_1 | EVENT_IDX
        self.blk_size = blk_size
        self.size_max = size_max
        self.queue_max = [queue_max]
        self.data = bytearray(sectors * 512)
        self.flushed = bytes(self.data)
        self.requests = []
        self.status = lambda kind, sector: OK
        self.writes = lambda head, n: [(head, n)]
        self.put = lambda chain, answer: chain.write(answer)
        self.us = 50
        self.refuse_features = False
        self.reset()

    # What the transport calls; see virtsnd.SoundDevice.

    def traced(self):
        return nullcontext()

    def config(self):
        return struct.pack("<QIIHBBI", self.sectors, self.size_max, 2, 0, 0, 0, self.blk_size)

    def accept(self, features):
        rule(not features & ~self.features, "F-01", f"{features:#x} was not all offered")
        rule(not features & ~KNOWN, "F-04", f"{features & ~KNOWN:#x} is not for this device")
        rule(features & VERSION_1, "F-07", "VERSION_1 not accepted")
        self.accepted = features
        return not self.refuse_features

    def reset(self):
        self.ring = None
        self.live = False
        self.accepted = 0

    def start(self):
        self.live = True

    def add_queue(self, index, size, *parts):
        self.ring = Ring(
            self.memory, index, size, *parts, bool(self.accepted & EVENT_IDX),
            indirect=bool(self.accepted & INDIRECT_DESC),
        )

    def remove_queue(self, index):
        self.ring = None

    def kick(self, index):
        rule(self.live and index == 0, "4.2.2", f"kick for queue {index}")
        self.ring.kicked()
        if self.us is not None:
            self.clock.at(self.clock.now + self.us, self.serve)

    # Requests (5.2.6)

    def serve(self):
        while self.ring and (chain := self.ring.pop()) is not None:
            self.ring.ask()
            done = self.handle(chain)
            for head, n in self.writes(chain.head, done):
                self.ring.push(head, n)
            if self.ring.interrupt_wanted():
                self.notify()

    def handle(self, chain):
        """Do what a chain asks for. Return the bytes that were written to it."""
        raw = chain.read()
        rule(len(raw) >= 16, "5.2.6", f"a request of {len(raw)} bytes")
        kind, reserved, sector = struct.unpack_from("<IIQ", raw)
        rule(chain.writable and chain.writable[-1][1] == 1, "5.2.6", "no byte for the status")
        rule(reserved == 0, "5.2.6", f"reserved is {reserved}")
        given, room = raw[16:], chain.room - 1
        n = room if kind == IN else len(given)
        self.requests.append((kind, sector, n))
        longest = max(part for _, part in chain.readable + chain.writable)
        rule(
            not self.accepted & SIZE_MAX or longest <= self.size_max,
            "5.2.6.1", f"a segment of {longest} bytes, size_max {self.size_max}",
        )
        rule(n % self.blk_size == 0, "5.2.6.1", f"{n} bytes, blocks of {self.blk_size}")
        rule(sector * 512 % self.blk_size == 0, "5.2.6.1", f"sector {sector} begins no block")
        inside = sector * 512 + n <= len(self.data)
        rule(inside, "5.2.6.1", f"sector {sector}, {n} bytes: not all on the disk")
        rule(kind != OUT or not self.features & RO, "5.2.6.1", "a write to a read-only disk")
        rule(kind != OUT or room == 0, "5.2.6", "a write with room for data")
        rule(kind != IN or not given, "5.2.6", "a read with data")
        if kind == FLUSH_CACHE:
            rule(self.accepted & FLUSH, "5.2.6.1", "FLUSH was not negotiated")
            rule(sector == 0 and n == 0, "5.2.6.1", "a flush has no sector and no data")
        else:
            rule(kind in (IN, OUT), "5.2.6", f"request type {kind}")
        status = self.status(kind, sector)
        answer = b""
        if kind == IN:
            answer = self.data[sector * 512 : sector * 512 + n]
            answer = bytes(answer) if status == OK else b"\xee" * n
        elif status == OK and kind == OUT:
            self.data[sector * 512 : sector * 512 + n] = given
        elif status == OK:
            self.flushed = bytes(self.data)
        return self.put(chain, answer + bytes([status]))
