# SPDX-License-Identifier: MIT
"""asyncio: waiting for what has an ioctl(), by the poll of the event loop."""

async def readable(stream: object) -> None:
    """Return when `stream` can be read. OSError(EBUSY) if another task waits for that."""
async def writable(stream: object) -> None:
    """Return when `stream` can be written. OSError(EBUSY) if another task waits for that."""
