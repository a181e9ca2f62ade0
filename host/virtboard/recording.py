# SPDX-License-Identifier: MIT
"""What the card played: QEMU's WAV files as NumPy arrays, in words, and compared."""

import os
import stat
import struct
from functools import cached_property
from pathlib import Path
from typing import NamedTuple

import numpy as np

from virtboard import VirtboardError
from virtboard.files import read_file

HEADER_BYTES = 44  # QEMU writes exactly this header; its two sizes are not to be trusted
PCM_HEADER = b"fmt \x10\0\0\0"
MAX_BYTES = 1 << 30  # of a file to look at: 93 minutes at 48000 Hz
SIZE_MAX = 0xFFFFFFFF  # what a header can say
SPECTRUM_FRAMES = 65536
GAP_MS = 1.0  # a shorter silence is a tone that crosses zero
CONTEXT_FRAMES = 64  # that must agree before a difference is called a loss or an insertion


class Gap(NamedTuple):
    """Silence inside a recording, in frames."""

    start: int
    frames: int


class Recording:
    """A recording in memory.

    path: a file that QEMU's wav driver wrote, its header finished or not.
    dtype, channels, rate: NumPy type, count and Hz of the samples; the header's rate unless
    given. QEMU always says 44100 Hz, 16 bit, stereo for a raw recording (`Machine(raw=True)`).

    samples: array of shape (frames, channels). VirtboardError if the file is no recording.
    """

    def __init__(self, path, dtype="<i2", channels=2, rate=None):
        self.path = Path(path)
        try:
            data = read_file(self.path, MAX_BYTES)
        except OSError as error:
            raise VirtboardError(f"cannot read {path}: {error.strerror}") from None
        dtype = np.dtype(dtype)
        if data:
            check_header(path, data, (channels, 8 * dtype.itemsize))
        whole = max(len(data) - HEADER_BYTES, 0) // (dtype.itemsize * channels) * channels
        flat = np.frombuffer(data, dtype, whole, HEADER_BYTES) if whole else np.empty(0, dtype)
        self.samples = flat.reshape(-1, channels)
        self.rate = rate or int.from_bytes(data[24:28], "little")

    @property
    def frames(self):
        return len(self.samples)

    @property
    def channels(self):
        return self.samples.shape[1]

    @property
    def seconds(self):
        """Length in s of playing time."""
        return self.frames / self.rate if self.rate else 0.0

    @property
    def _scale(self):
        """(value of silence, distance from it to full scale) in the samples' own unit."""
        if self.samples.dtype.kind == "f":
            return 0, 1
        half = 1 << (8 * self.samples.dtype.itemsize - 1)
        return (half if self.samples.dtype.kind == "u" else 0), half

    def normalised(self):
        """The samples as float64 from -1 to 1, shape (frames, channels)."""
        middle, full = self._scale
        return (self.samples.astype(float) - middle) / full

    @cached_property
    def peak(self):
        """The largest distance from silence; 1.0 is full scale."""
        if not self.samples.size:
            return 0.0
        middle, full = self._scale
        low, high = self.samples.min().item(), self.samples.max().item()
        return max(high - middle, middle - low) / full

    def dominant_frequency(self):
        """The strongest frequency in Hz over all channels, 0.0 for silence."""
        power = np.zeros(SPECTRUM_FRAMES // 2 + 1)
        for start in range(0, self.frames, SPECTRUM_FRAMES):
            part = self.samples[start : start + SPECTRUM_FRAMES].astype(float)
            part = (part - part.mean(axis=0)) * np.hanning(len(part) + 2)[1:-1, None]
            power += (np.abs(np.fft.rfft(part, SPECTRUM_FRAMES, axis=0)) ** 2).sum(axis=1)
        bin_ = int(power[:-1].argmax())
        if bin_ == 0 or power[bin_] < 1e-6:
            return 0.0
        left, top, right = np.log(power[bin_ - 1 : bin_ + 2] + 1e-12)  # a parabola's top
        bend = left - 2 * top + right
        offset = (left - right) / (2 * bend) if bend else 0.0
        return float((bin_ + offset) * self.rate / SPECTRUM_FRAMES)

    @cached_property
    def _sounding(self):
        """Indexes of the frames that are not silent in every channel."""
        return np.flatnonzero((self.samples != self._scale[0]).any(axis=1))

    @property
    def leading_silence(self):
        """Frames before the first that is not silent; all frames of a silent recording."""
        return int(self._sounding[0]) if self._sounding.size else self.frames

    @property
    def trailing_silence(self):
        """Frames after the last that is not silent; 0 for a silent recording."""
        return self.frames - 1 - int(self._sounding[-1]) if self._sounding.size else 0

    def gaps(self, longer_than_ms=GAP_MS):
        """Silences longer than that between the first and the last sound, a list of Gap."""
        starts = self._sounding[:-1] + 1
        lengths = np.diff(self._sounding) - 1
        long = lengths * 1000 > longer_than_ms * self.rate
        return [Gap(int(s), int(n)) for s, n in zip(starts[long], lengths[long], strict=True)]

    def report(self):
        """What there is to hear, as a few lines of text."""
        if not self.frames:
            return f"{self.path}: empty, the card played nothing (0 frames)"
        lines = [
            f"{self.path}: {self.frames} frames, {self.seconds:.3f} s"
            f" at {self.rate} Hz, {self.channels} channels"
        ]
        if not self.peak:
            return f"{lines[0]}\n  silent from beginning to end"
        lines.append(f"peak {20 * np.log10(self.peak):.1f} dBFS ({100 * self.peak:.1f} %)")
        lines.append(f"dominant frequency {self.dominant_frequency():.1f} Hz")
        gaps = self.gaps()
        places = ", ".join(f"{gap.frames} at {gap.start}" for gap in gaps[:5])
        where = f": {places}{', ...' if len(gaps) > 5 else ''} (frames)" if gaps else ""
        lines.append(f"silent gaps longer than {GAP_MS:g} ms: {len(gaps)}{where}")
        ends = f"{self.leading_silence} frames before, {self.trailing_silence} after"
        lines.append(f"silence around it: {ends}")
        return "\n  ".join(lines)

    def first_difference(self, expected):
        """None if the recording is exactly `expected`, else one line that says where it is not.

        expected: samples of shape (frames, channels), or (frames,) when all channels are equal.
        """
        wanted = np.asarray(expected)
        if wanted.ndim == 1:
            wanted = np.repeat(wanted[:, None], self.channels, axis=1)
        return difference(self.samples, wanted)


def check_header(path, data, form):
    """VirtboardError unless data begins as QEMU's recordings of that (channels, bits) do."""
    if len(data) < HEADER_BYTES or data[:4] + data[8:12] != b"RIFFWAVE":
        raise VirtboardError(f"{path} is no WAV recording: it does not begin with its header")
    channels, rate, _, _, bits = struct.unpack_from("<HIIHH", data, 22)
    # A raw recording says the second, whatever it is.
    if data[12:20] == PCM_HEADER and ((channels, bits) not in (form, (2, 16)) or not rate):
        has = f"{channels} channels of {bits} bits at {rate} Hz"
        wanted = f"{form[0]} channels of {form[1]} bits"
        raise VirtboardError(f"{path} is no recording of {wanted}: it has {has}")


def difference(got, wanted):
    """How the samples `got` differ from `wanted`, in one line; None if they do not.

    Both of shape (frames, channels).
    """
    if got.shape[1] != wanted.shape[1]:
        return f"{wanted.shape[1]} channels expected, {got.shape[1]} recorded"
    common = min(len(got), len(wanted))
    lengths = f"{len(wanted)} frames expected, {len(got)} recorded"
    wrong = (got[:common] != wanted[:common]).any(axis=1)
    if not wrong.any():
        if len(got) == len(wanted):
            return None
        missing = len(wanted) - len(got)
        what = f"the last {missing} are missing" if missing > 0 else f"{-missing} more at the end"
        return f"{lengths}: {what}"
    at = int(wrong.argmax())
    line = f"frame {at}: {wanted[at].tolist()} expected, {got[at].tolist()} recorded"
    lost, added = position(got[at:], wanted[at:]), position(wanted[at:], got[at:])
    if lost:
        where = "the first" if at == 0 else "from there"
        line += f"; {where} {lost} frames are missing"
    elif added:
        line += f"; {added} frames too many there"
    else:
        line += f"; {np.count_nonzero(wrong)} of {common} frames differ"
    return f"{line} ({lengths})"


def position(needle, hay):
    """The frame of `hay` where the first CONTEXT_FRAMES of `needle` are found again, or 0."""
    needle = needle[:CONTEXT_FRAMES]
    if len(needle) < CONTEXT_FRAMES or (needle == needle[0]).all():
        return 0
    hay = hay.astype(needle.dtype)
    width = needle[0].nbytes
    at = hay.tobytes().find(needle.tobytes())
    return at // width if at > 0 and at % width == 0 else 0


def empty_recording(path):
    """Makes an empty file for a recording. VirtboardError if there can be none."""
    if not path:
        raise VirtboardError("the recording has no file name: WAV=FILE gives it one")
    try:
        if os.path.exists(path) and not stat.S_ISREG(os.stat(path).st_mode):
            raise VirtboardError(f"cannot record to {path}: it is not a file; name a .wav file")
        open(path, "wb").close()
    except OSError as error:
        should = "name a file in a folder that exists and can be written"
        raise VirtboardError(f"cannot record to {path}: {error.strerror}; {should}") from None


def finish_header(path):
    """Writes both sizes of a recording's header from its length, which QEMU 11 leaves 0.

    VirtboardError if the recording is gone.
    """
    try:
        with open(path, "r+b") as file:
            size = os.fstat(file.fileno()).st_size
            if size < HEADER_BYTES:
                return
            for at in (4, HEADER_BYTES - 4):
                file.seek(at)
                file.write(min(size - at - 4, SIZE_MAX).to_bytes(4, "little"))
    except OSError as error:
        raise VirtboardError(f"the recording {path} is gone: {error.strerror}") from None
