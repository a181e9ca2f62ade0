# SPDX-License-Identifier: MIT
"""The sound device as a whole: probe, control requests, what it offers."""

from typing import Final
from virtio.device import Device
from virtio.mmio import MMIO
from .capture import Input
from .chmaps import Chmap
from .controls import Control
from .events import Events
from .jacks import Jack
from .pcm import PCM
from .stream import Stream
from .playback import Output
from . import protocol

REQUEST_BYTES: Final = 64
def open(base: int | None = None) -> Card:
    """Return the Card of the first sound device, or of the one whose registers are at `base`.

    OSError(ENODEV) if there is none, or one that cannot be used; the message says why.
    """

class Card:
    """One sound device.

    `streams`, `jacks`, `chmaps` and `controls` are tuples of records, read once at probe, or again
    by refresh(). `resets` counts how often the device asked for a reset and was recovered.
    """

    device: Device
    resets: int
    early: list[tuple[int, int]] | None
    streams: tuple[Stream, ...]
    jacks: tuple[Jack, ...]
    chmaps: tuple[Chmap, ...]
    controls: tuple[Control, ...]
    def __init__(self, transport: MMIO) -> None: ...
    @property
    def events(self) -> Events:
        """What the device tells by itself: an Events."""
    def back(self, head: int, length: int) -> None:
        """The device has used an event buffer."""
    def refresh(self) -> None:
        """Read all records anew, after CONFIG_CHANGED or when events were lost.

        Streams in use keep the record that they were opened with.
        """
    def request(
        self, message: bytes, response_bytes: int = 0, at_least: int | None = None
    ) -> bytes:
        """Send a control message and return what follows the status in the answer (bytes).

        It has `response_bytes` bytes, or if `at_least` is given, from that many up.

        OSError: EINVAL for BAD_MSG, EOPNOTSUPP for NOT_SUPP, EIO for IO_ERR and for an answer
        that breaks the protocol, ETIMEDOUT if there is none within a second, EBUSY after that
        until there is.
        """
    def mend(self) -> None:
        """Recover a device that asked for a reset in the middle of a request, or OSError(EIO)."""
    def output(
        self,
        rate: int = 48000,
        channels: int = 2,
        format: int = protocol.S16,
        period: int = 480,
        periods: int = 4,
        stream: int | None = None,
        features: int | None = None,
    ) -> Output:
        """Return an Output with these parameters on `stream`, or the first free one that has them.

        rate in Hz; period in frames; periods: how many of them are queued at most, 2 to 16.
        features: what to select of the stream's features (protocol.PCM_*); None: MSG_POLLING and
        EVT_XRUNS, if it has them.

        ValueError if the stream does not offer it, OSError(EBUSY) if no stream is free,
        OSError(ENODEV) if the card has no output.
        """
    def input(
        self,
        rate: int = 48000,
        channels: int = 2,
        format: int = protocol.S16,
        period: int = 480,
        periods: int = 4,
        stream: int | None = None,
        features: int | None = None,
    ) -> Input:
        """Return an Input with these parameters on `stream`, or the first free one that has them.

        As output().
        """
    def control(self, name: str, index: int = 0) -> Control:
        """Return the Control of that name and index. ValueError, saying which there are."""
    def chmap(self, pcm: PCM) -> Chmap | None:
        """Return the Chmap for an Output's or Input's channels, None if the device has none."""
    def reset(self) -> None:
        """Reset the device and bring it up anew, in whatever state it is: hung, broken or well.

        Streams in use end: what they had queued is lost, and calls on them raise OSError(ENODEV).
        Records are read again. What `events` keeps stays, its handler too. After close() it opens
        the card again.

        OSError(ETIMEDOUT) if the device does not say that it was reset, otherwise as vsnd.open().
        The card is closed then, and may be reset() again. OSError(EBUSY) if it was closed and
        opened again: that is another Card.
        """
    def close(self) -> None:
        """Stop every stream and reset the device. open() brings it up again.

        OSError(ETIMEDOUT) if the device does not say that it was reset. It is closed all the same.
        """

