# SPDX-License-Identifier: MIT
"""A simulated board with a disk, for test_vblk*.py."""

import sys
import types
from unittest import mock

import pytest

import sim
from rig import loaded
from sim import block


class Rig:
    """A simulated board with a disk in one of its slots."""

    def __init__(self, slot=6, **options):
        self.board = sim.Board()
        self.device = block.BlockDevice(self.board.clock, self.board.memory, **options)
        self.transport = sim.MmioTransport(self.device)
        self.base, source = self.board.put(slot, self.transport)
        self.transport.raised = self.board.line(source)
        self.files = mock.Mock()

    def load(self):
        names = {"vfs": self.files, "os": mock.Mock(), "sys": types.SimpleNamespace(path=[])}
        self.virtio = self.board.load("virtio")
        with mock.patch.dict(sys.modules, names):
            self.vblk = self.board.load("vblk")
        return self


@pytest.fixture
def rig_of():
    """Makes a Rig, once in a test: rig_of(sectors=..., features=...), as BlockDevice."""
    with loaded(Rig) as make:
        yield make


@pytest.fixture
def rig(rig_of):
    return rig_of()


def pattern(n, seed=1):
    return bytes((i * 7 + i // 256 + seed) % 256 for i in range(n))


def refusal(number, call, *arguments):
    """The text of the OSError with that errno, which the call must end in."""
    with pytest.raises(OSError) as error:
        call(*arguments)
    assert error.value.errno == number
    return str(error.value)
