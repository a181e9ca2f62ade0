# SPDX-License-Identifier: MIT
"""virtboard.recording and virtboard.picture, on recordings written by these tests."""

import struct

import numpy as np
import pytest

from virtboard import VirtboardError
from virtboard.picture import draw
from virtboard.recording import Gap, Recording, empty_recording, finish_header


@pytest.fixture
def record(tmp_path):
    """Writes samples as QEMU does, with wrong sizes in the header, and reads them back."""

    def write(samples, rate=48000, name="run.wav", **options):
        fields = (b"RIFF", 0, b"WAVE", b"fmt ", 16, 1, 2, rate, rate * 4, 4, 16, b"data", 0)
        header = struct.pack("<4sI4s4sIHHIIHH4sI", *fields)
        path = tmp_path / name
        path.write_bytes(header + np.asarray(samples).tobytes())
        return Recording(path, **options)

    return write


def sine(frequency, frames, rate=48000, amplitude=16384, channels=2):
    wave = amplitude * np.sin(2 * np.pi * frequency * np.arange(frames) / rate)
    return np.repeat(np.round(wave).astype("<i2")[:, None], channels, axis=1)


def noise(frames):
    return np.random.default_rng(1).integers(-3000, 3000, (frames, 2), "<i2")


def test_samples_are_the_bytes_after_the_header(record):
    expected = np.arange(2000, dtype="<i2").reshape(-1, 2)
    recording = record(expected, rate=22050)
    assert (recording.frames, recording.channels, recording.rate) == (1000, 2, 22050)
    assert recording.seconds == pytest.approx(1000 / 22050)
    assert recording.samples.dtype == "<i2"
    np.testing.assert_array_equal(recording.samples, expected)


def test_an_incomplete_last_frame_is_left_out(record):
    assert record(np.arange(5, dtype="<i2")).frames == 2


@pytest.mark.parametrize(
    ("dtype", "low", "silence", "high"),
    [("i1", -128, 0, 127), ("u1", 0, 128, 255), ("<u2", 0, 32768, 65535), ("<f4", -1, 0, 1)],
)
def test_raw_recordings_of_other_formats(record, dtype, low, silence, high):
    samples = np.array([[silence], [low], [silence], [high]], dtype)
    recording = record(samples, dtype=dtype, channels=1, rate=8000)
    assert recording.rate == 8000
    assert recording.peak == 1
    assert recording.leading_silence == 1
    normalised = recording.normalised()
    assert normalised[0] == 0
    assert normalised[1] == -1


def test_peak_knows_the_most_negative_sample(record):
    assert record(np.array([[0, -32768]], "<i2")).peak == 1


@pytest.mark.parametrize("frequency", [60, 440, 1000.3, 12345])
@pytest.mark.parametrize("frames", [4800, 48000, 200000])
def test_dominant_frequency(record, frequency, frames):
    found = record(sine(frequency, frames)).dominant_frequency()
    assert found == pytest.approx(frequency, abs=0.5 if frames > 5000 else 2)


def test_dominant_frequency_of_channels_that_cancel_each_other(record):
    samples = sine(440, 48000)
    samples[:, 1] *= -1
    assert record(samples).dominant_frequency() == pytest.approx(440, abs=0.1)


@pytest.mark.parametrize("value", [0, 1000])
def test_silence_and_direct_current_have_no_frequency(record, value):
    assert record(np.full((48000, 2), value, "<i2")).dominant_frequency() == 0


def test_gaps_are_silences_between_sounds(record):
    samples = noise(48000) | 1  # never 0
    samples[:100] = samples[-50:] = 0
    samples[1000:1049] = samples[5000:5048] = samples[9000:9480] = 0
    samples[20000:20480, 0] = 0  # one silent channel is no gap
    recording = record(samples)
    assert recording.gaps() == [Gap(1000, 49), Gap(9000, 480)]
    assert recording.gaps(longer_than_ms=5) == [Gap(9000, 480)]
    assert (recording.leading_silence, recording.trailing_silence) == (100, 50)
    assert "silent gaps longer than 1 ms: 2: 49 at 1000, 480 at 9000" in recording.report()


def test_report(record):
    lines = record(sine(440, 48000)).report().splitlines()
    assert lines[0].endswith("run.wav: 48000 frames, 1.000 s at 48000 Hz, 2 channels")
    assert [line.strip() for line in lines[1:4]] == [
        "peak -6.0 dBFS (50.0 %)",
        "dominant frequency 440.0 Hz",
        "silent gaps longer than 1 ms: 0",
    ]


