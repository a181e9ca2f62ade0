# SPDX-License-Identifier: MIT
"""The device as a program of its own: an event loop, real time, and one QEMU after the other."""

import contextlib
import os
import select
import selectors
import socket
import stat
import sys
import threading
import time
from collections import deque

from .clock import Clock
from .guarded import GuardedDevice
from .vhost_memory import GuestMemory
from .vhost_messages import Connection, ProtocolError
from .vhost_user import Session

PATIENCE = 20  # s that another thread waits for the loop
UNREAD_MAX = 1000  # messages, and parts of them, of a QEMU that may have left
SLACK = 5000  # µs that the clock makes up for when it is late
NEW = ".new"  # what follows the name of a socket at which nobody listens yet
PATH_MAX = 107 - len(NEW)  # bytes


class DaemonError(Exception):
    """The device cannot serve; one line: what was wrong, and what would be right."""


class RealClock(Clock):
    """A Clock that follows real time, while it is not frozen. It begins frozen.

    A computer under load may let the loop wait. What that costs beyond SLACK is no time of the
    device: else periods would pass that the driver had no chance to fill.
    """

    def __init__(self):
        super().__init__()
        self._zero = None  # the real time at which `now` would have been 0; None: frozen

    @property
    def running(self):
        """False while it is frozen."""
        return self._zero is not None

    def freeze(self):
        self._zero = None

    def thaw(self):
        if not self.running:
            self._zero = self._real() - self.now

    @staticmethod
    def _real():
        return time.monotonic_ns() // 1000

    def follow(self):
        """Let so much time pass as really did, and what is due happen."""
        if not self.running:
            return
        passed = self._real() - self._zero
        if self._due:
            late = passed - max(self._due[0][0] + SLACK, self.now)
            if late > 0:
                self._zero += late
                passed -= late
        if passed > self.now:
            self.run(passed - self.now)

    def clear(self):
        """Forget whatever is going to happen."""
        self._due.clear()

    def left(self):
        """Seconds until something is due; None if nothing is going to be."""
        if not self.running or not self._due:
            return None
        return max(self._due[0][0] + self._zero - self._real(), 0) / 1e6


