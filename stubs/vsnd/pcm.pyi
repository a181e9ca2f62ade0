# SPDX-License-Identifier: MIT
"""A PCM stream in use: what playback and capture have in common."""

from collections.abc import Callable, Iterable
from typing import Final, NoReturn, Self
from io import IOBase
from virtio.cycle import Cycle
from .card import Card
from .stream import Stream

SETUP: Final = 'SETUP'
PREPARED: Final = 'PREPARED'
RUNNING: Final = 'RUNNING'
XRUN: Final = 'XRUN'
DRAINING: Final = 'DRAINING'
PAUSED: Final = 'PAUSED'
CLOSED: Final = 'CLOSED'
HALTED: tuple[str, ...]
ACTIVE: tuple[str, ...]
MARGIN_MS: Final = 1000
POLLIN: Final = 1
POLLOUT: Final = 4

class PCM(IOBase):
    """A stream in use; see Output and Input.

    `rate` is in Hz, `period` in frames. set_params(), prepare(), start(), stop() and release() are
    the device's own commands, for those who want them; playing and recording need none.
    """

    card: Card
    stream: Stream
    rate: int
    channels: int
    format: int
    period: int
    periods: int
    features: int
    frame_bytes: int
    period_bytes: int
    lost: bool
    def __init__(
        self,
        card: Card,
        stream: Stream,
        rate: int,
        channels: int,
        format: int,
        period: int,
        periods: int,
        features: int | None,
        flow: type[Cycle],
    ) -> None: ...
    def end(self) -> None:
        """Give the stream back, whatever the device does with it."""
    def only(self, what: str, states: Iterable[str]) -> None:
        """OSError(EPERM) unless the state is one of `states`; ENODEV if the card was reset."""
    def set_params(self) -> None:
        """PCM_SET_PARAMS with the parameters that the stream was opened with."""
    def prepare(self) -> None:
        """PCM_PREPARE: the stream takes or gives samples from now on. Position begins at 0."""
    def start(self) -> None:
        """PCM_START: the device plays what is queued, or records. Nothing to do if it does."""
    def stop(self) -> None:
        """PCM_STOP: the device holds what is queued. Nothing to do if it was stopped."""
    def release(self) -> None:
        """PCM_RELEASE: the device returns everything that it has, done with or not."""
    @property
    def state(self) -> str:
        """SETUP, PREPARED, RUNNING, XRUN, DRAINING, PAUSED or CLOSED.

        XRUN is RUNNING with nothing queued: samples are missing, or getting lost. The next write()
        or readinto() ends it.
        """
    @property
    def xruns(self) -> int:
        """How often the device had nothing left to play, or no room left to record to."""
    def drop(self) -> None:
        """Stop at once; what is queued is lost. Afterwards the state is SETUP."""
    def pause(self) -> None:
        """Hold the stream; what is queued stays queued. Nothing to do unless it is running."""
    def resume(self) -> None:
        """Go on after pause(). Nothing to do unless the stream is paused."""
    def abort(self) -> None:
        """drop() and close(), even if the device refuses."""
    def __enter__(self) -> Self: ...
    def __exit__(self, kind: object, value: object, traceback: object) -> None: ...
    def setblocking(self, flag: bool) -> None:
        """With False, write() and readinto() do what can be done at once, and never sleep."""
    def irq(self, handler: Callable[[Self], object] | None) -> None:
        """Call handler(self) soon after the device has made it ready to go on; None: no longer.

        It is a scheduled function, which may read, write and allocate. It is called while the
        stream runs: after start(), or a write() or readinto() that could not do all at once. A
        callback that leaves an output with nothing queued has no next time.
        """
    def interrupted(self) -> None:
        """The device has interrupted."""
    def ioctl(self, request: int, flags: int) -> int:
        """MicroPython's stream protocol: what select.poll and asyncio ask."""
    def odd(self, n: int) -> NoReturn:
        """ValueError: n bytes are no whole frames."""
    def dry(self) -> None:
        """The device owns nothing: an xrun, unless it is the beginning."""
    def event(self, xrun: bool) -> object:
        """The device says that it had nothing to play, or no room to record to, or that a period
        is over. Return whether that is news: it was asked to, and it is not the end of a drain."""
    def check(self) -> None:
        """OSError(EIO) if the device has refused data or broken the rules."""
    def until(self, in_flight: int, what: str, ms: int) -> None:
        """Wait until the device owns no more slots than that; OSError(ETIMEDOUT)."""
    def wait(self, done: Callable[[], object], what: str, ms: int) -> None:
        """Wait until done(), which is asked after every return of a slot; OSError(ETIMEDOUT)."""
    def late(self, what: str) -> OSError:
        """The OSError(ETIMEDOUT) of a device that does nothing."""
    def latency(self) -> int:
        """Frames between the device and ear or microphone, if it tells; a second at most."""

