# SPDX-License-Identifier: MIT
"""QEMU's own device: it breaks while it plays, and machines end in the middle of something."""

import os
import time

import numpy as np
import pytest
from console import CTRL_C, PROMPT, console
from qmp import Qmp, options

PERIOD = 480

# By hand: CYCLES=200 pytest tests/qemu/test_recovery.py -k leak --timeout 1200
CYCLES = int(os.environ.get("CYCLES", "5"))


@pytest.fixture
def sound():
    """Twenty periods that are found nowhere but at their own place."""
    return np.random.default_rng(3).integers(-32768, 32768, (20 * PERIOD, 2), dtype="<i2")


# What is made available on a queue jumps, which QEMU answers with DEVICE_NEEDS_RESET.
BREAK = """
import vsnd, virt
from machine import mem32, Timer
data = open("/rom/data", "rb").read()
card = vsnd.open()
def broken(t):
    queue = card.device.queues[3]
    virt.store16(queue.avail_va, 5000, 2)
    mem32[queue.notify_va] = 3
"""


def spans(frames, recording):
    """Where the parts of `frames` are in a recording: (first, end, offset) of those in a row."""
    found = []
    recorded = recording.samples.tobytes()
    for at in range(0, len(frames), 48):
        place = recorded.find(frames[at : at + 48].tobytes())
        assert place >= 0, f"frame {at} was never heard"
        offset = place // 4 - at
        if not found or found[-1][2] != offset:
            found.append((at, at, offset))
        found[-1] = found[-1][0], at + 48, offset
    return found


PLAYS = {
    "write": "out.write(data)\nout.close()",
    "copy=False": "out.write(data, False)\nout.close()",
    "drain": "out.write(data[: 1920 * 3])\nout.write(data[1920 * 3 :])\nout.drain()\nout.close()",
    "asyncio": """
import asyncio
async def main():
    await out.awrite(data)
    await out.aclose()
asyncio.run(main())
""",
}


@pytest.mark.parametrize("play", PLAYS)
def test_a_device_that_breaks_while_it_plays(board, sound, play):
    after_ms = 153 if play == "drain" else 53
    program = f"""
{BREAK}
out = card.output(periods={16 if play == "drain" else 4})
Timer(mode=Timer.ONE_SHOT, period={after_ms}, callback=broken)
{PLAYS[play]}
print(out.xruns, card.resets, card.device.error)
"""
    result = board.run(program, files={"data": sound.tobytes()})
    assert (result.status, result.output) == (0, "1 1 None\n")
    # No frame is missing. What QEMU had taken of a period that it had not returned comes twice.
    before, after = spans(sound, result.recording)
    assert before[0] == before[2] == 0 and after[1] == len(sound)
    assert 0 <= after[2] <= 2 * PERIOD + 64


def test_a_device_that_breaks_again_and_again(board, sound):
    program = f"""
{BREAK}
out = card.output()
Timer(period=25, callback=broken)
try:
    out.write(data * 5)
except OSError as e:
    print(e)
"""
    result = board.run(program, files={"data": sound.tobytes()})
    assert "cannot be recovered: it asked more than 3 times in 10 s" in result.output


@pytest.mark.parametrize("legacy", [False, True])
def test_reset_of_a_device_that_is_of_no_use(board, sound, legacy):
    # QEMU's device keeps buffers over its reset, and would play them after it: recovery.forget().
    program = f"""
{BREAK}
out = card.output(periods=16)
out.write(data)
out.start()
card.device.fail("of no use")
card.reset()
with card.output() as out: out.write(data[::-1] if False else data[4:] + data[:4])
print(card.device.error)
"""
    result = board.run(program, files={"data": sound.tobytes()}, legacy=legacy)
    assert (result.status, result.output) == (0, "None\n")
    expected = np.roll(sound, -1, axis=0)
    assert (result.recording.samples[-len(expected) :] == expected).all()


# Another life: nothing of the one before is heard in it

