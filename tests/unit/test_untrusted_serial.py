# SPDX-License-Identifier: MIT
"""What a board says, and who may speak to it: serial output, messages, sockets."""

import io
import os
import threading

import pytest
from hypothesis import given
from hypothesis import strategies as st
from test_cli import call, qemu  # noqa: F401
from untrusted import fuzz, little_memory

from virtboard import VirtboardError, process
from virtboard.files import shown
from virtboard.process import Drain
from virtboard.qemu import BoardTimeout, Machine, Result, judge, listens_to_others


class Piped(io.BytesIO):
    def read1(self, n):
        return self.read(n)


def drained(data, echo=None):
    return Drain(Piped(data), echo).text()


@fuzz
@given(st.binary(max_size=200))
def test_any_bytes_are_text_and_echoed_as_they_are(data):
    echoed = bytearray()
    text = drained(data, echoed.extend)
    assert echoed == data  # a terminal's user wants what the board says
    assert text == data.decode(errors="replace").replace("\r\n", "\n")


def test_endless_output_is_kept_in_part(monkeypatch):
    monkeypatch.setattr(process, "KEPT", 1000)
    data = b"".join(b"%07d" % n for n in range(100_000))  # no end of a line
    first, lost, last = drained(data).split("\n")
    assert first.encode() == data[:1000]
    assert last.encode() == data[-len(last) :] and 1000 <= len(last) <= 2000
    assert lost == f"[{len(data) - 1000 - len(last)} bytes left out]"
    whole = data[:3000]
    assert drained(whole).encode() == whole


@pytest.mark.timeout(60)
def test_endless_output_takes_little_memory_and_time(tmp_path):
    read_end, write_end = os.pipe()
    noise = os.urandom(1 << 20)

    def write():
        with open(write_end, "wb") as file:
            for _ in range(200):
                file.write(noise)

    with little_memory(256 << 20):
        writer = threading.Thread(target=write)
        writer.start()
        drain = Drain(open(read_end, "rb"))
        writer.join()
        assert len(drain.text()) < 20 << 20


@pytest.mark.timeout(30)
@pytest.mark.parametrize(
    "says", ["exec yes", "exec cat /dev/zero", r"while :; do printf '\033]0;x\a'; done"]
)
def test_a_board_that_never_stops_talking_is_ended(qemu, tmp_path, says):  # noqa: F811
    qemu(says)
    machine = Machine(tmp_path / "build" / "qemu_virt" / "firmware.elf", sound=False)
    with pytest.raises(BoardTimeout) as caught:
        machine.run(0.5)
    message = str(caught.value)
    assert len(message) < 3000
    assert all(line.isprintable() for line in message.splitlines())


@fuzz
@given(st.text())
def test_messages_hold_no_escapes_of_a_board(text):
    result = Result(1, text, "", 1.0)
    lines = str(BoardTimeout(1, result)).split("\n")
    assert all(line.isprintable() for line in lines) and len(lines) <= 11
    assert shown(text).isprintable() and len(shown(text)) <= 200 * 10 + 3
    _, failures = judge(1, f"Failed to open wav{text}")
    assert all(line.isprintable() for line in failures)


OTHERS = [
    "tcp::4444,server=on,wait=off",
    "tcp:0.0.0.0:4444,server=on",
    "tcp:0.0.0.0:4444,server",
    "tcp:[::]:4444,server=on",
    "tcp:192.168.1.2:4444,wait=off,server=on",
    "tcp:127.0.0.1.example.org:4444,server=on",
    "telnet::23,server=on",
    "telnet:0:23,server=on",
    "websocket::80,server=on",
    "mon:tcp::4444,server=on",
    "udp::4444",
    "udp:127.0.0.1:4444",
    "udp:127.0.0.1:4444@:4445",
    "udp:127.0.0.1:4444@0.0.0.0:4445",
]
OURS = [
    "stdio",
    "pty",
    "null",
    "chardev:uart",
    "unix:/tmp/x,server=on",
    "tcp:127.0.0.1:4444,server=on,wait=off",
    "tcp:localhost:4444,server=on",
    "tcp:[::1]:4444,server=on",
    "tcp:example.org:4444",  # a connection that the board makes
    "mon:telnet:127.0.0.1:4444,server=on",
    "udp:127.0.0.1:4444@127.0.0.1:4445",
]


@pytest.mark.parametrize("serial", OTHERS)
def test_nobody_else_is_listened_to(call, serial):  # noqa: F811
    assert listens_to_others(serial)
    status, _, err = call("run", "--serial", serial)
    assert status == 2 and f"--serial {serial} would listen to other computers" in err


@pytest.mark.parametrize("serial", OURS)
def test_this_computer_may_be_listened_to(serial):
    assert not listens_to_others(serial)


@pytest.mark.parametrize("port", ["0.0.0.0:5555", ":5555", "::", "*", "5555,host=0.0.0.0", "-1"])
def test_a_port_names_no_address(call, port):  # noqa: F811
    assert call("run", "--port", port)[0] == 2


@fuzz
@given(st.text(max_size=60))
def test_any_text_is_a_serial_device_or_not(serial):
    assert listens_to_others(serial) in (True, False)


def test_a_machine_of_a_test_is_checked_too(tmp_path):
    machine = {"wav": tmp_path / "x.wav", "qemu": "/bin/true", "firmware": "/bin/true"}
    with pytest.raises(VirtboardError, match="would listen to other computers"):
        Machine(serial="tcp::4444,server=on", **machine).check()