class Daemon:
    """A sound device at the Unix socket `path`, which it makes, for one QEMU after the other.

    DaemonError if that cannot be. options: arguments of SoundDevice besides clock and memory.
    setup(device) is called before each start of the device by a driver. say(text): where lines
    for the user go.

    `device` is the GuardedDevice. ended(streams) is called when a driver's time with it is over.

    serve() is the loop. Another thread may use stop() and call() only.
    """

    def __init__(self, path, options=None, setup=None, say=None):
        self.path = os.fspath(path)
        self.say = say or (lambda text: print(text, file=sys.stderr, flush=True))
        self.setup = setup
        self.clock = RealClock()
        self.memory = GuestMemory()
        self.device = GuardedDevice(self.clock, self.memory, **(options or {}))
        self.device.transport = self
        self.device.on_breach = lambda breach: self.say(f"breach of {breach}")
        self.device.on_unable = lambda bits: self.say(
            f"the driver accepted features {bits:#x}, which are only offered: the device is dead"
        )
        self.ended = lambda streams: None
        self.session = None
        self._past = []  # the streams of each life but the last one
        self._begun = False  # whether a driver has ever started the device
        self._alive = False  # whether one has, and nobody was told of its end
        self._served = False  # whether a QEMU has been here
        self._stopping = False
        self._ended = False  # whether serve() has returned
        self._posted = deque()
        self._posting = threading.RLock()  # a signal handler may come while it is held
        self._listener = listen(self.path)
        self._selector = selectors.DefaultSelector()
        self._wake = os.eventfd(0, os.EFD_NONBLOCK | os.EFD_CLOEXEC)
        self._selector.register(self._wake, selectors.EVENT_READ, self._woken)
        self._selector.register(self._listener, selectors.EVENT_READ, self._accept)

    @property
    def lives(self):
        """For each time that a driver started the device, the list of its streams."""
        return self._past + [self.device.sound.streams] * self._begun

    # For the session

    def watch(self, fd, call):
        try:
            self._selector.register(fd, selectors.EVENT_READ, call)
        except (OSError, ValueError, KeyError) as error:
            raise ProtocolError(f"file descriptor that cannot be waited for: {error}") from None

    def unwatch(self, fd):
        # It may be one that could not be waited for: then the session ends, and all are unwatched.
        with contextlib.suppress(KeyError):
            self._selector.unregister(fd)

    def config_changed(self):
        """The core changed its configuration space."""
        if self.session is not None:
            self.session.config_changed()

    def begin(self):
        """A driver starts the device anew."""
        self._end_life()
        self._past = self.lives
        self.device.reset()
        self.clock.clear()
        self._begun = self._alive = True
        if self.setup is not None:
            self.setup(self.device)

    def _end_life(self):
        if self._alive:
            self._alive = False
            self.ended(self.device.sound.streams)

    # The loop

    def serve(self, once=False):
        """Serve until stop(); with `once`, until the first QEMU has left."""
        try:
            while not self._stopping:
                self.turn()
                if once and self.session is None and self._served:
                    return
        finally:
            self._ended = True

    def turn(self):
        """Wait until something happens, and do what there is to do."""
        ready = self._selector.select(self._patience())
        self._in_session(self.device.guard, self.clock.follow)
        for key, _ in ready:
            # What came before it may have closed it.
            if self._selector.get_map().get(key.fd) is key:
                self._in_session(key.data)
        self._in_session(self.device.guard, self.clock.follow)
        if self._deadline and self._deadline < time.monotonic():
            self._leave("it said nothing, or only half a message")

    @property
    def _deadline(self):
        return self.session and self.session.connection.deadline

    def _patience(self):
        waits = [self.clock.left()]
        if self._deadline:
            waits.append(max(self._deadline - time.monotonic(), 0))
        return min((w for w in waits if w is not None), default=None)

    def _in_session(self, call, *arguments):
        try:
            call(*arguments)
        except ProtocolError as error:
            self._leave(str(error))
        except EOFError:
            self._leave()

    def _accept(self):
        try:
            line, _ = self._listener.accept()
        except OSError:
            return  # it went away again
        self._catch_up()
        if self.session is not None:
            line.close()
            self.say("a second QEMU was turned away: one at a time")
            return
        self.session = Session(
            Connection(line), self, self.device, self.memory, self.say, self.begin
        )
        self._selector.register(line, selectors.EVENT_READ, self.session.receive)

    def _catch_up(self):
        """Read what the QEMU of now has said: it may have left already."""
        for _ in range(UNREAD_MAX):
            if self.session is None:
                return
            if not select.select([self.session.connection.line], [], [], 0)[0]:
                return
            self._in_session(self.session.receive)

    def _leave(self, why=None):
        if why is not None:
            self.say(f"QEMU was turned away: {why}")
        session, self.session = self.session, None
        self._selector.unregister(session.connection.line)
        session.close()
        # Who only looks whether somebody listens does not count.
        self._served |= session.connection.spoke
        self._end_life()

    # Other threads

    def _woken(self):
        os.eventfd_read(self._wake)
        while self._posted:
            self._posted.popleft()()

    def _post(self, call):
        with self._posting:
            if self._wake is not None:
                self._posted.append(call)
                os.eventfd_write(self._wake, 1)

    def stop(self):
        """Let serve() return. For signal handlers and other threads too."""
        self._post(lambda: setattr(self, "_stopping", True))

    def call(self, function, *arguments):
        """Call function(*arguments) in the loop; return what it returns, raise what it raises.

        DaemonError if the loop has ended, TimeoutError if it does not come to it.
        """
        done, result = threading.Event(), []

        def run():
            try:
                result.append((function(*arguments), None))
            except BaseException as error:  # an exit() too: it is the caller's
                result.append((None, error))
            done.set()

        self._post(run)
        end = time.monotonic() + PATIENCE
        while not done.wait(0.01):
            if self._ended and not done.is_set():
                raise DaemonError("the device has ended")
            if time.monotonic() > end:
                raise TimeoutError(f"the device's loop did nothing for {PATIENCE} s")
        value, error = result[0]
        if error is not None:
            raise error
        return value

    def close(self):
        """Send QEMU away, if one is there, and remove the socket."""
        if self.session is not None:
            self._leave()
        self._selector.close()
        self._listener.close()
        with self._posting:
            os.close(self._wake)
            self._wake = None
        with contextlib.suppress(FileNotFoundError):
            os.unlink(self.path)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


def listen(path):
    """A listening Unix socket. A socket that a dead process left is replaced.

    Who waits until it is there can connect at once.
    """
    if len(os.fsencode(path)) > PATH_MAX:
        raise DaemonError(f"{path}: longer than {PATH_MAX} bytes, too long for a socket's name")
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        for name in (path, path + NEW):
            if left_behind(name):
                os.unlink(name)
        listener.bind(path + NEW)
        os.chmod(path + NEW, 0o600)  # whatever the umask; before anybody can connect
        listener.listen()
        listener.setblocking(False)
        os.rename(path + NEW, path)
    except OSError as error:
        listener.close()
        raise DaemonError(f"cannot listen at {path}: {error.strerror}") from None
    except DaemonError:
        listener.close()
        raise
    return listener


def left_behind(path):
    """True if there is a socket at `path` at which nobody listens. DaemonError if it is in use."""
    try:
        mode = os.stat(path).st_mode
    except FileNotFoundError:
        return False
    if not stat.S_ISSOCK(mode):
        raise DaemonError(f"{path} is there, and no socket: name one that may be made")
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        try:
            probe.connect(path)
        except ConnectionRefusedError:
            return True
    raise DaemonError(f"another device listens at {path}: name another socket, or end that one")
