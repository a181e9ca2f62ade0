# SPDX-License-Identifier: MIT
"""Conformance: every access to registers in a driver's whole life (2.1, 3.1, 4.2.2)."""

from itertools import groupby, pairwise

import pytest

import sim
from register_log import OPTIONS, live
from sim import CTLS

EVERYTHING = (1 << 64) - 1
QUEUES = 4

# 4.2.2, without those for shared memory and for queues that are reset alone.
READ_ONLY = {0x000, 0x004, 0x008, 0x00C, 0x010, 0x034, 0x060, 0x0FC}
WRITE_ONLY = {0x014, 0x020, 0x024, 0x030, 0x038, 0x050, 0x064, 0x080, 0x084, 0x090, 0x094, 0x0A0,
              0x0A4}
BOTH = {0x044, 0x070}

ADDRESSES = {f"Queue{part}{half}" for part in ("Desc", "Driver", "Device")
             for half in ("Low", "High")}

_logs = {}


@pytest.fixture(params=[sim.VERSION_1, EVERYTHING], ids=["nothing", "everything"])
def log(request, rig_of):
    """The Log of a life, and what the device `offered`. It is lived once for all tests."""
    if request.param not in _logs:
        _logs[request.param] = live(rig_of(features=request.param, **OPTIONS))
        _logs[request.param].offered = request.param
    return _logs[request.param]


@pytest.fixture
def lives(log):
    """The pieces of the log in which a device came up: three."""
    found = [life for life in log.lives() if ("W", "Status", 0xF) in short(life)]
    assert len(found) == 3
    return found


def short(accesses):
    return [(each.access, each.name, each.value) for each in accesses]


# Which registers


@pytest.mark.rule("M-01")
def test_only_registers_that_there_are(log):
    offsets = {each.offset for each in log if each.offset < 0x100}
    assert offsets == READ_ONLY | WRITE_ONLY | BOTH
    config = {each.offset for each in log if each.offset >= 0x100}
    assert config <= {0x100, 0x104, 0x108, 0x10C}


@pytest.mark.rule("M-02")
def test_registers_are_read_or_written_as_they_allow(log):
    assert not {each.offset for each in log if each.access == "R"} & WRITE_ONLY
    assert not {each.offset for each in log if each.access == "W"} & READ_ONLY


@pytest.mark.rule("M-03")
def test_accesses_have_32_bits(log):
    assert {(each.bytes, each.offset % 4) for each in log} == {(4, 0)}


@pytest.mark.rule("M-04")
def test_configuration_is_read_field_by_field(log):
    fields = [each for each in log if each.name == "Config"]
    assert len(fields) >= 3 * 3
    assert {(each.access, each.bytes, each.offset % 4) for each in fields} == {("R", 4, 0)}


@pytest.mark.rule("M-18")
def test_shared_memory_is_left_alone(log):
    assert not [each for each in log if 0x0AC <= each.offset <= 0x0BF]


@pytest.mark.rule("S-01")
@pytest.mark.rule("C-03")
def test_controls_are_counted_only_with_ctls(log):
    read = {each.offset for each in log if each.name == "Config"}
    assert read == {0x100, 0x104, 0x108} | ({0x10C} if log.offered & CTLS else set())


# From reset to DRIVER_OK


@pytest.mark.rule("M-16")
def test_magic_and_version_come_first(log):
    first = [("R", "MagicValue", 0x74726976), ("R", "Version", 2)]
    assert short(log)[:2] == first
    looks = [at for at, each in enumerate(log) if each.name == "MagicValue"]
    assert all(short(log)[at : at + 2] == first for at in looks)


@pytest.mark.rule("M-17")
def test_then_device_id(log):
    assert short(log)[2] == ("R", "DeviceID", 25)


@pytest.mark.rule("G-01")
def test_status_bits_in_their_order(lives):
    for life in lives:
        written = [v for access, name, v in short(life) if (access, name) == ("W", "Status")]
        assert written == [0, 1, 3, 0xB, 0xF]


@pytest.mark.rule("G-02")
def test_status_bits_are_never_cleared(log):
    for before, now in pairwise(log.values("W", "Status")):
        assert now == 0 or now & before == before


@pytest.mark.rule("G-05")
def test_a_reset_is_read_back(lives):
    for life in lives:
        assert short(life)[:2] == [("W", "Status", 0), ("R", "Status", 0)]


@pytest.mark.rule("I-01")
@pytest.mark.rule("M-19")
def test_the_steps_in_their_order(lives):
    steps = ("Status", "DeviceFeatures", "DriverFeatures", "QueueReady")
    for life in lives:
        up = short(life)[: short(life).index(("W", "Status", 0xF)) + 1]
        told = [
            (name, value) if name == "Status" else name
            for access, name, value in up
            if name in steps and (access == "W" or name == "DeviceFeatures")
        ]
        assert told == [
            ("Status", 0), ("Status", 1), ("Status", 3), *["DeviceFeatures"] * 2,
            *["DriverFeatures"] * 2, ("Status", 0xB), *["QueueReady"] * QUEUES, ("Status", 0xF),
        ]


