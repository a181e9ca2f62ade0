# SPDX-License-Identifier: MIT
"""modules/virtio/legacy.py: the register page of Version 1, from the handshake to the sound."""

import errno
import sys

import pytest

from sim import TXQ
from virtsnd.mmio_legacy import LegacyMmioTransport
from vsnd_helpers import LIFE, pattern, play, refusal, stream

ANY_LAYOUT, INDIRECT_DESC, EVENT_IDX, VERSION_1 = (1 << bit for bit in (27, 28, 29, 32))
QUEUES = (64,) * 4


@pytest.fixture
def legacy_rig(rig_of):
    """Make a Rig whose device is a legacy one: legacy_rig(features=...)."""
    return lambda **options: rig_of(transport=LegacyMmioTransport, **options)


@pytest.fixture(params=["indirect", "event_idx", "flags"])
def rig(request, legacy_rig):
    bits = {"indirect": INDIRECT_DESC | EVENT_IDX, "event_idx": EVENT_IDX, "flags": 0}
    # VERSION_1 is bit 32, so that the page cannot show it: QEMU's device has it as well.
    return legacy_rig(features=VERSION_1 | ANY_LAYOUT | bits[request.param])


def device(rig, sizes=QUEUES, supported=0):
    return rig.virtio.Device(rig.mmio.transport(rig.base, 8), supported, sizes)


def values(rig, access, name):
    return [v for a, n, v in rig.transport.trace if (a, n) == (access, name)]


def lie(rig, name, value):
    rig.transport.force[name] = lambda truth: value


# The handshake

IDENTITY = [("R", "MagicValue", 0x74726976), ("R", "Version", 1), ("R", "DeviceID", 25)]


def queue_setup(index, size):
    yield "W", "QueueSel", index
    yield "R", "QueuePFN", 0
    yield "R", "QueueSizeMax", 64
    yield "W", "QueueSel", index
    yield "W", "QueueSize", size
    yield "W", "QueueAlign", 4096
    yield "W", "QueuePFN", None


def test_every_access_of_the_handshake(legacy_rig):
    rig = legacy_rig(features=VERSION_1 | EVENT_IDX | ANY_LAYOUT | 1 << 24)
    dev = device(rig, (64, 32))
    expected = [
        *2 * [*IDENTITY, ("R", "VendorID", 0x554D4551)],
        ("W", "Status", 0), ("R", "Status", 0),
        ("W", "GuestPageSize", 4096),
        ("R", "Status", 0), ("W", "Status", 1),
        ("R", "Status", 1), ("W", "Status", 3),
        ("W", "DeviceFeaturesSel", 0), ("R", "DeviceFeatures", 0x29000000),
        ("W", "DriverFeaturesSel", 0), ("W", "DriverFeatures", 0x28000000),
        *queue_setup(0, 64),
        *queue_setup(1, 32),
        ("R", "Status", 3), ("W", "Status", 7),
    ]
    trace = rig.transport.trace
    assert [(a, n) for a, n, _ in trace] == [(a, n) for a, n, _ in expected]
    assert all(want in (None, got) for (_, _, got), (_, _, want) in zip(trace, expected))
    assert dev.features == ANY_LAYOUT | EVENT_IDX
    assert [queue.size for queue in dev.queues] == [64, 32]


def test_the_class_is_chosen_by_version(rig):
    transport = rig.virtio.find(25)
    assert type(transport).__name__ == "LegacyMMIO"
    assert (transport.base, transport.irq, transport.version) == (rig.base, 8, 1)
    assert rig.vsnd.open(rig.base).device.transport.version == 1


def test_a_modern_device_does_not_load_it(rig_of):
    rig = rig_of()
    assert rig.vsnd.open().device.transport.version == 2
    assert "virtio.legacy" not in sys.modules


def test_an_empty_slot(rig):
    lie(rig, "DeviceID", 0)
    assert rig.virtio.find(25) is None
    assert "is empty" in refusal(errno.ENODEV, rig.vsnd.open, rig.base)


