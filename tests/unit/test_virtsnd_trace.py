# SPDX-License-Identifier: MIT
"""host/virtsnd: the trace, and what a stream played as a file."""

import io
import struct
import wave

import pytest

from raw_driver import PREPARE, RELEASE, START, Driver, params
from virtsnd import (
    CTLS, IO_ERR, NEVER, OK, VERSION_1, Breach, ChmapInfo, Control, JackInfo, StreamInfo, Trace,
    breaches, tlv, write_wav,
)
from virtsnd.protocol import BYTES, ENUMERATED, READ, TLV_WRITE, WRITE

CONTROLS = (
    Control(access=READ | WRITE | TLV_WRITE),
    Control("Source", ENUMERATED, count=1, items=("Mic", "Line")),
    Control("Blob", BYTES, count=20),
)


@pytest.fixture
def driver():
    driver = Driver(
        features=VERSION_1 | CTLS, controls=CONTROLS, jacks=(JackInfo(features=1),),
        chmaps=(ChmapInfo(),), streams=(StreamInfo(features=16), StreamInfo(direction=1)),
    )
    driver.lines = []
    driver.device.trace = Trace(driver.lines)
    yield driver
    assert not breaches


def texts(driver):
    """The lines since the last call, without their times."""
    lines = [line[13:] for line in driver.lines]
    driver.lines.clear()
    return lines


def test_the_start(driver):
    driver.up()
    assert texts(driver) == [
        "device    reset",
        *[f"device    queue {index}, 16 descriptors" for index in range(4)],
        "device    DRIVER_OK, features CTLS VERSION_1",
    ]


def test_requests(driver):
    driver.up()
    driver.lines.clear()
    driver.ask((0x100, 0, 2, 32), 68)
    driver.ask((0x002, 0, 4, 9))
    driver.ask(struct.pack("<IIii", 0x303, 0, 7, 8).ljust(520, b"\0"))
    driver.ask(struct.pack("<II", 0x303, 2) + bytes(512))
    driver.ask(struct.pack("<II", 0x305, 0) + tlv(1, -600, 5))
    driver.device.sound.script["CTL_READ"].append(IO_ERR)
    driver.refused(IO_ERR, (0x302, 1), 516)
    assert texts(driver) == [
        "control   kick",
        "control > PCM_INFO start 0, count 2, size 32",
        "control < PCM_INFO: OK, 64 bytes",
        "control   kick",
        "control > JACK_REMAP jack 0: association 4, sequence 9",
        "control < JACK_REMAP: OK",
        "control   kick",
        "control > CTL_WRITE control 0 'Master Playback Volume': 7 8",
        "control < CTL_WRITE: OK",
        "control   kick",
        "control > CTL_WRITE control 2 'Blob': "
        "00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 ... 20 bytes",
        "control < CTL_WRITE: OK",
        "control   kick",
        "control > CTL_TLV_WRITE control 0 'Master Playback Volume': "
        "01 00 00 00 08 00 00 00 a8 fd ff ff 05 00 00 00",
        "control < CTL_TLV_WRITE: OK",
        "control   kick",
        "control > CTL_READ control 1 'Source'",
        "control < CTL_READ: IO_ERR",
    ]


