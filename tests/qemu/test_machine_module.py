# SPDX-License-Identifier: MIT
"""module machine: the clock, resets and sleep, memory, and what is not there. In virtual time."""

import calendar
import datetime

import pytest


def told(board, program, **options):
    """The lines that a program prints; it must end well."""
    result = board.run("import machine, time\n" + program, **options)
    assert result.status == 0
    return result.output.splitlines()


def error_of(board, statement):
    """What a statement raises, on one line."""
    program = f"try:\n    {statement}\nexcept Exception as e: print(type(e).__name__ + ':', e)"
    (line,) = told(board, program)
    return line


# RTC


def test_the_clock_begins_with_the_hosts_time(board):
    assert told(board, "print(machine.RTC().datetime()[:7], machine.RTC() is machine.RTC())") == [
        "(2000, 1, 1, 5, 0, 0, 0) True"
    ]


@pytest.mark.parametrize(
    "moment",
    [(1970, 1, 1, 0, 0, 0), (2024, 2, 29, 23, 59, 59), (2038, 1, 19, 3, 14, 8)]
    + [(1999, 12, 31, 12, 30, 45), (2099, 12, 31, 23, 59, 58)],
)
def test_the_clock_can_be_set_and_time_follows(board, moment):
    year, month, day, *hms = moment
    weekday = datetime.date(*moment[:3]).weekday()
    program = f"""
rtc = machine.RTC()
rtc.datetime(({year}, {month}, {day}, 0, {", ".join(map(str, hms))}, 123456))
*fields, us = rtc.datetime()
print(fields, 123456 <= us < 125000)
print(time.time(), time.gmtime()[:7], time.localtime()[:6], time.mktime(time.gmtime()))
print(time.time_ns() // 10000000)
time.sleep_ms(1900)
print(time.time())
"""
    seconds = calendar.timegm(moment)
    assert told(board, program) == [
        f"{[year, month, day, weekday, *hms]} True",
        f"{seconds} {(*moment, weekday)} {moment} {seconds}",
        str(seconds * 100 + 12),
        str(seconds + 2),
    ]


def test_ticks_do_not_follow_the_clock(board):
    program = """
start = time.ticks_ms()
machine.RTC().datetime((2050, 1, 1, 0, 0, 0, 0, 0))
print(time.ticks_diff(time.ticks_ms(), start) < 5)
"""
    assert told(board, program) == ["True"]


@pytest.mark.parametrize(
    "fields, error",
    [
        ("2025, 2, 29, 0, 0, 0, 0, 0", "ValueError: RTC: day must be 1..28"),
        ("2025, 13, 1, 0, 0, 0, 0, 0", "ValueError: RTC: month must be 1..12"),
        ("1969, 12, 31, 0, 0, 0, 0, 0", "ValueError: RTC: year must be 1970..2099"),
        ("2025, 1, 1, 0, 24, 0, 0, 0", "ValueError: RTC: hours must be 0..23"),
        ("2025, 1, 1, 0, 0, 60, 0, 0", "ValueError: RTC: minutes must be 0..59"),
        ("2025, 1, 1, 0, 0, 0, 60, 0", "ValueError: RTC: seconds must be 0..59"),
        ("2025, 1, 1, 0, 0, 0, 0, 1000000", "ValueError: RTC: microseconds must be 0..999999"),
        ("2025, 1, 1", "ValueError: requested length 8 but object has length 3"),
    ],
)
def test_what_the_clock_refuses(board, fields, error):
    assert error_of(board, f"machine.RTC().datetime(({fields}))") == error


# Resets and sleep


def test_each_kind_of_reset_has_its_cause(board):
    program = """
cause = machine.reset_cause()
names = "PWRON_RESET", "HARD_RESET", "WDT_RESET", "DEEPSLEEP_RESET", "SOFT_RESET"
print(*(name for name in names if getattr(machine, name) == cause), machine.RTC().datetime()[0])
if cause == machine.PWRON_RESET:
    machine.RTC().datetime((2030, 1, 1, 0, 0, 0, 0, 0))
    machine.reset()
elif cause == machine.HARD_RESET:
    machine.deepsleep(20)
"""
    # The clock goes on through all of them.
    assert told(board, program) == ["PWRON_RESET 2000", "HARD_RESET 2030", "DEEPSLEEP_RESET 2030"]


def test_a_reset_after_a_deepsleep_is_a_reset(board):
    program = """
if machine.reset_cause() == machine.PWRON_RESET: machine.deepsleep(1)
if machine.reset_cause() == machine.DEEPSLEEP_RESET: machine.reset()
print(machine.reset_cause() == machine.HARD_RESET)
"""
    assert told(board, program) == ["True"]


def test_a_reset_in_a_hard_handler(board):
    program = """
if machine.reset_cause() == machine.PWRON_RESET:
    machine.Timer(period=10, callback=lambda t: machine.reset(), hard=True)
    while True: pass
print(machine.reset_cause() == machine.HARD_RESET)
"""
    assert told(board, program) == ["True"]


