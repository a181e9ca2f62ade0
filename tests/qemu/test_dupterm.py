# SPDX-License-Identifier: MIT
"""os.dupterm: the console also on a stream of the program's. In virtual time."""

START = """
import io, os, select, sys, time
class Stream(io.IOBase):
    def __init__(self, text=b""):
        self.text, self.said = bytearray(text), bytearray()
    def write(self, data):
        self.said.extend(data)
        return len(data)
    def readinto(self, buf):
        if not self.text:
            return None
        buf[0] = self.text[0]
        self.text = self.text[1:]
        return 1
    def ioctl(self, request, argument):
        return 5 & argument if request == 3 and self.text else 0
"""


def told(board, program):
    """The lines that a program prints; it must end well."""
    result = board.run(START + program)
    assert result.status == 0
    return result.output.splitlines()


def test_what_is_printed_is_written_to_the_stream_too(board):
    program = """
s = Stream()
print(os.dupterm(s))
print("hello")
sys.stdout.write("there\\n")
print(os.dupterm(None) is s)
print(bytes(s.said))
"""
    assert told(board, program) == [
        "None",
        "hello",
        "there",
        "True",
        r"b'None\r\nhello\r\nthere\r\n'",
    ]


def test_input_comes_from_the_stream(board):
    program = """
s = Stream(b"some words\\r")
os.dupterm(s)
poll = select.poll()
poll.register(sys.stdin, select.POLLIN)
ready = bool(poll.poll(0))
line = input("> ")
still = bool(poll.poll(0))
os.dupterm(None)
print([ready, still, line])
"""
    assert told(board, program)[-1] == "[True, False, 'some words']"


def test_input_that_comes_with_an_interrupt_is_seen(board):
    program = """
from machine import Timer
s = Stream()
os.dupterm(s)
def come(t): s.text = bytearray(b"late\\r")
Timer(mode=Timer.ONE_SHOT, period=300, callback=come)
start = time.ticks_ms()
line = input()
os.dupterm(None)
print([line, time.ticks_diff(time.ticks_ms(), start) // 10])
"""
    assert told(board, program)[-1] == "['late', 30]"


def test_ctrl_c_on_the_stream_interrupts(board):
    program = """
import micropython
micropython.kbd_intr(3)
os.dupterm(Stream(b"ab\\x03"))
try:
    input()
except KeyboardInterrupt:
    os.dupterm(None)
    print()
    print("interrupted")
"""
    assert told(board, program)[-1] == "interrupted"


def test_a_stream_that_fails_is_told_and_let_go(board):
    program = """
class Bad(Stream):
    def write(self, data): raise ValueError("on purpose")
os.dupterm(Bad())
print("hello")
print(os.dupterm(None))
"""
    lines = told(board, program)
    assert lines[0].startswith("hello")
    assert lines.count("ValueError: on purpose") == 1
    assert lines[-1] == "None"


def test_what_dupterm_refuses(board):
    program = """
for arguments in (5,), (Stream(), 1):
    try:
        os.dupterm(*arguments)
    except Exception as e:
        print(type(e).__name__ + ":", e)
"""
    assert told(board, program) == [
        "OSError: stream operation not supported",
        "ValueError: invalid dupterm index",
    ]


def test_a_hard_handler_prints_to_the_uart_only(board):
    program = """
from machine import Timer
s = Stream()
os.dupterm(s)
Timer(mode=Timer.ONE_SHOT, period=5, callback=lambda t: print("in the interrupt"), hard=True)
time.sleep_ms(20)
print("outside")
os.dupterm(None)
print(bytes(s.said))
"""
    assert told(board, program) == ["in the interrupt", "outside", r"b'outside\r\n'"]
