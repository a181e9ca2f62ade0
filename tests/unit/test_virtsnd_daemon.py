# SPDX-License-Identifier: MIT
"""virtsnd.daemon: its clock, its loop and its socket."""

import os
import socket
import threading

import pytest
from vhost_front import Front
from virtsnd.daemon import SLACK, Daemon, DaemonError, RealClock


class Time:
    """Real time, as a test wants it."""

    def __init__(self, monkeypatch):
        self.us = 777
        monkeypatch.setattr(RealClock, "_real", lambda clock: self.us)


@pytest.fixture
def real(monkeypatch):
    return Time(monkeypatch)


@pytest.fixture
def clock(real):
    clock = RealClock()
    clock.thaw()
    return clock


def happens(clock, when):
    """A list that gets the time when something that is due at `when` happens."""
    seen = []
    clock.at(when, lambda: seen.append(clock.now))
    return seen


def test_the_clock_follows(clock, real):
    real.us += 10_000
    assert clock.now == 0
    clock.follow()
    assert clock.now == 10_000
    clock.follow()
    assert clock.now == 10_000


def test_what_is_due_happens_at_its_time(clock, real):
    first, second, third = (happens(clock, us) for us in (1000, 2000, 2001))
    real.us += 2000
    clock.follow()
    assert (first, second, third) == ([1000], [2000], [])
    assert clock.now == 2000


def test_no_time_passes_while_it_is_frozen(clock, real):
    seen = happens(clock, 1000)
    real.us += 400
    clock.follow()
    clock.freeze()
    assert not clock.running
    assert clock.left() is None
    real.us += 1_000_000
    clock.follow()
    assert (clock.now, seen) == (400, [])
    clock.thaw()
    clock.thaw()
    real.us += 599
    clock.follow()
    assert (clock.now, seen) == (999, [])
    real.us += 1
    clock.follow()
    assert seen == [1000]


def test_it_begins_frozen(real):
    clock = RealClock()
    real.us += 1000
    clock.follow()
    assert clock.now == 0
    assert not clock.running


def test_a_little_delay_is_made_up_for(clock, real):
    seen = happens(clock, 1000)
    real.us += 1000 + SLACK
    clock.follow()
    assert (clock.now, seen) == (1000 + SLACK, [1000])


def test_a_long_delay_is_not(clock, real):
    first, second = happens(clock, 1000), happens(clock, 1001 + SLACK)
    real.us += 1_000_000
    clock.follow()
    assert (clock.now, first, second) == (1000 + SLACK, [1000], [])
    real.us += 1
    clock.follow()
    assert (clock.now, second) == (1001 + SLACK, [1001 + SLACK])


def test_a_long_rest_is_no_delay(clock, real):
    real.us += 1_000_000
    clock.follow()
    assert clock.now == 1_000_000


def test_how_long_there_is_to_wait(clock, real):
    assert clock.left() is None
    clock.at(5000, int)
    assert clock.left() == 0.005
    real.us += 2000
    assert clock.left() == 0.003
    real.us += 5000
    assert clock.left() == 0
    clock.clear()
    assert clock.left() is None


# The socket


def test_a_socket_is_made_and_removed(tmp_path):
    with Daemon(tmp_path / "socket"):
        assert (tmp_path / "socket").is_socket()
    assert list(tmp_path.iterdir()) == []


def refused(path, message):
    with pytest.raises(DaemonError) as error:
        Daemon(path)
    assert str(error.value) == message


def test_a_name_that_is_too_long(tmp_path):
    path = tmp_path / ("x" * 104)
    refused(path, f"{path}: longer than 103 bytes, too long for a socket's name")


def test_a_folder_that_is_not_there(tmp_path):
    path = tmp_path / "no" / "socket"
    refused(path, f"cannot listen at {path}: No such file or directory")


def test_a_file_is_not_replaced(tmp_path):
    path = tmp_path / "file"
    path.write_text("mine")
    refused(path, f"{path} is there, and no socket: name one that may be made")
    assert path.read_text() == "mine"


def test_a_socket_in_use_is_not_replaced(tmp_path):
    path = tmp_path / "socket"
    with Daemon(path) as daemon:
        refused(
            path, f"another device listens at {path}: name another socket, or end that one"
        )
        daemon.turn()  # it comes,
        daemon.turn()  # and goes
        assert daemon.session is None


def test_a_socket_that_was_left_behind_is_replaced(tmp_path):
    path = tmp_path / "socket"
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as dead:
        dead.bind(str(path))
    with Daemon(path) as daemon, socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as client:
        client.connect(str(path))
        daemon.turn()
        assert daemon.session is not None


def test_no_files_are_left_open(tmp_path):
    before = os.listdir("/proc/self/fd")
    Daemon(tmp_path / "socket").close()
    with pytest.raises(DaemonError):
        Daemon(tmp_path)
    assert os.listdir("/proc/self/fd") == before


# The loop


@pytest.fixture
def daemon(tmp_path):
    with Daemon(tmp_path / "socket") as daemon:
        thread = threading.Thread(target=daemon.serve)
        thread.start()
        yield daemon
        daemon.stop()
        thread.join(10)
        assert not thread.is_alive()


def test_who_only_looks_is_not_the_one_to_serve(tmp_path):
    path = tmp_path / "socket"
    with Daemon(path) as daemon:
        thread = threading.Thread(target=daemon.serve, kwargs={"once": True})
        thread.start()
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as client:
            client.connect(str(path))
        for _ in range(3):
            daemon.call(int)
        with Front(path) as qemu:
            qemu.greet()
        thread.join(10)
        assert not thread.is_alive()


def test_calls_from_other_threads(daemon):
    assert daemon.call(pow, 3, 4) == 81
    assert daemon.call(threading.get_ident) != threading.get_ident()
    with pytest.raises(ZeroDivisionError):
        daemon.call(lambda: 1 / 0)
    with pytest.raises(SystemExit):
        daemon.call(exit)
    assert daemon.call(pow, 3, 4) == 81


def test_a_call_that_nobody_answers(tmp_path, monkeypatch):
    monkeypatch.setattr("virtsnd.daemon.PATIENCE", 0.01)
    with Daemon(tmp_path / "socket") as daemon:
        with pytest.raises(TimeoutError, match="the device's loop did nothing for 0.01 s"):
            daemon.call(int)


def test_a_call_after_the_end(tmp_path):
    with Daemon(tmp_path / "socket") as daemon:
        daemon.stop()
        daemon.serve()
        with pytest.raises(DaemonError, match="the device has ended"):
            daemon.call(int)


def test_events_of_a_device_that_nobody_runs_are_lost(daemon):
    daemon.call(lambda: daemon.device.event(0x1000, 0))
    assert daemon.device.lost_events == 1
