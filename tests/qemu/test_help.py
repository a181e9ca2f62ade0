# SPDX-License-Identifier: MIT
"""What a newcomer reads first: help(). What it says to type works; the banner names it."""

import io
import re
import wave

import pytest
from virtboard import tools

QUOTED = re.compile(r"(\S.*?)  +(\S.*)")


def beep():
    """A WAV file of 1000 frames, as bytes."""
    file = io.BytesIO()
    with wave.open(file, "wb") as writer:
        writer.setparams((2, 2, 48000, 0, "NONE", None))
        writer.writeframes(b"\1\2\3\4" * 1000)
    return file.getvalue()


@pytest.fixture
def text(board):
    """What help() prints."""
    return board.run("help()").output


def part(text, title):
    """The lines under a title, as (what to type, what it does)."""
    lines = re.search(rf"^{title}:\n((?:  .*\n)+)", text, re.M)[1].splitlines()
    return [QUOTED.match(line.strip()).groups() for line in lines]


def test_it_fits_a_terminal(text):
    lines = text.splitlines()
    assert len(lines) <= 23 and max(map(len, lines)) < 80  # and the prompt below


def test_the_first_steps_can_be_typed(board, text):
    steps = [step for step, _ in part(text, "First steps")]
    assert len(steps) == 8
    program = ["buf = bytes(4 * 4800)", *steps[:-1], "print(out.state)", f"print(({steps[-1]}))"]
    program = "\n".join(program).replace("print((import os; ", "import os; print((")
    result = board.run(program, files={"x.wav": beep()})
    assert result.status == 0
    lines = result.output.splitlines()
    assert lines[0].startswith("virtio sound device at ")
    assert lines[-2:] == ["CLOSED", "['main.py', 'x.wav']"]
    # 500 ms of tone, the file and the buffer; each filled up to a whole period.
    assert result.recording.frames == 24000 + 1440 + 4800


def test_the_keys_and_where_there_is_more(text):
    assert [key for key, _ in part(text, "Keys")] == ["CTRL-C", "CTRL-D", "CTRL-E", "CTRL-A X"]
    page = re.search(r"docs/\w+\.md", text)[0]
    assert (tools.ROOT / page).is_file()


def test_help_of_modules_and_of_an_object(board):
    program = """
        help("modules")
        import vsnd
        out = vsnd.open().output()
        help(out)
    """
    said = board.run(program).output
    listed, _, members = said.partition("object <Output stream 0: PREPARED")
    assert {"audio/__init__", "machine", "vsnd/__init__", "wave"} <= set(listed.split())
    assert {"write", "drain", "close"} <= set(re.findall(r"^  (\w+) -- ", members, re.M))
