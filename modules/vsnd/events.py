# SPDX-License-Identifier: MIT
"""What the device tells without being asked (5.14.6.3)."""

from collections import deque, namedtuple
from io import IOBase
from micropython import const, schedule
import struct
from time import ticks_diff, ticks_ms
import virt
from .protocol import EVENT_BYTES

_KEPT = const(32)
# So many events at a time; a device with more to tell gets its buffers back after the pause.
_AT_ONCE = const(32)
_PAUSE_MS = const(10)
_AT_MOST_MS = const(3_600_000)  # of one sleep

_JACK_CONNECTED = const(0x1000)
_JACK_DISCONNECTED = const(0x1001)
_PCM_PERIOD_ELAPSED = const(0x1100)
_PCM_XRUN = const(0x1101)
_CTL_NOTIFY = const(0x1200)

_POLL = const(3)
_POLLIN = const(1)

# name: the specification's, or CONFIG_CHANGED. item: the Jack, the Stream, the Control, or the
# Card. mask: of CTL_NOTIFY, what has changed: VALUE, INFO, TLV; else 0.
Event = namedtuple("Event", ("name", "item", "mask"))

VALUE = const(1)
INFO = const(2)
TLV = const(4)


class Events(IOBase):
    """The events of a card: `card.events`.

    Handed out in one of three ways: irq(handler), wait(ms), or `async for event in card.events`.
    Up to 32 that nobody has fetched are kept, and `lost` counts older ones. What the driver itself
    keeps (Jack.connected, Output.xruns) is up to date in any case.
    """

    def __init__(self, card, queue, region):
        self._card = card
        self._queue = queue
        self._region = region
        self._handler = None
        self._due = False  # _hand_out() is scheduled
        self._kept = deque((), _KEPT)
        self._since = 0  # when the first of `_taken` events came, in ms
        self._taken = 0
        self._held = []  # buffers that the device gets after the pause
        self.lost = 0

    def renew(self, queue, region):
        """The device was reset and has other buffers."""
        self._queue = queue
        self._region = region
        self._held = []

    def back(self, head, length):
        """The device has used a buffer: note what it says and give the buffer back.

        Not at once if events flood the program: then it gets on for a while.
        """
        code, data = struct.unpack("<II", self._region.load(EVENT_BYTES, EVENT_BYTES * head))
        if length == EVENT_BYTES:
            self.take(code, data)
        now = ticks_ms()
        if ticks_diff(now, self._since) >= _PAUSE_MS:
            self._since = now
            self._taken = 0
        self._taken += 1
        if self._taken <= _AT_ONCE:
            self._return(head)
            return
        self._held.append(head)
        if len(self._held) == 1:
            from machine import Timer

            Timer(-1, mode=Timer.ONE_SHOT, period=_PAUSE_MS, callback=self._resume)

    def _return(self, head):
        if not self._card.device.error:
            self._queue.submit(head, self._card)

    def _resume(self, _):
        with virt.lock:
            held, self._held = self._held, []
            for head in held:
                self._return(head)

    def take(self, code, data):
        """Note what an event says; ignore unknown ones, and those about nothing that exists."""
        card = self._card
        if card.early is not None:  # about records that are being read
            if len(card.early) < _KEPT:
                card.early.append((code, data))
            else:
                self.lost += 1
            return
        if code in (_JACK_CONNECTED, _JACK_DISCONNECTED):
            if data < len(card.jacks):
                jack = card.jacks[data]
                jack.connected = code == _JACK_CONNECTED
                name = "JACK_CONNECTED" if jack.connected else "JACK_DISCONNECTED"
                self.put(Event(name, jack, 0))
        elif code in (_PCM_PERIOD_ELAPSED, _PCM_XRUN):
            for user in card._users:
                if user.stream.id == data and user.event(code == _PCM_XRUN):
                    name = "PCM_XRUN" if code == _PCM_XRUN else "PCM_PERIOD_ELAPSED"
                    self.put(Event(name, user.stream, 0))
        elif code == _CTL_NOTIFY:
            number, mask = data & 0xFFFF, data >> 16 & (VALUE | INFO | TLV)
            for control in card.controls:  # some ids may be missing
                if control.id == number:
                    control.refresh(mask)
                    self.put(Event("CTL_NOTIFY", control, mask))

    def config_changed(self):
        """The configuration space has changed."""
        self.put(Event("CONFIG_CHANGED", self._card, 0))

    def put(self, event):
        """Keep an event and see to it that it is handed out."""
        if len(self._kept) == _KEPT:
            self._kept.popleft()
            self.lost += 1
        self._kept.append(event)
        self.hand_out()

    def hand_out(self):
        """Let the handler have what is kept, soon."""
        if self._handler and self._kept and not self._due:
            try:
                schedule(self._hand_out, None)
                self._due = True
            except RuntimeError:
                pass  # no room: with the next event, then

    def _hand_out(self, _):
        self._due = False
        # While records are read, those that an event is about may be another's, or not there.
        while self._handler and self._kept and self._card.early is None:
            try:
                self._handler(self._kept.popleft())
            except BaseException:
                self.hand_out()  # the others are handed out all the same
                raise

    def irq(self, handler):
        """Call handler(event) for each event, as a scheduled function; None: keep them again.

        TypeError for what cannot be called.
        """
        if handler is not None and not callable(handler):
            raise TypeError("handler is %r, must be a function or None" % (handler,))
        self._handler = handler
        self.hand_out()

    def wait(self, ms=0):
        """Return the next event; None if there is none within `ms` milliseconds."""
        if not isinstance(ms, int):
            raise TypeError("ms is %r, must be an int" % (ms,))
        start = ticks_ms()
        while not self._kept:
            left = ms - ticks_diff(ticks_ms(), start)
            virt.wait(min(left, _AT_MOST_MS))
            if left <= 0:  # whatever still interrupts
                break
        return self._kept.popleft() if self._kept else None

    def ioctl(self, request, flags):
        """MicroPython's stream protocol: events can be polled for reading."""
        return flags & _POLLIN if request == _POLL and self._kept else 0

    def __aiter__(self):
        return self

    async def __anext__(self):
        from .aio import readable

        while not self._kept:
            await readable(self)
        return self._kept.popleft()
