# SPDX-License-Identifier: MIT
"""modules/vsnd: wrong arguments, closed streams and cards: one clear line, nothing left behind."""

import re

import pytest

from robust import AFTERWARDS, Case, sound

EPERM = "in state CLOSED: allowed in "
WRONG = (None, "x", 1.5, 2.5, [], b"", (), {}, -1, 0, 1 << 70, 1e99)


@pytest.fixture(params=["modern", "legacy"])
def case(request):
    with Case(request.param) as case:
        case.card = case.rig.vsnd.open()
        yield case


def complains(kind, text, call, *arguments, **named):
    """The call raises an exception of that kind whose one line contains the text."""
    with pytest.raises(kind, match=re.escape(text)) as caught:
        call(*arguments, **named)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("method", ["output", "input"])
@pytest.mark.parametrize(
    "name", ["rate", "channels", "format", "period", "periods", "stream", "features"]
)
def test_parameters_of_any_kind(case, method, name):
    card = case.card
    free = case.rig.dma.available()
    for value in WRONG:
        if value is None and name in ("stream", "features") or value == 0 and name == "features":
            continue
        if value == 0 and name == "stream" and method == "output":
            continue
        with pytest.raises((TypeError, ValueError, OSError)) as caught:
            getattr(card, method)(**{name: value})
        text = str(caught.value)
        assert "unsupported" not in text and "not supported" not in text, text
        clear = "must be|has no|no block|the card has|cannot do|is no "
        assert re.search(clear, text), text
        assert case.rig.dma.available() == free
    case.good()


def test_what_must_be_an_int_is_told(case):
    card = case.card
    text = "rate 48000, channels 2, format 5, period 'x', periods 4, stream None, features None: "
    complains(TypeError, text + "must be ints", card.output, period="x")
    complains(TypeError, "rate 48000.0", card.output, rate=48000.0)
    complains(TypeError, "format 5.0", card.input, format=5.0)
    complains(TypeError, "periods 2.5", card.input, periods=2.5)
    complains(TypeError, "base is 'x', must be an address", case.rig.vsnd.open, "x")
    complains(ValueError, "stream 7: the card has 0..1", card.output, stream=7)
    complains(OSError, "no virtio-mmio slot at 0x7", case.rig.vsnd.open, 7)
    case.good()


@pytest.mark.parametrize("value", ["x", 5, 1.5, [], b""])
def test_handlers_that_cannot_be_called(case, value):
    out = case.card.output()
    complains(TypeError, "must be a function or None", out.irq, value)
    complains(TypeError, "must be a function or None", case.card.events.irq, value)
    complains(ValueError, "no transfer has the token", out.xfer_ok, value)
    complains(TypeError, "must be an Output or an Input", case.card.chmap, value)
    if not isinstance(value, int):
        complains(TypeError, "must be an int", case.card.events.wait, value)
    out.close()
    case.good()


def test_requests_that_are_none(case):
    complains(ValueError, "a request of 3 bytes", case.card.request, b"abc")
    complains(ValueError, "an answer of -5 bytes", case.card.request, bytes(8), -5)
    case.good()


@pytest.mark.parametrize("copy", [True, False])
def test_buffers_of_any_size(case, copy):
    out = case.card.output()
    for n in (1, 2, 3, 5, 1919, 1921):
        complains(ValueError, "no whole frames of 4 bytes", out.write, bytes(n), copy)
        complains(ValueError, "no whole frames of 4 bytes", out.xfer, bytes(n), copy)
    complains(ValueError, "a transfer of 0 bytes", out.xfer_nb, b"", copy)
    complains(ValueError, "a transfer of 1924 bytes", out.xfer_nb, bytes(1924), copy)
    assert out.write(b"", copy) == 0
    data = sound(1920 * 150)
    assert out.write(data, copy) == len(data)
    assert out.write(b"", copy) == 0
    out.close()
    assert case.played == data
    mic = case.card.input()
    for n in (1, 2, 3, 1921):
        complains(ValueError, "no whole frames of 4 bytes", mic.readinto, bytearray(n))
    assert mic.readinto(bytearray(0)) == 0
    for n in (-1, 1.5, None, "abcd", b"abcd", [1, 2, 3, 4]):
        complains(ValueError, "must be an int, 0 or more", mic.read, n)
    assert mic.read(0) == b""
    mic.close()
    case.good()