def test_a_stream(driver):
    driver.up()
    driver.lines.clear()
    driver.ask(params(features=16))
    driver.ask(params(1, format=4, rate=6))
    for id in (0, 1):
        driver.ask((PREPARE, id))
    driver.play(0, bytes(480))
    driver.play(0, bytes(96))
    driver.record(1, 480)
    driver.clock.run(100)
    driver.ask((RELEASE, 0))
    assert [text for text in texts(driver) if not text.endswith("kick")] == [
        "control > SET_PARAMS stream 0: buffer 1920, period 480, 2 channels, S16, 48000 Hz, "
        "EVT_XRUNS",
        "control < SET_PARAMS: OK",
        "control > SET_PARAMS stream 1: buffer 1920, period 480, 2 channels, U8, 44100 Hz",
        "control < SET_PARAMS: OK",
        "control > PREPARE stream 0",
        "control < PREPARE: OK",
        "control > PREPARE stream 1",
        "control < PREPARE: OK",
        "tx >      stream 0, 480 bytes, 1 queued",
        "tx >      stream 0, 96 bytes, 2 queued",
        "rx >      stream 1, 480 bytes, 1 queued",
        "control > RELEASE stream 0",
        "tx <      stream 0, OK, latency 0",
        "tx <      stream 0, OK, latency 0",
        "control < RELEASE: OK",
    ]


def test_what_goes_back(driver):
    driver.up()
    driver.ask(params(features=16))
    driver.ask((PREPARE, 0))
    driver.ask(params(1))
    driver.ask((PREPARE, 1))
    driver.play(0, bytes(480))
    driver.record(1, 480)
    driver.device.sound.status = lambda stream, number: (OK, 77 + stream.id)
    driver.ask((START, 0))
    driver.ask((START, 1))
    driver.lines.clear()
    driver.clock.run(2500)
    assert texts(driver) == [
        "tx <      stream 0, OK, latency 77",
        "rx <      stream 1, OK, latency 78, 480 bytes",
    ]
    driver.clock.run(2500)
    assert texts(driver) == [
        "tx        stream 0, underrun",
        "event <   PCM_XRUN stream 0, lost: no buffer",
        "rx        stream 1, overrun",
    ]
    driver.device.events.hold = True
    driver.device.plug(0, False)
    driver.device.control_changed(2, 5)
    driver.device.event(0x1234, 16)
    assert texts(driver) == [
        "event <   JACK_DISCONNECTED jack 0, held",
        "event <   CTL_NOTIFY control 2: VALUE TLV, held",
        "event <   0x1234 data 0x10, held",
    ]


def test_what_is_wrong(driver):
    driver.up()
    driver.lines.clear()
    driver.breach("S-30", driver.request, (START, 0))
    driver.breach("5.14.6", driver.request, (0x102,))
    driver.breach("M-02", driver.put, "MagicValue", 1)
    driver.device.sound.script["PREPARE"].append(NEVER)
    driver.ask(params())
    with pytest.raises(AssertionError, match="no answer"):
        driver.request((PREPARE, 0))
    assert texts(driver) == [
        "control   kick",
        "control > START stream 0",
        "BREACH    S-30: START after None",
        "control   kick",
        "control > PREPARE ",
        "BREACH    5.14.6: PREPARE: (4, 4) bytes to read and to write, want (8, 4)",
        "BREACH    M-02: W access to MagicValue",
        "control   kick",
        "control > SET_PARAMS stream 0: buffer 1920, period 480, 2 channels, S16, 48000 Hz",
        "control < SET_PARAMS: OK",
        "control   kick",
        "control > PREPARE stream 0",
        "control < PREPARE: no answer",
    ]


def test_a_change(driver):
    driver.up()
    driver.lines.clear()
    driver.device.change(jacks=())
    assert texts(driver) == ["device    changed: 0 jacks, 2 streams, 1 channel maps, 3 controls"]


def test_into_a_file_with_times(driver):
    out = io.StringIO()
    driver.device.trace = Trace(out)
    driver.up()
    driver.clock.run(1_500_000)
    driver.ask((0x001, 0, 1, 24), 28)
    assert out.getvalue().splitlines()[-2:] == [
        "    1.500020 control > JACK_INFO start 0, count 1, size 24",
        "    1.500020 control < JACK_INFO: OK, 24 bytes",
    ]


def test_a_breach_is_written_once(driver):
    breach = Breach("S-30", "why")
    for _ in range(2):
        driver.device.trace.breach(breach)
    assert len(texts(driver)) == 1


# Recordings

