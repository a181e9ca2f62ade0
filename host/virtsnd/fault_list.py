# SPDX-License-Identifier: MIT
"""Faults by name: FAULTS. Their numbers are those of docs/robustness.md."""

import itertools
import struct

from .faults import Fault, Register, Request, Start, Use
from .protocol import (
    BAD_MSG, CONTROLQ, CTL_NOTIFY, EVENTQ, IO_ERR, JACK_CONNECTED, NOT_SUPP, OK, PCM_XRUN, RXQ,
    TXQ, VERSION_1,
)

ALL = 0xFFFFFFFF

# What happens with a used entry

def entries(*pairs):
    """Other entries instead: pairs of what is added to the id, and the length or None."""
    return lambda device, head, n: [
        (head + more, n if length is None else length) for more, length in pairs
    ]


def entry(id):
    """An entry with this id, whatever came."""
    return lambda device, head, n: [(id, n)]


def jump(queue, n):
    """used.idx goes n too far."""

    def what(device, head, length):
        device.clock.at(device.clock.now, lambda: queue in device.rings and _jump(device))

    def _jump(device):
        device.rings[queue].jump(n)
        device.interrupt(queue)

    return what


def lost(device, head, n):
    """The buffer does not come back."""
    return []


def late(queue, us, reset=False):
    """The buffer comes back so much later; `reset`: even if the device was reset meanwhile."""

    def what(device, head, length):
        ring = device.rings[queue]

        def due():
            if reset or device.rings.get(queue) is ring:
                ring.owned.pop(head, None)  # what lies there now is not looked at
                ring.push(head, length)
                device.interrupt(queue)

        device.clock.at(device.clock.now + us, due)
        return []

    return what


def after(call, us=0):
    """The buffer comes back as it should; then call(device)."""

    def what(device, head, length):
        life = device._life

        def due():
            if device._life == life:
                call(device)

        device.clock.at(device.clock.now + us, due)

    return what


def overwrite(device, head, length):
    """An answer comes back as it should, and is something else soon after."""
    ring = device.rings[CONTROLQ]
    chain = ring.owned[head]
    where = ring.used + 4 + 8 * (ring.idx % ring.size)

    def due():
        device.memory.write(where, b"\xff" * 8)
        chain.write(b"\xff" * chain.room)

    device.clock.at(device.clock.now + 5, due)


def fickle(queue):
    """Whatever the driver reads of the used ring is another thing when it reads it again."""

    def what(device):
        load = device.memory.load

        def loaded(address, n):
            value = load(address, n)
            ring = device.rings.get(queue)
            if ring and 4 <= address - ring.used < 4 + 8 * ring.size:
                device.memory.set_word(address, n, (1 << 8 * n) - 1)
            return value

        device.memory.load = loaded

    return what


def scribbled(queue):
    """From now on the descriptors are nonsense, but for the device, which remembers them."""

    def what(device):
        ring = device.rings[queue]
        where, n = ring.desc, 16 * ring.size
        pop = ring.pop
        known = device.memory.read(where, n)

        def popped():
            nonlocal known
            now = device.memory.read(where, n)  # the driver may have written some anew
            known = bytes(old if new == 0xAA else new for old, new in zip(known, now))
            device.memory.write(where, known)
            chain = pop()
            ring.scribble(0xAA)
            return chain

        ring.pop = popped
        ring.scribble(0xAA)

    return what


def completions(queue, count):
    """So many interrupts follow, each for nothing, one a microsecond."""

    def what(device, head, length):
        for us in range(count):
            device.clock.at(device.clock.now + us, lambda: device.interrupt(queue))

    return what


def flood(count):
    """So many events follow, as fast as the driver gives buffers for them."""

    def call(device):
        device.events.hold = True
        for number in range(count):
            device.event(JACK_CONNECTED + number % 2, 0)

    return call


def event(code, data, length=8):
    return after(lambda device: device.event(code, data, length))


