# SPDX-License-Identifier: MIT
"""mpremote on a board that is served over TCP (make serve), and over a pseudo terminal."""

import os
import re
import socket
import subprocess
import sys
import time
from contextlib import contextmanager

import pytest

from virtboard import tools
from virtboard.process import Drain, started

PATIENCE = 20  # s
PROMPT = b"\r\n>>> "


@contextmanager
def virtboard(firmware, tmp_path, *words):
    """A running `python -m virtboard run`, and a function that waits for a line that it prints."""
    command = [sys.executable, "-m", "virtboard", "run", "--firmware", firmware]
    command += ["--wav", tmp_path / "run.wav", *words]
    environment = os.environ | {"PYTHONPATH": str(tools.ROOT / "host"), "PYTHONUNBUFFERED": "1"}
    pipes = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.STDOUT}
    with started([str(word) for word in command], env=environment, **pipes) as process:
        said = bytearray()
        Drain(process.stdout, said.extend)

        def wait_for(pattern):
            end = time.monotonic() + PATIENCE
            while not (match := re.search(pattern, said.decode(errors="replace"))):
                assert time.monotonic() < end, f"{pattern} does not come: {said.decode()}"
                time.sleep(0.01)
            return match[1]

        yield process, wait_for


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as server:
        return server.getsockname()[1]


@contextmanager
def tcp(firmware, tmp_path, *words):
    port = free_port()
    with virtboard(firmware, tmp_path, "--port", port, *words) as (_, wait_for):
        yield wait_for(r"mpremote connect (socket://127\.0\.0\.1:\d+) ")


@contextmanager
def pty(firmware, tmp_path, *words):
    with virtboard(firmware, tmp_path, "--serial", "pty", *words) as (_, wait_for):
        yield wait_for(r"redirected to (/dev/pts/\d+) ")


@pytest.fixture(params=[tcp, pty], ids=["tcp", "pty"])
def port(request, firmware, tmp_path):
    """What mpremote connects to: a board with a disk."""
    with request.param(firmware, tmp_path, "--disk", tmp_path / "disk.img") as port:
        yield port


@pytest.fixture
def plain_port(firmware, tmp_path):
    """The same without a disk."""
    with tcp(firmware, tmp_path) as port:
        yield port


def mpremote(port, *words, status=0):
    """Runs mpremote, which has to end with that status. Returns what it printed, as lines."""
    command = [sys.executable, "-m", "mpremote", "connect", port, *map(str, words)]
    done = subprocess.run(
        command, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60
    )
    assert done.returncode == status, done.stdout + done.stderr
    return done.stdout.splitlines()


def test_files_there_and_back(port, tmp_path):
    data = bytes(range(256)) * 16  # Ctrl-C and all the others
    (tmp_path / "data.bin").write_bytes(data)
    (tmp_path / "mod.py").write_text("print('imported', __name__)\n")
    mpremote(port, "cp", tmp_path / "data.bin", tmp_path / "mod.py", ":")
    assert mpremote(port, "ls")[1:] == ["        4096 data.bin", "          28 mod.py"]
    mpremote(port, "cp", ":data.bin", tmp_path / "back.bin")
    assert (tmp_path / "back.bin").read_bytes() == data
    assert mpremote(port, "exec", "import mod") == ["imported mod"]


def test_resets_leave_files(plain_port, tmp_path):
    port = plain_port
    (tmp_path / "mod.py").write_text("print('imported', __name__)\n")
    mpremote(port, "cp", tmp_path / "mod.py", ":")
    mpremote(port, "reset")
    assert mpremote(port, "cat", ":mod.py") == ["print('imported', __name__)"]
    copy = ("cp", tmp_path / "mod.py", ":sub/other.py")
    said = mpremote(port, "soft-reset", "mkdir", ":sub", "+", *copy, "+", "ls", ":sub")
    assert said[-1] == "          28 other.py"
    said = mpremote(port, "rm", "-r", ":sub", "+", "ls")
    assert said[-2:] == ["ls :", "          28 mod.py"]


