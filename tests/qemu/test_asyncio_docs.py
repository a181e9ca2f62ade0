# SPDX-License-Identifier: MIT
"""The programs of docs/asyncio.md do what it says."""

import pytest
from feed import noise
from pages import programs
from two_cards import stereo

PROGRAMS = [program for _, program in programs("asyncio.md")]
SQUARE = 48 * (100 * b"\0\x20" + 100 * b"\0\xe0")

# By what is found in no other program: what it prints, and what is played.
WITH_INPUT = {
    "    mic.readinto(heard)": ("19200 bytes heard\n", 5 * SQUARE),
    "import select": ("192000 bytes heard\n", 10 * SQUARE),
    "asyncio.gather": ("192000 bytes heard\n", 10 * SQUARE),
    "StreamReader": ("19200 bytes heard\n", 5 * SQUARE),
}
OUTPUT_ALONE = {
    "turns > 5": ("True\n", SQUARE),
    "out.irq(": ("", 10 * SQUARE),
}


def program(mark):
    """The one program that has this text in it."""
    (found,) = [each for each in PROGRAMS if mark in each]
    return found


def test_every_program_is_run():
    assert len(PROGRAMS) == len(WITH_INPUT) + len(OUTPUT_ALONE) + 1


@pytest.mark.parametrize("mark", WITH_INPUT)
def test_a_program_that_records(board, mark):
    feed = board.folder / "feed"
    feed.write_bytes(noise(1000000))
    result = board.run(program(mark), audio="files", streams=2, feed=feed)
    assert (result.status, result.output) == (0, WITH_INPUT[mark][0])
    assert result.played == WITH_INPUT[mark][1]


@pytest.mark.parametrize("mark", OUTPUT_ALONE)
def test_a_program_that_plays(board, mark):
    result = board.run(program(mark))
    assert (result.status, result.output) == (0, OUTPUT_ALONE[mark][0])
    assert result.recording.first_difference(stereo(OUTPUT_ALONE[mark][1])) is None


def test_the_program_that_runs_into_a_limit(board):
    result = board.run(program("wait_for"))
    assert result.status == 0
    frames = int(result.output.removeprefix("after a quarter of a second: ").split()[0])
    assert 12000 <= frames < 14000
    first = result.recording.frames - 4800
    assert first - frames in (0, 480)
    assert result.recording.first_difference(stereo((10 * SQUARE)[: 4 * first] + SQUARE)) is None
