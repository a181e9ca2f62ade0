# SPDX-License-Identifier: MIT
"""The examples that need more than QEMU's own card."""

import struct

from virtboard import tools
from virtsnd import demo

EXAMPLES = tools.ROOT / "examples"


def run(board, card, name, *changes):
    """Runs an example, with parts of its text replaced; it must end well. Returns its lines."""
    main = (EXAMPLES / name / "main.py").read_text()
    for old, new in changes:
        assert main.count(old) == 1
        main = main.replace(old, new)
    result = board.run(main, device=card)
    assert result.status == 0
    return result.output.splitlines()


def test_events(board, sound_card):
    def setup(device):
        def tell():
            device.plug(1)
            device.plug(0, False)
            device.sound.controls[0].value = (7, 8)
            device.control_changed(0)

        device.clock.at(device.clock.now + 300_000, tell)

    card = sound_card(setup=setup, **demo.OPTIONS)
    lines = run(board, card, "events", ("SECONDS = 5", "SECONDS = 1"))
    assert lines[0].endswith("2 jacks, 4 streams, 2 channel maps, 7 controls")
    events = lines[16:]
    assert lines[15].startswith("  control 6: 'IEC958 Playback Default'")
    names = [line.partition(":")[0] for line in events]
    assert sorted(names) == sorted([
        "PCM_XRUN", "JACK_CONNECTED", "JACK_DISCONNECTED", "CTL_NOTIFY", "  value",
        "events that nobody fetched",
    ])
    told = dict(zip(names, events))
    assert told["PCM_XRUN"].startswith("PCM_XRUN: stream 0: output")
    assert "jack 1: mic in" in told["JACK_CONNECTED"]
    assert "jack 0: line out" in told["JACK_DISCONNECTED"]
    assert "'Master Playback Volume'" in told["CTL_NOTIFY"]
    assert told["  value"] == "  value: (7, 8)"
    assert lines[-1] == "events that nobody fetched: 0"
    assert names.index("  value") == names.index("CTL_NOTIFY") + 1
    assert card.streams[0].played == bytes(10 * 1920)


def test_controls_mixer(board, sound_card):
    card = sound_card(**demo.OPTIONS)
    lines = run(board, card, "controls_mixer")
    # The scale: a step of 0.75 dB, and 87 of them are 0 dB; the lowest one is silence.
    assert lines[7:] == [
        "Master Playback Volume: (80, 80), in dB (-5.25, -5.25)",
        "-inf dB: (0, 0), in dB (-inf, -inf)",
        "-40 dB: (34, 34), in dB (-39.75, -39.75)",
        "-30 dB: (47, 47), in dB (-30.0, -30.0)",
        "-20 dB: (60, 60), in dB (-20.25, -20.25)",
        "-10 dB: (74, 74), in dB (-9.75, -9.75)",
        "-20 dB: (60, 60), in dB (-20.25, -20.25)",
        "-30 dB: (47, 47), in dB (-30.0, -30.0)",
    ]
    assert len([line for line in lines[:7] if line.startswith("control ")]) == 7
    values = [
        struct.unpack_from("<II", request[2], 8)
        for request in card.device.sound.requests
        if request[1] == "CTL_WRITE"
    ]
    assert values == [(n, n) for n in (0, 34, 47, 60, 74, 60, 47, 80)]
    assert card.device.sound.controls[0].value == (80, 80)
