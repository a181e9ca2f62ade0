# SPDX-License-Identifier: MIT
"""modules/vblk on a simulated block device."""

import errno
import struct
from unittest import mock

import pytest

from sim import block
from vblk_helpers import pattern, refusal, rig, rig_of  # noqa: F401

# ruff: noqa: F811


def test_what_a_file_system_asks_a_disk(rig):
    disk = rig.vblk.open()
    assert disk.ioctl(4, 0) == 64
    assert disk.ioctl(5, 0) == 512
    assert [disk.ioctl(command, 0) for command in (1, 2, 3, 6)] == [0, 0, 0, 0]
    assert not disk.readonly
    assert disk.sectors == 64
    assert repr(disk) == "<Disk at 0x10007000: 64 blocks of 512 bytes>"


def test_whole_blocks(rig):
    disk = rig.vblk.open()
    data = pattern(1536)
    assert disk.writeblocks(3, data) == 0
    assert rig.device.data == bytes(1536) + data + bytes(64 * 512 - 3072)
    buf = bytearray(1024)
    assert disk.readblocks(4, buf) == 0
    assert buf == data[512:]
    assert rig.device.requests == [(block.OUT, 3, 1536), (block.IN, 4, 1024)]


@pytest.mark.parametrize(("at", "offset", "n"), [
    (2, 0, 100), (2, 8, 44), (2, 500, 12), (2, 500, 13), (2, 500, 524), (0, 1, 2000),
    (2, 512, 512), (2, 1000, 3000), (63, 0, 512), (63, 511, 1),
])
def test_any_bytes_from_an_offset(rig, at, offset, n):
    disk = rig.vblk.open()
    rig.device.data[:] = before = pattern(64 * 512, seed=9)
    buf = bytearray(n)
    disk.readblocks(at, buf, offset)
    where = at * 512 + offset
    assert buf == before[where : where + n]
    data = pattern(n, seed=5)
    disk.readblocks(20, bytearray(8192))  # so that nothing useful is left in the buffer
    disk.writeblocks(at, data, offset)
    assert rig.device.data == before[:where] + data + before[where + n :]


def test_more_than_the_buffer_holds(rig_of):
    rig = rig_of(sectors=256)
    disk = rig.vblk.open()
    data = pattern(100_000)
    disk.writeblocks(1, data, 7)
    assert rig.device.data[519:100_519] == data
    buf = bytearray(100_000)
    disk.readblocks(1, buf, 7)
    assert buf == data
    assert max(n for _, _, n in rig.device.requests) == 16384


def test_size_max_is_kept(rig_of):
    rig = rig_of(features=block.SIZE_MAX | block.BLK_SIZE, size_max=1500)
    disk = rig.vblk.open()
    data = pattern(4096)
    disk.writeblocks(0, data)
    assert rig.device.data[:4096] == data
    assert {n for _, _, n in rig.device.requests} == {1024}


@pytest.mark.parametrize("size_max", [0, 511])
def test_a_size_max_that_is_no_block(rig_of, size_max):
    rig = rig_of(features=block.SIZE_MAX, size_max=size_max)
    free = rig.virtio.dma.available()
    assert "size_max" in refusal(errno.EIO, rig.vblk.open)
    assert rig.virtio.dma.available() == free
    assert rig.transport.status == 0


def test_larger_blocks_of_the_device(rig_of):
    rig = rig_of(blk_size=4096)
    disk = rig.vblk.open()
    assert (disk.ioctl(4, 0), disk.ioctl(5, 0)) == (8, 4096)
    rig.device.data[:] = before = pattern(64 * 512)
    disk.writeblocks(1, b"abc", 5000)
    assert rig.device.data == before[:9096] + b"abc" + before[9099:]


@pytest.mark.parametrize("blk_size", [0, 1, 511, 768, 32768])
def test_a_block_size_that_cannot_be(rig_of, blk_size):
    rig = rig_of(blk_size=blk_size)
    assert f"blk_size is {blk_size}" in refusal(errno.EIO, rig.vblk.open)


def test_blk_size_means_nothing_without_its_feature(rig_of):
    rig = rig_of(features=block.FLUSH, blk_size=77)
    assert rig.vblk.open().block_size == 512


def test_a_block_size_of_ones_own(rig):
    disk = rig.vblk.open(block_size=4096)
    assert (disk.ioctl(4, 0), disk.ioctl(5, 0)) == (8, 4096)
    disk.writeblocks(2, pattern(4096))
    assert rig.device.data[8192:12288] == pattern(4096)
    disk.close()
    with pytest.raises(ValueError, match="not a multiple of 512"):
        rig.vblk.open(block_size=700)


