# SPDX-License-Identifier: MIT
"""WAV files: a subset of CPython's `wave`, with its names.

    with wave.open("/rom/voice.wav") as w:
        print(w.getparams())
        frames = w.readframes(w.getnframes())

    with wave.open("beep.wav", "wb") as w:
        w.setparams((1, 2, 16000, 0, "NONE", None))  # channels, bytes per sample, Hz
        w.writeframes(samples)

Beyond CPython, marked "Extension" below: float, A-law and mu-law files, `name`, `getformat()`,
`getvalidbits()`, `getchannelmask()`, `readinto()`, `data()`, and bytes-like objects as sources.
What cannot be read is refused with `Error`; one line says what was wrong and what would be right.

Not here: compressed formats, RF64, RIFX, files that cannot seek, markers; only PCM is written.
"""

import struct
from collections import namedtuple

WAVE_FORMAT_PCM = 0x0001
WAVE_FORMAT_IEEE_FLOAT = 0x0003
WAVE_FORMAT_ALAW = 0x0006
WAVE_FORMAT_MULAW = 0x0007
WAVE_FORMAT_EXTENSIBLE = 0xFFFE

# Tag: (bytes per sample that it comes in, what to call it, CPython's comptype and compname).
_FORMATS = {
    WAVE_FORMAT_PCM: ((1, 2, 3, 4), "PCM", "NONE", "not compressed"),
    WAVE_FORMAT_IEEE_FLOAT: ((4, 8), "float", "NONE", "not compressed"),
    WAVE_FORMAT_ALAW: ((1,), "A-law", "ALAW", "CCITT G.711 A-law"),
    WAVE_FORMAT_MULAW: ((1,), "mu-law", "ULAW", "CCITT G.711 u-law"),
}
# An extensible sub-format is a GUID: the format tag, then these 14 bytes.
_GUID_TAIL = b"\x00\x00\x00\x00\x10\x00\x80\x00\x00\xaa\x00\x38\x9b\x71"
# One of these right after an odd chunk: its pad byte is missing, it cannot be part of a name.
_CHUNKS = (b"fmt ", b"data", b"fact", b"LIST", b"cue ", b"bext", b"JUNK", b"PEAK", b"smpl")
# What may stand before the samples; without a bound a file of zeros would be read to its end.
_MAX_CHUNKS = 256
_COUSINS = (b"RF64", b"BW64", b"RIFX")
_MAX_SIZE = 0xFFFFFFFF
_CLOSED = "it is closed; open it again"

_open_file = open  # the name is about to be taken
_PARAMS = "nchannels sampwidth framerate nframes comptype compname"
_wave_params = namedtuple("_wave_params", _PARAMS)


class Error(ValueError):
    pass


def open(f, mode=None):
    """Return a Wave_read for mode "rb" (the default), a Wave_write for mode "wb".

    *f* is a name or an open binary file that can seek; for reading also (Extension) a bytes-like
    object that holds a whole WAV file. An open file is left open by close().
    """
    mode = mode or getattr(f, "mode", "rb")
    if mode in ("r", "rb"):
        return Wave_read(f)
    if mode in ("w", "wb"):
        return Wave_write(f)
    raise Error("mode is %r; it must be 'r', 'rb', 'w' or 'wb'" % (mode,))


class _Wave:
    # What reader and writer share: the file, whose it is, and the parameters.

    def __init__(self, f, mode):
        name = getattr(f, "name", None)
        self._own = None
        if isinstance(f, str):
            name = f
            self._own = f = _open_file(f, mode)
        self._file = f
        self.name = name if isinstance(name, str) else None
        self._tag = WAVE_FORMAT_PCM
        self._channels = self._width = self._rate = None

    def __enter__(self):
        return self

    def getnchannels(self):
        return self._channels

    def getsampwidth(self):
        """Bytes per sample."""
        return self._width

    def getframerate(self):
        """Frames per second, Hz."""
        return self._rate

    def getcomptype(self):
        return _FORMATS[self._tag][2]

    def getcompname(self):
        return _FORMATS[self._tag][3]

    def getparams(self):
        """A named tuple (nchannels, sampwidth, framerate, nframes, comptype, compname)."""
        frames, names = self.getnframes(), _FORMATS[self._tag][2:]
        return _wave_params(self._channels, self._width, self._rate, frames, *names)

    def _check(self, right, text):
        if not right:
            raise Error("%s: %s" % (self.name, text) if self.name else text)

    def _release(self):
        self._file = None
        if self._own is not None:
            self._own.close()
            self._own = None


