# SPDX-License-Identifier: MIT
"""What a processor with 32 bits could do otherwise: the same bytes, addresses above 2**31, times
that need more than 32 bits.

The other tests with the marker `every_board` run on both boards too, and the whole level with
BOARD=qemu_virt32.
"""

import os

import pytest
from virtboard.pytest_plugin import Board
from virtboard.qemu import BOARDS, build_folder, xlen

# Frames that are found nowhere but at their own place, in pieces of any length, with and without
# a copy, and a pause in the middle.
MIXED = """
import random, vsnd
random.seed(5)
data = b"".join(random.getrandbits(24).to_bytes(4, "little") for _ in range(20000))
with vsnd.open().output() as out:
    at = 0
    for n in range(0, 200, 7):
        at += out.write(memoryview(data)[at : at + 4 * n], n % 2)
    out.pause()
    out.resume()
    out.write(memoryview(data)[at:])
"""


@pytest.mark.parametrize("program", [None, MIXED], ids=["tone", "mixed"])
def test_both_boards_leave_the_same_bytes(request, tmp_path, program):
    if os.environ.get("BOARD") or request.config.getoption("--firmware"):
        pytest.skip("one board was named, and this takes two")
    files = [build_folder(name) / "firmware.elf" for name in BOARDS]
    assert [xlen(file) for file in files] == [64, 32]
    wide, narrow = [Board(file, tmp_path / str(xlen(file))).run(program) for file in files]
    assert (wide.status, narrow.status) == (0, 0)
    assert wide.recording.frames > 10000
    assert wide.wav.read_bytes() == narrow.wav.read_bytes()
    assert wide.output == narrow.output


@pytest.mark.every_board
def test_words_and_addresses_that_are_no_small_ints(board):
    program = """
import uctypes, virt
arena = virt.arena()
a = uctypes.addressof(arena)
print(a >> 31)
virt.store64(a, 2**64 - 1, 0x123456789ABCDEF0, 5, -2)
print(bytes(arena[:32]).hex())
print(virt.store16(a + 6, 0x8001), virt.load16(a + 6), arena[6:8] == b"\\x01\\x80")
print(virt.store16(a, 7, 6), virt.load16(a, 6), virt.load32(a), virt.load32(a, 8))
with virt.lock:
    print(virt.wait16(a + 6, 7, 1), virt.wait16(a + 6, 1, 1000))
"""
    result = board.run(program)
    assert result.status == 0
    assert result.output.splitlines() == [
        "1",
        "ff" * 8 + "f0debc9a78563412" + "0500000000000000" + "fe" + "ff" * 7,
        "65535 32769 True",
        "32769 7 4294967295 2596069104",
        "0 6",
    ]


@pytest.mark.every_board
def test_times_of_more_than_32_bits(board):
    # 500 s are more than 2**32 ticks of the clock, and 2**32 us are 4295 s.
    program = """
import time, virt
clock, us = time.time(), time.ticks_us()
for wait, n in (time.sleep, 500), (time.sleep_us, 500_000_000), (virt.wait, 500_000):
    start = time.ticks_ms()
    wait(n)
    print(0 <= time.ticks_diff(time.ticks_ms(), start) - 500_000 < 5)
time.sleep(4000)
print(time.time() - clock)
start = time.ticks_us()
time.sleep_ms(3)
print(3000 <= time.ticks_diff(time.ticks_us(), start) < 4000)
"""
    result = board.run(program)
    assert result.status == 0
    assert result.output.split() == ["True", "True", "True", "5500", "True"]


@pytest.mark.every_board
@pytest.mark.parametrize("memory, heap", [("16M", 9), ("2G", 200)])
def test_little_memory_and_as_much_as_32_bits_reach(board, memory, heap):
    # 2 GiB from 0x80000000 on end at 2**32.
    result = board.run(f"b = bytearray({heap << 20}); print(len(b))", memory=memory)
    assert (result.status, result.output) == (0, f"{heap << 20}\n")
