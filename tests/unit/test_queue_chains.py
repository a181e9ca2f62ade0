# SPDX-License-Identifier: MIT
"""Chains that are laid out many at a time, for the slots of a stream."""

import errno
import struct

import pytest

import sim

SIZE = 16
HIGH = 0x1_FFFF_F000  # addresses that need more than 32 bits, and pass a multiple of 2**32


@pytest.fixture(params=["direct", "indirect"])
def by_hand(request, rig_of):
    """A device that serves nothing by itself: (driver's queue, bytes of its rings and tables)."""
    indirect = sim.INDIRECT_DESC if request.param == "indirect" else 0
    rig = rig_of(features=sim.VERSION_1 | indirect)
    rig.device.serve = lambda index: None
    queue = rig.virtio.Device(rig.mmio.MMIO(rig.base, 8), 0, (SIZE,)).queues[0]
    return queue, lambda: rig.board.memory.read(queue.region.pa, queue.region.size)


def described(queue, memory, head):
    """The descriptors of a chain as (address, length, flags), as the device finds them."""
    address, length, flags, following = struct.unpack_from("<QIHH", memory, 16 * head)
    if flags == 4:
        assert queue.indirect and following == 0
        memory = memory[address - queue.region.pa :][:length]
        address, length, flags, following = struct.unpack_from("<QIHH", memory)
    found = [(address, length, flags)]
    while flags & 1:
        address, length, flags, following = struct.unpack_from("<QIHH", memory, 16 * following)
        found.append((address, length, flags))
    assert following == 0
    return found


def test_each_chain_lies_a_step_further(by_hand):
    queue, memory = by_hand
    parts = ((0x8800_0000, 4, False), (HIGH, 0x1000, False), (0x8800_2000, 8, True))
    heads = queue.chains(4, (0, 0x1000, 8), *parts)
    assert len(set(heads)) == 4
    for i, head in enumerate(heads):
        assert described(queue, memory(), head) == [
            (0x8800_0000, 4, 1), (HIGH + 0x1000 * i, 0x1000, 1), (0x8800_2000 + 8 * i, 8, 2)
        ]
        assert queue.pointer_va(head, 1) == queue.pointer_va(head, 0) + 16
        address = struct.unpack_from("<Q", memory(), queue.pointer_va(head, 1) - queue.region.va)
        assert address == (HIGH + 0x1000 * i,)


def test_repoint_and_resize_reach_the_part(by_hand):
    queue, memory = by_hand
    first, second = queue.chains(2, (0, 16), (0x8800_0000, 4, False), (0x8800_2000, 4, True))
    queue.repoint(second, 1, HIGH)
    queue.resize(second, 20, 600)
    assert described(queue, memory(), first) == [(0x8800_0000, 4, 1), (0x8800_2000, 4, 2)]
    assert described(queue, memory(), second) == [(0x8800_0000, 20, 1), (HIGH, 600, 2)]


def test_descriptors_of_old_chains_and_new_ones_together(by_hand):
    queue, memory = by_hand
    part = (0x8800_0000, 16, False)
    heads = queue.chains(15, (0,), part)
    for head in heads[2:12]:
        queue.discard(head)
    heads = queue.chains(11, (256,), part)  # ten that were in a chain, and the sixteenth
    assert sorted(heads) == [*range(2, 12), 15]
    for i, head in enumerate(heads):
        assert described(queue, memory(), head) == [(0x8800_0000 + 256 * i, 16, 0)]


def test_too_many_take_none(by_hand):
    queue, _ = by_hand
    part = (0x8800_0000, 16, False)
    one = queue.chain(part)
    with pytest.raises(OSError, match="16 descriptors, and no 16 of them free") as caught:
        queue.chains(16, (0,), part)
    assert caught.value.errno == errno.ENOSPC
    queue.discard(one)
    assert sorted(queue.chains(16, (0,), part)) == list(range(16))
