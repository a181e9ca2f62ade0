# SPDX-License-Identifier: MIT
"""Bad input of every kind: one clear line, a status that is not 0, and never a hang."""

import os
import re
import subprocess
import sys

import pytest
from virtboard import VirtboardError, tools

SILENCE = bytes(480 * 4)


def catch(program, expected="Exception"):
    """A main.py that prints the error that `program` ends in, and then that it lives on."""
    lines = "".join(f"    {line}\n" for line in program.strip().splitlines())
    told = "print(type(e).__name__ + ':', e)"
    return f"import vsnd\ntry:\n{lines}except {expected} as e:\n    {told}\nprint('alive')\n"


def error_of(board, program, **options):
    """The one line that the program's error prints, the board having lived on."""
    result = board.run(catch(program), **options)
    lines = result.output.splitlines()
    assert result.status == 0
    assert lines[-1] == "alive"
    assert len(lines) == 2, "the error is not one line"
    return lines[0]


# What is wrong outside the guest


def test_no_sound_device(board):
    line = error_of(board, "vsnd.open()", sound=False)
    assert line.startswith("OSError: ")
    assert "no sound device" in line
    assert "-device virtio-sound-device" in line


def test_the_tone_without_a_sound_device(board):
    result = board.run(sound=False)
    assert result.status == 1
    assert "no sound device" in result.output.splitlines()[-1]


@pytest.mark.parametrize("missing", ["zba", "zbb", "zbs"])
def test_a_processor_that_cannot_run_it(board, xlen, missing):
    if xlen == 32:
        pytest.skip("the 32-bit firmware is compiled without them")
    result = board.run(extra=["-cpu", f"rv64,{missing}=off"])
    assert result.status == 134
    assert result.output.splitlines() == [
        "CRASH: the processor has no Zba, Zbb or Zbs: leave out QEMU's -cpu"
    ]


@pytest.mark.parametrize("legacy", [False, True])
def test_a_slot_without_a_device(board, legacy):
    line = error_of(board, "vsnd.open(0x10001000)", legacy=legacy)
    assert line == "OSError: [Errno 19] ENODEV: virtio-mmio slot at 0x10001000 is empty"


def test_a_recording_that_cannot_be_written(board, tmp_path):
    with pytest.raises(VirtboardError, match="cannot record to .*: No such file or directory"):
        board.run(wav=tmp_path / "no" / "such" / "folder" / "x.wav")


def test_a_card_without_a_voice(board):
    # QEMU records one raw voice. The second stream has none and never takes a sample: QEMU goes
    # on, the guest must not wait for ever, and the run must not look good.
    program = "out = vsnd.open().output(stream=1)\nout.write(bytes(480 * 4 * 8))"
    result = board.run(catch(program), streams=3, raw=True)
    assert result.output.startswith("OSError: ")
    assert "takes no samples" in result.output
    assert result.status == 1
    assert any("no output" in line for line in result.failures)


def command_line(*words, **environment):
    """Runs `python -m virtboard` with these words and variables."""
    environ = {k: v for k, v in os.environ.items() if k not in ("ROM", "WAV", "AUDIO", "RATE")}
    environ |= {"PYTHONPATH": str(tools.ROOT / "host"), **environment}
    command = [sys.executable, "-m", "virtboard", *map(str, words)]
    quiet = {"stdin": subprocess.DEVNULL, "capture_output": True, "text": True}
    return subprocess.run(command, env=environ, timeout=60, **quiet)


@pytest.mark.parametrize("rom", ["", "no/such/folder", "pyproject.toml"])
def test_a_rom_that_names_no_folder(firmware, tmp_path, rom):
    words = ("run", "--firmware", firmware, "--wav", tmp_path / "run.wav")
    done = command_line(*words, ROM=str(tools.ROOT / rom) if rom else "")
    assert done.returncode == 2
    assert done.stdout == ""
    assert len(done.stderr.splitlines()) == 1
    assert "ROM=" in done.stderr


# How a program ends


def test_an_exception_in_main_py(board):
    result = board.run("import nothing")
    assert result.status == 1
    lines = result.output.splitlines()
    assert lines[0].startswith("Traceback")
    assert lines[-1] == "ImportError: no module named 'nothing'"


@pytest.mark.parametrize("value, status", [("", 0), ("0", 0), ("3", 3), ("None", 0), ("256", 1)])
def test_the_status_of_system_exit(board, value, status):
    result = board.run(f"import sys\nprint('here')\nsys.exit({value})\nprint('not here')")
    assert (result.status, result.output) == (status, "here\n")


def test_a_text_in_system_exit_is_printed(board):
    result = board.run("raise SystemExit('no luck')")
    assert (result.status, result.output) == (1, "no luck\n")


@pytest.mark.parametrize("status", [0, 1, 7, 255])
@pytest.mark.every_board
def test_virt_exit(board, status):
    result = board.run(f"import virt\nprint('here')\nvirt.exit({status})\nprint('not here')")
    assert (result.status, result.output) == (status, "here\n")


def test_a_syntax_error_in_main_py(board):
    result = board.run("this is no Python")
    assert result.status == 1
    assert "SyntaxError" in result.output.splitlines()[-1]


# What is not a WAV file, or not one for this card


def wav(data=SILENCE, format=1, channels=2, rate=48000, bits=16):
    """A WAV file's bytes."""
    align = channels * bits // 8
    fields = [(format, 2), (channels, 2), (rate, 4), (rate * align, 4), (align, 2), (bits, 2)]
    fmt = b"".join(value.to_bytes(size, "little") for value, size in fields)
    body = b"WAVEfmt " + len(fmt).to_bytes(4, "little") + fmt
    body += b"data" + len(data).to_bytes(4, "little") + data
    return b"RIFF" + len(body).to_bytes(4, "little") + body