LOAD = "import vsnd; data = open('/rom/data', 'rb').read()"
QUEUE = "long = vsnd.open().output(period=2400, periods=16); n = long.write(data * 3)"
OPEN = "while True: print('go'); vsnd.open().output().abort(); vsnd.open().close()"
PLAY = "out = vsnd.open().output(); n = out.write(data); out.close(); print(n)"


@pytest.fixture
def repl(firmware, tmp_path, sound):
    """A board at its prompt, with the sound in /rom/data; its monitor is at tmp_path/qmp."""
    extra = options(tmp_path / "qmp")
    with console(firmware, tmp_path, files={"data": sound.tobytes()}, extra=extra) as board:
        board.until(PROMPT)
        yield board


@pytest.mark.parametrize("end", ["system_reset", "machine.reset()", "Ctrl-C"])
def test_nothing_of_an_earlier_life_is_heard(repl, sound, tmp_path, end):
    qmp = Qmp(tmp_path / "qmp")
    for number in range(4):
        repl.run(LOAD)
        if end == "Ctrl-C" or number % 2 == 0:
            repl.send(OPEN.encode() + b"\r\r")
            repl.until(b"\r\ngo\r\ngo\r\n")
            time.sleep(0.013 * number)
        else:
            repl.run(QUEUE)
            repl.run("long.start()")
        if end == "system_reset":
            qmp.do("system_reset")
        elif end == "Ctrl-C" or number % 2 == 0:
            repl.send(CTRL_C)
            assert b"KeyboardInterrupt" in repl.until(PROMPT)
            if end == "Ctrl-C":
                repl.run("vsnd.open().reset()")  # the stream may be open, a request under way
        if end == "machine.reset()":
            repl.send(b"import machine; machine.reset()\r")
        if end != "Ctrl-C":
            assert b"MicroPython v1." in repl.until(PROMPT)
    repl.run(LOAD)
    assert repl.run(PLAY) == str(sound.nbytes)
    recording = repl.power_off()
    assert (recording.samples[-len(sound) :] == sound).all()


@pytest.mark.parametrize("started", [False, True])
def test_what_qemu_keeps_over_a_system_reset_is_taken_from_it(repl, sound, tmp_path, started):
    # No program is asked, so nothing is released. Without the purge at the first open() QEMU plays
    # what was queued after the next START, at the latest, from memory that has another use now,
    # and returns it into the new rings.
    repl.run(LOAD)
    assert repl.run("out = vsnd.open().output(period=2400, periods=16); out.write(data * 3)") == (
        str(3 * sound.nbytes)
    )
    assert repl.run("out.start(); out.state" if started else "out.state") == (
        "'RUNNING'" if started else "'PREPARED'"
    )
    Qmp(tmp_path / "qmp").do("system_reset")
    assert b"MicroPython v1." in repl.until(PROMPT)
    repl.run(LOAD)
    assert repl.run(PLAY) == str(sound.nbytes)
    recording = repl.power_off()
    assert (recording.samples[-len(sound) :] == sound).all()
    if not started:
        assert recording.frames == len(sound)


def test_cycles_of_open_play_reset_and_soft_reboot_leak_nothing(repl):
    seen = set()
    repl.soft_reboot()  # from now on each life has the same past
    for _ in range(CYCLES):
        repl.run("import gc, vsnd; from virtio import dma; data = bytes(9600)")
        repl.run("gc.collect(); n = [gc.mem_alloc(), gc.mem_free(), dma.available()]")
        repl.run("card = vsnd.open()")
        repl.run("gc.collect(); before = dma.available(), gc.mem_alloc()")
        for _ in range(2):
            repl.run("out = card.output(); m = out.write(data)")
            repl.run("card.reset(); out = None")
            repl.run("gc.collect(); n += [dma.available(), gc.mem_alloc(), out]")
        assert repl.run("n[3] == n[6] == before[0], card.device.error") == "(True, None)"
        seen.add(repl.run("n"))
        repl.soft_reboot()
    assert len(seen) == 1, f"figures of memory differ after {CYCLES} cycles: {seen}"
