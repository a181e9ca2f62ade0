# SPDX-License-Identifier: MIT
"""PCM streams: what one offers, and playback.

The life of a period: write() copies samples into the next slot; when the slot is
full its chain (header, data, status) goes to the device; the device returns it once
it has taken the samples; write() checks the status and fills the slot again. The
chains are laid out once, nothing is allocated per period.
"""

from errno import EIO, EPERM, ETIMEDOUT
from machine import mem32
from micropython import const
from time import sleep_ms
import virt
from virtio import dma
from . import protocol
from .protocol import FORMATS, RATES, S_OK

SETUP = "SETUP"
PREPARED = "PREPARED"
RUNNING = "RUNNING"
DRAINING = "DRAINING"
PAUSED = "PAUSED"
CLOSED = "CLOSED"

_XFER_BYTES = const(4)
_STATUS_BYTES = const(8)

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

    `state` is one of SETUP, PREPARED, RUNNING, DRAINING, PAUSED, CLOSED. write() prepares and
    starts the stream by itself; set_params(), prepare(), start(), stop() and release() are the
    device's own commands for those who want them.
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
        self._queue = card.tx
        self._wait_ms = period * periods * 1000 // rate + _MARGIN_MS
        self._slot = 0  # the next one to fill
        self._fill = 0  # bytes in it
        self._periods_done = 0  # submitted since prepare()
        self._held = [None] * periods  # by slot: the object whose memory the device plays
        self._layout()
        card._users.append(self)
        try:
            self.set_params()
            self.prepare()
        except Exception:
            self._free()
            raise

    # One region: the shared header, the slots' data, the slots' statuses.
    def _layout(self):
        n = self.periods
        size = (self.period_bytes + 63) & ~63  # aligned alike for a fast copy
        data = 64
        status = data + n * size
        self._region = region = dma.alloc(status + n * _STATUS_BYTES, 64)
        mem32[region.va] = self.stream.id
        self._at = [region.at + data + i * size for i in range(n)]
        self._pa = [region.pa + data + i * size for i in range(n)]
        self._status = [region.va + status + i * _STATUS_BYTES for i in range(n)]
        self._heads = []
        try:
            for i in range(n):
                self._heads.append(
                    self._queue.chain(
                        (region.pa, _XFER_BYTES, False),
                        (self._pa[i], self.period_bytes, False),
                        (region.pa + status + i * _STATUS_BYTES, _STATUS_BYTES, True),
                    )
                )
        except OSError:
            self._free()
            raise

    def _free(self):
        # Only what the device has given back may be used for something else.
        queue = self._queue
        if not self.card.device.error:
            for head in self._heads:
                if queue.busy[head]:
                    break
                queue.discard(head)
            else:
                dma.free(self._region)
        if self in self.card._users:
            self.card._users.remove(self)
        self.state = CLOSED

    def _command(self, code, state):
        self.card.request(protocol.pcm_request(code, self.stream.id))
        self.state = state

    def _only(self, what, *states):
        if self.state not in states:
            raise OSError(
                EPERM, "%s in state %s: allowed in %s" % (what, self.state, " ".join(states))
            )

    # The device's commands (5.14.6.6.1)

    def set_params(self):
        """PCM_SET_PARAMS with the parameters that the Output was made with."""
        self._only("set_params", SETUP, PREPARED)
        self.card.request(
            protocol.pcm_set_params(
                self.stream.id, self.period_bytes * self.periods, self.period_bytes, 0,
                self.channels, self.format, RATES.index(self.rate),
            )
        )
        self.state = SETUP

    def prepare(self):
        """PCM_PREPARE: the stream takes samples from now on. Position counts from here."""
        self._only("prepare", SETUP, PREPARED)
        self._command(protocol.R_PCM_PREPARE, PREPARED)
        self._slot = self._fill = self._periods_done = 0

    def start(self):
        """PCM_START: the device plays what is queued."""
        self._only("start", PREPARED, PAUSED)
        self._command(protocol.R_PCM_START, RUNNING)

    def stop(self):
        """PCM_STOP: the device holds what is queued."""
        self._only("stop", RUNNING, DRAINING)
        self._command(protocol.R_PCM_STOP, PAUSED)

    def release(self):
        """PCM_RELEASE: the device returns everything that is queued, played or not."""
        self._only("release", PREPARED, PAUSED)
        self._command(protocol.R_PCM_RELEASE, SETUP)
        # The buffers come back on another queue, before the answer (5.14.6.6.5.1).
        for head in self._heads:
            self.card.device.wait(self._queue, head, _MARGIN_MS, "buffers after PCM_RELEASE")
        for i in range(self.periods):
            self._let_go(i)
        self._slot = self._fill = 0

    # What people play with

    def write(self, buf, copy=True):
        """Queue all of `buf` (bytes-like, whole frames); return its length in bytes.

        Blocks while all periods are queued. With copy=False whole periods are played from
        where they lie: `buf` must not change until they have been (drain()).

        ValueError for a part of a frame, OSError(ETIMEDOUT) if the device takes nothing,
        OSError(EIO) if it fails, OSError(EPERM) if the stream is closed.
        """
        total = virt.nbytes(buf)
        if total % self.frame_bytes:
            raise ValueError(
                "%d bytes are no whole frames of %d bytes" % (total, self.frame_bytes)
            )
        if self.state == SETUP:
            self.prepare()
        self._only("write", PREPARED, RUNNING, PAUSED)
        queue = self._queue
        busy = queue.busy
        heads = self._heads
        period_bytes = self.period_bytes
        periods = self.periods
        slot = self._slot
        fill = self._fill
        arena = dma.arena
        done = 0
        while done < total:
            head = heads[slot]
            if busy[head]:
                if self.state == PREPARED:
                    self.start()
                self._wait(slot)
            if not fill and self._periods_done >= periods:
                self._returned(slot)
            n = period_bytes - fill
            if n > total - done:
                n = total - done
            if copy or n < period_bytes:
                virt.copy(arena, self._at[slot] + fill, buf, done, n)
            else:
                queue.repoint(head, 1, dma.pa_of(buf) + done)
                self._held[slot] = buf
            done += n
            fill += n
            if fill == period_bytes:
                if self.state == RUNNING and not busy[heads[slot - 1]]:
                    self.xruns += 1  # everything was back before this one came
                fill = 0
                slot += 1
                if slot == periods:
                    slot = 0
                self._slot = slot
                self._periods_done += 1
                queue.submit(head)
            self._fill = fill
        return total

    def _wait(self, slot):
        device = self.card.device
        device.wait(
            self._queue, self._heads[slot], self._wait_ms,
            "the device takes no samples (state %s): does QEMU's audiodev work?" % self.state,
        )

    # Slot `slot` is the driver's again.
    def _returned(self, slot):
        if self._held[slot] is not None:
            self._let_go(slot)
        if self._queue.lengths[self._heads[slot]] < 8:
            raise OSError(EIO, "stream %d: device returned a period without status" % self.stream.id)
        status = mem32[self._status[slot]]
        if status != S_OK:
            _, text = protocol.STATUSES.get(status, (EIO, "unknown status %#x" % status))
            raise OSError(EIO, "stream %d: period refused, %s" % (self.stream.id, text))

    def _let_go(self, slot):
        if self._held[slot] is not None:
            self._held[slot] = None
            self._queue.repoint(self._heads[slot], 1, self._pa[slot])

    def drain(self):
        """Return when everything that was written has been heard.

        A partial last period is padded with silence. Afterwards the stream is in state SETUP, and
        write() begins anew.
        """
        if self.state == SETUP:
            return
        self._only("drain", PREPARED, RUNNING, PAUSED)
        if self._fill:
            self.write(self._silence(self.period_bytes - self._fill))
        if self._periods_done:
            if self.state != RUNNING:
                self.start()
            self.state = DRAINING
            latency = 0
            for i in range(self.periods):
                slot = (self._slot + i) % self.periods
                if self._periods_done > self.periods - 1 - i:
                    self._wait(slot)
                    self._returned(slot)
                    latency = mem32[self._status[slot] + 4]
            # latency_bytes of the last period: what is still between it and the ear.
            frames = max(_TAIL_FRAMES, min(latency // self.frame_bytes, self.period * self.periods))
            sleep_ms(frames * 1000 // self.rate + _TAIL_MS)
            self.stop()
        self.release()

    def _silence(self, n):
        sample = FORMATS[self.format][2]
        return bytes(n) if sample is None else sample * (n // len(sample))

    def drop(self):
        """Stop at once; what was not heard yet is lost. Afterwards the state is SETUP."""
        if self.state in (RUNNING, DRAINING):
            self.stop()
        if self.state in (PREPARED, PAUSED):
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
                self._free()

    def __enter__(self):
        return self

    def __exit__(self, kind, value, traceback):
        if kind is not None:
            self.drop()
        self.close()

    # Position and latency, in frames

    def _queued(self):
        busy = self._queue.busy
        return sum(busy[head] for head in self._heads)

    def avail(self):
        """Frames that write() takes without blocking."""
        free = (self.periods - self._queued()) * self.period
        return free - self._fill // self.frame_bytes

    def delay(self):
        """Frames written and not yet taken by the device."""
        return self._queued() * self.period + self._fill // self.frame_bytes

    def position(self):
        """Frames taken by the device since prepare()."""
        return (self._periods_done - self._queued()) * self.period

    def __repr__(self):
        return "<Output stream %d: %s, %d Hz, %d channels, %s, %d periods of %d frames>" % (
            self.stream.id, self.state, self.rate, self.channels,
            protocol.format_name(self.format), self.periods, self.period,
        )
