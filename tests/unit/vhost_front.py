# SPDX-License-Identifier: MIT
"""What QEMU is to a vhost-user device, and a driver that puts bytes into rings."""

import contextlib
import gc
import mmap
import os
import select
import socket
import struct

PATIENCE = 10  # s

BASE, SIZE = 0x8000_0000, 1 << 20  # the guest's memory
USER, OFFSET = 0x7F12_3456_0000, 3 * 4096  # where "QEMU" has it, and where it is in its file
RING = 16  # descriptors
ROOM = 0x1000  # bytes of memory for each ring; buffers follow
BUFFERS = 0x10000

GET_FEATURES, SET_FEATURES, SET_OWNER = 1, 2, 3
SET_MEM_TABLE, SET_VRING_NUM, SET_VRING_ADDR, SET_VRING_BASE, GET_VRING_BASE = 5, 8, 9, 10, 11
SET_VRING_KICK, SET_VRING_CALL, SET_VRING_ERR = 12, 13, 14
GET_PROTOCOL_FEATURES, SET_PROTOCOL_FEATURES, GET_QUEUE_NUM, SET_VRING_ENABLE = 15, 16, 17, 18
SET_BACKEND_REQ_FD, GET_CONFIG, SET_CONFIG, RESET_DEVICE = 21, 24, 25, 34

VERSION_1, EVENT_IDX, PROTOCOL_FEATURES = 1 << 32, 1 << 29, 1 << 30

OK = struct.pack("<I", 0x8000)
BAD_MSG = struct.pack("<I", 0x8001)
PERIOD = 64  # bytes


def set_params(stream=0):
    return struct.pack("<IIIIIBBBB", 0x101, stream, 4 * PERIOD, PERIOD, 0, 2, 5, 7, 0)


def of_stream(code, stream=0):
    return struct.pack("<II", code, stream)


PREPARE, RELEASE, START, STOP = map(of_stream, (0x102, 0x103, 0x104, 0x105))


class Front:
    """A connection to the device at `path`, and memory that it is going to share."""

    def __init__(self, path):
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.socket.settimeout(PATIENCE)
        self.socket.connect(str(path))
        self.memory_fd = os.memfd_create("guest")
        os.truncate(self.memory_fd, OFFSET + SIZE)
        self.mapped = mmap.mmap(self.memory_fd, OFFSET + SIZE)
        self.memory = memoryview(self.mapped)[OFFSET:]
        self.rings = [Ring(self, i) for i in range(4)]
        self.channel = None

    # Messages

    def send(self, request, body=b"", fds=(), flags=1):
        message = struct.pack("<III", request, flags, len(body)) + body
        socket.send_fds(self.socket, [message], list(fds))

    def receive(self):
        """(request, flags, body) of a reply."""
        request, flags, size = struct.unpack("<III", self._exactly(12))
        return request, flags, self._exactly(size)

    def _exactly(self, n):
        data = b""
        while len(data) < n:
            piece = self.socket.recv(n - len(data))
            assert piece, "the device hung up"
            data += piece
        return data

    def ask(self, request, body=b"", fds=(), flags=1):
        """The body of the reply, its header being as it should."""
        self.send(request, body, fds, flags)
        answered, reply_flags, answer = self.receive()
        assert (answered, reply_flags) == (request, 5)
        return answer

    def do(self, request, body=b"", fds=()):
        """Sends a request that wants to know whether it succeeded; it has to."""
        assert self.ask(request, body, fds, flags=9) == bytes(8)

    def hung_up(self):
        """True once the device has ended the connection."""
        try:
            while self.socket.recv(4096):
                pass
        except ConnectionResetError:
            pass
        return True

    # Life

    def greet(self):
        """What QEMU says when it starts."""
        self.offered = struct.unpack("<Q", self.ask(GET_FEATURES))[0]
        protocol = struct.unpack("<Q", self.ask(GET_PROTOCOL_FEATURES))[0]
        self.send(SET_PROTOCOL_FEATURES, struct.pack("<Q", protocol))
        self.ask(GET_QUEUE_NUM)
        self.channel, theirs = socket.socketpair()
        self.channel.settimeout(PATIENCE)
        with theirs:
            self.do(SET_BACKEND_REQ_FD, fds=[theirs.fileno()])
        self.send(SET_OWNER)
        return self

    def table(self):
        return struct.pack("<IIQQQQ", 1, 0, BASE, SIZE, USER, OFFSET)

    def start(self, features=VERSION_1, clear=True):
        """What QEMU says when the driver sets DRIVER_OK; clear: the driver made its rings anew."""
        if clear:
            self.memory[:BUFFERS] = bytes(BUFFERS)
            for ring in self.rings:
                ring.begin()
        self.send(SET_FEATURES, struct.pack("<Q", features | PROTOCOL_FEATURES))
        self.do(SET_MEM_TABLE, self.table(), [self.memory_fd])
        for ring in self.rings:
            ring.set_up()
        for ring in self.rings:
            self.do(SET_VRING_ENABLE, struct.pack("<II", ring.index, 1))
        if clear:
            self.rings[1].submit((BASE + BUFFERS + 0xF000, 8, 1))  # for events
        return self

    def stop(self):
        """What QEMU says when the driver resets the device, and when the machine is paused."""
        for ring in self.rings:
            self.do(SET_VRING_ENABLE, struct.pack("<II", ring.index, 0))
        for ring in self.rings:
            index, ring.base = struct.unpack(
                "<II", self.ask(GET_VRING_BASE, struct.pack("<II", ring.index, 0))
            )
            assert index == ring.index

    def control(self, request, room=4):
        """The answer to a control request."""
        control = self.rings[0]
        at = BASE + BUFFERS
        self.put(at, request)
        self.put(at + 0x1000, b"\xee" * room)
        n = control.wait(control.submit((at, len(request), 0), (at + 0x1000, room, 1)))
        return self.get(at + 0x1000, n)

    def put(self, address, data):
        self.memory[address - BASE : address - BASE + len(data)] = data

    def get(self, address, n):
        return bytes(self.memory[address - BASE : address - BASE + n])

    def close(self):
        self.socket.close()
        for ring in self.rings:
            ring.close()
        if self.channel is not None:
            self.channel.close()
        self.memory.release()
        self.mapped.close()
        os.close(self.memory_fd)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


