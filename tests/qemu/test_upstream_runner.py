# SPDX-License-Identifier: MIT
"""tests/upstream: what it tells of tests that pass, fail, skip, and end or hang their board."""

import sys
from pathlib import Path

sys.path.append(str(Path(__file__).parents[1] / "upstream"))
import boards  # noqa: E402
from judge import Judge  # noqa: E402
from reasons import reasons  # noqa: E402

SKIP = "    print('SKIP')\n    raise SystemExit\n"


def here(*lines):
    """A program that CPython, which is asked what to expect, leaves at once."""
    return "\n".join(["import sys", "print(1)", "if sys.platform == 'riscv':", *lines, ""])


# A CPython that is held up once, and then prints what the board does.
HELD_UP = """
import os, sys
if sys.implementation.name == "cpython" and not os.path.exists("held_up"):
    open("held_up", "w").close()
    print("too late")
print("in time")
"""

OWN = {
    "own/a.py": "print(1 + 1)\n",
    "own/b.py": "import sys\nprint(sys.implementation.name)\n",
    "own/c.py": here("    1 / 0"),
    "own/d.py": "try:\n    import no_such\nexcept ImportError:\n" + SKIP,
    "own/e.py": here("    import machine", "    machine.mem32[0x10]"),
    "own/f.py": "import unittest\nprint([1, 2])\n",
    "own/g.py": here("    import machine", "    machine.disable_irq()", "    while True: pass"),
    "own/h.py": "print(sum(range(10)))\n",
    "own/k.py": HELD_UP,
    "own/i.py": "import sys\nif sys.platform != 'linux':\n" + SKIP,
    # The table of names is full, and the heap is locked when its handler begins.
    "own/j.py": "import micropython as m\na = b = 0\ntry:\n    m.heap_lock()\n    float(1)\n"
    "except:\n    m.heap_unlock()\n" + SKIP,
}
WORDS = (
    dict.fromkeys("afhk", "pass") | dict.fromkeys("bceg", "fail") | dict.fromkeys("dij", "skip")
)


def prepared(folder):
    tree, image = boards.prepare(folder)
    (tree / "own").mkdir()
    for name, program in OWN.items():
        (tree / name).write_text(program)
    return tree, image


def test_each_test_is_judged_whatever_another_does_to_the_board(firmware, tmp_path, monkeypatch):
    monkeypatch.setenv("MICROPY_TEST_TIMEOUT", "2")
    tree, image = prepared(tmp_path)
    told = {}
    judge = Judge(tree, image, tmp_path, told.__setitem__, firmware=firmware)
    results = judge.run("own", list(OWN))
    assert told == results
    assert {test: result.word for test, result in results.items()} == {
        f"own/{name}.py": word for name, word in WORDS.items()
    }
    assert results["own/b.py"].why == "micropython\n\nexpected:\ncpython\n"
    assert "ZeroDivisionError" in results["own/c.py"].why
    assert "QEMU has ended with status 134" in results["own/e.py"].why
    assert "timeout" in results["own/g.py"].why


def test_a_skipped_test_tells_why(firmware, tmp_path):
    tree, image = prepared(tmp_path)
    (tree / "own" / "native_x.py").write_text("print('never sent')\n")
    tests = [f"own/{name}.py" for name in ("a", "d", "i", "j", "native_x")]
    said = reasons(tree, image, tests, firmware=firmware)
    assert said == {
        "own/a.py": "run-tests.py does not run it on a board",
        "own/d.py": "ImportError: no module named 'no_such'",
        "own/i.py": "sys.platform != 'linux'",
        "own/j.py": "MemoryError: memory allocation failed, heap is locked",
        "own/native_x.py": "SyntaxError: invalid micropython decorator",
    }
