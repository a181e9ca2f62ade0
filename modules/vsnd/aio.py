# SPDX-License-Identifier: MIT
"""asyncio: waiting for what has an ioctl(), by the poll of the event loop."""

from asyncio import core
import errno


def _alone(stream, index):
    # asyncio would forget the task that waits already, without a word.
    waiting = core._io_queue.map.get(id(stream))
    if waiting and waiting[index]:
        raise OSError(errno.EBUSY, "another task waits for %r" % (stream,))


async def readable(stream):
    """Return when `stream` can be read. OSError(EBUSY) if another task waits for that."""
    _alone(stream, 0)
    yield core._io_queue.queue_read(stream)


async def writable(stream):
    """Return when `stream` can be written. OSError(EBUSY) if another task waits for that."""
    _alone(stream, 1)
    yield core._io_queue.queue_write(stream)
