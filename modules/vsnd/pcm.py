# SPDX-License-Identifier: MIT
"""PCM streams: what one offers, and playback.

The life of a period: write() copies samples into a slot of a ring (virtio.Cycle); when
the slot is full its chain (header, data, status) goes to the device; the device returns
it once it has taken the samples; the interrupt handler checks the status, and write()
fills the slot again. The chains are laid out once, nothing is allocated per period.
"""

import errno
from micropython import const
from time import sleep_ms
from virtio import Cycle
from . import protocol
from .protocol import FORMATS, RATES

SETUP = "SETUP"
PREPARED = "PREPARED"
RUNNING = "RUNNING"
DRAINING = "DRAINING"
PAUSED = "PAUSED"
CLOSED = "CLOSED"

_IDLE = (SETUP, PREPARED)
_HALTED = (PREPARED, PAUSED)
_ACTIVE = (RUNNING, DRAINING)

# A device may hold samples that it has already returned. One that reports
# latency_bytes says how many; for others, QEMU's figures: a mixing buffer of 1024
# frames, emptied by a timer of 10 ms, two ticks behind.
_TAIL_FRAMES = const(1024)
_TAIL_MS = const(25)

_MARGIN_MS = const(1000)


class Stream:
    """What the device says about stream `id` (5.14.6.6.2), read once at probe.

    direction 0 is output, 1 is input; formats and rates are bit masks, see formats_list().
    """

    def __init__(self, id, nid, features, formats, rates, direction, channels_min, channels_max):
        self.id = id
        self.hda_fn_nid = nid
        self.features = features
        self.formats = formats
        self.rates = rates
        self.direction = direction
        self.channels_min = channels_min
        self.channels_max = channels_max

    def __repr__(self):
        return "stream %d: %s, %d..%d channels, %s, %s Hz" % (
            self.id,
            ("output", "input")[self.direction] if self.direction < 2 else "unusable",
            self.channels_min,
            self.channels_max,
            " ".join(protocol.named(self.formats, [f[0] for f in FORMATS])),
            " ".join(str(r) for r in protocol.named(self.rates, RATES)),
        )

    def check(self, rate, channels, format):
        """ValueError, saying what there is, unless the stream offers all three."""
        if rate not in RATES or not self.rates >> RATES.index(rate) & 1:
            raise ValueError(
                "stream %d has no rate %s Hz, but %s"
                % (self.id, rate, " ".join(str(r) for r in protocol.named(self.rates, RATES)))
            )
        if not isinstance(format, int) or not 0 <= format < 64 or not self.formats >> format & 1:
            name = protocol.format_name(format) if isinstance(format, int) else format
            raise ValueError(
                "stream %d has no format %s, but %s"
                % (
                    self.id,
                    name,
                    " ".join(protocol.named(self.formats, [f[0] for f in FORMATS])),
                )
            )
        if not self.channels_min <= channels <= self.channels_max:
            raise ValueError(
                "stream %d has no %d channels, but %d..%d"
                % (self.id, channels, self.channels_min, self.channels_max)
            )


