# SPDX-License-Identifier: MIT
"""modules/vsnd: a scheduled function uses the card in the middle of what the program does.

Each case is run again and again, with the function called at one jump after the other. Few are
left, because what must not be disturbed happens in a `with virt.lock`.
"""

import errno

import pytest

import sim
from duplex import FEATURES, read, sound, streams
from preempt import AtSleep, Preempt
from rig import Rig
from vsnd_helpers import stream

PERIOD = 24
BYTES = 4 * PERIOD
STRIDE = 5  # of the jumps, to take seconds; 1 finds no more, in minutes


class Case:
    """A card with three outputs and two inputs; `out` and `mic` are the program's."""

    def __init__(self, features):
        self.rig = Rig(streams=streams(3, 2), features=features)

    def output(self, id):
        return self.card.output(period=PERIOD, stream=id)

    def played(self, id, data):
        """Stream `id` has played these bytes, then silence to the end of the period."""
        assert stream(self.rig, id).played == data + bytes(-len(data) % BYTES)

    def run(self, program, call, at, Preempt=Preempt):
        """Return whether `program` made as many jumps."""
        with self.rig.board.installed():
            self.rig.load()
            self.card = self.rig.vsnd.open()
            free = self.rig.dma.available()
            program.prepare(self)
            preempt = Preempt(self.rig.board, lambda: call.during(self), at)
            try:
                preempt.run(lambda: program.run(self))
                if preempt.where:
                    call.after(self)
                program.after(self)
                self.rig.clock.run(100_000)
                assert not sim.breaches and not self.card.device.error
                assert self.rig.dma.available() == free
                self.card.close()
            except BaseException as e:
                sim.breaches.clear()
                e.add_note(f"at jump {at}, {preempt.where}")
                raise
            assert self.rig.guards()
            return preempt.jumps > at


class Play:
    """Writes pieces of all sizes."""

    def prepare(self, case):
        self.out = case.output(0)
        self.data = sound(13 * BYTES + 40)

    def run(self, case):
        at = 0
        for n in (20, BYTES - 20, 3 * BYTES, 2 * BYTES + 36, BYTES, len(self.data)):
            piece = self.data[at : at + n]
            assert self.out.write(piece, len(piece) % 8 > 0) == len(piece)
            at += n

    def after(self, case):
        self.out.close()
        case.played(0, self.data)


class Record:
    """Reads pieces of all sizes."""

    def prepare(self, case):
        self.mic = case.card.input(period=PERIOD, stream=3)

    def run(self, case):
        self.data = b""
        for frames in (5, PERIOD - 5, 3 * PERIOD, 2 * PERIOD + 9, 1, 4 * PERIOD):
            self.data += read(self.mic, frames)

    def after(self, case):
        self.mic.close()
        recorded = stream(case.rig, 3).recorded  # there are gaps in it if `during` took its time
        assert recorded.startswith(self.data)


class Open:
    """Opens streams, and closes them."""

    def prepare(self, case):
        self.data = b""

    def run(self, case):
        for n in (1, 2):
            out = case.card.output(period=PERIOD)  # whichever is free
            data = sound(n * BYTES, out.stream.id)
            before = bytes(stream(case.rig, out.stream.id).played)
            out.write(data)
            out.close()
            assert stream(case.rig, out.stream.id).played == before + data

    def after(self, case):
        pass


class Nothing:
    def during(self, case):
        pass

    def after(self, case):
        pass


class OpenAnother(Nothing):
    """Takes a stream of its own, which leaves the program's no longer alone on its queue."""

    def during(self, case):
        self.out = case.output(1)
        self.out.write(sound(2 * BYTES + 8, 1))
        self.mic = case.card.input(period=PERIOD, stream=4)
        self.got = read(self.mic, PERIOD + 3)

    def after(self, case):
        self.out.close()
        case.played(1, sound(2 * BYTES + 8, 1))
        self.got += read(self.mic, 9)
        self.mic.close()
        assert stream(case.rig, 4).recorded.startswith(self.got)


class OpenAndClose(Nothing):
    """The same, but it is gone when the program goes on."""

    def during(self, case):
        out = case.output(1)
        out.write(sound(BYTES, 1))
        out.close()
        with case.card.input(period=PERIOD, stream=4) as mic:
            assert read(mic, 9) == sound(400_000, 4)[:36]

    def after(self, case):
        case.played(1, sound(BYTES, 1))


class OpenOnly(Nothing):
    """Opens them, in no time."""

    def during(self, case):
        self.opened = case.output(1), case.card.input(period=PERIOD, stream=4)

    def after(self, case):
        for each in self.opened:
            each.close()


class Look(Nothing):
    """Asks everything that can be asked."""

    def during(self, case):
        for user in case.card._users:
            user.state, user.xruns, user.avail(), user.delay(), user.position()
            user.ioctl(3, 5)
        case.card.refresh()


class Drop(Nothing):
    """Takes the samples away from under the program."""

    def during(self, case):
        self.take(case, "drop")

    def take(self, case, name):
        for user in list(case.card._users):
            try:
                getattr(user, name)()
            except OSError as e:
                assert e.errno == errno.EBUSY, e  # in the middle of a command


class Abort(Drop):
    """Takes the stream away."""

    def during(self, case):
        self.take(case, "abort")


CALLS = {call.__name__: call for call in (OpenAnother, OpenAndClose, Look)}
PROGRAMS = {program.__name__: program for program in (Play, Record, Open)}


@pytest.mark.parametrize("features", ["event_idx", "flags-indirect"])
@pytest.mark.parametrize("call", CALLS)
@pytest.mark.parametrize("program", PROGRAMS)
def test_at_every_jump(program, call, features):
    at = 0
    while Case(FEATURES[features]).run(PROGRAMS[program](), CALLS[call](), at):
        at += STRIDE
    assert at > 40


class LongPlay(Play):
    """Writes what is many rings long: half of one at a time."""

    copy = True

    def run(self, case):
        self.data = sound(16 * BYTES)
        half = len(self.data) // 2
        for piece in self.data[:half], self.data[half:]:
            assert self.out.write(piece, self.copy) == half


class LongPlayInPlace(LongPlay):
    copy = False


class LongRecord(Record):
    """Reads likewise."""

    def run(self, case):
        self.data = read(self.mic, 16 * PERIOD)


LONG = {program.__name__: program for program in (LongPlay, LongPlayInPlace, LongRecord)}


@pytest.mark.parametrize("call", (OpenAnother, OpenOnly, Look))
@pytest.mark.parametrize("program", LONG)
def test_at_every_sleep(program, call):
    at = 0
    while Case(FEATURES["event_idx"]).run(LONG[program](), call(), at, AtSleep):
        at += 1
    assert at > 10


@pytest.mark.parametrize("features", ["event_idx", "flags-indirect"])
@pytest.mark.parametrize("call", (Drop, Abort))
@pytest.mark.parametrize("program", ("Play", "Record"))
def test_a_stream_that_is_taken_away(program, call, features):
    """It either goes on or says in which state it is; the device is given nothing illegal."""

    class Ends(PROGRAMS[program]):
        def run(self, case):
            try:
                super().run(case)
            except OSError as e:
                assert e.errno == errno.EPERM, e

        def after(self, case):
            for user in list(case.card._users):
                user.drop()
                user.close()

    at = 0
    while Case(FEATURES[features]).run(Ends(), call(), at):
        at += STRIDE
    assert at > 40
