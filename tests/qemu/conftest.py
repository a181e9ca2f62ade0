# SPDX-License-Identifier: MIT
"""What several files of tests need."""

import os

import numpy as np
import pytest
from virtboard import qemu

RATE = 48000
PERIOD = 480


def note(frequency, frames):
    """One note, computed from the formula that virtboard/tone.py states, not by its code."""
    n = np.arange(frames)
    envelope = np.minimum(1, np.minimum(n / 240, (frames - 1 - n) / 240))
    return np.stack(
        [
            np.floor(12000 * envelope * np.sin(2 * np.pi * f * n / RATE) + 1 / 2)
            for f in (frequency, frequency * 3 // 2)
        ],
        axis=1,
    ).astype("<i2")


def pytest_generate_tests(metafunc):
    # The marker `every_board`: unless a board or a firmware is named, run it on each.
    named = os.environ.get("BOARD") or metafunc.config.getoption("--firmware")
    if metafunc.definition.get_closest_marker("every_board") and not named:
        metafunc.parametrize("firmware", qemu.BOARDS, indirect=True, scope="session")


@pytest.fixture
def xlen(firmware):
    """Bits of the board's processor, 64 or 32."""
    return qemu.xlen(firmware)


@pytest.fixture(scope="session")
def tone():
    """All frames of the tone, padded with zeros to whole periods."""
    melody = ((262, 9600), (330, 9600), (392, 9600), (524, 19300))
    frames = np.concatenate([note(*each) for each in melody])
    return np.pad(frames, ((0, -len(frames) % PERIOD), (0, 0)))
