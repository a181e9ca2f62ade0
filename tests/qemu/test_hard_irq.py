# SPDX-License-Identifier: MIT
"""virt.irq() on any source, hard and soft: the board's clock and its alarm are the device."""

import pytest

# The goldfish RTC: TIME_LOW, TIME_HIGH, ALARM_LOW, ALARM_HIGH, IRQ_ENABLED, CLEAR_INTERRUPT.
START = """
import machine, time, virt
from machine import mem32
SOURCE = 11
RTC = 0x101000
def ring(us):
    mem32[RTC + 0x10] = 1
    when = time.time_ns() + us * 1000
    mem32[RTC + 0x0C] = when >> 32
    mem32[RTC + 0x08] = when
def quiet():
    mem32[RTC + 0x1C] = 1
n = 0
"""


def told(board, program, **options):
    """The lines that a program prints; it must end well."""
    result = board.run(START + program, **options)
    assert result.status == 0
    return result.output.splitlines()


@pytest.mark.parametrize("hard", [True, False])
def test_a_handler_runs_once_each_time_its_source_fires(board, hard):
    program = f"""
seen = [0] * 10
def handler(source):
    global n
    quiet()
    seen[n] = source
    n += 1
virt.irq(SOURCE, handler, hard={hard})
for _ in range(5):
    ring(1000)
    time.sleep_ms(3)
virt.irq(SOURCE, None)
ring(1000)
time.sleep_ms(3)
print(n, seen)
"""
    assert told(board, program) == ["5 [11, 11, 11, 11, 11, 0, 0, 0, 0, 0]"]


@pytest.mark.parametrize("hard", [True, False])
def test_a_hard_handler_does_not_wait_for_the_scheduler(board, hard):
    program = f"""
at = 0
def handler(source):
    global at
    quiet()
    at = time.ticks_us()
virt.irq(SOURCE, handler, hard={hard})
with virt.lock:
    ring(1000)
    since = time.ticks_us()
    while time.ticks_diff(time.ticks_us(), since) < 5000: pass
time.sleep_ms(1)
print(time.ticks_diff(at, since))
"""
    us = int(told(board, program)[0])
    assert 900 < us < 1200 if hard else 5000 <= us < 5500


def test_a_hard_handler_runs_during_a_collection(board):
    program = """
import gc
junk = [bytes(20) for _ in range(60000)]
us = [0] * 20
def handler(source):
    global n
    quiet()
    us[n] = time.ticks_us()
    n += 1
virt.irq(SOURCE, handler, hard=True)
start = time.ticks_us()
gc.collect()
print(time.ticks_diff(time.ticks_us(), start))
late = 0
for i in range(20):
    ring(500 * i)
    start = time.ticks_us()
    gc.collect()
    while n == i: pass
    late = max(late, time.ticks_diff(us[i], start) - 500 * i)
print(late, len(junk))
"""
    collection, late = told(board, program)
    assert int(collection) > 10_000
    assert int(late.split()[0]) < 300


def test_wait_sees_a_hard_handler(board):
    program = """
def handler(source): quiet()
virt.irq(SOURCE, handler, hard=True)
since = time.ticks_us()
ring(5000)
print(virt.wait(100), time.ticks_diff(time.ticks_us(), since) // 1000, virt.wait(1))
"""
    assert told(board, program) == ["True 5 False"]


def test_the_handler_with_registers_may_be_hard(board):
    # Interrupt status and acknowledge of a virtio device, here the memory of nothing: the clock's
    # own ALARM_STATUS does not quiet it, so `wanted` decides, and the handler quiets it.
    program = """
import uctypes
regs = bytearray(8)
at = uctypes.addressof(regs)
mem32[at] = 3
seen = [None] * 4
def handler(source, bits):
    global n
    quiet()
    seen[n] = bits
    n += 1
virt.irq(SOURCE, handler, at, at + 4, 1, 1, 0, hard=True)
ring(1000)
time.sleep_ms(3)
print(seen, mem32[at + 4])
"""
    assert told(board, program) == ["[1, None, None, None] 1"]


