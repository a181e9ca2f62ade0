# SPDX-License-Identifier: MIT
"""Dictionaries of names (ports/riscv/map.c), and sets (set.c): what was put in is found."""

import random

import pytest

PROGRAM = """
class Thing:
    pass

def found(names):
    return sorted(name for name in names if hasattr(thing, name))

for seed, most in {cases}:
    state = seed
    names = ["n%d" % i for i in range(most)]
    thing = Thing()
    for _ in range(4 * most):
        state = (state * 1103515245 + 12345) & 0x7FFFFFFF
        name = names[(state >> 8) % most]
        if state >> 4 & 3:
            setattr(thing, name, state)
        elif hasattr(thing, name):
            delattr(thing, name)
    there = found(names)
    print(seed, most, there == sorted(thing.__dict__), len(thing.__dict__), len(there),
          sum(getattr(thing, name) for name in there))
"""


def model(seed, most):
    state, values = seed, {}
    for _ in range(4 * most):
        state = (state * 1103515245 + 12345) & 0x7FFFFFFF
        name = (state >> 8) % most
        if state >> 4 & 3:
            values[name] = state
        else:
            values.pop(name, None)
    return f"{seed} {most} True {len(values)} {len(values)} {sum(values.values())}"


@pytest.mark.every_board
def test_attributes_that_come_and_go(board):
    rng = random.Random(1)
    cases = [(rng.getrandbits(30), most) for most in (1, 2, 3, 5, 8, 13, 50, 300, 1500)]
    result = board.run(PROGRAM.format(cases=cases))
    assert result.status == 0, result.output
    assert result.output.splitlines() == [model(*case) for case in cases]


def test_a_table_that_finds_no_memory_is_what_it_was(board):
    result = board.run("""
        import micropython
        class Thing: pass
        thing = Thing()
        names = ["a", "b", "c", "d", "e", "f", "g", "h"]
        done = 0
        try:
            for name in names:
                if name == "c":
                    micropython.heap_lock()
                setattr(thing, name, name)
                done += 1
        except MemoryError:
            pass
        micropython.heap_unlock()
        print(done, [hasattr(thing, name) for name in names])
        for name in names:
            setattr(thing, name, name)
        print([getattr(thing, name) for name in names] == names)
    """)
    assert result.status == 0
    assert result.output == f"4 {[True] * 4 + [False] * 4}\nTrue\n"


@pytest.mark.every_board
def test_an_ordered_dict_that_cannot_grow(board):
    # What lies behind its table stays what it is.
    result = board.run("""
        import micropython
        from collections import OrderedDict
        dicts = [OrderedDict() for _ in range(20)]
        others = []
        for d in dicts:
            for i in range(4):
                d[i] = i
            others.append(bytearray(60))
        refused = 0
        for d in dicts:
            micropython.heap_lock()
            try:
                d[4] = 4
            except MemoryError:
                refused += 1
            d[3] = 5
            micropython.heap_unlock()
        for d in dicts:
            for i in range(4, 8):
                d[i] = i
        print(refused, {sum(each) for each in others}, {len(each) for each in others})
        print({tuple(d.items()) for d in dicts})
    """)
    assert result.status == 0, result.output
    items = tuple((i, 5 if i == 3 else i) for i in range(8))
    assert result.output.splitlines() == ["20 {0} {60}", str({items})]


@pytest.mark.every_board
@pytest.mark.parametrize("size", [0, 2, 4, 12])
def test_a_set_that_cannot_grow(board, size):
    result = board.run(f"""
        import micropython
        sets = [set() for _ in range(20)]
        others = []
        for s in sets:
            s.update(range({size}))
            others.append(bytearray(60))
        refused = 0
        for s in sets:
            micropython.heap_lock()
            try:
                s.add(100)
            except MemoryError:
                refused += 1
            micropython.heap_unlock()
        print(refused, {{len(s) for s in sets}}, any([50 in s or 100 in s for s in sets]))
        for s in sets:
            s.add(100)
            s.update(range({size}, {size} + 2))
        print({{tuple(sorted(s)) for s in sets}})
        print({{sum(each) for each in others}}, {{len(each) for each in others}})
    """)
    assert result.status == 0, result.output
    assert result.output.splitlines() == [
        f"20 {{{size}}} False", str({(*range(size + 2), 100)}), "{0} {60}",
    ]
