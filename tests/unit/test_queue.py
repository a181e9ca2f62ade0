# SPDX-License-Identifier: MIT
"""modules/virtio/queue.py against the device's side of the ring."""

import errno
import struct

import pytest

from virtsnd.ring import passed

SIZE = 8


@pytest.fixture
def by_hand(rig):
    """A device that serves nothing by itself: (rig, driver's queue, device's ring)."""
    rig.device.serve = lambda index: None
    rig.dev = rig.virtio.Device(rig.mmio.MMIO(rig.base, 8), 0, (SIZE,))
    return rig, rig.dev.queues[0], rig.device.rings[0]


def wind(queue, ring, count):
    queue._next = queue.taken = count
    ring.wind(count)


def kicks(rig):
    return len(rig.device.kicks)


@pytest.mark.parametrize(
    ("event", "new", "old", "yes"),
    [
        (0, 1, 0, True), (5, 5, 0, False), (5, 6, 0, True),
        (65535, 0, 65535, True), (0, 5, 1, False), (3, 5, 1, True),
    ],
)
def test_the_formula_of_both_sides(event, new, old, yes):
    assert passed(event, new, old) == yes


@pytest.mark.parametrize(("size", "avail", "used"), [(64, 134, 518), (16, 38, 134)])
def test_the_parts_do_not_overlap(rig, size, avail, used):
    dev = rig.virtio.Device(rig.mmio.MMIO(rig.base, 8), 0, (size,))
    ring = rig.device.rings[0]
    assert ring.desc + 16 * size <= ring.avail
    assert ring.avail + avail <= ring.used
    region = dev.queues[0].region
    assert ring.used + used <= region.pa + region.size


def test_descriptors(by_hand):
    rig, queue, ring = by_hand
    head = queue.chain((0x8800_1000, 4, False), (0x8800_2000, 16, False), (0x8800_3000, 8, True))
    table = rig.board.memory.read(ring.desc, 16 * SIZE)
    assert head == 0
    assert table[:48] == struct.pack(
        "<QIHHQIHHQIHH", 0x8800_1000, 4, 1, 1, 0x8800_2000, 16, 1, 2, 0x8800_3000, 8, 2, 0
    )
    assert table[48:] == bytes(16 * SIZE - 48)


def test_submit_and_reap(by_hand):
    rig, queue, ring = by_hand
    head = queue.chain((rig.dma.alloc(16).pa, 16, False), (rig.dma.alloc(16).pa, 8, True))
    queue.submit(head)
    queue.reap()
    assert list(queue.busy) == [head]
    chain = ring.pop()
    assert (chain.head, chain.room) == (head, 8)
    assert ring.pop() is None
    ring.push(chain.head, 5)
    queue.reap()
    assert not queue.busy
    assert queue.written[head] == 5


@pytest.mark.rule("Q-11")
def test_a_hundred_chains_across_65535(by_hand):
    rig, queue, ring = by_hand
    wind(queue, ring, 65500)
    region = rig.dma.alloc(64)
    heads = [queue.chain((region.pa + 16 * i, 16, i > 1)) for i in range(4)]
    for i in range(100):
        for k in range(i % 4 + 1):
            queue.submit(heads[k])
        taken = []
        while chain := ring.pop():
            taken.append(chain.head)
        ring.ask()
        assert taken == heads[: i % 4 + 1]
        for head in reversed(taken):
            ring.push(head, 0)
        queue.reap()
        assert not queue.busy
    assert rig.dev.error is None
    assert ring.idx == ring.taken == (65500 + 250) & 0xFFFF
    if queue.event_idx:
        assert kicks(rig) == 100  # the first of every batch


@pytest.mark.rule("Q-20")
@pytest.mark.parametrize("start", [0, 5, 65533, 65535])
def test_a_kick_exactly_at_the_index_that_is_asked_for(by_hand, start):
    rig, queue, ring = by_hand
    wind(queue, ring, start)
    if not queue.event_idx:
        return
    heads = [queue.chain((rig.dma.alloc(16).pa, 16, False)) for _ in range(5)]
    where = ring.used + 4 + 8 * SIZE
    rig.board.memory.set_word(where, 2, (start + 2) & 0xFFFF)
    told = []
    for head in heads:
        queue.submit(head)
        told.append(kicks(rig))
    assert told == [0, 0, 1, 1, 1]


@pytest.mark.rule("Q-17")
@pytest.mark.rule("Q-19")
def test_the_field_that_is_not_in_force_is_ignored(by_hand):
    rig, queue, ring = by_hand
    head = queue.chain((rig.dma.alloc(16).pa, 16, False))
    if queue.event_idx:
        rig.board.memory.set_word(ring.used, 2, 1)
    else:
        rig.board.memory.set_word(ring.used + 4 + 8 * SIZE, 2, 77)
    queue.submit(head)
    assert kicks(rig) == 1


@pytest.mark.rule("Q-18")
@pytest.mark.rule("Q-20")
def test_no_kick_for_a_device_that_wants_none(by_hand):
    rig, queue, ring = by_hand
    ring.silent = True
    ring.ask()
    for _ in range(3):
        queue.submit(queue.chain((rig.dma.alloc(16).pa, 16, False)))
    assert kicks(rig) == 0


def test_undefined_bits_of_used_flags(by_hand):
    rig, queue, ring = by_hand
    if not queue.event_idx:
        rig.board.memory.set_word(ring.used, 2, 0xFFFE)
    queue.submit(queue.chain((rig.dma.alloc(16).pa, 16, False)))
    assert kicks(rig) == 1


