# SPDX-License-Identifier: MIT
"""What is good enough: each check tells a tool's version, or in one line what is wrong with it."""

import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from virtboard.apt_sources import ToolsError

QEMU_MINIMUM = (8, 2)  # the first with virtio-sound
MICROPYTHON_MINIMUM = (1, 25)

PROBE = """\
#include <math.h>
#include <setjmp.h>
#include <string.h>
jmp_buf where;
double value;
char text[9];
int main(void) { setjmp(where); value = sin(value); return strlen(strcpy(text, "good")); }
"""
BUILD = "-march=rv64gc -mabi=lp64d -mcmodel=medany -nostartfiles -Wl,-e,main,-Ttext=0x80000000"
WHO = """\
#if __has_include(<picolibc.h>)
#include <picolibc.h>
LIBRARY "picolibc " _PICOLIBC_VERSION
#else
#include <_newlib_version.h>
LIBRARY "newlib " _NEWLIB_VERSION
#endif
VERSION __VERSION__
"""


def run(*command, **options):
    """Run a short command; one that cannot run or hangs counts as one that failed."""
    if "input" not in options:
        options["stdin"] = subprocess.DEVNULL
    try:
        return subprocess.run(
            [str(word) for word in command],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            errors="replace",
            timeout=60,
            **options,
        )
    except (OSError, subprocess.SubprocessError) as problem:
        return subprocess.CompletedProcess(command, 127, "", str(problem))


def last_line(done):
    """The last thing that a command said, or how it ended."""
    lines = (done.stderr.strip() or done.stdout.strip()).splitlines()
    return lines[-1] if lines else f"it ended with status {done.returncode}"


def check_qemu(command):
    """The version of a qemu-system-riscv64.

    Raises ToolsError if it does not run, is too old, or has no sound card.
    """
    done = run(command, "-version")
    found = re.search(r"QEMU emulator version ((\d+)\.(\d+)[\d.]*)", done.stdout)
    if done.returncode or not found:
        raise ToolsError(f"{command} is no QEMU that works here: {last_line(done)}")
    version = found.group(1)
    if (int(found.group(2)), int(found.group(3))) < QEMU_MINIMUM:
        raise ToolsError(f"{command} is QEMU {version}; 8.2 or newer is needed")
    done = run(command, "-device", "virtio-sound-device,help")
    if done.returncode or "audiodev" not in done.stdout:
        raise ToolsError(f"{command} (QEMU {version}) was built without virtio-sound-device")
    return version


def check_gcc(command, flags=()):
    """(version, C library) of a RISC-V GCC that is called with these flags first.

    Raises ToolsError if it cannot build and link a program that uses its C library, for rv64gc
    and at an address above 2 GB.
    """
    words = [command, *flags, *BUILD.split(), "-x", "c", "-"]
    with tempfile.TemporaryDirectory() as folder:
        done = run(*words, "-o", f"{folder}/probe", "-lm", "-lc", "-lgcc", input=PROBE)
    if done.returncode:
        needed = "a GCC for rv64gc with a C library (picolibc) is needed"
        raise ToolsError(f"{command} cannot build a small program ({last_line(done)}); {needed}")
    said = run(command, *flags, "-E", "-P", "-x", "c", "-", input=WHO).stdout
    version = re.search(r'VERSION "([^" ]*)', said)
    library = re.search(r'LIBRARY "(\w+) " "([^"]*)"', said)
    return (
        version.group(1) if version else "?",
        " ".join(library.groups()) if library else "its own C library",
    )


def check_micropython(folder):
    """The version of a MicroPython source tree. Raises ToolsError if it is none, or too old."""
    right = "it should be the top of MicroPython's source tree, 1.25 or newer"
    try:
        text = (Path(folder) / "py" / "mpconfig.h").read_text(errors="replace")
    except OSError:
        raise ToolsError(f"{folder} has no py/mpconfig.h; {right}") from None
    parts = ("MAJOR", "MINOR", "MICRO")
    found = [re.search(rf"#define MICROPY_VERSION_{part} (\d+)", text) for part in parts]
    if not all(found):
        raise ToolsError(f"{folder}/py/mpconfig.h tells no version; {right}")
    version = [int(number.group(1)) for number in found]
    name = ".".join(map(str, version))
    if tuple(version[:2]) < MICROPYTHON_MINIMUM:
        raise ToolsError(f"{folder} is MicroPython {name}; {right}")
    return name


def check_host(root, which=shutil.which):
    """Raises ToolsError with a line for each thing that a build in `root` lacks on this host."""
    missing = []
    if sys.version_info < (3, 9):
        missing.append(f"Python is {sys.version.split()[0]}: 3.9 or newer is needed")
    if re.search(r"\s", str(root)):
        missing.append(f"the path of the checkout has a space, which make cannot handle: {root}")
    if not which("make"):
        missing.append("make is missing; Debian, Ubuntu: sudo apt-get install make")
    if not which("gcc"):
        missing.append("the host's gcc is missing; Debian, Ubuntu: sudo apt-get install gcc")
    elif run("gcc", "-E", "-", input="#include <stdio.h>\n").returncode:
        missing.append("gcc finds no stdio.h; Debian, Ubuntu: sudo apt-get install libc6-dev")
    if run(sys.executable, "-c", "import venv, ensurepip").returncode:
        missing.append("python3 -m venv fails; Debian, Ubuntu: sudo apt-get install python3-venv")
    if missing:
        raise ToolsError("\n".join(missing))
