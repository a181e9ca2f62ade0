# SPDX-License-Identifier: MIT
"""modules/audio on CPython, on outputs that record what they are given."""

import ast
import importlib.util
import io
import math
import pathlib
import struct
import sys
import types
from unittest import mock

import pytest

MODULES = pathlib.Path(__file__).resolve().parents[2] / "modules"


def load(name, path, **kw):
    spec = importlib.util.spec_from_file_location(name, MODULES / path, **kw)
    module = importlib.util.module_from_spec(spec)
    with mock.patch.dict(sys.modules, {name: module}):
        spec.loader.exec_module(module)
    return module


# Under names of their own: CPython has another wave, and other tests may want that.
wave = load("wave", "wave.py")
with mock.patch.dict(sys.modules, {"wave": wave}):
    audio = load(
        "virtboard_audio",
        "audio/__init__.py",
        submodule_search_locations=[str(MODULES / "audio")],
    )


class Plain:
    """What machine.I2S has: write(buf), and nothing that tells the rate or the channels."""

    def __init__(self):
        self.writes = []

    def write(self, buf):
        self.writes.append(bytes(buf))
        return len(buf)

    @property
    def played(self):
        return b"".join(self.writes)


class Output(Plain):
    """What vsnd's output has."""

    def __init__(self, rate=48000, channels=2, format=5, period=480, periods=4):
        super().__init__()
        self.rate, self.channels, self.format = rate, channels, format
        self.period, self.periods = period, periods
        self.in_place = []
        self.log = []

    def write(self, buf, copy=True):
        assert "close" not in self.log
        if not copy and len(buf):
            self.in_place.append(buf)
        return super().write(buf)

    def drain(self):
        self.log.append("drain")

    def drop(self):
        self.log.append("drop")

    def __enter__(self):
        return self

    def __exit__(self, kind, value, traceback):
        if kind:
            self.drop()
        self.log.append("close")


@pytest.fixture
def card(monkeypatch):
    """A vsnd with one card; `card.outputs` are those that were opened."""

    def output(**kw):
        if card.refuse:
            raise ValueError(card.refuse)
        card.outputs.append(Output(**kw))
        return card.outputs[-1]

    card = types.SimpleNamespace(output=output, outputs=[], refuse=None)
    monkeypatch.setitem(sys.modules, "vsnd", types.SimpleNamespace(open=lambda: card))
    return card


# Tones


