# SPDX-License-Identifier: MIT
"""Sequences of calls and faults, and a model of what they do; for test_robustness_sequences.py.

A sequence is a list of steps: tuples of a name and arguments, all of plain numbers and words, so
that one that failed can be kept as it was printed. World carries it out on the driver, on a
simulated device, and on a model that knows state, position, and what must have been played or
recorded. While a fault is there, and until the card was reset, the model knows only that errors
are OSErrors or ValueErrors with one line, and that every call ends.
"""

import errno

import sim
import virtsnd
from robust import LIMIT_US, Case, line, sound

FRAME = 4
NOISE = sound(1 << 18, 5)

SETUP, PREPARED, RUNNING, PAUSED, CLOSED = "SETUP", "PREPARED", "RUNNING", "PAUSED", "CLOSED"

# What each command does by the model: the states in which it is allowed, and the one after.
# None: nothing happens in any other state.
COMMANDS = {
    "start": ({PREPARED: RUNNING, PAUSED: RUNNING, RUNNING: RUNNING}, True),
    "stop": ({RUNNING: PAUSED, PAUSED: PAUSED}, True),
    "pause": ({RUNNING: PAUSED}, False),
    "resume": ({PAUSED: RUNNING}, False),
    "prepare": ({SETUP: PREPARED, PREPARED: PREPARED}, True),
    "release": ({PREPARED: SETUP, PAUSED: SETUP}, True),
    "drop": ({PREPARED: SETUP, PAUSED: SETUP, RUNNING: SETUP}, False),
}

# Faults that may come at any time, by name.
FAULTS = [
    name for name, fault in virtsnd.FAULTS.items()
    if name not in ("gone-at-open", "magic-wrong", "version-unknown", "interrupts-lost")
    and not name.startswith(("config-changes", "queue-"))
]


class Wrong(AssertionError):
    """The driver did not do what the model says."""


def must(truth, *what):
    if not truth:
        raise Wrong(*what)


class Playing:
    """The model of an Output."""

    def __init__(self, world, out):
        self.world = world
        self.out = out
        self.state = PREPARED
        self.blocking = True
        self.begin()

    def begin(self):
        """prepare(): position is 0."""
        self.mark = len(self.world.stream(0).played)
        self.written = bytearray()

    def came(self):
        """What the device has played since."""
        return bytes(self.world.stream(0).played[self.mark :])

    def lost(self):
        """What was queued is gone: a whole number of periods of it was played."""
        came = self.came()
        must(bytes(self.written).startswith(came) or self.padded() == came, "lost and changed")
        must(len(came) % self.out.period_bytes == 0)
        self.written = bytearray()
        self.mark += len(came)

    def padded(self):
        n = -len(self.written) % self.out.period_bytes
        return bytes(self.written) + bytes(n)

    def drained(self):
        must(self.came() == self.padded(), "drained, and not all was played")
        self.state = SETUP
        self.written = bytearray()
        self.mark = len(self.world.stream(0).played)

    def agrees(self):
        out = self.out
        state = out.state
        must(state == self.state or self.state == RUNNING and state == "XRUN", state, self.state)
        if self.state in (PREPARED, RUNNING, PAUSED):
            came = self.came()
            must(bytes(self.written).startswith(came), "something else was played")
            must(out.position() * FRAME == len(came), out.position(), len(came))
            room = out.periods * out.period_bytes
            must(out.avail() * FRAME == room - (len(self.written) - len(came)), out.avail())


class Recording:
    """The model of an Input."""

    def __init__(self, world, mic):
        self.world = world
        self.out = mic
        self.state = PREPARED
        self.blocking = True
        self.begin()

    def begin(self):
        self.at = len(self.world.stream(1).recorded)
        self.ended = False

    def lost(self):
        self.at = len(self.world.stream(1).recorded)

    def agrees(self):
        state = self.out.state
        must(state == self.state or self.state == RUNNING and state == "XRUN", state, self.state)