@pytest.mark.rule("I-02")
def test_configuration_is_never_written(log):
    assert not [each for each in log if each.access == "W" and each.offset >= 0x100]


@pytest.mark.rule("I-03")
def test_features_stay_after_features_ok(lives):
    for life in lives:
        names = [name for _, name, _ in short(life)]
        agreed = short(life).index(("W", "Status", 0xB))
        assert "DriverFeatures" in names[:agreed]
        assert "DriverFeatures" not in names[agreed:]


@pytest.mark.rule("I-04")
def test_features_ok_is_read_back(lives):
    for life in lives:
        agreed = short(life).index(("W", "Status", 0xB))
        assert short(life)[agreed + 1] == ("R", "Status", 0xB)


@pytest.mark.rule("I-07")
def test_no_kick_before_driver_ok(lives):
    for life in lives:
        names = [name for _, name, _ in short(life)]
        live = short(life).index(("W", "Status", 0xF))
        assert "QueueNotify" in names[live:]
        assert "QueueNotify" not in names[:live]


@pytest.mark.rule("I-10")
def test_it_never_suspends(log):
    assert not [value for value in log.values("W", "Status") if value & 16]


@pytest.mark.rule("M-08")
@pytest.mark.rule("F-03")
def test_offered_features_word_by_word(lives):
    for life in lives:
        looks = [each for each in short(life) if each[1].startswith("DeviceFeatures")]
        assert [(access, name) for access, name, _ in looks] == [
            ("W", "DeviceFeaturesSel"), ("R", "DeviceFeatures")
        ] * 2
        assert [looks[0][2], looks[2][2]] == [0, 1]


@pytest.mark.rule("M-09")
def test_accepted_features_word_by_word(lives):
    for life in lives:
        told = [each for each in short(life) if each[1].startswith("DriverFeatures")]
        assert [(access, name) for access, name, _ in told] == [
            ("W", "DriverFeaturesSel"), ("W", "DriverFeatures")
        ] * 2
        assert [told[0][2], told[2][2]] == [0, 1]


@pytest.mark.rule("M-10")
def test_queues_are_not_too_large(lives):
    for life in lives:
        limits = [v for access, name, v in short(life) if name == "QueueSizeMax"]
        sizes = [v for access, name, v in short(life) if name == "QueueSize"]
        assert len(limits) == len(sizes) == QUEUES
        assert all(size <= limit for size, limit in zip(sizes, limits))


@pytest.mark.rule("M-11")
def test_a_queue_that_is_ready_stays_as_it_is(lives):
    for life in lives:
        selected, ready = None, set()
        for access, name, value in short(life):
            if name == "QueueSel":
                selected = value
            elif (access, name) == ("W", "QueueReady"):
                ready.add(selected)
            elif name in ADDRESSES or name == "QueueSize":
                assert selected not in ready
        assert ready == set(range(QUEUES))


@pytest.mark.rule("M-12")
def test_a_queue_is_stopped_by_a_reset_alone(log):
    assert set(log.values("W", "QueueReady")) == {1}


@pytest.mark.rule("M-15")
@pytest.mark.rule("R-01")
@pytest.mark.rule("R-02")
def test_a_queue_is_never_reset_alone(log):
    assert not [each for each in log if each.offset == 0x0C0]


# Afterwards


@pytest.mark.rule("C-02")
def test_configuration_between_equal_generations(log):
    runs = [(name, list(some)) for name, some in groupby(log, lambda each: each.name)]
    middles = [at for at, (name, _) in enumerate(runs) if name == "Config"]
    assert middles
    for at in middles:
        (before, old), (after, new) = runs[at - 1], runs[at + 1]
        assert before == after == "ConfigGeneration"
        assert old[-1].value == new[0].value


@pytest.mark.rule("M-14")
def test_only_what_is_defined_is_acknowledged(log):
    acknowledged = log.values("W", "InterruptACK")
    assert {1, 3} <= set(acknowledged) <= {1, 2, 3}


@pytest.mark.rule("M-20")
def test_interrupt_status_is_read(log):
    for before, now in pairwise(short(log)):
        if now[:2] == ("W", "InterruptACK"):
            assert before == ("R", "InterruptStatus", now[2])


@pytest.mark.rule("M-22")
def test_what_was_read_is_acknowledged(log):
    pending = [
        (now, after) for now, after in pairwise(short(log))
        if now[1] == "InterruptStatus" and now[2]
    ]
    assert len(pending) > 20
    assert all(after == ("W", "InterruptACK", now[2]) for now, after in pending)
