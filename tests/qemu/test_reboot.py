# SPDX-License-Identifier: MIT
"""However often and in whatever state the board is rebooted, the next play is whole."""

import time

import numpy as np
import pytest
from console import CTRL_C, PROMPT, console

TIMES = 20
FRAMES = 48000

# With 1.6 s of sound queued the prompt comes back at once, while it plays.
QUEUE = "long = vsnd.open().output(period=4800, periods=16); n = long.write((data * 2)[:-76000])"
# Blocked in write(), more being queued than there is room for.
BLOCKED = "short = vsnd.open().output(); n = short.write(data * 10)"
PLAY = "out = vsnd.open().output(); n = out.write(data); out.close(); print(out.xruns >= 0)"
LOAD = "import vsnd; data = open('/rom/data', 'rb').read()"


@pytest.fixture
def sound():
    """A second of frames that are found nowhere but at their own place."""
    return np.random.default_rng(7).integers(-32768, 32768, (FRAMES, 2), dtype="<i2")


@pytest.fixture
def repl(firmware, tmp_path, sound):
    """A board at its prompt, with the sound in /rom/data."""
    with console(firmware, tmp_path, files={"data": sound.tobytes()}) as board:
        board.until(PROMPT)
        yield board


def assert_ends_with(recording, frames):
    """The last play, and it alone, is the end of the recording."""
    assert len(frames) % 480 == 0
    assert (recording.samples[-len(frames) :] == frames).all()


def test_soft_reboots_while_it_plays(repl, sound):
    for number in range(TIMES):
        repl.run(LOAD)
        if number % 2:
            repl.run(QUEUE)
            assert repl.run("long.state") in ("'RUNNING'", "'XRUN'")  # a busy host lets it run dry
        else:
            repl.send(BLOCKED.encode() + b"\r")
            time.sleep(0.1 + number / 100)
            repl.send(CTRL_C)
            assert b"KeyboardInterrupt" in repl.until(PROMPT)
            # A busy host lets it run dry.
            assert repl.run("short.state") in ("'RUNNING'", "'XRUN'")
        repl.soft_reboot()
    repl.run(LOAD)
    assert repl.run(PLAY) == "True"
    recording = repl.power_off()
    assert_ends_with(recording, sound)
    # Something was heard before each reboot, and was cut off by it.
    assert FRAMES + TIMES * 480 < recording.frames < FRAMES + TIMES * FRAMES


def test_every_play_between_soft_reboots_is_whole(repl, sound):
    part = sound[:4800]
    for _ in range(TIMES):
        repl.run(LOAD)
        assert repl.run(PLAY.replace("data", f"data[:{part.nbytes}]")) == "True"
        repl.run(QUEUE.replace("data", f"data[{part.nbytes}:]"))
        repl.soft_reboot()
    recorded = repl.power_off().samples.tobytes()
    assert recorded.count(part.tobytes()) == TIMES


def test_machine_resets_while_it_plays(repl, sound):
    for _ in range(3):
        repl.run(LOAD)
        repl.run(QUEUE)
        repl.send(b"import machine; machine.reset()\r")
        assert b"MicroPython v1." in repl.until(PROMPT)
    repl.run(LOAD)
    assert repl.run(PLAY) == "True"
    assert_ends_with(repl.power_off(), sound)


def test_playing_goes_on_at_the_prompt(repl, sound):
    # Nobody calls the driver any more: what is queued is played all the same.
    repl.run(LOAD)
    repl.run("out = vsnd.open().output(period=4800, periods=16); n = out.write(data); out.start()")
    repl.run("import time; time.sleep(1.5)")
    assert repl.run("out.delay()") == "0"
    assert_ends_with(repl.power_off(), sound)


def test_an_interrupted_write_can_be_dropped(repl, sound):
    repl.run(LOAD)
    repl.send(BLOCKED.encode() + b"\r")
    time.sleep(0.3)
    repl.send(CTRL_C)
    repl.until(PROMPT)
    assert repl.run("short.drop(); short.close(); short.state") == "'CLOSED'"
    assert repl.run(PLAY) == "True"
    assert_ends_with(repl.power_off(), sound)


def test_an_interrupted_drain_can_be_dropped(repl, sound):
    repl.run(LOAD)
    repl.run(QUEUE)
    repl.send(b"long.drain()\r")
    time.sleep(0.3)
    repl.send(CTRL_C)
    assert b"KeyboardInterrupt" in repl.until(PROMPT)
    assert repl.run("long.drop(); long.close(); long.state") == "'CLOSED'"
    assert repl.run(PLAY) == "True"
    assert_ends_with(repl.power_off(), sound)


def test_an_interrupted_drain_can_be_gone_on_with(repl, sound):
    repl.run(LOAD)
    repl.run("out = vsnd.open().output(period=4800, periods=16); n = out.write(data)")
    repl.send(b"out.drain()\r")
    time.sleep(0.3)
    repl.send(CTRL_C)
    assert b"KeyboardInterrupt" in repl.until(PROMPT)
    assert repl.run("out.close(); out.state") == "'CLOSED'"
    assert_ends_with(repl.power_off(), sound)
