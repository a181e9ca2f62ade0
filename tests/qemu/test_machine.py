# SPDX-License-Identifier: MIT
"""The platform: time, machine, os, sys, math, asyncio, the heap. In virtual time."""

import calendar
import math
import re
import time

import pytest

BOOT = calendar.timegm((2000, 1, 1, 0, 0, 0))  # virtboard starts the clock then


def told(board, program, **options):
    """The lines that a program prints; it must end well."""
    result = board.run(program, **options)
    assert result.status == 0
    return result.output.splitlines()


# Time


def test_the_clock_is_utc_since_1970(board):
    program = """
import time
s, ns = time.time(), time.time_ns()
print(s, ns - s * 10**9 < 10**9, time.gmtime(s)[:3], time.localtime(s) == time.gmtime(s))
print(time.gmtime(0)[:6])
"""
    first, second = told(board, program)
    assert first == f"{BOOT} True (2000, 1, 1) True"
    assert second == "(1970, 1, 1, 0, 0, 0)"


@pytest.mark.parametrize("moment", [0, 1, 951782400, 951868799, 1735689599, 4102444800])
def test_gmtime_and_mktime_are_inverse(board, moment):
    program = f"""
import time
print(time.gmtime({moment}))
print(time.mktime(time.gmtime({moment})))
"""
    wanted = time.gmtime(moment)
    assert told(board, program) == [
        str((*wanted[:6], wanted.tm_wday, wanted.tm_yday)),
        str(moment),
    ]


@pytest.mark.parametrize(
    "sleep, us",
    [
        ("time.sleep(0.25)", 250_000),
        ("time.sleep_ms(20)", 20_000),
        ("time.sleep_us(300)", 300),
        ("time.sleep(0)", 0),
        ("machine.lightsleep(30)", 30_000),
    ],
)
def test_sleeping_is_exact(board, sleep, us):
    program = f"""
import machine, time
start = time.ticks_us()
{sleep}
print(time.ticks_diff(time.ticks_us(), start))
"""
    assert us <= int(told(board, program)[0]) < us + 1100


def test_ticks_run_together_and_wrap(board):
    program = """
import time
ms, us = time.ticks_ms(), time.ticks_us()
time.sleep_ms(100)
print(time.ticks_diff(time.ticks_ms(), ms), time.ticks_diff(time.ticks_us(), us) // 1000)
top = time.ticks_add(0, -1)
print(time.ticks_diff(time.ticks_add(top, 5), top), time.ticks_diff(0, top))
"""
    first, second = told(board, program)
    assert all(100 <= int(word) <= 101 for word in first.split())
    assert second == "5 1"


def test_ticks_cpu_counts_instructions(board):
    # A thousand more turns of a loop always cost the same, to the digit.
    program = """
import time
def turns(n):
    start = time.ticks_cpu()
    for _ in range(n): pass
    return time.ticks_diff(time.ticks_cpu(), start)
turns(1)
one, two, three = turns(1000), turns(2000), turns(3000)
print(two - one == three - two, (two - one) / 1000)
"""
    same, each = told(board, program)[0].split()
    assert same == "True"
    assert 10 < float(each) < 1000


def test_a_sleeping_processor_executes_nothing(board):
    program = """
import time
def cost(ms):
    start = time.ticks_cpu()
    time.sleep_ms(ms)
    return time.ticks_diff(time.ticks_cpu(), start)
cost(10)
print(cost(10), cost(10000))
"""
    short, long = map(int, told(board, program)[0].split())
    assert abs(long - short) < 200_000


# machine, os, sys


@pytest.mark.every_board
def test_what_the_board_says_it_is(board, xlen):
    program = f"""
import os, sys
print(sys.platform, sys.implementation.name, sys.implementation._machine)
print(os.uname().sysname, os.uname().machine)
print(os.uname().release, sys.version)
print(sys.maxsize == 2**{xlen - 1} - 1, sys.byteorder)
"""
    lines = told(board, program)
    assert lines[0] == f"riscv micropython QEMU virt with RISC-V rv{xlen}gc"
    assert lines[1] == f"riscv QEMU virt with RISC-V rv{xlen}gc"
    assert re.search(r"^1\.\d+\.\d+ .*MicroPython v1\.", lines[2])
    assert lines[3] == "True little"


def test_memory_by_bytes_and_words(board):
    program = """
import machine, uctypes
buf = bytearray(8)
at = uctypes.addressof(buf)
machine.mem8[at] = 0x11
machine.mem16[at + 2] = 0x2233
machine.mem32[at + 4] = 0x44556677
print(bytes(buf).hex(), hex(machine.mem32[at]), hex(machine.mem16[at + 6]), machine.mem8[at])
print(hex(machine.mem32[0x10001000]))
"""
    assert told(board, program) == ["1100332277665544 0x22330011 0x4455 17", "0x74726976"]


