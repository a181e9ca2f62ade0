# SPDX-License-Identifier: MIT
"""A board whose UART is a pty, for MicroPython's own tools, and a view of MicroPython's tests."""

import os
import re
import select
import subprocess
import sys
import time
from contextlib import contextmanager
from pathlib import Path

from mpremote.transport import TransportError
from mpremote.transport_serial import SerialTransport
from virtboard import VirtboardError, rom
from virtboard.process import Drain, started
from virtboard.qemu import Machine, build_folder
from virtboard.tools import ROOT, TOOLS

HERE = Path(__file__).resolve().parent
MICROPYTHON = TOOLS / "micropython"
FIRMWARE = build_folder() / "firmware.elf"
MEMORY = "32M"  # tests that fill all of it take longer with more
TEST_LIMIT = 60  # s of real time for one test; run-tests.py's own 30 are few on a busy host
PATIENCE = 20  # s, until QEMU has told the pty's name

# Where the board's working directory is not /rom, the files that tests open are copied there.
COPY = """
import os
try:
    os.stat("data")
except OSError:
    os.mkdir("data")
    for name in os.listdir("/rom/data"):
        with open("/rom/data/" + name, "rb") as source, open("data/" + name, "wb") as copy:
            copy.write(source.read())
"""


class Pty:
    """A running board. name: of its terminal. process: QEMU. errors: what QEMU says, a Drain."""

    def __init__(self, name, process):
        self.name, self.process = name, process
        self.errors = Drain(process.stderr)


@contextmanager
def board(image, firmware=FIRMWARE, icount=True):
    """A Pty with a running board, in virtual time unless icount is False; `image` is its /rom.

    VirtboardError if the board does not start.
    """
    options = {"memory": MEMORY, "append": "repl", "rom": image, "icount": icount}
    machine = Machine(firmware, sound=False, serial="pty", **options)
    machine.check()
    pipes = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    with started(machine.command(), **pipes) as process:
        pty = Pty(_name(process), process)
        _copy_files(pty.name)
        yield pty


def _copy_files(name):
    try:
        line = SerialTransport(name)
        try:
            line.enter_raw_repl()
            line.exec(COPY)
            line.exit_raw_repl()
        finally:
            line.close()
    except TransportError as error:
        raise VirtboardError(f"the board does not answer: {error}") from None


def _name(process):
    """The pty's name, from the line that QEMU prints about it."""
    said = b""
    end = time.monotonic() + PATIENCE
    while b"\n" not in said:
        left = max(end - time.monotonic(), 0)
        ready, _, _ = select.select([process.stdout], [], [], left)
        data = os.read(process.stdout.fileno(), 4096) if ready else b""
        if not data:
            raise VirtboardError(f"QEMU does not tell the name of its pty, but {said!r}")
        said += data
    found = re.search(rb"redirected to (\S+)", said)
    if not found:
        raise VirtboardError(f"QEMU does not tell the name of its pty, but {said!r}")
    return found[1].decode()


def prepare(folder):
    """Makes, in `folder`, what every run needs. Returns (folder of the tests, /rom's image).

    The tests are links into MicroPython's source, because run-tests.py writes files of its own
    into its working folder. The image holds unittest, and the files that tests in unicode/ open.
    """
    tests = folder / "micropython" / "tests"
    tests.mkdir(parents=True, exist_ok=True)
    source = MICROPYTHON.resolve()
    _link(tests.parent / "tools", source / "tools")
    for path in (source / "tests").iterdir():
        _link(tests / path.name, path)
    files = folder / "rom"
    files.mkdir(exist_ok=True)
    _link(files / "unittest.py", HERE / "rom" / "unittest.py")
    _link(files / "data", source / "tests" / "unicode" / "data")
    image = folder / "rom.img"
    rom.write_image(files, image)
    return tests, image


def _link(path, target):
    path.unlink(missing_ok=True)
    path.symlink_to(target)


def version():
    """MicroPython's version, from its source: "1.26.1"."""
    text = (MICROPYTHON / "py" / "mpconfig.h").read_text()
    parts = re.findall(r"define MICROPY_VERSION_(?:MAJOR|MINOR|MICRO) \(?(\d+)", text)
    return ".".join(parts)


def environment():
    """Variables for MicroPython's tools."""
    cross = ROOT / "build" / f"mpy-cross-v{version()}" / "mpy-cross"
    variables = {"MICROPY_TEST_TIMEOUT": str(TEST_LIMIT)} | os.environ
    variables |= {"MICROPY_CPYTHON3": sys.executable, "MICROPY_MPYCROSS": str(cross)}
    return variables | {"PYTHONUNBUFFERED": "1", "PYTHONDONTWRITEBYTECODE": "1"}
