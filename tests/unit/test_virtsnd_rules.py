# SPDX-License-Identifier: MIT
"""host/virtsnd: the table of rules, and that the device and its tests keep to it."""

import pathlib
import re

import pytest

from virtsnd.rules import RULES

HERE = pathlib.Path(__file__).resolve().parent
DEVICE = HERE.parents[1] / "host" / "virtsnd"
TESTS = [
    HERE / f"test_{name}.py"
    for name in (
        "virtsnd_capture", "virtsnd_events", "virtsnd_items", "virtsnd_ring", "virtsnd_streams",
        "virtsnd_transport", "legacy",
    )
]
ID = re.compile(r'"([A-Z]-\d\d)"')
SECTION = re.compile(r'"(\d+(?:\.\d+)+)"')


def raised():
    """The rules that the source of the device names, outside the tables of rules and faults."""
    tables = {*DEVICE.glob("rules.py"), *DEVICE.glob("fault*.py")}
    text = "".join(path.read_text() for path in sorted({*DEVICE.glob("*.py")} - tables))
    return set(ID.findall(text)), set(SECTION.findall(text))


def test_the_table_has_every_rule_once():
    numbers = {letter: [int(id[2:]) for id in RULES if id[0] == letter] for letter in "GFCIRQMPL"}
    sizes = dict(G=5, F=14, C=4, I=13, R=2, Q=22, M=22, P=9, L=7)
    assert numbers == {letter: list(range(1, n + 1)) for letter, n in sizes.items()}
    sound = [int(id[2:]) for id in RULES if id[0] == "S"]
    assert sound == [*range(1, 24), *range(30, 38)]
    assert len(RULES) == sum(sizes.values()) + len(sound)


@pytest.mark.parametrize("rule", RULES.values(), ids=RULES)
def test_a_rule(rule):
    assert rule.level in ("M", "MN", "S", "SN", "body")
    assert re.fullmatch(r"\d+(\.\d+)+", rule.section)
    assert rule.text and rule.where and not rule.text.endswith(".")
    assert len(rule.text) < 80


def test_what_the_device_names_is_in_the_table():
    ids, sections = raised()
    assert not ids - set(RULES)
    assert all(section.split(".")[0] in ("2", "4", "5") for section in sections)


def test_what_is_seen_is_seen():
    ids, _ = raised()
    assert {rule.id for rule in RULES.values() if rule.seen} == ids


def test_every_rule_that_is_seen_was_broken_by_a_test():
    broken = set(ID.findall("".join(path.read_text() for path in TESTS)))
    assert not {rule.id for rule in RULES.values() if rule.seen} - broken
