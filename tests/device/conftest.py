# SPDX-License-Identifier: MIT
"""What several files of tests need."""

import sys
from pathlib import Path

import numpy as np
import pytest

from session import FEATURES, played

sys.path.append(str(Path(__file__).parents[1] / "qemu"))  # console.py


def noise():
    return np.random.default_rng(11).integers(0, 256, 480 * 4 * 30, dtype="u1").tobytes()


@pytest.fixture
def sound():
    """30 periods of 480 frames, S16 stereo, that are found nowhere but at their own place."""
    return noise()


# What a device saw of the program in session.py, with each of the FEATURES: four boards, started
# when the first test asks for one.


@pytest.fixture(scope="session", params=FEATURES)
def session(request, firmware, tmp_path_factory):
    """The session.Session of a board that has ended."""
    folder = tmp_path_factory.mktemp(request.param)
    with played(request.param, firmware, folder, noise()) as session:
        yield session


@pytest.fixture
def seen(session, request):
    """`session`, whose device has seen no breach of the rules that the test is marked with."""
    rules = {name for mark in request.node.iter_markers("rule") for name in mark.args}
    assert not rules & session.broken
    return session
