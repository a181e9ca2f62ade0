# SPDX-License-Identifier: MIT
"""`python -m virtboard run`, which is what `make run-qemu` calls: headless, and on a terminal."""

import os
import pty
import re
import select
import subprocess
import sys
import termios
import time

import pytest
from virtboard import tools
from virtboard.recording import Recording

PATIENCE = 30  # s


@pytest.fixture
def command(firmware, tmp_path):
    """(command line, environment) of a run whose recording is tmp_path/run.wav."""
    mine = ("ROM", "WAV", "AUDIO", "RATE", "STREAMS")
    environ = {k: v for k, v in os.environ.items() if k not in mine}
    environ["PYTHONPATH"] = str(tools.ROOT / "host")
    words = ["run", "--firmware", str(firmware), "--wav", str(tmp_path / "run.wav")]
    return [sys.executable, "-m", "virtboard", *words], environ


def headless(command, **environment):
    words, environ = command
    quiet = {"stdin": subprocess.DEVNULL, "capture_output": True, "text": True}
    return subprocess.run(words, env=environ | environment, timeout=60, **quiet)


def test_headless_the_tone_plays_and_is_reported(command, tmp_path):
    done = headless(command)
    assert (done.returncode, done.stderr) == (0, "")
    assert f"{tmp_path}/run.wav: 48480 frames, 1.010 s at 48000 Hz, 2 channels\n" in done.stdout
    for words in ("peak -8.7 dBFS", "dominant frequency 392.0 Hz", "silent gaps", "381 after"):
        assert words in done.stdout
    assert Recording(tmp_path / "run.wav").frames == 48480


def test_headless_the_status_is_the_guests(command, tmp_path):
    (tmp_path / "rom").mkdir()
    (tmp_path / "rom" / "main.py").write_text("import sys\nprint('mine')\nsys.exit(3)\n")
    done = headless(command, ROM=str(tmp_path / "rom"))
    assert done.returncode == 3
    assert done.stdout.startswith("mine\n")
    assert "the board ended with status 3" in done.stderr


class Terminal:
    """A command on a terminal of its own."""

    def __init__(self, command):
        words, environ = command
        self.master, slave = pty.openpty()
        self.slave = slave
        self.before = termios.tcgetattr(slave)
        self.process = subprocess.Popen(
            words, env=environ, stdin=slave, stdout=slave, stderr=slave, start_new_session=True
        )
        self.unread = ""

    def send(self, text):
        os.write(self.master, text.encode())

    def until(self, text):
        end = time.monotonic() + PATIENCE
        while text not in self.unread:
            ready, _, _ = select.select([self.master], [], [], max(0, end - time.monotonic()))
            assert ready, f"{text!r} does not come; at the end there is {self.unread[-300:]!r}"
            self.unread += os.read(self.master, 65536).decode().replace("\r", "")
        said, _, self.unread = self.unread.partition(text)
        return said + text

    def close(self):
        self.process.terminate()
        self.process.wait(PATIENCE)
        os.close(self.master)
        os.close(self.slave)


@pytest.fixture
def terminal(command):
    """The board on a terminal."""
    terminal = Terminal(command)
    yield terminal
    terminal.close()


def test_on_a_terminal_there_is_a_repl_after_the_tone(terminal, tmp_path):
    said = terminal.until(">>> ")
    assert "Ctrl-A X quits" in said
    assert "virtio sound device at" in said
    assert re.search(r"MicroPython v1\.", said)
    terminal.send("6*7\r")
    assert "6*7\n42\n" in terminal.until(">>> ")
    terminal.send("while True: pass\r\r")
    time.sleep(0.3)
    terminal.send("\3")
    assert "KeyboardInterrupt" in terminal.until(">>> ")
    terminal.send("\1x")
    assert "48480 frames" in terminal.until("after")
    assert terminal.process.wait(PATIENCE) == 0
    assert termios.tcgetattr(terminal.slave) == terminal.before
    assert Recording(tmp_path / "run.wav").frames == 48480


def test_a_program_can_end_the_board_on_a_terminal(terminal):
    terminal.until(">>> ")
    terminal.send("import virt; virt.exit(5)\r")
    assert "the board ended with status 5" in terminal.until("status 5")
    terminal.until("after")
    assert terminal.process.wait(PATIENCE) == 5
    assert termios.tcgetattr(terminal.slave) == terminal.before
