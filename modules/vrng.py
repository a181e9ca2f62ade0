# SPDX-License-Identifier: MIT
"""Random numbers from the host through virtio-rng (VirtIO 1.3, 5.4 Entropy Device).

os.urandom() and module random use it by themselves when the machine has one:
`-device virtio-rng-device`.
"""

import errno
from micropython import const
from virtio import Device, dma, find

_DEVICE_ID = const(4)
_QUEUE = const(0)  # requestq, the only one
_BYTES = const(64)  # asked for at once
_MS = const(5000)

_opened = None


def open():
    """Return the machine's entropy device, a Rng. OSError(ENODEV) if it has none."""
    transport = find(_DEVICE_ID)
    if transport is None:
        raise OSError(errno.ENODEV, "no entropy device: start QEMU with -device virtio-rng-device")
    return Rng(transport)


class Rng(Device):
    """An entropy device. `with` closes it."""

    def __init__(self, transport):
        global _opened
        self._buffer = dma.alloc(_BYTES)
        try:
            super().__init__(transport, 0, (1,))
        except BaseException:
            dma.free(self._buffer)
            raise
        self._head = self.queues[_QUEUE].chain((self._buffer.pa, _BYTES, True))
        _opened = self

    def read(self, n):
        """Return `n` random bytes. OSError(ETIMEDOUT) if the host has none within 5 s."""
        data = b""
        while len(data) < n:
            self.check()
            queue = self.queues[_QUEUE]
            if not self.request(queue, self._head, _MS):
                self.fail("entropy device at %#x sends nothing" % self.transport.base)
                raise OSError(errno.ETIMEDOUT, self.error)
            got = queue.written[self._head]
            if not got:  # the device must write at least one byte (5.4.6.2)
                raise OSError(errno.EIO, "the entropy device sent 0 bytes")
            data += self._buffer.load(got)
        return data[:n]

    def close(self):
        """Reset the device and return its memory."""
        global _opened
        if self._buffer:
            super().close()
            dma.free(self._buffer)
            self._buffer = _opened = None

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


def seed():
    """Return 32 bytes from the host for os.urandom(), or none if the machine has no device."""
    if _opened:
        return _opened.read(32)
    transport = find(_DEVICE_ID)
    if transport is None:
        return b""
    with Rng(transport) as rng:
        return rng.read(32)
