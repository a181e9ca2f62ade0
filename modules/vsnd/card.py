# SPDX-License-Identifier: MIT
"""The sound device as a whole: probe, control requests, what it offers."""

import errno
from machine import PWRON_RESET, reset_cause
from micropython import const
import struct
from virtio import Device, dma, find, mmio
from . import protocol
from .playback import Output
from .protocol import CONTROLQ, CTLS, EVENTQ
from .stream import Stream

_QUEUE_SIZE = const(64)  # some devices cannot do more, whatever they say they can
_EVENTS = const(8)
REQUEST_BYTES = const(64)  # more is allocated for the request that needs it
_RESPONSE_BYTES = const(4 + 32 * 16)
_REQUEST_MS = const(1000)
_LATE_MS = const(20)
_STREAMS_MAX = const(256)  # a device that claims more is not believed

_cards = {}  # by base: open() twice gives the same card; None if it was closed


def open(base=None):
    """Return the Card of the first sound device, or of the one whose registers are at `base`.

    OSError(ENODEV) if there is none, or one that cannot be used; the message says why.
    """
    if base is None:
        transport = find(protocol.DEVICE_ID)
        if transport is None:
            raise OSError(
                errno.ENODEV,
                "no sound device: start QEMU with -device virtio-sound-device,audiodev=ID",
            )
    else:
        if not isinstance(base, int):
            raise TypeError("base is %r, must be an address: an int" % (base,))
        slots = dict(mmio.slots())
        if base not in slots:
            raise OSError(
                errno.ENODEV,
                "no virtio-mmio slot at %#x; they are at %s"
                % (base, " ".join("%#x" % slot for slot in sorted(slots))),
            )
        transport = mmio.transport(base, slots[base])
        if transport.device_id != protocol.DEVICE_ID:
            raise OSError(
                errno.ENODEV,
                "device at %#x has id %d, a sound device has 25" % (base, transport.device_id),
            )
    card = _cards.get(transport.base)
    if card and card.device.error:
        card.close()
        card = None
    if not card:
        strange = transport.base not in _cards and reset_cause() != PWRON_RESET
        card = Card(transport)
        try:
            if strange:
                # QEMU's device may have buffers of a life that ended in the middle of something.
                from .recovery import purge

                purge(card)
            _cards[transport.base] = card
        except BaseException:
            card.close()
            raise
    return card


class _SoundDevice(Device):
    card = None
    asked = False  # for a reset, in the middle of a request: who made it sees to that

    def quiet(self):
        try:
            if self.card and not self.card._quiet():
                from .recovery import forget

                forget(self.card)
        finally:
            self.close()

    def needs_reset(self):
        known = self.error
        super().needs_reset()
        if self.card and not known:
            from .recovery import asked

            asked(self.card)

    def config_changed(self):
        if self.card:
            self.card.events.config_changed()


