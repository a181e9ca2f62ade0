# SPDX-License-Identifier: MIT
"""Each program of docs/quickref.md prints and plays what the page says."""

import os
import re
import subprocess
import sys

import numpy as np
import pytest
from console import PROMPT, console
from feed import noise
from pages import programs, said
from virtboard import tools
from virtsnd import demo

PAGE = "quickref.md"
PROGRAMS = programs(PAGE)
SQUARE = 48 * (100 * b"\0\x20" + 100 * b"\0\xe0")

HEADER = b"WAVEfmt \x10\0\0\0\1\0\2\0\x80\xbb\0\0\0\xee\2\0\4\0\x10\0data\0\x4b\0\0"
VOICE = noise(19200)
WAV = b"RIFF\x24\x4b\0\0" + HEADER + VOICE

# Under which heading, and what the card plays; None: more than these bytes say, see below.
PLAYED = {
    "Play": [None, VOICE, SQUARE],
    "Play without copying": [VOICE],
    "Sound from callbacks, polls and tasks": [5 * SQUARE],
}
STATUS = {"How a run ends": 3}
WITH_CARD = ("Controls, jacks, channel maps", "Events")
ON_HOST = "Tests of your own"

HERE = [
    pytest.param(program, heading, id=f"{heading}-{n}")
    for n, (heading, program) in enumerate(PROGRAMS)
    if heading not in (*WITH_CARD, ON_HOST)
]


def agree(program, output):
    """Whether a program printed what its comments say, and last, if other prints have none."""
    lines, wanted = output.splitlines(), said(program)
    if program.count("print(") == len(wanted):
        return lines == wanted
    return lines[-len(wanted) :] == wanted


def heard(heading, program):
    """What the card has to play."""
    among = [each for title, each in PROGRAMS if title == heading]
    return PLAYED[heading][among.index(program)] if heading in PLAYED else b""


@pytest.mark.parametrize("program, heading", HERE)
def test_a_program(board, program, heading):
    options = {"files": {"voice.wav": WAV}}
    if "input(" in program:
        options |= {"audio": "files", "streams": 2, "feed": board.folder / "feed"}
        options["feed"].write_bytes(noise(200000, 7))
    if '"/disk' in program:
        options |= {"disk": board.folder / "card.img"}
    result = board.run(program, **options)
    assert result.status == STATUS.get(heading, 0)
    assert agree(program, result.output), said(program)
    played = result.played if "feed" in options else result.recording.samples.tobytes()
    if heard(heading, program) is not None:
        assert played == heard(heading, program)
    else:
        # Two tones of 200 ms, half and a tenth of full scale.
        left = np.frombuffer(played, "<i2")[::2]
        assert len(left) == 2 * 9600
        for part, frequency, peak in ((left[:9600], 440, 0.5), (left[9600:], 660, 0.1)):
            assert max(part) == pytest.approx(peak * 32767, rel=0.01)
            assert np.argmax(abs(np.fft.rfft(part))) == frequency // 5


def with_card(heading):
    ((_, program),) = [each for each in PROGRAMS if each[0] == heading]
    return program


def test_the_program_for_controls(board, sound_card):
    program = with_card(WITH_CARD[0])
    card = sound_card(**demo.OPTIONS)
    result = board.run(program, device=card)
    assert result.status == 0 and agree(program, result.output)
    assert card.device.sound.controls[0].value == (60, 60)


def test_the_program_for_events(board, sound_card):
    def setup(device):
        device.clock.at(device.clock.now + 300_000, lambda: device.plug(1))

    program = with_card(WITH_CARD[1])
    result = board.run(program, device=sound_card(setup=setup, **demo.OPTIONS))
    assert result.status == 0 and agree(program, result.output)


def test_mpremote(firmware, tmp_path):
    (tmp_path / "main.py").write_text("print(6 * 7)")
    text = (tools.ROOT / "docs" / PAGE).read_text()
    lines = re.findall(r"^    mpremote (.*)", text, re.M)
    assert len(lines) == 2
    outputs = []
    with console(firmware, tmp_path) as line:
        line.until(PROMPT)
        line.line.close()
        for words in lines:
            assert "socket://127.0.0.1:5555" in words
            words = words.replace("5555", str(line.port)).split()
            command = [sys.executable, "-m", "mpremote", *words]
            done = subprocess.run(
                command, cwd=tmp_path, stdin=subprocess.DEVNULL, capture_output=True, timeout=60
            )
            assert done.returncode == 0, done
            outputs.append(done.stdout)
    assert re.search(rb" 12 main.py\r?\n", outputs[0]) and outputs[1].strip() == b"42"


def test_the_tests_of_your_own(tmp_path):
    ((_, program),) = [each for each in PROGRAMS if each[0] == ON_HOST]
    (tmp_path / "test_mine.py").write_text(program)
    words = ["-p", "virtboard.pytest_plugin", "test_mine.py"]
    assert "pytest " + " ".join(words) in (tools.ROOT / "docs" / PAGE).read_text()
    host = {"PYTHONPATH": str(tools.ROOT / "host")}
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", *words]
    done = subprocess.run(
        command, cwd=tmp_path, env=os.environ | host, capture_output=True, text=True, timeout=100
    )
    assert done.returncode == 0 and "2 passed" in done.stdout, done.stdout


def test_every_make_target_and_variable_is_there():
    makefile = (tools.ROOT / "Makefile").read_text()
    text = (tools.ROOT / "docs" / PAGE).read_text()
    lines = re.findall(r"^    make (.*?)(?:  +#.*)?$", text, re.M)
    assert len(lines) >= 5
    for line in lines:
        target, *settings = line.split()
        assert re.search(rf"^{target}:", makefile, re.M), line
        for setting in settings:
            assert re.search(rf"^#: +{setting.split('=')[0]}=", makefile, re.M), line