class World:
    """A Case, the driver's objects on it, and the model."""

    def __init__(self, case):
        self.case = case
        self.rig = case.rig
        self.card = None
        self.pcm = [None, None]  # models of the streams in use
        self.injection = None
        self.trouble = False
        self.misled = False  # by a lie about a command's outcome
        self.value = 0  # of control 0

    def stream(self, id):
        return self.rig.sound.streams[id]

    # Steps

    def run(self, steps):
        try:
            for step in steps:
                self.step(*step)
            self.end()
        except virtsnd.Breach as breach:
            # A device that does a command and says that it did not, or nothing, is told again.
            must(self.misled and breach.name == "S-30", breach)
            sim.breaches.clear()
            self.remove()
            self.rig.board._sleep(1_500_000)
            self.case.card = self.card
            self.case.good()

    def step(self, name, *arguments):
        before = self.rig.clock.now
        try:
            getattr(self, "do_" + name)(*arguments)
        except (OSError, ValueError) as error:  # the second where a record lies
            line(error)  # it has one
            must(self.trouble, "an error without a fault", error)
        must(self.rig.clock.now - before < LIMIT_US, "it took too long")
        must(self.rig.guards(), "memory outside of all regions was written")
        must(not sim.breaches, sim.breaches)
        if not self.trouble:
            for model in self.pcm:
                if model:
                    model.agrees()

    def refused(self, number, call, *arguments):
        """The call must raise OSError(number)."""
        try:
            call(*arguments)
        except OSError as error:
            line(error)
            must(self.trouble or error.errno == number, error)
        else:
            must(self.trouble, call, "was allowed")

    def do_open(self):
        if self.card is None:
            self.card = self.rig.vsnd.open()

    def do_close_card(self):
        if self.card:
            card, self.card = self.card, None
            self._gone()
            self.case.card = card
            card.close()
            card.close()

    def _gone(self):
        self.old = [model.out for model in self.pcm if model]
        self.pcm = [None, None]
        self.value = None

    def do_reset(self):
        if self.card:
            olds = [model.out for model in self.pcm if model]
            self.pcm = [None, None]
            self.remove()
            self.card.reset()
            self.trouble = False
            for old in olds:
                must(old.state == CLOSED)
                self.refused(errno.ENODEV, old.prepare)
                old.close()

    def do_use_after_close(self):
        if self.card is None:
            self.do_open()
        out = self.card.output(stream=0) if self.pcm[0] is None else None
        if out:
            out.close()
            out.close()
            self.refused(errno.EPERM, out.write, bytes(FRAME))
            self.refused(errno.EPERM, out.drain)

    def do_output(self, period, periods):
        if self.card and self.pcm[0] is None:
            out = self.card.output(period=period, periods=periods, stream=0)
            self.pcm[0] = Playing(self, out)
        elif self.card:
            self.refused(errno.EBUSY, self.card.output)

    def do_input(self, period, periods):
        if self.card and self.pcm[1] is None:
            mic = self.card.input(period=period, periods=periods, stream=1)
            self.pcm[1] = Recording(self, mic)
        elif self.card:
            self.refused(errno.EBUSY, self.card.input)

    def do_write(self, frames, copy=True):
        model = self.pcm[0]
        if not model:
            return
        data = NOISE[len(model.written) % 4096 * FRAME :][: frames * FRAME]
        if model.state == SETUP:
            model.begin()
            model.state = PREPARED
        room = model.out.avail() * FRAME
        if model.state == PAUSED and len(data) > room and model.blocking:
            model.written += data[:room]
            self.refused(errno.EAGAIN, model.out.write, data, copy)
            return
        n = model.out.write(data, copy)
        if self.trouble:
            return
        n = n or 0
        must(n == len(data) if model.blocking else min(room, len(data)) <= n <= len(data), n)
        model.written += data[:n]
        if model.state == PREPARED and len(data) > room:
            model.state = RUNNING

    def do_write_in_place(self, frames):
        self.do_write(frames, False)

    def do_odd(self, n):
        model = self.pcm[0]
        if model and n % FRAME:
            try:
                model.out.write(bytes(n))
            except ValueError:
                pass
            else:
                raise Wrong("a part of a frame was written")

    def do_readinto(self, frames):
        model = self.pcm[1]
        if not model:
            return
        buf = bytearray(b"\xee" * (frames * FRAME))
        if model.state == SETUP and not model.ended:
            model.begin()
            model.state = PREPARED
        if model.state == PREPARED:
            model.state = RUNNING
        if model.state == PAUSED and len(buf) > model.out.avail() * FRAME and model.blocking:
            model.at += model.out.avail() * FRAME
            self.refused(errno.EAGAIN, model.out.readinto, buf)
            return
        n = model.out.readinto(buf)
        if self.trouble:
            return
        n = n or 0
        must(n == len(buf) if model.blocking and not model.ended else n <= len(buf), n)
        want = bytes(self.stream(1).recorded[model.at : model.at + n])
        must(buf == want + b"\xee" * (len(buf) - n), "something else was recorded")
        model.at += n

    def do_command(self, which, name):
        model = self.pcm[which]
        if not model:
            return
        table, strict = COMMANDS[name]
        call = getattr(model.out, name)
        after = table.get(model.state)
        if after is None and strict:
            self.refused(errno.EPERM, call)
            return
        call()
        if self.trouble:
            return
        if which == 1 and name == "drop":
            model.ended = False  # what was not read after drain() is forgotten
        if after is None:
            return
        if name == "prepare" and model.state == SETUP:
            model.begin()
        elif after == SETUP:
            model.lost() if which == 0 or name == "drop" else None
            if which == 1 and name != "drop":
                model.ended = True
        model.state = after

    def do_drain(self, which):
        model = self.pcm[which]
        if model:
            model.out.drain()
            if self.trouble:
                return
            if which == 0 and model.state != SETUP:
                model.drained()
            elif which == 1 and model.state != SETUP:
                model.state = SETUP
                model.ended = True

    def do_close(self, which):
        model = self.pcm[which]
        if model:
            self.pcm[which] = None
            model.out.close()
            if not self.trouble:
                if which == 0 and model.state != SETUP:
                    model.drained()
                must(model.out.state == CLOSED)
            model.out.close()

    def do_abort(self, which):
        model = self.pcm[which]
        if model:
            self.pcm[which] = None
            model.out.abort()
            if not self.trouble and which == 0 and model.state != SETUP:
                model.lost()

    def do_setblocking(self, which, flag):
        if self.pcm[which]:
            self.pcm[which].out.setblocking(flag)
            self.pcm[which].blocking = flag

    def do_poll(self, which):
        model = self.pcm[which]
        if model:
            ready = model.out.ioctl(3, 5)
            must(ready in (0, 1, 4, 8, 9, 12, 32), ready)
            full = which == 0 and model.out.avail() == 0 if not self.trouble else False
            if not self.trouble:
                if which == 0 and model.state == PREPARED and full:
                    model.state = RUNNING
                elif which == 1 and model.state in (SETUP, PREPARED) and not model.ended:
                    if model.state == SETUP:
                        model.begin()
                    model.state = RUNNING

    def do_sleep(self, ms):
        for _ in range(ms):
            self.rig.board._sleep(1000)

    def do_control(self, value):
        if self.card and self.card.controls:
            control = self.card.controls[0]
            control.write(value)
            must(self.trouble or control.read() == (value, value))
            control.db()

    def do_bad_control(self, value):
        if self.card and self.card.controls:
            try:
                self.card.controls[0].write(101 + value)
            except ValueError:
                pass
            else:
                raise Wrong("a control was set beyond its range")

    def do_jack(self, number, connected):
        if self.card and self.card.jacks and not self.trouble:
            self.rig.device.plug(number, connected)
            self.do_sleep(1)
            must(self.card.jacks[number].connected == connected)

    def do_event(self, ms):
        if self.card:
            event = self.card.events.wait(ms)
            must(event is None or event.name)

    def do_refresh(self):
        if self.card:
            self.card.refresh()
            must(self.trouble or len(self.card.streams) == 2)

    def do_changed(self):
        if not self.trouble:
            self.rig.transport.config_changed()
            self.do_sleep(1)

    # Faults

    def do_fault(self, name, nth=None):
        if name == "streams-none" and self.card:
            return  # by its configuration the device would judge the streams that are in use
        fault = virtsnd.FAULTS[name]
        self.remove()
        self.trouble = True
        self.misled |= name.startswith("answer-") or name.endswith("-control")
        self.injection = virtsnd.inject(self.rig.device, fault.at(nth) if fault.counted else fault)

    def remove(self):
        if self.injection:
            self.injection.remove()
            self.injection = None

    def do_heal(self):
        """The device is good again, the driver does not know."""
        self.remove()

    def end(self):
        """Whatever happened, a reset makes it good; nothing is lost."""
        self.remove()
        self.rig.board._sleep(1_500_000)  # what a fault keeps back comes before that reset
        self.trouble = True  # what is under way may end in an error
        for which in (0, 1):
            self.step("close", which)
        if self.card is None and self.case.card:
            self.step("open")  # a device that was never reset is, now
        self.case.card = self.card
        self.trouble = False
        self.case.good()


def replay(steps, transport="modern", features=None):
    """Carry a sequence out; Wrong, or another exception that is none of the driver's."""
    options = {} if features is None else {"features": features}
    with Case(transport, **options) as case:
        World(case).run(steps)
