# SPDX-License-Identifier: MIT
"""The sound device as a whole: probe, control requests, what it offers."""

import errno
from micropython import const
import struct
from virtio import Device, MMIO, dma, find, mmio
from . import protocol
from .pcm import Output, Stream
from .protocol import CONTROLQ, TXQ

_QUEUE_SIZE = const(64)  # some devices cannot do more, whatever they say they can
_REQUEST_BYTES = const(64)
_RESPONSE_BYTES = const(4 + 32 * 16)
_REQUEST_MS = const(1000)
_STREAMS_MAX = const(256)  # a device that claims more is not believed

_card = None  # one driver per device: open() twice gives the same card


def open(base=None):
    """Return the Card of the first sound device, or of the one whose registers are at `base`.

    OSError(ENODEV) if there is none, or one that cannot be used; the message says why.
    """
    global _card
    if _card and (base is None or base == _card.device.transport.base):
        if _card.device.error is None:
            return _card
        _card.close()
    if base is None:
        transport = find(protocol.DEVICE_ID)
        if transport is None:
            raise OSError(
                errno.ENODEV,
                "no sound device: start QEMU with -device virtio-sound-device,audiodev=ID",
            )
    else:
        slots = dict(mmio.slots())
        if base not in slots:
            raise OSError(
                errno.ENODEV,
                "no virtio-mmio slot at %#x; they are at %s"
                % (base, " ".join("%#x" % slot for slot in sorted(slots))),
            )
        transport = MMIO(base, slots[base])
        if transport.device_id != protocol.DEVICE_ID:
            raise OSError(
                errno.ENODEV,
                "device at %#x has id %d, a sound device has 25" % (base, transport.device_id),
            )
    if _card:
        _card.close()
    _card = Card(transport)
    return _card


class _SoundDevice(Device):
    card = None

    def quiet(self):
        try:
            if self.card:
                self.card._quiet()
        finally:
            self.close()


class Card:
    """One sound device. `streams` is a tuple of Stream records, read once at probe.

    (`jacks`, `chmaps` and `controls` are empty: not queried yet.)
    """

    def __init__(self, transport):
        self.device = device = _SoundDevice(transport, 0, (_QUEUE_SIZE,) * 4)
        device.card = self
        self._users = []
        self._request = dma.alloc(_REQUEST_BYTES)
        self._response = dma.alloc(_RESPONSE_BYTES)
        self._head = device.queues[CONTROLQ].chain(
            (self._request.pa, 4, False), (self._response.pa, 4, True)
        )
        self.tx = device.queues[TXQ]
        self.jacks = self.chmaps = self.controls = ()
        try:
            self.streams = self._pcm_info(transport.config(4, 1)[0])
        except BaseException:  # Ctrl-C too
            self.close()
            raise

    def request(self, message, response_bytes=0):
        """Send a control message and return what follows the status in the answer (bytes).

        OSError: EINVAL for BAD_MSG, EOPNOTSUPP for NOT_SUPP, EIO for IO_ERR and for an answer
        that breaks the protocol, ETIMEDOUT if there is none within a second.
        """
        device = self.device
        device.check()
        queue = device.queues[CONTROLQ]
        head = self._head
        if head in queue.busy:
            queue.reap()  # an answer that came too late is no answer to this
            if head in queue.busy:
                raise self._failure(message, errno.EBUSY, "an earlier request was never answered")
        self._request.store(message)
        queue.resize(head, len(message), 4 + response_bytes)
        if not device.request(queue, head, _REQUEST_MS):
            raise self._failure(message, errno.ETIMEDOUT, "no answer in %d ms" % _REQUEST_MS)
        answer = self._response.load(queue.written[head])
        if len(answer) < 4:
            raise self._failure(message, errno.EIO, "%d bytes answered, no status" % len(answer))
        status = struct.unpack_from("<I", answer)[0]
        if status != protocol.OK:
            raise self._failure(message, *protocol.refusal(status))
        if len(answer) < 4 + response_bytes:
            raise self._failure(
                message,
                errno.EIO,
                "%d bytes answered, %d wanted" % (len(answer), 4 + response_bytes),
            )
        return answer[4:]

    def _failure(self, message, number, text):
        return OSError(number, "%s: %s" % (protocol.request_name(message), text))

    def _pcm_info(self, total):
        if total > _STREAMS_MAX:
            raise OSError(errno.EIO, "device claims %d streams" % total)
        streams = []
        size = protocol.PCM_INFO_BYTES
        while len(streams) < total:
            count = min(total - len(streams), (_RESPONSE_BYTES - 4) // size)
            data = self.request(protocol.pcm_info(len(streams), count), count * size)
            for i in range(count):
                streams.append(Stream(len(streams), *protocol.pcm_info_record(data, i * size)))
        return tuple(streams)

    def output(
        self, rate=48000, channels=2, format=protocol.S16, period=480, periods=4, stream=None
    ):
        """Return an Output with these parameters on the first free output stream, or on `stream`.

        rate in Hz; period in frames; periods: how many of them are queued at most, 2 to 16.
        ValueError if the stream does not offer it, OSError(EBUSY) if no stream is free,
        OSError(ENODEV) if the card has no output.
        """
        info = self._pick(protocol.OUTPUT, stream)
        return Output(self, info, rate, channels, format, period, periods)

    def _pick(self, direction, wanted):
        names = ("output", "input")
        if wanted is not None:
            if not 0 <= wanted < len(self.streams):
                raise ValueError("stream %d: the card has 0..%d" % (wanted, len(self.streams) - 1))
            candidates = (self.streams[wanted],)
            if candidates[0].direction != direction:
                raise ValueError("stream %d is no %s" % (wanted, names[direction]))
        else:
            candidates = [s for s in self.streams if s.direction == direction]
            if not candidates:
                raise OSError(errno.ENODEV, "the card has no %s stream" % names[direction])
        in_use = [user.stream.id for user in self._users]
        for info in candidates:
            if info.id not in in_use:
                return info
        raise OSError(errno.EBUSY, "no free %s stream: close() the one in use" % names[direction])

    def _quiet(self):
        for user in list(self._users):
            try:
                user.abort()
            except OSError:
                pass  # the device is reset next, which does what the stream did not

    def close(self):
        """Stop every stream and reset the device. open() brings it up again."""
        global _card
        if _card is self:
            _card = None
        if self._request:
            self.device.quiet()
            dma.free(self._request)
            dma.free(self._response)
            self._request = None

    def __repr__(self):
        t = self.device.transport
        lines = [
            "virtio sound device at %#x, vendor %#x, features %#x: %d jacks, %d streams, "
            "%d channel maps, %d controls"
            % (
                t.base, t.vendor_id, self.device.features,
                len(self.jacks), len(self.streams), len(self.chmaps), len(self.controls),
            )
        ]
        lines += ["  %r" % s for s in self.streams]
        return "\n".join(lines)