class Ring:
    """The driver's side of one queue, and the eventfds that QEMU has for it."""

    def __init__(self, front, index):
        self.front, self.index = front, index
        self.desc = BASE + index * ROOM
        self.avail, self.used = self.desc + 0x200, self.desc + 0x400
        self.fds = [os.eventfd(0, os.EFD_NONBLOCK) for _ in range(3)]
        self.kick_fd, self.call_fd, self.err_fd = self.fds
        self.begin()

    def begin(self):
        self.base = self.idx = self.free = 0
        self.seen = 0  # of used.idx

    def set_up(self):
        front, index = self.front, self.index
        places = (address - BASE + USER for address in (self.desc, self.used, self.avail))
        front.send(SET_VRING_NUM, struct.pack("<II", index, RING))
        front.send(SET_VRING_BASE, struct.pack("<II", index, self.base))
        front.send(SET_VRING_ADDR, struct.pack("<IIQQQQ", index, 0, *places, 0))
        front.send(SET_VRING_KICK, struct.pack("<Q", index), [self.kick_fd])
        front.send(SET_VRING_CALL, struct.pack("<Q", index), [self.call_fd])
        front.send(SET_VRING_ERR, struct.pack("<Q", index), [self.err_fd])
        with contextlib.suppress(OSError):  # some tests give files that are no eventfds
            os.eventfd_write(self.kick_fd, 1)  # QEMU's own: the driver may have been early

    def submit(self, *parts, kick=True):
        """Makes a chain of (address, bytes, 1 if the device writes) available. Its head."""
        head = self.free
        for i, (address, n, write) in enumerate(parts):
            last = i == len(parts) - 1
            flags = 2 * write | (not last)
            raw = struct.pack("<QIHH", address, n, flags, (head + i + 1) % RING)
            self.front.put(self.desc + 16 * ((head + i) % RING), raw)
        self.free = (head + len(parts)) % RING
        self.offer(head)
        if kick:
            os.eventfd_write(self.kick_fd, 1)
        return head

    def offer(self, head, step=1):
        self.front.put(self.avail + 4 + 2 * (self.idx % RING), struct.pack("<H", head))
        self.idx = (self.idx + step) & 0xFFFF
        self.front.put(self.avail + 2, struct.pack("<H", self.idx))

    def used_idx(self):
        return struct.unpack("<H", self.front.get(self.used + 2, 2))[0]

    def wait(self, head):
        """Bytes that the device wrote, the next chain that it gives back being this one."""
        notified(self.call_fd)
        assert self.used_idx() == (self.seen + 1) & 0xFFFF
        at = self.used + 4 + 8 * (self.seen % RING)
        self.seen += 1
        got, n = struct.unpack("<II", self.front.get(at, 8))
        assert got == head
        return n

    def close(self):
        for fd in self.fds:
            os.close(fd)


def notified(fd):
    """Waits for an eventfd and takes what is in it."""
    assert select.select([fd], [], [], PATIENCE)[0], "no notification"
    return os.eventfd_read(fd)


def open_files():
    """How many files this process, in which the device runs, has open."""
    gc.collect()  # whatever earlier tests left
    return len(os.listdir("/proc/self/fd"))


def u32(*values):
    return struct.pack(f"<{len(values)}I", *values)


def u64(*values):
    return struct.pack(f"<{len(values)}Q", *values)