class Card:
    """One sound device.

    `streams`, `jacks`, `chmaps` and `controls` are tuples of records, read once at probe, or again
    by refresh(). `resets` counts how often the device asked for a reset and was recovered.
    """

    resets = 0

    def __init__(self, transport):
        self._users = []
        self._under_way = 0  # requests: more than one if a scheduled function makes some, too
        self.early = None  # events that came while refresh() reads
        self._events = None
        self.device = None  # a place for it: once it is up, it must not be lost
        self._start(transport)

    def _start(self, transport):
        self.device = device = _SoundDevice(
            transport, CTLS, (_QUEUE_SIZE, _EVENTS, _QUEUE_SIZE, _QUEUE_SIZE), EVENTQ
        )
        # Events about them are for nobody until they are asked for.
        self.streams = self.jacks = self.chmaps = self.controls = ()
        try:
            # Both are the device's until it is reset, whether memory runs out here or not.
            messages = dma.alloc(REQUEST_BYTES + _RESPONSE_BYTES)
            device.orphans.append(messages)
            self._messages = messages
            events = dma.alloc(_EVENTS * protocol.EVENT_BYTES)
            device.orphans.append(events)
            self._event_buffers = events
            self._head = device.queues[CONTROLQ].chain(
                (messages.pa, 4, False), (messages.pa + REQUEST_BYTES, 4, True)
            )
            queue = device.queues[EVENTQ]
            if self._events:
                self._events.renew(queue, self._event_buffers)
            queue.post(self._event_buffers, protocol.EVENT_BYTES, self)
            device.card = self
            self.refresh()
        except BaseException:  # Ctrl-C too
            self.close()
            raise

    @property
    def events(self):
        """What the device tells by itself: an Events."""
        if not self._events:
            from .events import Events  # with the first event, or when somebody asks

            self.device.check()
            self._events = Events(self, self.device.queues[EVENTQ], self._event_buffers)
        return self._events

    def back(self, head, length):
        """The device has used an event buffer."""
        self.events.back(head, length)

    def refresh(self):
        """Read all records anew, after CONFIG_CHANGED or when events were lost.

        Streams in use keep the record that they were opened with.
        """
        self.early = self.early or []  # an event's handler may come here too, meanwhile
        try:
            self._query()
        finally:
            early, self.early = self.early or (), None
            for code, data in early:
                self.events.take(code, data)
            if self._events:
                self._events.hand_out()

    def _query(self):
        jacks, streams, chmaps = self.device.transport.config(0, 3)
        total = 0
        self.streams = self._pcm_info(streams)
        # What most devices do not have is imported only for those that do.
        self.jacks = self.chmaps = self.controls = ()
        if jacks:
            from .jacks import query

            self.jacks = query(self, jacks)
        if chmaps:
            from .chmaps import query

            self.chmaps = query(self, chmaps)
        if self.device.features & CTLS:
            total = self.device.transport.config(12, 1)[0]
            if total:
                from .controls import query

                self.controls = query(self, total)
        self._claims = jacks, streams, chmaps, total

    def request(self, message, response_bytes=0, at_least=None):
        """Send a control message and return what follows the status in the answer (bytes).

        It has `response_bytes` bytes, or if `at_least` is given, from that many up.

        OSError: EINVAL for BAD_MSG, EOPNOTSUPP for NOT_SUPP, EIO for IO_ERR and for an answer
        that breaks the protocol, ETIMEDOUT if there is none within a second, EBUSY after that
        until there is.
        """
        device = self.device
        if device.error:
            self.mend()
        queue = device.queues[CONTROLQ]
        head = self._head
        if not self._under_way and head in queue.busy:
            # Its answer is no answer to this. One that Ctrl-C did not wait for comes soon.
            if not device.returned(queue, head, _LATE_MS):
                raise self._failure(
                    message, errno.EBUSY, "an earlier request was never answered: card.reset()"
                )
        answer = failure = None
        self._under_way += 1
        try:
            answer = self._exchange(queue, head, message, response_bytes)
        except OSError as e:
            failure = e
        finally:
            self._under_way -= 1
        if failure or device.asked:
            from .recovery import once_more

            answer = once_more(self, answer, failure, message, response_bytes)
        if len(answer) < 4:
            raise self._failure(message, errno.EIO, "%d bytes answered, no status" % len(answer))
        status = struct.unpack_from("<I", answer)[0]
        if status != protocol.OK:
            raise self._failure(message, *protocol.refusal(status))
        if at_least is None:
            at_least = response_bytes
        if len(answer) < 4 + at_least:
            raise self._failure(
                message, errno.EIO, "%d bytes answered, %d wanted" % (len(answer), 4 + at_least)
            )
        return answer[4:]

    def mend(self):
        """Recover a device that asked for a reset in the middle of a request, or OSError(EIO)."""
        from .recovery import mend

        mend(self)

    def _exchange(self, queue, head, message, response_bytes):
        # Small messages use the chain that is there; a large one, or one in the middle of another,
        # gets its own for a while.
        n = len(message)
        if n < 8:
            raise ValueError("a request of %d bytes: must have a code and an id" % n)
        room = 4 + response_bytes
        memory, at = self._messages, REQUEST_BYTES
        own = n > at or not 4 <= room <= _RESPONSE_BYTES or self._under_way > 1
        if own:
            if room < 4:
                raise ValueError("an answer of %d bytes: must be 0 or more" % response_bytes)
            memory, at = dma.alloc(n + room), n
            self.device.orphans.append(memory)
            try:
                head = queue.chain((memory.pa, n, False), (memory.pa + n, room, True))
            except OSError:
                self.device.release(memory)
                raise
        else:
            queue.resize(head, n, room)
        memory.store(message)
        try:
            if not self.device.request(queue, head, _REQUEST_MS):
                raise self._failure(message, errno.ETIMEDOUT, "no answer in %d ms" % _REQUEST_MS)
            return memory.load(queue.written[head], at)
        except KeyError:  # a callback has closed or reset the card
            raise self._failure(message, errno.ENODEV, "the device was reset")
        finally:
            if own and head not in queue.busy:
                queue.discard(head)
                self.device.release(memory)

    def _failure(self, message, number, text):
        return OSError(number, "%s: %s" % (protocol.request_name(message), text))

    def _pcm_info(self, total):
        if total > _STREAMS_MAX:
            raise OSError(
                errno.EIO,
                "device claims %d streams: no more than %d are believed" % (total, _STREAMS_MAX),
            )
        streams = []
        size = protocol.PCM_INFO_BYTES
        while len(streams) < total:
            count = min(total - len(streams), (_RESPONSE_BYTES - 4) // size)
            data = self.request(protocol.pcm_info(len(streams), count), count * size)
            for i in range(count):
                streams.append(Stream(len(streams), *protocol.pcm_info_record(data, i * size)))
        return tuple(streams)

    def output(
        self, rate=48000, channels=2, format=protocol.S16, period=480, periods=4, stream=None,
        features=None,
    ):
        """Return an Output with these parameters on `stream`, or the first free one that has them.

        rate in Hz; period in frames; periods: how many of them are queued at most, 2 to 16.
        features: what to select of the stream's features (protocol.PCM_*); None: MSG_POLLING and
        EVT_XRUNS, if it has them.

        ValueError if the stream does not offer it, OSError(EBUSY) if no stream is free,
        OSError(ENODEV) if the card has no output.
        """
        return self._open(
            Output, protocol.OUTPUT, stream, rate, channels, format, period, periods, features
        )

    def input(
        self, rate=48000, channels=2, format=protocol.S16, period=480, periods=4, stream=None,
        features=None,
    ):
        """Return an Input with these parameters on `stream`, or the first free one that has them.

        As output().
        """
        from .capture import Input

        return self._open(
            Input, protocol.INPUT, stream, rate, channels, format, period, periods, features
        )

    def _open(self, kind, direction, stream, rate, channels, format, period, periods, features):
        try:
            rate | channels | format | period | periods | (0 if stream is None else stream)
            0 if features is None else features | 0
        except TypeError:
            raise TypeError(
                "rate %r, channels %r, format %r, period %r, periods %r, stream %r, features %r: "
                "must be ints, the last two may be None"
                % (rate, channels, format, period, periods, stream, features)
            )
        info = self._pick(direction, stream, rate, channels, format, features or 0)
        return kind(self, info, rate, channels, format, period, periods, features)

    def control(self, name, index=0):
        """Return the Control of that name and index. ValueError, saying which there are."""
        from .controls import find

        return find(self.controls, name, index)

    def chmap(self, pcm):
        """Return the Chmap for an Output's or Input's channels, None if the device has none."""
        from .chmaps import for_stream
        from .pcm import PCM

        if not isinstance(pcm, PCM):
            raise TypeError(
                "chmap of a %s: must be an Output or an Input" % type(pcm).__name__
            )
        return for_stream(self.chmaps, pcm.stream, pcm.channels)

    def _pick(self, direction, wanted, *parameters):
        names = ("output", "input")
        if wanted is not None:
            if not 0 <= wanted < len(self.streams):
                raise ValueError("stream %d: the card has 0..%d" % (wanted, len(self.streams) - 1))
            candidates = (self.streams[wanted],)
            if candidates[0].direction != direction:
                raise ValueError("stream %d is no %s" % (wanted, names[direction]))
        else:
            candidates = [s for s in self.streams if s.direction == direction and s.usable()]
            if not candidates:
                raise OSError(errno.ENODEV, "the card has no %s stream" % names[direction])
        in_use = [user.stream.id for user in self._users]
        free = [info for info in candidates if info.id not in in_use]
        if not free:
            raise OSError(
                errno.EBUSY, "no free %s stream: close() the one in use" % names[direction]
            )
        if len(free) > 1:
            for info in free:
                try:
                    info.check(*parameters)
                    return info
                except ValueError:
                    pass  # another one may offer it
        return free[0]  # which will say what it offers

    def _quiet(self):
        # End all streams; False if the device may not have given everything back.
        done = True
        users = list(self._users)
        try:
            for user in users:
                try:
                    user.abort()
                except OSError:
                    done = False
        finally:  # Ctrl-C too, or this is a callback in the middle of one of its commands
            for user in users:
                user.end()
        return done

    def reset(self):
        """Reset the device and bring it up anew, in whatever state it is: hung, broken or well.

        Streams in use end: what they had queued is lost, and calls on them raise OSError(ENODEV).
        Records are read again. What `events` keeps stays, its handler too. After close() it opens
        the card again.

        OSError(ETIMEDOUT) if the device does not say that it was reset, otherwise as vsnd.open().
        The card is closed then, and may be reset() again. OSError(EBUSY) if it was closed and
        opened again: that is another Card.
        """
        device = self.device
        base = device.transport.base
        if _cards.get(base) not in (None, self):
            raise OSError(errno.EBUSY, "card at %#x was opened again: use that Card" % base)
        for user in self._users:
            user.lost = True
        self.close()
        self._start(device.transport)
        _cards[base] = self
        device.error = "the card was reset: open the stream again"  # for calls under way

    def close(self):
        """Stop every stream and reset the device. open() brings it up again.

        OSError(ETIMEDOUT) if the device does not say that it was reset. It is closed all the same.
        """
        if self.device.queues:
            self.device.quiet()  # if Ctrl-C comes before it is done, open() returns this card
            if _cards.get(self.device.transport.base) is self:
                _cards[self.device.transport.base] = None

    def __repr__(self):
        t = self.device.transport
        lines = [
            "virtio sound device at %#x, vendor %#x, features %#x: %d jacks, %d streams, "
            "%d channel maps, %d controls"
            % ((t.base, t.vendor_id, self.device.features) + self._claims)
        ]
        tables = self.streams, self.jacks, self.chmaps, self.controls
        for records in tables:
            lines += ["  %r" % record for record in records]
        missing = sum(self._claims) - sum(len(records) for records in tables)
        if missing:
            lines.append("  (of %d more it tells nothing that makes sense)" % missing)
        return "\n".join(lines)