@pytest.mark.parametrize(
    ("offered", "accepted"),
    [
        (0, 0),
        (VERSION_1, 0),
        (EVENT_IDX, EVENT_IDX),
        (ANY_LAYOUT, ANY_LAYOUT),
        ((1 << 64) - 1, ANY_LAYOUT | INDIRECT_DESC | EVENT_IDX),
    ],
)
def test_any_features_will_do(legacy_rig, offered, accepted):
    rig = legacy_rig(features=offered)
    assert device(rig).features == accepted
    assert rig.device.accepted == accepted


@pytest.mark.parametrize("bit", [24, 30, *range(32, 64)])
def test_features_that_are_never_accepted(legacy_rig, bit):
    rig = legacy_rig(features=EVENT_IDX | 1 << bit)
    assert device(rig).features == EVENT_IDX


def test_features_that_the_driver_knows(legacy_rig):
    rig = legacy_rig(features=ANY_LAYOUT | 0b101)
    assert device(rig, supported=0b11).features == ANY_LAYOUT | 1


@pytest.mark.parametrize("sizes", [(64, 64, 64, 64), (256, 8, 1, 1024)])
def test_where_the_device_finds_the_rings(rig, sizes):
    rig.device.queue_max = [1024] * 4
    dev = device(rig, sizes)
    for index, size in enumerate(sizes):
        queue, ring = dev.queues[index], rig.device.rings[index]
        assert ring.size == size
        assert (ring.desc, ring.avail, ring.used) == (
            queue.region.pa, queue.avail_va, queue.used_va
        )
        # 2.7.2: 16 * size + 6 + 2 * size bytes, rounded up to 4096, lie before the used ring.
        offset = {1: 4096, 8: 4096, 64: 4096, 256: 8192, 1024: 20480}[size]
        assert ring.desc % 4096 == 0
        assert ring.used == ring.desc + offset


def test_the_page_size_is_told_after_every_reset(rig):
    device(rig).close()
    device(rig)
    writes = [n for a, n, _ in rig.transport.trace if a == "W"]
    resets = [i for i, name in enumerate(writes) if name == "GuestPageSize"]
    assert len(resets) == 3
    assert values(rig, "W", "GuestPageSize") == [4096] * 3
    assert rig.device.live


# Refusals


def test_a_queue_beyond_the_reach_of_a_page_number(rig):
    free = rig.dma.available()
    rig.dma._PA = 1 << 44
    line = refusal(errno.ENOMEM, device, rig)
    assert "queue 0 lies at 0x1000000" in line
    assert "0xfffffffffff" in line
    assert not values(rig, "W", "QueuePFN")
    assert values(rig, "W", "Status")[-1] == 0x83
    assert rig.dma.available() == free


def test_page_0_is_no_place_for_a_queue(rig):
    rig.dma._PA = 0
    assert "queue 0 lies at 0x0" in refusal(errno.ENOMEM, device, rig)
    assert not values(rig, "W", "QueuePFN")


def test_a_queue_in_use(rig):
    lie(rig, "QueuePFN", 0x88000)
    assert "queue 0" in refusal(errno.EINVAL, device, rig)
    assert values(rig, "W", "Status")[-1] == 0x83
    assert not values(rig, "R", "QueueSizeMax")


@pytest.mark.parametrize("missing", [0, 1, 2, 3])
def test_a_queue_missing(rig, missing):
    free = rig.dma.available()
    rig.device.queue_max[missing] = 0
    assert "has no queue %d" % missing in refusal(errno.ENODEV, device, rig)
    assert values(rig, "W", "Status")[-1] == 0x83
    assert rig.dma.available() == free
    rig.device.queue_max[missing] = 64
    device(rig)  # which begins with a reset, so that no queue is in use
    assert rig.device.live


def test_a_reset_that_never_ends(rig):
    lie(rig, "Status", 1)
    assert "Status is not 0 after reset" in refusal(errno.ETIMEDOUT, device, rig)
    assert rig.clock.now < 2_000_000
    assert values(rig, "W", "Status") == [0]
    assert not values(rig, "W", "GuestPageSize")


def test_memory_stays_away_from_a_device_that_cannot_be_reset(rig):
    free = rig.dma.available()
    dev = device(rig)
    lie(rig, "Status", 7)
    refusal(errno.ETIMEDOUT, dev.close)
    assert rig.dma.available() < free


