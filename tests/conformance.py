# SPDX-License-Identifier: MIT
"""docs/conformance.md: the rules of virtsnd.rules, the tests that show them, and their results.

    python tests/conformance.py RESULTS >docs/conformance.md

RESULTS is what `pytest -m rule --junitxml=RESULTS` wrote; `make conformance` does both. A test is
one of a rule because it says so: @pytest.mark.rule("S-06").
"""

import ast
import sys
import xml.etree.ElementTree as ElementTree
from collections import defaultdict, namedtuple
from pathlib import Path

from virtsnd.rules import ANY, MMIO, RING, RULES, SOUND

TESTS = Path(__file__).resolve().parent
PAGE = TESTS.parent / "docs" / "conformance.md"
IN_QEMU = ("device", "qemu")  # folders of tests with the firmware; the others run on CPython

NO_PACKED = "packed rings (RING_PACKED) are not implemented, and never accepted"
NO_SUSPEND = "SUSPEND is not implemented, and never accepted"
NO_ORDER = "IN_ORDER is not implemented, and never accepted"
NO_BARRIERS = (
    "a device sees memory, not the order in which it was written; `virt.store16()` has the "
    "barriers"
)

# Rules that no test shows, and why.
WHY_NOT = {
    "F-02": "no feature that the driver knows needs another",
    "F-10": NO_PACKED,
    "F-12": "virtio-mmio has no register that delivers the data, so that F-04 forbids it",
    "I-11": NO_SUSPEND,
    "I-12": NO_SUSPEND,
    "I-13": NO_SUSPEND,
    "Q-05": NO_ORDER,
    "Q-10": NO_ORDER,
    "Q-21": NO_BARRIERS,
    "Q-22": NO_BARRIERS,
} | {f"P-{number:02}": NO_PACKED for number in range(1, 10)}

LEVELS = {
    "M": "must", "MN": "must not", "S": "should", "SN": "should not", "body": "not listed",
}

SEEN = {MMIO: "registers", RING: "rings", SOUND: "messages", ANY: "features"}

INTRODUCTION = """\
# Conformance

Each rule that VirtIO 1.4 has for the driver of a sound device behind virtio-mmio, and the tests
that show that the driver keeps it. The rules are numbered as in `host/virtsnd/rules.py`: G status,
F features, C configuration, I initialisation, R queue reset, Q split queues, M registers, S sound,
P packed queues, L legacy. "Must" and the like are the levels of the specification; "not listed" is
said in its text, but in none of its lists of requirements.

A test lets the driver do what the rule is about, on a device made so that a wrong driver would
fail. It then looks at what the device saw: registers, rings, requests, samples. The device
([host/virtsnd](device.md)) judges too: the table says in what it sees a breach, and one fails the
test. That it notices breaches is shown by `tests/unit/test_virtsnd_*.py`, where a driver made of
bytes commits them.

Tests in `tests/device` run the firmware in QEMU, those in `tests/unit` the same driver on CPython,
where the device sees each access to its registers. Rules of rings and messages have one in QEMU.

This page is made by `make conformance`, from the marks of the tests and their results.
"""

Test = namedtuple("Test", "path name")  # path below tests/


def marked():
    """{rule: [Test]} of all marks, in the order of files and lines."""
    found = defaultdict(list)
    for path in sorted(TESTS.glob("*/test_*.py")):
        for node in ast.parse(path.read_text()).body:
            if isinstance(node, ast.FunctionDef):
                test = Test(path.relative_to(TESTS).as_posix(), node.name)
                for name in _rules(node):
                    if test not in found[name]:
                        found[name].append(test)
    return found


def _rules(function):
    """The arguments of every pytest.mark.rule() that decorates a function."""
    for decorator in function.decorator_list:
        for call in ast.walk(decorator):
            if isinstance(call, ast.Call) and ast.unparse(call.func) == "pytest.mark.rule":
                yield from (argument.value for argument in call.args)


def failures(results):
    """{Test: (how many cases failed or were skipped, of how many)} of a JUnit file."""
    counts = defaultdict(lambda: [0, 0])
    for case in ElementTree.parse(results).iter("testcase"):
        path = case.get("classname").removeprefix("tests.").replace(".", "/") + ".py"
        count = counts[Test(path, case.get("name").partition("[")[0])]
        count[0] += any(case.find(what) is not None for what in ("failure", "error", "skipped"))
        count[1] += 1
    return counts


def page(marks, failed=None):
    """The text of docs/conformance.md. failed: as failures(); None if all tests passed."""
    shown = [rule for rule in RULES.values() if rule.id in marks]
    hidden = [rule for rule in RULES.values() if rule.id not in marks]
    lines = [INTRODUCTION, f"## Rules with tests: {len(shown)}", ""]
    lines += ["| rule | level | what | section | seen in | tests | result |"]
    lines += ["|---|---|---|---|---|---|---|"]
    for rule in shown:
        tests = marks[rule.id]
        results = dict.fromkeys(_result(test, failed) for test in tests)
        seen = SEEN.get(rule.where, "its effect")
        lines.append(_row(rule, seen, "<br>".join(map(_link, tests)), ", ".join(results)))
    lines += ["", f"## Rules without a test: {len(hidden)}", ""]
    lines += ["| rule | level | what | section | why |", "|---|---|---|---|---|"]
    lines += [_row(rule, WHY_NOT[rule.id]) for rule in hidden]
    return "\n".join(lines) + "\n"


def _row(rule, *cells):
    first = rule.id, LEVELS[rule.level], rule.text, rule.section
    return "| " + " | ".join((*first, *cells)) + " |"


def _link(test):
    where = "QEMU" if test.path.startswith(IN_QEMU) else "CPython"
    return f"[{test.name.removeprefix('test_')}](../tests/{test.path}) {where}"


def _result(test, failed):
    if failed is None:
        return "kept"
    bad, total = failed[test]
    if total == 0:
        return f"{test.name} did not run"
    return f"{test.name}: {bad} of {total} failed" if bad else "kept"


if __name__ == "__main__":
    sys.stdout.write(page(marked(), failures(sys.argv[1])))
