# SPDX-License-Identifier: MIT
"""The driver plays to a device that forgives nothing."""

import io
import re
import wave
from pathlib import Path

import pytest
from virtsnd import IO_ERR, StreamInfo

PAGE = Path(__file__).parents[2] / "docs" / "device.md"
LATENCY = 480 * 4 * 3  # bytes

PLAY = """
import vsnd
with vsnd.open().output() as out:
    n = out.write(open("/rom/data", "rb").read())
print(n, out.xruns >= 0)
"""


def play(board, card, sound):
    """One board that plays it all."""
    result = board.run(PLAY, files={"data": sound}, device=card)
    assert (result.status, result.output) == (0, f"{len(sound)} True\n")


def test_bytes_are_exact_whatever_the_sizes_of_the_writes(board, sound_card, sound):
    card = sound_card()
    result = board.run(
        """
        import vsnd
        data = open("/rom/data", "rb").read()
        with vsnd.open().output() as out:
            at = 0
            for n in (4, 1916, 1920, 1924, 8000, 20000, len(data)):
                at += out.write(data[at:at + n])
        print(at)
        """,
        files={"data": sound},
        device=card,
    )
    assert (result.status, result.output) == (0, f"{len(sound)}\n")
    assert card.streams[0].played == sound
    names = [name for name in card.device.sound.names() if name.isupper() and "INFO" not in name]
    assert names == ["SET_PARAMS", "PREPARE", "START", "STOP", "RELEASE"]


@pytest.mark.parametrize("features", [1 << 32, 1 << 32 | 1 << 29])
def test_with_and_without_event_idx(board, sound_card, sound, features):
    card = sound_card(features=features)
    play(board, card, sound)
    assert card.streams[0].played == sound


def test_drain_means_heard(board, sound_card, sound):
    # What the device still holds at STOP is lost.
    card = sound_card(streams=[StreamInfo(latency_bytes=LATENCY, lost_at="STOP")])
    play(board, card, sound)
    assert card.streams[0].heard == sound
    assert card.streams[0].lost == b""


def test_drop_does_not_wait(board, sound_card, sound):
    card = sound_card()
    result = board.run(
        """
        import vsnd
        data = open("/rom/data", "rb").read()
        out = vsnd.open().output(period=4800)
        out.write(data[:4800 * 4 * 3])
        out.start()
        out.drop()
        out.close()
        print(out.state)
        """,
        files={"data": sound},
        device=card,
    )
    assert (result.status, result.output) == (0, "CLOSED\n")
    stream = card.streams[0]
    assert bytes(stream.played + stream.dropped) == sound[: 4800 * 4 * 3]
    assert stream.dropped


def test_one_play_after_the_other(board, sound_card, sound):
    card = sound_card()
    result = board.run(PLAY * 3, files={"data": sound}, device=card)
    assert result.status == 0
    assert card.streams[0].played == sound * 3


def test_a_second_stream(board, sound_card, sound):
    card = sound_card(streams=[StreamInfo(), StreamInfo()])
    main = PLAY.replace("output()", "output(stream=1)")
    assert board.run(main, files={"data": sound}, device=card).status == 0
    assert [stream.played for stream in card.streams] == [b"", sound]


def test_samples_that_lie_in_the_flash(board, sound_card, sound):
    # QEMU does not share the flash that /rom is in; board.run() does.
    card = sound_card()
    with io.BytesIO() as file:
        with wave.open(file, "wb") as wav:
            wav.setparams((2, 2, 48000, 0, "NONE", ""))
            wav.writeframes(sound)
        files = {"x.wav": file.getvalue()}
    result = board.run("import audio; audio.play('/rom/x.wav')", files=files, device=card)
    assert result.status == 0
    assert card.streams[0].played == sound


def test_a_start_that_is_refused(board, sound_card, sound):
    def setup(device):
        device.sound.script["START"] = [IO_ERR]

    card = sound_card(setup=setup)
    result = board.run(
        """
        import vsnd
        data = open("/rom/data", "rb").read()
        out = vsnd.open().output()
        try:
            out.write(data)
        except OSError as e:
            print(e)
        print(out.state)
        out.drop()
        print(out.write(data))
        out.close()
        """,
        files={"data": sound},
        device=card,
    )
    assert result.status == 0
    first, *others = result.output.splitlines()
    assert "START: IO_ERR" in first
    assert others == ["PREPARED", str(len(sound))]
    assert card.streams[0].played == sound


def test_the_example_of_the_page(board, sound_card):
    names = {}
    (example,) = re.findall(r"^### Tests\n.*?^```python\n(.*?)^```", PAGE.read_text(), re.M | re.S)
    exec(example, names)
    names["test_a_start_that_is_refused"](board, sound_card)


def test_an_answer_that_never_comes(board, sound_card):
    def setup(device):
        device.sound.script["PREPARE"] = [lambda request, room: None]

    card = sound_card(setup=setup)
    result = board.run(
        """
        import vsnd
        try:
            vsnd.open().output()
        except OSError as e:
            print(e)
        """,
        device=card,
    )
    assert result.status == 0
    assert "PREPARE: no answer in 1000 ms" in result.output


def test_a_driver_that_breaks_a_rule(board, sound_card):
    card = sound_card(breaches={"S-30"})
    result = board.run(
        """
        import vsnd
        from vsnd import protocol
        card = vsnd.open()
        try:
            card.request(protocol.pcm_start(0))
        except OSError as e:
            print(e)
        """,
        device=card,
    )
    assert result.status == 0
    assert "BAD_MSG" in result.output
    assert card.said == ["breach of S-30: START after None"]
