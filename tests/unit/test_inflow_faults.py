# SPDX-License-Identifier: MIT
"""modules/virtio/inflow.py on a device that is wrong, or unusual."""

import errno
import itertools

import pytest

from cycle_bench import SLOT, pattern
from inflow_bench import InBench


@pytest.fixture
def bench(rig):
    return InBench(rig)


# Slots that are not full


@pytest.mark.parametrize("n", [0, 4, 20, SLOT - 4])
@pytest.mark.parametrize("status_at", ["end", "data"])
@pytest.mark.parametrize("start", [0, 65533])
def test_a_slot_that_comes_back_early(rig, n, status_at, start):
    bench = InBench(rig, start=start)
    bench.cycle.fill()
    bench.run()
    where = {"end": SLOT, "data": n}[status_at]
    bench.back()
    bench.back(n=n, status_at=where)
    bench.back()
    total = 2 * SLOT + n
    assert bench.cycle.readable() == total
    assert bench.cycle.missing == SLOT - n
    bench.pace()
    assert bench.read(total + 8) == bench.sound[: total + 8]
    assert bench.cycle.error is None
    # The same slot again, full.
    assert bench.read(8 * SLOT) == bench.sound[total + 8 : total + 8 + 8 * SLOT]
    assert bench.cycle.missing == SLOT - n


@pytest.mark.parametrize("n", [1, 2, 3, 5, 31])
def test_part_of_a_frame_is_none(bench, n):
    bench.cycle.fill()
    bench.run()
    bench.back(n=n, status_at=n)
    assert bench.cycle.readable() == n - n % 4
    assert bench.read(n - n % 4) == bench.sound[: n - n % 4]
    assert bench.cycle.missing == SLOT - (n - n % 4)
    assert bench.cycle.error is None