EVERYTHING = dict(formats=(1 << 25) - 1, rates=0xFFFF, channels_max=8)


def played(data, direction=0, **how):
    """A stream that played some bytes."""
    driver = Driver(streams=(StreamInfo(direction=direction, **EVERYTHING),)).up()
    driver.ask(params(period=96, buffer=96, **how))
    stream = driver.device.sound.streams[0]
    (stream.recorded if direction else stream.played).extend(data)
    return stream


@pytest.mark.parametrize(
    ("format", "width", "rate", "hertz"), [(4, 1, 1, 8000), (5, 2, 7, 48000), (11, 3, 15, 24000),
                                           (17, 4, 13, 384000)],
)
@pytest.mark.parametrize("channels", [1, 2])
def test_pcm(tmp_path, format, width, rate, hertz, channels):
    data = bytes(range(24)) * channels
    stream = played(data, format=format, rate=rate, channels=channels)
    path = write_wav(stream, tmp_path / "x.wav")
    assert path == tmp_path / "x.wav"
    assert path.stat().st_size == 44 + len(data)
    with wave.open(str(path)) as file:
        assert file.getparams()[:4] == (channels, width, hertz, len(data) // width // channels)
        assert file.readframes(1000) == data


@pytest.mark.parametrize(
    ("format", "tag", "bits"), [(19, 3, 32), (20, 3, 64), (1, 7, 8), (2, 6, 8)]
)
def test_what_is_not_pcm(tmp_path, format, tag, bits):
    data = bytes(range(96))
    path = write_wav(played(data, format=format, channels=2), tmp_path / "x.wav")
    frame = bits // 4
    assert path.read_bytes() == (
        b"RIFF" + struct.pack("<I", 50 + 96) + b"WAVE"
        + b"fmt " + struct.pack("<IHHIIHHH", 18, tag, 2, 48000, 48000 * frame, frame, bits, 0)
        + b"fact" + struct.pack("<II", 4, 96 // frame)
        + b"data" + struct.pack("<I", 96) + data
    )


def test_six_channels(tmp_path):
    data = bytes(range(96))
    path = write_wav(played(data, channels=6), tmp_path / "x.wav")
    guid = bytes.fromhex("0100 0000 0000 1000 8000 00aa00389b71")
    assert path.read_bytes() == (
        b"RIFF" + struct.pack("<I", 60 + 96) + b"WAVE"
        + b"fmt " + struct.pack("<IHHIIHHHHI", 40, 0xFFFE, 6, 48000, 576000, 12, 16, 22, 16, 0)
        + guid + b"data" + struct.pack("<I", 96) + data
    )


def test_an_odd_number_of_bytes(tmp_path):
    path = write_wav(played(b"abc", format=4, channels=1), tmp_path / "x.wav")
    assert path.read_bytes()[-8:] == b"\3\0\0\0abc\0"
    assert path.read_bytes()[4:8] == struct.pack("<I", 36 + 4)


@pytest.mark.parametrize("format", [0, 3, 6, 9, 15, 21, 24])
def test_formats_that_no_wav_file_has(tmp_path, format):
    path = write_wav(played(b"12345678", format=format, channels=1), tmp_path / "x.wav")
    assert path == tmp_path / "x.raw"
    assert path.read_bytes() == b"12345678"


def test_what_was_recorded_and_heard(tmp_path):
    path = write_wav(played(b"1234", direction=1), tmp_path / "x.wav")
    assert path.read_bytes()[44:] == b"1234"
    stream = played(b"12345678")
    stream.heard += b"abcd"
    assert write_wav(stream, tmp_path / "x.wav", "heard").read_bytes()[44:] == b"abcd"


def test_a_stream_that_never_was(tmp_path):
    driver = Driver().up()
    assert write_wav(driver.device.sound.streams[0], tmp_path / "x.wav") is None
    assert not list(tmp_path.iterdir())
