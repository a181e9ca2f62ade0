# SPDX-License-Identifier: MIT
"""Runs MicroPython's run-tests.py on a list of tests, with a new board whenever one is lost."""

import re
import shutil
import subprocess
import sys
import threading
from collections import namedtuple

from boards import TEST_LIMIT, board, environment
from virtboard.process import started

SILENCE = 3 * TEST_LIMIT  # s without a line from run-tests.py
CPYTHONS = 3  # runs of it before it is believed, where the board said something else
LOST = "could not enter raw repl"  # run-tests.py about a board that no longer answers
LINE = re.compile(r"(pass|FAIL|skip|lrge) +(\S+)(?: |$)")
WORDS = {"pass": "pass", "FAIL": "fail", "skip": "skip", "lrge": "too large"}

# word: "pass", "fail", "skip" or "too large". why: one or more lines, of a test that failed.
Result = namedtuple("Result", "word why")


class Judge:
    """What all runs have in common.

    tree: the folder of the tests. image: the board's /rom. folder: for results. options: for
    boards.board(). tell: called with (test, Result) as soon as a test is done.
    """

    def __init__(self, tree, image, folder, tell, **options):
        self.tree, self.image, self.folder = tree, image, folder
        self.tell, self.options = tell, options

    def run(self, name, tests, via_mpy=False):
        """Runs tests, paths below the tree. Returns {test: Result}, of every one of them.

        name: of a folder for run-tests.py's own results, which is emptied.
        A test that ends the board, or leaves it dead, has failed; the others go on with a new one.
        """
        folder = self.folder / name
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        results, suspect = {}, None
        while left := [test for test in tests if test not in results]:
            try:
                for test, result in self._one_board(folder, left, via_mpy):
                    results[test] = self._told(test, result)
            except BoardLost as lost:
                # A board that is dead before a test begins was left so by the one before, if
                # that one has failed too. In any case the test gets a new board, but only one.
                test = next(test for test in left if test not in results)
                if lost.before_test and suspect != test:
                    suspect = test
                else:
                    results[test] = self._told(test, Result("fail", str(lost)))
        return results

    def _told(self, test, result):
        self.tell(test, result)
        return result

    def _failed(self, folder, test):
        """The Result of a test that did not print what was expected.

        Unless its sources have that, CPython ran it, in real time: on a busy computer a test that
        sleeps prints less there. The board, in virtual time, has passed if CPython comes to agree.
        """
        failure = _failure(folder, test)
        board, expected = (_path(folder, test, ending) for ending in (".out", ".exp"))
        if expected.exists() and not (self.tree / f"{test}.exp").exists():
            if any(_cpython(self.tree / test) == board.read_bytes() for _ in range(CPYTHONS)):
                return Result("pass", "")
        return failure

    def _one_board(self, folder, tests, via_mpy):
        """Runs tests on one board; yields (test, Result). BoardLost if it does not run all."""
        log = []
        with board(self.image, **self.options) as pty:
            command = [sys.executable, "run-tests.py", "-t", pty.name, "-r", str(folder)]
            command += ["--via-mpy"] if via_mpy else []
            pipes = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE}
            pipes |= {"stderr": subprocess.STDOUT, "text": True, "errors": "replace"}
            options = {"cwd": self.tree, "env": environment()}
            failed = None
            count = 0
            with started([*command, *tests], **pipes, **options) as process:
                for line in _lines(process):
                    log.append(line)
                    if failed:  # by now its output is complete
                        yield failed, self._failed(folder, failed)
                        failed = None
                    found = LINE.match(line)
                    if found:
                        word, test = found.groups()
                        count += 1
                        if word == "FAIL":
                            failed = test
                        else:
                            yield test, Result(WORDS[word], "")
            if failed:
                yield failed, self._failed(folder, failed)
            if count < len(tests):
                if pty.process.poll() is not None:
                    log.append(f"QEMU has ended with status {pty.process.returncode}")
                raise BoardLost("\n".join(["run-tests.py ended in this test", *log[-15:]]))


class BoardLost(Exception):
    """The run has ended too early. before_test: because the board no longer answers."""

    before_test = False


def _lines(process):
    """Lines of a process; none any more after a long silence, which ends it."""
    timer = None
    try:
        while True:
            timer = threading.Timer(SILENCE, process.kill)
            timer.start()
            line = process.stdout.readline()
            timer.cancel()
            if not line:
                return
            yield line.rstrip("\n")
    finally:
        timer.cancel()


def _cpython(path):
    """What a test prints on CPython, as run-tests.py runs it; None if that fails."""
    options = {"cwd": path.parent, "env": environment(), "timeout": TEST_LIMIT}
    pipes = {"stdin": subprocess.DEVNULL, "stderr": subprocess.STDOUT}
    try:
        return subprocess.check_output([sys.executable, "-BS", path], **pipes, **options)
    except subprocess.SubprocessError:
        return None


def _path(folder, test, ending):
    """Where run-tests.py writes about a test that failed."""
    return folder / (test.replace("..", "_").replace("./", "").replace("/", "_") + ending)


def _failure(folder, test):
    """The Result of a test that failed: what it printed, and beside it what was expected.

    BoardLost if it was not run, for want of a board.
    """
    text = _path(folder, test, ".out").read_text(errors="replace")
    if text.startswith(LOST):
        lost = BoardLost(text)
        lost.before_test = True
        raise lost
    expected = _path(folder, test, ".exp")
    if expected.exists():
        text += f"\nexpected:\n{expected.read_text(errors='replace')}"
    return Result("fail", text)
