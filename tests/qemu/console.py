# SPDX-License-Identifier: MIT
"""A board in real time whose UART is a TCP connection, for tests that type."""

import os
import re
import socket
import subprocess
import time
from contextlib import contextmanager

from virtboard.process import started
from virtboard.pytest_plugin import write_rom
from virtboard.qemu import Machine
from virtboard.recording import Recording, finish_header

PROMPT = b">>> "
PATIENCE = 20  # s, for anything that is awaited; a computer under load may be slow
CTRL_A, CTRL_B, CTRL_C, CTRL_D, CTRL_E = b"\1", b"\2", b"\3", b"\4", b"\5"


class Console:
    """What a person at the board's terminal sees and types.

    process: QEMU. port: of the listening socket, for a program that takes the place of `line`.
    """

    def __init__(self, process, server, wav):
        self.process, self.wav = process, wav
        self.port = server.getsockname()[1]
        self.line = socket.create_connection(("127.0.0.1", self.port), PATIENCE)
        self.line.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.unread = b""

    def send(self, data):
        """Types bytes."""
        self.line.sendall(data)

    def until(self, text):
        """What the board says up to and with these bytes; AssertionError if they do not come."""
        self._receive(lambda: text in self.unread, text)
        said, _, self.unread = self.unread.partition(text)
        return said + text

    def take(self, count):
        """The next bytes, so many."""
        self._receive(lambda: len(self.unread) >= count, f"{count} bytes")
        said, self.unread = self.unread[:count], self.unread[count:]
        return said

    def _receive(self, enough, what):
        end = time.monotonic() + PATIENCE
        while not enough():
            self.line.settimeout(max(end - time.monotonic(), 0.001))
            try:
                data = self.line.recv(65536)
            except TimeoutError:
                data = b""
            assert data, f"{what} does not come; at the end there is {self.unread[-300:]}"
            self.unread += data

    def run(self, statement):
        """Types a line at the prompt. Returns what it prints, without echo and prompt."""
        self.send(statement.encode() + b"\r")
        said = self.until(b"\r\n" + PROMPT)
        echo, _, output = said.removesuffix(PROMPT).decode().partition("\r\n")
        assert echo == statement
        return output.replace("\r\n", "\n").removesuffix("\n")

    def paste(self, program):
        """Enters a program in paste mode. Returns what it prints."""
        self.send(CTRL_E)
        self.until(b"=== ")
        self.send(program.encode().replace(b"\n", b"\r") + CTRL_D)
        for line in program.split("\n")[:-1]:
            assert self.until(b"\r\n=== ").removesuffix(b"\r\n=== ").decode() == line
        said = self.until(PROMPT).removesuffix(PROMPT).decode()
        return said.partition("\r\n")[2].replace("\r\n", "\n")

    def soft_reboot(self):
        """Types Ctrl-D at the prompt and waits for the next prompt."""
        self.send(CTRL_D)
        said = self.until(PROMPT)
        assert b"MPY: soft reboot\r\n" in said
        assert re.search(rb"MicroPython v[\d.]+.* on .*; .*\r\n", said)

    def power_off(self):
        """Ends the board from the prompt. Returns its Recording."""
        self.send(b"import virt; virt.exit(0)\r")
        assert self.process.wait(PATIENCE) == 0
        finish_header(self.wav)
        return Recording(self.wav)

    def cpu_seconds(self):
        """Processor time that QEMU has used, all its threads."""
        with open(f"/proc/{self.process.pid}/stat", encoding="ascii") as stat:
            user, system = stat.read().rpartition(")")[2].split()[11:13]
        return (int(user) + int(system)) / os.sysconf("SC_CLK_TCK")


@contextmanager
def console(firmware, folder, append="repl", extra=(), files=None, **options):
    """A running board, from power-on; see virtboard.qemu.Machine for the options.

    files: {name: bytes} in its /rom, for all boards of this folder.
    """
    if files:
        options["rom"] = folder / "rom.img"
        if not options["rom"].exists():
            (folder / "rom").mkdir()
            write_rom(folder / "rom", None, files, options["rom"])
    with socket.create_server(("127.0.0.1", 0)) as server:
        chardev = f"socket,id=uart,fd={server.fileno()},server=on,wait=on,nodelay=on"
        machine = Machine(
            firmware,
            wav=folder / "run.wav",
            append=append,
            serial="chardev:uart",
            extra=["-chardev", chardev, *extra],
            **options,
        )
        machine.check()
        pipes = {"stdin": subprocess.DEVNULL, "stdout": subprocess.DEVNULL}
        with started(machine.command(), pass_fds=[server.fileno()], **pipes) as process:
            board = Console(process, server, folder / "run.wav")
            with board.line:
                yield board
