# SPDX-License-Identifier: MIT
"""asyncio: waiting for what has an ioctl(), by the poll of the event loop."""

from asyncio import core


async def readable(stream):
    """Return when `stream` can be read."""
    yield core._io_queue.queue_read(stream)


async def writable(stream):
    """Return when `stream` can be written."""
    yield core._io_queue.queue_write(stream)
