# SPDX-License-Identifier: MIT
"""docs/conformance.md and tests/conformance.py: each rule is shown, or it is said why not."""

import re
import sys
from collections import Counter
from pathlib import Path

import pytest

from virtsnd.rules import ANY, MMIO, RING, RULES, SOUND

sys.path.append(str(Path(__file__).parents[1]))
import conformance  # noqa: E402

MARKS = conformance.marked()


def test_the_page_is_up_to_date():
    # It says of all rules that they are kept.
    assert conformance.PAGE.read_text() == conformance.page(MARKS), "run `make conformance`"


def test_every_rule_has_one_row():
    rows = re.findall(r"^\| ([A-Z]-\d\d) \|", conformance.PAGE.read_text(), re.M)
    assert Counter(rows) == Counter(list(RULES))


def test_marks_name_rules():
    assert not set(MARKS) - set(RULES)


def test_what_is_not_shown_has_a_reason():
    assert set(conformance.WHY_NOT) == set(RULES) - set(MARKS)


@pytest.mark.parametrize("name", [name for name in RULES if RULES[name].seen])
def test_what_the_device_can_see_is_shown(name):
    rule = RULES[name]
    folders = {test.path.partition("/")[0] for test in MARKS[name]}
    if rule.where == MMIO:
        assert "unit" in folders  # QEMU keeps the registers to itself
    else:
        assert rule.where in (RING, SOUND, ANY)
        assert "device" in folders


def test_marks_are_found_wherever_they_stand(tmp_path, monkeypatch):
    (tmp_path / "unit").mkdir()
    (tmp_path / "unit" / "test_a.py").write_text(
        "@pytest.mark.rule('S-06')\n@pytest.mark.rule('S-07')\ndef test_one(): pass\n"
        "@pytest.mark.parametrize('x', [pytest.param(1, marks=pytest.mark.rule('S-06'))])\n"
        "def test_two(x): pass\n"
        "def test_three(): pass\n"
    )
    monkeypatch.setattr(conformance, "TESTS", tmp_path)
    one, two = (conformance.Test("unit/test_a.py", f"test_{name}") for name in ("one", "two"))
    assert conformance.marked() == {"S-06": [one, two], "S-07": [one]}


def test_failures_are_told(tmp_path):
    results = tmp_path / "results.xml"
    results.write_text(
        '<testsuites><testsuite><testcase classname="tests.unit.test_a" name="test_one[x]"/>'
        '<testcase classname="tests.unit.test_a" name="test_one[y.z]"><failure/></testcase>'
        '<testcase classname="tests.unit.test_a" name="test_two"/>'
        '</testsuite></testsuites>'
    )
    tests = [conformance.Test("unit/test_a.py", f"test_{n}") for n in ("one", "two", "three")]
    marks = {name: [test] for name, test in zip(("S-06", "S-07", "S-08"), tests)}
    marks |= {name: [tests[1]] for name in RULES if name not in marks}
    text = conformance.page(marks, conformance.failures(results))
    rows = {row.split(" | ")[0][2:]: row.split(" | ")[-1] for row in text.splitlines()}
    assert rows["S-06"] == "test_one: 1 of 2 failed |"
    assert rows["S-07"] == "kept |"
    assert rows["S-08"] == "test_three did not run |"
