# SPDX-License-Identifier: MIT
"""tests/upstream: the page, the plan of a run, and the unittest that the board is given."""

import importlib.util
import re
import sys
from pathlib import Path

import pytest

UPSTREAM = Path(__file__).parents[1] / "upstream"
sys.path.append(str(UPSTREAM))
import page  # noqa: E402
import run  # noqa: E402
from judge import Result  # noqa: E402

PAGE = Path(__file__).parents[2] / "docs" / "upstream.md"

PASS, FAIL, SKIP, LARGE = (Result(word, "") for word in ("pass", "fail", "skip", "too large"))


def test_the_page_says_that_all_passed():
    text = PAGE.read_text()
    for what in (run.BYTECODE, run.VIA_MPY):
        row = re.search(rf"\| \*\*{what}\*\* \| (\d+) \| (\d+) \| 0 \| \d+ \|", text)
        assert int(row[1]) == int(row[2]) >= 787
    assert f"| {page.UNKNOWN} |" not in text


def test_rows_count_what_happened():
    results = {"basics/a.py": PASS, "basics/b.py": FAIL, "misc/c.py": SKIP, "misc/d.py": LARGE}
    said = {"misc/c.py": "ImportError: no module named 'socket'"}
    text = page.text("1.2.3", {"bytecode": results}, said, {})
    rows = "| **bytecode** | 2 | 1 | 1 | 2 |\n| basics | 2 | 1 | 1 | 0 |\n| misc | 0 | 0 | 0 | 2 |"
    assert rows in text
    assert "Failed, bytecode: basics/b.py" in text
    assert "| 1 | the board has no network and no threads | `ImportError" in text
    assert run.summary("x", results) == "x: 2 performed, 1 passed, 1 failed, 2 skipped"


def test_a_reason_that_nobody_wrote_down_is_seen():
    assert page.reason("misc/x.py", "ImportError: no module named 'new'") == page.UNKNOWN
    assert "emitter" in page.reason("micropython/viper_x.py", "SyntaxError")
    assert "emitter" not in page.reason("basics/subclass_native_call.py", "... 'PinBase'")


def test_ci_runs_all_of_bytecode_and_no_test_of_mpy_that_cannot_work():
    tests = ["basics/a.py", "micropython/b.py", "unicode/file1.py"]
    assert run.plan(tests, False, run.NOT_VIA_MPY) == {run.BYTECODE: tests, run.VIA_MPY: tests[:2]}
    assert run.plan(tests, True, run.NOT_VIA_MPY) == {run.BYTECODE: tests, run.VIA_MPY: tests[1:2]}


class Fake:
    """As a Judge: every test passes."""

    def __init__(self):
        self.shares = []

    def run(self, name, tests, via_mpy):
        self.shares.append((name, tests, via_mpy))
        return dict.fromkeys(tests, PASS)


def test_boards_share_the_tests():
    fake = Fake()
    found = run.run(fake, {run.BYTECODE: ["a", "b", "c"], run.VIA_MPY: ["b"]}, 2)
    assert found == {run.BYTECODE: dict.fromkeys("abc", PASS), run.VIA_MPY: {"b": PASS}}
    assert sorted(fake.shares) == [
        ("bytecode-0", ["a", "c"], False),
        ("bytecode-1", ["b"], False),
        ("mpy-0", ["b"], True),
    ]


@pytest.fixture
def unittest(monkeypatch):
    spec = importlib.util.spec_from_file_location("own", UPSTREAM / "rom" / "unittest.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    monkeypatch.setattr(sys, "print_exception", print, raising=False)  # MicroPython has it
    return module


def test_unittest_counts(unittest, capsys):
    calls = []

    class Test(unittest.TestCase):
        setUpClass = classmethod(lambda cls: calls.append("class"))

        def setUp(self):
            calls.append("up")

        def tearDown(self):
            calls.append("down")

        def test_1(self):
            self.assertEqual(1, 1)
            with self.assertRaises(OSError) as raised:
                raise OSError(5)
            self.assertEqual(raised.exception.args, (5,))

        def test_2(self):
            self.assertIn(1, [2])

        def test_3(self):
            with self.assertRaises(ValueError):
                1 / 0

        def test_4(self):
            with self.assertRaises(ValueError):
                pass

        @unittest.skipIf(True, "so")
        def test_5(self):
            1 / 0

        @unittest.skipUnless(True, "not so")
        def test_6(self):
            self.skipTest("so")

    unittest.main(type("module", (), {"Test": Test}))
    lines = capsys.readouterr().out.splitlines()
    outcomes = [line.partition(" ... ")[2] for line in lines if " ... " in line]
    assert outcomes == ["ok", "FAIL", "ERROR", "FAIL", "skipped: so", "skipped: so"]
    assert lines[-4:] == ["-" * 70, "Ran 6 tests", "", "FAILED (failures=2, errors=1)"]
    assert calls == ["class"] + 6 * ["up", "down"]


def test_unittest_says_that_all_is_well(unittest, capsys):
    class Test(unittest.TestCase):
        def test_1(self):
            self.assertTrue(True)

        def test_2(self):
            self.skipTest("so")

    unittest.main(type("module", (), {"Test": Test}))
    assert capsys.readouterr().out.endswith("Ran 2 tests\n\nOK (skipped=1)\n")
