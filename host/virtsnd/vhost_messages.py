# SPDX-License-Identifier: MIT
"""The messages of vhost-user: how they go over the socket, and what each has with it."""

import os
import socket
import struct
import time

VERSION, REPLY, NEED_REPLY = 1, 4, 8  # flags of a message
HEADER = struct.Struct("<III")  # request, flags, bytes that follow
BODY_MAX = 4096  # bytes; the largest body that a front end sends has less than 300
FDS_MAX = 8  # with one message
PATIENCE = 5  # s, for the first message and for the rest of one that has begun

# By number: the name of a request, how many bytes its body has (None: it varies), and how many
# file descriptors come with it (None: it varies). Those without a handler below are refused.
REQUESTS = {
    1: ("GET_FEATURES", 0, 0),
    2: ("SET_FEATURES", 8, 0),
    3: ("SET_OWNER", 0, 0),
    4: ("RESET_OWNER", 0, 0),
    5: ("SET_MEM_TABLE", None, None),
    8: ("SET_VRING_NUM", 8, 0),
    9: ("SET_VRING_ADDR", 40, 0),
    10: ("SET_VRING_BASE", 8, 0),
    11: ("GET_VRING_BASE", 8, 0),
    12: ("SET_VRING_KICK", 8, None),
    13: ("SET_VRING_CALL", 8, None),
    14: ("SET_VRING_ERR", 8, None),
    15: ("GET_PROTOCOL_FEATURES", 0, 0),
    16: ("SET_PROTOCOL_FEATURES", 8, 0),
    17: ("GET_QUEUE_NUM", 0, 0),
    18: ("SET_VRING_ENABLE", 8, 0),
    21: ("SET_BACKEND_REQ_FD", 0, 1),
    24: ("GET_CONFIG", None, 0),
    25: ("SET_CONFIG", None, 0),
    34: ("RESET_DEVICE", 0, 0),
    39: ("SET_STATUS", 8, 0),
    40: ("GET_STATUS", 0, 0),
}


class ProtocolError(Exception):
    """The front end said what no front end may say. One line; the connection is of no use."""


def check(good, text):
    if not good:
        raise ProtocolError(text)


class Connection:
    """The socket to a front end, which has `deadline` to say something (time.monotonic()).

    `spoke`: a whole message has come. ProtocolError and EOFError end a connection: close() it.
    """

    def __init__(self, line):
        self.line = line
        self.spoke = False
        self.deadline = time.monotonic() + PATIENCE  # None: it may take its time
        self._data = b""
        self._fds = []
        line.setblocking(False)

    def receive(self):
        """Read what is there. Return a message if it is complete, else None.

        A message: (number, flags, body, file descriptors). The receiver takes from the list what
        it keeps, and closes the rest.
        """
        whole = HEADER.size
        if len(self._data) >= whole:
            whole += HEADER.unpack_from(self._data)[2]
        try:
            data, fds, flags, _ = socket.recv_fds(self.line, whole - len(self._data), FDS_MAX)
        except BlockingIOError:
            return None
        except OSError:
            raise EOFError from None
        self._fds += fds
        if not data:
            check(not self._data, f"the connection ended within a message: {self._data.hex()}")
            raise EOFError
        if not self._data:
            self.deadline = time.monotonic() + PATIENCE
        self._data += data
        check(not flags & socket.MSG_CTRUNC, f"more than {FDS_MAX} file descriptors at once")
        if len(self._data) < HEADER.size:
            return None
        number, flags, size = HEADER.unpack_from(self._data)
        check(flags & 3 == VERSION, f"message {number} of version {flags & 3}, want {VERSION}")
        check(size <= BODY_MAX, f"message {number} of {size} bytes, want {BODY_MAX} at most")
        if len(self._data) < HEADER.size + size:
            return None
        message = number, flags, self._data[HEADER.size :], self._fds
        self._data, self._fds, self.deadline = b"", [], None
        self.spoke = True
        return message

    def reply(self, number, body):
        """Answer the message with this number."""
        try:
            # A reply is small, and QEMU waits for it: it fits, unless this is not QEMU.
            self.line.sendall(HEADER.pack(number, VERSION | REPLY, len(body)) + body)
        except BlockingIOError:
            raise ProtocolError("it does not read what it asked for") from None
        except OSError:
            raise EOFError from None

    def close(self):
        for fd in self._fds:
            os.close(fd)
        self._fds = []
        self.line.close()
