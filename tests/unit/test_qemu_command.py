# SPDX-License-Identifier: MIT
"""virtboard.qemu: the command lines, and runs of shell scripts that stand in for QEMU."""

import os
import signal
import time
from pathlib import Path

import pytest

from virtboard import VirtboardError, tools
from virtboard.qemu import BoardTimeout, Machine, RunFailed, build_folder

HEADER = r"printf 'RIFF....WAVEfmt 0123456789abcdef....data....'; head -c 8 /dev/zero"


@pytest.fixture
def machine(tmp_path):
    """Makes a Machine whose QEMU is a shell script; `$wav` in it is the recording."""

    def make(script="exit 0", **options):
        qemu = tmp_path / "qemu"
        qemu.write_text(f"#!/bin/sh\nwav={tmp_path}/run.wav\n{script}\n")
        qemu.chmod(0o755)
        (tmp_path / "firmware.elf").touch()
        options = {"wav": tmp_path / "run.wav", "qemu": qemu} | options
        return Machine(tmp_path / "firmware.elf", **options)

    return make


@pytest.fixture
def ctrl_c():
    """Ctrl-C raises KeyboardInterrupt, though who started the tests may have had it ignored."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


def has(command, *words):
    """True if the words follow one another in the command."""
    return any(tuple(command[i : i + len(words)]) == words for i in range(len(command)))


def test_deterministic_capture():
    machine = Machine("fw.elf", wav="out.wav", qemu="qemu")
    assert machine.command() == [
        *("qemu", "-machine", "virt", "-smp", "1", "-m", "128M"),
        *("-bios", "none", "-kernel", "fw.elf", "-display", "none"),
        *("-monitor", "none", "-serial", "stdio"),
        *("-icount", "shift=5,sleep=off", "-seed", "1", "-rtc", "base=2000-01-01,clock=vm"),
        *("-global", "virtio-mmio.force-legacy=false", "-global", "virtio-mmio.ioeventfd=off"),
        *("-audiodev", "wav,id=snd,path=out.wav,out.frequency=48000"),
        *("-device", "virtio-sound-device,audiodev=snd,streams=1"),
    ]


def test_the_parts_that_vary():
    command = Machine(
        "fw.elf",
        wav="out.wav",
        rom="rom.img",
        rate=8000,
        streams=4,
        memory="64M",
        append="batch repl",
        legacy=True,
        audio_options="timer-period=5000",
        extra=["-d", "guest_errors"],
        qemu="qemu",
    ).command()
    assert has(command, "-m", "64M")
    assert has(command, "-append", "batch repl")
    assert has(command, "virtio-mmio.force-legacy=true")
    assert has(command, "wav,id=snd,path=out.wav,out.frequency=8000,timer-period=5000")
    assert has(command, "virtio-sound-device,audiodev=snd,streams=4")
    assert has(command, "-device", "loader,file=rom.img,addr=0x20000000,force-raw=on")
    assert command[-2:] == ["-d", "guest_errors"]


def test_terminal_is_shared_and_in_real_time():
    command = Machine("fw.elf", wav="out.wav", terminal=True, qemu="qemu").command()
    assert has(command, "-chardev", "stdio,id=con,mux=on,signal=off")
    assert has(command, "-serial", "chardev:con", "-mon", "chardev=con")
    assert not {"-icount", "-rtc", "-seed", "-monitor"} & set(command)


@pytest.mark.parametrize(
    ("options", "virtual"),
    [
        ({}, True),
        ({"audio": "none"}, True),
        ({"audio": "alsa"}, False),
        ({"audio": "files"}, True),
        ({"serial": "pty"}, False),
        ({"icount": False}, False),
        ({"audio": "alsa", "icount": True}, True),
    ],
)
def test_when_time_is_virtual(options, virtual):
    command = Machine("fw.elf", wav="out.wav", qemu="qemu", **options).command()
    assert ("-icount" in command) == virtual


def test_without_a_sound_card():
    command = Machine("fw.elf", sound=False, qemu="qemu").command()
    assert not {"-audiodev"} & set(command)
    assert not any("virtio-sound" in word for word in command)


def test_raw_recording():
    command = Machine("fw.elf", wav="out.wav", raw=True, qemu="qemu").command()
    assert has(command, "wav,id=snd,path=out.wav,out.mixing-engine=off,out.voices=1")


@pytest.mark.parametrize("raw, pace", [(False, "frequency=8000"), (True, "mixing-engine=off")])
def test_files_at_both_ends(raw, pace):
    options = {"audio": "files", "feed": "in", "rate": 8000, "streams": 2, "raw": raw}
    command = Machine("fw.elf", qemu="qemu", **options).command()
    audiodev = command[command.index("-audiodev") + 1].split(",")
    assert audiodev[:2] == ["alsa", "id=snd"]
    voices = {"out.voices=1"} if raw else set()
    assert set(audiodev[2:]) - voices == {
        *(f"in.{pace}", "in.dev=feed", "in.try-poll=off", "in.buffer-length=1000000"),
        *(f"out.{pace}", "out.dev=played", "out.try-poll=off"),
    }
    assert has(command, "virtio-sound-device,audiodev=snd,streams=2")


def test_commas_in_paths_are_doubled():
    command = Machine("a,b.elf", wav="a,b.wav", rom="a,b.img", qemu="q,emu").command()
    assert command[0] == "q,emu"
    assert has(command, "-kernel", "a,b.elf")
    assert has(command, "wav,id=snd,path=a,,b.wav,out.frequency=48000")
    assert has(command, "loader,file=a,,b.img,addr=0x20000000,force-raw=on")


def test_a_run_and_what_it_leaves(machine):
    script = f"cat; {{ {HEADER}; }} >$wav; printf 'one\\r\\ntwo\\r\\n'; echo odd >&2; exit 3"
    echoed, errors = [], []
    result = machine(script).run(10, echoed.append, errors.append)
    assert (result.status, result.output, result.errors) == (3, "one\ntwo\n", "odd\n")
    assert b"".join(echoed) == b"one\r\ntwo\r\n"
    assert b"".join(errors) == b"odd\n"
    assert 0 < result.seconds < 10
    assert result.recording.frames == 2
    assert result.wav.read_bytes()[40:44] == b"\x08\0\0\0"


def test_output_comes_as_it_is_written(machine, tmp_path):
    go = tmp_path / "go"
    script = f"echo first; while [ ! -e {go} ]; do sleep 0.01; done; echo second"
    result = machine(script).run(10, echo=lambda data: go.touch())
    assert result.output == "first\nsecond\n"


def test_much_output_is_drained_even_if_nobody_listens(machine):
    def gone(data):
        raise BrokenPipeError

    result = machine("head -c 3000000 /dev/zero; head -c 300000 /dev/zero >&2").run(20, gone)
    assert (len(result.output), len(result.errors)) == (3000000, 300000)


def test_output_that_is_no_text(machine):
    assert machine("printf 'a\\377b'").run(10).output == "a\ufffdb"


def test_a_run_that_does_not_end(machine):
    script = "trap 'echo closed; exit 0' TERM; seq 20; while :; do sleep 0.01; done"
    with pytest.raises(BoardTimeout) as caught:
        machine(script).run(0.5)
    text = str(caught.value)
    assert text.startswith("the board did not end within 0.5 s of real time; last serial lines:")
    assert text.split()[-3:] == ["19", "20", "closed"]
    assert "\n  10\n" not in text
    assert isinstance(caught.value, TimeoutError)
    assert isinstance(caught.value, RunFailed)
    assert caught.value.result.output.endswith("closed\n")


def test_a_run_that_ignores_sigterm_is_killed(machine, monkeypatch):
    monkeypatch.setattr("virtboard.process.PATIENCE", 0.3)
    began = time.monotonic()
    with pytest.raises(BoardTimeout) as caught:
        machine("trap '' TERM; echo $$; while :; do sleep 0.01; done").run(0.3)
    assert time.monotonic() - began < 5
    with pytest.raises(ProcessLookupError):
        os.kill(int(caught.value.result.output), 0)


def test_an_interrupted_run_ends_qemu(machine, ctrl_c):
    """Ctrl-C, as Python delivers it, in the middle of a run."""
    pids = []

    def interrupt(data):
        pids.append(int(data))
        os.kill(os.getpid(), signal.SIGINT)

    with pytest.raises(KeyboardInterrupt):
        machine("echo $$; exec sleep 60").run(20, interrupt)
    with pytest.raises(ProcessLookupError):
        os.kill(pids[0], 0)


@pytest.mark.parametrize(
    ("complaint", "line"),
    [
        ("audio: Could not create a backend for voice `virtio-sound.out'", "has no output: audio"),
        ("wav: Failed to open wave file `x.wav'", "QEMU could not open the recording: wav"),
        ("wav: wav_write_out: fwrite of 4 bytes failed", "is the disk full"),
    ],
)
@pytest.mark.parametrize(("guest", "status"), [(0, 1), (5, 5)])
def test_lost_sound_is_a_failure_though_qemu_goes_on(machine, complaint, line, guest, status):
    result = machine(f"cat >&2 <<'.'\n{complaint}\n.\nexit {guest}").run(10)
    assert result.status == status
    assert len(result.failures) == 1
    assert line in result.failures[0]


def test_a_missing_input_with_wav_is_harmless(machine):
    complaint = "audio: Could not create a backend for voice `virtio-sound.in'"
    result = machine(f"cat >&2 <<'.'\n{complaint}\n.").run(10)
    assert (result.status, result.failures) == (0, ())


def test_a_crash_of_qemu_is_no_success(machine):
    result = machine("kill -ABRT $$").run(10)
    assert result.status == 128 + 6
    assert result.failures == ("QEMU was ended by SIGABRT",)


def test_an_old_recording_is_not_taken_for_a_new_one(machine, tmp_path):
    (tmp_path / "run.wav").write_bytes(b"old" * 1000)
    result = machine("exit 1").run(10)
    assert result.recording.frames == 0


def test_what_is_missing_is_said_before_the_start(machine, tmp_path):
    nowhere = tmp_path / "nowhere"
    folder = tmp_path / "folder"
    folder.mkdir()
    for options, line in [
        ({"qemu": nowhere}, "no QEMU at .*nowhere: `make tools` gets one"),
        ({"rom": nowhere}, "no ROM image at .*nowhere"),
        ({"wav": None}, "the recording has no file name: WAV=FILE gives it one"),
        ({"wav": folder}, "cannot record to .*folder: it is not a file"),
        ({"wav": nowhere / "a.wav"}, "cannot record to .*: No such file.*; name a file in"),
        ({"rate": 0}, "a rate of 0 Hz does not exist: the card has 5512 to 384000 Hz"),
    ]:
        board = machine("touch $wav.started", **options)
        with pytest.raises(VirtboardError, match=line) as caught:
            board.run(10)
        assert not isinstance(caught.value, RunFailed)
        assert "\n" not in str(caught.value)
    board = machine()
    (tmp_path / "firmware.elf").unlink()
    with pytest.raises(VirtboardError, match="no firmware at .*firmware.elf: `make run-qemu`"):
        board.run(10)
    assert not list(tmp_path.glob("*.started"))


@pytest.mark.parametrize(
    "content, name",
    [
        (b"\x7fELF\x01\x01", "qemu-system-riscv32"),
        (b"\x7fELF\x02\x01", "qemu-system-riscv64"),
        (b"", "qemu-system-riscv64"),
    ],
)
def test_the_firmware_tells_which_qemu(tmp_path, content, name):
    (tmp_path / "firmware.elf").write_bytes(content)
    machine = Machine(tmp_path / "firmware.elf", wav="out.wav")
    assert machine.qemu == tools.TOOLS / "bin" / name


def test_the_environment_names_the_board(monkeypatch):
    monkeypatch.delenv("BOARD", raising=False)
    assert build_folder() == tools.ROOT / "build" / "qemu_virt"
    monkeypatch.setenv("BOARD", "qemu_virt32")
    assert build_folder() == tools.ROOT / "build" / "qemu_virt32"
    assert build_folder("other") == tools.ROOT / "build" / "other"


def test_a_qemu_that_cannot_be_started(machine, tmp_path):
    board = machine()
    (tmp_path / "qemu").write_bytes(b"\x7fELF, but not of this computer")
    with pytest.raises(VirtboardError, match="QEMU does not start: .*qemu: Exec format error"):
        board.run(10)


def test_host_sound_needs_a_driver_that_qemu_has(machine):
    script = "printf 'Available audio drivers:\\nnone\\nalsa\\nwav\\n'"
    with pytest.raises(VirtboardError, match="no audio driver 'pa': it has none, alsa, wav"):
        machine(script, audio="pa").run(10)
    result = machine(script, audio="alsa", wav=None).run(10)
    assert result.status == 0
    with pytest.raises(VirtboardError, match="this run has no recording"):
        assert result.recording


# Stands in for QEMU, whose alsa-lib finds in its configuration what to read and to write.
ALSA = r"""
if [ "$1" = -audiodev ]; then echo alsa; exit; fi
echo "$ALSA_CONFIG_PATH"
feed=$(sed -n 's/.*infile "\(.*\)".*/\1/p' "$ALSA_CONFIG_PATH")
played=$(sed -n 's/.* file "\(.*played\)".*/\1/p' "$ALSA_CONFIG_PATH")
[ -z "$feed" ] || cat "$feed" >"$played"
"""


def test_what_is_fed_and_played(machine, tmp_path, monkeypatch):
    # A name that alsa-lib would take apart, from the folder where the user is.
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("ALSA_CONFIG_PATH", raising=False)
    Path('%r "in').write_bytes(b"\0\1\2\xff")
    result = machine(ALSA, audio="files", feed='%r "in').run(10)
    assert (result.status, result.errors) == (0, "")
    assert result.played == b"\0\1\2\xff"
    configuration = Path(result.output.strip())
    assert configuration.is_absolute() and not configuration.parent.exists()
    assert "ALSA_CONFIG_PATH" not in os.environ
    with pytest.raises(VirtboardError, match="this run has no recording"):
        assert result.recording


def test_silence_is_fed_and_nothing_played(machine):
    result = machine(ALSA, audio="files").run(10)
    assert (result.status, result.played) == (0, b"")


def test_files_that_cannot_be(machine, tmp_path):
    board = machine(ALSA, audio="files", feed=tmp_path / "nowhere")
    with pytest.raises(VirtboardError, match="no feed at .*/nowhere: it must be a file of raw"):
        board.run(10)
    board = machine("exit 0", audio="wav", feed=tmp_path / "qemu")
    with pytest.raises(VirtboardError, match="only a card with audio='files' hears a feed"):
        board.run(10)
    board = machine("echo wav", audio="files")
    with pytest.raises(VirtboardError, match="no audio driver 'alsa': it has wav"):
        board.run(10)


@pytest.mark.parametrize(
    ("complaint", "meaning"),
    [
        ("Could not create a backend for voice `virtio-sound.in'", "the sound card has no input"),
        ("(x) requested more frames than pcm buffer", "alsa-lib fed silence, for a period of"),
    ],
)
def test_a_feed_that_is_not_heard_is_a_failure(machine, complaint, meaning):
    result = machine(f"{ALSA}\ncat >&2 <<'.'\n{complaint}\n.", audio="files").run(10)
    assert result.status == 1
    assert len(result.failures) == 1
    assert result.failures[0].startswith(meaning)
    assert result.failures[0].endswith(complaint)
