# SPDX-License-Identifier: MIT
"""docs/upstream.md: what MicroPython's own tests say about the firmware."""

import re
from collections import Counter, defaultdict

# Why tests are skipped that the board skips with such words. The first that fits is taken.
REASONS = (
    (r"/(native|viper)_|import_mpy_native", "no code emitter for rv64 in MicroPython"),
    (r"'(socket|ssl|tls|websocket|_thread)'", "the board has no network and no threads"),
    (r"'(btree|cryptolib)'|'(md5|sha1)'", "needs a library that is not in the source's archive"),
    (r"VfsPosix|stream operation not supported", "files and descriptors of a host's system"),
    (r"cexample", "an example for modules in C, not part of a firmware"),
    (r"PinBase|Pin$|Signal", "no pins: the machine has none"),
    (r"'?(UART|I2S|SPI)'?$", "no such peripheral for programs: the one UART is the console"),
    (r"VfsLfs1", "littlefs 1: the board has littlefs 2 and FAT"),
    (r"settrace|tracebacklimit|exc_info|atexit|getsizeof", "parts of `sys` that no board has"),
    (r"__code__|'marshal'", "code objects are off, as on other boards"),
    (r"mem_total|memstats", "counts each allocation: off, as on other boards"),
    (r"_asdict|itemsize|BufferedWriter|DEBUG|__mul__|range\(1\)", "a detail of CPython that"
     " MicroPython has only in its largest configuration"),
    (r"__file__", "wants to be run from a file"),
    (r"nanbox", "for another representation of objects"),
    (r"run-tests.py does not run", "its output differs on anything but a computer"),
)
UNKNOWN = "?"

INTRODUCTION = """\
# MicroPython's own tests

The source of MicroPython carries the tests that its ports are judged by. `make test-upstream` runs
them, unmodified, against the firmware: `tests/run-tests.py` talks to the board in QEMU over a pty,
sends it one test after the other, and compares what it prints with what is expected, or with what
CPython prints.

    make test-upstream                              # all of it; writes this page
    make test-upstream QUICK=1                      # what CI runs
    make test-upstream TESTS="extmod/vfs_rom.py"    # some, and the output of those that fail
    make test-upstream BOARD=qemu_virt32            # on the 32-bit board

- The board runs in virtual time, so a busy host cannot fail a test that measures time. Several
  boards run at once, each with a share of the tests. If a test ends its board, it has failed, and
  the next gets a new one.
- "bytecode" sends the source, and the board compiles it. `--via-mpy` compiles it on the host.
- `unittest`, which some tests import, and the files that `unicode/` opens are in the board's
  `/rom` (`tests/upstream/rom/`), not in the firmware.
"""


def text(version, runs, reasons, left_out, bench=None):
    """The page. runs: {what: {test: Result}}. reasons: {test: what the board says}.

    left_out: {test: why} of tests that were not given to run-tests.py with --via-mpy.
    bench: lines about perf_bench.
    """
    lines = [INTRODUCTION, f"## MicroPython {version}", ""]
    lines += ["| | performed | passed | failed | skipped |", "|---|---|---|---|---|"]
    for what, results in runs.items():
        lines.append(_row(f"**{what}**", results.values()))
        by_folder = defaultdict(list)
        for test, result in results.items():
            by_folder[test.partition("/")[0]].append(result)
        lines += [_row(folder, each) for folder, each in by_folder.items()]
    for what, results in runs.items():
        failed = [test for test, result in results.items() if result.word == "fail"]
        if failed:
            lines += ["", f"Failed, {what}: " + ", ".join(failed)]
    lines += ["", *_left_out(left_out), "", *(bench or []), *_skips(reasons)]
    return "\n".join(lines) + "\n"


def _row(name, results):
    count = Counter(result.word for result in results)
    skipped = count["skip"] + count["too large"]
    done = count["pass"] + count["fail"]
    return f"| {name} | {done} | {count['pass']} | {count['fail']} | {skipped} |"


def _left_out(left_out):
    return [f"Left out of `--via-mpy`: {', '.join(left_out)}, because {why}."
            for why in dict.fromkeys(left_out.values())]


def _skips(reasons):
    groups = defaultdict(lambda: defaultdict(list))
    for test, said in reasons.items():
        groups[reason(test, said)][said].append(test)
    lines = [f"## Skipped: {len(reasons)}", ""]
    lines += ["What the board says was measured: each test was run again, so changed that it"]
    lines += ["tells under which condition, or after which exception, it skips itself.", ""]
    lines += ["| tests | why | what the board says |", "|---|---|---|"]
    for why, said in sorted(groups.items(), key=lambda each: -sum(map(len, each[1].values()))):
        count = sum(map(len, said.values()))
        words = "<br>".join(f"`{words}`: {_names(tests)}" for words, tests in said.items())
        lines.append(f"| {count} | {why} | {words} |")
    return lines


def _names(tests):
    """Tests by name; many that begin alike as one word."""
    if len(tests) <= 4:
        return ", ".join(tests)
    starts = Counter(re.match(r"[^/]+/[^_.]+", test)[0] for test in tests)
    return ", ".join(f"{start}\\* ({n})" for start, n in starts.items())


def reason(test, said):
    """Why a test is skipped, one line; UNKNOWN if nobody has written it down yet."""
    for pattern, why in REASONS:
        if re.search(pattern, f"{test} {said}"):
            return why
    return UNKNOWN