@pytest.mark.parametrize(
    "content, words",
    [
        (b"", "the file is empty"),
        (b"hello, I am a text", "not a WAV file"),
        (wav()[:36], "ends before a 'data' chunk"),
        (wav(bits=24, data=bytes(480 * 6)), "no format S24_3"),
        (wav(rate=12345), "no rate 12345 Hz"),
        (wav(channels=6, data=bytes(480 * 12)), "no 6 channels"),
        (wav(format=2), "format 2 is not PCM"),
    ],
    ids=["empty", "text", "cut off", "24 bits", "12345 Hz", "6 channels", "ADPCM"],
)
def test_a_file_that_cannot_be_played(board, content, words):
    line = error_of(board, "import audio\naudio.play('/rom/x.wav')", files={"x.wav": content})
    assert words in line
    assert "x.wav" in line


def test_a_good_file_plays_after_bad_ones(board):
    files = {"bad.wav": wav(rate=12345), "good.wav": wav(data=b"\1\2\3\4" * 480)}
    program = "import audio\naudio.play('/rom/bad.wav')"
    result = board.run(catch(program) + "audio.play('/rom/good.wav')", files=files)
    assert result.status == 0
    assert result.recording.samples.tobytes() == b"\1\2\3\4" * 480


def test_a_file_that_is_not_there(board):
    line = error_of(board, "import audio\naudio.play('/rom/x.wav')")
    assert line.startswith("OSError: ")
    assert "ENOENT" in line


# Arguments and states that the driver refuses


@pytest.mark.parametrize(
    "arguments, words",
    [
        ("rate=12345", "no rate 12345 Hz, but 5512 8000"),
        ("format=vsnd.S24_3", "no format S24_3, but S8"),
        ("format=99", "no format"),
        ("channels=3", "no 3 channels, but 1..2"),
        ("channels=0", "no 0 channels, but 1..2"),
        ("period=0", "period is 0 frames"),
        ("periods=1", "periods is 1"),
        ("stream=5", "stream 5"),
    ],
)
def test_parameters_of_an_output(board, arguments, words):
    line = error_of(board, f"vsnd.open().output({arguments})")
    assert line.startswith("ValueError: ")
    assert words in line


def test_an_output_that_is_in_use(board):
    line = error_of(board, "card = vsnd.open()\nout = card.output()\ncard.output()")
    assert line.startswith("OSError: ")
    assert "EBUSY" in line or "close() the one in use" in line


def test_a_part_of_a_frame(board):
    line = error_of(board, "out = vsnd.open().output()\nout.write(bytes(6))")
    assert line.startswith("ValueError: 6 bytes are no whole frames of 4 bytes")


def test_a_closed_output(board):
    line = error_of(board, "out = vsnd.open().output()\nout.close()\nout.write(bytes(4))")
    assert line.startswith("OSError: ")
    assert "CLOSED" in line


def test_writing_into_a_full_paused_output(board):
    program = """
out = vsnd.open().output()
out.write(bytes(480 * 4 * 5))
out.pause()
out.write(bytes(480 * 4 * 5))
"""
    line = error_of(board, program)
    assert line.startswith("OSError: ")
    assert "PAUSED" in line
    assert "resume()" in line


# What kills lesser boards


def test_deep_recursion(board):
    line = error_of(board, "def f(): return f()\nf()")
    assert line == "RuntimeError: maximum recursion depth exceeded"


def test_deep_recursion_in_c(board):
    line = error_of(board, "a = []\nfor _ in range(100000): a = [a]\nrepr(a)")
    assert line == "RuntimeError: maximum recursion depth exceeded"


def test_memory_exhausted(board):
    line = error_of(board, "a = []\nwhile True: a.append(bytes(1 << 20))", memory="32M")
    assert line.startswith("MemoryError: ")


def test_more_memory_than_there_is(board, xlen):
    for size in ("1 << 30", "sys.maxsize"):
        line = error_of(board, f"import sys; bytearray({size})")
        assert line.startswith("MemoryError: ")
    line = error_of(board, "bytearray(1 << 40)")
    assert line.startswith("MemoryError: " if xlen == 64 else "OverflowError: ")


def test_the_board_plays_after_memory_was_exhausted(board):
    program = catch("a = []\nwhile True: a.append(bytes(1 << 16))")
    after = "del a\nwith vsnd.open().output() as out: out.write(b'\\1\\2\\3\\4' * 480)"
    result = board.run(program + after, memory="32M")
    assert result.status == 0
    assert result.recording.samples.tobytes() == b"\1\2\3\4" * 480


@pytest.mark.parametrize(
    "access, cause",
    [
        ("machine.mem32[0x18000000]", "load access fault (mcause 5)"),
        ("machine.mem32[0x18000000] = 1", "store access fault (mcause 7)"),
    ],
)
@pytest.mark.every_board
def test_an_access_to_nowhere(board, xlen, access, cause):
    result = board.run(f"import machine\nprint('here')\n{access}\nprint('not here')")
    assert result.status == 134
    here, _, trap, *dump, end = result.output.splitlines()
    assert here == "here"
    digits = xlen // 4
    high = "0" * (digits - 8)  # half of a 64-bit register
    assert re.fullmatch(
        f"TRAP: {re.escape(cause)} at 0x{high}8[0-9a-f]{{7}}, address 0x{high}18000000", trap
    )
    registers = dict(re.findall(rf"(\w+) ([0-9a-f]{{{digits}}})\b", " ".join(dump)))
    assert len(registers) == 31
    assert registers["sp"].startswith(high + "8")
    assert "134" in end
