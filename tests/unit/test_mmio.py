# SPDX-License-Identifier: MIT
"""modules/virtio/mmio.py and device.py: registers and the handshake."""

import errno

import pytest

import sim

EVENT_IDX, INDIRECT_DESC, VERSION_1 = sim.EVENT_IDX, sim.INDIRECT_DESC, sim.VERSION_1


def device(rig, sizes=(64,) * 4, supported=0):
    return rig.virtio.Device(rig.mmio.MMIO(rig.base, 8), supported, sizes)


def refusal(error, call, *arguments):
    """The message of the OSError(error) that the call raises."""
    with pytest.raises(OSError) as caught:
        call(*arguments)
    assert caught.value.errno == error
    return caught.value.strerror


def values(rig, access, name):
    return [v for a, n, v in rig.transport.trace if (a, n) == (access, name)]


# The handshake


def queue_setup(index, size):
    yield "W", "QueueSel", index
    yield "R", "QueueReady", 0
    yield "R", "QueueSizeMax", 64
    yield "W", "QueueSel", index
    yield "W", "QueueSize", size
    for part in ("Desc", "Driver", "Device"):
        yield "W", f"Queue{part}Low", None
        yield "W", f"Queue{part}High", 0
    yield "W", "QueueReady", 1


def test_every_access_of_the_handshake(rig_of):
    rig = rig_of(features=VERSION_1 | EVENT_IDX | 1 << 28)
    dev = device(rig, (64, 32))
    expected = [
        ("R", "MagicValue", 0x74726976),
        ("R", "Version", 2),
        ("R", "DeviceID", 25),
        ("R", "VendorID", rig.device.VENDOR),
        ("W", "Status", 0), ("R", "Status", 0),
        ("R", "Status", 0), ("W", "Status", 1),
        ("R", "Status", 1), ("W", "Status", 3),
        ("W", "DeviceFeaturesSel", 0), ("R", "DeviceFeatures", 1 << 28 | 1 << 29),
        ("W", "DeviceFeaturesSel", 1), ("R", "DeviceFeatures", 1),
        ("W", "DriverFeaturesSel", 0), ("W", "DriverFeatures", 1 << 28 | 1 << 29),
        ("W", "DriverFeaturesSel", 1), ("W", "DriverFeatures", 1),
        ("R", "Status", 3), ("W", "Status", 0xB),
        ("R", "Status", 0xB),
        *queue_setup(0, 64),
        *queue_setup(1, 32),
        ("R", "Status", 0xB), ("W", "Status", 0xF),
    ]
    trace = rig.transport.trace
    assert [(a, n) for a, n, _ in trace] == [(a, n) for a, n, _ in expected]
    assert all(want in (None, got) for (_, _, got), (_, _, want) in zip(trace, expected))
    assert dev.features == VERSION_1 | EVENT_IDX | INDIRECT_DESC
    assert [queue.size for queue in dev.queues] == [64, 32]


def test_find_reads_version_before_device_id(rig):
    rig.virtio.find(25)
    names = [name for _, name, _ in rig.transport.trace]
    assert names[:3] == ["MagicValue", "Version", "DeviceID"]


def test_find_takes_the_first_of_the_command_line(rig):
    assert rig.virtio.find(25).base == rig.base
    assert rig.virtio.find(25).irq == 8
    assert rig.virtio.find(2) is None


def test_slots_are_searched_from_the_last(rig_of):
    rig = rig_of(slot=3)
    other = sim.MmioTransport(sim.SoundDevice(rig.clock, rig.board.memory))
    base, _ = rig.board.put(6, other)
    assert rig.virtio.find(25).base == base


def test_empty_slots_are_left_alone(rig_of):
    rig = rig_of()
    # Only MagicValue, Version and DeviceID can be read there without a KeyError.
    assert rig.virtio.find(7) is None
    assert "empty" in refusal(errno.ENODEV, rig.mmio.MMIO, rig.base - 0x1000, 7)


