# SPDX-License-Identifier: MIT
"""The real firmware meets a hostile device: one board, and another fault in every second life."""

import inspect
import re
import sys
from pathlib import Path

import pytest
from virtsnd import CTLS, EVENT_IDX, FAULTS, INDIRECT_DESC, VERSION_1, inject

sys.path[:0] = [str(Path(__file__).parents[1] / "unit"), str(Path(__file__).parents[1])]
import robustness  # noqa: E402

import robust  # noqa: E402

NAMES = """
    used-idx-jumps used-idx-jumps-rx used-idx-jumps-control used-id-huge used-id-huge-rx
    used-id-huge-control used-id-repeated used-id-unknown used-len-huge used-len-huge-control
    used-len-short used-len-short-rx used-len-zero-control descriptors-overwritten-control
    answer-status-unknown answer-io-err samples-refused answer-short answer-short-controls
    no-answer-start no-answer-control samples-never-back samples-never-back-rx
    release-keeps-buffers streams-huge jacks-huge controls-huge channels-zero formats-unknown
    chmap-too-long control-type-unknown control-name-endless control-items-endless
    tlv-too-long tlv-deep event-short event-long event-unknown event-jack-unknown event-flood
    config-flood recorded-odd jack-info-not-supp ctl-info-bad-msg
""".split()

PROGRAM = """
import vsnd
DATA = open("/rom/data", "rb").read()

{definitions}

for program in ({programs}):
    card = None
    try:
        card = vsnd.open()
        program(card)
        print("nothing")
    except OSError as e:
        print("OSError:", e)
    if card:
        card.reset()
    else:
        card = vsnd.open()
    with card.output() as out:
        print(out.write(DATA), card.device.error)
    card.close()
"""


@pytest.fixture
def hostile(sound_card):
    """A card whose lives have faults of NAMES: the first, the third, and so on."""
    injections = []
    lives = []

    def setup(device):
        device.events.wanted = False
        if injections:
            injections[-1].remove()
        if len(lives) % 2 == 0:
            injections.append(inject(device, FAULTS[NAMES[len(lives) // 2]]))
        lives.append(len(lives))

    card = sound_card(
        setup=setup, **robust.OPTIONS | {"features": VERSION_1 | EVENT_IDX | INDIRECT_DESC | CTLS}
    )
    card.injections = injections
    return card


def vague(line):
    """What depends on how fast a computer is does not count."""
    return re.sub(r"chain \d+|\d+ of \d+", "N", line)


def test_what_the_user_sees_on_the_board(board, hostile):
    programs = [robust.program_of(FAULTS[name]) for name in NAMES]
    program = PROGRAM.format(
        definitions="\n".join(inspect.getsource(each) for each in dict.fromkeys(programs)),
        programs=", ".join(each.__name__ for each in programs),
    )
    result = board.run(program, files={"data": robust.DATA}, device=hostile)
    assert result.status == 0
    lines = result.output.splitlines()
    assert [injection.happened > 0 for injection in hostile.injections] == [True] * len(NAMES)
    good = f"{len(robust.DATA)} None"
    for name, seen, after in zip(NAMES, lines[::2], lines[1::2], strict=True):
        want = robustness.OUTCOMES[name]
        want = want if want.startswith("OSError") else "nothing"
        assert (name, vague(seen), after) == (name, vague(want), good)
    for life in hostile.lives[1::2]:
        assert life[0].played == robust.DATA


@pytest.mark.parametrize("name", ["samples-never-back", "samples-never-back-rx"])
def test_a_task_that_waits_for_a_silent_device_is_told(board, sound_card, name):
    def setup(device):
        device.events.wanted = False
        if name not in injected:
            injected[name] = inject(device, FAULTS[name])

    injected = {}
    play = "async with card.output() as out: await out.awrite(data)"
    record = "async with card.input() as mic: await mic.areadinto(bytearray(len(data)))"
    program = """
        import asyncio, vsnd
        data = open("/rom/data", "rb").read()
        async def main():
            card = vsnd.open()
            try:
                TRANSFER
            except OSError as e:
                print("OSError:", e)
        asyncio.run(main())
    """.replace("TRANSFER", record if name.endswith("rx") else play)
    card = sound_card(setup=setup, **robust.OPTIONS)
    result = board.run(program, files={"data": robust.DATA}, device=card)
    assert (result.status, result.output.strip()) == (0, robustness.OUTCOMES[name])
    assert injected[name].happened
