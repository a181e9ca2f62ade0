# SPDX-License-Identifier: MIT
"""modules/vsnd: the device asks for a reset at any jump of what the program does.

As test_preempt.py; here the handler of the interrupt comes in between, and recovers the card.
"""

import os

import pytest

import sim
from broken import Broken
from duplex import read, sound, streams
from preempt import Preempt
from rig import Rig

PERIOD = 24
BYTES = 4 * PERIOD
STRIDE = int(os.environ.get("STRIDE", "101"))  # of the jumps, to take seconds; 1 for all of them


def play(card):
    out = card.output(period=PERIOD)
    data = sound(9 * BYTES + 40)
    at = 0
    for n in (20, BYTES - 20, 3 * BYTES, 2 * BYTES + 36, len(data)):
        out.write(data[at : at + n], n % 8 > 0)
        at += n
    out.close()
    return data + bytes(BYTES - 40)


def drop_and_play(card):
    with card.output(period=PERIOD) as out:
        out.write(bytes(2 * BYTES))
        out.start()
        out.drop()
        out.write(bytes(BYTES))
        out.drop()
        out.write(sound(6 * BYTES))
        out.pause()
        out.resume()
    return sound(6 * BYTES)


def two_streams(card):
    outs = [card.output(period=PERIOD) for _ in range(2)]
    for at in range(0, 6 * BYTES, BYTES // 2):
        for number, out in enumerate(outs):
            out.write(sound(6 * BYTES, number)[at : at + BYTES // 2])
    outs[1].close()
    outs[0].close()
    return sound(6 * BYTES)


def tokens(card):
    with card.output(period=PERIOD) as out:
        made = [out.xfer_nb(sound(n + BYTES)[n:]) for n in range(0, 4 * BYTES, BYTES)]
        for token in made:
            out.xfer_ok(token)
        out.xfer(sound(7 * BYTES)[4 * BYTES :])
    return sound(7 * BYTES)


def record(card):
    with card.input(period=PERIOD) as mic:
        for frames in (5, PERIOD - 5, 3 * PERIOD, 2 * PERIOD + 9):
            assert len(read(mic, frames)) == 4 * frames
    return b""


def ask(card):
    from vsnd import protocol

    for _ in range(2):
        # Not refresh(): a reset in the middle of a read of the configuration would break C-02.
        assert len(card.request(protocol.pcm_info(0, 2), 64)) == 64
        card.events.wait(1)
    return b""


@pytest.mark.parametrize("program", [play, drop_and_play, two_streams, tokens, record, ask])
@pytest.mark.parametrize("features", [sim.VERSION_1 | sim.EVENT_IDX, sim.VERSION_1])
def test_at_any_jump(program, features):
    at = 0
    while once(program, features, at):
        at += STRIDE


def once(program, features, at):
    """Return whether `program` made as many jumps."""
    rig = Rig(streams=streams(2, 1), features=features)
    with rig.board.installed():
        rig.load()
        card = rig.vsnd.open()
        broken = Broken(rig)
        free = rig.dma.available()

        def come():
            broken.ask()
            rig.board._dispatch()

        preempt = Preempt(rig.board, come, at)
        try:
            data = preempt.run(lambda: program(card))
            rig.board._dispatch()
            assert not sim.breaches and not card.device.error
            assert card.resets == (preempt.where is not None)
            assert broken.heard(0).endswith(data)
            if program in (play, two_streams, tokens):
                assert len(broken.heard(0)) == len(data)
            assert rig.dma.available() == free
            card.close()
        except BaseException as e:
            sim.breaches.clear()
            e.add_note(f"at jump {at}, {preempt.where}")
            raise
        assert rig.guards()
        return preempt.jumps > at
