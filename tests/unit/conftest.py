# SPDX-License-Identifier: MIT
"""A simulated machine for the frozen modules; see sim/."""

import pytest

import sim
from cycle_bench import Bench
from rig import Rig, loaded


@pytest.fixture
def rig_of():
    """Make a Rig: rig_of(streams=..., features=...), as sim.SoundDevice. Once in a test."""
    with loaded(Rig) as make:
        yield make


@pytest.fixture(params=["event_idx", "flags"])
def rig(request, rig_of):
    """A Rig whose device offers EVENT_IDX, and one whose device does not."""
    features = sim.VERSION_1 | (sim.EVENT_IDX if request.param == "event_idx" else 0)
    return rig_of(features=features)


@pytest.fixture
def bench(rig):
    return Bench(rig)
