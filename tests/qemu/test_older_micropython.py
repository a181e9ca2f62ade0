# SPDX-License-Identifier: MIT
"""The port builds unchanged, and without a warning, against the oldest MicroPython it promises."""

import os
import subprocess

import pytest
from virtboard import tools
from virtboard.apt_sources import Unavailable
from virtboard.pytest_plugin import Board
from virtboard.qemu import build_folder

VERSION = "1.25.0"
BUILD = f"build/mp125/{build_folder().name}"


@pytest.mark.timeout(280)  # a whole firmware, while other tests run
def test_it_builds_against_1_25_and_plays_the_tone(tmp_path, tone):
    try:
        tools.ensure(micropython=VERSION)
    except Unavailable as problem:
        if os.environ.get("CI"):
            raise
        pytest.skip(f"no source of MicroPython {VERSION} here: {problem}")
    built = build(f".tools/micropython-{VERSION}")
    assert built.returncode == 0, built.stdout[-3000:]
    assert "warning:" not in built.stdout.lower()

    board = Board(tools.ROOT / BUILD / "firmware.elf", tmp_path)
    result = board.run()
    assert result.status == 0
    assert result.recording.first_difference(tone) is None
    result = board.run("import sys; print(sys.implementation.version[:3])")
    assert (result.status, result.output) == (0, "(1, 25, 0)\n")


def build(source):
    """Builds the firmware in a folder of its own. Returns what subprocess.run() does."""
    # The make that runs these tests must not speak to this one.
    ours = ("MAKEFLAGS", "MFLAGS", "MAKELEVEL", "MAKEOVERRIDES", "MICROPY_DIR", "CROSS_COMPILE")
    environ = {name: value for name, value in os.environ.items() if name not in ours}
    environ["PATH"] = f"{tools.TOOLS}/bin:{environ['PATH']}"
    command = ["make", "-j", str(os.cpu_count()), "-f", "ports/riscv/Makefile", f"BUILD={BUILD}"]
    command += [f"MICROPY_DIR={source}", "CROSS_COMPILE=riscv64-unknown-elf-"]
    return subprocess.run(
        command,
        cwd=tools.ROOT,
        env=environ,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