@pytest.mark.parametrize("ms", [30, 0, -1])
@pytest.mark.parametrize("call", ["machine.lightsleep({})", "time.sleep_ms({})"])
def test_how_long_a_sleep_is(board, call, ms):
    program = f"""
start = time.ticks_us()
{call.format(ms)}
print(time.ticks_diff(time.ticks_us(), start))
"""
    us = int(told(board, program)[0])
    assert max(ms, 0) * 1000 <= us < max(ms, 0) * 1000 + 1100


def test_lightsleep_without_a_limit_ends_with_an_interrupt(board):
    program = """
machine.Timer(mode=machine.Timer.ONE_SHOT, period=50, callback=lambda t: None)
start = time.ticks_us()
machine.lightsleep()
print(time.ticks_diff(time.ticks_us(), start) // 1000)
"""
    assert told(board, program) in (["49"], ["50"])


# Interrupts


def test_disabled_interrupts_nest_and_wait(board):
    program = """
n = 0
def tick(t):
    global n
    n += 1
machine.Timer(period=1, callback=tick, hard=True)
outer = machine.disable_irq()
inner = machine.disable_irq()
for _ in range(2000): pass
machine.enable_irq(inner)
for _ in range(2000): pass
time.sleep_ms(5)
print(n)
machine.enable_irq(outer)
print(n)
"""
    # Sleeping does not enable them either.
    assert told(board, program) == ["0", "1"]


def test_enable_irq_touches_nothing_else(board):
    # mstatus.MPRV: each load and store would be one of a mode that may not do any here.
    assert told(board, "machine.enable_irq(1 << 17); print(2.5 * 2)") == ["5.0"]


# Memory


def test_memory_above_two_gigabytes(board):
    program = """
import uctypes
buf = bytearray(16)
at = (uctypes.addressof(buf) + 7) & ~7
print(at > 1 << 31)
machine.mem32[at] = 0xFEDCBA98
machine.mem16[at + 4] = 0xFFFE
machine.mem8[at + 6] = 0xFD
print(machine.mem32[at] & 0xFFFFFFFF, machine.mem16[at + 4], machine.mem8[at + 6])
machine.mem32[at] = -2
machine.mem16[at + 4] = 1 << 40 | 5
print(hex(machine.mem32[at] & 0xFFFFFFFF), machine.mem16[at + 4])
"""
    assert told(board, program) == ["True", "4275878552 65534 253", "0xfffffffe 5"]


# Where nothing is, by word size.
NOWHERE = {
    64: [0x1_8000_0000, 0x8000_0000_8000_0000, 0xFFFF_FFFF_FFFF_FFF0],
    32: [0x1800_0000, 0xC000_0000, 0xFFFF_FFF0],
}


@pytest.mark.parametrize("which", range(3))
@pytest.mark.parametrize("access", ["machine.mem{}[{}]", "machine.mem{}[{}] = 1"])
@pytest.mark.parametrize("bits", [8, 16, 32])
def test_no_bit_of_an_address_is_lost(board, xlen, access, bits, which):
    address = NOWHERE[xlen][which]
    result = board.run("import machine\n" + access.format(bits, hex(address)))
    assert result.status == 134
    assert f"access fault (mcause {7 if '=' in access else 5})" in result.output
    assert f"address 0x{address:0{xlen // 4}x}\n" in result.output


@pytest.mark.parametrize(
    "access, error",
    [
        ("mem32[0x80000002]", "ValueError: address 0x80000002 is not a multiple of 4"),
        ("mem16[0xC0000001]", "ValueError: address 0xc0000001 is not a multiple of 2"),
        ("mem32[1 << 64]", "OverflowError: overflow converting long int to machine word"),
        ("mem8[None]", "TypeError: can't convert NoneType to int"),
    ],
)
def test_addresses_that_are_none(board, access, error):
    assert error_of(board, f"machine.{access}") == error


# What the board is


def test_the_unique_id_is_what_qemu_was_given(board):
    uuid = "01234567-89ab-cdef-0123-456789abcdef"
    program = "print(machine.unique_id().hex())"
    assert told(board, program) == ["0" * 32]
    assert told(board, program, extra=["-uuid", uuid]) == [uuid.replace("-", "")]


def test_the_frequency_is_that_of_the_only_clock(board):
    assert told(board, "print(machine.freq())") == ["10000000"]
    error = "ValueError: freq: the clock of a virtual machine cannot be set"
    assert error_of(board, "machine.freq(1000000)") == error


def test_what_would_mean_nothing_is_not_there(board):
    names = "Pin PinBase ADC PWM I2C SPI UART SoftI2C SoftSPI bootloader wake_reason bitstream"
    assert told(board, f"print([n for n in {names.split()} if hasattr(machine, n)])") == ["[]"]
