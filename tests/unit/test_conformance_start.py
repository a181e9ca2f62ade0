# SPDX-License-Identifier: MIT
"""Conformance: what a driver makes of devices that offer, refuse, change or fail (2, 3.1, 4.2)."""

import errno

import pytest

from register_log import OPTIONS, Log, is_of_one_configuration
from sim import CTLS, EVENT_IDX, INDIRECT_DESC, VERSION_1
from virtsnd.protocol import ACCESS_PLATFORM, ORDER_PLATFORM
from vsnd_helpers import pattern, refusal, stream

EVERYTHING = (1 << 64) - 1
USED = CTLS | INDIRECT_DESC | EVENT_IDX | VERSION_1 | ACCESS_PLATFORM | ORDER_PLATFORM
UNUSED = [bit for bit in range(64) if not USED >> bit & 1]


def plays(rig, card=None):
    """Nine periods, all bytes as they should be."""
    with (card or rig.vsnd.open()).output() as out:
        data = pattern(out, 9)
        out.write(data)
    assert stream(rig).played == data


def last(log, n):
    return [(each.access, each.name, each.value) for each in log[-n:]]


# Features


@pytest.mark.rule("F-01")
@pytest.mark.rule("F-05")
@pytest.mark.parametrize("missing", [CTLS, INDIRECT_DESC, EVENT_IDX, ACCESS_PLATFORM])
def test_a_feature_that_is_missing(rig_of, missing):
    rig = rig_of(features=EVERYTHING & ~missing, **OPTIONS)
    plays(rig)
    assert rig.device.accepted == USED & ~missing


@pytest.mark.rule("F-04")
@pytest.mark.rule("F-06")
@pytest.mark.parametrize("bit", UNUSED)
def test_a_feature_that_it_does_not_know(rig_of, bit):
    rig = rig_of(features=VERSION_1 | 1 << bit)
    assert rig.vsnd.open().device.features == VERSION_1
    assert rig.device.accepted == VERSION_1


@pytest.mark.rule("F-07")
@pytest.mark.rule("F-08")
@pytest.mark.rule("F-11")
@pytest.mark.parametrize("bit", [32, 33, 36])
def test_a_feature_that_is_to_be_accepted(rig_of, bit):
    rig = rig_of(features=VERSION_1 | 1 << bit)
    plays(rig)
    assert rig.device.accepted & 1 << bit


@pytest.mark.rule("F-13")
@pytest.mark.rule("F-14")
@pytest.mark.parametrize("bit", [37, 41])
def test_a_feature_of_pci(rig_of, bit):
    rig = rig_of(features=EVERYTHING)
    rig.vsnd.open()
    assert not rig.device.accepted & 1 << bit


# Giving up


def without_version_1(rig):
    rig.device.features = EVENT_IDX


def refusing(rig):
    rig.device.refuse_features = True


def without_a_queue(rig):
    rig.device.queue_max[2] = 0


def in_use(rig):
    rig.transport.force["QueueReady"] = lambda ready: 1


GIVE_UP = [
    (without_version_1, errno.EOPNOTSUPP, 3),
    (refusing, errno.EOPNOTSUPP, 3),
    (without_a_queue, errno.ENODEV, 0xB),
    (in_use, errno.EINVAL, 0xB),
]


@pytest.mark.rule("I-05")
@pytest.mark.rule("I-06")
@pytest.mark.parametrize(("broken", "error", "status"), GIVE_UP)
def test_failed_is_the_last_word(rig, broken, error, status):
    log = Log(rig)
    broken(rig)
    refusal(error, rig.vsnd.open)
    assert last(log, 2) == [("R", "Status", status), ("W", "Status", status | 0x80)]
    assert "QueueNotify" not in [each.name for each in log]


@pytest.mark.rule("I-04")
def test_features_that_are_refused(rig):
    log = Log(rig)
    refusing(rig)
    assert "refuses" in refusal(errno.EOPNOTSUPP, rig.vsnd.open)
    assert last(log, 4)[:2] == [("W", "Status", 0xB), ("R", "Status", 3)]


@pytest.mark.rule("G-03")
@pytest.mark.parametrize(("broken", "error", "status"), GIVE_UP)
def test_after_failed_comes_a_reset(rig, broken, error, status):
    features, queues = rig.device.features, list(rig.device.queue_max)
    broken(rig)
    refusal(error, rig.vsnd.open)
    log = Log(rig)
    rig.device.features, rig.device.queue_max = features, queues
    rig.device.refuse_features = False
    rig.transport.force.clear()
    plays(rig)
    assert log.writes()[0] == ("Status", 0)


