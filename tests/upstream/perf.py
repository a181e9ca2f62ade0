# SPDX-License-Identifier: MIT
"""Runs MicroPython's perf_bench: whether every benchmark ends, and with the right result."""

import re
import subprocess
import sys
from collections import namedtuple

from boards import board, environment

N, M = 100, 100  # its parameters for a board: about megahertz, and kilobytes of heap
LIMIT = 600  # s for all of it

# lines: for the page. complete: whether all ran to the end.
Bench = namedtuple("Bench", "lines complete")


def run(tree, image, folder, **options):
    """Runs it on a board of its own, each benchmark once. Returns a Bench."""
    with board(image, **options) as pty:
        command = [sys.executable, "run-perfbench.py", "-p", "-d", pty.name, "-a", "1"]
        command += ["-r", str(folder / "perf"), str(N), str(M)]
        said = subprocess.run(
            command,
            cwd=tree,
            env=environment(),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=LIMIT,
        )
    print(said.stdout, said.stderr, sep="", end="", flush=True)
    ran = re.findall(r"^perf_bench/(\S+)\.py: [\d.]+ [\d.]+ [\d.]+ [\d.]+$", said.stdout, re.M)
    skipped = re.findall(r"^perf_bench/(\S+)\.py: SKIP", said.stdout, re.M)
    lines = [
        f"## perf_bench, N={N} M={M}",
        "",
        f"`run-perfbench.py` runs to the end: {len(ran)} benchmarks have the right result, "
        f"{len(skipped)} are skipped ({', '.join(skipped)}: the native emitters).",
        "",
    ]
    if said.returncode != 0:
        lines[2] = "`run-perfbench.py` failed:\n\n    " + said.stdout.replace("\n", "\n    ")
    return Bench(lines, said.returncode == 0)
