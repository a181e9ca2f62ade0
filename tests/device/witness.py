# SPDX-License-Identifier: MIT
"""What a strict device saw of a driver, written down to be read when the board has ended."""

import struct
from collections import namedtuple

from virtsnd import CONTROLQ, EVENTQ
from virtsnd.protocol import REQUESTS

NEXT, WRITE, INDIRECT = 1, 2, 4
RAM = range(0x8000_0000, 0x8800_0000)  # 128 MiB, QEMU's default for this board

# One split queue: its number, size, the addresses of its parts, and used.flags when it came.
Rings = namedtuple("Rings", "queue size desc avail used used_flags")

# One chain. life: which start of the device. descriptors: (table, pa, bytes, flags, next) as the
# device walked them, table being "ring" or "indirect". read: all readable bytes. parts: (pa,
# bytes, writable). flags, idx: those of the available ring when the chain was taken.
Chain = namedtuple("Chain", "life queue head descriptors read parts flags idx")


class Witness:
    """`watch` is the setup of a virtboard.card.Card. What it saw, in the order in which it came:

    rings: a Rings for each queue of each start. chains: a Chain for each that was taken; a request
    stands behind the buffers that the driver had made available before it.
    """

    def __init__(self):
        self.lives = 0
        self.rings = []
        self.chains = []
        self._watched = None

    def watch(self, device):
        """Called before each start of the device."""
        self.lives += 1
        if self._watched is not device:
            self._watched = device
            self._add_queue, device.add_queue = device.add_queue, self._queue_added
            self._handle, device.handle = device.handle, self._handled

    def _queue_added(self, index, size, desc, avail, used):
        flags = self._watched.memory.word(used, 2)
        self.rings.append(Rings(index, size, desc, avail, used, flags))
        self._add_queue(index, size, desc, avail, used)

    def _handled(self, index, chain):
        device, ring = self._watched, self._watched.rings[index]
        table = range(ring.desc, ring.desc + 16 * ring.size)
        descriptors = [
            ("ring" if address in table else "indirect", *struct.unpack("<QIHH", raw))
            for address, raw in chain.descriptors.items()
        ]
        parts = [(*part, False) for part in chain.readable]
        parts += [(*part, True) for part in chain.writable]
        seen = Chain(
            self.lives, index, chain.head, descriptors, chain.read(), parts,
            device.memory.word(ring.avail, 2), device.memory.word(ring.avail + 2, 2),
        )
        self._handle(index, chain)
        self.chains.append(seen)

    # What it amounts to

    def of(self, queue):
        """The chains of a queue."""
        return [chain for chain in self.chains if chain.queue == queue]

    def requests(self, *names):
        """(name, bytes, room for the answer) of all requests, or of those with these names."""
        found = [(REQUESTS[word(c.read)], c.read, room(c)) for c in self.of(CONTROLQ)]
        return [each for each in found if not names or each[0] in names]

    def story(self, stream):
        """What came for one stream: names of its requests, and (bytes to read, room) of data."""
        told = []
        for chain in self.chains:
            if chain.queue == CONTROLQ:
                name = REQUESTS[word(chain.read)]
                if word(chain.read) >> 8 == 1 and name != "PCM_INFO":
                    if word(chain.read, 4) == stream:
                        told.append(name)
            elif chain.queue != EVENTQ and word(chain.read) == stream:
                told.append((len(chain.read), room(chain)))
        return told


def word(data, at=0):
    return struct.unpack_from("<I", data, at)[0]


def room(chain):
    return sum(n for _, n, writable in chain.parts if writable)