def test_interrupt_wanted_for_every_chain(by_hand):
    rig, queue, ring = by_hand
    wind(queue, ring, 65534)
    for _ in range(4):
        head = queue.chain((rig.dma.alloc(16).pa, 16, False))
        queue.submit(head)
        ring.push(ring.pop().head, 0)
        assert ring.interrupt_wanted()
        queue.reap()


def test_descriptors_run_out_and_come_back(by_hand):
    rig, queue, ring = by_hand
    pa = rig.dma.alloc(16).pa
    part = (pa, 16, False)
    heads = [queue.chain(part, part) for _ in range(4)]
    with pytest.raises(OSError, match="8 descriptors, and no 1 of them free") as caught:
        queue.chain(part)
    assert caught.value.errno == errno.ENOSPC
    for head in heads:
        queue.discard(head)
    queue.submit(queue.chain(part, part, part))
    chain = ring.pop()
    assert chain.readable == [(pa, 16)] * 3
    assert sum(len(queue._chains[h][0]) for h in queue._chains) + len(queue._free) == SIZE


def test_resize_and_repoint(by_hand):
    rig, queue, ring = by_hand
    pa = rig.dma.alloc(64).pa
    head = queue.chain((pa, 4, False), (pa + 16, 4, True))
    queue.resize(head, 16, 20)
    queue.repoint(head, 1, pa + 32)
    queue.submit(head)
    chain = ring.pop()
    assert chain.readable == [(pa, 16)]
    assert chain.writable == [(pa + 32, 20)]


# A device that is wrong (hardening H-01 to H-06)


@pytest.mark.parametrize(
    "wrong",
    [
        pytest.param(lambda ring: ring.push(1, 0), id="middle of a chain"),
        pytest.param(lambda ring: ring.push(2, 0), id="never submitted"),
        pytest.param(lambda ring: ring.push(7, 0), id="never laid out"),
        pytest.param(lambda ring: ring.push(8, 0), id="beyond the table"),
        pytest.param(lambda ring: ring.push(0xFFFFFFFF, 0), id="no index at all"),
        pytest.param(lambda ring: ring.push(0x10000, 0), id="right in 16 bits"),
        pytest.param(lambda ring: (ring.push(0, 4), ring.push(0, 4)), id="twice"),
        pytest.param(lambda ring: ring.push(0, 9), id="too long"),
        pytest.param(lambda ring: ring.push(0, 0xFFFFFFFF), id="much too long"),
        pytest.param(lambda ring: ring.jump(3), id="used.idx jumps"),
        pytest.param(lambda ring: ring.jump(0xFFFF), id="used.idx goes back"),
    ],
)
def test_wrong_used_entries_break_the_queue(by_hand, wrong):
    rig, queue, ring = by_hand
    pa = rig.dma.alloc(64).pa
    queue.submit(queue.chain((pa, 16, False), (pa + 16, 8, True)))
    queue.chain((pa, 16, False))
    ring.pop()
    wrong(ring)
    queue.reap()
    assert "queue 0" in rig.dev.error
    with pytest.raises(OSError, match="queue 0") as caught:
        rig.dev.check()
    assert caught.value.errno == errno.EIO
    rig.dev.close()
    assert rig.guards()


def test_the_descriptor_table_is_never_read_back(by_hand):
    rig, queue, ring = by_hand
    pa = rig.dma.alloc(64).pa
    head = queue.chain((pa, 16, False), (pa + 16, 8, True))
    queue.submit(head)
    ring.pop()
    ring.owned.clear()
    rig.board.memory.write(ring.desc, b"\xff" * 16 * SIZE)
    ring.push(head, 8)
    queue.reap()
    assert queue.written[head] == 8
    queue.discard(head)
    assert sorted(queue._free) == [0, 1]


# What the simulated device itself notices


def test_the_device_is_strict(by_hand):
    rig, queue, ring = by_hand
    memory = rig.board.memory
    pa = rig.dma.alloc(64).pa
    memory.set_word(ring.avail + 2, 2, 1)

    def descriptors(*parts):
        for i, (address, n, flags, following) in enumerate(parts):
            memory.write(ring.desc + 16 * i, struct.pack("<QIHH", address, n, flags, following))

    descriptors((pa, 4, 3, 1), (pa, 4, 0, 0))
    rig.breach("Q-02", ring.pop)
    descriptors((pa, 4, 1, 1), (pa, 4, 1, 0))
    rig.breach("Q-04", ring.pop)
    descriptors((pa, 4, 1, 8))
    rig.breach("Q-08", ring.pop)
    descriptors((pa, 16, 4, 0))
    rig.breach("Q-06", ring.pop)
    descriptors(*[(pa, 0xFFFFFFFF, 1, i + 1) for i in range(4)], (pa, 4, 0, 0))
    rig.breach("Q-04", ring.pop)
    descriptors((pa, 4, 0, 0))
    chain = ring.pop()
    descriptors((pa, 5, 0, 0))
    rig.breach("I-08", ring.push, chain.head, 0)
    memory.set_word(ring.avail + 2, 2, 0)
    rig.breach("Q-11", ring.pop)
    memory.set_word(ring.avail + 2, 2, 1)
    memory.set_word(ring.avail, 2, 2)
    rig.breach("Q-13" if ring.event_idx else "Q-12", ring.pop)
    memory.set_word(ring.avail, 2, 0)
    descriptors((0x1000, 4, 0, 0))
    memory.set_word(ring.avail + 2, 2, 2)
    rig.breach("F-09", lambda: ring.pop().read())
