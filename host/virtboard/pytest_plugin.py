# SPDX-License-Identifier: MIT
"""Fixtures for tests that run programs on the board: `-p virtboard.pytest_plugin`.

    def test_tone(board):
        result = board.run("import audio; audio.tone(440, 100)")
        assert result.status == 0
        assert abs(result.recording.dominant_frequency() - 440) < 1

The option `--firmware FILE` names another firmware than this project's build.
"""

import textwrap
from pathlib import Path

import pytest

from virtboard import tools
from virtboard.qemu import Machine
from virtboard.rom import write_image


def pytest_addoption(parser):
    where = tools.ROOT / "build" / "qemu_virt" / "firmware.elf"
    parser.addoption("--firmware", type=Path, default=where, help="the board's firmware (ELF)")


@pytest.fixture(scope="session")
def firmware(request):
    """Path of the firmware; the test fails if it is not built."""
    path = request.config.getoption("--firmware")
    if not path.is_file():
        pytest.fail(f"no firmware at {path}: `make run-qemu` builds it", pytrace=False)
    return path


@pytest.fixture
def board(firmware, tmp_path):
    """A `Board`; each run of it has its own files, so that tests may run at the same time."""
    return Board(firmware, tmp_path)


class Board:
    """Runs programs in QEMU, each in a machine of its own.

    folder: where each run gets a folder for its /rom, ROM image and recording.
    """

    def __init__(self, firmware, folder):
        self.firmware = firmware
        self.folder = Path(folder)
        self.runs = 0

    def run(self, main=None, files=None, *, timeout=60.0, append="", **options):
        """Boots, runs a program and returns virtboard.qemu.Result.

        main: the program, Python source (str, may be indented) or a Path; None for the board's
        own tone, or the main.py among `files`.
        files: {name below /rom: bytes or str}.
        timeout: seconds of real time, BoardTimeout after that.
        append: words for the guest besides `batch`. options: see virtboard.qemu.Machine.
        """
        self.runs += 1
        folder = self.folder / f"run{self.runs}"
        folder.mkdir(parents=True)
        if main is not None or files:
            options["rom"] = folder / "rom.img"
            write_rom(folder / "rom", main, files or {}, options["rom"])
        options.setdefault("wav", folder / "run.wav")
        machine = Machine(self.firmware, append=f"batch {append}".strip(), **options)
        result = machine.run(timeout)
        print(result.output, result.errors, *result.failures, sep="\n")  # for a failing test
        return result


def write_rom(folder, main, files, image):
    """Makes a folder of `files`, with `main` as its main.py, and its ROM image."""
    files = dict(files)
    if isinstance(main, Path):
        files["main.py"] = main.read_bytes()
    elif main is not None:
        files["main.py"] = textwrap.dedent(main)
    for name, data in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data.encode() if isinstance(data, str) else data)
    write_image(folder, image)
