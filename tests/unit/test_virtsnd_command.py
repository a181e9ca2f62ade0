# SPDX-License-Identifier: MIT
"""python -m virtsnd: the command line, with a front end in the place of QEMU."""

import contextlib
import os
import re
import signal
import subprocess
import sys
import textwrap
import time

import pytest
import vhost_front as front
from vhost_front import BAD_MSG, OK, PREPARE, START, Front, set_params
from virtboard import tools
from virtsnd import FAULTS, Clock, Memory, SoundDevice
from virtsnd.__main__ import Faulty

PATIENCE = 20  # s


class Command:
    """A running python -m virtsnd."""

    def __init__(self, path, *words, stdin=subprocess.DEVNULL):
        self.path = path
        self.process = subprocess.Popen(
            [sys.executable, "-m", "virtsnd", str(path), *map(str, words)],
            env=os.environ | {"PYTHONPATH": str(tools.ROOT / "host")},
            stdin=stdin,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def front(self):
        end = time.monotonic() + PATIENCE
        while not self.path.is_socket():
            assert self.process.poll() is None, self.process.communicate()
            assert time.monotonic() < end
            time.sleep(0.01)
        return Front(self.path).greet()

    def ends(self):
        """(status, standard output, standard error)"""
        out, errors = self.process.communicate(timeout=PATIENCE)
        return self.process.returncode, out, errors


@pytest.fixture
def command(tmp_path):
    commands = []

    def run(*words, **options):
        commands.append(Command(tmp_path / "socket", *words, **options))
        return commands[-1]

    yield run
    for each in commands:
        each.process.kill()
        each.process.wait()
        each.process.stdout.close(), each.process.stderr.close()


@pytest.fixture
def script(tmp_path):
    """Writes a script and returns its path."""

    def write(text):
        path = tmp_path / "script.py"
        path.write_text(textwrap.dedent(text))
        return path

    return write


def usage(run, message):
    """The command ends at once, with one line."""
    assert run.ends() == (2, "", f"virtsnd: {message}\n")


def test_what_it_says_and_how_it_ends(command):
    run = command()
    with run.front() as qemu:
        assert qemu.start().control(set_params()) == OK
    run.process.send_signal(signal.SIGTERM)
    assert run.ends() == (
        0,
        f"virtsnd: a sound device listens at {run.path}\n"
        "QEMU 9.0 or newer has it with these options, where 128M is what -m says:\n"
        "  -machine virt,memory-backend=ram -object"
        " memory-backend-memfd,id=ram,size=128M,share=on"
        f" -chardev socket,id=snd,path={run.path} -device vhost-user-snd,chardev=snd,controls=on"
        " -global virtio-mmio.force-legacy=false\n",
        "",
    )
    assert not run.path.exists()


def test_the_device_without_a_script(command):
    with command().front() as qemu:
        assert qemu.offered == 1 << 0 | 1 << 28 | 1 << 29 | 1 << 30 | 1 << 32
        question = front.u32(0, 16, 0)
        answer = qemu.ask(front.GET_CONFIG, question + bytes(16))
        assert answer == question + front.u32(2, 4, 2, 7)


def test_a_breach_is_a_line_and_a_status(command):
    run = command("--once")
    with run.front() as qemu:
        assert qemu.start().control(START) == BAD_MSG
    status, _, errors = run.ends()
    assert (status, errors) == (1, "breach of S-30: START after None\n")


def test_the_first_qemu_is_the_last(command):
    run = command("--once")
    with run.front():
        pass
    assert run.ends()[0] == 0


def test_a_script(command, script):
    path = script("""
        from virtsnd import IO_ERR, StreamInfo
        OPTIONS = dict(streams=[StreamInfo()] * 3)
        def setup(device):
            device.sound.script["SET_PARAMS"] = [IO_ERR]
    """)
    with command("--script", path).front() as qemu:
        question = front.u32(0, 12, 0)
        assert qemu.ask(front.GET_CONFIG, question + bytes(12)) == question + front.u32(0, 3, 0)
        qemu.start()
        assert qemu.control(set_params()) == front.u32(0x8003)
        assert qemu.control(set_params()) == OK


def test_the_script_of_the_page(command, script):
    page = (tools.ROOT / "docs" / "device.md").read_text()
    (text,) = re.findall(r"^### Scripts\n.*?^```python\n(.*?)^```", page, re.M | re.S)
    with command("--script", script(text)).front() as qemu:
        question = front.u32(0, 12, 0)
        assert qemu.ask(front.GET_CONFIG, question + bytes(12)) == question + front.u32(1, 2, 0)
        qemu.start()
        for request in (set_params(), PREPARE):
            assert qemu.control(request) == OK
        assert qemu.control(START) == front.u32(0x8003)
        assert qemu.control(START) == OK


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("x = 1\ny =", "{path}:2: invalid syntax"),
        ("x = 1\ny = z", "{path}:2: NameError: name 'z' is not defined"),
        ("import no_such_module", "{path}:1: ModuleNotFoundError: No module named 'no_such_mo"),
        ("x = 1", "--script {path} has neither OPTIONS nor setup(device)"),
        ("OPTIONS = dict(stream=1)", "OPTIONS of {path}: SoundDevice.__init__() got an unexpec"),
    ],
)
def test_scripts_that_are_none(command, script, text, message):
    path = script(text)
    status, out, errors = command("--script", path).ends()
    assert (status, out) == (2, "")
    assert errors.startswith("virtsnd: " + message.format(path=path))
    assert errors.count("\n") == 1