@pytest.mark.parametrize("offered", [VERSION_1, (1 << 64) - 1])
def test_any_features_will_do(rig_of, offered):
    rig = rig_of(features=offered)
    known = VERSION_1 | EVENT_IDX | INDIRECT_DESC | 1 << 33 | 1 << 36
    assert device(rig).features == offered & known
    assert rig.device.accepted == offered & known


# Legacy: NOTIFY_ON_EMPTY, ANY_LAYOUT, 30. Not done: RING_PACKED, IN_ORDER, NOTIFICATION_DATA,
# NOTIF_CONFIG_DATA, RING_RESET. Not for this transport: SR_IOV, ADMIN_VQ.
@pytest.mark.parametrize("bit", [24, 27, 30, 34, 35, 38, 39, 40, 37, 41])
def test_features_that_are_never_accepted(rig_of, bit):
    rig = rig_of(features=VERSION_1 | EVENT_IDX | 1 << bit)
    assert device(rig).features == VERSION_1 | EVENT_IDX
    assert rig.device.accepted == VERSION_1 | EVENT_IDX


def test_features_that_the_driver_knows(rig_of):
    rig = rig_of(features=VERSION_1 | 0b101)
    assert device(rig, supported=0b11).features == VERSION_1 | 1


# Refusals


def lie(rig, name, value):
    rig.transport.force[name] = lambda truth: value


def test_wrong_magic(rig):
    lie(rig, "MagicValue", 0x74726977)
    assert "no virtio-mmio register page" in refusal(errno.ENODEV, device, rig)
    assert rig.virtio.find(25) is None
    assert {name for _, name, _ in rig.transport.trace} == {"MagicValue"}


@pytest.mark.parametrize("version", [0, 3])
def test_version(rig, version):
    lie(rig, "Version", version)
    message = refusal(errno.ENODEV, device, rig)
    assert "Version %d, not 1 or 2" % version in message
    assert refusal(errno.ENODEV, rig.vsnd.open, rig.base) == message
    assert rig.virtio.find(25) is None
    assert not [access for access in rig.transport.trace if access[0] == "W"]


def test_device_id_0(rig):
    lie(rig, "DeviceID", 0)
    assert rig.virtio.find(25) is None
    assert "is empty" in refusal(errno.ENODEV, device, rig)
    names = {name for _, name, _ in rig.transport.trace}
    assert names <= {"MagicValue", "Version", "DeviceID"}


def test_without_version_1(rig_of):
    rig = rig_of(features=EVENT_IDX)
    assert "does not offer VIRTIO_F_VERSION_1" in refusal(errno.EOPNOTSUPP, device, rig)
    assert rig.transport.status == 0x83
    assert not rig.device.live


def test_features_refused(rig):
    rig.device.refuse_features = True
    assert "refuses" in refusal(errno.EOPNOTSUPP, device, rig)
    assert values(rig, "W", "Status")[-1] & 0x80
    assert not values(rig, "W", "QueueReady")


@pytest.mark.parametrize("missing", [0, 1, 2, 3])
def test_queue_missing(rig, missing):
    rig.device.queue_max[missing] = 0
    assert "has no queue %d" % missing in refusal(errno.ENODEV, device, rig)
    assert values(rig, "W", "Status")[-1] == 0x8B


def test_queue_missing_costs_no_memory(rig):
    free = rig.dma.available()
    rig.device.queue_max[3] = 0
    refusal(errno.ENODEV, device, rig)
    assert rig.dma.available() == free


def test_queue_in_use(rig):
    lie(rig, "QueueReady", 1)
    assert "queue 0" in refusal(errno.EINVAL, device, rig)
    assert values(rig, "W", "Status")[-1] == 0x8B


@pytest.mark.parametrize(("limit", "size"), [(1024, 64), (64, 64), (63, 32), (48, 32), (1, 1)])
def test_queue_sizes(rig, limit, size):
    rig.device.queue_max[0] = limit
    assert device(rig).queues[0].size == size
    assert rig.device.rings[0].size == size