def test_the_status_of_a_program(port, tmp_path):
    (tmp_path / "good.py").write_text("print('good')\n")
    (tmp_path / "bad.py").write_text("print('bad')\nint('x')\n")
    for _ in range(3):
        assert mpremote(port, "run", tmp_path / "good.py") == ["good"]
        assert mpremote(port, "run", tmp_path / "bad.py", status=1)[0] == "bad"


def test_a_package_from_this_computer(port, tmp_path):
    package = tmp_path / "package"
    package.mkdir()
    (package / "code.py").write_text("def answer():\n    return 42\n")
    (package / "package.json").write_text('{"urls": [["deep/mod.py", "code.py"]]}')
    assert mpremote(port, "mip", "install", package / "package.json")[-1] == "Done"
    program = "import deep.mod; print(deep.mod.answer(), deep.mod.__file__)"
    assert mpremote(port, "exec", program) == ["42 /disk/lib/deep/mod.py"]


def test_room_and_rom(port):
    name, size, used, avail, percent, *_, path = mpremote(port, "df")[1].split()
    assert (name, percent, path) == ("<VfsFat>", "0", "/disk")
    assert 60 << 20 < int(avail) <= int(size) < 64 << 20
    said = mpremote(port, "romfs", "query")
    assert said[0].startswith("ROMFS0 partition has size 33554432 bytes")


def test_without_a_disk_there_is_the_ram_disk(plain_port, tmp_path):
    port = plain_port
    package = tmp_path / "package"
    package.mkdir()
    (package / "mod.py").write_text("x = 'from ' + __file__\n")
    (package / "package.json").write_text('{"urls": [["mod.py", "mod.py"]]}')
    mpremote(port, "mip", "install", package / "package.json")
    assert mpremote(port, "exec", "import mod; print(mod.x)") == ["from /lib/mod.py"]
    mpremote(port, "cp", package / "mod.py", ":/other.py")
    mpremote(port, "reset")
    assert mpremote(port, "exec", "import other; print(other.x)") == ["from other.py"]
    assert mpremote(port, "df")[1].split()[-1] == "/"


def test_a_main_py_does_not_lock_mpremote_out(plain_port, tmp_path):
    (tmp_path / "main.py").write_text("print('main')\nwhile True: pass\n")
    mpremote(plain_port, "cp", tmp_path / "main.py", ":")
    assert mpremote(plain_port, "exec", "print(1)") == ["1"]
    mpremote(plain_port, "reset")
    assert mpremote(plain_port, "exec", "print(2)") == ["2"]


def test_the_clock(plain_port):
    year = mpremote(plain_port, "rtc")[0].strip("()").split(",")[0]
    assert int(year) == time.gmtime().tm_year


def test_a_mounted_folder_is_writable(plain_port, tmp_path):
    (tmp_path / "here").mkdir()
    program = "f = open('out.txt', 'w'); f.write('by the board'); f.close()"
    mpremote(plain_port, "mount", tmp_path / "here", "exec", program)
    assert (tmp_path / "here" / "out.txt").read_text() == "by the board"


def test_connections_come_and_go(plain_port):
    port = int(plain_port.rpartition(":")[2])
    for n in range(20):
        with socket.create_connection(("127.0.0.1", port), PATIENCE) as line:
            line.settimeout(PATIENCE)
            line.sendall(b"\3\r")
            said = b""
            while PROMPT not in said:
                data = line.recv(4096)
                assert data, "the board's port closed the connection"
                said += data
                assert len(said) < 1_000_000, "what the last one left still runs"
            # Left in the middle of what it says: the next one interrupts it.
            line.sendall(b"while True: print('nobody hears me')\r\r")
    assert mpremote(plain_port, "exec", "print('still here')") == ["still here"]


def test_a_port_in_use(firmware, tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as server:
        words = ("--port", server.getsockname()[1])
        with virtboard(firmware, tmp_path, *words) as (process, wait_for):
            assert wait_for("(virtboard: cannot serve on 127.0.0.1:.*: Address already in use)")
            assert process.wait(PATIENCE) == 2
