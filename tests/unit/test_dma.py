# SPDX-License-Identifier: MIT
"""modules/virtio/dma.py: the arena."""

import errno
import random
import struct

import pytest


@pytest.fixture
def dma(rig_of):
    return rig_of().dma


@pytest.mark.parametrize("align", [16, 64, 4096, 65536])
def test_alignment(dma, align):
    dma.alloc(24)
    region = dma.alloc(100, align)
    assert region.pa % align == 0
    assert region.va == region.pa
    assert region.size >= 100


def test_a_region_is_zeroed_and_nothing_else(dma, rig_of):
    first = dma.alloc(32)
    before = bytes(dma.arena)
    second = dma.alloc(64)
    after = bytes(dma.arena)
    assert second.load() == bytes(64)
    assert after[: second.at] == before[: second.at]
    assert after[second.at + 64 :] == before[second.at + 64 :]
    first.store(b"\1" * 32)
    dma.free(first)
    assert dma.alloc(32).load() == bytes(32)


def test_store_and_load(dma):
    region = dma.alloc(16)
    region.store(b"abcd", 12)
    assert region.load() == bytes(12) + b"abcd"
    assert region.load(2, 13) == b"bc"
    with pytest.raises(ValueError, match="5 bytes at 12 do not fit a region of 16"):
        region.store(b"abcde", 12)


def test_load_is_a_private_copy(dma):
    region = dma.alloc(16)
    copy = region.load()
    region.store(b"x")
    assert copy == bytes(16)


def test_the_whole_arena_and_no_more(dma):
    everything = dma.available()
    region = dma.alloc(everything)
    assert dma.available() == 0
    with pytest.raises(OSError, match="no block of 16 bytes left, 0 in all") as caught:
        dma.alloc(1)
    assert caught.value.errno == errno.ENOMEM
    dma.free(region)
    assert dma.available() == everything


def test_a_gap_before_an_aligned_region_is_used(dma):
    everything = dma.available()
    small = dma.alloc(16)
    page = dma.alloc(4096, 4096)
    gap = dma.alloc(4096 - 16)
    assert small.at < gap.at < page.at
    for region in (page, small, gap):
        dma.free(region)
    assert dma.available() == everything
    assert dma.alloc(everything).at == 0


def test_regions_never_overlap_and_all_come_back(dma):
    chance = random.Random(25)
    everything = dma.available()
    taken = []
    for _ in range(500):
        if taken and chance.random() < 0.45:
            dma.free(taken.pop(chance.randrange(len(taken))))
        else:
            align = 1 << chance.randrange(4, 13)
            taken.append(dma.alloc(chance.randrange(1, 5000), align))
        ends = sorted((region.at, region.at + region.size) for region in taken)
        assert all(end <= start for (_, end), (start, _) in zip(ends, ends[1:]))
        assert dma.available() == everything - sum(region.size for region in taken)
    for region in taken:
        dma.free(region)
    assert dma._free == [(0, everything)]


def test_addresses_outside_the_arena(dma, rig_of):
    data = bytes(range(64))
    region = dma.alloc(32)
    words = [region.va + 24, region.va, region.va + 8]
    dma.point(words, 1, 2, data, 32, 32)
    start, end, _, untouched = struct.unpack("<QQQQ", region.load())
    assert end - start == 32 and untouched == 0
    assert not 0 <= start - dma._PA < len(dma.arena)
    dma.point(words, 0, 1, data, 0, 0)
    assert struct.unpack("<Q", region.load(8, 24)) == (start - 32,)
    with pytest.raises(ValueError, match="within the buffer"):
        dma.point(words, 0, 2, data, 33, 32)
    with pytest.raises(ValueError, match="within the addresses"):
        dma.point(words, 2, 2, data, 0, 1)


def test_what_comes_back_when_memory_runs_out_is_not_lost(dma):
    class Full(list):
        def append(self, item):
            raise MemoryError

    before = dma.available()
    regions = [dma.alloc(100) for _ in range(5)]
    kept = dma._free
    dma._free = Full(kept)
    for region in regions[:4]:
        dma.free(region)
    dma._free = kept
    dma.free(regions[4])
    assert dma.available() == before
    assert dma._free == [(0, before)]


def test_what_is_not_given_because_memory_runs_out_is_not_lost(dma):
    class Full(list):
        def insert(self, at, item):
            raise MemoryError

    before = dma.available()
    dma.alloc(16)
    kept = list(dma._free)
    dma._free = Full(kept)
    with pytest.raises(MemoryError):
        dma.alloc(64, 4096)
    assert dma._free == kept
    assert dma.available() == before - 16
