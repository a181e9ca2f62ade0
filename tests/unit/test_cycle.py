# SPDX-License-Identifier: MIT
"""modules/virtio/cycle.py: the data path alone, on a device that is led by hand."""

import array
import errno

import pytest

from cycle_bench import HEADER, OK, SIZE, SLOT, Bench, pattern


def test_nothing_is_handed_over_before_a_slot_is_full(bench):
    assert bench.write(bytes(28)) == 28
    bench.run()
    assert (bench.cycle.partial(), bench.cycle.in_flight(), bench.held) == (28, 0, [])
    bench.write(bytes(4))
    bench.run()
    assert (bench.cycle.partial(), bench.cycle.in_flight(), len(bench.held)) == (0, 1, 1)


def test_the_chain(bench):
    bench.write(pattern(SLOT))
    bench.run()
    chain = bench.held[0]
    assert [n for _, n in chain.readable] == [len(HEADER), SLOT]
    assert chain.room == 8
    assert bytes(bench.data) == pattern(SLOT)


@pytest.mark.rule("Q-11")
@pytest.mark.parametrize("start", [0, 3, 65520, 65535])
@pytest.mark.parametrize("limit", [2, 3, 4, 5])
def test_bytes_are_exact_across_65535(rig, start, limit):
    if limit > 4:
        # Eight slots of three descriptors do not fit a queue of 16.
        with pytest.raises(OSError) as caught:
            Bench(rig, limit)
        assert caught.value.errno == errno.ENOSPC
        return
    bench = Bench(rig, limit, start)
    bench.pace()
    data = pattern(4000)
    at = 0
    for n in (4, 28, 32, 36, 60, 64, 100, 1000, 400, 8, 12, 16, 508, 4, 4, 1600):
        assert bench.write(data[at : at + n]) == n
        assert bench.cycle.in_flight() <= limit
        at += n
    bench.run(20_000)
    assert bytes(bench.data) == data[: at - at % SLOT]
    assert bench.cycle.in_flight() == 0
    assert bench.cycle.submitted() == start + at // SLOT
    assert bench.ring.taken == (start + at // SLOT) & 0xFFFF
    assert bench.cycle.error is None


def test_no_more_than_the_limit_is_queued(rig):
    bench = Bench(rig, limit=3)
    bench.write(bytes(3 * SLOT))
    bench.run()
    assert len(bench.held) == 3
    assert bench.owner.asked == ["begin", "dry"]
    bench.soon(bench.back)
    bench.write(bytes(SLOT))
    assert bench.owner.asked == ["begin", "dry", "begin", "full"]
    bench.run()
    assert len(bench.held) == 3


def test_part_of_a_grain(bench):
    with pytest.raises(ValueError, match="6 bytes"):
        bench.write(bytes(6))
    assert bench.write(b"") == 0


def test_any_bytes_like_object(bench):
    words = array.array("H", range(16))
    assert bench.write(words) == 32
    assert bench.write(memoryview(bytearray(64))[32:]) == 32
    bench.run()
    assert bytes(bench.data) == words.tobytes() + bytes(32)


def test_stalled_after_the_time_limit_and_not_for_ever(bench):
    bench.write(bytes(4 * SLOT))
    with pytest.raises(OSError, match="stalled"):
        bench.write(bytes(SLOT))
    assert 100_000 <= bench.rig.clock.now < 110_000


def test_interrupts_for_nothing(bench):
    bench.write(bytes(4 * SLOT))

    def again():
        bench.rig.transport.interrupt(1)
        bench.soon(again)

    again()
    with pytest.raises(OSError, match="stalled"):
        bench.write(bytes(SLOT))
    assert bench.rig.clock.now < 200_000


def test_kicks_are_for_batches(bench):
    bench.write(bytes(4 * SLOT))
    assert len(bench.rig.device.kicks) == 1
    bench.run()
    bench.back(2)
    bench.write(bytes(2 * SLOT))
    assert len(bench.rig.device.kicks) == 2
    bench.run()
    assert len(bench.held) == 4


@pytest.mark.rule("Q-18")
@pytest.mark.rule("Q-20")
def test_no_kick_for_a_device_that_wants_none(bench):
    bench.ring.silent = True
    bench.ring.ask()
    bench.write(bytes(4 * SLOT))
    assert not bench.rig.device.kicks


@pytest.mark.rule("Q-20")
@pytest.mark.parametrize("start", [0, 65534])
@pytest.mark.parametrize("event", [-1, 0, 2, 3, 4])
def test_the_index_that_the_device_asks_for(rig, start, event):
    bench = Bench(rig, start=start)
    if bench.queue.event_idx:
        where = bench.ring.used + 4 + 8 * SIZE
        rig.board.memory.set_word(where, 2, (start + event) & 0xFFFF)
        bench.write(bytes(4 * SLOT))
        assert len(rig.device.kicks) == (0 <= event < 4)


@pytest.mark.parametrize("start", [0, 65534])
def test_interrupts_for_every_half(rig, start):
    bench = Bench(rig, start=start)
    bench.write(bytes(4 * SLOT))
    bench.cycle.rest(2)
    bench.run()
    bench.pace()
    seen = []
    raise_it = rig.device.notify
    rig.device.notify = lambda: (seen.append(rig.clock.now), raise_it())
    bench.write(bytes(20 * SLOT))
    if bench.queue.event_idx:
        assert 8 <= len(seen) <= 11
    else:
        assert 19 <= len(seen) <= 21


def test_only_the_index_of_the_available_ring_changes(bench):
    bench.pace()
    bench.write(bytes(8 * SLOT))
    at = bench.ring.avail + 4
    before = bench.rig.board.memory.read(at, 2 * SIZE), bench.rig.board.memory.read(
        bench.ring.desc, 16 * SIZE
    )
    bench.write(bytes(40 * SLOT))
    assert before == (
        bench.rig.board.memory.read(at, 2 * SIZE),
        bench.rig.board.memory.read(bench.ring.desc, 16 * SIZE),
    )


# Zero-copy


def address_of(bench, data):
    return bench.rig.board.modules()["uctypes"].addressof(data)


def test_whole_slots_are_read_where_they_lie(bench):
    data = pattern(3 * SLOT + 8)
    assert bench.write(data, False) == len(data)
    bench.run()
    pa = address_of(bench, data)
    assert [chain.readable[1] for chain in bench.held] == [
        (pa, SLOT), (pa + SLOT, SLOT), (pa + 2 * SLOT, SLOT)
    ]
    assert bench.cycle.partial() == 8


def test_a_slot_that_was_begun_is_copied(bench):
    bench.write(bytes(4))
    data = pattern(2 * SLOT)
    bench.write(data, False)
    bench.run()
    pa = address_of(bench, data)
    assert bench.held[0].readable[1][0] == bench.cycle.data_pa
    assert bench.held[1].readable[1] == (pa + SLOT - 4, SLOT)
    assert bytes(bench.data) == (bytes(4) + data)[: 2 * SLOT]
    assert bench.cycle.partial() == 4


def test_copies_and_loans_in_turn(bench):
    bench.pace()
    expected = b""
    for i in range(20):
        data = bytes([i + 1]) * (SLOT * (i % 3 + 1))
        bench.write(data, i % 2 == 0)
        expected += data
    bench.run(20_000)
    assert bytes(bench.data) == expected
    bench.cycle.restart()
    assert not bench.cycle._lent
    for slot, head in enumerate(bench.cycle.heads):
        address, _ = bench.ring._walk(head).readable[1]
        assert address == bench.cycle.data_pa + slot * SLOT


def test_long_copies_after_loans(bench):
    bench.cycle.rest(2)  # so that they come back by two
    bench.pace()
    loan, data = pattern(4 * SLOT), bytes(range(256)) * 2
    bench.write(loan, False)
    bench.write(data)
    bench.write(loan, False)
    bench.run(20_000)
    assert bytes(bench.data) == loan + data + loan


def test_the_object_is_held_while_its_slot_plays_it(bench):
    data = bytearray(pattern(SLOT))
    bench.write(data, False)
    assert any(held is data for held in bench.cycle._lent.values())


def test_the_object_is_held_that_took_the_place_of_another(bench):
    bench.cycle.rest(2)  # so that they come back by two
    bench.pace()
    first, second = pattern(4 * SLOT), pattern(8 * SLOT)
    bench.write(first, False)
    bench.write(second, False)
    assert [held is second for held in bench.cycle._lent.values()] == 4 * [True]
    bench.run(20_000)
    assert bytes(bench.data) == first + second


# The end


def test_everything_comes_back(bench):
    bench.pace()
    bench.write(bytes(11 * SLOT))
    bench.run(20_000)
    bench.cycle.close()
    assert bench.rig.dma.available() == bench.free
    again = bench.rig.virtio.Outflow(
        bench.dev, bench.queue, HEADER, SLOT, 4, 4, OK, bench.owner
    )
    bench.owner.cycle = again
    bench.owner.running = False
    bench.data.clear()
    again.write(pattern(9 * SLOT))
    bench.run(20_000)
    assert bytes(bench.data) == pattern(9 * SLOT)


def test_what_the_device_owns_comes_back_with_its_reset(bench):
    bench.write(bytes(2 * SLOT))
    bench.run()
    bench.cycle.close()
    assert bench.rig.dma.available() < bench.free
    for _ in range(2):  # the second time gives nothing back again
        bench.dev.close()
        assert bench.rig.dma.available() == len(bench.rig.dma.arena)
    assert bench.rig.guards()


def test_no_descriptors_left(bench):
    free = bench.rig.dma.available()
    with pytest.raises(OSError) as caught:
        bench.rig.virtio.Outflow(bench.dev, bench.queue, HEADER, SLOT, 4, 4, OK, bench.owner)
    assert caught.value.errno == errno.ENOSPC
    assert bench.rig.dma.available() == free
    bench.write(pattern(SLOT))  # the one that is there goes on
    bench.run()
    assert bytes(bench.data) == pattern(SLOT)


def test_restart_forgets_a_part(bench):
    bench.write(b"\1" * 12)
    bench.cycle.restart()
    assert bench.cycle.partial() == 0
    bench.write(pattern(SLOT))
    bench.run()
    assert bytes(bench.data) == pattern(SLOT)