@pytest.mark.parametrize("size", [4, 12, 28, 100])
def test_many_short_slots_in_small_parts(bench, size):
    lengths = itertools.cycle((0, 8, SLOT, 0, 0, 28, 4, SLOT, 12))

    def due():
        bench.back(n=next(lengths))
        bench.soon(due)

    bench.cycle.fill()
    bench.soon(due)
    data = b"".join(bench.read(size) for _ in range(2000 // size))
    assert data == bench.sound[: len(data)]


@pytest.mark.parametrize("status", [0x8001, 0x8003, 0, 0xFFFFFFFE])
@pytest.mark.parametrize(("n", "status_at"), [(0, 0), (0, SLOT), (8, 8), (8, SLOT), (SLOT, SLOT)])
def test_a_status_that_is_not_ok(bench, status, n, status_at):
    bench.cycle.fill()
    bench.run()
    bench.back()
    bench.back(n=n, status=status, status_at=status_at)
    with pytest.raises(OSError, match="failed to record, status 0x%x" % status):
        bench.read(4 * SLOT)
    assert bench.dev.error is None


def test_no_status_at_all(bench):
    bench.cycle.fill()
    bench.run()
    chain = bench.held.pop(0)
    chain.write(pattern(SLOT))
    bench.ring.push(chain.head, SLOT + 8)
    bench.rig.device.notify()
    with pytest.raises(OSError, match="status 0xffffffff"):
        bench.read(2 * SLOT)


@pytest.mark.parametrize("length", [0, 4, 7])
def test_less_than_a_status(bench, length):
    bench.cycle.fill()
    bench.run()
    bench.back(length=length)
    assert bench.cycle.readable() == 0
    with pytest.raises(OSError, match=f"wrote {length} bytes, less than a status"):
        bench.read(SLOT)


@pytest.mark.parametrize("length", [SLOT + 9, 0x1000, 0xFFFFFFFF])
def test_more_than_there_is_room_breaks_the_queue(bench, length):
    bench.cycle.fill()
    bench.run()
    bench.back(length=length)
    with pytest.raises(OSError, match=f"wrote {length} bytes to a chain that takes {SLOT + 8}"):
        bench.read(SLOT)
    assert bench.dev.error


def test_the_status_of_the_round_before_is_not_believed(bench):
    # A device that forgets the status: what the slot's place had last time was OK.
    bench.pace()
    bench.read(8 * SLOT)
    bench.held[0].memory.set_word(bench.held[0].writable[1][0] + 4, 4, 77)
    bench.rig.device.serve = lambda index: None
    chain = bench.held.pop(0)
    bench.ring.push(chain.head, SLOT + 8)
    bench.rig.device.notify()
    with pytest.raises(OSError, match="status 0xffffffff"):
        bench.read(4 * SLOT)


def test_a_device_that_returns_nothing_for_ever(bench):
    def due():
        bench.back(n=0)
        bench.soon(due)

    bench.cycle.fill()
    bench.soon(due)
    with pytest.raises(OSError, match="nothing in them"):
        bench.read(4)
    assert bench.rig.clock.now < 12_000


# Order


@pytest.mark.parametrize("order", [(3, 2, 1, 0), (1, 0, 3, 2), (2, 0, 3, 1)])
def test_slots_that_come_back_in_another_order(bench, order):
    # They are read in the order in which they were given.
    bench.cycle.fill()
    bench.run()
    chains = list(bench.held)
    for at in order:
        bench.at = at * SLOT
        bench.back(at=bench.held.index(chains[at]))
    assert bench.cycle.readable() == 4 * SLOT
    assert bench.read(4 * SLOT) == bench.sound[: 4 * SLOT]
    bench.at = 4 * SLOT
    bench.pace()
    assert bench.read(8 * SLOT) == bench.sound[4 * SLOT : 12 * SLOT]
    assert bench.cycle.error is None


@pytest.mark.parametrize("short", [0, 16, SLOT])
def test_readinto_sleeps_while_only_a_later_slot_is_back(bench, short):
    bench.cycle.fill()
    bench.run()
    bench.at = SLOT
    bench.back(at=1, n=short)
    assert bench.cycle.readable() == 0
    bench.at = 0
    bench.soon(bench.back)
    at = bench.rig.clock.now
    assert bench.read(SLOT) == bench.sound[:SLOT]
    assert bench.rig.clock.now == at + 1000
    assert bench.cycle.readable() == short


def test_the_oldest_slot_never_comes_back(bench):
    bench.cycle.fill()
    bench.run()
    bench.back(at=1)
    with pytest.raises(OSError, match="stalled"):
        bench.read(SLOT)
    assert bench.rig.clock.now >= 100_000


@pytest.mark.parametrize(
    "wrong",
    [
        pytest.param(lambda ring: ring.push(1, 40), id="middle of a chain"),
        pytest.param(lambda ring: ring.push(12, 40), id="never laid out"),
        pytest.param(lambda ring: ring.push(16, 40), id="beyond the table"),
        pytest.param(lambda ring: ring.push(0x10000, 40), id="right in 16 bits"),
        pytest.param(lambda ring: (ring.push(0, 8), ring.push(0, 8)), id="twice"),
        pytest.param(lambda ring: ring.jump(5), id="used.idx jumps"),
        pytest.param(lambda ring: ring.jump(0xFFFF), id="used.idx goes back"),
    ],
)
@pytest.mark.parametrize("before", [0, 3, 37])
def test_wrong_used_entries_break_the_queue(bench, wrong, before):
    bench.pace()
    bench.read(before * SLOT)
    bench.rig.device.serve = lambda index: None
    bench.cycle.fill()
    bench.held.clear()
    wrong(bench.ring)
    bench.rig.device.notify()
    with pytest.raises(OSError) as caught:
        bench.read(8 * SLOT)
    assert caught.value.errno == errno.EIO
    assert bench.dev.error or bench.cycle.error
    bench.dev.close()
    assert bench.rig.guards()
