# SPDX-License-Identifier: MIT
"""virtsnd's socket: whatever comes, the device neither ends nor waits for ever; who may come."""

import contextlib
import fcntl
import os
import socket
import stat
import threading

import pytest
import vhost_front as front
from hypothesis import given
from hypothesis import strategies as st
from untrusted import damaged, fuzz
from vhost_front import Front, set_params

from virtsnd.daemon import Daemon

KINDS = ("eventfd", "memory", "pipe", "null", "zero", "socket", "folder", "read-only")


def files():
    """How many files this process, in which the device runs, has open."""
    return len(os.listdir("/proc/self/fd"))


@contextlib.contextmanager
def served(path):
    """(Daemon, what it said) of a device that serves in a thread, which has to end in time."""
    said = []
    daemon = Daemon(path, say=said.append)
    thread = threading.Thread(target=daemon.serve)
    thread.start()
    try:
        yield daemon, said
    finally:
        daemon.stop()
        thread.join(20)
        assert not thread.is_alive()
        daemon.close()


@contextlib.contextmanager
def descriptors(qemu):
    """One file descriptor of each of KINDS."""
    ends = os.pipe()
    pair = socket.socketpair()
    others = [os.open(name, os.O_RDWR) for name in ("/dev/null", "/dev/zero")]
    others += [pair[0].fileno(), os.open("/", os.O_RDONLY), os.open(__file__, os.O_RDONLY)]
    fds = [qemu.rings[0].kick_fd, qemu.memory_fd, ends[0], *others]
    try:
        yield dict(zip(KINDS, fds, strict=True))
    finally:
        for fd in (*ends, *others[:2], *others[3:]):
            os.close(fd)
        for end in pair:
            end.close()


@pytest.fixture(scope="module")
def conversation(tmp_path_factory):
    """What QEMU says up to the first request of a driver: (number, body, kinds, flags) each."""
    path = tmp_path_factory.mktemp("good") / "card"
    said = []
    with served(path), Front(path) as qemu:

        def send(number, body=b"", fds=(), flags=1):
            kinds = ["memory" if fd == qemu.memory_fd else "eventfd" for fd in fds]
            said.append(
                (number, body, kinds if number != front.SET_BACKEND_REQ_FD else ["socket"], flags)
            )
            Front.send(qemu, number, body, fds, flags)

        qemu.send = send
        qemu.greet().start()
        assert qemu.control(set_params()) == front.OK
    return said


@pytest.fixture(scope="module")
def card(tmp_path_factory):
    path = tmp_path_factory.mktemp("card") / "card"
    with served(path) as (daemon, said):
        yield path, daemon, said


@st.composite
def changed(draw, conversation):
    """What QEMU says, some of it otherwise."""
    messages = list(conversation)
    for _ in range(draw(st.integers(0, 6))):
        at = draw(st.integers(0, len(messages) - 1))
        number, body, kinds, flags = messages[at]
        match draw(st.sampled_from(["body", "body", "fds", "out", "number", "flags", "again"])):
            case "body":
                messages[at] = number, draw(damaged(body)), kinds, flags
            case "fds":
                fds = draw(st.lists(st.sampled_from(KINDS), max_size=9))
                messages[at] = number, body, fds, flags
            case "out":
                del messages[at]
            case "number":
                messages[at] = draw(st.integers(0, 45)), body, kinds, flags
            case "flags":
                messages[at] = number, body, kinds, draw(st.integers(0, 15))
            case "again":
                messages.insert(draw(st.integers(0, len(messages))), messages[at])
    return messages


@fuzz
@given(st.data(), damaged(bytes(256)), st.binary(max_size=20))
def test_a_damaged_conversation_hurts_nobody(conversation, card, data, rings, rest):
    messages = data.draw(changed(conversation))
    path, daemon, said = card
    said.clear()
    before = files()
    with Front(path) as qemu, descriptors(qemu) as fds:
        qemu.socket.setblocking(False)
        qemu.memory[: len(rings)] = rings
        with contextlib.suppress(OSError):
            for number, body, kinds, flags in messages:
                qemu.send(number, body, [fds[kind] for kind in kinds], flags)
            qemu.socket.sendall(rest)
    daemon.call(lambda: None)  # TimeoutError if the loop hangs
    with Front(path) as second:
        second.greet().start()
        assert second.control(set_params()) == front.OK
    while daemon.call(lambda: daemon.session):
        pass
    assert files() == before
    assert all("\n" not in line for line in said)


def test_only_the_user_may_connect(tmp_path):
    before = os.umask(0)
    try:
        with served(tmp_path / "card"):
            assert stat.S_IMODE(os.stat(tmp_path / "card").st_mode) == 0o600
    finally:
        os.umask(before)


def test_memory_that_is_shared_cannot_be_taken_back(tmp_path):
    # It would end the device with SIGBUS. QEMU seals its memory itself, unless it is told not to.
    with served(tmp_path / "card"), Front(tmp_path / "card") as qemu:
        os.close(qemu.memory_fd)
        qemu.memory_fd = os.memfd_create("guest", os.MFD_ALLOW_SEALING)
        os.truncate(qemu.memory_fd, front.OFFSET + front.SIZE)
        qemu.greet()
        qemu.do(front.SET_MEM_TABLE, qemu.table(), [qemu.memory_fd])
        assert fcntl.fcntl(qemu.memory_fd, fcntl.F_GET_SEALS) & fcntl.F_SEAL_SHRINK
        with pytest.raises(PermissionError):
            os.truncate(qemu.memory_fd, 0)
