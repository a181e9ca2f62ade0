# SPDX-License-Identifier: MIT
"""modules/virtio/cycle.py: the data path alone, on a device that is led by hand."""

import array
import errno
import struct

import pytest

OK = 0x8000
HEADER = b"\x07\0\0\0"
SLOT = 32
SIZE = 16


class Owner:
    """Writes down what the Cycle asks."""

    def __init__(self):
        self.asked = []
        self.running = False
        self.cycle = None

    def begin(self):
        self.asked.append("begin")

    def blocked(self, ms):
        self.check()
        if self.running:
            cycle = self.cycle
            if not cycle.device.wait(lambda: cycle.in_flight() < cycle.limit, ms):
                raise OSError(errno.ETIMEDOUT, "stalled")
            return
        self.asked.append("full")
        self.running = True
        self.cycle.running(100)

    def dry(self):
        self.asked.append("dry")

    def odd(self, n):
        raise ValueError(f"{n} bytes")

    def check(self):
        if self.cycle.device.error or self.cycle.error:
            raise OSError(errno.EIO, self.cycle.device.error or self.cycle.error)


class Bench:
    """One Cycle on queue 0; the device takes what comes and gives back when told to."""

    def __init__(self, rig, limit=4, start=0, grain=4):
        self.rig = rig
        self.held = []  # chains that the device owns, oldest first
        self.data = bytearray()  # what all of them had
        rig.device.serve = self.serve
        self.dev = rig.virtio.Device(rig.mmio.MMIO(rig.base, 8), 0, (SIZE,))
        self.queue = self.dev.queues[0]
        self.ring = rig.device.rings[0]
        self.queue._next = self.queue._last = start
        self.ring.wind(start)
        self.free = rig.dma.available()
        self.owner = Owner()
        self.cycle = self.owner.cycle = rig.virtio.Cycle(
            self.dev, self.queue, HEADER, SLOT, grain, limit, OK, self.owner
        )
        self.write = self.cycle.write

    def serve(self, index):
        while chain := self.ring.pop():
            self.ring.ask()
            data = chain.read()
            assert data[:4] == HEADER
            self.data += data[4:]
            self.held.append(chain)

    def back(self, n=1, at=0, status=OK, latency=0, length=8):
        """Give n chains back."""
        for _ in range(n):
            chain = self.held.pop(at)
            chain.write(struct.pack("<II", status, latency))
            self.ring.push(chain.head, length)
        if self.ring.interrupt_wanted():
            self.rig.device.notify()

    def soon(self, call, *arguments, us=1000):
        self.rig.clock.at(self.rig.clock.now + us, lambda: call(*arguments))

    def pace(self):
        """From now on a slot comes back every millisecond."""

        def due():
            if self.held:
                self.back()
            self.soon(due)

        self.soon(due)

    def run(self, us=100):
        self.rig.clock.run(us)


@pytest.fixture
def bench(rig):
    return Bench(rig)


def pattern(n):
    return bytes((7 * i + i // 256) & 0xFF for i in range(n))


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


def test_no_kick_for_a_device_that_wants_none(bench):
    bench.ring.silent = True
    bench.ring.ask()
    bench.write(bytes(4 * SLOT))
    assert not bench.rig.device.kicks


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


def test_whole_slots_are_read_where_they_lie(bench):
    data = pattern(3 * SLOT + 8)
    assert bench.write(data, False) == len(data)
    bench.run()
    pa = bench.rig.dma.pa_of(data)
    assert [chain.readable[1] for chain in bench.held] == [
        (pa, SLOT), (pa + SLOT, SLOT), (pa + 2 * SLOT, SLOT)
    ]
    assert bench.cycle.partial() == 8


def test_a_slot_that_was_begun_is_copied(bench):
    bench.write(bytes(4))
    data = pattern(2 * SLOT)
    bench.write(data, False)
    bench.run()
    pa = bench.rig.dma.pa_of(data)
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
    for slot, head in enumerate(bench.cycle._heads):
        address, _ = bench.ring._walk(head).readable[1]
        assert address == bench.cycle.data_pa + slot * SLOT


def test_the_object_is_held_while_its_slot_plays_it(bench):
    data = bytearray(pattern(SLOT))
    bench.write(data, False)
    assert any(held is data for held in bench.cycle._lent.values())


def test_out_of_reach_is_copied(bench, monkeypatch):
    data = pattern(SLOT)
    monkeypatch.setattr(bench.rig.dma, "pa_of", lambda buf: 1 << 33)
    bench.write(data, False)
    bench.run()
    assert bench.held[0].readable[1][0] == bench.cycle.data_pa


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
    with pytest.raises(OSError, match=f"{length} bytes of status"):
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


# The end


def test_everything_comes_back(bench):
    bench.pace()
    bench.write(bytes(11 * SLOT))
    bench.run(20_000)
    bench.cycle.close()
    assert bench.rig.dma.available() == bench.free
    again = bench.rig.virtio.Cycle(
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
    bench.dev.close()
    assert bench.rig.dma.available() == len(bench.rig.dma.arena)
    assert bench.rig.guards()


def test_one_cycle_a_queue(bench):
    with pytest.raises(OSError) as caught:
        bench.rig.virtio.Cycle(bench.dev, bench.queue, HEADER, SLOT, 4, 4, OK, bench.owner)
    assert caught.value.errno == errno.EBUSY


def test_restart_forgets_a_part(bench):
    bench.write(b"\1" * 12)
    bench.cycle.restart()
    assert bench.cycle.partial() == 0
    bench.write(pattern(SLOT))
    bench.run()
    assert bytes(bench.data) == pattern(SLOT)
