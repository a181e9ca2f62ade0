# SPDX-License-Identifier: MIT
"""The REPL over the UART, in real time: what works at any board's prompt works at this one."""

import re
import time

import pytest
from console import CTRL_A, CTRL_B, CTRL_C, CTRL_D, CTRL_E, PROMPT, console


@pytest.fixture
def repl(firmware, tmp_path):
    """A board at its prompt."""
    with console(firmware, tmp_path) as board:
        board.banner = board.until(PROMPT).decode()
        yield board


@pytest.mark.every_board
def test_banner_and_arithmetic(repl, xlen):
    assert re.search(
        rf"MicroPython v1\.\d+\.\d+ on .*; QEMU virt with RISC-V rv{xlen}gc\r\n", repl.banner
    )
    assert 'Type "help()" for more information.' in repl.banner
    assert repl.run("1+1") == "2"


def test_a_block_of_lines(repl):
    repl.send(b"for i in range(3):\r")
    repl.until(b"... ")
    repl.send(b"print(i)\r")
    repl.until(b"... ")
    repl.send(b"\x7f\r")  # Backspace takes the indent away, the empty line ends the block
    assert b"0\r\n1\r\n2\r\n" in repl.until(PROMPT)


def test_an_error_leaves_the_repl_alive(repl):
    assert "ZeroDivisionError: divide by zero" in repl.run("1/0")
    assert repl.run("1+1") == "2"


def test_tab_completes_names(repl):
    repl.run("wonderful = 42")
    repl.send(b"wonder\t\r")
    assert repl.until(PROMPT) == b"wonderful\r\n42\r\n" + PROMPT
    repl.run("import machine")
    repl.send(b"machine.reset_c\t()\r")
    assert b"machine.reset_cause()\r\n" in repl.until(PROMPT)


def test_tab_lists_what_there_is(repl):
    repl.run("alpha_one = alpha_two = 1")
    repl.send(b"alpha\t\t")
    listed = repl.until(b"alpha_two") + repl.until(b"alpha_")
    assert b"alpha_one" in listed
    repl.send(CTRL_C)
    repl.until(PROMPT)


def test_arrow_up_brings_back_earlier_lines(repl):
    repl.run("'first'")
    repl.run("'second'")
    repl.send(b"\x1b[A\x1b[A\r")
    assert repl.until(PROMPT).endswith(b"\r\n'first'\r\n" + PROMPT)


def test_editing_within_a_line(repl):
    repl.send(b"12\x1b[D3\x01-\x05+1\r")  # left; Home; End
    assert repl.until(PROMPT).endswith(b"\r\n-131\r\n" + PROMPT)


@pytest.mark.every_board
def test_paste_mode(repl):
    program = "def f(n):\n    return n * 2\n\nfor i in range(2):\n    print(f(i + 20))\n"
    assert repl.paste(program) == "40\n42\n"


def test_paste_mode_can_be_left(repl):
    repl.send(CTRL_E)
    repl.until(b"=== ")
    repl.send(b"print('never')" + CTRL_C)
    assert b"never\r\n" not in repl.until(PROMPT)


def test_a_long_paste_loses_nothing(repl):
    lines = [f"text.append('{n:04}' + '{'x' * 60}')" for n in range(300)]
    program = "\n".join(["text = []", *lines, "print(len(text), sum(map(len, text)))", ""])
    assert repl.paste(program) == f"300 {300 * 64}\n"


@pytest.mark.every_board
def test_raw_repl(repl):
    repl.send(CTRL_A)
    repl.until(b"raw REPL; CTRL-B to exit\r\n>")
    repl.send(b"print(6 * 7)" + CTRL_D)
    assert repl.until(b"\x04>") == b"OK42\r\n\x04\x04>"
    repl.send(b"1/0" + CTRL_D)
    assert b"ZeroDivisionError" in repl.until(b"\x04>")
    repl.send(CTRL_B)
    assert b"MicroPython v1." in repl.until(PROMPT)


