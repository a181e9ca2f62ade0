# SPDX-License-Identifier: MIT
"""mpremote, the tool that everybody uses, works on the board's serial port."""

import subprocess
import sys

import pytest
from console import PROMPT, console
from mpremote.transport_serial import SerialTransport


@pytest.fixture
def port(firmware, tmp_path):
    """What mpremote connects to: a board at its prompt."""
    with console(firmware, tmp_path) as board:
        board.until(PROMPT)
        board.line.close()
        yield f"socket://127.0.0.1:{board.port}"


def mpremote(port, *words):
    """Runs mpremote. Returns what subprocess.run() does, its lines ended by \\n."""
    command = [sys.executable, "-m", "mpremote", "connect", port, *map(str, words)]
    return subprocess.run(
        command, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60
    )


def test_exec(port):
    for _ in range(3):
        done = mpremote(port, "exec", "print(6 * 7)")
        assert (done.returncode, done.stdout, done.stderr) == (0, "42\n", "")


def test_eval(port):
    assert mpremote(port, "eval", "2 ** 100").stdout == f"{2**100}\n"


def test_an_exception_is_a_status(port):
    done = mpremote(port, "exec", "1/0")
    assert done.returncode == 1
    assert "ZeroDivisionError" in done.stdout + done.stderr


def test_run_a_file_that_plays(port, tmp_path):
    program = tmp_path / "play.py"
    program.write_text("import audio\naudio.tone(440, 100)\nprint('heard')\n")
    done = mpremote(port, "run", program)
    assert (done.returncode, done.stdout) == (0, "heard\n")


def test_a_long_program(port, tmp_path):
    program = tmp_path / "long.py"
    lines = [f"x{n} = '{'y' * 80}'" for n in range(500)]
    program.write_text("\n".join([*lines, "print(len(x499))", ""]))
    assert mpremote(port, "run", program).stdout == "80\n"


def test_raw_paste_is_used(port):
    transport = SerialTransport(port)
    try:
        transport.enter_raw_repl()
        assert transport.exec("print('a' * 1000)") == b"a" * 1000 + b"\r\n"
        assert transport.use_raw_paste
        transport.exit_raw_repl()
    finally:
        transport.close()


def test_mount_a_folder(port, tmp_path):
    (tmp_path / "here").mkdir()
    (tmp_path / "here" / "mine.py").write_text("print('from', __name__)\n")
    done = mpremote(port, "mount", tmp_path / "here", "exec", "import mine")
    assert done.returncode == 0
    assert "from mine\n" in done.stdout


def test_resume_keeps_what_was_defined(port):
    assert mpremote(port, "exec", "x = 5").returncode == 0
    assert mpremote(port, "resume", "exec", "print(x)").stdout == "5\n"


def test_soft_reset(port):
    assert mpremote(port, "exec", "x = 5").returncode == 0
    done = mpremote(port, "resume", "soft-reset", "exec", "print('x' in globals())")
    assert done.stdout == "False\n"
