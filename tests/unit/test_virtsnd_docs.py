# SPDX-License-Identifier: MIT
"""docs/device.md: the example runs, and every name of its tables is one."""

import dataclasses
import inspect
import pathlib
import re

import pytest

import virtsnd
from raw_driver import PREPARE, RELEASE, START, Driver, params
from virtsnd import Breach, SoundDevice, StreamInfo, Trace
from virtsnd.rules import breaches

TEXT = (pathlib.Path(__file__).resolve().parents[2] / "docs" / "device.md").read_text()


def section(title):
    return re.search(rf"^## {title}\n(.*?)(?=^## |\Z)", TEXT, re.M | re.S)[1]


def blocks(title):
    return re.findall(r"^```\w*\n(.*?)^```", section(title), re.M | re.S)


def table(title):
    """The first cells of all rows of a section's tables."""
    return [row.split("|")[1] for row in section(title).splitlines() if row.startswith("| `")]


def test_the_example_prints_the_trace(capsys):
    (example,) = blocks("An example")
    exec(example, {})
    assert capsys.readouterr().out == blocks("The trace")[0]


def test_the_second_trace():
    lines = []
    driver = Driver().up()
    driver.device.trace = Trace(lines)
    driver.clock.run(300)
    driver.ask(params())
    driver.ask((PREPARE, 0))
    driver.play(0, bytes(480))
    driver.clock.run(100)
    driver.ask((START, 0))
    driver.clock.run(5280)
    driver.clock.now = 5980
    with pytest.raises(Breach):
        driver.request((RELEASE, 0))
    breaches.clear()
    lines = [line for line in lines if not line.endswith("kick") and "> RELEASE" not in line]
    assert lines == blocks("The trace")[1].splitlines()


def test_the_options():
    names = re.findall(r"`(\w+)`", " ".join(table("Options")))
    arguments = list(inspect.signature(SoundDevice).parameters)[2:]
    fields = [field.name for field in dataclasses.fields(StreamInfo)]
    assert set(arguments) | set(fields) <= set(names)
    driver = Driver(streams=(StreamInfo(), StreamInfo(direction=1)))
    known = set(vars(driver.stream(0))) | set(vars(driver.stream(1)))
    assert set(names) <= known | set(arguments) | set(fields)


def test_every_misbehaviour_is_there():
    rows = [row for row in section("Misbehaviour").splitlines() if row.startswith("| ")][1:]
    assert len(rows) > 30
    driver = Driver().up()
    where = {"device": driver.device, "sound": driver.device.sound, "page": driver.page}
    names = {name: getattr(virtsnd, name) for name in vars(virtsnd)}
    for row in rows:
        for code in re.findall(r"`([^`]+)`", row):
            for owner, name in re.findall(r"\b(device|sound|page)\.(\w+)", code):
                assert hasattr(where[owner], name), code
            if code.startswith(("Control", "ChmapInfo")):
                eval(code, dict(names)).record()
