# SPDX-License-Identifier: MIT
"""The port's C that needs no board, compiled for this machine with sanitizers, and fuzzed.

Each case comes from a number, so all of it repeats. `make fuzz SECONDS=300` goes on with others.
"""

import os
import shutil
import subprocess
import time

import pytest
from virtboard import tools

HERE = tools.ROOT / "tests" / "host_c"
PORT = tools.ROOT / "ports" / "riscv"
SECONDS = float(os.environ.get("SECONDS") or 0)  # for each program, after the usual cases
CC = os.environ.get("HOST_CC", "gcc")
WARNINGS = ["-Wall", "-Wextra", "-Werror", "-Wno-parentheses"]
UNDEFINED = ["-fsanitize=undefined", "-fno-sanitize-recover=all"]
ADDRESS = [*UNDEFINED, "-fsanitize=address"]
# Words that lie across a string's end are meant; the pages beside them tell.
WORDS = [*UNDEFINED, "-w"]
MICROPYTHON = tools.TOOLS / "micropython"
PY = MICROPYTHON / "py"
# With headers and sources of MicroPython's own.
OBJECTS = [f"-isystem{MICROPYTHON}", '-DMP_CONFIGFILE="mpconfig_host.h"', "-DNO_QSTR"]
OBJECTS += [*WARNINGS, *ADDRESS]

PROGRAMS = {
    "fdt": ("fuzz_fdt.c", [PORT / "fdt.c", *WARNINGS, *ADDRESS], 100_000),
    "romfs": ("fuzz_romfs.c", [PORT / "romfs.c", *WARNINGS, *ADDRESS], 100_000),
    "heap": ("fuzz_heap.c", [*WARNINGS, *UNDEFINED], 500),
    "map": ("fuzz_map.c", [PY / "map.c", *OBJECTS], 3000),
    "set": ("fuzz_set.c", [PY / "nlr.c", PY / "nlrsetjmp.c", *OBJECTS], 2000),
    "frozen": ("fuzz_frozen.c", ["-DMICROPY_MODULE_FROZEN_MPY=1", *OBJECTS], 3000),
    "string64": ("fuzz_string.c", WORDS, 10_000),
    "string32": ("fuzz_string.c", ["-DWORD32", *WORDS], 10_000),
}


@pytest.mark.parametrize("name", PROGRAMS)
def test_fuzz(tmp_path, name):
    if not shutil.which(CC):
        pytest.fail(f"there is no {CC}, which builds mpy-cross too", pytrace=False)
    source, options, count = PROGRAMS[name]
    program = tmp_path / name
    includes = [f"-I{HERE}", f"-I{PORT}"]
    build = [CC, "-std=gnu11", "-O1", "-g", *includes, "-o", program, HERE / source, *options]
    subprocess.run(build, check=True, timeout=60)
    first, end = 0, time.monotonic() + SECONDS
    while True:
        run = [program, str(first), str(count)]
        done = subprocess.run(run, capture_output=True, text=True, timeout=120)
        assert done.returncode == 0, f"{' '.join(map(str, run))}:\n{done.stderr}"
        first += count
        if time.monotonic() >= end:
            break
    print(f"{name}: {first} cases")