def needs_reset(device, head, length):
    """The buffer does not come back, and the device needs a reset."""
    device.transport.need_reset()
    return []


def unplugged(device, head=0, length=0):
    device.transport.gone = True
    return []


# What happens with a request

def status(number):
    return lambda device, request, room: struct.pack("<I", number)


def answer(*fields, fill=b"\0"):
    """The status OK, these 32-bit words, and the rest of the room filled up."""

    def what(device, request, room):
        data = struct.pack(f"<{1 + len(fields)}I", OK, *fields)
        return (data + fill * room)[:room]

    return what


def short(n):
    """The status OK and nonsense, n bytes in all."""
    return lambda device, request, room: (struct.pack("<I", OK) + b"\x5a" * n)[:n]


def reset_asked(device, request, room):
    """No answer, and the device needs a reset."""
    device.transport.need_reset()


def done_early(device, request, room):
    """Two periods are done; then the answer is the right one."""
    device.tick(2)
    return NotImplemented


def never(device, request, room):
    return None


# What is wrong from the beginning

def total(which, number):
    """The configuration claims so many jacks (0), streams, channel maps or controls (3)."""

    def what(device):
        def config():
            totals = device.totals()
            totals[which] = number
            return struct.pack(f"<{len(totals)}I", *totals)

        device.config = config

    return what


def record(name, at, code, *values, id=0):
    """Fields of an INFO record, from byte `at` on, have other values; of item `id` alone."""

    def what(device):
        def tamper(which, number, data):
            if (which, number) != (name, id):
                return data
            new = struct.pack("<" + code, *values)
            return data[:at] + new + data[at + len(new) :]

        device.sound.tamper = tamper

    return what


def attribute(owner, name, value):
    """Set an attribute of the device or of its `sound`."""
    return lambda device: setattr(device.sound if owner == "sound" else device, name, value)


def other_config(device):
    """The configuration is another at each read of it."""
    numbers = itertools.count()
    device.config = lambda: struct.pack(f"<{len(device.totals())}I", *[
        next(numbers) for _ in device.totals()
    ])


def without_version_1(device):
    device.features &= ~VERSION_1


def missing_queue(device):
    device.queue_max[TXQ] = 0


def odd_queue(device):
    device.queue_max[:] = [48] * 4


def latency(device):
    device.sound.status = lambda stream, number: (OK, ALL)


def keeps_one(device):
    device.sound.flush = lambda pending: list(pending)[1:]


def odd_order(device):
    device.sound.pick = lambda pending: len(pending) - 1


def counter():
    numbers = itertools.count()
    return lambda value: next(numbers)


TX6, RX6 = Use(TXQ, 6), Use(RXQ, 6)
REPLY, EVENT = Use(CONTROLQ, 2), Use(EVENTQ)

