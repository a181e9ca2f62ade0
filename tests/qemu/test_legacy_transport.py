# SPDX-License-Identifier: MIT
"""QEMU's own default, virtio-mmio Version 1: the same sound, byte for byte, as on Version 2.

The specification has no legacy sound device; QEMU has. QEMU complains in its log (-d guest_errors)
about each register that is not the transport's, so in these runs the log must be empty.
"""

import time

import numpy as np
import pytest
from console import CTRL_C, PROMPT, console

PERIOD = 480
LOGGED = ["-d", "guest_errors"]

START = """
import vsnd
data = open('/rom/data', 'rb').read()
card = vsnd.open()
assert card.device.transport.version == 1
"""


@pytest.fixture(scope="module")
def sound():
    """Frames that are found nowhere but at their own place, and no whole number of periods."""
    return np.random.default_rng(11).integers(-32768, 32768, (20_011, 2), dtype="<i2")


def padded(frames):
    return np.pad(frames, ((0, -len(frames) % PERIOD), (0, 0)))


def run(board, program, files=None, **options):
    """Run a program on the legacy board, which QEMU must have nothing to say about."""
    result = board.run(program, files, legacy=True, extra=LOGGED, **options)
    assert result.errors == ""
    return result


def play(board, program, frames, **options):
    result = run(board, START + program, {"data": frames.tobytes()}, **options)
    assert result.status == 0
    return result


def test_the_tone(board, tone):
    result = run(board, None)
    assert result.status == 0
    assert result.recording.first_difference(tone) is None
    modern = board.run()
    assert modern.wav.read_bytes() == result.wav.read_bytes()
    # ANY_LAYOUT there, VERSION_1 here; all else is alike.
    assert result.output.replace("0x38000000", "0x130000000") == modern.output


def test_what_the_log_would_say(board):
    # That the log can complain: ConfigGeneration is a register of Version 2.
    program = "import machine; print(machine.mem32[0x10008000 + 0xfc])"
    result = board.run(program, legacy=True, extra=LOGGED)
    assert "virtio_mmio_read" in result.errors


@pytest.mark.parametrize("size", [1, 7, 479, 481, 1000, 5000])
def test_writes_of_any_size(board, sound, size):
    frames = sound[: 8 * 480 + 11] if size == 1 else sound
    program = f"""
with card.output() as out:
    for at in range(0, len(data), 4 * {size}):
        part = data[at:at + 4 * {size}]
        assert out.write(part) == len(part)
"""
    result = play(board, program, frames)
    assert result.recording.first_difference(padded(frames)) is None


def test_without_a_copy(board, sound):
    program = "with card.output() as out: out.write(data, copy=False)"
    result = play(board, program, sound)
    assert result.recording.first_difference(padded(sound)) is None


def test_two_plays_and_a_new_card(board, sound):
    program = """
for _ in range(2):
    for _ in range(2):
        with card.output(periods=8) as out:
            out.write(data)
        print(out.xruns)
    card.close()
    card = vsnd.open()
"""
    result = play(board, program, sound)
    assert result.output.split() == ["0"] * 4
    assert result.recording.first_difference(np.concatenate([padded(sound)] * 4)) is None


def test_the_rings_turn_over(board):
    # 300 periods are more than four times the 64 entries of a ring.
    frames = np.random.default_rng(12).integers(-32768, 32768, (300 * PERIOD, 2), dtype="<i2")
    program = "with card.output() as out: out.write(data)"
    assert play(board, program, frames).recording.first_difference(frames) is None


@pytest.mark.parametrize("option", ["event_idx", "any_layout", "indirect_desc", "notify_on_empty"])
def test_without_a_feature(board, sound, option):
    program = "print(card.device.features >> 29 & 1, card.device.features >> 27 & 1)"
    program += "\nwith card.output() as out: out.write(data)"
    extra = [*LOGGED, "-global", f"virtio-sound-device.{option}=off"]
    result = board.run(START + program, {"data": sound.tobytes()}, legacy=True, extra=extra)
    assert (result.status, result.errors) == (0, "")
    wanted = [str(int(option != other)) for other in ("event_idx", "any_layout")]
    assert result.output.split() == wanted
    assert result.recording.first_difference(padded(sound)) is None


