# SPDX-License-Identifier: MIT
"""What a device does that has a fault: functions for Fault.what, or that return one."""

import itertools
import struct

from .protocol import CONTROLQ, JACK_CONNECTED, OK, TXQ, VERSION_1

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