def test_a_script_that_is_not_there(command):
    usage(command("--script", "nowhere.py"), "--script nowhere.py: No such file or directory")


@pytest.mark.parametrize("late", [False, True])
def test_a_script_that_fails_when_a_driver_comes(command, script, late):
    path = script("""
        def setup(device):
            if LATE:
                device.clock.at(device.clock.now + 1000, lambda: device.plug(7))
            else:
                device.plug(7)
    """.replace("LATE", str(late)))
    run = command("--script", path)
    with run.front() as qemu:
        with contextlib.suppress(AssertionError, ConnectionError):
            qemu.start()  # it hangs up
        status, _, errors = run.ends()
    line = 4 if late else 6
    assert (status, errors) == (
        2, f"virtsnd: {path}:{line}: IndexError: list index out of range\n"
    )
    assert not run.path.exists()


def test_a_place_that_is_taken(command, tmp_path):
    (tmp_path / "socket").write_text("")
    usage(command(), f"{tmp_path}/socket is there, and no socket: name one that may be made")


@pytest.mark.parametrize("option", ["--trace", "--record"])
def test_places_that_cannot_be_written(command, tmp_path, option):
    (tmp_path / "file").write_text("")
    path = tmp_path / "file" / "x"
    usage(command(option, path), f"{path}: Not a directory")


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--latency", "-1"], "argument --latency: -1: it must be 0 or more"),
        (["--latency", "some"], "argument --latency: invalid count value: 'some'"),
        (["--memory", "x"], "argument --memory: x: want a file, @, and a physical address"),
        (["--memory", "x@y"], "argument --memory: invalid memory value: 'x@y'"),
        (["--memory", "no/x@0"], "argument --memory: no/x: No such file or directory"),
        (["--no-such-option"], "unrecognized arguments: --no-such-option"),
    ],
)
def test_options_that_are_none(command, words, message):
    status, out, errors = command(*words).ends()
    assert (status, out) == (2, "")
    assert errors.endswith(f"virtsnd: error: {message}\n")