# Configuration: jacks, streams, chmaps, as the device shows them at each look


def shows(rig, *looks):
    """Let the configuration be another at each look, and the last one for ever."""
    looks = iter([look for look in looks for _ in look])
    last = []

    def config():
        last[:] = [next(looks, *last)]
        return b"".join(field.to_bytes(4, "little") for field in last[0])

    rig.device.config = config


@pytest.mark.parametrize(
    ("looks", "reads"),
    [
        ([(1, 2, 3), (1, 2, 3)], 2),
        ([(1, 2, 3), (1, 2, 4), (1, 2, 4)], 3),
        ([(1, 2, 3), (7, 2, 3), (1, 2, 3), (1, 2, 3)], 4),
    ],
)
def test_configuration_is_read_until_two_reads_agree(rig, looks, reads):
    transport = device(rig).transport
    shows(rig, *looks)
    assert transport.config(0, 3) == looks[-1]
    assert len(values(rig, "R", "Config")) == 3 * reads


def test_configuration_that_never_stands_still(rig):
    transport = device(rig).transport
    shows(rig, *((i, 1, 0) for i in range(1000)))
    assert "changes with every read" in refusal(errno.EAGAIN, transport.config, 0, 3)
    assert len(values(rig, "R", "Config")) == 3 * 16


# Sound


@pytest.mark.parametrize("start", [0, 65530])
@pytest.mark.parametrize("periods", [2, 4, 16])
@pytest.mark.parametrize("sizes", [(48 * 37,), (1, 47, 48, 49, 100, 3, 7, 1000, 5)])
def test_the_whole_life(rig, start, periods, sizes):
    free = rig.dma.available()
    card = rig.vsnd.open()
    rig.wind(card, TXQ, start)
    data, out = play(rig, card, sizes, period=48, periods=periods)
    out.drain()
    played = bytes(stream(rig).played)
    assert played == data + bytes(-len(data) % out.period_bytes)
    assert out.write(data) == len(data)
    out.close()
    assert bytes(stream(rig).played) == 2 * played
    assert rig.sound.names() == ["PCM_INFO", *LIFE, *LIFE[1:]]
    assert out.xruns == 0
    assert rig.device.spurious == 0
    card.close()
    assert rig.transport.status == 0
    assert rig.dma.available() == free
    assert rig.guards()


def test_once_more_after_close(rig):
    for _ in range(3):
        card = rig.vsnd.open()
        data, out = play(rig, card, (480 * 3,))
        out.close()
        assert bytes(stream(rig).played) == data
        card.close()
        assert values(rig, "R", "QueuePFN")[-4:] == [0] * 4


def test_a_soft_reset_quiets_it(rig):
    out = rig.vsnd.open().output()
    out.write(pattern(out, 6))
    rig.board.soft_reset()
    assert rig.transport.status == 0
    assert rig.sound.names()[-2:] == ["STOP", "RELEASE"]


def test_interrupts_are_acknowledged(rig):
    dev = device(rig)
    rig.transport.interrupt(1)
    assert rig.transport.interrupt_status == 0
    assert values(rig, "W", "InterruptACK") == [1]
    assert dev.wait(lambda: True, 0)


# What the simulated device itself notices


FEATURES = [(0x024, 0), (0x020, ANY_LAYOUT)]
LIVE = [*FEATURES, (0x070, 7)]
ASKED = [*FEATURES, (0x030, 0), (0x040,), (0x034,)]
SIZED = [*ASKED, (0x038, 64)]
ALIGNED = [*SIZED, (0x03C, 4096)]
USED = [*ALIGNED, (0x040, 0x88000)]


def do(page, *accesses):
    """Read (offset,) and write (offset, value)."""
    for offset, *value in accesses:
        if value:
            page.write(offset, 4, *value)
        else:
            page.read(offset, 4)


