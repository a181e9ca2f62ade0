# SPDX-License-Identifier: MIT
"""Ctrl-C, and memory that runs out, in the middle of anything: the card is usable again.

EXAMPLES in the environment: at so many places instead of 20.
"""

import itertools
import os
import sys

import pytest

from preempt import Preempt
from robust import DATA, FEED, PERIOD, Case, control, play, record

JUMPS = 1600  # that the program makes
PLACES = range(3, JUMPS, JUMPS // int(os.environ.get("EXAMPLES", 20)))


class Raise(Preempt):
    """Preempt that raises an exception at the jump number `at`."""

    def _jump(self, frame):
        if self.board._locked or self.board._locks:
            return
        if self.jumps == self.at:
            sys.settrace(None)
            self.where = f"{frame.f_code.co_name}:{frame.f_lineno}"
            raise self.call
        self.jumps += 1


def program(case):
    card = case.card = case.rig.vsnd.open()
    with card.output() as out:
        out.write(DATA[: 7 * PERIOD])
    with card.input() as mic:
        mic.readinto(bytearray(5 * PERIOD))
    control(card)
    card.close()


@pytest.mark.parametrize("again", ["reset", "open"])
@pytest.mark.parametrize("kind", [KeyboardInterrupt, MemoryError])
def test_the_card_is_usable_after_an_exception_anywhere(kind, again):
    happened = 0
    for at in PLACES:
        with Case() as case:
            raising = Raise(case.rig.board, kind, at)
            try:
                raising.run(lambda: program(case))
            except kind:
                happened += 1
            finally:
                sys.settrace(None)
            if again == "reset" and case.card and case.card.device.queues:
                case.card.reset()
            elif case.card:
                case.card.close()
            card = case.rig.vsnd.open()
            play(card)
            assert case.played == DATA, raising.where
            assert record(card) == FEED[: len(DATA)], raising.where
            card.close()
            case.untouched()
    assert happened > len(PLACES) * 0.9


@pytest.mark.parametrize("kind", [KeyboardInterrupt, MemoryError])
def test_close_loses_nothing_wherever_it_is_interrupted(kind):
    for at in itertools.count():
        with Case() as case:
            card = case.rig.vsnd.open()
            raising = Raise(case.rig.board, kind, at)
            try:
                raising.run(card.close)
                break  # it has fewer jumps
            except kind:
                pass
            finally:
                sys.settrace(None)
            card = case.rig.vsnd.open()
            play(card)
            assert case.played == DATA, raising.where
            card.close()
            assert case.rig.dma.available() == case.free, raising.where
            case.untouched()
    assert at > 3


class Full:
    """A list or a dictionary that would have to grow, and cannot."""

    def append(self, item):
        raise MemoryError

    def __setitem__(self, key, item):
        raise MemoryError


@pytest.mark.parametrize("where", ["a queue", "live devices", "cards"])
def test_open_loses_nothing_when_memory_runs_out(monkeypatch, where):
    with Case() as case:
        vsnd, virtio = case.rig.vsnd, case.rig.virtio
        with monkeypatch.context() as patch:
            if where == "a queue":
                patch.setattr(virtio.mmio.MMIO, "set_queue", lambda *_: Full().append(0))
            elif where == "live devices":
                patch.setattr(virtio.device, "_live", type("List", (Full, list), {})())
            else:
                patch.setattr(vsnd.card, "_cards", type("Dict", (Full, dict), {})())
            with pytest.raises(MemoryError):
                vsnd.open()
            assert case.rig.dma.available() == case.free
        case.good()
