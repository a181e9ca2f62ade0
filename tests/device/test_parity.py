# SPDX-License-Identifier: MIT
"""The program of docs/parity.md, which makes every call that the table has."""

import re

from virtboard import tools
from virtsnd import demo

TEXT = (tools.ROOT / "docs" / "parity.md").read_text()


def test_the_table_has_all_the_calls():
    rows = re.findall(r"^\| `(\w+)\(", TEXT, re.MULTILINE)
    assert len(rows) == len(set(rows)) == 22


def test_the_program(board, sound_card):
    (program,) = re.findall(r"```python\n(.*?)```", TEXT, re.DOTALL)
    card = sound_card(**demo.OPTIONS)
    result = board.run(program, device=card)
    assert result.status == 0
    info = card.device.sound.streams[0].info
    assert result.output.splitlines() == [
        "2 4 2",
        f"[0, 1] [2, 3] {info.rates} {info.formats} {info.features}",
        "1 8",
        "1000",
        "PCM_XRUN",
        "True",
    ]
    assert card.device.sound.jacks[0].defconf & 0xFF == 0x31
    periods = [480 * each for each in (b"\x40", b"\x50", b"\x60", b"\x70", b"\x70")]
    assert card.streams[0].played == b"".join(periods) + 40 * b"\x70" + 440 * b"\x80" + periods[2]
    names = [name for name in card.device.sound.names() if "INFO" not in name]
    assert names == [
        "JACK_REMAP",
        *["SET_PARAMS", "PREPARE", "RELEASE"],
        *["SET_PARAMS", "PREPARE", "START", "STOP", "RELEASE"],
        *["PREPARE", "START", "STOP", "RELEASE"],
    ]
