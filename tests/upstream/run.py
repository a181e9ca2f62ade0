# SPDX-License-Identifier: MIT
"""MicroPython's own tests against the firmware in QEMU. `make test-upstream` calls this.

    python tests/upstream/run.py [--quick] [--page FILE] [TEST ...]

Results, and the output of tests that failed, are in build/upstream/. The status is 0 only if no
test failed, and all that should run did.
"""

import argparse
import os
import sys
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Lock

import page
import perf
from boards import FIRMWARE, prepare, version
from judge import Judge
from reasons import reasons
from virtboard import VirtboardError
from virtboard.qemu import xlen
from virtboard.tools import ROOT

FOLDERS = "basics micropython misc extmod float stress unicode".split()
BYTECODE, VIA_MPY = "bytecode", "`--via-mpy`"
QUICK_VIA_MPY = ("micropython/", "misc/", "stress/", "extmod/asyncio")  # what --quick runs of it
HIDDEN = "the file system that run-tests.py puts before a compiled test hides the files it opens"
NOT_VIA_MPY = dict.fromkeys(
    ("unicode/file1.py", "unicode/file2.py", "unicode/file_invalid.py"), HIDDEN
)
# A block device there returns a str, of which MicroPython 1.26 takes the address for a small int.
NOT_VIA_MPY_32 = {"extmod/vfs_blockdev_invalid.py": "MicroPython counts on RAM below 2**31 there"}


class Progress:
    """Prints how far all boards have come, and each failure at once."""

    def __init__(self, total):
        self.total, self.count, self.began = total, 0, time.monotonic()
        self.lock = Lock()

    def __call__(self, test, result):
        with self.lock:
            self.count += 1
            if result.word == "fail":
                print(f"FAIL {test}", *result.why.splitlines(), sep="\n  ", flush=True)
            if self.count % 100 == 0 or self.count == self.total:
                seconds = time.monotonic() - self.began
                print(f"{self.count} of {self.total} after {seconds:.0f} s", flush=True)


def all_tests(tree):
    """Paths below the tree, of every test in FOLDERS."""
    paths = (path for folder in FOLDERS for path in (tree / folder).glob("*.py"))
    return sorted(path.relative_to(tree).as_posix() for path in paths)


def plan(tests, quick, left_out):
    """{what: tests} to run."""
    mpy = [test for test in tests if test not in left_out]
    if quick:
        mpy = [test for test in mpy if test.startswith(QUICK_VIA_MPY)]
    return {BYTECODE: tests, VIA_MPY: mpy}


def run(judge, runs, boards):
    """Runs all on so many boards at once. Returns {what: {test: Result}}."""
    shares = [
        (f"{'mpy' if what == VIA_MPY else 'bytecode'}-{n}", tests[n::boards], what)
        for what, tests in runs.items()
        for n in range(boards)
        if tests[n::boards]
    ]
    found = {what: {} for what in runs}
    with ThreadPoolExecutor(boards) as pool:
        done = pool.map(lambda share: judge.run(share[0], share[1], share[2] == VIA_MPY), shares)
        for (_, _, what), results in zip(shares, done):
            found[what] |= results
    return {what: dict(sorted(results.items())) for what, results in found.items()}


def summary(what, results):
    """One line, like "bytecode: 793 performed, 793 passed, 0 failed, 152 skipped"."""
    count = Counter(result.word for result in results.values())
    skipped = count["skip"] + count["too large"]
    done = count["pass"] + count["fail"]
    return f"{what}: {done} performed, {count['pass']} passed, {count['fail']} failed, " + (
        f"{skipped} skipped"
    )


def main():
    """The command. Returns its status."""
    parser = argparse.ArgumentParser(description="MicroPython's own tests against the firmware.")
    option = parser.add_argument
    option("--quick", action="store_true", help="all of bytecode, a part of --via-mpy")
    option("--page", metavar="FILE", type=Path, help="write the page about a whole run there")
    option("--boards", metavar="N", type=int, default=os.cpu_count(), help="at the same time")
    option("--firmware", metavar="FILE", type=Path, default=FIRMWARE)
    option("--real-time", action="store_true", help="not in virtual time, as at a terminal")
    option("tests", metavar="TEST", nargs="*", help="like extmod/vfs_rom.py; all if there is none")
    args = parser.parse_args()

    folder = ROOT / "build" / "upstream"
    tree, image = prepare(folder)
    left_out = NOT_VIA_MPY | (NOT_VIA_MPY_32 if xlen(args.firmware) == 32 else {})
    runs = plan(args.tests or all_tests(tree), args.quick, left_out)
    for test, why in left_out.items():
        print(f"left out of --via-mpy: {test}: {why}")
    options = {"firmware": args.firmware, "icount": not args.real_time}
    progress = Progress(sum(map(len, runs.values())))
    print(f"MicroPython {version()}: {progress.total} tests, {args.boards} boards", flush=True)
    judge = Judge(tree, image, folder, progress, **options)
    found = run(judge, runs, args.boards)
    words = {result.word for results in found.values() for result in results.values()}
    failed = "fail" in words
    if not args.tests:
        bench = perf.run(tree, image, folder, **options)
        failed |= not bench.complete
    skipped = [test for test, result in found[BYTECODE].items() if result.word == "skip"]
    if args.page and not args.tests and not args.quick:
        why = reasons(tree, image, skipped, **options)
        args.page.write_text(page.text(version(), found, why, left_out, bench.lines))
        unknown = [test for test, said in why.items() if page.reason(test, said) == page.UNKNOWN]
        if unknown:
            print("skipped without a reason in tests/upstream/page.py:", *unknown)
            failed = True
    for what, results in found.items():
        print(summary(what, results))
    return 1 if failed else 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except VirtboardError as error:
        sys.exit(f"test-upstream: {error}")
