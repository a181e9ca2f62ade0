# SPDX-License-Identifier: MIT
"""What playing costs, in guest instructions: a table, and build/qemu_virt/bench.json.

`make bench` runs it. Everything is counted in virtual time, so a figure changes only when the
firmware does; each is taken twice, and it is an error if the two differ. The sound is S16 stereo
at 48 kHz in periods of 480 frames (10 ms), four of them queued. What the guest spends asleep
does not count. The status is 1 if a target is missed or something goes wrong.
"""

import argparse
import json
import sys
import tempfile
from pathlib import Path

from measure import Bench
from rows import ROWS
from virtboard import VirtboardError
from virtboard.qemu import build_folder, xlen

BUILD = build_folder()


def number(figure):
    """As people write it: 1 478 000, 6 562.7, 0.5."""
    digits = 2 if isinstance(figure, float) and figure < 10 else 0
    return f"{figure:,.{digits}f}".replace(",", " ")


def table(figures):
    """The figures beside their targets and what others need."""
    cells = [("what", "figure", "unit", "target", "others, and who")]
    for row in ROWS:
        target = "" if row.target is None else f"<= {number(row.target)}"
        first, *rest = row.others or ("",)
        cells.append((row.what, number(figures[row.key]), row.unit, target, first))
        cells += [("", "", "", "", other) for other in rest]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    lines = []
    for what, figure, *rest in cells:
        words = [what.ljust(widths[0]), figure.rjust(widths[1])]
        words += [word.ljust(width) for word, width in zip(rest, widths[2:], strict=True)]
        lines.append("  ".join(words).rstrip())
    lines.insert(1, "-" * max(map(len, lines)))
    return "\n".join(lines)


def main():
    """Returns the exit status."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--firmware", type=Path, default=BUILD / "firmware.elf")
    parser.add_argument("--json", type=Path, default=BUILD / "bench.json")
    args = parser.parse_args()
    try:
        with tempfile.TemporaryDirectory(prefix="vsnd-bench-") as folder:
            figures = Bench(args.firmware, folder).all()
    except VirtboardError as error:
        print(f"bench: {error}", file=sys.stderr)
        return 1
    print(table(figures))
    rows = {row.key: {"figure": round(figures[row.key], 2), "unit": row.unit} for row in ROWS}
    for row in ROWS:
        if row.target is not None:
            rows[row.key]["target"] = row.target
    args.json.write_text(json.dumps(rows, indent=2) + "\n")
    missed = [row for row in ROWS if row.target is not None and figures[row.key] > row.target]
    if xlen(args.firmware) != 64:
        missed = []  # the targets are for 64 bits
    for row in missed:
        more = f"{number(figures[row.key])} {row.unit}, the target is {number(row.target)}"
        print(f"bench: missed: {row.what.strip()}: {more}", file=sys.stderr)
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
