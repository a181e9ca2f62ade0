# SPDX-License-Identifier: MIT
"""python -m virtboard, with shell scripts that stand in for QEMU."""

import os
import pty
import signal
import subprocess
import sys
import termios
import time

import pytest

from virtboard import tools
from virtboard.__main__ import main

PLAY = r"""
for word; do case $word in wav,*) wav=${word#*path=}; wav=${wav%%,*};; esac; done
[ -z "$wav" ] || { printf 'RIFF....WAVEfmt '; head -c 8 /dev/zero; printf '\200\273\0\0'
  head -c 16 /dev/zero; for i in 1 2 3; do printf '\144\0\234\377'; done; } >"$wav"
"""


@pytest.fixture
def qemu(tmp_path, monkeypatch):
    """Puts a script in QEMU's place, a firmware in the build folder, and an empty environment."""
    for name in ("BOARD", "ROM", "DISK", "AUDIO", "WAV", "RATE", "STREAMS"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(tools, "ROOT", tmp_path)
    monkeypatch.setattr(tools, "TOOLS", tmp_path)
    build = tmp_path / "build" / "qemu_virt"
    for folder in (build, tmp_path / "bin"):
        folder.mkdir(parents=True)
    (build / "firmware.elf").touch()
    path = tmp_path / "bin" / "qemu-system-riscv64"

    def script(text):
        path.write_text(f'#!/bin/sh\necho "$@" >{tmp_path}/arguments\n{PLAY}\n{text}\n')
        path.chmod(0o755)

    script("echo hello")
    return script


@pytest.fixture
def call(qemu, tmp_path, capfd):
    """Calls the command line; returns (status, standard output, standard error)."""

    def call(*arguments):
        try:
            status = main(list(map(str, arguments)))
        except SystemExit as usage:
            status = usage.code
        return (status, *capfd.readouterr())

    return call


@pytest.fixture
def arguments(tmp_path):
    """What the last QEMU was called with."""
    return lambda: (tmp_path / "arguments").read_text()


def test_a_headless_run_tells_what_the_guest_said_and_played(call, arguments, tmp_path):
    status, out, err = call("run", "--headless")
    assert (status, err) == (0, "")
    assert out.startswith("hello\n")
    assert f"{tmp_path}/build/qemu_virt/run.wav: 3 frames" in out
    assert "48000 Hz" in out
    assert "-append batch -display none" in arguments()
    assert "-icount shift=5,sleep=off" in arguments()


def test_the_status_is_the_guests(call, qemu):
    qemu("echo oh; echo strange >&2; exit 7")
    status, out, err = call("run", "--headless")
    assert status == 7
    assert "3 frames" in out
    assert err == "strange\nvirtboard: the board ended with status 7\n"


def test_lost_sound_fails_the_run(call, qemu):
    qemu("cat >&2 <<.\nCould not create a backend for voice \\`virtio-sound.out'\n.")
    status, _, err = call("run", "--headless")
    assert status == 1
    assert "virtboard: the sound card has no output" in err


def test_a_run_that_takes_too_long_fails(call, qemu):
    qemu("echo waiting; exec sleep 60")
    status, out, err = call("run", "--headless", "--timeout", "0.3")
    assert status == 1
    assert out.startswith("waiting\n")
    assert "3 frames" in out
    assert "virtboard: the board did not end within 0.3 s" in err


def test_options_reach_qemu(call, arguments, tmp_path):
    wav = tmp_path / "a.wav"
    options = ["--wav", wav, "--rate", "8000", "--streams", "2", "--memory", "64M"]
    words = ["--append", "more words", "--qemu-option=-no-reboot"]
    status, out, _ = call("run", "--headless", *options, *words)
    assert status == 0
    assert f"{wav}: 3 frames" in out
    for part in (f"path={wav},out.frequency=8000", "streams=2", "-m 64M", "-no-reboot"):
        assert part in arguments()
    assert "-append batch more words" in arguments()


def test_the_environment_gives_defaults(call, arguments, tmp_path, monkeypatch):
    (tmp_path / "rom").mkdir()
    (tmp_path / "rom" / "main.py").write_text("print(1)")
    monkeypatch.setenv("ROM", str(tmp_path / "rom"))
    monkeypatch.setenv("WAV", str(tmp_path / "b.wav"))
    monkeypatch.setenv("RATE", "16000")
    monkeypatch.setenv("STREAMS", "3")
    assert call("run", "--headless")[0] == 0
    assert f"path={tmp_path}/b.wav,out.frequency=16000" in arguments()
    assert "streams=3" in arguments()
    assert "rom.img,addr=0x20000000" in arguments()
    monkeypatch.setenv("AUDIO", "none")
    assert "frames" not in call("run", "--headless")[1]
    assert "-audiodev none,id=snd" in arguments()


def test_empty_variables_of_the_environment(call, arguments, monkeypatch):
    for name in ("AUDIO", "WAV", "RATE", "STREAMS"):
        monkeypatch.setenv(name, "")
    assert call("run", "--headless")[0] == 0
    assert "build/qemu_virt/run.wav,out.frequency=48000" in arguments()
    assert "streams=1" in arguments()
    monkeypatch.setenv("ROM", "")
    status, out, err = call("run", "--headless")
    assert (status, out) == (2, "")
    assert err == "virtboard: ROM= is empty: name a folder, or leave ROM= out\n"


def test_host_sound_is_in_real_time_and_leaves_no_recording(call, qemu, arguments):
    qemu("[ $2 != help ] || printf 'Available audio drivers:\\nalsa\\n'")
    status, out, _ = call("run", "--headless", "--audio", "alsa")
    assert (status, out) == (0, "")
    assert "-audiodev alsa,id=snd" in arguments()
    assert "-icount" not in arguments()
    status, _, err = call("run", "--headless", "--audio", "pa")
    assert status == 2
    assert err == "virtboard: QEMU has no audio driver 'pa': it has alsa\n"


def test_a_uart_elsewhere(call, arguments):
    status, out, _ = call("run", "--repl", "--serial", "pty")
    assert status == 0
    assert "-append repl -display none -monitor none -serial pty" in arguments()
    assert "-icount" not in arguments()
    assert "3 frames" in out


@pytest.mark.parametrize(
    ("wrong", "line"),
    [
        (["run", "--rom", "/nowhere"], "virtboard: ROM=/nowhere does not exist: name the folder"),
        (["run", "--wav", "/"], "virtboard: cannot record to /: it is not a file"),
        (["run", "--firmware", "/nowhere"], "virtboard: no firmware at /nowhere: `make run-qemu`"),
        (["run", "--rate", "7"], "virtboard: a rate of 7 Hz does not exist: the card has 5512 to"),
        (["run", "--rate", "fast"], "argument --rate: invalid int value: 'fast'"),
        (["run", "--timeout", "0"], "argument --timeout: 0 s is no time limit"),
        (["run", "--repl", "--headless"], "virtboard: a REPL needs a terminal"),
        (["report", "/nowhere"], "virtboard: cannot read /nowhere: No such file"),
        (["picture", "/nowhere", "/x.png"], "virtboard: cannot read /nowhere: No such file"),
        (["rom", "/nowhere", "/x.img"], "virtboard: ROM=/nowhere does not exist"),
        ([], "the following arguments are required: COMMAND"),
    ],
)
def test_wrong_use_is_told_in_a_line(call, wrong, line):
    if wrong[:1] == ["run"]:
        wrong = [*wrong, "--headless"]
    status, out, err = call(*wrong)
    assert (status, out) == (2, "")
    assert line in err
    assert "Traceback" not in err


def test_report_and_picture_of_a_recording(call, tmp_path):
    wav, png = tmp_path / "a.wav", tmp_path / "a.png"
    call("run", "--headless", "--wav", wav)
    status, out, _ = call("report", wav)
    assert status == 0
    assert out.startswith(f"{wav}: 3 frames, 0.000 s at 48000 Hz, 2 channels\n")
    assert call("picture", wav, png) == (0, "", "")
    assert png.read_bytes().startswith(b"\x89PNG")


def test_rom_packs_a_folder(call, tmp_path):
    (tmp_path / "rom").mkdir()
    image = tmp_path / "rom.img"
    status, out, _ = call("rom", tmp_path / "rom", image)
    assert (status, out) == (0, f"{image}: {image.stat().st_size} bytes\n")


def test_help_names_every_command_and_option(call):
    status, out, _ = call("--help")
    assert status == 0
    assert all(name in out for name in ("run", "report", "picture", "rom"))
    assert "--qemu-option" in call("run", "--help")[1]


def start(tmp_path, *arguments, **popen):
    """The command line as a process of its own, with the stand-in for QEMU."""
    program = (
        "import sys, pathlib; from virtboard import tools; from virtboard.__main__ import main;"
        "tools.ROOT = tools.TOOLS = pathlib.Path(sys.argv.pop(1)); sys.exit(main())"
    )
    command = [sys.executable, "-c", program, str(tmp_path), *arguments]
    env = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=env, **popen)


