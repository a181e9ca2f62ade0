# SPDX-License-Identifier: MIT
"""Where a running board listens: nowhere, or on 127.0.0.1 alone; as /proc has it."""

import os
import re
import socket
import subprocess
import sys
from pathlib import Path

from virtboard.process import started
from virtboard.qemu import Machine
from virtboard.rom import write_image
from virtboard.tools import ROOT

LIMIT = 30  # s
LISTEN = "0A"  # a state of TCP, in /proc
LOOPBACK = "0100007F"  # 127.0.0.1, as /proc has it on a little-endian computer


def family(pid):
    """A process and all that came of it."""
    found = {pid}
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            parent = int(path.read_text().rpartition(")")[2].split()[1])
        except OSError:
            continue  # it has ended
        if parent == pid:
            found |= family(int(path.parent.name))
    return found


def bound(pid):
    """{(protocol, address, port)} at which a process and its children can be reached."""
    inodes = set()
    for each in family(pid):
        for fd in Path(f"/proc/{each}/fd").iterdir():
            try:
                inodes |= set(re.findall(r"^socket:\[(\d+)\]$", os.readlink(fd)))
            except OSError:
                pass  # closed meanwhile
    found = set()
    for protocol in ("tcp", "tcp6", "udp", "udp6", "raw", "raw6"):
        path = Path("/proc/net", protocol)
        for line in path.read_text().splitlines()[1:] if path.exists() else ():
            _, local, _, state, *rest = line.split()
            if rest[5] in inodes and (not protocol.startswith("tcp") or state == LISTEN):
                address, port = local.split(":")
                found.add((protocol, address, int(port, 16)))
    return found


def test_this_test_sees_what_is_bound():
    with socket.create_server(("0.0.0.0", 0)) as server:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as datagrams:
            datagrams.bind(("127.0.0.1", 0))
            assert bound(os.getpid()) >= {
                ("tcp", "00000000", server.getsockname()[1]),
                ("udp", LOOPBACK, datagrams.getsockname()[1]),
            }


def test_a_board_that_is_served_listens_on_this_computer_only(firmware, tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "virtboard", "run", "--firmware", firmware, "--repl"]
    command += ["--wav", tmp_path / "x.wav", "--port", port]
    environment = os.environ | {"PYTHONPATH": str(ROOT / "host")}
    pipes = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "env": environment}
    with started([str(word) for word in command], **pipes) as process:
        assert b"mpremote connect" in process.stdout.readline()
        with socket.create_connection(("127.0.0.1", port), LIMIT) as line:
            line.settimeout(LIMIT)
            line.sendall(b"\r")
            assert line.recv(1)  # QEMU is up
            assert len(family(process.pid)) > 1
            assert bound(process.pid) == {("tcp", LOOPBACK, port)}


def test_a_board_that_is_not_served_listens_nowhere(firmware, tmp_path):
    rom = tmp_path / "rom"
    rom.mkdir()
    (rom / "main.py").write_text("print('up')\nimport time; time.sleep(20)")
    write_image(rom, tmp_path / "rom.img")
    machine = Machine(firmware, tmp_path / "x.wav", rom=tmp_path / "rom.img", icount=False)
    machine.check()
    pipes = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE}
    with started(machine.command(), **pipes) as process:
        assert process.stdout.readline() == b"up\r\n"
        assert bound(process.pid) == set()