def test_after_a_failure_the_next_try_begins_with_a_reset(rig):
    rig.device.queue_max[2] = 0
    refusal(errno.ENODEV, device, rig)
    rig.device.queue_max[2] = 64
    before = len(rig.transport.trace)
    device(rig)
    writes = [access for access in rig.transport.trace[before:] if access[0] == "W"]
    assert writes[0] == ("W", "Status", 0)
    assert rig.device.live


def test_slow_reset(rig):
    polls = iter([9] * 30)
    rig.transport.force["Status"] = lambda status: next(polls, status)
    device(rig)
    assert rig.device.live
    assert 25_000 < rig.clock.now < 100_000


def test_reset_that_never_ends(rig):
    lie(rig, "Status", 1)
    assert "Status is not 0 after reset" in refusal(errno.ETIMEDOUT, device, rig)
    assert rig.clock.now < 2_000_000
    assert values(rig, "W", "Status") == [0]


# Configuration


def test_configuration_that_changes_once(rig):
    dev = device(rig)
    generations = iter([1, 2, 2, 2])
    rig.transport.force["ConfigGeneration"] = lambda _: next(generations)
    assert dev.transport.config(0, 3) == (0, 1, 0)
    assert len(values(rig, "R", "Config")) == 6


def test_configuration_that_never_stands_still(rig):
    dev = device(rig)
    generations = iter(range(1000))
    rig.transport.force["ConfigGeneration"] = lambda _: next(generations)
    assert "changes with every read" in refusal(errno.EAGAIN, dev.transport.config, 4, 1)
    with pytest.raises(OSError):
        rig.vsnd.open()


# Interrupts and the end


def test_interrupts_are_acknowledged(rig):
    dev = device(rig)
    rig.transport.interrupt(1)
    assert rig.transport.interrupt_status == 0
    assert values(rig, "W", "InterruptACK") == [1]
    assert dev.wait(lambda: len(values(rig, "W", "InterruptACK")) == 1, 100)


def test_undefined_interrupt_bits_are_not_acknowledged(rig):
    device(rig)
    rig.transport.interrupt(0xFFFFFFFD)
    assert values(rig, "W", "InterruptACK")[0] == 1
    assert not any(value & ~3 for value in values(rig, "W", "InterruptACK"))


def test_needs_reset(rig):
    dev = device(rig)
    rig.transport.need_reset()
    assert "needs a reset" in refusal(errno.EIO, dev.wait, lambda: False, 5000)
    assert rig.clock.now == 0
    assert "needs a reset" in refusal(errno.EIO, dev.check)


def test_wait_has_an_end(rig):
    dev = device(rig)
    assert dev.wait(lambda: False, 50) is False
    assert 50_000 <= rig.clock.now < 60_000
    assert dev.wait(lambda: True, 0) is True


def test_spurious_interrupts_do_not_prolong_a_wait(rig):
    dev = device(rig)

    def again():
        rig.transport.interrupt(1)
        rig.clock.at(rig.clock.now + 3000, again)

    again()
    assert dev.wait(lambda: False, 50) is False
    assert rig.clock.now < 60_000


def test_close_resets_and_gives_everything_back(rig):
    free = rig.dma.available()
    dev = device(rig)
    dev.close()
    assert rig.transport.status == 0
    assert rig.dma.available() == free
    assert "closed" in refusal(errno.EIO, dev.check)
    assert rig.guards()


def test_memory_stays_away_from_a_device_that_cannot_be_reset(rig):
    free = rig.dma.available()
    dev = device(rig)
    lie(rig, "Status", 0xF)
    refusal(errno.ETIMEDOUT, dev.close)
    assert rig.dma.available() < free


