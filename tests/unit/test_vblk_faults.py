# SPDX-License-Identifier: MIT
"""modules/vblk on a device that fails, does not answer, or is wrong."""

import errno

import pytest

from sim import block
from vblk_helpers import pattern, refusal, rig, rig_of  # noqa: F401

# ruff: noqa: F811


def ways(disk):
    """Each kind of request, as a call."""
    return {
        block.IN: lambda: disk.readblocks(3, bytearray(512)),
        block.OUT: lambda: disk.writeblocks(3, pattern(512)),
        block.FLUSH_CACHE: disk.sync,
    }


KINDS = (block.IN, block.OUT, block.FLUSH_CACHE)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(("status", "text"), [
    (block.IOERR, "I/O error"), (block.UNSUPP, "not supported"), (7, "I/O error"),
    (0xFF, "no status"),
])
def test_a_request_that_fails(rig, kind, status, text):
    disk = rig.vblk.open()
    call = ways(disk)[kind]
    rig.device.status = lambda kind, sector: status
    assert text in refusal(errno.EIO, call)
    rig.device.status = lambda kind, sector: block.OK
    call()


@pytest.mark.parametrize("kind", KINDS)
def test_an_answer_that_is_not_written(rig, kind):
    disk = rig.vblk.open()
    ways(disk)[kind]()
    rig.device.put = lambda chain, answer: len(answer)
    assert "no status" in refusal(errno.EIO, ways(disk)[kind])


def test_a_failed_read_leaves_the_buffer(rig):
    disk = rig.vblk.open()
    rig.device.status = lambda kind, sector: block.IOERR
    buf = bytearray(b"as it was" * 100)
    assert "sector 4" in refusal(errno.EIO, disk.readblocks, 4, buf)
    assert buf == b"as it was" * 100


@pytest.mark.parametrize("kind", KINDS)
def test_no_answer_has_an_end(rig, kind):
    disk = rig.vblk.open()
    rig.device.us = None
    before = rig.board.clock.now
    assert "no answer in 10 s" in refusal(errno.ETIMEDOUT, ways(disk)[kind])
    assert 10_000_000 <= rig.board.clock.now - before < 10_500_000
    before = rig.board.clock.now
    refusal(errno.EIO, ways(disk)[kind])
    assert rig.board.clock.now == before, "a device that failed was asked again"
    rig.device.us = 50
    disk.close()
    ways(rig.vblk.open())[kind]()


def test_a_slow_answer_is_no_failure(rig):
    disk = rig.vblk.open()
    rig.device.us = 9_000_000
    rig.device.data[:512] = pattern(512)
    buf = bytearray(512)
    disk.readblocks(0, buf)
    assert buf == pattern(512)


def test_an_answer_that_comes_after_all(rig):
    disk = rig.vblk.open()
    rig.device.us = 11_000_000
    refusal(errno.ETIMEDOUT, disk.readblocks, 0, bytearray(512))
    rig.board.clock.run(5_000_000)
    buf = bytearray(512)
    refusal(errno.EIO, disk.readblocks, 1, buf)
    assert buf == bytes(512)


def test_lost_interrupts_only_cost_time(rig):
    disk = rig.vblk.open()
    rig.transport.raised = lambda level: None
    for sector in range(5):
        disk.writeblocks(sector, pattern(512, sector))
    assert rig.device.data[: 5 * 512] == b"".join(pattern(512, n) for n in range(5))
    assert rig.board.clock.now < 1_000_000


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("length", [0, 2, 512, 514, 16386, 0xFFFFFFFF])
def test_a_wrong_used_length(rig, kind, length):
    disk = rig.vblk.open()
    rig.device.writes = lambda head, n: [(head, length)]
    refusal(errno.EIO, ways(disk)[kind])


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("head", [1, 7, 8, 100, 0xFFFF, 0xFFFFFFFF])
def test_another_chain_comes_back(rig, kind, head):
    disk = rig.vblk.open()
    rig.device.writes = lambda mine, n: [(head + mine & 0xFFFFFFFF, n)]
    assert "not its" in refusal(errno.EIO, ways(disk)[kind])
    rig.device.writes = lambda mine, n: [(mine, n)]
    refusal(errno.EIO, ways(disk)[kind])
    disk.close()
    ways(rig.vblk.open())[kind]()


def test_a_chain_comes_back_twice(rig):
    disk = rig.vblk.open()
    rig.device.writes = lambda head, n: [(head, n)] * 2
    refusal(errno.EIO, disk.readblocks, 0, bytearray(512))


@pytest.mark.parametrize("head", [0, 3])
def test_a_chain_comes_back_unasked(rig, head):
    disk = rig.vblk.open()
    disk.readblocks(0, bytearray(512))
    rig.device.ring.push(head, 513)
    assert "more chains than it has: 1 of 0" in refusal(
        errno.EIO, disk.readblocks, 1, bytearray(512)
    )
    assert len(rig.device.requests) == 1, "a device that broke the rules was asked again"


def test_a_device_that_needs_a_reset(rig):
    disk = rig.vblk.open()
    rig.device.us = None
    rig.board.clock.at(rig.board.clock.now + 1000, rig.transport.need_reset)
    assert "needs a reset" in refusal(errno.EIO, disk.readblocks, 0, bytearray(512))
    assert rig.board.clock.now < 1_000_000
    disk.close()
    rig.device.us = 50
    assert rig.vblk.open().readblocks(0, bytearray(512)) == 0


def test_a_soft_reset_quiets_the_disk(rig):
    rig.vblk.open()
    assert rig.device.live
    rig.board.soft_reset()
    assert rig.transport.status == 0 and not rig.device.live


def test_too_short_a_queue(rig_of):
    rig = rig_of(queue_max=4)
    free = rig.virtio.dma.available()
    refusal(errno.ENOSPC, rig.vblk.open)
    assert rig.virtio.dma.available() == free
    assert rig.transport.status == 0


def test_no_queue(rig_of):
    rig = rig_of(queue_max=0)
    free = rig.virtio.dma.available()
    refusal(errno.ENODEV, rig.vblk.open)
    assert rig.virtio.dma.available() == free


@pytest.mark.parametrize("sectors", [0, 1])
def test_a_disk_too_small_for_anything(rig_of, sectors):
    rig = rig_of(sectors=sectors)
    assert "do not lie on it" in refusal(errno.EIO, rig.vblk.mount, "/disk")
    assert rig.transport.status == 0, "the disk was not closed"