def test_a_broken_device_is_silent(board, sound):
    # DEVICE_NEEDS_RESET came with Version 2. A stream that is not there breaks QEMU's device, and
    # on Version 1 nothing tells: the request ends by its time limit, and a new card works.
    program = """
try:
    card.request(b'\\x03\\x01\\0\\0\\x63\\0\\0\\0')
except OSError as e:
    print(e)
print(card.device.transport.status())
card.close()
with vsnd.open().output() as out: out.write(data)
"""
    result = board.run(START + program, {"data": sound.tobytes()}, legacy=True)
    assert result.status == 0
    said = result.output.splitlines()
    assert "ETIMEDOUT" in said[0]
    assert said[1] == "7"
    assert result.recording.first_difference(padded(sound)) is None


def test_all_four_queues_and_the_interrupt(board):
    # Below vsnd. Without the interrupt, wait() would see what it waits for only at its limit.
    program = """
import struct
from time import ticks_ms, ticks_diff
from virtio import Device, dma, find
device = Device(find(25), 0, (64,) * 4)
control, events, tx, rx = device.queues
size = 480 * 4
memory = dma.alloc(2048)
def request(code, *fields):
    message = struct.pack("<II", code, 1) + bytes(fields)
    memory.store(message, 0)
    head = control.chain((memory.pa, len(message), False), (memory.pa + 32, 4, True))
    done = device.request(control, head, 1000)
    return done and control.written[head] == 4 and memory.load(4, 32) == b"\\0\\x80\\0\\0"
event = events.chain((memory.pa + 40, 8, True))
events.submit(event)
chain = rx.chain((memory.pa + 64, 4, False), (memory.pa + 68, size, True),
                 (memory.pa + 68 + size, 8, True))
memory.store(struct.pack("<I", 1) + b"\\xAA" * (size + 8), 64)
print(request(0x0101, 0, 30, 0, 0, 0x80, 7, 0, 0, 0, 0, 0, 0, 2, 5, 7, 0), request(0x0102))
rx.submit(chain)
print(request(0x0104))
def done():
    rx.reap()
    return chain not in rx.busy
start = ticks_ms()
print(device.wait(done, 1000), ticks_diff(ticks_ms(), start) < 100, rx.written[chain])
print(memory.load(size + 8, 68) == bytes(size) + b"\\0\\x80" + bytes(6))
print(request(0x0105), request(0x0103))
events.reap()
print(event in events.busy, memory.load(8, 40) == bytes(8))
device.close()
"""
    # QEMU's driver `none` captures silence. Its sound device never sends an event, and says so.
    result = board.run(program, legacy=True, extra=["-d", "guest_errors,unimp"],
                       audio="none", streams=2)
    assert result.status == 0
    assert result.errors == "virtio_snd: event queue is unimplemented.\n"
    assert result.output.split() == ["True"] * 5 + ["1928"] + ["True"] * 5


# In real time


@pytest.mark.parametrize("features", [0, 1 << 29, 1 << 28 | 1 << 29])
def test_a_strict_device(board, sound_card, sound, features):
    # It cannot have VERSION_1, which would have to be accepted, and it knows no ANY_LAYOUT.
    program = "with card.output() as out: out.write(data)\nprint(card.device.features)"
    card = sound_card(features=features)
    result = play(board, program, sound, device=card)
    assert result.output.split() == [str(features)]
    assert card.streams[0].played == padded(sound).tobytes()


@pytest.fixture
def repl(firmware, tmp_path, sound):
    files = {"data": sound.tobytes()}
    with console(firmware, tmp_path, files=files, legacy=True) as board:
        board.until(PROMPT)
        yield board


LOAD = "import vsnd; data = open('/rom/data', 'rb').read()"
PLAY = "out = vsnd.open().output(); n = out.write(data); out.close(); print(out.xruns >= 0)"
BLOCKED = b"out = vsnd.open().output(); n = out.write(data * 10)\r"


@pytest.mark.parametrize("end", ["soft reboot", "machine reset"])
def test_reboots_while_it_plays(repl, sound, end):
    for _ in range(3):
        repl.run(LOAD)
        assert repl.run("vsnd.open().device.transport.version") == "1"
        repl.send(BLOCKED)
        time.sleep(0.3)
        repl.send(CTRL_C)
        assert b"KeyboardInterrupt" in repl.until(PROMPT)
        assert repl.run("out.state") in ("'RUNNING'", "'XRUN'")  # a busy host lets it run dry
        if end == "soft reboot":
            repl.soft_reboot()
        else:
            repl.send(b"import machine; machine.reset()\r")
            assert b"MicroPython v1." in repl.until(PROMPT)
    repl.run(LOAD)
    assert repl.run(PLAY) == "True"
    recording = repl.power_off()
    frames = padded(sound)
    assert (recording.samples[-len(frames) :] == frames).all()
