# SPDX-License-Identifier: MIT
"""A PCM stream in use: what playback and capture have in common.

The life cycle is the device's (5.14.6.6.1), its states have ALSA's names:

    SETUP --prepare--> PREPARED --start--> RUNNING --stop--> PAUSED --start--> RUNNING
      ^                   |                                    |
      +------ release ----+--------------- release ------------+

A call that the state does not allow raises before anything is sent.
"""

import errno
from io import IOBase
from micropython import const, schedule
from virt import load16, lock
from . import protocol
from .protocol import FORMATS

SETUP = "SETUP"
PREPARED = "PREPARED"
RUNNING = "RUNNING"
XRUN = "XRUN"
DRAINING = "DRAINING"
PAUSED = "PAUSED"
CLOSED = "CLOSED"

_IDLE = (SETUP, PREPARED)
HALTED = (PREPARED, PAUSED)
ACTIVE = (RUNNING, DRAINING)
_LIVE = (RUNNING, PAUSED)
_OPEN = (SETUP, PREPARED, RUNNING, DRAINING, PAUSED)

MARGIN_MS = const(1000)

# MicroPython's stream protocol
_POLL = const(3)
_CLOSE = const(4)
POLLIN = const(1)
POLLOUT = const(4)
_POLLERR = const(8)
_POLLNVAL = const(32)


