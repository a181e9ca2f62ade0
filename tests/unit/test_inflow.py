# SPDX-License-Identifier: MIT
"""modules/virtio/inflow.py: the data path alone, on a device that is led by hand."""

import array
import errno

import pytest

from cycle_bench import HEADER, SLOT
from inflow_bench import InBench

UNEVEN = (4, 28, 32, 36, 60, 64, 100, 1000, 400, 8, 12, 16, 508, 4, 4, 1600)


@pytest.fixture
def bench(rig):
    return InBench(rig)


def test_all_slots_are_the_devices_before_anything_is_read(bench):
    bench.cycle.fill()
    bench.run()
    assert len(bench.held) == 4
    assert [chain.read() for chain in bench.held] == [HEADER] * 4
    bench.cycle.fill()  # twice is no more
    bench.run()
    assert len(bench.held) == 4


@pytest.mark.parametrize("pace", [1, 2, 4])
@pytest.mark.parametrize("start", [0, 3, 65520, 65535])
@pytest.mark.parametrize("limit", [2, 3, 4])
def test_bytes_are_exact_across_65535(rig, start, limit, pace):
    bench = InBench(rig, limit, start)
    bench.pace(pace)
    at = 0
    for n in UNEVEN:
        assert bench.read(n) == bench.sound[at : at + n]
        assert len(bench.held) <= limit
        at += n
    bench.run()
    assert bench.cycle.error is None
    assert bench.cycle.submitted() == start + at // SLOT + limit
    assert bench.ring.taken == (start + at // SLOT + limit) & 0xFFFF
    assert bench.cycle.partial() == at % SLOT


def test_slots_that_were_emptied_are_given_back_at_once(bench):
    bench.cycle.fill()
    bench.run()
    bench.back(4)
    bench.read(SLOT - 4)
    bench.run()
    assert (len(bench.held), bench.cycle.full(), bench.cycle.readable()) == (0, 4, 3 * SLOT + 4)
    bench.read(4)
    bench.run()
    assert (len(bench.held), bench.cycle.full(), bench.cycle.readable()) == (1, 3, 3 * SLOT)


def test_part_of_a_grain(bench):
    with pytest.raises(ValueError, match="6 bytes"):
        bench.readinto(bytearray(6))
    assert bench.readinto(bytearray()) == 0


def test_any_buffer(bench):
    bench.pace()
    words = array.array("H", bytes(64))
    assert bench.readinto(words) == 64
    assert words.tobytes() == bench.sound[:64]
    data = bytearray(b"\xee" * 100)
    assert bench.readinto(memoryview(data)[10:-10]) == 80
    assert data == b"\xee" * 10 + bench.sound[64:144] + b"\xee" * 10


def test_from_the_middle_of_a_buffer(bench):
    bench.pace()
    data = bytearray(b"\xee" * 100)
    assert bench.readinto(data, 40) == 100
    assert data == b"\xee" * 40 + bench.sound[:60]


def test_stalled_after_the_time_limit_and_not_for_ever(bench):
    with pytest.raises(OSError, match="stalled"):
        bench.read(SLOT)
    assert 100_000 <= bench.rig.clock.now < 110_000


def test_interrupts_for_nothing(bench):
    def again():
        bench.rig.transport.interrupt(1)
        bench.soon(again)

    again()
    with pytest.raises(OSError, match="stalled"):
        bench.read(SLOT)
    assert bench.rig.clock.now < 200_000


def test_an_overrun_is_told_before_the_device_gets_a_slot_again(bench):
    bench.read(0)
    bench.run()
    assert bench.owner.asked == ["begin", "dry"]
    for seen in (0, 2, 3):  # of the four, before the others are back
        bench.back(seen)
        bench.cycle.full()
        bench.back(4 - seen)
        bench.owner.asked.clear()
        bench.read(SLOT)
        assert bench.owner.asked == ["dry"]
        bench.read(3 * SLOT)
        assert bench.owner.asked == ["dry"]
        bench.run()
    bench.back(3)
    bench.read(3 * SLOT)
    assert bench.owner.asked == ["dry"]


@pytest.mark.parametrize("start", [0, 65534])
def test_interrupts_for_half_of_the_ring(rig, start):
    bench = InBench(rig, start=start)
    seen = []
    raise_it = rig.device.notify
    rig.device.notify = lambda: (seen.append(rig.clock.now), raise_it())
    bench.pace()
    bench.read(40 * SLOT)
    if bench.queue.event_idx:
        assert 20 <= len(seen) <= 22
    else:
        assert 39 <= len(seen) <= 41
    seen.clear()
    at = rig.clock.now
    bench.read(SLOT)  # no more than that is waited for
    assert rig.clock.now <= at + 1000


def test_kicks_only_if_wanted(bench):
    bench.ring.silent = True
    bench.ring.ask()
    bench.cycle.fill()
    bench.serve(0)
    bench.back(2)
    bench.read(0)
    assert not bench.rig.device.kicks


# The end


def test_what_is_left_can_be_read_and_then_there_is_no_more(bench):
    bench.cycle.fill()
    bench.run()
    bench.back(2)
    bench.back(n=8)
    bench.back(n=0)
    bench.cycle.ended = True
    data = bytearray(4 * SLOT)
    assert bench.readinto(data) == 2 * SLOT + 8
    assert data == bench.sound[: 2 * SLOT + 8] + bytes(4 * SLOT - 2 * SLOT - 8)
    assert bench.readinto(data) == bench.readinto(data) == 0
    bench.run()
    assert not bench.held  # the device gets no slots any more


def test_restart_forgets_what_was_not_read(bench):
    bench.cycle.fill()
    bench.run()
    bench.back(3)
    bench.read(4)
    bench.back(n=12)
    assert bench.cycle.in_flight() == 0
    bench.cycle.ended = True
    bench.cycle.restart()
    assert (bench.cycle.readable(), bench.cycle.ended) == (0, False)
    at = bench.at
    bench.cycle.fill()
    bench.pace()
    assert bench.read(9 * SLOT) == bench.sound[at : at + 9 * SLOT]


def test_everything_comes_back(bench):
    bench.cycle.fill()
    bench.run()
    bench.back(4)
    bench.cycle.close()
    assert bench.rig.dma.available() == bench.free
    again = bench.another(3)
    bench.owner.cycle, bench.readinto = again, again.readinto
    again.fill()
    bench.pace()
    assert bench.read(9 * SLOT) == bench.sound[4 * SLOT : 13 * SLOT]


def test_what_the_device_owns_comes_back_with_its_reset(bench):
    bench.cycle.fill()
    bench.run()
    bench.cycle.close()
    assert bench.rig.dma.available() < bench.free
    bench.dev.close()
    assert bench.rig.dma.available() == len(bench.rig.dma.arena)
    assert bench.rig.guards()


def test_no_descriptors_left(bench):
    free = bench.rig.dma.available()
    with pytest.raises(OSError, match="and no .* of them free") as caught:
        bench.another(4)
    assert caught.value.errno == errno.ENOSPC
    assert bench.rig.dma.available() == free
    bench.pace()
    assert bench.read(9 * SLOT) == bench.sound[: 9 * SLOT]
