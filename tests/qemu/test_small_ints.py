# SPDX-License-Identifier: MIT
"""Operators on ints around the ends of the small ones (ports/riscv/binary_op.c), as in CPython."""

import pytest

OPERATORS = "< > <= >= == != | ^ & + - *".split()
VALUES = [0, 1, -1, 2, 7, -8, 2**15 + 1, -(2**16)]
VALUES += [
    sign * (2**bits + more) for bits in (30, 31, 61, 62) for more in (-1, 0, 1) for sign in (1, -1)
]
SHIFTS = [0, 1, 2, 29, 30, 31, 32, 61, 62, 63, 64, 65, 100]

PROGRAM = f"""
for operator in {OPERATORS}:
    normal = eval("lambda a, b: a %s b" % operator)
    in_place = normal
    if operator in "|^&+-*":
        made = {{}}
        exec("def f(a, b):\\n a %s= b\\n return a" % operator, made)
        in_place = made["f"]
    for a in {VALUES}:
        got = [normal(a, b) for b in {VALUES}]
        assert got == [in_place(a, b) for b in {VALUES}], (a, operator)
        print(operator, a, got)
for a in {VALUES}:
    print(a, [a >> n for n in {SHIFTS}], [a << n for n in {SHIFTS}])
    try:
        a >> -1
    except ValueError:
        print("no shift by -1")
"""


def expected():
    for operator in OPERATORS:
        function = eval(f"lambda a, b: a {operator} b")
        for a in VALUES:
            yield f"{operator} {a} {[function(a, b) for b in VALUES]}"
    for a in VALUES:
        yield f"{a} {[a >> n for n in SHIFTS]} {[a << n for n in SHIFTS]}"
        yield "no shift by -1"


@pytest.mark.every_board
def test_operators(board):
    result = board.run(PROGRAM)
    assert result.status == 0, result.output[-500:]
    assert result.output.splitlines() == list(expected())