def test_a_terminal_is_given_to_qemu_and_put_back(qemu, arguments, tmp_path):
    qemu("stty raw -echo; read line; echo got $line; exit 4")
    keyboard, terminal = pty.openpty()
    before = termios.tcgetattr(terminal)
    process = start(tmp_path, "run", stdin=terminal)
    assert process.stdout.readline() == "Ctrl-A X quits, Ctrl-C interrupts the program\n"
    while termios.tcgetattr(terminal) == before:
        time.sleep(0.01)
        assert process.poll() is None
    os.write(keyboard, b"word\n")
    out, _ = process.communicate(timeout=20)
    assert process.returncode == 4
    assert out.startswith("got word\n")
    assert "3 frames" in out
    assert termios.tcgetattr(terminal) == before
    assert "-serial chardev:con -mon chardev=con" in arguments()
    assert "-append" not in arguments()
    os.close(keyboard)
    os.close(terminal)


def test_ended_from_outside_it_ends_its_qemu(qemu, tmp_path):
    qemu("echo $$; exec sleep 60")
    process = start(tmp_path, "run", stdin=subprocess.DEVNULL)
    pid = int(process.stdout.readline())
    process.send_signal(signal.SIGTERM)
    process.communicate(timeout=20)
    assert process.returncode == 128 + signal.SIGTERM
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


def test_a_reader_that_goes_away_is_no_traceback(qemu, tmp_path):
    qemu("seq 100000")
    process = start(tmp_path, "run", stdin=subprocess.DEVNULL, stderr=subprocess.PIPE)
    process.stdout.close()
    assert "Traceback" not in process.stderr.read()
    assert process.wait(20) == 1
