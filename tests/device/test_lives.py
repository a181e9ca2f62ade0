# SPDX-License-Identifier: MIT
"""Drivers and QEMUs come and go, in any state: the next one finds a device as new."""

import time

import pytest
from console import CTRL_C, PROMPT, console
from qmp import Qmp
from virtboard import VirtboardError

PATIENCE = 20  # s
LOAD = "import vsnd; data = open('/rom/data', 'rb').read()"
PLAY = "out = vsnd.open().output(); n = out.write(data); out.close(); print(n)"
QUEUE = "long = vsnd.open().output(period=4800, periods=16); n = long.write(data * 6)"
BLOCKED = "short = vsnd.open().output(); n = short.write(data * 1000)"


@pytest.fixture
def repl_of(firmware, tmp_path, sound):
    """Makes a board at its prompt with a card, and the sound in /rom/data."""

    def make(card, **options):
        return console(firmware, tmp_path, files={"data": sound}, **card.machine(), **options)

    return make


def power_off(board):
    board.send(b"import virt; virt.exit(0)\r")
    assert board.process.wait(PATIENCE) == 0


def has_played(card, periods, lives=1):
    """Waits until the last of so many drivers has played more than so many periods."""
    end = time.monotonic() + PATIENCE
    while not card.call(
        lambda: len(card.lives) == lives and card.streams[0].periods > periods
    ):
        assert time.monotonic() < end
        time.sleep(0.005)


def heard(card):
    """The lives of drivers. All but the first begin with a short one: recovery.purge()."""
    assert not any(life[0].played for life in card.lives[1::2])
    return card.lives[::2]


def test_soft_reboots_in_every_state(repl_of, sound_card, sound):
    card = sound_card()
    with repl_of(card) as board:
        board.until(PROMPT)
        board.run(LOAD)
        assert board.run(PLAY) == str(len(sound))
        board.soft_reboot()
        board.run(LOAD)
        board.run(QUEUE)
        assert board.run("long.state") in ("'RUNNING'", "'XRUN'")
        board.soft_reboot()
        board.run(LOAD)
        board.send(BLOCKED.encode() + b"\r")
        has_played(card, 5, lives=5)
        board.send(CTRL_C)
        assert b"KeyboardInterrupt" in board.until(PROMPT)
        board.soft_reboot()
        board.run(LOAD)
        assert board.run(PLAY) == str(len(sound))
        power_off(board)
    card.settle()
    first, second, third, last = (life[0] for life in heard(card))
    assert first.played == last.played == sound
    assert len(second.played) < 6 * len(sound)
    assert (sound * 6).startswith(second.played)
    assert third.played
    assert (sound * 1000).startswith(third.played)


def test_a_machine_reset_while_it_plays(repl_of, sound_card, sound):
    card = sound_card()
    with repl_of(card) as board:
        board.until(PROMPT)
        board.run(LOAD)
        board.run(QUEUE)
        board.send(b"import machine; machine.reset()\r")
        assert b"MicroPython v1." in board.until(PROMPT)
        board.run(LOAD)
        assert board.run(PLAY) == str(len(sound))
        power_off(board)
    card.settle()
    assert [len(life[0].played) < 6 * len(sound) for life in heard(card)] == [True, True]
    assert card.streams[0].played == sound


def test_a_machine_that_is_paused_loses_nothing(repl_of, sound_card, sound, tmp_path):
    # A debugger that stops the machine does the same.
    card = sound_card()
    with repl_of(card, extra=["-qmp", f"unix:{tmp_path}/qmp,server=on,wait=off"]) as board:
        board.until(PROMPT)
        qmp = Qmp(tmp_path / "qmp")
        board.run(LOAD)
        board.send(PLAY.replace("data", "data * 4").encode() + b"\r")
        for periods in (5, 20, 40):
            has_played(card, periods)
            qmp.do("stop")
            before = card.call(lambda: len(card.streams[0].played))
            time.sleep(0.05)
            assert card.call(lambda: len(card.streams[0].played)) == before
            qmp.do("cont")
        assert str(4 * len(sound)).encode() in board.until(b"\n" + PROMPT)
        power_off(board)
    card.settle()
    assert len(card.lives) == 1
    assert card.streams[0].played == sound * 4


def test_qemu_ends_in_the_middle_and_another_one_comes(board, sound_card, sound):
    card = sound_card()
    quits = board.run(
        """
        import vsnd, virt
        data = open("/rom/data", "rb").read()
        out = vsnd.open().output()
        out.write(data)
        virt.exit(3)
        """,
        files={"data": sound},
        device=card,
    )
    assert quits.status == 3
    played = card.streams[0].played
    assert played and played != sound
    assert sound.startswith(played)

    result = board.run(f"{LOAD}\n{PLAY}", files={"data": sound}, device=card)
    assert (result.status, result.output) == (0, f"{len(sound)}\n")
    assert card.streams[0].played == sound
    assert len(card.lives) == 2


def test_qemu_is_killed(repl_of, sound_card, board, sound):
    card = sound_card()
    with repl_of(card) as first:
        first.until(PROMPT)
        first.run(LOAD)
        first.send(BLOCKED.encode() + b"\r")
        has_played(card, 5)
        first.process.kill()
        first.process.wait(PATIENCE)
    card.settle()
    result = board.run(f"{LOAD}\n{PLAY}", files={"data": sound}, device=card)
    assert (result.status, result.output) == (0, f"{len(sound)}\n")
    assert card.streams[0].played == sound


def test_the_device_ends_in_the_middle(repl_of, sound_card):
    card = sound_card()
    with repl_of(card) as board:
        board.until(PROMPT)
        board.run(LOAD)
        board.send(BLOCKED.encode() + b"\r")
        has_played(card, 5)
        card.close()
        assert b"takes no samples" in board.until(b"\n" + PROMPT)
        board.process.kill()


def test_a_second_qemu_does_not_disturb(repl_of, board, sound_card, sound):
    card = sound_card()
    with repl_of(card) as first:
        first.until(PROMPT)
        first.run(LOAD)
        second = board.run("", device=card.path)
        assert second.status == 1
        assert "Failed to " in second.errors
        assert first.run(PLAY) == str(len(sound))
        power_off(first)
    card.settle()
    assert card.streams[0].played == sound
    assert card.said == ["a second QEMU was turned away: one at a time"]


def test_no_device_there(board, tmp_path):
    with pytest.raises(VirtboardError, match=r"no sound device at .*: `python -m virtsnd "):
        board.run("", device=tmp_path / "nothing")


def test_virtual_time_is_refused(board, sound_card):
    with pytest.raises(VirtboardError, match="a sound device of its own needs icount=False"):
        board.run("", device=sound_card(), icount=True)