def test_machine_facts(board):
    program = """
import machine
print(machine.freq() > 0, len(machine.unique_id()) > 0, machine.unique_id() == machine.unique_id())
print(machine.reset_cause() == machine.PWRON_RESET)
print(len({machine.PWRON_RESET, machine.HARD_RESET, machine.SOFT_RESET}))
machine.idle()
state = machine.disable_irq()
machine.enable_irq(state)
print('still here')
"""
    assert told(board, program) == ["True True True", "True", "3", "still here"]


def test_the_rom_is_the_working_folder(board):
    program = """
import os
print(os.getcwd(), sorted(os.listdir()), os.listdir('/'))
print(open('a/b.txt').read(), open('/rom/a/b.txt').read())
import mine
print(mine.x)
"""
    lines = told(board, program, files={"a/b.txt": "text", "mine.py": "x = 7"})
    assert lines == ["/rom ['a', 'main.py', 'mine.py'] ['rom']", "text text", "7"]


def test_boot_py_runs_before_main_py(board):
    lines = told(board, "print('main', booted)", files={"boot.py": "booted = 1; print('boot')"})
    assert lines == ["boot", "main 1"]


# The language


def test_math_is_done_in_doubles(board):
    program = """
import math
print(repr(math.pi), repr(math.sqrt(2)), repr(0.1 + 0.2), repr(math.e ** 100))
print(repr(math.sin(1)), repr(math.exp(-1)), repr(math.log(10)), repr(math.gamma(0.5)))
print(1e308 * 10, -0.0, float('nan') == float('nan'), math.isinf(math.inf), 2**100 // 3)
"""
    lines = told(board, program)
    numbers = [math.pi, math.sqrt(2), 0.1 + 0.2, math.e**100]
    assert list(map(float, lines[0].split())) == numbers
    numbers = [math.sin(1), math.exp(-1), math.log(10), math.gamma(0.5)]
    assert list(map(float, lines[1].split())) == pytest.approx(numbers, rel=1e-15, abs=0)
    assert lines[2] == f"inf -0.0 False True {2**100 // 3}"


def test_asyncio_tasks_sleep_side_by_side(board):
    program = """
import asyncio, time
order = []
async def task(name, ms):
    for _ in range(3):
        await asyncio.sleep_ms(ms)
        order.append(name)
async def main():
    start = time.ticks_ms()
    await asyncio.gather(task('a', 100), task('b', 160))
    print(time.ticks_diff(time.ticks_ms(), start))
    try:
        await asyncio.wait_for(task('c', 10000), 0.1)
    except asyncio.TimeoutError:
        print('late')
asyncio.run(main())
print(''.join(order))
"""
    duration, late, order = told(board, program)
    assert 480 <= int(duration) < 500
    assert (late, order) == ("late", "abaabb")


def test_an_idle_asyncio_program_executes_little(board):
    program = """
import asyncio, time
async def main():
    await asyncio.sleep(1)
    start = time.ticks_cpu()
    await asyncio.sleep(10)
    print(time.ticks_diff(time.ticks_cpu(), start))
asyncio.run(main())
"""
    assert int(told(board, program)[0]) < 1_000_000  # ten seconds have 312 million


@pytest.mark.parametrize("memory", [32, 64, 256])
def test_the_heap_takes_what_memory_there_is(board, memory):
    program = f"""
parts = []
try:
    while True: parts.append(bytearray({memory << 20} // 64))
except MemoryError:
    n = len(parts)
    parts = None
    print(n)
"""
    assert 52 <= int(told(board, program, memory=f"{memory}M")[0]) < 64


def test_a_quarter_of_memory_in_one_piece(board):
    program = "b = bytearray(60 << 20); b[-1] = 5; print(len(b) >> 20, b[-1], b[0])"
    assert told(board, program, memory="256M") == ["60 5 0"]


MODULES = "_tone _tone_data asyncio audio machine micropython os struct sys time uctypes"
MODULES += " virt virtio vsnd wave array binascii collections deflate errno gc hashlib heapq io"
MODULES += " json math platform random re select"


def test_help(board):
    lines = told(board, "help(); help('modules')")
    text = "\n".join(lines)
    assert "audio.tone(440, 500)" in text
    assert "CTRL-D" in text
    listed = set(text.replace("/", " ").split())
    assert set(MODULES.split()) <= listed


def test_every_module_can_be_imported(board):
    names = MODULES.replace("_tone ", "").split()  # to import that is to play it
    names += ["vsnd.card", "vsnd.pcm", "vsnd.protocol", "virtio.device", "virtio.dma"]
    names += ["virtio.mmio", "virtio.queue", "audio.player", "audio.tones"]
    program = "".join(f"import {name}\nprint('{name}')\n" for name in names)
    assert told(board, program) == names
