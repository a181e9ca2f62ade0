# SPDX-License-Identifier: MIT
"""The board boots and plays its embedded tone: every frame of it, the same in every run."""

import os
import subprocess

import pytest
from virtboard.process import started
from virtboard.qemu import Machine

START_LIMIT = {64: 800_000, 32: 1_000_000}  # guest instructions, by word size


@pytest.mark.every_board
def test_the_recording_is_the_tone_frame_by_frame(board, tone):
    result = board.run()
    assert result.status == 0
    assert result.recording.first_difference(tone) is None


def test_the_tone_sounds_as_its_formula_says(tone):
    # That the comparison above is not one of silence with silence.
    assert len(tone) == 48480
    assert tone.max() > 11990
    assert tone.min() < -11990
    assert (tone[:48100] != 0).any(axis=1).mean() > 0.99
    assert (tone[:, 0] != tone[:, 1]).mean() > 0.9


def test_two_runs_leave_the_same_bytes(board):
    first, second = board.run(), board.run()
    assert first.wav.read_bytes() == second.wav.read_bytes()
    assert first.output == second.output


def test_the_card_is_printed(board):
    lines = board.run().output.splitlines()
    assert "virtio sound device at 0x10008000" in lines[0]
    assert lines[1].startswith("  stream 0: output, 1..2 channels, ")
    assert {"S16", "FLOAT", "48000"} <= set(lines[1].replace(",", "").split())
    assert len(lines) == 2


def test_a_main_py_runs_instead_of_the_tone(board):
    result = board.run("print('mine')")
    assert (result.status, result.output) == (0, "mine\n")
    assert result.recording.frames == 0


def test_the_first_sound_starts_early(firmware, xlen, tmp_path):
    """Counts guest instructions from power-on to QEMU's own trace of PCM_START.

    QEMU logs each instruction, into a pipe, as it is executed; the firmware is as it is.
    """
    read_end, write_end = os.pipe()
    log = ["-accel", "tcg,one-insn-per-tb=on", "-d", "exec,nochain", "-D", f"/dev/fd/{write_end}"]
    machine = Machine(
        firmware,
        wav=tmp_path / "run.wav",
        append="batch",
        extra=[*log, "-trace", "virtio_snd_handle_code"],
    )
    pipes = {"stdin": subprocess.DEVNULL, "stdout": subprocess.DEVNULL}
    with started(machine.command(), pass_fds=[write_end], **pipes):
        os.close(write_end)
        with open(read_end, "rb") as lines:
            executed = count_until(lines, b"Trace ", b"VIRTIO_SND_R_PCM_START")
    assert 100_000 < executed < START_LIMIT[xlen]


def count_until(lines, beginning, end):
    """How many lines have that beginning before the first that holds `end`."""
    count = 0
    for line in lines:
        if line.startswith(beginning):
            count += 1
        elif end in line:
            return count
    raise AssertionError(f"{end} never came, after {count} lines")
