# SPDX-License-Identifier: MIT
"""os.urandom, module random, and the host's random numbers by virtio-rng. In virtual time."""

import ast

import pytest

RNG = ["-device", "virtio-rng-device"]


def told(board, program, **options):
    """The lines that a program prints; it must end well."""
    result = board.run(program, **options)
    assert result.status == 0
    return result.output.splitlines()


def seeded(seed, *more):
    """Options for a run in virtual time with this seed of QEMU's random numbers."""
    clock = ["-icount", "shift=5,sleep=off", "-rtc", "base=2000-01-01,clock=vm"]
    return {"icount": False, "extra": [*clock, "-seed", str(seed), *more]}


def test_bytes_of_every_length(board):
    program = "import os\nfor n in 0, 1, 31, 32, 33, 1000: print(os.urandom(n))"
    parts = [ast.literal_eval(line) for line in told(board, program)]
    assert [len(part) for part in parts] == [0, 1, 31, 32, 33, 1000]
    assert len({part[:31] for part in parts[2:]}) == 4


def test_no_byte_is_more_frequent_than_another(board):
    program = """
import os
counts = [0] * 256
for _ in range(64):
    for byte in os.urandom(1024): counts[byte] += 1
print(*counts)
"""
    counts = list(map(int, told(board, program)[0].split()))
    assert sum(counts) == 65536
    # 256 on average; five standard deviations of 16.
    assert all(abs(count - 256) < 80 for count in counts)
    # Chi-squared with 255 degrees of freedom: about 255, standard deviation 23.
    assert 150 < sum((count - 256) ** 2 / 256 for count in counts) < 370


PRINT = "import os, random; print(os.urandom(16), random.getrandbits(32), random.random())"


@pytest.mark.parametrize("device", [[], RNG])
def test_a_run_in_virtual_time_repeats_and_another_seed_does_not(board, device):
    first = told(board, PRINT, **seeded(5, *device))
    assert told(board, PRINT, **seeded(5, *device)) == first
    assert told(board, PRINT, **seeded(6, *device)) != first


def test_the_device_takes_part(board):
    assert told(board, PRINT, **seeded(5)) != told(board, PRINT, **seeded(5, *RNG))


def test_in_real_time_no_two_boots_are_alike(board):
    assert told(board, PRINT, icount=False) != told(board, PRINT, icount=False)


def test_random_repeats_with_a_seed_only(board):
    program = """
import random
a = random.getrandbits(32)
random.seed(5); b = random.getrandbits(32)
random.seed(); c = random.getrandbits(32)
random.seed(5); print(b == random.getrandbits(32), len({a, b, c}))
"""
    assert told(board, program) == ["True 3"]


def test_a_negative_number_of_bytes(board):
    program = "import os\ntry: os.urandom(-1)\nexcept ValueError as e: print(e)"
    assert told(board, program) == ["urandom: the number of bytes must be 0 or more"]


def test_seeding_leaves_the_device_and_the_arena_as_they_were(board):
    program = """
import machine, virt
from virtio import dma
before = dma.available()
import os
os.urandom(4)
status = machine.mem32[virt.VIRTIO_BASE + 6 * virt.VIRTIO_STRIDE + 0x70]
print(dma.available() == before, status)
"""
    assert told(board, program, extra=RNG) == ["True 0"]


def test_the_sound_is_the_same_with_a_random_device(board, tone):
    result = board.run(extra=RNG)
    assert result.status == 0
    assert result.recording.first_difference(tone) is None


def test_vrng(board):
    program = """
import os, vrng
from virtio import dma
before = dma.available()
with vrng.open() as rng:
    parts = [rng.read(n) for n in (0, 1, 64, 65, 1000, 1000)]
    os.urandom(1)
    again = rng.read(64)
print([len(p) for p in parts], len(set(parts)), again not in parts)
print(dma.available() == before)
rng.close()
try:
    rng.read(1)
except OSError as e:
    print(e)
"""
    assert told(board, program, extra=RNG) == [
        "[0, 1, 64, 65, 1000, 1000] 6 True",
        "True",
        "[Errno 5] EIO: device at 0x10007000 is closed",
    ]


def test_vrng_without_a_device(board):
    program = "import vrng\ntry: vrng.open()\nexcept OSError as e: print(e)"
    assert told(board, program) == [
        "[Errno 19] ENODEV: no entropy device: start QEMU with -device virtio-rng-device"
    ]


def test_a_device_that_sends_nothing_is_an_error_in_time(board):
    # One byte in eleven days.
    slow = ["-device", "virtio-rng-device,max-bytes=1,period=1000000000"]
    program = """
import os
from virtio import dma
before = dma.available()
for _ in range(2):
    try:
        os.urandom(8)
    except OSError as e:
        print(e, dma.available() == before)
"""
    line = "[Errno 110] ETIMEDOUT: entropy device at 0x10007000 sends nothing True"
    assert told(board, program, extra=slow) == [line, line]