CALLS = {
    "write": (bytes(4),), "xfer": (bytes(4),), "xfer_nb": (bytes(4),), "drain": (), "start": (),
    "stop": (), "prepare": (), "release": (), "set_params": (), "irq": (print,),
}
HARMLESS = ("drop", "pause", "resume", "close", "abort", "avail", "delay", "position", "latency")


@pytest.mark.parametrize("end", ["close", "abort", "card"])
def test_a_closed_output(case, end):
    out = case.card.output()
    out.write(sound(1920 * 5))
    (case.card.close if end == "card" else getattr(out, end))()
    before = bytes(case.rig.board.arena)
    for name, arguments in CALLS.items():
        complains(OSError, EPERM, getattr(out, name), *arguments)
    for name in HARMLESS:
        getattr(out, name)()
    assert out.state == "CLOSED" and "CLOSED" in repr(out) and out.xruns == 0
    with pytest.raises(OSError, match=EPERM):
        with out:
            out.write(bytes(4))
    assert bytes(case.rig.board.arena) == before
    case.good()


@pytest.mark.parametrize("end", ["close", "abort", "card"])
def test_a_closed_input(case, end):
    mic = case.card.input()
    mic.readinto(bytearray(1920 * 5))
    (case.card.close if end == "card" else getattr(mic, end))()
    before = bytes(case.rig.board.arena)
    for name in ("drain", "start", "stop", "prepare", "release", "set_params"):
        complains(OSError, EPERM, getattr(mic, name))
    complains(OSError, EPERM, mic.readinto, bytearray(4))
    complains(OSError, EPERM, mic.read, 4)
    for name in HARMLESS:
        getattr(mic, name)()
    assert bytes(case.rig.board.arena) == before
    case.good()


def test_what_a_card_has_not(case):
    card = case.card
    complains(TypeError, "chmap of a Card: must be an Output or an Input", card.chmap, card)
    complains(TypeError, "chmap of a Stream: must", card.chmap, card.streams[0])
    complains(ValueError, "no control 'Master Playback Volume' None, but '", card.control,
              card.controls[0].name, None)
    case.good()


def test_values_of_controls(case):
    control = case.card.controls[0]
    for value in (None, "x", 1.5, [None, 1], [1.5, 1]):
        complains(ValueError, "must be 0..100", control.write, value)
    for value in (None, "x", [None, 1], ["x", 1]):
        complains(TypeError, "must be a number of dB", control.set_db, value)
    for n in (None, "x", 1.5, 0):
        complains(ValueError, "bytes of metadata, must be 1..65544", control.tlv_read, n)
    case.good()


def test_a_closed_card(case):
    card = case.card
    control, jack = card.controls[0], card.jacks[0]
    card.close()
    card.close()
    for call in (card.output, card.input, card.refresh, control.read, control.db, jack.refresh):
        complains(OSError, "device at 0x10008000 is closed", call)
    complains(OSError, "device at 0x10008000 is closed", control.write, 1)
    with pytest.raises(OSError, match="device at 0x10008000 is closed"):
        card.events
    assert "virtio sound device" in repr(card)
    case.good()


def test_a_stream_of_a_card_that_was_opened_again(case):
    old = case.card.output()
    case.card.close()
    case.card = case.rig.vsnd.open()
    complains(OSError, EPERM, old.write, bytes(4))
    old.close()
    with case.card.output() as out:
        complains(OSError, EPERM, old.write, bytes(4))
        out.write(AFTERWARDS)
    assert case.played == AFTERWARDS
    case.good()