def test_a_flush(rig):
    disk = rig.vblk.open()
    disk.writeblocks(0, pattern(512))
    assert rig.device.flushed == bytes(64 * 512)
    assert disk.ioctl(3, 0) == 0
    assert rig.device.flushed == rig.device.data
    assert rig.device.requests[-1] == (block.FLUSH_CACHE, 0, 0)


def test_without_the_feature_there_is_no_flush(rig_of):
    rig = rig_of(features=block.BLK_SIZE)
    disk = rig.vblk.open()
    disk.sync()
    assert rig.device.requests == []


def test_a_read_only_disk(rig_of):
    rig = rig_of(features=block.RO | block.BLK_SIZE | block.FLUSH)
    disk = rig.vblk.open()
    assert disk.readonly and "read-only" in repr(disk)
    assert "read-only" in refusal(errno.EROFS, disk.writeblocks, 0, bytes(512))
    disk.sync()
    disk.readblocks(0, bytearray(512))
    assert rig.device.requests == [(block.IN, 0, 512)]


@pytest.mark.parametrize(("at", "n", "offset"), [
    (64, 1, 0), (63, 513, 0), (63, 2, 511), (-1, 1, 0), (0, 1, -1), (1 << 40, 512, 0),
])
def test_what_lies_beyond_the_disk(rig, at, n, offset):
    disk = rig.vblk.open()
    assert "do not lie on it" in refusal(errno.EIO, disk.readblocks, at, bytearray(n), offset)
    assert "do not lie on it" in refusal(errno.EIO, disk.writeblocks, at, bytes(n), offset)
    assert rig.device.requests == []


def test_no_disk(rig_of):
    rig = rig_of()
    rig.board.put(6)
    assert "no virtio block device" in refusal(errno.ENODEV, rig.vblk.open)
    assert "at 0x10007000" in refusal(errno.ENODEV, rig.vblk.open, 0x10007000)


def test_the_disk_at_an_address(rig):
    assert rig.vblk.open(rig.base).sectors == 64
    assert "0x1000" in refusal(errno.ENODEV, rig.vblk.open, 0x1000)


def test_nothing_is_left_behind(rig):
    free = rig.virtio.dma.available()
    disk = rig.vblk.open()
    disk.readblocks(0, bytearray(2000))
    disk.close()
    assert rig.virtio.dma.available() == free
    assert "is closed" in refusal(errno.EIO, disk.readblocks, 0, bytearray(512))
    assert rig.vblk.open().writeblocks(0, bytes(512)) == 0


def test_refused_features(rig):
    free = rig.virtio.dma.available()
    rig.device.refuse_features = True
    refusal(errno.EOPNOTSUPP, rig.vblk.open)
    assert rig.virtio.dma.available() == free


def test_requests_allocate_no_descriptors(rig):
    disk = rig.vblk.open()
    last = {}
    for n in range(1000):
        last[n % 64] = bytes([n % 256]) * 512
        disk.writeblocks(n % 64, last[n % 64])
    assert rig.device.data == b"".join(last[sector] for sector in range(64))
    assert len(disk.queues[0]._chains) == 3


# What goes on a disk


def superblock(size):
    """The first block of littlefs 2, as far as anybody looks at it."""
    return struct.pack("<II8sIIII", 1, 0xF0, b"littlefs", 0, 0x20001, size, 8)


def test_a_new_disk_gets_fat(rig):
    disk = rig.vblk.mount("/disk")
    files = rig.files
    assert files.method_calls == [
        mock.call.VfsFat.mkfs(disk), mock.call.mount(disk, "/disk", readonly=False),
    ]
    assert rig.vblk.sys.path == ["/disk/lib"]
    rig.vblk.os.chdir.assert_called_once_with("/disk")


def test_what_is_on_a_disk_stays(rig):
    rig.device.data[1023] = 1
    disk = rig.vblk.mount("/disk")
    assert rig.files.method_calls == [mock.call.mount(disk, "/disk", readonly=False)]


def test_a_read_only_disk_is_mounted_so(rig_of):
    rig = rig_of(features=block.RO)
    disk = rig.vblk.mount("/disk")
    assert rig.files.method_calls == [mock.call.mount(disk, "/disk", readonly=True)]


def test_littlefs_has_blocks_of_its_own(rig):
    rig.device.data[:40] = superblock(4096) + bytes(8)
    disk = rig.vblk.mount("/disk")
    assert disk.block_size == 4096
    assert rig.files.method_calls == [mock.call.mount(disk, "/disk", readonly=False)]


@pytest.mark.parametrize("size", [0, 100, 513, 0xFFFFFFFF])
def test_a_littlefs_of_impossible_blocks(rig, size):
    rig.device.data[:32] = superblock(size)
    with pytest.raises((ValueError, OSError)):
        rig.vblk.mount("/disk")
    assert rig.files.method_calls == []
