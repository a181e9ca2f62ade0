# SPDX-License-Identifier: MIT
"""What jacks, streams, channel maps and control elements have in common (5.14.6.1)."""

import struct

from .protocol import BAD_MSG
from .rules import rule


class Refused(Exception):
    """The request is answered with a status other than OK. The driver broke no rule."""

    def __init__(self, status=BAD_MSG):
        super().__init__(status)
        self.status = status


def word(request, at):
    """The le32 at a byte of a request."""
    return struct.unpack_from("<I", request, at)[0]


def sized(name, request, room, want_request, want_room, section="5.14.6"):
    """A request and the room for its answer have exactly the sizes of their structures."""
    sent, want = (len(request), room), (want_request, want_room)
    rule(sent == want, section, f"{name}: {sent} bytes to read and to write, want {want}")


class Items(list):
    """One class of items, and the requests about it.

    `handlers` has, by name of the request, a function of the request and the room for its answer.
    It checks the driver's rules, and returns what carries the request out: a function that returns
    what follows the status OK, or None. Both may raise Refused.
    """

    WHAT = "item"
    INFO = None  # name of the request for records
    TOTAL = 0  # which word of the configuration space has the number of items
    RECORD_BYTES = 0

    def __init__(self, sound, items):
        super().__init__(items)
        self.sound = sound
        self.handlers = {self.INFO: self._info}

    def total(self):
        """The number that the driver was told."""
        return self.sound.device.total(self.TOTAL)

    def at(self, request):
        """The item that a request names in its second word."""
        id, total = word(request, 4), self.total()
        rule(id < total, "S-31", f"{self.WHAT} {id} of {total}")
        if id >= len(self):
            raise Refused(BAD_MSG)
        return self[id]

    def record(self, id):
        """What the device tells about an item."""
        return self[id].record()

    def _info(self, request, room):
        name = self.INFO
        rule(len(request) == 16, "5.14.6.1", f"{name} of {len(request)} bytes, want 16")
        _, start, count, size = struct.unpack("<IIII", request)
        total = self.total()
        rule(start + count <= total, "S-04", f"{name}: {start}+{count} of {total}")
        least = self.RECORD_BYTES
        rule(size >= least, "5.14.6.1", f"{name}: records of {size} bytes, they have {least}")
        rule(room >= 4 + count * size, "S-05", f"{room} bytes for {count} records of {size}")

        def tell():
            if start + count > len(self):
                raise Refused(BAD_MSG)
            stride = self.sound.stride(name, size)
            answer = b""
            for id in range(start, start + count):
                record = self.sound.tamper(name, id, self.record(id))
                answer += record[:stride].ljust(stride, b"\0")
            return answer

        return tell
