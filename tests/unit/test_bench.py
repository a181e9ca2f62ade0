# SPDX-License-Identifier: MIT
"""bench/: what is compared with the baseline, what is told, and that the page says the same."""

import json

import numpy as np
import pytest

import bench.__main__ as command
from bench import baseline, report
from bench.measure import noise, repeats, samples
from bench.rows import GROUPS, ROWS, Row

TWO = {"a": Row("a", "  a write", "instructions", 110), "b": Row("b", "heap", "bytes")}

# Comparison


@pytest.mark.parametrize("now", [100, 103, 97.01])
def test_what_is_near_the_baseline_is_no_news(now):
    assert baseline.compare({"a": now, "b": 0}, {"a": 100, "b": 0}, TWO) == ([], [])


def test_what_got_worse_is_told_with_both_figures():
    worse, better = baseline.compare({"a": 10_400, "b": 0}, {"a": 10_000, "b": 0}, TWO)
    line = "a, a write: from 10 000 to 10 400 instructions (+4.0%)"
    assert worse == [f"{line}, 3% more is the limit"]
    assert better == []


def test_what_was_nothing_must_stay_nothing():
    worse, _ = baseline.compare({"a": 100, "b": 1}, {"a": 100, "b": 0}, TWO)
    assert len(worse) == 1 and worse[0].startswith("b, heap: from 0 to 1 bytes (from nothing)")


def test_what_got_better_is_no_error():
    worse, better = baseline.compare({"a": 90, "b": 0}, {"a": 100, "b": 0}, TWO)
    assert worse == []
    assert len(better) == 1 and "from 100 to 90 instructions (-10.0%)" in better[0]


def test_a_row_that_is_new_or_gone_is_an_error():
    worse, _ = baseline.compare({"a": 100, "b": 0}, {"a": 100, "c": 5}, TWO)
    assert [line.split(":")[0] for line in worse] == ["b", "c"]


def test_a_board_without_a_baseline_is_told_once():
    worse, _ = baseline.compare({"a": 100, "b": 0}, {}, TWO)
    assert len(worse) == 1 and "no baseline" in worse[0]


def test_boards_have_baselines_of_their_own(tmp_path):
    path = tmp_path / "baseline.json"
    assert baseline.read("one", path) == {}
    baseline.write("one", {"a": 1}, path)
    baseline.write("two", {"a": 2.5}, path)
    assert baseline.read("one", path) == {"a": 1}
    assert baseline.read("two", path) == {"a": 2.5}


# The command


@pytest.fixture
def run(tmp_path, monkeypatch):
    """run(*words, **figures): the status of the command if these figures differ from a baseline
    that has 0 in each row."""
    monkeypatch.setattr(baseline, "PATH", tmp_path / "baseline.json")
    for name in ("read", "write"):
        monkeypatch.setattr(getattr(baseline, name), "__defaults__", (baseline.PATH,))
    monkeypatch.setattr(report, "PAGE", tmp_path / "benchmark.md")
    monkeypatch.setattr(report, "PICTURE", tmp_path / "benchmark.svg")
    monkeypatch.setattr(report, "picture", lambda path, figures: path.write_text("a picture"))
    report.PAGE.write_text("before\n" + report.BEGIN + report.END + "after\n")
    baseline.write("qemu_virt", dict.fromkeys(ROWS, 0))

    def run(*words, **figures):
        taken = dict.fromkeys(ROWS, 0) | figures
        monkeypatch.setattr(command, "measure", lambda firmware, times: taken)
        words = ["bench", "--firmware", str(tmp_path / "firmware.elf"), *words]
        monkeypatch.setattr("sys.argv", words)
        return command.main()

    return run


def test_nothing_changed(run, tmp_path):
    assert run() == 0
    rows = json.loads((tmp_path / "bench.json").read_text())["rows"]
    assert list(rows) == list(ROWS)
    assert rows["long_write"]["target"] == 3900 and rows["long_write"]["baseline"] == 0
    assert (tmp_path / "bench.svg").read_text() == "a picture"


def test_worse_fails_quick_or_not(run, capsys):
    assert run(prompt=1) == 1
    assert run("--quick", prompt=1) == 1
    worse, hint = capsys.readouterr().err.splitlines()[-2:]
    assert worse.startswith("bench: worse: prompt, power-on to the prompt, no tone: from 0 to 1")
    assert "`make bench ACCEPT=1` makes these figures the baseline" in hint


def test_a_missed_target_fails_unless_quick(run, capsys):
    baseline.write("qemu_virt", dict.fromkeys(ROWS, 0) | {"long_write": 4000})
    assert run(long_write=4000) == 1
    assert run("--quick", long_write=4000) == 0
    told = "bench: target missed: long_write, write() with copy, 100 periods a call: 4 000"
    assert capsys.readouterr().err.count(told) == 2


def test_accepted_figures_are_the_baseline_and_on_the_page(run, tmp_path):
    assert run("--accept", long_write=4321) == 0
    row = json.loads((tmp_path / "bench.json").read_text())["rows"]["long_write"]
    assert row["figure"] == row["baseline"] == 4321
    assert baseline.read("qemu_virt") == dict.fromkeys(ROWS, 0) | {"long_write": 4321}
    assert run("--quick", long_write=4321) == 0
    text = report.PAGE.read_text()
    assert text.startswith("before\n") and text.endswith("after\n") and "4 321" in text
    assert report.page(text, baseline.read("qemu_virt")) == text
    assert report.PICTURE.read_text() == "a picture"


# What is committed


def test_the_page_shows_the_baseline():
    text = report.PAGE.read_text()
    told = report.page(text, baseline.read("qemu_virt"))
    assert text == told, "run `make bench ACCEPT=1`"


def test_the_picture_shows_the_baseline(tmp_path):
    report.picture(tmp_path / "again.svg", baseline.read("qemu_virt"))
    assert (tmp_path / "again.svg").read_text() == report.PICTURE.read_text()


def test_rows_are_what_the_baseline_has():
    assert sorted(baseline.read("qemu_virt")) == sorted(ROWS)
    assert len(ROWS) == sum(map(len, GROUPS.values()))
    assert all(row.floor in ROWS for row in ROWS.values() if row.floor)


# Recordings


def test_a_recording_that_repeats():
    data = noise(100)
    assert repeats(np.concatenate([data, data]), data)
    assert not repeats(data[:99], data)
    assert not repeats(np.concatenate([data, data[:50] + 1]), data)


def test_no_frame_is_like_the_next():
    assert (samples()[1:] != samples()[:-1]).all()


def test_streams_that_were_added_up_can_be_told_apart():
    played = sum(samples(n) for n in range(4))
    for n in range(4):
        part = played & 7 << 3 * n
        assert part.all() and np.array_equal(part, samples(n))