_LIST = (
    # used rings
    Fault("H-01", "used-idx-jumps", "used.idx of tx goes 4000 too far", TX6, jump(TXQ, 4000)),
    Fault("H-01", "used-idx-back", "used.idx of tx goes back", TX6, jump(TXQ, -3)),
    Fault("H-01", "used-idx-jumps-rx", "used.idx of rx goes 4000 too far", RX6, jump(RXQ, 4000)),
    Fault("H-01", "used-idx-jumps-control", "used.idx of the control queue goes 9 too far",
          REPLY, jump(CONTROLQ, 9)),
    Fault("H-01", "used-idx-jumps-event", "used.idx of the event queue goes 40000 too far",
          TX6, after(lambda device: jump(EVENTQ, 40000)(device, 0, 0))),
    Fault("H-02", "used-id-64", "a used id of tx is the queue's size", TX6, entry(64)),
    Fault("H-02", "used-id-huge", "a used id of tx is 2^32-1", TX6, entry(ALL)),
    Fault("H-02", "used-id-huge-rx", "a used id of rx is 2^32-1", RX6, entry(ALL)),
    Fault("H-02", "used-id-huge-control", "a used id of the control queue is 2^32-1",
          REPLY, entry(ALL)),
    Fault("H-02", "used-id-high-bits", "a used id of tx is right in its low 16 bits alone",
          TX6, entries((0x10000, None))),
    Fault("H-03", "used-id-repeated", "a buffer of tx comes back twice",
          TX6, entries((0, None), (0, None))),
    Fault("H-03", "used-id-repeated-rx", "a buffer of rx comes back twice",
          RX6, entries((0, None), (0, None))),
    Fault("H-03", "used-id-repeated-control", "an answer comes back twice",
          REPLY, entries((0, None), (0, None))),
    Fault("H-03", "used-id-middle", "a used id of tx is no head of a chain",
          TX6, entries((1, None))),
    Fault("H-03", "used-id-unknown", "a used id of tx was never given to the device",
          TX6, entry(40)),
    Fault("H-04", "used-len-long", "9 bytes were written to a status of 8", TX6, entries((0, 9))),
    Fault("H-04", "used-len-huge", "2^32-1 bytes were written to a status of 8",
          TX6, entries((0, ALL))),
    Fault("H-04", "used-len-huge-rx", "2^32-1 bytes were recorded into a period",
          RX6, entries((0, ALL))),
    Fault("H-04", "used-len-huge-control", "an answer has 2^32-1 bytes", REPLY, entries((0, ALL))),
    Fault("H-05", "used-len-zero", "nothing was written to a status of tx", TX6, entries((0, 0))),
    Fault("H-05", "used-len-short", "7 bytes were written to a status of tx",
          TX6, entries((0, 7))),
    Fault("H-05", "used-len-short-rx", "7 bytes were written to a buffer of rx",
          RX6, entries((0, 7))),
    Fault("H-05", "used-len-zero-control", "an answer has no bytes", REPLY, entries((0, 0))),
    Fault("H-05", "used-len-short-control", "an answer has 3 bytes", REPLY, entries((0, 3))),
    Fault("H-06", "descriptors-overwritten", "the descriptors of tx are overwritten",
          TX6, after(scribbled(TXQ))),
    Fault("H-06", "descriptors-overwritten-control", "those of the control queue are",
          TX6, after(scribbled(CONTROLQ))),
    Fault("H-07", "used-entry-changes", "a used entry of tx is another at each look",
          Start(), fickle(TXQ), page=True),
    Fault("H-07", "used-entry-changes-rx", "a used entry of rx is another at each look",
          Start(), fickle(RXQ), page=True),
    Fault("H-07", "used-entry-changes-control", "one of the control queue is",
          Start(), fickle(CONTROLQ), page=True),
    Fault("H-07", "answer-changes", "answers and their used entries are overwritten soon after",
          Use(CONTROLQ, 1, None), overwrite),
    # answers
    Fault("H-08", "answer-status-unknown", "START is answered with status 0x8004",
          Request("START"), status(0x8004)),
    Fault("H-08", "answer-status-zero", "PREPARE is answered with status 0",
          Request("PREPARE"), status(0)),
    Fault("H-08", "answer-status-huge", "PCM_INFO is answered with status 2^32-1",
          Request("PCM_INFO"), status(ALL)),
    Fault("H-08", "answer-io-err", "SET_PARAMS fails with IO_ERR",
          Request("SET_PARAMS"), status(IO_ERR)),
    Fault("H-08", "samples-refused", "a period of tx comes back with IO_ERR",
          Start(), attribute("sound", "status", lambda s, n: (IO_ERR if n == 5 else OK, 0))),
    Fault("H-08", "samples-status-unknown", "a period comes back with status 2^32-1",
          Start(), attribute("sound", "status", lambda s, n: (ALL if n == 5 else OK, 0))),
    Fault("H-09", "answer-short", "PCM_INFO is answered OK, with half a record",
          Request("PCM_INFO"), short(20)),
    Fault("H-09", "answer-without-records", "PCM_INFO is answered OK, without records",
          Request("PCM_INFO"), short(4)),
    Fault("H-09", "answer-short-controls", "CTL_READ is answered OK, without a value",
          Request("CTL_READ"), short(4)),
    Fault("H-10", "no-answer-info", "PCM_INFO is never answered", Request("PCM_INFO"), never),
    Fault("H-10", "no-answer-params", "SET_PARAMS is never answered",
          Request("SET_PARAMS"), never),
    Fault("H-10", "no-answer-prepare", "PREPARE is never answered", Request("PREPARE"), never),
    Fault("H-10", "no-answer-start", "START is never answered", Request("START"), never),
    Fault("H-10", "no-answer-stop", "STOP is never answered", Request("STOP"), never),
    Fault("H-10", "no-answer-release", "RELEASE is never answered", Request("RELEASE"), never),
    Fault("H-10", "no-answer-control", "CTL_READ is never answered", Request("CTL_READ"), never),
    Fault("H-10", "answer-late", "an answer comes after 1.5 s", REPLY, late(CONTROLQ, 1_500_000)),
    Fault("H-10", "answer-after-reset", "an answer comes after 1.1 s, reset or not",
          REPLY, late(CONTROLQ, 1_100_000, True)),
    Fault("H-10", "samples-never-back", "a period of tx never comes back", TX6, lost),
    Fault("H-10", "samples-never-back-rx", "a period of rx never comes back", RX6, lost),
    Fault("H-10", "samples-late", "a period of tx comes back 300 ms late",
          TX6, late(TXQ, 300_000)),
    Fault("H-10", "samples-after-reset", "a period of tx comes back after 1.2 s, reset or not",
          TX6, late(TXQ, 1_200_000, True)),
    Fault("H-11", "release-keeps-buffers", "RELEASE is answered, and a period not returned",
          Start(), keeps_one),
    # records
    Fault("H-12", "streams-huge", "there are 2^32-1 streams", Start(), total(1, ALL)),
    Fault("H-12", "jacks-huge", "there are 2^32-1 jacks", Start(), total(0, ALL)),
    Fault("H-12", "chmaps-huge", "there are 2^32-1 channel maps", Start(), total(2, ALL)),
    Fault("H-12", "controls-huge", "there are 2^32-1 controls", Start(), total(3, ALL)),
    Fault("H-12", "streams-none", "there are no streams", Start(), total(1, 0)),
    Fault("H-13", "channels-zero", "an output has 0..2 channels",
          Start(), record("PCM_INFO", 25, "B", 0)),
    Fault("H-13", "channels-reversed", "an output has 5..2 channels",
          Start(), record("PCM_INFO", 25, "BB", 5, 2)),
    Fault("H-13", "formats-none", "an output has no format",
          Start(), record("PCM_INFO", 8, "Q", 0)),
    Fault("H-13", "formats-unknown", "an output has formats that nobody knows",
          Start(), record("PCM_INFO", 8, "Q", 1 << 63 | 1 << 40)),
    Fault("H-13", "rates-none", "an output has no rate", Start(), record("PCM_INFO", 16, "Q", 0)),
    Fault("H-13", "direction-unknown", "a stream has direction 2",
          Start(), record("PCM_INFO", 24, "B", 2)),
    Fault("H-14", "chmap-too-long", "a channel map has 19 channels",
          Start(), record("CHMAP_INFO", 5, "B", 19)),
    Fault("H-14", "chmap-longest", "a channel map has 255 channels",
          Start(), record("CHMAP_INFO", 5, "B", 255)),
    Fault("H-14", "chmap-position-unknown", "a channel is at position 99",
          Start(), record("CHMAP_INFO", 6, "B", 99)),
    Fault("H-14", "chmap-direction-unknown", "a channel map has direction 7",
          Start(), record("CHMAP_INFO", 4, "B", 7)),
    Fault("H-15", "control-type-unknown", "a control has type 9",
          Start(), record("CTL_INFO", 8, "I", 9)),
    Fault("H-15", "control-count-zero", "a control has 0 values",
          Start(), record("CTL_INFO", 16, "I", 0)),
    Fault("H-15", "control-count-huge", "a control has 2^32-1 values",
          Start(), record("CTL_INFO", 16, "I", ALL)),
    Fault("H-15", "control-name-endless", "the name of a control has no end",
          Start(), record("CTL_INFO", 24, "44s", b"x" * 44)),
    Fault("H-15", "control-name-garbage", "the name of a control is no ASCII",
          Start(), record("CTL_INFO", 24, "44s", bytes(range(212, 256)))),
    Fault("H-15", "control-range-reversed", "a control goes from 5 to 1",
          Start(), record("CTL_INFO", 68, "III", 5, 1, 0)),
    Fault("H-15", "control-items-huge", "an enumerated control has 2^32-1 items",
          Start(), record("CTL_INFO", 68, "I", ALL, id=1)),
    Fault("H-15", "control-items-endless", "the names of its items have no end",
          Request("CTL_ENUM_ITEMS"), answer(fill=b"x")),
    Fault("H-15", "control-value-unknown", "an enumerated control has value 2^32-1",
          Request("CTL_READ", 3), answer(ALL)),
    Fault("H-16", "tlv-too-long", "metadata claim 2^32-4 bytes",
          Request("CTL_TLV_READ"), answer(1, ALL - 3)),
    Fault("H-16", "tlv-odd", "metadata claim 7 bytes", Request("CTL_TLV_READ"), answer(1, 7)),
    Fault("H-16", "tlv-short", "metadata are 3 bytes", Request("CTL_TLV_READ"), short(7)),
    Fault("H-16", "tlv-deep", "metadata have 60 levels",
          Request("CTL_TLV_READ", 1, None),
          lambda device, request, room: (struct.pack("<I", OK) + b"".join(
              struct.pack("<II", 0, 8 * (60 - level)) for level in range(61)
          ))[:room]),
    # events
    Fault("H-17", "event-short", "an event has 3 bytes", TX6, event(JACK_CONNECTED, 0, 3)),
    Fault("H-17", "event-empty", "an event has no bytes", TX6, event(0, 0, 0)),
    Fault("H-17", "event-long", "an event has 2^32-1 bytes", TX6, event(0, 0, ALL)),
    Fault("H-17", "event-unknown", "an event has code 0xdead", TX6, event(0xDEAD, 0xBEEF)),
    Fault("H-17", "event-jack-unknown", "an event is about jack 2^32-1",
          TX6, event(JACK_CONNECTED, ALL)),
    Fault("H-17", "event-stream-unknown", "an xrun of stream 2^32-1", TX6, event(PCM_XRUN, ALL)),
    Fault("H-17", "event-not-selected", "an xrun that was not selected",
          TX6, event(PCM_XRUN, 0)),
    Fault("H-17", "event-control-unknown", "an event about control 65535, of mask 0xffff",
          TX6, event(CTL_NOTIFY, ALL)),
    Fault("H-18", "event-flood", "a thousand events at once", TX6, after(flood(1000))),
    Fault("H-18", "interrupt-flood", "a thousand interrupts for nothing",
          TX6, completions(TXQ, 1000)),
    Fault("H-18", "config-flood", "a hundred changes of the configuration",
          TX6, after(lambda device: [device.transport.config_changed() for _ in range(100)])),
    # samples
    Fault("H-19", "latency-huge", "each period tells of a latency of 2^32-1 bytes",
          Start(), latency),
    Fault("H-20", "recorded-too-much", "a period of rx has 9 bytes more than its buffer",
          RX6, lambda device, head, n: [(head, n + 1)]),
    Fault("H-20", "recorded-odd", "a period of rx is 3 bytes short of a frame",
          RX6, lambda device, head, n: [(head, n - 3)]),
    Fault("H-21", "done-before-start", "two periods are done before START",
          Request("START"), done_early),
    Fault("H-21", "order", "periods come back the newest first", Start(), odd_order),
    # interrupts and registers
    Fault("H-22", "interrupt-for-nothing", "an interrupt for nothing",
          TX6, after(lambda device: device.interrupt(TXQ))),
    Fault("H-22", "interrupts-lost", "no interrupt ever comes",
          Start(), attribute("device", "lose", lambda index: True)),
    Fault("H-22", "interrupt-unknown", "InterruptStatus has all the bits that nobody knows",
          TX6, after(lambda device: device.transport.interrupt(0xFFFFFFFC)), page=True),
    Fault("H-23", "reset-never-ends", "Status is never 0 after a reset",
          Register("Status"), lambda value: value or 1),
    Fault("H-24", "queue-in-use", "QueueReady is 1 before the queue is set up",
          Register("QueueReady"), lambda value: 1),
    Fault("H-24", "queue-in-use-legacy", "QueuePFN is not 0 before the queue is set up",
          Register("QueuePFN"), lambda value: 0x88000),
    Fault("H-24", "queue-missing", "QueueSizeMax of tx is 0", Start(), missing_queue, page=True),
    Fault("H-24", "queue-size-odd", "QueueSizeMax is 48, no power of two",
          Start(), odd_queue, page=True),
    Fault("H-24", "queue-size-huge", "QueueSizeMax is 2^32-1",
          Register("QueueSizeMax"), lambda value: ALL),
    Fault("H-25", "features-refused", "FEATURES_OK does not stick",
          Start(), attribute("device", "refuse_features", True), page=True),
    Fault("H-25", "version-1-missing", "VERSION_1 is not offered",
          Start(), without_version_1),
    Fault("H-25", "needs-reset-at-open", "the device needs a reset before PCM_INFO is answered",
          Request("PCM_INFO"), reset_asked, page=True),
    Fault("H-25", "needs-reset-at-params", "before SET_PARAMS is answered",
          Request("SET_PARAMS"), reset_asked, page=True),
    Fault("H-25", "needs-reset-at-start", "before START is answered",
          Request("START"), reset_asked, page=True),
    Fault("H-25", "needs-reset-at-stop", "before STOP is answered",
          Request("STOP"), reset_asked, page=True),
    Fault("H-25", "needs-reset", "the device needs a reset while it plays",
          TX6, needs_reset, page=True),
    Fault("H-25", "needs-reset-rx", "the device needs a reset while it records",
          RX6, needs_reset, page=True),
    Fault("H-26", "config-changes", "ConfigGeneration is another at each read",
          Register("ConfigGeneration"), counter()),
    Fault("H-26", "config-changes-legacy", "the configuration is another at each read",
          Start(), other_config),
    # what is not there
    *(
        Fault("H-27", f"{name.lower().replace('_', '-')}-{what}", f"{name} is answered {why}",
              Request(name, 1, None), status(number))
        for name in ("JACK_INFO", "CHMAP_INFO", "CTL_INFO")
        for what, why, number in (
            ("not-supp", "NOT_SUPP", NOT_SUPP), ("bad-msg", "BAD_MSG", BAD_MSG),
        )
    ),
    # nobody there any more
    Fault("R-01", "gone", "all registers read 0xffffffff while it plays",
          TX6, unplugged, page=True),
    Fault("R-01", "gone-at-open", "all registers read 0xffffffff", Start(), unplugged, page=True),
    Fault("R-01", "magic-wrong", "MagicValue is 0", Register("MagicValue"), lambda value: 0),
    Fault("R-01", "version-unknown", "Version is 3", Register("Version"), lambda value: 3),
)

FAULTS = {fault.name: fault for fault in _LIST}
assert len(FAULTS) == len(_LIST)