@pytest.mark.rule("G-04")
def test_nothing_is_awaited_from_a_device_that_needs_a_reset(rig):
    def fails():
        rig.device.used = lambda index, head, n: []
        rig.transport.need_reset()

    card = rig.vsnd.open()
    out = card.output()
    rig.clock.at(rig.clock.now + 25_000, fails)
    assert "needs a reset" in refusal(errno.EIO, out.write, bytes(1920 * 100))
    assert rig.clock.now < 1_500_000
    before = len(rig.sound.requests), rig.clock.now
    assert "needs a reset" in refusal(errno.EIO, out.stop)
    assert (len(rig.sound.requests), rig.clock.now) == before
    rig.device.used = lambda index, head, n: [(head, n)]
    log = Log(rig)
    plays(rig)
    assert log.writes()[0] == ("Status", 0)


@pytest.mark.rule("G-05")
@pytest.mark.parametrize("polls", [0, 1, 30])
def test_a_reset_that_takes_long(rig, polls):
    log = Log(rig)
    slow = iter([0xF] * polls)
    rig.transport.force["Status"] = lambda status: next(slow, status)
    plays(rig)
    reset = log.lives()[0]
    assert last(reset[: polls + 2], polls + 2) == [
        ("W", "Status", 0), *[("R", "Status", 0xF)] * polls, ("R", "Status", 0)
    ]
    assert (reset[polls + 3].access, reset[polls + 3].value) == ("W", 1)


# Who is there?


@pytest.mark.rule("M-05")
def test_no_magic(rig):
    log = Log(rig)
    rig.transport.force["MagicValue"] = lambda value: value ^ 1
    refusal(errno.ENODEV, rig.vsnd.open, rig.base)
    assert "no sound device" in refusal(errno.ENODEV, rig.vsnd.open)
    assert {each.name for each in log} == {"MagicValue"}


@pytest.mark.rule("M-06")
@pytest.mark.parametrize("version", [0, 3, 0xFFFFFFFF])
def test_an_unknown_version(rig, version):
    log = Log(rig)
    rig.transport.force["Version"] = lambda value: version
    assert rig.virtio.find(25) is None
    refusal(errno.ENODEV, rig.vsnd.open, rig.base)
    assert {each.name for each in log} <= {"MagicValue", "Version", "DeviceID"}


@pytest.mark.rule("M-07")
@pytest.mark.rule("M-17")
def test_an_empty_slot_is_no_error(rig):
    rig.transport.force["DeviceID"] = lambda value: 0
    log = Log(rig)
    assert rig.virtio.find(25) is None
    assert [each.name for each in log] == ["MagicValue", "Version", "DeviceID"]


# Configuration


@pytest.mark.rule("C-01")
@pytest.mark.parametrize("at", [0x100, 0x104, 0x108])
def test_fields_are_of_one_configuration(rig, at):
    is_of_one_configuration(rig, at)


@pytest.mark.rule("C-04")
def test_a_configuration_that_is_longer(rig):
    config = rig.device.config
    rig.device.config = lambda: config() + b"\xff" * 100
    plays(rig)


# Interrupts


@pytest.mark.rule("M-13")
def test_undefined_interrupts(rig):
    log = Log(rig)
    rig.transport.force["InterruptStatus"] = lambda bits: bits | 0xFFFFFFFC
    plays(rig)
    assert rig.clock.now < 1_000_000  # no wait ran to its limit
    assert set(log.values("W", "InterruptACK")) == {1}


@pytest.mark.rule("Q-14")
def test_interrupts_for_nothing(rig):
    def again():
        rig.transport.interrupt(1)
        rig.clock.at(rig.clock.now + 700, again)

    again()
    card = rig.vsnd.open()
    plays(rig, card)
    assert card.device.error is None


@pytest.mark.rule("M-21")
def test_one_interrupt_for_all_queues(rig_of):
    # The device uses buffers of all queues, and interrupts once.
    rig = rig_of(**OPTIONS)
    from time import sleep_us
    card = rig.vsnd.open()
    called = []
    out, mic = card.output(), card.input()
    for name, each in (("tx", out), ("rx", mic)):
        each.irq(lambda _, name=name: called.append(name))
    card.events.irq(lambda event: called.append("event"))
    out.write(bytes(1920 * 4))
    out.start()
    mic.start()
    called.clear()
    rig.device.lose = lambda index: True
    rig.device.plug(0, False)
    start = rig.clock.now
    rig.clock.at(start + 30_000, lambda: rig.transport.interrupt(1))
    card.jacks[0].refresh()  # the fourth one
    sleep_us(1)
    assert set(called) == {"tx", "rx", "event"}
    assert rig.clock.now == start + 30_001
