# SPDX-License-Identifier: MIT
"""modules/virtio/cycle.py on a device that is wrong, or unusual."""

import errno

import pytest

from cycle_bench import SLOT, pattern


# A device that is wrong, or unusual


def test_latency_is_no_error(bench):
    bench.write(bytes(4 * SLOT))
    bench.run()
    bench.back(3, latency=640)
    bench.back(1, latency=320)
    assert bench.cycle.in_flight() == 0
    assert bench.cycle.latency() == 320
    assert bench.cycle.error is None


@pytest.mark.parametrize("order", [(3, 2, 1, 0), (1, 0, 3, 2), (2, 0, 3, 1)])
def test_any_order(bench, order):
    bench.write(bytes(4 * SLOT))
    bench.run()
    chains = list(bench.held)
    for at in order:
        bench.back(at=bench.held.index(chains[at]))
    assert bench.cycle.in_flight() == 0
    bench.pace()
    bench.data.clear()
    bench.write(pattern(10 * SLOT))
    bench.run(20_000)
    assert bytes(bench.data) == pattern(10 * SLOT)
    assert bench.cycle.error is None


def test_write_sleeps_while_only_a_later_slot_is_back(bench):
    bench.write(bytes(4 * SLOT))
    bench.run()
    bench.back(at=1)
    bench.soon(bench.back)
    assert bench.write(bytes(SLOT)) == SLOT


def test_the_oldest_slot_never_comes_back(bench):
    bench.write(bytes(4 * SLOT))
    bench.run()
    bench.back(at=1)
    with pytest.raises(OSError, match="stalled"):
        bench.write(bytes(SLOT))


@pytest.mark.parametrize("status", [0x8001, 0x8003, 0, 0xFFFFFFFF])
@pytest.mark.parametrize("at", [0, 2])
def test_status(bench, status, at):
    bench.write(bytes(4 * SLOT))
    bench.run()
    bench.back(at)
    bench.back(status=status)
    with pytest.raises(OSError, match="refused data with status 0x%x" % status):
        bench.write(bytes(8 * SLOT))
    assert bench.dev.error is None


@pytest.mark.parametrize("length", [0, 4, 7, 9, 0xFFFFFFFF])
def test_length(bench, length):
    bench.write(bytes(4 * SLOT))
    bench.run()
    bench.back(length=length)
    with pytest.raises(OSError, match=f"wrote {length} bytes"):
        bench.write(bytes(SLOT))


@pytest.mark.parametrize(
    "wrong",
    [
        pytest.param(lambda ring: ring.push(1, 8), id="middle of a chain"),
        pytest.param(lambda ring: ring.push(12, 8), id="never laid out"),
        pytest.param(lambda ring: ring.push(16, 8), id="beyond the table"),
        pytest.param(lambda ring: ring.push(0x10000, 8), id="right in 16 bits"),
        pytest.param(lambda ring: (ring.push(0, 8), ring.push(0, 8)), id="twice"),
    ],
)
@pytest.mark.parametrize("before", [0, 3, 37])
def test_wrong_used_entries_break_the_queue(bench, wrong, before):
    for _ in range(before):
        bench.write(bytes(SLOT))
        bench.run()
        bench.back()
        assert bench.cycle.in_flight() == 0
    bench.write(bytes(4 * SLOT))
    bench.run()
    wrong(bench.ring)
    with pytest.raises(OSError) as caught:
        bench.write(bytes(8 * SLOT))
    assert caught.value.errno == errno.EIO
    assert bench.dev.error or bench.cycle.error
    bench.dev.close()
    assert bench.rig.guards()


@pytest.mark.parametrize("jump", [5, 0x8000, 0xFFFF])
@pytest.mark.parametrize("before", [0, 3, 36, 37])  # then the ring is full of good old entries
def test_used_idx_jumps(bench, jump, before):
    for _ in range(before):
        bench.write(bytes(SLOT))
        bench.run()
        bench.back()
        assert bench.cycle.in_flight() == 0
    bench.write(bytes(4 * SLOT))
    bench.run()
    bench.ring.jump(jump)
    with pytest.raises(OSError, match="not its|more chains than it has"):
        bench.write(bytes(8 * SLOT))
    assert bench.dev.error


# Half of the slots at a time, which goes the shortest way


@pytest.mark.parametrize("before", range(4))
@pytest.mark.parametrize("order", [(0, 0), (1, 0)])
def test_halves_from_any_slot_on(bench, before, order):
    bench.pace()
    bench.write(bytes(before * SLOT))
    bench.run(20_000)
    bench.data.clear()
    bench.cycle.rest(2)
    bench.write(pattern(4 * SLOT))
    bench.run()
    for at in order:
        bench.back(at=at)
    bench.write(pattern(11 * SLOT + 4))
    bench.write(bytes(SLOT - 4))
    bench.run(20_000)
    assert bytes(bench.data) == pattern(4 * SLOT) + pattern(11 * SLOT + 4) + bytes(SLOT - 4)
    assert bench.cycle.error is None
    assert bench.cycle.in_flight() == 0


@pytest.mark.parametrize("bad", range(2))
def test_a_bad_status_among_halves(bench, bad):
    bench.cycle.rest(2)
    bench.write(bytes(4 * SLOT))
    bench.run()
    for i in range(2):
        bench.back(status=0x8003 if i == bad else 0x8000)
    with pytest.raises(OSError, match="0x8003"):
        bench.write(bytes(8 * SLOT))
