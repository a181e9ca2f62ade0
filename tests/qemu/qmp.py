# SPDX-License-Identifier: MIT
"""QEMU's monitor, for programs."""

import json
import socket

PATIENCE = 20  # s


def options(path):
    """QEMU's options for a monitor at that socket."""
    return ["-qmp", f"unix:{path},server=on,wait=off"]


class Qmp:
    """The monitor at a socket."""

    def __init__(self, path):
        self.line = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.line.settimeout(PATIENCE)
        self.line.connect(str(path))
        self.lines = self.line.makefile()
        self.lines.readline()
        self.do("qmp_capabilities")

    def do(self, command):
        self.line.sendall(json.dumps({"execute": command}).encode())
        while "return" not in (answer := json.loads(self.lines.readline())):
            assert "event" in answer
