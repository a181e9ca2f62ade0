# SPDX-License-Identifier: MIT
"""The device behind QEMU's `vhost-user-snd`: the vhost-user protocol, from the device's end.

QEMU keeps the registers and tells over a Unix socket which features the driver accepted, where
the guest's memory and the rings are, and by which eventfds the two sides notify each other.
"""

import os
import socket
import struct

from .rules import rule
from .vhost_messages import HEADER, NEED_REPLY, REQUESTS, VERSION, ProtocolError, check

PROTOCOL_FEATURES = 1 << 30  # the feature bit; the guest never sees it
# MQ, REPLY_ACK, BACKEND_REQ, CONFIG, STATUS
OFFERED = 1 << 0 | 1 << 3 | 1 << 5 | 1 << 9 | 1 << 16
CONFIG_CHANGE = 2  # the one request of the device's end, on its own channel
CONFIG_MAX = 256  # bytes
NO_FD = 1 << 8  # in the body of SET_VRING_KICK, _CALL and _ERR


class Queue:
    """What the front end said of one queue."""

    def __init__(self):
        self.num = 0
        self.base = 0  # of the available ring: where to begin
        self.addresses = None  # of QEMU: desc, used, avail
        self.enabled = False
        self.fds = {}  # "kick", "call", "err": eventfds

    def set_fd(self, name, fd):
        self.close(name)
        if fd is not None:
            self.fds[name] = fd

    def close(self, *names):
        for name in names:
            if name in self.fds:
                os.close(self.fds.pop(name))

    def signal(self, name):
        if name in self.fds:
            try:
                os.eventfd_write(self.fds[name], 1)
            except OSError as error:
                raise ProtocolError(f"SET_VRING_{name.upper()}: {error.strerror}") from None