@pytest.fixture
def page(legacy_rig):
    """A page after ACKNOWLEDGE and DRIVER, in a machine whose arena is all zeros."""
    rig = legacy_rig(features=VERSION_1 | EVENT_IDX | ANY_LAYOUT | 1 << 24 | 1 << 30)
    rig.board.arena[:] = bytes(len(rig.board.arena))
    rig.transport.breach = rig.breach
    do(rig.transport, (0x000,), (0x004,), (0x008,), (0x070, 0), (0x070,), (0x028, 4096))
    do(rig.transport, (0x070, 1), (0x070, 3))
    return rig.transport


@pytest.mark.parametrize(
    ("rule", "before", "access"),
    [
        # Registers of Version 2 only.
        ("M-01", [], (0x044,)),
        ("M-01", [], (0x044, 1)),
        ("M-01", [], (0x080, 0)),
        ("M-01", [], (0x0C0,)),
        ("M-01", [], (0x0FC,)),
        ("M-02", [], (0x028,)),
        ("M-02", [], (0x03C,)),
        # Status
        ("L-05", [], (0x070, 0xB)),
        ("L-05", [], (0x070, 7)),
        ("G-01", [(0x070, 0), (0x070,)], (0x070, 3)),
        ("I-07", FEATURES, (0x050, 0)),
        # Features
        ("I-01", [(0x070, 0), (0x070,), (0x070, 1), (0x024, 0)], (0x020, 0)),
        ("I-01", LIVE, (0x020, ANY_LAYOUT)),
        ("M-08", [], (0x010,)),
        ("M-09", FEATURES, (0x020, ANY_LAYOUT)),
        ("4.2.4", [(0x024, 1)], (0x020, 1)),
        ("F-01", [(0x024, 0)], (0x020, ANY_LAYOUT | INDIRECT_DESC)),
        ("F-04", [(0x024, 0)], (0x020, ANY_LAYOUT | 1 << 24)),
        ("L-07", [(0x024, 0)], (0x020, ANY_LAYOUT | 1 << 30)),
        ("L-07", [(0x024, 0)], (0x020, EVENT_IDX)),
        # Queues
        ("4.2.4", [], (0x028, 4096)),
        ("4.2.4", [(0x070, 0), (0x070,)], (0x028, 4095)),
        ("M-10", ASKED, (0x038, 128)),
        ("4.2.4", ASKED, (0x03C, 4097)),
        ("4.2.4", ASKED, (0x03C, 0)),
        ("4.2.4", [*ASKED, (0x03C, 4096)], (0x040, 0x88000)),
        ("4.2.4", SIZED, (0x040, 0x88000)),
        ("4.2.4", [*FEATURES, (0x030, 0), (0x038, 64), (0x03C, 4096)], (0x040, 0x88000)),
        ("F-09", ALIGNED, (0x040, 0x70000)),
        ("4.2.4", USED, (0x034,)),
        ("4.2.4", USED, (0x03C, 4096)),
        ("4.2.4", USED, (0x038, 32)),
        ("4.2.4", USED, (0x040, 0x88010)),
        ("I-01", ALIGNED[2:], (0x040, 0x88000)),
        ("I-01", [*ALIGNED, (0x070, 7)], (0x040, 0x88000)),
        ("4.2.2", [*FEATURES, (0x030, 9), (0x040,)], (0x040, 0x88000)),
    ],
)
def test_the_device_is_strict(page, rule, before, access):
    do(page, *before)
    page.breach(rule, do, page, access)


def test_the_device_wants_the_page_size_again_after_a_reset(page):
    do(page, (0x070, 0), (0x070,), (0x070, 1), (0x070, 3), *ALIGNED)
    page.breach("4.2.4", do, page, (0x040, 0x88000))


def test_the_device_keeps_the_rules_of_2_7_2(page):
    do(page, *USED)
    ring = page.device.rings[0]
    assert (ring.desc, ring.avail, ring.used) == (0x88000000, 0x88000400, 0x88001000)


def test_a_page_number_of_0_takes_the_queue_away(page):
    do(page, *USED)
    assert page.read(0x040, 4) == 0x88000
    do(page, (0x040, 0))
    assert page.read(0x040, 4) == 0
    assert not page.device.rings


def test_a_reset_takes_all_queues_away(page):
    do(page, *USED, (0x070, 0), (0x070,), (0x030, 0))
    assert page.read(0x040, 4) == 0
    assert not page.device.rings