class Wave_read(_Wave):
    """A WAV file to read, in frames. Extension: `name` is the file's name, None if unknown."""

    def __init__(self, f):
        super().__init__(f, "rb")
        # The bytes where they lie, if they lie in memory: a bytes-like object has them, and so
        # has a file in memory-mapped ROM.
        try:
            self._map = memoryview(self._file)
        except TypeError:
            self._map = None
        if not hasattr(self._file, "readinto"):
            self._file = None
        try:
            self._parse()
        except Exception:
            self.close()
            raise

    def __exit__(self, *exc):
        self.close()

    def close(self):
        """Let go of the file, and close it if `open()` opened it."""
        self._map = None
        self._release()

    def getnframes(self):
        """Whole frames that the file really has, whatever its header claims."""
        return self._nframes

    def getformat(self):
        """Extension: 1 PCM, 3 float, 6 A-law or 7 mu-law, also for an extensible file."""
        return self._tag

    def getvalidbits(self):
        """Extension: the bits of a sample that carry sound; they are its upper ones."""
        return self._valid_bits

    def getchannelmask(self):
        """Extension: an extensible file's loudspeaker positions, one bit each; 0 if unknown."""
        return self._channel_mask

    def tell(self):
        return self._pos

    def rewind(self):
        self._pos = 0

    def setpos(self, pos):
        """Go to frame *pos*."""
        self._check(0 <= pos <= self._nframes, "position is not 0 to %d" % self._nframes)
        self._pos = pos

    def readframes(self, nframes):
        """Return the next *nframes* frames as bytes, or all that are left if fewer or negative."""
        left = self._nframes - self._pos
        if nframes < 0 or nframes > left:
            nframes = left
        frame_bytes = self._frame_bytes
        data = self._peek(self._start + self._pos * frame_bytes, nframes * frame_bytes)
        self._pos += len(data) // frame_bytes
        return data

    def readinto(self, buf):
        """Extension: fill *buf*, bytes, with the next whole frames; return the bytes stored.

        0 means the end. Allocates nothing while a file fills a *buf* that holds whole frames.
        """
        frame_bytes = self._frame_bytes
        if len(buf) < frame_bytes:
            raise ValueError("buffer of %d bytes; a frame needs %d" % (len(buf), frame_bytes))
        size = min(len(buf) // frame_bytes, self._nframes - self._pos) * frame_bytes
        if size != len(buf):
            buf = memoryview(buf)[:size]
        at = self._start + self._pos * frame_bytes
        if self._file is not None:
            self._file.seek(at)
            size = self._file.readinto(buf)
        else:
            self._check(self._map is not None, _CLOSED)
            buf[:] = self._map[at : at + size]
        frames = size // frame_bytes
        self._pos += frames
        return frames * frame_bytes

    def data(self):
        """Extension: all samples where they lie in memory, a memoryview; None on other media."""
        if self._map is None:
            return None
        return self._map[self._start : self._start + self._nframes * self._frame_bytes]

    def _peek(self, at, size):
        # Up to size bytes from byte position at, fewer at the end.
        if self._file is not None:
            self._file.seek(at)
            return self._file.read(size)
        self._check(self._map is not None, _CLOSED)
        return bytes(self._map[at : at + size])

    def _parse(self):
        f = self._file
        if f is None:
            self._check(self._map is not None, "no source; give a name, a binary file or bytes")
            at, end = 0, len(self._map)
        else:
            try:
                at = f.tell()
                f.seek(0, 2)
                end = f.tell()
            except (AttributeError, OSError):
                self._check(False, "the file cannot seek; read it into memory and open the bytes")
            is_text = isinstance(f.read(0), str)
            self._check(not is_text, "the file is open as text; open it with 'rb'")
        head = self._peek(at, 12)
        kind = head[:4]
        self._check(kind, "the file is empty; a WAV file starts with 'RIFF'")
        self._check(kind not in _COUSINS, "%r is not supported; save it as RIFF" % kind)
        is_wav = len(head) == 12 and kind == b"RIFF" and head[8:] == b"WAVE"
        self._check(is_wav, "not a WAV file; it would start with 'RIFF', a size, 'WAVE'")
        riff_end = at + 8 + struct.unpack_from("<I", head, 4)[0]
        at += 12
        for _ in range(_MAX_CHUNKS):
            head = self._peek(at, 8)
            self._check(len(head) == 8, "the file ends before a 'data' chunk; it must have one")
            kind, size = struct.unpack("<4sI", head)
            at += 8
            left = end - at
            if kind == b"data":
                break
            self._check(kind != b"ds64", "RF64 ('ds64') is not supported; save it as RIFF")
            claim = "chunk %r claims %d bytes; the file has %d left" % (kind, size, left)
            self._check(size <= left, claim)
            if kind == b"fmt ":
                self._parse_fmt(self._peek(at, min(size, 40)))
            # An odd chunk is followed by a pad byte, unless its writer forgot it.
            at += size
            if size & 1 and self._peek(at, 4) not in _CHUNKS:
                at += 1
        else:
            self._check(False, "no 'data' chunk among the first %d; it must be" % _MAX_CHUNKS)
        self._check(self._width, "no 'fmt ' chunk before 'data'; it must come first")
        # A writer that could not go back leaves its sizes at 0 or at something enormous: the
        # samples last to the end. Only if the outer size is right, 0 means that there are none.
        if size == 0 and riff_end not in (end, end - 1):
            size = left
        self._start = at
        self._pos = 0
        self._nframes = min(size, left) // self._frame_bytes

    def _parse_fmt(self, fmt):
        check = self._check
        check(len(fmt) >= 16, "'fmt ' chunk of %d bytes; it needs at least 16" % len(fmt))
        tag, channels, rate, _, align, bits = struct.unpack_from("<HHIIHH", fmt)
        valid_bits = mask = 0
        if tag == WAVE_FORMAT_EXTENSIBLE:
            check(len(fmt) == 40, "extensible 'fmt ' of %d bytes; it needs 40" % len(fmt))
            valid_bits, mask, tag = struct.unpack_from("<HIH", fmt, 18)
            check(fmt[26:] == _GUID_TAIL, "unknown extensible sub-format; save it as PCM")
        check(tag in _FORMATS, "format %d is not PCM, float, A- or mu-law; save it as PCM" % tag)
        check(channels > 0, "0 channels; it must have at least 1")
        check(rate > 0, "frame rate of 0 Hz; it must be at least 1")
        width = (bits + 7) // 8
        widths, name = _FORMATS[tag][:2]
        right = " or ".join([str(8 * w) for w in widths])
        check(width in widths, "%d bits per sample; %s comes in %s" % (bits, name, right))
        frame = channels * width
        check(align == frame, "block align of %d bytes; a frame has %d" % (align, frame))
        check(valid_bits <= bits, "%d valid bits of %d; it must not be more" % (valid_bits, bits))
        self._tag, self._channels, self._rate, self._width = tag, channels, rate, width
        self._frame_bytes, self._channel_mask = align, mask
        self._valid_bits = valid_bits or bits


class Wave_write(_Wave):
    """A WAV file of PCM samples to write; set channels, width and rate, then write frames.

    8-bit samples are unsigned, wider ones signed, all little-endian. writeframes() corrects the
    header each time, writeframesraw() leaves that to close(); a header that nobody came to correct
    says 0, which Wave_read takes as "to the end of the file".
    """

    def __init__(self, f):
        super().__init__(f, "wb")
        self._start = None  # byte position of the header, once it is written
        self._in_header = 0  # bytes of samples that the header in the file speaks of
        self._written = 0  # bytes of samples

    def __exit__(self, exc_type, exc, tb):
        if exc_type is None or self._start is not None:
            self.close()
        self._release()  # what went wrong before the first frame is the error to report

    def setnchannels(self, nchannels):
        self._set(1 <= nchannels < 0x4000, nchannels, "channels; it must be 1 to 16383")
        self._channels = nchannels

    def setsampwidth(self, sampwidth):
        """Set the bytes per sample."""
        self._set(sampwidth in (1, 2, 3, 4), sampwidth, "bytes per sample; it must be 1 to 4")
        self._width = sampwidth

    def setframerate(self, framerate):
        """Set the frames per second, Hz; rounded to a whole number."""
        rate = int(round(framerate))
        self._set(1 <= rate <= _MAX_SIZE, framerate, "Hz frame rate; it must be at least 1")
        self._rate = rate

    def setnframes(self, nframes):
        """Accepted and not needed: the header gets the frames that were written."""

    def setcomptype(self, comptype, compname=None):
        self._set(comptype in (None, "NONE"), comptype, "compression; it must be 'NONE'")

    def setparams(self, params):
        """Set all at once from (nchannels, sampwidth, framerate, nframes, comptype, compname)."""
        nchannels, sampwidth, framerate, nframes, comptype, compname = params
        self.setnchannels(nchannels)
        self.setsampwidth(sampwidth)
        self.setframerate(framerate)
        self.setnframes(nframes)
        self.setcomptype(comptype, compname)

    def getnframes(self):
        """Whole frames written so far."""
        return self._written // self._frame_bytes() if self._written else 0

    tell = getnframes

    def writeframesraw(self, data):
        """Write samples, bytes-like or an array; leave the header to close()."""
        self._check(self._file is not None, _CLOSED)
        if self._start is None:
            self._frame_bytes()  # fails while there is nothing to say in a header
            self._start = self._file.tell()
            self._write_header()
        self._written += self._file.write(data)

    def writeframes(self, data):
        """Write samples, bytes-like or an array, and correct the header."""
        self.writeframesraw(data)
        if self._in_header != self._written:
            end = self._file.tell()
            self._file.seek(self._start)
            self._write_header()
            self._file.seek(end)

    def close(self):
        """Complete the file, and close it if `open()` opened it."""
        if self._file is None:
            return
        try:
            self.writeframes(b"")  # a file without frames has a header all the same
            if self._written & 1:
                self._file.write(b"\0")  # chunks start at even distances
            self._file.flush()
        finally:
            self._release()

    def _set(self, right, value, text):
        self._check(self._start is None, "cannot change parameters after writing has begun")
        self._check(right, "%r %s" % (value, text))

    def _frame_bytes(self):
        known = None not in (self._channels, self._width, self._rate)
        self._check(known, "parameters missing; set channels, sample width and frame rate first")
        return self._channels * self._width

    def _write_header(self):
        # Sizes that do not fit are left enormous: "to the end of the file".
        size, rate, frame_bytes = self._written, self._rate, self._frame_bytes()
        riff_size = min(4 + 24 + 8 + size + (size & 1), _MAX_SIZE)  # WAVE, fmt, data
        byte_rate = min(rate * frame_bytes, _MAX_SIZE)
        format = self._tag, self._channels, rate, byte_rate, frame_bytes, 8 * self._width
        self._file.write(struct.pack("<4sI8sI", b"RIFF", riff_size, b"WAVEfmt ", 16))
        self._file.write(struct.pack("<HHIIHH", *format))
        self._file.write(struct.pack("<4sI", b"data", min(size, _MAX_SIZE)))
        self._in_header = size
