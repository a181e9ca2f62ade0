# SPDX-License-Identifier: MIT
"""Jacks, channel maps and control elements of a device that forgives nothing, in QEMU."""

from pathlib import Path

import pytest
from virtsnd import ChmapInfo, Control, JackInfo, demo
from virtsnd.protocol import (
    BYTES, ENUMERATED, IEC958, INTEGER64, JACK_F_REMAP, READ, TLV_COMMAND, TLV_READ, TLV_WRITE,
    WRITE,
)

SCALE = bytes.fromhex("010000000800000090e8ffff32000100")  # -60 dB in steps of 0.5 dB, silence

ITEMS = {
    "jacks": (JackInfo(features=JACK_F_REMAP, defconf=0x0221401F, connected=False), JackInfo()),
    "chmaps": (ChmapInfo(), ChmapInfo(positions=("FL", "FR", "FC", "LFE", "RL", "RR"))),
    "controls": (
        Control(
            access=READ | WRITE | TLV_READ | TLV_WRITE | TLV_COMMAND, role=2, max=120,
            value=(120, 0), tlv=SCALE,
        ),
        Control("Delay", INTEGER64, count=1, min=-(1 << 63), max=(1 << 63) - 1, value=(-1,)),
        Control("Source", ENUMERATED, count=1, items=("Mic", "Line", "CD")),
        Control("Equalizer", BYTES, count=512, value=bytes(range(256)) * 2),
        Control("IEC958", IEC958, count=1),
    ),
}


@pytest.mark.parametrize("record", [92, 96])
def test_all_requests(board, sound_card, record):
    card = sound_card(**ITEMS, control_record=record)
    result = board.run(
        """
        import vsnd
        card = vsnd.open()
        for records in (card.jacks, card.chmaps, card.controls):
            for each in records:
                print(each)
        card.jacks[0].remap(4, 1)
        card.jacks[0].refresh()
        print(card.jacks[0].association, card.jacks[0].sequence)
        volume = card.control("Master Playback Volume")
        print(volume.db())
        volume.set_db((-30, -10))
        print(volume.read())
        delay = card.control("Delay")
        delay.write((1 << 63) - 1)
        print(delay.read())
        source = card.control("Source")
        source.write("CD")
        print(source.items, source.read())
        equalizer = card.control("Equalizer")
        equalizer.write(bytes(reversed(equalizer.read())))
        digital = card.control("IEC958")
        digital.write((b"a" * 24, b"b" * 147, b"c" * 4))
        print(digital.read().dig_subframe)
        longest = b"\\x07\\x00\\x00\\x00\\x00\\x00\\x01\\x00" + bytes(65536)
        volume.tlv_write(longest)
        volume.tlv_command(longest)
        print(volume.tlv_read(65544) == longest)
        """,
        device=card,
    )
    assert result.status == 0
    assert result.output.splitlines() == [
        'jack 0: HP out, green 1/8", external front, not connected, association 1, sequence 15, '
        "can be remapped",
        'jack 1: line out, green 1/8", external rear, connected, association 1, sequence 0',
        "channel map 0: output, FL FR",
        "channel map 1: output, FL FR FC LFE RL RR",
        "control 0: 'Master Playback Volume', INTEGER 0..120, 2 values, output VOLUME, "
        "READ WRITE TLV_READ TLV_WRITE TLV_COMMAND",
        f"control 1: 'Delay', INTEGER64 {-2**63}..{2**63 - 1}, READ WRITE",
        "control 2: 'Source', ENUMERATED of 3 items, READ WRITE",
        "control 3: 'Equalizer', BYTES, 512 values, READ WRITE",
        "control 4: 'IEC958', IEC958, READ WRITE",
        "4 1",
        "(0.0, -inf)",
        "(60, 100)",
        f"({2**63 - 1},)",
        "('Mic', 'Line', 'CD') (2,)",
        "b'cccc'",
        "True",
    ]
    sound = card.device.sound
    assert sound.jacks[0].defconf == 0x02214041
    longest = bytes.fromhex("0700000000000100") + bytes(65536)
    assert [element.value for element in sound.controls] == [
        (60, 100), (2**63 - 1,), (2,), bytes(range(255, -1, -1)) * 2,
        b"a" * 24 + b"b" * 147 + b"\0" + b"c" * 4,
    ]
    assert (sound.controls[0].tlv, sound.controls[0].commands) == (longest, [longest])


def test_the_examples_of_the_page(board, sound_card):
    """docs/controls.md is a session with the device that `python -m virtsnd` is."""
    page = (Path(__file__).parents[2] / "docs" / "controls.md").read_text()
    lines = [line[4:] for line in page.splitlines() if line.startswith("    ")]
    session = lines[lines.index(">>> import vsnd") : lines.index(
        "event = card.events.wait(1000)      # ms; None if there was none"
    )]
    typed = [line[4:] for line in session if line.startswith(">>> ")]
    assert len(typed) > 30
    result = board.run(
        """
        for line in open("/rom/typed"):
            line = line.rstrip()
            print(">>>", line)
            try:
                try:
                    value = eval(line, globals())
                    if value is not None:
                        print(repr(value))
                except SyntaxError:
                    exec(line, globals())
            except Exception as error:
                print("%s: %s" % (type(error).__name__, error))
        """,
        files={"typed": "\n".join(typed)},
        device=sound_card(setup=demo.setup, **demo.OPTIONS),
    )
    assert result.status == 0
    assert result.output.splitlines() == session
