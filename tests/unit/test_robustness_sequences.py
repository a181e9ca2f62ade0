# SPDX-License-Identifier: MIT
"""Sequences of calls and faults that nobody wrote down, against a model: see sequences.py.

EXAMPLES=10000 in the environment tries more of them than CI does. Those that once found a fault
are in corpus.py.
"""

import os

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import sim
from corpus import CORPUS
from sequences import COMMANDS, FAULTS, replay

EXAMPLES = int(os.environ.get("EXAMPLES", 300))

RINGS = {
    "event_idx": sim.VERSION_1 | sim.EVENT_IDX | sim.INDIRECT_DESC | sim.CTLS,
    "flags": sim.VERSION_1 | sim.CTLS,
}

frames = st.sampled_from([0, 1, 7, 480, 481, 959, 1920, 2000, 4321])
which = st.sampled_from([0, 1])
sizes = st.sampled_from([(480, 4), (100, 2), (33, 5), (480, 3)])


def call(name, *arguments):
    return st.tuples(st.just(name), *arguments)


FREQUENT = [
    call("write", frames), call("write_in_place", frames), call("readinto", frames),
    call("command", which, st.sampled_from(sorted(COMMANDS))), call("drain", which),
    call("output", st.just(480), st.just(4)), call("input", st.just(480), st.just(4)),
    call("open"), call("sleep", st.sampled_from([1, 15, 60])),
]
OTHERS = [
    call("output", st.sampled_from([33, 100]), st.sampled_from([2, 3, 5])),
    call("input", st.sampled_from([33, 100]), st.sampled_from([2, 3, 5])),
    call("odd", st.integers(1, 7)),
    call("close", which),
    call("abort", which),
    call("setblocking", which, st.booleans()),
    call("poll", which),
    call("control", st.integers(0, 100)),
    call("bad_control", st.integers(0, 3)),
    call("jack", which, st.booleans()),
    call("event", st.sampled_from([0, 5])),
    call("refresh"),
    call("changed"),
    call("use_after_close"),
    call("close_card"),
    call("reset"),
]
MISHAPS = [call("fault", st.sampled_from(FAULTS), st.integers(1, 5)), call("heal"), call("reset")]


def sequences(calls):
    """Lists of calls; short ones would be most of them."""
    return st.lists(
        st.sampled_from(calls).flatmap(lambda call: call), min_size=18, max_size=30
    )


good = sequences(6 * FREQUENT + OTHERS)
bad = sequences(5 * FREQUENT + OTHERS + 5 * MISHAPS)


def steps(calls):
    return calls.map(lambda calls: [("open",), ("output", 480, 4), ("input", 480, 4), *calls])


SETTINGS = settings(
    max_examples=EXAMPLES // 2,
    derandomize="EXAMPLES" not in os.environ,
    database=None,
    deadline=None,
    suppress_health_check=list(HealthCheck),
)


@pytest.mark.timeout(EXAMPLES)  # seconds, each takes 0.1 s
@SETTINGS
@given(steps(good), st.sampled_from(["modern", "legacy"]), st.sampled_from(sorted(RINGS)))
def test_calls(steps, transport, rings):
    replay(steps, transport, RINGS[rings])


@pytest.mark.timeout(EXAMPLES)  # seconds, each takes 0.1 s
@SETTINGS
@given(steps(bad), st.sampled_from(["modern", "legacy"]), st.sampled_from(sorted(RINGS)))
def test_calls_and_faults(steps, transport, rings):
    replay(steps, transport, RINGS[rings])


@pytest.mark.parametrize("name", CORPUS)
def test_what_was_found_once(name):
    replay(**CORPUS[name])
