# SPDX-License-Identifier: MIT
"""The virtio sound device between its transport and its items."""

import struct
from contextlib import contextmanager

from . import events
from .protocol import (
    ACCESS_PLATFORM, ADMIN_VQ, CONTROLQ, CTL_NOTIFY, CTLS, EVENT_IDX, EVENTQ, EVT_SHMEM_PERIODS,
    EVT_XRUNS, IN_ORDER, INDIRECT_DESC, JACK_CONNECTED, JACK_DISCONNECTED, MASK_VALUE,
    NOTIFICATION_DATA, ORDER_PLATFORM, PCM_PERIOD_ELAPSED, PCM_XRUN, RING_PACKED, RING_RESET, RXQ,
    SR_IOV, SUSPEND, TXQ, VERSION_1,
)
from .ring import Ring
from .rules import Breach, rule
from .sound import Sound
from .streams import StreamInfo
from .trace import NoTrace

# What this device can do, if it offers it, and what a driver of a sound device may accept.
WORKING = (
    CTLS | INDIRECT_DESC | EVENT_IDX | VERSION_1 | ACCESS_PLATFORM | ORDER_PLATFORM
    | NOTIFICATION_DATA | RING_RESET
)
KNOWN = WORKING | RING_PACKED | IN_ORDER | SUSPEND


