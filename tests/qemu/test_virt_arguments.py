# SPDX-License-Identifier: MIT
"""Module virt refuses wrong arguments in one line, and nothing has changed then."""

import pytest

WRONG = [
    # access, what is said
    ("virt.copy(b, 0, c, 0, 9)", "ValueError: offset and length must lie within the buffer"),
    ("virt.copy(b, 1, c, 0, 8)", "ValueError: offset and length must lie within the buffer"),
    ("virt.copy(b, 0, c, -1, 1)", "ValueError: offset and length must lie within the buffer"),
    ("virt.copy(b, -8, c, 0, 8)", "ValueError: offset and length must lie within the buffer"),
    ("virt.copy(b, 0, c, 0, -1)", "ValueError: offset and length must lie within the buffer"),
    ("virt.copy(b, BIG, c, 0, 1)", "ValueError: offset and length must lie within the buffer"),
    ("virt.copy(b, 1, c, 1, BIG)", "ValueError: offset and length must lie within the buffer"),
    ("virt.copy(b'12345678', 0, c, 0, 1)", "TypeError: object with buffer protocol required"),
    ("virt.copy(None, 0, c, 0, 1)", "TypeError: object with buffer protocol required"),
    ("virt.copy(b, 0.5, c, 0, 1)", "TypeError: can't convert float to int"),
    ("virt.copy(b, 1 << 70, c, 0, 1)", "OverflowError: "),
    ("virt.copy(b, 0, c, 0)", "TypeError: function takes 5 positional arguments but 4 were given"),
    ("virt.fill(b, 8, 1, 0)", "ValueError: offset and length must lie within the buffer"),
    ("virt.fill(b, 0, 8, None)", "TypeError: "),
    ("virt.equal(b, 0, c, 1, 8)", "ValueError: offset and length must lie within the buffer"),
    ("virt.equal(b, 0, c, 0, 8, 1)", "TypeError: equal: needs 5 or 9 arguments"),
    ("virt.nbytes(3)", "TypeError: object with buffer protocol required"),
    ("virt.load16(a + 1)", "is not a multiple of 2"),
    ("virt.load16(a, 3)", "is not a multiple of 2"),
    ("virt.load16(-1)", "is not a multiple of 2"),
    ("virt.load16(1 << 70)", "OverflowError: "),
    ("virt.load16('a')", "TypeError: "),
    ("virt.load16(a, None)", "TypeError: "),
    ("virt.load32(a + 2)", "is not a multiple of 4"),
    ("virt.store16(a + 1, 0)", "is not a multiple of 2"),
    ("virt.store16(a, 'x')", "TypeError: "),
    ("virt.pass16(a + 1, 0, a)", "is not a multiple of 2"),
    ("virt.pass16(a, 0, a + 1)", "is not a multiple of 2"),
    ("virt.store64(a + 4, 1)", "is not a multiple of 8"),
    ("virt.store64(a, None)", "TypeError: "),
    ("virt.store_addresses([a], 0, 2, b, 0, 1)", "ValueError: first and n must lie within"),
    ("virt.store_addresses([a], 1, 1, b, 0, 1)", "ValueError: first and n must lie within"),
    ("virt.store_addresses([a], -1, 1, b, 0, 1)", "ValueError: first and n must lie within"),
    ("virt.store_addresses([a], 0, 1, b, 9, 1)", "ValueError: offset and length must lie"),
    ("virt.store_addresses(a, 0, 1, b, 0, 1)", "TypeError: "),
    ("virt.irq(0, print)", "ValueError: irq: source must be 1..95 and not the console's 10"),
    ("virt.irq(96, None)", "ValueError: irq: source must be 1..95 and not the console's 10"),
    ("virt.irq(-1, print)", "ValueError: irq: source must be 1..95 and not the console's 10"),
    ("virt.irq(10, None)", "ValueError: irq: source must be 1..95 and not the console's 10"),
    ("virt.irq(5, 5)", "TypeError: irq: needs a callable or None, and 2 or 7 arguments"),
    ("virt.irq(5, print, a)", "TypeError: irq: needs a callable or None, and 2 or 7 arguments"),
    ("virt.irq(5, print, 0, a, 1, 1, 0)", "ValueError: irq: status and ack must be addresses"),
    ("virt.irq(5, print, a, a + 2, 1, 1, 0)", "is not a multiple of 4"),
    ("virt.irq(5, print, a, a, 1, 1, a + 1)", "is not a multiple of 2"),
    ("virt.irq(5, print, a, a, None, 1, 0)", "TypeError: "),
    ("virt.irq(5, print, soft=True)", "TypeError: irq: the only keyword is hard"),
    ("virt.wait(None)", "TypeError: "),
    ("virt.wait16(a, 0, 1)", "RuntimeError: not in a 'with virt.lock'"),
    ("virt.sleep16(a, 0, 1)", "RuntimeError: not in a 'with virt.lock'"),
    ("virt.sleep16(a + 1, 0, 1)", "is not a multiple of 2"),
    ("virt.at_reset(5)", "TypeError: at_reset: needs a callable or None"),
    ("virt.exit(256)", "ValueError: exit: status must be 0..255"),
    ("virt.exit(-1)", "ValueError: exit: status must be 0..255"),
    ("virt.exit('x')", "TypeError: "),
]


@pytest.mark.every_board
def test_wrong_arguments(board):
    program = """
import sys, uctypes, virt
a = uctypes.addressof(virt.arena())
b, c, BIG = bytearray(range(8)), bytearray(range(8, 16)), sys.maxsize
before = bytes(virt.arena()[:16])
for access in open("/rom/wrong"):
    try:
        eval(access)
        print("nothing")
    except Exception as e:
        print(type(e).__name__ + ":", e)
assert b == bytes(range(8)) and c == bytes(range(8, 16)) and virt.arena()[:16] == before
"""
    wrong = "\n".join(access for access, _ in WRONG)
    result = board.run(program, files={"wrong": wrong})
    assert result.status == 0
    said = result.output.splitlines()
    assert len(said) == len(WRONG)
    for (access, what), line in zip(WRONG, said, strict=True):
        assert what in line, access


@pytest.mark.every_board
def test_a_wrong_handler_leaves_the_one_before(board):
    # The clock's alarm, source 11, as in docs/machine.md.
    program = """
import time, virt
from machine import mem32
def alarm(source):
    mem32[0x10101C] = 1
    print("alarm")
virt.irq(11, alarm)
for status in ("x", 0x10101E, 0):
    try:
        virt.irq(11, print, status, 0x10101C, 1, 1, 0)
    except (TypeError, ValueError):
        print("refused")
when = time.time_ns() + 5_000_000
mem32[0x101010] = 1; mem32[0x10100C] = when >> 32; mem32[0x101008] = when
time.sleep_ms(10)
"""
    assert board.run(program).output == "refused\n" * 3 + "alarm\n"


@pytest.mark.every_board
@pytest.mark.parametrize(
    "wait", ["virt.wait(1 << {0})", "time.sleep_ms(1 << {0})", "time.sleep_us(1 << {0} + 1)"]
)
def test_a_wait_of_millions_of_years(board, xlen, wait):
    # In a sum of so many bits as a word has it would be over already. With 32 bits it is days.
    wait = wait.format(xlen - 4)
    program = f"""
import machine, time, virt
machine.Timer(period=50, hard=True, callback=lambda t: virt.exit(7))
{wait}
print("early")
"""
    result = board.run(program)
    assert (result.status, result.output) == (7, "")
