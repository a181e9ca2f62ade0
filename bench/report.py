# SPDX-License-Identifier: MIT
"""What the figures are shown as: a table, JSON, a picture."""

import json
from pathlib import Path

from bench.rows import GROUPS, ROWS

PAGE = Path(__file__).parents[1] / "docs" / "benchmark.md"
PICTURE = PAGE.with_name("benchmark.svg")
BEGIN, END = "<!-- figures: make bench ACCEPT=1 -->\n", "<!-- end of figures -->\n"  # in the page


def number(figure):
    """As people write it: 1 478 000, 6 562, 0.50."""
    digits = 2 if isinstance(figure, float) and figure < 100 else 0
    return f"{figure:,.{digits}f}".replace(",", " ")


def compared(row, figures):
    """(figure, who) of the floor and of others for a row, the least first."""
    floor = [(figures[row.floor], "C, bench/floor (this run)")] if row.floor else []
    return sorted([*floor, *row.others])


def table(figures):
    """The figures beside their targets and what others need."""
    cells = [("", "figure", "unit", "target", "for comparison")]
    for group, rows in GROUPS.items():
        cells += [("",) * 5, (group, "", "", "", "")]
        for row in rows:
            target = "" if row.target is None else f"<= {number(row.target)}"
            others = [f"{number(n)} {who}" for n, who in compared(row, figures)] or [""]
            cells.append(("  " + row.what, number(figures[row.key]), row.unit, target, others[0]))
            cells += [("", "", "", "", other) for other in others[1:]]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    lines = []
    for what, figure, *rest in cells:
        words = [what.ljust(widths[0]), figure.rjust(widths[1])]
        words += [word.ljust(width) for word, width in zip(rest, widths[2:], strict=True)]
        lines.append("  ".join(words).rstrip())
    return "\n".join(lines)


def missed(figures):
    """A line for each target that is missed."""
    return [
        f"{row.key}, {row.what.strip()}: {number(figures[row.key])} {row.unit}, "
        f"the target is {number(row.target)}"
        for row in ROWS.values()
        if row.target is not None and figures[row.key] > row.target
    ]


def write_json(path, board, figures, baseline):
    """For machines: each row with its unit, and target, baseline and others where it has them."""
    rows = {}
    for key, row in ROWS.items():
        rows[key] = {"what": row.what.strip(), "figure": figures[key], "unit": row.unit}
        if row.target is not None:
            rows[key]["target"] = row.target
        if key in baseline:
            rows[key]["baseline"] = baseline[key]
        if others := compared(row, figures):
            rows[key]["others"] = [{"figure": n, "who": who} for n, who in others]
    path.write_text(json.dumps({"board": board, "rows": rows}, indent=2) + "\n")


def page(text, figures):
    """The text of docs/benchmark.md with the table of these figures between its two marks."""
    before, rest = text.split(BEGIN)
    after = rest.split(END)[1]
    lines = [f"    {line}".rstrip() + "\n" for line in table(figures).splitlines()]
    return "".join([before, BEGIN, "\n", *lines, "\n", END, after])


def picture(path, figures):
    """An SVG or PNG: what a period costs, and the way to START; the same bytes for the same."""
    from matplotlib import rc_context, style
    from matplotlib.figure import Figure

    panels = {
        "Instructions per period of 10 ms": [
            bar
            for key, mine in (
                ("long_write", "vsnd, write() with copy"),
                ("zero_copy", "vsnd, write(copy=False)"),
                ("asyncio_1", "vsnd, awrite()"),
                ("capture", "vsnd, readinto()"),
                ("streams_1", "vsnd, write(), a period a call"),
            )
            for bar in [(figures[key], mine), *ROWS[key].others]
        ]
        + [(figures["floor_copy"], "C, bench/floor, copy")]
        + [(figures["floor_zero_copy"], "C, bench/floor, zero-copy")],
        "Instructions from power-on to START": [
            (figures["start"], "vsnd"),
            *compared(ROWS["start"], figures),
        ],
    }
    settings = {"svg.fonttype": "none", "svg.hashsalt": "bench"}
    with style.context("default"), rc_context(settings):
        ratios = [len(bars) for bars in panels.values()]
        figure = Figure(figsize=(8, 0.28 * sum(ratios) + 1.4), layout="constrained")
        for axes, (title, bars) in zip(
            figure.subplots(len(panels), height_ratios=ratios), panels.items(), strict=True
        ):
            bars = sorted(bars, reverse=True)  # the least on top
            colours = [
                "tab:blue" if "vsnd" in who else "tab:green" if "floor" in who else "lightgrey"
                for _, who in bars
            ]
            drawn = axes.barh(range(len(bars)), [n for n, _ in bars], color=colours)
            axes.set_yticks(range(len(bars)), [who for _, who in bars])
            axes.bar_label(drawn, [number(round(n)) for n, _ in bars], padding=3)
            axes.set_xscale("log")
            axes.xaxis.set_visible(False)
            axes.margins(y=0.02)
            axes.set_title(title, loc="left")
            axes.set_xlim(right=max(bars)[0] * 8)
            axes.spines[["top", "right", "bottom"]].set_visible(False)
        metadata = {"Date": None, "Creator": None} if Path(path).suffix == ".svg" else {}
        figure.savefig(path, metadata=metadata)