def sine(freq, ms, rate, channels, volume=0.5):
    """tone()'s docstring, computed another way: exact phases, and a list of frames."""
    frames = round(ms * rate / 1000)
    fade = min(round(rate * 5 / 1000), frames // 2)
    samples = []
    for n in range(frames):
        turns = freq * n % rate / rate  # of an int freq, rounded once
        s = math.floor(volume * 32767 * math.sin(math.tau * turns) + 0.49999)
        edge = min(n, frames - 1 - n)
        samples.append(s * edge // fade if n < fade or n >= frames - fade else s)
    return b"".join(struct.pack("<h", s) * channels for s in samples)


@pytest.mark.parametrize("channels", [1, 2, 3])
@pytest.mark.parametrize("rate", [8000, 44100, 48000])
@pytest.mark.parametrize("freq, ms", [(440, 500), (997, 1300), (3999, 30), (261.63, 300)])
def test_tone_is_its_formula(freq, ms, rate, channels):
    out = Output(rate, channels)
    audio.tone(freq, ms, out=out)
    assert out.played == sine(freq, ms, rate, channels)
    assert out.log == ["drain"]
    assert all(len(w) % (2 * channels) == 0 for w in out.writes)


@pytest.mark.parametrize("freq", [0.25, 0.5, 1, 1000, 12000, 440.0, 23999, 23999.9, 1e-6])
def test_tone_frequencies(freq):
    for ms in (1, 1005, 2500.01):
        out = Output(channels=1)
        audio.tone(freq, ms, out=out)
        assert out.played == sine(int(freq) if freq == int(freq) else freq, ms, 48000, 1)


@pytest.mark.parametrize("ms", [0, 0.01, 0.02, 0.05, 1, 4.99, 5, 9.99, 10, 10.03, 19.99, 20, 35])
@pytest.mark.parametrize("freq", [440, 440.7])
def test_short_tones(freq, ms):
    for rate in (8000, 22050, 44100, 1000):
        out = Output(rate)
        audio.tone(freq, ms, out=out)
        assert out.played == sine(freq, ms, rate, 2)
        assert len(out.played) == 4 * round(ms * rate / 1000)


@pytest.mark.parametrize("volume", [0, 0.001, 0.3, 1])
def test_volume(volume):
    out = Output(channels=1)
    audio.tone(1000, 100, volume, out)
    assert out.played == sine(1000, 100, 48000, 1, volume)
    samples = struct.unpack("<4800h", out.played)
    assert max(samples) == math.floor(volume * 32767 + 0.49999)
    assert samples[0] == samples[-1] == 0


def test_tone_repeats_a_block_in_few_writes():
    out = Output()
    audio.tone(1000, 1000, out=out)
    assert {len(w) for w in out.writes[1:-2]} == {4 * 960}  # 20 ms
    assert len(set(out.writes[1:-2])) == 1 and len(out.writes) < 55


def test_tone_at_a_rate_that_no_card_has():
    out = Output(rate=10, channels=1)
    audio.tone(3, 5000, out=out)
    assert out.played == sine(3, 5000, 10, 1)


def test_what_is_computed_while_it_plays_comes_in_small_pieces():
    out = Output()
    audio.tone(440.5, 1011, out=out)
    assert max(map(len, out.writes)) == 4 * 960
    out = Output()
    audio.tone(440.5, 1000, out=out)
    assert len(out.writes) == 3  # fade, all the rest, fade


def test_tone_on_the_default_output(card):
    audio.tone(440, 20)
    (out,) = card.outputs
    assert (out.rate, out.channels, out.format) == (48000, 2, 5)
    assert (out.period, out.periods) == (480, 4)
    assert out.played == sine(440, 20, 48000, 2) and out.log == ["drain", "close"]
    audio.tone(440, 20, rate=16000, channels=1)
    assert card.outputs[1].played == sine(440, 20, 16000, 1)


def test_tone_on_an_output_that_does_not_tell():
    out = Plain()
    audio.tone(440, 20, out=out, rate=16000, channels=1)
    assert out.played == sine(440, 20, 16000, 1)


@pytest.mark.parametrize(
    "args, text",
    [
        ((0, 10), "freq is 0 Hz; it must be above 0 and below 24000"),
        ((-1, 10), "freq is -1 Hz"),
        ((24000, 10), "freq is 24000 Hz"),
        ((math.nan, 10), "freq is nan Hz"),
        ((math.inf, 10), "freq is inf Hz"),
        ((440, -1), "ms is -1; it must be 0 or more"),
        ((440, math.nan), "ms is nan"),
        ((440, math.inf), "ms is inf"),
        ((440, 10, 1.1), "volume is 1.1; it must be 0 to 1"),
        ((440, 10, -0.1), "volume is -0.1"),
        ((440, 10, 0.5, Output(format=17)), r"the output has format 17; a tone needs S16 \(5\)"),
        ((440, 10, 0.5, Output(rate=800)), "above 0 and below 400"),
    ],
)
def test_tone_refuses(card, args, text):
    with pytest.raises(ValueError, match=text):
        audio.tone(*args)
    assert not card.outputs


# WAV files


def wav(tag=1, channels=2, rate=48000, bits=16, frames=1000, extra=b""):
    """(the file, its samples)"""
    align = channels * bits // 8
    samples = bytes(i * 7 & 255 for i in range(frames * align))
    head = struct.pack("<HHIIHH", tag, channels, rate, rate * align, align, bits)
    body = b"WAVEfmt \x10\0\0\0" + head + b"data" + struct.pack("<I", len(samples)) + samples
    body += extra
    return b"RIFF" + struct.pack("<I", len(body)) + body, samples


PCM = [(1, 8, 4), (1, 16, 5), (1, 24, 11), (1, 32, 17)]
FLOAT_AND_LAWS = [(3, 32, 19), (3, 64, 20), (6, 8, 2), (7, 8, 1)]


@pytest.mark.parametrize("tag, bits, format", PCM + FLOAT_AND_LAWS)
@pytest.mark.parametrize("channels", [1, 2, 6])
def test_play_opens_what_the_file_has(card, tmp_path, tag, bits, format, channels):
    content, samples = wav(tag, channels, 44100, bits, frames=5001, extra=b"LIST\2\0\0\0xx")
    path = tmp_path / "voice.wav"
    path.write_bytes(content)
    audio.play(str(path))
    audio.play(content)
    for out in card.outputs:
        assert (out.rate, out.channels, out.format) == (44100, channels, format)
        assert out.played == samples and out.log == ["drain", "close"]
    from_file, from_memory = card.outputs
    assert not from_file.in_place and max(map(len, from_file.writes)) <= 16384
    assert len(from_memory.in_place) == 1


def test_format_numbers_are_those_of_the_driver():
    protocol = (MODULES / "vsnd" / "protocol.py").read_text()
    table = next(
        node.value
        for node in ast.parse(protocol).body
        if isinstance(node, ast.Assign) and node.targets[0].id == "FORMATS"
    )
    names = [row[0] for row in ast.literal_eval(table)]
    for number, name in list(audio.player._FORMATS.values()) + [(5, "S16")]:
        assert names[number] == name


def test_memory_is_played_where_it_lies():
    content, samples = wav()
    out = Output()
    audio.play(memoryview(content), out)
    (data,) = out.in_place
    assert data.obj is content and data == samples and out.log == ["drain"]


@pytest.mark.parametrize("make", [bytes, io.BytesIO])
def test_play_on_an_output_like_i2s(make):
    content, samples = wav(rate=16000)
    out = Plain()
    audio.play(make(content), out)
    assert out.played == samples
    if make is io.BytesIO:
        assert {len(w) for w in out.writes[:-1]} == {320 * 4}  # 20 ms


def test_nothing_is_played_in_place_that_cannot_be_drained():
    class Half(Output):
        drain = property()  # hasattr() says no

    out = Half()
    audio.play(wav()[0], out)
    assert out.played == wav()[1] and not out.in_place


def test_play_open_files_and_readers_leaves_them_open(card):
    content, samples = wav()
    for data in (content, io.BytesIO(content)):
        f = wave.open(data)
        f.setpos(990)
        audio.play(f)
        assert card.outputs[-1].played == samples[-40:]
        assert f.tell() == 1000 and f.readframes(1) == b""
    f = io.BytesIO(content)
    audio.play(f)
    assert not f.closed and card.outputs[-1].played == samples


def test_play_nothing(card):
    for data in (bytes, io.BytesIO):
        audio.play(data(wav(frames=0)[0]))
        assert card.outputs[-1].played == b"" and card.outputs[-1].log == ["drain", "close"]


def test_rates_that_would_need_too_much_memory():
    out = Plain()
    content, samples = wav(rate=2_000_000, channels=1000, frames=20)
    audio.play(io.BytesIO(content), out)
    assert out.played == samples and max(map(len, out.writes)) <= 16384


RATES = [5512, 8000, 11025, 16000, 22050, 32000, 44100, 48000, 64000, 88200, 96000, 176400]


@pytest.mark.parametrize("rate", RATES + [192000, 384000])
def test_periods(card, rate):
    out = audio.player.open_output(rate, 1, 5)
    assert out.period * out.periods >= 1200
    assert out.periods in (4, 8, 16)
    assert out.period in (rate // 100, 2 * (rate // 100))
    assert out.period * out.periods < 2400 or out.periods == 4


def test_what_the_card_refuses_is_said_with_the_name(card, tmp_path):
    path = tmp_path / "voice.wav"
    path.write_bytes(wav(rate=12345)[0])
    card.refuse = "stream 0 has no rate 12345 Hz, but 48000"
    with pytest.raises(ValueError, match="voice.wav: stream 0 has no rate 12345 Hz, but 48000$"):
        audio.play(str(path))
    with pytest.raises(ValueError, match="^WAV file: stream 0 has no rate"):
        audio.play(path.read_bytes())


@pytest.mark.parametrize(
    "out, text",
    [
        (Output(rate=44100), "needs an output with rate=48000, this has 44100"),
        (Output(channels=1), "needs an output with channels=2, this has 1"),
        (Output(format=17), "needs an output with format=S16, this has S32"),
        (Output(format=7), "needs an output with format=S16, this has 7"),
    ],
)
def test_play_refuses_an_output_that_does_not_fit(out, text):
    with pytest.raises(ValueError, match="^WAV file: " + text):
        audio.play(wav()[0], out)
    assert not out.writes


def test_bad_file_opens_no_output_and_is_closed(card, tmp_path):
    path = tmp_path / "bad.wav"
    path.write_bytes(b"RIFF")
    with pytest.raises(wave.Error, match="bad.wav: not a WAV file"):
        audio.play(str(path))
    with pytest.raises(FileNotFoundError):
        audio.play(str(tmp_path / "none.wav"))
    assert not card.outputs


def test_interrupted_play_drops_what_is_queued(card, monkeypatch):
    def interrupted(self, buf, copy=True):
        raise KeyboardInterrupt

    monkeypatch.setattr(Output, "write", interrupted)
    for play in (lambda: audio.play(io.BytesIO(wav()[0])), lambda: audio.tone(440, 100)):
        with pytest.raises(KeyboardInterrupt):
            play()
        assert card.outputs[-1].log == ["drop", "close"]