@pytest.mark.parametrize("samples", [[], np.zeros((480, 2), "<i2")])
def test_nothing_to_hear_is_said_plainly(record, samples):
    recording = record(samples)
    assert (recording.peak, recording.dominant_frequency(), recording.gaps()) == (0, 0, [])
    assert ("silent from beginning to end" if len(samples) else "empty") in recording.report()


def test_a_file_without_a_byte_is_an_empty_recording(tmp_path):
    empty_recording(tmp_path / "run.wav")
    recording = Recording(tmp_path / "run.wav")
    assert (recording.frames, recording.seconds, recording.leading_silence) == (0, 0, 0)
    assert "empty" in recording.report()


@pytest.mark.parametrize("data", [b"RIFF", b"x" * 100])
def test_other_files_are_refused(tmp_path, data):
    path = tmp_path / "x.wav"
    path.write_bytes(data)
    with pytest.raises(VirtboardError, match="x.wav is no WAV recording"):
        Recording(path)
    with pytest.raises(VirtboardError, match="cannot read .*other.wav: No such file"):
        Recording(tmp_path / "other.wav")


def difference(record, got, expected):
    return record(got).first_difference(expected)


def test_no_difference(record):
    samples = noise(1000)
    assert difference(record, samples, samples) is None
    assert difference(record, [], np.empty((0, 2))) is None
    assert difference(record, np.repeat([[1], [2]], 2, axis=1).astype("<i2"), [1, 2]) is None


def test_first_difference_names_the_frame(record):
    expected, got = noise(1000), noise(1000)
    expected[700] = 1, 2
    got[700] = 1, 3
    line = "frame 700: [1, 2] expected, [1, 3] recorded; 1 of 1000 frames differ"
    assert line in difference(record, got, expected)


def test_first_difference_of_ends(record):
    whole = noise(1000)
    tail = "1000 frames expected, 520 recorded: the last 480 are missing"
    assert difference(record, whole[:-480], whole) == tail
    assert difference(record, whole, whole[:-480]).endswith("1000 recorded: 480 more at the end")
    assert "; the first 480 frames are missing" in difference(record, whole[480:], whole)
    assert "the last 1000 are missing" in difference(record, [], whole)


def test_first_difference_inside(record):
    whole = noise(1000)
    cut = np.delete(whole, slice(300, 400), axis=0)
    assert difference(record, cut, whole).startswith("frame 300: ")
    assert "; from there 100 frames are missing" in difference(record, cut, whole)
    assert "; 100 frames too many there" in difference(record, whole, cut)


def test_first_difference_of_channels(record):
    samples = np.zeros((8, 1), "<i2")
    assert difference(record, noise(8), samples) == "1 channels expected, 2 recorded"


def test_finish_header_writes_the_sizes_that_qemu_left_out(record):
    recording = record(noise(1000))
    finish_header(recording.path)
    data = recording.path.read_bytes()
    assert struct.unpack_from("<I", data, 4) == (len(data) - 8,)
    assert struct.unpack_from("<I", data, 40) == (4000,)
    np.testing.assert_array_equal(Recording(recording.path).samples, recording.samples)


def test_finish_header_leaves_an_empty_file_alone(tmp_path):
    empty_recording(tmp_path / "run.wav")
    finish_header(tmp_path / "run.wav")
    assert (tmp_path / "run.wav").read_bytes() == b""


def test_where_no_recording_can_be_written(tmp_path):
    (tmp_path / "file").touch()
    wrong = {"": "no file name", "nowhere/a.wav": "No such file", ".": "not a file"}
    wrong["file/a.wav"] = "Not a directory"
    for name, reason in wrong.items():
        with pytest.raises(VirtboardError, match=reason):
            empty_recording(name and tmp_path / name)


def test_picture_is_the_same_bytes_each_time(record, tmp_path):
    recording = record(sine(440, 20000))
    for name in ("a.png", "b.png"):
        draw(recording, tmp_path / name)
    data = (tmp_path / "a.png").read_bytes()
    assert data.startswith(b"\x89PNG")
    assert data == (tmp_path / "b.png").read_bytes()


@pytest.mark.parametrize("frames", [1, 500, 2000])
def test_picture_of_short_recordings(record, tmp_path, frames):
    draw(record(noise(frames)), tmp_path / "short.png")
    assert (tmp_path / "short.png").stat().st_size > 1000


def test_picture_of_nothing_is_refused(record, tmp_path):
    with pytest.raises(VirtboardError, match="nothing to draw"):
        draw(record([]), tmp_path / "a.png")
    with pytest.raises(VirtboardError, match="cannot write .*a.png: No such file"):
        draw(record(noise(10)), tmp_path / "nowhere" / "a.png")