class Session:
    """One QEMU: from its connection to its end.

    loop: watch(fd, call), unwatch(fd), and `clock` with freeze() and thaw(). device: a
    GuardedDevice. say(text): one line for the user. begin() resets the device for another start.
    Call receive() when there is something to read; ProtocolError and EOFError end it, and
    then close() has to be called.
    """

    def __init__(self, connection, loop, device, memory, say, begin):
        self.connection = connection
        self.loop = loop
        self.device = device
        self.memory = memory
        self.say = say
        self.begin = begin
        self.queues = [Queue() for _ in device.queue_max]
        self.features = None
        self.status = 0
        self.live = False
        self.channel = None  # by which the device's end may speak first
        self._left = None  # what the rings were like when they were stopped
        device.on_used = lambda index: self.queues[index].signal("call")
        device.on_dead = lambda index: self.queues[index].signal("err")

    # Messages

    def receive(self):
        """Read what is there; handle a message if it is complete."""
        message = self.connection.receive()
        if message:
            number, flags, body, fds = message
            try:
                answer = self._handle(number, flags, body, fds)
            finally:
                for fd in fds:  # those that nobody took
                    os.close(fd)
            if answer is not None:
                self.connection.reply(number, answer)

    def _handle(self, number, flags, body, fds):
        name, size, count = REQUESTS.get(number, (None, None, None))
        if name is None:
            check(flags & NEED_REPLY, f"message {number}: not known here, and maybe awaited")
            self.say(f"message {number} refused: not known here")
            return struct.pack("<Q", 1)
        check(size in (None, len(body)), f"{name} of {len(body)} bytes, want {size}")
        check(count in (None, len(fds)), f"{name} with {len(fds)} file descriptors, want {count}")
        answer = getattr(self, "_" + name.lower())(body, fds)
        if answer is None and flags & NEED_REPLY:
            return struct.pack("<Q", 0)
        return answer

    # What the device offers

    def _get_features(self, body, fds):
        return struct.pack("<Q", self.device.features | PROTOCOL_FEATURES)

    def _set_features(self, body, fds):
        (features,) = struct.unpack("<Q", body)
        check(features & PROTOCOL_FEATURES, "SET_FEATURES without PROTOCOL_FEATURES (bit 30)")
        self.features = features & ~PROTOCOL_FEATURES

    def _get_protocol_features(self, body, fds):
        return struct.pack("<Q", OFFERED)

    def _set_protocol_features(self, body, fds):
        (bits,) = struct.unpack("<Q", body)
        check(not bits & ~OFFERED, f"protocol features {bits & ~OFFERED:#x} were not offered")

    def _get_queue_num(self, body, fds):
        return struct.pack("<Q", len(self.queues))

    def _set_owner(self, body, fds):
        pass

    def _set_backend_req_fd(self, body, fds):
        try:
            channel = socket.socket(fileno=fds[0])
        except OSError as error:
            raise ProtocolError(f"SET_BACKEND_REQ_FD: no socket: {error.strerror}") from None
        fds.pop()
        self._close_channel()
        self.channel = channel
        channel.setblocking(False)

    def _get_status(self, body, fds):
        return struct.pack("<Q", self.status)

    def _set_status(self, body, fds):
        (self.status,) = struct.unpack("<Q", body)

    # Configuration space

    def _config_part(self, name, body):
        check(len(body) >= 12, f"{name} of {len(body)} bytes, want 12 at least")
        offset, size, _ = struct.unpack_from("<III", body)
        inside = size == len(body) - 12 and offset + size <= CONFIG_MAX
        check(inside, f"{name}: {size} bytes at {offset} in a message with {len(body) - 12}")
        return offset, size

    def _get_config(self, body, fds):
        offset, size = self._config_part("GET_CONFIG", body)
        config = self.device.config().ljust(CONFIG_MAX, b"\0")
        return body[:12] + config[offset : offset + size]

    def _set_config(self, body, fds):
        offset, size = self._config_part("SET_CONFIG", body)
        self.device.guard(
            rule, False, "M-02", f"{size} bytes written to the configuration space, at {offset}"
        )

    def config_changed(self):
        """Tell the driver that the configuration space changed."""
        if self.channel is not None:
            try:
                self.channel.send(HEADER.pack(CONFIG_CHANGE, VERSION, 0))
            except BlockingIOError:
                pass  # QEMU has not yet looked at the last ones, which say the same
            except OSError as error:
                raise ProtocolError(f"QEMU does not listen: {error.strerror}") from None

    # Memory and queues

    def _set_mem_table(self, body, fds):
        check(len(body) >= 8, f"SET_MEM_TABLE of {len(body)} bytes, want 8 at least")
        (count,) = struct.unpack_from("<I", body)
        check(
            count == len(fds) and len(body) == 8 + 32 * count,
            f"SET_MEM_TABLE: {count} regions in {len(body)} bytes with {len(fds)} descriptors",
        )
        self.memory.map(struct.iter_unpack("<QQQQ", body[8:]), fds)

    def _queue(self, index):
        check(index < len(self.queues), f"queue {index} of {len(self.queues)}")
        return self.queues[index]

    def _idle_queue(self, index):
        queue = self._queue(index)
        check(not (self.live and queue.enabled), f"queue {index} set up while it is in use")
        return queue

    def _set_vring_num(self, body, fds):
        index, num = struct.unpack("<II", body)
        check(0 < num <= 32768, f"SET_VRING_NUM: {num}, want 1 to 32768")
        self._idle_queue(index).num = num

    def _set_vring_addr(self, body, fds):
        index, _, desc, used, avail, _ = struct.unpack("<IIQQQQ", body)
        self._idle_queue(index).addresses = desc, avail, used

    def _set_vring_base(self, body, fds):
        index, base = struct.unpack("<II", body)
        check(base < 1 << 16, f"SET_VRING_BASE: {base}, want less than 65536")
        self._idle_queue(index).base = base

    def _get_vring_base(self, body, fds):
        index, _ = struct.unpack("<II", body)
        queue = self._queue(index)
        self._stop()
        queue.close("kick")
        queue.enabled = False
        return struct.pack("<II", index, self.device.taken(index))

    def _fd_of(self, name, body, fds):
        (value,) = struct.unpack("<Q", body)
        check(value < 2 * NO_FD, f"SET_VRING_{name.upper()}: {value:#x}")
        check(len(fds) == (not value & NO_FD), f"SET_VRING_{name.upper()}: {len(fds)} descriptors")
        queue = self._queue(value & 0xFF)
        if fds:
            try:
                os.set_blocking(fds[0], False)
            except OSError as error:
                text = f"SET_VRING_{name.upper()}: no eventfd: {error.strerror}"
                raise ProtocolError(text) from None
        return queue, value & 0xFF, fds.pop() if fds else None

    def _set_vring_kick(self, body, fds):
        check(fds, "SET_VRING_KICK without an eventfd: the device does not look by itself")
        queue, index, fd = self._fd_of("kick", body, fds)
        if self.live and "kick" in queue.fds:
            self.loop.unwatch(queue.fds["kick"])
        queue.set_fd("kick", fd)
        if self.live and queue.enabled:
            self._watch(index)

    def _set_vring_call(self, body, fds):
        queue, _, fd = self._fd_of("call", body, fds)
        queue.set_fd("call", fd)

    def _set_vring_err(self, body, fds):
        queue, _, fd = self._fd_of("err", body, fds)
        queue.set_fd("err", fd)

    def _set_vring_enable(self, body, fds):
        index, enable = struct.unpack("<II", body)
        queue = self._queue(index)
        if not enable:
            self._stop()
        queue.enabled = bool(enable)
        ready = [q for q in self.queues if "kick" in q.fds]
        if not self.live and ready and all(q.enabled for q in ready):
            self._start()

    # The device's life

    def _rings(self):
        """All that says whether rings are the same as they were."""
        return self.features, [(q.num, q.base, q.addresses) for q in self.queues]

    def _start(self):
        """The driver has set DRIVER_OK, or the machine goes on after a pause."""
        check(self.features is not None, "queues enabled before SET_FEATURES")
        ready = [i for i, q in enumerate(self.queues) if "kick" in q.fds]
        # After a reset of the device rings begin at 0; after a pause, where they were.
        resumed = self._rings() == self._left and any(q.base for q in self.queues)
        if not resumed:
            for i in ready:
                check(self.queues[i].num and self.queues[i].addresses, f"queue {i} has no ring")
            rings = {
                i: (self.queues[i].num, *map(self.memory.physical, self.queues[i].addresses))
                for i in ready
            }
            self.begin()
            self.device.up(self.features, rings)
        self.live = self.device.live = True
        self.loop.clock.thaw()
        for i in ready:
            self._watch(i)

    def _stop(self):
        """The driver has reset the device, or the machine is paused: nobody says which.

        The device stands still until it is known.
        """
        if self.live:
            self.live = self.device.live = False
            self.loop.clock.freeze()
            for index, queue in enumerate(self.queues):
                if "kick" in queue.fds:
                    self.loop.unwatch(queue.fds["kick"])
                queue.base = self.device.taken(index)
            self._left = self._rings()

    def _reset_device(self, body, fds):
        self._stop()
        self._left = None

    _reset_owner = _reset_device

    def _watch(self, index):
        fd = self.queues[index].fds["kick"]
        own = 1  # QEMU kicks every queue once by itself

        def kicked():
            nonlocal own
            try:
                count = os.eventfd_read(fd)
            except BlockingIOError:
                return
            except OSError as error:
                raise ProtocolError(f"SET_VRING_KICK: {error.strerror}") from None
            if count > own:
                self.device.guard(self.device.kick, index)
            else:
                self.device.guard(self.device.serve, index)
            own = 0

        self.loop.watch(fd, kicked)

    # The end

    def _close_channel(self):
        if self.channel is not None:
            self.channel.close()
            self.channel = None

    def close(self):
        """Let go of everything that came from QEMU. The device stands still."""
        self._stop()
        for queue in self.queues:
            queue.close(*list(queue.fds))
        self._close_channel()
        self.connection.close()
        self.memory.unmap()
