# SPDX-License-Identifier: MIT
"""Real voice recordings, Debian's, are played complete and bit-exact."""

import os
import wave

import numpy as np
import pytest
from virtboard import tools

NAMES = sorted(path.name for path in (tools.TOOLS / "sounds").glob("*.wav"))


@pytest.fixture(scope="module", autouse=True)
def sounds():
    """The recordings are optional: an archive may lack them. In CI they must be there."""
    if not NAMES and not os.environ.get("CI"):
        pytest.skip("no recordings in .tools/sounds: `make tools` found none to download")
    assert len(NAMES) == 9


def heard(name):
    """(rate, frames that must be in the recording) of one file, as Python's own wave reads it."""
    with wave.open(str(tools.TOOLS / "sounds" / name)) as file:
        rate, channels = file.getframerate(), file.getnchannels()
        assert file.getsampwidth() == 2
        frames = np.frombuffer(file.readframes(file.getnframes()), "<i2").reshape(-1, channels)
    frames = np.pad(frames, ((0, -len(frames) % (rate // 100)), (0, 0)))
    return rate, np.repeat(frames, 2, axis=1) if channels == 1 else frames


def files(names):
    """These recordings, to be put into /rom."""
    return {name: (tools.TOOLS / "sounds" / name).read_bytes() for name in names}


@pytest.mark.every_board
def test_all_voices_twice_in_one_boot(board):
    voices = [heard(name) for name in NAMES]
    assert {rate for rate, _ in voices} == {48000}
    program = f"""
import audio
for _ in range(2):
    for name in {NAMES}:
        audio.play('/rom/' + name)
        print(name)
"""
    result = board.run(program, files(NAMES))
    assert result.status == 0
    assert result.output.split() == NAMES * 2
    wanted = np.concatenate([frames for _, frames in voices] * 2)
    assert result.recording.first_difference(wanted) is None


def test_a_voice_read_into_the_heap(board):
    program = """
import audio
with open('/rom/Front_Center.wav', 'rb') as f:
    audio.play(f.read())
"""
    result = board.run(program, files(["Front_Center.wav"]))
    assert result.status == 0
    assert result.recording.first_difference(heard("Front_Center.wav")[1]) is None


def test_a_voice_on_an_open_output_frame_by_frame(board):
    program = """
import vsnd, wave
with wave.open('/rom/Rear_Left.wav') as voice:
    with vsnd.open().output(rate=voice.getframerate(), channels=voice.getnchannels()) as out:
        part = voice.readframes(1000)
        while part:
            out.write(part)
            part = voice.readframes(1000)
"""
    result = board.run(program, files(["Rear_Left.wav"]))
    assert result.status == 0
    assert result.recording.first_difference(heard("Rear_Left.wav")[1]) is None


def test_a_lost_frame_would_be_noticed(board):
    # That the comparison can fail: a program that skips one frame in the middle.
    program = """
import vsnd, wave
with wave.open('/rom/Noise.wav') as voice, vsnd.open().output(channels=1) as out:
    out.write(voice.readframes(20000))
    voice.readframes(1)
    out.write(voice.readframes(-1))
"""
    result = board.run(program, files(["Noise.wav"]))
    assert result.status == 0
    line = result.recording.first_difference(heard("Noise.wav")[1])
    assert line.startswith("frame 20000: ")
    assert "from there 1 frames are missing" in line
