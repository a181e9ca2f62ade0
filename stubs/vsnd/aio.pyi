# SPDX-License-Identifier: MIT
"""asyncio: waiting for what has an ioctl(), by the poll of the event loop."""

from collections.abc import Callable
from virtio.cycle import Cycle
from .pcm import PCM

async def readable(stream: object) -> None:
    """Return when `stream` can be read. OSError(EBUSY) if another task waits for that."""

async def writable(stream: object) -> None:
    """Return when `stream` can be written. OSError(EBUSY) if another task waits for that."""

async def transfer(
    stream: PCM, ring: Cycle, move: Callable[[int], int | None], n: int, stuck: str
) -> int:
    """Move n bytes through an Output or Input; return how many. Less only if it has ended.

    `ring` is the stream's. move(at) moves what can be moved at once from byte `at` on, and
    returns up to where, or None. Raises what it raises; OSError(EBUSY) if another task waits;
    OSError(ETIMEDOUT), which says `stuck`, if the stream runs and nothing comes back from the
    device in one to two times what a blocking call waits.
    """