class Output:
    """Playback on one stream; made by Card.output().

    `state` is one of SETUP, PREPARED, RUNNING, DRAINING, PAUSED, CLOSED; `xruns` counts how
    often the device had nothing left to play. write() prepares and starts the stream by
    itself; set_params(), prepare(), start(), stop() and release() are the device's own commands
    for those who want them.
    """

    def __init__(self, card, stream, rate, channels, format, period, periods):
        stream.check(rate, channels, format)
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
        self.frame_bytes = bits // 8
        self.period_bytes = period * self.frame_bytes
        self.xruns = 0
        self.state = SETUP
        self._wait_ms = period * periods * 1000 // rate + _MARGIN_MS
        self._ring = Cycle(
            card.device, card.tx, protocol.pcm_xfer(stream.id), self.period_bytes,
            self.frame_bytes, periods, protocol.OK, self,
        )
        self.write = self._ring.write  # the same as below, without a detour
        self._origin = 0  # periods that the ring had submitted when prepare() was called
        self._dry_at = -1  # and at the last underrun
        card._users.append(self)
        try:
            self.set_params()
            self.prepare()
        except BaseException:  # Ctrl-C too
            self._free()
            raise

    def _free(self):
        self.state = CLOSED
        self._ring.running(0)
        self.card._users.remove(self)
        self._ring.close()

    def _command(self, request, state):
        self.card.request(request(self.stream.id))
        self.state = state
        self._ring.running(self._wait_ms if state is RUNNING else 0)

    def _only(self, what, states):
        if self.state not in states:
            raise OSError(
                errno.EPERM, "%s in state %s: allowed in %s" % (what, self.state, " ".join(states))
            )

    # The device's commands (5.14.6.6.1)

    def set_params(self):
        """PCM_SET_PARAMS with the parameters that the Output was made with."""
        self._only("set_params", _IDLE)
        self.card.request(
            protocol.pcm_set_params(
                self.stream.id, self.period_bytes * self.periods, self.period_bytes, 0,
                self.channels, self.format, self.rate,
            )
        )
        self.state = SETUP

    def prepare(self):
        """PCM_PREPARE: the stream takes samples from now on. Position counts from here."""
        self._only("prepare", _IDLE)
        self._command(protocol.pcm_prepare, PREPARED)
        self._origin = self._ring.submitted()

    def start(self):
        """PCM_START: the device plays what is queued."""
        self._only("start", _HALTED)
        self._command(protocol.pcm_start, RUNNING)
        self._ring.rest(self.periods // 2)  # wake write() once for every half of the ring

    def stop(self):
        """PCM_STOP: the device holds what is queued."""
        self._only("stop", _ACTIVE)
        self._command(protocol.pcm_stop, PAUSED)

    def release(self):
        """PCM_RELEASE: the device returns everything that is queued, played or not."""
        self._only("release", _HALTED)
        self._command(protocol.pcm_release, SETUP)
        # The buffers come back on another queue, before the answer (5.14.6.6.5.1).
        self._until(0, "gave no buffers back after PCM_RELEASE", _MARGIN_MS)
        self._ring.restart()

    # What people play with

    def write(self, buf, copy=True):
        """Queue all of `buf` (bytes-like, whole frames); return its length in bytes.

        Blocks while all periods are queued. With copy=False whole periods are played from
        where they lie: `buf` must not change until they have been (drain()).

        ValueError for a part of a frame, OSError(ETIMEDOUT) if the device takes nothing,
        OSError(EIO) if it fails, OSError(EPERM) if the stream is closed.
        """
        return self._ring.write(buf, copy)

    # What the ring asks of its owner.

    def begin(self):
        """Samples come, and the stream is not running."""
        if self.state == SETUP:
            self.prepare()
        self._only("write", _HALTED)

    def odd(self, n):
        """ValueError: n bytes are no whole frames."""
        raise ValueError("%d bytes are no whole frames of %d bytes" % (n, self.frame_bytes))

    def dry(self):
        """The device holds nothing when samples come: an underrun, unless it is the beginning."""
        submitted = self._ring.submitted()
        if self.state is RUNNING and submitted != self._dry_at:
            self.xruns += 1
            self._dry_at = submitted

    def blocked(self, ms):
        """All periods are queued, and more is to come: start, or wait ms ms longer."""
        if self.state == PAUSED:
            raise OSError(
                errno.EAGAIN,
                "stream %d is PAUSED and all periods are queued: resume()" % self.stream.id,
            )
        if self.state == PREPARED:
            self.start()
        else:
            self._until(self.periods - 1, "takes no samples: does QEMU's audiodev work?", ms)
            self.check()

    def check(self):
        """OSError(EIO) if the device has refused samples or broken the rules."""
        self.card.device.check()
        if self._ring.error:
            raise OSError(errno.EIO, "stream %d: %s" % (self.stream.id, self._ring.error))

    def _until(self, in_flight, what, ms):
        ring = self._ring
        if not self.card.device.wait(lambda: ring.in_flight() <= in_flight, ms):
            raise OSError(
                errno.ETIMEDOUT, "stream %d, %s, %s" % (self.stream.id, self.state, what)
            )

    def drain(self):
        """Return when everything that was written has been heard.

        A partial last period is padded with silence. Afterwards the stream is in state SETUP, and
        write() begins anew.
        """
        if self.state == SETUP:
            return
        self._only("drain", (PREPARED, RUNNING, PAUSED))
        ring = self._ring
        if ring.partial():
            self.write(self._silence(self.period_bytes - ring.partial()))
        if ring.submitted() != self._origin:
            if self.state != RUNNING:
                self.start()
            self.state = DRAINING
            try:
                ring.rest(1)
                self._until(0, "never returned what was queued", self._wait_ms)
                self.check()
                # latency_bytes of the last period: what is still between it and the ear.
                latency = min(ring.latency() // self.frame_bytes, self.period * self.periods)
                sleep_ms(max(_TAIL_FRAMES, latency) * 1000 // self.rate + _TAIL_MS)
            except BaseException:
                self.state = RUNNING  # interrupted, or the device failed: it still runs
                raise
        if self.state in _ACTIVE:
            self.stop()
        self.release()

    def _silence(self, n):
        sample = FORMATS[self.format][2]
        return bytes(n) if sample is None else sample * (n // len(sample))

    def drop(self):
        """Stop at once; what was not heard yet is lost. Afterwards the state is SETUP."""
        if self.state in _ACTIVE:
            self.stop()
        if self.state in _HALTED:
            self.release()

    def pause(self):
        """Hold playback; what is queued stays queued. Nothing to do unless it is running."""
        if self.state == RUNNING:
            self.stop()

    def resume(self):
        """Go on after pause(). Nothing to do unless the stream is paused."""
        if self.state == PAUSED:
            self.start()

    def close(self):
        """Drain, unless drop() was called, and give the stream back. May be called again."""
        if self.state != CLOSED:
            try:
                self.drain()
            finally:
                self.abort()  # only gives it back, unless drain() failed

    def abort(self):
        """drop() and close(), even if the device refuses."""
        if self.state != CLOSED:
            try:
                self.drop()
            finally:
                self._free()

    def __enter__(self):
        return self

    def __exit__(self, kind, value, traceback):
        if kind is None:
            self.close()
        else:
            self.abort()

    # Position and latency, in frames

    def avail(self):
        """Frames that write() takes without blocking."""
        return self.period * self.periods - self.delay()

    def delay(self):
        """Frames written and not yet taken by the device."""
        ring = self._ring
        return ring.in_flight() * self.period + ring.partial() // self.frame_bytes

    def position(self):
        """Frames taken by the device since prepare()."""
        ring = self._ring
        return (ring.submitted() - self._origin - ring.in_flight()) * self.period

    def __repr__(self):
        return "<Output stream %d: %s, %d Hz, %d channels, %s, %d periods of %d frames>" % (
            self.stream.id, self.state, self.rate, self.channels,
            protocol.format_name(self.format), self.periods, self.period,
        )