@pytest.mark.parametrize(
    "hard, body, error",
    [
        (True, "raise ValueError('on purpose')", "ValueError: on purpose"),
        (True, "return [0] * 100", "MemoryError: memory allocation failed, heap is locked"),
        (True, "return handler(source)", "RuntimeError: maximum recursion depth exceeded"),
        (False, "raise ValueError('on purpose')", "ValueError: on purpose"),
    ],
)
def test_a_handler_that_raises_is_told_and_removed(board, hard, body, error):
    program = f"""
def handler(source):
    {body}
virt.irq(SOURCE, handler, hard={hard})
ring(1000)
time.sleep_ms(3)
quiet()
ring(1000)
time.sleep_ms(3)
quiet()
def good(source):
    global n
    n += 1
    quiet()
virt.irq(SOURCE, good, hard={hard})
ring(1000)
time.sleep_ms(3)
print(n, [0] * 3)
"""
    lines = told(board, program)
    assert lines[0] == "interrupt 11: handler removed after"
    assert lines.count(error) == 1
    assert lines[-1] == "1 [0, 0, 0]"


@pytest.mark.parametrize("hard", [True, False])
def test_a_source_that_fires_again_and_again_does_not_hang_the_board(board, hard):
    program = f"""
def handler(source):
    global n
    n += 1
    quiet()
    mem32[RTC + 0x0C] = 0 # an alarm in the past rings at once
    mem32[RTC + 0x08] = 0
virt.irq(SOURCE, handler, hard={hard})
ring(1000)
x = 0
while x < 20_000: x += 1
print(n > 100)
"""
    lines = told(board, program)
    assert lines[-1] == "True"
    said = ["interrupt 11 turned off: it does not become quiet"]
    assert lines[:-1] == (said if hard else [])


def test_a_bad_access_in_a_hard_handler_is_a_crash_with_a_message(board, xlen):
    result = board.run(
        START
        + """
def handler(source): mem32[0x18000000]
virt.irq(SOURCE, handler, hard=True)
ring(1000)
time.sleep_ms(100)
"""
    )
    assert result.status == 134
    lines = result.output.splitlines()
    assert "load access fault (mcause 5)" in lines[-2]
    assert f"address 0x{0x18000000:0{xlen // 4}x}" in lines[-2]
    assert "in an interrupt handler" in lines[-1]


@pytest.mark.parametrize(
    "arguments, error",
    [
        ("0, print", "ValueError: irq: source must be 1..95 and not the console's 10"),
        ("96, print", "ValueError: irq: source must be 1..95 and not the console's 10"),
        ("10, print", "ValueError: irq: source must be 1..95 and not the console's 10"),
        ("11, 5", "TypeError: irq: needs a callable or None, and 2 or 7 arguments"),
        ("11, print, 5", "TypeError: irq: needs a callable or None, and 2 or 7 arguments"),
        ("11, print, soft=True", "TypeError: irq: the only keyword is hard"),
        ("11, print, hard=True, x=1", "TypeError: irq: the only keyword is hard"),
    ],
)
def test_what_irq_refuses(board, arguments, error):
    program = f"""
try:
    virt.irq({arguments})
except Exception as e:
    print(type(e).__name__ + ":", e)
"""
    assert told(board, program) == [error]


def test_a_sound_is_whole_with_hard_interrupts_all_the_time(board):
    program = """
import vsnd
from machine import Timer
ticks = 0
def tick(t):
    global ticks
    ticks += 1
Timer(period=1, callback=tick, hard=True)
with vsnd.open().output() as out:
    out.write(bytes(range(256)) * 750)
print(ticks > 900)
"""
    result = board.run(START + program)
    assert (result.status, result.output) == (0, "True\n")
    assert result.recording.samples.tobytes()[: 256 * 750] == bytes(range(256)) * 750
