# SPDX-License-Identifier: MIT
"""The life of the board: a soft reboot clears everything, and a crash says so."""

import os
import time

import pytest
from console import CTRL_C, CTRL_D, PROMPT, console

# By hand: REBOOTS=1000 pytest tests/qemu/test_life.py -k leak --timeout 1200
REBOOTS = int(os.environ.get("REBOOTS", "20"))


@pytest.fixture
def repl(firmware, tmp_path):
    """A board at its prompt."""
    with console(firmware, tmp_path) as board:
        board.until(PROMPT)
        yield board


def test_many_soft_reboots_while_a_tone_plays_leak_nothing(repl):
    seen = set()
    # What earlier calls left on the stack may look like addresses, and keep a block or two.
    collect = "deep(30); gc.collect(); "
    repl.soft_reboot()  # from now on each life begins with a purge, which is code on the heap
    for _ in range(REBOOTS):
        repl.run("import audio, gc, vsnd; from virtio import dma")
        repl.run("deep = lambda n: n and deep(n - 1)")
        repl.run(collect + "n = gc.mem_alloc(), gc.mem_free(), dma.available()")
        repl.run("out = vsnd.open().output(period=4800, periods=16)")
        repl.run(r"m = out.write((b'\0\x20' * 48 + b'\0\xe0' * 48) * 1600)")  # 1 kHz, 1.6 s
        repl.run("out.start()")
        repl.run(collect + "n += gc.mem_alloc(), dma.available()")
        assert repl.run("out.state") in ("'RUNNING'", "'XRUN'")  # a busy host lets it run dry
        seen.add(repl.run("n"))
        repl.soft_reboot()
    assert len(seen) == 1, f"figures of memory differ after {REBOOTS} reboots: {seen}"


# Each leaves something behind that must not live on, or that stands in the way of the end.
LEFTOVERS = {
    "hard timer": "Timer(period=1, callback=tick, hard=True)",
    "soft timer": "Timer(period=1, callback=tick)",
    "hundred timers": "x = [Timer(period=i, callback=tick, hard=i % 2) for i in range(1, 101)]",
    "slow soft timer": "Timer(period=1, callback=lambda t: time.sleep_ms(20))",
    "hard irq": "ring(virt.irq(11, tick, hard=True))",
    "soft irq": "ring(virt.irq(11, tick))",
    "scheduled": "[micropython.schedule(tick, 0) for _ in range(5)]",
    "schedules itself": "again(0)",
    "dupterm": "os.dupterm(Echo())",
    "dupterm that fails": "Echo.write = None; os.dupterm(Echo())",
    "interrupts disabled": "machine.disable_irq()",
    "heap locked": "micropython.heap_lock()",
    "scheduler locked": "virt.lock.__enter__()",
    "no ctrl-c": "micropython.kbd_intr(-1)",
    "an at_reset that fails": "virt.at_reset(lambda: 1 // 0)",
    "all memory": "hoard()",
    "the clock's alarm": "ring(0)",
}
SETUP = """
import gc, io, machine, micropython, os, time, virt
from machine import Timer, mem32
def tick(t): print("TICK")
def again(x): micropython.schedule(again, 0)
def ring(x):
    mem32[0x101010] = 1
    mem32[0x10100C] = mem32[0x101008] = 0
class Echo(io.IOBase):
    def write(self, data): return len(data)
    def readinto(self, buf): return None
    def ioctl(self, request, argument): return 0
def hoard():
    global held
    held = []
    while True:
        try: held.append(bytearray(1 << 14))
        except MemoryError: break
    while True:
        try: held.append(bytearray(1 << 9))
        except MemoryError: break
"""


@pytest.mark.parametrize("leftover", LEFTOVERS)
def test_nothing_of_a_program_outlives_a_soft_reboot(firmware, tmp_path, leftover):
    with console(firmware, tmp_path, memory="16M") as repl:
        repl.until(PROMPT)
        repl.paste(SETUP.strip() + "\n")
        repl.run("import vsnd; out = vsnd.open().output(period=4800, periods=16)")
        repl.run("n = out.write(bytes(192000)); out.start()")
        # In one piece with what resets: some of these leave no prompt to type at.
        repl.send(LEFTOVERS[leftover].encode() + b"; time.sleep_ms(5); machine.soft_reset()\r")
        before = repl.until(b"MPY: soft reboot\r\n")
        assert (b"ZeroDivisionError" in before) == ("at_reset" in leftover)
        assert b"TICK" not in repl.until(PROMPT)
        assert repl.run("import time; time.sleep_ms(50)") == ""
        assert repl.run("import machine; machine.reset_cause() == machine.SOFT_RESET") == "True"
        repl.send(b"while True: pass\r")
        repl.until(b"... ")
        repl.send(b"\r")
        time.sleep(0.3)
        repl.send(CTRL_C)
        assert b"KeyboardInterrupt" in repl.until(PROMPT)
        repl.run("import audio; audio.tone(440, 10)")


def test_the_prompt_comes_back_with_interrupts_disabled(repl):
    repl.run("import machine; x = machine.disable_irq()")
    assert repl.run("6 * 7") == "42"


def test_a_timer_prints_at_the_prompt_and_typing_goes_on(repl):
    repl.run("from machine import Timer; n = 0")
    repl.run("t = Timer(period=2, callback=lambda t: globals().update(n=n + 1))")
    assert repl.run("20 + 22") == "42"
    repl.run("import time; time.sleep_ms(50)")
    assert int(repl.run("n")) > 10
    repl.send(CTRL_D)
    repl.until(PROMPT)


# How a program ends that nobody has thought of


@pytest.mark.parametrize(
    "program, error",
    [
        ("assert 1 > 2, 'on purpose'", "AssertionError: on purpose"),
        ("x = []\nwhile True: x.append(bytes(1 << 20))", "MemoryError: memory allocation failed"),
        ("def f(): f()\nf()", "RuntimeError: maximum recursion depth exceeded"),
    ],
)
def test_an_error_of_the_program_is_its_status(board, program, error):
    result = board.run(program, memory="32M")
    assert result.status == 1
    assert result.output.splitlines()[-1].startswith(error)


@pytest.mark.parametrize("hard", [True, False])
@pytest.mark.parametrize("status", [0, 7])
def test_exit_in_a_callback_ends_the_board(board, hard, status):
    program = f"""
import machine, virt
machine.Timer(period=5, callback=lambda t: virt.exit({status}), hard={hard})
while True: pass
"""
    assert board.run(program).status == status


def test_system_exit_in_a_callback_does_not_end_the_program(board):
    # As on every board: a scheduled function's exceptions are printed, this one too.
    program = """
import machine, time
def leave(t): raise SystemExit(5)
machine.Timer(mode=machine.Timer.ONE_SHOT, period=5, callback=leave)
time.sleep_ms(20)
print("here")
"""
    result = board.run(program)
    assert result.status == 0
    assert result.output.splitlines()[-1] == "here"
