# SPDX-License-Identifier: MIT
"""Counts what playing costs: a table, and bench.json and bench.svg beside the firmware.

The status is 1 if a figure is worse than the committed baseline by more than 3 %, if a target is
missed, or if something goes wrong. With --quick each figure is taken once instead of twice, and
missed targets are only told. With --accept the figures become the baseline, and those of the page
docs/benchmark.md; then the status is 0.
"""

import argparse
import sys
from pathlib import Path

from virtboard import VirtboardError
from virtboard.qemu import BOARDS, build_folder, xlen

from bench import baseline, report
from bench.parts import measure
from bench.rows import ROWS


def tell(kind, lines):
    for line in lines:
        print(f"bench: {kind}: {line}", file=sys.stderr)


def main():
    """Returns the exit status."""
    parser = argparse.ArgumentParser(prog="bench", description=__doc__.splitlines()[0])
    parser.add_argument("--firmware", type=Path, default=build_folder() / "firmware.elf")
    parser.add_argument("--quick", action="store_true", help="once; targets are only told")
    parser.add_argument("--accept", action="store_true", help="make these figures the baseline")
    args = parser.parse_args()
    try:
        taken = measure(args.firmware, times=1 if args.quick else 2)
    except VirtboardError as error:
        tell("error", [error])
        return 1
    figures = {key: round(taken[key], 2) for key in ROWS}
    board = BOARDS[xlen(args.firmware) == 32]
    folder = args.firmware.parent
    known = figures if args.accept else baseline.read(board)
    print(report.table(figures))
    report.write_json(folder / "bench.json", board, figures, known)
    report.picture(folder / "bench.svg", figures)
    missed = report.missed(figures) if board == BOARDS[0] else []  # the targets are for 64 bits
    tell("target missed", missed)
    if args.accept:
        baseline.write(board, figures)
        if board == BOARDS[0]:
            report.PAGE.write_text(report.page(report.PAGE.read_text(), figures))
            report.picture(report.PICTURE, figures)
        return 0
    for_board = "" if board == BOARDS[0] else f" BOARD={board}"
    worse, better = baseline.compare(figures, known, ROWS)
    tell("better", better)
    tell("worse", worse)
    if worse or better:
        tell("baseline", [f"`make bench ACCEPT=1{for_board}` makes these figures the baseline"])
    return 1 if worse or missed and not args.quick else 0


if __name__ == "__main__":
    sys.exit(main())
