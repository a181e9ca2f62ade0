# SPDX-License-Identifier: MIT
"""The committed figures, and whether those of today are worse."""

import json
from pathlib import Path
from typing import NamedTuple

from bench.report import number

PATH = Path(__file__).parent / "baseline.json"
TOLERANCE = 0.03  # of a figure; the same firmware, built elsewhere, differs by far less


class Comparison(NamedTuple):
    """Lines to print: `worse` is an error, `better` is not."""

    worse: list[str]
    better: list[str]


def compare(figures, baseline, rows):
    """Compares figures with the baseline's, both {key: figure}; less is better.

    A row that only one of the two has is an error: somebody has to decide.
    """
    worse, better = [], []
    if not baseline:
        return Comparison(["the board has no baseline yet"], [])
    for key in [*rows, *(key for key in baseline if key not in rows)]:
        if key not in rows:
            worse.append(f"{key}: it is in the baseline, but no row any more")
        elif key not in baseline:
            now = number(figures[key])
            worse.append(f"{key}: {now} {rows[key].unit}, it is not in the baseline")
        else:
            was, now = baseline[key], figures[key]
            change = f"{now / was - 1:+.1%}" if was else "from nothing"
            line = (
                f"{key}, {rows[key].what.strip()}: from {number(was)} to {number(now)} "
                f"{rows[key].unit} ({change})"
            )
            if now > was * (1 + TOLERANCE):
                worse.append(f"{line}, {TOLERANCE:.0%} more is the limit")
            elif now < was * (1 - TOLERANCE):
                better.append(line)
    return Comparison(worse, better)


def read(board, path=PATH):
    """The baseline of a board, {key: figure}; empty if it has none."""
    return json.loads(path.read_text()).get(board, {}) if path.exists() else {}


def write(board, figures, path=PATH):
    """Makes these figures the baseline of a board; other boards' stay."""
    boards = json.loads(path.read_text()) if path.exists() else {}
    boards[board] = figures
    path.write_text(json.dumps(boards, indent=2, sort_keys=True) + "\n")
