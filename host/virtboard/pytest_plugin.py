# SPDX-License-Identifier: MIT
"""Fixtures for tests that run programs on the board: `-p virtboard.pytest_plugin`.

    def test_tone(board):
        result = board.run("import audio; audio.tone(440, 100)")
        assert result.status == 0
        assert abs(result.recording.dominant_frequency() - 440) < 1

With a strict sound device of virtsnd as its card, which the test can script and look into:

    def test_every_byte_arrives(board, sound_card):
        card = sound_card()
        board.run("import audio; audio.tone(440, 100)", device=card)
        assert len(card.streams[0].played) == 4800 * 4

The option `--firmware FILE` names another firmware than this project's build, which is that of the
32-bit board with BOARD=qemu_virt32 in the environment.
"""

import contextlib
import textwrap
from pathlib import Path

import pytest

from virtboard import VirtboardError
from virtboard.card import Card
from virtboard.files import shown
from virtboard.qemu import ROM_ADDRESS, Machine, build_folder
from virtboard.rom import write_image

TRACED = 100  # lines of a card's trace that a failing test shows


def pytest_addoption(parser):
    parser.addoption("--firmware", type=Path, help="the board's firmware (ELF)")


@pytest.fixture(scope="session")
def firmware(request):
    """Path of the firmware; the test fails if it is not built.

    With an indirect parameter it is that of the board with this name.
    """
    path = request.config.getoption("--firmware")
    path = path or build_folder(getattr(request, "param", None)) / "firmware.elf"
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
        append: words for the guest besides `batch`. options: see virtboard.qemu.Machine; device
        may be a virtboard.card.Card, as the fixture `sound_card` makes them.
        """
        self.runs += 1
        folder = self.folder / f"run{self.runs}"
        folder.mkdir(parents=True)
        if main is not None or files:
            options["rom"] = folder / "rom.img"
            write_rom(folder / "rom", main, files or {}, options["rom"])
        options.setdefault("wav", folder / "run.wav")
        card = options.get("device")
        if isinstance(card, Card):
            options |= card.machine()
            if "rom" in options:
                card.add_memory(ROM_ADDRESS, Path(options["rom"]).read_bytes())
        machine = Machine(self.firmware, append=f"batch {append}".strip(), **options)
        result = machine.run(timeout)
        if isinstance(card, Card):
            card.settle()
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
        if not path.resolve().is_relative_to(folder.resolve()):
            raise VirtboardError(f"{shown(name)} leads out of /rom")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data.encode() if isinstance(data, str) else data)
    write_image(folder, image)


@pytest.fixture
def sound_card(tmp_path):
    """Makes a virtboard.card.Card: sound_card(setup=None, breaches=(), **options of SoundDevice).

    The test fails if its drivers break rules that `breaches` does not name, or do not break those.
    """
    cards = []

    def make(**options):
        cards.append(Card(tmp_path / f"card{len(cards)}", **options))
        return cards[-1]

    with contextlib.ExitStack() as stack:
        yield make
        for card in cards:
            stack.callback(card.close)
            print(*card.trace[-TRACED:], *card.said, sep="\n")  # for a failing test
