# SPDX-License-Identifier: MIT
"""What a hostile or failing device does, once, at a stated place. fault_list has some by name.

    inject(device, FAULTS["used-id-repeated"])          # as it is listed
    inject(device, FAULTS["used-id-repeated"].at(12))   # with the twelfth buffer

A fault is where and what. Where is one of

    Use(queue, nth)       the nth buffer that comes back on a queue
    Request(name, nth)    the nth request of that name, "START" for one
    Register(name)        each read of a register, from the beginning
    Start()               before the driver starts the device

and what is a function:

    Use        what(device, head, length) returns the used entries that are really written, a list
               of (id, length); None for the right one
    Request    what(device, request, room) returns the bytes of the answer, None for no answer,
               NotImplemented for the right one
    Register   what(value) returns the value that is read
    Start      what(device) sets whatever docs/device.md names

`times` is how often in a row it happens, None for ever. inject() returns an Injection, whose
remove() makes the device a good one again. Faults with `page` need MmioTransport: behind QEMU the
registers are QEMU's.
"""

from dataclasses import dataclass, replace
from typing import Callable

from .protocol import OK


@dataclass(frozen=True)
class Use:
    queue: int
    nth: int = 1
    times: int | None = 1


@dataclass(frozen=True)
class Request:
    name: str
    nth: int = 1
    times: int | None = 1


@dataclass(frozen=True)
class Register:
    name: str


@dataclass(frozen=True)
class Start:
    pass


@dataclass(frozen=True)
class Fault:
    """`id` is its number in docs/robustness.md, `text` one line about it."""

    id: str
    name: str
    text: str
    where: Use | Request | Register | Start
    what: Callable
    page: bool = False

    def at(self, nth):
        """The same fault with the nth use or request, counted from 1."""
        return replace(self, where=replace(self.where, nth=nth))

    @property
    def counted(self):
        """Whether at() means anything."""
        return isinstance(self.where, (Use, Request))

    @property
    def possible_in_qemu(self):
        """Whether python -m virtsnd can have it."""
        return not self.page and not isinstance(self.where, Register)


# What a fault may change, and remove() puts back.
OF_DEVICE = ("used", "delay", "lose", "silent", "refuse_features", "config", "features")
OF_SOUND = ("status", "pick", "flush", "paced", "tamper", "stride", "control_record")


class Injection:
    """A fault in a device. `happened`: how often; 1 for what lasts."""

    def __init__(self, device, fault):
        self.device = device
        self.fault = fault
        self.happened = 0
        self._uses = 0
        self._removed = False
        sound = device.sound
        self._was = [
            (owner, name, vars(owner).get(name, self))
            for owner, names in ((device, OF_DEVICE), (sound, OF_SOUND))
            for name in names
        ]
        self._queue_max = list(device.queue_max)
        self._used = device.used
        where = fault.where
        if isinstance(where, Use):
            device.used = self._at_use
        elif isinstance(where, Request):
            self._script = sound.script[where.name]
            sound.script[where.name] = Answers(self._script, where, self._answer)
        elif isinstance(where, Register):
            device.transport.force[where.name] = self._lie
        else:
            self.happened = 1
            fault.what(device)

    def _now(self):
        # Whether it is the turn of this use; to be called once for each.
        where = self.fault.where
        self._uses += 1
        late = self._uses - where.nth
        now = late >= 0 and (where.times is None or late < where.times)
        self.happened += now
        return now

    def _at_use(self, index, head, length):
        if not self._removed and index == self.fault.where.queue and self._now():
            entries = self.fault.what(self.device, head, length)
            if entries is not None:
                return entries
        return self._used(index, head, length)

    def _answer(self, request, room):
        self.happened += 1
        return self.fault.what(self.device, request, room)

    def _lie(self, value):
        self.happened = 1
        return self.fault.what(value)

    def remove(self):
        """From now on the device does what it did before. What has happened stays."""
        self._removed = True
        for owner, name, value in self._was:
            if value is self:
                vars(owner).pop(name, None)
            else:
                setattr(owner, name, value)
        self.device.queue_max[:] = self._queue_max
        if self.fault.page:
            self.device.transport.gone = False
            vars(self.device.memory).pop("load", None)
        where = self.fault.where
        if isinstance(where, Request):
            self.device.sound.script[where.name] = self._script
        elif isinstance(where, Register):
            self.device.transport.force.pop(where.name, None)
            self.device.transport.forget()


class Answers:
    """A list for Sound.script: what was there, but for the requests that the fault is about."""

    def __init__(self, before, where, what):
        self._before = before
        self._where = where
        self._what = what
        self._count = 0

    def pop(self, at):
        where = self._where
        self._count += 1
        late = self._count - where.nth
        if late >= 0 and (where.times is None or late < where.times):
            return self._what
        return self._before.pop(at) if self._before else OK


def inject(device, fault):
    """Let a SoundDevice have a fault; return the Injection."""
    return Injection(device, fault)
