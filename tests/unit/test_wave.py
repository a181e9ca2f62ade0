# SPDX-License-Identifier: MIT
"""modules/wave.py on CPython: against the standard library's wave, and against bad files."""

import array
import contextlib
import importlib.util
import io
import mmap
import pathlib
import random
import struct
import wave as stdlib

import pytest

MODULES = pathlib.Path(__file__).resolve().parents[2] / "modules"


# Not by its name, which the standard library has taken here.
spec = importlib.util.spec_from_file_location("virtboard_wave", MODULES / "wave.py")
wave = importlib.util.module_from_spec(spec)
spec.loader.exec_module(wave)

GUID_TAIL = bytes.fromhex("000000001000800000aa00389b71")
SAMPLES = bytes(range(48))  # 12 frames of stereo S16


def chunk(kind, data, size=None, pad=b"\0"):
    size = len(data) if size is None else size
    return kind + struct.pack("<I", size) + data + pad[: len(data) & 1]


def fmt(tag=1, channels=2, rate=48000, bits=16, align=None, extra=b""):
    align = channels * ((bits + 7) // 8) if align is None else align
    head = struct.pack("<HHIIHH", tag, channels, rate, (rate * align) & 0xFFFFFFFF, align, bits)
    return chunk(b"fmt ", head + extra)


def extensible(sub=1, valid=16, mask=3, tail=GUID_TAIL, **kw):
    return fmt(0xFFFE, extra=struct.pack("<HHIH", 22, valid, mask, sub) + tail, **kw)


def riff(*chunks, size=None):
    body = b"WAVE" + b"".join(chunks)
    return b"RIFF" + struct.pack("<I", len(body) if size is None else size) + body


def frames_of(source):
    with wave.open(source) as w:
        return w.readframes(w.getnframes())


IN_MEMORY = {"bytes": bytes, "memoryview": memoryview, "BytesIO": io.BytesIO}


@pytest.fixture(params=[*IN_MEMORY, "path", "file", "raw", "mmap"])
def source(request, tmp_path):
    """Turns bytes into each kind of source that open() takes."""

    def make(data):
        if request.param in IN_MEMORY:
            return IN_MEMORY[request.param](data)
        path = tmp_path / "x.wav"
        path.write_bytes(data)
        if request.param == "path":
            return str(path)
        f = opened.enter_context(open(path, "rb", buffering=-(request.param != "raw")))
        return mmap.mmap(f.fileno(), 0, prot=mmap.PROT_READ) if request.param == "mmap" else f

    with contextlib.ExitStack() as opened:
        yield make


# Reading what others wrote


@pytest.mark.parametrize("width", [1, 2, 3, 4])
@pytest.mark.parametrize("channels", [1, 2, 5])
def test_reads_what_the_standard_library_wrote(source, width, channels):
    data = random.Random(width).randbytes(101 * width * channels)
    f = io.BytesIO()
    with stdlib.open(f, "wb") as w:
        w.setparams((channels, width, 22050, 0, "NONE", "not compressed"))
        w.writeframes(data)
    content = f.getvalue()
    with wave.open(source(content)) as w, stdlib.open(io.BytesIO(content)) as other:
        assert w.getparams() == other.getparams()
        assert w.getparams()._fields == other.getparams()._fields
        assert (w.getformat(), w.getvalidbits(), w.getchannelmask()) == (1, 8 * width, 0)
        for n in (0, 1, 10, 1000, 1):
            assert w.readframes(n) == other.readframes(n)
            assert w.tell() == other.tell()
        w.setpos(50)
        assert w.readframes(-1) == data[50 * width * channels :]
        w.rewind()
        assert w.readframes(101) == data
        for pos in (-1, 102):
            with pytest.raises(wave.Error, match="position is not 0 to 101"):
                w.setpos(pos)


def test_readinto(source):
    w = wave.open(source(riff(fmt(), chunk(b"data", SAMPLES), chunk(b"LIST", b"noise!"))))
    buf = bytearray(22)  # 5 frames and a half
    assert w.readinto(buf) == 20 and buf == SAMPLES[:20] + b"\0\0"
    buf = bytearray(20)
    assert w.readinto(memoryview(buf)) == 20 and buf == SAMPLES[20:40]
    assert w.readinto(buf) == 8 and buf[:8] == SAMPLES[40:]
    assert w.readinto(buf) == 0 and w.tell() == 12
    with pytest.raises(ValueError, match="3 bytes; a frame needs 4"):
        w.readinto(bytearray(3))


def test_data_is_where_the_source_has_it(source):
    s = source(riff(fmt(), chunk(b"data", SAMPLES + b"xy"), chunk(b"LIST", b"ab")))
    w = wave.open(s)
    data = w.data()
    if isinstance(s, (bytes, memoryview, mmap.mmap)):
        assert data.obj is (s.obj if isinstance(s, memoryview) else s)
        assert data == SAMPLES  # whole frames only
        data.release()
    else:
        assert data is None
    w.close()


def test_mode_and_closing(tmp_path):
    path = tmp_path / "x.wav"
    path.write_bytes(riff(fmt(), chunk(b"data", SAMPLES)))
    with open(path, "rb") as f:
        w = wave.open(f)
        assert w.name == str(path)
        w.close()
        w.close()
        assert not f.closed
        for call in (lambda: w.readframes(1), lambda: w.readinto(bytearray(4))):
            with pytest.raises(wave.Error, match="x.wav: it is closed"):
                call()
    with pytest.raises(wave.Error, match="mode is 'rw'; it must be"):
        wave.open(str(path), "rw")
    with pytest.raises(FileNotFoundError):
        wave.open(str(tmp_path / "none.wav"))


def test_file_that_starts_in_the_middle():
    f = io.BytesIO(b"before!" + riff(fmt(), chunk(b"data", SAMPLES)))
    f.seek(7)
    assert frames_of(f) == SAMPLES


# Formats


@pytest.mark.parametrize(
    "tag, bits, comptype",
    [(3, 32, "NONE"), (3, 64, "NONE"), (6, 8, "ALAW"), (7, 8, "ULAW"), (1, 12, "NONE")],
)
def test_formats(tag, bits, comptype):
    width = (bits + 7) // 8
    for header in (
        fmt(tag, bits=bits, extra=b"\0\0"),
        extensible(tag, bits=bits, valid=0, mask=0x3F),
        extensible(tag, bits=bits, valid=bits),
    ):
        w = wave.open(riff(header, chunk(b"data", bytes(160))))
        assert (w.getformat(), w.getsampwidth(), w.getcomptype()) == (tag, width, comptype)
        assert w.getnframes() == 80 // width and w.getvalidbits() == bits


def test_extensible_valid_bits_and_mask():
    w = wave.open(riff(extensible(bits=32, valid=24, mask=0x603), chunk(b"data", SAMPLES)))
    assert (w.getsampwidth(), w.getvalidbits(), w.getchannelmask()) == (4, 24, 0x603)
    assert w.getformat() == wave.WAVE_FORMAT_PCM


# Chunks and sizes that are odd but can be read


@pytest.mark.parametrize("kind", [b"LIST", b"fact", b"cue ", b"bext", b"JUNK", b"\0\0\0\0"])
def test_extra_chunks(source, kind):
    odd = chunk(kind, b"data" + bytes(3))
    even = chunk(kind, b"fmt " + bytes(4))
    content = riff(odd, even, fmt(extra=b"\0\0"), odd, even, chunk(b"data", SAMPLES), odd, even)
    assert frames_of(source(content)) == SAMPLES


@pytest.mark.parametrize("pad", [b"\0", b" ", b"d", b"\xff", b""])
def test_pad_byte_present_odd_or_forgotten(pad):
    odd = chunk(b"LIST", b"odd", pad=pad)
    assert frames_of(riff(odd, fmt(), odd, chunk(b"data", SAMPLES))) == SAMPLES


def test_pad_byte_after_odd_data_is_no_sample():
    content = riff(fmt(channels=1, bits=8), chunk(b"data", b"abc"), chunk(b"LIST", b"xx"))
    assert frames_of(content) == b"abc"


@pytest.mark.parametrize("size", [0, 0xFFFFFFFF, 0xFFFFFFFE, 0x7FFFFFFF, 49, 1000])
@pytest.mark.parametrize("riff_size", [0, 0xFFFFFFFF, 36])
def test_streamed_or_truncated(source, size, riff_size):
    content = riff(fmt(), chunk(b"data", SAMPLES + b"abc", size, pad=b""), size=riff_size)
    w = wave.open(source(content))
    assert w.getnframes() == 12  # 3 bytes are no frame
    assert w.readframes(1 << 60) == SAMPLES  # and this does not allocate what it asks for


@pytest.mark.parametrize("after", [b"", chunk(b"LIST", b"not samples!")])
def test_no_frames(source, after):
    w = wave.open(source(riff(fmt(), chunk(b"data", b""), after)))
    assert w.getnframes() == 0 and w.readframes(5) == b"" and w.readinto(bytearray(8)) == 0


# Files that are refused

DATA = chunk(b"data", SAMPLES)
REFUSED = [
    (b"", "file is empty; a WAV file starts with 'RIFF'"),
    (b"RIFF", "not a WAV file"),
    (b"OggS" + bytes(60), "not a WAV file"),
    (riff(fmt(), DATA).replace(b"WAVE", b"AVI "), "not a WAV file"),
    (riff(fmt(), DATA).replace(b"RIFF", b"RF64"), "RF64.* is not supported; save it as RIFF"),
    (riff(fmt(), DATA).replace(b"RIFF", b"RIFX"), "RIFX.* is not supported"),
    (riff(chunk(b"ds64", bytes(28)), fmt(), DATA), "RF64 .* is not supported"),
    (riff(), "ends before a 'data' chunk"),
    (riff(fmt()), "ends before a 'data' chunk"),
    (riff(fmt(), b"data\0\0\0"), "ends before a 'data' chunk"),
    (riff(DATA), "no 'fmt ' chunk before 'data'; it must come first"),
    (riff(DATA, fmt()), "no 'fmt ' chunk before 'data'; it must come first"),
    (riff(chunk(b"fmt ", bytes(14)), DATA), "'fmt ' chunk of 14 bytes; it needs at least 16"),
    (riff(chunk(b"fmt ", b""), DATA), "'fmt ' chunk of 0 bytes"),
    (riff(fmt(), chunk(b"LIST", b"ab", 99), DATA), "'LIST' claims 99 bytes; the file has 58 left"),
    (riff(chunk(b"fmt ", bytes(4), 16)), "b'fmt ' claims 16 bytes; the file has 4 left"),
    (riff(fmt(channels=0, align=4), DATA), "0 channels; it must have at least 1"),
    (riff(fmt(rate=0), DATA), "0 Hz; it must be at least 1"),
    (riff(fmt(bits=0, align=4), DATA), "0 bits per sample; PCM comes in 8 or 16 or 24 or 32"),
    (riff(fmt(bits=64), DATA), "64 bits per sample; PCM comes in 8 or 16"),
    (riff(fmt(3, bits=16), DATA), "16 bits per sample; float comes in 32 or 64"),
    (riff(fmt(7, bits=16), DATA), "16 bits per sample; mu-law comes in 8"),
    (riff(fmt(align=3), DATA), "block align of 3 bytes; a frame has 4"),
    (riff(fmt(align=0), DATA), "block align of 0 bytes; a frame has 4"),
    (riff(fmt(bits=65535, channels=65535, align=4), DATA), "65535 bits per sample"),
    (riff(fmt(0x11, bits=4), DATA), "format 17 is not PCM, float, A- or mu-law; save it as PCM"),
    (riff(fmt(0xFFFE), DATA), "extensible 'fmt ' of 16 bytes; it needs 40"),
    (riff(extensible(tail=bytes(14)), DATA), "unknown extensible sub-format"),
    (riff(extensible(sub=0x55), DATA), "format 85 is not PCM"),
    (riff(extensible(valid=17), DATA), "17 valid bits of 16; it must not be more"),
    (riff(fmt()) + bytes(1 << 16), "no 'data' chunk among the first 256"),
    (riff(fmt()) + chunk(b"JUNK", b"") * 300 + DATA, "no 'data' chunk among the first 256"),
]


@pytest.mark.parametrize("content, text", REFUSED)
def test_refused_with_one_clear_line(content, text, tmp_path):
    path = tmp_path / "bad.wav"
    path.write_bytes(content)
    for source in (content, bytearray(content), io.BytesIO(content), str(path)):
        with pytest.raises(wave.Error, match=text) as caught:
            wave.open(source)
        assert "\n" not in str(caught.value)
        assert str(caught.value).startswith("%s: " % path) == isinstance(source, str)


def test_sources_that_cannot_be_read():
    class Pipe(io.BytesIO):
        def seek(self, *args):
            raise OSError(29, "Illegal seek")

    class Text(io.BytesIO):  # as MicroPython's: there it has readinto(), too
        def read(self, size=-1):
            return super().read(size).decode("latin-1")

    for bad, words in (
        (Pipe(b"RIFF"), "cannot seek; read it into memory"),
        (Text(b"RIFF"), "the file is open as text; open it with 'rb'"),
        (io.StringIO("RIFF"), "give a name, a binary file or bytes"),
        (None, "give a name, a binary file or bytes"),
    ):
        with pytest.raises(wave.Error, match=words):
            wave.open(bad)


def test_damaged_files_raise_only_error():
    rng = random.Random(2026)
    whole = riff(chunk(b"LIST", b"odd"), extensible(), chunk(b"fact", bytes(4)), DATA)
    opened = 0
    for _ in range(20000):
        content = bytearray(whole)
        for _ in range(rng.randrange(1, 5)):
            content[rng.randrange(len(content))] = rng.choice([0, 1, 255, rng.randrange(256)])
        content = bytes(content[: rng.choice([len(whole), rng.randrange(len(whole))])])
        try:
            w = wave.open(rng.choice([bytes, io.BytesIO])(content))
        except wave.Error:
            continue
        opened += 1
        frame_bytes = w.getnchannels() * w.getsampwidth()
        frames = w.readframes(w.getnframes())
        assert len(frames) == w.getnframes() * frame_bytes and frames in content
        assert w.getparams().nframes * frame_bytes <= len(content)
    assert 1000 < opened < 19000


def test_noise_raises_only_error():
    rng = random.Random(7)
    for i in range(15000):
        start = (b"", b"RIFF\0\0\0\0WAVE", b"RIFF\0\0\0\0WAVE" + fmt())[i % 3]
        try:
            wave.open(start + rng.randbytes(rng.randrange(200)))
        except wave.Error:
            pass


# Writing


@pytest.mark.parametrize("raw", [False, True])
@pytest.mark.parametrize("width, channels, pieces", [(2, 2, 3), (3, 1, 2), (4, 6, 1), (1, 2, 0)])
def test_writes_what_the_standard_library_writes(tmp_path, raw, width, channels, pieces):
    files = []
    for module in (wave, stdlib):
        f = io.BytesIO()
        files += [f, tmp_path / module.__name__]
        for target in (f, str(files[-1])):
            with module.open(target, "wb") as w:
                w.setnchannels(channels)
                w.setsampwidth(width)
                w.setframerate(44099.6)
                w.setcomptype("NONE", "not compressed")
                for _ in range(pieces):
                    (w.writeframesraw if raw else w.writeframes)(SAMPLES)
                assert w.tell() == w.getnframes() == pieces * 48 // (width * channels)
                assert w.getparams()[:3] == (channels, width, 44100)
    assert files[0].getvalue() == files[2].getvalue()
    assert files[1].read_bytes() == files[3].read_bytes() == files[0].getvalue()


def test_odd_data_is_padded_and_read_back():
    f = io.BytesIO()
    with wave.open(f, "wb") as w:
        w.setparams((1, 1, 8000, 0, "NONE", None))
        w.writeframes(b"abc")
    content = f.getvalue()
    assert content[-4:] == b"abc\0" and len(content) == 48
    assert struct.unpack_from("<I", content, 4)[0] == 40
    assert struct.unpack_from("<I", content, 40)[0] == 3
    with stdlib.open(io.BytesIO(content)) as w:
        assert w.readframes(9) == b"abc"
    assert frames_of(content) == b"abc"


def test_writes_arrays_and_where_the_file_stands():
    f = io.BytesIO(b"12345")
    f.seek(5)
    with wave.open(f, "wb") as w:
        w.setparams((1, 2, 8000, 0, None, None))
        w.writeframes(array.array("h", [1, -2]))
        w.writeframes(memoryview(b"\x03\0"))
    f.seek(5)
    assert frames_of(f) == array.array("h", [1, -2, 3]).tobytes()


def test_file_that_was_never_closed_can_be_read():
    f = io.BytesIO()
    w = wave.open(f, "wb")
    w.setparams((2, 2, 8000, 0, "NONE", None))
    w.writeframesraw(SAMPLES)
    assert frames_of(f.getvalue()) == SAMPLES  # the header still says 0


def test_writer_refuses():
    w = wave.open(io.BytesIO(), "wb")
    for call, text in (
        (lambda: w.setnchannels(0), "0 channels; it must be 1 to"),
        (lambda: w.setsampwidth(5), "5 bytes per sample; it must be 1 to 4"),
        (lambda: w.setframerate(0.2), "0.2 Hz frame rate; it must be at least 1"),
        (lambda: w.setcomptype("ULAW"), "'ULAW' compression; it must be 'NONE'"),
        (lambda: w.writeframes(b""), "set channels, sample width and frame rate first"),
    ):
        with pytest.raises(wave.Error, match=text):
            call()
    w.setparams((1, 2, 8000, 0, "NONE", None))
    w.writeframes(b"ab")
    with pytest.raises(wave.Error, match="cannot change parameters after writing has begun"):
        w.setnchannels(2)
    w.close()
    w.close()
    with pytest.raises(wave.Error, match="it is closed"):
        w.writeframes(b"ab")


def test_with_reports_the_first_error(tmp_path):
    path = tmp_path / "x.wav"
    with pytest.raises(KeyError):
        with wave.open(str(path), "wb"):
            raise KeyError  # and not that there are no parameters yet
    with pytest.raises(wave.Error, match="x.wav: parameters missing"):
        with wave.open(str(path), "wb"):
            pass
