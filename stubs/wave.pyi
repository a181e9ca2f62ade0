# SPDX-License-Identifier: MIT
"""WAV files: a subset of CPython's `wave`, with its names."""

from _typeshed import ReadableBuffer, WriteableBuffer
from typing import Final, IO, Literal, NamedTuple, Self, overload

WAVE_FORMAT_PCM: Final = 1
WAVE_FORMAT_IEEE_FLOAT: Final = 3
WAVE_FORMAT_ALAW: Final = 6
WAVE_FORMAT_MULAW: Final = 7
WAVE_FORMAT_EXTENSIBLE: Final = 65534

class _wave_params(NamedTuple):
    nchannels: int
    sampwidth: int
    framerate: int
    nframes: int
    comptype: str
    compname: str

class Error(ValueError): ...

@overload
def open(
    f: str | ReadableBuffer | IO[bytes], mode: Literal["r", "rb"] | None = None
) -> Wave_read:
    """Return a Wave_read for mode "rb" (the default), a Wave_write for mode "wb".

    *f* is a name or an open binary file that can seek; for reading also (Extension) a bytes-like
    object that holds a whole WAV file. An open file is left open by close().
    """
@overload
def open(f: str | IO[bytes], mode: Literal["w", "wb"]) -> Wave_write: ...

class _Wave:
    name: str | None
    def __init__(self, f: str | ReadableBuffer | IO[bytes], mode: str) -> None: ...
    def __enter__(self) -> Self: ...
    def getnchannels(self) -> int: ...
    def getsampwidth(self) -> int:
        """Bytes per sample."""
    def getframerate(self) -> int:
        """Frames per second, Hz."""
    def getcomptype(self) -> str: ...
    def getcompname(self) -> str: ...
    def getparams(self) -> _wave_params:
        """A named tuple (nchannels, sampwidth, framerate, nframes, comptype, compname)."""

class Wave_read(_Wave):
    """A WAV file to read, in frames. Extension: `name` is the file's name, None if unknown."""

    def __init__(self, f: str | ReadableBuffer | IO[bytes]) -> None: ...
    def __exit__(self, *exc: object) -> None: ...
    def close(self) -> None:
        """Let go of the file, and close it if `open()` opened it."""
    def getnframes(self) -> int:
        """Whole frames that the file really has, whatever its header claims."""
    def getformat(self) -> int:
        """Extension: 1 PCM, 3 float, 6 A-law or 7 mu-law, also for an extensible file."""
    def getvalidbits(self) -> int:
        """Extension: the bits of a sample that carry sound; they are its upper ones."""
    def getchannelmask(self) -> int:
        """Extension: an extensible file's loudspeaker positions, one bit each; 0 if unknown."""
    def tell(self) -> int: ...
    def rewind(self) -> None: ...
    def setpos(self, pos: int) -> None:
        """Go to frame *pos*."""
    def readframes(self, nframes: int) -> bytes:
        """Return the next *nframes* frames as bytes, or all that are left if fewer or negative."""
    def readinto(self, buf: WriteableBuffer) -> int:
        """Extension: fill *buf*, bytes, with the next whole frames; return the bytes stored.

        0 means the end. Allocates nothing while a file fills a *buf* that holds whole frames.
        """
    def data(self) -> memoryview | None:
        """Extension: all samples where they lie in memory, a memoryview; None on other media."""

class Wave_write(_Wave):
    """A WAV file of PCM samples to write; set channels, width and rate, then write frames.

    8-bit samples are unsigned, wider ones signed, all little-endian. writeframes() corrects the
    header each time, writeframesraw() leaves that to close(); a header that nobody came to correct
    says 0, which Wave_read takes as "to the end of the file".
    """

    def __init__(self, f: str | IO[bytes]) -> None: ...
    def __exit__(self, exc_type: object, exc: object, tb: object) -> None: ...
    def setnchannels(self, nchannels: int) -> None: ...
    def setsampwidth(self, sampwidth: int) -> None:
        """Set the bytes per sample."""
    def setframerate(self, framerate: float) -> None:
        """Set the frames per second, Hz; rounded to a whole number."""
    def setnframes(self, nframes: int) -> None:
        """Accepted and not needed: the header gets the frames that were written."""
    def setcomptype(self, comptype: str | None, compname: str | None = None) -> None: ...
    def setparams(self, params: tuple[int, int, float, int, str | None, str | None]) -> None:
        """Set all at once from (nchannels, sampwidth, framerate, nframes, comptype, compname)."""
    def getnframes(self) -> int:
        """Whole frames written so far."""
    tell = getnframes
    def writeframesraw(self, data: ReadableBuffer) -> None:
        """Write samples, bytes-like or an array; leave the header to close()."""
    def writeframes(self, data: ReadableBuffer) -> None:
        """Write samples, bytes-like or an array, and correct the header."""
    def close(self) -> None:
        """Complete the file, and close it if `open()` opened it."""