class PCM(IOBase):
    """A stream in use; see Output and Input.

    `rate` is in Hz, `period` in frames. set_params(), prepare(), start(), stop() and release() are
    the device's own commands, for those who want them; playing and recording need none.
    """

    lost = False  # the card was reset

    def __init__(self, card, stream, rate, channels, format, period, periods, features, flow):
        if features is None:
            features = stream.features & protocol.PCM_DEFAULT
        stream.check(rate, channels, format, features)
        if period < 1:
            raise ValueError("period is %d frames, must be 1 or more" % period)
        if not 2 <= periods <= 16:
            raise ValueError("periods is %d, must be 2..16" % periods)
        bits = FORMATS[format][1] * channels
        if bits % 8:
            raise ValueError(
                "%d channel of %s is no whole number of bytes a frame"
                % (channels, protocol.format_name(format))
            )
        self.card = card
        self.stream = stream
        self.rate = rate
        self.channels = channels
        self.format = format
        self.period = period
        self.periods = periods
        self.features = features
        self.frame_bytes = bits // 8
        self.period_bytes = period * self.frame_bytes
        self._state = SETUP
        self._wait_ms = period * periods * 1000 // rate + MARGIN_MS
        self._blocking = True
        self._handler = None  # of irq()
        self._due = False  # it is scheduled
        self._batch = 1  # periods to an interrupt
        self._doing = None  # the command that is under way
        self._xruns = 0
        self._dry_at = -1  # slots submitted at the last xrun
        device = card.device
        if device.error:  # a closed one has no queues
            device.check()
        self._ring = flow(
            device, device.queues[protocol.TXQ + stream.direction], protocol.pcm_xfer(stream.id),
            self.period_bytes, self.frame_bytes, periods, protocol.OK, self,
            not features & protocol.PCM_MSG_POLLING,
        )
        self._origin = 0  # slots that the ring had submitted when prepare() was called
        users = card._users
        users.append(self)
        try:
            # A callback may have opened it since it was found to be free.
            if [user.stream for user in users].count(stream) > 1:
                raise OSError(errno.EBUSY, "stream %d is in use: close() it first" % stream.id)
            self.set_params()
            self.prepare()
        except BaseException:  # Ctrl-C too
            self.end()
            raise

    def end(self):
        """Give the stream back, whatever the device does with it."""
        if self._state is not CLOSED:
            if self._handler:
                self.irq(None)
            self._go(CLOSED)
            self.card._users.remove(self)
            self._ring.close()

    def _go(self, state):
        self._state = state
        wait_ms = 0
        if state is RUNNING:
            wait_ms = self._wait_ms if self._blocking else -1
        self._ring.running(wait_ms)

    def _command(self, what, states, request, state, once=False):
        # The state changes first, lest a callback does the same meanwhile, or queues more.
        with lock:
            before = self._state
            if once and before is state:
                return False
            self._undisturbed(what)
            self.only(what, states)
            self._doing = what
            self._go(state)
        queue = self._ring.device.queues[protocol.CONTROLQ]
        sent = load16(queue.avail_va, 2)
        try:
            self.card.request(request(self.stream.id))
        except BaseException as error:
            # Ctrl-C after the device got it: it does it all the same.
            done = not isinstance(error, OSError) and load16(queue.avail_va, 2) != sent
            if self._state is not CLOSED and not done:  # closed by a callback, with its card
                self._go(before)
            raise
        finally:
            self._doing = None
        if self.card.device.asked:  # for a reset, since it answered
            self.card.mend()
        return True

    def _undisturbed(self, what):
        # A callback can come in the middle of a command, but not wait for its end.
        if self._doing:
            raise OSError(
                errno.EBUSY,
                "stream %d: %s in the middle of %s" % (self.stream.id, what, self._doing),
            )

    def only(self, what, states):
        """OSError(EPERM) unless the state is one of `states`; ENODEV if the card was reset."""
        if self._state not in states:
            if self.lost:
                raise OSError(
                    errno.ENODEV,
                    "%s: the card was reset: open stream %d again" % (what, self.stream.id),
                )
            raise OSError(
                errno.EPERM,
                "%s in state %s: allowed in %s" % (what, self._state, " ".join(states)),
            )

    # The device's commands (5.14.6.6.1)

    def set_params(self):
        """PCM_SET_PARAMS with the parameters that the stream was opened with."""
        self.only("set_params", _IDLE)
        if self._ring.in_flight():
            raise OSError(errno.EPERM, "set_params while data is queued: release() first")
        self.card.request(
            protocol.pcm_set_params(
                self.stream.id, self.period_bytes * self.periods, self.period_bytes,
                self.features, self.channels, self.format, self.rate,
            )
        )
        self._go(SETUP)

    def prepare(self):
        """PCM_PREPARE: the stream takes or gives samples from now on. Position begins at 0."""
        self._command("prepare", _IDLE, protocol.pcm_prepare, PREPARED)
        self._begin()

    def start(self):
        """PCM_START: the device plays what is queued, or records. Nothing to do if it does."""
        if self._command("start", HALTED, protocol.pcm_start, RUNNING, True):
            self._pace()

    def stop(self):
        """PCM_STOP: the device holds what is queued. Nothing to do if it was stopped."""
        self._command("stop", ACTIVE, protocol.pcm_stop, PAUSED, True)

    def release(self):
        """PCM_RELEASE: the device returns everything that it has, done with or not."""
        self._command("release", HALTED, protocol.pcm_release, SETUP)
        # It comes back on another queue, before the answer (5.14.6.6.5.1).
        self.until(0, "gave no buffers back after PCM_RELEASE", MARGIN_MS)

    # For people

    @property
    def state(self):
        """SETUP, PREPARED, RUNNING, XRUN, DRAINING, PAUSED or CLOSED.

        XRUN is RUNNING with nothing queued: samples are missing, or getting lost. The next write()
        or readinto() ends it.
        """
        if self._state is RUNNING and self._is_dry():
            return XRUN
        return self._state

    @property
    def xruns(self):
        """How often the device had nothing left to play, or no room left to record to."""
        if self._state is RUNNING and self._is_dry():
            self.dry()
        return self._xruns

    def _is_dry(self):
        return not self._ring.in_flight() and self._ring.submitted() != self._origin

    def drop(self):
        """Stop at once; what is queued is lost. Afterwards the state is SETUP."""
        if self._state in ACTIVE:
            self.stop()
        if self._state in HALTED:
            self.release()

    def pause(self):
        """Hold the stream; what is queued stays queued. Nothing to do unless it is running."""
        if self._state is RUNNING:
            self.stop()

    def resume(self):
        """Go on after pause(). Nothing to do unless the stream is paused."""
        if self._state is PAUSED:
            self.start()

    def abort(self):
        """drop() and close(), even if the device refuses."""
        if self._state is not CLOSED:
            self._undisturbed("close")
            try:
                self.drop()
            finally:
                self.end()

    def __enter__(self):
        return self

    def __exit__(self, kind, value, traceback):
        if kind is None:
            self.close()
        else:
            self._give_up()

    def _give_up(self):
        """abort() after an exception, which is to be seen, and not what comes of it."""
        try:
            self.abort()
        except OSError:
            pass

    # As one stream among others

    def setblocking(self, flag):
        """With False, write() and readinto() do what can be done at once, and never sleep."""
        self._blocking = bool(flag)
        self._go(self._state)

    def irq(self, handler):
        """Call handler(self) soon after the device has made it ready to go on; None: no longer.

        It is a scheduled function, which may read, write and allocate. It is called while the
        stream runs: after start(), or a write() or readinto() that could not do all at once. A
        callback that leaves an output with nothing queued has no next time.

        TypeError for what cannot be called, OSError(EPERM) if the stream is closed.
        """
        if handler is not None:
            if not callable(handler):
                raise TypeError("handler is %r, must be a function or None" % (handler,))
            self.only("irq", _OPEN)
        self._handler = handler
        self.card.device.listen(self.interrupted, handler is not None)
        if self._state is not CLOSED:
            self._pace()

    def _pace(self):
        # A callback may do less than it could, so it wants an interrupt for each period.
        self._ring.rest(1 if self._handler else self._batch)
        self.interrupted()  # those before are missed

    def interrupted(self):
        """The device has interrupted."""
        if self._state not in _LIVE or not self._handler or self._due:
            return
        if self._is_dry():  # a look at all that came back: so what comes next interrupts again
            self.dry()
        if self.ready():
            try:
                schedule(self._call, None)
                self._due = True
            except RuntimeError:
                pass  # no room: after the next interrupt, then

    def _call(self, _):
        self._due = False
        if self._handler and self._state in _LIVE:
            self._handler(self)

    def ioctl(self, request, flags):
        """MicroPython's stream protocol: what select.poll and asyncio ask."""
        if request == _POLL:
            ring = self._ring
            if self._state is RUNNING and not ring.error and not ring.device.error:
                return flags & self.ready_flag if ring.ready() else 0  # the usual, in few steps
            if self._state is CLOSED:
                return _POLLNVAL
            ready = self.ready_flag if self.ready() else 0
            if self.card.device.error or self._ring.error:
                ready = self.ready_flag | _POLLERR  # whoever goes on gets the exception
            return ready & (flags | _POLLERR)
        if request == _CLOSE:
            self.close()
            return 0
        return -errno.EINVAL

    # What the ring asks of its owner; see virtio.Cycle

    def odd(self, n):
        """ValueError: n bytes are no whole frames."""
        raise ValueError("%d bytes are no whole frames of %d bytes" % (n, self.frame_bytes))

    def dry(self):
        """The device owns nothing: an xrun, unless it is the beginning."""
        if self._state in (SETUP, CLOSED):  # a callback has ended the stream
            self.only(self.move, (PREPARED, RUNNING, PAUSED))
        submitted = self._ring.submitted()
        if self._state is RUNNING and submitted != self._dry_at:
            self._dry_at = submitted
            if not self.features & protocol.PCM_EVT_XRUNS:  # else the device says so itself
                self._xruns += 1

    def event(self, xrun):
        """The device says that it had nothing to play, or no room to record to, or that a period
        is over. Return whether that is news: it was asked to, and it is not the end of a drain."""
        if not xrun:
            return self.features & protocol.PCM_EVT_PERIODS
        if self._state is not RUNNING or not self.features & protocol.PCM_EVT_XRUNS:
            return False
        self._xruns += 1
        return True

    def check(self):
        """OSError(EIO) if the device has refused data or broken the rules."""
        self._ring.device.check()
        if self._ring.error:
            raise OSError(errno.EIO, "stream %d: %s" % (self.stream.id, self._ring.error))

    def until(self, in_flight, what, ms):
        """Wait until the device owns no more slots than that; OSError(ETIMEDOUT)."""
        ring = self._ring
        self.wait(lambda: ring.in_flight() <= in_flight, what, ms)

    def _more(self, what, waited):
        # Until a slot is back; only look if the ring has waited for one before it asked.
        self.until(self.periods - 1, what, 0 if waited else self._wait_ms)
        self.check()

    def wait(self, done, what, ms):
        """Wait until done(), which is asked after every return of a slot; OSError(ETIMEDOUT)."""
        self._ring.rest(1)
        in_time = self._ring.device.wait(done, ms)
        self._ring.rest(1 if self._handler else self._batch)
        if not in_time:
            raise self.late(what)

    def late(self, what):
        """The OSError(ETIMEDOUT) of a device that does nothing."""
        return OSError(errno.ETIMEDOUT, "stream %d, %s, %s" % (self.stream.id, self._state, what))

    def latency(self):
        """Frames between the device and ear or microphone, if it tells; a second at most."""
        return min(self._ring.latency() // self.frame_bytes, self.rate)

    def __repr__(self):
        return "<%s stream %d: %s, %d Hz, %d channels, %s, %d periods of %d frames>" % (
            type(self).__name__, self.stream.id, self.state, self.rate, self.channels,
            protocol.format_name(self.format), self.periods, self.period,
        )
