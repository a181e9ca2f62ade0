# SPDX-License-Identifier: MIT
"""The UART in asyncio and select.poll: sys.stdin and sys.stdout as streams, in real time."""

import hashlib
import time

import pytest
from console import CTRL_C, CTRL_D, CTRL_E, PROMPT, console
from pages import programs

PROGRAMS = [program for _, program in programs("console.md")]


@pytest.fixture
def repl(firmware, tmp_path):
    """A board at its prompt."""
    with console(firmware, tmp_path, sound=False) as board:
        board.until(PROMPT)
        yield board


def start(repl, program, ready=b"READY\r\n"):
    """Enters a program, which prints `ready` when it wants to be typed at."""
    lines = program.strip().encode().split(b"\n")
    repl.send(CTRL_E)
    repl.until(b"=== ")
    repl.send(b"\r".join(lines) + CTRL_D)
    for line in lines:
        repl.until(line + b"\r\n")  # the echo
    if ready:
        repl.until(ready)


def ended(repl):
    """What the program printed to its end."""
    return repl.until(PROMPT).removesuffix(PROMPT).decode().replace("\r\n", "\n")


def test_poll_of_stdin(repl):
    start(repl, """
import select, sys
poller = select.poll()
poller.register(sys.stdin, select.POLLIN)
print(poller.poll(0), poller.poll(50))
print("READY")
for stream, event in poller.poll(20000): print(stream is sys.stdin, event == select.POLLIN)
print(sys.stdin.read(1), poller.poll(20000) != [], sys.stdin.read(2), poller.poll(0))
poller.modify(sys.stdin, select.POLLIN | select.POLLOUT)
print(poller.poll(0)[0][1] == select.POLLOUT)
""")
    repl.send(b"abc")
    assert ended(repl) == "True True\na True bc []\nTrue\n"


TICKS = """
import asyncio, sys
sys.stdin.setblocking(False)
sys.stdin.buffer.setblocking(False)

async def ticks():
    while True:
        await asyncio.sleep_ms(50)
        print("tick")

async def main():
    task = asyncio.create_task(ticks())
    reader = asyncio.StreamReader(sys.stdin)
    print("READY")
    print(await WHAT)
    task.cancel()

asyncio.run(main())
"""


@pytest.mark.parametrize(
    "read, parts, said",
    [
        ("reader.readline()", [b"he", b"ll", b"o\r"], "b'hello\\n'"),
        ("reader.readexactly(6)", [b"abc", b"def"], "b'abcdef'"),
        ("reader.read(100)", [b"x"], "x"),
        ("asyncio.StreamReader(sys.stdin.buffer).readexactly(4)", [b"\r\xff", b"\0\r"],
         "b'\\r\\xff\\x00\\r'"),
    ],
)
def test_others_run_while_somebody_types(repl, read, parts, said):
    start(repl, TICKS.replace("WHAT", read))
    for part in parts:
        repl.until(b"tick\r\ntick\r\n")
        repl.send(part)
    assert ended(repl).replace("tick\n", "") == said + "\n"


def test_ctrl_c_ends_a_reader(repl):
    start(repl, TICKS.replace("WHAT", "reader.readline()"))
    repl.send(b"half a li")
    repl.until(b"tick\r\n")
    repl.send(CTRL_C)
    assert "KeyboardInterrupt" in ended(repl)
    assert repl.run("1+1") == "2"


def test_much_both_ways_at_once(repl):
    # What comes is sent back in parts, while the sender goes on: nothing is lost or out of order.
    start(repl, """
import asyncio, micropython, sys
sys.stdin.buffer.setblocking(False)
micropython.kbd_intr(-1)

async def main():
    reader = asyncio.StreamReader(sys.stdin.buffer)
    writer = asyncio.StreamWriter(sys.stdout.buffer)
    left = 60000
    print("READY")
    while left:
        data = await reader.read(min(left, 4096))
        left -= len(data)
        writer.write(data)
        await writer.drain()

asyncio.run(main())
micropython.kbd_intr(3)
""")
    data = b"".join(hashlib.sha256(b"%d" % n).digest() for n in range(1875))
    for at in range(0, len(data), 20000):
        repl.send(data[at : at + 20000])
        assert repl.take(20000) == data[at : at + 20000]
    assert ended(repl) == ""


def test_reads_that_do_not_block(repl):
    assert repl.run("import sys; sys.stdin.setblocking(False)") == ""
    # At the prompt the newline of this very line may be there still, but no more than that.
    assert repl.run("sys.stdin.read(), sys.stdin.read(5), sys.stdin.readline()") in (
        "(None, None, None)", "('\\n', None, None)"
    )
    assert repl.run("sys.stdin.readinto(bytearray(5))") == ""
    assert "EPERM" in repl.run("sys.stdout.read(1)")
    assert "EPERM" in repl.run("sys.stdin.write('x')")
    repl.soft_reboot()
    repl.run("import sys")
    repl.send(b"sys.stdin.read(3)\r")
    time.sleep(0.2)
    repl.send(b"abc")
    assert repl.until(PROMPT).endswith(b"'abc'\r\n" + PROMPT)


WAITING = {
    "asyncio.sleep": "asyncio.sleep(100)",
    "a reader": "asyncio.StreamReader(sys.stdin).readline()",
    "a flag": "asyncio.ThreadSafeFlag().wait()",
    "all of them": "asyncio.gather(nap(), asyncio.ThreadSafeFlag().wait(),"
    " asyncio.StreamReader(sys.stdin).readline())",
}


@pytest.mark.parametrize("what", WAITING)
def test_waiting_takes_no_processor_time(repl, what):
    start(repl, f"""
import asyncio, sys
async def nap():
    await asyncio.sleep(100)
async def main():
    print("READY")
    await {WAITING[what]}
asyncio.run(main())
""")
    time.sleep(0.5)
    before, began = repl.cpu_seconds(), time.monotonic()
    time.sleep(3)
    assert (repl.cpu_seconds() - before) / (time.monotonic() - began) < 0.02
    repl.send(CTRL_C)
    assert "KeyboardInterrupt" in ended(repl)


# docs/console.md


def test_the_program_that_waits_for_a_key(repl):
    start(repl, PROGRAMS[0], b"")
    time.sleep(0.5)
    repl.send(b"x")
    assert ended(repl) == "a key: 'x'\n"


def test_the_program_that_reads_a_line(repl):
    start(repl, PROGRAMS[1], b"Your name? ")
    for part in (b"Ja", b"ne\r"):
        time.sleep(0.3)
        repl.send(part)
    assert ended(repl) == "Hello, Jane\n"
    assert int(repl.run("turns")) > 5


def test_the_program_with_a_flag(board):
    _, _, program = PROGRAMS
    result = board.run(program)
    assert (result.status, result.output) == (0, "alarm 0\nalarm 1\nalarm 2\n")