def test_raw_paste(repl):
    repl.send(CTRL_A)
    repl.until(b"raw REPL; CTRL-B to exit\r\n>")
    repl.send(b"\x05A\x01")
    repl.until(b"R\x01")
    window = int.from_bytes(repl.take(2), "little")
    assert window >= 16
    program = b"\n".join(b"x%d = %d" % (n, n) for n in range(100)) + b"\nprint(x99)\n"
    room = window
    for at in range(0, len(program), window):
        part = program[at : at + window]
        while room < len(part):
            assert repl.take(1) == b"\x01"
            room += window
        repl.send(part)
        room -= len(part)
    repl.send(CTRL_D)
    repl.until(CTRL_D)
    assert repl.until(b"\x04>") == b"99\r\n\x04\x04>"


ENDLESS = [
    "while True: pass",
    "time.sleep(100)",
    "time.sleep_ms(100000)",
    "machine.lightsleep(100000)",
    "asyncio.run(asyncio.wait_for(asyncio.Event().wait(), 100))",
    "input()",
    "out.write(bytes(480 * 4 * 1000))",
    "[out.write(bytes(480 * 4 * 8)), out.pause(), time.sleep(100)]",
]


@pytest.mark.parametrize("statement", ENDLESS)
def test_ctrl_c_interrupts(repl, statement):
    repl.run("import asyncio, machine, time, vsnd")
    repl.run("out = vsnd.open().output()")
    repl.send(statement.encode() + b"\r")
    if statement.startswith("while"):
        repl.send(b"\r")  # ends the block
    time.sleep(0.3)
    began = time.monotonic()
    repl.send(CTRL_C)
    assert b"KeyboardInterrupt: \r\n" in repl.until(PROMPT)
    assert time.monotonic() - began < 2
    assert repl.run("1+1") == "2"


@pytest.mark.parametrize("before", [b"", b"2+3\r"])
def test_ctrl_c_before_the_program_has_begun(repl, before):
    """It comes while the prompt still reads the line, and what else was typed is not lost."""
    repl.send(b"while True: pass" + b" " * 200 + b"\r\r" + before + CTRL_C)
    assert b"KeyboardInterrupt: \r\n" in repl.until(PROMPT)
    if before:
        assert b"\r\n5\r\n" in repl.until(PROMPT)
    assert repl.run("1+1") == "2"


def test_soft_reboot_forgets_what_was_defined(repl):
    repl.run("x = 1")
    repl.soft_reboot()
    assert "NameError" in repl.run("x")


def test_soft_reboot_does_not_repeat_the_tone(firmware, tmp_path):
    with console(firmware, tmp_path, append="") as board:
        assert b"virtio sound device" in board.until(PROMPT)
        board.send(CTRL_D)
        assert b"virtio sound device" not in board.until(PROMPT)
        recording = board.power_off()
    assert recording.frames == 48480


def test_a_soft_reboot_asked_for_by_a_program(repl):
    repl.send(b"import machine; machine.soft_reset()\r")
    assert b"MPY: soft reboot\r\n" in repl.until(PROMPT)


def test_machine_reset_starts_all_over(repl):
    assert repl.run("import machine; machine.reset_cause() == machine.PWRON_RESET") == "True"
    repl.send(b"machine.reset()\r")
    assert b"MicroPython v1." in repl.until(PROMPT)
    assert repl.run("import machine; machine.reset_cause() == machine.HARD_RESET") == "True"
    repl.soft_reboot()
    assert repl.run("import machine; machine.reset_cause() == machine.SOFT_RESET") == "True"


def test_an_idle_prompt_takes_no_processor_time(repl):
    repl.run("import vsnd; out = vsnd.open().output()")
    time.sleep(0.5)
    before, began = repl.cpu_seconds(), time.monotonic()
    time.sleep(3)
    used = (repl.cpu_seconds() - before) / (time.monotonic() - began)
    assert used < 0.02
    # That the measurement sees a busy board.
    repl.send(b"while True: pass\r\r")
    before, began = repl.cpu_seconds(), time.monotonic()
    time.sleep(1)
    assert (repl.cpu_seconds() - before) / (time.monotonic() - began) > 0.1


def test_a_sleeping_board_takes_no_processor_time(repl):
    repl.run("import time")
    repl.send(b"time.sleep(100)\r")
    time.sleep(0.5)
    before, began = repl.cpu_seconds(), time.monotonic()
    time.sleep(3)
    assert (repl.cpu_seconds() - before) / (time.monotonic() - began) < 0.02
