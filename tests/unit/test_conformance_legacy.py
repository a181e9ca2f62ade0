# SPDX-License-Identifier: MIT
"""Conformance of the legacy interface, Version 1 (2.2.3, 2.4.5, 2.5.4, 2.7.2, 3.1.2, 4.2.4)."""

import pytest

import sim
from register_log import OPTIONS, Log, is_of_one_configuration, live
from sim import EVENT_IDX, INDIRECT_DESC, TXQ
from virtsnd.mmio_legacy import LegacyMmioTransport
from virtsnd.protocol import ANY_LAYOUT
from vsnd_helpers import pattern, stream

# 4.2.4
REGISTERS = {0x000, 0x004, 0x008, 0x00C, 0x010, 0x014, 0x020, 0x024, 0x028, 0x030, 0x034, 0x038,
             0x03C, 0x040, 0x050, 0x060, 0x064, 0x070}


@pytest.fixture(params=[0, EVENT_IDX, EVENT_IDX | INDIRECT_DESC])
def rig(request, rig_of):
    features = sim.VERSION_1 | ANY_LAYOUT | request.param
    return rig_of(transport=LegacyMmioTransport, features=features, **OPTIONS)


@pytest.mark.rule("L-01")
def test_only_the_legacy_registers(rig):
    log = live(rig)
    assert {each.offset for each in log if each.offset < 0x100} == REGISTERS
    assert {sel for sel in log.values("W", "DeviceFeaturesSel")} == {0}
    assert not rig.device.accepted & sim.VERSION_1


@pytest.mark.rule("L-02")
@pytest.mark.parametrize("limits", [(1024,) * 4, (64, 8, 32, 64), (16, 1, 16, 63)])
def test_sizes_that_the_device_has(rig, limits):
    rig.device.queue_max = list(limits)
    log = Log(rig)
    rig.vsnd.open()
    wanted = [64, 8, 64, 64]
    sizes = log.values("W", "QueueSize")
    assert log.values("R", "QueueSizeMax") == list(limits)
    for size, limit, want in zip(sizes, limits, wanted, strict=True):
        assert size == max(2**k for k in range(16) if 2**k <= min(limit, want))


@pytest.mark.rule("L-03")
@pytest.mark.rule("L-04")
def test_rings_in_one_block(rig):
    # The device knows where the block begins, and computes the rest (2.7.2).
    log = Log(rig)
    card = rig.vsnd.open()
    with card.output() as out:
        data = pattern(out, 9)
        out.write(data)
    assert stream(rig).played == data
    pages, aligns = log.values("W", "QueuePFN"), log.values("W", "QueueAlign")
    for queue, page, align in zip(card.device.queues, pages, aligns, strict=True):
        desc, size = 4096 * page, queue.size
        avail = desc + 16 * size
        used = (avail + 2 * (3 + size) + align - 1) // align * align
        assert (queue.region.pa, queue.avail_va, queue.used_va) == (desc, avail, used)
        assert used + 6 + 8 * size <= desc + queue.region.size
    memory, ring = rig.board.memory, rig.device.rings[TXQ]
    idx = memory.read(ring.avail + 2, 2)
    assert idx == memory.read(ring.used + 2, 2) == bytes([9, 0])


@pytest.mark.rule("L-05")
def test_no_features_ok(rig):
    log = Log(rig)
    rig.vsnd.open()
    assert log.values("W", "Status") == [0, 1, 3, 7]
    names = [name for name, _ in log.writes("Status", "DriverFeatures", "QueuePFN")]
    assert names == ["Status"] * 3 + ["DriverFeatures"] + ["QueuePFN"] * 4 + ["Status"]


@pytest.mark.rule("L-06")
@pytest.mark.parametrize("at", [0x100, 0x104, 0x108])
def test_configuration_that_changes_between_fields(rig, at):
    is_of_one_configuration(rig, at)


@pytest.mark.rule("L-07")
@pytest.mark.parametrize("offered", [ANY_LAYOUT, 1 << 30, ANY_LAYOUT | 1 << 30, 0xFFFFFFFF])
def test_any_layout_and_never_bit_30(rig, offered):
    rig.device.features = offered
    rig.vsnd.open()
    assert rig.device.accepted & (ANY_LAYOUT | 1 << 30) == offered & ANY_LAYOUT