def test_memory_of_the_guests(command, tmp_path):
    (tmp_path / "flash@1").write_bytes(set_params())
    with command("--memory", f"{tmp_path}/flash@1@0x20000000").front() as qemu:
        qemu.start()
        head = qemu.rings[0].submit((0x2000_0000, 24, 0), (front.BASE + front.BUFFERS, 4, 1))
        assert qemu.rings[0].wait(head) == 4
        assert qemu.get(front.BASE + front.BUFFERS, 4) == OK


def test_latency_is_every_streams(command, tmp_path):
    run = command("--latency", "4321", "-i", stdin=subprocess.PIPE)
    run.process.stdin.write("[s.latency_bytes for s in device.sound.streams]\n")
    run.process.stdin.close()
    run.process.stdin = None
    assert "[4321, 4321, 4321, 4321]" in run.ends()[1]


def test_a_prompt_and_an_end_by_itself(command):
    usage(
        command("-i", "--once"),
        "--once ends with QEMU, and --interactive by hand: name one of them",
    )


def test_a_prompt_ends_with_the_device(command, script):
    path = script("def setup(device): 1 / 0")
    run = command("-i", "--script", path, stdin=subprocess.PIPE)
    with run.front() as qemu:
        with contextlib.suppress(AssertionError, ConnectionError):
            qemu.start()  # it hangs up
    status, _, errors = run.ends()
    assert status == 2
    assert errors.endswith(f"virtsnd: {path}:1: ZeroDivisionError: division by zero\n")
    assert not run.path.exists()


def test_a_prompt_ends_by_a_signal(command):
    run = command("-i", stdin=subprocess.PIPE)
    run.front().close()
    run.process.terminate()
    assert run.ends()[0] == 0
    assert not run.path.exists()


def test_a_prompt_lives_through_errors(command):
    run = command("-i", stdin=subprocess.PIPE)
    run.process.stdin.write("1/0\nfor i in range(2):\n  print(i, device.ID)\n\nexit()\n1\n")
    run.process.stdin.close()
    run.process.stdin = None
    status, out, errors = run.ends()
    assert status == 0
    assert "0 25\n1 25\n" in out
    assert "ZeroDivisionError" in errors
    assert not run.path.exists()


# Faults


def test_the_faults_are_listed(command):
    status, out, errors = command("--faults").ends()
    assert (status, errors) == (0, "")
    names = [line.split()[0] for line in out.splitlines()]
    assert names == [name for name, fault in FAULTS.items() if fault.possible_in_qemu]
    assert len(names) > 90 and "gone" not in names


def test_whoever_reads_the_list_may_stop(command):
    run = command("--faults")
    run.process.stdout.close()
    assert run.process.wait(PATIENCE) == 0
    assert run.process.stderr.read() == ""


@pytest.mark.parametrize(
    ("word", "text"),
    [
        ("nonsense", "nonsense: no fault; --faults lists them"),
        ("gone", "gone: not behind QEMU, which has the registers"),
        ("used-id-huge@0", "used-id-huge@0: want NAME, or NAME@N where N counts from 1"),
        ("used-id-huge@x", "used-id-huge@x: want NAME, or NAME@N where N counts from 1"),
        ("latency-huge@2", "latency-huge@2: want NAME, or NAME@N where N counts from 1"),
    ],
)
def test_faults_that_are_none(command, word, text):
    status, out, errors = command("--fault", word).ends()
    assert status == 2 and errors.endswith(f"argument --fault: {text}\n")


def test_a_fault_happens_in_the_first_life_alone():
    device = SoundDevice(Clock(), Memory())
    said = []
    faulty = Faulty([FAULTS["answer-io-err"], FAULTS["used-id-huge"]], None, said.append)
    faulty(device)
    assert device.sound.script["SET_PARAMS"].pop(0)(b"", 4) == b"\x03\x80\0\0"
    faulty(device)
    assert not device.sound.script["SET_PARAMS"]
    assert device.used(2, 0, 8) == [(0, 8)]
    assert said == ["virtsnd: fault used-id-huge did not happen"]
    faulty.end()
    assert len(said) == 1
