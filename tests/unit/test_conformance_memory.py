# SPDX-License-Identifier: MIT
"""Conformance: memory that a driver shares with its device, and when it is whose (2.7, 3.3)."""

import errno

import pytest

import sim
from register_log import OPTIONS
from sim import EVENT_IDX, INDIRECT_DESC, NEVER, VERSION_1
from sim.machine import ARENA
from vsnd_helpers import pattern, refusal, stream

FEATURES = {"flags": 0, "event_idx": EVENT_IDX, "indirect": EVENT_IDX | INDIRECT_DESC}


@pytest.fixture(params=FEATURES)
def rig(request, rig_of):
    return rig_of(features=VERSION_1 | FEATURES[request.param], **OPTIONS)


@pytest.mark.rule("F-09")
def test_device_addresses_are_not_the_processors(rig):
    # As in a Linux process: the device sees memory elsewhere than the processor does.
    there = 0x2_0000_0000
    rig.dma._PA = rig.dma._VA + there
    modules = rig.board.modules()
    addressof, store64 = modules["uctypes"].addressof, modules["virt"].store64

    def point(vas, first, n, buf, at, step):
        for i in range(n):
            store64(vas[first + i], addressof(buf) + at + step * i + there)

    rig.dma.point = point
    rig.device.memory = memory = sim.Memory()
    memory.add_ram(ARENA + there, rig.board.arena)
    card = rig.vsnd.open()
    with card.output(stream=0) as out:
        heap = pattern(out, 8)
        memory.add_ram(addressof(heap) + there, heap, False)
        out.write(heap)
        out.write(heap, False)
    assert stream(rig).played == heap * 2
    with card.input(stream=1) as mic:
        mic.readinto(bytearray(1920 * 6))
    for ring in rig.device.rings.values():
        assert ARENA + there <= ring.desc < ring.avail < ring.used < ARENA + there + (1 << 20)


@pytest.mark.rule("I-08")
def test_a_request_is_not_touched_before_its_answer(rig):
    card = rig.vsnd.open()
    chains = []
    handle = rig.device.handle

    def watched(index, chain):
        chains.append((chain, chain.read()))
        handle(index, chain)

    rig.device.handle = watched
    rig.device.delay = lambda index, head: 3_000_000 if index == 0 else 0
    refusal(errno.ETIMEDOUT, card.output)
    (chain, message), = [each for each in chains if each[0].queue == 0]
    before = rig.board.memory.read(*chain.writable[0])
    # Neither another request nor an answer has a place now.
    for _ in range(3):
        assert "never answered" in refusal(errno.EBUSY, card.refresh)
    rig.clock.run(1_500_000)
    assert (chain.read(), rig.board.memory.read(*chain.writable[0])) == (message, before)
    assert chain.untouched()
    rig.device.delay = lambda index, head: 0
    rig.clock.run(1_500_000)
    card.refresh()
    assert card.output().state == "PREPARED"


@pytest.mark.rule("I-08")
def test_samples_are_not_touched_before_they_come_back(rig):
    # The device compares them when it gives them back, and it gives them back late.
    card = rig.vsnd.open()
    rig.device.delay = lambda index, head: 15_000 * (head % 3) if index >= 2 else 0
    with card.output(stream=0, periods=8) as out:
        data = pattern(out, 40)
        out.write(data)
    with card.input(stream=1, periods=8) as mic:
        mic.readinto(bytearray(1920 * 40))
    assert stream(rig).played == data


def watch_frees(rig):
    """A list of the regions that come back to the arena while the device has a chain in them."""
    wrong, free = [], rig.dma.free

    def watched(region):
        for ring in rig.device.rings.values():
            parts = [(ring.desc, 16 * ring.size), (ring.avail, 6), (ring.used, 6)]
            for chain in ring.owned.values():
                parts += chain.readable + chain.writable
            if any(pa < region.pa + region.size and region.pa < pa + n for pa, n in parts):
                wrong.append(region)
        freed.append(region)
        free(region)

    freed = []
    rig.dma.free = watched
    return wrong, freed


@pytest.mark.rule("I-09")
@pytest.mark.parametrize("silent", ["", "STOP", "RELEASE", "PREPARE"])
def test_memory_is_taken_back_after_a_reset(rig, silent):
    available = rig.dma.available()
    wrong, freed = watch_frees(rig)
    card = rig.vsnd.open()
    out, mic = card.output(), card.input()
    mic.start()
    out.write(bytes(1920 * 4))
    out.start()
    rig.device.serve(3)
    if silent:
        rig.sound.script[silent] = [NEVER] * 3
        rig.sound.flush = lambda pending: []
    for pcm in (out, mic):
        try:
            pcm.abort()
        except OSError as error:
            assert silent and error.errno in (errno.ETIMEDOUT, errno.EBUSY)
    rig.sound.script.clear()
    card.close()
    assert not wrong
    assert len(freed) >= 8  # 4 rings, requests, events, 2 streams
    assert rig.dma.available() == available


@pytest.mark.rule("I-09")
def test_memory_of_a_device_that_is_not_reset_is_never_taken_back(rig):
    card = rig.vsnd.open()
    wrong, freed = watch_frees(rig)
    rig.transport.force["Status"] = lambda status: status or 0xF
    refusal(errno.ETIMEDOUT, card.close)
    assert not freed


@pytest.mark.rule("Q-16")
def test_rings_in_memory_that_was_used(rig):
    # All of the arena was full of something before, and is so again.
    for byte in (0xA5, 0xFF, 0x01):
        rig.board.arena[:] = bytes([byte]) * len(rig.board.arena)
        flags = []
        add_queue = rig.device.add_queue

        def added(index, size, desc, avail, used):
            flags.append(rig.device.memory.word(used, 4))
            add_queue(index, size, desc, avail, used)

        rig.device.add_queue = added
        rig.vsnd.open().close()
        rig.device.add_queue = add_queue
        assert flags == [0] * 4