def test_a_soft_reset_quiets_every_device(rig_of):
    rig = rig_of(slot=3)
    other = sim.MmioTransport(sim.SoundDevice(rig.clock, rig.board.memory))
    base, source = rig.board.put(6, other)
    other.raised = rig.board.line(source)
    device(rig)
    rig.virtio.Device(rig.mmio.MMIO(base, source), 0, (64,) * 4)
    # The one that is quieted first does not answer: the other one is quieted all the same.
    other.force["Status"] = lambda status: 0xF
    refusal(errno.ETIMEDOUT, rig.board.soft_reset)
    assert rig.transport.status == 0


# What the simulated device itself notices


@pytest.mark.parametrize(
    ("rule", "offset", "n", "value"),
    [
        ("M-01", 0x00D, 4, None),
        ("M-03", 0x000, 1, None),
        ("M-03", 0x070, 2, 1),
        ("M-01", 0x02C, 4, None),
        ("M-01", 0x028, 4, 4096),
        ("M-02", 0x000, 4, 1),
        ("M-02", 0x030, 4, None),
        ("M-02", 0x060, 4, 1),
        ("M-02", 0x100, 4, 1),
        ("M-04", 0x104, 1, None),
        ("M-04", 0x102, 4, None),
        ("M-01", 0x10C, 4, None),
        ("M-08", 0x010, 4, None),
        ("M-09", 0x020, 4, 1),
        ("M-14", 0x064, 4, 4),
        ("M-14", 0x064, 4, 1),
        ("M-18", 0x0B0, 4, None),
        ("M-10", 0x038, 4, 128),
        ("G-01", 0x070, 4, 2),
        ("G-01", 0x070, 4, 3),
        ("I-07", 0x050, 4, 0),
    ],
)
def test_the_device_is_strict(rig, rule, offset, n, value):
    page = rig.transport
    rig.mmio.MMIO(rig.base, 8)
    if rule == "M-09":
        page.write(0x070, 4, 1)
        page.write(0x070, 4, 3)
    if offset == 0x10C:
        rule = "S-01"
    if offset == 0x00D:
        rule = "M-03"
    if value is None:
        rig.breach(rule, page.read, offset, n)
    else:
        rig.breach(rule, page.write, offset, n, value)


def status(page, *sequence):
    for value in sequence:
        page.write(0x070, 4, value)
        page.read(0x070, 4)


def test_the_device_is_strict_about_order(rig):
    page = rig.transport
    rig.breach("M-16", page.read, 0x008, 4)
    page.read(0x000, 4)
    rig.breach("M-16", page.write, 0x070, 4, 0)
    page.read(0x004, 4)
    rig.breach("M-17", page.write, 0x070, 4, 0)
    page.read(0x008, 4)
    page.write(0x070, 4, 0)
    rig.breach("G-05", page.write, 0x070, 4, 1)
    page.read(0x070, 4)
    status(page, 0, 1, 3)
    rig.breach("G-02", page.write, 0x070, 4, 9)
    page.write(0x024, 4, 0)
    page.write(0x020, 4, 1 << 27)
    rig.breach("F-01", page.write, 0x070, 4, 0xB)
    status(page, 0, 1, 3)
    rig.breach("F-07", page.write, 0x070, 4, 0xB)
    status(page, 0, 1, 3)
    page.write(0x024, 4, 1)
    page.write(0x020, 4, 1)
    page.write(0x070, 4, 0xB)
    rig.breach("I-04", page.write, 0x030, 4, 0)
    page.read(0x070, 4)
    page.write(0x024, 4, 0)
    rig.breach("I-03", page.write, 0x020, 4, 0)
    page.write(0x044, 4, 0)
    rig.breach("M-12", page.write, 0x030, 4, 1)
    page.read(0x044, 4)
    page.write(0x038, 4, 64)
    for offset in (0x80, 0x84, 0x90, 0x94, 0xA0, 0xA4):
        page.write(offset, 4, 0 if offset & 4 else 0x88000008)
    rig.breach("Q-01", page.write, 0x044, 4, 1)
    page.write(0x070, 4, 0x8B)
    rig.breach("G-03", page.write, 0x070, 4, 0x8F)