class SoundDevice:
    """A device of type 25.

    clock: `now` in microseconds, at(when, call), cancel(event). memory: read(address, n),
    write(address, data); both raise Breach for what is not memory. Then the device's items, and
    features: the offered bits; by default VERSION_1, EVENT_IDX, and CTLS if there are controls
    queue_max: QueueSizeMax of each queue
    kick_us: how long after a kick the device looks at the queue
    poison: put nonsense where the driver must not look
    descriptors_max: more of them in a chain are excessive; None for as many as the queue has
    control_record: 92 or 96, the size of CTL_INFO records

    The transport calls start(), reset(), add_queue(), kick(), and is called back: notify() when
    the driver wants to know of used buffers, transport.config_changed() when the configuration
    space has changed.

    What a script may change, besides what Sound offers:

    used: a function of queue number, head and length that gives the used entries which are
        really written
    delay: a function of queue number and head: by how many microseconds a used entry is late
    lose: a function of a queue number: whether an interrupt for it is lost
    silent: look at the queues every millisecond, and ask for no kicks
    refuse_features: leave FEATURES_OK clear
    echo_writes: tell the driver of its own CTL_WRITE and CTL_TLV_WRITE
    events.hold: keep events until the driver has a buffer for them
    events.wanted: a driver that sets up a stream must have given buffers for events
    """

    ID = 25
    VENDOR = 0x554D4551
    WATCH_US = 400_000  # how often the device looks for chains without a kick

    def __init__(self, clock, memory, streams=(StreamInfo(),), features=None,
                 queue_max=(64, 64, 64, 64), kick_us=20, poison=True,
                 descriptors_max=None, jacks=(), chmaps=(), controls=(), control_record=92):
        self.clock = clock
        self.memory = memory
        if features is None:
            features = VERSION_1 | EVENT_IDX | (CTLS if controls else 0)
        self.features = features
        self.queue_max = list(queue_max)
        self.kick_us = kick_us
        self.poison = poison
        self.descriptors_max = descriptors_max
        self.silent = False
        self.refuse_features = False
        self.echo_writes = False
        self.accepted = 0
        self.rings = {}
        self.live = False
        self.transport = None
        self.notify = lambda: None
        self.used = lambda index, head, length: [(head, length)]
        self.delay = lambda index, head: 0
        self.lose = lambda index: False
        self.kicks = []  # queue numbers
        self.spurious = 0  # kicks that were not asked for
        self.trace = NoTrace()
        self.events = events.Events(self)
        self.sound = Sound(self, jacks, streams, chmaps, controls, control_record)
        self._life = 0  # counts resets
        self._once = [0] * 4  # totals that the driver was told before they became less

    # Configuration

    def totals(self):
        """The numbers of jacks, streams, channel maps, and of controls if CTLS is offered."""
        sound = self.sound
        items = [sound.jacks, sound.streams, sound.chmaps]
        if self.features & CTLS:
            items.append(sound.controls)
        return [len(some) for some in items]

    def config(self):
        """The configuration space (5.14.4), 12 bytes, or 16 if CTLS is offered."""
        totals = self.totals()
        return struct.pack(f"<{len(totals)}I", *totals)

    def total(self, which):
        """The largest number of items of a class that the driver may believe in."""
        told = self.config()[4 * which : 4 * which + 4]
        return max(int.from_bytes(told, "little"), self._once[which])

    def change(self, **items):
        """Have other jacks, streams, chmaps or controls, and tell the driver.

        A driver may not know yet: until the next reset what is gone is answered BAD_MSG.
        """
        for which, total in enumerate(self.totals()):
            self._once[which] = max(self._once[which], total)
        self.sound.change(**items)
        self.trace.changed(self.totals())
        if self.transport is not None:
            self.transport.config_changed()

    # The life of the device

    def accept(self, features, known=KNOWN):
        """The driver accepts features (2.2). Return whether the device can work with them."""
        offered = self.features
        rule(not features & ~offered, "F-01", f"{features & ~offered:#x} was not offered")
        rule(not features & SR_IOV, "F-13", "SR_IOV is for PCI")
        rule(not features & ADMIN_VQ, "F-14", "ADMIN_VQ is not for this transport")
        rule(not features & ~known, "F-04", f"{features & ~known:#x} is not for this device")
        rule(features & VERSION_1 or not offered & VERSION_1, "F-07", "VERSION_1 not accepted")
        self.accepted = features
        return not self.refuse_features and not features & ~WORKING

    def reset(self):
        self.trace.reset()
        self._life += 1
        self.live = False
        self.rings = {}
        self.accepted = 0
        self._once = [0] * 4
        self.events.reset()
        self.sound.reset()

    def add_queue(self, index, size, desc, avail, used):
        """A queue of `size` descriptors, with its parts at those addresses, may be used."""
        ring = Ring(
            self.memory, index, size, desc, avail, used, bool(self.accepted & EVENT_IDX),
            self.poison, bool(self.accepted & INDIRECT_DESC), self.descriptors_max,
        )
        ring.silent = self.silent
        ring.ask()
        self.rings[index] = ring
        self.trace.queue(index, size)

    def remove_queue(self, index):
        """Forget a queue, and what the driver put there."""
        self.rings.pop(index, None)
        if index == EVENTQ:
            self.events.reset()
        for stream in self.sound.streams:
            if stream.QUEUE == index:
                stream.pending.clear()

    def start(self):
        """The driver has set DRIVER_OK."""
        self.live = True
        self.trace.started(self.accepted)
        if self.silent:
            self._poll()
        self._later(self.WATCH_US, self._watch)

    def _watch(self):
        """Look for chains that the driver made no kick for."""
        self._later(self.WATCH_US, self._watch)
        for index in list(self.rings):
            self.look(index)

    def look(self, index):
        """Look whether a queue has chains that should have come with a kick."""
        ring = self.rings[index]
        forgot = not self.sound.streams.polled(index) and ring.unkicked()
        name = "Q-20" if ring.event_idx else "Q-18"
        self.judge(not forgot, name, f"queue {index}: chains, and no kick for them")

    @property
    def trace(self):
        """Where everything is written down: a trace.Trace."""
        return self._trace

    @trace.setter
    def trace(self, trace):
        trace.device = self
        self._trace = trace

    @contextmanager
    def traced(self):
        """A Breach that goes through here is in the trace."""
        try:
            yield
        except Breach as breach:
            self.trace.breach(breach)
            raise

    def _later(self, us, call):
        """Call it, unless the device is reset before."""
        life = self._life

        def due():
            if life == self._life:
                with self.traced():
                    call()

        self.clock.at(self.clock.now + us, due)

    def judge(self, kept, name, text):
        """rule(), for what does not keep the device from going on."""
        rule(kept, name, text)

    # Queues

    def kick(self, index):
        ring = self.rings.get(index)
        rule(ring, "4.2.2", f"kick for queue {index}, which is not ready")
        self.kicks.append(index)
        self.trace.kick(index)
        self._later(self.kick_us, lambda: self.serve(index))
        self.spurious += not ring.kicked()
        polled = self.sound.streams.polled(index)
        self.judge(not polled, "S-35", f"kick for queue {index}: its streams chose MSG_POLLING")

    def check_next(self, index, next):
        """With NOTIFICATION_DATA a kick says how far the available ring has come."""
        if index in self.rings:
            idx = self.rings[index].avail_idx()
            rule(next == idx, "4.2.3.3", f"kick for queue {index}, index {next}; it is {idx}")

    def _poll(self):
        for index in list(self.rings):
            self.serve(index)
        self._later(1000, self._poll)

    def serve(self, index):
        """Take what the driver has made available."""
        ring = self.rings.get(index)
        with self.traced():
            while ring and (chain := ring.pop()) is not None:
                ring.ask()
                self.handle(index, chain)

    def handle(self, index, chain):
        """Take one chain from a queue."""
        if index == CONTROLQ:
            answer = self.sound.control(chain.read(), chain.room)
            if answer is not None:
                self.give_back(index, chain, chain.write(answer))
        elif index == EVENTQ:
            self.events.take(chain)
        elif index == TXQ:
            self.sound.transmit(chain)
        elif index == RXQ:
            self.sound.receive(chain)

    def give_back(self, index, chain, length):
        us = self.delay(index, chain.head)
        if us:
            self._later(us, lambda: self._push(index, chain, length))
        else:
            self._push(index, chain, length)

    def _push(self, index, chain, length):
        ring = self.rings[index]
        for head, n in self.used(index, chain.head, length):
            ring.push(head, n)
        if ring.interrupt_wanted() and not self.lose(index):
            self.interrupt(index)

    def interrupt(self, index):
        """Let the driver know of used buffers of a queue, whichever it is."""
        self.notify()

    def tick(self, periods=1, stream=0):
        """Let periods of a stream pass, whatever the clock says."""
        for _ in range(periods):
            self.serve(self.sound.streams[stream].QUEUE)
            self.sound.play(self.sound.streams[stream])

    # Events (5.14.6.7). All return whether the driver had a buffer.

    @property
    def lost_events(self):
        return self.events.lost

    def event(self, code, data, length=8):
        """Send any event at all, and say that it is `length` bytes long."""
        sent = self.events.put(events.event(code, data), length)
        fate = "" if sent else ", held" if self.events.hold else ", lost: no buffer"
        self.trace.event(code, data, fate)
        return sent

    def plug(self, jack, connected=True):
        """Plug something into a jack, or pull it out."""
        self.sound.jacks[jack].connected = connected
        return self.event(JACK_CONNECTED if connected else JACK_DISCONNECTED, jack)

    def _stream_event(self, code, stream, feature, force):
        if not force and not self.sound.streams[stream].selected(feature):
            return False
        return self.event(code, stream)

    def xrun(self, stream, force=False):
        """Tell of an xrun, if the driver selected such events, or in any case."""
        return self._stream_event(PCM_XRUN, stream, EVT_XRUNS, force)

    def period_elapsed(self, stream, force=False):
        """Tell of a period, if the driver selected such events, or in any case."""
        return self._stream_event(PCM_PERIOD_ELAPSED, stream, EVT_SHMEM_PERIODS, force)

    def control_changed(self, control, mask=MASK_VALUE, force=False):
        """Tell that a control element changed, if CTLS was negotiated, or in any case."""
        if not force and not self.accepted & CTLS:
            return False
        return self.event(CTL_NOTIFY, mask << 16 | control)

    def echo(self, control, mask):
        """The driver itself changed a control element."""
        if self.echo_writes:
            self.control_changed(control, mask)
