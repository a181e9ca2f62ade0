# SPDX-License-Identifier: MIT
"""python -m virtsnd and python -m virtboard run --device: two programs, as people run them."""

import os
import subprocess
import sys
import time

import pytest
from virtboard import tools
from virtboard.process import started

PATIENCE = 20  # s

SCRIPT = """
from virtsnd import StreamInfo

OPTIONS = {"streams": (StreamInfo(), StreamInfo(direction=1))}


def setup(device):
    device.sound.streams[0].latency_bytes = 8
"""

MAIN = """
import vsnd
out = vsnd.open().output(rate=8000, channels=1, format=vsnd.S16, period=80)
out.write(bytes(range(160)) * 3)
out.close()
"""


def module(name, *words, **popen):
    environment = {k: v for k, v in os.environ.items() if k not in ("ROM", "WAV", "AUDIO")}
    environment |= {"PYTHONPATH": str(tools.ROOT / "host")}
    pipes = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    command = [sys.executable, "-m", name, *map(str, words)]
    return started(command, env=environment, text=True, **pipes)


@pytest.fixture
def rom(tmp_path):
    (tmp_path / "rom").mkdir()
    (tmp_path / "rom" / "main.py").write_text(MAIN)
    return tmp_path / "rom"


def test_two_programs(firmware, rom, tmp_path):
    path = tmp_path / "socket"
    (tmp_path / "script.py").write_text(SCRIPT)
    options = ("--once", "--script", tmp_path / "script.py")
    files = ("--trace", tmp_path / "trace", "--record", tmp_path / "wav")
    with module("virtsnd", path, *options, *files) as device:
        end = time.monotonic() + PATIENCE
        while not path.is_socket():
            assert time.monotonic() < end
            time.sleep(0.01)
        words = ("--headless", "--firmware", firmware, "--device", path, "--rom", rom)
        with module("virtboard", "run", *words) as board:
            out, errors = board.communicate(timeout=60)
            assert (board.returncode, out, errors) == (0, "", "")
        out, errors = device.communicate(timeout=PATIENCE)
        assert (device.returncode, errors) == (0, "")
    wav = tmp_path / "wav" / "1-stream0.wav"
    assert out.endswith(f"virtsnd: {wav}\n")
    assert [each.name for each in wav.parent.iterdir()] == [wav.name]
    data = wav.read_bytes()
    assert data[:4] == b"RIFF"
    assert data[22:28] == bytes([1, 0, 0x40, 0x1F, 0, 0])  # mono, 8000 Hz
    assert data[44:] == bytes(range(160)) * 3
    trace = (tmp_path / "trace").read_text().splitlines()
    requests = [line.split()[3] for line in trace if "control >" in line]
    assert requests[-5:] == ["SET_PARAMS", "PREPARE", "START", "STOP", "RELEASE"]
    assert sum("tx <" in line and "OK, latency 8" in line for line in trace) == 3


def test_a_recording_by_qemu_is_refused(firmware, tmp_path):
    words = ("--headless", "--firmware", firmware, "--device", tmp_path, "--wav", tmp_path)
    with module("virtboard", "run", *words) as board:
        _, errors = board.communicate(timeout=PATIENCE)
    assert board.returncode == 2
    assert errors == (
        "virtboard: --device records its sound itself: python -m virtsnd --record DIR\n"
    )
